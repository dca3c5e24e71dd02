"""Link layers on frames built here: every encapsulation leads to the packet in it, in both decoders alike.

tcpdump 4.99 and tshark 4.0 were asked about each frame when it was written; `test_tcpdump_reads_the_same` asks again.
"""

from __future__ import annotations

import io
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from fwengine import native
from fwengine.model.fields import IN, interface_number
from fwengine.model.packet import Packet
from fwengine.packets.encode import encode
from fwengine.packets.links import find, is_outgoing, is_supported
from fwengine.packets.logs import LOGS, recorded
from fwengine.packets.place import kind_text
from fwengine.packets.tags import STEPPED_THROUGH
from fwengine.packets.wire import decode, decode_any

SYN = encode(Packet.of("tcp", "10.0.0.1", "192.0.2.80", sport=1029, dport=80, flags=2))
SYN6 = encode(Packet.of("tcp", "2001:db8::1", "2001:db8::2", sport=1029, dport=80, flags=2))
POINTS = {4: decode(SYN, 101, len(SYN)), 6: decode(SYN6, 101, len(SYN6))}
MACS = bytes.fromhex("020000000002 020000000001")
SNAP = b"\xaa\xaa\x03\0\0\0"


def type_(ethertype: int) -> bytes:
    return struct.pack(">H", ethertype)


def ether(ethertype: int, body: bytes) -> bytes:
    return MACS + type_(ethertype) + body


INNER = ether(0x0800, SYN)  # an Ethernet frame within another
LABEL = bytes.fromhex("00001140")  # the last of a stack


def attribute(kind: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", 4 + len(value), kind) + value + bytes(-len(value) & 3)


def nflog(body: bytes, family: int = 2, order: str = "<") -> bytes:
    head = (
        struct.pack(">BBH", family, 0, 7)
        + attribute(1, b"\x08\0\3\0", order)
        + attribute(4, struct.pack(">I", 2), order)
    )
    return head + attribute(10, b"DROP wan \0", order) + attribute(9, body, order)


def pflog(
    body: bytes,
    length: int,
    family: int = 2,
    *,
    name: bytes = b"em0",
    action: int = 1,
    rule: int = 4,
    way: int = 1,
    anchor: bytes = b"",
) -> bytes:
    head = bytes([length, family, action, 0]) + name.ljust(16, b"\0") + anchor.ljust(16, b"\0")
    head += struct.pack(">II", rule, 7 if anchor else 0xFFFFFFFF) + bytes(16) + bytes([way])
    return head.ljust(length + 3 & ~3, b"\0") + body


def pktap(link: int, body: bytes, *, name: bytes = b"en0", way: int = 1, kind: int = 1, length: int = 108) -> bytes:
    head = struct.pack("<III", length, kind, link) + name.ljust(24, b"\0") + struct.pack("<II", way, 2)
    return head.ljust(length, b"\0") + body


def wlan(control: int, flags: int, body: bytes, *, fragment: int = 0, quality: bytes = b"") -> bytes:
    addresses = 24 if flags & 3 == 3 else 18
    head = bytes([control, flags, 0, 0]) + bytes(18) + bytes([fragment, 0]) + bytes(addresses - 18)
    return head + quality + body


def radiotap(fields: bytes, *words: int) -> bytes:
    present = struct.pack(f"<{len(words)}I", *words)
    return struct.pack("<BBH", 0, 0, 4 + len(present) + len(fields)) + present + fields


DATA = wlan(0x08, 1, SNAP + b"\x08\0" + SYN)
Case = tuple[str, int, bytes, int | str]  # what, link type, frame, IP version or kind or class

ETHERTYPES: list[Case] = [
    (f"VLAN {tag:04x}", 1, ether(tag, b"\0\5\x08\0" + SYN), 4) for tag in (0x8100, 0x88A8, 0x9100, 0x9200, 0x9300)
] + [
    ("E-tag", 1, ether(0x893F, bytes(6) + type_(0x0800) + SYN), 4),
    ("VN-tag", 1, ether(0x8926, bytes.fromhex("80010001") + type_(0x0800) + SYN), 4),
    ("VN-tag, VLAN", 1, ether(0x8926, bytes(4) + type_(0x8100) + b"\0\5\x86\xdd" + SYN6), 6),
    ("provider backbone", 1, ether(0x88E7, bytes.fromhex("00000064") + INNER), 4),
    ("provider backbone, nested", 1, ether(0x88E7, bytes(4) + ether(0x88E7, bytes(4) + INNER)), 4),
    ("provider backbone behind its VLAN", 1, ether(0x88A8, b"\0\5" + type_(0x88E7) + bytes(4) + ether(0x8100, b"\0\5\x08\0" + SYN)), 4),
    ("FabricPath", 1, ether(0x8903, bytes.fromhex("0042") + INNER), 4),
    ("Ethernet in Ethernet", 1, ether(0x6558, INNER), 4),
    ("HSR", 1, ether(0x892F, bytes.fromhex("00340001") + type_(0x0800) + SYN), 4),
    ("R-tag", 1, ether(0xF1C1, bytes(4) + type_(0x0800) + SYN), 4),
    ("a switch's own tag", 1, ether(0xDADA, bytes(6) + type_(0x0800) + SYN), 4),
    ("TRILL", 1, ether(0x22F3, bytes.fromhex("001400010002") + INNER), 4),
    ("TRILL with options", 1, ether(0x22F3, bytes.fromhex("005400010002") + bytes(4) + INNER), 4),
    ("Cisco metadata", 1, ether(0x8909, bytes.fromhex("01010001000a") + type_(0x0800) + SYN), 4),
    ("Cisco metadata of more options", 1, ether(0x8909, bytes.fromhex("01020001000a") + type_(0x0800) + SYN), "ethertype 0x8909 (Cisco metadata)"),
    ("Arista, 64 bits", 1, ether(0xD28B, bytes.fromhex("00010010") + bytes(8) + type_(0x0800) + SYN), 4),
    ("Arista, 64 bits, other hardware", 1, ether(0xD28B, bytes.fromhex("00010111") + bytes(8) + type_(0x0800) + SYN), 4),
    ("Arista, 48 bits", 1, ether(0xD28B, bytes.fromhex("00010020") + bytes(6) + type_(0x86DD) + SYN6), 6),
    ("Arista, no timestamp", 1, ether(0xD28B, bytes.fromhex("00020010") + bytes(60)), "ethertype 0xd28b (Arista)"),
    ("MACsec, not encrypted", 1, ether(0x88E5, bytes.fromhex("000000000001") + type_(0x0800) + SYN + bytes(16)), 4),
    ("MACsec, not encrypted, with channel", 1, ether(0x88E5, bytes.fromhex("2000000000010200000000020001") + type_(0x0800) + SYN + bytes(16)), 4),
    ("MACsec, encrypted", 1, ether(0x88E5, bytes.fromhex("2c00000000010200000000020001") + bytes(60)), "MACsec, encrypted"),
    ("NSH, IPv4", 1, ether(0x894F, bytes.fromhex("0fc6010100000aff") + bytes(16) + SYN), 4),
    ("NSH, IPv6", 1, ether(0x894F, bytes.fromhex("0fc2020200000aff") + SYN6), 6),
    ("NSH, Ethernet", 1, ether(0x894F, bytes.fromhex("0fc2020300000aff") + INNER), 4),
    ("NSH, NSH, IPv4", 1, ether(0x894F, bytes.fromhex("0fc2020400000aff 0fc2020100000aff") + SYN), 4),
    ("NSH, MPLS", 1, ether(0x894F, bytes.fromhex("0fc2020500000aff") + LABEL + SYN), 4),
    ("NSH, an experiment", 1, ether(0x894F, bytes.fromhex("0fc202fe00000aff") + SYN), "NSH next protocol 254"),
    ("NSH, shorter than its head", 1, ether(0x894F, bytes.fromhex("0fc1020100000aff") + SYN), "malformed"),
    ("jumbo LLC", 1, ether(0x8870, SNAP + b"\x08\0" + SYN), 4),
    ("plain PPP", 1, ether(0x880B, b"\0\x21" + SYN), 4),
    ("plain PPP with address", 1, ether(0x880B, b"\xff\x03\0\x57" + SYN6), 6),
    ("plain PPP, LCP", 1, ether(0x880B, b"\xc0\x21" + bytes(50)), "PPP protocol 0xc021 (LCP)"),
    ("pseudowire", 1, ether(0x8847, LABEL + bytes.fromhex("00000001") + INNER), 4),
    ("pseudowire, two labels, VLAN", 1, ether(0x8847, bytes.fromhex("00010040") + LABEL + bytes(4) + ether(0x8100, b"\0\5\x08\0" + SYN)), 4),
    ("pseudowire with LLC", 1, ether(0x8847, LABEL + bytes(4) + ether(48, SNAP + b"\x08\0" + SYN)), 4),
    ("pseudowire, reserved bits set", 1, ether(0x8847, LABEL + bytes.fromhex("00010001") + INNER), "MPLS without IP: first nibble 0"),
    ("an associated channel", 1, ether(0x8847, LABEL + bytes.fromhex("10000021") + SYN), "MPLS without IP: first nibble 1"),
    ("SNAP, bridge tunnel", 1, ether(56, b"\xaa\xaa\x03\0\0\xf8\x08\0" + SYN), 4),
    ("SNAP, bridged Ethernet", 1, ether(80, b"\xaa\xaa\x03\0\x80\xc2\0\7\0\0" + INNER), 4),
    ("SNAP, Cisco", 1, ether(80, b"\xaa\xaa\x03\0\0\x0c\x20\0" + bytes(60)), "Cisco's SNAP 0x2000 (CDP)"),
    ("SNAP, Apple", 1, ether(80, b"\xaa\xaa\x03\x08\0\7\x80\x9b" + bytes(60)), "SNAP of another organisation"),
    ("LLC, OSI's number of IPv4", 1, ether(44, b"\xfe\xfe\x03\xcc" + SYN), 4),
    ("LLC, OSI's number of IPv6", 1, ether(64, b"\xfe\xfe\x03\x8e" + SYN6), 6),
    ("LLC, OSI", 1, ether(44, b"\xfe\xfe\x03\x83" + bytes(50)), "NLPID 0x83"),
    ("LLC, spanning tree", 1, ether(38, b"\x42\x42\x03" + bytes(50)), "LLC 42/42 (spanning tree)"),
    ("ISL", 1, b"\1\0\x0c\0\0\0" + MACS[:6] + type_(80) + SNAP[:3] + bytes(9) + INNER + bytes(4), 4),
    ("ISL to its other address", 1, b"\3\0\x0c\0\0\0" + MACS[:6] + type_(80) + SNAP[:3] + bytes(9) + ether(0x86DD, SYN6), 6),
    ("nearly ISL", 1, b"\1\0\x0c\xcc\xcc\xcc" + MACS[:6] + type_(80) + SNAP + b"\x08\0" + SYN, 4),
    ("ARP", 1, ether(0x0806, bytes(28)), "ethertype 0x0806 (ARP)"),
    ("nobody's ethertype", 1, ether(0x4242, bytes(50)), "ethertype 0x4242"),
    ("PPPoE, no session", 1, ether(0x8864, bytes.fromhex("11a700010010") + bytes(40)), "PPPoE code 0xa7"),
]  # fmt: skip

LINKS: list[Case] = [
    ("null, ethertype, little", 0, b"\0\x08\0\0" + SYN, 4),
    ("null, ethertype, big", 0, b"\0\0\x86\xdd" + SYN6, 6),
    ("null, another family", 0, b"\x07\0\0\0" + SYN, "address family 7"),
    ("token ring", 6, b"\x10\x40" + MACS + SNAP + b"\x08\0" + SYN, 4),
    ("token ring, routed", 6, b"\x10\x40" + MACS[:6] + b"\x82" + MACS[7:] + bytes.fromhex("06300011 0020") + SNAP + b"\x08\0" + SYN, 4),
    ("token ring, no LLC", 6, b"\x10\0" + MACS + bytes(40), "frame control 0x00"),
    ("ARCNET", 7, bytes([1, 2, 212, 0, 0, 9]) + SYN, 4),
    ("ARCNET, old", 7, bytes([1, 2, 240]) + SYN, 4),
    ("ARCNET, IPv6", 7, bytes([1, 2, 196, 0, 0, 9]) + SYN6, 6),
    ("ARCNET, exception", 7, bytes([1, 2, 212, 255, 255, 255, 212, 0, 0, 9]) + SYN, 4),
    ("ARCNET, first fragment", 7, bytes([1, 2, 212, 1, 0, 9]) + SYN, 4),
    ("ARCNET, later fragment", 7, bytes([1, 2, 212, 2, 0, 9]) + SYN, "a record without a packet"),
    ("ARCNET, ARP", 7, bytes([1, 2, 213, 0, 0, 9]) + bytes(30), "ARCNET type 213"),
    ("ARCNET of Linux", 129, bytes([1, 2, 0, 0, 212, 0, 0, 9]) + SYN, 4),
    ("ARCNET of Linux, old", 129, bytes([1, 2, 0, 0, 240]) + SYN, 4),
    ("ARCNET of Linux, ARP", 129, bytes([1, 2, 0, 0, 213, 0, 0, 9]) + bytes(30), "ARCNET type 213"),
    ("SLIP", 8, bytes(16) + SYN, 4),
    ("PPP, Cisco's HDLC", 9, b"\x0f\0\x08\0" + SYN, 4),
    ("PPP, Cisco's HDLC, broadcast", 9, b"\x8f\0\x86\xdd" + SYN6, 6),
    ("PPP with direction", 204, b"\1\xff\x03\0\x21" + SYN, 4),
    ("HDLC with direction", 205, b"\0\x0f\0\x08\0" + SYN, 4),
    ("HDLC, keepalive", 104, b"\x8f\0\0\x11" + bytes(20), "HDLC protocol 0x0011"),
    ("FDDI", 10, b"\x50" + MACS + SNAP + b"\x08\0" + SYN, 4),
    ("FDDI, station management", 10, b"\x41" + MACS + bytes(40), "frame control 0x41"),
    ("raw under OpenBSD's LOOP", 12, SYN6, 6),
    ("OpenBSD's LOOP", 12, b"\0\0\0\2" + SYN, 4),
    ("OpenBSD's LOOP, IPv6", 12, b"\0\0\0\x18" + SYN6, 6),
    ("OpenBSD's ENC", 13, b"\2\0\0\0" + bytes(8) + SYN, 4),
    ("another's 13", 13, b"\xfe\0\0\0" + bytes(8) + SYN, "link type 13"),
    ("ENC, little", 109, b"\2\0\0\0\0\0\x10\1\0\0\0\2" + SYN, 4),
    ("ENC, big", 109, b"\0\0\0\x18\0\0\x10\1\0\0\0\2" + SYN6, 6),
    ("classical IP over ATM", 19, SYN, 4),
    ("classical IP over ATM, LLC", 106, SNAP + b"\x08\0" + SYN, 4),
    ("ATM", 100, SNAP + b"\x08\0" + SYN, 4),
    ("ATM, NLPID", 100, b"\xfe\xfe\x03\xcc" + SYN, 4),
    ("ATM, bridged Ethernet", 100, b"\xaa\xaa\x03\0\x80\xc2\0\7\0\0" + INNER, 4),
    ("Frame Relay", 107, bytes.fromhex("1841 03cc") + SYN, 4),
    ("Frame Relay, padded", 107, bytes.fromhex("1841 0300cc") + SYN, 4),
    ("Frame Relay, IPv6, four bytes of address", 107, bytes.fromhex("18401001 038e") + SYN6, 6),
    ("Frame Relay, SNAP", 107, bytes.fromhex("1841 030080 000000 0800") + SYN, 4),
    ("Frame Relay, bridged Ethernet", 107, bytes.fromhex("1841 030080 0080c2 0007") + INNER, 4),
    ("Frame Relay, PPP", 107, bytes.fromhex("1841 03cf 0021") + SYN, 4),
    ("Frame Relay, Cisco", 107, bytes.fromhex("1841 0800") + SYN, 4),
    ("Frame Relay, management", 107, bytes.fromhex("0001 0308") + bytes(20), "NLPID 0x08"),
    ("Frame Relay, no address", 107, bytes.fromhex("1940 1010 10") + SYN, "malformed"),
    ("Frame Relay, endless address", 107, bytes.fromhex("18401010 01cc") + SYN, "malformed"),
    ("Frame Relay with direction", 206, bytes.fromhex("01 1841 03cc") + SYN, 4),
    ("802.11", 105, DATA, 4),
    ("802.11, between access points", 105, wlan(0x08, 3, SNAP + b"\x86\xdd" + SYN6), 6),
    ("802.11, quality of service", 105, wlan(0x88, 2, SNAP + b"\x08\0" + SYN, quality=bytes(2)), 4),
    ("802.11, high throughput", 105, wlan(0x88, 0x82, SNAP + b"\x08\0" + SYN, quality=bytes(6)), 4),
    ("802.11, beacon", 105, wlan(0x80, 0, bytes(40)), "802.11 management"),
    ("802.11, acknowledgement", 105, b"\xd4" + bytes(13), "802.11 control"),
    ("802.11, encrypted", 105, wlan(0x08, 0x41, bytes(60)), "802.11, encrypted"),
    ("802.11, no data", 105, wlan(0x48, 1, b""), "802.11 without data"),
    ("802.11, later fragment", 105, wlan(0x08, 1, SYN, fragment=1), "802.11, a later fragment"),
    ("802.11, aggregate", 105, wlan(0x88, 2, bytes(60), quality=b"\x80\0"), "802.11, several packets in one"),
    ("802.11 of another version", 105, wlan(0x09, 0, bytes(40)), "malformed"),
    ("radiotap", 127, radiotap(b"", 0) + DATA, 4),
    ("radiotap, time and flags", 127, radiotap(bytes(8) + b"\x10", 3) + DATA + bytes(4), 4),
    ("radiotap, two words, time behind padding", 127, radiotap(bytes(4) + bytes(8) + b"\0", 0x80000003, 0) + DATA, 4),
    ("radiotap, padded header", 127, radiotap(b"\x20", 2) + wlan(0x88, 2, bytes(2) + SNAP + b"\x08\0" + SYN, quality=bytes(2)), 4),
    ("radiotap, flags announced and missing", 127, radiotap(b"", 2) + DATA, 4),
    ("radiotap, no end of words", 127, b"\0\0\x08\0\0\0\0\x80" + DATA, "malformed"),
    ("radiotap, shorter than any", 127, b"\0\0\7\0\0\0\0\0" + DATA, "malformed"),
    ("Prism", 119, struct.pack(">I", 0x44) + bytes(140) + DATA, 4),
    ("Prism's number, AVS", 119, struct.pack(">II", 0x80211001, 64) + bytes(56) + DATA, 4),
    ("AVS", 163, struct.pack(">II", 0x80211001, 64) + bytes(56) + DATA, 4),
    ("PPI, 802.11", 192, struct.pack("<BBHI", 0, 0, 8, 105) + DATA, 4),
    ("PPI, Ethernet", 192, struct.pack("<BBHI", 0, 0, 12, 1) + bytes(4) + INNER, 4),
    ("PPI in PPI", 192, struct.pack("<BBHI", 0, 0, 8, 192) * 2 + DATA, "link type 192"),
    ("PPI, unknown", 192, struct.pack("<BBHI", 0, 0, 8, 249) + bytes(40), "link type 249 (USB)"),
    ("PFLOG of FreeBSD", 117, pflog(SYN, 61), 4),
    ("PFLOG of FreeBSD, longer", 117, pflog(SYN6, 69, 28), 6),
    ("PFLOG of OpenBSD", 117, pflog(SYN6, 100, 24), 6),
    ("PFLOG of macOS", 117, pflog(SYN6, 61, 30), 6),
    ("PFLOG, shorter than any", 117, pflog(SYN, 48), "malformed"),
    ("NFLOG", 239, nflog(SYN), 4),
    ("NFLOG, IPv6, big", 239, nflog(SYN6, 10, ">"), 6),
    ("NFLOG of a bridge", 239, nflog(SYN, 7), 4),
    ("NFLOG of a bridge, ethertype not told", 239, b"\7\0\0\7" + attribute(9, SYN), "address family 7"),
    ("NFLOG of ARP", 239, nflog(bytes(28), 3), "address family 3"),
    ("NFLOG without payload", 239, b"\2\0\0\7" + attribute(10, b"DROP\0"), "a record without a packet"),
    ("NFLOG, an attribute of no length", 239, b"\2\0\0\7\0\0\1\0" + SYN, "malformed"),
    ("PKTAP", 149, pktap(1, INNER), 4),
    ("PKTAP, raw", 258, pktap(12, SYN6, way=2), 6),
    ("PKTAP, longer", 258, pktap(0, b"\x1e\0\0\0" + SYN6, length=156), 6),
    ("PKTAP, no packet", 258, pktap(1, INNER, kind=0), "a record without a packet"),
    ("IP over IEEE 1394", 138, bytes(16) + type_(0x0800) + SYN, 4),
    ("Juniper", 178, b"MGC\1" + INNER, 4),
    ("Juniper with extensions", 178, b"MGC\x80\0\6" + bytes(6) + ether(0x86DD, SYN6), 6),
    ("Juniper, no link header", 178, b"MGC\3" + SYN, "Juniper, without a link header"),
    ("not Juniper", 178, b"MGD\1" + INNER, "malformed"),
    ("IPNET", 226, b"\1\2" + bytes(22) + SYN, 4),
    ("IPNET, IPv6", 226, b"\1\x1a" + bytes(22) + SYN6, 6),
    ("IPoIB", 242, bytes(40) + b"\x08\0\0\0" + SYN, 4),
    ("Broadcom's switch tag", 281, MACS + bytes(4) + type_(0x0800) + SYN, 4),
    ("Broadcom's switch tag in front", 282, bytes(4) + INNER, 4),
    ("Marvell's switch tag", 284, MACS + bytes.fromhex("40000000") + type_(0x0800) + SYN, 4),
    ("Marvell's switch tag with ethertype", 285, MACS + bytes.fromhex("dada0000 40000000") + type_(0x0800) + SYN, 4),
    ("cooked, radiotap", 113, struct.pack(">HHH8sH", 0, 803, 6, bytes(8), 4) + radiotap(b"", 0) + DATA, 4),
    ("cooked 2, Frame Relay", 276, struct.pack(">HHIHBB8s", 0, 0, 3, 770, 0, 2, bytes(8)) + bytes.fromhex("1841 03cc") + SYN, 4),
    ("cooked, netlink", 113, struct.pack(">HHH8sH", 0, 824, 6, bytes(8), 0) + bytes(40), "cooked, hardware type 824"),
    ("cooked, Novell", 113, struct.pack(">HHH8sH", 0, 1, 6, bytes(8), 1) + bytes(40), "cooked, protocol 0x0001"),
    ("USB", 249, bytes(60), "link type 249 (USB)"),
    ("a link type of nobody", 4242, bytes(60), "link type 4242"),
]  # fmt: skip

CASES = ETHERTYPES + LINKS


def pcap(link: int, *frames: tuple[bytes, int]) -> bytes:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, link)
    return head + b"".join(struct.pack("<IIII", 0, 0, len(data), wire) + data for data, wire in frames)


def natively(link: int, *frames: tuple[bytes, int]) -> list[object]:
    return [found for found, _ in native.decode_capture(io.BytesIO(pcap(link, *frames)))]


def read(data: bytes, link: int, wire: int) -> object:
    """A point, a class, or a kind, which Python and native code see alike."""
    inside, outside = (interface_number(name) for name in recorded(data, link)[:2]) if link in LOGS else (0, 0)
    found: object = decode(data, link, wire, inside, outside)
    assert (
        found == decode_any(data, link, wire, inside, outside) == decode(memoryview(data), link, wire, inside, outside)
    )
    if found == "not-ip":
        found = find(data, link, max(wire, len(data)))
    return found


@pytest.mark.parametrize(("link", "data", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_frame_and_each_of_its_cuts(link: int, data: bytes, expected: int | str) -> None:
    found = read(data, link, len(data))
    if isinstance(expected, int):
        assert isinstance(found, tuple)
        assert found[:IN] == POINTS[expected][:IN]
    else:
        assert (kind_text(found) if isinstance(found, int) else found) == expected
    cuts = [(data[:size], wire) for size in range(len(data) + 1) for wire in (len(data), size)]
    ours = [read(part, link, wire) for part, wire in cuts]
    if native.available():
        assert natively(link, *cuts) == ours
    if isinstance(expected, int):
        for (part, wire), answer in zip(cuts, ours, strict=True):
            if len(part) < data.index(SYN if expected == 4 else SYN6) + 20:
                cut = (
                    ("truncated",) if wire == len(data) else ("truncated", "malformed", 19 << 16)
                )  # a log without a packet
                assert answer in cut, (part, wire)


def test_the_tables_are_covered() -> None:
    """Every ethertype that is stepped through stands in a case, and so does every link type that is decoded."""
    text = b"".join(data for _, link, data, _ in CASES if link == 1)
    assert all(type_(number) in text for number in STEPPED_THROUGH - {0x8848, 0x8864})  # which `test_wire` has
    here = {link for _, link, _, expected in CASES if isinstance(expected, int)}
    elsewhere = {14, 50, 51, 101, 104, 108, 113, 228, 229, 276}  # in `test_wire`
    assert {link for link in range(0x10000) if is_supported(link)} == here | elsewhere
    assert not here & {249, 4242}


def test_sixteen_tags_of_any_kind_and_no_more() -> None:
    tags = (bytes(4) + type_(0x8926), bytes(4) + MACS + type_(0x88E7), bytes.fromhex("0fc2020400000aff"))
    for ethertype, tag in zip((0x8926, 0x88E7, 0x894F), tags, strict=True):
        last = {
            0x8926: bytes(4) + type_(0x0800),
            0x88E7: bytes(4) + MACS + type_(0x0800),
            0x894F: bytes.fromhex("0fc2020100000aff"),
        }
        assert read(ether(ethertype, tag * 15 + last[ethertype] + SYN), 1, 2000) == POINTS[4]
        deep = ether(ethertype, tag * 16 + last[ethertype] + SYN)
        assert read(deep, 1, len(deep)) == "malformed"
        if native.available():
            assert natively(1, (deep, len(deep))) == ["malformed"]


@pytest.mark.parametrize(
    ("link", "data", "sent"),
    [
        (8, b"\1" + bytes(15) + SYN, True),
        (8, bytes(16) + SYN, False),
        (204, b"\1\x21" + SYN, True),
        (206, b"\0\x18\x41\x03\xcc" + SYN, False),
        (178, b"MGC\0" + INNER, True),
        (178, b"MGC\1" + INNER, False),
        (178, b"MGD\0" + INNER, False),
        (178, b"MGC", False),
        (205, b"", False),
    ],
)
def test_links_that_tell_the_direction(link: int, data: bytes, sent: bool) -> None:
    assert is_outgoing(data, link) is sent


@pytest.mark.parametrize(
    ("link", "data", "says"),
    [
        (117, pflog(SYN, 61), ("em0", "", "block", "block by rule 4")),
        (117, pflog(SYN, 100, action=0, way=2), ("", "em0", "pass", "pass by rule 4")),
        (117, pflog(SYN, 61, action=1, anchor=b"ftp-proxy", rule=2), ("em0", "", "block", "block by rule 2.ftp-proxy.7")),
        (117, pflog(SYN, 61, action=9, way=0, rule=0xFFFFFFFF), ("em0", "", "block", "block")),
        (117, pflog(SYN, 61, action=7), ("em0", "", "", "rdr by rule 4")),
        (117, pflog(SYN, 61, action=200), ("em0", "", "", "action 200 by rule 4")),
        (117, pflog(SYN, 61)[:60], ("", "", "", "")),
        (239, nflog(SYN), ("", "", "", 'hook output, in #2, prefix "DROP wan"')),
        (239, nflog(SYN6, 10, ">"), ("", "", "", 'hook output, in #2, prefix "DROP wan"')),
        (239, b"\2\0", ("", "", "", "")),
        (149, pktap(1, INNER), ("en0", "", "", "")),
        (258, pktap(1, INNER, way=2, name=b"utun3"), ("", "utun3", "", "")),
        (258, pktap(1, INNER)[:39], ("", "", "", "")),
    ],
)  # fmt: skip
def test_what_logs_record(link: int, data: bytes, says: tuple[str, str, str, str]) -> None:
    assert recorded(data, link) == says


@pytest.mark.skipif(not shutil.which("tcpdump"), reason="no tcpdump")
def test_tcpdump_steps_through_the_same(tmp_path: Path) -> None:
    """What tcpdump 4.99 finds in a frame, we find; what we find and it does not, tshark was asked about, or a document."""
    ours, theirs = set(), set()
    for name, link, data, expected in CASES:
        path = tmp_path / "x.pcap"
        path.write_bytes(pcap(link, (data, len(data))))
        done = subprocess.run(["tcpdump", "-nn", "-t", "-r", path], capture_output=True, text=True, check=False)
        if isinstance(expected, int):
            ours.add(name)
        if re.search(
            r"(10\.0\.0\.1\.1029 > 192\.0\.2\.80\.80|2001:db8::1\.1029 > 2001:db8::2\.80): Flags \[S\]", done.stdout
        ):
            theirs.add(name)
    assert theirs <= ours
    assert len(theirs) > 60
