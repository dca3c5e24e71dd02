"""Lines of other firewalls' policies that do no work: without them every packet may get just what it may get now.

A statement of the file may be several lines, and a line stands in several flat rules, in each chain that packets enter and in
both bounds of doubt; it is spare only if all of them can go. Lines are tried the last first, and what is found is gone for
those tried after it: so all of it can be removed together, or in part. Lines that end another resolution's way (see
`formats.unfold`) are not tried: what comes behind them was unfolded as if they stood there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .analysis.cover import hole, sample
from .analysis.entries import Entries, rule_pieces
from .analysis.reach import removal_changes
from .errors import Span
from .formats.chains import Chains, Kind, Line
from .formats.unfold import Unfolded, unfold
from .imported import dead_everywhere, lines
from .model.fields import Point
from .model.rules import ALLOW, DENY
from .model.ruleset import RuleSet

_HEIRS = 8  # that are looked for, of a piece


@dataclass(frozen=True)
class Spare:
    """What does a spare line's work: lines by their number, none where only defaults do; a packet that it decides."""

    heirs: tuple[int, ...]
    point: Point | None


class _Bound:
    """One bound of what enters one chain."""

    def __init__(self, flat: Unfolded) -> None:
        self.entries = Entries(RuleSet(flat.rules, flat.default))
        self.cutting = flat.cutting
        self.copies: dict[int, list[int]] = {}
        for index, rule in enumerate(flat.rules):
            if rule.origin is not None:
                self.copies.setdefault(rule.origin.line, []).append(index)
        self.gone = 0

    def _of(self, some: Iterable[int]) -> list[int]:
        return [index for line in some for index in self.copies.get(line, ())]

    def leave_out(self, some: Iterable[int]) -> None:
        self.gone |= self.entries.vector(self._of(some))

    def is_needed(self, some: Sequence[int]) -> bool:
        """Does a verdict change without these lines, and without what is gone?"""
        if not self.cutting.isdisjoint(some):
            return True
        copies = self._of(some)
        helpless = self.gone | self.entries.vector(copies)
        return any(
            removal_changes(
                self.entries, index, rule_pieces(self.entries.policy, index),
                earlier=self.entries.before(index) & ~helpless, helpless=helpless,
            )
            is not None
            for index in copies
        )  # fmt: skip

    def work(self, some: Sequence[int]) -> Iterator[tuple[int | None, Point]]:
        """Packets that the lines decide, each with the line that would decide it otherwise; None is the default."""
        entries = self.entries
        own = entries.vector(self._of(some))
        for index in self._of(some):
            taken = entries.before(index) & ~self.gone & ~own
            later = entries.after(index) & ~self.gone & ~own
            for part in rule_pieces(entries.policy, index):
                for _ in range(_HEIRS):
                    free = hole(entries, part, taken)
                    point = sample(free, entries.interfaces, lambda point: True) if free is not None else None
                    if point is None:
                        break
                    heir = next(entries.taking_point(point, later), None)
                    if heir is None:
                        yield None, point
                        break
                    origin = entries.policy.rules[entries.rule[heir]].origin
                    yield (None if origin is None else origin.line), point
                    taken |= entries.vector([entries.rule[heir]])


@lru_cache(maxsize=1)  # asked for each policy of a file, one after the other
def spare(chains: Chains, entries: tuple[str, ...]) -> Mapping[int, Spare]:
    """The lines that can be left out, besides those that are dead, each with what does its work.

    Raises:
        LimitError: if a search takes more steps than the limit allows, or the chains unfold to too much.

    Complexity: that of unfolding both bounds of each entry, and a search for each line that decides.
    """
    dead = dead_everywhere(chains, entries)
    bounds = [bound for entry in entries for bound in _bounds(chains, entry)]
    for bound in bounds:
        bound.leave_out(dead)
    out: dict[int, Spare] = {}
    for number, group in sorted(_statements(chains).items(), reverse=True):
        live = [n for n in group if n not in dead and any(n in bound.copies for bound in bounds)]
        if not live or any(bound.is_needed(live) for bound in bounds):
            continue
        found = [one for bound in bounds for one in bound.work(live)]
        heirs = sorted({heir for heir, _ in found if heir is not None})
        out[number] = Spare(tuple(heirs), found[0][1] if found else None)
        for bound in bounds:
            bound.leave_out(live)
    return dict(sorted(out.items()))


def _statements(chains: Chains) -> Mapping[int, list[int]]:
    """The lines that decide and stand in the file, those made of one statement together, by the number of the first."""
    by_place: dict[Span, list[Line]] = {}
    for line in lines(chains).values():
        if line.kind is not Kind.PASS:
            by_place.setdefault(line.span, []).append(line)
    return {
        min(line.number for line in some): [line.number for line in some]
        for some in by_place.values()
        if all(line.kind in (Kind.ALLOW, Kind.DENY) and not line.implied for line in some)
    }


def _bounds(chains: Chains, entry: str) -> Sequence[_Bound]:
    upper = unfold(chains, entry, ALLOW)
    if not any(rule.origin is not None and rule.origin.doubts for rule in upper.rules) and not upper.cutting:
        lower = unfold(chains, entry, DENY)
        return [_Bound(upper)] if lower.rules == upper.rules else [_Bound(upper), _Bound(lower)]
    return [_Bound(upper), _Bound(unfold(chains, entry, DENY))]
