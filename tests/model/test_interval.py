"""`IntervalSet` against Python's own sets: exhaustively on a small domain, by properties on any."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.generators import interval_sets

from fwengine.model.interval import EMPTY, IntervalSet

DOMAIN = range(7)
SUBSETS = [frozenset(c) for n in range(len(DOMAIN) + 1) for c in combinations(DOMAIN, n)]
HUGE = 1 << 200


def from_values(values: frozenset[int]) -> IntervalSet:
    return IntervalSet.union((v, v) for v in values)


def values_of(chosen: IntervalSet) -> frozenset[int]:
    return frozenset(v for lo, hi in chosen for v in range(lo, hi + 1))


def assert_canonical(chosen: IntervalSet) -> None:
    assert all(lo <= hi for lo, hi in chosen.ranges)
    assert all(hi + 1 < lo for (_, hi), (lo, _) in zip(chosen.ranges, chosen.ranges[1:], strict=False))


ALL = {subset: from_values(subset) for subset in SUBSETS}


def test_every_subset_of_a_small_domain_has_one_form() -> None:
    for subset, chosen in ALL.items():
        assert_canonical(chosen)
        assert values_of(chosen) == subset
        assert chosen.size == len(subset)
        assert bool(chosen) == bool(subset)
        assert [v for v in range(-1, 9) if v in chosen] == sorted(subset)
        if subset:
            assert (chosen.lo, chosen.hi) == (min(subset), max(subset))
    assert len(set(ALL.values())) == len(SUBSETS)


def test_every_pair_of_subsets_of_a_small_domain() -> None:
    """All 16,384 pairs, every operation."""
    by_form = {chosen: subset for subset, chosen in ALL.items()}  # equality and hash of the result decide
    for a, x in ALL.items():
        for b, y in ALL.items():
            assert by_form[x | y] == a | b
            assert by_form[x & y] == a & b
            assert by_form[x - y] == a - b
            assert x.issubset(y) == (a <= b)
            assert x.isdisjoint(y) == a.isdisjoint(b)
            assert (x == y) == (a == b)


@given(interval_sets(), interval_sets(), interval_sets())
def test_algebra(a: IntervalSet, b: IntervalSet, c: IntervalSet) -> None:
    for result in (a | b, a & b, a - b):
        assert_canonical(result)
    x, y = values_of(a), values_of(b)
    assert (values_of(a | b), values_of(a & b), values_of(a - b)) == (x | y, x & y, x - y)
    assert a & (b | c) == (a & b) | (a & c)
    assert a - (b | c) == (a - b) - c
    assert (a & b) | (a - b) == a
    assert a.issubset(b) == (not a - b)
    assert a.isdisjoint(b) == (not a & b)
    assert (a == b) == (x == y)
    assert (a | b).size + (a & b).size == a.size + b.size


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 20)).map(lambda p: (p[0], p[0] + p[1])), max_size=12))
def test_union_of_intervals_in_any_order(pairs: list[tuple[int, int]]) -> None:
    chosen = IntervalSet.union(iter(pairs))
    assert_canonical(chosen)
    assert values_of(chosen) == {v for lo, hi in pairs for v in range(lo, hi + 1)}
    assert chosen == IntervalSet.of(*reversed(pairs))
    assert IntervalSet.union(chosen.ranges) == chosen


def test_adjacent_intervals_become_one() -> None:
    assert IntervalSet.of((1024, 2000), (2001, 65535)).ranges == ((1024, 65535),)
    assert IntervalSet.of((0, 0), (2, 2)).ranges == ((0, 0), (2, 2))


def test_an_interval_inside_another_vanishes() -> None:
    assert IntervalSet.of((0, 10), (2, 3), (9, 11)).ranges == ((0, 11),)


def test_a_reversed_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="reversed interval 5-4"):
        IntervalSet.of((5, 4))


def test_the_empty_set_has_no_ends() -> None:
    assert not EMPTY
    assert EMPTY == IntervalSet.of() == IntervalSet.single(1) - IntervalSet.single(1)
    assert 0 not in EMPTY
    assert EMPTY.size == 0
    for end in ("lo", "hi"):
        with pytest.raises(IndexError):
            getattr(EMPTY, end)


def test_sizes_beyond_what_len_can_say() -> None:
    everything = IntervalSet(((0, HUGE - 1),))
    assert everything.size == HUGE
    assert (everything - IntervalSet.single(HUGE // 2)).size == HUGE - 1


def test_membership_at_the_ends_of_many_intervals() -> None:
    chosen = IntervalSet.union((v, v + 1) for v in range(0, 3000, 3))
    assert [v for v in range(-1, 3001) if v in chosen] == [v for v in range(2999) if v % 3 != 2]


def test_values_not_identities() -> None:
    a, b = IntervalSet.of((1, 2), (4, 5)), IntervalSet.of((4, 5), (1, 2))
    assert a == b
    assert hash(a) == hash(b)
    assert a is not b
    assert pickle.loads(pickle.dumps(a)) == a
    assert (a & a) is a
    assert list(a) == [(1, 2), (4, 5)]
    with pytest.raises(FrozenInstanceError):
        a.ranges = ()  # type: ignore[misc]  # that is the point
