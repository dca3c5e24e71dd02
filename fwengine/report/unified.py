"""Unified diffs of texts, exact: what `patch` is given it can follow, whatever the lines hold and however the last one ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from .screen import visible
from .style import Style

UNENDED: Final = "\\ No newline at end of file"


def lines_of(text: str) -> list[str]:
    """The lines of a text with their line feeds; nothing else ends a line.

    >>> lines_of("a\\nb")
    ['a\\n', 'b']
    """
    *ended, last = text.split("\n")
    return [f"{line}\n" for line in ended] + [last] * bool(last)


def unified(before: str, after: str, name: str) -> tuple[str, ...]:
    """The lines of the diff, without line feeds; none if nothing differs."""
    from difflib import unified_diff  # late: most commands need none

    out: list[str] = []
    for line in unified_diff(lines_of(before), lines_of(after), name, name):
        out += [line[:-1]] if line.endswith("\n") else [line, UNENDED]
    return tuple(out)


def diff_lines(diff: Iterable[str], style: Style) -> Iterator[str]:
    """A unified diff, in colours; tabs stay, so that it can be followed."""
    for line in diff:
        shown = "\t".join(map(visible, line.split("\t")))
        yield style(shown, {"+": "green", "-": "red"}.get(line[:1]))
