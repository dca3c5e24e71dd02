"""What `show --as matrix` answers: who reaches whom, over which services."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

from ..analysis.matrix import Cell, Matrix
from ..analysis.region import tidy
from ..language.meaning.region import readable
from ..model.box import Box
from ..policy import Policy
from .answer import Answer, Block, heading, table
from .making import region_of
from .matrix import MatrixWords, access
from .reached_lines import CORNER, ReachedLines, counts
from .reached_rows import CellShown, ConditionShown, ZoneShown
from .record import Late, RegionRecord
from .style import Style
from .verdicts import FIELD_WORDS
from .view import FOLDED, View
from .zones import members, overlaps


@dataclass(frozen=True)
class Reached(Answer):
    """All cells, row by row; `confirmed` tells how far they were found again in a second way.

    Attributes:
        overlaps: zones that share something: a packet counts in each.
        remarks: what is to be said of the choice of zones.
    """

    command: ClassVar[str] = "show"
    rows: ClassVar[str] = "cells"

    policy: str
    zones: tuple[ZoneShown, ...]
    cells: tuple[CellShown, ...]
    confirmed: Literal["confirmed", "sampled"]
    overlaps: tuple[str, ...]
    remarks: tuple[str, ...]
    _view: View = field(default=FOLDED, repr=False, compare=False)

    @classmethod
    def of(cls, policy: Policy, matrix: Matrix, notes: tuple[str, ...] = (), view: View = FOLDED) -> Reached:
        words = MatrixWords(policy, matrix)
        return cls(
            policy.name,
            tuple(ZoneShown(zone.name, zone.kind, members(zone)) for zone in matrix.zones),
            tuple(_cell(matrix, words, cell) for cell in matrix.cells),
            "confirmed" if matrix.confirmed.complete else "sampled",
            tuple(overlaps(matrix.zones)),
            notes,
            view,
        )

    @property
    def unknown(self) -> int:
        """How many cells took too long."""
        return sum(cell.access == "unknown" for cell in self.cells)

    def lines(self, style: Style) -> Iterable[str]:
        writer = ReachedLines([zone.name for zone in self.zones], self.cells, self._view, style)
        yield from writer.lines(self.overlaps, self.remarks)

    @property
    def conditions(self) -> list[tuple[str, str]]:
        """Pairs of zones, and a condition that they have alike, for all cells."""
        return ReachedLines([zone.name for zone in self.zones], self.cells, self._view, Style(False)).conditions()

    def blocks(self) -> Iterable[Block]:
        """Nothing is shortened."""
        names = [zone.name for zone in self.zones]
        yield heading(f"Who reaches whom in `{self.policy}`")
        yield Block(f"O{counts(self.cells)[1:]}.")
        yield table(
            (CORNER, *names),
            [(name, *("\n".join(c.full) for c in row)) for name, row in zip(names, self._rows, strict=True)],
        )
        for text in self.remarks:
            yield Block(f"{text}.")
        if self.overlaps:
            yield Block(f"{', '.join(self.overlaps)}: a packet counts in each.")

    @property
    def _rows(self) -> list[Sequence[CellShown]]:
        n = len(self.zones)
        return [self.cells[i * n : i * n + n] for i in range(n)]

    def sheet(self) -> Iterable[Sequence[str]]:
        """A line for each pair: what is open, and what under a condition."""
        yield "source", "destination", "access", "services", "conditional"
        for cell in self.cells:
            services = ["all"] if cell.access == "all" else cell.services
            conditional = "; ".join(f"{', '.join(c.services)} ({c.told})" for c in cell.conditional)
            yield cell.source, cell.destination, cell.access, ", ".join(services), conditional


def _cell(matrix: Matrix, words: MatrixWords, cell: Cell) -> CellShown:
    return CellShown(
        matrix.zones[cell.source].name,
        matrix.zones[cell.destination].name,
        access(cell),
        tuple(words.services(cell.open, cell.possible)) if cell.open else (),
        tuple(words.partly(cell)),
        tuple(
            ConditionShown(
                tuple(words.services(condition.services, cell.possible)),
                words.when(cell, condition) if condition.values is not None else None,
                None if condition.fields is None else tuple(FIELD_WORDS[f] for f in condition.fields),
            )
            for condition in cell.partly
        ),
        Late(partial(_regions, cell.regions)),
    )


def _regions(boxes: Sequence[Box]) -> list[RegionRecord]:
    return [region_of(box) for box in readable(tidy(boxes))] if boxes else []
