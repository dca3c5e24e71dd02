"""`fwengine prove`: is it so for every packet of a region?"""

from __future__ import annotations

import datetime

import click

from .options import as_of_option, color_option, format_option, policy_argument, say, say_json, style_of


@click.command("prove")
@policy_argument
@click.argument("claims", nargs=-1, required=True, metavar="'allow|deny REGION'...")
@click.option("--outside", is_flag=True, help="Prove it of everything outside the regions together: a zero-trust gate.")
@format_option("text", "json")
@as_of_option
@color_option
def command(
    policy: str, claims: tuple[str, ...], outside: bool, format_: str, as_of: datetime.date | None, color: str
) -> int:
    """Prove that every packet of a region gets a verdict, or give a counterexample.

    Several claims of one action are one claim about the union of their regions. With --outside the claim is about all
    other packets: fwengine prove POLICY --outside 'deny tcp from any to web port https' 'deny udp from office'.
    Exits 1 if the claim is false.
    """
    from ..analysis.query import outside as complement
    from ..analysis.query import prove
    from ..loading import claim
    from ..report.answers import proof_json, proof_lines
    from .policies import load_policy

    loaded = load_policy(policy, as_of)
    parsed = [claim(loaded, text) for text in claims]
    actions = {action for action, _ in parsed}
    if len(actions) != 1:
        raise click.UsageError("all claims of one call have the same action")
    boxes = [box for _, some in parsed for box in some]
    if outside:
        boxes = complement(boxes)
    action = actions.pop()
    proof = prove(loaded, action, boxes)
    if format_ == "json":
        say_json(**proof_json(proof, loaded, policy))
    else:
        text = (
            " or ".join(claims)
            if not outside
            else f"{action} everything outside " + " or ".join(c.partition(" ")[2] for c in claims)
        )
        say("\n".join(proof_lines(proof, loaded, policy, text, style_of(color))))
    return 0 if proof.holds else 1
