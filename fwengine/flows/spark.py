"""Flow logs and captures through a policy on Spark: a function for `DataFrame.mapInArrow`, one for an RDD of parts of captures.

The policy is broadcast, so that each worker gets it once. Needs the extra `spark` on driver and workers.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from ..model.ruleset import RuleSet
from ..traffic import parts as of_captures
from ..traffic.partition import SIZE, CaptureCounter, CapturesReport, files_of, tasks
from .arrow import Rows
from .counting import Counter, Takes
from .extra import needed
from .meaning import PLAINLY, Asked
from .options import EVERYTHING, Reading
from .partition import Part, counted, together
from .reading import Left, of_batches

_FILES: Final = 16  # captures that one task cuts
SCHEMA: Final = "part binary"  # of what a partition gives: one row, its `Part` pickled


def evaluate_flows(
    policy: RuleSet, frame: Any, *, reading: Reading = EVERYTHING, asked: Asked = PLAINLY, takes: Takes | None = None
) -> Part:
    """What a policy does to the flows of a DataFrame whose columns are called as usual, or as `reading.stated` says.

    Line numbers of what cannot be read are those of rows within their partition.

    Raises:
        CaptureError: if the columns do not tell what is needed.
        MissingExtraError: if Spark is not here.
    """
    needed("pyspark", "spark", "Flow logs on Spark")
    chosen = Rows(frame.columns, reading, "<frame>").columns
    shared = frame.sparkSession.sparkContext.broadcast((Counter(policy, asked), reading, takes))

    def partition(batches: Iterable[Any]) -> Iterator[Any]:
        return of_partition(shared.value, chosen, batches)

    found = frame.select(*(frame[f"`{name}`"] for name in chosen)).mapInArrow(partition, SCHEMA).collect()
    return together(pickle.loads(bytes(row[0])) for row in found)  # noqa: S301  # our own


def of_partition(
    given: tuple[Counter, Reading, Takes | None], names: list[str], batches: Iterable[Any]
) -> Iterator[Any]:
    """One record batch with one row: the pickled `Part` of a partition's record batches."""
    counter, reading, takes = given
    left = Left("<frame>")
    part = counted(counter, of_batches(Rows(names, reading, left.file), _numbered(batches), reading, left), left, takes)
    yield needed("pyarrow", "spark", "Flow logs on Spark").RecordBatch.from_pydict({"part": [pickle.dumps(part)]})


def _numbered(batches: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    number = 1
    for batch in batches:
        if batch.num_rows:
            yield number, batch
            number += batch.num_rows


def evaluate_captures(
    policy: RuleSet, session: Any, captures: Sequence[str | os.PathLike[str]], *, size: int = SIZE, **options: Any
) -> CapturesReport:
    """What a policy does to captures (files, patterns, folders) that driver and workers find under the same names.

    Captures of more than `size` bytes are cut where a record begins: a task walks through each of them first. What is wrong with a
    capture is in the report's `broken`.

    Args:
        session: the `SparkSession`.
        options: as for `traffic.partition.CaptureCounter`.

    Raises:
        CaptureError: if an operand names no file.
        PacketError, LimitError: as `CaptureCounter`.
    """
    counter = CaptureCounter(policy, **options)
    files = files_of(captures)
    context = session.sparkContext
    shared = context.broadcast(counter)
    cut = context.parallelize(list(enumerate(files)), -(-len(files) // _FILES))
    found = cut.mapPartitions(lambda some: tasks(some, size)).collect()
    counted = context.parallelize(found, len(found)).map(lambda task: shared.value.count_all(task))
    part = counted.treeReduce(lambda one, other: of_captures.together((one, other)))
    return counter.report(part, files[0] if len(files) == 1 else "total")
