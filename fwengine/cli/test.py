"""`fwengine test`: every expectation, proved or refuted."""

from __future__ import annotations

import datetime
from typing import Any

import click

from ..errors import PolicyError
from .failure import show_policy_error
from .options import as_of_option, color_option, format_option, policy_files, say, say_json, say_json_line, style_of


@click.command("test")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=str), metavar="PATH...")
@format_option("text", "json", "jsonl")
@as_of_option
@color_option
def command(paths: tuple[str, ...], format_: str, as_of: datetime.date | None, color: str) -> int:
    """Prove every `expect` in files and folders.

    An expectation about a region is proved for all its packets; a false one has a counterexample. Exits 1 if one
    fails, 2 if a file does not compile or nothing was tested.
    """
    from ..analysis.expect import check_expectation
    from ..report.outcomes import failure_head, failure_lines, outcome_json
    from .policies import load_policy

    style = style_of(color)
    results: list[dict[str, Any]] = []
    passed = failed = broken = 0
    for path in policy_files(paths):
        try:
            policy = load_policy(path, as_of)
        except PolicyError as error:
            broken += 1
            show_policy_error(error)
            continue
        good = bad = 0
        for claim in policy.expectations:
            outcome = check_expectation(policy, claim)
            result = outcome_json(outcome, policy, path, as_of)
            results.append(result)
            good, bad = good + outcome.holds, bad + (not outcome.holds)
            if format_ == "text" and not outcome.holds:
                say("\n".join([failure_head(result, style), *failure_lines(result)]))
        passed, failed = passed + good, failed + bad
        if format_ == "text":
            counts = [f"{good} passed"] * bool(good) + [style(f"{bad} failed", "red", bold=True)] * bool(bad)
            say(f"{path}: " + (", ".join(counts) or "no expectations"))
    if format_ == "json":
        say_json(passed=passed, failed=failed, results=results)
    elif format_ == "jsonl":
        for result in results:
            say_json_line(**result)
    else:
        say(style(f"{passed} passed, {failed} failed", "red" if failed or broken else "green", bold=True))
    if broken or not results:
        if not broken:
            from .failure import complain

            complain("error: nothing was tested: no `expect` in what was given")
        return 2
    return 1 if failed else 0
