"""Logs -> flows: samples written by hand from the formats' documentation, and what cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fwengine.errors import CaptureError
from fwengine.flows.flow import Batch, Flow
from fwengine.flows.logs.columns import stated_roles
from fwengine.flows.logs.detect import Stated
from fwengine.flows.logs.objects import objects
from fwengine.flows.logs.vpc import format_fields
from fwengine.flows.logs.words import flags_of, number_of, time_of
from fwengine.flows.options import EVERYTHING, Opener, Reading
from fwengine.flows.reading import Left, expand, read
from fwengine.model import address
from fwengine.model.address import V6_BASE

LOGS = Path(__file__).with_name("logs")
NOV = 1793491200000  # 2026-11-01T00:00:00Z


def flows_of(batch: Batch) -> list[Flow]:
    """The flows of a batch, as far as they go into columns."""
    kind, out = batch.kind, []
    for n in range(batch.rows):
        src, dst = (
            side[n] if kind.family == 4 else V6_BASE + int.from_bytes(side[16 * n : 16 * n + 16], "big")
            for side in (batch.src, batch.dst)
        )
        ported = batch.protocol[n] in (6, 17, 33, 132, 136)
        told = Flow(
            batch.protocol[n], src, dst,
            batch.sport[n] if ported and kind.sport else None, batch.dport[n] if ported and kind.dport else None,
            batch.type[n] if kind.typed else None, batch.code[n] if kind.typed else None,
            kind.opened, batch.recorded[n], batch.bytes[n], batch.packets[n],
            batch.first[n] if batch.first[n] < 1 << 62 else None, batch.last[n] if batch.last[n] > -(1 << 62) else None,
            kind.inbound, kind.outbound,
        )  # fmt: skip
        out.append(told)
    return out


def read_all(path: Path | str, reading: Reading = EVERYTHING) -> tuple[list[Flow], Left]:
    left = Left(str(path))
    return sorted((flow for batch in read(str(path), reading, left) for flow in flows_of(batch)), key=repr), left


def line(flow: Flow) -> str:
    """A flow in one line, to be read in a table."""
    ends = []
    for host, port in ((flow.src, flow.sport), (flow.dst, flow.dport)):
        ends.append(address.show(host) + ("" if port is None else f" {port}"))
    words = [str(flow.protocol), ends[0], "->" if flow.opened else "<->", ends[1]]
    if flow.type is not None:
        words.append(f"type {flow.type} code {flow.code}")
    words += [("", "accepted", "rejected")[flow.recorded]] * (flow.recorded > 0)
    words += [f"{flow.bytes} bytes {flow.packets} packets"] * (flow.bytes + flow.packets > 0)
    times = ["-" if time is None else f"{time - NOV}" for time in (flow.first, flow.last)]
    words += [f"from {times[0]} to {times[1]}"] * (times != ["-", "-"])
    words += [f"in {flow.inbound}"] * (flow.inbound is not None) + [f"out {flow.outbound}"] * (
        flow.outbound is not None
    )
    return " ".join(words)


CSV = Reading(Stated(None, stated_roles("src=Source IP,sport=Source Port,dst=Target,dport=Port,protocol=Proto,action=Verdict,bytes=Octets,start=Seen")))  # fmt: skip  # noqa: E501
SAMPLES: dict[str, tuple[Reading, list[str], dict[str, tuple[int, int, bool]]]] = {
    "vpc-v5.log": (
        EVERYTHING,
        [
            "6 203.0.113.12 49761 -> 192.0.2.80 443 accepted 4249 bytes 20 packets from 0 to 60000",
            "6 203.0.113.12 49761 -> 192.0.2.80 443 accepted 51230 bytes 25 packets from 0 to 60000",
            "6 203.0.113.12 49763 <-> 192.0.2.80 443 accepted 500 bytes 5 packets from 60000 to 120000",
            "6 2001:db8::99 49762 -> 2001:db8::80 22 rejected 60 bytes 1 packets from 60000 to 120000",
        ],
        {"no flow: SKIPDATA": (1, 6, False), "both ports are 0: not looked at, or a later fragment": (1, 7, True)},
    ),
    "conn.log": (
        EVERYTHING,
        [
            "1 203.0.113.7 -> 192.0.2.80 type 8 code 0 168 bytes 2 packets from 1000 to 1000",
            "6 2001:db8::7 50002 <-> 2001:db8::80 443 200 bytes 2 packets from 2000 to 2000",
            "6 203.0.113.7 50001 -> 192.0.2.80 443 10644 bytes 22 packets from 123 to 1623",
        ],
        {"`id.resp_p` is no number from 0 to 65535": (1, 12, True)},
    ),
    "conn.json": (
        EVERYTHING,
        [
            "1 203.0.113.7 -> 192.0.2.80 type 3 code 1 from 1000 to 1000",
            "6 203.0.113.7 50001 -> 192.0.2.80 443 10644 bytes 22 packets from 123 to 1623",
        ],
        {"not JSON": (1, 3, True)},
    ),
    "eve.json": (
        EVERYTHING,
        [
            "58 2001:db8::7 -> 2001:db8::80 type 128 code 0 208 bytes 2 packets from 2000 to 2000",
            "6 203.0.113.7 50001 -> 192.0.2.80 443 10644 bytes 22 packets from 123 to 1623",
        ],
        {"an event of another type than `flow`": (1, 2, False)},
    ),
    "flows.csv": (
        CSV,
        [
            "17 203.0.113.9 <-> 192.0.2.53 53",
            "6 203.0.113.7 50001 <-> 192.0.2.80 443 accepted 10644 bytes 0 packets from 0 to -",
            "6 203.0.113.8 50002 <-> 192.0.2.80 22 rejected 60 bytes 0 packets from -3540000 to -",
        ],
        {
            "the addresses are of different families": (1, 5, True),
            "the protocol is not known": (1, 6, True),
            "what the filter did is told in a word that is not known": (1, 7, True),
            "too few fields": (1, 8, True),
        },
    ),
    "nfdump.csv": (
        EVERYTHING,
        [
            "17 203.0.113.8 50003 <-> 192.0.2.53 53 70 bytes 1 packets from 3000 to 3000",
            "6 203.0.113.7 50001 <-> 192.0.2.80 443 1020 bytes 10 packets from 0 to 1000",
            "6 203.0.113.8 50002 -> 192.0.2.80 22 60 bytes 1 packets from 2000 to 2000",
        ],
        {},
    ),
    "nsg.json": (
        EVERYTHING,
        [
            "17 203.0.113.9 53 -> 192.0.2.53 53 rejected from 2000 to 2000",
            "6 203.0.113.7 50001 -> 192.0.2.80 443 accepted 10644 bytes 22 packets from 1000 to 1000",
        ],
        {"`dst` is no IP address": (1, 1, True)},
    ),
    "vnet.json": (
        EVERYTHING,
        [
            "17 203.0.113.9 53 -> 192.0.2.53 53 rejected from 2000 to 2000",
            "6 203.0.113.7 50001 -> 192.0.2.80 443 accepted 10644 bytes 22 packets from 1000 to 1000",
        ],
        {},
    ),
    "gcp.json": (
        EVERYTHING,
        [
            "17 203.0.113.9 4000 -> 192.0.2.53 53 rejected from 2000 to 2000",
            "6 203.0.113.7 50001 <-> 192.0.2.80 443 1020 bytes 10 packets from 0 to 1500",
        ],
        {"the entry has no `connection`": (1, 3, True)},
    ),
    "firewall.log": (
        EVERYTHING,
        [
            "17 203.0.113.9 4000 <-> 192.0.2.53 53 rejected 0 bytes 1 packets in eth0",
            "6 203.0.113.7 40000 <-> 192.0.2.80 22 rejected 0 bytes 1 packets in outside out inside",
            "6 203.0.113.7 40001 -> 192.0.2.80 443 accepted 0 bytes 1 packets in outside out inside",
            "6 203.0.113.7 50001 -> 192.0.2.80 22 rejected 0 bytes 1 packets in eth0",
        ],
        {"a line about no packet": (1, 5, False), "no line of a firewall's log that is known": (1, 6, True)},
    ),
    "nfdump.json": (
        EVERYTHING,
        [
            "17 2001:db8::7 50002 <-> 2001:db8::53 53 80 bytes 1 packets from 2000 to 2000",
            "6 203.0.113.7 50001 <-> 192.0.2.80 443 1020 bytes 10 packets from 0 to 1000",
        ],
        {},
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(name: str) -> None:
    reading, flows, unread = SAMPLES[name]
    found, left = read_all(LOGS / name, reading)
    assert sorted(map(line, found)) == sorted(flows)
    assert {reason: (told.lines, told.line, told.flawed) for reason, told in left.unread.items()} == unread
    assert left.lines == len(flows) + sum(count for count, _, _ in unread.values())


def test_every_sample_is_in_the_table() -> None:
    assert {path.name for path in LOGS.iterdir()} == {*SAMPLES, "vpc-v2.log"}


def test_the_default_format_of_vpc_logs_needs_no_header(tmp_path: Path) -> None:
    text = (LOGS / "vpc-v2.log").read_text()
    (tmp_path / "bare.log").write_text(text.partition("\n")[2])
    with gzip.open(tmp_path / "bare.log.gz", "wt") as stream:
        stream.write(text.partition("\n")[2])
    want = read_all(LOGS / "vpc-v2.log")[0]
    assert len(want) == 4
    assert read_all(tmp_path / "bare.log")[0] == read_all(tmp_path / "bare.log.gz")[0] == want


def test_a_stated_format_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("192.0.2.80 203.0.113.7 443 50001 6 OK\n")
    stated = Stated(tuple(format_fields("${dstaddr} ${srcaddr} ${dstport} ${srcport} ${protocol} ${log-status}")))
    assert [line(flow) for flow in read_all(tmp_path / "a.log", Reading(stated))[0]] == [
        "6 203.0.113.7 50001 <-> 192.0.2.80 443"
    ]
    with pytest.raises(ValueError, match="no `srcaddr`"):
        format_fields("${dstaddr} ${protocol}")
    with pytest.raises(ValueError, match="a format is as in"):
        format_fields("${dstaddr},${srcaddr} ${protocol}")


def test_columns_by_number_where_there_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("6;203.0.113.7;192.0.2.80;443\n17;203.0.113.7;192.0.2.53;53\n")
    found, left = read_all(tmp_path / "a.csv", Reading(Stated(None, stated_roles("protocol=1,src=2,dst=3,dport=4"))))
    assert [line(flow) for flow in found] == ["17 203.0.113.7 <-> 192.0.2.53 53", "6 203.0.113.7 <-> 192.0.2.80 443"]
    assert not left.unread


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("src", "`src` is not as in `src=srcaddr`"),
        ("srcc=a,dst=b,protocol=c", "`srcc` is nothing that a column tells: did you mean `src`?"),
        ("src=a,src=b", "`src` stands twice"),
        ("src=a,dst=b", "`protocol=COLUMN` is missing"),
    ],
)
def test_columns_that_cannot_be(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="`") as caught:
        stated_roles(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("", None, "there is no line in it"),
        ("hello\n", None, "this is no flow log that is known"),
        ("a,b,c\n1,2,3\n", None, "one column is called otherwise than expected"),
        ('{"a": 1}\n', None, "its JSON is of no flow log that is known"),
        ("srcip,dst,proto\n", "src=srcipp,dst=dst,protocol=proto", "no column `srcipp`: did you mean `srcip`?"),
    ],
)
def test_logs_that_are_none(tmp_path: Path, content: str, columns: str | None, message: str) -> None:
    (tmp_path / "x.log").write_text(content)
    stated = Stated(None, None if columns is None else stated_roles(columns))
    with pytest.raises(CaptureError) as caught:
        read_all(tmp_path / "x.log", Reading(stated))
    assert caught.value.code == "FW907"
    assert message in str(caught.value)


@pytest.mark.parametrize(("opener", "want"), [("open", "<->"), ("src", "->"), ("lower-port", "->")])
def test_who_opened_a_connection_may_be_stated(opener: Opener, want: str) -> None:
    found = [line(flow) for flow in read_all(LOGS / "vpc-v2.log", Reading(opener=opener))[0] if flow.protocol == 6]
    assert all(f" {want} " in text for text in found)
    ends = [text.split(" bytes")[0].rpartition(" ")[0] for text in found]
    turned = "6 192.0.2.80 443 -> 203.0.113.12 49761 accepted" in ends
    assert turned == (opener == "src")


def test_times() -> None:
    minute = Reading(since=NOV, until=NOV + 60000)
    found, left = read_all(LOGS / "vpc-v5.log", minute)
    assert (len(found), left.left_out) == (2, 2)
    found, left = read_all(LOGS / "flows.csv", CSV.__class__(CSV.stated, since=NOV))
    assert len(found) == 1
    assert left.unread["no time is told, and `--since` or `--until` asks for it"].line == 4


def test_operands(tmp_path: Path) -> None:
    for name in ("b.log", "a.log", "sub/c.log", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [str(tmp_path / name) for name in ("a.log", "b.log", "sub/c.log")]
    assert expand([str(tmp_path)]) == names
    assert expand([str(tmp_path / "*.log")]) == names[:2]
    assert expand(["-", "nowhere.log"]) == ["-", "nowhere.log"]
    for spec, message in (("none*.log", "matches no file"), ("empty", "no file in the folder")):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(CaptureError, match=message):
            expand([str(tmp_path / spec)])


class TestObjects:
    def test_a_broken_line_costs_itself_alone(self) -> None:
        lines = ['{"a": 1}', "{broken}", '{"b": "}{"}', "nonsense", '{"c": [1,', "2]}", '{"d": 4} {"e": 5}', "{"]
        found = list(objects(enumerate(lines, 1)))
        assert found == [
            (1, {"a": 1}),
            (2, None),
            (3, {"b": "}{"}),
            (4, None),
            (5, {"c": [1, 2]}),
            (7, {"d": 4}),
            (7, {"e": 5}),
            (8, None),
        ]

    def test_a_line_that_is_cut_short_costs_itself_alone(self) -> None:
        lines = ['{"a": 1}', '{"b": {"c":', '{"d": 2}', '{"e": [1, "x', '{"f": 3}']
        assert list(objects(enumerate(lines, 1))) == [(1, {"a": 1}), (2, None), (3, {"d": 2}), (4, None), (5, {"f": 3})]

    def test_an_object_of_many_lines_is_read_once(self) -> None:
        text = json.dumps([{"a": [{"n": n} for n in range(5000)]}, {"b": 1}], indent=1)
        assert [len(value) for _, value in objects(enumerate(text.splitlines(), 1))] == [1, 1]

    def test_lists_and_records(self) -> None:
        lines = [(1, '{"records": [{"a": 1},'), (2, '{"b": 2}]}'), (3, '[{"c": 3}]')]
        assert [value for _, value in objects(lines)] == [
            {"a": 1},
            {"b": 2},
            {"c": 3},
        ]


def test_numbers_are_read_whole() -> None:
    """With zeros in front, or of more digits than the field has bits."""
    assert [flags_of(text) for text in ("2", "0002", "280", "4098", "0" * 30 + "18")] == [2, 2, 24, 2, 18]
    assert number_of("sport", "0" * 30 + "443", 65535) == 443
    assert number_of("bytes", "0" * 30) == 0
    assert time_of("start", "0" * 30 + "1793491230") == time_of("start", "1793491230") == 1793491230000
