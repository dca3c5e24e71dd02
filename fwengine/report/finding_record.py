"""Findings about policies as records: with the rules that cause them, a witness, and edits that mend them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..analysis.finding import Finding
from ..analysis.reach import effective
from ..errors import Diagnostic, Severity
from ..policy import Policy
from .answer import Note
from .identity import statement_of
from .making import region_of, rule_at, witness_of
from .record import Act, Confirmed, Edit, Place, Record, RegionRecord, Related, RuleRecord, Witness
from .regions import Wording
from .suppressed import Ignored


@dataclass(frozen=True)
class FindingRecord(Record):
    """One thing found.

    Attributes:
        rule: what it is about; null if it is about a definition or a text.
        definition: the name of the definition that it is about.
        blockers: the rules that cause it.
        related: further places, and what is said of them.
        suggestions: edits that mend it; those of all findings may be followed together.
        identity: the statement that it is about, in canonical form: of two runs, the findings with one code, file and identity are
            the same.
    """

    code: str
    severity: Severity
    message: str
    place: Place
    label: str
    help: str
    notes: tuple[str, ...]
    rule: RuleRecord | None
    definition: str | None
    blockers: tuple[RuleRecord, ...]
    witness: Witness | None
    related: tuple[Related, ...]
    suggestions: tuple[Edit, ...]
    identity: str

    @classmethod
    def of(cls, policy: Policy, finding: Finding, d: Diagnostic) -> FindingRecord:
        """`d` is the finding as a screen shows it."""
        found = None
        if finding.witness is not None:
            index = len(policy.rules) if finding.decided_by is None else finding.decided_by
            found = witness_of(policy, finding.witness, index)
        return cls(
            d.code,
            d.severity,
            d.message,
            Place.of(d.span),
            d.label,
            d.help,
            d.notes,
            None if finding.rule is None else rule_at(policy, finding.rule),
            None if finding.definition is None else finding.definition.name,
            tuple(rule_at(policy, b) for b in finding.blockers),
            found,
            tuple(map(Related.of, d.labels)),
            tuple(map(Edit.of, d.suggestions)),
            statement_of(policy, finding),
        )

    def note(self, aside: str | None = None) -> Note:
        """What there is to tell; `aside` is why somebody set it aside."""
        properties = {
            "rule": self.rule and self.rule.label,
            "blockers": [b.label for b in self.blockers],
            "witness": self.witness and self.witness.packet,
        }
        return Note(
            self.code, self.severity, self.message, self.place, self.label, self.help, self.notes, self.related,
            self.suggestions, properties, (self.identity,), aside,
        )  # fmt: skip


@dataclass(frozen=True)
class Effective(Record):
    """What a rule from which earlier ones take packets still decides."""

    rule: RuleRecord
    regions: tuple[RegionRecord, ...]


def effective_of(policy: Policy) -> Iterator[Effective]:
    """Each rule from which earlier ones take packets, and not all."""
    wording = Wording(policy)
    for index, rule in enumerate(policy.rules):
        if not policy.active(rule) or not any(rule.boxes):
            continue
        left = effective(policy, index)
        if left and not all(any(piece.issubset(box) for box in left) for b in rule.boxes for piece in b.pieces):
            yield Effective(rule_at(policy, index), tuple(region_of(box, wording.region(box)) for box in left))


@dataclass(frozen=True)
class IgnoredRecord(Record):
    """A finding that a comment sets aside, with its reason, its last day if it has one, and its place."""

    finding: FindingRecord
    reason: str
    until: str | None
    comment: Place

    @property
    def why(self) -> str:
        """The reason, and how long it counts."""
        return f"{self.reason} (until {self.until})" if self.until else self.reason

    @classmethod
    def of(cls, policy: Policy, one: Ignored, d: Diagnostic) -> IgnoredRecord:
        until = None if one.by.until is None else str(one.by.until)
        return cls(FindingRecord.of(policy, one.finding, d), one.by.reason, until, Place.of(one.by.at))


@dataclass(frozen=True)
class PolicyChecked(Record):
    """A policy that was looked at, and what was found in it and in what it includes; without `size` it does not compile.

    Attributes:
        size: how much there is of it, in words.
        rules: how many there are.
        errors, warnings, info: how many of the kind were found, those told of with another policy included.
        ignored: findings that comments set aside.
        known: findings that the baseline has.
    """

    file: str
    size: str | None
    rules: int
    default: Act | None
    errors: int
    warnings: int
    info: int
    ignored: int
    known: int
    confirmed: Confirmed | None

    @property
    def counts(self) -> tuple[tuple[Severity, int], ...]:
        return ("error", self.errors), ("warning", self.warnings), ("info", self.info)


@dataclass(frozen=True)
class StaleRecord(Record):
    """What a baseline has, and was not found any more; the file from the baseline's folder."""

    code: str
    file: str
    statement: str
    fingerprint: str


@dataclass(frozen=True)
class BaselineRecord(Record):
    """How many findings a baseline knew, and which of its own are gone."""

    file: str
    known: int
    stale: tuple[StaleRecord, ...]
