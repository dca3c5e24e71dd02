// Colours of the language: what a word is by itself. The keywords are those of the grammar, put in by the build.
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import words from "words";

const STATEMENTS = new Set(["net", "ports", "service", "interface", "default", "include", "expect"]);
const VALUES = new Set(["any", "none", "ipv4", "ipv6", "tcp", "udp", "icmp", "icmpv6", "sctp", "dccp", "udplite", "gre", "esp", "ah"]);
const KEYWORDS = new Set(words);
const NUMBER = /^(\d[\d./:-]*|[0-9a-f]*:[0-9a-f:.]*(\/\d+)?)$/i;

function kind(word) {
  if (word === "allow" || word === "deny") return word;
  if (STATEMENTS.has(word)) return "statement";
  if (KEYWORDS.has(word)) return "keyword";
  if (VALUES.has(word)) return "atom";
  return NUMBER.test(word) ? "number" : "variableName";
}

export const fwl = StreamLanguage.define({
  name: "fwl",
  languageData: { commentTokens: { line: "#" } },
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/#.*/)) return "comment";
    if (stream.match(/"(?:[^"\\]|\\.)*"?/)) return "string";
    if (stream.match(/->|>=|<=|!=|==|[<>={},]/)) return "operator";
    const word = stream.match(/[^\s{},#"=<>!]+/);
    if (word) return kind(word[0]);
    stream.next();
    return null;
  },
  tokenTable: { allow: tags.inserted, deny: tags.deleted, statement: tags.definitionKeyword },
});

export const colours = syntaxHighlighting(HighlightStyle.define([
  { tag: tags.inserted, color: "var(--allow)", fontWeight: "700" },
  { tag: tags.deleted, color: "var(--deny)", fontWeight: "700" },
  { tag: tags.definitionKeyword, color: "var(--word)", fontWeight: "700" },
  { tag: tags.keyword, color: "var(--word)" },
  { tag: [tags.number, tags.string, tags.atom], color: "var(--number)" },
  { tag: tags.comment, color: "var(--comment)", fontStyle: "italic" },
]));
