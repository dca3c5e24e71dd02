// Files as `bundle.py` packs them -> files of Pyodide's file system.

export async function gunzipped(stream) {
  return new Uint8Array(await new Response(stream.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

export function unpack(bytes, FS, folder) {
  const end = bytes.indexOf(10);
  const made = new Set();
  let at = end + 1;
  for (const [name, size] of JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)))) {
    const path = `${folder}/${name}`;
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(parent)) FS.mkdirTree(parent);
    made.add(parent);
    FS.writeFile(path, bytes.subarray(at, at + size));
    at += size;
  }
}

// Memory for a snapshot to be put into: what `loadPyodide` makes by itself is of a fixed size.
export const roomFor = (create, snapshot) => async settings => {
  const made = await create(settings);
  if (made.HEAP8.length < snapshot.length) made._malloc(snapshot.length); // which the snapshot knows nothing of
  return made;
};
