"""Files -> policies: reads a policy's text and those it includes, and has them parsed and lowered."""

from __future__ import annotations

import datetime
import errno
import os
import posixpath
from collections.abc import Callable
from pathlib import Path

from ..errors import Diagnostic, PolicyError, Span
from ..language.meaning.lower import Lowering, lower, lower_region
from ..language.syntax import ast
from ..language.syntax.mistakes import MAX_CHARACTERS, UNDECODED, decode
from ..language.syntax.parser import definitions, parse_claim, parse_region, read, span_of
from ..model.box import Box
from ..model.rules import Action, Policy

Reader = Callable[[str], bytes]

MAX_INCLUDES = 1000
MAX_INCLUDE_DEPTH = 64
MAX_BYTES = 1 << 28  # of a file; a hundred thousand rules have 7 MB


def load(path: str | os.PathLike[str], *, as_of: datetime.date | None = None) -> Policy:
    """The policy in a file.

    Args:
        path: a `.fwl` file.
        as_of: the day on which the policy is asked; today if not given. It matters to rules with `until` only.

    Raises:
        PolicyError: with every diagnostic of the file and those it includes.
    """
    return load_from(os.fspath(path), _read_file, as_of=as_of)


def loads(text: str, *, file: str = "<text>", as_of: datetime.date | None = None) -> Policy:
    """The policy in a text; what it includes is looked up beside `file`, that is from the working directory.

    Raises:
        PolicyError: as `load`.

    >>> loads("allow tcp from any to 192.0.2.80 port https as web").rules[0].name
    'web'
    """
    first = True

    def reader(name: str) -> bytes:
        nonlocal first
        if first:
            first = False
            return text.encode("utf-8", "surrogatepass")
        return _read_file(name)

    return load_from(file, reader, as_of=as_of)


def load_from(file: str, reader: Reader, *, as_of: datetime.date | None = None, shown: str = "") -> Policy:
    """As `load`, with files read by a function: it takes a name and returns bytes, or raises OSError.

    What stands in `shown` is put before every file's name in diagnostics, spans and sources.
    """
    loader = _Loader(reader, shown)
    loader.file(file, None)
    return lower(
        loader.statements,
        name=shown + file,
        as_of=as_of or datetime.date.today(),
        sources=loader.sources,
        spoilt=frozenset(loader.missing),
        errors=loader.errors,
    )


def _read_file(name: str) -> bytes:
    try:
        with Path(name).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except ValueError as error:  # NUL, or what the file system cannot encode
        raise OSError(errno.EINVAL, "not a possible file name") from error
    if len(data) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"larger than {MAX_BYTES >> 20} MiB")
    return data


class _Loader:
    """Gathers the statements of a file and of those it includes, in the order of reading."""

    def __init__(self, reader: Reader, shown: str) -> None:
        self.reader = reader
        self.shown = shown
        self.sources: dict[str, str] = {}
        self.statements: list[ast.Statement] = []
        self.errors: list[Diagnostic] = []
        self.missing: set[str] = set()
        self.open: list[str] = []
        self._known: dict[str, str] = {}  # by the real path: one file under two names counts once

    def file(self, name: str, origin: Span | None) -> None:
        """Reads a file, unless it was read already: what is included twice counts once, where it came first."""
        name = self._known.setdefault(_identity(name), name)
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
            data = self.reader(name)
        except OSError as error:
            self._unreadable(shown, origin, error)
            return
        undecoded: Diagnostic | None = None
        try:
            text = decode(data, shown)
        except PolicyError as error:
            text = error.sources[shown]  # with U+FFFD where it could not be decoded
            if text.count(UNDECODED) > MAX_CHARACTERS:  # no text at all
                self.errors += error.diagnostics
                self.sources.update(error.sources)
                self.missing.update(_EVERYTHING)
                return
            undecoded = error.diagnostics[0]
            self.missing.update(_EVERYTHING)  # a name may have been in what could not be read
        self.sources[shown] = text
        document, errors, missing = read(text, shown)
        if undecoded is not None:  # it says more about the place than the mark left there does
            errors = [undecoded if e.code == undecoded.code and e.span == undecoded.span else e for e in errors]
        self.errors += errors
        self.missing |= missing
        self.open.append(name)
        for statement in document.statements:
            if isinstance(statement.content, ast.Include):
                self._include(name, statement.content.path, statement.span.line)
            else:
                self.statements.append(statement)
        self.open.pop()

    def _include(self, name: str, path: ast.String, line: int) -> None:
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
        self.file(posixpath.normpath(posixpath.join(folder, path.text)), here)

    def _unreadable(self, name: str, origin: Span | None, error: OSError) -> None:
        message, label, help = f"cannot read `{name}`: {_reason(error)}", "", "a policy is a plain text file"
        if origin is not None:
            label, help = "included here", "a path is relative to the file that includes it"
        code = "FW001" if origin is None else "FW021"
        self.errors.append(Diagnostic(code, message, origin or Span(name, 1, 1, 1, 1), label, help))
        self.missing.update(_EVERYTHING)


_EVERYTHING = frozenset({"*"})  # with a file missing, any name may be defined there


def _identity(name: str) -> str:
    try:
        return os.path.realpath(name)
    except (OSError, ValueError):
        return name


def _reason(error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return "it is a directory"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return (error.strerror or str(error) or "it cannot be opened").lower()


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "…"


def region(policy: Policy | None, text: str) -> tuple[Box, ...]:
    """The boxes of a region in the language, with the names of a policy's text in scope.

    Raises:
        PolicyError: pointing into the region.
    """
    match = parse_region(text)
    return lower_region(match, policy, _scope(policy), "<region>", text)


def claim(policy: Policy | None, text: str) -> tuple[Action, tuple[Box, ...]]:
    """An action and a region, as `query` and `prove` take them.

    Raises:
        PolicyError: pointing into the text.
    """
    action, match = parse_claim(text)
    return Action(action), lower_region(match, policy, _scope(policy), "<region>", text)


def _scope(policy: Policy | None) -> Lowering:
    """The definitions of a policy's text, anew."""
    lowering = Lowering()
    if policy is not None:
        for file, text in policy.sources.items():
            lowering.collect(definitions(text, file))
    return lowering


__all__ = ["claim", "load", "load_from", "loads", "region"]
