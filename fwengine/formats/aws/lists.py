"""Network ACLs and security groups, however they are written -> a document: each direction of each is a policy.

An ACL keeps no connections: its entries are met by their numbers, and what none of them takes is denied, each direction by
itself. A group allows what any of its rules allows; it remembers connections, so what belongs to one that was allowed, or is
related to one, passes in both directions: packets of the states `established` and `related`. An interface has the rules of all its
groups together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ...errors import Diagnostic, Span
from ...model.box import Sets
from ...model.fields import FULL, STATE, STATES
from ...model.interval import IntervalSet
from ...model.rules import DENY
from ..chains import Chain, Chains, Kind, Line, Part
from ..document import Document
from ..matching import Match

FORMAT = "aws"
WAYS: tuple[Way, Way] = ("ingress", "egress")
Way = Literal["ingress", "egress"]
_ANSWERS = IntervalSet.of(*((n, n) for n, name in enumerate(STATES) if name in ("established", "related")))


@dataclass(frozen=True)
class Entry:
    """One entry of an ACL or rule of a group.

    Attributes:
        fragments: later fragments that AWS leaves open whether it takes.
        order: an ACL's number of it.
        permit: None if that is not known.
        doubted: does it hang on more than the packet?
        key: what tells it from others of the same list, wherever it is written.
    """

    egress: bool
    span: Span
    text: str
    parts: tuple[Part, ...]
    fragments: tuple[Part, ...] = ()
    order: int = 0
    permit: bool | None = True
    name: str | None = None
    doubted: bool = False
    key: Hashable = None

    def in_doubt(self, reason: str) -> Entry:
        """The same, whose every match hangs on something more."""
        parts, fragments = (
            tuple(Part(part.products, (*part.doubts, reason)) for part in some) for some in (self.parts, self.fragments)
        )
        return replace(self, parts=parts, fragments=fragments, doubted=True)


@dataclass
class List:
    """A network ACL, or a security group (`stateful`).

    Attributes:
        applied: to what, by what line.
        entries: those that matter; an ACL's ends, which deny what is left, are counted in `ends`.
    """

    name: str
    span: Span
    stateful: bool
    entries: list[Entry] = field(default_factory=list)
    applied: list[tuple[str, Span]] = field(default_factory=list)
    ends: int = 0

    def of(self, way: Way) -> list[Entry]:
        """The entries of one direction, in the order in which they are met."""
        found = [entry for entry in self.entries if entry.egress == (way == "egress")]
        return found if self.stateful else sorted(found, key=lambda entry: entry.order)


@dataclass(frozen=True)
class Interface:
    """A network interface and its groups: (the group's name, the line that says so)."""

    name: str
    span: Span
    groups: tuple[tuple[str, Span], ...]


def document(
    lists: Iterable[List], interfaces: Iterable[Interface] = (), remarks: Iterable[Diagnostic] = ()
) -> Document:
    """The document of some lists, and of interfaces that have groups among them."""
    return _Assembly().document(list(lists), list(interfaces), tuple(remarks))


def names_of(lists: Iterable[str]) -> frozenset[str]:
    """The names of the policies of some lists."""
    return frozenset(_called(name, way) for name in lists for way in WAYS)


class _Assembly:
    def __init__(self) -> None:
        self.number = 0
        self.chains: dict[str, Chain] = {}

    def document(self, lists: list[List], interfaces: list[Interface], remarks: tuple[Diagnostic, ...]) -> Document:
        statements = {"exact": 0, "ignored": 0, "in doubt": 0}
        for found in lists:
            statements["exact"] += found.ends
            for entry in found.entries:
                statements["in doubt" if entry.doubted else "exact"] += 1
            for way in WAYS:
                self._list(found, way)
        policies = {name: name for name in self.chains}
        groups = {found.name: found for found in lists if found.stateful}
        for interface in interfaces:
            for way in WAYS:
                self._interface(interface, way, groups)
                policies[_called(interface.name, way)] = _called(interface.name, way)
        applied = tuple(
            (_called(found.name, way), where, span) for found in lists for way in WAYS for where, span in found.applied
        )
        entries: Mapping[str, frozenset[int]] = {name: frozenset() for name in policies}
        return Document(FORMAT, Chains(self.chains, entries), policies, remarks, statements, applied)

    def _list(self, found: List, way: Way) -> None:
        lines = [self._answers(found.span)] if found.stateful else []
        lines += [line for entry in found.of(way) for line in self._lines(entry)]
        lines = lines or [self._own("end", "deny all", found.span, Kind.DENY, FULL)]
        name = _called(found.name, way)
        self.chains[name] = Chain(name, tuple(lines), DENY, found.span)

    def _interface(self, interface: Interface, way: Way, groups: Mapping[str, List]) -> None:
        """The union of some groups: each is a chain that is gone through, and comes back with what it does not allow."""
        lines = [self._answers(interface.span)]
        for group, span in interface.groups:
            self.number += 1
            text, match = f"the rules of group {group}", Match({})
            if group not in groups:
                match.doubt(f"{text} are not in this file")
                lines.append(Line(self.number, span, text, Kind.ALLOW, match.parts()))
                continue
            name = f"{_called(group, way)} rules"
            if name not in self.chains:
                own = self.chains[_called(group, way)]
                self.chains[name] = Chain(name, own.lines[1:], None, own.span)
            lines.append(Line(self.number, span, text, Kind.JUMP, match.parts(), name))
        name = _called(interface.name, way)
        self.chains[name] = Chain(name, tuple(lines), DENY, interface.span)

    def _lines(self, entry: Entry) -> Iterator[Line]:
        """The line of an entry; that of later fragments is apart, so that the others do not seem to hang on what is said of them."""
        kind = Kind.EITHER if entry.permit is None else Kind.ALLOW if entry.permit else Kind.DENY
        for text, parts in ((entry.text, entry.parts), ("", entry.fragments)):
            if text or parts:
                self.number += 1
                yield Line(self.number, entry.span, text, kind, parts, name=entry.name)

    def _answers(self, span: Span) -> Line:
        """What AWS adds to every group."""
        sets = list(FULL)
        sets[STATE] = _ANSWERS
        return self._own("answers", "allow what belongs to a connection that passed", span, Kind.ALLOW, tuple(sets))

    def _own(self, name: str, text: str, span: Span, kind: Kind, sets: Sets) -> Line:
        """A line of AWS's, and none of the user's."""
        self.number += 1
        return Line(self.number, span, f"{text} (implicit)", kind, (Part((sets,)),), name=name, implied=True)


def _called(name: str, way: Way) -> str:
    return f"{name} {way}"
