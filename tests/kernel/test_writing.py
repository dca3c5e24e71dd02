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
from fwengine.sources.foreign import Reading

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


def load_iptables(judge: kernel.Kernel, family: kernel.Family, texts: list[str]) -> None:
    """Each as chains of the raw table, which packets meet before anything else; comments are left as they are."""
    tool = f"ip{'6' * (family == 6)}tables-legacy-restore"
    declared, rules = [":PREROUTING ACCEPT [0:0]"], []
    for n, text in enumerate(texts):
        judge.run(tool, "--test", text=text)
        rules.append(f"-A PREROUTING -m mac --mac-source {kernel.mac(n).hex(':')} -j p{n}")
        named = re.sub(r"(?<=-[Aj] )(INPUT|input-\d+)", rf"p{n}\1", text)
        chains = re.findall(r"^:(\S+) ", text, re.MULTILINE)
        declared += [f":p{n} - [0:0]", *(f":p{n}{name} - [0:0]" for name in chains)]
        (default,) = re.findall(r"^:INPUT (\w+) ", text, re.MULTILINE)
        rules += [f"-A p{n} -j p{n}INPUT", f"-A p{n} -j {default}"]
        rules += re.findall("^-A .*$", named, re.MULTILINE)
    judge.run(tool, text="\n".join(["*raw", *declared, *rules, "COMMIT", ""]))
    judge.run("nft", "-f", "-", text="flush ruleset\n" + survivors())


def survivors() -> str:
    rows = [f"ether saddr {kernel.mac(n).hex(':')} counter" for n in range(POLICIES)]
    return "\n".join(
        ["", "table inet judge {", "chain through {", "type filter hook prerouting priority -250;", *rows, "}", "}", ""]
    )


LOADERS: dict[str, Callable[[kernel.Kernel, kernel.Family, list[str]], None]] = {
    "nft": load_nft,
    "iptables": load_iptables,
    "ip6tables": load_iptables,
}
CASES = [("nft", 4), ("nft", 6), ("iptables", 4), ("ip6tables", 6)]


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


@pytest.mark.parametrize(("to", "family"), CASES)
def test_the_kernel_does_what_was_written(to: str, family: kernel.Family) -> None:
    assert agree(to, family, family, loads=2, batches=8) == 2 * 8 * POLICIES * BATCH


@pytest.mark.slow
@pytest.mark.parametrize(("to", "family"), CASES)
def test_the_kernel_does_what_was_written_many_times(to: str, family: kernel.Family) -> None:
    assert agree(to, 100 + family, family, loads=10, batches=30) == 10 * 30 * POLICIES * BATCH


@pytest.mark.parametrize("family", [4, 6])
def test_what_linux_prints_of_it_means_the_same(family: kernel.Family) -> None:
    """nft, as text and as JSON, and iptables-save."""
    draw = random.Random(family)
    save = f"ip{'6' * (family == 6)}tables"
    with kernel.kernel() as judge:
        for _ in range(12):
            policy = fwengine.loads(draw_policy(draw, family))
            text = convert(policy, "nft", chain="input")
            judge.run("nft", "-f", "-", text="flush ruleset\n" + text)
            loaded = fwengine.loads(text)
            for words in (["nft", "list", "ruleset"], ["nft", "-j", "list", "ruleset"]):
                assert not fwengine.diff(loaded, fwengine.loads(judge.run(*words))), text
            try:
                text = convert(policy, save, chain="input")
            except PolicyError:
                continue
            judge.run(f"{save}-legacy-restore", text=text)
            printed = judge.run(f"{save}-legacy-save", "-t", "filter")
            asked = [Reading(f"{save}-save", "INPUT", perhaps=True)] * 2
            before, after = (fwengine.loads(t, reading=r) for t, r in zip((text, printed), asked, strict=True))
            assert not fwengine.diff(before, after), (text, printed)
