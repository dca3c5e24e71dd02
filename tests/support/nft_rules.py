"""Policies of nft drawn at random, with user chains, sets and verdict maps, over values that drawn packets meet often."""

from __future__ import annotations

import random

from support.iptables_rules import PORTS, SOURCES, Drawn

NETS = {
    4: ["10.1.0.0/16", "10.1.0.5", "10.1.0.4/30", "172.16.0.0/12", "10.1.0.5-10.2.0.5"],
    6: ["2001:db8::/32", "2001:db8::5", "2001:db8::4/126", "fd00::/8", "2001:db8::5-2001:db8::7"],
}
FLAGS = [
    "syn",
    "syn,ack",
    "== syn",
    "!= syn",
    "& (syn|ack|fin|rst) == syn",
    "syn / syn,ack",
    "! syn",
    "{ syn, ack }",
    "{ syn }",
    "== { syn }",
    "!= syn,ack",
    "== syn,ack",
    "syn|ack",
    "!= { syn|ack, fin }",
    "& (fin|syn) == { syn, fin }",
    "& (syn|ack) != syn|ack",
    "< 4",
    "& fin != 0",
]
OFFSETS = ["& 0x1fff != 0", "& 0x1fff == 0", "& 0x1fff > 0", "& 0x3fff != 0", "& 0x3fff == 0", "& 0x1fff >= 1"]
MASKED = {
    4: ["ip daddr & 255.255.0.255 == 10.1.0.5", "ip daddr & 255.255.0.255 != 10.1.0.5"],
    6: ["ip6 daddr & ffff:ffff:: == 2001:db8::", "ip6 daddr & ffff:ffff:: != 2001:db8::"],
}
PROTOCOLS = ["tcp", "udp", "sctp", "dccp"]


def some(draw: random.Random, values: list[str], most: int = 3) -> str:
    """One value, or a set of disjoint ones."""
    if draw.random() < 0.5:
        return draw.choice(values)
    return "{ " + ", ".join(draw.sample(values, draw.randint(1, min(most, len(values))))) + " }"


def ports(draw: random.Random) -> str:
    low, high = sorted(draw.sample(PORTS, 2))
    return draw.choice([str(low), f"{low}-{high}", some(draw, [str(p) for p in PORTS])])


PLAIN = ("address", "addresses", "interface", "offset", "family", "masked")  # say nothing of a protocol


def draw_test(draw: random.Random, family: int, *, plain: bool) -> str:
    """One condition; nft refuses two that speak of different protocols."""
    ip, negated = "ip" if family == 4 else "ip6", draw.choice(["", "", "", "!= "])
    mine, other = ("ipv4", "ipv6") if family == 4 else ("ipv6", "ipv4")
    ping = "icmp" if family == 4 else "icmpv6"
    disjoint = [n for n in NETS[family] if "/" not in n and "-" not in n] + SOURCES[family][3:]
    tests = {
        "address": lambda: f"{ip} {draw.choice(['saddr', 'daddr'])} {negated}{draw.choice(NETS[family])}",
        "addresses": lambda: f"{ip} saddr {negated}{some(draw, disjoint)}",
        "interface": lambda: f"{draw.choice(['iifname', 'oifname'])} {negated}" + draw.choice(["vb", '"v*"', "eth0"]),
        "protocol": lambda: f"meta l4proto {negated}{some(draw, ['tcp', 'udp', 'sctp', '47', ping if family == 4 else 'ipv6-icmp'])}",
        "port": lambda: f"{draw.choice(PROTOCOLS)} {draw.choice(['dport', 'dport', 'sport'])} {negated}{ports(draw)}",
        "compared": lambda: f"tcp dport {draw.choice(['<', '>', '<=', '>='])} {draw.choice([22, 443, 8080])}",
        "either": lambda: f"meta l4proto {{ tcp, udp }} th dport {negated}{ports(draw)}",
        "flags": lambda: f"tcp flags {draw.choice(FLAGS)}",
        "type": lambda: f"{ping} type {negated}{some(draw, ['echo-request', 'echo-reply', '3', '8'][: 2 + (family == 4)])}",
        "masks": lambda: f"{draw.choice(PROTOCOLS)} dport & 0xff80 " + draw.choice(["== 0", "!= 0", "== { 0, 384 }", "384"]),
        "any port": lambda: f"meta l4proto . th dport {negated}{{ "
        + ", ".join(f"{a} . {p}" for a, p in zip(draw.sample(PROTOCOLS, 3), draw.sample(PORTS, 3), strict=True)) + " }",
        "ranges": lambda: f"{ip} saddr . {draw.choice(PROTOCOLS)} dport {negated}{{ "
        + ", ".join(f"{net} . {low}-{low + 400}" for net, low in zip(_apart(family), (0, 80, 8000), strict=True)) + " }",
        "types": lambda: f"{ping} type . {ping} code {negated}" + "{ 3 . 1, 8 . 0, 128 . 0 }",
        "concat": lambda: f"{ip} saddr . tcp dport {negated}{{ "
        + ", ".join(f"{a} . {p}" for a, p in zip(draw.sample(SOURCES[family], 3), draw.sample(PORTS, 3), strict=True))
        + " }",
        "offset": lambda: "ip frag-off " + draw.choice(OFFSETS) if family == 4 else "ip6 hoplimit > 1",
        "family": lambda: "meta nfproto " + draw.choice([mine, f"!= {other}"]),
        "masked": lambda: draw.choice(MASKED[family]),
    }  # fmt: skip
    return tests[draw.choice(PLAIN if plain else tuple(tests))]()


def _apart(family: int) -> list[str]:
    """Networks that have no address in common."""
    return [
        NETS[family][0],
        NETS[family][3] if family == 6 else "172.16.0.0/12",
        SOURCES[family][4 if family == 6 else 2],
    ]


def _draw_map(draw: random.Random, family: int, verdicts: list[str]) -> tuple[str, str]:
    """A key, and the elements that say what becomes of its values."""
    ip = "ip" if family == 4 else "ip6"
    ends = [draw.choice(verdicts) for _ in range(3)]
    kind = draw.choice(["ports", "ports", "ranges", "nets", "both", "flags"])
    if kind == "ports":
        key, values = draw.choice(["tcp dport", "udp sport"]), [str(p) for p in draw.sample(PORTS, 3)]
    elif kind == "ranges":
        key, values = draw.choice(["tcp dport", "udp sport"]), ["0-22", "53-400", "443-65535"]
    elif kind == "nets":
        key, values = f"{ip} saddr", _apart(family)
    elif kind == "both":
        key, values = (
            f"{ip} saddr . tcp dport",
            [f"{net} . {p}" for net, p in zip(_apart(family), ("0-80", "22", "53-8080"), strict=True)],
        )
    else:
        key, values = "tcp flags", ["syn", "syn|ack", "rst"]
    if kind in ("ports", "ranges") and draw.random() < 0.3:
        values.append("*")
        ends.append(draw.choice(verdicts))
    return key, ", ".join(f"{value} : {end}" for value, end in zip(values, ends, strict=True))


_TYPES = {"tcp dport": "inet_service", "udp sport": "inet_service", "tcp flags": "tcp_flag"}


def _type(key: str) -> str:
    return " . ".join(
        _TYPES.get(part, "ipv6_addr" if part.startswith("ip6") else "ipv4_addr") for part in key.split(" . ")
    )


def draw_policy(draw: random.Random, family: int) -> Drawn:
    """Chains as in `iptables_rules.draw_policy`; `%accept` and `%drop` stand for the verdicts, `@name` for a chain, `&name`
    for a set or map of the policy.
    """
    names = ["entry", *(f"u{n}" for n in range(draw.randint(0, 3)))]
    chains: dict[str, list[str]] = {}
    sets: list[str] = []
    for at, name in enumerate(names):
        lines = []
        for _ in range(draw.randint(2, 5)):
            verdicts = ["%accept", "%drop"] * 3 + ["return"]
            for later in names[at + 1 :]:
                verdicts += [f"jump @{later}"] * 2 + [f"goto @{later}"]
            chosen_map = draw.random() < 0.25
            tests = " ".join(
                draw_test(draw, family, plain=n > 0 or chosen_map) for n in range(draw.choice([0, 1, 1, 1, 2]))
            )
            if chosen_map:
                key, elements = _draw_map(draw, family, verdicts)
                if draw.random() < 0.5:
                    lines.append(f"{tests} {key} vmap {{ {elements} }}".strip())
                    continue
                flags = "flags interval; " if "-" in elements or "/" in elements or "." in key else ""
                sets.append(f"map m{len(sets)} {{ type {_type(key)} : verdict; {flags}elements = {{ {elements} }}; }}")
                lines.append(f"{tests} {key} vmap &m{len(sets) - 1}".strip())
            elif draw.random() < 0.15:
                elements = ", ".join(_apart(family))
                sets.append(f"set m{len(sets)} {{ type {_type('ip saddr' if family == 4 else 'ip6 saddr')}; flags interval; "
                            f"elements = {{ {elements} }}; }}")  # fmt: skip
                side = f"{'ip' if family == 4 else 'ip6'} {draw.choice(['saddr', 'daddr'])}"
                lines.append(
                    f"{tests} {side} {draw.choice(['', '!= '])}&m{len(sets) - 1} {draw.choice(verdicts)}".strip()
                )
            else:
                lines.append(f"{tests} {draw.choice(verdicts)}".strip())
        chains[name] = lines
    return Drawn(chains, draw.choice(["accept", "drop"]), tuple(sets))
