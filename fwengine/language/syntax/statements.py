"""Text -> the pieces that are parsed one by one: statements, and the lines between them. Knows nothing of grammar.

A statement ends with its line, unless a brace is open. One pass over the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_STATEMENT = re.compile(r"[ \t]*(?:allow|deny|net|ports|service|interface|default|include|expect)(?=[ \t])")
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"')
_NAMED = re.compile(r"\bas[ \t]+([^\s={},#\"]+)")
MAX_NAME = 200  # characters before a `=` in which its name is looked for


class Piece(NamedTuple):
    """One statement's text, with the comment taken off its end; or a line without one, its text empty."""

    line: int
    text: str
    comment: str


def comment_at(line: str) -> int:
    """Where the comment of a line begins; its length if there is none. A `#` in quotes begins none."""
    if '"' not in line:
        found = line.find("#")
        return len(line) if found < 0 else found
    at, mark = 0, line.find("#")
    while True:
        if 0 <= mark < at:
            mark = line.find("#", at)
        quote = line.find('"', at)
        if mark >= 0 and (quote < 0 or mark < quote):
            return mark
        string = _STRING.match(line, quote) if quote >= 0 else None
        if string is None:  # no quote, or one that is never closed
            return len(line)
        at = string.end()


def lines_of(text: str) -> list[str]:
    """The lines of a text, without a byte order mark; a carriage return at an end stays."""
    text = text.removeprefix("\ufeff")
    return text.removesuffix("\n").split("\n") if text else []


def pieces(text: str) -> Iterator[Piece]:
    """The statements of a text and the lines between them, with their line numbers."""
    return cut(lines_of(text))


def cut(lines: Iterable[str], first: int = 1) -> Iterator[Piece]:
    """As `pieces`, of lines from a number on. What a piece is depends on its own lines, and on the one behind it."""
    begin, depth = 0, 0
    held: list[str] = []
    for number, raw in enumerate(lines, first):
        line = raw[:-1] if raw.endswith("\r") else raw
        if depth and _STATEMENT.match(line):  # a keyword cannot stand in a set: its brace was never closed
            yield Piece(begin, "\n".join(held), "")
            held, depth = [], 0
        end = comment_at(line) if "#" in line else len(line)
        code, comment = line[:end], line[end:].rstrip()
        if not held:
            begin = number
            if not code or code.isspace():
                yield Piece(number, "", comment)
                continue
        if "{" in code or "}" in code:
            bare = _STRING.sub("", code).partition('"')[0] if '"' in code else code
            depth = max(0, depth + bare.count("{") - bare.count("}"))
        if depth:
            held.append(line)
        else:
            yield Piece(begin, "\n".join([*held, code.rstrip()]) if held else code.rstrip(), comment)
            held = []
    if held:
        yield Piece(begin, "\n".join(held), "")


def is_statement(text: str) -> bool:
    """Does the piece begin with a keyword of a statement?"""
    return _STATEMENT.match(text) is not None


def promised(text: str) -> set[str]:
    """The names that a statement which cannot be parsed was perhaps going to define."""
    out = {match[1] for match in _NAMED.finditer(text)}
    for part in text.split("=")[:-1]:
        before = part[-MAX_NAME:].split()
        out.update(before[-1:])
    words = text.split(maxsplit=2)
    if len(words) > 1 and "=" not in text:
        out.add(words[1])
    return out
