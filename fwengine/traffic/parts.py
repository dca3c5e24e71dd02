"""The sums of parts of captures: they add up in any order to those of the whole. Knows neither policies nor how parts are counted.

Parts of one capture that follow each other make a run; behind the first damage of a capture nothing counts, whichever part came first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..errors import CaptureError
from ..packets.capture import behind
from .biggest import Biggest
from .count import Met
from .sums import ROWS


@dataclass(frozen=True)
class Counts:
    """Packets counted by row (as `sums.Sums` has them), interfaces met, the biggest flows, and packets that have none."""

    packets: tuple[int, ...] = ()
    octets: tuple[int, ...] = ()
    recorded: tuple[tuple[int, int], ...] = ()
    kinds: Mapping[int, int] = field(default_factory=dict)
    met: Met = Met()  # noqa: RUF009  # a constant
    biggest: Biggest | None = None
    fieldless: int = 0

    @property
    def total(self) -> int:
        """All packets: those of the last row are in another, too."""
        return sum(self.packets[:-1])

    @property
    def decoded(self) -> bool:
        """Was there a packet to ask the rules about?"""
        return any(self.packets[:-ROWS])

    def __add__(self, other: object) -> Counts:
        if not isinstance(other, Counts):
            return NotImplemented
        if not self.packets or not other.packets:
            return self if self.packets else other
        biggest = self.biggest if other.biggest is None else other.biggest
        if self.biggest is not None and other.biggest is not None:
            biggest = self.biggest + other.biggest
        return Counts(
            tuple(map(int.__add__, self.packets, other.packets)),
            tuple(map(int.__add__, self.octets, other.octets)),
            tuple((a + c, b + d) for (a, b), (c, d) in zip(self.recorded, other.recorded, strict=True)),
            {kind: self.kinds.get(kind, 0) + other.kinds.get(kind, 0) for kind in {**self.kinds, **other.kinds}},
            self.met | other.met,
            biggest,
            self.fieldless + other.fieldless,
        )


class Run(NamedTuple):
    """Parts of a capture that follow each other: the first, the one behind the last, and whether the capture ends there."""

    first: int
    after: int
    ends: bool
    counts: Counts
    error: CaptureError | None = None


@dataclass(frozen=True)
class Part:
    """The sums of some parts; `+` is associative and commutative.

    Attributes:
        captures: how many are whole; `counts` are theirs.
        seen: how many of them have these interfaces, and packets for rules to decide: what notes come from.
        broken: what kept the others of them from being read to the end, by their number.
        runs: of captures of which parts are missing, by their number.
    """

    captures: int = 0
    counts: Counts = field(default_factory=Counts)
    seen: Mapping[tuple[Met, bool], int] = field(default_factory=dict)
    broken: Mapping[int, CaptureError] = field(default_factory=dict)
    runs: Mapping[int, tuple[Run, ...]] = field(default_factory=dict)

    def __add__(self, other: object) -> Part:
        if not isinstance(other, Part):
            return NotImplemented
        whole, seen = self.counts + other.counts, Counter(self.seen)
        seen.update(other.seen)
        captures, broken, runs = self.captures + other.captures, {**self.broken, **other.broken}, {}
        for number in {**self.runs, **other.runs}:
            if number in broken:
                continue  # behind the damage
            found = _joined((*self.runs.get(number, ()), *other.runs.get(number, ())))
            first = found[0]
            if first.first or not first.ends:
                runs[number] = found
                continue
            captures, whole = captures + 1, whole + first.counts
            seen[first.counts.met, first.counts.decoded] += 1
            if first.error is not None:
                broken[number] = first.error
        return Part(captures, whole, dict(seen), broken, runs)


def _joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Runs of one capture, one behind the other as one; what lies behind damage is left out."""
    out: list[Run] = []
    for run in sorted(runs, key=lambda run: run.first):
        last = out[-1] if out else None
        if last is not None and last.after == run.first:
            error = run.error and behind(run.error, last.counts.total)
            out[-1] = Run(last.first, run.after, run.ends, last.counts + run.counts, error)
        else:
            out.append(run)
        if run.ends:
            break
    return tuple(out)


def together(parts: Iterable[Part]) -> Part:
    """The sum of parts, in whatever order they come."""
    total = Part()
    for part in parts:
        total += part
    return total
