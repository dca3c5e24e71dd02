"""Parquet and Arrow: what is read of them is what is read of the same rows as a CSV, however their columns are typed."""

from __future__ import annotations

import csv
import datetime
import random
from pathlib import Path
from typing import Any

import pytest
from support.commands import run
from support.flow_logs import FIELDS, POLICY, lines, sums_of

from fwengine.errors import CaptureError, MissingExtraError
from fwengine.flows import arrow, extra
from fwengine.flows.arrow import Piece, pieces
from fwengine.flows.counting import Counter
from fwengine.flows.evaluate import evaluate_log
from fwengine.flows.options import OPENERS, Opener, Reading
from fwengine.flows.partition import not_allowed
from fwengine.flows.quick import Quick
from fwengine.flows.reading import Left, read, scanned
from fwengine.flows.sorting import Sorted
from fwengine.flows.sums import FlowSums
from fwengine.flows.top import Top
from fwengine.model import address

pa: Any = pytest.importorskip("pyarrow")
pq: Any = pytest.importorskip("pyarrow.parquet")
feather: Any = pytest.importorskip("pyarrow.feather")


def rows_of(text: str, separator: str) -> tuple[list[str], list[list[str]]]:
    header, *rows = csv.reader(text.splitlines(), delimiter=separator)
    return header, [row for row in rows if len(row) == len(header)]


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("since", [None, 1793491230000])
@pytest.mark.parametrize("flags", [True, False])
def test_texts(opener: Opener, since: int | None, flags: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All columns are texts, some odd."""
    fields = [field for field in FIELDS if field != "vpc-id" and (flags or field != "tcp-flags")]
    header, rows = rows_of(lines(3, fields, ",", 800), ",")
    (tmp_path / "log").write_text("\n".join(map(",".join, [header, *rows])))
    table = pa.table({name: [row[n] or None for row in rows] for n, name in enumerate(header)})
    pq.write_table(table, tmp_path / "log.parquet", row_group_size=100)
    feather.write_feather(table, tmp_path / "log.feather")
    reading = Reading(opener=opener, since=since, until=None if since is None else since + 60000)
    monkeypatch.setattr(Quick, "takes", lambda table, reading: False)
    want, wanted_left = sums_of(tmp_path / "log", reading)
    for name in ("log.parquet", "log.feather"):
        got, left = sums_of(tmp_path / name, reading)
        assert got.rows == want.rows
        assert left.left_out == wanted_left.left_out
        assert {told.reason: (told.lines, told.line + 1) for told in left.unread.values()} == {
            told.reason: (told.lines, told.line) for told in wanted_left.unread.values()
        }
    assert want.flows > 50


def typed(seed: int, count: int, *, odd: bool) -> tuple[Any, str]:
    """A table of numbers and times, and the same as a CSV."""
    luck = random.Random(seed)
    out: list[dict[str, Any]] = []
    for _ in range(count):
        group = odd and luck.random() < 0.05
        row: dict[str, Any] = {
            "srcaddr": 3405803783 + luck.randrange(5), "dstaddr": 0xE0000001 if group else 3221226064 + luck.randrange(3),
            "srcport": luck.choice((50000, 443, 0)), "dstport": luck.choice((443, 53, 80)),
            "protocol": luck.choice((6, 6, 17, 47, *([1] * odd))), "bytes": luck.randrange(1 << 40), "packets": luck.randrange(100),
            "start": 1793491200 + luck.randrange(100), "action": luck.choice(("ACCEPT", "REJECT")),
        }  # fmt: skip
        if odd and luck.random() < 0.05:
            row |= {"srcport": None, "dstport": None}
        out.append(row)
    texts = ["srcaddr,dstaddr,srcport,dstport,protocol,bytes,packets,start,action"]
    for row in out:
        cells: dict[str, Any] = {
            **row,
            "srcaddr": address.show(row["srcaddr"]),
            "dstaddr": address.show(row["dstaddr"]),
        }
        texts.append(",".join("" if value is None else str(value) for value in cells.values()))
    return out, "\n".join(texts)


TYPES = {
    "srcaddr": "uint32", "dstaddr": "uint32", "srcport": "uint16", "dstport": "int32", "protocol": "uint8", "bytes": "int64",
    "packets": "int32", "action": "string",
}  # fmt: skip


@pytest.mark.parametrize("odd", [True, False])
@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("seconds", [True, False])
def test_numbers(odd: bool, opener: Opener, seconds: bool, tmp_path: Path) -> None:
    rows, text = typed(1, 2000, odd=odd)
    columns = {name: pa.array([row[name] for row in rows], type_) for name, type_ in TYPES.items()}
    start = [row["start"] for row in rows]
    moments = [datetime.datetime.fromtimestamp(each, datetime.UTC) for each in start]
    columns["start"] = pa.array(start, "int64") if seconds else pa.array(moments, pa.timestamp("us", "UTC"))
    pq.write_table(pa.table(columns), tmp_path / "log.parquet", row_group_size=300)
    (tmp_path / "log").write_text(text)
    reading = Reading(opener=opener, since=1793491210000)
    want, got = (sums_of(tmp_path / name, reading)[0] for name in ("log", "log.parquet"))
    assert got.rows == want.rows
    assert got.flows > 500


def test_the_plain_ones_are_not_copied(tmp_path: Path) -> None:
    rows, _ = typed(2, 1000, odd=False)
    columns = {name: pa.array([row[name] for row in rows], type_) for name, type_ in TYPES.items() if name != "srcport"}
    pq.write_table(pa.table({**columns, "srcport": pa.array([50001] * 1000, "uint16")}), tmp_path / "log.parquet")
    from fwengine.flows.arrow import Scan

    scan = Scan(Piece(str(tmp_path / "log.parquet")), "parquet", Reading(opener="src"))
    ((_, batch),) = scan
    (found,), odd, left_out = scan.rows.plain(batch)
    assert (odd, left_out) == ([], 0)
    held = batch.column(batch.schema.get_field_index("srcaddr")).buffers()[1]
    assert memoryview(found.src).obj is held or pa.py_buffer(found.src).address == held.address


def test_pieces_add_up_to_the_whole(tmp_path: Path) -> None:
    header, rows = rows_of(lines(5, FIELDS, ",", 500), ",")
    table = pa.table({name: [row[n] for row in rows] for n, name in enumerate(header)})
    path = str(tmp_path / "log.parquet")
    pq.write_table(table, path, row_group_size=60)
    whole, _ = sums_of(Path(path), Reading())
    for groups in (1, 3, 100):
        parts = pieces(path, groups)
        count = (len(rows) + 59) // 60
        assert len(parts) == (count + groups - 1) // groups
        counter = Counter(POLICY)
        sums = FlowSums()
        for piece in parts:
            for batch in scanned(piece, "parquet", Reading(), Left("log"), threads=False):
                sums += counter.count(batch)
        assert sums == whole


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1" + bytes(100))
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    for name, message in (
        ("broken.parquet", "cannot be read: it is damaged, or ends early$"),
        ("other.parquet", "no column tells `src`: state which does"),
    ):
        with pytest.raises(CaptureError, match=message):
            list(read(str(tmp_path / name), Reading(), Left("log")))
    (tmp_path / "p.fwl").write_text("allow any\n")
    done = run("flows", tmp_path / "p.fwl", "-", stdin=(tmp_path / "other.parquet").read_bytes())
    assert (done.code, "cannot be read from a stream" in done.err) == (2, True)

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(extra, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"needs `pyarrow`: pip install 'fwengine\[flows\]'"):
        list(read(str(tmp_path / "other.parquet"), Reading(), Left("log")))


def test_threads_share_row_groups(tmp_path: Path) -> None:
    """With the same sums, the same line numbers, and the same about a file that is damaged, whatever their number."""
    header, rows = rows_of(lines(6, FIELDS, ",", 900), ",")
    table = pa.table({name: [row[n] for row in rows] for n, name in enumerate(header)})
    path = tmp_path / "log.parquet"
    pq.write_table(table, path, row_group_size=100)
    for damaged in (False, True):
        found: list[tuple[FlowSums, Top, str]] = []
        if damaged:
            data = bytearray(path.read_bytes())
            data[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
            path.write_bytes(data)
        for jobs in (1, 3):
            top = Top()
            log = evaluate_log(Counter(POLICY, jobs=jobs), str(path), Reading(), top=top, takes=not_allowed)
            assert (log.error is not None) == damaged
            found.append((log.sums, top, str(log.error)))
        assert found[0] == found[1]
        assert damaged or found[0][0].flows > 50


class TestSorting:
    """Rows of all kinds: what the native module makes of a record batch is what is made of the same rows one by one."""

    ADDRESSES = ("203.0.113.7", "192.0.2.80", "224.0.0.1", "255.255.255.255", "0.0.0.0", " 192.0.2.81", "1.2.3", "-",
                 "2001:db8::7", "2001:DB8:0:0::80", "ff02::fb", "::", "::ffff:192.0.2.1", "1::2::3", "fe80::1%eth0")  # fmt: skip

    def table(self, seed: int, count: int, ends: tuple[str, ...]) -> Any:
        luck = random.Random(seed)
        odd = (None,) * (seed % 2)
        return pa.table({
            "srcaddr": [luck.choice((*ends, *odd)) for _ in range(count)], "dstaddr": [luck.choice((*ends, *odd)) for _ in range(count)],
            "srcport": pa.array([luck.choice((50000, 443, 0, *odd)) for _ in range(count)], "uint16"),
            "dstport": pa.array([luck.choice((443, 53, 0)) for _ in range(count)], "uint16"),
            "protocol": pa.array([luck.choice((6, 17, 1, 58, 47, 0, 43)) for _ in range(count)], "uint8"),
            "tcp_flags": pa.array([luck.choice((2, 18, 16, *odd)) for _ in range(count)], "uint8"),
            "bytes": pa.array([luck.choice((40, 1 << 40, -1 * (seed % 2))) for _ in range(count)], "int64"),
            "start": pa.array([luck.choice((1793491200, 1793491230, 1793491290)) for _ in range(count)], "int64"),
            **({"log_status": ["OK"] * count} if seed % 3 == 0 else {}),
        })  # fmt: skip

    def sums(self, table: Any, path: Path, reading: Reading) -> Any:
        pq.write_table(table, path, row_group_size=130)
        sums, left = sums_of(path, reading)
        return sums, left.unread, left.left_out, left.lines

    @pytest.mark.parametrize("opener", OPENERS)
    @pytest.mark.parametrize("since", [None, 1793491230000])
    def test_all_kinds(
        self, opener: Opener, since: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reading = Reading(opener=opener, since=since, until=None if since is None else since + 1000)
        kinds = (self.ADDRESSES, self.ADDRESSES[:6], self.ADDRESSES[8:12], self.ADDRESSES[:2])
        for seed in range(4):
            table = self.table(seed, 300, kinds[seed])
            for dropped in ((), ("tcp_flags",), ("srcport",), ("bytes", "dstport")):
                chosen = table.drop_columns(list(dropped))
                quick = self.sums(chosen, tmp_path / "log.parquet", reading)
                with monkeypatch.context() as patch:
                    patch.setattr(arrow.Rows, "plain", lambda rows, batch: Sorted([], list(range(batch.num_rows)), 0))
                    assert self.sums(chosen, tmp_path / "log.parquet", reading) == quick
                if seed and opener != "open":
                    with monkeypatch.context() as patch:
                        patch.setattr(arrow, "native", None)
                        assert self.sums(chosen, tmp_path / "log.parquet", reading) == quick
                assert since is not None or quick[0].flows > 30

    def test_addresses_of_other_types(self, tmp_path: Path) -> None:
        luck = random.Random(3)
        ends = [luck.choice(("203.0.113.7", "192.0.2.80", "224.0.0.1")) for _ in range(500)]
        wide = [luck.choice(("2001:db8::7", "ff02::fb", "fe80::1")) for _ in range(500)]
        others = {"protocol": pa.array([6] * 500, "uint8"), "srcport": [50000] * 500, "dstport": [80] * 500}

        def packed(texts: list[str]) -> list[bytes]:
            found = [address.parse(text) for text in texts]
            return [
                (n - address.V6_BASE).to_bytes(16, "big") if n >= address.V6_BASE else n.to_bytes(4, "big")
                for n in found
            ]

        tried: list[tuple[list[str], list[tuple[list[Any], Any]]]] = [
            (
                ends,
                [
                    (packed(ends), pa.binary(4)),
                    (packed(ends), pa.binary()),
                    ([address.parse(t) for t in ends], pa.int64()),
                ],
            ),
            (wide, [(packed(wide), pa.binary(16)), (packed(wide), pa.binary())]),
        ]
        for texts, columns in tried:
            want = self.sums(
                pa.table({"src": texts, "dst": texts[::-1], **others}), tmp_path / "log.parquet", Reading()
            )
            for values, type_ in columns:
                table = pa.table({"src": pa.array(values, type_), "dst": pa.array(values[::-1], type_), **others})
                assert self.sums(table, tmp_path / "log.parquet", Reading()) == want
        mixed = pa.table(
            {"src": pa.array([address.parse(t) for t in ends], "uint32"), "dst": [*wide[:250], *ends[:250]], **others}
        )
        sums, unread, *_ = self.sums(mixed, tmp_path / "log.parquet", Reading())
        assert (sums.flows, [told.lines for told in unread.values()]) == (250, [250])
        minus = pa.table(
            {"src": pa.array([-1, -(1 << 30), 5], "int32"), "dst": pa.array([7, 7, 7], "int32"), "protocol": [6, 6, 6]}
        )
        assert self.sums(minus, tmp_path / "log.parquet", Reading())[0].flows == 1

    CELLS = (
        (["80", "+80", "8_0", "\N{FULLWIDTH DIGIT EIGHT}0", "080"], "string"), ([80.0, 80.5, None, 1e30], "float64"),
        ([b"80", b"\xff", None], "binary"), ([[80], None], "list"), ([True, None], "bool"), ([None], "null"),
        ([80, -1, 1 << 40], "int64"),
    )  # fmt: skip

    @pytest.mark.parametrize("name", ["dstport", "bytes", "protocol", "tcp_flags", "log_status", "action", "start"])
    @pytest.mark.parametrize("cells", CELLS, ids=[type_ for _, type_ in CELLS])
    def test_columns_of_strange_types_are_read_as_their_rows(
        self, name: str, cells: tuple[list[Any], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No row is taken in a batch that is refused by itself, and no type ends the reading."""
        values, type_ = cells
        column = pa.array(values * 40, {"list": pa.list_(pa.int64()), "null": pa.null()}.get(type_, type_))
        rows = len(column)
        plain = {"srcaddr": ["203.0.113.7"] * rows, "dstaddr": ["192.0.2.80"] * rows, "protocol": [6] * rows}
        self.the_same_in_batches(pa.table({**plain, name: column}), tmp_path, monkeypatch)

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    @pytest.mark.parametrize("zone", [None, "UTC", "+02:00"])
    def test_times_that_python_has_no_value_for(
        self, unit: str, zone: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nanoseconds, times before 1970 and behind the year 9999, in rows that are plain and in odd ones."""
        far = 1 << (50 if unit == "s" else 62)  # Parquet has no seconds: they are written as milliseconds
        ticks = [1793491200_123456789 // 10 ** {"s": 9, "ms": 6, "us": 3, "ns": 0}[unit], -1, far, -far, None]
        rows = 60 * len(ticks)
        table = pa.table({
            "srcaddr": ["203.0.113.7", "224.0.0.1", "x"] * (rows // 3), "dstaddr": ["192.0.2.80"] * rows, "protocol": [6] * rows,
            "start": pa.array(ticks * 60, pa.timestamp(unit, zone)),
        })  # fmt: skip
        sums = self.the_same_in_batches(table, tmp_path, monkeypatch)
        assert sums.flows >= 60

    def test_addresses_that_are_no_utf_8(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        words = pa.array([b"203.0.113.7", b"\xff\xfe"] * 50, "binary").view("string")
        table = pa.table({"srcaddr": words, "dstaddr": ["192.0.2.80"] * 100, "protocol": [6] * 100})
        assert self.the_same_in_batches(table, tmp_path, monkeypatch).flows == 50

    def test_numbers_in_place_of_addresses_that_have_a_sign(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        column = pa.array([-(1 << 30), 5, -1] * 50, "int32")
        table = pa.table({"src": column, "dst": [7] * 150, "protocol": [6] * 150})
        assert self.the_same_in_batches(table, tmp_path, monkeypatch).flows == 50

    def the_same_in_batches(self, table: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlowSums:
        path = tmp_path / "log.parquet"
        found = [self.sums(table, path, Reading())]
        with monkeypatch.context() as patch:
            patch.setattr(arrow, "native", None)
            found.append(self.sums(table, path, Reading()))
        with monkeypatch.context() as patch:
            patch.setattr(arrow.Rows, "plain", lambda rows, batch: Sorted([], list(range(batch.num_rows)), 0))
            found.append(self.sums(table, path, Reading()))
        known = [
            (sums.rows, {reason: each.lines for reason, each in unread.items()}, left_out, lines)
            for sums, unread, left_out, lines in found
        ]
        assert known == [known[0]] * 3
        assert isinstance(found[0][0], FlowSums)
        return found[0][0]
