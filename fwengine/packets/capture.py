"""Capture files -> records: pcap and pcapng, plain or compressed, from a file or standard input.

Knows containers, not what the frames hold. Memory does not grow with the file. A damaged file gives the records before
the damage, then a `CaptureError`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType

from ..codes import DAMAGED, ENDS_EARLY, UNSUPPORTED
from ..errors import CaptureError
from .containers import HEAD, foreign
from .pcap import PcapReader, Record, is_pcap
from .pcapng import PcapngReader, is_pcapng
from .source import WHOLE, Source, Window

__all__ = ["Capture", "Record", "behind", "open_capture", "refuse_foreign"]


class Capture:
    """An open capture: a context manager, and once iterable over its records.

    `file` is its name for messages, `size` its bytes on disk (None where that is not known), `position` how many of
    them are read, `packets` how many records were given.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        head = source.peek(8)
        if is_pcap(head):
            self._reader: PcapReader | PcapngReader = PcapReader(source, source.read())
        elif is_pcapng(head):
            self._reader = PcapngReader(source, source.read())
        else:
            raise _foreign(source)

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


def open_capture(path: str | os.PathLike[str], window: Window = WHOLE) -> Capture:
    """Opens a capture file (a window of it), or standard input for `-`.

    Raises:
        CaptureError: FW901, FW904, FW905, or what is wrong with the file's header.
    """
    source = Source(path, window)
    try:
        return Capture(source)
    except CaptureError:
        source.close()
        raise


def behind(error: CaptureError, packets: int) -> CaptureError:
    """What is wrong with a window, told of the capture that has so many packets before it."""
    if not packets:
        return error
    message = error.message
    if error.code in (DAMAGED, ENDS_EARLY, UNSUPPORTED):  # others do not say where
        begins = f"packet {error.packets + 1:,}: "  # of a pcap file; of pcapng what is next, or nothing
        if message.startswith(begins):
            message = f"packet {packets + error.packets + 1:,}: {message.removeprefix(begins)}"
        else:
            told = message.removeprefix(f"behind packet {error.packets:,}: ")
            message = f"behind packet {packets + error.packets:,}: {told}"
    return CaptureError(error.code, error.file, message, packets + error.packets)


def refuse_foreign(source: Source) -> None:
    """Looks at the first bytes of what another is to read.

    Raises:
        CaptureError: FW901 or FW904 if they begin no capture.
    """
    head = source.peek(8)
    if not is_pcap(head) and not is_pcapng(head):
        raise _foreign(source)


def _foreign(source: Source) -> CaptureError:
    """What to say of what begins no capture; if it cannot even be read so far, that."""
    head = source.peek(HEAD)
    return source.failed or foreign(source.file, head)
