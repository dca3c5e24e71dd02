"""What `eval -r` answers: captures through a policy, counted by rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ..analysis.interfaces import Stranger
from ..codes import DECIDED, UNEXERCISED
from ..policy import Policy
from ..traffic.sums import CaptureReport
from .answer import Answer, Block, Case, Note, heading, table
from .choice import EVERY, Choice
from .counts import called, merged, narrowed, total_line
from .flows import Flows, flow_lines
from .record import Act, Place, UnknownInterface
from .style import Style
from .tallies import CaptureTally, Coverage, RuleTally, Sums, sums_of
from .tally_lines import coverage_line, coverage_lines, rule_lines
from .wording import DOES, counted


@dataclass(frozen=True)
class Counted(Sums, Answer):
    """The counts over all captures, and those of each.

    `coverage` tells which rules decided packets, and `flows` those of most packets, if they were asked for; `expected` is what
    all packets were to get.
    """

    command: ClassVar[str] = "eval"
    rows: ClassVar[str] = "captures"

    policy: str
    expected: Act | None
    captures: tuple[CaptureTally, ...]
    coverage: Coverage | None
    unknown_interfaces: tuple[UnknownInterface, ...]
    flows: Flows | None
    _chosen: Choice = field(default=EVERY, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        policy: Policy,
        reports: Sequence[CaptureReport],
        expected: Act | None = None,
        *,
        coverage: bool = False,
        strangers: Iterable[Stranger] = (),
        flows: Flows | None = None,
        chosen: Choice = EVERY,
    ) -> Counted:
        """`chosen`: of which packets the rules are told."""
        total = merged(reports)
        return cls(
            policy=policy.name,
            expected=expected,
            captures=tuple(CaptureTally.of(narrowed(report, chosen), policy) for report in reports),
            coverage=Coverage.of_captures(total, policy) if coverage else None,
            unknown_interfaces=tuple(map(UnknownInterface.of, strangers)),
            flows=flows,
            _chosen=chosen,
            **sums_of(narrowed(total, chosen), policy),
        )

    @property
    def otherwise(self) -> int:
        """The packets that fared otherwise than expected."""
        return self.other_than(self.expected)

    def lines(self, style: Style) -> Iterator[str]:
        if len(self.captures) > 1:
            for each in self.captures:
                if each.packets or each.error is None:
                    yield total_line(each, called(each.file))
            yield total_line(self, "total")
        else:
            yield total_line(self, called(self.captures[0].file))
        yield ""
        yield from rule_lines(self, style, self._chosen)
        if self.flows is not None:
            yield ""
            yield from flow_lines(self.flows, style)
        if self.coverage is not None:
            yield ""
            yield from coverage_lines(self.coverage, style)

    def _wrong(self, row: RuleTally) -> bool:
        return self.expected is not None and row.rule.action != self.expected and row.packets > 0

    def blocks(self) -> Iterable[Block]:
        yield heading(f"Captures through `{self.policy}`")
        doubt = ("in doubt",) if self.depends else ()
        yield table(
            ("capture", "packets", "allowed", "denied", *doubt, "not IP", "error"),
            [
                (
                    f"`{called(c.file)}`",
                    *(f"{n:,}" for n in (c.packets, c.allow, c.deny, *([c.depends] if doubt else []), c.not_ip)),
                    c.error.message if c.error else "",
                )
                for c in self.captures
            ],
        )
        yield table(
            ("rule", "action", "packets", "bytes"),
            [
                (f"`{row.rule}`", row.rule.action, f"{row.packets:,}", f"{row.bytes:,}")
                for row in self.rules
                if row.packets
            ],
        )
        apart = (
            (self.malformed, "malformed: denied, no rule is asked"),
            (self.truncated, "truncated: denied, what is missing decides"),
            (self.tiny_fragment, "tiny fragments: denied, no rule is asked"),
            (self.several, "truncated: allowed, by one of several rules"),
            (self.not_ip, "not IP: no verdict"),
            (self.partial, "truncated, and decided from the fields that are there"),
        )
        for count, words in apart:
            if count:
                yield Block(f"{count:,} {words}")
        if self.kinds:
            yield table(("not IP", "packets"), [(kind.what, f"{kind.packets:,}") for kind in self.kinds])
        if self.recorded is not None:
            r = self.recorded
            yield table(
                ("recorded as", "allowed by this policy", "denied by this policy"),
                [
                    ("passed", f"{r.passed_allowed:,}", f"{r.passed_denied:,}"),
                    ("blocked", f"{r.blocked_allowed:,}", f"{r.blocked_denied:,}"),
                ],
            )
        if self.flows is not None:
            yield table(
                ("packets", "bytes", "source", "destination", "service", "rule", "first seen", "last seen"),
                [
                    (
                        f"{f.packets:,}",
                        f"{f.bytes:,}",
                        f.source,
                        f.destination,
                        f.service,
                        f"`{f.rule}`",
                        f.first,
                        f.last,
                    )
                    for f in self.flows.top
                ],
            )
        if self.coverage is not None:
            yield Block(coverage_line(self.coverage))
            if self.coverage.missing:
                yield Block(f"Never exercised: {', '.join(f'`{rule}`' for rule in self.coverage.missing)}")

    def notes(self) -> Iterable[Note]:
        """One for each rule that decided packets, and for each that was to be told and decided none."""
        for row in self.rules:
            if row.packets:
                wrong = self._wrong(row)
                yield Note(
                    DECIDED,
                    "error" if wrong else "info",
                    f"`{row.rule.label}` {DOES[row.rule.action]} {counted(row.packets, 'captured packet')}"
                    + (f", expected {self.expected}" if wrong else ""),
                    row.rule.place or Place(self.policy),
                    properties={"rule": row.rule.label, "packets": row.packets, "bytes": row.bytes},
                    about=(row.rule.label,),
                )
        for rule in self.coverage.missing if self.coverage else ():
            yield Note(
                UNEXERCISED,
                "info",
                f"`{rule.label}` decided no packet of the captures",
                rule.place,
                about=(rule.label,),
            )

    def cases(self) -> Iterable[Case]:
        """One for each capture: it holds if all its packets fare as expected, or nothing was expected."""
        for c in self.captures:
            wrong = c.other_than(self.expected)
            if c.error is None:
                message = f"expected {self.expected}: {counted(wrong, 'packet')} of {c.packets:,} fared otherwise"
                yield Case(called(c.file), "eval", not wrong, Place(self.policy), message, message, "capture")
