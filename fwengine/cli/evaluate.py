"""`fwengine eval`: packets and captures through a policy."""

from __future__ import annotations

import datetime
import sys
from typing import Any

import click

from ..errors import LimitError, PacketError, PolicyError, UndecodableError
from .failure import complain, show_policy_error
from .options import as_of_option, color_option, format_option, policy_argument, say, say_json, say_json_line, style_of


@click.command("eval")
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
@click.option("--explain", is_flag=True, help="Tell for each earlier rule which field failed.")
@click.option("--expect", type=click.Choice(["allow", "deny"]), help="Exit 1 unless every packet fares so.")
@click.option("--per-packet", is_flag=True, help="With -r: one line for each packet.")
@click.option("--in", "inbound", metavar="NAME", help="With -r: the interface on which the packets arrive.")
@click.option("--out", "outbound", metavar="NAME", help="With -r: the interface by which they leave.")
@click.option("--state", metavar="STATE", help="With -r: the connection state of the packets.  [default: new]")
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
    inbound: str | None,
    outbound: str | None,
    state: str | None,
    format_: str,
    as_of: datetime.date | None,
    color: str,
) -> int:
    """Tell what POLICY does to packets, and which rule decides.

    A PACKET is written as in `tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn in wan0`, as `proto=tcp src=...`, as JSON,
    as a line of `tcpdump -nn`, or as `hex:4500...`; `-` reads packets from standard input, one a line. What a packet
    leaves out is open: if its fate depends on it, the answer is DEPENDS, with the split.
    """
    if captures:
        if packets or explain:
            raise click.UsageError("`-r` goes with neither packets nor `--explain`")
        from .captures import evaluate_captures

        return evaluate_captures(
            policy,
            captures,
            expect,
            per_packet,
            {"inbound": inbound, "outbound": outbound, "state": state or "new"},
            format_,
            as_of,
            color,
        )
    for given, name in ((per_packet, "--per-packet"), (inbound, "--in"), (outbound, "--out"), (state, "--state")):
        if given:
            raise click.UsageError(f"`{name}` goes with `-r`; in a packet write it into the packet")
    if not packets:
        raise click.UsageError("name a PACKET, `-` for standard input, or a capture with `-r`")
    return _packets(policy, packets, explain, expect, format_, as_of, color)


def _packets(
    path: str,
    texts: tuple[str, ...],
    explain: bool,
    expect: str | None,
    format_: str,
    as_of: datetime.date | None,
    color: str,
) -> int:
    from ..loading import load
    from ..packets.notation import parse

    policy = load(path, as_of=as_of)
    asked: list[tuple[str, Any]] = []
    failed = False
    for origin, text in _texts(texts):
        try:
            asked.append((text, parse(text)))
        except UndecodableError as error:
            if error.kind == "not-ip":
                failed = True
                _show_packet_error(error, origin)
            else:
                asked.append((text, error))
        except PacketError as error:
            failed = True
            _show_packet_error(error, origin)
    if failed:
        return 2
    answers = [_answer(policy, text, packet, explain) for text, packet in asked]
    if format_ == "json":
        say_json(results=[fields for _, _, fields, _ in answers])
    elif format_ == "jsonl":
        for _, _, fields, _ in answers:
            say_json_line(**fields)
    else:
        _print(policy, answers, color)
    if expect is not None and any(verdict.action.value != expect for _, verdict, _, _ in answers):
        return 1
    return 0


def _texts(texts: tuple[str, ...]) -> list[tuple[str, str]]:
    """The packets' texts, each with where it came from."""
    out = []
    for text in texts:
        if text != "-":
            out.append(("", text))
            continue
        for number, raw in enumerate(sys.stdin.buffer.read().split(b"\n"), 1):
            try:
                line = raw.decode("utf-8").strip()
            except UnicodeDecodeError:
                raise PacketError(f"standard input, line {number}: no UTF-8 text") from None
            if line and not line.startswith("#"):
                out.append((f"standard input, line {number}: ", line))
    return out


def _show_packet_error(error: PacketError, origin: str) -> None:
    if origin:
        complain(f"{origin}no packet")
    if isinstance(error.__cause__, PolicyError):
        show_policy_error(error.__cause__)
    else:
        complain(f"error: {error}")


def _answer(policy: Any, text: str, packet: Any, explain: bool) -> tuple[Any, Any, dict[str, Any], list[Any] | None]:
    """Packet, verdict, JSON value and reasons."""
    from ..analysis.explain import explain as explain_point
    from ..policy import Action, Verdict
    from ..report.verdicts import explain_json, verdict_json

    if isinstance(packet, UndecodableError):  # fails closed, and no rule has a say
        verdict = Verdict(Action.DENY, None, None, packet.kind)  # type: ignore[arg-type]  # one of the two classes
        return text, verdict, verdict_json(text, verdict, policy), None
    try:
        verdict = policy.evaluate(packet)
    except LimitError as error:
        raise LimitError(f"`{text}`: {error}") from None
    fields = verdict_json(str(packet), verdict, policy)
    reasons = None
    if explain:
        point = packet.point
        if point is None and verdict.reason in ("rule", "default"):
            point = _some_point(policy, packet)
        if point is not None:
            reasons = explain_point(policy, point)
            fields["explain"] = explain_json(reasons)
    return packet, verdict, fields, reasons


def _some_point(policy: Any, packet: Any) -> Any:
    """All packets that an open one may be fare alike here: one of them stands for all."""
    from ..analysis.witness import witness
    from ..box import Box

    return witness(Box.around(packet)).point


def _print(policy: Any, answers: list[tuple[Any, Any, dict[str, Any], list[Any] | None]], color: str) -> None:
    from ..report.verdicts import explain_lines, split_lines, verdict_line

    style = style_of(color)
    several = len(answers) > 1
    for packet, verdict, _, reasons in answers:
        text = str(packet) if several else ""
        if verdict.reason == "depends":
            if several:
                say(style(text, bold=True))
            say("\n".join(split_lines(verdict, packet, style)))
        else:
            say(verdict_line(verdict, policy, style, text))
            if verdict.cases:
                say("\n".join(split_lines(verdict, packet, style)))
        if reasons is not None:
            say("\n".join(explain_lines(reasons, style)))
