"""What `diff` answers: the changes by cause, over one pair of policies or over the files of two folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import ClassVar, Literal

from ..analysis.causes import Cause
from ..analysis.diff import Change
from ..analysis.edits import Kind
from ..codes import NEWLY_ALLOWED, NEWLY_DENIED, NEWLY_DEPENDENT
from ..policy import Policy
from .answer import Answer, Block, Case, Note, heading, table
from .counts import called
from .making import region_of, rule_at
from .packets import packet_text
from .record import Act, Confirmed, Made, Place, Record, RegionRecord, Related, RuleRecord, Size, Witness, act
from .refated import Refated
from .review import Review
from .sizes import counted, size
from .style import Style
from .view import FOLDED, View
from .wording import DONE

_ROWS = 12  # of one cause in a table on a page
_LACKING = {"in doubt": "lines in doubt are not the same, so that verdicts may change"}
_SIDES = ("allowed", "dependent", "denied")
_CODES = (NEWLY_ALLOWED, NEWLY_DEPENDENT, NEWLY_DENIED)
_PACKETS = 50  # captured, as text
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
class GroupRow(Record):
    """A cause and its changes, which are those from `first` on.

    Attributes:
        file: its place in `files`, from 0.
        definitions: the names that changed; of an edited rule those that it uses besides.
        old, new: where it stood, and where it stands.
        besides: other edits whose rules decide some of these packets as well.
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

    @property
    def amounts(self) -> tuple[Amount, Amount, Amount]:
        return self.newly_allowed, self.newly_dependent, self.newly_denied


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


def _rows(reviews: Iterable[Review], limit: int | None = None) -> Made[tuple[int, Review, Change], ChangeRow]:
    """Changes in the order in which they are told."""
    causes = enumerate((review, cause) for review in reviews for cause in review.causes)
    each = ((group, review, change) for group, (review, cause) in causes for change in cause.changes)
    known: dict[tuple[int, int], RuleRecord] = {}

    def rule(policy: Policy, index: int) -> RuleRecord:
        key = id(policy), index  # the reviews hold the policies
        found = known.get(key)
        if found is None:
            found = known[key] = rule_at(policy, index)
        return found

    def row(key: tuple[int, Review, Change]) -> ChangeRow:
        group, review, change = key
        newly, new_rule = act(change.new), rule(review.new, change.new_rule)
        return ChangeRow(
            group,
            newly,
            region_of(change.box, review.wording.region(change.box), change.flows),
            rule(review.old, change.old_rule),
            new_rule,
            Witness(packet_text(change.witness, review.old, review.new), newly, new_rule),
        )

    return Made(list(islice(each, limit)), row)


@dataclass(frozen=True)
class Compared:
    """A file with what became of it; no review where there is nothing to compare it with."""

    file: FileRow
    review: Review | None = None

    @classmethod
    def of(cls, review: Review, *, renamed: bool = False) -> Compared:
        status: Status = "changed" if review.order else "in doubt" if review.doubted else "equivalent"
        aside = {key: tuple(value) for key, value in review.aside().items()}
        confirmed = Confirmed.of(review.found.confirmed)
        return cls(FileRow(review.old.name, review.new.name, status, renamed, **aside, confirmed=confirmed), review)

    @classmethod
    def planned(cls, review: Review) -> Compared:
        """As `of`, of a policy that may be there in one version alone."""
        made = cls.of(review)
        come, gone = (one.imported is not None and one.imported.is_absent for one in (review.old, review.new))
        if not (come or gone):
            return made
        old, new = None if come else made.file.old, None if gone else made.file.new
        return replace(made, file=replace(made.file, old=old, new=new, status="added" if come else "removed"))


@dataclass(frozen=True)
class Changed(Answer):
    """The changes by their causes: of what is newly allowed first, then of what newly
    depends on lines in doubt, then of what is newly denied, the wide before the narrow.

    Attributes:
        equivalent: no verdict changes, none may change by lines in doubt, and no file is without its other version.
        more: changes that `--limit` left out of `changes`; all the counts are of all.
        flows: the flows of logs whose fate changes, if logs were given.
    """

    command: ClassVar[str] = "diff"
    rows: ClassVar[str] = "changes"

    equivalent: bool
    files: tuple[FileRow, ...]
    newly_allowed: Amount
    newly_dependent: Amount
    newly_denied: Amount
    groups: tuple[GroupRow, ...]
    changes: Sequence[ChangeRow]
    more: int
    confirmed: Confirmed | None
    captured: tuple[CapturedChange, ...] | None = None
    flows: Refated | None = None
    _decided: int = field(default=0, repr=False, compare=False)  # captured packets that have a verdict
    _compared: tuple[Compared, ...] = field(default=(), repr=False, compare=False)
    _view: View = field(default=FOLDED, repr=False, compare=False)
    _noun: str = field(
        default="file", repr=False, compare=False
    )  # what is compared; of a file's policies the changed are told

    @classmethod
    def of(
        cls,
        compared: Sequence[Compared],
        view: View = FOLDED,
        captured: tuple[CapturedChange, ...] | None = None,
        decided: int = 0,
        noun: str = "file",
        flows: Refated | None = None,
    ) -> Changed:
        reviews = [one.review for one in compared if one.review is not None]
        groups: list[GroupRow] = []
        first = 0
        for number, one in enumerate(compared):
            for cause in one.review.causes if one.review else ():
                groups.append(_group(number, one.review, cause, first))  # type: ignore[arg-type]  # it has causes
                first += len(cause.changes)
        rows = _rows(reviews, view.limit)
        return cls(
            all(one.file.status == "equivalent" for one in compared),
            tuple(one.file for one in compared),
            _sum(g.newly_allowed for g in groups),
            _sum(g.newly_dependent for g in groups),
            _sum(g.newly_denied for g in groups),
            tuple(groups),
            rows,
            first - len(rows),
            _confirmed([one.file.confirmed for one in compared]),
            captured,
            flows,
            decided,
            tuple(compared),
            view,
            noun,
        )

    @property
    def amounts(self) -> tuple[Amount, Amount, Amount]:
        return self.newly_allowed, self.newly_dependent, self.newly_denied

    # Text

    def lines(self, style: Style) -> Iterable[str]:
        told = 0
        for one in self._compared:
            if self._noun != "file" and len(self._compared) > 1 and one.file.status == "equivalent":
                continue
            if len(self._compared) > 1:
                if told:
                    yield ""
                told += 1
                yield style(_titled(one.file), bold=True)
            if one.review is not None:
                yield from one.review.lines(style, self._view.width, detail=self._view.detail, limit=self._view.limit)
        if len(self._compared) > 1:
            if told:
                yield ""
            yield self.total
        yield from self._packets()
        if self.flows is not None:
            from .reflowed import refated_lines  # late: most comparisons have no log

            yield from refated_lines(self.flows, style)

    @property
    def total(self) -> str:
        """`3 files: 1 changed, 1 added, 1 equivalent`"""
        states = [one.status for one in self.files]
        told = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
        return f"{counted(len(states), self._noun)}: {', '.join(told)}"

    def _packets(self) -> Iterator[str]:
        if self.captured is None or not self._decided:
            return
        shown = self.captured if self._view.detail else self.captured[:_PACKETS]
        for f in shown:
            yield f"  {called(f.capture)}:{f.number}  {f.packet or f.class_}  {f.old.verdict} -> {f.new.verdict} by {f.by}"
        if len(self.captured) > len(shown):
            yield f"  and {len(self.captured) - len(shown):,} more"
        yield f"{counted(len(self.captured), 'captured packet')} would change"

    # Pages, and notes for pull requests

    def blocks(self) -> Iterable[Block]:
        yield heading("Changes of verdicts")
        yield Block(self.summary_text)
        for number, file in enumerate(self.files):
            if len(self.files) > 1 or file.renamed:
                yield heading(_titled(file))
            for n, group in enumerate(self.groups):
                if group.file == number:
                    yield from self._group_blocks(n, group)
            for title, some in (("Edited, deciding none of these packets", file.undecided),
                                ("Without effect on any verdict", file.without_effect),
                                ("In doubt before and after, by lines that are not the same", file.in_doubt)):  # fmt: skip
                if some:
                    yield Block(f"{title}: {'; '.join(some)}.")
        if self.captured is not None and self._decided:
            yield Block(f"{counted(len(self.captured), 'captured packet')} would change.")
        if self.flows is not None:
            from .reflowed import refated_blocks  # as above

            yield from refated_blocks(self.flows)

    def _group_blocks(self, number: int, group: GroupRow) -> Iterator[Block]:
        places = " -> ".join(str(side[0]) for side in (group.old, group.new) if side)
        yield heading(f"{group.text}{f' ({places})' if places else ''}")
        count = sum(amount.regions for amount in group.amounts)
        most = count if self._view.detail else _ROWS
        rows = [row for row in self.changes[group.first : group.first + min(count, most)] if row.group == number]
        head = ("now", "region", "for example", "decided by before", "and now", "flows")
        yield table(
            head,
            (
                (
                    f"newly {DONE[r.newly]}", f"`{r.region.text}`", f"`{r.witness.packet}`",
                    f"`{r.old}`", f"`{r.new}`", size(r.region.flows),
                )
                for r in rows
            ),
        )  # fmt: skip
        if count > len(rows):
            yield Block(f"And {counted(count - len(rows), 'more region')}.")

    @property
    def summary_text(self) -> str:
        """The counts in a sentence."""
        if not self.groups:
            told = "No packet's verdict changes" + (" for certain." if any(f.in_doubt for f in self.files) else ".")
        else:
            parts = [
                f"{amount.regions:,} newly {word} ({counted(amount.flows, 'flow')})"
                for amount, word in zip(self.amounts, _SIDES, strict=True)
                if amount.regions
            ]
            count = sum(amount.regions for amount in self.amounts)
            causes = f"{len(self.groups):,} cause{'s' * (len(self.groups) != 1)}"
            told = f"{counted(count, 'change')} of {causes}: {', '.join(parts)}."
        return told if len(self.files) == 1 else f"{told} {self.total}."

    def notes(self) -> Iterable[Note]:
        """One for what each cause newly allows, leaves in doubt, and denies, where the cause stands."""
        for number, group in enumerate(self.groups):
            place = group.new[0] if group.new else _file_place(self.files[group.file])
            related = tuple(Related(old, "what stood there before") for old in group.old)
            at = group.first
            for amount, code, word in zip(group.amounts, _CODES, _SIDES, strict=True):
                if not amount.regions:
                    continue
                row = self.changes[at] if at < len(self.changes) else None
                told = [] if row is None else [f"the widest is {row.region.text}, e.g. {row.witness.packet}"]
                yield Note(
                    code,
                    "info" if code == NEWLY_DENIED else "warning",
                    f"{group.text}: {counted(amount.regions, 'region')} newly {word}, {counted(amount.flows, 'flow')}",
                    place,
                    notes=tuple(told),
                    related=related,
                    properties={
                        "group": number,
                        "cause": group.cause,
                        "regions": amount.regions,
                        "flows": amount.flows,
                        "first": at,
                        "witness": row.witness.packet if row else None,
                    },
                    about=(group.text, word),
                )
                at += amount.regions
        for file in self.files:
            if file.in_doubt:
                what = f"lines in doubt are not the same: {counted(len(file.in_doubt), 'region')} may change"
                yield Note(NEWLY_DEPENDENT, "warning", what, _file_place(file), notes=file.in_doubt[:1])

    def cases(self) -> Iterable[Case]:
        """Each file is one: its verdicts stay as they are, or not."""
        for number, file in enumerate(self.files):
            mine = [group for group in self.groups if group.file == number]
            text = "\n".join([*(f"{g.text}: {_amounts(g)}" for g in mine), *(f"in doubt: {t}" for t in file.in_doubt)])
            same = file.status == "equivalent"
            message = (
                ""
                if same
                else f"{len(mine)} cause{'s' * (len(mine) != 1)}"
                if mine
                else _LACKING.get(file.status, f"the file was {file.status}")
            )
            yield Case(file.new or file.old or "", "no verdict changes", same, None, message, text, kind="diff")


def _group(number: int, review: Review, cause: Cause, first: int) -> GroupRow:
    old, new = (tuple(map(Place.of, spans)) for spans in review.attribution.spans(cause.edit))
    allowed, dependent, denied = cause.flows
    return GroupRow(
        number,
        cause.edit.kind,
        review.attribution.text(cause.edit),
        cause.edit.names,
        old,
        new,
        Amount(len(cause.allowed), allowed),
        Amount(len(cause.dependent), dependent),
        Amount(len(cause.denied), denied),
        tuple(map(review.attribution.text, cause.besides)),
        first,
    )


def _confirmed(each: Sequence[Confirmed | None]) -> Confirmed | None:
    """How far all of it was found again; None if nothing was compared."""
    known = [one for one in each if one is not None]
    return Confirmed(all(one.complete for one in known), sum(one.samples for one in known)) if known else None


def _sum(amounts: Iterable[Amount]) -> Amount:
    known = list(amounts)
    return Amount(sum(a.regions for a in known), sum(a.flows for a in known))


def _amounts(group: GroupRow) -> str:
    sides = zip(group.amounts, _SIDES, strict=True)
    return ", ".join(f"{counted(a.regions, 'region')} newly {word}" for a, word in sides if a.regions)


def _titled(file: FileRow) -> str:
    if file.new is None or file.old is None:
        return f"{file.new or file.old}: {file.status}"
    if file.renamed:
        return f"{file.old} -> {file.new}: renamed, {file.status}"
    return f"{file.new}: {file.status}"


def _file_place(file: FileRow) -> Place | None:
    name = file.new or file.old
    return Place(name) if name else None
