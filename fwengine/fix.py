"""Mends of a policy's text that change no verdict, proved before anything is written.

Only whole statements are removed: unreachable rules that change nothing, redundant and expired rules, unused
definitions. Comments stay. A rule that an expectation names is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .analysis.anomalies import Finding, findings
from .analysis.diff import equivalent
from .errors import Span
from .model.rules import Rule
from .policy import Policy

SAFE = frozenset({"FW202", "FW203", "FW207", "FW209"})


@dataclass(frozen=True)
class Fixed:
    """A mended text and the findings that it settles; `text` is None where there is nothing to mend."""

    text: str | None
    settled: tuple[Finding, ...]


def fix(policy: Policy, text: str, reload: Callable[[str], Policy], codes: Iterable[str] = SAFE) -> Fixed:
    """The text of the policy's own file without what is safe to remove.

    Args:
        text: the present text of the file `policy.name`.
        reload: the policy that a changed text of that file means; includes are read anew.

    Raises:
        AssertionError: if the mended policy is not equivalent; nothing has been written then.

    Complexity: that of the findings, once more for each redundant rule, and of one proof of equivalence.
    """
    wanted = SAFE & frozenset(codes)
    settled: list[Finding] = []
    now, current = text, policy
    while True:
        found = [f for f in findings(current, wanted, definitions=current.definitions) if _removable(current, f)]
        # those that decide nothing go together; of the redundant ones each may be what makes the next one redundant
        batch = [f for f in found if f.code != "FW203"] or found[:1]
        if not batch:
            break
        now = _without(now, [_span(current, f) for f in batch])
        settled += batch
        current = reload(now)
    if not settled:
        return Fixed(None, ())
    if not equivalent(policy, current):  # no `assert`: it must hold under -O, too
        raise AssertionError("a mend would change a verdict")
    return Fixed(now, tuple(settled))


def _removable(policy: Policy, finding: Finding) -> bool:
    if finding.definition is not None:
        return finding.definition.span.file == policy.name and bool(policy.rules)
    assert finding.rule is not None
    rule = policy.rules[finding.rule]
    if finding.code == "FW203" and not finding.blockers:
        return False  # it writes out the default, which many do on purpose
    return rule.span.file == policy.name and not _named(policy, rule)


def _named(policy: Policy, rule: Rule) -> bool:
    return any(claim.by == rule.label for claim in policy.expectations)


def _span(policy: Policy, finding: Finding) -> Span:
    if finding.definition is not None:
        return finding.definition.span
    assert finding.rule is not None
    return policy.rules[finding.rule].span


def _without(text: str, spans: list[Span]) -> str:
    """The text without the lines of statements: each has its lines for itself."""
    gone = {line for span in spans for line in range(span.line, span.end_line + 1)}
    lines = text.split("\n")
    return "\n".join(line for number, line in enumerate(lines, 1) if number not in gone)
