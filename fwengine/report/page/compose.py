"""A policy, and what else is known of it -> all that a page shows, as plain values."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...analysis.prove import prove
from ...errors import LimitError
from ...policy import Policy
from ...traffic.sums import CaptureReport
from ..answer import Block
from ..changed import Changed
from ..drawings import tree_lines
from ..drawn import drawn
from ..finding_record import FindingRecord
from ..findings import examine, to_diagnostics
from ..flowed import Flowed
from ..outcomes import Outcome
from ..ruled import PolicySized
from ..sizes import counted
from .listing import File, anchor, listing
from .reach import Reach, reach

_FIRST = 8  # things to look at first
_TREE = 400  # lines of the tree


@dataclass(frozen=True)
class First:
    """Something to look at first, and the link to it."""

    kind: str  # error, warning, allow, deny
    text: str
    link: str | None


@dataclass(frozen=True)
class Page:
    """All that the page of a policy shows."""

    name: str
    as_of: datetime.date
    rules: int
    default: str
    confirmed: str
    facts: tuple[tuple[str, str], ...]
    first: tuple[First, ...]
    files: tuple[File, ...]
    elsewhere: tuple[FindingRecord, ...]  # findings at lines that are not shown
    outcomes: tuple[Outcome, ...]
    counted: tuple[CaptureReport, ...]
    reach: Reach
    tree: tuple[str, ...]
    changes: tuple[Block, ...]
    old: str | None
    flowed: tuple[Block, ...]
    unread: tuple[tuple[str, str], ...]  # logs that could not be read (any further)
    notes: tuple[str, ...]


def compose(
    policy: Policy,
    reports: Sequence[CaptureReport] = (),
    changed: Changed | None = None,
    old: str | None = None,
    flowed: Flowed | None = None,
) -> Page:
    """What the page of a policy shows: findings, expectations, who reaches whom, counts of captures and flows, changes since `old`.

    What takes too long is left out, and said.
    """
    notes: list[str] = []
    findings, confirmed = _findings(policy, notes)
    outcomes = _outcomes(policy, notes)
    files, left_out = listing(policy, findings, outcomes, _counts(reports))
    notes += left_out
    return Page(
        policy.name,
        policy.as_of,
        len(policy.rules),
        str(policy.default),
        confirmed,
        tuple(_facts(policy, findings, outcomes, reports, flowed)),
        tuple(_first(findings, outcomes, changed, files)),
        files,
        tuple(f for f in findings if anchor(files, f.place) is None),
        outcomes,
        tuple(reports),
        reach(policy),
        _tree(policy),
        tuple(changed.blocks()) if changed is not None else (),
        old,
        tuple(flowed.blocks()) if flowed is not None else (),
        tuple(_unread(flowed)) if flowed is not None else (),
        tuple(notes),
    )


def _findings(policy: Policy, notes: list[str]) -> tuple[tuple[FindingRecord, ...], str]:
    try:
        examined = examine(policy)
    except LimitError as error:
        notes.append(f"what `check` finds is not told: {error}")
        return (), ""
    found = examined.told()
    told = tuple(
        FindingRecord.of(examined.policy, f, d)
        for f, d in zip(found, to_diagnostics(examined.policy, found), strict=True)
    )
    return told, found.confirmed.word if found.confirmed is not None else ""


def _outcomes(policy: Policy, notes: list[str]) -> tuple[Outcome, ...]:
    out, unknown = [], 0
    for claim in policy.expectations:
        try:
            out.append(Outcome.of(prove(policy, claim), policy, policy.name, policy.as_of))
        except LimitError:
            unknown += 1
    if unknown:
        notes.append(f"{unknown:,} expectations are unknown: they exceed the limit of a search")
    return tuple(out)


def _counts(reports: Sequence[CaptureReport]) -> dict[str, tuple[int, int]] | None:
    if not reports:
        return None
    out: dict[str, tuple[int, int]] = {}
    for report in reports:
        for row in report.rules:
            packets, octets = out.get(row.label, (0, 0))
            out[row.label] = packets + row.packets, octets + row.bytes
    return out


def _facts(
    policy: Policy,
    findings: Sequence[FindingRecord],
    outcomes: Sequence[Outcome],
    reports: Sequence[CaptureReport],
    flowed: Flowed | None,
) -> list[tuple[str, str]]:
    """Numbers for the head of the page."""
    severe = sum(f.severity != "info" for f in findings)
    out = [
        ("rules", f"{len(policy.rules):,}"),
        ("otherwise", f"{policy.default}"),
        ("findings", f"{severe:,}" + (f" and {len(findings) - severe:,} remarks" if len(findings) > severe else "")),
    ]
    if outcomes:
        out.append(("expectations proved", f"{sum(o.passed for o in outcomes):,} of {len(outcomes):,}"))
    if reports:
        packets = sum(r.packets for r in reports)
        out.append(("packets allowed", f"{sum(r.allow for r in reports):,} of {packets:,}"))
    if flowed is not None:
        out.append(("flows allowed", f"{flowed.fates.allow:,} of {flowed.flows:,}"))
    return out


def _first(
    findings: Sequence[FindingRecord], outcomes: Sequence[Outcome], changed: Changed | None, files: Sequence[File]
) -> list[First]:
    """What to look at first: what does not hold, what is newly allowed, what does not do what it seems to."""
    out = [
        First("error", f"does not hold: `{o.expectation}`", anchor(files, o.place)) for o in outcomes if not o.passed
    ]
    if changed is not None and not changed.equivalent:
        out.append(First("allow" if changed.amounts[0].regions else "deny", changed.summary_text, "#changes"))
    out += [
        First(f.severity, f"{f.code}: {f.message}", anchor(files, f.place)) for f in findings if f.severity != "info"
    ]
    more = len(out) - _FIRST
    return [*out[:_FIRST], *([First("info", f"and {counted(more, 'more thing')}", "#rules")] if more > 0 else [])]


def _unread(flowed: Flowed) -> Iterator[tuple[str, str]]:
    for log in flowed.logs:
        if log.error is not None:
            yield log.file, f"error[{log.error.code}]: {log.error.message}"


def _tree(policy: Policy) -> tuple[str, ...]:
    lines = list(tree_lines(drawn(policy))) if len(policy.rules) <= _TREE else []
    if len(lines) > _TREE or not lines:
        return (
            *PolicySized.of(policy).lines(),
            "",
            "the tree itself is too large to be read: `fwengine show --as dot` writes it",
        )
    return (*PolicySized.of(policy).lines(), "", *lines)
