"""ClassBench rule sets, through the language: the right rule for every packet of the traces, and a compiled form that is small."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

import fwengine
from fwengine.model.fields import NO_FLAGS, NO_PORT, NO_TYPE, TCP, Point, has_flags, has_ports, has_type

SETS = [f"{kind}_{size}" for size in ("1k", "10k", "100k") for kind in ("acl1", "fw1", "ipc1")]
EDGES_A_RULE = 15


def as_policy(path: Path) -> str:
    """A rule set in the rule language. Only rules of tcp and udp state ports there."""
    lines = []
    with gzip.open(path, "rt") as rules:
        for rule in rules:
            src, dst, sport, dport, protocol = rule.split()
            words = ["allow", {"6": "tcp", "17": "udp"}.get(protocol, protocol)]
            for keyword, address, ports in (("from", src, sport), ("to", dst, dport)):
                words += [keyword, masked(address)]
                if ports != "0-65535":
                    lo, _, hi = ports.partition("-")
                    words += ["port", lo if lo == hi else ports]
            lines.append(" ".join(words))
    return "\n".join(lines)


def masked(prefix: str) -> str:
    """The prefix with its host bits cleared: the language refuses them."""
    text, _, length = prefix.partition("/")
    value = int.from_bytes(bytes(map(int, text.split("."))), "big") >> (32 - int(length)) << (32 - int(length))
    if length == "0":
        return "0.0.0.0/0"
    return ".".join(str(byte) for byte in value.to_bytes(4, "big")) + (f"/{length}" if length != "32" else "")


def packets(path: Path) -> Iterator[tuple[Point, int]]:
    """Points and the index of the rule that decides, -1 for none. Of protocols without ports the trace's are ignored."""
    with gzip.open(path, "rt") as trace:
        for line in trace:
            src, dst, sport, dport, protocol, first = map(int, line.split())
            ports = (sport, dport) if has_ports(protocol, 0) else (NO_PORT, NO_PORT)
            kind = 0 if has_type(protocol, 4, 0) else NO_TYPE
            flags = 0 if has_flags(protocol, 0) else NO_FLAGS
            yield (protocol, src, dst, *ports, kind, kind, flags, 0, 0, 0, 0, 0, 64, 84), first


@pytest.mark.parametrize(
    "name", [name if name.endswith("_1k") else pytest.param(name, marks=pytest.mark.slow) for name in SETS]
)
def test_every_packet_of_the_trace(name: str, shared: Path) -> None:
    folder = shared / "data" / "classbench"
    policy = fwengine.loads(as_policy(folder / f"{name}.rules.gz"), file=f"{name}.fwl")
    tree = policy.tree
    rules = len(policy.rules)
    assert tree.statistics().edges <= EDGES_A_RULE * rules
    right = total = 0
    for point, first in packets(folder / f"{name}.trace.gz"):
        total += 1
        right += tree.index(point) == (rules if first < 0 else first)
    assert (right, total) == (100_000, 100_000)


def test_the_trace_packets_are_packets(shared: Path) -> None:
    """What is built above without `Packet`'s validation would pass it."""
    folder = shared / "data" / "classbench"
    points = [point for _, (point, _) in zip(range(500), packets(folder / "fw1_1k.trace.gz"), strict=False)]
    assert {point[0] for point in points} >= {TCP}
    for point in points:
        assert fwengine.Packet.from_point(point).point == point
