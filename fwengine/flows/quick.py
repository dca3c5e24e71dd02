"""Lines with a column for each thing, read natively: what `logs.columns` says of them, twenty times as fast.

The native module takes the lines that are written plainly (addresses, numbers, ACCEPT and REJECT); all others are read in Python,
with the same outcome, and nothing is refused here. Knows no policy.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ..native.module import native
from .flow import EARLIEST, LATEST, Batch
from .logs.columns import ROLES, Role, opens_aws
from .logs.detect import Table
from .options import Reading
from .sorting import EXISTS, OPENERS, kind_of

ROWS: Final = 1 << 16  # of a batch
_ROLES: Final[tuple[Role, ...]] = (
    "src", "dst", "sport", "dport", "protocol", "flags", "action", "status", "bytes", "packets", "start", "end",
)  # fmt: skip
_NEITHER: Final = ("type", "code", "in", "out")  # roles that are read in Python alone
_MOST_FIELDS: Final = 64
_KINDS: Final = 16  # native/kinds.h, none turned round


class Quick:
    """A table of a log, read natively into columns that are used again and again."""

    def __init__(self, table: Table, reading: Reading) -> None:
        reader = table.reader
        at = dict(zip(ROLES, reader.at, strict=True))
        self._layout = tuple(at[role] for role in _ROLES)
        self._separator = table.separator
        self._width = -1 if reader.width is None else reader.width
        self._opener, self._flags = OPENERS[reading.opener], int(reader.opens is opens_aws)
        self._since = EARLIEST if reading.since is None else reading.since
        self._until = LATEST if reading.until is None else reading.until
        ported = {"sport": at["sport"] >= 0, "dport": at["dport"] >= 0}
        self._kinds = [kind_of(number, **ported) for number in range(_KINDS)]
        self._columns: list[tuple[Any, ...] | None] = [None] * _KINDS  # made when there is a row of the kind

    @staticmethod
    def takes(table: object, reading: Reading) -> bool:
        """Can the native module read lines of this kind at all?"""
        if native is None or not isinstance(table, Table):
            return False
        at = dict(zip(ROLES, table.reader.at, strict=True))
        timed = reading.since is not None or reading.until is not None
        if timed and at["start"] < 0:
            return False
        return (
            len(table.separator.encode()) == 1
            and all(at[role] < 0 for role in _NEITHER)
            and max(table.reader.at) < _MOST_FIELDS
        )

    def read(self, data: Any) -> tuple[int, int, int, list[tuple[int, int, int]], Iterator[Batch]]:
        """Reads whole lines, as many as there are or as a batch holds.

        Returns:
            The bytes and the lines read, the flows of other times, where all other lines are (the number of each, where it
            begins and ends), and batches of the flows. The batches must be used before more is read. Less may be read than
            there is, but something is, if there is a whole line.
        """
        assert native is not None  # `takes` has looked
        while True:
            size, lines, wanted, left_out, rows, others = native.rows(
                data, self._layout, self._separator, self._width, self._opener, self._flags, self._since, self._until, EXISTS,
                tuple(self._columns), ROWS,
            )  # fmt: skip
            if wanted >= 0:
                self._columns[wanted] = _columns(16 if self._kinds[wanted].family == 6 else 4)
            if lines or wanted < 0:
                return size, lines, left_out, others, self._batches(rows)

    def _batches(self, rows: Iterable[int]) -> Iterator[Batch]:
        for kind, columns, count in zip(self._kinds, self._columns, rows, strict=True):
            if count and columns is not None:
                views = [memoryview(column) for column in columns]
                protocol, recorded, src, dst, sport, dport, octets, packets, first, last = views
                width = 16 if kind.family == 6 else 1
                yield Batch(
                    kind, count, protocol[:count], src[: width * count], dst[: width * count], sport[:count], dport[:count],
                    None, None, recorded[:count], octets[:count], packets[:count], first[:count], last[:count],
                )  # fmt: skip


def _columns(width: int) -> tuple[Any, ...]:
    wide = ("I", 4) if width == 4 else ("B", 16)
    return tuple(
        bytearray(ROWS * size) if code == "B" else array(code, bytes(ROWS * size))
        for code, size in (
            ("B", 1), ("B", 1), wide, wide, ("H", 2), ("H", 2), ("Q", 8), ("Q", 8), ("q", 8), ("q", 8),
        )
    )  # fmt: skip
