"""What a query found, as records: region by region, and in short, rule by rule. Regions are in the policy's own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..analysis.confirm import Answer, volume
from ..analysis.query import Region
from ..analysis.region import disjoint
from ..errors import LimitError
from ..limits import at_most
from ..model.box import Box
from ..policy import Policy
from .found_rows import Digest, RegionRow, RuleFound
from .making import region_of, rule_at, witness_of
from .packets import details_of
from .record import Made, Witness
from .regions import MOST_JOINED, Wording

_TOGETHER: Final = 3  # regions that say what all are together
_IN_ALL: Final = 2_048  # regions for which common descriptions are looked for, beside the widest


class _Some(NamedTuple):
    """The regions of one rule; `joined`: a common description of them is looked for."""

    regions: list[Region]
    joined: bool


class Listing:
    """The regions that a query found, to be put into words when they are asked for."""

    def __init__(self, policy: Policy, found: Answer[Region], *, plain: bool = False) -> None:
        self._policy, self._found = policy, found
        self._wording = Wording(None if plain else policy)

    def rows(self, limit: int | None = None) -> Made[Region, RegionRow]:
        """The regions, widest first, as many as a limit leaves."""
        return Made(self._found[:limit], self._row)

    def digest(self, asked: Sequence[Box]) -> Digest:
        """All of them in short."""
        by_rule: dict[int, list[Region]] = {}
        for region in self._found:
            by_rule.setdefault(region.rule, []).append(region)
        order = sorted(by_rule.values(), key=lambda some: -sum(region.flows for region in some))
        left, told = _IN_ALL, []
        for some in order:
            left -= len(some) if 1 < len(some) <= MOST_JOINED else 0
            told.append(_Some(some, len(some) == 1 or (len(some) <= MOST_JOINED and left >= 0)))
        few = self._found and len(self._found) <= MOST_JOINED and asked
        together = self._wording.parts([region.box for region in self._found]) if few and len(order) > 1 else []
        brief = 0 < len(together) <= min(_TOGETHER, len(order) - 1)
        return Digest(
            len(self._found),
            sum(region.flows for region in self._found),
            volume([region.box for region in self._found]) if few else None,
            tuple(together) if brief else (),
            Made(told, self._of_rule),
        )

    def _row(self, region: Region) -> RegionRow:
        words = self._wording.region(region.box)
        rule = rule_at(self._policy, region.rule)
        return RegionRow(region_of(region.box, words, region.flows), rule, self._witness(region))

    def _of_rule(self, some: _Some) -> RuleFound:
        widest, count = some.regions[0], len(some.regions)
        parts = self._wording.parts([region.box for region in some.regions]) if some.joined else []
        whole = len(parts) == 1
        return RuleFound(
            rule_at(self._policy, widest.rule),
            count,
            sum(region.flows for region in some.regions),
            whole,
            parts[0] if whole else self._wording.region(widest.box),
            self._witness(widest),
        )

    def _witness(self, region: Region) -> Witness:
        return witness_of(self._policy, region.witness, region.rule, details_of((region.box,)))


def packets_asked(asked: Sequence[Box]) -> int | None:
    """How many packets there are of what was asked; None where it takes too long to tell."""
    try:
        with at_most(regions=MOST_JOINED):
            return sum(volume([Box(sets)]) for sets in disjoint(asked))
    except LimitError:
        return None
