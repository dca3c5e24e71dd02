"""`fwengine show`: a policy and what was compiled from it."""

from __future__ import annotations

import datetime

import click

from .options import as_of_option, color_option, policy_argument, say, say_json, style_of

FORMS = ("table", "tree", "dot", "mermaid", "stats", "json")


@click.command("show")
@policy_argument
@click.option("--as", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to show.")
@as_of_option
@color_option
def command(policy: str, form: str, as_of: datetime.date | None, color: str) -> int:
    """Show a policy: its rules as a table, the compiled tree, or its size."""
    from ..policy import load
    from ..report import compiled

    loaded = load(policy, as_of=as_of)
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
        say_json(**compiled.tree_json(loaded))
    return 0
