"""Tables in columns that fit a width: a cell that is too wide for its column goes on below, at its blanks. No word is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .fit import words, wrapped

GAP: Final = 2  # blanks between columns


def fitted(rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """How wide each column is to be, so that lines of so many columns hold them all; None if the longest words do not fit.

    >>> fitted([("1", "a set of words"), ("2", "b")], 12)
    [1, 9]
    """
    cells = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in cells]
    over = sum(widths) + GAP * (len(widths) - 1) - room
    if over <= 0:
        return widths
    least = [max(max(map(len, words(cell))) for cell in column) for column in cells]
    if sum(least) + GAP * (len(least) - 1) > room:
        return None
    for _ in range(over):
        widest = max((n for n, width in enumerate(widths) if width > least[n]), key=lambda n: widths[n])
        widths[widest] -= 1
    return widths


def broken(row: Sequence[str], widths: Sequence[int]) -> Iterator[list[str]]:
    """The lines of a row, each as its cells, padded.

    >>> list(broken(("1", "a set of words"), [1, 9]))
    [['1', 'a set of '], [' ', 'words    ']]
    """
    columns = [list(wrapped(cell, width)) for cell, width in zip(row, widths, strict=True)]
    for n in range(max(map(len, columns))):
        yield [f"{lines[n] if n < len(lines) else '':<{w}}" for lines, w in zip(columns, widths, strict=True)]


def joined(cells: Sequence[str]) -> str:
    return (" " * GAP).join(cells).rstrip()


def aligned(rows: Sequence[Sequence[str]], numbers: int, room: int) -> Iterator[str]:
    """Rows in columns, the first ones to the right, below their heads; without columns that have no word, and one below the other
    where columns do not fit.

    >>> print(*aligned([("flows", "rule", "on"), ("12", "web in", "")], 1, 80), sep="\\n")
    flows  rule
       12  web in
    """
    used = [n for n in range(len(rows[0])) if any(row[n] for row in rows[1:]) or len(rows) == 1]
    chosen = [[row[n] for n in used] for row in rows]
    widths = fitted(chosen, room)
    if widths is None:
        for row in chosen:
            yield from wrapped((" " * GAP).join(cell for cell in row if cell), room, rest="    ")
        return
    left = [used[n] >= numbers for n in range(len(used))]
    for row in chosen:
        for cells in broken(row, widths):
            yield joined(
                [cell if stays else f"{cell.strip():>{w}}" for cell, stays, w in zip(cells, left, widths, strict=True)]
            )
