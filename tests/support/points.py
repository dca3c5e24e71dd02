"""Points of packets that tests write by hand."""

from __future__ import annotations

from fwengine.model.fields import DETAILS, FIELDS, Point
from fwengine.model.packet import Packet

TOLD = tuple(f for f in range(FIELDS) if f not in DETAILS)


def point_of(packet: Packet) -> Point:
    """The packet as a point; dscp, ttl and length, where it leaves them open, have whatever value."""
    point = packet.as_seen_by(TOLD)
    assert point is not None, f"{packet!r} leaves more open than dscp, ttl and length"
    return point
