"""Logs on disk, on standard input, in folders -> batches of flows, and what could not be read. Knows no policy.

Lines are read once, forward, decompressed if need be; memory is that of the batches.
"""

from __future__ import annotations

import glob
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from ..codes import NOT_A_LOG
from ..errors import CaptureError
from ..packets.source import Source
from .flow import Batch, Flow, batches, settled
from .logs.detect import LINES, UNSTATED, Numbered, Reader, Stated, UnknownLogError, reader_of
from .logs.words import UnreadError
from .sums import Unread

Opener = Literal["open", "src", "lower-port"]
OPENERS: Final[tuple[Opener, ...]] = ("open", "src", "lower-port")
Progress = Callable[[int, int | None], object]
_LONGEST: Final = 1 << 24  # bytes of a line


@dataclass(frozen=True)
class Reading:
    """How logs are read.

    Attributes:
        stated: what they are, where they do not tell.
        opener: who opened a connection, where the log does not tell: *open*, that is either side; *src*; or the side with
            the higher port.
        since, until: milliseconds since 1970: flows that began then or later, and before; None for all.
    """

    stated: Stated = UNSTATED
    opener: Opener = "open"
    since: int | None = None
    until: int | None = None


EVERYTHING: Final = Reading()


@dataclass
class Left:
    """What is not in the batches: lines that were not taken for flows, by reason, and flows of other times."""

    file: str
    unread: dict[str, Unread] = field(default_factory=dict)
    left_out: int = 0
    lines: int = 0  # that were taken for flows, or could not be
    error: CaptureError | None = None  # what keeps the rest from being read

    def add(self, line: int, error: UnreadError) -> None:
        known = self.unread.get(error.reason)
        if known is None:
            self.unread[error.reason] = Unread(error.reason, 1, self.file, line, error.flawed)
        else:
            self.unread[error.reason] = known._replace(lines=known.lines + 1)


def expand(specs: Iterable[str]) -> list[str]:
    """The files that operands name: themselves, those that a pattern matches, all in a folder; sorted within each.

    Raises:
        CaptureError: if an operand names no file.
    """
    out: list[str] = []
    for spec in specs:
        if spec == "-":
            out.append(spec)
        elif Path(spec).is_dir():
            found = sorted(
                str(path) for path in Path(spec).rglob("*") if path.is_file() and not path.name.startswith(".")
            )
            if not found:
                raise CaptureError(NOT_A_LOG, spec, "there is no file in the folder")
            out += found
        elif glob.has_magic(spec) and not Path(spec).exists():
            found = sorted(path for path in glob.glob(spec, recursive=True) if Path(path).is_file())  # noqa: PTH207  # a pattern may begin at the root
            if not found:
                raise CaptureError(NOT_A_LOG, spec, "the pattern matches no file")
            out += found
        else:
            out.append(spec)
    return out


def read(path: str, reading: Reading, left: Left, progress: Progress | None = None) -> Iterator[Batch]:
    """The flows of one log as batches; `left` takes the others, and is whole behind the last batch.

    Raises:
        CaptureError: if the log cannot be opened, is of no known kind, or its compression is damaged: then behind what was
            read before.
    """
    source = Source(path)
    try:
        lines = _lines(source, left, progress)
        first = list(itertools.islice(lines, LINES))
        if left.error is not None and not first:
            raise left.error
        try:
            reader = reader_of([line for _, line in first], reading.stated)
        except UnknownLogError as error:
            raise CaptureError(NOT_A_LOG, source.file, str(error)) from None
        yield from batches(_flows(reader, itertools.chain(first, lines), reading, left))
        if left.error is not None:
            raise left.error
    finally:
        source.close()


def _flows(reader: Reader, lines: Iterable[Numbered], reading: Reading, left: Left) -> Iterator[Flow]:
    timed = reading.since is not None or reading.until is not None
    for number, found in reader(lines):
        left.lines += 1
        if isinstance(found, UnreadError):
            left.add(number, found)
            continue
        if timed:
            moment = found.last if found.first is None else found.first
            if moment is None:
                left.add(number, UnreadError("no time is told, and `--since` or `--until` asks for it"))
                continue
            if not (reading.since or -moment - 1) <= moment < (moment + 1 if reading.until is None else reading.until):
                left.left_out += 1
                continue
        yield found if found.opened else opened(found, reading.opener)


def opened(flow: Flow, opener: Opener) -> Flow:
    """The flow, opened by the side that `opener` says, where what it is does not tell."""
    flow = settled(flow)
    if flow.opened or opener == "open":
        return flow
    if opener == "src":
        return flow._replace(opened=True)
    if flow.sport is None or flow.dport is None or flow.sport == flow.dport:
        return flow
    return (flow if flow.sport > flow.dport else flow.reversed)._replace(opened=True)


def _data(source: Source, left: Left) -> bytes:
    """The next bytes; none at the end, and where the rest cannot be read: what was read before is given first."""
    try:
        return source.read()
    except CaptureError as error:
        left.error = error
        return b""


def _lines(source: Source, left: Left, progress: Progress | None) -> Iterator[Numbered]:
    number = 0
    rest = b""
    while data := _data(source, left):
        if progress is not None:
            progress(source.position, source.size)
        *whole, last = data.split(b"\n")
        if not whole:
            rest += last
        else:
            whole[0] = rest + whole[0]
            rest = last
        for line in whole:
            number += 1
            yield number, line.decode("utf-8", "replace").rstrip("\r")
        if len(rest) > _LONGEST:
            left.error = CaptureError(NOT_A_LOG, source.file, f"line {number + 1} is longer than {_LONGEST >> 20} MiB")
            return
    if rest and left.error is None:
        yield number + 1, rest.decode("utf-8", "replace").rstrip("\r")
