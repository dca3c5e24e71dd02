"""Flow logs through a policy on Dask: a task for each log or some row groups of it, and sums that add up in a tree.

The scheduler, its queue and its retries are Dask's. The policy is one value of the graph, that each worker gets once and makes its
tables of once. Needs the extra `dask`; workers must find the logs under the same names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final

from ..model.ruleset import RuleSet
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
        LimitError: if Dask is not here.
    """
    delayed = needed("dask", "dask", "this").delayed
    counter = delayed(Counter, pure=False)(policy, asked)
    count = delayed(count_part, pure=False, traverse=False)
    found = [
        count(counter, Piece(os.path.abspath(piece.path), piece.groups), reading, takes)  # noqa: PTH100  # no link is followed
        for piece in parts((os.fspath(log) for log in logs), groups)
    ]
    while len(found) > 1:
        found = [delayed(together, pure=False)(found[n : n + _FOLD]) for n in range(0, len(found), _FOLD)]
    return found[0]


def evaluate_flows(policy: RuleSet, logs: Iterable[str | os.PathLike[str]], **options: Any) -> Part:
    """What a policy does to the flows of logs, computed by the scheduler that Dask uses: a client's cluster if there is one.

    Arguments as for `graph`. What is wrong with a log is in `broken`.
    """
    found: Part = graph(policy, logs, **options).compute()
    return found
