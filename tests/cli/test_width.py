"""Lines fit the terminal, whatever is asked; only what is there to be pasted is never broken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.commands import run
from support.paths import ROOT, RULES

from fwengine.cli.group import COMMANDS

WRONG = """\
net office = { 10.0.0.0/8, 192.168.0.0/16, 172.16.0.0/12, 10.20.0.0/16 } # a comment that is so long that the line goes on
alow tcp from office to any port { 80, 443, 8080, 8443, 9000-9010 } in lan0 out wan0 state established as a-rule-with-a-name
allow tcp from ofice to any port 80 as some-other-rule-that-has-a-name in lan0 out wan0 state established flags syn/syn,ack
allow tcp to any port htp
"""
PACKET = "tcp 10.20.9.17:40000 -> 192.0.2.80:22"
ASKED: dict[str, list[str]] = {
    "check": ["check", "edge.fwl"],
    "check, effective": ["check", "edge.fwl", "--effective", "--select", "all"],
    "check of a folder": ["check", "."],
    "check of lines": ["check", "formats/server.rules"],
    "check of what is wrong": ["check", "{wrong}"],
    "eval of what is wrong": ["eval", "{wrong}", "udp"],
    "eval": ["eval", "edge.fwl", PACKET, "--explain"],
    "eval of a capture": ["eval", "edge.fwl", "-r", "port-scan.pcap", "--coverage", "--top", "3"],
    "flows": ["flows", "edge.fwl", str(ROOT / "tests/flows/logs/conn.log"), "--coverage", "--top", "2"],
    "test": ["test", "edge.fwl", "--coverage", "--mutate"],
    "query": ["query", "edge.fwl", "allow tcp to web"],
    "prove": ["prove", "edge.fwl", "telnet.fwl", "deny tcp from any to web port ssh", "deny udp"],
    "diff": ["diff", "edge.fwl", "telnet.fwl"],
    "show": ["show", "edge.fwl"],
    "show of lines": ["show", "formats/server.rules"],
    "convert": ["convert", "edge.fwl", "--to", "nft", "-o", "{out}", "--as-of", "2026-11-25"],
    "convert, refused": ["convert", "edge.fwl", "--to", "aws"],
    "explain": ["explain"],
    "version": ["version", "--verbose"],
    "a wrong word": ["query", "edge.fwl", "allow tcp to wbe"],
    **{f"{name} --help": [name, "--help"] for name in COMMANDS},
}
WHOLE = re.compile(
    r"expect |fwengine eval |.*sha256:|.*\\[OPTIONS\\]|[a-z -]*  \\S*$| *--> |Error: "
)  # to be pasted, or no blank in it


@pytest.mark.parametrize("room", [80, 100])
@pytest.mark.parametrize("name", ASKED)
def test_lines_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, room: int) -> None:
    monkeypatch.chdir(RULES)
    (tmp_path / "wrong.fwl").write_text(WRONG)
    known = {"{wrong}": str(tmp_path / "wrong.fwl"), "{out}": str(tmp_path / "out")}
    done = run(*[known.get(word, word) for word in ASKED[name]], env={"COLUMNS": str(room)}, tty="out err")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", done.out + done.err).replace(str(tmp_path), "")
    assert shown
    long = [line for line in shown.splitlines() if len(line) > room]
    assert [line for line in long if not WHOLE.match(line.strip().removeprefix("try").strip())] == []


def test_what_goes_to_no_terminal_is_one_line_a_message(tmp_path: Path) -> None:
    """So that it can be searched for."""
    (tmp_path / "wrong.fwl").write_text(WRONG)
    done = run("eval", tmp_path / "wrong.fwl", "udp", env={"COLUMNS": "60"})
    assert (
        "expected `allow`, `deny`, `net`, `ports`, `service`, `interface`, `include`, `default` or `expect`" in done.err
    )
