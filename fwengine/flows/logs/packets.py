"""Log lines of firewalls, about a packet each: those that `traffic.notation` reads, of iptables, nft, ufw, pf, Cisco, Juniper and others.

A line's packet is taken for one of a connection. Its flags tell who opened that: syn without ack the source, syn with ack its peer; of
a line about the beginning of a connection (`Built`, a session's) the source did; else that is open. Interfaces are those of the
packet.
"""

from __future__ import annotations

import re
from typing import Final

from ...errors import PacketError
from ...model.address import to_point
from ...model.fields import TCP
from ...traffic.notation import NotationError, of_line
from ..flow import ACCEPTED, REJECTED, Flow
from .words import UnreadError, made

NAME = "lines"
_BEGINS: Final = re.compile(r"\bBuilt (?:in|out)bound\b|RT_FLOW_SESSION_(?:CREATE|DENY)")
_REJECTED: Final = re.compile(r"\b(?:[Dd]en(?:y|ied)|BLOCK|DROP|REJECT(?:ED)?|block|RT_FLOW_SESSION_DENY)\b")
_ACCEPTED: Final = re.compile(r"\b(?:[Bb]uilt|[Pp]ermit(?:ted)?|ALLOW|ACCEPT|pass|RT_FLOW_SESSION_CREATE)\b")
_NOT_FLAWED: Final = frozenset({"no-packet", "not-ip"})


def looks(line: str) -> bool:
    notation = of_line(line.strip())
    return notation is not None and notation.name != "vpc-flow"


def of_text(line: str) -> Flow:
    """The flow that a line's packet is of."""
    notation = of_line(line.strip())
    if notation is None:
        raise UnreadError("no line of a firewall's log that is known", flawed=True)
    try:
        packet = notation.read(line.strip())
    except NotationError as error:
        reasons = {"no-packet": "a line about no packet", "not-ip": "a line about something else than IP"}
        reason = reasons.get(error.reason, f"a line that is {error.reason} ({error.notation})")
        raise UnreadError(reason, flawed=error.reason not in _NOT_FLAWED) from None
    except PacketError:
        raise UnreadError("a line whose packet cannot be") from None
    if packet.fragment == "later":
        raise UnreadError("a later fragment: it has no ports", flawed=True)
    begins = _BEGINS.search(line) is not None
    handshake = None if packet.protocol != TCP or packet.flags is None else packet.flags & 18
    flow = made(
        packet.protocol, to_point(packet.family, packet.src), to_point(packet.family, packet.dst), packet.sport, packet.dport,
        packet.icmp_type, packet.icmp_code, opened=begins or handshake in (2, 18), recorded=_done(line), packets=1,
        bytes_=packet.length, inbound=packet.in_interface, outbound=packet.out_interface,
    )  # fmt: skip
    return flow.reversed if handshake == 18 and not begins else flow


def _done(line: str) -> int:
    """What the line says that the firewall did; 0 where it says nothing, or both."""
    rejected, accepted = (found.search(line) is not None for found in (_REJECTED, _ACCEPTED))
    return REJECTED if rejected and not accepted else ACCEPTED if accepted and not rejected else 0
