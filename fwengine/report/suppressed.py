"""Which findings a policy's own comments set aside, and which of those comments are wrong, expired or unused.

FW220 to FW222 are about the comments themselves, and cannot be set aside. An unused comment is told of in the policy's own
file alone: in a file that is included it may be for another policy, and so whoever checks several says what others use.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ..analysis.finding import Finding
from ..codes import EXPLANATIONS, FINDINGS
from ..errors import Diagnostic
from ..language.suppression import MALFORMED, Suppression, Suppressions, suppressions, with_codes, without
from ..policy import Policy

UNUSED, EXPIRED = "FW221", "FW222"
ABOUT_COMMENTS = frozenset({MALFORMED, UNUSED, EXPIRED})

Use = tuple[str, int, str]  # the file and the line of a comment, and one of its codes


@dataclass(frozen=True)
class Ignored:
    """A finding that a comment sets aside."""

    finding: Finding
    by: Suppression

    @property
    def use(self) -> Use:
        return (self.by.at.file, self.by.at.line, self.finding.code)


def comments(policy: Policy) -> Mapping[str, Suppressions]:
    """The suppressions in each of a policy's files."""
    known = FINDINGS.keys() - ABOUT_COMMENTS
    others = EXPLANATIONS.keys() - known
    return {file: suppressions(text, file, known, others) for file, text in policy.sources.items()}


def named_codes(policy: Policy) -> frozenset[str]:
    """The codes that the comments of a policy's own file name."""
    own = comments(policy).get(policy.name, Suppressions())
    return frozenset(code for suppression in own.good for code in suppression.codes)


def excused(policy: Policy, code: str) -> frozenset[int]:
    """The rules at which a comment sets a code aside, whether it is found there or not."""
    every = {file: _counting(policy, some) for file, some in comments(policy).items()}
    if not any(code in s.codes for some in every.values() for s in some):
        return frozenset()
    return frozenset(
        index
        for index, rule in enumerate(policy.rules)
        if any(code in s.codes and s.covers_line(rule.span.line) for s in every.get(rule.span.file, ()))
    )


def sift(policy: Policy, found: Iterable[Finding]) -> tuple[list[Finding], list[Ignored]]:
    """The findings that nothing sets aside, and those that a comment does. Of several such comments the first one counts."""
    every = {file: _counting(policy, some) for file, some in comments(policy).items()}
    kept: list[Finding] = []
    ignored: list[Ignored] = []
    for finding in found:
        file, line = place(policy, finding)
        by = next((s for s in every.get(file, ()) if finding.code in s.codes and s.covers_line(line)), None)
        if by is None:
            kept.append(finding)
        else:
            ignored.append(Ignored(finding, by))
    return kept, ignored


def _counting(policy: Policy, some: Suppressions) -> list[Suppression]:
    return [s for s in some.good if not s.expired(policy.as_of)]


def place(policy: Policy, finding: Finding) -> tuple[str, int]:
    """The file and the line of what a finding is about."""
    if finding.remark is not None:
        span = finding.remark.span
    elif finding.definition is not None:
        span = finding.definition.span
    else:
        assert finding.rule is not None
        span = policy.rules[finding.rule].span
    return span.file, span.line


def about_comments(policy: Policy, codes: Collection[str], used: Collection[Use]) -> list[Finding]:
    """What is found about the comments themselves.

    Args:
        codes: what was looked for; a comment about another code may well be of use.
        used: what set something aside, in this policy and in those that are checked together with it.
    """
    out: list[Finding] = []
    for file, some in comments(policy).items():
        text = policy.sources[file]
        if MALFORMED in codes:
            out += [_finding(d) for d in some.wrong]
        for suppression in some.good:
            if suppression.expired(policy.as_of):
                if EXPIRED in codes:
                    out.append(_finding(_expired(suppression, text)))
            elif file == policy.name and UNUSED in codes:
                left = {
                    code
                    for code in suppression.codes
                    if code in codes and (file, suppression.at.line, code) not in used
                }
                if left:
                    out.append(_finding(_unused(suppression, left, text)))
    return sorted(out, key=lambda f: f.remark.span if f.remark else ("",))


def _finding(remark: Diagnostic) -> Finding:
    return Finding(remark.code, remark.severity, remark=remark)


def _expired(suppression: Suppression, text: str) -> Diagnostic:
    message = f"this suppression has expired: it counted until {suppression.until}"
    edit = without(suppression, text)
    return Diagnostic(
        EXPIRED, message, suppression.at, "", "remove it, or move its day", "warning", suggestions=(edit,)
    )


def _unused(suppression: Suppression, left: Collection[str], text: str) -> Diagnostic:
    names = ", ".join(f"`{code}`" for code in suppression.codes if code in left)
    kept = [code for code in suppression.codes if code not in left]
    if kept:
        edit, help = with_codes(suppression, kept), f"leave {', '.join(f'`{code}`' for code in kept)}"
    else:
        edit, help = without(suppression, text), "remove it"
    message = f"nothing here is {names}: there is nothing to ignore"
    if suppression.covers is None:
        message, help = "no statement stands behind this suppression", "put it right above a statement, or remove it"
    return Diagnostic(UNUSED, message, suppression.at, "", help, "warning", suggestions=(edit,))
