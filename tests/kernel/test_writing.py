"""What is written in Linux' formats, loaded into Linux: it is taken, and packets fare there as `decide` has it.

Policies of the language are written for the way in, and put before everything else (conntrack, defragmentation), each for the
packets from one MAC address. What comes through is counted behind.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable

import pytest
from support import kernel
from support.frames import ethernet
from support.iptables_rules import draw_packet
from support.own_rules import draw_policy

import fwengine
from fwengine.conversion import convert
from fwengine.errors import PolicyError
from fwengine.model.fields import interface_number
from fwengine.model.ruleset import decide
from fwengine.packets.wire import decode

WHY_NOT = kernel.why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "the kernel can be asked")

POLICIES, BATCH = 30, 10


def load_nft(judge: kernel.Kernel, family: kernel.Family, texts: list[str]) -> None:
    rows = []
    for n, text in enumerate(texts):
        judge.run("nft", "-c", "-f", "-", text=text)
        row = re.sub(r"\bfwengine\b", f"p{n}", text)
        other = f"\n        ether saddr != {kernel.mac(n).hex(':')} accept"
        rows.append(
            re.sub(
                "hook input priority filter; policy (accept|drop);",
                rf"hook prerouting priority -450; policy \1;{other}",
                row,
            )
        )
    judge.run("nft", "-f", "-", text="flush ruleset\n" + "\n".join(rows) + survivors())


def survivors() -> str:
    rows = [f"ether saddr {kernel.mac(n).hex(':')} counter" for n in range(POLICIES)]
    return "\n".join(
        ["", "table inet judge {", "chain through {", "type filter hook prerouting priority -250;", *rows, "}", "}", ""]
    )


LOADERS: dict[str, Callable[[kernel.Kernel, kernel.Family, list[str]], None]] = {"nft": load_nft}


def through(judge: kernel.Kernel) -> list[int]:
    """How many packets came through each policy."""
    listed = judge.run("nft", "list", "table", "inet", "judge")
    return [int(count) for count in re.findall(r"counter packets (\d+)", listed)]


def agree(to: str, seed: int, family: kernel.Family, loads: int, batches: int) -> int:
    """How many verdicts were compared."""
    draw = random.Random(seed)
    compared = 0
    refused: Counter[str] = Counter()
    with kernel.kernel() as judge:
        for _ in range(loads):
            policies: list[fwengine.Policy] = []
            texts: list[str] = []
            while len(texts) < POLICIES:
                policy = fwengine.loads(draw_policy(draw, family))
                try:
                    texts.append(convert(policy, to, chain="input"))
                except PolicyError as error:
                    refused.update(d.message for d in error.diagnostics)
                    assert refused.total() < POLICIES * loads * 3, refused.most_common(5)
                    continue
                policies.append(policy)
            LOADERS[to](judge, family, texts)
            before = through(judge)
            for _ in range(batches):
                packets = [draw_packet(draw, family) for _ in range(BATCH)]
                points = [decode(packet, 101, len(packet), interface_number("vb")) for packet in packets]
                for n in range(POLICIES):
                    judge.send([ethernet(packet, kernel.TARGET, kernel.mac(n)) for packet in packets])
                judge.settle()
                after = through(judge)
                for n, policy in enumerate(policies):
                    allowed = sum(decide(policy, p).action is fwengine.ALLOW for p in points if not isinstance(p, str))
                    assert after[n] - before[n] == allowed, (texts[n], [p.hex() for p in packets])
                    compared += BATCH
                before = after
    return compared


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("to", LOADERS)
def test_the_kernel_does_what_was_written(to: str, family: kernel.Family) -> None:
    assert agree(to, family, family, loads=2, batches=8) == 2 * 8 * POLICIES * BATCH


@pytest.mark.slow
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("to", LOADERS)
def test_the_kernel_does_what_was_written_many_times(to: str, family: kernel.Family) -> None:
    assert agree(to, 100 + family, family, loads=10, batches=30) == 10 * 30 * POLICIES * BATCH
