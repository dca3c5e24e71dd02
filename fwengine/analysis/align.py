"""Which rules of two versions are the same rule: the longest part of both lists that means the same in the same order.

Rules are compared by meaning alone: action and boxes. What is left over was changed. Knows nothing of texts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from ..model.rules import ALLOW, Rule
from ..model.ruleset import RuleSet


def aligned(old: RuleSet, new: RuleSet) -> list[tuple[int, int]]:
    """Pairs of active rules that mean the same, ascending on both sides.

    They are a common subsequence: rules of the same action and boxes, the n-th such here with the n-th there, of those
    pairs a longest increasing sequence. O(n log n).
    """
    places: dict[object, list[int]] = {}
    for j, rule in enumerate(new.rules):
        if new.active(rule):
            places.setdefault(meaning(rule), []).append(j)
    for queue in places.values():
        queue.reverse()
    pairs = []
    for i, rule in enumerate(old.rules):
        if old.active(rule):
            queue = places.get(meaning(rule), [])
            if queue:
                pairs.append((i, queue.pop()))
    return _increasing(pairs)


def unaligned(old: RuleSet, new: RuleSet) -> tuple[list[int], list[int]]:
    """The active rules of each policy that have no counterpart in the other in the same order, ascending."""
    pairs = aligned(old, new)
    kept_old, kept_new = {i for i, _ in pairs}, {j for _, j in pairs}
    return (
        [i for i, rule in enumerate(old.rules) if old.active(rule) and i not in kept_old],
        [j for j, rule in enumerate(new.rules) if new.active(rule) and j not in kept_new],
    )


def meaning(rule: Rule) -> object:
    """What two rules have in common if they do the same to the same packets, box by box; hashable."""
    # tuples of integers: their hashes are made in C
    return rule.action is ALLOW, frozenset([tuple([chosen.ranges for chosen in box.sets]) for box in rule.boxes])


def _increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of pairs ascending in the first a longest subsequence ascending in the second (patience sorting)."""
    tops: list[int] = []  # the least last second of a chain, by its length
    at: list[int] = []
    back: list[int] = []
    for n, (_, j) in enumerate(pairs):
        length = bisect_left(tops, j)
        back.append(at[length - 1] if length else -1)
        tops[length : length + 1] = [j]
        at[length : length + 1] = [n]
    out = []
    n = at[-1] if at else -1
    while n >= 0:
        out.append(pairs[n])
        n = back[n]
    return out[::-1]
