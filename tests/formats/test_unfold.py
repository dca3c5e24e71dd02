"""Flat rules of chains = the naive interpreter over all resolutions of doubt, on universes of a few packets."""

from __future__ import annotations

import random

import pytest
from support.chains import draw_chains, points

from fwengine.errors import LimitError, Span
from fwengine.formats.chains import Chain, Chains, Kind, Line, Part, possible
from fwengine.formats.unfold import unfold
from fwengine.model.fields import FULL
from fwengine.model.rules import ALLOW, DENY
from fwengine.model.ruleset import RuleSet, decide


def compare(seeds: range, doubt: float) -> int:
    """How many verdicts were compared."""
    count = 0
    for seed in seeds:
        chains = draw_chains(random.Random(seed), doubt)
        bounds = {favour: unfold(chains, "entry", favour) for favour in (ALLOW, DENY)}
        for point in points(chains):
            expected = possible(chains, "entry", point)
            for favour, flat in bounds.items():
                rules = RuleSet(flat.rules, flat.default)
                found = decide(rules, point)
                assert found.action is (favour if favour in expected else favour.other), (seed, point, favour)
                count += 1
            upper, lower = (decide(RuleSet(b.rules, b.default), point) for b in bounds.values())
            if len(expected) > 1:
                origins = [v.rule.origin for v in (upper, lower) if v.rule is not None]
                assert any(origin is not None and origin.doubts for origin in origins), "depends on nothing?"
    return count


def test_both_bounds_are_what_the_interpreter_finds() -> None:
    assert compare(range(1200), 0.35) > 20_000


def test_without_doubt_both_bounds_are_the_policy() -> None:
    for seed in range(400):
        chains = draw_chains(random.Random(seed), 0)
        flats = [unfold(chains, "entry", favour) for favour in (ALLOW, DENY, None)]
        assert flats[0].rules == flats[1].rules == flats[2].rules
        for point in points(chains):
            flat = flats[0]
            assert possible(chains, "entry", point) == {decide(RuleSet(flat.rules, flat.default), point).action}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_a_million_verdicts(part: int) -> None:
    begin = 10_000 + part * 8000
    assert compare(range(begin, begin + 8000), 0.2 + 0.15 * part) > 250_000


def line(number: int, kind: Kind, target: str | None = None, *doubts: str) -> Line:
    return Line(number, Span("f", number, 1, number, 5), "", kind, (Part((FULL,), doubts),), target)


def test_an_origin_names_the_jumps_and_the_doubts() -> None:
    chains = Chains(
        {
            "in": Chain("in", (line(1, Kind.JUMP, "a", "limit"), line(2, Kind.DENY)), DENY),
            "a": Chain("a", (line(3, Kind.ALLOW),)),
        },
        {"in": frozenset()},
    )
    upper, lower = unfold(chains, "in", ALLOW), unfold(chains, "in", DENY)
    first = upper.rules[0]
    assert first.origin is not None
    assert (first.span.line, [s.line for s in first.origin.path]) == (3, [1])
    assert [(d.span.line, d.reason) for d in first.origin.doubts] == [(1, "limit")]
    assert [r.span.line for r in lower.rules if r.action is DENY] == [2]


def test_chains_that_call_each_other_too_often_are_refused_with_the_line() -> None:
    """Each chain calls the next one twice, with a line between: 2^40 copies."""
    chains = {
        f"c{n}": Chain(
            f"c{n}",
            (
                line(4 * n + 1, Kind.JUMP, f"c{n + 1}"),
                line(4 * n + 2, Kind.RETURN, None, "limit"),
                line(4 * n + 3, Kind.JUMP, f"c{n + 1}"),
            ),
            DENY if n == 0 else None,
        )
        for n in range(40)
    }
    chains["c40"] = Chain("c40", (line(999, Kind.DENY, None, "limit"),))
    with pytest.raises(LimitError, match=r"f:[0-9]+: unknown: limit reached"):
        unfold(Chains(chains, {"c0": frozenset()}), "c0", DENY, limit=20_000)
