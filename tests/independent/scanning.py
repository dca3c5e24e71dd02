"""A cursor over a policy's text: words, signs, sets in braces over several lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from independent.conditions import Condition, Except, Not, Or

WORD = re.compile(r"[A-Za-z0-9_.:/\[\]-]+")
NUMBER = re.compile(r"[0-9]+")
RANGE = re.compile(r"([0-9]+)-([0-9]+)$")


class RefusedError(Exception):
    """The text has no meaning; `code` says why, where the documentation has one for it."""

    def __init__(self, code: str, words: str, line: int = 0) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.line = line


class Scanner:
    """Where we are in a text, and what can be taken from there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def skip(self) -> None:
        """Over spaces and, within braces, over line ends and comments."""
        while self.at < len(self.text):
            sign = self.text[self.at]
            if sign in " \t\r" or (sign == "\n" and self.depth):
                self.at += 1
            elif sign == "#" and self.depth:
                self.at = self.text.find("\n", self.at) if "\n" in self.text[self.at :] else len(self.text)
            else:
                return

    def take(self, sign: str) -> bool:
        """Whether a sign or a word stands here; then it is behind us."""
        self.skip()
        if not self.text.startswith(sign, self.at):
            return False
        if WORD.fullmatch(sign):
            found = WORD.match(self.text, self.at)
            if found is None or found.group() != sign:
                return False
        self.at += len(sign)
        return True

    def match(self, pattern: re.Pattern[str]) -> str:
        self.skip()
        found = pattern.match(self.text, self.at)
        if found is None:
            raise RefusedError("FW010", f"unexpected {self.text[self.at : self.at + 20]!r}", self.line)
        self.at = found.end()
        return found.group()

    def word(self) -> str:
        return self.match(WORD)

    def peek(self) -> str:
        self.skip()
        found = WORD.match(self.text, self.at)
        return found.group() if found else self.text[self.at : self.at + 1]

    def ended(self) -> bool:
        """Whether the statement ends here."""
        self.skip()
        return self.at == len(self.text) or self.text[self.at] in "\n#"

    def next_line(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end + 1

    def listed(self) -> Iterator[None]:
        """Once for each element of a set in braces, or once where there are none."""
        if not self.take("{"):
            yield
            return
        self.depth += 1
        while True:
            yield
            comma = self.take(",")
            if self.take("}"):
                break
            if not comma:
                raise RefusedError("FW010", "expected `,` or `}`", self.line)
        self.depth -= 1

    def selection(self, element: Callable[[], Condition]) -> Condition:
        """`not X`, `X except Y`, `{ X, … }`, or an element."""
        if self.take("not"):
            return Not(self.selection(element))
        if self.peek() == "{":
            found = [self.selection(element) for _ in self.listed()]
            made: Condition = found[0] if len(found) == 1 else Or(tuple(found))
        else:
            made = element()
        while self.take("except"):
            without = [self.selection(element) for _ in self.listed()]
            made = Except(made, without[0] if len(without) == 1 else Or(tuple(without)))
        return made
