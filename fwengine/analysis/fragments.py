"""Later fragments that are denied though their first fragment is allowed.

A later fragment has no ports, types or flags (RFC 791, RFC 8200), so a rule that asks for one never matches it. What such a
rule allows arrives only in part if it arrives in fragments (RFC 8900). Exact; the first rule affected, and those asked about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ..model.box import Sets
from ..model.fields import ABSENT, FIRST, FRAGMENT, LATER, OPTIONAL
from ..model.interval import IntervalSet
from ..model.overlap import bits
from ..model.packet import Packet
from ..model.rules import ALLOW, DENY
from .cover import decided, hole
from .entries import Entries, closed, rule_pieces, within
from .region import difference
from .witness import choose


@dataclass(frozen=True)
class LostFragment:
    """A later fragment that is denied by `decided_by`, of a packet whose first fragment `rule` allows."""

    rule: int
    fragment: Packet
    first: Packet
    decided_by: int


def lost_fragments(entries: Entries, excused: Collection[int] | None = ()) -> dict[int, LostFragment]:
    """By rule: a first fragment that it allows, of which a later fragment falls to a deny below, or to the default.

    Of the first rule of which that is so, since one is enough to think of fragments, and besides of those that are
    `excused`; of all rules for None. A deny above the rule that takes later fragments is taken for intended, and is none.

    Raises:
        LimitError: beyond the limit of steps in one search, or if the fragments denied below one rule are too many regions.
    """
    whole = Entries(closed(entries.policy))
    denies = whole.taking(DENY)
    out: dict[int, LostFragment] = {}
    told = False
    for index, rule in enumerate(entries.policy.rules):
        if rule.action is not ALLOW or not entries.policy.active(rule):
            continue
        asked = excused is None or index in excused
        if told and not asked:
            continue
        parts = (part for part in rule_pieces(entries.policy, index) if FIRST in part[FRAGMENT])
        found = next(filter(None, (_lost(whole, index, part, denies) for part in parts)), None)
        if found is not None:
            out[index] = found
            told = told or not asked
    return out


def _lost(entries: Entries, index: int, part: Sets, denies: int) -> LostFragment | None:
    tail = _with(part, {FRAGMENT: LATER} | {f: ABSENT[f] for f in OPTIONAL})
    own = (1 << entries.first[index + 1]) - 1
    if next(entries.covering(tail, own), None) is not None:
        return None
    below = entries.visible(tail, entries.overlaps.all ^ own).entries  # down to the default, if nothing else covers it
    if decided(entries, tail, below & denies, own | (below & ~denies)) is None:
        return None
    before = entries.before(index)
    for e, denied in _denied(entries, tail, below & denies, own | below):
        # the first fragment between the same hosts: what is denied, with the fields of the rule in place of those gone
        head = tuple([mine if f in OPTIONAL else lost for f, (mine, lost) in enumerate(zip(part, denied, strict=True))])
        found = hole(entries, _with(head, {FRAGMENT: FIRST}), before)
        if found is not None:
            first = choose(found, entries.interfaces)
            lost = tuple(
                [ABSENT[f] if f in OPTIONAL else LATER if f == FRAGMENT else value for f, value in enumerate(first)]
            )
            return LostFragment(
                index,
                Packet.from_point(lost, entries.asked),
                Packet.from_point(first, entries.asked),
                entries.rule[e],
            )
    return None


def _denied(entries: Entries, tail: Sets, denies: int, all_of: int) -> Iterator[tuple[int, Sets]]:
    """The parts of a product of later fragments that each denying entry decides, with the entry."""
    for e in bits(denies):
        shared = within(tail, entries.sets[e])
        if shared is not None:
            earlier = entries.overlapping(shared, all_of & ((1 << e) - 1))
            for sets in difference(shared, entries.boxes(earlier)):
                yield e, sets


def _with(sets: Sets, values: dict[int, int]) -> Sets:
    return tuple([IntervalSet.single(values[f]) if f in values else chosen for f, chosen in enumerate(sets)])
