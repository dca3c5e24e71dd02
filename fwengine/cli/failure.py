"""Exceptions -> words on stderr and an exit code. What is not listed here is a bug and keeps its traceback."""

from __future__ import annotations

import sys

import click

from ..errors import CaptureError, LimitError, PacketError, PolicyError


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
        error.show(sys.stderr)
        return error.exit_code if error.exit_code != 1 else 2
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


def show_policy_error(error: PolicyError, *, color: bool | None = None) -> None:
    from ..report.screen import render
    from ..report.style import wants_color

    chosen = wants_color("auto", sys.stderr) if color is None else color
    write_error(render(error.diagnostics, error.sources, color=chosen))


def complain(message: str) -> None:
    from ..report.screen import visible

    write_error("\n".join(map(visible, message.split("\n"))) + "\n")


def write_error(text: str) -> None:
    """To stderr, whatever its encoding can say."""
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stderr.flush()
