"""Flows counted in one native pass: the sums are those of the answers column by column, which are those of the definition."""

from __future__ import annotations

import random
from typing import Any

import pytest
from support.drawn_flows import STATELESS, flow, random_flows
from support.generators import SMALL, WIDE, random_policy

from fwengine import native
from fwengine.errors import LimitError
from fwengine.flows import counting, running
from fwengine.flows.counting import Counter
from fwengine.flows.flow import Batch, Flow, batches
from fwengine.flows.meaning import FATES, Asked, Fate, fares
from fwengine.flows.running import Running
from fwengine.flows.sums import FlowSums
from fwengine.model.rules import ALLOW
from fwengine.native import module
from fwengine.policy import Policy

pytestmark = pytest.mark.skipif(not native.available(), reason=f"no native module: {native.why_not()}")


def known(policy: Policy, asked: Asked, told: list[Flow]) -> list[tuple[Flow, Fate]]:
    """Those flows of which the definition says something, and what."""
    out = []
    for one in told:
        try:
            out.append((one, fares(policy, one, asked).fate))
        except LimitError:
            continue
    return out


def summed(counter: Counter, found: list[Batch]) -> FlowSums:
    passes = Running(counter)
    for batch in found:
        passes.add(batch)
    return passes.sums()


@pytest.mark.parametrize("world", [SMALL, WIDE], ids=lambda world: world.name)
@pytest.mark.parametrize("asked", [Asked(), Asked(stateful=True), Asked(inbound="a")])
def test_the_sums_are_those_of_the_answers(world: object, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    luck = random.Random(5)
    for seed in range(12):
        policy = random_policy(seed, world, 6)  # type: ignore[arg-type]  # a world
        told = known(policy, asked, random_flows(seed, policy, world, 25))
        # blocks that are full, and what is left over
        many = [one for one in told for _ in range(luck.choice((1, 70, 300)))]
        luck.shuffle(many)
        found = list(batches(one for one, _ in many))
        counter = Counter(policy, asked)
        sums = summed(counter, found)
        assert sums == sum((counter.count(batch) for batch in found), FlowSums())
        fates = [fate for _, fate in many]
        assert [sums.total(fate).flows for fate in FATES] == [fates.count(fate) for fate in FATES]
        with monkeypatch.context() as patch:
            patch.setattr(running, "native", None)
            assert summed(counter, found) == sums


def test_answers_to_what_is_denied_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.native is not None
    groups: list[Any] = []
    grouped = module.native.grouped

    def kept(table: Any) -> Any:
        groups.extend(found := grouped(table))
        return found

    monkeypatch.setattr(module.native, "grouped", kept)
    passes = Running(Counter(STATELESS))
    told = [flow(f"tcp 198.51.100.7:4000 -> 192.0.2.80:{port}") for port in (22, 443) for _ in range(2000)]
    for batch in batches(told):
        passes.add(batch)
    assert passes.sums().flows == 4000
    for answers, *_ in groups:
        asked = {STATELESS.action(answers[0]) is ALLOW}
        assert {answer != 0xFFFFFFFF for answer in answers[1:]} == asked


def test_what_does_not_fit_is_refused() -> None:
    """The native module looks at each number that it is given."""
    made = module.native
    assert made is not None
    counter = Counter(STATELESS)
    table = counter.classifier.native_table(4)
    rules = len(STATELESS.rules)
    fields = len(made.fields())
    plain = (0, -1, -1, *[-1] * fields)
    plan = made.plan((plain,), 1, 1, 0, bytes(rules + 1), bytes(256))
    for wrong in (
        ((), 1, 1, 0, bytes(rules + 1), bytes(256)),
        ((plain,) * 17, 1, 1, 0, bytes(rules + 1), bytes(256)),
        ((plain,), 2, 1, 0, bytes(rules + 1), bytes(256)),
        ((plain,) * 2, 1, 2, 0, bytes(rules + 1), bytes(256)),
        ((plain,), 1, 1, 0, bytes(rules + 1), bytes(255)),
        (((0, 65536, -1, *[-1] * fields),), 1, 1, 0, bytes(rules + 1), bytes(256)),
        (((0, -2, -1, *[-1] * fields),), 1, 1, 0, bytes(rules + 1), bytes(256)),
        (((0, -1, -1, *[-5] * fields),), 1, 1, 0, bytes(rules + 1), bytes(256)),
        (((0, -1, -1),), 1, 1, 0, bytes(rules + 1), bytes(256)),
    ):
        with pytest.raises(ValueError, match=r"question|items|out of range"):
            made.plan(*wrong)
    row = bytes([6]), bytes(4), bytes(4), bytes(2), bytes(2), None, None
    nothing = (None,) * 5
    for flows, groups in (
        ((bytes(2), *row[1:]), 1),
        (row[:6], 1),
        ((*row[:5], bytes(1), None), 1),
        (row, 2),
    ):
        with pytest.raises(ValueError, match=r"items|columns|type|plan"):
            made.count_flows(made.groups(groups), plan, table, "portable", flows, *nothing)
    with pytest.raises(ValueError, match="another policy"):
        made.count_flows(
            made.groups(1),
            made.plan((plain,), 1, 1, 0, bytes(rules + 2), bytes(256)),
            table,
            "portable",
            row,
            *nothing,
        )
    assert made.count_flows(made.groups(1), plan, table, "portable", row, *nothing) == 1


def test_sums_beyond_64_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log may say that each of a few flows had nine quintillion bytes."""
    most = (1 << 63) - 1
    told = [flow("tcp 198.51.100.7:4000 -> 192.0.2.80:443", bytes=most, packets=most)] * 2050
    counter = Counter(STATELESS)
    found = list(batches(told))
    ways = [summed(counter, found), sum((counter.count(batch) for batch in found), FlowSums())]
    monkeypatch.setattr(counting, "native", None)
    ways.append(sum((counter.count(batch) for batch in found), FlowSums()))
    for sums in ways:
        ((_, tally),) = sums.rows.items()
        assert (tally.flows, tally.bytes, tally.packets) == (2050, 2050 * most, 2050 * most)
