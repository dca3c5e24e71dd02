"""`fwengine eval -r`: captures through a policy."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from ..codes import NOT_A_CAPTURE
from ..model.rules import Action
from ..policy import Policy
from ..registry.names import near
from ..report.choice import Choice
from ..report.counted import Counted
from ..report.counts import (
    called,
)
from ..report.flows import chosen_for_top, flows_of
from ..report.nothing import no_rule, no_verdict
from ..report.record import Act
from ..report.strangers import stranger_text
from ..sources.operands import named_files
from ..traffic.count import evaluate_capture
from ..traffic.flows import FlowTable, count_flows, flow_table
from ..traffic.partition import CaptureCounter, evaluate_each
from ..traffic.sums import CaptureReport
from . import each
from .failure import Failures
from .loading import load
from .output import note, say_answer, say_failures, style_of
from .progress import progress_bar, screen_for


@dataclass(frozen=True)
class Told:
    """Which packets are told of, as the command line says it."""

    only: str | None = None
    rules: tuple[str, ...] = ()
    top: int | None = None  # flows

    def of(self, policy: Policy) -> Choice:
        """The same under a policy.

        Raises:
            UsageError: if it has no such rule.
        """
        labels = [policy.label(index) for index in range(len(policy.rules) + 1)]
        for name in self.rules:
            if name not in labels:
                meant = near(name, labels)
                hint = f"did you mean `{meant[0]}`?" if meant else "`fwengine show POLICY` lists them"
                raise click.UsageError(f"the policy has no rule `{name}`: {hint}")
        chosen = frozenset(index for index, label in enumerate(labels) if label in self.rules)
        return Choice(Action(self.only) if self.only else None, chosen if self.rules else None)


def evaluate_captures(
    path: str,
    captures: tuple[str, ...],
    expect: Act | None,
    per_packet: bool,
    coverage: bool,
    stated: dict[str, Any],
    how: dict[str, Any],
    format_: str,
    as_of: datetime.date,
    color: str,
    told: Told,
) -> int:
    """Counts per rule over captures, or one line a packet; the packets before any damage count, and the exit code is 2."""
    policy = load(path, as_of=as_of)
    captures = tuple(named_files(captures, NOT_A_CAPTURE))
    for key in ("inbound", "outbound"):
        if stated[key]:
            stated[key] = policy.declared.one(stated[key])
    strangers = policy.unknown(filter(None, (stated["inbound"], stated["outbound"])))
    if strangers:
        note(stranger_text(strangers))
    failures = Failures()
    failures.add(no_rule(policy))
    chosen = told.of(policy)
    if per_packet:
        code = each.per_packet(policy, captures, expect, stated, format_, color, failures, how["engine"], chosen)
        return code or int(bool(expect and strangers))
    asked = chosen_for_top(chosen)
    table = flow_table(policy, captures, asked.takes, how["engine"]) if told.top else None
    reports = []
    for capture, report in zip(captures, _reports(policy, captures, table, stated, how, format_), strict=True):
        for text in report.notes:
            note(f"{called(capture)}: {text}")
        if report.error is not None:
            failures.tell(report.error, each.counted_before(report.packets))
        failures.add(no_verdict(report))
        reports.append(report)
    if all(report.error is not None and not report.packets for report in reports):  # no answer, not even a partial one
        say_failures(format_, failures)
        return 2
    flows = flows_of(policy, table, told.top, asked) if table is not None and told.top else None
    answer = Counted.of(policy, reports, expect, coverage=coverage, strangers=strangers, flows=flows, chosen=chosen)
    say_answer(answer, format_, failures, style_of(color))
    if answer.expected is not None and answer.otherwise:
        each.tell_unexpected(answer.expected, answer.otherwise, answer.packets)
    return failures.code(1 if answer.otherwise or (expect and strangers) else 0)


def _reports(
    policy: Policy,
    captures: tuple[str, ...],
    table: FlowTable | None,
    stated: dict[str, Any],
    how: dict[str, Any],
    format_: str,
) -> Iterator[CaptureReport]:
    """The report on each capture: few share the threads, of many each has one of its own."""
    if table is None and 1 < how["jobs"] <= len(captures) // 2 and "-" not in captures:
        counter = CaptureCounter(policy, **stated, engine=how["engine"])
        with progress_bar(f"{len(captures):,} captures", screen_for(format_)) as progress:
            for number, report in enumerate(evaluate_each(counter, captures, how["jobs"]), 1):
                if progress is not None:
                    progress(number, len(captures))
                yield report
        return
    for capture in captures:
        with progress_bar(called(capture), screen_for(format_)) as progress:
            if table is not None:
                report = count_flows(policy, capture, table, **stated, progress=progress)
            else:
                report = evaluate_capture(policy, capture, **stated, **how, progress=progress)
        yield report
