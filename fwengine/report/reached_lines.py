"""Who reaches whom, as text: a table if it fits, else a picture and a list; then what is to be said of it.

Made of records alone. What is folded is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from .fit import clipped, wrapped
from .picture import picture
from .reached_rows import CellShown
from .screen import visible
from .style import Style
from .view import View

CORNER: Final = "from \\ to"
_SHOWN: Final = 6  # words of a set
_NARROW: Final = 14  # columns of a cell; with less the matrix is a list
_CONDITIONS: Final = 5  # of a cell
_ROWS: Final = 20  # conditions below a table
_LONG: Final = 40  # lines of a list in which pairs have their conditions
_MOST: Final = 60  # lines of a list that goes destination by destination
_OVERLAPS: Final = 4
_SAID: Final = {
    "all": "open for all",
    "part": "open in part",
    "nothing": "shut",
    "impossible": "of different families",
    "unknown": "unknown (limit reached)",
}
_CUT: Final = re.compile(r" \+\d|\d services|…")  # of a table
_Groups = dict[tuple[str, ...], list[str]]  # what is open, and to whom


def counts(cells: Sequence[CellShown]) -> str:
    """`of 4 pairs 3 open in part, 1 shut`"""
    kinds = [cell.access for cell in cells]
    told = ", ".join(f"{kinds.count(kind):,} {word}" for kind, word in _SAID.items() if kind in kinds)
    return f"of {len(cells):,} pair{'s' * (len(cells) > 1)} {told}"


class ReachedLines:
    """Writes cells, row by row, between zones of these names."""

    def __init__(self, names: Sequence[str], cells: Sequence[CellShown], view: View, style: Style) -> None:
        self._names = [visible(name) for name in names]
        self._cells, self._width, self._detail, self._style = cells, view.width, view.detail, style
        n = len(names)
        self._rows = [cells[i * n : i * n + n] for i in range(n)]

    def lines(self, overlaps: Sequence[str], remarks: Sequence[str]) -> Iterator[str]:
        for line in wrapped(f"who reaches whom: {counts(self._cells)}", self._width, rest="  "):
            yield self._style(line, bold=True)
        yield ""
        table = [] if self._detail else self._table()
        yield from table
        if not table:
            drawn = picture(self._names, self._cells, self._style, self._width)
            yield from [*drawn, *([""] if drawn else []), *self._list(drawn=bool(drawn))]
        legend = list(self._legend(cut=any(_CUT.search(line) for line in table[1:]))) if table else []
        yield from legend
        notes = list(remarks)
        if overlaps:
            most = len(overlaps) if self._detail else _OVERLAPS
            more = f", and {len(overlaps) - most:,} more" * (len(overlaps) > most)
            notes.append(f"{', '.join(overlaps[:most])}{more}: a packet counts in each")
        if notes and not legend:
            yield ""
        yield from (line for text in notes for line in wrapped(visible(text), self._width, rest="  "))

    # A table

    def _table(self) -> list[str]:
        """The table; nothing if its cells would be too narrow."""
        names, n = self._names, len(self._names)
        left = max(len(CORNER), *map(len, names))
        words = [[cell.brief for cell in row] for row in self._rows]
        widths = [max(len(names[j]), *(len(", ".join(row[j])) for row in words)) for j in range(n)]
        room = self._width - left - 2 * n
        while sum(widths) > room:  # the widest columns give way first
            widest = max(range(n), key=lambda j: widths[j])
            if widths[widest] <= max(_NARROW, len(names[widest])):
                return []
            widths[widest] -= 1
        head = "  ".join([f"{CORNER:<{left}}", *(f"{name:<{w}}" for name, w in zip(names, widths, strict=True))])
        out = [head.rstrip()]
        for name, row in zip(names, words, strict=True):
            cells = [_padded(_fitting(some, w), w, self._style) for some, w in zip(row, widths, strict=True)]
            out.append("  ".join([f"{name:<{left}}", *cells]).rstrip())
        return out

    def _legend(self, *, cut: bool) -> Iterator[str]:
        """What marks mean; `cut`: cells count services that had no room."""
        kinds = {cell.access for cell in self._cells}
        found = self.conditions()
        if found:
            yield from ("", "~ not for all packets:", *self._table_of(found))
        words = {"nothing": "- nothing", "impossible": "n/a no such packet", "unknown": "? unknown"}
        said = [word for kind, word in words.items() if kind in kinds]
        said += ["+ and how many more services (--detail)"] * cut
        if said:
            yield from ("", "; ".join(said))

    def _table_of(self, found: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Conditions behind their pairs; below them where these are long, or have many."""
        mine: dict[str, list[str]] = {}
        for pairs, text in found[:_ROWS]:
            mine.setdefault(pairs, []).append(text)
        beside = [pairs for pairs, texts in mine.items() if len(texts) == 1 and len(pairs) <= self._width // 2]
        widest = max(map(len, beside), default=0)
        for pairs, texts in mine.items():
            if pairs in beside:
                yield from wrapped(f"{pairs:<{widest}}  {texts[0]}", self._width, "  ", " " * (widest + 6))
            else:
                yield from wrapped(pairs, self._width, "  ", "    ")
                yield from (line for text in texts for line in wrapped(text, self._width, " " * 6, " " * 8))
        if len(found) > _ROWS:
            yield f"  and {len(found) - _ROWS:,} more (--detail)"

    def conditions(self) -> list[tuple[str, str]]:
        """Pairs of zones, and a condition that they have alike, for all cells."""
        found: dict[str, list[str]] = {}
        for cell in self._cells:
            for condition in cell.conditional:
                text = f"{few(condition.services)}  ({_cut(condition.told)})"
                found.setdefault(text, []).append(f"{visible(cell.source)} -> {visible(cell.destination)}")
        return [(few(pairs, 2), text) for text, pairs in found.items()]

    # A list

    def _list(self, *, drawn: bool) -> list[str]:
        """What is open, from each zone and to those alike; what is shut is told in one line a zone, unless it has been drawn."""
        width = self._width
        widest = min(max(map(len, self._names)), width // 3)
        told = [self._groups(row) for row in self._rows]
        brief = not self._detail and sum(len(lines) for mine in told for lines in mine) > _LONG
        if brief:
            told = [self._briefly(row, width - widest - 7) for row in self._rows]
            if sum(map(len, told)) > _MOST:
                return list(self._by_service(widest))
        out = []
        for name, mine in zip(self._names, told, strict=True):
            if drawn and not mine:
                continue
            out.append(self._style(f"from {name}", bold=True))
            for lines, others in mine.items():
                out += _entry(few(others, len(others) if self._detail else _SHOWN), lines, widest, width)
            shut = [other for other in self._names if not any(other in others for others in mine.values())]
            if shut and not drawn:
                out += wrapped(f"nothing to {few(shut) if mine else 'any of them'}", width, "  ", "    ")
        if brief:
            how = "`--between A,B` says for which, `--detail` for all"
            out += ["", *wrapped(f"~ for some packets only: {how}", width, rest="  ")]
        return out

    def _by_service(self, widest: int) -> Iterator[str]:
        """A line for each source: what it may do at most of the others, and at how many."""
        yield from wrapped("what is open to most of them, and to how many:", self._width)
        for name, row in zip(self._names, self._rows, strict=True):
            open_to = Counter(word for cell in row if cell.opens for word in cell.brief)
            most = sorted(open_to, key=lambda word: (word != "all", -open_to[word]))
            room = self._width - widest - len("from   ")
            text = _fitting([f"{word} to {open_to[word]:,}" for word in most], room) if most else "nothing"
            yield f"{self._style(f'from {clipped(name, widest):<{widest}}', bold=True)}  {text}"
        yield ""
        how = "+ and how many more services, ~ for some packets only: `--detail` has all, `--between A,B` two of them"
        yield from wrapped(how, self._width, rest="  ")

    def _groups(self, row: Sequence[CellShown]) -> _Groups:
        found: _Groups = {}
        for cell, name in zip(row, self._names, strict=True):
            if cell.opens:
                found.setdefault(tuple(self._told(cell)), []).append(name)
        return found

    def _briefly(self, row: Sequence[CellShown], room: int) -> _Groups:
        """A line each."""
        found: _Groups = {}
        for cell, name in zip(row, self._names, strict=True):
            if cell.opens:
                found.setdefault((_fitting(cell.brief, room),), []).append(name)
        return found

    def _told(self, cell: CellShown) -> list[str]:
        """What a cell allows: one line without a condition, then one a condition."""
        if cell.access != "part":
            return cell.full
        whole = self._detail
        out = [self._words(cell.services)] if cell.services else []
        for condition in cell.conditional[: None if whole else _CONDITIONS]:
            out.append(f"{self._words(condition.services)}  ({condition.told if whole else _cut(condition.told)})")
        more = 0 if whole else len(cell.conditional) - _CONDITIONS
        return [*out, *([f"and {more:,} more condition{'s' * (more > 1)}"] if more > 0 else [])]

    def _words(self, services: Sequence[str]) -> str:
        return few(services, len(services) if self._detail else _SHOWN)


def few(words: Sequence[str], most: int = _SHOWN) -> str:
    """Words, the last ones counted if there are many."""
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[:most])} and {len(words) - most:,} more"


def _entry(head: str, lines: Sequence[str], widest: int, width: int) -> Iterator[str]:
    """What is open to some zones, beside their names, or below where these are long."""
    indent = " " * (widest + 7)
    first = f"  to {head:<{widest}}  "
    if len(head) > widest:
        yield from wrapped(f"to {head}", width, "  ", "     ")
        first = indent
    for line in lines:
        yield from wrapped(line, width, first, indent + "  ")
        first = indent


def _cut(text: str, most: int = 80) -> str:
    """A condition of no more than a line: a long set in it is counted."""
    if len(text) <= most or ", " not in text:
        return text
    items = text[:most].split(", ")[:-1]
    return f"{', '.join(items)}, … {text.count(', ') + 1 - len(items):,} more" if items else text


def _fitting(words: Sequence[str], width: int) -> str:
    """As many words as fit, and how many more there are."""
    whole = ", ".join(words)
    if len(whole) <= width:
        return whole
    for kept in range(len(words) - 1, 0, -1):
        text = f"{', '.join(words[:kept])} +{len(words) - kept:,}"
        if len(text) <= width:
            return text
    return f"{len(words):,} services" if len(words) > 1 else words[0][: width - 1] + "…"


def _padded(text: str, width: int, style: Style) -> str:
    color = "green" if text == "all" else "grey" if text in ("-", "n/a") else "yellow" if text == "?" else None
    return style(text, color) + " " * (width - len(text))
