"""A policy's verdict on one packet, also on one with open fields: through the tree, exactly as `decide` has it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from ..errors import LimitError
from .box import Box
from .fields import Point
from .packet import Packet
from .rules import DEPENDS, Case, Policy, Verdict

MAX_CASES = 100_000  # parts of an open packet that are looked at before giving up


def evaluate(policy: Policy, packet: Packet) -> Verdict:
    """The verdict on a packet.

    Where fields are open, all packets it may be are considered: if they fare alike, that is the verdict; if not, it
    is `DEPENDS`. Then, and if several rules agree, `cases` holds the split.

    Raises:
        LimitError: if an open packet falls into more than 100,000 parts.
    """
    if packet.point is not None:
        return policy.verdict(policy.tree.index(packet.point))
    return evaluate_boxes(policy, (Box.around(packet),))


def evaluate_point(policy: Policy, point: Point) -> Verdict:
    """The verdict on a point of header space."""
    return policy.verdict(policy.tree.index(point))


def evaluate_boxes(policy: Policy, boxes: Sequence[Box]) -> Verdict:
    """The verdict that all packets of some boxes have in common, or `DEPENDS` with the split."""
    found: dict[int, list[Box]] = {}
    parts = (part for box in boxes for part in policy.tree.regions(box))
    for count, (box, index) in enumerate(islice(parts, MAX_CASES + 1)):
        if count == MAX_CASES:
            raise LimitError(f"unknown: limit reached ({MAX_CASES} parts of an open packet)")
        found.setdefault(index, []).append(box)
    if not found:
        raise ValueError("no packet to evaluate")
    if len(found) == 1:
        return policy.verdict(next(iter(found)))
    cases = tuple(
        Case(box, policy.action(index), policy.rules[index] if index < len(policy.rules) else None)
        for index in sorted(found)
        for box in found[index]
    )
    actions = {case.action for case in cases}
    if len(actions) == 1:
        return Verdict(actions.pop(), None, None, "rules", cases)
    return Verdict(DEPENDS, None, None, "depends", cases)
