"""A stream of bytes read once, forward, in chunks: files, standard input, and gzip around either.

Knows nothing of captures. Memory is one chunk and what a caller asks to be kept; whatever goes wrong below is a
`CaptureError`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import CaptureError
from .codes import GZIP, UNREADABLE

CHUNK = 1 << 18
STDIN = "<stdin>"

if TYPE_CHECKING:
    from zlib import _Decompress

_GZIP_MAGIC = b"\x1f\x8b"


class Source:
    """Bytes of a file, or of standard input for `-`, decompressed if they are gzip's.

    Raises:
        CaptureError: FW905 if it cannot be opened; later, from `read`, FW905 or FW906.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        name = os.fspath(path)
        self.file = STDIN if name == "-" else name
        self.position = 0  # bytes taken from the file, still compressed
        self.size: int | None = None  # of the file, if it has one
        self._close: Callable[[], None] | None = None
        self._direct: Callable[[memoryview], int | None] | None = None  # into a caller's memory
        self._left = b""  # of what was read, where a caller's memory was short
        self._read = self._open(name)
        self._next = self._plain
        try:
            first = self._plain()
            while len(first) == 1 and (more := self._plain()):  # a pipe may give one byte at a time
                first += more
        except CaptureError:
            self.close()
            raise
        if first.startswith(_GZIP_MAGIC):
            self._inflater = _inflater()
            self._packed = first
            self._next = self._unpacked
        else:
            self._first = first
            self._next = self._again

    def _open(self, name: str) -> Callable[[int], bytes]:
        if name == "-":
            if sys.stdin is None:
                raise CaptureError(UNREADABLE, self.file, "standard input is closed")
            stream = sys.stdin.buffer
            return getattr(stream, "read1", stream.read)
        try:
            raw = open(name, "rb", buffering=0)  # noqa: SIM115, PTH123  # closed by `close`; a path may be a device
            self._close = raw.close
            stat = os.fstat(raw.fileno())
        except (OSError, ValueError) as error:
            self.close()
            raise self._unreadable(error) from None
        self.size = stat.st_size or None
        self._direct = raw.readinto
        return raw.read

    def _unreadable(self, error: OSError | ValueError) -> CaptureError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return CaptureError(UNREADABLE, self.file, f"cannot be read: {reason}")

    def read(self) -> bytes:
        """The next bytes, at least one and about `CHUNK` at most; none at the end."""
        return self._next()

    def readinto(self, buffer: memoryview) -> int:
        """Fills the beginning of a buffer with the next bytes; how many, 0 at the end."""
        if self._direct is not None and self._next == self._plain and not self._left:
            try:
                read = self._direct(buffer) or 0
            except (OSError, ValueError) as error:
                raise self._unreadable(error) from None
            self.position += read
            return read
        data = self._left or self.read()
        read = min(len(data), len(buffer))
        buffer[:read] = data[:read]
        self._left = data[read:]
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
            data = self._read(CHUNK) or b""
        except (OSError, ValueError) as error:  # ValueError: closed beneath us
            raise self._unreadable(error) from None
        self.position += len(data)
        return data

    def _again(self) -> bytes:
        data, self._first = self._first, b""
        self._next = self._plain
        return data

    def _unpacked(self) -> bytes:
        import zlib  # late: most captures are not compressed

        while True:
            if self._inflater.eof and not self._next_member():
                return b""
            packed = self._packed or self._plain()
            if not packed:
                raise CaptureError(GZIP, self.file, "the gzip stream ends early")
            before = self._inflater.copy()
            try:
                data = self._inflater.decompress(packed, CHUNK)
            except zlib.error as error:
                data = _up_to_damage(before, packed, zlib.error)
                self._next = self._damaged(str(error))
                return data or self._next()
            self._packed = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
            if data:
                return data

    def _next_member(self) -> bool:
        """Begins the gzip member behind the one that ended and zeros, as tapes leave them; False at the file's end."""
        rest = self._packed.lstrip(b"\0")
        while len(rest) < 2 and (more := self._plain()):
            rest = (rest + more).lstrip(b"\0")
        if rest and not rest.startswith(_GZIP_MAGIC):
            raise CaptureError(GZIP, self.file, "the bytes behind the gzip stream are not gzip's")
        self._packed = rest
        if rest:
            self._inflater = _inflater()
        return bool(rest)

    def _damaged(self, reason: str) -> Callable[[], bytes]:
        def fail() -> bytes:
            raise CaptureError(GZIP, self.file, f"the gzip stream is damaged: {reason}")

        return fail


def _inflater() -> _Decompress:
    import zlib

    return zlib.decompressobj(wbits=31)


def _up_to_damage(inflater: _Decompress, packed: bytes, error: type[Exception]) -> bytes:
    """What can be decompressed of a piece that fails as a whole."""
    out = []
    for at in range(len(packed)):
        try:
            out.append(inflater.decompress(packed[at : at + 1]))
        except error:
            break
    return b"".join(out)
