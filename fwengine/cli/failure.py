"""Exceptions -> words on stderr and an exit code. What is not listed here is a bug and keeps its traceback.

Nothing that came from outside reaches the terminal as a control character, whatever the message.
"""

from __future__ import annotations

import re
import sys
from typing import Final

import click

from ..errors import CaptureError, LimitError, PacketError, PolicyError

COLOR: Final = "fwengine.color"  # where click's context keeps `--color`
_SEQUENCE = re.compile(r"(\x1b\[[0-9;]*m)")
_HEAD = re.compile(r"^(?:error|note)(?=:)|(?<=: )error\[FW[0-9]+\](?=:)")


def report(error: BaseException) -> int:
    """Tells what went wrong; the exit code is 2, or click's own, or 130 for an interruption.

    Raises:
        BaseException: the error itself if it is none that a user can mend.
    """
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return 130
    if isinstance(error, click.ClickException):
        _show_usage(error)
        return 2
    if isinstance(error, PolicyError):
        show_policy_error(error)
        return 2
    if isinstance(error, PacketError):
        if isinstance(error.__cause__, PolicyError):
            show_policy_error(error.__cause__)
        else:
            complain(f"error: {error}")
        return 2
    if isinstance(error, CaptureError | LimitError):
        complain(str(error) if isinstance(error, CaptureError) else f"error: {error}")
        return 2
    raise error


def chosen_color() -> str:
    """What `--color` says, `auto` where it says nothing or was not read yet."""
    context = click.get_current_context(silent=True)
    return context.meta.get(COLOR, "auto") if context is not None else "auto"


def show_policy_error(error: PolicyError) -> None:
    from ..report.screen import render

    write_error(render(error.diagnostics, error.sources, color=_stderr_color()) + "\n")


def complain(message: str) -> None:
    """One line on stderr; `error:`, `note:` or a code in front is coloured."""
    from ..report.screen import visible
    from ..report.style import Style

    style = Style(_stderr_color())
    head = _HEAD.search(line := visible(message))
    if head:
        word = style(head[0], "cyan" if head[0] == "note" else "red", bold=True)
        line = line[: head.start()] + word + line[head.end() :]
    write_error(line + "\n")


def shown(text: str, *, color: bool = False) -> str:
    """The text with all control characters made visible but line feeds and, with colour, those that set it."""
    from ..report.screen import visible

    if text.isascii() and text.isprintable():
        return text
    lines = []
    for line in text.split("\n"):
        parts = _SEQUENCE.split(line) if color else [line]
        lines.append("".join(part if number % 2 else visible(part) for number, part in enumerate(parts)))
    return "\n".join(lines)


def write_error(text: str) -> None:
    """To stderr, whatever its encoding can say; a stderr that is closed or full changes no answer."""
    stream = sys.stderr
    if stream is None:
        return
    try:
        encoding = stream.encoding or "utf-8"
        stream.write(shown(text, color=_stderr_color()).encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except (OSError, ValueError):  # ValueError: closed
        pass


def _stderr_color() -> bool:
    from ..report.style import wants_color

    return sys.stderr is not None and wants_color(chosen_color(), sys.stderr)


def _show_usage(error: click.ClickException) -> None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    text = f"Error: {error.format_message()}"
    if context is not None:
        text = f"{context.get_usage()}\nTry `{context.command_path} --help` for help.\n\n{text}"
    write_error(f"{text}\n")
