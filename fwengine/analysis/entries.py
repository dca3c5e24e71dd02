"""A policy's active rules laid out for the searches: their boxes in order of precedence, indexed by what they overlap.

Built once for many questions. An entry is one box of one rule that holds and has not expired; vectors (see `overlap`)
number the entries. Knows policies, not what is asked about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from ..model.box import Sets, pieces
from ..model.fields import FULL, INTERFACES, NO_INTERFACE, PRESENT, Point, interface_name
from ..model.overlap import Overlaps, bits
from ..model.rules import Action, Rule
from ..model.ruleset import RuleSet
from .region import EVERYTHING


class Visible(NamedTuple):
    """The entries that may take some of a product, and whether the last of them takes whatever the others leave."""

    entries: int
    closed: bool


class Entries:
    """The boxes of a policy's active rules, in order.

    `sets[e]` is the e-th box and `rule[e]` the rule it belongs to; those of rule `i` are `first[i]` to `first[i+1] - 1`.
    """

    def __init__(self, policy: RuleSet) -> None:
        self.policy = policy
        self.sets: list[Sets] = []
        self.rule: list[int] = []
        self.first: list[int] = []
        actions: list[Action] = []
        for i, sets in policy.active_boxes:
            self.first += [len(self.sets)] * (i + 1 - len(self.first))
            self.sets.append(sets)
            self.rule.append(i)
            actions.append(policy.rules[i].action)
        self.first += [len(self.sets)] * (len(policy.rules) + 1 - len(self.first))
        self.overlaps = Overlaps(self.sets)
        self._taking = {action: _vector(actions, action) for action in Action}

    def vector(self, rules: Iterable[int]) -> int:
        """The vector of the entries of some rules."""
        out = 0
        for i in rules:
            out |= (1 << self.first[i + 1]) - (1 << self.first[i])
        return out

    def taking(self, action: Action) -> int:
        """The vector of the entries of rules with this action."""
        return self._taking[action]

    def against(self, action: Action) -> int:
        """The vector of the entries of rules with any other action."""
        return self.overlaps.all ^ self._taking[action]

    def before(self, index: int) -> int:
        """The vector of the entries of all earlier rules."""
        return (1 << self.first[index]) - 1

    def after(self, index: int) -> int:
        """The vector of the entries of all later rules."""
        done = self.first[min(index + 1, len(self.first) - 1)]
        return self.overlaps.all >> done << done

    def overlapping(self, sets: Sets, among: int) -> int:
        return self.overlaps.overlapping(sets, among)

    def covering(self, sets: Sets, among: int) -> Iterator[int]:
        """The entries of `among` that contain all of `sets`, ascending. Exact."""
        for e in bits(self.overlaps.containing(sets, among)):
            if all(mine is other or mine.issubset(other) for mine, other in zip(sets, self.sets[e], strict=True)):
                yield e

    def visible(self, sets: Sets, among: int) -> Visible:
        """Which of `among` matter to a product: those that overlap it and are not behind one that contains all of it."""
        among = self.overlapping(sets, among)
        cover = next(self.covering(sets, among), None)
        return Visible(among, False) if cover is None else Visible(among & ((1 << (cover + 1)) - 1), True)

    def taking_point(self, point: Point, among: int) -> Iterator[int]:
        """The entries of `among` that contain a point, ascending. Exact."""
        for e in bits(self.overlaps.around(point, among)):
            if all(value in chosen for value, chosen in zip(point, self.sets[e], strict=True)):
                yield e

    def some(self, numbers: Iterable[int]) -> list[Sets]:
        return [self.sets[e] for e in numbers]

    def boxes(self, vector: int) -> Iterator[Sets]:
        return (self.sets[e] for e in bits(vector))

    def rules(self, vector: int) -> list[int]:
        """The rules to which the entries belong, ascending."""
        return list(dict.fromkeys(self.rule[e] for e in bits(vector)))

    @property
    def asked(self) -> frozenset[int]:
        """The fields for which a rule asks: a witness states these."""
        return self.overlaps.fields

    @cached_property
    def interfaces(self) -> tuple[str, ...]:
        """The interface names that the rules mention, sorted: a witness uses these rather than others."""
        found = {
            number
            for sets in self.sets
            for f in INTERFACES
            if sets[f] is not FULL[f] and sets[f] != PRESENT[f] and sets[f].size < 1 << 16
            for lo, hi in sets[f]
            for number in range(lo, hi + 1)
            if number != NO_INTERFACE
        }
        return tuple(sorted(interface_name(number) for number in found))


def _vector(actions: Sequence[Action], action: Action) -> int:
    found = bytearray(len(actions) // 8 + 1)
    for e, own in enumerate(actions):
        found[e >> 3] |= (own is action) << (e & 7)
    return int.from_bytes(found, "little")


def closed(policy: RuleSet) -> RuleSet:
    """The same policy with its default written out as a last rule, whose index is the one that stands for the default."""
    last = Rule(policy.default, (EVERYTHING,), name="default")
    out = RuleSet((*policy.rules, last), policy.default, policy.as_of)
    out.__dict__["active_boxes"] = (*policy.active_boxes, (len(policy.rules), EVERYTHING.sets))  # cached: known already
    return out


def rule_pieces(policy: RuleSet, index: int) -> list[Sets]:
    """The pieces of a rule's boxes: nonempty products of nothing but packets; those of two boxes may overlap."""
    return [piece for box in policy.rules[index].boxes for piece in pieces(box.sets)]


def within(sets: Sets, box: Sets) -> Sets | None:
    """The intersection of two products; None if it is empty."""
    out = []
    for a, b in zip(sets, box, strict=True):
        shared = a & b
        if not shared.ranges:
            return None
        out.append(shared)
    return tuple(out)


def intersections(parts: Iterable[Sets], boxes: Sequence[Sets]) -> Iterator[Sets]:
    """The nonempty intersections of each part with each box."""
    for part in parts:
        for box in boxes:
            both = within(part, box)
            if both is not None:
                yield both
