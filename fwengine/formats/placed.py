"""A JSON text -> plain values that know where they stand in it, for readers whose findings point into the user's own file."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from ..errors import Span

Range = tuple[int, int]  # offsets in the text, the end exclusive

_TOKEN = re.compile(r'\s*(?:([{}\[\],:])|("(?:[^"\\]|\\.)*")|([^\s{}\[\],:"]+))', re.DOTALL)
MAX_DEPTH = 200


class Members(dict[str, Any]):
    """An object: `at` has the place of each value, `keys` that of its key."""

    def __init__(self, begin: int) -> None:
        super().__init__()
        self.range: Range = (begin, begin)
        self.at: dict[str, Range] = {}
        self.keys_at: dict[str, int] = {}


class Items(list[Any]):
    """An array: `at` has the place of each value."""

    def __init__(self, begin: int) -> None:
        super().__init__()
        self.range: Range = (begin, begin)
        self.at: list[Range] = []


class NotJsonError(ValueError):
    """A text that is no JSON: where, and why."""

    def __init__(self, span: Span, message: str) -> None:
        super().__init__(message)
        self.span, self.message = span, message


class Placed:
    """A JSON text, read; `root` is its value, whose objects and arrays are `Members` and `Items`.

    Raises:
        NotJsonError: if it is none, nests too deep, or says one key of an object twice.
    """

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        try:
            json.loads(text, parse_int=str)  # its errors have places; digits without end are no number here
        except json.JSONDecodeError as error:
            end = len(text.rstrip())
            at, message = (end, "it ends too early") if error.pos >= end else (error.pos, _plain(error.msg))
            raise NotJsonError(self.span((at, at + 1)), message) from None
        except (ValueError, RecursionError):
            raise NotJsonError(self.span((0, 1)), "it nests too deep, or has a number that is none") from None
        self._tokens = _TOKEN.finditer(text)
        self.root, _ = self._value(next(self._tokens), 0)

    @property
    def is_one_line(self) -> bool:
        """Does all of it stand on one line, so that a line tells nothing?"""
        return len(self._starts) == 1 or not self.text[self._starts[1] :].strip()

    def span(self, found: Range) -> Span:
        """The place of a stretch of the text."""
        begin, end = found
        first, last = (bisect_right(self._starts, at) - 1 for at in (begin, max(begin, end - 1)))
        return Span(
            self.file,
            first + 1,
            begin - self._starts[first] + 1,
            last + 1,
            max(end, begin + 1) - self._starts[last] + 1,
        )

    def member(self, owner: Members, key: str) -> Span:
        """The place of a key and its value."""
        return self.span((owner.keys_at[key], owner.at[key][1]))

    def words(self, found: Range) -> str:
        """The text of a stretch, on one line."""
        return " ".join(self.text[slice(*found)].split())

    def _value(self, token: re.Match[str], depth: int) -> tuple[Any, Range]:
        sign, string, word = token.groups()
        begin = token.start(token.lastindex or 0)
        if depth > MAX_DEPTH:
            raise NotJsonError(self.span((begin, begin + 1)), f"it nests deeper than {MAX_DEPTH}")
        if sign == "{":
            members = Members(begin)
            return members, self._members(members, depth)
        if sign == "[":
            items = Items(begin)
            return items, self._items(items, depth)
        if word is not None and len(word) > _DIGITS:
            raise NotJsonError(self.span((begin, begin + 1)), f"a number has more than {_DIGITS} digits")
        return _plain_string(string) if string else json.loads(word), (begin, token.end())

    def _members(self, members: Members, depth: int) -> Range:
        for key_token in self._entries("}"):
            key = _plain_string(key_token[2])
            begin = key_token.start(2)
            if key in members:
                raise NotJsonError(self.span((begin, key_token.end())), f"`{key[:60]}` stands twice in one object")
            next(self._tokens)  # the colon
            value, found = self._value(next(self._tokens), depth + 1)
            members[key], members.at[key], members.keys_at[key] = value, found, begin
        members.range = members.range[0], self._end
        return members.range

    def _items(self, items: Items, depth: int) -> Range:
        for token in self._entries("]"):
            value, found = self._value(token, depth + 1)
            items.append(value)
            items.at.append(found)
        items.range = items.range[0], self._end
        return items.range

    def _entries(self, close: str) -> Iterator[re.Match[str]]:
        """The first token of each entry up to the closing sign, whose end is kept."""
        for token in self._tokens:
            if token[1] == close:
                self._end = token.end()
                return
            if token[1] != ",":
                yield token


_DIGITS = 400


def _plain_string(token: str) -> str:
    return token[1:-1] if "\\" not in token else str(json.loads(token))


def _plain(message: str) -> str:
    """What Python's decoder says, as our messages do."""
    return message[:1].lower() + message[1:].removesuffix(" delimiter")
