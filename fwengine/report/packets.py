"""A packet as an answer shows it: with all that matters to its fate, and nothing more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from ..errors import LimitError
from ..model.box import Box
from ..model.fields import DETAILS, INTERFACES, TABLE
from ..model.packet import Packet, write
from ..policy import Policy

_SPOKEN: Final = frozenset((*INTERFACES, *DETAILS))  # fields of which it is told only if they matter
_DETAILS: Final = tuple(TABLE[f].attribute for f in DETAILS)


def packet_text(packet: Packet, *policies: Policy, kept: Collection[int] = ()) -> str:
    """The packet in the language's notation, such that every policy decides what is written as it decides the packet.

    Of dscp, ttl, length, and that an interface is not recorded (`in none`), it says only what a verdict depends on, and
    what the question was about: the fields that are to be `kept`.
    """
    absent: set[int] = set()
    asked = _asked(policies)
    if asked.isdisjoint(_SPOKEN) and not any(getattr(packet, attribute) is not None for attribute in _DETAILS):
        return write(packet, kept)
    spare = [f for f in DETAILS if f not in asked and f not in kept and getattr(packet, TABLE[f].attribute) is not None]
    packet = packet.without(spare) if spare else packet
    for field in (*INTERFACES, *DETAILS):
        value = getattr(packet, TABLE[field].attribute)
        if field in asked and field not in kept and (value == "" or (field in DETAILS and value is not None)):
            opened = packet.without((field,))
            if all(_same(policy, packet, opened) for policy in policies):
                packet = opened
            else:
                absent.add(field)
    return write(packet, absent.union(kept))


def _asked(policies: Sequence[Policy]) -> frozenset[int]:
    """The fields on which a verdict may hang."""
    first = policies[0].constrained if policies else frozenset()
    return first.union(*[policy.constrained for policy in policies[1:]]) if len(policies) > 1 else first


def _same(policy: Policy, packet: Packet, opened: Packet) -> bool:
    """Does one rule, the packet's, decide all that the opened packet may be, as far as is known?"""
    index = policy.evaluate(packet).index
    try:
        return index is not None and policy.evaluate(opened).index == index
    except LimitError:
        return False


def details_of(boxes: Iterable[Box]) -> frozenset[int]:
    """Those of dscp, ttl and length that a question asks for."""
    return frozenset(DETAILS).intersection(frozenset().union(*(box.fields for box in boxes)))
