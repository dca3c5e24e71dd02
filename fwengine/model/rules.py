"""Rules, verdicts, expectations: the values that a rule set is made of and that it answers with.

A rule matches a union of boxes. What an ordered list of them means is `model.ruleset.decide`. This module knows nothing
of text or bytes; `Span`s only ride along.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from ..errors import NOWHERE, Span
from .box import Box
from .fields import Point
from .packet import Packet


class Action(Enum):
    """What becomes of a packet.

    `DEPENDS` is an answer about a packet with open fields; a rule says so where an imported policy leaves it in doubt.
    """

    ALLOW = "allow"
    DENY = "deny"
    DEPENDS = "depends"

    def __str__(self) -> str:
        return self.value

    @property
    def other(self) -> Action:
        return Action.DENY if self is Action.ALLOW else Action.ALLOW


ALLOW, DENY, DEPENDS = Action.ALLOW, Action.DENY, Action.DEPENDS


@dataclass(frozen=True, slots=True)
class Doubt:
    """A condition that asks for more than the packet holds: where it stands, and what it asks for."""

    span: Span
    reason: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a flat rule comes from if its policy has chains: its line, the jumps that led there, what it rests on."""

    line: int  # the number of the line in its document
    path: tuple[Span, ...] = ()
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule: what it does to which packets.

    `boxes` are joined by "or" (a service with several protocols needs several); `written` holds, for each field with a
    condition, the words of the source; `negated` are the fields whose condition says what is left out, and `opened` those of
    them that take in all addresses of a family because something of the other is left out. After the day `until` a rule
    matches nothing. A rule made of other firewalls' lines may say that its packets depend on lines in doubt, which are its
    `origin`'s.
    """

    action: Action
    boxes: tuple[Box, ...]
    name: str | None = None
    until: datetime.date | None = None
    log: bool = False
    span: Span = field(default=NOWHERE, compare=False)
    written: tuple[tuple[int, str], ...] = field(default=(), compare=False, repr=False)
    negated: frozenset[int] = field(default=frozenset(), compare=False, repr=False)
    opened: frozenset[int] = field(default=frozenset(), compare=False, repr=False)
    origin: Origin | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.action not in (ALLOW, DENY) and not (self.origin is not None and self.origin.doubts):
            raise ValueError(f"a rule allows or denies; it cannot be {self.action!r} without a doubt of its own")

    @property
    def label(self) -> str:
        """What the rule is called: its name, or `FILE:LINE`."""
        return self.name or f"{self.span.file}:{self.span.line}"

    def matches(self, point: Point) -> bool:
        for box in self.boxes:  # noqa: SIM110  # a loop takes half the time
            if point in box:
                return True
        return False


@dataclass(frozen=True)
class Case:
    """A part of an open packet, and what becomes of that part."""

    box: Box
    action: Action
    rule: Rule | None


@dataclass(frozen=True)
class Verdict:
    """What becomes of a packet, and why.

    `rule` is the deciding rule, and `None` if the default decided, if no single rule did (`cases` has them all), or if
    the packet could not be decoded; `reason` tells which: "rule", "default", "rules", "depends", "malformed",
    "truncated" or "tiny-fragment".
    """

    action: Action
    rule: Rule | None = None
    index: int | None = None  # of the deciding rule in the policy; the number of rules for the default
    reason: Literal["rule", "default", "rules", "depends", "in doubt", "malformed", "truncated", "tiny-fragment"] = (
        "rule"
    )
    cases: tuple[Case, ...] = ()
    doubts: tuple[Doubt, ...] = ()  # what a verdict "in doubt" depends on

    def __bool__(self) -> bool:
        raise TypeError("a verdict is not a truth value: compare `verdict.action` with `Action.ALLOW`")

    @property
    def by(self) -> str:
        """The deciding rule's label, `default`, or the reason there is none."""
        if self.rule is not None:
            return self.rule.label
        return " or ".join(dict.fromkeys(c.rule.label if c.rule else "default" for c in self.cases)) or self.reason


@dataclass(frozen=True)
class Claim:
    """That all packets of some boxes fare one way (and are decided by the rule with the label `by`).

    A claim about no packet is not true: whoever makes one means something else.
    """

    action: Action
    boxes: tuple[Box, ...]
    by: str | None = None


@dataclass(frozen=True)
class Expectation(Claim):
    """A claim that a policy's text makes of it."""

    text: str = field(default="", compare=False)
    packet: Packet | None = None  # if the claim is about one packet
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Definition:
    """A name that a policy's text gives to something; `uses` counts its mentions in definitions, rules and claims."""

    kind: Literal["net", "ports", "service", "interface"]
    name: str
    span: Span = field(default=NOWHERE, compare=False)
    uses: int = field(default=0, compare=False)


def rules_of(actions: Iterable[tuple[Action, Box]]) -> tuple[Rule, ...]:
    """Unnamed rules from actions and boxes: policies made by hand and by tests."""
    return tuple(Rule(action, (box,)) for action, box in actions)
