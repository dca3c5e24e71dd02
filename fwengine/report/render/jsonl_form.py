"""An answer as lines of JSON: one for each row, one `{"error": …}` for each failure, and at last one `{"summary": …}`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..answer import Answer
from ..failure import Failure
from ..record import keys
from . import FORMAT_VERSION, Encode
from .json_text import Writer


def render(answer: Answer | None, failures: Sequence[Failure], encode: Encode) -> Iterator[str]:
    """The summary has what JSON has beside the rows; if there is no answer, there is none."""
    writer = Writer(encode)
    if answer is not None:
        for row in getattr(answer, answer.rows) if answer.rows else ():
            yield writer.text(row)
    for failure in failures:
        yield writer.text({"error": failure.record})
    if answer is not None:
        others = {key.rstrip("_"): getattr(answer, key) for key in keys(type(answer)) if key != answer.rows}
        yield writer.text({"summary": {"format_version": FORMAT_VERSION, "command": answer.command, **others}})
