"""Lines that `spare` leaves out change nothing together, by brute force over all resolutions of doubt; and it finds some."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from support.chains import draw_chains, points

from fwengine import loads
from fwengine.formats.chains import Chains, Kind, possible
from fwengine.imported import dead
from fwengine.report.findings import check
from fwengine.sources.foreign import Reading
from fwengine.spare import spare


def without(chains: Chains, gone: set[int]) -> Chains:
    """The chains with lines that pass on instead of deciding."""
    left = {
        name: replace(
            chain, lines=tuple(replace(ln, kind=Kind.PASS) if ln.number in gone else ln for ln in chain.lines)
        )
        for name, chain in chains.chains.items()
    }
    return Chains(left, chains.entries)


@pytest.mark.parametrize("doubt", [0, 0.25])
def test_what_is_spare_can_go_all_together(doubt: float) -> None:
    told = 0
    for seed in range(500):
        chains = draw_chains(random.Random(seed), doubt)
        found = set(spare(chains, ("entry",)))
        left = without(chains, found | {n for n in dead(chains, "entry") if line_decides(chains, n)})
        for point in points(chains):
            assert possible(chains, "entry", point) == possible(left, "entry", point), (seed, found, point)
        told += len(found)
    assert told > 100


def line_decides(chains: Chains, number: int) -> bool:
    return any(
        line.number == number and line.kind in (Kind.ALLOW, Kind.DENY)
        for chain in chains.chains.values()
        for line in chain.lines
    )


def test_most_lines_that_stay_are_needed() -> None:
    """By themselves, or when all that is proposed has gone. A few are between: proposals can be followed in part, too."""
    idle = total = 0
    for seed in range(200):
        chains = draw_chains(random.Random(seed), 0)
        gone = {*spare(chains, ("entry",)), *(n for n in dead(chains, "entry") if line_decides(chains, n))}
        stages = [chains, without(chains, gone)]
        universe = points(chains)
        for name in chains.reached("entry"):
            for line in chains.chains[name].lines:
                if line.kind not in (Kind.ALLOW, Kind.DENY) or line.number in gone:
                    continue
                total += 1
                idle += not any(
                    possible(stage, "entry", point) != possible(without(stage, {line.number}), "entry", point)
                    for stage in stages
                    for point in universe
                )
    assert total > 100
    assert idle <= total // 20


def test_all_copies_of_a_line_go_together() -> None:
    """A chain that two lines call: what allows there is allowed by the lines behind, too, one for each of the calls."""
    text = """\
*filter
:INPUT DROP [0:0]
:ssh - [0:0]
-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ssh
-A INPUT -s 192.168.0.0/16 -p tcp -m tcp --dport 22 -j ssh
-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT
%s-A INPUT -p udp -j DROP
-A ssh -p tcp -m tcp --sport 1024:65535 -j ACCEPT
COMMIT
"""
    other = "-A INPUT -s 192.168.0.0/16 -p tcp -m tcp --dport 22 -j ACCEPT\n"
    both = loads(text % other, file="x", reading=Reading(policy="INPUT"))
    found = [
        (f.code, f.severity, f.remark and f.remark.span.line, f.remark and f.remark.message)
        for f in check(both, ["FW203"])
    ]
    assert found == [
        ("FW203", "info", 8, "line 8 changes nothing: without it the default would do the same"),
        ("FW203", "warning", 9, "line 9 changes nothing: without it line 6 and line 7 would do the same"),
    ]
    alone = loads(text % "", file="x", reading=Reading(policy="INPUT"))
    assert [f.remark and f.remark.span.line for f in check(alone, ["FW203"])] == [7]


def test_a_line_that_a_doubt_stands_before_is_spare_only_in_both_bounds() -> None:
    text = """\
*filter
:INPUT DROP [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m limit --limit 5/sec -j DROP
-A INPUT -p tcp -j ACCEPT
COMMIT
"""
    policy = loads(text, file="x", reading=Reading(policy="INPUT"))
    assert not [f for f in check(policy, ["FW203"]) if f.severity == "warning"]
