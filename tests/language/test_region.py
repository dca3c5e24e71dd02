"""Regions: what is printed for boxes is read back as exactly the same packets."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fwengine.language.meaning.flags import show_flag_tests
from fwengine.language.meaning.region import readable, show_addresses, show_box, show_interfaces
from fwengine.model import address
from fwengine.model.box import Box, Sets
from fwengine.model.fields import (
    CODE,
    DPORT,
    DSCP,
    DST,
    FIELDS,
    FLAGS,
    FRAGMENT,
    FULL,
    ICMP,
    ICMPV6,
    IN,
    LENGTH,
    OUT,
    PRESENT,
    PROTOCOL,
    SOME_INTERFACE,
    SPORT,
    SRC,
    STATE,
    TCP,
    TOPS,
    TTL,
    TYPE,
    UDP,
    interface_number,
)
from fwengine.model.interval import IntervalSet
from fwengine.policy import region

CORNERS = {
    PROTOCOL: [0, 1, 2, TCP, TCP + 1, UDP, 27, 33, 41, 47, ICMPV6, 132, 136, 253, 255],
    SRC: [0, 1, 0x0A000000, 0x0AFFFFFF, 0x0B000000, 2**32 - 1, 2**32, 2**32 + 1, 2**32 + 2**100, address.TOP],
    SPORT: [0, 1, 22, 79, 80, 1023, 1024, 65534, 65535, 65536],
    TYPE: [0, 3, 8, 128, 255, 256],
    FLAGS: [0, 2, 3, 16, 18, 128, 255, 256],
    FRAGMENT: [0, 1, 2],
    STATE: [0, 1, 2, 3, 4],
    DSCP: [0, 1, 8, 10, 45, 46, 63],
    TTL: [0, 1, 64, 254, 255],
    LENGTH: [0, 1, 40, 1500, 65535, 65536, 65574, 65575],
}
CORNERS |= {DST: CORNERS[SRC], DPORT: CORNERS[SPORT], CODE: CORNERS[TYPE]}
NAMES = ["wan0", "lan0", "none", "any", "in", "established", "eth+", "noen", "a b", 'q"\\', "\u00e9\u202e", "1", "x"]


def interval_sets(field: int) -> st.SearchStrategy[IntervalSet]:
    if field in (IN, OUT):
        return interface_sets
    corners = st.sampled_from(CORNERS[field])
    pairs = st.lists(st.tuples(corners, corners).map(lambda p: (min(p), max(p))), min_size=1, max_size=3)
    return st.one_of(st.just(FULL[field]), pairs.map(IntervalSet.union))


@st.composite
def interfaces(draw: st.DrawFn) -> IntervalSet:
    named = IntervalSet.union((n, n) for n in map(interface_number, draw(st.sets(st.sampled_from(NAMES), max_size=3))))
    chosen = draw(
        st.sampled_from([FULL[IN], named, SOME_INTERFACE - named, named | IntervalSet.single(0), FULL[IN] - named])
    )
    return chosen or FULL[IN]


interface_sets = st.one_of(st.just(FULL[IN]), interfaces())


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    fields = draw(st.sets(st.integers(0, FIELDS - 1), max_size=6))
    return Box(tuple(draw(interval_sets(f)) if f in fields else FULL[f] for f in range(FIELDS)))


def pieces(found: list[Box]) -> list[Sets]:
    return [piece.sets for box in found for piece in box.pieces]


def size(found: list[Box]) -> int:
    """Points, of every field."""
    out = 0
    for sets in pieces(found):
        count = 1
        for chosen in sets:
            count *= chosen.size
        out += count
    return out


def same(left: list[Box], right: list[Box]) -> bool:
    """Do two lists of boxes hold the same packets? The right ones are known to be disjoint."""
    inside = [a & b for a in left for b in right]
    return size(left) == size(inside) == size(right)


@given(boxes())
@settings(max_examples=400)
def test_what_is_shown_is_read_back(box: Box) -> None:
    shown = readable([box])
    for i, a in enumerate(shown):
        assert a
        for b in shown[:i]:
            assert not a & b
    assert same([box], shown)
    back = []
    for part in shown:
        text = show_box(part)
        again = list(region(None, text))
        assert same([part], again), text
        assert all(b.issubset(part) for b in again), text
        back += again
    assert sum(b.flows for b in back) == sum(b.flows for b in shown) or not box


@given(st.lists(boxes(), max_size=3))
@settings(max_examples=100)
def test_disjoint_boxes_stay_disjoint(found: list[Box]) -> None:
    disjoint: list[Box] = []
    for box in found:
        left = [box]
        for other in disjoint:
            left = [rest for part in left for rest in part - other]
        disjoint += [part for part in left if part]
    shown = readable(disjoint)
    assert same(disjoint, shown)
    for i, a in enumerate(shown):
        assert not any(a & b for b in shown[:i])


@given(interval_sets(SRC))
def test_addresses(chosen: IntervalSet) -> None:
    (box,) = region(None, f"any from {show_addresses(chosen)}")
    assert box.sets[SRC] == chosen


@given(st.sets(st.integers(0, 255), min_size=1))
@settings(max_examples=150)
def test_flag_tests(values: set[int]) -> None:
    chosen = IntervalSet.union((v, v) for v in values)
    (box,) = region(None, f"tcp flags {show_flag_tests(chosen)}")
    assert box.sets[FLAGS] == chosen


@given(interfaces())
def test_interfaces(chosen: IntervalSet) -> None:
    if chosen != FULL[IN]:
        (box,) = region(None, f"any in {show_interfaces(chosen)}")
        assert box.sets[IN] == chosen


@pytest.mark.parametrize("field", range(FIELDS))
def test_every_single_value_of_a_field_is_read_back(field: int) -> None:
    protocol = {SPORT: TCP, DPORT: UDP, TYPE: ICMP, CODE: ICMPV6, FLAGS: TCP}.get(field)
    top = min(TOPS[field], 255)
    for value in range(top + 1):
        if value in PRESENT[field]:
            conditions = {field: IntervalSet.single(value)}
            if field in (IN, OUT):
                conditions = {field: IntervalSet.single(interface_number(chr(value)))}
            if protocol is not None:
                conditions[PROTOCOL] = IntervalSet.single(protocol)
            box = Box.of(conditions)
            assert list(region(None, show_box(box))) == [box]


SHOWN = [
    ({PROTOCOL: IntervalSet.single(TCP), DPORT: IntervalSet.of((22, 22), (8000, 8080))}, "tcp from any to any port { 22, 8000-8080 }"),
    ({}, "any"),
    ({PROTOCOL: IntervalSet.single(41)}, "41"),
    ({PROTOCOL: IntervalSet.single(ICMP), SRC: address.V6}, "icmp from ipv6"),
    ({IN: FULL[IN] - IntervalSet.single(interface_number("wan0"))}, "any in { none, not wan0 }"),
    ({IN: IntervalSet.single(interface_number("in"))}, 'any in "in"'),
    ({STATE: IntervalSet.of((0, 1))}, "any state { new, established }"),
    ({PROTOCOL: IntervalSet.single(TCP), FLAGS: IntervalSet.of((2, 2))}, "tcp flags syn/fin,syn,rst,psh,ack,urg,ece,cwr"),
    ({SRC: address.ALL - IntervalSet.of((5, 5), (7, 7), (9, 9))}, "any from not { 0.0.0.5, 0.0.0.7, 0.0.0.9 }"),
]  # fmt: skip


@pytest.mark.parametrize(("conditions", "text"), SHOWN)
def test_regions_read_well(conditions: dict[int, IntervalSet], text: str) -> None:
    assert show_box(Box.of(conditions)) == text
    assert not re.search(r"\s\s", text)


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1/255.0.0.255",
        "10.0.0.0/255.0.255.0",
        "not 10.0.0.1/255.0.0.255",
        "0.0.0.0/0 except 10.0.0.1/255.0.0.255",
        "2001:db8::1/ffff:ffff:ffff:ffff:ffff:0:ffff:ffff",
    ],
)
def test_a_mask_with_holes_is_shown_as_one(text: str) -> None:
    """Not as its 65,536 ranges."""
    (box,) = region(None, f"any from {text}")
    shown = show_box(readable([box])[0])
    assert len(shown) < 100
    (again,) = region(None, shown)
    assert again.issubset(box)
    assert box.issubset(again)


def test_interfaces_that_no_text_can_give_are_shown_all_the_same() -> None:
    """Boxes may be made by hand, over any numbers."""
    assert show_interfaces(IntervalSet.single(0x80)) == "0x80"
    text = show_interfaces(IntervalSet(((1, 1 << 40),)))
    assert text.endswith("more }")
    assert len(text) < 1_000_000
    assert show_interfaces(IntervalSet.single(SOME_INTERFACE.hi)) == f"0x{SOME_INTERFACE.hi:x}"  # not all but the rest


def test_many_interfaces_are_all_shown() -> None:
    names = [f"vlan{n}" for n in range(300)]
    for text in ("{ " + ", ".join(names) + " }", "not { " + ", ".join(names) + " }"):
        (box,) = region(None, f"any in {text}")
        assert region(None, show_box(box)) == (box,)
