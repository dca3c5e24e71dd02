"""Captures made for a policy: packets at its corners, each with the verdict to expect, to be thrown at a real firewall.

First one packet for each rule that can be exercised, and for the default; then packets on the edges of the rules and one
beside. A capture carries no connection state but a new one, one interface a packet, and no IPv6 packet that ends in
an extension header: what needs more is left out, and counted. Deterministic. Knows nothing of screens.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from ..analysis.cover import samples
from ..errors import LimitError, PacketError
from ..model import address
from ..model.box import Box, Sets
from ..model.fields import (
    BYTE,
    DETAILS,
    DST,
    FIELDS,
    FIRST,
    FRAGMENT,
    FULL,
    IN,
    LATER,
    LENGTH,
    NO_INTERFACE,
    OUT,
    PRESENT,
    PROTOCOL,
    SOME_INTERFACE,
    SRC,
    STATE,
    STEPPED_THROUGH,
    WHOLE,
    Point,
)
from ..model.interval import IntervalSet
from ..model.packet import Packet
from ..model.ruleset import RuleSet
from ..packets.encode import encode, least_length
from ..packets.links import ETHERNET
from ..packets.wire import decode
from ..report.verdicts import FIELD_WORDS, show_value
from .boundary import Decided, edges, interface_names, nameable, ordered, with_value

LIMIT = 10_000

Reason = Literal["unreachable", "not in a capture", "unknown", "beyond the limit"]


@dataclass(frozen=True)
class Probe:
    """A packet, the index of the rule that decides it (the number of rules for the default), and why it was chosen."""

    packet: Packet
    index: int
    about: str


@dataclass
class Synthesis:
    """What was chosen; the active rules, by index, that got no packet, and why; edge packets that no capture carries."""

    probes: list[Probe] = field(default_factory=list)
    missed: dict[int, Reason] = field(default_factory=dict)
    left_out: int = 0

    @property
    def interfaces(self) -> bool:
        """Is any packet on an interface, so that it takes a pcapng file?"""
        return any(probe.packet.in_interface or probe.packet.out_interface for probe in self.probes)


def synthesize(policy: RuleSet, limit: int = LIMIT, seed: int = 0) -> Synthesis:
    """At most `limit` different packets for a policy, those of the rules first, each in the order of the rules.

    Args:
        seed: which edges are chosen if there are more than fit, and which packet stands for one if no usual one will do.

    >>> from fwengine.model.rules import ALLOW, rules_of
    >>> made = synthesize(RuleSet(rules_of([(ALLOW, Box.of({PROTOCOL: IntervalSet.single(47)}))])), limit=2)
    >>> [(str(probe.packet), probe.about) for probe in made.probes]  # doctest: +ELLIPSIS
    [('gre ... -> ...', 'decided by <none>:1'), ('tcp ...', 'decided by default')]
    """
    maker = _Maker(policy, limit, random.Random(seed))  # noqa: S311  # a choice of examples, not of secrets
    maker.exercise()
    maker.edges()
    return maker.made


def carriers(asked: Collection[int] = ()) -> tuple[Box, ...]:
    """What a capture can carry, for a policy that asks for these fields; disjoint, packets without interfaces first."""
    none = IntervalSet.single(NO_INTERFACE)
    shapes = list(_lengths()) if LENGTH in asked else _FAMILIES
    return tuple(
        Box.of({**shape, IN: inbound, OUT: outbound, STATE: IntervalSet.single(0)})
        for inbound, outbound in ((none, none), (SOME_INTERFACE, none), (none, SOME_INTERFACE))
        for shape in shapes
    )


_FAMILIES: list[dict[int, IntervalSet]] = [
    {PROTOCOL: BYTE, SRC: address.V4, DST: address.V4},
    {PROTOCOL: BYTE - IntervalSet.union((p, p) for p in STEPPED_THROUGH), SRC: address.V6, DST: address.V6},
]


def _lengths() -> Iterator[dict[int, IntervalSet]]:
    """The same by what is the least and the most that a packet's length can be."""
    for family, shape in zip((4, 6), _FAMILIES, strict=True):
        for fragment in (WHOLE, FIRST, LATER):
            groups: dict[int, list[tuple[int, int]]] = {}
            for p in range(256):
                if p in shape[PROTOCOL]:
                    groups.setdefault(least_length(family, p, fragment), []).append((p, p))
            for least, protocols in groups.items():
                most = 65535 if family == 4 else PRESENT[LENGTH].hi
                yield shape | {
                    PROTOCOL: IntervalSet.union(protocols),
                    FRAGMENT: IntervalSet.single(fragment),
                    LENGTH: IntervalSet.of((least, most)),
                }


CARRIERS = carriers()
_TOLD = tuple(f for f in range(FIELDS) if f not in DETAILS)


def carried(packet: Packet) -> bool:
    """Does a capture bring back this very packet, whatever it has where this one leaves dscp, ttl or length open?"""
    if packet.as_seen_by(_TOLD) is None or not any(packet in box for box in CARRIERS):
        return False
    try:
        frame = encode(packet, "ethernet")
    except PacketError:
        return False
    inbound, outbound, state = (packet.values[f] or 0 for f in (IN, OUT, STATE))
    name = packet.in_interface or packet.out_interface or ""
    plain = "\0" not in name and name == name.encode("utf-8", "replace").decode()
    found = decode(frame, ETHERNET, len(frame), inbound, outbound, state)
    return plain and not isinstance(found, str) and Packet.from_point(found) in Box.around(packet)


class _Maker:
    """A synthesis in the making."""

    def __init__(self, policy: RuleSet, limit: int, rng: random.Random) -> None:
        self.policy, self.limit, self.rng = policy, limit, rng
        self.decided = Decided(policy)
        self.names = interface_names(policy)
        self.made = Synthesis()
        self.carriers = carriers(policy.fields)
        self.seen: set[Point] = set()
        default = len(policy.rules)
        self.rules = [i for i, rule in enumerate(policy.rules) if policy.active(rule)] + [default]

    def boxes(self, index: int) -> tuple[Box, ...]:
        return self.policy.rules[index].boxes if index < len(self.policy.rules) else (Box(FULL),)

    def exercise(self) -> None:
        """One packet for each rule that decides one that a capture carries."""
        for index in self.rules:
            try:
                point = self.decided_by(index, (a & b for b in self.carriers for a in self.boxes(index)))
                if point is None:
                    free = self.decided_by(index, self.boxes(index))
                    self.made.missed[index] = "unreachable" if free is None else "not in a capture"
                    continue
            except LimitError:
                self.made.missed[index] = "unknown"
                continue
            if len(self.made.probes) >= self.limit:
                self.made.missed[index] = "beyond the limit"
            elif not self.add(self.made.probes, point, f"decided by {self.policy.label(index)}"):
                self.made.missed[index] = "not in a capture"

    def decided_by(self, index: int, boxes: Iterable[Box]) -> Point | None:
        """A packet of the boxes that the rule decides, a plain one; None if there is none.

        Raises:
            LimitError: if none was found, and not all could be searched.
        """
        unknown: LimitError | None = None
        for box in boxes:
            for piece in self.pieces(box):
                try:
                    part = self.decided.part(index, piece)
                except LimitError as error:
                    unknown = error
                    continue
                if part is not None:
                    return next(samples(part, self.decided.entries.interfaces))
        if unknown is not None:
            raise unknown
        return None

    def pieces(self, box: Box) -> list[Sets]:
        return [sets for sets in ordered(piece.sets for piece in box.pieces) if nameable(sets)]

    def edges(self) -> None:
        """Both sides of every edge of every rule while there is room, one edge of each rule after the other."""
        shuffled = self.rules[:-1]
        self.rng.shuffle(shuffled)
        waiting = {index: self.edges_of(index) for index in shuffled}
        found: dict[int, list[Probe]] = {index: [] for index in sorted(waiting)}
        room = self.limit - len(self.made.probes)
        while waiting and room > 0:
            for index, points in list(waiting.items()):
                pair = next(points, None)
                if pair is None:
                    del waiting[index]
                for point, about in pair or ():
                    if room > 0:
                        room -= self.add(found[index], point, about)
        for probes in found.values():
            self.made.probes += probes

    def edges_of(self, index: int) -> Iterator[list[tuple[Point, str]]]:
        """For each edge of a rule a packet on it, decided by the rule if one is at hand, and the one beside it."""
        label = self.policy.label(index)
        for box in self.boxes(index):
            for piece in self.pieces(box):
                for f in (f for f in range(FIELDS) if box.sets[f] != FULL[f]):
                    for _, on, off in edges(f, piece[f], self.names):
                        there = Box((*piece[:f], IntervalSet.single(on), *piece[f + 1 :]))
                        # beside an edge that no capture carries may well be a packet that one does
                        part = next((a for b in self.carriers for a in (there & b).pieces), there)
                        point = self.sample(index, part.sets)
                        pair = [(point, f"{FIELD_WORDS[f]} {show_value(f, on)}, at an edge of {label}")]
                        if off is not None:
                            text = f"{FIELD_WORDS[f]} {show_value(f, off)}, beside {label}"
                            pair.append((with_value(point, f, off), text))
                        yield pair

    def sample(self, index: int, part: Sets) -> Point:
        """A packet of a product: a usual one if the rule decides it, else one of few that the rule decides, if any."""
        points = list(samples(part, self.decided.entries.interfaces))
        mine = [point for point in points if self.policy.tree.index(point) == index]
        return points[0] if points[0] in mine or not mine else self.rng.choice(mine)

    def add(self, probes: list[Probe], point: Point, about: str) -> bool:
        """Adds a packet, unless it is there already or no capture carries it."""
        if point in self.seen:
            return False
        self.seen.add(point)
        packet = Packet.from_point(point, self.policy.fields)
        if not carried(packet):
            self.made.left_out += 1
            return False
        probes.append(Probe(packet, self.policy.tree.index(point), about))
        return True
