"""Captures through a policy, as text and as JSON values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..model.fields import Point
from ..model.packet import Packet, write
from ..model.rules import Action
from ..packets.place import kind_text
from ..policy import Policy
from ..traffic.count import Outcome
from ..traffic.sums import CaptureReport, KindCount, RecordedCount, RuleCount
from .choice import EVERY, Choice
from .screen import visible
from .style import Style

_CLASS_KEYS = ("malformed", "truncated", "tiny_fragment", "partial", "several")
MANY_RULES = 40  # with more, those that decided nothing are only counted
MANY_KINDS = 12  # with more, the rarest are counted together


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


def total_line(report: CaptureReport) -> str:
    """`monday.pcap: 44 packets: 38 allowed, 6 denied`."""
    parts = [f"{report.allow:,} allowed", f"{report.deny:,} denied"]
    if report.depends:
        parts.append(f"{report.depends:,} depend{'s' * (report.depends == 1)} on lines in doubt")
    if report.not_ip:
        parts.append(f"{report.not_ip:,} not IP")
    plural = "" if report.packets == 1 else "s"
    return f"{called(report.file)}: {report.packets:,} packet{plural}: {', '.join(parts)}"


def report_line(report: CaptureReport) -> str:
    """The same, and what kept the capture from being read to its end, where nothing else tells of it."""
    if report.error is None:
        return total_line(report)
    return f"{total_line(report)}; error[{report.error.code}]: {visible(report.error.message)}"


def rule_lines(report: CaptureReport, style: Style, chosen: Choice = EVERY) -> list[str]:
    """A row a rule, and one for each class of packets that no rule has seen: the packets add up to all that are told of."""
    shown = [row for row in report.rules if row.packets or len(report.rules) <= MANY_RULES or row.index is None]
    rows = [
        (
            f"{row.packets:,}",
            f"{row.bytes:,}",
            row.action.value,
            visible(row.label),
            _place(row.label, row.file, row.line),
        )
        for row in shown
    ]
    for count, action, label in (
        (report.malformed, "deny", "malformed: no rule is asked"),
        (report.truncated, "deny", "truncated: what is missing decides"),
        (report.tiny_fragment, "deny", "tiny-fragment: no rule is asked"),
        (report.several, "allow", "truncated: by one of several rules"),
        (report.not_ip, "", "not IP: no verdict"),
    ):
        if count and chosen.takes(Action(action) if action else None, None):
            rows.append((f"{count:,}", "", action, label, ""))
    widths = [max(len(row[i]) for row in [*rows, ("packets", "bytes")]) for i in range(2)]
    label_width = max((len(row.label) for row in shown), default=0)
    out = [f"{'packets':>{widths[0]}}  {'bytes':>{widths[1]}}  action  rule"]
    for packets, size, action, label, place in rows:
        word = style(f"{action:<6}", {"allow": "green", "deny": "red", "depends": "yellow"}.get(action))
        line = f"{packets:>{widths[0]}}  {size:>{widths[1]}}  {word}  {label:<{label_width}}  {style(place, 'grey')}"
        out.append(line.rstrip())
    if report.partial and chosen == EVERY:
        were = "packet was" if report.partial == 1 else "packets were"
        out.append(f"{report.partial:,} truncated {were} decided from the fields that are there")
    more = len(report.rules) - len(shown)
    if not rows:
        out.append("no rule decides so")
    if more:
        out.append(f"{more:,} more rule{'s' * (more != 1)} decided no packet")
    return [*out, *_kind_lines(report), *_recorded_lines(report)] if chosen == EVERY else out


def _kind_lines(report: CaptureReport) -> list[str]:
    """What the frames without IP hold."""
    if not report.kinds:
        return []
    shown = report.kinds if len(report.kinds) <= MANY_KINDS else report.kinds[: MANY_KINDS - 1]
    width = len(f"{shown[0].packets:,}")
    out = ["", "not IP:", *(f"  {kind.packets:>{width},}  {kind.what}" for kind in shown)]
    rest = report.kinds[len(shown) :]
    if rest:
        out.append(f"  {sum(kind.packets for kind in rest):>{width},}  of {len(rest):,} other kinds")
    return out


def _recorded_lines(report: CaptureReport) -> list[str]:
    """Beside what the policy does, what the firewall did that recorded the packets."""
    found = report.recorded
    if found is None:
        return []
    return [
        "",
        f"recorded as passed:  {found.passed_allowed:,} allowed, {found.passed_denied:,} denied by this policy",
        f"recorded as blocked: {found.blocked_denied:,} denied, {found.blocked_allowed:,} allowed by this policy",
    ]


def _place(label: str, file: str | None, line: int | None) -> str:
    return "" if file is None or label == f"{file}:{line}" else visible(f"{file}:{line}")


def outcome_json(
    outcome: Outcome, policy: Policy, number: int, text: Callable[[Point], str] | None = None
) -> dict[str, Any]:
    """One packet of a capture; `number` counts over all captures, `text` writes its point if that is to be quick."""
    if outcome.rule is None or outcome.point is None:
        verdict = None if outcome.action is None else outcome.action.value
        rule = None if outcome.rule is None else policy.label(outcome.rule)
        fields = {"packet": number, "text": None, "verdict": verdict, "rule": rule, "class": outcome.kind}
        return fields | _aside(outcome)
    return {
        "packet": number,
        "text": text(outcome.point)
        if text
        else write(Packet.from_point(outcome.point, policy.tree.fields), policy.tree.fields),
        "verdict": policy.action(outcome.rule).value,
        "rule": policy.label(outcome.rule),
        "class": outcome.kind,
    } | _aside(outcome)


def _aside(outcome: Outcome) -> dict[str, Any]:
    """What a frame without IP holds, and what a log records of a packet."""
    out: dict[str, Any] = {}
    if outcome.what is not None:
        out["what"] = kind_text(outcome.what)
    if outcome.recorded is not None and outcome.recorded.text:
        out["recorded"] = outcome.recorded.text
    return out


def outcome_line(fields: dict[str, Any], style: Style) -> str:
    verdict = style.verdict((fields["verdict"] or "-").upper(), 6)
    recorded = f"  recorded: {visible(fields['recorded'])}" if "recorded" in fields else ""
    if fields["class"] != "ip":
        what = f": {fields['what']}" if "what" in fields else ""
        decided = f"  by {visible(fields['rule'])}" if fields["rule"] else ""
        return f"{fields['packet']:>6}  {verdict} {fields['class']}{what}{decided}{recorded}"
    return f"{fields['packet']:>6}  {verdict} {fields['text']}  by {visible(fields['rule'])}{recorded}"


def unexercised(report: CaptureReport, policy: Policy) -> list[RuleCount]:
    """The active rules that decided no packet of the capture."""
    return [
        row
        for row in report.rules
        if row.index is not None and not row.packets and policy.active(policy.rules[row.index])
    ]


def coverage_lines(report: CaptureReport, policy: Policy) -> list[str]:
    """How many rules the capture exercised, and the others by name."""
    active = sum(row.index is not None and policy.active(policy.rules[row.index]) for row in report.rules)
    left = unexercised(report, policy)
    out = [f"coverage: {active - len(left)} of {active} rules exercised"]
    for row in left:
        place = f"{row.file}:{row.line}"
        out.append(visible(f"  never exercised  {row.label}" + (f"  {place}" if row.label != place else "")))
    return out
