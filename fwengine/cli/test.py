"""`fwengine test`: every expectation, proved or refuted."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import click

from ..errors import Diagnostic, LimitError, PolicyError, Span
from .config import config_options, paths_of
from .failure import Failures
from .files import expanded
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    note,
    once,
    say,
    say_json,
    say_json_line,
    stated_day,
    style_of,
)
from .output import say_failures

if TYPE_CHECKING:
    from ..sources.configuration import Configuration


@click.command(
    "test", epilog=exit_codes("every expectation holds", "one does not", "no expectation, no rule, empty input")
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=str), metavar="PATH...")
@click.option("--coverage", "cover", is_flag=True, help="Also tell which rules no expectation exercises.")
@click.option("--mutate", is_flag=True, help="Also change one rule at a time, and tell what no expectation notices.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit 1 below this coverage or mutation score.",
)
@click.option("--junit", type=click.Path(path_type=str), metavar="FILE", help="Also write the results in JUnit's form.")
@config_options
@format_option("text", "json", "jsonl", "github", "junit")
@as_of_option
@color_option
def command(
    paths: tuple[str, ...],
    cover: bool,
    mutate: bool,
    fail_under: float | None,
    junit: str | None,
    config: Configuration,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """Prove every `expect` in files and folders.

    An expectation about a region is proved for all its packets; a false one has a counterexample. Each file that is named
    needs one, in itself or in a file of the same run that includes it; of a folder one file does. A file with expectations
    needs a rule, too, in the same way.
    """
    from ..policy import load
    from ..report.mutation import Tested
    from ..report.nothing import Covered, no_rule

    if fail_under is not None and not (cover or mutate):
        raise click.UsageError("`--fail-under` goes with `--coverage` or `--mutate`")
    paths = paths_of(paths, config)
    once(*paths)
    style = style_of(color)
    results: list[dict[str, Any]] = []
    tested = Tested()
    failures = Failures()
    covered, ruled = Covered("expectation"), Covered("rule")
    bare = []  # policies with expectations and without a rule
    operands: list[tuple[str, list[str]]] = []
    for named, files in expanded(paths, failures):
        read = []
        for path in files:
            try:
                policy = load(path, as_of=as_of, interfaces=config.interfaces)
            except PolicyError as error:
                failures.tell(error)
                continue
            read.append(path)
            nothing = no_rule(policy)
            if nothing is None:
                ruled.add(policy)
            if policy.expectations:
                covered.add(policy)
                if nothing is not None:
                    bare.append(nothing)
            results += _tested(policy, path, stated_day(as_of), format_ == "text", style, failures)
            try:
                if cover:
                    tested.add_coverage(policy)
                if mutate:
                    tested.add_mutants(policy)
            except LimitError as error:
                failures.tell(error)
        if len(read) == len(files):
            operands.append((named, read))
    failures.add(*(covered.missing(named, read) for named, read in operands))
    failures.add(
        *(nothing for nothing in bare if nothing.file not in ruled)
    )  # what others include is about their rules
    if junit is not None:
        _write_junit(junit, results, failures)
    passed = sum(r["passed"] for r in results)
    failed = len(results) - passed
    extra: dict[str, Any] = {"coverage": tested.coverage_json()} if cover else {}
    extra |= {"mutation": tested.mutation_json()} if mutate else {}
    if format_ == "text":
        for lines in (
            tested.coverage_lines(style) if cover else [],
            tested.mutation_lines(style) if mutate else [],
        ):
            for line in lines:
                say(line)
        sampled = sum(bool(r["confirmed"]) and not r["confirmed"]["complete"] for r in results)
        word = f" ({sampled} sampled)" if sampled else ""  # no word: confirmed, all of them
        say(style(f"{passed} passed, {failed} failed", "red" if failed or failures else "green", bold=True) + word)
    else:
        _tell(results, passed, failed, extra, format_, failures)
    low = (
        fail_under is not None
        and 100 * min(tested.coverage if cover else 1, tested.score if mutate else 1) < fail_under
    )
    return failures.code(1 if failed or low else 0)


def _write_junit(path: str, results: list[dict[str, Any]], failures: Failures) -> None:
    from ..report.machine import junit
    from ..sources.writing import replace

    try:
        replace(path, junit(results, failures) + "\n")
    except PolicyError as error:
        failures.tell(error)


def _tested(
    policy: Any, path: str, stated: datetime.date | None, show: bool, style: Any, failures: Failures
) -> list[dict[str, Any]]:
    """The outcomes of one file's expectations, shown as they come; one that takes too long is a failure."""
    from ..analysis.entries import Entries, closed
    from ..analysis.prove import prove
    from ..report.outcomes import failure_head, failure_lines, outcome_json
    from ..report.screen import visible
    from ..report.strangers import stranger_text

    results = []
    entries = Entries(closed(policy)) if policy.expectations else None
    for claim in policy.expectations:
        try:
            proof = prove(policy, claim, entries=entries)
        except LimitError as error:
            failures.tell(error, at=claim.span)
            continue
        result = outcome_json(proof, policy, path, stated)
        results.append(result)
        # a claim about an interface that no rule names is usual; one that resembles another's name is not
        strangers = [stranger for stranger in policy.strangers(claim.boxes) if stranger.near]
        if strangers:
            note(f"{visible(str(claim.span.file))}:{claim.span.line}: {stranger_text(strangers)}")
        if show and not proof.holds:
            say("\n".join([failure_head(result, style), *failure_lines(result)]))
    good = sum(r["passed"] for r in results)
    bad = len(results) - good
    if show:
        counts = [f"{good} passed"] * bool(good) + [style(f"{bad} failed", "red", bold=True)] * bool(bad)
        say(f"{visible(path)}: " + (", ".join(counts) or "no expectations"))
    return results


def _tell(
    results: list[dict[str, Any]], passed: int, failed: int, extra: dict[str, Any], format_: str, failures: Failures
) -> None:
    """The results for other programs."""
    from ..report.machine import github, junit

    if format_ == "json":
        say_json(failures, passed=passed, failed=failed, results=results, **extra)
    elif format_ == "jsonl":
        for result in results:
            say_json_line(**result)
        say_failures(format_, failures)
    elif format_ == "junit":
        say(junit(results, failures))
    else:
        found = [_diagnostic(r) for r in results if not r["passed"]]
        if found or failures:
            say(github(found, failures))


def _diagnostic(result: dict[str, Any]) -> Diagnostic:
    """A failed expectation as something that an editor or a pull request can show."""
    from ..report.outcomes import failure_lines

    span = Span(result["file"], result["line"], 1, result["line"], 1)
    notes = tuple(line.strip() for line in failure_lines(result))
    return Diagnostic("expect", f"failed: {result['expectation']}", span, notes=notes)
