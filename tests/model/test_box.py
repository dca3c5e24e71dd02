"""Boxes against brute force: which points are packets, and every operation relative to those."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.generators import SMALL, Seeded, boxes, make_box, make_point, open_packets, points, settle, worlds

from fwengine.errors import PacketError
from fwengine.model.box import SHAPES, Box, Sets, merge
from fwengine.model.fields import (
    ABSENT,
    CODE,
    DPORT,
    DSCP,
    DST,
    FIELDS,
    FLAGS,
    FRAGMENT,
    FULL,
    IN,
    LENGTH,
    PRESENT,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    TTL,
    TYPE,
    Point,
)
from fwengine.model.interval import EMPTY, IntervalSet
from fwengine.model.packet import Packet

single = IntervalSet.single

# Points that are packets and points that are not: every mixture of present and absent values, families and protocols.
V6 = 1 << 32
GRID = list(
    product(
        (0, 1, 6, 17, 47, 58, 132, 255),
        (7, V6 + 7),
        (9, V6 + 9),
        (0, 65535, ABSENT[SPORT]),
        (5, ABSENT[DPORT]),
        (0, ABSENT[TYPE]),
        (3, ABSENT[CODE]),
        (2, ABSENT[FLAGS]),
        (0, 1, 2),
        (0,),
        (ord("a"),),
        (0, 4),
        (0,),
        (64,),
        (40,),
    )
)


def is_packet(point: Point) -> bool:
    try:
        Packet.from_point(point)
    except PacketError:
        return False
    return True


def inside(point: Point, sets: Sets) -> bool:
    return all(value in chosen for value, chosen in zip(point, sets, strict=True))


# The shapes


def test_the_shapes_are_exactly_the_packets_and_disjoint() -> None:
    """On a grid of 18,432 points: in one shape if `Packet` takes it, in none if not."""
    seen = set()
    for point in GRID:
        homes = [i for i, shape in enumerate(SHAPES) if inside(point, shape)]
        assert len(homes) == is_packet(point), point
        seen.update(homes)
    assert seen == set(range(len(SHAPES)))


def test_no_two_shapes_have_a_point_in_common() -> None:
    for i, a in enumerate(SHAPES):
        for b in SHAPES[:i]:
            assert any(x.isdisjoint(y) for x, y in zip(a, b, strict=True))


@given(points())
def test_every_packet_is_in_one_shape(point: Point) -> None:
    assert sum(inside(point, shape) for shape in SHAPES) == 1


@given(st.sampled_from(SHAPES), st.data())
def test_every_point_of_a_shape_is_a_packet(shape: Sets, data: st.DataObject) -> None:
    values = []
    for f, chosen in enumerate(shape):
        if f in (IN, IN + 1):
            values.append(data.draw(st.sampled_from([0, ord("a"), 0x77616E30])))  # numbers that are names
        else:
            lo, hi = data.draw(st.sampled_from(chosen.ranges))
            values.append(data.draw(st.integers(lo, hi)))
    assert Packet.from_point(tuple(values)).point == tuple(values)


# Membership, emptiness, size


@given(boxes(), points())
def test_membership(box: Box, point: Point) -> None:
    assert (point in box) == inside(point, box.sets) == (Packet.from_point(point) in box)


def test_membership_of_an_open_packet_is_a_question_unless_the_box_asks_for_what_is_open() -> None:
    packet = Packet.of("tcp", "1.2.3.4", "1.2.3.5", dport=80)
    assert packet in Box.of({})
    assert packet in Box.of({DPORT: single(80)})
    assert packet not in Box.of({DPORT: single(81)})
    for f in (SPORT, FLAGS, IN, DSCP, TTL, LENGTH):
        with pytest.raises(ValueError, match="leaves a field open that the box asks for"):
            _ = packet in Box.of({f: single(5)})


@given(boxes(), open_packets())
def test_an_open_packet_in_a_box_is_all_that_it_may_be(box: Box, packet: Packet) -> None:
    try:
        inside = packet in box
    except ValueError:
        assert any(packet.values[f] is None for f in box.fields)
    else:
        assert inside == (all(a.issubset(b) for a, b in zip(packet.sets, box.sets, strict=True)))
        assert inside == all(not a.isdisjoint(b) for a, b in zip(packet.sets, box.sets, strict=True))


@given(boxes(absent=True))
def test_the_pieces_are_disjoint_parts_of_the_box_and_hold_all_its_packets(box: Box) -> None:
    for i, piece in enumerate(box.pieces):
        assert all(piece.sets)
        assert all(a.issubset(b) for a, b in zip(piece.sets, box.sets, strict=True))
        assert sum(all(a.issubset(b) for a, b in zip(piece.sets, shape, strict=True)) for shape in SHAPES) == 1
        assert not any(piece & other for other in box.pieces[:i])
    assert bool(box) == bool(box.pieces)


def test_emptiness_by_brute_force() -> None:
    """Boxes whose sets are hit by the grid: empty if and only if no packet of the grid is inside."""
    values = [sorted({point[f] for point in GRID}) for f in range(FIELDS)]
    packets = [point for point in GRID if is_packet(point)]
    source = Seeded(11)
    empty = 0
    for _ in range(1500):
        sets = [FULL[f] for f in range(FIELDS)]
        for _ in range(source.integer(1, 6)):
            f = source.integer(0, FIELDS - 1)
            sets[f] = IntervalSet.union((v, v) for v in values[f] if source.choice((True, False)))
        box = Box(tuple(sets))
        assert bool(box) == any(point in box for point in packets)
        empty += not box
    assert 300 < empty < 1200


def test_what_is_counted_are_flows() -> None:
    single_host = {SRC: single(1), DST: single(2)}
    tcp = Box.of({**single_host, PROTOCOL: single(6)})
    assert tcp.flows == 65536 * 65536  # neither flags, fragments, interfaces nor states multiply
    assert tcp.replace(FRAGMENT, single(0)).replace(STATE, single(1)).flows == tcp.flows
    assert tcp.replace(FRAGMENT, single(2)).flows == 1
    assert tcp.replace(DPORT, IntervalSet.of((22, 23))).flows == 2 * 65536
    assert Box.of({**single_host, PROTOCOL: single(1)}).flows == 65536
    assert Box.of({**single_host, PROTOCOL: single(58)}).flows == 1  # icmpv6 over IPv4 is but a number
    assert Box.of({**single_host, PROTOCOL: single(47)}).flows == 1
    assert Box.of({**single_host, DPORT: single(80)}).flows == 5 * 65536
    assert Box.of({SRC: single(1), DST: single(V6)}).flows == 0
    assert Box.of({SRC: IntervalSet.of((1, 1), (V6, V6)), DST: FULL[DST], PROTOCOL: single(47)}).flows == (1 << 32) + (
        1 << 128
    )


@given(boxes(SMALL))
def test_flows_by_counting(box: Box) -> None:
    """The packets of a small box, flags, interfaces, states and whole or first aside."""
    small = (
        Box(tuple(IntervalSet.union((v, v) for v in (*SMALL.values[f], ABSENT.get(f, 0))) for f in range(FIELDS))) & box
    )
    whole = [p for p in small.pieces if p.sets[FRAGMENT] != single(2)] or small.pieces
    counted: set[Point] = set()
    for piece in whole:
        axes = [
            [v for lo, hi in piece.sets[f] for v in range(lo, hi + 1)]
            if f in (PROTOCOL, SRC, DST, SPORT, DPORT, TYPE, CODE)
            else [0]
            for f in range(FIELDS)
        ]
        if prod(map(len, axes)) > 50_000:
            return
        counted.update(product(*axes))
    assert small.flows == len(counted)


# Algebra


def test_algebra_by_brute_force() -> None:
    """Intersection, difference, inclusion and the plain form, on every packet of a grid and on packets beside."""
    source = Seeded(5)
    packets = [point for point in GRID if is_packet(point)]
    for _ in range(250):
        a, b = make_box(source, SMALL, absent=True), make_box(source, SMALL, absent=True)
        sample = packets[:: source.integer(7, 23)] + [make_point(source, SMALL) for _ in range(40)]
        plain, rest, both = a.plain(), a - b, a & b
        for point in sample:
            x, y = inside(point, a.sets), inside(point, b.sets)
            assert (point in both) == (x and y)
            assert sum(point in part for part in rest) == (x and not y)
            assert (point in plain) == x
            assert sum(point in piece for piece in a.pieces) == x
            assert not (a.issubset(b) and x and not y)


@given(worlds, st.data())
def test_difference_and_inclusion(world: object, data: st.DataObject) -> None:
    a, b = (data.draw(boxes(world, absent=True)) for _ in range(2))  # type: ignore[arg-type]  # a World
    rest = a - b
    assert len(rest) <= FIELDS
    assert not any(part & b for part in rest)
    assert not any(x & y for i, x in enumerate(rest) for y in rest[:i])
    assert all(part.issubset(a) for part in rest)
    # together with the common part it is all of a: nothing is left when both are taken away
    left = [a]
    for part in [*rest, a & b]:
        left = [piece for box in left for piece in box - part]
    assert not any(left)
    assert a.issubset(b) == (not any(rest))
    assert (a & b).issubset(a)
    assert (a & b).issubset(b)
    assert (a & b) == (b & a)


def test_inclusion_is_of_packets_not_of_points() -> None:
    no_ports = Box.of({PROTOCOL: single(47), SPORT: PRESENT[SPORT]})
    assert not no_ports
    assert no_ports.issubset(Box.of({SRC: EMPTY}))
    assert Box.of({DPORT: single(80), FRAGMENT: single(0)}).issubset(Box.of({PROTOCOL: IntervalSet.of((6, 136))}))
    assert Box.of({FLAGS: single(2)}).issubset(Box.of({PROTOCOL: single(6)}))
    assert not Box.of({PROTOCOL: single(6)}).issubset(Box.of({FLAGS: PRESENT[FLAGS]}))  # later fragments


# The plain form


@given(boxes(absent=True))
def test_plain_has_the_same_packets_and_is_stable(box: Box) -> None:
    plain = box.plain()
    assert plain.issubset(box)
    assert box.issubset(plain)
    assert plain.plain() == plain
    assert plain.flows == box.flows


@given(boxes(SMALL, absent=True), boxes(SMALL, absent=True))
def test_plain_is_one_form_for_each_set_of_packets(a: Box, b: Box) -> None:
    for x, y in ((a, b), (a, a & b), (Box.of({}) & a, a), (Box((*a.plain().sets[:SPORT], *a.sets[SPORT:])), a)):
        if x and y:
            assert (x.plain() == y.plain()) == (x.issubset(y) and y.issubset(x))


def test_plain_drops_conditions_that_say_nothing() -> None:
    tcp_whole = Box.of({PROTOCOL: single(6), FRAGMENT: IntervalSet(((0, 1),))})
    ports_said = tcp_whole.replace(DPORT, PRESENT[DPORT]).replace(TYPE, single(ABSENT[TYPE]))
    assert ports_said.plain() == tcp_whole.plain()
    assert Box.of({PROTOCOL: single(6), DPORT: single(80)}).plain().sets[FRAGMENT] == FULL[FRAGMENT]
    assert Box.of({DPORT: single(80)}).plain().sets[PROTOCOL].size == 5  # whose port it is stays said
    nothing = Box.of({PROTOCOL: single(47), DPORT: single(80)})
    assert nothing.plain() is nothing


# Merging


@given(st.lists(boxes(SMALL, absent=True), max_size=4), st.data())
def test_merge_keeps_the_points_and_disjointness(given_boxes: list[Box], data: st.DataObject) -> None:
    disjoint: list[Box] = []
    for box in given_boxes:
        parts = [box]
        for known in disjoint:
            parts = [p for part in parts for p in part - known if all(p.sets)]
        disjoint += parts
    merged = merge(disjoint)
    assert len(merged) <= len(disjoint)
    assert not any(
        all(not x.isdisjoint(y) for x, y in zip(a.sets, b.sets, strict=True))
        for i, a in enumerate(merged)
        for b in merged[:i]
    )
    for before, after in ((disjoint, merged), (merged, disjoint)):  # each covers the other
        for box in before:
            left = [box]
            for other in after:
                left = [piece for part in left for piece in part - other]
            assert not any(all(piece.sets) for piece in left)
    # no two of them differ in one field only
    for i, a in enumerate(merged):
        for b in merged[:i]:
            assert sum(x != y for x, y in zip(a.sets, b.sets, strict=True)) > 1
    assert set(merge(merged)) == set(merged)


def test_merge_joins_until_nothing_more_joins() -> None:
    base = {PROTOCOL: single(6)}
    quarters = [Box.of({**base, SPORT: single(s), DPORT: single(d)}) for s in (1, 2) for d in (7, 9)]
    assert merge(quarters) == [Box.of({**base, SPORT: IntervalSet.of((1, 2)), DPORT: IntervalSet.of((7, 7), (9, 9))})]
    assert merge([]) == []
    alone = Box.of(base)
    assert merge([alone]) == [alone]


# Values


@given(boxes())
def test_boxes_are_values(box: Box) -> None:
    bool(box)  # what is computed late takes no part in equality
    twin = pickle.loads(pickle.dumps(box))
    assert twin == box == Box(box.sets)
    assert hash(twin) == hash(box)
    with pytest.raises(FrozenInstanceError):
        box.sets = ()  # type: ignore[misc]  # that is the point


@given(open_packets())
def test_the_box_around_a_packet(packet: Packet) -> None:
    box = Box.around(packet)
    assert box.pieces == (box,)
    if packet.point is not None:
        assert packet in box
        assert box.sets == tuple(single(value) for value in packet.point)


def test_of_and_replace() -> None:
    assert Box.of({}) == Box(FULL)
    box = Box.of({SRC: single(3), STATE: single(0)})
    assert box.replace(SRC, single(4)) == Box.of({SRC: single(4), STATE: single(0)})
    assert box.sets[SRC] == single(3)
    assert box.replace(STATE, FULL[STATE]).replace(SRC, FULL[SRC]) == Box.of({})


def test_settle_makes_packets() -> None:
    """The generator's own promise, on which the tests of the engine rest."""
    for point in GRID[::13]:
        assert is_packet(settle(point))
        assert (settle(point) == point) == is_packet(point)
