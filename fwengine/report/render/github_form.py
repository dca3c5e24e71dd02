"""Notes as GitHub's workflow commands, which annotate the lines of a pull request, one a line; failures come first.

What was set aside annotates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..answer import Answer, Note
from ..failure import Failure
from ..record import Place
from . import Encode

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(answer: Answer | None, failures: Sequence[Failure], encode: Encode) -> Iterator[str]:
    for failure in failures:
        yield _command("error", failure.record.place, failure.code, failure.told)
    for note in answer.notes() if answer else ():
        if note.aside is None:
            yield _command(_COMMANDS[note.severity], note.place, note.code, _told(note))


def _told(note: Note) -> Sequence[str]:
    return [part for part in (note.message, note.label, *note.notes, note.help and f"help: {note.help}") if part]


def _command(name: str, place: Place | None, title: str, told: Sequence[str]) -> str:
    properties = []
    if place is not None:
        properties.append(f"file={_property(place.file)}")
        if place.line is not None:
            properties.append(f"line={place.line},col={place.column},endLine={place.end_line}")
            if place.end_line == place.line:
                properties.append(f"endColumn={place.end_column}")
    properties.append(f"title={_property(title)}")
    return f"::{name} {','.join(properties)}::{_data(chr(10).join(told))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
