"""Services as a set of integers: a packet's protocol with its destination port, or with its ICMP type and code.

Every packet has exactly one service. A later fragment of a protocol with ports has that of no port; protocols that have
neither ports nor types have one service each. Knows numbers only, no names.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ..model.box import Sets
from ..model.fields import CODE, DPORT, FULL, ICMP, ICMPV6, NO_TYPE, PORT_PROTOCOLS, PROTOCOL, TYPE, Point
from ..model.interval import Interval, IntervalSet

_ROOM = 1 << 17  # numbers of one protocol
_CODES = FULL[CODE].hi + 1
_TYPED = (ICMP, ICMPV6)

SERVICE = (PROTOCOL, DPORT, TYPE, CODE)  # the fields that make a service


def service(point: Point) -> int:
    """The service of a packet."""
    protocol = point[PROTOCOL]
    return protocol * _ROOM + _within(protocol, point[DPORT], point[TYPE], point[CODE])


def _within(protocol: int, port: int, type_: int, code: int) -> int:
    if protocol in PORT_PROTOCOLS:
        return port
    return type_ * _CODES + code if protocol in _TYPED else 0


def services(sets: Sets) -> IntervalSet:
    """The services of the packets in a product of packets (a piece of a box).

    >>> from fwengine.model.box import Box
    >>> from fwengine.model.fields import SPORT
    >>> web = Box.of({PROTOCOL: IntervalSet.single(6), DPORT: IntervalSet.single(80)})
    >>> ports_of(services(web.sets), 6).ranges
    ((80, 80),)
    """
    return _services(sets[PROTOCOL], sets[DPORT], sets[TYPE], sets[CODE])


@lru_cache(1 << 14)
def _services(protocols: IntervalSet, ports: IntervalSet, types: IntervalSet, codes: IntervalSet) -> IntervalSet:
    return IntervalSet.union(_pairs(protocols, ports, types, codes))


def _pairs(protocols: IntervalSet, ports: IntervalSet, types: IntervalSet, codes: IntervalSet) -> Iterator[Interval]:
    for protocol in (p for lo, hi in protocols for p in range(lo, hi + 1)):
        first = protocol * _ROOM
        if protocol in PORT_PROTOCOLS:
            yield from ((first + lo, first + hi) for lo, hi in ports)
        elif protocol in _TYPED:
            for type_ in (t for lo, hi in types for t in range(lo, hi + 1)):
                yield from ((first + type_ * _CODES + lo, first + type_ * _CODES + hi) for lo, hi in codes)
        else:
            yield first, first


def whole(protocol: int) -> IntervalSet:
    """All services of one protocol."""
    if protocol in PORT_PROTOCOLS:
        return of_ports(protocol, FULL[DPORT])
    if protocol in _TYPED:
        first = protocol * _ROOM
        typed = [(first + t * _CODES, first + t * _CODES + 255) for t in range(NO_TYPE)]
        absent = first + NO_TYPE * _CODES + FULL[CODE].hi
        return IntervalSet.union([*typed, (absent, absent)])
    return IntervalSet.single(protocol * _ROOM)


def of_ports(protocol: int, ports: IntervalSet) -> IntervalSet:
    """The services of some ports of a protocol that has them."""
    return IntervalSet(tuple([(protocol * _ROOM + lo, protocol * _ROOM + hi) for lo, hi in ports]))


def protocols_of(chosen: IntervalSet) -> tuple[int, ...]:
    """The protocols of some services, ascending."""
    return tuple(sorted({p for lo, hi in chosen for p in range(lo // _ROOM, hi // _ROOM + 1)}))


def of_protocol(chosen: IntervalSet, protocol: int) -> IntervalSet:
    """Those of some services that are one protocol's."""
    return chosen & IntervalSet(((protocol * _ROOM, protocol * _ROOM + _ROOM - 1),))


def ports_of(chosen: IntervalSet, protocol: int) -> IntervalSet:
    """The ports of some services of a protocol that has ports; 65536 stands for no port, that is for later fragments."""
    first = protocol * _ROOM
    return IntervalSet(tuple([(lo - first, hi - first) for lo, hi in of_protocol(chosen, protocol)]))


def types_of(chosen: IntervalSet, protocol: int) -> dict[int, IntervalSet]:
    """The codes by type of some services of icmp or icmpv6; type 256 stands for no type."""
    first = protocol * _ROOM
    out: dict[int, list[Interval]] = {}
    for lo, hi in of_protocol(chosen, protocol):
        at = lo - first
        while at <= hi - first:
            type_, code = divmod(at, _CODES)
            last = min(hi - first, type_ * _CODES + _CODES - 1)
            out.setdefault(type_, []).append((code, last - type_ * _CODES))
            at = last + 1
    return {type_: IntervalSet.union(pairs) for type_, pairs in out.items()}
