"""The records of flows whose fate changes from one policy to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .record import Place, Record, RuleRecord, Size

FlowFate = Literal["allow", "deny", "one way", "depends"]


@dataclass(frozen=True)
class UnreadTally(Record):
    """Lines that were not taken for flows, and the first of them; `flawed` if something is wrong with them."""

    reason: str
    lines: Size
    place: Place
    flawed: bool


@dataclass(frozen=True)
class RefatedRule(Record):
    """Flows whose fate changes from `old` to `new`, alike in what decides them.

    `old_rule` and `new_rule` decide their first packets, `old_then` and `new_then` those that answer or follow; null if several
    rules do, or none was asked.
    """

    old: FlowFate
    new: FlowFate
    old_rule: RuleRecord | None
    old_then: RuleRecord | None
    new_rule: RuleRecord | None
    new_then: RuleRecord | None
    on: tuple[str, ...]
    flows: Size
    bytes: Size
    first: str | None
    last: str | None


@dataclass(frozen=True)
class RefatedNames(Record):
    """The same flows by what the new policy calls their ends: the smallest of its networks that holds each, else the address."""

    source: str
    destination: str
    service: str
    old: FlowFate
    new: FlowFate
    flows: Size
    bytes: Size
    first: str | None
    last: str | None


@dataclass(frozen=True)
class Refated(Record):
    """Flows of logs whose fate changes.

    Attributes:
        flows: how many of `of` flows.
        rules: all of them, by the rules; the most bytes first.
        names: the biggest, by names; where they are not `exact`, there are more than could be told apart, and these are at most.
        unread: lines that are none of `of`, since they were not taken for flows.
        left_out: flows of other times than were asked for.
    """

    flows: Size
    bytes: Size
    of: Size
    rules: tuple[RefatedRule, ...]
    names: tuple[RefatedNames, ...]
    exact: bool
    unread: tuple[UnreadTally, ...]
    left_out: Size
