"""Changes of verdicts, as text."""

from __future__ import annotations

from ..analysis.confirm import Answer, Confirmation
from ..analysis.diff import Change
from ..model.rules import Action
from ..policy import Policy
from .making import region_text, rule_at
from .packets import packet_text
from .style import Style


def diff_lines(changes: Answer[Change], old: Policy, new: Policy, style: Style) -> list[str]:
    if not changes:
        word = _word(changes.confirmed)
        return [f"{style('EQUIVALENT', 'green', bold=True)}  proved: no packet's verdict changes{word}"]
    out = []
    words = {Action.ALLOW: "allowed", Action.DENY: "denied"}
    for change in changes:
        word = f"newly {words[change.new]}"
        hue = "green" if change.new is Action.ALLOW else "red"
        out.append(f"{style(f'{word:<13}', hue, bold=True)}  {region_text(change.box)}")
        out.append(
            f"{'':15}e.g. {packet_text(change.witness, old, new)}   ({change.flows:,} flow{'s' * (change.flows != 1)})"
        )
        before, after = rule_at(old, change.old_rule), rule_at(new, change.new_rule)
        out.append(f"{'':15}{words[change.old]} by {before}, now {words[change.new]} by {after}")
    out.append(_total("change", len(changes), sum(change.flows for change in changes), changes.confirmed))
    return out


def _total(what: str, count: int, flows: int, confirmed: Confirmation | None) -> str:
    """`2 changes, 64,512 flows (confirmed)`."""
    return f"{count} {what}{'s' * (count != 1)}, {flows:,} flow{'s' * (flows != 1)}{_word(confirmed)}"


def _word(confirmed: Confirmation | None) -> str:
    return f" ({confirmed.word})" if confirmed else ""
