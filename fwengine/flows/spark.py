"""Flow logs through a policy on Spark: a function for `DataFrame.mapInArrow`, and the sums of what it gives.

The policy is broadcast, so that each worker gets it once. Needs the extra `spark` on driver and workers.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ..model.ruleset import RuleSet
from .arrow import Rows
from .counting import Counter, Takes
from .extra import needed
from .meaning import PLAINLY, Asked
from .options import EVERYTHING, Reading
from .partition import Part, counted, together
from .reading import Left, of_batches

SCHEMA: Final = "part binary"  # of what a partition gives: one row, its `Part` pickled


def evaluate_flows(
    policy: RuleSet, frame: Any, *, reading: Reading = EVERYTHING, asked: Asked = PLAINLY, takes: Takes | None = None
) -> Part:
    """What a policy does to the flows of a DataFrame whose columns are called as usual, or as `reading.stated` says.

    Line numbers of what cannot be read are those of rows within their partition.

    Raises:
        CaptureError: if the columns do not tell what is needed.
        LimitError: if Spark or pyarrow is not here.
    """
    needed("pyspark", "spark", "this")
    chosen = Rows(frame.columns, reading, "<frame>").columns
    shared = frame.sparkSession.sparkContext.broadcast(pickle.dumps((Counter(policy, asked), reading, takes)))

    def partition(batches: Iterable[Any]) -> Iterator[Any]:
        return of_partition(pickle.loads(shared.value), chosen, batches)  # noqa: S301  # our own

    found = frame.select(*(frame[f"`{name}`"] for name in chosen)).mapInArrow(partition, SCHEMA).collect()
    return together(pickle.loads(bytes(row[0])) for row in found)  # noqa: S301  # as above


def of_partition(
    given: tuple[Counter, Reading, Takes | None], names: list[str], batches: Iterable[Any]
) -> Iterator[Any]:
    """One record batch with one row: the pickled `Part` of a partition's record batches."""
    counter, reading, takes = given
    left = Left("<frame>")
    part = counted(counter, of_batches(Rows(names, reading, left.file), _numbered(batches), reading, left), left, takes)
    yield needed("pyarrow", "spark", "this").RecordBatch.from_pydict({"part": [pickle.dumps(part)]})


def _numbered(batches: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    number = 1
    for batch in batches:
        if batch.num_rows:
            yield number, batch
            number += batch.num_rows
