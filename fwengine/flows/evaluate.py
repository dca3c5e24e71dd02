"""Flow logs through a policy: one after another, in sums that say what becomes of all their flows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from ..errors import CaptureError
from ..model.address import Family
from ..model.ruleset import RuleSet
from .arrow import pieces
from .counting import Counter, Takes
from .meaning import PLAINLY, Asked
from .options import EVERYTHING, Reading
from .partition import Part, count_part, together
from .reading import Left, Progress, expand, read
from .running import Running
from .sums import FlowSums
from .top import Top

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


@dataclass(frozen=True)
class LogSums:
    """What becomes of one log's flows, up to its damage if it has any."""

    file: str
    sums: FlowSums
    error: CaptureError | None = None


@dataclass(frozen=True)
class FlowReport:
    """What becomes of the flows of some logs, and of each: see `sums`."""

    sums: FlowSums
    logs: tuple[LogSums, ...]
    top: Top | None = None

    @property
    def flows(self) -> int:
        return self.sums.flows

    def count(self, fate: str) -> int:
        """The flows with this fate: `allow`, `deny`, `one way` or `depends`."""
        return self.sums.total(fate).flows  # type: ignore[arg-type]  # others have none


def evaluate_flows(
    policy: RuleSet,
    logs: Paths,
    *,
    reading: Reading = EVERYTHING,
    asked: Asked = PLAINLY,
    jobs: int = 1,
    takes: Takes | None = None,
    progress: Callable[[str], AbstractContextManager[Progress | None]] | None = None,
) -> FlowReport:
    """What a policy does to the flows of logs: files, patterns, folders, `-` for standard input.

    Args:
        reading: how the logs are read; asked: how the policy is asked about their flows.
        jobs: threads that share the work of the native module.
        takes: which flows are told of one by one, by what becomes of them: the report's `top` has the biggest of these.
        progress: makes of a log's name what is called with the bytes read so far and the file's size, if that is known.

    Raises:
        CaptureError: if an operand names no file. What is wrong with a log itself is in its `LogSums`.
        LimitError: if the policy tells apart too much of what the logs leave open.
    """
    paths = [logs] if isinstance(logs, str | os.PathLike) else list(logs)
    counter = Counter(policy, asked, jobs)
    top = None if takes is None else Top()
    found = []
    for path in expand(os.fspath(path) for path in paths):
        with nullcontext() if progress is None else progress(path) as shown:
            found.append(evaluate_log(counter, path, reading, shown, top=top, takes=takes))
    return FlowReport(sum((log.sums for log in found), FlowSums()), tuple(found), top)


def evaluate_log(
    counter: Counter,
    path: str,
    reading: Reading,
    progress: Progress | None = None,
    *,
    top: Top | None = None,
    takes: Takes | None = None,
) -> LogSums:
    """The sums of one log; the flows that it `takes` are added to `top`. Row groups of Parquet are shared by the counter's threads."""
    parted = _parted(counter, path, reading, takes) if counter.jobs > 1 else None
    if parted is not None:
        if top is not None and parted.top is not None:
            top.take(parted.top)
        return LogSums(path, parted.sums)
    left = Left("<stdin>" if path == "-" else path)
    running = Running(counter)
    sums = FlowSums()
    error = None
    try:
        for batch in read(path, reading, left, progress):
            if top is None or takes is None:
                running.add(batch)
            else:
                sums += counter.top(batch, top, takes)
    except CaptureError as caught:
        error = caught
    return LogSums(left.file, replace(sums + running.sums(), unread=left.unread, left_out=left.left_out), error)


def _parted(counter: Counter, path: str, reading: Reading, takes: Takes | None) -> Part | None:
    """The sums of a Parquet file's row groups, by several threads; None for other logs, and for one that is damaged: how far it
    can be read does not depend on threads."""
    found = [] if path == "-" else pieces(path, 1)
    if len(found) < 2:
        return None
    families: tuple[Family, ...] = (4, 6)
    for family in families:  # made once, before all threads want them
        counter.classifier.native_table(family)
    pool = ThreadPoolExecutor(counter.jobs)
    try:
        part = together(pool.map(lambda piece: count_part(counter, piece, reading, takes), found))
    finally:
        pool.shutdown(cancel_futures=True)
    return None if part.broken else part
