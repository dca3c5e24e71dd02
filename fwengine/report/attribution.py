"""Where changes of verdicts come from, in words: which rules were added, removed, moved or edited, which definitions changed.

The changes are put down to edits by `analysis.causes`; this module says which definitions differ and which rules use them,
and what an edit is called. It also finds what differs without having an effect.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from ..analysis.causes import Causes, causes
from ..analysis.diff import Change
from ..analysis.edits import Edit, Edits, edits
from ..errors import Span
from ..imported import lines
from ..language.syntax import ast
from ..language.syntax.printer import show
from ..model.fields import TABLE
from ..model.rules import DEPENDS, Rule
from ..policy import Policy

_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*')
_SHOWN = 3  # rules named on a line
_LONGEST = 40  # of a condition that is told to have changed


class Attribution:
    """The edits between two policies, and the changes by their causes.

    Attributes:
        causes: see `analysis.causes`; of what they are exact.
        definitions: the names whose definitions differ, with their statements before and now.
    """

    def __init__(self, old: Policy, new: Policy, changes: Sequence[Change]) -> None:
        self.old, self.new = old, new
        self.definitions = _changed(old, new)
        self.edits: Edits = edits(old, new, _uses(old, self.definitions), _uses(new, self.definitions))
        self.causes: Causes = causes(self.edits, changes)

    # Words

    def text(self, edit: Edit) -> str:
        """What was done, in a line without places: "rule `web` added"."""
        if edit.kind == "default":
            return f"default changed from {self.old.default} to {self.new.default}"
        if edit.kind == "definition":
            users = list(dict.fromkeys(self.new.label(j) for j in edit.new))
            return f"{self._definitions(edit.names)}, by way of {_listed(users)}"
        policy, index = (self.new, edit.new[0]) if edit.new else (self.old, edit.old[0])
        rule = policy.rules[index]
        name = _called(policy, rule)
        if edit.kind != "edited":
            return f"{name} {edit.kind}"
        before = self.old.rules[edit.old[0]]
        told = [f"{name} edited: {'; '.join(self._differences(before, rule)) or 'it means something else'}"]
        if edit.names:
            told.append(f"; it also uses {self._definitions(edit.names, ', which changed', ' and ')}")
        return "".join(told)

    def spans(self, edit: Edit) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
        """Where it stands in the old text, and in the new one: the definitions, or the rules."""
        if edit.kind == "definition":
            found = [self.definitions[name] for name in edit.names]
            return (
                tuple(old.span for old, _ in found if old is not None),
                tuple(new.span for _, new in found if new is not None),
            )
        return (
            tuple(self.old.rules[i].span for i in edit.old if i < len(self.old.rules)),
            tuple(self.new.rules[j].span for j in edit.new if j < len(self.new.rules)),
        )

    def place(self, edit: Edit) -> str:
        """`old.fwl:3 -> new.fwl:4`."""
        sides = [", ".join(f"{s.file}:{s.line}" for s in some[:_SHOWN]) for some in self.spans(edit)]
        return " -> ".join(side for side in sides if side)

    def _definitions(self, names: Sequence[str], changed: str = " changed", between: str = " and ") -> str:
        """ "net `office` changed"; of several, that they did so together."""
        words = []
        for name in names:
            old, new = self.definitions[name]
            statement = new or old
            assert statement is not None
            assert isinstance(statement.content, ast.Definition)
            how = "" if old and new else " (new)" if new else " (gone)"
            words.append(f"{statement.content.kind} `{name}`{how}")
        together = ", together" if len(names) > 1 and changed == " changed" else ""
        return f"{between.join(words)}{changed}{together}"

    def _differences(self, before: Rule, now: Rule) -> Iterator[str]:
        if before.action is not now.action:
            yield f"{before.action} -> {now.action}"
        if before.until != now.until:
            yield f"until {before.until or 'no day'} -> {now.until or 'no day'}"
        was, has = dict(before.written), dict(now.written)
        for spec in TABLE:
            one, other = was.get(spec.field), has.get(spec.field)
            if one != other:
                yield f"{spec.word} {_brief(one)} -> {_brief(other)}"
        if before.name != now.name:
            yield f"called `{before.name}` before" if before.name else "without a name before"

    # Without effect

    def idle(self) -> Iterator[str]:
        """Edits none of whose rules decides a changed packet."""
        for edit in self.causes.idle:
            yield f"{self.text(edit)} ({self.place(edit)})"

    def unaffecting(self) -> Iterator[str]:
        """What differs and, whatever the packet, changes no verdict on this day."""
        for i, j in self.edits.pairs:
            before, now = self.old.rules[i], self.new.rules[j]
            told = list(_formal(before, now))
            if told:
                yield f"rule `{now.label}`: {'; '.join(told)}"
        used = {name for edit in self.edits.all for name in edit.names}
        for name, (earlier, later) in self.definitions.items():
            if name not in used:
                how = "is new" if earlier is None else "is gone"
                if earlier is not None and later is not None:
                    how = "changed; no rule that stayed means anything else by it"
                yield f"{self._definitions([name], '')} {how}".replace(" (new)", "").replace(" (gone)", "")
        told_old = {i for edit in self.edits.all for i in edit.old}
        told_new = {j for edit in self.edits.all for j in edit.new}
        asleep = [Counter(_asleep(policy, told)) for policy, told in ((self.old, told_old), (self.new, told_new))]
        if asleep[0] != asleep[1]:
            yield f"rules that do not count on {self.new.as_of} were changed"
        claims = [Counter((c.action, c.text, c.by) for c in policy.expectations) for policy in (self.old, self.new)]
        if claims[0] != claims[1]:
            yield _amounts("expectation", (claims[1] - claims[0]).total(), (claims[0] - claims[1]).total())
        if self.old.sources == self.new.sources:
            return
        remarks = [Counter(_comments(policy)) for policy in (self.old, self.new)]
        if remarks[0] != remarks[1]:
            yield _amounts("comment", (remarks[1] - remarks[0]).total(), (remarks[0] - remarks[1]).total())


def _called(policy: Policy, rule: Rule) -> str:
    """A rule by its name; one in doubt by that of its line, since the line may be certain of other packets."""
    name = rule.name
    doubt = ""
    if rule.action is DEPENDS and policy.imported is not None and rule.origin is not None:
        line = lines(policy.imported.document.chains).get(rule.origin.line)
        name, doubt = line.name if line is not None else None, ", where it is in doubt,"
    return f"rule `{name}`{doubt}" if name else f"rule{doubt}"


def _formal(before: Rule, now: Rule) -> Iterator[str]:
    """How two rules differ that do the same to the same packets."""
    if before.name != now.name:
        yield f"called `{before.name}` before" if before.name else "has got a name"
    if before.log != now.log:
        yield "is logged now" if now.log else "is no longer logged"
    if before.until != now.until:
        yield f"until {before.until or 'no day'} -> {now.until or 'no day'}"
    if before.written != now.written:
        yield "is written in another way"


def _changed(old: Policy, new: Policy) -> dict[str, tuple[ast.Statement | None, ast.Statement | None]]:
    """The definitions whose text differs, by name, those of the new policy first."""
    before, after = old.names.defined, new.names.defined
    return {
        name: (before.get(name), after.get(name))
        for name in [*after, *(name for name in before if name not in after)]
        if _value(before.get(name)) != _value(after.get(name))
    }


def _value(statement: ast.Statement | None) -> object:
    if statement is None or not isinstance(statement.content, ast.Definition):
        return None
    return statement.content.kind, show(statement.content.value)


def _uses(policy: Policy, changed: Mapping[str, object]) -> dict[int, frozenset[str]]:
    """The changed names that each rule uses, directly or by way of others."""
    if not changed:
        return {}
    lines: dict[tuple[str, int], set[str]] = {}
    for mention in policy.names.mentions:
        if mention.kind != "rule":
            lines.setdefault((mention.span.file, mention.span.line), set()).add(mention.name)

    def within(span: Span) -> set[str]:
        return set().union(*(lines.get((span.file, n), ()) for n in range(span.line, span.end_line + 1)))

    inner = {name: within(statement.span) - {name} for name, statement in policy.names.defined.items()}
    whole: dict[str, frozenset[str]] = {}

    def reached(name: str) -> frozenset[str]:
        if name not in whole:
            seen, left = {name}, [name]
            while left:
                more = inner.get(left.pop(), set()) - seen
                seen |= more
                left += more
            whole[name] = frozenset(seen & changed.keys())
        return whole[name]

    out = {}
    for index, rule in enumerate(policy.rules):
        names = frozenset[str]().union(*(reached(name) for name in within(rule.span)))
        if names:
            out[index] = names
    return out


def _asleep(policy: Policy, told: Collection[int]) -> Iterator[object]:
    """The rules that do not count, but for those told of."""
    for index, rule in enumerate(policy.rules):
        if not policy.active(rule) and index not in told:
            yield rule.action, rule.boxes, rule.until


def _comments(policy: Policy) -> Iterator[str]:
    for text in policy.sources.values():
        yield from (found for found in _COMMENT.findall(text) if found.startswith("#"))


def _amounts(what: str, come: int, gone: int) -> str:
    """`2 comments added, 1 removed`"""
    some = come or gone
    first = f"{some} {what}{'s' * (some != 1)} {'added' if come else 'removed'}"
    return f"{first}, {gone} removed" if come and gone else first


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN:,} more rules"


def _brief(text: str | None) -> str:
    if text is None:
        return "any"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
