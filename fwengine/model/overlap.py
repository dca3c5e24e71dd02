"""Which entries of an ordered list can touch a box, or contain it: bit vectors, one lookup a field.

An entry is the box of one rule; the vectors are Python integers whose bit `n` stands for entry `n`, so precedence is the
order of bits. Answers over-approximate where an entry's set has gaps (its hull is what is indexed): callers look again.
Knows neither actions nor trees.

Source: Lakshman & Stiliadis, "High-speed policy-based packet forwarding using efficient multi-dimensional range
matching", SIGCOMM 1998.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from .box import Sets
from .fields import FIELDS, FULL, Point

_CHECKPOINTS = 512  # prefix vectors stored a field and side; those between are made from the nearest
_CACHE_BYTES = 1 << 26  # of vectors remembered, all fields together
_NONZERO = re.compile(rb"[^\0]")


def bits(vector: int) -> Iterator[int]:
    """The positions of the set bits, ascending. O(length / 8 + set bits).

    >>> list(bits(0b1010))
    [1, 3]
    """
    data = vector.to_bytes((vector.bit_length() + 7) // 8, "little")
    for found in _NONZERO.finditer(data):
        at = found.start()
        byte = data[at]
        base = at << 3
        while byte:
            low = byte & -byte
            yield base + low.bit_length() - 1
            byte ^= low


def lowest(vector: int) -> int:
    """The position of the lowest set bit; -1 if none is set."""
    return (vector & -vector).bit_length() - 1


class Overlaps:
    """Bit vectors of the entries that overlap, or contain, a product of interval sets.

    Building costs O(n log n) a field, memory `_CHECKPOINTS` · n / 4 bytes a constrained field at most; a lookup costs
    O(n / 8) bytes of big-integer arithmetic a field.
    """

    def __init__(self, entries: Sequence[Sets]) -> None:
        self.size = len(entries)
        self.all = (1 << self.size) - 1
        self._sides: list[tuple[int, _Prefixes, _Prefixes]] = []
        room = _CACHE_BYTES // (self.size // 8 + 64)
        for f in range(FIELDS):
            if any(sets[f] is not FULL[f] and sets[f] != FULL[f] for sets in entries):
                starts = _Prefixes([sets[f].ranges[0][0] for sets in entries], room // FIELDS)
                ends = _Prefixes([sets[f].ranges[-1][1] for sets in entries], room // FIELDS)
                self._sides.append((f, starts, ends))

    @property
    def fields(self) -> frozenset[int]:
        """The fields in which some entry has a condition."""
        return frozenset([f for f, _, _ in self._sides])

    def overlapping(self, sets: Sets, among: int) -> int:
        """The entries of `among` whose hulls overlap those of `sets`: a superset of those that share a point with it."""
        for f, starts, ends in self._sides:
            if sets[f] is FULL[f]:
                continue
            ranges = sets[f].ranges
            # an interval that ends before another begins also starts before it, so the difference is an xor
            among &= starts.upto(ranges[-1][1]) ^ ends.below(ranges[0][0])
            if not among:
                break
        return among

    def containing(self, sets: Sets, among: int) -> int:
        """The entries of `among` whose hulls contain those of `sets`: a superset of those that contain it."""
        for f, starts, ends in self._sides:
            ranges = sets[f].ranges
            among &= starts.upto(ranges[0][0]) & ~ends.below(ranges[-1][1])
            if not among:
                break
        return among

    def around(self, point: Point, among: int) -> int:
        """The entries of `among` whose hulls contain a point."""
        for f, starts, ends in self._sides:
            among &= starts.upto(point[f]) ^ ends.below(point[f])
            if not among:
                break
        return among


class _Prefixes:
    """For numbers given by entry: the vector of the entries whose number is at most, or below, a value."""

    def __init__(self, numbers: Sequence[int], room: int) -> None:
        self._order = sorted(range(len(numbers)), key=numbers.__getitem__)
        self._sorted = [numbers[n] for n in self._order]
        self._step = max(64, len(numbers) // _CHECKPOINTS)
        self._room = max(16, room)
        self._known: dict[int, int] = {}
        vector = bytearray(len(numbers) // 8 + 1)
        self._checkpoints = [bytes(vector)]
        for at in range(self._step, len(numbers) + 1, self._step):
            for n in self._order[at - self._step : at]:
                vector[n >> 3] |= 1 << (n & 7)
            self._checkpoints.append(bytes(vector))

    def upto(self, value: int) -> int:
        return self._first(bisect_right(self._sorted, value))

    def below(self, value: int) -> int:
        return self._first(bisect_left(self._sorted, value))

    def _first(self, count: int) -> int:
        known = self._known.get(count)
        if known is None:
            if len(self._known) >= self._room:
                self._known.clear()
            at = count // self._step
            vector = bytearray(self._checkpoints[at])
            for n in self._order[at * self._step : count]:
                vector[n >> 3] |= 1 << (n & 7)
            known = self._known[count] = int.from_bytes(vector, "little")
        return known
