"""A capture's bytes -> counts per rule, natively; and the native decoder's points, to test it by.

The bytes come from whatever has `readinto`. Containers, link types, classes and errors are those of
`fwengine.packets`, which this module must not know: the tests hold both to the same answers on every packet.
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ..errors import CaptureError, LimitError
from ..model.address import V6_BASE
from ..model.fields import (
    DPORT,
    DST,
    FIELDS,
    FRAGMENT,
    INTERFACE_BYTES,
    INTERFACES,
    PROTOCOL,
    SPORT,
    SRC,
    STAGES,
    Point,
    interface_number,
    lacking,
)
from ..model.recording import recorded_name
from .module import native

if TYPE_CHECKING:
    from .columns import Classifier

# counted behind the rules and the default, in this order; then what is allowed by one of several rules, and, counted in
# another row, too, what is decided though truncated
CLASSES: Final = ("not-ip", "malformed", "truncated", "tiny-fragment")
_CLASS_ROWS: Final = len(CLASSES) + 2

_CHUNK = 1 << 19  # bytes read at a time: less costs calls, more leaves the processor's caches before it is counted
_LEFT = 1 << 16  # room for what a chunk leaves
_FRAME = struct.Struct("=IIIHHHHI")
_DONE = (1, 2)  # what a recording firewall did with a frame: passed, blocked
_FRAME_BYTES = _FRAME.size
_RECORD_BYTES = 16  # no record is shorter
_COOKED = (113, 276)

_NOT_A_CAPTURE, _ENDS_EARLY, _DAMAGED, _UNSUPPORTED = "FW901", "FW902", "FW903", "FW904"
_PCAP = {0xA1B2C3D4: 16, 0xA1B23C4D: 16, 0xA1B2CD34: 24}  # magic -> bytes of a record header
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

_NAMES = 0xFFFF  # interfaces whose use is told; those beyond share this number, and count all the same
UNBOUNDED: Final = 1 << 30  # numbers of interface names, where all are to be told apart

# A truncated frame's bytes, link type, length on the wire and numbers of interfaces -> the row in which it counts.
CutRow = Callable[[memoryview, int, int, int, int], int]
Codes = Callable[[str], tuple[int, int]]  # an interface's name -> what stands for it inbound and outbound


class Stream(Protocol):
    """What captures are read from: a file opened without buffering, `io.BytesIO`, and the like."""

    def readinto(self, buffer: Any, /) -> int | None:
        """Fills the beginning of the buffer with the next bytes; how many, 0 at the end."""


class CaptureCounts(NamedTuple):
    """What a policy does to a capture, up to its damage if it has any.

    `packets` and `octets` (bytes on the wire) have a row for each rule, then for the default, then for each of
    `CLASSES`, then for what one of several rules allows; the last has what is decided though truncated, again. `kinds`
    counts the frames without IP by the numbers of `packets.place`; `recorded` has for each row the packets that the
    recording firewall passed, and those that it blocked. `inbound` and `outbound` are the names of interfaces that the
    file records for packets (the first 65,534 of a file with more).
    """

    packets: tuple[int, ...]
    octets: tuple[int, ...]
    kinds: dict[int, int]
    recorded: tuple[tuple[int, int], ...]
    inbound: frozenset[str]
    outbound: frozenset[str]
    error: CaptureError | None


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
        offset, size, wire, link, _, _, _, spare = _FRAME.unpack_from(self.frames, _FRAME_BYTES * number)
        return offset, size, wire, link, spare

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
        self, stream: Stream, file: str, codes: Codes, stated: tuple[int | None, int | None], names: int = _NAMES
    ) -> None:
        self._stream = stream
        self._most = names
        self._file = file
        self._codes = codes
        self._stated = stated
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
        return frozenset(name for number, name in enumerate(self._names) if used[min(number, _NAMES)] & bit)

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
            self.error = error
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
                reason, at, self._need, count, detail, link, name = native.walk(
                    self._walker, data, at, frames[_FRAME_BYTES * piece.count :]
                )
                piece.count += count
                self.packets += count
                try:
                    if reason == _MORE:
                        break
                    self._stopped(reason, detail, link, name)
                except CaptureError as error:
                    self._damaged = error
                    break
            self._rest = bytes(data[at:])
        return True

    def _stopped(self, reason: int, detail: int, link: int, name: bytes) -> None:
        """What is to be done before a walk goes on: describe an interface, or give up."""
        if reason == _DESCRIBED:
            self._describe(link, name)
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
            header = _PCAP[little if order == "little" else big]
            self._walker = native.walker(False, order == "big", header, swapped, link & 0xFFFF, *stated)
            return 24
        if data[:4] == b"\n\r\r\n":
            self._pcapng = True
            piece.read(self._stream, 28)
            if piece.size < 28:
                raise CaptureError(_ENDS_EARLY, self._file, "the file ends inside its header")
            self._walker = native.walker(True, False, 16, 0, 0, *stated)
            return 0
        if not data:
            raise CaptureError(_NOT_A_CAPTURE, self._file, "the file is empty")
        raise CaptureError(_NOT_A_CAPTURE, self._file, "neither pcap nor pcapng")

    def _describe(self, link: int, data: bytes) -> None:
        assert native is not None  # as above
        name = recorded_name(self._name(data))
        if name == "any" and link in _COOKED:  # Linux' pseudo-interface names none
            name = ""
        native.interface(self._walker, *self._numbered(name))

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


class _Sums(NamedTuple):
    """What one thread has counted: packets and bytes in turns, passed and blocked in turns, frames without IP by kind."""

    counts: array[int]
    recorded: array[int]
    kinds: Counter[int]

    def move(self, old: int | None, row: int, octets: int, done: int) -> None:
        """Counts a packet in another row; `done` is what the recording firewall did."""
        for other, change in ((old, -1), (row, 1)):
            if other is not None:
                self.counts[2 * other] += change
                self.counts[2 * other + 1] += change * octets
                if done in _DONE:
                    self.recorded[2 * other + _DONE.index(done)] += change


def count_capture(
    classifier: Classifier,
    stream: Stream,
    *,
    file: str = "<stream>",
    inbound: str | None = None,
    outbound: str | None = None,
    state: int = 0,
    jobs: int = 1,
    progress: Callable[[], object] | None = None,
    cut: CutRow | None = None,
) -> CaptureCounts:
    """Counts per rule over a capture; results do not depend on how the bytes come, or on `jobs`.

    Args:
        stream: gives the file's bytes, decompressed; what `readinto` raises passes through, unless it is a
            `CaptureError`, which ends the counts.
        file: the name for error messages.
        inbound, outbound: the interfaces of all packets, whatever the capture records; None leaves those it records.
        state: of all packets, an index into `model.fields.STATES`.
        jobs: how many threads share the work. They read in turns, and each counts what it has read.
        progress: called now and then, by the caller's thread.
        cut: in which row a truncated frame counts of which more is missing than a policy is indifferent to; without it all
            of these count as truncated. Any thread calls it.

    Raises:
        LimitError: if the policy is more than the native classifier takes, or the module is not here.
    """
    tables = classifier.native_tables()
    if native is None or tables is None:
        raise LimitError("captures are counted natively only where the native classifier takes the policy")
    default = len(classifier.policy.rules)
    rows = default + 1 + _CLASS_ROWS
    truncated, partial = default + 1 + CLASSES.index("truncated"), rows - 1
    stated = (
        None if inbound is None else classifier.in_interface(inbound),
        None if outbound is None else classifier.out_interface(outbound),
    )

    numbers = ({0: 0}, {0: 0})  # for each code of an interface a name's number: the policy asks no more

    def codes(name: str) -> tuple[int, int]:
        found = classifier.in_interface(name), classifier.out_interface(name)
        for known, code in zip(numbers, found, strict=True):
            known.setdefault(code, interface_number(name))
        return found

    for name in (inbound, outbound):
        if name:
            codes(name)

    walk = Walk(stream, file, codes, stated)
    turn = Lock()

    def work(told: Callable[[], object] | None) -> _Sums:
        assert native is not None  # looked at above
        sums = _Sums(array("Q", bytes(16 * rows)), array("Q", bytes(16 * rows)), Counter())
        piece = Frames()
        while True:
            with turn:
                if not walk.next(piece):
                    return sums
            with memoryview(piece.data)[: piece.size] as data:
                used, doubtful = native.count(
                    *tables,
                    classifier.engine,
                    data,
                    piece.frames,
                    piece.count,
                    state,
                    sums.counts,
                    sums.recorded,
                    piece.kinds,
                )
                if cut is not None:
                    for at in doubtful:
                        offset, size, wire, link, *ends, done, _ = _FRAME.unpack_from(piece.frames, _FRAME_BYTES * at)
                        came_in, went_out = (known[code] for known, code in zip(numbers, ends, strict=True))
                        with data[offset : offset + size] as frame:
                            row = cut(frame, link, wire, came_in, went_out)
                        if row != truncated:
                            sums.move(truncated, row, wire, done)
                            sums.move(None, partial, wire, 0)
            if used:
                sums.kinds.update(piece.kinds[:used])
            if told is not None:
                told()

    if jobs <= 1:
        total = work(progress)
    else:
        from concurrent.futures import ThreadPoolExecutor  # late: it costs more than many a capture

        with ThreadPoolExecutor(jobs - 1) as pool:
            try:
                others = [pool.submit(work, None) for _ in range(jobs - 1)]
                parts = [work(progress), *(other.result() for other in others)]
            finally:
                walk.stop()  # an interrupt is not to wait for the end of the file
        total = _Sums(
            array("Q", map(sum, zip(*(part.counts for part in parts), strict=True))),
            array("Q", map(sum, zip(*(part.recorded for part in parts), strict=True))),
            sum((part.kinds for part in parts), Counter()),
        )
    return CaptureCounts(
        tuple(total.counts[0::2]),
        tuple(total.counts[1::2]),
        dict(total.kinds),
        tuple(zip(total.recorded[0::2], total.recorded[1::2], strict=True)),
        walk.names(1),
        walk.names(2),
        walk.error,
    )


def decode_capture(stream: Stream, file: str = "<stream>") -> Iterator[tuple[Point | str | int, int]]:
    """Each packet's point, its class, or its kind if it has no IP, and its bytes on the wire, as the native decoder has them.

    Raises:
        CaptureError: behind the packets before the damage.
        LimitError: if the native module is not here; behind some packets, from 65,536 interface names on.
    """
    if native is None:
        raise LimitError("the native module is not here")
    names = [0]
    known: dict[str, int] = {}

    def codes(name: str) -> tuple[int, int]:
        number = known.setdefault(name, len(names))
        if number > _NAMES:
            raise LimitError(f"more than {_NAMES:,} interface names")
        if number == len(names):
            names.append(interface_number(name))
        return number, number

    walk = Walk(stream, file, codes, (None, None))
    piece = Frames()
    while walk.next(piece):
        yield from _decoded(piece, names)
    if walk.error is not None:
        raise walk.error


def _decoded(piece: Frames, names: list[int]) -> Iterator[tuple[Point | str | int, int]]:
    assert native is not None  # there are frames
    with memoryview(piece.data)[: piece.size] as data:
        frames = native.decoded(data, piece.frames, piece.count)
    for kind, protocol, fragment, src, dst, sport, dport, rest, wire, what in frames:
        if kind > 1:
            yield CLASSES[kind - 2] if kind > 2 else what, wire
            continue
        family, base = (4, 0) if kind == 0 else (6, V6_BASE)
        point = [0] * FIELDS
        point[PROTOCOL], point[FRAGMENT], point[SPORT], point[DPORT] = protocol, fragment, sport, dport
        point[SRC], point[DST] = base + int.from_bytes(src, "big"), base + int.from_bytes(dst, "big")
        for f, value in zip(STAGES, rest, strict=True):
            point[f] = names[value] if f in INTERFACES else value
        for f, none in lacking(protocol, family, fragment):
            point[f] = none
        yield tuple(point), wire
