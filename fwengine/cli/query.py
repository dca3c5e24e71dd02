"""`fwengine query`: the packets of a region that get a verdict."""

from __future__ import annotations

import datetime

import click

from .options import as_of_option, color_option, format_option, policy_argument, say, say_json, say_json_line, style_of


@click.command("query")
@policy_argument
@click.argument("question", metavar="'allow|deny REGION'")
@click.option(
    "--limit", type=click.IntRange(1), default=100_000, show_default=True, help="Regions after which to give up."
)
@format_option("text", "json", "jsonl")
@as_of_option
@color_option
def command(policy: str, question: str, limit: int, format_: str, as_of: datetime.date | None, color: str) -> int:
    """List all packets of a region with a verdict, as disjoint regions, widest first.

    For example: fwengine query POLICY 'allow tcp from any to web'. Each region has its deciding rule, a packet of it, and the
    number of its flows: of packets told apart by protocol, addresses, ports, ICMP type and code alone. Exits 1 if there is
    no such packet, or no packet in the region at all.
    """
    from ..analysis.query import query
    from ..policy import load, read_claim
    from ..report.answers import confirmed_json, query_lines, region_json

    loaded = load(policy, as_of=as_of)
    asked = read_claim(loaded, question)
    regions = query(loaded, asked.action, asked.boxes, limit)
    if format_ == "json":
        status = "found" if regions else "none" if regions.confirmed else "about no packet"
        confirmed = confirmed_json(regions.confirmed)
        say_json(status=status, confirmed=confirmed, regions=[region_json(r, loaded) for r in regions])
    elif format_ == "jsonl":
        for region in regions:
            say_json_line(**region_json(region, loaded))
    elif regions:
        say("\n".join(query_lines(regions, loaded, style_of(color))))
    else:
        word = f"no packet of this region gets `{asked.action}` ({regions.confirmed.word})" if regions.confirmed else ""
        say(f"none: {word}" if word else "empty: the question is about no packet")
    return 0 if regions else 1
