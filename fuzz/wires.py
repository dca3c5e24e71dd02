"""Frames and captures: whatever the bytes are, both decoders say the same, and what they say is a packet or a declared class.

The invariant of `frame`: a frame of any link type has a point that is a packet, or a class; the fast path of the decoder agrees with the
long way; the native decoder says the same. Of `capture`: a file gives records and then at most one `CaptureError`, in Python and
natively the same; counts add up; a file cut off gives a prefix of the whole file's records. The first two bytes of a frame are its link
type, the next three how long it was on the wire.
"""

from __future__ import annotations

import random
import struct
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from capture_generator import generate
from damage import CLASSES, check, own_captures, records_of
from frame_generator import SUPPORTED, captured
from frame_generator import frame as made
from native_captures import by_python, difference, natively
from target import MOST, Target, changed_bytes

from fwengine import native
from fwengine.model.packet import Packet
from fwengine.packets.wire import decode, decode_any


def frame(data: bytes) -> None:
    """One frame."""
    if len(data) < 5:
        return
    link, wire = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:5], "big")
    rest = data[5:]
    found = decode(rest, link, wire)
    assert found == decode_any(rest, link, wire), "the fast path of the decoder disagrees"
    if isinstance(found, tuple):
        assert Packet.from_point(found).point == found, "a point that is no packet"
    else:
        assert found in CLASSES, f"an undeclared class: {found}"
    if native.available():
        file = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, link) + struct.pack(
            "<IIII", 0, 0, len(rest), max(wire, len(rest))
        )
        both = difference(by_python(file + rest, 1 << 20), natively(file + rest, 1 << 20))
        assert not both, both


def capture(data: bytes) -> None:
    """One file, and the same cut off at some place that its bytes tell."""
    if native.available():
        both = difference(by_python(data, 4096), natively(data, 4096))
        assert not both, both
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "capture"
        check(file, data, None)
        whole = records_of(file)
        if data:
            check(file, data[: sum(data) % len(data)], whole)


@cache
def _frames() -> Sequence[bytes]:
    draw, found = random.Random(1), []
    for link in SUPPORTED * 3:
        data, wire = captured(draw, made(draw, link))
        found.append(struct.pack(">H", link) + min(wire, 0xFFFFFF).to_bytes(3, "big") + data)
    return found


@cache
def _captures() -> Sequence[bytes]:
    return [*own_captures(), *(generate(random.Random(n))[:MOST] for n in range(40))]


TARGETS = (Target(frame, _frames, changed_bytes), Target(capture, _captures, changed_bytes))
