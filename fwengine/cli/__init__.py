"""The command line. Importing it is cheap: each command's module is loaded when the command is called."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable


def main() -> None:
    """The console script. Exit codes: 0 yes, 1 no, 2 could not answer, 130 interrupted, 143 terminated."""
    restore = _heed_signals()
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)  # a policy is a great many values without circles: to look through them takes long
    try:
        code = _run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        _leave(130)
    except _Terminated:  # files half written have been removed on the way
        _leave(143)
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
    finally:
        gc.set_threshold(*before)
        restore()


def _run() -> object:
    import gc

    import click

    gc.set_threshold(
        100_000, 20, 100
    )  # a policy is a great many values without cycles: looking through them takes longer

    from .group import cli

    try:
        return cli.main(prog_name="fwengine", standalone_mode=False)
    except (click.exceptions.Exit, click.Abort, click.ClickException) as error:
        from .failure import report  # late: help needs no errors

        return report(error)
    except SystemExit as error:  # what click makes of a broken pipe
        raise BrokenPipeError from error


class _Terminated(BaseException):
    """SIGTERM: as an interruption from the keyboard."""


def _heed_signals() -> Callable[[], object]:
    """SIGTERM leaves nothing behind; and no signal is lost in a destructor, where Python drops exceptions.

    Returns what puts things back as they were.
    """
    import _thread
    import signal

    def terminate(number: int, frame: object) -> None:
        raise _Terminated

    def dropped(what: sys.UnraisableHookArgs) -> None:
        again = {KeyboardInterrupt: signal.SIGINT, _Terminated: signal.SIGTERM}.get(what.exc_type)
        if again is not None:
            _thread.interrupt_main(again)
        elif what.exc_type.__name__ != "OutOfTime":  # which comes again by itself
            usual(what)

    def restore() -> None:
        sys.unraisablehook = usual
        if kept is not None:
            signal.signal(signal.SIGTERM, kept)

    kept = None
    if _thread.get_ident() == _main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        kept = signal.signal(signal.SIGTERM, terminate)
    usual, sys.unraisablehook = sys.unraisablehook, dropped
    return restore


def _main_thread() -> int | None:
    import threading

    return threading.main_thread().ident


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
