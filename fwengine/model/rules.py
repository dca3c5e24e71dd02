"""Rules, verdicts, expectations: the values that a rule set is made of and that it answers with.

A rule matches a union of boxes. What an ordered list of them means is `model.ruleset.decide`. This module knows nothing
of text or bytes; `Span`s only ride along.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, cast

from ..errors import NOWHERE, Span
from ..handed import Handed, Shown
from ..row import Row, row
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


@dataclass(frozen=True, repr=False)
class Rule(Shown):
    """One rule: what it does to which packets; `str` has it as a line of the language.

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

    @classmethod
    def allow(cls, protocol: Any = "any", **conditions: Any) -> Rule:
        """A rule that allows what meets the conditions: see `fwengine.language.meaning.making.rule` for all of them.

        A condition is an expression of the language, a number, an address or network of `ipaddress`, or several of these
        in a list.

        Raises:
            PolicyError: if a condition has no meaning, or there is none of this name.

        >>> print(Rule.allow("tcp", src="10.0.0.0/8", dport=["https", 8443], name="web"))
        allow tcp from 10.0.0.0/8 to any port { 443, 8443 } as web
        """
        return cast("Rule", Handed.load("rule")(ALLOW, protocol, **conditions))

    @classmethod
    def deny(cls, protocol: Any = "any", **conditions: Any) -> Rule:
        """As `allow`, the other way.

        >>> print(Rule.deny("icmp", dst="192.0.2.0/24", type="redirect"))
        deny icmp from any to 192.0.2.0/24 type redirect
        """
        return cast("Rule", Handed.load("rule")(DENY, protocol, **conditions))

    def __repr__(self) -> str:
        return f"<Rule {self.name or self.action} of {len(self.boxes)} box{'es' * (len(self.boxes) != 1)}>"

    @property
    def label(self) -> str:
        """What the rule is called: its name, or `FILE:LINE`."""
        return self.name or f"{self.span.file}:{self.span.line}"

    def matches(self, point: Point) -> bool:
        for box in self.boxes:  # noqa: SIM110  # a loop takes half the time
            if point in box:
                return True
        return False


@row
class Case(Row):
    """A part of an open packet, and what becomes of that part."""

    box: Box
    action: Action
    rule: Rule | None


@row
class Verdict(Row):
    """What becomes of a packet, and why; a sentence for `str`, and a row of a table.

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

    def __repr__(self) -> str:
        return f"<Verdict {self.action} by {self.by}>"

    @property
    def by(self) -> str:
        """The deciding rule's label, `default`, or the reason there is none."""
        if self.rule is not None:
            return self.rule.label
        return " or ".join(dict.fromkeys(c.rule.label if c.rule else "default" for c in self.cases)) or self.reason


@dataclass(frozen=True)
class Claim(Shown):
    """That all packets of some boxes fare one way (and are decided by the rule with the label `by`).

    A claim about no packet is not true: whoever makes one means something else. `text` is how the boxes were written, if
    they were.
    """

    action: Action
    boxes: tuple[Box, ...]
    by: str | None = None
    text: str = field(default="", compare=False)


@dataclass(frozen=True)
class Expectation(Claim):
    """A claim that a policy's text makes of it."""

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
