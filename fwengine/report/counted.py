"""What `eval -r` answers: captures through a policy, counted by rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..analysis.interfaces import Stranger
from ..codes import DECIDED, UNEXERCISED
from ..policy import Policy
from ..traffic.sums import CaptureReport, RuleCount
from .answer import Answer, Block, Case, Note, heading, table
from .counts import called, merged
from .failure import failures
from .flows import Flows
from .making import rule_at
from .nothing import no_verdict
from .record import Act, FailureRecord, Place, Record, RuleRecord, Size, UnknownInterface
from .wording import DOES, counted


@dataclass(frozen=True)
class KindTally(Record):
    """How many frames without IP hold what."""

    what: str
    packets: Size


@dataclass(frozen=True)
class RecordedTally(Record):
    """Packets by what the recording firewall did with them, and by what the policy does."""

    passed_allowed: Size
    passed_denied: Size
    blocked_allowed: Size
    blocked_denied: Size


@dataclass(frozen=True)
class RuleTally(Record):
    """What one rule decided; bytes are those on the wire."""

    rule: RuleRecord
    packets: Size
    bytes: Size


@dataclass(frozen=True)
class CaptureTally(Record):
    """One capture: packets = allow + deny + depends + not_ip; malformed, truncated and tiny fragments are within deny.

    `error` is what kept the rest of it from being read, or that none of its packets got a verdict.
    """

    file: str
    packets: Size
    allow: Size
    deny: Size
    not_ip: Size
    malformed: Size
    truncated: Size
    tiny_fragment: Size
    partial: Size
    several: Size
    kinds: tuple[KindTally, ...]
    recorded: RecordedTally | None
    rules: tuple[RuleTally, ...]
    error: FailureRecord | None
    depends: Size = 0

    @classmethod
    def of(cls, report: CaptureReport, policy: Policy) -> CaptureTally:
        error = no_verdict(report) if report.error is None else failures(report.error)[0]
        return cls(file=report.file, error=error.record if error else None, **_counts(report, policy))


@dataclass(frozen=True)
class PacketFared(Record):
    """One packet of a capture, with --per-packet: numbered from 0 over all captures.

    Attributes:
        text: the packet as it is written; null unless the class is `ip`.
        rule: what the deciding rule is called; null if no rule decides.
        what: of a frame without IP: what it holds; left out of others.
        recorded: what the log of a firewall says of it; left out if there is none.
    """

    packet: int
    text: str | None
    verdict: Act | None
    rule: str | None
    class_: Literal["ip", "not-ip", "malformed", "truncated", "tiny-fragment"]
    what: str | None = None
    recorded: str | None = None


@dataclass(frozen=True)
class PerPacket(Answer):
    """With --per-packet: each packet, written as it comes, and then the sums; what is neither allowed nor denied is not IP."""

    command: ClassVar[str] = "eval"
    rows: ClassVar[str] = "results"

    results: tuple[PacketFared, ...]
    packets: Size
    allow: Size
    deny: Size
    depends: Size

    def blocks(self) -> Iterable[Block]:
        yield table(
            ("packet", "", "verdict", "rule"),
            [(str(r.packet), r.text or r.class_, r.verdict or "", r.rule or "") for r in self.results],
        )


@dataclass(frozen=True)
class Counted(Answer):
    """The counts over all captures, and those of each.

    `unexercised` are the rules that decided no packet, and `flows` those of most packets, if they were asked for; `expected`
    is what all packets were to get.
    """

    command: ClassVar[str] = "eval"
    rows: ClassVar[str] = "captures"

    policy: str
    expected: Act | None
    packets: Size
    allow: Size
    deny: Size
    not_ip: Size
    malformed: Size
    truncated: Size
    tiny_fragment: Size
    partial: Size
    several: Size
    kinds: tuple[KindTally, ...]
    recorded: RecordedTally | None
    rules: tuple[RuleTally, ...]
    captures: tuple[CaptureTally, ...]
    unexercised: tuple[RuleRecord, ...] | None
    unknown_interfaces: tuple[UnknownInterface, ...]
    flows: Flows | None
    depends: Size = 0

    @classmethod
    def of(
        cls,
        policy: Policy,
        reports: Sequence[CaptureReport],
        expected: Act | None = None,
        unexercised: Iterable[RuleCount] | None = None,
        strangers: Iterable[Stranger] = (),
        flows: Flows | None = None,
    ) -> Counted:
        idle = None if unexercised is None else tuple(_rule(policy, row) for row in unexercised)
        return cls(
            policy=policy.name,
            expected=expected,
            captures=tuple(CaptureTally.of(report, policy) for report in reports),
            unexercised=idle,
            unknown_interfaces=tuple(map(UnknownInterface.of, strangers)),
            flows=flows,
            **_counts(merged(reports), policy),
        )

    @property
    def otherwise(self) -> int:
        """The packets that fared otherwise than expected."""
        return {"allow": self.deny, "deny": self.allow}.get(self.expected or "", 0) + (
            self.depends if self.expected else 0
        )

    def _wrong(self, row: RuleTally) -> bool:
        return self.expected is not None and row.rule.action != self.expected and row.packets > 0

    def blocks(self) -> Iterable[Block]:
        yield heading(f"Captures through `{self.policy}`")
        yield table(
            ("capture", "packets", "allowed", "denied", "not IP", "error"),
            [
                (
                    f"`{called(c.file)}`",
                    *(f"{n:,}" for n in (c.packets, c.allow, c.deny, c.not_ip)),
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
            (self.not_ip, "not IP: no verdict"),
        )
        for count, words in apart:
            if count:
                yield Block(f"{count:,} {words}")
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
        if self.unexercised:
            yield Block(f"Never exercised: {', '.join(f'`{rule}`' for rule in self.unexercised)}")

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
        for rule in self.unexercised or ():
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
            wrong = {"allow": c.deny, "deny": c.allow}.get(self.expected or "", 0) + (c.depends if self.expected else 0)
            if c.error is None:
                message = f"expected {self.expected}: {counted(wrong, 'packet')} of {c.packets:,} fared otherwise"
                yield Case(called(c.file), "eval", not wrong, Place(self.policy), message, message, "capture")


def _rule(policy: Policy, row: RuleCount) -> RuleRecord:
    return rule_at(policy, len(policy.rules) if row.index is None else row.index)


def _counts(report: CaptureReport, policy: Policy) -> dict[str, Any]:
    return {
        "packets": report.packets,
        "allow": report.allow,
        "deny": report.deny,
        "depends": report.depends,
        "not_ip": report.not_ip,
        "malformed": report.malformed,
        "truncated": report.truncated,
        "tiny_fragment": report.tiny_fragment,
        "partial": report.partial,
        "several": report.several,
        "kinds": tuple(KindTally(*kind) for kind in report.kinds),
        "recorded": RecordedTally(*report.recorded) if report.recorded else None,
        "rules": tuple(RuleTally(_rule(policy, row), row.packets, row.bytes) for row in report.rules),
    }
