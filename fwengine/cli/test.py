"""`fwengine test`: every expectation, proved or refuted."""

from __future__ import annotations

import datetime
from typing import Any

import click

from ..errors import Diagnostic, PolicyError, Span
from .failure import complain, show_policy_error
from .options import as_of_option, color_option, format_option, say, say_json, say_json_line, style_of


@click.command("test")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=str), metavar="PATH...")
@click.option("--coverage", "cover", is_flag=True, help="Also tell which rules no expectation exercises.")
@click.option("--mutate", is_flag=True, help="Also change one rule at a time, and tell what no expectation notices.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit 1 below this coverage or mutation score.",
)
@click.option("--junit", type=click.Path(path_type=str), metavar="FILE", help="Also write the results in JUnit's form.")
@format_option("text", "json", "jsonl", "github", "junit")
@as_of_option
@color_option
def command(
    paths: tuple[str, ...],
    cover: bool,
    mutate: bool,
    fail_under: float | None,
    junit: str | None,
    format_: str,
    as_of: datetime.date | None,
    color: str,
) -> int:
    """Prove every `expect` in files and folders.

    An expectation about a region is proved for all its packets; a false one has a counterexample. Exits 1 if one
    fails, 2 if a file does not compile or nothing was tested.
    """
    from ..policy import load
    from ..report.mutation import Tested
    from ..sources.opening import expand

    if fail_under is not None and not (cover or mutate):
        raise click.UsageError("`--fail-under` goes with `--coverage` or `--mutate`")
    style = style_of(color)
    results: list[dict[str, Any]] = []
    tested = Tested()
    broken = False
    for path in expand(paths):
        try:
            policy = load(path, as_of=as_of)
        except PolicyError as error:
            broken = True
            show_policy_error(error)
            continue
        results += _tested(policy, path, as_of, format_ == "text", style)
        if cover:
            tested.add_coverage(policy)
        if mutate:
            tested.add_mutants(policy)
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
        say(style(f"{passed} passed, {failed} failed", "red" if failed or broken else "green", bold=True) + word)
    else:
        _tell(results, passed, failed, extra, format_)
    if junit is not None:
        from ..report.machine import junit as to_junit
        from ..sources.writing import replace

        replace(junit, to_junit(results) + "\n")
    if broken or not results:
        if not broken:
            complain("error: nothing was tested: no `expect` in what was given")
        return 2
    low = (
        fail_under is not None
        and 100 * min(tested.coverage if cover else 1, tested.score if mutate else 1) < fail_under
    )
    return 1 if failed or low else 0


def _tested(policy: Any, path: str, as_of: datetime.date | None, show: bool, style: Any) -> list[dict[str, Any]]:
    """The outcomes of one file's expectations, shown as they come."""
    from ..analysis.entries import Entries, closed
    from ..analysis.prove import prove
    from ..report.outcomes import failure_head, failure_lines, outcome_json
    from ..report.screen import visible

    results = []
    entries = Entries(closed(policy)) if policy.expectations else None
    for claim in policy.expectations:
        proof = prove(policy, claim, entries=entries)
        result = outcome_json(proof, policy, path, as_of)
        results.append(result)
        if show and not proof.holds:
            say("\n".join([failure_head(result, style), *failure_lines(result)]))
    good = sum(r["passed"] for r in results)
    bad = len(results) - good
    if show:
        counts = [f"{good} passed"] * bool(good) + [style(f"{bad} failed", "red", bold=True)] * bool(bad)
        say(f"{visible(path)}: " + (", ".join(counts) or "no expectations"))
    return results


def _tell(results: list[dict[str, Any]], passed: int, failed: int, extra: dict[str, Any], format_: str) -> None:
    """The results for other programs."""
    from ..report.machine import github, junit

    if format_ == "json":
        say_json(passed=passed, failed=failed, results=results, **extra)
    elif format_ == "jsonl":
        for result in results:
            say_json_line(**result)
    elif format_ == "junit":
        say(junit(results))
    else:
        found = [_diagnostic(r) for r in results if not r["passed"]]
        if found:
            say(github(found))


def _diagnostic(result: dict[str, Any]) -> Diagnostic:
    """A failed expectation as something that an editor or a pull request can show."""
    from ..report.outcomes import failure_lines

    span = Span(result["file"], result["line"], 1, result["line"], 1)
    notes = tuple(line.strip() for line in failure_lines(result))
    return Diagnostic("expect", f"failed: {result['expectation']}", span, notes=notes)
