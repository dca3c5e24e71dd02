"""Why, and why not: for each rule before the deciding one, which fields kept the packet from matching.

Exact: a reason is a field whose value lies outside the rule's set. Of a rule with several boxes the nearest counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..header import FIELDS, Point
from ..interval import IntervalSet
from ..policy import Policy, Rule


@dataclass(frozen=True)
class Failure:
    """A field whose value `got` is outside `wanted`; `written` is the source's word for what was wanted, if it has one."""

    field: int
    wanted: IntervalSet
    got: int
    written: str | None


@dataclass(frozen=True)
class Reason:
    """How one rule fared with a packet: it matched, is expired, or failed in some fields."""

    rule: Rule
    index: int
    matched: bool
    expired: bool
    failures: tuple[Failure, ...]


def explain(policy: Policy, point: Point) -> list[Reason]:
    """How each rule fared, from the first to the one that decides; all of them if the default decides. O(rules)."""
    out = []
    for index, rule in enumerate(policy.rules):
        reason = why(policy, index, rule, point)
        out.append(reason)
        if reason.matched:
            break
    return out


def why(policy: Policy, index: int, rule: Rule, point: Point) -> Reason:
    """How one rule fares with a packet."""
    failures: tuple[Failure, ...] | None = None
    for failed in _failures(rule, point):
        if failures is None or len(failed) < len(failures):
            failures = failed
    expired = not policy.active(rule)
    return Reason(rule, index, failures == () and not expired, expired, failures or ())


def _failures(rule: Rule, point: Point) -> Iterator[tuple[Failure, ...]]:
    written = dict(rule.written)
    for box in rule.boxes:
        yield tuple(
            Failure(f, box.sets[f], point[f], written.get(f)) for f in range(FIELDS) if point[f] not in box.sets[f]
        )


def nearest_misses(reasons: list[Reason]) -> list[Reason]:
    """Of the rules that did not match, those that failed in the fewest fields."""
    missed = [r for r in reasons if not r.matched and not r.expired]
    fewest = min((len(r.failures) for r in missed), default=0)
    return [r for r in missed if len(r.failures) == fewest]
