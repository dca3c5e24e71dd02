"""Which edit each change of verdicts comes from: every changed region belongs to exactly one.

A changed packet is decided by one rule before and another after, and at least one of the two was edited (`edits`). If it is
one, or both belong to one edit, that edit is the cause. If they belong to two, it is the edit of the one that stands higher
in the list of both versions' rules. So this holds of each change and its cause:

- if its old rule stands higher (or its new one was left alone), taking back this edit alone takes back the change;
- if its new rule stands higher (or its old one was left alone), this edit alone makes the change.

Exact. Knows no texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..model.rules import ALLOW, DENY, DEPENDS
from .diff import Change
from .edits import Edit, Edits


@dataclass(frozen=True)
class Cause:
    """An edit and the changes that come from it: first what is newly allowed, the widest first, then what newly depends on
    lines in doubt, then what is newly denied.

    Attributes:
        allowed, dependent, denied: the changes.
        besides: other edits whose rules decide some of these packets as well.
    """

    edit: Edit
    allowed: tuple[Change, ...]
    denied: tuple[Change, ...]
    besides: tuple[Edit, ...] = ()
    dependent: tuple[Change, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        return self.allowed + self.dependent + self.denied

    @property
    def flows(self) -> tuple[int, int, int]:
        """Of what is newly allowed, of what newly depends on lines in doubt, and of what is newly denied."""
        allowed, dependent, denied = (sum(c.flows for c in s) for s in (self.allowed, self.dependent, self.denied))
        return allowed, dependent, denied


@dataclass(frozen=True)
class Causes:
    """The changes by their causes, the most dangerous cause first; and the edits that cause none."""

    found: tuple[Cause, ...]
    idle: tuple[Edit, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes, in the order in which they are told."""
        return tuple(change for cause in self.found for change in cause.changes)


def causes(made: Edits, changes: Sequence[Change]) -> Causes:
    """The changes, each put down to one of the edits; newly allowed before newly denied, wide before narrow. O(n log n).

    `idle` are the edits whose rules decide none of the changed packets, neither before nor after.
    """
    before = {i: n for n, edit in enumerate(made.all) for i in edit.old}
    after = {j: n for n, edit in enumerate(made.all) for j in edit.new}
    mine: dict[int, list[Change]] = {}
    besides: dict[int, set[int]] = {}
    for change in changes:
        was, now = before.get(change.old_rule), after.get(change.new_rule)
        first = made.old_at[change.old_rule] <= made.new_at[change.new_rule]
        chosen = was if now is None or (first and was is not None) else now
        assert chosen is not None, "rules that nobody edited decide a packet differently"
        mine.setdefault(chosen, []).append(change)
        besides.setdefault(chosen, set()).update(n for n in (was, now) if n is not None and n != chosen)
    found = []
    for n, some in mine.items():
        some.sort(key=lambda change: -change.flows)
        found.append(
            Cause(
                made.all[n],
                tuple(c for c in some if c.new is ALLOW),
                tuple(c for c in some if c.new is DENY),
                tuple(made.all[m] for m in sorted(besides[n])),
                tuple(c for c in some if c.new is DEPENDS),
            )
        )
    found.sort(key=lambda cause: tuple(-flows for flows in cause.flows))
    involved = set(mine).union(*besides.values()) if mine else set()
    return Causes(tuple(found), tuple(edit for n, edit in enumerate(made.all) if n not in involved))
