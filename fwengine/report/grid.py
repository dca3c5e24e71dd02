"""A policy's matrix as a value for Python and notebooks: who reaches whom, as a text, as rows of a table, as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..analysis.matrix import Matrix, matrix
from ..model.ruleset import must_be_policies
from ..policy import Policy
from .html import Long, table
from .reached import Reached
from .reached_lines import few
from .reached_rows import CellShown
from .style import Style
from .zones import chosen_zones

Pair = dict[str, str]


@dataclass(frozen=True)
class Reach(Sequence[Pair]):
    """Who reaches whom. Its items are rows, one for each ordered pair of zones: `pandas.DataFrame(reach)` takes them.

    Attributes:
        policy: what was asked.
        matrix: the zones and the exact cells.
        notes: what is to be said of the choice of zones.
    """

    policy: Policy
    matrix: Matrix
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.matrix.cells)

    def __getitem__(self, at: int) -> Pair:  # type: ignore[override]  # a table needs no slices
        return _row(self._reached.cells[at])

    def __iter__(self) -> Iterator[Pair]:
        return map(_row, self._reached.cells)

    def __str__(self) -> str:
        return "\n".join(self._reached.lines(Style(False)))

    def __repr__(self) -> str:
        return f"<Reach: {len(self.matrix.zones)} zones of {self.policy.name!a}>"

    def _repr_html_(self) -> str:
        names = [zone.name for zone in self.matrix.zones]
        told = [few(cell.brief) for cell in self._reached.cells]
        rows = [[name, *told[n * len(names) : (n + 1) * len(names)]] for n, name in enumerate(names)]
        caption = "; ".join(["who reaches whom (~ not for all packets)", *self.notes])
        conditions = self._reached.conditions
        more = table(
            ("from -> to", "only"), [(Long(pairs), Long(text)) for pairs, text in conditions], "~ only some packets"
        )
        return table(["from \\ to", *names], rows, caption) + (more if conditions else "")

    @cached_property
    def _reached(self) -> Reached:
        return Reached.of(self.policy, self.matrix, self.notes)


def _row(cell: CellShown) -> Pair:
    return {
        "source": cell.source, "destination": cell.destination, "access": cell.access, "services": ", ".join(cell.full)
    }  # fmt: skip


def reach(policy: Policy, *between: str) -> Reach:
    """Which networks of a policy reach which, over which services, exactly; or those named.

    Args:
        between: names of the policy, or addresses; without any, what `fwengine show --as matrix` takes.

    Raises:
        PolicyError: if one of them is neither.
        ValueError: if the policy has lines in doubt.

    >>> from fwengine import loads
    >>> text = "net office = 10.20.0.0/16\\nnet web = 192.0.2.80\\nallow tcp from office to web port https"
    >>> [row["services"] for row in reach(loads(text), "office", "web") if row["destination"] == "web"]
    ['tcp/https', 'nothing']
    """
    must_be_policies("reach", policy)
    sides = chosen_zones(policy, ",".join(between) if between else None)
    return Reach(policy, matrix(policy, sides.zones), sides.notes)
