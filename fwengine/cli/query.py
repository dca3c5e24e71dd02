"""`fwengine query`: the packets of a region that get a verdict."""

from __future__ import annotations

import datetime

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
    say,
    say_json,
    say_json_line,
    style_of,
)
from .output import say_failures


@click.command("query", epilog=exit_codes("there is such a packet", "there is none", "no rule, empty input"))
@policy_argument
@click.argument("question", metavar="'allow|deny REGION'")
@click.option(
    "--limit", type=click.IntRange(1), default=100_000, show_default=True, help="Regions after which to give up."
)
@reading_options()
@format_option("text", "json", "jsonl")
@as_of_option
@color_option
def command(policy: str, question: str, limit: int, format_: str, as_of: datetime.date, color: str) -> int:
    """List all packets of a region with a verdict, as disjoint regions, widest first.

    For example: fwengine query POLICY 'allow tcp from any to web'. Each region has its deciding rule, a packet of it, and the
    number of its flows: of packets told apart by protocol, addresses, ports, ICMP type and code alone.
    """
    from ..analysis.query import query
    from ..policy import read_claim
    from ..report.answers import confirmed_json, query_lines, region_json
    from ..report.nothing import no_rule
    from ..report.strangers import stranger_text, strangers_json

    loaded = load(policy, as_of=as_of)
    asked = read_claim(loaded, question)
    regions = query(loaded, asked.action, asked.boxes, limit)
    strangers = loaded.strangers(asked.boxes)
    if strangers:
        note(stranger_text(strangers))
    failures = Failures()
    failures.add(no_rule(loaded))
    if format_ == "json":
        status = "found" if regions else "none" if regions.confirmed else "about no packet"
        say_json(
            failures,
            status=status,
            confirmed=confirmed_json(regions.confirmed),
            regions=[region_json(r, loaded) for r in regions],
            unknown_interfaces=strangers_json(strangers),
        )
    elif format_ == "jsonl":
        for region in regions:
            say_json_line(**region_json(region, loaded))
        say_failures(format_, failures)
    elif regions:
        say("\n".join(query_lines(regions, loaded, style_of(color))))
    else:
        word = f"no packet of this region gets `{asked.action}` ({regions.confirmed.word})" if regions.confirmed else ""
        say(f"none: {word}" if word else "empty: the question is about no packet")
    return failures.code(0 if regions else 1)
