"""Packet -> bytes, and packets -> capture files: what our own examples and tests are made of.

Knows neither policies nor the rule language. `wire.decode` reads back exactly the packet that was written, interfaces
and state aside, which no IP header carries. Lengths and checksums are right; a fragment is a part of a datagram whose
other part would be written just so. Files are deterministic: one packet a millisecond, from 1970 on.

Sources: RFC 791, 8200, 9293, 768, 792, 4443, 3828 (udplite), 4340 (dccp), 9260 (sctp, with CRC32c); and
draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from ..codes import UNREADABLE
from ..errors import CaptureError, PacketError
from ..model.fields import (
    DCCP,
    FRAGMENTS,
    ICMP,
    ICMPV6,
    LATER,
    PORT_PROTOCOLS,
    SCTP,
    STEPPED_THROUGH,
    TCP,
    UDP,
    UDPLITE,
    WHOLE,
)
from ..model.packet import Packet
from ..replacing import replaced
from . import pcapng
from .links import ETHERNET, RAW

Target = str | os.PathLike[str] | BinaryIO

_LINKS = {"ip": RAW, "ethernet": ETHERNET}
_MACS = bytes.fromhex("020000000002 020000000001")  # locally administered: destination, source
_HOP_LIMIT = 64
_LEAST = {TCP: 20, UDP: 8, UDPLITE: 8, DCCP: 12, SCTP: 12, ICMP: 8, ICMPV6: 8}  # bytes of a transport header
_FIRST_SIZE: Final = 24  # bytes of the datagram that its first fragment carries; the later one has the next 8
_LATER_SIZE: Final = 8
_NO_NEXT_HEADER: Final = 59
_CLIENT_PORT: Final = 49152
_SERVER_PORTS = {TCP: 80, UDP: 53, SCTP: 2905, DCCP: 5004, UDPLITE: 5004}
_SYN = 2
_ECHO_REQUEST = {ICMP: 8, ICMPV6: 128}
_SNAPLEN = 262_144


def encode(packet: Packet, link: str = "ip") -> bytes:
    """The packet as bytes that begin with the header of `link`, "ip" or "ethernet".

    Open ports become a client's 49152 and a server's usual one, open flags SYN, an open ICMP type an echo request; an open
    ttl 64, an open dscp 0, and an open length the shortest.

    Raises:
        PacketError: for an unknown link; for a whole packet or first fragment of IPv6 whose protocol is an extension
            header's number: it would be read on to what follows that header; for a length that cannot be.

    >>> encode(Packet.of("udp", "10.0.0.1", "10.0.0.2", sport=1024, dport=53)).hex()
    '4500001c00000000401166cf0a0000010a000002040000350008e7a6'
    """
    if link not in _LINKS:
        raise PacketError(f"unknown link type `{link}`: packets are written with `ip` or `ethernet`")
    later = packet.fragment == "later"
    if packet.family == 6 and packet.protocol in STEPPED_THROUGH and not later:
        raise PacketError(
            f"protocol {packet.protocol} is an IPv6 extension header: a packet ends with another protocol"
        )
    size = 4 if packet.family == 4 else 16
    src, dst = packet.src.to_bytes(size, "big"), packet.dst.to_bytes(size, "big")
    whole = packet.fragment == "whole"
    room = _room(packet)
    if whole:
        body, offset = _datagram(packet, src + dst, 0, room), 0
    elif later:
        body, offset = bytes(_LATER_SIZE if room is None else room), _FIRST_SIZE // 8
    else:
        size = _FIRST_SIZE if room is None else room
        body, offset = _datagram(packet, src + dst, size + _LATER_SIZE, size + _LATER_SIZE)[:size], 0
    more = packet.fragment == "first"
    tos, ttl = (packet.dscp or 0) << 2, _HOP_LIMIT if packet.ttl is None else packet.ttl
    if packet.family == 4:
        head = struct.pack(
            ">BBHHHBBH8s", 0x45, tos, 20 + len(body), 0, more << 13 | offset, ttl, packet.protocol, 0, src + dst
        )
        data = head[:10] + _checksum(head) + head[12:] + body
    else:
        following = packet.protocol
        if not whole:
            body = struct.pack(">BBHI", packet.protocol, 0, offset << 3 | more, 0) + body
            following = 44
        data = struct.pack(">IHBB", 6 << 28 | tos << 20, len(body), following, ttl) + src + dst + body
    if link == "ip":
        return data
    return _MACS + (b"\x08\x00" if packet.family == 4 else b"\x86\xdd") + data


def write_pcap(target: Target, packets: Iterable[Packet | bytes], link: str = "ethernet") -> int:
    """Writes packets, or frames that are bytes already, as a pcap file; returns how many.

    A file is complete or does not appear. Interfaces and states are not in a pcap: see `write_pcapng`.

    Raises:
        CaptureError: FW905 if it cannot be written.
        PacketError: as `encode`.
    """
    with _writer(target) as write:
        write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _SNAPLEN, _link(link)))
        count = 0
        for count, packet in enumerate(packets, 1):
            frame = packet if isinstance(packet, bytes) else encode(packet, link)
            seconds, milliseconds = divmod(count - 1, 1000)
            write(struct.pack("<IIII", seconds, milliseconds * 1000, len(frame), len(frame)) + frame)
    return count


def write_pcapng(target: Target, packets: Iterable[Packet], link: str = "ethernet") -> int:
    """Writes packets with the interface they came in by, or went out by, as a pcapng file; returns how many.

    A file is complete or does not appear. States are not in a capture. A packet without interfaces is written on one
    that has no name.

    Raises:
        CaptureError: FW905 if it cannot be written.
        PacketError: as `encode`, and for a packet with both interfaces, as a record has one.
    """
    number = _link(link)
    with _writer(target) as write:
        write(_block(pcapng.SECTION, struct.pack("<IHHq", pcapng.BYTE_ORDER, 1, 0, -1)))
        interfaces: dict[str, int] = {}
        count = 0
        for count, packet in enumerate(packets, 1):
            inbound, outbound = packet.in_interface or "", packet.out_interface or ""
            if inbound and outbound:
                raise PacketError(
                    f"a pcapng record has one interface, not both `{inbound}` and `{outbound}`: `{packet}`"
                )
            name = inbound or outbound
            if name not in interfaces:
                interfaces[name] = len(interfaces)
                options = _option(pcapng.IF_NAME, name.encode("utf-8", "replace")) + _option(0, b"") if name else b""
                write(_block(pcapng.INTERFACE, struct.pack("<HHI", number, 0, _SNAPLEN) + options))
            frame = encode(packet, link)
            options = b""
            if name:
                direction = pcapng.INBOUND if inbound else pcapng.OUTBOUND
                options = _option(pcapng.FLAGS, struct.pack("<I", direction)) + _option(0, b"")
            ticks = (count - 1) * 1000  # microseconds
            head = struct.pack("<IIIII", interfaces[name], ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
            write(_block(pcapng.ENHANCED, head + frame + bytes(-len(frame) & 3) + options))
    return count


def least_length(family: int, protocol: int, fragment: int) -> int:
    """The length of the shortest packet that is written: its headers, and a byte where nothing could be read otherwise."""
    head = 20 if family == 4 else 40 if fragment == WHOLE else 48
    if fragment != LATER and protocol in _LEAST:
        return head + _LEAST[protocol]
    return head + (family == 6 or fragment == LATER) * (fragment == LATER or protocol != _NO_NEXT_HEADER)


def _room(packet: Packet) -> int | None:
    """The bytes behind the IP headers, where the packet states its length."""
    if packet.length is None:
        return None
    least = least_length(packet.family, packet.protocol, FRAGMENTS.index(packet.fragment))
    most = 65535 if packet.family == 4 else 40 + 65535
    if not least <= packet.length <= most:
        raise PacketError(f"such a packet has a length from {least} to {most}, not {packet.length}: `{packet}`")
    return packet.length - (20 if packet.family == 4 else 40 if packet.fragment == "whole" else 48)


def _datagram(packet: Packet, addresses: bytes, least: int, room: int | None) -> bytes:
    """The transport header and so many zeros behind it that there are `least` bytes in all; `room` bytes, if that is given."""
    protocol = packet.protocol
    least = least if room is None else room
    if protocol in PORT_PROTOCOLS:
        ports = struct.pack(">HH", *_ports(packet))
        if protocol == TCP:
            flags = _SYN if packet.flags is None else packet.flags
            head, at = ports + struct.pack(">IIBBHHH", 0, 0, 5 << 4, flags, 0xFFFF, 0, 0), 16
        elif protocol == UDP:
            head, at = ports + struct.pack(">HH", min(max(8, least), 65535), 0), 6
        elif protocol == UDPLITE:
            head, at = ports + bytes(4), 6  # a coverage of 0 is the whole datagram
        elif protocol == DCCP:  # a Request with 48-bit sequence number 1 and service code 0
            head, at = ports + struct.pack(">BBHBBHII", 5, 0, 0, 1, 0, 0, 1, 0), 6
        else:  # sctp: an INIT, zeros behind it being what a fragment's datagram carries on with
            init = struct.pack(">BBHIIHHI", 1, 0, min(max(32, least) - 12, 65535), 1, 0xFFFF, 1, 1, 1)
            data = _filled(ports + bytes(8) + init, least, room)
            return data[:8] + struct.pack("<I", _crc32c(data)) + data[12:]
    elif protocol == (ICMP if packet.family == 4 else ICMPV6):
        kind = _ECHO_REQUEST[protocol] if packet.icmp_type is None else packet.icmp_type
        head, at = struct.pack(">BBHI", kind, packet.icmp_code or 0, 0, 0), 2
    elif protocol == _NO_NEXT_HEADER and packet.family == 6:
        return bytes(least)
    else:
        return bytes(max(8, least) if room is None else room)
    data = _filled(head, least, room)
    pseudo = b"" if protocol == ICMP else addresses + struct.pack(">II", len(data), protocol)
    checksum = _checksum(pseudo + data)
    if checksum == b"\0\0" and protocol in (UDP, UDPLITE):  # zero would say "none"
        checksum = b"\xff\xff"
    return data[:at] + checksum + data[at + 2 :]


def _filled(head: bytes, least: int, room: int | None) -> bytes:
    """A header with zeros behind it, cut where there is less room than it takes."""
    data = head + bytes(max(0, least - len(head)))
    return data if room is None else data[:room]


def _ports(packet: Packet) -> tuple[int, int]:
    sport, dport = packet.sport, packet.dport
    server = _SERVER_PORTS[packet.protocol]
    if sport is None:
        sport = server if dport is not None and dport >= _CLIENT_PORT else _CLIENT_PORT
    if dport is None:
        dport = server if sport >= _CLIENT_PORT else _CLIENT_PORT
    return sport, dport


def _checksum(data: bytes) -> bytes:
    """The Internet checksum (RFC 1071)."""
    data += bytes(len(data) & 1)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", total ^ 0xFFFF)


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _link(link: str) -> int:
    if link not in _LINKS:
        raise PacketError(f"unknown link type `{link}`: captures are written with `ip` or `ethernet`")
    return _LINKS[link]


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) & 3)


@contextmanager
def _writer(target: Target) -> Iterator[Callable[[bytes], object]]:
    """A `write` for a stream, or for a file that appears under its name only when all is written."""
    if not isinstance(target, str | os.PathLike):
        yield target.write
        return
    try:
        with replaced(target) as stream:
            yield stream.write
    except OSError as error:
        raise CaptureError(
            UNREADABLE, os.fspath(target), f"cannot be written: {str(error.strerror or error).lower()}"
        ) from None
