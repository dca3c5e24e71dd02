"""How far a long command has come: a bar on a terminal, for people who wait, gone when the work is done."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from ..report.screen import visible

PATIENCE = 0.5  # seconds of work without a bar
PACE = 0.1  # and between two drawings of it
_WIDTH = 30
_NAME = 40
_CLEAR = "\r\x1b[K"

Progress = Callable[[int, int | None], object]


@contextmanager
def progress_bar(
    name: str, stream: TextIO | None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Progress | None]:
    """On a terminal, a bar once the work takes longer than `PATIENCE`; what it yields takes position and size."""
    if stream is None or not stream.isatty():
        yield None
        return
    bar = _Bar(name, stream, clock)
    try:
        yield bar
    finally:
        bar.clear()


class _Bar:
    def __init__(self, name: str, stream: TextIO, clock: Callable[[], float]) -> None:
        shown = visible(name)
        self._name = shown if len(shown) <= _NAME else f"…{shown[1 - _NAME :]}"
        self._stream, self._clock = stream, clock
        self._next = clock() + PATIENCE
        self._drawn = False

    def __call__(self, position: int, size: int | None) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next = now + PACE
        self._drawn = True
        self._write(f"{_CLEAR}{self._name}  {_measure(position, size)}")

    def clear(self) -> None:
        if self._drawn:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        data = text.encode(self._stream.encoding or "utf-8", "replace").decode(self._stream.encoding or "utf-8")
        try:
            self._stream.write(data)
            self._stream.flush()
        except OSError:
            self._next = float("inf")  # nobody sees it any more, and the answer is none of its business


def _measure(position: int, size: int | None) -> str:
    """How much is done; of what has no size, as of a pipe, how much was read."""
    if not size:
        return f"{position / 1e6:,.1f} MB read"
    share = min(1.0, position / size)
    done = int(share * _WIDTH)
    return f"[{'#' * done}{'-' * (_WIDTH - done)}] {share:4.0%}"


def screen_for(format_: str) -> TextIO | None:
    """Where a bar may be drawn: on stderr, unless a program reads the answer as a whole."""
    return None if format_ == "json" or os.environ.get("TERM") == "dumb" else sys.stderr


def screen_beside_lines(format_: str) -> TextIO | None:
    """As `screen_for`, where the answer comes bit by bit: a bar would stand between its lines."""
    return None if sys.stdout is not None and sys.stdout.isatty() else screen_for(format_)
