"""Addresses as text and as points, against Python's `ipaddress` and against what other programs misread."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fwengine.model import address
from fwengine.model.address import ALL, TOP, V4, V6, V6_BASE
from fwengine.model.interval import IntervalSet

v4 = st.integers(0, V6_BASE - 1)
v6 = st.integers(0, (1 << 128) - 1) | st.builds(  # with runs of zeros, too
    lambda groups: sum(g << 16 * i for i, g in enumerate(groups)),
    st.lists(st.sampled_from((0, 0, 0, 1, 0xFFFF)), min_size=8, max_size=8),
)
line = v4 | v6.map(lambda value: V6_BASE + value)

REFUSED = {  # text -> what the message must say
    "010.0.0.1": "write `10.0.0.1`",
    "10.0.0.01": "write `10.0.0.1`",
    "0377.0.0.1": "no IP address",
    "256.0.0.1": "`256` is above 255",
    "1.2.3": "four parts",
    "10.1": "four parts",
    "16843009": "four parts",
    "1.2.3.": "four parts",
    "1.2.3.4.5": "no IP address",
    "1.2.3.4 ": "no IP address",
    " 1.2.3.4": "no IP address",
    "1.2.3.4\n": "no IP address",
    "1.2.3.-4": "no IP address",
    "1.2.3.+4": "no IP address",
    "1.2.3.0x4": "no IP address",
    "1_0.0.0.1": "no IP address",
    "١.٢.٣.٤": "no IP address",
    "１.2.3.4": "no IP address",
    "": "no IP address",
    "localhost": "no IP address",
    "fe80::1%eth0": "use `in` or `out`",
    "::1%": "use `in` or `out`",
    "::ffff:010.0.0.1": "leading zeros",
    "::ffff:1.2.3": "no IPv6 address",
    "::ffff:1.2.3.256": "above 255",
    "12345::": "at most four digits",
    "::00001": "at most four digits",
    "1:2:3:4:5:6:7": "eight groups",
    "1:2:3:4:5:6:7:8:9": "eight groups",
    "1::2::3": "eight groups",
    ":::": "eight groups",
    ":1:2:3:4:5:6:7": "eight groups",
    "1:2:3:4:5:6:7:": "eight groups",
    "::g": "no IPv6 address",
    "::1 ": "no IPv6 address",
    "[::1]": "no IPv6 address",
    "1:2:3:4:5:6:7:1.2.3.4": "eight groups",
    "1.2.3.4::": "no IPv6 address",
    "::١": "no IPv6 address",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_other_programs_read_differently_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(REFUSED[text])):
        address.parse(text)


@given(v4)
def test_ipv4_both_ways(value: int) -> None:
    text = str(ipaddress.IPv4Address(value))
    assert address.parse(text) == value
    assert address.show(value) == text
    assert (address.family_of(value), address.bits_of(value)) == (4, 32)
    assert (address.to_point(4, value), address.to_value(value)) == (value, value)


@given(v6)
@example(1)
@example(0xFFFF_0102_0304)
@example(0x0102_0304)
def test_ipv6_both_ways(value: int) -> None:
    point = V6_BASE + value
    parsed = ipaddress.IPv6Address(value)
    for text in (str(parsed), parsed.exploded, parsed.exploded.upper(), address.show(point)):
        assert address.parse(text) == point
    assert ipaddress.IPv6Address(address.show(point)) == parsed
    assert (address.family_of(point), address.bits_of(point)) == (6, 128)
    assert (address.to_point(6, value), address.to_value(point)) == (point, value)


@given(st.text("012af.:", max_size=20) | st.from_regex(r"\A[0-9a-f]{0,5}(:{1,2}[0-9a-f]{0,5}){1,8}\Z"))
@example("1:2:3:4:5:6:7::")
@example("::2:3:4:5:6:7:8")
@example("1::3:4:5:6:7:8")
@example("1:2:3:4:5:6:1.2.3.4")
def test_reads_what_ipaddress_reads(text: str) -> None:
    try:
        theirs: ipaddress.IPv4Address | ipaddress.IPv6Address | None = ipaddress.ip_address(text)
    except ValueError:
        theirs = None
    try:
        ours: int | None = address.parse(text)
    except ValueError:
        ours = None
    assert ours == (None if theirs is None else address.to_point(theirs.version, int(theirs)))


@given(line)
def test_the_canonical_text_reads_back(point: int) -> None:
    assert address.parse(address.show(point)) == point


def test_canonical_ipv6_is_that_of_rfc_5952() -> None:
    for text, canonical in (
        ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),  # a single group of zeros is not shortened
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),  # the longest run is
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),  # of equal ones the first
        ("::", "::"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
    ):
        assert address.show(address.parse(text)) == canonical


def test_a_mapped_address_is_ipv6() -> None:
    point = address.parse("::ffff:1.2.3.4")
    assert address.family_of(point) == 6
    assert point != address.parse("1.2.3.4")
    assert address.to_value(point) == 0xFFFF_0102_0304


def test_the_line_holds_both_families_and_nothing_else() -> None:
    assert V4 | V6 == ALL
    assert V4.isdisjoint(V6)
    assert (V4.size, V6.size) == (1 << 32, 1 << 128)
    assert address.parse("255.255.255.255") + 1 == address.parse("::") == V6_BASE
    assert address.parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == TOP


@given(line, st.integers(0, 128))
def test_a_prefix_is_that_of_ipaddress(point: int, length: int) -> None:
    length = min(length, address.bits_of(point))
    network = ipaddress.ip_network(f"{address.show(point)}/{length}", strict=False)
    family = address.family_of(point)
    lo, hi = address.prefix(point, length)
    assert (lo, hi) == tuple(address.to_point(family, int(end)) for end in (network[0], network[-1]))
    assert lo <= point <= hi


def read_back(words: list[str]) -> IntervalSet:
    pairs = []
    for word in words:
        if "/" in word:
            network = ipaddress.ip_network(word)  # strict: no host bits
            pairs.append(tuple(address.to_point(network.version, int(e)) for e in (network[0], network[-1])))
        else:
            lo, _, hi = word.partition("-")
            pairs.append((address.parse(lo), address.parse(hi or lo)))
    return IntervalSet.union((lo, hi) for lo, hi in pairs)


@given(st.lists(st.tuples(line, st.integers(0, 128), line), max_size=5))
def test_sets_of_addresses_as_text(raw: list[tuple[int, int, int]]) -> None:
    """Whole prefixes, single addresses, ranges, and one that crosses from one family to the other."""
    pairs = [address.prefix(a, min(n, address.bits_of(a))) if n % 3 else (min(a, b), max(a, b)) for a, n, b in raw]
    chosen = IntervalSet.union(pairs)
    assert read_back(address.show_set(chosen)) == chosen


def test_everything_is_two_prefixes() -> None:
    assert address.show_set(ALL) == ["0.0.0.0/0", "::/0"]
    assert address.show_set(IntervalSet()) == []
    assert address.show_set(IntervalSet.of((0, 1), (3, 3))) == ["0.0.0.0/31", "0.0.0.3"]
    assert address.show_set(IntervalSet.of((1, 2))) == ["0.0.0.1-0.0.0.2"]
