"""`fwengine eval -r`: captures through a policy."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import click

from ..errors import CaptureError
from ..policy import Policy, load
from ..report.counted import Counted
from ..report.counts import (
    called,
    coverage_lines,
    merged,
    rule_lines,
    total_line,
    unexercised,
)
from ..report.nothing import no_rule, no_verdict, verdictless
from ..report.record import Act
from ..report.screen import visible
from ..report.strangers import stranger_text
from ..report.stream import OutcomeLines
from ..traffic.count import evaluate_capture, iterate_batches
from .failure import Failures
from .output import (
    FORMAT_VERSION,
    end_items,
    json_text,
    note,
    say,
    say_answer,
    say_failures,
    say_items,
    say_json_lines,
    style_of,
)

PATIENCE = 0.5  # seconds of work without a bar


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
) -> int:
    """Counts per rule over captures, or one line a packet; the packets before any damage count, and the exit code is 2."""
    policy = load(path, as_of=as_of)
    for key in ("inbound", "outbound"):
        if stated[key]:
            stated[key] = policy.declared.one(stated[key])
    strangers = policy.unknown(filter(None, (stated["inbound"], stated["outbound"])))
    if strangers:
        note(stranger_text(strangers))
    failures = Failures()
    failures.add(no_rule(policy))
    if per_packet:
        code = _per_packet(policy, captures, expect, stated, format_, color, failures)
        return code or int(bool(expect and strangers))
    reports = []
    for capture in captures:
        with progress_bar(called(capture), sys.stderr) as progress:
            report = evaluate_capture(policy, capture, **stated, **how, progress=progress)
        for text in report.notes:
            note(f"{called(capture)}: {text}")
        if report.error is not None:
            failures.tell(report.error, _counted(report.packets))
        failures.add(no_verdict(report))
        reports.append(report)
    total = merged(reports)
    if not total.packets and all(report.error is not None for report in reports):  # no answer, not even a partial one
        say_failures(format_, failures)
        return 2
    if format_ != "text":
        idle = unexercised(total, policy) if coverage else None
        say_answer(Counted.of(policy, reports, expect, idle, strangers), format_, failures)
    else:
        if len(reports) > 1:
            say("\n".join(total_line(report) for report in reports if report.packets or report.error is None))
        say("\n".join([total_line(total), "", *rule_lines(total, style_of(color))]))
        if coverage:
            say("\n".join(["", *coverage_lines(total, policy)]))
    otherwise = total.deny if expect == "allow" else total.allow
    if expect is not None and otherwise:
        _unexpected(expect, otherwise, total.packets)
    return failures.code(1 if expect is not None and (otherwise or strangers) else 0)


def _counted(packets: int) -> str:
    """What stands behind the word about damage."""
    return f" (the {packets:,} packet{'s' * (packets != 1)} before it count)" if packets else ""


def _per_packet(
    policy: Policy,
    captures: tuple[str, ...],
    expect: Act | None,
    stated: dict[str, Any],
    format_: str,
    color: str,
    failures: Failures,
) -> int:
    lines = OutcomeLines(policy, format_, style_of(color), json_text)
    number = read = 0
    for capture in captures:
        notes: list[str] = []
        damage = None
        first, before = number, lines.decided
        try:
            with progress_bar(called(capture), None if _on_terminal(sys.stdout) else sys.stderr) as progress:
                for batch in iterate_batches(policy, capture, **stated, progress=progress, notes=notes):
                    told = [lines.line(outcome, number + at) for at, outcome in enumerate(batch)]
                    if format_ == "json":
                        say_items(told, begun=number > 0)
                    elif format_ == "jsonl":
                        say_json_lines(told)
                    elif told:
                        say("\n".join(told))
                    number += len(batch)
        except CaptureError as error:
            damage = error
        if sys.stdout is not None:
            sys.stdout.flush()  # packets come before the word about them
        for text in notes:
            note(f"{called(capture)}: {text}")
        if damage is not None:
            failures.tell(damage, _counted(number - first))
            read += number > first
            continue
        read += 1
        if lines.decided == before:
            failures.add(verdictless(capture, number - first))
    sums = {"packets": number, "allow": lines.allowed, "deny": lines.denied}
    if format_ == "json" and read:
        end_items(failures, begun=number > 0, **sums)
    else:
        say_failures(format_, failures)
        if format_ == "jsonl" and read:
            say_json_lines([json_text({"summary": {"format_version": FORMAT_VERSION, "command": "eval", **sums}})])
    otherwise = {"allow": lines.denied, "deny": lines.allowed}.get(expect or "", 0)
    if otherwise and expect is not None:
        _unexpected(expect, otherwise, number)
    return failures.code(1 if otherwise else 0)


def _on_terminal(stream: TextIO | None) -> bool:
    """Would a bar stand between the lines of the answer?"""
    return stream is not None and stream.isatty()


def _unexpected(expect: str, otherwise: int, packets: int) -> None:
    note(f"expected {expect}: {otherwise:,} of {packets:,} packet{'s' * (packets != 1)} fared otherwise")


@contextmanager
def progress_bar(
    name: str, stream: TextIO | None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int, int | None], object] | None]:
    """On a terminal, a bar once the work takes longer than `PATIENCE`; what it yields takes position and size."""
    if stream is None or not _on_terminal(stream):
        yield None
        return
    begin = clock()
    bars: list[Any] = []
    last = 0

    def progress(position: int, size: int | None) -> None:
        nonlocal last
        if not bars:
            if size is None or clock() - begin < PATIENCE:
                return
            bar = click.progressbar(length=size, label=visible(name), file=stream)
            bars.append(bar.__enter__())
        bars[0].update(position - last)
        last = position

    try:
        yield progress
    finally:
        for bar in bars:
            bar.__exit__(None, None, None)
