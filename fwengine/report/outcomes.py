"""Expectations and what became of them, as text and as JSON values: for `fwengine test` and for the pytest plugin."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Mapping
from typing import Any

from ..analysis.prove import Proof
from ..model.rules import DEPENDS, Expectation
from ..policy import Policy
from .answers import confirmed_json
from .packets import details_of, packet_text
from .screen import visible
from .strangers import strangers_json
from .style import Style
from .verdicts import doubts_text


def outcome_json(proof: Proof[Expectation], policy: Policy, path: str, as_of: datetime.date | None) -> dict[str, Any]:
    """One expectation and what became of it.

    `path` and `as_of` are what the policy was loaded with: the `command` to paste asks the same again.
    """
    claim, verdict = proof.claim, proof.verdict
    by = f" by {claim.by}" if claim.by else ""
    out: dict[str, Any] = {
        "file": claim.span.file,
        "line": claim.span.line,
        "expectation": f"expect {claim.action.value} {claim.text}{by}",
        "passed": proof.holds,
        "confirmed": confirmed_json(proof.confirmed),
        "expected": claim.action.value + by,
        "got": None,
        "rule": None,
        "rule_file": None,
        "rule_line": None,
        "counterexample": None,
        "command": None,
        "depends": False,
        "policy": path,
        "unknown_interfaces": strangers_json(policy.strangers(claim.boxes)),
    }
    if verdict is not None:
        assert proof.counterexample is not None
        packet = packet_text(proof.counterexample, policy, kept=details_of(proof.claim.boxes))
        options = policy.imported.options if policy.imported else ()
        words = ["fwengine", "eval", path, packet, "--explain", *options] + (["--as-of", str(as_of)] if as_of else [])
        out |= {
            "got": verdict.action.value,
            "rule": verdict.rule.label if verdict.rule else "default",
            "rule_file": verdict.rule.span.file if verdict.rule else None,
            "rule_line": verdict.rule.span.line if verdict.rule else None,
            "counterexample": packet,
            "command": shlex.join(words),
            **({"doubts": doubts_text(verdict.rule)} if verdict.rule and verdict.action is DEPENDS else {}),
            "depends": claim.packet is not None and policy.evaluate(claim.packet).action is DEPENDS,
        }
    elif not proof.holds:
        out["got"] = "nothing: it is about no packet"
    return out


def failure_lines(result: Mapping[str, Any]) -> list[str]:
    """Below a failed expectation's own line: what was expected and got, by which rule, and the packet that shows it."""
    out = [f"  expected  {visible(result['expected'])}"]
    if result["counterexample"] is None:
        return [*out, visible(f"  got       {result['got']}")]
    place = f"{result['rule_file']}:{result['rule_line']}" if result["rule_file"] else ""
    place = "" if place == result["rule"] else f"  {place}"
    depends = "; the verdict depends on what the expectation leaves open" if result["depends"] else ""
    if result["got"] == DEPENDS.value and result.get("doubts"):
        place, depends = "", ""
        result = {**result, "rule": result["doubts"]}
    by = "on" if result["got"] == DEPENDS.value else "by"
    return [
        *out,
        visible(f"  got       {result['got']} {by} {result['rule']}{place}{depends}"),
        f"  packet    {visible(result['counterexample'])}",
        f"  try       {visible(result['command'])}",
    ]


def failure_head(result: Mapping[str, Any], style: Style) -> str:
    """`FAILED edge.fwl:12  expect deny ...`."""
    via = "" if result["policy"] == result["file"] else f"  (of {result['policy']})"
    return f"{style('FAILED', 'red', bold=True)} " + visible(
        f"{result['file']}:{result['line']}  {result['expectation']}{via}"
    )
