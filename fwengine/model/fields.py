"""The fields of header space: the one table of what there is to know of each.

A point of header space gives each field an integer; a field that a packet does not have (the ports of an ICMP packet,
say) has that field's absent value, which no condition contains. So "a condition on an absent field is false, and so is
its negation" is plain set membership. Whatever else speaks of fields one by one is derived from `TABLE`: domains, shapes,
orders, option keywords, notations, columns. This module knows neither packets, rules nor bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from typing import Literal, NamedTuple

from ..errors import PacketError
from . import address
from .interval import IntervalSet

Point = tuple[int, ...]


class Field(IntEnum):
    """The axes of header space, in the order of a point."""

    PROTOCOL = 0
    SRC = 1
    DST = 2
    SPORT = 3
    DPORT = 4
    TYPE = 5
    CODE = 6
    FLAGS = 7
    FRAGMENT = 8
    IN = 9
    OUT = 10
    STATE = 11
    DSCP = 12
    TTL = 13
    LENGTH = 14


# as plain integers, since they index tuples where speed counts
PROTOCOL, SRC, DST, SPORT, DPORT, TYPE, CODE, FLAGS, FRAGMENT, IN, OUT, STATE, DSCP, TTL, LENGTH = map(int, Field)

ICMP, TCP, UDP, DCCP, ICMPV6, SCTP, UDPLITE = 1, 6, 17, 33, 58, 132, 136
# The next headers of IPv6 that are stepped through to the protocol: hop-by-hop, routing, fragment, authentication and
# destination options. Those of Linux' `ipv6_find_hdr`, as ip6tables asks it (nft alone stops at authentication); mobility
# (135), HIP (139) and shim6 (140) are protocols, and in IPv4 all numbers are. `tests/kernel` measures it.
HOP_BY_HOP, ROUTING, FRAGMENT_HEADER, AUTHENTICATION, DESTINATION = 0, 43, 44, 51, 60
STEPPED_THROUGH = frozenset({HOP_BY_HOP, ROUTING, FRAGMENT_HEADER, AUTHENTICATION, DESTINATION})
PORT_PROTOCOLS = frozenset({TCP, UDP, DCCP, SCTP, UDPLITE})
WHOLE, FIRST, LATER = 0, 1, 2
FRAGMENTS: tuple[Literal["whole", "first", "later"], ...] = ("whole", "first", "later")
STATES = ("new", "established", "related", "invalid", "untracked")
FLAG_NAMES = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")  # bit 0 first
NO_PORT, NO_TYPE, NO_FLAGS, NO_INTERFACE = 65536, 256, 256, 0
INTERFACE_BYTES = 255  # the longest interface name in UTF-8

Kind = Literal["protocol", "address", "port", "icmp", "flags", "word", "interface", "number"]
Owners = Mapping[int, frozenset[int]]  # by family, the protocols that have a field


class Spec(NamedTuple):
    """What there is to know of one field."""

    field: int
    word: str  # what messages and JSON call it; of an option of the language also its keyword
    attribute: str  # of `Packet`, and the native classifier's column
    kind: Kind  # how its values are written, read and shown
    values: IntervalSet  # what a packet that has it may have there, and all that a condition may select
    absent: int | None = None  # the value that stands for "has none"
    owners: Owners | None = None  # which packets have it, later fragments aside; None: every packet
    words: tuple[str, ...] = ()  # of the kind "word": its values
    unstated: int | None = None  # what a packet that does not state it has there; None: it is open
    counted: bool = False  # does it tell flows apart? Sizes count those
    option: bool = True  # is it an option of the language, or has it a place of its own?
    merged: int = 0  # its turn when boxes that differ in one field are joined
    usual: tuple[int, ...] = ()  # what a believable packet has there, the plainest first
    bytes: int = 1  # of an item of the classifier's column
    aliases: tuple[str, ...] = ()  # other keywords of the same option


def _up_to(top: int) -> IntervalSet:
    return IntervalSet(((0, top),))


_NAMES = IntervalSet(((1, (1 << 8 * INTERFACE_BYTES) - 1),))
_PORTED = {4: PORT_PROTOCOLS, 6: PORT_PROTOCOLS}
_TYPED = {4: frozenset({ICMP}), 6: frozenset({ICMPV6})}
_FLAGGED = {4: frozenset({TCP}), 6: frozenset({TCP})}
_SYN, _SYN_ACK, _ACK, _PSH_ACK, _FIN_ACK, _RST = 2, 18, 16, 24, 17, 4

TABLE: tuple[Spec, ...] = (
    # of IPv6 the protocol after the extension headers
    Spec(PROTOCOL, "protocol", "protocol", "protocol", _up_to(255), counted=True, option=False, merged=12,
         usual=(TCP, UDP, ICMP, ICMPV6, 47, 50, 132)),
    # points of `address`'s number line, which carry the family
    Spec(SRC, "src", "src", "address", address.ALL, counted=True, option=False, merged=10, bytes=4),
    Spec(DST, "dst", "dst", "address", address.ALL, counted=True, option=False, merged=11, bytes=4),
    Spec(SPORT, "sport", "sport", "port", _up_to(65535), NO_PORT, _PORTED, counted=True, option=False, merged=8,
         usual=(49152, 1024), bytes=2),
    Spec(DPORT, "dport", "dport", "port", _up_to(65535), NO_PORT, _PORTED, counted=True, option=False, merged=9,
         usual=(80, 443, 22, 53), bytes=2),
    # of icmp over IPv4, of icmpv6 over IPv6
    Spec(TYPE, "type", "icmp_type", "icmp", _up_to(255), NO_TYPE, _TYPED, counted=True, merged=4,
         usual=(8, 128, 0, 129, 3, 1)),
    Spec(CODE, "code", "icmp_code", "icmp", _up_to(255), NO_TYPE, _TYPED, counted=True, merged=3, usual=(0,)),
    Spec(FLAGS, "flags", "flags", "flags", _up_to(255), NO_FLAGS, _FLAGGED, merged=2,
         usual=(_SYN, _SYN_ACK, _ACK, _PSH_ACK, _FIN_ACK, _RST)),
    Spec(FRAGMENT, "fragment", "fragment", "word", _up_to(LATER), words=FRAGMENTS, unstated=WHOLE, merged=1),
    # interface names, as numbers: see `interface_number`; absent is "not recorded"
    Spec(IN, "in", "in_interface", "interface", _NAMES, NO_INTERFACE, merged=6, usual=(NO_INTERFACE,), bytes=2),
    Spec(OUT, "out", "out_interface", "interface", _NAMES, NO_INTERFACE, merged=7, usual=(NO_INTERFACE,), bytes=2),
    Spec(STATE, "state", "state", "word", _up_to(len(STATES) - 1), words=STATES, unstated=0, merged=5),
    Spec(DSCP, "dscp", "dscp", "number", _up_to(63), merged=13, usual=(0,)),
    # of IPv6 the hop limit
    Spec(TTL, "ttl", "ttl", "number", _up_to(255), merged=14, usual=(64,), aliases=("hoplimit",)),
    # of the IP packet in all: IPv4's total length; for IPv6 40 and the payload length, which makes 65575 the most
    Spec(LENGTH, "length", "length", "number", _up_to(40 + 65535), merged=15, usual=(84, 1500), bytes=4),
)  # fmt: skip

FIELDS = len(TABLE)
PRESENT = tuple(spec.values for spec in TABLE)
ABSENT: dict[int, int] = {spec.field: spec.absent for spec in TABLE if spec.absent is not None}
# the whole domain, absence included: "no condition"
FULL = tuple(
    spec.values if spec.absent is None else spec.values | IntervalSet.single(spec.absent) for spec in TABLE
)  # fmt: skip
# what may be where a packet leaves a field open that it has: also that an interface is not recorded
OPEN = tuple(FULL[spec.field] if spec.owners is None else spec.values for spec in TABLE)
TOPS = tuple(full.hi for full in FULL)
PORTS, BYTE, SOME_INTERFACE = PRESENT[SPORT], PRESENT[PROTOCOL], PRESENT[IN]

FIVE = (PROTOCOL, SRC, DST, SPORT, DPORT)  # what is asked first, in orders that depend on the policy
REST = tuple(f for f in range(FIELDS) if f not in FIVE)  # what is asked behind them, in this order
STAGES = tuple(f for f in REST if f != FRAGMENT)  # what the native classifier folds into a class, in its order
OPTIONAL = tuple(spec.field for spec in TABLE if spec.owners is not None)  # what not every packet has
ADDRESSES = tuple(spec.field for spec in TABLE if spec.kind == "address")
INTERFACES = tuple(spec.field for spec in TABLE if spec.kind == "interface")
MERGED = tuple(sorted(range(FIELDS), key=lambda f: TABLE[f].merged))
COUNTED = tuple(spec.field for spec in TABLE if spec.counted)
OPTIONS = tuple(spec for spec in TABLE if spec.option)  # in the order in which they are written
KEYWORDS: dict[str, Spec] = {word: spec for spec in OPTIONS for word in (spec.word, *spec.aliases)}
# what every packet has, and written packets seldom tell
DETAILS = tuple(spec.field for spec in TABLE if spec.kind == "number")


def exists(protocol: int, family: int, fragment: int) -> bool:
    """Is there such a packet? What is stepped through is not a protocol, but of a later fragment: nobody can see behind it."""
    return family == 4 or fragment == LATER or protocol not in STEPPED_THROUGH


@cache
def present(protocol: int, family: int, fragment: int) -> frozenset[int]:
    """The fields that a packet has of those that not every packet has; none on a later fragment."""
    if fragment == LATER:
        return frozenset()
    return frozenset(f for f in OPTIONAL if protocol in (TABLE[f].owners or {})[family])


@cache
def lacking(protocol: int, family: int, fragment: int) -> tuple[tuple[int, int], ...]:
    """The fields that such a packet does not have, each with the value that says so."""
    there = present(protocol, family, fragment)
    return tuple((f, ABSENT[f]) for f in OPTIONAL if f not in there)


def owners(field: int) -> IntervalSet:
    """The protocols, of either family, that have a field."""
    given = TABLE[field].owners
    return BYTE if given is None else IntervalSet.union((p, p) for some in given.values() for p in some)


def interface_number(name: str) -> int:
    """An interface name as a number, distinct for distinct names; 0 is "none", for the empty string.

    >>> interface_name(interface_number("wan0"))
    'wan0'
    """
    data = name.encode("utf-8", "surrogatepass")
    if len(data) > INTERFACE_BYTES or name.startswith("\0"):
        raise PacketError(f"an interface name has at most {INTERFACE_BYTES} bytes and no leading NUL")
    return int.from_bytes(data, "big")


def interface_name(number: int) -> str:
    """The inverse of `interface_number`."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big").decode("utf-8", "surrogatepass")


def has_ports(protocol: int, fragment: int) -> bool:
    return SPORT in present(protocol, 4, fragment)


def has_type(protocol: int, family: int, fragment: int) -> bool:
    return TYPE in present(protocol, family, fragment)


def has_flags(protocol: int, fragment: int) -> bool:
    return FLAGS in present(protocol, 4, fragment)
