"""The fields of header space, their domains and what stands for "absent".

Header space has twelve fields. A point gives each an integer; a field that a packet does not have (the ports of an ICMP
packet, say) has that field's `ABSENT` value, which no condition contains. So "a condition on an absent field is false,
and so is its negation" is plain set membership. This module knows neither packets, rules nor bytes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from ..errors import PacketError
from . import address
from .interval import IntervalSet

Point = tuple[int, ...]


class Field(IntEnum):
    """The axes of header space, in the order of a point."""

    PROTOCOL = 0  # 0-255; of IPv6 the one after the extension headers
    SRC = 1  # points of `address`'s number line, which carry the family
    DST = 2
    SPORT = 3
    DPORT = 4
    TYPE = 5  # of icmp over IPv4, of icmpv6 over IPv6
    CODE = 6
    FLAGS = 7
    FRAGMENT = 8
    IN = 9  # interface names, as numbers: see `interface_number`
    OUT = 10
    STATE = 11


PROTOCOL, SRC, DST, SPORT, DPORT, TYPE, CODE, FLAGS, FRAGMENT, IN, OUT, STATE = range(12)
FIELDS = 12

ICMP, TCP, UDP, DCCP, ICMPV6, SCTP, UDPLITE = 1, 6, 17, 33, 58, 132, 136
PORT_PROTOCOLS = frozenset({TCP, UDP, DCCP, SCTP, UDPLITE})
WHOLE, FIRST, LATER = 0, 1, 2
FRAGMENTS: tuple[Literal["whole", "first", "later"], ...] = ("whole", "first", "later")
STATES = ("new", "established", "related", "invalid", "untracked")
FLAG_NAMES = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")  # bit 0 first

NO_PORT, NO_TYPE, NO_FLAGS, NO_INTERFACE = 65536, 256, 256, 0
INTERFACE_BYTES = 255  # the longest interface name in UTF-8
ABSENT = {SPORT: NO_PORT, DPORT: NO_PORT, TYPE: NO_TYPE, CODE: NO_TYPE, FLAGS: NO_FLAGS, IN: 0, OUT: 0}
TOPS = (
    255, address.TOP, address.TOP, NO_PORT, NO_PORT, NO_TYPE, NO_TYPE, NO_FLAGS, 2,
    (1 << 8 * INTERFACE_BYTES) - 1, (1 << 8 * INTERFACE_BYTES) - 1, len(STATES) - 1,
)  # fmt: skip
FULL = tuple(IntervalSet(((0, top),)) for top in TOPS)  # the whole domain, absence included: "no condition"
PORTS, BYTE = IntervalSet(((0, 65535),)), IntervalSet(((0, 255),))
SOME_INTERFACE = IntervalSet(((1, TOPS[IN]),))
# what a condition may select at most, and within which `not` complements
PRESENT = (
    FULL[0], FULL[1], FULL[2], PORTS, PORTS, BYTE, BYTE, BYTE, FULL[8], SOME_INTERFACE, SOME_INTERFACE, FULL[11]
)  # fmt: skip


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
    return protocol in PORT_PROTOCOLS and fragment != LATER


def has_type(protocol: int, family: int, fragment: int) -> bool:
    return fragment != LATER and protocol == (ICMP if family == 4 else ICMPV6)


def has_flags(protocol: int, fragment: int) -> bool:
    return protocol == TCP and fragment != LATER
