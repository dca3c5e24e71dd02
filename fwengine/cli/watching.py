"""`check --watch`: asks again whenever a file changes that the answer hangs on."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import click

from ..errors import FwengineError, PolicyError
from ..sources.opening import expand, is_revision
from ..sources.source import read_file
from .failure import report
from .output import note

INTERVAL: Final = 0.5  # seconds between two looks
_INCLUDE = re.compile(r'^[ \t]*include[ \t]+"([^"\n]+)"', re.MULTILINE)

Seen = dict[str, tuple[int, int, int] | None]  # of each file what changes when it does; None if it is not there


def watchable(specs: Iterable[str]) -> None:
    """Refuses what cannot change.

    Raises:
        UsageError: for `-` and `REV:PATH`.
    """
    for spec in specs:
        if spec == "-" or is_revision(spec):
            raise click.UsageError(f"`--watch` looks at files, and `{spec}` is none")


def watch(
    ask: Callable[[], int],
    specs: Sequence[str],
    others: Sequence[str] = (),
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Asks, and again after every change of the files that are named, of those they include, and of the `others`.

    An interruption ends it; the exit code is that of the last answer, 130 if there was none.
    """
    code = 130
    try:
        now = seen(specs, others)
        code = _asked(ask)
        note(f"watching {len(now)} file{'s' * (len(now) != 1)}; Ctrl-C ends")
        while True:
            pause(INTERVAL)
            before, now = now, seen(specs, others)
            if now != before:
                changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
                note(f"changed: {', '.join(changed[:5])}{' and others' * (len(changed) > 5)}")
                code = _asked(ask)
    except KeyboardInterrupt:
        return code


def _asked(ask: Callable[[], int]) -> int:
    try:
        code = ask()
    except FwengineError as error:  # of a baseline, say: it may be mended while we look
        code = report(error)
    if sys.stdout is not None:
        sys.stdout.flush()
    return code


def seen(specs: Sequence[str], others: Sequence[str] = ()) -> Seen:
    """The present state of the files; a name that an `include` gives counts whether the file is there or not."""
    found: Seen = {}
    waiting = list(others)
    for spec in specs:
        try:
            waiting += expand([spec])
        except PolicyError:  # a folder without a policy, for now
            found[spec] = None
    while waiting:
        name = os.path.normpath(waiting.pop())
        if name in found:
            continue
        found[name] = _state(name)
        if name not in others:
            waiting += _included(name)
    return found


def _included(name: str) -> list[str]:
    try:
        text = read_file(name).decode("utf-8", "replace")
    except OSError:
        return []
    return [os.path.join(os.path.dirname(name), path) for path in _INCLUDE.findall(text)]  # noqa: PTH118, PTH120


def _state(name: str) -> tuple[int, int, int] | None:
    try:
        there = os.stat(name)  # noqa: PTH116  # ValueError: a NUL in the name
    except (OSError, ValueError):
        return None
    return there.st_mtime_ns, there.st_size, there.st_ino
