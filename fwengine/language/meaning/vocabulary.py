"""The names of a policy, turned round: from a set of addresses or ports to the shortest words that mean it exactly.

A name is used where it fits whole: as it is, in a union with others, or with an exception. What no name fits is written
out. Whatever is chosen means the same set: each candidate is made of parts whose union or difference is taken from the
sets themselves, never guessed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import cast

from ...model import address
from ...model.fields import PORT_PROTOCOLS
from ...model.interval import IntervalSet
from .lower import Lowering
from .names import Names

MAX_PARTS = 8  # names in one union: more say less than the addresses
_MOST_RANGES = 256  # of a set that names are tried on

Groups = tuple[tuple[int, IntervalSet | None], ...]  # of a service: its ports by protocol


class Lexicon:
    """Names for sets of one kind."""

    def __init__(self, named: Iterable[tuple[str, IntervalSet]], written: Callable[[IntervalSet], str]) -> None:
        self.exact: dict[IntervalSet, str] = {}
        for name, chosen in named:
            known = self.exact.get(chosen)
            if chosen and (known is None or (len(name), name) < (len(known), known)):
                self.exact[chosen] = name
        self._sets = sorted(self.exact, key=lambda s: (s.lo, s.hi))
        self._lows = [s.lo for s in self._sets]
        self._written = written
        self._known: dict[IntervalSet, str] = {}

    def words(self, chosen: IntervalSet) -> str:
        """The shortest expression found for a set: with names where that is shorter, or as long."""
        known = self._known.get(chosen)
        if known is None:
            known = self._known[chosen] = self._words(chosen)
        return known

    def _words(self, chosen: IntervalSet) -> str:
        if chosen in self.exact:
            return self.exact[chosen]
        best = self._written(chosen)
        if not self._sets or len(chosen.ranges) > _MOST_RANGES:
            return best
        for text in (self._union(chosen), self._difference(chosen)):
            if text and len(text) <= len(best):
                best = text
        return best

    def _within(self, chosen: IntervalSet) -> list[IntervalSet]:
        """The named sets inside a set, the largest first."""
        found = []
        for lo, hi in chosen:
            for n in range(bisect_left(self._lows, lo), bisect_right(self._lows, hi)):
                if self._sets[n].issubset(chosen):
                    found.append(self._sets[n])
        return sorted(found, key=lambda s: (-s.size, self.exact[s]))

    def _union(self, chosen: IntervalSet) -> str:
        """`{ office, web, 10.9.0.0/16 }`"""
        left, parts = chosen, []
        for one in self._within(chosen):
            if not one.isdisjoint(left):
                parts.append(self.exact[one])
                left = left - one
                if not left or len(parts) == MAX_PARTS:
                    break
        if not parts:
            return ""
        rest = self._written(left) if left else ""
        if rest.startswith("{ "):
            parts += rest[2:-2].split(", ")
        elif " " in rest:
            return ""  # no element of a set
        elif rest:
            parts.append(rest)
        return "{ " + ", ".join(parts) + " }"

    def _difference(self, chosen: IntervalSet) -> str:
        """`office except { guests, 10.20.9.7 }`"""
        around = [
            s for s in self._sets[: bisect_right(self._lows, chosen.lo)] if s.hi >= chosen.hi and chosen.issubset(s)
        ]
        if not around:
            return ""
        smallest = min(around, key=lambda s: (s.size, self.exact[s]))
        outside = smallest - chosen
        inner = self.exact.get(outside) or self._union(outside) or self._written(outside)
        plain = self._written(outside)
        inner = plain if len(plain) < len(inner) else inner
        if " " in inner and not inner.startswith("{ "):
            return ""  # an exception from an exception is read in two ways
        return f"{self.exact[smallest]} except {inner}"


class Vocabulary:
    """What a policy calls its addresses, ports and services.

    >>> from fwengine import loads
    >>> policy = loads("net office = 10.20.0.0/16\\nnet guests = 10.20.9.0/24\\nallow tcp from office to any port 22")
    >>> words = Vocabulary(policy.names)
    >>> office = policy.rules[0].boxes[0].sets[1]
    >>> from fwengine.policy import region
    >>> guests = region(policy, "any from guests")[0].sets[1]
    >>> words.addresses(office), words.addresses(office - guests)
    ('office', 'office except guests')
    """

    def __init__(self, names: Names) -> None:
        from .region import numbers, plain_addresses

        lowering = Lowering()
        lowering.collect(names.statements)
        scope = lowering.scope
        nets: list[tuple[str, IntervalSet]] = []
        self._ports: dict[int | None, list[tuple[str, IntervalSet]]] = {p: [] for p in (None, *PORT_PROTOCOLS)}
        self._services: dict[Groups, str] = {}
        for name, entry in scope.names.items():
            value = entry.content.value
            scope.begin(entry.statement.span.file, entry.statement.span.line)
            if entry.content.kind == "net":
                found = scope.defined(entry, lambda v=value: scope.addresses(v))  # type: ignore[misc]  # a default freezes the variable
                if found:
                    nets.append((name, found))
            elif entry.content.kind == "ports":
                for protocol, listed in self._ports.items():
                    before = len(scope.errors)
                    ports = scope.ports_of(entry, protocol)
                    if ports and len(scope.errors) == before:  # a name may not be a port of this protocol
                        listed.append((name, ports))
            elif entry.content.kind == "service":
                groups = lowering.matches.protocols.service(entry)
                if groups:
                    self._services.setdefault(tuple(sorted(groups.items())), name)
        # where the other end of a packet is of one family, the other half of a name matches nothing
        self._lexicons = [
            (family, Lexicon(((name, chosen & family) for name, chosen in nets), plain_addresses))
            for family in (address.V4, address.V6, address.ALL)
        ]
        self._by_protocol: dict[int | None, Lexicon] = {
            p: Lexicon(listed, numbers) for p, listed in self._ports.items()
        }

    @property
    def services(self) -> tuple[tuple[str, Groups], ...]:
        """The policy's services by name: their destination ports by protocol, None for all of it."""
        return tuple((name, groups) for groups, name in self._services.items())

    def addresses(self, chosen: IntervalSet, other: IntervalSet = address.ALL) -> str:
        """A set of addresses, as `from` and `to` take it; `other` are those at the packet's other end."""
        families = [lexicon for family, lexicon in self._lexicons if other.issubset(family) and chosen.issubset(family)]
        return families[0].words(chosen)

    def ports(self, chosen: IntervalSet, protocols: IntervalSet) -> str:
        """A set of ports of all these protocols, as `port` takes it."""
        known = (
            [self._by_protocol.get(p) for lo, hi in protocols for p in range(lo, hi + 1)] if protocols.size <= 8 else []
        )
        if not known or any(one is None for one in known):
            return self._by_protocol[None].words(chosen)
        texts = {cast("Lexicon", one).words(chosen) for one in known}
        return texts.pop() if len(texts) == 1 else self._by_protocol[None].words(chosen)

    def service(self, protocols: IntervalSet, ports: IntervalSet | None) -> str:
        """The name of the service that is these protocols with these destination ports; empty if there is none."""
        if protocols.size > 256:
            return ""
        key = tuple((p, ports) for lo, hi in protocols for p in range(lo, hi + 1))
        return self._services.get(key, "")
