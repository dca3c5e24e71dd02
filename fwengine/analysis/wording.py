"""Findings in words: one line each. Knows rules by their labels and their conditions as they were written."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import address
from ..model.fields import DST, SPORT, SRC
from ..model.rules import ALLOW, Rule
from ..model.ruleset import RuleSet
from .anomalies import let_in
from .finding import Finding


def describe(policy: RuleSet, finding: Finding) -> str:
    """What a finding says, in one line: lower case, rules by their labels in backticks."""
    if finding.definition is not None:
        return f"{finding.definition.kind} `{finding.definition.name}` is never used"
    if finding.remark is not None:
        return finding.remark.message
    assert finding.rule is not None
    rule = policy.rules[finding.rule]
    name = f"rule `{policy.label(finding.rule)}`"
    who = listed([f"`{policy.label(b)}`" for b in finding.blockers], finding.more)
    decider = "the default" if finding.decided_by == len(policy.rules) else f"`{policy.label(finding.decided_by or 0)}`"
    code = finding.code
    if code == "FW201":
        return f"{name} can never match: {_shadow(policy, finding, who, decider)}"
    if code == "FW211":
        return _half(rule, finding)
    if finding.slip is not None:
        slip = finding.slip
        return f"{name} has interface `{slip.name}`, as no other rule has; did it mean `{slip.resembles}`?"
    if code == "FW304":
        family = 6 if let_in(rule, finding.field or SRC) == address.V6 else 4
        side = "source" if finding.field == SRC else "destination"
        return (
            f"{name} takes in every IPv{family} address as {side}: "
            f"{said(rule, finding.field or SRC)} leaves out none of them"
        )
    return {
        "FW202": f"{name} can never match: {who} {'together match' if len(finding.blockers) > 1 else 'matches'} all of it, "
        "with the same action",
        "FW203": f"{name} changes nothing: without it {who or 'the default'} would do the same",
        "FW204": f"{name} can never match: there is no such packet",
        "FW205": f"{name} generalizes {who}, with the other action",
        "FW206": f"{name} shares packets with {who} and has the other action: their order decides",
        "FW207": f"{name} expired on {finding.until}",
        "FW208": f"{name} expires on {finding.until}",
        "FW301": f"{name} allows every packet",
        "FW302": f"{name} has {'source ' if finding.field == SPORT else ''}port 1-65535, which misses port 0",
        "FW305": f"{name} matches IPv4 alone, not IPv6, for protocol {', '.join(map(str, finding.protocols))}",
        "FW303": f"later fragments of what {name} allows are denied by {decider}; other rules may be affected, too",
    }[code]


def _shadow(policy: RuleSet, finding: Finding, who: str, decider: str) -> str:
    """What becomes of a shadowed rule's packets, as exactly as one line can say it."""
    action = policy.rules[finding.rule or 0].action
    denies = "denies" if action is ALLOW else "allows"
    several = len(finding.blockers) > 1
    if finding.repeated:
        return f"{who} {'together match' if several else 'matches'} all of it, and {decider} {denies} some before that"
    if several or finding.decided_by != finding.blockers[0]:
        return f"{who} {'together match' if several else 'matches'} all of it, and {decider} {denies} some"
    return f"{who} {'decides all' if finding.alone else 'takes all that earlier rules leave'} of it, the other way"


def _half(rule: Rule, finding: Finding) -> str:
    """FW211 in words."""
    here, there = (SRC, DST) if finding.field == SRC else (DST, SRC)
    met = address.V4 if not rule.boxes[0].sets[there].isdisjoint(address.V4) else address.V6
    idle, other = ("IPv6", "IPv4") if met == address.V4 else ("IPv4", "IPv6")
    return (
        f"the {idle} addresses of {said(rule, here)} never match in rule `{rule.label}`: "
        f"{said(rule, there)} is {other} only"
    )


def said(rule: Rule, field: int) -> str:
    """A condition as it was written, in backticks."""
    text = next((words for f, words in rule.written if f == field), "")
    return f"`{text if len(text) <= 60 else text[:57] + '…'}`" if text else "its condition"


def listed(names: Sequence[str], more: bool) -> str:
    if more:
        return f"{', '.join(names)} and others"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
