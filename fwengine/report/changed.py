"""What `diff` answers: the packets that two policies treat differently, as disjoint regions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..analysis.confirm import Answer as Found
from ..analysis.diff import Change
from ..codes import NEWLY_ALLOWED, NEWLY_DENIED
from ..policy import Policy
from .answer import Answer, Block, Case, Note, heading, table
from .making import region_of, rule_at
from .packets import packet_text
from .record import Act, Confirmed, Place, Record, RegionRecord, RuleRecord, Size, Witness, act
from .wording import DONE, counted

WORDS: dict[Act, str] = {"allow": "newly allowed", "deny": "newly denied"}
_CODES: dict[Act, str] = {"allow": NEWLY_ALLOWED, "deny": NEWLY_DENIED}


@dataclass(frozen=True)
class ChangeRow(Record):
    """Packets whose verdict changes, from that of the old rule to that of the new one.

    The witness is decided by `old` in the old policy, and by `new`, as it says, in the new one.
    """

    newly: Act
    region: RegionRecord
    old: RuleRecord
    new: RuleRecord
    witness: Witness

    @classmethod
    def of(cls, change: Change, old: Policy, new: Policy, text: str | None = None) -> ChangeRow:
        """`text` is the region in a policy's own words, if it is to be."""
        after = rule_at(new, change.new_rule)
        return cls(
            act(change.new),
            region_of(change.box, text, change.flows),
            rule_at(old, change.old_rule),
            after,
            Witness(packet_text(change.witness, old, new), act(change.new), after),
        )


@dataclass(frozen=True)
class DefinitionChange(Record):
    """A definition that was changed, added or removed, the rules that use it, and which of the changes they decide."""

    kind: str
    name: str
    old: Place | None
    new: Place | None
    rules: tuple[str, ...]
    changes: tuple[int, ...]
    flows: Size


@dataclass(frozen=True)
class Ruling(Record):
    """A verdict, and the rule that gives it; null if it is not a rule's."""

    verdict: Act
    rule: RuleRecord | None


@dataclass(frozen=True)
class CapturedChange(Record):
    """A packet of a capture, counted from 0, whose verdict changes; `text` is its class if it cannot be decoded whole."""

    capture: str
    packet: int
    text: str
    old: Ruling
    new: Ruling

    @property
    def by(self) -> str:
        """What decides it now."""
        return self.new.rule.label if self.new.rule else self.text


@dataclass(frozen=True)
class Changed(Answer):
    """All changes; `captured` is null if no capture was given."""

    command: ClassVar[str] = "diff"
    rows: ClassVar[str] = "changes"

    old: str
    new: str
    equivalent: bool
    changes: tuple[ChangeRow, ...]
    definitions: tuple[DefinitionChange, ...]
    captured: tuple[CapturedChange, ...] | None
    confirmed: Confirmed | None

    @classmethod
    def of(
        cls,
        old: Policy,
        new: Policy,
        found: Found[Change],
        definitions: Iterable[DefinitionChange] = (),
        captured: Sequence[CapturedChange] | None = None,
    ) -> Changed:
        rows = tuple(ChangeRow.of(change, old, new) for change in found)
        packets = None if captured is None else tuple(captured)
        how = Confirmed.of(found.confirmed)
        return cls(old.name, new.name, not rows, rows, tuple(definitions), packets, how)

    @property
    def total(self) -> str:
        word = f"; {self.confirmed.word}" if self.confirmed else ""
        if self.equivalent:
            return f"equivalent, proved: no packet's verdict changes{word}"
        told = []
        for newly, words in WORDS.items():
            mine = [row.region.flows for row in self.changes if row.newly == newly]
            if mine:
                told.append(f"{counted(len(mine), 'region')} {words} ({counted(sum(mine), 'flow')})")
        return f"{', '.join(told)}{word}"

    def blocks(self) -> Iterable[Block]:
        yield heading(f"Verdicts that change from `{self.old}` to `{self.new}`")
        yield Block(self.total)
        if self.changes:
            head = ("", "region", "before", "now", "for example", "flows")
            yield table(
                head,
                [
                    (
                        WORDS[row.newly],
                        f"`{row.region}`",
                        f"{DONE[row.old.action]} by `{row.old}`",
                        f"{DONE[row.new.action]} by `{row.new}`",
                        f"`{row.witness.packet}`",
                        f"{row.region.flows:,}",
                    )
                    for newly in WORDS
                    for row in self.changes
                    if row.newly == newly
                ],
            )
        if self.definitions:
            yield table(
                ("because of", "by way of", "changes"),
                [(f"{d.kind} `{d.name}`", ", ".join(d.rules), str(len(d.changes))) for d in self.definitions],
            )
        if self.captured:
            yield Block(f"{counted(len(self.captured), 'captured packet')} would change")
            yield table(
                ("capture", "packet", "", "before", "now"),
                [(f"`{c.capture}`", str(c.packet), f"`{c.text}`", c.old.verdict, c.new.verdict) for c in self.captured],
            )

    def notes(self) -> Iterable[Note]:
        """One for each pair of rules between which packets move, at the new rule."""
        pairs: dict[tuple[RuleRecord, RuleRecord], list[ChangeRow]] = {}
        for newly in WORDS:
            for row in self.changes:
                if row.newly == newly:
                    pairs.setdefault((row.old, row.new), []).append(row)
        for (old, new), rows in pairs.items():
            first = rows[0]
            more = f", and {counted(len(rows) - 1, 'more region')}" if len(rows) > 1 else ""
            yield Note(
                _CODES[first.newly],
                "warning",
                f"{WORDS[first.newly]}: {first.region.text}{more}",
                new.place or Place(self.new),
                notes=(_moved(old, new), f"e.g. {first.witness.packet}"),
                properties={
                    "old_rule": old.label,
                    "new_rule": new.label,
                    "regions": [row.region.text for row in rows],
                    "flows": sum(row.region.flows for row in rows),
                    "witness": first.witness.packet,
                },
                about=(first.newly, *(rule.label if rule.named else first.region.text for rule in (old, new))),
            )

    def cases(self) -> Iterable[Case]:
        """One for each change, which fails, or one that holds if there is none."""
        for row in self.changes:
            told = _moved(row.old, row.new)
            name = f"{WORDS[row.newly]}: {row.region.text}"
            text = f"{told}\ne.g. {row.witness.packet}"
            yield Case(self.new, name, False, row.new.place, told, text, "change")
        if self.equivalent:
            yield Case(self.new, f"equivalent to {self.old}", True)


def _moved(old: RuleRecord, new: RuleRecord) -> str:
    """`denied by default, now allowed by web-in (edge.fwl:8)`."""
    return f"{DONE[old.action]} by {old}, now {DONE[new.action]} by {new}"
