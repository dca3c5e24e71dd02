"""Packets: a packet is a point in header space, or a part of it where fields are open.

This module knows neither rules nor bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, Protocol

from ..errors import PacketError
from . import address
from .address import Family
from .fields import (
    ABSENT,
    BYTE,
    CODE,
    DCCP,
    DPORT,
    DST,
    FIELDS,
    FLAG_NAMES,
    FLAGS,
    FRAGMENT,
    FRAGMENTS,
    FULL,
    ICMP,
    ICMPV6,
    IN,
    NO_FLAGS,
    NO_PORT,
    NO_TYPE,
    OUT,
    PORT_PROTOCOLS,
    PORTS,
    PROTOCOL,
    SCTP,
    SPORT,
    SRC,
    STATE,
    STATES,
    TCP,
    TOPS,
    TYPE,
    UDP,
    UDPLITE,
    Point,
    has_flags,
    has_ports,
    has_type,
    interface_name,
    interface_number,
)
from .interval import IntervalSet


class Codec(Protocol):
    """What turns texts and bytes into packets and back: see `fwengine.traffic.codec`."""

    def parse(self, text: str) -> Packet: ...

    def decode(self, data: bytes, link: str) -> Packet: ...

    def encode(self, packet: Packet, link: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet, or a packet partly described: the validated fields that a stateless filter looks at.

    Of the optional fields, `None` means *open* where the packet has such a field (the ports of a tcp packet), and
    *absent* where it cannot have one (the ports of an ICMP packet or of a later fragment). An interface is open
    when `None`, and absent, that is not recorded, when it is the empty string.

    Args:
        family: 4 or 6.
        protocol: 0-255.
        src, dst: the addresses as unsigned numbers of 32 or 128 bits; `Packet.of` takes text.
        sport, dport: 0-65535.
        icmp_type, icmp_code: 0-255.
        flags: the eight TCP flags, fin in bit 0 to cwr in bit 7.
        fragment: "whole", "first" or "later".
        in_interface, out_interface: names.
        state: "new", "established", "related", "invalid" or "untracked".

    Raises:
        PacketError: if a value is outside its domain, or stated though the packet has no such field.

    >>> Packet.of("tcp", "5.6.7.8", "1.2.3.4", sport=1029, dport=80).dport
    80
    """

    family: Family
    protocol: int
    src: int
    dst: int
    sport: int | None = None
    dport: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    flags: int | None = None
    fragment: Literal["whole", "first", "later"] = "whole"
    in_interface: str | None = None
    out_interface: str | None = None
    state: str = "new"
    # None where something is open; derived, so it takes no part in comparisons
    point: Point | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        family: object = self.family  # whatever the caller's types say
        if type(family) is not int or family not in (4, 6):
            raise PacketError(f"family is 4 or 6, not {self.family!r}")
        bits = 32 if self.family == 4 else 128
        _check("protocol", self.protocol, 255)
        _check("src", self.src, (1 << bits) - 1)
        _check("dst", self.dst, (1 << bits) - 1)
        if self.fragment not in FRAGMENTS:
            raise PacketError(f"fragment is whole, first or later, not {self.fragment!r}")
        if self.state not in STATES:
            raise PacketError(f"state is one of {', '.join(STATES)}, not {self.state!r}")
        fragment = FRAGMENTS.index(self.fragment)
        ports = has_ports(self.protocol, fragment)
        types = has_type(self.protocol, self.family, fragment)
        values = [
            self.protocol,
            address.to_point(self.family, self.src),
            address.to_point(self.family, self.dst),
            _optional("sport", self.sport, 65535, ports, NO_PORT),
            _optional("dport", self.dport, 65535, ports, NO_PORT),
            _optional("icmp_type", self.icmp_type, 255, types, NO_TYPE),
            _optional("icmp_code", self.icmp_code, 255, types, NO_TYPE),
            _optional("flags", self.flags, 255, has_flags(self.protocol, fragment), NO_FLAGS),
            fragment,
            _interface("in_interface", self.in_interface),
            _interface("out_interface", self.out_interface),
            STATES.index(self.state),
        ]
        object.__setattr__(self, "point", None if None in values else tuple(values))

    @classmethod
    def of(cls, protocol: int | str, src: str, dst: str, **optional: Any) -> Packet:
        """A packet from addresses as text and a protocol by number or, for those whose fields we know, by name."""
        number = _PROTOCOLS.get(protocol, protocol) if isinstance(protocol, str) else protocol
        if isinstance(number, str):
            raise PacketError(f"unknown protocol `{protocol}`: one of {', '.join(_PROTOCOLS)}, or a number")
        points = []
        for name, text in (("src", src), ("dst", dst)):
            try:
                points.append(address.parse(text))
            except ValueError as error:
                raise PacketError(f"{name} `{text}`: {error}") from None
        a, b = points
        if address.family_of(a) != address.family_of(b):
            raise PacketError(f"`{src}` and `{dst}` are of different families: no packet has both")
        return cls(address.family_of(a), number, address.to_value(a), address.to_value(b), **optional)

    @classmethod
    def from_point(cls, point: Point) -> Packet:
        """The inverse of `point`.

        Raises:
            PacketError: if no packet lies there: see `box.SHAPES`.
        """
        if len(point) != FIELDS or not all(0 <= value <= top for value, top in zip(point, TOPS, strict=True)):
            raise PacketError("a point has one number a field, within the field's domain")
        sport, dport, kind, code, flags = [
            None if point[f] == ABSENT[f] else point[f] for f in (SPORT, DPORT, TYPE, CODE, FLAGS)
        ]
        try:
            incoming, outgoing = interface_name(point[IN]), interface_name(point[OUT])
        except UnicodeDecodeError:
            raise PacketError("an interface name is text in UTF-8") from None
        packet = cls(
            address.family_of(point[SRC]),
            point[PROTOCOL],
            address.to_value(point[SRC]),
            address.to_value(point[DST]),
            sport,
            dport,
            kind,
            code,
            flags,
            FRAGMENTS[point[FRAGMENT]],
            incoming,
            outgoing,
            STATES[point[STATE]],
        )
        if packet.point != tuple(point):  # families that differ, or a field left out that the packet has
            raise PacketError("no packet has these fields together")
        return packet

    @property
    def sets(self) -> tuple[IntervalSet, ...]:
        """The packets described, as one interval set a field: single values where stated, all present ones where open."""
        fragment = FRAGMENTS.index(self.fragment)
        ports = has_ports(self.protocol, fragment)
        types = has_type(self.protocol, self.family, fragment)
        single = IntervalSet.single
        return (
            single(self.protocol),
            single(address.to_point(self.family, self.src)),
            single(address.to_point(self.family, self.dst)),
            _set(self.sport, ports, PORTS, NO_PORT),
            _set(self.dport, ports, PORTS, NO_PORT),
            _set(self.icmp_type, types, BYTE, NO_TYPE),
            _set(self.icmp_code, types, BYTE, NO_TYPE),
            _set(self.flags, has_flags(self.protocol, fragment), BYTE, NO_FLAGS),
            single(fragment),
            FULL[IN] if self.in_interface is None else single(interface_number(self.in_interface)),
            FULL[OUT] if self.out_interface is None else single(interface_number(self.out_interface)),
            single(STATES.index(self.state)),
        )

    def replace(self, **changes: Any) -> Packet:
        """A copy with some fields changed, validated anew."""
        now = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        return type(self)(**{**now, **changes})

    def __str__(self) -> str:
        """In the notation of the rule language, which `Packet.parse` reads back."""
        return write(self)

    # Texts and bytes belong to layers above this one, which hand in what reads and writes them.
    codec: ClassVar[Codec]

    @staticmethod
    def parse(text: str) -> Packet:
        """A packet from any of the notations of `fwengine.traffic.notation`.

        Raises:
            PacketError: with what was expected instead.

        >>> from fwengine import Packet
        >>> Packet.parse("tcp 5.6.7.8:1029 -> 1.2.3.4:http").dport
        80
        """
        return Packet.codec.parse(text)

    @staticmethod
    def from_bytes(data: bytes, link: str = "ip") -> Packet:
        """A packet decoded from bytes that begin with the header of `link` ("ip", "ethernet", ...).

        Raises:
            PacketError: if the bytes are not IP, malformed or truncated; the message begins with that class.
        """
        return Packet.codec.decode(data, link)

    def to_bytes(self, link: str = "ip") -> bytes:
        """The packet on the wire, with right lengths and checksums; open fields take plausible values."""
        return Packet.codec.encode(self, link)


_PROTOCOLS: Mapping[str, int] = {
    "icmp": ICMP, "tcp": TCP, "udp": UDP, "dccp": DCCP, "icmpv6": ICMPV6, "sctp": SCTP, "udplite": UDPLITE,
    "igmp": 2, "ipip": 4, "gre": 47, "esp": 50, "ah": 51, "ospf": 89, "pim": 103, "vrrp": 112, "l2tp": 115,
}  # fmt: skip
_PROTOCOL_NAMES = {number: name for name, number in _PROTOCOLS.items()}


def _check(name: str, value: object, top: int) -> None:
    if type(value) is not int:
        raise PacketError(f"{name} is a whole number, not {value!r}")
    if not 0 <= value <= top:
        raise PacketError(f"{name} is between 0 and {top}, not {value}")


def _optional(name: str, value: int | None, top: int, present: bool, absent: int) -> int | None:
    if not present:
        if value is not None:
            raise PacketError(f"this packet has no {name.replace('_', ' ')}: leave {name} out")
        return absent
    if value is not None:
        _check(name, value, top)
    return value


def _interface(name: str, value: str | None) -> int | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise PacketError(f"{name} is a name, not {value!r}")
    return interface_number(value)


def _set(value: int | None, present: bool, domain: IntervalSet, absent: int) -> IntervalSet:
    if not present:
        return IntervalSet.single(absent)
    return domain if value is None else IntervalSet.single(value)


def write_flags(value: int) -> str:
    """TCP flags as in `syn,ack`; `none` where none is set."""
    return ",".join(name for bit, name in enumerate(FLAG_NAMES) if value >> bit & 1) or "none"


# the language's keywords; `language.resolve` has the same, and a test compares them
_WORDS_TEXT = (
    "allow deny net ports service include default expect from to port except by or unless not established flags type "
    "code fragment in out state log until as any none"
)
_WORDS = frozenset(_WORDS_TEXT.split())


def write_interface(name: str) -> str:
    """An interface name as the language writes it: quoted unless it is a plain word; `none` for an absent one."""
    if not name:
        return "none"
    plain = name.isascii() and all(c.isalnum() or c in "._-/:@" for c in name) and name not in _WORDS
    if plain and not name[0].isdigit() and "->" not in name:
        return name
    return '"' + "".join(_escape(c) for c in name) + '"'


def _escape(c: str) -> str:
    if c in '"\\':
        return "\\" + c
    return c if c.isprintable() else f"\\u{{{ord(c):x}}}"


def write(packet: Packet, absent: Collection[int] = ()) -> str:
    """A packet in the notation of the language; of the fields `absent` (IN, OUT) it says so if there is none: `in none`.

    >>> write(Packet.of("udp", "2001:db8::1", "2001:db8::2", sport=53, dport=4000))
    'udp [2001:db8::1]:53 -> [2001:db8::2]:4000'
    """
    ends = []
    for value, port in ((packet.src, packet.sport), (packet.dst, packet.dport)):
        text = address.show(address.to_point(packet.family, value))
        if port is not None:
            text = f"[{text}]:{port}" if packet.family == 6 else f"{text}:{port}"
        elif packet.family == 6 and packet.protocol in PORT_PROTOCOLS:
            text = f"[{text}]"  # `2001:db8::1:80` could be an address and a port
        ends.append(text)
    words = [_PROTOCOL_NAMES.get(packet.protocol, str(packet.protocol)), ends[0], "->", ends[1]]
    if packet.icmp_type is not None:
        words += ["type", str(packet.icmp_type)]
    if packet.icmp_code is not None:
        words += ["code", str(packet.icmp_code)]
    if packet.flags is not None:
        words += ["flags", write_flags(packet.flags)]
    if packet.fragment != "whole":
        words += ["fragment", packet.fragment]
    for number, word, name in ((IN, "in", packet.in_interface), (OUT, "out", packet.out_interface)):
        if name or (name == "" and number in absent):
            words += [word, write_interface(name)]
    if packet.state != "new":
        words += ["state", packet.state]
    return " ".join(words)
