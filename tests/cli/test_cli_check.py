"""`check`, `query`, `prove`, `diff`: exit codes, screens, JSON; and `check --fix`, which must change no verdict."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import run
from support.generators import policies, worlds

from fwengine import Packet, PolicyError, check, decide, load, loads
from fwengine.analysis.diff import equivalent
from fwengine.analysis.prove import Status, prove
from fwengine.codes import FINDINGS
from fwengine.fix import fix
from fwengine.model.rules import Claim
from fwengine.policy import Policy
from fwengine.report.advice import FIXED
from fwengine.report.findings import selected

DRAFT = """\
net office = 10.20.0.0/16
net web    = 192.0.2.80/30
net spare  = 10.9.9.9   # nobody uses it

allow tcp from office to web port ssh as admin-ssh
deny  tcp from 10.20.9.0/24 to web port ssh as no-guest-ssh
# said twice
allow tcp from 10.20.1.0/24 to web port ssh as twice
allow 6 from 10.20.2.0/24 to web port 22 as by-number
allow udp from office to web port 1-65535 as almost-any
allow udp from 10.20.0.0/17 to web port { 53, 0 } as half
allow udp from 10.20.0.0/17 to web until 2020-01-01 as old
allow tcp from 10.30.0.0/24 to web port http as narrow
allow tcp from 10.30.0.0/16 to web port http as wide
expect allow tcp from office to web port ssh by admin-ssh
"""
DAY = ("--as-of", "2026-11-21")


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.fwl"
    path.write_text(DRAFT)
    return path


def test_findings_as_json(draft: Path) -> None:
    done = run("check", draft, "--format", "json", *DAY)
    assert done.code == 1
    found = {(f["code"], f["rule"]["label"] if f["rule"] else f["definition"]): f for f in done.json["findings"]}
    assert set(found) >= {
        ("FW201", "no-guest-ssh"),
        ("FW202", "twice"),
        ("FW202", "by-number"),
        ("FW302", "almost-any"),
        ("FW207", "old"),
        ("FW203", "narrow"),
        ("FW209", "spare"),
    }
    shadowed = found["FW201", "no-guest-ssh"]
    assert (shadowed["place"]["line"], shadowed["witness"]["rule"]["label"]) == (6, "admin-ssh")
    assert shadowed["blockers"] == [shadowed["witness"]["rule"]]
    assert [b["label"] for b in found["FW203", "narrow"]["blockers"]] == ["wide"]
    policy = load(draft)
    for f in found.values():
        if f["witness"]:
            packet = Packet.parse(f["witness"]["packet"]).replace(in_interface="", out_interface="")
            verdict = decide(policy, packet)
            assert (verdict.rule.label if verdict.rule else "default") == f["witness"]["rule"]["label"], f


def test_the_screen(draft: Path) -> None:
    done = run("check", draft, *DAY)
    assert (
        "warning[FW201]: rule `no-guest-ssh` can never match: `admin-ssh` decides all of it, the other way" in done.out
    )
    assert "takes every packet of it" in done.out
    assert "help: move line 6 above line 5" in done.out
    assert done.err == ""


@pytest.mark.parametrize(
    ("options", "code", "codes"),
    [
        (("--select", "FW201"), 1, {"FW201"}),
        (("--select", "FW3"), 0, {"FW302", "FW303"}),
        (("--select", "FW302", "--strict"), 1, {"FW302"}),
        (("--select", "FW2,FW3", "--ignore", "FW20"), 0, {"FW302", "FW303"}),
        (("--select", "FW204"), 0, set()),
    ],
)
def test_what_is_selected(draft: Path, options: tuple[str, ...], code: int, codes: set[str]) -> None:
    done = run("check", draft, "--format", "jsonl", *options, *DAY)
    assert done.code == code
    assert {line["code"] for line in done.lines} == codes


def test_an_unknown_code_is_a_usage_error(draft: Path) -> None:
    done = run("check", draft, "--select", "FW999")
    assert (done.code, done.out) == (2, "")
    assert "FW999" in done.err
    with pytest.raises(ValueError, match="X"):
        selected(["X"], [])


def test_other_forms(draft: Path) -> None:
    log = json.loads(run("check", draft, "--format", "sarif", *DAY).out)
    assert log["version"] == "2.1.0"
    assert {r["ruleId"] for r in log["runs"][0]["results"]} >= {"FW201", "FW202"}
    model = pytest.importorskip("pydantic_sarif.model")
    model.StaticAnalysisResultsFormatSarifVersion210JsonSchema.model_validate(log)
    annotated = run("check", draft, "--format", "github", *DAY).out
    assert f"::warning file={draft},line=6,col=1" in annotated.replace("%3A", ":")


def test_effective_parts(draft: Path) -> None:
    done = run("check", draft, "--effective", "--format", "json", *DAY)
    parts = {e["rule"]["label"]: [r["text"] for r in e["regions"]] for e in done.json["effective"]}
    assert list(parts) == ["half", "wide"]
    assert parts["half"] == ["udp from 10.20.0.0/17 to web port 0"]
    policy = load(draft)
    for label, regions in parts.items():
        for text in regions:
            assert policy.prove(f"allow {text}").holds, (label, text)


def test_errors_come_first(tmp_path: Path) -> None:
    path = tmp_path / "bad.fwl"
    path.write_text("alow tcp\n")
    done = run("check", path, "--format", "json")
    assert done.code == 2
    assert [(f["code"], f["place"]["line"]) for f in done.json["errors"]] == [("FW012", 1)]
    assert done.json["findings"] == []


def test_every_finding_is_explained() -> None:
    for code in FINDINGS:
        assert code in run("explain", code).out


def test_fix_removes_what_can_go(draft: Path) -> None:
    before = load(draft)
    done = run("check", draft, "--fix", *DAY)
    assert "proved: no verdict changes" in done.err
    text = draft.read_text()
    for gone in ("twice as", "as twice", "by-number", "as old", "as narrow", "spare"):
        assert gone not in text
    for kept in ("# said twice", "as admin-ssh", "as no-guest-ssh", "as wide", "as half"):
        assert kept in text
    assert equivalent(before, load(draft))
    again = run("check", draft, "--fix", *DAY)
    assert "removed" not in again.err
    assert [p.name for p in draft.parent.iterdir()] == ["draft.fwl"]


def test_fix_leaves_a_file_with_errors_alone(tmp_path: Path) -> None:
    path = tmp_path / "bad.fwl"
    path.write_text("allow tcp\nallow tcp\nalow tcp\n")
    assert run("check", path, "--fix").code == 2
    assert path.read_text() == "allow tcp\nallow tcp\nalow tcp\n"


def test_fix_keeps_rules_that_an_expectation_names(tmp_path: Path) -> None:
    path = tmp_path / "named.fwl"
    text = "allow tcp from any to 10.0.0.1 as a\nallow tcp from any to 10.0.0.0/8 as b\nexpect allow tcp from any to 10.0.0.1 by a\n"
    path.write_text(text)
    run("check", path, "--fix")
    assert path.read_text() == text


RULES = [
    f"{action} {protocol} from {src} to {dst}{port}"
    for action in ("allow", "deny")
    for protocol in ("tcp", "{ tcp, udp }")
    for src in ("any", "10.0.0.0/30", "10.0.0.1")
    for dst in ("any", "10.0.0.4/30")
    for port in ("", " port 80", " port 79-81")
]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(RULES), min_size=1, max_size=8))
def test_a_fix_changes_no_verdict(lines: list[str]) -> None:
    """Whatever overlaps, the mended text is equivalent, by a proof and by packets, and has nothing left to mend."""
    text = "\n".join(lines) + "\n"
    before = loads(text, file="drawn.fwl")

    def reload(changed: str) -> Policy:
        return loads(changed, file="drawn.fwl")

    fixed = fix(before, text, reload)
    after = before if fixed.text is None else reload(fixed.text)
    assert equivalent(before, after)
    for rule in before.rules:
        for box in rule.boxes:
            for piece in box.pieces:
                point = tuple(s.lo for s in piece.sets)
                assert decide(before, point).action is decide(after, point).action
    left = {f.obstacle for f in check(after, FIXED)}
    assert left <= {"default", "moved"}


# query and prove


def test_query(draft: Path) -> None:
    done = run("query", draft, "allow tcp from any to web port ssh", "--format", "json", *DAY)
    assert done.code == 0
    assert done.json["status"] == "found"
    assert done.json["confirmed"]["complete"]
    (region,) = done.json["regions"]
    assert region["region"]["text"] == "tcp from office to web port 22"
    assert (region["rule"]["label"], region["region"]["flows"]) == ("admin-ssh", 65536 * 4 * 65536)
    none = run("query", draft, "allow tcp from any to web port telnet", *DAY)
    assert none.code == 1
    assert none.out == "none: no packet of this region gets `allow` (confirmed)\n"


def test_prove(draft: Path) -> None:
    holds = run("prove", draft, "deny tcp from any to web port telnet", "--format", "json", *DAY)
    (result,) = holds.json["results"]
    assert (holds.code, holds.json["holds"], result["status"], result["counterexamples"]) == (0, True, "proved", [])
    false = run("prove", draft, "deny tcp from any to web port ssh", "--format", "json", *DAY)
    (found,) = false.json["results"][0]["counterexamples"]
    assert (false.code, found["rule"]["label"]) == (1, "admin-ssh")
    verdict = load(draft).evaluate(Packet.parse(found["packet"]))
    assert (verdict.action.value, verdict.by) == ("allow", "admin-ssh")


def test_a_zero_trust_gate_is_one_claim(draft: Path) -> None:
    inside = "tcp from 10.0.0.0/8 to web port { ssh, http } or udp from office to web"
    assert run("prove", draft, f"deny any unless {inside}", *DAY).code == 0
    done = run("prove", draft, "deny any unless tcp from 10.0.0.0/8 to web port { ssh, http }", *DAY)
    assert done.code == 1
    assert "almost-any" in done.out
    draft.write_text(DRAFT + f"expect deny any unless {inside}\n")
    assert run("test", draft, *DAY).code == 0


@pytest.mark.parametrize("question", ["allow tcp form any", "tcp from any", "allow tcp from any to wbe"])
def test_a_wrong_question_is_pointed_at(draft: Path, question: str) -> None:
    for command in ("query", "prove"):
        done = run(command, draft, question)
        assert (done.code, done.out) == (2, "")
        assert "^" in done.err


def test_a_limit_is_named(draft: Path) -> None:
    done = run("query", draft, "deny any", "--limit-regions", "1", *DAY)
    assert done.code == 2
    assert "unknown" in done.err
    assert "limit" in done.err


@given(st.data())
@settings(max_examples=40)
def test_a_proof_is_what_the_compiled_policy_says(data: st.DataObject) -> None:
    world = data.draw(worlds)
    policy = data.draw(policies(world))
    boxes = tuple(box for rule in data.draw(policies(world)).rules for box in rule.boxes)[:3]
    deciding = {index for box in boxes for _, index in policy.tree.regions(box)}
    for action in {rule.action for rule in policy.rules}:
        for by in (None, *{policy.label(index) for index in deciding}):
            wrong = {i for i in deciding if policy.action(i) is not action or by not in (None, policy.label(i))}
            status = Status.REFUTED if wrong else Status.PROVED if deciding else Status.EMPTY
            assert prove(policy, Claim(action, boxes, by)).status is status


# diff


def test_diff_of_equals(draft: Path) -> None:
    done = run("diff", draft, draft, *DAY)
    assert done.code == 0
    assert "proved" in done.out


def test_diff(draft: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.fwl"
    new.write_text(DRAFT.replace("port ssh as admin-ssh", "port { ssh, telnet } as admin-ssh"))
    done = run("diff", draft, new, "--format", "json", *DAY)
    assert done.code == 1
    assert done.json["equivalent"] is False
    (change,) = done.json["changes"]
    assert change["region"]["text"] == "tcp from office to web port 23"
    assert (change["old"]["action"], change["new"]["action"], change["newly"]) == ("deny", "allow", "allow")
    assert (change["old"]["label"], change["new"]["label"], change["new"]["place"]["line"]) == (
        "default",
        "admin-ssh",
        5,
    )
    assert change["region"]["flows"] == 65536 * 4 * 65536
    packet = Packet.parse(change["witness"]["packet"])
    assert load(draft).evaluate(packet).action.value == "deny"
    assert load(new).evaluate(packet).action.value == "allow"
    # a change of a name is told with the rules that it reaches
    moved = tmp_path / "moved.fwl"
    moved.write_text(DRAFT.replace("192.0.2.80/30", "192.0.2.80/31"))
    text = run("diff", draft, moved, *DAY).out
    assert "net `web`" in text
    assert "admin-ssh" in text


def test_diff_of_revisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not here")
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "names.fwl").write_text("net web = 192.0.2.80\n")
    (folder / "a.fwl").write_text('include "names.fwl"\nallow tcp from any to web port http as web-in\n')
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    (folder / "names.fwl").write_text("net web = 192.0.2.81\n")
    done = run("diff", "HEAD:rules/a.fwl", "rules/a.fwl")
    assert done.code == 1
    assert "HEAD:rules/a.fwl:2" in done.out
    assert "newly denied" in done.out
    assert run("diff", "HEAD:rules/a.fwl", "HEAD:rules/a.fwl").code == 0
    missing = run("diff", "HEAD:rules/b.fwl", "rules/a.fwl")
    assert missing.code == 2
    assert "rules/b.fwl" in missing.err


def test_diff_with_a_capture(draft: Path, tmp_path: Path) -> None:
    from fwengine.packets.encode import write_pcap

    capture = tmp_path / "c.pcap"
    write_pcap(
        str(capture),
        [Packet.parse("tcp 10.20.1.1:40000 -> 192.0.2.80:23 flags syn"), Packet.parse("udp 1.1.1.1:1 -> 2.2.2.2:2")],
    )
    new = tmp_path / "new.fwl"
    new.write_text(DRAFT.replace("port ssh as admin-ssh", "port { ssh, telnet } as admin-ssh"))
    done = run("diff", draft, new, "-r", capture, "--format", "json", *DAY)
    (changed,) = done.json["captured"]
    assert (changed["number"], changed["old"]["verdict"], changed["new"]["verdict"]) == (0, "deny", "allow")
    assert "1 captured packet would change" in run("diff", draft, new, "-r", capture, *DAY).out


def test_diff_tells_what_a_capture_cannot_answer(tmp_path: Path) -> None:
    """A change that asks for an interface moves no packet of a capture without any, and must not look harmless."""
    from fwengine.packets.encode import write_pcap

    old, new, capture = tmp_path / "old.fwl", tmp_path / "new.fwl", tmp_path / "c.pcap"
    old.write_text("allow tcp\n")
    new.write_text("deny tcp from any in wan0 as spoofed\nallow tcp\n")
    write_pcap(str(capture), [Packet.parse("tcp 10.20.1.1:40000 -> 192.0.2.80:23 flags syn")])
    silent = run("diff", old, new, "-r", capture)
    assert "0 captured packets would change" in silent.out
    assert "rules ask for `in`, and the capture records no such interface" in silent.err
    told = run("diff", old, new, "-r", capture, "--in", "wan0")
    assert "1 captured packet would change" in told.out
    assert told.err == ""
    assert "0 captured packets would change" in run("diff", old, new, "-r", capture, "--in", "lan0").out
    assert "`--in` goes with `-r`" in run("diff", old, new, "--in", "wan0").err


@pytest.mark.parametrize("command", [["check"], ["check", "--effective"], ["test"]])
def test_a_file_name_cannot_write_to_the_terminal(tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "a\x1b[2Jb\nc.fwl"
    path.write_text("deny any\nallow tcp\nexpect allow udp 1.1.1.1:1 -> 2.2.2.2:2\n")
    done = run(*command, path)
    assert done.code == 1
    assert "\x1b" not in done.out + done.err
    assert "b\nc" not in done.out + done.err


def test_nor_can_the_name_of_a_capture(tmp_path: Path) -> None:
    from fwengine.packets.encode import write_pcap

    old, new, capture = tmp_path / "old.fwl", tmp_path / "new.fwl", tmp_path / "c\x1b[2J.pcap"
    old.write_text("allow tcp\n")
    new.write_text("deny tcp in wan0\ndeny tcp\n")
    write_pcap(str(capture), [Packet.parse("tcp 10.20.1.1:40000 -> 192.0.2.80:23 flags syn")])
    done = run("diff", old, new, "-r", capture)
    assert "1 captured packet would change" in done.out
    assert "\x1b" not in done.out + done.err


# test --coverage, --mutate


def test_coverage_and_mutation(draft: Path, tmp_path: Path) -> None:
    done = run("test", draft, "--coverage", "--mutate", "--format", "json", *DAY)
    assert done.code == 0
    cover = done.json["coverage"]
    assert "no-guest-ssh" in {m["label"] for m in cover["missing"]}
    assert cover["covered"] == 1
    survivors = done.json["mutation"]["survivors"]
    assert survivors
    for survivor in survivors:  # each tells the line that would notice it, and that line is true today
        draft.write_text(DRAFT + survivor["expectation"] + "\n")
        assert run("test", draft, *DAY).code == 0, survivor
    draft.write_text(DRAFT)
    assert run("test", draft, "--coverage", "--fail-under", "90", *DAY).code == 1
    assert run("test", draft, "--fail-under", "90", *DAY).code == 2
    report = tmp_path / "junit.xml"
    assert run("test", draft, "--junit", report, *DAY).code == 0
    assert "<testsuites" in report.read_text()


def test_an_open_question_is_no_failure_of_the_policy(tmp_path: Path) -> None:
    path = tmp_path / "p.fwl"
    path.write_text(
        "deny any from 10.0.0.0/8 in wan0\nallow tcp from any to any port 80\nexpect allow tcp 10.0.0.1:5 -> 10.0.0.2:80\n"
    )
    done = run("test", path)
    assert done.code == 1
    assert "depends on what the expectation leaves open" in done.out


def test_policies_of_different_shape_can_be_compared(tmp_path: Path) -> None:
    one, two = tmp_path / "one.fwl", tmp_path / "two.fwl"
    one.write_text("default allow\ndeny 255 to 240.0.0.0/4 until 2100-01-01\n")
    two.write_text("deny icmp in wan0\nallow any from 2001:db8::/32\n")
    done = run("diff", one, two, "--format", "json")
    assert done.code == 1
    for change in done.json["changes"]:
        assert load(one).prove(f"{change['old']['action']} {change['region']['text']}").holds
        assert load(two).prove(f"{change['newly']} {change['region']['text']}").holds


def test_claims_from_python() -> None:
    policy = loads("allow tcp from any to 10.0.0.1 port http as web")
    assert policy.prove("deny udp from any").holds
    assert [r.rule for r in policy.query("allow any")] == [0]
    with pytest.raises(PolicyError):
        policy.prove("deny udp form any")
