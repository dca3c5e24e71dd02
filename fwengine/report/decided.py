"""Verdicts on packets as records: what decides, on what it depends, and why not another rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..analysis.interfaces import Stranger
from ..model.box import Box
from ..model.packet import Packet
from ..model.rules import Case, Verdict
from ..policy import Policy
from .making import region_of, rule_at, rule_of, witness_of
from .reasons import Account, failure_text, implied, nearest
from .record import Fate, Made, Place, Record, RegionRecord, RuleRecord, UnknownInterface, Witness
from .regions import Wording
from .verdicts import FIELD_WORDS, condition, depends_on, show_value, show_values, split

Reason = Literal["rule", "default", "rules", "depends", "in doubt", "malformed", "truncated", "tiny-fragment"]


@dataclass(frozen=True)
class Part(Record):
    """A part of a packet that leaves fields open: which, the rule that decides it, and a packet of it."""

    condition: str
    region: RegionRecord
    rule: RuleRecord
    witness: Witness


@dataclass(frozen=True)
class FailedField(Record):
    """A condition of a rule that a packet does not meet; `implied`: it has no such field, being of another protocol."""

    field: str
    got: str
    wanted: str
    text: str
    implied: bool


@dataclass(frozen=True)
class RuleFared(Record):
    """How one rule fared: it decides all of the packet, or parts of it, or has expired, or fails in these fields.

    If nothing of that holds, the rules above decide all that it matches. `until`: the last day of one that has expired, which
    `would_match` otherwise.
    """

    rule: RuleRecord
    matched: bool
    expired: bool
    until: str | None
    would_match: bool
    decides: tuple[str, ...]
    failed: tuple[FailedField, ...]

    @classmethod
    def of(cls, a: Account, packet: Packet) -> RuleFared:
        failed = tuple(
            FailedField(
                FIELD_WORDS[f.field],
                show_value(f.field, f.got),
                f.written or show_values(f.field, f.wanted),
                failure_text(f, a.rule),
                implied(f, a.failures),
            )
            for f in a.failures
        )
        until = str(a.rule.until) if a.expired else None
        decides = tuple(condition(box, packet) for box in a.decided)
        return cls(rule_of(a.rule), a.matched, a.expired, until, a.would_match, decides, failed)


@dataclass(frozen=True)
class Decided(Record):
    """The verdict on one packet.

    Attributes:
        rule: the deciding rule; null if several decide, and if the packet cannot be decoded.
        partial: the packet is cut short, and decided from the fields that are there.
        depends_on: the fields that are open and make the difference, if the verdict depends on some.
        cases: if several rules decide, the part of each.
        explain: how each rule fared, if that was asked for.
        nearest: the places in `explain`, from 0, of the rules that came nearest to deciding.
    """

    packet: str
    verdict: Fate
    rule: RuleRecord | None
    reason: Reason
    partial: bool = False
    depends_on: tuple[str, ...] = ()
    cases: Sequence[Part] = ()
    unknown_interfaces: tuple[UnknownInterface, ...] = ()
    explain: tuple[RuleFared, ...] | None = None
    nearest: tuple[int, ...] | None = None
    _rules: tuple[RuleRecord, ...] = field(default=(), repr=False)  # of the cases, each once

    @classmethod
    def of(
        cls,
        policy: Policy,
        text: str,
        packet: Packet | None,
        verdict: Verdict,
        *,
        partial: bool = False,
        strangers: Iterable[Stranger] = (),
        accounts: Sequence[Account] | None = None,
    ) -> Decided:
        """`packet` is None if it cannot be decoded."""
        rule = None
        if verdict.rule is not None:
            rule = rule_of(verdict.rule)
        elif verdict.reason == "default":
            rule = rule_at(policy, len(policy.rules))
        parts = _parts(policy, verdict, packet) if verdict.cases else ()
        deciding = {id(case.rule): case.rule for case in verdict.cases}.values()
        told, near = None, None
        if accounts is not None and packet is not None:
            told, near = tuple(RuleFared.of(a, packet) for a in accounts), nearest(accounts, verdict)
        return cls(
            text,
            verdict.action.value,
            rule,
            verdict.reason,
            partial,
            tuple(depends_on(verdict)) if verdict.reason == "depends" else (),
            parts,
            tuple(map(UnknownInterface.of, strangers)),
            told,
            near,
            tuple(rule_at(policy, len(policy.rules)) if rule is None else rule_of(rule) for rule in deciding),
        )

    @property
    def by(self) -> str:
        """The rules that decide, or why none does."""
        if self.rule is not None:
            return str(self.rule)
        return " or ".join(dict.fromkeys(map(str, self._rules))) or self.reason

    @property
    def labels(self) -> str:
        """The same without places."""
        some = [self.rule] if self.rule is not None else self._rules
        return " or ".join(dict.fromkeys(rule.label for rule in some)) or self.reason

    @property
    def told(self) -> str:
        """`allow by web-in (edge.fwl:8)`, or between which rules it is open."""
        if self.verdict == "depends":
            return f"depends on what is left open, by {self.by}"
        return f"{self.verdict} by {self.by}" if self.rule or self.cases else f"{self.verdict}: {self.reason}"

    @property
    def place(self) -> Place | None:
        """Where what decides stands, if one rule does."""
        return self.rule.place if self.rule else None


def _parts(policy: Policy, verdict: Verdict, packet: Packet | None) -> Made[tuple[Case, Box], Part]:
    """The parts of an open packet, in the order of the rules."""
    index = {id(rule): n for n, rule in enumerate(policy.rules)}
    wording = Wording(policy)

    def part(key: tuple[Case, Box]) -> Part:
        from ..analysis.witness import witness  # late: a packet that is whole has no parts

        case, box = key
        at = index.get(id(case.rule), len(policy.rules))
        return Part(
            "" if packet is None else condition(box, packet),
            region_of(box, wording.region(box)),
            rule_at(policy, at),
            witness_of(policy, witness(box, asked=policy.fields), at),
        )

    return Made(tuple(split(verdict)), part)
