"""A compiled policy as an indented text, and in the languages of Graphviz and Mermaid. Made of records alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from .drawn_rows import PolicyDrawn
from .screen import visible

MAX_TREE_LINES = 20_000
_MAX_LABEL: Final = 200  # characters of a label in a drawing
_ENTITIES: Final = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;"}


def tree_lines(drawn: PolicyDrawn) -> Iterator[str]:
    """The trees, indented; a subtree that was shown before is named by its number."""
    seen: set[int] = set()
    lines = 0
    for number, root in enumerate(drawn.roots, 1):
        if len(drawn.roots) > 1:
            yield f"tree {number} of {len(drawn.roots)} (the first rule that any tree names decides; if none does, the default)"
        stack: list[tuple[str, str, int]] = [("", "", root)]
        while stack:
            indent, edge, child = stack.pop()
            lines += 1
            if lines > MAX_TREE_LINES:
                yield f"... more than {MAX_TREE_LINES:,} lines: see `--as stats`, or `--as json` for all of it"
                return
            head = f"{indent}{edge}"
            if child < 0:
                yield f"{head}{_leaf(drawn, child)}"
            elif child in seen:
                yield f"{head}-> node {child}"
            else:
                seen.add(child)
                node = drawn.nodes[child]
                yield f"{head}[{child}] {node.field}"
                stack += [(indent + "  ", f"{each.values}: ", each.child) for each in reversed(node.edges)]


def dot(drawn: PolicyDrawn) -> Iterator[str]:
    """The trees in Graphviz' language."""
    yield "digraph policy {"
    yield "  rankdir=LR;"
    yield '  node [shape=box, fontname="Helvetica"];'
    yield '  edge [fontname="Helvetica"];'
    leaf = '  {0} [label="{1}", style=filled, fillcolor={2}];'
    yield from _graph(drawn, '  n{0} [label="{1}"];', leaf, '  {0} -> {1} [label="{2}"];', _in_dot)
    yield "}"


def mermaid(drawn: PolicyDrawn) -> Iterator[str]:
    """The trees in Mermaid's language."""
    yield "flowchart LR"
    yield from _graph(drawn, '  n{0}["{1}"]', '  {0}(["{1}"]):::{2}', '  {0} -->|"{2}"| {1}', _in_mermaid)
    yield "  classDef palegreen fill:#9f9"
    yield "  classDef lightpink fill:#f99"


def _in_dot(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _in_mermaid(text: str) -> str:
    return "".join(_ENTITIES.get(c, c) for c in text)


def _graph(drawn: PolicyDrawn, node: str, leaf: str, edge: str, quoted: Callable[[str], str]) -> Iterator[str]:
    leaves = {root for root in drawn.roots if root < 0}
    lines = []
    for n in drawn.nodes:
        yield node.format(n.node, n.field)
        for each in n.edges:
            child = each.child
            leaves.update([child] if child < 0 else [])
            end = f"n{child}" if child >= 0 else f"r{~child}"
            lines.append(edge.format(f"n{n.node}", end, quoted(_short(each.values))))
    for child in sorted(leaves, reverse=True):
        fill = "palegreen" if drawn.rules[~child].action == "allow" else "lightpink"
        yield leaf.format(f"r{~child}", quoted(_leaf(drawn, child)), fill)
    yield from lines


def _leaf(drawn: PolicyDrawn, child: int) -> str:
    rule = drawn.rules[~child]
    return f"{rule.action} by {visible(rule.called)}"


def _short(text: str) -> str:
    return text if len(text) <= _MAX_LABEL else text[: _MAX_LABEL - 1] + "…"
