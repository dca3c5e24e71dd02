"""fwengine beside the programs people use today: one command, one table of ratios.

usage: python bench/peers.py [--set NAME] [--packets N] [--rounds N]

Nanoseconds per packet, each round of ours beside one of the peer's, median of the ratios. A peer that is not installed, or may
not run here, is named with the reason. What each does is not the same, and the table says what: a filter answers yes or no,
fwengine names the rule and counts. For `rte_acl` see `bench/native.py`.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from classbench import SETS, Trace, folder, load_policy, load_trace, write_capture
from native import METHODS, build_peer, unpacked
from native import Peer as AclPeer

from fwengine import native
from fwengine.policy import Policy
from fwengine.traffic.count import evaluate_capture

CLAUSES = (1, 100)
_NETNS = r"""
import json, socket, subprocess, sys, time
tool, rules, packets = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
if tool == "nft" and rules:
    text = "table ip t { chain c { type filter hook output priority 0; policy accept;\n"
    text += "".join(
        f"ip saddr 10.{i >> 8 & 255}.{i & 255}.0/24 ip daddr 10.9.0.0/16 udp dport {1000 + i % 5000} counter accept\n"
        for i in range(rules)) + "}\n}\n"
    subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)
elif rules:
    text = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n" + "".join(
        f"-A OUTPUT -s 10.{i >> 8 & 255}.{i & 255}.0/24 -d 10.9.0.0/16 -p udp --dport {1000 + i % 5000} -j ACCEPT\n"
        for i in range(rules)) + "COMMIT\n"
    subprocess.run([tool + "-restore"], input=text, text=True, check=True)
out, into = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
into.bind(("127.0.0.1", 9))
begin = time.perf_counter()
for _ in range(packets):
    out.sendto(b"", ("127.0.0.1", 9))
print(json.dumps((time.perf_counter() - begin) * 1e9 / packets))
"""


@dataclass(frozen=True)
class Peer:
    """A way to ask: `run` does one round and gives nanoseconds per packet; `ours` is its counterpart."""

    name: str
    does: str
    run: Callable[[], float]
    ours: Callable[[], float]


class Missing(Exception):  # noqa: N818  # no error: a finding
    """A peer that cannot run here; the argument says why."""


def timed(run: Callable[[], object], packets: int) -> float:
    begin = time.perf_counter()
    run()
    return (time.perf_counter() - begin) * 1e9 / packets


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing("not installed")
    return found


def module(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        raise Missing("not installed")


class Bench:
    """The set, its capture, and our own side of each comparison."""

    def __init__(self, name: str, packets: int, work: Path) -> None:
        self.policy: Policy = load_policy(name)
        self.trace = load_trace(name, len(self.policy.rules), packets)
        self.capture = work / "trace.pcap"
        self.small = work / "small.pcap"
        write_capture(self.trace, self.capture)
        self.few = min(2000, packets)
        write_capture(load_trace(name, len(self.policy.rules), self.few), self.small)
        self.rules_file = work / "rules"
        with gzip.open(folder() / f"{name}.rules.gz") as packed:
            self.rules_file.write_bytes(packed.read())
        self.packets = packets
        self.classifier = native.Classifier(self.policy)
        self._ = self.policy.tree  # built outside the measured rounds
        self.native = self.classifier.engine != "tree"

    def count(self) -> float:
        """A capture file to counts per rule, natively if that is possible."""
        if not self.native:
            return self.count_in_python()

        def run() -> None:
            with self.capture.open("rb", buffering=0) as file:
                native.count_capture(self.classifier, file)

        return timed(run, self.packets)

    def count_in_python(self) -> float:
        """The same, always in plain Python, over fewer packets."""
        return timed(lambda: evaluate_capture(self.policy, self.small, engine="tree"), self.few)

    def classify(self) -> float:
        out = array("I", bytes(4 * self.packets))
        return timed(lambda: self.classifier.classify(out=out, **self.trace.columns), self.packets)

    def one_by_one(self) -> float:
        """Single packets through the tree, as `eval` does."""
        points = self.points(self.few)
        index = self.policy.tree.index
        return timed(lambda: [index(point) for point in points], self.few)

    def points(self, count: int) -> list[tuple[int, ...]]:
        from fwengine.packets.capture import open_capture
        from fwengine.packets.wire import decode

        with open_capture(self.small) as capture:
            found = [decode(data, link, wire) for data, wire, link, _, _, _ in capture]
        return [point for point in found if not isinstance(point, str)][:count]


def tcpdump(bench: Bench, clauses: int) -> Callable[[], float]:
    tool = program("tcpdump")
    lines = bench.rules_file.read_text().splitlines()
    text = " or ".join(
        f"(src net {src} and dst net {dst})" for src, dst, *_ in (line.split() for line in lines[:clauses])
    )
    text = "dst port 80" if clauses == 1 else text
    command = [tool, "-r", str(bench.capture), "-w", "/dev/null", text]
    return lambda: timed(lambda: subprocess.run(command, check=True, capture_output=True), bench.packets)


def in_namespace(tool: str, rules: int) -> Callable[[], float]:
    """What a packet costs with the rules, less what it costs without."""
    program("unshare")
    program("ip")
    program(tool if tool == "nft" else tool + "-restore")

    def once(count: int) -> float:
        done = subprocess.run(
            ["unshare", "-n", sys.executable, "-c", _NETNS, tool, str(count), "20000"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Missing((done.stderr.strip().splitlines() or ["failed"])[-1])
        return float(json.loads(done.stdout))

    once(1)
    return lambda: once(rules) - once(0)


def scapy(bench: Bench) -> Callable[[], float]:
    module("scapy")
    code = "import sys\nfrom scapy.all import rdpcap\nimport time\nt = time.perf_counter()\n"
    code += "[bytes(p['IP'].src, 'ascii') for p in rdpcap(sys.argv[1])]\nprint(time.perf_counter() - t)"

    def run() -> float:
        done = subprocess.run(
            [sys.executable, "-c", code, str(bench.small)], capture_output=True, text=True, check=True
        )
        return float(done.stdout) * 1e9 / bench.few

    return run


def dpkt(bench: Bench) -> Callable[[], float]:
    module("dpkt")
    code = "import sys, time, dpkt\nt = time.perf_counter()\nwith open(sys.argv[1], 'rb') as f:\n"
    code += "    [dpkt.ethernet.Ethernet(d).data.src for _, d in dpkt.pcap.Reader(f)]\nprint(time.perf_counter() - t)"

    def run() -> float:
        done = subprocess.run(
            [sys.executable, "-c", code, str(bench.small)], capture_output=True, text=True, check=True
        )
        return float(done.stdout) * 1e9 / bench.few

    return run


def aerleon(bench: Bench) -> Callable[[], float]:
    """Aerleon's aclcheck: one packet against a policy of its own, of as many terms as the set's first thousand rules."""
    module("aerleon")
    from aerleon.lib import aclcheck, naming, policy  # type: ignore[import-not-found, unused-ignore]  # not a dependency

    definitions = naming.Naming()
    text = ["header { target:: juniper bench }"]
    for i, line in enumerate(bench.rules_file.read_text().splitlines()[:1000]):
        src, dst, _, dport, protocol = line.split()
        definitions._ParseLine(f"S{i} = {src}", "networks")
        definitions._ParseLine(f"D{i} = {dst}", "networks")
        body = f"source-address:: S{i} destination-address:: D{i} action:: accept"
        if protocol in ("6", "17"):
            lo, hi = dport.split("-")
            definitions._ParseLine(
                f"P{i} = {dport if lo != hi else lo}/{'tcp' if protocol == '6' else 'udp'}", "services"
            )
            body += f" protocol:: {'tcp' if protocol == '6' else 'udp'} destination-port:: P{i}"
        text.append(f"term t{i} {{ {body} }}")
    parsed = policy.ParsePolicy("\n".join(text), definitions, shade_check=False)
    return lambda: timed(
        lambda: aclcheck.AclCheck(parsed, src="10.1.2.3", dst="10.2.3.4", sport="1025", dport="80", proto="tcp"), 1
    )


Row = Peer | tuple[str, str]  # or a name and why it is missing


def rte_acl(names: list[str], packets: int, core: int, work: Path) -> Iterator[Row]:
    """All its methods on each of the sets."""
    program = build_peer(work)
    if isinstance(program, str):
        yield "rte_acl", program
        return
    for name in names:
        policy = load_policy(name)
        trace = load_trace(name, len(policy.rules), packets)
        classifier, out = native.Classifier(policy), array("I", bytes(4 * packets))

        def ours(classifier: native.Classifier = classifier, trace: Trace = trace, out: array[int] = out) -> float:
            return timed(lambda: classifier.classify(out=out, **trace.columns), len(trace))

        ours()
        if out != trace.truth:
            yield "rte_acl", f"{name}: our own results differ from the trace's"
            continue
        theirs = AclPeer(program, core, *unpacked(name, work), packets)
        if theirs.failed:
            yield "rte_acl", f"{name}: it builds no table of this set"
            continue
        for method in METHODS:
            found = theirs.round(method)
            if found is None:
                yield f"rte_acl {method}", f"{name}: not on this processor"
            elif found[1]:
                yield f"rte_acl {method}", f"{name}: {found[1]:,} wrong results"
            else:
                yield Peer(
                    f"rte_acl {method}",
                    f"{name}: columns to rules",
                    partial(nanoseconds_of, theirs, method),
                    ours,
                )
        theirs.close()


def nanoseconds_of(peer: AclPeer, method: str) -> float:
    found = peer.round(method)
    assert found is not None  # it answered before
    return found[0]


def peers(bench: Bench) -> list[Row]:
    """Those that can run, and of the others name and reason."""
    rules = len(bench.policy.rules)
    wanted: list[tuple[str, str, Callable[[], Callable[[], float]], Callable[[], float]]] = [
        ("fwengine, no native module", "capture to counts per rule", lambda: bench.count_in_python, bench.count),
        *[
            (
                f"tcpdump, {n} clause" + "s" * (n > 1),
                "capture through a yes-no filter",
                lambda n=n: tcpdump(bench, n),
                bench.count,
            )
            for n in CLAUSES
        ],
        ("scapy", "capture to addresses", lambda: scapy(bench), bench.count),
        ("dpkt", "capture to addresses", lambda: dpkt(bench), bench.count),
        ("nft", f"{rules:,} rules in the kernel, no match", lambda: in_namespace("nft", rules), bench.classify),
        *[
            (
                tool,
                f"{rules:,} rules in the kernel, no match",
                lambda tool=tool: in_namespace(tool, rules),
                bench.classify,
            )
            for tool in ("iptables-legacy", "iptables-nft")
        ],
        ("aerleon aclcheck", "one packet, 1,000 terms", lambda: aerleon(bench), bench.one_by_one),
    ]
    out: list[Row] = []
    for name, does, make, ours in wanted:
        try:
            out.append(Peer(name, does, make(), ours))
        except Missing as why:
            out.append((name, str(why)))
    return out


def compare(row: Row, rounds: int) -> str:
    """A line of the table."""
    if not isinstance(row, Peer):
        return f"{row[0]:22} {row[1]}"
    found = []
    try:
        for _ in range(rounds):
            mine = row.ours()
            theirs = row.run()
            found.append((theirs / mine, theirs, mine))
    except (Missing, subprocess.CalledProcessError) as why:
        return f"{row.name:22} {why}"
    ratios = [ratio for ratio, _, _ in found]
    return (
        f"{row.name:22} {row.does:42} {median(r[1] for r in found):12,.1f} {median(r[2] for r in found):9,.1f}"
        f" {median(ratios):10,.2f}  ({min(ratios):,.2f}-{max(ratios):,.2f})"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="acl1_1k")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=1)
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {args.core})
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        bench = Bench(args.set, args.packets, work)
        print(
            f"{args.set}: {len(bench.policy.rules):,} rules, {args.packets:,} packets; engine {bench.classifier.engine}"
        )
        print(f"{'peer':22} {'does':42} {'peer ns':>12} {'ours ns':>9} {'ratio':>10}  (least-most)")
        for row in peers(bench):
            print(compare(row, args.rounds), flush=True)
        for row in rte_acl(args.sets.split(","), args.packets, args.core, work):
            print(compare(row, args.rounds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
