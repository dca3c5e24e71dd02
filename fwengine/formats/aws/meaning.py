"""What an entry of a network ACL or of a security group means: a protocol, ports, a message, and who is at the other end.

AWS looks at ports for the protocols 6 and 17 alone, at types and codes for 1 and 58 alone; -1 is all protocols. What a later
fragment meets where ports are asked for AWS does not say, so that is in doubt. Host bits below a prefix are dropped, as AWS does.

Source: Amazon VPC User Guide, "Network ACLs" and "Security group rules"; EC2 API reference, AuthorizeSecurityGroupIngress.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import Diagnostic, Span
from ...model import address
from ...model.fields import CODE, DPORT, DST, FRAGMENT, ICMP, ICMPV6, PROTOCOL, SRC, TCP, TYPE, UDP
from ...model.interval import IntervalSet
from ...registry import names
from ..chains import Part
from ..matching import Conditions, Match
from .words import RefusedError, short

EARLY, LATER = IntervalSet(((0, 1),)), IntervalSet.single(2)
PORTED, TYPED = frozenset({TCP, UDP}), frozenset({ICMP, ICMPV6})
FRAGMENTS_DOUBTED = "AWS does not say whether a rule about ports or types takes later fragments"
UNLOOKED = "FW480"
EVERY_PORT = ((-1, -1), (0, 0), (0, 65535), (-1, None), (0, None))  # what is written where ports mean nothing
LAST_NUMBER = 32766  # of an entry that a user can make; those behind are the ends, which deny what is left
_ALL = ("-1", "all")
_FAMILIES = ((address.V4, ICMP), (address.V6, ICMPV6))


@dataclass(frozen=True)
class Traffic:
    """What packets are about; None is all. `first` and `last` are ports, or the type and code of a message (-1: any)."""

    protocol: int | None
    first: int | None = None
    last: int | None = None
    doubts: tuple[str, ...] = ()

    @property
    def is_deep(self) -> bool:
        """Does it look behind the IP header?"""
        if self.protocol in PORTED:
            return self.first is not None and (self.first, self.last) != (0, 65535)
        return self.protocol in TYPED and self.first not in (None, -1)

    def __str__(self) -> str:
        words = "all" if self.protocol is None else names.protocol_name(self.protocol)
        if not self.is_deep:
            return words
        both = self.first, self.last
        return f"{words} {self.first}" if both[0] == both[1] or both[1] == -1 else f"{words} {self.first}-{self.last}"


@dataclass(frozen=True)
class Peer:
    """Who is at the other end: the addresses, and the words for them."""

    addresses: IntervalSet
    words: str
    doubts: tuple[str, ...] = ()

    @classmethod
    def unknown(cls, words: str, reason: str) -> Peer:
        """One of which nothing is known."""
        return cls(address.ALL, words, (reason,))

    @classmethod
    def prefix_list(cls, name: str) -> Peer:
        return cls.unknown(f"prefix list {name}", f"what prefix list {name} holds is not known here")

    @classmethod
    def group(cls, name: str) -> Peer:
        return cls.unknown(f"group {name}", f"who is in group {name} is not known here")


def parts_of(traffic: Traffic, peer: Peer, egress: bool) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The match of an entry, that of what comes from the other end, or with `egress` goes there; and that of later fragments, if
    AWS leaves it open whether it takes them.
    """
    near, far = (DST, SRC) if egress else (SRC, DST)
    match = Match({})
    match.require_any(
        {near: there, far: family} for family, _ in _FAMILIES if (there := peer.addresses & family).ranges
    )
    if traffic.protocol is not None:
        match.require({PROTOCOL: IntervalSet.single(traffic.protocol)})
    for reason in dict.fromkeys((*traffic.doubts, *peer.doubts)):
        match.doubt(reason)
    if not traffic.is_deep:
        return match.parts(), ()
    fragments, foreign = match.copy(), match.copy()
    fragments.require({FRAGMENT: LATER})
    fragments.doubt(FRAGMENTS_DOUBTED)
    match.require(_conditions(traffic))
    if traffic.protocol not in TYPED:
        return match.parts(), fragments.parts()
    own = next(family for family, protocol in _FAMILIES if protocol == traffic.protocol)
    foreign.require({SRC: address.ALL - own, FRAGMENT: EARLY})  # there no packet has a type that could be seen here
    foreign.doubt(f"protocol {traffic.protocol} over the other IP version")
    return (*match.parts(), *foreign.parts()), fragments.parts()


def _conditions(traffic: Traffic) -> Conditions:
    assert traffic.first is not None
    assert traffic.last is not None
    if traffic.protocol in PORTED:
        return {DPORT: IntervalSet(((traffic.first, traffic.last),))}
    conditions = {TYPE: IntervalSet.single(traffic.first)}
    if traffic.last != -1:
        conditions[CODE] = IntervalSet.single(traffic.last)
    return conditions


def protocol_of(text: str, place: Span) -> int | None:
    """A protocol by number or name; None for all of them."""
    if text.lower() in _ALL:
        return None
    found = names.protocol(text)
    if found is None:
        near = names.near_protocol(text)
        help = f"did you mean `{near[0]}`?" if near else "AWS writes its number, or tcp, udp, icmp, icmpv6, -1"
        raise RefusedError(place, f"`{short(text)}` is not a protocol", help)
    return found


def network(text: str, place: Span, v6: bool) -> Peer:
    """A network in CIDR notation."""
    found = addresses(text, place, v6)
    (words,) = address.show_set(found)
    return Peer(found, words if "/" in words else f"{words}/{128 if v6 else 32}")


def addresses(text: str, place: Span, v6: bool) -> IntervalSet:
    """The addresses of a network."""
    host, slash, length = text.partition("/")
    try:
        point = address.parse(host)
    except ValueError as error:
        raise RefusedError(place, f"`{short(text)}` is not a network: {error}", _NETWORK) from None
    bits = address.bits_of(point)
    if (bits == 128) != v6:
        raise RefusedError(place, f"`{short(text)}` is not a network of {'IPv6' if v6 else 'IPv4'}", _NETWORK)
    if slash and not (re.fullmatch("[0-9]{1,3}", length) and int(length) <= bits):
        raise RefusedError(place, f"`/{short(length)}` is not a prefix length of {bits} bits", _NETWORK)
    return IntervalSet((address.prefix(point, int(length) if slash else bits),))


def unlooked(place: Span, protocol: int | None) -> Diagnostic:
    """Ports that AWS does not look at."""
    what = "all protocols" if protocol is None else f"protocol {protocol}"
    message = f"AWS does not look at these ports: the rule is about {what}, and takes any"
    help = "ports are looked at for the protocols 6 (tcp) and 17 (udp) alone"
    return Diagnostic(UNLOOKED, message, place, help=help, severity="warning")


def ports(first: int, last: int, place: Span) -> tuple[int, int]:
    """A range of ports as it may be."""
    for port in (first, last):
        if not 0 <= port <= 65535:
            raise RefusedError(place, f"`{port}` is not a port", "ports are between 0 and 65535")
    if first > last:
        raise RefusedError(place, f"the ports {first}-{last} are reversed", f"write {last}-{first}")
    return first, last


def message(kind: int, code: int, place: Span) -> tuple[int, int]:
    """An ICMP type and code as they may be; -1 is any."""
    if not -1 <= kind <= 255:
        raise RefusedError(place, f"`{kind}` is not an ICMP type", "types are between 0 and 255, or -1 for all")
    if not -1 <= code <= 255:
        raise RefusedError(place, f"`{code}` is not an ICMP code", "codes are between 0 and 255, or -1 for all")
    if kind == -1 and code != -1:
        raise RefusedError(place, f"all types with the code {code}", "with all types the code is -1, too")
    return kind, code


_NETWORK = "a network is written such as `10.0.0.0/16` or `2001:db8::/32`"
