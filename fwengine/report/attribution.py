"""Which changes of verdicts come from which changed definition: a `net` that grew, a `service` that lost a port."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..analysis.diff import Change
from ..errors import Span
from ..language.syntax import ast
from ..language.syntax.printer import show
from ..policy import Policy
from .changed import DefinitionChange
from .record import Place

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Attribution:
    """A definition that was changed, added or removed, the rules that use it, directly or not, and the changes they decide."""

    kind: str
    name: str
    old: Span | None
    new: Span | None
    rules: tuple[str, ...]
    changes: tuple[int, ...]  # indices into the changes
    flows: int


def attribute(old: Policy, new: Policy, changes: Sequence[Change]) -> list[Attribution]:
    """For each definition whose text differs, what of the changes goes through rules that mention it.

    A change that goes through several such definitions is counted for each.
    """
    before, after = old.names.defined, new.names.defined
    out = []
    for name in [*after, *(name for name in before if name not in after)]:
        was, now = before.get(name), after.get(name)
        if was is not None and now is not None and was.content == now.content:
            continue
        if was is None and now is None:
            continue
        users = [_users(policy, texts, name) for policy, texts in ((old, before), (new, after))]
        mine = [n for n, c in enumerate(changes) if c.old_rule in users[0] or c.new_rule in users[1]]
        labels = dict.fromkeys([old.label(i) for i in sorted(users[0])] + [new.label(i) for i in sorted(users[1])])
        some = now or was
        assert some is not None
        assert isinstance(some.content, ast.Definition)
        out.append(
            Attribution(
                some.content.kind,
                name,
                was.span if was else None,
                now.span if now else None,
                tuple(labels),
                tuple(mine),
                sum(changes[n].flows for n in mine),
            )
        )
    return [a for a in out if a.changes]


def _users(policy: Policy, defined: Mapping[str, ast.Statement], name: str) -> set[int]:
    """The rules that mention a name, or another that is defined by it."""
    names = {name}
    while True:
        more = {other for other, s in defined.items() if other not in names and names & _words(s)}
        if not more:
            break
        names |= more
    return {
        index
        for index, rule in enumerate(policy.rules)
        if any(names & set(_WORD.findall(text)) for _, text in rule.written)
    }


def _words(statement: ast.Statement) -> set[str]:
    content = statement.content
    return set(_WORD.findall(show(content.value))) if isinstance(content, ast.Definition) else set()


def attribution_record(found: Attribution) -> DefinitionChange:
    old, new = (Place.of(span) if span else None for span in (found.old, found.new))
    return DefinitionChange(found.kind, found.name, old, new, found.rules, found.changes, found.flows)


def attribution_lines(found: Attribution) -> list[str]:
    places = [f"{span.file}:{span.line}" for span in (found.old, found.new) if span]
    what = "changed" if found.old and found.new else "is new" if found.new else "is gone"
    count = len(found.changes)
    return [
        f"because {found.kind} `{found.name}` {what} ({' -> '.join(places)}), by way of {', '.join(found.rules)}: "
        f"{count} change{'s' * (count != 1)}, {found.flows:,} flow{'s' * (found.flows != 1)}"
    ]
