"""Do entries of a policy cover a part together? Found out by trying points, and heeding only entries that matter.

`unmatched` asks whether some entries leave a `Hole` in a part or are a `Cover` of it, `decided` what one of some takes
before any of others. Exact. Knows nothing of why it is asked.

Source: the loop is counterexample-guided refinement, after Clarke, Grumberg, Jha, Lu & Veith, CAV 2000.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

from ..model.box import Sets
from ..model.fields import FIVE, TABLE, Point
from ..model.overlap import bits
from .entries import Entries, within
from .search import uncovered
from .witness import choose


@dataclass(frozen=True)
class Hole:
    """A nonempty part of a product that none of the entries takes."""

    sets: Sets


@dataclass(frozen=True)
class Cover:
    """Entries that take all of a product together, by their numbers."""

    entries: tuple[int, ...]


def hole(entries: Entries, part: Sets, among: int) -> Sets | None:
    """A nonempty part of a product that none of the entries `among` takes; None if there is none. As `unmatched`."""
    found = unmatched(entries, part, among)
    return found.sets if isinstance(found, Hole) else None


def unmatched(entries: Entries, part: Sets, among: int) -> Hole | Cover:
    """A nonempty part of a product that none of the entries `among` takes, or entries that take all of it together.

    Few of many entries matter as a rule. So the search begins with none of them, and each point that it finds is either
    one that nothing takes or names an entry that must be heeded: the largest that takes it. Exact.

    Raises:
        LimitError: beyond the limit of steps in one search.
    """
    among = entries.overlapping(part, among)
    if not among:
        return Hole(part)
    cover = next(entries.covering(part, among), None)
    if cover is not None:
        return Cover((cover,))
    heeded: list[int] = []

    def free(point: Point) -> bool:
        return next(entries.taking_point(point, among), None) is None

    for _ in range(_ROUNDS):
        found = uncovered(part, entries.some(heeded))
        if found is None:
            return Cover(tuple(heeded))
        size = len(heeded)
        for point in samples(found, entries.interfaces):
            if any(holds(entries.sets[e], point) for e in heeded[size:]):
                continue
            taking = entries.taking_point(point, among)
            best = max(taking, key=lambda e: _volume(part, entries.sets[e]), default=None)
            if best is None:
                return Hole(around(part, realistic(found, point, entries.interfaces, free)))
            heeded.append(best)
    everything = list(bits(among))
    found = uncovered(part, entries.some(everything))
    return Cover(tuple(everything)) if found is None else Hole(found)


_ROUNDS = 24  # before all entries are heeded at once


def decided(entries: Entries, part: Sets, among: int, against: int) -> Sets | None:
    """A part of a product taken by an entry of `among` and by no earlier one of `against`; None if there is none."""
    for e in bits(entries.overlapping(part, among)):
        shared = within(part, entries.sets[e])
        if shared is not None:
            found = hole(entries, shared, against & ((1 << e) - 1))
            if found is not None:
                return found
    return None


def samples(part: Sets, interfaces: Sequence[str] = ()) -> Iterator[Point]:
    """A few points of a product: a realistic one, then those at corners and middles of its addresses and ports."""
    usual = choose(part, interfaces)
    yield usual
    for ends in _CORNERS:
        point = list(usual)
        for f, end in ends:
            point[f] = part[f].ranges[end][end]
        yield tuple(point)
    point = list(usual)
    for f in FIVE:
        lo, hi = part[f].ranges[len(part[f].ranges) // 2]
        point[f] = (lo + hi) // 2
    yield tuple(point)


def sample(part: Sets, interfaces: Sequence[str], wanted: Callable[[Point], bool]) -> Point | None:
    """A point among the samples that is wanted, as realistic as it can be."""
    for point in samples(part, interfaces):
        if wanted(point):
            return realistic(part, point, interfaces, wanted)
    return None


def realistic(part: Sets, point: Point, interfaces: Sequence[str], wanted: Callable[[Point], bool]) -> Point:
    """The wanted point with usual values in place of corners, as far as it stays wanted."""
    usual = choose(part, interfaces)
    if point != usual:
        for f in FIVE:
            for value in (usual[f], *TABLE[f].usual):  # a corner is the last resort
                trial = (*point[:f], value, *point[f + 1 :])
                if trial == point:
                    break
                if value in part[f] and wanted(trial):
                    point = trial
                    break
    return point


_CORNERS = (  # 0: the lowest value of the field, -1: the highest
    tuple((f, 0) for f in FIVE),
    tuple((f, -1) for f in FIVE),
    *(((f, end),) for f in FIVE for end in (0, -1)),
)


def holds(box: Sets, point: Point) -> bool:
    return all(value in chosen for value, chosen in zip(point, box, strict=True))


def around(part: Sets, point: Point) -> Sets:
    return tuple([type(s).single(v) for s, v in zip(part, point, strict=True)])


def _volume(part: Sets, box: Sets) -> int:
    return prod([(mine & other).size for mine, other in zip(part, box, strict=True)])
