"""`fwengine synth`: a capture of a policy's corners, with the verdicts to expect beside it."""

from __future__ import annotations

import datetime
from collections import Counter
from typing import Any, Literal

import click

from ..errors import CaptureError
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
    style_of,
)


@click.command("synth", epilog=exit_codes("written", "", "no rule, empty input"))
@policy_argument
@click.option(
    "-o", "--output", required=True, metavar="CAPTURE", help="The capture to write; the verdicts go to CAPTURE.jsonl."
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=10_000, show_default=True, metavar="N", help="Most packets to write."
)
@click.option(
    "--seed", type=int, default=0, show_default=True, metavar="N", help="Which of many possible packets to take."
)
@reading_options()
@format_option()
@as_of_option
@color_option
def command(policy: str, output: str, limit: int, seed: int, format_: str, as_of: datetime.date, color: str) -> int:
    """Write a capture of packets at the corners of POLICY, to be thrown at a real firewall.

    One packet for each rule that can be exercised, then packets on and beside every edge of the rules while there is
    room. CAPTURE.jsonl has one line a packet: its number from 0, the packet, the verdict, and the deciding rule.
    `fwengine eval POLICY -r CAPTURE --per-packet` gives the same verdicts. The file is a pcap or, if packets are on
    interfaces or CAPTURE ends in `.pcapng`, a pcapng.
    """
    from ..codes import UNREADABLE
    from ..packets.encode import write_pcap, write_pcapng
    from ..replacing import replaced
    from ..report.making import rule_at
    from ..report.nothing import no_rule
    from ..report.written import MissedRule, Synthesized
    from ..sources.writing import json_text
    from ..testing.synthesis import synthesize

    if output == "-":
        raise click.UsageError("`-o` takes the name of a file: the verdicts are written beside it")
    loaded = load(policy, as_of=as_of)
    failures = Failures()
    failures.add(no_rule(loaded))
    made = synthesize(loaded, limit, seed)
    verdicts = output + ".jsonl"
    kind: Literal["pcap", "pcapng"] = "pcapng" if made.interfaces or output.endswith(".pcapng") else "pcap"
    lines = [json_text(_line(number, probe, loaded)) for number, probe in enumerate(made.probes)]
    packets = [probe.packet for probe in made.probes]
    try:
        with replaced(verdicts) as stream:
            stream.write("".join(lines).encode())
            (write_pcapng if kind == "pcapng" else write_pcap)(output, packets)
    except OSError as error:
        raise CaptureError(UNREADABLE, verdicts, f"cannot be written: {error.strerror or error}") from None
    if kind == "pcapng" and not output.endswith(".pcapng"):
        note(f"`{output}` is a pcapng file: packets are on interfaces, which a pcap has no place for")
    if made.left_out:
        note(
            f"left out {made.left_out} packets at edges that no capture carries: of another state than `new`, or the like"
        )
    for reason, count in Counter(made.missed.values()).items():
        note(f"{count} rule{'' if count == 1 else 's'} without a packet: {_WORDS[reason]}")
    missed = tuple(MissedRule(rule_at(loaded, i), reason) for i, reason in sorted(made.missed.items()))
    rules = sum(map(loaded.active, loaded.rules)) + 1
    answer = Synthesized(
        capture=output,
        kind=kind,
        verdicts=verdicts,
        packets=len(made.probes),
        rules=rules,
        exercised=rules - len(missed),
        missed=missed,
        left_out=made.left_out,
    )
    say_answer(answer, format_, failures, style_of(color))
    return failures.code(0)


_WORDS = {
    "unreachable": "other rules decide all that they match",
    "not in a capture": "it takes a state other than `new`, two interfaces, or an IPv6 extension header at its end",
    "unknown": "the search for one took too long",
    "beyond the limit": "there is no room below `--limit`",
}


def _line(number: int, probe: Any, policy: Any) -> dict[str, Any]:
    """A packet and what to expect of it."""
    from ..model.packet import write
    from ..report.making import rule_at
    from ..report.record import act
    from ..report.written import SynthesizedPacket

    text = write(probe.packet, policy.tree.fields)
    verdict = act(policy.action(probe.index))
    return SynthesizedPacket(number, text, verdict, rule_at(policy, probe.index), probe.about).to_dict()
