"""What one run of `check` proposes can be followed all together, in part, and later: against brute force, cell by cell.

Removals change no verdict. A rule that is moved gets those of its packets that nothing above its new place takes, among
them the witness, and nothing else changes.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence

import pytest
from support.universe import TODAY, Maker, allowed, matched

from fwengine.analysis.anomalies import findings
from fwengine.analysis.finding import Finding
from fwengine.model.rules import ALLOW, Rule
from fwengine.model.ruleset import RuleSet, decide

EVERY = [
    pytest.param(range(7_000, 7_400), id="fast"),
    pytest.param(range(7_400, 10_400), id="slow", marks=pytest.mark.slow),
]


def followed(policy: RuleSet, proposals: Sequence[Finding], day: datetime.date) -> RuleSet:
    """The rules after every move and removal, as somebody with a text editor would do them."""
    gone = {f.rule for f in proposals}
    order: list[Rule] = []
    for i, rule in enumerate(policy.rules):
        order += [policy.rules[f.rule or 0] for f in proposals if f.above == i]
        if i not in gone:
            order.append(rule)
    return RuleSet(tuple(order), policy.default, day)


def promised(policy: RuleSet, proposals: Sequence[Finding]) -> int:
    """The cells that are allowed if each moved rule gets just what it is promised."""
    out, matching = allowed(policy), matched(policy)
    for f in proposals:
        if f.above is not None:
            assert f.rule is not None
            cells = matching[f.rule]
            for above in matching[: f.above]:
                cells &= ~above
            out = out | cells if policy.rules[f.rule].action is ALLOW else out & ~cells
    return out


@pytest.mark.parametrize("seeds", EVERY)
def test_all_proposals_of_a_run_together(seeds: range) -> None:
    seen = {"FW201": 0, "FW202": 0, "FW203": 0, "FW207": 0, "moved": 0, "kept": 0}
    for seed in seeds:
        rnd = random.Random(seed)
        base = Maker(seed).policy(9)
        rules = tuple(
            Rule(r.action, r.boxes, r.name, rnd.choice((None, None, TODAY, TODAY + datetime.timedelta(31))))
            if rnd.random() < 0.4
            else r
            for r in base.rules
        )
        policy = RuleSet(rules, base.default, TODAY)
        named = frozenset(i for i in range(len(rules)) if rnd.random() < 0.15)
        found = [f for f in findings(policy, named=named) if f.rule is not None]
        proposals = [f for f in found if f.removable or f.above is not None]
        assert not {f.rule for f in proposals if f.removable} & named
        assert len({f.rule for f in proposals}) == len(proposals), "two proposals about one rule"
        some = [[f for f in proposals if rnd.random() < 0.5] for _ in range(3)]
        for part in (proposals, *some, *[[f] for f in proposals]):
            for days in (0, 1, 40):
                day = TODAY + datetime.timedelta(days)
                then = RuleSet(policy.rules, policy.default, day)
                assert allowed(followed(policy, part, day)) == promised(then, part), (seed, part)
        for f in proposals:
            seen[f.code] += 1
            if f.above is not None:
                seen["moved"] += 1
                rule = policy.rules[f.rule or 0]
                assert f.witness is not None
                assert decide(policy, f.witness).action is rule.action.other
                for part in ([f], proposals):
                    verdict = decide(followed(policy, part, TODAY), f.witness)
                    assert (verdict.action, verdict.rule) == (rule.action, rule), "the move gives the rule no effect"
        seen["kept"] += sum(f.code in ("FW202", "FW203") and bool(f.obstacle) for f in found)
    assert min(seen.values()) > 2, seen


@pytest.mark.parametrize("seeds", EVERY)
def test_what_was_followed_is_not_found_again(seeds: range) -> None:
    for seed in seeds:
        policy = Maker(seed).policy(9)
        rounds = 0
        while True:
            proposals = [f for f in findings(policy) if f.removable]
            if not proposals:
                break
            rounds += 1
            assert rounds < 6
            before = allowed(policy)
            dead = [f for f in findings(policy) if f.code == "FW202" and not f.obstacle]
            policy = followed(policy, proposals, TODAY)
            assert allowed(policy) == before
            assert not (dead and [f for f in findings(policy) if f.code == "FW202" and not f.obstacle]), seed
