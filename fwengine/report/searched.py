"""What `query` answers: all packets of a region with a verdict, as disjoint regions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ..analysis.confirm import Answer as Found
from ..analysis.query import Region
from ..model.rules import Claim
from ..policy import Policy
from .answer import Answer, Block, Case, Note, heading, table
from .listing import Listing
from .making import region_of, rule_at, witness_of
from .packets import details_of
from .record import Act, Confirmed, Record, RegionRecord, RuleRecord, Size, UnknownInterface, Witness, act
from .sizes import counted, size
from .style import Style
from .view import FOLDED, View
from .wording import DOES

_STATUS: dict[bool, Literal["none", "about no packet"]] = {True: "none", False: "about no packet"}


@dataclass(frozen=True)
class RegionRow(Record):
    """Packets that one rule decides, with one of them."""

    region: RegionRecord
    rule: RuleRecord
    witness: Witness


@dataclass(frozen=True)
class Searched(Answer):
    """The regions, widest first.

    Attributes:
        asked: the verdict asked for.
        question: as it was asked.
        status: `found`, `none`, or `about no packet`, which answers nothing.
        packets, asked_packets: how many they are, and how many were asked about, told apart by all fields; null if not counted.
        more: regions that `--limit` left out; all the counts are of all.
        in_doubt: regions that depend on lines in doubt, which the rules of theirs name, and `in_doubt_more` that `--limit` left out.
    """

    command: ClassVar[str] = "query"
    rows: ClassVar[str] = "regions"

    policy: str
    asked: Act
    question: str
    status: Literal["found", "none", "about no packet"]
    regions: tuple[RegionRow, ...]
    packets: Size | None
    asked_packets: Size | None
    more: int
    in_doubt: tuple[RegionRow, ...]
    in_doubt_more: int
    confirmed: Confirmed | None
    unknown_interfaces: tuple[UnknownInterface, ...]
    _listing: Listing = field(repr=False, compare=False)
    _doubted: Listing | None = field(default=None, repr=False, compare=False)
    _view: View = field(default=FOLDED, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        policy: Policy,
        claim: Claim,
        question: str,
        found: Found[Region],
        view: View = FOLDED,
        *,
        by_name: bool = True,
        doubted: Found[Region] | None = None,
    ) -> Searched:
        listing = Listing(policy, found, claim.boxes, plain=not by_name)
        rows = _rows(policy, listing, view.limit)
        others = Listing(policy, doubted, claim.boxes, plain=not by_name) if doubted else None
        in_doubt = _rows(policy, others, view.limit) if others is not None else ()
        strangers = tuple(map(UnknownInterface.of, policy.strangers(claim.boxes)))
        status = "found" if rows else _STATUS[found.confirmed is not None]
        packets, whole = listing.packets if found and listing.packets else (None, None)
        return cls(
            policy.name, act(claim.action), question, status, rows, packets, whole, len(found) - len(rows),
            in_doubt, len(doubted or ()) - len(in_doubt), Confirmed.of(found.confirmed), strangers, listing, others, view,
        )  # fmt: skip

    @property
    def total(self) -> str:
        """`2 regions, 64,512 flows (confirmed)`, or that there is none."""
        if self.regions:
            return self._listing.summary(Style(False))
        if self.confirmed is None:
            return "empty: the question is about no packet"
        certainly = " for certain" if self.in_doubt else ""
        return f"none: no packet of this region gets `{self.asked}`{certainly}{_word(self.confirmed)}"

    def lines(self, style: Style) -> Iterable[str]:
        if self.regions:
            yield from self._listing.lines(style, self._view.width, detail=self._view.detail, limit=self._view.limit)
        else:
            yield self.total
        if self._doubted is not None:
            yield ""
            yield "in doubt, unless `--in-doubt allow` or `--in-doubt deny` takes a side:"
            view = self._view
            yield from self._doubted.lines(style, view.width, detail=view.detail, limit=view.limit)

    def blocks(self) -> Iterable[Block]:
        yield heading(f"`{self.question}` in `{self.policy}`")
        yield Block(self.total)
        if self.regions:
            head = ("verdict", "region", "rule", "for example", "flows")
            yield table(
                head,
                (
                    (self.asked, f"`{r.region.text}`", f"`{r.rule}`", f"`{r.witness.packet}`", size(r.region.flows))
                    for r in self.regions
                ),
            )
        if self.in_doubt:
            yield table(
                ("in doubt", "on", "for example", "flows"),
                [
                    (f"`{r.region.text}`", f"`{r.rule}`", f"`{r.witness.packet}`", size(r.region.flows))
                    for r in self.in_doubt
                ],
            )

    def notes(self) -> Iterable[Note]:
        """One for each rule that decides some of it, at the rule."""
        by_rule: dict[RuleRecord, list[RegionRow]] = {}
        for row in (*self.regions, *self.in_doubt):
            by_rule.setdefault(row.rule, []).append(row)
        for rule, rows in by_rule.items():
            first = rows[0]
            more = f", and {counted(len(rows) - 1, 'more region')}" if len(rows) > 1 else ""
            yield Note(
                "FW601",
                "info",
                f"`{rule.label}` {DOES[rule.action]} {first.region.text}{more}",
                rule.place,
                notes=(f"e.g. {first.witness.packet}", f"asked for: {self.question}"),
                properties={
                    "rule": rule.label,
                    "regions": [row.region.text for row in rows],
                    "witness": first.witness.packet,
                },
                about=(self.question, rule.label if rule.named else first.region.text),
            )

    def cases(self) -> Iterable[Case]:
        yield Case(self.policy, self.question, bool(self.regions), message=self.total, text=self.total, kind="query")


def _rows(policy: Policy, listing: Listing, limit: int | None) -> tuple[RegionRow, ...]:
    return tuple(
        RegionRow(
            region_of(r.box, listing.wording.region(r.box), r.flows),
            rule_at(policy, r.rule),
            witness_of(policy, r.witness, r.rule, details_of((r.box,))),
        )
        for r in listing.regions[:limit]
    )


def _word(confirmed: Confirmed | None) -> str:
    return f" ({confirmed.word})" if confirmed else ""
