"""The command line. Importing it is cheap: each command's module is loaded when the command is called."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The console script. Exit codes: 0 yes, 1 no, 2 could not answer, 130 interrupted."""
    try:
        code = _run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        _leave(130)
    except BrokenPipeError:
        # whoever read our answer has gone: nothing to say, and nothing more to flush
        _silence()
        _leave(2)
    except OSError as error:  # of stdout: reading has its own errors
        _silence()
        _complain(f"cannot write the answer: {(error.strerror or str(error)).lower()}")
        _leave(2)
    else:
        _leave(code if isinstance(code, int) else 0)


def _run() -> object:
    import click

    from .group import cli

    try:
        return cli.main(prog_name="fwengine", standalone_mode=False)
    except (click.exceptions.Exit, click.Abort, click.ClickException) as error:
        from .failure import report  # late: help needs no errors

        return report(error)
    except SystemExit as error:  # what click makes of a broken pipe
        raise BrokenPipeError from error


def _silence() -> None:
    """What is still buffered for stdout goes nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)


def _complain(message: str) -> None:
    try:
        print(f"fwengine: {message}", file=sys.stderr)
    except (OSError, ValueError):
        pass


def _leave(code: int) -> None:
    sys.exit(code)
