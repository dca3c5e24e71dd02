"""The changes of one policy as text: the summary, then cause by cause, then what has no effect; folded, or in full.

Made of records alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .change_rows import ChangeRow, Deciders, FileRow, GroupRow, SideRow, summed
from .fit import shortened, wrapped
from .record import Act, RuleRecord
from .sizes import counted
from .style import Style
from .view import View

CAUSES: Final = 8  # causes shown before they are folded
_FEW: Final = 2  # causes, of which more is shown
_BESIDES: Final = 2  # other edits of a cause
_ASIDE: Final = 5  # lines of what has no effect
WORDS: Final[dict[Act, str]] = {"allow": "allowed", "depends": "dependent", "deny": "denied"}
_HUES: Final[dict[Act, str]] = {"allow": "green", "depends": "yellow", "deny": "red"}
_MARGIN: Final = " " * 17
_MARGIN_2: Final = _MARGIN + "  "


def file_lines(
    file: FileRow, groups: Sequence[GroupRow], changes: Sequence[ChangeRow], view: View, style: Style
) -> Iterator[str]:
    """What became of one policy. `view.limit` is the number of regions, folded: of causes.

    Args:
        groups: the causes of this file.
        changes: the changes of all files, as far as a limit has left them.
    """
    writer = _Writer(view, style, few=len(groups) <= _FEW)
    yield from writer.summary(file, groups)
    if view.detail:
        yield from writer.whole(groups, changes)
    else:
        yield from writer.folded(groups)
    yield from writer.in_doubt(file)
    yield from writer.aside(file, any(groups))


def summary_line(file: FileRow, groups: Sequence[GroupRow]) -> str:
    """`4 changes of 3 causes (confirmed): 2 newly allowed (about 2^34 flows), 2 newly denied (129,024 flows)`"""
    (line,) = _Writer(View(width=1 << 16), Style(False), few=True).summary(file, groups)
    return line


class _Writer:
    def __init__(self, view: View, style: Style, *, few: bool) -> None:
        self.width, self.detail, self.limit = view.width, view.detail, view.limit
        self.style, self._few = style, few
        self._decided: dict[int, tuple[RuleRecord, str]] = {}  # by identity, which a change shares with others

    # The summary

    def summary(self, file: FileRow, groups: Sequence[GroupRow]) -> Iterator[str]:
        word = file.confirmed.word if file.confirmed else ""
        if not groups:
            if file.in_doubt:
                yield f"{self.style('IN DOUBT', 'yellow', bold=True)}  no packet's verdict changes for certain ({word})"
            else:
                yield f"{self.style('EQUIVALENT', 'green', bold=True)}  proved: no packet's verdict changes ({word})"
            return
        parts, plain = [], []
        for newly, hue in _HUES.items():
            amount = summed([group.amount(newly) for group in groups])
            if amount.regions:
                flows = f"({counted(amount.flows, 'flow')})"
                told = f"{amount.regions:,} newly {WORDS[newly]}"
                plain.append(f"{told} {flows}")
                parts.append(f"{self.style(told, hue, bold=True)} {flows}")
        causes = f"{len(groups):,} cause{'s' * (len(groups) != 1)}"
        head = f"{counted(sum(group.count for group in groups), 'change')} of {causes} ({word}):"
        if len(f"{head} {', '.join(plain)}") <= self.width:
            yield f"{head} {', '.join(parts)}"
        else:
            yield head
            yield from (f"  {part}" for part in parts)

    # Cause by cause

    def folded(self, groups: Sequence[GroupRow]) -> Iterator[str]:
        shown = groups[: CAUSES if self.limit is None else self.limit]
        for group in shown:
            yield from self._head(group)
            for side in group.sides:
                yield from self._side(side, group)
            yield from self._besides(group.besides[:_BESIDES])
        rest = groups[len(shown) :]
        if rest:
            regions = sum(group.count for group in rest)
            yield f"\nand {counted(len(rest), 'more cause')} of {counted(regions, 'change')} (--detail, or --limit N)"

    def whole(self, groups: Sequence[GroupRow], changes: Sequence[ChangeRow]) -> Iterator[str]:
        left = 0
        for group in groups:
            shown = range(group.first, min(group.first + group.count, len(changes)))
            left += group.count - len(shown)
            if not shown:
                continue
            yield from self._head(group)
            for number in shown:  # one at a time: there may be very many
                yield from self._change(changes[number])
            yield from self._besides(group.besides)
        if left:
            yield f"\nand {counted(left, 'more change')}"

    def _head(self, group: GroupRow) -> Iterator[str]:
        place = group.places
        yield ""
        for n, line in enumerate(wrapped(group.text + (f" ({place})" if place else ""), self.width, rest="    ")):
            yield line if n else self.style(line, bold=True)

    def _besides(self, edits: Sequence[str]) -> Iterator[str]:
        for text in edits:
            yield from wrapped(f"together with: {text}", self.width, "  ", " " * 8)

    def _change(self, change: ChangeRow) -> Iterator[str]:
        yield from self._region(change.region.text, change.newly)
        yield from self._example(change.witness.packet, change.region.flows)
        before, after = self._rule(change.old), self._rule(change.new)
        told = f"{WORDS[change.old.action]} {before}, now {WORDS[change.newly]} {after}"
        yield from wrapped(told, self.width, _MARGIN, _MARGIN_2)

    def _side(self, side: SideRow, group: GroupRow) -> Iterator[str]:
        amount = group.amount(side.newly)
        count, flows = amount.regions, f"{counted(amount.flows, 'flow')} in all (--detail)"
        regions = side.regions if side.whole or self._few else side.regions[:1]
        for text in regions:
            yield from self._region(shortened(text, 2 * (self.width - len(_MARGIN))), side.newly)
        yield from self._example(side.witness.packet, side.flows)
        if count > 1:
            apart = "" if len(regions) == count else " told apart by deciding rules"
            more = (
                f"{counted(count, 'region')}{apart}"
                if side.whole
                else f"and {counted(count - len(regions), 'more region')}"
            )
            yield from wrapped(f"{more}, {flows}", self.width, _MARGIN, _MARGIN_2)
        before = " or ".join(sorted(WORDS[verdict] for verdict in side.old.verdicts))
        told = f"{before} {self._deciders(side.old)}, now {WORDS[side.newly]} {self._deciders(side.new)}"
        yield from wrapped(told, self.width, _MARGIN, _MARGIN_2)

    def _region(self, text: str, newly: Act) -> Iterator[str]:
        first, *others = wrapped(text, self.width, _MARGIN, _MARGIN_2)
        word = self.style(f"{f'newly {WORDS[newly]}':<13}", _HUES[newly], bold=True)
        yield f"  {word}  {first[len(_MARGIN) :]}"
        yield from others

    def _example(self, packet: str, flows: int) -> Iterator[str]:
        size = f"({counted(flows, 'flow')})"
        *lines, last = wrapped(f"e.g. {packet}", self.width, _MARGIN, _MARGIN_2)
        yield from lines
        if len(last) + 3 + len(size) <= self.width:
            yield f"{last}   {size}"
        else:
            yield from (last, f"{_MARGIN_2}{size}")

    def _deciders(self, who: Deciders) -> str:
        if len(who.rules) == 1:
            return self._rule(who.rules[0])
        named = [rule.called for rule in who.rules]
        return "by " + (
            f"{', '.join(named)} and {counted(who.others, 'other rule')}" if who.others else " and ".join(named)
        )

    def _rule(self, rule: RuleRecord) -> str:
        known = self._decided.get(id(rule))
        if known is None:
            known = self._decided[id(rule)] = rule, rule.decided
        return known[1]

    # What is told apart

    def in_doubt(self, file: FileRow) -> Iterator[str]:
        title = "in doubt before and after, by lines that are not the same, so that these may change as well:"
        yield from self._some(title, file.in_doubt)

    def aside(self, file: FileRow, changed: bool) -> Iterator[str]:
        idle, nothing = file.undecided, file.without_effect
        if not changed:
            idle, nothing = (), (*idle, *nothing)
        yield from self._some("also edited, deciding none of these packets before or after:", idle)
        yield from self._some("without effect on any verdict:", nothing)

    def _some(self, title: str, some: Sequence[str]) -> Iterator[str]:
        if not some:
            return
        yield from ("", title)
        shown = some if self.detail else some[:_ASIDE]
        for text in shown:
            yield from wrapped(text, self.width, "  ", "      ")
        if len(shown) < len(some):
            yield f"  and {len(some) - len(shown):,} more (--detail)"
