"""Every analysis against brute force over a universe that stands for all packets: no miss and no false alarm.

One (policy, packet) pair is one cell looked at; the slow run looks at more than ten millions.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from support.points import point_of
from support.universe import ALL, POINTS, Maker, action_of, allowed, decided, mask, matched, named

from fwengine.analysis.anomalies import findings
from fwengine.analysis.coverage import coverage
from fwengine.analysis.diff import diff, equivalent
from fwengine.analysis.entries import Entries
from fwengine.analysis.finding import SOON, Finding
from fwengine.analysis.mutation import mutants, mutation_score
from fwengine.analysis.prove import Status, prove
from fwengine.analysis.query import outside, query
from fwengine.analysis.reach import blockers, effective, reachable, unreachable
from fwengine.analysis.region import EVERYTHING
from fwengine.analysis.wording import describe
from fwengine.codes import FINDINGS
from fwengine.model.box import Box
from fwengine.model.fields import ABSENT, CODE, DPORT, FIRST, FLAGS, FRAGMENT, LATER, SPORT, TYPE
from fwengine.model.packet import Packet
from fwengine.model.rules import ALLOW, DENY, Claim, Expectation
from fwengine.model.ruleset import RuleSet, decide

FAST, SLOW = range(60), range(60, 560)
EVERY = [pytest.param(FAST, id="fast"), pytest.param(SLOW, id="slow", marks=pytest.mark.slow)]
A_FEW = [pytest.param(range(20), id="fast"), pytest.param(range(20, 320), id="slow", marks=pytest.mark.slow)]
INDEX = {point: n for n, point in enumerate(POINTS)}
IDLE = ("FW201", "FW202", "FW203")
GONE = (SPORT, DPORT, TYPE, CODE, FLAGS)


def policies(seeds: range, most: int = 8) -> Iterator[RuleSet]:
    return (Maker(seed).policy(most) for seed in seeds)


def disjoint_mask(boxes: Sequence[Box]) -> int:
    """The cells of boxes that must not overlap."""
    out = 0
    for box in boxes:
        cells = mask([box])
        assert cells, "an empty box"
        assert not cells & out, "boxes overlap"
        out |= cells
    return out


def decision(policy: RuleSet, packet: Packet | None) -> int:
    assert packet is not None
    index = decide(policy, packet).index
    assert index is not None
    return index


def test_the_universe_means_what_decide_says() -> None:
    for policy in policies(range(12)):
        parts = decided(policy)
        for n in range(0, len(POINTS), 7):
            index = decide(policy, POINTS[n]).index
            assert index is not None
            assert parts[index] >> n & 1


@pytest.mark.parametrize("seeds", EVERY)
def test_reach(seeds: range) -> None:
    for policy in policies(seeds):
        entries = Entries(policy)
        parts, all_of = decided(policy), matched(policy)
        dead = []
        for i in range(len(policy.rules)):
            packet = reachable(policy, i, entries)
            assert (packet is not None) == bool(parts[i])
            if packet is not None:
                assert decision(policy, packet) == i
            assert disjoint_mask(effective(policy, i, entries)) == parts[i]
            blocked = blockers(policy, i, entries)
            assert (blocked is not None) == bool(all_of[i] and not parts[i])
            if blocked is not None:
                dead.append(i)
                assert all(b < i for b in blocked.rules)
                assert not all_of[i] & ~union(all_of[b] for b in blocked.rules)
                for b in blocked.rules:
                    assert all_of[i] & ~union(all_of[c] for c in blocked.rules if c != b), "not minimal"
                alike = [b for b in range(i) if policy.rules[b].action is policy.rules[i].action]
                assert blocked.repeated == (not all_of[i] & ~union(all_of[b] for b in alike))
                assert blocked.repeated or blocked.shadowed
                singles = [b for b in (alike if blocked.repeated else range(i)) if not all_of[i] & ~all_of[b]]
                assert not singles or blocked.rules == (singles[0],)
                assert decision(policy, blocked.witness) == blocked.decided_by
                assert policy.rules[i].matches(point_of(blocked.witness))
        assert list(unreachable(policy, entries)) == dead


def union(masks: Iterator[int]) -> int:
    out = 0
    for cells in masks:
        out |= cells
    return out


def expected_codes(policy: RuleSet, i: int, gone: set[int]) -> set[str]:
    """The findings about a rule, from their definitions; `gone` are rules that decide nothing or may be removed."""
    rule = policy.rules[i]
    if rule.until is not None and rule.until < policy.as_of:
        return {"FW207"}
    parts, all_of = decided(policy), matched(policy)
    mine = all_of[i]
    if not mine:
        return {"FW204"}
    out = set()
    if rule.until is not None and rule.until - policy.as_of <= SOON:
        out.add("FW208")
    allow = allowed(policy)
    if not parts[i]:
        out.add("FW201" if mine & (~allow if rule.action is ALLOW else allow) else "FW202")
    else:
        left = parts[i]
        for j in range(
            i + 1, len(policy.rules)
        ):  # each packet must meet a rule that stays, before one that goes the other way
            if policy.rules[j].action is rule.action:
                left &= ~(all_of[j] if j not in gone else 0)
            elif all_of[j] & left:
                break
        else:
            if not left or policy.default is rule.action:
                out.add("FW203")
        if rule.action is ALLOW and mine == ALL:
            out.add("FW301")
    for j in range(i):
        theirs = all_of[j]
        if policy.rules[j].action is not rule.action and theirs & mine and mine & ~theirs:
            out.add("FW206" if theirs & ~mine else "FW205")
    return out


def lost_rule(policy: RuleSet) -> int | None:
    """FW303 from its definition, cell by cell."""
    parts = decided(policy)
    owner = {n: i for i, cells in enumerate(parts) for n in ones(cells)}
    found = []
    for n, point in enumerate(POINTS):
        i = owner[n]
        if point[FRAGMENT] == FIRST and i < len(policy.rules) and policy.rules[i].action is ALLOW:
            tail = tuple(LATER if f == FRAGMENT else ABSENT[f] if f in GONE else v for f, v in enumerate(point))
            j = owner[INDEX[tail]]
            if j > i and action_of(policy, j) is DENY:
                found.append(i)
    return min(found, default=None)


def ones(cells: int) -> list[int]:
    return [n for n, bit in enumerate(reversed(bin(cells)[2:])) if bit == "1"]


@pytest.mark.parametrize("seeds", EVERY)
def test_findings(seeds: range) -> None:
    seen: set[str] = set()
    for policy in policies(seeds):
        got: dict[int, dict[str, Finding]] = {i: {} for i in range(len(policy.rules))}
        for finding in findings(policy, FINDINGS, regions=True):
            assert describe(policy, finding)
            assert finding.rule is not None
            assert finding.code not in got[finding.rule] or finding.code == "FW302"
            got[finding.rule][finding.code] = finding
        parts, all_of, allow = decided(policy), matched(policy), allowed(policy)
        gone = {i for i, some in got.items() if any(c in some and (c != "FW203" or some[c].removable) for c in IDLE)}
        for i, by_code in got.items():
            rule = policy.rules[i]
            assert by_code.keys() - {"FW211", "FW302", "FW303", "FW305"} == expected_codes(policy, i, gone), (policy, i)
            against = ~allow if rule.action is ALLOW else allow
            for code, finding in by_code.items():
                seen.add(code)
                if finding.witness is not None:
                    assert decision(policy, finding.witness) == finding.decided_by
                    assert code == "FW303" or rule.matches(point_of(finding.witness))
                if code == "FW201":
                    assert policy.action(finding.decided_by or 0) is rule.action.other
                    assert disjoint_mask(finding.regions) == all_of[i] & against
                if code == "FW202":
                    assert policy.action(finding.decided_by or 0) is rule.action
                if code == "FW203":
                    assert disjoint_mask(finding.regions) == parts[i]
                    rest = decided(RuleSet((*policy.rules[:i], *policy.rules[i + 1 :]), policy.default, policy.as_of))
                    heirs = {j + (j >= i) for j, cells in enumerate(rest) if cells & parts[i]}
                    if heirs == {len(policy.rules)}:
                        assert (finding.severity, finding.blockers) == ("info", ())
                    elif finding.blockers:
                        (heir,) = finding.blockers
                        assert finding.severity == "warning"
                        assert all_of[heir] & parts[i]
                        assert heir not in gone
                        assert policy.rules[heir].action is rule.action
                if code in ("FW205", "FW206"):
                    others = [
                        j
                        for j in range(i)
                        if policy.rules[j].action is not rule.action
                        and all_of[j] & all_of[i]
                        and all_of[i] & ~all_of[j]
                        and bool(all_of[j] & ~all_of[i]) == (code == "FW206")
                    ]
                    assert list(finding.blockers) == others[:8]
                    assert finding.more == (len(others) > 8)
                    assert mask(finding.regions) == all_of[i] & all_of[others[0]]
        lost = [i for i in got if "FW303" in got[i]]
        assert lost == [i for i in [lost_rule(policy)] if i is not None]
    assert seen >= {"FW201", "FW202", "FW203", "FW204", "FW205", "FW206", "FW207", "FW208", "FW303"}


@pytest.mark.parametrize("seeds", EVERY)
def test_query_and_prove(seeds: range) -> None:
    for seed, policy in zip(seeds, policies(seeds), strict=True):
        region = Maker(seed + 1_000_000).boxes(3)
        for boxes in (region, tuple(outside(region))):
            asked = mask(region) if boxes is region else ALL & ~mask(region)
            assert mask(boxes) == asked
            allow, parts = allowed(policy), decided(policy)
            for action, cells in ((ALLOW, asked & allow), (DENY, asked & ~allow), (None, asked)):
                answer = query(policy, action, boxes)
                assert disjoint_mask([r.box for r in answer]) == cells
                assert (answer.confirmed is None) == (not asked)
                assert answer.confirmed is None or answer.confirmed.complete
                assert [r.flows for r in answer] == sorted((r.flows for r in answer), reverse=True)
                for r in answer:
                    assert not mask([r.box]) & ~parts[r.rule]
                    assert decision(policy, r.witness) == r.rule
                    assert (r.action, r.flows) == (policy.action(r.rule), r.box.flows)
                    assert r.witness in r.box
                if action is not None:
                    proof = prove(policy, Claim(action, boxes))
                    assert proof.holds == (bool(asked) and not asked & ~cells)
                    assert (proof.status is Status.EMPTY) == (not asked)
                    assert (proof.confirmed is None) == (not asked)
                    if proof.status is Status.REFUTED:
                        assert proof.counterexample is not None
                        assert any(proof.counterexample in box for box in boxes)
                        assert proof.verdict == decide(policy, proof.counterexample)
                        assert proof.verdict.action is action.other


@pytest.mark.parametrize("seeds", EVERY)
def test_diff(seeds: range) -> None:
    for seed, old in zip(seeds, policies(seeds), strict=True):
        for new in (Maker(seed + 2_000_000).edited(old), Maker(seed + 3_000_000).policy(), old):
            changes = diff(old, new)
            assert [c.flows for c in changes] == sorted((c.flows for c in changes), reverse=True)
            differs = allowed(old) ^ allowed(new)
            assert disjoint_mask([c.box for c in changes]) == differs
            assert changes.confirmed is not None
            assert changes.confirmed.complete
            assert equivalent(old, new) == (not differs)
            before, after = decided(old), decided(new)
            for c in changes:
                assert not mask([c.box]) & ~(before[c.old_rule] & after[c.new_rule])
                assert (decision(old, c.witness), decision(new, c.witness)) == (c.old_rule, c.new_rule)
                assert (c.old, c.new) == (old.action(c.old_rule), new.action(c.new_rule))
                assert c.old is not c.new
                assert c.witness in c.box


def test_diff_between_days() -> None:
    """A policy against itself after some rules have expired."""
    for policy in policies(range(300)):
        later = RuleSet(policy.rules, policy.default, policy.as_of + datetime.timedelta(1))
        assert disjoint_mask([c.box for c in diff(policy, later)]) == allowed(policy) ^ allowed(later)


def claims(seed: int, policy: RuleSet) -> list[Expectation]:
    """Some claims, most of which hold, some by rule."""
    maker = Maker(seed)
    out = []
    for _ in range(4):
        boxes = maker.boxes()
        if maker.random.random() < 0.4:
            regions = query(policy, None, boxes)
            if regions:
                region = maker.random.choice(regions)
                by = policy.label(region.rule) if maker.random.random() < 0.6 else None
                out.append(Expectation(region.action, (region.box,), by))
                continue
        out.append(Expectation(maker.random.choice((ALLOW, DENY)), boxes))
    return out


def claim_holds(policy: RuleSet, claim: Expectation) -> bool:
    asked, allow = mask(claim.boxes), allowed(policy)
    if not asked or asked & (~allow if claim.action is ALLOW else allow):
        return False
    by = union(c for i, c in enumerate(decided(policy)) if claim.by in (None, policy.label(i)))
    return not asked & ~by


@pytest.mark.parametrize("seeds", A_FEW)
def test_mutation(seeds: range) -> None:
    for seed, policy in zip(seeds, policies(seeds, 5), strict=True):
        some = claims(seed + 4_000_000, policy)
        score = mutation_score(policy, some)
        assert [n for n, claim in enumerate(some) if not claim_holds(policy, claim)] == list(score.failing)
        assert [prove(policy, claim).holds for claim in some] == [claim_holds(policy, claim) for claim in some]
        held = [claim for claim in some if claim_holds(policy, claim)]
        everything = sorted(
            [*score.noticed, *(s.mutant for s in score.survivors), *score.equivalent], key=lambda m: repr(m)
        )
        assert everything == sorted(mutants(policy), key=lambda m: repr(m))
        packets = {s.mutant: s for s in score.survivors}
        for mutant in everything:
            changed = mutant.apply(policy)
            if mutant.kind == "widen":  # its boxes need not be constant on cells: `diff` is the judge here
                differs = not equivalent(policy, changed)
                fails = any(not prove(changed, claim).holds for claim in held)
            else:
                differs = allowed(changed) != allowed(policy)
                fails = any(not claim_holds(changed, claim) for claim in held)
            assert (mutant in score.equivalent) == (not differs)
            if differs:
                assert (mutant in score.noticed) == fails, (mutant, policy, held)
            if mutant in packets:
                survivor = packets[mutant]
                assert decide(policy, survivor.packet) == survivor.verdict
                assert decide(changed, survivor.packet).action is not survivor.verdict.action


@pytest.mark.parametrize("seeds", EVERY)
def test_coverage(seeds: range) -> None:
    for seed, policy in zip(seeds, policies(seeds), strict=True):
        some = claims(seed + 5_000_000, policy)[:2]
        report = coverage(policy, some)
        for i, cells in enumerate(decided(policy)):
            first = next((n for n, claim in enumerate(some) if mask(claim.boxes) & cells), None)
            assert report.exercised[i] == first
        active = [i for i, rule in enumerate(policy.rules) if policy.active(rule)]
        assert list(report.countable) == active
        assert list(report.missing) == [i for i in active if report.exercised[i] is None]


def test_swaps_are_of_neighbours_with_different_actions() -> None:
    for policy in policies(range(50)):
        active = [i for i, rule in enumerate(policy.rules) if policy.active(rule)]
        swapped = [(m.index, m.with_rule) for m in mutants(policy) if m.kind == "swap"]
        wanted = [(a, b) for a, b in pairwise(active) if policy.rules[a].action is not policy.rules[b].action]
        assert swapped == wanted


def test_a_policy_without_rules() -> None:
    for default in (ALLOW, DENY):
        policy = named([], default)
        assert findings(policy) == ()
        assert prove(policy, Claim(default, (EVERYTHING,))).holds
        assert not prove(policy, Claim(default.other, (EVERYTHING,))).holds
