"""Random policies and packets at their corners: native engines = tree = `decide`.

usage: python fuzz/native_differential.py PAIRS [SEED]

Prints the first disagreement with what is needed to repeat it, and exits 1; else the number of pairs that agreed.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

from fwengine.model.address import V6_BASE
from fwengine.model.box import Box
from fwengine.model.fields import (
    ABSENT,
    CODE,
    DETAILS,
    DPORT,
    DST,
    FLAGS,
    FRAGMENT,
    FULL,
    ICMP,
    ICMPV6,
    IN,
    OUT,
    PORT_PROTOCOLS,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    TYPE,
    Point,
    has_flags,
    has_ports,
    has_type,
    interface_number,
)
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY, Rule
from fwengine.model.ruleset import decide
from fwengine.native import Classifier, engines
from fwengine.policy import Policy

_PROTOCOLS = (*sorted(PORT_PROTOCOLS), ICMP, ICMPV6, 0, 2, 47, 255)
_INTERFACES = (0, *map(interface_number, ("a", "eth0", "eth1", "wan0", "\N{SNOWMAN}")))


def address(draw: random.Random, family: int) -> int:
    bits = 32 if family == 4 else 128
    near = draw.choice(
        (
            0,
            (1 << bits) - 1,
            10 << bits - 8,
            0x20010DB8 << bits - 32 if bits > 32 else 0xC0000200,
            draw.getrandbits(bits),
        )
    )
    value = (near + draw.choice((0, 0, 1, -1, draw.getrandbits(8), draw.getrandbits(bits)))) % (1 << bits)
    return value if family == 4 else V6_BASE + value


def addresses(draw: random.Random) -> IntervalSet:
    pairs = []
    for _ in range(draw.choice((1, 1, 1, 2, 3, 40 if draw.random() < 0.1 else 4))):
        family = draw.choice((4, 4, 6))
        base, bits = (0, 32) if family == 4 else (V6_BASE, 128)
        a = address(draw, family)
        if draw.random() < 0.7:
            size = 1 << draw.choice((0, 0, 1, 4, 8, bits // 4, bits // 2, bits - 8, bits - 1, bits))
            a = base + (a - base) // size * size
            pairs.append((a, a + size - 1))
        else:
            b = address(draw, family)
            pairs.append((min(a, b), max(a, b)))
    chosen = IntervalSet.union(pairs)
    return FULL[SRC] - chosen if draw.random() < 0.1 else chosen


def numbers(draw: random.Random, top: int, absent: bool) -> IntervalSet:
    """A set below `top`, now and then with the value that stands for absence."""
    pairs = []
    for _ in range(draw.choice((1, 1, 2, 5, 30))):
        a = draw.choice((0, 1, top, top - 1, 80 % (top + 1), draw.randint(0, top)))
        pairs.append((a, min(top, a + draw.choice((0, 0, 1, 5, top // 3, top)))))
    if absent and draw.random() < 0.1:
        pairs.append((top + 1, top + 1))
    return IntervalSet.union(pairs)


def policy(draw: random.Random, rules: int) -> Policy:
    """Rules whose sets share few values, so that boxes meet."""
    pool = [addresses(draw) for _ in range(draw.choice((2, 6, 20)))]
    likely = draw.random()
    made = []
    for _ in range(rules):
        boxes = []
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            sets = list(FULL)
            for field in (SRC, DST):
                if draw.random() < 0.8:
                    sets[field] = draw.choice(pool) if draw.random() < 0.7 else addresses(draw)
            if draw.random() < 0.8:
                sets[PROTOCOL] = IntervalSet.union((p, p) for p in draw.sample(_PROTOCOLS, draw.choice((1, 1, 2, 5))))
                if draw.random() < 0.1:
                    sets[PROTOCOL] = FULL[PROTOCOL] - sets[PROTOCOL]
            rare = 0.4 * likely
            for field, chance in ((SPORT, 0.3), (DPORT, 0.5)):
                if draw.random() < chance:
                    sets[field] = numbers(draw, 65535, absent=True)
            for field in (TYPE, CODE, FLAGS):
                if draw.random() < rare:
                    sets[field] = numbers(draw, 255, absent=True)
            if draw.random() < rare:
                sets[FRAGMENT] = IntervalSet.union((f, f) for f in draw.sample((0, 1, 2), draw.choice((1, 2))))
            if draw.random() < rare:
                sets[STATE] = IntervalSet.union((s, s) for s in draw.sample(range(5), draw.choice((1, 2, 4))))
            for field in DETAILS:
                if draw.random() < rare:
                    sets[field] = numbers(draw, FULL[field].hi, absent=False)
            for field in (IN, OUT):
                if draw.random() < rare:
                    sets[field] = IntervalSet.union((n, n) for n in draw.sample(_INTERFACES[1:], draw.choice((1, 2))))
                    if draw.random() < 0.3:
                        sets[field] = IntervalSet(((1, FULL[field].hi),)) - sets[field]
            boxes.append(Box(tuple(sets)))
        made.append(Rule(draw.choice((ALLOW, DENY)), tuple(boxes)))
    return Policy(tuple(made), draw.choice((ALLOW, DENY)))


def valid(point: list[int]) -> Point:
    """The packet nearest to a point: what it cannot have is absent, what it has is there."""
    family = 4 if point[SRC] < V6_BASE else 6
    if (point[DST] < V6_BASE) != (family == 4):
        point[DST] = point[SRC]
    protocol, fragment = point[PROTOCOL], point[FRAGMENT]
    for fields, there in (
        ((SPORT, DPORT), has_ports(protocol, fragment)),
        ((TYPE, CODE), has_type(protocol, family, fragment)),
        ((FLAGS,), has_flags(protocol, fragment)),
    ):
        for field in fields:
            point[field] = point[field] % ABSENT[field] if there else ABSENT[field]
    return tuple(point)


def packet(draw: random.Random, of: Policy) -> Point:
    """A packet at or beside a corner of some box, or anywhere."""
    point = [0] * len(FULL)
    box = draw.choice(draw.choice(of.rules).boxes) if of.rules and draw.random() < 0.9 else None
    family = draw.choice((4, 6))
    if box is not None and not all(box.sets):
        box = None
    if box is not None:
        sides = [box.sets[x].ranges for x in (SRC, DST)]
        families = [4] * all(r[0][0] < V6_BASE for r in sides) + [6] * all(r[-1][1] >= V6_BASE for r in sides)
        family = draw.choice(families) if families else family
    for field in range(len(FULL)):
        if box is not None and draw.random() < 0.93:
            ranges = box.sets[field].ranges
            if field in (SRC, DST):
                ranges = tuple(r for r in ranges if (r[0] < V6_BASE if family == 4 else r[1] >= V6_BASE)) or ranges
            lo, hi = draw.choice(ranges)
            if field in (SRC, DST):
                lo, hi = (lo, min(hi, V6_BASE - 1)) if family == 4 else (max(lo, V6_BASE), hi)
                if lo > hi:
                    lo = hi = address(draw, family)
            point[field] = draw.choice((lo, hi, lo + (hi - lo) // 2, draw.randint(lo, hi)))
            if draw.random() < 0.05:
                point[field] = min(FULL[field].hi, max(0, point[field] + draw.choice((-1, 1))))
        elif field in (SRC, DST):
            point[field] = address(draw, family)
        elif field in (IN, OUT):
            point[field] = draw.choice(_INTERFACES)
        elif field == PROTOCOL:
            point[field] = draw.choice(_PROTOCOLS)
        else:
            point[field] = draw.randint(0, FULL[field].hi)
    if point[FRAGMENT] and draw.random() < 0.7:
        point[FRAGMENT] = 0
    return valid(point)


def disagreement(seed: int, rules: int, packets: int) -> str | None:
    """One policy and its packets through every way there is; what to say if they differ."""
    draw = random.Random(seed)
    of = policy(draw, rules)
    points = [packet(draw, of) for _ in range(packets)]
    want = [decide(of, point).index for point in points]
    ways: list[tuple[str, Callable[[], list[int]]]] = [("tree", lambda: [of.tree.index(p) for p in points])]
    ways += [(name, lambda name=name: Classifier(of, name).index_points(points)) for name in engines()]  # type: ignore[misc]
    for name, found in ways:
        got = found()
        for i, (a, b) in enumerate(zip(want, got, strict=True)):
            if a != b:
                return f"seed {seed}, {rules} rules, packet {i} {points[i]}: decide {a}, {name} {b}"
    return None


def main() -> int:
    pairs = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    done = 0
    while done < pairs:
        draw = random.Random(~seed)
        rules, packets = draw.choice((1, 3, 8, 8, 20, 60)), 500
        wrong = disagreement(seed, rules, packets)
        if wrong:
            print(wrong)
            return 1
        done += packets
        seed += 1
    print(f"{done:,} pairs agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
