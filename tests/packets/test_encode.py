"""Packets -> bytes and captures, read back by `wire` and `capture`, and checked here against checksums computed anew."""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given
from support.generators import WIDE, open_packets, packets

from fwengine.errors import CaptureError, PacketError
from fwengine.model.address import V6_BASE
from fwengine.model.fields import DETAILS, FRAGMENTS, IN, OUT, STATE, STEPPED_THROUGH, TABLE, Point
from fwengine.packets.capture import open_capture
from fwengine.packets.encode import encode, least_length, write_pcap, write_pcapng
from fwengine.packets.links import LINK_TYPES
from fwengine.packets.wire import decode
from fwengine.traffic.codec import Packet

WEB = Packet.of("tcp", "5.6.7.8", "1.2.3.4", sport=1029, dport=80, flags=2)
LINKS = ("ip", "ethernet")


def on_the_wire(point: Point) -> Point:
    """A point without what no header carries."""
    return tuple(0 if field in (IN, OUT, STATE) else value for field, value in enumerate(point))


def sized(packet: Packet) -> Packet:
    """The packet with the nearest length that it can have."""
    if packet.length is None:
        return packet
    least = least_length(packet.family, packet.protocol, FRAGMENTS.index(packet.fragment))
    return packet.replace(length=min(max(packet.length, least), 65535 if packet.family == 4 else 65575))


def writable(packet: Packet) -> bool:
    return packet.family == 4 or packet.fragment == "later" or packet.protocol not in STEPPED_THROUGH


def sum_of_words(data: bytes) -> int:
    data += bytes(len(data) & 1)
    total = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    return total % 0xFFFF


@given(packets(WIDE))
def test_what_is_written_is_read_back(packet: Packet) -> None:
    assume(writable(packet))
    packet = sized(packet)
    assert packet.point is not None
    for link in LINKS:
        data = encode(packet, link)
        assert decode(data, LINK_TYPES[link], len(data)) == on_the_wire(packet.point)
        assert Packet.from_bytes(data, link) == packet.replace(in_interface=None, out_interface=None, state="new")
        assert packet.to_bytes(link) == data


@given(open_packets(WIDE))
def test_open_fields_take_values_that_the_packet_may_have(packet: Packet) -> None:
    assume(writable(packet))
    packet = sized(packet)
    found = Packet.from_bytes(encode(packet))
    assert packet.family == found.family
    for spec in TABLE:
        if spec.field not in (IN, OUT, STATE):
            assert getattr(packet, spec.attribute) in (None, getattr(found, spec.attribute))


def test_plausible_values() -> None:
    def written(protocol: str, sport: int | None = None, dport: int | None = None) -> str:
        src, dst = ("2001:db8::1", "2001:db8::2") if protocol == "icmpv6" else ("10.0.0.1", "10.0.0.2")
        return str(Packet.from_bytes(encode(Packet.of(protocol, src, dst, sport=sport, dport=dport))).without(DETAILS))

    assert written("tcp") == "tcp 10.0.0.1:49152 -> 10.0.0.2:80 flags syn"
    assert written("udp") == "udp 10.0.0.1:49152 -> 10.0.0.2:53"
    assert written("udp", dport=123) == "udp 10.0.0.1:49152 -> 10.0.0.2:123"
    assert written("tcp", sport=80) == "tcp 10.0.0.1:80 -> 10.0.0.2:49152 flags syn"
    assert written("tcp", sport=50000) == "tcp 10.0.0.1:50000 -> 10.0.0.2:80 flags syn"
    assert written("tcp", dport=50000) == "tcp 10.0.0.1:80 -> 10.0.0.2:50000 flags syn"
    assert written("icmp") == "icmp 10.0.0.1 -> 10.0.0.2 type 8 code 0"
    assert written("icmpv6") == "icmpv6 2001:db8::1 -> 2001:db8::2 type 128 code 0"


def test_all_of_a_tcp_packet() -> None:
    head = bytes.fromhex("45000028 0000 0000 40 06 6abd 05060708 01020304".replace(" ", ""))
    body = bytes.fromhex("0405 0050 00000000 00000000 5002 ffff".replace(" ", ""))
    assert encode(WEB)[:36] == head + body
    assert encode(WEB, "ethernet")[12:14] == b"\x08\0"
    assert len(encode(WEB)) == 40


def protocols() -> Iterator[Packet]:
    for family, src, dst in (("4", "10.0.0.1", "192.0.2.80"), ("6", "2001:db8::1", "2001:db8::50")):
        for protocol in ("tcp", "udp", "udplite", "dccp", "icmp" if family == "4" else "icmpv6"):
            yield Packet.of(protocol, src, dst)


@pytest.mark.parametrize("packet", list(protocols()), ids=lambda packet: f"{packet.family}-{packet.protocol}")
def test_checksums(packet: Packet) -> None:
    data = encode(packet)
    size = 20 if packet.family == 4 else 40
    if packet.family == 4:
        assert sum_of_words(data[:20]) == 0
    assert sum_of_words(pseudo(packet, data[size:]) + data[size:]) == 0


def pseudo(packet: Packet, datagram: bytes) -> bytes:
    """The pseudo-header of RFC 768 and RFC 8200; ICMP over IPv4 has none."""
    if packet.protocol == 1:
        return b""
    size = 4 if packet.family == 4 else 16
    addresses = packet.src.to_bytes(size, "big") + packet.dst.to_bytes(size, "big")
    return addresses + struct.pack(">II", len(datagram), packet.protocol)


def test_fragments_are_parts_of_one_datagram() -> None:
    for whole in protocols():
        size = 20 if whole.family == 4 else 48
        first = encode(whole.replace(fragment="first"))
        none = dict.fromkeys(("sport", "dport", "flags", "icmp_type", "icmp_code"))
        later = encode(whole.replace(fragment="later", **none))
        datagram = first[size:] + later[size:]
        assert (len(first), len(later)) == (size + 24, size + 8)
        assert sum_of_words(pseudo(whole, datagram) + datagram) == 0
        fields = [
            (data[6] << 8 | data[7]) if whole.family == 4 else (data[42] << 8 | data[43]) for data in (first, later)
        ]
        assert fields == ([0x2000, 3] if whole.family == 4 else [1, 3 << 3])
        if whole.protocol == 17:
            assert datagram[4:6] == b"\0\x20"


def test_the_crc_of_sctp() -> None:
    """Against a table-driven CRC32c, whose check value is RFC 3720's."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 * (byte & 1))
        table.append(byte)

    def crc32c(data: bytes) -> int:
        crc = 0xFFFFFFFF
        for byte in data:
            crc = crc >> 8 ^ table[(crc ^ byte) & 255]
        return crc ^ 0xFFFFFFFF

    assert crc32c(bytes(32)) == 0x8A9136AA
    datagram = encode(Packet.of("sctp", "10.0.0.1", "10.0.0.2"))[20:]
    assert struct.unpack("<I", datagram[8:12]) == (crc32c(datagram[:8] + bytes(4) + datagram[12:]),)
    assert len(datagram) == 32


def test_a_udp_checksum_is_never_zero() -> None:
    seen = set()
    for sport in range(0xE7A6 - 3, 0xE7A6 + 1030):
        packet = Packet.of("udp", "10.0.0.1", "10.0.0.2", sport=sport, dport=53)
        data = encode(packet)
        seen.add(data[26:28])
        assert sum_of_words(pseudo(packet, data[20:]) + data[20:]) == 0
    assert b"\xff\xff" in seen
    assert b"\0\0" not in seen


def test_protocol_59_of_ipv6_has_nothing_behind_it() -> None:
    assert len(encode(Packet.of(59, "::1", "::2"))) == 40
    assert len(encode(Packet.of(59, "10.0.0.1", "10.0.0.2"))) == 28


@pytest.mark.parametrize("protocol", sorted(STEPPED_THROUGH))
def test_an_extension_header_is_no_protocol_to_end_with(protocol: int) -> None:
    """Packet 44 over IPv6 would be read back as whatever follows a fragment header."""
    with pytest.raises(PacketError, match="stepped through"):
        encode(Packet(6, protocol, 1, 2))
    with pytest.raises(PacketError):
        encode(Packet(6, protocol, 1, 2, fragment="first"))
    later = Packet(6, protocol, 1, 2, fragment="later")
    assert Packet.from_bytes(encode(later)).without(DETAILS) == later
    assert Packet.from_bytes(encode(Packet(4, protocol, 1, 2))).without(DETAILS) == Packet(4, protocol, 1, 2)


def test_unknown_links() -> None:
    for call in (lambda: encode(WEB, "ppp"), lambda: write_pcap(io.BytesIO(), [WEB], "ppp")):
        with pytest.raises(PacketError, match="unknown link type `ppp`"):
            call()


# --- files

SOME = [
    WEB,
    Packet.of("udp", "2001:db8::1", "2001:db8::2", sport=53, dport=4000),
    Packet.of("icmp", "10.0.0.1", "10.0.0.2", icmp_type=8, icmp_code=0),
    Packet.of(47, "10.0.0.1", "10.0.0.2", fragment="later"),
]


@pytest.mark.parametrize("link", LINKS)
def test_pcap_files(link: str, tmp_path: Path) -> None:
    file = tmp_path / "some.pcap"
    assert write_pcap(file, SOME * 600, link) == 2400
    with open_capture(file) as capture:
        records = list(capture)
    assert [Packet.from_bytes(record[0], link).without(DETAILS) for record in records] == SOME * 600
    assert {record[2] for record in records} == {LINK_TYPES[link]}
    assert [record[5] for record in records[:3]] == [0, 10**6, 2 * 10**6]
    assert records[-1][5] == 2399 * 10**6
    stream = io.BytesIO()
    write_pcap(stream, (encode(packet, link) for packet in SOME * 600), link)
    assert stream.getvalue() == file.read_bytes(), "the same packets make the same file"


def test_tcpdump_finds_nothing_wrong(tmp_path: Path) -> None:
    if shutil.which("tcpdump") is None:
        pytest.skip("no tcpdump here")
    file = tmp_path / "some.pcap"
    write_pcap(file, [*protocols(), *SOME])
    done = subprocess.run(["tcpdump", "-nnvvr", file], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") >= 14
    text = done.stdout.replace("domain [length 0 < 12] (invalid)", "")  # a datagram to port 53 that asks nothing
    for word in ("bad", "invalid", "wrong", "incorrect", "truncated", "[|"):
        assert word not in text


def test_pcapng_files_carry_interfaces(tmp_path: Path) -> None:
    file = tmp_path / "some.pcapng"
    wan, lan = WEB.replace(in_interface="wan0"), WEB.replace(out_interface="lan é", in_interface="")
    assert write_pcapng(file, [wan, lan, WEB, wan, lan]) == 5
    with open_capture(file) as capture:
        records = list(capture)
    assert [record[3:] for record in records] == [
        ("wan0", "", 0),
        ("", "lan é", 10**6),
        ("", "", 2 * 10**6),
        ("wan0", "", 3 * 10**6),
        ("", "lan é", 4 * 10**6),
    ]
    assert {record[0] for record in records} == {encode(WEB, "ethernet")}
    with pytest.raises(PacketError, match="a pcapng record has one interface, not both `a` and `b`"):
        write_pcapng(file, [WEB.replace(in_interface="a", out_interface="b")])
    if shutil.which("tcpdump"):
        done = subprocess.run(["tcpdump", "-r", file, "--count"], capture_output=True, text=True, check=True)
        assert done.stdout.startswith("5 packets")


def test_a_file_is_complete_or_does_not_appear(tmp_path: Path) -> None:
    def packets_and_then_none() -> Iterator[Packet]:
        yield WEB
        raise KeyboardInterrupt

    file = tmp_path / "some.pcap"
    for _ in range(2):
        before = file.read_bytes() if file.exists() else None
        for write in (write_pcap, write_pcapng):
            with pytest.raises(KeyboardInterrupt):
                write(file, packets_and_then_none())
            assert list(tmp_path.iterdir()) == ([] if before is None else [file])
            assert before is None or file.read_bytes() == before
        write_pcap(file, [WEB])
    assert stat.S_IMODE(file.stat().st_mode) & 0o600 == 0o600


def test_links_are_followed_and_devices_are_written_to(tmp_path: Path) -> None:
    file, link = tmp_path / "some.pcap", tmp_path / "link.pcap"
    write_pcap(file, [])
    link.symlink_to(file)
    write_pcap(link, [WEB])
    assert link.is_symlink()
    assert file.stat().st_size == 24 + 16 + 54
    assert write_pcap(os.devnull, [WEB]) == 1
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize(("name", "reason"), [("none/some.pcap", "no such file"), (".", "is a directory")])
def test_files_that_cannot_be_written(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=reason) as caught:
        write_pcap(tmp_path / name, [WEB])
    assert caught.value.code == "FW905"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(CaptureError, match="no space left on device"):
        write_pcap("/dev/full", [WEB] * 1000)


def test_addresses_of_both_families() -> None:
    data = encode(Packet(6, 59, (1 << 128) - 1, 0))
    found = decode(data, 101, len(data))
    assert isinstance(found, tuple)
    assert found[1:3] == (V6_BASE + (1 << 128) - 1, V6_BASE)
