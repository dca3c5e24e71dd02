"""Which rules the expectations exercise: a rule is covered if some expectation speaks of a packet that it decides.

Exact. Knows nothing of captures, whose coverage is counted packet by packet, nor of how it is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..limits import question
from ..model.overlap import bits
from ..model.rules import Expectation
from ..model.ruleset import RuleSet
from .cover import hole
from .entries import Entries, closed, within


@dataclass(frozen=True)
class Coverage:
    """Rules and the expectations that exercise them.

    `exercised[i]` is the index of the first expectation that speaks of a packet which rule `i` decides, and None if none
    does; its last element is about the default. `countable` are the rules that could be exercised: those that are active.
    """

    exercised: tuple[int | None, ...]
    countable: tuple[int, ...]

    @property
    def missing(self) -> tuple[int, ...]:
        """The active rules that no expectation exercises."""
        return tuple(i for i in self.countable if self.exercised[i] is None)

    @property
    def ratio(self) -> float:
        """The covered part of the active rules, from 0 to 1; 1 if there are none. The default does not count."""
        return 1 - len(self.missing) / len(self.countable) if self.countable else 1.0


@question
def coverage(policy: RuleSet, expectations: Sequence[Expectation]) -> Coverage:
    """Which rules some expectation exercises.

    Raises:
        LimitError: beyond the limit of steps in one search.

    Complexity: for each expectation a search for each rule that overlaps it and is not yet covered.

    >>> from fwengine.model.rules import ALLOW, DENY, rules_of
    >>> from fwengine.analysis.region import EVERYTHING
    >>> policy = RuleSet(rules_of([(ALLOW, EVERYTHING), (DENY, EVERYTHING)]))
    >>> coverage(policy, [Expectation(ALLOW, (EVERYTHING,))]).missing
    (1,)
    """
    entries = Entries(closed(policy))
    exercised: list[int | None] = [None] * (len(policy.rules) + 1)
    open_entries = entries.overlaps.all
    for n, claim in enumerate(expectations):
        for box in claim.boxes:
            for piece in box.pieces:
                for e in bits(entries.visible(piece.sets, entries.overlaps.all).entries & open_entries):
                    rule = entries.rule[e]
                    shared = within(piece.sets, entries.sets[e]) if exercised[rule] is None else None
                    if shared and hole(entries, shared, entries.before(rule)) is not None:
                        exercised[rule] = n
                        open_entries &= ~((1 << entries.first[rule + 1]) - (1 << entries.first[rule]))
    return Coverage(tuple(exercised), tuple(i for i, rule in enumerate(policy.rules) if policy.active(rule)))
