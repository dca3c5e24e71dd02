"""The reader of iptables-save beside Linux: policies with user chains, loaded into the kernel, verdict by verdict.

Each batch of packets goes through every policy of a load; the packets that each rule decided are counted by the kernel, and
by the flat rules that the reader and `unfold` make of the same text. The raw table is used, which sees packets before
conntrack and before fragments are put together.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest
from support import kernel
from support.frames import ethernet
from support.iptables_rules import Drawn, draw_packet, draw_policy

from fwengine.formats.iptables.reader import read
from fwengine.formats.unfold import unfold
from fwengine.model.fields import Point, interface_number
from fwengine.model.rules import ALLOW
from fwengine.model.ruleset import RuleSet
from fwengine.packets.wire import decode

WHY_NOT = kernel.why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "the kernel can be asked")

POLICIES, BATCH = 50, 10  # in one load; packets between two readings of the counters


def chain(n: int, name: str) -> str:
    return f"p{n}.{name}"


def restore_text(policies: list[Drawn]) -> str:
    """All policies as one raw table; each is entered by the source's MAC address."""
    declared, rules = [], []
    for n, policy in enumerate(policies):
        declared += [f":{chain(n, name)} - [0:0]" for name in policy.chains] + [f":{chain(n, 'whole')} - [0:0]"]
        rules.append(f"-A PREROUTING -m mac --mac-source {kernel.mac(n).hex(':')} -j {chain(n, 'whole')}")
        rules += [f"-A {chain(n, 'whole')} -j {chain(n, 'entry')}", f"-A {chain(n, 'whole')} -j {policy.default}"]
        for name, lines in policy.chains.items():
            rules += [f"-A {chain(n, name)} {line.replace('@', f'p{n}.')}" for line in lines]
    return "\n".join(["*raw", ":PREROUTING ACCEPT [0:0]", *declared, *rules, "COMMIT", ""])


def ours(policy: Drawn, v6: bool) -> RuleSet:
    """The same policy as the reader has it, as the FORWARD chain of a filter table."""
    rows = [
        "*filter",
        f":FORWARD {policy.default} [0:0]",
        *(f":{name} - [0:0]" for name in policy.chains if name != "entry"),
    ]
    for name, lines in policy.chains.items():
        rows += [f"-A {'FORWARD' if name == 'entry' else name} {line.replace('@', '')}" for line in lines]
    flat = unfold(read("\n".join([*rows, "COMMIT", ""]), "drawn", v6=v6).chains, "FORWARD", ALLOW)
    return RuleSet(flat.rules, flat.default)


def verdicts(rules: list[RuleSet], points: list[Point]) -> list[Counter[str]]:
    return [Counter(str(r.action(r.tree.index(p))) for p in points) for r in rules]


def counted(text: str, policies: int) -> list[Counter[str]]:
    """What the kernel accepted and dropped, policy by policy."""
    found: list[Counter[str]] = [Counter() for _ in range(policies)]
    for line in text.splitlines():
        if line.startswith("[") and " -A p" in line:
            count, _, rest = line[1:].partition(":")
            target = rest.rsplit(" ", 1)[-1]
            if target in ("ACCEPT", "DROP"):
                number = int(rest.split(" -A p", 1)[1].split(".", 1)[0])
                found[number]["allow" if target == "ACCEPT" else "deny"] += int(count)
    return found


def agree(seed: int, family: kernel.Family, loads: int, batches: int) -> int:
    """How many verdicts were compared."""
    draw = random.Random(seed)
    compared = 0
    inside = interface_number("vb")
    with kernel.kernel() as judge:
        for _ in range(loads):
            policies = [draw_policy(draw, family) for _ in range(POLICIES)]
            rules = [ours(policy, family == 6) for policy in policies]
            judge.run(f"ip{'6' if family == 6 else ''}tables-legacy-restore", text=restore_text(policies))
            save = (f"ip{'6' if family == 6 else ''}tables-legacy-save", "-c", "-t", "raw")
            before = counted(judge.run(*save), POLICIES)
            for _ in range(batches):
                packets = [draw_packet(draw, family) for _ in range(BATCH)]
                points = []
                for packet in packets:
                    point = decode(packet, 101, len(packet), inside)
                    assert not isinstance(point, str), (packet.hex(), point)
                    points.append(point)
                for n in range(POLICIES):
                    judge.send([ethernet(packet, kernel.TARGET, kernel.mac(n)) for packet in packets])
                after = counted(judge.run(*save), POLICIES)
                expected = verdicts(rules, points)
                for n in range(POLICIES):
                    got = after[n] - before[n]
                    assert got == expected[n], (seed, policies[n], [p.hex() for p in packets])
                    compared += BATCH
                before = after
    return compared


@pytest.mark.parametrize("family", [4, 6])
def test_the_kernel_agrees(family: kernel.Family) -> None:
    assert agree(family, family, loads=2, batches=6) >= 6_000


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_the_kernel_agrees_a_million_times(part: int) -> None:
    """Four parts, the two families in turn: 2,000 policies, a million verdicts."""
    family: kernel.Family = 4 if part % 2 == 0 else 6
    assert agree(100 + part, family, loads=10, batches=50) >= 250_000
