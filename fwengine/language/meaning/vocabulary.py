"""The names of a policy, turned round: from a set of addresses or ports to the shortest words that mean it exactly.

A name is used where it fits whole: as it is, in a union with others, or with an exception. What no name fits is written
out. Whatever is chosen means the same set: each candidate is made of parts whose union or difference is taken from the
sets themselves, never guessed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from ...errors import LimitError
from ...model import address
from ...model.fields import PORT_PROTOCOLS
from ...model.interval import IntervalSet
from ...model.scattered import ScatteredSet
from . import interfaces
from .around import framed
from .lower import Lowering
from .names import Names
from .region import listed_interfaces, numbers, plain_addresses

MAX_PARTS = 8  # names in one union: more say less than the addresses
_MOST_RANGES = 256  # of a set that names are tried on
_MANY = 16  # ranges, beyond which a set may come from a mask with holes
_MOST_NAMES = 64  # that are tried on a scattered set

Groups = tuple[tuple[int, IntervalSet | None], ...]  # of a service: its ports by protocol


class Lexicon:
    """Names for sets of one kind; of several for one set the first."""

    def __init__(self, named: Iterable[tuple[str, IntervalSet]], written: Callable[[IntervalSet], str]) -> None:
        self.exact: dict[IntervalSet, str] = {}
        for name, chosen in named:
            if chosen:
                self.exact.setdefault(chosen, name)
        self._sets = sorted(self.exact, key=lambda s: (s.lo, s.hi))
        self._masked = [s for s in self._sets if isinstance(s, ScatteredSet)]
        self._lows = [s.lo for s in self._sets]
        self._least = min(map(len, self.exact.values()), default=0)
        self._written = written

    def words(self, chosen: IntervalSet) -> str:
        """The shortest expression found for a set: with names where that is shorter, or as long."""
        if chosen in self.exact:
            return self.exact[chosen]
        best = self._written(chosen)
        if not self._sets or not self._few(chosen):
            return best
        if len(best) < self._least + len("{  }"):
            return best
        ways = [self._union, self._difference] if len(best) >= self._least + len(" except ") else [self._union]
        if self._masked and (isinstance(chosen, ScatteredSet) or len(chosen.ranges) > _MANY):
            ways.append(self._beside)
        for way in ways:
            try:
                text = way(chosen)
            except LimitError:  # what no name fits takes too many words
                continue
            if text and len(text) <= len(best):
                best = text
        return best

    def _few(self, chosen: IntervalSet) -> bool:
        """Is it worth looking for names?"""
        if isinstance(chosen, ScatteredSet):
            return len(self._sets) <= _MOST_NAMES
        return len(chosen.ranges) <= _MOST_RANGES

    def _within(self, chosen: IntervalSet) -> list[IntervalSet]:
        """The named sets inside a set, the largest first."""
        found: list[IntervalSet] = []
        if not self._few(chosen):
            return found
        if isinstance(chosen, ScatteredSet):
            found = [one for one in self._sets if one.issubset(chosen)]
            return sorted(found, key=lambda s: (-s.size, self.exact[s]))
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
        frame = framed(left) if left else None
        left = frame if frame is not None and frame.issubset(chosen) else left  # what parts share is said twice
        rest = self._written(left) if left else ""
        if "{" in rest[1:]:
            return ""  # braces within braces
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
        inner = (
            self.exact.get(outside)
            or self._reaching(smallest, outside)
            or self._union(outside)
            or self._written(outside)
        )
        plain = self._written(outside)
        inner = plain if len(plain) < len(inner) else inner
        if " " in inner and not inner.startswith("{ "):
            return ""  # an exception from an exception is read in two ways
        return f"{self.exact[smallest]} except {inner}"

    def _beside(self, chosen: IntervalSet) -> str:
        """`{ odd, 10.0.0.0/8 } except guests`: with a name that says most of what stands under masks with holes."""
        found = [self._around(one, chosen) for one in self._masked]
        return min((text for text in found if text), key=len, default="")

    def _around(self, one: IntervalSet, chosen: IntervalSet) -> str:
        rest = framed(chosen - one)
        if rest is None:
            return ""
        held = rest if one.isdisjoint(chosen) else one | rest
        base = self.exact[one] if held != rest else ""
        if rest:
            words = self._brief(rest)
            base = f"{{ {base}, {words.removeprefix('{ ').removesuffix(' }')} }}" if base else words
        outside = held - chosen
        if not outside:
            return base
        frame = framed(outside)
        whole = frame is not None and frame & held == outside
        ways = [self._reaching(held, outside), self._brief(outside), self._brief(frame) if whole and frame else ""]
        inner = min((way for way in ways if way), key=len)
        if (" " in base and not base.startswith("{ ")) or (" " in inner and not inner.startswith("{ ")):
            return ""  # no element of a set, or an exception from an exception
        return f"{base} except {inner}"

    def _brief(self, chosen: IntervalSet) -> str:
        """A set by a name, by several, or as it is."""
        written, union = self._written(chosen), self._union(chosen)
        return self.exact.get(chosen) or (union if union and len(union) <= len(written) else written)

    def _reaching(self, base: IntervalSet, outside: IntervalSet) -> str:
        """The shortest name of a set that takes just this out of a larger one, whatever else it holds."""
        if len(self._sets) > _MOST_NAMES:
            return ""
        found = (self.exact[one] for one in self._sets if outside.issubset(one) and one & base == outside)
        return min(found, key=lambda name: (len(name), name), default="")


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
        self.said: dict[tuple[object, ...], str] = {}
        lowering = Lowering()
        lowering.collect(names.statements)
        scope = lowering.scope
        nets: list[tuple[str, IntervalSet]] = []
        self._ports: dict[int | None, list[tuple[str, IntervalSet]]] = {p: [] for p in (None, *PORT_PROTOCOLS)}
        self._services: dict[Groups, str] = {}
        declared: list[tuple[str, IntervalSet]] = []
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
            elif entry.content.kind == "interface":
                some = interfaces.declaration(scope, entry)
                if some:
                    declared.append((name, some))
        self._interfaces = sorted(declared, key=lambda pair: (-pair[1].size, pair[0]))
        self._most = max(map(len, self._services), default=0)
        self.halves = any(not chosen.isdisjoint(address.V4) and chosen.hi >= address.V6_BASE for _, chosen in nets)
        nets.sort(key=lambda pair: (pair[1].size, len(pair[0]), pair[0]))
        for listed in self._ports.values():
            listed.sort(key=lambda pair: (len(pair[0]), pair[0]))
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

    def around(self, point: int) -> str:
        """The name of the smallest set that holds an address; empty if no name's does."""
        sets = self._lexicons[-1][1].exact
        held = [chosen for chosen in sets if point in chosen]
        return sets[min(held, key=lambda chosen: chosen.size)] if held else ""

    def ports(self, chosen: IntervalSet, protocols: IntervalSet) -> str:
        """A set of ports of all these protocols, as `port` takes it."""
        known = (
            [self._by_protocol.get(p) for lo, hi in protocols for p in range(lo, hi + 1)] if protocols.size <= 8 else []
        )
        if not known or any(one is None for one in known):
            return self._by_protocol[None].words(chosen)
        texts = {cast("Lexicon", one).words(chosen) for one in known}
        return texts.pop() if len(texts) == 1 else self._by_protocol[None].words(chosen)

    def service(self, groups: Mapping[int, IntervalSet | None]) -> str:
        """The name of the service that is just these destination ports by protocol; empty if there is none."""
        return self._services.get(tuple(sorted(groups.items())), "") if len(groups) <= self._most else ""

    def interfaces(self, chosen: IntervalSet) -> list[str]:
        """Interfaces by their declared names, the largest sets first, the others one by one."""
        left, out = chosen, []
        for name, some in self._interfaces:
            if not left:
                break
            if some.issubset(chosen) and not some.isdisjoint(left):
                out.append(name)
                left = left - some
        return out + listed_interfaces(left)
