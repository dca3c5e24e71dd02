"""What `show --as matrix` answers: who reaches whom, over which services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..analysis.matrix import Cell, Matrix
from ..analysis.region import tidy
from ..language.meaning.region import readable
from .answer import Answer
from .making import region_of
from .matrix import Access, MatrixText, access
from .record import Record, RegionRecord
from .verdicts import FIELD_WORDS
from .zones import members


@dataclass(frozen=True)
class ZoneShown(Record):
    """A row and a column; `members` is an expression of the language."""

    name: str
    kind: Literal["net", "interface"]
    members: str


@dataclass(frozen=True)
class ConditionShown(Record):
    """Services of which some packets are allowed: just those that `when` says, if it is not null.

    `depends_on` are the fields that make the difference; null if it would take too long to tell.
    """

    services: tuple[str, ...]
    when: str | None
    depends_on: tuple[str, ...] | None


@dataclass(frozen=True)
class CellShown(Record):
    """What packets from one zone to another may do: `services` are open whatever else a packet has, `regions` is all of it."""

    source: str
    destination: str
    access: Access
    services: tuple[str, ...]
    conditional: tuple[ConditionShown, ...]
    regions: tuple[RegionRecord, ...]


@dataclass(frozen=True)
class Reached(Answer):
    """All cells, row by row; `confirmed` tells how far they were found again in a second way."""

    command: ClassVar[str] = "show"
    rows: ClassVar[str] = "cells"

    policy: str
    zones: tuple[ZoneShown, ...]
    cells: tuple[CellShown, ...]
    confirmed: Literal["confirmed", "sampled"]
    remarks: tuple[str, ...]

    @classmethod
    def of(cls, policy: str, matrix: Matrix, words: MatrixText, notes: tuple[str, ...] = ()) -> Reached:
        return cls(
            policy,
            tuple(ZoneShown(zone.name, zone.kind, members(zone)) for zone in matrix.zones),
            tuple(_cell(matrix, words, cell) for cell in matrix.cells),
            "confirmed" if matrix.confirmed.complete else "sampled",
            notes,
        )


def _cell(matrix: Matrix, words: MatrixText, cell: Cell) -> CellShown:
    return CellShown(
        matrix.zones[cell.source].name,
        matrix.zones[cell.destination].name,
        access(cell),
        tuple(words.services(cell.open, cell.possible)) if cell.open else (),
        tuple(
            ConditionShown(
                tuple(words.services(condition.services, cell.possible)),
                words.when(cell, condition) if condition.values is not None else None,
                None if condition.fields is None else tuple(FIELD_WORDS[f] for f in condition.fields),
            )
            for condition in cell.partly
        ),
        tuple(map(region_of, readable(tidy(cell.regions)))) if cell.regions else (),
    )
