"""An end in time for whatever a thread does: an exception that comes from outside, so that no loop has to look at a clock.

As an interruption from the keyboard does, `OutOfTime` passes all handlers of errors; only the `Deadline` that sent it turns it
into an error. Where Python drops exceptions (a destructor), or somebody else does, it is sent again until the block has been
left. Knows nothing of what takes the time.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, TracebackType
from typing import Any, Final, Self

from .errors import LimitError

LONGEST: Final = 1_000_000_000  # seconds, thirty years: more than that overflows the clocks of some systems
AGAIN: Final = 0.5  # seconds after which it is sent again
_SOON: Final = 0.01  # and where it must not come just now


class OutOfTime(BaseException):
    """The time is over."""


class Deadline:
    """A `with` block that takes at most so many seconds, in any thread.

    Args:
        by_signal: told by SIGALRM where there is such a signal: this also ends a wait for input. In the main thread only.

    Raises:
        LimitError: when the time is over, out of the block.
    """

    def __init__(self, seconds: float, *, by_signal: bool = False) -> None:
        self.seconds = seconds
        # each has a class of its own, since a thread is sent a class: one within another is told apart by that
        self._sent: type[OutOfTime] = type("OutOfTime", (OutOfTime,), {})
        self._clock: _Alarm | _Watch = (
            _Alarm(seconds, self._sent) if by_signal and _has_alarm() else _Watch(seconds, self._sent)
        )

    def __enter__(self) -> Self:
        self._clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if kind is not None and issubclass(kind, self._sent):
            raise self.error from None

    def end(self) -> None:
        """Its time is over now, says another thread; also before it has begun. Not of one that is told by a signal."""
        assert isinstance(self._clock, _Watch)
        self._clock.ring.set()

    @property
    def error(self) -> LimitError:
        """What it tells."""
        return LimitError(f"unknown: limit reached ({self.seconds:g} seconds)", "seconds")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is sent during a `with` block, which is short: what it does is done whole."""
        self._clock.held = True
        try:
            yield
        finally:
            self._clock.held = False

    def stop(self) -> None:
        """Takes it back: from here on the block may take as long as it likes."""
        while True:
            try:
                self._clock.stop()
            except self._sent:  # it came on the way here
                continue
            return


class _Watch:
    """Another thread waits, and sends the exception to this one."""

    held = False

    def __init__(self, seconds: float, sent: type[OutOfTime]) -> None:
        self._seconds, self._sent = seconds, sent
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.ring = threading.Event()  # the block has ended, or is to end

    def start(self) -> None:
        import ctypes  # late: only those who set a limit of time pay for it

        self._send: Any = ctypes.pythonapi.PyThreadState_SetAsyncExc
        self._class = ctypes.py_object(self._sent)
        self._thread = threading.get_ident()
        self._number = ctypes.c_ulong(self._thread)
        threading.Thread(target=self._run, daemon=True, name="fwengine deadline").start()

    def _run(self) -> None:
        self.ring.wait(self._seconds)
        wait = 0.0
        while not self._over.wait(wait):
            with self._lock:  # not between the end of the block and its taking back what was sent
                if self._over.is_set():
                    return
                # what is sent comes where the thread stands now; it must not keep the block's end from being told
                frame = sys._current_frames().get(self._thread)
                if frame is None:  # it has ended
                    return
                if self.held or _is_ours(frame):
                    wait = _SOON
                    continue
                self._send(self._number, self._class)
            wait = AGAIN

    def stop(self) -> None:
        with self._lock:
            self._over.set()
            self.ring.set()
        # What was sent and has not come yet comes at the next jump backwards, so here. It is not taken back by sending nothing:
        # CPython would take that for something to be looked at for ever, and 3.11 hangs on it under a tracer.
        for _ in range(3):
            pass


class _Alarm:
    """The system sends SIGALRM; the handler that was there is put back in the end."""

    held = False

    def __init__(self, seconds: float, sent: type[OutOfTime]) -> None:
        self._seconds, self._sent = seconds, sent
        self._kept: Any = None
        self._running = False

    def start(self) -> None:
        import signal

        self._kept = signal.signal(signal.SIGALRM, self._ring)
        self._running = True
        signal.setitimer(signal.ITIMER_REAL, self._seconds, AGAIN)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if not self._running or (frame is not None and _is_ours(frame)):
            return
        if self.held:
            import signal

            signal.setitimer(signal.ITIMER_REAL, _SOON, AGAIN)
            return
        raise self._sent

    def stop(self) -> None:
        import signal

        if self._running:
            self._running = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._kept)


def _has_alarm() -> bool:
    import signal

    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


def _is_ours(frame: FrameType | None) -> bool:
    """Is a deadline just beginning or ending in that frame, or in one of those that called it?"""
    for _ in range(4):  # `stop` within `stop` within `__exit__`, and what they call
        if frame is None:
            return False
        if frame.f_code in _OURS:
            return True
        frame = frame.f_back
    return False


_OURS: Final[set[CodeType]] = set()


def own_code(*functions: Callable[..., Any]) -> None:
    """Nothing is sent while one of these functions, which begin or end a deadline, runs."""
    _OURS.update(function.__code__ for function in functions)


own_code(Deadline.__enter__, Deadline.__exit__, Deadline.stop, _Watch.start, _Watch.stop, _Alarm.start, _Alarm.stop)
