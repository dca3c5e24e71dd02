"""IP addresses as text, and as points of one number line: IPv4 first, IPv6 behind it.

One line for both families makes a set of addresses one interval set, whatever it mixes. An IPv4-mapped IPv6 address
(`::ffff:1.2.3.4`) is an IPv6 address. The text forms are strict: a form that other programs read differently
(leading zeros, short forms, `1_000`, digits of other scripts) is an error that says what to write (CVE-2021-29921).
"""

from __future__ import annotations

import re
from typing import Literal

from .interval import Interval, IntervalSet

Family = Literal[4, 6]

V6_BASE = 1 << 32  # where IPv6 begins on the number line
TOP = V6_BASE + (1 << 128) - 1
V4 = IntervalSet(((0, V6_BASE - 1),))
V6 = IntervalSet(((V6_BASE, TOP),))
ALL = IntervalSet(((0, TOP),))

_V4_TEXT = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})", re.ASCII)
_V6_TEXT = re.compile(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3})?", re.ASCII)


def family_of(point: int) -> Family:
    """4 or 6, for a point of the number line."""
    return 4 if point < V6_BASE else 6


def bits_of(point: int) -> int:
    """32 or 128."""
    return 32 if point < V6_BASE else 128


def to_point(family: int, value: int) -> int:
    """The point of an address given as the number in its header field."""
    return value if family == 4 else V6_BASE + value


def to_value(point: int) -> int:
    """The number in the header field: 32 or 128 bits."""
    return point if point < V6_BASE else point - V6_BASE


def parse(text: str) -> int:
    """The point of an address, strictly read.

    Raises:
        ValueError: with a message that says what is wrong and, where it is clear, what to write.

    >>> parse("10.0.0.1"), parse("::1") - V6_BASE
    (167772161, 1)
    """
    match = _V4_TEXT.fullmatch(text)
    if match:
        value = 0
        for part in match.groups():
            if len(part) > 1 and part[0] == "0":
                plain = ".".join(str(int(p)) for p in match.groups())
                raise ValueError(f"leading zeros are ambiguous (octal to some programs): write `{plain}`")
            octet = int(part)
            if octet > 255:
                raise ValueError(f"`{part}` is above 255")
            value = value << 8 | octet
        return value
    if ":" in text:
        return _parse_v6(text)
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+){0,2}\.?", text, re.ASCII):
        raise ValueError("an IPv4 address has four parts, such as `192.0.2.1`")
    raise ValueError("no IP address")


def is_address(text: str) -> bool:
    """Does `parse` read it?"""
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _parse_v6(text: str) -> int:
    if "%" in text:
        raise ValueError("an address with a zone is not a match on the wire: drop the `%` part and use `in` or `out`")
    if not _V6_TEXT.fullmatch(text):
        raise ValueError("no IPv6 address")
    if "." in text:
        parse(text.rpartition(":")[2])  # strict about the embedded part, too
    import netaddr  # late: 30 ms, and most policies need it rarely

    try:
        # netaddr's own inet_pton is lenient about five-digit groups on some platforms: the groups are checked here
        if any(len(group) > 4 for group in re.split(r"[:.]", text)):
            raise ValueError("a group of an IPv6 address has at most four digits")
        return V6_BASE + int(netaddr.IPAddress(text, 6))
    except netaddr.AddrFormatError:
        raise ValueError("no IPv6 address: it has eight groups, or `::` once for the zeros") from None


def show(point: int) -> str:
    """The canonical text (IPv6 as in RFC 5952).

    >>> show(parse("192.0.2.1")), show(parse("2001:DB8:0::1"))
    ('192.0.2.1', '2001:db8::1')
    """
    if point < V6_BASE:
        return f"{point >> 24}.{point >> 16 & 255}.{point >> 8 & 255}.{point & 255}"
    import netaddr

    return str(netaddr.IPAddress(point - V6_BASE, 6))


def prefix(point: int, length: int) -> Interval:
    """The closed interval of a prefix; host bits of `point` are ignored."""
    size = 1 << (bits_of(point) - length)
    value = to_value(point) & -size
    first = to_point(family_of(point), value)
    return first, first + size - 1


def show_set(addresses: IntervalSet) -> list[str]:
    """The elements of the shortest usual spelling: whole prefixes where an interval is a few, a range otherwise.

    >>> show_set(IntervalSet.of(prefix(parse("10.0.0.0"), 8), (parse("192.0.2.5"), parse("192.0.2.9"))))
    ['10.0.0.0/8', '192.0.2.5-192.0.2.9']
    """
    out = []
    for family in (V4, V6):
        for lo, hi in addresses & family:
            if lo == hi:
                out.append(show(lo))
            elif (hi - lo + 1) & (hi - lo) == 0 and to_value(lo) % (hi - lo + 1) == 0:
                out.append(f"{show(lo)}/{bits_of(lo) - (hi - lo + 1).bit_length() + 1}")
            else:
                out.append(f"{show(lo)}-{show(hi)}")
    return out
