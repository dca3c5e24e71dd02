"""Scattered sets of addresses -> elements of the language: values under masks, few, and none that can be read in two ways."""

from __future__ import annotations

from collections.abc import Iterator

from ...limits import current
from ...model import address
from ...model.scattered import ScatteredSet, show_masked
from .addresses import reads_inverted

_MOST = 4096  # wildcards; a set of more is listed by its ranges


def wildcards(chosen: ScatteredSet) -> list[str]:
    """The elements of an expression that means exactly this set: as wildcards, or as ranges where those are fewer.

    Raises:
        LimitError: if they are too many both ways.

    >>> from fwengine.model.scattered import masked
    >>> wildcards(masked(0x100, 0x100)), wildcards(masked(0, 1))
    (['0.0.1.0/0.0.1.0'], ['0.0.0.0/128.0.0.1', '128.0.0.0/128.0.0.1'])
    """
    cubes = chosen.cubes(_MOST)
    texts = None if cubes is None else [text for point, mask in cubes for text in _said(point, mask)]
    if texts is None or len(chosen.ranges) < min(len(texts), current().ranges):
        return address.show_set(chosen)
    return texts


def _said(point: int, mask: int) -> Iterator[str]:
    """A value under a mask; in several parts where the language would ask which way round it is meant."""
    bits, value = address.bits_of(point), address.to_value(point)
    free = (1 << bits) - 1 & ~mask
    if not free & (free + 1) or not reads_inverted(value, mask, bits):
        yield show_masked(point, mask)
        return
    if not mask & (mask + 1):  # ones at the low end alone: not so if the highest bit is compared, too
        top = 1 << bits - 1
        yield show_masked(point, mask | top)
        yield show_masked(point + top, mask | top)
        return
    # within the block of the mask's leading ones, all but what has one of the other bits that it compares
    leading = bits - free.bit_length()
    block = (1 << bits) - (1 << bits - leading)
    others = [1 << bit for bit in range(bits - leading - 1, -1, -1) if mask >> bit & 1]
    excluded = [show_masked(point + bit, block | bit) for bit in others]
    yield (
        "{ "
        + f"{show_masked(point, block)} except "
        + (excluded[0] if len(excluded) == 1 else "{ " + ", ".join(excluded) + " }")
        + " }"
    )
