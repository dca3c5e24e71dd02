"""The Linux kernel as a judge: rules in a network namespace of their own, frames sent into it, counters read back.

Each rule set stands in a chain of its own, entered by the frame's source MAC address; so one frame is judged by all of them,
and a rule that makes the kernel drop the packet (a header too short to look at) spoils no other's answer.

Needs root, Linux and Debian's `nftables iptables iproute2`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Literal

Family = Literal[4, 6]
TARGET = bytes.fromhex("020000000002")
TOOLS = (
    "ip",
    "nft",
    "iptables-legacy-restore",
    "iptables-legacy-save",
    "ip6tables-legacy-restore",
    "ip6tables-legacy-save",
)
_SYSCTLS = (
    "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0", "net.ipv4.conf.all.accept_local=1",
    "net.ipv4.conf.all.forwarding=0", "net.ipv6.conf.all.disable_ipv6=0", "net.ipv6.conf.all.accept_dad=0",
    "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_ra=0", "net.ipv6.conf.default.router_solicitations=0",
)  # fmt: skip


def why_not() -> str:
    """Why the kernel cannot be asked here; empty if it can."""
    if os.name != "posix" or not hasattr(socket, "AF_PACKET"):
        return "this is not Linux"
    if os.geteuid() != 0:
        return "needs root"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    done = subprocess.run(["ip", "netns", "add", "fwengine-probe"], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", "fwengine-probe"], capture_output=True, check=False)
    return "" if done.returncode == 0 else f"network namespaces: {done.stderr.strip()}"


def mac(number: int) -> bytes:
    """The source address that enters the chain of a rule set."""
    return bytes([0x02, 0xFE, *number.to_bytes(4, "big")])


class Kernel:
    """A network namespace with one interface, `vb`, into which frames are sent."""

    def __init__(self, name: str, near: str) -> None:
        self.name = name
        self.near = near
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.bind((near, 0))

    def run(self, *command: str, text: str | None = None) -> str:
        """A command inside; what it prints.

        Raises:
            RuntimeError: with what it says on stderr.
        """
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, *command], input=text, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def send(self, frames: Sequence[bytes]) -> None:
        """Frames into the namespace, in order."""
        for frame in frames:
            self.socket.send(frame)

    # iptables-legacy and ip6tables-legacy

    def load_legacy(self, family: Family, rule_sets: Sequence[Sequence[str]]) -> None:
        """Rule sets as the words behind `-A CHAIN`, in the raw table, which sees packets before anything else."""
        lines = ["*raw", ":PREROUTING ACCEPT [0:0]", *(f":r{n} - [0:0]" for n in range(len(rule_sets)))]
        for n, rules in enumerate(rule_sets):
            lines.append(f"-A PREROUTING -m mac --mac-source {mac(n).hex(':')} -j r{n}")
            lines += [f"-A r{n} {rule}" for rule in rules]
            lines.append(f"-A r{n} -j DROP")
        self.run(_legacy(family, "restore"), text="\n".join([*lines, "COMMIT", ""]))

    def legacy_counts(self, family: Family, rule_sets: Sequence[Sequence[str]]) -> list[list[int]]:
        """The packets of each rule, rule set by rule set."""
        counts: list[list[int]] = [[] for _ in rule_sets]
        for line in self.run(_legacy(family, "save"), "-c", "-t", "raw").splitlines():
            found = re.match(r"\[([0-9]+):[0-9]+\] -A r([0-9]+) ", line)
            if found:
                counts[int(found[2])].append(int(found[1]))
        return [row[:-1] for row in counts]

    # nft

    def load_nft(self, family: Family, rule_sets: Sequence[Sequence[str]]) -> None:
        """Rule sets as nft writes them; each rule counts."""
        kind = "ip" if family == 4 else "ip6"
        lines = [f"add table {kind} judge", f"delete table {kind} judge", f"table {kind} judge {{"]
        for n, rules in enumerate(rule_sets):
            lines += [f" chain r{n} {{", *(f"  {_counted(rule)}" for rule in rules), "  drop", " }"]
        lines += [" chain entry {", "  type filter hook prerouting priority -500; policy accept;"]
        lines += [f"  ether saddr {mac(n).hex(':')} jump r{n}" for n in range(len(rule_sets))]
        self.run("nft", "-f", "-", text="\n".join([*lines, " }", "}", ""]))

    def nft_counts(self, family: Family, rule_sets: Sequence[Sequence[str]]) -> list[list[int]]:
        """As `legacy_counts`."""
        counts: list[list[int]] = [[] for _ in rule_sets]
        listed = json.loads(self.run("nft", "-j", "list", "table", "ip" if family == 4 else "ip6", "judge"))
        for entry in listed["nftables"]:
            rule = entry.get("rule")
            if rule is not None and rule["chain"].startswith("r"):
                counts[int(rule["chain"][1:])] += [e["counter"]["packets"] for e in rule["expr"] if "counter" in e]
        return counts


def _counted(rule: str) -> str:
    match, _, verdict = rule.rpartition(" ")
    return f"{match} counter {verdict}"


def _legacy(family: Family, what: str) -> str:
    return f"{'ip' if family == 4 else 'ip6'}tables-legacy-{what}"


@contextmanager
def kernel() -> Iterator[Kernel]:
    """A namespace for as long as it is needed."""
    name, near = f"fwengine-{os.getpid()}", f"fwe{os.getpid() % 100000}"
    subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True)
    try:
        link = ["ip", "link", "add", near, "type", "veth", "peer", "name", "vb", "netns", name]
        subprocess.run(link, check=True, capture_output=True)
        subprocess.run(
            ["ip", "link", "set", near, "addrgenmode", "none", "mtu", "65535", "up"], check=True, capture_output=True
        )
        inside = ["ip", "-n", name]
        for command in (
            ["link", "set", "vb", "addrgenmode", "none", "address", TARGET.hex(":"), "mtu", "65535", "up"],
            ["link", "set", "lo", "up"],
            ["addr", "add", "10.0.0.2/8", "dev", "vb"],
        ):
            subprocess.run([*inside, *command], check=True, capture_output=True)
        for setting in _SYSCTLS:
            with suppress(subprocess.CalledProcessError):
                subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", setting], check=True, capture_output=True)
        # offloads would let frames with wrong checksums of IP itself by, or put them together
        time.sleep(0.05)
        judge = Kernel(name, near)
        try:
            yield judge
        finally:
            judge.socket.close()
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", near], check=False, capture_output=True)
