"""JSON in a log -> its objects, one by one with their lines: a line each, a list of them, or `{"records": [...]}`.

A line that is not JSON costs that line alone. Memory is one object's, 16 MiB at most.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

MOST: Final = 1 << 24  # characters of an object
_BETWEEN = re.compile(r"(?:[\s,\[]|\{\s*\"records\"\s*:\s*\[|\][\s,}]*)*")
_decode = json.JSONDecoder().raw_decode


def objects(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, Any]]:
    """Each object with the number of the line on which it begins; None for what is not JSON.

    >>> list(objects([(1, '{"a": 1}'), (2, '{"a"'), (3, ': 2}, {'), (4, '}')]))
    [(1, {'a': 1}), (2, {'a': 2}), (3, {})]
    """
    held = _Held()
    for number, line in lines:
        if held.parts:
            if held.ends_before(line):
                yield held.begun, None
                held = _Held()
            elif not held.add(line):
                continue
        begun = held.begun if held.parts else number
        text = "\n".join(held.parts) if held.parts else line
        held = _Held()
        at = _end(text, 0)
        while at < len(text):
            try:
                value, at = _decode(text, at)
            except (json.JSONDecodeError, RecursionError):
                if text[at] == "{" and _balance(text[at:]) > 0 and len(text) - at < MOST:
                    held.begin(begun, text[at:])
                else:
                    yield begun, None
                break
            yield begun, value
            begun = number
            at = _end(text, at)
    if held.parts:
        yield held.begun, None


class _Held:
    """An object that goes on behind its line."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.begun = self._depth = self._size = 0

    def begin(self, begun: int, text: str) -> None:
        self.parts, self.begun, self._depth, self._size = [text], begun, _balance(text), len(text)

    def add(self, line: str) -> bool:
        """Takes in the next line; may the object be whole now, or too large?"""
        self.parts.append(line)
        self._depth += _balance(line)
        self._size += len(line)
        return self._depth <= 0 or self._size > MOST

    def ends_before(self, line: str) -> bool:
        """Was it cut short? So it was if it is a line of many things, and the next one is an object by itself."""
        if line[:1] != "{" or self.parts[0].strip() == "{":
            return False
        try:
            return _decode(line)[1] == len(line.rstrip())
        except (json.JSONDecodeError, RecursionError):
            return False


def _end(text: str, at: int) -> int:
    """Where the next object begins."""
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _balance(text: str) -> int:
    """How many brackets are opened and not closed, outside of texts."""
    plain = re.sub(r'"(?:[^"\\]|\\.)*"?', "", text)
    return plain.count("{") + plain.count("[") - plain.count("}") - plain.count("]")
