"""Who reaches whom, as a page has it: the matrix with the rules that decide each cell, and a map of what is open, from where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import log2
from typing import Final

from ...analysis.matrix import Matrix, between, matrix
from ...analysis.services import of_protocol, ports_of
from ...model.fields import NO_PORT
from ...model.interval import IntervalSet
from ...model.rules import ALLOW, DEPENDS
from ...policy import Policy
from ...registry.names import protocol_name
from ..making import rule_at
from ..reached import Reached
from ..reached_rows import CellShown
from ..record import RuleRecord
from ..zones import chosen_zones

PARTS: Final = 5000  # of a cell, in which its deciding rules are looked for
_RULES: Final = 12  # named at a cell
WIDTH: Final = 720  # of the map, in its own units
_PROTOCOLS: Final = (6, 17)
_TICKS: Final = (22, 80, 443, 1024, 3306, 8080, 65535)


@dataclass(frozen=True)
class Deciding:
    """A cell, and the rules that decide its packets; `more` are not named, None if they were not all found."""

    cell: CellShown
    rules: tuple[RuleRecord, ...]
    more: int | None
    anchor: str


@dataclass(frozen=True)
class Bar:
    """Ports of one protocol at a destination that are open in the same way; `x` and `width` in the map's units."""

    x: float
    width: float
    y: int
    strength: str  # open to all, some, or under conditions
    told: str


@dataclass(frozen=True)
class Band:
    """A destination in the map: its name, and the bars of tcp above those of udp."""

    name: str
    y: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Reach:
    """The matrix and the map; or, in `notes`, why there is none."""

    names: tuple[str, ...] = ()
    rows: tuple[tuple[Deciding, ...], ...] = ()
    bands: tuple[Band, ...] = ()
    ticks: tuple[tuple[int, float], ...] = ()
    notes: tuple[str, ...] = ()
    confirmed: str = ""

    @property
    def height(self) -> int:
        return 40 * len(self.bands) + 24


def reach(policy: Policy) -> Reach:
    """Who reaches whom, between the networks or interfaces that the policy names."""
    if any(rule.action is DEPENDS for rule in policy.rules):
        return Reach(
            notes=("the policy has lines in doubt, and who reaches whom depends on them: `--in-doubt` takes a side",)
        )
    sides = chosen_zones(policy)
    found = matrix(policy, sides.zones)
    shown = Reached.of(policy, found, sides.notes)
    count = len(found.zones)
    cells = [_deciding(policy, found, n, cell) for n, cell in enumerate(shown.cells)]
    return Reach(
        tuple(zone.name for zone in shown.zones),
        tuple(tuple(cells[n * count : (n + 1) * count]) for n in range(count)),
        tuple(_bands(found)),
        tuple((port, _x(port)) for port in _TICKS),
        sides.notes,
        shown.confirmed,
    )


def _deciding(policy: Policy, found: Matrix, number: int, cell: CellShown) -> Deciding:
    source, destination = found.zones[found.cells[number].source], found.zones[found.cells[number].destination]
    parts = list(islice(policy.tree.regions(between(source, destination)), PARTS + 1))
    rules = sorted({index for _, index in parts}, key=lambda index: (policy.action(index) is not ALLOW, index))
    named = tuple(rule_at(policy, index) for index in rules[:_RULES])
    return Deciding(cell, named, None if len(parts) > PARTS else max(0, len(rules) - _RULES), f"cell-{number}")


# The map


def _x(port: int) -> float:
    """Where a port stands: by its logarithm, as what people number low is used more."""
    return round(WIDTH * log2(port + 1) / 16, 2)


def _bands(found: Matrix) -> Iterator[Band]:
    for n, zone in enumerate(found.zones):
        y = 40 * n + 4
        bars = tuple(bar for k, protocol in enumerate(_PROTOCOLS) for bar in _bars(found, n, protocol, y + 17 * k))
        yield Band(zone.name, y, bars)


def _bars(found: Matrix, destination: int, protocol: int, y: int) -> Iterator[Bar]:
    """The ports of one protocol at a destination, cut where it changes who reaches them."""
    count = len(found.zones)
    cells = [found.cells[source * count + destination] for source in range(count)]
    opened = [_ports(cell.open, protocol) for cell in cells]
    partly = [IntervalSet.union(pair for c in cell.partly for pair in _ports(c.services, protocol)) for cell in cells]
    asked = sum(cell.known and bool(cell.possible) for cell in cells)
    cuts = sorted({edge for chosen in (*opened, *partly) for lo, hi in chosen for edge in (lo, hi + 1)})
    for lo, behind in pairwise(cuts):
        to_all = [n for n, chosen in enumerate(opened) if lo in chosen]
        under = [n for n, chosen in enumerate(partly) if lo in chosen]
        if not to_all and not under:
            continue
        strength = "all" if len(to_all) == asked else "some" if to_all else "partly"
        ports = f"{lo}" if behind == lo + 1 else f"{lo}-{behind - 1}"
        told = f"{protocol_name(protocol)}/{ports} of {found.zones[destination].name}: " + "; ".join(
            f"{what} {_names(found, some)}" for what, some in (("open from", to_all), ("in part from", under)) if some
        )
        yield Bar(_x(lo), max(2.0, round(_x(behind) - _x(lo), 2)), y, strength, told)


def _ports(chosen: IntervalSet, protocol: int) -> IntervalSet:
    ports = ports_of(of_protocol(chosen, protocol), protocol)
    return ports & IntervalSet(((0, NO_PORT - 1),))


def _names(found: Matrix, some: Sequence[int]) -> str:
    return ", ".join(found.zones[n].name for n in some)
