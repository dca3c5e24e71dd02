"""Sets of values -> the few forms that other firewalls have for them: prefixes, masks, tests of flags, names of interfaces.

Each is exact, or None where there is no such form. Knows no format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from ..model import address, scattered
from ..model.fields import NO_INTERFACE, SOME_INTERFACE, interface_name
from ..model.interval import EMPTY, IntervalSet, together
from ..model.scattered import ScatteredSet, show_masked
from .matching import IFNAMSIZ, beginning

MOST = 4096  # elements of one condition; interfaces far fewer
_INTERFACES = 64
_CUBES = 64
_PLAIN = re.compile(r"[A-Za-z0-9_.:@/-]+")


def prefixes(addresses: IntervalSet) -> list[str] | None:
    """The fewest addresses and prefixes that are a set of one family together, in order; None if they are too many.

    >>> prefixes(IntervalSet.of((address.parse("192.0.2.5"), address.parse("192.0.2.9"))))
    ['192.0.2.5', '192.0.2.6/31', '192.0.2.8/31']
    """
    out: list[str] = []
    if len(addresses.ranges) > MOST:
        return None
    for lo, hi in addresses:
        bits, base = address.bits_of(lo), address.to_point(address.family_of(lo), 0)
        at, end = lo - base, hi - base
        while at <= end:
            size = min(at & -at or 1 << bits, 1 << (end - at + 1).bit_length() - 1)
            text = address.show(base + at)
            out.append(text if size == 1 else f"{text}/{bits - size.bit_length() + 1}")
            at += size
        if len(out) > MOST:
            return None
    return out


@lru_cache(256)
def masked(addresses: IntervalSet) -> tuple[tuple[int, int], ...] | None:
    """Addresses and masks with holes that are a scattered set together, as wide as they go; None if it is none, or takes too many."""
    cubes = addresses.cubes(_CUBES) if isinstance(addresses, ScatteredSet) else None
    if cubes is None:
        return None
    wide = list(dict.fromkeys(_widened(point, mask, addresses) for point, mask in cubes))
    wide.sort(key=lambda cube: cube[1].bit_count(), reverse=True)
    kept = [_cube_set(*cube) for cube in wide]
    for at, cube in enumerate(wide):  # the narrowest first: is it needed?
        others = [some for n, some in enumerate(kept) if n != at and some]
        if others and _cube_set(*cube).issubset(together(others)):
            kept[at] = EMPTY
    return tuple(sorted(cube for cube, some in zip(wide, kept, strict=True) if some))


def _widened(point: int, mask: int, within: IntervalSet) -> tuple[int, int]:
    """A value and a mask with as few bits compared as the set allows."""
    base = address.to_point(address.family_of(point), 0)
    for bit in range(address.bits_of(point)):
        if mask >> bit & 1 and _cube_set(point, mask & ~(1 << bit)).issubset(within):
            mask &= ~(1 << bit)
    return base + ((point - base) & mask), mask


def _cube_set(point: int, mask: int) -> IntervalSet:
    return scattered.masked(point, mask)


def shown(point: int, mask: int) -> str:
    """As VALUE/MASK, or plainer where that is the same."""
    return show_masked(point, mask)


class Flags(NamedTuple):
    """Those of `mask` are looked at, and are just those of `value`; or, negated, are not."""

    mask: int
    value: int
    negated: bool = False


def flag_tests(chosen: IntervalSet) -> list[Flags]:
    """Tests, one of which holds, and only one, exactly for some bytes of flags."""
    values = frozenset(v for lo, hi in chosen for v in range(lo, hi + 1))
    for wanted, negated in ((values, False), (frozenset(range(256)) - values, True)):
        cube = _cube(wanted)
        if cube is not None:
            return [Flags(*cube, negated)]
    return [Flags(mask, value) for mask, value in _cubes(values, 0, 0, 7)]


def _cube(values: frozenset[int]) -> tuple[int, int] | None:
    if not values:
        return None
    ones, zeros = 255, 255
    for value in values:
        ones &= value
        zeros &= ~value
    mask = ones | zeros
    return (mask, ones) if len(values) == 1 << 8 - mask.bit_count() else None


def _cubes(values: frozenset[int], mask: int, value: int, bit: int) -> Iterator[tuple[int, int]]:
    """Halves, until a half is all or nothing."""
    within = [v for v in values if v & mask == value]
    if not within:
        return
    if len(within) == 1 << 8 - mask.bit_count():
        yield mask, value
        return
    for b in range(bit, -1, -1):  # a bit that tells nothing apart is not asked for
        one = {v & ~(1 << b) for v in within if v >> b & 1}
        if one == {v for v in within if not v >> b & 1}:
            continue
        for side in (0, 1 << b):
            yield from _cubes(values, mask | 1 << b, value | side, b - 1)
        return


class Interfaces(NamedTuple):
    """Names, and beginnings of names: the interface is one of them; or, negated, is none of them."""

    names: tuple[str, ...]
    beginnings: tuple[str, ...]
    negated: bool


def interfaces(chosen: IntervalSet) -> Interfaces | None:
    """A set of interfaces as names and beginnings; None if it has none, or has names that cannot be written."""
    there = chosen & SOME_INTERFACE
    tried = [(there, False), (SOME_INTERFACE - there, True)]
    found = [(taken, negated) for some, negated in tried if (taken := _named(some)) is not None]
    if not found:
        return None
    (names, beginnings), negated = min(found, key=lambda one: len(one[0][0]) + len(one[0][1]))
    return Interfaces(names, beginnings, negated)


def _named(chosen: IntervalSet) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    names: list[str] = []
    beginnings: list[str] = []
    while chosen:
        try:
            name = interface_name(chosen.lo)
        except UnicodeDecodeError:
            return None
        length = len(name.encode())
        if not _PLAIN.fullmatch(name) or length > IFNAMSIZ or len(names) + len(beginnings) >= _INTERFACES:
            return None
        all_of_them = beginning(name)
        if length < IFNAMSIZ and all_of_them.issubset(chosen):
            beginnings.append(name)
            chosen = chosen - all_of_them
        else:
            names.append(name)
            chosen = chosen - IntervalSet.single(chosen.lo)
    return tuple(names), tuple(beginnings)


ABSENT_ALONE = IntervalSet.single(NO_INTERFACE)
