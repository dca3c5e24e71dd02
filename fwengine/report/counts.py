"""Counts of captures, added up and narrowed to what is told; what a capture comes to, in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from ..policy import Policy
from ..traffic.sums import CaptureReport, KindCount, RecordedCount, RuleCount
from .choice import EVERY, Choice
from .screen import visible

_CLASS_KEYS = ("malformed", "truncated", "tiny_fragment", "partial", "several")


def merged(reports: Sequence[CaptureReport]) -> CaptureReport:
    """The sum of reports over one policy."""
    first = reports[0]
    if len(reports) == 1:
        return first
    rules = tuple(
        rows[0].replace(packets=sum(r.packets for r in rows), bytes=sum(r.bytes for r in rows))
        for rows in zip(*(report.rules for report in reports), strict=True)
    )
    counts = {
        key: sum(getattr(report, key) for report in reports)
        for key in ("packets", "allow", "deny", "depends", "not_ip", *_CLASS_KEYS)
    }
    return replace(
        first,
        file="total",
        rules=rules,
        kinds=_merged_kinds(reports),
        recorded=_merged_recorded([report.recorded for report in reports if report.recorded]),
        **counts,
    )


def narrowed(report: CaptureReport, chosen: Choice) -> CaptureReport:
    """The same totals, and of the rules those that are told of."""
    if chosen == EVERY:
        return report
    default = len(report.rules) - 1
    rules = (row for row in report.rules if chosen.takes(row.action, default if row.index is None else row.index))
    return replace(report, rules=tuple(rules))


def _merged_kinds(reports: Sequence[CaptureReport]) -> tuple[KindCount, ...]:
    total: Counter[str] = Counter()
    for report in reports:
        for what, packets in report.kinds:
            total[what] += packets
    return tuple(KindCount(*row) for row in sorted(total.items(), key=lambda row: (-row[1], row[0])))


def _merged_recorded(counts: Sequence[RecordedCount]) -> RecordedCount | None:
    return RecordedCount(*map(sum, zip(*counts, strict=True))) if counts else None


def called(file: str) -> str:
    """The capture's name on a screen."""
    return "<stdin>" if file == "-" else visible(file)


class _Sums(Protocol):
    """What adds up, of one capture or of several."""

    @property
    def packets(self) -> int: ...
    @property
    def allow(self) -> int: ...
    @property
    def deny(self) -> int: ...
    @property
    def depends(self) -> int: ...
    @property
    def not_ip(self) -> int: ...


def total_line(report: _Sums, name: str) -> str:
    """`monday.pcap: 44 packets: 38 allowed, 6 denied`."""
    parts = [f"{report.allow:,} allowed", f"{report.deny:,} denied"]
    if report.depends:
        parts.append(f"{report.depends:,} depend{'s' * (report.depends == 1)} on lines in doubt")
    if report.not_ip:
        parts.append(f"{report.not_ip:,} not IP")
    plural = "" if report.packets == 1 else "s"
    return f"{name}: {report.packets:,} packet{plural}: {', '.join(parts)}"


def report_line(report: CaptureReport) -> str:
    """The same, and what kept the capture from being read to its end, where nothing else tells of it."""
    if report.error is None:
        return total_line(report, called(report.file))
    return f"{total_line(report, called(report.file))}; error[{report.error.code}]: {visible(report.error.message)}"


def unexercised(report: CaptureReport, policy: Policy) -> list[RuleCount]:
    """The active rules that decided no packet of the capture."""
    return [
        row
        for row in report.rules
        if row.index is not None and not row.packets and policy.active(policy.rules[row.index])
    ]
