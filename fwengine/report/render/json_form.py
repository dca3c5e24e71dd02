"""An answer as one JSON document: the version of the form, the answer's fields, what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..answer import Answer
from ..failure import Failure
from . import FORMAT_VERSION, Encode


def render(answer: Answer | None, failures: Sequence[Failure], encode: Encode) -> Iterator[str]:
    """The keys of an answer are those of its record; without one `errors` stand alone."""
    head = {"format_version": FORMAT_VERSION}
    errors = [failure.record.to_dict() for failure in failures]
    if answer is None:
        yield encode({**head, "errors": errors}, 2)
    else:
        yield encode({**head, "command": answer.command, **answer.to_dict(), "errors": errors}, 2)
