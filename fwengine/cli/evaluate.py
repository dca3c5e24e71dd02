"""`fwengine eval`: packets and captures through a policy."""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import click

from ..errors import LimitError, UndecodableError
from .failure import Failures
from .loading import load, reading_options
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    note,
    once,
    policy_argument,
    say_answer,
    stated_options,
    style_of,
    width,
)
from .output import say_failures

if TYPE_CHECKING:
    from ..analysis.interfaces import Stranger
    from ..model.packet import Packet
    from ..model.rules import Verdict
    from ..policy import Policy
    from ..report.decided import Decided
    from ..report.reasons import Account

Expected = Literal["allow", "deny"] | None
EXAMPLES = """\
Examples:
  fwengine eval edge.fwl 'tcp 5.6.7.8:1029 -> 192.0.2.80:80 in wan0' --explain
  fwengine eval edge.fwl -r monday.pcap
  tcpdump -w - | fwengine eval edge.fwl -r - --per-packet
"""


class _Explaining(click.Command):
    """A command whose `--explain` may be `--explain=all`, and never takes the packet behind it for its value."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        for n, word in enumerate(args[:end]):
            if word == "--explain=all":
                args[n] = "--explain-all"
            elif word.startswith("--explain="):
                raise click.UsageError(f"`{word}`: write `--explain`, or `--explain=all` for every rule", ctx)
        return super().parse_args(ctx, args)


YES, NO = "answered, and as --expect says if it is given", "not so"


@click.command("eval", cls=_Explaining, epilog=exit_codes(YES, NO, "no rule, no packet, no verdict", EXAMPLES))
@policy_argument
@click.argument("packets", nargs=-1, metavar="[PACKET]...")
@click.option(
    "-r",
    "--read",
    "captures",
    multiple=True,
    metavar="CAPTURE",
    help="Evaluate a pcap or pcapng file, all that match a pattern or are in a folder; `-`: standard input. May be repeated.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Tell which rules came nearest, and in which fields they failed; `--explain=all`: every rule.",
)
@click.option("--explain-all", is_flag=True, hidden=True)
@click.option("--detail", is_flag=True, help="Text in full: nothing folded, nothing cut short.")
@click.option("--expect", type=click.Choice(["allow", "deny"]), help="Exit 1 unless every packet fares so.")
@click.option("--coverage", is_flag=True, help="With -r: tell which rules no packet of the captures exercised.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "tree", "native"]),
    default=None,
    help="With -r: plain Python, or the native module; the answer is the same.  [default: auto]",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=None,
    metavar="N",
    help="With -r: threads of the native module.  [default: all cores]",
)
@click.option("--per-packet", is_flag=True, help="With -r: one line for each packet.")
@click.option("--only", type=click.Choice(["allow", "deny"]), help="With -r: tell of packets with this verdict alone.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="NAME",
    help="With -r: tell of what this rule decides alone; `default` is one. May be repeated.",
)
@click.option(
    "--top",
    type=click.IntRange(1),
    metavar="N",
    help="With -r: the N denied flows of most packets (those that --only and --rule choose, if given).",
)
@stated_options
@reading_options()
@format_option()
@as_of_option
@color_option
def command(
    policy: str,
    packets: tuple[str, ...],
    captures: tuple[str, ...],
    explain: bool,
    explain_all: bool,
    detail: bool,
    expect: Expected,
    per_packet: bool,
    coverage: bool,
    engine: str | None,
    jobs: int | None,
    only: str | None,
    rules: tuple[str, ...],
    top: int | None,
    inbound: str | None,
    outbound: str | None,
    state: str | None,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """Tell what POLICY does to packets, and which rule decides.

    A PACKET is written as in `tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn in wan0`, as `proto=tcp src=...`, as JSON,
    as a line of `tcpdump -nn`, or as `hex:4500...`; `-` reads packets from standard input, one a line. What a packet
    leaves out is open: if its fate depends on it, the answer is DEPENDS, with the split.
    """
    once(policy, *packets, *captures)
    explained: Literal["", "near", "all"] = "all" if explain_all else "near" if explain else ""
    if captures:
        if packets or explained or detail:
            raise click.UsageError("`-r` goes with neither packets nor `--explain` or `--detail`")
        if per_packet and (coverage or jobs):
            raise click.UsageError("`--per-packet` goes with neither `--coverage` nor `--jobs`")
        if top and (per_packet or jobs):
            raise click.UsageError("`--top` goes with neither `--per-packet` nor `--jobs`")
        if engine == "tree" and jobs:
            raise click.UsageError("`--jobs` goes with the native module, not with `--engine tree`")
        if per_packet and format_ not in ("text", "json", "jsonl"):
            raise click.UsageError("`--per-packet` is told as text, json or jsonl")
        from .captures import Told, evaluate_captures

        stated = {"inbound": inbound, "outbound": outbound, "state": state or "new"}
        how = {"engine": engine or "auto", "jobs": jobs or cores()}
        return evaluate_captures(
            policy, captures, expect, per_packet, coverage, stated, how, format_, as_of, color, Told(only, rules, top)
        )
    for option, chosen in (
        ("coverage", coverage),
        ("engine", engine),
        ("jobs", jobs),
        ("only", only),
        ("rule", rules),
        ("top", top),
    ):
        if chosen:
            raise click.UsageError(f"`--{option}` goes with `-r`")
    for given, name in ((per_packet or None, "per-packet"), (inbound, "in"), (outbound, "out"), (state, "state")):
        if given is not None:
            hint = "" if given is True else f"; in a packet write `{name} {given or 'none'}`"
            raise click.UsageError(f"`--{name}` goes with `-r`{hint}")
    if not packets:
        raise click.UsageError("name a PACKET, `-` for standard input, or a capture with `-r`")
    return _packets(policy, packets, explained, detail, expect, format_, as_of, color)


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class _Answer:
    """What was asked and what becomes of it; the packet is None if it cannot be decoded."""

    text: str
    packet: Packet | None
    verdict: Verdict
    accounts: list[Account] | None
    strangers: tuple[Stranger, ...] = ()  # interfaces that it names and no rule does
    partial: bool = False  # the packet is cut short, and decided from the fields that are there


def _packets(
    path: str,
    texts: tuple[str, ...],
    explained: Literal["", "near", "all"],
    detail: bool,
    expect: Expected,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    from ..report.evaluated import Evaluated
    from ..report.nothing import no_rule
    from ..report.strangers import stranger_text
    from ..report.view import View
    from .asked import read_packets

    policy = load(path, as_of=as_of)
    failures = Failures()
    asked = read_packets(texts, policy, failures)
    if failures:
        say_failures(format_, failures)
        return 2
    failures.add(no_rule(policy))
    answers = [_answer(policy, text, packet, bool(explained)) for text, packet in asked]
    strangers = tuple(dict.fromkeys(stranger for answer in answers for stranger in answer.strangers))
    if strangers:
        note(stranger_text(strangers))
    results = tuple(_record(policy, answer) for answer in answers)
    told = Evaluated(policy.name, expect, results, View(width(), detail), explained == "all")
    say_answer(told, format_, failures, style_of(color))
    otherwise = sum(a.verdict.action.value != expect for a in answers) if expect is not None else 0
    if otherwise:
        note(f"expected {expect}: {otherwise} of {len(answers)} packet{'s' * (len(answers) != 1)} fared otherwise")
    return failures.code(1 if otherwise or (expect is not None and strangers) else 0)


def _answer(policy: Policy, text: str, packet: Packet | UndecodableError, explain: bool) -> _Answer:
    from ..model.rules import Action, Verdict

    if isinstance(packet, UndecodableError):
        partly = _partly(policy, packet.known) if packet.known is not None else None
        if partly is not None:
            return _Answer(text, None, partly, None, partial=True)
        # fails closed, and no rule has a say
        return _Answer(text, None, Verdict(Action.DENY, None, None, packet.kind), None)  # type: ignore[arg-type]  # one of the classes
    try:
        verdict = policy.evaluate(packet)
    except LimitError as error:
        raise LimitError(f"`{packet}`: {error}") from None
    accounts = None
    if explain:
        from ..report.reasons import account

        accounts = account(policy, packet, verdict)
    return _Answer(str(packet), packet, verdict, accounts, policy.strangers(packet))


def _partly(policy: Policy, known: tuple[Any, ...]) -> Verdict | None:
    """The verdict on a packet of which only this is known; None if it depends on the rest."""
    from ..model.box import Box
    from ..traffic.cut import Cuts

    action, index = Cuts(policy).fate(known)
    if action is None:
        return None
    return policy.evaluate_boxes([Box(known)]) if index is None else policy.verdict(index)


def _record(policy: Policy, answer: _Answer) -> Decided:
    from ..report.decided import Decided

    return Decided.of(
        policy,
        answer.text,
        answer.packet,
        answer.verdict,
        partial=answer.partial,
        strangers=answer.strangers,
        accounts=answer.accounts,
    )
