"""What captures record besides packets, by both engines: interfaces, what a firewall did, and what frames without IP hold."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from fwengine import native
from fwengine.model.packet import Packet
from fwengine.packets.encode import encode
from fwengine.policy import Policy, loads
from fwengine.report.counts import merged
from fwengine.report.style import Style
from fwengine.report.tallies import CaptureTally
from fwengine.report.tally_lines import rule_lines
from fwengine.traffic.count import Engine, evaluate_capture, iterate
from fwengine.traffic.sums import CaptureReport, RecordedCount

ENGINES: list[object] = [
    "tree",
    pytest.param("native", marks=pytest.mark.skipif(not native.available(), reason="no native module")),
]
engines = pytest.mark.parametrize("engine", ENGINES)

POLICY: Policy = loads("""\
deny tcp from any in em1 as guests
allow tcp to any port 22 as ssh
allow any from any out em0 as leaving
""")


def tcp(dport: int) -> bytes:
    return encode(Packet.of("tcp", "10.0.0.1", "10.0.0.2", sport=40000, dport=dport, flags=2))


def pflog(body: bytes, name: bytes, action: int, way: int) -> bytes:
    head = bytes([61, 2, action, 0]) + name.ljust(16, b"\0") + bytes(16) + struct.pack(">II", 4, 0xFFFFFFFF) + bytes(16)
    return (head + bytes([way])).ljust(64, b"\0") + body


def pcap(link: int, *frames: bytes) -> bytes:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, link)
    return head + b"".join(struct.pack("<IIII", 0, 0, len(data), len(data)) + data for data in frames)


def block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) & 3)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def pcapng(link: int, name: bytes, *frames: bytes) -> bytes:
    option = struct.pack("<HH", 2, len(name)) + name + bytes(-len(name) & 3) + bytes(4)
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(
        1, struct.pack("<HHI", link, 0, 0) + option
    )
    return out + b"".join(block(6, struct.pack("<IIIII", 0, 0, 0, len(f), len(f)) + f) for f in frames)


def report(data: bytes, folder: Path, engine: Engine, policy: Policy = POLICY) -> CaptureReport:
    path = folder / "capture"
    path.write_bytes(data)
    return evaluate_capture(policy, path, engine=engine)


LOG = (
    pflog(tcp(22), b"em0", 0, 1),  # passed, and allowed here
    pflog(tcp(22), b"em1", 0, 1),  # passed, and denied here by `guests`
    pflog(tcp(23), b"em0", 1, 2),  # blocked, and allowed here as it leaves by em0
    pflog(tcp(23), b"em0", 1, 1),  # blocked, and denied here
    pflog(tcp(23), b"em0", 8, 1),  # neither
    pflog(tcp(22)[:15], b"em0", 0, 1),  # passed, and here a packet without addresses
)


@engines
@pytest.mark.parametrize(
    "wrap", [lambda *f: pcap(117, *f), lambda *f: pcapng(117, b"pflog0", *f)], ids=["pcap", "pcapng"]
)
def test_a_log_of_pf_tells_interfaces_and_what_was_done(engine: Engine, wrap: object, tmp_path: Path) -> None:
    found = report(wrap(*LOG), tmp_path, engine)  # type: ignore[operator]  # one of the two
    assert found.recorded == RecordedCount(passed_allowed=1, passed_denied=2, blocked_allowed=1, blocked_denied=1)
    assert {row.label: row.packets for row in found.rules if row.packets} == {
        "guests": 1,
        "ssh": 1,
        "leaving": 1,
        "default": 2,
    }
    assert found.notes == ()
    told = CaptureTally.of(found, POLICY).to_dict()
    assert told["recorded"] == found.recorded._asdict()
    assert rule_lines(CaptureTally.of(found, POLICY), Style(False))[-2:] == [
        "recorded as passed:  1 allowed, 2 denied by this policy",
        "recorded as blocked: 1 denied, 1 allowed by this policy",
    ]
    both = merged([found, found])
    assert both.recorded == RecordedCount(2, 4, 2, 2)


@engines
def test_captures_that_record_no_action_say_nothing_of_it(engine: Engine, tmp_path: Path) -> None:
    found = report(pcap(101, tcp(22)), tmp_path, engine)
    assert found.recorded is None
    assert CaptureTally.of(found, POLICY).recorded is None
    assert merged([found, found]).recorded is None


@engines
def test_stated_interfaces_overrule_a_log(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(pcap(117, *LOG[:2]))
    found = evaluate_capture(POLICY, path, engine=engine, inbound="em1")
    assert {row.label: row.packets for row in found.rules if row.packets} == {"guests": 2}
    assert "the capture records other interfaces than the stated `in em1`, which is taken instead" in found.notes


@engines
def test_more_interfaces_than_are_remembered(engine: Engine, tmp_path: Path) -> None:
    frames = [pflog(tcp(22), b"if%d" % (n % 3000), 0, 1 + n % 2) for n in range(9000)]
    policy = loads("".join(f"deny tcp from any in if{n} as r{n}\n" for n in range(0, 3000, 600)) + "allow tcp\n")
    found = report(pcap(117, *frames), tmp_path, engine, policy)
    assert {row.label: row.packets for row in found.rules if row.packets} == {
        **{f"r{n}": sum(1 for k in range(9000) if k % 3000 == n and not k % 2) for n in range(0, 3000, 600)},
        found.rules[-2].label: 9000 - 15,
    }


@engines
@pytest.mark.parametrize(
    "name", [b"Unknown/not available in original file format(libpcap)", b"-", b"unknown", b"", b"/dev/fd/63"]
)
def test_a_name_that_names_no_interface_is_none(engine: Engine, name: bytes, tmp_path: Path) -> None:
    """The same frames fare alike as pcap and as the pcapng that an old Wireshark made of it."""
    policy = loads("default allow\ndeny tcp from any in not lan0\n")
    plain, made = (
        report(pcap(101, tcp(22)), tmp_path, engine, policy),
        report(pcapng(101, name, tcp(22)), tmp_path, engine, policy),
    )
    assert (plain.allow, plain.notes) == (made.allow, made.notes) == (1, plain.notes)
    real = report(pcapng(101, b"wan0", tcp(22)), tmp_path, engine, policy)
    assert (real.allow, real.notes) == (0, ())


MIXED = pcap(
    1,
    *[bytes(12) + b"\x08\x06" + bytes(28)] * 3,
    bytes(12) + b"\0\x26\x42\x42\x03" + bytes(50),
    bytes(12) + b"\x08\0" + tcp(22),
    *[bytes(12) + b"\x42\x42" + bytes(28)] * 2,
)


@engines
def test_frames_without_ip_are_counted_by_what_they_hold(engine: Engine, tmp_path: Path) -> None:
    found = report(MIXED, tmp_path, engine)
    kinds = [("ethertype 0x0806 (ARP)", 3), ("ethertype 0x4242", 2), ("LLC 42/42 (spanning tree)", 1)]
    assert (found.not_ip, [tuple(kind) for kind in found.kinds]) == (6, kinds)
    assert found.notes == (
        "rules ask for `in`, and the capture records no such interface: `--in NAME` states one",
        "rules ask for `out`, and the capture records no such interface: `--out NAME` states one",
    )
    assert CaptureTally.of(found, POLICY).to_dict()["kinds"] == [
        {"what": what, "packets": packets} for what, packets in kinds
    ]
    assert rule_lines(CaptureTally.of(found, POLICY), Style(False))[-4:] == [
        "not IP:",
        "  3  ethertype 0x0806 (ARP)",
        "  2  ethertype 0x4242",
        "  1  LLC 42/42 (spanning tree)",
    ]
    assert [tuple(kind) for kind in merged([found, found]).kinds] == [(what, 2 * packets) for what, packets in kinds]


@engines
def test_a_link_type_is_noted_where_frames_have_it(engine: Engine, tmp_path: Path) -> None:
    described = block(1, struct.pack("<HHI", 274, 0, 0))
    without = pcapng(101, b"wan0", tcp(22))
    found = report(without + described, tmp_path, engine)
    assert not [note for note in found.notes if "link type" in note]
    frames = block(6, struct.pack("<IIIII", 1, 0, 0, 4, 4) + bytes(4))
    found = report(without + described + frames + frames, tmp_path, engine)
    assert found.notes[0] == "link type 274 (Ethernet with preamble) is not decoded: its 2 frames count as not-ip"


@engines
def test_many_kinds_are_shown_in_part(engine: Engine, tmp_path: Path) -> None:
    frames = [bytes(12) + struct.pack(">H", 0x4000 + n) + bytes(9) for n in range(30)]
    lines = rule_lines(CaptureTally.of(report(pcap(1, *frames), tmp_path, engine), POLICY), Style(False))
    assert lines[-2:] == ["  1  ethertype 0x400a", "  19  of 19 other kinds"]


def test_outcomes_tell_both(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(pcap(117, *LOG[:1]))
    (outcome,) = iterate(POLICY, path)
    assert outcome.recorded is not None
    assert outcome.recorded.text == "pass by rule 4"
    path.write_bytes(MIXED)
    assert [outcome.what for outcome in iterate(POLICY, path)][:5] == [1 << 16 | 0x0806] * 3 + [2 << 16 | 0x4242, None]
