"""A capture's bytes -> frames in them: the records of pcap and pcapng files, piece by piece.

The bytes come from whatever has `readinto`. Containers and errors are those of `fwengine.packets`, which this module must not
know: the tests hold both to the same answers on every packet.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from typing import Any, Final, Protocol

from ..errors import CaptureError
from ..model.fields import INTERFACE_BYTES
from ..model.recording import recorded_name
from .flows import Clock, Clocks
from .module import native

_CHUNK = 1 << 19  # bytes read at a time: less costs calls, more leaves the processor's caches before it is counted
_LEFT = 1 << 16  # room for what a chunk leaves
_FRAME = struct.Struct("=IIIHHHHIQII")
_FRAME_BYTES = _FRAME.size
_RECORD_BYTES = 16  # no record is shorter
_COOKED = (113, 276)

_NOT_A_CAPTURE, _ENDS_EARLY, _DAMAGED, _UNSUPPORTED = "FW901", "FW902", "FW903", "FW904"
_PCAP = {0xA1B2C3D4: 16, 0xA1B23C4D: 16, 0xA1B2CD34: 24}  # magic -> bytes of a record header
_NANOSECONDS = 0xA1B23C4D
_VERSIONS = ((2, 0), (2, 1), (2, 2), (2, 3), (2, 4), (543, 0))
# why a walk stopped: the numbers of decode.h
(
    _MORE, _, _DESCRIBED, _CAPLEN, _BLOCK, _TRAILER, _UNKNOWN, _OVERRUN, _OPTION, _MAGIC, _CROWD, _TIME, _VERSION, _NAMED,
) = range(14)  # fmt: skip
_WHY = {
    _CAPLEN: "{0:,} captured bytes are more than 262,144",
    _BLOCK: "a block of {0:,} bytes",
    _TRAILER: "the lengths at the two ends of a block differ",
    _UNKNOWN: "a packet of interface {0}, which is not described",
    _OVERRUN: "{0:,} captured bytes do not fit into their block",
    _OPTION: "an option that does not fit into its block",
    _MAGIC: "a section header without the byte-order magic",
    _CROWD: "more than 65,536 interfaces",
    _TIME: "a time resolution or offset of an impossible size",
}

NAMES: Final = 0xFFFF  # interfaces whose use is told; those beyond share this number, and count all the same
UNBOUNDED: Final = 1 << 30  # numbers of interface names, where all are to be told apart

Codes = Callable[[str], tuple[int, int]]  # an interface's name -> what stands for it inbound and outbound


class Stream(Protocol):
    """What captures are read from: a file opened without buffering, `io.BytesIO`, and the like."""

    def readinto(self, buffer: Any, /) -> int | None:
        """Fills the beginning of the buffer with the next bytes; how many, 0 at the end."""


class Frames:
    """Bytes of a file, and the frames of `count` packets in them. Used again and again: memory in use is fast."""

    def __init__(self) -> None:
        self.size = self.count = 0
        self.data = bytearray(_CHUNK + _LEFT)
        self._make_room()

    def begin(self, data: bytes) -> None:
        self.size = self.count = 0
        while len(self.data) < len(data):
            self._grow()
        self.data[: len(data)] = data
        self.size = len(data)

    def read(self, stream: Stream, need: int) -> None:
        """Reads on until there are `need` bytes, or no more come. Grows with what is there, not with what is asked for."""
        while self.size < need:
            if self.size == len(self.data):
                self._grow()
            with memoryview(self.data) as data:
                read = stream.readinto(data[self.size : self.size + _CHUNK])
            if not read:
                return
            self.size += read

    def frame(self, number: int) -> tuple[int, int, int, int, int]:
        """Of one frame the offset, the captured bytes, those on the wire, the link type, and its interface's number."""
        offset, size, wire, link, _, _, _, spare, *_ = _FRAME.unpack_from(self.frames, _FRAME_BYTES * number)
        return offset, size, wire, link, spare

    def marks(self, number: int) -> tuple[int, int, int]:
        """Of one frame the codes of its interfaces inbound and outbound, and what the recording firewall did."""
        _, _, _, _, came_in, went_out, done, *_ = _FRAME.unpack_from(self.frames, _FRAME_BYTES * number)
        return came_in, went_out, done

    def time(self, number: int) -> tuple[int, int]:
        """Of one frame the ticks, and the number of the clock that they are of."""
        *_, ticks, clock, _ = _FRAME.unpack_from(self.frames, _FRAME_BYTES * number)
        return ticks, clock

    def _grow(self) -> None:
        self.data += bytes(len(self.data))
        self._make_room()

    def _make_room(self) -> None:
        most = len(self.data) // _RECORD_BYTES + 1
        self.frames = bytearray(_FRAME_BYTES * most)
        self.kinds = array("I", bytes(4 * most))


class Walk:
    """A capture's records as pieces of frames; `error` says what ended it, once it is through."""

    def __init__(
        self,
        stream: Stream,
        file: str,
        codes: Codes,
        stated: tuple[int | None, int | None],
        names: int = NAMES,
        clocks: Clocks | None = None,
    ) -> None:
        self._stream = stream
        self._most = names
        self._file = file
        self._codes = codes
        self._stated = stated
        self.clocks = clocks or Clocks()
        self._names = [""]
        self._numbers = {"": 0}
        self._walker: Any = None
        self._pcapng = False
        self._rest = b""
        self._need = 1
        self._damaged: CaptureError | None = None
        self._through = self._halted = False
        self.packets = 0
        self.error: CaptureError | None = None

    def names(self, bit: int) -> frozenset[str]:
        """The interfaces where packets came in (bit 1) or went out (bit 2)."""
        if self._walker is None:
            return frozenset()
        assert native is not None  # there is a walker
        used = native.used(self._walker)
        return frozenset(name for number, name in enumerate(self._names) if used[min(number, NAMES)] & bit)

    @property
    def known(self) -> int:
        """How many names of interfaces have numbers, the empty one included."""
        return len(self._names)

    def name(self, number: int) -> str:
        """The interface's name that has a number."""
        return self._names[number]

    def number(self, name: str) -> int:
        """The number of an interface's name, which it gets if it has none."""
        return self._numbered(name)[2]

    def next(self, piece: Frames) -> bool:
        """Fills a piece with the next frames, about a chunk of them; are there any? To be called in turns."""
        try:
            while not (self._through or self._halted):
                self._through = True  # unless this goes well
                self._through = not self._fill(piece)
                if piece.count:
                    return True
        except CaptureError as error:
            self.error = error.with_traceback(None)  # which would keep the piece, megabytes of it, in a circle
        return False

    def stop(self) -> None:
        """No more pieces, for whoever may still ask for one."""
        self._halted = True

    def _fill(self, piece: Frames) -> bool:
        """Reads and walks once. Is there more to come?"""
        assert native is not None  # whoever asks has looked
        if self._damaged:  # the packets before have been given
            raise self._damaged
        piece.begin(self._rest)
        if self._walker is None:
            at = self._open(piece)
        else:
            at = 0
            # only now: what goes wrong with reading on comes behind the packets before it
            piece.read(self._stream, max(self._need, piece.size + 1))
        if not piece.size:
            return False
        if piece.size < self._need:
            raise self._damage(_ENDS_EARLY, "the file ends inside a " + ("block" if self._pcapng else "record"))
        with memoryview(piece.data) as whole, whole[: piece.size] as data, memoryview(piece.frames) as frames:
            while True:
                reason, at, self._need, count, detail, link, name, *clock = native.walk(
                    self._walker, data, at, frames[_FRAME_BYTES * piece.count :]
                )
                piece.count += count
                self.packets += count
                try:
                    if reason == _MORE:
                        break
                    self._stopped(reason, detail, link, name, (clock[0], clock[1]))
                except CaptureError as error:
                    self._damaged = error.with_traceback(None)
                    break
            self._rest = bytes(data[at:])
        return True

    def _stopped(self, reason: int, detail: int, link: int, name: bytes, clock: Clock) -> None:
        """What is to be done before a walk goes on: describe an interface, or give up."""
        if reason == _DESCRIBED:
            self._describe(link, name, clock)
        elif reason == _NAMED:
            assert native is not None  # there is a walker
            native.named(self._walker, *self._numbered(recorded_name(name.decode("utf-8", "replace"))))
        elif reason == _TIME:
            self._name(name)  # what is wrong with that comes first
            raise self._damage(_DAMAGED, _WHY[_TIME])
        elif reason == _VERSION:
            raise self._damage(_UNSUPPORTED, f"pcapng version {detail >> 16}.{detail & 0xFFFF} is not known")
        else:
            assert reason in _WHY  # there is room for all frames that the data can hold
            raise self._damage(_DAMAGED, _WHY[reason].format(detail))

    def _open(self, piece: Frames) -> int:
        """Reads the file's header; where the first record begins."""
        assert native is not None  # as above
        inside, outside = self._stated
        stated = (inside or 0, outside or 0, inside is not None, outside is not None)
        piece.read(self._stream, 8)
        data = bytes(piece.data[: min(piece.size, 24)])
        little, big = (int.from_bytes(data[:4], order) for order in ("little", "big"))
        if len(data) >= 4 and (little in _PCAP or big in _PCAP):
            piece.read(self._stream, 24)
            data = bytes(piece.data[: min(piece.size, 24)])
            if len(data) < 24:
                raise CaptureError(_ENDS_EARLY, self._file, "the file ends inside its header")
            order = "little" if little in _PCAP else "big"
            major, minor, link = (int.from_bytes(data[a:b], order) for a, b in ((4, 6), (6, 8), (20, 24)))  # type: ignore[arg-type]  # one of the two
            if (major, minor) not in _VERSIONS:
                raise CaptureError(_UNSUPPORTED, self._file, f"pcap version {major}.{minor} is not known")
            # before 2.3 the two lengths stood the other way round; in 2.3 some programs' did
            swapped = 2 if (major, minor) < (2, 3) else 1 if (major, minor) < (2, 4) else 0
            magic = little if order == "little" else big
            header, scale = _PCAP[magic], 1 if magic == _NANOSECONDS else 1000
            self._walker = native.walker(False, order == "big", header, swapped, link & 0xFFFF, scale, *stated)
            return 24
        if data[:4] == b"\n\r\r\n":
            self._pcapng = True
            piece.read(self._stream, 28)
            if piece.size < 28:
                raise CaptureError(_ENDS_EARLY, self._file, "the file ends inside its header")
            self._walker = native.walker(True, False, 16, 0, 0, 0, *stated)
            return 0
        if not data:
            raise CaptureError(_NOT_A_CAPTURE, self._file, "the file is empty")
        raise CaptureError(_NOT_A_CAPTURE, self._file, "neither pcap nor pcapng")

    def _describe(self, link: int, data: bytes, clock: Clock) -> None:
        assert native is not None  # as above
        name = recorded_name(self._name(data))
        if name == "any" and link in _COOKED:  # Linux' pseudo-interface names none
            name = ""
        native.interface(self._walker, *self._numbered(name), self.clocks.number(clock))

    def _numbered(self, name: str) -> tuple[int, int, int]:
        """What stands for an interface's name inbound and outbound, and its number."""
        number = self._numbers.get(name)
        if number is None:
            number = len(self._names)
            if number < self._most:
                self._names.append(name)
                self._numbers[name] = number
        return *(self._codes(name) if name else (0, 0)), number

    def _name(self, data: bytes) -> str:
        name = data.partition(b"\0")[0].decode("utf-8", "replace")
        if len(name.encode()) > INTERFACE_BYTES:
            raise self._damage(_DAMAGED, f"an interface name of more than {INTERFACE_BYTES} bytes")
        return name

    def _damage(self, code: str, message: str) -> CaptureError:
        if not self._pcapng:
            message = f"packet {self.packets + 1:,}: {message}"
        elif self.packets:
            message = f"behind packet {self.packets:,}: {message}"
        return CaptureError(code, self._file, message, self.packets)
