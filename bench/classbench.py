"""ClassBench rule sets and traces as policies and columns: what the native benchmarks run on."""

from __future__ import annotations

import gzip
import random
import struct
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fwengine.model.address import V6_BASE
from fwengine.model.box import Box
from fwengine.model.fields import (
    DPORT,
    DST,
    ICMP,
    NO_FLAGS,
    NO_PORT,
    NO_TYPE,
    PORT_PROTOCOLS,
    PROTOCOL,
    SPORT,
    SRC,
    TCP,
)
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, Rule
from fwengine.policy import Policy

SETS = tuple(f"{family}_{size}" for size in ("1k", "10k", "100k") for family in ("acl1", "fw1", "ipc1"))
_V6_PREFIX = 0x20010DB8 << 96  # an IPv4 set's addresses become the 32 bits behind this


@dataclass(frozen=True)
class Trace:
    """Packets as columns, and the rule that is to decide each (the number of rules for the default), if that is known."""

    family: int
    columns: dict[str, Any]
    truth: array[int] | None

    def __len__(self) -> int:
        return len(self.columns["sport"])


def folder() -> Path:
    return Path(__file__).resolve().parents[2] / "shared/data/classbench"


def load_policy(name: str, family: int = 4) -> Policy:
    """A set as a policy of allowing rules; with family 6 each address stands behind one /32 of IPv6."""

    def net(text: str) -> tuple[IntervalSet, bool]:
        dotted, length = text.split("/")
        size = 1 << (32 - int(length))
        value = int.from_bytes(bytes(map(int, dotted.split("."))), "big") & -size
        if family == 6:
            return IntervalSet(
                ((V6_BASE + _V6_PREFIX + (value << 64), V6_BASE + _V6_PREFIX + (value + size << 64) - 1),)
            ), False
        return IntervalSet(((value, value + size - 1),)), size == 1 << 32

    rules = []
    with gzip.open(folder() / f"{name}.rules.gz", "rt") as lines:
        for line in lines:
            src, dst, sport, dport, protocol = line.split()
            chosen: dict[int, IntervalSet] = {}
            if protocol != "any":
                chosen[PROTOCOL] = IntervalSet.single(int(protocol))
            for field, text in ((SRC, src), (DST, dst)):
                found, everything = net(text)
                if not everything:
                    chosen[field] = found
            for field, text in ((SPORT, sport), (DPORT, dport)):
                if text != "0-65535":
                    lo, hi = map(int, text.split("-"))
                    chosen[field] = IntervalSet(((lo, hi),))
            rules.append(Rule(ALLOW, (Box.of(chosen),)))
    return Policy(tuple(rules), name=name)


def load_trace(name: str, rules: int, packets: int, family: int = 4, order: str = "given") -> Trace:
    """A set's trace, repeated or drawn from up to a number of packets; order "zipf" makes some rows far more frequent."""
    rows = []
    with gzip.open(folder() / f"{name}.trace.gz", "rt") as lines:
        for line in lines:
            rows.append(tuple(map(int, line.split())))
    if order == "zipf":
        draw = random.Random(1)
        weights = [1 / (rank + 1) for rank in range(len(rows))]
        draw.shuffle(weights)
        rows = draw.choices(rows, weights, k=packets)
    else:
        rows = (rows * (packets // len(rows) + 1))[:packets]
    src, dst, sport, dport, protocol, first = zip(*rows, strict=True)
    columns: dict[str, Any] = {"protocol": bytes(protocol), "sport": array("H", sport), "dport": array("H", dport)}
    for key, values in (("src", src), ("dst", dst)):
        if family == 6:
            columns[key] = b"".join(
                (_V6_PREFIX + (v << 64) + (v * 2654435761 & 0xFFFFFFFF)).to_bytes(16, "big") for v in values
            )
        else:
            columns[key] = array("I", values)
    return Trace(family, columns, array("I", [w if w >= 0 else rules for w in first]))


def random_trace(packets: int, seed: int = 2) -> Trace:
    """Addresses and ports at random: most sets have catch-alls for such packets. No truth is known."""
    draw = random.Random(seed)
    columns = {
        "protocol": bytes(draw.choices((6, 17, 1, 47), (70, 25, 4, 1), k=packets)),
        "src": array("I", draw.randbytes(4 * packets)),
        "dst": array("I", draw.randbytes(4 * packets)),
        "sport": array("H", draw.randbytes(2 * packets)),
        "dport": array("H", draw.randbytes(2 * packets)),
    }
    return Trace(4, columns, None)


def without_catch_alls(policy: Policy) -> Policy:
    """The policy without its widest rules (by pairs of addresses), so many that a tenth of random packets match none."""

    def width(rule: Rule) -> int:
        (box,) = rule.boxes
        return min(box.sets[SRC].size, 1 << 32) * min(box.sets[DST].size, 1 << 32)

    drawn = random_trace(2000, seed=4)
    for bits in range(63, 0, -4):
        kept = Policy(tuple(rule for rule in policy.rules if width(rule) < 1 << bits), name=policy.name)
        if len(_unmatched(kept, drawn)) >= len(drawn) // 10:
            break
    return kept


def _unmatched(policy: Policy, trace: Trace) -> list[int]:
    """The packets of a trace that no rule matches, by the policy's tree."""
    index, default = policy.tree.index, len(policy.rules)
    found = []
    for number, packet in enumerate(zip(*trace.columns.values(), strict=True)):
        named = dict(zip(trace.columns, packet, strict=True))
        protocol = named["protocol"]
        ports = (named["sport"], named["dport"]) if protocol in PORT_PROTOCOLS else (NO_PORT, NO_PORT)
        types = (8, 0) if protocol == ICMP else (NO_TYPE, NO_TYPE)
        flags = 2 if protocol == TCP else NO_FLAGS
        if index((protocol, named["src"], named["dst"], *ports, *types, flags, 0, 0, 0, 0, 0, 64, 84)) == default:
            found.append(number)
    return found


def no_match_trace(policy: Policy, packets: int) -> Trace:
    """Random packets that no rule matches; a number of them is repeated."""
    drawn = random_trace(min(packets, 1 << 17), seed=3)
    kept = _unmatched(policy, drawn)
    columns: dict[str, Any] = {}
    for key, column in drawn.columns.items():
        chosen = array(memoryview(column).format, [column[number] for number in kept])
        columns[key] = (chosen * (packets // len(chosen) + 1))[:packets]
    return Trace(4, columns, array("I", [len(policy.rules)]) * packets)


def write_capture(trace: Trace, path: Path) -> None:
    """The packets as a pcap of Ethernet frames, all headers valid but the checksums."""
    c = trace.columns
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for i in range(len(trace)):
            protocol = c["protocol"][i]
            if protocol == TCP:
                rest = struct.pack(">HHIIBBHHH", c["sport"][i], c["dport"][i], 0, 0, 0x50, 16, 0, 0, 0)
            elif protocol in PORT_PROTOCOLS:
                rest = struct.pack(">HHHH", c["sport"][i], c["dport"][i], 8, 0)
            else:
                rest = bytes(8)
            ip = struct.pack(
                ">BBHHHBBHII", 0x45, 0, 20 + len(rest), 0, 0, 64, protocol, 0, c["src"][i], c["dst"][i]
            )  # fmt: skip
            frame = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + rest
            frame += bytes(max(0, 60 - len(frame)))
            out.write(struct.pack("<IIII", i >> 20, i & 0xFFFFF, len(frame), len(frame)) + frame)
