"""Bit vectors of what overlaps, contains, or is around: never less than is true, and exact where few are left."""

from __future__ import annotations

import random

import pytest

from fwengine.model import overlap
from fwengine.model.box import Sets
from fwengine.model.fields import FULL, PROTOCOL, SPORT, Point
from fwengine.model.interval import IntervalSet
from fwengine.model.overlap import Overlaps, bits


def test_bits_are_told_in_order_however_many_there_are() -> None:
    draw = random.Random(3)
    for many in (0, 1, 15, 16, 17, 500):
        chosen = sorted(draw.sample(range(5000), many))
        assert list(bits(sum(1 << n for n in chosen))) == chosen


def product(draw: random.Random, width: int) -> Sets:
    out = list(FULL)
    for f in (PROTOCOL, SPORT):
        if draw.random() < 0.8:
            lo = draw.randrange(200)
            out[f] = IntervalSet(((lo, min(255, lo + draw.randrange(width))),))
    return tuple(out)


def hull_touches(a: Sets, b: Sets) -> bool:
    return all(x.lo <= y.hi and y.lo <= x.hi for x, y in zip(a, b, strict=True))


def hull_contains(a: Sets, b: Sets) -> bool:
    return all(x.lo <= y.lo and y.hi <= x.hi for x, y in zip(a, b, strict=True))


def holds(a: Sets, point: Point) -> bool:
    return all(x.lo <= value <= x.hi for x, value in zip(a, point, strict=True))


@pytest.mark.parametrize(("checkpoints", "few"), [(512, 16), (3, 0), (3, 16), (1, 4)])
@pytest.mark.parametrize("width", [3, 250])
def test_no_entry_is_missed(monkeypatch: pytest.MonkeyPatch, checkpoints: int, few: int, width: int) -> None:
    monkeypatch.setattr(overlap, "_CHECKPOINTS", checkpoints)
    monkeypatch.setattr(overlap, "_FEW", few)
    draw = random.Random(f"{checkpoints} {few} {width}")
    for size in (1, 5, 60, 300):
        entries = [product(draw, width) for _ in range(size)]
        overlaps = Overlaps(entries)
        for _ in range(60):
            part = product(draw, draw.choice((1, 30, 250)))
            point = tuple(chosen.lo for chosen in part)
            among = draw.getrandbits(size)
            asked = [
                (overlaps.overlapping(part, among), [hull_touches(e, part) for e in entries]),
                (overlaps.containing(part, among), [hull_contains(e, part) for e in entries]),
                (overlaps.around(point, among), [holds(e, point) for e in entries]),
            ]
            for kind, (found, wanted) in enumerate(asked):
                true = sum(1 << n for n, yes in enumerate(wanted) if among >> n & 1 and yes)
                assert true & ~found == 0
                assert found & ~among == 0
                if checkpoints == 512 or (kind < 2 and found.bit_count() < few and among.bit_count() <= few):
                    assert found == true or kind == 2
