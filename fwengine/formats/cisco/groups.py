"""Object groups and objects: networks, services, ports, protocols and ICMP types under a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ...errors import Span
from ...model import address
from ...model.fields import PORTS
from ...model.interval import IntervalSet
from . import values
from .words import RefusedError, Word, Words, short

Kind = Literal["networks", "services", "ports", "protocols", "messages", "other"]
_KINDS: dict[str, Kind] = {
    "network": "networks", "v6-network": "networks", "service": "services", "port": "ports", "protocol": "protocols",
    "icmp-type": "messages",
}  # fmt: skip
_TITLES = {"networks": "addresses", "services": "services", "ports": "ports", "protocols": "protocols",
           "messages": "ICMP types"}  # fmt: skip


@dataclass(frozen=True)
class Service:
    """A protocol (None: any) with ports or an ICMP message; `source` and `target` are None where they do not matter."""

    protocol: int | None
    source: IntervalSet | None = None
    target: IntervalSet | None = None
    message: tuple[int, ...] | None = None


@dataclass
class Group:
    """What a name stands for.

    Attributes:
        inverse: the masks of its members have the bits that are not compared (NX-OS).
        members: other groups, resolved when all are read.
        unknown: why its content is not known, if it is not: a host name, say.
    """

    name: str
    span: Span
    kind: Kind
    inverse: bool = False
    networks: list[IntervalSet] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    ports: list[IntervalSet] = field(default_factory=list)
    protocols: list[int | None] = field(default_factory=list)
    messages: list[tuple[int, ...]] = field(default_factory=list)
    members: list[tuple[str, int]] = field(default_factory=list)  # (name, line)
    unknown: str = ""

    @property
    def empty(self) -> bool:
        return not (self.networks or self.services or self.ports or self.protocols or self.messages)


class Groups:
    """All groups of a configuration by name, and the names of addresses (ASA)."""

    def __init__(self) -> None:
        self.named: dict[str, Group] = {}
        self.hosts: dict[str, str] = {}

    def begin(self, word: Word, span: Span, kind: Kind, inverse: bool) -> Group:
        """The group of a name, made where it is first mentioned.

        Raises:
            RefusedError: if the name is that of a group of another kind.
        """
        group = self.named.setdefault(word.text, Group(word.text, span, kind, inverse))
        if group.kind != kind:
            raise RefusedError(word, f"`{short(word.text)}` is the name of another group, on line {group.span.line}")
        return group

    def whole(self, word: Word, kinds: tuple[Kind, ...]) -> list[Group]:
        """The group that is named, with those that it contains, directly or not; each once, so that a circle ends.

        Raises:
            RefusedError: if one is not there, or of another kind than those that may stand here.
        """
        found: dict[str, Group] = {}
        left = [(word.text, 0)]
        while left:
            name, line = left.pop()
            group = self.named.get(name)
            if group is None:
                inside = f", which line {line} puts into `{short(word.text)}`" if line else ""
                message = f"there is no group `{short(name)}`{inside}"
                raise RefusedError(word, message, "define it, or check its name", "FW404")
            if group.kind not in kinds and group.kind != "other":
                wanted = " or ".join(_TITLES[kind] for kind in kinds)
                message = f"`{short(name)}` is a group of {_TITLES[group.kind]}, and {wanted} are expected here"
                raise RefusedError(word, message, code="FW403")
            if name not in found:
                found[name] = group
                left += group.members
        return list(found.values())


def heading(words: Words, groups: Groups, span: Span, *, single: bool, inverse: bool) -> Group | None:
    """The group that a line begins, its words behind `object-group` or `object`; None for one that no list can name."""
    text = words.take("a kind").text.lower()
    if text in ("ip", "ipv6", "ipv4") and words.next in ("address", "port"):
        text = "network" if words.take("").text.lower() == "address" else "port"
    kind = _KINDS.get(text, "other")
    if kind == "networks":
        words.accept("ipv4", "ipv6")
    name = words.take("the name of a group")
    if kind == "services" and not single and words:  # `tcp`, `udp` or `tcp-udp`: it is one of ports
        words.take("")
        kind = "ports"
    group = groups.begin(name, span, kind, inverse)
    if kind == "other":
        group.unknown = f"{text} {name.text} is not known here"
    return group


def member(group: Group, words: Words, groups: Groups, line: int) -> None:
    """A line of a group's block.

    Raises:
        RefusedError: if it is not understood.
    """
    if group.kind == "other":
        return
    if words.at_number and len(words.all) > 1 and group.kind in ("networks", "ports"):
        words.take("")  # NX-OS numbers members
    if words.next in ("description", "nat", "!", "host-info", "exit"):
        return
    if words.next in ("group-object", "group"):
        words.take("")
        group.members.append((words.take("the name of a group").text, line))
    else:
        _MEMBERS[group.kind](group, words, groups, line)
    if words:
        raise RefusedError(words.word, f"`{short(words.all[words.at].text)}` is not understood here")


def _network(group: Group, words: Words, groups: Groups, line: int) -> None:
    words.accept("network-object")
    if words.accept("object", "object-group"):
        group.members.append((words.take("the name of an object").text, line))
    elif words.accept("host"):
        group.networks.append(IntervalSet.single(values.point(words.take("an address"), groups.hosts)))
    elif words.accept("range"):
        first, last = (values.point(words.take("an address"), groups.hosts) for _ in range(2))
        if address.family_of(first) != address.family_of(last):
            raise RefusedError(words.all[-1], "a range is of one family", code="FW403")
        group.networks.append(IntervalSet(((min(first, last), max(first, last)),)))
    elif words.accept("fqdn"):
        rest = " ".join(w.text for w in words.all[words.at :])
        words.at = len(words.all)
        group.unknown = f"the addresses of {rest} are not known here"
        group.networks.append(address.ALL)
    elif words.next in ("any", "any4", "any6"):
        family = {"any": address.ALL, "any4": address.V4, "any6": address.V6}
        group.networks.append(family[words.take("").text.lower()])
    else:
        words.accept("subnet")
        word = words.take("an address")
        group.networks.append(values.network(words, word, groups.hosts, inverse=group.inverse, alone=True))


def _services(group: Group, words: Words, groups: Groups, line: int) -> None:
    words.accept("service-object", "service")
    if words.accept("object", "object-group"):
        group.members.append((words.take("the name of an object").text, line))
    else:
        group.services += _service(words)


def _ports(group: Group, words: Words, groups: Groups, line: int) -> None:
    words.accept("port-object")
    found = values.port_condition(words, None)
    if found is None:
        raise RefusedError(words.word, "a port such as `eq 80` or `range 1 9` is expected")
    group.ports.append(found)


def _protocols(group: Group, words: Words, groups: Groups, line: int) -> None:
    words.accept("protocol-object")
    group.protocols.append(values.protocol(words.take("a protocol")))


def _messages(group: Group, words: Words, groups: Groups, line: int) -> None:
    words.accept("icmp-object")
    message = values.icmp_message(words, v6=False)
    if message is None:
        raise RefusedError(words.word, "an ICMP type is expected", code="FW403")
    group.messages.append(message)


_MEMBERS: dict[Kind, Callable[[Group, Words, Groups, int], None]] = {
    "networks": _network, "services": _services, "ports": _ports, "protocols": _protocols, "messages": _messages,
}  # fmt: skip


def _service(words: Words) -> list[Service]:
    """`tcp destination eq 80`, `tcp-udp source range 1 9`, `icmp echo`, `eq 80` (both), or a protocol alone."""
    if words.next in ("eq", "neq", "lt", "gt", "range"):
        found = values.port_condition(words, None)
        return [Service(p, None, found) for p in (6, 17)]
    word = words.take("a protocol")
    protocols = [6, 17] if word.text.lower() == "tcp-udp" else [values.protocol(word)]
    first = protocols[0]
    if (first == 1 or values.is_icmpv6(first)) and words:
        return [Service(first, message=values.icmp_message(words, values.is_icmpv6(first)))]
    if not all(map(values.has_ports, protocols)):
        return [Service(first)]
    source = values.port_condition(words, first) if words.accept("source") else None
    words.accept("destination")
    target = values.port_condition(words, first)
    if source is not None and target is None:
        target = PORTS
    return [Service(p, source, target) for p in protocols]
