"""Counted packets as text: a row a rule, what no rule has seen, what the captures hold besides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..model.rules import Action
from .choice import EVERY, Choice
from .record import RuleRecord
from .screen import visible
from .style import Style
from .tallies import Coverage, Sums
from .wording import counted

MANY_RULES: Final = 40  # with more, those that decided nothing are only counted
MANY_KINDS: Final = 12  # with more, the rarest are counted together
_HUES: Final = {"allow": "green", "deny": "red", "depends": "yellow"}


def rule_lines(sums: Sums, style: Style, chosen: Choice = EVERY) -> list[str]:
    """A row a rule, and one for each class of packets that no rule has seen: the packets add up to all that are told of."""
    shown = [row for row in sums.rules if row.packets or len(sums.rules) <= MANY_RULES or row.rule.place is None]
    rows = [
        (
            f"{row.packets:,}",
            f"{row.bytes:,}",
            row.rule.action,
            visible(row.rule.called),
            visible(_place(row.rule)),
        )
        for row in shown
    ]
    label_width = max((len(row[3]) for row in rows), default=0)
    for count, action, label in (
        (sums.malformed, "deny", "malformed: no rule is asked"),
        (sums.truncated, "deny", "truncated: what is missing decides"),
        (sums.tiny_fragment, "deny", "tiny-fragment: no rule is asked"),
        (sums.several, "allow", "truncated: by one of several rules"),
        (sums.not_ip, "", "not IP: no verdict"),
    ):
        if count and chosen.takes(Action(action) if action else None, None):
            rows.append((f"{count:,}", "", action, label, ""))  # type: ignore[arg-type]  # no action at all
    widths = [max(len(row[i]) for row in [*rows, ("packets", "bytes")]) for i in range(2)]
    out = [f"{'packets':>{widths[0]}}  {'bytes':>{widths[1]}}  action  rule"]
    for packets, size, action, label, place in rows:
        word = style(f"{action:<6}", _HUES.get(action))
        line = f"{packets:>{widths[0]}}  {size:>{widths[1]}}  {word}  {label:<{label_width}}  {style(place, 'grey')}"
        out.append(line.rstrip())
    if sums.partial and chosen == EVERY:
        were = "packet was" if sums.partial == 1 else "packets were"
        out.append(f"{sums.partial:,} truncated {were} decided from the fields that are there")
    if not rows:
        out.append("no rule decides so")
    if len(sums.rules) > len(shown):
        out.append(f"{counted(len(sums.rules) - len(shown), 'more rule')} decided no packet")
    return [*out, *_kind_lines(sums), *_recorded_lines(sums)] if chosen == EVERY else out


def _place(rule: RuleRecord) -> str:
    return str(rule.place) if rule.place is not None and rule.named else ""


def _kind_lines(sums: Sums) -> list[str]:
    """What the frames without IP hold."""
    if not sums.kinds:
        return []
    shown = sums.kinds if len(sums.kinds) <= MANY_KINDS else sums.kinds[: MANY_KINDS - 1]
    width = len(f"{shown[0].packets:,}")
    out = ["", "not IP:", *(f"  {kind.packets:>{width},}  {kind.what}" for kind in shown)]
    rest = sums.kinds[len(shown) :]
    if rest:
        out.append(f"  {sum(kind.packets for kind in rest):>{width},}  of {len(rest):,} other kinds")
    return out


def _recorded_lines(sums: Sums) -> list[str]:
    """Beside what the policy does, what the firewall did that recorded the packets."""
    found = sums.recorded
    if found is None:
        return []
    return [
        "",
        f"recorded as passed:  {found.passed_allowed:,} allowed, {found.passed_denied:,} denied by this policy",
        f"recorded as blocked: {found.blocked_denied:,} denied, {found.blocked_allowed:,} allowed by this policy",
    ]


def coverage_lines(coverage: Coverage, style: Style) -> Iterator[str]:
    """How many rules were exercised, and the others by name."""
    yield coverage_line(coverage)
    for rule in coverage.missing:
        place = _place(rule)
        yield f"  {style('never exercised', 'yellow')}  " + visible(rule.called + (f"  {place}" if place else ""))


def coverage_line(coverage: Coverage) -> str:
    """`coverage: 2 of 6 rules exercised (33.3%)`"""
    if not coverage.rules:
        return "coverage: no rule to cover"
    return f"coverage: {coverage.covered} of {coverage.rules} rules exercised ({per_cent(coverage.ratio)})"


def per_cent(ratio: float) -> str:
    """To one place, never rounded up to a hundred."""
    return "100%" if ratio == 1 else f"{int(ratio * 1000) / 10}%"
