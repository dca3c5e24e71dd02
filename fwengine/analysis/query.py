"""Searching: which packets of a region get a verdict, and from which rules?

A region is a union of boxes, which may overlap, or everything outside of one. Answers are exact and confirmed in a second
way; each region found has a witness. Knows neither the rule language nor how answers are printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field

from ..limits import question
from ..model.box import Box, Sets
from ..model.packet import Packet
from ..model.rules import Action
from ..model.ruleset import RuleSet
from ..row import Row, row
from .confirm import SAMPLES, Answer, Confirmation, agree, decide_each, located, points_of, spread, total, volume
from .entries import Entries, closed
from .reach import decided_parts
from .region import EVERYTHING, check_limit, complement, disjoint, tidy
from .witness import witness


@row
class Region(Row):
    """Packets that one rule decides: `rule` is its index (the number of rules for the default), `flows` as in `Box.flows`.

    `of` is the policy that was asked, which knows the rule.
    """

    box: Box
    rule: int
    action: Action
    witness: Packet
    flows: int
    of: RuleSet | None = field(default=None, compare=False)


def outside(boxes: Iterable[Box]) -> list[Box]:
    """Everything outside a region, as disjoint boxes to be used as a region.

    >>> outside([EVERYTHING])
    []
    """
    return complement(boxes)


@question
def query(policy: RuleSet, action: Action | None, boxes: Sequence[Box] = (EVERYTHING,)) -> Answer[Region]:
    """All packets of a region with this verdict (with any, for None), as disjoint readable regions, widest first.

    Raises:
        LimitError: if the answer takes more regions than the limit allows, before they are merged.
        Disagreement: if the second way comes to another end, which is a bug.

    Complexity: for each rule that overlaps the region, compiling the earlier rules within both; and the size of the answer.

    >>> from fwengine.model.rules import ALLOW
    >>> [(region.rule, region.box == EVERYTHING) for region in query(RuleSet((), default=ALLOW), ALLOW)]
    [(0, True)]
    """
    entries = Entries(closed(policy))
    parts = disjoint(boxes)
    found: dict[int, list[Box]] = {}
    count = 0
    wanted = entries.overlaps.all if action is None else entries.taking(action)
    for rule in touching(entries, parts, wanted):
        for sets in decided_parts(entries, rule, parts):
            count += 1
            check_limit(count)
            found.setdefault(rule, []).append(Box(sets))
    regions = [
        Region(
            box,
            rule,
            policy.action(rule),
            witness(box, entries.interfaces, entries.asked | box.fields),
            box.flows,
            policy,
        )
        for rule, mine in found.items()
        for box in tidy(mine)
    ]
    regions.sort(key=lambda region: -region.flows)
    return Answer(regions, _confirm(policy, action, parts, regions) if parts else None)


def _confirm(policy: RuleSet, action: Action | None, parts: Sequence[Sets], regions: Sequence[Region]) -> Confirmation:
    """Each rule's regions hold the samples that it decides and no others, and all of them add up to what there is."""

    def right(index: int) -> bool:
        return action in (None, policy.action(index))

    of_rule: dict[int, list[Box]] = {}
    for region in regions:
        of_rule.setdefault(region.rule, []).append(region.box)
    shown = spread(regions, SAMPLES)
    points = [*(located(region.witness) for region in shown), *points_of(policy, parts)]
    indices = decide_each(policy, points)
    for region, index in zip(shown, indices, strict=False):
        agree(index == region.rule, region.witness)
    for point, index in zip(points, indices, strict=True):
        agree(sum(point in box for box in of_rule.get(index, ())) == right(index), point)
    counted = total(policy, parts, right)
    agree(counted in (None, volume(region.box for region in regions)), "how many packets there are")
    return Confirmation(counted is not None, len(points))


def touching(entries: Entries, parts: Iterable[Sets], wanted: int) -> list[int]:
    """The rules of `wanted` that may decide some of the parts, ascending."""
    found = 0
    for part in parts:
        found |= entries.visible(part, entries.overlaps.all).entries & wanted
    return entries.rules(found)
