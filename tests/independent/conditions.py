"""What may be asked of one field of a packet, and whether a value has it: the second implementation's smallest parts.

A value is a number; of an interface a text, or None where none is recorded. Addresses of both families are numbers on one line, IPv6
behind IPv4 (`V6`). A field that a packet lacks is asked nothing: see `meaning.matches`. Nothing here comes from the package, and
neither its language nor its model was read for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

V6 = 1 << 128  # IPv4 addresses are 0 to 2^32 - 1, IPv6 addresses V6 to 2 * V6 - 1
Value = int | str | None


@dataclass(frozen=True, slots=True)
class Between:
    """Numbers from `lo` to `hi`, both included."""

    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class Masked:
    """Numbers whose bits under `mask` are those of `value`, among the `width` bits behind `base`."""

    value: int
    mask: int
    width: int
    base: int = 0


@dataclass(frozen=True, slots=True)
class Word:
    """One interface by its name; None is "no interface recorded"."""

    name: str | None


@dataclass(frozen=True, slots=True)
class Not:
    """All values that are there and not these."""

    inner: Condition


@dataclass(frozen=True, slots=True)
class Or:
    """What any of these has."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Except:
    """What the first has and the second has not."""

    inner: Condition
    without: Condition


Condition = Between | Masked | Word | Not | Or | Except
Leaf = Between | Masked | Word


def holds(condition: Condition, value: Value) -> bool:
    """Whether a value that is there has it."""
    match condition:
        case Between(lo, hi):
            return isinstance(value, int) and lo <= value <= hi
        case Masked(wanted, mask, width, base):
            return isinstance(value, int) and base <= value < base + (1 << width) and (value - base) & mask == wanted
        case Word(name):
            return value == name
        case Not(inner):
            return value is not None and not holds(inner, value)
        case Or(parts):
            return any(holds(part, value) for part in parts)
        case Except(inner, without):
            return holds(inner, value) and not holds(without, value)


def leaves(condition: Condition) -> Iterator[Leaf]:
    """All that it is made of."""
    for part in parts_of(condition):
        if isinstance(part, Between | Masked | Word):
            yield part


def parts_of(condition: Condition) -> Iterator[Condition]:
    """It and all that stands within it."""
    yield condition
    match condition:
        case Not(inner):
            yield from parts_of(inner)
        case Or(parts):
            for part in parts:
                yield from parts_of(part)
        case Except(inner, without):
            yield from parts_of(inner)
            yield from parts_of(without)
