"""The compiled form of a policy, for people and for drawing tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..language.meaning.literals import ESTABLISHED
from ..model.fields import (
    ABSENT,
    FLAGS,
    FULL,
    INTERFACES,
    PRESENT,
)
from ..model.interval import IntervalSet
from ..model.tree import parts
from ..policy import Policy
from .screen import visible
from .verdicts import FIELD_WORDS, show_values

MAX_TREE_LINES = 20_000
MAX_LABEL = 200  # characters of a label in a drawing


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
