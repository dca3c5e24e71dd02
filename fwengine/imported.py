"""Policies of other firewalls: what is certain of them, and what is in doubt.

An imported policy is two rule sets, an upper bound that allows whatever some resolution of its doubts allows, and a lower
one that denies whatever some resolution denies. A packet on which they agree has that verdict; any other *depends*, on the
lines that both answers name. A claim is proved only if it holds whatever becomes of the doubts.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .analysis.cover import Hole, unmatched
from .analysis.entries import Entries
from .analysis.prove import Proof, Status, prove
from .analysis.query import Region, query
from .errors import LimitError
from .formats.chains import Line
from .formats.document import Document
from .formats.unfold import unfold
from .model.box import Box, pieces
from .model.packet import Packet
from .model.rules import ALLOW, DENY, DEPENDS, Action, Case, Claim, Doubt, Rule, Verdict
from .policy import Policy


@dataclass(frozen=True)
class Uncertain:
    """Packets whose verdict depends on lines in doubt: a region that the upper bound allows and the lower one denies."""

    region: Region
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True)
class Answered:
    """What became of a claim: proved, refuted for certain (with a counterexample), or dependent on `doubts`."""

    proof: Proof[Claim]
    doubts: tuple[Doubt, ...] = ()

    @property
    def holds(self) -> bool:
        return self.proof.holds


@dataclass(frozen=True, repr=False)
class ImportedPolicy:
    """A policy of another firewall, under the chain or list `entry` of its document."""

    document: Document
    entry: str
    name: str
    text: str = field(repr=False)
    as_of: datetime.date = field(default_factory=datetime.date.today)

    def __repr__(self) -> str:
        return f"<ImportedPolicy {self.name}:{self.entry}: {len(self.doubts)} lines in doubt>"

    def bound(self, favour: Action) -> Policy:
        """The upper bound for ALLOW, the lower one for DENY: a policy like any other."""
        return self.upper if favour is ALLOW else self.lower

    @cached_property
    def upper(self) -> Policy:
        """What may be allowed is allowed."""
        return self._unfolded(ALLOW)

    @cached_property
    def lower(self) -> Policy:
        """What may be denied is denied."""
        return self._unfolded(DENY)

    def _unfolded(self, favour: Action) -> Policy:
        flat = unfold(self.document.chains, self.document.policies[self.entry], favour)
        return Policy(flat.rules, flat.default, self.as_of, f"{self.name}:{self.entry}", sources={self.name: self.text})

    @cached_property
    def doubts(self) -> tuple[Doubt, ...]:
        """Every doubt that some rule of a bound rests on, in the order of the lines."""
        found = dict.fromkeys(
            doubt
            for bound in (self.upper, self.lower)
            for rule in bound.rules
            if rule.origin is not None
            for doubt in rule.origin.doubts
        )
        return tuple(sorted(found, key=lambda d: (d.span.line, d.span.column, d.reason)))

    @property
    def certain(self) -> Policy | None:
        """The policy as one rule set, if nothing in it is in doubt."""
        return self.upper if not self.doubts else None

    # Questions

    def evaluate(self, packet: Packet) -> Verdict:
        """The verdict on a packet, `DEPENDS` if it depends on lines in doubt, or on fields that are open.

        The rule named is the one that decides whatever becomes of the doubts.
        """
        above, below = self.upper.evaluate(packet), self.lower.evaluate(packet)
        if above.action is below.action and above.action is not DEPENDS:
            return below if above.action is ALLOW else above
        if packet.as_seen_by(self.upper.fields | self.lower.fields) is not None:
            doubts = _doubts_of([above.rule, below.rule])
            return Verdict(DEPENDS, None, None, "in doubt", (), doubts)
        cases: list[Case] = []
        doubts = ()
        for box, index in self.upper.tree.regions(Box.around(packet)):
            for part, other in self.lower.tree.regions(box):
                one, two = self.upper.verdict(index), self.lower.verdict(other)
                if one.action is two.action:
                    decider = two.rule if one.action is ALLOW else one.rule
                    cases.append(Case(part, one.action, decider))
                else:
                    doubts += _doubts_of([one.rule, two.rule])
                    cases.append(Case(part, DEPENDS, None))
                if len(cases) > MAX_CASES:
                    raise LimitError(f"unknown: limit reached ({MAX_CASES} parts of an open packet)")
        unique = tuple(dict.fromkeys(doubts))
        return Verdict(DEPENDS, None, None, "in doubt" if unique else "depends", tuple(cases), unique)

    def prove(self, claim: Claim) -> Answered:
        """Does a claim hold whatever becomes of the doubts? Exact.

        Refuted means refuted for certain: by a packet that has the other verdict whatever becomes of the doubts.
        """
        strict = self.bound(claim.action.other)
        proof = prove(strict, claim)
        if proof.status is not Status.REFUTED:
            return Answered(proof)
        easy = prove(self.bound(claim.action), claim)
        if easy.status is Status.REFUTED:
            return Answered(easy)
        assert proof.counterexample is not None
        point = proof.counterexample
        deciders = [self.upper.evaluate(point).rule, self.lower.evaluate(point).rule]
        return Answered(proof, _doubts_of(deciders))

    def query(self, action: Action, boxes: Sequence[Box]) -> tuple[tuple[Region, ...], tuple[Uncertain, ...]]:
        """The packets that get a verdict for certain, and those that may get it."""
        certain = query(self.bound(action.other), action, boxes)
        return tuple(certain), tuple(self._uncertain(boxes))

    def _uncertain(self, boxes: Sequence[Box]) -> Iterator[Uncertain]:
        """The upper bound's allowed parts of what the lower one denies."""
        for denied in query(self.lower, DENY, boxes):
            for region in query(self.upper, ALLOW, (denied.box,)):
                rules = [_rule(self.upper, region.rule), _rule(self.lower, denied.rule)]
                yield Uncertain(region, _doubts_of(rules))

    # Lines

    def dead(self) -> dict[int, tuple[int, ...]]:
        """The lines that no packet can meet, whatever becomes of the doubts, each with the lines that take all of it.

        A line is dead only if all its copies are. Lines of chains that are never called have no blockers, and are not
        among the keys: `uncalled` has those chains.
        """
        chains = self.document.chains
        entry = self.document.policies[self.entry]
        flat = unfold(chains, entry, None, meet_all=True)
        entries = Entries(Policy(flat.rules, flat.default))
        alive: set[int] = set()
        blockers: dict[int, set[int]] = {}
        for met in flat.met:
            if met.line in alive:
                continue
            for product in met.products:
                for piece in pieces(product):
                    found = unmatched(entries, piece, entries.before(met.position))
                    if isinstance(found, Hole):
                        alive.add(met.line)
                        break
                    origins = (flat.rules[entries.rule[e]].origin for e in found.entries)
                    blockers.setdefault(met.line, set()).update(o.line for o in origins if o is not None)
                if met.line in alive:
                    break
        met_lines = {met.line for met in flat.met}
        lines = {line.number: line for name in chains.reached(entry) for line in chains.chains[name].lines}
        return {
            number: tuple(sorted(blockers.get(number, ())))
            for number in lines
            if number not in alive and (number in blockers or number not in met_lines)
        }

    @cached_property
    def lines(self) -> dict[int, Line]:
        """All lines of the document by number."""
        return {line.number: line for chain in self.document.chains.chains.values() for line in chain.lines}


MAX_CASES = 100_000


def _doubts_of(rules: Sequence[Rule | None]) -> tuple[Doubt, ...]:
    """What the rules rest on, each doubt once."""
    return tuple(
        dict.fromkeys(d for rule in rules if rule is not None and rule.origin is not None for d in rule.origin.doubts)
    )


def _rule(policy: Policy, index: int) -> Rule | None:
    return policy.rules[index] if index < len(policy.rules) else None
