"""A policy's own text, line by line, with what is known of each: what it does, is found, counted, tested, and still decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ...analysis.coverage import coverage
from ...analysis.entries import Entries
from ...analysis.reach import effective
from ...errors import LimitError
from ...limits import at_most
from ...policy import Policy
from ..finding_record import FindingRecord
from ..outcomes import Outcome
from ..record import Place
from ..regions import Wording

MOST_LINES: Final = 5000  # shown of all files together
MOST_RULES: Final = 2000  # of which it is told what they still decide
_PARTS: Final = 4  # regions of a rule
_BOXES: Final = 64  # and boxes before they are merged


@dataclass
class Line:
    """One line; `allow`, `deny`, `expect` or nothing is its `kind`; numbers are None where nothing was counted."""

    number: int
    text: str
    kind: str = ""
    first: bool = True  # of its statement
    name: str | None = None
    findings: list[FindingRecord] = field(default_factory=list)
    outcome: Outcome | None = None
    packets: int | None = None
    octets: int | None = None
    tested: bool | None = None
    left: tuple[str, ...] = ()  # what earlier rules leave of it, if they take a part

    @property
    def told(self) -> bool:
        """Is there more than the line itself?"""
        return bool(self.findings or self.left or (self.outcome is not None and not self.outcome.passed))


@dataclass(frozen=True)
class File:
    """A file of the policy: its lines, as far as they are shown."""

    name: str
    number: int  # of files in the page, for links
    lines: tuple[Line, ...]
    left_out: int


def anchor(files: Sequence[File], place: Place | None) -> str | None:
    """The link to a place's line; None if that is not shown."""
    for file in files:
        if place is not None and place.line is not None and file.name == place.file and place.line <= len(file.lines):
            return f"#f{file.number}l{place.line}"
    return None


def listing(
    policy: Policy,
    findings: Sequence[FindingRecord],
    outcomes: Sequence[Outcome],
    counts: Mapping[str, tuple[int, int]] | None,
) -> tuple[tuple[File, ...], tuple[str, ...]]:
    """The files, the policy's own first; and what was left out, in words."""
    room = MOST_LINES
    files, notes = [], []
    for number, (name, text) in enumerate(policy.sources.items()):
        texts = text.removeprefix("\ufeff").removesuffix("\n").split("\n")
        shown = texts[: max(room, 0)]
        room -= len(shown)
        lines = tuple(Line(n, line.removesuffix("\r").replace("\t", "    ")) for n, line in enumerate(shown, 1))
        files.append(File(name, number, lines, len(texts) - len(shown)))
    left_out = sum(file.left_out for file in files)
    if left_out:
        notes.append(f"{left_out:,} lines of the text are left out: {MOST_LINES:,} are shown")
    by_place = {(file.name, line.number): line for file in files for line in file.lines}
    _mark_rules(policy, by_place, counts)
    notes += _mark_left(policy, by_place)
    _mark_tested(policy, by_place)
    for finding in findings:
        line = by_place.get((finding.place.file, finding.place.line or 0))
        if line is not None:
            line.findings.append(finding)
    for outcome in outcomes:
        line = by_place.get((outcome.place.file, outcome.place.line or 0))
        if line is not None:
            line.outcome, line.kind = outcome, "expect"
    return tuple(files), tuple(notes)


Lines = Mapping[tuple[str, int], Line]


def _mark_rules(policy: Policy, lines: Lines, counts: Mapping[str, tuple[int, int]] | None) -> None:
    for rule in policy.rules:
        span = rule.span
        for number in range(span.line, span.end_line + 1):
            line = lines.get((span.file, number))
            if line is None:
                break
            line.kind, line.first = str(rule.action) if not line.kind else line.kind, number == span.line
            if line.first:
                line.name = rule.name
                if counts is not None:
                    line.packets, line.octets = counts.get(rule.label, (0, 0))


def _mark_left(policy: Policy, lines: Lines) -> Iterator[str]:
    """What is left of rules from which earlier ones take a part."""
    if policy.imported is not None:
        return
    if len(policy.rules) > MOST_RULES:
        yield f"what rules still decide is not told: the policy has more than {MOST_RULES:,}"
        return
    entries, wording, unknown = Entries(policy), Wording(policy), 0
    for index, rule in enumerate(policy.rules):
        line = lines.get((rule.span.file, rule.span.line))
        if line is None or not policy.active(rule):
            continue
        try:
            with at_most(regions=_BOXES):
                left = effective(policy, index, entries)
        except LimitError:
            unknown += 1
            continue
        if left and not all(any(piece.issubset(box) for box in left) for b in rule.boxes for piece in b.pieces):
            parts = wording.parts(left)
            more = (f"and {len(parts) - _PARTS:,} more regions",) if len(parts) > _PARTS else ()
            line.left = (*parts[:_PARTS], *more)
    if unknown:
        yield f"of {unknown:,} rules it is not told what they still decide: it falls into more than {_BOXES} parts"


def _mark_tested(policy: Policy, lines: Lines) -> None:
    """Whether an expectation exercises each rule; nothing where there are none, or it takes too long."""
    if not policy.expectations or policy.imported is not None:
        return
    try:
        found = coverage(policy, policy.expectations)
    except LimitError:
        return
    for index in found.countable:
        span = policy.rules[index].span
        line = lines.get((span.file, span.line))
        if line is not None:
            line.tested = found.exercised[index] is not None
