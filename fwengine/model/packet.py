"""Packets: a packet is a point in header space, or a part of it where fields are open.

This module knows neither rules nor bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, Never, Protocol

from ..errors import PacketError
from ..handed import Handed
from . import address
from .address import Family
from .fields import (
    ABSENT,
    DCCP,
    DETAILS,
    DPORT,
    DST,
    FIELDS,
    FLAG_NAMES,
    FRAGMENTS,
    ICMP,
    ICMPV6,
    INTERFACES,
    KEYWORDS,
    NO_PORT,
    OPEN,
    OPTIONS,
    PORT_PROTOCOLS,
    PROTOCOL,
    SCTP,
    SPORT,
    SRC,
    TABLE,
    TCP,
    TOPS,
    UDP,
    UDPLITE,
    Point,
    Spec,
    exists,
    interface_name,
    interface_number,
    lacking,
)
from .interval import IntervalSet


class Codec(Protocol):
    """What turns texts and bytes into packets and back: see `fwengine.traffic.codec`."""

    def parse(self, text: str) -> Packet: ...

    def decode(self, data: bytes, link: str) -> Packet: ...

    def encode(self, packet: Packet, link: str) -> bytes: ...


# as a program states them: numbers, or words of the language; addresses also of `ipaddress` and `netaddr`
Stated = int | str | None
_NUMBERS = frozenset({int, type(None)})


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Packet:
    """A packet, or a packet partly described: the validated fields that a stateless filter looks at.

    Of the optional fields, `None` means *open* where the packet has such a field (the ports of a tcp packet), and
    *absent* where it cannot have one (the ports of an ICMP packet or of a later fragment). An interface is open
    when `None`, and absent, that is not recorded, when it is the empty string.

    Args:
        family: 4 or 6; needed only where both addresses are numbers.
        protocol: 0-255, or a name.
        src, dst: the addresses as text, of `ipaddress` or `netaddr`, or as unsigned numbers of 32 or 128 bits.
        sport, dport: 0-65535, or the name of a service.
        icmp_type, icmp_code: 0-255, or their names.
        flags: the eight TCP flags, fin in bit 0 to cwr in bit 7, or as in `syn,ack`.
        fragment: "whole", "first" or "later".
        in_interface, out_interface: names.
        state: "new", "established", "related", "invalid" or "untracked".
        dscp: 0-63, the upper six bits of IPv4's type of service or IPv6's traffic class, or a name such as `ef`.
        ttl: 0-255, of IPv6 the hop limit.
        length: of the whole IP packet in bytes: IPv4's total length; for IPv6 40 and the payload length.

    Raises:
        PacketError: if a value is outside its domain, or stated though the packet has no such field; for a name that
            means nothing there, with what was probably meant.

    >>> web = Packet(protocol="tcp", src="5.6.7.8", dst="1.2.3.4", dport="http", flags="syn")
    >>> print(web, "and", web.dport)
    tcp 5.6.7.8 -> 1.2.3.4:80 flags syn and 80
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
    dscp: int | None = None
    ttl: int | None = None
    length: int | None = None
    # Derived, so they take no part in comparisons. `values` has one number a field, None where it is open; `point` is the
    # same if nothing is open, and None if something is.
    values: tuple[int | None, ...] = field(init=False, repr=False, compare=False)
    point: Point | None = field(init=False, repr=False, compare=False)

    def __init__(
        self,
        family: Family | None = None,
        protocol: Stated = None,
        src: Any = None,
        dst: Any = None,
        sport: Stated = None,
        dport: Stated = None,
        icmp_type: Stated = None,
        icmp_code: Stated = None,
        flags: Stated = None,
        fragment: str = "whole",
        in_interface: str | None = None,
        out_interface: str | None = None,
        state: str = "new",
        dscp: Stated = None,
        ttl: Stated = None,
        length: Stated = None,
        **unknown: Never,
    ) -> None:
        if unknown:
            raise Handed.load("unknown_field")(next(iter(unknown)))
        numbers = (protocol, src, dst, sport, dport, icmp_type, icmp_code, flags, dscp, ttl, length)
        if family is None or src is None or dst is None or not _NUMBERS.issuperset(map(type, numbers)):
            family, found = Handed.load("stated")(family, dict(zip(_NUMBERED, numbers, strict=True)))
            protocol, src, dst, sport, dport, icmp_type, icmp_code, flags, dscp, ttl, length = found.values()
        put = object.__setattr__  # one by one: packets are made by the million
        put(self, "family", family)
        put(self, "protocol", protocol)
        put(self, "src", src)
        put(self, "dst", dst)
        put(self, "sport", sport)
        put(self, "dport", dport)
        put(self, "icmp_type", icmp_type)
        put(self, "icmp_code", icmp_code)
        put(self, "flags", flags)
        put(self, "fragment", fragment)
        put(self, "in_interface", in_interface)
        put(self, "out_interface", out_interface)
        put(self, "state", state)
        put(self, "dscp", dscp)
        put(self, "ttl", ttl)
        put(self, "length", length)
        self._derive()

    def _derive(self) -> None:
        family: object = self.family  # whatever the caller's types say
        if type(family) is not int or family not in (4, 6):
            raise PacketError(f"family is 4 or 6, not {self.family!r}")
        bits = 32 if self.family == 4 else 128
        for spec in _STATED:
            given = getattr(self, spec.attribute)
            if spec.kind == "word":
                if given not in spec.words:
                    meant = Handed.load("near")(given, spec.words)
                    raise PacketError(f"{spec.attribute} is {_either(spec.words)}, not {given!r}{meant}")
            else:
                _check(spec.attribute, given, (1 << bits) - 1 if spec.kind == "address" else spec.values.hi)
        if not exists(self.protocol, self.family, FRAGMENTS.index(self.fragment)):
            raise PacketError(
                f"no IPv6 packet has protocol {self.protocol}: that header is stepped through to the protocol behind it"
            )
        none = dict(lacking(self.protocol, self.family, FRAGMENTS.index(self.fragment)))
        found: list[int | None] = []
        for spec, attribute, f, top in _READ:
            given = getattr(self, attribute)
            if given is None:
                found.append(none.get(f))
            elif type(given) is int and 0 <= given <= top and f not in none:  # nothing to translate, and quicker
                found.append(given)
            else:
                found.append(_value(spec, given, self.family, none))
        values = tuple(found)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "point", None if None in values else values)

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
    def from_point(cls, point: Point, asked: Collection[int] | None = None) -> Packet:
        """The inverse of `point`.

        Args:
            asked: of the fields that every packet has and few ask for (`fields.DETAILS`) those to state; None for all.

        Raises:
            PacketError: if no packet lies there: see `box.SHAPES`.
        """
        if len(point) != FIELDS or not all(0 <= value <= top for value, top in zip(point, TOPS, strict=True)):
            raise PacketError("a point has one number a field, within the field's domain")
        open_ = () if asked is None else tuple([f for f in DETAILS if f not in asked])
        try:
            stated: dict[str, Any] = {
                attribute: point[f] if point[f] <= top else _attribute(spec, point[f])
                for spec, attribute, f, top in _READ
                if f not in open_
            }
        except UnicodeDecodeError:
            raise PacketError("an interface name is text in UTF-8") from None
        packet = cls(address.family_of(point[SRC]), **stated)
        # families that differ, or a field left out that the packet has
        if packet.values != tuple([None if f in open_ else value for f, value in enumerate(point)]):
            raise PacketError("no packet has these fields together")
        return packet

    def without(self, open: Iterable[int]) -> Packet:
        """The packet with these fields left open."""
        changes = dict.fromkeys(TABLE[f].attribute for f in open)
        return self.replace(**changes) if changes else self

    def as_seen_by(self, asked: Collection[int]) -> Point | None:
        """The packet as one point, for who asks for these fields alone: what is open elsewhere has whatever value.

        None if one of them is open. Whoever asks for a field must have named it: for all others the answer is a guess.

        >>> from .fields import DPORT, FLAGS, SPORT
        >>> web = Packet.of("tcp", "5.6.7.8", "1.2.3.4", sport=1029, dport=80)
        >>> web.point, web.as_seen_by((SPORT, DPORT)) is None, web.as_seen_by((FLAGS,))
        (None, False, None)
        """
        if self.point is not None:
            return self.point
        if any(self.values[f] is None for f in asked):
            return None
        return tuple([OPEN[f].lo if value is None else value for f, value in enumerate(self.values)])

    @property
    def sets(self) -> tuple[IntervalSet, ...]:
        """The packets described, as one interval set a field: single values where stated, all possible ones where open."""
        return tuple([OPEN[f] if value is None else IntervalSet.single(value) for f, value in enumerate(self.values)])

    def replace(self, **changes: Any) -> Packet:
        """A copy with some fields changed, validated anew."""
        now = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        return type(self)(**{**now, **changes})

    def __repr__(self) -> str:
        return f"Packet.parse({write(self, INTERFACES)!r})"

    def _repr_html_(self) -> str:
        return str(Handed.load("html")(self))

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


_NUMBERED = ("protocol", "src", "dst", "sport", "dport", "icmp_type", "icmp_code", "flags", "dscp", "ttl", "length")
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


# what a packet always states
_STATED = tuple(spec for spec in TABLE if spec.kind in ("protocol", "address", "word"))


# (spec, attribute, field, the top of what is a number in a packet as in a point; -1 if it is none)
_READ = tuple(
    (s, s.attribute, s.field, -1 if s.kind in ("address", "word", "interface") else s.values.hi) for s in TABLE
)


def _either(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) < 4 else f"one of {', '.join(words)}"


def _value(spec: Spec, given: Any, family: int, none: Mapping[int, int]) -> int | None:
    """The number of what a packet states in a field; None if it leaves it open. `none`: the fields that it lacks."""
    if given is None:
        return none.get(spec.field)
    if spec.field in none:
        raise PacketError(f"this packet has no {spec.attribute.replace('_', ' ')}: leave {spec.attribute} out")
    if spec.kind == "address":
        return address.to_point(family, given)
    if spec.kind == "word":
        return spec.words.index(given)
    if spec.kind == "interface":
        if not isinstance(given, str):
            raise PacketError(f"{spec.attribute} is a name, not {given!r}")
        return interface_number(given)
    _check(spec.attribute, given, spec.values.hi)
    return int(given)


def _attribute(spec: Spec, value: int) -> Any:
    """The inverse of `_value`."""
    if spec.kind == "address":
        return address.to_value(value)
    if spec.kind == "word":
        return spec.words[value]
    if spec.kind == "interface":
        return interface_name(value)
    return None if value == ABSENT.get(spec.field) else value


def write_flags(value: int) -> str:
    """TCP flags as in `syn,ack`; `none` where none is set."""
    return ",".join(name for bit, name in enumerate(FLAG_NAMES) if value >> bit & 1) or "none"


# the language's keywords; `language.meaning.scope.RESERVED` has the same, and a test compares them
_WORDS = frozenset({
    "allow", "deny", "net", "ports", "service", "interface", "include", "default", "expect", "from", "to", "port", "except", "by", "or",
    "unless", "not", "established", "log", "until", "as", "any", "none", "ipv4", "ipv6", *KEYWORDS,
})  # fmt: skip


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
    return c if c.isprintable() and c != "\ufffd" else f"\\u{{{ord(c):x}}}"  # U+FFFD would be taken for damage


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
    given = [(spec, value) for spec in OPTIONS if (value := getattr(packet, spec.attribute)) is not None]
    return " ".join(words) + "".join([_option(spec, value, absent) for spec, value in given])


def protocol_word(protocol: int) -> str:
    """A protocol as a packet's text has it."""
    return _PROTOCOL_NAMES.get(protocol, str(protocol))


def option_word(spec: Spec, value: int, absent: Collection[int] = ()) -> str:
    """What `PointWriter` says of a value of a field behind the addresses, with a blank in front; nothing if it need not."""
    return _option(spec, _attribute(spec, value), absent)


def _option(spec: Spec, given: Any, absent: Collection[int]) -> str:
    """What is said of a field behind the addresses, with a blank in front; nothing where it need not be said."""
    if given is None or (given == "" and spec.field not in absent):
        return ""
    if spec.unstated is not None and given == spec.words[spec.unstated]:
        return ""
    return f" {spec.word} {_written(spec, given)}"


def _written(spec: Spec, given: Any) -> str:
    if spec.kind == "flags":
        return write_flags(given)
    return write_interface(given) if spec.kind == "interface" else str(given)


_HOSTS, _GIVEN = 1 << 16, 1 << 14  # texts remembered of addresses, and of one field's values


class PointWriter:
    """What `write` says of the packets at points, put together from texts that are remembered: for whole captures.

    Of dscp, ttl and length, and of interfaces that are not recorded, it tells for which of `asked` someone asks.

    >>> point = Packet.of("udp", "10.0.0.1", "10.0.0.2", sport=53, dport=4000, ttl=3).as_seen_by(())
    >>> PointWriter()(point), PointWriter({KEYWORDS["in"].field, KEYWORDS["ttl"].field})(point)
    ('udp 10.0.0.1:53 -> 10.0.0.2:4000', 'udp 10.0.0.1:53 -> 10.0.0.2:4000 in none ttl 3')
    """

    def __init__(self, asked: Collection[int] = ()) -> None:
        self._absent = asked
        self._hosts: dict[int, tuple[str, str]] = {}
        self._given: list[tuple[Spec, int, dict[int, str]]] = [
            (spec, spec.field, {}) for spec in OPTIONS if spec.field not in DETAILS or spec.field in asked
        ]

    def __call__(self, point: Point) -> str:
        protocol, src, dst, sport, dport = point[PROTOCOL], point[SRC], point[DST], point[SPORT], point[DPORT]
        ported = protocol in PORT_PROTOCOLS
        from_, to = self._hosts.get(src) or self._host(src), self._hosts.get(dst) or self._host(dst)
        text = f"{_PROTOCOL_NAMES.get(protocol, protocol)} {from_[ported]}" + (f":{sport}" if sport != NO_PORT else "")
        text += f" -> {to[ported]}" + (f":{dport}" if dport != NO_PORT else "")
        for spec, place, known in self._given:
            value = point[place]
            words = known.get(value)
            if words is None:
                words = self._words(spec, value, known)
            text += words
        return text

    def _host(self, point: int) -> tuple[str, str]:
        """An address without and with what sets it off from a port."""
        if len(self._hosts) >= _HOSTS:
            self._hosts.clear()
        text = address.show(point)
        found = self._hosts[point] = text, f"[{text}]" if address.family_of(point) == 6 else text
        return found

    def _words(self, spec: Spec, value: int, known: dict[int, str]) -> str:
        if len(known) >= _GIVEN:
            known.clear()
        words = known[value] = _option(spec, _attribute(spec, value), self._absent)
        return words
