"""Sets and the forms that other firewalls have for them: each form means just the set, and is as short as it can be."""

from __future__ import annotations

import random
from typing import Literal

import netaddr
import pytest
from support.generators import SMALL, Seeded, make_box, random_points, random_policy

from fwengine.formats import spelling
from fwengine.formats.matching import beginning
from fwengine.formats.terms import terms
from fwengine.model import address, scattered
from fwengine.model.box import Box
from fwengine.model.fields import FIRST, FRAGMENT, FULL, LATER, SOME_INTERFACE, WHOLE, interface_number
from fwengine.model.interval import IntervalSet, together


def test_prefixes_are_those_of_netaddr() -> None:
    draw = random.Random(1)
    for bits, base in ((32, 0), (128, address.V6_BASE)):
        for _ in range(60):
            pairs = [
                sorted(draw.getrandbits(draw.choice([8, bits])) for _ in range(2)) for _ in range(draw.randint(1, 4))
            ]
            chosen = IntervalSet.union((base + lo, base + hi) for lo, hi in pairs)
            version: Literal[4, 6] = 4 if bits == 32 else 6
            ranges = [
                netaddr.IPRange(netaddr.IPAddress(lo, version), netaddr.IPAddress(hi, version)) for lo, hi in pairs
            ]
            expected = [str(net) for net in netaddr.cidr_merge(ranges)]
            found = spelling.prefixes(chosen)
            assert found is not None
            assert [text if "/" in text else f"{text}/{bits}" for text in found] == expected
    assert spelling.prefixes(IntervalSet.union((2 * n, 2 * n) for n in range(5000))) is None


def test_masks_are_few_and_mean_the_set() -> None:
    draw = random.Random(2)
    for _ in range(40):
        cubes = []
        for _ in range(draw.randint(1, 3)):
            mask = draw.choice([0xFFFF00FF, 0xFF00FFFF, 0xFFFFFF01, 0xFFFFFFFC])
            cubes.append((draw.getrandbits(32) & mask, mask))
        chosen = together([scattered.masked(*cube) for cube in cubes])
        found = spelling.masked(chosen)
        if found is not None:
            assert together([scattered.masked(*cube) for cube in found]) == chosen
            assert len(found) <= len(cubes)
    assert spelling.masked(IntervalSet.single(5)) is None


def test_flag_tests_hold_for_just_those_bytes() -> None:
    draw = random.Random(3)

    def holds(test: spelling.Flags, value: int) -> bool:
        return (value & test.mask == test.value) != test.negated

    known = [[v for v in range(256) if v & 0x14], [v for v in range(256) if v & 3 == 2], [0], list(range(255))]
    for values in [*known, *(draw.sample(range(256), draw.randint(1, 255)) for _ in range(100))]:
        tests = spelling.flag_tests(IntervalSet.union((v, v) for v in values))
        for value in range(256):
            assert sum(holds(test, value) for test in tests) == (value in values)
    assert [len(spelling.flag_tests(IntervalSet.union((v, v) for v in values))) for values in known] == [1, 1, 1, 1]


def test_interfaces_by_name_and_by_beginning() -> None:
    one = IntervalSet.single(interface_number("wan0"))
    many = beginning("eth")
    assert spelling.interfaces(one | many) == (("wan0",), ("eth",), False)
    assert spelling.interfaces(SOME_INTERFACE - one) == (("wan0",), (), True)
    assert spelling.interfaces((FULL[9] - many) & SOME_INTERFACE) == ((), ("eth",), True)
    assert spelling.interfaces(IntervalSet.single(interface_number("eth0+"))) is None
    assert spelling.interfaces(IntervalSet.single(interface_number("x" * 16))) is None
    assert spelling.interfaces(IntervalSet(((interface_number("a"), interface_number("zz")),))) is None


@pytest.mark.parametrize("joint", [False, True])
def test_terms_are_the_packets_of_a_box(joint: bool) -> None:
    """Each packet of a box is in one of its terms, and none other is."""
    for seed in range(150):
        source = Seeded(seed)
        box = make_box(source, SMALL, absent=True)
        for point in random_points(seed, SMALL, random_policy(seed, SMALL), 40):
            fragment = point[FRAGMENT]
            assert fragment in (WHOLE, FIRST, LATER)
            found = terms(box, fragment, (4, 6), joint=joint)
            within = [
                term
                for term in found
                if term.family in (None, address.family_of(point[1]))
                and all(point[f] in chosen for f, chosen in term.sets)
            ]
            assert len(within) == (point in box), (box, point, found)


def test_a_box_of_everything_is_one_term() -> None:
    assert [term.sets for term in terms(Box.of({}), WHOLE, (4, 6), joint=True)] == [()]
    assert len(terms(Box.of({}), WHOLE, (4, 6))) == 2
