"""What `eval` answers about packets: the verdict on each, the rule that decides, and why not another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..analysis.interfaces import Stranger
from ..analysis.witness import witness
from ..codes import DECIDED
from ..model.packet import Packet
from ..model.rules import Verdict
from ..policy import Policy
from .answer import Answer, Block, Case, Note, heading, table
from .making import region_of, rule_at, rule_of, witness_of
from .reasons import Account, failure_text, implied
from .record import Fate, Place, Record, RegionRecord, RuleRecord, UnknownInterface, Witness
from .verdicts import FIELD_WORDS, condition, show_value, show_values, split

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

    If nothing of that holds, the rules above decide all that it matches.
    """

    rule: RuleRecord
    matched: bool
    expired: bool
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
        return cls(rule_of(a.rule), a.matched, a.expired, tuple(condition(box, packet) for box in a.decided), failed)


@dataclass(frozen=True)
class Decided(Record):
    """The verdict on one packet.

    Attributes:
        rule: the deciding rule; null if several decide, and if the packet cannot be decoded.
        partial: the packet is cut short, and decided from the fields that are there.
        cases: if several rules decide, the part of each.
        explain: how each rule fared, if that was asked for.
    """

    packet: str
    verdict: Fate
    rule: RuleRecord | None
    reason: Reason
    partial: bool = False
    cases: tuple[Part, ...] = ()
    unknown_interfaces: tuple[UnknownInterface, ...] = ()
    explain: tuple[RuleFared, ...] | None = None

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
        index = {id(rule): n for n, rule in enumerate(policy.rules)} if verdict.cases else {}
        parts = tuple(
            Part(
                "" if packet is None else condition(box, packet),
                region_of(box),
                rule_at(policy, at := index.get(id(case.rule), len(policy.rules))),
                witness_of(policy, witness(box, asked=policy.fields), at),
            )
            for case, box in split(verdict)
        )
        told = None
        if accounts is not None and packet is not None:
            told = tuple(RuleFared.of(a, packet) for a in accounts)
        unknown = tuple(map(UnknownInterface.of, strangers))
        return cls(text, verdict.action.value, rule, verdict.reason, partial, parts, unknown, told)

    @property
    def by(self) -> str:
        """The rules that decide, or why none does."""
        if self.rule is not None:
            return str(self.rule)
        return " or ".join(dict.fromkeys(str(part.rule) for part in self.cases)) or self.reason

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


@dataclass(frozen=True)
class Evaluated(Answer):
    """The verdict on each packet; `expected` is what all were to get, if that was said."""

    command: ClassVar[str] = "eval"
    rows: ClassVar[str] = "results"

    policy: str
    expected: Literal["allow", "deny"] | None
    results: tuple[Decided, ...]

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
                yield table(("rule", "", "because"), [(f"`{f.rule}`", *_fared(f)) for f in r.explain])

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


def _fared(r: RuleFared) -> tuple[str, str]:
    if r.matched:
        return "yes", ""
    if r.decides:
        return "part", " or ".join(r.decides)
    if r.expired:
        return "no", "expired"
    telling = [f.text for f in r.failed if not f.implied]
    return "no", "; ".join(telling) or "the rules above decide all that it matches"
