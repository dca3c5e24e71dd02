"""The compiled form of a policy: a reduced, ordered decision diagram, or a small forest of them.

A node cuts one field's domain into intervals, or switches between scattered sets of addresses; equal subtrees are stored
once; each leaf names the deciding rule. The answer of a forest is the lowest rule index over its trees. Knows points and
boxes, not policies.

Sources: Gouda & Liu, "Structured firewall design", Computer Networks 51 (2007); Bryant, "Graph-based algorithms for
Boolean function manipulation", IEEE Transactions on Computers C-35 (1986).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

from ..limits import spend
from .box import Box, Sets
from .fields import FULL, Point
from .interval import Interval, IntervalSet, together
from .scattered import ScatteredSet
from .switch import Switch

_CHUNK, _VISIT = 256, 4  # nodes visited, after which they are counted; the steps of a search that each takes


class Node(NamedTuple):
    """`children[i]` is taken by values in `[cuts[i-1], cuts[i]-1]`; a child >= 0 is a node, one < 0 the leaf of rule `~child`.

    Of a switch, `children[i]` is taken by the points that lead to its end `i`. It may stand below cuts of the same field.
    """

    field: int
    cuts: tuple[int, ...] | Switch
    children: tuple[int, ...]


class Root(NamedTuple):
    """Where a tree begins, and the lowest rule index that any of its leaves names."""

    lowest: int
    node: int


@dataclass(frozen=True)
class Statistics:
    """The size of a compiled policy: `edges` are parts of cut domains, `depth` the longest path in nodes."""

    rules: int
    trees: int
    nodes: int
    edges: int
    depth: int
    bytes: int


@dataclass(frozen=True, eq=False)
class DecisionTree:
    """A forest over shared nodes. Children come before their parents; roots stand in the order of their lowest rule."""

    nodes: tuple[Node, ...]
    roots: tuple[Root, ...]
    rules: int  # also the index that stands for the default
    lowest: tuple[int, ...]  # for each node, the lowest rule index below it
    switches: ClassVar[bool] = False  # may nodes be switches?

    @cached_property
    def fields(self) -> frozenset[int]:
        """The fields on which any verdict depends."""
        return frozenset(node.field for node in self.nodes)

    def index(self, point: Point) -> int:
        """The index of the deciding rule; the number of rules if the default decides. O(depth · log(cuts)) a tree."""
        nodes = self.nodes
        best = self.rules
        for lowest, node in self.roots:
            if lowest >= best:
                break
            while node >= 0:
                field, cuts, children = nodes[node]
                node = children[bisect_right(cuts, point[field])]  # type: ignore[arg-type]  # there is no switch
            if ~node < best:
                best = ~node
        return best

    def path(self, point: Point) -> list[list[tuple[int, IntervalSet]]]:
        """For each tree the fields tested on the way, with the values that go the same way there as the packet's."""
        out = []
        for _, node in self.roots:
            steps = []
            while node >= 0:
                field, cuts, children = self.nodes[node]
                if isinstance(cuts, Switch):
                    at = cuts.at(point[field])
                    steps.append((field, cuts.parts(FULL[field])[at]))
                else:
                    at = bisect_right(cuts, point[field])
                    end = cuts[at] - 1 if at < len(cuts) else FULL[field].hi
                    steps.append((field, IntervalSet(((cuts[at - 1] if at else 0, end),))))
                node = children[at]
            out.append(steps)
        return out

    def regions(self, box: Box) -> Iterator[tuple[Box, int]]:
        """The packets of a box as disjoint nonempty boxes, each with the index of the rule that decides all of it.

        Exact. Lazy: the search goes depth first, so that the first answers come before the last are known.
        """
        for piece in box.pieces:
            for sets, index in self._split(piece.sets):
                yield Box(sets), index

    def _split(self, sets: Sets) -> Iterator[tuple[Sets, int]]:
        nodes, lowest, roots = self.nodes, self.lowest, self.roots
        through = self.switches
        stack = [(0, roots[0].node, sets, self.rules)]  # (tree, node, what is left of the box, best rule so far)
        visited = 0
        while stack:
            visited += 1
            if not visited % _CHUNK:
                spend(_CHUNK * _VISIT)
            tree, node, sets, best = stack.pop()
            if node >= 0 and lowest[node] < best:
                f = nodes[node].field
                ways = divided(nodes, node, sets[f]) if through else parts(nodes[node], sets[f])
                stack += [(tree, child, (*sets[:f], part, *sets[f + 1 :]), best) for part, child in reversed(ways)]
                continue
            if node < 0 and ~node < best:
                best = ~node
            tree += 1
            if tree < len(roots) and roots[tree].lowest < best:
                stack.append((tree, roots[tree].node, sets, best))
            else:
                yield sets, best

    def statistics(self) -> Statistics:
        """Sizes; `bytes` counts the nodes as they lie in memory, shared small integers aside."""
        depth = [0] * len(self.nodes)
        for i, node in enumerate(self.nodes):
            depth[i] = 1 + max((depth[c] for c in node.children if c >= 0), default=0)
        edges = sum(len(node.children) for node in self.nodes)
        # a tuple's header and slots for the node, its cuts and its children; 32 bytes for each integer of a cut
        size = sum(80 + 40 + 40 + 40 * _cuts(n) + 8 * len(n.children) for n in self.nodes)
        return Statistics(
            self.rules,
            len(self.roots),
            len(self.nodes),
            edges,
            max((depth[r.node] for r in self.roots if r.node >= 0), default=0),
            size,
        )


class SwitchTree(DecisionTree):
    """A forest in which nodes may be switches."""

    switches = True

    def index(self, point: Point) -> int:
        best = self.rules
        for lowest, node in self.roots:
            if lowest >= best:
                break
            while node >= 0:
                field, cuts, children = self.nodes[node]
                value = point[field]
                node = children[cuts.at(value) if isinstance(cuts, Switch) else bisect_right(cuts, value)]
            if ~node < best:
                best = ~node
        return best


def _cuts(node: Node) -> int:
    return 4 * len(node.cuts.rows) if isinstance(node.cuts, Switch) else len(node.cuts)


def parts(node: Node, within: IntervalSet) -> list[tuple[IntervalSet, int]]:
    """How a node divides a set of its field's values: for each child that gets some, all that it gets."""
    cuts, children = node.cuts, node.children
    if isinstance(cuts, Switch):
        return [(part, children[end]) for end, part in cuts.parts(within).items()]
    ranges = within.ranges
    found: dict[int, list[Interval]] = {}
    scattered = isinstance(within, ScatteredSet)
    for lo, hi in ((within.lo, within.hi),) if scattered else ranges:
        at = bisect_right(cuts, lo)
        end = bisect_left(cuts, hi + 1, at)
        while at < end:
            found.setdefault(children[at], []).append((lo, cuts[at] - 1))
            lo = cuts[at]
            at += 1
        found.setdefault(children[at], []).append((lo, hi))
    if len(found) == 1:
        return [(within, child) for child in found]
    out = [(IntervalSet.union(pairs), child) for child, pairs in found.items()]
    if scattered:
        out = [(chosen & within, child) for chosen, child in out if not chosen.isdisjoint(within)]
    return out


def divided(nodes: Sequence[Node], number: int, within: IntervalSet) -> list[tuple[IntervalSet, int]]:
    """As `parts`, to children of other fields: also through a switch below cuts of the same field."""
    field = nodes[number].field
    found: dict[int, list[IntervalSet]] = {}
    for part, child in parts(nodes[number], within):
        if child >= 0 and nodes[child].field == field:
            for inner, below in parts(nodes[child], part):
                found.setdefault(below, []).append(inner)
        else:
            found.setdefault(child, []).append(part)
    return [(together(some), child) for child, some in found.items()]
