"""Capture files -> records: pcap and pcapng, plain or gzip, from a file or standard input.

Knows containers, not what the frames hold. Memory does not grow with the file. A damaged file gives the records before
the damage, then a `CaptureError`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType

from ..errors import CaptureError
from .codes import NOT_A_CAPTURE, UNSUPPORTED
from .links import is_supported
from .pcap import PcapReader, Record, is_pcap
from .pcapng import PcapngReader, is_pcapng
from .source import Source

__all__ = ["Capture", "Record", "open_capture"]

_OTHERS = {
    b"snoop\0\0\0": "a snoop capture",
    b"\xfd7zXZ\0": "compressed with xz",
    b"BZh": "compressed with bzip2",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"\x1f\x8b": "compressed twice",
    b"PK\x03\x04": "a zip archive",
    b"XCP\0": "a NetXray capture",
    b"\xd4\xc3\xb2\xa1\0": "a pcap of an unknown version",
}
_LINK_NAMES = {
    6: "token ring", 7: "ARCNET", 8: "SLIP", 10: "FDDI", 100: "ATM", 105: "802.11", 107: "frame relay",
    114: "LocalTalk", 119: "802.11 with Prism header", 127: "802.11 with radiotap header", 147: "private use",
    187: "Bluetooth HCI", 189: "USB", 195: "802.15.4", 220: "USB", 227: "CAN", 231: "D-Bus", 239: "NFLOG", 249: "USB",
    253: "netlink", 271: "VSOCK",
}  # fmt: skip


class Capture:
    """An open capture: a context manager, and once iterable over its records.

    `file` is its name for messages, `size` its bytes on disk (None where that is not known), `position` how many of
    them are read, `packets` how many records were given.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        head = source.fill(b"", 8)
        if is_pcap(head):
            self._reader: PcapReader | PcapngReader = PcapReader(source, head)
        elif is_pcapng(head):
            self._reader = PcapngReader(source, head)
        elif not head:
            raise CaptureError(NOT_A_CAPTURE, source.file, "the file is empty")
        else:
            for magic, kind in _OTHERS.items():
                if head.startswith(magic):
                    raise CaptureError(UNSUPPORTED, source.file, f"{kind}: only pcap, pcapng and gzip are read")
            raise CaptureError(NOT_A_CAPTURE, source.file, "neither pcap nor pcapng")

    @property
    def file(self) -> str:
        return self._source.file

    @property
    def size(self) -> int | None:
        return self._source.size

    @property
    def position(self) -> int:
        return self._source.position

    @property
    def packets(self) -> int:
        return self._reader.packets

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the counts should know; complete once the records are read."""
        return tuple(link_note(link) for link in sorted(self._reader.links) if not is_supported(link))

    def batches(self) -> Iterator[list[Record]]:
        """The records in lists of some thousands: the quickest way through.

        Raises:
            CaptureError: after all records before the damage.
        """
        try:
            yield from self._reader.batches()
        except CaptureError as error:
            raise CaptureError(error.code, error.file, error.message, self.packets) from None

    def __iter__(self) -> Iterator[Record]:
        for batch in self.batches():
            yield from batch

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_capture(path: str | os.PathLike[str]) -> Capture:
    """Opens a capture file, or standard input for `-`.

    Raises:
        CaptureError: FW901, FW904, FW905, or what is wrong with the file's header.
    """
    source = Source(path)
    try:
        return Capture(source)
    except CaptureError:
        source.close()
        raise


def link_note(link: int) -> str:
    """What is to be said about a link type that cannot be decoded."""
    name = f" ({_LINK_NAMES[link]})" if link in _LINK_NAMES else ""
    return f"link type {link}{name} is not decoded: its frames count as not-ip"
