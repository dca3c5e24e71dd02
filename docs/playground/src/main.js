// The page: the text in the editor is asked about while it is written, and everything else when it is asked for.
import * as answers from "./answers.js";
import { $, counted, fill, h } from "./dom.js";
import { Editor } from "./editor.js";
import { Cancelled, Engine } from "./engine.js";
import { showExpectations, showFindings } from "./findings.js";
import { checked, packed, unpacked } from "./link.js";

const QUICK = 400; // milliseconds: an answer that took no longer follows the text
const PAUSE = 40; // after a key, before the text is looked at
const TICK = 1000;

const page = { name: "policy", files: {}, chosen: "", file: "policy", capture: null, sample: "" };
const asked = {}; // what was last asked for, by the element that has its answer
let gallery = { groups: [], files: {}, captures: {} };
let timer, ticking, edition = 0;

// The state of the engine

function state(word, reason) {
  clearInterval(ticking);
  $("cancel").hidden = true;
  $("progress").hidden = true;
  $("state").textContent = { loading: "loading the engine", ready: "ready", broken: "" }[word] ?? "";
  document.body.dataset.state = word;
  if (word === "broken") fill($("state"), h("strong", { class: "told" }, `the engine cannot run here: ${reason}`));
  if (word !== "asking") return;
  const began = performance.now();
  ticking = setInterval(() => {
    const seconds = Math.round((performance.now() - began) / 1000);
    $("state").textContent = engine.asking ? `asking, ${seconds} s` : `looking, ${seconds} s`;
    $("cancel").hidden = false;
  }, TICK);
}

function progress(done, size) {
  $("progress").hidden = false;
  if (size) [$("progress").max, $("progress").value] = [size, done];
  else $("progress").removeAttribute("value");
}

const question = (what, more) => ({ what, name: page.name, text: editor.text, files: { ...gallery.files, ...page.files }, chosen: page.chosen, ...more });

const ends = error => {
  if (error instanceof Cancelled) return;
  fill($("state"), h("strong", { class: "told" }, `the engine failed: ${error.message}`));
};

// While one types

function changed() {
  const now = ++edition;
  document.body.dataset.looking = ""; // a sign for whoever waits
  engine.changed();
  for (const place of ["answer", "matrix", "counts"]) $(place).classList.toggle("stale", $(place).hasChildNodes());
  clearTimeout(timer);
  timer = setTimeout(async () => {
    try {
      await look(now);
    } catch (error) {
      if (now === edition) $("findings-count").textContent = "cancelled";
      ends(error);
    }
    if (now === edition) delete document.body.dataset.looking;
  }, PAUSE);
}

async function look(now) {
  const live = what => engine.ask(question(what, { packet: $("packet").value }), { live: true });
  const later = [live("errors"), askPacket(now), live("findings"), live("expectations")];
  later.forEach(one => one.catch(() => {}));
  const told = await later[0];
  if (now !== edition) return;
  page.file = told.file;
  editor.colour(!told.foreign);
  fill($("size"), `${counted(told.rules, "rule")}`);
  fill($("chosen"), told.policies.map(name => h("option", { value: name, selected: name === page.chosen }, name)));
  $("chosen-row").hidden = !told.policies.length;
  if (told.diagnostics.length) show(told.diagnostics, false);
  const found = await later[2];
  if (now !== edition) return;
  show([...told.diagnostics, ...found.diagnostics], found.limited, told.diagnostics);
  const expected = await later[3];
  if (now !== edition) return;
  tellExpectations(expected);
  await again();
}

function show(diagnostics, limited, errors = diagnostics) {
  editor.mark(diagnostics);
  showFindings(diagnostics, limited, aims, async () => {
    const found = await engine.ask(question("all findings"));
    show([...errors, ...found.diagnostics], false);
  });
}

function tellExpectations(told) {
  if (told.meaningless) {
    $("expectations-count").textContent = "not before the errors are mended";
    fill($("expectations"));
  } else if (!told.results) fill($("expectations"), answers.failed(told.errors));
  else showExpectations(told.results, aims, whyPacket, async () => tellExpectations(await engine.ask(question("all expectations"))));
}

async function askPacket(now = edition) {
  const packet = $("packet").value.trim();
  if (!packet) return fill($("verdict"), h("p", { class: "note" }, "Write one, or paste a line of tcpdump -nn: which rule decides it, and why not the others."));
  const told = await engine.ask(question("packet", { packet }), { live: true });
  if (now === edition && packet === $("packet").value.trim()) tell("verdict", told, () => answers.verdict(told, aims));
}

function whyPacket(packet) {
  $("packet").value = packet;
  askPacket().catch(ends);
  $("packet").focus();
}

// What is asked for

function tell(where, told, nodes) {
  $(where).classList.remove("stale");
  if (told.meaningless) fill($(where), h("p", { class: "told" }, "The policy has errors, and nothing can be asked before they are mended."));
  else fill($(where), told.results || told.regions || told.cells || told.captures ? nodes() : answers.failed(told.errors));
}

async function ask(where, what, more, nodes, file) {
  const began = performance.now();
  const now = edition;
  fill($(where), h("p", { class: "note asking" }, "asking…"));
  try {
    const told = await engine.ask(question(what, more), { file });
    asked[where] = { again: () => ask(where, what, more, nodes, file), quick: performance.now() - began < QUICK };
    tell(where, told, () => nodes(told));
    if (now !== edition) $(where).classList.add("stale");
  } catch (error) {
    delete asked[where];
    fill($(where), h("p", { class: "told", role: "alert" }, error instanceof Cancelled ? "Cancelled: there is no answer." : `The engine failed: ${error.message}`));
  }
}

async function again() {
  for (const [where, one] of Object.entries(asked)) {
    if (one.quick && $(where).classList.contains("stale")) await one.again();
  }
}

const claim = what => {
  const text = $("claim").value.trim();
  if (!text) return fill($("answer"), h("p", { class: "told" }, "Write a question: a verdict, and which packets, such as deny tcp from any to any port telnet."));
  return ask("answer", what, { claim: text }, told => (what === "prove" ? answers.proof : answers.regions)(told, aims, whyPacket));
};

const evaluate = (file, name) => ask("counts", "capture", {}, told => answers.counts(told, name, aims), file);

// Where a text comes from

function open(given, ours = true) {
  Object.assign(page, { name: given.name, files: given.files ?? {}, chosen: "", sample: given.capture ?? "" });
  $("packet").value = given.packet ?? "";
  $("claim").value = given.claim ?? "";
  $("example").value = gallery.files[given.name] === given.text ? given.name : "";
  fill($("name"), given.name);
  $("sample").hidden = !page.sample;
  for (const place of ["answer", "matrix", "counts"]) fill($(place));
  for (const key of Object.keys(asked)) delete asked[key];
  editor.open(given.text, ours);
}

function example(file) {
  const one = gallery.groups.flatMap(group => group.examples).find(each => each.file === file);
  if (one) open({ ...one, name: one.file, text: gallery.files[one.file] });
}

async function fetched(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer.json();
}

async function first() {
  const wanted = location.hash.slice(1);
  if (wanted.startsWith("given=")) {
    // what `fwengine play POLICY` was asked to open
    history.replaceState(null, "", location.pathname);
    const given = await fetched(`given/${encodeURIComponent(wanted.slice(6))}.json`).then(checked, () => null);
    if (given) return open(given);
  }
  const given = wanted ? await unpacked(wanted) : null;
  if (given) return open(given);
  example("edge.fwl");
  if (wanted.startsWith("given=")) $("name").append(" (the policy is not here any more: start `fwengine play` again)");
  else if (wanted) $("name").append(" (the link is none of this page, or was cut short)");
}

async function share() {
  const own = Object.entries(page.files).filter(([name, text]) => gallery.files[name] !== text);
  const link = await packed({ name: page.name, text: editor.text, packet: $("packet").value, claim: $("claim").value, files: Object.fromEntries(own) });
  history.replaceState(null, "", `#${link}`);
  let copied = true;
  try {
    await navigator.clipboard.writeText(location.href);
  } catch {
    copied = false;
  }
  $("state").textContent = copied ? "the link is copied" : "the link is in the address bar";
}

function dropped(file) {
  if (!file) return;
  evaluate(file, file.name);
}

// Beginning

const engine = new Engine({ state, progress });
const editor = new Editor($("editor"), {
  changed,
  complete: async (line, column) => (engine.ready ? (await engine.ask(question("complete", { line, column }), { live: true }).catch(() => ({}))).choices ?? [] : []),
  hover: async (line, column) => (engine.ready ? (await engine.ask(question("hover", { line, column }), { live: true }).catch(() => ({}))).hover : null),
});
const aims = { go: (line, column) => editor.go(line, column), follow: edits => editor.follow(edits), get file() { return page.file; } };

$("version").textContent = VERSION;
$("packet").addEventListener("input", () => askPacket().catch(ends));
$("question").addEventListener("submit", event => {
  event.preventDefault();
  claim("prove");
});
$("query").addEventListener("click", () => claim("query"));
$("draw").addEventListener("click", () => ask("matrix", "matrix", {}, told => answers.matrix(told, text => {
  $("claim").value = text;
  claim("query");
  $("claim").focus();
})));
$("cancel").addEventListener("click", () => engine.cancel());
$("share").addEventListener("click", share);
$("chosen").addEventListener("change", () => {
  page.chosen = $("chosen").value;
  changed();
});
$("example").addEventListener("change", () => example($("example").value));
$("capture").addEventListener("change", () => dropped($("capture").files[0]));
$("sample").addEventListener("click", () => {
  const bytes = Uint8Array.from(atob(gallery.captures[page.sample]), one => one.charCodeAt(0));
  dropped(new File([bytes], page.sample));
});
for (const kind of ["dragover", "dragenter"]) {
  document.addEventListener(kind, event => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
}
document.addEventListener("dragleave", event => event.relatedTarget ?? document.body.classList.remove("dropping"));
document.addEventListener("drop", event => {
  document.body.classList.remove("dropping");
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  dropped(event.dataTransfer.files[0]);
}, true);
addEventListener("hashchange", () => first());

gallery = await fetched("gallery.json").then(found => found, () => gallery);
for (const group of gallery.groups) {
  $("example").append(h("optgroup", { label: group.title }, group.examples.map(one => h("option", { value: one.file }, one.title))));
}
await first();
