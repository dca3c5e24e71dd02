"""Who reaches whom at a glance: a mark for each pair, where words would be too wide. Made of records alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .fit import clipped
from .reached_rows import CellShown
from .style import Style

_LEAST: Final = 8  # columns of a name
# marks in the order of the legend: what they stand for, and their colour
MARKS: Final = {
    "#": ("all", "green"),
    "+": ("some services", None),
    "~": ("some packets of some services", None),
    ".": ("nothing", "grey"),
    " ": ("no such packet", None),
    "?": ("unknown", "yellow"),
}
_WHOLE: Final = {"all": "#", "nothing": ".", "impossible": " ", "unknown": "?"}


def mark(cell: CellShown) -> str:
    """`#` for a cell where all is allowed, `+` where services are, whatever else a packet has, `~` where some of them are in part."""
    return _WHOLE.get(cell.access) or ("+" if cell.services else "~")


def picture(names: Sequence[str], cells: Sequence[CellShown], style: Style, width: int) -> list[str]:
    """Lines of marks, rows and columns in the same order and by the same numbers; none if they would not fit."""
    n = len(names)
    digits = len(str(n))
    room = width - 2 * n - digits - 3
    if room < _LEAST:
        return []
    left = min(room, max(map(len, names)))
    numbers = [str(k) for k in range(1, n + 1)]
    out = [
        (" " * (digits + left + 3) + " ".join(f"{number:>{digits}}"[k] for number in numbers)).rstrip()
        for k in range(digits)
    ]
    for i, (number, name) in enumerate(zip(numbers, names, strict=True)):
        marks = map(mark, cells[i * n : i * n + n])
        drawn = " ".join(style(m, MARKS[m][1]) for m in marks).rstrip()
        out.append(f"{number:>{digits}} {clipped(name, left):<{left}}  {drawn}")
    return [*out, "", legend(list(map(mark, cells)))]


def legend(found: Sequence[str]) -> str:
    """What those of the marks mean that are there: rows are sources, columns destinations."""
    said = [f"{m if m != ' ' else 'blank'} {word}" for m, (word, _) in MARKS.items() if m in found]
    return f"from row to column: {', '.join(said)}"
