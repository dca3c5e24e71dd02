"""Flow logs and captures through a policy on Dask: a task for each part of them, and sums that add up in a tree.

The scheduler, its queue and its retries are Dask's. The policy is one value of the graph, that each worker gets once and makes its
tables of once. Needs the extra `dask`; workers must find the files under the same names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from ..model.ruleset import RuleSet
from ..traffic import parts as of_captures
from ..traffic.partition import SIZE, CaptureCounter, CapturesReport, files_of, tasks
from .counting import Counter, Takes
from .extra import needed
from .meaning import PLAINLY, Asked
from .options import EVERYTHING, Reading
from .partition import Part, Piece, count_part, parts, together

_FOLD: Final = 16  # sums that one task adds up


def graph(
    policy: RuleSet,
    logs: Iterable[str | os.PathLike[str]],
    *,
    reading: Reading = EVERYTHING,
    asked: Asked = PLAINLY,
    groups: int = 4,
    takes: Takes | None = None,
) -> Any:
    """The sums of logs as one `dask.delayed.Delayed`, a `Part` once it is computed, by whatever scheduler Dask is told to use.

    Args:
        groups: row groups of a Parquet file in one task; arguments else as for `evaluate.evaluate_flows`.
        takes: must be a function that can be sent to another process, such as `partition.not_allowed`.

    Raises:
        CaptureError: if an operand names no file.
        MissingExtraError: if Dask is not here.
    """
    delayed = needed("dask", "dask", "Flow logs on Dask").delayed
    counter = delayed(Counter, pure=False)(policy, asked)
    count = delayed(count_part, pure=False, traverse=False)
    found = [
        count(counter, Piece(os.path.abspath(piece.path), piece.groups), reading, takes)  # noqa: PTH100  # no link is followed
        for piece in parts((os.fspath(log) for log in logs), groups)
    ]
    return _folded(delayed, together, found)


def _folded(delayed: Any, add: Callable[[list[Any]], Any], found: list[Any]) -> Any:
    """One value of several, that add up in any order."""
    while len(found) > 1:
        found = [delayed(add, pure=False)(found[n : n + _FOLD]) for n in range(0, len(found), _FOLD)]
    return found[0]


def evaluate_flows(policy: RuleSet, logs: Iterable[str | os.PathLike[str]], **options: Any) -> Part:
    """What a policy does to the flows of logs, computed by the scheduler that Dask uses: a client's cluster if there is one.

    Arguments as for `graph`. What is wrong with a log is in `broken`.
    """
    found: Part = graph(policy, logs, **options).compute()
    return found


def evaluate_captures(
    policy: RuleSet, captures: Sequence[str | os.PathLike[str]], *, size: int = SIZE, **options: Any
) -> CapturesReport:
    """What a policy does to captures (files, patterns, folders), by the scheduler that Dask uses.

    Captures of more than `size` bytes are cut where a record begins: a task walks through each of them first. What is wrong with a
    capture is in the report's `broken`.

    Args:
        options: as for `traffic.partition.CaptureCounter`.

    Raises:
        CaptureError: if an operand names no file.
        PacketError, LimitError: as `CaptureCounter`.
        MissingExtraError: if Dask is not here.
    """
    dask = needed("dask", "dask", "Captures on Dask")
    delayed = dask.delayed
    asked = CaptureCounter(policy, **options)
    files = files_of(captures)
    cut = delayed(tasks, pure=False, traverse=False)
    numbered = list(enumerate(files))
    cuts = dask.compute(*(cut(numbered[n : n + _FOLD], size) for n in range(0, len(numbered), _FOLD)))
    counter = delayed(CaptureCounter, pure=False)(policy, **options)
    count = delayed(CaptureCounter.count_all, pure=False, traverse=False)
    found = [count(counter, task) for some in cuts for task in some]
    (part,) = dask.compute(_folded(delayed, of_captures.together, found))
    return asked.report(part, files[0] if len(files) == 1 else "total")
