"""Who reaches whom: for each ordered pair of zones, which services are allowed, always or under conditions. Exact.

A zone is a set of addresses or of interfaces; zones may overlap. A cell is about the packets from the one to the other.
Each of its services is *open* (all of its packets are allowed), *partly* open (some are, some are not), or shut. What is
partly open is told by its condition where that is a product of sets: allowed exactly there. Knows neither names of
services nor the rule language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Final, Literal, NamedTuple

from ..model import address
from ..model.box import Box, Sets
from ..model.fields import DST, FIELDS, IN, OUT, SRC, Point
from ..model.interval import EMPTY, Interval, IntervalSet, together
from ..model.rules import ALLOW, DEPENDS
from ..model.ruleset import RuleSet
from .confirm import Confirmation, agree, decide_each, points_of
from .services import SERVICE, service, services

CELL_PARTS: Final = 20_000  # parts of header space that one cell may fall into
ALL_PARTS: Final = 400_000  # and all cells together
_CUTS: Final = 20_000  # intervals of partly open services, and
_PAIRS: Final = 1 << 14  # pairs of parts looked at, before a condition is not told
_POINTS: Final = 4096  # packets that are decided one by one, over all cells
_OTHERS: Final = tuple(f for f in range(FIELDS) if f not in SERVICE)


class Zone(NamedTuple):
    """What stands at a side of the matrix: addresses, or interfaces (inbound on the left, outbound on top)."""

    name: str
    kind: Literal["net", "interface"]
    chosen: IntervalSet


Fields = tuple[int, ...] | None
Values = tuple[tuple[int, IntervalSet], ...] | None


class Condition(NamedTuple):
    """Services that are allowed for some packets: exactly for those with `values` in these fields; None if it is no product.

    `fields` are those on which it depends: changing one alone changes the verdict of some packet. None if that would take
    too long to tell.
    """

    services: IntervalSet
    fields: Fields
    values: Values


@dataclass(frozen=True)
class Cell:
    """What the packets from zone `source` to zone `destination` may do; the numbers are places in `Matrix.zones`.

    `possible` are the services that any packet of them has, `open` those of which all packets are allowed; `partly` has
    the others of which some are. `regions` are the allowed packets, as disjoint boxes. A cell of more parts than its limit
    is `known` to nobody.
    """

    source: int
    destination: int
    possible: IntervalSet = EMPTY
    open: IntervalSet = EMPTY
    partly: tuple[Condition, ...] = ()
    regions: tuple[Box, ...] = ()
    known: bool = True

    @property
    def everything(self) -> bool:
        """Is every packet allowed (and is there one)?"""
        return self.known and bool(self.possible) and self.open == self.possible

    @property
    def nothing(self) -> bool:
        """Is every packet denied (and is there one)?"""
        return self.known and bool(self.possible) and not self.open and not self.partly

    @property
    def impossible(self) -> bool:
        """Is there no such packet: are the zones of different families?"""
        return self.known and not self.possible


@dataclass(frozen=True)
class Matrix:
    """All cells, row by row; `confirmed` tells for how many packets they were found right in a second way."""

    zones: tuple[Zone, ...]
    cells: tuple[Cell, ...]
    confirmed: Confirmation

    def cell(self, source: int, destination: int) -> Cell:
        return self.cells[source * len(self.zones) + destination]


def matrix(policy: RuleSet, zones: Sequence[Zone], cell_parts: int = CELL_PARTS, all_parts: int = ALL_PARTS) -> Matrix:
    """What each zone may do to each, itself included.

    Args:
        cell_parts, all_parts: beyond so many parts a cell is not `known`.

    Raises:
        ValueError: if the policy has rules in doubt: a cell says what is allowed, not what may be.
        Disagreement: if the second way comes to another end, which is a bug.

    Complexity: the parts into which the compiled policy cuts the cells.
    """
    if any(rule.action is DEPENDS for rule in policy.rules):
        raise ValueError("the policy has lines in doubt: take a side, allow or deny")
    left = all_parts
    cells = []
    for (i, source), (j, destination) in product(enumerate(zones), repeat=2):
        box = between(source, destination)
        parts = list(islice(policy.tree.regions(box), min(cell_parts, left) + 1))
        if len(parts) > min(cell_parts, left):
            left -= min(cell_parts, left)
            cells.append(Cell(i, j, known=False))
            continue
        left -= len(parts)
        allowed = [part.sets for part, index in parts if policy.action(index) is ALLOW]
        denied = [part.sets for part, index in parts if policy.action(index) is not ALLOW]
        cells.append(_cell(i, j, allowed, denied))
    return Matrix(tuple(zones), tuple(cells), _confirm(policy, zones, cells))


def between(source: Zone, destination: Zone) -> Box:
    """All packets from one zone to another."""
    return Box.of(
        {
            SRC if source.kind == "net" else IN: source.chosen,
            DST if destination.kind == "net" else OUT: destination.chosen,
        }
    )


def _cell(source: int, destination: int, allowed: Sequence[Sets], denied: Sequence[Sets]) -> Cell:
    yes, no = (IntervalSet.union(pair for part in parts for pair in services(part)) for parts in (allowed, denied))
    partly = yes & no
    return Cell(
        source,
        destination,
        yes | no,
        yes - no,
        tuple(_conditions(partly, allowed, denied)) if partly else (),
        tuple(map(Box, allowed)),
    )


def _conditions(partly: IntervalSet, allowed: Sequence[Sets], denied: Sequence[Sets]) -> Iterator[Condition]:
    """The partly open services, those with one condition together."""
    parts = [*allowed, *denied]
    found: dict[tuple[Fields, Values], list[Interval]] = {}
    for ranges, active in _alike(partly, parts):
        yes = [parts[n] for n in active if n < len(allowed)]
        no = [parts[n] for n in active if n >= len(allowed)]
        fields = _fields(yes, no)
        found.setdefault((fields, _values(fields, yes, no)), []).extend(ranges)
    for (asked, values), ranges in found.items():
        yield Condition(IntervalSet.union(ranges), asked, values)


def _alike(chosen: IntervalSet, parts: Sequence[Sets]) -> Iterator[tuple[list[Interval], tuple[int, ...]]]:
    """Services in groups that the same parts hold, each with these parts' numbers."""
    events: list[tuple[int, int, int]] = []
    for n, part in enumerate(parts):
        for lo, hi in services(part) & chosen:
            events += [(lo, 1, n), (hi + 1, -1, n)]
        if len(events) > 2 * _CUTS:
            yield list(chosen), tuple(range(len(parts)))
            return
    events.sort()
    count: dict[int, int] = {}  # of a service some part may hold several intervals side by side, never twice
    groups: dict[tuple[int, ...], list[Interval]] = {}
    for k, (at, change, n) in enumerate(events):
        count[n] = count.get(n, 0) + change
        if not count[n]:
            del count[n]
        if count and events[k + 1][0] > at:
            groups.setdefault(tuple(sorted(count)), []).append((at, events[k + 1][0] - 1))
    for active, ranges in groups.items():
        yield ranges, active


def _fields(allowed: Sequence[Sets], denied: Sequence[Sets]) -> Fields:
    """The fields of which one alone makes the difference between some allowed packet and some denied one."""
    if len(allowed) * len(denied) > _PAIRS:
        return None
    out: set[int] = set()
    for yes in allowed:
        for no in denied:
            apart = [f for f in _OTHERS if yes[f] is not no[f] and yes[f].isdisjoint(no[f])]
            if len(apart) == 1 or (apart == [SRC, DST] and _family(yes) != _family(no)):
                out.update(apart)
    return tuple(sorted(out))


def _family(part: Sets) -> int:
    return address.family_of(part[SRC].lo)


def _values(fields: Fields, allowed: Sequence[Sets], denied: Sequence[Sets]) -> Values:
    """The product of values that is just what is allowed, if it is one."""
    if not fields:
        return None
    values = tuple((f, together([part[f] for part in allowed])) for f in fields)
    if any(all(not part[f].isdisjoint(chosen) for f, chosen in values) for part in denied):
        return None
    return values


def _confirm(policy: RuleSet, zones: Sequence[Zone], cells: Sequence[Cell]) -> Confirmation:
    """Packets from the corners of each cell, decided by the rules in their order, fare as the cell says."""
    most = max(4, min(32, _POINTS // max(1, len(cells))))
    asked: list[tuple[Cell, Point]] = []
    for cell in cells:
        if cell.known:
            pieces = [piece.sets for piece in between(zones[cell.source], zones[cell.destination]).pieces]
            asked += [(cell, point) for point in points_of(policy, pieces, most)]
    for (cell, point), index in zip(asked, decide_each(policy, [point for _, point in asked]), strict=True):
        told = says(cell, point)
        agree(told in (None, policy.action(index) is ALLOW), point)
    return Confirmation(False, len(asked))


def says(cell: Cell, point: Point) -> bool | None:
    """Is a packet of the cell allowed, as far as services and conditions tell? None where they leave it open."""
    number = service(point)
    if number in cell.open:
        return True
    for condition in cell.partly:
        if number in condition.services:
            if condition.values is None:
                return None
            return all(point[f] in chosen for f, chosen in condition.values)
    return False
