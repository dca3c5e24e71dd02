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
from fwengine.flows import extra
from fwengine.flows.arrow import Piece, pieces
from fwengine.flows.counting import Counter
from fwengine.flows.options import OPENERS, Opener, Reading
from fwengine.flows.quick import Quick
from fwengine.flows.reading import Left, read, scanned
from fwengine.flows.sums import FlowSums
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
        ("broken.parquet", "cannot be read"),
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
