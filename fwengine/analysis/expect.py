"""Expectations, proved: does every packet of a claim fare as claimed, decided by the rule claimed?

Exact, over all packets of the region; a false claim has a counterexample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ..errors import LimitError
from ..model.box import Box
from ..model.packet import Packet
from ..model.rules import Action, Expectation, Verdict
from ..model.ruleset import RuleSet
from .query import Proof, prove
from .search import STEPS
from .witness import witness

MAX_PARTS = 5_000_000


@dataclass(frozen=True)
class Outcome:
    """What became of an expectation: it holds, or `counterexample` is a packet of it that fares otherwise."""

    expectation: Expectation
    holds: bool
    counterexample: Packet | None = None
    verdict: Verdict | None = None  # on the counterexample


def check_expectation(policy: RuleSet, claim: Expectation) -> Outcome:
    """Proves or refutes one expectation; an empty region holds of no packet and is refuted without a counterexample.

    Raises:
        LimitError: if the region falls into more than five million parts.
    """
    empty = True
    for box, index in _parts(policy, claim):
        empty = False
        if policy.action(index) is not claim.action or (claim.by is not None and policy.label(index) != claim.by):
            packet = witness(box, asked=policy.fields)
            return Outcome(claim, False, packet, policy.verdict(index))
    return Outcome(claim, not empty)


def prove_twice(policy: RuleSet, action: Action, boxes: Sequence[Box], steps: int = STEPS) -> Proof:
    """As `query.prove`, and what holds is confirmed on the compiled tree, which shares nothing with that search.

    The confirmation goes over at most 20,000 parts of the region: all of them, unless policy and region are large.

    Raises:
        LimitError: beyond `steps` in one search.
        AssertionError: if the two ways disagree, which is a bug.
    """
    proof = prove(policy, action, boxes, steps)
    if proof.holds:
        parts = (part for box in boxes for part in policy.tree.regions(box))
        for part, index in islice(parts, _CONFIRMED):
            if policy.action(index) is not action:  # no `assert`: it must hold under -O, too
                raise AssertionError(f"two ways of proving disagree about {part}")
    return proof


_CONFIRMED = 20_000


def _parts(policy: RuleSet, claim: Expectation) -> Iterator[tuple[Box, int]]:
    count = 0
    for box in claim.boxes:
        for part in policy.tree.regions(box):
            count += 1
            if count > MAX_PARTS:
                raise LimitError(f"unknown: limit reached ({MAX_PARTS} parts of an expectation)")
            yield part
