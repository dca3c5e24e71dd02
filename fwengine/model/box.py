"""Boxes: products of interval sets, one a field of header space.

Not every point of the product of the domains is a packet: an ICMP packet has no ports, source and destination share a
family. The packets are exactly the union of the ten disjoint boxes `SHAPES`; emptiness, flows and inclusion of boxes are
all meant relative to them. `==` compares sets of points; `Box.plain` is one form for all boxes of the same packets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

from ..handed import Shown
from . import address
from .fields import (
    ABSENT,
    BYTE,
    COUNTED,
    DST,
    FIELDS,
    FRAGMENT,
    FULL,
    INTERFACES,
    LATER,
    MERGED,
    OPTIONAL,
    PRESENT,
    PROTOCOL,
    SRC,
    STEPPED_THROUGH,
    TABLE,
    WHOLE,
    Field,
    Point,
    exists,
    interface_name,
    present,
)
from .interval import IntervalSet, together
from .packet import Packet

Sets = tuple[IntervalSet, ...]


@dataclass(frozen=True, repr=False)
class Box(Shown):
    """All points whose every field lies in that field's set.

    >>> web = Box.of({Field.PROTOCOL: IntervalSet.single(6), Field.DPORT: IntervalSet.of((80, 80), (443, 443))})
    >>> Packet.of("tcp", "5.6.7.8", "1.2.3.4", sport=1029, dport=80, flags=2, in_interface="", out_interface="") in web
    True
    """

    sets: Sets

    @classmethod
    def of(cls, conditions: dict[int, IntervalSet]) -> Box:
        """The box with these sets and no condition on the other fields."""
        return cls(tuple([conditions.get(f, FULL[f]) for f in range(FIELDS)]))

    @classmethod
    def around(cls, packet: Packet) -> Box:
        """All packets that a (partly open) packet describes."""
        return cls(packet.sets)

    def __contains__(self, item: Point | Packet) -> bool:
        point = item.as_seen_by(self.fields) if isinstance(item, Packet) else item
        if point is None:
            raise ValueError("the packet leaves a field open that the box asks for: ask for `Box.around` it")
        for value, chosen in zip(point, self.sets, strict=True):  # noqa: SIM110  # a loop takes half the time
            if value not in chosen:
                return False
        return True

    @property
    def fields(self) -> frozenset[int]:
        """The fields with a condition."""
        return frozenset(f for f, chosen in enumerate(self.sets) if chosen is not FULL[f] and chosen != FULL[f])

    def __and__(self, other: Box) -> Box:
        return Box(tuple([a & b for a, b in zip(self.sets, other.sets, strict=True)]))

    def __repr__(self) -> str:
        """Only the fields with a condition: whole domains have thousands of digits."""
        shown = []
        for f in Field:
            chosen = self.sets[f]
            if chosen == FULL[f]:
                continue
            if f in (SRC, DST):
                whole = type(chosen) is IntervalSet  # a mask with many holes has more ranges than anybody lists
                words = address.show_set(chosen) if whole else [f"{chosen.size}-addresses"]
            elif f in INTERFACES:
                words = _interfaces(chosen)
            else:
                words = [str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in chosen]
            shown.append(f"{f.name.lower()}={','.join(words) or 'nothing'}")
        return f"<Box {' '.join(shown) or 'of everything'}>"

    def replace(self, field: int, chosen: IntervalSet) -> Box:
        return Box((*self.sets[:field], chosen, *self.sets[field + 1 :]))

    @cached_property
    def pieces(self) -> tuple[Box, ...]:
        """The nonempty intersections with `SHAPES`: disjoint, and every point of them is a packet."""
        return tuple(Box(piece) for piece in pieces(self.sets))

    def __bool__(self) -> bool:
        """Is there any packet in it?"""
        return bool(self.pieces)

    @cached_property
    def flows(self) -> int:
        """How many flows: packets told apart by protocol, addresses, ports, ICMP type and code, and by nothing else.

        Flags, interfaces, states and whether a packet is a first fragment do not multiply the number. Later fragments,
        which have no ports, count only where the box holds nothing else: one flow for each protocol and pair of
        addresses. So disjoint boxes may share flows, and their numbers need not add up to that of a union.
        """
        pieces = [p for p in self.pieces if p.sets[FRAGMENT] != _LATER] or self.pieces
        return sum(prod([piece.sets[f].size for f in COUNTED]) for piece in pieces)

    def __sub__(self, other: Box) -> list[Box]:
        """The difference as disjoint boxes, at most one a field."""
        if any(a.isdisjoint(b) for a, b in zip(self.sets, other.sets, strict=True)):
            return [self]
        out = []
        left = self
        for f in range(FIELDS):
            outside = left.sets[f] - other.sets[f]
            if outside:
                out.append(left.replace(f, outside))
                left = left.replace(f, left.sets[f] & other.sets[f])
        return out

    def issubset(self, other: Box) -> bool:
        """Is every packet of this box in the other?"""
        return all(all(a.issubset(b) for a, b in zip(piece.sets, other.sets, strict=True)) for piece in self.pieces)

    def plain(self) -> Box:
        """The same packets with no condition where none is needed: the form to print and to merge.

        Each field's set shrinks to the values that packets of the box have there, and then becomes the whole domain
        if that adds no packet. Protocols are never widened: a port needs to be told whose it is; but where all
        around them are, IPv6's headers, which are none, come along. Nor are later fragments alone ever widened.
        """
        if not self.pieces:
            return self
        box = Box(tuple([_seen(self.pieces, f) for f in range(FIELDS)]))
        protocols = box.sets[PROTOCOL] | HEADERS
        if len(protocols.ranges) < len(box.sets[PROTOCOL].ranges) and box.replace(PROTOCOL, protocols).issubset(box):
            box = box.replace(PROTOCOL, protocols)
        for f in WIDENED:
            if box.sets[f] != FULL[f] and not (f == FRAGMENT and box.sets[f] == _LATER):
                wider = box.replace(f, FULL[f])
                if wider.issubset(box):
                    box = wider
        return box


_SHOWN = 8  # ranges of interfaces in a `repr`


def _interfaces(chosen: IntervalSet) -> list[str]:
    """Interfaces by name: `none`, `wan0`, `not wan0`; of a range its ends."""
    words = ["none"] if ABSENT[INTERFACES[0]] in chosen else []
    some = chosen & PRESENT[INTERFACES[0]]
    if not some or some.hi < PRESENT[INTERFACES[0]].hi:
        return words + [_named(lo, hi) for lo, hi in some.ranges[:_SHOWN]]
    rest = PRESENT[INTERFACES[0]] - some
    return [*words, *[f"not {_named(lo, hi)}" for lo, hi in rest.ranges[:_SHOWN]]] if rest else [*words, "some"]


def _named(lo: int, hi: int) -> str:
    ends = []
    for number in (lo, hi) if lo < hi else (lo,):
        try:
            name = interface_name(number)
        except UnicodeDecodeError:
            name = f"0x{number:x}"
        ends.append(name if name.isprintable() and len(name) <= 40 else f"{name[:20]!a}…")
    return "…".join(ends)


def _seen(pieces: tuple[Box, ...], f: int) -> IntervalSet:
    if len(pieces) == 1:
        return pieces[0].sets[f]
    return together([piece.sets[f] for piece in pieces])


def merge(boxes: Iterable[Box]) -> list[Box]:
    """Disjoint boxes, joined where two differ in one field only, until none do. O(n log n) a round."""
    out = list(boxes)
    before = -1
    while len(out) != before:
        before = len(out)
        for f in MERGED:
            groups: dict[object, list[Box]] = {}
            for box in out:
                rest = [chosen.ranges for chosen in box.sets]  # tuples of integers: their hashes are made in C
                del rest[f]
                groups.setdefault(tuple(rest), []).append(box)
            out = [
                alike[0] if len(alike) == 1 else alike[0].replace(f, together([box.sets[f] for box in alike]))
                for alike in groups.values()
            ]
    return out


_LATER = IntervalSet.single(LATER)
HEADERS = IntervalSet.union((p, p) for p in STEPPED_THROUGH)


def _shapes() -> Iterator[Sets]:
    """For each family the whole packets and first fragments, by the optional fields they have, and the later fragments."""
    none = {f: IntervalSet.single(ABSENT[f]) for f in OPTIONAL}
    for family, addresses in ((4, address.V4), (6, address.V6)):
        groups: dict[frozenset[int], list[int]] = {}
        for protocol in (p for p in range(256) if exists(p, family, WHOLE)):
            groups.setdefault(present(protocol, family, WHOLE), []).append(protocol)
        kinds = [
            (fields, IntervalSet.union((p, p) for p in protocols), FULL[FRAGMENT] - _LATER)
            for fields, protocols in sorted(
                groups.items(), key=lambda group: (-len(group[0]), min(group[0], default=0))
            )
        ]
        for fields, protocols, fragments in (*kinds, (frozenset[int](), BYTE, _LATER)):
            shape = {PROTOCOL: protocols, SRC: addresses, DST: addresses, FRAGMENT: fragments}
            optional = none | {f: PRESENT[f] for f in fields}
            yield tuple([(shape | optional).get(f, FULL[f]) for f in range(FIELDS)])


SHAPES: tuple[Sets, ...] = tuple(_shapes())

# The fields that a shape may constrain, so that a condition there may say nothing; addresses last: they tell the families.
# Protocols are not among them: a port needs to be told whose it is.
WIDENED = tuple(
    f
    for f in sorted(range(FIELDS), key=lambda f: TABLE[f].kind == "address")
    if f != PROTOCOL and any(shape[f] != FULL[f] for shape in SHAPES)
)

# For each shape the fields it constrains, the most telling first.
_CONSTRAINED = tuple(
    tuple((f, shape[f]) for f in dict.fromkeys((PROTOCOL, FRAGMENT, *range(FIELDS))) if shape[f] != FULL[f])
    for shape in SHAPES
)


def pieces(sets: Sets) -> Iterator[Sets]:
    """As `Box.pieces`, of a product, lazily; nothing is remembered, so that 100,000 rules may be looked at in turn."""
    if not all(sets):
        return
    for constraints in _CONSTRAINED:
        piece = list(sets)
        for f, chosen in constraints:
            if sets[f] is FULL[f]:
                piece[f] = chosen
                continue
            mine, other = sets[f].ranges, chosen.ranges
            if mine[0][0] > other[-1][1] or mine[-1][1] < other[0][0]:  # most shapes are told apart by their ends
                break
            piece[f] = sets[f] & chosen
            if not piece[f].ranges:
                break
        else:
            yield tuple(piece)
