"""A stream of bytes read once, forward, in chunks: files, standard input, and compression around either.

Knows nothing of captures. Memory is one chunk and what a caller asks to be kept; whatever goes wrong below is a
`CaptureError`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from io import FileIO, RawIOBase
from typing import Any, Final, NamedTuple

from ..codes import UNREADABLE
from ..errors import CaptureError
from .unpack import CHUNK, unpacker

__all__ = ["CHUNK", "STDIN", "WHOLE", "Source", "Window"]

STDIN = "<stdin>"
_PACKED: Final = (
    1 << 16
)  # compressed bytes taken at a time: what is left of them is copied for each piece that comes out
_MAGIC: Final = 6  # bytes that tell what compressed a file


class Window(NamedTuple):
    """A stretch of a file, to its end for None, and what is to be read before it."""

    head: bytes = b""
    start: int = 0
    stop: int | None = None


WHOLE: Final = Window()


class _Stretch(RawIOBase):
    """What a window shows of a file."""

    def __init__(self, raw: FileIO, window: Window) -> None:
        self._raw, self._head = raw, window.head
        self._left = None if window.stop is None else window.stop - window.start
        raw.seek(window.start)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with memoryview(buffer) as room:
            if self._head:
                size = min(len(room), len(self._head))
                room[:size], self._head = self._head[:size], self._head[size:]
                return size
            size = len(room) if self._left is None else min(len(room), self._left)
            read = self._raw.readinto(room[:size]) or 0 if size else 0
            if self._left is not None:
                self._left -= read
            return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class Source:
    """Bytes of a file (of a window of it), or of standard input for `-`, decompressed if need be.

    Raises:
        CaptureError: FW905 if it cannot be opened; later, from `read`, FW905 or FW906.
    """

    def __init__(self, path: str | os.PathLike[str], window: Window = WHOLE) -> None:
        name = os.fspath(path)
        self.file = STDIN if name == "-" else name
        self.position = 0  # bytes taken from the file, still compressed
        self.size: int | None = None  # of the file, if it has one
        self._close: Callable[[], None] | None = None
        self._direct: Callable[[memoryview], int | None] | None = None  # into a caller's memory
        self._kept = b""  # read, and not given yet
        self.failed: CaptureError | None = None  # what kept `peek` from seeing more
        self._read = self._open(name, window)
        self._most = CHUNK
        self._next = self._plain
        try:
            first = self._plain()
            while 0 < len(first) < _MAGIC and (more := self._plain()):  # a pipe may give one byte at a time
                first += more
        except CaptureError:
            self.close()
            raise
        packed = unpacker(self.file, first, self._plain)
        self.packed = packed is not None
        if packed is None:
            self._kept = first
        else:
            self._next = packed.read
            self._most = _PACKED

    def _open(self, name: str, window: Window) -> Callable[[int], bytes | None]:
        if name == "-":
            if sys.stdin is None:
                raise CaptureError(UNREADABLE, self.file, "standard input is closed")
            stream = sys.stdin.buffer
            return getattr(stream, "read1", stream.read)
        try:
            raw = open(name, "rb", buffering=0)  # noqa: SIM115, PTH123  # closed by `close`; a path may be a device
            self._close = raw.close
            stat = os.fstat(raw.fileno())
            stretch = raw if window == WHOLE else _Stretch(raw, window)
        except (OSError, ValueError) as error:
            self.close()
            raise self._unreadable(error) from None
        self.size = stat.st_size or None
        self._direct = stretch.readinto
        return stretch.read

    def _unreadable(self, error: OSError | ValueError) -> CaptureError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return CaptureError(UNREADABLE, self.file, f"cannot be read: {reason.lower()}")

    def read(self) -> bytes:
        """The next bytes, at least one and about `CHUNK` at most; none at the end."""
        if self._kept:
            data, self._kept = self._kept, b""
            return data
        return self._next()

    def peek(self, need: int) -> bytes:
        """The next bytes, `need` at least unless no more come; they are given again by whatever reads on."""
        while len(self._kept) < need:
            try:
                part = self._next()
            except CaptureError as error:  # comes behind what was read before it
                self.failed, self._next = error, _raiser(error)
                break
            if not part:
                break
            self._kept += part
        return self._kept

    def readinto(self, buffer: memoryview) -> int:
        """Fills the beginning of a buffer with the next bytes; how many, 0 at the end."""
        if self._direct is not None and self._next == self._plain and not self._kept:
            try:
                read = self._direct(buffer) or 0
            except (OSError, ValueError) as error:
                raise self._unreadable(error) from None
            self.position += read
            return read
        data = self.read()
        read = min(len(data), len(buffer))
        buffer[:read] = data[:read]
        self._kept = data[read:]
        return read

    def fill(self, begun: bytes, need: int) -> bytes:
        """`begun` and what follows, until there are `need` bytes or no more come. Linear; allocates nothing ahead."""
        parts = [begun]
        have = len(begun)
        while have < need:
            part = self.read()
            if not part:
                break
            parts.append(part)
            have += len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Closes the file; standard input stays open. Closing twice does nothing."""
        if self._close is not None:
            self._close()
            self._close = None

    def _plain(self) -> bytes:
        try:
            data = self._read(self._most) or b""
        except (OSError, ValueError) as error:  # ValueError: closed beneath us
            raise self._unreadable(error) from None
        self.position += len(data)
        return data


def _raiser(error: CaptureError) -> Callable[[], bytes]:
    def fail() -> bytes:
        raise error

    return fail
