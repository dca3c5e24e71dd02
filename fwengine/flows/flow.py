"""A flow as a log tells of it, and many of them as columns. What a log does not tell is open.

Knows neither logs nor policies. Addresses of a `Flow` are points of `model.address`'s number line; times are milliseconds
since 1970.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from ..model.address import V6_BASE, Family
from ..model.fields import ICMP, ICMPV6, PORT_PROTOCOLS

ACCEPTED, REJECTED = 1, 2  # what the filter that wrote the log did; 0 if it does not tell
EARLIEST, LATEST = -(1 << 62), 1 << 62  # in the place of a time that no log tells: the other end of what is asked
ROWS: Final = 1 << 15  # flows of a batch made of single flows
_KINDS: Final = 64  # kinds of flows that are gathered side by side

# The types of ICMP that ask for something, and those that answer (RFC 792, RFC 1256, RFC 950, RFC 4443, RFC 2710, RFC 4861)
ANSWERS: Final = {
    4: {8: 0, 10: 9, 13: 14, 15: 16, 17: 18},
    6: {128: 129, 133: 134, 135: 136, 139: 140},
}


class Flow(NamedTuple):
    """What a log tells of a flow; None is open, or untold.

    `opened` says that `src` opened the connection: if not, the log does not tell which side did. Fields that such a packet
    does not have are None, too.
    """

    protocol: int
    src: int
    dst: int
    sport: int | None = None
    dport: int | None = None
    type: int | None = None
    code: int | None = None
    opened: bool = True
    recorded: int = 0
    bytes: int = 0
    packets: int = 0
    first: int | None = None
    last: int | None = None
    inbound: str | None = None
    outbound: str | None = None

    @property
    def family(self) -> Family:
        return 4 if self.src < V6_BASE else 6

    @property
    def reversed(self) -> Flow:
        """The same flow as seen from the other side."""
        return self._replace(
            src=self.dst, dst=self.src, sport=self.dport, dport=self.sport, inbound=self.outbound, outbound=self.inbound
        )


class Kind(NamedTuple):
    """What the flows of a batch have in common: which of their fields are told, and whether anything answers them.

    Attributes:
        typed: their ICMP types are told; flows that have none are `ported` or neither.
        single: nothing comes back: the destination is a group, or the ICMP message asks for nothing.
    """

    family: Family
    opened: bool = True
    icmp: bool = False
    sport: bool = True
    dport: bool = True
    typed: bool = False
    single: bool = False
    inbound: str | None = None
    outbound: str | None = None


class Batch(NamedTuple):
    """Flows of one kind as columns, as `native.Classifier` takes them; of untold fields the column does not count.

    `recorded` may be missing, and so may what is summed: `bytes` and `packets` (unsigned, 64 bits), `first` and `last`
    (signed, 64 bits; `LATEST` and `EARLIEST` where no time is told).
    """

    kind: Kind
    rows: int
    protocol: Any
    src: Any
    dst: Any
    sport: Any = None
    dport: Any = None
    type: Any = None
    code: Any = None
    recorded: Any = None
    bytes: Any = None
    packets: Any = None
    first: Any = None
    last: Any = None


def settled(flow: Flow) -> Flow:
    """The flow with its opener first, where what it is tells: no group of hosts opens anything, and ICMP types say who asks."""
    if flow.opened:
        return flow
    if is_group(flow.dst):
        return flow._replace(opened=True)
    if is_group(flow.src):
        return flow.reversed._replace(opened=True)
    if flow.type is None or flow.code is None:
        return flow
    asks = next((asks for asks, answers in ANSWERS[flow.family].items() if answers == flow.type), None)
    if asks is None:
        return flow._replace(opened=True)
    return flow.reversed._replace(opened=True, type=asks, code=0)


def kind_of(flow: Flow) -> Kind:
    """The kind of a flow, which is settled."""
    family = flow.family
    icmp = flow.protocol == (ICMP if family == 4 else ICMPV6)
    ported = flow.protocol in PORT_PROTOCOLS
    typed = icmp and flow.type is not None and flow.code is not None
    return Kind(
        family,
        flow.opened,
        icmp,
        not ported or flow.sport is not None,
        not ported or flow.dport is not None,
        typed,
        is_group(flow.dst) or (typed and flow.type not in ANSWERS[family]),
        flow.inbound,
        flow.outbound,
    )


def is_group(dst: int) -> bool:
    """Is it an address from which nothing answers: multicast, broadcast, and what is reserved behind them?"""
    return dst >= 0xE0000000 if dst < V6_BASE else dst - V6_BASE >> 120 == 0xFF


class _Columns:
    """Columns that grow, of flows of one kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.protocol = bytearray()
        self.src: Any = array("I") if kind.family == 4 else bytearray()
        self.dst: Any = array("I") if kind.family == 4 else bytearray()
        self.sport, self.dport = array("H"), array("H")
        self.type, self.code, self.recorded = bytearray(), bytearray(), bytearray()
        self.bytes, self.packets = array("Q"), array("Q")
        self.first, self.last = array("q"), array("q")

    def add(self, flow: Flow) -> None:
        self.protocol.append(flow.protocol)
        if self.kind.family == 4:
            self.src.append(flow.src)
            self.dst.append(flow.dst)
        else:
            self.src += (flow.src - V6_BASE).to_bytes(16, "big")
            self.dst += (flow.dst - V6_BASE).to_bytes(16, "big")
        self.sport.append(flow.sport or 0)
        self.dport.append(flow.dport or 0)
        if self.kind.typed:
            self.type.append(flow.type or 0)
            self.code.append(flow.code or 0)
        self.recorded.append(flow.recorded)
        self.bytes.append(flow.bytes)
        self.packets.append(flow.packets)
        self.first.append(LATEST if flow.first is None else flow.first)
        self.last.append(EARLIEST if flow.last is None else flow.last)

    def batch(self) -> Batch:
        typed = self.kind.typed
        return Batch(
            self.kind,
            len(self.protocol),
            self.protocol,
            self.src,
            self.dst,
            self.sport,
            self.dport,
            self.type if typed else None,
            self.code if typed else None,
            self.recorded,
            self.bytes,
            self.packets,
            self.first,
            self.last,
        )


class Gathered:
    """Flows that become batches: some thousands of one kind at a time, in no order. Memory is that of 64 batches."""

    def __init__(self, rows: int = ROWS) -> None:
        assert rows > 1
        self._rows = rows
        self._growing: dict[Kind, _Columns] = {}

    def add(self, given: Flow) -> Batch | None:
        """Takes a flow; a batch that is full by that, if one is."""
        flow = given if given.opened else settled(given)
        kind = kind_of(flow)
        full = None
        columns = self._growing.get(kind)
        if columns is None:
            if len(self._growing) == _KINDS:
                largest = max(self._growing, key=lambda kind: len(self._growing[kind].protocol))
                full = self._growing.pop(largest).batch()
            columns = self._growing[kind] = _Columns(kind)
        columns.add(flow)
        if len(columns.protocol) == self._rows:
            full = self._growing.pop(kind).batch()  # not the other one as well: a new kind has one flow
        return full

    def rest(self) -> Iterator[Batch]:
        """The batches that are not full."""
        while self._growing:
            yield self._growing.popitem()[1].batch()


def batches(flows: Iterable[Flow], rows: int = ROWS) -> Iterator[Batch]:
    """Flows as columns: see `Gathered`."""
    gathered = Gathered(rows)
    for flow in flows:
        full = gathered.add(flow)
        if full is not None:
            yield full
    yield from gathered.rest()
