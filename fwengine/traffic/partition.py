"""Captures through a policy in parts: what an engine such as Dask or Spark calls for each of its partitions. Knows no engine.

A part is a capture, or a window of a big one (`packets.cutting`); its sums are a `parts.Part`.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from ..codes import NOT_A_CAPTURE
from ..errors import CaptureError
from ..model.ruleset import RuleSet, must_be_policies
from ..packets.cutting import windows
from ..packets.source import WHOLE, Window
from ..sources.operands import named_files
from .biggest import BigFlow, Biggest, Emptying
from .count import Engine, Found, Stated, chosen_classifier, count_natively, count_plainly, is_long, nothing_of
from .flows import Takes, flows_found
from .parts import Counts, Part, Run, together
from .sums import CaptureReport, Sums, report_of

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ..native import Classifier

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

SIZE: Final = 1 << 30  # bytes of a part: smaller captures are not cut, which costs walking through them
_AHEAD: Final = 4  # parts for each thread that may be counted before they are asked for


class Piece(NamedTuple):
    """A part of a capture: which of so many, and of which of the captures that were named."""

    path: str
    capture: int = 0
    number: int = 0
    parts: int = 1
    window: Window = WHOLE


def pieces(path: str, capture: int = 0, size: int = SIZE) -> list[Piece]:
    """The parts of one capture, of about so many bytes each."""
    found = windows(path, size)
    return [Piece(path, capture, number, len(found), window) for number, window in enumerate(found)]


def files_of(captures: Iterable[str | os.PathLike[str]]) -> list[str]:
    """The files that operands name, as other processes find them.

    Raises:
        CaptureError: if one names no file.
    """
    found = named_files([os.fspath(capture) for capture in captures], NOT_A_CAPTURE)
    return [os.path.abspath(path) for path in found]  # noqa: PTH100  # no link is followed


def tasks(captures: Iterable[tuple[int, str]], size: int = SIZE) -> list[list[Piece]]:
    """The parts of captures, each with its number: those of about so many bytes for themselves, small captures together."""
    out: list[list[Piece]] = []
    small: list[Piece] = []
    room = size
    for number, path in captures:
        found = pieces(path, number, size)
        if len(found) > 1:
            out += ([piece] for piece in found)
            continue
        small += found
        room -= _bytes_of(path)
        if room <= 0:
            out.append(small)
            small, room = [], size
    return [*out, small] if small else out


def _bytes_of(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return 0  # whoever opens it will say what is wrong


@dataclass(frozen=True)
class CapturesReport:
    """What a policy does to captures: the sums of all, each up to its damage if it has any, and what is `broken`, in their order."""

    captures: int
    report: CaptureReport
    broken: tuple[CaptureError, ...]
    biggest: Biggest | None = None
    fieldless: int = 0  # packets for `biggest` that have no flow

    def top(self, most: int) -> list[BigFlow]:
        """The flows of most packets, if they were asked for."""
        return [] if self.biggest is None else self.biggest.flows(most)


class CaptureCounter:
    """Captures under one policy, part after part; it may be sent to another process.

    Args:
        inbound, outbound, state, engine: as for `count.evaluate_capture`.
        takes: which packets' flows are told of, by verdict and deciding rule, such as `biggest.denied`; None for no flows.

    Raises:
        PacketError: if an interface or the state cannot be.
    """

    def __init__(
        self,
        policy: RuleSet,
        *,
        inbound: str | None = None,
        outbound: str | None = None,
        state: str = "new",
        engine: Engine = "auto",
        takes: Takes | None = None,
    ) -> None:
        must_be_policies("evaluate_captures", policy)
        self.policy = policy
        self._words = (inbound, outbound, state)
        self._engine, self._takes = engine, takes
        self._native: Classifier | None = None
        self._looked = False
        Stated(*self._words)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_native": None, "_looked": False}  # it is made where it is used

    def count(self, piece: Piece) -> Part:
        """The sums of one part.

        Raises:
            LimitError: if the engine asked for is not here, or does not take the policy.
        """
        found, table = self._found(piece)
        sums = found.sums
        counts = Counts(tuple(sums.packets), tuple(sums.octets), tuple(sums.recorded), dict(sums.kinds), found.met)
        if table is not None:
            table.empty()
            counts = replace(counts, biggest=table.biggest, fieldless=table.fieldless)
        ends = found.error is not None or piece.number + 1 == piece.parts
        run = Run(piece.number, piece.number + 1, ends, counts, found.error)
        return Part() + Part(runs={piece.capture: (run,)})

    def _found(self, piece: Piece) -> tuple[Found, Emptying | None]:
        stated, native = Stated(*self._words), self._classifier(piece)
        if self._takes is not None:
            table = Emptying(self._takes, native)
            return flows_found(self.policy, piece.path, table, stated, None, piece.window), table
        if native is not None:
            return count_natively(native, piece.path, stated, None, 1, None, piece.window), None
        return count_plainly(self.policy, piece.path, stated, None, piece.window), None

    def _classifier(self, piece: Piece) -> Classifier | None:
        if self._engine == "auto" and piece.parts == 1 and not is_long(piece.path):
            return None
        if not self._looked:
            self._native = chosen_classifier(self.policy, "-", self._engine)
            self._looked = True
        return self._native

    def count_all(self, task: Iterable[Piece]) -> Part:
        """The sums of the parts of a task."""
        return together(map(self.count, task))

    def report(self, part: Part, name: str = "total") -> CapturesReport:
        """What is told of the sums of all parts."""
        assert not part.runs, "parts are missing"
        counts, sums = part.counts, nothing_of(self.policy)
        if counts.packets:
            sums = Sums(list(counts.packets), list(counts.octets), list(counts.recorded), Counter(counts.kinds))
        told: Counter[str] = Counter()
        for (met, decoded), captures in part.seen.items():
            for note in Stated(*self._words).notes(self.policy, decoded, met):
                told[note] += captures
        several = part.captures > 1
        notes = list(told)
        if several:
            notes = [f"{told[note]:,} of {part.captures:,} captures: {note}" for note in sorted(told)]
        broken = tuple(part.broken[number] for number in sorted(part.broken))
        report = report_of(self.policy, name, sums, None if several or not broken else broken[0], tuple(notes))
        return CapturesReport(part.captures, report, broken, counts.biggest, counts.fieldless)


def in_order(work: Callable[[_Item], _Result], items: Iterable[_Item], jobs: int) -> Iterator[_Result]:
    """What comes of items, in their order, by so many threads; few results are there at a time."""
    if jobs <= 1:
        yield from map(work, items)
        return
    from concurrent.futures import ThreadPoolExecutor  # late, as `native.capture` does

    with ThreadPoolExecutor(jobs) as pool:
        waiting: deque[Future[_Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= jobs * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def evaluate_each(counter: CaptureCounter, captures: Sequence[str], jobs: int) -> Iterator[CaptureReport]:
    """The report on each capture, in their order, by so many threads, each with a capture of its own."""

    def report(path: str) -> CaptureReport:
        return counter.report(counter.count(Piece(path)), path).report

    yield from in_order(report, captures, jobs)


def evaluate_captures(
    policy: RuleSet, captures: Sequence[str | os.PathLike[str]], *, jobs: int = 1, size: int = SIZE, **options: Any
) -> CapturesReport:
    """What a policy does to captures (files, patterns, folders), part by part, on this machine. Memory does not grow with them.

    Args:
        jobs: threads, each of which counts parts by itself.
        size: bytes of a part; if there is one thread, nothing is cut.
        options: as for `CaptureCounter`.

    Raises:
        CaptureError: if an operand names no file. What is wrong with a capture is in the report's `broken`.
        PacketError, LimitError: as `CaptureCounter`.
    """
    counter = CaptureCounter(policy, **options)
    files = named_files([os.fspath(capture) for capture in captures], NOT_A_CAPTURE)
    every = (
        piece
        for number, path in enumerate(files)
        for piece in (pieces(path, number, size) if jobs > 1 else [Piece(path, number)])
    )
    total = together(in_order(counter.count, every, jobs))
    return counter.report(total, files[0] if len(files) == 1 else "total")
