"""Rules, policies, verdicts and `decide`, the definition; and that all of them are values."""

from __future__ import annotations

import copy
import datetime
import pickle
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.generators import TODAY, boxes, open_packets, points, policies, policies_and_points, rules

from fwengine.errors import (
    NOWHERE,
    CaptureError,
    Diagnostic,
    FwengineError,
    Label,
    LimitError,
    PacketError,
    PolicyError,
    Span,
)
from fwengine.model.box import Box
from fwengine.model.fields import DPORT, PROTOCOL, TTL, Point
from fwengine.model.interval import IntervalSet
from fwengine.model.packet import Packet
from fwengine.model.rules import ALLOW, DENY, DEPENDS, Action, Case, Definition, Expectation, Rule, Verdict, rules_of
from fwengine.model.ruleset import decide
from fwengine.packets.encode import write_pcap
from fwengine.policy import Policy, loads

WEB = Box.of({PROTOCOL: IntervalSet.single(6), DPORT: IntervalSet.single(80)})
SSH = Box.of({PROTOCOL: IntervalSet.single(6), DPORT: IntervalSet.single(22)})
ANY = Box.of({})
PACKET = Packet.of("tcp", "5.6.7.8", "1.2.3.4", sport=1029, dport=80, flags=2, in_interface="", out_interface="")
POINT: Point = PACKET.as_seen_by((PROTOCOL, DPORT)) or ()
HERE = Span("a.fwl", 3, 1, 3, 9)


# Meaning


def test_the_first_rule_that_matches_decides() -> None:
    policy = Policy((Rule(DENY, (SSH,)), Rule(ALLOW, (WEB,)), Rule(DENY, (ANY,))), ALLOW, TODAY)
    assert decide(policy, PACKET) == Verdict(ALLOW, policy.rules[1], 1)
    assert decide(policy, PACKET.replace(dport=22)) == Verdict(DENY, policy.rules[0], 0)
    assert decide(policy, PACKET.replace(dport=23)) == Verdict(DENY, policy.rules[2], 2)
    assert decide(policy, POINT) == decide(policy, PACKET)


def test_if_none_matches_the_default_decides() -> None:
    for default in (ALLOW, DENY):
        verdict = decide(Policy((Rule(ALLOW, (SSH,)),), default, TODAY), PACKET)
        assert verdict == Verdict(default, None, 1, "default")
    assert decide(Policy((), as_of=TODAY), PACKET) == Verdict(DENY, None, 0, "default")


def test_the_boxes_of_a_rule_are_joined_by_or() -> None:
    rule = Rule(ALLOW, (SSH, WEB))
    assert rule.matches(POINT)
    assert not Rule(ALLOW, (SSH,)).matches(POINT)
    assert not Rule(ALLOW, ()).matches(POINT)


def test_until_is_the_last_day_on_which_a_rule_matches() -> None:
    day = datetime.timedelta(days=1)
    policy = Policy((Rule(ALLOW, (ANY,), until=TODAY), Rule(DENY, (ANY,))), DENY, TODAY)
    for as_of, index in ((TODAY - day, 0), (TODAY, 0), (TODAY + day, 1)):
        there = Policy(policy.rules, DENY, as_of)
        assert decide(there, PACKET).index == index
        assert [there.active(rule) for rule in there.rules] == [index == 0, True]


@settings(max_examples=40)
@given(policies_and_points())
def test_decide_is_the_sentence_in_a_loop(case: tuple[Policy, list[Point]]) -> None:
    """Said once more, with Python's own tools only."""
    policy, near = case
    for point in near:
        matching = [
            i
            for i, rule in enumerate(policy.rules)
            if not (rule.until and rule.until < policy.as_of)
            and any(
                all(any(lo <= v <= hi for lo, hi in s.ranges) for v, s in zip(point, b.sets, strict=True))
                for b in rule.boxes
            )
        ]
        verdict = decide(policy, point)
        assert verdict.index == (matching[0] if matching else len(policy.rules))
        assert verdict.action == (policy.rules[matching[0]].action if matching else policy.default)
        assert verdict == policy.verdict(verdict.index)
        assert policy.action(verdict.index) == verdict.action
        assert policy.label(verdict.index) == verdict.by


def test_a_packet_open_in_what_a_rule_asks_for_is_no_question_for_decide() -> None:
    policy = Policy(
        (Rule(ALLOW, (WEB,)), Rule(DENY, (Box.of({TTL: IntervalSet.single(1)}),), until=TODAY)), DENY, TODAY
    )
    assert decide(policy, PACKET.replace(ttl=2, sport=None, flags=None)).index == 0
    assert decide(policy, PACKET.replace(ttl=1, dport=22)).index == 1
    for open in ({"dport": None, "ttl": 1}, {"ttl": None}):
        with pytest.raises(ValueError, match="ask `evaluate`"):
            decide(policy, PACKET.replace(**open))
    after = Policy(policy.rules, DENY, TODAY + datetime.timedelta(1))  # an expired rule asks for nothing
    assert after.fields == {PROTOCOL, DPORT}
    assert decide(after, PACKET).index == 0


@settings(max_examples=100)
@given(policies(), st.data())
def test_where_no_rule_asks_for_what_is_open_all_that_a_packet_may_be_fares_alike(
    policy: Policy, data: st.DataObject
) -> None:
    packet = data.draw(open_packets(near=policy))
    try:
        verdict = decide(policy, packet)
    except ValueError:
        assert any(packet.values[f] is None for f in policy.fields)
    else:
        assert policy.evaluate(packet) == verdict
        assert {index for _, index in policy.tree.regions(Box.around(packet))} == {verdict.index}


def test_a_policy_answers_by_itself(tmp_path: Path) -> None:
    """The methods that reach for the engine's upper floors, each once; their own tests are elsewhere."""
    policy = loads("net web = 1.2.3.4\nallow tcp from any to web port 80 as web", as_of=TODAY)
    assert policy.evaluate(PACKET) == decide(policy, PACKET)
    assert policy.prove("deny udp to web").holds
    refuted = policy.prove("deny tcp to web")
    assert refuted.counterexample is not None
    assert decide(policy, refuted.counterexample).by == "web"
    (region,) = policy.query("allow any to web")
    assert region.box == policy.rules[0].boxes[0].plain()
    assert policy.query("allow udp") == ()
    capture = tmp_path / "two.pcap"
    write_pcap(str(capture), [PACKET, PACKET.replace(dport=22)])
    report = policy.evaluate_capture(str(capture))
    assert (report.packets, report.allow, report.deny) == (2, 1, 1)


# Verdicts


def test_a_verdict_has_no_truth_value() -> None:
    for verdict in (Verdict(ALLOW), Verdict(DENY), decide(Policy((), as_of=TODAY), PACKET)):
        with pytest.raises(TypeError, match=r"compare `verdict\.action` with `Action\.ALLOW`"):
            bool(verdict)
        with pytest.raises(TypeError):
            assert verdict


def test_who_decided() -> None:
    named, unnamed = Rule(ALLOW, (WEB,), "web"), Rule(ALLOW, (SSH,), span=HERE)
    assert (named.label, unnamed.label) == ("web", "a.fwl:3")
    assert Verdict(ALLOW, named, 0).by == "web"
    assert Verdict(DENY, None, 2, "default").by == "default"
    assert Verdict(DENY, reason="malformed").by == "malformed"
    split = (Case(WEB, ALLOW, named), Case(SSH, ALLOW, unnamed), Case(SSH, ALLOW, named), Case(ANY, DENY, None))
    assert Verdict(DEPENDS, reason="depends", cases=split).by == "web or a.fwl:3 or default"
    policy = Policy((named, unnamed), DENY, TODAY)
    assert [policy.label(i) for i in range(3)] == ["web", "a.fwl:3", "default"]
    assert [policy.action(i) for i in range(3)] == [ALLOW, ALLOW, DENY]


def test_actions() -> None:
    assert [str(a) for a in Action] == ["allow", "deny", "depends"]
    assert (ALLOW.other, DENY.other) == (DENY, ALLOW)


@pytest.mark.parametrize("wrong", [DEPENDS, "allow", None, True])
def test_neither_rule_nor_default_can_be_anything_else(wrong: Any) -> None:
    with pytest.raises(ValueError, match="a rule allows or denies; it cannot be"):
        Rule(wrong, (WEB,))
    with pytest.raises(ValueError, match="the default allows or denies; it cannot be"):
        Policy((), wrong, TODAY)


def test_the_default_is_deny_and_the_day_is_today() -> None:
    policy = Policy(())
    assert policy.default is DENY
    assert isinstance(policy.as_of, datetime.date)


def test_rules_of() -> None:
    assert rules_of([(ALLOW, WEB), (DENY, ANY)]) == (Rule(ALLOW, (WEB,)), Rule(DENY, (ANY,)))


# Values


@settings(max_examples=40)
@given(policies(), points())
def test_policies_are_values(policy: Policy, point: Point) -> None:
    index = policy.tree.index(point)  # what is computed late takes no part
    for twin in (pickle.loads(pickle.dumps(policy)), copy.copy(policy), copy.deepcopy(policy)):
        assert "tree" not in vars(twin)
        assert twin == policy
        assert hash(twin) == hash(policy)
        assert twin.tree.index(point) == index
    assert policy.tree is policy.tree
    with pytest.raises(FrozenInstanceError):
        policy.default = ALLOW  # type: ignore[misc]  # that is the point


@given(rules(), boxes())
def test_rules_are_values(rule: Rule, box: Box) -> None:
    twin = pickle.loads(pickle.dumps(rule))
    assert twin == rule
    assert hash(twin) == hash(rule)
    assert Rule(rule.action.other, rule.boxes) != rule
    assert Rule(rule.action, (*rule.boxes, box)) != rule
    with pytest.raises(FrozenInstanceError):
        rule.action = DENY  # type: ignore[misc]  # that is the point


def test_what_rides_along_does_not_change_what_a_policy_is() -> None:
    a = Policy(
        (Rule(ALLOW, (WEB,), span=HERE, written=((PROTOCOL, "tcp"),)),), DENY, TODAY, name="a", sources={"a": "x"}
    )
    b = Policy(
        (Rule(ALLOW, (WEB,)),),
        DENY,
        TODAY,
        expectations=(Expectation(ALLOW, (WEB,)),),
        definitions=(Definition("net", "n"),),
    )
    assert a == b
    assert hash(a) == hash(b)
    assert a != Policy(a.rules, ALLOW, TODAY)
    assert a != Policy(a.rules, DENY, TODAY + datetime.timedelta(days=1))
    assert a.rules[0] != Rule(ALLOW, (WEB,), name="web")
    assert a.rules[0] != Rule(ALLOW, (WEB,), log=True)


def test_verdicts_cases_and_claims_are_values() -> None:
    rule = Rule(ALLOW, (WEB,), "web")
    for value in (
        Verdict(ALLOW, rule, 0),
        Verdict(DEPENDS, reason="depends", cases=(Case(WEB, ALLOW, rule), Case(SSH, DENY, None))),
        Expectation(ALLOW, (WEB,), "web", packet=PACKET, span=HERE),
        Definition("ports", "high", HERE, 2),
    ):
        twin = pickle.loads(pickle.dumps(value))
        assert twin == value
        assert hash(twin) == hash(value)


# Errors


def test_spans() -> None:
    assert str(HERE) == "a.fwl:3:1"
    assert HERE.to(Span("a.fwl", 5, 2, 5, 4)) == Span("a.fwl", 3, 1, 5, 4)
    assert NOWHERE.line == 1


def test_errors_survive_a_pickle_whole() -> None:
    diagnostic = Diagnostic(
        "FW012", "`alow` is not a statement", HERE, "label", "help", "error", (Label(HERE, "x"),), ("note",)
    )
    error = PolicyError([diagnostic, diagnostic], {"a.fwl": "alow tcp"})
    twin = pickle.loads(pickle.dumps(error))
    assert twin.diagnostics == error.diagnostics == (diagnostic, diagnostic)
    assert twin.sources == error.sources == {"a.fwl": "alow tcp"}
    assert str(twin) == str(error) == "\n".join(["a.fwl:3:1: error[FW012]: `alow` is not a statement: help"] * 2)
    assert repr(twin) == repr(error)
    capture = pickle.loads(pickle.dumps(CaptureError("FW902", "a.pcap", "ends early", 7)))
    assert (capture.code, capture.file, capture.message, capture.packets) == ("FW902", "a.pcap", "ends early", 7)
    assert str(capture) == "a.pcap: error[FW902]: ends early"
    for other in (PacketError("no such port"), LimitError("limit reached"), FwengineError("x")):
        assert str(pickle.loads(pickle.dumps(other))) == str(other)


def test_errors_can_be_raised_caught_and_told_apart() -> None:
    error = PolicyError([])
    assert {error: 1}[error] == 1
    assert error != PolicyError([])  # an exception is an event, not a value
    for kind in (PolicyError, PacketError, CaptureError, LimitError):
        assert issubclass(kind, FwengineError)
    assert issubclass(PacketError, ValueError)
    with pytest.raises(FwengineError):
        raise error
