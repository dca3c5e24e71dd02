"""One part of many logs: what an engine such as Dask or Spark calls for each of its partitions. Knows no engine.

A part is a log, or some row groups of a Parquet file. Its sums are values that add up in any order; what is wrong with a log is
told among them, so that no part fails for what every other worker would fail for, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..errors import CaptureError
from .arrow import Piece, pieces
from .counting import Counter, Takes
from .flow import Batch
from .options import Reading
from .reading import Left, expand, read, scanned
from .running import Running
from .sums import FlowSums, Row
from .top import Top


@dataclass(frozen=True)
class Broken:
    """A log that could not be read (any further), and why."""

    file: str
    error: CaptureError


@dataclass(frozen=True)
class Part:
    """The sums of some parts; `+` is associative and commutative."""

    sums: FlowSums = field(default_factory=FlowSums)
    top: Top | None = None
    broken: tuple[Broken, ...] = ()

    def __add__(self, other: object) -> Part:
        if not isinstance(other, Part):
            return NotImplemented
        top = self.top if other.top is None else other.top if self.top is None else self.top + other.top
        broken = {(one.file, str(one.error)): one for one in (*self.broken, *other.broken)}
        return Part(self.sums + other.sums, top, tuple(broken[key] for key in sorted(broken)))


def not_allowed(row: Row) -> bool:
    """Of the biggest flows those that are not allowed: what `takes` may be, and can be sent to another process."""
    return row.fared.fate != "allow"


def parts(logs: Iterable[str], groups: int = 4) -> list[Piece]:
    """The parts of logs: of a Parquet file so many row groups each.

    Raises:
        CaptureError: if an operand names no file.
    """
    return [piece for path in expand(logs) for piece in pieces(path, groups)]


def count_part(counter: Counter, piece: Piece, reading: Reading, takes: Takes | None = None) -> Part:
    """The sums of one part."""
    left = Left(piece.path)
    try:
        flows = (
            read(piece.path, reading, left)
            if piece.groups is None
            else scanned(piece, "parquet", reading, left, threads=False)
        )
        return counted(counter, flows, left, takes)
    except CaptureError as error:
        return Part(broken=(Broken(piece.path, error),))


def counted(counter: Counter, flows: Iterable[Batch], left: Left, takes: Takes | None = None) -> Part:
    """The sums of batches, up to what keeps the rest from being read."""
    top = None if takes is None else Top()
    sums, running = FlowSums(), Running(counter)
    broken: tuple[Broken, ...] = ()
    try:
        for batch in flows:
            if top is None or takes is None:
                running.add(batch)
            else:
                sums += counter.top(batch, top, takes)
    except CaptureError as error:
        broken = (Broken(left.file, error),)
    return Part(sums + running.sums() + FlowSums(unread=left.unread, left_out=left.left_out), top, broken)


def together(found: Iterable[Part]) -> Part:
    """The sum of parts, in whatever order they come."""
    total = Part()
    for part in found:
        total += part
    return total


__all__ = ["Broken", "Part", "Piece", "count_part", "counted", "not_allowed", "parts", "together"]
