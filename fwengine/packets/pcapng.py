"""pcapng files -> batches of records.

Sections in either byte order, any number of interfaces, enhanced, simple and (obsolete) packet blocks; all other
blocks are skipped. Source: draft-ietf-opsawg-pcapng.

An interface's name is where its packets came in, unless the packet's own flags, or a Linux cooked header, say that it
was sent; then it is where the packet went out. A log's frames tell their interfaces themselves, and the file's is the log.
The name `any` of Linux' pseudo-interface names none.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from ..codes import DAMAGED, ENDS_EARLY, UNSUPPORTED
from ..errors import CaptureError
from ..model.fields import INTERFACE_BYTES
from ..model.recording import recorded_name
from .links import COOKED_1, COOKED_2, is_outgoing
from .logs import LOGS, recorded
from .pcap import MAX_CAPTURED, Record
from .source import Source

MAX_BLOCK: Final = 16 << 20
MAX_INTERFACES: Final = 1 << 16  # in one section; a bound on memory

SECTION: Final = 0x0A0D0D0A
SECTION_BYTES: Final = 28  # of the shortest section header
INTERFACE, PACKET, SIMPLE, ENHANCED = 1, 2, 3, 6
BYTE_ORDER = 0x1A2B3C4D

IF_NAME, IF_TSRESOL, IF_TSOFFSET = 2, 9, 14
FLAGS = 2  # of an enhanced or obsolete packet block
INBOUND, OUTBOUND = 1, 2

_OVERHEAD = {INTERFACE: 20, PACKET: 32, SIMPLE: 16, ENHANCED: 32}  # bytes of a block without data and options

Unpack = Callable[..., tuple[Any, ...]]


class Interface(NamedTuple):
    """What an interface description block says."""

    link: int
    snaplen: int  # 0 is "no limit"
    name: str
    multiply: int  # timestamp * multiply // divide + offset is in nanoseconds
    divide: int
    offset: int


class Damage(Exception):  # noqa: N818  # a finding, not an error of ours
    """A block that cannot be; the argument says why."""


class Section(NamedTuple):
    """What a section header block says: the byte order as `struct` has it, the block's length, and the version."""

    order: str
    total: int
    version: tuple[int, int]

    def plain(self) -> bytes:
        """A header that says the same, and no more."""
        size = SECTION_BYTES
        return struct.pack(self.order + "IIIHHqI", SECTION, size, BYTE_ORDER, *self.version, -1, size)


def read_section(buffer: bytes, at: int) -> Section:
    """The section header block whose first `SECTION_BYTES` are there.

    Raises:
        Damage: if there can be none such.
    """
    for order in "<", ">":
        _, total, magic, major, minor = struct.unpack_from(order + "IIIHH", buffer, at)
        if magic == BYTE_ORDER:
            break
    else:
        raise Damage("a section header without the byte-order magic")
    if total < SECTION_BYTES or total & 3 or total > MAX_BLOCK:
        raise Damage(f"a block of {total:,} bytes")
    return Section(order, total, (major, minor))


def is_pcapng(head: bytes) -> bool:
    """Do these first bytes begin a pcapng file?"""
    return head[:4] == b"\n\r\r\n"


class PcapngReader:
    """The records of a pcapng file whose first bytes are `head`.

    Raises:
        CaptureError: FW902, FW903 or FW904 if the first section header is cut, impossible or of another version.
    """

    def __init__(self, source: Source, head: bytes) -> None:
        self._source = source
        self.packets = 0
        self._interfaces: list[Interface] = []
        self._rest = source.fill(head, SECTION_BYTES)
        if len(self._rest) < SECTION_BYTES:
            raise self._error(ENDS_EARLY, "the file ends inside its header")
        try:
            self._section(self._rest, 0)
        except Damage as damage:
            raise self._error(DAMAGED, str(damage)) from None

    def batches(self) -> Iterator[list[Record]]:
        """The records, some thousands at a time; to be asked for once.

        Raises:
            CaptureError: after all records before the damage.
        """
        source = self._source
        buffer, self._rest = self._rest, b""
        while True:
            batch: list[Record] = []
            error: CaptureError | None = None
            try:
                at, need = self._blocks(buffer, batch)
            except Damage as damage:
                error = self._error(DAMAGED, str(damage), len(batch))
            except CaptureError as unsupported:
                error = self._error(unsupported.code, unsupported.message, len(batch))
            if batch:
                self.packets += len(batch)
                yield batch
            if error is not None:
                raise error
            rest = buffer[at:]
            buffer = source.fill(rest, max(need, len(rest) + 1))
            if not buffer:
                return
            if len(buffer) < need:
                raise self._error(ENDS_EARLY, "the file ends inside a block")

    def _blocks(self, buffer: bytes, batch: list[Record]) -> tuple[int, int]:
        """Reads all whole blocks of the buffer; where the next one begins, and how many bytes of it to have then."""
        head, enhanced = self._head, self._enhanced
        append = batch.append
        interfaces = self._interfaces
        at = 0
        size = len(buffer)
        while at + 12 <= size:
            kind, total = head(buffer, at)
            if kind == SECTION:
                if at + SECTION_BYTES > size:
                    return at, SECTION_BYTES
                total = self._section(buffer, at)
                head, enhanced, interfaces = self._head, self._enhanced, self._interfaces
            elif total < 12 or total & 3 or total > MAX_BLOCK:
                raise Damage(f"a block of {total:,} bytes")
            stop = at + total
            if stop > size:
                return at, total
            if self._trailer(buffer, stop - 4)[0] != total:
                raise Damage("the lengths at the two ends of a block differ")
            if kind == ENHANCED:
                if total < 32:
                    raise Damage(f"a block of {total:,} bytes")
                number, high, low, captured, wire = enhanced(buffer, at + 8)
                append(self._packet(buffer, at + 28, stop - 4, number, high << 32 | low, captured, wire))
            elif kind in _OVERHEAD:
                if total < _OVERHEAD[kind]:
                    raise Damage(f"a block of {total:,} bytes")
                if kind == INTERFACE:
                    self._interface(buffer, at, stop - 4)
                elif kind == PACKET:
                    number, _, high, low, captured, wire = self._obsolete(buffer, at + 8)
                    append(self._packet(buffer, at + 28, stop - 4, number, high << 32 | low, captured, wire))
                else:
                    (wire,) = self._trailer(buffer, at + 8)
                    captured = wire
                    if interfaces and 0 < interfaces[0].snaplen < wire:
                        captured = interfaces[0].snaplen
                    append(self._packet(buffer, at + 12, stop - 4, 0, None, captured, wire))
            at = stop
        return at, 12

    def _packet(
        self, buffer: bytes, start: int, stop: int, number: int, ticks: int | None, captured: int, wire: int
    ) -> Record:
        if number >= len(self._interfaces):
            raise Damage(f"a packet of interface {number}, which is not described")
        if captured > MAX_CAPTURED:
            raise Damage(f"{captured:,} captured bytes are more than {MAX_CAPTURED:,}")
        end = start + captured
        if end > stop:
            raise Damage(f"{captured:,} captured bytes do not fit into their block")
        link, _, name, multiply, divide, offset = self._interfaces[number]
        data = buffer[start:end]
        nanoseconds = 0 if ticks is None else ticks * multiply // divide + offset
        options = end + (-captured & 3)
        direction = 0
        if options < stop and ticks is not None:  # a simple packet block has no options
            direction = self._direction(buffer, options, stop)
        if link in LOGS:
            says = recorded(data, link)
            return data, wire, link, says.inbound, says.outbound, nanoseconds
        if name:
            if direction == 0 and is_outgoing(data, link):
                direction = OUTBOUND
            if direction == OUTBOUND:
                return data, wire, link, "", name, nanoseconds
        return data, wire, link, name, "", nanoseconds

    def _direction(self, buffer: bytes, at: int, stop: int) -> int:
        """1 inbound, 2 outbound, 0 not known."""
        for code, value in self._options(buffer, at, stop):
            if code == FLAGS and len(value) == 4:
                direction: int = self._trailer(value, 0)[0] & 3
                return direction
        return 0

    def _options(self, buffer: bytes, at: int, stop: int) -> Iterator[tuple[int, bytes]]:
        while at + 4 <= stop:
            code, length = self._option(buffer, at)
            if code == 0:
                return
            at += 4
            if at + length > stop:
                raise Damage("an option that does not fit into its block")
            yield code, buffer[at : at + length]
            at += length + (-length & 3)

    def _section(self, buffer: bytes, at: int) -> int:
        """Begins a section: sets the byte order and forgets the interfaces. Returns the length of the block."""
        order, total, (major, minor) = read_section(buffer, at)
        if (major, minor) not in ((1, 0), (1, 2)):  # some programs wrote 1.2 and meant 1.0
            raise CaptureError(UNSUPPORTED, self._source.file, f"pcapng version {major}.{minor} is not known")
        self._head: Unpack = struct.Struct(order + "II").unpack_from
        self._trailer: Unpack = struct.Struct(order + "I").unpack_from
        self._enhanced: Unpack = struct.Struct(order + "IIIII").unpack_from
        self._obsolete: Unpack = struct.Struct(order + "HHIIII").unpack_from
        self._option: Unpack = struct.Struct(order + "HH").unpack_from
        self._description: Unpack = struct.Struct(order + "HHI").unpack_from
        self._order = order
        self._interfaces = []
        return total

    def _interface(self, buffer: bytes, at: int, stop: int) -> None:
        if len(self._interfaces) >= MAX_INTERFACES:
            raise Damage(f"more than {MAX_INTERFACES:,} interfaces")
        link, _, snaplen = self._description(buffer, at + 8)
        found: dict[int, bytes] = {}
        for code, value in self._options(buffer, at + 16, stop):
            found.setdefault(code, value)
        name = found.get(IF_NAME, b"").partition(b"\0")[0].decode("utf-8", "replace")
        if len(name.encode()) > INTERFACE_BYTES:
            raise Damage(f"an interface name of more than {INTERFACE_BYTES} bytes")
        name = "" if name == "any" and link in (COOKED_1, COOKED_2) else recorded_name(name)
        resolution = found.get(IF_TSRESOL, b"\x06")
        if len(resolution) != 1:
            raise Damage("a time resolution or offset of an impossible size")
        digits = resolution[0] & 0x7F
        divide = 2**digits if resolution[0] & 0x80 else 10**digits
        multiply = 1_000_000_000
        if multiply % divide == 0:
            multiply, divide = multiply // divide, 1
        offset = found.get(IF_TSOFFSET, b"\0" * 8)
        if len(offset) != 8:
            raise Damage("a time resolution or offset of an impossible size")
        (seconds,) = struct.unpack(self._order + "q", offset)
        self._interfaces.append(Interface(link, snaplen, name, multiply, divide, seconds * 1_000_000_000))

    def _error(self, code: str, message: str, behind: int = 0) -> CaptureError:
        packets = self.packets + behind
        return CaptureError(code, self._source.file, f"behind packet {packets:,}: {message}" if packets else message)
