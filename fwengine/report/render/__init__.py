"""Answers in every form. Each renderer takes any answer, or none, and the failures beside it, and knows no command.

>>> from fwengine.report.render import FORMS
>>> sorted(FORMS)
['github', 'html', 'json', 'jsonl', 'junit', 'markdown', 'sarif', 'text']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, Final

from ..answer import Answer
from ..failure import Failure
from ..style import Style
from . import text_form

FORMAT_VERSION: Final = "2.0"
FORMS: Final = ("text", "json", "jsonl", "markdown", "github", "sarif", "junit", "html")
Encode = Callable[[Any, int | None], str]  # JSON of a value, indented or on one line


def render(
    answer: Answer | None,
    form: str,
    failures: Sequence[Failure] = (),
    *,
    style: Style | None = None,
    encode: Encode | None = None,
) -> Iterator[str]:
    """An answer, if there is one, and what went wrong, in one of `FORMS`: stretches of lines, each without the last line feed.

    `style` is for text alone, where failures are not told: they stand on stderr. `encode` writes JSON.

    Raises:
        ValueError: for another form.
    """
    if form not in FORMS:
        raise ValueError(f"no form `{form}`: one of {', '.join(FORMS)}")
    if form == "text":
        yield from text_form.render(answer, style or Style(False))
        return
    renderer = import_module(f".{form}_form", __package__)
    yield from renderer.render(answer, failures, encode or _encode)


def _encode(value: Any, indent: int | None) -> str:
    import json

    return json.dumps(value, indent=indent)
