"""Parquet, Arrow and Feather -> batches of flows, by pyarrow's readers; what is plain goes to the classifier as it lies.

A batch of the scanner is used without a copy if all its rows are plain: IPv4 as numbers, ports and protocols told, nothing but
ICMP whose types are not told, no group. Otherwise the plain ones are picked out, and all others are read as a CSV's rows are.
Addresses that are texts are translated once for each that there is in a batch. Knows no policy.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from ..codes import NOT_A_LOG
from ..errors import CaptureError
from ..model import address
from ..native.module import native
from .cells import PER_SECOND, digits, is_worded, text_of, value_of, values_of
from .extra import needed
from .flow import Batch, Kind
from .logs.columns import NEEDED, ROLES, Columns, Role, located, opens_aws, opens_in, roles_of
from .logs.words import UnreadError, address_of, protocol_of, recorded_of
from .options import Reading
from .sorting import Ends, Sorted, Words, raw, sort

MAGIC: Final = {b"PAR1": "parquet", b"ARROW1": "ipc"}
ROWS: Final = 1 << 17  # of a batch
NUMBERS: Final = 1 << 15  # the same where nothing is a text
_LARGE: Final = 1 << 26  # bytes of a row group
_BUFFER: Final = 1 << 20
_GROUPS: Final = 0xE0000000
_BAD: Final = 0xFFFFFFFF  # in the place of an address that is none, or of IPv6: no plain row has it
_LAST_YEAR: Final = 253402300800  # the second behind the last that a date has
_EMPTY: Final = Reading()


class Piece(NamedTuple):
    """Rows of a file: some of its row groups, all for None."""

    path: str
    groups: tuple[int, ...] | None = None


def pieces(path: str, groups: int) -> list[Piece]:
    """A Parquet file in pieces of some row groups each; others as a whole, and so what cannot be read: whoever reads it says why."""
    if not Path(path).is_file():  # a pipe, say: looking into it would take from it
        return [Piece(path)]
    try:
        with Path(path).open("rb") as stream:
            if stream.read(4) != b"PAR1":
                return [Piece(path)]
        parquet = needed("pyarrow.parquet", "flows", "Parquet")
        with _Told(needed("pyarrow", "flows", "Parquet"), path):
            count = parquet.read_metadata(path).num_row_groups
    except (OSError, CaptureError):
        return [Piece(path)]
    return [Piece(path, tuple(range(n, min(n + groups, count)))) for n in range(0, count, groups)] or [Piece(path)]


class Scan:
    """The batches of one file, as pyarrow's readers give them, and the `Rows` that make flows of them.

    A batch of numbers is small enough to stay in a processor's cache until it has been counted; one of texts is larger, as each
    comes with all words of its row group.

    Raises:
        CaptureError: if its columns do not tell what is needed, or it is damaged.
    """

    def __init__(self, piece: Piece, form: str, reading: Reading = _EMPTY, *, threads: bool = True) -> None:
        self._pa = needed("pyarrow", "flows", "Parquet")
        self._piece, self._threads = piece, threads
        self._groups: list[int] | None = None if piece.groups is None else list(piece.groups)
        with _Told(self._pa, piece.path):
            schema = self._open(form, ())
        self.rows = Rows(schema.names, reading, piece.path)
        texts = [name for name in self.rows.columns if self._pa.types.is_string(schema.field(name).type)]
        self._size = ROWS if texts else NUMBERS
        if texts and form == "parquet":
            with _Told(self._pa, piece.path):
                self._open(form, texts)

    def _open(self, form: str, texts: Sequence[str]) -> Any:
        """Opens the file; its schema."""
        path = self._piece.path
        if form != "parquet":
            self._file = None
            self._data = needed("pyarrow.dataset", "flows", "Arrow").dataset(path, format=form)
            return self._data.schema
        parquet = needed("pyarrow.parquet", "flows", "Parquet")
        told = parquet.read_metadata(path)
        groups = range(told.num_row_groups)
        largest = max((told.row_group(n).total_byte_size for n in groups), default=0)
        buffered = _BUFFER if largest > _LARGE else 0  # else the bytes of a group's columns are read at once
        self._file = parquet.ParquetFile(path, metadata=told, read_dictionary=list(texts), buffer_size=buffered)
        before = 0 if self._groups is None else self._groups[0]
        self._first = 1 + sum(told.row_group(n).num_rows for n in range(before))
        return self._file.schema_arrow

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """The reader's batches, each with the number of its first row in the file."""
        columns, threads = self.rows.columns, self._threads
        with _Told(self._pa, self._piece.path):
            if self._file is None:
                number = 1
                found = self._data.to_batches(columns=columns, batch_size=ROWS, use_threads=threads)
            else:
                number = self._first
                found = self._file.iter_batches(
                    self._size, row_groups=self._groups, columns=columns, use_threads=threads
                )
            for batch in found:
                if batch.schema.names != columns:
                    raise CaptureError(NOT_A_LOG, self._piece.path, "cannot be read: two of its columns have one name")
                if batch.num_rows:
                    yield number, batch
                    number += batch.num_rows


class Rows:
    """Record batches with the columns named -> batches of flows.

    Raises:
        CaptureError: if the columns do not tell what is needed.
    """

    def __init__(self, names: Sequence[str], reading: Reading = _EMPTY, path: str = "<batches>") -> None:
        self._pa = needed("pyarrow", "flows", "Arrow")
        self._pc = needed("pyarrow.compute", "flows", "Arrow")
        self._reading = reading
        roles = _located(names, reading, path)
        self.columns = list(dict.fromkeys(names[at] for at in roles.values()))  # in the order that batches have them
        self._at: Mapping[Role, int] = {role: self.columns.index(names[at]) for role, at in roles.items()}
        everything: Mapping[Role, int] = {role: n for n, role in enumerate(ROLES)}
        opens = opens_in(names)
        self._slow = Columns(everything, opens=opens)
        self._aws = opens is opens_aws
        self._texts = Words(self._pa)

    # --- plain rows ---------------------------------------------------------------------------------------------------

    def plain(self, batch: Any) -> Sorted:
        """The plain rows of a scanner's batch, the numbers of those that are not, and how many are of other times."""
        pc, at = self._pc, self._at
        timed = self._reading.since is not None or self._reading.until is not None
        if any(role in at for role in ("type", "code", "in", "out")) or (timed and "start" not in at):
            return Sorted([], list(range(batch.num_rows)), 0)
        told = {role: batch.column(n) for role, n in at.items()}
        if native is not None:
            return self._sorted(told, batch.num_rows)
        columns: dict[Role, Any] = {}
        odd: list[Any] = []
        for role in ("src", "dst"):
            columns[role] = self._addresses(told[role])
            odd.append((columns[role], pc.greater_equal, _GROUPS))
        columns["protocol"] = self._numbers(told["protocol"], "uint8", protocol_of)
        odd.append((columns["protocol"], pc.equal, 1))
        for role in ("sport", "dport"):
            if role in told:
                columns[role] = self._numbers(told[role], "uint16", None)
        mask = None
        for column, test, value in odd:
            mask = self._either(mask, test(column, self._pa.scalar(value, column.type)))
        mask = self._either(mask, self._port_zero(columns))
        for role in ("bytes", "packets"):
            if role in told:
                columns[role] = self._numbers(told[role], "int64", None)
                mask = self._either(mask, pc.less(columns[role], 0))
        for role in ("start", "end"):
            if role in told:
                columns[role], wrong = self._moments(told[role])
                mask = self._either(mask, wrong)
        if "action" in told:
            columns["action"], wrong = self._words(told["action"], recorded_of, "uint8")
            mask = self._either(mask, wrong)
        if "status" in told:
            mask = self._either(mask, pc.not_equal(self._plain_text(told["status"]), "OK"))
        for column in columns.values():
            if column.null_count:
                mask = self._either(mask, pc.is_null(column))
        outside = self._outside(columns)
        sides, mask = self._sides(told, columns, mask)
        mask = pc.fill_null(mask, True) if mask.null_count else mask
        out = mask if outside is None else self._either(mask, outside)
        left_out = 0 if outside is None else pc.sum(pc.and_(outside, pc.invert(mask))).as_py() or 0
        found = list(self._batches(columns, sides, pc.invert(out) if pc.any(out).as_py() else None))
        return Sorted(found, self._rows(mask), left_out)

    def _sorted(self, told: Mapping[Role, Any], rows: int) -> Sorted:
        """The same natively."""
        columns: dict[Role, Any] = {"protocol": self._numbers(told["protocol"], "uint8", protocol_of)}
        masks = []
        flags = self._numbers(told["flags"], "uint8", None) if "flags" in told else None
        for role, type_ in _NUMBERS:
            if role in told:
                columns[role] = self._numbers(told[role], type_, None)
        times: tuple[Role, ...] = ("start", "end")
        for when in times:
            if when in told:
                columns[when], wrong = self._moments(told[when])
                masks.append(wrong)
        if "action" in told:
            columns["action"], wrong = self._words(told["action"], recorded_of, "uint8")
            masks.append(wrong)
        if "status" in told:
            masks.append(self._pc.not_equal(self._plain_text(told["status"]), "OK"))
        src, dst = (self._ends(role, told[role], masks) for role in ("src", "dst"))
        masks += [column.is_null() for column in (*columns.values(), flags) if column is not None and column.null_count]
        odd = None
        for mask in masks:
            odd = self._either(odd, self._pc.fill_null(mask, True))
        views = {role: raw(column) for role, column in columns.items()}
        wrong_rows = None if odd is None or not self._pc.any(odd).as_py() else raw(self._pc.cast(odd, "uint8"))
        return sort(
            views, src, dst, None if flags is None else raw(flags), wrong_rows, rows, self._reading, aws=self._aws
        )

    def _ends(self, role: str, column: Any, masks: list[Any]) -> Ends:
        types = self._pa.types
        if types.is_fixed_size_binary(column.type) and column.type.byte_width == 16:
            masks += [column.is_null()] if column.null_count else []
            return Ends(six=raw(column))
        if (
            types.is_binary(column.type)
            or types.is_fixed_size_binary(column.type)
            or types.is_large_binary(column.type)
        ):
            return Ends(bytes(4 * len(column)), family=bytes(len(column)))  # each is looked at
        if types.is_integer(column.type):
            if not types.is_uint32(column.type):
                column = self._narrow(column, None)
            masks += [column.is_null()] if column.null_count else []
            return Ends(raw(column))
        if not is_worded(self._pa, column.type):
            return Ends(bytes(4 * len(column)), family=bytes(len(column)))
        return self._texts.ends(role, column)

    def _rows(self, mask: Any) -> list[int]:
        return list(self._pc.indices_nonzero(mask).to_pylist()) if self._pc.any(mask).as_py() else []

    def _outside(self, columns: Mapping[Role, Any]) -> Any:
        """The rows of other times than are asked for."""
        outside = None
        reading, pc = self._reading, self._pc
        if reading.since is not None:
            outside = pc.less(columns["start"], reading.since)
        if reading.until is not None:
            outside = self._either(outside, pc.greater_equal(columns["start"], reading.until))
        return None if outside is None else pc.fill_null(outside, False)

    def _either(self, one: Any, other: Any) -> Any:
        """Either mask; what is null in one is odd, too."""
        if one is None:
            return other
        if other is None:
            return one
        return self._pc.or_(one, other)

    def _addresses(self, column: Any) -> Any:
        """IPv4 addresses as numbers; `_BAD` for all others, null where there is none."""
        types = self._pa.types
        if types.is_uint32(column.type):
            return column
        if types.is_integer(column.type):
            return self._narrow(column, self._pa.scalar(_BAD, "int64"))

        def number(text: str) -> int:
            found = address_of("", text)
            return found if found < address.V6_BASE else _BAD

        return self._words(column, number, "uint32")[0]

    def _narrow(self, column: Any, otherwise: Any) -> Any:
        """Numbers of any size as those of IPv4; `otherwise` for all others."""
        pc = self._pc
        wide = pc.cast(column, "int64", safe=False)
        outside = pc.or_(pc.less(wide, 0), pc.greater(wide, self._pa.scalar(_BAD, "int64")))
        return pc.cast(pc.if_else(outside, otherwise, wide), "uint32")

    def _numbers(self, column: Any, type_: str, read: Any) -> Any:
        """Numbers of a type; null where they are others."""
        if str(column.type) == type_:
            return column
        if self._pa.types.is_integer(column.type):
            try:
                return self._pc.cast(column, type_)
            except self._pa.ArrowInvalid:
                return self._pa.array(
                    [v if v is not None and 0 <= v < 1 << _BITS[type_] else None for v in column.to_pylist()], type_
                )
        return self._words(column, read or digits, type_)[0]

    def _words(self, column: Any, read: Any, type_: str) -> tuple[Any, Any]:
        """What words mean, each word asked once: numbers, null where they mean nothing; and where that is so."""
        if not is_worded(self._pa, column.type):
            return self._pa.nulls(len(column), type_), self._pa.array([True] * len(column))
        if not self._pa.types.is_dictionary(column.type):
            column = self._pc.cast(column, "string").dictionary_encode()
        meanings = []
        for word in values_of(column.dictionary):
            try:
                value = read(text_of(word))
                meanings.append(value if 0 <= value < 1 << _BITS[type_] else None)
            except (UnreadError, ValueError):
                meanings.append(None)
        found = self._pa.array(meanings, type_).take(column.indices)
        return found, self._pc.is_null(found)

    def _plain_text(self, column: Any) -> Any:
        return (
            self._pc.cast(column, "string")
            if is_worded(self._pa, column.type)
            else self._pa.nulls(len(column), "string")
        )

    def _moments(self, column: Any) -> tuple[Any, Any]:
        """Milliseconds since 1970, and where they are not told plainly."""
        pc, pa = self._pc, self._pa
        if pa.types.is_timestamp(column.type):
            ticks, per_second = pc.cast(column, "int64"), PER_SECOND[column.type.unit]
            wrong = pc.or_(pc.is_null(ticks), pc.less(ticks, 0))
            if _LAST_YEAR * per_second < 1 << 63:
                wrong = pc.or_(wrong, pc.greater_equal(ticks, _LAST_YEAR * per_second))
            if per_second > 1000:
                return pc.divide(ticks, per_second // 1000), wrong
            return ticks if per_second == 1000 else pc.multiply(ticks, 1000), wrong
        if not pa.types.is_integer(column.type):
            return pa.nulls(len(column), "int64"), pa.array([True] * len(column))
        wide = pc.cast(column, "int64", safe=False)
        low, high = pc.min_max(wide).as_py().values()
        if low is None or low < 0:
            return wide, pa.array([True] * len(column))
        if high < 10**11:
            return pc.multiply(wide, 1000), pc.is_null(wide)
        return wide, pa.array([True] * len(column)) if low < 10**11 or high >= 10**14 else pc.is_null(wide)

    def _port_zero(self, columns: Mapping[Role, Any]) -> Any:
        """Where both ports are 0, or one that is told is null."""
        pc = self._pc
        ports = [columns[role] for role in ("sport", "dport") if role in columns]
        if not ports:
            return None
        if len(ports) == 1:
            return pc.is_null(ports[0]) if ports[0].null_count else None
        return pc.equal(pc.bit_wise_or(*ports), self._pa.scalar(0, "uint16"))

    def _sides(
        self, told: Mapping[Role, Any], columns: Mapping[Role, Any], mask: Any
    ) -> tuple[list[tuple[bool, bool, Any]], Any]:
        """Who opened the rows' connections: (opened, turned, which rows; None for all), and the mask with those to be looked at."""
        pc = self._pc
        opener = self._reading.opener
        by_flags = None
        turned = None
        if "flags" in told:
            flags = self._numbers(told["flags"], "uint8", None)
            mask = self._either(mask, pc.is_null(flags))
            flags = pc.fill_null(flags, 0)
            tcp = pc.equal(columns["protocol"], self._pa.scalar(6, "uint8"))
            both = pc.bit_wise_and(flags, self._pa.scalar(18, "uint8"))
            by_flags = pc.and_(tcp, pc.equal(both, self._pa.scalar(2, "uint8")))
            if self._aws:
                turned = pc.and_(tcp, pc.equal(both, self._pa.scalar(18, "uint8")))
        if opener == "lower-port" and "sport" in columns and "dport" in columns:
            greater, less = (test(columns["sport"], columns["dport"]) for test in (pc.greater, pc.less))
            told_by = None if by_flags is None else by_flags if turned is None else pc.or_(by_flags, turned)
            if told_by is not None:
                greater, less = (pc.and_(one, pc.invert(told_by)) for one in (greater, less))
            ahead, back = self._either(by_flags, greater), self._either(turned, less)
            return [(True, False, ahead), (True, True, back), (False, False, pc.invert(pc.or_(ahead, back)))], mask
        if opener == "src":
            return (
                [(True, False, None)] if turned is None else [(True, False, pc.invert(turned)), (True, True, turned)]
            ), mask
        if by_flags is None:
            return [(False, False, None)], mask
        rest = pc.invert(by_flags if turned is None else pc.or_(by_flags, turned))
        return [
            (True, False, by_flags),
            (False, False, rest),
            *([(True, True, turned)] if turned is not None else []),
        ], mask

    def _batches(
        self, columns: Mapping[Role, Any], sides: Sequence[tuple[bool, bool, Any]], keep: Any
    ) -> Iterator[Batch]:
        pc = self._pc
        for opened, turned, rows in sides:
            chosen = keep if rows is None else rows if keep is None else pc.and_(rows, keep)
            picked = columns if chosen is None else {role: column.filter(chosen) for role, column in columns.items()}
            count = len(picked["protocol"])
            if not count:
                continue
            view = {role: self._view(column) for role, column in picked.items()}
            zero = array("H", bytes(2 * count))
            ends: list[tuple[Role, Role]] = [("src", "sport"), ("dst", "dport")]
            if turned:
                ends.reverse()
            (src, sport), (dst, dport) = ends
            yield Batch(
                Kind(4, opened, sport=sport in view, dport=dport in view),
                count, view["protocol"], view[src], view[dst], view.get(sport, zero), view.get(dport, zero), None, None,
                view.get("action"), view.get("bytes"), view.get("packets"), view.get("start"), view.get("end"),
            )  # fmt: skip

    def _view(self, column: Any) -> memoryview:
        """The values of a column as they lie."""
        size = column.type.bit_width // 8
        data = memoryview(column.buffers()[1]).cast("B")
        return data[size * column.offset : size * (column.offset + len(column))].cast(_FORMATS[size])

    # --- other rows ---------------------------------------------------------------------------------------------------

    def row(self, batch: Any, number: int) -> Any:
        """The flow of one row, as that of a line of texts; or what is wrong with it."""
        texts = [""] * len(ROLES)
        for role, at in self._at.items():
            value = value_of(batch.column(at)[number])
            if value is None:
                continue
            if role in ("src", "dst") and isinstance(value, int):
                value = address.show(value) if 0 <= value < address.V6_BASE else str(value)
            elif role in ("src", "dst") and isinstance(value, bytes):
                value = _packed(value)
            texts[ROLES.index(role)] = text_of(value)
        try:
            return self._slow.flow(texts)
        except UnreadError as error:
            return error


_FORMATS: Final[Mapping[int, Literal["B", "H", "I", "q"]]] = {1: "B", 2: "H", 4: "I", 8: "q"}
_NUMBERS: Final[tuple[tuple[Role, str], ...]] = (
    ("sport", "uint16"), ("dport", "uint16"), ("bytes", "int64"), ("packets", "int64"),
)  # fmt: skip
_BITS: Final = {"uint8": 8, "uint16": 16, "uint32": 32, "int64": 63}


def _packed(value: bytes) -> str:
    number = int.from_bytes(value, "big")
    return address.show(number if len(value) == 4 else address.V6_BASE + number) if len(value) in (4, 16) else ""


def _located(names: Sequence[str], reading: Reading, path: str) -> dict[Role, int]:
    stated = reading.stated.columns
    try:
        if stated is not None:
            return located(stated, names)
    except ValueError as error:
        raise CaptureError(NOT_A_LOG, path, str(error)) from None
    found = roles_of(names)
    for role in NEEDED:
        if role not in found:
            raise CaptureError(
                NOT_A_LOG,
                path,
                f"no column tells `{role}`: state which does with `--columns src=NAME,dst=NAME,protocol=NAME`",
            )
    return found


class _Told:
    """Turns what pyarrow raises about a file into a CaptureError."""

    def __init__(self, pyarrow: Any, path: str) -> None:
        self._pyarrow, self._path = pyarrow, path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, self._pyarrow.ArrowException | OSError):
            reason = "it is damaged, or ends early"
            if isinstance(error, OSError) and error.strerror:
                reason = error.strerror.lower()
            elif isinstance(error, self._pyarrow.ArrowNotImplementedError):
                reason = "it holds something that this version of pyarrow does not read"
            raise CaptureError(NOT_A_LOG, self._path, f"cannot be read: {reason}") from error
