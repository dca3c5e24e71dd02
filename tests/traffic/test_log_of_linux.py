"""What Linux itself writes into its log of a frame is read as what the decoder reads in the frame.

In a network namespace of its own, with LOG rules of both iptables families: root, `ip`, `iptables`, `dmesg` needed.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fwengine import Packet, PacketError
from fwengine.traffic.notation import parse

NEEDED = ("ip", "iptables", "ip6tables", "dmesg", "sysctl")
SWITCH = Path("/proc/sys/net/netfilter/nf_log_all_netns")
ENDS = {4: ("203.0.113.9", "192.0.2.80"), 6: ("[2001:db8::9]", "[2001:db8::80]")}
TEXTS = [
    f"{protocol} {src}{':40000' * told} -> {dst}{':22' * told} {rest}".replace("[" if not ports else "\0", "").replace(
        "]" if not ports else "\0", ""
    )
    for family, (src, dst) in ENDS.items()
    for protocol, ports in (
        ("tcp", True),
        ("udp", True),
        ("udplite", True),
        ("sctp", True),
        ("gre", False),
        ("112", False),
    )
    for rest in ("", "fragment first", "fragment later")
    for told in (ports and rest != "fragment later",)
]
TEXTS += [f"tcp 203.0.113.9:1 -> 192.0.2.80:2 flags {f}" for f in ("none", "syn", "syn,ack,ece,cwr", "fin,psh,urg,rst")]
TEXTS += [f"icmp 203.0.113.9 -> 192.0.2.80 type {t} code 0" for t in (0, 3, 8, 11, 13)]
TEXTS += [f"icmpv6 2001:db8::9 -> 2001:db8::80 type {t} code 0" for t in (1, 2, 128, 129, 135, 143)]
TEXTS += ["esp 203.0.113.9 -> 192.0.2.80", "icmp 203.0.113.9 -> 192.0.2.80 fragment later"]


def run(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout


@pytest.fixture
def namespace() -> Iterator[str]:
    if os.geteuid() or not all(map(shutil.which, NEEDED)) or not SWITCH.exists():
        pytest.skip("needs root and Linux's ip, iptables and log")
    name = f"fwlog{os.getpid()}"
    before = SWITCH.read_text()
    try:
        run("ip", "netns", "add", name)
        inside = ("ip", "netns", "exec", name)
        run(*inside, "ip", "link", "add", "a0", "type", "veth", "peer", "name", "b0")
        for end in ("a0", "b0"):
            run(*inside, "ip", "link", "set", end, "up")
        SWITCH.write_text("1")
        for table in ("iptables", "ip6tables"):
            run(*inside, table, "-t", "raw", "-A", "PREROUTING", "-i", "b0", "-j", "LOG", "--log-prefix", f"{name} ")
    except (OSError, subprocess.SubprocessError) as error:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        pytest.skip(f"no namespace with a log: {error}")
    try:
        yield name
    finally:
        SWITCH.write_text(before)
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


SEND = """
import socket, sys, time
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("a0", 0))
for line in sys.stdin:
    out.send(bytes.fromhex(line))
    time.sleep(0.005)
"""


@pytest.mark.skipif(not hasattr(socket, "AF_PACKET"), reason="needs Linux")
def test_the_log_of_linux_tells_the_packet(namespace: str) -> None:
    mac = run("ip", "netns", "exec", namespace, "cat", "/sys/class/net/b0/address").strip().replace(":", "")
    sent = [Packet.parse(text) for text in TEXTS]
    # each has its own destination, by which its line is found again
    sent = [packet.replace(dst=packet.dst + number) for number, packet in enumerate(sent)]
    frames = "\n".join(mac + packet.to_bytes("ethernet").hex()[12:] for packet in sent)
    words = ["ip", "netns", "exec", namespace, "python3", "-c", SEND]
    subprocess.run(words, input=frames, text=True, check=True, capture_output=True, timeout=60)
    time.sleep(0.3)
    read = {}
    for line in run("dmesg").splitlines():
        if f"{namespace} IN=b0" not in line:
            continue
        try:
            packet = parse(line)
        except PacketError:
            continue
        read[packet.family, packet.dst] = packet
    for packet in sent:
        found = read.get((packet.family, packet.dst))
        assert found is not None, packet
        assert found.in_interface == "b0"
        assert (found.protocol, found.src, found.fragment) == (packet.protocol, packet.src, packet.fragment)
        for name in ("sport", "dport", "icmp_type", "icmp_code", "flags"):
            told, true = getattr(found, name), getattr(Packet.from_bytes(packet.to_bytes()), name)
            assert told in (true, None), (packet, name)
            if packet.protocol in (6, 17, 136, 1, 58):  # of sctp the log has no ports
                assert told == true, (packet, name)
