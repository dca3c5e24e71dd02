"""Lines of other firewalls' policies: which of them no packet can meet, whatever becomes of the doubts.

A line is dead only if all its copies are, in every chain that packets enter and that leads to it. Lines of chains that
nothing leads to are not dead but uncalled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from .analysis.cover import Hole, unmatched
from .analysis.entries import Entries
from .formats.chains import Chains, Line
from .formats.unfold import unfold
from .model.box import pieces
from .model.ruleset import RuleSet


@lru_cache(maxsize=1)  # asked for each policy of a file, one after the other
def dead_everywhere(chains: Chains, entries: tuple[str, ...]) -> Mapping[int, tuple[int, ...]]:
    """The lines that are dead for each of the entries that lead to them, with the lines that take their packets.

    Raises:
        LimitError: if the chains unfold to too much.
    """
    out: dict[int, tuple[int, ...]] = {}
    alive: set[int] = set()
    for entry in entries:
        found = dead(chains, entry)
        for name in chains.reached(entry):
            for line in chains.chains[name].lines:
                if line.number not in found:
                    alive.add(line.number)
                else:
                    out[line.number] = tuple(sorted({*out.get(line.number, ()), *found[line.number]}))
    return {number: blockers for number, blockers in sorted(out.items()) if number not in alive}


def uncalled(chains: Chains, entries: Iterable[str]) -> tuple[str, ...]:
    """The chains that no packet enters and no line leads to from where one does."""
    reached = {name for entry in entries for name in chains.reached(entry)}
    return tuple(name for name in chains.chains if name not in reached)


def lines(chains: Chains) -> Mapping[int, Line]:
    """All lines by number."""
    return {line.number: line for chain in chains.chains.values() for line in chain.lines}


def size(chains: Chains, entries: Iterable[str]) -> int:
    """How many lines of the user's file some entries lead to; what a reader puts in for the other address family is none."""
    reached = (name for entry in entries for name in chains.reached(entry))
    lines = (line for name in reached for line in chains.chains[name].lines if line.target or line.text)
    return len({line.span for line in lines if not line.implied})


def dead(chains: Chains, entry: str) -> dict[int, tuple[int, ...]]:
    """The lines that no packet can meet that enters a chain, each with the lines that take all of it.

    None takes it if no packet matches the line, or comes to its chain.

    Raises:
        LimitError: if the chains unfold to too much.
    """
    flat = unfold(chains, entry, None, meet_all=True)
    entries = Entries(RuleSet(flat.rules, flat.default))
    alive: set[int] = set()
    blockers: dict[int, set[int]] = {}
    for met in flat.met:
        if met.line in alive:
            continue
        for piece in (piece for product in met.products for piece in pieces(product)):
            found = unmatched(entries, piece, entries.before(met.position))
            if isinstance(found, Hole):
                alive.add(met.line)
                break
            origins = (flat.rules[entries.rule[e]].origin for e in found.entries)
            blockers.setdefault(met.line, set()).update(o.line for o in origins if o is not None)
    reached = (line.number for name in chains.reached(entry) for line in chains.chains[name].lines)
    return {number: tuple(sorted(blockers.get(number, ()))) for number in reached if number not in alive}
