"""A policy and its compiled form, for people and for drawing tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..imported import lines
from ..language.meaning.literals import ESTABLISHED
from ..model.fields import (
    ABSENT,
    DPORT,
    DST,
    FIVE,
    FLAGS,
    FULL,
    INTERFACES,
    PRESENT,
    PROTOCOL,
    SPORT,
    SRC,
)
from ..model.interval import IntervalSet
from ..model.rules import Rule
from ..model.tree import parts
from ..policy import Policy
from .screen import visible
from .style import Style
from .verdicts import FIELD_WORDS, by_way_of, show_values

_HEADS = ("#", "action", "protocol", "from", "port", "to", "port", "options", "rule")
MAX_TREE_LINES = 20_000
MAX_WORDS = 120  # characters of another firewall's line in a table
MAX_LABEL = 200  # characters of a label in a drawing


def table(policy: Policy, style: Style) -> str:
    """The rules, one a line, as they were written."""
    if policy.imported is not None:
        return _line_table(policy, style)
    rows = []
    for number, rule in enumerate(policy.rules, 1):
        words = dict(rule.written)
        options = [
            f"{FIELD_WORDS[f]} {text}" if text != "established" else text for f, text in words.items() if f not in FIVE
        ]
        options += ["log"] * rule.log
        if rule.until is not None:
            options.append(f"until {rule.until}" + ("" if policy.active(rule) else " (expired)"))
        cells = [
            words.get(PROTOCOL, "any"),
            words.get(SRC, "any"),
            words.get(SPORT, ""),
            words.get(DST, "any"),
            words.get(DPORT, ""),
        ]
        rows.append((str(number), rule.action.value, *cells, " ".join(options), visible(rule.label)))
    rows.append(("", policy.default.value, "any", "any", "", "any", "", "", "default"))
    widths = [max(len(row[i]) for row in [*rows, _HEADS]) for i in range(len(_HEADS))]
    used = [i for i in range(len(_HEADS)) if any(row[i] for row in rows)]
    out = [style("  ".join(f"{_HEADS[i]:<{widths[i]}}" for i in used).rstrip(), bold=True)]
    for row in rows:
        cells = [f"{row[i]:<{widths[i]}}" for i in used]
        at = used.index(1)
        cells[at] = style(cells[at], "green" if row[1] == "allow" else "red")
        out.append("  ".join(cells).rstrip())
    return "\n".join(out)


def _line_table(policy: Policy, style: Style) -> str:
    """What another firewall's lines come to, in the order in which it decides: each with its place and its words."""
    texts = {file: text.split("\n") for file, text in policy.sources.items()}
    rows = []
    for number, rule in enumerate(policy.rules, 1):
        words = _words(policy, rule, texts)
        short = words if len(words) <= MAX_WORDS else words[: MAX_WORDS - 1] + "…"
        place = f"{rule.span.line}{by_way_of(rule)}"
        rows.append((str(number), rule.action.value, place, visible(short)))
    rows.append(("", policy.default.value, "", "default"))
    heads = ("#", "action", "line", "words")
    widths = [max(len(row[i]) for row in [*rows, heads]) for i in range(3)]
    out = [
        style(
            "  ".join([*(f"{head:<{width}}" for head, width in zip(heads, widths, strict=False)), "words"]), bold=True
        )
    ]
    for number_, action, place, words in rows:
        hue = {"allow": "green", "deny": "red"}.get(action, "yellow")
        cells = [f"{number_:<{widths[0]}}", style(f"{action:<{widths[1]}}", hue), f"{place:<{widths[2]}}", words]
        out.append("  ".join(cells).rstrip())
    return "\n".join([*out, *_applied(policy)])


def _words(policy: Policy, rule: Rule, texts: Mapping[str, Sequence[str]]) -> str:
    """The words of a rule's line, or what the firewall does there of itself."""
    assert policy.imported is not None
    line = lines(policy.imported.document.chains).get(rule.origin.line) if rule.origin is not None else None
    if line is not None and line.implied:
        return line.text
    return " ".join(texts[rule.span.file][rule.span.line - 1].split()) if rule.span.file in texts else ""


def _applied(policy: Policy) -> Iterator[str]:
    """Where a list is applied, as far as the file says so."""
    assert policy.imported is not None
    for name, where, span in policy.imported.document.applied:
        if name == policy.imported.name:
            yield f"applied {visible(where)} (line {span.line})"


def statistics(policy: Policy) -> str:
    s = policy.tree.statistics()
    expired = sum(not policy.active(rule) for rule in policy.rules)
    rows = [
        ("rules", f"{s.rules:,}" + (f" ({expired} expired)" if expired else "")),
        ("default", policy.default.value),
        ("trees", f"{s.trees:,}"),
        ("nodes", f"{s.nodes:,}"),
        ("edges", f"{s.edges:,}" + (f" ({s.edges / s.rules:.1f} a rule)" if s.rules else "")),
        ("depth", f"{s.depth:,}"),
        ("memory", f"{s.bytes:,} bytes"),
    ]
    return "\n".join(f"{name:<8} {value}" for name, value in rows)


def _edges(policy: Policy, number: int) -> list[tuple[str, int]]:
    """For each child of a node the values that lead to it, as text.

    The last one is `otherwise`: the child for packets without the field, or, of a field that every packet has, the one
    whose values take longest to say.
    """
    node = policy.tree.nodes[number]
    edges = [(_values(node.field, chosen), chosen, child) for chosen, child in parts(node, FULL[node.field])]
    absent = ABSENT.get(node.field)
    if len(edges) > 1:
        _, _, rest = max(edges, key=lambda edge: (absent in edge[1] if absent is not None else len(edge[0]), -edge[2]))
        edges.sort(key=lambda edge: edge[2] == rest)
        edges[-1] = ("otherwise", *edges[-1][1:])
    return [(text, child) for text, _, child in edges]


def _values(field: int, chosen: IntervalSet) -> str:
    """Values as text, in the language; of a field that not every packet has, those present."""
    if field in INTERFACES:
        return show_values(field, chosen)
    if field == FLAGS and chosen == ESTABLISHED:
        return "established"
    present = chosen & PRESENT[field]
    return show_values(field, present) if present else "none"


def _leaf(policy: Policy, child: int) -> str:
    index = ~child
    return f"{policy.action(index).value} by {visible(policy.label(index))}"


def tree_text(policy: Policy) -> str:
    """The trees, indented; a subtree that was shown before is named by its number."""
    return "\n".join(_tree_lines(policy))


def _tree_lines(policy: Policy) -> Iterator[str]:
    seen: set[int] = set()
    lines = 0
    for number, root in enumerate(policy.tree.roots, 1):
        if len(policy.tree.roots) > 1:
            yield f"tree {number} of {len(policy.tree.roots)} (the first rule that any tree names decides; if none does, the default)"
        stack: list[tuple[str, str, int]] = [("", "", root.node)]
        while stack:
            indent, edge, child = stack.pop()
            lines += 1
            if lines > MAX_TREE_LINES:
                yield f"... more than {MAX_TREE_LINES:,} lines: see `--as stats`, or `--as json` for all of it"
                return
            head = f"{indent}{edge}"
            if child < 0:
                yield f"{head}{_leaf(policy, child)}"
            elif child in seen:
                yield f"{head}-> node {child}"
            else:
                seen.add(child)
                yield f"{head}[{child}] {FIELD_WORDS[policy.tree.nodes[child].field]}"
                stack += [(indent + "  ", f"{text}: ", to) for text, to in reversed(_edges(policy, child))]


def dot(policy: Policy) -> str:
    """The trees in Graphviz' language."""
    return "\n".join(
        [
            "digraph policy {",
            "  rankdir=LR;",
            '  node [shape=box, fontname="Helvetica"];',
            '  edge [fontname="Helvetica"];',
            *_graph(
                policy,
                '  n{0} [label="{1}"];',
                '  {0} [label="{1}", style=filled, fillcolor={2}];',
                '  {0} -> {1} [label="{2}"];',
                lambda text: text.replace("\\", "\\\\").replace('"', '\\"'),
            ),
            "}",
        ]
    )


def mermaid(policy: Policy) -> str:
    """The trees in Mermaid's language."""
    return "\n".join(
        [
            "flowchart LR",
            *_graph(
                policy,
                '  n{0}["{1}"]',
                '  {0}(["{1}"]):::{2}',
                '  {0} -->|"{2}"| {1}',
                lambda text: "".join(_ENTITIES.get(c, c) for c in text),
            ),
            "  classDef palegreen fill:#9f9",
            "  classDef lightpink fill:#f99",
        ]
    )


_ENTITIES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;"}


def _graph(policy: Policy, node: str, leaf: str, edge: str, quoted: Callable[[str], str]) -> Iterator[str]:
    leaves: set[int] = set()
    lines = []
    for number, n in enumerate(policy.tree.nodes):
        yield node.format(number, FIELD_WORDS[n.field])
        for text, child in _edges(policy, number):
            leaves.update([child] if child < 0 else [])
            lines.append(edge.format(f"n{number}", f"n{child}" if child >= 0 else f"r{~child}", quoted(_short(text))))
    leaves.update(root.node for root in policy.tree.roots if root.node < 0)
    for child in sorted(leaves, reverse=True):
        fill = "palegreen" if policy.action(~child).value == "allow" else "lightpink"
        yield leaf.format(f"r{~child}", quoted(_leaf(policy, child)), fill)
    yield from lines


def _short(text: str) -> str:
    return text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + "…"
