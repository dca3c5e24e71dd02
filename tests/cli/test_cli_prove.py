"""`prove` of several policies and claims, and counterexamples that differ in kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import run
from support.generators import policies, worlds

from fwengine import Packet, decide, load
from fwengine.analysis.kinds import counterexamples
from fwengine.analysis.prove import prove
from fwengine.cli.claims import claims_of, operands
from fwengine.model.rules import Claim

EDGE = """\
net web = 192.0.2.80
allow tcp to web port { http, https } as web-in
allow tcp from 10.0.0.0/8 to web port ssh as admin
allow udp from web to any port domain as dns-out
"""
CLAIMS = """\
# what must hold of everything
deny tcp from any to 192.0.2.80 port telnet   # no telnet

  deny icmp
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "edge.fwl").write_text(EDGE)
    (tmp_path / "rules" / "lab.fwl").write_text("allow tcp as open\n")
    (tmp_path / "claims.txt").write_text(CLAIMS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_claim_of_each_policy(folder: Path) -> None:
    done = run("prove", "rules", "--claims", "claims.txt", "deny udp to any port ntp")
    assert done.code == 1
    heads = [line for line in done.out.splitlines() if not line.startswith(" ")]
    assert [(line.split()[0], line.split()[1]) for line in heads] == [
        *[("PROVED", "rules/edge.fwl:")] * 3, ("PROVED", "rules/lab.fwl:"), ("FALSE", "rules/lab.fwl:"),
        ("PROVED", "rules/lab.fwl:"), ("5", "proved,"),
    ]  # fmt: skip
    assert run("prove", "rules/edge.fwl", "--claims", "-", stdin=CLAIMS.encode()).code == 0
    many = run("prove", "rules", "--claims", "claims.txt", "--format", "json").json
    assert (many["holds"], len(many["results"])) == (False, 4)
    assert [r["holds"] for r in many["results"]] == [True, True, False, True]
    assert run("prove", "rules", "--claims", "claims.txt", "--format", "jsonl").lines[:4] == many["results"]


def test_a_single_claim_needs_no_name(folder: Path) -> None:
    assert run("prove", "rules/edge.fwl", "deny icmp").out == "PROVED  deny icmp (confirmed)\n"


def test_what_others_include_is_no_policy_of_its_own(folder: Path) -> None:
    """A file of names only has nothing to prove; given by name it has, and that is an answer about nothing."""
    (folder / "rules" / "edge.fwl").write_text('include "names.fwl"\nallow tcp to web port http\n')
    (folder / "rules" / "names.fwl").write_text("net web = 192.0.2.80\n")
    done = run("prove", "rules", "deny icmp")
    assert (done.code, done.out.count("PROVED"), done.err) == (0, 2, "")
    assert run("prove", "rules/names.fwl", "deny icmp").code == 2
    (folder / "rules" / "other.fwl").write_text("net more = 192.0.2.81\n")
    done = run("prove", "rules", "deny icmp")
    assert (done.code, "rules/other.fwl: error[FW501]" in done.err) == (2, True)


def test_counterexamples_of_several_rules(folder: Path) -> None:
    three = run("prove", "rules/edge.fwl", "deny any", "--limit", "3", "--format", "json").json
    (result,) = three["results"]
    assert [c["rule"]["label"] for c in result["counterexamples"]] == ["web-in", "admin", "dns-out"]
    assert result["more"] is False
    policy = load("rules/edge.fwl")
    for c in result["counterexamples"]:
        packet = Packet.parse(c["packet"]).replace(in_interface="", out_interface="")
        assert (decide(policy, packet).by, c["verdict"]) == (c["rule"]["label"], "allow")
    two = run("prove", "rules/edge.fwl", "deny any", "--limit", "2")
    assert "by admin (rules/edge.fwl:3)" in two.out
    assert "and more of other rules: `--limit` says how many are shown" in two.out
    assert "dns-out" not in two.out


@given(st.data())
@settings(max_examples=60)
def test_there_is_one_for_each_rule_that_decides_otherwise(data: st.DataObject) -> None:
    """Definition: the compiled policy says which rules decide some packet of the region."""
    world = data.draw(worlds)
    policy = data.draw(policies(world))
    boxes = tuple(box for rule in data.draw(policies(world)).rules for box in rule.boxes)[:3]
    deciding = {index for box in boxes for _, index in policy.tree.regions(box)}
    for action in {rule.action for rule in policy.rules}:
        for by in (None, *sorted({policy.label(index) for index in deciding})):
            claim = Claim(action, boxes, by)
            wrong = {i for i in deciding if policy.action(i) is not action or by not in (None, policy.label(i))}
            kinds = counterexamples(policy, prove(policy, claim), 1000)
            assert sorted(k.verdict.index for k in kinds.found if k.verdict.index is not None) == sorted(wrong)
            for kind in kinds.found:
                assert any(kind.packet in box for box in boxes)
                assert decide(policy, kind.packet) == kind.verdict
            if len(wrong) > 1:
                some = counterexamples(policy, prove(policy, claim), len(wrong) - 1)
                assert (len(some.found), some.more) == (len(wrong) - 1, True)


def test_what_is_unknown_is_called_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fwengine.analysis import kinds
    from fwengine.errors import LimitError

    def slow(*_: object) -> None:
        raise LimitError("unknown: limit reached")

    monkeypatch.setattr(kinds, "_decided_by", slow)
    done = run("prove", "rules/edge.fwl", "deny any", "--format", "json")
    assert (done.code, done.json["results"][0]["more"]) == (1, None)
    assert "others are unknown" in run("prove", "rules/edge.fwl", "deny any").out


def test_a_wrong_claim_of_a_file_has_its_line(folder: Path) -> None:
    (folder / "claims.txt").write_text("deny icmp\n\n   deny tcp to wbe  # web\ndeny tcp form any\n")
    done = run("prove", "rules/edge.fwl", "--claims", "claims.txt", "--format", "json")
    errors = done.json["errors"]
    assert (done.code, len(done.json["results"])) == (2, 1)
    assert [(e["place"]["file"], e["place"]["line"], e["place"]["column"], e["kind"]) for e in errors] == [
        ("claims.txt", 3, 16, "question"), ("claims.txt", 4, 10, "question"),
    ]  # fmt: skip
    assert errors[0]["suggestions"][0]["place"]["column"] == 16
    text = run("prove", "rules/edge.fwl", "--claims", "claims.txt")
    assert "--> claims.txt:3:16" in text.err
    assert "\n3 |    deny tcp to wbe\n" in text.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rules/edge.fwl"], "Missing argument 'CLAIM...'"), (["deny icmp"], "Missing argument 'POLICY...'"),
        (["-", "--claims", "-"], "`-` stands twice"), (["rules/edge.fwl", "--claims", "none.txt"], "cannot read `none.txt`"),
        (["rules/edge.fwl", "tcp from any"], "^"), (["rules/none.fwl", "deny icmp"], "cannot read `rules/none.fwl`"),
        (["my rules.fwl", "deny icmp"], "cannot read `my rules.fwl`"),
        (["rules/edge.fwl", "deny"], "^"), (["rules/edge.fwl", "--claims", "empty.txt"], "there is no claim in it"),
    ],
)  # fmt: skip
def test_what_is_missing(folder: Path, words: list[str], said: str) -> None:
    (folder / "empty.txt").write_text("# nothing\n")
    done = run("prove", *words, stdin=b"")
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_operands(folder: Path) -> None:
    (folder / "deny any.fwl").write_text("deny any\n")
    policies, claims = operands(["a.fwl", "deny any.fwl", "allow tcp", "deny"], more=False)
    assert (policies, [c.text for c in claims]) == (["a.fwl", "deny any.fwl"], ["allow tcp", "deny"])
    assert [(c.text, c.line, c.column) for c in claims_of("claims.txt")] == [
        ("deny tcp from any to 192.0.2.80 port telnet", 2, 1),
        ("deny icmp", 4, 3),
    ]
