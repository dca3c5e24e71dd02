"""Captures through policies: the counts are those of `decide`, packet for packet."""

from __future__ import annotations

import datetime
import struct
from collections import Counter
from pathlib import Path

import pytest
from support.generators import SMALL, random_points, random_policy

from fwengine.errors import CaptureError, PacketError, Span
from fwengine.model.box import Box
from fwengine.model.fields import DPORT, DSCP, IN, PROTOCOL, STATE, STEPPED_THROUGH, Point, interface_number
from fwengine.model.interval import IntervalSet
from fwengine.model.packet import Packet
from fwengine.model.rules import ALLOW, DENY, Rule
from fwengine.model.ruleset import decide
from fwengine.packets.encode import encode, write_pcap, write_pcapng
from fwengine.policy import Policy
from fwengine.traffic import count
from fwengine.traffic.count import evaluate_capture, iterate
from fwengine.traffic.sums import CaptureReport, RuleCount

SINGLE = IntervalSet.single
NOT_IP = bytes(12) + b"\x08\x06" + bytes(28)


def web(port: int) -> Packet:
    return Packet.of("tcp", "5.6.7.8", "1.2.3.4", sport=1029, dport=port, flags=2)


def rule(action: object, name: str | None, line: int, **conditions: int) -> Rule:
    fields = {"dport": DPORT, "protocol": PROTOCOL, "in_": IN, "state": STATE}
    box = Box.of({fields[word]: SINGLE(value) for word, value in conditions.items()})
    return Rule(action, (box,), name, span=Span("edge.fwl", line, 1, line, 9))  # type: ignore[arg-type]  # ALLOW or DENY


EDGE = Policy(
    (
        rule(DENY, "spoofed", 3, in_=interface_number("wan0"), dport=22),
        rule(ALLOW, "web", 4, protocol=6, dport=80),
        rule(ALLOW, None, 5, protocol=6, dport=22),
        rule(DENY, "established", 6, state=1),
    ),
    as_of=datetime.date(2026, 11, 21),
)


def counts(report: CaptureReport) -> dict[str, int]:
    return {row.label: row.packets for row in report.rules if row.packets}


def totals(report: CaptureReport) -> tuple[int, ...]:
    return report.packets, report.allow, report.deny, report.not_ip, report.malformed, report.truncated


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "capture.pcap"


ASKED = "rules ask for `in`, and the capture records no such interface: `--in NAME` states one"


def test_counts(file: Path) -> None:
    tcp = encode(web(80), "ethernet")
    frames: list[Packet | bytes] = [
        web(80),
        web(80),
        web(22),
        web(443),
        NOT_IP,
        tcp[:40] + bytes(20),
        tcp[:14] + b"\x41" + tcp[15:],
        tcp,
    ]
    write_pcap(file, frames)
    report = evaluate_capture(EDGE, file)
    assert totals(report) == (8, 4, 3, 1, 2, 0)
    assert report.rules == (
        RuleCount(0, "spoofed", "edge.fwl", 3, DENY, 0, 0),
        RuleCount(1, "web", "edge.fwl", 4, ALLOW, 3, 162),
        RuleCount(2, "edge.fwl:5", "edge.fwl", 5, ALLOW, 1, 54),
        RuleCount(3, "established", "edge.fwl", 6, DENY, 0, 0),
        RuleCount(None, "default", None, None, DENY, 1, 54),
    )
    assert (report.file, report.error, report.notes) == (str(file), None, (ASKED,))
    assert report == evaluate_capture(EDGE, str(file)), "nothing is remembered from one run to the next"


def test_bytes_are_those_on_the_wire(file: Path) -> None:
    write_pcap(file, [])
    frame = encode(web(80), "ethernet")[:50]
    data = file.read_bytes() + struct.pack("<IIII", 0, 0, 50, 1514) + frame
    data += struct.pack("<IIII", 0, 0, 35, 1514) + frame[:35]
    file.write_bytes(data)
    report = evaluate_capture(EDGE, file)
    assert totals(report) == (2, 1, 1, 0, 0, 1)
    assert report.rules[1].bytes == 1514
    assert sum(row.packets for row in report.rules) == 1, "a truncated packet whose fate is open is not a rule's"


def test_what_cannot_be_decoded_is_denied_even_if_all_is_allowed(file: Path) -> None:
    malformed = encode(web(80), "ethernet")[:47]
    write_pcap(file, [malformed, NOT_IP, web(80)])
    report = evaluate_capture(Policy((), ALLOW), file)
    assert (report.packets, report.allow, report.deny, report.not_ip) == (3, 1, 1, 1)
    assert report.malformed + report.truncated == 1


def test_interfaces_that_the_capture_records(file: Path) -> None:
    ssh = web(22)
    write_pcapng(file, [ssh.replace(in_interface="wan0"), ssh.replace(in_interface="lan0"), ssh, web(80)])
    assert counts(evaluate_capture(EDGE, file)) == {"spoofed": 1, "edge.fwl:5": 2, "web": 1}
    report = evaluate_capture(EDGE, file, inbound="wan0")
    assert counts(report) == {"spoofed": 3, "web": 1}
    note = "the capture records other interfaces than the stated `in wan0`, which is taken instead"
    assert report.notes == (note,)
    assert counts(evaluate_capture(EDGE, file, inbound="")) == {"edge.fwl:5": 3, "web": 1}
    write_pcapng(file, [ssh.replace(out_interface="wan0")])
    assert counts(evaluate_capture(EDGE, file)) == {"edge.fwl:5": 1}
    assert [outcome.point[9:DSCP] for outcome in iterate(EDGE, file, outbound="x") if outcome.point] == [
        (0, interface_number("x"), 0)
    ]


def test_interfaces_that_are_stated(file: Path) -> None:
    write_pcap(file, [web(22)])
    assert counts(evaluate_capture(EDGE, file)) == {"edge.fwl:5": 1}
    report = evaluate_capture(EDGE, file, inbound="wan0")
    assert counts(report) == {"spoofed": 1}
    assert report.notes == ()


def test_the_state_that_is_stated(file: Path) -> None:
    write_pcap(file, [web(443)])
    assert counts(evaluate_capture(EDGE, file)) == {"default": 1}
    assert counts(evaluate_capture(EDGE, file, state="established")) == {"established": 1}


def test_what_cannot_be_stated(file: Path) -> None:
    write_pcap(file, [])
    with pytest.raises(PacketError, match="state is one of new, established"):
        evaluate_capture(EDGE, file, state="old")
    with pytest.raises(PacketError, match="an interface name has at most"):
        evaluate_capture(EDGE, file, inbound="x" * 256)


def test_a_rule_that_has_ended_decides_nothing(file: Path) -> None:
    write_pcap(file, [web(80)])
    ended = Rule(ALLOW, EDGE.rules[1].boxes, "web", until=datetime.date(2026, 11, 20))
    assert counts(evaluate_capture(Policy((ended,), as_of=datetime.date(2026, 11, 20)), file)) == {"web": 1}
    assert counts(evaluate_capture(Policy((ended,), as_of=datetime.date(2026, 11, 21)), file)) == {"default": 1}


def test_a_damaged_capture_gives_the_counts_before_the_damage(file: Path) -> None:
    write_pcap(file, [web(80), web(22), web(80)])
    file.write_bytes(file.read_bytes()[:-1])
    report = evaluate_capture(EDGE, file)
    assert counts(report) == {"web": 1, "edge.fwl:5": 1}
    assert report.error is not None
    assert (report.error.code, report.error.packets) == ("FW902", 2)
    outcomes = iterate(EDGE, file)
    assert [next(outcomes).number for _ in range(2)] == [0, 1]
    with pytest.raises(CaptureError, match="FW902"):
        next(outcomes)


def test_no_capture_at_all(tmp_path: Path) -> None:
    report = evaluate_capture(EDGE, tmp_path)
    assert totals(report) == (0, 0, 0, 0, 0, 0)
    assert report.error is not None
    assert report.error.code == "FW905"
    assert len(report.rules) == 5


def test_notes_on_link_types(file: Path) -> None:
    write_pcap(file, [web(80)])
    data = bytearray(file.read_bytes())
    data[20] = 249
    file.write_bytes(data)
    report = evaluate_capture(EDGE, file)
    assert totals(report) == (1, 0, 0, 1, 0, 0)
    assert report.notes == ("link type 249 (USB) is not decoded: its 1 frame counts as not-ip",)
    assert report.kinds == (("link type 249 (USB)", 1),)
    write_pcap(file, [])
    assert evaluate_capture(EDGE, file).notes == ()  # of link types that no frame has there is nothing to tell


def test_progress(file: Path) -> None:
    write_pcap(file, [web(80)] * 20_000)
    size = file.stat().st_size
    for run in (evaluate_capture, lambda *a, **k: list(iterate(*a, **k))):
        seen: list[tuple[int, int | None]] = []
        run(EDGE, file, progress=lambda position, whole, seen=seen: seen.append((position, whole)))  # type: ignore[misc]  # default binds
        assert len(seen) > 2
        assert seen == sorted(seen)
        assert seen[-1] == (size, size)


def test_outcomes(file: Path) -> None:
    write_pcap(file, [web(80), NOT_IP, web(1), bytes(4)])
    found = list(iterate(EDGE, file))
    assert [(outcome.number, outcome.kind, outcome.rule) for outcome in found] == [
        (0, "ip", 1),
        (1, "not-ip", None),
        (2, "ip", 4),
        (3, "malformed", None),
    ]
    whole = web(80).replace(in_interface="", out_interface="", dscp=0, ttl=64, length=40)
    assert found[0].point == whole.point
    assert (found[1].point, found[1].wire_length) == (None, 42)


def recordable(point: Point) -> Packet | None:
    """The packet, if a pcapng record can carry it."""
    packet = Packet.from_point(point).replace(state="new")
    if packet.in_interface and packet.out_interface:
        packet = packet.replace(out_interface="")
    if packet.family == 6 and packet.fragment != "later" and packet.protocol in STEPPED_THROUGH:
        return None
    return packet if packet.length in (84, 85, 100) else packet.replace(length=86)


@pytest.mark.parametrize("remembered", [count._REMEMBERED, 20])
def test_the_counts_are_those_of_decide(remembered: int, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while verdicts are forgotten all the time."""
    monkeypatch.setattr(count, "_REMEMBERED", remembered)
    for seed in range(40):
        policy = random_policy(seed, SMALL)
        packets = [packet for point in random_points(seed, SMALL, policy, 150) if (packet := recordable(point))]
        write_pcapng(file, packets)
        verdicts = [decide(policy, packet) for packet in packets]
        report = evaluate_capture(policy, file)
        assert [outcome.rule for outcome in iterate(policy, file)] == [verdict.index for verdict in verdicts]
        expected = Counter(verdict.index for verdict in verdicts)
        assert [row.packets for row in report.rules] == [expected[i] for i in range(len(policy.rules) + 1)]
        assert report.allow == sum(verdict.action is ALLOW for verdict in verdicts)
        assert report.packets == len(packets) == report.allow + report.deny
        assert sum(row.bytes for row in report.rules) == sum(len(encode(packet, "ethernet")) for packet in packets)


def test_many_interface_names(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count, "_NAMES", 3)
    write_pcapng(file, [web(22).replace(in_interface=f"wan{n % 9}") for n in range(50)])
    assert counts(evaluate_capture(EDGE, file)) == {"spoofed": 6, "edge.fwl:5": 44}
