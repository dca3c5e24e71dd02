"""Lines in doubt on the command line: compared by what they rest on, counted apart, and no difference where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.foreign_files import out, run, written


@pytest.fixture
def dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return written(tmp_path)


def test_a_changed_line_in_doubt_is_not_called_equivalent(tmp_path: Path) -> None:
    """Both rates leave the packet in doubt; counters and what stands behind change nothing."""
    head = "*filter\n:INPUT DROP [0:0]\n:web - [0:0]\n-A INPUT -j web\n"
    limit = "-A web -p tcp --dport 25 -m limit --limit 5/min -j ACCEPT\n"
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text(head + limit + "COMMIT\n")
    for text, same in (
        (limit, True),
        (f"[7:420] {limit}", True),
        (f"{limit}-A web -p udp -j DROP\n", True),
        (limit.replace("5/min", "500/min"), False),
        (limit + limit, False),
        (f"{limit}-A web -p tcp -m recent --name x --rcheck -j ACCEPT\n", False),
    ):
        new.write_text(head + text + "COMMIT\n")
        found = run("diff", str(old), str(new))
        assert found.return_value == (0 if same else 1), (text, found.output)
        assert ("EQUIVALENT" in found.output) == same, text
        assert same or "port 25" in found.output
        answer = json.loads(run("diff", str(old), str(new), "--format", "json").output)
        assert answer["equivalent"] is same
        assert bool(answer["files"][0]["in_doubt"]) is not same


@pytest.mark.parametrize("engine", ["tree", "native"])
@pytest.mark.parametrize("expected", ["allow", "deny"])
def test_captured_packets_in_doubt_are_neither_what_was_expected_nor_without_a_verdict(
    engine: str, expected: str, tmp_path: Path
) -> None:
    dump, capture = tmp_path / "rules", tmp_path / "all.pcap"
    dump.write_text("*filter\n:INPUT DROP [0:0]\n-A INPUT -m limit --limit 5/min -j ACCEPT\nCOMMIT\n")
    assert run("synth", str(dump), "-o", str(capture)).return_value == 0
    for more in ([], ["--per-packet"]):
        words = ["eval", str(dump), "-r", str(capture), "--engine", engine, "--format", "json", *more]
        answer = json.loads(run(*words).stdout)
        assert answer["allow"] == answer["deny"] == 0 < answer["depends"] == answer["packets"], more
        assert not answer["errors"]
        assert run(*words).return_value == 0
        assert run(*words, "--expect", expected).return_value == 1, more


def test_what_newly_depends_is_not_told_as_newly_denied(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("*filter\n:INPUT DROP [0:0]\n-A INPUT -p udp -j DROP\nCOMMIT\n")
    new.write_text("*filter\n:INPUT DROP [0:0]\n-A INPUT -m limit --limit 5/min -j ACCEPT\nCOMMIT\n")
    whole = json.loads(run("diff", str(old), str(new), "--format", "json").output)
    for told in (whole, *whole["groups"]):
        assert told["newly_denied"]["regions"] == told["newly_allowed"]["regions"] == 0
        assert told["newly_dependent"]["regions"] > 0
    for form in ("github", "markdown", "junit"):
        said = run("diff", str(old), str(new), "--format", form).output
        assert "newly dependent" in said, form
        assert "newly denied" not in said, form
    old.write_text(new.read_text().replace("5/min", "9/min"))
    assert "FW609" in run("diff", str(old), str(new), "--format", "sarif").output


def test_mutants_of_another_firewall_are_not_silently_none(dump: str) -> None:
    Path("claims.fwl").write_text(
        f'include "{dump}" from INPUT\nexpect deny tcp 1.2.3.4:1025 -> 5.6.7.8:23 in eth0 state new\n'
        "expect deny tcp 1.2.3.4:1025 -> 5.6.7.8:22 in eth0 state new\n"
    )
    done = run("test", "claims.fwl", "--mutate")
    assert done.return_value == 2
    assert "no mutant was made" in done.output
    assert "leaves open" not in done.output  # the line in doubt is why, and nothing that the packet leaves open
    assert "(-m recent)" in done.output
    assert run("test", "claims.fwl", "--mutate", "--fail-under", "50").return_value == 2


def test_no_slip_among_the_names_of_a_wildcard(tmp_path: Path) -> None:
    dump = tmp_path / "rules"
    dump.write_text(
        "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ! -i eth+ -j DROP\n-A INPUT -i wan0 -p udp -j DROP\nCOMMIT\n"
    )
    assert "FW310" not in run("check", str(dump)).output


@pytest.mark.parametrize("condition", ["-i eth+", "! -i eth+"])
def test_a_name_under_a_wildcard_is_no_stranger(condition: str, tmp_path: Path) -> None:
    dump = tmp_path / "rules"
    dump.write_text(f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {condition} -j DROP\nCOMMIT\n")
    for name, strange in (("eth1", False), ("eth10", False), ("ethernet0", False), ("wan0", True), ("et", True)):
        said = run("eval", str(dump), f"udp 192.0.2.1:53 -> 192.0.2.2:53 in {name}").output
        assert ("no rule names" in said) == strange, (name, said)


def test_a_rate_that_has_a_name_is_compared_too(dump: str) -> None:
    """The line is the same, and what it names is not."""
    old = (
        "table inet f {\n limit ssh {\n  rate 5/minute\n }\n chain input {\n  type filter hook input priority 0; policy drop;\n"
        '  tcp dport 22 limit name "ssh" accept\n }\n}\n'
    )
    Path("old.nft").write_text(old)
    Path("new.nft").write_text(old.replace("5/minute", "500/minute"))
    Path("same.nft").write_text(old)
    assert out("diff", "old.nft", "new.nft", code=1).startswith("IN DOUBT")
    assert out("diff", "old.nft", "same.nft", code=0).startswith("EQUIVALENT")


@pytest.mark.parametrize(
    ("first", "changed", "asks"),
    [
        ("-A INPUT -p tcp --dport 22 -j MARK --set-mark 1\n", ("mark 1", "mark 2"), "-m mark --mark 1"),
        ("-A INPUT -p tcp --dport 22 -m recent --set\n", ("22", "23"), "-m recent --rcheck"),
        ("-A INPUT -p tcp --dport 22 -j SET --add-set known src\n", ("22", "23"), "-m set --match-set known src"),
        ("-A INPUT -p tcp --dport 22 -m connlabel --label 1 --set\n", ("22", "23"), "-m connlabel --label 1"),
    ],
)
def test_what_other_lines_do_to_a_condition_is_compared_too(
    first: str, changed: tuple[str, str], asks: str, dump: str
) -> None:
    """The line in doubt is the same, and what sets what it asks for is not."""
    top = "# Generated by iptables-save v1.8.9 on Mon Nov 23 10:00:00 2026\n*filter\n:INPUT DROP [0:0]\n"
    text = f"{top}{first}-A INPUT {asks} -j ACCEPT\nCOMMIT\n"
    Path("old").write_text(text)
    Path("new").write_text(text.replace(first, first.replace(*changed)))
    Path("later").write_text(text.replace("Mon Nov 23", "Tue Nov 24").replace("[0:0]", "[7:420]"))
    assert out("diff", "old", "new", code=1).startswith("IN DOUBT")
    assert out("diff", "old", "later", code=0).startswith("EQUIVALENT")


def test_a_set_that_forgets_is_compared_by_its_elements(dump: str) -> None:
    rules = "*filter\n:INPUT DROP [0:0]\n-A INPUT -m set --match-set s src -j ACCEPT\nCOMMIT\n"
    text = "create s hash:ip family inet hashsize 1024 maxelem 65536 timeout 300 initval 0x1234abcd\nadd s 10.0.0.1 timeout 200\n"
    Path("old").write_text(text + rules)
    Path("new").write_text(text.replace("10.0.0.1", "10.0.0.2") + rules)
    Path("later").write_text(text.replace("0x1234abcd", "0xfe") + rules)
    assert out("diff", "old", "new", code=1).startswith("IN DOUBT")
    assert out("diff", "old", "later", code=0).startswith("EQUIVALENT")


def test_a_rate_in_the_json_of_nft_is_compared_too(dump: str) -> None:
    """A rule is told by its handle there; handles and counters are not compared."""
    body = '"family": "inet", "table": "f"'
    text = (
        f'{{"nftables": [{{"table": {{"family": "inet", "name": "f", "handle": 1}}}}, {{"chain": {{{body}, "name": "c", '
        f'"type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}}}, {{"rule": {{{body}, "chain": "c", "handle": 4, '
        '"expr": [{"limit": {"rate": 5, "burst": 5, "per": "second"}}, {"counter": {"packets": 0, "bytes": 0}}, {"accept": null}]}}]}'
    )
    Path("old").write_text(text)
    Path("new").write_text(text.replace('"rate": 5', '"rate": 500'))
    Path("later").write_text(text.replace('"handle": 4', '"handle": 9').replace('"bytes": 0', '"bytes": 7'))
    assert out("diff", "old", "new", code=1).startswith("IN DOUBT")
    assert out("diff", "old", "later", code=0).startswith("EQUIVALENT")


@pytest.mark.parametrize(
    ("text", "old", "new", "options"),
    [
        (
            "time-range T\n periodic weekdays 9:00 to 17:00\naccess-list x extended permit tcp any any eq 22 time-range T\n",
            "17:00", "23:00", (),
        ),
        (
            "define m = 1\ntable inet f {\n chain i {\n  type filter hook input priority 0; policy drop;\n"
            "  meta mark $m accept\n }\n}\n",
            "m = 1", "m = 2", (),
        ),
        (
            "ip access-list extended X\n evaluate R\nip access-list extended Y\n permit tcp any any eq 5 reflect R\n",
            "eq 5", "eq 6", ("--policy", "X"),
        ),
    ],
)  # fmt: skip
def test_what_a_line_in_doubt_names_is_compared_by_what_it_says(
    text: str, old: str, new: str, options: tuple[str, ...], dump: str
) -> None:
    Path("old").write_text(text)
    Path("new").write_text(text.replace(old, new))
    assert out("diff", *options, "old", "new", code=1).startswith("IN DOUBT")


def test_a_set_outside_is_the_same_set_whatever_else_changes(dump: str) -> None:
    text = (
        "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 22 -m set --match-set known src -j ACCEPT\n"
        "-A INPUT -p tcp --dport 25 -j ACCEPT\nCOMMIT\n"
    )
    Path("old").write_text(text)
    Path("new").write_text(text.replace("25", "26"))
    assert "lines that are not the same" not in out("diff", "old", "new", code=1)
