"""An answer as comma-separated values (RFC 4180, lines ended as everywhere else); failures are told on stderr."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ..answer import Answer


def render(answer: Answer) -> Iterator[str]:
    """The rows of its sheet, in one piece."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(answer.sheet())
    yield stream.getvalue().rstrip("\n")
