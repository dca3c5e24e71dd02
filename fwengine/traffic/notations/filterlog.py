"""Lines of pfSense's and OPNsense's filterlog: `filterlog[123]: 5,,,1000000103,em0,match,block,in,4,0x0,,64,1,0,DF,6,tcp,60,…`.

Values between commas, whose number and meaning hang on the family and the protocol. Of an IPv4 fragment the offset tells
whether it is a later one; IPv6's extension headers are not told, so a line that names one as its protocol is refused.
Source: Netgate, "Raw Filter Log Format".
"""

from __future__ import annotations

import re
from typing import Any

from ...model.fields import FLAG_NAMES, PORT_PROTOCOLS, STEPPED_THROUGH
from ...model.packet import Packet
from .parts import NotationError, made, number, shortened

NAME = "filterlog"
_LOOKS = re.compile(
    r"(?:^|filterlog(?:\[[0-9]+\])?: *|- - - *)"  # behind its program's name, or behind a header of RFC 5424
    r"(?P<line>[0-9]*,[0-9]*,[^,]*,[0-9a-f]*,[^,]+,[a-z-]+,[a-z-]+,(?:in|out),[46],.*)$"
)
_TCP, _ICMP = 6, 1
_FLAGS = dict(zip("FSRPAUEW", (1 << bit for bit in range(len(FLAG_NAMES))), strict=True)) | {".": 1 << 4, "C": 1 << 7}
_TYPES: dict[str, tuple[int, int | None]] = {  # the words for IPv4's; others are not told apart
    "request": (8, None), "reply": (0, None), "unreach": (3, None), "unreachproto": (3, 2), "unreachport": (3, 3),
    "needfrag": (3, 4), "redirect": (5, None), "timexceed": (11, None), "timeexceed": (11, None), "paramprob": (12, None),
    "tstamp": (13, None), "tstampreply": (14, None), "maskreply": (18, None),
}  # fmt: skip


def looks(line: str) -> bool:
    return _LOOKS.search(line) is not None


def read(line: str) -> Packet:
    """The packet of a log line.

    Raises:
        NotationError: if what it tells is not understood, or not enough.

    >>> str(read("filterlog: 5,,,1000000103,em0,match,block,in,4,0x0,,64,1,0,DF,6,tcp,60,203.0.113.9,192.0.2.80,4,22,0,S,7,,64240,,mss"))
    'tcp 203.0.113.9:4 -> 192.0.2.80:22 flags syn in em0'
    """
    found = _LOOKS.search(line)
    assert found is not None
    values = found["line"].strip().split(",")
    side = "in_interface" if values[7] == "in" else "out_interface"
    optional: dict[str, Any] = {side: values[4]}
    if values[8] == "4":
        _long(values, 20)
        protocol, rest = number(NAME, "the protocol", values[15]), values[20:]
        optional |= _fragment(values[13], values[14])
    else:
        _long(values, 17)
        protocol, rest = number(NAME, "the protocol", values[13]), values[17:]
        if protocol in STEPPED_THROUGH:
            said = f"protocol {protocol} is a header that stands before another, which the line does not tell"
            raise NotationError(NAME, "ambiguous", said)
    src, dst = values[18:20] if values[8] == "4" else values[15:17]
    if optional.get("fragment") != "later":
        optional |= _transport(protocol, values[8], rest)
    return made(NAME, protocol, src, dst, **optional)


def _long(values: list[str], least: int) -> None:
    if len(values) < least:
        raise NotationError(
            NAME, "untold", f"the line is cut short: {len(values)} values, and there are {least} or more"
        )


def _fragment(offset: str, flags: str) -> dict[str, str]:
    """IPv4's offset, and the flag that says there is more."""
    if number(NAME, "the fragment's offset", offset):
        return {"fragment": "later"}
    return {"fragment": "first"} if "+" in flags else {}


def _transport(protocol: int, family: str, rest: list[str]) -> dict[str, Any]:
    """What stands behind the addresses; of a packet too short for its ports nothing is told."""
    if protocol in PORT_PROTOCOLS:
        if len(rest) < 2:
            raise NotationError(NAME, "untold", "the line has no ports")
        optional: dict[str, Any] = {"sport": number(NAME, "port", rest[0]), "dport": number(NAME, "port", rest[1])}
        if protocol == _TCP:
            if len(rest) < 4:
                raise NotationError(NAME, "untold", "the line is cut short before the flags")
            optional["flags"] = _flags(rest[3])
        return optional
    if protocol == _ICMP and family == "4" and rest and rest[0] in _TYPES:
        kind, code = _TYPES[rest[0]]
        return {"icmp_type": kind} if code is None else {"icmp_type": kind, "icmp_code": code}
    return {}


def _flags(letters: str) -> int:
    out = 0
    for letter in letters:
        if letter not in _FLAGS:
            raise NotationError(NAME, "unreadable", f"`{shortened(letters)}` are not the letters of tcp's flags")
        out |= _FLAGS[letter]
    return out
