"""Imported policies: verdicts, claims, queries and dead lines agree with the interpreter over all resolutions of doubt."""

from __future__ import annotations

import random

import pytest
from support.chains import POINTS, draw_chains, points

from fwengine.errors import Span
from fwengine.formats.chains import Chains, Kind, hits, possible
from fwengine.formats.document import Document
from fwengine.formats.iptables.reader import read
from fwengine.imported import ImportedPolicy
from fwengine.model.box import Box
from fwengine.model.fields import DPORT, PROTOCOL, SRC, Point
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY, DEPENDS, Claim
from fwengine.policy import region
from fwengine.traffic.codec import Packet


def imported(chains: Chains) -> ImportedPolicy:
    return ImportedPolicy(Document("drawn", chains, {"entry": "entry"}), "entry", "drawn", "")


def test_verdicts_are_those_of_all_resolutions() -> None:
    depends = 0
    for seed in range(250):
        chains = draw_chains(random.Random(seed), 0.35)
        policy = imported(chains)
        for point in points(chains):
            expected = possible(chains, "entry", point)
            verdict = policy.evaluate(Packet.from_point(point))
            assert verdict.action is (DEPENDS if len(expected) > 1 else next(iter(expected)))
            if verdict.action is DEPENDS:
                depends += 1
                assert verdict.doubts, "depends on nothing?"
    assert depends > 300


def test_claims_hold_whatever_becomes_of_the_doubts() -> None:
    outcomes = {"proved": 0, "refuted": 0, "depends": 0}
    for seed in range(250):
        draw = random.Random(seed)
        chains = draw_chains(draw, 0.35)
        policy = imported(chains)
        asked = [p for p in points(chains) if draw.random() < 0.4]
        if not asked:
            continue
        boxes = tuple(Box(tuple(IntervalSet.single(v) for v in p)) for p in asked)
        for action in (ALLOW, DENY):
            found = policy.prove(Claim(action, boxes))
            fates = [possible(chains, "entry", p) for p in asked]
            assert found.holds == all(f == {action} for f in fates)
            if found.holds:
                outcomes["proved"] += 1
            elif any(f == {action.other} for f in fates):
                outcomes["refuted"] += 1
                assert not found.doubts
                assert found.proof.counterexample is not None
                point = found.proof.counterexample.as_seen_by(policy.lower.constrained | policy.upper.constrained)
                assert point is not None
                assert possible(chains, "entry", point) == {action.other}
            else:
                outcomes["depends"] += 1
                assert found.doubts
    assert min(outcomes.values()) > 20, outcomes


def test_queries_say_what_is_certain_and_what_is_not() -> None:
    space = Box.of({PROTOCOL: IntervalSet.single(6), SRC: IntervalSet.of((1, 3)), DPORT: IntervalSet.of((10, 13))})
    for seed in range(120):
        chains = draw_chains(random.Random(seed), 0.35)
        policy = imported(chains)
        certain, perhaps = policy.query(ALLOW, (space,))
        for point in points(chains):
            if point not in space:
                continue
            expected = possible(chains, "entry", point)
            assert any(point in r.box for r in certain) == (expected == {ALLOW})
            assert any(point in u.region.box for u in perhaps) == (len(expected) > 1)
        assert all(u.doubts for u in perhaps)


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
    dead = 0
    for seed in range(400):
        chains = draw_chains(random.Random(seed), 0.25)
        policy = imported(chains)
        met = set().union(*(meets(chains, point) for point in points(chains)))
        reached = {line.number for name in chains.reached("entry") for line in chains.chains[name].lines}
        assert set(policy.dead()) == reached - met, seed
        dead += len(reached - met)
    assert dead > 150


DUMP = """\
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 -j DROP
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j DROP
COMMIT
"""


@pytest.mark.parametrize(
    ("claim", "holds", "lines"),
    [
        ("deny tcp from ipv4 to ipv4 port 80 in eth0", True, []),
        ("deny tcp from ipv4 to ipv4 port 22 in eth0", False, [5]),
        ("allow tcp from ipv4 to ipv4 port 22 in eth0", False, [5]),
        ("allow any from ipv4 in lo", True, []),
        ("deny any from ipv6", False, [2]),
    ],
)
def test_a_dump_is_asked(claim: str, holds: bool, lines: list[int]) -> None:
    policy = ImportedPolicy(read(DUMP, "dump"), "INPUT", "dump", DUMP)
    action, asked = claim.split(" ", 1)
    found = policy.prove(Claim(ALLOW if action == "allow" else DENY, region(None, asked)))
    assert found.holds == holds
    assert [d.span.line for d in found.doubts] == lines
    assert {policy.lines[n].span.line: [policy.lines[b].span.line for b in by] for n, by in policy.dead().items()} == {
        7: [6]
    }
    assert policy.doubts[0].span == Span("dump", 2, 1, 2, 18)


def test_every_packet_of_the_universe_is_a_packet() -> None:
    assert len(set(POINTS)) == len(POINTS)
