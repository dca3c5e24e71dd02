"""Chains drawn at random over a universe of a few packets, where everything collides."""

from __future__ import annotations

import random
from itertools import product

from fwengine.errors import Span
from fwengine.formats.chains import Chain, Chains, Kind, Line, Part
from fwengine.model.box import Sets
from fwengine.model.fields import DPORT, FULL, OUT, PROTOCOL, SRC, Point
from fwengine.model.interval import IntervalSet
from fwengine.model.packet import Packet
from fwengine.model.rules import ALLOW, DENY

from .points import point_of

SOURCES, PORTS, INTERFACES = (1, 2, 3), (10, 11, 12, 13), ("", "lan")


def _point(src: int, dport: int, out: str) -> Point:
    packet = Packet(4, 6, src, 9, 5, dport, None, None, 2, in_interface="wan", out_interface=out)
    return point_of(packet)


# with one source and one port that no line names: they stand for all others
POINTS: tuple[Point, ...] = tuple(_point(*values) for values in product((*SOURCES, 7), (*PORTS, 99), INTERFACES))


def draw_product(random: random.Random) -> Sets:
    """TCP packets of some sources, to some ports, sometimes by an interface; often of all."""
    sets = list(FULL)
    sets[PROTOCOL] = IntervalSet.single(6)
    if random.random() < 0.6:
        sets[SRC] = IntervalSet.union((v, v) for v in random.sample(SOURCES, random.randint(1, 2)))
    if random.random() < 0.6:
        lo = random.choice(PORTS)
        sets[DPORT] = IntervalSet(((lo, random.choice([p for p in PORTS if p >= lo])),))
    if random.random() < 0.15:
        sets[OUT] = random.choice([IntervalSet.single(0), FULL[OUT] - IntervalSet.single(0)])
    return tuple(sets)


def draw_parts(random: random.Random, doubt: float) -> tuple[Part, ...]:
    """One alternative, or one that is certain and one in doubt, disjoint."""
    first = draw_product(random)
    doubts = ("something",) if random.random() < doubt else ()
    parts = [Part((first,), doubts)]
    if random.random() < 0.15:
        other = draw_product(random)
        if any(a.isdisjoint(b) for a, b in zip(first, other, strict=True)):
            parts.append(Part((other,), () if doubts else ("something",) * (random.random() < doubt)))
    return tuple(parts)


def draw_chains(random: random.Random, doubt: float = 0.3) -> Chains:
    """A few chains; a chain calls only later ones, so there is no circle."""
    names = ["entry", *(f"chain{n}" for n in range(random.randint(0, 4)))]
    chains: dict[str, Chain] = {}
    number = 0
    for at, name in enumerate(names):
        lines = []
        for _ in range(random.randint(0 if at else 2, 5)):
            kinds = [Kind.ALLOW, Kind.DENY, Kind.RETURN, Kind.PASS]
            if names[at + 1 :]:
                kinds += [Kind.JUMP] * 3 + [Kind.GOTO] * 2
            kind = random.choice(kinds)
            if kind is Kind.PASS and random.random() < doubt / 2:
                kind = Kind.EITHER
            number += 1
            target = random.choice(names[at + 1 :]) if kind in (Kind.JUMP, Kind.GOTO) else None
            span = Span("chains", number, 1, number, 9)
            lines.append(Line(number, span, f"line {number}", kind, draw_parts(random, doubt), target))
        default = random.choice((ALLOW, DENY)) if at == 0 else None
        chains[name] = Chain(name, tuple(lines), default)
    absent = frozenset([OUT]) if random.random() < 0.2 else frozenset()
    return Chains(chains, {"entry": absent})


def points(chains: Chains) -> tuple[Point, ...]:
    """The packets that may enter: of those without an interface one each."""
    return tuple(p for p in POINTS if OUT not in chains.entries["entry"] or p[OUT] == 0)
