"""A file's text as it is edited: only what has changed is cut and parsed again, and the answer is that of `parser.read`.

What a piece is depends on its own lines and on the one behind it. So whatever ends before the line above the first that is
new is kept, and from the first old piece below the last new line on everything is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, takewhile
from operator import eq

from ...errors import Diagnostic
from . import mistakes
from .ast import Document
from .parser import Part, together
from .statements import Piece, cut, lines_of


class Edited:
    """The text of one file; each reading starts from the one before."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._lines: list[str] = []
        self._parts: list[Part] = []
        self._suspect: list[bool] = []  # of each line: may it hold a character that is an error?

    def read(self, text: str) -> tuple[Document, list[Diagnostic], frozenset[str]]:
        """As `parser.read`. O(lines) comparisons; parsed is what has changed.

        >>> edited = Edited("a.fwl")
        >>> before = edited.read("default deny\\nallow udp")[0].statements
        >>> now = edited.read("default deny\\nallow tcp")[0].statements
        >>> now[0] is before[0], now[1] is before[1]
        (True, False)
        """
        self._change(lines_of(text))
        errors = list(mistakes.characters(text, self.file)) if any(self._suspect) else []
        if len(errors) > mistakes.MAX_CHARACTERS:
            return Document((), self.file), errors, frozenset("*")
        return together(self._parts, errors, self.file)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """As `statements.pieces`, of the text that was read last."""
        begins = accumulate((part.height for part in self._parts), initial=1)
        return tuple([Piece(line, part.text, part.comment) for line, part in zip(begins, self._parts, strict=False)])

    def _change(self, lines: list[str]) -> None:
        old = self._lines
        first = sum(takewhile(bool, map(eq, old, lines)))
        most = min(len(old), len(lines)) - first
        same = min(most, sum(takewhile(bool, map(eq, reversed(old), reversed(lines)))))
        if first == len(old) == len(lines):
            return
        begins = list(accumulate((part.height for part in self._parts), initial=0))  # and the end of all
        kept = max(0, bisect_left(begins, first) - 1)  # parts whose next line is an old one, too
        shift = len(lines) - len(old)
        last = len(lines) - same  # from here on all lines are old ones
        new: list[Part] = []
        at, upto = begins[kept], len(self._parts)
        for piece in cut(lines[at:]):
            if at >= last:
                found = bisect_left(begins, at - shift)
                if begins[found] == at - shift:
                    upto = found
                    break
            new.append(Part(piece))
            at += new[-1].height
        gone = self._parts[kept:upto]
        known = {part.text: part for part in gone if part.text}
        for n, part in enumerate(new):
            same_text = known.get(part.text)
            if same_text is not None and same_text.comment == part.comment:
                new[n] = same_text
            elif same_text is not None:
                part.learn(same_text)
        self._parts = [*self._parts[:kept], *new, *self._parts[upto:]]
        self._suspect[first : len(old) - same] = _suspects(lines[first:last])
        self._lines = lines


def _suspects(lines: Sequence[str]) -> list[bool]:
    return [mistakes.suspect(line) for line in lines]
