"""`fwengine test`: which exit code, what a failure shows, and that what it shows can be pasted."""

from __future__ import annotations

import shlex
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from support.commands import run

CLAIMS = """\
allow tcp to 192.0.2.80 port 80 as web
expect allow tcp 1.1.1.1:1 -> 192.0.2.80:80 by web
expect deny  udp
expect allow tcp to 192.0.2.80
expect allow tcp to 192.0.2.80 port 80 by default
"""
KEYS = {
    "place", "expectation", "passed", "confirmed", "expected", "by", "counterexample", "command", "depends", "policy",
}  # fmt: skip


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    path = tmp_path / "claims.fwl"
    path.write_text(CLAIMS)
    return path


def test_what_holds_is_one_line_a_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.fwl").write_text("allow tcp\nexpect deny udp\n")
    done = run("test", tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"{tmp_path}/a.fwl: 1 passed",
        f"{tmp_path}/b.fwl: 1 passed",
        "2 passed, 0 failed",
    ]


def test_a_failure_shows_all_one_needs(claims: Path) -> None:
    done = run("test", claims)
    assert (done.code, done.err) == (1, "")
    lines = [line.rstrip() for line in done.out.splitlines()]
    assert lines[:5] == [
        f"FAILED {claims}:4  expect allow tcp to 192.0.2.80",
        "  expected  allow",
        "  got       deny by default",
        "  packet    tcp 198.51.100.7:49152 -> 192.0.2.80:443 flags syn",
        f"  try       fwengine eval {claims} 'tcp 198.51.100.7:49152 -> 192.0.2.80:443 flags syn' --explain",
    ]
    assert lines[-2:] == [f"{claims}: 2 passed, 2 failed", "2 passed, 2 failed"]


def test_json_has_the_promised_keys(claims: Path) -> None:
    done = run("test", claims, "--format", "json")
    document = done.json
    assert (done.code, document["passed"], document["failed"]) == (1, 2, 2)
    assert all(set(result) >= KEYS for result in document["results"])
    assert [result["passed"] for result in document["results"]] == [True, True, False, False]
    assert run("test", claims, "--format", "jsonl").lines == document["results"]


def test_the_command_of_a_failure_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "it's a policy.fwl"
    path.write_text(CLAIMS + "allow udp until 2026-01-01 as old\nexpect allow icmp in wan0\n")
    for result in run("test", path, "--format", "json", "--as-of", "2025-05-05").json["results"]:
        if not result["passed"]:
            program, *arguments = shlex.split(result["command"])
            assert program == "fwengine"
            (answer,) = run(*arguments, "--format", "json").json["results"]
            assert (answer["verdict"], answer["rule"]) == (
                result["counterexample"]["verdict"],
                result["counterexample"]["rule"],
            )


def test_nothing_tested_is_no_success(tmp_path: Path) -> None:
    path = tmp_path / "p.fwl"
    path.write_text("allow tcp\n")
    done = run("test", path)
    assert done.code == 2
    assert "nothing was tested" in done.err


def test_a_file_that_does_not_compile(claims: Path) -> None:
    """Exits 2, and the others are tested all the same."""
    bad = claims.with_name("bad.fwl")
    bad.write_text("alow\nexpect deny any\n")
    done = run("test", bad, claims)
    assert done.code == 2
    assert "error[FW012]" in done.err
    assert "2 passed, 2 failed" in done.out
    assert run("test", claims.parent / "none").code == 2
    assert run("test").code == 2


def test_junit_is_xml(claims: Path, tmp_path: Path) -> None:
    report = tmp_path / "out" / "junit.xml"
    report.parent.mkdir()
    done = run("test", claims, "--format", "junit", "--junit", report)
    assert done.code == 1
    for text in (done.out, report.read_text(encoding="utf-8")):
        root = ET.fromstring(text)
        assert (root.get("tests"), root.get("failures")) == ("4", "2")
        assert [case.get("line") for case in root.iter("testcase")] == ["2", "3", "4", "5"]
        assert [len(case) for case in root.iter("testcase")] == [0, 0, 1, 1]
    assert run("test", claims, "--junit", tmp_path / "none" / "x.xml").code == 2
