"""What `query` answers: all packets of a region with a verdict, as disjoint regions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import ClassVar, Literal

from ..analysis.confirm import Answer as Found
from ..analysis.query import Region
from ..model.rules import Claim
from ..policy import Policy
from .answer import Answer, Block, Case, Note, heading, table
from .fit import wrapped
from .found_lines import LINES, FoundLines, summary
from .found_rows import Digest, RegionRow
from .listing import Listing, packets_asked
from .record import Act, Confirmed, RuleRecord, Size, UnknownInterface, act
from .sizes import counted, size
from .style import Style
from .view import FOLDED, View
from .wording import DOES

_STATUS: dict[bool, Literal["none", "about no packet"]] = {True: "none", False: "about no packet"}


@dataclass(frozen=True)
class Searched(Answer):
    """The regions, widest first.

    Attributes:
        asked: the verdict asked for.
        question: as it was asked.
        status: `found`, `none`, or `about no packet`, which answers nothing.
        found: all the regions in short.
        asked_packets: how many packets were asked about, told apart by all fields; null if not counted.
        more: regions that `--limit` left out; all the counts are of all.
        in_doubt: regions that depend on lines in doubt, which the rules of theirs name, and `in_doubt_more` that `--limit` left out.
        in_doubt_found: these in short; null if there are none.
        confirmed: of both.
    """

    command: ClassVar[str] = "query"
    rows: ClassVar[str] = "regions"

    policy: str
    asked: Act
    question: str
    status: Literal["found", "none", "about no packet"]
    regions: Sequence[RegionRow]
    found: Digest
    asked_packets: Size | None
    more: int
    in_doubt: Sequence[RegionRow]
    in_doubt_found: Digest | None
    in_doubt_more: int
    confirmed: Confirmed | None
    unknown_interfaces: tuple[UnknownInterface, ...]
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
        listing = Listing(policy, found, plain=not by_name)
        others = Listing(policy, doubted or Found((), None), plain=not by_name)
        regions, in_doubt = listing.rows(view.limit), others.rows(view.limit)
        digest = listing.digest(claim.boxes)
        in_doubt_digest = others.digest(claim.boxes) if in_doubt else None
        counted_ = any(some is not None and some.packets is not None for some in (digest, in_doubt_digest))
        return cls(
            policy.name,
            act(claim.action),
            question,
            "found" if regions else _STATUS[found.confirmed is not None],
            regions,
            digest,
            packets_asked(claim.boxes) if counted_ else None,
            digest.regions - len(regions),
            in_doubt,
            in_doubt_digest,
            in_doubt_digest.regions - len(in_doubt) if in_doubt_digest is not None else 0,
            _both(Confirmed.of(found.confirmed), Confirmed.of(doubted.confirmed) if doubted else None),
            tuple(map(UnknownInterface.of, policy.strangers(claim.boxes))),
            view,
        )

    @property
    def total(self) -> str:
        """`2 regions, 64,512 flows (confirmed)`, or that there is none."""
        if self.regions:
            return summary(self.found, self.asked_packets, self.confirmed, Style(False))
        if self.confirmed is None:
            return "empty: the question is about no packet"
        certainly = " for certain" if self.in_doubt else ""
        return f"none: no packet of this region gets `{self.asked}`{certainly}{_word(self.confirmed)}"

    def lines(self, style: Style) -> Iterator[str]:
        """At most 15, unless `--detail` or `--limit` ask for more."""
        most = LINES if self.in_doubt_found is None else LINES // 2
        head = self._summary(self.found, style) if self.regions else [self.total]
        used = 0
        for line in chain(head, self._part(self.found, self.regions, self.more, most - len(head), self.asked, style)):
            used += 1
            yield line
        if self.in_doubt_found is not None:
            yield ""
            yield "in doubt, unless `--in-doubt allow` or `--in-doubt deny` takes a side:"
            head = self._summary(self.in_doubt_found, style)
            yield from head
            most = LINES - used - 2 - len(head)
            yield from self._part(self.in_doubt_found, self.in_doubt, self.in_doubt_more, most, "depends", style)

    def _summary(self, found: Digest, style: Style) -> list[str]:
        plain = summary(found, self.asked_packets, self.confirmed, Style(False))
        whole = [summary(found, self.asked_packets, self.confirmed, style)]
        return whole if len(plain) <= self._view.width else list(wrapped(plain, self._view.width, rest="  "))

    def _part(
        self, found: Digest, rows: Sequence[RegionRow], more: int, most: int, verdict: Act, style: Style
    ) -> Iterator[str]:
        writer = FoundLines(verdict, self._view, style)
        if self._view.detail or self._view.limit is not None:
            return writer.each(rows, more, whole=self._view.detail)
        return writer.folded(found, most)

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


def _both(one: Confirmed | None, other: Confirmed | None) -> Confirmed | None:
    if one is None or other is None:
        return one or other
    return Confirmed(one.complete and other.complete, one.samples + other.samples)


def _word(confirmed: Confirmed | None) -> str:
    return f" ({confirmed.word})" if confirmed else ""
