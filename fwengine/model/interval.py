"""Canonical sets of integers, as sorted closed intervals.

Knows nothing of packets. The representation is that of rust-lang's `regex-syntax` (`hir/interval.rs`): because it is
canonical, `==` is equality of sets and `hash` agrees with it. Every operation is linear in the number of intervals; `&`,
`isdisjoint` and `issubset` take the logarithm of it, and what is copied, where one side is a single interval.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Interval = tuple[int, int]

INTERVALS = 64  # a scattered set (see there) has more


@dataclass(frozen=True, slots=True, repr=False)
class IntervalSet:
    """A finite set of integers.

    >>> ports = IntervalSet.of((80, 80), (443, 443), (1024, 2000), (2001, 65535))
    >>> ports.ranges
    ((80, 80), (443, 443), (1024, 65535))
    >>> 443 in ports, 444 in ports, ports.size
    (True, False, 64514)
    >>> ports
    <IntervalSet 80, 443, 1024-65535>
    """

    # INVARIANT: lo <= hi in each pair; sorted; disjoint and never adjacent (a gap of at least one between neighbours).
    ranges: tuple[Interval, ...] = ()

    @staticmethod
    def of(*pairs: Interval) -> IntervalSet:
        """The union of closed intervals given in any order, overlapping or not. O(n log n)."""
        return IntervalSet.union(pairs)

    @staticmethod
    def single(value: int) -> IntervalSet:
        return IntervalSet(((value, value),))

    @staticmethod
    def union(pairs: Iterable[Interval]) -> IntervalSet:
        """As `of`, from an iterable. Raises ValueError if an interval is reversed."""
        out: list[Interval] = []
        for lo, hi in sorted(pairs):
            if lo > hi:
                raise ValueError(f"reversed interval {lo}-{hi}")
            if out and lo <= out[-1][1] + 1:
                if hi > out[-1][1]:
                    out[-1] = (out[-1][0], hi)
            else:
                out.append((lo, hi))
        return IntervalSet(tuple(out))

    def __hash__(self) -> int:
        ranges = self.ranges
        if len(ranges) <= INTERVALS:
            return hash((ranges,))
        return hash((len(ranges), ranges[0][0], ranges[-1][1]))  # what a scattered set that is equal knows, too

    def __repr__(self) -> str:
        """The first ranges, and how many more there are; what has many digits as powers of two, or in hexadecimal."""
        shown = [_brief(lo) if lo == hi else f"{_brief(lo)}-{_brief(hi)}" for lo, hi in self.ranges[:_SHOWN]]
        more = len(self.ranges) - len(shown)
        words = ", ".join(shown) or "of nothing"
        return f"<IntervalSet {words}{f' and {more:,} more ranges' if more else ''}>"

    def __contains__(self, value: int) -> bool:
        ranges = self.ranges
        if len(ranges) == 1:  # by far the most common shape
            return ranges[0][0] <= value <= ranges[0][1]
        at = bisect_right(ranges, value, key=_lo)
        return at > 0 and value <= ranges[at - 1][1]

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __iter__(self) -> Iterator[Interval]:
        return iter(self.ranges)

    def __or__(self, other: IntervalSet) -> IntervalSet:
        if not self.ranges or self == other:
            return other
        if not other.ranges:
            return self
        return IntervalSet.union(self.ranges + other.ranges)

    def __and__(self, other: IntervalSet) -> IntervalSet:
        a, b = self.ranges, other.ranges
        if a is b:
            return self
        if len(a) == 1 and len(b) == 1:
            lo, hi = max(a[0][0], b[0][0]), min(a[0][1], b[0][1])
            return IntervalSet(((lo, hi),)) if lo <= hi else EMPTY
        if not a or not b or a[-1][1] < b[0][0] or b[-1][1] < a[0][0]:
            return EMPTY
        if len(a) == 1:
            return other._within(*a[0])
        if len(b) == 1:
            return self._within(*b[0])
        if a == b:
            return self
        out: list[Interval] = []
        i = j = 0
        many, more = len(a), len(b)
        (lo, hi), (low, high) = a[0], b[0]
        while True:
            if hi < high:
                if hi >= low:
                    out.append((lo if lo > low else low, hi))
                i += 1
                if i == many:
                    break
                lo, hi = a[i]
            else:
                if high >= lo:
                    out.append((lo if lo > low else low, high))
                j += 1
                if j == more:
                    break
                low, high = b[j]
        return IntervalSet(tuple(out)) if out else EMPTY

    def _within(self, lo: int, hi: int) -> IntervalSet:
        """What lies between two numbers: itself if all of it does. O(log n) and what is copied."""
        a = self.ranges
        if lo <= a[0][0] and a[-1][1] <= hi:
            return self
        first = bisect_left(a, lo, key=_hi)
        last = bisect_right(a, hi, key=_lo)
        if first >= last:
            return EMPTY
        out = list(a[first:last])
        out[0] = (max(lo, out[0][0]), out[0][1])
        out[-1] = (out[-1][0], min(hi, out[-1][1]))
        return IntervalSet(tuple(out))

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        b = other.ranges
        if not self.ranges or not b or self.ranges[-1][1] < b[0][0] or b[-1][1] < self.ranges[0][0]:
            return self
        out: list[Interval] = []
        j = 0
        for lo, hi in self.ranges:
            while j < len(b) and b[j][1] < lo:
                j += 1
            k = j
            while k < len(b) and b[k][0] <= hi:
                if b[k][0] > lo:
                    out.append((lo, b[k][0] - 1))
                lo = b[k][1] + 1
                k += 1
            if lo <= hi:
                out.append((lo, hi))
        return IntervalSet(tuple(out)) if out else EMPTY

    def isdisjoint(self, other: IntervalSet) -> bool:
        a, b = self.ranges, other.ranges
        if not a or not b or a[-1][1] < b[0][0] or b[-1][1] < a[0][0]:
            return True
        if b.__class__ is not tuple:
            return other.isdisjoint(self)
        if len(a) == 1 or len(b) == 1:
            (lo, hi), rest = (a[0], b) if len(a) == 1 else (b[0], a)
            return bisect_left(rest, lo, key=_hi) >= bisect_right(rest, hi, key=_lo)
        i = j = 0
        while i < len(a) and j < len(b):
            if a[i][1] < b[j][0]:
                i += 1
            elif b[j][1] < a[i][0]:
                j += 1
            else:
                return False
        return True

    def issubset(self, other: IntervalSet) -> bool:
        a, b = self.ranges, other.ranges
        if a is b or not a:
            return True
        if not b or a[0][0] < b[0][0] or b[-1][1] < a[-1][1]:
            return False
        if len(b) == 1:
            return True
        if b.__class__ is not tuple:
            return other.issuperset(self)
        if len(a) == 1:
            return a[0][1] <= b[bisect_right(b, a[0][0], key=_lo) - 1][1]
        j = 0
        for lo, hi in a:
            while b[j][1] < lo:  # the last of them does not
                j += 1
            if not (b[j][0] <= lo and hi <= b[j][1]):
                return False
        return True

    def issuperset(self, other: IntervalSet) -> bool:
        return other.issubset(self)

    @property
    def size(self) -> int:
        """How many integers; a `len()` would overflow on an IPv6 prefix."""
        if len(self.ranges) == 1:
            return self.ranges[0][1] - self.ranges[0][0] + 1
        return sum(hi - lo + 1 for lo, hi in self.ranges)

    @property
    def lo(self) -> int:
        """The least element; IndexError if there is none."""
        return self.ranges[0][0]

    @property
    def hi(self) -> int:
        """The greatest element; IndexError if there is none."""
        return self.ranges[-1][1]


_SHOWN = 4  # ranges in a `repr`


def _brief(number: int) -> str:
    """A number in a few characters: exact, unless it has more than forty hexadecimal digits, of which the first stand there."""
    if number < 1 << 64:
        return str(number)
    for offset in (0, 1):
        if (number + offset).bit_count() == 1:
            return f"2^{(number + offset).bit_length() - 1}{'-1' if offset else ''}"
    digits = f"{number:x}"
    return f"0x{digits}" if len(digits) <= 40 else f"0x{digits[:8]}…({len(digits)} digits)"


def together(sets: Sequence[IntervalSet]) -> IntervalSet:
    """The union of sets, all of them at once. O(n log n) in their intervals; of scattered ones by halves."""
    if all([type(some) is IntervalSet for some in sets]):  # noqa: C419  # half the time of a generator
        return IntervalSet.union([pair for some in sets for pair in some.ranges])
    middle = len(sets) // 2
    return together(sets[:middle]) | together(sets[middle:]) if middle else sets[0]


def _lo(pair: Interval) -> int:
    return pair[0]


def _hi(pair: Interval) -> int:
    return pair[1]


EMPTY = IntervalSet()
