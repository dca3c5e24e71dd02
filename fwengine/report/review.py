"""What a new version of a policy changes, as a reviewer wants to read it: by cause, the most dangerous first, folded.

Records of the changes, of their causes and of what has no effect, and the text of them. Regions are in the words of the new
policy. Nothing is worked out twice: a change is put into words when it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ..analysis.causes import Cause
from ..analysis.confirm import Answer
from ..analysis.diff import Change
from ..model.box import Box
from ..model.rules import Action
from ..policy import Policy
from .attribution import Attribution
from .fit import shortened, wrapped
from .making import rule_at
from .packets import packet_text
from .regions import MOST_JOINED, Wording
from .sizes import counted
from .style import Style

_ENTRIES: Final = 3  # regions of a cause and direction that are shown before they are folded
_FEW: Final = 2  # causes, of which more is shown
_RULES: Final = 2  # deciding rules named in one line
_ASIDE: Final = 5  # lines of what has no effect
CAUSES: Final = 8  # causes shown before they are folded
_WORDS = {Action.ALLOW: "allowed", Action.DENY: "denied", Action.DEPENDS: "dependent"}
_HUES = {Action.ALLOW: "green", Action.DEPENDS: "yellow", Action.DENY: "red"}  # in the order in which changes are told
_MARGIN: Final = " " * 17


@dataclass(frozen=True)
class Side:
    """What one cause newly allows, or newly denies."""

    action: Action
    changes: tuple[Change, ...]

    @cached_property
    def flows(self) -> int:
        return sum(change.flows for change in self.changes)


class Review:
    """The changes from one policy to another by their causes; `order` has them in the order in which they are told."""

    def __init__(
        self, old: Policy, new: Policy, changes: Answer[Change], *, plain: bool = False, doubted: Sequence[Box] = ()
    ) -> None:
        self.doubted = doubted  # regions that depend before and after, on lines that are not the same
        self.old, self.new, self.found = old, new, changes
        self.attribution = Attribution(old, new, changes)
        self.causes = self.attribution.causes.found
        self.order = self.attribution.causes.changes
        self.wording = Wording(None if plain else new)
        self._names: dict[tuple[bool, int], str] = {}  # what rules are called, with their places

    # Text

    def lines(self, style: Style, width: int, *, detail: bool = False, limit: int | None = None) -> Iterator[str]:
        """The summary; then cause by cause; then what has no effect. `limit` is the number of regions, folded: of causes."""
        yield from self._summary(style, width)
        left = limit if limit is not None else None if detail else CAUSES
        told = 0
        for cause in self.causes:
            if left is not None and told >= left:
                break
            yield ""
            yield from self._head(cause, style, width)
            if detail:
                some = cause.changes if left is None else cause.changes[: left - told]
                for change in some:
                    yield from self._entry(change, style, width, detail=True)
                told += len(some)
            else:
                for side in (Side(action, tuple(c for c in cause.changes if c.new is action)) for action in _HUES):
                    if side.changes:
                        yield from self._side(side, style, width)
                told += 1
            for edit in cause.besides[: None if detail else _RULES]:
                yield from wrapped(f"together with: {self.attribution.text(edit)}", width, "  ", " " * 8)
        yield from self._more(told, detail)
        yield from self._in_doubt(width, detail)
        yield from self._aside(width, detail)

    def _more(self, told: int, detail: bool) -> Iterator[str]:
        if detail and told < len(self.order):
            yield f"\nand {counted(len(self.order) - told, 'more change')}"
        elif not detail and told < len(self.causes):
            rest = self.causes[told:]
            regions = sum(len(cause.changes) for cause in rest)
            yield f"\nand {counted(len(rest), 'more cause')} of {counted(regions, 'change')} (--detail, or --limit N)"

    def _in_doubt(self, width: int, detail: bool) -> Iterator[str]:
        if not self.doubted:
            return
        yield ""
        yield "in doubt before and after, by lines that are not the same, so that these may change as well:"
        shown = self.doubted if detail else self.doubted[:_ASIDE]
        for box in shown:
            yield from wrapped(self.wording.region(box), width, "  ", "      ")
        if len(shown) < len(self.doubted):
            yield f"  and {len(self.doubted) - len(shown):,} more (--detail)"

    def _summary(self, style: Style, width: int) -> Iterator[str]:
        word = self.found.confirmed.word if self.found.confirmed else ""
        if not self.order:
            if self.doubted:
                yield f"{style('IN DOUBT', 'yellow', bold=True)}  no packet's verdict changes for certain ({word})"
                return
            yield f"{style('EQUIVALENT', 'green', bold=True)}  proved: no packet's verdict changes ({word})"
            return
        parts, plain = [], []
        for action, hue in _HUES.items():
            mine = [change for change in self.order if change.new is action]
            if mine:
                flows = counted(sum(change.flows for change in mine), "flow")
                plain.append(f"{len(mine):,} newly {_WORDS[action]} ({flows})")
                parts.append(f"{style(f'{len(mine):,} newly {_WORDS[action]}', hue, bold=True)} ({flows})")
        causes = f"{len(self.causes):,} cause{'s' * (len(self.causes) != 1)}"
        head = f"{counted(len(self.order), 'change')} of {causes} ({word}):"
        if len(f"{head} {', '.join(plain)}") <= width:
            yield f"{head} {', '.join(parts)}"
        else:
            yield head
            yield from (f"  {part}" for part in parts)

    def _head(self, cause: Cause, style: Style, width: int) -> Iterator[str]:
        place = self.attribution.place(cause.edit)
        text = self.attribution.text(cause.edit) + (f" ({place})" if place else "")
        for n, line in enumerate(wrapped(text, width, rest="    ")):
            yield style(line, bold=True) if not n else line

    def _entry(self, change: Change, style: Style, width: int, *, detail: bool = False) -> Iterator[str]:
        yield from self._regions([self.wording.region(change.box)], change.new, style, width, detail)
        yield from self._example(change, width)
        before, after = self._called(self.old, change.old_rule), self._called(self.new, change.new_rule)
        yield from wrapped(
            f"{_WORDS[change.old]} {before}, now {_WORDS[change.new]} {after}", width, _MARGIN, _MARGIN + "  "
        )

    def _called(self, policy: Policy, index: int) -> str:
        key = policy is self.new, index
        if key not in self._names:
            self._names[key] = _called(policy, index)
        return self._names[key]

    def _side(self, side: Side, style: Style, width: int) -> Iterator[str]:
        widest, count = side.changes[0], len(side.changes)
        if count == 1:
            yield from self._entry(widest, style, width)
            return
        parts = self.wording.parts([change.box for change in side.changes]) if count <= MOST_JOINED else []
        whole = 0 < len(parts) <= _ENTRIES
        widely = _ENTRIES if len(self.causes) <= _FEW else 1
        shown = parts if whole else [self.wording.region(change.box) for change in side.changes[:widely]]
        yield from self._regions(shown, side.action, style, width, False)
        before = _several(self.old, [change.old_rule for change in side.changes])
        after = _several(self.new, [change.new_rule for change in side.changes])
        yield from self._example(widest, width)
        if whole:
            apart = "" if len(parts) == count else " told apart by deciding rules"
            told = f"{counted(count, 'region')}{apart}, {counted(side.flows, 'flow')} in all (--detail)"
        else:
            told = f"and {counted(count - len(shown), 'more region')}, {counted(side.flows, 'flow')} in all (--detail)"
        yield from wrapped(told, width, _MARGIN, _MARGIN + "  ")
        yield from wrapped(
            f"{' or '.join(sorted({_WORDS[c.old] for c in side.changes}))} {before}, now {_WORDS[side.action]} {after}",
            width,
            _MARGIN,
            _MARGIN + "  ",
        )

    def _regions(self, texts: Sequence[str], action: Action, style: Style, width: int, detail: bool) -> Iterator[str]:
        word = f"newly {_WORDS[action]}"
        hue = _HUES[action]
        room = 2 * (width - len(_MARGIN))
        for text in texts:
            first, *others = wrapped(text if detail else shortened(text, room), width, _MARGIN, _MARGIN + "  ")
            yield f"  {style(f'{word:<13}', hue, bold=True)}  {first[len(_MARGIN) :]}"
            yield from others

    def _example(self, change: Change, width: int) -> Iterator[str]:
        packet = packet_text(change.witness, self.old, self.new)
        flows = f"({counted(change.flows, 'flow')})"
        *lines, last = wrapped(f"e.g. {packet}", width, _MARGIN, _MARGIN + "  ")
        yield from lines
        if len(last) + 3 + len(flows) <= width:
            yield f"{last}   {flows}"
        else:
            yield from (last, f"{_MARGIN}  {flows}")

    def _aside(self, width: int, detail: bool) -> Iterator[str]:
        idle, nothing = list(self.attribution.idle()), list(self.attribution.unaffecting())
        if not self.order:
            idle, nothing = [], idle + nothing
        for title, some in (
            ("also edited, deciding none of these packets before or after:", idle),
            ("without effect on any verdict:", nothing),
        ):
            if some:
                yield ""
                yield title
                for text in some if detail else some[:_ASIDE]:
                    yield from wrapped(text, width, "  ", "      ")
                if not detail and len(some) > _ASIDE:
                    yield f"  and {len(some) - _ASIDE:,} more (--detail)"

    def aside(self) -> dict[str, list[str]]:
        """What was edited and decides none of the changed packets, what has no effect, and what may change."""
        return {
            "undecided": list(self.attribution.idle()),
            "without_effect": list(self.attribution.unaffecting()),
            "in_doubt": [self.wording.region(box) for box in self.doubted],
        }


def _called(policy: Policy, index: int) -> str:
    """`by web-in (edge.fwl:12)`, or just the label where that says it; `on` the lines where a packet depends on some."""
    return rule_at(policy, index).decided


def _several(policy: Policy, indices: Sequence[int]) -> str:
    """The rules that decide the most regions, and how many others."""
    counts: dict[int, int] = {}
    for index in indices:
        counts[index] = counts.get(index, 0) + 1
    first = sorted(counts, key=lambda index: -counts[index])
    if len(first) == 1:
        return _called(policy, first[0])
    named = [policy.label(index) for index in first[:_RULES]]
    others = len(first) - len(named)
    return "by " + (" and ".join(named) if not others else f"{', '.join(named)} and {counted(others, 'other rule')}")
