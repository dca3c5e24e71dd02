"""Files that are neither pcap nor pcapng: what they are, and what makes one of them. Knows first bytes only.

Sources: the formats' own descriptions, and Wireshark's list of what it reads, which is what `editcap` converts.
"""

from __future__ import annotations

from ..codes import NOT_A_CAPTURE, UNSUPPORTED
from ..errors import CaptureError

HEAD = 512  # bytes that are enough to tell

_EDITCAP = "`editcap -F pcapng OLD NEW` converts it"
_UNPACK = "unpack it first"
_KINDS = {
    b"snoop\0\0\0": ("a snoop capture", _EDITCAP),
    b"btsnoop\0": ("a Bluetooth snoop capture", _EDITCAP),
    b"GMBU": ("a capture of Microsoft Network Monitor 2", _EDITCAP),
    b"RTSS": ("a capture of Microsoft Network Monitor 1", _EDITCAP),
    b"TRSNIFF data    \x1a": ("a capture of the Sniffer", _EDITCAP),
    b"XCP\0": ("a NetXray capture", _EDITCAP),
    b"iptrace ": ("a capture of AIX' iptrace", _EDITCAP),
    b"ObserverPktBuff": ("a capture of Network Instruments' Observer", _EDITCAP),
    b"\x7fver": ("a capture of OmniPeek", _EDITCAP),
    b"\x05VNF": ("a capture of Visual Networks", _EDITCAP),
    b"\x1f\x8b": ("compressed twice", "`gunzip` it once"),
    b"\xfd7zXZ\0": ("compressed twice", "`unxz` it once"),
    b"BZh": ("compressed twice", "`bunzip2` it once"),
    b"\x28\xb5\x2f\xfd": (
        "compressed with zstd, which Python reads from 3.14 on",
        "decompress it first with `zstd -d`",
    ),
    b"\x04\x22\x4d\x18": ("compressed with lz4", "decompress it first with `lz4 -d`"),
    b"\x1f\x9d": ("compressed with compress", "decompress it first with `gunzip`"),
    b"PK\x03\x04": ("a zip archive", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _UNPACK),
    b"Rar!\x1a\x07": ("a rar archive", _UNPACK),
    b"\xd4\xc3\xb2\xa1\0": ("a pcap of an unknown version", "Wireshark may read it"),
}


def foreign(file: str, head: bytes) -> CaptureError:
    """What to say of a file that is not a capture read here, whose first `HEAD` bytes are `head`."""
    if not head:
        return CaptureError(NOT_A_CAPTURE, file, "the file is empty")
    for magic, (kind, advice) in _KINDS.items():
        if head.startswith(magic):
            return CaptureError(UNSUPPORTED, file, f"{kind}: {advice}")
    if head[257:262] == b"ustar":
        return CaptureError(UNSUPPORTED, file, f"a tar archive: {_UNPACK}")
    if head.startswith(b"version https://git-lfs"):
        return CaptureError(
            NOT_A_CAPTURE, file, "a Git LFS pointer, not the file it stands for: `git lfs pull` fetches that"
        )
    if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return CaptureError(NOT_A_CAPTURE, file, "an HTML page: download the capture itself")
    if _is_text(head):
        return CaptureError(NOT_A_CAPTURE, file, "text, not a capture: `tcpdump -w FILE` writes one")
    if _is_erf(head):
        return CaptureError(UNSUPPORTED, file, f"an ERF capture: {_EDITCAP}")
    if _is_commview(head):
        return CaptureError(UNSUPPORTED, file, f"a CommView capture: {_EDITCAP}")
    return CaptureError(NOT_A_CAPTURE, file, "neither pcap nor pcapng")


def _is_erf(head: bytes) -> bool:
    """One or two records that follow each other: a time, a type, lengths that fit."""
    at = 0
    for _ in range(2):
        record = head[at : at + 16]
        if len(record) < 16:
            return at > 0
        seconds, kind, length = (
            int.from_bytes(record[4:8], "little"),
            record[8] & 0x7F,
            int.from_bytes(record[10:12], "big"),
        )
        if not 631_152_000 <= seconds <= 4_102_444_800 or not 1 <= kind <= 48 or length < 16:
            return False
        at += length
    return True


def _is_commview(head: bytes) -> bool:
    if len(head) < 24 or head[4]:
        return False
    size, year = int.from_bytes(head[:2], "little"), int.from_bytes(head[5:7], "little")
    month, day, hour, minute, second = head[7:12]
    return (
        size > 0
        and 1990 <= year <= 2100
        and 1 <= month <= 12
        and 1 <= day <= 31
        and hour < 24
        and max(minute, second) < 60
    )


def _is_text(head: bytes) -> bool:
    try:
        text = head[:-3].decode() if len(head) == HEAD else head.decode()  # a character may be cut at the end
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c in "\t\r\n" for c in text) and len(text) > 3
