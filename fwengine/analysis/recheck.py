"""What is said about rules, found again in a second way: that they decide nothing, or nothing that others would not.

As `confirm` does it for regions: packets counted on a tree made for the purpose, and samples decided rule by rule. All
rules of a small policy are looked at, of a large one a few, evenly spread. Knows nothing of findings.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import LimitError
from ..limits import at_most
from ..model.box import Sets
from ..model.packet import Packet
from ..model.rules import ALLOW, Rule
from ..model.ruleset import RuleSet
from .confirm import Confirmation, agree, decide_each, located, points_of, spread, total
from .region import disjoint

_LOOKS = 1024  # boxes looked at for all rules together
_MOST = 64  # rules looked at, and witnesses, and boxes of a tree made for one of them
_PARTS = 64  # of one rule


def recheck(
    policy: RuleSet, dead: Sequence[int], idle: Sequence[int], shown: Sequence[tuple[Packet, int]]
) -> Confirmation:
    """Do `dead` rules decide nothing, do packets fare the same without each `idle` one, are the packets decided as shown?

    Raises:
        Disagreement: if one of that is not so, which is a bug of whoever said it.
    """
    few = min(_MOST, max(1, _LOOKS // (len(policy.active_boxes) + 1)))
    witnesses = spread(shown, _MOST)
    points = [located(packet) for packet, _ in witnesses]
    for (packet, said), index in zip(witnesses, decide_each(policy, points), strict=True):
        agree(index == said, packet)
    complete = len(dead) <= few and len(idle) <= few and len(shown) <= _MOST
    count = len(points)
    for rule in spread(dead, few):
        parts = _parts(policy, rule)
        points = points_of(policy, parts, 8)
        count += len(points)
        for point, index in zip(points, decide_each(policy, points), strict=True):
            agree(index != rule, point)
        decided = total(policy, parts, lambda index, rule=rule: index == rule, _MOST)  # type: ignore[misc]
        agree(decided in (None, 0), f"whether rule {rule} decides anything")
        complete = complete and decided is not None
    for rule in spread(idle, few):
        parts, less = _parts(policy, rule), without(policy, rule)
        points = points_of(policy, parts, 8)
        count += len(points)
        for point, index, other in zip(points, decide_each(policy, points), decide_each(less, points), strict=True):
            agree(policy.action(index) is policy.action(other), point)
        before, after = (
            total(rules, parts, lambda index: policy.action(index) is ALLOW, _MOST) for rules in (policy, less)
        )
        agree(before is None or after is None or before == after, f"whether rule {rule} changes anything")
        complete = complete and before is not None and after is not None
    return Confirmation(complete, count)


def without(policy: RuleSet, index: int) -> RuleSet:
    """The policy with one rule that matches nothing; the indices of the others stay."""
    rules = policy.rules
    out = RuleSet((*rules[:index], Rule(rules[index].action, ()), *rules[index + 1 :]), policy.default, policy.as_of)
    out.__dict__["active_boxes"] = tuple(
        [box for box in policy.active_boxes if box[0] != index]
    )  # cached: known already
    return out


def _parts(policy: RuleSet, index: int) -> list[Sets]:
    """The packets of a rule as disjoint products, of as many of its boxes as that goes well for."""
    boxes = policy.rules[index].boxes
    try:
        with at_most(regions=_PARTS):
            return disjoint(boxes)
    except LimitError:
        return disjoint(boxes[:1])
