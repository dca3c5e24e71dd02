"""`fwengine schema`: the form of what a command answers."""

from __future__ import annotations

import click

from .output import say_data


@click.command("schema")
@click.argument("asked", metavar="COMMAND")
@click.option(
    "--lines", is_flag=True, help="Of each line of `--format jsonl` instead of the document of `--format json`."
)
def command(asked: str, lines: bool) -> int:
    """Write the JSON Schema of what COMMAND answers as JSON.

    It is made of what the command itself is made of, and so is never behind it: `fwengine schema check > check.json`.
    """
    from ..registry.names import near
    from ..report.schema import commands, document, line

    if asked not in commands():
        meant = near(asked, commands())
        hint = f" Did you mean `{meant[0]}`?" if meant else f" There are those of {', '.join(commands())}."
        raise click.UsageError(f"no form of answers of `{asked}`.{hint}")
    say_data(line(asked) if lines else document(asked))
    return 0
