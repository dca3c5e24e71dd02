"""`fwengine convert`: a policy in a format that other firewalls load, or another firewall's in the language of this package."""

from __future__ import annotations

import datetime
from typing import Final

import click

from .failure import Failures
from .loading import load, reading_options
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    note,
    policy_argument,
    say_answer,
    stated_day,
    style_of,
)

TARGETS: Final = ("fwl", "nft", "iptables", "ip6tables", "cisco", "aws")
CHAINS: Final = ("input", "forward", "output")


@click.command("convert", epilog=exit_codes("written", "", "no rule, empty input"))
@policy_argument
@click.option(
    "--to", "target", type=click.Choice(TARGETS), default="fwl", show_default=True, help="The format to write."
)
@click.option("-o", "--output", metavar="FILE", help="Write to a file; `-` is standard output, as without it.")
@click.option(
    "--chain",
    type=click.Choice(CHAINS, case_sensitive=False),
    help="With nft and iptables: which packets it is about. With aws: `output` is egress, else it is ingress."
    "  [default: the chain it comes from, or forward]",
)
@click.option("--name", metavar="NAME", help="With nft, cisco and aws: the name of the table, or of the list.")
@reading_options()
@format_option()
@as_of_option
@color_option
def command(
    policy: str,
    target: str,
    output: str | None,
    chain: str | None,
    name: str | None,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """Write a policy in another format, exactly or not at all.

    Each line of it stands above what it comes to. What is written was read back and proved the same for every packet. What is not
    exact in the format is refused (exit code 2), with the rule and the reason, all in one run; so is what depends on lines in doubt:
    `--in-doubt allow` or `deny` takes a side. Rules with `until` are written in no format but the language, unless `--as-of` states
    the day.
    """
    from ..conversion import InexactError, converted
    from ..formats.registry import WRITERS
    from ..report.converted import Conversion
    from ..report.nothing import no_rule
    from ..sources.writing import replace

    writer = WRITERS[target]
    if chain is not None and not writer.chain:
        raise click.UsageError(f"`--chain` is for {_those_with_chains()}: {writer.title} has no chains")
    if name is not None and not writer.named:
        raise click.UsageError(f"`--name` names nothing in {writer.title}")
    loaded = load(policy, as_of=as_of)
    failures = Failures()
    failures.add(no_rule(loaded))
    day = None if writer.ends else stated_day(as_of)
    file = None if output == "-" else output
    try:
        found = converted(loaded, target, as_of=day, chain=chain and chain.lower(), name=name)
        if file is not None:
            replace(file, found.text)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except InexactError as error:
        failures.tell(error)
        answer = Conversion.refused(loaded.name, target, writer.title)
    else:
        answer = Conversion.of(loaded.name, target, writer.title, found, file)
        if format_ == "text":
            for told in found.told:
                note(told)
    say_answer(answer, format_, failures, style_of(color))
    return failures.code(0)


def _those_with_chains() -> str:
    from ..formats.registry import WRITERS

    return ", ".join(writer.name for writer in WRITERS.values() if writer.chain)
