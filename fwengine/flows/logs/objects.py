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
    held, begun = "", 0
    for number, line in lines:
        if not held:
            begun = number
        text = f"{held}\n{line}" if held else line
        held = ""
        at = _end(text, 0)
        while at < len(text):
            try:
                value, at = _decode(text, at)
            except (json.JSONDecodeError, RecursionError) as error:
                cut = isinstance(error, json.JSONDecodeError) and error.pos >= len(text.rstrip())
                if (cut or _open(text[at:])) and len(text) - at < MOST and text[at] == "{":
                    held = text[at:]
                else:
                    yield begun, None
                break
            yield begun, value
            begun = number
            at = _end(text, at)
    if held:
        yield begun, None


def _end(text: str, at: int) -> int:
    """Where the next object begins."""
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _open(text: str) -> bool:
    """Does the text end inside an object, as far as its braces tell?"""
    plain = re.sub(r'"(?:[^"\\]|\\.)*"?', "", text)
    return plain.count("{") + plain.count("[") > plain.count("}") + plain.count("]")
