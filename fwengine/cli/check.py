"""`fwengine check`: errors of policies, and findings about their rules."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import click

from ..errors import Diagnostic, LimitError, PolicyError
from .failure import Failures, complain
from .files import expanded, rewritable
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    once,
    say,
    say_answer,
    style_of,
)

if TYPE_CHECKING:
    from ..report.checked import Effective, FindingRecord

    Told = tuple[Diagnostic, FindingRecord | None]


@click.command("check", epilog=exit_codes("nothing that matters is found", "something is", "no rule, empty input"))
@click.argument("policies", nargs=-1, required=True, type=click.Path(path_type=str), metavar="PATH...")
@click.option("--select", multiple=True, metavar="CODES", help="Only these findings, such as FW201,FW3; `all` for all.")
@click.option("--ignore", multiple=True, metavar="CODES", help="All but these findings.")
@click.option("--strict", is_flag=True, help="Exit 1 for information, too.")
@click.option("--effective", is_flag=True, help="Also show what partly shadowed rules still decide.")
@click.option(
    "--fix", "mend", is_flag=True, help="Remove what can go without a change of any verdict, proved before writing."
)
@format_option()
@as_of_option
@color_option
def command(
    policies: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    strict: bool,
    effective: bool,
    mend: bool,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """Find errors in policies, and rules that do not do what they seem to; of a folder every `.fwl` file in it.

    Every claim is exact and has a witness packet. Information does not matter to the exit code, unless --strict.
    """
    from ..policy import load
    from ..report.checked import Checked, FindingRecord, effective_of
    from ..report.findings import check, selected, to_diagnostics
    from ..report.nothing import Covered, no_input, says_nothing
    from ..report.screen import visible

    once(*policies)
    if mend:
        rewritable("--fix", policies)
    try:
        codes = selected(select, ignore)
    except ValueError as error:
        raise click.UsageError(f"`{error}` is not a code of a finding: `fwengine explain` lists them") from None
    told: dict[tuple[Any, ...], Told] = {}  # findings and, as text, errors
    left: list[Effective] = []
    confirmed: list[Any] = []
    files_read: list[str] = []
    style = style_of(color)
    failures = Failures()
    covered = Covered("rule")
    operands: list[tuple[str, list[str]]] = []
    for named, files in expanded(policies, failures):
        read = []
        for path in files:
            try:
                policy = _mended(path, codes, as_of) if mend else load(path, as_of=as_of)
                found = check(policy, codes)
                assert found.confirmed is not None
                parts = list(effective_of(policy)) if effective else []
            except PolicyError as error:
                if format_ == "text":  # errors are part of the answer
                    failures.keep(error)
                    _tell(path, [(d, None) for d in error.diagnostics], error.sources, told, format_, style)
                else:
                    failures.tell(error)
                continue
            except LimitError as error:
                failures.tell(error)
                continue
            read.append(path)
            files_read.append(policy.name)
            confirmed.append(found.confirmed)
            if any(map(policy.active, policy.rules)):
                covered.add(policy)
            elif named != path and says_nothing(policy):
                failures.add(no_input(path, "statement"))
            new: list[Told] = [
                (d, FindingRecord.of(policy, f, d)) for f, d in zip(found, to_diagnostics(policy, found), strict=True)
            ]
            left += parts
            word = "" if found.confirmed.complete else " (sampled)"  # no word: confirmed
            _tell(path, new, policy.sources, told, format_, style, _size(policy) + word, ok=bool(policy.rules))
            if format_ == "text":
                for part in parts:
                    say(f"{style(visible(str(part.rule)), bold=True)} still decides:")
                    for region in part.regions:
                        say(f"  {part.rule.action} {region}")
        if len(read) == len(files):
            operands.append((named, read))
    failures.add(*(covered.missing(named, read) for named, read in operands))
    if format_ != "text":
        findings = (record for _, record in told.values() if record is not None)
        answer = Checked.of(files_read, strict, findings, left if effective else None, confirmed)
        say_answer(answer, format_, failures)
    return failures.code(1 if any(d.severity != "info" or strict for d, _ in told.values()) else 0)


def _mended(path: str, codes: frozenset[str], as_of: datetime.date) -> Any:
    """The policy after its file was mended and written."""
    from ..fix import fix
    from ..policy import load, loads
    from ..sources.writing import replace

    policy = load(path, as_of=as_of)

    def reload(text: str) -> Any:
        return loads(text, file=path, as_of=policy.as_of)

    fixed = fix(policy, policy.sources[path], reload, codes)
    if fixed.text is None:
        return policy
    replace(path, fixed.text)
    count = sum(finding.remark is None for finding in fixed.settled)
    sets = len(fixed.settled) - count
    done = [f"removed {count} statement{'s' * (count != 1)}"] * bool(count)
    done += [f"shortened {sets} set{'s' * (sets != 1)}"] * bool(sets)
    complain(f"{path}: {' and '.join(done)}; proved: no verdict changes")
    return load(path, as_of=as_of)


def _size(policy: Any) -> str:
    rules = len(policy.rules)
    if not rules:
        return f"no rules: every packet is {'denied' if policy.default.value == 'deny' else 'allowed'} by the default"
    return f"{rules} rule{'s' * (rules != 1)}, default {policy.default}"


def _tell(
    path: str,
    new: list[Told],
    sources: Any,
    told: dict[tuple[Any, ...], Told],
    format_: str,
    style: Any,
    size: str = "",
    *,
    ok: bool = True,
) -> None:
    """Shows what was not told before: a file included by several is told of once. `ok` is said if nothing else is."""
    from ..report.screen import render, visible

    fresh = []
    for d, record in new:
        key = (d.code, d.span, d.message)
        if key not in told:
            told[key] = (d, record)
            fresh.append(d)
    if format_ != "text":
        return
    screens = [d for d in fresh if d.severity != "info"]
    if screens:
        say(render(screens, sources, color=style.color))
    for d in fresh:
        if d.severity == "info":  # a line is enough for what may well be meant
            notes = f" ({d.notes[0].removeprefix('witness: ')})" if d.notes else ""
            say(
                f"{style(f'info[{d.code}]', 'cyan', bold=True)} "
                + visible(f"{d.span.file}:{d.span.line}: {d.message}{notes}")
            )
    counts = []
    for severity, hue in (("error", "red"), ("warning", "yellow"), ("info", "cyan")):
        count = sum(d.severity == severity for d, _ in new)
        if count:
            word = severity if severity == "info" else severity + "s" * (count != 1)
            counts.append(style(f"{count} {word}", hue, bold=True))
    summary = counts or [style("ok", "green", bold=True)] * ok
    say(f"{visible(path)}: " + ", ".join(filter(None, [*summary, size])))
