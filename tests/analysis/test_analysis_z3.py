"""An independent judge over the full domains: z3, which knows packets from a second description of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.generators import SMALL, WIDE, Seeded, World, make_box, make_rule, random_policy

from fwengine.analysis.anomalies import findings
from fwengine.analysis.diff import diff
from fwengine.analysis.prove import prove
from fwengine.analysis.query import query
from fwengine.analysis.reach import reachable
from fwengine.model.address import TOP, V6_BASE
from fwengine.model.box import Box
from fwengine.model.fields import ABSENT, FIELDS, FULL, PORT_PROTOCOLS, Field
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY, Claim
from fwengine.policy import Policy

if TYPE_CHECKING:
    import z3  # type: ignore[import-untyped]  # it has no stubs
else:
    z3 = pytest.importorskip("z3")

X = [z3.Int(f"field{f}") for f in range(FIELDS)]
PROTOCOL, SRC, DST, SPORT, DPORT, TYPE, CODE, FLAGS, FRAGMENT, IN, OUT, STATE, DSCP, TTL, LENGTH = X


def present(variable: Any, here: Any, top: int, absent: int) -> Any:
    return z3.If(here, z3.And(variable >= 0, variable <= top), variable == absent)


def packet() -> Any:
    """What a packet is, from the table of fields in the design, not from the engine's shapes."""
    v4 = z3.And(SRC < V6_BASE, DST < V6_BASE)
    v6 = z3.And(SRC >= V6_BASE, DST >= V6_BASE)
    not_later = FRAGMENT != 2
    ports = z3.And(not_later, z3.Or([p == PROTOCOL for p in sorted(PORT_PROTOCOLS)]))
    types = z3.And(not_later, z3.Or(z3.And(v4, PROTOCOL == 1), z3.And(v6, PROTOCOL == 58)))
    return z3.And(
        z3.Or(v4, FRAGMENT == 2, z3.And([p != PROTOCOL for p in (0, 43, 44, 51, 60)])),
        PROTOCOL >= 0, PROTOCOL <= 255, SRC >= 0, SRC <= TOP, DST >= 0, DST <= TOP, z3.Or(v4, v6),
        FRAGMENT >= 0, FRAGMENT <= 2, STATE >= 0, STATE <= 4, IN >= 0, FULL[Field.IN].hi >= IN, OUT >= 0, FULL[Field.OUT].hi >= OUT,
        DSCP >= 0, DSCP <= 63, TTL >= 0, TTL <= 255, LENGTH >= 0, LENGTH <= 65575,
        present(SPORT, ports, 65535, ABSENT[Field.SPORT]), present(DPORT, ports, 65535, ABSENT[Field.DPORT]),
        present(TYPE, types, 255, ABSENT[Field.TYPE]), present(CODE, types, 255, ABSENT[Field.CODE]),
        present(FLAGS, z3.And(not_later, PROTOCOL == 6), 255, ABSENT[Field.FLAGS]),
    )  # fmt: skip


def inside(variable: Any, chosen: IntervalSet) -> Any:
    return z3.Or([z3.And(variable >= lo, variable <= hi) for lo, hi in chosen])


def matches(boxes: tuple[Box, ...]) -> Any:
    return z3.Or(
        [
            z3.And([inside(x, chosen) for x, chosen, full in zip(X, box.sets, FULL, strict=True) if chosen != full])
            for box in boxes
        ]
    )


def winner(policy: Policy) -> Any:
    """The index of the deciding rule, as a term."""
    out: Any = z3.IntVal(len(policy.rules))
    for i, rule in reversed(list(enumerate(policy.rules))):
        if policy.active(rule):
            out = z3.If(matches(rule.boxes), i, out)
    return out


def allows(policy: Policy) -> Any:
    index = winner(policy)
    return z3.Or([index == i for i in range(len(policy.rules) + 1) if policy.action(i) is ALLOW])


def possible(*claims: Any) -> bool:
    solver = z3.Solver()
    solver.add(packet(), *claims)
    answer = solver.check()
    assert answer != z3.unknown
    return bool(answer == z3.sat)


WORLDS = [(SMALL, 0), (WIDE, 1000)]
SEEDS = [pytest.param(12, id="fast"), pytest.param(150, id="slow", marks=pytest.mark.slow)]


@pytest.mark.parametrize("count", SEEDS)
@pytest.mark.parametrize(("world", "base"), WORLDS, ids=["small", "wide"])
def test_reachability_and_redundancy(world: World, base: int, count: int) -> None:
    for seed in range(base, base + count):
        policy = random_policy(seed, world, 7)
        index = winner(policy)
        allowed = allows(policy)
        found = {(f.code, f.rule) for f in findings(policy)}
        for i, rule in enumerate(policy.rules):
            reached = possible(index == i)
            assert reached == (reachable(policy, i) is not None)
            if not policy.active(rule):
                assert ("FW207", i) in found
                continue
            mine = matches(rule.boxes)
            if not possible(mine):
                assert ("FW204", i) in found
                continue
            against = z3.Not(allowed) if rule.action is ALLOW else allowed
            if not reached:
                assert ("FW201" if possible(mine, against) else "FW202", i) in found
            else:
                assert not {("FW201", i), ("FW202", i), ("FW204", i)} & found
                without = Policy((*policy.rules[:i], *policy.rules[i + 1 :]), policy.default, policy.as_of)
                redundant = not possible(allowed != allows(without))
                assert redundant or ("FW203", i) not in found
                if not any(code in ("FW201", "FW202", "FW203") for code, other in found if other != i):
                    # what others that go or move leave over is told by test_analysis_exhaustive
                    assert (("FW203", i) in found) == redundant


@pytest.mark.parametrize("count", SEEDS)
@pytest.mark.parametrize(("world", "base"), WORLDS, ids=["small", "wide"])
def test_query_prove_and_diff(world: World, base: int, count: int) -> None:
    for seed in range(base, base + count):
        policy = random_policy(seed, world, 7)
        source = Seeded(seed)
        region = tuple(make_box(source, world) for _ in range(2))
        allowed = allows(policy)
        asked = matches(region)
        some = possible(asked)  # a claim about no packet proves nothing
        assert prove(policy, Claim(DENY, region)).holds == (some and not possible(asked, allowed))
        assert prove(policy, Claim(ALLOW, region)).holds == (some and not possible(asked, z3.Not(allowed)))
        answer = matches(tuple(r.box for r in query(policy, ALLOW, region)))
        assert not possible(answer != z3.And(asked, allowed))
        rules = list(policy.rules)
        rules.insert(source.integer(0, len(rules)), make_rule(source, world))
        if len(rules) > 2:
            rules.insert(0, rules.pop())
        other = Policy(tuple(rules), policy.default, policy.as_of)
        changed = matches(tuple(c.box for c in diff(policy, other)))
        assert not possible(changed != (allowed != allows(other)))
