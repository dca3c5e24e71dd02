"""Lines of other firewalls' policies that do no work: without them every packet may get just what it may get now.

A line stands in several flat rules, in each chain that packets enter and in both bounds of doubt; it is spare only if all
of them can go. Lines are tried the last first, and what is found is gone for those tried after it: so all of it can be
removed together, or in part. Lines that end another resolution's way (see `formats.unfold`) are not tried: what comes
behind them was unfolded as if they stood there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .analysis.cover import hole, sample
from .analysis.entries import Entries, rule_pieces
from .analysis.reach import removal_changes
from .analysis.search import STEPS
from .formats.chains import Chains, Kind
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

    def leave_out(self, line: int) -> None:
        self.gone |= self.entries.vector(self.copies.get(line, ()))

    def is_needed(self, line: int, steps: int) -> bool:
        """Does a verdict change without the line, and without what is gone?"""
        if line in self.cutting:
            return True
        copies = self.copies.get(line, [])
        helpless = self.gone | self.entries.vector(copies)
        return any(
            removal_changes(
                self.entries, index, rule_pieces(self.entries.policy, index), steps,
                earlier=self.entries.before(index) & ~helpless, helpless=helpless,
            )
            is not None
            for index in copies
        )  # fmt: skip

    def work(self, line: int, steps: int) -> Iterator[tuple[int | None, Point]]:
        """Packets that the line decides, each with the line that would decide it otherwise; None is the default."""
        entries = self.entries
        own = entries.vector(self.copies.get(line, ()))
        for index in self.copies.get(line, ()):
            taken = entries.before(index) & ~self.gone & ~own
            later = entries.after(index) & ~self.gone & ~own
            for part in rule_pieces(entries.policy, index):
                for _ in range(_HEIRS):
                    free = hole(entries, part, taken, steps)
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
def spare(chains: Chains, entries: tuple[str, ...], steps: int = STEPS) -> Mapping[int, Spare]:
    """The lines that can be left out, besides those that are dead, each with what does its work.

    Raises:
        LimitError: if a search takes more than `steps`, or the chains unfold to too much.

    Complexity: that of unfolding both bounds of each entry, and a search for each line that decides.
    """
    dead = dead_everywhere(chains, entries)
    bounds = [bound for entry in entries for bound in _bounds(chains, entry)]
    for number in dead:
        for bound in bounds:
            bound.leave_out(number)
    out: dict[int, Spare] = {}
    for number, line in sorted(lines(chains).items(), reverse=True):
        if line.kind not in (Kind.ALLOW, Kind.DENY) or line.implied or number in dead:
            continue
        if not any(number in bound.copies for bound in bounds):
            continue
        if any(bound.is_needed(number, steps) for bound in bounds):
            continue
        found = [one for bound in bounds for one in bound.work(number, steps)]
        heirs = sorted({heir for heir, _ in found if heir is not None})
        out[number] = Spare(tuple(heirs), found[0][1] if found else None)
        for bound in bounds:
            bound.leave_out(number)
    return dict(sorted(out.items()))


def _bounds(chains: Chains, entry: str) -> Sequence[_Bound]:
    upper = unfold(chains, entry, ALLOW)
    if not any(rule.origin is not None and rule.origin.doubts for rule in upper.rules) and not upper.cutting:
        lower = unfold(chains, entry, DENY)
        return [_Bound(upper)] if lower.rules == upper.rules else [_Bound(upper), _Bound(lower)]
    return [_Bound(upper), _Bound(unfold(chains, entry, DENY))]
