"""`eval -r --top`: the flows of captures, beside counts that are those without it."""

from __future__ import annotations

import json
import random
import struct
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from support.commands import run
from support.scripts import load_script

from fwengine import native
from fwengine.errors import CaptureError
from fwengine.model.fields import CODE, DPORT, DST, PROTOCOL, SRC, TYPE
from fwengine.model.rules import ALLOW, DENY
from fwengine.packets.capture import open_capture
from fwengine.packets.encode import write_pcap
from fwengine.policy import Policy, loads
from fwengine.report.choice import EVERY, Choice
from fwengine.report.flows import chosen_for_top, flow_lines, flows_of, service_word
from fwengine.report.style import Style
from fwengine.traffic.codec import Packet
from fwengine.traffic.count import evaluate_capture, iterate
from fwengine.traffic.flows import MOST_FLOWS, Flow, FlowTable, Takes, count_flows, flow_table

load_script("fuzz/frame_generator.py")  # before those that import it
generator = load_script("fuzz/capture_generator.py")
captures = load_script("fuzz/native_captures.py")

_HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
POLICY = (
    "allow tcp from any to any port { 80, 443 } as web\ndeny udp to any port 53 as dns\nallow icmp in wan0\nallow 47\n"
)


@pytest.fixture(params=["tree", "native"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "native" and not native.available():
        pytest.skip("the native module is not here")
    return str(request.param)


def made(policy: Policy, takes: Takes, engine: str, most: int = MOST_FLOWS) -> FlowTable:
    table = FlowTable(takes, most, native.classifier(policy) if engine == "native" else None)
    assert (table.sums is not None) == (engine == "native")
    return table


@pytest.fixture(params=range(0, 200, 4))
def capture(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    draw = random.Random(request.param)
    data = generator.generate(draw)
    path = tmp_path / "x.pcap"
    path.write_bytes(captures.damaged(draw, data) if request.param % 3 == 0 else data)
    return path


def test_the_counts_are_those_without_flows(capture: Path, engine: str) -> None:
    policy = loads(POLICY)
    for stated in ({}, {"inbound": "wan0", "state": "established"}):
        want = evaluate_capture(policy, capture, engine="tree", **stated)  # type: ignore[arg-type]  # options by name
        found = count_flows(policy, capture, made(policy, EVERY.takes, engine), **stated)  # type: ignore[arg-type]  # likewise
        assert replace(found, error=None) == replace(want, error=None)
        assert str(found.error) == str(want.error)


@pytest.mark.parametrize("chosen", [EVERY, Choice(DENY), Choice(ALLOW), Choice(None, frozenset({0, 4}))])
def test_flows_hold_what_is_chosen_and_nothing_else(capture: Path, chosen: Choice, engine: str) -> None:
    policy = loads(POLICY)
    table = made(policy, chosen.takes, engine)
    count_flows(policy, capture, table)
    want: Counter[tuple[int, ...]] = Counter()
    fieldless = 0
    with suppress(CaptureError):  # which the report has
        for outcome in iterate(policy, capture):
            if chosen.takes(outcome.action, outcome.rule):
                if outcome.point is None or outcome.rule is None:
                    fieldless += 1
                else:
                    point = outcome.point
                    want[outcome.rule, *(point[f] for f in (SRC, DST, PROTOCOL, DPORT, TYPE, CODE))] += 1
    found = table.top(10_000)
    assert {flow[:7]: flow.packets for flow in found} == want
    assert (table.fieldless, table.beyond) == (fieldless, 0)
    assert [flow.packets for flow in found] == sorted((flow.packets for flow in found), reverse=True)
    assert table.top(2) == found[:2]


@pytest.mark.parametrize("most", [1, 3, MOST_FLOWS])
def test_natively_they_are_what_they_are_in_plain_python(capture: Path, most: int) -> None:
    """Times and bytes, too, and what a full table leaves out."""
    if not native.available():
        pytest.skip("the native module is not here")
    policy = loads(POLICY)
    for chosen in (EVERY, Choice(DENY), Choice(ALLOW)):
        both = [made(policy, chosen.takes, engine, most) for engine in ("tree", "native")]
        for _ in range(2):  # the same capture twice: a table serves several
            for table in both:
                count_flows(policy, capture, table)
        assert both[0].top(most) == both[1].top(most)
        assert [(len(t), t.beyond, t.fieldless) for t in both[:1]] == [
            (len(t), t.beyond, t.fieldless) for t in both[1:]
        ]


def test_a_flow_by_several_clocks(tmp_path: Path, engine: str) -> None:
    """Of interfaces that count in microseconds, in 2^-20 s, in seconds, from another second on, and not at all."""
    frame = Packet.parse("udp 10.0.0.1:9 -> 10.0.0.2:53").to_bytes()
    clocks = [
        b"",
        struct.pack("<HHI", 9, 1, 0x94),  # 2^-20 s
        struct.pack("<HHI", 9, 1, 0),  # whole seconds
        struct.pack("<HHq", 14, 8, 7),  # from the seventh second on
    ]
    parts = [_section()]
    parts += [_block(1, struct.pack("<HHI", 101, 0, 0) + clock + bytes(4)) for clock in clocks]
    draw = random.Random(3)
    for n in range(60):
        interface = draw.randrange(4)
        ticks = draw.choice([5, 1 << 33, (1 << 64) - 1, 1_700_000_000_000_000])
        if n % 7 == 6:
            parts.append(_block(3, struct.pack("<I", len(frame)) + frame))
        else:
            parts.append(
                _block(
                    6, struct.pack("<IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame)) + frame
                )
            )
    path = tmp_path / "x.pcapng"
    path.write_bytes(b"".join(parts))
    table = made(loads(POLICY), EVERY.takes, engine)
    count_flows(loads(POLICY), path, table)
    (flow,) = table.top(9)
    with open_capture(path) as opened:
        times = [record[5] for record in opened]
    assert len(set(times)) > 8
    assert (flow.packets, flow.first, flow.last) == (60, min(times), max(times))


def _section() -> bytes:
    return _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def test_one_long_capture_makes_all_of_a_run_native(tmp_path: Path) -> None:
    short, long = tmp_path / "s.pcap", tmp_path / "l.pcap"
    write_pcap(short, [Packet.parse("udp 10.0.0.1:9 -> 10.0.0.2:53")])
    write_pcap(long, [Packet.parse("udp 10.0.0.1:9 -> 10.0.0.2:53")] * 6000)
    policy = loads(POLICY)
    table = flow_table(policy, [short, long], EVERY.takes)
    assert (table.native is not None) == native.available()
    assert flow_table(policy, [short], EVERY.takes).native is None
    for path in (short, long):
        count_flows(policy, path, table)
    assert [flow.packets for flow in table.top(9)] == [6001]


def test_first_and_last_are_the_captures_times(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(_HEAD + _records([5, 2, 9, 2]))
    table = made(loads(POLICY), EVERY.takes, engine)
    count_flows(loads(POLICY), path, table)
    (flow,) = table.top(9)
    with open_capture(path) as opened:
        times = [record[5] for record in opened]
    assert (flow.packets, flow.bytes, flow.first, flow.last) == (4, 4 * 28, min(times), max(times))
    assert times == [5 * 10**9, 2 * 10**9, 9 * 10**9, 2 * 10**9]


def _records(seconds: list[int]) -> bytes:
    frame = Packet.parse("udp 10.0.0.1:9 -> 10.0.0.2:53").to_bytes()
    return b"".join(s.to_bytes(4, "little") + bytes(4) + len(frame).to_bytes(4, "little") * 2 + frame for s in seconds)


def test_a_full_table_says_what_it_left_out(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "x.pcap"
    packets = [Packet.parse(f"udp 10.0.0.{n % 7}:9 -> 10.0.0.9:53") for n in range(70)]
    write_pcap(path, packets)
    policy = loads(POLICY)
    table = made(policy, EVERY.takes, engine, 3)
    count_flows(policy, path, table)
    assert (len(table), table.beyond) == (3, 40)
    assert flow_lines(flows_of(policy, table, 9), Style(False))[-1] == (
        "40 packets of further flows: after the first 3 they are not told apart"
    )


def test_services_in_words() -> None:
    words = {
        (6, 443, 256): "tcp/https",
        (17, 40001, 256): "udp/40001",
        (6, 65536, 256): "tcp later fragments",
        (1, 65536, 8): "icmp/echo-request",
        (47, 65536, 256): "gre",
    }
    for (protocol, port, type_), word in words.items():
        assert service_word(Flow(0, 1, 2, protocol, port, type_, 0, 1, 1, 0, 0)) == word
    assert chosen_for_top(EVERY) == Choice(DENY)
    assert chosen_for_top(Choice(ALLOW)) == Choice(ALLOW)


class TestCommand:
    @pytest.fixture
    def asked(self, tmp_path: Path) -> list[str | Path]:
        policy = tmp_path / "p.fwl"
        policy.write_text(POLICY)
        for name, times in (("mon.pcap", 3), ("tue.pcap", 2)):
            packets = [Packet.parse("tcp 192.0.2.1:9 -> 10.0.0.2:22 flags syn")] * times
            write_pcap(tmp_path / name, [*packets, Packet.parse("udp 10.0.0.1:9 -> 10.0.0.2:53"), b"\x45"])
        return ["eval", policy, "-r", tmp_path / "mon.pcap", "-r", tmp_path / "tue.pcap"]

    def test_over_several_captures(self, asked: list[str | Path]) -> None:
        lines = run(*asked, "--top", "5").out.splitlines()
        at = lines.index("2 denied flows:")
        assert lines[at + 1].split()[:6] == ["packets", "bytes", "source", "destination", "service", "rule"]
        assert [line.split()[:6] for line in lines[at + 2 : at + 4]] == [
            ["5", "270", "192.0.2.1", "10.0.0.2", "tcp/ssh", "default"],
            ["2", "84", "10.0.0.1", "10.0.0.2", "udp/domain", "dns"],
        ]
        assert lines[at + 4] == "2 packets of no flow: without fields that could be told"
        assert "top 1 of 2 denied flows:" in run(*asked, "--top", "1").out
        assert "no allowed flow" in run(*asked, "--top", "1", "--only", "allow").out
        assert "1 flow:" in run(*asked, "--top", "3", "--rule", "dns").out

    def test_times_of_one_day_stand_without_it(self, tmp_path: Path) -> None:
        frame = Packet.parse("udp 10.0.0.1:9 -> 10.0.0.2:53").to_bytes()
        size = len(frame).to_bytes(4, "little")
        (tmp_path / "p.fwl").write_text("deny any as all\n")
        for seconds, shown in (
            ([1_700_000_000, 1_700_000_900], ["last (UTC, 2023-11-14)", "22:13:20  22:28:20"]),
            ([0, 1_700_000_000], ["last seen (UTC)", "1970-01-01 00:00:00  2023-11-14 22:13:20"]),
        ):
            records = [second.to_bytes(4, "little") + bytes(4) + size * 2 + frame for second in seconds]
            (tmp_path / "x.pcap").write_bytes(_HEAD + b"".join(records))
            *_, head, row = run("eval", tmp_path / "p.fwl", "-r", tmp_path / "x.pcap", "--top", "3").out.splitlines()
            assert head.endswith(shown[0])
            assert row.endswith(shown[1])

    def test_json_has_it_and_the_rest_is_as_without(self, asked: list[str | Path]) -> None:
        told = run(*asked, "--top", "1", "--format", "json").json
        plain = run(*asked, "--format", "json").json
        flows = told.pop("flows")
        assert plain.pop("flows") is None
        assert told == plain
        assert (flows["flows"], flows["beyond"], flows["fieldless"]) == (2, 0, 2)
        (row,) = flows["top"]
        assert (row["source"], row["service"], row["packets"]) == ("192.0.2.1", "tcp/ssh", 5)
        assert row["rule"]["label"] == "default"
        assert row["first"].endswith("Z")
        last = json.loads(run(*asked, "--top", "1", "--format", "jsonl").out.splitlines()[-1])
        assert last["summary"]["flows"]["top"] == flows["top"]
        assert "tcp/ssh" in run(*asked, "--top", "1", "--format", "markdown").out

    def test_what_does_not_go_together(self, asked: list[str | Path]) -> None:
        for other in (("--per-packet",), ("--jobs", "2")):
            assert run(*asked, "--top", "1", *other).code == 2
        assert "goes with `-r`" in run("eval", asked[1], "tcp 1.2.3.4 -> 5.6.7.8", "--top", "1").err
