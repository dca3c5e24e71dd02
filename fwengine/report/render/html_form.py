"""An answer as a page of HTML that loads nothing: failures first, then the answer's blocks. Needs the extra `report`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..answer import Answer
from ..failure import Failure
from ..page.shell import page
from . import Encode


def render(answer: Answer | None, failures: Sequence[Failure], encode: Encode) -> Iterator[str]:
    """The page, in one piece."""
    blocks = tuple(answer.blocks()) if answer is not None else ()
    yield page(
        "answer.html", command=answer.command if answer is not None else "", answer=blocks, failures=tuple(failures)
    )
