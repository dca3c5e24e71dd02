"""Capture files -> records, on files built here by hand, on damaged ones, and on tcpdump's own."""

from __future__ import annotations

import gzip
import io
import random
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from fwengine import codes
from fwengine.errors import CaptureError
from fwengine.model import address
from fwengine.model.fields import SPORT, SRC
from fwengine.packets import source
from fwengine.packets.capture import Record, open_capture
from fwengine.packets.wire import decode

FRAMES = [bytes([n]) * (20 + 3 * n) for n in range(1, 6)]


def pcap(
    frames: list[bytes] = FRAMES,
    *,
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    version: tuple[int, int] = (2, 4),
    link: int = 1,
    swapped: bool = False,
) -> bytes:
    out = bytearray(struct.pack(order + "IHHiIII", magic, *version, 0, 0, 65535, link))
    for n, frame in enumerate(frames):
        lengths = (len(frame), len(frame) + 100)
        out += struct.pack(order + "IIII", 1000 + n, 7 + n, *(lengths[::-1] if swapped else lengths))
        if magic == 0xA1B2CD34:
            out += struct.pack(order + "IHBB", 3, 0x0800, 4, 0)
        out += frame
    return bytes(out)


class Ng:
    """pcapng blocks in one byte order."""

    def __init__(self, order: str = "<") -> None:
        self.order = order

    def pack(self, form: str, *values: Any) -> bytes:
        return struct.pack(self.order + form, *values)

    def block(self, kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) & 3)
        total = self.pack("I", len(body) + 12)
        return self.pack("I", kind) + total + body + total

    def option(self, code: int, value: bytes) -> bytes:
        return self.pack("HH", code, len(value)) + value + bytes(-len(value) & 3)

    def section(self, version: tuple[int, int] = (1, 0)) -> bytes:
        return self.block(0x0A0D0D0A, self.pack("IHHq", 0x1A2B3C4D, *version, -1))

    def interface(self, link: int = 1, name: str = "", snaplen: int = 0, options: bytes = b"") -> bytes:
        if name:
            options += self.option(2, name.encode())
        return self.block(1, self.pack("HHI", link, 0, snaplen) + options + (self.option(0, b"") if options else b""))

    def enhanced(
        self, frame: bytes, interface: int = 0, ticks: int = 0, flags: int | None = None, captured: int | None = None
    ) -> bytes:
        size = len(frame) if captured is None else captured
        head = self.pack("IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, size, len(frame) + 100)
        options = b""
        if flags is not None:
            options = self.option(1, b"a comment") + self.option(2, self.pack("I", flags)) + self.option(0, b"")
        return self.block(6, head + frame + bytes(-len(frame) & 3) + options)

    def obsolete(self, frame: bytes, interface: int = 0, flags: int = 0) -> bytes:
        head = self.pack("HHIIII", interface, 9, 0, 1, len(frame), len(frame))
        return self.block(2, head + frame + bytes(-len(frame) & 3) + self.option(2, self.pack("I", flags)))

    def simple(self, frame: bytes, wire: int | None = None) -> bytes:
        return self.block(3, self.pack("I", len(frame) if wire is None else wire) + frame)


def pcapng(frames: list[bytes] = FRAMES, order: str = "<") -> bytes:
    ng = Ng(order)
    return ng.section() + ng.interface() + b"".join(ng.enhanced(frame, ticks=7) for frame in frames)


def read(data: bytes, folder: Path) -> tuple[list[Record], CaptureError | None]:
    """All records of a file with these bytes, and what went wrong behind them."""
    file = folder / "capture"
    file.write_bytes(data)
    return read_file(file)


def read_file(file: Path) -> tuple[list[Record], CaptureError | None]:
    records: list[Record] = []
    try:
        with open_capture(file) as capture:
            for record in capture:
                records.append(record)
            assert capture.packets == len(records)
            assert capture.position == capture.size
    except CaptureError as error:
        caught = error
    else:
        return records, None
    assert caught.file == str(file)
    assert caught.code in codes.EXPLANATIONS
    assert caught.packets == len(records)
    return records, caught


def frames_of(data: bytes, folder: Path) -> list[bytes]:
    records, error = read(data, folder)
    assert error is None
    return [record[0] for record in records]


# --- pcap


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1), (0xA1B2CD34, 1000)])
def test_pcap(order: str, magic: int, unit: int, tmp_path: Path) -> None:
    records, error = read(pcap(order=order, magic=magic, link=113), tmp_path)
    assert error is None
    assert records == [
        (frame, len(frame) + 100, 113, "", "", (1000 + n) * 10**9 + (7 + n) * unit) for n, frame in enumerate(FRAMES)
    ]


def test_link_type_without_what_stands_above_it(tmp_path: Path) -> None:
    for link in (1 | 1 << 26 | 4 << 28, 1 | 1 << 20):
        records, _ = read(pcap(link=link), tmp_path)
        assert {record[2] for record in records} == {1}


@pytest.mark.parametrize(
    ("version", "swapped"), [((2, 2), True), ((2, 3), True), ((2, 3), False), ((543, 0), False), ((2, 4), False)]
)
def test_old_versions_whose_lengths_stand_the_other_way_round(
    version: tuple[int, int], swapped: bool, tmp_path: Path
) -> None:
    assert frames_of(pcap(version=version, swapped=swapped), tmp_path) == FRAMES


def test_a_capture_without_packets(tmp_path: Path) -> None:
    assert frames_of(pcap([]), tmp_path) == []
    assert frames_of(Ng().section(), tmp_path) == []


def test_frames_larger_than_a_chunk_and_files_of_many_chunks(tmp_path: Path) -> None:
    frames = [bytes([n]) * 262_144 for n in range(3)] + [b"", b"x"] * 40_000
    assert frames_of(pcap(frames), tmp_path) == frames
    assert frames_of(pcapng(frames[:50]), tmp_path) == frames[:50]


# --- pcapng


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng(order: str, tmp_path: Path) -> None:
    ng = Ng(order)
    data = ng.section() + ng.block(0xBAD, b"unknown") + ng.interface() + ng.block(5, bytes(40))
    data += (
        ng.enhanced(b"abcde", ticks=5 << 32 | 6)
        + ng.obsolete(b"abcdef")
        + ng.block(0x80000BAD, b"custom")
        + ng.simple(b"abcdefg")
    )
    assert read(data, tmp_path)[0] == [
        (b"abcde", 105, 1, "", "", (5 << 32 | 6) * 1000),
        (b"abcdef", 6, 1, "", "", 1000),
        (b"abcdefg", 7, 1, "", "", 0),
    ]


def test_interfaces_of_pcapng(tmp_path: Path) -> None:
    """The name is the inbound interface unless the packet's flags say outbound."""
    ng = Ng()
    data = ng.section() + ng.interface(1, "wan0") + ng.interface(101, "") + ng.interface(1, "lan0")
    data += b"".join(ng.enhanced(b"x", 0, flags=flags) for flags in (0, 1, 2, 3, 0xFFFFFFFC)) + ng.enhanced(b"x", 0)
    data += (
        ng.enhanced(b"x", 1, flags=2)
        + ng.enhanced(b"x", 2, flags=2)
        + ng.obsolete(b"x", 2, flags=2)
        + ng.obsolete(b"x", 2)
    )
    data += ng.simple(b"x")
    assert [record[2:5] for record in read(data, tmp_path)[0]] == [
        (1, "wan0", ""),
        (1, "wan0", ""),
        (1, "", "wan0"),
        (1, "wan0", ""),
        (1, "wan0", ""),
        (1, "wan0", ""),
        (101, "", ""),
        (1, "", "lan0"),
        (1, "", "lan0"),
        (1, "lan0", ""),
        (1, "wan0", ""),
    ]


def test_a_cooked_header_tells_the_direction_where_the_flags_do_not(tmp_path: Path) -> None:
    ng = Ng()
    sent, received = struct.pack(">H14x", 4), struct.pack(">H14x", 0)
    data = ng.section() + ng.interface(113, "eth0") + ng.interface(113, "any")
    data += ng.enhanced(sent) + ng.enhanced(received) + ng.enhanced(sent, flags=1) + ng.enhanced(received, flags=2)
    data += ng.enhanced(received, 1)
    assert [record[3:5] for record in read(data, tmp_path)[0]] == [
        ("", "eth0"),
        ("eth0", ""),
        ("eth0", ""),
        ("", "eth0"),
        ("", ""),  # Linux' `any` is not an interface
    ]


def test_sections_in_both_byte_orders_forget_interfaces(tmp_path: Path) -> None:
    little, big = Ng("<"), Ng(">")
    data = little.section() + little.interface(1, "a") + little.enhanced(b"1")
    data += big.section() + big.interface(101, "b") + big.interface(113, "c") + big.enhanced(b"2", 1) + big.simple(b"3")
    data += little.section((1, 2)) + little.interface(12) + little.enhanced(b"4")
    assert [record[0:4:2] + record[3:4] for record in read(data, tmp_path)[0]] == [
        (b"1", 1, "a"),
        (b"2", 113, "c"),
        (b"3", 101, "b"),
        (b"4", 12, ""),
    ]
    records, error = read(data + big.section() + big.enhanced(b"5"), tmp_path)
    assert len(records) == 4
    assert error is not None
    assert "interface 0, which is not described" in error.message


def test_a_simple_packet_is_captured_up_to_the_snapshot_length(tmp_path: Path) -> None:
    ng = Ng()
    data = ng.section() + ng.interface(snaplen=6) + ng.simple(b"abcdef", wire=900) + ng.simple(b"abc")
    assert [record[:2] for record in read(data, tmp_path)[0]] == [(b"abcdef", 900), (b"abc", 3)]


@pytest.mark.parametrize(
    ("options", "nanoseconds"),
    [
        ([], 7000),
        ([(9, b"\x09")], 7),
        ([(9, b"\x00")], 7 * 10**9),
        ([(9, b"\x8a")], 7 * 10**9 // 1024),
        ([(9, b"\x0c")], 0),
        ([(9, b"\x7f")], 0),
        ([(9, b"\xff")], 0),
        ([(14, struct.pack("<q", 5))], 5 * 10**9 + 7000),
        ([(14, struct.pack("<q", -5)), (9, b"\x09")], -5 * 10**9 + 7),
    ],
)
def test_time_resolution_and_offset(options: list[tuple[int, bytes]], nanoseconds: int, tmp_path: Path) -> None:
    ng = Ng()
    packed = b"".join(ng.option(*option) for option in options)
    records, _ = read(ng.section() + ng.interface(options=packed) + ng.enhanced(b"x", ticks=7), tmp_path)
    assert records[0][5] == nanoseconds


def test_interface_names_end_at_a_nul_and_may_be_no_utf8(tmp_path: Path) -> None:
    ng = Ng()
    data = (
        ng.section()
        + ng.interface(options=ng.option(2, b"eth0\0\0junk"))
        + ng.interface(options=ng.option(2, b"e\xff"))
    )
    records, _ = read(data + ng.enhanced(b"x") + ng.enhanced(b"x", 1), tmp_path)
    assert [record[3] for record in records] == ["eth0", "e�"]


# --- where the bytes come from


def test_gzip(tmp_path: Path) -> None:
    for plain in (pcap(), pcapng()):
        packed = gzip.compress(plain)
        assert frames_of(packed, tmp_path) == FRAMES
        assert frames_of(packed + bytes(512), tmp_path) == FRAMES, "padding"
        assert frames_of(gzip.compress(plain[:50]) + gzip.compress(b"") + gzip.compress(plain[50:]), tmp_path) == FRAMES
    assert frames_of(gzip.compress(pcap([bytes(200_000)] * 100)), tmp_path) == [bytes(200_000)] * 100


def test_damaged_gzip_gives_the_packets_before_the_damage(tmp_path: Path) -> None:
    frames = [random.Random(n).randbytes(700) for n in range(600)]
    packed = gzip.compress(pcap(frames), mtime=0)
    for size in (len(packed) - 1, len(packed) - 9, len(packed) // 2, 5000):
        records, error = read(packed[:size], tmp_path)
        assert error is not None
        assert (error.code, error.message) == ("FW906", "the gzip stream ends early")
        assert [record[0] for record in records] == frames[: len(records)]
        assert len(records) >= size // 730 - 50
    damaged = bytearray(packed)
    damaged[-6] ^= 1  # the checksum
    records, error = read(bytes(damaged), tmp_path)
    assert [record[0] for record in records] == frames
    assert error is not None
    assert error.code == "FW906"
    records, error = read(packed + b"junk", tmp_path)
    assert [record[0] for record in records] == frames
    assert error is not None
    assert error.message == "the gzip stream is whole and was read to its end; behind it stand bytes that are not gzip"
    compressible = gzip.compress(pcap([bytes(700)] * 6000), mtime=0)
    for at in range(20, len(compressible), 397):
        damaged = bytearray(compressible)
        damaged[at] ^= 0x55
        records, error = read(bytes(damaged), tmp_path)
        assert error is not None


class Dribble(io.RawIOBase):
    """A pipe that gives a byte or three at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self.data, self.step = data, size

    def read1(self, size: int) -> bytes:
        out, self.data = self.data[: self.step], self.data[self.step :]
        return out


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("data", [pcap(), pcapng(), gzip.compress(pcapng()), gzip.compress(pcap()) + bytes(7)])
def test_standard_input_in_small_pieces(data: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = Dribble(data, size)

    monkeypatch.setattr(sys, "stdin", Stdin())
    with open_capture("-") as capture:
        assert [record[0] for record in capture] == FRAMES
        assert capture.file == "<stdin>"
        assert capture.size is None


def test_standard_input_of_a_process(tmp_path: Path) -> None:
    program = "from fwengine.packets.capture import open_capture; print(sum(1 for _ in open_capture('-')))"
    done = subprocess.run([sys.executable, "-c", program], input=pcap(), capture_output=True, check=True)
    assert done.stdout == b"5\n"
    closed = "import sys; sys.stdin = None\n" + program
    done = subprocess.run([sys.executable, "-c", closed], capture_output=True, check=False)
    assert b"error[FW905]: standard input is closed" in done.stderr


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "big"
    piece = pcap([bytes(1400)] * 1000)[24:]
    ng_piece = b"".join(Ng().enhanced(bytes(1400)) for _ in range(1000))
    for head, body in ((pcap([]), piece), (Ng().section() + Ng().interface(), ng_piece)):
        with file.open("wb") as stream:
            stream.write(head)
            for _ in range(30):
                stream.write(body)
        tracemalloc.start()
        with open_capture(file) as capture:
            assert sum(1 for _ in capture) == 30_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4 << 20


# --- what is wrong


def ng_file(*blocks: bytes) -> bytes:
    ng = Ng()
    return ng.section() + ng.interface() + ng.enhanced(b"first") + b"".join(blocks) + ng.enhanced(b"last")


NG = Ng()
SHORT = struct.pack("<III", 6, 12, 12)
WRONG: list[tuple[str, bytes, int, str, str]] = [
    ("empty", b"", 0, "FW901", "the file is empty"),
    ("one byte", b"\xd4", 0, "FW901", "neither pcap nor pcapng"),
    ("text", b"#!/bin/sh\n" * 9, 0, "FW901", "text, not a capture: `tcpdump -w FILE` writes one"),
    ("gzip of text", gzip.compress(b"hello world, hello"), 0, "FW901", "text, not a capture"),
    ("gzip of nothing", gzip.compress(b""), 0, "FW901", "the file is empty"),
    ("gzip of a pcap header cut", gzip.compress(pcap()[:9]) + bytes(3), 0, "FW902", "the file ends inside its header"),
    ("gzip of gzip", gzip.compress(gzip.compress(pcap())), 0, "FW904", "compressed twice"),
    ("snoop", b"snoop\0\0\0" + bytes(20), 0, "FW904", "a snoop capture"),
    ("damaged xz", b"\xfd7zXZ\0" + bytes(20), 0, "FW906", "the xz stream is damaged"),
    ("pcap of the future", pcap(version=(2, 5)), 0, "FW904", "pcap version 2.5 is not known"),
    ("pcap of the past", pcap(version=(1, 9)), 0, "FW904", "pcap version 1.9 is not known"),
    ("pcap header cut", pcap()[:23], 0, "FW902", "the file ends inside its header"),
    ("pcap record header cut", pcap()[: 24 + 39 + 15], 1, "FW902", "packet 2: the file ends inside a record"),
    ("pcap record cut", pcap()[:-1], 4, "FW902", "packet 5: the file ends inside a record"),
    (
        "pcap, too long a record",
        pcap([b"a", bytes(262_145), b"b"]),
        1,
        "FW903",
        "packet 2: 262,145 captured bytes are more than 262,144",
    ),
    (
        "pcap, 4 GiB",
        pcap([b"a"]) + struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 9),
        1,
        "FW903",
        "packet 2: 4,294,967,295 captured",
    ),
    ("pcapng header cut", Ng().section()[:27], 0, "FW902", "the file ends inside its header"),
    ("pcapng, no byte order", b"\n\r\r\n" + bytes(24), 0, "FW903", "a section header without the byte-order magic"),
    (
        "pcapng, section of 24",
        NG.section()[:4] + b"\x18" + NG.section()[5:],
        0,
        "FW903",
        "a block of 24 bytes",
    ),
    ("pcapng 2.0", Ng().section((2, 0)), 0, "FW904", "pcapng version 2.0 is not known"),
    ("pcapng 1.1", Ng().section((1, 1)), 0, "FW904", "pcapng version 1.1 is not known"),
    (
        "second section of another version",
        ng_file(NG.section((3, 0))),
        1,
        "FW904",
        "behind packet 1: pcapng version 3.0 is",
    ),
    (
        "second section without magic",
        ng_file(b"\n\r\r\n" + bytes(24)),
        1,
        "FW903",
        "behind packet 1: a section header without",
    ),
    ("block of 0 bytes", ng_file(struct.pack("<III", 9, 0, 0)), 1, "FW903", "behind packet 1: a block of 0 bytes"),
    (
        "block of 13 bytes",
        ng_file(struct.pack("<IIBI", 9, 13, 1, 13)),
        1,
        "FW903",
        "behind packet 1: a block of 13 bytes",
    ),
    (
        "block of 16 MiB and 4",
        ng_file(struct.pack("<II", 9, (16 << 20) + 4)),
        1,
        "FW903",
        "a block of 16,777,220 bytes",
    ),
    (
        "lengths differ",
        ng_file(struct.pack("<IIII", 9, 16, 0, 12)),
        1,
        "FW903",
        "lengths at the two ends of a block differ",
    ),
    ("interface block short", ng_file(struct.pack("<III", 1, 12, 12)), 1, "FW903", "a block of 12 bytes"),
    ("simple block short", ng_file(struct.pack("<III", 3, 12, 12)), 1, "FW903", "a block of 12 bytes"),
    ("obsolete block short", ng_file(struct.pack("<III", 2, 12, 12)), 1, "FW903", "a block of 12 bytes"),
    ("enhanced block short", ng_file(SHORT), 1, "FW903", "a block of 12 bytes"),
    ("interface 1", ng_file(NG.enhanced(b"x", 1)), 1, "FW903", "a packet of interface 1, which is not described"),
    (
        "interface 1, obsolete",
        ng_file(NG.obsolete(b"x", 1)),
        1,
        "FW903",
        "a packet of interface 1, which is not described",
    ),
    ("simple before interfaces", NG.section() + NG.simple(b"x"), 0, "FW903", "interface 0, which is not described"),
    ("captured beyond the block", ng_file(NG.enhanced(b"x", captured=5)), 1, "FW903", "5 captured bytes do not fit"),
    (
        "captured 4 GiB",
        ng_file(NG.enhanced(b"x", captured=0xFFFFFFFF)),
        1,
        "FW903",
        "4,294,967,295 captured bytes are more",
    ),
    ("simple beyond the block", ng_file(NG.simple(b"x", wire=9)), 1, "FW903", "9 captured bytes do not fit"),
    (
        "option beyond the block",
        ng_file(NG.interface(options=struct.pack("<HH", 2, 60000))),
        1,
        "FW903",
        "an option that does not fit into its block",
    ),
    (
        "packet option beyond the block",
        ng_file(NG.block(6, struct.pack("<IIIII", 0, 0, 0, 0, 0) + struct.pack("<HH", 2, 8))),
        1,
        "FW903",
        "an option that does not fit into its block",
    ),
    (
        "resolution of 2 bytes",
        ng_file(NG.interface(options=NG.option(9, b"ab"))),
        1,
        "FW903",
        "a time resolution or offset of an impossible size",
    ),
    (
        "offset of 4 bytes",
        ng_file(NG.interface(options=NG.option(14, b"abcd"))),
        1,
        "FW903",
        "a time resolution or offset of an impossible size",
    ),
    (
        "name of 256 bytes",
        ng_file(NG.interface(name="é" * 128)),
        1,
        "FW903",
        "an interface name of more than 255 bytes",
    ),
    ("too many interfaces", ng_file(NG.interface() * 65_536), 1, "FW903", "more than 65,536 interfaces"),
    ("pcapng block cut", ng_file()[:-1], 1, "FW902", "behind packet 1: the file ends inside a block"),
    ("pcapng block header cut", ng_file() + b"\6\0\0", 2, "FW902", "behind packet 2: the file ends inside a block"),
    (
        "pcapng second section cut",
        ng_file() + NG.section()[:20],
        2,
        "FW902",
        "behind packet 2: the file ends inside a block",
    ),
]


@pytest.mark.parametrize(
    ("data", "count", "code", "message"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_damage(data: bytes, count: int, code: str, message: str, tmp_path: Path) -> None:
    records, error = read(data, tmp_path)
    assert error is not None
    assert (len(records), error.code) == (count, code)
    assert message in error.message
    assert str(error) == f"{tmp_path / 'capture'}: error[{code}]: {error.message}"


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for file, reason in ((tmp_path, "is a directory"), (tmp_path / "none", "no such file"), ("a\0b", "null byte")):
        with pytest.raises(CaptureError) as caught:
            open_capture(file)
        assert caught.value.code == "FW905"
        assert reason in caught.value.message


def test_each_read_that_fails_is_a_typed_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "capture"
    file.write_bytes(gzip.compress(pcap([random.Random(0).randbytes(60_000)] * 60)))
    opened: list[bool] = []

    class Failing(io.FileIO):
        """Fails at the `fail`-th read."""

        fail = 0

        def read(self, size: int | None = -1, /) -> bytes:
            Failing.fail -= 1
            if Failing.fail < 0:
                raise OSError(5, "Input/output error")
            return super().read(min(size or 0, 20_000)) or b""

        def close(self) -> None:
            opened.append(False)
            super().close()

    monkeypatch.setattr(source, "open", lambda name, mode, buffering: Failing(name, "r"), raising=False)
    for number in range(200):
        Failing.fail = number
        opened.clear()
        records, error = read_file(file)
        assert opened, "the file is closed, come what may"
        if error is None:
            assert len(records) == 60
            break
        assert error.code == "FW905"
        assert error.message == "cannot be read: input/output error"
    else:
        pytest.fail("never read to the end")
    assert number > 2


def test_lengths_allocate_nothing(tmp_path: Path) -> None:
    """CVE-2019-15165: libpcap believed a length in a pcapng header."""
    ng = Ng()
    claims = struct.pack("<II", 9, 16 << 20) + bytes(100)
    for data in (ng.section() + claims, pcap([b"x"]) + struct.pack("<IIII", 0, 0, 262_144, 262_144)):
        tracemalloc.start()
        _, error = read(data, tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert error is not None
        assert error.code == "FW902"
        assert peak < 1 << 20


# --- damage at random


def small_captures() -> list[bytes]:
    """Twenty small captures of all kinds."""
    tiny = [b"abc", b"", b"defgh"]
    out = [pcap(tiny, order=order, magic=magic) for order in "<>" for magic in (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34)]
    out += [pcap(tiny, version=(2, 2), swapped=True), pcap(tiny, link=113)]
    for order in "<>":
        ng = Ng(order)
        out.append(pcapng(tiny, order))
        out.append(
            ng.section() + ng.interface(1, "eth0") + ng.enhanced(b"x" * 20, flags=2) + ng.obsolete(b"yy", flags=1)
        )
        out.append(
            ng.section()
            + ng.interface(snaplen=2)
            + ng.simple(b"ab", wire=90)
            + ng.block(77, bytes(30))
            + ng.simple(b"c")
        )
        out.append(pcapng(tiny, order) + pcapng(tiny, "<"))
    return out + [gzip.compress(data, mtime=0) for data in (pcap(tiny), pcapng(tiny), pcap(FRAMES), pcap([]))]


def test_truncation_at_every_byte_gives_a_prefix(tmp_path: Path) -> None:
    captures = small_captures()
    assert len(captures) == 20
    for whole in captures:
        records, error = read(whole, tmp_path)
        assert error is None
        for size in range(len(whole)):
            part, error = read(whole[:size], tmp_path)
            assert part == records[: len(part)]
            assert error is not None or len(part) < len(records) or size > len(whole) - 70
            assert error is None or error.code in ("FW901", "FW902", "FW906")


def damaged(whole: bytes, seed: int) -> bytes:
    """The file with 2 % of its bytes replaced."""
    chance = random.Random(seed)
    data = bytearray(whole)
    for _ in range(max(1, len(data) // 50)):
        if data:
            data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def check_damaged(wholes: list[bytes], runs: int, folder: Path) -> None:
    for run in range(runs):
        records, _ = read(damaged(wholes[run % len(wholes)], run), folder)
        for data, wire_length, link, *_ in records:
            found = decode(data, link, wire_length)
            assert isinstance(found, tuple) or found in ("not-ip", "malformed", "truncated")


def test_random_damage(tmp_path: Path) -> None:
    check_damaged(small_captures(), 1000, tmp_path)


# --- tcpdump's own captures


@pytest.fixture(scope="session")
def corpus(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("captures")
    with tarfile.open(shared / "data" / "captures" / "tcpdump-tests.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return sorted(file for file in folder.rglob("*.pcap*") if file.is_file())


def test_counts_are_those_of_tcpdump(corpus: list[Path]) -> None:
    if shutil.which("tcpdump") is None:
        pytest.skip("no tcpdump here")
    assert len(corpus) == 828
    wrong = []
    for file in corpus:
        done = subprocess.run(["tcpdump", "-r", file, "--count"], capture_output=True, check=False)
        counted = re.match(rb"([0-9]+) packet", done.stdout)
        records, error = read_file(file)
        if counted is None or int(counted[1]) != len(records) or (done.returncode != 0) != (error is not None):
            wrong.append((file.name, done.stdout, len(records), error))
    assert wrong == []


@pytest.mark.slow
def test_addresses_and_ports_are_those_that_tcpdump_prints(corpus: list[Path]) -> None:
    """Where both print them: tcpdump is silent on the ports behind some extension headers."""
    if shutil.which("tcpdump") is None:
        pytest.skip("no tcpdump here")
    line = re.compile(r" *([0-9]+) +(?:.*? )??IP6? (?:\(.*\) )?(\S+) > (\S+):(?: |$)")
    agree = 0
    for file in corpus:
        records, _ = read_file(file)
        done = subprocess.run(["tcpdump", "-nnqt#r", file], capture_output=True, check=True)
        for found in map(line.match, done.stdout.decode(errors="replace").splitlines()):
            data, wire_length, link, *_ = records[int(found[1]) - 1] if found else (b"", 0, 999)
            point = decode(data, link, wire_length)
            if found is None or isinstance(point, str):
                continue
            for end, printed in ((0, found[2]), (1, found[3])):
                shown = address.show(point[SRC + end])
                port = point[SPORT + end]
                assert printed in (shown, f"{shown}.{port}"), (file.name, found[0])
                agree += printed != shown
    assert agree > 7000


def test_random_damage_of_tcpdumps_captures(corpus: list[Path], tmp_path: Path) -> None:
    check_damaged([file.read_bytes()[:20_000] for file in corpus], 900, tmp_path)


@pytest.mark.slow
def test_ten_thousand_random_damages_of_tcpdumps_captures(corpus: list[Path], tmp_path: Path) -> None:
    check_damaged([file.read_bytes() for file in corpus], 10_000, tmp_path)


def test_truncation_of_tcpdumps_captures(corpus: list[Path], tmp_path: Path) -> None:
    """At every byte of the twenty smallest."""
    for file in sorted(corpus, key=lambda file: file.stat().st_size)[:20]:
        whole = file.read_bytes()
        records, error = read(whole, tmp_path)
        assert error is None
        for size in range(len(whole)):
            part, _ = read(whole[:size], tmp_path)
            assert part == records[: len(part)]
