"""Expectations and what became of them: for `fwengine test`, `prove` and the pytest plugin."""

from __future__ import annotations

import datetime
import shlex
from dataclasses import dataclass

from ..analysis.prove import Proof
from ..model.rules import Expectation
from ..policy import Policy
from .making import witness_of
from .packets import details_of
from .record import Act, Confirmed, Place, Record, UnknownInterface, Witness, act
from .screen import visible
from .style import Style


@dataclass(frozen=True)
class Outcome(Record):
    """One expectation and what became of it.

    Attributes:
        policy: what was loaded; the expectation may stand in a file that it includes.
        expectation: in canonical form.
        by: the rule that is to decide, if one is named.
        counterexample: a packet that it speaks of and that fares otherwise; null also where it is about no packet.
        command: what to paste, to see why.
        depends: the verdict depends on what the expectation leaves open.
    """

    place: Place
    policy: str
    expectation: str
    passed: bool
    confirmed: Confirmed | None
    expected: Act
    by: str | None
    counterexample: Witness | None
    command: str | None
    depends: bool
    unknown_interfaces: tuple[UnknownInterface, ...]

    @classmethod
    def of(cls, proof: Proof[Expectation], policy: Policy, path: str, as_of: datetime.date | None) -> Outcome:
        """`path` and `as_of` are what the policy was loaded with: the command to paste asks the same again."""
        claim, verdict = proof.claim, proof.verdict
        by = f" by {claim.by}" if claim.by else ""
        found = None
        if verdict is not None:
            assert proof.counterexample is not None
            index = len(policy.rules) if verdict.index is None else verdict.index
            found = witness_of(policy, proof.counterexample, index, details_of(claim.boxes))
        return cls(
            Place.of(claim.span),
            path,
            f"expect {claim.action.value} {claim.text}{by}",
            proof.holds,
            Confirmed.of(proof.confirmed),
            act(claim.action),
            claim.by,
            found,
            eval_command(path, found.packet, as_of, policy) if found else None,
            bool(found) and claim.packet is not None and policy.evaluate(claim.packet).reason == "depends",
            tuple(map(UnknownInterface.of, policy.strangers(claim.boxes))),
        )

    @property
    def wanted(self) -> str:
        """`deny by spoofed`."""
        return self.expected + (f" by {self.by}" if self.by else "")

    @property
    def got(self) -> str:
        """`allow by web-in`; what an expectation about no packet gets is nothing."""
        if self.counterexample is None:
            return self.expected if self.passed else "nothing: it is about no packet"
        word = "on" if self.counterexample.verdict == "depends" else "by"
        return f"{self.counterexample.verdict} {word} {_label(self.counterexample)}"


def _label(found: Witness) -> str:
    return found.rule.label if found.rule else "default"


def eval_command(path: str, packet: str, as_of: datetime.date | None, policy: Policy) -> str:
    """The line that asks why a packet fares as it does."""
    options = [*(policy.imported.options if policy.imported else ()), *(["--as-of", str(as_of)] if as_of else [])]
    return shlex.join(["fwengine", "eval", path, packet, "--explain", *options])


def failure_lines(result: Outcome) -> list[str]:
    """Below a failed expectation's own line: what was expected and got, by which rule, and the packet that shows it."""
    out = [f"  expected  {visible(result.wanted)}"]
    found = result.counterexample
    if found is None:
        return [*out, f"  got       {result.got}"]
    place = found.rule and found.rule.place
    at = "" if place is None or found.verdict == "depends" or str(place) == _label(found) else f"  {place}"
    depends = "; the verdict depends on what the expectation leaves open" if result.depends else ""
    return [
        *out,
        visible(f"  got       {result.got}{at}{depends}"),
        f"  packet    {visible(found.packet)}",
        f"  try       {visible(result.command or '')}",
    ]


def failure_head(result: Outcome, style: Style) -> str:
    """`FAILED edge.fwl:12  expect deny ...`."""
    via = "" if result.policy == result.place.file else f"  (of {result.policy})"
    return f"{style('FAILED', 'red', bold=True)} " + visible(f"{result.place}  {result.expectation}{via}")
