"""An answer as text for a terminal: its own lines, or its blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..answer import Answer, Block
from ..columns import broken, fitted, joined
from ..screen import visible
from ..style import Style


def render(answer: Answer | None, style: Style) -> Iterator[str]:
    """Failures are not told here: they stand on stderr."""
    if answer is not None:
        lines = answer.lines(style)
        yield from blocks_as_text(answer.blocks(), style) if lines is None else lines


def blocks_as_text(blocks: Iterable[Block], style: Style) -> Iterator[str]:
    """Headings in bold, tables in columns, a blank line between blocks."""
    begun = False
    for block in blocks:
        if begun:
            yield ""
        begun = True
        yield from _lines(block, style)


def _lines(block: Block, style: Style) -> Iterator[str]:
    if block.kind == "table":
        yield from _table(block, style)
    elif block.kind == "code":
        yield from block.lines
    elif block.text:
        shown = visible(block.text).replace("`", "")
        yield style(shown, bold=True) if block.kind == "heading" else shown


def _table(block: Block, style: Style) -> Iterator[str]:
    rows = [[visible(cell).replace("`", "") for cell in row] for row in (block.head, *block.cells)]
    widths = fitted(rows, style.width) or [max(map(len, column)) for column in zip(*rows, strict=True)]
    for n, row in enumerate(rows):
        for cells in broken(row, widths):
            yield style(joined(cells), bold=True) if not n else joined(cells)
