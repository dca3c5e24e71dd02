"""Files -> policies: reads a policy's text and those it includes, and has them parsed and lowered."""

from __future__ import annotations

import datetime
import os
import posixpath
from collections.abc import Callable
from pathlib import Path

from .errors import Diagnostic, Label, PolicyError, Span
from .language import ast
from .language.lower import Lowering, lower, lower_region
from .language.mistakes import decode
from .language.parser import parse_claim, parse_region, read, span_of
from .box import Box
from .policy import Action, Policy

Reader = Callable[[str], bytes]

MAX_INCLUDES = 1000


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
    """The policy in a text; what it includes is looked up from the working directory.

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


def load_from(file: str, reader: Reader, *, as_of: datetime.date | None = None) -> Policy:
    """As `load`, with files read by a function: it takes a name and returns bytes, or raises OSError."""
    loader = _Loader(reader)
    loader.file(file, None)
    return lower(
        loader.statements,
        name=file,
        as_of=as_of or datetime.date.today(),
        sources=loader.sources,
        spoilt=frozenset(loader.spoilt),
        errors=loader.errors,
    )


def _read_file(name: str) -> bytes:
    return Path(name).read_bytes()


class _Loader:
    """Gathers the statements of a file and of those it includes, in the order of reading."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.sources: dict[str, str] = {}
        self.statements: list[ast.Statement] = []
        self.errors: list[Diagnostic] = []
        self.spoilt: set[str] = set()
        self.open: list[str] = []

    def file(self, name: str, origin: Span | None) -> None:
        """Reads a file, unless it was read already: what is included twice counts once, where it came first."""
        if name in self.open:
            assert origin is not None
            chain = " -> ".join([*self.open[self.open.index(name) :], name])
            self.errors.append(Diagnostic("FW022", "the files include each other in a circle", origin, chain))
            return
        if name in self.sources:
            return
        try:
            data = self.reader(name)
        except OSError as error:
            self._unreadable(name, origin, error)
            return
        try:
            text = decode(data, name)
        except PolicyError as error:
            self.errors += error.diagnostics
            self.sources.update(error.sources)
            self.spoilt.update(_EVERYTHING)
            return
        self.sources[name] = text
        document, errors, spoilt = read(text, name)
        self.errors += errors
        self.spoilt |= spoilt
        self.open.append(name)
        for statement in document.statements:
            if isinstance(statement.content, ast.Include):
                self._include(name, statement)
            else:
                self.statements.append(statement)
        self.open.pop()

    def _include(self, name: str, statement: ast.Statement) -> None:
        path = statement.content.path  # type: ignore[union-attr]  # the caller looked
        here = span_of(path.at, name, statement.span.line)
        if len(self.sources) > MAX_INCLUDES or len(self.open) > 64:
            self.errors.append(Diagnostic("FW022", "too many files include each other", here, "stopped here"))
            return
        if not path.text or "\0" in path.text:
            self.errors.append(Diagnostic("FW021", "no file name", here, "expected the path of a policy file"))
            return
        folder, target = posixpath.dirname(name.replace(os.sep, "/")), path.text
        if target.startswith("/"):
            resolved = target
        else:
            resolved = posixpath.normpath(posixpath.join(folder, target)) if folder else posixpath.normpath(target)
        self.file(resolved, here)

    def _unreadable(self, name: str, origin: Span | None, error: OSError) -> None:
        reason = _reason(name, error)
        if origin is None:
            self.errors.append(Diagnostic("FW001", f"cannot read `{name}`: {reason}", Span(name, 1, 1, 1, 1)))
        else:
            self.errors.append(Diagnostic("FW021", f"cannot read `{name}`: {reason}", origin, "included here"))
            self.spoilt.update(_EVERYTHING)


_EVERYTHING = frozenset({"*"})  # with a file missing, any name may be defined there


def _reason(name: str, error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return "it is a directory"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return (error.strerror or str(error)).lower()


def region(policy: Policy | None, text: str) -> tuple[Box, ...]:
    """The boxes of a region in the language, with the names of a policy's text in scope.

    Raises:
        PolicyError: pointing into the region.
    """
    return lower_region(parse_region(text), policy, _scope(policy), "<region>", text)


def claim(policy: Policy | None, text: str) -> tuple[Action, tuple[Box, ...]]:
    """An action and a region, as `query` and `prove` take them."""
    action, match = parse_claim(text)
    return Action(action), lower_region(match, policy, _scope(policy), "<region>", text)


def _scope(policy: Policy | None) -> Lowering:
    """The definitions of a policy's text, anew."""
    scope = Lowering()
    if policy is not None:
        for file, text in policy.sources.items():
            document, _, _ = read(text, file)
            scope.collect([s for s in document.statements if isinstance(s.content, ast.Definition)])
    return scope


__all__ = ["Label", "claim", "load", "load_from", "loads", "region"]
