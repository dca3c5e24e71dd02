"""An answer as one JSON document: the version of the form, the answer's fields, what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..answer import Answer
from ..failure import Failure
from ..record import keys
from . import FORMAT_VERSION, Encode
from .json_text import Writer


def render(answer: Answer | None, failures: Sequence[Failure], encode: Encode) -> Iterator[str]:
    """The keys of an answer are those of its record; without one `errors` stand alone. A row at a time: there may be very many."""
    writer = Writer(encode, indented=True)
    yield "{"
    yield f'  "format_version": "{FORMAT_VERSION}",'
    if answer is not None:
        yield f'  "command": "{answer.command}",'
        for key in keys(type(answer)):
            head, value = f'  "{key.rstrip("_")}": ', getattr(answer, key)
            if key == answer.rows and value:
                yield f"{head}["
                last = len(value) - 1
                for n, row in enumerate(value):
                    yield f"    {writer.text(row, 2)}{',' if n < last else ''}"
                yield "  ],"
            else:
                yield f"{head}{writer.text(value, 1)},"
    yield f'  "errors": {writer.text([failure.record for failure in failures], 1)}'
    yield "}"
