"""What `diff` answers: the changes by cause, over one pair of policies or over the files of two folders."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, groupby
from typing import ClassVar

from ..codes import NEWLY_ALLOWED, NEWLY_DENIED, NEWLY_DEPENDENT
from .answer import Answer, Block, Case, Note, heading, table
from .change_rows import Amount, CapturedChange, ChangeRow, FileRow, GroupRow, Status, summed
from .changed_lines import file_lines
from .counts import called
from .record import Confirmed, Made, Place, Related
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


def _rows(reviews: Sequence[Review], groups: Sequence[GroupRow], limit: int | None) -> Made[int, ChangeRow]:
    """Changes in the order in which they are told, each made when it is asked for."""
    firsts = [0, *accumulate(len(review.order) for review in reviews)]
    begins = [group.first for group in groups]

    def row(number: int) -> ChangeRow:
        which = bisect_right(firsts, number) - 1
        return reviews[which].change(number - firsts[which], bisect_right(begins, number) - 1)

    return Made(range(firsts[-1] if limit is None else min(limit, firsts[-1])), row)


@dataclass(frozen=True)
class Compared:
    """A file with what became of it; no review where there is nothing to compare it with."""

    file: FileRow
    review: Review | None = None

    @classmethod
    def of(cls, review: Review, *, renamed: bool = False) -> Compared:
        status: Status = "changed" if review.order else "in doubt" if review.doubted else "equivalent"
        confirmed = Confirmed.of(review.found.confirmed)
        file = FileRow(review.old.name, review.new.name, status, renamed, **review.aside(), confirmed=confirmed)
        return cls(file, review)

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
            if one.review is not None:
                groups += one.review.groups(number, first)
                first += len(one.review.order)
        rows = _rows(reviews, groups, view.limit)
        return cls(
            all(one.file.status == "equivalent" for one in compared),
            tuple(one.file for one in compared),
            summed([g.newly_allowed for g in groups]),
            summed([g.newly_dependent for g in groups]),
            summed([g.newly_denied for g in groups]),
            tuple(groups),
            rows,
            first - len(rows),
            _confirmed([one.file.confirmed for one in compared]),
            captured,
            flows,
            decided,
            view,
            noun,
        )

    @property
    def amounts(self) -> tuple[Amount, Amount, Amount]:
        return self.newly_allowed, self.newly_dependent, self.newly_denied

    # Text

    def lines(self, style: Style) -> Iterable[str]:
        several = len(self.files) > 1
        mine = {number: list(some) for number, some in groupby(self.groups, lambda group: group.file)}
        told = 0
        for number, file in enumerate(self.files):
            if several and self._noun != "file" and file.status == "equivalent":
                continue
            if several:
                yield from [""] * (told > 0)
                yield style(_titled(file), bold=True)
                told += 1
            if file.confirmed is not None:  # else there is nothing to compare it with
                yield from file_lines(file, mine.get(number, ()), self.changes, self._view, style)
        if several:
            yield from [""] * (told > 0)
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
            for group in self.groups:
                if group.file == number:
                    yield from self._group_blocks(group)
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

    def _group_blocks(self, group: GroupRow) -> Iterator[Block]:
        places = " -> ".join(str(side[0]) for side in (group.old, group.new) if side)
        yield heading(f"{group.text}{f' ({places})' if places else ''}")
        count = group.count
        most = count if self._view.detail else _ROWS
        rows = self.changes[group.first : group.first + min(count, most)]
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


def _confirmed(each: Sequence[Confirmed | None]) -> Confirmed | None:
    """How far all of it was found again; None if nothing was compared."""
    known = [one for one in each if one is not None]
    return Confirmed(all(one.complete for one in known), sum(one.samples for one in known)) if known else None


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
