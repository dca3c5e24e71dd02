"""The one search under all the analyses: is there a point of a product that none of these boxes takes?

A union of boxes can cover what no single one does. The search goes top down, field by field, as the compiler does; it
remembers what turned out covered, tells boxes apart only by what is left of them, and stops at the first hole.
Exact, or a LimitError. Knows sets only, neither rules nor actions.

Sources: Gouda & Liu, "Structured firewall design", Computer Networks 51 (2007), whose construction it follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import LimitError
from ..model.box import Sets
from ..model.fields import DPORT, DST, FULL, PROTOCOL, REST, SPORT, SRC
from ..model.interval import Interval, IntervalSet

STEPS = 4_000_000  # cuts swept in one search before it gives up: some seconds
_ORDERS = (
    (PROTOCOL, DST, SRC, DPORT, SPORT, *REST),
    (DPORT, SPORT, PROTOCOL, DST, SRC, *REST),
    (PROTOCOL, SRC, DST, SPORT, DPORT, *REST),
)
_SHARES = (64, 64, 64, 8, 4, 2)  # what part of the budget each try gets: the orders twice


def relative(sets: Sets, box: Sets) -> Sets | None:
    """A box as seen from within another: no condition where it contains all of it; None if they are disjoint.

    >>> from fwengine.model.box import Box
    >>> a = Box.of({DPORT: IntervalSet.of((0, 9))}).sets
    >>> relative(a, Box.of({DPORT: IntervalSet.of((5, 99))}).sets)[DPORT].ranges
    ((5, 9),)
    """
    out = []
    for mine, other, full in zip(sets, box, FULL, strict=True):
        if other is full or mine is other or other == full:
            out.append(full)
            continue
        shared = mine & other
        if not shared.ranges:
            return None
        out.append(full if shared == mine else shared)
    return tuple(out)


def uncovered(sets: Sets, boxes: Iterable[Sets], steps: int = STEPS) -> Sets | None:
    """A nonempty part of `sets` that is disjoint from all the boxes; None if they cover it together. Exact.

    Args:
        sets: a nonempty product; for answers about packets, a piece of a box (`Box.pieces`).

    Raises:
        LimitError: beyond `steps` cuts swept.

    Complexity: at most that of compiling the boxes within `sets`; near linear for real rules.
    """
    seen: dict[Sets, None] = {}
    for box in boxes:
        part = relative(sets, box)
        if part is not None:
            if part == FULL:
                return None
            seen[part] = None
    if not seen:
        return sets
    for n, share in enumerate(_SHARES):
        try:
            return _Search(sets, list(seen), _ORDERS[n % len(_ORDERS)], steps // share).run()
        except _Spent:
            continue
    raise LimitError(f"unknown: the limit of {steps} search steps is reached")


class _Spent(Exception):  # noqa: N818  # no error, but the way out of a try
    """This try's part of the budget is used up."""


class _Search:
    """One try: the boxes' conditions in one order of fields."""

    def __init__(self, sets: Sets, boxes: Sequence[Sets], order: Sequence[int], steps: int) -> None:
        self.sets = sets
        self.left = steps
        self.used = [f for f in order if any(box[f] is not FULL[f] for box in boxes)]
        depth = len(self.used)
        # At each level a box is a *tail*: what conditions it has left. Tails are numbered from the last level up, and
        # tail 0 has none left. For each tail of a level: its intervals there (None: all), and its tail one level down.
        self.tails: list[list[tuple[tuple[Interval, ...] | None, int]]] = [[] for _ in range(depth)]
        number = [0] * len(boxes)
        for level in range(depth - 1, -1, -1):
            f = self.used[level]
            known: dict[tuple[tuple[Interval, ...] | None, int], int] = {(None, 0): 0}
            for b, box in enumerate(boxes):
                tail = (None if box[f] is FULL[f] else box[f].ranges, number[b])
                number[b] = known.setdefault(tail, len(known))
            self.tails[level] = list(known)
        self.first = frozenset(number)
        self.covered: list[set[frozenset[int]]] = [set() for _ in self.used]
        self.path: list[Interval | None] = [None] * depth

    def run(self) -> Sets | None:
        if not self._search(0, self.first):
            return None
        out = list(self.sets)
        for f, interval in zip(self.used, self.path, strict=True):
            if interval is not None:
                out[f] = IntervalSet((interval,))
        return tuple(out)

    def _search(self, level: int, active: frozenset[int]) -> bool:
        """Is there a hole? If so, `path` leads to it from this level on."""
        if not active:
            self.path[level:] = [None] * (len(self.path) - level)
            return True
        if 0 in active:
            return False
        if active in self.covered[level]:
            return False
        tails = self.tails[level]
        always: set[int] = set()
        starts: dict[int, list[int]] = {}
        ends: dict[int, list[int]] = {}
        for tail in active:
            ranges, rest = tails[tail]
            if ranges is None:
                always.add(rest)
            else:
                for lo, hi in ranges:
                    starts.setdefault(lo, []).append(rest)
                    ends.setdefault(hi + 1, []).append(rest)
        # what always holds may cover all; and if it does not, the parts where nothing else holds have the hole
        if not starts or (always and not self._search(level + 1, frozenset(always))):
            if not starts and self._search(level + 1, frozenset(always)):
                self.path[level] = None
                return True
            self.covered[level].add(active)
            return False
        domain = self.sets[self.used[level]].ranges
        begins = {lo for lo, _ in domain}
        stops = {hi + 1 for _, hi in domain}
        points = sorted({*starts, *ends, *begins, *stops})
        self.left -= len(points)
        if self.left < 0:
            raise _Spent
        counts = dict.fromkeys(always, 1)
        inside = False
        tried: set[frozenset[int]] = set()
        for at, p in enumerate(points):
            for rest in ends.get(p, ()):
                if counts[rest] == 1:
                    del counts[rest]
                else:
                    counts[rest] -= 1
            for rest in starts.get(p, ()):
                counts[rest] = counts.get(rest, 0) + 1
            if p in stops:
                inside = False
            if p in begins:
                inside = True
            if not inside or 0 in counts:
                continue
            here = frozenset(counts)
            if here not in tried:
                tried.add(here)
                if self._search(level + 1, here):
                    self.path[level] = (p, points[at + 1] - 1)
                    return True
        self.covered[level].add(active)
        return False
