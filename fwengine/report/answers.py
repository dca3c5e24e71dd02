"""Regions, proofs and changes, as text and as JSON values."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from ..analysis.diff import Change
from ..analysis.query import Proof, Region
from ..language.meaning.region import readable, show_box
from ..model.box import Box
from ..model.rules import Action
from ..policy import Policy
from .packets import packet_text
from .style import Style


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
    label = policy.label(index)
    return label if file is None or label == f"{file}:{line}" else f"{label} ({file}:{line})"


def region_json(region: Region, policy: Policy) -> dict[str, Any]:
    file, line = _place(policy, region.rule)
    return {
        "region": region_text(region.box),
        "verdict": region.action.value,
        "rule": policy.label(region.rule),
        "file": file,
        "line": line,
        "witness": packet_text(region.witness, policy),
        "packets": region.size,
    }


def query_lines(regions: Sequence[Region], policy: Policy, style: Style) -> list[str]:
    out = []
    for region in regions:
        word = style.verdict(region.action.value.upper(), 6)
        out.append(f"{word} {style(region_text(region.box), bold=True)}")
        out.append(f"       by {_called(policy, region.rule)}, e.g. {packet_text(region.witness, policy)}")
    total = sum(region.size for region in regions)
    count = len(regions)
    out.append(f"{count} region{'s' * (count != 1)}, {total:,} packet{'s' * (total != 1)}")
    return out


def proof_json(proof: Proof, policy: Policy, path: str) -> dict[str, Any]:
    if proof.holds or proof.counterexample is None or proof.verdict is None:
        return {"holds": proof.holds, "counterexample": None}
    packet = packet_text(proof.counterexample, policy)
    rule = proof.verdict.rule
    return {
        "holds": False,
        "counterexample": {
            "packet": packet,
            "verdict": proof.verdict.action.value,
            "rule": rule.label if rule else "default",
            "file": rule.span.file if rule else None,
            "line": rule.span.line if rule else None,
            "command": shlex.join(["fwengine", "eval", path, packet, "--explain"]),
        },
    }


def proof_lines(proof: Proof, policy: Policy, path: str, claim: str, style: Style) -> list[str]:
    if proof.holds:
        return [f"{style('PROVED', 'green', bold=True)}  {claim}"]
    found = proof_json(proof, policy, path)["counterexample"]
    out = [f"{style('FALSE', 'red', bold=True)}   {claim}"]
    if found is not None:
        index = len(policy.rules) if proof.verdict is None or proof.verdict.index is None else proof.verdict.index
        out.append(f"  e.g.  {found['packet']}")
        out.append(f"        {found['verdict']} by {_called(policy, index)}")
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
        "packets": change.size,
    }


def diff_lines(changes: Sequence[Change], old: Policy, new: Policy, style: Style) -> list[str]:
    if not changes:
        return [f"{style('EQUIVALENT', 'green', bold=True)}  proved: no packet's verdict changes"]
    out = []
    words = {Action.ALLOW: "allowed", Action.DENY: "denied"}
    for change in changes:
        word = f"newly {words[change.new]}"
        hue = "green" if change.new is Action.ALLOW else "red"
        plural = "s" * (change.size != 1)
        out.append(f"{style(f'{word:<13}', hue, bold=True)}  {region_text(change.box)}")
        out.append(
            f"{'':15}e.g. {packet_text(change.witness, old, new)}   ({change.size:,} packet{plural} of this kind)"
        )
        before, after = _called(old, change.old_rule), _called(new, change.new_rule)
        out.append(f"{'':15}{words[change.old]} by {before}, now {words[change.new]} by {after}")
    total = sum(change.size for change in changes)
    count = len(changes)
    out.append(f"{count} change{'s' * (count != 1)}, {total:,} packet{'s' * (total != 1)}")
    return out
