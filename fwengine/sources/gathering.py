"""A source -> statements: reads a policy's file and those it includes, and has them parsed."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import Diagnostic, PolicyError, Span
from ..language.syntax import ast
from ..language.syntax.ast import span_of
from ..language.syntax.mistakes import MAX_CHARACTERS, UNDECODED
from ..language.syntax.parser import read
from .source import ENDING, Source
from .text import decoded, unpacked

Parsed = tuple[ast.Document, list[Diagnostic], frozenset[str]]  # what `read` has of a text

MAX_INCLUDES = 1000
MAX_INCLUDE_DEPTH = 64


@dataclass(frozen=True)
class Gathered:
    """The statements of a policy, includes in their places, other firewalls' files apart, and what went wrong on the way.

    `texts` are the files' by name, in the order of reading; `missing` are names that what could not be parsed may
    define, `*` among them if it may define any.
    """

    statements: tuple[ast.Statement, ...]
    texts: dict[str, str]
    errors: tuple[Diagnostic, ...]
    missing: frozenset[str]
    foreign: tuple[Foreign, ...] = ()


@dataclass(frozen=True)
class Foreign:
    """Another firewall's file that is included: which of its policies, if that is said, and where."""

    text: str
    file: str
    policy: str | None
    at: Span


def gather(source: Source, parsed: Callable[[str, str], Parsed] = read) -> Gathered:
    """All statements of a source. What cannot be read or parsed is among the errors, never raised.

    Args:
        parsed: what has a text parsed, given its file's name: another than `read` may remember what it read before.
    """
    gatherer = _Gatherer(source, parsed)
    gatherer.file(source.file, None)
    return Gathered(tuple(gatherer.statements), gatherer.sources, tuple(gatherer.errors), frozenset(gatherer.missing),
                    tuple(gatherer.foreign))  # fmt: skip


class _Gatherer:
    """Gathers the statements of a file and of those it includes, in the order of reading."""

    def __init__(self, source: Source, parsed: Callable[[str, str], Parsed]) -> None:
        self.source = source
        self.parsed = parsed
        self.shown = source.shown
        self.sources: dict[str, str] = {}
        self.statements: list[ast.Statement] = []
        self.errors: list[Diagnostic] = []
        self.missing: set[str] = set()
        self.open: list[str] = []
        self.foreign: list[Foreign] = []
        self._known: dict[str, str] = {}  # by identity: one file under two names counts once

    def file(self, name: str, origin: Span | None, policy: str | None = None) -> None:
        """Reads a file, unless it was read already: what is included twice counts once, where it came first."""
        name = self._known.setdefault(self.source.identity(name), name)
        if name in self.open:
            assert origin is not None
            chain = " -> ".join([*self.open[self.open.index(name) :], name])
            help = "put what they share into a file that includes neither"
            self.errors.append(
                Diagnostic("FW022", "the files include each other in a circle", origin, _short(chain), help)
            )
            return
        shown = self.shown + name
        if shown in self.sources:
            return
        try:
            data = self.source.read(name)
        except OSError as error:
            self._unreadable(shown, origin, error)
            return
        undecoded: Diagnostic | None = None
        if origin is not None and not name.endswith(ENDING):  # a rule set of another firewall may be packed
            data = unpacked(data)
        try:
            text = decoded(data, shown)
        except PolicyError as error:
            text = error.sources.get(shown, "")  # with U+FFFD where it could not be decoded
            if not text or text.count(UNDECODED) > MAX_CHARACTERS:  # no text at all
                self.errors += error.diagnostics
                self.sources.update(error.sources)
                self.missing.update(_EVERYTHING)
                return
            undecoded = error.diagnostics[0]
            self.missing.update(_EVERYTHING)  # a name may have been in what could not be read
        self.sources[shown] = text
        if origin is not None and undecoded is None and (policy is not None or _is_foreign(text, shown)):
            self.foreign.append(Foreign(text, shown, policy, origin))
            return
        document, errors, missing = self.parsed(text, shown)
        if undecoded is not None:  # it says more about the place than the mark left there does
            errors = [undecoded if e.code == undecoded.code and e.span == undecoded.span else e for e in errors]
        other = _other_kind(text, shown, document, errors, origin)
        if other is not None:
            self.errors.append(other)
            self.missing.update(_EVERYTHING)
            return
        self.errors += errors
        self.missing |= missing
        self.open.append(name)
        for statement in document.statements:
            if isinstance(statement.content, ast.Include):
                self._include(name, statement.content, statement.span.line)
            else:
                self.statements.append(statement)
        self.open.pop()

    def _include(self, name: str, include: ast.Include, line: int) -> None:
        path, policy = include.path, include.policy
        here = span_of(path.at, self.shown + name, line)
        if len(self.sources) >= MAX_INCLUDES or len(self.open) >= MAX_INCLUDE_DEPTH:
            limit = f"at most {MAX_INCLUDES} files, {MAX_INCLUDE_DEPTH} deep"
            self.errors.append(
                Diagnostic("FW022", "too many files include each other", here, limit, "put them together")
            )
            self.missing.update(_EVERYTHING)
            return
        if not path.text or "\0" in path.text:
            help = 'for example `include "common.fwl"`'
            self.errors.append(Diagnostic("FW021", "no file name", here, "expected the path of a policy file", help))
            self.missing.update(_EVERYTHING)
            return
        folder = posixpath.dirname(name.replace(os.sep, "/"))
        self.file(
            posixpath.normpath(posixpath.join(folder, path.text)), here, policy.text if policy is not None else None
        )

    def _unreadable(self, name: str, origin: Span | None, error: OSError) -> None:
        message, label, help = f"cannot read `{name}`: {_reason(error)}", "", "a policy is a plain text file"
        if origin is not None:
            label, help = "included here", "a path is relative to the file that includes it"
        code = "FW001" if origin is None else "FW021"
        self.errors.append(Diagnostic(code, message, origin or Span(name, 1, 1, 1, 1), label, help))
        self.missing.update(_EVERYTHING)


def _is_foreign(text: str, file: str) -> bool:
    """Is it a file of another firewall that is read as it is?"""
    if file.endswith(ENDING):
        return False
    from .foreign import is_foreign

    return is_foreign(text)


def _other_kind(
    text: str, file: str, document: ast.Document, errors: list[Diagnostic], origin: Span | None
) -> Diagnostic | None:
    """What explains the errors of a text better than they do."""
    if not errors:
        return None
    from .looks import instead

    return instead(text, file, len(document.statements), len(errors), origin)


_EVERYTHING = frozenset({"*"})  # with a file missing, any name may be defined there


def _reason(error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return "it is a directory"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return (error.strerror or str(error) or "it cannot be opened").lower()


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "…"
