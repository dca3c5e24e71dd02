"""The one search under all the analyses: is there a point of a box whose *first match* in a sequence is a wanted one?

A sequence is an ordered list of boxes, each wanted or not, and what holds where none matches. Reachability is the
sequence "earlier rules: no; else: yes", redundancy "earlier rules: no; later rules: those of the other action". The search
goes top down, field by field, as the compiler does, remembers what has failed, drops what can no longer matter, and
stops at the first point. Exact, or a LimitError. Knows sets only, neither rules nor actions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..box import Sets
from ..errors import LimitError
from ..header import CODE, DPORT, DST, FIELDS, FLAGS, FRAGMENT, FULL, IN, OUT, PROTOCOL, SPORT, SRC, STATE, TYPE
from ..interval import Interval, IntervalSet

Entry = tuple[Sets, bool]  # a box, and whether a point that it takes is wanted

STEPS = 4_000_000  # cuts swept in one search before it gives up: some seconds
_REST = (TYPE, CODE, FLAGS, FRAGMENT, IN, OUT, STATE)
_ORDERS = (
    (PROTOCOL, DST, SRC, DPORT, SPORT, *_REST),
    (DPORT, SPORT, PROTOCOL, DST, SRC, *_REST),
    (PROTOCOL, SRC, DST, SPORT, DPORT, *_REST),
)
_SHARES = (64, 64, 64, 8, 4, 2)  # what part of the budget each try gets: the orders twice


def relative(sets: Sets, box: Sets) -> Sets | None:
    """A box as seen from within another: no condition where it contains all of it; None if they are disjoint.

    >>> from ..box import Box
    >>> a = Box.of({DPORT: IntervalSet.of((0, 9))}).sets
    >>> relative(a, Box.of({DPORT: IntervalSet.of((5, 99))}).sets)[DPORT].ranges
    ((5, 9),)
    """
    out = []
    for mine, other, full in zip(sets, box, FULL, strict=True):
        if other is full or other == full or mine is other:
            out.append(full)
            continue
        shared = mine & other
        if not shared.ranges:
            return None
        out.append(full if shared == mine else shared)
    return tuple(out)


def find(sets: Sets, sequence: Iterable[Entry], otherwise: bool, steps: int = STEPS) -> Sets | None:
    """A nonempty part of `sets` all of whose points are taken first by a wanted entry (by none: if `otherwise`).

    Args:
        sets: a nonempty product; for answers about packets, a piece of a box (`Box.pieces`).
        sequence: entries in the order of precedence.

    Returns:
        None if there is no such point. Exact.

    Raises:
        LimitError: beyond `steps` cuts swept.

    Complexity: that of compiling the entries within `sets`, less what the first answer saves.
    """
    active: list[tuple[Sets, bool]] = []
    for box, wanted in sequence:
        seen = relative(sets, box)
        if seen is None:
            continue
        if seen == FULL:
            otherwise = wanted
            break
        active.append((seen, wanted))
    while active and active[-1][1] == otherwise:
        active.pop()
    if not active:
        return sets if otherwise else None
    for n, share in enumerate(_SHARES):
        try:
            return _Search(sets, active, _ORDERS[n % len(_ORDERS)], steps // share).run(otherwise)
        except _Spent:
            continue
    raise LimitError(f"unknown: the search limit of {steps} steps is reached")


class _Spent(Exception):
    """This try's part of the budget is used up."""


class _Search:
    """One try: the entries' conditions in one order of fields."""

    def __init__(self, sets: Sets, entries: Sequence[Entry], order: Sequence[int], steps: int) -> None:
        self.sets = sets
        self.left = steps
        self.wanted = [wanted for _, wanted in entries]
        self.used = [f for f in order if any(box[f] is not FULL[f] for box, _ in entries)]
        self.ranges: list[list[tuple[Interval, ...] | None]] = [
            [None if box[f] is FULL[f] else box[f].ranges for box, _ in entries] for f in self.used
        ]
        # whole[e]: the first level from which on entry e has no more conditions
        self.whole = [
            1 + max(level for level, ranges in enumerate(self.ranges) if ranges[e] is not None) for e in range(len(entries))
        ]
        self.failed: list[set[tuple[bool, tuple[int, ...]]]] = [set() for _ in self.used]
        self.path: list[Interval | None] = [None] * len(self.used)

    def run(self, otherwise: bool) -> Sets | None:
        if not self._search(0, tuple(range(len(self.wanted))), otherwise):
            return None
        out = list(self.sets)
        for f, interval in zip(self.used, self.path, strict=True):
            if interval is not None:
                out[f] = self.sets[f] & IntervalSet((interval,))
        return tuple(out)

    def _search(self, level: int, active: tuple[int, ...], otherwise: bool) -> bool:
        whole, wanted = self.whole, self.wanted
        for n, e in enumerate(active):
            if whole[e] <= level:  # it takes all that is left: nothing behind it can matter
                active, otherwise = active[:n], wanted[e]
                break
        n = len(active)
        while n and wanted[active[n - 1]] == otherwise:
            n -= 1
        if not n:
            self.path[level:] = [None] * (len(self.path) - level)
            return otherwise
        active = active[:n]
        key = (otherwise, active)
        if key in self.failed[level]:
            return False
        ranges = self.ranges[level]
        here: set[int] = set()
        starts: dict[int, list[int]] = {}
        ends: dict[int, list[int]] = {}
        for e in active:
            mine = ranges[e]
            if mine is None:
                here.add(e)
            else:
                for lo, hi in mine:
                    starts.setdefault(lo, []).append(e)
                    ends.setdefault(hi + 1, []).append(e)
        if not starts:
            if self._search(level + 1, active, otherwise):
                self.path[level] = None
                return True
            self.failed[level].add(key)
            return False
        domain = self.sets[self.used[level]].ranges
        begins = {lo for lo, _ in domain}
        stops = {hi + 1 for _, hi in domain}
        points = sorted({*starts, *ends, *begins, *stops})
        self.left -= len(points)
        if self.left < 0:
            raise _Spent
        inside = False
        tried: set[tuple[int, ...]] = set()
        for at, p in enumerate(points):
            if p in ends:
                here.difference_update(ends[p])
            if p in starts:
                here.update(starts[p])
            if p in stops:
                inside = False
            if p in begins:
                inside = True
            if not inside:
                continue
            rest = tuple(sorted(here))
            if rest in tried:
                continue
            tried.add(rest)
            if self._search(level + 1, rest, otherwise):
                self.path[level] = (p, points[at + 1] - 1)
                return True
        self.failed[level].add(key)
        return False


assert FIELDS == len(_ORDERS[0])
