"""Outcomes as lines: what the quick way writes is what the plain way writes."""

from __future__ import annotations

import json

import pytest
from support.generators import SMALL, WIDE, random_points, random_policy

from fwengine.model.fields import IN, OUT, Point
from fwengine.model.packet import Packet, PointWriter, write
from fwengine.model.rules import ALLOW, DENY
from fwengine.packets.logs import Recorded
from fwengine.policy import Policy, loads
from fwengine.report.packet_rows import PacketFared
from fwengine.report.stream import OutcomeLines
from fwengine.report.style import Style
from fwengine.traffic.count import Outcome

PLAIN = Style(False)
POLICY: Policy = loads("deny tcp from any in wan0 as spoofed\nallow tcp\nallow udp\n")


def encode(value: object, indent: int | None) -> str:
    return json.dumps(value, indent=indent)


def points() -> list[Point]:
    found: list[Point] = []
    for seed in range(40):
        for world in (SMALL, WIDE):
            found += random_points(seed, world, random_policy(seed, world), 60)
    return found


@pytest.mark.parametrize("absent", [(), (IN,), (IN, OUT)])
def test_a_point_is_written_as_its_packet(absent: tuple[int, ...]) -> None:
    writer = PointWriter(absent)
    for point in points():
        assert writer(point) == write(Packet.from_point(point, absent), absent)
        assert writer(point) == writer(tuple(point))  # again, from what is remembered


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fwengine.model.packet._HOSTS", 3)
    monkeypatch.setattr("fwengine.model.packet._GIVEN", 2)
    monkeypatch.setattr("fwengine.report.stream._KNOWN", 2)
    test_a_point_is_written_as_its_packet(())
    test_lines_of_json_are_those_of_the_plain_way()


def outcomes() -> list[Outcome]:
    odd = Packet.of(
        "tcp",
        "10.0.0.1",
        "10.0.0.2",
        sport=1,
        dport=2,
        flags=2,
        in_interface='w"\\n',
        out_interface="é\x7f",
        ttl=64,
        dscp=0,
        length=40,
    ).point
    assert odd is not None
    found = [Outcome(n, "ip", point, POLICY.tree.index(point), 60) for n, point in enumerate([*points(), odd] * 2)]
    log = Recorded("", "", "block", "block by rule 4")
    return [
        *found,
        Outcome(0, "not-ip", None, None, 60, 1 << 16 | 0x0806),
        Outcome(0, "malformed", None, None, 60, None, None, DENY),
        Outcome(0, "truncated", None, None, 60, None, log, DENY),
        Outcome(0, "truncated", None, 1, 60, None, None, ALLOW),
        Outcome(0, "ip", odd, 0, 60, None, log),
    ]


def test_lines_of_json_are_those_of_the_plain_way() -> None:
    line_wise = OutcomeLines(POLICY, "jsonl", PLAIN, encode)
    items = OutcomeLines(POLICY, "json", PLAIN, encode)
    allowed = denied = 0
    for number, outcome in enumerate(outcomes()):
        fields = PacketFared.of(outcome, POLICY, number).to_dict()
        assert line_wise.line(outcome, number) == json.dumps(fields)
        assert items.line(outcome, number) == json.dumps(fields, indent=2).replace("\n", "\n    ").replace(
            "{", "    {", 1
        )
        allowed += fields["verdict"] == "allow"
        denied += fields["verdict"] == "deny"
    assert (line_wise.allowed, line_wise.denied, line_wise.decided) == (allowed, denied, allowed + denied)
    assert allowed
    assert denied


def test_lines_of_text_are_those_of_the_plain_way() -> None:
    for style in (PLAIN, Style(True)):
        lines = OutcomeLines(POLICY, "text", style, encode)
        for number, outcome in enumerate(outcomes()):
            assert lines.line(outcome, number) == PacketFared.of(outcome, POLICY, number).line(style)
