"""The flows of captures as text and as records."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from ..language.meaning.literals import protocol_text
from ..model import address
from ..model.fields import ICMP, ICMPV6, NO_PORT, NO_TYPE, PORT_PROTOCOLS
from ..model.rules import DENY
from ..policy import Policy
from ..registry.names import icmp_type_name, service_name
from ..traffic.flows import Flow, FlowTable
from .choice import EVERY, Choice
from .columns import aligned
from .making import rule_at
from .record import Act, Record, RuleRecord, Size, act
from .screen import visible
from .style import Style
from .wording import counted

_HEADS = ("packets", "bytes", "source", "destination", "service", "rule")
_DAY = len("2026-01-31")
DENIED = Choice(DENY)


@dataclass(frozen=True)
class FlowTally(Record):
    """Packets alike in source, destination, service and deciding rule; times are UTC."""

    source: str
    destination: str
    service: str
    rule: RuleRecord
    packets: Size
    bytes: Size
    first: str
    last: str


@dataclass(frozen=True)
class Flows(Record):
    """The flows of most packets.

    Attributes:
        verdict: the flows are of packets with it alone; null if they are of all.
        flows: how many there are, those included that are not among `top`.
        beyond: packets of more flows, which are not told apart.
        fieldless: packets of no flow.
    """

    verdict: Act | None
    top: tuple[FlowTally, ...]
    flows: int
    beyond: Size
    fieldless: Size


def flows_of(policy: Policy, table: FlowTable, most: int, chosen: Choice = EVERY) -> Flows:
    told = [
        FlowTally(
            address.show(flow.src),
            address.show(flow.dst),
            service_word(flow),
            rule_at(policy, flow.rule),
            flow.packets,
            flow.bytes,
            _moment(flow.first),
            _moment(flow.last),
        )
        for flow in table.top(most)
    ]
    return Flows(act(chosen.action) if chosen.action else None, tuple(told), len(table), table.beyond, table.fieldless)


def chosen_for_top(chosen: Choice) -> Choice:
    """What `--top` is about: what is denied, unless something is chosen."""
    return DENIED if chosen == EVERY else chosen


def service_word(flow: Flow) -> str:
    """`tcp/https`, `icmp/echo-request`, `gre`; `tcp later fragments`, which have no port."""
    name = protocol_text(flow.protocol)
    if flow.dport != NO_PORT:
        return f"{name}/{service_name(flow.protocol, flow.dport) or flow.dport}"
    if flow.type != NO_TYPE:
        code = f" code {flow.code}" if flow.code else ""
        return f"{name}/{icmp_type_name(flow.protocol, flow.type) or flow.type}{code}"
    return f"{name} later fragments" if flow.protocol in (*PORT_PROTOCOLS, ICMP, ICMPV6) else name


def _moment(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 10**9)
    try:
        found = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds, microseconds=rest // 1000)
    except OverflowError:  # a capture may say anything
        return f"{nanoseconds / 1e9:.6f}"
    return f"{found.isoformat(timespec='microseconds')}Z"


def flow_lines(flows: Flows, style: Style) -> list[str]:
    """A row a flow, those of most packets first."""
    verdict = {"allow": "allowed ", "deny": "denied ", "depends": "dependent ", None: ""}[flows.verdict]
    if not flows.top:
        return [f"no {verdict}flow", *_beside(flows)]
    head = counted(flows.flows, f"{verdict}flow")
    head = f"top {len(flows.top):,} of {head}:" if len(flows.top) < flows.flows else f"{head}:"
    days = {moment[:_DAY] if "T" in moment else "" for flow in flows.top for moment in (flow.first, flow.last)}
    day = days.pop() if len(days) == 1 else ""
    told = (*_HEADS, "first", f"last (UTC, {day})") if day else (*_HEADS, "first seen", "last seen (UTC)")
    rows = [told, *(_row(flow, day) for flow in flows.top)]
    return [style(head, bold=True), *aligned(rows, 2, style.width), *_beside(flows)]


def _row(flow: FlowTally, day: str) -> tuple[str, ...]:
    """The cells of a flow; times alone where all are of one day."""
    return (
        f"{flow.packets:,}",
        f"{flow.bytes:,}",
        flow.source,
        flow.destination,
        flow.service,
        visible(flow.rule.called),
        _to_seconds(flow.first).removeprefix(f"{day} "),
        _to_seconds(flow.last).removeprefix(f"{day} "),
    )


def _to_seconds(moment: str) -> str:
    return moment.partition(".")[0].replace("T", " ") if "T" in moment else moment


def _beside(flows: Flows) -> list[str]:
    """What no row has."""
    out = []
    if flows.fieldless:
        out.append(f"{counted(flows.fieldless, 'packet')} of no flow: without fields that could be told")
    if flows.beyond:
        rest = f"after the first {flows.flows:,} they are not told apart"
        out.append(f"{counted(flows.beyond, 'packet')} of further flows: {rest}")
    return out
