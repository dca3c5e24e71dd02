"""The reader of nft beside Linux: policies with user chains, sets and verdict maps, loaded into the kernel, verdict by verdict.

As for iptables: each batch of packets goes through every policy of a load, entered by the source's MAC address before conntrack
and before fragments are put together; what each policy accepts and drops is counted by the kernel.
"""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from support import kernel
from support.frames import ethernet
from support.iptables_rules import Drawn, draw_packet
from support.nft_rules import draw_policy

from fwengine.analysis.diff import diff
from fwengine.formats.joint import joint
from fwengine.formats.nftables.reader import read
from fwengine.formats.unfold import unfold
from fwengine.model.fields import interface_number
from fwengine.model.rules import ALLOW, DENY
from fwengine.model.ruleset import RuleSet
from fwengine.packets.wire import decode

WHY_NOT = kernel.why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "the kernel can be asked")

POLICIES, BATCH = 50, 10  # in one load; packets between two readings of the counters


def loaded(policies: list[Drawn]) -> str:
    """All policies as one table. Verdicts are chains that count."""
    rows = ["table inet drawn {"]
    for n, policy in enumerate(policies):
        for verdict in ("accept", "drop"):
            rows.append(f"  chain p{n}_{verdict} {{ counter {verdict}; }}")
        for name, lines in reversed(policy.chains.items()):
            body = [re.sub("@", f"p{n}_", re.sub("%", f"goto p{n}_", line)) for line in lines]
            end = [f"goto p{n}_{policy.default}"] if name == "entry" else []
            if name == "entry":  # what returns from the entry meets the default
                rows += [f"  chain p{n}_entry {{", *(f"    {line}" for line in body), "  }"]
                rows += [f"  chain p{n}_whole {{", f"    jump p{n}_entry", f"    {end[0]}", "  }"]
            else:
                rows += [f"  chain p{n}_{name} {{", *(f"    {line}" for line in body), "  }"]
    rows += ["  chain pre {", "    type filter hook prerouting priority -450;"]
    rows += [f"    ether saddr {kernel.mac(n).hex(':')} jump p{n}_whole" for n in range(len(policies))]
    return "\n".join([*rows, "  }", "}", ""])


def written(policy: Drawn) -> str:
    """The same policy by itself, with a base chain."""
    rows = ["table inet drawn {"]
    for name, lines in reversed(policy.chains.items()):
        rows.append(f"chain {name} {{")
        if name == "entry":
            rows.append(f"type filter hook prerouting priority 0; policy {policy.default};")
        rows += [line.replace("@", "").replace("%", "") for line in lines] + ["}"]
    return "\n".join([*rows, "}", ""])


def ours(text: str) -> RuleSet:
    """A policy as the reader has it."""
    document = read(text, "drawn")
    upper, lower = (unfold(document.chains, document.policies["entry"], favour) for favour in (ALLOW, DENY))
    return RuleSet(joint(upper, lower), upper.default)


def counted(text: str, policies: int) -> list[Counter[str]]:
    """What the kernel accepted and dropped, policy by policy."""
    found: list[Counter[str]] = [Counter() for _ in range(policies)]
    for n, verdict, count in re.findall(r"chain p(\d+)_(accept|drop) \{\s*counter packets (\d+)", text):
        found[int(n)]["allow" if verdict == "accept" else "deny"] += int(count)
    return found


def agree(seed: int, family: kernel.Family, loads: int, batches: int) -> int:
    """How many verdicts were compared."""
    draw = random.Random(seed)
    compared = 0
    inside = interface_number("vb")
    with kernel.kernel() as judge:
        for _ in range(loads):
            policies = [draw_policy(draw, family) for _ in range(POLICIES)]
            rules = [ours(written(policy)) for policy in policies]
            judge.run("nft", "-f", "-", text="flush ruleset\n" + loaded(policies))
            before = counted(judge.run("nft", "list", "ruleset"), POLICIES)
            for _ in range(batches):
                packets = [draw_packet(draw, family) for _ in range(BATCH)]
                points = []
                for packet in packets:
                    point = decode(packet, 101, len(packet), inside)
                    assert not isinstance(point, str), (packet.hex(), point)
                    points.append(point)
                for n in range(POLICIES):
                    judge.send([ethernet(packet, kernel.TARGET, kernel.mac(n)) for packet in packets])
                after = counted(judge.run("nft", "list", "ruleset"), POLICIES)
                for n, r in enumerate(rules):
                    expected = Counter(str(r.action(r.tree.index(p))) for p in points)
                    got = after[n] - before[n]
                    unsure = expected.pop("depends", 0)  # later fragments, where a rule asks for ports
                    assert got >= expected, (seed, policies[n], [p.hex() for p in packets])
                    assert got.total() == BATCH
                    compared += BATCH - unsure
                before = after
    return compared


@pytest.mark.parametrize("family", [4, 6])
def test_what_nft_prints_means_the_same(family: kernel.Family) -> None:
    """As text and as JSON, back from the kernel."""
    draw = random.Random(family)
    with kernel.kernel() as judge:
        for _ in range(25):
            text = written(draw_policy(draw, family))
            judge.run("nft", "-f", "-", text="flush ruleset\n" + text)
            for words in (["nft", "list", "ruleset"], ["nft", "-j", "list", "ruleset"]):
                printed = judge.run(*words)
                assert not diff(ours(text), ours(printed)), (text, printed)


@pytest.mark.parametrize("family", [4, 6])
def test_the_kernel_agrees(family: kernel.Family) -> None:
    assert agree(family, family, loads=2, batches=6) >= 5_500


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_the_kernel_agrees_many_times(part: int) -> None:
    """Four parts, the two families in turn: 1,200 policies, 240,000 verdicts."""
    family: kernel.Family = 4 if part % 2 == 0 else 6
    assert agree(100 + part, family, loads=6, batches=20) >= 55_000
