"""The Linux kernel as a judge: rules in a network namespace of their own, frames sent into it, counters read back.

Each rule set stands in a chain of its own, entered by the frame's source MAC address; so one frame is judged by all of them,
and a rule that makes the kernel drop the packet (a header too short to look at) spoils no other's answer. Both ends of the
wire are in namespaces made for the purpose: nothing of the machine's own traffic is near.

Needs root, Linux and Debian's `nftables iptables iproute2` (and util-linux, which is always there). What it cannot judge:
a frame that the kernel drops before the hooks (wrong IP checksums, VLAN tags) is in no counter at all. Rules with
`limit`, `recent`, `time` or connection tracking are not functions of a packet.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Literal

from support.frames import ethernet

Family = Literal[4, 6]
Wire = socket.socket  # into which frames are sent
TARGET = bytes.fromhex("020000000002")
TOOLS = (
    "ip",
    "nft",
    "iptables-legacy-restore",
    "iptables-legacy-save",
    "ip6tables-legacy-restore",
    "ip6tables-legacy-save",
    "nsenter",
)
_SYSCTLS = (
    "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0", "net.ipv4.conf.all.accept_local=1",
    "net.ipv4.conf.all.forwarding=0", "net.ipv6.conf.all.disable_ipv6=0", "net.ipv6.conf.default.disable_ipv6=0",
    "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_ra=0",
    "net.ipv6.conf.default.accept_ra=0", "net.ipv6.conf.default.router_solicitations=0",
)  # fmt: skip
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_FAR, _NEAR = "vb", "va"
_PATIENCE = 10.0  # seconds for a frame to come through
_MARK = 0xFFFFFFFF  # the number of no rule set
_ETHERTYPE = 0x88B5  # for experiments: IEEE 802


def why_not() -> str:
    """Why the kernel cannot be asked here; empty if it can."""
    if os.name != "posix" or not hasattr(socket, "AF_PACKET"):
        return "this is not Linux"
    if os.geteuid() != 0:
        return "needs root"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    name = f"fwengine-probe-{os.getpid()}"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return "" if done.returncode == 0 else f"network namespaces: {done.stderr.strip()}"


def mac(number: int) -> bytes:
    """The source address that enters the chain of a rule set."""
    return bytes([0x02, 0xFE, *number.to_bytes(4, "big")])


class Kernel:
    """A network namespace with one interface, into which frames are sent from another namespace."""

    def __init__(self, name: str, wire: socket.socket, ear: socket.socket) -> None:
        self.name = name
        self.wire = wire
        self.ear = ear
        self._marks = 0

    def run(self, *command: str, text: str | None = None) -> str:
        """A command inside; what it prints.

        Raises:
            RuntimeError: with what it says on stderr.
        """
        return _run("nsenter", f"--net=/run/netns/{self.name}", *command, text=text)

    def send(self, frames: Sequence[bytes]) -> None:
        """Frames into the namespace, in order."""
        for frame in frames:
            self.wire.send(frame)

    def settle(self) -> None:
        """Waits until all that was sent has been judged.

        A frame of an ethertype of ours is sent behind, and heard at the other end: one processor takes all frames, in the
        order in which they come.
        """
        self._marks += 1
        mark = self._marks.to_bytes(8, "big") + bytes(38)
        self.send([TARGET + mac(_MARK) + _ETHERTYPE.to_bytes(2, "big") + mark])
        while self.ear.recv(100)[14:] != mark:
            pass

    @contextmanager
    def another(self, device: str, number: int) -> Iterator[Wire]:
        """One more interface, by this name, for as long as it is needed: the end to send into."""
        near, end = self.name.replace("-far", "-near"), f"n{number}"
        _run("ip", "link", "add", end, "netns", near, "type", "veth", "peer", "name", device, "netns", self.name)
        for name, one, address in ((near, end, []), (self.name, device, ["address", TARGET.hex(":")])):
            _run("ip", "-n", name, "link", "set", one, "addrgenmode", "none", *address, "mtu", "65535", "up")
        wire = _socket_in(near, end)
        try:
            yield wire
        finally:
            wire.close()
            _run("ip", "-n", near, "link", "del", end)

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
        """The packets of each rule, rule set by rule set; last of each what none of its rules took."""
        counts: list[list[int]] = [[] for _ in rule_sets]
        for line in self.run(_legacy(family, "save"), "-c", "-t", "raw").splitlines():
            found = re.match(r"\[([0-9]+):[0-9]+\] -A r([0-9]+) ", line)
            if found:
                counts[int(found[2])].append(int(found[1]))
        return counts

    # nft

    def load_nft(self, family: Family, rule_sets: Sequence[Sequence[str]]) -> None:
        """Rule sets as nft writes them; each rule counts."""
        kind = "ip" if family == 4 else "ip6"
        lines = [f"add table {kind} judge", f"delete table {kind} judge", f"table {kind} judge {{"]
        for n, rules in enumerate(rule_sets):
            lines += [f" chain r{n} {{", *(f"  {_counted(rule)}" for rule in rules), "  counter drop", " }"]
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

    def unload(self, family: Family) -> None:
        """Takes all rules of a family away."""
        self.run(_legacy(family, "restore"), text="*raw\nCOMMIT\n")
        kind = "ip" if family == 4 else "ip6"
        self.run("nft", "-f", "-", text=f"add table {kind} judge\ndelete table {kind} judge\n")


class Judge:
    """One of the kernel's filters with some rule sets loaded, asked frame by frame."""

    def __init__(
        self, kernel: Kernel, family: Family, engine: Literal["legacy", "nft"], sets: Sequence[Sequence[str]]
    ) -> None:
        self._kernel = kernel
        self._sets = sets
        self._read: Callable[[], list[list[int]]]
        kernel.unload(family)
        if engine == "legacy":
            kernel.load_legacy(family, sets)
            self._read = lambda: kernel.legacy_counts(family, sets)
        else:
            kernel.load_nft(family, sets)
            self._read = lambda: kernel.nft_counts(family, sets)
        self._before = self._read()

    def ask(self, packet: bytes) -> list[int | None]:
        """The number of the rule that takes a packet, in each rule set; None if the kernel drops it without any.

        The number of rules stands for "none of them takes it".
        """
        self._kernel.send([ethernet(packet, TARGET, mac(n)) for n in range(len(self._sets))])
        self._kernel.settle()
        now, before = self._read(), self._before
        self._before = now
        answers: list[int | None] = []
        for new, old in zip(now, before, strict=True):
            hits = [n for n, (a, b) in enumerate(zip(new, old, strict=True)) if a != b]
            assert len(hits) <= 1, "a packet was taken by two rules"
            assert all(new[n] == old[n] + 1 for n in hits), "a packet came twice"
            answers.append(hits[0] if hits else None)
        return answers


def _counted(rule: str) -> str:
    match, _, verdict = rule.rpartition(" ")
    return f"{match} counter {verdict}"


def _legacy(family: Family, what: str) -> str:
    return f"{'ip' if family == 4 else 'ip6'}tables-legacy-{what}"


def _run(*command: str, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def _namespace(name: str) -> Iterator[None]:
    _run("ip", "netns", "add", name)
    try:
        yield
    finally:
        _run("ip", "netns", "del", name)


def _socket_in(namespace: str, interface: str, ethertype: int = 0) -> socket.socket:
    """A raw socket there. A thread goes in for it and ends: the others' namespace stays."""
    found: list[socket.socket] = []

    def enter() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        place = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        try:
            if libc.setns(place, _NEW_NETWORK):
                return
        finally:
            os.close(place)
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        made.bind((interface, ethertype))
        made.settimeout(_PATIENCE)
        found.append(made)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if not found:
        raise RuntimeError(f"no socket in namespace {namespace}")
    return found[0]


@contextmanager
def kernel() -> Iterator[Kernel]:
    """A namespace for as long as it is needed."""
    near, far = (f"fwengine-{os.getpid()}-{end}" for end in ("near", "far"))
    with ExitStack() as stack:
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cores)})  # frames sent from one processor arrive in their order
        stack.callback(os.sched_setaffinity, 0, cores)
        for name in (near, far):
            stack.enter_context(_namespace(name))
        for name in (near, far):
            for setting in _SYSCTLS:
                _run("nsenter", f"--net=/run/netns/{name}", "sysctl", "-qw", setting)
        _run("ip", "link", "add", _NEAR, "netns", near, "type", "veth", "peer", "name", _FAR, "netns", far)
        for name, device in ((near, _NEAR), (far, _FAR)):
            address = [] if device == _NEAR else ["address", TARGET.hex(":")]
            _run("ip", "-n", name, "link", "set", device, "addrgenmode", "none", *address, "mtu", "65535", "up")
        _run("ip", "-n", far, "link", "set", "lo", "up")
        _run("ip", "-n", far, "addr", "add", "10.0.0.2/8", "dev", _FAR)
        wire = stack.enter_context(_socket_in(near, _NEAR))
        ear = stack.enter_context(_socket_in(far, _FAR, _ETHERTYPE))
        yield Kernel(far, wire, ear)
