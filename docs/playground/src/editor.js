// The editor: CodeMirror in a shadow root, where its styles need no exception from the page's policy.
import { acceptCompletion, autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
import {
  EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, hoverTooltip, keymap, lineNumbers,
} from "@codemirror/view";
import { h } from "./dom.js";
import { colours, fwl } from "./language.js";

const theme = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", color: "var(--ink)", backgroundColor: "var(--paper)" },
  "&.cm-focused": { outline: "3px solid var(--link)", outlineOffset: "-3px" },
  ".cm-scroller": { fontFamily: "ui-monospace, monospace", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--soft)", color: "var(--quiet)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--active)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--chosen) !important" },
  ".cm-selectionMatch": { backgroundColor: "var(--warn-ground)" },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--soft)", color: "var(--ink)", border: "1px solid var(--edge)", maxWidth: "min(34rem, 92vw)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--chosen)", color: "var(--ink)" },
  ".cm-completionDetail": { color: "var(--quiet)" },
  ".cm-diagnosticText, .cm-told": { whiteSpace: "pre-wrap", fontSize: "13px" },
  ".cm-told": { padding: ".3rem .5rem" },
  ".cm-diagnosticAction": { backgroundColor: "var(--link)", color: "var(--paper)" },
  ".cm-specialChar": { color: "var(--deny)" },
});

// A column counts characters, an offset in the editor UTF-16 units.
function offset(doc, line, column) {
  if (line > doc.lines) return doc.length;
  const found = doc.line(Math.max(1, line));
  let units = 0;
  for (const character of found.text) {
    if (--column < 1) break;
    units += character.length;
  }
  return found.from + units;
}

function place(doc, at) {
  const line = doc.lineAt(at);
  return { line: line.number, column: [...line.text.slice(0, at - line.from)].length + 1 };
}

export class Editor {
  // asks: {changed(), hover(line, column), complete(line, column)}
  constructor(where, asks) {
    const root = where.attachShadow({ mode: "open" });
    this.language = new Compartment();
    this.asks = asks;
    this.view = new EditorView({ root, parent: root, state: this.#state("", true) });
  }

  #state(text, ours) {
    return EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(), highlightActiveLineGutter(), highlightActiveLine(), highlightSpecialChars(), history(), drawSelection(),
        highlightSelectionMatches(), lintGutter(), colours, theme, this.language.of(ours ? fwl : []),
        autocompletion({ override: [context => this.#complete(context)] }),
        hoverTooltip((view, at) => this.#hover(view, at)),
        keymap.of([{ key: "Tab", run: acceptCompletion }, ...completionKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...lintKeymap]),
        EditorView.contentAttributes.of({ "aria-label": "Policy", tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
        EditorView.updateListener.of(update => update.docChanged && this.asks.changed()),
      ],
    });
  }

  get text() {
    return this.view.state.doc.toString();
  }

  // another text, with a history of its own
  open(text, ours) {
    this.view.setState(this.#state(text, ours));
    this.asks.changed();
  }

  colour(ours) {
    if ((this.language.get(this.view.state) === fwl) !== ours) this.view.dispatch({ effects: this.language.reconfigure(ours ? fwl : []) });
  }

  mark(diagnostics) {
    const { doc } = this.view.state;
    const shown = diagnostics.filter(d => d.here).map(d => {
      const from = offset(doc, d.place.line, d.place.column);
      return {
        from,
        to: Math.max(from, offset(doc, d.place.end_line, d.place.end_column)),
        severity: d.severity,
        source: d.code,
        message: [d.message, d.label, ...d.notes, d.help && `help: ${d.help}`].filter(Boolean).join("\n"),
        actions: d.mends.map(mend => ({ name: mend.title, apply: () => this.follow(mend.edits) })),
      };
    });
    this.view.dispatch(setDiagnostics(this.view.state, shown));
  }

  follow(edits) {
    const { doc } = this.view.state;
    const all = edits.flatMap(function each(edit) {
      return [edit, ...(edit.also ?? []).flatMap(each)];
    });
    const known = new Set();
    const changes = all
      .map(({ place: p, text }) => ({ from: offset(doc, p.line, p.column), to: offset(doc, p.end_line, p.end_column), insert: text }))
      .filter(one => !known.has(JSON.stringify(one)) && known.add(JSON.stringify(one)));
    this.view.dispatch({ changes, scrollIntoView: true });
    this.view.focus();
  }

  go(line, column = 1) {
    const at = offset(this.view.state.doc, line, column);
    this.view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    this.view.focus();
  }

  async #complete(context) {
    const word = context.matchBefore(/[^\s{},=]*$/);
    if (!context.explicit && (!word || word.from === word.to)) return null;
    const at = place(context.state.doc, context.pos);
    const choices = await this.asks.complete(at.line, at.column);
    if (!choices.length) return null;
    const options = choices.map(({ text, kind, detail }) => ({ label: text, detail, type: kind === "keyword" ? "keyword" : "variable" }));
    return { from: word ? word.from : context.pos, options, validFor: /^[\w.:-]*$/ };
  }

  async #hover(view, at) {
    const { doc } = view.state;
    const here = place(doc, at);
    const found = await this.asks.hover(here.line, here.column);
    if (!found || view.state.doc !== doc) return null;
    const from = offset(doc, found.place.line, found.place.column);
    const end = Math.max(from, offset(doc, found.place.end_line, found.place.end_column));
    return { pos: from, end, above: true, create: () => ({ dom: h("div", { class: "cm-told" }, h("strong", null, found.title), "\n", found.lines.join("\n")) }) };
  }
}

