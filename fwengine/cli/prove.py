"""`fwengine prove`: is it so for every packet of a region?"""

from __future__ import annotations

import datetime

import click

from .failure import Failures
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    policy_argument,
    say_answer,
    stated_day,
    style_of,
)


@click.command("prove", epilog=exit_codes("proved", "false, or about no packet", "no rule, empty input"))
@policy_argument
@click.argument("claim", metavar="'allow|deny REGION'")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=4_000_000,
    show_default=True,
    help="Steps of a search after which to give up.",
)
@format_option()
@as_of_option
@color_option
def command(policy: str, claim: str, limit: int, format_: str, as_of: datetime.date, color: str) -> int:
    """Prove that every packet of a region gets a verdict, or give a counterexample.

    A region may be several, joined by `or`, and may leave others out: a zero-trust gate is
    fwengine prove POLICY 'deny any unless tcp from any to web port https or dns from office'.
    What is proved is confirmed in a second way, for all packets (confirmed) or for samples of them (sampled).
    A claim about an interface that no rule names counts as false: the name may be mistyped.
    """
    from ..analysis.prove import prove
    from ..policy import load, read_claim
    from ..report.nothing import no_rule
    from ..report.proved import Proved, ProvedClaim

    loaded = load(policy, as_of=as_of)
    proof = prove(loaded, read_claim(loaded, claim), limit)
    failures = Failures()
    failures.add(no_rule(loaded))
    answer = Proved.of([ProvedClaim.of(proof, loaded, policy, claim, stated_day(as_of))])
    say_answer(answer, format_, failures, style_of(color))
    return failures.code(0 if answer.holds else 1)
