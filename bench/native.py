"""The native classifier beside DPDK's rte_acl: the same packets, alternating rounds, one core; results against the truth.

usage: python bench/native.py [--sets NAME,...] [--packets N] [--rounds N] [--core N] [--no-peer] [--json]

Builds `bench/rte_acl.c` if a C compiler and DPDK's headers are there; says so where they are not. Prints a table: for
each set nanoseconds per packet of our fastest engine and of rte_acl's fastest method (medians), their ratio per round
(median, least, most), memory, and build times. Then, with `--more`: engines, both cores, random, unmatched and skewed
traffic, IPv6, and captures.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import IO, Any

from classbench import (
    SETS,
    Trace,
    folder,
    load_policy,
    load_trace,
    no_match_trace,
    random_trace,
    without_catch_alls,
    write_capture,
)

from fwengine.native import Classifier, count_capture, engines, why_not
from fwengine.policy import Policy

METHODS = ("scalar", "sse", "avx2", "avx512x16", "avx512x32")


class Peer:
    """A running rte_acl over one set."""

    def __init__(self, program: Path, core: int, rules: Path, trace: Path, packets: int) -> None:
        self._run = subprocess.Popen(
            [program, str(core), rules, trace, str(packets)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = self._line()
        word, *numbers = line.split() or [""]
        self.failed = word != "ready"
        if not self.failed:
            self.build, self.bytes = float(numbers[1]), int(numbers[2])

    def _line(self) -> str:
        out: IO[str] | None = self._run.stdout
        assert out is not None  # a pipe
        return out.readline()

    def round(self, method: str) -> tuple[float, int] | None:
        """Nanoseconds a packet and how many wrong answers; None where the processor lacks the method."""
        into = self._run.stdin
        assert into is not None  # a pipe
        into.write(method + "\n")
        into.flush()
        _, spent, *wrong = self._line().split()
        return None if spent == "none" else (float(spent), int(wrong[0]))

    def close(self) -> None:
        self._run.communicate()


def build_peer(into: Path) -> Path | str:
    """The program, or why there is none."""
    source = Path(__file__).with_name("rte_acl.c")
    for tool in ("cc", "pkg-config"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libdpdk"], capture_output=True, text=True, check=False)
    if flags.returncode:
        return "libdpdk-dev is not installed"
    program = into / "rte_acl"
    made = subprocess.run(
        ["cc", "-O3", "-march=native", "-o", program, source, *flags.stdout.split()],
        capture_output=True,
        text=True,
        check=False,
    )
    return program if made.returncode == 0 else made.stderr.strip().splitlines()[-1]


def unpacked(name: str, work: Path) -> tuple[Path, Path]:
    """A set's rules and its trace as plain files."""
    rules, trace = work / f"{name}.rules", work / f"{name}.trace"
    for path in (rules, trace):
        with gzip.open(folder() / f"{path.name}.gz") as packed:
            path.write_bytes(packed.read())
    return rules, trace


def nanoseconds(run: Callable[[], object], packets: int) -> float:
    begin = time.perf_counter()
    run()
    return (time.perf_counter() - begin) * 1e9 / packets


def side_by_side(name: str, program: Path | None, args: argparse.Namespace, work: Path) -> dict[str, Any]:
    policy = load_policy(name)
    begin = time.perf_counter()
    ours = Classifier(policy)
    ours.native_tables()
    built = time.perf_counter() - begin
    trace = load_trace(name, len(policy.rules), args.packets)
    out = array("I", bytes(4 * len(trace)))
    result: dict[str, Any] = {
        "set": name,
        "rules": len(policy.rules),
        "engine": ours.engine,
        "build": built,
        "bytes": sum(table.bytes for table in ours.tables),
        "trees": ours.tables[0].trees,
    }

    def classify() -> None:
        ours.classify(out=out, **trace.columns)

    classify()
    assert trace.truth is not None  # the set's own trace
    result["wrong"] = sum(a != b for a, b in zip(out, trace.truth, strict=True))
    peer = None
    if program is not None:
        peer = Peer(program, args.core, *unpacked(name, work), args.packets)
    mine, theirs, ratios = [], [], []
    best = None
    if peer is not None and not peer.failed:
        found = {method: peer.round(method) for method in METHODS}
        tried = {method: answer[0] for method, answer in found.items() if answer is not None and answer[1] == 0}
        best = min(tried, key=lambda method: tried[method])
        result |= {"peer": best, "peer_build": peer.build, "peer_bytes": peer.bytes}
    for _ in range(args.rounds):
        mine.append(nanoseconds(classify, len(trace)))
        if peer is not None and best is not None:
            again = peer.round(best)
            assert again is not None and again[1] == 0  # noqa: PT018  # it was so before
            theirs.append(again[0])
            ratios.append(again[0] / mine[-1])
    result["ours_ns"] = median(mine)
    if theirs:
        result |= {"peer_ns": median(theirs), "ratio": median(ratios), "least": min(ratios), "most": max(ratios)}
    if peer is not None:
        peer.close()
    return result


def show(r: dict[str, Any]) -> str:
    text = f"{r['set']:10} {r['rules']:7,} {r['wrong']:6} {r['ours_ns']:8.1f}"
    if "ratio" in r:
        text += f" {r['peer_ns']:8.1f} {r['peer']:10} {r['ratio']:6.2f} ({r['least']:.2f}-{r['most']:.2f})"
    else:
        text += f" {'-':>8} {'-':10} {'-':>6}              "
    text += f" {r['bytes'] / 1e6:8.2f}" + (f" {r['peer_bytes'] / 1e6:8.2f}" if "peer_bytes" in r else f" {'-':>8}")
    return text + f" {r['build']:7.3f}" + (f" {r['peer_build']:7.3f}" if "peer_build" in r else f" {'-':>7}")


HEAD = (
    f"{'set':10} {'rules':>7} {'wrong':>6} {'ours ns':>8} {'peer ns':>8} {'method':10} {'ratio':>6} {'(least-most)':13}"
    f" {'ours MB':>8} {'peer MB':>8} {'ours s':>7} {'peer s':>7}"
)


# each figure of `more`: what its ratio is taken to, and what that ratio says
RATIOS = {
    "avx2": "uniform", "portable": "uniform", "random": "uniform", "no match": "uniform", "zipf": "uniform",
    "ipv6": "uniform", "2 threads": "uniform", "capture": "uniform + walk", "capture, 2": "capture", "tcpdump": "capture",
}  # fmt: skip


class More:
    """One set: engines, other traffic, IPv6, both cores, captures; all in turns, so that ratios are of one time."""

    def __init__(self, name: str, args: argparse.Namespace, work: Path) -> None:
        self.name, self.packets, self.core = name, args.packets, args.core
        self.path = work / f"{name}.pcap"
        self.wrong = 0
        policy = load_policy(name)
        given = load_trace(name, len(policy.rules), args.packets)
        narrow, six = without_catch_alls(policy), load_policy(name, 6)
        ours, empty = Classifier(policy), Classifier(Policy(()))
        self.runs: dict[str, Callable[[], object]] = {"uniform": self._columns(ours, given)}
        for engine in engines()[1:]:
            self.runs[engine] = self._columns(Classifier(policy, engine), given)
        self.runs["random"] = self._columns(ours, random_trace(args.packets))
        self.runs["no match"] = self._columns(Classifier(narrow), no_match_trace(narrow, args.packets))
        self.runs["zipf"] = self._columns(ours, load_trace(name, len(policy.rules), args.packets, order="zipf"))
        self.runs["ipv6"] = self._columns(Classifier(six), load_trace(name, len(policy.rules), args.packets, 6))
        self.runs["2 threads"] = self._columns(ours, given, 2)
        write_capture(given, self.path)
        self.runs["capture"] = lambda: self._capture(ours, 1)
        self.runs["capture, 2"] = lambda: self._capture(ours, 2)
        self.runs["walk"] = lambda: self._capture(empty, 1)
        if shutil.which("tcpdump"):
            command = ["tcpdump", "-r", str(self.path), "-w", "/dev/null", "dst port 80"]
            self.runs["tcpdump"] = lambda: subprocess.run(command, check=True, capture_output=True)

    def _columns(self, classifier: Classifier, trace: Trace, jobs: int = 1) -> Callable[[], object]:
        out = array("I", bytes(4 * self.packets))

        def run() -> None:
            classifier.classify(family=trace.family, out=out, jobs=jobs, **trace.columns)  # type: ignore[arg-type]  # 4 or 6

        run()
        if trace.truth is not None:
            self.wrong += sum(a != b for a, b in zip(out, trace.truth, strict=True))
        return run

    def _capture(self, classifier: Classifier, jobs: int) -> None:
        with self.path.open("rb", buffering=0) as file:
            count_capture(classifier, file, jobs=jobs)

    def measure(self, rounds: int) -> dict[str, tuple[float, float | None]]:
        """For each figure the nanoseconds per packet, and the median of the ratios of the rounds."""
        everyone, pinned = set(range(os.cpu_count() or 1)), {self.core}
        found: dict[str, list[float]] = {name: [] for name in self.runs}
        for _ in range(rounds):
            for name, run in self.runs.items():
                both = "2" in name.replace("avx2", "")
                if hasattr(os, "sched_setaffinity"):
                    os.sched_setaffinity(0, everyone if both else pinned)
                if both:
                    run()  # wakes the other core, which has slept since the last round
                found[name].append(nanoseconds(run, self.packets))
        self.path.unlink()
        found["uniform + walk"] = [a + b for a, b in zip(found["uniform"], found["walk"], strict=True)]
        return {
            name: (
                median(found[name]),
                median(a / b for a, b in zip(found[name], found[RATIOS[name]], strict=True))
                if name in RATIOS
                else None,
            )
            for name in self.runs
        }


def head_of_more(figures: Iterable[str]) -> str:
    by: dict[str, list[str]] = {}
    for figure, what in RATIOS.items():
        by.setdefault(what, []).append(figure)
    what = "; ".join(f"to {what} ({', '.join(names)})" for what, names in by.items())
    return f"nanoseconds a packet, and ratios {what}\n{'set':10} {'wrong':>6}" + "".join(f"{f:>16}" for f in figures)


def show_more(name: str, found: dict[str, tuple[float, float | None]], wrong: int) -> str:
    cells = [f"{ns:.1f}" + ("" if ratio is None else f" ({ratio:.2f})") for ns, ratio in found.values()]
    return f"{name:10} {wrong:6}" + "".join(f"{cell:>16}" for cell in cells)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--packets", type=int, default=1 << 20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--more", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if not engines():
        print(f"the native classifier is not here: {why_not()}")
        return 2
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {args.core})
    with tempfile.TemporaryDirectory() as folder_name:
        work = Path(folder_name)
        program = "not asked for" if args.no_peer else build_peer(work)
        if isinstance(program, str):
            print(f"rte_acl: {program}", file=sys.stderr)
        if not args.json:
            print(HEAD)
        for name in args.sets.split(","):
            result = side_by_side(name, None if isinstance(program, str) else program, args, work)
            print(json.dumps(result) if args.json else show(result), flush=True)
        for at, name in enumerate(args.sets.split(",") if args.more else ()):
            more = More(name, args, work)
            if not at and not args.json:
                print("\n" + head_of_more(more.runs))
            found = more.measure(args.rounds)
            line = {"set": name, "wrong": more.wrong} | found
            print(json.dumps(line) if args.json else show_more(name, found, more.wrong), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
