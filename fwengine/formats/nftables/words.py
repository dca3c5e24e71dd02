"""The words of nft's language, each with its place. Knows no grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r'(?P<skip>[ \t\r\f]+|\\\r?\n|\#[^\n]*)|(?P<line>\n)|(?P<string>"[^"\n]*")'
    r"|(?P<word>(?:[0-9A-Fa-f]{0,4}:){2,}[0-9A-Fa-f.:]*|[A-Za-z0-9_](?:[\w.+]|-(?=[\w.])|\*)*)"
    r"|(?P<sign>==|!=|<=|>=|<<|>>|[{}();,:=<>!&|^/@$.*+-])"
)


class Token(NamedTuple):
    """A word, a text in quotes, a sign, or the end of a line (`\\n`)."""

    text: str
    line: int
    column: int
    end: int
    quoted: bool = False
    file: str = ""


class RefusedError(Exception):
    """What is not understood: at which word, why, and what to do."""

    def __init__(self, token: Token | None, message: str, help: str = "", code: str = "FW402") -> None:
        super().__init__(message)
        self.token, self.message, self.help, self.code = token, message, help, code


def words(text: str, file: str) -> Iterator[Token]:
    """The tokens of a file's text; comments and continued line ends are left out.

    Raises:
        RefusedError: at what is none.
    """
    at, line, begin = 0, 1, 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            token = Token(text[at], line, at - begin + 1, at - begin + 2, file=file)
            raise RefusedError(
                token, f"`{text[at]}` is not a sign of nft's language" if text[at] != '"' else "the quote has no end"
            )
        at = found.end()
        kind, word = found.lastgroup, found[0]
        if kind != "skip":
            quoted = kind == "string"
            column = found.start() - begin + 1
            yield Token(word[1:-1] if quoted else word, line, column, column + max(1, len(word)), quoted, file)
        if "\n" in word:
            line, begin = line + 1, at
    yield Token("\n", line, at - begin + 1, at - begin + 2, file=file)


def short(text: str) -> str:
    """A word as a message shows it."""
    return text if len(text) <= 60 else text[:59] + "…"
