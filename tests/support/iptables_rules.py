"""Policies of iptables drawn at random, with user chains, over values that packets drawn beside them meet often."""

from __future__ import annotations

import random
from dataclasses import dataclass

from support import frames

NETS = {
    4: ["10.1.0.0/16", "10.1.0.5", "10.0.0.5/255.255.0.255", "10.1.0.4/30", "172.16.0.0/12"],
    6: [
        "2001:db8::/32",
        "2001:db8::5",
        "2001:db8::4/126",
        "2001:db8::5/ffff:ffff:ffff:ffff:ffff:ffff:ff00:ffff",
        "fd00::/8",
    ],
}
SOURCES = {
    4: ["10.1.0.5", "10.1.0.6", "10.2.0.5", "10.0.7.5", "172.16.0.5"],
    6: ["2001:db8::5", "2001:db8::6", "2001:db8:1::5", "fd00::5", "2001:dead::5"],
}
TARGETS = {4: ["10.0.0.2", "10.1.0.5", "10.1.0.7"], 6: ["2001:db8::2", "2001:db8::5", "2001:db8::7"]}
PORTS = [0, 22, 53, 80, 443, 8080, 65535]


@dataclass(frozen=True)
class Drawn:
    """A policy as lines of iptables-restore, chains named behind `@`, and its default; of nft also the sets and maps, which
    lines name behind `&`.
    """

    chains: dict[str, list[str]]
    default: str
    sets: tuple[str, ...] = ()


def draw_match(draw: random.Random, family: int) -> str:
    """Conditions of one rule, such as iptables-save writes."""
    words: list[str] = []
    for option, likely in (("-s", 0.4), ("-d", 0.3)):
        if draw.random() < likely:
            words += [*(["!"] if draw.random() < 0.2 else []), option, draw.choice(NETS[family])]
    if draw.random() < 0.2:
        words += [*(["!"] if draw.random() < 0.3 else []), "-i", draw.choice(["vb", "v+", "eth0", "vb0"])]
    ping = "icmp" if family == 4 else "ipv6-icmp"
    protocol = draw.choice(["tcp", "tcp", "udp", "sctp", "dccp", ping, "", "", "47", "!tcp"])
    if protocol == "!tcp":
        return " ".join([*words, "! -p tcp"])
    if not protocol:
        return " ".join([*words, *(["-f"] if family == 4 and draw.random() < 0.15 else [])])
    words += ["-p", protocol]
    if protocol == ping:
        if draw.random() < 0.7:
            module, option = ("icmp", "--icmp-type") if family == 4 else ("icmp6", "--icmpv6-type")
            kinds = ["8", "0", "3/1", "3"] + (["255"] if family == 4 else ["128", "129"])
            words += ["-m", module, *(["!"] if draw.random() < 0.2 else []), option, draw.choice(kinds)]
        return " ".join(words)
    if protocol == "47":
        return " ".join(words)
    kind = draw.random()
    if kind < 0.25:
        return " ".join([*words, *(["-m", protocol] if draw.random() < 0.5 else [])])
    low, high = sorted(draw.sample(PORTS, 2))
    one = draw.choice([str(low), f"{low}:{high}", f":{high}", f"{low}:"])
    if kind < 0.6:
        option = draw.choice(["--dport", "--dport", "--sport"])
        words += ["-m", protocol, *(["!"] if draw.random() < 0.2 else []), option, one]
    elif kind < 0.8 and protocol in ("tcp", "udp", "sctp", "dccp"):
        option = draw.choice(["--dports", "--sports", "--ports"])
        several = (
            ",".join(map(str, draw.sample(PORTS, 3))) if draw.random() < 0.6 else f"{low}:{high},{draw.choice(PORTS)}"
        )
        words += ["-m", "multiport", *(["!"] if draw.random() < 0.25 else []), option, several]
    if protocol == "tcp" and draw.random() < 0.4:
        flags = draw.choice(["--syn", "--tcp-flags SYN,ACK,FIN,RST SYN", "--tcp-flags ALL NONE", "--tcp-flags SYN SYN",
                             "--tcp-flags ACK,FIN FIN"])  # fmt: skip
        words += ["-m", "tcp", *(["!"] if draw.random() < 0.2 else []), flags]
    return " ".join(words)


def draw_policy(draw: random.Random, family: int) -> Drawn:
    """An entry chain and up to three user chains, called by jump and goto, with RETURNs among the rules."""
    names = ["entry", *(f"u{n}" for n in range(draw.randint(0, 3)))]
    chains: dict[str, list[str]] = {}
    for at, name in enumerate(names):
        lines = []
        for _ in range(draw.randint(2, 5)):
            targets = ["-j ACCEPT"] * 3 + ["-j DROP"] * 3 + ["-j RETURN"]
            for later in names[at + 1 :]:
                targets += [f"-j @{later}"] * 2 + [f"-g @{later}"]
            lines.append(f"{draw_match(draw, family)} {draw.choice(targets)}".strip())
        chains[name] = lines
    return Drawn(chains, draw.choice(["ACCEPT", "DROP"]))


def draw_packet(draw: random.Random, family: int) -> bytes:
    """An IP packet that stacks might send: whole, or a fragment."""
    src, dst = draw.choice(SOURCES[family]), draw.choice(TARGETS[family])
    sport, dport = draw.choice(PORTS), draw.choice(PORTS)
    ping = 1 if family == 4 else 58
    protocol = draw.choice([6, 6, 6, 17, 17, 132, 33, ping, 47])
    body = {
        6: lambda: frames.tcp(sport, dport, draw.choice([0, 1, 2, 4, 16, 18, 17, 41, 194])),
        17: lambda: frames.udp(sport, dport),
        132: lambda: frames.sctp(sport, dport),
        33: lambda: frames.dccp(sport, dport),
        ping: lambda: frames.icmp(draw.choice([0, 3, 8, 128, 129]), draw.choice([0, 1])),
        47: lambda: bytes(8),
    }[protocol]()
    fragment = draw.random()
    if family == 4:
        a, b = frames.packed(src), frames.packed(dst)
        if fragment < 0.1:
            return frames.ip4(protocol, bytes(16), offset=draw.choice([2, 3, 100]), src=a, dst=b)
        if fragment < 0.2:
            return frames.ip4(protocol, body + bytes(-len(body) % 8), more=True, src=a, dst=b)
        return frames.ip4(protocol, body, src=a, dst=b)
    a, b = frames.packed(src), frames.packed(dst)
    if fragment < 0.1:
        return frames.ip6(44, frames.fragment(protocol, draw.choice([2, 3, 100])) + bytes(16), src=a, dst=b)
    if fragment < 0.2:
        return frames.ip6(44, frames.fragment(protocol, more=True) + body + bytes(-len(body) % 8), src=a, dst=b)
    if fragment < 0.35:
        return frames.ip6(
            draw.choice([0, 60]), frames.extension(protocol, bytes([1, 4, 0, 0, 0, 0])) + body, src=a, dst=b
        )
    return frames.ip6(protocol, body, src=a, dst=b)
