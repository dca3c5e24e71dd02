// Answers to what was asked: a packet, a claim, the matrix, a capture. Each makes nodes of a record.
import { counted, h, number } from "./dom.js";
import { line } from "./findings.js";

const FOLDED = 14; // rules of a path that are shown unasked

// names are of the policy in the editor; `editor.file` is what its places are called
const called = (rule, editor) => {
  if (!rule) return "no rule";
  if (!rule.place) return rule.label;
  const here = rule.place.file === editor.file;
  const name = rule.label === `${rule.place.file}:${rule.place.line}` ? null : rule.label;
  return h("span", null, name && h("strong", null, name), name && " ", line(rule.place, here, editor.go));
};

const verb = action => h("span", { class: `act ${action}` }, { allow: "ALLOW", deny: "DENY", depends: "DEPENDS" }[action] ?? action);

const head = (...cells) => h("thead", null, h("tr", null, cells.map(cell => h("th", { scope: "col", class: cell.startsWith(" ") ? "number" : null }, cell.trim()))));

export const failed = errors =>
  errors.map(error => h("div", { class: "told", role: "alert" },
    h("p", null, error.message, error.label && `: ${error.label}`, error.place?.column && ` (at column ${error.place.column})`),
    (error.notes ?? []).map(note => h("p", { class: "note" }, note)),
    error.help && h("p", { class: "note" }, `help: ${error.help}`)));

const strangers = names => (names ?? []).map(one =>
  h("p", { class: "told" }, `no rule names the interface ${one.name}`, one.did_you_mean && `: did you mean ${one.did_you_mean}?`));

export function verdict(told, editor) {
  const [one] = told.results;
  const by = one.rule ? [one.rule.action === "depends" ? "on " : "by ", called(one.rule, editor)] : one.verdict === "depends" ? [`on ${one.depends_on.join(", ")}`] : [one.reason === "rules" ? "by several rules" : one.reason];
  const nodes = [h("p", { class: "verdict" }, verb(one.verdict), " ", by), strangers(one.unknown_interfaces)];
  if (one.cases.length) {
    nodes.push(h("div", { class: "wide" }, h("table", null, h("caption", null, "What the packet leaves open decides:"), head("if", "then", "by"),
      h("tbody", null, one.cases.slice(0, 100).map(part => h("tr", null,
        h("td", null, h("code", null, part.condition)), h("td", null, verb(part.rule.action)), h("td", null, called(part.rule, editor))))))));
    if (one.cases.length > 100) nodes.push(h("p", { class: "note" }, `and ${counted(one.cases.length - 100, "more part")}`));
  }
  const row = step => h("tr", null, h("td", null, called(step.rule, editor)), h("td", { class: step.word === "yes" ? "act" : null }, step.word), h("td", null, step.why, step.near && step.word === "no" && " (nearest miss)"));
  const table = steps => h("div", { class: "wide" }, h("table", { class: "path" }, head("rule", "matches", "because"), h("tbody", null, steps.map(row))));
  const { path } = told;
  if (path.length > FOLDED) {
    nodes.push(table(path.filter(step => step.near || step.word !== "no")));
    nodes.push(h("details", null, h("summary", null, `the whole path, ${counted(path.length, "rule")}`), table(path)));
  } else if (path.length) nodes.push(table(path));
  if (told.left_out) nodes.push(h("p", { class: "note" }, `${counted(told.left_out, "other rule")} that match nothing of it`));
  return [...failed(told.errors), nodes];
}

const packetButton = (packet, askPacket) => h("button", { type: "button", class: "link", onclick: () => askPacket(packet) }, h("code", null, packet));

const STATUS = { proved: "Proved", refuted: "Refuted", depends: "It depends", "about no packet": "About no packet" };

export function proof(told, editor, askPacket) {
  const [one] = told.results;
  const hue = one.holds ? "allow" : one.status === "refuted" ? "deny" : "depends";
  return [
    failed(told.errors),
    h("p", { class: "verdict" }, h("span", { class: `act ${hue}` }, STATUS[one.status]), " ", told.told),
    strangers(one.unknown_interfaces),
    one.counterexamples.length > 0 && h("ul", null, one.counterexamples.map(found => h("li", { class: "outcome fails" }, packetButton(found.packet, askPacket), " ", verb(found.verdict), " by ", called(found.rule, editor)))),
    one.more && h("p", { class: "note" }, "there are others, decided by further rules"),
  ];
}

export function regions(told, editor, askPacket) {
  const table = (rows, caption) => h("div", { class: "wide" }, h("table", null, h("caption", null, caption), head("region", "by", "for example"),
    h("tbody", null, rows.map(row => h("tr", null, h("td", null, h("code", null, row.region.text)), h("td", null, called(row.rule, editor)), h("td", null, packetButton(row.witness.packet, askPacket)))))));
  const none = { none: "There is no such packet.", "about no packet": "The question is about no packet." }[told.status];
  return [
    failed(told.errors),
    strangers(told.unknown_interfaces),
    none && h("p", { class: "verdict" }, none),
    told.regions.length > 0 && table(told.regions, `${counted(told.regions.length + told.more, "region")}${told.packets === null ? "" : `, ${counted(told.packets, "packet")}`}`),
    told.more > 0 && h("p", { class: "note" }, `${counted(told.more, "more region")} are not shown`),
    told.in_doubt.length > 0 && table(told.in_doubt, "these depend on lines in doubt:"),
  ];
}

const ACCESS = { all: "everything", nothing: "nothing", part: "some", impossible: "cannot be", unknown: "unknown" };

// what is open come what may, and what is so in part, with a star
const words = cell => {
  const partly = new Set(cell.conditional.flatMap(one => one.services));
  const some = [...cell.services, ...[...partly].filter(name => !cell.services.includes(name)).map(name => `${name}*`)];
  return [...some.slice(0, 4), some.length > 4 && "…"].filter(Boolean).join(", ");
};

export function matrix(told, list) {
  const rows = told.zones.map((zone, n) => told.cells.slice(n * told.zones.length, (n + 1) * told.zones.length));
  const detail = h("div", { "aria-live": "polite" });
  const open = (cell, source, destination) => {
    detail.replaceChildren(
      h("p", null, h("strong", null, `${source.name} to ${destination.name}`), `: ${ACCESS[cell.access]}`),
      h("ul", null,
        cell.services.length > 0 && h("li", null, `open: ${cell.services.join(", ")}`),
        cell.conditional.map(some => h("li", null, `in part: ${some.services.join(", ")}`, some.when && ` ${some.when}`, some.depends_on?.length && ` (depends on ${some.depends_on.join(", ")})`)),
        cell.regions.slice(0, 50).map(region => h("li", null, h("code", null, `allow ${region.text}`)))),
      source.kind === "net" && h("button", { type: "button", onclick: () => list(`allow any from ${source.members} to ${destination.members}`) }, "Which rules allow it?"));
  };
  return [
    failed(told.errors),
    told.cells && h("div", { class: "wide" }, h("table", { class: "matrix" }, h("caption", null, `Rows: from; columns: to. * in part: press a cell for when${told.confirmed === "sampled" ? " (sampled)" : ""}.`),
      h("thead", null, h("tr", null, h("td", null, "from \\ to"), told.zones.map(zone => h("th", { scope: "col", title: zone.members }, zone.name)))),
      h("tbody", null, rows.map((cells, n) => h("tr", null, h("th", { scope: "row", title: told.zones[n].members }, told.zones[n].name),
        cells.map((cell, k) => h("td", { class: cell.access }, h("button", { type: "button", class: "link", onclick: () => open(cell, told.zones[n], told.zones[k]) }, cell.access === "part" ? words(cell) || "some" : ACCESS[cell.access])))))))),
    (told.remarks ?? []).map(remark => h("p", { class: "note" }, remark)),
    detail,
  ];
}

const APART = { malformed: "malformed: denied, no rule is asked", truncated: "truncated: denied, what is missing decides", tiny_fragment: "tiny fragments: denied, no rule is asked", not_ip: "not IP: no verdict" };

export function counts(told, name, editor) {
  const [one] = told.captures ?? [];
  if (!one) return failed(told.errors);
  const some = told.rules.filter(row => row.packets);
  const top = told.flows?.top ?? [];
  return [
    failed(told.errors),
    one.error && failed([one.error]),
    one.error && one.packets > 0 && h("p", null, `the ${counted(one.packets, "packet")} before that:`),
    (one.packets > 0 || !one.error) && h("p", { class: "verdict" }, h("strong", null, name), `: ${counted(told.packets, "packet")}, `,
      h("span", { class: "allow" }, `${number(told.allow)} allowed`), ", ", h("span", { class: "deny" }, `${number(told.deny)} denied`), told.depends ? `, ${number(told.depends)} depend on lines in doubt` : ""),
    one.notes.map(note => h("p", { class: "note" }, note)),
    some.length > 0 && h("div", { class: "wide" }, h("table", null, h("caption", null, "By rule"), head("rule", "does", " packets", " bytes"),
      h("tbody", null, some.map(row => h("tr", null, h("td", null, called(row.rule, editor)), h("td", null, verb(row.rule.action)), h("td", { class: "number" }, number(row.packets)), h("td", { class: "number" }, number(row.bytes))))))),
    Object.entries(APART).filter(([key]) => told[key]).map(([key, text]) => h("p", { class: "note" }, `${number(told[key])} ${text}`)),
    top.length > 0 && h("div", { class: "wide" }, h("table", null, h("caption", null, `Top denied, ${top.length} of ${counted(told.flows.flows, "flow")}`), head(" packets", "source", "destination", "service", "rule"),
      h("tbody", null, top.map(flow => h("tr", null, h("td", { class: "number" }, number(flow.packets)), h("td", null, flow.source), h("td", null, flow.destination), h("td", null, flow.service), h("td", null, called(flow.rule, editor))))))),
  ];
}
