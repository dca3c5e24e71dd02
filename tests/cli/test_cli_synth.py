"""Synthetic captures: what is expected is what `decide` says and what a replay gives; every rule has its packet."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from support.generators import SMALL, WIDE, World
from support.generators import policies as any_policies
from support.paths import ROOT
from support.points import point_of

from fwengine.errors import LimitError
from fwengine.model.box import SHAPES, Box
from fwengine.model.fields import DST, FIELDS, FULL, IN, SRC, STATE, interface_number
from fwengine.model.interval import IntervalSet
from fwengine.model.packet import Packet
from fwengine.model.rules import ALLOW, DENY, rules_of
from fwengine.model.ruleset import decide
from fwengine.packets.encode import write_pcapng
from fwengine.policy import Policy, loads
from fwengine.testing.boundary import edges
from fwengine.testing.synthesis import CARRIERS, Synthesis, carried, synthesize
from fwengine.traffic.count import iterate

EDGE = """\
net office = { 10.20.0.0/16, 2001:db8:20::/48 }
net web    = { 192.0.2.80-192.0.2.83, 2001:db8::80 }
deny  any from 10.0.0.0/8 in wan0                        as spoofed
allow tcp from any to web port { http, https }           as web-in
allow tcp from office to web port { ssh, 8000-8080 }     as admin
deny  tcp from 10.20.9.0/24 to web port ssh              as no-guests
allow tcp from any to office state established           as known
allow icmp from any to web type echo-request             as ping
allow udp from office out wan0                           as way-out
allow udp from office in lan0 out wan0                   as through
allow gre until 2026-12-31                               as tunnel
"""
PLAIN = "\n".join(line for line in EDGE.split("\n") if " in " not in line and " out " not in line)
EVERYTHING = Box(FULL)


def fwengine(*args: str, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "fwengine", *args]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment, encoding="utf-8")
    assert done.returncode == code, done.stdout + done.stderr
    return done


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


# What is chosen


def check(policy: Policy, made: Synthesis) -> None:
    """Verdicts are the definition's, no packet comes twice, rules without one are told, and rightly."""
    points = [point_of(probe.packet) for probe in made.probes]
    assert len(set(points)) == len(points)
    for probe in made.probes:
        assert decide(policy, probe.packet).index in (probe.index, None)
        assert policy.verdict(probe.index) == decide(policy, probe.packet)
        assert carried(probe.packet)
    by_rule = {probe.index for probe in made.probes}
    active = {i for i, rule in enumerate(policy.rules) if policy.active(rule)} | {len(policy.rules)}
    assert by_rule | set(made.missed) >= active
    for index, reason in made.missed.items():
        boxes = policy.rules[index].boxes if index < len(policy.rules) else (EVERYTHING,)
        regions = [part for box in boxes for part, its in policy.tree.regions(box) if its == index]
        assert reason in ("unreachable", "not in a capture")
        assert bool(regions) == (reason == "not in a capture")
        assert index not in by_rule
        assert not any(part & carrier for part in regions for carrier in CARRIERS)


def test_every_rule_has_its_packet() -> None:
    policy = loads(EDGE, as_of=datetime.date(2026, 11, 21))
    made = synthesize(policy)
    check(policy, made)
    exercised = [policy.label(probe.index) for probe in made.probes if probe.about.startswith("decided by")]
    assert exercised == ["spoofed", "web-in", "admin", "ping", "way-out", "tunnel", "default"]
    missed = {policy.label(index): reason for index, reason in made.missed.items()}
    assert missed == {"no-guests": "unreachable", "known": "not in a capture", "through": "unreachable"}
    assert made.left_out > 0
    assert made.interfaces
    assert "dport 8080, at an edge of admin" in {probe.about for probe in made.probes}
    assert "dport 8081, beside admin" in {probe.about for probe in made.probes}
    expired = synthesize(loads(EDGE, as_of=datetime.date(2027, 1, 1)))
    assert "tunnel" not in "".join(probe.about for probe in expired.probes)


def test_every_edge_has_both_its_sides() -> None:
    policy = loads(PLAIN, as_of=datetime.date(2026, 11, 21))
    points = [point_of(probe.packet) for probe in synthesize(policy).probes]
    for rule in policy.rules:
        for box in (box & carrier for box in rule.boxes for carrier in CARRIERS[:2]):
            for piece in box.pieces:
                for f in (f for f in range(FIELDS) if f != STATE and any(b.sets[f] != FULL[f] for b in rule.boxes)):
                    for edge in edges(f, piece.sets[f]):
                        assert any(point and point[f] == edge.on and point in piece for point in points), edge
                        if edge.off is not None and edge.off not in piece.sets[f] and f not in (SRC, DST):
                            assert any(point and point[f] == edge.off for point in points), edge


@pytest.mark.parametrize("world", [SMALL, WIDE], ids=["small", "wide"])
def test_any_policy(world: World) -> None:
    @settings(max_examples=25)
    @given(any_policies(world, 5))
    def holds(policy: Policy) -> None:
        check(policy, synthesize(policy, 300))

    holds()


def test_the_limit_is_a_limit_and_the_rules_come_first() -> None:
    policy = loads(EDGE, as_of=datetime.date(2026, 11, 21))
    some = synthesize(policy, limit=3)
    assert [policy.label(probe.index) for probe in some.probes] == ["spoofed", "web-in", "admin"]
    assert sum(reason == "beyond the limit" for reason in some.missed.values()) == 4
    for limit in (7, 8, 20, 100):
        made = synthesize(policy, limit)
        assert len(made.probes) == limit
        assert {probe.index for probe in made.probes[:7]} == {0, 1, 2, 5, 6, 8, 9}
    fair = synthesize(policy, 35).probes[7:]  # each rule gets its share
    assert len({probe.about.split()[-1] for probe in fair}) >= 7


def test_the_seed_chooses_and_nothing_else_does() -> None:
    policy = loads(EDGE, as_of=datetime.date(2026, 11, 21))
    assert synthesize(policy, 30).probes == synthesize(policy, 30).probes
    assert len({tuple(synthesize(policy, 10, seed).probes) for seed in range(10)}) > 1


def test_a_search_that_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def spent(*_: object) -> None:
        raise LimitError("unknown: the limit is reached")

    monkeypatch.setattr("fwengine.testing.boundary.Decided.part", spent)
    made = synthesize(Policy(rules_of([(ALLOW, EVERYTHING)])))
    assert made.missed == {0: "unknown", 1: "unknown"}


# What a capture carries


def test_carriers_are_what_a_capture_carries(tmp_path: Path) -> None:
    """Every protocol, family and fragment, written and read back."""
    packets = []
    for shape in SHAPES:
        for lo, hi in shape[0]:
            for protocol in range(lo, hi + 1):
                sets = (IntervalSet.single(protocol), *shape[1:])
                for fragment in range(shape[8].lo, shape[8].hi + 1):
                    point = [s.lo for s in sets]
                    point[8] = fragment
                    packets.append(Packet.from_point(tuple(point), ()))
    kept = [packet for packet in packets if carried(packet)]
    inside = [packet for packet in packets if any(packet in box for box in CARRIERS)]
    assert kept == inside
    assert (
        len(packets) - len(kept) == 5
    )  # later fragments of IPv6 whose protocol is an extension header; there are no other such packets
    write_pcapng(tmp_path / "all.pcapng", kept)
    found = [Packet.from_point(o.point, ()) for o in iterate(Policy(()), tmp_path / "all.pcapng") if o.point]
    assert found == kept


def test_what_a_capture_does_not_carry() -> None:
    packet = Packet.of("udp", "10.0.0.1", "10.0.0.2", sport=1, dport=2, in_interface="", out_interface="")
    assert carried(packet)
    assert carried(packet.replace(in_interface="wan0"))
    assert carried(packet.replace(out_interface="Büro 1"))
    assert not carried(packet.replace(state="established"))
    assert not carried(packet.replace(in_interface="lan0", out_interface="wan0"))
    assert not carried(packet.replace(in_interface="a\0b"))
    assert not carried(packet.replace(sport=None))


def test_a_name_that_no_capture_carries() -> None:
    odd = interface_number("a\0b")
    policy = Policy(rules_of([(DENY, Box.of({IN: IntervalSet.single(odd)}))]), ALLOW)
    made = synthesize(policy)
    assert made.missed == {0: "not in a capture"}
    assert made.left_out > 0


# The command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "edge.fwl").write_text(EDGE, encoding="utf-8")
    (tmp_path / "plain.fwl").write_text(PLAIN, encoding="utf-8")
    return tmp_path


AS_OF = ("--as-of", "2026-11-21")


@pytest.mark.parametrize(("policy", "magic"), [("edge", b"\n\r\r\n"), ("plain", b"\xd4\xc3\xb2\xa1")])
def test_a_replay_gives_the_very_same_verdicts(folder: Path, policy: str, magic: bytes) -> None:
    fwengine("synth", f"{policy}.fwl", "-o", "out.pcap", *AS_OF, cwd=folder)
    assert (folder / "out.pcap").read_bytes()[:4] == magic
    done = fwengine("eval", f"{policy}.fwl", "-r", "out.pcap", "--per-packet", "--format", "jsonl", *AS_OF, cwd=folder)
    *replayed, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert last["summary"]["packets"] == len(replayed)
    expected = rows(folder / "out.pcap.jsonl")
    assert len(expected) > 50
    keys = ("number", "packet", "verdict", "rule")
    assert [[row[key] for key in keys] for row in expected] == [[row[key] for key in keys] for row in replayed]
    assert {row["class"] for row in replayed} == {"ip"}
    assert set(expected[0]) == {*keys, "about"}
    for row in expected:
        assert (row["rule"]["place"] is None) == (row["rule"]["label"] == "default")


def test_what_the_command_says(folder: Path) -> None:
    done = fwengine("synth", "edge.fwl", "-o", "out.pcap", *AS_OF, cwd=folder)
    count = len(rows(folder / "out.pcap.jsonl"))
    assert done.stdout == (
        f"out.pcap: {count} packets; what to expect of them: out.pcap.jsonl\n"
        "7 of 10 rules exercised, the default included\n"
        "  not no-guests  edge.fwl:6: unreachable\n"
        "  not known  edge.fwl:7: not in a capture\n"
        "  not through  edge.fwl:10: unreachable\n"
    )
    assert "note: `out.pcap` is a pcapng file" in done.stderr
    assert "packets at edges that no capture carries" in done.stderr
    assert "note: 2 rules without a packet: other rules decide all" in done.stderr
    assert "note: 1 rule without a packet: it takes a state other than `new`" in done.stderr


def test_json(folder: Path) -> None:
    done = fwengine("synth", "plain.fwl", "-o", "out.pcapng", "--limit", "12", "--format", "json", *AS_OF, cwd=folder)
    answer = json.loads(done.stdout)
    left_out = answer.pop("left_out")
    assert left_out > 0
    missed = answer.pop("missed")
    told = [(row["rule"]["label"], row["rule"]["place"]["line"], row["reason"]) for row in missed]
    assert {**answer, "missed": told} == {
        "format_version": "2.0",
        "command": "synth",
        "errors": [],
        "capture": "out.pcapng",
        "kind": "pcapng",
        "verdicts": "out.pcapng.jsonl",
        "packets": 12,
        "rules": 7,
        "exercised": 5,
        "missed": [
            ("no-guests", 5, "unreachable"),
            ("known", 6, "not in a capture"),
        ],
    }
    assert len(rows(folder / "out.pcapng.jsonl")) == 12


def test_same_bytes_every_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, hash_seed in (("a", "1"), ("b", "2")):
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        fwengine("synth", "edge.fwl", "-o", f"{name}.pcapng", "--seed", "7", "--limit", "60", *AS_OF, cwd=folder)
    assert (folder / "a.pcapng").read_bytes() == (folder / "b.pcapng").read_bytes()
    assert (folder / "a.pcapng.jsonl").read_bytes() == (folder / "b.pcapng.jsonl").read_bytes()


def test_what_cannot_be_done(folder: Path) -> None:
    assert "error[FW001]" in fwengine("synth", "none.fwl", "-o", "x", cwd=folder, code=2).stderr
    assert "takes the name of a file" in fwengine("synth", "edge.fwl", "-o", "-", cwd=folder, code=2).stderr
    assert "--limit" in fwengine("synth", "edge.fwl", "-o", "x", "--limit", "0", cwd=folder, code=2).stderr
    assert "Missing option" in fwengine("synth", "edge.fwl", cwd=folder, code=2).stderr
    done = fwengine("synth", "edge.fwl", "-o", "no/where.pcap", cwd=folder, code=2)
    assert done.stderr.startswith("no/where.pcap.jsonl: error[FW905]: cannot be written: ")
    assert sorted(path.name for path in folder.iterdir()) == ["edge.fwl", "plain.fwl"]


@pytest.mark.parametrize("taken", ["out.pcap", "out.pcap.jsonl"])
def test_nothing_is_left_half_written(folder: Path, taken: str) -> None:
    """A folder in the place of either file: an error, and no drafts."""
    (folder / taken).mkdir()
    fwengine("synth", "edge.fwl", "-o", "out.pcap", *AS_OF, cwd=folder, code=2)
    names = {path.name for path in folder.iterdir()}
    assert not [name for name in names if name.endswith(".part")]
    assert names <= {"edge.fwl", "plain.fwl", "out.pcap", taken}
