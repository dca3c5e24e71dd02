"""Sets of packets as lists of boxes: made disjoint, complemented, restricted by a sequence, and tidied for people.

Everything here is exact and meant relative to the packets (`box.SHAPES`). Knows neither rules nor policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..box import Box, Sets, merge
from ..compile import compile_entries
from ..errors import LimitError
from ..header import FULL
from .search import relative

REGIONS = 200_000  # boxes that one answer may take before they are merged

EVERYTHING = Box(FULL)


def pieces_of(boxes: Iterable[Box]) -> list[Sets]:
    """The pieces of the boxes, as products of sets; those of different boxes may overlap."""
    return [piece.sets for box in boxes for piece in box.pieces]


def disjoint(boxes: Iterable[Box], limit: int = REGIONS) -> list[Sets]:
    """The packets of a union as disjoint nonempty products, all of whose points are packets.

    Raises:
        LimitError: if it takes more than `limit` products.

    >>> len(disjoint([EVERYTHING, EVERYTHING]))
    10
    """
    out: list[Sets] = []
    for piece in pieces_of(boxes):
        if out:
            out += [sets for sets, tag in restricted(piece, [(done, 0) for done in out], 1, limit) if tag]
        else:
            out.append(piece)
        check_limit(len(out), limit)
    return out


def complement(boxes: Iterable[Box], limit: int = REGIONS) -> list[Box]:
    """The packets in none of the boxes, as disjoint boxes.

    Raises:
        LimitError: if it takes more than `limit` boxes.

    >>> complement([EVERYTHING])
    []
    """
    taken = [(box.sets, 0) for box in boxes]
    return [
        Box(sets) for piece in EVERYTHING.pieces for sets, tag in restricted(piece.sets, taken, 1, limit) if tag
    ]


def restricted(
    sets: Sets, sequence: Iterable[tuple[Sets, int]], otherwise: int, limit: int = REGIONS
) -> Iterator[tuple[Sets, int]]:
    """The points of a product as disjoint products, each with the tag of the entry that takes all of it first.

    Args:
        sets: a nonempty product all of whose points are packets: a piece of a box.
        sequence: boxes in the order of precedence, with tags that never decrease.
        otherwise: the tag of what no entry takes; above all others.

    Raises:
        LimitError: after `limit` products.

    Complexity: compiling the entries within `sets`, and the products given.
    """
    entries: list[tuple[int, Sets]] = []
    for box, tag in sequence:
        seen = relative(sets, box)
        if seen is not None:
            entries.append((tag, seen))
            if seen == FULL:
                break
    while entries and entries[-1][0] == otherwise:
        entries.pop()
    if not entries:
        yield sets, otherwise
        return
    if entries[0][1] == FULL:
        yield sets, entries[0][0]
        return
    for count, (box, tag) in enumerate(compile_entries(entries, otherwise).regions(Box(sets))):
        check_limit(count, limit)
        yield box.sets, tag


def check_limit(count: int, limit: int) -> None:
    """Raises LimitError if an answer has grown beyond its limit."""
    if count > limit:
        raise LimitError(f"unknown: the answer takes more than {limit} regions, which is its limit")


def tidy(boxes: Sequence[Box]) -> list[Box]:
    """The same packets in few boxes with few conditions, widest first; disjoint if those given are.

    Complexity: O(n log n) a round, and the rounds that bring the number down.

    >>> tidy(EVERYTHING.pieces) == [EVERYTHING]
    True
    """
    out = list(boxes)
    before = -1
    while len(out) != before:
        before = len(out)
        out = merge(box.plain() for box in out)
    return sorted((box.plain() for box in out), key=lambda box: (-box.size, _order(box)))


def _order(box: Box) -> tuple[tuple[tuple[int, int], ...], ...]:
    return tuple([chosen.ranges for chosen in box.sets])
