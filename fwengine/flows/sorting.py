"""Arrow columns of flows, sorted by kind natively: a batch of each kind, and the rows that somebody else must look at.

What `Rows.plain` picks with masks, and more: IPv6, ICMP whose types are not told, groups. A record batch whose rows are all of one
kind is used as it lies. Knows no policy.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..model import address
from ..model.fields import ICMP, ICMPV6, WHOLE, exists
from ..native.module import native
from .cells import value_of
from .flow import EARLIEST, LATEST, Batch, Kind
from .logs.columns import Role
from .logs.words import UnreadError, address_of
from .options import Reading

OPENERS: Final = {"open": 0, "src": 1, "lower-port": 2}  # native/kinds.h
_EITHER, _ICMP, _SINGLE, _SIX, _TURNED, _LEFT_OUT, _ODD = 1, 2, 4, 8, 16, 254, 255
EXISTS: Final = bytes(exists(protocol, 6, WHOLE) for protocol in range(256))
_AS_SIX: Final = bytes(ICMPV6 if protocol == ICMP else protocol for protocol in range(256))
_SUMMED: Final[tuple[tuple[Role, int], ...]] = (("action", 1), ("bytes", 8), ("packets", 8), ("start", 8), ("end", 8))
_FORMATS: Final[Mapping[int, Any]] = {1: "B", 2: "H", 4: "I", 8: "q", 16: "B"}


class Ends(NamedTuple):
    """A column of addresses: numbers of IPv4, sixteen bytes each of IPv6, and of which family each is where there are both, or others."""

    four: Any = None
    six: Any = None
    family: Any = None


class Sorted(NamedTuple):
    """The flows of a record batch; the numbers of the rows that are none yet, and how many are of other times."""

    batches: list[Batch]
    odd: list[int]
    left_out: int


def kind_of(number: int, *, sport: bool, dport: bool) -> Kind:
    """A kind as the native module numbers it, in a log that tells these ports."""
    icmp = bool(number & _ICMP)
    return Kind(
        6 if number & _SIX else 4, not number & _EITHER, icmp, icmp or sport, icmp or dport, single=bool(number & _SINGLE)
    )  # fmt: skip


def as_six(protocol: Any) -> bytes:
    """A column of protocols of IPv6: most logs call ICMPv6 `icmp`."""
    return bytes(protocol).translate(_AS_SIX)


def sort(
    columns: Mapping[Role, Any], src: Ends, dst: Ends, flags: Any, odd: Any, rows: int, reading: Reading, *, aws: bool
) -> Sorted:
    """Flows of columns that are buffers: protocol, ports, what is recorded and what is summed.

    Args:
        odd: a byte for each row, not 0 where something is wrong with it; or None.
        aws: flags tell the ack of an answer.
    """
    assert native is not None  # whoever asks has looked
    kinds = bytearray(rows)
    timed = reading.since is not None or reading.until is not None
    src, dst = _alike(src, dst, rows)
    found: list[tuple[int, int]] = native.sort(
        (
            columns["protocol"], src.four, dst.four, src.six, dst.six, src.family, dst.family, columns.get("sport"),
            columns.get("dport"), flags, odd, columns.get("bytes"), columns.get("packets"), columns["start"] if timed else None,
        ),
        kinds, OPENERS[reading.opener], int(aws), EARLIEST if reading.since is None else reading.since,
        LATEST if reading.until is None else reading.until, EXISTS,
    )  # fmt: skip
    counts = dict(found)
    left_out = counts.pop(_LEFT_OUT, 0)
    strange = [n for n, kind in enumerate(kinds) if kind == _ODD] if counts.pop(_ODD, 0) else []
    return Sorted([_batch(columns, src, dst, kinds, kind, count) for kind, count in counts.items()], strange, left_out)


def _alike(src: Ends, dst: Ends, rows: int) -> tuple[Ends, Ends]:
    """Both columns with the same parts."""
    ends = (src, dst)
    parts = [any(end[n] is not None for end in ends) for n in range(3)]
    if all(end.family is None for end in ends) and parts[0] != parts[1]:
        return ends
    out = []
    for four, six, family in ends:
        if family is None:
            family = bytes([4 if four is not None else 6]) * rows
        out.append(
            Ends(four if four is not None else bytes(4 * rows), six if six is not None else bytes(16 * rows), family)
        )
    return out[0], out[1]


def _batch(columns: Mapping[Role, Any], src: Ends, dst: Ends, kinds: bytearray, number: int, count: int) -> Batch:
    whole = count == len(kinds)

    def picked(column: Any, size: int) -> Any:
        if column is None:
            return None
        assert native is not None  # as above
        return memoryview(column if whole else native.pick(kinds, number, column, size)).cast("B").cast(_FORMATS[size])

    six = number & _SIX
    ends = [picked(side.six, 16) if six else picked(side.four, 4) for side in (src, dst)]
    told: list[Role] = ["sport", "dport"]
    if number & _TURNED:
        ends.reverse()
        told.reverse()
    zero = array("H", bytes(2 * count))
    ports = [picked(columns.get(role), 2) for role in told]
    protocol = picked(columns["protocol"], 1)
    summed = [picked(columns.get(role), size) for role, size in _SUMMED]
    kind = kind_of(number, sport=ports[0] is not None, dport=ports[1] is not None)
    sport, dport = (zero if column is None else column for column in ports)
    src_, dst_ = ends
    action, octets, packets, start, end = summed
    return Batch(
        kind, count, as_six(protocol) if six else protocol, src_, dst_, sport, dport, None, None, action, octets, packets, start, end
    )  # fmt: skip


class Words:
    """Addresses that are texts in dictionaries, each read once, natively where it is written plainly.

    Record batches of one row group come with the same dictionary: the last one is remembered for each column.
    """

    def __init__(self, pyarrow: Any) -> None:
        self._pa = pyarrow
        self._known: dict[str, tuple[Any, Any, Any, Any]] = {}

    def ends(self, role: str, column: Any) -> Ends:
        """The addresses of a column of texts, or of a dictionary of them."""
        if not self._pa.types.is_dictionary(column.type):
            column = column.cast("string").dictionary_encode()
        known = self._known.get(role)
        if known is None or not known[0].equals(column.dictionary):
            known = self._known[role] = column.dictionary, *self._read(column.dictionary.cast("string"))
        four, six, family = (None if part is None else part.take(column.indices) for part in known[1:])
        if column.indices.null_count:
            family = (self._pa.array([4] * len(column), "uint8") if family is None else family).fill_null(0)
            if column.indices.null_count == len(column):
                family = self._pa.array(bytes(len(column)), "uint8")
            family = self._pa.compute.if_else(column.indices.is_valid(), family, 0).cast("uint8")
        return Ends(*(None if part is None else raw(part) for part in (four, six, family)))

    def _read(self, words: Any) -> Iterator[Any]:
        """Columns of numbers, of sixteen bytes and of families, for words; None for those that are not needed."""
        assert native is not None  # as above
        pa, count = self._pa, len(words)
        _, offsets, data = words.buffers()
        four, six, family = bytearray(4 * count), bytearray(16 * count), bytearray(count)
        begin = 4 * words.offset
        any_ = 0
        if count:
            any_ = native.addresses(
                b"" if data is None else data, memoryview(offsets)[begin : begin + 4 * (count + 1)], four, six, family
            )
        if any_ & 4:
            for n, kind in enumerate(family):
                if not kind:
                    any_ |= self._strange(value_of(words[n]), n, four, six, family)
        yield _column(pa, four, "uint32", count)
        yield _column(pa, six, pa.binary(16), count) if any_ & 2 else None
        yield _column(pa, family, "uint8", count) if any_ != 1 else None

    @staticmethod
    def _strange(word: str | None, n: int, four: bytearray, six: bytearray, family: bytearray) -> int:
        try:
            found = address_of("", (word or "").strip())
        except UnreadError:
            return 0
        if found < address.V6_BASE:
            memoryview(four).cast("I")[n] = found
            family[n] = 4
            return 1
        six[16 * n : 16 * n + 16] = (found - address.V6_BASE).to_bytes(16, "big")
        family[n] = 6
        return 2


def _column(pyarrow: Any, data: bytearray, type_: Any, count: int) -> Any:
    if isinstance(type_, str):
        type_ = getattr(pyarrow, type_)()
    return pyarrow.Array.from_buffers(type_, count, [None, pyarrow.py_buffer(bytes(data))])


def raw(column: Any) -> memoryview:
    """The values of a column as they lie; whatever stands in the place of what is null."""
    size = column.type.byte_width
    data = memoryview(column.buffers()[1]).cast("B")
    return data[size * column.offset : size * (column.offset + len(column))]
