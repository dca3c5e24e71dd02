"""Bytes -> points, on frames built here by hand: independent of `packets.synthetic`."""

from __future__ import annotations

import random
import struct
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.work import lines

from fwengine.errors import PacketError
from fwengine.model.address import V6_BASE
from fwengine.model.box import Box
from fwengine.model.fields import (
    DPORT,
    DSCP,
    DST,
    FRAGMENT,
    FULL,
    IN,
    OUT,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    STEPPED_THROUGH,
    TYPE,
    Point,
    interface_number,
)
from fwengine.model.interval import IntervalSet
from fwengine.packets.links import LINK_TYPES, is_outgoing, is_supported, locate
from fwengine.packets.wire import UNDECODED, decode, decode_any, decode_packet, known
from fwengine.traffic.codec import Packet

A4, B4 = 0x0A000001, 0xC0000250
A6, B6 = 0x20010DB8 << 96 | 1, 0x20010DB8 << 96 | 2
TCP_SYN = struct.pack(">HHIIBBHHH", 1029, 80, 7, 0, 0x50, 2, 1000, 0, 0)
UDP_DNS = struct.pack(">HHHH", 5353, 53, 8, 0)
PING = struct.pack(">BBHHH", 8, 0, 0, 1, 1)
MACS = bytes(range(12))

NP, NT, NF = 65536, 256, 256


def ip4(
    body: bytes = TCP_SYN, protocol: int = 6, *, options: bytes = b"", total: int | None = None, frag: int = 0
) -> bytes:
    words = 5 + len(options) // 4
    length = words * 4 + len(body) if total is None else total
    head = struct.pack(">BBHHHBBHII", 0x40 | words, 0, length, 1, frag, 64, protocol, 0, A4, B4)
    return head + options + body


def ip6(body: bytes = TCP_SYN, following: int = 6, *, payload: int | None = None) -> bytes:
    length = len(body) if payload is None else payload
    return struct.pack(">IHBB", 6 << 28, length, following, 64) + A6.to_bytes(16, "big") + B6.to_bytes(16, "big") + body


def ext(following: int, size: int = 8) -> bytes:
    """An extension header of the common form; as options, six bytes of padding."""
    return bytes([following, size // 8 - 1]) + bytes(size - 2)


def frag6(following: int, offset: int, more: int) -> bytes:
    return struct.pack(">BBHI", following, 0, offset << 3 | more, 99)


def authentication(following: int, size: int = 24) -> bytes:
    return bytes([following, size // 4 - 2]) + bytes(size - 2)


def ether(body: bytes, ethertype: int = 0x0800) -> bytes:
    return MACS + struct.pack(">H", ethertype) + body


def point(
    protocol: int = 6,
    ports: tuple[int, int] = (1029, 80),
    *,
    icmp: tuple[int, int] = (NT, NT),
    flags: int = NF,
    fragment: int = 0,
    family: int = 4,
) -> Point:
    src, dst = (A4, B4) if family == 4 else (V6_BASE + A6, V6_BASE + B6)
    return (protocol, src, dst, *ports, *icmp, flags, fragment, 0, 0, 0)


NONE = (NP, NP)
SYN4 = point(flags=2)
SYN6 = point(flags=2, family=6)
LATER4 = point(6, NONE, fragment=2)


def read(data: bytes, link: int = 101, wire_length: int | None = None) -> Point | str:
    """What `decode` says, which must be what the long way says, for bytes and memoryviews alike."""
    wire = len(data) if wire_length is None else wire_length
    answer = decode(data, link, wire)
    assert answer == decode_any(data, link, wire) == decode(memoryview(data), link, wire)
    return answer if isinstance(answer, str) else answer[:DSCP]  # what is behind has tests of its own: test_details.py


# --- the links


def vlan(ethertype: int, tag: int = 5) -> bytes:
    return struct.pack(">HH", tag, ethertype)


def label(bottom: int) -> bytes:
    return struct.pack(">I", 77 << 12 | bottom << 8 | 64)


def pppoe(protocol: bytes, body: bytes, code: int = 0) -> bytes:
    return struct.pack(">BBHH", 0x11, code, 3, len(protocol + body)) + protocol + body


def cooked(protocol: int, body: bytes, kind: int = 0, hardware: int = 1) -> bytes:
    return struct.pack(">HHH8sH", kind, hardware, 6, MACS[:8], protocol) + body


def cooked2(protocol: int, body: bytes, kind: int = 0, hardware: int = 1) -> bytes:
    return struct.pack(">HHIHBB8s", protocol, 0, 3, hardware, kind, 6, MACS[:8]) + body


SNAP = b"\xaa\xaa\x03\0\0\0"

LINKS: list[tuple[str, int, bytes, Point | str]] = [
    ("ethernet, IPv4", 1, ether(ip4()), SYN4),
    ("ethernet, IPv6", 1, ether(ip6(), 0x86DD), SYN6),
    ("ethernet, ARP", 1, ether(bytes(28), 0x0806), "not-ip"),
    ("ethernet type 0800 with IPv6 inside", 1, ether(ip6()), "malformed"),
    ("ethernet type 86dd with IPv4 inside", 1, ether(ip4(), 0x86DD), "malformed"),
    ("ethernet, runt", 1, MACS, "malformed"),
    ("ethernet, nothing", 1, b"", "malformed"),
    ("ethernet, no header behind the type", 1, ether(b""), "malformed"),
    ("vlan", 1, ether(vlan(0x0800) + ip4(), 0x8100), SYN4),
    ("vlan, IPv6", 1, ether(vlan(0x86DD) + ip6(), 0x8100), SYN6),
    ("vlan, ARP", 1, ether(vlan(0x0806) + bytes(28), 0x8100), "not-ip"),
    ("qinq", 1, ether(vlan(0x8100) + vlan(0x0800) + ip4(), 0x88A8), SYN4),
    ("old qinq", 1, ether(vlan(0x8100) + vlan(0x0800) + ip4(), 0x9100), SYN4),
    ("vlan, cut", 1, ether(b"\0\1", 0x8100), "malformed"),
    ("vlan, LLC and SNAP", 1, ether(vlan(70) + SNAP + b"\x08\0" + ip4(), 0x8100), SYN4),
    ("mpls", 1, ether(label(1) + ip4(), 0x8847), SYN4),
    ("mpls multicast, two labels, IPv6", 1, ether(label(0) + label(1) + ip6(), 0x8848), SYN6),
    ("mpls, a pseudowire", 1, ether(label(1) + bytes(40), 0x8847), "not-ip"),
    ("mpls, cut", 1, ether(b"\0\1", 0x8847), "malformed"),
    ("mpls, nothing behind the stack", 1, ether(label(1), 0x8847), "malformed"),
    ("vlan, mpls", 1, ether(vlan(0x8847) + label(1) + ip4(), 0x8100), SYN4),
    ("pppoe", 1, ether(pppoe(b"\0\x21", ip4()), 0x8864), SYN4),
    ("pppoe, IPv6, short protocol", 1, ether(pppoe(b"\x57", ip6()), 0x8864), SYN6),
    ("pppoe, LCP", 1, ether(pppoe(b"\xc0\x21", bytes(8)), 0x8864), "not-ip"),
    ("pppoe, no session data", 1, ether(pppoe(b"\0\x21", ip4(), code=7), 0x8864), "not-ip"),
    ("pppoe discovery", 1, ether(pppoe(b"", ip4(), code=9), 0x8863), "not-ip"),
    ("pppoe, cut", 1, ether(b"\x11\0", 0x8864), "malformed"),
    ("pppoe, protocol cut", 1, ether(pppoe(b"\0", b""), 0x8864), "malformed"),
    ("vlan, pppoe", 1, ether(vlan(0x8864) + pppoe(b"\0\x21", ip4()), 0x8100), SYN4),
    ("802.3, SNAP", 1, ether(SNAP + b"\x08\0" + ip4(), 48), SYN4),
    ("802.3, SNAP, IPv6", 1, ether(SNAP + b"\x86\xdd" + ip6(), 68), SYN6),
    ("802.3, SNAP, vlan", 1, ether(SNAP + b"\x81\0" + vlan(0x0800) + ip4(), 52), SYN4),
    ("802.3, SNAP of Cisco", 1, ether(b"\xaa\xaa\x03\0\0\x0c\x08\0" + ip4(), 48), "not-ip"),
    ("802.3, SNAP, no ethertype", 1, ether(SNAP + b"\0\x08" + ip4(), 48), "not-ip"),
    ("802.3, LLC of IP", 1, ether(b"\x06\x06\x03" + ip4(), 43), SYN4),
    ("802.3, spanning tree", 1, ether(b"\x42\x42\x03" + bytes(35), 38), "not-ip"),
    ("802.3, LLC cut", 1, ether(b"\xaa", 1), "malformed"),
    ("802.3, SNAP cut", 1, ether(b"\xaa\xaa\x03\0", 4), "malformed"),
    ("between length and type", 1, ether(ip4(), 1501), "not-ip"),
    ("raw, IPv4", 101, ip4(), SYN4),
    ("raw, IPv6", 101, ip6(), SYN6),
    ("raw, BSD's number", 12, ip4(), SYN4),
    ("raw, OpenBSD's number", 14, ip6(), SYN6),
    ("raw, version 5", 101, b"\x55" + ip4()[1:], "malformed"),
    ("raw, nothing", 101, b"", "malformed"),
    ("raw4", 228, ip4(), SYN4),
    ("raw4, IPv6", 228, ip6(), "malformed"),
    ("raw6", 229, ip6(), SYN6),
    ("raw6, IPv4", 229, ip4(), "malformed"),
    ("null, little", 0, b"\2\0\0\0" + ip4(), SYN4),
    ("null, big", 0, b"\0\0\0\2" + ip4(), SYN4),
    ("null, IPv6 of Linux", 0, b"\x0a\0\0\0" + ip6(), SYN6),
    ("null, IPv6 of OpenBSD", 0, b"\x18\0\0\0" + ip6(), SYN6),
    ("null, IPv6 of FreeBSD", 0, b"\x1c\0\0\0" + ip6(), SYN6),
    ("null, IPv6 of Darwin, big", 0, b"\0\0\0\x1e" + ip6(), SYN6),
    ("null, AppleTalk", 0, b"\x10\0\0\0" + bytes(40), "not-ip"),
    ("null, nothing", 0, b"", "malformed"),
    ("loop", 108, b"\0\0\0\x18" + ip6(), SYN6),
    ("cooked", 113, cooked(0x0800, ip4()), SYN4),
    ("cooked, vlan", 113, cooked(0x8100, vlan(0x86DD) + ip6()), SYN6),
    ("cooked, LLC", 113, cooked(4, SNAP + b"\x08\0" + ip4()), SYN4),
    ("cooked, Novell", 113, cooked(1, bytes(40)), "not-ip"),
    ("cooked, netlink", 113, cooked(4, b"\x06\x06\x03" + ip4(), hardware=824), "not-ip"),
    ("cooked, cut", 113, bytes(15), "malformed"),
    ("cooked 2", 276, cooked2(0x86DD, ip6()), SYN6),
    ("cooked 2, cut", 276, bytes(19), "malformed"),
    ("ppp", 9, b"\xff\x03\0\x21" + ip4(), SYN4),
    ("ppp, compressed", 9, b"\x21" + ip4(), SYN4),
    ("ppp, no address", 9, b"\0\x57" + ip6(), SYN6),
    ("ppp, address, short protocol", 9, b"\xff\x03\x57" + ip6(), SYN6),
    ("ppp, mpls", 9, b"\xff\x03\x02\x81" + label(1) + ip4(), SYN4),
    ("ppp, IPCP", 9, b"\xff\x03\x80\x21" + bytes(10), "not-ip"),
    ("ppp, cut", 9, b"\xff\x03\0", "malformed"),
    ("ppp, nothing", 9, b"", "malformed"),
    ("ppp serial", 50, b"\xff\x03\0\x21" + ip4(), SYN4),
    ("ppp serial, Cisco", 50, b"\x0f\0\x08\0" + ip4(), SYN4),
    ("ppp serial, nothing", 50, b"", "malformed"),
    ("hdlc", 104, b"\x8f\0\x86\xdd" + ip6(), SYN6),
    ("hdlc, keepalive", 104, b"\x8f\0\x80\x35" + bytes(20), "not-ip"),
    ("hdlc, small number", 104, b"\x8f\0\0\x08" + ip4(), "not-ip"),
    ("hdlc, cut", 104, b"\x8f\0\x80", "malformed"),
    ("pppoe without ethernet", 51, pppoe(b"\0\x21", ip4()), SYN4),
]


@pytest.mark.parametrize(("link", "data", "expected"), [case[1:] for case in LINKS], ids=[case[0] for case in LINKS])
def test_link(link: int, data: bytes, expected: Point | str) -> None:
    assert read(data, link) == expected
    if isinstance(expected, tuple):  # what is cut off behind the flags, six bytes before the end, is not missed
        for captured in range(len(data) - 6):
            assert read(data[:captured], link, len(data)) == "truncated"
            assert read(data[:captured], link, captured) in ("truncated", "malformed")


def test_what_a_link_says_of_direction() -> None:
    assert is_outgoing(cooked(0x0800, ip4(), kind=4), 113)
    assert not is_outgoing(cooked(0x0800, ip4(), kind=0), 113)
    assert is_outgoing(cooked2(0x0800, ip4(), kind=4), 276)
    assert not is_outgoing(cooked2(0x0800, ip4(), kind=3), 276)
    assert not is_outgoing(b"\0", 113)
    assert not is_outgoing(bytes(10), 276)
    assert not is_outgoing(ether(ip4()), 1)


def test_supported_links() -> None:
    assert all(is_supported(number) for number in LINK_TYPES.values())
    assert not is_supported(249)
    assert locate(b"", 249, 0) == "not-ip"


@pytest.mark.parametrize(
    ("ethertype", "tag"),
    [(0x8100, vlan(0x8100)), (0x8847, label(0)), (0x8864, pppoe(b"\0\x21", b""))],
    ids=["vlan", "mpls", "pppoe"],
)
def test_sixteen_tags_are_stepped_through_and_no_more(ethertype: int, tag: bytes) -> None:
    last = {0x8100: vlan(0x0800), 0x8847: label(1), 0x8864: tag}[ethertype]
    depth = 1 if ethertype == 0x8864 else 16  # a PPPoE session carries no second one
    assert read(ether(tag * (depth - 1) + last + ip4(), ethertype), 1) == SYN4
    assert read(ether(vlan(0x8100) * 15 + vlan(ethertype) + last + ip4(), 0x8100), 1) == "malformed"
    assert read(ether(vlan(0x8100) * 1000, 0x8100), 1) == "malformed"


# --- IPv4

OPTIONS = b"\x94\x04\0\0" * 2

IPV4: list[tuple[str, bytes, Point | str]] = [
    ("tcp", ip4(), SYN4),
    ("udp", ip4(UDP_DNS, 17), point(17, (5353, 53))),
    ("udplite", ip4(UDP_DNS, 136), point(136, (5353, 53))),
    ("sctp", ip4(UDP_DNS + bytes(4), 132), point(132, (5353, 53))),
    ("dccp", ip4(UDP_DNS + bytes(4), 33), point(33, (5353, 53))),
    ("icmp", ip4(PING, 1), point(1, NONE, icmp=(8, 0))),
    ("icmp of eight bytes", ip4(PING[:8], 1), point(1, NONE, icmp=(8, 0))),
    # xt_tcpudp's icmp_match takes a whole icmphdr or drops the packet (field case D)
    ("icmp of seven bytes", ip4(PING[:7], 1), "malformed"),
    ("icmp of four bytes", ip4(PING[:4], 1), "malformed"),
    ("first fragment of icmp, four bytes", ip4(PING[:4], 1, frag=0x2000), "malformed"),
    ("gre", ip4(bytes(4), 47), point(47, NONE)),
    ("a protocol and nothing else", ip4(b"", 47), point(47, NONE)),
    ("protocol 0", ip4(b"", 0), point(0, NONE)),
    ("icmpv6 in IPv4 has no type", ip4(PING, 58), point(58, NONE)),
    ("AH in IPv4 is not walked", ip4(authentication(6) + TCP_SYN, 51), point(51, NONE)),
    ("a tunnel: the outer header", ip4(ip4(), 4), point(4, NONE)),
    ("options", ip4(options=OPTIONS), SYN4),
    ("most options", ip4(options=bytes(40)), SYN4),
    ("all flags", ip4(TCP_SYN[:13] + b"\xff" + TCP_SYN[14:]), point(flags=255)),
    ("ports 0", ip4(bytes(4) + TCP_SYN[4:]), point(ports=(0, 0), flags=2)),
    ("tcp options", ip4(TCP_SYN[:12] + b"\x60" + TCP_SYN[13:] + bytes(4)), SYN4),
    ("don't fragment", ip4(frag=0x4000), SYN4),
    ("the reserved flag", ip4(frag=0x8000), SYN4),
    ("first fragment", ip4(frag=0x2000), point(flags=2, fragment=1)),
    ("first fragment of udp", ip4(UDP_DNS, 17, frag=0x2000), point(17, (5353, 53), fragment=1)),
    ("first fragment of icmp", ip4(PING, 1, frag=0x2000), point(1, NONE, icmp=(8, 0), fragment=1)),
    ("later fragment", ip4(frag=0x2002), LATER4),
    # RFC 1858 section 3.2.2, RFC 3128; xt_tcpudp's tcp_mt drops it
    ("tcp fragment at byte 8", ip4(frag=1), "tiny-fragment"),
    ("tcp fragment at byte 8, more to come", ip4(frag=0x2001), "tiny-fragment"),
    ("tcp fragment at byte 8, empty", ip4(b"", frag=1), "tiny-fragment"),
    ("udp fragment at byte 8", ip4(UDP_DNS, 17, frag=1), point(17, NONE, fragment=2)),
    ("sctp fragment at byte 8", ip4(bytes(16), 132, frag=1), point(132, NONE, fragment=2)),
    ("icmp fragment at byte 8", ip4(PING, 1, frag=1), point(1, NONE, fragment=2)),
    ("last fragment", ip4(frag=0x1FFF), LATER4),
    ("later fragment of one byte", ip4(b"x", frag=2), LATER4),
    ("later fragment of icmp", ip4(PING, 1, frag=7), point(1, NONE, fragment=2)),
    ("later fragment with options", ip4(options=OPTIONS, frag=7), LATER4),
    ("first fragment, tcp header cut", ip4(TCP_SYN[:8], frag=0x2000), "malformed"),
    ("first fragment, ports cut", ip4(TCP_SYN[:3], frag=0x2000), "malformed"),
    ("version 5", b"\x55" + ip4()[1:], "malformed"),
    ("version 0", b"\x05" + ip4()[1:], "malformed"),
    ("header length 4", b"\x44" + ip4()[1:], "malformed"),
    ("header length 0", b"\x40" + ip4()[1:], "malformed"),
    ("short header", ip4()[:19], "malformed"),
    ("tcp of 19 bytes", ip4(TCP_SYN[:19]), "malformed"),
    ("tcp of 19 bytes, then padding", ip4(TCP_SYN, total=39), "malformed"),
    ("tcp offset 4", ip4(TCP_SYN[:12] + b"\x40" + TCP_SYN[13:]), "malformed"),
    ("tcp offset beyond the packet", ip4(TCP_SYN[:12] + b"\x60" + TCP_SYN[13:]), "malformed"),
    ("udp of 7 bytes", ip4(UDP_DNS[:7], 17), "malformed"),
    ("sctp of 11 bytes", ip4(bytes(11), 132), "malformed"),
    ("dccp of 11 bytes", ip4(bytes(11), 33), "malformed"),
    ("udplite of 7 bytes", ip4(bytes(7), 136), "malformed"),
    ("icmp of 3 bytes", ip4(PING[:3], 1), "malformed"),
    ("tcp and no transport header", ip4(b""), "malformed"),
    ("total length 0: segmentation offload", ip4(total=0), SYN4),
    # net/ipv4/ip_input.c, ip_rcv_core: dropped before any rule (field case C)
    ("total length 1", ip4(total=1), "malformed"),
    ("total length 19", ip4(total=19), "malformed"),
    ("total length 19, a protocol without a header", ip4(bytes(8), 47, total=19), "malformed"),
    ("total length 20, a protocol without a header", ip4(bytes(8), 47, total=20), point(47, NONE)),
    ("total length below a header with options", ip4(options=OPTIONS, total=20), "malformed"),
    ("total length below a header with options, gre", ip4(b"", 47, options=OPTIONS, total=27), "malformed"),
    ("total length below a header with options, fragment", ip4(options=OPTIONS, total=20, frag=9), "malformed"),
    ("total length beyond the frame by one byte", ip4(total=41), "malformed"),
    ("total length 0, later fragment", ip4(total=0, frag=9), LATER4),
    ("total length 0, no transport header", ip4(b"", total=0), "malformed"),
    ("total length 0, header beyond the frame", b"\x4f" + ip4(TCP_SYN, 47, total=0)[1:], "malformed"),
    ("padding", ip4() + bytes(20), SYN4),
    ("udp, padded to Ethernet's least", ip4(UDP_DNS, 17) + bytes(18), point(17, (5353, 53))),
    ("total length beyond the frame", ip4(total=1500), "malformed"),
    ("total length beyond the frame, later fragment", ip4(total=1500, frag=9), "malformed"),
    ("total length beyond the frame, options missing", b"\x4f" + ip4(b"", 47, total=1500)[1:], "malformed"),
    ("total length beyond the frame, ports missing", ip4(b"", total=1500), "malformed"),
]


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in IPV4], ids=[case[0] for case in IPV4])
def test_ipv4(data: bytes, expected: Point | str) -> None:
    assert read(data) == expected
    assert read(ether(data), 1) == expected
    assert read(ether(vlan(0x0800) + data, 0x8100), 1) == expected


# --- IPv6

FIRST6 = point(flags=2, fragment=1, family=6)
LATER6 = point(6, NONE, fragment=2, family=6)

IPV6: list[tuple[str, bytes, Point | str]] = [
    ("tcp", ip6(), SYN6),
    ("udp", ip6(UDP_DNS, 17), point(17, (5353, 53), family=6)),
    ("icmpv6", ip6(b"\x80\x01\0\0\0\0\0\0", 58), point(58, NONE, icmp=(128, 1), family=6)),
    ("icmpv6 of seven bytes", ip6(bytes(7), 58), "malformed"),  # ip6_tables.c, icmp6_match, as for icmp
    ("icmp in IPv6 has no type", ip6(PING, 1), point(1, NONE, family=6)),
    ("esp ends the walk", ip6(bytes(16), 50), point(50, NONE, family=6)),
    ("no next header", ip6(b"", 59), point(59, NONE, family=6)),
    ("no next header, bytes behind it", ip6(bytes(8), 59), point(59, NONE, family=6)),
    ("experimental headers are not walked", ip6(ext(6) + TCP_SYN, 253), point(253, NONE, family=6)),
    ("an IPv4 tunnel: the outer header", ip6(ip4(), 4), point(4, NONE, family=6)),
    ("hop-by-hop", ip6(ext(6) + TCP_SYN, 0), SYN6),
    ("hop-by-hop behind others", ip6(ext(0) + ext(6) + TCP_SYN, 60), SYN6),
    ("routing, long", ip6(ext(6, 40) + TCP_SYN, 43), SYN6),
    ("destination options", ip6(ext(6) + TCP_SYN, 60), SYN6),
    # no filter of Linux steps through these, nor does tcpdump's `tcp` (field case A)
    ("mobility is a protocol", ip6(ext(6) + TCP_SYN, 135), point(135, NONE, family=6)),
    ("mobility with no next header", ip6(ext(59), 135), point(135, NONE, family=6)),
    ("mobility behind options", ip6(ext(135) + ext(6) + TCP_SYN, 60), point(135, NONE, family=6)),
    ("HIP is a protocol", ip6(ext(6, 40) + TCP_SYN, 139), point(139, NONE, family=6)),
    ("shim6 is a protocol", ip6(ext(6) + TCP_SYN, 140), point(140, NONE, family=6)),
    ("mobility of no bytes", ip6(b"", 135), point(135, NONE, family=6)),
    ("authentication", ip6(authentication(6) + TCP_SYN, 51), SYN6),
    ("all of them", ip6(ext(60) + ext(43) + ext(44) + frag6(51, 0, 0) + authentication(6) + TCP_SYN, 0), SYN6),
    ("a header and no next", ip6(ext(59), 0), point(59, NONE, family=6)),
    ("atomic fragment", ip6(frag6(6, 0, 0) + TCP_SYN, 44), SYN6),
    ("first fragment", ip6(frag6(6, 0, 1) + TCP_SYN, 44), FIRST6),
    ("later fragment", ip6(frag6(6, 1, 1) + TCP_SYN, 44), LATER6),
    ("last fragment", ip6(frag6(6, 0x1FFF, 0) + TCP_SYN, 44), LATER6),
    ("later fragment, empty", ip6(frag6(6, 5, 0), 44), LATER6),
    ("later fragment of options", ip6(frag6(60, 5, 0) + bytes(8), 44), point(60, NONE, fragment=2, family=6)),
    ("later fragment behind a routing header", ip6(ext(44) + frag6(6, 5, 0) + TCP_SYN, 43), LATER6),
    ("first fragment, options behind", ip6(frag6(60, 0, 1) + ext(6) + TCP_SYN, 44), FIRST6),
    ("reserved bits of the fragment header", ip6(b"\x06\xff\0\x06\0\0\0\1" + TCP_SYN, 44), SYN6),
    ("first fragment without its chain", ip6(frag6(60, 0, 1), 44), "malformed"),
    ("first fragment, chain cut", ip6(frag6(60, 0, 1) + ext(6), 44), "malformed"),
    ("first fragment, chain cut within a header", ip6(frag6(60, 0, 1) + ext(6, 16)[:8], 44), "malformed"),
    ("first fragment, tcp header cut", ip6(frag6(6, 0, 1) + TCP_SYN[:16], 44), "malformed"),
    ("short header", ip6()[:39], "malformed"),
    ("version 4", b"\x40" + ip6()[1:40], "malformed"),
    ("a header beyond the payload", ip6(ext(6), 60, payload=4), "malformed"),
    ("a header of no bytes", ip6(b"", 60), "malformed"),
    ("a chain that runs out", ip6(ext(47, 16)[:8], 60), "malformed"),
    ("a fragment header cut", ip6(frag6(6, 0, 0)[:4], 44), "malformed"),
    ("tcp of 19 bytes", ip6(TCP_SYN[:19]), "malformed"),
    ("tcp of 19 bytes, then padding", ip6(payload=19), "malformed"),
    ("icmpv6 of no bytes, then padding", ip6(bytes(6), 58, payload=0), "malformed"),
    # net/ipv6/ip6_input.c, ip6_rcv_core: what is behind is cut off, unless there are hop-by-hop options
    ("payload length 0, tcp behind", ip6(payload=0), "malformed"),
    ("payload length 0, icmpv6 behind", ip6(PING, 58, payload=0), "malformed"),
    ("payload length 0, no next header", ip6(bytes(6), 59, payload=0), point(59, NONE, family=6)),
    ("payload length 0, gre", ip6(bytes(8), 47, payload=0), point(47, NONE, family=6)),
    ("payload length 0, nothing behind", ip6(b""), "malformed"),
    ("payload length 0, options behind", ip6(ext(6) + TCP_SYN, 60, payload=0), "malformed"),
    ("payload length 0, hop-by-hop options, no jumbogram", ip6(ext(6) + TCP_SYN, 0, payload=0), "malformed"),
    ("jumbogram", ip6(b"\x06\0\xc2\x04\0\1\0\0" + TCP_SYN + bytes(65516), 0, payload=0), "malformed"),
    ("jumbo option beside a payload length", ip6(b"\x06\0\xc2\x04\0\1\0\0" + TCP_SYN, 0), "malformed"),
    # net/ipv6/exthdrs.c, ip6_parse_tlv, which a receiver applies to hop-by-hop options before any rule
    ("hop-by-hop, an unknown option to skip", ip6(b"\x06\0\x1e\x04abcd" + TCP_SYN, 0), SYN6),
    ("hop-by-hop, an unknown option to drop for", ip6(b"\x06\0\x5e\x04abcd" + TCP_SYN, 0), "malformed"),
    ("hop-by-hop, one to complain of", ip6(b"\x06\0\x9e\x04abcd" + TCP_SYN, 0), "malformed"),
    ("hop-by-hop, one to complain of, not to groups", ip6(b"\x06\0\xde\x04abcd" + TCP_SYN, 0), "malformed"),
    ("destination options are not looked at", ip6(b"\x06\0\xde\x04abcd" + TCP_SYN, 60), SYN6),
    ("hop-by-hop behind others is not looked at", ip6(ext(0) + b"\x06\0\xde\x04abcd" + TCP_SYN, 60), SYN6),
    ("hop-by-hop, router alert", ip6(b"\x06\0\5\2\0\0\0\0" + TCP_SYN, 0), SYN6),
    ("hop-by-hop, router alert of three bytes", ip6(b"\x06\0\5\3\0\0\0\0" + TCP_SYN, 0), "malformed"),
    ("hop-by-hop, an option too long", ip6(b"\x06\0\1\5\0\0\0\0" + TCP_SYN, 0), "malformed"),
    ("hop-by-hop, an option without a length", ip6(b"\x06\0\1\3\0\0\0\1" + TCP_SYN, 0), "malformed"),
    ("hop-by-hop, padding that is not zero", ip6(b"\x06\0\1\4\0\0\0\1" + TCP_SYN, 0), "malformed"),
    ("hop-by-hop, seven bytes of padding", ip6(b"\x06\1\x1e\5abcde\1\5\0\0\0\0\0" + TCP_SYN, 0), SYN6),
    ("hop-by-hop, fourteen bytes of padding", ip6(ext(6, 16) + TCP_SYN, 0), "malformed"),
    ("hop-by-hop, padding on both sides", ip6(b"\x06\1" + bytes(6) + b"\x1e\0" + bytes(6) + TCP_SYN, 0), SYN6),
    ("padding", ip6() + bytes(20), SYN6),
    ("payload length beyond the frame", ip6(payload=1400), "malformed"),
    ("payload length beyond the frame by one byte", ip6(payload=21), "malformed"),
    ("payload length beyond the frame, header missing", ip6(b"", 60, payload=1400), "malformed"),
    ("payload length beyond the frame, no next header", ip6(b"", 59, payload=1), "malformed"),
]


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in IPV6], ids=[case[0] for case in IPV6])
def test_ipv6(data: bytes, expected: Point | str) -> None:
    assert read(data) == expected
    assert read(ether(data, 0x86DD), 1) == expected


def test_a_mapped_address_is_an_ipv6_address() -> None:
    data = bytearray(ip6())
    data[8:24] = bytes(10) + b"\xff\xff\x0a\0\0\1"
    found = read(bytes(data))
    assert isinstance(found, tuple)
    assert found[1] == V6_BASE + 0xFFFF0A000001


# --- captured in part


@pytest.mark.parametrize(
    ("data", "link", "need"),
    [
        (ether(ip4()), 1, 14 + 20 + 14),
        (ether(ip4(options=OPTIONS)), 1, 14 + 28 + 14),
        (ether(ip4(bytes(8), 47, options=OPTIONS)), 1, 14 + 20),
        (ether(ip4(options=OPTIONS, frag=9)), 1, 14 + 20),
        (ether(ip4(UDP_DNS, 17)), 1, 14 + 20 + 4),
        (ether(ip4(PING, 1)), 1, 14 + 20 + 2),
        (ether(ip4(bytes(8), 47)), 1, 14 + 20),
        (ether(ip4(frag=9)), 1, 14 + 20),
        (ether(ip4(total=0)), 1, 14 + 20 + 14),
        (ether(ip6(), 0x86DD), 1, 14 + 40 + 14),
        (ip6(ext(6, 16) + TCP_SYN, 60), 101, 40 + 16 + 14),
        (ip6(ext(47, 16) + bytes(8), 60), 101, 40 + 2),
        (ip6(frag6(6, 9, 0) + TCP_SYN, 44), 101, 44),
        (ip6(bytes(8), 47), 101, 40),
        (ip6(PING, 58), 101, 42),
        (cooked(0x0800, ip4(UDP_DNS, 17)), 113, 16 + 24),
    ],
)
def test_a_packet_captured_in_part(data: bytes, link: int, need: int) -> None:
    """Up to the last byte that the answer needs it is truncated, from there on the answer is that of the whole."""
    whole = read(data, link)
    assert isinstance(whole, tuple)
    for captured in range(len(data) + 1):
        expected = whole if captured >= need else "truncated"
        assert read(data[:captured], link, len(data)) == expected, captured


def test_what_is_malformed_stays_so_when_captured_in_part() -> None:
    cut = ip4(TCP_SYN[:8], frag=0x2000)
    assert [read(cut[:n], 101, len(cut)) for n in (20, 24, 28)] == ["malformed"] * 3
    assert read(ip4(TCP_SYN, total=39)[:22], 101, 60) == "malformed"
    assert read(ip4(frag=1)[:20], 101, 40) == "tiny-fragment"
    assert read(ip4(frag=1)[:10], 101, 40) == "tiny-fragment"
    assert [read(ip4(total=19)[:n], 101, 40) for n in (20, 30)] == ["malformed"] * 2


def test_a_length_on_the_wire_below_what_is_captured_is_not_believed() -> None:
    assert read(ip4(total=0), 101, 0) == SYN4
    assert read(ether(ip4() + bytes(20)), 1, 14) == SYN4


def shown(chosen: IntervalSet) -> str:
    return ",".join(str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in chosen)


def sets_of(data: bytes, captured: int, *, link: int = 101, interfaces: tuple[int, int] = (0, 0)) -> dict[int, str]:
    """What is known of a frame of which only the first bytes are captured: the fields that are not quite open."""
    assert read(data[:captured], link, len(data)) == "truncated"
    sets = known(data[:captured], link, len(data), *interfaces)
    assert sets is not None
    assert Box(sets), "no packet is like that"
    return {
        f: shown(chosen)
        for f, chosen in enumerate(sets)
        if chosen != FULL[f] and f < DSCP and f not in (IN, OUT, STATE)
    }


def test_all_that_is_known_of_a_truncated_packet_restricts() -> None:
    a, b = str(A4), str(B4)
    tcp = {PROTOCOL: "6", SRC: a, DST: b, FRAGMENT: "0"}
    assert sets_of(ip4(), 33) == tcp | {SPORT: "1029", DPORT: "80"}
    assert sets_of(ip4(), 24) == tcp | {SPORT: "1029", DPORT: "80"}
    assert sets_of(ip4(), 23) == tcp | {SPORT: "1029", DPORT: "0-255"}
    assert sets_of(ip4(), 22) == tcp | {SPORT: "1029", DPORT: "0-65535"}
    assert sets_of(ip4(), 21) == tcp | {SPORT: "1024-1279", DPORT: "0-65535"}
    assert sets_of(ip4(), 20) == tcp | {SPORT: "0-65535", DPORT: "0-65535"}
    assert sets_of(ip4(frag=0x2000), 22)[FRAGMENT] == "1"
    assert sets_of(ip4(), 18)[DST] == f"{B4 & 0xFFFF0000}-{B4 | 0xFFFF}"
    assert sets_of(ip4(), 12) == {PROTOCOL: "6", FRAGMENT: "0", SRC: f"0-{2**32 - 1}", DST: f"0-{2**32 - 1}"}
    assert FRAGMENT not in sets_of(ip4(), 7)
    assert sets_of(ip4(frag=9), 19)[FRAGMENT] == "2"
    assert sets_of(ip4(PING, 1), 21)[TYPE] == "8"
    assert sets_of(ip4(options=OPTIONS), 24) == tcp | {SPORT: "0-65535", DPORT: "0-65535"}
    assert sets_of(ip6(), 40)[PROTOCOL] == "6"
    assert sets_of(ip6(), 24).keys() == {PROTOCOL, FRAGMENT, SRC, DST}
    assert sets_of(ip6(), 6).keys() == {SRC, DST}
    chain = ip6(ext(6) + frag6(17, 9, 0) + UDP_DNS, 60)
    assert sets_of(chain, 41).keys() == {SRC, DST}, "a fragment header may follow"


def test_dscp_ttl_and_length_are_known_where_the_fixed_header_is_there() -> None:
    sets = known(ip4()[:24], 101, 40)
    assert sets is not None
    assert [chosen.ranges for chosen in sets[DSCP:]] == [((0, 0),), ((64, 64),), ((40, 40),)]
    sets = known(ip4()[:18], 101, 40)
    assert sets is not None
    assert list(sets[DSCP:]) == list(FULL[DSCP:])


def test_nothing_is_known_of_what_may_be_no_packet() -> None:
    frame = ether(vlan(0x0800) + ip4(), 0x8100)
    assert known(frame[:16], 1, len(frame)) is None, "perhaps it is not IP"
    assert known(ether(ip4())[:14], 1, 54) is not None, "an IPv4 packet"
    assert known(ip4(frag=1)[:9], 101, 40) is None, "a tiny fragment if it is tcp"
    assert known(b"", 101, 40) is None, "of either family, or of none"
    assert known(ip4(), 101, 40) is None
    assert known(ip4(total=19), 101, 40) is None


@given(st.integers(0, 255), st.randoms(use_true_random=False), st.booleans())
def test_a_whole_packet_is_among_those_that_its_beginning_may_be(protocol: int, draw: random.Random, v6: bool) -> None:
    body = bytes(draw.getrandbits(8) for _ in range(12)) + b"\x50" + bytes(draw.getrandbits(8) for _ in range(27))
    data = (
        ip6(ext(protocol) + body, 60) if v6 else ip4(body, protocol, options=OPTIONS, frag=draw.choice((0, 0x2000, 9)))
    )
    whole, plain = decode(data, 101, len(data)), read(data)
    for captured in range(1, len(data)):
        cut = read(data[:captured], 101, len(data))
        if isinstance(whole, str):
            assert cut in (whole, "truncated")
        elif cut != "truncated":
            assert cut == plain, captured
        else:
            sets = known(data[:captured], 101, len(data))
            assert sets is None or whole in Box(sets), captured


# --- the bugs that peers had


def test_later_fragments_never_show_ports() -> None:
    """nft reads the payload of later fragments as ports."""
    for protocol in range(256):
        for data in (ip4(TCP_SYN, protocol, frag=0x2009), ip6(frag6(protocol, 9, 1) + TCP_SYN, 44)):
            found = read(data)
            assert isinstance(found, tuple)
            assert (found[0], found[3:9]) == (protocol, (NP, NP, NT, NT, NF, 2))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (frag6(44, 0, 0) + frag6(6, 0, 0), SYN6),
        (frag6(44, 0, 0) + frag6(6, 0, 1), FIRST6),
        (frag6(44, 0, 1) + frag6(6, 0, 0), FIRST6),
        (frag6(44, 0, 0) + frag6(6, 3, 0), LATER6),
        (frag6(44, 0, 1) + frag6(6, 3, 1), LATER6),
        (frag6(44, 3, 1) + frag6(6, 0, 0), point(44, NONE, fragment=2, family=6)),
    ],
)
def test_several_ipv6_fragment_headers(headers: bytes, expected: Point) -> None:
    """CVE-2023-4809: pf took a later fragment for an atomic one behind a second fragment header."""
    assert read(ip6(headers + TCP_SYN, 44)) == expected


def test_the_ports_that_an_icmp_error_quotes_are_not_its_own() -> None:
    """scapy answers from the quoted header."""
    assert read(ip4(b"\3\3\0\0\0\0\0\0" + ip4(), 1)) == point(1, NONE, icmp=(3, 3))
    assert read(ip6(b"\1\4\0\0\0\0\0\0" + ip6(), 58)) == point(58, NONE, icmp=(1, 4), family=6)


def test_ports_behind_ipv6_extension_headers_are_found() -> None:
    """libpcap's filters stop at the first extension header (#66, #600)."""
    for first in (0, 43, 60):
        assert read(ip6(ext(60) + ext(17) + UDP_DNS, first)) == point(17, (5353, 53), family=6)


def test_exactly_these_next_headers_are_stepped_through() -> None:
    """Those of Linux' `ipv6_find_hdr`, measured by `tests/kernel`."""
    walked = {p for p in range(256) if p != 47 and read(ip6(ext(47, 16) + bytes(8), p)) == point(47, NONE, family=6)}
    walked |= {44} if read(ip6(frag6(47, 0, 0) + bytes(16), 44)) == point(47, NONE, family=6) else set()
    walked |= {51} if read(ip6(authentication(47) + bytes(8), 51)) == point(47, NONE, family=6) else set()
    walked |= {0} if read(ip6(ext(47) + bytes(16), 0)) == point(47, NONE, family=6) else set()
    assert walked == STEPPED_THROUGH == {0, 43, 44, 51, 60}


def test_256_extension_headers_are_walked_and_no_more() -> None:
    chain = ext(60) * 255 + ext(6)
    assert read(ip6(chain + TCP_SYN, 60)) == SYN6
    assert read(ip6(ext(60) + chain + TCP_SYN, 60)) == "malformed"


def test_the_longest_chains_cost_as_much_as_the_longest_that_are_walked() -> None:
    worst = [
        ether(ip6(ext(60) * 8000, 60), 0x86DD),
        ether(vlan(0x8100) * 16000, 0x8100),
        ether(label(0) * 16000, 0x8847),
    ]
    for data in worst:
        assert decode(data, 1, len(data)) == "malformed"
        assert lines(partial(decode, data, 1, len(data))) < 5000


# --- properties

SEEDS = [ether(data) for _, data, _ in IPV4] + [ether(data, 0x86DD) for _, data, _ in IPV6]
SEEDS += [data for _, _, data, _ in LINKS]


def test_the_fast_path_agrees_with_the_long_way_on_damaged_frames() -> None:
    random_ = random.Random(2)
    frames = [frame[:200] for frame in SEEDS]
    plain = [ether(ip4() + bytes(12)), ether(ip4(UDP_DNS, 17) + bytes(24))]
    for number in range(40_000):
        frame = bytearray(random_.choice(plain if number & 1 else frames))
        for _ in range(random_.randrange(4)):
            if frame:
                frame[random_.randrange(len(frame))] = random_.choice(
                    (0, 1, 4, 5, 6, 0x40, 0x45, 255, random_.randrange(256))
                )
        data = bytes(frame[: random_.randrange(len(frame) + 1)] if number % 3 == 0 else frame)
        wire = len(data) + random_.choice((0, 0, 0, 9, 1400))
        link = 1 if number & 1 else random_.choice((0, 1, 9, 50, 51, 101, 104, 108, 113, 228, 229, 276))
        answer = decode(data, link, wire, 1, 2, 3)
        assert answer == decode_any(data, link, wire, 1, 2, 3), (data.hex(), link, wire)
        if isinstance(answer, tuple):
            packet = Packet.from_point(answer)  # validates: no field that such a packet does not have
            assert packet.point == answer
        else:
            assert answer in UNDECODED


@given(st.binary(max_size=120), st.sampled_from(sorted(LINK_TYPES.values())), st.integers(0, 2000))
def test_any_bytes_have_a_point_or_a_class(data: bytes, link: int, wire_length: int) -> None:
    found = read(data, link, wire_length)
    if isinstance(found, str):
        assert found in UNDECODED
    else:
        assert Packet.from_point((*found, 0, 64, 84)).point == (*found, 0, 64, 84)


def test_interfaces_and_state_ride_along() -> None:
    number = interface_number("wan0")
    for data in (ip4(), ip4(UDP_DNS, 17), ip4(PING, 1), ip4(frag=3), ip4(b"", 47), ip6(), ip6(frag6(6, 3, 0), 44)):
        for link, frame in ((101, data), (1, ether(data + bytes(20), 0x0800 if data[0] >> 4 == 4 else 0x86DD))):
            found = decode(frame, link, len(frame), number, 7, 4)
            assert isinstance(found, tuple)
            assert found[9:DSCP] == (number, 7, 4)


# --- packets


def test_decode_packet() -> None:
    packet = decode_packet(ip4(), "ip")
    assert str(packet) == "tcp 10.0.0.1:1029 -> 192.0.2.80:80 flags syn dscp 0 ttl 64 length 40"
    assert packet.in_interface is None
    assert packet.point is None, "the bytes do not tell the interfaces"
    assert Packet.from_bytes(ether(ip4()), "ethernet") == packet
    for link, frame in (("sll", cooked(0x0800, ip4())), ("null", b"\2\0\0\0" + ip4()), ("ppp", b"\x21" + ip4())):
        assert decode_packet(frame, link) == packet


@pytest.mark.parametrize(
    ("data", "link", "message"),
    [
        (ether(bytes(28), 0x0806), "ethernet", "not-ip: "),
        (ip4(TCP_SYN[:8]), "ip", "malformed: "),
        (ip4()[:30], "ip", "truncated: "),
        (b"", "ip", "malformed: "),
        (ip4(), "token-ring", "unknown link type `token-ring`: one of ip, ethernet, "),
    ],
)
def test_bytes_that_hold_no_packet(data: bytes, link: str, message: str) -> None:
    with pytest.raises(PacketError, match=f"^{message}") as caught:
        decode_packet(data, link)
    kind = message.removesuffix(": ") if message.endswith(": ") else None
    assert getattr(caught.value, "kind", None) == kind
