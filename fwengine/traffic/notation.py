"""Packets as people write them and as other programs log them -> `Packet`; each notation is a module of `notations`.

- `tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn in wan0`: read by the language's grammar
- `proto=tcp src=5.6.7.8 sport=1029 dst=192.0.2.80 dport=80`, and JSON with the same keys
- `hex:4500…`, an IP packet byte by byte, and `ethernet:…`, a frame
- a line of `tcpdump -nn`, also of a pflog interface; a log line of iptables, nft and ufw, of Cisco ASA and IOS, of
  Juniper's SRX and filters; a line of an AWS VPC flow log

What is left out is open, in every notation. A text that is none of these, or that could mean two packets, is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..model.packet import Packet
from .notations import asa, aws, hexadecimal, ios, juniper, mapping, netfilter, pf, tcpdump
from .notations.mapping import from_mapping, to_mapping
from .notations.parts import NotationError


class Notation(NamedTuple):
    """What machines write: `looks` tells whether a text is meant so, `read` gives its packet or raises NotationError."""

    name: str
    looks: Callable[[str], bool]
    read: Callable[[str], Packet]


# in the order in which a text is asked for; a pf line ends in one of tcpdump, a log line may quote anything before its own
NOTATIONS = tuple(
    Notation(module.NAME, module.looks, module.read)
    for module in (hexadecimal, asa, ios, juniper, aws, netfilter, pf, tcpdump)
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
    notation = of_line(stripped)
    if notation is not None:
        return notation.read(stripped)
    if mapping.are_pairs(stripped):
        return mapping.from_pairs(stripped)
    return mapping.written(text)


def of_line(text: str) -> Notation | None:
    """The notation of a machine's line; None if no machine that is known here wrote it."""
    return next((notation for notation in NOTATIONS if notation.looks(text)), None)


__all__ = ["NOTATIONS", "Notation", "NotationError", "from_mapping", "of_line", "parse", "to_mapping"]
