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
SUPPORTED = (*RAW, *LOOPBACK, ETHERNET, COOKED, COOKED_2, PPP, SERIAL, PPPOE, HDLC)
UNSUPPORTED = (6, 105, 147, 249, 277, 0xFFFF)

_IPV4, _IPV6, _PPPOE = 0x0800, 0x86DD, 0x8864
_VLAN = (0x8100, 0x88A8, 0x9100)
_MPLS = (0x8847, 0x8848)
_LLC = ("060603", "060603", "060603", "06060a", "06aa03", "aaaa0a", "aa0603", "424203")
_PPP = {_IPV4: 0x21, _IPV6: 0x57, 0x8847: 0x0281, 0x8848: 0x0283}

_TCP, _AUTHENTICATION, _FRAGMENT = 6, 51, 44
_HEADERS = {17: 8, 136: 8, 33: 12, 132: 12, 1: 4, 58: 4}  # bytes of a transport header
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
    if link in RAW:
        return packet
    if link in LOOPBACK:
        return [_family(draw, version), *packet]
    kind, pieces = _tagged(draw, version, packet)
    if link in (COOKED, COOKED_2):
        return [_cooked(draw, link, kind), *pieces]
    if link == PPPOE:
        return [_pppoe(draw, kind)[1], *pieces]
    if link == HDLC or (link == SERIAL and draw.random() < 0.5):
        return [bytes([draw.choice((0x0F, 0x8F)), 0]) + struct.pack(">H", kind), *pieces]
    if link in (PPP, SERIAL):
        return [draw.choice((b"\xff\x03", b"\xff\x03", b"", b"\xff")) + _ppp(draw, kind), *pieces]
    return [draw.randbytes(12) + struct.pack(">H", kind), *pieces]


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
    total = header + sum(map(len, body))
    if seldom(draw, 5):
        total = _near(draw, (0, header, header, header + 4, header + 8, header + 12, header + 20, total, total, 65535))
    head = struct.pack(">BBHHHBB", version << 4 | words, 0, total, 1, fragment, 64, protocol)
    return [head + draw.randbytes(10), options, *body]


def _ipv6(draw: random.Random) -> Pieces:
    following = draw.choice(_PROTOCOLS)
    version = 6 if not seldom(draw, 25) else draw.randrange(16)
    pieces = _transport(draw, following)
    if seldom(draw, 80):
        for _ in range(draw.choice((255, 256, 257))):
            pieces.insert(0, bytes([following, 0]) + draw.randbytes(6))
            following = draw.choice((0, 60))
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
    size = 8 + units * (4 if kind == _AUTHENTICATION else 8)
    said = units if not seldom(draw, 20) else draw.choice((units + 1, max(units - 1, 0), 255))
    return bytes([following, said]) + draw.randbytes(size - 2)


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
            if kind == _IPV4 or seldom(draw, 10):
                wraps.append(_llc)
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


def _pppoe(draw: random.Random, kind: int) -> tuple[int, bytes]:
    code = 0 if not seldom(draw, 12) else draw.choice((1, 9, 0xA7))
    return _PPPOE, bytes([0x11, code]) + draw.randbytes(4) + _ppp(draw, kind)


def _snap(draw: random.Random, kind: int) -> tuple[int, bytes]:
    organisation = bytes(3) if not seldom(draw, 12) else draw.choice((b"\0\0\1", b"\0\1\0", b"\1\0\0"))
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
    hardware = 1 if not seldom(draw, 6) else draw.choice((0, 772, 778, 802, 803, 804, 824, 0xFFFE))
    sent = draw.choice((0, 0, 1, 2, 3, 4, 4, 4))
    if link == COOKED_2:
        head = struct.pack(">HHIHBB", protocol, 0, 1, hardware, sent if not seldom(draw, 30) else 255, 6)
        return head + draw.randbytes(8)
    if seldom(draw, 20):
        sent = draw.choice((0x0104, 0x0400, 5))
    return struct.pack(">HHH8sH", sent, hardware, 6, draw.randbytes(8), protocol)
