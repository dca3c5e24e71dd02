"""RuleSet -> what the native classifier takes: for each family, entries of 32-bit intervals and the classes of "the rest".

Addresses and ports stay numbers; protocol, fragment, ICMP type and code, flags, interfaces and state become one number,
the *class*: two packets are of one class if no box of the policy tells them apart by those fields. Classes are found
field by field, as in recursive flow classification (Gupta & McKeown, SIGCOMM 1999). A box whose sets have many intervals
becomes a bounded number of entries; where that is too few, entries are hulls and name the box, whose exact sets ride
along. Knows boxes and policies; neither bytes nor C.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from operator import itemgetter
from typing import NamedTuple

from ..errors import LimitError
from ..model import address
from ..model.address import V6_BASE, Family
from ..model.box import Sets
from ..model.fields import (
    ABSENT,
    DPORT,
    DST,
    FRAGMENT,
    FULL,
    NO_PORT,
    OPTIONAL,
    PORTS,
    PROTOCOL,
    SPORT,
    SRC,
    STAGES,
    present,
)
from ..model.interval import Interval, IntervalSet

CLASSES = 65_000  # the class is a 16-bit number
DISTINCT = 4096  # conditions other than addresses and port numbers
CELLS = 1 << 20  # of all class tables together
WORK = 20_000_000  # steps for finding classes and what they match
ENTRIES = 1 << 17  # that sets of several intervals may add over all boxes, and at least
EACH = 16  # so many for one box
NONE = 0xFFFFFFFF  # "no exact check"


class Stage(NamedTuple):
    """One step of a packet's class: `table[class so far * width + of_value[value of field]]` is the next class."""

    field: int
    of_value: array[int]
    width: int
    table: array[int]


class Encoded(NamedTuple):
    """One family's part of a policy. `lo` and `hi` are rows of 5 (IPv4) or 11 (IPv6) words, in order of precedence.

    `of_protocol` gives the first class for protocol * 3 + fragment. `box` names a row of the exact sets, or NONE: axis k
    of row b has `words[offset[5b+k]:offset[5b+k+1]]`, pairs of lo and hi.
    """

    family: Family
    of_protocol: array[int]
    stages: tuple[Stage, ...]
    lo: array[int]
    hi: array[int]
    rule: array[int]
    box: array[int]
    offset: array[int]
    words: array[int]


class Interfaces(NamedTuple):
    """Interface numbers as small codes: which of the policy's intervals a name falls into. Code 0 is "none"."""

    cuts: tuple[int, ...]

    @classmethod
    def of(cls, boxes: Iterable[Sets], field: int) -> Interfaces:
        cuts = {1}
        for sets in boxes:
            if sets[field] is not FULL[field]:
                cuts.update(p for lo, hi in sets[field].ranges for p in (lo, hi + 1))
        found = sorted(c for c in cuts if 0 < c <= FULL[field].hi)
        if len(found) > CLASSES:
            raise LimitError(f"more than {CLASSES} interfaces are more than the native classifier takes")
        return cls(tuple(found))

    def code(self, number: int) -> int:
        """The code of an interface number (see `model.fields.interface_number`); 0 is "none" for both."""
        return bisect_right(self.cuts, number)

    def codes(self, chosen: IntervalSet) -> list[int]:
        """The codes whose intervals lie in a set of the policy."""
        return [c for lo, hi in chosen.ranges for c in range(self.code(lo), self.code(hi) + 1)]


class _Rest(NamedTuple):
    """A box's conditions apart from addresses and port numbers. `ports`: must the packet have some? None: any will do."""

    sets: tuple[IntervalSet, ...]
    ports: bool | None


_REST = (PROTOCOL, FRAGMENT, *STAGES)
_rest: Callable[[Sets], Sets] = itemgetter(*_REST)
_Part = tuple[int, int, Sequence[Interval], Sequence[Interval], Sequence[Interval], Sequence[Interval]]
_Piece = tuple[tuple[int, ...], tuple[int, ...], bool]  # lo words, hi words, exact


def encode(boxes: Sequence[tuple[int, Sets]], family: Family, interfaces: Mapping[int, Interfaces]) -> Encoded:
    """The part of these boxes that is of one family.

    Raises:
        LimitError: if the conditions other than addresses and ports fall into too many classes.
    """
    rests: dict[tuple[int, ...], int] = {}  # identities of the sets -> index; the sets live as long as `boxes`
    distinct: list[_Rest] = []
    parts: list[_Part] = []
    for rule, sets in boxes:
        src, dst = _within(sets[SRC], family), _within(sets[DST], family)
        if not src or not dst:
            continue
        for sport, dport, ports in _ports(sets[SPORT], sets[DPORT]):
            key = (*map(id, _rest(sets)), -1 if ports is None else ports)
            rest = rests.get(key)
            if rest is None:
                rest = rests[key] = len(distinct)
                distinct.append(_Rest(_rest(sets), ports))
            parts.append((rule, rest, src, dst, sport, dport))
    same: dict[_Rest, int] = {}
    renamed = [same.setdefault(rest, len(same)) for rest in distinct]
    if len(same) > DISTINCT:
        raise LimitError(f"more than {DISTINCT} kinds of conditions are more than the native classifier takes")
    of_protocol, stages, classes = _classes(list(same), family, interfaces)
    return _entries(parts, renamed, family, of_protocol, stages, classes)


def _within(chosen: IntervalSet, family: Family) -> tuple[Interval, ...]:
    ranges = chosen.ranges
    if family == 4:
        if ranges[-1][1] < V6_BASE:
            return ranges
        return (chosen & address.V4).ranges
    if ranges[-1][1] < V6_BASE:
        return ()
    return tuple((lo - V6_BASE, hi - V6_BASE) for lo, hi in (chosen & address.V6).ranges)


_ANY_PORT = PORTS.ranges


def _ports(
    sport: IntervalSet, dport: IntervalSet
) -> list[tuple[tuple[Interval, ...], tuple[Interval, ...], bool | None]]:
    """Port numbers and whether there are any: a packet has both ports or neither."""
    if (sport is FULL[SPORT] and dport is FULL[DPORT]) or (sport == FULL[SPORT] and dport == FULL[DPORT]):
        return [(_ANY_PORT, _ANY_PORT, None)]
    out: list[tuple[tuple[Interval, ...], tuple[Interval, ...], bool | None]] = []
    present = (sport & PORTS).ranges, (dport & PORTS).ranges
    if all(present):
        out.append((*present, True))
    if NO_PORT in sport and NO_PORT in dport:
        out.append((_ANY_PORT, _ANY_PORT, False))
    return out


# --- classes ----------------------------------------------------------------------------------------------------------


def _classes(
    rests: list[_Rest], family: Family, interfaces: Mapping[int, Interfaces]
) -> tuple[array[int], tuple[Stage, ...], list[list[Interval]]]:
    """The class tables, and for each of `rests` its classes as intervals.

    A class under construction is the bit set of the `rests` that still match, and of the fields to come that not every
    packet has, those that the packet has: where it has none, the value in that column does not count.
    """
    everything = (1 << len(rests)) - 1
    conditions = {f: [rest.sets[at] for rest in rests] for at, f in enumerate(_REST)}
    protocols, fragments = (_masks(conditions[f], f, everything) for f in (PROTOCOL, FRAGMENT))
    ports = [0, 0]
    for k, rest in enumerate(rests):
        for having in (0, 1):
            if rest.ports is None or rest.ports == bool(having):
                ports[having] |= 1 << k
    asked = frozenset(f for f, chosen in conditions.items() if any(c != FULL[f] for c in chosen))
    known: dict[tuple[int, frozenset[int]], int] = {}
    of_protocol = array("H")
    for protocol in range(256):
        for fragment in range(3):
            there = present(protocol, family, fragment)
            mask = protocols[protocol] & fragments[fragment] & ports[SPORT in there]
            of_protocol.append(known.setdefault((mask, there & asked), len(known)))
    stages: list[Stage] = []
    cells = work = 0
    for field in STAGES:
        if field not in asked:
            continue
        chosen = conditions[field]
        if field in interfaces:
            values = _interface_masks(chosen, interfaces[field], everything)
        else:
            values = _masks(chosen, field, everything)
        ids: dict[int, int] = {}
        of_value = array("H", [ids.setdefault(mask, len(ids)) for mask in values])
        cells += len(known) * len(ids)
        work += len(known) * len(ids) * (1 + len(rests) // 256)
        if cells > CELLS or work > WORK:
            raise LimitError(
                "the policy's options (flags, types, interfaces and the like) are more than the native classifier takes"
            )
        table = array("H")
        found: dict[tuple[int, frozenset[int]], int] = {}
        for mask, there in known:
            gone = field in OPTIONAL and field not in there
            left = there - {field}  # what is decided no longer tells classes apart
            for value in ids:
                key = (mask & (values[ABSENT[field]] if gone else value), left)
                new = found.setdefault(key, len(found))
                if new > CLASSES:
                    raise LimitError("the policy falls into more classes than the native classifier takes")
                table.append(new)
        stages.append(Stage(field, of_value, len(ids), table))
        known = found
    matched: list[list[Interval]] = [[] for _ in rests]
    for number, (mask, _) in enumerate(known):
        while mask:
            low = mask & -mask
            k = low.bit_length() - 1
            mask ^= low
            mine = matched[k]
            if mine and mine[-1][1] == number - 1:
                mine[-1] = (mine[-1][0], number)
            else:
                mine.append((number, number))
            work += 1
        if work > WORK:
            raise LimitError("the policy falls into more classes than the native classifier takes")
    return of_protocol, tuple(stages), matched


def _masks(chosen: Sequence[IntervalSet], field: int, everything: int) -> list[int]:
    """For each value of the field, the bit set of those that contain it."""
    domain = FULL[field].hi + 1
    turns: dict[int, int] = {}  # by value, those that begin or end there
    common = 0
    for k, c in enumerate(chosen):
        if c == FULL[field]:
            common |= 1 << k
            continue
        for pair in c.ranges:
            for at in (pair[0], pair[1] + 1):
                turns[at] = turns.get(at, 0) ^ 1 << k
    if common == everything:
        return [everything] * domain
    out: list[int] = []
    for at in sorted(turns):
        out += [common] * (at - len(out))
        common ^= turns[at]
    return out + [common] * (domain - len(out))


def _interface_masks(chosen: Sequence[IntervalSet], codes: Interfaces, everything: int) -> list[int]:
    out = [0] * (len(codes.cuts) + 1)
    for k, c in enumerate(chosen):
        for code in codes.codes(c):
            out[code] |= 1 << k
    return out


# --- entries ----------------------------------------------------------------------------------------------------------


def _entries(
    parts: list[_Part],
    renamed: list[int],
    family: Family,
    of_protocol: array[int],
    stages: tuple[Stage, ...],
    classes: list[list[Interval]],
) -> Encoded:
    lo, hi, rules, box = array("I"), array("I"), array("I"), array("I")
    offset, words = array("I", [0]), array("I")
    limit = max(EACH, ENTRIES // max(1, len(parts)))
    for rule, rest, src, dst, sport, dport in parts:
        mine = classes[renamed[rest]]
        if not mine:
            continue
        if family == 4 and len(src) == len(dst) == len(sport) == len(dport) == len(mine) == 1:
            (a, b), (c, d), (e, f), (g, h), (i, j) = src[0], dst[0], sport[0], dport[0], mine[0]
            lo.extend((a, c, e, g, i))
            hi.extend((b, d, f, h, j))
            rules.append(rule)
            box.append(NONE)
            continue
        axes = [_pieces(src, family), _pieces(dst, family), *(_pieces(axis, 4) for axis in (sport, dport, mine))]
        exact = NONE
        for chosen in product(*_bounded(axes, limit)):
            for piece in chosen:
                lo.extend(piece[0])
                hi.extend(piece[1])
            rules.append(rule)
            if all(piece[2] for piece in chosen):
                box.append(NONE)
                continue
            if exact == NONE:
                exact = len(offset) // 5
                for axis, wide in (
                    (src, family == 6),
                    (dst, family == 6),
                    (sport, False),
                    (dport, False),
                    (mine, False),
                ):
                    for pair in axis:
                        for end in pair:
                            words.extend(_words(end) if wide else (end,))
                    offset.append(len(words))
            box.append(exact)
    return Encoded(family, of_protocol, stages, lo, hi, rules, box, offset, words)


def _words(value: int) -> tuple[int, ...]:
    return value >> 96, value >> 64 & NONE, value >> 32 & NONE, value & NONE


def _pieces(axis: Sequence[Interval], family: Family) -> list[_Piece]:
    if family == 4:
        return [((x,), (y,), True) for x, y in axis]
    return [(lo, hi, True) for x, y in axis for lo, hi in _products(_words(x), _words(y))]


def _products(lo: tuple[int, ...], hi: tuple[int, ...]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """An interval of multi-word numbers as products of intervals of words, in order: one for a prefix, else at most seven."""
    n = len(lo)
    if n == 1:
        return [(lo, hi)]
    none, top = (0,) * (n - 1), (NONE,) * (n - 1)
    if lo[0] == hi[0]:
        return [((lo[0], *a), (lo[0], *b)) for a, b in _products(lo[1:], hi[1:])]
    out = []
    first, last = lo[0], hi[0]
    if lo[1:] != none:
        out += [((first, *a), (first, *b)) for a, b in _products(lo[1:], top)]
        first += 1
    end = [((last, *a), (last, *b)) for a, b in _products(none, hi[1:])] if hi[1:] != top else []
    if end:
        last -= 1
    if first <= last:
        out.append(((first, *none), (last, *top)))
    return out + end


def _bounded(axes: list[list[_Piece]], limit: int) -> list[list[_Piece]]:
    """The axes with at most `limit` products: neighbours on the longest axis are joined to hulls until it is so."""
    while True:
        total = 1
        for axis in axes:
            total *= len(axis)
        longest = max(range(len(axes)), key=lambda k: len(axes[k]))
        if total <= limit or len(axes[longest]) == 1:
            return axes
        axis = axes[longest]
        axes[longest] = [axis[i] if i + 1 == len(axis) else _hull(axis[i], axis[i + 1]) for i in range(0, len(axis), 2)]


def _hull(a: _Piece, b: _Piece) -> _Piece:
    return tuple(map(min, a[0], b[0])), tuple(map(max, a[1], b[1])), False
