// The playground, from its sources: npm install && npm run build [-- WHEELS [SITE]]
//
// WHEELS is a folder with the pure wheel of fwengine, lark and netaddr; without it they are made of this repository by
// `python3 -m pip wheel`. SITE is the folder that is written, `site` unless said: any web server can carry it.
import { execFileSync } from "node:child_process";
import nodeCrypto, { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { loadPyodide } from "pyodide";
import { unpack } from "./src/unpack.js";

const HERE = import.meta.dirname;
const ROOT = path.resolve(HERE, "../..");
const PYODIDE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];
const STATIC = ["index.html", "style.css"];
const IN_PAGE = /^(@codemirror\/|@lezer\/|@marijn\/|style-mod$|w3c-keyname$|crelt$|pyodide$)/;
const PYODIDE_TERMS = "The terms of the Mozilla Public License 2.0: https://mozilla.org/MPL/2.0/. It holds CPython, under the licence of the\nPython Software Foundation: https://docs.python.org/3/license.html. Their sources: https://github.com/pyodide/pyodide";
// What the folder may hold, in bytes: all of it, the same as a web server compresses it, and the page's own script.
const BUDGET = { all: 26_000_000, packed: 18_000_000, "main.js": 600_000 };

const WHEN = Number(process.env.SOURCE_DATE_EPOCH ?? 1_700_000_000) * 1000;

const [wheelsGiven, siteGiven] = process.argv.slice(2);
const site = path.resolve(siteGiven ?? path.join(HERE, "site"));
const work = fs.mkdtempSync(path.join(os.tmpdir(), "playground-"));

function wheelsOf(given) {
  if (given) return path.resolve(given);
  // of a copy of what git has: an old `build/` would go into the wheel
  const [source, wheels] = [path.join(work, "source"), path.join(work, "wheels")];
  for (const name of execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" }).split("\0")) {
    if (name && fs.existsSync(path.join(ROOT, name))) fs.cpSync(path.join(ROOT, name), path.join(source, name));
  }
  const env = { ...process.env, FWENGINE_PURE: "1" };
  execFileSync("python3", ["-m", "pip", "wheel", "-q", "-w", wheels, source], { env, stdio: ["ignore", "ignore", "inherit"] });
  return wheels;
}

function only(folder) {
  const found = fs.readdirSync(folder).filter(name => /^(fwengine|lark|netaddr)-.*-none-any\.whl$/.test(name));
  if (found.length !== 3) throw new Error(`${folder} is to have one pure wheel each of fwengine, lark and netaddr: ${found}`);
  const chosen = path.join(work, "chosen");
  fs.mkdirSync(chosen);
  for (const name of found) fs.copyFileSync(path.join(folder, name), path.join(chosen, name));
  return chosen;
}

async function bundled(wheels) {
  const python = await loadPyodide({ env: { PYTHONHASHSEED: "0" } });
  python.FS.mkdirTree("/mnt");
  const places = { root: ROOT, here: HERE, wheels, out: site, work };
  for (const [name, folder] of Object.entries(places)) {
    python.FS.mkdirTree(`/mnt/${name}`);
    python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, `/mnt/${name}`);
  }
  const run = python.runPython(fs.readFileSync(path.join(HERE, "bundle.py"), "utf8") + "\nmain");
  return run(...Object.keys(places).map(name => `/mnt/${name}`));
}

// From here on no clock goes, no number is random, and this program has no place, so that the same sources give the same memory.
// The engine draws no numbers.
function still() {
  process.argv.splice(1, process.argv.length, "playground");
  const usual = Date;
  globalThis.Date = class extends usual {
    constructor(...given) {
      super(...(given.length ? given : [WHEN]));
    }
    static now() {
      return WHEN;
    }
  };
  let ticks = 0;
  performance.now = () => ++ticks;
  crypto.getRandomValues = nodeCrypto.randomFillSync = array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength).fill(7) && array;
  Math.random = () => 0.5;
}

// Python's memory once the engine is loaded and has answered: to start from it takes a tenth of the time that booting takes
async function remembered() {
  still();
  const python = await loadPyodide({ env: { PYTHONHASHSEED: "0" }, _makeSnapshot: true });
  unpack(gunzipSync(fs.readFileSync(path.join(site, "engine.gz"))), python.FS, "/engine");
  python.runPython("import sys; sys.path.insert(0, '/engine'); import playground; playground.warm()");
  python.runPython("import gc; gc.collect()");
  fs.writeFileSync(path.join(site, "memory.gz"), gzipSync(python.makeMemorySnapshot(), { level: 9 }));
}

// whose work is in the folder, and under which terms
function licences(wheels) {
  const told = ["What the playground of fwengine is made of, and the licence of each part.\n", `fwengine\n\n${fs.readFileSync(path.join(ROOT, "LICENSE"), "utf8")}`];
  const modules = path.join(HERE, "node_modules");
  const folders = fs.readdirSync(modules).flatMap(name => (name.startsWith("@") ? fs.readdirSync(path.join(modules, name)).map(inner => `${name}/${inner}`) : [name]));
  for (const name of folders.filter(one => IN_PAGE.test(one)).sort()) {
    const { version, license } = JSON.parse(fs.readFileSync(path.join(modules, name, "package.json"), "utf8"));
    const file = ["LICENSE", "LICENSE.md", "LICENCE"].map(one => path.join(modules, name, one)).find(one => fs.existsSync(one));
    told.push(`${name} ${version}: ${license}\n\n${file ? fs.readFileSync(file, "utf8") : PYODIDE_TERMS}`);
  }
  for (const [name, text] of Object.entries(wheels)) told.push(`${name}\n\n${text}`);
  fs.writeFileSync(path.join(site, "licences.txt"), told.map(one => `${one.trimEnd()}\n`).join(`\n${"-".repeat(72)}\n\n`));
}

function weighed() {
  const names = fs.readdirSync(site).sort();
  const bytes = Object.fromEntries(names.map(name => [name, fs.readFileSync(path.join(site, name))]));
  const sum = sizes => sizes.reduce((total, size) => total + size, 0);
  const found = {
    all: sum(names.map(name => bytes[name].length)),
    packed: sum(names.map(name => gzipSync(bytes[name], { level: 9 }).length)),
    "main.js": bytes["main.js"].length,
  };
  for (const [what, most] of Object.entries(BUDGET)) {
    console.log(`${what}: ${found[what].toLocaleString("en")} of ${most.toLocaleString("en")} bytes`);
    if (found[what] > most) throw new Error(`${what} is larger than its budget`);
  }
  return Object.fromEntries(names.map(name => [name, createHash("sha256").update(bytes[name]).digest("hex")]));
}

try {
  fs.rmSync(site, { recursive: true, force: true });
  fs.mkdirSync(site, { recursive: true });
  const npm = path.dirname(fs.realpathSync(path.join(HERE, "node_modules/pyodide/package.json")));
  for (const name of PYODIDE) fs.copyFileSync(path.join(npm, name), path.join(site, name));
  for (const name of STATIC) fs.copyFileSync(path.join(HERE, "src", name), path.join(site, name));
  const { version, licences: terms } = JSON.parse(await bundled(only(wheelsOf(wheelsGiven))));
  licences(terms);
  await remembered();
  await esbuild.build({
    entryPoints: { main: path.join(HERE, "src/main.js"), worker: path.join(HERE, "src/worker.js") },
    outdir: site,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["./pyodide.mjs", "./pyodide.asm.mjs"],
    alias: { words: path.join(work, "words.json") },
    define: { VERSION: JSON.stringify(version) },
    legalComments: "none",
    logLevel: "warning",
  });
  // what there is: `fwengine play` serves these files and nothing else
  const files = weighed();
  fs.writeFileSync(path.join(site, "site.json"), JSON.stringify({ name: "fwengine-playground", version, files }, null, 1) + "\n");
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}
process.exit(0); // Pyodide would keep node awake
