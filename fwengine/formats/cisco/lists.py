"""An access list under way: entries in the order of their numbers, what removes and renumbers them, and how it ends."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...errors import Span
from ...model import address
from ...model.fields import DST, FRAGMENT, FULL, ICMPV6, PROTOCOL, SRC, TYPE
from ...model.interval import IntervalSet
from ...model.rules import ALLOW, DENY
from ..chains import Chain, Kind, Line, Part
from ..matching import Match
from .entries import ASA, IOS, LATER, NXOS, Dialect
from .words import RefusedError, Word

STEP = 10  # from one number to the next, where none is written


@dataclass(frozen=True)
class Placed:
    """An entry at its place; a remark has no line."""

    number: int
    words: str
    row: int
    line: Line | None


@dataclass
class AccessList:
    """A list.

    Attributes:
        v6: its family; None where it may have both (ASA).
        fragments: what becomes of later fragments that no entry takes, if it says so (NX-OS).
    """

    name: str
    v6: bool | None
    span: Span
    standard: bool = False
    entries: list[Placed] = field(default_factory=list)
    fragments: Line | None = None

    def place(self, words: str, row: int, line: Line | None, number: int | None, at: Word | None) -> None:
        """Puts an entry where its number says, or at the end, ten behind the last.

        Raises:
            RefusedError: if another entry has the number.
        """
        last = self.entries[-1].number if self.entries else 0
        placed = Placed(number if number is not None else last + STEP, words, row, line)
        where = bisect_right(self.entries, placed.number, key=lambda e: e.number)
        if number is not None and where and self.entries[where - 1].number == number:
            there = self.entries[where - 1]
            if there.words.lower() == words.lower():
                return  # what is there already is not added
            message = f"number {number} is that of line {there.row}"
            raise RefusedError(at, message, "the system refuses it: give it another number", "FW403")
        self.entries.insert(where, placed)

    def insert(self, words: str, row: int, line: Line | None, position: int) -> None:
        """Puts an entry before the one that is at a position now, counted from 1 (ASA's `line 3`)."""
        self.entries.insert(max(position - 1, 0), Placed(0, words, row, line))

    def remove(self, words: str) -> bool:
        """Takes out the entry of a number, or that reads like this; False if there is none."""
        for at, placed in enumerate(self.entries):
            if words == str(placed.number) or words.lower() == placed.words.lower():
                del self.entries[at]
                return True
        return words.startswith("remark")

    def resequence(self, first: int, step: int) -> None:
        """New numbers in the same order."""
        self.entries = [
            Placed(first + n * step, placed.words, placed.row, placed.line) for n, placed in enumerate(self.entries)
        ]

    @property
    def lines(self) -> list[Line]:
        """The entries, without remarks."""
        return [placed.line for placed in self.entries if placed.line is not None]


def chain_of(found: AccessList, dialect: Dialect, numbers: Iterator[int]) -> Chain:
    """A list as a chain, with what the system puts before its end, and what is in doubt about it."""
    lines = found.lines
    empty = not lines
    if found.v6 is not None:
        title, other = ("IPv6", address.V4) if found.v6 else ("IPv4", address.V6)
        lines.insert(0, _either(found, numbers, other, f"this list is about {title} alone"))
    if found.fragments is not None:
        lines.append(found.fragments)
    if empty and dialect is not IOS:
        family = address.ALL if found.v6 is None else address.V6 if found.v6 else address.V4
        lines.append(_either(found, numbers, family, "what a list without entries does is not known"))
    elif found.v6 and dialect is not ASA and not empty:
        lines.append(_neighbours(found, dialect, next(numbers)))
    return Chain(found.name, tuple(lines), ALLOW if empty and dialect is IOS else DENY, found.span)


def fragments_line(number: int, span: Span, text: str, permit: bool, v6: bool | None) -> Line:
    """NX-OS' `fragments permit-all`: later fragments that no entry takes."""
    family = address.V6 if v6 else address.V4
    match = Match({SRC: family, DST: family, FRAGMENT: LATER})
    return Line(number, span, text, Kind.ALLOW if permit else Kind.DENY, match.parts())


def _either(found: AccessList, numbers: Iterator[int], family: IntervalSet, reason: str) -> Line:
    sets = list(FULL)
    sets[SRC] = sets[DST] = family
    part = Part((tuple(sets),), (reason,))
    return Line(next(numbers), found.span, reason, Kind.EITHER, (part,), implied=True)


def _neighbours(found: AccessList, dialect: Dialect, number: int) -> Line:
    """The permits of neighbour discovery before the end of a list of IPv6; NX-OS has those of routers, too."""
    types = IntervalSet(((133 if dialect is NXOS else 135, 136),))
    match = Match({SRC: address.V6, DST: address.V6})
    match.require({PROTOCOL: IntervalSet.single(ICMPV6), TYPE: types})
    names = "nd-na, nd-ns, router-advertisement, router-solicitation" if dialect is NXOS else "nd-na, nd-ns"
    return Line(number, found.span, f"permit icmp any any {names} (implicit)", Kind.ALLOW, match.parts(), implied=True)
