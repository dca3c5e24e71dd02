"""Random captures: small pcap and pcapng files, mostly valid, else wrong at a place where a decoder looks.

What they hold is drawn from all that `fwengine.packets` and `fwengine.native` tell apart; frames are `frame_generator`'s.
"""

from __future__ import annotations

import random
import struct

from frame_generator import SUPPORTED, UNSUPPORTED, captured, frame, seldom

_MAX_CAPTURED, _MAX_BLOCK = 262_144, 16 << 20

_MAGICS = (0xA1B2C3D4, 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34)
_VERSIONS = ((2, 0), (2, 1), (2, 2), (2, 3), (2, 3), (543, 0))
_UNKNOWN_VERSIONS = ((0, 0), (1, 9), (2, 5), (3, 4), (543, 1))
_FOREIGN = (b"snoop\0\0\0", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\x1f\x8b", b"PK\x03\x04",
            b"XCP\0", b"\n\r\r\n", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xcd\x34", b"hello, world")  # fmt: skip

_SECTION, _INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_OTHER_BLOCKS = (0, 4, 5, 7, 9, 10, 0xBAD, 0x80000001, 0x06000000)
_NAMES = (
    b"wan0", b"wan0", b"lan0", b"eth0\0", b"any", b"any", b"any\0", b"any0", b"", b"\0", b"\0wan0", b"wan0\0lan0", b"a" * 254,
    b"a" * 255, b"a" * 256, b"a" * 255 + b"\0a", b"\xff" * 85, b"\xff" * 86, b"\xe2\x98\x83", b"\xe2\x98", b"w\xc3", b"\xed\xa0\x80",
    b"\xc3\xa9" * 127, b"\xc3\xa9" * 128, b"\xf0\x9f\x94\xa5" * 63 + b"abc", b"\xef\xbb\xbfeth0",
)  # fmt: skip
_SNAPLENS = (0, 0, 0, 1, 14, 20, 40, 64, 96, 65535, _MAX_CAPTURED, 0xFFFFFFFF)

Option = tuple[int, bytes]


def generate(draw: random.Random) -> bytes:
    """A small capture file; about one in three is damaged or holds something impossible."""
    if seldom(draw, 100):
        foreign = draw.choice(_FOREIGN) + draw.randbytes(draw.randrange(40))
        return foreign[: draw.choice((0, 1, 3, 4, 100, 100, 100))]
    data = _pcap(draw) if draw.random() < 0.35 else _pcapng(draw)
    return damaged(draw, data) if seldom(draw, 10) else data


def damaged(draw: random.Random, data: bytes) -> bytes:
    """The data with bytes replaced, a piece repeated, the end cut off or all of it joined to itself."""
    kind = draw.randrange(6)
    out = bytearray(data)
    if kind == 0:
        return bytes(out[: draw.randrange(len(out) + 1)])
    if kind == 1:
        for _ in range(max(1, len(out) // 50)):
            out[draw.randrange(len(out))] = draw.getrandbits(8)
    elif kind == 2:
        at = draw.randrange(len(out))
        out[at] ^= 1 << draw.randrange(8)
    elif kind == 3:
        at = draw.randrange(len(out)) & ~3
        out[at : at + 4] = draw.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\4\0", b"\0\4\0\0", b"\1\0\0\0"))
    elif kind == 4:
        a, b = sorted((draw.randrange(len(out)), draw.randrange(len(out))))
        out[a:a] = out[a : min(b, a + 4096)]
    else:
        return data + data[draw.choice((0, 24)) :]
    return bytes(out)


def _link(draw: random.Random) -> int:
    return draw.choice(SUPPORTED) if not seldom(draw, 20) else draw.choice(UNSUPPORTED)


def _frame(draw: random.Random, link: int) -> tuple[bytes, int]:
    data, wire = captured(draw, frame(draw, link))
    if seldom(draw, 3000):
        data += b"\xa5" * (_MAX_CAPTURED - len(data))  # zeros would be thousands of records to who reads them as such
    return data, wire


def _wrong_length(draw: random.Random, size: int) -> int:
    return draw.choice((0, max(size - 1, 0), size + 1, size + 4, _MAX_CAPTURED, _MAX_CAPTURED + 1, 0xFFFFFFFF))


def _pcap(draw: random.Random) -> bytes:
    order, magic, link = draw.choice("<>"), draw.choice(_MAGICS), _link(draw)
    version = (2, 4) if draw.random() < 0.6 else draw.choice(_VERSIONS)
    if seldom(draw, 40):
        version = draw.choice(_UNKNOWN_VERSIONS)
    above = draw.choice((0, 0, 0, 0, 0x14000000, 0x00010000, 0xFFFF0000))  # of the link type: the length of the FCS
    out = [struct.pack(order + "IHHiIII", magic, *version, -3600, 0, draw.choice(_SNAPLENS), above | link)]
    for _ in range(draw.randint(0, 12)):
        data, wire = _frame(draw, link)
        lengths = [len(data), wire]
        if seldom(draw, 100):
            lengths[0] = _wrong_length(draw, len(data))
        if version < (2, 3) or (version == (2, 3) and draw.random() < 0.5):
            lengths.reverse()
        record = struct.pack(order + "IIII", draw.getrandbits(32), draw.getrandbits(32), *lengths)
        out += [record, draw.randbytes(8 if magic == 0xA1B2CD34 else 0), data]
    return b"".join(out)


def _pcapng(draw: random.Random) -> bytes:
    out = b"".join(_section(draw) for _ in range(draw.choice((1, 1, 1, 1, 2, 3))))
    return out if not seldom(draw, 60) else out + draw.randbytes(draw.randint(1, 27))


def _block(draw: random.Random, order: str, kind: int, body: bytes) -> bytes:
    if seldom(draw, 120):
        body = body[: draw.randint(0, min(len(body), 40))]
    body += bytes(-len(body) & 3 if not seldom(draw, 300) else draw.randrange(4))
    total = behind = len(body) + 12
    if seldom(draw, 300):
        total = draw.choice(
            (0, 8, 11, 12, 24, total + 1, total + 4, total + 400, _MAX_BLOCK, _MAX_BLOCK + 4, 0xFFFFFFFC)
        )
    if seldom(draw, 300):
        behind = draw.choice((0, total + 4, total << 16, total ^ 1 << draw.randrange(32)))
    return struct.pack(order + "II", kind, total) + body + struct.pack(order + "I", behind & 0xFFFFFFFF)


def _options(draw: random.Random, order: str, options: list[Option]) -> bytes:
    """These options, sometimes with an end, and behind it with what must not be read."""
    parts = [struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) & 3) for code, value in options]
    if seldom(draw, 60):  # one that does not fit
        parts.append(struct.pack(order + "HH", draw.randint(1, 20), draw.choice((1, 4, 5, 8, 0xFFFF))))
    if draw.random() < 0.5:
        parts.append(struct.pack(order + "HH", 0, draw.choice((0, 0, 0, 0, 4, 0xFFFF))))
        if seldom(draw, 6):
            parts.append(struct.pack(order + "HHI", 2, draw.choice((4, 5)), 2))
    return b"".join(parts)


def _section(draw: random.Random) -> bytes:
    order = draw.choice("<>")
    magic = 0x1A2B3C4D if not seldom(draw, 200) else draw.getrandbits(32)
    version = draw.choice(((1, 0), (1, 0), (1, 0), (1, 2)))
    if seldom(draw, 100):
        version = draw.choice(((0, 0), (1, 1), (1, 3), (2, 0), (2, 2)))
    says: list[Option] = [(4, b"fuzz")] if seldom(draw, 3) else []
    head = struct.pack(order + "IHHq", magic, *version, draw.choice((-1, -1, 0, 96)))
    out = [_block(draw, order, _SECTION, head + (_options(draw, order, says) if says else b""))]
    interfaces: list[tuple[int, int]] = []  # link type and snaplen
    for _ in range(draw.choice((1, 1, 2, 3)) if not seldom(draw, 40) else 0):
        out.append(_interface(draw, order, interfaces))
    for _ in range(draw.randint(0, 8)):
        what = draw.randrange(12)
        if what == 0:
            out.append(_block(draw, order, draw.choice(_OTHER_BLOCKS), draw.randbytes(draw.randint(0, 40))))
        elif what == 1:
            out.append(_interface(draw, order, interfaces))
        else:
            out.append(_packet(draw, order, interfaces))
    return b"".join(out)


def _interface(draw: random.Random, order: str, interfaces: list[tuple[int, int]]) -> bytes:
    link, snaplen = _link(draw), draw.choice(_SNAPLENS)
    if len(interfaces) < 0xFFFF:
        interfaces.append((link, snaplen))
    says: list[Option] = []
    if not seldom(draw, 5):
        says.append((2, draw.choice(_NAMES[:8] if draw.random() < 0.85 else _NAMES)))
    if seldom(draw, 4):
        says.append((9, bytes([draw.choice((0, 3, 6, 9, 12, 127, 128, 134, 158, 255))])))
    if seldom(draw, 6):
        says.append((14, struct.pack(order + "q", draw.choice((0, 1, -1, 3600, -(1 << 63), (1 << 63) - 1)))))
    if seldom(draw, 6):
        says.append(
            draw.choice(((13, b"\4"), (3, b"of the wan"), (12, b"Linux"), (32000, b""), (2, b"second"), (9, b"\3")))
        )
    if seldom(draw, 60):
        says.append(draw.choice(((9, b""), (9, b"\6\0"), (14, b""), (14, bytes(4)), (14, bytes(9)))))
    draw.shuffle(says)
    body = struct.pack(order + "HHI", link, draw.choice((0, 0xFFFF)), snaplen)
    return _block(draw, order, _INTERFACE, body + (_options(draw, order, says) if says or seldom(draw, 2) else b""))


def _packet(draw: random.Random, order: str, interfaces: list[tuple[int, int]]) -> bytes:
    kind = draw.choice((_ENHANCED, _ENHANCED, _ENHANCED, _PACKET, _SIMPLE, _SIMPLE))
    number = draw.randrange(len(interfaces)) if interfaces and kind != _SIMPLE else 0
    link, snaplen = interfaces[number] if interfaces else (1, 0)
    data, wire = _frame(draw, link)
    if kind == _SIMPLE:
        return _block(draw, order, _SIMPLE, _simple(draw, order, data, wire, snaplen))
    if seldom(draw, 150):
        number = len(interfaces) + draw.choice((0, 0, 1, 0x10000 - len(interfaces), 0x10000))
    length = len(data) if not seldom(draw, 100) else _wrong_length(draw, len(data))
    data += draw.choice((b"\0", b"\0", b"\4")) * (-len(data) & 3)  # a 4 would say that it was sent
    if draw.random() < 0.6:
        data += _options(draw, order, _said_of_packet(draw, order))
    if kind == _PACKET:
        head = struct.pack(order + "HHIIII", number & 0xFFFF, draw.getrandbits(16), 5, 6, length, wire)
    else:
        head = struct.pack(order + "IIIII", number, draw.getrandbits(32), 7, length, wire)
    return _block(draw, order, kind, head + data)


def _simple(draw: random.Random, order: str, data: bytes, wire: int, snaplen: int) -> bytes:
    """The body of a simple packet block: how much of a frame it holds, the first interface's snaplen says."""
    if not seldom(draw, 12):
        if snaplen and len(data) > snaplen:
            data = data[:snaplen]
        elif not snaplen or wire < snaplen:
            wire = len(data)
        else:
            data += bytes(max(0, min(snaplen, wire, 500) - len(data)))
    data += bytes(-len(data) & 3)
    if seldom(draw, 6):  # options, which this block does not have
        data += struct.pack(order + "HHI", 2, draw.choice((4, 400)), 2)
    return struct.pack(order + "I", wire) + data


def _said_of_packet(draw: random.Random, order: str) -> list[Option]:
    direction = struct.pack(order + "I", draw.getrandbits(30) << 2 & draw.choice((0, -1)) | draw.randrange(4))
    choices: tuple[list[Option], ...] = (
        [],
        [(2, direction)],
        [(2, direction)],
        [(2, direction)],
        [(1, b"seen"), (2, direction)],
        [(1, b"seen twice"), (2, direction), (2, struct.pack(order + "I", 1))],
        [(2, direction[: draw.randrange(4)]), (4, bytes(8))],
        [(2, direction + b"\2"), (2, direction)],
        [(2, b""), (3, b"hash")],
        [(4, bytes(8)), (1, b"odd")],
    )
    return draw.choice(choices)
