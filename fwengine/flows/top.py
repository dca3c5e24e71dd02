"""The biggest flows, in memory that does not grow: exact as long as they are few, a linear sketch beyond.

Sums add up in any order and come to the same, however the flows were parted: up to `MOST` different flows are told apart; of
more, each adds its bytes to one bucket in each of two rows, and to a counter there for each bit that its key has. Where one
flow has more than half of a bucket its key is read off the counters. Knows no policy.

Source: Cormode and Muthukrishnan, "What's hot and what's not: tracking most frequent items dynamically", PODS 2003.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nsmallest
from typing import Final, NamedTuple, Self

from .sums import Tally

MOST: Final = 1 << 15  # flows that are told apart, at some 500 bytes each
BUCKETS: Final = 1 << 11
_ROWS: Final = 2
_FATE, _RULE, _ADDRESS, _PROTOCOL, _PORT = 4, 22, 130, 8, 17  # bits
_CHECK: Final = 32  # bits that tell a key from noise
_LANE: Final = 80  # bits of a counter: 2^64 bytes of 2^16 flows


class Key(NamedTuple):
    """What flows are told apart by; the fate is an index into `meaning.FATES` (of two fates four times the first more), the rule may
    be `SEVERAL`."""

    fate: int
    rule: int
    protocol: int
    src: int
    dst: int
    dport: int | None

    @property
    def packed(self) -> int:
        number = 0
        for bits, value in (
            (_FATE, self.fate),
            (_RULE, self.rule + 2),
            (_PROTOCOL, self.protocol),
            (_ADDRESS, self.src),
            (_ADDRESS, self.dst),
            (_PORT, 65536 if self.dport is None else self.dport),
        ):
            number = number << bits | value
        return number

    @classmethod
    def unpacked(cls, number: int) -> Key:
        found = []
        for bits in (_PORT, _ADDRESS, _ADDRESS, _PROTOCOL, _RULE, _FATE):
            found.append(number & (1 << bits) - 1)
            number >>= bits
        dport, dst, src, protocol, rule, fate = found
        return cls(fate, rule - 2, protocol, src, dst, None if dport == 65536 else dport)


BITS: Final = _FATE + _RULE + _PROTOCOL + 2 * _ADDRESS + _PORT


class TopFlow(NamedTuple):
    """A flow among the biggest; if it is not exact, its sums are at most these, and when it was seen is not known."""

    key: Key
    tally: Tally
    exact: bool = True


@dataclass
class Top:
    """The flows of most bytes, then of most flows; see the module. `+` is associative and commutative, and leaves both as they were."""

    few: dict[int, Tally] | None = field(default_factory=dict)
    many: dict[tuple[int, int], tuple[int, int, int, int]] = field(
        default_factory=dict
    )  # counters, flows, bytes, packets
    most: int = MOST

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Top):
            return NotImplemented
        return (self.few, self.many, self.most) == (other.few, other.many, other.most)

    __hash__ = None  # type: ignore[assignment]  # it changes

    @staticmethod
    def weight(flows: int, octets: int, packets: int) -> int:
        """What makes a flow big."""
        return octets + flows

    @staticmethod
    def rank(one: TopFlow) -> tuple[object, ...]:
        """What the biggest have the least of, different for different flows."""
        return -one.tally.bytes, -one.tally.flows, one.key.packed

    def add(self, key: Key, tally: Tally) -> None:
        self._add(key.packed, tally)

    def _add(self, number: int, tally: Tally) -> None:
        if self.few is not None:
            known = self.few.get(number)
            self.few[number] = tally if known is None else known + tally
            if len(self.few) <= self.most:
                return
            few, self.few = self.few, None
            for other, sums in few.items():
                self._spill(other, sums)
        else:
            self._spill(number, tally)

    def _spill(self, number: int, tally: Tally) -> None:
        lanes = _spread(number << _CHECK | _check(number)) * self.weight(tally.flows, tally.bytes, tally.packets)
        for row, bucket in enumerate(_places(number)):
            counters, flows, octets, packets = self.many.get((row, bucket), (0, 0, 0, 0))
            self.many[row, bucket] = (
                counters + lanes,
                flows + tally.flows,
                octets + tally.bytes,
                packets + tally.packets,
            )

    def __add__(self, other: object) -> Self:
        if not isinstance(other, Top):
            return NotImplemented
        out = type(self)(None if self.few is None else dict(self.few), dict(self.many), self.most)
        if other.few is not None:
            for number, tally in other.few.items():
                out._add(number, tally)
            return out
        if out.few is not None:
            few, out.few = out.few, None
            for number, tally in few.items():
                out._spill(number, tally)
        for place, sums in other.many.items():
            mine = out.many.get(place, (0, 0, 0, 0))
            out.many[place] = tuple(map(int.__add__, mine, sums))  # type: ignore[assignment]  # four, too
        return out

    def take(self, other: Top) -> None:
        """Adds another one to this one."""
        both = self + other
        self.few, self.many = both.few, both.many

    def biggest(self, most: int) -> list[TopFlow]:
        """The biggest flows, as `rank` has them."""
        if self.few is not None:
            found: Iterable[TopFlow] = [TopFlow(Key.unpacked(number), tally) for number, tally in self.few.items()]
        else:
            numbers = {number for place in self.many if (number := self._majority(place)) is not None}
            found = [TopFlow(Key.unpacked(number), self._most(number), exact=False) for number in numbers]
        return nsmallest(most, found, key=self.rank)

    def _majority(self, place: tuple[int, int]) -> int | None:
        """The flow that has more than half of a bucket, if there is one."""
        counters, *sums = self.many[place]
        half = self.weight(*sums) // 2
        number = 0
        for bit in range(BITS + _CHECK):
            number |= (counters >> bit * _LANE & (1 << _LANE) - 1 > half) << bit
        number, check = number >> _CHECK, number & (1 << _CHECK) - 1
        return number if check == _check(number) and _places(number)[place[0]] == place[1] else None

    def _most(self, number: int) -> Tally:
        sums = [self.many.get((row, bucket), (0, 0, 0, 0)) for row, bucket in enumerate(_places(number))]
        return Tally(*(min(each[n] for each in sums) for n in (1, 2, 3)))


@lru_cache(1 << 12)
def _digest(number: int) -> bytes:
    return hashlib.blake2b(number.to_bytes(BITS // 8 + 1, "big"), digest_size=4 * _ROWS + 4).digest()


def _places(number: int) -> tuple[int, ...]:
    """The bucket of a key in each row."""
    digest = _digest(number)
    return tuple(int.from_bytes(digest[4 * row : 4 * row + 4], "big") % BUCKETS for row in range(_ROWS))


def _check(number: int) -> int:
    return int.from_bytes(_digest(number)[-4:], "big")


_SPREAD: Final = [b"".join((byte >> bit & 1).to_bytes(_LANE // 8, "little") for bit in range(8)) for byte in range(256)]


@lru_cache(1 << 12)
def _spread(number: int) -> int:
    """A one in the lane of each bit that is set."""
    octets = number.to_bytes((number.bit_length() + 7) // 8, "little")
    return int.from_bytes(b"".join([_SPREAD[octet] for octet in octets]), "little")
