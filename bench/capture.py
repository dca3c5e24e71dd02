"""A capture end to end: pcap file in, packets per rule out, and how much memory that takes.

    python bench/capture.py [--packets 1000000] [--rounds 5] [--cold] [--huge GIGABYTES] [SET ...]

Writes for each ClassBench set a pcap of 64-byte frames from its trace, runs `evaluate_capture` over it and compares the
counts with the trace's own first matches. `--huge` makes a capture of that size, of 1,500-byte frames, in a
temporary folder and tells the peak resident size of the process that evaluates it. Reports; never fails by a time.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import cycle, islice
from pathlib import Path

from fwengine.model.box import Box
from fwengine.model.fields import DPORT, DST, PORT_PROTOCOLS, PROTOCOL, SPORT, SRC
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY, Rule
from fwengine.native import available
from fwengine.packets.encode import encode, write_pcap
from fwengine.policy import Policy
from fwengine.traffic import count
from fwengine.traffic.codec import Packet
from fwengine.traffic.count import evaluate_capture

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "classbench"
SETS = ("acl1_1k", "fw1_1k", "ipc1_1k")
FRAME = 64


def policy_of(name: str) -> Policy:
    """A ClassBench rule set as a policy; every third rule denies."""
    rules = []
    with gzip.open(DATA / f"{name}.rules.gz", "rt") as lines:
        for number, line in enumerate(lines):
            src, dst, sport, dport, protocol = line.split()
            conditions = {SRC: _prefix(src), DST: _prefix(dst)}
            for field, text in ((SPORT, sport), (DPORT, dport)):
                if text != "0-65535":
                    lo, hi = map(int, text.split("-"))
                    conditions[field] = IntervalSet(((lo, hi),))
            if protocol != "any":
                conditions[PROTOCOL] = IntervalSet.single(int(protocol))
            rules.append(Rule(DENY if number % 3 == 0 else ALLOW, (Box.of(conditions),)))
    return Policy(tuple(rules), name=name)


def _prefix(text: str) -> IntervalSet:
    address, length = text.split("/")
    size = 1 << (32 - int(length))
    value = int.from_bytes(bytes(map(int, address.split("."))), "big") & -size
    return IntervalSet(((value, value + size - 1),))


def trace_of(name: str, limit: int) -> tuple[list[bytes], list[int]]:
    """Frames of the trace, one a line, and for each the first matching rule or -1."""
    frames, truth = [], []
    with gzip.open(DATA / f"{name}.trace.gz", "rt") as lines:
        for line in islice(lines, limit):
            src, dst, sport, dport, protocol, first = map(int, line.split())
            ports = (sport, dport) if protocol in PORT_PROTOCOLS else (None, None)
            frame = encode(Packet(4, protocol, src, dst, *ports), "ethernet")
            frames.append(frame + bytes(FRAME - len(frame)))
            truth.append(first)
    return frames, truth


def speed(name: str, packets: int, rounds: int, cold: bool, folder: Path) -> None:
    frames, truth = trace_of(name, packets)
    file = folder / f"{name}.pcap"
    write_pcap(file, islice(cycle(frames), packets))
    policy = policy_of(name)
    nodes = policy.tree.statistics()
    if cold:
        vars(count)["_REMEMBERED"] = 0
    expected = Counter(islice(cycle(truth), packets))
    engines: list[count.Engine] = ["tree", "native"] if available() else ["tree"]
    rates: dict[str, list[float]] = {engine: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:  # in turns, so that a drift of the machine meets both
            begin = time.perf_counter()
            report = evaluate_capture(policy, file, engine=engine)
            rates[engine].append(packets / (time.perf_counter() - begin))
            found = {-1 if c.index is None else c.index: c.packets for c in report.rules if c.packets}
            if found != expected:
                print(f"{name}: WRONG counts")
    print(
        f"{name}: {len(policy.rules):,} rules, {nodes.trees} trees, {packets:,} packets, {len(set(frames)):,} different, "
        "packets/s: "
        + ", ".join(f"{e} {statistics.median(r):,.0f} (min {min(r):,.0f}, max {max(r):,.0f})" for e, r in rates.items())
    )
    file.unlink()


def lines(name: str, packets: int, rounds: int, folder: Path) -> None:
    """A line a packet, from the command line to a file, through both engines; the bytes must be the same."""
    frames, _ = trace_of(name, packets)
    file, text = folder / f"{name}.pcap", folder / "web.fwl"
    write_pcap(file, islice(cycle(frames), packets))
    text.write_text("allow tcp to any port { 80, 443 } as web\ndeny udp to any port 53 as dns\n")
    asked = [sys.executable, "-m", "fwengine", "eval", str(text), "-r", str(file), "--per-packet", "--format", "jsonl"]
    seconds: dict[str, list[float]] = {engine: [] for engine in (["tree", "native"] if available() else ["tree"])}
    digests = set()
    for _ in range(rounds):
        for engine in seconds:
            begin = time.perf_counter()
            with (folder / engine).open("wb") as out:
                subprocess.run([*asked, "--engine", engine], check=True, stdout=out)
            seconds[engine].append(time.perf_counter() - begin)
            digests.add(hashlib.sha256((folder / engine).read_bytes()).hexdigest())
    print(f"{name}: {packets:,} lines" + (", NOT THE SAME" if len(digests) > 1 else ""), end=": ")
    print(
        ", ".join(f"{e} {statistics.median(s):.2f} s (min {min(s):.2f}, max {max(s):.2f})" for e, s in seconds.items())
    )


def huge(gigabytes: float, folder: Path) -> None:
    """Peak resident size over a big capture, in a process of its own."""
    frames, _ = trace_of(SETS[0], 10_000)
    file = folder / "huge.pcap"
    write_pcap(
        file, islice(cycle([frame + bytes(1500 - FRAME) for frame in frames]), int(gigabytes * (1 << 30) / 1516))
    )
    begin = time.perf_counter()
    subprocess.run([sys.executable, __file__, "--peak", str(file)], check=True)
    print(f"{file.stat().st_size / 1e9:.2f} GB in {time.perf_counter() - begin:.1f} s")


def peak(file: str) -> None:
    report = evaluate_capture(policy_of(SETS[0]), file, engine="tree")
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{report.packets:,} packets, peak {kilobytes / 1024:.0f} MiB resident")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", default=SETS, metavar="SET")
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="walk the tree for every packet, as if all were different")
    parser.add_argument("--lines", action="store_true", help="eval --per-packet --format jsonl, from end to end")
    parser.add_argument("--huge", type=float, metavar="GIGABYTES")
    parser.add_argument("--peak", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        peak(options.peak)
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.huge:
            huge(options.huge, Path(folder))
            return
        if options.lines:
            lines(options.sets[0], options.packets, options.rounds, Path(folder))
            return
        for name in options.sets:
            speed(name, options.packets, options.rounds, options.cold, Path(folder))


if __name__ == "__main__":
    main()
