"""Rules that decide nothing, or nothing that later rules would not decide alike; and what can be done about all of them.

Every single finding is a fact about the policy as it stands. What is proposed beside, removals and moves, is safe to be
followed all together, in part, and on later days (rules with a last day are not relied on beyond it). That is seen to in
one pass from the last rule to the first:

- A redundant rule goes only where each of its packets meets a rule of its action that stays before any rule of the other
  action. "Stays" leaves out what is unreachable or redundant itself: of two rules that do the same one is named.
- A shadowed rule is moved up only where no other rule of the other action that is moved contends for its packets, and
  none of its own action takes the packet that shows what the move is for. No rule is removed whose packets a moved rule
  of the other action contends for. So each moved rule gets what it would get alone.

Exact. Knows nothing of texts; those who do may propose less.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from ..model.box import Box, Sets
from ..model.fields import Point
from ..model.packet import Packet
from .confirm import located
from .cover import decided, hole
from .entries import Entries, intersections
from .finding import Finding, Obstacle
from .reach import Blocked, decided_parts, effective, explain_blocked, removal_changes, successor
from .region import disjoint, tidy
from .witness import choose

MOVES = 100  # proposed in one run: whoever has more of them has other worries


@dataclass
class Idle:
    """The pass: asked about each rule that holds and matches something, the last first.

    Attributes:
        named: rules that stay whatever is found, since an expectation names them.
        gone: the entries of rules found unreachable or proposed for removal: nobody's work is left to them.
        moved: the entries of rules proposed to be moved up.
    """

    entries: Entries
    named: Collection[int] = ()
    regions: bool = False
    gone: int = 0
    moved: int = 0
    _ending: int = field(init=False)
    _gained: list[Point] = field(default_factory=list)  # for each rule to be moved the packet that shows its effect

    def __post_init__(self) -> None:
        rules = self.entries.policy.rules
        self._ending = self.entries.vector(i for i, rule in enumerate(rules) if rule.until is not None)

    def unreachable(self, index: int, parts: list[Sets]) -> Finding:
        """FW201 or FW202 of a rule that is known to decide nothing."""
        entries = self.entries
        self.gone |= entries.vector([index])
        blocked = explain_blocked(entries, index, parts)
        witness, decider, above = blocked.witness, blocked.decided_by, None
        if blocked.shadowed and not blocked.repeated:
            place, witness, decider = self._place(index, parts, blocked)
            if not self._contended(index, parts, witness):
                above = place
                self.moved |= entries.vector([index])
                self._gained.append(located(witness))
        obstacle: Obstacle = (
            "named" if index in self.named else "" if self._lasting(index, parts, entries.before(index)) else "until"
        )
        return Finding(
            "FW201" if blocked.shadowed else "FW202",
            "warning",
            index,
            blocked.rules,
            witness=witness,
            decided_by=decider,
            repeated=blocked.repeated and blocked.shadowed,
            alone=blocked.shadowed and len(blocked.rules) == 1 and not self._met_before(blocked.rules[0], parts),
            above=above,
            obstacle=obstacle,
            regions=tuple(self._opposed_regions(index, parts)) if self.regions and blocked.shadowed else (),
        )

    def redundant(self, index: int, parts: list[Sets], free: Sets) -> Finding | None:
        """FW203 of a rule that decides `free` among others; None if it must stay.

        A warning if a later rule does its work; no more than information if it only writes out the default.
        """
        entries, policy = self.entries, self.entries.policy
        if removal_changes(entries, index, parts, helpless=self.gone) is not None:
            return None
        point = choose(free, entries.interfaces)
        heir = successor(entries, index, point, self.gone)
        if heir == len(policy.rules):  # some other packet may have an heir
            after = entries.after(index) & ~self.gone & ~self._opposed(index)
            for shared in intersections(
                parts, list(entries.boxes(union(entries.overlapping(part, after) for part in parts)))
            ):
                found = hole(entries, shared, entries.before(index))
                if found is not None:
                    point = choose(found, entries.interfaces)
                    heir = successor(entries, index, point, self.gone)
                    break
        blockers = () if heir == len(policy.rules) else (heir,)
        obstacle = self._obstacle(index, parts, bool(blockers))
        if not obstacle:
            self.gone |= entries.vector([index])
        return Finding(
            "FW203",
            "warning" if blockers else "info",
            index,
            blockers,
            witness=Packet.from_point(point, entries.asked),
            decided_by=index,
            obstacle=obstacle,
            regions=tuple(effective(policy, index, entries)) if self.regions else (),
        )

    def _obstacle(self, index: int, parts: list[Sets], heir: bool) -> Obstacle:
        """Why a redundant rule had better stay for now."""
        entries = self.entries
        if index in self.named:
            return "named"
        if not heir:
            return "default"
        contending = self.moved & self._opposed(index)
        if contending and any(entries.overlapping(part, contending) for part in parts):
            return "moved"
        weak = self._weak(index)
        if weak and any(entries.overlapping(part, weak) for part in parts):
            earlier = entries.before(index) & ~weak
            changed = removal_changes(entries, index, parts, earlier=earlier, helpless=self.gone | weak)
            return "" if changed is None else "until"
        return ""

    def _lasting(self, index: int, parts: list[Sets], among: int) -> bool:
        """Is a rule that entries `among` cover still covered when those are gone that end before it does?"""
        weak = self._weak(index)
        return not weak or all(
            hole(self.entries, part, among & ~weak) is None
            for part in parts
            if self.entries.overlapping(part, among & weak)
        )

    def _weak(self, index: int) -> int:
        """The entries of rules that end before a rule does."""
        if not self._ending:
            return 0
        rules = self.entries.policy.rules
        last = rules[index].until
        ends = (i for i, rule in enumerate(rules) if rule.until is not None and (last is None or rule.until < last))
        return self.entries.vector(ends)

    def _opposed(self, index: int) -> int:
        return self.entries.against(self.entries.policy.rules[index].action)

    def _contended(self, index: int, parts: list[Sets], witness: Packet) -> bool:
        """Would a rule, moved, take from other moved rules what they were promised, or they from it?"""
        if len(self._gained) >= MOVES:
            return True
        entries = self.entries
        opposed = self.moved & self._opposed(index)
        if opposed and any(entries.overlapping(part, opposed) for part in parts):
            return True
        rule = entries.policy.rules[index]
        taken = next(entries.taking_point(located(witness), self.moved), None)
        return taken is not None or any(rule.matches(point) for point in self._gained)

    def _place(self, index: int, parts: list[Sets], blocked: Blocked) -> tuple[int, Packet, int]:
        """The rule that a shadowed one must stand above to have an effect; a packet that it then decides; who does now."""
        entries = self.entries
        action = entries.policy.rules[index].action
        target = next(b for b in blocked.rules if entries.policy.rules[b].action is not action)
        if blocked.decided_by < target:
            above = entries.before(target)
            below = entries.before(index) & ~above
            opposed = self._opposed(index)
            for part in parts:
                found = decided(entries, part, below & opposed, above | (below & ~opposed))
                if found is not None:
                    point = choose(found, entries.interfaces)
                    return target, Packet.from_point(point, entries.asked), entries.policy.tree.index(point)
            target = blocked.decided_by
        return target, blocked.witness, blocked.decided_by

    def _met_before(self, index: int, parts: list[Sets]) -> bool:
        """Does a rule before this one match any of the pieces?"""
        entries = self.entries
        near = union(entries.overlapping(part, entries.before(index)) for part in parts)
        return next(intersections(parts, list(entries.boxes(near))), None) is not None

    def _opposed_regions(self, index: int, parts: list[Sets]) -> list[Box]:
        """What of an unreachable rule gets the other action."""
        entries = self.entries
        opposed = self._opposed(index) & entries.before(index)
        touching = entries.rules(union(entries.overlapping(part, opposed) for part in parts))
        own = disjoint(entries.policy.rules[index].boxes)
        return tidy([Box(sets) for other in touching for sets in decided_parts(entries, other, own)])


def union(vectors: Iterable[int]) -> int:
    out = 0
    for vector in vectors:
        out |= vector
    return out
