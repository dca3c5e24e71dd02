"""What `check` answers: findings about policies, each once, and a line for each policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from ..codes import FINDINGS
from ..errors import Diagnostic, Label, Span
from .answer import Answer, Block, Case, Note, heading, table
from .finding_record import BaselineRecord, Effective, FindingRecord, IgnoredRecord, PolicyChecked
from .fit import wrapped
from .record import Confirmed, FailureRecord, Place, Record
from .screen import render, visible
from .style import Style
from .wording import counted

MANY: Final = 20  # findings of a policy, beyond which they are also counted by kind
_HUES: Final = {"error": "red", "warning": "yellow", "info": "cyan"}


@dataclass(frozen=True)
class Told(Record):
    """What is told of with one policy as text: its errors or its findings, but for what was told with another; and the sources."""

    policy: PolicyChecked
    failures: tuple[FailureRecord, ...] = ()
    findings: tuple[FindingRecord, ...] = ()
    effective: tuple[Effective, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Checked(Answer):
    """The findings about all policies, each once; `effective` is null if it was not asked for.

    `strict`: information counts, too. `ignored`: what comments set aside. `baseline`: null if there was none.
    """

    command: ClassVar[str] = "check"
    rows: ClassVar[str] = "findings"

    policies: tuple[PolicyChecked, ...]
    strict: bool
    findings: tuple[FindingRecord, ...]
    effective: tuple[Effective, ...] | None
    confirmed: Confirmed | None
    ignored: tuple[IgnoredRecord, ...] = ()
    baseline: BaselineRecord | None = None
    _told: tuple[Told, ...] = field(default=(), repr=False, compare=False)
    _limit: int | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        told: Iterable[Told],
        *,
        strict: bool = False,
        effective: bool = False,
        ignored: Iterable[IgnoredRecord] = (),
        baseline: BaselineRecord | None = None,
        limit: int | None = None,
    ) -> Checked:
        each = tuple(told)
        policies = tuple(one.policy for one in each)
        how = [p.confirmed for p in policies if p.confirmed is not None]
        return cls(
            policies,
            strict,
            tuple(f for one in each for f in one.findings),
            tuple(part for one in each for part in one.effective) if effective else None,
            Confirmed(all(c.complete for c in how), sum(c.samples for c in how)) if how else None,
            tuple(ignored),
            baseline,
            each,
            limit,
        )

    def matters(self, finding: FindingRecord) -> bool:
        return finding.severity != "info" or self.strict

    @property
    def clean(self) -> bool:
        """Is there nothing that matters?"""
        return not any(map(self.matters, self.findings))

    def lines(self, style: Style) -> Iterator[str]:
        left = len(self.findings) if self._limit is None else self._limit
        for told in self._told:
            some = told.findings[:left]
            left -= len(some)
            screens = [diagnostic(f) for f in told.failures]
            screens += [diagnostic(f) for f in some if f.severity != "info"]
            if screens:
                yield render(screens, told.sources, color=style.color, width=style.width)
            for f in some:
                if f.severity == "info":  # a line is enough for what may well be meant
                    notes = f" ({f.notes[0].removeprefix('witness: ')})" if f.notes else ""
                    head = f"info[{f.code}]"
                    first, *more = wrapped(visible(f"{f.place}: {f.message}{notes}"), style.width, f"{head} ", "    ")
                    yield style(head, "cyan", bold=True) + first[len(head) :]
                    yield from more
            yield visible(f"{told.policy.file}: ") + summary(told.policy, style)
            yield from by_kind(told.findings, style)
            for part in told.effective:
                yield f"{style(visible(str(part.rule)), bold=True)} still decides:"
                for region in part.regions:
                    yield from wrapped(f"{part.rule.action} {region}", style.width, "  ", "      ")
        if self._limit is not None and len(self.findings) > self._limit:
            yield f"and {counted(len(self.findings) - self._limit, 'more finding')} (--limit)"

    def blocks(self) -> Iterable[Block]:
        yield heading("Findings")
        counts = [(sum(f.severity == s for f in self.findings), s) for s in ("error", "warning")]
        told = [counted(count, word) for count, word in counts if count]
        told += [f"{count} info" for count in [sum(f.severity == "info" for f in self.findings)] if count]
        read = sum(p.size is not None for p in self.policies)
        aside = [f"{len(self.ignored)} ignored"] * bool(self.ignored)
        if self.baseline is not None and self.baseline.known:
            aside.append(f"{self.baseline.known} in the baseline")
        yield Block(", ".join([f"{', '.join(told) or 'nothing found'} in {counted(read, 'file')}", *aside]))
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
        if self.ignored:
            yield table(
                ("ignored", "where", "what", "because"),
                [(i.finding.code, f"`{i.finding.place}`", i.finding.message, i.why) for i in self.ignored],
            )
        for part in self.effective or ():
            yield Block(f"`{part.rule}` still decides:")
            yield table(("region",), [(f"`{part.rule.action} {region}`",) for region in part.regions])

    def notes(self) -> Iterable[Note]:
        yield from (f.note() for f in self.findings)
        yield from (i.finding.note(i.why) for i in self.ignored)

    def cases(self) -> Iterable[Case]:
        """One for each finding, and one for each policy without any."""
        told = {f.place.file for f in self.findings}
        for f in self.findings:
            yield _case(f, not self.matters(f))
        for i in self.ignored:
            yield _case(i.finding, passed=True, aside=i.why)
        for p in self.policies:
            if p.size is not None and p.file not in told:
                yield Case(p.file, "check", True, Place(p.file))


def _case(f: FindingRecord, passed: bool, aside: str | None = None) -> Case:
    name = f"{f.place.line}: {f.code} {f.message}"
    return Case(f.place.file, name, passed, f.place, f.message, "\n".join(f.note().told), f.code, aside)


def summary(p: PolicyChecked, style: Style) -> str:
    """`1 warning, 2 info, 6 rules, default deny (sampled), 1 ignored`."""
    counts = []
    for severity, count in p.counts:
        if count:
            word = severity if severity == "info" else severity + "s" * (count != 1)
            counts.append(style(f"{count} {word}", _HUES[severity], bold=True))
    found = counts or [style("ok", "green", bold=True)] * bool(p.rules)
    how = " (sampled)" if p.confirmed is not None and not p.confirmed.complete else ""  # no word: confirmed
    size = [] if p.size is None else [p.size + how]
    aside = [f"{p.ignored} ignored"] * bool(p.ignored) + [f"{p.known} in the baseline"] * bool(p.known)
    return ", ".join([*found, *size, *aside])


def by_kind(findings: Sequence[FindingRecord], style: Style) -> Iterator[str]:
    """Where there are many, how many there are of each kind: errors first, then the most frequent."""
    found = Counter((f.severity, f.code) for f in findings)
    if len(findings) <= MANY or len(found) == 1:
        return
    width = len(f"{max(found.values()):,}")
    ordered = sorted(found.items(), key=lambda one: ([*_HUES].index(one[0][0]), -one[1], one[0][1]))
    for (severity, code), count in ordered:
        yield f"  {count:>{width},}  {style(f'{severity:<7} {code}', _HUES[severity])}  {FINDINGS.get(code, '')}".rstrip()
    yield f"`--select {ordered[0][0][1]}` tells of one kind alone"


def diagnostic(f: FindingRecord | FailureRecord) -> Diagnostic:
    """What a screen shows of a record."""
    assert f.place is not None
    return Diagnostic(
        f.code,
        f.message,
        _span(f.place),
        f.label,
        f.help,
        f.severity,
        tuple(Label(_span(related.place), related.text) for related in f.related),
        f.notes,
    )


def _span(place: Place) -> Span:
    p = place
    return Span(p.file, p.line or 1, p.column or 1, p.end_line or 1, p.end_column or 1)
