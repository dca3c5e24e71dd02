"""The biggest flows: the same however they are parted, exact while they are few, and the big ones found among many."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from fwengine.flows.sums import Tally
from fwengine.flows.top import Key, Top
from fwengine.model.address import TOP, V6_BASE

keys = st.builds(
    Key,
    st.integers(0, 15),
    st.integers(-2, 100_000),
    st.integers(0, 255),
    st.sampled_from((0, 1, V6_BASE - 1, V6_BASE, TOP)),
    st.sampled_from((0, 1, V6_BASE - 1, V6_BASE, TOP)),
    st.none() | st.integers(0, 65535),
)
Told = list[tuple[Key, Tally]]
flows = st.lists(st.tuples(keys, st.builds(Tally, st.integers(1, 5), st.integers(0, 1 << 40))), max_size=12)


def top_of(told: Told) -> Top:
    top = Top(most=4)
    for key, tally in told:
        top.add(key, tally)
    return top


@given(keys)
def test_a_key_is_a_number(key: Key) -> None:
    assert Key.unpacked(key.packed) == key


@given(flows, flows, flows)
def test_sums_do_not_depend_on_how_flows_are_parted(a: Told, b: Told, c: Told) -> None:
    x, y, z = map(top_of, (a, b, c))
    whole = top_of([*a, *b, *c])
    assert x + y == y + x
    assert (x + y) + z == x + (y + z) == whole
    assert x + Top(most=4) == x
    assert ((x + y) + z).biggest(3) == whole.biggest(3)


def test_the_big_ones_are_found_among_many() -> None:
    luck = random.Random(1)
    top = Top(most=100)
    for n in range(5):
        top.add(Key(1, n, 6, 10 + n, V6_BASE + n, 443), Tally(10, 10**9 * (n + 1)))
    for _ in range(20_000):
        key = Key(1, 7, 17, luck.getrandbits(32), luck.getrandbits(32), luck.getrandbits(16))
        top.add(key, Tally(1, luck.randrange(1000)))
    found = top.biggest(5)
    assert [flow.key.rule for flow in found] == [4, 3, 2, 1, 0]
    for flow in found:
        true = 10**9 * (flow.key.rule + 1)
        assert not flow.exact
        assert true <= flow.tally.bytes < true + 10**6
        assert flow.tally.flows >= 10
