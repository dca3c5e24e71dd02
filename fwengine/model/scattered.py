"""Sets of addresses too scattered for a list of intervals, such as all odd addresses: the same operations on diagrams.

`ScatteredSet` is an `IntervalSet` to whoever asks for sets; `==` and `hash` are about sets, whichever form they have. Its
`ranges` is a view: the ends, the number and single intervals are cheap; whoever goes through all of them does so within a
limit. What needs every interval of a set that may be scattered should ask for something else: `together`, `element`, `near`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, cast

from ..limits import current, reached
from . import diagram
from .address import V6_BASE, bits_of, family_of, show, to_point, to_value
from .diagram import FALSE, Diagram
from .interval import EMPTY, INTERVALS, Interval, IntervalSet

FAMILY_BIT = 128  # of a point: below it are the bits of the address
_MANY = 4096  # intervals, of which a diagram would be large


class ScatteredSet(IntervalSet):
    """A set of more than `INTERVALS` intervals of addresses, under a diagram.

    >>> odd = masked(1, 1)
    >>> odd.size == 1 << 31, 3 in odd, 4 in odd, odd.isdisjoint(masked(0, 1)), (odd | masked(0, 1)).ranges
    (True, True, False, True, ((0, 4294967295),))
    """

    __slots__ = ("root",)

    # INVARIANT: bit 128 tells the family, the bits below are the address; of IPv4 nothing depends on bits from 32 on
    root: Diagram

    def __init__(self, root: Diagram) -> None:
        object.__setattr__(self, "root", root)

    def __reduce__(self) -> tuple[Callable[[Diagram], IntervalSet], tuple[Diagram]]:
        return of_diagram, (self.root,)

    @property
    def ranges(self) -> tuple[Interval, ...]:  # a view that does what such a tuple would
        return cast("tuple[Interval, ...]", Ranges(self.root))

    def __repr__(self) -> str:
        return f"<ScatteredSet of {_runs(self.root)} ranges>"

    def __contains__(self, value: int) -> bool:
        four, six = diagram.halves(self.root, FAMILY_BIT)
        return diagram.holds(four, value) if value < V6_BASE else diagram.holds(six, value - V6_BASE)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Interval]:
        return iter(Ranges(self.root))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ScatteredSet):
            return self.root is other.root
        if not isinstance(other, IntervalSet):
            return NotImplemented
        return len(other.ranges) == _runs(self.root) and self.root is _root(other)

    def __hash__(self) -> int:
        return hash((_runs(self.root), self.lo, self.hi))  # as that of intervals: see there

    def __and__(self, other: IntervalSet) -> IntervalSet:
        plain = _plain(self, other)
        return plain & other if plain is not None else of_diagram(diagram.both(self.root, _root(other)))

    def __rand__(self, other: IntervalSet) -> IntervalSet:
        return self & other

    def __or__(self, other: IntervalSet) -> IntervalSet:
        plain = _plain(self, other)
        return plain | other if plain is not None else of_diagram(diagram.either(self.root, _root(other)))

    def __ror__(self, other: IntervalSet) -> IntervalSet:
        return self | other

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        plain = _plain(self, other)
        if plain is not None:
            return plain - other
        return of_diagram(diagram.both(self.root, diagram.negate(_root(other))))

    def __rsub__(self, other: IntervalSet) -> IntervalSet:
        plain = _plain(self, other)
        if plain is not None:
            return other - plain
        return of_diagram(diagram.both(_root(other), diagram.negate(self.root)))

    def isdisjoint(self, other: IntervalSet) -> bool:
        plain = _plain(self, other)
        return plain.isdisjoint(other) if plain is not None else not diagram.meet(self.root, _root(other))

    def issubset(self, other: IntervalSet) -> bool:
        plain = _plain(self, other)
        return plain.issubset(other) if plain is not None else not diagram.meet(self.root, _root(other), outside=True)

    def issuperset(self, other: IntervalSet) -> bool:
        plain = _plain(self, other)
        return other.issubset(plain) if plain is not None else not diagram.meet(_root(other), self.root, outside=True)

    @property
    def size(self) -> int:
        return sum(diagram.measure(half, bits)[0] for half, bits, _ in _parts(self.root))

    @property
    def lo(self) -> int:
        return self.element(0)

    @property
    def hi(self) -> int:
        return self.element(self.size - 1)

    def element(self, number: int) -> int:
        """The element with this number, the least being 0."""
        (four, _, _), (six, _, _) = _parts(self.root)
        below = diagram.measure(four, 32)[0]
        if number < below:
            return diagram.element(four, 32, number)
        return V6_BASE + diagram.element(six, 128, number - below)

    def near(self, point: int) -> int:
        """An element that has the leading bits of an address; of the other family if there is none of its own."""
        (four, _, _), (six, _, _) = _parts(self.root)
        if six is FALSE or (point < V6_BASE and four is not FALSE):
            return diagram.near(four, 32, to_value(point))
        return V6_BASE + diagram.near(six, 128, to_value(point))

    def cubes(self, most: int) -> list[tuple[int, int]] | None:
        """Addresses and masks, as `masked` takes them, that are it together; None if it takes more than `most`."""
        out: list[tuple[int, int]] = []
        for half, _, base in _parts(self.root):
            found = diagram.cubes(half, most - len(out))
            if found is None:
                return None
            out += [(base + value, mask) for value, mask in sorted(found)]
        return out


class Ranges(Sequence[Interval]):
    """The intervals of a scattered set, as a tuple of them would be; `len` is at most what Python can count.

    To go through them raises LimitError, before the first, if they are more than the limit `ranges`.
    """

    __slots__ = ("root",)

    def __init__(self, root: Diagram) -> None:
        self.root = root

    def __len__(self) -> int:
        return min(_runs(self.root), sys.maxsize)

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return tuple(self[n] for n in range(*at.indices(len(self))))
        number = at + _runs(self.root) if at < 0 else at
        if not 0 <= number < _runs(self.root):
            raise IndexError(at)
        return _run(self.root, number)

    def __iter__(self) -> Iterator[Interval]:
        if _runs(self.root) > current().ranges:
            raise reached("ranges", "intervals of a set of addresses")
        out: Interval | None = None
        for half, bits, base in _parts(self.root):
            for lo, hi in diagram.runs(half, bits, base):
                if out is not None and out[1] + 1 == lo:
                    out = out[0], hi
                    continue
                if out is not None:
                    yield out
                out = lo, hi
        if out is not None:
            yield out

    def __eq__(self, other: object) -> bool:
        return self.root is other.root if isinstance(other, Ranges) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.root)

    def _order(self) -> tuple[Interval, Interval, int]:
        return self[0], self[-1], _runs(self.root)

    def __lt__(self, other: Any) -> bool:  # any order will do, as long as it is one and the same for each run
        return self._order() < (other._order() if isinstance(other, Ranges) else (other[0], other[-1], len(other)))

    def __gt__(self, other: Any) -> bool:
        return self._order() > (other._order() if isinstance(other, Ranges) else (other[0], other[-1], len(other)))


def masked(point: int, mask: int) -> IntervalSet:
    """The addresses that agree with an address wherever the mask has a one bit; the mask may have holes.

    >>> masked(0x0A000100, 0xFFFFFFFE).ranges == ((0x0A000100, 0x0A000101),)
    True
    >>> masked(0x0A000000, 0xFF00FF00).size
    65536
    """
    bits = bits_of(point)
    made = diagram.cube(to_value(point), mask & (1 << bits) - 1, bits)
    return of_diagram(_joined(made, FALSE) if bits == 32 else _joined(FALSE, made))


def show_masked(point: int, mask: int) -> str:
    """The plainest spelling: as an address or a prefix where the mask allows it, else as VALUE/MASK."""
    bits = bits_of(point)
    free = (1 << bits) - 1 & ~mask
    if not free:
        return show(point)
    if not free & (free + 1):
        return f"{show(point)}/{bits - free.bit_length()}"
    return f"{show(point)}/{show(to_point(family_of(point), mask))}"


def of_diagram(root: Diagram) -> IntervalSet:
    """The set of a diagram of points: with its intervals listed if they are few."""
    if root is FALSE:
        return EMPTY
    return IntervalSet(tuple(Ranges(root))) if _runs(root) <= INTERVALS else ScatteredSet(root)


def root_of(ranges: Sequence[Interval]) -> Diagram | None:
    """The diagram of the set with these ranges if it is a scattered one; None if it is not."""
    return ranges.root if isinstance(ranges, Ranges) else None


def diagram_of(chosen: IntervalSet) -> Diagram:
    """The diagram of a set of addresses."""
    return _root(chosen)


def _joined(four: Diagram, six: Diagram) -> Diagram:
    return diagram.node(FAMILY_BIT, four, six)


def _parts(root: Diagram) -> tuple[tuple[Diagram, int, int], tuple[Diagram, int, int]]:
    """IPv4 and IPv6: the diagram, its bits, and the point at which it begins."""
    four, six = diagram.halves(root, FAMILY_BIT)
    return (four, 32, 0), (six, 128, V6_BASE)


@lru_cache(1 << 12)
def _runs(root: Diagram) -> int:
    (four, _, _), (six, _, _) = _parts(root)
    (_, many, _, last), (_, more, first, _) = diagram.measure(four, 32), diagram.measure(six, 128)
    return many + more - (last and first)  # the last of IPv4 and the first of IPv6 are neighbours


@lru_cache(1 << 14)  # the first and the last are asked for again and again
def _run(root: Diagram, number: int) -> Interval:
    (four, _, _), (six, _, _) = _parts(root)
    _, many, _, last = diagram.measure(four, 32)
    if number < many:
        lo = diagram.start(four, 32, number)
    else:
        lo = V6_BASE + diagram.start(six, 128, number - many, last)
    return lo, _end(root, lo)


def _end(root: Diagram, lo: int) -> int:
    """Where the interval that begins there ends."""
    (four, _, _), (six, _, _) = _parts(root)
    if lo < V6_BASE:
        stop = diagram.upward(four, 32, lo, wanted=False)
        if stop is not None:
            return stop - 1
        lo = V6_BASE
    stop = diagram.upward(six, 128, lo - V6_BASE, wanted=False)
    return V6_BASE + (1 << 128 if stop is None else stop) - 1


def _root(chosen: IntervalSet) -> Diagram:
    if isinstance(chosen, ScatteredSet):
        return chosen.root
    return _of_ranges(chosen.ranges)


@lru_cache(1 << 12)
def _of_ranges(ranges: tuple[Interval, ...]) -> Diagram:
    four = [(lo, min(hi, V6_BASE - 1)) for lo, hi in ranges if lo < V6_BASE]
    six = [(max(lo - V6_BASE, 0), hi - V6_BASE) for lo, hi in ranges if hi >= V6_BASE]
    return _joined(diagram.of_ranges(four, 32), diagram.of_ranges(six, 128))


def _plain(chosen: ScatteredSet, other: IntervalSet) -> IntervalSet | None:
    """The set with its intervals listed, where the other has so many that a diagram of them would be the larger thing."""
    if isinstance(other, ScatteredSet) or len(other.ranges) <= _MANY or _runs(chosen.root) > current().ranges:
        return None
    return _listed(chosen.root)


@lru_cache(64)
def _listed(root: Diagram) -> IntervalSet:
    return IntervalSet(tuple(Ranges(root)))
