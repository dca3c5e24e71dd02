"""Packets cut short by the snap length: decided from the fields that are there, by both engines, and counted so."""

from __future__ import annotations

import json
import random
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from support.commands import run
from support.generators import SMALL, random_points, random_policy
from support.paths import RULES
from support.scripts import load_script

from fwengine import ALLOW, DENY, Packet, Policy, decide, loads
from fwengine.model.box import Box
from fwengine.model.fields import FULL
from fwengine.native import available
from fwengine.packets.capture import open_capture
from fwengine.packets.encode import encode
from fwengine.packets.wire import decode, known
from fwengine.traffic import cut
from fwengine.traffic.count import evaluate_capture, iterate
from fwengine.traffic.cut import Cuts
from fwengine.traffic.sums import CaptureReport

ENGINES = ["tree", pytest.param("native", marks=pytest.mark.skipif(not available(), reason="no native module"))]

WEB = loads("""
    allow tcp from any to 192.0.2.80 port 443 as web
    allow tcp from any to 192.0.2.25 established as replies
    allow tcp from any to 192.0.2.25 flags syn/syn,ack as mail
    allow udp from any to any port 53 as dns
    deny  icmp from 10.0.0.1 as quiet
    allow icmp from any to any type echo-request as ping
""")


def snapped(path: Path, frames: Iterable[tuple[bytes, int]], link: int = 1) -> Path:
    """A capture of the first bytes of frames."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)]
    out += [struct.pack("<IIII", 0, 0, min(n, len(frame)), len(frame)) + frame[:n] for frame, n in frames]
    path.write_bytes(b"".join(out))
    return path


def frame(text: str) -> bytes:
    return encode(Packet.parse(text), "ethernet")


def counted(report: CaptureReport) -> dict[str, int]:
    out = {row.label: row.packets for row in report.rules if row.packets}
    out |= {key: getattr(report, key) for key in ("truncated", "several", "partial") if getattr(report, key)}
    assert report.packets == report.allow + report.deny + report.not_ip
    rest = report.truncated + report.several + report.malformed + report.tiny_fragment + report.not_ip
    assert sum(row.packets for row in report.rules) + rest == report.packets
    return out


CASES = [
    # one rule (or the default) decides, whatever the missing bytes are
    ("tcp 10.0.0.1:1029 -> 192.0.2.80:443 flags syn", 38, {"web": 1, "partial": 1}, "allow"),
    ("tcp 10.0.0.1:1029 -> 192.0.2.80:443 flags syn", 47, {"web": 1, "partial": 1}, "allow"),
    ("tcp 10.0.0.1:1029 -> 192.0.2.80:80 flags syn", 38, {"default": 1, "partial": 1}, "deny"),
    ("tcp 10.0.0.1:1029 -> 192.0.2.81:443 flags syn", 34, {"default": 1, "partial": 1}, "deny"),
    ("icmp 10.0.0.1 -> 192.0.2.80 type echo-request", 34, {"quiet": 1, "partial": 1}, "deny"),
    ("icmp 10.0.0.2 -> 192.0.2.80 type echo-request", 35, {"ping": 1, "partial": 1}, "allow"),
    ("udp 10.0.0.2:1029 -> 192.0.2.80:80", 37, {"truncated": 1}, "deny"),  # its first byte may be port 53's
    ("udp 10.0.0.2:1029 -> 192.0.2.80:443", 37, {"default": 1, "partial": 1}, "deny"),  # which this is not
    # nothing that rules may ask for is missing
    ("udp 10.0.0.2:1029 -> 192.0.2.80:53", 38, {"dns": 1}, "allow"),
    ("47 10.0.0.2 -> 192.0.2.80", 34, {"default": 1}, "deny"),
    # what is missing decides
    ("tcp 10.0.0.1:1029 -> 192.0.2.80:443 flags syn", 36, {"truncated": 1}, "deny"),
    ("tcp 10.0.0.1:1029 -> 192.0.2.25:443 flags syn", 38, {"truncated": 1}, "deny"),
    ("icmp 10.0.0.2 -> 192.0.2.80 type echo-request", 34, {"truncated": 1}, "deny"),
    ("tcp 10.0.0.1:1029 -> 192.0.2.80:443 flags syn", 20, {"truncated": 1}, "deny"),
    ("tcp 10.0.0.1:1029 -> 192.0.2.80:443 flags syn", 12, {"truncated": 1}, "deny"),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("text", "size", "expected", "verdict"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_what_is_there_decides(
    text: str, size: int, expected: dict[str, int], verdict: str, engine: str, tmp_path: Path
) -> None:
    path = snapped(tmp_path / "c.pcap", [(frame(text), size)])
    report = evaluate_capture(WEB, path, engine=engine)  # type: ignore[arg-type]  # one of the two
    assert counted(report) == expected
    assert (report.allow, report.deny) == ((1, 0) if verdict == "allow" else (0, 1))
    (outcome,) = iterate(WEB, path)
    assert outcome.action is (ALLOW if verdict == "allow" else DENY)
    label = next(iter(expected))
    assert (None if outcome.rule is None else WEB.label(outcome.rule)) == (None if label == "truncated" else label)


@pytest.mark.parametrize("engine", ENGINES)
def test_one_of_several_rules_allows_it_and_then_it_is_no_rules_packet(engine: str, tmp_path: Path) -> None:
    policy = loads("allow tcp to any port 1-1023 as low\nallow tcp as high\n")
    path = snapped(tmp_path / "c.pcap", [(frame("tcp 10.0.0.1:1029 -> 192.0.2.80:443 flags syn"), 35)] * 3)
    report = evaluate_capture(policy, path, engine=engine)  # type: ignore[arg-type]  # one of the two
    assert counted(report) == {"several": 3, "partial": 3}
    assert (report.allow, report.deny) == (3, 0)
    policy = loads("deny tcp to any port 1-1023 as low\ndeny tcp as high\n")
    report = evaluate_capture(policy, path, engine=engine)  # type: ignore[arg-type]  # one of the two
    assert (report.allow, report.deny, report.truncated) == (0, 3, 3)


def test_the_fate_of_a_cut_packet_is_that_of_all_its_completions() -> None:
    """Against the definition: every packet drawn from what it may be, and, where they differ, two that do."""
    seen: Counter[str] = Counter()
    for seed in range(60):
        policy = random_policy(seed, SMALL)
        cuts = Cuts(policy)
        draw = random.Random(seed)
        points = list(random_points(seed, SMALL, policy, 300))
        for point in points[:40]:
            packet = Packet.from_point(point)
            try:
                data = encode(packet, "ip")
            except ValueError:
                continue  # an extension header's number
            size = draw.randrange(1, min(len(data), 60) + 1)
            sets = known(data[:size], 101, len(data), *point[9:12])
            if sets is None:
                continue
            assert point in Box(sets)
            action, index = cuts.fate(sets)
            others = [decide(policy, other) for other in [point, *points] if other in Box(sets)]
            if action is None:
                parts = {policy.action(rule) for _, rule in policy.tree.regions(Box(sets))}
                assert parts == {ALLOW, DENY}
            else:
                assert {verdict.action for verdict in others} == {action}
                if index is not None:
                    assert {verdict.index for verdict in others} == {index}
            seen["depends" if action is None else "rules" if index is None else "one"] += 1
    assert min(seen.values()) > 20, seen


def test_too_many_parts_are_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = loads("\n".join(f"deny tcp to any port {n}" for n in range(1, 40, 2)))
    assert Cuts(policy).fate(FULL)[0] is DENY
    monkeypatch.setattr(cut, "PARTS", 3)
    assert Cuts(policy).fate(FULL) == (None, None)


def test_only_so_many_fates_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut, "_REMEMBERED", 2)
    cuts = Cuts(WEB)
    for port in (443, 80, 53, 443):
        data = encode(Packet.parse(f"tcp 10.0.0.1:1029 -> 192.0.2.80:{port}"), "ip")[:30]
        expected = ALLOW if port == 443 else DENY
        assert cuts.fate(known(data, 101, 40))[0] is expected
    assert len(cuts._known) <= 2


@pytest.mark.skipif(not available(), reason="no native module")
@pytest.mark.parametrize("capture", sorted(p.name for p in RULES.iterdir() if p.suffix in (".pcap", ".pcapng")))
def test_both_engines_count_cut_captures_alike(capture: str, tmp_path: Path) -> None:
    policy = RULES / "edge.fwl"
    with open_capture(RULES / capture) as opened:
        frames = [bytes(data) for data, _, link, *_ in opened if link == 1]
    for snaplen in (20, 33, 34, 36, 38, 47, 54, 58, 62, 67):
        path = snapped(tmp_path / "c.pcap", [(data, snaplen) for data in frames])
        for loaded in (loads(policy.read_text("utf-8"), file=str(policy)), WEB, Policy((), ALLOW)):
            plain = evaluate_capture(loaded, path, engine="tree")
            counted(plain)
            for jobs in (1, 2):
                assert evaluate_capture(loaded, path, engine="native", jobs=jobs) == plain, snaplen
            outcomes = list(iterate(loaded, path))
            assert sum(o.action is ALLOW for o in outcomes) == plain.allow
            assert sum(o.action is DENY for o in outcomes) == plain.deny


@pytest.mark.skipif(not available(), reason="no native module")
def test_both_engines_count_generated_captures_alike(tmp_path: Path) -> None:
    load_script("fuzz/frame_generator.py")  # before those that import it
    generator = load_script("fuzz/capture_generator.py")
    path = tmp_path / "c.pcap"
    policies = [
        WEB,
        loads("allow tcp to any port 1-32767 as low\nallow tcp as high\ndeny udp\nallow any from ::/0\n"),
        Policy((), ALLOW),
    ]
    seen: Counter[str] = Counter()
    for run_ in range(700_000, 701_200):
        path.write_bytes(generator.generate(random.Random(run_)))
        policy = policies[run_ % 3]
        plain, fast = (evaluate_capture(policy, path, engine=engine) for engine in ("tree", "native"))
        assert (plain.error is None) == (fast.error is None)
        assert replace(plain, error=None) == replace(fast, error=None), run_
        for key in ("partial", "several", "truncated", "tiny_fragment", "malformed"):
            seen[key] += getattr(plain, key)
    assert min(seen[key] for key in ("partial", "truncated", "tiny_fragment", "malformed")) > 20, seen
    assert seen["several"], "only of one policy in three"


def test_a_tiny_fragment_is_denied_counted_and_named(tmp_path: Path) -> None:
    policy = tmp_path / "p.fwl"
    policy.write_text("allow tcp from any to 192.0.2.80\n")
    data = bytearray(encode(Packet.parse("tcp 10.0.0.1 -> 192.0.2.80 fragment later"), "ethernet"))
    data[20:22] = b"\0\1"
    assert decode(bytes(data), 1, len(data)) == "tiny-fragment"
    path = snapped(tmp_path / "c.pcap", [(bytes(data), 200)])
    for engine in ("tree", "native") if available() else ("tree",):
        done = run("eval", str(policy), "-r", str(path), "--format", "json", "--engine", engine)
        fields = json.loads(done.out)
        assert (fields["deny"], fields["tiny_fragment"], fields["rules"][0]["packets"]) == (1, 1, 0)
    assert "tiny-fragment: no rule is asked" in run("eval", str(policy), "-r", str(path)).out
    line = json.loads(
        run("eval", str(policy), "-r", str(path), "--per-packet", "--format", "jsonl").out.splitlines()[0]
    )
    assert (line["verdict"], line["class"], line["rule"]) == ("deny", "tiny-fragment", None)
    asked = run("eval", str(policy), f"hex:{data[14:].hex()}")
    assert asked.out.startswith("DENY   tiny-fragment: ")


def test_bytes_that_somebody_pasted_in_part(tmp_path: Path) -> None:
    policy = tmp_path / "p.fwl"
    policy.write_text("allow tcp to any port 443 as web\n")
    whole = encode(Packet.parse("tcp 10.0.0.1:1029 -> 192.0.2.80:443"), "ip").hex()
    asked = run("eval", str(policy), f"hex:{whole[:48]}")
    assert asked.out == f"ALLOW  by web  {policy}:1  (cut short: decided from the fields that are there)\n"
    (answer,) = json.loads(run("eval", str(policy), f"hex:{whole[:48]}", "--format", "json").out)["results"]
    assert (answer["verdict"], answer["rule"]["label"], answer["partial"]) == ("allow", "web", True)
    assert run("eval", str(policy), f"hex:{whole[:46]}").out.startswith("DENY   truncated: ")
    assert run("eval", str(policy), f"hex:{whole[:48]}", "--expect", "deny").code == 1


def test_diff_tells_of_cut_packets_whose_fate_changes(tmp_path: Path) -> None:
    for name, text in (("old", "allow tcp to any port 443 as web"), ("new", "deny tcp as nobody")):
        (tmp_path / f"{name}.fwl").write_text(text + "\n")
    path = snapped(tmp_path / "c.pcap", [(frame("tcp 10.0.0.1:1029 -> 192.0.2.80:443 flags syn"), 38)])
    done = run("diff", str(tmp_path / "old.fwl"), str(tmp_path / "new.fwl"), "-r", str(path), "--format", "json")
    (changed,) = json.loads(done.out)["captured"]
    fates = [(changed[key]["verdict"], changed[key]["rule"]["label"]) for key in ("old", "new")]
    assert (changed["class"], changed["packet"], fates) == ("truncated", None, [("allow", "web"), ("deny", "nobody")])
