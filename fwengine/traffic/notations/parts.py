"""What the readers of notations share: how a line is refused, and a packet made from words.

Knows no notation. What a line does not tell stays open; what it tells in two ways is refused, never guessed.
"""

from __future__ import annotations

from typing import Any, Literal

from ...errors import PacketError
from ...model.fields import PORT_PROTOCOLS
from ...model.packet import Packet
from ...registry import names

Reason = Literal["not-ip", "no-packet", "translated", "untold", "ambiguous", "unreadable"]


class NotationError(PacketError):
    """A line of a known notation that is not taken for a packet.

    Attributes:
        notation: whose line it is, such as `tcpdump` or `asa`.
        reason: *not-ip*: it tells of something else than IP; *no-packet*: of an event, such as a connection's end;
            *translated*: of addresses before and after translation, and a filter sees one of them; *untold*: what
            every packet has is missing; *ambiguous*: it can be read in two ways; *unreadable*: it is not understood.
    """

    def __init__(self, notation: str, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.notation, self.reason = notation, reason


def protocol(notation: str, word: str) -> int:
    """A protocol by its number or its name in IANA's registry."""
    if word.isascii() and word.isdigit() and len(word) <= 3:
        found: int | None = int(word)
    else:
        found = names.protocol(word.lower())
    if found is None or found > 255:
        raise NotationError(notation, "unreadable", f"`{shortened(word)}` is not a protocol")
    return found


def number(notation: str, what: str, word: str) -> int:
    """A decimal number as machines write it."""
    if not (word.isascii() and word.isdigit() and len(word) <= 10):
        raise NotationError(
            notation,
            "unreadable",
            f"{what} `{shortened(word)}` is not a number: names of ports differ between programs",
        )
    return int(word)


def made(notation: str, protocol: int, src: str, dst: str, **optional: Any) -> Packet:
    """The packet; what the line gives and the packet cannot have is a line not understood."""
    try:
        return Packet.of(protocol, src, dst, **optional)
    except PacketError as error:
        raise NotationError(notation, "unreadable", f"this is not a packet: {error}") from None


def ported(notation: str, protocol: int, src: str, dst: str, sport: int, dport: int, **optional: Any) -> Packet:
    """A packet of a log that writes two ports for everything, and zeros where there are none.

    Both zero, of a protocol that has ports: a later fragment, or ports that nobody looked at. Those are two things.
    """
    if protocol not in PORT_PROTOCOLS:
        return made(notation, protocol, src, dst, **optional)
    if not sport and not dport:
        name = names.protocol_name(protocol)
        raise NotationError(
            notation,
            "ambiguous",
            "both ports are 0: they were not looked at, or it is a later fragment; "
            f"write `{name} {src} -> {dst}`, with `fragment later` if it is one",
        )
    return made(notation, protocol, src, dst, sport=sport, dport=dport, **optional)


def shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
