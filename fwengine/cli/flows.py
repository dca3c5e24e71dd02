"""`fwengine flows`: flow logs through a policy."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, cast

import click

from .evaluate import cores
from .failure import Failures
from .flowlogs import reading_flows
from .loading import load, reading_options
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    interface_options,
    note,
    once,
    policy_argument,
    say_answer,
    style_of,
)
from .output import say_failures

if TYPE_CHECKING:
    from ..flows.evaluate import FlowReport
    from ..flows.options import Opener, Reading
    from ..policy import Policy
    from ..report.refated import Refated

EXAMPLES = """\
Examples:
  fwengine flows edge.fwl vpc/*.log.gz --top 10
  fwengine flows edge.fwl conn.log --stateful --coverage
  fwengine flows edge.fwl flows.csv --columns src=from,dst=to,protocol=proto
"""
FATES = ("allow", "deny", "one way", "depends")  # those of `flows.meaning`


def reading_of(
    columns: str | None, log_format: str | None, opener: str, since: int | None, until: int | None
) -> Reading:
    """What the options say of logs.

    Raises:
        UsageError: if columns or a format cannot be.
    """
    from ..flows.logs.columns import stated_roles
    from ..flows.logs.detect import Stated
    from ..flows.logs.vpc import format_fields
    from ..flows.options import Reading

    if columns is not None and log_format is not None:
        raise click.UsageError("`--columns` and `--log-format` say the same thing twice")
    try:
        roles = None if columns is None else stated_roles(columns)
        fields = None if log_format is None else tuple(format_fields(log_format))
    except ValueError as error:
        raise click.UsageError(f"`--{'columns' if columns is not None else 'log-format'}`: {error}") from None
    return Reading(Stated(fields, roles), cast("Opener", opener), since, until)


@click.command(
    "flows", epilog=exit_codes("answered, and as --expect says if it is given", "not so", "no rule, no flow", EXAMPLES)
)
@policy_argument
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@reading_flows
@click.option("--coverage", is_flag=True, help="Tell which rules no flow came to.")
@click.option(
    "--top", type=click.IntRange(1), metavar="N", help="The N biggest flows that are not allowed, in plain Python."
)
@click.option(
    "--only", type=click.Choice([fate.replace(" ", "-") for fate in FATES]), help="With --top: flows with this fate."
)
@click.option("--expect", type=click.Choice(["allow", "deny"]), help="Exit 1 unless every flow fares so.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Threads of the native module.  [default: all cores]")
@interface_options(
    "The interface on which the first packets arrive; their answers leave by it.", "The interface by which they leave."
)
@reading_options()
@format_option()
@as_of_option
@color_option
def command(
    policy: str,
    logs: tuple[str, ...],
    columns: str | None,
    log_format: str | None,
    opener: str,
    stateful: bool,
    since: int | None,
    until: int | None,
    coverage: bool,
    top: int | None,
    only: str | None,
    expect: str | None,
    jobs: int | None,
    inbound: str | None,
    outbound: str | None,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """Tell what POLICY does to the connections that flow logs tell of.

    A LOG is a file, a pattern, a folder, or `-`: AWS VPC flow logs, Zeek's conn.log, Suricata's eve.json, any CSV or JSON whose
    columns are named. What a log leaves open is open: of each flow its first packet is asked for, what answers it, and what follows;
    it is allowed, denied, one way (the first packet passes, the others do not), or depends on what is open.
    """
    from ..report.flowed import Flowed, log_failure
    from ..report.nothing import no_rule, timeless

    once(policy, *logs)
    if only is not None and top is None:
        raise click.UsageError("`--only` goes with `--top`")
    reading = reading_of(columns, log_format, opener, since, until)
    loaded = load(policy, as_of=as_of)
    failures = Failures()
    failures.add(no_rule(loaded))
    report = evaluated(loaded, logs, reading, (inbound, outbound, stateful), top, only, jobs or cores(), format_)
    for log in report.logs:
        if log.error is not None:
            failures.tell(log.error, f" (the {log.sums.flows:,} flows before it count)" if log.sums.flows else "")
        else:
            failures.add(log_failure(log))
    if not report.flows and all(log_failure(log) is not None for log in report.logs):
        say_failures(format_, failures)
        return 2
    failures.add(timeless(report.flows, report.sums.left_out))
    answer = Flowed.of(loaded, report, expected=cast("Any", expect), coverage=coverage, top=top)
    say_answer(answer, format_, failures, style_of(color))
    unsure = sum(row.flows for row in answer.results if "opener" in row.on)
    if unsure and opener == "open":
        what = "flow depends on who opened it" if unsure == 1 else "flows depend on who opened them"
        note(f"{unsure:,} {what}, which the log does not tell: `--opener lower-port` takes a side")
    otherwise = report.flows - report.count(expect) if expect is not None else 0
    if otherwise:
        note(f"expected {expect}: {otherwise:,} of {report.flows:,} flows fared otherwise")
    return failures.code(1 if otherwise else 0)


def evaluated(
    policy: Policy,
    logs: tuple[str, ...],
    reading: Reading,
    stated: tuple[str | None, str | None, bool],
    top: int | None,
    only: str | None,
    jobs: int,
    format_: str,
) -> FlowReport:
    """The report on logs; `stated` are interfaces, and whether the firewall is stateful."""
    from ..flows.evaluate import evaluate_flows
    from ..flows.meaning import Asked
    from ..report.counts import called
    from ..report.strangers import stranger_text
    from .progress import progress_bar, screen_for

    inbound, outbound = (name and policy.declared.one(name) for name in stated[:2])
    strangers = policy.unknown(filter(None, (inbound, outbound)))
    if strangers:
        note(stranger_text(strangers))
    wanted = None if only is None else only.replace("-", " ")
    return evaluate_flows(
        policy,
        logs,
        reading=reading,
        asked=Asked(inbound, outbound, stated[2]),
        jobs=jobs,
        takes=None
        if top is None
        else lambda row: row.fared.fate == wanted if wanted is not None else row.fared.fate != "allow",
        progress=lambda name: progress_bar(called(name), screen_for(format_)),
    )


def changes(
    old: Policy,
    new: Policy,
    logs: tuple[str, ...],
    reading: Reading,
    stated: tuple[str | None, str | None, bool],
    most: int,
    failures: Failures,
    format_: str,
) -> Refated:
    """The flows of logs whose fate changes; what is wrong with a log is a failure."""
    from ..flows.changing import compare_flows
    from ..flows.meaning import Asked
    from ..report.counts import called
    from ..report.nothing import flowless, timeless
    from ..report.reflowed import refated
    from .progress import progress_bar, screen_for

    inbound, outbound = (name and new.declared.one(name) for name in stated[:2])
    sums, each = compare_flows(
        old,
        new,
        logs,
        reading=reading,
        asked=Asked(inbound, outbound, stated[2]),
        jobs=cores(),
        progress=lambda name: progress_bar(called(name), screen_for(format_)),
    )
    for file, told, error in each:
        if error is not None:
            failures.tell(error)
        else:
            failures.add(flowless(file, told))
    failures.add(timeless(sums.all.flows, sums.left.left_out))
    return refated(old, new, sums, most)
