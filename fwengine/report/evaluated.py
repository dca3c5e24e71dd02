"""What `eval` answers about packets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ..codes import DECIDED
from .answer import Answer, Block, Case, Note, heading, table
from .decided import Decided
from .fared import every_line, fared, near_lines, split_lines, verdict_line
from .record import Place
from .style import Style
from .view import FOLDED, View


@dataclass(frozen=True)
class Evaluated(Answer):
    """The verdict on each packet; `expected` is what all were to get, if that was said."""

    command: ClassVar[str] = "eval"
    rows: ClassVar[str] = "results"

    policy: str
    expected: Literal["allow", "deny"] | None
    results: tuple[Decided, ...]
    _view: View = field(default=FOLDED, repr=False, compare=False)
    _every: bool = field(default=False, repr=False, compare=False)  # all rules are explained, not the nearest alone

    def lines(self, style: Style) -> Iterator[str]:
        for r in self.results:
            yield verdict_line(r, self.policy, style, named=len(self.results) > 1)
            if r.cases and not r.partial:
                yield from split_lines(r.cases, style, None if self._view.detail else self._view.width)
            if r.explain is None:
                continue
            if not self._every:
                yield from near_lines(r, style, self._view.width)
                continue
            if r.cases:
                yield "the rules in their order:"
            yield from every_line(r.explain, style)

    def blocks(self) -> Iterable[Block]:
        yield heading(f"Verdicts of `{self.policy}`")
        yield table(
            ("packet", "verdict", "by"),
            [(f"`{r.packet}`", r.verdict, f"`{r.by}`") for r in self.results],
        )
        for r in self.results:
            if r.cases:
                yield Block(f"`{r.packet}` leaves open what decides:")
                yield table(
                    ("if", "verdict", "by", "for example"),
                    [(f"`{p.condition}`", p.rule.action, f"`{p.rule}`", f"`{p.witness.packet}`") for p in r.cases],
                )
            if r.explain is not None:
                yield Block(f"Why `{r.packet}` fares so:")
                yield table(("rule", "", "because"), [(f"`{f.rule}`", *fared(f)) for f in r.explain])

    def notes(self) -> Iterable[Note]:
        for r in self.results:
            wrong = self.expected is not None and r.verdict != self.expected
            otherwise = f", expected {self.expected}" if wrong else ""
            yield Note(
                DECIDED,
                "error" if wrong else "info",
                f"`{r.packet}`: {r.told}{otherwise}",
                r.place or Place(self.policy),
                properties={
                    "packet": r.packet,
                    "verdict": r.verdict,
                    "rule": r.rule and r.rule.label,
                    "reason": r.reason,
                },
                about=(r.packet,),
            )

    def cases(self) -> Iterable[Case]:
        """Without an expectation a packet whose fate is known passes."""
        for r in self.results:
            passed = r.verdict == self.expected if self.expected else r.verdict != "depends"
            got = r.told
            message = f"expected {self.expected}, got {got}" if self.expected else got
            yield Case(self.policy, r.packet, passed, r.place, message, message, "packet")
