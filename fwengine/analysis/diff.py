"""What changed between two policies: the packets that one allows and the other denies.

Rules are aligned by meaning. A packet that no unaligned rule decides, before or after, is decided by the same rule in
both: so only what such rules decide is looked at, never the product of the two policies. Exact; each change has a
witness. Knows nothing of texts or of how changes are printed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..model.box import Box, Sets
from ..model.overlap import bits
from ..model.packet import Packet
from ..model.rules import Action, Rule
from ..model.ruleset import RuleSet
from .cover import unmatched
from .entries import Entries, closed, intersections
from .region import REGIONS, check_limit, difference, tidy
from .search import STEPS
from .witness import witness


@dataclass(frozen=True)
class Change:
    """Packets whose verdict changes: the actions and deciding rules before and after, a witness, the size (`Box.size`).

    `old_rule` and `new_rule` are indices into the old and the new policy; the number of rules stands for the default.
    """

    box: Box
    old: Action
    new: Action
    old_rule: int
    new_rule: int
    witness: Packet
    size: int


def diff(old: RuleSet, new: RuleSet, limit: int = REGIONS, steps: int = STEPS) -> tuple[Change, ...]:
    """The packets whose verdict changes, as few disjoint regions, widest first; empty exactly if the policies are equivalent.

    Each policy is asked on its own day (`as_of`).

    Raises:
        LimitError: if the answer takes more than `limit` boxes before they are merged, or a search more than `steps`.

    Complexity: near linear in the rules for loading; then a search for each unaligned rule and rule of the other action it
    overlaps.

    >>> from fwengine.model.rules import ALLOW, DENY
    >>> [(str(c.old), str(c.new), c.box.size > 0) for c in diff(RuleSet((), DENY), RuleSet((), ALLOW))]
    [('deny', 'allow', True)]
    """
    found: dict[tuple[int, int], list[Box]] = {}
    count = 0
    before, after = Entries(closed(old)), Entries(closed(new))
    lone_old, lone_new = unaligned(before.policy, after.policy)
    gone, come = before.vector(lone_old), after.vector(lone_new)
    for this, other, mine, partners, swapped in (
        (before, after, gone, after.overlaps.all, False),
        (after, before, come, before.overlaps.all & ~gone, True),
    ):
        for e, f, sets in _contrary(this, other, mine, partners, limit, steps):
            count += 1
            check_limit(count, limit)
            pair = (this.rule[e], other.rule[f])
            found.setdefault(pair[::-1] if swapped else pair, []).append(Box(sets))
    names = tuple(dict.fromkeys(after.interfaces + before.interfaces))
    changes = [
        Change(box, old.action(i), new.action(j), i, j, witness(box, names, before.asked | after.asked), box.size)
        for (i, j), boxes in found.items()
        for box in tidy(boxes)
    ]
    return tuple(sorted(changes, key=lambda change: -change.size))


def equivalent(old: RuleSet, new: RuleSet, steps: int = STEPS) -> bool:
    """Do the policies give every packet the same verdict? Exact, and cheaper than `diff` where they do not."""
    before, after = Entries(closed(old)), Entries(closed(new))
    lone_old, lone_new = unaligned(before.policy, after.policy)
    for this, other, lone in ((before, after, lone_old), (after, before, lone_new)):
        if next(_contrary(this, other, this.vector(lone), other.overlaps.all, REGIONS, steps), None) is not None:
            return False
    return True


def unaligned(old: RuleSet, new: RuleSet) -> tuple[list[int], list[int]]:
    """The active rules of each policy that have no counterpart in the other in the same order, ascending.

    The others are a common subsequence: rules of the same action and boxes, the n-th such here with the n-th there, of
    those pairs a longest increasing sequence. O(n log n).
    """
    places: dict[object, list[int]] = {}
    for j, rule in enumerate(new.rules):
        if new.active(rule):
            places.setdefault(_meaning(rule), []).append(j)
    for queue in places.values():
        queue.reverse()
    pairs = []
    for i, rule in enumerate(old.rules):
        if old.active(rule):
            queue = places.get(_meaning(rule), [])
            if queue:
                pairs.append((i, queue.pop()))
    kept = _increasing(pairs)
    kept_old, kept_new = {i for i, _ in kept}, {j for _, j in kept}
    return (
        [i for i, rule in enumerate(old.rules) if old.active(rule) and i not in kept_old],
        [j for j, rule in enumerate(new.rules) if new.active(rule) and j not in kept_new],
    )


def _meaning(rule: Rule) -> object:
    return rule.action, frozenset(box.sets for box in rule.boxes)


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


def _contrary(
    this: Entries, other: Entries, mine: int, partners: int, limit: int, steps: int
) -> Iterator[tuple[int, int, Sets]]:
    """What entries `mine` of one policy decide and `partners` of the other decide the other way, as disjoint products."""
    for e in bits(mine):
        opposed = partners & other.taking(this.policy.rules[this.rule[e]].action.other)
        for piece in Box(this.sets[e]).pieces:
            part = piece.sets
            among = other.overlapping(part, other.overlaps.all)
            cover = next(other.covering(part, among), None)
            if cover is not None:  # nothing behind it sees a packet of this part
                among &= (1 << (cover + 1)) - 1
            earlier = this.overlapping(part, (1 << e) - 1)
            if among & opposed and isinstance(unmatched(this, part, earlier, steps), tuple):
                for f in bits(among & opposed):
                    for shared in intersections([part], [other.sets[f]]):
                        yield from (
                            (e, f, sets)
                            for sets in _left(this, earlier, other, among & ((1 << f) - 1), shared, limit, steps)
                        )


def _left(
    this: Entries, earlier: int, other: Entries, before: int, shared: Sets, limit: int, steps: int
) -> Iterator[Sets]:
    """The part of a product that neither the `earlier` entries of one policy nor those `before` in the other take."""
    if isinstance(unmatched(this, shared, earlier, steps), list) or isinstance(
        unmatched(other, shared, before, steps), list
    ):
        return
    mine, others = this.overlapping(shared, earlier), other.overlapping(shared, before)
    yield from difference(shared, dict.fromkeys([*this.boxes(mine), *other.boxes(others)]), limit)
