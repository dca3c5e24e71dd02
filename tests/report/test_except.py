"""Sets of addresses are written in few words, `except` among them, and mean what they did: with names, without, masks with holes."""

from __future__ import annotations

import random

import pytest

import fwengine
from fwengine.language.meaning.around import around
from fwengine.language.meaning.region import show_addresses
from fwengine.model import address
from fwengine.model.fields import SRC
from fwengine.model.interval import IntervalSet, together
from fwengine.model.scattered import masked
from fwengine.policy import region
from fwengine.report.regions import Wording

POLICY = fwengine.loads("""
net office = { 10.20.0.0/16, 2001:db8:20::/48 }
net guests = 10.20.9.0/24
net lab    = 10.30.0.0/16
allow any from office
""")


def read(text: str) -> IntervalSet:
    (box,) = region(POLICY, f"any from {text}")
    return box.sets[SRC]


@pytest.mark.parametrize(
    ("given", "named", "plain"),
    [
        ("10.0.0.0/24 except 0.0.0.3/0.0.0.3", "", "10.0.0.0/24 except 10.0.0.3/255.255.255.3"),
        ("10.0.0.0/8 except 10.20.0.0/255.255.0.255", "", "10.0.0.0/8 except 10.20.0.0/255.255.0.255"),
        ("10.0.0.0/8 except office", "10.0.0.0/8 except office", "10.0.0.0/8 except 10.20.0.0/16"),
        ("{ office, lab } except 10.20.9.7", "{ office, lab } except 10.20.9.7", ""),
        ("ipv6 except { 2001:db8::/32, 2001:db9::/32 }", "", "ipv6 except 2001:db8::/31"),
        ("{ office, lab } except { guests, 10.30.5.0/24 }", "{ office, lab } except { guests, 10.30.5.0/24 }", ""),
        ("10.0.0.0/8 except { office, lab }", "10.0.0.0/8 except { lab, office }", "10.0.0.0/8 except { 10.20.0.0/16, 10.30.0.0/16 }"),
        ("128.0.0.0/1 except { 159.253.198.88/30, 226.65.47.144/31 }", "", "128.0.0.0/1 except { 159.253.198.88/30, 226.65.47.144/31 }"),
        ("{ 10.0.0.0/8, ipv6 }", "", "{ 10.0.0.0/8, ipv6 }"),
        ("{ ipv4, 2001:db8::/32 }", "", "{ ipv4, 2001:db8::/32 }"),
        ("ipv4 except 10.20.0.0/16", "ipv4 except office", "ipv4 except 10.20.0.0/16"),
        ("{ 10.0.0.0/25, 10.0.0.192/26 }", "", "{ 10.0.0.0/25, 10.0.0.192/26 }"),
    ],
)  # fmt: skip
def test_the_shorter_way_is_taken(given: str, named: str, plain: str) -> None:
    chosen = read(given)
    for wording, expected in ((Wording(POLICY), named or plain), (Wording(), plain)):
        text = show_addresses(chosen, wording.words)
        assert read(text) == chosen
        if expected:
            assert text == expected


SCATTERED = fwengine.loads("""
net odd    = 0.0.1.0/0.0.1.0
net even   = ipv4 except odd
net branch = 10.0.7.0/255.0.255.0
net ten    = 10.0.0.0/8
allow any from odd
""")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("{ odd, 10.0.0.0/8 }", "{ odd, ten }"),
        ("{ branch, 192.0.2.0/24 }", "{ branch, 192.0.2.0/24 }"),
        ("odd except branch", "odd except branch"),
        ("even except ten", "even except ten"),
        ("odd except 10.0.0.0/8", "odd except ten"),
        ("ten except branch", "ten except branch"),
        ("not odd", "not odd"),
        ("{ odd, 192.168.0.0/17 }", "{ odd, 192.168.0.0/17 }"),
        ("{ odd, ten } except branch", "{ odd, ten } except branch"),
        ("{ odd, ten, 192.0.2.1 } except 10.1.2.3", "{ odd, ten, 192.0.2.1 } except 10.1.2.3"),
        ("{ odd, 192.168.0.0/16 } except { ten, 172.16.0.7 }", "{ odd, 192.168.0.0/16 } except ten"),
        ("{ 192.168.0.0/16, 172.16.0.0/12 } except odd", "{ 172.16.0.0/12, 192.168.0.0/16 } except odd"),
    ],
)
def test_masks_with_holes_have_their_names(given: str, shown: str) -> None:
    (box,) = region(SCATTERED, f"any from {given}")
    text = show_addresses(box.sets[SRC], Wording(SCATTERED).words)
    assert text == shown
    (back,) = region(SCATTERED, f"any from {text}")
    assert back.sets[SRC] == box.sets[SRC]


def _drawn(draw: random.Random) -> IntervalSet:
    """What people take out of prefixes and names, in several steps; masks with holes now and then."""

    def part() -> IntervalSet:
        kind = draw.random()
        if kind < 0.15:
            return read(draw.choice(["office", "guests", "lab", "ipv6", "ipv4"]))
        if kind < 0.25:
            bits = draw.choice([0x3, 0x300, 0xFF0000FF, 0xFFFF00FF])
            return masked((10 << 24 | draw.getrandbits(24)) & bits, bits)
        if kind < 0.35:
            return IntervalSet.of(address.prefix(address.parse(f"2001:db8:{draw.randrange(64):x}::"), 48))
        length = draw.choice([8, 16, 24, 30, 32])
        base = (10 << 24 | draw.choice([20, 30, 40]) << 16 | draw.getrandbits(16)) >> (32 - length) << (32 - length)
        return IntervalSet.of((base, base + (1 << (32 - length)) - 1))

    found = together([part() for _ in range(draw.randrange(1, 4))])
    for _ in range(draw.randrange(4)):
        found = found - part() if draw.random() < 0.8 else found & together([part(), part()])
    return found


def test_whatever_is_written_reads_back_as_the_same_set() -> None:
    draw = random.Random(10)
    named, plain = Wording(POLICY).words, Wording().words
    excepted = 0
    for _ in range(600):
        chosen = _drawn(draw)
        if not chosen or chosen.size > 1 << 129:
            continue
        for words in (named, plain):
            text = show_addresses(chosen, words)
            excepted += " except " in text
            assert read(text) == chosen, text
    assert excepted > 100


def test_candidates_hold_the_set() -> None:
    draw = random.Random(11)
    for _ in range(300):
        chosen = _drawn(draw)
        if chosen:
            assert all(chosen.issubset(one) for one in around(chosen))
