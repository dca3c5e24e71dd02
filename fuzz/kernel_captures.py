"""Damaged captures: the native and the Python decoder give the same packets and the same error.

usage: python fuzz/kernel_captures.py FOLDER RUNS [SEED]

Takes the captures of a folder in turn; damages some bytes, cuts, repeats or joins pieces; prints the first disagreement and
exits 1, else how many runs agreed.
"""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from fwengine.errors import CaptureError
from fwengine.header import Point, interface_number
from fwengine.kernel import decode_capture
from fwengine.packets.capture import Capture
from fwengine.packets.source import Source
from fwengine.packets.wire import decode

Answer = tuple[list[tuple[Point | str, int]], str | None]


class _Memory(Source):
    """Bytes already here, in chunks of a given size."""

    def __init__(self, data: bytes, chunk: int) -> None:
        self._stream = io.BytesIO(data)
        self._chunk = chunk
        self.file = "<memory>"
        self.position, self.size = 0, len(data)

    def read(self) -> bytes:
        return self._stream.read(self._chunk)

    def readinto(self, buffer: memoryview) -> int:
        return self._stream.readinto(buffer[: self._chunk])

    def close(self) -> None:
        self._stream.close()


def by_python(data: bytes, chunk: int) -> Answer:
    out: list[tuple[Point | str, int]] = []
    try:
        for frame, wire, link, inside, outside, _ in Capture(_Memory(data, chunk)):
            out.append((decode(frame, link, wire, interface_number(inside), interface_number(outside)), wire))
    except CaptureError as error:
        return out, f"{error.code} {error.packets}"
    return out, None


def natively(data: bytes, chunk: int) -> Answer:
    out: list[tuple[Point | str, int]] = []
    try:
        for answer in decode_capture(_Memory(data, chunk)):
            out.append(answer)  # what came before an error counts
    except CaptureError as error:
        return out, f"{error.code} {error.packets}"
    return out, None


def damaged(draw: random.Random, data: bytes) -> bytes:
    kind = draw.randrange(6)
    out = bytearray(data)
    if kind == 0:
        return bytes(out[: draw.randrange(len(out) + 1)])
    if kind == 1:
        for _ in range(max(1, len(out) // 50)):
            out[draw.randrange(len(out))] = draw.getrandbits(8)
    elif kind == 2:
        at = draw.randrange(len(out))
        out[at] ^= 1 << draw.randrange(8)
    elif kind == 3:
        at = draw.randrange(len(out)) & ~3
        out[at : at + 4] = draw.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\4\0", b"\0\4\0\0", b"\1\0\0\0"))
    elif kind == 4:
        a, b = sorted((draw.randrange(len(out)), draw.randrange(len(out))))
        out[a:a] = out[a : min(b, a + 4096)]
    else:
        return data + data[draw.choice((0, 24)) :]
    return bytes(out)


def captures(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size:
            yield path.read_bytes()


def main() -> int:
    runs = int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    files = [data for data in captures(Path(sys.argv[1])) if len(data) < 100_000]
    for run in range(seed, seed + runs):
        draw = random.Random(run)
        data = damaged(draw, draw.choice(files))
        chunk = draw.choice((1, 7, 1000, 1 << 18))
        if len(data) > 3000:
            chunk = max(chunk, 256)
        a, b = by_python(data, draw.choice((chunk, 1 << 18))), natively(data, chunk)
        if a != b:
            first = next((i for i, (x, y) in enumerate(zip(a[0], b[0], strict=False)) if x != y), None)
            print(f"run {run}: {len(a[0])} packets {a[1]}, natively {len(b[0])} {b[1]}; first difference {first}")
            if first is not None:
                print(a[0][first], b[0][first])
            return 1
    print(f"{runs:,} damaged captures agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
