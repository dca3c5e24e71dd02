"""Why, and why not: how each rule fared with a packet, also with one that leaves fields open, as text.

Exact: of an open packet only what holds of every packet it may be is told. A rule whose every box misses the packet in
some field did not match, whatever the open fields are; one that is not missed decides a part, or the rules above it
have taken that part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ..analysis.explain import Failure
from ..model.box import Box, merge
from ..model.fields import (
    ABSENT,
    DST,
    FIELDS,
    FLAGS,
    INTERFACES,
    PROTOCOL,
    SRC,
)
from ..model.packet import Packet
from ..model.rules import Rule, Verdict
from ..policy import Policy
from .screen import visible
from .verdicts import FIELD_WORDS, show_value, show_values

NEAREST: Final = 2


@dataclass(frozen=True)
class Account:
    """How one rule fared with a packet.

    It decided all of it (`matched`), or the parts `decided`; or it is expired, or missed the packet in the fields of
    `failures`; if nothing of that, the rules above had taken all that it matches.
    """

    rule: Rule
    matched: bool
    expired: bool
    failures: tuple[Failure, ...]
    decided: tuple[Box, ...] = ()
    would_match: bool = False  # it is expired, and would match some of the packets otherwise


def account(policy: Policy, packet: Packet, verdict: Verdict) -> list[Account]:
    """How each rule fared, from the first to the last that decides anything; all of them if the default does. O(rules)."""
    parts: dict[int, list[Box]] = {}
    for case in verdict.cases:
        parts.setdefault(id(case.rule), []).append(case.box)
    left = len(parts)
    out = []
    for rule in policy.rules:
        mine = tuple(merge(parts.get(id(rule), ())))
        matched = not verdict.cases and rule is verdict.rule
        expired = not policy.active(rule)
        failures = () if matched or mine or expired else min(_misses(rule, packet), key=len, default=())
        would_match = expired and not all(_misses(rule, packet))
        out.append(Account(rule, matched, expired, failures, mine, would_match))
        left -= bool(mine)
        if matched or (parts and not left):
            break
    return out


def _misses(rule: Rule, packet: Packet) -> Iterator[tuple[Failure, ...]]:
    """For each of the rule's boxes the fields in which it misses all that the packet may be."""
    written, asked = dict(rule.written), packet.sets
    for box in rule.boxes:
        yield tuple(
            Failure(f, box.sets[f], asked[f].lo, written.get(f))
            for f in range(FIELDS)
            if asked[f].isdisjoint(box.sets[f])
        )


def nearest(accounts: Sequence[Account], verdict: Verdict) -> tuple[int, ...]:
    """The places of the one or two rules that came nearest to deciding.

    They missed the packet in the fewest fields; of several what would have decided otherwise, then what stands first. A rule
    that would match, had its last day not passed, is nearer than any.
    """
    ranked = sorted(
        (0 if a.expired else len(a.failures), a.rule.action is verdict.action, n)
        for n, a in enumerate(accounts)
        if a.failures or a.would_match
    )
    return tuple(n for *_, n in ranked[:NEAREST])


def failure_text(failure: Failure, rule: Rule) -> str:
    """`src 10.20.9.17 is not in outside`."""
    field, got = failure.field, show_value(failure.field, failure.got)
    word = FIELD_WORDS[field]
    written = failure.written
    if written is None:  # a service says the protocol and the port in one word
        written = dict(rule.written).get(PROTOCOL) if field != PROTOCOL else None
        written = written or show_values(field, failure.wanted)
    written = visible(written)
    if failure.got == ABSENT.get(field):
        if field in INTERFACES:
            return f"`{word}` is not recorded, wanted {written}"
        return f"the packet has no {word}, wanted {written}"
    if field == FLAGS and written == "established":
        return f"flags {got} are not established (ack or rst)"
    if written.startswith("not ") and " except " not in written:
        inner = written[4:]
        within = field in (SRC, DST) or inner.startswith("{")
        return f"{word} {got} is {'in ' if within else ''}{inner}"
    return f"{word} {got} {'is not' if _single(failure, written) else 'is not in'} {written}"


def _single(failure: Failure, written: str) -> bool:
    """Is what was wanted one value, and said as such? A service is a set, even where it has one protocol or port."""
    if failure.wanted.size != 1 or failure.written is None:
        return False
    return failure.field != PROTOCOL or written in (show_value(PROTOCOL, failure.wanted.lo), str(failure.wanted.lo))


def implied(failure: Failure, failures: Sequence[Failure]) -> bool:
    """Does it follow from another protocol: that the packet has no such field?"""
    if failure.field in INTERFACES or failure.got != ABSENT.get(failure.field):
        return False
    return any(f.field == PROTOCOL for f in failures)
