"""The flows of most packets of many captures, in memory that does not grow, and the same however the captures were parted.

Exact as long as they are few; a linear sketch beyond, which finds what has a good part of all packets: see `flows.top`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from ..flows.sums import Tally
from ..flows.top import Key, Top, TopFlow
from ..model.address import V6_BASE
from ..model.fields import NO_PORT, NO_TYPE, TYPE, WHOLE, present
from ..model.rules import DENY, Action
from .flows import KEY, Flow, FlowTable, Takes, taken_rows

if TYPE_CHECKING:
    from ..native import Classifier

_TOLD_APART: Final = 1 << 17  # flows of one part, before they are added to those of the others


class BigFlow(NamedTuple):
    """A flow among the biggest. If it is not `exact`, its packets and bytes are at most these, and its times are not known (0)."""

    flow: Flow
    exact: bool


@dataclass(eq=False)
class Biggest(Top):
    """The flows of most packets, then of most bytes. `+` is associative and commutative, and leaves both as they were."""

    @staticmethod
    def weight(flows: int, octets: int, packets: int) -> int:
        return packets

    @staticmethod
    def rank(one: TopFlow) -> tuple[object, ...]:
        flow = _flow(one).flow
        return -flow.packets, -flow.bytes, flow[:KEY]

    def add_flow(self, flow: Flow) -> None:
        self.add(_key(flow), Tally(0, flow.bytes, flow.packets, flow.first, flow.last))

    def flows(self, most: int) -> list[BigFlow]:
        return [_flow(one) for one in self.biggest(most)]


def _key(flow: Flow) -> Key:
    """What is told apart; where a packet without ports has a type and a code, these stand in the place of the port."""
    last: int | None = None
    if flow.dport != NO_PORT:
        last = flow.dport
    elif flow.type != NO_TYPE:
        last = flow.type << 8 | flow.code
    return Key(0, flow.rule, flow.protocol, flow.src, flow.dst, last)


def _flow(one: TopFlow) -> BigFlow:
    _, rule, protocol, src, dst, last = one.key
    dport, type_, code = NO_PORT, NO_TYPE, NO_TYPE
    if last is not None and TYPE in present(protocol, 4 if src < V6_BASE else 6, WHOLE):
        type_, code = divmod(last, 256)
    elif last is not None:
        dport = last
    times = (one.tally.first, one.tally.last) if one.exact else (0, 0)
    return BigFlow(
        Flow(rule, src, dst, protocol, dport, type_, code, one.tally.packets, one.tally.bytes, *times), one.exact
    )


class Emptying(FlowTable):
    """A table that is never full: what it has goes to `biggest` before that."""

    def __init__(
        self, takes: Takes, native: Classifier | None = None, biggest: Biggest | None = None, most: int = _TOLD_APART
    ) -> None:
        super().__init__(takes, most)
        self.biggest = Biggest() if biggest is None else biggest
        self.native = native
        if native is not None:
            from ..native import FlowSums

            self.sums = FlowSums(taken_rows(native.policy, takes), most, self.empty)

    def _room(self) -> None:
        if len(self._flows) >= self._most:
            self.empty()

    def empty(self) -> None:
        """Adds all flows to the biggest."""
        found: Sequence[Flow] = self._emptied() if self.sums is None else [Flow(*one) for one in self.sums.emptied()]
        for flow in found:
            self.biggest.add_flow(flow)


def denied(action: Action | None, rule: int | None) -> bool:
    """What is told of unless somebody chooses; may be sent to another process."""
    return action is DENY
