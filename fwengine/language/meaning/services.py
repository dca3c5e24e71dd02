"""Protocols and services: what the first words of a rule select, as destination ports for each protocol.

A protocol is never crossed with another's ports: a service is kept as a map from protocols to ports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from ...model.fields import FULL, ICMP, ICMPV6, PORT_PROTOCOLS, PROTOCOL
from ...model.interval import EMPTY, IntervalSet
from ...registry import names
from ..syntax.ast import Expr, Set, String, Word
from . import literals
from .literals import Mistake
from .scope import Name, Reading, Scope

Groups = dict[
    int, "IntervalSet | None"
]  # for each protocol the destination ports that a service gives it; None for none

ICMPS = frozenset({ICMP, ICMPV6})
_OF_ITS_OWN = "put the exception into a rule of its own before this one"


class Protocols:
    """Reads the protocols of matches and the values of `service` definitions."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._protocols: dict[str, int] = {}
        self._services: dict[str, Groups | None] = {}

    def groups(self, expr: Expr) -> Groups | None:
        """The protocols an expression selects; None, with the mistakes reported, if it has no meaning."""
        if isinstance(expr, Word):
            return self._word(expr)
        if isinstance(expr, Set):
            if not self.scope.plain_set(expr):
                return None
            with self.scope.deeper(expr.at) as good:
                parts = [self.groups(item) for item in expr.items] if good else [None]
            if any(p is None for p in parts):
                return None
            known = cast("list[Groups]", parts)
            here = self.scope.file, self.scope.line
            self.scope.spare.note_pairs(
                here, expr, lambda i, j: _holds(known[i], known[j]), self.scope.names.__contains__
            )
            return _joined(known)
        plain = self.scope.evaluate(expr, Reading(FULL[PROTOCOL], self._plain))
        return None if plain is None else {p: None for lo, hi in plain for p in range(lo, hi + 1)}

    def service(self, entry: Name) -> Groups | None:
        """The value of a `service` definition."""
        name = entry.content.name.text
        self.scope.step("service", name)
        if name not in self._services:
            held: list[Groups | None] = []

            def compute() -> IntervalSet:
                held.append(self.groups(entry.content.value))
                return EMPTY

            self.scope.defined(entry, compute)
            if not held:  # a circle, told where it closes
                return None
            self._services[name] = held[0]
        return self._services[name]

    def _plain(self, word: Word | String) -> IntervalSet | None:
        """Within `not` and `except` only whole protocols: what is not a port of tcp is not a set of ports."""
        if isinstance(word, String):
            self.scope.quoted("FW115", word, "a protocol")
            return None
        groups = self._word(word, whole=True)
        if groups is None:
            return None
        if _with_ports(groups):
            self.scope.report("FW133", word.at, f"`{word.text}` has ports", "only whole protocols here", _OF_ITS_OWN)
            return None
        return IntervalSet.union((p, p) for p in groups)

    def _word(self, word: Word, *, whole: bool = False) -> Groups | None:
        if word.text == "any":
            return dict.fromkeys(range(256))
        known = self._protocols.get(word.text)
        if known is not None:
            return {known: None}
        entry = self.scope.named(word, "service")
        if entry is not None:
            return self.service(entry)
        fixed = word.text not in self.scope.names and names.protocol(word.text) is not None  # nothing defines it anew
        if not fixed and self.scope.skipped(word, "service"):
            return None
        try:
            protocol_text, slash, ports_text = self.scope.no_commas(word).partition("/")
            if slash:
                return self._inline(word, protocol_text, ports_text)
            self._protocols[word.text] = number = literals.protocol(word.text)
            return {number: None}
        except Mistake as error:
            if error.code == "FW115":
                self.scope.nearer(error, word.text, "service")
            if whole and not all(map(self._whole, error.fixes)):
                error.fixes, error.help = (), f"only whole protocols here: {_OF_ITS_OWN}"
            self.scope.mistake(error, word.at)
            return None

    def _whole(self, text: str) -> bool:
        """Is what would be suggested in a word's place without ports?"""
        entry = self.scope.names.get(text)
        if entry is None or entry.content.kind != "service":
            return "/" not in text
        groups = self.service(entry)
        return groups is not None and not _with_ports(groups)

    def _inline(self, word: Word, protocol_text: str, ports_text: str) -> Groups | None:
        """`tcp/https`."""
        swapped = names.protocol(ports_text)
        if (
            swapped in PORT_PROTOCOLS
            and not ports_text.isdigit()
            and names.protocol(protocol_text) not in PORT_PROTOCOLS
        ):
            message = f"`{literals.short(word.text)}` is not a service"
            raise literals.written("FW133", message, "a service is PROTOCOL/PORTS", f"{ports_text}/{protocol_text}")
        if swapped in PORT_PROTOCOLS and names.protocol(protocol_text) in PORT_PROTOCOLS and not ports_text.isdigit():
            message, both = f"`{literals.short(word.text)}` is not a service", f"{{ {protocol_text}, {ports_text} }}"
            raise literals.written("FW133", message, "several protocols are a set", both)
        protocol = literals.protocol(protocol_text)
        line, column, end_line, end = word.at
        if protocol not in PORT_PROTOCOLS:
            help = (
                "write `icmp` with the option `type`"
                if protocol in ICMPS
                else "only tcp, udp, sctp, dccp and udplite have ports"
            )
            raise Mistake("FW114", f"`{protocol_text}` has no ports", "a service is PROTOCOL/PORTS", help)
        if not ports_text:
            raise Mistake(
                "FW133",
                f"`{word.text}` has no port",
                "a service is PROTOCOL/PORTS",
                f"for example `{protocol_text}/https`",
            )
        place = (line, column + len(protocol_text) + 1, end_line, end)
        ports = self.scope.port_word(Word(ports_text, place), protocol)
        return None if ports is None else {protocol: ports}


def said_by_name(expr: Expr) -> Iterator[tuple[int, Word]]:
    """The protocols icmp and icmpv6, where an expression names them itself, and not by number."""
    if isinstance(expr, Set):
        for item in expr.items:
            yield from said_by_name(item)
    elif isinstance(expr, Word) and expr.text.lower() in ("icmp", "icmpv6", "icmp6", "ipv6-icmp"):
        yield (ICMP if expr.text.lower() == "icmp" else ICMPV6), expr


def _with_ports(groups: Groups) -> bool:
    return any(ports is not None for ports in groups.values())


def _holds(one: Groups, other: Groups) -> bool:
    """Does one select all that the other does?"""
    for protocol, ports in other.items():
        if protocol not in one:
            return False
        mine = one[protocol]
        if mine is not None and (ports is None or not ports.issubset(mine)):
            return False
    return True


def _joined(parts: Sequence[Groups]) -> Groups:
    """The union: a whole protocol takes in its ports."""
    pairs: dict[int, list[tuple[int, int]] | None] = {}
    for part in parts:
        for protocol, ports in part.items():
            known = pairs.setdefault(protocol, [])
            if ports is None:
                pairs[protocol] = None
            elif known is not None:
                known += ports.ranges
    return {protocol: None if known is None else IntervalSet.union(known) for protocol, known in pairs.items()}
