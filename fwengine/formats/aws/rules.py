"""A rule of a group, or an entry of an ACL, from its parts: what describes it is the same wherever it is written."""

from __future__ import annotations

from ...errors import Span
from .lists import Entry
from .meaning import LAST_NUMBER, Peer, Traffic, parts_of
from .words import Item, RefusedError


def rule(egress: bool, item: Item, mark: Span, traffic: Traffic, peer: Peer, name: str | None) -> Entry:
    """A rule of a security group for one source, or destination; without a name, and without a line of its own, by what it says."""
    text = f"{traffic} {'to' if egress else 'from'} {peer.words}"
    key = egress, traffic.protocol, (traffic.first, traffic.last) if traffic.is_deep else None, peer.words
    doubted = bool(traffic.doubts or peer.doubts)
    name = name or (text if item.placed.is_one_line else None)
    return Entry(egress, mark, text, *parts_of(traffic, peer, egress), name=name, doubted=doubted, key=key)


def entry(
    egress: bool, mark: Span, number: int, permit: bool | None, traffic: Traffic, peer: Peer, name: str | None = None
) -> Entry:
    """An entry of a network ACL; `permit` is None if that is not known."""
    action = {True: "allow", False: "deny", None: "decide"}[permit]
    text = f"rule {number}: {action} {traffic} {'to' if egress else 'from'} {peer.words}"
    doubted = permit is None or bool(traffic.doubts or peer.doubts)
    parts, fragments = parts_of(traffic, peer, egress)
    made = Entry(
        egress, mark, text, parts, fragments, number, permit, name or f"rule-{number}", doubted, (egress, number)
    )
    return made.in_doubt("its action is not known before the plan is applied") if permit is None else made


def numbered(number: int, place: Span) -> bool:
    """Is it the number of a rule that somebody made? Else it is an end.

    Raises:
        RefusedError: if it is neither.
    """
    if not 1 <= number <= LAST_NUMBER + 2:
        help = f"numbers are between 1 and {LAST_NUMBER}"
        raise RefusedError(place, f"`{number}` is not the number of a rule", help)
    return number <= LAST_NUMBER
