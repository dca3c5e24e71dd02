"""nft's text or JSON -> a document: each base chain is a policy; tables that do not filter IP packets are left out, and told.

The policies of one hook are met one after the other, and a packet must pass them all: each is asked by itself, and the others
are told of; or all of them together (`hooks`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from ...errors import Diagnostic, PolicyError, Span
from ...model import address
from ...model.fields import DST, FULL, IN, OUT, SRC
from ...model.rules import ALLOW, DENY
from ..chains import Chain, Chains, Kind, Line, Part
from ..document import Beside, Document
from . import syntax
from .hooks import Bases, name_of, together
from .includes import Included
from .meaning import lines_of
from .syntax import Table, Tables
from .words import RefusedError

MAX_ERRORS = 100
_FILTERING = ("ip", "ip6", "inet")
_ABSENT: Mapping[str, frozenset[int]] = {
    "input": frozenset([OUT]), "output": frozenset([IN]), "prerouting": frozenset([OUT]), "forward": frozenset(),
    "postrouting": frozenset(), "ingress": frozenset([OUT]),
}  # fmt: skip


def read(text: str, file: str, beside: Beside | None = None) -> Document:
    """The document in a text.

    Args:
        beside: the files that it may include.

    Raises:
        PolicyError: with every error, each with its line and column.
    """
    return _Reader(text, file, beside).read()


class _Reader:
    def __init__(self, text: str, file: str, beside: Beside | None) -> None:
        self.text, self.file, self.beside = text, file, beside
        self.included: dict[str, str] = {}
        self.errors: list[Diagnostic] = []
        self.remarks: list[Diagnostic] = []
        self.statements: Counter[str] = Counter()
        self.number = 0

    def read(self) -> Document:
        tables = self._tables()
        chains: dict[str, Chain] = {}
        bases: Bases = {}
        for table in tables.values():
            if table.family not in _FILTERING or table.dormant:
                why = "is dormant" if table.dormant else "is not of IP packets"
                self._left_out(table, f"table `{table.family} {table.name}` {why}, and not evaluated")
                continue
            self._table(table, chains, bases)
        if not bases and not self.errors:
            there = "no chain with a filter hook" if tables else "no table"
            self.errors.append(Diagnostic("FW407", f"there is {there}", Span(self.file, 1, 1, 1, 1), help=_SAVE))
        self._circles(chains)
        if self.errors:
            raise PolicyError(
                sorted(self.errors, key=lambda d: (d.span.file != self.file, d.span.file, d.span.line, d.span.column)),
                {self.file: self.text, **self.included},
            )
        self._told(bases)
        entries = {key: _ABSENT[base.hook] for key, (_, base) in bases.items()}
        policies = {name: key for key, name in _names(bases).items()}
        passed = together(bases, chains, entries, self._next)
        policies |= {name: several[0] for name, several in passed.items()}
        return Document(
            "nftables", Chains(chains, entries), policies, tuple(self.remarks), dict(self.statements), passed=passed,
            texts=self.included,
        )  # fmt: skip

    def _tables(self) -> Tables:
        from . import json, text

        try:
            if self.text.lstrip()[:1] == "{":
                return json.read(self.text, self.file, self._failed)
            included = Included(self.text, self.file, self.beside)
            self.included = included.texts
            return text.read(included, {**included.texts, self.file: self.text}, self._failed)
        except RefusedError as error:
            self._failed(error)
            return {}

    def _failed(self, error: RefusedError, span: Span | None = None) -> None:
        if len(self.errors) >= MAX_ERRORS:
            return
        if error.token is not None:
            token = error.token
            span = Span(token.file, token.line, token.column, token.line, token.end)
        self.errors.append(Diagnostic(error.code, error.message, span or Span(self.file, 1, 1, 1, 1), help=error.help))

    def _left_out(self, table: Table, message: str) -> None:
        count = sum(len(chain.rules) for chain in table.chains.values())
        self.statements["ignored"] += count
        self.remarks.append(Diagnostic("FW452", f"{message} ({count} rules)", table.span, severity="info"))

    def _table(self, table: Table, chains: dict[str, Chain], bases: Bases) -> None:
        filtering = {name: c for name, c in table.chains.items() if not c.hook or c.type == "filter"}
        for name, chain in table.chains.items():
            if name not in filtering:
                self.statements["ignored"] += len(chain.rules)
                message = f"chain `{name}` of type {chain.type} is not evaluated ({len(chain.rules)} rules)"
                self.remarks.append(Diagnostic("FW452", message, chain.span, severity="info"))
        used = _reached(filtering)
        for name, chain in filtering.items():
            key = f"{table.family} {table.name} {name}"
            if chain.hook and chain.hook not in _ABSENT:
                self._failed(
                    RefusedError(None, f"hook `{chain.hook}` is not one of tables `{table.family}`"), chain.span
                )
                continue
            if chain.hook:
                bases[key] = table, chain
            if name not in used:  # of NAT, perhaps: no filter leads there
                self.statements["ignored"] += len(chain.rules)
                message = f"nothing leads to chain `{name}` ({len(chain.rules)} rules)"
                self.remarks.append(Diagnostic("FW455", message, chain.span, severity="info"))
                continue
            chains[key] = self._chain(table, chain)

    def _chain(self, table: Table, chain: syntax.Chain) -> Chain:
        lines: list[Line] = []
        if chain.hook and table.family != "inet":
            lines.append(self._other_family(table, chain))
        for rule in chain.rules:
            try:
                made = lines_of(rule, table.family, table.sets)
                for one in made:
                    if one.target is not None and (one.target not in table.chains or table.chains[one.target].hook):
                        raise RefusedError(None, f"there is no chain `{one.target}` to go to", code="FW404")
            except RefusedError as error:
                self._failed(error, rule.span)
                continue
            in_doubt = any(one.kind is Kind.EITHER or any(part.doubts for part in one.parts) for one in made)
            passing = all(one.kind is Kind.PASS for one in made)
            self.statements["ignored" if passing else "in doubt" if in_doubt else "exact"] += 1
            for one in made:
                target = f"{table.family} {table.name} {one.target}" if one.target is not None else None
                lines.append(
                    Line(self._next(), rule.span, rule.text, one.kind, one.parts, target, rule.comment, rule.log)
                )
        default = None if not chain.hook else ALLOW if chain.policy == "accept" else DENY
        return Chain(f"{table.family} {table.name} {chain.name}", tuple(lines), default, chain.span)

    def _other_family(self, table: Table, chain: syntax.Chain) -> Line:
        """What the rules are not about: packets of the other family have tables of their own."""
        sets = list(FULL)
        sets[SRC] = sets[DST] = address.V6 if table.family == "ip" else address.V4
        reason = f"these are rules for {'IPv4' if table.family == 'ip' else 'IPv6'} alone"
        return Line(self._next(), chain.span, reason, Kind.EITHER, (Part((tuple(sets),), (reason,)),), implied=True)

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _circles(self, chains: Mapping[str, Chain]) -> None:
        graph = {key: [x.target for x in chain.lines if x.target in chains] for key, chain in chains.items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = list(reversed(error.args[1]))
            (line, *_) = [x for x in chains[circle[0]].lines if x.target == circle[1]]
            shown = " -> ".join(key.rpartition(" ")[2] for key in circle)
            self.errors.append(Diagnostic("FW405", "the chains call each other in a circle", line.span, shown[:200]))

    def _told(self, bases: Bases) -> None:
        """Chains of one hook: what one accepts another may drop."""
        for key, (table, chain) in bases.items():
            others = [
                base.name if owner is table else f"{owner.name} {base.name}"
                for other, (owner, base) in bases.items()
                if other != key
                and base.hook == chain.hook
                and (owner.family == table.family or "inet" in (owner.family, table.family))
            ]
            if others:
                told = ", ".join(f"`{name}`" for name in others[:8])
                message = (
                    f"packets of chain `{chain.name}` must also pass {told} of the same hook: each is asked by itself"
                )
                help = f"`--policy '{name_of(chain.hook)}'` asks all of the hook together"
                self.remarks.append(Diagnostic("FW460", message, chain.span, severity="info", help=help))


def _reached(chains: Mapping[str, syntax.Chain]) -> set[str]:
    """The chains that a filter hook leads to."""
    found = {name for name, chain in chains.items() if chain.hook}
    left = list(found)
    while left:
        for rule in chains[left.pop()].rules:
            for statement in rule.statements:
                verdicts = [statement] if isinstance(statement, syntax.Verdict) else []
                if isinstance(statement, syntax.Choice):
                    if statement.named:
                        return set(chains)  # what a named map leads to is not looked up here
                    verdicts = [done for _, done in statement.elements]
                for done in verdicts:
                    if done.target in chains and done.target not in found:
                        found.add(done.target)
                        left.append(done.target)
    return found


def _names(bases: Bases) -> dict[str, str]:
    """The shortest name of each base chain that tells it from the others."""
    out = {}
    for key, (table, chain) in bases.items():
        options = (chain.name, f"{table.name} {chain.name}", key)
        same = [[c.name for _, c in bases.values()], [f"{t.name} {c.name}" for t, c in bases.values()], list(bases)]
        out[key] = next(name for name, all_of in zip(options, same, strict=True) if all_of.count(name) == 1)
    return out


_SAVE = "save what is loaded: `nft list ruleset`"
