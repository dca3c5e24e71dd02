"""Random interval sets, boxes, points, packets, rules and policies, for Hypothesis and for mass comparisons.

Everything is made once, out of choices: `Drawn` lets Hypothesis make them (so that examples shrink), `Seeded` a seeded
generator (100 times faster). A `World` says which values are likely: `SMALL` has few, so that rules collide and
overlap all the time; `WIDE` has the corners of every domain and, in between, any value at all.

Strategies: `interval_sets`, `boxes`, `points`, `packets`, `open_packets`, `rules`, `policies`, `policies_and_points`.
Mass comparison: `random_policy`, `random_points`. Exact: `completions` and `atoms` of a policy.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol, TypeVar

from hypothesis import strategies as st

from fwengine.model import address
from fwengine.model.address import V6_BASE
from fwengine.model.box import SHAPES, Box
from fwengine.model.fields import (
    ABSENT,
    CODE,
    DETAILS,
    DPORT,
    DST,
    FIELDS,
    FIVE,
    FLAGS,
    FRAGMENT,
    FULL,
    IN,
    INTERFACES,
    LATER,
    LENGTH,
    OPTIONAL,
    OUT,
    PRESENT,
    PROTOCOL,
    REST,
    SPORT,
    SRC,
    STATE,
    TABLE,
    TOPS,
    TYPE,
    Point,
    exists,
    interface_name,
    interface_number,
)
from fwengine.model.interval import IntervalSet
from fwengine.model.packet import Packet
from fwengine.model.rules import ALLOW, DENY, Action, Rule
from fwengine.policy import Policy

T = TypeVar("T")
TODAY = datetime.date(2026, 11, 21)  # the day all generated policies are asked on
_NAMES = tuple(interface_number(name) for name in ("", "a", "b", "c", "wan0", "wan1"))


class Source(Protocol):
    """Where choices come from. The first option and the lowest number are the simplest."""

    def choice(self, options: Sequence[T]) -> T: ...
    def integer(self, lo: int, hi: int) -> int: ...


class Seeded:
    """Choices of a seeded generator: fast, repeatable."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def choice(self, options: Sequence[T]) -> T:
        return options[int(self.random.random() * len(options))]

    def integer(self, lo: int, hi: int) -> int:
        return self.random.randint(lo, hi)


class Drawn:
    """Choices of Hypothesis: examples shrink."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def choice(self, options: Sequence[T]) -> T:
        return self.draw(st.sampled_from(options))

    def integer(self, lo: int, hi: int) -> int:
        return self.draw(st.integers(lo, hi))


@dataclass(frozen=True)
class World:
    """For each field the values that are likely; with `wild`, any other value of the domain may turn up as well."""

    name: str
    values: tuple[tuple[int, ...], ...]
    wild: bool


def _world(name: str, wild: bool, **values: Iterable[int]) -> World:
    by_field = dict(zip((SRC, PROTOCOL, SPORT, TYPE, CODE, FLAGS), values.values(), strict=True))
    by_field |= {
        DST: by_field[SRC],
        DPORT: by_field[SPORT],
        FRAGMENT: range(3),
        IN: _NAMES,
        OUT: _NAMES,
        STATE: range(5),
    }
    for f in DETAILS:
        top = PRESENT[f].hi
        few = (84, 85, 100) if f == LENGTH else range(3)  # such as any packet can have
        by_field[f] = (0, 1, top // 2, top - 1, top) if wild else few
    return World(name, tuple(tuple(by_field[f]) for f in range(FIELDS)), wild)


SMALL = _world(
    "small",
    wild=False,
    addresses=(*range(6), *range(V6_BASE, V6_BASE + 6)),
    protocols=(6, 17, 1, 58, 47, 132),
    ports=range(5),
    types=range(3),
    codes=range(2),
    flags=(0, 2, 16, 18, 4),
)
WIDE = _world(
    "wide",
    wild=True,
    addresses=(
        0, 1, 10 << 24, (10 << 24) + 255, (10 << 24) + (1 << 17), V6_BASE - 1, V6_BASE, V6_BASE + 1,
        V6_BASE + (0xFFFF << 32) + (10 << 24), V6_BASE + (0x20010DB8 << 96), V6_BASE + (0x20010DB8 << 96) + (1 << 81),
        address.TOP - 1, address.TOP,
    ),
    protocols=(6, 17, 1, 58, 33, 132, 136, 0, 2, 47, 255),
    ports=(0, 1, 80, 1023, 1024, 49151, 49152, 65534, 65535),
    types=(0, 3, 8, 128, 255),
    codes=(0, 1, 4, 255),
    flags=(0, 1, 2, 4, 16, 18, 20, 128, 255),
)  # fmt: skip
WORLDS = (SMALL, WIDE)


def make_value(source: Source, world: World, field: int) -> int:
    """A value of a field's domain, not the absent one except for an interface."""
    if world.wild and field not in (IN, OUT) and source.choice((False, False, True)):
        top = PRESENT[field].hi
        if field in (SRC, DST):  # of all magnitudes, in both families
            base, bits = source.choice(((0, 32), (V6_BASE, 128)))
            return base + (source.integer(0, (1 << bits) - 1) >> source.choice((0, 1, 7, bits // 2)))
        return source.integer(0, top)
    return source.choice(world.values[field])


def make_intervals(source: Source, world: World, field: int, *, absent: bool = False) -> IntervalSet:
    """A nonempty set of a field's values: up to three intervals, or all but those; with `absent` also "has none"."""
    pairs = []
    for _ in range(source.choice((1, 1, 2, 3))):
        a, b = make_value(source, world, field), make_value(source, world, field)
        pairs.append((a, a) if source.choice((True, False)) else (min(a, b), max(a, b)))
    chosen = IntervalSet.union(pairs)
    if source.choice((False, False, False, True)):
        chosen = PRESENT[field] - chosen or chosen
    if not absent:
        return chosen & PRESENT[field] or PRESENT[field]
    if field in ABSENT and source.choice((False, True)):
        chosen |= IntervalSet.single(ABSENT[field])
    return chosen


def make_box(source: Source, world: World, *, absent: bool = False) -> Box:
    """A box with up to six conditions. Most hold packets; without `absent`, all could be written in the language."""
    sets = list(FULL)
    shape = source.choice(SHAPES)
    usual = [f for f in dict.fromkeys((*FIVE, *OPTIONAL)) if shape[f].size > 1 or f == PROTOCOL]
    rare = [f for f in REST if f not in OPTIONAL]
    if not source.choice((True, True, True, True, True, True, True, True, False)):
        usual = list(range(FIELDS))  # whatever comes: the box may well be empty
    for _ in range(source.integer(0, 5)):
        field = source.choice(usual)
        sets[field] = make_intervals(source, world, field, absent=absent)
    if source.choice((False, False, True)):
        field = source.choice(rare)
        sets[field] = make_intervals(source, world, field, absent=absent)
    if any(sets[f] != FULL[f] for f in OPTIONAL) and source.choice((True, True, True, False)):
        sets[PROTOCOL] = sets[PROTOCOL] & shape[PROTOCOL] or shape[PROTOCOL]
    return Box(tuple(sets))


def make_rule(source: Source, world: World, *, absent: bool = False) -> Rule:
    """A rule of one to three boxes, now and then one that has expired or expires today."""
    boxes = tuple(make_box(source, world, absent=absent) for _ in range(source.choice((1, 1, 1, 2, 3))))
    days = source.choice((None, None, None, None, -1, 0, 1))
    until = None if days is None else TODAY + datetime.timedelta(days)
    return Rule(source.choice((ALLOW, DENY)), boxes, until=until)


def make_policy(source: Source, world: World, most: int = 8, *, absent: bool = False) -> Policy:
    """A policy of up to `most` rules."""
    rules = tuple(make_rule(source, world, absent=absent) for _ in range(source.integer(0, most)))
    return Policy(rules, source.choice((DENY, ALLOW)), TODAY)


def settle(values: Sequence[int]) -> Point:
    """The packet nearest to any values of the fields: one family, ports only where there are ports, and so on."""
    out = [min(max(value, 0), top) for value, top in zip(values, TOPS, strict=True)]
    family = address.family_of(out[SRC])
    if address.family_of(out[DST]) != family:
        out[DST] = address.to_point(family, address.to_value(out[DST]) & ((1 << address.bits_of(out[SRC])) - 1))
    if not exists(out[PROTOCOL], family, out[FRAGMENT]):
        out[FRAGMENT] = LATER
    protocol, fragment = out[PROTOCOL], out[FRAGMENT]
    for fields, present in (  # said anew, for what the table says
        ((SPORT, DPORT), protocol in (6, 17, 33, 132, 136) and fragment != 2),
        ((TYPE, CODE), protocol == (1 if family == 4 else 58) and fragment != 2),
        ((FLAGS,), protocol == 6 and fragment != 2),
    ):
        for f in fields:
            out[f] = min(out[f], PRESENT[f].hi) if present else ABSENT[f]
    for f in (IN, OUT):
        try:
            interface_name(out[f])
        except UnicodeDecodeError:
            out[f] = ABSENT[f]
    return tuple(out)


def make_point(source: Source, world: World) -> Point:
    """A packet, of each shape as often."""
    shape = source.choice(SHAPES)
    values = []
    for f in range(FIELDS):
        value = make_value(source, world, f)
        values.append(value if value in shape[f] else _nearby(shape[f], value))
    return settle(values)


def make_point_near(source: Source, world: World, policy: Policy) -> Point:
    """A packet at the corners, or one step beside, of boxes of the policy."""
    boxes = [box for rule in policy.rules for box in rule.boxes if all(box.sets)]
    if not boxes:
        return make_point(source, world)
    here = source.choice(boxes).sets
    other = source.choice(boxes).sets
    base = make_point(source, world)
    values = []
    for f in range(FIELDS):
        chosen = source.choice((here, here, here, here, here, other, None))
        if chosen is None or chosen[f] == FULL[f]:
            values.append(base[f])
        else:
            lo, hi = source.choice(chosen[f].ranges)
            values.append(source.choice((lo, lo, hi, hi, lo - 1, hi + 1, (lo + hi) // 2)))
    return settle(values)


def _nearby(chosen: IntervalSet, value: int) -> int:
    """Some member, spread by the value."""
    lo, hi = chosen.ranges[value % len(chosen.ranges)]
    return lo + value % (hi - lo + 1)


# Mass comparison: plain functions of a seed.


def random_policy(seed: int, world: World, most: int = 8, *, absent: bool = False) -> Policy:
    return make_policy(Seeded(seed), world, most, absent=absent)


def random_points(seed: int, world: World, policy: Policy, count: int) -> Iterator[Point]:
    """Packets of which three quarters lie at corners of the policy's boxes."""
    source = Seeded(seed)
    for i in range(count):
        yield make_point_near(source, world, policy) if i % 4 else make_point(source, world)


# Exact: one value for each part of a domain that a policy's boxes tell apart.


def atoms(boxes: Iterable[Box], field: int, within: IntervalSet) -> list[int]:
    """One value for each part of `within` that no box splits any further."""
    cuts = {lo for lo, _ in within}
    for box in boxes:
        cuts.update(end for lo, hi in box.sets[field] for end in (lo, hi + 1))
    return sorted(cut for cut in cuts if cut in within)


def completions(policy: Policy, box: Box, limit: int = 20_000) -> list[Point]:
    """Packets of a box, one at least of each kind that the policy's rules can tell apart.

    Raises:
        OverflowError: if there are more than `limit`.
    """
    boxes = [b for rule in policy.rules for b in rule.boxes]
    out: list[Point] = []
    for piece in box.pieces:
        axes = [atoms(boxes, f, piece.sets[f]) for f in range(FIELDS)]
        count = 1
        for axis in axes:
            count *= len(axis)
        if len(out) + count > limit:
            raise OverflowError(f"more than {limit} completions")
        out += product(*axes)
    return out


# Hypothesis.

worlds = st.sampled_from(WORLDS)


@st.composite
def interval_sets(draw: st.DrawFn, top: int = 40) -> IntervalSet:
    """Any set of numbers up to `top`, the empty one too."""
    ends = st.tuples(st.integers(0, top), st.integers(0, top)).map(lambda p: (min(p), max(p)))
    return IntervalSet.union(draw(st.lists(ends, max_size=6)))


@st.composite
def boxes(draw: st.DrawFn, world: World | None = None, *, absent: bool = True) -> Box:
    return make_box(Drawn(draw), world or draw(worlds), absent=absent)


@st.composite
def points(draw: st.DrawFn, world: World | None = None) -> Point:
    return make_point(Drawn(draw), world or draw(worlds))


def packets(world: World | None = None) -> st.SearchStrategy[Packet]:
    """Packets with every field stated."""
    return points(world).map(Packet.from_point)


@st.composite
def open_packets(draw: st.DrawFn, world: World | None = None, near: Policy | None = None) -> Packet:
    """Packets of which up to four of the fields that may stay open do."""
    source, chosen = Drawn(draw), world or draw(worlds)
    point = make_point(source, chosen) if near is None else make_point_near(source, chosen, near)
    names = [TABLE[f].attribute for f in (*OPTIONAL, *INTERFACES, *DETAILS)]
    left = draw(st.lists(st.sampled_from(names), max_size=4, unique=True))
    return Packet.from_point(point).replace(**dict.fromkeys(left))


@st.composite
def rules(draw: st.DrawFn, world: World | None = None, *, absent: bool = False) -> Rule:
    return make_rule(Drawn(draw), world or draw(worlds), absent=absent)


@st.composite
def policies(draw: st.DrawFn, world: World | None = None, most: int = 8, *, absent: bool = False) -> Policy:
    return make_policy(Drawn(draw), world or draw(worlds), most, absent=absent)


@st.composite
def policies_and_points(
    draw: st.DrawFn, world: World | None = None, most: int = 8, count: int = 12, *, absent: bool = False
) -> tuple[Policy, list[Point]]:
    """A policy with packets at the corners of its boxes."""
    source, chosen = Drawn(draw), world or draw(worlds)
    policy = make_policy(source, chosen, most, absent=absent)
    return policy, [make_point_near(source, chosen, policy) for _ in range(draw(st.integers(1, count)))]


def actions() -> st.SearchStrategy[Action]:
    return st.sampled_from((ALLOW, DENY))
