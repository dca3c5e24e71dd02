"""Text that fits a width: long sets are cut short with a count, long lines go on below, indented."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SET = re.compile(r"\{ ([^{}]*) \}")
_BREAK = re.compile(r"(?<!\{) (?!\})")
_FEWEST = 2  # elements of a set that are shown


def shortened(text: str, width: int) -> str:
    """A region in which the longest sets are cut until it fits, at most down to two elements each.

    >>> shortened("tcp from { 10.0.0.1, 10.0.0.3, 10.0.0.5, 10.0.0.7 } to any", 46)
    'tcp from { 10.0.0.1, 10.0.0.3, … 2 more } to any'
    """
    while len(text) > width:
        sets = [(len(found[0]), found) for found in _SET.finditer(text) if len(found[1].split(", ")) > _FEWEST + 1]
        sets = [(length, found) for length, found in sets if "…" not in found[1]]
        if not sets:
            break
        _, found = max(sets, key=lambda pair: pair[0])
        items = found[1].split(", ")
        room = width - len(text) + len(found[0])
        kept = _FEWEST
        while kept + 2 < len(items) and len(_cut(items, kept + 1)) <= room:
            kept += 1
        text = text[: found.start()] + _cut(items, kept) + text[found.end() :]
    return text


def _cut(items: list[str], kept: int) -> str:
    return f"{{ {', '.join(items[:kept])}, … {len(items) - kept:,} more }}"


def clipped(text: str, width: int) -> str:
    """A name of at most a width.

    >>> clipped("net-number-12", 8)
    'net-num…'
    """
    return text if len(text) <= width else text[: width - 1] + "…"


def words(text: str) -> list[str]:
    """The parts of a text between which a line may end."""
    return _BREAK.split(text)


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> Iterator[str]:
    """Lines of at most a width where the text has blanks to break at, the first and the others with something in front.

    A brace stays with what stands beside it.

    >>> list(wrapped("tcp to not { office, web }", 14))
    ['tcp to not', '{ office,', 'web }']
    """
    if len(first) + len(text) <= width:
        yield first + text
        return
    rest = " " * len(first) if rest is None else rest
    line, empty = first, True
    for word in words(text):
        if not empty and len(line) + 1 + len(word) > width:
            yield line.rstrip()
            line, empty = rest, True
        line += word if empty else f" {word}"
        empty = False
    yield line.rstrip()
