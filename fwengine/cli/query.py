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
    say_answer,
    shown_options,
    style_of,
    width,
)


@click.command("query", epilog=exit_codes("there is such a packet", "there is none", "no rule, empty input"))
@policy_argument
@click.argument("question", metavar="'allow|deny REGION'")
@shown_options
@reading_options()
@format_option()
@as_of_option
@color_option
def command(
    policy: str,
    question: str,
    detail: bool,
    limit: int | None,
    plain: bool,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """List all packets of a region with a verdict, as disjoint regions, widest first.

    For example: fwengine query POLICY 'allow tcp from any to web'. Each region has its deciding rule, a packet of it, and the
    number of its flows: of packets told apart by protocol, addresses, ports, ICMP type and code alone. Regions that depend on
    another firewall's lines in doubt are listed apart.
    """
    from ..analysis.query import query
    from ..model.rules import DEPENDS
    from ..policy import read_claim
    from ..report.nothing import no_rule
    from ..report.searched import Searched
    from ..report.strangers import stranger_text
    from ..report.view import View

    loaded = load(policy, as_of=as_of)
    asked = read_claim(loaded, question)
    regions = query(loaded, asked.action, asked.boxes)
    strangers = loaded.strangers(asked.boxes)
    if strangers:
        note(stranger_text(strangers))
    unsettled = any(rule.action is DEPENDS for rule in loaded.rules)
    doubted = query(loaded, DEPENDS, asked.boxes) if unsettled else None
    failures = Failures()
    failures.add(no_rule(loaded))
    view = View(width(), detail, limit)
    answer = Searched.of(loaded, asked, question, regions, view, by_name=not plain, doubted=doubted)
    say_answer(answer, format_, failures, style_of(color))
    return failures.code(0 if regions else 1)
