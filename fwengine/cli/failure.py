"""Exceptions -> words on stderr, failures in the form of the answer, and an exit code.

What is not listed here is a bug and keeps its traceback.
"""

from __future__ import annotations

from dataclasses import replace

import click

from ..codes import USAGE
from ..errors import CaptureError, FwengineError, LimitError, MissingExtraError, PacketError, PolicyError, Span
from ..report.failure import Failure, Kind, failures
from .output import FORMAT, chosen_format, complain, say_failures, stderr_color, stderr_width, write_error

__all__ = ["Failures", "complain", "report", "show_policy_error", "write_error"]


class Failures(list[Failure]):
    """What went wrong while a command went on: each is told on stderr at once, and kept for the form of the answer."""

    def tell(self, error: FwengineError, more: str = "", at: Span | None = None, kind: Kind | None = None) -> None:
        """Takes in what an exception tells of; `more` is said behind it, `at` is where, if it does not know itself.

        `kind` is what it is about, where the exception does not tell.

        Raises:
            FwengineError: the error itself if it is none that a user can mend.
        """
        if at is not None:
            self.add(*(replace(failure, file=at.file, span=at) for failure in failures(error)))
            return
        new = self.keep(error, kind)
        if isinstance(error, PolicyError):
            told = {(failure.code, failure.span, failure.message) for failure in new}
            fresh = [d for d in error.diagnostics if (d.code, d.span, d.message) in told]
            if fresh:
                show_policy_error(PolicyError(fresh, error.sources))
        else:
            _show(error, more)

    def keep(self, error: FwengineError, kind: Kind | None = None) -> list[Failure]:
        """Takes in what an exception tells of, without telling it; what is new of that: a file may be read twice."""
        found = [replace(failure, kind=kind or failure.kind) for failure in failures(error)]
        new = [failure for failure in found if failure not in self]
        self += new
        return new

    def add(self, *found: Failure | None) -> None:
        """Takes in failures, those that there are."""
        for failure in found:
            if failure is not None:
                self.append(failure)
                complain(str(failure))

    def code(self, code: int) -> int:
        """The exit code: 2 if anything went wrong, whatever the answer is."""
        return 2 if self else code


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
        context = error.ctx if isinstance(error, click.UsageError) else None
        form = context.meta.get(FORMAT, "text") if context is not None else "text"
        say_failures(form, [Failure("usage", USAGE, error.format_message())])
        return 2
    if isinstance(error, FwengineError):
        found = failures(error)
        _show(error)
        say_failures(chosen_format(), found)
        return 2
    raise error


def _show(error: FwengineError, more: str = "") -> None:
    if isinstance(error, PolicyError):
        show_policy_error(error)
    elif isinstance(error, PacketError) and isinstance(error.__cause__, PolicyError):
        show_policy_error(error.__cause__)
    elif isinstance(error, CaptureError):
        complain(f"{error}{more}")
    else:
        assert isinstance(error, PacketError | LimitError | MissingExtraError)
        complain(f"error: {error}{more}")


def show_policy_error(error: PolicyError) -> None:
    """All diagnostics of an error, as screens on stderr."""
    from ..report.screen import render

    write_error(render(error.diagnostics, error.sources, color=stderr_color(), width=stderr_width()) + "\n")


def _show_usage(error: click.ClickException) -> None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    text = f"Error: {error.format_message()}"
    if context is not None:
        text = f"{context.get_usage()}\nTry `{context.command_path} --help` for help.\n\n{text}"
    write_error(f"{text}\n")
