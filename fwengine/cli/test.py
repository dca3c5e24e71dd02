"""`fwengine test`: every expectation, proved or refuted."""

from __future__ import annotations

import datetime
import shlex
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
    from ..loading import load

    style = style_of(color)
    results: list[dict[str, Any]] = []
    passed = failed = broken = 0
    for path in policy_files(paths):
        try:
            policy = load(path, as_of=as_of)
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
                say("\n".join(_failure(result, style)))
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


def outcome_json(outcome: Any, policy: Any, path: str, as_of: datetime.date | None) -> dict[str, Any]:
    """One expectation and what became of it."""
    from ..header import write

    claim, verdict = outcome.expectation, outcome.verdict
    expected = claim.action.value + (f" by {claim.by}" if claim.by else "")
    out: dict[str, Any] = {
        "file": claim.span.file,
        "line": claim.span.line,
        "expectation": f"expect {claim.action.value} {claim.text}" + (f" by {claim.by}" if claim.by else ""),
        "passed": outcome.holds,
        "expected": expected,
        "got": None,
        "rule": None,
        "rule_file": None,
        "rule_line": None,
        "counterexample": None,
        "command": None,
    }
    if verdict is not None:
        packet = write(outcome.counterexample, policy.tree.fields)
        words = ["fwengine", "eval", path, packet, "--explain"] + (["--as-of", str(as_of)] if as_of else [])
        out |= {
            "got": verdict.action.value,
            "rule": verdict.rule.label if verdict.rule else "default",
            "rule_file": verdict.rule.span.file if verdict.rule else None,
            "rule_line": verdict.rule.span.line if verdict.rule else None,
            "counterexample": packet,
            "command": shlex.join(words),
        }
    elif not outcome.holds:
        out["got"] = "no packet: the region is empty"
    return out


def _failure(result: dict[str, Any], style: Any) -> list[str]:
    out = [f"{style('FAILED', 'red', bold=True)} {result['file']}:{result['line']}  {result['expectation']}"]
    out.append(f"  expected  {result['expected']}")
    if result["counterexample"] is None:
        return [*out, f"  got       {result['got']}"]
    place = f"{result['rule_file']}:{result['rule_line']}" if result["rule_file"] else ""
    place = "" if place == result["rule"] else f"  {place}"
    out.append(f"  got       {result['got']} by {result['rule']}{place}")
    out.append(f"  packet    {result['counterexample']}")
    out.append(f"  try       {result['command']}")
    return out
