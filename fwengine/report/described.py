"""What `explain` and `version` answer: what codes mean, and what is installed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from .answer import Answer, Block, code, heading, paragraphs, table
from .fit import wrapped
from .record import Record
from .style import Style
from .wording import counted


@dataclass(frozen=True)
class CodeMeaning(Record):
    """What a code means, in a line and at length."""

    code: str
    summary: str
    text: str

    @classmethod
    def of(cls, name: str, text: str) -> CodeMeaning:
        return cls(name, text.split(". ")[0].split("\n")[0].rstrip(".:"), text)


@dataclass(frozen=True)
class Explained(Answer):
    """One code, or all of them; `listed`: all, to be shown in a line each."""

    command: ClassVar[str] = "explain"
    rows: ClassVar[str] = "codes"

    codes: tuple[CodeMeaning, ...]
    listed: bool

    def lines(self, style: Style) -> Iterator[str]:
        if self.listed:
            for each in self.codes:
                yield from wrapped(each.summary, style.width, f"{each.code}  ", " " * (len(each.code) + 2))
            return
        for each in self.codes:
            yield from (each.code, "")
            for paragraph in each.text.split("\n\n"):
                yield from (
                    paragraph if paragraph.startswith("    ") else textwrap.fill(paragraph, min(80, style.width)),
                    "",
                )

    def blocks(self) -> Iterable[Block]:
        if self.listed:
            yield table(("code", "what it means"), [(each.code, each.summary) for each in self.codes])
            return
        for each in self.codes:
            yield heading(each.code)
            yield from paragraphs(each.text)


@dataclass(frozen=True)
class Library(Record):
    """A package that is used, in its version."""

    name: str
    version: str


@dataclass(frozen=True)
class Engine(Record):
    """An engine that evaluates packets: whether it is live, in which variants, and if not, why."""

    name: str
    live: bool
    variants: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Build(Record):
    """Of what sources it is made, by digest; `wrong` is what was made of others than those beside it.

    `configuration` is the file that commands take here, null if there is none or it is wrong.
    """

    python: str
    implementation: str
    platform: str
    libraries: tuple[Library, ...]
    engines: tuple[Engine, ...]
    sources: str
    files: int
    native_sources: str | None
    wrong: tuple[str, ...]
    configuration: str | None


@dataclass(frozen=True)
class Version(Answer):
    """The version and, with --verbose, all that answers hang on; else `build` is null."""

    command: ClassVar[str] = "version"

    version: str
    build: Build | None
    _unread: bool = field(default=False, repr=False, compare=False)  # there is a configuration, and it is wrong

    def lines(self, style: Style) -> Iterator[str]:
        yield f"fwengine {self.version}"
        b = self.build
        if b is None:
            return
        yield f"python   {b.python} ({b.implementation}) on {b.platform}"
        for library in b.libraries:
            yield f"{library.name:<8} {library.version}"
        for n, engine in enumerate(b.engines):
            how = f" ({', '.join(engine.variants)})" if engine.variants else ""
            state = f"live{how}" if engine.live else f"absent ({engine.reason})"
            yield f"{'' if n else 'engines':<8} {engine.name}: {state}"
        yield f"sources  {b.sources}"
        yield f"         of {counted(b.files, 'file')}"
        if b.native_sources is not None:
            yield f"native   {b.native_sources}"
            yield "         of the native module's sources"
        if not self._unread:
            yield f"config   {b.configuration or 'none'}"

    def blocks(self) -> Iterable[Block]:
        first, *more = self.lines(Style(False))
        yield heading(first)
        if more:
            yield code(more)
