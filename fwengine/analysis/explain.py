"""Why not: the value that says which field kept a packet from matching a rule. `report.reasons` gathers and words them."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.interval import IntervalSet


@dataclass(frozen=True)
class Failure:
    """A field whose value `got` is outside `wanted`; `written` is the source's word for what was wanted, if it has one."""

    field: int
    wanted: IntervalSet
    got: int
    written: str | None
