"""`fwengine prove`: is it so for every packet of a region?"""

from __future__ import annotations

import datetime

import click

from .options import as_of_option, color_option, format_option, policy_argument, say, say_json, style_of


@click.command("prove")
@policy_argument
@click.argument("claim", metavar="'allow|deny REGION'")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=4_000_000,
    show_default=True,
    help="Steps of a search after which to give up.",
)
@format_option("text", "json")
@as_of_option
@color_option
def command(policy: str, claim: str, limit: int, format_: str, as_of: datetime.date | None, color: str) -> int:
    """Prove that every packet of a region gets a verdict, or give a counterexample.

    A region may be several, joined by `or`, and may leave others out: a zero-trust gate is
    fwengine prove POLICY 'deny any unless tcp from any to web port https or dns from office'.
    What is proved is confirmed in a second way, for all packets (confirmed) or for samples of them (sampled).
    Exits 1 if the claim is false, or about no packet.
    """
    from ..analysis.prove import prove
    from ..policy import load, read_claim
    from ..report.answers import proof_json, proof_lines

    loaded = load(policy, as_of=as_of)
    proof = prove(loaded, read_claim(loaded, claim), limit)
    if format_ == "json":
        say_json(**proof_json(proof, loaded, policy))
    else:
        say("\n".join(proof_lines(proof, loaded, policy, claim, style_of(color))))
    return 0 if proof.holds else 1
