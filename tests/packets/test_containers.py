"""What stands around captures: compression that is read, and files of other kinds that are named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from fwengine.errors import CaptureError
from fwengine.packets import unpack
from fwengine.packets.capture import open_capture, refuse_foreign
from fwengine.packets.source import Source

FRAMES = [random.Random(n).randbytes(200) for n in range(2000)]
CAPTURE = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 147) + b"".join(
    struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame for frame in FRAMES
)
Pack = Callable[[bytes], bytes]
PACKERS: dict[str, Pack] = {"gzip": gzip.compress, "xz": lzma.compress, "bzip2": bz2.compress}
packers = pytest.mark.parametrize(("name", "pack"), PACKERS.items(), ids=list(PACKERS))


def read(data: bytes, folder: Path) -> tuple[list[bytes], CaptureError | None]:
    path = folder / "capture"
    path.write_bytes(data)
    frames: list[bytes] = []
    try:
        with open_capture(path) as capture:
            frames.extend(record[0] for record in capture)
    except CaptureError as error:
        return frames, error
    return frames, None


@packers
def test_compressed_captures_are_read(name: str, pack: Pack, tmp_path: Path) -> None:
    assert read(pack(CAPTURE), tmp_path) == (FRAMES, None)
    assert read(pack(CAPTURE[:5000]) + pack(b"") + pack(CAPTURE[5000:]), tmp_path) == (FRAMES, None), "several streams"
    assert read(pack(CAPTURE) + bytes(1024), tmp_path) == (FRAMES, None), "padding"


@packers
def test_bytes_behind_a_compressed_stream_are_named_and_every_packet_counts(
    name: str, pack: Pack, tmp_path: Path
) -> None:
    frames, error = read(pack(CAPTURE) + b"junk at the end", tmp_path)
    assert frames == FRAMES
    assert error is not None
    assert (error.code, error.packets) == ("FW906", len(FRAMES))
    assert (
        error.message
        == f"the {name} stream is whole and was read to its end; behind it stand bytes that are not {name}"
    )


@packers
def test_damage_within_a_compressed_stream_gives_the_packets_before_it(name: str, pack: Pack, tmp_path: Path) -> None:
    packed = pack(CAPTURE)
    for size in (len(packed) - 1, len(packed) // 2):
        frames, error = read(packed[:size], tmp_path)
        assert frames == FRAMES[: len(frames)]
        assert error is not None
        assert (error.code, error.message) == ("FW906", f"the {name} stream ends early")


@pytest.mark.parametrize("pack", [lzma.compress, lambda data: bz2.compress(data, 1)], ids=["xz", "bzip2"])
def test_a_damaged_byte_within_a_compressed_stream(pack: Pack, tmp_path: Path) -> None:
    """What comes before the damaged block is given; checksums, which stand behind a block, tell of the damage."""
    damaged = bytearray(pack(CAPTURE))
    damaged[len(damaged) * 3 // 4] ^= 0x55
    frames, error = read(bytes(damaged), tmp_path)
    assert frames[:400] == FRAMES[:400]
    assert error is not None
    assert error.code in ("FW906", "FW903")  # or what it damaged is not a record


def test_a_stream_that_is_damaged_from_its_beginning_is_said_to_be(tmp_path: Path) -> None:
    frames, error = read(b"\xfd7zXZ\0" + bytes(60), tmp_path)
    assert frames == []
    assert error is not None
    assert (error.code, error.message.split(":")[0]) == ("FW906", "the xz stream is damaged")


def test_a_decoder_takes_no_more_memory_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "_MEMORY", 1 << 20)
    _, error = read(lzma.compress(CAPTURE, preset=9), tmp_path)
    assert error is not None
    assert "Memory usage limit" in error.message


def test_zstd_is_read_where_python_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has it from 3.14 on; the module that stands in for it here has the same calls, and bzip2 inside."""
    magic = b"\x28\xb5\x2f\xfd"

    class Decompressor:
        def __init__(self) -> None:
            self.inner, self.left = bz2.BZ2Decompressor(), 4

        def decompress(self, data: bytes, max_length: int = -1) -> bytes:
            skipped = min(self.left, len(data))
            self.left -= skipped
            return self.inner.decompress(data[skipped:], max_length)

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

    stand_in = ModuleType("compression.zstd")
    stand_in.ZstdDecompressor, stand_in.ZstdError = Decompressor, ValueError  # type: ignore[attr-defined]  # as there
    monkeypatch.setitem(sys.modules, "compression", ModuleType("compression"))
    monkeypatch.setitem(sys.modules, "compression.zstd", stand_in)
    assert read(magic + bz2.compress(CAPTURE), tmp_path) == (FRAMES, None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    _, error = read(magic + bz2.compress(CAPTURE), tmp_path)
    assert error is not None
    assert (error.code, error.message) == (
        "FW904",
        "compressed with zstd, which Python reads from 3.14 on: decompress it first with `zstd -d`",
    )


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("a.pcap")
        member.size = len(CAPTURE)
        archive.addfile(member, io.BytesIO(CAPTURE))
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.pcap", CAPTURE)
    return out.getvalue()


ERF = struct.pack("<QBBHHH", 1_700_000_000 << 32, 2, 4, *struct.unpack("<HHH", struct.pack(">HHH", 80, 0, 60)))
COMMVIEW = struct.pack("<HHBHBBBBBIB", 60, 60, 0, 2026, 11, 25, 8, 30, 0, 5, 1) + bytes(70)
EDITCAP = "`editcap -F pcapng OLD NEW` converts it"

FOREIGN = [
    (b"", "FW901", "the file is empty"),
    (b"\xd4", "FW901", "neither pcap nor pcapng"),
    (bytes(600), "FW901", "neither pcap nor pcapng"),
    (b"snoop\0\0\0\0\0\0\2", "FW904", f"a snoop capture: {EDITCAP}"),
    (b"btsnoop\0\0\0\0\1", "FW904", f"a Bluetooth snoop capture: {EDITCAP}"),
    (b"GMBU\0\2" + bytes(90), "FW904", f"a capture of Microsoft Network Monitor 2: {EDITCAP}"),
    (b"RTSS\1\1" + bytes(90), "FW904", f"a capture of Microsoft Network Monitor 1: {EDITCAP}"),
    (b"TRSNIFF data    \x1a" + bytes(90), "FW904", f"a capture of the Sniffer: {EDITCAP}"),
    (b"XCP\0" + bytes(90), "FW904", f"a NetXray capture: {EDITCAP}"),
    (b"\x7fver" + bytes(90), "FW904", f"a capture of OmniPeek: {EDITCAP}"),
    ((ERF + bytes(64)) * 4, "FW904", f"an ERF capture: {EDITCAP}"),
    (ERF + bytes(64), "FW904", f"an ERF capture: {EDITCAP}"),
    (ERF + bytes(64) + b"\xff" * 80, "FW901", "neither pcap nor pcapng"),
    (COMMVIEW, "FW904", f"a CommView capture: {EDITCAP}"),
    (b"\x04\x22\x4d\x18" + bytes(90), "FW904", "compressed with lz4: decompress it first with `lz4 -d`"),
    (b"\x1f\x9d\x90" + bytes(90), "FW904", "compressed with compress: decompress it first with `gunzip`"),
    (zipped(), "FW904", "a zip archive: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c" + bytes(90), "FW904", "a 7z archive: unpack it first"),
    (tar(), "FW904", "a tar archive: unpack it first"),
    (gzip.compress(tar()), "FW904", "a tar archive: unpack it first"),
    (gzip.compress(gzip.compress(CAPTURE)), "FW904", "compressed twice: `gunzip` it once"),
    (lzma.compress(bz2.compress(CAPTURE)), "FW904", "compressed twice: `bunzip2` it once"),
    (b"\xd4\xc3\xb2\xa1\0" + bytes(90), "FW904", "pcap version 0.0 is not known"),
    (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        "FW901",
        "a Git LFS pointer, not the file it stands for: `git lfs pull` fetches that",
    ),
    (b"\n  <!DOCTYPE html>\n<html></html>", "FW901", "an HTML page: download the capture itself"),
    (b"<HTML><body>\xff", "FW901", "an HTML page: download the capture itself"),
    ("10:00:00 IP a > b: Flags [S]  é\n".encode() * 30, "FW901", "text, not a capture: `tcpdump -w FILE` writes one"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "code", "message"), FOREIGN, ids=[f"{m[:30]}{n}" for n, (_, _, m) in enumerate(FOREIGN)]
)
def test_files_of_another_kind_are_named_with_what_converts_them(
    data: bytes, code: str, message: str, tmp_path: Path
) -> None:
    frames, error = read(data, tmp_path)
    assert frames == []
    assert error is not None
    assert (error.code, error.message) == (code, message)
    source = Source(tmp_path / "capture")
    try:
        if message.startswith("pcap version"):  # a pcap after all
            refuse_foreign(source)
            return
        with pytest.raises(CaptureError) as caught:
            refuse_foreign(source)
    finally:
        source.close()
    assert (caught.value.code, caught.value.message) == (code, message)


def test_what_is_peeked_at_is_given_again(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for data in (CAPTURE, gzip.compress(CAPTURE)):
        path.write_bytes(data)
        source = Source(path)
        assert source.peek(8) == source.peek(4)
        assert source.peek(300_000)[:300_000] == CAPTURE[:300_000]
        given = bytearray()
        buffer = bytearray(1000)
        while read := source.readinto(memoryview(buffer)):
            given += buffer[:read]
        assert given == CAPTURE
        assert source.peek(5) == b""
        source.close()
