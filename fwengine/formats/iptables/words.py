"""A line of iptables-save -> words, as iptables-restore takes it apart: only `"` quotes, and a backslash inside quotes."""

from __future__ import annotations

from typing import NamedTuple


class Token(NamedTuple):
    """A word, where it stands (columns from 1, the end exclusive), and whether it was quoted."""

    text: str
    column: int
    end: int
    quoted: bool = False

    @property
    def is_option(self) -> bool:
        """Does it read as an option? A negative number is a value."""
        text = self.text
        return not self.quoted and len(text) > 1 and text[0] == "-" and not text[1:].replace(".", "").isdigit()


class UnclosedQuoteError(ValueError):
    """A quote without an end: the column where it begins."""

    def __init__(self, column: int) -> None:
        super().__init__(column)
        self.column = column


def words(line: str, begin: int = 0) -> list[Token]:
    """The words from a position on.

    Raises:
        UnclosedQuoteError: if a quote has no end.

    >>> [w.text for w in words('-A INPUT -m comment --comment "web \\\\"and\\\\" mail" -j ACCEPT')][-3]
    'web "and" mail'
    """
    found: list[Token] = []
    text: list[str] = []
    at, start, opened = begin, None, -1
    quoted = False
    while at < len(line):
        c = line[at]
        if opened >= 0:
            if c == "\\" and at + 1 < len(line):
                at += 1
                text.append(line[at])
            elif c == '"':
                opened = -1
            else:
                text.append(c)
        elif c in " \t":
            if start is not None:
                found.append(Token("".join(text), start + 1, at + 1, quoted))
                text, start, quoted = [], None, False
        else:
            if start is None:
                start = at
            if c == '"':
                opened, quoted = at, True
            else:
                text.append(c)
        at += 1
    if opened >= 0:
        raise UnclosedQuoteError(opened + 1)
    if start is not None:
        found.append(Token("".join(text), start + 1, at + 1, quoted))
    return found
