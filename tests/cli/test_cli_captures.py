"""`fwengine eval -r`: counts over captures, damaged and missing ones, the forms of one packet, the bar on a terminal."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import pty
import select
from pathlib import Path
from typing import Any

import pytest
from support.commands import Done, Screen, program, run

from fwengine import Packet, decide, load
from fwengine.cli.progress import PACE, PATIENCE, progress_bar
from fwengine.packets.encode import write_pcap, write_pcapng

POLICY = """\
deny  any in wan0 state invalid as odd
allow tcp to 192.0.2.80 port http as web
deny  udp to any port 53
allow icmp
"""
NOT_IP = bytes(12) + b"\x08\x06" + bytes(28)
MALFORMED = bytes(12) + b"\x08\x00\x41" + bytes(30)  # a header of four bytes
WEB = Packet.of("tcp", "5.6.7.8", "192.0.2.80", sport=1029, dport=80, flags=2)
DNS = Packet.of("udp", "5.6.7.8", "192.0.2.80", sport=1029, dport=53)
SSH = WEB.replace(dport=22)
PING = Packet.of("icmp", "5.6.7.8", "192.0.2.80", icmp_type=8, icmp_code=0)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "p.fwl"
    path.write_text(POLICY)
    return path


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Every class of packet, every rule but `odd`, and the default; the last packet's record is cut short."""
    path = tmp_path / "mixed.pcap"
    write_pcap(path, [WEB, DNS, NOT_IP, SSH, MALFORMED, WEB, PING])
    data = bytearray(path.read_bytes())
    data += data[24:40][:8] + (20).to_bytes(4, "little") + (60).to_bytes(4, "little") + data[40:60]  # 20 of 60 bytes
    path.write_bytes(data)
    return path


def ask(policy: Path, *arguments: str | Path, stdin: bytes = b"", **more: Any) -> Done:
    return run("eval", policy, *arguments, stdin=stdin, **more)


def test_the_totals_are_read_at_a_glance(policy: Path, mixed: Path) -> None:
    done = ask(policy, "-r", mixed, "--in", "none")
    place = f"{policy}:3"
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"{mixed}: 8 packets: 3 allowed, 4 denied, 1 not IP",
        "",
        "packets  bytes  action  rule",
        f"      0      0  deny    {'odd':<{len(place)}}  {policy}:1",
        f"      2    108  allow   {'web':<{len(place)}}  {policy}:2",
        f"      1     42  deny    {place}",
        f"      1     42  allow   {policy}:4",
        "      1     54  deny    default",
        "      1         deny    malformed: no rule is asked",
        "      1         deny    truncated: what is missing decides",
        "      1                 not IP: no verdict",
        "",
        "not IP:",
        "  1  ethertype 0x0806 (ARP)",
    ]


def test_json_has_the_promised_keys(policy: Path, mixed: Path) -> None:
    document = ask(policy, "-r", mixed, "--format", "json").json
    assert list(document) == [
        "packets",
        "allow",
        "deny",
        "depends",
        "not_ip",
        "malformed",
        "truncated",
        "tiny_fragment",
        "partial",
        "several",
        "kinds",
        "recorded",
        "rules",
        "policy",
        "expected",
        "captures",
        "coverage",
        "unknown_interfaces",
        "flows",
    ]
    assert [document[key] for key in list(document)[:7]] == [8, 3, 4, 0, 1, 1, 1]
    assert document["packets"] == document["allow"] + document["deny"] + document["not_ip"]
    assert [list(row) for row in document["rules"]] == [["rule", "packets", "bytes"]] * 5
    assert [row["rule"]["label"] for row in document["rules"]] == [
        "odd",
        "web",
        f"{policy}:3",
        f"{policy}:4",
        "default",
    ]
    assert [row["packets"] for row in document["rules"]] == [0, 2, 1, 1, 1]
    assert document["rules"][-1]["rule"]["place"] is None
    (capture,) = document["captures"]
    assert capture["notes"] == ["rules ask for `in`, and the capture records no such interface: `--in NAME` states one"]
    assert capture == {
        "file": str(mixed), "packets": 8, "allow": 3, "deny": 4, "not_ip": 1, "malformed": 1, "truncated": 1,
        "tiny_fragment": 0, "partial": 0, "several": 0,
        "kinds": [{"what": "ethertype 0x0806 (ARP)", "packets": 1}], "recorded": None, "rules": document["rules"],
        "error": None, "notes": capture["notes"], "depends": 0,
    }  # fmt: skip


def test_jsonl_is_one_capture_a_line(policy: Path, mixed: Path) -> None:
    done = ask(policy, "-r", mixed, "-r", mixed, "--format", "jsonl")
    assert [(line["file"], line["packets"], len(line["rules"])) for line in done.lines] == [(str(mixed), 8, 5)] * 2


def test_several_captures_are_told_apart_and_added(policy: Path, mixed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pcapng"
    write_pcapng(other, [WEB])
    lines = ask(policy, "-r", mixed, "-r", other).out.splitlines()
    assert lines[:4] == [
        f"{mixed}: 8 packets: 3 allowed, 4 denied, 1 not IP",
        f"{other}: 1 packet: 1 allowed, 0 denied",
        "total: 9 packets: 4 allowed, 4 denied, 1 not IP",
        "",
    ]
    document = ask(policy, "-r", mixed, "-r", other, "--format", "json").json
    assert (document["packets"], [c["packets"] for c in document["captures"]]) == (9, [8, 1])
    assert document["rules"][1]["packets"] == 3


def test_per_packet_lines(policy: Path, mixed: Path) -> None:
    done = ask(policy, "-r", mixed, "--per-packet")
    assert done.code == 0
    assert done.out.splitlines() == [
        "     0  ALLOW  tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn in none  by web",
        f"     1  DENY   udp 5.6.7.8:1029 -> 192.0.2.80:53 in none  by {policy}:3",
        "     2  -      not-ip: ethertype 0x0806 (ARP)",
        "     3  DENY   tcp 5.6.7.8:1029 -> 192.0.2.80:22 flags syn in none  by default",
        "     4  DENY   malformed",
        "     5  ALLOW  tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn in none  by web",
        f"     6  ALLOW  icmp 5.6.7.8 -> 192.0.2.80 type 8 code 0 in none  by {policy}:4",
        "     7  DENY   truncated",
    ]


def test_per_packet_documents(policy: Path, mixed: Path) -> None:
    """The same in both forms; the text of each is the packet, and `decide` agrees."""
    lines = ask(policy, "-r", mixed, "--per-packet", "--format", "jsonl").lines
    assert ask(policy, "-r", mixed, "--per-packet", "--format", "json").json == {
        "results": lines,
        "packets": 8,
        "allow": 3,
        "deny": 4,
        "depends": 0,
    }
    assert [line["number"] for line in lines] == list(range(8))
    assert [line["class"] for line in lines] == ["ip", "ip", "not-ip", "ip", "malformed", "ip", "ip", "truncated"]
    rules = load(policy)
    for line in lines:
        assert list(line)[:5] == ["number", "packet", "verdict", "rule", "class"]
        assert line.get("what") == ("ethertype 0x0806 (ARP)" if line["class"] == "not-ip" else None)
        if line["class"] == "ip":
            found = decide(rules, Packet.parse(line["packet"]).replace(in_interface="", out_interface=""))
            assert (line["verdict"], line["rule"]["label"]) == (found.action.value, found.by)
        else:
            assert (line["packet"], line["rule"]) == (None, None)
            assert line["verdict"] == (None if line["class"] == "not-ip" else "deny")


def test_what_is_to_be_told_of_a_capture_is_told_of_its_packets_too(tmp_path: Path, mixed: Path) -> None:
    policy = tmp_path / "wan.fwl"
    policy.write_text("deny tcp from any in wan0 as spoofed\nallow tcp\n")
    counted, listed = ask(policy, "-r", mixed), ask(policy, "-r", mixed, "--per-packet")
    assert "rules ask for `in`, and the capture records no such interface" in counted.err
    assert listed.err == counted.err
    mixed.write_bytes(mixed.read_bytes()[:-5])
    damaged = ask(policy, "-r", mixed, "--per-packet")
    assert damaged.code == 2
    assert damaged.err.startswith(counted.err)  # before the word about the damage
    assert "error[FW902]" in damaged.err


def test_numbers_go_on_over_captures(policy: Path, mixed: Path) -> None:
    lines = ask(policy, "-r", mixed, "-r", mixed, "--per-packet", "--format", "jsonl").lines
    assert [line["number"] for line in lines] == list(range(16))


def test_a_damaged_capture_counts_up_to_the_damage(policy: Path, mixed: Path) -> None:
    mixed.write_bytes(mixed.read_bytes()[:-5])
    done = ask(policy, "-r", mixed, "--in", "none")
    assert done.code == 2
    assert done.out.startswith(f"{mixed}: 7 packets: 3 allowed, 3 denied, 1 not IP\n")
    assert done.err.startswith(f"{mixed}: error[FW902]: ")
    assert done.err.endswith("(the 7 packets before it count)\n")
    document = ask(policy, "-r", mixed, "--format", "json").json
    assert (document["packets"], document["captures"][0]["error"]["code"]) == (7, "FW902")
    assert len(ask(policy, "-r", mixed, "--per-packet").out.splitlines()) == 7
    assert ask(policy, "-r", mixed, "--per-packet", "--format", "jsonl").code == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "FW901]: the file is empty"),
        (b"\0neither", "FW901]: neither pcap nor pcapng"),
        (b"\x04\x22\x4d\x18" + bytes(20), "FW904]: compressed with lz4"),
        (None, "FW905]: cannot be read: no such file"),
    ],
)
@pytest.mark.parametrize("form", [[], ["--format", "json"], ["--per-packet"], ["--per-packet", "--format", "json"]])
def test_what_is_no_capture_has_no_answer(
    policy: Path, tmp_path: Path, data: bytes | None, said: str, form: list[str]
) -> None:
    path = tmp_path / "x.pcap"
    if data is not None:
        path.write_bytes(data)
    done = ask(policy, "-r", path, *form)
    assert done.code == 2
    assert said in done.err
    if "json" in form:  # there is no answer beside the error
        assert list(done.json) == ["errors"]
        assert [f"{e['code']}]: {e['message']}".startswith(said) for e in done.json["errors"]] == [True]
    else:
        assert done.out == ""


def test_what_is_no_capture_in_a_folder(policy: Path, tmp_path: Path) -> None:
    done = ask(policy, "-r", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "p.fwl: error[FW901]: text, not a capture" in done.err


def test_one_bad_capture_does_not_silence_the_others(policy: Path, mixed: Path, tmp_path: Path) -> None:
    done = ask(policy, "-r", tmp_path / "none", "-r", mixed)
    assert done.code == 2
    assert "FW905" in done.err
    assert done.out.splitlines()[:2] == [
        f"{mixed}: 8 packets: 3 allowed, 4 denied, 1 not IP",
        "total: 8 packets: 3 allowed, 4 denied, 1 not IP",
    ]


def test_an_empty_capture_is_counted_and_no_success(policy: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    write_pcap(path, [])
    done = ask(policy, "-r", path)
    assert (done.code, done.out.splitlines()[0]) == (2, f"{path}: 0 packets: 0 allowed, 0 denied")
    assert done.err == f"{path}: error[FW503]: no packet in it: nothing was decided\n"
    assert ask(policy, "-r", path, "--per-packet").out == ""
    assert ask(policy, "-r", path, "--per-packet", "--format", "json").json["results"] == []


def test_standard_input_is_a_capture_too(policy: Path, mixed: Path) -> None:
    for data in (mixed.read_bytes(), gzip.compress(mixed.read_bytes())):
        done = ask(policy, "-r", "-", stdin=data)
        assert (done.code, done.out.splitlines()[0]) == (0, "<stdin>: 8 packets: 3 allowed, 4 denied, 1 not IP")
    assert "<stdin>: error[FW901]" in ask(policy, "-r", "-").err


def test_interfaces_and_state_are_stated_from_outside(policy: Path, mixed: Path, tmp_path: Path) -> None:
    assert ask(policy, "-r", mixed, "--in", "wan0", "--state", "invalid").out.startswith(
        f"{mixed}: 8 packets: 0 allowed, 7 denied, 1 not IP"
    )
    there = tmp_path / "x.pcapng"
    write_pcapng(there, [WEB.replace(in_interface="wan0")])
    assert "0 allowed" in ask(policy, "-r", there, "--state", "invalid").out
    assert "1 allowed" in ask(policy, "-r", there, "--state", "new").out
    for word in ("none", "lan0", '"none"'):
        done = ask(policy, "-r", there, "--state", "invalid", "--in", word)
        assert "1 allowed" in done.out
        assert f"note: {there}: the capture records other interfaces" in done.err
        assert ("no rule names interface" in done.err) == (word != "none")
    text = ask(policy, "-r", there, "--in", '"none"', "--per-packet").out
    assert 'in "none"' in text


def test_frames_that_cannot_be_decoded_are_noted(policy: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    write_pcap(path, [WEB])
    data = bytearray(path.read_bytes())
    data[20:24] = (249).to_bytes(4, "little")
    path.write_bytes(data)
    done = ask(policy, "-r", path)
    assert (done.code, done.out.splitlines()[0]) == (2, f"{path}: 1 packet: 0 allowed, 0 denied, 1 not IP")
    assert done.err.splitlines() == [
        f"note: {path}: link type 249 (USB) is not decoded: its 1 frame counts as not-ip",
        f"{path}: error[FW503]: its only frame is not IP, so none got a verdict",
    ]


@pytest.mark.parametrize("form", [[], ["--per-packet"], ["--format", "json"]])
def test_expect_sets_the_exit_code(policy: Path, tmp_path: Path, form: list[str]) -> None:
    path = tmp_path / "x.pcap"
    cases: list[tuple[list[Packet | bytes], int, int]] = [
        ([WEB, PING], 0, 1),
        ([SSH, MALFORMED], 1, 0),
        ([WEB, SSH], 1, 1),
        ([NOT_IP, WEB], 0, 1),
        ([NOT_IP], 2, 2),  # nothing was decided: neither expectation is met
    ]
    for packets, allow, deny in cases:
        write_pcap(path, packets)
        for expect, code in (("allow", allow), ("deny", deny)):
            done = ask(policy, "-r", path, "--expect", expect, *form)
            assert done.code == code
            assert ("fared otherwise" in done.err) == (code == 1)


def test_of_many_rules_only_those_that_decide_are_shown(tmp_path: Path) -> None:
    policy, path = tmp_path / "p.fwl", tmp_path / "x.pcap"
    policy.write_text("".join(f"allow tcp to 192.0.2.80 port {n} as r{n}\n" for n in range(50, 100)))
    write_pcap(path, [WEB])
    lines = ask(policy, "-r", path).out.splitlines()
    assert [line.split()[3] for line in lines[3:5]] == ["r80", "default"]
    assert lines[5] == "49 more rules decided no packet"
    assert len(ask(policy, "-r", path, "--format", "json").json["rules"]) == 51


def test_a_bad_policy_comes_first(policy: Path, mixed: Path) -> None:
    policy.write_text("alow\n")
    done = ask(policy, "-r", mixed)
    assert (done.code, done.out) == (2, "")


class TestBar:
    """The progress bar: for people who wait, and for nobody else."""

    @staticmethod
    def drawn(tty: bool, seconds: float, size: int | None = 100) -> bytes:
        """What is drawn where each look at the clock finds it later by so many seconds."""
        stream = Screen(tty=tty)
        clock = itertools.count(0.0, seconds).__next__
        with progress_bar("a\n\x1bb.pcap", stream, clock) as progress:
            if progress is not None:
                for position in (10, 50, 100):
                    progress(position, size)
        return stream.data

    def test_on_a_terminal_after_a_while(self) -> None:
        drawn = self.drawn(True, PATIENCE).decode()
        assert [part[-4:] for part in drawn.split("\r\x1b[K")] == ["", " 10%", " 50%", "100%", ""]
        assert "a\ufffd\ufffdb.pcap  [###---" in drawn
        assert "\x1bb" not in drawn

    def test_it_is_gone_when_the_work_is_done(self) -> None:
        assert self.drawn(True, PATIENCE).endswith(b"\r\x1b[K")

    def test_it_is_drawn_now_and_then(self) -> None:
        stream = Screen(tty=True)
        clock = itertools.count(PATIENCE, PACE / 10).__next__
        with progress_bar("x", stream, clock) as progress:
            assert progress is not None
            for position in range(1000):
                progress(position, 1000)
        assert 60 < stream.data.count(b"%") < 100

    def test_not_for_quick_work(self) -> None:
        assert self.drawn(True, PATIENCE / 4) == b""

    def test_not_elsewhere(self) -> None:
        assert self.drawn(False, 60) == b""

    def test_of_what_has_no_size_how_much_was_read(self) -> None:
        assert b"0.0 MB read" in self.drawn(True, 60, None)
        assert b"%" not in self.drawn(True, 60, None)

    def test_without_stderr(self) -> None:
        with progress_bar("x", None) as progress:
            assert progress is None

    def test_the_command_draws_it(self, monkeypatch: pytest.MonkeyPatch, policy: Path, mixed: Path) -> None:
        monkeypatch.setattr("fwengine.cli.progress.PATIENCE", 0.0)
        loud, quiet = ask(policy, "-r", mixed, "--in", "none", tty="err"), ask(policy, "-r", mixed, "--in", "none")
        assert loud.out == quiet.out
        assert mixed.name in loud.err
        assert quiet.err == ""
        each = ask(policy, "-r", mixed, "--per-packet", tty="err")
        assert mixed.name in each.err
        assert ask(policy, "-r", mixed, "--in", "none", "--per-packet", tty="out err").err == ""
        for options in (("--format", "json"), ("--per-packet", "--format", "json")):
            assert ask(policy, "-r", mixed, "--in", "none", *options, tty="err").err == ""

    def test_on_a_real_terminal(self, policy: Path, mixed: Path) -> None:
        script = "from fwengine import cli\nfrom fwengine.cli import progress\nprogress.PATIENCE = 0.0\ncli.main()\n"
        ours, theirs = pty.openpty()
        try:
            done = program("eval", policy, "-r", mixed, script=script, stderr=theirs, env={"TERM": "xterm"})
            shown = os.read(ours, 10_000).decode() if select.select([ours], [], [], 10)[0] else ""
        finally:
            os.close(ours)
            os.close(theirs)
        assert done.returncode == 0
        assert "100%" in shown
        assert done.stdout.decode() == ask(policy, "-r", mixed).out


def test_documents_are_json_whatever_the_encoding(policy: Path, mixed: Path, tmp_path: Path) -> None:
    odd = tmp_path / "é\U0001f600\u202e\x7f\x9b.pcap"
    odd.write_bytes(mixed.read_bytes())
    for encoding in ("utf-8", "ascii", "latin-1"):
        for form in ("json", "jsonl"):
            out = ask(policy, "-r", odd, "--format", form, encoding=encoding).out
            document = json.loads(out if form == "json" else out.splitlines()[0])
            assert (document["captures"][0] if form == "json" else document)["file"] == str(odd)
            assert not {c for c in out if not c.isprintable()} - {"\n"}


class TestChoice:
    """`--only` and `--rule`: of these packets alone; totals stay totals."""

    def test_of_one_verdict(self, policy: Path, mixed: Path) -> None:
        every = ask(policy, "-r", mixed, "--format", "json").json
        for word in ("allow", "deny"):
            told = ask(policy, "-r", mixed, "--format", "json", "--only", word).json
            assert told["rules"] == [row for row in every["rules"] if row["rule"]["action"] == word]
            assert [told[key] for key in ("packets", "allow", "deny")] == [
                every[k] for k in ("packets", "allow", "deny")
            ]
            lines = ask(policy, "-r", mixed, "--per-packet", "--format", "jsonl").lines
            some = ask(policy, "-r", mixed, "--per-packet", "--format", "jsonl", "--only", word).lines
            assert some == [line for line in lines if line["verdict"] == word]
            text = ask(policy, "-r", mixed, "--only", word).out.splitlines()
            rows = [next(w for w in line.split() if w.isalpha()) for line in text[3:]]
            assert rows
            assert set(rows) == {word}

    def test_of_some_rules(self, policy: Path, mixed: Path) -> None:
        every = ask(policy, "-r", mixed, "--format", "json").json["rules"]
        for names in (("default",), (every[0]["rule"]["label"], "default")):
            options = [word for name in names for word in ("--rule", name)]
            told = ask(policy, "-r", mixed, "--format", "json", *options).json
            assert [row["rule"]["label"] for row in told["rules"]] == list(names)
            lines = ask(policy, "-r", mixed, "--per-packet", "--format", "json").json["results"]
            some = ask(policy, "-r", mixed, "--per-packet", "--format", "json", *options).json["results"]
            assert some == [line for line in lines if line["rule"] and line["rule"]["label"] in names]

    def test_what_is_no_rule(self, policy: Path, mixed: Path) -> None:
        done = ask(policy, "-r", mixed, "--rule", "defualt")
        assert done.code == 2
        assert "did you mean `default`?" in done.err
        for option in (("--only", "deny"), ("--rule", "default")):
            assert "goes with `-r`" in ask(policy, "tcp 1.2.3.4 -> 5.6.7.8", *option).err
