"""What `show --as tree` answers, and what `--as dot` and `--as mermaid` draw: the compiled form, with the values of edges as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..language.meaning.literals import ESTABLISHED
from ..model.fields import ABSENT, FLAGS, FULL, INTERFACES, PRESENT
from ..model.interval import IntervalSet
from ..model.tree import parts
from ..policy import Policy
from .answer import Answer, Block, code, heading
from .drawings import tree_lines
from .drawn_rows import EdgeDrawn, NodeDrawn, PolicyDrawn
from .making import rule_at
from .record import Made
from .screen import visible
from .style import Style
from .verdicts import FIELD_WORDS, show_values


def drawn(policy: Policy) -> PolicyDrawn:
    """The compiled form of a policy; its nodes are put into words when they are asked for."""

    def node(number: int) -> NodeDrawn:
        return NodeDrawn(number, FIELD_WORDS[policy.tree.nodes[number].field], tuple(_edges(policy, number)))

    return PolicyDrawn(
        policy.name,
        tuple(root.node for root in policy.tree.roots),
        Made(range(len(policy.tree.nodes)), node),
        Made(range(len(policy.rules) + 1), lambda index: rule_at(policy, index)),
    )


def _edges(policy: Policy, number: int) -> Iterator[EdgeDrawn]:
    """The last one is `otherwise`: the child for packets without the field, or, of a field that every packet has, the one
    whose values take longest to say.
    """
    node = policy.tree.nodes[number]
    edges = [(_values(node.field, chosen), chosen, child) for chosen, child in parts(node, FULL[node.field])]
    absent = ABSENT.get(node.field)
    if len(edges) > 1:
        _, _, rest = max(edges, key=lambda edge: (absent in edge[1] if absent is not None else len(edge[0]), -edge[2]))
        edges.sort(key=lambda edge: edge[2] == rest)
        edges[-1] = ("otherwise", *edges[-1][1:])
    return (EdgeDrawn(text, child) for text, _, child in edges)


def _values(field: int, chosen: IntervalSet) -> str:
    """Values as text, in the language; of a field that not every packet has, those present."""
    if field in INTERFACES:
        return show_values(field, chosen)
    if field == FLAGS and chosen == ESTABLISHED:
        return "established"
    present = chosen & PRESENT[field]
    return show_values(field, present) if present else "none"


@dataclass(frozen=True)
class Drawn(Answer):
    """The trees of a policy or, of another firewall's file, of each: the lowest rule that any tree names decides."""

    command: ClassVar[str] = "show"
    rows: ClassVar[str] = "drawn"

    drawn: Sequence[PolicyDrawn]

    @classmethod
    def of(cls, policies: Sequence[Policy]) -> Drawn:
        return cls(Made(policies, drawn))

    def lines(self, style: Style) -> Iterator[str]:
        for number, one in enumerate(self.drawn):
            if len(self.drawn) > 1:
                yield from [""] * (number > 0)
                yield style(visible(one.policy), bold=True)
            yield from tree_lines(one)

    def blocks(self) -> Iterable[Block]:
        for one in self.drawn:
            yield heading(f"`{one.policy}`")
            yield code(tree_lines(one))
