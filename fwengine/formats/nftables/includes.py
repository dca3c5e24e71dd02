"""A file of nft and those that it includes -> the words of all of them, in their order.

nft looks for a relative path in the working directory or in /etc; a rule set that is read here may have been copied from
anywhere, so its includes are looked up beside the file that has them. As with nft, a pattern may match nothing, its
files come in the order of their names, and those with a leading dot are left out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase

from ..document import Beside
from .words import RefusedError, Token, words

MAX_DEPTH = 16  # as with nft
MAX_FILES = 1000
_BEFORE = ("\n", ";", "{")  # a statement begins behind these


class Included:
    """The words of a file and of those that it includes; `texts` has the latter's text by name."""

    def __init__(self, text: str, file: str, beside: Beside | None) -> None:
        self.beside = beside
        self.texts: dict[str, str] = {}
        self.tokens = list(self._expanded(text, file, ()))

    def _expanded(self, text: str, file: str, outer: tuple[str, ...]) -> Iterator[Token]:
        found = list(words(text, file))
        at = 0
        while at < len(found):
            token = found[at]
            begins = at == 0 or (found[at - 1].text in _BEFORE and not found[at - 1].quoted)
            if token.text != "include" or token.quoted or not begins:
                yield token
                at += 1
                continue
            path = found[at + 1]
            if not path.quoted:
                raise RefusedError(path, "a path in quotes is expected here", 'such as `include "sets.nft"`', "FW406")
            for name in self._named(path, file):
                yield from self._expanded(self._text(name, path, (*outer, file)), name, (*outer, file))
            at += 2

    def _named(self, path: Token, file: str) -> list[str]:
        """The files that a path or a pattern names."""
        if self.beside is None:
            message = "the file includes another, and where that stands is not known"
            raise RefusedError(path, message, _SAVE)
        name = posixpath.normpath(posixpath.join(posixpath.dirname(file), path.text))
        folder, pattern = posixpath.split(name)
        if not any(sign in name for sign in "*?["):
            return [name]
        if any(sign in folder for sign in "*?["):
            raise RefusedError(path, "a pattern stands for names of files, not of folders", _SAVE)
        try:
            there = self.beside.names(folder or ".")
        except OSError:
            return []
        return [posixpath.join(folder, n) for n in sorted(there) if n[:1] != "." and fnmatchcase(n, pattern)]

    def _text(self, name: str, path: Token, outer: tuple[str, ...]) -> str:
        if name in outer:
            circle = " -> ".join([*outer[outer.index(name) :], name])
            raise RefusedError(path, f"the files include each other in a circle: {circle[:200]}", code="FW405")
        if len(outer) > MAX_DEPTH or len(self.texts) >= MAX_FILES:
            raise RefusedError(path, f"at most {MAX_FILES} files are read, {MAX_DEPTH} deep", _SAVE)
        assert self.beside is not None
        try:
            text = self.beside.read(name).decode("utf-8-sig")
        except OSError as error:
            why = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
            help = f"a path is relative to the file that includes it; {_SAVE}"
            raise RefusedError(path, f"cannot read `{name}`: {why}", help, "FW021") from None
        except UnicodeDecodeError:
            raise RefusedError(path, f"`{name}` is not a text", code="FW021") from None
        self.texts[name] = text
        return text


_SAVE = "`nft -f FILE` loads them all, `nft list ruleset > FILE` writes all into one"
