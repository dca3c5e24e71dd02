"""The mutation score of expectations: change a rule at a time, and see whether some expectation fails.

A mutant drops a rule, flips its action, swaps it with the next, or widens one of its conditions. One that changes no
verdict is not a fault and is left out, by proof. Exact; a mutant that nobody notices comes with a packet that would tell.
Knows nothing of how scores are printed.

Source: DeMillo, Lipton & Sayward, "Hints on test data selection", Computer 11 (1978); Hwang, Xie, Chen & Liu, "Systematic
structural testing of firewall policies", SRDS 2008, for the kinds of mutants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..limits import question
from ..model import address
from ..model.box import Sets
from ..model.fields import CODE, DPORT, DST, FLAGS, FRAGMENT, FULL, IN, OUT, PRESENT, PROTOCOL, SPORT, SRC, STATE, TYPE
from ..model.interval import Interval, IntervalSet, together
from ..model.packet import Packet
from ..model.rules import Expectation, Rule, Verdict
from ..model.ruleset import RuleSet
from ..model.scattered import ScatteredSet, masked
from .cover import hole
from .entries import Entries, closed, intersections
from .prove import prove
from .reach import removal_changes
from .region import difference, disjoint, pieces_of
from .witness import choose

Kind = Literal["drop", "flip", "swap", "widen"]


@dataclass(frozen=True)
class Mutant:
    """One change of a policy.

    "drop" leaves rule `index` out, "flip" turns its action round, "swap" exchanges it with the rule `with_rule`, the next
    active one, and "widen" loosens its condition on `field`: addresses to blocks twice as large, ports, types and codes by
    one at each end, other conditions altogether.
    """

    kind: Kind
    index: int
    field: int | None = None
    with_rule: int | None = None

    def apply(self, policy: RuleSet) -> RuleSet:
        """The changed policy."""
        rules = list(policy.rules)
        rule = rules[self.index]
        if self.kind == "drop":
            del rules[self.index]
        elif self.kind == "flip":
            rules[self.index] = replace(rule, action=rule.action.other)
        elif self.kind == "swap":
            assert self.with_rule is not None
            rules[self.index], rules[self.with_rule] = rules[self.with_rule], rule
        else:
            assert self.field is not None
            rules[self.index] = widened(rule, self.field)
        return replace(policy, rules=tuple(rules))


@dataclass(frozen=True)
class Survivor:
    """A mutant that changes verdicts and that no expectation notices; `packet` is one that fares otherwise in it."""

    mutant: Mutant
    packet: Packet
    verdict: Verdict  # on the packet, of the policy as it is: an expectation that says so notices the mutant


@dataclass(frozen=True)
class MutationScore:
    """Mutants noticed and not; `equivalent` change no verdict and do not count.

    `failing` are the indices of expectations that do not hold of the policy as it is: they notice nothing.
    """

    noticed: tuple[Mutant, ...]
    survivors: tuple[Survivor, ...]
    equivalent: tuple[Mutant, ...]
    failing: tuple[int, ...] = ()

    @property
    def score(self) -> float:
        """The noticed part of the mutants that change a verdict, from 0 to 1; 1 if there are none."""
        count = len(self.noticed) + len(self.survivors)
        return len(self.noticed) / count if count else 1.0


def mutants(policy: RuleSet) -> Iterator[Mutant]:
    """All mutants of a policy's active rules, in order; lazily. Swaps only of rules whose actions differ."""
    active = [i for i, rule in enumerate(policy.rules) if policy.active(rule)]
    for n, i in enumerate(active):
        yield Mutant("drop", i)
        yield Mutant("flip", i)
        if n + 1 < len(active) and policy.rules[i].action is not policy.rules[active[n + 1]].action:
            yield Mutant("swap", i, with_rule=active[n + 1])
        for f in _WIDENED:
            if any(_widen(box.sets[f], f) != box.sets[f] for box in policy.rules[i].boxes):
                yield Mutant("widen", i, f)


@question
def mutation_score(policy: RuleSet, expectations: Sequence[Expectation]) -> MutationScore:
    """Which mutants the expectations notice.

    An expectation notices a mutant if it holds of the policy and not of the mutant. Exact; labels of rules are taken to be
    distinct.

    Raises:
        LimitError: beyond the limit of steps in one search.

    Complexity: for each mutant one search, and one for each expectation that overlaps what it changes.

    >>> from fwengine.model.rules import ALLOW, DENY, rules_of
    >>> from fwengine.analysis.region import EVERYTHING
    >>> policy = RuleSet(rules_of([(ALLOW, EVERYTHING)]))
    >>> score = mutation_score(policy, [Expectation(ALLOW, (EVERYTHING,))])
    >>> [m.kind for m in score.noticed], score.score
    (['drop', 'flip'], 1.0)
    """
    entries = Entries(closed(policy))
    holding, failing = [], []
    for n, claim in enumerate(expectations):
        if prove(policy, claim, entries).holds:
            holding.append((claim, pieces_of(claim.boxes)))
        else:
            failing.append(n)
    noticed, survivors, equivalent = [], [], []
    for mutant in mutants(policy):
        parts = _touched(entries, mutant)
        changed = _changed(entries, mutant, parts)
        if changed is None:
            equivalent.append(mutant)
        elif any(_notices(entries, mutant, parts, claim, boxes) for claim, boxes in holding):
            noticed.append(mutant)
        else:
            point = choose(changed, entries.interfaces)
            first = next(entries.taking_point(point, entries.overlaps.all))
            survivors.append(
                Survivor(mutant, Packet.from_point(point, entries.asked), policy.verdict(entries.rule[first]))
            )
    return MutationScore(tuple(noticed), tuple(survivors), tuple(equivalent), tuple(failing))


def widened(rule: Rule, field: int) -> Rule:
    """The rule with its condition on a field loosened a little: see `Mutant`."""
    return replace(rule, boxes=tuple(box.replace(field, _widen(box.sets[field], field)) for box in rule.boxes))


def _widen(chosen: IntervalSet, f: int) -> IntervalSet:
    if chosen == FULL[f] or chosen == PRESENT[f]:
        return chosen
    if f in (SRC, DST):
        if isinstance(chosen, ScatteredSet):
            return _loosened(chosen)
        return IntervalSet.union(_doubled(part) for family in (address.V4, address.V6) for part in chosen & family)
    if f in (SPORT, DPORT, TYPE, CODE):
        top = PRESENT[f].hi
        return chosen | IntervalSet.union((max(lo - 1, 0), min(hi + 1, top)) for lo, hi in chosen & PRESENT[f])
    return chosen | (PRESENT[f] if f in (FLAGS, IN, OUT) else FULL[f])


def _loosened(chosen: ScatteredSet) -> IntervalSet:
    """With the lowest bit that is compared free."""
    cubes = chosen.cubes(_CUBES)
    if cubes is None:
        return together([family for family in (address.V4, address.V6) if not chosen.isdisjoint(family)])
    return together([masked(point, mask & (mask - 1)) for point, mask in cubes])


_CUBES = 1024


def _doubled(interval: Interval) -> Interval:
    """The least prefix with room for twice the interval, or the whole family."""
    lo, hi = interval
    length = address.bits_of(lo)
    wanted = 2 * (hi - lo + 1)
    while length:
        block = address.prefix(lo, length)
        if block[0] <= lo and hi <= block[1] and block[1] - block[0] + 1 >= wanted:
            return block
        length -= 1
    return address.prefix(lo, 0)


_WIDENED = (PROTOCOL, SRC, DST, SPORT, DPORT, TYPE, CODE, FLAGS, FRAGMENT, IN, OUT, STATE)


def _touched(entries: Entries, mutant: Mutant) -> list[Sets]:
    """Disjoint products outside of which the mutant decides as the policy does, by the same rule."""
    rules = entries.policy.rules
    own = rules[mutant.index].boxes
    if mutant.kind == "swap":
        assert mutant.with_rule is not None
        others = [box.sets for box in rules[mutant.with_rule].boxes]
        return list(intersections(disjoint(own), others))
    if mutant.kind == "widen":
        assert mutant.field is not None
        before = [box.sets for box in own]
        wide = disjoint(widened(rules[mutant.index], mutant.field).boxes)
        return [left for part in wide for left in difference(part, before)]
    return disjoint(own)


def _changed(entries: Entries, mutant: Mutant, parts: Sequence[Sets]) -> Sets | None:
    """A part of these products whose verdict the mutant changes; None if there is none."""
    if mutant.kind in ("drop", "widen"):
        return removal_changes(entries, mutant.index, parts)
    return _redecided(entries, mutant, parts)


def _redecided(entries: Entries, mutant: Mutant, parts: Sequence[Sets]) -> Sets | None:
    """A part of these products that another rule decides in the mutant, or the same rule the other way."""
    before = entries.before(mutant.index)
    for part in parts:
        found = hole(entries, part, before)
        if found is not None:
            return found
    return None


def _notices(
    entries: Entries, mutant: Mutant, parts: Sequence[Sets], claim: Expectation, boxes: Sequence[Sets]
) -> bool:
    shared = list(intersections(parts, boxes))
    look = _changed if claim.by is None else _redecided
    return bool(shared) and look(entries, mutant, shared) is not None
