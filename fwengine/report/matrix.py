"""What a cell of a matrix allows, in the policy's own words: its services, and under which conditions."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from ..analysis.matrix import Cell, Condition, Matrix, Zone
from ..analysis.services import of_ports, of_protocol, ports_of, protocols_of, types_of, whole
from ..language.meaning.flags import show_flag_tests
from ..language.meaning.literals import ESTABLISHED, protocol_text
from ..language.meaning.region import show_addresses, show_interfaces, show_ports
from ..language.meaning.vocabulary import Vocabulary
from ..model import address
from ..model.fields import (
    CODE,
    DPORT,
    DST,
    FLAGS,
    INTERFACES,
    NO_PORT,
    NO_TYPE,
    PORT_PROTOCOLS,
    PRESENT,
    SPORT,
    SRC,
    TYPE,
)
from ..model.interval import IntervalSet
from ..policy import Policy
from ..registry.names import icmp_type_name, service_name
from .reached_rows import Access
from .verdicts import FIELD_WORDS, show_values
from .zones import FAMILIES, family

_EXCEPT: Final = 3  # services that are left out by name, where that is shorter than to name all others
_ACCESS: Final[tuple[Access, ...]] = ("all", "nothing", "part", "impossible", "unknown")


class MatrixWords:
    """What cells allow, in words."""

    def __init__(self, policy: Policy, matrix: Matrix) -> None:
        self._matrix = matrix
        self._names = Vocabulary(policy.names)
        self._known: dict[tuple[IntervalSet, IntervalSet], list[str]] = {}

    def services(self, chosen: IntervalSet, possible: IntervalSet) -> list[str]:
        """Services in words: the policy's names where they fit whole, then usual ones; all but some if that is shorter."""
        known = self._known.get((chosen, possible))
        if known is None:
            known = self._listed(chosen, possible)
            if len(known) > _EXCEPT:
                others = self._listed(possible - chosen, possible)
                if len(others) <= _EXCEPT and len(others) < len(known):
                    known = [f"all except {', '.join(others)}" if others else "all"]
            self._known[chosen, possible] = known
        return list(known)

    def _listed(self, chosen: IntervalSet, possible: IntervalSet) -> list[str]:
        """Whole protocols, then what is left of others: by the policy's services, unless these make it longer."""
        by_protocol = {p: (of_protocol(chosen, p), of_protocol(possible, p)) for p in protocols_of(chosen)}
        out = [protocol_text(p) for p, (mine, every) in by_protocol.items() if mine == every]
        parts = {p: mine for p, (mine, every) in by_protocol.items() if mine != every}
        plain = [word for p, mine in parts.items() for word in self._of_protocol(p, mine)]
        left = IntervalSet.union(pair for mine in parts.values() for pair in mine)
        named = []
        for name, meant in self._services:
            here = meant & possible
            if here and here.issubset(chosen) and not here.isdisjoint(left):
                named.append(name)
                left = left - here
        if named:
            named += [word for p in protocols_of(left) for word in self._of_protocol(p, of_protocol(left, p))]
        return [*(named if named and len(named) <= len(plain) else plain), *out]

    @cached_property
    def _services(self) -> list[tuple[str, IntervalSet]]:
        """The policy's services by name, the widest first."""
        named = [
            (name, IntervalSet.union(pair for protocol, ports in groups for pair in _group(protocol, ports)))
            for name, groups in self._names.services
        ]
        return sorted(named, key=lambda one: (-one[1].size, one[0]))

    def _of_protocol(self, protocol: int, chosen: IntervalSet) -> list[str]:
        """Some services of one protocol, in usual words."""
        name = protocol_text(protocol)
        if protocol not in PORT_PROTOCOLS:
            return _typed(protocol, name, chosen)
        ports = ports_of(chosen, protocol)
        known = self._names.ports(ports & PRESENT[DPORT], IntervalSet.single(protocol))
        if known[0].isalpha() and " " not in known:  # a name of the policy
            return [f"{name}/{known}", *([f"{name} later fragments"] if NO_PORT in ports else [])]
        return [self._port(protocol, name, lo, hi) for lo, hi in _split(ports, NO_PORT)]

    def _port(self, protocol: int, name: str, lo: int, hi: int) -> str:
        if lo == NO_PORT:
            return f"{name} later fragments"
        if (lo, hi) == (0, NO_PORT - 1):
            return f"{name} with ports"
        known = self._names.ports(IntervalSet(((lo, hi),)), IntervalSet.single(protocol))
        usual = service_name(protocol, lo) if lo == hi and known.isdigit() else None
        return f"{name}/{usual or (known if ' ' not in known else _range(lo, hi))}"

    def when(self, cell: Cell, condition: Condition) -> str:
        """What a condition asks for; nothing if that is no product."""
        sides = {SRC: self._matrix.zones[cell.source], DST: self._matrix.zones[cell.destination]}
        asked = {f: chosen for f, chosen in condition.values or () if f not in sides or chosen != _side(sides[f])}
        for f, other in ((SRC, DST), (DST, SRC)):  # what the other end says, too, needs no word
            word = f in asked and other in asked and family(sides[f], asked[f])
            if word and not family(sides[other], asked[other]) and asked[other].issubset(FAMILIES[word]):
                del asked[f]
        return ", ".join(self._asked(f, chosen, sides) for f, chosen in asked.items())

    def _asked(self, f: int, chosen: IntervalSet, sides: dict[int, Zone]) -> str:
        if f in sides:
            word = "from" if f == SRC else "to"
            text = show_addresses(chosen, self._names, _side(sides[SRC + DST - f]))
            return family(sides[f], chosen) or f"{word} {text}"
        if f == SPORT:
            return f"from port {show_ports(chosen & PRESENT[f], IntervalSet.single(6), self._names)}"
        if f == FLAGS:
            tests = chosen & PRESENT[f]
            return "established" if tests == ESTABLISHED else f"flags {show_flag_tests(tests)}"
        return f"{FIELD_WORDS[f]} {show_interfaces(chosen) if f in INTERFACES else show_values(f, chosen)}"

    def partly(self, cell: Cell) -> list[str]:
        """The services of which some packets are allowed, under whichever condition."""
        chosen = IntervalSet.union(pair for condition in cell.partly for pair in condition.services)
        return self.services(chosen, cell.possible) if chosen else []


def access(cell: Cell) -> Access:
    """What a cell comes to, in one word."""
    kinds = (cell.everything, cell.nothing, cell.known and bool(cell.possible), cell.impossible, not cell.known)
    return next(word for word, holds in zip(_ACCESS, kinds, strict=True) if holds)


def _side(zone: Zone) -> IntervalSet:
    """The addresses of a zone; all, of interfaces."""
    return zone.chosen if zone.kind == "net" else address.ALL


def _group(protocol: int, ports: IntervalSet | None) -> IntervalSet:
    return whole(protocol) if ports is None else of_ports(protocol, ports)


def _typed(protocol: int, name: str, chosen: IntervalSet) -> list[str]:
    """Some types of icmp or icmpv6."""
    types = types_of(chosen, protocol)
    every = [t for t, codes in types.items() if t == NO_TYPE or codes == PRESENT[CODE]]
    out = []
    if len(every) - (NO_TYPE in types) == PRESENT[TYPE].size:
        out.append(f"{name} with a type")
        types = {t: codes for t, codes in types.items() if t == NO_TYPE}
    for type_, codes in types.items():
        if type_ == NO_TYPE:
            out.append(f"{name} without a type")
            continue
        word = icmp_type_name(protocol, type_) or str(type_)
        whole_ = codes == PRESENT[CODE]
        out += [f"{name}/{word}"] if whole_ else [f"{name}/{word} code {_range(lo, hi)}" for lo, hi in codes]
    return out


def _split(ports: IntervalSet, apart: int) -> list[tuple[int, int]]:
    """The intervals of a set, one value apart from its neighbours."""
    low = [(lo, min(hi, apart - 1)) for lo, hi in ports if lo < apart]
    return [*low, *([(apart, apart)] if apart in ports else [])]


def _range(lo: int, hi: int) -> str:
    return str(lo) if lo == hi else f"{lo}-{hi}"
