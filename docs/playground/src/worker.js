// The engine in a worker: one question at a time, JSON in, JSON out. What takes too long is ended from outside, with the worker.
import createPyodideModule from "./pyodide.asm.mjs";
import { loadPyodide } from "./pyodide.mjs";
import { gunzipped, roomFor, unpack } from "./unpack.js";

const HERE = new URL("./", import.meta.url).href;
const CAPTURES = "/dropped";

async function fetched(name) {
  const answer = await fetch(new URL(name, HERE));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return gunzipped(answer.body);
}

async function started() {
  const files = fetched("engine.gz");
  const memory = await fetched("memory.gz");
  // Python as the build left it, with the engine loaded: the very Pyodide that is beside it made it
  const python = await loadPyodide({ indexURL: HERE, _loadSnapshot: memory, createPyodideModule: roomFor(createPyodideModule, memory) });
  unpack(await files, python.FS, "/engine"); // for what is loaded late, and for tables, which are files
  python.FS.mkdir(CAPTURES);
  return { python, engine: python.runPython("import playground; playground") };
}

const ready = started();
ready.then(() => postMessage({ ready: true }), error => postMessage({ broken: String(error) }));

function asked({ python, engine }, { id, question, file }) {
  if (!file) return engine.answer(JSON.stringify(question));
  // read where it is, piece by piece: a capture may be larger than memory
  python.FS.mount(python.FS.filesystems.WORKERFS, { blobs: [{ name: "capture", data: file }] }, CAPTURES);
  let last = 0;
  const progress = (done, size) => {
    if (performance.now() - last < 100) return;
    last = performance.now();
    postMessage({ id, progress: [done, size ?? 0] });
  };
  try {
    return engine.answer(JSON.stringify({ ...question, path: `${CAPTURES}/capture` }), progress);
  } finally {
    python.FS.unmount(CAPTURES);
  }
}

onmessage = async ({ data }) => {
  try {
    const running = await ready;
    postMessage({ id: data.id, answer: asked(running, data) });
  } catch (error) {
    postMessage({ id: data.id, broken: String(error) });
  }
};
