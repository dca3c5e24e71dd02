"""The flows of captures as text and as records."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from ..language.meaning.literals import protocol_text
from ..model import address
from ..model.fields import ICMP, ICMPV6, NO_PORT, NO_TYPE, PORT_PROTOCOLS
from ..model.rules import DENY
from ..policy import Policy
from ..registry.names import icmp_type_name, service_name
from ..traffic.flows import Flow, FlowTable
from .choice import EVERY, Choice
from .making import rule_at
from .record import Record, RuleRecord, Size
from .screen import visible
from .style import Style

_HEADS = ("packets", "bytes", "source", "destination", "service", "rule", "first seen", "last seen (UTC)")
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
    """The flows of most packets; `flows` is how many there are, and `beyond` counts packets of more that are not told apart."""

    top: tuple[FlowTally, ...]
    flows: int
    beyond: Size
    fieldless: Size


def flows_of(policy: Policy, table: FlowTable, most: int) -> Flows:
    told = [
        FlowTally(
            address.show(flow.src),
            address.show(flow.dst),
            service_word(flow),
            rule_at(policy, flow.rule),
            flow.packets,
            flow.bytes,
            _moment(flow.first, "T", "microseconds") + "Z",
            _moment(flow.last, "T", "microseconds") + "Z",
        )
        for flow in table.top(most)
    ]
    return Flows(tuple(told), len(table), table.beyond, table.fieldless)


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


def _moment(nanoseconds: int, between: str, precision: str) -> str:
    seconds, rest = divmod(nanoseconds, 10**9)
    try:
        found = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds, microseconds=rest // 1000)
    except OverflowError:  # a capture may say anything
        return f"{nanoseconds / 1e9:.6f}"
    return found.isoformat(between, precision)


def flow_lines(policy: Policy, table: FlowTable, most: int, chosen: Choice, style: Style) -> list[str]:
    """A row a flow, those of most packets first."""
    found = table.top(most)
    verdict = {"allow": "allowed ", "deny": "denied ", None: ""}[chosen.action.value if chosen.action else None]
    what = f"{verdict}flow{'s' * (len(table) != 1)}"
    if not found:
        return [f"no {verdict}flow", *_beside(table)]
    head = f"top {len(found):,} of {len(table):,} {what}:" if len(found) < len(table) else f"{len(table):,} {what}:"
    rows = [_row(policy, flow) for flow in found]
    widths = [max(len(row[n]) for row in [*rows, _HEADS]) for n in range(len(_HEADS))]
    return [style(head, bold=True), *(_line(row, widths) for row in [_HEADS, *rows]), *_beside(table)]


def _row(policy: Policy, flow: Flow) -> tuple[str, ...]:
    return (
        f"{flow.packets:,}",
        f"{flow.bytes:,}",
        address.show(flow.src),
        address.show(flow.dst),
        service_word(flow),
        visible(policy.label(flow.rule)),
        _moment(flow.first, " ", "seconds"),
        _moment(flow.last, " ", "seconds"),
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [f"{cell:>{w}}" if n < 2 else f"{cell:<{w}}" for n, (cell, w) in enumerate(zip(row, widths, strict=True))]
    return "  ".join(cells).rstrip()


def _beside(table: FlowTable) -> list[str]:
    """What no row has."""
    out = []
    if table.fieldless:
        plural = "" if table.fieldless == 1 else "s"
        out.append(f"{table.fieldless:,} packet{plural} of no flow: without fields that could be told")
    if table.beyond:
        out.append(f"{table.beyond:,} packets of further flows: after the first {len(table):,} they are not told apart")
    return out
