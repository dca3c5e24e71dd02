"""Decision trees: their form, what they answer about points and boxes, their statistics."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.generators import TODAY, WIDE, boxes, interval_sets, points, policies, policies_and_points, random_policy
from support.reduced import assert_reduced, compile_policy

from fwengine.model.box import Box
from fwengine.model.compile import compile_entries
from fwengine.model.fields import DPORT, FIELDS, FULL, PROTOCOL, SPORT, Point
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, Rule
from fwengine.model.ruleset import decide
from fwengine.model.tree import DecisionTree, Node, Root, Statistics, parts
from fwengine.policy import Policy

single = IntervalSet.single


def walk(tree: DecisionTree, point: Point) -> int:
    """The meaning of a forest, said with a linear search."""
    best = tree.rules
    for _, node in tree.roots:
        while node >= 0:
            field, cuts, children = tree.nodes[node]
            assert isinstance(cuts, tuple)
            node = children[sum(cut <= point[field] for cut in cuts)]
        best = min(best, ~node)
    return best


# By hand

HAND = DecisionTree(
    nodes=(
        Node(DPORT, (80, 81, 443), (~3, ~1, ~3, ~0)),
        Node(PROTOCOL, (6, 7), (~3, 0, ~3)),
        Node(SPORT, (1024,), (~3, ~2)),
    ),
    roots=(Root(0, 1), Root(2, 2)),
    rules=3,
    lowest=(0, 0, 2),
)


def point(protocol: int, sport: int, dport: int) -> Point:
    values = [0] * FIELDS
    values[PROTOCOL], values[SPORT], values[DPORT] = protocol, sport, dport
    return tuple(values)


def test_a_forest_by_hand() -> None:
    assert_reduced(HAND)
    for protocol, sport, dport, index in (
        (6, 0, 79, 3), (6, 0, 80, 1), (6, 0, 81, 3), (6, 0, 442, 3), (6, 0, 443, 0), (6, 0, 65535, 0),
        (6, 1023, 79, 3), (6, 1024, 79, 2), (6, 1024, 80, 1), (5, 1024, 80, 2), (7, 1024, 80, 2), (7, 1023, 80, 3),
    ):  # fmt: skip
        assert HAND.index(point(protocol, sport, dport)) == index
    assert HAND.fields == {PROTOCOL, SPORT, DPORT}


def test_the_path_names_the_fields_tested_and_where_the_packet_fell() -> None:
    def path(*values: int) -> list[list[tuple[int, tuple[tuple[int, int], ...]]]]:
        return [[(field, alike.ranges) for field, alike in steps] for steps in HAND.path(point(*values))]

    assert path(6, 1024, 80) == [[(PROTOCOL, ((6, 6),)), (DPORT, ((80, 80),))], [(SPORT, ((1024, 65536),))]]
    assert path(6, 0, 443) == [[(PROTOCOL, ((6, 6),)), (DPORT, ((443, 65536),))], [(SPORT, ((0, 1023),))]]
    assert path(0, 0, 0) == [[(PROTOCOL, ((0, 5),))], [(SPORT, ((0, 1023),))]]


def test_statistics_by_hand() -> None:
    statistics = HAND.statistics()
    assert statistics == Statistics(3, 2, 3, 9, 2, statistics.bytes)
    assert statistics.bytes == 3 * 160 + 40 * 6 + 8 * 9
    empty = compile_entries([], 0)
    assert empty.statistics() == Statistics(0, 1, 0, 0, 0, 0)
    assert empty.index((0,) * FIELDS) == 0
    assert empty.path((0,) * FIELDS) == [[]]
    assert empty.fields == frozenset()


def test_regions_by_hand() -> None:
    box = Box.of({PROTOCOL: single(6), SPORT: IntervalSet.of((1000, 2000)), DPORT: IntervalSet.of((80, 90))})
    found = [(b.sets[SPORT].ranges, b.sets[DPORT].ranges, index) for b, index in HAND.regions(box)]
    once = [(((1000, 2000),), ((80, 80),), 1), (((1000, 1023),), ((81, 90),), 3), (((1024, 2000),), ((81, 90),), 2)]
    assert sorted(found) == sorted(once * 2)  # IPv4 and IPv6


# The parts of a cut domain


@given(interval_sets(30), st.sets(st.integers(1, 30), min_size=1, max_size=6), st.data())
def test_parts_divide_a_set(within: IntervalSet, cut_set: set[int], data: st.DataObject) -> None:
    cuts = tuple(sorted(cut_set))
    children = tuple(data.draw(st.lists(st.integers(-3, 3), min_size=len(cuts) + 1, max_size=len(cuts) + 1)))
    if not within:
        return
    divided = parts(Node(0, cuts, children), within)
    assert len({child for _, child in divided}) == len(divided)
    of_value = {v: child for chosen, child in divided for lo, hi in chosen for v in range(lo, hi + 1)}
    assert sum(chosen.size for chosen, _ in divided) == within.size == len(of_value)
    for value, child in of_value.items():
        assert value in within
        assert child == children[sum(cut <= value for cut in cuts)]
    for chosen, _ in divided:
        assert chosen == IntervalSet.union(chosen.ranges)


# Compiled


@given(policies(absent=True))
def test_every_compiled_tree_is_reduced(policy: Policy) -> None:
    assert_reduced(policy.tree)


@settings(max_examples=50)
@given(policies_and_points(absent=True))
def test_the_index_is_what_the_walk_finds(case: tuple[Policy, list[Point]]) -> None:
    policy, near = case
    tree = policy.tree
    for p in near:
        assert tree.index(p) == walk(tree, p) == decide(policy, p).index
        for (_, root), steps in zip(tree.roots, tree.path(p), strict=True):
            assert all(p[field] in alike for field, alike in steps)
            assert bool(steps) == (root >= 0)


@given(policies(absent=True), boxes(absent=True))
def test_regions_are_exact(policy: Policy, box: Box) -> None:
    """Nonempty, disjoint, complete, and each decided whole by its rule: all shown by box algebra, none by sampling."""
    regions = list(policy.tree.regions(box))
    matches = [rule.boxes if policy.active(rule) else () for rule in policy.rules]
    left = [box] if box else []  # a drawn box may hold no packet
    for i, (region, index) in enumerate(regions):
        assert region
        assert region.pieces == (region,)
        assert region.issubset(box)
        assert not any(region & other for other, _ in regions[:i])
        assert not any(region & b for earlier in matches[:index] for b in earlier)
        if index < len(matches):
            rest = [region]
            for b in matches[index]:
                rest = [part for r in rest for part in r - b if part]
            assert not rest
        left = [part for r in left for part in r - region if part]
    assert not left


@settings(max_examples=50)
@given(policies(), points())
def test_the_region_around_a_point_is_the_point(policy: Policy, p: Point) -> None:
    here = Box(tuple(single(value) for value in p))
    assert list(policy.tree.regions(here)) == [(here, decide(policy, p).index)]


def test_regions_are_lazy() -> None:
    """10^8 regions; the first come at once."""
    ports = IntervalSet.union((v, v) for v in range(0, 20_000, 2))
    by_port = Policy((Rule(ALLOW, (Box.of({PROTOCOL: single(6), DPORT: ports, SPORT: ports}),)),), as_of=TODAY)
    several = random_policy(3, WIDE, 8)
    for policy in (by_port, Policy(by_port.rules + several.rules, as_of=TODAY)):
        assert len(list(islice(policy.tree.regions(Box.of({})), 3))) == 3


def test_an_empty_box_has_no_regions() -> None:
    for policy in (random_policy(1, WIDE), Policy((), as_of=TODAY)):
        assert list(policy.tree.regions(Box.of({DPORT: single(80), PROTOCOL: single(1)}))) == []


def test_trees_are_told_apart_by_identity() -> None:
    policy = random_policy(1, WIDE)
    a, b = compile_policy(policy), compile_policy(policy)
    assert (a.nodes, a.roots, a.lowest) == (b.nodes, b.roots, b.lowest)
    assert a != b
    with pytest.raises(AttributeError):
        a.rules = 3  # type: ignore[misc]  # that is the point


def test_a_rule_that_matches_everything_is_a_leaf() -> None:
    tree = compile_policy(Policy((Rule(ALLOW, (Box(FULL),)), Rule(ALLOW, (Box.of({DPORT: single(1)}),))), as_of=TODAY))
    assert (tree.nodes, tree.roots) == ((), (Root(0, ~0),))
