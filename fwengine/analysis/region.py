"""Sets of packets as lists of boxes: made disjoint, complemented, restricted by a sequence, and tidied for people.

Everything here is exact and meant relative to the packets (`box.SHAPES`). Knows neither rules nor policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from ..limits import current, reached
from ..model.box import HEADERS, SHAPES, WIDENED, Box, Sets, merge
from ..model.compile import compile_entries
from ..model.fields import FRAGMENT, FULL, LATER, PROTOCOL, TABLE
from ..model.interval import IntervalSet, together
from .search import relative

EVERYTHING = Box(FULL)


def pieces_of(boxes: Iterable[Box]) -> list[Sets]:
    """The pieces of the boxes, as products of sets; those of different boxes may overlap."""
    return [piece.sets for box in boxes for piece in box.pieces]


def disjoint(boxes: Iterable[Box]) -> list[Sets]:
    """The packets of a union as disjoint nonempty products, all of whose points are packets.

    Raises:
        LimitError: if it takes more regions than the limit allows.

    >>> len(disjoint([EVERYTHING, EVERYTHING]))
    10
    """
    out: list[Sets] = []
    for piece in pieces_of(boxes):
        if out:
            out += list(difference(piece, out))
        else:
            out.append(piece)
        check_limit(len(out))
    return out


def complement(boxes: Iterable[Box]) -> list[Box]:
    """The packets in none of the boxes, as disjoint boxes.

    Raises:
        LimitError: if it takes more regions than the limit allows.

    >>> complement([EVERYTHING])
    []
    """
    taken = [box.sets for box in boxes]
    return [Box(sets) for piece in EVERYTHING.pieces for sets in difference(piece.sets, taken)]


def difference(sets: Sets, boxes: Iterable[Sets]) -> Iterator[Sets]:
    """The points of a product that none of the boxes takes, as disjoint products; lazily.

    Args:
        sets: a nonempty product all of whose points are packets: a piece of a box.

    Raises:
        LimitError: after more products than the limit of regions allows, or 8 times as many visited.

    Complexity: compiling the boxes within `sets`, and the products visited.
    """
    taken: list[tuple[int, Sets]] = []
    for other in boxes:
        seen = relative(sets, other)
        if seen is not None:
            if seen == FULL:
                return
            taken.append((0, seen))
    if not taken:
        yield sets
        return
    given = 0
    for visited, (box, tag) in enumerate(compile_entries(taken, 1).regions(Box(sets))):
        check_limit(visited // 8)
        if tag:
            given += 1
            check_limit(given)
            yield box.sets


def check_limit(count: int) -> None:
    """Raises LimitError if an answer has grown beyond the limit of regions."""
    if count > current().regions:
        raise reached("regions")


def tidy(boxes: Sequence[Box]) -> list[Box]:
    """The same packets in few boxes with few conditions, widest first; disjoint if those given are.

    Complexity: O(n log n) a round, and the rounds that bring the number down.

    >>> tidy(EVERYTHING.pieces) == [EVERYTHING]
    True
    """
    out = list(boxes)
    if len(out) == 1:
        return [plain(out[0])]
    for widened in (_BUT_ADDRESSES, WIDENED):  # addresses last: what shares its family still joins then
        before = -1
        while len(out) != before:
            before = len(out)
            out = _joined([_plain(box, widened) for box in out])
    return sorted(out, key=lambda box: (-box.flows, _order(box)))


def _joined(boxes: list[Box]) -> list[Box]:
    return merge(boxes) if len(boxes) > 1 else boxes


def plain(box: Box) -> Box:
    """The same packets with no condition where none is needed, as `Box.plain`, but faster.

    Conditions on addresses go last: `type echo-request` is kept rather than the family that it implies, and not the
    other way round.
    """
    return _plain(box, WIDENED)


def _plain(box: Box, widened: tuple[int, ...]) -> Box:
    # Widening one field leaves the others as they are. So it adds no packet exactly if the field already has all that
    # each shape allows there whose other fields the box meets.
    sets = list(box.sets)
    pieces = -1 if all(sets) else 0
    for f in _CONSTRAINED:
        pieces &= _relation(f, sets[f])[0]
    if not pieces:
        return box
    for f in _CONSTRAINED:
        sets[f] = _kept(f, sets[f], pieces)
    met, inside = {}, {}
    for f in _CONSTRAINED:
        met[f], inside[f] = _relation(f, sets[f])
    protocols = sets[PROTOCOL] | HEADERS
    if len(protocols.ranges) < len(sets[PROTOCOL].ranges):  # IPv6's headers, where all around them are
        others = _relation(PROTOCOL, protocols - sets[PROTOCOL])[0]
        for g in WIDENED:
            others &= met[g]
        if not others:
            sets[PROTOCOL] = protocols
            met[PROTOCOL], inside[PROTOCOL] = _relation(PROTOCOL, protocols)
    for f in widened:
        if sets[f] != FULL[f] and not (f == FRAGMENT and sets[f] == _LATER):
            others = -1
            for g in _CONSTRAINED:
                if g != f:
                    others &= met[g]
            if not others & ~inside[f]:
                sets[f], met[f] = FULL[f], -1
    if sets[PROTOCOL].size > _MANY and sets[PROTOCOL] != FULL[PROTOCOL]:
        others = -1
        for g in WIDENED:
            others &= met[g]
        sets[PROTOCOL] |= _free_protocols(others)  # "all but tcp" rather than all that IPv6 has but tcp
    return Box(tuple(sets))


@lru_cache(1 << 10)
def _free_protocols(shapes: int) -> IntervalSet:
    """The protocols that no packet of these shapes has: to take them in adds none."""
    return FULL[PROTOCOL] - _kept(PROTOCOL, FULL[PROTOCOL], shapes)


@lru_cache(1 << 16)
def _relation(f: int, chosen: IntervalSet) -> tuple[int, int]:
    """Which shapes meet a field's set, and which lie in it, as bits."""
    met = inside = 0
    for n, shape in enumerate(SHAPES):
        met |= (not chosen.isdisjoint(shape[f])) << n
        inside |= shape[f].issubset(chosen) << n
    return met, inside


@lru_cache(1 << 16)
def _kept(f: int, chosen: IntervalSet, shapes: int) -> IntervalSet:
    """The values of a field's set that some of the shapes have."""
    return together([chosen & shape[f] for n, shape in enumerate(SHAPES) if shapes >> n & 1])


_LATER = IntervalSet.single(LATER)
_BUT_ADDRESSES = tuple(f for f in WIDENED if TABLE[f].kind != "address")
_CONSTRAINED = (PROTOCOL, *WIDENED)
_MANY = 128  # protocols: a set of more reads better by what it leaves out


def _order(box: Box) -> tuple[tuple[tuple[int, int], ...], ...]:
    return tuple([chosen.ranges for chosen in box.sets])
