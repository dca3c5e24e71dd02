"""The parts the analyses are made of: the witness, the search, the vectors, regions; each by its own promise."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.generators import SMALL, WIDE, World, boxes, points
from support.points import point_of

from fwengine.analysis.region import EVERYTHING, complement, difference, disjoint, plain, tidy
from fwengine.analysis.search import uncovered
from fwengine.analysis.witness import witness
from fwengine.errors import LimitError
from fwengine.limits import Limits
from fwengine.model import address
from fwengine.model.box import Box
from fwengine.model.fields import (
    DPORT,
    DST,
    FLAGS,
    FRAGMENT,
    FULL,
    ICMP,
    ICMPV6,
    IN,
    PORTS,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    TCP,
    TYPE,
    UDP,
    Point,
    interface_number,
)
from fwengine.model.interval import IntervalSet
from fwengine.model.overlap import Overlaps, bits
from fwengine.model.packet import Packet

single = IntervalSet.single
worlds = st.sampled_from((SMALL, WIDE))


def net(text: str) -> IntervalSet:
    base, _, length = text.partition("/")
    point = address.parse(base)
    return IntervalSet((address.prefix(point, int(length or address.bits_of(point))),))


@given(boxes())
def test_a_witness_is_a_packet_of_the_box(box: Box) -> None:
    if box:
        packet = witness(box)
        assert packet in box
        assert Packet.from_point(point_of(packet), box.fields) == packet
        assert any(packet in piece for piece in box.pieces)
    else:
        with pytest.raises(ValueError, match="no packet"):
            witness(box)


@given(st.lists(boxes(), max_size=4))
def test_a_witness_of_a_union(some: list[Box]) -> None:
    if any(some):
        packet = witness(some)
        assert any(packet in box for box in some)


@given(points())
def test_the_witness_of_a_point_is_that_point(point: Point) -> None:
    assert witness(Box(tuple(map(single, point)))).point == point


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ({}, "tcp 198.51.100.7:49152 -> 192.0.2.80:80 flags syn"),
        ({PROTOCOL: single(TCP), DPORT: single(22)}, "tcp 198.51.100.7:49152 -> 192.0.2.80:22 flags syn"),
        ({PROTOCOL: single(UDP), SPORT: single(53)}, "udp 198.51.100.7:53 -> 192.0.2.80:49152"),
        ({PROTOCOL: single(ICMP)}, "icmp 198.51.100.7 -> 192.0.2.80 type 8 code 0"),
        ({PROTOCOL: single(ICMPV6), TYPE: single(128)}, "icmpv6 2001:db8:9::17 -> 2001:db8::80 type 128 code 0"),
        ({PROTOCOL: IntervalSet.of((18, 255)), SRC: net("10.0.0.0/8")}, "gre 10.20.9.17 -> 192.0.2.80"),
        ({SRC: net("10.20.9.0/24"), DST: net("10.20.9.0/24")}, "tcp 10.20.9.17:49152 -> 10.20.9.80:80 flags syn"),
        ({DST: net("192.0.2.80/30")}, "tcp 198.51.100.7:49152 -> 192.0.2.80:80 flags syn"),
        ({DST: net("192.0.2.0/30")}, "tcp 198.51.100.7:49152 -> 192.0.2.1:80 flags syn"),
        ({SRC: net("2001:db8:20::/48")}, "tcp [2001:db8:20::17]:49152 -> [2001:db8::80]:80 flags syn"),
        ({PROTOCOL: single(TCP), FLAGS: single(16)}, "tcp 198.51.100.7:49152 -> 192.0.2.80:80 flags ack"),
        ({DPORT: IntervalSet.of((0, 9)), PROTOCOL: single(UDP)}, "udp 198.51.100.7:49152 -> 192.0.2.80:1"),
        ({FRAGMENT: single(2)}, "tcp 198.51.100.7 -> 192.0.2.80 fragment later"),
        ({STATE: IntervalSet.of((1, 4)), PROTOCOL: single(UDP)},
         "udp 198.51.100.7:49152 -> 192.0.2.80:80 state established"),
        ({SRC: single(7), DST: single(7), PROTOCOL: single(47)}, "gre 0.0.0.7 -> 0.0.0.7"),
        ({SRC: single(7), DST: IntervalSet.of((7, 8)), PROTOCOL: single(47)}, "gre 0.0.0.7 -> 0.0.0.8"),
    ],
)  # fmt: skip
def test_witnesses_look_like_traffic(conditions: dict[int, IntervalSet], text: str) -> None:
    assert str(witness(Box.of(conditions))) == text


def test_interfaces_are_those_mentioned_or_plain_names() -> None:
    asked = Box.of({IN: FULL[IN] - single(0)})
    assert witness(asked, ["dmz1"]).in_interface == "dmz1"
    assert witness(asked).in_interface == "lan0"
    assert witness(EVERYTHING, ["dmz1"]).in_interface == ""
    names = [single(interface_number(f"{kind}{n}")) for kind in ("lan", "wan", "eth") for n in range(10)]
    for name in names:
        asked = asked.replace(IN, asked.sets[IN] - name)
    packet = witness(asked, ["wan0"])
    assert packet in asked
    assert packet.in_interface not in ("", "wan0")


def test_a_number_that_is_no_name_has_no_witness() -> None:
    with pytest.raises(ValueError, match="UTF-8"):
        witness(Box.of({IN: single(0x80)}))


@given(boxes())
def test_plain_boxes_hold_the_same_packets(box: Box) -> None:
    simple = plain(box)
    assert simple.issubset(box)
    assert box.issubset(simple)
    assert plain(simple) == simple
    for f in (SPORT, DPORT, TYPE, FLAGS, FRAGMENT, SRC, DST):
        if box and simple.sets[f] != FULL[f]:
            assert not simple.replace(f, FULL[f]).issubset(simple)


@given(st.lists(boxes(SMALL), max_size=5), st.lists(points(SMALL), max_size=20))
def test_disjoint_complement_and_tidy_hold_what_they_should(some: list[Box], sample: list[Point]) -> None:
    apart, rest = [Box(sets) for sets in disjoint(some)], complement(some)
    neat, neat_rest = tidy(apart), tidy(rest)
    assert len(neat) <= len(apart)
    for point in [*sample, *(point_of(witness(box)) for box in (*apart, *rest))]:
        inside = any(point in box for box in some)
        for boxes_of, times in ((apart, inside), (neat, inside), (rest, not inside), (neat_rest, not inside)):
            assert sum(point in box for box in boxes_of) == times
    for kept in (apart, rest, neat, neat_rest):
        assert all(not (a & b) for n, a in enumerate(kept) for b in kept[:n])


def test_tidy_joins_all_that_there_is() -> None:
    assert tidy(EVERYTHING.pieces) == [EVERYTHING]
    web = Box.of({PROTOCOL: single(6), DPORT: single(80)})
    assert tidy([*complement([web]), *web.pieces]) == [EVERYTHING]
    tcp = Box.of({PROTOCOL: single(6)})
    assert tidy(tcp.pieces) == [tcp]


@pytest.mark.parametrize("world", [SMALL, WIDE], ids=lambda w: w.name)
@given(st.data())
def test_a_hole_is_found_exactly_if_there_is_one(world: World, data: st.DataObject) -> None:
    box = data.draw(boxes(world))
    covers = data.draw(st.lists(boxes(world), max_size=5))
    for piece in box.pieces:
        sets = [c.sets for c in covers if all(c.sets)]
        found = uncovered(piece.sets, sets)
        left = list(difference(piece.sets, sets))
        assert (found is None) == (not left)
        if found is not None:
            hole = Box(found)
            assert hole
            assert hole.issubset(piece)
            assert not any(hole & cover for cover in covers)


def test_the_search_gives_up_by_name() -> None:
    stripes = [Box.of({SRC: single(n), DST: single(n + 1)}).sets for n in range(50)]
    (piece,) = Box.of({PROTOCOL: single(6), SRC: address.V4, DPORT: PORTS, FRAGMENT: single(0)}).pieces
    assert uncovered(piece.sets, stripes) is not None
    with pytest.raises(LimitError, match="10 steps of one search"), Limits(steps=10).applied():
        uncovered(piece.sets, stripes)


def test_the_difference_gives_up_by_name() -> None:
    checks = [Box.of({SRC: single(2 * n), DST: single(3 * n)}).sets for n in range(50)]
    with pytest.raises(LimitError, match="5 regions of an answer"), Limits(regions=5).applied():
        list(difference(EVERYTHING.pieces[0].sets, checks))


@pytest.mark.parametrize("count", [0, 1, 7, 64, 65, 1000])
def test_vectors_against_a_loop(count: int) -> None:
    rnd = random.Random(count)

    def interval() -> IntervalSet:
        a, b = rnd.randrange(300), rnd.randrange(300)
        return IntervalSet.of((min(a, b), max(a, b)))

    entries = [Box.of({f: interval() for f in (SRC, DPORT) if rnd.random() < 0.8}).sets for _ in range(count)]
    index = Overlaps(entries)
    for _ in range(100):
        asked = Box.of({SRC: interval(), DPORT: interval()}).sets
        among = rnd.getrandbits(count) if count else 0
        some = [n for n in range(count) if among >> n & 1]
        overlapping = [n for n in some if not any(a.isdisjoint(b) for a, b in zip(asked, entries[n], strict=True))]
        containing = [n for n in some if all(a.issubset(b) for a, b in zip(asked, entries[n], strict=True))]
        assert list(bits(index.overlapping(asked, among))) == overlapping
        assert list(bits(index.containing(asked, among))) == containing
        point = tuple(chosen.lo for chosen in asked)
        around = [n for n in some if all(v in s for v, s in zip(point, entries[n], strict=True))]
        assert list(bits(index.around(point, among))) == around


def test_vectors_over_sets_with_gaps_take_their_hulls() -> None:
    index = Overlaps([Box.of({DPORT: IntervalSet.of((1, 2), (8, 9))}).sets])
    asked = Box.of({DPORT: single(5)}).sets
    assert index.overlapping(asked, 1) == index.containing(asked, 1) == 1
