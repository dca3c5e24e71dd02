"""Sets of addresses that are simpler than a given one and hold it: what `except` may be said of, where that is shorter than a list.

Candidates alone: whoever takes one subtracts and compares lengths. Knows no names and no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from ...model import address
from ...model.interval import Interval, IntervalSet
from ...model.scattered import ScatteredSet, diagram_of

_MOST: Final = 64  # intervals of a set that candidates are looked for
_FEW: Final = 8  # intervals that are said one by one
_WIDTHS: Final = 6  # of gaps that are tried, in each family


def around(chosen: IntervalSet) -> Iterator[IntervalSet]:
    """Sets that hold all of a set: its narrower gaps closed, and each block that is left rounded up to a prefix.

    >>> from fwengine.model.address import parse, prefix, show_set
    >>> inner = IntervalSet.of(prefix(parse("10.20.0.0"), 16))
    >>> [show_set(one) for one in around(IntervalSet.of(prefix(parse("10.0.0.0"), 8)) - inner)]
    [['10.0.0.0/8']]
    """
    if isinstance(chosen, ScatteredSet):
        yield _prefixes(chosen)
        return
    if len(chosen.ranges) > _MOST:
        return
    four, six = (list((chosen & family).ranges) for family in (address.V4, address.V6))
    widths4, widths6 = _widths(four), _widths(six)
    every = [(one, 0) for one in widths4] + [(0, one) for one in widths6[1:]]
    if len(widths6) > 1:
        every += [(one, widths6[-1]) for one in widths4[1:]]
    seen = {chosen}
    for width4, width6 in every:
        blocks = [*_closed(four, width4), *_closed(six, width6)]
        for found in (IntervalSet.union(blocks), IntervalSet.union(_rounded(lo, hi) for lo, hi in blocks)):
            if found not in seen:
                seen.add(found)
                yield found


def framed(chosen: IntervalSet) -> IntervalSet | None:
    """The prefixes around the parts of a set under masks with holes; few intervals are themselves. None if it has too many parts.

    >>> from fwengine.model.address import parse, prefix, show_set
    >>> from fwengine.model.scattered import masked
    >>> ten = IntervalSet.of(prefix(parse("10.0.0.0"), 8))
    >>> show_set(framed(ten & masked(parse("0.0.1.0"), int(parse("0.0.1.0")))))
    ['10.0.0.0/8']
    """
    if not isinstance(chosen, ScatteredSet):
        if len(chosen.ranges) <= _FEW:
            return chosen
        chosen = ScatteredSet(diagram_of(chosen))
    cubes = chosen.cubes(_MOST)
    return None if cubes is None else IntervalSet.union(_fixed(point, mask) for point, mask in cubes)


def _prefixes(chosen: IntervalSet) -> IntervalSet:
    halves = [chosen & family for family in (address.V4, address.V6)]
    return IntervalSet.union(_rounded(half.lo, half.hi) for half in halves if half)


def _fixed(point: int, mask: int) -> Interval:
    """The prefix of the bits that a mask begins with."""
    family = address.family_of(point)
    base = address.to_point(family, 0)
    bits = (~mask & (1 << (32 if family == 4 else 128)) - 1).bit_length()
    first = base + ((point - base) >> bits << bits)
    return first, first + (1 << bits) - 1


def _widths(ranges: Sequence[Interval]) -> list[int]:
    """Widths of gaps, among them 0 and the greatest."""
    found = sorted({0, *(later[0] - earlier[1] - 1 for earlier, later in pairwise(ranges))})
    if len(found) <= _WIDTHS:
        return found
    return [found[n * (len(found) - 1) // (_WIDTHS - 1)] for n in range(_WIDTHS)]


def _closed(ranges: Sequence[Interval], width: int) -> list[Interval]:
    """The same without gaps of at most a width."""
    out: list[Interval] = []
    for lo, hi in ranges:
        if out and lo - out[-1][1] - 1 <= width:
            out[-1] = out[-1][0], hi
        else:
            out.append((lo, hi))
    return out


def _rounded(lo: int, hi: int) -> Interval:
    """The smallest prefix that holds both ends, which are of one family."""
    base = address.to_point(address.family_of(lo), 0)
    bits = ((lo - base) ^ (hi - base)).bit_length()
    first = base + ((lo - base) >> bits << bits)
    return first, first + (1 << bits) - 1
