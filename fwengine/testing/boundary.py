"""The corners of a policy: the edges of its boxes, the values worth trying, and a part of what each rule decides.

What property tests and synthetic captures are drawn from. Everything is exact and a function of its arguments. Knows
points, boxes and policies; neither Hypothesis nor capture files.

Source: boundary value analysis, after Myers, "The Art of Software Testing" (1979), chapter 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import NamedTuple

from ..analysis.cover import hole, samples
from ..analysis.entries import Entries
from ..analysis.interfaces import is_name, mentioned
from ..analysis.witness import choose
from ..model import address
from ..model.box import Sets
from ..model.fields import (
    ABSENT,
    DPORT,
    DST,
    FLAGS,
    FRAGMENT,
    FULL,
    ICMPV6,
    INTERFACES,
    LATER,
    NO_INTERFACE,
    PORTS,
    PRESENT,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    TABLE,
    TYPE,
    Point,
    exists,
    interface_number,
    lacking,
    present,
)
from ..model.interval import IntervalSet
from ..model.ruleset import RuleSet
from ..model.scattered import ScatteredSet
from ..policy import Policy

NAMES = tuple(interface_number(name) for name in ("lan0", "wan0", "eth0", "eth1"))
HINTS = 24  # values of the policy that are tried in a field without a condition
_SOME = 256  # intervals of a scattered set whose ends are edges
_RANGES = 6  # intervals of a set whose ends are tried
_WIDE = 1 << 20  # more addresses than this name no particular host
_FEW_PORTS = 1024  # more ports than this name no particular service

_HOSTS = tuple(
    tuple(address.parse(text) for text in texts) for texts in (("10.0.0.1", "2001:db8::1"), ("10.0.0.2", "2001:db8::2"))
)


class Edge(NamedTuple):
    """The last value of a field inside a set, and the one beside it outside; `off` is None where the domain ends."""

    field: int
    on: int
    off: int | None


def edges(field: int, chosen: IntervalSet, names: Sequence[int] = NAMES) -> list[Edge]:
    """Both ends of every interval of a set, of a scattered one of some of them; none for a field that is absent.

    Names of interfaces have no neighbours: each name mentioned is one edge, with no interface, or another, beside it;
    `names` are those to take: see `interface_names`.
    Beside a byte of TCP flags is one with a single flag changed.

    >>> edges(DPORT, IntervalSet.of((0, 1023)))
    [Edge(field=4, on=0, off=None), Edge(field=4, on=1023, off=1024)]
    """
    if field in INTERFACES:
        return _interface_edges(field, chosen, names)
    if chosen.hi == ABSENT.get(field):
        return []
    if field == FLAGS and chosen != PRESENT[FLAGS]:
        tried = [*[v for v in TABLE[FLAGS].usual if v in chosen][:3], chosen.lo, chosen.hi]
        return list(
            dict.fromkeys(Edge(field, v, v ^ 1 << b) for v in tried for b in range(8) if v ^ 1 << b not in chosen)
        )
    out = []
    ranges = chosen.ranges
    if isinstance(chosen, ScatteredSet) and len(ranges) > _SOME:
        ranges = tuple([ranges[n * (len(ranges) - 1) // (_SOME - 1)] for n in range(_SOME)])
    for lo, hi in ranges:
        least, most = _domain(field, lo).lo, _domain(field, hi).hi
        out.append(Edge(field, lo, lo - 1 if lo > least else None))
        out.append(Edge(field, hi, hi + 1 if hi < most else None))
    return list(dict.fromkeys(out))


def _domain(field: int, value: int) -> IntervalSet:
    if field in (SRC, DST):
        return address.V4 if value < address.V6_BASE else address.V6
    return PRESENT[field]


def _interface_edges(field: int, chosen: IntervalSet, names: Sequence[int]) -> list[Edge]:
    if chosen == FULL[field]:
        return [Edge(field, NO_INTERFACE, None)]
    inside = [v for v in (NO_INTERFACE, *names) if v in chosen]
    outside = [v for v in (NO_INTERFACE, *names) if v not in chosen]
    out = []
    for name in mentioned(chosen):
        if name in chosen:
            out += [Edge(field, name, other) for other in outside[:2]]
        else:
            out += [Edge(field, other, name) for other in inside[:2]]
    return out or [Edge(field, inside[0] if inside else chosen.lo, outside[0] if outside else None)]


def likely(sets: Sets, field: int, hints: Iterable[int] = (), names: Sequence[int] = NAMES) -> tuple[int, ...]:
    """Values worth trying in a field of a nonempty product, the plainest first: usual ones, the ends of intervals, `hints`.

    >>> from fwengine.model.box import Box
    >>> likely(Box.of({DPORT: IntervalSet.of((22, 22), (8000, 8080))}).sets, DPORT)
    (22, 8000, 8080)
    """
    chosen = sets[field]
    ranges = chosen.ranges
    if len(ranges) > _RANGES:  # some from the beginning, and the last
        ranges = (*ranges[: _RANGES - 1], ranges[-1])
    found: list[int] = []
    if field in (SRC, DST):
        if chosen.size > _WIDE:
            found += _HOSTS[field - SRC]
        found += [_host(lo, hi, field - SRC) for lo, hi in ranges]
    elif field == DPORT and chosen == PORTS and sets[SPORT] != PORTS:  # the service is at the source: a reply
        found += TABLE[SPORT].usual
    elif field in (SPORT, DPORT) and chosen.size <= _FEW_PORTS:
        found += [lo or min(1, hi) for lo, hi in ranges]  # port 0 is no one's first thought
    elif field == TYPE and sets[PROTOCOL].hi == ICMPV6:
        found += TABLE[TYPE].usual[1::2]
    # of flags the fewest: an ack alone is plainer than a syn with one
    found += sorted(TABLE[field].usual, key=int.bit_count) if field == FLAGS else TABLE[field].usual
    found += [end for pair in ranges for end in pair]
    found += hints
    if field in INTERFACES:
        if names is NAMES or not (tried := [v for v in (NO_INTERFACE, *names) if v in chosen]):
            tried = [v for v in (*found, *names) if v in chosen and is_name(v)]
        found = tried
        if not found:
            with suppress(ValueError):  # no name at all
                found = [choose(sets)[field]]
    return tuple(dict.fromkeys(v for v in found if v in chosen))


def nameable(sets: Sets) -> bool:
    """Do the interfaces that a nonempty product allows have names, or may there be none?"""
    return all(sets[f] is FULL[f] or bool(likely(sets, f)) for f in INTERFACES)


def _host(lo: int, hi: int, side: int) -> int:
    """The first host of a network; of any other interval the first address."""
    if hi - lo >= 7 and address.to_value(lo) & 7 == 0:
        return lo + 1 + side
    return lo


def hints(policy: RuleSet) -> dict[int, tuple[int, ...]]:
    """For each field the values at which the policy's conditions begin and end, and those beside them; a few of many."""
    found: dict[int, dict[int, None]] = {}
    for rule in policy.rules:
        for box in rule.boxes:
            for f, chosen in enumerate(box.sets):
                if chosen == FULL[f] or not chosen or len(known := found.setdefault(f, {})) > 64 * HINTS:
                    continue
                if f in INTERFACES:
                    known.update(dict.fromkeys(mentioned(chosen)))
                else:
                    lo, hi = chosen.ranges[0][0], chosen.ranges[-1][1]
                    plain = _host(*chosen.ranges[0], f - SRC) if f in (SRC, DST) else lo
                    known.update(dict.fromkeys((plain, lo, hi, lo - 1, hi + 1)))
    return {f: tuple(known)[:: -(-len(known) // HINTS) or 1] for f, known in found.items()}


def interface_names(policy: RuleSet) -> tuple[int, ...]:
    """The interfaces that packets drawn for a policy may be on: those that it declares, else some usual ones."""
    declared = policy.declared.members if isinstance(policy, Policy) else ()
    return tuple(map(interface_number, declared)) or NAMES


def with_value(point: Point, field: int, value: int) -> Point:
    """The packet with another value in a field that it has, and with what that gives it or takes away elsewhere.

    A tcp packet made a later fragment loses ports and flags; a packet made tcp gets usual ones. `value` must not be
    the absent one, and an address must be of the packet's family.

    >>> from fwengine.model.packet import Packet
    >>> point = Packet.of("tcp", "10.0.0.1", "10.0.0.2", sport=1, dport=2, flags=2).as_seen_by((PROTOCOL,))
    >>> assert point is not None
    >>> str(Packet.from_point(with_value(point, PROTOCOL, 1), (PROTOCOL,)))
    'icmp 10.0.0.1 -> 10.0.0.2 type 8 code 0'
    """
    out = list(point)
    out[field] = value
    family = address.family_of(out[SRC])
    if not exists(out[PROTOCOL], family, out[FRAGMENT]):  # only a later fragment has such a protocol
        if field == FRAGMENT:
            out[PROTOCOL] = TABLE[PROTOCOL].usual[0]
        else:
            out[FRAGMENT] = LATER
    protocol, fragment = out[PROTOCOL], out[FRAGMENT]
    for f in present(protocol, family, fragment):
        if out[f] == ABSENT[f]:
            out[f] = 128 if f == TYPE and protocol == ICMPV6 else TABLE[f].usual[0]
    for f, none in lacking(protocol, family, fragment):
        out[f] = none
    return tuple(out)


def ordered(pieces: Iterable[Sets]) -> list[Sets]:
    """Pieces, the plainest first: new before other states, whole packets before fragments, tcp before the rest, IPv4."""
    return sorted(pieces, key=_rank)


def _rank(sets: Sets) -> tuple[int, int, int, int]:
    usual = TABLE[PROTOCOL].usual
    protocol = next((n for n, p in enumerate(usual) if p in sets[PROTOCOL]), len(usual))
    fragment = sets[FRAGMENT].lo
    return sets[STATE].lo, fragment, protocol if fragment < 2 else 0, sets[SRC].lo >= address.V6_BASE


class Decided:
    """Finds, for any rule of a policy, packets that it decides. Exact; what is costly is made when first needed."""

    def __init__(self, policy: RuleSet) -> None:
        self.policy = policy

    @cached_property
    def entries(self) -> Entries:
        return Entries(self.policy)

    @cached_property
    def named(self) -> frozenset[int]:
        """The indices that the leaves of the tree name: no other rule decides anything."""
        tree = self.policy.tree
        children = [child for node in tree.nodes for child in node.children] + [root.node for root in tree.roots]
        return frozenset(~child for child in children if child < 0) | {tree.rules}

    def part(self, index: int, piece: Sets) -> Sets | None:
        """A nonempty product within a piece of the rule's boxes, all of it decided by the rule; None if there is none.

        The index behind the last rule is the default's, and any piece at all is one of its. The piece must be `nameable`.

        Raises:
            LimitError: if the exact search grows too long.
        """
        if index not in self.named:
            return None
        for point in samples(piece, self.entries.interfaces):
            if self.policy.tree.index(point) == index:
                return self.around(point, piece)
        found = hole(self.entries, piece, self.entries.before(index))
        return None if found is None else self.around(choose(found, self.entries.interfaces), piece)

    def around(self, point: Point, piece: Sets) -> Sets:
        """The points of a piece that go the same ways through the compiled policy as this one: all decided alike."""
        out = list(piece)
        for steps in self.policy.tree.path(point):
            for f, alike in steps:
                out[f] &= alike
        for f in INTERFACES:
            if out[f] is not piece[f] and not likely(tuple(out), f):
                out[f] = IntervalSet.single(point[f])
        return tuple(out)
