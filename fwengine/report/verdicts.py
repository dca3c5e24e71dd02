"""Verdicts, reasons and captures as text and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import address
from ..analysis.explain import Failure, Reason, nearest_misses
from ..box import Box, merge
from ..header import (
    ABSENT,
    DST,
    FIELDS,
    FLAGS,
    FRAGMENT,
    FRAGMENTS,
    IN,
    OUT,
    PROTOCOL,
    SRC,
    STATE,
    STATES,
    Packet,
    interface_name,
    write_flags,
    write_interface,
)
from ..interval import IntervalSet
from ..language import names
from ..language.region import readable, show_addresses, show_box, show_flag_tests, show_interfaces
from ..policy import Policy, Rule, Verdict
from .style import Style

FIELD_WORDS = ("protocol", "src", "dst", "sport", "dport", "type", "code", "flags", "fragment", "in", "out", "state")


def where(rule: Rule) -> str:
    return f"{rule.span.file}:{rule.span.line}"


def by(rule: Rule | None) -> str:
    return rule.label if rule else "default"


def verdict_line(verdict: Verdict, policy: Policy, style: Style, packet: str = "") -> str:
    """`ALLOW  by web-in  edge.fwl:12`, with the packet behind it if several were asked."""
    word = style.verdict(verdict.action.value.upper(), 6)
    place = (
        where(verdict.rule)
        if verdict.rule and verdict.rule.name
        else policy.name
        if verdict.reason == "default"
        else ""
    )
    parts = [f"{word} by {style(verdict.by, bold=True)}", style(place, "grey"), packet]
    return "  ".join(p for p in parts if p)


def verdict_json(packet: str, verdict: Verdict, policy: Policy) -> dict[str, Any]:
    rule = verdict.rule
    out: dict[str, Any] = {
        "packet": packet,
        "verdict": verdict.action.value,
        "rule": rule.label if rule else "default" if verdict.reason == "default" else None,
        "file": rule.span.file if rule else None,
        "line": rule.span.line if rule else None,
        "reason": verdict.reason,
    }
    if verdict.cases:
        out["cases"] = [
            {"region": show_box(box), "verdict": action, "rule": label, "file": file, "line": line}
            for (action, label, file, line), boxes in _by_rule(verdict).items()
            for box in readable(boxes)
        ]
    return out


def _by_rule(verdict: Verdict) -> dict[tuple[str, str, str | None, int | None], list[Box]]:
    groups: dict[tuple[str, str, str | None, int | None], list[Box]] = {}
    for case in verdict.cases:
        rule = case.rule
        key = (case.action.value, by(rule), rule.span.file if rule else None, rule.span.line if rule else None)
        groups.setdefault(key, []).append(case.box)
    return groups


def split_lines(verdict: Verdict, packet: Packet, style: Style) -> list[str]:
    """For a packet that is partly open: on which fields its fate depends, and how."""
    rows = []
    fields: set[int] = set()
    asked = packet.sets
    for (action, label, file, line), boxes in _by_rule(verdict).items():
        for box in merge(boxes):
            open_fields = [f for f in range(FIELDS) if box.sets[f] != asked[f]]
            fields.update(open_fields)
            condition = " ".join(f"{FIELD_WORDS[f]} {show_values(f, box.sets[f])}" for f in open_fields) or "otherwise"
            place = f"{file}:{line}" if file and label != f"{file}:{line}" else ""
            rows.append((condition, action.upper(), label, place))
    width = max(len(row[0]) for row in rows)
    names_width = max(len(row[2]) for row in rows)
    names_of = ", ".join(FIELD_WORDS[f] for f in sorted(fields))
    out = [f"{style.verdict(verdict.action.value.upper())} on {names_of}"] if verdict.reason == "depends" else []
    for condition, action, label, place in rows:
        out.append(
            f"  {condition:<{width}}  {style.verdict(action, 6)} by {label:<{names_width}}  {style(place, 'grey')}".rstrip()
        )
    return out


def show_value(field: int, value: int) -> str:
    """One value of a field, as the language writes it; `none` for an absent one."""
    if value == ABSENT.get(field):
        return "none"
    if field in (SRC, DST):
        return address.show(value)
    if field == PROTOCOL:
        return names.protocol_name(value)
    if field == FLAGS:
        return write_flags(value)
    if field == FRAGMENT:
        return FRAGMENTS[value]
    if field == STATE:
        return STATES[value]
    if field in (IN, OUT):
        return write_interface(interface_name(value))
    return str(value)


def show_values(field: int, chosen: IntervalSet) -> str:
    """A set of values of a field, as an expression of the language."""
    if field in (SRC, DST):
        return show_addresses(chosen)
    if field == FLAGS:
        present = chosen - IntervalSet.single(ABSENT[FLAGS])
        return show_flag_tests(present) if present else "none"
    if field in (IN, OUT):
        return show_interfaces(chosen)
    if field in (FRAGMENT, STATE, PROTOCOL):
        words = [show_value(field, v) for lo, hi in chosen for v in range(lo, hi + 1)]
    else:
        words = [show_value(field, lo) if lo == hi else f"{lo}-{show_value(field, hi)}" for lo, hi in chosen]
    return words[0] if len(words) == 1 else "{ " + ", ".join(words) + " }"


def failure_text(failure: Failure, rule: Rule) -> str:
    """`src 10.20.9.17 is not in outside`."""
    field, got = failure.field, show_value(failure.field, failure.got)
    word = FIELD_WORDS[field]
    written = failure.written
    if written is None:  # a service says the protocol and the port in one word
        written = dict(rule.written).get(PROTOCOL) if field != PROTOCOL else None
        written = written or show_values(field, failure.wanted)
    if failure.got == ABSENT.get(field):
        if field in (IN, OUT):
            return f"`{word}` is not recorded, wanted {written}"
        return f"the packet has no {word}, wanted {written}"
    if field == FLAGS and written == "established":
        return f"flags {got} are not established (ack or rst)"
    if written.startswith("not ") and " except " not in written:
        inner = written[4:]
        return (
            f"{word} {got} is in {inner}"
            if field in (SRC, DST) or inner.startswith("{")
            else f"{word} {got} is {inner}"
        )
    verb = "is not" if failure.wanted.size == 1 else "is not in"
    return f"{word} {got} {verb} {written}"


def explain_lines(reasons: Sequence[Reason], style: Style) -> list[str]:
    """One line a rule: the name, and why it did not match."""
    width = max((len(r.rule.label) for r in reasons), default=0)
    nearest = {r.index for r in nearest_misses(list(reasons))} if len(reasons) > 1 else set()
    out = []
    for reason in reasons:
        if reason.matched:
            line = style("yes", "green", bold=True)
        elif reason.expired:
            line = f"no   expired: it counted until {reason.rule.until}"
        else:
            line = "no   " + "; ".join(failure_text(f, reason.rule) for f in reason.failures)
            if reason.index in nearest:
                line += style("   (nearest miss)", "yellow")
        out.append(f"  {reason.rule.label:<{width}}  {line}")
    return out


def explain_json(reasons: Sequence[Reason]) -> list[dict[str, Any]]:
    return [
        {
            "rule": r.rule.label,
            "file": r.rule.span.file,
            "line": r.rule.span.line,
            "matched": r.matched,
            "expired": r.expired,
            "failed": [
                {
                    "field": FIELD_WORDS[f.field],
                    "got": show_value(f.field, f.got),
                    "wanted": f.written or show_values(f.field, f.wanted),
                    "text": failure_text(f, r.rule),
                }
                for f in r.failures
            ],
        }
        for r in reasons
    ]
