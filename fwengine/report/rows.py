"""Answers as rows of a table: one flat mapping each, of texts as the language writes them, whole numbers, and None.

The words are the same in every row: `region`, `action`, `rule` (a label, `default` for the default), `file` and `line` of
the rule, `witness`, `flows`. A region is in the words of the policy asked, of the new one where there are two: its `region`
reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from typing import Any

from ..analysis.diff import Change
from ..analysis.finding import Finding
from ..analysis.prove import Proof
from ..analysis.query import Region
from ..analysis.wording import describe
from ..errors import Span
from ..language.meaning.region import readable, show_box
from ..model.box import Box
from ..model.packet import Packet
from ..model.rules import Case, Claim, Rule, Verdict
from ..model.ruleset import RuleSet
from ..policy import Policy
from ..traffic.sums import RuleCount
from .packets import details_of, packet_text
from .regions import Wording

EXACT = 1 << 53  # beyond, a column of numbers holds floats


@singledispatch
def row(value: Any) -> dict[str, Any]:
    """The row that an answer is."""
    raise AssertionError(f"no row: {value!r}")


@row.register
def _(verdict: Verdict) -> dict[str, Any]:
    return {"action": verdict.action.value, "rule": label(verdict), **place(verdict.rule), "reason": verdict.reason}


@row.register
def _(case: Case) -> dict[str, Any]:
    return {
        "region": boxes_text((case.box,)),
        "action": case.action.value,
        "rule": called(case.rule),
        **place(case.rule),
    }


@row.register
def _(region: Region) -> dict[str, Any]:
    rule = rule_of(region.of, region.rule)
    return {
        "region": _said(region.box, region.of),
        "action": region.action.value,
        "rule": label_of(region.of, region.rule),
        **place(rule),
        "witness": _packet(region.witness, region.box, region.of),
        "flows": number(region.flows),
    }


@row.register
def _(change: Change) -> dict[str, Any]:
    old, new = change.of or (None, None)
    before, after = place(rule_of(old, change.old_rule)), place(rule_of(new, change.new_rule))
    return {
        "region": _said(change.box, new),
        "old": change.old.value,
        "new": change.new.value,
        "old_rule": label_of(old, change.old_rule),
        "old_file": before["file"],
        "old_line": before["line"],
        "new_rule": label_of(new, change.new_rule),
        "new_file": after["file"],
        "new_line": after["line"],
        "witness": _packet(change.witness, change.box, old, new),
        "flows": number(change.flows),
    }


@row.register
def _(proof: Proof) -> dict[str, Any]:  # type: ignore[type-arg]  # of whatever claim
    verdict = proof.verdict
    shown = proof.counterexample
    return {
        "claim": claim_text(proof.claim),
        "holds": proof.holds,
        "status": proof.status.value,
        "confirmed": proof.confirmed.word if proof.confirmed else None,
        "witness": None if shown is None else str(shown),
        "action": None if verdict is None else verdict.action.value,
        "rule": None if verdict is None else label(verdict),
        **place(None if verdict is None else verdict.rule),
    }


@row.register
def _(finding: Finding) -> dict[str, Any]:
    policy = finding.of
    where = _span(finding)
    return {
        "code": finding.code,
        "severity": finding.severity,
        "rule": None if finding.rule is None else label_of(policy, finding.rule),
        "file": where.file if where else None,
        "line": where.line if where else None,
        "message": message(finding),
        "blockers": " and ".join(label_of(policy, blocker) for blocker in finding.blockers) or None,
        "witness": None if finding.witness is None else _packet(finding.witness, None, policy),
        "decided_by": None if finding.decided_by is None else label_of(policy, finding.decided_by),
        "removable": finding.removable,
    }


@row.register
def _(count: RuleCount) -> dict[str, Any]:
    return {
        "rule": count.label,
        "file": count.file,
        "line": count.line,
        "action": count.action.value,
        "packets": count.packets,
        "bytes": count.bytes,
    }


def message(finding: Finding) -> str:
    """What a finding says, in one line."""
    if finding.of is not None:
        return describe(finding.of, finding)
    about = f"rule {finding.rule}" if finding.rule is not None else "the text"
    return f"about {about}"


def claim_text(claim: Claim) -> str:
    """A claim as the language writes it: `deny tcp from any to any port 23 by default`."""
    text = getattr(claim, "text", "") or boxes_text(claim.boxes)
    return f"{claim.action} {text}" + (f" by {claim.by}" if claim.by else "")


def boxes_text(boxes: Iterable[Box]) -> str:
    """Some boxes as one region of the language."""
    return " or ".join(show_box(box) for box in readable(boxes)) or "no packet"


def _said(box: Box, policy: RuleSet | None) -> str:
    """A box as a region, in the words of the policy that it is about."""
    return Wording(policy if isinstance(policy, Policy) else None).region(box)


def label(verdict: Verdict) -> str | None:
    """What decides, by name; None if no rule was asked."""
    return verdict.by if verdict.rule is not None or verdict.reason == "default" or verdict.cases else None


def called(rule: Rule | None) -> str:
    return rule.label if rule else "default"


def place(rule: Rule | None) -> dict[str, Any]:
    """The file and line of a rule; of one that was made from data there is none."""
    written = rule is not None and not rule.span.file.startswith("<none>")
    return {"file": rule.span.file, "line": rule.span.line} if rule and written else {"file": None, "line": None}


def rule_of(policy: RuleSet | None, index: int) -> Rule | None:
    return policy.rules[index] if policy is not None and index < len(policy.rules) else None


def label_of(policy: RuleSet | None, index: int) -> str:
    """The label of a rule; its number where nobody knows the policy."""
    return policy.label(index) if policy is not None else f"rule {index}"


def number(count: int) -> int | float:
    """A count as a column of numbers holds it: exact up to 2^53, the nearest float beyond."""
    return count if count <= EXACT else float(count)


def _packet(packet: Packet, box: Box | None, *policies: RuleSet | None) -> str:
    known = [policy for policy in policies if isinstance(policy, Policy)]
    if len(known) < len(policies):
        return str(packet)
    return packet_text(packet, *known, kept=details_of(() if box is None else (box,)))


def _span(finding: Finding) -> Span | None:
    if finding.remark is not None:
        return finding.remark.span
    if finding.definition is not None:
        return finding.definition.span
    rule = rule_of(finding.of, finding.rule) if finding.rule is not None else None
    return rule.span if rule and place(rule)["file"] else None
