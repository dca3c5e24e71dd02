"""What `show --as json` answers: a policy and its trees, whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ..language.meaning.region import show_addresses
from ..model import address
from ..model.fields import DST, FULL, INTERFACES, SRC
from ..model.switch import Switch
from ..model.tree import Node
from ..policy import Policy
from ..sources.foreign import Imported
from .answer import Answer
from .making import region_of, rule_at
from .record import Act, Place, Record, RegionRecord, RuleRecord, Size, act
from .verdicts import FIELD_WORDS


@dataclass(frozen=True)
class RuleShown(Record):
    """A rule and what it matches; `active`: it has not expired."""

    rule: RuleRecord
    active: bool
    until: str | None
    log: bool
    regions: tuple[RegionRecord, ...]


@dataclass(frozen=True)
class Statistics(Record):
    """The size of the compiled form; bytes are an estimate."""

    rules: int
    trees: int
    nodes: int
    edges: int
    depth: int
    bytes: Size

    @classmethod
    def of(cls, policy: Policy) -> Statistics:
        s = policy.tree.statistics()
        return cls(s.rules, s.trees, s.nodes, s.edges, s.depth, s.bytes)


@dataclass(frozen=True)
class NodeShown(Record):
    """A node cuts its field's values before each of `cuts`: `children[i]` is for those from `cuts[i-1]` on and below `cuts[i]`.

    A child of 0 or more is a node, one below is the leaf of the rule numbered `-1 - child`, the default being behind the last
    rule. Cuts of addresses are addresses, IPv4 before IPv6; of interfaces their names' bytes as a number, in decimal digits.
    Where addresses are too scattered for cuts, a node has `parts` in their place, a set of addresses for each child; it may
    stand below cuts of the same field.
    """

    field: str
    cuts: tuple[int | str, ...]
    parts: tuple[str, ...]
    children: tuple[int, ...]


@dataclass(frozen=True)
class Applied(Record):
    """Where another firewall's list is used, as its file says."""

    where: str
    place: Place


@dataclass(frozen=True)
class Shown(Answer):
    """The policy and its trees; the lowest rule over all roots decides. `format` is that of another firewall, null for the language."""

    command: ClassVar[str] = "show"
    rows: ClassVar[str] = "rules"

    policy: str
    format: str | None
    applied: tuple[Applied, ...]
    default: Act
    rules: tuple[RuleShown, ...]
    statistics: Statistics
    roots: tuple[int, ...]
    nodes: tuple[NodeShown, ...]

    @classmethod
    def of(cls, policy: Policy) -> Shown:
        imported = policy.imported
        return cls(
            policy.name,
            imported.document.format if imported is not None else None,
            tuple(_applied(imported)) if imported is not None else (),
            act(policy.default),
            tuple(
                RuleShown(
                    rule_at(policy, index),
                    policy.active(rule),
                    str(rule.until) if rule.until else None,
                    rule.log,
                    tuple(map(region_of, rule.boxes)),
                )
                for index, rule in enumerate(policy.rules)
            ),
            Statistics.of(policy),
            tuple(root.node for root in policy.tree.roots),
            tuple(NodeShown(FIELD_WORDS[n.field], *_choice(n), tuple(n.children)) for n in policy.tree.nodes),
        )


def _applied(imported: Imported) -> Iterator[Applied]:
    for name, where, span in imported.document.applied:
        if name == imported.name:
            yield Applied(where, Place.of(span))


def _choice(node: Node) -> tuple[tuple[int | str, ...], tuple[str, ...]]:
    """The cuts of a node, or the parts."""
    if not isinstance(node.cuts, Switch):
        return tuple([_cut(node.field, cut) for cut in node.cuts]), ()
    found = node.cuts.parts(FULL[node.field])
    return (), tuple([show_addresses(found[end]) for end in range(len(node.children))])


def _cut(field: int, value: int) -> int | str:
    if field in (SRC, DST):
        return address.show(value)
    return str(value) if field in INTERFACES else value
