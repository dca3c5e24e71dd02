"""What commands write: answers on stdout, remarks on stderr. Nothing from outside passes as a control character."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import click

if TYPE_CHECKING:
    from io import TextIOWrapper
    from typing import TextIO

    from ..deadline import Deadline
    from ..report.answer import Answer
    from ..report.failure import Failure
    from ..report.style import Style

FORMS: Final = ("text", "json", "jsonl", "markdown", "github", "sarif", "junit", "html")  # those of `report.render`
FORMAT_VERSION: Final = "2.0"
LEAST: Final = 40  # columns that lines may take in any case
COLOR: Final = "fwengine.color"  # where click's context keeps `--color`
FORMAT: Final = "fwengine.format"  # and the form of the answer
CLOCK: Final = "fwengine.clock"  # and the deadline of `--timeout`
_SEQUENCE = re.compile(r"(\x1b\[[0-9;]*m)")
_HEAD = re.compile(r"^(?:error|note)(?=:)|(?:^|(?<=: ))error\[FW[0-9]+\](?=:)")


def chosen_color() -> str:
    """What `--color` says, `auto` where it says nothing or was not read yet."""
    context = click.get_current_context(silent=True)
    return context.meta.get(COLOR, "auto") if context is not None else "auto"


def chosen_format() -> str:
    """What `--format` says, as far as it was read; text where nothing is known."""
    context = click.get_current_context(silent=True)
    return context.meta.get(FORMAT, "text") if context is not None else "text"


def style_of(color: str) -> Style:
    """The style of stdout."""
    from ..report.style import Style, wants_color

    return Style(sys.stdout is not None and wants_color(color, sys.stdout), width())


def width() -> int:
    """How wide lines of the answer are: as the terminal, at least 40; 100 where there is none. COLUMNS says otherwise."""
    from ..report.style import WIDTH

    return _columns(sys.stdout) or WIDTH


def stderr_width() -> int | None:
    """How wide lines beside the answer are on a terminal; elsewhere a message is one line, easy to search for."""
    return _columns(sys.stderr) if sys.stderr is not None and sys.stderr.isatty() else None


def _columns(stream: TextIO | None) -> int | None:
    """How wide the terminal is that a stream goes to, or is said to be."""
    told = os.environ.get("COLUMNS", "")
    try:
        if not told.isascii() or not told.isdigit() or not int(told):
            told = str(os.get_terminal_size(stream.fileno()).columns) if stream is not None and stream.isatty() else ""
    except (OSError, ValueError):  # it has no descriptor, or is closed
        told = ""
    return max(LEAST, int(told)) if told.isdigit() and int(told) else None


def say(text: str = "") -> None:
    """A line of the answer (or several), on stdout, whatever its encoding can say. No control character passes.

    Raises:
        OSError: if stdout is closed or cannot be written.
    """
    from ..report.style import wants_color

    _write(shown(text, color=sys.stdout is not None and wants_color(chosen_color(), sys.stdout)))


def say_answer(answer: Answer | None, form: str, failures: Sequence[Failure] = (), style: Style | None = None) -> None:
    """An answer with what went wrong, in the form that was asked for; as text failures are on stderr."""
    import gc

    from ..report.render import render

    gc.freeze()  # what was found is there until the end, and may be much: it need not be looked through again and again
    try:
        _say_answer(render(answer, form, failures, style=style, encode=encoded), form)
    finally:
        gc.unfreeze()


def _say_answer(stretches: Iterable[str], form: str) -> None:
    clock = _clock()
    if clock is not None:  # whole before its first line is written: then there is an answer, and time does not matter
        stretches = list(stretches)
        clock.stop()
    if form in ("text", "markdown", "github", "junit", "html"):
        for text in stretches:
            say(text)
    else:
        for text in stretches:
            _write(text)


def _clock() -> Deadline | None:
    context = click.get_current_context(silent=True)
    return context.meta.get(CLOCK) if context is not None else None


def _say_json(failures: Iterable[Failure] = (), **fields: Any) -> None:
    """One JSON document on stdout, with the version of its form, the answer's fields, and what went wrong."""
    errors = [failure.record.to_dict() for failure in failures]
    _write(encoded({"format_version": FORMAT_VERSION, **fields, "errors": errors}, indent=2))


def say_json_lines(lines: Sequence[str]) -> None:
    """Lines of JSON, many at a time."""
    if lines:
        _write("\n".join(lines))


def say_items(items: Sequence[str], *, begun: bool) -> None:
    """More items of the list `results` of a document that is written as it comes; `begun` says that there were some."""
    if items:
        head = (
            ",\n" if begun else f'{{\n  "format_version": "{FORMAT_VERSION}",\n  "command": "eval",\n  "results": [\n'
        )
        _write(head + ",\n".join(items), end="")


def end_items(failures: Iterable[Failure], *, begun: bool, **sums: int) -> None:
    """The end of such a document, with the fields that stand behind the list."""
    if not begun:
        _say_json(failures, command="eval", results=[], **sums)
        return
    told = "".join(f',\n  "{key}": {value}' for key, value in sums.items())
    errors = encoded([failure.record.to_dict() for failure in failures], indent=2).replace("\n", "\n  ")
    _write(f'\n  ]{told},\n  "errors": {errors}\n}}')


def say_data(value: object) -> None:
    """JSON of a form that is not an answer's."""
    _write(encoded(value, indent=2))


def say_failures(form: str, failures: Sequence[Failure]) -> None:
    """The failures of a command that has no answer beside them, in the form that was asked for; as text they are on stderr."""
    say_answer(None, form, failures)


def encoded(value: object, indent: int | None) -> str:
    """JSON as readable as the encoding of stdout allows: what that cannot say, or nobody should see, is escaped."""
    import json  # late: help needs none

    encoding = (_stdout().encoding or "utf-8").lower().replace("-", "")
    text = json.dumps(value, ensure_ascii=encoding != "utf8", indent=indent)
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1].replace("\x7f", "\\u007f") for c in text)


def _write(text: str, end: str = "\n") -> None:
    stream = _stdout()
    write_bytes(f"{text}{end}".encode(stream.encoding or "utf-8", "backslashreplace"))


def _stdout() -> TextIOWrapper:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")
    return cast("TextIOWrapper", sys.stdout)


def write_bytes(data: bytes) -> None:
    """Bytes to stdout, all of them: an unbuffered stream may take a part and say so, which `print` does not hear.

    Raises:
        OSError: if stdout is closed or cannot be written.
    """
    stream = _stdout()
    buffer = cast("BinaryIO", stream.buffer)
    clock = _clock()
    with clock.held() if clock is not None else nullcontext():  # a signal would end a write halfway
        while data:
            data = data[buffer.write(data) :]
        if stream.line_buffering:  # a terminal
            buffer.flush()


def complain(message: str) -> None:
    """One line on stderr, or several on a narrow terminal; `error:`, `note:` or a code in front is coloured."""
    from ..report.fit import wrapped
    from ..report.screen import visible
    from ..report.style import Style

    style = Style(stderr_color())
    line, room = visible(message), stderr_width()
    first, *more = [line] if room is None else wrapped(line, room, rest="  ")
    if head := _HEAD.search(first):
        word = style(head[0], "cyan" if head[0] == "note" else "red", bold=True)
        first = first[: head.start()] + word + first[head.end() :]
    write_error("\n".join([first, *more]) + "\n")


def shown(text: str, *, color: bool = False) -> str:
    """The text with all control characters made visible but line feeds, tabs and, with colour, those that set it."""
    if text.isascii() and text.isprintable():
        return text
    lines = []
    for line in text.split("\n"):
        parts = _SEQUENCE.split(line) if color else [line]
        lines.append("".join(part if number % 2 else _seen(part) for number, part in enumerate(parts)))
    return "\n".join(lines)


def _seen(text: str) -> str:
    from ..report.screen import visible

    return "\t".join(map(visible, text.split("\t")))


def write_error(text: str) -> None:
    """To stderr, whatever its encoding can say; a stderr that is closed or full changes no answer."""
    stream = sys.stderr
    if stream is None:
        return
    try:
        encoding = stream.encoding or "utf-8"
        stream.write(shown(text, color=stderr_color()).encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except (OSError, ValueError):  # ValueError: closed
        pass


def stderr_color() -> bool:
    from ..report.style import wants_color

    return sys.stderr is not None and wants_color(chosen_color(), sys.stderr)


def note(text: str) -> None:
    """A remark on stderr."""
    complain(f"note: {text}")
