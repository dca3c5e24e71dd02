"""What each rule still decides: reachability with a witness, effective parts, and minimal sets of blockers.

Definitions: M_i is what rule i matches; E_i, its effective part, is M_i minus all M_j of earlier active rules; a rule is
unreachable if E_i is empty. A packet tried in the compiled tree settles most rules; the rest are searched exactly. Each
question takes the policy's `Entries` if several are asked. Knows nothing of how findings are reported.

Sources: Al-Shaer & Hamed, "Modeling and management of firewall policies", IEEE TNSM 1 (2004); Gouda & Liu, "Structured
firewall design", Computer Networks 51 (2007).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..model.box import Box, Sets, pieces
from ..model.fields import Point
from ..model.packet import Packet
from ..model.ruleset import RuleSet
from .cover import Hole, around, decided, hole, sample, unmatched
from .entries import Entries, intersections, rule_pieces
from .region import difference, tidy
from .witness import choose


@dataclass(frozen=True)
class Blocked:
    """Why a rule is unreachable.

    `rules` together match all that it matches, and without any one of them some packet would get past them. `witness` is
    a packet of the rule, and `decided_by` the index of the rule that decides it; where some packets of the rule get the
    other action, it is one of those, and `shadowed` is true. `repeated` is true if rules of the same action match all of
    it: then `rules` are of these, and the rule would add nothing to them wherever it stood.
    """

    rules: tuple[int, ...]
    witness: Packet
    decided_by: int
    shadowed: bool
    repeated: bool


def reachable(policy: RuleSet, index: int, entries: Entries | None = None) -> Packet | None:
    """A packet that the rule decides; None if there is none. Exact.

    Raises:
        LimitError: beyond the limit of steps in the exact search.

    >>> from fwengine.model.rules import ALLOW, DENY, rules_of
    >>> from fwengine.analysis.region import EVERYTHING
    >>> policy = RuleSet(rules_of([(ALLOW, EVERYTHING), (DENY, EVERYTHING)]))
    >>> reachable(policy, 0) is None, reachable(policy, 1) is None
    (False, True)
    """
    entries = entries or Entries(policy)
    part = free_part(entries, index)
    return None if part is None else Packet.from_point(choose(part, entries.interfaces), entries.asked)


def effective(policy: RuleSet, index: int, entries: Entries | None = None) -> list[Box]:
    """What the rule still decides (E_i), as few disjoint boxes, widest first; none if it is unreachable or expired.

    Raises:
        LimitError: if it takes more regions than the limit allows, before they are merged.
    """
    if not policy.active(policy.rules[index]):
        return []
    entries = entries or Entries(policy)
    return tidy([Box(sets) for sets in decided_parts(entries, index, None)])


def decided_parts(entries: Entries, index: int, within_parts: Sequence[Sets] | None = None) -> Iterator[Sets]:
    """What a rule decides (of some disjoint pieces, if given), as disjoint products; lazily."""
    for e in range(entries.first[index], entries.first[index + 1]):
        parts = (
            list(pieces(entries.sets[e])) if within_parts is None else intersections(within_parts, [entries.sets[e]])
        )
        for part in parts:
            earlier = entries.overlapping(part, (1 << e) - 1)
            if next(entries.covering(part, earlier), None) is None:
                yield from difference(part, entries.boxes(earlier))


def unreachable(policy: RuleSet, entries: Entries | None = None) -> Iterator[int]:
    """The indices of the active rules that match some packet and decide none, ascending; lazily."""
    entries = entries or Entries(policy)
    for index, rule in enumerate(policy.rules):
        if policy.active(rule) and free_part(entries, index) is None and rule_pieces(policy, index):
            yield index


def blockers(policy: RuleSet, index: int, entries: Entries | None = None) -> Blocked | None:
    """Why the rule is unreachable; None if it is not: if it decides a packet, matches none at all, or is expired.

    Of all minimal sets one of few and early rules is chosen: of the same action if there is such a set, and a single rule
    if one suffices, the first such.

    Raises:
        LimitError: beyond the limit of steps in one of the searches.
    """
    entries = entries or Entries(policy)
    if not policy.active(policy.rules[index]) or free_part(entries, index) is not None:
        return None
    parts = rule_pieces(policy, index)
    return explain_blocked(entries, index, parts) if parts else None


def free_part(entries: Entries, index: int, parts: list[Sets] | None = None) -> Sets | None:
    """A nonempty product of packets that the rule decides, perhaps a single point; None if there is none."""
    if entries.first[index] == entries.first[index + 1]:
        return None
    parts = rule_pieces(entries.policy, index) if parts is None else parts
    tree = entries.policy.tree
    for part in parts:
        point = sample(part, entries.interfaces, lambda point: tree.index(point) == index)
        if point is not None:
            return around(part, point)
    before = entries.before(index)
    for part in parts:
        found = hole(entries, part, before)
        if found is not None:
            return found
    return None


def explain_blocked(entries: Entries, index: int, parts: list[Sets]) -> Blocked:
    """The `Blocked` of a rule that is known to be unreachable, with its nonempty pieces."""
    policy = entries.policy
    point = _shadowed_point(entries, index, parts)
    shadowed = point is not None
    if point is None:
        point = choose(parts[0], entries.interfaces)
    before = entries.before(index)
    rules = _covering(entries, parts, before & entries.taking(policy.rules[index].action))
    repeated = bool(rules)
    if not rules:
        rules = _covering(entries, parts, before)
    return Blocked(rules, Packet.from_point(point, entries.asked), policy.tree.index(point), shadowed, repeated)


def _shadowed_point(entries: Entries, index: int, parts: list[Sets]) -> Point | None:
    """A packet of an unreachable rule that gets the other action; None if there is none."""
    policy = entries.policy
    action = policy.rules[index].action
    for part in parts:
        point = sample(part, entries.interfaces, lambda point: policy.action(policy.tree.index(point)) is not action)
        if point is not None:
            return point
    before = entries.before(index)
    opposed = entries.against(action)
    for part in parts:
        found = decided(entries, part, before & opposed, before & ~opposed)
        if found is not None:
            return choose(found, entries.interfaces)
    return None


def _covering(entries: Entries, parts: list[Sets], among: int) -> tuple[int, ...]:
    """Rules of the entries `among` that match all of some pieces together, as few as it needs; empty if all do not."""
    return _single_cover(entries, parts, among) or _minimal_cover(entries, parts, among)


def _single_cover(entries: Entries, parts: list[Sets], among: int) -> tuple[int, ...]:
    """The first rule that matches all of the pieces by itself, as a tuple of one; empty if there is none."""
    common: set[int] | None = None
    for part in parts:
        mine = {entries.rule[e] for e in entries.covering(part, among)}
        common = mine if common is None else common & mine
        if not common:
            return ()
    return (min(common),) if common else ()


def _minimal_cover(entries: Entries, parts: list[Sets], among: int) -> tuple[int, ...]:
    """Of rules that match the pieces together, those that remain when, the last first, all are dropped that need not be there."""
    chosen: set[int] = set()
    for part in parts:
        taken = unmatched(entries, part, among)
        if isinstance(taken, Hole):
            return ()
        chosen |= {entries.rule[e] for e in taken.entries}
    left = entries.vector(chosen) & among
    # INVARIANT: dropping one rule never makes another superfluous that was needed, so one pass suffices
    for rule in sorted(chosen, reverse=True):
        own = entries.vector([rule])
        shared = intersections(parts, list(entries.boxes(own)))
        if all(hole(entries, part, left & ~own) is None for part in shared):
            chosen.discard(rule)
            left &= ~own
    return tuple(sorted(chosen))


def successor(entries: Entries, index: int, point: Point, ignored: int = 0) -> int:
    """The index of the rule that would decide a packet of the rule if neither it were there nor the entries `ignored`.

    The number of rules stands for the default.
    """
    e = next(entries.taking_point(point, entries.after(index) & ~ignored), None)
    return len(entries.policy.rules) if e is None else entries.rule[e]


def removal_changes(
    entries: Entries,
    index: int,
    parts: Iterable[Sets],
    *,
    earlier: int | None = None,
    helpless: int = 0,
) -> Sets | None:
    """A part of what a rule decides whose verdict would change without the rule; None if there is none.

    Args:
        parts: where to look: the pieces of the rule, or of something within it.
        earlier: the entries that take packets before the rule does; all earlier ones if not given.
        helpless: later entries that cannot be relied on to do the rule's work: as if those of its action were not
            there, and those of the other action were.
    """
    policy = entries.policy
    action = policy.rules[index].action
    before = entries.before(index) if earlier is None else earlier
    opposed = entries.against(action)
    after = entries.after(index) & (opposed | ~helpless)
    for part in parts:
        later, whole = entries.visible(part, after)
        found = decided(entries, part, later & opposed, before | (later & ~opposed))
        if found is None and not whole and policy.default is not action:
            found = hole(entries, part, before | later)
        if found is not None:
            return found
    return None
