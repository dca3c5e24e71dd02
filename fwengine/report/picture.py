"""Who reaches whom at a glance: a mark for each pair, where words would be too wide. Knows cells, and no services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..analysis.matrix import Cell, Matrix
from .fit import clipped
from .screen import visible
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


def mark(cell: Cell) -> str:
    """`#` for a cell where all is allowed, `+` where services are, whatever else a packet has, `~` where some of them are in part."""
    if not cell.known:
        return "?"
    if cell.impossible:
        return " "
    if cell.everything:
        return "#"
    return "+" if cell.open else "~" if cell.partly else "."


def picture(matrix: Matrix, style: Style, width: int) -> list[str]:
    """Lines of marks, rows and columns in the same order and by the same numbers; none if they would not fit."""
    names = [visible(zone.name) for zone in matrix.zones]
    digits = len(str(len(names)))
    room = width - 2 * len(names) - digits - 3
    if room < _LEAST:
        return []
    left = min(room, max(map(len, names)))
    numbers = [str(n) for n in range(1, len(names) + 1)]
    out = [
        (" " * (digits + left + 3) + " ".join(f"{number:>{digits}}"[k] for number in numbers)).rstrip()
        for k in range(digits)
    ]
    for i, (number, name) in enumerate(zip(numbers, names, strict=True)):
        marks = [mark(matrix.cell(i, j)) for j in range(len(names))]
        drawn = " ".join(style(m, MARKS[m][1]) for m in marks).rstrip()
        out.append(f"{number:>{digits}} {clipped(name, left):<{left}}  {drawn}")
    return [*out, "", legend([mark(cell) for cell in matrix.cells])]


def legend(found: Sequence[str]) -> str:
    """What those of the marks mean that are there: rows are sources, columns destinations."""
    said = [f"{m if m != ' ' else 'blank'} {word}" for m, (word, _) in MARKS.items() if m in found]
    return f"from row to column: {', '.join(said)}"
