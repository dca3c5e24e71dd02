"""The options that say how flow logs are read and asked about, of every command that takes them."""

from __future__ import annotations

import datetime
import re
from typing import Any

import click

OPENERS = ("open", "src", "lower-port")  # those of `flows.options`


def _moment(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Milliseconds since 1970."""
    if value is None:
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?(Z|[+-]\d\d:\d\d)?", value):
        try:
            found = datetime.datetime.fromisoformat(value)
        except ValueError:
            found = None
        if found is not None:
            return int((found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()) * 1000
    raise click.BadParameter(f"`{value}` is no time: expected YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, in UTC", ctx, param)


def reading_flows(command: Any) -> Any:
    """The options that say how flow logs are read and asked about; those of several commands."""
    decorate = [
        click.option(
            "--columns", metavar="src=NAME,...",
            help="What a CSV's or Parquet's columns are called, or JSON's keys; numbers where there is no header. "
            "Of src, dst, sport, dport, protocol, type, code, flags, action, status, bytes, packets, start, end, in, out.",
        ),
        click.option("--log-format", metavar="FIELDS", help="The fields of VPC flow logs, `${srcaddr} ${dstaddr} ...`."),
        click.option(
            "--opener", type=click.Choice(OPENERS), default="open", show_default=True,
            help="Who opened a connection, where the log does not tell: either side, the source, or the side with the higher port.",
        ),
        click.option(
            "--stateful", is_flag=True,
            help="The firewall lets pass what belongs to a connection that it allowed: ask for the first packet alone.",
        ),
        click.option("--since", metavar="TIME", callback=_moment, help="Flows that began then or later; UTC."),
        click.option("--until", metavar="TIME", callback=_moment, help="Flows that began before."),
    ]  # fmt: skip
    for option in reversed(decorate):
        command = option(command)
    return command
