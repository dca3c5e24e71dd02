"""Packets as people write them and as other programs log them -> `Packet`; each notation is a module of `notations`.

- `tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn in wan0`: read by the language's grammar
- `proto=tcp src=5.6.7.8 sport=1029 dst=192.0.2.80 dport=80`, and JSON with the same keys
- `hex:4500…`, an IP packet byte by byte, and `ethernet:…`, a frame
- a line of `tcpdump -nn`, also of a pflog interface; a log line of iptables, nft and ufw, of Cisco ASA and IOS, of
  Juniper's SRX and filters, of pfSense and OPNsense; a line of an AWS VPC flow log

What is left out is open, in every notation. A text that is none of these, or that could mean two packets, is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from ..errors import PacketError
from ..model.packet import Packet
from .notations import mapping
from .notations.mapping import from_mapping, to_mapping
from .notations.parts import NotationError


class Notation(NamedTuple):
    """What machines write: `looks` tells whether a text is meant so, `read` gives its packet or raises NotationError."""

    name: str
    looks: Callable[[str], bool]
    read: Callable[[str], Packet]


_OURS = re.compile(r"[a-z0-9-]+ [0-9A-Fa-f.:\[\]]+ -> [0-9A-Fa-f.:\[\]]+(?: |$)")


@cache
def notations() -> tuple[Notation, ...]:
    """Those of machines, in the order in which a text is asked for; read when one is met, as all together take a while.

    A pf line ends in one of tcpdump, and a log line may quote anything before its own.
    """
    from .notations import asa, aws, filterlog, hexadecimal, ios, juniper, netfilter, pf, tcpdump

    return tuple(
        Notation(module.NAME, module.looks, module.read)
        for module in (hexadecimal, asa, ios, juniper, filterlog, aws, netfilter, pf, tcpdump)
    )


def parse(text: str) -> Packet:
    """The packet that a text describes.

    Raises:
        PacketError: with what was expected; `__cause__` is the PolicyError with places, if the language found the error.

    >>> str(parse("proto=udp src=10.0.0.1 dst=10.0.0.2 dport=53"))
    'udp 10.0.0.1 -> 10.0.0.2:53'
    >>> str(parse("12:00:01.5 IP 5.6.7.8.1029 > 192.0.2.80.80: Flags [S], seq 1, win 64240, length 0"))
    'tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn'
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        return mapping.from_json(stripped)
    if _OURS.match(stripped):
        try:
            return mapping.written(text)
        except PacketError:  # it may still be another's
            if of_line(stripped) is None:
                raise
    notation = of_line(stripped)
    if notation is not None:
        return notation.read(stripped)
    if mapping.are_pairs(stripped):
        return mapping.from_pairs(stripped)
    return mapping.written(text)


def of_line(text: str) -> Notation | None:
    """The notation of a machine's line; None if no machine that is known here wrote it."""
    return next((notation for notation in notations() if notation.looks(text)), None)


__all__ = ["Notation", "NotationError", "from_mapping", "notations", "of_line", "parse", "to_mapping"]
