"""How much the expectations of one or more files cover, and how many mutants they notice.

Files that include one another speak of the same rules: what one of them covers or notices, counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..analysis.coverage import coverage
from ..analysis.mutation import Mutant, mutation_score
from ..codes import USAGE
from ..imported import lines
from ..model.rules import Rule
from ..policy import Policy
from .failure import Failure
from .making import rule_of, witness_of
from .tallies import Coverage
from .tested import Mutation, Survivor
from .verdicts import FIELD_WORDS

Key = tuple[str, int]  # a rule by its file and line


@dataclass
class Tested:
    """Rules covered and mutants noticed, gathered file by file."""

    rules: dict[Key, Rule] = field(default_factory=dict)
    covered: set[Key] = field(default_factory=set)
    noticed: set[tuple[Any, ...]] = field(default_factory=set)
    survivors: dict[tuple[Any, ...], Survivor] = field(default_factory=dict)
    equivalent: set[tuple[Any, ...]] = field(default_factory=set)

    def add_coverage(self, policy: Policy) -> None:
        found = coverage(policy, policy.expectations)
        known = lines(policy.imported.document.chains) if policy.imported is not None else {}
        for index in found.countable:
            origin = policy.rules[index].origin
            if origin is not None and origin.line in known and known[origin.line].implied:
                continue  # not in the file, so nobody's to exercise
            key = _key(policy.rules[index])
            self.rules[key] = policy.rules[index]
            if found.exercised[index] is not None:
                self.covered.add(key)

    def add_mutants(self, policy: Policy) -> Failure | None:
        """Takes in the mutants of a policy.

        A failure where its rules are another firewall's: what a change of a line would be, only its own language could say.
        """
        if policy.imported is not None or any(rule.origin is not None for rule in policy.rules):
            message = "`--mutate` changes rules, and these are another firewall's: no mutant was made"
            return Failure("nothing", USAGE, message, policy.name)
        score = mutation_score(policy, policy.expectations)
        self.noticed.update(_mutant_key(policy, m) for m in score.noticed)
        self.equivalent.update(_mutant_key(policy, m) for m in score.equivalent)
        for survivor in score.survivors:
            rule = policy.rules[survivor.mutant.index]
            index = survivor.verdict.index
            found = witness_of(policy, survivor.packet, len(policy.rules) if index is None else index)
            self.survivors.setdefault(
                _mutant_key(policy, survivor.mutant),
                Survivor(
                    mutant_text(policy, survivor.mutant),
                    rule_of(rule),
                    found,
                    f"expect {survivor.verdict.action} {found.packet} by {survivor.verdict.by}",
                ),
            )
        return None

    @property
    def missing(self) -> list[Rule]:
        return [rule for key, rule in self.rules.items() if key not in self.covered]

    @property
    def coverage(self) -> float:
        return len(self.covered) / len(self.rules) if self.rules else 1.0

    @property
    def unnoticed(self) -> list[Survivor]:
        return [fields for key, fields in self.survivors.items() if key not in self.noticed]

    @property
    def score(self) -> float:
        count = len(self.noticed) + len(self.unnoticed)
        return len(self.noticed) / count if count else 1.0

    @property
    def coverage_record(self) -> Coverage:
        return Coverage.of(len(self.rules), map(rule_of, self.missing))

    @property
    def mutation_record(self) -> Mutation:
        return Mutation(len(self.noticed), tuple(self.unnoticed), len(self.equivalent - self.noticed), self.score)


def _key(rule: Rule) -> Key:
    return rule.span.file, rule.span.line


def _mutant_key(policy: Policy, mutant: Mutant) -> tuple[Any, ...]:
    other = None if mutant.with_rule is None else _key(policy.rules[mutant.with_rule])
    return (mutant.kind, _key(policy.rules[mutant.index]), mutant.field, other)


def mutant_text(policy: Policy, mutant: Mutant) -> str:
    """What a mutant does, in words."""
    label = f"`{policy.label(mutant.index)}`"
    if mutant.kind == "drop":
        return f"drop {label}"
    if mutant.kind == "flip":
        return f"let {label} {policy.rules[mutant.index].action.other}"
    if mutant.kind == "swap":
        assert mutant.with_rule is not None
        return f"swap {label} with `{policy.label(mutant.with_rule)}`"
    assert mutant.field is not None
    return f"widen {FIELD_WORDS[mutant.field]} of {label}"
