"""Hypothesis strategies for texts of the rule language: regions, rules, policies.

By default they speak of few addresses, ports and protocols, so that rules overlap, shadow and contradict each other all the
time. Every region has a packet, and every text is one that the language takes. Knows no verdicts.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from ..language.meaning.region import show_box
from ..model import address
from ..model.box import HEADERS, Box
from ..model.fields import (
    BYTE,
    CODE,
    DPORT,
    DSCP,
    DST,
    FLAGS,
    FRAGMENT,
    ICMP,
    ICMPV6,
    IN,
    LATER,
    LENGTH,
    OUT,
    PORT_PROTOCOLS,
    PORTS,
    PROTOCOL,
    SOME_INTERFACE,
    SPORT,
    SRC,
    STATE,
    TCP,
    TTL,
    TYPE,
    UDP,
    interface_number,
)
from ..model.interval import Interval, IntervalSet

Draw = Callable[[st.SearchStrategy[Any]], Any]


def _sets(*ranges: Interval) -> st.SearchStrategy[IntervalSet]:
    return st.sampled_from([IntervalSet((pair,)) for pair in ranges])


def _net(text: str) -> IntervalSet:
    """A prefix or a range."""
    if "-" in text:
        lo, hi = map(address.parse, text.split("-"))
        return IntervalSet.of((lo, hi))
    base, length = text.split("/")
    return IntervalSet.of(address.prefix(address.parse(base), int(length)))


class _World(NamedTuple):
    """What the conditions are drawn from; the plainest first, which is what examples shrink to."""

    addresses: dict[int, st.SearchStrategy[IntervalSet]]
    protocols: st.SearchStrategy[IntervalSet]
    ports: st.SearchStrategy[IntervalSet]
    types: dict[int, st.SearchStrategy[IntervalSet]]
    codes: st.SearchStrategy[IntervalSet]
    flags: st.SearchStrategy[IntervalSet]


_TESTS = ((2, 18), (0, 20), (2, 2), (16, 16), (4, 4), (1, 1), (0, 255), (18, 18))  # (value, mask): syn/syn,ack first
_SMALL_NETS = {
    4: ("10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32", "10.0.0.0/30", "10.0.0.4/30", "10.0.0.0/29", "10.0.0.2-10.0.0.5",
        "0.0.0.0/0"),
    6: ("2001:db8::1/128", "2001:db8::2/128", "2001:db8::3/128", "2001:db8::/126", "2001:db8::/125",
        "2001:db8::2-2001:db8::5", "::/0"),
}  # fmt: skip


def _tested(value: int, mask: int) -> IntervalSet:
    """The flag bytes that pass a test; of `(0, 20)` those that do not: established, with rst or ack."""
    passing = IntervalSet.union((v, v) for v in range(256) if v & mask == value)
    return BYTE - passing if (value, mask) == (0, 20) else passing


def _some(*chosen: IntervalSet) -> st.SearchStrategy[IntervalSet]:
    return st.sampled_from(chosen)


def _singles(*values: int) -> st.SearchStrategy[IntervalSet]:
    return _sets(*((v, v) for v in values))


def _union(*values: int) -> IntervalSet:
    return IntervalSet.union((v, v) for v in values)


def _small() -> _World:
    return _World(
        {family: _some(*map(_net, nets)) for family, nets in _SMALL_NETS.items()},
        _some(*(_union(*p) for p in ((TCP,), (UDP,), (TCP, UDP), (ICMP,), (ICMPV6,), (47,), (TCP, 47)))),
        _sets((80, 80), (443, 443), (22, 22), (53, 53), (22, 80), (80, 443), (0, 1023), (1024, 65535)),
        {ICMP: _sets((8, 8), (0, 0), (3, 3), (0, 8)), ICMPV6: _sets((128, 128), (129, 129), (1, 4), (128, 129))},
        _sets((0, 0), (1, 1), (0, 3)),
        _some(*(_tested(*test) for test in _TESTS)),
    )


def _full() -> _World:
    def prefixes(family: int) -> st.SearchStrategy[IntervalSet]:
        bits = 32 if family == 4 else 128
        point = st.integers(0, (1 << bits) - 1).map(lambda v: address.to_point(family, v))
        nets = st.builds(lambda p, length: IntervalSet.of(address.prefix(p, length)), point, st.integers(0, bits))
        return nets | ranges(point)

    def ranges(values: st.SearchStrategy[int]) -> st.SearchStrategy[IntervalSet]:
        return st.builds(lambda a, b: IntervalSet.of((min(a, b), max(a, b))), values, values)

    byte, port = st.integers(0, 255), st.integers(0, 65535)
    some = ranges(byte) | byte.map(IntervalSet.single)
    tests = st.builds(lambda value, mask: _tested(value & mask, mask), byte, st.integers(1, 255))
    small = _small()
    return _World(
        {family: small.addresses[family] | prefixes(family) for family in (4, 6)},
        small.protocols | byte.map(IntervalSet.single),
        small.ports | ranges(port) | port.map(IntervalSet.single),
        {ICMP: some, ICMPV6: some},
        some,
        small.flags | tests,
    )


_INTERFACES = _some(
    *(IntervalSet.single(interface_number(name)) for name in ("wan0", "lan0", "")),
    SOME_INTERFACE - IntervalSet.single(interface_number("wan0")),
    _union(*map(interface_number, ("wan0", "lan0"))),
)
_FRAGMENTS = 8
_RARE = {  # of fifteen boxes, so many have one of these conditions
    _FRAGMENTS: (FRAGMENT, _some(*(_union(*f) for f in ((2,), (0,), (1, 2), (0, 1))))),
    9: (IN, _INTERFACES),
    10: (OUT, _INTERFACES),
    12: (DSCP, _some(*(_union(*d) for d in ((46,), (0,), (10, 12, 14))))),
    13: (TTL, _sets((0, 4), (64, 255), (1, 1))),
    14: (LENGTH, _sets((0, 127), (128, 65535), (1501, 65535))),
    11: (STATE, _some(*(_union(*s) for s in ((0,), (1,), (1, 2), (3,))))),
}
_TCP, _LATER = IntervalSet.single(TCP), IntervalSet.single(LATER)
_ICMPS = (IntervalSet.single(ICMP), IntervalSet.single(ICMPV6))
_WITH_PORTS = IntervalSet.union((p, p) for p in PORT_PROTOCOLS)


@st.composite
def _boxes(draw: Draw, world: _World) -> Box:
    """A nonempty box with up to five conditions."""
    sets: dict[int, IntervalSet] = {}
    family = draw(st.sampled_from((4, 6, None)))
    if draw(st.integers(0, 3)):
        sets[PROTOCOL] = draw(world.protocols)
    protocols = sets.get(PROTOCOL, BYTE)
    icmp = protocols.lo if protocols in _ICMPS else None
    if icmp is not None:
        family = 4 if icmp == ICMP else 6
    elif protocols.issubset(HEADERS):  # no protocol of IPv6
        family = 4
    for field in (DST, SRC):
        if draw(st.booleans()):
            sets[field] = _addresses(draw, world, family)
    before = len(sets)
    if protocols.issubset(_WITH_PORTS):
        for field in (DPORT, SPORT):
            if not draw(st.integers(0, 1 if field == DPORT else 3)):
                continue
            ports = draw(world.ports)
            sets[field] = (draw(st.integers(0, 7)) == 7 and PORTS - ports) or ports
    elif icmp is not None and draw(st.booleans()):
        sets[TYPE] = draw(world.types[icmp])
        if draw(st.integers(0, 3)) == 3:
            sets[CODE] = draw(world.codes)
    if protocols == _TCP and draw(st.integers(0, 3)) == 3:
        sets[FLAGS] = draw(world.flags)
    rare = draw(st.integers(0, 14))
    if rare in _RARE and (rare != _FRAGMENTS or len(sets) == before):  # later fragments have no ports
        field, values = _RARE[rare]
        sets[field] = draw(values)
    return Box.of(sets)


def _addresses(draw: Draw, world: _World, family: int | None) -> IntervalSet:
    """Of one family, or of both."""
    if family is None:
        chosen: IntervalSet = draw(world.addresses[4]) | draw(world.addresses[6])
    else:
        chosen = draw(world.addresses[family])
    if draw(st.integers(0, 7)) == 7:
        outside = address.ALL - chosen
        if outside & address.V4 and outside & address.V6:  # so that the two ends of a packet always share a family
            return outside
    return chosen


def _match(box: Box, services: str | None) -> str:
    """A box as text; with `services` in the place of its protocol if it has no protocol, nor later fragments only."""
    text = show_box(box)
    if services is None or box.sets[PROTOCOL] != BYTE or box.sets[FRAGMENT] == _LATER:
        return text
    return services + text.removeprefix("any")


_SERVICES = st.lists(
    st.sampled_from(("tcp/80", "udp/53", "tcp/443", "tcp/22", "udp/1024-65535")), min_size=2, max_size=3
).map(lambda items: "{ " + ", ".join(dict.fromkeys(items)) + " }")


def region_texts(full: bool, *, unions: bool = True) -> st.SearchStrategy[str]:
    """Regions, now and then one that takes several boxes if `unions` are wanted."""
    boxes = _boxes(_full() if full else _small())
    if not unions:
        return boxes.map(show_box)
    return st.builds(_match, boxes, st.none() | st.none() | _SERVICES)


def rule_texts(full: bool, as_of: datetime.date | None = None) -> st.SearchStrategy[str]:
    """Rules; given a day, some expire the day before, on it, or the day after."""
    words = [st.sampled_from(("allow", "deny")), region_texts(full)]
    if as_of is not None:
        days = [as_of + datetime.timedelta(n) for n in (-1, 0, 1)]
        words.append(st.sampled_from(["", "", "", *(f"until {day}" for day in days)]))
    return st.tuples(*words).map(_joined)


def policy_texts(least: int, most: int, full: bool, as_of: datetime.date | None = None) -> st.SearchStrategy[str]:
    """Policies of so many rules."""
    default = st.sampled_from(("default deny", "default allow"))
    rules = st.lists(rule_texts(full, as_of), min_size=least, max_size=most)
    return st.builds(lambda first, rest: "\n".join([first, *rest, ""]), default, rules)


def _joined(words: Sequence[str]) -> str:
    return " ".join(word for word in words if word)
