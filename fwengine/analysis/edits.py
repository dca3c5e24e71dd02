"""What was done to turn one list of rules into another: rules added, removed, moved, edited; definitions changed.

The rules that are aligned (see `align`) were left alone; each rule that is left over belongs to exactly one edit. Which
rules are two versions of one is a guess that no verdict depends on: the same meaning elsewhere is a move, the same name
or the same text an edit. Knows rules, and which of the changed names a rule uses; knows no texts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from ..model.box import Sets
from ..model.rules import Rule
from ..model.ruleset import RuleSet
from .align import aligned, meaning

Kind = Literal["added", "removed", "moved", "edited", "definition", "default"]
Names = frozenset[str]
NAMELESS: Mapping[int, Names] = {}  # what rules use that use no changed name
_MOST_COMPARED = 10_000  # pairs of rules within one gap that are compared for likeness
_MOST_FIELDS = 2  # in which two versions of a nameless rule may differ


@dataclass(frozen=True)
class Edit:
    """One change of the text, as far as rules go: those that stood there before, and those that stand there now.

    Indices into the old and the new rules; the number of rules stands for the default. `names` are the changed
    definitions by way of which the rules changed that read as before (kind `definition`), or that an edited rule uses besides.
    """

    kind: Kind
    old: tuple[int, ...] = ()
    new: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edits:
    """All edits between two rule sets, and the pairs of rules that mean the same.

    `old_at` and `new_at` put the rules of both into one list: each rule's place in it, equal for a pair. The default is last.
    """

    all: tuple[Edit, ...]
    pairs: tuple[tuple[int, int], ...]
    old_at: tuple[tuple[int, int, int], ...]
    new_at: tuple[tuple[int, int, int], ...]


def edits(
    old: RuleSet, new: RuleSet, old_uses: Mapping[int, Names] = NAMELESS, new_uses: Mapping[int, Names] = NAMELESS
) -> Edits:
    """The edits that lead from one rule set to the other, in the order of the new one.

    Args:
        old_uses, new_uses: for a rule's index the names it uses, directly or not, whose definitions differ.

    Complexity: O(n log n), and at most 10,000 comparisons of rules between two aligned ones.
    """
    return _Finder(old, new, old_uses, new_uses).found()


class _Finder:
    def __init__(
        self, old: RuleSet, new: RuleSet, old_uses: Mapping[int, Names], new_uses: Mapping[int, Names]
    ) -> None:
        self.old, self.new, self.old_uses, self.new_uses = old, new, old_uses, new_uses
        self.pairs = aligned(old, new)
        self.old_at = _places(len(old.rules), [i for i, _ in self.pairs], 0)
        self.new_at = _places(len(new.rules), [j for _, j in self.pairs], 1)
        kept = [set(side) for side in zip(*self.pairs, strict=True)] or [set(), set()]
        self.gone = [i for i, rule in enumerate(old.rules) if old.active(rule) and i not in kept[0]]
        self.come = [j for j, rule in enumerate(new.rules) if new.active(rule) and j not in kept[1]]
        self.edits: list[Edit] = []
        self.by_names: dict[tuple[str, ...], list[tuple[int, int]]] = {}

    def found(self) -> Edits:
        self._same_text()
        self._match(lambda i, rule: meaning(rule), "moved")
        self._match(lambda i, rule: rule.name, "edited")
        self._alike()
        self._match(lambda i, rule: rule.name or meaning(rule), "edited", idle=True)  # whose last day was changed
        for names, pairs in self.by_names.items():
            self.edits.append(Edit("definition", tuple(i for i, _ in pairs), tuple(j for _, j in pairs), names))
        self.edits += [Edit("removed", (i,)) for i in self.gone]
        self.edits += [Edit("added", (), (j,)) for j in self.come]
        if self.old.default is not self.new.default:
            self.edits.append(Edit("default", (len(self.old.rules),), (len(self.new.rules),)))
        self.edits.sort(key=self._at)
        return Edits(tuple(self.edits), tuple(self.pairs), self.old_at, self.new_at)

    def _at(self, edit: Edit) -> tuple[int, int, int]:
        return min([self.new_at[j] for j in edit.new] or [self.old_at[i] for i in edit.old])

    def _same_text(self) -> None:
        """Rules that read as before, in the same place, and mean something else: by way of a changed definition."""

        def text(rule: Rule, gap: int, uses: Names | None) -> object:
            return (gap, rule.action, rule.name, rule.until, rule.written) if uses and rule.written else None

        mine = [text(self.old.rules[i], self.old_at[i][0], self.old_uses.get(i)) for i in self.gone]
        others = [text(self.new.rules[j], self.new_at[j][0], self.new_uses.get(j)) for j in self.come]
        for n, m in _in_turn(mine, others):
            i, j = self.gone[n], self.come[m]
            names = self.old_uses[i] | self.new_uses[j]
            self.by_names.setdefault(tuple(sorted(names)), []).append((i, j))
        self._drop(pair for pairs in self.by_names.values() for pair in pairs)

    def _match(self, key: Callable[[int, Rule], object], kind: Kind, *, idle: bool = False) -> None:
        """Two versions of one rule are those with the same key, in turn; `idle`: one of them does not count on the day."""
        before, after = self.gone, self.come
        found = []
        if not idle:
            sides = [(before, after)]
        else:
            sides = [
                (before, [j for j, rule in enumerate(self.new.rules) if not self.new.active(rule)]),
                ([i for i, rule in enumerate(self.old.rules) if not self.old.active(rule)], after),
            ]
        for these, those in sides:
            mine = [key(i, self.old.rules[i]) for i in these]
            others = [key(j, self.new.rules[j]) for j in those]
            found += [(these[n], those[m]) for n, m in _in_turn(mine, others)]
        self._pair(found, kind)

    def _alike(self) -> None:
        """Nameless rules between the same two aligned ones that differ little."""
        found = []
        there = {gap: list(some) for gap, some in groupby(self.come, key=lambda j: self.new_at[j][0])}
        for gap, some in groupby(self.gone, key=lambda i: self.old_at[i][0]):
            mine, others = list(some), there.get(gap, [])
            if len(mine) * len(others) > _MOST_COMPARED:
                continue
            ways = sorted(
                (distance, i, j)
                for i in mine
                for j in others
                if (distance := _distance(self.old.rules[i], self.new.rules[j])) is not None
            )
            done: set[tuple[int, int]] = set()
            for _, i, j in ways:
                if (0, i) not in done and (1, j) not in done:
                    done |= {(0, i), (1, j)}
                    found.append((i, j))
        self._pair(found, "edited")

    def _pair(self, found: Collection[tuple[int, int]], kind: Kind) -> None:
        for i, j in found:
            names = self.old_uses.get(i, frozenset()) | self.new_uses.get(j, frozenset())
            self.edits.append(Edit(kind, (i,), (j,), tuple(sorted(names)) if kind == "edited" else ()))
        self._drop(found)

    def _drop(self, found: Iterable[tuple[int, int]]) -> None:
        done = list(found)
        before, after = {i for i, _ in done}, {j for _, j in done}
        self.gone = [i for i in self.gone if i not in before]
        self.come = [j for j in self.come if j not in after]


def _places(count: int, kept: Sequence[int], side: int) -> tuple[tuple[int, int, int], ...]:
    """For each rule, and for the default: behind how many aligned ones, and where there; what is gone before what has come."""
    out = []
    for i in range(count + 1):
        at = bisect_left(kept, i)
        out.append((at, 2, 0) if at < len(kept) and kept[at] == i else (at, 0 if side == 0 else 1, i))
    out[count] = (len(kept) + 1, 0, 0)
    return tuple(out)


def _in_turn(mine: Sequence[object], others: Sequence[object]) -> list[tuple[int, int]]:
    """The n-th with a key here and the n-th with it there; None is no key."""
    places: dict[object, list[int]] = {}
    for m, key in enumerate(others):
        places.setdefault(key, []).append(m)
    for queue in places.values():
        queue.reverse()
    return [(n, places[key].pop()) for n, key in enumerate(mine) if key is not None and places.get(key)]


def _distance(one: Rule, other: Rule) -> int | None:
    """In how many ways two rules differ; None if one would not call them the same rule."""
    if (one.name and other.name) or len(one.boxes) != len(other.boxes):
        return None
    fields: set[int] = set()
    shared: set[int] = set()
    for a, b in zip(one.boxes, other.boxes, strict=True):
        fields.update(_different(a.sets, b.sets))
        shared |= a.fields & b.fields
    different = len(fields) + (one.action is not other.action)
    return different if different <= _MOST_FIELDS and shared - fields else None


def _different(one: Sets, other: Sets) -> list[int]:
    return [f for f, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
