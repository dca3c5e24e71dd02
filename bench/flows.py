"""Flow logs through a policy of 1,000 rules: Parquet and gzipped text, beside the scan and the classifier alone, and beside what a user
would do instead.

    python bench/flows.py [--rows 4000000] [--set acl1_1k] [--jobs 2] [--cpu] [--dask] [--memory]

Writes a Parquet file and a VPC flow log of flows drawn near the rules, and reports rows a second and ratios within one run. Each
answer is checked: against the sum of the parts, against the definition on a sample, and between the ways. Never fails by a time.
Needs pyarrow; DuckDB and pandas are measured where they are.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import ipaddress
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from capture import policy_of

from fwengine.flows.arrow import Scan, pieces
from fwengine.flows.counting import Counter
from fwengine.flows.evaluate import evaluate_log
from fwengine.flows.flow import Batch, Flow, batches
from fwengine.flows.meaning import Asked, fares
from fwengine.flows.options import Reading
from fwengine.flows.reading import Left, scanned
from fwengine.flows.running import Running
from fwengine.flows.sums import FlowSums
from fwengine.model import address
from fwengine.model.fields import DPORT, DST, PROTOCOL, SPORT, SRC
from fwengine.policy import Policy

GROUP = 1 << 18  # rows of a row group
POOL = 1 << 16  # flows that are different
ROUNDS = 5
READING = Reading(opener="src")
CLOCKS = [time.perf_counter]
FIRST = Asked(stateful=True)  # one question a flow, as whoever writes SQL asks
NAMES = ("protocol", "src", "dst", "sport", "dport")


def pool_of(policy: Policy, count: int) -> list[Flow]:
    """Flows near the rules' corners; none is ICMP, and none goes to a group."""
    luck = random.Random(1)
    boxes = [box for rule in policy.rules for box in rule.boxes]

    def value(box: Any, field: int, top: int) -> int:
        lo, hi = box.sets[field].ranges[0]
        return luck.randint(min(lo, top), min(hi, top))

    out: list[Flow] = []
    while len(out) < count:
        box = luck.choice(boxes)
        protocol = luck.choice((6, 17)) if box.sets[PROTOCOL].size > 1 else box.sets[PROTOCOL].lo
        if protocol == 1:
            continue
        src, dst = (value(box, field, 0xDFFFFFFF) for field in (SRC, DST))
        sport, dport = (value(box, field, 65535) for field in (SPORT, DPORT))
        out.append(
            Flow(
                protocol, src, dst, sport, dport or 1, bytes=luck.randrange(40, 100_000), packets=luck.randrange(1, 99)
            )
        )
    return out


def write(folder: Path, pool: list[Flow], rows: int) -> None:
    """The same flows as Parquet and as text."""
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    table = pa.table(
        {
            "protocol": pa.array([f.protocol for f in pool], "uint8"), "src": pa.array([f.src for f in pool], "uint32"),
            "dst": pa.array([f.dst for f in pool], "uint32"), "sport": pa.array([f.sport or 0 for f in pool], "uint16"),
            "dport": pa.array([f.dport or 0 for f in pool], "uint16"), "bytes": pa.array([f.bytes for f in pool], "int64"),
            "packets": pa.array([f.packets for f in pool], "int64"),
        }
    )  # fmt: skip
    lines = [
        f"2 123456789012 eni-0a1b2c3d4e5f60718 {address.show(f.src)} {address.show(f.dst)} {f.sport} {f.dport} {f.protocol} "
        f"{f.packets} {f.bytes} 1793491200 1793491260 ACCEPT OK\n"
        for f in pool
    ]
    luck = random.Random(2)
    done = 0
    with (
        pq.ParquetWriter(folder / "flows.parquet", table.schema, compression="zstd") as writer,
        gzip.open(folder / "flows.log.gz", "wt", compresslevel=3) as text,
    ):
        while done < rows:
            order = [luck.randrange(len(pool)) for _ in range(min(GROUP, rows - done))]
            writer.write_table(table.take(order), row_group_size=GROUP)
            text.write("".join([lines[n] for n in order]))
            done += len(order)


def timed(what: str, rows: int, work: Callable[[], Any], rounds: int = 3) -> tuple[float, Any]:
    """Rows a second, the best of some rounds, and what the work gives."""
    best = 0.0
    for _ in range(rounds):
        begin = CLOCKS[0]()
        found = work()
        best = max(best, rows / (CLOCKS[0]() - begin))
    print(f"{what:52} {best / 1e6:9.3f} M rows/s", flush=True)
    return best, found


def once(rows: int, work: Callable[[], Any]) -> tuple[float, Any]:
    begin = CLOCKS[0]()
    found = work()
    return rows / (CLOCKS[0]() - begin), found


def definition(policy: Policy, asked: Asked, pool: list[Flow], counter: Counter | None = None) -> None:
    """The sample's fates are those of the definition; a counter has its tables then."""
    counter = counter or Counter(policy, asked)
    sample = pool[:300]
    (batch,) = batches(sample)
    assert list(counter.each(batch)) == [fares(policy, flow, asked) for flow in sample]


def lookups(counter: Counter, held: list[Batch], asked: Asked) -> None:
    """Each packet of the definition as a lookup of its own: first packet, answer, what follows."""
    for batch in held:
        ends = (batch.src, batch.sport), (batch.dst, batch.dport)
        for (src, sport), (dst, dport) in (ends,) if asked.stateful else (ends, ends[::-1], ends):
            counter.classifier.classify(
                protocol=batch.protocol, src=src, dst=dst, sport=sport, dport=dport, jobs=counter.jobs
            )


def parquet(policy: Policy, asked: Asked, folder: Path, rows: int, jobs: int) -> tuple[float, FlowSums]:
    """Parts and whole in turns, and the medians of their ratios."""
    path = str(folder / "flows.parquet")
    (whole,) = pieces(path, 1 << 30)
    counter = Counter(policy, asked, jobs)
    held, keep = [], []
    scan = Scan(whole, "parquet", READING)
    for _, batch in scan:
        keep.append(batch)
        held += scan.rows.plain(batch).batches
        if sum(each.rows for each in held) >= 1 << 20:
            break
    count = sum(each.rows for each in held)
    dataset = import_module("pyarrow.dataset").dataset(path, format="parquet")
    evaluate_log(counter, path, READING)  # builds tables
    speeds: dict[str, list[float]] = {name: [] for name in ("scanner", "scan", "questions", "lookups", "pass", "both")}
    sums = FlowSums()
    for _ in range(ROUNDS):
        for name, work, n in (
            ("scanner", lambda: sum(b.num_rows for b in dataset.to_batches(columns=scan.rows.columns, use_threads=jobs > 1)), rows),
            ("scan", lambda: sum(batch.num_rows for _, batch in Scan(whole, "parquet", READING, threads=jobs > 1)), rows),
            ("questions", lambda: [counter.indices(batch) for batch in held], count),
            ("lookups", lambda: lookups(counter, held, asked), count),
            ("pass", lambda: list(map(Running(counter).add, held)), count),
        ):  # fmt: skip
            speeds[name].append(once(n, work)[0])
        speed, log = once(rows, lambda: evaluate_log(counter, path, READING))
        speeds["both"].append(speed)
        sums = log.sums
    for name, what in (
        ("scanner", f"Parquet, pyarrow's scanner alone ({jobs} threads)"), ("scan", "  the reader that we use, alone"),
        ("questions", "classifier alone, a lookup for each question"), ("lookups", "  a lookup for each packet of the definition"),
        ("pass", "our pass alone: answers and sums (one thread)"), ("both", f"Parquet, both ({jobs} threads)"),
    ):  # fmt: skip
        print(f"{what:52} {median(speeds[name]) / 1e6:9.3f} M rows/s", flush=True)
    for first, second in (("scanner", "lookups"), ("scanner", "questions"), ("scan", "questions")):
        ratios = [b / min(x, y) for b, x, y in zip(speeds["both"], speeds[first], speeds[second], strict=True)]
        print(
            f"{'':4}of min({first}, {second}): {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}; goal 0.7)"
        )
    parts = FlowSums()
    for piece in pieces(path, 1):
        for each in scanned(piece, "parquet", READING, Left(path), threads=False):
            parts += counter.count(each)
    assert parts == sums
    return median(speeds["both"]), sums


def text(policy: Policy, asked: Asked, folder: Path, rows: int, jobs: int, want: FlowSums) -> None:
    path = folder / "flows.log.gz"
    counter = Counter(policy, asked, jobs)
    definition(policy, asked, pool_of(policy, 300), counter)

    def ours() -> FlowSums:
        return evaluate_log(counter, str(path), READING).sums

    native, sums = timed("text, gzip", rows, ours, ROUNDS)
    assert sums.total()[:3] == want.total()[:3]
    assert {row.fared: tally.flows for row, tally in sums.rows.items()} == {
        row.fared: t.flows for row, t in want.rows.items()
    }
    limit = min(rows, 200_000)
    index = policy.tree.index

    def loop() -> list[int]:
        """A row's fields, its addresses as numbers, the rule looked up: by a dictionary what was asked before."""
        counts = [0] * (len(policy.rules) + 1)
        known: dict[tuple[str, ...], int] = {}
        with gzip.open(path, "rt", newline="") as stream:
            for number, row in enumerate(csv.reader(stream, delimiter=" ")):
                if number == limit:
                    break
                key = (row[3], row[4], row[5], row[6], row[7])
                rule = known.get(key)
                if rule is None:
                    src, dst = (int.from_bytes(bytes(map(int, side.split("."))), "big") for side in key[:2])
                    point = (int(key[4]), src, dst, int(key[2]), int(key[3]), 256, 256, 2, 0, 0, 0, 0, 0, 64, 84)
                    rule = known[key] = index(point)
                counts[rule] += 1
        return counts

    plain, _ = timed("  a Python loop over csv, rules in the tree", limit, loop, ROUNDS)
    print(f"{'':4}text beside that: {native / plain:.1f} times (goal 10)")


def others(policy: Policy, folder: Path, rows: int, ours: float, want: FlowSums) -> None:
    """The rules in SQL, and as masks."""
    conditions = []
    for rule in policy.rules:
        (box,) = rule.boxes
        parts = []
        for name, field in zip(NAMES, (PROTOCOL, SRC, DST, SPORT, DPORT), strict=True):
            lo, hi = box.sets[field].ranges[0]
            if box.sets[field].ranges[-1][1] <= 0xFFFFFFFF and (lo, hi) not in ((0, 255), (0, 65535), (0, 0xFFFFFFFF)):
                parts.append(f"{name} between {lo} and {hi}")
        conditions.append(" and ".join(parts) or "true")
    flows = dict.fromkeys(range(len(policy.rules) + 1), 0)
    for row, tally in want.rows.items():
        flows[row.fared.first] += tally.flows
    if find_spec("duckdb"):
        duckdb = import_module("duckdb")
        cases = " ".join(f"when {condition} then {n}" for n, condition in enumerate(conditions))
        limit = min(rows, 500_000)
        query = f"select r, count(*) from (select case {cases} else {len(conditions)} end r from (select * from '{folder}/flows.parquet' limit {limit})) group by r"  # fmt: skip  # noqa: E501
        con = duckdb.connect(config={"threads": 2})
        speed, found = timed("DuckDB, the rules as CASE (2 threads)", limit, lambda: con.execute(query).fetchall(), 1)
        print(f"{'':4}Parquet beside that: {ours / speed:.0f} times (goal 20)")
        if limit == rows:
            assert dict(found) == {n: count for n, count in flows.items() if count}
    if find_spec("pandas"):
        pandas = import_module("pandas")
        limit = min(rows, 50_000)
        head = next(
            import_module("pyarrow.parquet").ParquetFile(folder / "flows.parquet").iter_batches(batch_size=limit)
        )
        texts = [
            (address.show(a), address.show(b))
            for a, b in zip(head["src"].to_pylist(), head["dst"].to_pylist(), strict=True)
        ]
        frame = pandas.DataFrame({name: head[name].to_numpy() for name in ("protocol", "sport", "dport")})

        def masks() -> Any:
            frame["src"] = [int(ipaddress.ip_address(a)) for a, _ in texts]
            frame["dst"] = [int(ipaddress.ip_address(b)) for _, b in texts]
            rule = pandas.Series(len(conditions), index=frame.index)
            for n in range(len(conditions) - 1, -1, -1):
                words = conditions[n].replace("true", "protocol >= 0")
                rule[frame.eval(" and ".join(_comparisons(words)))] = n
            return rule.value_counts()

        speed, _ = timed("pandas with ipaddress, the rules as masks", limit, masks, 1)
        print(f"{'':4}Parquet beside that: {ours / speed:.0f} times (goal 20)")


def _comparisons(words: str) -> list[str]:
    out = []
    pieces_ = words.split(" and ")
    while pieces_:
        one = pieces_.pop(0)
        if " between " in one:
            name, lo = one.split(" between ")
            out += [f"({name} >= {lo})", f"({name} <= {pieces_.pop(0)})"]
        else:
            out.append(f"({one})")
    return out


def cluster(policy: Policy, folder: Path, rows: int) -> None:
    """Two workers of Dask beside one process with one thread, by the clock and by what their processors did; and a task's overhead."""
    if not find_spec("distributed"):
        print("Dask is not here")
        return
    distributed, flows_dask = import_module("distributed"), import_module("fwengine.flows.dask")
    path = folder / "flows.parquet"
    groups = max(1, round(5_000_000 / GROUP))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as made, distributed.Client(made) as client:  # fmt: skip

        def used() -> float:
            return float(sum(client.run(time.process_time).values()))

        walls, costs = [], []
        for turn in range(ROUNDS + 1):  # the first makes tables
            counter = Counter(policy)
            evaluate_log(counter, str(path), READING) if not turn else None
            begin, cpu = time.perf_counter(), time.process_time()
            alone = evaluate_log(counter, str(path), READING).sums if turn else None
            alone_wall, alone_cpu = time.perf_counter() - begin, time.process_time() - cpu
            begin, cpu = time.perf_counter(), used()
            shared = flows_dask.evaluate_flows(policy, [str(path)], reading=READING, groups=groups).sums
            if turn:
                walls.append(alone_wall / (time.perf_counter() - begin))
                costs.append((used() - cpu) / alone_cpu - 1)
                assert shared == alone
    tasks = -(-rows // (groups * GROUP))
    print(
        f"Dask, 2 workers beside one process: {median(walls):.2f} times by the clock ({min(walls):.2f} to {max(walls):.2f}; goal 1.8)"
    )
    print(
        f"{'':4}{tasks} tasks of {groups * GROUP:,} rows: {100 * median(costs):+.1f} % of processor time beside one process (goal 5)"
    )


def memory(policy: str, folder: Path) -> None:
    """The peak of a process of its own, for each log."""
    for name in ("flows.parquet", "flows.log.gz"):
        if not (folder / name).exists():
            continue
        script = (
            "import sys; sys.path.insert(0, 'bench'); from capture import policy_of; import fwengine\n"
            "from fwengine.flows.options import Reading\n"
            f"fwengine.evaluate_flows(policy_of({policy!r}), {str(folder / name)!r}, reading=Reading(opener='src'), jobs=2)\n"
            # not getrusage, which knows the process before it became this one
            "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        print(f"peak memory of a process that reads {name}: {int(done.stdout) >> 10} MiB (goal 512)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--set", default="acl1_1k")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--cpu", action="store_true", help="seconds of the processor, of one thread: for a machine that others use"
    )
    parser.add_argument("--dask", action="store_true", help="two workers beside one process, and nothing else")
    parser.add_argument("--memory", action="store_true", help="peak memory, and nothing else")
    given = parser.parse_args()
    if given.cpu:
        given.jobs, CLOCKS[0] = 1, time.process_time
    policy = policy_of(given.set)
    pool = pool_of(policy, POOL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, pool, given.rows)
        if given.dask:
            cluster(policy, folder, given.rows)
            return
        if given.memory:
            memory(given.set, folder)
            return
        for asked, what in ((FIRST, "the first packet alone"), (Asked(), "first packet, answer, what follows")):
            print(f"\n{given.set}: {len(policy.rules):,} rules, {given.rows:,} rows, asked for {what}")
            definition(policy, asked, pool)
            ours, sums = parquet(policy, asked, folder, given.rows, given.jobs)
            text(policy, asked, folder, given.rows, given.jobs, sums)
            if asked is FIRST:
                others(policy, folder, given.rows, ours, sums)
        print()
        memory(given.set, folder)


if __name__ == "__main__":
    main()
