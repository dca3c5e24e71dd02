"""The records of which the answer of `diff` is made: changes, their causes, the files that were compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..analysis.edits import Kind
from .record import Act, Confirmed, Place, Record, RegionRecord, RuleRecord, Size, Witness

_PLACES = 3
Status = Literal["changed", "equivalent", "in doubt", "added", "removed"]


@dataclass(frozen=True)
class ChangeRow(Record):
    """Packets whose verdict changes, from that of the old rule to that of the new one; `group` is its place in `groups`, from 0.

    The witness is decided by `old` in the old policy, and by `new`, as it says, in the new one.
    """

    group: int
    newly: Act
    region: RegionRecord
    old: RuleRecord
    new: RuleRecord
    witness: Witness


@dataclass(frozen=True)
class Amount(Record):
    """How many regions, and the sum of their flows."""

    regions: int
    flows: Size


@dataclass(frozen=True)
class Deciders(Record):
    """Who decides some regions in one version: those of the rules that decide the most of them, and how many others there are."""

    verdicts: tuple[Act, ...]
    rules: tuple[RuleRecord, ...]
    others: int


@dataclass(frozen=True)
class SideRow(Record):
    """What a cause newly allows, leaves in doubt or denies, in short.

    Attributes:
        first: the place of its widest change in `changes`, from 0; `--limit` may have left it out.
        whole: whether `regions` are together just these packets; else they are the widest of the changes' regions.
        witness, flows: a packet of the widest change, and its size.
        old, new: who decides these packets before, and now.
    """

    newly: Act
    first: int
    whole: bool
    regions: tuple[str, ...]
    witness: Witness
    flows: Size
    old: Deciders
    new: Deciders


@dataclass(frozen=True)
class GroupRow(Record):
    """A cause and its changes, which are those from `first` on.

    Attributes:
        file: its place in `files`, from 0.
        definitions: the names that changed; of an edited rule those that it uses besides.
        old, new: where it stood, and where it stands.
        besides: other edits whose rules decide some of these packets as well.
        sides: what it newly allows, leaves in doubt and denies, as far as it does.
    """

    file: int
    cause: Kind
    text: str
    definitions: tuple[str, ...]
    old: tuple[Place, ...]
    new: tuple[Place, ...]
    newly_allowed: Amount
    newly_dependent: Amount
    newly_denied: Amount
    besides: tuple[str, ...]
    first: int
    sides: Sequence[SideRow]

    @property
    def amounts(self) -> tuple[Amount, Amount, Amount]:
        return self.newly_allowed, self.newly_dependent, self.newly_denied

    @property
    def count(self) -> int:
        """How many changes it has."""
        return sum(amount.regions for amount in self.amounts)

    @property
    def places(self) -> str:
        """`old.fwl:3 -> new.fwl:4`; of several in one version the first three."""
        sides: tuple[tuple[Place, ...], ...] = (self.old, self.new)
        return " -> ".join(", ".join(map(str, side[:_PLACES])) for side in sides if side)

    def amount(self, newly: Act) -> Amount:
        return {"allow": self.newly_allowed, "depends": self.newly_dependent, "deny": self.newly_denied}[newly]


@dataclass(frozen=True)
class FileRow(Record):
    """Two versions of one policy, or one that has no other.

    Attributes:
        renamed: it is called differently, and taken for the same by what it says.
        undecided: edits whose rules decide none of the changed packets.
        without_effect: what differs and changes no verdict.
        in_doubt: regions that depend on lines in doubt before and after, and not on the same: they may change as well.
    """

    old: str | None
    new: str | None
    status: Status
    renamed: bool = False
    undecided: tuple[str, ...] = ()
    without_effect: tuple[str, ...] = ()
    in_doubt: tuple[str, ...] = ()
    confirmed: Confirmed | None = None


@dataclass(frozen=True)
class Ruling(Record):
    """A verdict, and the rule that gives it; null if it is not a rule's."""

    verdict: Act
    rule: RuleRecord | None


@dataclass(frozen=True)
class CapturedChange(Record):
    """A packet of a capture, numbered from 0, whose verdict changes; null, and of another class than `ip`, if it is cut short."""

    capture: str
    number: int
    packet: str | None
    class_: Literal["ip", "truncated"]
    old: Ruling
    new: Ruling

    @property
    def by(self) -> str:
        """What decides it now."""
        return self.new.rule.label if self.new.rule else self.class_


def summed(amounts: Sequence[Amount]) -> Amount:
    """Amounts together."""
    return Amount(sum(a.regions for a in amounts), sum(a.flows for a in amounts))
