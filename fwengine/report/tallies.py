"""Captures through a policy, as text and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..header import Packet, write
from ..policy import Policy
from ..tally import CaptureReport, Outcome
from .style import Style

MANY_RULES = 40  # with more, those that decided nothing are only counted


def merged(reports: Sequence[CaptureReport]) -> CaptureReport:
    """The sum of reports over one policy."""
    first = reports[0]
    if len(reports) == 1:
        return first
    rules = tuple(
        replace(rows[0], packets=sum(r.packets for r in rows), bytes=sum(r.bytes for r in rows))
        for rows in zip(*(report.rules for report in reports), strict=True)
    )
    counts = {
        key: sum(getattr(report, key) for report in reports)
        for key in ("packets", "allow", "deny", "not_ip", "malformed", "truncated")
    }
    return replace(first, file=f"{len(reports)} captures", rules=rules, **counts)


def tally_json(report: CaptureReport) -> dict[str, Any]:
    return {
        "packets": report.packets,
        "allow": report.allow,
        "deny": report.deny,
        "not_ip": report.not_ip,
        "malformed": report.malformed,
        "truncated": report.truncated,
        "rules": [
            {
                "rule": row.label,
                "file": row.file,
                "line": row.line,
                "action": row.action.value,
                "packets": row.packets,
                "bytes": row.bytes,
            }
            for row in report.rules
        ],
    }


def tally_lines(report: CaptureReport, policy: Policy, style: Style) -> list[str]:
    """The totals in one line, then a row a rule."""
    parts = [f"{report.allow:,} allowed", f"{report.deny:,} denied"]
    if report.not_ip:
        parts.append(f"{report.not_ip:,} not IP")
    plural = "" if report.packets == 1 else "s"
    out = [f"{report.file}: {report.packets:,} packet{plural}: {', '.join(parts)}"]
    undecided = [f"{n:,} {word}" for word in ("malformed", "truncated") if (n := getattr(report, word))]
    if undecided:
        out.append(f"denied without a rule: {', '.join(undecided)}")
    shown = [row for row in report.rules if row.packets or len(report.rules) <= MANY_RULES or row.index is None]
    widths = [max(len(f"{getattr(row, key):,}") for row in shown) for key in ("packets", "bytes")]
    widths = [max(w, len(word)) for w, word in zip(widths, ("packets", "bytes"), strict=True)]
    label = max(len(row.label) for row in shown)
    out += ["", f"{'packets':>{widths[0]}}  {'bytes':>{widths[1]}}  action  rule"]
    for row in shown:
        place = f"{row.file}:{row.line}" if row.file and row.label != f"{row.file}:{row.line}" else ""
        action = style(f"{row.action.value:<6}", "green" if row.action.value == "allow" else "red")
        line = f"{row.packets:>{widths[0]},}  {row.bytes:>{widths[1]},}  {action}  {row.label:<{label}}  {style(place, 'grey')}"
        out.append(line.rstrip())
    if len(shown) < len(report.rules):
        out.append(f"{len(report.rules) - len(shown):,} more rules decided no packet")
    return out


def outcome_json(outcome: Outcome, policy: Policy, number: int) -> dict[str, Any]:
    """One packet of a capture; `number` counts over all captures."""
    if outcome.rule is None or outcome.point is None:
        verdict = None if outcome.kind == "not-ip" else "deny"
        return {"packet": number, "text": None, "verdict": verdict, "rule": None, "class": outcome.kind}
    return {
        "packet": number,
        "text": write(Packet.from_point(outcome.point), policy.tree.fields),
        "verdict": policy.action(outcome.rule).value,
        "rule": policy.label(outcome.rule),
        "class": outcome.kind,
    }


def outcome_line(fields: dict[str, Any], style: Style) -> str:
    verdict = style.verdict((fields["verdict"] or "-").upper(), 6)
    if fields["class"] != "ip":
        return f"{fields['packet']:>6}  {verdict} {fields['class']}"
    return f"{fields['packet']:>6}  {verdict} {fields['text']}  by {fields['rule']}"
