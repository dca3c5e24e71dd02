"""A capture's bytes -> counts per rule, natively; and the native decoder's points, to test it by.

The bytes come in chunks of any size, from wherever. Containers, link types, classes and errors are those of
`fwengine.packets`, which this module must not know: the tests hold both to the same answers on every packet.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..address import V6_BASE
from ..errors import CaptureError, LimitError
from ..header import (
    INTERFACE_BYTES,
    NO_FLAGS,
    NO_PORT,
    NO_TYPE,
    Point,
    has_flags,
    has_ports,
    has_type,
    interface_number,
)
from .native import native

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .columns import Classifier

CLASSES: Final = ("not-ip", "malformed", "truncated")  # counted behind the rules and the default, in this order

_BUFFER = 320 << 10  # bytes that a buffer has at least: a usual chunk and what the one before left
_FRAME_BYTES = 24
_RECORD_BYTES = 16  # no record is shorter
_TOGETHER = 2  # pieces that a thread takes at a time, where there are several
_AHEAD = 2  # such tasks for each of them, so that none waits for the one that reads
_COOKED = (113, 276)

_NOT_A_CAPTURE, _ENDS_EARLY, _DAMAGED, _UNSUPPORTED = "FW901", "FW902", "FW903", "FW904"
_PCAP = {0xA1B2C3D4: 16, 0xA1B23C4D: 16, 0xA1B2CD34: 24}  # magic -> bytes of a record header
_VERSIONS = ((2, 0), (2, 1), (2, 2), (2, 3), (2, 4), (543, 0))
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

# why a walk stopped: the numbers of decode.h
_MORE, _, _DESCRIBED, _CAPLEN, _BLOCK, _TRAILER, _UNKNOWN, _OVERRUN, _OPTION, _MAGIC, _CROWD, _TIME, _VERSION = range(
    13
)
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

Codes = Callable[[str], tuple[int, int]]  # an interface's name -> what stands for it inbound and outbound
Buffers = tuple[bytearray, bytearray]  # bytes of the file; as many frames as they can hold
Piece = tuple[Buffers, memoryview, int]  # the second is the first's part in use; how many frames


@dataclass(frozen=True)
class CaptureCounts:
    """What a policy does to a capture, up to its damage if it has any.

    `packets` and `octets` (bytes on the wire) have a row for each rule, then for the default, then for each of
    `CLASSES`. `links` are the link types that the file announces; `inbound` and `outbound` the names of interfaces that
    it records for packets.
    """

    packets: tuple[int, ...]
    octets: tuple[int, ...]
    links: frozenset[int]
    inbound: frozenset[str]
    outbound: frozenset[str]
    error: CaptureError | None


class _Walk:
    """A capture's records as pieces of frames; `error` says what ended it, once it is through."""

    def __init__(self, chunks: Iterable[bytes], file: str, codes: Codes, stated: tuple[int | None, int | None]) -> None:
        self._chunks = iter(chunks)
        self._file = file
        self._codes = codes
        self._stated = stated
        self._names = [""]
        self._numbers = {"": 0}
        self._walker: Any = None
        self._pcapng = False
        self.packets = 0
        self.links: set[int] = set()
        self.error: CaptureError | None = None
        self._free: list[Buffers] = []

    def names(self, bit: int) -> frozenset[str]:
        """The interfaces where packets came in (bit 1) or went out (bit 2)."""
        if self._walker is None:
            return frozenset()
        assert native is not None  # there is a walker
        used = native.used(self._walker)
        return frozenset(name for number, name in enumerate(self._names) if used[number] & bit)

    def pieces(self) -> Iterator[Piece]:
        """All frames, about a chunk at a time."""
        try:
            yield from self._pieces()
        except CaptureError as error:
            self.error = error

    def release(self, buffers: Buffers) -> None:
        """Gives the buffers of a piece back: they are used again, and memory that is in use is fast."""
        self._free.append(buffers)

    def _take(self, size: int) -> Buffers:
        while self._free:
            found = self._free.pop()
            if len(found[0]) >= size:
                return found
        size = max(size, _BUFFER)
        return bytearray(size), bytearray(_FRAME_BYTES * (size // _RECORD_BYTES + 1))

    def _next(self, begun: bytes | memoryview, need: int) -> list[bytes | memoryview]:
        """`begun` and what follows, until there are `need` bytes or no more come."""
        parts, have = [begun], len(begun)
        while have < need:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            parts.append(chunk)
            have += len(chunk)
        return parts

    def _pieces(self) -> Iterator[Piece]:
        assert native is not None  # whoever asks has looked
        parts: list[bytes | memoryview] = [self._open()]
        at = 0 if self._pcapng else 24
        need = 0
        while True:
            size = sum(map(len, parts))
            if not size:
                return
            if size < need:
                raise self._damage(_ENDS_EARLY, "the file ends inside a " + ("block" if self._pcapng else "record"))
            buffers = self._take(size)
            data, frames = memoryview(buffers[0])[:size], memoryview(buffers[1])
            end = 0
            for part in parts:
                data[end : end + len(part)] = part
                end += len(part)
            found = 0
            damage = None
            while True:
                reason, at, need, count, detail, link, name = native.walk(
                    self._walker, data, at, frames[_FRAME_BYTES * found :]
                )
                found += count
                self.packets += count
                try:
                    if reason == _MORE:
                        break
                    self._stopped(reason, detail, link, name)
                except CaptureError as error:
                    damage = error
                    break
            rest = bytes(data[at:])
            if found:
                yield buffers, data, found
            else:
                self.release(buffers)
            if damage:
                raise damage
            # only now: what goes wrong with reading on comes behind the packets before it
            parts = self._next(rest, max(need, len(rest) + 1))
            at = 0

    def _stopped(self, reason: int, detail: int, link: int, name: bytes) -> None:
        """What is to be done before a walk goes on: describe an interface, or give up."""
        if reason == _DESCRIBED:
            self._describe(link, name)
        elif reason == _VERSION:
            raise self._damage(_UNSUPPORTED, f"pcapng version {detail >> 16}.{detail & 0xFFFF} is not known")
        else:
            assert reason in _WHY  # there is room for all frames that the data can hold
            raise self._damage(_DAMAGED, _WHY[reason].format(detail))

    def _open(self) -> bytes:
        assert native is not None  # as above
        inside, outside = self._stated
        stated = (inside or 0, outside or 0, inside is not None, outside is not None)
        data = b"".join(self._next(b"", 8))
        little, big = (int.from_bytes(data[:4], order) for order in ("little", "big"))
        if len(data) >= 4 and (little in _PCAP or big in _PCAP):
            data = b"".join(self._next(data, 24))
            if len(data) < 24:
                raise CaptureError(_ENDS_EARLY, self._file, "the file ends inside its header")
            order = "little" if little in _PCAP else "big"
            major, minor, link = (int.from_bytes(data[a:b], order) for a, b in ((4, 6), (6, 8), (20, 24)))  # type: ignore[arg-type]  # one of the two
            if (major, minor) not in _VERSIONS:
                raise CaptureError(_UNSUPPORTED, self._file, f"pcap version {major}.{minor} is not known")
            # before 2.3 the two lengths stood the other way round; in 2.3 some programs' did
            swapped = 2 if (major, minor) < (2, 3) else 1 if (major, minor) < (2, 4) else 0
            self.links.add(link & 0xFFFF)
            header = _PCAP[little if order == "little" else big]
            self._walker = native.walker(False, order == "big", header, swapped, link & 0xFFFF, *stated)
        elif data[:4] == b"\n\r\r\n":
            self._pcapng = True
            data = b"".join(self._next(data, 28))
            if len(data) < 28:
                raise CaptureError(_ENDS_EARLY, self._file, "the file ends inside its header")
            self._walker = native.walker(True, False, 16, 0, 0, *stated)
        elif not data:
            raise CaptureError(_NOT_A_CAPTURE, self._file, "the file is empty")
        else:
            for magic, kind in _OTHERS.items():
                if data.startswith(magic):
                    raise CaptureError(_UNSUPPORTED, self._file, f"{kind}: only pcap, pcapng and gzip are read")
            raise CaptureError(_NOT_A_CAPTURE, self._file, "neither pcap nor pcapng")
        return data

    def _describe(self, link: int, data: bytes) -> None:
        assert native is not None  # as above
        name = data.partition(b"\0")[0].decode("utf-8", "replace")
        if len(name.encode()) > INTERFACE_BYTES:
            raise self._damage(_DAMAGED, f"an interface name of more than {INTERFACE_BYTES} bytes")
        if name == "any" and link in _COOKED:  # Linux' pseudo-interface names none
            name = ""
        number = self._numbers.get(name)
        if number is None:
            number = len(self._names)
            if number < _NAMES:
                self._names.append(name)
                self._numbers[name] = number
        native.interface(self._walker, *(self._codes(name) if name else (0, 0)), number)
        self.links.add(link)

    def _damage(self, code: str, message: str) -> CaptureError:
        if not self._pcapng:
            message = f"packet {self.packets + 1:,}: {message}"
        elif self.packets:
            message = f"behind packet {self.packets:,}: {message}"
        return CaptureError(code, self._file, message, self.packets)


def count_capture(
    classifier: Classifier,
    chunks: Iterable[bytes],
    *,
    file: str = "<stream>",
    inbound: str | None = None,
    outbound: str | None = None,
    state: int = 0,
    jobs: int = 1,
    progress: Callable[[], object] | None = None,
) -> CaptureCounts:
    """Counts per rule over a capture whose bytes come in chunks; results do not depend on the chunks or on `jobs`.

    Args:
        chunks: the file's bytes, decompressed; what their iterator raises passes through, unless it is a `CaptureError`,
            which ends the counts.
        file: the name for error messages.
        inbound, outbound: the interfaces of all packets, whatever the capture records; None leaves those it records.
        state: of all packets, an index into `header.STATES`.
        jobs: how many threads share the work.
        progress: called now and then.

    Raises:
        LimitError: if the policy is more than the native classifier takes, or the module is not here.
    """
    tables = classifier.native_tables()
    if native is None or tables is None:
        raise LimitError("captures are counted natively only where the native classifier takes the policy")
    rows = len(classifier.policy.rules) + 4
    stated = (
        None if inbound is None else classifier.in_interface(inbound),
        None if outbound is None else classifier.out_interface(outbound),
    )

    def codes(name: str) -> tuple[int, int]:
        return classifier.in_interface(name), classifier.out_interface(name)

    walk = _Walk(chunks, file, codes, stated)
    counts = [array("Q", bytes(16 * rows)) for _ in range(1 + _AHEAD * max(0, jobs - 1))]

    def count(pieces: list[Piece], into: array[int]) -> array[int]:
        assert native is not None  # looked at above
        frames = tuple([(data, buffers[1], number) for buffers, data, number in pieces])
        native.count(*tables, classifier.engine, frames, state, into)
        for buffers, _, _ in pieces:
            walk.release(buffers)
        return into

    if jobs <= 1:
        for piece in walk.pieces():
            count([piece], counts[0])
            if progress is not None:
                progress()
    else:
        _share(walk.pieces(), count, counts, jobs, progress)
    total = counts[0] if jobs <= 1 else array("Q", map(sum, zip(*counts, strict=True)))
    return CaptureCounts(
        tuple(total[0::2]), tuple(total[1::2]), frozenset(walk.links), walk.names(1), walk.names(2), walk.error
    )


def _share(
    pieces: Iterable[Piece],
    count: Callable[[list[Piece], array[int]], array[int]],
    counts: list[array[int]],
    jobs: int,
    progress: Callable[[], object] | None,
) -> None:
    """Counts with several threads: this one reads and walks, and counts where the others have enough to do."""
    from concurrent.futures import ThreadPoolExecutor  # late: it costs more than many a capture

    *free, own = counts
    running: list[Future[array[int]]] = []
    waiting: list[Piece] = []
    with ThreadPoolExecutor(jobs - 1) as pool:
        for piece in pieces:
            waiting.append(piece)
            if len(waiting) < _TOGETHER:
                continue
            free += [future.result() for future in running if future.done()]
            running = [future for future in running if not future.done()]
            if free:
                running.append(pool.submit(count, waiting, free.pop()))
            else:
                count(waiting, own)
            waiting = []
            if progress is not None:
                progress()
        count(waiting, own)
        for future in running:
            future.result()


def decode_capture(chunks: Iterable[bytes], file: str = "<stream>") -> Iterator[tuple[Point | str, int]]:
    """Each packet's point, or its class, and its bytes on the wire, as the native decoder has them.

    Raises:
        CaptureError: behind the packets before the damage.
        LimitError: if the native module is not here.
    """
    if native is None:
        raise LimitError("the native module is not here")
    names = [0]
    known: dict[str, int] = {}

    def codes(name: str) -> tuple[int, int]:
        number = known.setdefault(name, len(names))
        if number == len(names):
            names.append(interface_number(name))
        return number, number

    walk = _Walk(chunks, file, codes, (None, None))
    for buffers, data, count in walk.pieces():
        for (
            kind,
            protocol,
            fragment,
            src,
            dst,
            sport,
            dport,
            types,
            code,
            flags,
            inside,
            outside,
            wire,
        ) in native.decoded(data, buffers[1], count):
            if kind > 1:
                yield CLASSES[kind - 2], wire
                continue
            family, base = (4, 0) if kind == 0 else (6, V6_BASE)
            ports, typed = has_ports(protocol, fragment), has_type(protocol, family, fragment)
            yield (
                (
                    protocol,
                    base + int.from_bytes(src, "big"),
                    base + int.from_bytes(dst, "big"),
                    sport if ports else NO_PORT,
                    dport if ports else NO_PORT,
                    types if typed else NO_TYPE,
                    code if typed else NO_TYPE,
                    flags if has_flags(protocol, fragment) else NO_FLAGS,
                    fragment,
                    names[inside],
                    names[outside],
                    0,
                ),
                wire,
            )
    if walk.error is not None:
        raise walk.error
