"""A capture's bytes -> counts per rule, natively; and the native decoder's points, to test it by.

Link types and classes are those of `fwengine.packets`, which this module must not know: the tests hold both to the same
answers on every packet.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import CaptureError, LimitError
from ..model.address import V6_BASE
from ..model.fields import (
    DPORT,
    DST,
    FIELDS,
    FRAGMENT,
    INTERFACES,
    PROTOCOL,
    SPORT,
    SRC,
    STAGES,
    Point,
    interface_number,
    lacking,
)
from .flows import FlowSums
from .module import native
from .walk import NAMES, Frames, Stream, Walk

if TYPE_CHECKING:
    from .columns import Classifier

# counted behind the rules and the default, in this order; then what is allowed by one of several rules, and, counted in
# another row, too, what is decided though truncated
CLASSES: Final = ("not-ip", "malformed", "truncated", "tiny-fragment")
_CLASS_ROWS: Final = len(CLASSES) + 2

_DONE = (1, 2)  # what a recording firewall did with a frame: passed, blocked
# A truncated frame's bytes, link type, length on the wire and numbers of interfaces -> the row in which it counts.
CutRow = Callable[[memoryview, int, int, int, int], int]


class CaptureCounts(NamedTuple):
    """What a policy does to a capture, up to its damage if it has any.

    `packets` and `octets` (bytes on the wire) have a row for each rule, then for the default, then for each of
    `CLASSES`, then for what one of several rules allows; the last has what is decided though truncated, again. `kinds`
    counts the frames without IP by the numbers of `packets.place`; `recorded` has for each row the packets that the
    recording firewall passed, and those that it blocked. `inbound` and `outbound` are the names of interfaces that the
    file records for packets (the first 65,534 of a file with more).
    """

    packets: tuple[int, ...]
    octets: tuple[int, ...]
    kinds: dict[int, int]
    recorded: tuple[tuple[int, int], ...]
    inbound: frozenset[str]
    outbound: frozenset[str]
    error: CaptureError | None


class _Sums(NamedTuple):
    """What one thread has counted: packets and bytes in turns, passed and blocked in turns, frames without IP by kind."""

    counts: array[int]
    recorded: array[int]
    kinds: Counter[int]

    def move(self, old: int | None, row: int, octets: int, done: int) -> None:
        """Counts a packet in another row; `done` is what the recording firewall did."""
        for other, change in ((old, -1), (row, 1)):
            if other is not None:
                self.counts[2 * other] += change
                self.counts[2 * other + 1] += change * octets
                if done in _DONE:
                    self.recorded[2 * other + _DONE.index(done)] += change


def count_capture(
    classifier: Classifier,
    stream: Stream,
    *,
    file: str = "<stream>",
    inbound: str | None = None,
    outbound: str | None = None,
    state: int = 0,
    jobs: int = 1,
    progress: Callable[[], object] | None = None,
    cut: CutRow | None = None,
    flows: FlowSums | None = None,
) -> CaptureCounts:
    """Counts per rule over a capture; results do not depend on how the bytes come, or on `jobs`.

    Args:
        stream: gives the file's bytes, decompressed; what `readinto` raises passes through, unless it is a
            `CaptureError`, which ends the counts.
        file: the name for error messages.
        inbound, outbound: the interfaces of all packets, whatever the capture records; None leaves those it records.
        state: of all packets, an index into `model.fields.STATES`.
        jobs: how many threads share the work. They read in turns, and each counts what it has read.
        progress: called now and then, by the caller's thread.
        cut: in which row a truncated frame counts of which more is missing than a policy is indifferent to; without it all
            of these count as truncated. Any thread calls it.
        flows: takes the flows, too; then one thread does all of it.

    Raises:
        LimitError: if the policy is more than the native classifier takes, or the module is not here.
    """
    tables = classifier.native_tables()
    if native is None or tables is None:
        raise LimitError("captures are counted natively only where the native classifier takes the policy")
    default = len(classifier.policy.rules)
    rows = default + 1 + _CLASS_ROWS
    truncated, partial = default + 1 + CLASSES.index("truncated"), rows - 1
    stated = (
        None if inbound is None else classifier.in_interface(inbound),
        None if outbound is None else classifier.out_interface(outbound),
    )

    numbers = ({0: 0}, {0: 0})  # for each code of an interface a name's number: the policy asks no more

    def codes(name: str) -> tuple[int, int]:
        found = classifier.in_interface(name), classifier.out_interface(name)
        for known, code in zip(numbers, found, strict=True):
            known.setdefault(code, interface_number(name))
        return found

    for name in (inbound, outbound):
        if name:
            codes(name)

    assert flows is None or jobs == 1
    walk = Walk(stream, file, codes, stated, clocks=flows.clocks if flows is not None else None)
    turn = Lock()

    def work(told: Callable[[], object] | None) -> _Sums:
        assert native is not None  # looked at above
        sums = _Sums(array("Q", bytes(16 * rows)), array("Q", bytes(16 * rows)), Counter())
        piece = Frames()
        indices = array("I")
        while True:
            with turn:
                if not walk.next(piece):
                    return sums
            if flows is not None and len(indices) < piece.count:
                indices = array("I", bytes(4 * piece.count))
            with memoryview(piece.data)[: piece.size] as data:
                used, doubtful = native.count(
                    *tables,
                    classifier.engine,
                    data,
                    piece.frames,
                    piece.count,
                    state,
                    sums.counts,
                    sums.recorded,
                    piece.kinds,
                    None if flows is None else indices,
                )
                if flows is not None:
                    flows.add(data, piece.frames, piece.count, indices, piece.time)
                    if cut is None:
                        flows.undecoded(truncated, len(doubtful))
                if cut is not None:
                    for at in doubtful:
                        offset, size, wire, link, _ = piece.frame(at)
                        *ends, done = piece.marks(at)
                        came_in, went_out = (known[code] for known, code in zip(numbers, ends, strict=True))
                        with data[offset : offset + size] as frame:
                            row = cut(frame, link, wire, came_in, went_out)
                        if flows is not None:
                            flows.undecoded(row, 1)
                        if row != truncated:
                            sums.move(truncated, row, wire, done)
                            sums.move(None, partial, wire, 0)
            if used:
                sums.kinds.update(piece.kinds[:used])
            if told is not None:
                told()

    if jobs <= 1:
        total = work(progress)
    else:
        from concurrent.futures import ThreadPoolExecutor  # late: it costs more than many a capture

        with ThreadPoolExecutor(jobs - 1) as pool:
            try:
                others = [pool.submit(work, None) for _ in range(jobs - 1)]
                parts = [work(progress), *(other.result() for other in others)]
            finally:
                walk.stop()  # an interrupt is not to wait for the end of the file
        total = _Sums(
            array("Q", map(sum, zip(*(part.counts for part in parts), strict=True))),
            array("Q", map(sum, zip(*(part.recorded for part in parts), strict=True))),
            sum((part.kinds for part in parts), Counter()),
        )
    return CaptureCounts(
        tuple(total.counts[0::2]),
        tuple(total.counts[1::2]),
        dict(total.kinds),
        tuple(zip(total.recorded[0::2], total.recorded[1::2], strict=True)),
        walk.names(1),
        walk.names(2),
        walk.error,
    )


def decode_capture(stream: Stream, file: str = "<stream>") -> Iterator[tuple[Point | str | int, int]]:
    """Each packet's point, its class, or its kind if it has no IP, and its bytes on the wire, as the native decoder has them.

    Raises:
        CaptureError: behind the packets before the damage.
        LimitError: if the native module is not here; behind some packets, from 65,536 interface names on.
    """
    if native is None:
        raise LimitError("the native module is not here")
    names = [0]
    known: dict[str, int] = {}

    def codes(name: str) -> tuple[int, int]:
        number = known.setdefault(name, len(names))
        if number > NAMES:
            raise LimitError(f"more than {NAMES:,} interface names")
        if number == len(names):
            names.append(interface_number(name))
        return number, number

    walk = Walk(stream, file, codes, (None, None))
    piece = Frames()
    while walk.next(piece):
        yield from _decoded(piece, names)
    error = walk.error
    del walk, piece  # an error that is raised keeps in a circle what is here, and that is megabytes
    if error is not None:
        raise error


def _decoded(piece: Frames, names: list[int]) -> Iterator[tuple[Point | str | int, int]]:
    assert native is not None  # there are frames
    with memoryview(piece.data)[: piece.size] as data:
        frames = native.decoded(data, piece.frames, piece.count)
    for kind, protocol, fragment, src, dst, sport, dport, rest, wire, what in frames:
        if kind > 1:
            yield CLASSES[kind - 2] if kind > 2 else what, wire
            continue
        family, base = (4, 0) if kind == 0 else (6, V6_BASE)
        point = [0] * FIELDS
        point[PROTOCOL], point[FRAGMENT], point[SPORT], point[DPORT] = protocol, fragment, sport, dport
        point[SRC], point[DST] = base + int.from_bytes(src, "big"), base + int.from_bytes(dst, "big")
        for f, value in zip(STAGES, rest, strict=True):
            point[f] = names[value] if f in INTERFACES else value
        for f, none in lacking(protocol, family, fragment):
            point[f] = none
        yield tuple(point), wire
