"""`fwengine eval`: packets and captures through a policy."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    say,
    say_json,
    say_json_line,
    stated_options,
    style_of,
)
from .output import say_failures

if TYPE_CHECKING:
    from ..analysis.interfaces import Stranger
    from ..model.packet import Packet
    from ..model.rules import Verdict
    from ..policy import Policy
    from ..report.reasons import Account

EXAMPLES = """\
Examples:
  fwengine eval edge.fwl 'tcp 5.6.7.8:1029 -> 192.0.2.80:80 in wan0' --explain
  fwengine eval edge.fwl -r monday.pcap
  tcpdump -w - | fwengine eval edge.fwl -r - --per-packet
"""
YES, NO = "answered, and as --expect says if it is given", "not so"


@click.command("eval", epilog=exit_codes(YES, NO, "no rule, no packet, no verdict", EXAMPLES))
@policy_argument
@click.argument("packets", nargs=-1, metavar="[PACKET]...")
@click.option(
    "-r",
    "--read",
    "captures",
    multiple=True,
    metavar="CAPTURE",
    help="Evaluate a pcap or pcapng file; `-` reads standard input. May be repeated.",
)
@click.option("--explain", is_flag=True, help="Tell for each earlier rule which fields failed.")
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
@stated_options
@reading_options()
@format_option("text", "json", "jsonl")
@as_of_option
@color_option
def command(
    policy: str,
    packets: tuple[str, ...],
    captures: tuple[str, ...],
    explain: bool,
    expect: str | None,
    per_packet: bool,
    coverage: bool,
    engine: str | None,
    jobs: int | None,
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
    if captures:
        if packets or explain:
            raise click.UsageError("`-r` goes with neither packets nor `--explain`")
        if per_packet and (coverage or engine or jobs):
            raise click.UsageError("`--per-packet` goes with neither `--coverage`, `--engine` nor `--jobs`")
        from .captures import evaluate_captures

        stated = {"inbound": inbound, "outbound": outbound, "state": state or "new"}
        how = {"engine": engine or "auto", "jobs": jobs or cores()}
        return evaluate_captures(policy, captures, expect, per_packet, coverage, stated, how, format_, as_of, color)
    for option, chosen in (("coverage", coverage), ("engine", engine), ("jobs", jobs)):
        if chosen:
            raise click.UsageError(f"`--{option}` goes with `-r`")
    for given, name in ((per_packet or None, "per-packet"), (inbound, "in"), (outbound, "out"), (state, "state")):
        if given is not None:
            hint = "" if given is True else f"; in a packet write `{name} {given or 'none'}`"
            raise click.UsageError(f"`--{name}` goes with `-r`{hint}")
    if not packets:
        raise click.UsageError("name a PACKET, `-` for standard input, or a capture with `-r`")
    return _packets(policy, packets, explain, expect, format_, as_of, color)


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
    explain: bool,
    expect: str | None,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    from ..report.nothing import no_rule
    from ..report.strangers import stranger_text
    from .asked import read_packets

    policy = load(path, as_of=as_of)
    failures = Failures()
    asked = read_packets(texts, policy, failures)
    if failures:
        say_failures(format_, failures)
        return 2
    failures.add(no_rule(policy))
    answers = [_answer(policy, text, packet, explain) for text, packet in asked]
    strangers = tuple(dict.fromkeys(stranger for answer in answers for stranger in answer.strangers))
    if strangers:
        note(stranger_text(strangers))
    if format_ == "json":
        say_json(failures, results=[_fields(policy, answer) for answer in answers])
    elif format_ == "jsonl":
        for answer in answers:
            say_json_line(**_fields(policy, answer))
        say_failures(format_, failures)
    else:
        _print(policy, answers, color)
    otherwise = sum(a.verdict.action.value != expect for a in answers) if expect is not None else 0
    if otherwise:
        note(f"expected {expect}: {otherwise} of {len(answers)} packet{'s' * (len(answers) != 1)} fared otherwise")
    return failures.code(1 if otherwise or (expect is not None and strangers) else 0)


def _answer(policy: Policy, text: str, packet: Packet | UndecodableError, explain: bool) -> _Answer:
    from ..model.rules import Action, Verdict
    from ..report.reasons import account

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
    accounts = account(policy, packet, verdict) if explain else None
    return _Answer(str(packet), packet, verdict, accounts, policy.strangers(packet))


def _partly(policy: Policy, known: tuple[Any, ...]) -> Verdict | None:
    """The verdict on a packet of which only this is known; None if it depends on the rest."""
    from ..model.box import Box
    from ..traffic.cut import Cuts

    action, index = Cuts(policy).fate(known)
    if action is None:
        return None
    return policy.evaluate_boxes([Box(known)]) if index is None else policy.verdict(index)


def _fields(policy: Policy, answer: _Answer) -> dict[str, Any]:
    from ..report.reasons import account_json
    from ..report.strangers import strangers_json
    from ..report.verdicts import verdict_json

    fields = verdict_json(answer.text, answer.verdict, policy)
    if answer.partial:
        fields["partial"] = True
    if answer.strangers:
        fields["unknown_interfaces"] = strangers_json(answer.strangers)
    if answer.accounts is not None and answer.packet is not None:
        fields["explain"] = account_json(answer.accounts, answer.packet)
    return fields


def _print(policy: Policy, answers: Sequence[_Answer], color: str) -> None:
    from ..report.reasons import account_lines
    from ..report.verdicts import split_lines, verdict_line

    style = style_of(color)
    for answer in answers:
        told = "  (cut short: decided from the fields that are there)" if answer.partial else ""
        say(verdict_line(answer.verdict, policy, style, answer.text if len(answers) > 1 else "") + told)
        if answer.packet is None:
            continue
        if answer.verdict.cases:
            say("\n".join(split_lines(answer.verdict, answer.packet, style)))
        if answer.accounts is not None:
            if answer.verdict.cases:
                say("the rules in their order:")
            say("\n".join(account_lines(answer.accounts, answer.packet, style)))
