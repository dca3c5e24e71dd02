"""Choosing, of all the packets of a box, one that a person would believe in.

A witness shown to people should look like traffic: a tcp packet that opens a connection from a high port, between hosts
rather than network addresses. Whatever is chosen is a member of the box and a valid packet. Knows neither rules nor policies.

Sources for what looks usual: RFC 5737 and RFC 3849 (addresses for documentation), RFC 6335 (port ranges).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from itertools import chain

from ..model import address
from ..model.box import Box, Sets
from ..model.fields import (
    ABSENT,
    DPORT,
    DST,
    FRAGMENT,
    FULL,
    ICMP,
    ICMPV6,
    INTERFACE_BYTES,
    INTERFACES,
    LATER,
    NO_INTERFACE,
    PORTS,
    PROTOCOL,
    REST,
    SPORT,
    SRC,
    STATE,
    TABLE,
    Point,
    interface_name,
    interface_number,
)
from ..model.interval import IntervalSet
from ..model.packet import Packet
from ..model.scattered import ScatteredSet

_PROTOCOLS = {  # ICMP of the other family is nothing usual
    family: tuple(p for p in TABLE[PROTOCOL].usual if p != other) for family, other in ((4, ICMPV6), (6, ICMP))
}
_CLIENT_PORT = TABLE[SPORT].usual[0]
_SERVICES = TABLE[DPORT].usual
_NAMES = ("lan0", "wan0", "eth0", "eth1", "eth2", "eth3")
_NAME_TRIES = 2048

_HOSTS: tuple[tuple[int, ...], ...] = tuple(
    tuple(address.parse(text) for text in texts)
    for texts in (
        ("198.51.100.7", "10.20.9.17", "192.0.2.7", "203.0.113.7", "5.6.7.8", "2001:db8:9::17", "2001:db8::7"),
        ("192.0.2.80", "203.0.113.80", "198.51.100.80", "10.20.9.80", "1.2.3.4", "2001:db8::80", "2001:db8:9::80"),
    )
)
_HOST_BITS = (0x00140911, 0x00150950)  # 10.0.0.0/8 gives 10.20.9.17 as source and 10.21.9.80 as destination
_HOST_BITS_6 = (0x17, 0x80)
# unicast addresses a person would not stop at
_USUAL = IntervalSet.of(
    (address.parse("1.0.0.0"), address.parse("126.255.255.255")),
    (address.parse("128.0.0.0"), address.parse("223.255.255.255")),
    address.prefix(address.parse("2000::"), 3),
    address.prefix(address.parse("fc00::"), 7),
)
_V6_HOST = 5  # the place of the first of IPv6
_WIDE = 1 << 20  # more addresses than this: any host that is usual will do
_FEW = 16  # fewer than this: the first host, not one in the middle


def witness(boxes: Box | Iterable[Box], interfaces: Sequence[str] = (), asked: Collection[int] | None = None) -> Packet:
    """A realistic packet of a box, or of a union of boxes.

    Args:
        boxes: where it is to lie.
        interfaces: names to prefer where the box asks for an interface, such as those that a policy mentions.
        asked: the fields that someone asks for: of dscp, ttl and length (`fields.DETAILS`) the witness states these alone.
            Those with a condition in the boxes, if not given.

    Raises:
        ValueError: if the boxes hold no packet, or only ones on interfaces whose number is not a name in UTF-8.

    Complexity: linear in the intervals of the boxes.

    >>> from fwengine.model.fields import Field
    >>> net = IntervalSet.of(address.prefix(address.parse("10.20.9.0"), 24))
    >>> str(witness(Box.of({Field.PROTOCOL: IntervalSet.single(6), Field.SRC: net, Field.DPORT: IntervalSet.single(22)})))
    'tcp 10.20.9.17:49152 -> 192.0.2.80:22 flags syn'
    """
    given = [boxes] if isinstance(boxes, Box) else list(boxes)
    pieces = [piece.sets for box in given for piece in box.pieces]
    if not pieces:
        raise ValueError("there is no packet in an empty region")
    if asked is None:
        asked = frozenset().union(*[box.fields for box in given])
    return Packet.from_point(choose(min(pieces, key=_rank), interfaces), asked)


def choose(sets: Sets, interfaces: Sequence[str] = ()) -> Point:
    """As `witness`, of a nonempty product all of whose points are packets."""
    src, dst = _addresses(sets[SRC], sets[DST])
    sport, dport = _ports(sets[SPORT], sets[DPORT])
    point = [_first(sets[PROTOCOL], _PROTOCOLS[address.family_of(src)]), src, dst, sport, dport] + [0] * len(REST)
    for f, usual, free in _REST:
        point[f] = free if sets[f] is FULL[f] else _first(sets[f], usual)
    for f in INTERFACES:
        point[f] = _interface(sets[f], interfaces)
    return tuple(point)


def _rank(sets: Sets) -> tuple[int, int, int, int]:
    """Whole packets before fragments, known protocols before others, no interface before one, new before the rest."""
    fragment = sets[FRAGMENT].lo
    known = _PROTOCOLS[address.family_of(sets[SRC].lo)]
    protocol = next((n for n, p in enumerate(known) if p in sets[PROTOCOL]), len(known))
    usual = sum(NO_INTERFACE not in sets[f] for f in INTERFACES)
    return fragment == LATER, sets[STATE].lo, protocol if fragment != LATER else 0, usual


def _first(chosen: IntervalSet, preferred: Iterable[int]) -> int:
    for value in preferred:
        if value in chosen:
            return value
    return chosen.lo


def _addresses(src: IntervalSet, dst: IntervalSet) -> tuple[int, int]:
    a, b = _address(src, 0), _address(dst, 1)
    if a == b:  # two hosts, if there are two
        other = dst - IntervalSet.single(b)
        if other:
            return a, _address(other, 1)
        other = src - IntervalSet.single(a)
        if other:
            return _address(other, 0), b
    return a, b


# each with the values that people expect, and the one where nothing is asked of it
_REST = tuple((f, TABLE[f].usual, _first(FULL[f], TABLE[f].usual)) for f in REST if f not in INTERFACES)


@cache
def _address(chosen: IntervalSet, side: int) -> int:
    if len(chosen.ranges) == 1 and chosen.ranges[0][0] == chosen.ranges[0][1]:
        return chosen.ranges[0][0]
    if chosen.size > _WIDE:
        for host in _HOSTS[side]:
            if host in chosen:
                return host
    usual = chosen & _USUAL or chosen
    if isinstance(usual, ScatteredSet):
        return usual.near(_HOSTS[side][0 if usual.lo < address.V6_BASE else _V6_HOST])
    lo, hi = max(usual.ranges, key=_width)
    size = 1 << (hi - lo + 1).bit_length() - 1  # of the widest block of two's power that begins at lo
    if size < _FEW:
        return lo + 1 if lo < hi and address.to_value(lo) & 0xFF == 0 else lo
    offset: int = (_HOST_BITS if lo < address.V6_BASE else _HOST_BITS_6)[side] & (size - 1)
    return lo + (offset or 1)


def _width(interval: tuple[int, int]) -> int:
    return min(interval[1] - interval[0], _WIDE)  # among wide ones the first


def _ports(sport: IntervalSet, dport: IntervalSet) -> tuple[int, int]:
    if ABSENT[SPORT] in sport:
        return sport.lo, dport.lo
    if sport != PORTS and dport == PORTS:  # the service is at the source: a reply
        return _service(sport), _CLIENT_PORT
    return _client(sport), _service(dport)


def _client(chosen: IntervalSet) -> int:
    if _CLIENT_PORT in chosen:
        return _CLIENT_PORT
    high = chosen & _HIGH
    return high.lo if high else _nonzero(chosen)


def _service(chosen: IntervalSet) -> int:
    if chosen.size > 1024:  # no particular service is meant
        return _first(chosen, (*_SERVICES, _nonzero(chosen)))
    return _nonzero(chosen)


def _nonzero(chosen: IntervalSet) -> int:
    """The lowest port; port 0 only if there is no other."""
    lo, hi = chosen.ranges[0]
    if lo:
        return lo
    if hi:
        return 1
    return chosen.ranges[1][0] if len(chosen.ranges) > 1 else 0


_HIGH = IntervalSet.of((1024, 65535))


@cache
def _number(name: str) -> int:
    return interface_number(name)


def _interface(chosen: IntervalSet, preferred: Sequence[str]) -> int:
    if NO_INTERFACE in chosen:
        return NO_INTERFACE
    for name in (*preferred, *_NAMES):
        if _number(name) in chosen:
            return _number(name)
    for lo, hi in chosen:
        if lo == hi:
            if _is_name(lo):
                return lo
        else:
            near: Iterable[int] = range(lo, min(hi, lo + _NAME_TRIES) + 1)
            for number in chain(near, _beside(lo, hi)):
                if _is_name(number):
                    return number
    raise ValueError("the region asks for an interface whose number is not a name in UTF-8")


def _beside(lo: int, hi: int) -> Iterable[int]:
    """Numbers of plain names likely to lie in a wide interval: all of one letter, one for each length."""
    for length in range(1, INTERFACE_BYTES + 1):
        for letter in b"az":
            number = int.from_bytes(bytes([letter]) * length, "big")
            if lo <= number <= hi:
                yield number


def _is_name(number: int) -> bool:
    try:
        return interface_number(interface_name(number)) == number
    except UnicodeDecodeError:
        return False
