"""Truncated packets through a policy: decided from the fields that are there, where what is missing makes no difference.

Knows rule sets and what is known of a packet as sets; neither bytes nor captures.
"""

from __future__ import annotations

from itertools import islice

from ..model.box import Box, Sets
from ..model.rules import ALLOW, Action
from ..model.ruleset import RuleSet

PARTS = 10_000  # parts of what a packet may be that are looked at before it counts as undecided
_REMEMBERED = 1 << 15


class Cuts:
    """The fate of truncated packets under one rule set; the last ones are remembered."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._known: dict[Sets, tuple[Action | None, int | None]] = {}

    def fate(self, sets: Sets | None) -> tuple[Action | None, int | None]:
        """What becomes of all packets in a product, and the index of the rule that decides all of them.

        The action is None if they fare differently, are more than can be looked at, or if nothing is known of them; the
        index is None then, too, and where several rules agree.
        """
        if sets is None:
            return None, None
        found = self._known.get(sets)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[sets] = self._fate(sets)
        return found

    def _fate(self, sets: Sets) -> tuple[Action | None, int | None]:
        action: Action | None = None
        rules: set[int] = set()
        for count, (_, index) in enumerate(islice(self._rules.tree.regions(Box(sets)), PARTS + 1)):
            if count == PARTS:
                return None, None
            if index not in rules:
                rules.add(index)
                if action not in (None, self._rules.action(index)):
                    return None, None
                action = self._rules.action(index)
        return action, rules.pop() if len(rules) == 1 else None

    def row(self, sets: Sets | None, truncated: int, several: int) -> int:
        """Where such a packet counts: the rule's index, or one of the rows given. What several rules deny is truncated."""
        action, index = self.fate(sets)
        if index is not None:
            return index
        return several if action is ALLOW else truncated
