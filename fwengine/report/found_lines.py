"""What a query found, as text: the summary, what it is together, then rule by rule, folded; or region by region.

Made of records alone. What is folded is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .fit import shortened, wrapped
from .found_rows import Digest, RegionRow
from .record import Act, Confirmed, RuleRecord
from .sizes import counted, share
from .style import Style
from .view import View

LINES: Final = 14  # of a folded answer, the last line aside
_MARGIN: Final = " " * 7
_VERDICTS: Final[dict[Act, str]] = {"allow": "ALLOW", "deny": "DENY", "depends": "DEPENDS"}


def summary(found: Digest, asked: int | None, confirmed: Confirmed | None, style: Style) -> str:
    """`2 regions, 64,512 flows, 12 % of what was asked (confirmed)`; `asked` are all packets of the question."""
    told = f"{style(counted(found.regions, 'region'), bold=True)}, {counted(found.flows, 'flow')}"
    if found.packets is not None and asked is not None:
        told += f", {share(found.packets, asked)} of what was asked"
    return f"{told} ({confirmed.word})" if confirmed else told


class FoundLines:
    """Writes regions of one verdict."""

    def __init__(self, verdict: Act, view: View, style: Style) -> None:
        self._word = style.verdict(_VERDICTS[verdict], 6)
        self._width, self._style = view.width, style

    def folded(self, found: Digest, most: int) -> Iterator[str]:
        """At most so many lines, and one more that counts the rest."""
        used = 0
        if found.together:
            lines = [line for text in found.together for line in self._region(f"together {text}")]
            yield from lines
            used += len(lines)
        regions = 0
        for told, some in enumerate(found.rules):
            more = "" if some.whole else f"and {counted(some.regions - 1, 'more region')} "
            lines = [*self._region(some.region), *self._decided(more, some.rule, some.witness.packet)]
            if used + len(lines) > most:
                rules = counted(len(found.rules) - told, "rule")
                rest = counted(found.regions - regions, "more region")
                yield f"and {rest} of {rules} (--detail, or --limit N)"
                return
            yield from lines
            used += len(lines)
            regions += some.regions

    def each(self, rows: Sequence[RegionRow], more: int, *, whole: bool) -> Iterator[str]:
        """Region by region; `whole`: nothing in them is cut short."""
        for row in rows:
            yield from self._region(row.region.text, whole=whole)
            yield from self._decided("", row.rule, row.witness.packet)
        if more:
            yield f"and {counted(more, 'more region')}"

    def _decided(self, more: str, rule: RuleRecord, packet: str) -> Iterator[str]:
        """By which rule, and a packet: on one line if they fit."""
        told, packet = f"{more}{rule.decided}{rule.way}", f"e.g. {packet}"
        if len(_MARGIN) + len(told) + 2 + len(packet) <= self._width:
            yield f"{_MARGIN}{told}, {packet}"
        else:
            yield from wrapped(told, self._width, _MARGIN, _MARGIN + "  ")
            yield from wrapped(packet, self._width, _MARGIN, _MARGIN + "  ")

    def _region(self, text: str, *, whole: bool = False) -> Iterator[str]:
        room = len(text) if whole else 2 * (self._width - len(_MARGIN))
        first, *others = wrapped(shortened(text, room), self._width, _MARGIN, _MARGIN + "  ")
        yield f"{self._word} {self._style(first[len(_MARGIN) :], bold=True)}"
        yield from others
