"""`fwengine convert`: a policy of another firewall in the language of this package."""

from __future__ import annotations

import datetime

import click

from .failure import Failures
from .loading import load, reading_options
from .options import as_of_option, color_option, exit_codes, policy_argument, say


@click.command("convert", epilog=exit_codes("written", "", "no rule, empty input"))
@policy_argument
@click.option(
    "--to", "target", type=click.Choice(["fwl"]), default="fwl", show_default=True, help="The format to write."
)
@click.option("-o", "--output", metavar="FILE", help="Write to a file instead of standard output.")
@reading_options()
@as_of_option
@color_option
def command(policy: str, target: str, output: str | None, as_of: datetime.date, color: str) -> int:
    """Write a policy of another firewall in the language of this package.

    Each line of it stands above what it comes to. What is written was read back and proved the same for every packet. What depends on
    lines in doubt cannot be written: `--in-doubt allow` or `deny` takes a side.
    """
    from ..convert import to_fwl
    from ..report.nothing import no_rule
    from ..sources.writing import replace

    loaded = load(policy, as_of=as_of)
    failures = Failures()
    failures.add(no_rule(loaded))
    text = {"fwl": to_fwl}[target](loaded)
    if output is None:
        say(text.rstrip("\n"))
    else:
        replace(output, text)
    return failures.code(0)
