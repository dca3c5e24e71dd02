"""Other firewalls' rule sets of some size beside native policies of that size: reading, compiling, asking.

    python bench/imports.py [--lines 5000] [--chains 10000]

Prints for dumps of iptables and nft the time to read, unfold both bounds and compile, and for `check`, `diff` and `eval -r` how long
they take, beside the same rules in the language. Last, chains that call each other by the thousand: imported within the memory
that is printed, or refused with the limit.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fwengine
from fwengine.errors import LimitError, PolicyError
from fwengine.packets.encode import write_pcap
from fwengine.sources.foreign import Reading

PACKETS = 20_000


def drawn(draw: random.Random, lines: int) -> list[tuple[str, str, str, int, bool]]:
    """Rules as people have them: (protocol, source, destination, port, allowed)."""
    out = []
    for _ in range(lines):
        src = (
            f"10.{draw.randrange(64)}.{draw.randrange(256)}.0/24"
            if draw.random() < 0.7
            else f"10.{draw.randrange(64)}.0.0/16"
        )
        dst = f"192.0.{draw.randrange(32)}.{draw.randrange(256)}"
        out.append(
            (
                draw.choice(["tcp", "tcp", "udp"]),
                src,
                dst,
                draw.choice([22, 53, 80, 443, 8080, draw.randrange(65536)]),
                draw.random() < 0.8,
            )
        )
    return out


def iptables(rules: list[tuple[str, str, str, int, bool]]) -> str:
    """A dump with a chain for each hundred rules, a state rule first, and a rate."""
    rows = ["*filter", ":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]"]
    rows += [f":part{n} - [0:0]" for n in range(-(-len(rules) // 100))]
    rows += ["-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]
    rows += ["-A FORWARD -p icmp -m limit --limit 5/sec -j ACCEPT"]
    rows += [f"-A FORWARD -j part{n}" for n in range(-(-len(rules) // 100))]
    for n, (protocol, src, dst, port, allowed) in enumerate(rules):
        target = "ACCEPT" if allowed else "DROP"
        rows.append(f"-A part{n // 100} -s {src} -d {dst}/32 -p {protocol} -m {protocol} --dport {port} -j {target}")
    return "\n".join([*rows, "COMMIT", ""])


def nftables(rules: list[tuple[str, str, str, int, bool]]) -> str:
    """The same as a table of nft."""
    rows = ["table inet filter {"]
    for n in range(-(-len(rules) // 100)):
        rows.append(f"  chain part{n} {{")
        rows += [
            f"    ip saddr {src} ip daddr {dst} {protocol} dport {port} {'accept' if allowed else 'drop'}"
            for protocol, src, dst, port, allowed in rules[100 * n : 100 * n + 100]
        ]
        rows.append("  }")
    rows += ["  chain forward {", "    type filter hook forward priority filter; policy drop;"]
    rows += ["    ct state established,related accept", "    meta l4proto icmp limit rate 5/second accept"]
    rows += [f"    jump part{n}" for n in range(-(-len(rules) // 100))]
    return "\n".join([*rows, "  }", "}", ""])


def native(rules: list[tuple[str, str, str, int, bool]]) -> str:
    """The same in the language, without the rate."""
    rows = ["default deny", "allow any state { established, related }"]
    for protocol, src, dst, port, allowed in rules:
        rows.append(f"{'allow' if allowed else 'deny'} {protocol} from {src} to {dst} port {port}")
    return "\n".join([*rows, ""])


def capture(draw: random.Random, rules: list[tuple[str, str, str, int, bool]], file: Path) -> None:
    """Packets, most of which some rule is about."""
    out = []
    for _ in range(PACKETS):
        protocol, src, dst, port, _ = draw.choice(rules)
        source = src.partition("/")[0].rsplit(".", 1)[0] + f".{draw.randrange(256)}"
        flags = 2 if protocol == "tcp" else None
        out.append(fwengine.Packet.of(protocol, source, dst, sport=40000, dport=port, flags=flags))
    write_pcap(file, out)


def timed(what: Callable[[], object]) -> float:
    begun = time.process_time()
    what()
    return time.process_time() - begun


def measured(text: str, other: str, file: str, traffic: Path) -> dict[str, float]:
    """Seconds by question."""
    reading = Reading(policy="FORWARD") if file.endswith("rules") else None
    found: list[fwengine.Policy] = []

    def load() -> None:
        found.append(fwengine.loads(text, file=file, reading=reading))
        _ = found[0].tree

    out = {"load and compile": timed(load)}
    changed = fwengine.loads(other, file=file, reading=reading)
    out["check"] = timed(lambda: fwengine.check(found[0]))
    out["diff"] = timed(lambda: fwengine.diff(found[0], changed))
    out["eval -r"] = timed(lambda: found[0].evaluate_capture(traffic))
    return out


def calling(chains: int, each: int) -> str:
    """Chains that each call the next ones, all of them reached in a number of ways that doubles with each."""
    rows = ["*filter", ":FORWARD DROP [0:0]", *(f":c{n} - [0:0]" for n in range(chains))]
    rows.append("-A FORWARD -j c0")
    for n in range(chains):
        for k in range(1, each + 1):
            if n + k < chains:
                rows.append(f"-A c{n} -p tcp -m tcp --dport {(n * each + k) % 65536} -j c{n + k}")
                rows.append(f"-A c{n} -p udp -m udp --dport {n % 65536} -j ACCEPT")
    return "\n".join([*rows, "COMMIT", ""])


def wide(chains: int) -> str:
    """A chain that calls all others, each of which calls a shared one, as container platforms write them."""
    rows = ["*filter", ":FORWARD DROP [0:0]", ":shared - [0:0]", *(f":c{n} - [0:0]" for n in range(chains))]
    for n in range(chains):
        rows.append(f"-A FORWARD -d 10.{n >> 8 & 255}.{n & 255}.{n % 7} -j c{n}")
        rows += [f"-A c{n} -p tcp -m tcp --dport {n % 60000} -j ACCEPT", f"-A c{n} -j shared"]
    rows += ["-A shared -p icmp -j ACCEPT", "-A shared -m limit --limit 3/sec -j ACCEPT"]
    return "\n".join([*rows, "COMMIT", ""])


def main() -> None:
    """Prints the table and the limits."""
    parser = argparse.ArgumentParser(description="imports beside native policies")
    parser.add_argument("--lines", type=int, default=5000)
    parser.add_argument("--chains", type=int, default=10_000)
    given = parser.parse_args()
    draw = random.Random(1)
    rules = drawn(draw, given.lines)
    others = [*rules[:-3], *rules[-2:]]
    with tempfile.TemporaryDirectory() as folder:
        traffic = Path(folder, "traffic.pcap")
        capture(draw, rules, traffic)
        rows = {
            name: measured(write(rules), write(others), file, traffic)
            for name, write, file in (
                ("native", native, "x.fwl"),
                ("iptables", iptables, "x.rules"),
                ("nft", nftables, "x.nft"),
            )
        }
    print(f"{given.lines:,} rules, {PACKETS:,} packets; seconds of one processor, and times the native policy")
    for question, seconds in rows["native"].items():
        beside = "  ".join(
            f"{name} {row[question]:6.2f} ({row[question] / seconds:4.1f}x)"
            for name, row in rows.items()
            if name != "native"
        )
        print(f"  {question:17} native {seconds:6.2f}  {beside}")
    for name, text in (("each called by one", wide(given.chains)), ("calling two each", calling(given.chains, 2))):
        said = "imported"
        begun = time.process_time()
        try:
            _ = fwengine.loads(text, file="chains", reading=Reading(policy="FORWARD")).tree
        except (LimitError, PolicyError) as error:
            said = f"refused: {str(error)[:120]}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"  {given.chains:,} chains, {name}: {time.process_time() - begun:.1f} s, {peak:,} MiB at most; {said}")


if __name__ == "__main__":
    main()
