"""Searching and proving: which packets of a region get a verdict, and is it so for all of them?

A region is a union of boxes, which may overlap, or everything outside of one. Answers are exact; each region found has
a witness, each refuted claim a counterexample. Knows neither the rule language nor how answers are printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..model.box import Box, Sets
from ..model.packet import Packet
from ..model.rules import Action, Verdict
from ..model.ruleset import RuleSet
from .cover import decided
from .entries import Entries, closed
from .reach import decided_parts
from .region import EVERYTHING, REGIONS, check_limit, complement, disjoint, tidy
from .search import STEPS
from .witness import choose, witness


@dataclass(frozen=True)
class Region:
    """Packets that one rule decides: `rule` is its index (the number of rules for the default), `size` as in `Box.size`."""

    box: Box
    rule: int
    action: Action
    witness: Packet
    size: int


@dataclass(frozen=True)
class Proof:
    """What became of a claim: it holds, or `counterexample` is a packet of the region, with the verdict on it."""

    holds: bool
    counterexample: Packet | None = None
    verdict: Verdict | None = None

    def __bool__(self) -> bool:
        raise TypeError("a proof is no truth value: ask `proof.holds`")


def outside(boxes: Iterable[Box], limit: int = REGIONS) -> list[Box]:
    """Everything outside a region, as disjoint boxes to be used as a region.

    >>> outside([EVERYTHING])
    []
    """
    return complement(boxes, limit)


def query(
    policy: RuleSet, action: Action | None, boxes: Sequence[Box] = (EVERYTHING,), limit: int = REGIONS
) -> tuple[Region, ...]:
    """All packets of a region with this verdict (with any, for None), as disjoint readable regions, widest first.

    Raises:
        LimitError: if the answer takes more than `limit` boxes before they are merged.

    Complexity: for each rule that overlaps the region, compiling the earlier rules within both; and the size of the answer.

    >>> from fwengine.model.rules import ALLOW
    >>> [(region.rule, region.box == EVERYTHING) for region in query(RuleSet((), default=ALLOW), ALLOW)]
    [(0, True)]
    """
    entries = Entries(closed(policy))
    parts = disjoint(boxes, limit)
    found: dict[int, list[Box]] = {}
    count = 0
    wanted = entries.overlaps.all if action is None else entries.taking(action)
    for rule in touching(entries, parts, wanted):
        for sets in decided_parts(entries, rule, parts, limit):
            count += 1
            check_limit(count, limit)
            found.setdefault(rule, []).append(Box(sets))
    regions = [
        Region(box, rule, policy.action(rule), witness(box, entries.interfaces, entries.asked), box.size)
        for rule, mine in found.items()
        for box in tidy(mine)
    ]
    return tuple(sorted(regions, key=lambda region: -region.size))


def prove(
    policy: RuleSet,
    action: Action,
    boxes: Sequence[Box] = (EVERYTHING,),
    steps: int = STEPS,
    entries: Entries | None = None,
) -> Proof:
    """Do all packets of a region get this verdict? A region without packets proves anything.

    Args:
        entries: those of `closed(policy)`, if several proofs are wanted.

    Raises:
        LimitError: beyond `steps` in one search.

    Complexity: a search for each rule of the other action that overlaps the region.
    """
    entries = entries or Entries(closed(policy))
    opposed = entries.taking(action.other)
    for box in boxes:
        for piece in box.pieces:
            found = contrary(entries, piece.sets, opposed, steps)
            if found is not None:
                point = choose(found, entries.interfaces)
                first = next(entries.taking_point(point, entries.overlaps.all))
                return Proof(False, Packet.from_point(point, entries.asked), policy.verdict(entries.rule[first]))
    return Proof(True)


def contrary(entries: Entries, part: Sets, wanted: int, steps: int = STEPS) -> Sets | None:
    """A part of a product of packets that an entry of `wanted` decides; None if there is none."""
    among = entries.overlapping(part, entries.overlaps.all)
    cover = next(entries.covering(part, among), None)
    if cover is not None:  # nothing behind it sees a packet of this part
        among &= (1 << (cover + 1)) - 1
    return decided(entries, part, among & wanted, among & ~wanted, steps)


def touching(entries: Entries, parts: Iterable[Sets], wanted: int) -> list[int]:
    """The rules of `wanted` that may decide some of the parts, ascending."""
    found = 0
    for part in parts:
        among = entries.overlapping(part, entries.overlaps.all)
        cover = next(entries.covering(part, among), None)
        if cover is not None:
            among &= (1 << (cover + 1)) - 1
        found |= among & wanted
    return entries.rules(found)
