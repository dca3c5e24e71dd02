"""Sets of numbers of so many bits as decision diagrams: reduced, ordered, and each stored once, so that `is` is equality.

A node asks for one bit, the highest first; what does not ask for a bit holds for both its values. All addresses under a
mask are as many nodes as the mask has one bits, however many intervals they are. Knows numbers only.

Sources: Bryant, "Graph-based algorithms for Boolean function manipulation", IEEE Transactions on Computers C-35 (1986);
Minato, "Fast generation of irredundant sum-of-products forms from binary decision diagrams", SASIMI 1992 (`cubes`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from weakref import WeakValueDictionary

from ..limits import current, reached
from .interval import Interval

_NODE = 16  # steps of a search that a node visited counts for


class Diagram:
    """A node; `TRUE` and `FALSE` are all and none. Made by `node` alone, which makes each once."""

    __slots__ = ("__weakref__", "bit", "first", "high", "last", "low", "runs", "size")

    bit: int  # the highest bit that it depends on; -1 for all and none
    low: Diagram  # where that bit is 0
    high: Diagram  # where it is 1
    # of the numbers of `bit + 1` bits: how many are in it, in how many runs without a gap, and are the ends?
    size: int
    runs: int
    first: bool
    last: bool

    def __reduce__(self) -> tuple[Callable[..., Diagram], tuple[object, ...]]:
        return (_end, (self.first,)) if self.bit < 0 else (node, (self.bit, self.low, self.high))


def _made(bit: int, low: Diagram | None, high: Diagram | None, measure: tuple[int, int, bool, bool]) -> Diagram:
    out = Diagram()
    out.bit, out.low, out.high = bit, low or out, high or out
    out.size, out.runs, out.first, out.last = measure
    return out


FALSE = _made(-1, None, None, (0, 0, False, False))
TRUE = _made(-1, None, None, (1, 1, True, True))
_known: WeakValueDictionary[tuple[int, int, int], Diagram] = WeakValueDictionary()
_lock = Lock()


def _end(everything: bool) -> Diagram:
    return TRUE if everything else FALSE


def node(bit: int, low: Diagram, high: Diagram) -> Diagram:
    """The numbers that are in `low` if this bit is 0, in `high` if it is 1; both depend on lower bits only."""
    if low is high:
        return low
    key = bit, id(low), id(high)  # a node keeps both alive, so that the numbers stay theirs
    with _lock:
        known = _known.get(key)
        if known is None:
            (size, runs, first, end), (more, others, begin, last) = measure(low, bit), measure(high, bit)
            joined = runs + others - (end and begin)
            known = _known[key] = _made(bit, low, high, (size + more, joined, first, last))
    return known


def measure(at: Diagram, bits: int) -> tuple[int, int, bool, bool]:
    """Of the numbers of so many bits: how many are in it, in how many runs, and are the first and the last in it?"""
    times = bits - at.bit - 1
    runs = at.runs
    if times and at.first and at.last:
        runs = ((runs - 1) << times) + 1
    else:
        runs <<= times
    return at.size << times, runs, at.first, at.last


def halves(at: Diagram, bit: int) -> tuple[Diagram, Diagram]:
    """What it is where a bit that it does not look beyond is 0, and where it is 1."""
    return (at.low, at.high) if at.bit == bit else (at, at)


def holds(at: Diagram, value: int) -> bool:
    while at.bit >= 0:
        at = at.high if value >> at.bit & 1 else at.low
    return at is TRUE


# --- made of ----------------------------------------------------------------------------------------------------------


def cube(value: int, mask: int, bits: int) -> Diagram:
    """The numbers that agree with a value wherever the mask has a one bit."""
    at = TRUE
    for bit in range(bits):
        if mask >> bit & 1:
            at = node(bit, FALSE, at) if value >> bit & 1 else node(bit, at, FALSE)
    return at


def of_ranges(ranges: Sequence[Interval], bits: int) -> Diagram:
    """The numbers in sorted, disjoint closed intervals of numbers of so many bits. O(intervals · bits)."""

    def made(base: int, bits: int, begin: int, end: int) -> Diagram:
        begin = bisect_left(ranges, base, begin, end, key=_hi)
        end = bisect_right(ranges, base + (1 << bits) - 1, begin, end, key=_lo)
        if begin == end:
            return FALSE
        lo, hi = ranges[begin]
        if lo <= base and base + (1 << bits) - 1 <= hi:
            return TRUE
        bits -= 1
        return node(bits, made(base, bits, begin, end), made(base + (1 << bits), bits, begin, end))

    return made(0, bits, 0, len(ranges))


def _lo(pair: Interval) -> int:
    return pair[0]


def _hi(pair: Interval) -> int:
    return pair[1]


# --- operations -------------------------------------------------------------------------------------------------------


def negate(at: Diagram) -> Diagram:
    """The numbers that are not in it. O(nodes)."""
    known: dict[int, Diagram] = {id(TRUE): FALSE, id(FALSE): TRUE}

    def negated(at: Diagram) -> Diagram:
        found = known.get(id(at))
        if found is None:
            found = known[id(at)] = node(at.bit, negated(at.low), negated(at.high))
        return found

    return negated(at)


def both(a: Diagram, b: Diagram) -> Diagram:
    """The numbers in the one and in the other. O(nodes · nodes), of masks and the like O(nodes).

    Raises:
        LimitError: beyond the limit of steps, of which a node visited is 16.
    """
    most = current().steps // _NODE
    known: dict[tuple[int, int], Diagram] = {}

    def joined(a: Diagram, b: Diagram) -> Diagram:
        if a is b or b is TRUE:
            return a
        if a is TRUE:
            return b
        if a is FALSE or b is FALSE:
            return FALSE
        key = (id(a), id(b)) if id(a) < id(b) else (id(b), id(a))
        found = known.get(key)
        if found is None:
            bit = max(a.bit, b.bit)
            (low, high), (other, more) = halves(a, bit), halves(b, bit)
            found = known[key] = node(bit, joined(low, other), joined(high, more))
            if len(known) > most:
                raise reached("steps", "steps for one set of addresses")
        return found

    return joined(a, b)


def either(a: Diagram, b: Diagram) -> Diagram:
    """The numbers in the one or in the other."""
    return negate(both(negate(a), negate(b)))


def meet(a: Diagram, b: Diagram, outside: bool = False) -> bool:
    """Is there a number in both; or, `outside`, in the first and not in the second?"""
    none, everything = (TRUE, FALSE) if outside else (FALSE, TRUE)
    done: set[tuple[int, int]] = set()

    def met(a: Diagram, b: Diagram) -> bool:
        if a is FALSE or b is none or (outside and a is b):
            return False
        if a is TRUE or b is everything or a is b:
            return True
        key = id(a), id(b)
        if key in done:
            return False
        done.add(key)
        bit = max(a.bit, b.bit)
        (low, high), (other, more) = halves(a, bit), halves(b, bit)
        return met(low, other) or met(high, more)

    return met(a, b)


# --- runs and elements ------------------------------------------------------------------------------------------------


def runs(at: Diagram, bits: int, base: int = 0) -> Iterator[Interval]:
    """Its intervals in order, of numbers of so many bits, each with `base` added; neighbours may be adjacent. Lazily."""
    left = [(at, bits, base)]
    while left:
        at, bits, base = left.pop()
        if at is TRUE:
            yield base, base + (1 << bits) - 1
        elif at is not FALSE:
            low, high = halves(at, bits - 1)
            left += ((high, bits - 1, base + (1 << bits - 1)), (low, bits - 1, base))


def element(at: Diagram, bits: int, number: int) -> int:
    """Its element with this number, the least being 0."""
    value = 0
    while bits:
        bits -= 1
        low, high = halves(at, bits)
        below = measure(low, bits)[0]
        at = low
        if number >= below:
            number, at, value = number - below, high, value | 1 << bits
    return value


def start(at: Diagram, bits: int, number: int, before: bool = False) -> int:
    """Where its run with this number begins; `before`: the number before 0 counts as in it."""
    value = 0
    while bits:
        bits -= 1
        low, high = halves(at, bits)
        _, many, first, last = measure(low, bits)
        many -= first and before
        at = low
        if number >= many:
            number, at, before, value = number - many, high, last, value | 1 << bits
    return value


def upward(at: Diagram, bits: int, value: int, wanted: bool) -> int | None:
    """The least number from a value on that is in it, or is not, as wanted; None if there is none."""

    def found(at: Diagram, bits: int, base: int) -> int | None:
        if base + (1 << bits) <= value or at is (FALSE if wanted else TRUE):
            return None
        if at.bit < 0:
            return max(base, value)
        low, high = halves(at, bits - 1)
        here = found(low, bits - 1, base)
        return found(high, bits - 1, base + (1 << bits - 1)) if here is None else here

    return found(at, bits, 0)


def near(at: Diagram, bits: int, value: int) -> int:
    """An element that has a value's bits, from the highest on, where it can; it must have one."""
    out = 0
    for bit in range(bits - 1, -1, -1):
        low, high = halves(at, bit)
        one = value >> bit & 1
        at = high if one else low
        if at is FALSE:
            at, one = (low, 0) if one else (high, 1)
        out |= one << bit
    return out


def cubes(at: Diagram, most: int) -> list[tuple[int, int]] | None:
    """Values under masks that together are it, none of them superfluous; None if it takes more than `most`."""
    return None if (found := _cover(at, at, {}, most)) is None else list(found[1])


_Cover = tuple[Diagram, tuple[tuple[int, int], ...]]


def _cover(must: Diagram, may: Diagram, known: dict[tuple[Diagram, Diagram], _Cover], most: int) -> _Cover | None:
    """Values under masks that hold all of `must` and nothing outside of `may`, and what they are together."""
    if must is FALSE:
        return FALSE, ()
    if may is TRUE:
        return TRUE, ((0, 0),)
    key = must, may  # not their numbers: they are made on the way
    if key in known:
        return known[key]
    bit = max(must.bit, may.bit)
    (need, want), (room, space) = halves(must, bit), halves(may, bit)
    low = _cover(both(need, negate(space)), room, known, most)
    high = _cover(both(want, negate(room)), space, known, most)
    if low is None or high is None:
        return None
    left = either(both(need, negate(low[0])), both(want, negate(high[0])))
    rest = _cover(left, both(room, space), known, most)
    if rest is None or len(low[1]) + len(high[1]) + len(rest[1]) > most:
        return None
    here = 1 << bit
    found = known[key] = (
        node(bit, either(low[0], rest[0]), either(high[0], rest[0])),
        (
            *[(value, mask | here) for value, mask in low[1]],
            *[(value | here, mask | here) for value, mask in high[1]],
            *rest[1],
        ),
    )
    return found
