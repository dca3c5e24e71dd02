"""What becomes of flows, counted: sums that add up in any order, so that parts of a log may be counted anywhere.

Knows neither logs nor packets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .flow import ACCEPTED, EARLIEST, LATEST, REJECTED
from .meaning import Fared, Fate


class Tally(NamedTuple):
    """How many flows, their bytes and packets as far as the log tells, and when the first began and the last ended."""

    flows: int = 0
    bytes: int = 0
    packets: int = 0
    first: int = LATEST
    last: int = EARLIEST

    def __add__(self, other: object) -> Tally:
        if not isinstance(other, Tally):
            return NotImplemented
        return Tally(
            self.flows + other.flows,
            self.bytes + other.bytes,
            self.packets + other.packets,
            min(self.first, other.first),
            max(self.last, other.last),
        )


NONE = Tally()


class Row(NamedTuple):
    """What flows have in common that are counted together; `recorded` is as in `Flow`."""

    fared: Fared
    recorded: int


class Unread(NamedTuple):
    """Lines of a log that are not taken for flows: why, how many, and where the first of them is.

    `flawed` says that something is wrong with them; others tell of no flow, such as a header.
    """

    reason: str
    lines: int
    file: str
    line: int
    flawed: bool = True


@dataclass(frozen=True)
class FlowSums:
    """Flows by what becomes of them; `+` is associative and commutative."""

    rows: Mapping[Row, Tally] = field(default_factory=dict)
    unread: Mapping[str, Unread] = field(default_factory=dict)
    left_out: int = 0  # flows of other times than were asked for
    met: frozenset[int] = frozenset()  # the rules that decide some packet that a flow may be

    def __add__(self, other: object) -> FlowSums:
        if not isinstance(other, FlowSums):
            return NotImplemented
        rows = dict(self.rows)
        for row, tally in other.rows.items():
            rows[row] = rows.get(row, NONE) + tally
        unread = dict(self.unread)
        for reason, told in other.unread.items():
            known = unread.get(reason)
            if known is not None:
                first = min(known, told, key=lambda each: (each.file, each.line))
                told = first._replace(lines=known.lines + told.lines)
            unread[reason] = told
        return FlowSums(rows, unread, self.left_out + other.left_out, self.met | other.met)

    @property
    def flows(self) -> int:
        return sum(tally.flows for tally in self.rows.values())

    @property
    def flawed(self) -> int:
        """The lines that could not be read."""
        return sum(told.lines for told in self.unread.values() if told.flawed)

    def total(self, fate: Fate | None = None, recorded: int | None = None) -> Tally:
        """All flows with this fate (with any, for None) of which the log tells this."""
        return added(
            tally
            for row, tally in self.rows.items()
            if fate in (None, row.fared.fate) and recorded in (None, row.recorded)
        )

    @property
    def recorded(self) -> bool:
        """Does the log tell of some flows what its filter did?"""
        return any(row.recorded in (ACCEPTED, REJECTED) for row in self.rows)


def added(tallies: Iterable[Tally]) -> Tally:
    total = NONE
    for tally in tallies:
        total += tally
    return total
