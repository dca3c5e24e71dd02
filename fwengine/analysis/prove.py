"""The one prover: is a claim true of every packet it speaks of, and decided by the rule it names?

Exact. A claim is proved, or refuted by a counterexample, or about no packet at all, which is no success. What is
proved by a search among the rules is walked again on the compiled policy, a counterexample is asked of `decide`. Knows
neither the rule language nor how answers are printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Generic, TypeVar

from ..limits import question
from ..model.box import Sets, pieces
from ..model.packet import Packet
from ..model.rules import DEPENDS, Action, Claim, Verdict
from ..model.ruleset import RuleSet, decide
from ..row import Row, row
from .confirm import Confirmation, agree, decide_each, every_part, points_of
from .cover import decided
from .entries import Entries, closed
from .witness import choose

C = TypeVar("C", bound=Claim, covariant=True)

WALKED = 20_000  # parts of a region walked on the tree to confirm a proof
FEW = 1024  # boxes of a policy of which samples are tried besides, though the walk was complete


class Status(Enum):
    """What became of a claim."""

    PROVED = "proved"
    REFUTED = "refuted"
    EMPTY = "about no packet"
    DEPENDS = "depends"  # no packet refutes it for certain, and of some the verdict depends on lines in doubt

    def __str__(self) -> str:
        return self.value


@row
class Proof(Row, Generic[C]):
    """What became of a claim; a refuted one has a packet that it speaks of and the verdict on it, which is another.

    `confirmed` tells how far the second way went; None for a claim about no packet, where there is nothing to confirm.
    """

    claim: C
    status: Status
    counterexample: Packet | None = None
    verdict: Verdict | None = None
    confirmed: Confirmation | None = None

    @property
    def holds(self) -> bool:
        """Is it true, and of some packet?"""
        return self.status is Status.PROVED

    def __bool__(self) -> bool:
        raise TypeError("a proof is not a truth value: ask `proof.holds`")


@question
def prove(policy: RuleSet, claim: C, entries: Entries | None = None) -> Proof[C]:  # type: ignore[misc]
    """Do all packets of a claim get its action, and from the rule it names if it names one?

    Args:
        entries: those of `closed(policy)`, if several claims are to be proved.

    Raises:
        LimitError: beyond the limit of steps in one search.
        Disagreement: if the second way comes to another end, which is a bug.

    Complexity: a search for each rule that overlaps the region and would refute the claim; then compiling the policy once
    and walking at most 20,000 parts of the region.

    >>> from fwengine.analysis.region import EVERYTHING
    >>> from fwengine.model.rules import ALLOW, DENY
    >>> nothing = RuleSet(())
    >>> [str(prove(nothing, Claim(action, boxes)).status) for action, boxes in
    ...     ((DENY, (EVERYTHING,)), (ALLOW, (EVERYTHING,)), (DENY, ()))]
    ['proved', 'refuted', 'about no packet']
    """
    entries = entries or Entries(closed(policy))
    against = entries.against(claim.action)
    if claim.by is not None:
        named = entries.vector([i for i in range(len(policy.rules) + 1) if policy.label(i) == claim.by])
        against |= entries.overlaps.all & ~named
    parts = [part for box in claim.boxes for part in pieces(box.sets)]
    for wanted, part in ((wanted, part) for wanted in _surest(entries, claim.action, against) for part in parts):
        found = contrary(entries, part, wanted)
        if found is not None:
            asked = entries.asked.union(*(box.fields for box in claim.boxes))  # what rules or the claim speak of
            packet = Packet.from_point(choose(found, entries.interfaces), asked)
            verdict = decide(policy, packet)
            assert verdict.index is not None
            agree(not _right(policy, claim, verdict.index) and any(packet in box for box in claim.boxes), packet)
            status = Status.DEPENDS if verdict.action is DEPENDS is not claim.action else Status.REFUTED
            return Proof(claim, status, packet, verdict, Confirmation(True, 1))
    if not parts:
        return Proof(claim, Status.EMPTY)
    return Proof(claim, Status.PROVED, confirmed=_confirm(policy, claim, parts))


def _surest(entries: Entries, action: Action, against: int) -> tuple[int, ...]:
    """The entries that refute a claim: first those that do so for certain, then those that may."""
    doubted = entries.taking(DEPENDS) & against if action is not DEPENDS else 0
    return (against & ~doubted, doubted) if doubted else (against,)


def contrary(entries: Entries, part: Sets, wanted: int) -> Sets | None:
    """A part of a product of packets that an entry of `wanted` decides; None if there is none."""
    among = entries.visible(part, entries.overlaps.all).entries
    return decided(entries, part, among & wanted, among & ~wanted)


def _confirm(policy: RuleSet, claim: Claim, parts: Sequence[Sets]) -> Confirmation:
    _, complete = every_part(policy, claim.boxes, lambda index: _right(policy, claim, index), WALKED)
    if complete and len(policy.active_boxes) > FEW:
        return Confirmation(True, 0)  # many claims may be made of a large policy, and the walk was over all packets
    points = points_of(policy, parts)
    for point, index in zip(points, decide_each(policy, points), strict=True):
        agree(_right(policy, claim, index), point)
    return Confirmation(complete, len(points))


def _right(policy: RuleSet, claim: Claim, index: int) -> bool:
    return policy.action(index) is claim.action and claim.by in (None, policy.label(index))
