"""Places of this package <-> places of the protocol: lines from 0, columns in the units that the client counts in."""

from __future__ import annotations

from lsprotocol.types import Position, Range
from pygls.workspace import PositionCodec

from ..errors import Span


class Text:
    """A text as the protocol counts its lines; `codec` knows the client's units.

    Lines end at line feeds alone, as in the language: a form feed in a comment ends none.
    """

    def __init__(self, text: str, codec: PositionCodec) -> None:
        self.text = text.removeprefix("\ufeff")
        self.lines = [line.removesuffix("\r") for line in self.text.split("\n")]
        self._codec = codec

    def range(self, span: Span) -> Range:
        """A span as the client counts; what lies outside of the text ends where it ends.

        >>> from pygls.workspace import PositionCodec
        >>> Text("é😀x", PositionCodec()).range(Span("a", 1, 3, 1, 4)).start.character
        3
        """
        return Range(self._position(span.line, span.column), self._position(span.end_line, span.end_column))

    def _position(self, line: int, column: int) -> Position:
        number = min(line, len(self.lines)) - 1
        text = self.lines[number]
        at = min(column - 1, len(text)) if line <= len(self.lines) else len(text)
        return Position(number, self._codec.client_num_units(text[:at]))

    def place(self, position: Position) -> tuple[int, int]:
        """A client's position as line and column from 1, in characters."""
        if position.line >= len(self.lines):
            return len(self.lines), len(self.lines[-1]) + 1
        found = self._codec.position_from_client_units(self.lines, position)
        return found.line + 1, min(found.character, len(self.lines[found.line])) + 1

    @property
    def whole(self) -> Range:
        return Range(Position(0, 0), self._position(len(self.lines), len(self.lines[-1]) + 1))
