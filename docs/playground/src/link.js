// A page as a fragment and back: JSON, deflated, in base64's alphabet for addresses. A fragment is never sent to a server.

const VERSION = "1.";
const MOST = 8 << 20; // bytes of what a link may unpack to

const FIELDS = ["name", "text", "packet", "claim"];

export async function packed(state) {
  const stream = new Blob([JSON.stringify(state)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return VERSION + btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

// null if the fragment is no page
export async function unpacked(fragment) {
  if (!fragment.startsWith(VERSION)) return null;
  try {
    const bytes = Uint8Array.from(atob(fragment.slice(VERSION.length).replaceAll("-", "+").replaceAll("_", "/")), one => one.charCodeAt(0));
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    const pieces = [];
    let size = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > MOST) {
        await reader.cancel();
        return null;
      }
      pieces.push(value);
    }
    return checked(JSON.parse(await new Blob(pieces).text()));
  } catch {
    return null;
  }
}

// what a stranger wrote is a page only if it has the form of one
export function checked(given) {
  if (typeof given !== "object" || given === null || FIELDS.some(key => typeof (given[key] ?? "") !== "string")) return null;
  if (typeof given.text !== "string") return null;
  const files = given.files ?? {};
  if (typeof files !== "object" || Array.isArray(files) || Object.values(files).some(text => typeof text !== "string")) return null;
  return { name: given.name || "policy", text: given.text, packet: given.packet ?? "", claim: given.claim ?? "", files: { ...files } };
}
