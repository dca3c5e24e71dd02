"""The regions that a query finds, as text: the summary, what they are together, then rule by rule, folded.

Regions are in the policy's own words; what is folded is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

from ..analysis.confirm import Answer, volume
from ..analysis.query import Region
from ..analysis.region import disjoint
from ..errors import LimitError
from ..limits import at_most
from ..model.box import Box
from ..model.rules import DEPENDS
from ..policy import Policy
from .fit import shortened, wrapped
from .packets import details_of, packet_text
from .regions import MOST_JOINED, Wording
from .sizes import counted, share
from .style import Style
from .verdicts import by_way_of, doubts_text

LINES: Final = 14  # of a folded answer, the last line aside
_TOGETHER: Final = 3  # regions that say what all are together
_MARGIN: Final = " " * 7


class Listing:
    """What a query found, ready to be written."""

    def __init__(
        self, policy: Policy, regions: Answer[Region], asked: Sequence[Box] = (), *, plain: bool = False
    ) -> None:
        self.policy, self.regions, self.asked = policy, regions, asked
        self.wording = Wording(None if plain else policy)

    def lines(self, style: Style, width: int, *, detail: bool = False, limit: int | None = None) -> Iterator[str]:
        """At most 15 lines, unless `detail` or `limit` (in regions) ask for more."""
        plain = self.summary(Style(False))
        yield from [self.summary(style)] if len(plain) <= width else wrapped(plain, width, rest="  ")
        if detail or limit is not None:
            yield from self._each(style, width, limit, detail)
            return
        by_rule: dict[int, list[Region]] = {}
        for region in self.regions:
            by_rule.setdefault(region.rule, []).append(region)
        used = 1
        if len(by_rule) > 1 and len(self.regions) <= MOST_JOINED:
            together = self.wording.parts([region.box for region in self.regions])
            if len(together) < len(by_rule) and len(together) <= _TOGETHER:
                lines = [line for text in together for line in self._region(f"together {text}", style, width)]
                yield from lines
                used += len(lines)
        order = sorted(by_rule.values(), key=lambda some: -sum(region.flows for region in some))
        for told, some in enumerate(order):
            lines = list(self._of_rule(some, style, width))
            if used + len(lines) > LINES:
                rest = order[told:]
                count = sum(map(len, rest))
                yield f"and {counted(count, 'more region')} of {counted(len(rest), 'rule')} (--detail, or --limit N)"
                return
            yield from lines
            used += len(lines)

    def summary(self, style: Style) -> str:
        """`2 regions, 64,512 flows, 12 % of what was asked (confirmed)`"""
        count = len(self.regions)
        flows = sum(region.flows for region in self.regions)
        told = f"{style(counted(count, 'region'), bold=True)}, {counted(flows, 'flow')}"
        if self.packets:
            told += f", {share(*self.packets)} of what was asked"
        return f"{told} ({self.regions.confirmed.word})" if self.regions.confirmed else told

    @cached_property
    def packets(self) -> tuple[int, int] | None:
        """How many packets these are, and how many were asked about, told apart by all fields; None where that takes too long."""
        if len(self.regions) > MOST_JOINED or not self.asked:
            return None
        try:
            with at_most(regions=MOST_JOINED):
                whole = sum(volume([Box(sets)]) for sets in disjoint(self.asked))
        except LimitError:
            return None
        return volume(region.box for region in self.regions), whole

    def _each(self, style: Style, width: int, limit: int | None, detail: bool) -> Iterator[str]:
        for region in self.regions[:limit]:
            yield from self._region(self.wording.region(region.box), style, width, detail=detail)
            yield from self._decided("", region, width)
        if limit is not None and limit < len(self.regions):
            yield f"and {counted(len(self.regions) - limit, 'more region')}"

    def _of_rule(self, some: Sequence[Region], style: Style, width: int) -> Iterator[str]:
        """One rule: its regions as one description, or the widest and how many others there are."""
        parts = self.wording.parts([region.box for region in some]) if len(some) <= MOST_JOINED else []
        text = parts[0] if len(parts) == 1 else self.wording.region(some[0].box)
        yield from self._region(text, style, width)
        more = f"and {counted(len(some) - 1, 'more region')} " if len(parts) != 1 else ""
        yield from self._decided(more, some[0], width)

    def _decided(self, more: str, region: Region, width: int) -> Iterator[str]:
        """By which rule, and a packet: on one line if they fit."""
        told, packet = f"{more}{self._called(region)}", f"e.g. {self._example(region)}"
        if len(_MARGIN) + len(told) + 2 + len(packet) <= width:
            yield f"{_MARGIN}{told}, {packet}"
        else:
            yield from wrapped(told, width, _MARGIN, _MARGIN + "  ")
            yield from wrapped(packet, width, _MARGIN, _MARGIN + "  ")

    def _region(self, text: str, style: Style, width: int, *, detail: bool = False) -> Iterator[str]:
        word = style.verdict(self.regions[0].action.value.upper(), 6)
        room = 2 * (width - len(_MARGIN)) if not detail else len(text)
        first, *others = wrapped(shortened(text, room), width, _MARGIN, _MARGIN + "  ")
        yield f"{word} {style(first[len(_MARGIN) :], bold=True)}"
        yield from others

    def _example(self, region: Region) -> str:
        return packet_text(region.witness, self.policy, kept=details_of((region.box,)))

    def _called(self, region: Region) -> str:
        """`by web-in (edge.fwl:12)`, or `on` the lines that a region depends on."""
        label = self.policy.label(region.rule)
        if region.rule >= len(self.policy.rules):
            return f"by {label}"
        rule = self.policy.rules[region.rule]
        if rule.action is DEPENDS:
            return f"on {doubts_text(rule)}"
        place = f"{rule.span.file}:{rule.span.line}"
        return f"by {label}{'' if label == place else f' ({place})'}{by_way_of(rule)}"
