"""IP packets made by hand, byte by byte, also such as no stack would send."""

from __future__ import annotations

import ipaddress
import struct

HERE4, THERE4 = bytes([10, 1, 0, 5]), bytes([10, 0, 0, 2])
HERE6, THERE6 = bytes.fromhex("20010db8" + "0" * 23 + "1"), bytes.fromhex("20010db8" + "0" * 23 + "2")


def checksum(data: bytes) -> int:
    """RFC 1071's."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def ip4(
    protocol: int,
    payload: bytes,
    *,
    total: int | None = None,
    offset: int = 0,
    more: bool = False,
    options: bytes = b"",
    ihl: int | None = None,
    tos: int = 0,
    ttl: int = 64,
    src: bytes = HERE4,
    dst: bytes = THERE4,
) -> bytes:
    """An IPv4 packet with a right header checksum; `offset` in units of 8 bytes."""
    words = 5 + len(options) // 4 if ihl is None else ihl
    length = 20 + len(options) + len(payload) if total is None else total
    fragment = offset | (0x2000 if more else 0)
    header = struct.pack(">BBHHHBBH", 0x40 | words, tos, length, 7, fragment, ttl, protocol, 0) + src + dst + options
    covered = header[: max(words * 4, 20)]
    return header[:10] + struct.pack(">H", checksum(covered)) + header[12:] + payload


def ip6(
    next_header: int,
    payload: bytes,
    *,
    length: int | None = None,
    hops: int = 64,
    traffic: int = 0,
    src: bytes = HERE6,
    dst: bytes = THERE6,
) -> bytes:
    """An IPv6 packet; `length` is what its header says of the payload."""
    said = len(payload) if length is None else length
    return struct.pack(">IHBB", 6 << 28 | traffic << 20, said, next_header, hops) + src + dst + payload


def tcp(sport: int = 40000, dport: int = 443, flags: int = 2, words: int = 5, options: bytes = b"") -> bytes:
    """A TCP header without a checksum: no filter looks at that."""
    return struct.pack(">HHIIBBHHH", sport, dport, 1, 0, words << 4, flags, 1024, 0, 0) + options


def udp(sport: int = 40000, dport: int = 443, payload: bytes = b"", length: int | None = None) -> bytes:
    """A UDP (or UDP-Lite) header and what it carries."""
    return struct.pack(">HHHH", sport, dport, 8 + len(payload) if length is None else length, 0) + payload


def sctp(sport: int = 40000, dport: int = 443, payload: bytes = b"") -> bytes:
    """An SCTP common header."""
    return struct.pack(">HHII", sport, dport, 0, 0) + payload


def dccp(sport: int = 40000, dport: int = 443, payload: bytes = b"", words: int = 4) -> bytes:
    """A DCCP header of a request, with a short sequence number."""
    return struct.pack(">HHBBHBBH", sport, dport, words, 0, 0, 0, 0, 0) + payload


def icmp(kind: int = 8, code: int = 0, rest: bytes = bytes(4)) -> bytes:
    """An ICMP or ICMPv6 message, without a checksum."""
    return bytes([kind, code, 0, 0]) + rest


def extension(next_header: int, body: bytes = bytes(6), *, length: int | None = None) -> bytes:
    """An IPv6 extension header in units of 8 bytes; `length` is what it says of its units, less one."""
    said = (2 + len(body)) // 8 - 1 if length is None else length
    return bytes([next_header, said]) + body


def authentication(next_header: int, words: int = 4, body: bytes = bytes(22)) -> bytes:
    """An AH: its length is in units of 4 bytes, less two."""
    return bytes([next_header, words]) + body


def fragment(next_header: int, offset: int = 0, *, more: bool = False) -> bytes:
    """An IPv6 fragment header; `offset` in units of 8 bytes."""
    return struct.pack(">BBHI", next_header, 0, offset << 3 | more, 7)


def ethernet(packet: bytes, target: bytes, source: bytes) -> bytes:
    """A frame that carries it."""
    return target + source + (b"\x86\xdd" if packet[:1] and packet[0] >> 4 == 6 else b"\x08\x00") + packet


def packed(text: str) -> bytes:
    """An address as it stands in a header."""
    return ipaddress.ip_address(text).packed
