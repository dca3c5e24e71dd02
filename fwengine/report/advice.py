"""What to do about findings: words for people, and edits for whoever can apply them.

The edits of one run do not overlap, and may be followed all together or in part (see `analysis.idle`): the text compiles
after it and its expectations hold as before. Only a policy's own file is edited: a file that is included may serve others.
Knows findings, rules and texts; each statement has its lines for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..analysis.finding import Finding
from ..errors import Span, Suggestion
from ..language.suppression import Suppression, Suppressions, without
from ..model import address
from ..model.rules import Expectation, Rule
from ..policy import Policy
from .suppressed import ABOUT_COMMENTS, comments

FIXED = frozenset(
    {"FW202", "FW203", "FW207", "FW209", "FW210", "FW221", "FW222"}
)  # what `--fix` does, where it is proposed

_HELP = {
    "FW204": "correct the conditions: no packet satisfies all of them",
    "FW208": "remove it in time, or move its date",
    "FW211": "it is what a name for both families is for, if that is meant; else name the addresses of one family",
    "FW301": "say which protocol, from where and to where",
    "FW302": "port 0 is a port like any other: leave the condition out, or write `0-65535`, if you mean any port",
    "FW305": "write `from ipv4` if that is meant; for IPv6 name the protocol behind that header",
    "FW310": "correct the name; declaring the interfaces, `interface wan = eth0`, makes such slips errors",
    "FW303": "allow them by a rule with `fragment later`, or be sure that nothing of it is ever fragmented",
}


@dataclass(frozen=True)
class Advice:
    """What to do about one finding; the suggestions are empty where a person must think."""

    help: str = ""
    suggestions: tuple[Suggestion, ...] = ()


def advise(policy: Policy, found: Sequence[Finding]) -> list[Advice]:
    """The advice about each of the findings of one run."""
    return Adviser(policy).all(found)


def named(policy: Policy) -> frozenset[int]:
    """The rules that expectations name."""
    labels = {claim.by for claim in policy.expectations}
    return frozenset(i for i, rule in enumerate(policy.rules) if rule.label in labels) if labels else frozenset()


class Adviser:
    """Advice about the findings of one policy."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.lines = policy.sources.get(policy.name, "").removeprefix("\ufeff").split("\n")
        nameless = {rule.label for rule in policy.rules if rule.name is None and rule.span.file == policy.name}
        # an expectation may say `by FILE:LINE`: then no line may move
        self.numbered = any(claim.by in nameless for claim in policy.expectations)
        self.suppressions = comments(policy).get(policy.name, Suppressions()).good

    def all(self, found: Sequence[Finding]) -> list[Advice]:
        out = [self._one(finding) for finding in found]
        touched = {  # the lines that come or go: nothing within them is edited besides
            line
            for finding, advice in zip(found, out, strict=True)
            if finding.remark is None
            for line in _lines(advice)
        }
        for n, (finding, advice) in enumerate(zip(found, out, strict=True)):
            if finding.remark is not None and any(e.span.line in touched for e in _edits(advice.suggestions)):
                out[n] = Advice(advice.help)
        for n, (finding, advice) in enumerate(zip(found, out, strict=True)):  # a comment may stand within a set
            if finding.code in ABOUT_COMMENTS and any(
                not _lines(advice).isdisjoint(_lines(other))
                for other, about in zip(out, found, strict=True)
                if about.code == "FW210"
            ):
                out[n] = Advice(advice.help)
        return out

    def _one(self, finding: Finding) -> Advice:
        if finding.remark is not None:
            own = finding.remark.span.file == self.policy.name
            does = own and finding.code in FIXED
            help = f"{finding.remark.help}; `--fix` does" if does else finding.remark.help
            suggestions = finding.remark.suggestions if own else ()
            if self.numbered and finding.code in ABOUT_COMMENTS:
                suggestions = tuple(self._keeping_lines(suggestion) for suggestion in suggestions)
            return Advice(help, suggestions)
        if finding.definition is not None:
            return self._removal(finding.definition.span, "remove it; `--fix` does")
        assert finding.rule is not None
        rule = self.policy.rules[finding.rule]
        if finding.code == "FW201":
            return self._shadowed(finding, rule)
        if finding.code == "FW304":
            return Advice(self._negation(finding, rule))
        if finding.code not in FIXED:
            return Advice(_HELP.get(finding.code, ""))
        if finding.removable:
            also = ", or move its date" if finding.code == "FW207" else ""
            return self._removal(rule.span, f"remove it{' (`--fix` does)' if also else '; `--fix` does'}{also}")
        return Advice(self._obstacle(finding, rule))

    def _removal(self, span: Span, help: str) -> Advice:
        if span.file != self.policy.name:
            return Advice(f"remove it, if no other policy includes `{span.file}`")
        return Advice(help, (self._without(span),))

    def _without(self, span: Span) -> Suggestion:
        """A statement taken out with its lines, or with blank lines left where lines are counted.

        The suppressions above it go with it: they would hold for the next statement.
        """
        above = self._above(span)
        text = "\n".join(self.lines) if above else ""
        also = tuple(without(s, text, keep_line=self.numbered) for s in above)
        whole = Span(span.file, span.line, 1, span.end_line, len(self.lines[span.end_line - 1]) + 1)
        if self.numbered:
            return Suggestion(whole, "\n" * (span.end_line - span.line), also)
        if span.end_line < len(self.lines):
            whole = Span(span.file, span.line, 1, span.end_line + 1, 1)
        return Suggestion(whole, "", also)

    def _keeping_lines(self, edit: Suggestion) -> Suggestion:
        """The edit of a comment, with an empty comment in place of a line that would go."""
        span = edit.span
        if span.end_line == span.line:
            return edit
        return Suggestion(Span(span.file, span.line, 1, span.line, len(self.lines[span.line - 1]) + 1), "#")

    def _above(self, span: Span) -> list[Suppression]:
        """The suppressions in lines above a statement of the policy's own file."""
        if span.file != self.policy.name:
            return []
        return [s for s in self.suppressions if s.above and s.covers_line(span.line)]

    def _obstacle(self, finding: Finding, rule: Rule) -> str:
        """Why a rule that changes nothing had better stay for now."""
        if finding.obstacle == "named":
            claim = next(c for c in self.policy.expectations if c.by == rule.label)
            if finding.code in ("FW201", "FW202"):
                return f"the expectation in {_line(claim, rule)} names it, and no packet reaches it: correct that one first"
            return f"leave it, or remove it together with the expectation in {_line(claim, rule)}, which names it"
        return {
            "until": "leave it: what does its work now ends before it does",
            "moved": "settle first the rules that are to be moved, and check again: its packets are among theirs",
            "default": "leave it if it is there to be read: it says what the default says",
        }[finding.obstacle]

    def _shadowed(self, finding: Finding, rule: Rule) -> Advice:
        if finding.repeated:
            if finding.obstacle:
                return Advice(self._obstacle(finding, rule))
            return self._removal(rule.span, "remove it: wherever it stands, it adds nothing to them")
        going = ", or remove it" if not finding.obstacle else ""
        if finding.above is None:
            return Advice(f"a rule that contends for its packets is to be moved: settle that, and check again{going}")
        target = self.policy.rules[finding.above]
        here = target.span.file == rule.span.file
        move = (
            f"move line {rule.span.line} above line {target.span.line}" if here else f"move it above `{target.label}`"
        )
        help = f"{move} if it is to have an effect{going}"
        contrary = next((c for c in self.policy.expectations if self._contradicts(c, finding, rule)), None)
        if contrary is not None:
            return Advice(f"{help}; the expectation in {_line(contrary, rule)} speaks against a move")
        if not here or rule.span.file != self.policy.name or self.numbered:
            return Advice(help)
        moved = [self.lines[s.at.line - 1] for s in self._above(rule.span)]
        text = "\n".join([*moved, *self.lines[rule.span.line - 1 : rule.span.end_line]])
        first = min([s.at.line for s in self._above(target.span)] + [target.span.line])
        place = Span(rule.span.file, first, 1, first, 1)
        gone = self._without(rule.span)
        return Advice(help, (Suggestion(place, f"{text}\n", (Suggestion(gone.span, gone.text), *gone.also)),))

    def _contradicts(self, claim: Expectation, finding: Finding, rule: Rule) -> bool:
        """Could a claim that holds now fail when the rule decides more?"""
        if claim.action is rule.action and claim.by in (None, rule.label):
            return False
        return any(box & own for box in claim.boxes for own in rule.boxes)

    def _negation(self, finding: Finding, rule: Rule) -> str:
        words = next((text for f, text in rule.written if f == finding.field), "")
        if finding.witness is not None and words.startswith("not "):
            family = "ipv4" if finding.witness.src in address.V6 else "ipv6"
            return f"write `{family} except {words.removeprefix('not ')}` to leave them out, or list both families"
        return "begin with `ipv4` or `ipv6` instead of `any` or `not` to speak of one family only"


def _edits(suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    return [edit for suggestion in suggestions for edit in (suggestion, *suggestion.also)]


def _lines(advice: Advice) -> set[int]:
    """The lines that its edits change."""
    return {
        line
        for edit in _edits(advice.suggestions)
        for line in range(edit.span.line, edit.span.end_line + (edit.span.end_column > 1))
        if edit.span.line < edit.span.end_line or edit.span.column < edit.span.end_column
    }


def _line(claim: Expectation, rule: Rule) -> str:
    return f"line {claim.span.line}" if claim.span.file == rule.span.file else str(claim.span).rpartition(":")[0]
