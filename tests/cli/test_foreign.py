"""Policies of other firewalls on the command line: every command reads them, and speaks of the user's own lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.foreign_files import SSH, out, run, run_json, written
from support.paths import RULES


@pytest.fixture
def dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return written(tmp_path)


def test_a_verdict_in_doubt_names_the_line(dump: str) -> None:
    assert "DEPENDS on server.rules:6 (-m recent)" in out("eval", dump, "--policy", "INPUT", SSH, code=0)
    assert out("eval", dump, "--policy", "INPUT", "--in-doubt", "allow", SSH).startswith("ALLOW  by server.rules:7")
    assert out("eval", dump, "--policy", "INPUT", "--in-doubt", "deny", SSH).startswith("DENY   by server.rules:6")
    answer = json.loads(out("eval", dump, "--policy", "INPUT", "--format", "json", SSH))["results"][0]
    assert answer["verdict"] == "depends"
    assert answer["rule"]["label"] == "server.rules:6 (-m recent)"
    assert answer["rule"]["place"]["line"] == 6
    out("eval", dump, "--policy", "INPUT", "--expect", "deny", SSH, code=1)
    out("eval", dump, "--policy", "INPUT", "--expect", "allow", SSH, code=1)


def test_the_path_of_jumps_is_told(dump: str) -> None:
    assert "by web in  server.rules:10 by way of 8" in out(
        "eval", dump, "--policy", "INPUT", "tcp 10.2.3.4:1 -> 5.6.7.8:80 in eth0"
    )


def test_a_claim_in_doubt_is_not_proved(dump: str) -> None:
    claim = "deny tcp from ipv4 to ipv4 port 22 in none"
    said = out("prove", dump, "--policy", "INPUT", claim, code=1)
    assert said.startswith("DEPENDS")
    assert "depends on server.rules:6 (-m recent)" in said
    assert "--policy INPUT" in said, "the command to paste asks the same policy"
    assert out("prove", dump, "--policy", "INPUT", "--in-doubt", "deny", claim, code=0).startswith("PROVED")
    refuted = out("prove", dump, "--policy", "INPUT", "deny udp from ipv4 to ipv4 port 53 in none", code=1)
    assert refuted.startswith("FALSE")


def test_one_of_several_must_be_chosen(dump: str) -> None:
    done = run("eval", dump, SSH)
    assert done.exception is not None or done.return_value == 2
    assert "FW456" in done.stderr
    assert "`INPUT`, `FORWARD`" in done.stderr
    assert run("eval", dump, "--policy", "INPUTS", SSH).return_value == 2
    assert run("eval", dump, "--from", "iptable", SSH).return_value == 2
    assert out("eval", "edge.cfg", SSH, code=0).startswith("ALLOW  by edge.cfg:2")  # a file with one list


def test_doubts_may_be_refused_at_load(dump: str) -> None:
    done = run("eval", dump, "--policy", "INPUT", "--in-doubt", "error", SSH)
    assert done.return_value == 2
    assert "in doubt: -m recent" in done.stderr
    assert "server.rules:6:1" in done.stderr


def test_check_goes_through_all_and_tells_each_line_once(dump: str) -> None:
    said = " ".join(out("check", dump, code=1).split())
    assert said.count("line 11 can never match: line 10 takes every packet of it, the other way") == 1
    assert "is allowed by `web in`" in said
    assert "server.rules:INPUT: 1 warning" in said
    assert "server.rules:FORWARD: ok" in said
    shown = out("show", dump, code=0)
    assert "server.rules:INPUT" in shown
    assert "10 by way of 8" in shown
    assert "-A web -p udp -m udp --dport 53 -j ACCEPT" in shown


def test_policies_of_two_firewalls_are_compared(dump: str) -> None:
    said = out("diff", dump, "edge.cfg", "--policy", "INPUT", "--policy", "EDGE", code=1)
    assert "dependent on server.rules:6 (-m recent), now allowed by edge.cfg:2" in " ".join(said.split())
    assert out("diff", dump, dump, "--policy", "INPUT", code=0).startswith("EQUIVALENT")
    sides = [json.loads(out("diff", dump, "edge.cfg", "--policy", "INPUT", "--policy", "EDGE", "--format", "json"))]
    assert {change["old"]["action"] for change in sides[0]["changes"]} == {"allow", "deny", "depends"}


def test_regions_in_doubt_are_listed_apart(dump: str) -> None:
    said = out("query", dump, "--policy", "INPUT", "allow tcp from ipv4 to ipv4 port 22", code=0)
    assert "server.rules:7" not in said, "it is not certain that line 7 allows them"
    assert "in lo" in said


def test_fix_refuses_what_it_does_not_write(dump: str) -> None:
    assert "rewrites `.fwl` files" in str(run("check", "--fix", dump).exception)


def test_every_code_is_explained() -> None:
    for code in ("FW401", "FW455", "FW456", "FW457", "FW458"):
        out("explain", code, code=0)


def test_expectations_about_another_firewalls_policy(dump: str) -> None:
    test = Path("server-test.fwl")
    test.write_text(
        'include "server.rules" from INPUT\nnet office = 10.0.0.0/16\n'
        "expect allow tcp from office to ipv4 port 80\n"
        "expect deny tcp from ipv4 to ipv4 port 25 in none by default\n"
    )
    assert "2 passed, 0 failed" in out("test", str(test), code=0)
    assert "mutation score" in out("test", str(test), "--mutate")
    test.write_text(test.read_text() + "expect deny tcp from ipv4 to ipv4 port 22 in none\n")
    said = out("test", str(test), code=1)
    assert "got       depends on server.rules:6 (-m recent)" in said
    assert out("fmt", "--check", str(test), code=1) is not None
    test.write_text('include "edge.cfg"\nexpect allow udp from ipv4 to ipv4 port 53\n')
    assert "1 passed" in out("test", str(test), code=0)  # of one list none need be chosen


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('include "server.rules"\nexpect allow udp\n', "FW456"),
        ('include "server.rules" from INPUT\nallow udp\nexpect allow udp\n', "FW459"),
        ('include "server.rules" from INPUT\ndefault allow\nexpect allow udp\n', "FW459"),
        ('include "server.rules" from INPUT\ninclude "edge.cfg"\nexpect allow udp\n', "FW459"),
        ('include "own.fwl" from INPUT\nexpect allow udp\n', "FW459"),
    ],
)
def test_what_cannot_be_included_is_refused(dump: str, text: str, code: str) -> None:
    Path("own.fwl").write_text("allow udp\n")
    Path("server-test.fwl").write_text(text)
    done = run("test", "server-test.fwl")
    assert done.return_value == 2
    assert code in done.stderr


def test_a_rule_of_another_firewall_is_named_as_its_comment_says(dump: str) -> None:
    test = Path("server-test.fwl")
    test.write_text(
        'include "server.rules" from INPUT\n\nexpect allow tcp 10.2.3.4:1 -> 5.6.7.8:80 in eth0 by "web in"\n'
    )
    assert "1 passed" in out("test", str(test), code=0)
    out("fmt", "--check", str(test), code=0)
    test.write_text(test.read_text().replace('"web in"', '"web on"'))
    assert "no rule is called `web on`" in run("test", str(test)).stderr


def test_the_examples_keep_what_they_expect() -> None:
    folder = RULES / "formats"
    examples = [path for path in folder.iterdir() if path.suffix != ".fwl"]
    for path in examples:
        assert (folder / f"{path.stem}-{path.suffix[1:]}-test.fwl").is_file()
        assert f"formats/{path.name}" in (RULES / "README.md").read_text()
    assert ", 0 failed" in out("test", str(folder), code=0).splitlines()[-1]
    told = {path.name: out("check", str(path)).count("can never match") for path in examples}
    assert told == {
        "border.cfg": 1,
        "gate.cfg": 0,
        "gate.rules": 0,
        "server.nft": 2,
        "server.rules": 1,
        "server6.rules": 0,
        "vpc.json": 1,
        "plan.json": 1,
    }


def test_a_file_that_includes_one_is_checked_by_its_lines(dump: str) -> None:
    """As the file itself is: a line in doubt is neither allowed nor denied, and no advice is about made-up rules."""
    Path("gate.fwl").write_text(
        f'net idle = 192.0.2.9\ninclude "{dump}" from INPUT\nexpect deny tcp from any to any port 23 in eth0\n'
    )
    direct = json.loads(out("check", dump, "--policy", "INPUT", "--format", "json"))["findings"]
    through = json.loads(out("check", "gate.fwl", "--format", "json"))["findings"]
    assert [f for f in through if f["code"] != "FW209"] == direct
    assert [f["place"]["line"] for f in through if f["code"] == "FW209"] == [1]
    assert [(f["code"], f["place"]["line"]) for f in direct if f["code"].startswith("FW20")] == [("FW201", 11)]
    assert "the rules of `gate.fwl` are of another firewall" in str(run("check", "--fix", "gate.fwl").exception)


def test_a_side_is_taken_through_an_include(dump: str) -> None:
    Path("gate.fwl").write_text(f'include "{dump}" from INPUT\n')
    assert "DEPENDS on server.rules:6" in out("eval", "gate.fwl", SSH)
    assert out("eval", "gate.fwl", SSH, "--in-doubt", "deny").startswith("DENY   by server.rules:6")
    proved = out("prove", "gate.fwl", "deny tcp from any to any port 80", code=1)
    assert "--policy" not in proved  # the file says which


def test_a_policy_of_our_own_is_one(dump: str) -> None:
    Path("own.fwl").write_text("allow tcp to 192.0.2.80 port 22\n")
    done = run("eval", "own.fwl", "--policy", "INPUT", SSH)
    assert done.return_value == 2
    assert "there is no policy `INPUT` to choose" in done.stderr
    assert "newly" in out("diff", dump, "own.fwl", "--policy", "INPUT", code=1)  # it is for the one that has several


def test_no_matrix_of_what_is_in_doubt(dump: str) -> None:
    assert "take a side" in str(run("show", dump, "--policy", "INPUT", "--as", "matrix").exception)
    assert "who reaches whom" in out("show", dump, "--policy", "INPUT", "--as", "matrix", "--in-doubt", "deny", code=0)


def test_query_lists_what_depends_apart(dump: str) -> None:
    asked = ("query", dump, "--policy", "INPUT", "allow tcp from any to 192.0.2.80 port 22")
    done = run(*asked)
    found, _, doubted = done.stdout.partition("\nin doubt, unless")
    assert "DEPENDS" not in found
    assert "\nDEPENDS tcp" in doubted
    assert f"on {dump}:" in doubted
    answer = run_json(*asked, "--format", "json")
    assert answer["in_doubt"]
    assert {row["rule"]["action"] for row in answer["in_doubt"]} == {"depends"}
    assert {row["rule"]["action"] for row in answer["regions"]} <= {"allow"}
    assert {row["witness"]["verdict"] for row in answer["in_doubt"]} == {"depends"}
    for form in ("markdown", "github", "sarif", "junit", "jsonl"):
        assert run(*asked, "--format", form).return_value == done.return_value
    assert "certain" in run("query", dump, "--policy", "INPUT", "allow any from ipv6 to ipv6").stdout


def test_doubts_and_jumps_are_structure(tmp_path: Path) -> None:
    text = (
        "*filter\n:INPUT DROP [0:0]\n:web - [0:0]\n-A INPUT -p tcp -j web\n"
        "-A web -p tcp --dport 25 -m limit --limit 5/min -j ACCEPT\n-A web -p tcp --dport 80 -j ACCEPT\nCOMMIT\n"
    )
    (tmp_path / "d").write_text(text)
    packets = ["tcp 198.51.100.7:4000 -> 192.0.2.80:25 in none", "tcp 198.51.100.7:4000 -> 192.0.2.80:80 in none"]
    answer = run_json("eval", tmp_path / "d", *packets, "--format", "json")
    first, second = (result["rule"] for result in answer["results"])
    assert [(doubt["place"]["line"], doubt["reason"]) for doubt in first["doubts"]] == [(5, "-m limit")]
    assert [place["line"] for place in first["via"]] == [4]
    assert ([place["line"] for place in second["via"]], second["doubts"]) == ([4], [])
    proved = run_json("prove", tmp_path / "d", "deny tcp from ipv4 to ipv4 port 25 in none", "--format", "json")
    (counterexample,) = proved["results"][0]["counterexamples"]
    assert [doubt["place"]["line"] for doubt in counterexample["rule"]["doubts"]] == [5]


def test_folders_of_dumps_are_compared_policy_by_policy(tmp_path: Path) -> None:
    head = "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    for side, port in (("old", 80), ("new", 81)):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a.rules").write_text(f"{head}-A INPUT -p tcp --dport {port} -j ACCEPT\nCOMMIT\n")
        (tmp_path / side / "b.rules").write_text(f"{head}-A INPUT -p tcp --dport 25 -j ACCEPT\nCOMMIT\n")
        (tmp_path / side / "b-test.fwl").write_text('include "b.rules" from INPUT\n')
        (tmp_path / side / "readme.md").write_text("```\n*filter\n```\n")
    (tmp_path / "new" / "c.cfg").write_text("access-list 10 permit any\n")
    answer = run_json("diff", tmp_path / "old", tmp_path / "new", "--format", "json")
    found = {(row["new"] or "").removeprefix(f"{tmp_path}/new/"): row["status"] for row in answer["files"]}
    assert found == {
        "b-test.fwl": "equivalent", "a.rules:INPUT": "changed", "a.rules:OUTPUT": "equivalent", "b.rules:OUTPUT": "equivalent",
        "c.cfg:10": "added",
    }  # fmt: skip
    assert answer["newly_allowed"]["regions"] == 1


def test_of_old_and_new_the_one_with_several_policies_takes_the_name(tmp_path: Path) -> None:
    (tmp_path / "r.cfg").write_text("ip access-list extended x\n permit tcp any any eq 80 fragments\n")
    (tmp_path / "r.rules").write_text("*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n")
    assert run("diff", str(tmp_path / "r.cfg"), str(tmp_path / "r.rules"), "--policy", "INPUT").return_value == 1


def test_what_is_not_in_the_file_is_nobodys_to_exercise_nor_to_settle(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 80 -j ACCEPT\nCOMMIT\n")
    (tmp_path / "t.fwl").write_text('include "d" from INPUT\nexpect allow tcp from ipv4 to ipv4 port 80 in none\n')
    assert "coverage: 1 of 1 rules" in run("test", str(tmp_path / "t.fwl"), "--coverage").stdout
    (tmp_path / "e.fwl").write_text("alow tcp\n")
    done = run("test", str(tmp_path / "e.fwl"), "--coverage")
    assert ("100" not in done.stdout, "no rule to cover" in done.stdout, done.return_value) == (True, True, 2)
    packet = "tcp 198.51.100.7:4000 -> 192.0.2.80:80 in none"
    assert run("eval", str(tmp_path / "d"), packet, "--in-doubt", "error").stdout.startswith("ALLOW")


def test_a_finding_about_a_line_shows_the_jumps_to_it(tmp_path: Path) -> None:
    text = (
        "*filter\n:INPUT DROP [0:0]\n:web - [0:0]\n-A INPUT -p tcp --dport 80 -j ACCEPT\n-A INPUT -p tcp -j web\n"
        "-A web -s 10.0.0.0/8 -p tcp --dport 80 -j DROP\n-A web -p tcp --dport 81 -j ACCEPT\nCOMMIT\n"
    )
    (tmp_path / "d").write_text(text)
    found = run_json("check", tmp_path / "d", "--format", "json")["findings"]
    (dead,) = (one for one in found if one["code"] == "FW201")
    assert [(one["place"]["line"], one["text"]) for one in dead["related"]] == [
        (4, "takes every packet of it"), (5, "leads to it"),
    ]  # fmt: skip


def test_neighbour_discovery_that_a_list_takes_away_is_found(tmp_path: Path) -> None:
    (tmp_path / "r.cfg").write_text("ipv6 access-list x\n permit tcp any any eq 443\n deny ipv6 any any log\n")
    (found,) = run_json("check", tmp_path / "r.cfg", "--format", "json", "--ignore", "FW203,FW303")["findings"]
    assert (found["code"], found["severity"], found["place"]["line"]) == ("FW471", "warning", 3)
    (tmp_path / "r.cfg").write_text("ipv6 access-list x\n permit tcp any any eq 443\n permit ipv6 any any\n")
    codes = [one["code"] for one in run_json("check", tmp_path / "r.cfg", "--format", "json")["findings"]]
    assert "FW471" not in codes


def test_show_tells_where_a_list_is_applied() -> None:
    border = str(RULES / "formats" / "border.cfg")
    assert "applied to interface GigabitEthernet0/0 in (line 17)" in out("show", border)
    shown = run_json("show", border, "--as", "json")
    assert shown["format"] == "cisco-ios"
    assert [(one["where"], one["place"]["line"]) for one in shown["applied"]] == [
        ("to interface GigabitEthernet0/0 in", 17)
    ]
    own = run_json("show", RULES / "edge.fwl", "--as", "json")
    assert (own["format"], own["applied"]) == (None, [])
