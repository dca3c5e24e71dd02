"""Regions, proofs and changes, as text and as JSON values."""

from __future__ import annotations

import datetime
import shlex
from typing import Any

from ..analysis.confirm import Answer, Confirmation
from ..analysis.diff import Change
from ..analysis.prove import Proof, Status
from ..analysis.query import Region
from ..language.meaning.region import readable, show_box
from ..model.box import Box
from ..model.rules import Action, Claim
from ..policy import Policy
from .packets import details_of, packet_text
from .style import Style
from .verdicts import doubts_text, origin_json


def region_text(box: Box) -> str:
    """The region in the language; where it takes several, they are joined by ` or `."""
    return " or ".join(show_box(part) for part in readable([box]))


def _place(policy: Policy, index: int) -> tuple[str | None, int | None]:
    if index >= len(policy.rules):
        return None, None
    span = policy.rules[index].span
    return span.file, span.line


def _called(policy: Policy, index: int) -> str:
    """`web-in (edge.fwl:12)`, or just the label where that says it."""
    file, line = _place(policy, index)
    if index < len(policy.rules) and policy.rules[index].action is Action.DEPENDS:
        return doubts_text(policy.rules[index])
    label = policy.label(index)
    return label if file is None or label == f"{file}:{line}" else f"{label} ({file}:{line})"


def _word_of(action: Action) -> str:
    """What stands before who decides: packets depend on lines in doubt."""
    return "on" if action is Action.DEPENDS else "by"


def region_json(region: Region, policy: Policy) -> dict[str, Any]:
    file, line = _place(policy, region.rule)
    return {
        "region": region_text(region.box),
        "verdict": region.action.value,
        "rule": policy.label(region.rule),
        "file": file,
        "line": line,
        "witness": packet_text(region.witness, policy, kept=details_of((region.box,))),
        "flows": region.flows,
    }


def query_lines(regions: Answer[Region], policy: Policy, style: Style) -> list[str]:
    out = []
    for region in regions:
        word = style.verdict(region.action.value.upper(), 6)
        out.append(f"{word} {style(region_text(region.box), bold=True)}")
        packet = packet_text(region.witness, policy, kept=details_of((region.box,)))
        out.append(f"       {_word_of(region.action)} {_called(policy, region.rule)}, e.g. {packet}")
    out.append(_total("region", len(regions), sum(region.flows for region in regions), regions.confirmed))
    return out


def proof_json(proof: Proof[Claim], policy: Policy, path: str, as_of: datetime.date | None = None) -> dict[str, Any]:
    """A claim and what became of it; `path` and, where it was stated, `as_of` are what the `command` to paste asks with."""
    out: dict[str, Any] = {
        "holds": proof.holds,
        "status": proof.status.value,
        "confirmed": confirmed_json(proof.confirmed),
        "counterexample": None,
    }
    if proof.counterexample is None or proof.verdict is None:
        return out
    packet = packet_text(proof.counterexample, policy, kept=details_of(proof.claim.boxes))
    rule = proof.verdict.rule
    out["counterexample"] = {
        "packet": packet,
        "verdict": proof.verdict.action.value,
        "rule": rule.label if rule else "default",
        "file": rule.span.file if rule else None,
        "line": rule.span.line if rule else None,
        **origin_json(rule),
        "command": shlex.join(
            [
                "fwengine",
                "eval",
                path,
                packet,
                "--explain",
                *(policy.imported.options if policy.imported else ()),
                *(["--as-of", str(as_of)] if as_of else []),
            ]
        ),
    }
    return out


def confirmed_json(confirmed: Confirmation | None) -> dict[str, Any] | None:
    """How far an answer was found again in a second way: for all packets or not, and the packets tried one by one."""
    return {"complete": confirmed.complete, "samples": confirmed.points} if confirmed else None


def proof_lines(
    proof: Proof[Claim], policy: Policy, path: str, claim: str, style: Style, as_of: datetime.date | None = None
) -> list[str]:
    if proof.holds:
        return [f"{style('PROVED', 'green', bold=True)}  {claim}{_word(proof.confirmed)}"]
    if proof.status is Status.EMPTY:
        return [f"{style('EMPTY', 'yellow', bold=True)}   {claim} is about no packet, which proves nothing"]
    found = proof_json(proof, policy, path, as_of)["counterexample"]
    out = [f"{style('FALSE', 'red', bold=True)}   {claim}"]
    if proof.status is Status.DEPENDS:
        out = [f"{style('DEPENDS', 'yellow', bold=True)} {claim}"]
    if found is not None and proof.verdict is not None:
        index = len(policy.rules) if proof.verdict.index is None else proof.verdict.index
        out.append(f"  e.g.  {found['packet']}")
        out.append(f"        {found['verdict']} {_word_of(proof.verdict.action)} {_called(policy, index)}")
        out.append(f"  try   {found['command']}")
    return out


def change_json(change: Change, old: Policy, new: Policy) -> dict[str, Any]:
    old_file, old_line = _place(old, change.old_rule)
    new_file, new_line = _place(new, change.new_rule)
    return {
        "region": region_text(change.box),
        "old": change.old.value,
        "new": change.new.value,
        "old_rule": old.label(change.old_rule),
        "old_file": old_file,
        "old_line": old_line,
        "new_rule": new.label(change.new_rule),
        "new_file": new_file,
        "new_line": new_line,
        "witness": packet_text(change.witness, old, new),
        "flows": change.flows,
    }


def diff_lines(changes: Answer[Change], old: Policy, new: Policy, style: Style) -> list[str]:
    if not changes:
        word = _word(changes.confirmed)
        return [f"{style('EQUIVALENT', 'green', bold=True)}  proved: no packet's verdict changes{word}"]
    out = []
    words = {Action.ALLOW: "allowed", Action.DENY: "denied", Action.DEPENDS: "dependent"}
    for change in changes:
        word = f"newly {words[change.new]}"
        hue = {Action.ALLOW: "green", Action.DENY: "red"}.get(change.new, "yellow")
        out.append(f"{style(f'{word:<13}', hue, bold=True)}  {region_text(change.box)}")
        out.append(
            f"{'':15}e.g. {packet_text(change.witness, old, new)}   ({change.flows:,} flow{'s' * (change.flows != 1)})"
        )
        before, after = _called(old, change.old_rule), _called(new, change.new_rule)
        out.append(
            f"{'':15}{words[change.old]} {_word_of(change.old)} {before}, now {words[change.new]} {_word_of(change.new)} {after}"
        )
    out.append(_total("change", len(changes), sum(change.flows for change in changes), changes.confirmed))
    return out


def _total(what: str, count: int, flows: int, confirmed: Confirmation | None) -> str:
    """`2 changes, 64,512 flows (confirmed)`."""
    return f"{count} {what}{'s' * (count != 1)}, {flows:,} flow{'s' * (flows != 1)}{_word(confirmed)}"


def _word(confirmed: Confirmation | None) -> str:
    return f" ({confirmed.word})" if confirmed else ""
