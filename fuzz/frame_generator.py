"""Random frames: link headers, tags and IP packets, mostly right, else wrong at a place where a decoder looks.

A frame is a list of its headers and its payload, so that it can be cut between any two of them and beside.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from itertools import accumulate

Pieces = list[bytes]

RAW = (12, 14, 101, 228, 229)
LOOPBACK = (0, 108)
ETHERNET, COOKED, COOKED_2, PPP, SERIAL, PPPOE, HDLC = 1, 113, 276, 9, 50, 51, 104
SLIP, RELAY, TOKEN_RING, FDDI, ARCNET, ARCNET_LINUX, ATM, INFINIBAND, IEEE1394, IPNET, JUNIPER = (
    8, 107, 6, 10, 7, 129, 100, 242, 138, 226, 178,
)  # fmt: skip
DIRECTED = (204, 205, 206)  # PPP, HDLC and Frame Relay behind a byte of direction
CLASSICAL = (19, 106)
WLAN, PRISM, RADIOTAP, AVS, PPI = 105, 119, 127, 163, 192
NFLOG, PFLOG, ENCRYPTED, ENCRYPTED_BSD, PKTAPS = 239, 117, 109, 13, (149, 258)
SWITCHED = (281, 282, 284, 285)
SUPPORTED = (
    *RAW, *LOOPBACK, ETHERNET, ETHERNET, ETHERNET, COOKED, COOKED_2, PPP, SERIAL, PPPOE, HDLC, SLIP, RELAY, TOKEN_RING, FDDI, ARCNET,
    ARCNET_LINUX, ATM, INFINIBAND, IEEE1394, IPNET, JUNIPER, *DIRECTED, *CLASSICAL, WLAN, PRISM, RADIOTAP, AVS, PPI, NFLOG, PFLOG,
    ENCRYPTED, ENCRYPTED_BSD, *PKTAPS, *SWITCHED,
)  # fmt: skip
UNSUPPORTED = (5, 147, 165, 249, 277, 0xFFFF)

_IPV4, _IPV6, _PPPOE = 0x0800, 0x86DD, 0x8864
_VLAN = (0x8100, 0x88A8, 0x9100, 0x9200, 0x9300)
_MPLS = (0x8847, 0x8848)
_LLC = (
    "060603",
    "060603",
    "060603",
    "fefe03cc",
    "fefe03cc",
    "fefe038e",
    "fefe0381",
    "06060a",
    "06aa03",
    "aaaa0a",
    "aa0603",
    "424203",
)
_PPP = {_IPV4: 0x21, _IPV6: 0x57, 0x8847: 0x0281, 0x8848: 0x0283}

_TAGS = (
    (0x893F, 8), (0x8926, 6), (0x88E7, 18), (0x88E7, 18), (0x8903, 16), (0x6558, 14), (0x892F, 6), (0xF1C1, 6), (0xDADA, 8),
)  # fmt: skip

_TCP, _AUTHENTICATION, _FRAGMENT, _HOP_BY_HOP = 6, 51, 44, 0
_HEADERS = {17: 8, 136: 8, 33: 12, 132: 12, 1: 8, 58: 8}  # bytes of a transport header
_PROTOCOLS = (6, 6, 6, 17, 17, 136, 33, 132, 1, 58, 1, 58, 0, 4, 41, 47, 50, 59, 255)
_EXTENSIONS = (0, 43, 44, 44, 51, 60, 135, 139, 140)


def seldom(draw: random.Random, one_in: int) -> bool:
    return draw.random() * one_in < 1


def frame(draw: random.Random, link: int) -> Pieces:
    """A frame of a link type; of one that is not decoded, an Ethernet frame."""
    version = 4 if draw.random() < 0.55 else 6
    if link in (228, 229) and not seldom(draw, 10):
        version = 4 if link == 228 else 6
    packet = _ipv4(draw) if version == 4 else _ipv6(draw)
    if link == 12 and seldom(draw, 3):
        return [struct.pack(">I", draw.choice((2, 2, 24, 7)) if version == 4 else 24), *packet]
    if link in RAW:
        return packet
    simple = _SIMPLE.get(link)
    if simple is not None:
        return [*simple(draw, version), *packet]
    if link in CLASSICAL and draw.random() < 0.3:
        return packet
    if link in PKTAPS or link == PPI:
        return _enclosed(draw, link)
    kind, pieces = _tagged(draw, version, packet)
    if link in (COOKED, COOKED_2):
        return [_cooked(draw, link, kind), *pieces]
    if link == PPPOE:
        return [_pppoe(draw, kind)[1], *pieces]
    if link in DIRECTED:
        return [draw.choice((b"\0", b"\1", b"\xff")), *_serial(draw, (PPP, HDLC, RELAY)[link - 204], kind), *pieces]
    if link in (PPP, SERIAL, HDLC, RELAY):
        return [*_serial(draw, link, kind), *pieces]
    if link in _UNTYPED:
        return [*_UNTYPED[link](draw), *_bridged(draw, kind, pieces, link)]
    if link == INFINIBAND:
        return [draw.randbytes(40) + struct.pack(">HH", kind, 0), *pieces]
    if link == IEEE1394:
        return [draw.randbytes(16) + struct.pack(">H", kind), *pieces]
    head = _macs(draw) + struct.pack(">H", kind)
    if link == JUNIPER:
        return [_juniper(draw), head, *pieces]
    if link in (281, 284):
        return [head[:12] + draw.randbytes(4) + head[12:], *pieces]
    if link == 282:
        return [draw.randbytes(4), head, *pieces]
    if link == 285:
        return [head[:12] + b"\xda\xda\0\0" + draw.randbytes(4) + head[12:], *pieces]
    if seldom(draw, 20):
        return [_isl(draw), head, *pieces]
    return [head, *pieces]


def _macs(draw: random.Random) -> bytes:
    if seldom(draw, 30):  # as ISL begins, and nearly so
        return draw.choice((b"\1\0\x0c\0\0", b"\3\0\x0c\0\0", b"\1\0\x0c\xcc\0", b"\2\0\x0c\0\0")) + draw.randbytes(7)
    return draw.randbytes(12)


def _isl(draw: random.Random) -> bytes:
    return (
        draw.choice((b"\1", b"\3"))
        + b"\0\x0c\0\0"
        + draw.randbytes(7)
        + struct.pack(">H", draw.choice((80, 1500, 1535, 1536)))
        + draw.randbytes(12)
    )


def _serial(draw: random.Random, link: int, kind: int) -> Pieces:
    """The header of PPP, Cisco's HDLC or Frame Relay in front of an ethertype."""
    if link == RELAY:
        address = draw.choice(
            (b"\x18\x41", b"\x18\x41", b"\x18\x40\x01", b"\x18\x40\x10\x01", b"\x19\x41", b"\x18\x40\x10\x00\x01")
        )
        if draw.random() < 0.4:
            return [address, struct.pack(">H", kind)]
        number = {_IPV4: b"\xcc", _IPV6: b"\x8e"}.get(kind)
        if number is None or draw.random() < 0.4:
            ethertype = struct.pack(">H", kind)
            bridged = b"\x80\0\x80\xc2\0\7" + draw.randbytes(12) + ethertype
            number = draw.choice((b"\x80\0\0\0" + ethertype, bridged, b"\xcf" + _ppp(draw, kind), b"\x81"))
        return [address, b"\3" + draw.choice((b"", b"\0")), number]
    if link == HDLC or draw.random() < 0.4:
        return [bytes([draw.choice((0x0F, 0x8F)), 0]) + struct.pack(">H", kind)]
    return [draw.choice((b"\xff\x03", b"\xff\x03", b"", b"\xff")) + _ppp(draw, kind)]


def _bridged(draw: random.Random, kind: int, pieces: Pieces, link: int) -> Pieces:
    """LLC in front of what an ethertype announces."""
    if kind <= 1500:
        return pieces  # it is there
    if kind == _IPV4 and seldom(draw, 5):
        return [bytes.fromhex(draw.choice(_LLC)), *pieces]
    if link == ATM and seldom(draw, 4):
        return [b"\xaa\xaa\x03\0\x80\xc2\0\7\0\0", draw.randbytes(12) + struct.pack(">H", kind), *pieces]
    return [_snap(draw, kind)[1], *pieces]


def _token_ring(draw: random.Random) -> Pieces:
    control = draw.choice((0x40, 0x40, 0x40, 0x43, 0x00, 0x80))
    routed = seldom(draw, 3)
    source = bytes([draw.getrandbits(7) | routed << 7]) + draw.randbytes(5)
    head = bytes([0x10, control]) + draw.randbytes(6) + source
    if not routed:
        return [head]
    size = draw.choice((2, 6, 18, 0, 3))
    return [head, bytes([draw.getrandbits(3) << 5 | size])[: max(size, 1)] + draw.randbytes(max(size - 1, 0))]


def _fddi(draw: random.Random) -> Pieces:
    return [bytes([draw.choice((0x50, 0x50, 0x57, 0xD0, 0x40, 0x80, 0xC0))]) + draw.randbytes(12)]


def _wlan(draw: random.Random) -> Pieces:
    control = draw.choice((0x08, 0x08, 0x08, 0x88, 0x88, 0x88, 0x48, 0xC8, 0x80, 0x40, 0xD4, 0x0C, 0x09))
    flags = draw.choice((0, 1, 2, 3, 3, 0x40, 0x41, 0x80, 0x83, 0x10))
    head = bytes([control, flags]) + draw.randbytes(20) + bytes([draw.choice((0, 0, 0, 0, 0x10, 0x11)), 0])
    head += draw.randbytes(6 if flags & 3 == 3 else 0)
    if control & 0x80:
        head += bytes([draw.choice((0, 0, 7, 0x20, 0x80)), 0]) + draw.randbytes(4 if flags & 0x80 else 0)
    return [head]


def _radiotap(draw: random.Random) -> Pieces:
    words = draw.choice((1, 1, 1, 2, 3))
    present = [draw.choice((0, 1, 2, 2, 3, 3, 6)) | (0x80000000 if n < words - 1 else 0) for n in range(words)]
    fields = draw.randbytes(draw.choice((0, 1, 4, 9, 12, 17)))
    flags = draw.choice((0, 0, 0x10, 0x20))
    if present[0] & 2:
        at = 4 + 4 * words
        fields = (bytes(-at & 7) + draw.randbytes(8) if present[0] & 1 else b"") + bytes([flags]) + fields
    wlan = _wlan(draw)[0]
    padding = bytes(-len(wlan) & 3) if flags & 0x20 and present[0] & 2 else b""
    length = 4 + 4 * words + len(fields)
    if seldom(draw, 15):
        length = draw.choice((0, 7, 8, length - 1, length + 1, 0xFFFF))
    return [struct.pack("<BBH", 0, 0, length & 0xFFFF) + struct.pack(f"<{words}I", *present) + fields, wlan + padding]


def _avs(draw: random.Random) -> Pieces:
    length = draw.choice((64, 64, 64, 8, 7, 0xFFFFFFFF))
    return [
        struct.pack(">II", draw.choice((0x80211001, 0x80211002)), length) + draw.randbytes(56 if length == 64 else 0),
        *_wlan(draw),
    ]


def _prism(draw: random.Random) -> Pieces:
    return _avs(draw) if seldom(draw, 3) else [struct.pack(">I", 0x41) + draw.randbytes(140), *_wlan(draw)]


def _arcnet(draw: random.Random, version: int) -> Pieces:
    kind = (
        draw.choice((212, 212, 240) if version == 4 else (196, 196, 212))
        if not seldom(draw, 10)
        else draw.choice((213, 241, 128, 0))
    )
    if kind in (128, 240, 241):
        return [draw.randbytes(2) + bytes([kind])]
    flag = draw.choice((0, 0, 0, 1, 3, 2, 0xFF, 0xFF))
    more = (
        draw.randbytes(2) if flag != 0xFF else b"\xff\xff" + bytes([kind, draw.choice((0, 1, 2))]) + draw.randbytes(2)
    )
    return [draw.randbytes(2) + bytes([kind, flag]) + more]


def _arcnet_linux(draw: random.Random, version: int) -> Pieces:
    kind = (
        draw.choice((212, 240) if version == 4 else (196,)) if not seldom(draw, 10) else draw.choice((213, 241, 128, 0))
    )
    return [draw.randbytes(4) + bytes([kind]) + (b"" if kind in (128, 240, 241) else draw.randbytes(3))]


def _slip(draw: random.Random, version: int) -> Pieces:
    return [bytes([draw.choice((0, 1))]) + draw.randbytes(15)]


def _ipnet(draw: random.Random, version: int) -> Pieces:
    family = (2 if version == 4 else 26) if not seldom(draw, 12) else draw.choice((0, 10, 30))
    return [bytes([1, family]) + draw.randbytes(22)]


def _loop(draw: random.Random, version: int) -> Pieces:
    if seldom(draw, 5):
        return [
            struct.pack(
                draw.choice("<>") + "I", draw.choice((_IPV4 if version == 4 else _IPV6, 0x0806, 0x05FF, 0x0600))
            )
        ]
    return [_family(draw, version)]


def _encrypted(draw: random.Random, version: int) -> Pieces:
    return [_family(draw, version) + draw.randbytes(8)]


def _pflog(draw: random.Random, version: int) -> Pieces:
    """OpenBSD's header, or FreeBSD's of two ages, in whose first 61 bytes all agree."""
    length = draw.choice((61, 61, 69, 72, 100)) if not seldom(draw, 15) else draw.choice((0, 48, 60, 255))
    family = 2 if version == 4 else draw.choice((24, 28, 30))
    if seldom(draw, 15):
        family = draw.choice((0, 10, 7))
    action = draw.choice((0, 0, 1, 1, 2, 9, 11, 255))
    anchor = draw.choice((b"", b"", b"ftp")).ljust(16, b"\0")
    numbers = struct.pack(">II", draw.choice((0, 4, 0xFFFFFFFF)), draw.choice((0xFFFFFFFF, 2)))
    head = bytes([length, family, action, 0]) + _interface(draw, 16) + anchor + numbers
    head += draw.randbytes(16) + bytes([draw.choice((0, 1, 1, 2, 2, 3))])
    return [(head + draw.randbytes(200))[: length + 3 & ~3]]


def _interface(draw: random.Random, size: int) -> bytes:
    name = draw.choice(
        (
            b"em0",
            b"em0",
            b"em1",
            b"",
            b"-",
            b"unknown",
            b"\xff\xfe",
            b"igb0\0junk",
            b"x" * size,
            b"n%d" % draw.randrange(1000),
        )
    )
    return name[:size].ljust(size, b"\0")


def _nflog(draw: random.Random, version: int) -> Pieces:
    order = draw.choice("<<>")
    family = (2 if version == 4 else 10) if not seldom(draw, 12) else draw.choice((0, 5, 7, 7, 24))
    out = [bytes([family, 0]) + struct.pack(">H", 5)]
    values = [
        (1, draw.choice((b"\x08\0\1\0", b"\x86\xdd\3\0", draw.randbytes(4), b"\x08"))),
        (4, struct.pack(">I", 2)),
        (10, b"DROP \0"),
        (5, struct.pack(">I", 3)),
        (16, bytes(9)),
        (300, b""),
    ]
    for kind, value in draw.sample(values, draw.randint(0, 5)):
        length = 4 + len(value) if not seldom(draw, 60) else draw.choice((0, 3, 4, 400, 0xFFFF))
        out.append(
            struct.pack(order + "HH", length, kind | (0x8000 if seldom(draw, 20) else 0))
            + value
            + bytes(-len(value) & 3)
        )
    if not seldom(draw, 15):
        out.append(struct.pack(order + "HH", draw.choice((44, 64, 1500, 3)) if seldom(draw, 10) else 64, 9))
    return out


def _enclosed(draw: random.Random, link: int) -> Pieces:
    """A frame of another link type behind a header that names it."""
    inner = draw.choice((ETHERNET, ETHERNET, 12, 0, WLAN, WLAN, 101, 9, 239, 5, PPI, 149))
    if seldom(draw, 30):
        inner |= 0x10000
    body = frame(draw, inner) if inner not in (PPI, 149) else [draw.randbytes(60)]
    if link == PPI:
        length = draw.choice((8, 8, 20)) if not seldom(draw, 12) else draw.choice((0, 7, 0xFFFF))
        return [struct.pack("<BBHI", 0, 0, length, inner) + draw.randbytes(12 if length == 20 else 0), *body]
    length = draw.choice((108, 108, 156)) if not seldom(draw, 10) else draw.choice((0, 11, 12, 40, 0xFFFFFFFF))
    head = struct.pack("<III", length, 1 if not seldom(draw, 10) else 0, inner) + _interface(draw, 24)
    head += struct.pack("<I", draw.choice((0, 1, 1, 2, 2, 3)) | draw.getrandbits(4) << 2)
    return [(head + draw.randbytes(116))[: min(length, 156)], *body]


def _juniper(draw: random.Random) -> bytes:
    magic = b"MGC" if not seldom(draw, 15) else b"MGD"
    flags = draw.choice((0, 1, 0x80, 0x81, 0x81)) | (2 if seldom(draw, 10) else 0)
    extension = draw.randbytes(draw.choice((0, 6, 30)))
    return magic + bytes([flags]) + (struct.pack(">H", len(extension)) + extension if flags & 0x80 else b"")


def captured(draw: random.Random, pieces: Pieces) -> tuple[bytes, int]:
    """What a capture holds of a frame, and how long it says that the frame was."""
    whole = b"".join(pieces)
    size = len(whole)
    kind = draw.randrange(18)
    if kind < 10:
        return whole, size
    if kind < 13:
        return whole[: _place(draw, pieces)], size
    if kind == 13:  # the wire had no more
        short = whole[: _place(draw, pieces)]
        return short, len(short)
    if kind == 14:  # whose fault is it that a header is cut?
        ends = [0, *accumulate(map(len, pieces))][-40:]
        at = draw.randrange(len(ends))
        wire = ends[min(at + draw.choice((0, 0, 1)), len(ends) - 1)]
        return whole[: max(0, ends[at] + draw.randint(-3, 0))], max(0, wire + draw.randint(-1, 1))
    if kind == 15:  # padding, or a checksum
        padded = whole + draw.randbytes(draw.choice((1, 4, 18)))
        return padded, len(padded)
    if kind == 16:
        if seldom(draw, 2):
            return whole[: _place(draw, pieces)], _place(draw, pieces)
        return whole, draw.choice((0, 1, max(size - 1, 0), size + 1, 65535, 0xFFFFFFFF))
    return whole, _place(draw, pieces)


def _place(draw: random.Random, pieces: Pieces) -> int:
    """A length within a frame, or a little more: near the end of one of its headers, or anywhere."""
    ends = [0, *accumulate(map(len, pieces))]
    if seldom(draw, 3):
        return draw.randint(0, ends[-1])
    return max(0, draw.choice(ends[-40:]) + draw.choice((-2, -1, 0, 0, 1, 1, 2, 3, 4, 7, 8, 12, 13, 14, 19, 20)))


def _near(draw: random.Random, values: tuple[int, ...]) -> int:
    """One of these 16-bit numbers or of their neighbours."""
    return (draw.choice(values) + draw.choice((-1, 0, 0, 1))) & 0xFFFF


def _transport(draw: random.Random, protocol: int) -> Pieces:
    """A transport header and some payload, sometimes less than the header."""
    if protocol == _TCP:
        words = draw.choice((5, 5, 5, 5, 5, 6, 8, 15, 4, 0))
        flags = draw.choice((0, 1, 2, 0x12, 0x10, 0x18, 0xFF, draw.getrandbits(8)))
        head = draw.randbytes(12) + bytes([words << 4 | draw.getrandbits(4), flags]) + draw.randbytes(6)
        head += draw.randbytes(max(0, words - 5 - (0 if draw.random() < 0.8 else 1)) * 4)
    else:
        head = draw.randbytes(_HEADERS.get(protocol, draw.choice((0, 1, 8))))
    if seldom(draw, 8):
        return [head[: draw.randint(0, len(head))]]
    return [head, draw.randbytes(draw.choice((0, 0, 0, 1, 4, 8, 30)))]


def _ipv4(draw: random.Random) -> Pieces:
    protocol = draw.choice(_PROTOCOLS)
    words = draw.choice((5, 5, 5, 5, 5, 5, 6, 7, 15)) if not seldom(draw, 15) else draw.randrange(16)
    version = 4 if not seldom(draw, 25) else draw.randrange(16)
    fragment = draw.choice((0, 0, 0, 0, 0, 0x4000, 0x4000, 0x8000, 0x2000, 0x6000, 0x2001, 1, 0x1FFF, 0x3FFF, 0xFFFF))
    options = draw.randbytes(max(0, words * 4 - 20))
    body = _transport(draw, protocol)
    header = 20 + len(options)
    if protocol == _TCP and seldom(draw, 12):  # which would overwrite the flags
        fragment = fragment & 0xE000 | draw.choice((1, 1, 1, 2))
    total = header + sum(map(len, body))
    if seldom(draw, 5):
        total = _near(
            draw, (0, 0, 1, 18, header, header, header + 4, header + 8, header + 12, header + 20, total, total, 65535)
        )
    head = struct.pack(">BBHHHBB", version << 4 | words, 0, total, 1, fragment, 64, protocol)
    return [head + draw.randbytes(10), options, *body]


def _ipv6(draw: random.Random) -> Pieces:
    following = draw.choice(_PROTOCOLS)
    version = 6 if not seldom(draw, 25) else draw.randrange(16)
    pieces = _transport(draw, following)
    if seldom(draw, 80):
        for _ in range(draw.choice((255, 256, 257))):
            following, piece = draw.choice((0, 60)), bytes([following, 0, 1, 4, 0, 0, 0, 0])
            pieces.insert(0, piece)
    else:
        for _ in range(draw.choice((0, 0, 0, 0, 0, 1, 1, 2, 3, 5))):
            kind = draw.choice(_EXTENSIONS)
            pieces.insert(0, _extension(draw, kind, following, draw.choice((0, 0, 0, 1, 2, 5))))
            following = kind
    payload = sum(map(len, pieces))
    if seldom(draw, 5):
        ends = tuple(accumulate(map(len, pieces[-40:])))
        payload = _near(draw, (0, 0, 0, 0, 8, payload, payload, 65535, *ends)) if not seldom(draw, 3) else 0
    head = bytes([version << 4, 0, 0, 0]) + struct.pack(">HBB", payload & 0xFFFF, following, 64)
    return [head + draw.randbytes(32), *pieces]


def _extension(draw: random.Random, kind: int, following: int, units: int) -> bytes:
    if kind == _FRAGMENT:
        flags = draw.choice((0, 0, 1, 1, 6, 7, 8, 9, 0xFFF8, 0xFFF9))
        return struct.pack(">BBHI", following, draw.getrandbits(8), flags, draw.getrandbits(32))
    if kind == _HOP_BY_HOP and not seldom(draw, 6):
        return _options(draw, following, units)
    size = 8 + units * (4 if kind == _AUTHENTICATION else 8)
    said = units if not seldom(draw, 20) else draw.choice((units + 1, max(units - 1, 0), 255))
    return bytes([following, said]) + draw.randbytes(size - 2)


def _options(draw: random.Random, following: int, units: int) -> bytes:
    """A header of hop-by-hop options, mostly such as a receiver lets pass."""
    body = b""
    room = 6 + 8 * units
    while len(body) < room:
        kind = (
            draw.choice((0, 1, 1, 1, 5, 5, 0x1E, 0x3E, 0x1E, 0x5E, 0xC2))
            if not seldom(draw, 3)
            else draw.choice((1, 5, 0x1E))
        )
        length = {0: 0, 1: draw.choice((0, 2, 4, 5)), 5: 2, 0xC2: 4}.get(kind, draw.randrange(7))
        if kind == 5 and seldom(draw, 8):
            length = draw.choice((1, 3))
        padded = bytes(length) if kind == 1 and not seldom(draw, 12) else draw.randbytes(length)
        body += b"\0" if not kind else bytes([kind, length]) + padded
    if len(body) > room and not seldom(draw, 4):  # none that does not fit: padding takes its place
        body = b"\x1e" + bytes([room - 2]) + draw.randbytes(room - 2)
    return bytes([following, units if not seldom(draw, 20) else draw.choice((0, units + 1, 255))]) + body[:room]


def _tagged(draw: random.Random, version: int, packet: Pieces) -> tuple[int, Pieces]:
    """A packet behind tags, labels and headers, and the ethertype in front of them."""
    kind = _IPV4 if version == 4 else _IPV6
    if seldom(draw, 20):
        kind = draw.choice((_IPV4, _IPV6, 0x0806, 1500, 1501, 0x5FF, 0x600, 0xFFFF))
    pieces = list(packet)
    many = seldom(draw, 40)
    for _ in range(draw.choice((15, 16, 17)) if many else draw.choice((0, 0, 0, 0, 0, 1, 1, 1, 2, 3))):
        wraps: list[Callable[[random.Random, int], tuple[int, bytes]]] = [_vlan]
        if kind > 1500 or seldom(draw, 3):
            wraps.append(_snap)
        if not many:
            wraps.append(_pppoe)
            wraps += [_tag, _tag, _macsec, _service, _trill, _metadata, _arista, _plain_ppp]
            if kind == _IPV4 or seldom(draw, 10):
                wraps.append(_llc)
            if kind <= 1500:
                wraps.append(_jumbo)
            if seldom(draw, 3):
                wraps.append(_pseudowire)
        if kind in (_IPV4, _IPV6, *_MPLS):
            wraps.append(_mpls)
        kind, header = draw.choice(wraps)(draw, kind)
        pieces.insert(0, header)
    return kind, pieces


def _vlan(draw: random.Random, kind: int) -> tuple[int, bytes]:
    return draw.choice(_VLAN), draw.randbytes(2) + struct.pack(">H", kind)


def _mpls(draw: random.Random, kind: int) -> tuple[int, bytes]:
    bottom = kind not in _MPLS
    if seldom(draw, 20):
        bottom = not bottom
    return draw.choice(_MPLS), draw.randbytes(2) + bytes([draw.getrandbits(7) << 1 | bottom, 64])


def _tag(draw: random.Random, kind: int) -> tuple[int, bytes]:
    """A tag whose last two bytes are the next ethertype; some hold the addresses of an inner frame."""
    ethertype, size = draw.choice(_TAGS)
    return ethertype, draw.randbytes(size - 2) + struct.pack(">H", kind)


def _pseudowire(draw: random.Random, kind: int) -> tuple[int, bytes]:
    word = draw.choice((b"\0\0\0\1", b"\0\0\0\1", b"\0\0\0\1", b"\0\1\0\1", b"\x10\0\0\x21", b"\x50\0\0\0"))
    label = draw.randbytes(2) + bytes([draw.getrandbits(7) << 1 | 1, 64])
    return draw.choice(_MPLS), label + word + draw.randbytes(12) + struct.pack(">H", kind)


def _macsec(draw: random.Random, kind: int) -> tuple[int, bytes]:
    control = draw.choice((0x00, 0x20, 0x20, 0x2C, 0x0C, 0x08, 0x04))
    return 0x88E5, bytes([control, 0]) + draw.randbytes(12 if control & 0x20 else 4) + struct.pack(">H", kind)


def _service(draw: random.Random, kind: int) -> tuple[int, bytes]:
    words = draw.choice((2, 2, 6, 6)) if not seldom(draw, 12) else draw.choice((0, 1, 63))
    following = {_IPV4: 1, _IPV6: 2, 0x894F: 4, 0x8847: 5}.get(kind, 3)
    head = bytes([0, words, 1, following if not seldom(draw, 12) else draw.choice((0, 3, 6))])
    head += draw.randbytes(max(0, words * 4 - 4) if words < 63 else 8)
    return 0x894F, head + (draw.randbytes(12) + struct.pack(">H", kind) if following == 3 else b"")


def _trill(draw: random.Random, kind: int) -> tuple[int, bytes]:
    options = draw.choice((0, 0, 0, 1, 3, 31))
    head = struct.pack(">H", options << 6 | 20) + draw.randbytes(4 + 4 * min(options, 3))
    return 0x22F3, head + draw.randbytes(12) + struct.pack(">H", kind)


def _metadata(draw: random.Random, kind: int) -> tuple[int, bytes]:
    return 0x8909, bytes([1, draw.choice((1, 1, 1, 2)), 0, 1]) + draw.randbytes(2) + struct.pack(">H", kind)


def _arista(draw: random.Random, kind: int) -> tuple[int, bytes]:
    shape = draw.choice((0x10, 0x11, 0x20, 0x30))
    head = bytes([0, 1 if not seldom(draw, 10) else 2, draw.choice((0, 1)), shape])
    return 0xD28B, head + draw.randbytes(6 if shape == 0x20 else 8) + struct.pack(">H", kind)


def _plain_ppp(draw: random.Random, kind: int) -> tuple[int, bytes]:
    return 0x880B, draw.choice((b"\xff\x03", b"")) + _ppp(draw, kind)


def _jumbo(draw: random.Random, kind: int) -> tuple[int, bytes]:
    """An ethertype in the place of a length."""
    return 0x8870, b""


def _pppoe(draw: random.Random, kind: int) -> tuple[int, bytes]:
    code = 0 if not seldom(draw, 12) else draw.choice((1, 9, 0xA7))
    return _PPPOE, bytes([0x11, code]) + draw.randbytes(4) + _ppp(draw, kind)


def _snap(draw: random.Random, kind: int) -> tuple[int, bytes]:
    organisation = (
        bytes(3)
        if not seldom(draw, 6)
        else draw.choice((b"\0\0\1", b"\0\1\0", b"\1\0\0", b"\0\0\xf8", b"\0\0\xf8", b"\0\0\x0c"))
    )
    if seldom(draw, 12):
        return _length(draw), b"\xaa\xaa\x03\0\x80\xc2\0" + draw.choice((b"\1", b"\7", b"\2")) + draw.randbytes(
            12
        ) + struct.pack(">H", kind)
    return _length(draw), b"\xaa\xaa\x03" + organisation + struct.pack(">H", kind)


def _llc(draw: random.Random, kind: int) -> tuple[int, bytes]:
    return _length(draw), bytes.fromhex(draw.choice(_LLC))


def _length(draw: random.Random) -> int:
    return draw.choice((0, 3, 46, 100, 1499, 1500, 1500, 1501))


def _ppp(draw: random.Random, kind: int) -> bytes:
    """A PPP protocol field, compressed where that is possible and likes."""
    protocol = _PPP.get(kind, 0)
    if not protocol or seldom(draw, 20):
        protocol = draw.choice((0x21, 0x57, 0x23, 0xFD, 0x0281, 0x8021, 0xC021, 0))
    if protocol & 0xFF01 == 1 and draw.random() < 0.4:
        return bytes([protocol])
    return struct.pack(">H", protocol)


def _family(draw: random.Random, version: int) -> bytes:
    family = 2 if version == 4 else draw.choice((10, 24, 28, 30))
    if seldom(draw, 12):
        family = draw.choice((0, 7, 23, 0x0200, 0x0102, 0x010002, 0x01000002, draw.getrandbits(32)))
    return struct.pack(draw.choice("<>") + "I", family)


def _cooked(draw: random.Random, link: int, kind: int) -> bytes:
    protocol = 4 if kind <= 1500 and not seldom(draw, 10) else kind
    if seldom(draw, 25):
        protocol = draw.choice((1, 3, 4, 5, 0x5FF, 0x600))
    hardware = 1 if not seldom(draw, 6) else draw.choice((0, 770, 772, 778, 802, 803, 804, 824, 0xFFFE))
    sent = draw.choice((0, 0, 1, 2, 3, 4, 4, 4))
    if link == COOKED_2:
        head = struct.pack(">HHIHBB", protocol, 0, 1, hardware, sent if not seldom(draw, 30) else 255, 6)
        return head + draw.randbytes(8)
    if seldom(draw, 20):
        sent = draw.choice((0x0104, 0x0400, 5))
    return struct.pack(">HHH8sH", sent, hardware, 6, draw.randbytes(8), protocol)


_SIMPLE: dict[int, Callable[[random.Random, int], Pieces]] = {
    **dict.fromkeys(LOOPBACK, _loop),
    SLIP: _slip,
    ARCNET: _arcnet,
    ARCNET_LINUX: _arcnet_linux,
    IPNET: _ipnet,
    ENCRYPTED: _encrypted,
    ENCRYPTED_BSD: _encrypted,
    PFLOG: _pflog,
    NFLOG: _nflog,
}  # what stands in front of IP itself
_UNTYPED: dict[int, Callable[[random.Random], Pieces]] = {
    TOKEN_RING: _token_ring,
    FDDI: _fddi,
    ATM: lambda draw: [],
    **dict.fromkeys(CLASSICAL, lambda draw: []),
    WLAN: _wlan,
    RADIOTAP: _radiotap,
    AVS: _avs,
    PRISM: _prism,
}  # what stands in front of LLC
