"""Object groups and objects: networks, services, ports, protocols and ICMP types under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import Span
from ...model.interval import IntervalSet


@dataclass(frozen=True)
class Service:
    """A protocol (None: any) with ports or an ICMP message; `source` and `target` are None where they do not matter."""

    protocol: int | None
    source: IntervalSet | None = None
    target: IntervalSet | None = None
    message: tuple[int, ...] | None = None


@dataclass
class Group:
    """What a name stands for. A kind that is not there has no members: nothing matches it."""

    name: str
    span: Span
    networks: list[IntervalSet] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    ports: list[IntervalSet] = field(default_factory=list)
    protocols: list[int | None] = field(default_factory=list)
    messages: list[tuple[int, ...]] = field(default_factory=list)
    members: list[tuple[str, Span]] = field(default_factory=list)  # other groups, resolved when all are read
    unknown: str = ""  # why its content is not known, if it is not: a host name, say


class Groups:
    """All groups of a configuration by name."""

    def __init__(self) -> None:
        self.named: dict[str, Group] = {}

    def begin(self, name: str, span: Span) -> Group:
        """The group of a name, made where it is first mentioned."""
        return self.named.setdefault(name, Group(name, span))

    def whole(self, name: str) -> list[Group]:
        """A group with those that it contains, directly or not; each once, so that a circle ends."""
        found: dict[str, Group] = {}
        left = [name]
        while left:
            one = left.pop()
            group = self.named.get(one)
            if group is not None and one not in found:
                found[one] = group
                left += [member for member, _ in group.members]
        return list(found.values())

    def __contains__(self, name: str) -> bool:
        return name in self.named


Named = Mapping[str, Group]
