"""`fwengine prove`: is it so for every packet of a region?"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..errors import LimitError, PolicyError
from .config import config_options
from .failure import Failures
from .files import expanded
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    once,
    say,
    say_json,
    say_json_line,
    stated_day,
    style_of,
)
from .output import say_failures

if TYPE_CHECKING:
    from ..policy import Policy
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
    default=3,
    show_default=True,
    help="Counterexamples to give, each decided by another rule.",
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    default=4_000_000,
    show_default=True,
    help="Steps of a search after which to give up.",
)
@config_options
@format_option("text", "json", "jsonl")
@as_of_option
@color_option
def command(
    words: tuple[str, ...],
    claims: str | None,
    limit: int,
    steps: int,
    config: Configuration,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """Prove that every packet of a region gets a verdict, or give counterexamples.

    A region may be several, joined by `or`, and may leave others out: a zero-trust gate is
    fwengine prove POLICY 'deny any unless tcp from any to web port https or dns from office'.
    Each claim is proved of each policy; of a folder every `.fwl` file is one.
    What is proved is confirmed in a second way, for all packets (confirmed) or for samples of them (sampled).
    A claim about an interface that no rule names counts as false: the name may be mistyped.
    """
    from ..policy import load
    from ..report.nothing import no_input, no_rule
    from .claims import claims_of, operands

    policies, asked = operands(words, claims is not None)
    once(*policies, *([claims] if claims is not None else []))
    failures = Failures()
    if claims is not None:
        more = claims_of(claims)
        if not more:
            failures.add(no_input("<stdin>" if claims == "-" else claims, "claim"))
        asked += more
    results: list[dict[str, Any]] = []
    style = style_of(color)
    files = [path for _, some in expanded(policies, failures) for path in some]
    single = len(files) * len(asked) == 1
    for path in files:
        try:
            policy = load(path, as_of=as_of, interfaces=config.interfaces)
        except PolicyError as error:
            failures.tell(error)
            continue
        failures.add(no_rule(policy))
        for result, lines in _proved(policy, path, asked, limit, steps, stated_day(as_of), style, failures, single):
            results.append(result)
            if format_ == "text":
                say("\n".join(lines))
            elif format_ == "jsonl":
                say_json_line(**result)
    good = sum(result["holds"] for result in results)
    if format_ == "text" and results and not single:
        say(style(f"{good} proved, {len(results) - good} not", "green" if good == len(results) else "red", bold=True))
    elif format_ == "json":
        first = next((r["counterexample"] for r in results if r["counterexample"]), None)
        alone = results[0] if single and results else {}  # its keys at the top, too
        holds = bool(results) and good == len(results)
        say_json(failures, **alone | {"holds": holds, "counterexample": first, "results": results})
    elif format_ == "jsonl":
        say_failures(format_, failures)
    return failures.code(0 if good == len(results) else 1)


def _proved(
    policy: Policy,
    path: str,
    asked: list[Written],
    limit: int,
    steps: int,
    stated: datetime.date | None,
    style: Any,
    failures: Failures,
    single: bool,
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """What became of each claim: its record, and the lines that people read."""
    from ..analysis.entries import Entries, closed
    from ..analysis.kinds import counterexamples
    from ..analysis.prove import prove
    from ..report.answers import kinds_json, kinds_lines, proof_json, proof_lines
    from ..report.screen import visible
    from ..report.strangers import stranger_text, strangers_json

    entries = Entries(closed(policy))
    for written in asked:
        try:
            claim = written.read(policy)
            proof = prove(policy, claim, steps, entries)
            kinds = counterexamples(policy, proof, limit, steps, entries)
        except PolicyError as error:
            failures.tell(error, kind="question")
            continue
        except LimitError as error:
            failures.tell(error)
            continue
        strangers = policy.strangers(claim.boxes)
        record = proof_json(proof, policy, path, stated)
        record |= kinds_json(kinds, proof, policy, path, stated)
        record |= {"policy": policy.name, "claim": written.text, "unknown_interfaces": strangers_json(strangers)}
        record["holds"] = proof.holds and not strangers
        shown = visible(written.text if single else f"{path}: {written.text}")
        first, *rest = proof_lines(proof, policy, path, shown, style, stated)
        said = stranger_text(strangers)
        rest += kinds_lines(kinds, proof, policy, path, stated)
        yield record, [f"{first}, but {said}" if said else first, *rest]
