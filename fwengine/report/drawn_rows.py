"""The records of which the drawings of a compiled policy are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .record import Record, RuleRecord


@dataclass(frozen=True)
class EdgeDrawn(Record):
    """From a node to a child, for values of the node's field in the language, or `otherwise`.

    A child of 0 or more is a node, one below is the leaf of the rule numbered `-1 - child`.
    """

    values: str
    child: int


@dataclass(frozen=True)
class NodeDrawn(Record):
    """A node, and which values of its field lead where."""

    node: int
    field: str
    edges: tuple[EdgeDrawn, ...]


@dataclass(frozen=True)
class PolicyDrawn(Record):
    """The trees of a policy: where each begins, their nodes, and the rules that leaves name, the default last."""

    policy: str
    roots: tuple[int, ...]
    nodes: Sequence[NodeDrawn]
    rules: Sequence[RuleRecord]
