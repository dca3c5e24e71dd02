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

_CHECKPOINTS = 512  # prefix vectors stored a field and side: a value between two of them is taken for the next
_FEW = 16  # entries that are looked at one by one rather than by more vectors
_NONZERO = re.compile(rb"[^\0]")


def bits(vector: int) -> Iterator[int]:
    """The positions of the set bits, ascending. O(length / 8) for each of the first few, then that and O(1) for each.

    >>> list(bits(0b1010))
    [1, 3]
    """
    for _ in range(_FEW):
        if not vector:
            return
        low = vector & -vector
        yield low.bit_length() - 1
        vector ^= low
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
    O(n / 8) bytes of big-integer arithmetic a field, until few are left.
    """

    def __init__(self, entries: Sequence[Sets]) -> None:
        self._entries = entries
        self.size = len(entries)
        self.all = (1 << self.size) - 1
        sides: list[tuple[int, _Prefixes, _Prefixes]] = []
        for f in range(FIELDS):
            if any(sets[f] is not FULL[f] and sets[f] != FULL[f] for sets in entries):
                starts = _Prefixes([sets[f].ranges[0][0] for sets in entries])
                ends = _Prefixes([sets[f].ranges[-1][1] for sets in entries])
                sides.append((f, starts, ends))
        self._sides = sorted(sides, key=lambda side: -side[1].distinct)  # what tells most entries apart is asked first
        self._constrained = [f for f, _, _ in self._sides]

    @property
    def fields(self) -> frozenset[int]:
        """The fields in which some entry has a condition."""
        return frozenset(self._constrained)

    def overlapping(self, sets: Sets, among: int) -> int:
        """The entries of `among` whose hulls overlap those of `sets`: a superset of those that share a point with it."""
        for f, starts, ends in self._sides:
            if among.bit_count() <= _FEW:
                return self._few(among, sets, 0, -1)
            if sets[f] is not FULL[f]:
                ranges = sets[f].ranges
                # an interval that ends before another begins also starts before it, so the difference is an xor
                among &= starts.upto(ranges[-1][1]) ^ ends.below(ranges[0][0])
        return among

    def containing(self, sets: Sets, among: int) -> int:
        """The entries of `among` whose hulls contain those of `sets`: a superset of those that contain it."""
        for f, starts, ends in self._sides:
            if among.bit_count() <= _FEW:
                return self._few(among, sets, -1, 0)
            ranges = sets[f].ranges
            among &= starts.upto(ranges[0][0])
            among ^= among & ends.below(ranges[-1][1])
        return among

    def around(self, point: Point, among: int) -> int:
        """The entries of `among` whose hulls contain a point."""
        for f, starts, ends in self._sides:
            if among.bit_count() <= _FEW:
                break
            among &= starts.upto(point[f]) ^ ends.below(point[f])
        return among

    def _few(self, among: int, sets: Sets, low: int, high: int) -> int:
        """Those of a few entries whose hulls end at or behind one end of `sets`, and start at or before the other."""
        out = among
        for e in bits(among):
            mine = self._entries[e]
            for f in self._constrained:
                ranges, own = sets[f].ranges, mine[f].ranges
                if own[-1][1] < ranges[low][low] or own[0][0] > ranges[high][high]:
                    out ^= 1 << e
                    break
        return out


class _Prefixes:
    """For numbers given by entry: a vector of those whose number is at most a value, with no more than a few above it.

    And one of those below a value that lacks no more than a few. Exact where there are no more than `_CHECKPOINTS` numbers
    of different value.
    """

    def __init__(self, numbers: Sequence[int]) -> None:
        order = sorted(range(len(numbers)), key=numbers.__getitem__)
        self._sorted = [numbers[n] for n in order]
        ends = [at for at in range(1, len(order)) if self._sorted[at - 1] != self._sorted[at]]
        self.distinct = len(ends) + 1
        ends = [*ends[:: max(1, -(-len(ends) // _CHECKPOINTS))], len(order)]
        vector = bytearray(len(numbers) // 8 + 1)
        self._counts, self._vectors, done = [0], [0], 0
        for end in ends:
            for n in order[done:end]:
                vector[n >> 3] |= 1 << (n & 7)
            done = end
            self._counts.append(end)
            self._vectors.append(int.from_bytes(vector, "little"))

    def upto(self, value: int) -> int:
        """All whose number is at most the value, and perhaps some that are above it."""
        return self._vectors[bisect_left(self._counts, bisect_right(self._sorted, value))]

    def below(self, value: int) -> int:
        """None but those whose number is below the value, perhaps not all."""
        return self._vectors[bisect_right(self._counts, bisect_left(self._sorted, value)) - 1]
