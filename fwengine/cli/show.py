"""`fwengine show`: a policy and what was compiled from it."""

from __future__ import annotations

import datetime
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .failure import Failures
from .loading import load, load_all, reading_options
from .options import as_of_option, color_option, exit_codes, policy_argument, say, say_answer, style_of
from .output import FORMAT

if TYPE_CHECKING:
    from ..policy import Policy

FORMS = ("table", "matrix", "tree", "dot", "mermaid", "stats", "json")
ANSWERS = ("table", "stats", "tree")  # what has a form of its own beside these
WIDTH = 100  # columns, where no terminal tells


def _form(ctx: click.Context, param: click.Parameter, value: str) -> str:
    ctx.meta[FORMAT] = "json" if value == "json" else "text"
    return value


@click.command("show", epilog=exit_codes("shown", "", "no rule, empty input"))
@policy_argument
@click.option(
    "--as",
    "form",
    type=click.Choice(FORMS),
    default="table",
    show_default=True,
    is_eager=True,
    callback=_form,
    help="What to show.",
)
@click.option(
    "--between",
    metavar="A,B,...",
    help="With `--as matrix`: names of the policy, or addresses.  [default: the networks that it names]",
)
@click.option("--detail", is_flag=True, help="With `--as matrix`: nothing folded or shortened.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "csv", "json", "jsonl", "html"]),
    help="With `--as table`, `stats`, `tree` and `matrix`: form of the answer; csv of the matrix alone.  [default: text]",
)
@reading_options()
@as_of_option
@color_option
def command(
    policy: str, form: str, between: str | None, detail: bool, format_: str | None, as_of: datetime.date, color: str
) -> int:
    """Show a policy: its rules as a table, who reaches whom, the compiled tree, or its size."""
    if form == "matrix":
        return _matrix(policy, between, detail, format_ or "text", as_of, color)
    if between is not None:
        raise click.UsageError("`--between` goes with `--as matrix`")
    if detail:
        raise click.UsageError("`--detail` goes with `--as matrix`")
    if format_ == "csv":
        raise click.UsageError("`--format csv` goes with `--as matrix`")
    if format_ is not None and form not in ANSWERS:
        raise click.UsageError("`--format` goes with `--as table`, `stats`, `tree` and `matrix`")
    form_ = format_ or ("json" if form == "json" else "text")
    click.get_current_context().meta[FORMAT] = form_ if form_ in ("json", "jsonl") else "text"
    from ..report.drawn import Drawn
    from ..report.nothing import no_rule
    from ..report.ruled import Listed, PolicyListed, PolicySized, Sized

    failures = Failures()
    policies = load_all(policy, as_of=as_of)
    failures.add(*map(no_rule, policies))
    if form == "table":
        say_answer(Listed(tuple(map(PolicyListed.of, policies))), form_, failures, style_of(color))
    elif form == "stats":
        say_answer(Sized(tuple(map(PolicySized.of, policies))), form_, failures, style_of(color))
    elif form == "tree":
        say_answer(Drawn.of(policies), form_, failures, style_of(color))
    else:
        _drawn(policies, form, failures)
    return failures.code(0)


def _drawn(policies: Sequence[Policy], form: str, failures: Failures) -> None:
    """The compiled form, in a language of its own."""
    from ..report.drawings import dot, mermaid
    from ..report.drawn import drawn
    from ..report.shown import Shown

    if len(policies) > 1:
        names = ", ".join(f"`{one.imported.name}`" for one in policies if one.imported is not None)
        raise click.UsageError(f"`--as {form}` shows one policy, and the file has {names}: choose one with `--policy`")
    if form == "json":
        say_answer(Shown.of(policies[0]), "json", failures)
        return
    for line in (dot if form == "dot" else mermaid)(drawn(policies[0])):
        say(line)


def _matrix(path: str, between: str | None, detail: bool, format_: str, as_of: datetime.date, color: str) -> int:
    """Who reaches whom."""
    click.get_current_context().meta[FORMAT] = format_ if format_ in ("json", "jsonl") else "text"
    from ..analysis.matrix import matrix
    from ..codes import LIMIT
    from ..model.rules import DEPENDS
    from ..report.failure import Failure
    from ..report.nothing import no_rule
    from ..report.reached import Reached
    from ..report.view import View
    from ..report.zones import chosen_zones

    policy = load(path, as_of=as_of)
    failures = Failures()
    failures.add(no_rule(policy))
    if any(rule.action is DEPENDS for rule in policy.rules):
        raise click.UsageError("the policy has lines in doubt: `--in-doubt allow` and `--in-doubt deny` take a side")
    sides = chosen_zones(policy, between)
    found = matrix(policy, sides.zones)
    answer = Reached.of(policy, found, sides.notes, View(_columns(), detail))
    if answer.unknown:
        many = f"{answer.unknown:,} cell{'s are' if answer.unknown > 1 else ' is'}"
        failures.add(
            Failure("limit", LIMIT, f"unknown: {many} beyond the limit of parts that are looked at", policy.name)
        )
    if format_ == "csv":
        from ..report.render.csv_form import render

        for text in render(answer):
            say(text)
    else:
        say_answer(answer, format_, failures, style_of(color))
    return failures.code(0)


def _columns() -> int:
    """How wide a line may be: what the terminal has, and the same everywhere else."""
    if sys.stdout is None or not sys.stdout.isatty():
        return WIDTH
    return shutil.get_terminal_size((WIDTH, 24)).columns
