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

    For example: fwengine query POLICY 'allow tcp from any to web'. Each region has its deciding rule and a packet of it.
    Exits 1 if there is no such packet.
    """
    from ..analysis.query import query
    from ..policy import load, read_claim
    from ..report.answers import query_lines, region_json

    loaded = load(policy, as_of=as_of)
    action, boxes = read_claim(loaded, question)
    regions = query(loaded, action, boxes, limit)
    if format_ == "json":
        say_json(empty=not regions, regions=[region_json(r, loaded) for r in regions])
    elif format_ == "jsonl":
        for region in regions:
            say_json_line(**region_json(region, loaded))
    elif regions:
        say("\n".join(query_lines(regions, loaded, style_of(color))))
    else:
        say(f"none: no packet of this region gets `{action}`")
    return 0 if regions else 1
