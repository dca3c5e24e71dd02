"""Which of several sets of addresses hold a point, found bit by bit: a decision diagram with more than two ends.

Where a tree would cut a field's values before each of a million intervals, it has a `Switch`. Knows sets and points.

Source: Bahar et al., "Algebraic decision diagrams and their applications", ICCAD 1993.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from . import diagram
from .address import V6_BASE
from .diagram import FALSE, TRUE, Diagram
from .interval import IntervalSet
from .scattered import FAMILY_BIT, diagram_of, of_diagram

_STEPS = 4


class SwitchTooLargeError(Exception):
    """It takes more steps than allowed."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Rows (bit, next if it is 0, next if it is 1), each after those it leads to; a next below 0 is the end numbered `~next`."""

    rows: tuple[tuple[int, int, int], ...]
    root: int

    def at(self, point: int) -> int:
        """The end to which a point leads."""
        value = point if point < V6_BASE else point - V6_BASE | 1 << FAMILY_BIT
        row, rows = self.root, self.rows
        while row >= 0:
            bit, low, high = rows[row]
            row = high if value >> bit & 1 else low
        return ~row

    def reached(self, lo: int, hi: int) -> frozenset[int]:
        """The ends to which the points of an interval lead."""
        below = _below(self)
        found: set[int] = set()

        def walk(row: int, bits: int, base: int) -> None:
            last = base + (1 << bits) - 1
            if last < lo or hi < base:
                return
            if row < 0 or (lo <= base and last <= hi):
                found.update(below[row] if row >= 0 else (~row,))
                return
            bit, low, high = self.rows[row]
            if bit < bits - 1:
                low = high = row
            walk(low, bits - 1, base)
            walk(high, bits - 1, base + (1 << bits - 1))

        four, six = self._families()
        walk(four, 32, 0)
        walk(six, 128, V6_BASE)
        return frozenset(found)

    def _families(self) -> tuple[int, int]:
        if self.root >= 0 and self.rows[self.root][0] == FAMILY_BIT:
            return self.rows[self.root][1:]
        return self.root, self.root

    def relabelled(self, ends: Sequence[int]) -> Switch:
        """The same with other ends: `ends[n]` in place of `n`; without the rows that then make no difference."""
        rows: dict[tuple[int, int, int], int] = {}
        new: list[int] = []
        for bit, low, high in self.rows:
            low, high = (~ends[~row] if row < 0 else new[row] for row in (low, high))
            new.append(low if low == high else rows.setdefault((bit, low, high), len(rows)))
        return Switch(tuple(rows), ~ends[~self.root] if self.root < 0 else new[self.root])

    def parts(self, within: IntervalSet) -> dict[int, IntervalSet]:
        """For each end the points of a set that lead to it, if there are any."""
        known: dict[tuple[Diagram, int], dict[int, Diagram]] = {}

        def divided(at: Diagram, row: int) -> dict[int, Diagram]:
            if at is FALSE:
                return {}
            if row < 0:
                return {~row: at}
            found = known.get((at, row))
            if found is None:
                bit = max(at.bit, self.rows[row][0])
                low, high = self.rows[row][1:] if self.rows[row][0] == bit else (row, row)
                less, more = diagram.halves(at, bit)
                inside, other = divided(less, low), divided(more, high)
                found = known[at, row] = {
                    end: diagram.node(bit, inside.get(end, FALSE), other.get(end, FALSE))
                    for end in dict.fromkeys((*inside, *other))
                }
            return found

        return {end: of_diagram(part) for end, part in divided(diagram_of(within), self.root).items()}


@lru_cache(1 << 10)
def _below(switch: Switch) -> list[frozenset[int]]:
    """For each row the ends below it."""
    out: list[frozenset[int]] = []
    for _, low, high in switch.rows:
        out.append(frozenset().union(*[out[row] if row >= 0 else (~row,) for row in (low, high)]))
    return out


class Made(NamedTuple):
    """A switch between some sets; for each of its ends the numbers of the sets that hold what leads there; the steps taken."""

    switch: Switch
    ends: list[tuple[int, ...]]
    steps: int


def switch(sets: Sequence[Diagram], final: Sequence[bool], most: int) -> Made:
    """The switch between some sets.

    Behind a set that is `final` none of its points is looked for in any other.

    Raises:
        SwitchTooLargeError: beyond `most` steps, of which each set takes four at each row: it takes as long as so many cuts.
    """
    ends: dict[tuple[int, ...], int] = {}
    rows: dict[tuple[int, int, int], int] = {}
    known: dict[tuple[tuple[int, Diagram], ...], int] = {}
    steps = 0

    def made(left: tuple[tuple[int, Diagram], ...]) -> int:
        nonlocal steps
        found = known.get(left)
        if found is not None:
            return found
        steps += _STEPS * len(left) + 1
        if steps > most:
            raise SwitchTooLargeError
        bit = max([at.bit for _, at in left], default=-1)
        if bit < 0:
            return ~ends.setdefault(tuple([n for n, _ in left]), len(ends))
        pairs = [(n, diagram.halves(at, bit)) for n, at in left]
        low, high = (made(_live(((n, half[side]) for n, half in pairs), final)) for side in (0, 1))
        row = low if low == high else rows.setdefault((bit, low, high), len(rows))
        known[left] = row
        return row

    root = made(_live(enumerate(sets), final))
    return Made(Switch(tuple(rows), root), list(ends), steps)


def _live(sets: Iterable[tuple[int, Diagram]], final: Sequence[bool]) -> tuple[tuple[int, Diagram], ...]:
    out = []
    for n, at in sets:
        if at is not FALSE:
            out.append((n, at))
            if at is TRUE and final[n]:
                break
    return tuple(out)
