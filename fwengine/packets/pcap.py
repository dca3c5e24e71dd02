"""pcap files -> batches of records.

Both byte orders, microseconds and nanoseconds, and A. Kuznetsov's modified format with its longer record header. Knows
nothing of what the frames hold. Source: draft-ietf-opsawg-pcap; what versions before 2.4 did, from libpcap's manual.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from ..codes import DAMAGED, ENDS_EARLY, UNSUPPORTED
from ..errors import CaptureError
from .logs import LOGS, recorded
from .source import Source

Record = tuple[bytes, int, int, str, str, int]
"""Captured bytes, length on the wire, link type, interfaces it came in and went out by, nanoseconds since 1970.

An interface that is not recorded is the empty string. pcap records none, unless a log's own headers do.
"""

MAX_CAPTURED: Final = 262_144  # libpcap's limit, too

HEADER: Final = 24
_MAGICS = {  # -> nanoseconds in a unit of the fraction, bytes of a record header
    0xA1B2C3D4: (1000, 16),
    0xA1B23C4D: (1, 16),
    0xA1B2CD34: (1000, 24),
}


def is_pcap(head: bytes) -> bool:
    """Do these first four bytes begin a pcap file?"""
    return len(head) >= 4 and (
        int.from_bytes(head[:4], "little") in _MAGICS or int.from_bytes(head[:4], "big") in _MAGICS
    )


class Layout(NamedTuple):
    """What a file's header says of its records: `order` is that of `struct`, `scale` the nanoseconds in a unit of the fraction, `header`
    the bytes before a frame; the two lengths stand the other way round always for 2, for 1 where that cannot be."""

    order: str
    link: int
    scale: int
    header: int
    turned: int


def layout_of(source: Source, head: bytes) -> Layout:
    """What a pcap file's header says, the first bytes of `head`.

    Raises:
        CaptureError: FW902 or FW904 if it is cut or of another version.
    """
    if len(head) < HEADER:
        raise CaptureError(ENDS_EARLY, source.file, "the file ends inside its header")
    order = "<" if int.from_bytes(head[:4], "little") in _MAGICS else ">"
    magic, major, minor, _, _, _, link = struct.unpack_from(order + "IHHiIII", head)
    if (major, minor) not in ((2, 0), (2, 1), (2, 2), (2, 3), (2, 4), (543, 0)):  # 543.0 is DG/UX's
        raise CaptureError(UNSUPPORTED, source.file, f"pcap version {major}.{minor} is not known")
    # before 2.3 the two lengths stood the other way round; in 2.3 some programs' did
    turned = 2 if (major, minor) < (2, 3) else 1 if (major, minor) < (2, 4) else 0
    scale, header = _MAGICS[magic]
    # above 16 bits the length of the FCS, and bits that readers must ignore
    return Layout(order, link & 0xFFFF, scale, header, turned)


class PcapReader:
    """The records of a pcap file whose first bytes are `head`.

    Raises:
        CaptureError: FW902 or FW904 if the file header is cut or of another version.
    """

    def __init__(self, source: Source, head: bytes) -> None:
        self._source = source
        head = source.fill(head, HEADER)
        self._layout = layout_of(source, head)
        self.packets = 0
        self._rest = head[HEADER:]

    def batches(self) -> Iterator[list[Record]]:
        """The records, some thousands at a time; to be asked for once.

        Raises:
            CaptureError: after all records before the damage.
        """
        source = self._source
        order, link, scale, header, turned = self._layout
        unpack = struct.Struct(order + "IIII").unpack_from
        limit = MAX_CAPTURED
        buffer, self._rest = self._rest, b""
        while True:
            batch: list[Record] = []
            append = batch.append
            at = 0
            size = len(buffer)
            damage = ""
            while at + header <= size:
                seconds, fraction, captured, wire = unpack(buffer, at)
                if turned and (turned == 2 or captured > wire):
                    captured, wire = wire, captured
                if captured > limit:
                    damage = f"{captured:,} captured bytes are more than {limit:,}"
                    break
                start = at + header
                stop = start + captured
                if stop > size:
                    break
                append((buffer[start:stop], wire, link, "", "", seconds * 1_000_000_000 + fraction * scale))
                at = stop
            if batch:
                self.packets += len(batch)
                yield batch if link not in LOGS else [_named(record) for record in batch]
            if damage:
                raise self._error(DAMAGED, damage)
            chunk = source.read()
            if not chunk:
                if at < size:
                    raise self._error(ENDS_EARLY, "the file ends inside a record")
                return
            buffer = buffer[at:] + chunk

    def _error(self, code: str, message: str) -> CaptureError:
        return CaptureError(code, self._source.file, f"packet {self.packets + 1:,}: {message}")


def _named(record: Record) -> Record:
    """The record with the interfaces that its frame's header names."""
    data, wire, link, _, _, time = record
    says = recorded(data, link)
    return data, wire, link, says.inbound, says.outbound, time
