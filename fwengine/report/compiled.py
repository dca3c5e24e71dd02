"""A policy and its compiled form, for people and for drawing tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..header import FRAGMENT, FULL, PRESENT, PROTOCOL
from ..interval import IntervalSet
from ..language.region import readable, show_box
from ..policy import Policy
from ..tree import parts
from .style import Style
from .verdicts import FIELD_WORDS, show_values

_HEADS = ("#", "action", "protocol", "from", "port", "to", "port", "options", "rule")
MAX_TREE_LINES = 20_000


def table(policy: Policy, style: Style) -> str:
    """The rules, one a line, as they were written."""
    rows = []
    for number, rule in enumerate(policy.rules, 1):
        words = dict(rule.written)
        options = [f"{FIELD_WORDS[f]} {text}" if text != "established" else text for f, text in words.items() if f > 4]
        options += ["log"] * rule.log
        if rule.until is not None:
            options.append(f"until {rule.until}" + ("" if policy.active(rule) else " (expired)"))
        cells = [
            words.get(PROTOCOL, "any"),
            words.get(1, "any"),
            words.get(3, ""),
            words.get(2, "any"),
            words.get(4, ""),
        ]
        rows.append((str(number), rule.action.value, *cells, " ".join(options), rule.label))
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
    """For each child of a node the values that lead to it, as text."""
    node = policy.tree.nodes[number]
    return [(_values(node.field, chosen), child) for chosen, child in parts(node, FULL[node.field])]


def _values(field: int, chosen: IntervalSet) -> str:
    outside = FULL[field] - chosen
    present = chosen & PRESENT[field]
    if chosen == FULL[field]:
        return "any"
    if (field != FRAGMENT and len(outside.ranges) < len(chosen.ranges)) or (field in (9, 10) and present != chosen):
        return "otherwise" if len(outside.ranges) > 3 else f"not {show_values(field, outside)}"
    if field not in (9, 10) and present != chosen:  # absence falls in with some values
        return f"{show_values(field, present)} or none" if present else "none"
    return show_values(field, chosen)


def _leaf(policy: Policy, child: int) -> str:
    index = ~child
    return f"{policy.action(index).value} by {policy.label(index)}"


def tree_text(policy: Policy) -> str:
    """The trees, indented; a subtree that was shown before is named by its number."""
    return "\n".join(_tree_lines(policy))


def _tree_lines(policy: Policy) -> Iterator[str]:
    seen: set[int] = set()
    lines = 0
    for number, root in enumerate(policy.tree.roots, 1):
        if len(policy.tree.roots) > 1:
            yield f"tree {number} of {len(policy.tree.roots)} (the lowest rule over all trees decides)"
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
    out = [
        "digraph policy {",
        "  rankdir=LR;",
        '  node [shape=box, fontname="Helvetica"];',
        '  edge [fontname="Helvetica"];',
    ]
    for line in _graph(
        policy,
        '  n{0} [label="{1}"];',
        '  {0} [label="{1}", style=filled, fillcolor={2}];',
        '  {0} -> {1} [label="{2}"];',
    ):
        out.append(line)
    return "\n".join([*out, "}"])


def mermaid(policy: Policy) -> str:
    """The trees in Mermaid's language."""
    out = ["flowchart LR"]
    out += _graph(policy, '  n{0}["{1}"]', '  {0}(["{1}"]):::{2}', '  {0} -->|"{2}"| {1}')
    return "\n".join([*out, "  classDef palegreen fill:#9f9", "  classDef lightpink fill:#f99"])


def _graph(policy: Policy, node: str, leaf: str, edge: str) -> Iterator[str]:
    def quoted(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', "'")

    leaves: set[int] = set()
    lines = []
    for number, n in enumerate(policy.tree.nodes):
        yield node.format(number, FIELD_WORDS[n.field])
        for text, child in _edges(policy, number):
            leaves.update([child] if child < 0 else [])
            lines.append(edge.format(f"n{number}", f"n{child}" if child >= 0 else f"r{~child}", quoted(text)))
    leaves.update(root.node for root in policy.tree.roots if root.node < 0)
    for child in sorted(leaves, reverse=True):
        fill = "palegreen" if policy.action(~child).value == "allow" else "lightpink"
        yield leaf.format(f"r{~child}", quoted(_leaf(policy, child)), fill)
    yield from lines


def tree_json(policy: Policy) -> dict[str, Any]:
    """The policy and its trees: rules with their regions, nodes with cuts and children, leaves as rule numbers below 0."""
    s = policy.tree.statistics()
    return {
        "default": policy.default.value,
        "rules": [
            {
                "rule": r.label,
                "action": r.action.value,
                "file": r.span.file,
                "line": r.span.line,
                "active": policy.active(r),
                "until": str(r.until) if r.until else None,
                "log": r.log,
                "regions": [show_box(b) for b in readable(r.boxes)],
            }
            for r in policy.rules
        ],
        "statistics": {
            "rules": s.rules,
            "trees": s.trees,
            "nodes": s.nodes,
            "edges": s.edges,
            "depth": s.depth,
            "bytes": s.bytes,
        },
        "roots": [root.node for root in policy.tree.roots],
        "nodes": [
            {
                "field": FIELD_WORDS[n.field],
                "cuts": [str(c) if c > 1 << 53 else c for c in n.cuts],
                "children": list(n.children),
            }
            for n in policy.tree.nodes
        ],
    }
