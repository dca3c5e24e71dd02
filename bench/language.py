"""Loading and single packets: parse, lower, compile, evaluate, each beside its peer, in one run.

usage: python bench/language.py [SET...]      (acl1_1k fw1_10k ...; default: the 1k and 10k sets)

The sets are ClassBench's, from `../shared/data/classbench`; where that folder is missing, policies of the same sizes are
drawn from a seed. The peer of the tree is `decide`, the linear definition. Reports, never judges.
"""

from __future__ import annotations

import gzip
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from fwengine import Policy, decide
from fwengine.language.syntax.parser import read
from fwengine.model.fields import NO_FLAGS, NO_PORT, NO_TYPE, PORT_PROTOCOLS, Point
from fwengine.policy import loads

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "classbench"
NAMES = {"6": "tcp", "17": "udp", "1": "icmp"}


def policy_text(name: str) -> str:
    """A set as `.fwl` text."""
    rules = DATA / f"{name}.rules.gz"
    if not rules.exists():
        return drawn(name)
    out = ["default deny"]
    for number, line in enumerate(gzip.decompress(rules.read_bytes()).decode().splitlines()):
        src, dst, sports, dports, protocol = line.split()
        proto = NAMES.get(protocol, protocol)
        out.append(f"allow {proto} from {net(src)}{ports(sports)} to {net(dst)}{ports(dports)} as r{number}")
    return "\n".join(out) + "\n"


def net(text: str) -> str:
    base, length = text.split("/")
    bits = 32 - int(length)
    value = int.from_bytes(bytes(map(int, base.split("."))), "big") >> bits << bits
    return ".".join(map(str, value.to_bytes(4, "big"))) + f"/{length}"


def ports(text: str) -> str:
    lo, hi = text.split("-")
    return "" if text == "0-65535" else f" port {lo}" if lo == hi else f" port {text}"


def drawn(name: str) -> str:
    """A policy from a seed, for machines without the sets."""
    draw = random.Random(name)
    size = {"1k": 1_000, "10k": 10_000, "100k": 100_000}[name.rpartition("_")[2]]
    blocks = [f"10.{draw.randrange(256)}.{draw.randrange(256)}" for _ in range(size // 20)]
    out = ["default deny"]
    for number in range(size):
        src = draw.choice(["any", f"{draw.choice(blocks)}.0/24", f"{draw.choice(blocks)}.{draw.randrange(256)}"])
        dst = f"{draw.choice(blocks)}.{draw.randrange(256)}"
        out.append(f"allow {draw.choice(['tcp', 'udp'])} from {src} to {dst} port {draw.randrange(65536)} as r{number}")
    return "\n".join(out) + "\n"


def trace(name: str, policy: Policy) -> list[tuple[Point, int | None]]:
    """Packets with the index of their first rule, if the set says it."""
    path = DATA / f"{name}.trace.gz"
    if not path.exists():
        draw = random.Random(1)
        chosen = draw.choices(policy.rules, k=20_000)
        return [(tuple(s.lo for s in rule.boxes[0].pieces[0].sets), None) for rule in chosen]
    out: list[tuple[Point, int | None]] = []
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        src, dst, sport, dport, protocol, first = map(int, line.split())
        has = protocol in PORT_PROTOCOLS
        ends = (sport, dport) if has else (NO_PORT, NO_PORT)
        kind = 0 if protocol == 1 else NO_TYPE
        flags = 2 if protocol == 6 else NO_FLAGS
        out.append(
            (
                (protocol, src, dst, *ends, kind, kind, flags, 0, 0, 0, 0, 0, 64, 84),
                first if first >= 0 else len(policy.rules),
            )
        )
    return out


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    sets = sys.argv[1:] or [f"{kind}_{size}" for size in ("1k", "10k") for kind in ("acl1", "fw1", "ipc1")]
    print(
        "set         rules  parse s  lower s  compile s  edges/rule  tree µs (min-max)     linear µs  ratio  wrong  RSS MB"
    )
    for name in sets:
        text = policy_text(name)
        parse = seconds(lambda text=text: read(text, "bench"))  # type: ignore[misc]  # the default freezes the variable
        begin = time.perf_counter()
        policy = loads(text, file=f"{name}.fwl")
        load = time.perf_counter() - begin
        compiling = seconds(lambda policy=policy: policy.tree)  # type: ignore[misc]  # as above
        packets = trace(name, policy)
        index = policy.tree.index
        points = [point for point, _ in packets]
        rounds = [seconds(lambda: [index(p) for p in points]) / len(points) * 1e6 for _ in range(5)]  # noqa: B023  # called at once
        few = random.Random(0).sample(points, 50)
        linear = seconds(lambda: [decide(policy, p) for p in few]) / len(few) * 1e6  # noqa: B023  # called at once
        wrong = sum(index(p) != first for p, first in packets if first is not None)
        wrong += sum(index(p) != decide(policy, p).index for p in few)
        median = statistics.median(rounds)
        edges = policy.tree.statistics().edges / len(policy.rules)
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{name:<10} {len(policy.rules):>6,}  {parse:7.2f}  {max(0.0, load - parse):7.2f}  {compiling:9.2f}  {edges:10.1f}  "
            f"{median:7.2f} ({min(rounds):.2f}-{max(rounds):.2f})  {linear:12.1f}  {linear / median:5.0f}  {wrong:5}  {rss:6}"
        )


if __name__ == "__main__":
    main()
