"""What each rule still decides: reachability with a witness, effective parts, and minimal sets of blockers.

Definitions: M_i is what rule i matches; E_i, its effective part, is M_i minus all M_j of earlier active rules; a rule is
unreachable if E_i is empty. A packet tried in the compiled tree settles most rules; the rest are searched exactly. Each
question takes the policy's `Entries` if several are asked. Knows nothing of how findings are reported.

Sources: Al-Shaer & Hamed, "Modeling and management of firewall policies", IEEE TNSM 1 (2004); Gouda & Liu, "Structured
firewall design", Computer Networks 51 (2007).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import prod

from ..box import Box, Sets
from ..header import DPORT, DST, FIELDS, PROTOCOL, SPORT, SRC, Packet, Point
from ..policy import Policy
from .entries import Entries, intersections, pieces
from .overlap import bits
from .region import REGIONS, disjoint, restricted, tidy
from .search import STEPS, find
from .witness import choose


@dataclass(frozen=True)
class Blocked:
    """Why a rule is unreachable.

    `rules` together match all that it matches, and without any one of them some packet would reach it. `witness` is
    such a packet, and `decided_by` the index of the rule that decides it; where some packets of the rule get the other
    action, it is one of those, and `shadowed` is true.
    """

    rules: tuple[int, ...]
    witness: Packet
    decided_by: int
    shadowed: bool


def reachable(policy: Policy, index: int, entries: Entries | None = None, steps: int = STEPS) -> Packet | None:
    """A packet that the rule decides; None if there is none. Exact.

    Raises:
        LimitError: beyond `steps` in the exact search.

    >>> from ..policy import ALLOW, DENY, rules_of
    >>> from .region import EVERYTHING
    >>> policy = Policy(rules_of([(ALLOW, EVERYTHING), (DENY, EVERYTHING)]))
    >>> reachable(policy, 0) is None, reachable(policy, 1) is None
    (False, True)
    """
    entries = entries or Entries(policy)
    part = free_part(entries, index, steps)
    return None if part is None else Packet.from_point(choose(part, entries.interfaces))


def effective(
    policy: Policy, index: int, entries: Entries | None = None, limit: int = REGIONS
) -> list[Box]:
    """What the rule still decides (E_i), as few disjoint boxes, widest first; none if it is unreachable or expired.

    Raises:
        LimitError: if it takes more than `limit` boxes before they are merged.
    """
    if not policy.active(policy.rules[index]):
        return []
    entries = entries or Entries(policy)
    before = entries.before(index)
    out: list[Box] = []
    for piece in disjoint(policy.rules[index].boxes, limit):
        earlier = ((box, 0) for box in entries.boxes(entries.overlapping(piece, before)))
        out += [Box(sets) for sets, tag in restricted(piece, earlier, 1, limit) if tag]
    return tidy(out)


def unreachable(policy: Policy, entries: Entries | None = None, steps: int = STEPS) -> Iterator[int]:
    """The indices of the active rules that match some packet and decide none, ascending; lazily."""
    entries = entries or Entries(policy)
    for index, rule in enumerate(policy.rules):
        if policy.active(rule) and free_part(entries, index, steps) is None and pieces(policy, index):
            yield index


def blockers(policy: Policy, index: int, entries: Entries | None = None, steps: int = STEPS) -> Blocked | None:
    """Why the rule is unreachable; None if it is not: if it decides a packet, matches none at all, or is expired.

    Of all minimal sets one of few and early rules is chosen: a single rule if one suffices, the first such.

    Raises:
        LimitError: beyond `steps` in one of the searches.
    """
    entries = entries or Entries(policy)
    if not policy.active(policy.rules[index]) or free_part(entries, index, steps) is not None:
        return None
    parts = pieces(policy, index)
    return explain_blocked(entries, index, parts, steps) if parts else None


def free_part(entries: Entries, index: int, steps: int = STEPS, parts: list[Sets] | None = None) -> Sets | None:
    """A nonempty product of packets that the rule decides, perhaps a single point; None if there is none."""
    if entries.first[index] == entries.first[index + 1]:
        return None
    parts = pieces(entries.policy, index) if parts is None else parts
    tree = entries.policy.tree
    for part in parts:
        for point in samples(part, entries.interfaces):
            if tree.index(point) == index:
                return _around(part, point)
    before = entries.before(index)
    for part in parts:
        earlier = entries.overlapping(part, before)
        if next(entries.covering(part, earlier), None) is None:
            found = find(part, ((box, False) for box in entries.boxes(earlier)), True, steps)
            if found is not None:
                return found
    return None


def explain_blocked(entries: Entries, index: int, parts: list[Sets], steps: int = STEPS) -> Blocked:
    """The `Blocked` of a rule that is known to be unreachable, with its nonempty pieces."""
    policy = entries.policy
    point = _shadowed_point(entries, index, parts, steps)
    shadowed = point is not None
    if point is None:
        point = choose(parts[0], entries.interfaces)
    rules = _single_blocker(entries, index, parts) or _minimal_blockers(entries, index, parts, steps)
    return Blocked(rules, Packet.from_point(point), policy.tree.index(point), shadowed)


def samples(part: Sets, interfaces: Sequence[str] = ()) -> Iterator[Point]:
    """A few points of a product: a realistic one, then those at corners and middles of its addresses and ports."""
    usual = choose(part, interfaces)
    yield usual
    for ends in _CORNERS:
        point = list(usual)
        for f, end in ends:
            point[f] = part[f].ranges[end][end]
        yield tuple(point)
    point = list(usual)
    for f in _SPREAD:
        lo, hi = part[f].ranges[len(part[f].ranges) // 2]
        point[f] = (lo + hi) // 2
    yield tuple(point)


_SPREAD = (PROTOCOL, SRC, DST, SPORT, DPORT)
_CORNERS = (  # 0: the lowest value of the field, -1: the highest
    tuple((f, 0) for f in _SPREAD),
    tuple((f, -1) for f in _SPREAD),
    *(((f, end),) for f in _SPREAD for end in (0, -1)),
)


def _around(part: Sets, point: Point) -> Sets:
    return tuple([type(s).single(v) for s, v in zip(part, point, strict=True)])


def _shadowed_point(entries: Entries, index: int, parts: list[Sets], steps: int) -> Point | None:
    """A packet of an unreachable rule that gets the other action; None if there is none."""
    policy = entries.policy
    other = policy.rules[index].action.other
    for part in parts:
        for point in samples(part, entries.interfaces):
            if policy.action(policy.tree.index(point)) is other:
                return point
    before = entries.before(index)
    opposed = entries.taking(other)
    for part in parts:
        earlier = entries.overlapping(part, before)
        cover = next(entries.covering(part, earlier), None)
        if cover is not None:
            earlier &= (1 << (cover + 1)) - 1
        if earlier & opposed:
            found = find(part, ((entries.sets[e], bool(opposed >> e & 1)) for e in bits(earlier)), False, steps)
            if found is not None:
                return choose(found, entries.interfaces)
    return None


def _single_blocker(entries: Entries, index: int, parts: list[Sets]) -> tuple[int, ...]:
    """The first rule that matches all of the rule by itself, as a tuple of one; empty if there is none."""
    before = entries.before(index)
    common: set[int] | None = None
    for part in parts:
        mine = {entries.rule[e] for e in entries.covering(part, before)}
        common = mine if common is None else common & mine
        if not common:
            return ()
    return (min(common),) if common else ()


def _minimal_blockers(entries: Entries, index: int, parts: list[Sets], steps: int) -> tuple[int, ...]:
    """Grow a set of rules by what it leaves uncovered, the largest matching rule first; then drop what is not needed."""
    before = entries.before(index)
    chosen: dict[int, list[Sets]] = {}
    while True:
        hole = _hole(parts, chosen, steps)
        if hole is None:
            break
        point = choose(hole)
        matching = [
            rule
            for rule in entries.rules(entries.overlaps.around(point, before))
            if entries.policy.rules[rule].matches(point)
        ]
        best = max(matching, key=lambda rule: (_volume(parts, _sets(entries, rule)), -rule))
        chosen[best] = _sets(entries, best)
    # INVARIANT: dropping one rule never makes another superfluous that was needed, so one pass suffices
    for rule in sorted(chosen, reverse=True):
        rest = {r: sets for r, sets in chosen.items() if r != rule}
        if _hole(list(intersections(parts, chosen[rule])), rest, steps) is None:
            chosen = rest
    return tuple(sorted(chosen))


def _sets(entries: Entries, rule: int) -> list[Sets]:
    return entries.sets[entries.first[rule] : entries.first[rule + 1]]


def _hole(parts: Sequence[Sets], chosen: dict[int, list[Sets]], steps: int) -> Sets | None:
    for part in parts:
        found = find(part, [(box, False) for rule in sorted(chosen) for box in chosen[rule]], True, steps)
        if found is not None:
            return found
    return None


def _volume(parts: Sequence[Sets], boxes: Sequence[Sets]) -> int:
    return sum(prod([shared[f].size for f in range(FIELDS)]) for shared in intersections(parts, boxes))


def successor(entries: Entries, index: int, point: Point) -> int:
    """The index of the rule that would decide a packet of the rule if the rule were not there; their number: the default."""
    among = entries.overlaps.around(point, entries.after(index))
    for e in bits(among):
        if all(value in chosen for value, chosen in zip(point, entries.sets[e], strict=True)):
            return entries.rule[e]
    return len(entries.policy.rules)


def removal_changes(entries: Entries, index: int, parts: Sequence[Sets], steps: int = STEPS) -> Sets | None:
    """A part of what a rule decides whose verdict would change without the rule; None if there is none.

    Args:
        parts: the pieces of the rule.
    """
    policy = entries.policy
    action = policy.rules[index].action
    opposed = entries.taking(action.other)
    hopeful = []
    for part in parts:
        otherwise = policy.default is not action
        later = entries.overlapping(part, entries.after(index))
        cover = next(entries.covering(part, later), None)
        if cover is not None:  # nothing behind it sees a packet of this part
            later &= (1 << cover) - 1
            otherwise = bool(opposed >> cover & 1)
        contrary = later & (~opposed if otherwise else opposed)
        if contrary or otherwise:
            hopeful.append((part, later & ((1 << contrary.bit_length()) - 1), otherwise))
    for part, later, _ in hopeful:
        targets = islice(bits(later & opposed), _TARGETS)
        for target in (part, *intersections([part], (entries.sets[e] for e in targets))):
            for point in samples(target):
                if policy.tree.index(point) == index and policy.action(successor(entries, index, point)) is not action:
                    return _around(part, point)
    before = entries.before(index)
    for part, later, otherwise in hopeful:
        earlier = entries.overlapping(part, before)
        if next(entries.covering(part, earlier), None) is not None:
            continue
        sequence = [(entries.sets[e], False) for e in bits(earlier)]
        sequence += [(entries.sets[e], bool(opposed >> e & 1)) for e in bits(later)]
        found = find(part, sequence, otherwise, steps)
        if found is not None:
            return found
    return None


_TARGETS = 8  # later rules of the other action whose packets are tried before the search
