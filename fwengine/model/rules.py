"""Rules, policies, verdicts, and `decide`: the definition of what a policy means.

A rule matches a union of boxes; the first rule that matches decides; if none does, the default decides. Every faster
path in this package is tested against `decide`. This module knows nothing of text or bytes; `Span`s only ride along.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ..errors import NOWHERE, Span
from .box import Box
from .fields import Point
from .packet import Packet

if TYPE_CHECKING:
    from ..analysis.query import Proof, Region
    from ..native import Classifier
    from ..traffic.count import CaptureReport
    from .tree import DecisionTree


class Action(Enum):
    """What becomes of a packet. `DEPENDS` is an answer about a packet with open fields, never a rule's action."""

    ALLOW = "allow"
    DENY = "deny"
    DEPENDS = "depends"

    def __str__(self) -> str:
        return self.value

    @property
    def other(self) -> Action:
        return Action.DENY if self is Action.ALLOW else Action.ALLOW


ALLOW, DENY, DEPENDS = Action.ALLOW, Action.DENY, Action.DEPENDS


@dataclass(frozen=True)
class Rule:
    """One rule: what it does to which packets.

    `boxes` are joined by "or" (a service with several protocols needs several); `written` holds, for each field with a
    condition, the words of the source. After the day `until` a rule matches nothing.
    """

    action: Action
    boxes: tuple[Box, ...]
    name: str | None = None
    until: datetime.date | None = None
    log: bool = False
    span: Span = field(default=NOWHERE, compare=False)
    written: tuple[tuple[int, str], ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.action not in (ALLOW, DENY):
            raise ValueError(f"a rule allows or denies; it cannot be {self.action!r}")

    @property
    def label(self) -> str:
        """What the rule is called: its name, or `FILE:LINE`."""
        return self.name or f"{self.span.file}:{self.span.line}"

    def matches(self, point: Point) -> bool:
        return any(point in box for box in self.boxes)


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
    the packet could not be decoded; `reason` tells which: "rule", "default", "rules", "depends", "malformed" or
    "truncated".
    """

    action: Action
    rule: Rule | None = None
    index: int | None = None  # of the deciding rule in the policy; the number of rules for the default
    reason: Literal["rule", "default", "rules", "depends", "malformed", "truncated"] = "rule"
    cases: tuple[Case, ...] = ()

    def __bool__(self) -> bool:
        raise TypeError("a verdict is no truth value: compare `verdict.action` with `Action.ALLOW`")

    @property
    def by(self) -> str:
        """The deciding rule's label, `default`, or the reason there is none."""
        if self.rule is not None:
            return self.rule.label
        return " or ".join(dict.fromkeys(c.rule.label if c.rule else "default" for c in self.cases)) or self.reason


@dataclass(frozen=True)
class Expectation:
    """A claim about a policy: that all packets of some boxes fare one way (and are decided by one rule)."""

    action: Action
    boxes: tuple[Box, ...]
    by: str | None = None
    text: str = field(default="", compare=False)
    packet: Packet | None = None  # if the claim is about one packet
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Definition:
    """A name that a policy's text gives to something; `uses` counts its mentions in definitions, rules and claims."""

    kind: Literal["net", "ports", "service"]
    name: str
    span: Span = field(default=NOWHERE, compare=False)
    uses: int = field(default=0, compare=False)


@dataclass(frozen=True, repr=False)
class Policy:
    """An ordered list of rules and a default. `as_of` is the day on which the policy is asked.

    Source texts, definitions and expectations ride along for those who report; they do not change the meaning.
    """

    rules: tuple[Rule, ...]
    default: Action = DENY
    as_of: datetime.date = field(default_factory=datetime.date.today)
    name: str = field(default="<policy>", compare=False)
    expectations: tuple[Expectation, ...] = field(default=(), compare=False, repr=False)
    definitions: tuple[Definition, ...] = field(default=(), compare=False, repr=False)
    sources: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.default not in (ALLOW, DENY):
            raise ValueError(f"the default allows or denies; it cannot be {self.default!r}")

    def __repr__(self) -> str:
        return f"<Policy {self.name}: {len(self.rules)} rules, default {self.default}, as of {self.as_of}>"

    def active(self, rule: Rule) -> bool:
        """Does the rule still count on the day `as_of`?"""
        return rule.until is None or self.as_of <= rule.until

    def verdict(self, index: int) -> Verdict:
        """The verdict of the rule with this index, or of the default for the number of rules."""
        if index < len(self.rules):
            return Verdict(self.rules[index].action, self.rules[index], index)
        return Verdict(self.default, None, index, "default")

    def action(self, index: int) -> Action:
        return self.rules[index].action if index < len(self.rules) else self.default

    def label(self, index: int) -> str:
        return self.rules[index].label if index < len(self.rules) else "default"

    @cached_property
    def tree(self) -> DecisionTree:
        """The compiled form, built on first use."""
        from .compile import compile_policy

        return compile_policy(self)

    def evaluate(self, packet: Packet) -> Verdict:
        """The verdict on a packet, through the tree; on one with open fields, what all its packets have in common."""
        from .evaluate import evaluate

        return evaluate(self, packet)

    def evaluate_capture(self, path: str | os.PathLike[str], **options: Any) -> CaptureReport:
        """Counts per rule over a capture file: see `fwengine.traffic.count.evaluate_capture`."""
        from ..traffic.count import evaluate_capture

        return evaluate_capture(self, path, **options)

    def prove(self, claim: str) -> Proof:
        """Is a claim such as `deny tcp from any to web port telnet` true of every packet of its region?

        Names of the policy's own text may be used. Exact; a false claim has a counterexample.

        Raises:
            PolicyError: if the claim is no claim, with a place in it.
            LimitError: if the search exceeds its budget: the answer is unknown.
        """
        from ..analysis.expect import prove_twice
        from ..sources.loading import claim as read_claim

        action, boxes = read_claim(self, claim)
        return prove_twice(self, action, boxes)

    def query(self, question: str) -> tuple[Region, ...]:
        """All packets that a question such as `allow any to web` is about, as disjoint regions, widest first.

        Raises:
            PolicyError, LimitError: as for `prove`.
        """
        from ..analysis.query import query
        from ..sources.loading import claim as read_claim

        action, boxes = read_claim(self, question)
        return query(self, action, boxes)

    def classifier(self) -> Classifier:
        """Batches of packets in columns to rule indices: the native module where it is here, else the tree."""
        from ..native import classifier

        return classifier(self)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "tree"}


def decide(policy: Policy, packet: Packet | Point) -> Verdict:
    """The first rule that matches decides; if none does, the default. This *is* the meaning of a policy.

    Raises:
        ValueError: if the packet leaves a field open, as it is then no single packet.
    """
    point = packet.point if isinstance(packet, Packet) else packet
    if point is None:
        raise ValueError("a packet with open fields may fare in several ways: ask `evaluate`")
    for index, rule in enumerate(policy.rules):
        if policy.active(rule) and rule.matches(point):
            return Verdict(rule.action, rule, index)
    return Verdict(policy.default, None, len(policy.rules), "default")


def rules_of(actions: Iterable[tuple[Action, Box]]) -> tuple[Rule, ...]:
    """Unnamed rules from actions and boxes: policies made by hand and by tests."""
    return tuple(Rule(action, (box,)) for action, box in actions)
