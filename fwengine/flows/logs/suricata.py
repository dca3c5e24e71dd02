"""Suricata's eve.json: its events `flow`, one a connection, whose first packet seen came from `src_ip`.

Other events are not flows. Source: Suricata User Guide, EVE JSON Format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..flow import Flow
from .words import UnreadError, address_of, made, number_of, protocol_of, recorded_of, time_of

NAME = "suricata"


def looks(value: Mapping[str, Any]) -> bool:
    return "event_type" in value


def of_mapping(value: Mapping[str, Any]) -> Flow:
    """The flow of an event."""
    if value.get("event_type") != "flow":
        raise UnreadError("an event of another type than `flow`", flawed=False)
    flow = value.get("flow")
    if not isinstance(flow, Mapping):
        raise UnreadError("the event has no `flow`")

    def number(key: str, top: int = (1 << 63) - 1, of: Mapping[str, Any] = value) -> int | None:
        return number_of(key, str(of.get(key, "")), top)

    return made(
        protocol_of(str(value.get("proto", ""))),
        address_of("src_ip", str(value.get("src_ip", ""))),
        address_of("dest_ip", str(value.get("dest_ip", ""))),
        number("src_port", 65535),
        number("dest_port", 65535),
        number("icmp_type", 255),
        number("icmp_code", 255),
        opened=True,
        recorded=recorded_of(str(flow.get("action", ""))),
        bytes_=sum(number(f"bytes_to{side}", of=flow) or 0 for side in ("server", "client")),
        packets=sum(number(f"pkts_to{side}", of=flow) or 0 for side in ("server", "client")),
        first=time_of("start", str(flow.get("start", ""))),
        last=time_of("end", str(flow.get("end", ""))),
    )
