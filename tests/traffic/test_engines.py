"""A capture through a policy gives the same report whichever engine counts, and however many threads share the work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.commands import run
from support.paths import RULES

from fwengine import LimitError, load
from fwengine.native import available
from fwengine.traffic import count
from fwengine.traffic.count import evaluate_capture

CAPTURES = sorted(p.name for p in RULES.iterdir() if p.suffix in (".pcap", ".pcapng"))
native = pytest.mark.skipif(not available(), reason="the native module is not built here")


def _policy_of(capture: str) -> Path:
    return RULES / f"{capture.partition('.')[0]}.fwl"


@native
@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize("policy", ["edge.fwl", "spoofed.fwl", None])
def test_the_report_is_the_same(capture: str, policy: str | None) -> None:
    loaded = load(RULES / policy if policy else _policy_of(capture))
    for stated in ({}, {"inbound": "wan0"}, {"outbound": "", "state": "related"}):
        plain = evaluate_capture(loaded, RULES / capture, engine="tree", **stated)  # type: ignore[arg-type]  # words as stated
        for jobs in (1, 2, 3):
            assert evaluate_capture(loaded, RULES / capture, engine="native", jobs=jobs, **stated) == plain  # type: ignore[arg-type]  # as above


@native
@pytest.mark.parametrize("content", [b"", b"no capture", b"\xd4\xc3\xb2\xa1", None])
def test_what_is_no_capture(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    if content is not None:
        path.write_bytes(content)
    loaded = load(RULES / "edge.fwl")
    plain, fast = (evaluate_capture(loaded, path, engine=engine) for engine in ("tree", "native"))
    assert plain.error is not None
    assert fast.error is not None
    assert str(plain.error) == str(fast.error)


@native
def test_a_cut_capture(tmp_path: Path) -> None:
    data = (RULES / "edge.pcapng").read_bytes()
    loaded = load(RULES / "edge.fwl")
    for size in range(0, len(data), 97):
        path = tmp_path / "cut.pcapng"
        path.write_bytes(data[:size])
        plain, fast = (evaluate_capture(loaded, path, engine=engine) for engine in ("tree", "native"))
        assert (str(plain.error), plain.rules, plain.deny) == (str(fast.error), fast.rules, fast.deny), size


def test_an_engine_that_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fwengine.native.available", lambda: False)
    monkeypatch.setattr("fwengine.native.why_not", lambda: "not built: no compiler")
    loaded = load(RULES / "edge.fwl")
    with pytest.raises(LimitError, match="no compiler"):
        evaluate_capture(loaded, RULES / "edge.pcapng", engine="native")
    monkeypatch.setattr(count, "_SHORT", 1)
    assert evaluate_capture(loaded, RULES / "edge.pcapng").packets == 44


def test_the_command() -> None:
    policy, capture = RULES / "port-scan.fwl", RULES / "port-scan.pcap"
    answers = {
        run("eval", policy, "-r", capture, "--engine", engine, "--format", "json").out for engine in ("tree", "auto")
    }
    assert len(answers) == 1
    done = run("eval", policy, "-r", capture, "--coverage", "--jobs", "2", "--format", "json")
    assert [rule["label"] for rule in done.json["coverage"]["missing"]] == ["web-replies"]
    assert "never exercised  web-replies" in run("eval", policy, "-r", capture, "--coverage").out
    assert "not with `--engine tree`" in run("eval", policy, "-r", capture, "--engine", "tree", "--jobs", "2").err
    for option in (("--coverage",), ("--engine", "tree"), ("--jobs", "2")):
        assert run("eval", policy, "tcp 1.2.3.4 -> 5.6.7.8", *option).code == 2
        refused = 2 if option[0] != "--engine" else 0
        assert run("eval", policy, "-r", capture, "--per-packet", *option).code == refused


def test_an_interface_that_rules_ask_for_and_no_capture_records() -> None:
    done = run("eval", RULES / "spoofed.fwl", "-r", RULES / "web-server.pcap")
    assert "rules ask for `in`" in done.err
    assert (
        "rules ask for" not in run("eval", RULES / "spoofed.fwl", "-r", RULES / "web-server.pcap", "--in", "wan0").err
    )
    assert "rules ask for" not in run("eval", RULES / "web-server.fwl", "-r", RULES / "web-server.pcap").err
    assert json.loads(run("eval", RULES / "spoofed.fwl", "-r", RULES / "spoofed.pcapng", "--format", "json").out)[
        "packets"
    ]
