"""The compiled tree = `decide`: small and wide domains, one tree, forced forests, splits and roll-back; determinism."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.generators import (
    SMALL,
    TODAY,
    WIDE,
    WORLDS,
    World,
    make_rule,
    points,
    policies,
    policies_and_points,
    random_points,
    random_policy,
)
from support.generators import Seeded as Random
from support.paths import ROOT
from support.reduced import assert_reduced, compile_policy

from fwengine.model import compile as compiler
from fwengine.model.address import V6_BASE
from fwengine.model.box import Box
from fwengine.model.compile import compile_entries
from fwengine.model.fields import DPORT, DST, FULL, PROTOCOL, SPORT, SRC, TYPE, Point
from fwengine.model.interval import EMPTY, IntervalSet
from fwengine.model.rules import ALLOW, DENY, Rule
from fwengine.model.ruleset import decide
from fwengine.model.tree import DecisionTree
from fwengine.policy import Policy

single = IntervalSet.single

# (floor, edges a rule) for one tree and for a group's, and cuts swept an edge: from what ships to "nothing fits"
BUDGETS = {
    "as shipped": (compiler._SINGLE, compiler._GROUP, compiler._WORK),
    "groups": ((0, 0), (4096, 15), 8),
    "halves": ((0, 0), (12, 1), 8),
    "single rules": ((0, 0), (0, 0), 8),
    "no work": ((40, 1), (40, 1), 1),
}


@pytest.fixture(params=BUDGETS)
def budget(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    one, group, work = BUDGETS[request.param]
    monkeypatch.setattr(compiler, "_SINGLE", one)
    monkeypatch.setattr(compiler, "_GROUP", group)
    monkeypatch.setattr(compiler, "_WORK", work)
    return str(request.param)


def compare(policy: Policy, tree: DecisionTree, near: Iterator[Point]) -> int:
    """How many packets were compared; every one agrees."""
    count = 0
    for point in near:
        assert tree.index(point) == decide(policy, point).index, (policy, point)
        count += 1
    return count


def large_policy(seed: int, world: World, rules: int) -> Policy:
    source = Random(seed)
    return Policy(tuple(make_rule(source, world, absent=bool(seed % 2)) for _ in range(rules)), DENY, TODAY)


# Equality with the definition


@given(policies_and_points(absent=True))
def test_tree_is_decide(case: tuple[Policy, list[Point]]) -> None:
    policy, near = case
    compare(policy, policy.tree, iter(near))


@settings(max_examples=50)
@given(policies_and_points(WIDE, most=16), st.lists(points(WIDE), max_size=8))
def test_tree_is_decide_far_from_the_corners(case: tuple[Policy, list[Point]], far: list[Point]) -> None:
    policy, near = case
    compare(policy, policy.tree, iter(near + far))


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.name)
def test_tree_is_decide_in_100_000_comparisons(world: World) -> None:
    count = sum(
        compare(
            policy := random_policy(seed, world, 12, absent=bool(seed % 3)),
            policy.tree,
            random_points(seed, world, policy, 125),
        )
        for seed in range(400)
    )
    assert count == 50_000


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.name)
def test_tree_is_decide_in_a_million_comparisons(world: World) -> None:
    count = 0
    for seed in range(10_000, 11_000):
        policy = random_policy(seed, world, 10, absent=bool(seed % 3))
        tree = compile_policy(policy)
        count += compare(policy, tree, random_points(seed, world, policy, 500))
    assert count == 500_000


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.name)
@pytest.mark.parametrize("rules", [40, 150])
def test_larger_policies(world: World, rules: int, budget: str) -> None:
    """Large enough that what ships splits, too; every budget, the same verdicts."""
    policy = large_policy(rules, world, rules)
    tree = compile_policy(policy)
    assert_reduced(tree)
    compare(policy, tree, random_points(rules, world, policy, 1500))
    trees = tree.statistics().trees
    boxes = sum(bool(policy.active(r)) * len(r.boxes) for r in policy.rules)
    if budget == "groups":
        assert 2 <= trees <= 4
    if budget == "halves":
        assert 4 < trees <= boxes
    if budget == "single rules":
        # every group is halved down to single entries, but for those behind one that matches everything
        assert boxes / 4 < trees <= boxes


@settings(max_examples=50)
@given(policies_and_points(absent=True), st.sampled_from([b for b in BUDGETS if b != "as shipped"]))
def test_forced_forests_are_decide(case: tuple[Policy, list[Point]], name: str) -> None:
    policy, near = case
    with pytest.MonkeyPatch.context() as patch:
        for constant, value in zip(("_SINGLE", "_GROUP", "_WORK"), BUDGETS[name], strict=True):
            patch.setattr(compiler, constant, value)
        tree = compile_policy(policy)
    assert_reduced(tree)
    compare(policy, tree, iter(near))


def test_regions_of_forests_are_exact(budget: str) -> None:
    """As in test_tree, on forests: disjoint, complete, each decided whole by its rule."""
    for seed in range(30):
        policy = random_policy(seed, SMALL, 6)
        box = random_policy(seed + 1000, SMALL, 1).rules
        asked = box[0].boxes[0] if box else Box.of({SRC: single(3)})
        left = [asked]
        regions = list(compile_policy(policy).regions(asked))
        for i, (region, index) in enumerate(regions):
            assert region
            assert not any(region & other for other, _ in regions[:i])
            matches = [rule.boxes if policy.active(rule) else () for rule in policy.rules]
            assert not any(region & b for earlier in matches[:index] for b in earlier)
            if index < len(matches):
                rest = [region]
                for b in matches[index]:
                    rest = [part for r in rest for part in r - b if part]
                assert not rest
            left = [part for r in left for part in r - region if part]
        assert not left


# Budgets and roll-back


def test_a_tree_given_up_leaves_nothing_behind() -> None:
    policy = large_policy(7, WIDE, 60)
    boxes = [(i, box) for i, rule in enumerate(policy.rules) for box in rule.boxes if box]
    entries = [
        (i, box.sets)
        for i, box in boxes
        if sum(chosen != full for chosen, full in zip(box.sets, FULL, strict=True)) > 1
    ]
    builder = compiler._Builder(len(policy.rules))
    order = compiler._ORDERS[False, False]
    first = builder.tree(entries[:5], order, 1 << 62)
    kept = (list(builder.nodes), dict(builder.unique), list(builder.lowest))
    assert kept[0]
    for budget in (0, 1, 2, 5, 20, 100):
        with pytest.raises(compiler._TooLargeError):
            builder.tree(entries, order, budget)
        assert (builder.nodes, builder.unique, builder.lowest) == kept
    assert builder.tree(entries[:5], order, 1000) == first  # its nodes are still there, and found again
    assert (builder.nodes, builder.unique, builder.lowest) == kept


def test_work_is_bounded_even_where_everything_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty sources, the same 1,000 ports: 2,041 edges, but 40,000 cuts to sweep. The edges alone would not stop it."""
    ports = IntervalSet.union((v, v) for v in range(0, 2000, 2))
    entries = [
        (0, Box.of({DPORT: ports, SRC: IntervalSet(((7 * i, 7 * i + 3),)), DST: single(i)}).sets) for i in range(20)
    ]
    policy = Policy((Rule(ALLOW, tuple(Box(sets) for _, sets in entries)),), as_of=TODAY)
    monkeypatch.setattr(compiler, "_SINGLE", (2200, 0))
    monkeypatch.setattr(compiler, "_WORK", 1000)
    shared = compile_entries(entries, 1)
    assert (shared.statistics().trees, shared.statistics().edges < 2200) == (1, True)
    monkeypatch.setattr(compiler, "_WORK", 8)
    monkeypatch.setattr(compiler, "_GROUP", (2200, 0))
    forest = compile_entries(entries, 1)
    assert forest.statistics().trees > 1
    for tree in (shared, forest):
        assert_reduced(tree)
        compare(policy, tree, random_points(1, WIDE, policy, 500))


@pytest.mark.parametrize("count", [400])
def test_what_would_explode_does_not(count: int) -> None:
    """Rules that cross in many fields: one tree would have a number of parts that is a power of the rules'."""
    source = Random(3)
    rules = []
    for i in range(count):
        field = (SRC, DST, SPORT, DPORT)[i % 4]
        low = source.integer(0, 60_000)
        sets = {field: IntervalSet(((low, low + source.integer(0, 5_000)),)), PROTOCOL: single(6)}
        other = (SRC, DST, SPORT, DPORT)[(i // 4) % 4]
        sets.setdefault(other, IntervalSet(((low // 2, low // 2 + 3_000),)))
        rules.append(Rule((ALLOW, DENY)[i % 2], (Box.of({int(f): s for f, s in sets.items()}),)))
    policy = Policy(tuple(rules), DENY, TODAY)
    tree = compile_policy(policy)
    statistics = tree.statistics()
    assert statistics.edges <= 16 * max(count, 4096)
    assert_reduced(tree)
    compare(policy, tree, random_points(4, WIDE, policy, 2000))


# What goes into a tree


def test_rules_that_match_nothing_leave_no_trace() -> None:
    web = Box.of({PROTOCOL: single(6), DPORT: single(80)})
    dead = (
        Rule(ALLOW, ()),
        Rule(ALLOW, (web.replace(SRC, EMPTY),)),
        Rule(ALLOW, (web,), until=TODAY.replace(year=2000)),
    )
    tree = compile_policy(Policy((*dead, Rule(ALLOW, (web,))), DENY, TODAY))
    assert [r.lowest for r in tree.roots] == [3]
    assert {~c for node in tree.nodes for c in node.children if c < 0} == {3, 4}
    nothing = compile_policy(Policy(dead, DENY, TODAY))
    assert (nothing.nodes, [tuple(r) for r in nothing.roots], nothing.rules) == ((), [(3, ~3)], 3)


def test_fields_that_nothing_depends_on_are_not_tested() -> None:
    tree = compile_policy(Policy((Rule(ALLOW, (Box.of({PROTOCOL: single(1), TYPE: single(8)}),)),), as_of=TODAY))
    assert tree.fields == {PROTOCOL, TYPE}


def test_a_set_of_many_intervals_is_no_cross_product() -> None:
    """Two sets of 500 intervals in one rule: edges add up, they do not multiply."""
    ports = IntervalSet.union((v, v) for v in range(0, 1000, 2))
    tree = compile_policy(
        Policy((Rule(ALLOW, (Box.of({PROTOCOL: single(6), SPORT: ports, DPORT: ports}),)),), as_of=TODAY)
    )
    assert tree.statistics().edges <= 2 * 1001 + 3


def test_equal_subtrees_are_shared() -> None:
    """Twenty sources with the same ports: the ports are there once."""
    hosts = [
        Box.of({PROTOCOL: single(6), SRC: single(i * 7), DPORT: IntervalSet.of((22, 22), (80, 80))}) for i in range(20)
    ]
    tree = compile_policy(Policy((Rule(ALLOW, tuple(hosts)),), as_of=TODAY))
    assert tree.statistics().nodes == 3


@pytest.mark.parametrize(
    ("addresses", "wide"),
    [
        (IntervalSet(((0, (1 << 16) - 1),)), False),
        (IntervalSet(((0, 1 << 16),)), True),
        (IntervalSet(((V6_BASE, V6_BASE + (1 << 80) - 1),)), False),
        (IntervalSet(((V6_BASE, V6_BASE + (1 << 80)),)), True),
        (IntervalSet(((V6_BASE - 5, V6_BASE + (1 << 16)),)), False),
    ],
)
def test_what_is_wide(addresses: IntervalSet, wide: bool) -> None:
    assert compiler._is_wide(addresses) == wide


# Determinism

_SCRIPT = """
from test_compile import fingerprint
print(fingerprint())
"""


def fingerprint() -> str:
    """A digest of the trees of many policies, one of them a forest."""
    digest = hashlib.sha256()
    for policy in [random_policy(s, w) for w in WORLDS for s in range(40)] + [large_policy(9, WIDE, 150)]:
        tree = compile_policy(policy)
        digest.update(repr((tree.nodes, tree.roots, tree.lowest, tree.rules)).encode())
        digest.update(
            repr(
                [(b.sets, i) for b, i in compile_policy(policy).regions(Box.of({SRC: single(1), DST: single(2)}))][:50]
            ).encode()
        )
    return digest.hexdigest()


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_the_same_tree_for_every_hash_seed(seed: str) -> None:
    environment = {
        **os.environ,
        "PYTHONHASHSEED": seed,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(ROOT / "tests/model")]),
    }
    done = subprocess.run([sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fingerprint()


@settings(max_examples=50)
@given(policies(absent=True))
def test_compiling_twice_gives_the_same(policy: Policy) -> None:
    a, b = compile_policy(policy), compile_policy(policy)
    assert (a.nodes, a.roots, a.rules, a.lowest) == (b.nodes, b.roots, b.rules, b.lowest)


def test_entries_name_rules_in_any_numbering() -> None:
    """`compile_entries` takes precedence from the order and names from the entries; analyses rely on that."""
    web, every = Box.of({DPORT: single(80), PROTOCOL: single(6)}), Box.of({})
    tree = compile_entries([(0, web.sets), (7, web.sets), (9, every.sets)], 12)
    inside = (6, 1, 2, 3, 80, 256, 256, 2, 0, 0, 0, 0, 0, 64, 84)
    assert tree.index(inside) == 0
    assert tree.index((*inside[:4], 81, *inside[5:])) == 9
    assert tree.rules == 12
