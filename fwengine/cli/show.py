"""`fwengine show`: a policy and what was compiled from it."""

from __future__ import annotations

import datetime

import click

from .failure import Failures
from .options import as_of_option, color_option, exit_codes, policy_argument, say, say_answer, style_of
from .output import FORMAT

FORMS = ("table", "tree", "dot", "mermaid", "stats", "json")


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
@as_of_option
@color_option
def command(policy: str, form: str, as_of: datetime.date, color: str) -> int:
    """Show a policy: its rules as a table, the compiled tree, or its size."""
    from ..policy import load
    from ..report import compiled
    from ..report.nothing import no_rule
    from ..report.shown import Shown

    loaded = load(policy, as_of=as_of)
    failures = Failures()
    failures.add(no_rule(loaded))
    if form == "table":
        say(compiled.table(loaded, style_of(color)))
    elif form == "tree":
        say(compiled.tree_text(loaded))
    elif form == "dot":
        say(compiled.dot(loaded))
    elif form == "mermaid":
        say(compiled.mermaid(loaded))
    elif form == "stats":
        say(compiled.statistics(loaded))
    else:
        say_answer(Shown.of(loaded), "json", failures)
    return failures.code(0)
