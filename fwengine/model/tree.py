"""The compiled form of a policy: a reduced, ordered decision diagram, or a small forest of them.

A node cuts one field's domain into intervals; equal subtrees are stored once; each leaf names the deciding rule. The
answer of a forest is the lowest rule index over its trees. Knows points and boxes, not policies.

Sources: Gouda & Liu, "Structured firewall design", Computer Networks 51 (2007); Bryant, "Graph-based algorithms for
Boolean function manipulation", IEEE Transactions on Computers C-35 (1986).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from .box import Box, Sets
from .fields import Point
from .interval import Interval, IntervalSet


class Node(NamedTuple):
    """`children[i]` is taken by values in `[cuts[i-1], cuts[i]-1]`; a child >= 0 is a node, one < 0 the leaf of rule `~child`."""

    field: int
    cuts: tuple[int, ...]
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
                node = children[bisect_right(cuts, point[field])]
            if ~node < best:
                best = ~node
        return best

    def path(self, point: Point) -> list[list[tuple[int, Interval]]]:
        """For each tree the fields tested on the way, with the interval the packet fell into (open ends at the domain's)."""
        out = []
        for _, node in self.roots:
            steps = []
            while node >= 0:
                field, cuts, children = self.nodes[node]
                at = bisect_right(cuts, point[field])
                steps.append((field, (cuts[at - 1] if at else 0, cuts[at] - 1 if at < len(cuts) else -1)))
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
        stack = [(0, roots[0].node, sets, self.rules)]  # (tree, node, what is left of the box, best rule so far)
        while stack:
            tree, node, sets, best = stack.pop()
            if node >= 0 and lowest[node] < best:
                stack += [
                    (tree, child, (*sets[: nodes[node].field], part, *sets[nodes[node].field + 1 :]), best)
                    for part, child in reversed(parts(nodes[node], sets[nodes[node].field]))
                ]
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
        size = sum(80 + 40 + 40 + 40 * len(n.cuts) + 8 * len(n.children) for n in self.nodes)
        return Statistics(
            self.rules,
            len(self.roots),
            len(self.nodes),
            edges,
            max((depth[r.node] for r in self.roots if r.node >= 0), default=0),
            size,
        )


def parts(node: Node, within: IntervalSet) -> list[tuple[IntervalSet, int]]:
    """How a node divides a set of its field's values: for each child that gets some, all that it gets."""
    cuts, children = node.cuts, node.children
    found: dict[int, list[Interval]] = {}
    for lo, hi in within.ranges:
        at = bisect_right(cuts, lo)
        end = bisect_left(cuts, hi + 1, at)
        while at < end:
            found.setdefault(children[at], []).append((lo, cuts[at] - 1))
            lo = cuts[at]
            at += 1
        found.setdefault(children[at], []).append((lo, hi))
    if len(found) == 1:
        return [(within, child) for child in found]
    return [(IntervalSet.union(pairs), child) for child, pairs in found.items()]
