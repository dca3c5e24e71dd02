"""Scattered sets do what sets of integers do: against Python's sets near both families' ends, against intervals in full."""

from __future__ import annotations

import copy
import pickle
from itertools import combinations
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwengine.errors import LimitError
from fwengine.limits import Limits
from fwengine.model import address, diagram, interval, scattered
from fwengine.model.address import V6_BASE
from fwengine.model.interval import EMPTY, INTERVALS, IntervalSet, together
from fwengine.model.scattered import ScatteredSet, masked, of_diagram
from fwengine.model.switch import SwitchTooLargeError, switch

UNIVERSE = (*range(64), *range(V6_BASE - 4, V6_BASE + 64))  # sets in these tests have no other elements
_LOW = 63  # the bits that vary

_cubes = st.builds(
    lambda six, value, mask: masked(
        (V6_BASE if six else 0) + (value & mask), ((1 << (128 if six else 32)) - 1 & ~_LOW) | mask
    ),
    st.booleans(), st.integers(0, _LOW), st.integers(0, _LOW),
)  # fmt: skip
_ranges = st.sampled_from((0, V6_BASE)).flatmap(
    lambda base: st.tuples(st.integers(0, _LOW), st.integers(0, _LOW)).map(
        lambda ends: IntervalSet(((base + min(ends), base + max(ends)),))
    )
)
_across = st.tuples(st.integers(1, 4), st.integers(0, 4)).map(
    lambda ends: IntervalSet(((V6_BASE - ends[0], V6_BASE + ends[1]),))
)
_singles = st.sets(st.sampled_from(UNIVERSE)).map(lambda values: IntervalSet.union((v, v) for v in values))
_leaves = st.one_of(_cubes, _cubes, _ranges, _across, _singles)


@pytest.fixture(autouse=True, scope="module")
def _few() -> object:
    """Sets of more than two intervals are scattered, so that small ones are."""
    with mock.patch.object(interval, "INTERVALS", 2), mock.patch.object(scattered, "INTERVALS", 2):
        yield


@st.composite
def sets(draw: st.DrawFn) -> IntervalSet:
    out = draw(_leaves)
    for _ in range(draw(st.integers(0, 4))):
        other = draw(_leaves)
        out = draw(st.sampled_from((out | other, out & other, out - other, other - out)))
    return out


@st.composite
def scattered_sets(draw: st.DrawFn) -> ScatteredSet:
    a, odd = draw(sets()), masked(1, 0xFFFFFFC1)
    for found in (a, (a | odd) - (a & odd), odd):
        if isinstance(found, ScatteredSet):
            return found
    raise AssertionError("odd is scattered")


def members(chosen: IntervalSet) -> set[int]:
    return {value for value in UNIVERSE if value in chosen}


@given(sets(), sets())
def test_operations_are_those_of_sets(a: IntervalSet, b: IntervalSet) -> None:
    mine, theirs = members(a), members(b)
    assert members(a | b) == mine | theirs
    assert members(a & b) == mine & theirs
    assert members(a - b) == mine - theirs
    assert a.isdisjoint(b) == mine.isdisjoint(theirs)
    assert a.issubset(b) == (mine <= theirs)
    assert a.issuperset(b) == (mine >= theirs)
    assert members(together([a, b, a])) == mine | theirs
    for found in (a | b, a & b, a - b):
        assert bool(found) == bool(members(found))
        assert isinstance(found, ScatteredSet) <= (len(found.ranges) > 2), "few intervals are listed"


@given(sets(), sets())
def test_equality_is_equality_of_sets_in_whatever_form(a: IntervalSet, b: IntervalSet) -> None:
    listed = IntervalSet.union((v, v) for v in members(a))
    assert a == listed
    assert listed == a
    assert hash(a) == hash(listed)
    assert (a == b) == (members(a) == members(b))
    assert (a - b) | (a & b) == a
    assert a != object()
    assert copy.deepcopy(a) == pickle.loads(pickle.dumps(a)) == a


@given(scattered_sets())
def test_what_is_asked_of_a_set(a: ScatteredSet) -> None:
    mine = sorted(members(a))
    listed = IntervalSet.union((v, v) for v in mine).ranges
    assert (a.size, a.lo, a.hi) == (len(mine), mine[0], mine[-1])
    assert tuple(a) == tuple(a.ranges) == listed
    assert len(a.ranges) == len(listed)
    assert [a.ranges[n] for n in range(-len(listed), len(listed))] == [*listed, *listed]
    assert a.ranges[1:3] == listed[1:3]
    with pytest.raises(IndexError):
        a.ranges[len(listed)]
    assert [a.element(n) for n in range(a.size)] == mine
    for value in UNIVERSE:
        assert a.near(value) in a
        assert value not in a or a.near(value) == value


@given(scattered_sets())
def test_cubes_are_the_set_and_none_is_superfluous(a: ScatteredSet) -> None:
    cubes = a.cubes(1000)
    assert cubes is not None
    parts = [masked(point, mask) for point, mask in cubes]
    assert together(parts) == a
    for n in range(len(parts)):
        assert together(parts[:n] + parts[n + 1 :]) != a
    assert a.cubes(len(cubes) - 1) is None or len(a.cubes(len(cubes) - 1) or ()) < len(cubes)


@given(st.lists(sets(), min_size=1, max_size=5), st.lists(st.booleans(), min_size=5, max_size=5), sets(), st.data())
def test_a_switch_tells_which_sets_hold_a_point(
    chosen: list[IntervalSet], final: list[bool], within: IntervalSet, data: st.DataObject
) -> None:
    choice, ends, _ = switch([scattered.diagram_of(some) for some in chosen], final, 10_000)

    def holding(value: int) -> tuple[int, ...]:
        out = []
        for n, some in enumerate(chosen):
            if value in some:
                out.append(n)
                if final[n]:
                    break
        return tuple(out)

    # behind what is final some sets may be told, too: where it is not final in all of the points that go that way
    def cut(end: tuple[int, ...]) -> tuple[int, ...]:
        last = next((at for at, n in enumerate(end) if final[n]), len(end))
        return end[: last + 1]

    for value in UNIVERSE:
        assert cut(ends[choice.at(value)]) == holding(value)
    parts = choice.parts(within)
    assert together(list(parts.values())) == within
    for end, part in parts.items():
        assert all(choice.at(value) == end for value in members(part))
        assert part
    for a, b in combinations(parts.values(), 2):
        assert a.isdisjoint(b)
    lo, hi = sorted(data.draw(st.tuples(st.sampled_from(UNIVERSE), st.sampled_from(UNIVERSE))))
    assert choice.reached(lo, hi) == choice.parts(IntervalSet(((lo, hi),))).keys()
    labels = data.draw(st.lists(st.integers(0, 2), min_size=len(ends), max_size=len(ends)))
    relabelled = choice.relabelled(labels)
    assert all(relabelled.at(value) == labels[choice.at(value)] for value in UNIVERSE)


# The full width, where what is scattered is what is in earnest


def expanded(point: int, mask: int) -> IntervalSet:
    """The same set by its intervals: each choice of the bits that are not compared."""
    bits = address.bits_of(point)
    low = (mask & -mask).bit_length() - 1 if mask else bits
    starts = [address.to_value(point)]
    for bit in range(low, bits):
        if not mask >> bit & 1:
            starts += [start | 1 << bit for start in starts]
    base = point - address.to_value(point)
    return IntervalSet.union((base + start, base + start + (1 << low) - 1) for start in starts)


@st.composite
def wildcards(draw: st.DrawFn) -> tuple[int, int]:
    bits, base = draw(st.sampled_from(((32, 0), (128, V6_BASE))))
    free = draw(st.sets(st.integers(0, bits - 1), max_size=9))
    mask = (1 << bits) - 1 & ~sum(1 << bit for bit in free)
    return base + (draw(st.integers(0, (1 << bits) - 1)) & mask), mask


@given(st.lists(wildcards(), min_size=2, max_size=3))
def test_beside_intervals_in_full(given_: list[tuple[int, int]]) -> None:
    with mock.patch.object(interval, "INTERVALS", INTERVALS), mock.patch.object(scattered, "INTERVALS", INTERVALS):
        (a, b, *rest), (c, d, *more) = ([make(point, mask) for point, mask in given_] for make in (masked, expanded))
        assert (a, b) == (c, d)
        for x, y in zip([a | b, a - b, b - a, a & b, *rest], [c | d, c - d, d - c, c & d, *more], strict=True):
            assert tuple(x) == y.ranges
            assert (x, x.size, hash(x)) == (y, y.size, hash(y))
        assert (a.isdisjoint(b), a.issubset(b), a.isdisjoint(d)) == (c.isdisjoint(d), c.issubset(d), c.isdisjoint(b))


def test_all_odd_addresses() -> None:
    odd, even = masked(1, 1), masked(0, 1)
    assert (odd.size, odd.lo, odd.hi, len(odd.ranges)) == (1 << 31, 1, V6_BASE - 1, 1 << 31)
    assert odd | even == address.V4
    assert odd & even == EMPTY
    assert address.ALL - odd == even | address.V6
    assert (odd | IntervalSet(((2, 2),))).ranges[:2] == ((1, 3), (5, 5))
    six = masked(V6_BASE + 1, 1)
    assert six.size == 1 << 127
    assert len(six.ranges) > 1 << 62  # as many as Python can count
    assert six.ranges[-1] == (address.TOP, address.TOP)
    assert (odd | six).ranges[1 << 31] == (V6_BASE + 1, V6_BASE + 1)


def test_who_goes_through_all_ranges_does_so_within_a_limit() -> None:
    with pytest.raises(LimitError, match="65,536"):
        list(masked(0x100, 0x100))
    with Limits(ranges=4).applied(), pytest.raises(LimitError):
        list(masked(1, 0xFFFFFFF1))


def test_beside_a_long_list_of_addresses_intervals_are_kept() -> None:
    """A diagram of 5,000 addresses would be the larger thing."""
    listed = IntervalSet.union((v, v) for v in range(0, 50_000, 10))
    chosen = masked(0, 0xFFFF0002)
    for found, plain in (
        (chosen & listed, expanded(0, 0xFFFF0002) & listed),
        (listed - chosen, listed - expanded(0, 0xFFFF0002)),
        (chosen - listed, expanded(0, 0xFFFF0002) - listed),
        (listed | chosen, listed | expanded(0, 0xFFFF0002)),
    ):
        assert type(found) is IntervalSet
        assert found == plain
    assert not chosen.isdisjoint(listed)
    assert not listed.issubset(chosen)
    assert not chosen.issubset(listed)


def test_what_grows_too_large_is_told() -> None:
    with Limits(steps=48).applied(), pytest.raises(LimitError, match="48 steps"):
        masked(0x01010101, 0x01010101) & masked(0x02020202, 0x02020202)
    with pytest.raises(SwitchTooLargeError):
        switch([scattered.diagram_of(masked(1, 0x10101))], [False], 1)
    assert of_diagram(diagram.FALSE) is EMPTY
