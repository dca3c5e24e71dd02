"""All packets, as far as some conditions tell them apart: numbers by class, packets by cell, sets of packets as bits.

Exact by brute force: the values of a field fall into classes that no condition tells apart, a cell is one class for each field, and
a set of cells is a number with a bit for each. A class keeps values at all of its edges, so that whoever picks packets from a cell
picks corners.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from math import prod

from independent.bitwise import by_bits
from independent.conditions import V6, Between, Condition, Leaf, Masked, Value, Word, holds, leaves
from independent.facts import FLAGS, FRAGMENTS, STATES, TOPS, WITH_PORTS
from independent.meaning import Match, Packet, Part, Region, exists, fields_of

BLOCKS = {"src": ((0, 32), (V6, 128)), "dst": ((0, 32), (V6, 128)), "flags": ((0, 8),)}
ALL_FLAGS = sum(FLAGS.values())
Bits = tuple[int, ...]  # one number for each slab of a grid


@dataclass(frozen=True)
class Class:
    """Values that no condition tells apart: some of them, edges among them, and how many there are."""

    samples: tuple[Value, ...]
    count: int


def classes(name: str, conditions: Iterable[Condition]) -> list[Class]:
    """The classes of a field's values under conditions."""
    asked = list(dict.fromkeys(conditions))
    told = list(dict.fromkeys(leaf for condition in asked for leaf in leaves(condition)))
    if name in ("in", "out"):
        names = sorted({leaf.name for leaf in told if isinstance(leaf, Word) and leaf.name is not None})
        return [Class((value,), 1) for value in (*names, "other0", None)]
    if name == "fragment":
        return _merged(asked, (Class((index,), 1) for index in range(len(FRAGMENTS))))
    if name == "state":
        return _merged(asked, (Class((index,), 1) for index in range(len(STATES))))
    if name not in BLOCKS:
        return _merged(asked, _by_edges(told, 0, TOPS[name]))
    return _merged(asked, (one for base, width in BLOCKS[name] for one in _of_block(asked, told, base, width)))


def _merged(asked: Sequence[Condition], found: Iterable[Class]) -> list[Class]:
    """Classes that are alike to all conditions, put together; families stay apart."""
    alike: dict[tuple[bool, ...], list[Class]] = {}
    for one in found:
        first = one.samples[0]
        six = isinstance(first, int) and first >= V6
        alike.setdefault((six, *(holds(condition, first) for condition in asked)), []).append(one)
    return [
        Class(tuple(value for one in group for value in one.samples), sum(one.count for one in group))
        for group in alike.values()
    ]


def _of_block(asked: Sequence[Condition], told: Sequence[Leaf], base: int, width: int) -> Iterator[Class]:
    if any(isinstance(leaf, Masked) and leaf.base == base for leaf in told):
        return (Class(samples, count) for samples, count in by_bits(asked, base, width))
    return _by_edges(told, base, base + (1 << width) - 1)


def _by_edges(told: Sequence[Leaf], lo: int, hi: int) -> Iterator[Class]:
    edges = {lo}
    for leaf in told:
        if isinstance(leaf, Between):
            edges |= {edge for edge in (leaf.lo, leaf.hi + 1) if lo <= edge <= hi}
    starts = [*sorted(edges), hi + 1]
    for start, end in pairwise(starts):
        yield Class(tuple({start: 0, end - 1: 0, (start + end) // 2: 0}), end - start)


@dataclass
class Slab:
    """Packets of one family, class of protocols and kind of fragment: a product of classes of the fields they have."""

    family: int
    protocol: Class
    fragment: str
    fields: tuple[str, ...]
    axes: tuple[Sequence[Class], ...]
    total: int = 0
    full: int = 0
    strides: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.total = prod(len(axis) for axis in self.axes)
        self.full = (1 << self.total) - 1
        stride = 1
        for name, axis in zip(self.fields, self.axes, strict=True):
            self.strides[name] = stride
            stride *= len(axis)

    def packet(self, position: int, draw: random.Random) -> dict[str, Value]:
        """A packet of a cell, often at its edges."""
        made: dict[str, Value] = {"family": self.family, "protocol": draw.choice(self.protocol.samples)}
        made["fragment"] = FRAGMENTS.index(self.fragment)
        for name, axis in zip(self.fields, self.axes, strict=True):
            position, index = divmod(position, len(axis))
            made[name] = draw.choice(axis[index].samples)
        return made


class Grid:
    """The cells of all packets under conditions, and the sets of them that match."""

    def __init__(self, matches: Iterable[Match]) -> None:
        asked: dict[str, list[Condition]] = {}
        for match in matches:
            for part in match:
                for name, condition in part:
                    asked.setdefault(name, []).append(condition)
        every = {
            name: classes(name, asked.get(name, ()))
            for name in (*TOPS, *BLOCKS, "in", "out", "state")
            if name != "protocol"
        }
        self.slabs = list(self._slabs(asked.get("protocol", ()), every))
        self.full: Bits = tuple(slab.full for slab in self.slabs)
        self.none: Bits = (0,) * len(self.slabs)
        self.cells = sum(slab.total for slab in self.slabs)
        self._patterns: dict[tuple[object, ...], int] = {}

    def _slabs(self, protocols: Iterable[Condition], every: Mapping[str, Sequence[Class]]) -> Iterator[Slab]:
        asked = list(dict.fromkeys(protocols))
        truth = [tuple(holds(condition, one) for condition in asked) for one in range(256)]
        for family, fragment in product((4, 6), FRAGMENTS):
            kinds: dict[tuple[object, ...], list[Class]] = {}
            for one in range(256):
                if exists(family, one, fragment):
                    kind = (fields_of(family, one, fragment), one in WITH_PORTS, truth[one])
                    kinds.setdefault(kind, []).append(Class((one,), 1))
            for group in kinds.values():
                kind_class = Class(tuple(c.samples[0] for c in group), len(group))
                names = fields_of(family, group[0].samples[0], fragment)  # type: ignore[arg-type]
                axes = tuple(self._axis(every[name], name, family) for name in names)
                yield Slab(family, kind_class, fragment, names, axes)

    @staticmethod
    def _axis(axis: Sequence[Class], name: str, family: int) -> Sequence[Class]:
        if name not in ("src", "dst"):
            return axis
        return [one for one in axis if isinstance(one.samples[0], int) and (one.samples[0] >= V6) == (family == 6)]

    def match(self, match: Match) -> Bits:
        """The cells that match."""
        found = []
        for slab in self.slabs:
            bits = 0
            for part in match:
                bits |= self._part(slab, part)
            found.append(bits)
        return tuple(found)

    def region(self, region: Region) -> Bits:
        return minus(self.match(region.match), self.match(region.without))

    def _part(self, slab: Slab, part: Part) -> int:
        bits = slab.full
        for name, condition in part:
            if name == "protocol":
                here = holds(condition, slab.protocol.samples[0])
            elif name == "family":
                here = holds(condition, slab.family)
            elif name == "fragment":
                here = holds(condition, FRAGMENTS.index(slab.fragment))
            elif name not in slab.strides:
                here = False  # what is not there is not so, nor otherwise
            else:
                bits &= self._pattern(slab, name, condition)
                continue
            if not here:
                return 0
        return bits

    def _pattern(self, slab: Slab, name: str, condition: Condition) -> int:
        axis = slab.axes[slab.fields.index(name)]
        stride, size = slab.strides[name], len(axis)
        truth = tuple(holds(condition, one.samples[0]) for one in axis)
        key = (stride, size, slab.total, truth)
        if key not in self._patterns:
            run = (1 << stride) - 1
            block = sum(run << index * stride for index, one in enumerate(truth) if one)
            period = stride * size
            self._patterns[key] = block * (slab.full // ((1 << period) - 1))
        return self._patterns[key]

    def packets(self, bits: Bits, draw: random.Random, most: int) -> Iterator[Packet]:
        """Packets of some of the cells, at most so many, each of another cell."""
        sizes = [one.bit_count() for one in bits]
        every = sum(sizes)
        chosen = sorted(draw.sample(range(every), min(most, every)))
        before, at = 0, 0
        for slab, one, size in zip(self.slabs, bits, sizes, strict=True):
            wanted = []
            while at < len(chosen) and chosen[at] < before + size:
                wanted.append(chosen[at] - before)
                at += 1
            before += size
            for position in _positions(one, wanted, slab.total):
                yield slab.packet(position, draw)


def _positions(bits: int, wanted: Sequence[int], total: int) -> Iterator[int]:
    """Where the set bits of the given ranks are."""
    if not wanted:
        return
    if bits == (1 << total) - 1:
        yield from wanted
        return
    text, at, rank = bin(bits)[:1:-1], -1, -1
    for one in wanted:
        while rank < one:
            at = text.index("1", at + 1)
            rank += 1
        yield at


def both(one: Bits, other: Bits) -> Bits:
    return tuple(a & b for a, b in zip(one, other, strict=True))


def either(one: Bits, other: Bits) -> Bits:
    return tuple(a | b for a, b in zip(one, other, strict=True))


def minus(one: Bits, other: Bits) -> Bits:
    return tuple(a & ~b for a, b in zip(one, other, strict=True))
