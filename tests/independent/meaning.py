"""The meaning of a policy, again: a packet is a value for each field it has, the first rule that matches decides.

Written from the documentation alone (README, docs, the commented policies of rules/). A packet lacks ports unless its protocol has
them, types unless it is icmp over IPv4 or icmpv6 over IPv6, flags unless it is tcp, and all of them as a later fragment.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from independent.conditions import V6, Condition, Value, holds
from independent.facts import STEPPED_THROUGH, WITH_PORTS

Packet = Mapping[
    str, Value
]  # `in` and `out` always, as None where no interface is recorded; others only if the packet has them
Part = tuple[tuple[str, Condition], ...]  # conditions on fields, all of which must hold
Match = tuple[Part, ...]  # any of which is enough


@dataclass(frozen=True)
class Rule:
    """An action for what matches."""

    action: str
    match: Match
    label: str
    line: int
    until: datetime.date | None = None


@dataclass(frozen=True)
class Region:
    """A set of packets: what matches one of the first and none of the second."""

    match: Match
    without: Match = ()


@dataclass(frozen=True)
class Expectation:
    """All packets of the region get the action, by the rule that is named, if one is."""

    action: str
    region: Region
    by: str | None
    line: int


@dataclass(frozen=True)
class Policy:
    """Rules in their order, what becomes of all else, and what is expected."""

    rules: tuple[Rule, ...]
    default: str
    expectations: tuple[Expectation, ...] = ()

    def on(self, day: datetime.date) -> Policy:
        """With the rules alone that still match on a day."""
        kept = tuple(rule for rule in self.rules if rule.until is None or day <= rule.until)
        return Policy(kept, self.default, self.expectations)

    def action(self, index: int) -> str:
        return self.rules[index].action if index < len(self.rules) else self.default

    def label(self, index: int) -> str:
        return self.rules[index].label if index < len(self.rules) else "default"


def matches(match: Match, packet: Packet) -> bool:
    """Whether a packet has all that some part asks for; what it lacks it has not, however it is asked for."""
    return any(all(field in packet and holds(condition, packet[field]) for field, condition in part) for part in match)


def within(region: Region, packet: Packet) -> bool:
    return matches(region.match, packet) and not matches(region.without, packet)


def decide(policy: Policy, packet: Packet) -> int:
    """The index of the rule that decides, or the number of rules for the default."""
    for index, rule in enumerate(policy.rules):
        if matches(rule.match, packet):
            return index
    return len(policy.rules)


def fields_of(family: int, protocol: int, fragment: str) -> tuple[str, ...]:
    """What packets of a kind have besides family, protocol and fragment."""
    some: tuple[str, ...] = ()
    if fragment != "later":
        if protocol in WITH_PORTS:
            some += ("sport", "dport")
        if (family, protocol) in ((4, 1), (6, 58)):
            some += ("type", "code")
        if protocol == 6:
            some += ("flags",)
    return ("src", "dst", *some, "in", "out", "state", "dscp", "ttl", "length")


def exists(family: int, protocol: int, fragment: str) -> bool:
    """Whether there are packets of a kind: IPv6's headers that are stepped through are the protocol of later fragments at most."""
    return family == 4 or protocol not in STEPPED_THROUGH or fragment == "later"


def family_of(address: int) -> int:
    return 6 if address >= V6 else 4
