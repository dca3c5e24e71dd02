"""Rule sets that consist of chains: what every reader under `formats` makes, and what one packet may get from them.

A chain is a list of lines; a line matches packets and allows, denies, passes on, returns, or goes to another chain. A match
may be in doubt: it asks for more than the packet holds (a rate, a time, a mark). `possible` is the meaning: the verdicts
that some resolution of the doubts gives, each met line resolved by itself. `formats.unfold` computes it for all packets.
Knows no format.

Sources: Diekmann, Hupel & Carle, "Semantics-preserving simplification of real-world firewall rule sets", FM 2015.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..errors import Span
from ..model.box import Sets
from ..model.fields import Point
from ..model.rules import Action


class Kind(Enum):
    """What a line does with a packet that it matches."""

    PASS = "pass"  # nothing that decides: it counts, logs, marks  # noqa: S105  # no password
    ALLOW = "allow"
    DENY = "deny"
    EITHER = "either"  # who decides is outside: a program asked for its opinion
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"  # as JUMP, but what comes back leaves this chain, too


@dataclass(frozen=True, slots=True)
class Part:
    """One alternative of a match: products of packets, for sure or, for the reasons given, perhaps."""

    products: tuple[Sets, ...]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chain. A packet that two `parts` match goes by the first, what is certain
    before what is in doubt; `number` tells the lines of a document apart.

    Attributes:
        span: where it stands in the user's file; `text` are its words there.
        target: the chain that it jumps or goes to.
        name: what people call it, such as its comment.
        notes: what is known of it besides, for those who report: conditions left out as without effect, and why.
        implied: it is not in the file, the firewall does so of itself; `span` is that of what it belongs to.
    """

    number: int
    span: Span
    text: str
    kind: Kind
    parts: tuple[Part, ...]
    target: str | None = None
    name: str | None = None
    log: bool = False
    notes: tuple[str, ...] = ()
    implied: bool = False


@dataclass(frozen=True)
class Chain:
    """A named list of lines. `default` decides at its end; None for a chain that returns to its caller there."""

    name: str
    lines: tuple[Line, ...]
    default: Action | None = None
    span: Span | None = None


@dataclass(frozen=True, eq=False)  # one is like itself alone, so that what is found out about it can be remembered
class Chains:
    """The chains of a document by name.

    Attributes:
        entries: the chains that packets enter, each with the fields that its packets do not have: on the way in there is
            no `out` interface.
    """

    chains: Mapping[str, Chain]
    entries: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def reached(self, entry: str) -> tuple[str, ...]:
        """The chains that an entry may come to, itself first, in the order of the first mention."""
        found = {entry: None}
        left = [entry]
        while left:
            for line in self.chains[left.pop(0)].lines:
                if line.target is not None and line.target not in found:
                    found[line.target] = None
                    left.append(line.target)
        return tuple(found)


def possible(chains: Chains, entry: str, point: Point) -> frozenset[Action]:
    """The verdicts that a packet may get: one if nothing in doubt matters. This *is* the meaning of chains.

    Complexity: exponential in the worst case; the loop is kept naive on purpose.
    """
    memo: dict[tuple[tuple[str, int], ...], frozenset[Action]] = {}

    def outcomes(stack: tuple[tuple[str, int], ...]) -> frozenset[Action]:
        """From a stack of places, the innermost chain last: (chain, the next line's position)."""
        known = memo.get(stack)
        if known is not None:
            return known
        *outer, (name, at) = stack
        back = tuple(outer)
        chain = chains.chains[name]
        if at == len(chain.lines):
            return frozenset([chain.default]) if chain.default is not None else outcomes(back)
        line = chain.lines[at]
        onward = (*back, (name, at + 1))
        found: frozenset[Action] = frozenset()
        for hit in hits(line, point):
            if not hit or line.kind is Kind.PASS:
                found |= outcomes(onward)
            elif line.kind is Kind.EITHER:
                found |= {Action.ALLOW, Action.DENY}
            elif line.kind is Kind.RETURN:
                found |= frozenset([chain.default]) if chain.default is not None else outcomes(back)
            elif line.kind is Kind.JUMP:
                found |= outcomes((*onward, (line.target or "", 0)))
            elif line.kind is Kind.GOTO:
                entered = (line.target or "", 0)
                # a chain with a default has no caller to go back to: what comes back meets the default
                found |= outcomes((*back, (name, len(chain.lines)), entered) if not back else (*back, entered))
            else:
                found |= {Action.ALLOW if line.kind is Kind.ALLOW else Action.DENY}
        memo[stack] = found
        return found

    return outcomes(((entry, 0),))


def hits(line: Line, point: Point) -> frozenset[bool]:
    """May the line match the packet, may it not?"""
    for part in line.parts:
        if any(all(v in s for v, s in zip(point, product, strict=True)) for product in part.products):
            return frozenset([True, False]) if part.doubts else frozenset([True])
    return frozenset([False])
