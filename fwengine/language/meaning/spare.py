"""Elements of sets that add nothing, since the others hold all of them: noted while sets are read, told of an accepted text.

What a name stands for may change, and with it what it adds: so only what is written out is called spare, or a name given
twice. Names of ports and types mean something else for each protocol: there numbers are compared with numbers only. In a
set of more than `MANY` elements one is found spare only if a single other one holds it; all that is told is exact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...errors import Diagnostic, Label, Span, Suggestion
from ...model.interval import EMPTY, Interval, IntervalSet, together
from ..syntax.ast import Compare, Expr, Place, Set, Word, span_of
from ..syntax.printer import show

MANY = 1000

Here = tuple[str, int]  # the file and the line of a statement
Holds = Callable[[int, int], bool]  # does the first element hold all of the second?


class Noted(NamedTuple):
    """A set, which of its elements are spare, and which other one holds the first of them."""

    expr: Set
    spare: tuple[int, ...]
    holder: int | None  # the element that holds the first of them by itself


@dataclass
class Spare:
    """What was noted, set by set."""

    noted: dict[tuple[Here, Place], Noted] = field(default_factory=dict)

    def note(
        self, here: Here, expr: Set, parts: Sequence[IntervalSet], named: Callable[[str], bool], *, numbers: bool
    ) -> None:
        """Looks at a set of which each element is a set of values; where these are numbers, other words are passed over."""
        told = [i for i, item in enumerate(expr.items) if not numbers or _is_number(item)]
        values = {i: parts[i] for i in told}
        doubles = _doubles(expr.items)
        size = sum(part.size for part in values.values())
        if not doubles and together(list(values.values())).size == size:
            return
        removable = {i for i in told if not isinstance(expr.items[i], Word) or not named(_text(expr.items[i]))}
        found = _by_sweep(values, removable) if len(values) > MANY else _by_size(values, removable)
        spare = tuple(sorted(doubles | found))
        if spare:
            kept = (i for i in range(len(parts)) if i not in spare)
            first = spare[0]
            holder = next(
                (i for i in kept if (i in values or _same(expr, i, first)) and parts[first].issubset(parts[i])), None
            )
            self.noted.setdefault((here, expr.at), Noted(expr, spare, holder))

    def note_pairs(self, here: Here, expr: Set, holds: Holds, named: Callable[[str], bool]) -> None:
        """Looks at a set of few elements of which only can be said which holds which."""
        if len(expr.items) > 64:
            return
        spare: set[int] = set()
        for i, item in enumerate(expr.items):
            if isinstance(item, Word) and named(item.text) and item.text not in map(_text, expr.items[:i]):
                continue
            others = (j for j in range(len(expr.items)) if j != i and j not in spare and holds(j, i))
            if any(j < i or not holds(i, j) for j in others):
                spare.add(i)
        if spare:
            first = min(spare)
            holder = next((j for j in range(len(expr.items)) if j not in spare and holds(j, first)), None)
            self.noted.setdefault((here, expr.at), Noted(expr, tuple(sorted(spare)), holder))

    def remarks(self, sources: Mapping[str, str]) -> Iterator[Diagnostic]:
        """One remark for each set with spare elements, with the edit that takes them out; in the order of reading.

        Only of what stands in a text of the sources: elsewhere there is nothing to take out.
        """
        place = {file: number for number, file in enumerate(sources)}
        lines: dict[str, list[str]] = {}
        gone: dict[Here, list[Place]] = {}
        for (here, _), noted in self.noted.items():
            gone.setdefault(here, []).extend(noted.expr.items[i].at for i in noted.spare)
        ordered = sorted(
            self.noted.items(), key=lambda entry: (place.get(entry[0][0][0], 0), entry[0][0][1], entry[0][1])
        )
        for (here, at), noted in ordered:
            if here[0] not in sources:
                continue
            if any(outer[:2] <= at[:2] and at[2:] <= outer[2:] for outer in gone[here]):
                continue  # within what goes as a whole
            file, line = here
            if file not in lines:
                lines[file] = sources[file].removeprefix("\ufeff").split("\n")
            yield _remark(noted, file, line, lines[file])


def _remark(noted: Noted, file: str, line: int, lines: Sequence[str]) -> Diagnostic:
    items = noted.expr.items
    first, *others = noted.spare
    what = f"`{_short(show(items[first]))}`"
    if noted.holder is None:
        message = f"{what} adds nothing to its set: other elements together hold all of it"
    elif items[noted.holder] == items[first]:
        message = f"{what} stands twice in one set"
    else:
        message = f"{what} adds nothing to its set: `{_short(show(items[noted.holder]))}` holds all of it"
    if others:
        message += f", and {len(others)} more add{'s' * (len(others) == 1)} nothing either"
    cuts = [Suggestion(cut, "") for cut in _cuts(noted, file, line, lines)]
    labels = () if noted.holder is None else (Label(span_of(items[noted.holder].at, file, line), "holds all of it"),)
    return Diagnostic(
        "FW210",
        message,
        span_of(items[first].at, file, line),
        "adds nothing",
        f"remove {'them' if others else 'it'}",
        "info",
        labels,
        suggestions=(Suggestion(cuts[0].span, "", tuple(cuts[1:])),),
    )


def _cuts(noted: Noted, file: str, line: int, lines: Sequence[str]) -> Iterator[Span]:
    """What to cut out: each element, and the comma behind it, or before it where none is behind it. Comments stay."""
    items = noted.expr.items
    end = span_of(noted.expr.at, file, line)
    spans = [*[span_of(item.at, file, line) for item in items], end._replace(line=end.end_line, column=end.end_column)]
    last = max(i for i in range(len(items)) if i not in set(noted.spare))
    if _comma(lines, spans[-2], spans[-1]):  # a comma at the end is behind all the others
        last = len(items)
    for i in noted.spare:
        span = spans[i]
        comma = _comma(lines, spans[i], spans[i + 1]) if i < last else _comma(lines, spans[i - 1], spans[i])
        assert comma is not None
        if comma.line == span.end_line and i < last:
            text = lines[comma.line - 1]
            yield span._replace(end_column=len(text) - len(text[comma.column :].lstrip()) + 1)
        elif comma.line == span.line and i > last:
            yield span._replace(column=comma.column)
        else:
            yield from (span, comma)


def _comma(lines: Sequence[str], before: Span, behind: Span) -> Span | None:
    """The comma between two places; one in a comment is none."""
    for number in range(before.end_line, behind.line + 1):
        text = lines[number - 1]
        begin = before.end_column - 1 if number == before.end_line else 0
        end = behind.column - 1 if number == behind.line else len(text)
        at = text[begin:end].partition("#")[0].find(",")
        if at >= 0:
            return Span(before.file, number, begin + at + 1, number, begin + at + 2)
    return None


def _by_size(values: Mapping[int, IntervalSet], removable: set[int]) -> set[int]:
    """The elements that larger ones, of equals earlier ones, hold together."""
    spare: set[int] = set()
    if any(type(part) is not IntervalSet for part in values.values()):
        held = EMPTY
        for i in sorted(values, key=lambda i: (-values[i].size, i)):
            if i in removable and values[i].issubset(held):
                spare.add(i)
            else:
                held |= values[i]
        return spare
    taken: list[Interval] = []  # sorted, disjoint, never adjacent
    for i in sorted(values, key=lambda i: (-values[i].size, i)):
        if i in removable and values[i].issubset(IntervalSet(tuple(taken))):
            spare.add(i)
            continue
        for lo, hi in values[i]:
            at = bisect_left(taken, lo - 1, key=lambda pair: pair[1])
            end = at
            while end < len(taken) and taken[end][0] <= hi + 1:
                lo, hi = min(lo, taken[end][0]), max(hi, taken[end][1])
                end += 1
            taken[at:end] = [(lo, hi)]
    return spare


def _by_sweep(values: Mapping[int, IntervalSet], removable: set[int]) -> set[int]:
    """The elements of one interval that a single other one of one interval holds. O(n log n)."""
    spare: set[int] = set()
    reached = -1
    single = [(part.lo, -part.hi, i) for i, part in values.items() if len(part.ranges) == 1]
    for _, end, i in sorted(single):
        if -end <= reached and i in removable:
            spare.add(i)
        reached = max(reached, -end)
    return spare


def _doubles(items: Sequence[Expr]) -> set[int]:
    """The words that have been given before."""
    seen: set[str] = set()
    out = set()
    for i, item in enumerate(items):
        if isinstance(item, Word):
            if item.text in seen:
                out.add(i)
            seen.add(item.text)
    return out


def _is_number(item: Expr) -> bool:
    return isinstance(item, Compare) or (isinstance(item, Word) and item.text[:1].isdigit())


def _text(item: Expr) -> str:
    return item.text if isinstance(item, Word) else ""


def _same(expr: Set, i: int, j: int) -> bool:
    return bool(_text(expr.items[i])) and _text(expr.items[i]) == _text(expr.items[j])


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
