"""What `check --fix --diff` answers: what would be written, as an exact unified diff and as edits; nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import ClassVar

from ..codes import MENDABLE
from .answer import Answer, Block, Case, Note, code, heading
from .record import Edit, Place, Record
from .style import Style
from .unified import diff_lines, lines_of
from .wording import counted


@dataclass(frozen=True)
class MendedFile(Record):
    """A policy that would be mended: what would be done, as a unified diff, and as edits that are to be followed together.

    Attributes:
        statements: how many would be removed.
        sets: how many would be shortened.
        suppressions: how many would be removed.
    """

    place: Place
    statements: int
    sets: int
    suppressions: int
    diff: tuple[str, ...]
    edits: tuple[Edit, ...]

    @property
    def told(self) -> str:
        """`removed 2 statements, shortened 1 set`."""
        done = [f"removed {counted(self.statements, 'statement')}"] * bool(self.statements)
        done += [f"shortened {counted(self.sets, 'set')}"] * bool(self.sets)
        done += [f"removed {counted(self.suppressions, 'suppression')}"] * bool(self.suppressions)
        return ", ".join(done)


@dataclass(frozen=True)
class Mended(Answer):
    """The policies that `check --fix` would change, each without a change of any verdict, which is proved."""

    command: ClassVar[str] = "check"
    rows: ClassVar[str] = "files"

    files: tuple[MendedFile, ...]

    def lines(self, style: Style) -> Iterator[str]:
        for f in self.files:
            yield from diff_lines(f.diff, style)

    def blocks(self) -> Iterable[Block]:
        yield heading("What `check --fix` would change")
        if not self.files:
            yield Block("nothing")
        for f in self.files:
            yield Block(f"`{f.place}`: {f.told}; proved: no verdict changes")
            yield code(f.diff)

    def notes(self) -> Iterable[Note]:
        for f in self.files:
            first, *others = f.edits
            suggestions = (Edit(first.place, first.text, tuple(others)),)
            message = f"`check --fix` would mend it: {f.told}; proved: no verdict changes"
            yield Note(MENDABLE, "warning", message, first.place, suggestions=suggestions, about=(f.told,))

    def cases(self) -> Iterable[Case]:
        for f in self.files:
            yield Case(f.place.file, "nothing to mend", False, f.edits[0].place, f.told, "\n".join(f.diff), "mend")


def edits_of(before: str, after: str, file: str) -> tuple[Edit, ...]:
    """Whole lines to put in the place of others; together they make one text of the other."""
    old, new = lines_of(before), lines_of(after)
    found = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return tuple(Edit(_place(old, i, j, file), "".join(new[k:m])) for kind, i, j, k, m in found if kind != "equal")


def _place(lines: Sequence[str], begin: int, end: int, file: str) -> Place:
    """From before one line to before another; behind the last there is none to stand before if no line feed ends it."""
    (line, column), (end_line, end_column) = (_before(lines, at) for at in (begin, end))
    return Place(file, line, column, end_line, end_column)


def _before(lines: Sequence[str], at: int) -> tuple[int, int]:
    if at and at == len(lines) and not lines[-1].endswith("\n"):
        return at, len(lines[-1]) + 1
    return at + 1, 1
