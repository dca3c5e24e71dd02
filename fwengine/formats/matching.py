"""A match under construction: conditions are joined by "and", each exact or in doubt; what comes out are parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..model.box import Sets
from ..model.fields import FULL, interface_number
from ..model.interval import IntervalSet, together
from .chains import Part

Conditions = Mapping[int, IntervalSet]
IFNAMSIZ = 15  # bytes of an interface name on Linux


class Match:
    """All packets at first; each condition narrows it.

    The alternatives may overlap: a packet that is certain in one of them is certain.
    """

    def __init__(self, within: Conditions) -> None:
        sets = tuple([within.get(f, full) for f, full in enumerate(FULL)])
        self._alternatives: list[tuple[Sets, tuple[str, ...]]] = [(sets, ())]

    def copy(self) -> Match:
        """Another one, to be narrowed in another way."""
        twin = Match({})
        twin._alternatives = list(self._alternatives)
        return twin

    def require(self, conditions: Conditions) -> None:
        """One set a field, all of them."""
        self.require_any([conditions])

    def require_any(self, options: Iterable[Conditions]) -> None:
        """One of several. None of none: the match is empty."""
        chosen = list(options)
        out = []
        for sets, doubts in self._alternatives:
            for conditions in chosen:
                narrowed = list(sets)
                for f, allowed in conditions.items():
                    narrowed[f] = narrowed[f] & allowed
                if all(narrowed):
                    out.append((tuple(narrowed), doubts))
        self._alternatives = out

    def doubt(self, reason: str, unless: tuple[int, IntervalSet] | None = None) -> None:
        """A condition that the packet alone does not settle, but for the packets that `unless` (field, set) selects."""
        out = []
        for sets, doubts in self._alternatives:
            if unless is None:
                out.append((sets, (*doubts, reason)))
                continue
            f, certain = unless
            for part, why in ((sets[f] & certain, doubts), (sets[f] - certain, (*doubts, reason))):
                if part:
                    out.append(((*sets[:f], part, *sets[f + 1 :]), why))
        self._alternatives = out

    def parts(self) -> tuple[Part, ...]:
        """The alternatives, those of the same doubts together, what is certain first."""
        grouped: dict[tuple[str, ...], list[Sets]] = {}
        for sets, doubts in sorted(self._alternatives, key=lambda a: bool(a[1])):
            grouped.setdefault(tuple(dict.fromkeys(doubts)), []).append(sets)
        return tuple(Part(tuple(products), doubts) for doubts, products in grouped.items())


def without(options: Iterable[Conditions]) -> list[Conditions]:
    """The packets that none of several products selects, as disjoint products."""
    left: list[Conditions] = [{}]
    for taken in options:
        left = [rest for one in left for rest in less(one, taken)]
    return left


def less(one: Conditions, taken: Conditions) -> Iterator[Conditions]:
    """The packets of a product that another does not take, as disjoint products."""
    rest = dict(one)
    for f, chosen in taken.items():
        mine = rest.get(f, FULL[f])
        outside = mine - chosen
        if outside:
            yield {**rest, f: outside}
        rest[f] = mine & chosen
        if not rest[f]:
            return


def union(sets: Sequence[IntervalSet]) -> IntervalSet:
    """All of several sets."""
    return sets[0] if len(sets) == 1 else together(sets)


def beginning(prefix: str) -> IntervalSet:
    """All interface names that begin so."""
    number, length = interface_number(prefix), len(prefix.encode())
    return IntervalSet.union(
        (number << 8 * more, ((number + 1) << 8 * more) - 1) for more in range(IFNAMSIZ + 1 - length)
    )
