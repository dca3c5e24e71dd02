"""What became of the packets of captures, in numbers: by verdict, by class, by rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..policy import Policy
from ..traffic.sums import CaptureReport, RuleCount
from .counts import unexercised
from .failure import failures
from .making import rule_at
from .nothing import no_verdict
from .record import Act, FailureRecord, Record, RuleRecord, Size


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
class Sums(Record):
    """Packets counted: packets = allow + deny + depends + not_ip; malformed, truncated and tiny fragments are within deny."""

    packets: Size
    allow: Size
    deny: Size
    depends: Size
    not_ip: Size
    malformed: Size
    truncated: Size
    tiny_fragment: Size
    partial: Size
    several: Size
    kinds: tuple[KindTally, ...]
    recorded: RecordedTally | None
    rules: tuple[RuleTally, ...]

    def other_than(self, expected: Act | None) -> int:
        """The packets that fared otherwise than all were to."""
        if expected is None:
            return 0
        return self.depends + {"allow": self.deny, "deny": self.allow}.get(expected, 0)


def sums_of(report: CaptureReport, policy: Policy) -> dict[str, Any]:
    """The fields of `Sums`."""
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


@dataclass(frozen=True)
class CaptureTally(Sums):
    """One capture; `error` is what kept the rest of it from being read, or that none of its packets got a verdict.

    `notes` are what else there is to say of it: what rules ask for that it does not record, frames that are not decoded.
    """

    file: str
    error: FailureRecord | None
    notes: tuple[str, ...]

    @classmethod
    def of(cls, report: CaptureReport, policy: Policy) -> CaptureTally:
        error = no_verdict(report) if report.error is None else failures(report.error)[0]
        told = error.record if error else None
        return cls(file=report.file, error=told, notes=tuple(report.notes), **sums_of(report, policy))


@dataclass(frozen=True)
class Coverage(Record):
    """How many rules were exercised, as a share of all, and which were not."""

    rules: int
    covered: int
    ratio: float
    missing: tuple[RuleRecord, ...]

    @classmethod
    def of(cls, rules: int, missing: Iterable[RuleRecord]) -> Coverage:
        left = tuple(missing)
        return cls(rules, rules - len(left), 1 - len(left) / rules if rules else 1.0, left)

    @classmethod
    def of_captures(cls, report: CaptureReport, policy: Policy) -> Coverage:
        """Of the active rules, what the captures exercised; the default is none of them."""
        left = unexercised(report, policy)
        active = sum(map(policy.active, policy.rules))
        return cls.of(active, (_rule(policy, row) for row in left))


def _rule(policy: Policy, row: RuleCount) -> RuleRecord:
    return rule_at(policy, len(policy.rules) if row.index is None else row.index)
