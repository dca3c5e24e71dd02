"""Which conditions of a rule say what is left out, and which of those let in a whole family of addresses.

`not 10.0.0.0/8` is every other address, so every IPv6 address, too, which whoever thinks of IPv4 does not have in mind.
Looks at what was written, names resolved; what it means is known by then.
"""

from __future__ import annotations

from ...model import address
from ...model.fields import DPORT, DST, SPORT, SRC
from ...model.interval import EMPTY, IntervalSet, together
from ..syntax.ast import Compare, Except, Expr, Match, Not, Set, Word
from .scope import Kind, Scope

_FAMILIES = (address.V4, address.V6)
_NONE: frozenset[int] = frozenset()  # one for all rules: each would be an object of its own


class Negations:
    """Looks at the matches of a policy; what a name's definition says is found out once."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._negated: dict[tuple[str, Kind], bool] = {}
        self._let_in: dict[str, IntervalSet] = {}

    def of(self, match: Match) -> tuple[frozenset[int], frozenset[int]]:
        """The fields whose conditions are written with `not`, `except` or `>`; and of those the sides that let in a family."""
        negated: set[int] = set()
        opened: set[int] = set()
        for side, ports, end in ((SRC, SPORT, match.source), (DST, DPORT, match.target)):
            if end is None:
                continue
            if self.negated(end.addresses, "net"):
                negated.add(side)
                if self.let_in(end.addresses):
                    opened.add(side)
            if end.ports is not None and self.negated(end.ports, "ports"):
                negated.add(ports)
        return frozenset(negated) if negated else _NONE, frozenset(opened) if opened else _NONE

    def negated(self, expr: Expr, kind: Kind) -> bool:
        """Does an expression, or a definition that it names, say what is left out?"""
        if isinstance(expr, Word):
            entry = self.scope.names.get(expr.text)
            if entry is None or entry.content.kind != kind:
                return False
            key = (expr.text, kind)
            if key not in self._negated:
                self._negated[key] = False  # while it is looked at: a circle has been told
                self._negated[key] = self.negated(entry.content.value, kind)
            return self._negated[key]
        if isinstance(expr, Set):
            return any(self.negated(item, kind) for item in expr.items)
        return isinstance(expr, Not | Except) or (isinstance(expr, Compare) and expr.operator == ">")

    def let_in(self, expr: Expr) -> IntervalSet:
        """The families that an expression takes in whole, only because it leaves out something of the other one."""
        if isinstance(expr, Word):
            entry = self.scope.names.get(expr.text)
            if entry is None or entry.content.kind != "net":
                return EMPTY
            if expr.text not in self._let_in:
                self._let_in[expr.text] = EMPTY
                here = self.scope.file, self.scope.line
                self.scope.begin(entry.statement.span.file, entry.statement.span.line)
                self._let_in[expr.text] = self.let_in(entry.content.value)
                self.scope.begin(*here)
            return self._let_in[expr.text]
        if isinstance(expr, Set):
            return together([self.let_in(item) for item in expr.items])
        if isinstance(expr, Not):
            return _untouched(address.ALL, self.scope.addresses(expr.term))
        if isinstance(expr, Except):
            parts = [self.scope.addresses(part) for part in expr.excluded]
            excluded = together([part for part in parts if part])
            if self.scope.addresses(expr.base) == address.ALL:
                return _untouched(address.ALL, excluded)
            return _untouched(self.let_in(expr.base), excluded)
        return EMPTY


def _untouched(taken: IntervalSet, excluded: IntervalSet | None) -> IntervalSet:
    """The families in a set of which nothing is excluded."""
    some = excluded or EMPTY
    return IntervalSet.union(
        pair for family in _FAMILIES if family.issubset(taken) and family.isdisjoint(some) for pair in family
    )
