"""Parts of captures add up to the whole: the report is that of one piece, wherever it is cut and in whatever order parts come."""

from __future__ import annotations

import gzip
import itertools
import pickle
import random
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.drawn_captures import PACKETS, block, made, pcap, pcapng
from support.paths import RULES

from fwengine import load, loads
from fwengine.errors import CaptureError, PacketError
from fwengine.native import available, classifier
from fwengine.packets.capture import open_capture
from fwengine.packets.cutting import windows
from fwengine.packets.source import WHOLE
from fwengine.traffic.biggest import Biggest, Emptying, denied
from fwengine.traffic.count import Engine, Stated, evaluate_capture
from fwengine.traffic.flows import Flow, FlowTable, count_flows, flows_found
from fwengine.traffic.partition import CaptureCounter, evaluate_captures, in_order, pieces
from fwengine.traffic.parts import Part, together

ENGINES: list[Engine] = ["tree", *(["native"] if available() else [])]  # type: ignore[list-item]  # one of them
CAPTURES = sorted(p for p in RULES.iterdir() if p.suffix in (".pcap", ".pcapng"))
POLICY = loads(
    """\
deny any from 10.0.0.0/8 in wan0 as spoofed
allow tcp to 192.0.2.80 port { http, https } as web
allow icmp as ping
deny udp as no-udp
allow any to 192.0.2.0/28
"""
)


def of_parts(counter: CaptureCounter, path: Path, size: int, order: random.Random) -> Part:
    """The sum of a capture's parts, that come and are added up in any order, each sent from and to another process."""
    found = [pickle.loads(pickle.dumps(counter.count(piece))) for piece in pieces(str(path), size=size)]
    while len(found) > 1:
        order.shuffle(found)
        found.append(found.pop() + found.pop())
    (part,) = found
    assert isinstance(part, Part)
    return Part() + part


def the_same(counter: CaptureCounter, part: Part, path: Path, **stated: str) -> None:
    told = counter.report(part, str(path)).report
    whole = evaluate_capture(counter.policy, path, engine="tree", **stated)  # type: ignore[arg-type]  # words
    errors = [(error.code, error.message, error.packets) if error else None for error in (told.error, whole.error)]
    assert errors[0] == errors[1]
    assert [each.__dict__ | {"error": None, "notes": sorted(each.notes)} for each in (told,)] == [
        whole.__dict__ | {"error": None, "notes": sorted(whole.notes)}
    ]


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.sampled_from((1, 40, 150, 700)), engine=st.sampled_from(ENGINES))
def test_parts_add_up_to_the_whole(
    seed: int, size: int, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("c") / "c.pcap"
    path.write_bytes(made(seed))
    states: list[dict[str, str]] = [{}, {"inbound": "wan0"}]
    for stated in states:
        counter = CaptureCounter(POLICY, engine=engine, takes=every, **stated)
        part = of_parts(counter, path, size, random.Random(seed))
        the_same(counter, part, path, **stated)
        table = FlowTable(every)
        count_flows(POLICY, path, table, **stated)  # type: ignore[arg-type]  # words
        told = counter.report(part)
        assert [flow for flow, exact in told.top(1000) if exact] == table.top(1000)
        assert told.fieldless == table.fieldless


def every(action: object, rule: int | None) -> bool:
    """All packets; a function that can be sent to another process."""
    return True


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
@pytest.mark.parametrize("engine", ENGINES)
def test_our_captures(path: Path, engine: Engine) -> None:
    for policy in (load(RULES / "edge.fwl"), POLICY):
        counter = CaptureCounter(policy, engine=engine)
        for size in (1, 100, 1000):
            the_same(counter, of_parts(counter, path, size, random.Random(size)), path)


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_windows_begin_where_records_do(make: Callable[[random.Random, int], bytes], tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(make(random.Random(7), 300))
    with open_capture(path) as capture:
        records = list(capture)
    for size in (50, 500, 5000):
        found = windows(path, size)
        assert len(found) > 3
        assert [(a.stop, b.start) for a, b in pairwise(found) if a.stop != b.start] == []
        assert all(size <= (window.stop or 0) - window.start for window in found[1:-1])
        told = []
        for window in found:
            with open_capture(path, window) as capture:
                told += list(capture)
        assert told == records


def test_what_is_not_cut(tmp_path: Path) -> None:
    data = pcap(random.Random(1), 100)
    path = tmp_path / "c.pcap.gz"
    path.write_bytes(gzip.compress(data, mtime=0))
    for name in (path, tmp_path / "none", "-", tmp_path):
        assert windows(name, 1) == [WHOLE]
    path.write_bytes(data)
    assert windows(path, len(data)) == [WHOLE]
    with pytest.raises(ValueError, match="a byte at least"):
        windows(path, 0)


def test_more_descriptions_than_fit_before_a_window(tmp_path: Path) -> None:
    """The rest is one window, and nothing is lost."""
    described = block("<", 1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HH", 1, 60000) + bytes(60000))
    packet = block("<", 6, struct.pack("<IIIII", 0, 0, 0, len(PACKETS[0]), len(PACKETS[0])) + PACKETS[0])
    path = tmp_path / "c.pcapng"
    section = block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    path.write_bytes(section + (described + packet) * 30)
    found = windows(path, 1000)
    assert 10 < len(found) < 30
    assert sum(len(window.head) for window in found) < 30 << 20
    the_same(CaptureCounter(POLICY), of_parts(CaptureCounter(POLICY), path, 1000, random.Random(1)), path)


class TestSums:
    """`+` alone, over parts of captures of which some are damaged."""

    @pytest.fixture
    def found(self, tmp_path: Path) -> list[Part]:
        counter = CaptureCounter(POLICY, takes=every)
        parts = []
        for seed in range(12):
            path = tmp_path / f"{seed}.pcap"
            path.write_bytes(made(seed))
            parts += [counter.count(piece) for piece in pieces(str(path), seed, 400)]
        return parts

    def test_any_order_any_grouping(self, found: list[Part]) -> None:
        whole = together(found)
        assert whole.captures == 12
        assert not whole.runs
        assert 0 < len(whole.broken) < 12
        draw = random.Random(3)
        for _ in range(20):
            parts = list(found)
            while len(parts) > 1:
                draw.shuffle(parts)
                at = draw.randrange(2, 6)
                parts = [together(parts[:at]), *parts[at:]]
            assert _comparable(parts[0]) == _comparable(whole)

    def test_parts_that_are_missing(self, found: list[Part]) -> None:
        assert together(found[1:]).captures == 11


def _comparable(part: Part) -> object:
    return part.captures, part.counts, part.seen, {n: (str(e), e.packets) for n, e in part.broken.items()}, part.runs


class TestBiggest:
    @staticmethod
    def of(seed: int, most: int, sizes: list[int]) -> Biggest:
        draw = random.Random(seed)
        flows = [Flow(n % 3, n, n + 1, 6, n % 65536, 256, 256, 1 if n > 5 else 10**5, n, 0, n) for n in range(600)]
        draw.shuffle(flows)
        total = Biggest(most=most)
        for size in sizes:
            part = Biggest(most=most)
            for flow in flows[:size]:
                part.add_flow(flow)
            del flows[:size]
            total += part
        return total

    def test_a_sketch_does_not_depend_on_the_parts(self) -> None:
        one = self.of(1, 100, [600])
        assert one == self.of(2, 100, [1, 99, 250, 50, 200])
        found = one.flows(6)
        assert {told.flow.src for told in found} == set(range(6))
        assert not any(told.exact for told in found)
        assert all(told.flow.packets >= 10**5 for told in found)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_a_table_that_is_emptied_again_and_again(self, engine: Engine, tmp_path: Path) -> None:
        path = tmp_path / "c.pcap"
        path.write_bytes(pcap(random.Random(1), 3000))
        whole = FlowTable(every)
        count_flows(POLICY, path, whole)
        most = 4 if engine == "tree" else 3000
        for _ in range(2):  # the second capture comes into a table that has flows
            native = classifier(POLICY) if engine == "native" else None
            table = Emptying(every, native, most=most)
            for _ in range(2):
                flows_found(POLICY, path, table, Stated(None, None, "new"), None)
            table.empty()
            told = table.biggest.flows(100)
            assert [flow._replace(packets=flow.packets // 2, bytes=flow.bytes // 2) for flow, _ in told] == whole.top(
                100
            )
            assert table.fieldless == 2 * whole.fieldless
            assert not table.beyond


class TestOnOneMachine:
    def test_a_folder(self, tmp_path: Path) -> None:
        for seed in range(12):
            (tmp_path / f"{seed:02}.pcap").write_bytes(made(seed))
        alone = [evaluate_capture(POLICY, path) for path in sorted(tmp_path.iterdir())]
        for jobs, size in ((1, 1), (3, 200), (3, 1 << 20)):
            told = evaluate_captures(POLICY, [tmp_path], jobs=jobs, size=size, takes=denied)
            assert told.captures == 12
            assert told.report.packets == sum(report.packets for report in alone) > 0
            assert [str(error) for error in told.broken] == [str(report.error) for report in alone if report.error]
            rows = zip(*(report.rules for report in alone), strict=True)
            assert [(row.packets, row.bytes) for row in told.report.rules] == [
                (sum(each.packets for each in row), sum(each.bytes for each in row)) for row in rows
            ]
            assert any("of 12 captures: rules ask for `in`" in note for note in told.report.notes)
            assert {flow.rule for flow, _ in told.top(5)} <= {3, 5}

    def test_what_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CaptureError, match=r"FW901.*no file in the folder"):
            evaluate_captures(POLICY, [tmp_path])
        with pytest.raises(CaptureError, match=r"FW901.*matches no file"):
            evaluate_captures(POLICY, [f"{tmp_path}/*.pcap"])
        with pytest.raises(PacketError, match="state is one of"):
            evaluate_captures(POLICY, [tmp_path], state="knew")
        (error,) = evaluate_captures(POLICY, [tmp_path / "none.pcap"]).broken
        assert "FW905" in str(error)

    def test_few_results_are_there_at_a_time(self) -> None:
        """What is not asked for is not begun, however many parts there are."""
        begun: list[int] = []

        def work(n: int) -> int:
            begun.append(n)
            return n

        told = in_order(work, itertools.count(), 2)
        assert [next(told) for _ in range(10)] == list(range(10))
        assert len(begun) <= 10 + 2 * 4
        told.close()  # type: ignore[attr-defined]  # a generator
