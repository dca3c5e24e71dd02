"""The comparison with Aerleon, as far as it goes without Aerleon: both texts of each policy, and the truth they are judged by."""

from __future__ import annotations

import random
import sys

import pytest
from support.paths import ROOT
from support.points import point_of

sys.path.insert(0, str(ROOT / "bench"))

import beside_aerleon as bench
from aerleon_terms import CASES, Case, Term, fwl, pol, policy_of


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_each_case_is_a_policy_in_both_languages(case: Case) -> None:
    policy = bench.ours(case.terms)
    owners = {bench.term_of(policy, index) for index in range(len(policy.rules))}
    assert owners == set(range(len(case.terms)))
    text, nets, services = pol(case.terms)
    assert text.count("\nterm ") == len(case.terms)
    defined = {line.partition(" = ")[0] for line in (*nets, *services)}
    line = bench.one_line(case)
    assert defined.isdisjoint(line.split())
    if case.question is None:
        shaded = bench.our_shaded(policy)
        for number, term in enumerate(case.terms):
            bench.confirm(policy, number, number in shaded, term.until, random.Random(number))
    else:
        assert case.question.truth(policy) <= {"allow", "deny"}


def test_both_texts_of_a_term() -> None:
    term = Term(
        "deny", ("tcp",), ("10.0.0.0/8",), src_except=("10.1.0.0/16",), dports=("22", "80-81"), established=True
    )
    assert fwl([term]) == (
        "default deny\ndeny tcp from 10.0.0.0/8 except 10.1.0.0/16 to any port { 22, 80-81 } established as t0\n"
    )
    text, nets, services = pol([term])
    assert "source-address:: S0\n  source-exclude:: X0\n  destination-port:: Q0\n  protocol:: tcp\n" in text
    assert (nets, services) == (["S0 = 10.0.0.0/8", "X0 = 10.1.0.0/16"], ["Q0 = 22/tcp 80-81/tcp"])


def test_a_false_statement_about_shading_is_refused() -> None:
    policy = bench.ours((Term("allow", ("tcp",)), Term("deny", ("6",)), Term("deny", ("udp",))))
    assert bench.our_shaded(policy) == {1}
    for number in range(3):
        with pytest.raises(AssertionError):
            bench.confirm(policy, number, number != 1, None, random.Random(0))


def test_a_term_of_two_rules_is_shaded_only_if_both_are() -> None:
    half = (Term("allow", src=("10.0.0.0/8",)), Term("deny", either=("10.0.0.0/8",)))
    assert bench.our_shaded(bench.ours(half)) == set()
    assert bench.our_shaded(bench.ours((*half, Term("allow", dst=("10.0.0.0/8",)), half[1]))) == {2, 3}


def test_drawn_policies_and_packets_depend_on_the_seed_alone() -> None:
    assert policy_of(60, 1) == policy_of(60, 1) != policy_of(60, 2)
    policy = bench.ours(policy_of(60, 1))
    packets = bench.packets_of(policy, 20, 1)
    assert packets == bench.packets_of(policy, 20, 1)
    assert all(point_of(bench.packet(asked)) for asked in packets)


@pytest.mark.parametrize(
    ("said", "truth", "result"),
    [
        ({"allow"}, {"allow"}, "right"),
        ({"allow", "deny"}, {"deny"}, "undecided"),
        ({"deny"}, {"allow", "deny"}, "partial"),
        ({"deny"}, {"allow"}, "wrong"),
    ],
)
def test_what_an_answer_is_worth(said: set[str], truth: set[str], result: str) -> None:
    assert bench.judge(frozenset(said), frozenset(truth)) == result
