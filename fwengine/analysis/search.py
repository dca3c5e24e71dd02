"""The one search under all the analyses: is there a point of a product that none of these boxes takes?

A union of boxes can cover what no single one does. The search goes top down, field by field, as the compiler does; it
remembers what turned out covered, tells boxes apart only by what is left of them, and stops at the first hole.
Exact, or a LimitError. Knows sets only, neither rules nor actions.

Sources: Gouda & Liu, "Structured firewall design", Computer Networks 51 (2007), whose construction it follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..limits import current, reached, spend
from ..model.box import Sets
from ..model.diagram import Diagram
from ..model.fields import ADDRESSES, DPORT, DST, FULL, PROTOCOL, REST, SPORT, SRC
from ..model.interval import Interval, IntervalSet
from ..model.scattered import Ranges, ScatteredSet, root_of
from ..model.switch import Switch, SwitchTooLargeError, switch

_ORDERS = (
    (PROTOCOL, DST, SRC, DPORT, SPORT, *REST),
    (DPORT, SPORT, PROTOCOL, DST, SRC, *REST),
    (PROTOCOL, SRC, DST, SPORT, DPORT, *REST),
)
_DOMAIN = -1  # in the place of a tail: where the search is
_LIGHT = 16  # boxes that hold at one cut, and take as long as another
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


def uncovered(sets: Sets, boxes: Iterable[Sets]) -> Sets | None:
    """A nonempty part of `sets` that is disjoint from all the boxes; None if they cover it together. Exact.

    Args:
        sets: a nonempty product; for answers about packets, a piece of a box (`Box.pieces`).

    Raises:
        LimitError: beyond the limit of steps: cuts swept.

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
    most = current().steps
    for n, share in enumerate(_SHARES):
        try:
            return _Search(sets, list(seen), _ORDERS[n % len(_ORDERS)], most // share).run()
        except _Spent:
            continue
    raise reached("steps")


class _Spent(Exception):  # noqa: N818  # no error, but the way out of a try
    """This try's part of the budget is used up."""


class _Search:
    """One try: the boxes' conditions in one order of fields."""

    def __init__(self, sets: Sets, boxes: Sequence[Sets], order: Sequence[int], steps: int) -> None:
        self.sets = sets
        self.left = self.steps = steps
        self.used = [f for f in order if any(box[f] is not FULL[f] for box in boxes)]
        depth = len(self.used)
        # At each level a box is a *tail*: what conditions it has left. Tails are numbered from the last level up, and
        # tail 0 has none left. For each tail of a level: its intervals there (None: all), and its tail one level down.
        # Of a scattered set the hull is swept; `scattered` has the diagrams, by level and tail, the domain's under -1.
        self.tails: list[list[tuple[tuple[Interval, ...] | None, int]]] = [[] for _ in range(depth)]
        self.scattered: list[dict[int, Diagram]] = [{} for _ in range(depth)]
        self.switches: dict[tuple[int, tuple[int, ...]], tuple[Switch, list[tuple[int, ...]]]] = {}
        number = [0] * len(boxes)
        for level in range(depth - 1, -1, -1):
            f = self.used[level]
            known: dict[tuple[tuple[Interval, ...] | None, int], int] = {(None, 0): 0}
            for b, box in enumerate(boxes):
                tail = (None if box[f] is FULL[f] else box[f].ranges, number[b])
                number[b] = known.setdefault(tail, len(known))
            self.tails[level] = list(known)
            if f in ADDRESSES:
                self._note_scattered(level, f)
        self.first = frozenset(number)
        self.covered: list[set[frozenset[int]]] = [set() for _ in self.used]
        self.path: list[Interval | IntervalSet | None] = [None] * depth

    def _note_scattered(self, level: int, f: int) -> None:
        tails, found = self.tails[level], self.scattered[level]
        kinds: set[type] = {type(ranges) for ranges, _ in tails}
        if Ranges not in kinds and type(self.sets[f]) is IntervalSet:
            return
        for tail, (ranges, rest) in enumerate(tails):
            root = None if ranges is None else root_of(ranges)
            if ranges is not None and root is not None:
                tails[tail] = ((ranges[0][0], ranges[-1][1]),), rest
                found[tail] = root
        domain = self.sets[f]
        if isinstance(domain, ScatteredSet):
            found[_DOMAIN] = domain.root

    def run(self) -> Sets | None:
        try:
            found = self._search(0, self.first)
        finally:
            spend(self.steps - max(self.left, 0))
        if not found:
            return None
        out = list(self.sets)
        for f, interval in zip(self.used, self.path, strict=True):
            if interval is not None:
                out[f] = interval if isinstance(interval, IntervalSet) else IntervalSet((interval,))
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
        if self.scattered[level]:
            return self._search_scattered(level, active)
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
        weight = 0
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
            weight += len(here)
            if here not in tried:
                tried.add(here)
                if self._search(level + 1, here):
                    self.path[level] = (p, points[at + 1] - 1)
                    return True
                self.left -= weight // _LIGHT
                weight = 0
        self.left -= weight // _LIGHT
        self.covered[level].add(active)
        return False

    def _search_scattered(self, level: int, active: frozenset[int]) -> bool:
        """As `_search`, where sets are scattered: what the hulls leave open is told by a switch."""
        tails, diagrams = self.tails[level], self.scattered[level]
        always = frozenset([tails[tail][1] for tail in active if tails[tail][0] is None])
        if always and not self._search(level + 1, always):
            self.covered[level].add(active)
            return False
        spread = _DOMAIN in diagrams
        domain = self.sets[self.used[level]]
        inside = IntervalSet(((domain.lo, domain.hi),)) if spread else domain
        turns: dict[int, set[int]] = {}  # where which tails begin or end to hold
        for tail in active:
            for lo, hi in tails[tail][0] or ():
                for at in (lo, hi + 1):
                    turns.setdefault(at, set()).symmetric_difference_update((tail,))
        for lo, hi in inside.ranges:
            turns.setdefault(lo, set())
            turns.setdefault(hi + 1, set())
        points = sorted(turns)
        self.left -= len(points)
        here: set[int] = set()
        tried: set[frozenset[int]] = set()
        for n, at in enumerate(points[:-1]):
            here ^= turns[at]
            if at not in inside:
                continue
            segment = at, points[n + 1] - 1
            certain = always | {tails[tail][1] for tail in here if tail not in diagrams}
            if 0 in certain:
                continue
            open_ = tuple(sorted(tail for tail in here if tail in diagrams))
            if not open_ and not spread:
                if certain not in tried:
                    tried.add(certain)
                    if self._search(level + 1, certain):
                        self.path[level] = segment
                        return True
                continue
            choice, ends = self._switch(level, (_DOMAIN, *open_) if spread else open_)
            for end in sorted(choice.reached(*segment)):
                holding = set(ends[end])
                if spread and _DOMAIN not in holding:
                    continue
                rests = certain | {tails[tail][1] for tail in holding if tail != _DOMAIN}
                if 0 in rests or rests in tried:
                    continue
                tried.add(rests)
                if self._search(level + 1, rests):
                    self.path[level] = choice.parts(IntervalSet((segment,)))[end]
                    return True
        self.covered[level].add(active)
        return False

    def _switch(self, level: int, open_: tuple[int, ...]) -> tuple[Switch, list[tuple[int, ...]]]:
        """A switch between scattered sets, each of its ends with the tails that hold there."""
        known = self.switches.get((level, open_))
        if known is None:
            tails, diagrams = self.tails[level], self.scattered[level]
            final = [tail != _DOMAIN and tails[tail][1] == 0 for tail in open_]
            try:
                choice, ends, steps = switch([diagrams[tail] for tail in open_], final, max(self.left, 0))
            except SwitchTooLargeError:
                raise _Spent from None
            known = self.switches[level, open_] = choice, [tuple([open_[k] for k in end]) for end in ends]
            self.left -= steps
        self.left -= len(known[0].rows)
        if self.left < 0:
            raise _Spent
        return known
