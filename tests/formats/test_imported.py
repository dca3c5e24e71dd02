"""Imported policies: verdicts, claims, queries and dead lines agree with the interpreter over all resolutions of doubt."""

from __future__ import annotations

import random

from support.chains import draw_chains, points

from fwengine.analysis.diff import diff
from fwengine.analysis.prove import Status, prove
from fwengine.analysis.query import query
from fwengine.formats.chains import Chains, Kind, hits, possible
from fwengine.formats.iptables.reader import read
from fwengine.formats.joint import joint
from fwengine.formats.unfold import unfold
from fwengine.imported import dead, dead_everywhere, lines, uncalled
from fwengine.model.box import Box
from fwengine.model.fields import DPORT, PROTOCOL, SRC, Point
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY, DEPENDS, Action, Claim
from fwengine.model.ruleset import RuleSet


def joined(chains: Chains) -> RuleSet:
    upper, lower = unfold(chains, "entry", ALLOW), unfold(chains, "entry", DENY)
    return RuleSet(joint(upper, lower), upper.default)


def fate(expected: frozenset[Action]) -> Action:
    return DEPENDS if len(expected) > 1 else next(iter(expected))


def test_verdicts_are_those_of_all_resolutions() -> None:
    found = dict.fromkeys(Action, 0)
    for seed in range(600):
        chains = draw_chains(random.Random(seed), 0.35)
        policy = joined(chains)
        for point in points(chains):
            verdict = policy.evaluate_point(point)
            found[verdict.action] += 1
            assert verdict.action is fate(possible(chains, "entry", point)), seed
            if verdict.action is DEPENDS:
                assert verdict.rule is not None
                assert verdict.rule.origin is not None
                numbers = {d.span.line for d in verdict.rule.origin.doubts}
                assert {d.reason for d in verdict.rule.origin.doubts} <= {"something", "a program outside decides"}
                assert numbers
    assert min(found.values()) > 500, found


def test_what_is_certain_is_said_once() -> None:
    for seed in range(200):
        chains = draw_chains(random.Random(seed), 0.0)
        upper, lower = unfold(chains, "entry", ALLOW), unfold(chains, "entry", DENY)
        assert joint(upper, lower) == upper.rules == lower.rules


def test_claims_hold_whatever_becomes_of_the_doubts() -> None:
    outcomes = dict.fromkeys((Status.PROVED, Status.REFUTED, Status.DEPENDS), 0)
    for seed in range(250):
        draw = random.Random(seed)
        chains = draw_chains(draw, 0.35)
        policy = joined(chains)
        asked = [p for p in points(chains) if draw.random() < 0.4]
        if not asked:
            continue
        boxes = tuple(Box(tuple(IntervalSet.single(v) for v in p)) for p in asked)
        for action in (ALLOW, DENY):
            found = prove(policy, Claim(action, boxes))
            fates = {fate(possible(chains, "entry", p)) for p in asked}
            expected = (
                Status.REFUTED if action.other in fates else Status.DEPENDS if DEPENDS in fates else Status.PROVED
            )
            assert found.status is expected
            outcomes[found.status] += 1
    assert min(outcomes.values()) > 20, outcomes


def test_queries_say_what_is_certain_and_what_is_not() -> None:
    space = Box.of({PROTOCOL: IntervalSet.single(6), SRC: IntervalSet.of((1, 3)), DPORT: IntervalSet.of((10, 13))})
    for seed in range(120):
        chains = draw_chains(random.Random(seed), 0.35)
        policy = joined(chains)
        for action in Action:
            regions = query(policy, action, (space,))
            for point in points(chains):
                if point in space:
                    assert any(point in r.box for r in regions) == (fate(possible(chains, "entry", point)) is action)


def test_changes_are_told_between_three_answers() -> None:
    for seed in range(80):
        one, other = draw_chains(random.Random(seed), 0.3), draw_chains(random.Random(seed + 1000), 0.3)
        changes = diff(joined(one), joined(other))
        for point in set(points(one)) & set(points(other)):
            was, now = (fate(possible(chains, "entry", point)) for chains in (one, other))
            (told,) = [(c.old, c.new) for c in changes if point in c.box] or [(was, was)]
            assert told == (was, now)


def meets(chains: Chains, point: Point) -> set[int]:
    """The lines that match the packet and are met in some resolution: by walking all of them."""
    found: set[int] = set()
    seen: set[tuple[tuple[str, int], ...]] = set()

    def walk(stack: tuple[tuple[str, int], ...]) -> None:
        if not stack or stack in seen:
            return
        seen.add(stack)
        *outer, (name, at) = stack
        chain = chains.chains[name]
        if at == len(chain.lines):
            if chain.default is None:
                walk(tuple(outer))
            return
        line = chain.lines[at]
        onward = (*outer, (name, at + 1))
        for hit in hits(line, point):
            if hit:
                found.add(line.number)
            if not hit or line.kind is Kind.PASS:
                walk(onward)
            elif line.kind is Kind.RETURN and chain.default is None:
                walk(tuple(outer))
            elif line.kind is Kind.JUMP:
                walk((*onward, (line.target or "", 0)))
            elif line.kind is Kind.GOTO:
                walk((*outer, (line.target or "", 0)))

    walk((("entry", 0),))
    return found


def test_dead_lines_are_those_that_no_packet_meets() -> None:
    count = 0
    for seed in range(400):
        chains = draw_chains(random.Random(seed), 0.25)
        met = set().union(*(meets(chains, point) for point in points(chains)))
        reached = {line.number for name in chains.reached("entry") for line in chains.chains[name].lines}
        assert set(dead(chains, "entry")) == reached - met, seed
        count += len(reached - met)
    assert count > 150


def test_a_line_is_dead_only_where_every_way_to_it_is() -> None:
    text = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:web - [0:0]
:spare - [0:0]
-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT
-A INPUT -j web
-A FORWARD -j web
-A web -p tcp -m tcp --dport 80 -j ACCEPT
-A web -p tcp -m tcp --dport 80 -j DROP
-A spare -j DROP
COMMIT
"""
    chains = read(text, "dump").chains
    known = lines(chains)

    def told(*entries: str) -> dict[int, list[int]]:
        found = dead_everywhere(chains, entries)
        return {known[n].span.line: [known[b].span.line for b in by] for n, by in found.items()}

    assert told("INPUT") == {9: [6], 10: [6]}
    assert told("FORWARD") == {10: [9]}
    assert told("INPUT", "FORWARD") == {10: [6, 9]}
    assert uncalled(chains, ["INPUT", "FORWARD"]) == ("spare",)
