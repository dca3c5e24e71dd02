"""`fwengine prove`: is it so for every packet of a region?"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ..errors import LimitError, PolicyError
from .config import config_options
from .failure import Failures
from .files import expanded
from .loading import load, reading_options
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    once,
    say_answer,
    stated_day,
    style_of,
)

if TYPE_CHECKING:
    from ..policy import Policy
    from ..report.proved import ProvedClaim
    from ..sources.configuration import Configuration
    from .claims import Written


@click.command("prove", epilog=exit_codes("proved", "false, or about no packet", "no rule, no claim, empty input"))
@click.argument(
    "words", nargs=-1, required=True, type=click.Path(path_type=str), metavar="POLICY... 'allow|deny REGION'..."
)
@click.option(
    "--claims",
    type=click.Path(),
    metavar="FILE",
    help="Also prove the claims in a file, one a line; # begins a comment.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    default=3,
    show_default=True,
    help="Counterexamples to give, each decided by another rule.",
)
@config_options
@reading_options(configured=False)
@format_option()
@as_of_option
@color_option
def command(
    words: tuple[str, ...],
    claims: str | None,
    limit: int,
    config: Configuration,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """Prove that every packet of a region gets a verdict, or give counterexamples.

    A region may be several, joined by `or`, and may leave others out: a zero-trust gate is
    fwengine prove POLICY 'deny any unless tcp from any to web port https or dns from office'.
    Each claim is proved of each policy; of a folder every `.fwl` file is one, but for what has no rule and is included by others.
    What is proved is confirmed in a second way, for all packets (confirmed) or for samples of them (sampled).
    A claim about an interface that no rule names counts as false: the name may be mistyped.
    """
    from ..report.nothing import no_input
    from ..report.proved import Proved
    from .claims import claims_of, operands

    policies, asked = operands(words, claims is not None)
    once(*policies, *([claims] if claims is not None else []))
    failures = Failures()
    if claims is not None:
        more = claims_of(claims)
        if not more:
            failures.add(no_input("<stdin>" if claims == "-" else claims, "claim"))
        asked += more
    results: list[ProvedClaim] = []
    for path, policy in _policies(policies, as_of, failures):
        results += _proved(policy, path, asked, limit, stated_day(as_of), failures)
    answer = Proved.of(results)
    if results or format_ != "text":
        say_answer(answer, format_, failures, style_of(color))
    return failures.code(0 if answer.holds else 1)


def _policies(operands: Sequence[str], as_of: datetime.date, failures: Failures) -> Iterator[tuple[str, Policy]]:
    """The policies to ask, by their paths; in a folder, what has no rule and is included by others is a part of these alone."""
    from ..report.nothing import Covered, no_rule

    covered = Covered("rule")
    read = []
    for named, files in expanded(operands, failures):
        for path in files:
            try:
                policy = load(path, as_of=as_of)
            except PolicyError as error:
                failures.tell(error)
                continue
            read.append((named, path, policy))
            if policy.rules:
                covered.add(policy)
    for named, path, policy in read:
        if policy.rules or named == path or path not in covered:
            failures.add(no_rule(policy))
            yield path, policy


def _proved(
    policy: Policy,
    path: str,
    asked: list[Written],
    limit: int,
    stated: datetime.date | None,
    failures: Failures,
) -> Iterator[ProvedClaim]:
    """What became of each claim about a policy; what cannot be asked is a failure."""
    from ..analysis.entries import Entries, closed
    from ..analysis.kinds import counterexamples
    from ..analysis.prove import prove
    from ..report.proved import ProvedClaim

    entries = Entries(closed(policy))
    for written in asked:
        try:
            claim = written.read(policy)
            proof = prove(policy, claim, entries)
            kinds = counterexamples(policy, proof, limit, entries)
        except PolicyError as error:
            failures.tell(error, kind="question")
        except LimitError as error:
            failures.tell(error)
        else:
            yield ProvedClaim.of(proof, policy, path, written.text, stated, kinds)
