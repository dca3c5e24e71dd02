"""The second way: answers found again by other means than those that found them.

Two of them, both bounded and deterministic. *Samples*: packets from the corners of the question, of the answer and of the
rules, each decided by a loop over the rules in their order, as `decide` does it. *Totals*: the packets counted on a
tree compiled for the purpose; regions that are right and add up leave nothing out. Neither shares anything with the
searches but the boxes. A disagreement is a bug of ours: an AssertionError, also under `python -O`, and never caught.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import prod
from typing import TypeVar

from ..handed import Shown
from ..model.box import Box, Sets
from ..model.compile import compile_single
from ..model.fields import DETAILS, DPORT, DST, FIELDS, PROTOCOL, SPORT, SRC, Point
from ..model.interval import IntervalSet
from ..model.packet import Packet
from ..model.ruleset import RuleSet
from ..model.scattered import ScatteredSet
from ..model.switch import Switch
from ..model.tree import DecisionTree, divided

T = TypeVar("T")

SAMPLES = 32  # packets of the question, and as many of the answer
COUNTED = 256  # boxes that a tree made for counting may have
EDGES = 16_384  # and edges
_TRIED = 64  # boxes of rules looked at for packets of theirs
_TELLING = (DST, SRC, DPORT, PROTOCOL, *(f for f in range(FIELDS) if f not in (DST, SRC, DPORT, PROTOCOL)))
_TOLD = tuple(f for f in range(FIELDS) if f not in DETAILS)  # what a witness states whoever asks
_PARTS = 16  # parts of a question whose corners are taken


@dataclass(frozen=True)
class Confirmation:
    """How far an answer was found again in the second way.

    `complete`: for all of its packets. If it is not, that would have taken too long, and the answer was found again for
    the `points` packets that were tried one by one (as a rule they are tried for a complete one as well).
    """

    complete: bool
    points: int

    @property
    def word(self) -> str:
        """`confirmed`, or `sampled` if it is so for some packets only."""
        return "confirmed" if self.complete else "sampled"


class Answer(Shown, tuple[T, ...]):
    """Regions, a tuple of them, and how far they were confirmed; None if the question was about no packet."""

    __repr__ = tuple.__repr__

    confirmed: Confirmation | None

    def __new__(cls, found: Iterable[T], confirmed: Confirmation | None) -> Answer[T]:
        out = super().__new__(cls, found)
        out.confirmed = confirmed
        return out

    def __getnewargs__(self) -> tuple[tuple[T, ...], Confirmation | None]:
        return tuple(self), self.confirmed


class Disagreement(AssertionError):  # noqa: N818  # it is not an error of those who ask
    """Two ways of answering one question have given two answers."""


def agree(same: bool, about: object) -> None:
    """Raises Disagreement if two ways differ."""
    if not same:
        raise Disagreement(f"two ways disagree about {about}")


def decide_each(rules: RuleSet, points: Sequence[Point]) -> list[int]:
    """The index of the rule that decides each point, the number of rules for the default: as `decide`, but all at once.

    Complexity: linear in the boxes, and in the points that a box's narrower side of addresses leaves.
    """
    out = [len(rules.rules)] * len(points)
    sides = []
    for f in (SRC, DST):
        order = sorted(range(len(points)), key=lambda n: points[n][f])
        sides.append((f, order, [points[n][f] for n in order]))
    left = set(range(len(points)))
    for index, sets in rules.active_boxes:
        if not left:
            break
        few: Sequence[int] = ()
        least = len(points) + 1
        for f, order, values in sides:
            ranges = sets[f].ranges
            at, end = bisect_left(values, ranges[0][0]), bisect_right(values, ranges[-1][1])
            if end - at < least:
                few, least = order[at:end], end - at
        for n in few:
            if n in left and _holds(sets, points[n]):
                out[n] = index
                left.discard(n)
    return out


def _holds(sets: Sets, point: Point) -> bool:
    for value, chosen in zip(point, sets, strict=True):  # noqa: SIM110  # a loop takes half the time
        if value not in chosen:
            return False
    return True


def points_of(rules: RuleSet, parts: Sequence[Sets], most: int = SAMPLES) -> list[Point]:
    """Packets of some products of packets: corners of their own, then corners of what rules take of them."""
    own = [point for part in spread(parts, most // 4) for point in _corners(part)]
    some = spread(parts, _PARTS)
    taken: list[Point] = []
    for n, (_, sets) in enumerate(spread(rules.active_boxes, _TRIED) if some else ()):
        shared = _shared(some[n % len(some)], sets)
        if shared is not None:
            taken += _corners(shared)
    return list(dict.fromkeys([*spread(own, most // 2), *spread(taken, most // 2)]))


def _shared(part: Sets, sets: Sets) -> list[IntervalSet] | None:
    out = list(part)
    for f in _TELLING:
        out[f] = part[f] & sets[f]
        if not out[f].ranges:
            return None
    return out


def _corners(part: Sequence[IntervalSet]) -> Iterator[Point]:
    """The least and the greatest values, in several mixtures, and what lies in the middle."""
    for mixture in range(8):
        yield tuple([s.ranges[-1][1] if mixture >> f % 3 & 1 else s.ranges[0][0] for f, s in enumerate(part)])
    yield tuple([sum(s.ranges[len(s.ranges) // 2]) // 2 for s in part])


def located(packet: Packet) -> Point:
    """A point of a packet that leaves nothing open for which a rule asks, such as a witness."""
    point = packet.as_seen_by(_TOLD)
    assert point is not None
    return point


def spread(items: Sequence[T], most: int) -> Sequence[T]:
    """At most so many of some items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return items
    return [items[n * (len(items) - 1) // max(1, most - 1)] for n in range(most)]


def every_part(rules: RuleSet, boxes: Iterable[Box], right: Callable[[int], bool], most: int) -> tuple[int, bool]:
    """Walks the parts of some boxes on the compiled policy; how many, and whether these were all.

    Raises:
        Disagreement: at a part whose deciding rule is not `right`.
    """
    walked = 0
    parts = (found for box in boxes for found in rules.tree.regions(box))
    for part, index in islice(parts, most):
        agree(right(index), part)
        walked += 1
    return walked, next(parts, None) is None


def total(rules: RuleSet, parts: Sequence[Sets], right: Callable[[int], bool], most: int | None = None) -> int | None:
    """How many points of some disjoint products have a deciding rule that is `right`; None beyond what is cheap."""
    if not parts:
        return 0
    most = COUNTED if most is None else min(most, COUNTED)
    touching = list(islice(_touching(rules, parts), most + 1))
    if len(touching) > most or len(parts) > COUNTED:
        return None
    tree = compile_single(touching, len(rules.rules), EDGES)
    return None if tree is None else sum(_count(tree, part, right) for part in parts)


def volume(boxes: Iterable[Box]) -> int:
    """How many packets, told apart by all fields, some disjoint boxes hold."""
    return sum(prod([chosen.size for chosen in piece.sets]) for box in boxes for piece in box.pieces)


def _touching(rules: RuleSet, parts: Sequence[Sets]) -> Iterator[tuple[int, Sets]]:
    """The boxes of rules that may share a packet with some of the products: all whose hulls meet theirs."""
    hull = [
        (f, min(part[f].ranges[0][0] for part in parts), max(part[f].ranges[-1][1] for part in parts))
        for f in (DST, SRC, DPORT, SPORT, PROTOCOL)
    ]
    for index, sets in rules.active_boxes:
        for f, lo, hi in hull:
            ranges = sets[f].ranges
            if ranges[0][0] > hi or ranges[-1][1] < lo:
                break
        else:
            yield index, sets


def _count(tree: DecisionTree, part: Sets, right: Callable[[int], bool]) -> int:
    """How many points of a product end in a right leaf of a tree that tests no field twice on a path."""
    whole = prod([chosen.size for chosen in part])
    known: dict[int, int] = {}

    def count(node: int) -> int:
        # of all points of the product, with no heed to how one gets to this node
        if node < 0:
            return whole if right(~node) else 0
        if node not in known:
            at = tree.nodes[node]
            size = part[at.field].size
            shares = sum(width * count(child) for child, width in _shares(tree, node, part[at.field]))
            known[node] = shares // size  # exact: no child depends on this field
        return known[node]

    return count(tree.roots[0].node)


def _shares(tree: DecisionTree, number: int, chosen: IntervalSet) -> Iterator[tuple[int, int]]:
    """The children that some values go to, with how many."""
    node = tree.nodes[number]
    if tree.switches or isinstance(chosen, ScatteredSet):
        for part, child in divided(tree.nodes, number, chosen):
            yield child, part.size
        return
    assert not isinstance(node.cuts, Switch)
    for lo, hi in chosen.ranges:
        at = bisect_right(node.cuts, lo)
        while at < len(node.cuts) and node.cuts[at] <= hi:
            yield node.children[at], node.cuts[at] - lo
            lo = node.cuts[at]
            at += 1
        yield node.children[at], hi - lo + 1
