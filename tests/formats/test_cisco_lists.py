"""Generated access lists of IOS, NX-OS and ASA beside an interpreter written from Cisco's documentation of fragments.

The interpreter knows entries as values, and the reader their words in one of the spellings that mean the same.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from fwengine.formats.chains import possible
from fwengine.formats.cisco.entries import ASA, IOS, NXOS, Dialect
from fwengine.formats.cisco.reader import read
from fwengine.model import address
from fwengine.model.fields import TABLE, Point, Spec
from fwengine.model.rules import ALLOW, DENY, Action

PORTS = {22: "22", 23: "telnet", 25: "smtp", 53: "domain", 80: "www", 443: "443", 8080: "8080"}
TYPES = {0: "echo-reply", 8: "echo", 11: "11", 3: "unreachable"}
TYPES6 = {128: "echo-request", 129: "129", 135: "nd-ns", 1: "unreachable"}
CODE_POINTS = {0: "default", 46: "ef", 10: "af11", 7: "7"}
V4 = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.0.1.6", "192.0.2.80"]
V6 = ["2001:db8::1", "2001:db8::2", "2001:db8:1::1", "2001:db8:1::6", "2001:db8:2::80"]
NUMBERS = {"ip": None, "ipv6": None, "tcp": 6, "udp": 17, "47": 47, "icmp": 1}
SYN, ACK, RST = 2, 16, 4
Flags = tuple[int, int] | str | None  # (mask, value), or established
TESTS: list[tuple[str, Flags]] = [
    ("", None), ("", None), ("", None), ("established", "established"), ("match-all +syn -ack", (SYN | ACK, SYN)),
    ("rst", (RST, RST)),
]  # fmt: skip


@dataclass(frozen=True)
class Packet:
    protocol: int
    src: str
    dst: str
    sport: int
    dport: int
    kind: int
    flags: int
    fragment: int
    dscp: int
    ttl: int

    @property
    def point(self) -> Point:
        later = self.fragment == 2
        ported = self.protocol in (6, 17) and not later
        typed = self.protocol in (1, 58) and not later
        known = {
            "protocol": self.protocol,
            "src": address.parse(self.src),
            "dst": address.parse(self.dst),
            "sport": self.sport if ported else None,
            "dport": self.dport if ported else None,
            "type": self.kind if typed else None,
            "code": 0 if typed else None,
            "flags": self.flags if self.protocol == 6 and not later else None,
            "fragment": self.fragment,
            "dscp": self.dscp,
            "ttl": self.ttl,
        }
        return tuple(_value(spec, known.get(spec.word)) for spec in TABLE)


def _value(spec: Spec, known: int | None) -> int:
    if known is not None:
        return known
    return spec.absent if spec.absent is not None else spec.usual[0] if spec.usual else 0


@dataclass
class Ace:
    """An entry: what it asks for, and how it is written."""

    permit: bool
    protocol: int | None
    src: frozenset[str]
    dst: frozenset[str]
    words: str
    number: int | None = None
    ports: dict[str, frozenset[int]] = field(default_factory=dict)
    kind: int | None = None
    flags: Flags = None
    fragments: bool = False
    dscp: int | None = None
    ttl: range | None = None

    @property
    def looks_deep(self) -> bool:
        return bool(self.ports) or self.kind is not None or self.flags is not None

    def matches_header(self, packet: Packet) -> bool:
        return (
            self.protocol in (None, packet.protocol)
            and packet.src in self.src
            and packet.dst in self.dst
            and self.dscp in (None, packet.dscp)
            and (self.ttl is None or packet.ttl in self.ttl)
        )

    def matches_rest(self, packet: Packet) -> bool:
        if any(getattr(packet, side) not in allowed for side, allowed in self.ports.items()):
            return False
        if self.kind not in (None, packet.kind):
            return False
        if self.flags == "established":
            return bool(packet.flags & (ACK | RST))
        return not isinstance(self.flags, tuple) or packet.flags & self.flags[0] == self.flags[1]


def fates(aces: list[Ace], packet: Packet, dialect: Dialect, v6: bool) -> set[Action]:
    """What may become of a packet: document 8014 of Cisco for IOS; elsewhere later fragments may fare either way."""
    out: set[Action] = set()
    for ace in aces:
        action = ALLOW if ace.permit else DENY
        if not ace.matches_header(packet):
            continue
        if packet.fragment == 2 and ace.looks_deep:
            if dialect is not IOS:
                out.add(action)  # if it matches; else what follows decides
            elif ace.permit:
                return {ALLOW}
            continue
        if ace.fragments and packet.fragment != 2:
            continue
        if packet.fragment == 2 or ace.matches_rest(packet):
            return out | {action}
    discovery = {133, 134, 135, 136} if dialect is NXOS else {135, 136}
    if v6 and packet.protocol == 58 and packet.fragment != 2 and packet.kind in discovery:
        return out | {ALLOW}
    return out | {DENY}


class Draw:
    """Lists and packets of one dialect and family."""

    def __init__(self, random: random.Random, dialect: Dialect, v6: bool) -> None:
        self.random, self.dialect, self.v6 = random, dialect, v6
        self.hosts = V6 if v6 else V4
        self.types = TYPES6 if v6 else TYPES

    def addresses(self) -> tuple[str, frozenset[str]]:
        """Words, and the hosts of the universe that they hold."""
        kind = self.random.choice(["any", "host", "net", "holes"])
        if kind == "any":
            return ("any4" if self.dialect is ASA else "any"), frozenset(self.hosts)
        host = self.random.choice(self.hosts)
        if kind == "host":
            return f"host {host}", frozenset([host])
        if self.v6:
            length = self.random.choice([48, 127, 128])
            mask = (1 << 128) - (1 << 128 - length)
        elif kind == "holes":
            mask, length = self.random.choice([0xFFFF00FF, 0xFFFFFFF8, 0xFFFFFF01, 0x0A000000]), 0
        else:
            length = self.random.choice([8, 16, 24, 31])
            mask = 0xFFFFFFFF - (1 << 32 - length) + 1
        value = int(ip_address(host))
        inside = frozenset(h for h in self.hosts if int(ip_address(h)) & mask == value & mask)
        if self.v6 or (kind == "net" and self.dialect is NXOS):
            return f"{host}/{length}", inside
        return f"{host} {ip_address(mask if self.dialect is ASA else mask ^ 0xFFFFFFFF)}", inside

    def ports(self) -> tuple[str, frozenset[int]]:
        some = sorted(self.random.sample(sorted(PORTS), 2))
        kind = self.random.choice(["eq", "neq", "lt", "gt", "range", "several"])
        every = range(65536)
        if kind == "range":
            return f"range {PORTS[some[0]]} {PORTS[some[1]]}", frozenset(range(some[0], some[1] + 1))
        if kind == "several" and self.dialect is IOS:
            return f"eq {PORTS[some[0]]} {PORTS[some[1]]}", frozenset(some)
        word = PORTS[some[0]]
        if kind in ("lt", "gt"):
            return f"{kind} {word}", frozenset(range(some[0]) if kind == "lt" else range(some[0] + 1, 65536))
        if kind == "neq":
            return f"neq {word}", frozenset(every) - {some[0]}
        return f"eq {word}", frozenset([some[0]])

    def ace(self) -> Ace:
        choice = self.random.choice
        word = choice(["tcp", "tcp", "udp", "icmp", "47", "ipv6" if self.v6 else "ip"])
        if word == "icmp" and self.v6 and self.dialect is ASA:
            word = "icmp6"
        protocol = 58 if word.startswith("icmp") and self.v6 else NUMBERS[word]
        (source, src), (target, dst) = self.addresses(), self.addresses()
        ace = Ace(choice([True, True, False]), protocol, src, dst, "")
        words = [word, source, target]
        if word in ("tcp", "udp"):
            if choice([True, False, False]):
                text, ace.ports["sport"] = self.ports()
                words[1] += f" {text}"
            if choice([True, True, False]):
                text, ace.ports["dport"] = self.ports()
                words.append(text)
        if protocol in (1, 58) and choice([True, False]):
            ace.kind = choice(sorted(self.types))
            words.append(self.types[ace.kind])
        if word == "tcp" and self.dialect is not ASA:
            text, ace.flags = choice(TESTS)
            words.append(text)
        if not ace.looks_deep and self.dialect is not ASA and choice([True, False, False]):
            ace.fragments = True
            words.append("fragments")
        if self.dialect is not ASA and choice([True, False, False, False]):
            ace.dscp = choice(sorted(CODE_POINTS))
            words.append(f"dscp {CODE_POINTS[ace.dscp]}")
        if self.dialect is IOS and choice([True, False, False, False]):
            text, ace.ttl = choice([("eq 64", range(64, 65)), ("lt 2", range(2)), ("range 1 63", range(1, 64))])
            words.append(f"ttl {text}")
        words.append(choice(["", "", "log"]))
        ace.words = " ".join(["permit" if ace.permit else "deny", *filter(None, words)])
        return ace

    def lists(self) -> tuple[str, list[Ace]]:
        """A text, and its entries in the order in which they are asked."""
        aces = [self.ace() for _ in range(self.random.randrange(1, 7))]
        if self.dialect is ASA:
            rows = [f"access-list x extended {ace.words}" for ace in aces]
            return "\n".join(["ASA Version 9.9", *rows, ""]), aces
        heading = (
            "ipv6 access-list x"
            if self.v6
            else "ip access-list x"
            if self.dialect is NXOS
            else "ip access-list extended x"
        )
        numbers = self.random.sample(range(1, 99), len(aces))
        remark = " remark what comes in"
        if self.random.choice([True, False]):  # written in any order
            remark = f" {100 if self.dialect is NXOS else ''} remark what comes in"
            written = [self.line(number, ace) for number, ace in zip(numbers, aces, strict=True)]
            order = [ace for _, ace in sorted(zip(numbers, aces, strict=True), key=lambda pair: pair[0])]
        else:
            written, order = [f" {ace.words}" for ace in aces], aces
        return "\n".join([heading, remark, *written, ""]), order

    def line(self, number: int, ace: Ace) -> str:
        if self.v6 and self.dialect is IOS:
            return self.random.choice([f" sequence {number} {ace.words}", f" {ace.words} sequence {number}"])
        return f" {number} {ace.words}"

    def packet(self) -> Packet:
        choice = self.random.choice
        return Packet(
            choice([6, 6, 17, 58 if self.v6 else 1, 47]), choice(self.hosts), choice(self.hosts), choice(sorted(PORTS)),
            choice(sorted(PORTS)), choice(sorted(self.types)), choice([SYN, SYN | ACK, ACK, RST]), choice([0, 0, 1, 2]),
            choice(sorted(CODE_POINTS)), choice([1, 2, 63, 64]),
        )  # fmt: skip


@pytest.mark.parametrize(("dialect", "v6"), [(IOS, False), (IOS, True), (NXOS, False), (NXOS, True), (ASA, False)])
def test_lists_decide_as_the_documentation_says(dialect: Dialect, v6: bool) -> None:
    seen: dict[frozenset[Action], int] = {}
    for seed in range(160):
        draw = Draw(random.Random(f"{dialect.name} {v6} {seed}"), dialect, v6)
        text, aces = draw.lists()
        chains = read(text, "router", dialect=dialect).chains
        for _ in range(25):
            packet = draw.packet()
            expected = fates(aces, packet, dialect, v6)
            assert possible(chains, "x", packet.point) == expected, (seed, text, packet)
            seen[frozenset(expected)] = seen.get(frozenset(expected), 0) + 1
    assert min(seen[frozenset([ALLOW])], seen[frozenset([DENY])]) > 200
    assert (frozenset([ALLOW, DENY]) in seen) == (dialect is not IOS)
