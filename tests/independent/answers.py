"""What a policy answers, by brute force over the cells of a grid: who decides what, what changes, which rules do nothing."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod

from independent.meaning import Expectation, Policy
from independent.points import Bits, Grid, Slab, both, either, minus

COUNTED = ("src", "dst", "sport", "dport", "type", "code")  # what tells flows apart, besides family and protocol


@dataclass(frozen=True)
class Decided:
    """The packets that each rule decides, the default's last, and those that each rule matches."""

    policy: Policy
    by: tuple[Bits, ...]
    matched: tuple[Bits, ...]

    @classmethod
    def of(cls, grid: Grid, policy: Policy) -> Decided:
        left, by = grid.full, []
        matched = tuple(grid.match(rule.match) for rule in policy.rules)
        for found in matched:
            by.append(both(left, found))
            left = minus(left, found)
        return cls(policy, (*by, left), matched)

    def allowed(self, grid: Grid) -> Bits:
        return self.getting(grid, "allow")

    def getting(self, grid: Grid, action: str) -> Bits:
        """All packets that get an action."""
        found = grid.none
        for index, bits in enumerate(self.by):
            if self.policy.action(index) == action:
                found = either(found, bits)
        return found

    def within(self, bits: Bits) -> list[int]:
        """The rules that decide some packet of a set."""
        return [index for index, own in enumerate(self.by) if any(both(own, bits))]


def holds(grid: Grid, decided: Decided, claim: Expectation) -> bool:
    """Whether all packets of a claim get its action, by the rule it names if it names one."""
    policy = decided.policy
    return all(
        policy.action(index) == claim.action and claim.by in (None, policy.label(index))
        for index in decided.within(grid.region(claim.region))
    )


def without(policy: Policy, left_out: Collection[int]) -> Policy:
    return replace(policy, rules=tuple(rule for index, rule in enumerate(policy.rules) if index not in left_out))


def days(policy: Policy, today: datetime.date) -> list[datetime.date]:
    """A day of each time that begins today or later, as far as rules end."""
    ends = {rule.until for rule in policy.rules if rule.until is not None and rule.until >= today}
    return [today, *sorted(end + datetime.timedelta(days=1) for end in ends)]


def same(grid: Grid, one: Policy, other: Policy, when: Iterable[datetime.date]) -> bool:
    """Whether two policies do the same with all packets, on each of some days."""
    return all(
        Decided.of(grid, one.on(day)).allowed(grid) == Decided.of(grid, other.on(day)).allowed(grid) for day in when
    )


def flows(grid: Grid, bits: Bits) -> int:
    """How many flows: packets told apart by protocol, addresses, ports, type and code; later fragments only if there is nothing else."""
    whole: dict[tuple[int, object], tuple[Slab, int]] = {}
    for later in (False, True):
        for slab, own in zip(grid.slabs, bits, strict=True):
            if own and (slab.fragment == "later") == later:
                key = (slab.family, slab.protocol)
                whole[key] = (slab, whole.get(key, (slab, 0))[1] | _projected(slab, own))
        if whole:
            break
    return sum(slab.protocol.count * _weight(slab, own) for slab, own in whole.values())


def _counted(slab: Slab) -> Sequence[int]:
    return [len(axis) for name, axis in zip(slab.fields, slab.axes, strict=True) if name in COUNTED]


def _projected(slab: Slab, own: int) -> int:
    """The classes of what is counted, whatever the rest is: fields that are counted come first in a slab."""
    inner = prod(_counted(slab))
    mask, found = (1 << inner) - 1, 0
    while own:
        found |= own & mask
        own >>= inner
    return found


def _weight(slab: Slab, own: int) -> int:
    total = 0
    axes = slab.axes[: len(_counted(slab))]
    for position, bit in enumerate(bin(own)[:1:-1]):
        if bit == "1":
            counts = []
            for axis in axes:
                position, index = divmod(position, len(axis))
                counts.append(axis[index].count)
            total += prod(counts)
    return total
