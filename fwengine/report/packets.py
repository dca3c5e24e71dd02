"""A packet as an answer shows it: with all that matters to its fate, and nothing more."""

from __future__ import annotations

from ..model.fields import (
    INTERFACES,
    TABLE,
)
from ..model.packet import Packet, write
from ..policy import Policy


def packet_text(packet: Packet, *policies: Policy) -> str:
    """The packet in the language's notation, such that every policy decides what is written as it decides the packet.

    That an interface is not recorded (`in none`) is said only where a verdict depends on it.
    """
    absent: set[int] = set()
    for field in INTERFACES:
        name = TABLE[field].attribute
        if getattr(packet, name) == "" and any(field in policy.constrained for policy in policies):
            opened = packet.replace(**{name: None})
            if all(_same(policy, packet, opened) for policy in policies):
                packet = opened
            else:
                absent.add(field)
    return write(packet, absent)


def _same(policy: Policy, packet: Packet, opened: Packet) -> bool:
    """Does one rule, the packet's, decide all that the opened packet may be?"""
    index = policy.evaluate(packet).index
    return index is not None and policy.evaluate(opened).index == index
