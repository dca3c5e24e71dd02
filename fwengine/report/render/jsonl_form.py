"""An answer as lines of JSON: one for each row, one `{"error": …}` for each failure, and at last one `{"summary": …}`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..answer import Answer
from ..failure import Failure
from . import FORMAT_VERSION, Encode


def render(answer: Answer | None, failures: Sequence[Failure], encode: Encode) -> Iterator[str]:
    """The summary has what JSON has beside the rows; if there is no answer, there is none."""
    if answer is not None:
        for row in answer.row_dicts():
            yield encode(row, None)
    for failure in failures:
        yield encode({"error": failure.record.to_dict()}, None)
    if answer is not None:
        yield encode(
            {"summary": {"format_version": FORMAT_VERSION, "command": answer.command, **answer.summary()}}, None
        )
