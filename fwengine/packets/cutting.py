"""A capture file -> windows of it, each a capture by itself: cut where a record begins, found by walking from header to header.

A window reads what must stand before its first record (the file's header; of pcapng the section's and the interfaces described so far)
and then its stretch of the file. No boundary is guessed: what lies behind damage is in the last window, and a compressed file is one.
Knows nothing of what the frames hold.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..errors import CaptureError
from .pcap import HEADER, MAX_CAPTURED, is_pcap, layout_of
from .pcapng import INTERFACE, MAX_BLOCK, SECTION, SECTION_BYTES, Damage, is_pcapng, read_section
from .source import WHOLE, Source, Window

_MOST_HEAD: Final = 1 << 20  # bytes before a window: of a file that describes more interfaces the rest is one window

Cut = tuple[int, bytes]  # where to cut, and what to read before what follows


def windows(path: str | os.PathLike[str], size: int) -> list[Window]:
    """The windows of a capture, of `size` bytes or up to a record more; one if it is no longer than that, compressed, or no file.

    Reads all of a file that is cut, and looks at the headers of its records. Memory is that of the windows.
    """
    if size < 1:
        raise ValueError("a window has a byte at least")
    name = os.fspath(path)
    try:
        found = Path(name).stat()
        if name == "-" or not stat.S_ISREG(found.st_mode) or found.st_size <= size:
            return [WHOLE]
        source = Source(name)
    except (OSError, ValueError, CaptureError):
        return [WHOLE]  # whoever opens it will say what is wrong
    cuts: list[Cut] = []
    try:
        for cut in () if source.packed else _cuts(source, size):
            cuts.append(cut)  # those before damage stay
    except (CaptureError, Damage):
        pass  # whoever reads the last window comes to it
    finally:
        source.close()
    ends = [*(at for at, _ in cuts), None]
    return [Window(head, at, end) for (at, head), end in zip([(0, b""), *cuts], ends, strict=True)]


def _cuts(source: Source, size: int) -> Iterator[Cut]:
    head = source.peek(8)
    if is_pcap(head):
        yield from _of_records(source, size)
    elif is_pcapng(head):
        yield from _of_blocks(source, size)


def _of_records(source: Source, size: int) -> Iterator[Cut]:
    buffer = source.fill(source.read(), HEADER)
    order, _, _, header, turned = layout_of(source, buffer)
    head = buffer[:HEADER]
    lengths = struct.Struct(order + "II").unpack_from
    at, cut = HEADER, size  # the next record, and where to cut next, in the buffer
    offset = 0  # of the buffer in the file
    while True:
        end = len(buffer) - header
        while at <= end:
            if at >= cut:
                yield offset + at, head
                cut = at + size
            captured, wire = lengths(buffer, at + 8)
            if turned and (turned == 2 or captured > wire):
                captured = wire
            if captured > MAX_CAPTURED:
                return
            at += header + captured
        passed = min(at, len(buffer))
        offset, at, cut = offset + passed, at - passed, cut - passed
        more = source.read()
        if not more:
            return
        buffer = buffer[passed:] + more


def _of_blocks(source: Source, size: int) -> Iterator[Cut]:
    buffer = source.fill(source.read(), SECTION_BYTES)
    at, cut, offset = 0, size, 0  # as above
    lengths, head = struct.Struct("<II").unpack_from, bytearray()  # a section's header is known in either byte order
    while True:
        need = 12
        while at + 12 <= len(buffer):
            kind, total = lengths(buffer, at)
            if kind == SECTION:
                need = SECTION_BYTES
                if at + need > len(buffer):
                    break
                section = read_section(buffer, at)
                total = section.total
            elif total < 12 or total & 3 or total > MAX_BLOCK:
                return
            if at >= cut:
                yield offset + at, b"" if kind == SECTION else bytes(head)
                cut = at + size
            if kind == SECTION:
                lengths, head = struct.Struct(section.order + "II").unpack_from, bytearray(section.plain())
            elif kind == INTERFACE:
                need = total
                if at + need > len(buffer):
                    break
                head += buffer[at : at + total]
                if len(head) > _MOST_HEAD:
                    return
            need = 12
            at += total
        passed = min(at, len(buffer))
        rest = buffer[passed:]
        offset, at, cut = offset + passed, at - passed, cut - passed
        buffer = source.fill(rest, max(need, len(rest) + 1))
        if len(buffer) == len(rest):
            return
