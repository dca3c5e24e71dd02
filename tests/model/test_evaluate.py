"""`evaluate`: on whole packets as `decide`, on open ones what all their completions have in common."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.generators import TODAY, Drawn, completions, make_point_near, open_packets, policies_and_points, worlds
from support.generators import make_policy as make

from fwengine.errors import LimitError
from fwengine.limits import Limits
from fwengine.model import ruleset as evaluating
from fwengine.model.box import Box
from fwengine.model.fields import CODE, DPORT, FLAGS, IN, PROTOCOL, SPORT, SRC, TYPE, Point
from fwengine.model.interval import IntervalSet
from fwengine.model.packet import Packet
from fwengine.model.rules import ALLOW, DENY, DEPENDS, Rule, Verdict
from fwengine.model.ruleset import decide
from fwengine.policy import Policy

single = IntervalSet.single
TCP = Packet.of("tcp", "10.0.0.1", "10.0.0.2")


@st.composite
def policies_and_open_packets(draw: st.DrawFn) -> tuple[Policy, Packet]:
    world, source = draw(worlds), Drawn(draw)
    policy = make(source, world, 6)
    packet = Packet.from_point(make_point_near(source, world, policy))
    names = ("sport", "dport", "icmp_type", "icmp_code", "flags", "in_interface", "out_interface")
    return policy, packet.replace(**dict.fromkeys(draw(st.lists(st.sampled_from(names), max_size=4, unique=True))))


def rule_boxes(rules: tuple[Rule, ...]) -> list[Box]:
    return [box for rule in rules for box in rule.boxes]


@settings(max_examples=40)
@given(policies_and_points())
def test_whole_packets_fare_as_decide_says(case: tuple[Policy, list[Point]]) -> None:
    policy, near = case
    for point in near:
        expected = decide(policy, point)
        assert policy.evaluate(Packet.from_point(point)) == expected
        assert policy.verdict(policy.tree.index(point)) == expected  # from here on `evaluate` takes the tree
        assert policy.evaluate_point(point) == expected
        assert policy.evaluate(Packet.from_point(point)) == expected
        assert policy.evaluate_boxes([Box(tuple(single(v) for v in point))]) == expected


@given(policies_and_open_packets())
def test_open_packets_fare_as_all_their_completions(case: tuple[Policy, Packet]) -> None:
    """Every completion that any rule could tell apart, through `decide`."""
    policy, packet = case
    try:
        every = completions(policy, Box.around(packet), 3000)
    except OverflowError:
        assume(False)
    indexes = sorted({index for point in every if (index := decide(policy, point).index) is not None})
    verdict = policy.evaluate(packet)
    actions = {policy.action(index) for index in indexes}
    assert verdict.action == (actions.pop() if len(actions) == 1 else DEPENDS)
    if len(indexes) == 1:
        assert verdict == policy.verdict(indexes[0])
        return
    assert (verdict.rule, verdict.index) == (None, None)
    assert verdict.reason == ("depends" if verdict.action == DEPENDS else "rules")
    assert verdict.by == " or ".join(dict.fromkeys(policy.label(i) for i in indexes))
    for point in every:  # the split is exact
        (case_of,) = [c for c in verdict.cases if point in c.box]
        expected = decide(policy, point)
        assert (case_of.action, case_of.rule) == (expected.action, expected.rule)


@settings(max_examples=40)
@given(policies_and_open_packets())
def test_the_cases_are_disjoint_and_cover_the_packet(case: tuple[Policy, Packet]) -> None:
    policy, packet = case
    verdict = policy.evaluate(packet)
    left = [Box.around(packet)]
    for i, part in enumerate(verdict.cases):
        assert part.box
        assert not any(part.box & other.box for other in verdict.cases[:i])
        assert part.rule is None or part.rule.action == part.action
        left = [piece for box in left for piece in box - part.box if piece]
    assert not left or not verdict.cases


def test_every_completion_of_the_small_fields() -> None:
    """Brute force without shortcuts: all 65,536 types and codes, all 256 flags."""
    icmp = Box.of({PROTOCOL: single(1), TYPE: IntervalSet.of((3, 5), (8, 8)), CODE: IntervalSet.of((0, 0), (4, 255))})
    flags = Box.of({PROTOCOL: single(6), FLAGS: IntervalSet.union((v, v) for v in range(256) if v & 0b10010 == 0b10)})
    policy = Policy((Rule(ALLOW, (icmp,), "icmp"), Rule(ALLOW, (flags,), "syn")), DENY, TODAY)
    ping = Packet.of("icmp", "10.0.0.1", "10.0.0.2", in_interface="", out_interface="")
    verdict = policy.evaluate(ping)
    assert (verdict.action, verdict.by) == (DEPENDS, "icmp or default")
    covered = dict.fromkeys(("icmp", "default"), 0)
    for kind in range(256):
        for code in range(256):
            covered[decide(policy, ping.replace(icmp_type=kind, icmp_code=code)).by] += 1
    for label in covered:
        mine = [c.box for c in verdict.cases if (c.rule.label if c.rule else "default") == label]
        assert sum(box.sets[TYPE].size * box.sets[CODE].size for box in mine) == covered[label]
    syn = TCP.replace(sport=1, dport=2, in_interface="", out_interface="")
    split = policy.evaluate(syn)
    for value in range(256):
        (found,) = [c for c in split.cases if syn.replace(flags=value) in c.box]
        assert found.rule == decide(policy, syn.replace(flags=value)).rule


def test_all_alike_by_one_rule_by_several_and_not_alike() -> None:
    low = Rule(ALLOW, (Box.of({PROTOCOL: single(6), DPORT: IntervalSet.of((0, 1023))}),), "low")
    high = Rule(ALLOW, (Box.of({PROTOCOL: single(6), DPORT: IntervalSet.of((1024, 65535))}),), "high")
    policy = Policy((low, high), DENY, TODAY)
    assert policy.evaluate(TCP.replace(dport=80)) == Verdict(ALLOW, low, 0)
    both = policy.evaluate(TCP)
    assert (both.action, both.rule, both.reason, both.by) == (ALLOW, None, "rules", "low or high")
    assert [c.rule for c in both.cases] == [low, low, high, high][:: 4 // len(both.cases)]
    only_low = Policy((low,), DENY, TODAY).evaluate(TCP)
    assert (only_low.action, only_low.reason, only_low.by) == (DEPENDS, "depends", "low or default")
    assert Policy((), DENY, TODAY).evaluate(TCP) == Verdict(DENY, None, 0, "default")


def test_an_interface_left_out_is_open_and_one_that_is_absent_is_none() -> None:
    wan = Rule(DENY, (Box.of({IN: single(0x77616E30)}),), "wan")
    policy = Policy((wan,), ALLOW, TODAY)
    assert policy.evaluate(TCP).action == DEPENDS
    assert policy.evaluate(TCP.replace(in_interface="wan0")).by == "wan"
    assert policy.evaluate(TCP.replace(in_interface="wan1")).by == "default"
    assert policy.evaluate(TCP.replace(in_interface="")).by == "default"


def test_ports_left_out_are_the_ports_it_has_not_their_absence() -> None:
    every_port = Rule(ALLOW, (Box.of({PROTOCOL: single(6), SPORT: IntervalSet(((0, 65535),))}),), "ports")
    policy = Policy((every_port,), DENY, TODAY)
    assert policy.evaluate(TCP).by == "ports"
    assert policy.evaluate(TCP.replace(fragment="later")).by == "default"


def test_a_question_too_large_is_not_guessed() -> None:
    rules = tuple(
        Rule(ALLOW, (Box.of({PROTOCOL: single(6), DPORT: single(p), SRC: single(TCP.src)}),)) for p in range(0, 40, 2)
    )
    policy = Policy(rules, DENY, TODAY)
    parts = len(list(policy.tree.regions(Box.around(TCP))))
    with Limits(cases=parts).applied():
        assert len(policy.evaluate(TCP).cases) == parts
    with (
        Limits(cases=parts - 1).applied(),
        pytest.raises(LimitError, match=r"unknown: limit reached \(\d+ parts of an open packet\)") as told,
    ):
        policy.evaluate(TCP)
    assert told.value.limit == "cases"


def test_a_few_whole_packets_do_not_compile_a_policy() -> None:
    policy = Policy((Rule(ALLOW, (Box.of({PROTOCOL: single(6)}),)),), DENY, TODAY)
    whole = TCP.replace(sport=1, dport=2, flags=2, in_interface="", out_interface="")
    for _ in range(evaluating.UNCOMPILED - 1):
        assert policy.evaluate(whole).action is ALLOW
        assert "tree" not in policy.__dict__
    assert policy.evaluate(whole).action is ALLOW
    assert "tree" in policy.__dict__
    assert "tree" not in pickle.loads(pickle.dumps(policy)).__dict__


def test_no_packet_is_no_question() -> None:
    for empty in ([], [Box.of({PROTOCOL: single(1), DPORT: single(80)})]):
        with pytest.raises(ValueError, match="no packet to evaluate"):
            Policy((), as_of=TODAY).evaluate_boxes(empty)


@settings(max_examples=40)
@given(policies_and_points(), st.lists(open_packets(), min_size=1, max_size=3))
def test_several_boxes_are_one_question(case: tuple[Policy, list[Point]], asked: list[Packet]) -> None:
    policy, _ = case
    together = policy.evaluate_boxes([Box.around(packet) for packet in asked])
    apart = [policy.evaluate(packet) for packet in asked]
    actions = {verdict.action for verdict in apart}
    assert together.action == (actions.pop() if len(actions) == 1 else DEPENDS)
    assert rule_boxes(policy.rules) or together.by == "default"
