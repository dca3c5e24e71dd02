"""Captures drawn at random: both containers in all their kinds, odd frames, and damage."""

from __future__ import annotations

import random
import struct

from fwengine.packets.encode import encode
from fwengine.traffic.notation import parse

PACKETS = [
    encode(parse(text), "ethernet")
    for text in (
        "tcp 198.51.100.7:40000 -> 192.0.2.80:443 flags syn", "tcp 198.51.100.8:40001 -> 192.0.2.80:22 flags syn",
        "udp 198.51.100.7:53 -> 192.0.2.1:53", "icmp 10.0.0.1 -> 192.0.2.1 type echo-request",
        "icmp 10.0.0.1 -> 198.51.100.1 type 3 code 1", "47 10.0.0.1 -> 192.0.2.77",
        "icmpv6 2001:db8::1 -> 2001:db8::2 type 128", "tcp [2001:db8::1]:1 -> [2001:db8::2]:25 flags syn",
    )
]  # fmt: skip
FRAMES = [
    *PACKETS, PACKETS[0][:30], PACKETS[0][:20], bytes(12) + b"\x08\x06" + bytes(28), PACKETS[0][:14] + b"\x41" + PACKETS[0][15:], b"",
]  # fmt: skip


def pcap(draw: random.Random, count: int) -> bytes:
    order, magic = draw.choice("<>"), draw.choice((0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34))
    major, minor = draw.choice(((2, 4), (2, 4), (2, 3), (2, 2)))
    out = [struct.pack(order + "IHHiIII", magic, major, minor, 0, 0, 65535, draw.choice((1, 1, 1, 117, 147)))]
    for number in range(count):
        frame = draw.choice(FRAMES)
        lengths = len(frame), len(frame) + draw.choice((0, 0, 9))
        lengths = lengths[::-1] if minor == 2 or (minor == 3 and draw.random() < 0.5) else lengths
        out.append(struct.pack(order + "IIII", number, draw.randrange(10**6), *lengths))
        out.append(bytes(8 if magic == 0xA1B2CD34 else 0) + frame)
    return b"".join(out)


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) & 3)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng(draw: random.Random, count: int) -> bytes:
    out, order, interfaces = [], "<", 0
    for number in range(count):
        if number == 0 or draw.random() < 0.05:
            order, interfaces = draw.choice("<>"), 0
            out.append(block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)))
        if not interfaces or draw.random() < 0.1:
            name = draw.choice((b"wan0", b"lan0", b"any"))
            options = struct.pack(order + "HH", 2, len(name)) + name + bytes(-len(name) & 3)
            options += struct.pack(order + "HHB3x", 9, 1, draw.choice((6, 9, 0x8A)))
            out.append(block(order, 1, struct.pack(order + "HHI", 1, 0, draw.choice((0, 60))) + options))
            interfaces += 1
        frame = draw.choice(FRAMES)
        match draw.randrange(5):
            case 0:
                out.append(block(order, 3, struct.pack(order + "I", len(frame)) + frame))
            case 1:
                out.append(block(order, 0x0BAD, bytes(draw.randrange(20))))
            case _:
                head = struct.pack(order + "IIIII", draw.randrange(interfaces), 1, number, len(frame), len(frame))
                out.append(block(order, 6, head + frame))
    return b"".join(out)


def damaged(draw: random.Random, data: bytes) -> bytes:
    match draw.randrange(4):
        case 0:
            return data[: draw.randrange(len(data) + 1)]
        case 1:
            at = draw.randrange(len(data))
            return data[:at] + draw.randbytes(draw.randrange(1, 9)) + data[at + 4 :]
        case _:
            return data


def made(seed: int) -> bytes:
    draw = random.Random(seed)
    return damaged(draw, draw.choice((pcap, pcapng))(draw, draw.randrange(1, 60)))
