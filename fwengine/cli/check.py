"""`fwengine check`: errors of policies, and findings about their rules."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ..errors import LimitError, PolicyError
from .config import codes_of, config_options, paths_of
from .failure import Failures
from .files import expanded, rewritable
from .loading import load_all, reading_options
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    once,
    say_answer,
    style_of,
)

if TYPE_CHECKING:
    from ..sources.configuration import Configuration


@click.command("check", epilog=exit_codes("nothing that matters is found", "something is", "no rule, empty input"))
@click.argument("policies", nargs=-1, type=click.Path(path_type=str), metavar="PATH...")
@click.option("--select", multiple=True, metavar="CODES", help="Only these findings, such as FW201,FW3; `all` for all.")
@click.option("--ignore", multiple=True, metavar="CODES", help="All but these findings.")
@click.option("--strict/--no-strict", default=None, help="Exit 1 for information, too.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="As text show N findings, and say how many more there are.  [default: all]",
)
@click.option("--effective", is_flag=True, help="Also show what partly shadowed rules still decide.")
@click.option(
    "--fix", "mend", is_flag=True, help="Remove what can go without a change of any verdict, proved before writing."
)
@click.option(
    "--diff", "show_diff", is_flag=True, help="With --fix: write nothing; show what would change, and nothing else."
)
@click.option(
    "--watch", "again", is_flag=True, help="Check again whenever a file changes; Ctrl-C ends, with the last exit code."
)
@click.option(
    "--baseline", type=click.Path(), metavar="FILE", help="Fail on what is not in this file only; see --write-baseline."
)
@click.option(
    "--write-baseline",
    type=click.Path(),
    metavar="FILE",
    help="Write what is found to this file: all of it is known then.",
)
@config_options
@reading_options(configured=False)
@format_option()
@as_of_option
@color_option
def command(
    policies: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    strict: bool | None,
    limit: int | None,
    effective: bool,
    mend: bool,
    show_diff: bool,
    again: bool,
    baseline: str | None,
    write_baseline: str | None,
    config: Configuration,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """Find errors in policies, and rules that do not do what they seem to; of a folder every `.fwl` file in it.

    Every claim is exact and has a witness packet. Information does not matter to the exit code, unless --strict.
    """
    from ..report.checking import Checking
    from ..report.checking import together as needed_together
    from ..report.finding_record import effective_of
    from ..report.findings import Examined, examine
    from ..report.nothing import Covered, no_input, says_nothing
    from .baseline import baseline_record, baseline_told, known_findings
    from .mending import Mending
    from .watching import watch, watchable

    policies = paths_of(policies, config)
    once(*policies)
    together(mend=mend, show_diff=show_diff, again=again, write_baseline=write_baseline, limit=limit, format_=format_)
    if again:
        watchable(policies)
        return watch(again_without(policies), policies, [f for f in (baseline or config.baseline, config.file) if f])
    if mend:
        rewritable("--fix", policies)
    strict = config.strict if strict is None else strict
    codes = codes_of(select, ignore, config)
    known = known_findings(baseline, write_baseline, config)
    style = style_of(color)
    failures = Failures()
    covered = Covered("rule")
    operands: list[tuple[str, list[str]]] = []
    checked: list[tuple[str, Examined | PolicyError]] = []
    named_files = list(expanded(policies, failures))
    mending = Mending(codes, as_of, config, failures)
    paths = [path for _, files in named_files for path in files]
    if mend and not show_diff:
        mending.write(paths)
    for named, files in named_files:
        read = []
        for path in files:
            try:
                loaded = load_all(path, as_of=as_of)
            except (PolicyError, LimitError) as error:
                if isinstance(error, PolicyError) and not show_diff:
                    checked.append((path, error))
                if format_ == "text" and isinstance(error, PolicyError) and not show_diff:
                    failures.keep(error)  # as text errors are part of the answer
                else:
                    failures.tell(error)
                continue
            for policy in loaded:
                try:
                    checked.append((path, examine(policy, codes, every=known is not None)))
                except LimitError as error:
                    failures.tell(error)
                    continue
                read.append(path)
                if any(map(policy.active, policy.rules)):
                    covered.add(policy)
                elif named != path and says_nothing(policy):
                    failures.add(no_input(path, "statement"))
        if set(read) >= set(files):
            operands.append((named, read))
    if show_diff:
        failures.add(*(covered.missing(named, read) for named, read in operands))
        preview = mending.preview(paths)
        say_answer(preview, format_, failures, style)
        return failures.code(1 if preview.files else 0)
    # a comment or a name of a file that several include may be of use to one of them: so all are looked at before any is told of
    gathered = Checking(known, *needed_together(one for _, one in checked if isinstance(one, Examined)))
    for path, one in checked:
        if isinstance(one, PolicyError):
            gathered.add_errors(path, one)
            continue
        try:
            parts = list(effective_of(one.policy)) if effective else []
        except LimitError as error:
            failures.tell(error)
            parts = []
        gathered.add(one, parts)
    failures.add(*(covered.missing(named, read) for named, read in operands))
    stale = [] if known is None else baseline_told(known, [one for _, one in checked], codes, failures)
    record = None if known is None else baseline_record(known, stale)
    answer = gathered.answer(strict=bool(strict), effective=effective, baseline=record, limit=limit)
    say_answer(answer, format_, failures, style)
    return failures.code(0 if answer.clean else 1)


def together(
    *, mend: bool, show_diff: bool, again: bool, write_baseline: str | None, limit: int | None, format_: str
) -> None:
    """Refuses options that do not go together.

    Raises:
        UsageError: naming them.
    """
    if show_diff and not mend:
        raise click.UsageError("`--diff` goes with `--fix`")
    if show_diff and limit is not None:
        raise click.UsageError("`--limit` is of findings, and `--diff` shows none")
    for what, given in (
        ("--fix", mend),
        ("--write-baseline", write_baseline is not None),
        ("--format", format_ != "text"),
    ):
        if again and given:
            raise click.UsageError(f"`--watch` does not go with `{what}`")


def again_without(policies: tuple[str, ...]) -> Callable[[], int]:
    """The command as it was called, without `--watch`."""
    context = click.get_current_context()
    given = {**context.params, "policies": policies, "again": False}
    return lambda: context.invoke(command, **given)
