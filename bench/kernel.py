"""The native classifier beside DPDK's rte_acl: the same packets, alternating rounds, one core; results against the truth.

usage: python bench/kernel.py [--sets NAME,...] [--packets N] [--rounds N] [--core N] [--no-peer] [--json]

Builds `bench/rte_acl.c` if a C compiler and DPDK's headers are there; says so where they are not. Prints a table: for
each set nanoseconds per packet of our fastest engine and of rte_acl's fastest method (medians), their ratio per round
(median, least, most), memory, and build times. Then, with `--more`: engines, both cores, unmatched and skewed traffic, IPv6,
and captures.
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
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import IO, Any

from classbench import SETS, Trace, folder, load_policy, load_trace, unmatched_trace, write_capture

from fwengine.kernel import Classifier, count_capture, engines, why_not
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
    result["wrong"] = sum(a != b for a, b in zip(out, trace.truth, strict=True))
    peer = None
    if program is not None:
        files = []
        for kind in ("rules", "trace"):
            files.append(work / f"{name}.{kind}")
            with gzip.open(folder() / f"{name}.{kind}.gz") as packed:
                files[-1].write_bytes(packed.read())
        peer = Peer(program, args.core, files[0], files[1], args.packets)
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


def rounds_of(run: Callable[[], object], packets: int, rounds: int) -> float:
    run()
    return median(nanoseconds(run, packets) for _ in range(rounds))


def more(name: str, args: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Engines, other traffic, IPv6, both cores, captures: nanoseconds per packet."""
    policy = load_policy(name)
    given = load_trace(name, len(policy.rules), args.packets)
    out = array("I", bytes(4 * args.packets))
    result: dict[str, Any] = {"set": name}

    def column(classifier: Classifier, trace: Trace, jobs: int = 1) -> float:
        run: Callable[[], object] = lambda: classifier.classify(  # noqa: E731  # the run to measure
            family=trace.family,  # type: ignore[arg-type]  # 4 or 6
            out=out, jobs=jobs, **trace.columns,
        )  # fmt: skip
        return rounds_of(run, len(trace), args.rounds)

    for engine in engines():
        result[engine] = column(Classifier(policy, engine), given)
    ours = Classifier(policy)
    result["random"] = column(ours, unmatched_trace(args.packets))
    result["zipf"] = column(ours, load_trace(name, len(policy.rules), args.packets, order="zipf"))
    six = Classifier(load_policy(name, 6))
    trace6 = load_trace(name, len(policy.rules), args.packets, 6)
    result["ipv6"] = column(six, trace6)
    result["ipv6 wrong"] = sum(a != b for a, b in zip(out, trace6.truth, strict=True))
    everyone = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    result["2 jobs"] = column(ours, given, 2)
    path = work / f"{name}.pcap"
    write_capture(given, path)

    def capture(classifier: Classifier, jobs: int = 1) -> None:
        with path.open("rb", buffering=0) as file:
            count_capture(classifier, file, jobs=jobs)

    result["capture 2 jobs"] = rounds_of(lambda: capture(ours, 2), args.packets, args.rounds)
    os.sched_setaffinity(0, everyone)
    result["capture"] = rounds_of(lambda: capture(ours), args.packets, args.rounds)
    empty = Classifier(Policy(()))
    result["walk"] = rounds_of(lambda: capture(empty), args.packets, args.rounds)
    if shutil.which("tcpdump"):
        command = ["tcpdump", "-r", str(path), "-w", "/dev/null", "dst port 80"]
        result["tcpdump"] = rounds_of(
            lambda: subprocess.run(command, check=True, capture_output=True), args.packets, args.rounds
        )
    path.unlink()
    return result


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
        if args.more:
            for name in args.sets.split(","):
                found = more(name, args, work)
                print(json.dumps(found) if args.json else "  ".join(
                    f"{key} {value:.1f}" if isinstance(value, float) else str(value) if key == "set" else f"{key} {value}"
                    for key, value in found.items()
                ), flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
