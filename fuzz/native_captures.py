"""Damaged or generated captures: the native and the Python decoder give the same packets and the same error.

usage: python fuzz/native_captures.py FOLDER RUNS [SEED]
       python fuzz/native_captures.py generated RUNS [SEED]

Takes captures of a folder and damages some bytes, cuts, repeats or joins pieces; or takes those of `capture_generator`.
Prints the first disagreement and the file in hexadecimal and exits 1, else how many runs agreed.
"""

from __future__ import annotations

import io
import random
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from capture_generator import damaged, generate

from fwengine.errors import CaptureError
from fwengine.model.fields import Point, interface_number
from fwengine.native import decode_capture
from fwengine.packets.capture import Capture, refuse_foreign
from fwengine.packets.links import NOT_IP, find
from fwengine.packets.source import Source
from fwengine.packets.wire import decode

Answer = tuple[list[tuple[Point | str | int, int]], str | None]


class Memory(Source):
    """Bytes already here, in chunks of a given size."""

    def __init__(self, data: bytes, chunk: int) -> None:
        stream = io.BytesIO(data)
        self.file = "<memory>"
        self.position, self.size = 0, len(data)
        self._kept, self._direct, self.failed = b"", None, None
        self._next = lambda: stream.read(chunk)

    def close(self) -> None:
        pass


def by_python(data: bytes, chunk: int) -> Answer:
    out: list[tuple[Point | str | int, int]] = []
    try:
        for frame, wire, link, inside, outside, _ in Capture(Memory(data, chunk)):
            found: Point | str | int = decode(frame, link, wire, interface_number(inside), interface_number(outside))
            if found == NOT_IP:  # then it is of the same kind, too
                kind = find(frame, link, max(wire, len(frame)))
                assert isinstance(kind, int)
                found = kind
            out.append((found, wire))
    except CaptureError as error:
        return out, f"{error.code} {error.packets}: {error.message}"
    return out, None


def natively(data: bytes, chunk: int) -> Answer:
    out: list[tuple[Point | str | int, int]] = []
    try:
        source = Memory(data, chunk)
        refuse_foreign(source)
        for answer in decode_capture(source):
            out.append(answer)  # what came before an error counts
    except CaptureError as error:
        return out, f"{error.code} {error.packets}: {error.message}"
    return out, None


def captures(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size:
            yield path.read_bytes()


def chunk_of(draw: random.Random, size: int) -> int:
    """How many bytes of a file to give at a time: few, unless that would take long."""
    return (
        draw.choice((1, 7, 64, 64, 1000, 1000, 1 << 18, 1 << 18)) if size <= 3000 else draw.choice((256, 1000, 1 << 18))
    )


def difference(one: Answer, other: Answer) -> str:
    """In words, where the answers of the Python and of the native decoder differ; empty if they do not."""
    if one == other:
        return ""
    text = f"{len(one[0])} packets {one[1]}, natively {len(other[0])} {other[1]}"
    for number, (x, y) in enumerate(zip(one[0], other[0], strict=False)):
        if x != y:
            return f"{text}; first difference at packet {number}:\n{x}\n{y}"
    return text


def compare(draw: random.Random, data: bytes) -> str:
    """The difference between the decoders on a file that comes in chunks of some size; empty if there is none."""
    a, b = chunk_of(draw, len(data)), chunk_of(draw, len(data))
    return difference(by_python(data, a), natively(data, b))


def main() -> int:
    runs = int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    made = sys.argv[1] == "generated"
    files = [] if made else [data for data in captures(Path(sys.argv[1])) if len(data) < 100_000]
    for run in range(seed, seed + runs):
        draw = random.Random(run)
        data = generate(draw) if made else damaged(draw, draw.choice(files))
        try:
            found = compare(draw, data)
        except Exception:  # what no decoder may raise
            found = traceback.format_exc()
        if found:
            print(f"run {run}: {found}\n{data.hex()}")
            return 1
    print(f"{runs:,} {'generated' if made else 'damaged'} captures agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
