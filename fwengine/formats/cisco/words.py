"""A line of a configuration -> words, and what is said of those that are not understood."""

from __future__ import annotations

import re
from typing import NamedTuple

_WORD = re.compile(r"\S+")
_NUMBER = re.compile("[0-9]{1,10}")


class Word(NamedTuple):
    """A word and its columns (from 1, the end exclusive)."""

    text: str
    column: int
    end: int


class RefusedError(Exception):
    """A line that is not understood: at which word (None: at its end), why, and what to do."""

    def __init__(self, word: Word | None, message: str, help: str = "", code: str = "FW402") -> None:
        super().__init__(message)
        self.word, self.message, self.help, self.code = word, message, help, code


class Words:
    """The words of a line, taken one after the other."""

    def __init__(self, line: str) -> None:
        self.all = [Word(m[0], m.start() + 1, m.end() + 1) for m in _WORD.finditer(line)]
        self.at = 0
        self.told: list[
            tuple[Word, str, str]
        ] = []  # what is worth a remark: the word, what it is, and what may be meant

    def __bool__(self) -> bool:
        return self.at < len(self.all)

    @property
    def next(self) -> str:
        """The next word in small letters; empty at the end."""
        return self.all[self.at].text.lower() if self else ""

    @property
    def word(self) -> Word | None:
        return self.all[self.at] if self else None

    def take(self, what: str) -> Word:
        """The next word.

        Raises:
            RefusedError: at the end of the line.
        """
        if not self:
            raise RefusedError(None, f"the line ends where {what} is expected", code="FW406")
        self.at += 1
        return self.all[self.at - 1]

    @property
    def at_number(self) -> bool:
        """Is the next word a number?"""
        return _NUMBER.fullmatch(self.next) is not None

    def number(self) -> int:
        """The next word as a number.

        Raises:
            RefusedError: if it is none.
        """
        word = self.take("a number")
        if not _NUMBER.fullmatch(word.text):
            raise RefusedError(word, f"`{short(word.text)}` is not a number", code="FW403")
        return int(word.text)

    def accept(self, *texts: str) -> Word | None:
        """The next word if it is one of these."""
        if self and self.next in texts:
            return self.take("")
        return None


def short(text: str) -> str:
    """A word as a message shows it."""
    return text if len(text) <= 60 else text[:59] + "…"
