"""Logs on disk, on standard input, in folders -> batches of flows, and what could not be read. Knows no policy.

Lines are read once, forward, decompressed if need be; memory is that of the batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

from ..codes import NOT_A_LOG
from ..errors import CaptureError
from ..packets.source import STDIN, Source
from ..sources.operands import named_files
from .arrow import MAGIC, Piece, Rows, Scan
from .flow import Batch, Flow, Gathered, batches, settled
from .logs.detect import END, LINES, Numbered, Reader, Table, UnknownLogError, reader_of
from .logs.words import UnreadError
from .options import Opener, Reading
from .quick import Quick
from .sums import Unread

Progress = Callable[[int, int | None], object]
_HEAD: Final = 1 << 16  # bytes by which a log is known
_PIECE: Final = 1 << 23
_LONGEST: Final = 1 << 24  # bytes of a line


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
    """The files that operands name.

    Raises:
        CaptureError: if one names no file.
    """
    return named_files(specs, NOT_A_LOG)


def read(path: str, reading: Reading, left: Left, progress: Progress | None = None) -> Iterator[Batch]:
    """The flows of one log as batches, each to be used before the next is asked for; `left` takes all else, and is whole behind
    the last batch.

    Raises:
        CaptureError: if the log cannot be opened, is of no known kind, or its compression is damaged: then behind what was
            read before.
    """
    source = Source(path)
    try:
        head = source.peek(_HEAD)
        if source.failed is not None and not head:
            raise source.failed
        form = next((form for magic, form in MAGIC.items() if head.startswith(magic)), None)
        if form is not None:
            if source.file == STDIN:
                raise CaptureError(NOT_A_LOG, source.file, f"{form} cannot be read from a stream: name a file")
            yield from scanned(Piece(path), form, reading, left)
            return
        try:
            reader = reader_of(_first(head), reading.stated)
        except UnknownLogError as error:
            raise CaptureError(NOT_A_LOG, source.file, str(error)) from None
        stream = _Stream(source, left, progress)
        if Quick.takes(reader, reading):
            yield from _quickly(cast("Table", reader), stream, reading, left)
        else:
            yield from batches(_flows(reader, stream.lines(), reading, left))
        if left.error is not None:
            raise left.error
    finally:
        source.close()


def scanned(piece: Piece, form: str, reading: Reading, left: Left, *, threads: bool = True) -> Iterator[Batch]:
    """The flows of some rows of Parquet or Arrow; of a line number stands that of the row.

    Raises:
        CaptureError: as `read`.
        MissingExtraError: if pyarrow is not here.
    """
    scan = Scan(piece, form, reading, threads=threads)
    yield from of_batches(scan.rows, scan, reading, left)


def of_batches(rows: Rows, numbered: Iterable[tuple[int, Any]], reading: Reading, left: Left) -> Iterator[Batch]:
    """The flows of record batches, each with the number of its first row."""
    others = Gathered()
    for number, batch in numbered:
        found, odd, left_out = rows.plain(batch)
        left.left_out += left_out
        left.lines += batch.num_rows - len(odd)
        yield from found
        for at in odd:
            flow = _taken(number + at, rows.row(batch, at), reading, left)
            full = None if flow is None else others.add(flow)
            if full is not None:
                yield full
    yield from others.rest()


def _first(head: bytes) -> list[str]:
    """The first lines; the last of them may be cut short."""
    whole = head[: head.rfind(b"\n")] if len(head) >= _HEAD and b"\n" in head else head
    return [line.rstrip("\r") for line in whole.decode("utf-8", "replace").split("\n")[:LINES]]


def _quickly(table: Table, stream: _Stream, reading: Reading, left: Left) -> Iterator[Batch]:
    """A table's flows: the plain lines natively, all others as they come."""
    quick = Quick(table, reading)
    others = Gathered()
    done = 0
    for data in stream.pieces():
        while True:
            size, lines, left_out, odd, found = quick.read(data)
            yield from found
            left.left_out += left_out
            left.lines += lines - len(odd)
            for number, begin, end in odd:
                if done + number < table.header:
                    continue
                line = bytes(data[begin:end]).decode("utf-8", "replace")
                if line.startswith(END):
                    yield from others.rest()
                    return
                told = table.flow(line)
                flow = None if told is None else _taken(done + number + 1, told, reading, left)
                full = None if flow is None else others.add(flow)
                if full is not None:
                    yield full
            done += lines
            data = data[size:]
            if not lines:
                stream.keep(data)
                break
    yield from others.rest()


def _flows(reader: Reader, lines: Iterable[Numbered], reading: Reading, left: Left) -> Iterator[Flow]:
    for number, found in reader(lines):
        flow = _taken(number, found, reading, left)
        if flow is not None:
            yield flow


def _taken(number: int, found: Flow | UnreadError, reading: Reading, left: Left) -> Flow | None:
    """The flow, if it is one that was asked for."""
    left.lines += 1
    if isinstance(found, UnreadError):
        left.add(number, found)
        return None
    if reading.since is not None or reading.until is not None:
        moment = found.last if found.first is None else found.first
        if moment is None:
            left.add(number, UnreadError("no time is told, and `--since` or `--until` asks for it"))
            return None
        if (reading.since is not None and moment < reading.since) or (
            reading.until is not None and moment >= reading.until
        ):
            left.left_out += 1
            return None
    return found if found.opened else opened(found, reading.opener)


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


class _Stream:
    """A log's bytes as lines, or as pieces of some lines; what keeps the rest from being read goes to `left`."""

    def __init__(self, source: Source, left: Left, progress: Progress | None) -> None:
        self._source, self._left, self._progress = source, left, progress
        self._kept: Any = b""

    def _data(self) -> bytes:
        """The next bytes; none at the end, and where the rest cannot be read: what was read before is given first."""
        try:
            data = self._source.read()
        except CaptureError as error:
            self._left.error = error
            return b""
        if self._progress is not None:
            self._progress(self._source.position, self._source.size)
        return data

    def pieces(self) -> Iterator[memoryview]:
        """Bytes that end with a line feed, some megabytes of them, in front of them what was kept of the last."""
        whole = False
        while not whole:
            parts, size = [self._kept], len(self._kept)
            self._kept = b""
            while size < _PIECE and not whole:
                data = self._data()
                whole = not data
                parts.append(data)
                size += len(data)
            if self._left.error is None and whole and size:
                parts.append(b"\n")  # the last line may have none
            yield memoryview(b"".join(parts))
            if len(self._kept) > _LONGEST:
                self._left.error = self._too_long("a line")
                return

    def keep(self, rest: memoryview) -> None:
        """Of the last piece what is no whole line."""
        self._kept = bytes(rest)

    def lines(self) -> Iterator[Numbered]:
        number = 0
        rest = b""
        while data := self._data():
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
                self._left.error = self._too_long(f"line {number + 1}")
                return
        if rest and self._left.error is None:
            yield number + 1, rest.decode("utf-8", "replace").rstrip("\r")

    def _too_long(self, what: str) -> CaptureError:
        return CaptureError(NOT_A_LOG, self._source.file, f"{what} is longer than {_LONGEST >> 20} MiB")
