"""Flow logs through two policies: the flows whose fate changes, counted by what becomes of them before and after.

Knows policies and columns, and no logs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ..errors import CaptureError
from ..model.ruleset import RuleSet
from .counting import Counter, grouped, key_of, told_of
from .flow import Batch
from .meaning import FATES, PLAINLY, Asked, Fared
from .options import EVERYTHING, Reading
from .reading import Left, Progress, expand, read
from .sums import NONE, FlowSums, Tally
from .top import Key, Top


class Change(NamedTuple):
    """What becomes of flows under the old policy, and under the new one."""

    old: Fared
    new: Fared


@dataclass
class ChangeSums:
    """Flows whose fate changes; `+` is associative and commutative. `all` are the flows, changed or not; `unread` as in `FlowSums`."""

    rows: Mapping[Change, Tally] = field(default_factory=dict)
    all: Tally = NONE
    top: Top = field(default_factory=Top)
    left: FlowSums = field(default_factory=FlowSums)

    def __add__(self, other: object) -> ChangeSums:
        if not isinstance(other, ChangeSums):
            return NotImplemented
        rows = dict(self.rows)
        for change, tally in other.rows.items():
            rows[change] = rows.get(change, NONE) + tally
        return ChangeSums(rows, self.all + other.all, self.top + other.top, self.left + other.left)


class Comparison:
    """Flows under two policies, batch after batch; it may be sent to another process."""

    def __init__(self, old: RuleSet, new: RuleSet, asked: Asked = PLAINLY, jobs: int = 1) -> None:
        self._old, self._new = (Counter(policy, asked, jobs) for policy in (old, new))

    def count(self, batch: Batch, into: ChangeSums) -> ChangeSums:
        """The sums with those of one batch; the biggest flows are added to those of `into`."""
        before = self._old.indices(batch)
        found = [*before, *self._new.indices(batch)]
        rows = dict(into.rows)
        total = into.all
        changed: dict[tuple[int, ...], Change] = {}
        for (indices, _), tally in grouped(batch, found).items():
            total += tally
            change = Change(
                self._old.fate(batch.kind, indices[: len(before)])[0],
                self._new.fate(batch.kind, indices[len(before) :])[0],
            )
            if change.old.fate != change.new.fate:
                rows[change] = rows.get(change, NONE) + tally
                changed[indices] = change
        if changed:
            self._add(batch, found, changed, into.top)
        return replace(into, rows=rows, all=total)

    @staticmethod
    def _add(batch: Batch, found: list[Any], changed: Mapping[tuple[int, ...], Change], top: Top) -> None:
        sums: dict[Key, Tally] = {}
        _, octets, packets, first, last = told_of(batch)
        for row, indices in enumerate(zip(*found, strict=True)):
            change = changed.get(indices)
            if change is not None:
                fate = 4 * FATES.index(change.old.fate) + FATES.index(change.new.fate)
                key = key_of(batch, row, fate, change.new.first)
                sums[key] = sums.get(key, NONE) + Tally(1, octets[row], packets[row], first[row], last[row])
        for key, tally in sums.items():
            top.add(key, tally)


def compare_flows(
    old: RuleSet,
    new: RuleSet,
    logs: Iterable[str | os.PathLike[str]],
    *,
    reading: Reading = EVERYTHING,
    asked: Asked = PLAINLY,
    jobs: int = 1,
    progress: Callable[[str], AbstractContextManager[Progress | None]] | None = None,
) -> tuple[ChangeSums, list[tuple[str, FlowSums, CaptureError | None]]]:
    """The flows of logs whose fate changes from one policy to the other; and of each log what could not be read, with how many flows
    there were. Arguments as for `evaluate.evaluate_flows`.

    Raises:
        CaptureError: if an operand names no file.
        LimitError: if a policy tells apart too much of what the logs leave open.
    """
    comparison = Comparison(old, new, asked, jobs)
    sums = ChangeSums()
    each: list[tuple[str, FlowSums, CaptureError | None]] = []
    for path in expand(os.fspath(log) for log in logs):
        left = Left("<stdin>" if path == "-" else path)
        before = sums.all.flows
        error = None
        with nullcontext() if progress is None else progress(path) as shown:
            try:
                for batch in read(path, reading, left, shown):
                    sums = comparison.count(batch, sums)
            except CaptureError as caught:
                error = caught
        told = FlowSums(unread=left.unread, left_out=left.left_out + sums.all.flows - before)
        each.append((left.file, told, error))
        sums = replace(sums, left=sums.left + FlowSums(unread=left.unread, left_out=left.left_out))
    return sums, each
