// What is wrong, what was found, and what the policy expects of itself: lists that follow the text.
import { $, counted, fill, h } from "./dom.js";

const MOST = 200; // of a list

export const line = (place, here, go) =>
  here ? h("button", { type: "button", class: "link", onclick: () => go(place.line, place.column ?? 1) }, `line ${place.line}`) : `${place.file}:${place.line}`;

export function listed(items, one) {
  const more = items.length - MOST;
  return [h("ul", null, items.slice(0, MOST).map(one)), more > 0 && h("p", { class: "note" }, `and ${counted(more, "more")}`)];
}

// editor: {go, follow}
export function showFindings(diagnostics, limited, editor, lookFurther) {
  const counts = ["error", "warning", "info"].map(severity => [diagnostics.filter(d => d.severity === severity).length, severity]);
  $("findings-count").textContent = counts.filter(([count]) => count).map(([count, word]) => (word === "info" ? `${count} info` : counted(count, word))).join(", ") || "none";
  fill(
    $("findings"),
    listed(diagnostics, d =>
      h("li", { class: `finding ${d.severity}` },
        h("p", { class: "head" }, h("span", { class: "badge" }, `${d.severity} ${d.code}`), " ", line(d.place, d.here, editor.go)),
        h("p", null, d.message, d.label && d.severity === "error" && `: ${d.label}`),
        d.notes.map(note => h("p", { class: "note" }, note)),
        d.help && h("p", { class: "note" }, `help: ${d.help}`),
        d.mends.length > 0 && h("p", { class: "mends" }, d.mends.map(mend => h("button", { type: "button", onclick: () => editor.follow(mend.edits) }, mend.title))),
      )),
    limited && h("p", null, h("button", { type: "button", onclick: lookFurther }, "Look for everything, however long it takes")),
  );
}

export function showExpectations(results, editor, askPacket, lookFurther) {
  const failed = results.filter(one => !one.unknown && !one.passed).length;
  const unknown = results.filter(one => one.unknown).length;
  const told = [`${results.length - failed - unknown} of ${results.length} hold`, unknown && `${unknown} unknown`].filter(Boolean);
  $("expectations-count").textContent = results.length ? told.join(", ") : "none: write `expect deny tcp from any to any port telnet`";
  const shown = one => {
    const head = h("p", null, line(one.place, one.here, editor.go), " ", one.expectation && h("code", null, one.expectation));
    if (one.unknown) return h("li", { class: "outcome" }, head, h("p", { class: "note" }, one.unknown));
    if (one.passed) return h("li", { class: "outcome holds" }, h("span", { class: "mark act" }, "holds "), head);
    const found = one.counterexample;
    return h("li", { class: "outcome fails" },
      h("span", { class: "mark act" }, "fails "), head,
      h("p", null, `got ${one.got}`),
      found && h("p", null, h("code", null, found.packet), " ", h("button", { type: "button", class: "link", onclick: () => askPacket(found.packet) }, "ask why")));
  };
  const failing = results.filter(one => one.unknown || !one.passed);
  const holding = results.filter(one => !one.unknown && one.passed);
  fill(
    $("expectations"),
    failing.length > 0 && listed(failing, shown),
    holding.length > 0 && h("details", null, h("summary", null, `${holding.length} that ${holding.length === 1 ? "holds" : "hold"}`), listed(holding, shown)),
    unknown > 0 && h("p", null, h("button", { type: "button", onclick: lookFurther }, "Prove them all, however long it takes")),
  );
}
