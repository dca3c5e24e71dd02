"""Several chains to pass: what a packet may get is what each of them may say, by brute force over the doubts of all."""

from __future__ import annotations

import random
from dataclasses import replace

from support.chains import draw_chains, points

from fwengine.formats.chains import Chain, Chains, Kind, Line, Part, possible
from fwengine.formats.joint import joint
from fwengine.formats.passed import unfold_all
from fwengine.model.fields import FULL
from fwengine.model.rules import ALLOW, DENY, DEPENDS
from fwengine.model.ruleset import RuleSet


def behind(several: list[Chains]) -> Chains:
    """Chains of several documents in one, numbered apart; each entry ends in a line for its policy."""
    chains: dict[str, Chain] = {}
    for n, one in enumerate(several):
        for name, chain in one.chains.items():
            lines = [replace(x, number=x.number + 1000 * n, target=x.target and f"{n} {x.target}") for x in chain.lines]
            if chain.default is not None:
                lines.append(Line(1000 * n + 999, chain.lines[0].span, "", Kind.PASS, (Part((FULL,)),)))
            chains[f"{n} {name}"] = replace(chain, name=f"{n} {name}", lines=tuple(lines))
    return Chains(chains, {f"{n} entry": frozenset() for n in range(len(several))})


def test_a_packet_must_pass_all_of_them() -> None:
    seen = dict.fromkeys((ALLOW, DENY, DEPENDS), 0)
    for seed in range(200):
        draw = random.Random(seed)
        several = [draw_chains(draw, 0.25) for _ in range(draw.choice([2, 2, 3]))]
        several = [one for one in several if one.chains["entry"].lines]
        if len(several) < 2:
            continue
        chains = behind(several)
        entries = tuple(chains.entries)
        upper, lower = (unfold_all(chains, entries, favour) for favour in (ALLOW, DENY))
        policy = RuleSet(joint(upper, lower), upper.default)
        for point in {point for one in several for point in points(one)}:
            each = [possible(chains, entry, point) for entry in entries]
            expected = (
                DENY
                if any(fates == {DENY} for fates in each)
                else ALLOW
                if all(fates == {ALLOW} for fates in each)
                else DEPENDS
            )
            assert policy.evaluate_point(point).action is expected, (seed, point)
            seen[expected] += 1
    assert min(seen.values()) > 100, seen
