"""Values as sentences: what `str` says of a verdict, a region, a change, a proof, a finding, a rule.

Lower case, rules in backticks with their places; nothing of it has control characters.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from ..analysis.confirm import Answer
from ..analysis.diff import Change
from ..analysis.finding import Finding
from ..analysis.prove import Proof, Status
from ..analysis.query import Region
from ..language.meaning.region import readable, show_box
from ..model.box import Box
from ..model.rules import Action, Case, Claim, Rule, Verdict
from ..traffic.sums import CaptureReport, RuleCount
from .counts import report_line
from .rows import boxes_text, claim_text, message, place
from .screen import visible

_FATE = {Action.ALLOW: "allowed", Action.DENY: "denied", Action.DEPENDS: "in doubt"}
_UNDECODED = frozenset({"malformed", "truncated", "tiny-fragment"})


@singledispatch
def sentence(value: Any) -> str:
    """What a value says."""
    raise AssertionError(f"no sentence: {value!r}")


@sentence.register
def _(verdict: Verdict) -> str:
    if verdict.reason in _UNDECODED:
        return f"{_FATE[verdict.action]} as {verdict.reason}"
    if verdict.reason == "in doubt":
        return "depends on " + "; ".join(visible(doubt.reason) for doubt in verdict.doubts)
    if verdict.cases:
        fates: dict[tuple[Action, str], None] = {}
        for case in verdict.cases:
            fates.setdefault((case.action, named(case.rule)))
        parts = " or ".join(f"{_FATE[action]} by {by}" for action, by in fates)
        return f"depends: {parts}" if verdict.action is Action.DEPENDS else parts
    return f"{_FATE[verdict.action]} by {named(verdict.rule)}"


@sentence.register
def _(case: Case) -> str:
    return f"{boxes_text([case.box])}: {_FATE[case.action]} by {named(case.rule)}"


@sentence.register
def _(region: Region) -> str:
    return f"{region['region']}: {_FATE[region.action]} by {_by(region, '')}, for example {visible(region['witness'])}"


@sentence.register
def _(change: Change) -> str:
    before, after = _by(change, "old_"), _by(change, "new_")
    return (
        f"{change['region']}: {_FATE[change.old]} by {before}, now {_FATE[change.new]} by {after}, "
        f"for example {visible(change['witness'])}"
    )


@sentence.register
def _(proof: Proof) -> str:  # type: ignore[type-arg]  # of whatever claim
    claim = visible(proof["claim"])
    if proof.status is Status.EMPTY:
        return f"about no packet: {claim}"
    if proof.counterexample is None or proof.verdict is None:
        return f"{proof.status}: {claim}" + (f" ({proof.confirmed.word})" if proof.confirmed else "")
    return f"{proof.status}: {claim}, but {visible(str(proof.counterexample))} is {proof.verdict}"


@sentence.register
def _(finding: Finding) -> str:
    where = f"{finding['file']}:{finding['line']}: " if finding["file"] else ""
    shown = f" (for example {finding['witness']})" if finding["witness"] else ""
    return visible(f"{where}{finding.severity}[{finding.code}]: {message(finding)}{shown}")


@sentence.register
def _(count: RuleCount) -> str:
    plural = "" if count.packets == 1 else "s"
    return f"{count.packets:,} packet{plural} {_FATE[count.action]} by {_labelled(count.label)}"


@sentence.register
def _(report: CaptureReport) -> str:
    return report_line(report)


@sentence.register
def _(answer: Answer) -> str:  # type: ignore[type-arg]  # of whatever values
    word = f"({answer.confirmed.word})" if answer.confirmed else ""
    return "\n".join(map(str, answer)) or f"nothing {word}".strip()


@sentence.register
def _(claim: Claim) -> str:
    return visible(claim_text(claim))


@sentence.register
def _(rule: Rule) -> str:
    """As a line of the language; as several matches joined by `or` where one does not say it."""
    words = [f"{rule.action} {boxes_text(rule.boxes)}"]
    if rule.log:
        words.append("log")
    if rule.until:
        words.append(f"until {rule.until}")
    if rule.name:
        words.append(f"as {rule.name}")
    return visible(" ".join(words))


@sentence.register
def _(box: Box) -> str:
    return " or ".join(show_box(part) for part in readable([box])) or "no packet"


def named(rule: Rule | None) -> str:
    """`` `web-in` (edge.fwl:12) ``, or `the default`."""
    if rule is None:
        return "the default"
    where = place(rule)
    return _labelled(rule.label, where["file"], where["line"])


def _by(row: Region | Change, prefix: str) -> str:
    return _labelled(row[f"{prefix}rule"], row[f"{prefix}file"], row[f"{prefix}line"])


def _labelled(label: str, file: str | None = None, line: int | None = None) -> str:
    if label == "default":
        return "the default"
    place = f"{file}:{line}"
    return visible(f"`{label}`" if file is None or label == place else f"`{label}` ({place})")
