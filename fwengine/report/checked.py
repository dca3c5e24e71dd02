"""What `check` answers: findings about policies, with the rules that cause them, a witness, and edits that mend them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..analysis.confirm import Confirmation
from ..analysis.finding import Finding
from ..analysis.reach import effective
from ..errors import Diagnostic, Severity, Span
from ..policy import Policy
from .answer import Answer, Block, Case, Note, heading, table
from .making import region_of, rule_at, witness_of
from .record import Confirmed, Edit, Place, Record, RegionRecord, Related, RuleRecord, Witness
from .wording import counted


@dataclass(frozen=True)
class FindingRecord(Record):
    """One thing found.

    Attributes:
        rule: what it is about; null if it is about a definition or a text.
        definition: the name of the definition that it is about.
        blockers: the rules that cause it.
        related: further places, and what is said of them.
        suggestions: edits that mend it; those of all findings may be followed together.
        identity: what stays the same when lines move: of two runs, the findings with one code, file and identity are the same.
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
            tuple(Related(Place.of(label.span), label.text) for label in d.labels),
            tuple(map(Edit.of, d.suggestions)),
            _identity(policy, finding, d),
        )

    @property
    def note(self) -> Note:
        properties = {
            "rule": self.rule and self.rule.label,
            "blockers": [b.label for b in self.blockers],
            "witness": self.witness and self.witness.packet,
        }
        return Note(
            self.code, self.severity, self.message, self.place, self.label, self.help, self.notes, self.related,
            self.suggestions, properties, (self.identity,),
        )  # fmt: skip


def _identity(policy: Policy, finding: Finding, d: Diagnostic) -> str:
    """The rule's name, or its text: a line's number would not stay."""
    if finding.definition is not None:
        return finding.definition.name
    if finding.rule is None:
        return _text(policy, d.span)
    rule = policy.rules[finding.rule]
    return rule.name or _text(policy, rule.span)


def _text(policy: Policy, span: Span) -> str:
    lines = policy.sources.get(span.file, "").removeprefix("\ufeff").split("\n")
    return " ".join(" ".join(lines[span.line - 1 : span.end_line]).split())


@dataclass(frozen=True)
class Effective(Record):
    """What a rule from which earlier ones take packets still decides."""

    rule: RuleRecord
    regions: tuple[RegionRecord, ...]


def effective_of(policy: Policy) -> Iterator[Effective]:
    """Each rule from which earlier ones take packets, and not all."""
    for index, rule in enumerate(policy.rules):
        if not policy.active(rule) or not any(rule.boxes):
            continue
        left = effective(policy, index)
        if left and not all(any(piece.issubset(box) for box in left) for b in rule.boxes for piece in b.pieces):
            yield Effective(rule_at(policy, index), tuple(map(region_of, left)))


@dataclass(frozen=True)
class Checked(Answer):
    """The findings about all policies that could be read, each once; `effective` is null if it was not asked for.

    `strict`: information counts, too.
    """

    command: ClassVar[str] = "check"
    rows: ClassVar[str] = "findings"

    policies: tuple[str, ...]
    strict: bool
    findings: tuple[FindingRecord, ...]
    effective: tuple[Effective, ...] | None
    confirmed: Confirmed | None

    @classmethod
    def of(
        cls,
        policies: Sequence[str],
        strict: bool,
        findings: Iterable[FindingRecord],
        left: Iterable[Effective] | None,
        confirmed: Sequence[Confirmation],
    ) -> Checked:
        how = None
        if confirmed:
            how = Confirmed(all(c.complete for c in confirmed), sum(c.points for c in confirmed))
        return cls(tuple(policies), strict, tuple(findings), None if left is None else tuple(left), how)

    def matters(self, finding: FindingRecord) -> bool:
        return finding.severity != "info" or self.strict

    def blocks(self) -> Iterable[Block]:
        yield heading("Findings")
        counts = [(sum(f.severity == s for f in self.findings), s) for s in ("error", "warning")]
        told = [counted(count, word) for count, word in counts if count]
        told += [f"{count} info" for count in [sum(f.severity == "info" for f in self.findings)] if count]
        yield Block(f"{', '.join(told) or 'nothing found'} in {counted(len(self.policies), 'file')}")
        if self.findings:
            yield table(
                ("", "where", "what", "for example", "what to do"),
                [
                    (
                        f"{f.severity} {f.code}",
                        f"`{f.place}`",
                        f.message,
                        f"`{f.witness.packet}`" if f.witness else "",
                        f.help,
                    )
                    for f in self.findings
                ],
            )
        for part in self.effective or ():
            yield Block(f"`{part.rule}` still decides:")
            yield table(("region",), [(f"`{region}`",) for region in part.regions])

    def notes(self) -> Iterable[Note]:
        return (f.note for f in self.findings)

    def cases(self) -> Iterable[Case]:
        """One for each finding, and one for each policy without any."""
        told = {f.place.file for f in self.findings}
        for f in self.findings:
            name = f"{f.place.line}: {f.code} {f.message}"
            yield Case(f.place.file, name, not self.matters(f), f.place, f.message, "\n".join(f.note.told), f.code)
        for path in self.policies:
            if path not in told:
                yield Case(path, "check", True, Place(path))
