"""Boxes -> terms, as other firewalls have them: conditions on fields that the packets of a term have, all joined by "and".

A box may hold packets with ports and packets without; a condition of another firewall is about those that have what it asks for.
So a box is taken apart by family and by what its packets have, as little as is needed. Fragments are the writers' affair: terms
are made for one kind of them (see `terms`), and say nothing of it. Knows no format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..model import address
from ..model.box import HEADERS, Box, Sets
from ..model.fields import (
    ABSENT,
    BYTE,
    CODE,
    DSCP,
    DST,
    FRAGMENT,
    FULL,
    OPTIONAL,
    PRESENT,
    PROTOCOL,
    SRC,
    TTL,
    TYPE,
    present,
)
from ..model.interval import EMPTY, IntervalSet

FAMILIES = {4: address.V4, 6: address.V6}
_BOUND = (SRC, DST, DSCP, TTL, TYPE, CODE)  # conditions that other firewalls spell for one family


@dataclass(frozen=True)
class Term:
    """Packets that meet all of some conditions; a field without one may have any value, or be absent.

    Attributes:
        family: 4 or 6; None for packets of both.
        sets: the conditions. Those on ports, types and flags hold values alone, and stand beside the protocols that have them.
    """

    family: int | None
    sets: tuple[tuple[int, IntervalSet], ...]

    def get(self, field: int) -> IntervalSet | None:
        """The condition on a field."""
        return dict(self.sets).get(field)

    @property
    def fields(self) -> frozenset[int]:
        return frozenset(f for f, _ in self.sets)

    def __and__(self, more: Mapping[int, IntervalSet]) -> Term:
        """With other conditions in the place of those on the same fields."""
        return Term(self.family, tuple(sorted({**dict(self.sets), **more}.items())))


def terms(box: Box, fragment: int, families: Iterable[int], *, joint: bool = False) -> tuple[Term, ...]:
    """The packets of a box that are of one kind of fragment, as disjoint terms.

    Args:
        fragment: WHOLE, FIRST or LATER.
        families: those that are asked for.
        joint: may a term be about both families at once?
    """
    if fragment not in box.sets[FRAGMENT]:
        return ()
    found = {family: list(_of_family(box.sets, family, fragment)) for family in families}
    if joint and len(found) == 2:
        both = [t for t in found[4] if t in found[6] and not any(f in _BOUND for f, _ in t)]
        found = {family: [t for t in some if t not in both] for family, some in found.items()}
        return (*(Term(None, t) for t in both), *(Term(f, t) for f, some in found.items() for t in some))
    return tuple(Term(family, t) for family, some in found.items() for t in some)


def _of_family(sets: Sets, family: int, fragment: int) -> Iterator[tuple[tuple[int, IntervalSet], ...]]:
    mine = FAMILIES[family]
    shared: dict[int, IntervalSet] = {}
    for f, chosen in enumerate(sets):
        if f in (PROTOCOL, FRAGMENT, *OPTIONAL):
            continue
        domain = mine if f in (SRC, DST) else FULL[f]
        within = chosen & domain
        if not within:
            return
        if within != domain:
            shared[f] = within
    for protocols, conditions in _kinds(sets, family, fragment):
        whole = protocols | HEADERS if family == 6 else protocols
        asked = {} if whole == BYTE else {PROTOCOL: protocols}
        yield tuple(sorted({**shared, **asked, **conditions}.items()))


def _kinds(sets: Sets, family: int, fragment: int) -> Iterator[tuple[IntervalSet, dict[int, IntervalSet]]]:
    """Protocols together with the conditions on fields that they have, those of like conditions at once."""
    asked = [f for f in OPTIONAL if sets[f] != FULL[f]]
    if not asked:
        if sets[PROTOCOL]:
            yield sets[PROTOCOL], {}
        return
    groups: dict[frozenset[int], list[int]] = {}
    for lo, hi in sets[PROTOCOL]:
        for protocol in range(lo, hi + 1):
            groups.setdefault(present(protocol, family, fragment), []).append(protocol)
    alike: dict[tuple[tuple[int, IntervalSet], ...], IntervalSet] = {}
    for fields, protocols in groups.items():
        if any(ABSENT[f] not in sets[f] for f in asked if f not in fields):
            continue
        conditions = {f: sets[f] & PRESENT[f] for f in asked if f in fields}
        if all(conditions.values()):
            told = tuple((f, chosen) for f, chosen in conditions.items() if chosen != PRESENT[f])
            alike[told] = alike.get(told, EMPTY) | IntervalSet.union((p, p) for p in protocols)
    for told, chosen in alike.items():
        yield chosen, dict(told)
