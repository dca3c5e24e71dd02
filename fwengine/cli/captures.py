"""`fwengine eval -r`: captures through a policy."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from ..errors import CaptureError
from ..loading import load
from ..policy import Policy
from ..report.tallies import merged, outcome_json, outcome_line, tally_json, tally_lines
from ..tally import evaluate_capture, iterate
from .failure import complain
from .options import note, say, say_json, say_json_line, style_of


def evaluate_captures(
    path: str,
    captures: tuple[str, ...],
    expect: str | None,
    per_packet: bool,
    stated: dict[str, Any],
    format_: str,
    as_of: datetime.date | None,
    color: str,
) -> int:
    """Counts per rule over captures, or one line a packet; the packets before any damage count, and the exit code is 2."""
    policy = load(path, as_of=as_of)
    if per_packet:
        return _per_packet(policy, captures, expect, stated, format_, color)
    reports = []
    failed = False
    for capture in captures:
        with _progress(capture) as progress:
            report = evaluate_capture(policy, capture, **stated, progress=progress)
        for text in report.notes:
            note(f"{capture}: {text}")
        if report.error is not None:
            failed = True
            complain(
                f"{report.error}" + (f" (the {report.packets:,} packets before it count)" if report.packets else "")
            )
        reports.append(report)
    total = merged(reports)
    if failed and not total.packets:
        return 2  # there is no answer, not even a partial one
    if format_ == "json":
        say_json(**tally_json(total))
    elif format_ == "jsonl":
        for row in tally_json(total)["rules"]:
            say_json_line(**row)
    else:
        say("\n".join(tally_lines(total, policy, style_of(color))))
    if failed:
        return 2
    other = total.deny if expect == "allow" else total.allow
    return 1 if expect is not None and other else 0


def _per_packet(
    policy: Policy, captures: tuple[str, ...], expect: str | None, stated: dict[str, Any], format_: str, color: str
) -> int:
    style = style_of(color)
    results: list[dict[str, Any]] = []
    unexpected = failed = False
    number = 0
    for capture in captures:
        try:
            for outcome in iterate(policy, capture, **stated):
                fields = outcome_json(outcome, policy, number)
                number += 1
                unexpected = unexpected or fields["verdict"] not in (expect, None)
                if format_ == "jsonl":
                    say_json_line(**fields)
                elif format_ == "json":
                    results.append(fields)
                else:
                    say(outcome_line(fields, style))
        except CaptureError as error:
            failed = True
            sys.stdout.flush()
            complain(str(error))
    if format_ == "json":
        say_json(results=results)
    return 2 if failed else 1 if expect is not None and unexpected else 0


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int | None], object] | None]:
    """A bar on a terminal, for work that takes more than half a second."""
    if not sys.stderr.isatty():
        yield None
        return
    begin = time.monotonic()
    bars: list[Any] = []
    last = 0

    def progress(position: int, size: int | None) -> None:
        nonlocal last
        if not bars:
            if size is None or time.monotonic() - begin < 0.5:
                return
            bar = click.progressbar(length=size, label=click.format_filename(name), file=sys.stderr)
            bar.__enter__()
            bars.append(bar)
        bars[0].update(position - last)
        last = position

    try:
        yield progress
    finally:
        for bar in bars:
            bar.__exit__(None, None, None)
