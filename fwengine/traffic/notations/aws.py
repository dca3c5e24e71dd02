"""Lines of AWS VPC flow logs in the default format, version 2.

`version account interface source destination sport dport protocol packets bytes start end action status`. Ports of
what has none are 0; ICMP types, TCP flags and fragments are not told. The interface is the instance's, in either
direction, and does not say whether the packet came in or went out there: it is left open.
"""

from __future__ import annotations

import re

from ...model.packet import Packet
from .parts import NotationError, number, ported

NAME = "vpc-flow"
_LOOKS = re.compile(r"(?P<version>\d) (?:\d{12}|unknown) eni-\S+ (?P<rest>.*)")
_FIELDS = 11  # behind the interface


def looks(line: str) -> bool:
    return _LOOKS.fullmatch(line.strip()) is not None


def read(line: str) -> Packet:
    """The packet of a flow's line.

    Raises:
        NotationError: if the line has no flow, or another format than the default one.

    >>> str(read("2 123456789012 eni-0a1b2c3d 203.0.113.9 192.0.2.80 40000 22 6 4 240 1700000000 1700000060 REJECT OK"))
    'tcp 203.0.113.9:40000 -> 192.0.2.80:22'
    """
    found = _LOOKS.fullmatch(line.strip())
    assert found is not None
    words = found["rest"].split(" ")
    if found["version"] != "2" or len(words) != _FIELDS:
        raise NotationError(NAME, "unreadable", "only the default format of version 2, with 14 fields, is read")
    if words[-1] != "OK":
        raise NotationError(NAME, "no-packet", f"the line tells of no flow: {words[-1]}")
    if words[-2] not in ("ACCEPT", "REJECT"):
        raise NotationError(NAME, "unreadable", f"`{words[-2]}` is neither ACCEPT nor REJECT")
    src, dst = words[:2]
    sport, dport, ip = [
        number(NAME, what, word) for what, word in zip(("port", "port", "protocol"), words[2:5], strict=True)
    ]
    return ported(NAME, ip, src, dst, sport, dport)
