"""Counterexamples of a false claim that differ in kind: one for each rule that decides otherwise.

Exact: each is decided by the rule it stands for, and is replayed through `decide`. Knows neither the rule language nor
how answers are printed.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import LimitError
from ..limits import question
from ..model.box import pieces
from ..model.packet import Packet
from ..model.rules import Claim, Verdict
from ..model.ruleset import RuleSet, decide
from .confirm import agree
from .entries import Entries, closed
from .prove import C, Proof, contrary
from .witness import choose


@dataclass(frozen=True)
class Counterexample:
    """A packet that a claim speaks of, and the verdict on it, which is another than claimed."""

    packet: Packet
    verdict: Verdict


@dataclass(frozen=True)
class Counterexamples:
    """The first of them is the proof's; `more` says whether there are other kinds, None if that is unknown."""

    found: tuple[Counterexample, ...]
    more: bool | None = False


@question
def counterexamples(policy: RuleSet, proof: Proof[C], limit: int, entries: Entries | None = None) -> Counterexamples:
    """Up to `limit` counterexamples of a claim, no two decided by the same rule; none if the claim is not refuted.

    Complexity: a search for each rule that overlaps the region and would refute the claim, until there are enough.

    >>> from fwengine import loads
    >>> from fwengine.analysis.prove import prove
    >>> from fwengine.policy import read_claim
    >>> policy = loads("allow tcp to 192.0.2.1 as one\\nallow tcp to 192.0.2.0/24 as all")
    >>> proof = prove(policy, read_claim(policy, "deny tcp"))
    >>> [kind.verdict.by for kind in counterexamples(policy, proof, 9).found]
    ['one', 'all']
    """
    if proof.counterexample is None or proof.verdict is None:
        return Counterexamples(())
    entries = entries or Entries(closed(policy))
    found = [Counterexample(proof.counterexample, proof.verdict)]
    try:
        for index in _candidates(entries, policy, proof.claim):
            if index == proof.verdict.index:
                continue
            kind = _decided_by(entries, policy, proof.claim, index)
            if kind is not None:
                if len(found) == limit:
                    return Counterexamples(tuple(found), True)
                found.append(kind)
    except LimitError:
        return Counterexamples(tuple(found), None)
    return Counterexamples(tuple(found))


def _candidates(entries: Entries, policy: RuleSet, claim: Claim) -> list[int]:
    """The rules that may decide some of the claim's packets otherwise, the default among them, in order."""
    touched = 0
    for box in claim.boxes:
        for part in pieces(box.sets):
            touched |= entries.visible(part, entries.overlaps.all).entries
    return [
        index
        for index in entries.rules(touched)
        if policy.action(index) is not claim.action or claim.by not in (None, policy.label(index))
    ]


def _decided_by(entries: Entries, policy: RuleSet, claim: Claim, index: int) -> Counterexample | None:
    wanted = entries.vector([index])
    for box in claim.boxes:
        for part in pieces(box.sets):
            sets = contrary(entries, part, wanted)
            if sets is not None:
                asked = entries.asked.union(*(box.fields for box in claim.boxes))
                packet = Packet.from_point(choose(sets, entries.interfaces), asked)
                verdict = decide(policy, packet)
                agree(verdict.index == index and any(packet in b for b in claim.boxes), packet)
                return Counterexample(packet, verdict)
    return None
