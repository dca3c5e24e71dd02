"""Findings about a policy as diagnostics, and as codes that a user selects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from posixpath import normpath

from ..analysis.anomalies import findings
from ..analysis.confirm import Answer
from ..analysis.finding import QUIET, Finding
from ..analysis.wording import describe
from ..codes import FINDINGS
from ..errors import Diagnostic, Label, Span
from ..model.rules import Rule
from ..model.ruleset import must_be_policies
from ..policy import Policy
from .advice import Advice, advise, named
from .packets import packet_text
from .suppressed import Ignored, Use, about_comments, excused, sift

_LABELS = {
    "FW201": "unreachable", "FW202": "unreachable", "FW203": "redundant", "FW204": "matches no packet",
    "FW205": "more general than an earlier exception", "FW206": "overlaps", "FW207": "expired", "FW208": "expires soon",
    "FW209": "never used", "FW210": "adds nothing", "FW220": "not understood",
    "FW221": "sets nothing aside", "FW222": "expired", "FW211": "half of it never matches", "FW301": "no condition at all",
    "FW302": "port 0 is left out", "FW303": "its later fragments have no ports", "FW304": "lets in a whole family",
    "FW305": "no protocol of IPv6", "FW310": "named here alone",
}  # fmt: skip


@dataclass(frozen=True)
class Examined:
    """What is found in a policy; what its comments set aside is apart, and what is wrong with the comments is not in it."""

    policy: Policy
    codes: frozenset[str]
    findings: Answer[Finding]
    ignored: tuple[Ignored, ...]

    @property
    def used(self) -> frozenset[Use]:
        return frozenset(one.use for one in self.ignored)

    @property
    def named(self) -> Iterator[Span]:
        """The places of the definitions that the policy uses."""
        return (_place(d.span) for d in self.policy.definitions if d.uses)

    def told(self, used: Collection[Use] = (), named: Collection[Span] = ()) -> Answer[Finding]:
        """All that is to be told; `used` and `named` are comments and definitions that other policies of the same run need."""
        comments = about_comments(self.policy, self.codes, self.used | set(used))
        kept = [f for f in self.findings if f.definition is None or _place(f.definition.span) not in named]
        return Answer([*kept, *comments], self.findings.confirmed)


def _place(span: Span) -> Span:
    return span._replace(file=normpath(span.file))


def examine(policy: Policy, select: Iterable[str] | None = None, *, every: bool = False) -> Examined:
    """What `check` finds, with what comments set aside; `every`: FW303 of all rules, not of the first one alone.

    Raises:
        ValueError, LimitError: as `check`.
    """
    codes = frozenset(FINDINGS) - QUIET if select is None else frozenset(select)
    if policy.imported is not None:
        from .lines import line_findings  # late: policies of our own have none

        told = line_findings(policy, codes)
        unused = findings(policy, codes & {"FW209"}, definitions=policy.definitions, named=named(policy))
        mine = [f for f in unused if f.definition is not None and f.definition.span.file == policy.name]
        return Examined(policy, codes, Answer([*told, *mine], told.confirmed), ())
    aside = None if every else excused(policy, "FW303")
    found = findings(policy, codes, definitions=policy.definitions, named=named(policy), excused=aside)
    mine = [f for f in found if f.definition is None or (policy.rules and f.definition.span.file == policy.name)]
    if "FW210" in codes:
        mine += [Finding(d.code, d.severity, remark=d) for d in policy.remarks]
    kept, ignored = sift(policy, mine)
    return Examined(policy, codes, Answer(kept, found.confirmed), tuple(ignored))


def check(policy: Policy, select: Iterable[str] | None = None) -> Answer[Finding]:
    """What `fwengine check` finds in a policy: of the selected codes, and of definitions those of the policy's own file.

    What comments of the text set aside is left out (`examine` has it), and comments that do not are found.

    Raises:
        ValueError: for an unknown code.
        LimitError: if a search exceeds its budget.

    >>> from fwengine import loads
    >>> both = loads("allow tcp from any to 10.0.0.0/8\\ndeny tcp from any to 10.1.0.0/16 port ssh as late")
    >>> [(f.code, f.rule, f.blockers) for f in check(both, ["FW201"])]
    [('FW201', 1, (0,))]
    """
    must_be_policies("check", policy)
    told = examine(policy, select).told()
    return Answer([f.replace(of=policy) for f in told], told.confirmed)


def selected(select: Iterable[str], ignore: Iterable[str]) -> frozenset[str]:
    """Codes from what a user lists: codes or their beginnings (`FW2`), `all`.

    Raises:
        ValueError: naming what is not a code.
    """

    def expand(words: Iterable[str]) -> frozenset[str]:
        out: set[str] = set()
        for word in (part.strip().upper() for text in words for part in text.split(",")):
            found = set(FINDINGS) if word == "ALL" else {code for code in FINDINGS if word and code.startswith(word)}
            if not found:
                raise ValueError(word)
            out |= found
        return frozenset(out)

    chosen = list(select)
    return (expand(chosen) if chosen else frozenset(FINDINGS) - QUIET) - expand(ignore)


def to_diagnostics(policy: Policy, found: Sequence[Finding]) -> list[Diagnostic]:
    """The findings of one run as a screen shows them, with suggestions that may be followed all together."""
    return [_diagnostic(policy, f, advice) for f, advice in zip(found, advise(policy, found), strict=True)]


def to_diagnostic(policy: Policy, finding: Finding) -> Diagnostic:
    """A finding as a screen shows it."""
    return to_diagnostics(policy, [finding])[0]


def _diagnostic(policy: Policy, finding: Finding, advice: Advice) -> Diagnostic:
    code, message, label = finding.code, describe(policy, finding), _LABELS.get(finding.code, "")
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    if finding.remark is not None:
        span, labels = finding.remark.span, finding.remark.labels
    elif finding.definition is not None:
        span = finding.definition.span
    else:
        assert finding.rule is not None
        span = _action_span(policy.rules[finding.rule])
        labels = tuple(Label(policy.rules[b].span, _blocker_text(policy, finding, b)) for b in finding.blockers)
    if finding.witness is not None:
        notes = (f"witness: {_packet(policy, finding)} is {_fate(policy, finding)}",)
    return Diagnostic(
        code, message, span, label, advice.help, finding.severity, labels, notes, suggestions=advice.suggestions
    )


def _blocker_text(policy: Policy, finding: Finding, blocker: int) -> str:
    if finding.code == "FW201" and not finding.repeated and len(finding.blockers) > 1:
        alike = policy.rules[blocker].action is policy.rules[finding.rule or 0].action
        return f"takes a part of its packets, {'the same' if alike else 'the other'} way"
    if finding.code in ("FW201", "FW202"):
        several = len(finding.blockers) > 1
        if finding.alone and not finding.repeated:
            return "takes every packet of it"
        return "matches a part of it" if several else "matches all of it"
    if finding.code == "FW203":
        return "would do the same"
    return "the earlier rule"


def _fate(policy: Policy, finding: Finding) -> str:
    index = len(policy.rules) if finding.decided_by is None else finding.decided_by
    word = "allowed" if policy.action(index).value == "allow" else "denied"
    by = "the default" if index == len(policy.rules) else f"`{policy.label(index)}`"
    return f"{word} by {by}"


def _packet(policy: Policy, finding: Finding) -> str:
    assert finding.witness is not None
    return packet_text(finding.witness, policy)


def _action_span(rule: Rule) -> Span:
    span = rule.span
    return Span(span.file, span.line, span.column, span.line, span.column + len(rule.action.value))
