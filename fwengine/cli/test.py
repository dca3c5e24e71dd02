"""`fwengine test`: every expectation, proved or refuted."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import click

from ..errors import LimitError, PolicyError
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
    say_answer,
    stated_day,
    style_of,
)

if TYPE_CHECKING:
    from ..report.outcomes import Outcome
    from ..report.tested import Tests
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
@format_option()
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
    from ..report.tested import Tests

    if fail_under is not None and not (cover or mutate):
        raise click.UsageError("`--fail-under` goes with `--coverage` or `--mutate`")
    paths = paths_of(paths, config)
    once(*paths)
    results: list[tuple[str, list[Outcome]]] = []
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
            results.append((path, _tested(policy, path, stated_day(as_of), failures)))
            try:
                if cover:
                    tested.add_coverage(policy)
                if mutate:
                    failures.add(tested.add_mutants(policy))
            except LimitError as error:
                failures.tell(error)
        if len(read) == len(files):
            operands.append((named, read))
    failures.add(*(covered.missing(named, read) for named, read in operands))
    failures.add(
        *(nothing for nothing in bare if nothing.file not in ruled)
    )  # what others include is about their rules
    answer = Tests.of(
        results,
        tested.coverage_record if cover else None,
        tested.mutation_record if mutate else None,
        whole=not failures,
    )
    if junit is not None:
        _write_junit(junit, answer, failures)
    say_answer(answer, format_, failures, style_of(color))
    low = (
        fail_under is not None
        and 100 * min(tested.coverage if cover else 1, tested.score if mutate else 1) < fail_under
    )
    return failures.code(1 if answer.failed or low else 0)


def _write_junit(path: str, answer: Tests, failures: Failures) -> None:
    from ..report.render import render
    from ..sources.writing import replace

    try:
        replace(path, "\n".join(render(answer, "junit", failures)) + "\n")
    except PolicyError as error:
        failures.tell(error)


def _tested(policy: Any, path: str, stated: datetime.date | None, failures: Failures) -> list[Outcome]:
    """The outcomes of one file's expectations; one that takes too long is a failure."""
    from ..analysis.entries import Entries, closed
    from ..analysis.prove import prove
    from ..report.outcomes import Outcome
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
        result = Outcome.of(proof, policy, path, stated)
        results.append(result)
        # a claim about an interface that no rule names is usual; one that resembles another's name is not
        strangers = [stranger for stranger in policy.strangers(claim.boxes) if stranger.near]
        if strangers:
            note(f"{visible(str(claim.span.file))}:{claim.span.line}: {stranger_text(strangers)}")
    return results
