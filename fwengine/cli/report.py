"""`fwengine report`: a page to hand around."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import click

from .failure import Failures
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
    from ..policy import Policy
    from ..report.changed import Changed
    from ..traffic.sums import CaptureReport


@click.command(
    "report",
    epilog=exit_codes(
        "written", "", "no rule, no verdict, empty input", "Example:\n  fwengine report edge.fwl -o edge.html\n"
    ),
)
@click.argument("policy", type=click.Path(path_type=str))
@click.option("--old", metavar="OLD", help="Also show what changed since this policy; a file, or REV:PATH.")
@click.option("-r", "--read", "captures", multiple=True, metavar="CAPTURE", help="Also count the packets of a capture.")
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
    once(policy, *([old] if old is not None else []), *captures)
    for given, name in ((inbound, "in"), (outbound, "out"), (state, "state")):
        if given is not None and not captures:
            raise click.UsageError(f"`--{name}` goes with `-r`")
    failures = Failures()
    loaded = load(policy, as_of=as_of)
    failures.add(no_rule(loaded))
    before = load(old, as_of=as_of) if old is not None else None
    reports = _counted(loaded, captures, inbound, outbound, state, failures)
    changed = _changed(before, loaded) if before is not None else None
    text = page("report.html", page=compose(loaded, reports, changed, before.name if before is not None else None))
    if output == "-":
        write_bytes(text.encode("utf-8", "backslashreplace"))
    else:
        replace(output, text)
        size = len(text.encode("utf-8", "backslashreplace"))
        answer = Reported(loaded.name, before.name if before else None, captures, Place(output), size)
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


def _changed(old: Policy, new: Policy) -> Changed:
    from ..analysis.diff import diff
    from ..doubted import doubted
    from ..report.changed import Changed, Compared
    from ..report.review import Review

    changes = diff(old, new)
    return Changed.of([Compared.of(Review(old, new, changes, doubted=doubted(old, new)))])
