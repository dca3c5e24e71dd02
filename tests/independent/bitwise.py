"""The classes of numbers under conditions with masks, bit by bit from the highest.

What is left of a condition, once the first bits of a number are known, is a condition on the bits that follow. Numbers of which the
same is left have the same future, so that one of them, or the smallest and the largest, stand for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from independent.conditions import Between, Condition, Except, Masked, Not, Or

Left = bool | tuple[object, ...]  # settled, or what is left, on the bits that follow


def by_bits(conditions: Sequence[Condition], base: int, width: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """Of each class of the numbers from `base` on its smallest and its largest, and how many there are."""
    begun = tuple(_begun(condition, base, width) for condition in conditions)
    found: dict[tuple[Left, ...], tuple[int, int, int]] = {begun: (base, base, 1)}
    for bit in reversed(range(width)):
        after: dict[tuple[Left, ...], tuple[int, int, int]] = {}
        for left, (lo, hi, count) in found.items():
            for value in (0, 1):
                key = tuple(_after(one, bit, value) for one in left)
                more = value << bit
                old = after.get(key, (lo + more, hi + more, 0))
                after[key] = (min(old[0], lo + more), max(old[1], hi + more), old[2] + count)
        found = after
    for lo, hi, count in found.values():
        yield tuple({lo: 0, hi: 0}), count


def _begun(condition: Condition, base: int, width: int) -> Left:
    """What is left when no bit is known."""
    match condition:
        case Between(lo, hi):
            return _between(lo - base, hi - base, width)
        case Masked(value, mask, _, own):
            return _masked(value, mask) if own == base else False
        case Not(inner):
            return _not(_begun(inner, base, width))
        case Or(parts):
            return _any([_begun(part, base, width) for part in parts])
        case Except(inner, without):
            return _except(_begun(inner, base, width), _begun(without, base, width))
    raise AssertionError(condition)


@lru_cache(maxsize=200_000)
def _after(left: Left, bit: int, value: int) -> Left:
    """What is left when one bit more is known; `bit` bits follow it."""
    if isinstance(left, bool):
        return left
    match left:
        case ("between", int() as lo, int() as hi):
            return _between(lo - (value << bit), hi - (value << bit), bit)
        case ("masked", int() as wanted, int() as mask):
            if mask >> bit & 1 and wanted >> bit != value:
                return False
            low = (1 << bit) - 1
            return _masked(wanted & low, mask & low)
        case ("not", bool() | tuple() as inner):
            return _not(_after(inner, bit, value))
        case ("except", bool() | tuple() as inner, bool() | tuple() as without):
            return _except(_after(inner, bit, value), _after(without, bit, value))
        case ("any", frozenset() as parts):
            return _any([_after(part, bit, value) for part in parts])
    raise AssertionError(left)


def _between(lo: int, hi: int, bits: int) -> Left:
    lo, hi = max(lo, 0), min(hi, (1 << bits) - 1)
    if lo > hi:
        return False
    return True if hi - lo == (1 << bits) - 1 else ("between", lo, hi)


def _masked(value: int, mask: int) -> Left:
    return ("masked", value, mask) if mask else True


def _not(left: Left) -> Left:
    return not left if isinstance(left, bool) else ("not", left)


def _except(left: Left, without: Left) -> Left:
    if without is True or left is False:
        return False
    if without is False:
        return left
    return _not(without) if left is True else ("except", left, without)


def _any(parts: Sequence[Left]) -> Left:
    """One of several; what another holds is left out, so that equal sets are written alike more often."""
    if True in parts:
        return True
    kept = {part for part in parts if isinstance(part, tuple)}
    masks = [part for part in kept if part[0] == "masked"]
    kept -= {one for one in masks if any(other != one and _within(one, other) for other in masks)}
    if not kept:
        return False
    return next(iter(kept)) if len(kept) == 1 else ("any", frozenset(kept))


def _within(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    match one, other:
        case (_, int() as value, int() as mask), (_, int() as wide, int() as fewer):
            return mask & fewer == fewer and value & fewer == wide
    raise AssertionError((one, other))
