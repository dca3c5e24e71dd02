"""What a new version of a policy changes, by cause, the most dangerous first: the records of it.

Regions are in the words of the new policy. Nothing is worked out twice, and what may be long is made when it is asked for:
a change is put into words when it is shown, and so are the sides of a cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ..analysis.causes import Cause
from ..analysis.confirm import Answer
from ..analysis.diff import Change
from ..model.box import Box
from ..model.rules import Action
from ..policy import Policy
from .attribution import Attribution
from .change_rows import Amount, ChangeRow, Deciders, GroupRow, SideRow
from .making import region_of, rule_at
from .packets import packet_text
from .record import Act, Made, Place, RuleRecord, Witness, act
from .regions import MOST_JOINED, Wording

SHOWN: Final = 3  # regions that say what a cause changes
_RULES: Final = 2  # deciding rules that are named
_IN_ALL: Final = 2_048  # regions of a comparison for which common descriptions are looked for, beside the widest


class _Side(NamedTuple):
    """What one cause changes in one direction: `changes[0]` is at `first` among all changes."""

    first: int
    changes: tuple[Change, ...]
    joined: bool  # whether a common description is looked for


class Review:
    """The changes from one policy to another by their causes; `order` has them in the order in which they are told."""

    def __init__(
        self, old: Policy, new: Policy, changes: Answer[Change], *, plain: bool = False, doubted: Sequence[Box] = ()
    ) -> None:
        self.doubted = doubted  # regions that depend before and after, on lines that are not the same
        self.old, self.new, self.found = old, new, changes
        self.attribution = Attribution(old, new, changes)
        self.causes = self.attribution.causes.found
        self.order = self.attribution.causes.changes
        self.wording = Wording(None if plain else new)
        self._rules: dict[tuple[bool, int], RuleRecord] = {}

    def groups(self, file: int, first: int) -> Iterator[GroupRow]:
        """The causes of a file; its first change has a place among those of all files."""
        left = _IN_ALL
        for cause in self.causes:
            sides = []
            at = first
            for some in (cause.allowed, cause.dependent, cause.denied):
                if some:
                    left -= len(some) if 1 < len(some) <= MOST_JOINED else 0
                    sides.append(_Side(at, some, len(some) == 1 or (len(some) <= MOST_JOINED and left >= 0)))
                    at += len(some)
            yield self._group(file, cause, first, sides)
            first = at

    def _group(self, file: int, cause: Cause, first: int, sides: Sequence[_Side]) -> GroupRow:
        old, new = (tuple(map(Place.of, spans)) for spans in self.attribution.spans(cause.edit))
        allowed, dependent, denied = cause.flows
        return GroupRow(
            file,
            cause.edit.kind,
            self.attribution.text(cause.edit),
            cause.edit.names,
            old,
            new,
            Amount(len(cause.allowed), allowed),
            Amount(len(cause.dependent), dependent),
            Amount(len(cause.denied), denied),
            tuple(map(self.attribution.text, cause.besides)),
            first,
            Made(sides, self._side),
        )

    def _side(self, side: _Side) -> SideRow:
        some, widest = side.changes, side.changes[0]
        parts = self.wording.parts([change.box for change in some]) if side.joined else []
        whole = 0 < len(parts) <= SHOWN
        return SideRow(
            act(widest.new),
            side.first,
            whole,
            tuple(parts if whole else [self.wording.region(change.box) for change in some[:SHOWN]]),
            self._witness(widest),
            widest.flows,
            self._deciders(False, [(change.old, change.old_rule) for change in some]),
            self._deciders(True, [(change.new, change.new_rule) for change in some]),
        )

    def _deciders(self, now: bool, each: Sequence[tuple[Action, int]]) -> Deciders:
        counts: dict[int, int] = {}
        for _, index in each:
            counts[index] = counts.get(index, 0) + 1
        most = sorted(counts, key=lambda index: -counts[index])[:_RULES]
        verdicts: tuple[Act, ...] = tuple(sorted({act(action) for action, _ in each}))
        return Deciders(verdicts, tuple(self._rule(now, index) for index in most), len(counts) - len(most))

    def change(self, number: int, group: int) -> ChangeRow:
        """One of `order`, as a row of a group."""
        change = self.order[number]
        witness = self._witness(change)
        region = region_of(change.box, self.wording.region(change.box), change.flows)
        return ChangeRow(
            group,
            witness.verdict,
            region,
            self._rule(False, change.old_rule),
            self._rule(True, change.new_rule),
            witness,
        )

    def _witness(self, change: Change) -> Witness:
        packet = packet_text(change.witness, self.old, self.new)
        return Witness(packet, act(change.new), self._rule(True, change.new_rule))

    def _rule(self, now: bool, index: int) -> RuleRecord:
        found = self._rules.get((now, index))
        if found is None:
            found = self._rules[now, index] = rule_at(self.new if now else self.old, index)
        return found

    def aside(self) -> dict[str, tuple[str, ...]]:
        """What was edited and decides none of the changed packets, what has no effect, and what may change."""
        return {
            "undecided": tuple(self.attribution.idle()),
            "without_effect": tuple(self.attribution.unaffecting()),
            "in_doubt": tuple(self.wording.region(box) for box in self.doubted),
        }
