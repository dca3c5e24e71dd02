"""Dask and Spark give what one process gives, however the logs are parted, and also if a worker dies."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar

import pytest
from support.drawn_captures import made
from support.flow_logs import FIELDS, POLICY, lines

from fwengine.errors import CaptureError, MissingExtraError
from fwengine.flows.counting import Counter
from fwengine.flows.evaluate import evaluate_flows
from fwengine.flows.options import Reading
from fwengine.flows.partition import Part, count_part, not_allowed, parts, together
from fwengine.policy import loads
from fwengine.traffic import partition as capture_sums
from fwengine.traffic.biggest import denied
from fwengine.traffic.partition import CapturesReport

pytestmark = [pytest.mark.filterwarnings("ignore")]  # of packages that are not ours
READING = Reading(opener="src")


def logs(folder: Path, count: int) -> list[str]:
    for seed in range(count):
        (folder / f"{seed:02}.log").write_text(lines(seed, FIELDS, " ", 400), encoding="utf-8", newline="")
    return [str(folder)]


def same(part: Part, report: Any) -> None:
    assert part.sums == report.sums
    assert part.top is not None
    assert part.top == report.top
    assert not part.broken


def captures(folder: Path, count: int) -> list[Path]:
    files = [folder / f"{seed:02}.pcap" for seed in range(count)]
    for seed, file in enumerate(files):
        file.write_bytes(made(seed))
    return files


def alike(told: CapturesReport, whole: CapturesReport) -> None:
    assert told.report == whole.report
    assert told.report.packets > 100
    assert [str(error) for error in told.broken] == [str(error) for error in whole.broken]
    assert whole.broken
    assert told.biggest == whole.biggest


def test_parts_add_up_in_any_order(tmp_path: Path) -> None:
    names = logs(tmp_path, 6)
    counter = Counter(POLICY)
    found = [count_part(counter, piece, READING, not_allowed) for piece in parts(names)]
    report = evaluate_flows(POLICY, names, reading=READING, takes=not_allowed)
    same(together(found), report)
    same(together(reversed(found)), report)
    same(together([together(found[:2]), together(found[2:])]), report)


def test_what_is_wrong_with_a_log_is_told_among_the_sums(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("nothing\n")
    (piece,) = parts([str(tmp_path / "a.log")])
    part = count_part(Counter(POLICY), piece, READING)
    ((name, error),) = [(one.file, one.error) for one in part.broken]
    assert name == str(tmp_path / "a.log")
    assert isinstance(error, CaptureError)
    assert (part + part).broken == part.broken


@pytest.mark.slow
class TestDask:
    @pytest.fixture
    def client(self) -> Any:
        distributed = pytest.importorskip("distributed")
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client

    def test_two_worker_processes(self, client: Any, tmp_path: Path) -> None:
        from fwengine.flows import dask

        names = logs(tmp_path, 20)
        report = evaluate_flows(POLICY, names, reading=READING, takes=not_allowed)
        same(dask.evaluate_flows(POLICY, names, reading=READING, takes=not_allowed), report)

    def test_captures(self, client: Any, tmp_path: Path) -> None:
        from fwengine.flows import dask

        files = captures(tmp_path, 12)
        for size in (200, 1 << 30):
            told = dask.evaluate_captures(POLICY, [tmp_path], size=size, takes=denied)
            whole = capture_sums.evaluate_captures(POLICY, files, takes=denied)
            alike(told, whole)

    def test_a_worker_dies_in_the_middle(self, client: Any, tmp_path: Path) -> None:
        """One of the logs is a pipe into which nothing is written before the worker that reads it is dead."""
        from fwengine.flows import dask

        folder = tmp_path / "logs"
        folder.mkdir()
        names = logs(folder, 20)
        report = evaluate_flows(POLICY, names, reading=READING, takes=not_allowed)
        text = (folder / "10.log").read_bytes()
        (folder / "10.log").unlink()
        os.mkfifo(folder / "10.log")
        files = [str(path) for path in sorted(folder.iterdir())]
        processes = client.run(os.getpid)
        future = client.compute(dask.graph(POLICY, files, reading=READING, takes=not_allowed))
        for _ in range(1200):  # until all that is left to do waits for the pipe
            left, busy = client.run_on_scheduler(_state)
            if left == 1 and len(busy) == 1:
                break
            threading.Event().wait(0.05)
        else:
            pytest.fail(f"{left} parts are left, at {busy}")
        assert not future.done()
        worker = pytest.importorskip("psutil").Process(processes[busy[0]])
        worker.kill()
        while (
            worker.is_running()
        ):  # until its end of the pipe is closed: it might take the text, and the next one wait for ever
            threading.Event().wait(0.01)
        writer = threading.Thread(target=(folder / "10.log").write_bytes, args=(text,))
        writer.start()  # it waits for a reader
        part = future.result(timeout=120)
        writer.join()
        same(part, report)


def _state(dask_scheduler: Any) -> tuple[int, list[str]]:
    """How many parts are still to be counted, and the workers that count one."""
    found = [task for task in dask_scheduler.tasks.values() if str(task.key).startswith("count_part")]
    left = [task for task in found if task.state in ("waiting", "queued", "no-worker", "processing")]
    return len(left), [task.processing_on.address for task in left if task.processing_on]


@pytest.mark.slow
class TestSpark:
    @pytest.fixture(scope="class")
    def session(self) -> Any:
        if shutil.which("java") is None:
            pytest.skip("no Java here, which Spark needs")
        sql = pytest.importorskip("pyspark.sql")
        patch = pytest.MonkeyPatch()
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = (
            sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
            .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate()
        )  # fmt: skip
        yield session
        session.stop()
        patch.undo()

    def test_map_in_arrow(self, session: Any, tmp_path: Path) -> None:
        from fwengine.flows import spark

        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        header, *rows = [line.split(",") for line in lines(1, FIELDS, ",", 600).splitlines()]
        rows = [row for row in rows if len(row) == len(header)]
        table = pa.table({name: [row[n] for row in rows] for n, name in enumerate(header)})
        pq.write_table(table, tmp_path / "log.parquet", row_group_size=50)
        report = evaluate_flows(POLICY, tmp_path / "log.parquet", reading=READING, takes=not_allowed)
        frame = session.read.parquet(str(tmp_path / "log.parquet"))
        for count in (1, 5):
            part = spark.evaluate_flows(POLICY, frame.repartition(count), reading=READING, takes=not_allowed)
            assert part.sums.rows == report.sums.rows
            assert part.top == report.top
            assert {r: told.lines for r, told in part.sums.unread.items()} == {
                r: told.lines for r, told in report.sums.unread.items()
            }

    def test_captures(self, session: Any, tmp_path: Path) -> None:
        from fwengine.flows import spark

        files = captures(tmp_path, 12)
        for size in (200, 1 << 30):
            told = spark.evaluate_captures(POLICY, session, [tmp_path], size=size, takes=denied)
            alike(told, capture_sums.evaluate_captures(POLICY, files, takes=denied))


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of an extra that is not installed: not an answer that is unknown, but what to install."""
    from fwengine.flows import dask, extra, spark

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(extra, "import_module", missing)
    for asked in (
        lambda: dask.graph(POLICY, logs(tmp_path, 1)),
        lambda: dask.evaluate_captures(POLICY, captures(tmp_path, 1)),
    ):
        with pytest.raises(MissingExtraError, match=r"needs `dask`: pip install 'fwengine\[dask\]'"):
            asked()
    with pytest.raises(MissingExtraError, match=r"needs `pyspark`: pip install 'fwengine\[spark\]'"):
        spark.evaluate_flows(POLICY, None)


class TestQueriesOfTheirOwn:
    """What docs/reference/flows.md tells DuckDB's and polars' users to write."""

    COLUMNS: ClassVar[dict[str, tuple[str, list[int]]]] = {
        "protocol": ("uint8", [6, 6, 17]), "src": ("uint32", [3405803783, 3405803784, 3405803785]),
        "dst": ("uint32", [3221225984, 3221225984, 3221225984]), "sport": ("uint16", [50001, 50002, 50003]),
        "dport": ("uint16", [443, 22, 53]),
    }  # fmt: skip
    POLICY = loads("allow tcp to 192.0.2.0/24 port https as web\ndeny any as rest\n")

    def test_duckdb(self, tmp_path: Path) -> None:
        duckdb = pytest.importorskip("duckdb")
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        pq.write_table(pa.table({n: pa.array(v, t) for n, (t, v) in self.COLUMNS.items()}), tmp_path / "flows.parquet")
        asked = duckdb.connect().execute(f"select protocol, src, dst, sport, dport from '{tmp_path}/flows.parquet'")
        classify = self.POLICY.classifier().classify
        found = [
            classify(**{n: batch[n].to_numpy() for n in batch.schema.names}) for batch in asked.to_arrow_reader(1 << 20)
        ]
        assert [self.POLICY.label(index) for rules in found for index in rules] == ["web", "rest", "rest"]

    def test_polars(self) -> None:
        polars = pytest.importorskip("polars")
        types = {"uint8": polars.UInt8, "uint16": polars.UInt16, "uint32": polars.UInt32}
        frame = polars.DataFrame({n: polars.Series(v, dtype=types[t]) for n, (t, v) in self.COLUMNS.items()})
        rules = self.POLICY.classifier().classify(**{name: frame[name].to_numpy() for name in frame.columns})
        assert [self.POLICY.label(index) for index in rules] == ["web", "rest", "rest"]
