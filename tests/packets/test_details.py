"""dscp, ttl and length: what both decoders read, what is written, and what tcpdump says of the same bytes."""

from __future__ import annotations

import io
import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwengine.errors import PacketError
from fwengine.model.fields import DETAILS, DSCP, FRAGMENTS, LENGTH, TTL, Point
from fwengine.native import available, decode_capture
from fwengine.packets.encode import encode, least_length, write_pcap
from fwengine.packets.wire import decode, decode_any
from fwengine.traffic.codec import Packet

IP, ETHERNET = 101, 1
ENDS = {4: ("10.0.0.1", "192.0.2.80"), 6: ("2001:db8::1", "2001:db8::50")}


def made(family: int, protocol: int | str, fragment: str = "whole", **details: Any) -> Packet:
    return Packet.of(protocol, *ENDS[family], fragment=fragment, **details)


def details(point: Point | str) -> tuple[int, ...] | str:
    return point if isinstance(point, str) else point[DSCP : LENGTH + 1]


def read(data: bytes, link: int = IP, wire: int | None = None) -> tuple[int, ...] | str:
    """What the decoders say, all of them."""
    wire = len(data) if wire is None else wire
    found = decode(data, link, wire)
    assert found == decode_any(data, link, wire)
    if available():
        head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, link)
        record = struct.pack("<IIII", 0, 0, len(data), wire)
        ((natively, _),) = decode_capture(io.BytesIO(head + record + data))
        assert natively == found
    return details(found)


PROTOCOLS = {4: (6, 17, 136, 33, 132, 1, 47, 58, 255), 6: (6, 17, 136, 33, 132, 58, 47, 1, 59, 255)}
KINDS = [(family, p, fragment) for family in (4, 6) for p in PROTOCOLS[family] for fragment in FRAGMENTS]


@pytest.mark.parametrize(("family", "protocol", "fragment"), KINDS)
@pytest.mark.parametrize("link", ["ip", "ethernet"])
def test_what_is_written_is_read_by_both_decoders(family: int, protocol: int, fragment: str, link: str) -> None:
    number = IP if link == "ip" else ETHERNET
    least = least_length(family, protocol, FRAGMENTS.index(fragment))
    for dscp in (0, 1, 46, 63):
        for ttl in (0, 1, 64, 255):
            packet = made(family, protocol, fragment, dscp=dscp, ttl=ttl, length=max(least, 577))
            assert read(encode(packet, link), number) == (dscp, ttl, 577)
    most = 65535 if family == 4 else 65575
    for length in (least, least + 1, least + 2, least + 7, 1500, most):
        data = encode(made(family, protocol, fragment, length=length))
        assert len(data) == length
        assert read(data) == (0, 64, length)
    for length in (least - 1, most + 1):
        if 0 <= length <= 65575:
            with pytest.raises(PacketError, match=f"has a length from {least} to {most}, not {length}"):
                encode(made(family, protocol, fragment, length=length))
    unstated = encode(made(family, protocol, fragment))
    assert read(unstated) == (0, 64, len(unstated))


@pytest.mark.parametrize(
    ("family", "protocol"), [(4, 6), (4, 17), (4, 136), (4, 1), (6, 6), (6, 17), (6, 136), (6, 58)]
)
@pytest.mark.parametrize("length", [84, 85, 576, 1499])
def test_checksums_of_packets_of_any_length(family: int, protocol: int, length: int) -> None:
    def total(data: bytes) -> int:
        data += bytes(len(data) & 1)
        return sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)) % 0xFFFF

    packet = made(family, protocol, length=length, dscp=46, ttl=3)
    data = encode(packet)
    size, at = (4, 20) if family == 4 else (16, 40)
    if family == 4:
        assert total(data[:20]) == 0
    body = data[at:]
    pseudo = b"".join(x.to_bytes(size, "big") for x in (packet.src, packet.dst)) + struct.pack(
        ">II", len(body), protocol
    )
    assert total(body if protocol == 1 else pseudo + body) == 0


def test_padding_behind_a_packet_is_not_its_own() -> None:
    frame = encode(made(4, "udp"), "ethernet")
    assert read(frame + bytes(60 - len(frame)), ETHERNET) == (0, 64, 28)
    assert read(frame[:42], ETHERNET, 1514) == (0, 64, 28)


def test_the_two_bits_of_ecn_are_not_the_dscp() -> None:
    four, six = bytearray(encode(made(4, 47, dscp=46))), bytearray(encode(made(6, 47, dscp=46)))
    for ecn in range(4):
        four[1] = 46 << 2 | ecn
        six[0:2] = (6 << 12 | (46 << 2 | ecn) << 4 | 0xF).to_bytes(2, "big")  # and some of the flow label
        assert read(bytes(four)) == (46, 64, 28)
        assert read(bytes(six)) == (46, 64, 48)


def test_of_an_offloaded_packet_the_length_is_that_on_the_wire_up_to_the_most_there_is() -> None:
    data = bytearray(encode(made(4, "tcp", length=1500)))
    data[2:4] = b"\0\0"
    assert read(bytes(data)) == (0, 64, 1500)
    assert read(bytes(data), wire=9000) == (0, 64, 9000)
    for wire in (65575, 65576, 200_000):
        assert read(bytes(data), wire=wire) == (0, 64, 65575)


def test_extension_headers_count_in_the_length() -> None:
    packet = made(6, "udp")
    data = bytearray(encode(packet))
    data[6] = 60  # destination options
    data[40:40] = bytes([17, 0, 1, 4, 0, 0, 0, 0])
    data[4:6] = (16).to_bytes(2, "big")
    assert read(bytes(data)) == (0, 64, 56)


@given(st.integers(0, 63), st.integers(0, 255), st.sampled_from([4, 6]), st.integers(40, 1500))
def test_bytes_and_text_and_back(dscp: int, ttl: int, family: int, length: int) -> None:
    packet = made(family, 47, dscp=dscp, ttl=ttl, length=length + 1)
    assert Packet.from_bytes(packet.to_bytes()) == packet
    assert Packet.parse(str(packet)) == packet


TCPDUMP = shutil.which("tcpdump")


@pytest.mark.skipif(TCPDUMP is None, reason="needs tcpdump")
@pytest.mark.parametrize("family", [4, 6])
def test_tcpdump_says_the_same(family: int, tmp_path: Path) -> None:
    packets = [
        made(family, protocol, dscp=dscp, ttl=ttl, length=length)
        for protocol in ("tcp", "udp", "sctp", 47)
        for dscp, ttl, length in ((0, 64, 100), (46, 1, 576), (63, 255, 1500), (1, 2, 77))
    ]
    write_pcap(tmp_path / "some.pcap", packets)
    command = [TCPDUMP or "", "-nn", "-v", "-t", "-r", str(tmp_path / "some.pcap")]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    heads = [line for line in lines if line.startswith("IP")]
    assert len(heads) == len(packets)
    for head, packet in zip(heads, packets, strict=True):
        if family == 4:
            found = re.match(r"IP \(tos 0x([0-9a-f]+),(?:ECT\(\d\) )? ttl (\d+), .* length (\d+)\)", head)
            assert found, head
            assert (int(found[1], 16) >> 2, int(found[2]), int(found[3])) == (packet.dscp, packet.ttl, packet.length)
        else:
            found = re.match(r"IP6 \((?:class 0x([0-9a-f]+), )?.*hlim (\d+), .* payload length: (\d+)\)", head)
            assert found, head
            told = int(found[1] or "0", 16) >> 2, int(found[2]), 40 + int(found[3])
            assert told == (packet.dscp, packet.ttl, packet.length)


def test_every_detail_has_its_test_here() -> None:
    assert DETAILS == (DSCP, TTL, LENGTH)
