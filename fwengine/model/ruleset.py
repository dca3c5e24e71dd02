"""Rule sets, and `decide`: the definition of what a policy means.

The first rule that matches a packet decides; if none does, the default decides. Every faster path in this package is
tested against `decide`. This module knows nothing of text or bytes.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from ..limits import current, question, reached
from .box import Box, Sets
from .compile import compile_entries
from .fields import FIELDS, FULL, Point
from .packet import Packet
from .rules import DENY, DEPENDS, Action, Case, Rule, Verdict
from .tree import DecisionTree

UNCOMPILED = 32  # compiling takes about as long as so many packets that `decide` decides, whatever the size


@dataclass(frozen=True, repr=False)
class RuleSet:
    """An ordered list of rules and a default: the mathematical object. `as_of` is the day on which it is asked."""

    rules: tuple[Rule, ...]
    default: Action = DENY
    as_of: datetime.date = field(default_factory=datetime.date.today)

    def __post_init__(self) -> None:
        if self.default not in (Action.ALLOW, Action.DENY):
            raise ValueError(f"the default allows or denies; it cannot be {self.default!r}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.rules)} rules, default {self.default}, as of {self.as_of}>"

    def active(self, rule: Rule) -> bool:
        """Does the rule still count on the day `as_of`?"""
        return rule.until is None or self.as_of <= rule.until

    def on(self, day: datetime.date) -> Self:
        """The same, asked on another day.

        >>> old, new = RuleSet((), as_of=datetime.date(2026, 1, 31)), RuleSet((), as_of=datetime.date(2026, 2, 1))
        >>> old.on(new.as_of) == new  # as whoever compares two wants it, which may have been made about midnight
        True
        """
        return replace(self, as_of=day)

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
    def fields(self) -> frozenset[int]:
        """The fields for which a rule that still counts asks: how a packet fares depends on no other."""
        boxes = [sets for _, sets in self.active_boxes]
        return frozenset(
            f
            for f, full in enumerate(FULL)
            if any([sets[f] is not full for sets in boxes]) and any([sets[f] != full for sets in boxes])  # noqa: C419  # quicker
        )

    @cached_property
    def active_boxes(self) -> tuple[tuple[int, Sets], ...]:
        """(rule index, sets) of each box that counts, in order of precedence: none expired, none without a point."""
        return tuple(
            [
                (index, box.sets)
                for index, rule in enumerate(self.rules)
                if self.active(rule)
                for box in rule.boxes
                if all([chosen.ranges for chosen in box.sets])  # noqa: C419  # half the time of a generator
            ]
        )

    @cached_property
    def constrained(self) -> frozenset[int]:
        """The fields on which some rule that counts has a condition."""
        return frozenset(f for f in range(FIELDS) if any(sets[f] != FULL[f] for _, sets in self.active_boxes))

    @cached_property
    def tree(self) -> DecisionTree:
        """The compiled form, built on first use.

        Complexity: near linear in the rules for real rule sets; bounded by the compiler's budgets for any.
        """
        return compile_entries(self.active_boxes, len(self.rules))

    def evaluate(self, packet: Packet) -> Verdict:
        """The verdict on a packet: of `decide` for the first few, then through the tree, which says the same.

        Where fields are open, all packets it may be are considered: if they fare alike, that is the verdict; if not, it
        is `DEPENDS`. Then, and if several rules agree, `cases` holds the split.

        Raises:
            LimitError: if an open packet falls into more parts than the limit `cases` allows.
        """
        point = packet.point or packet.as_seen_by(self.fields)
        if point is not None:
            return self.evaluate_point(point)
        return self.evaluate_boxes((Box.around(packet),))

    def evaluate_point(self, point: Point) -> Verdict:
        """The verdict on a point of header space; compiling waits until it pays, that is for the `UNCOMPILED`-th question."""
        if "tree" not in self.__dict__:
            asked = self.__dict__["asked"] = self.__dict__.get("asked", 0) + 1
            if asked < UNCOMPILED:
                return decide(self, point)
        return self.verdict(self.tree.index(point))

    @question
    def evaluate_boxes(self, boxes: Sequence[Box]) -> Verdict:
        """The verdict that all packets of some boxes have in common, or `DEPENDS` with the split.

        Raises:
            LimitError: beyond the limit `cases`.
            ValueError: if there is no packet in the boxes.
        """
        found: dict[int, list[Box]] = {}
        parts = (part for box in boxes for part in self.tree.regions(box))
        most = current().cases
        for count, (box, index) in enumerate(parts):
            if count == most:
                raise reached("cases")
            found.setdefault(index, []).append(box)
        if not found:
            raise ValueError("no packet to evaluate")
        if len(found) == 1:
            return self.verdict(next(iter(found)))
        cases = tuple(
            Case(box, self.action(index), self.rules[index] if index < len(self.rules) else None)
            for index in sorted(found)
            for box in found[index]
        )
        actions = {case.action for case in cases}
        if len(actions) == 1:
            return Verdict(actions.pop(), None, None, "rules", cases)
        return Verdict(DEPENDS, None, None, "depends", cases)

    def __getstate__(self) -> dict[str, Any]:
        kept = ("tree", "fields", "active_boxes", "constrained", "asked", "words")
        return {k: v for k, v in self.__dict__.items() if k not in kept}


def must_be_policies(asker: str, *given: object) -> None:
    """Tells whoever holds something else what to write.

    Raises:
        TypeError: if one of them is no rule set.
    """
    for one in given:
        if not isinstance(one, RuleSet):
            hint = "`fwengine.load(path)` reads one from a file, `fwengine.loads(text)` from a text"
            raise TypeError(f"`{asker}` takes a policy, not {type(one).__name__}: {hint}")


def decide(rules: RuleSet, packet: Packet | Point) -> Verdict:
    """The first rule that matches decides; if none does, the default. This *is* the meaning of a policy.

    Raises:
        ValueError: if the packet leaves a field open that a rule asks for, as it is then no single packet.
    """
    point = packet.as_seen_by(rules.fields) if isinstance(packet, Packet) else packet
    if isinstance(point, str):
        raise TypeError(
            f"a packet is a `Packet` here: write `Packet.parse({point!r})`, or ask `policy.decide`, which reads it"
        )
    if point is None:
        raise ValueError("a packet with open fields may fare in several ways: ask `evaluate`")
    for index, rule in enumerate(rules.rules):
        if rules.active(rule) and rule.matches(point):
            return Verdict(rule.action, rule, index)
    return Verdict(rules.default, None, len(rules.rules), "default")
