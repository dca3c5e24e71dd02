"""Compressed bytes -> bytes, as they come: gzip, xz, bzip2, and zstd where Python has it. Knows nothing of captures.

What could be decompressed before any damage is given first, byte for byte with gzip, and but for the last few thousand
bytes with the others, whose decoders tell of damage no sooner. Each decoder is imported when it is needed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..codes import GZIP
from ..errors import CaptureError

if TYPE_CHECKING:
    from zlib import _Decompress

CHUNK: Final = 1 << 18
_PIECE: Final = 1 << 12  # compressed bytes that are lost with a piece in which damage is found
_MEMORY: Final = 1 << 27  # a decoder's, at most

GZIP_MAGIC = b"\x1f\x8b"

Pull = Callable[[], bytes]  # the next compressed bytes, none at the end


class Reader(Protocol):
    """What gives the decompressed bytes: at least one, none at the end."""

    def read(self) -> bytes: ...


class _Decoder(Protocol):
    """What `lzma`, `bz2` and `compression.zstd` have in common."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def unpacker(file: str, first: bytes, pull: Pull) -> Reader | None:
    """What decompresses the bytes that begin with `first`; None if they are not compressed in a way known here."""
    if first.startswith(GZIP_MAGIC):
        return _Gzip(file, first, pull)
    for name, magic, module in (
        ("xz", b"\xfd7zXZ\0", "lzma"),
        ("bzip2", b"BZh", "bz2"),
        ("zstd", b"\x28\xb5\x2f\xfd", "compression.zstd"),
    ):
        if first.startswith(magic):
            try:
                decoder = importlib.import_module(module)
            except ImportError:  # a Python built without it, or before 3.14
                return None
            return _Stream(file, first, pull, name, magic, decoder)
    return None


class _Stream:
    """xz, bzip2 or zstd: one stream behind another."""

    def __init__(self, file: str, first: bytes, pull: Pull, name: str, magic: bytes, module: Any) -> None:
        self._file, self._name, self._magic, self._pull = file, name, magic, pull
        self._errors: tuple[type[Exception], ...] = (OSError, EOFError, ValueError)
        if name == "xz":
            self._new: Callable[[], _Decoder] = lambda: module.LZMADecompressor(module.FORMAT_XZ, _MEMORY)
            self._errors += (module.LZMAError,)
        elif name == "bzip2":
            self._new = module.BZ2Decompressor
        else:
            self._new = module.ZstdDecompressor
            self._errors += (module.ZstdError,)
        self._decoder = self._new()
        self._packed, self._at = first, 0

    def read(self) -> bytes:
        while True:
            if self._decoder.eof and not self._next_stream():
                return b""
            piece = b""
            if self._decoder.needs_input:
                piece = self._piece()
                if not piece:
                    raise CaptureError(GZIP, self._file, f"the {self._name} stream ends early")
            try:
                data = self._decoder.decompress(piece, CHUNK)
            except self._errors as error:
                raise CaptureError(GZIP, self._file, f"the {self._name} stream is damaged: {error}") from None
            if data:
                return data

    def _piece(self) -> bytes:
        if self._at >= len(self._packed):
            self._packed, self._at = self._pull(), 0
        piece = self._packed[self._at : self._at + _PIECE]
        self._at += len(piece)
        return piece

    def _next_stream(self) -> bool:
        rest = self._decoder.unused_data.lstrip(b"\0")
        while len(rest) < len(self._magic) and (more := self._piece()):
            rest = (rest + more).lstrip(b"\0")
        if not rest:
            return False
        if not rest.startswith(self._magic):
            raise _behind(self._file, self._name)
        self._packed, self._at = rest + self._packed[self._at :], 0
        self._decoder = self._new()
        return True


class _Gzip:
    """gzip: one member behind another."""

    def __init__(self, file: str, first: bytes, pull: Pull) -> None:
        self._file, self._pull, self._packed = file, pull, first
        self._inflater = _inflater()
        self._damage = ""

    def read(self) -> bytes:
        import zlib  # late: most captures are not compressed

        if self._damage:
            raise CaptureError(GZIP, self._file, f"the gzip stream is damaged: {self._damage}")
        while True:
            if self._inflater.eof and not self._next_member():
                return b""
            packed = self._packed or self._pull()
            if not packed:
                raise CaptureError(GZIP, self._file, "the gzip stream ends early")
            before = self._inflater.copy()
            try:
                data = self._inflater.decompress(packed, CHUNK)
            except zlib.error as error:
                self._damage = str(error)
                return _up_to_damage(before, packed, zlib.error) or self.read()
            self._packed = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
            if data:
                return data

    def _next_member(self) -> bool:
        """Begins the gzip member behind the one that ended and zeros, as tapes leave them; False at the file's end."""
        rest = self._packed.lstrip(b"\0")
        while len(rest) < 2 and (more := self._pull()):
            rest = (rest + more).lstrip(b"\0")
        if rest and not rest.startswith(GZIP_MAGIC):
            raise _behind(self._file, "gzip")
        self._packed = rest
        if rest:
            self._inflater = _inflater()
        return bool(rest)


def _behind(file: str, name: str) -> CaptureError:
    return CaptureError(
        GZIP, file, f"the {name} stream is whole and was read to its end; behind it stand bytes that are not {name}"
    )


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
