"""`fwengine report`: a page to hand around."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from .failure import Failures
from .flowlogs import reading_flows
from .loading import load, reading_options
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    once,
    say_answer,
    stated_options,
    style_of,
)

if TYPE_CHECKING:
    from ..flows.options import Reading
    from ..policy import Policy
    from ..report.changed import Changed
    from ..report.flowed import Flowed
    from ..traffic.sums import CaptureReport


_TOP: Final = 20  # flows that are told of one by one


@click.command(
    "report",
    epilog=exit_codes(
        "written", "", "no rule, no verdict, empty input", "Example:\n  fwengine report edge.fwl -o edge.html\n"
    ),
)
@click.argument("policy", type=click.Path(path_type=str))
@click.option("--old", metavar="OLD", help="Also show what changed since this policy; a file, or REV:PATH.")
@click.option("-r", "--read", "captures", multiple=True, metavar="CAPTURE", help="Also count the packets of a capture.")
@click.option(
    "--flows",
    "logs",
    multiple=True,
    metavar="LOG",
    help="Also tell what becomes of a flow log's flows. May be repeated.",
)
@reading_flows
@click.option("-o", "--output", required=True, metavar="FILE", help="The file to write; `-` for standard output.")
@stated_options
@reading_options()
@format_option("text", "json", "jsonl", "markdown")
@as_of_option
@color_option
def command(
    policy: str,
    old: str | None,
    captures: tuple[str, ...],
    logs: tuple[str, ...],
    columns: str | None,
    log_format: str | None,
    opener: str,
    stateful: bool,
    since: int | None,
    until: int | None,
    output: str,
    inbound: str | None,
    outbound: str | None,
    state: str | None,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """Write one HTML file about POLICY: what to look at first, its text with what is found, who reaches whom, what is open.

    The file loads nothing and needs no server. It needs the extra `report`: `pip install 'fwengine[report]'`.
    """
    from ..errors import MissingExtraError
    from ..report.nothing import no_rule
    from ..report.page.compose import compose
    from ..report.page.shell import environment, page
    from ..report.record import Place
    from ..report.written import Reported
    from ..sources.writing import replace
    from .output import write_bytes

    try:
        environment()
    except MissingExtraError as error:
        raise click.UsageError(str(error)) from None
    if output == "-" and format_ != "text":
        raise click.UsageError("`-o -` writes the page to standard output, where `--format` would tell of it")
    once(policy, *([old] if old is not None else []), *captures, *logs)
    for given, name in ((inbound, "in"), (outbound, "out"), (state, "state")):
        if given is not None and not captures and not (logs and name != "state"):
            raise click.UsageError(f"`--{name}` goes with `-r`" + " or `--flows`" * (name != "state"))
    reading = _reading(logs, columns, log_format, opener, stateful, since, until)
    failures = Failures()
    loaded = load(policy, as_of=as_of)
    failures.add(no_rule(loaded))
    before = load(old, as_of=as_of) if old is not None else None
    reports = _counted(loaded, captures, inbound, outbound, state, failures)
    changed = _changed(before, loaded) if before is not None else None
    flowed = _flowed(loaded, logs, reading, (inbound, outbound, stateful), failures)
    text = page(
        "report.html", page=compose(loaded, reports, changed, before.name if before is not None else None, flowed)
    )
    if output == "-":
        write_bytes(text.encode("utf-8", "backslashreplace"))
    else:
        replace(output, text)
        size = len(text.encode("utf-8", "backslashreplace"))
        answer = Reported(loaded.name, before.name if before else None, captures, logs, Place(output), size)
        say_answer(answer, format_, failures, style_of(color))
    return failures.code(0)


def _counted(
    policy: Policy,
    captures: tuple[str, ...],
    inbound: str | None,
    outbound: str | None,
    state: str | None,
    failures: Failures,
) -> list[CaptureReport]:
    """Counts of captures; damage, and one without a verdict, are failures beside what could be read."""
    from ..report.nothing import no_verdict

    stated: dict[str, Any] = {
        "inbound": policy.declared.one(inbound or "") or inbound,
        "outbound": policy.declared.one(outbound or "") or outbound,
        "state": state or "new",
    }
    out = []
    for path in captures:
        report = policy.evaluate_capture(path, **stated)
        if report.error is not None:
            failures.tell(report.error)
        failures.add(no_verdict(report))
        out.append(report)
    return out


def _reading(
    logs: tuple[str, ...],
    columns: str | None,
    log_format: str | None,
    opener: str,
    stateful: bool,
    since: int | None,
    until: int | None,
) -> Reading:
    """How logs are read.

    Raises:
        UsageError: if something is said of logs, and none is named.
    """
    from .flows import reading_of

    said = {
        "columns": columns,
        "log-format": log_format,
        "opener": opener if opener != "open" else None,
        "stateful": stateful or None,
        "since": since,
        "until": until,
    }
    for name, given in said.items():
        if given is not None and not logs:
            raise click.UsageError(f"`--{name}` goes with `--flows`")
    return reading_of(columns, log_format, opener, since, until)


def _flowed(
    policy: Policy,
    logs: tuple[str, ...],
    reading: Reading,
    stated: tuple[str | None, str | None, bool],
    failures: Failures,
) -> Flowed | None:
    """What becomes of the flows of logs; what is wrong with a log is a failure, and stands in the page."""
    if not logs:
        return None
    from ..report.flowed import Flowed, log_failure
    from .evaluate import cores
    from .flows import evaluated

    report = evaluated(policy, logs, reading, stated, _TOP, None, cores(), "json")
    for log in report.logs:
        failures.add(log_failure(log))
    return Flowed.of(policy, report, coverage=True, top=_TOP)


def _changed(old: Policy, new: Policy) -> Changed:
    from ..analysis.diff import diff
    from ..doubted import doubted
    from ..report.changed import Changed, Compared
    from ..report.review import Review

    changes = diff(old, new)
    return Changed.of([Compared.of(Review(old, new, changes, doubted=doubted(old, new)))])
