"""The flows of captures, counted natively: which packets are alike in rule, ends and service, how many, and when.

Times stay ticks of the clock that recorded them as long as a flow has one clock; whole numbers of Python compare the others,
so that none is too large.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from ..model.address import V6_BASE
from ..model.fields import DPORT, NO_PORT, NO_TYPE, SPORT, TYPE, WHOLE, present
from .module import native

TimeOf = Callable[[int], tuple[int, int]]
Clock = tuple[int, int]  # a resolution as pcapng has it, and the second from which it counts
_TIMELESS, _NANOSECONDS = 0, 1  # decode.h's numbers
_SECOND: Final = 10**9  # nanoseconds
_PORTS, _TYPE = 1, 2


class Clocks:
    """The clocks of captures, numbered as they come."""

    def __init__(self) -> None:
        self._known: list[Clock | None] = [None, None]
        self._numbers: dict[Clock, int] = {}

    def number(self, clock: Clock) -> int:
        found = self._numbers.get(clock)
        if found is None:
            found = self._numbers[clock] = len(self._known)
            self._known.append(clock)
        return found

    def nanoseconds(self, ticks: int, number: int) -> int:
        """A time since 1970; 0 where none was recorded."""
        clock = self._known[number]
        if clock is None:
            return 0 if number == _TIMELESS else ticks
        resolution, epoch = clock
        digits = resolution & 0x7F
        return ticks * _SECOND // (1 << digits if resolution & 0x80 else 10**digits) + epoch * _SECOND


class FlowSums:
    """The flows of the packets in rows of counts that are taken: rules, the default, then those behind them (`capture.CLASSES`).

    Iterable: of each flow the rule's index, source and destination (points), protocol, destination port, ICMP type and code (as
    in a point, where there is none), packets, bytes, and the first and the last time, in nanoseconds since 1970.

    Args:
        full: called where there might not be room for what is to be added: it must make some, by `emptied`.

    Raises:
        ValueError: if they are to be more than 2^24, or none.
    """

    def __init__(self, takes: Sequence[bool], most: int, full: Callable[[], object] | None = None) -> None:
        self._takes, self._most, self._full = bytes(takes), most, full
        self._table = self._begun()
        self._times: dict[int, tuple[int, int]] = {}
        self._undecoded = 0
        self.clocks = Clocks()

    def _begun(self) -> Any:
        assert native is not None  # whoever asks has looked
        return native.flow_table(self._most, _has(), self._takes, *(int.from_bytes(os.urandom(8)) for _ in range(2)))

    def emptied(self) -> list[tuple[int, ...]]:
        """The flows, which are forgotten; what is counted beside them stays."""
        found = list(self)
        assert not self.beyond
        self._undecoded = self.fieldless
        self._table = self._begun()
        self._times.clear()
        return found

    def __len__(self) -> int:
        return self._sums[0]

    @property
    def beyond(self) -> int:
        """The packets of flows that came when the table was full."""
        return self._sums[1]

    @property
    def fieldless(self) -> int:
        """The packets that are taken and have no fields."""
        return self._sums[2] + self._undecoded

    def add(self, data: memoryview, frames: bytearray, count: int, indices: Any, time_of: TimeOf) -> None:
        """Adds packets, with what `count` says of each; `time_of` a frame are its ticks and its clock."""
        assert native is not None  # as above
        if self._full is not None and len(self) + count > self._most:
            self._full()
        for flow, frame in native.add_flows(self._table, data, frames, count, indices):
            time = self.clocks.nanoseconds(*time_of(frame))
            first, last = self._times.get(flow, (time, time))
            self._times[flow] = min(first, time), max(last, time)

    def undecoded(self, row: int, packets: int) -> None:
        """Adds truncated packets that somebody else decided, by the row in which they count."""
        if self._takes[row]:
            self._undecoded += packets

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        assert native is not None  # as above
        for number, one in enumerate(native.told_flows(self._table)):
            rule, src, dst, protocol, has, dport, type_, code, packets, octets, *times, clock = one
            first, last = (self.clocks.nanoseconds(ticks, clock) for ticks in times)
            if number in self._times:
                first, last = min(first, self._times[number][0]), max(last, self._times[number][1])
            base = V6_BASE if len(src) == 16 else 0
            yield (
                rule,
                base + int.from_bytes(src, "big"),
                base + int.from_bytes(dst, "big"),
                protocol,
                dport if has & _PORTS else NO_PORT,
                type_ if has & _TYPE else NO_TYPE,
                code if has & _TYPE else NO_TYPE,
                packets,
                octets,
                first,
                last,
            )

    @property
    def _sums(self) -> tuple[int, int, int]:
        assert native is not None  # as above
        found: tuple[int, int, int] = native.flow_sums(self._table)
        return found


@lru_cache(1)
def _has() -> bytes:
    """What packets have, by family and protocol, later fragments aside."""
    every = (present(protocol, family, WHOLE) for family in (4, 6) for protocol in range(256))
    return bytes((_PORTS if {SPORT, DPORT} <= there else 0) | (_TYPE if TYPE in there else 0) for there in every)
