"""What is written in other firewalls' formats is read back to the same policy, or refused with the rule and the reason.

`convert` proves it before it gives a text away, so that a test of equivalence would be the proof again: here the texts are
read back and asked packet by packet, by `decide`, at the corners of both.
"""

from __future__ import annotations

import datetime
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from support.generators import SMALL, WIDE, random_points, random_policy
from support.paths import RULES

import fwengine
from fwengine import conversion, strategies
from fwengine.cli.convert import CHAINS, TARGETS
from fwengine.errors import PolicyError
from fwengine.formats.registry import WRITERS
from fwengine.formats.writing import HOOKS
from fwengine.model.fields import IN, OUT
from fwengine.model.ruleset import decide
from fwengine.policy import Policy
from fwengine.sources.foreign import Reading

DAY = datetime.date(2026, 11, 25)
FOREIGN = [name for name, writer in WRITERS.items() if not writer.ends]
FILES = sorted(RULES.glob("*.fwl"))


def told(policy: Policy, to: str) -> tuple[str, list[str]]:
    """The text, or nothing and why."""
    try:
        return conversion.convert(policy, to, as_of=DAY), []
    except PolicyError as error:
        return "", [f"{d.code} {d.message}" for d in error.diagnostics]


def asked_alike(policy: Policy, to: str, text: str, seed: int = 0) -> None:
    """Packets from the corners of a policy, by the definition, in the policy and in what was written."""
    for name, within in READ[to]:
        again = fwengine.loads(text, file="written", reading=Reading(name, within))
        for point in islice(random_points(seed, SMALL, policy, 60), 60):
            if applies(to, within, point):
                assert decide(policy, point).action is decide(again, point).action, (text, point)


READ: dict[str, list[tuple[str, str | None]]] = {"nft": [("nftables", None)]}


def applies(to: str, which: str | None, point: tuple[int, ...]) -> bool:
    """Is the text about such packets?"""
    return point[IN] != 0 and point[OUT] != 0


def test_the_command_line_offers_what_is_written() -> None:
    assert set(TARGETS) == set(WRITERS)
    assert set(CHAINS) == set(HOOKS)
    assert set(READ) == set(FOREIGN)


@pytest.mark.parametrize("to", FOREIGN)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_policy_of_rules_is_written_or_refused(path: Path, to: str) -> None:
    policy = fwengine.load(path, as_of=DAY)
    text, reasons = told(policy, to)
    if text:
        asked_alike(policy, to, text)
    assert bool(text) != bool(reasons)


@pytest.mark.parametrize("to", FOREIGN)
def test_some_drawn_policies(to: str) -> None:
    share(to, 40)


@pytest.mark.slow
@pytest.mark.parametrize("to", FOREIGN)
def test_a_thousand_drawn_policies(to: str) -> None:
    share(to, 1000)


LEAST = {"nft": 0.95}


def share(to: str, count: int) -> None:
    """So many policies of small domains, with conditions on all fields: written or refused, most of them written."""
    reasons: Counter[str] = Counter()
    done: Counter[str] = Counter()

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategies.policies(max_rules=6, min_rules=1))
    def each(policy: Policy) -> None:
        text, why = told(policy, to)
        done["written" if text else "refused"] += 1
        reasons.update(set(why))
        assert all(reason.startswith(("FW461", "FW462")) for reason in why)
        if text:
            asked_alike(policy, to, text, done.total())

    each()
    part = done["written"] / done.total()
    assert part >= LEAST[to], (done, reasons.most_common(12))


@pytest.mark.parametrize("to", FOREIGN)
@pytest.mark.parametrize("seed", range(6))
def test_any_boxes_at_all(to: str, seed: int) -> None:
    """Rules that no text of the language says in one piece: absent values beside others, any set of flags."""
    for n in range(4):
        policy = random_policy(seed * 100 + n, SMALL if n % 2 else WIDE, most=4, absent=True).on(DAY)
        text, _ = told(policy, to)
        if text:
            asked_alike(policy, to, text, n)
