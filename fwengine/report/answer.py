"""What every answer can do: be rows and a summary, notes about places, cases that pass or fail, and blocks to be read.

A command makes its answer; a renderer (`report.render`) asks only for what stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..errors import Diagnostic, Severity
from .record import Edit, Place, Record, Related
from .style import Style


@dataclass(frozen=True)
class Note:
    """Something to be told about a place, or about the whole if it has none: for pull requests, and for readers of SARIF.

    `about` is what stays the same when lines move, so that the same note can be known again; `properties` is what has no
    place of its own in a form. `aside`: somebody decided that it does not matter, and said why.
    """

    code: str
    severity: Severity
    message: str
    place: Place | None
    label: str = ""
    help: str = ""
    notes: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    suggestions: tuple[Edit, ...] = ()
    properties: Mapping[str, Any] | None = None
    about: tuple[str, ...] = ()
    aside: str | None = None

    @classmethod
    def of(cls, d: Diagnostic, properties: Mapping[str, Any] | None = None, about: tuple[str, ...] = ()) -> Note:
        return cls(
            d.code,
            d.severity,
            d.message,
            Place.of(d.span),
            d.label,
            d.help,
            d.notes,
            tuple(map(Related.of, d.labels)),
            tuple(map(Edit.of, d.suggestions)),
            properties,
            about,
        )

    @property
    def told(self) -> tuple[str, ...]:
        """All that it says, part by part."""
        return tuple(part for part in (self.message, self.label, *self.notes, self.help) if part)


def fingerprint(*parts: str) -> str:
    """The first 128 bits of SHA-256 over all the parts, in hexadecimal digits."""
    import hashlib  # late: most answers need none

    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True)
class Case:
    """Something that holds or does not: a test case. `aside` as in a note: it was not asked whether it holds."""

    suite: str
    name: str
    passed: bool
    place: Place | None = None
    message: str = ""
    text: str = ""
    kind: str = "expectation"
    aside: str | None = None


@dataclass(frozen=True)
class Block:
    """A piece of a page: a paragraph or, with cells, a table or, with lines, what stands as it is (text in a fixed width)."""

    text: str = ""
    head: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()
    lines: tuple[str, ...] = ()
    kind: Literal["paragraph", "heading", "table", "code"] = "paragraph"


def heading(text: str) -> Block:
    return Block(text, kind="heading")


def table(head: Sequence[str], cells: Iterable[Sequence[str]]) -> Block:
    return Block(head=tuple(head), cells=tuple(map(tuple, cells)), kind="table")


def code(lines: Iterable[str]) -> Block:
    return Block(lines=tuple(lines), kind="code")


def paragraphs(text: str) -> Iterator[Block]:
    """A text whose paragraphs have blank lines between them; an indented one stands as it is."""
    for paragraph in text.split("\n\n"):
        yield code(paragraph.split("\n")) if paragraph.startswith("    ") else Block(paragraph)


@dataclass(frozen=True)
class Answer(Record):
    """What a command answers. JSON has all of its fields; JSON Lines has a line for each of its `rows`, then the others."""

    command: ClassVar[str]
    rows: ClassVar[str] = ""  # the field that JSON Lines has a line each of

    def lines(self, style: Style) -> Iterable[str] | None:
        """As text, for a terminal; None if the blocks are to be shown."""
        return None

    def blocks(self) -> Iterable[Block]:
        """As a page."""
        raise NotImplementedError

    def sheet(self) -> Iterable[Sequence[str]]:
        """As rows of a spreadsheet, the head first."""
        raise NotImplementedError

    def notes(self) -> Iterable[Note]:
        """What there is to tell about places in files; what was set aside as well."""
        return ()

    def cases(self) -> Iterable[Case]:
        """What holds, and what does not."""
        return ()
