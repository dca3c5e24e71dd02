"""Pairs of policies and packets through everything that decides: the tree, the native engines, the second implementation, `decide`.

usage: python fuzz/three.py PAIRS [SEED]

Policies are drawn as texts with every construct of the language, packets from all cells that a policy tells apart. The second
implementation (`tests/independent`) decided them before; the tree and each native engine must name the same rule for every one, `decide`
for one in ten. Prints the seed and the packet where they differ and exits 1, else how many pairs agreed.
"""

from __future__ import annotations

import datetime
import random
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from target import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from independent.answers import Decided
from independent.comparing import MOST_CELLS, Pair, grid_of, theirs
from independent.writing import Writer

from fwengine import native
from fwengine.errors import LimitError, PolicyError
from fwengine.model.fields import Point
from fwengine.model.ruleset import decide
from fwengine.native import Classifier, engines

PACKETS = 4000  # of a policy


def compared(seed: int) -> int:
    """How many pairs of one policy agree; none if there is no such policy. AssertionError if they do not."""
    draw = random.Random(seed)
    try:
        pair = Pair(Writer(draw).policy(draw.randint(1, 8)))
    except PolicyError:
        return 0
    grid = grid_of(list(pair.matches()), [])
    if grid.cells > 8 * MOST_CELLS:
        return 0
    decided = Decided.of(grid, pair.policy)
    points: list[Point] = []
    wanted: list[int] = []
    for index, own in enumerate(decided.by):
        place = pair.active[index] if index < len(pair.active) else len(pair.whole.rules)
        for packet in grid.packets(own, draw, PACKETS // len(decided.by)):
            point = theirs(packet).point
            assert point is not None
            points.append(point)
            wanted.append(place)
    _same(seed, "tree", points, wanted, [pair.engine.tree.index(point) for point in points])
    _same(seed, "decide", points[::10], wanted[::10], [decide(pair.engine, point).index for point in points[::10]])
    for name in engines() if native.available() else ():
        with suppress(LimitError):  # masks that stand for more ranges than the native module takes
            _same(seed, name, points, wanted, list(Classifier(pair.engine, name).index_points(points)))
    return len(points)


def _same(seed: int, name: str, points: list[Point], wanted: list[int], found: Sequence[int | None]) -> None:
    for point, one, other in zip(points, wanted, found, strict=True):
        assert one == other, f"seed {seed}: {point}: {one}, but by {name} {other}"


def main() -> int:
    pairs = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    done, policies, begun = 0, 0, time.monotonic()
    while done < pairs:
        try:
            found = compared(seed)
        except AssertionError as error:
            print(error)
            return 1
        if (done + found) // 1_000_000 > done // 1_000_000:
            print(f"{done + found:,} pairs, up to seed {seed}", flush=True)
        done += found
        policies += bool(found)
        seed += 1
    ways = ", ".join(engines()) if native.available() else "no native engine"
    print(
        f"{datetime.date.today()}: {done:,} pairs of {policies:,} policies agree, up to seed {seed - 1} "
        f"({time.monotonic() - begun:.0f} s; tree, decide, second implementation, {ways})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
