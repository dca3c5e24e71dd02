"""Policies drawn as texts, with every construct of the language: a word at a time, knowing nothing of what they mean.

Each policy has a few fields of its own and a handful of values for each, so that its rules collide and overlap all the time and the
packets that it tells apart can be gone through one by one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

V4 = (
    "10.0.0.1", "10.0.0.0/8", "10.0.0.0/29", "10.0.0.4/30", "10.0.0.2-10.0.0.5", "10.0.0.0/31", "192.0.2.80", "0.0.0.0/1",
    "0.0.0.0", "255.255.255.255", "192.0.2.80-192.0.2.83", "224.0.0.0/4", "0.0.0.0/0",
)  # fmt: skip
V6 = (
    "2001:db8::1", "2001:db8::/32", "2001:db8::/125", "2001:db8::2-2001:db8::5", "::1", "::", "fe80::/10", "::ffff:10.0.0.0/104",
    "ff00::/8", "8000::/1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
)  # fmt: skip
MASKS = (
    "10.0.0.1/255.255.255.253",
    "10.0.0.0/255.0.0.1",
    "0.0.0.2/0.0.0.3",
    "2001:db8::1/ffff:ffff::1",
    "192.0.0.80/255.255.0.255",
)
HOSTS4 = (
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.3",
    "10.0.0.5",
    "10.9.9.9",
    "192.0.2.80",
    "192.0.2.83",
    "0.0.0.0",
    "203.0.113.9",
)
HOSTS6 = ("2001:db8::1", "2001:db8::2", "2001:db8::5", "2001:db8:9::1", "::1", "fe80::1", "::ffff:10.0.0.1")
PORTS = (
    "0", "1", "22", "80", "443", "1023", "1024", "65535", "0-1023", "1-65535", "20-25", "80-443", "49152-65535", "http", "ssh", "domain",
    "ntp",    "http-alt", "x11", "system", "registered", "ephemeral", "unprivileged", ">= 1024", "< 80", "> 443", "<= 22", "0-65535",
)  # fmt: skip
ONE_PORT = ("0", "22", "53", "80", "443", "1023", "1024", "8080", "6001", "65535")
WITH_PORTS = ("tcp", "udp", "sctp", "dccp", "udplite", "6", "17")
WITHOUT = ("icmp", "icmpv6", "gre", "esp", "1", "58", "47", "51", "0", "igmp", "255")
TYPES = ("echo-request", "echo-reply", "destination-unreachable", "time-exceeded", "redirect")
NUMBERS = ("0", "8", "3", "128", "255", "0-4", "3-8", ">= 5", "< 3", "> 128", "<= 8")
FLAGS = (
    "syn/syn,ack",
    "syn/syn",
    "none/none",
    "none/all",
    "syn,ack/syn,ack",
    "rst/rst",
    "fin/fin,ack",
    "ack/ack,rst",
    "all/all",
)
SOME_FLAGS = ("syn", "syn,ack", "ack", "rst", "none", "fin,psh,urg", "rst,ack")
STATES = ("new", "established", "related", "invalid", "untracked")
INTERFACES = ("wan0", "lan0", "dmz0", '"eth 1"')
DSCP = ("ef", "af11", "0", "be", "cs6", "46", "63", "af11-af13", "8-20", ">= 48", "< 10")
TTL = ("1", "255", "64", "0", "1-5", "< 5", ">= 64", "> 254")
LENGTH = ("40", "1500", "28-1500", "<= 84", "> 1500", "65575", "> 65535", "0-65575")
DATES = ("2026-01-31", "2026-06-15", "2027-03-01", "2030-01-01")
MINOR = ("sport", "dport", "type", "flags", "fragment", "in", "out", "state", "dscp", "ttl", "length")


@dataclass
class Pool:
    """What the statements of one policy are made of."""

    nets: Sequence[str]
    ports: Sequence[str]
    minor: frozenset[str]
    services: Sequence[str] = ()
    interfaces: Sequence[str] = INTERFACES
    dated: bool = False


class Writer:
    """Draws statements."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.pool = Pool((), (), frozenset())
        self.named: list[str] = []

    def often(self, chance: float) -> bool:
        return self.draw.random() < chance

    def pick(self, *words: str) -> str:
        return self.draw.choice(words)

    def some(self, words: Sequence[str], most: int = 3) -> list[str]:
        return self.draw.sample(words, self.draw.randint(1, min(most, len(words))))

    def selection(self, words: Sequence[str], *, exceptions: bool = True, most: int = 3) -> str:
        """An element, a set over one line or several, `not`, `except`."""
        way = self.draw.random()
        if way < 0.45:
            return self.draw.choice(words)
        if way < 0.65:
            chosen = self.some(words, most)
            if exceptions and self.often(0.2):
                chosen.append(f"{self.draw.choice(words)} except {self.draw.choice(words)}")
            return self.braces(chosen)
        if way < 0.82:
            chosen = self.some(words, most)
            return "not " + (chosen[0] if len(chosen) == 1 else self.braces(chosen))
        if exceptions and len(words) > 1:
            mixed = self.draw.sample(words, len(words))
            half = self.draw.randint(1, len(words) - 1)
            return f"{self.part(mixed[:half])} except {self.part(mixed[half:])}"
        return self.draw.choice(words)

    def part(self, words: Sequence[str]) -> str:
        chosen = self.some(words)
        return chosen[0] if len(chosen) == 1 and self.often(0.8) else self.braces(chosen)

    def braces(self, words: Sequence[str]) -> str:
        if self.often(0.1):
            return "{\n    " + ",\n    ".join(words) + ",  # and that is all\n}"
        return "{ " + ", ".join(words) + self.pick("", "", ",") + " }"

    # Rules and regions

    def protocols(self) -> tuple[str, frozenset[str]]:
        """The words for protocols, and which options go with them: ports, a service's source ports, types, flags."""
        minor = self.pool.minor
        way = self.draw.random()
        if "type" in minor and way < 0.35:
            return self.pick("icmp", "icmpv6", "icmp", "1", "58", "{ icmp, icmpv6 }"), frozenset({"type"})
        if minor & {"flags"} and way < 0.6:
            return self.pick("tcp", "tcp", "6"), frozenset({"ports", "flags"})
        if self.pool.services and way < 0.7:
            return self.draw.choice(self.pool.services), frozenset({"sport"})
        if minor & {"dport"} and way < 0.75:
            return f"{self.pick('tcp', 'udp')}/{self.pick(*ONE_PORT, 'http', 'ssh', '80-443')}", frozenset({"sport"})
        if way < 0.9 or minor & {"sport", "dport"}:
            return self.part(WITH_PORTS), frozenset({"ports"})
        return self.selection((*WITHOUT, "any", "tcp", "udp")), frozenset()

    def condition(self, *, rule: bool) -> str:
        """A rule or a region behind its action."""
        words, takes = self.protocols()
        text = words
        minor = self.pool.minor
        if "{ icmp, icmpv6 }" in words:
            takes = frozenset({"named type"}) if "type" in takes else takes
        sport = bool(takes & {"ports", "sport"}) and "sport" in minor and self.often(0.5)
        if sport or self.often(0.7):
            text += f" from {self.address()}" + (f" port {self.selection(self.pool.ports)}" if sport else "")
        dport = "ports" in takes and "dport" in minor and self.often(0.6)
        if dport or self.often(0.6):
            text += f" to {self.address()}" + (f" port {self.selection(self.pool.ports)}" if dport else "")
        options = self.options(takes)
        if rule:
            options += [f"until {self.pick(*DATES)}"] if self.pool.dated and self.often(0.3) else []
            options += ["log"] if self.often(0.1) else []
        self.draw.shuffle(options)
        return " ".join([text, *options])

    def address(self) -> str:
        return self.pick("any", self.selection(self.pool.nets), self.selection(self.pool.nets))

    def options(self, takes: frozenset[str]) -> list[str]:
        makers: dict[str, Callable[[], str]] = {
            "fragment": lambda: "fragment " + self.selection(("whole", "first", "later"), exceptions=False, most=2),
            "in": lambda: "in " + self.interface(),
            "out": lambda: "out " + self.interface(),
            "state": lambda: "state " + self.selection(STATES, exceptions=False),
            "dscp": lambda: "dscp " + self.selection(DSCP),
            "ttl": lambda: self.pick("ttl ", "hoplimit ") + self.selection(TTL),
            "length": lambda: "length " + self.selection(LENGTH),
        }
        found = [make() for name, make in makers.items() if name in self.pool.minor and self.often(0.4)]
        if "type" in takes or "named type" in takes:
            words = TYPES if "named type" in takes else (*TYPES, *NUMBERS)
            found += ["type " + self.selection(words)] if self.often(0.7) else []
            found += ["code " + self.selection(NUMBERS)] if self.often(0.3) else []
        if "flags" in takes:
            found += ["flags " + self.selection(FLAGS, exceptions=False)] if self.often(0.6) else []
            found += ["established"] if self.often(0.3) else []
        return found

    def interface(self) -> str:
        names = self.pool.interfaces
        if self.often(0.15):
            return "{ none, not " + self.draw.choice(names) + " }"
        return self.selection((*names, "none"), exceptions=False)

    # Packets

    def packet(self) -> str:
        six = self.often(0.4)
        hosts = HOSTS6 if six else HOSTS4
        src, dst = self.draw.choice(hosts), self.draw.choice(hosts)
        minor = self.pool.minor
        fragment = (
            self.pick("", "", " fragment first", " fragment later", " fragment whole") if "fragment" in minor else ""
        )
        protocol = self.pick("tcp", "udp", "tcp", "sctp", "icmpv6" if six else "icmp", "gre")
        later = "later" in fragment
        text = f"{protocol} {src} -> {dst}"
        if protocol in WITH_PORTS and not later:
            text = f"{protocol} {self.endpoint(src)} -> {self.endpoint(dst)}"
        if protocol == "tcp" and "flags" in minor and not later and self.often(0.7):
            text += f" flags {self.pick(*SOME_FLAGS)}"
        if protocol in ("icmp", "icmpv6") and not later:
            text += f" type {self.pick('echo-request', 'echo-reply', '3', '8')}" if self.often(0.7) else ""
            text += f" code {self.pick('0', '3')}" if self.often(0.3) else ""
        return text + fragment + self.journey()

    def endpoint(self, host: str) -> str:
        if self.often(0.25):
            return host
        return (f"[{host}]:" if ":" in host else f"{host}:") + self.pick(*ONE_PORT)

    def journey(self) -> str:
        """What stands behind a packet about its way."""
        minor, text = self.pool.minor, ""
        for name in ("in", "out"):
            text += f" {name} {self.pick(*INTERFACES, 'none')}" if name in minor and self.often(0.5) else ""
        text += f" state {self.pick(*STATES)}" if "state" in minor and self.often(0.5) else ""
        text += f" dscp {self.pick('ef', '0', 'af11', '63')}" if "dscp" in minor and self.often(0.5) else ""
        text += (
            f" {self.pick('ttl', 'hoplimit')} {self.pick('1', '64', '255')}"
            if "ttl" in minor and self.often(0.5)
            else ""
        )
        return text + (
            f" length {self.pick('40', '84', '1500', '65575')}" if "length" in minor and self.often(0.5) else ""
        )

    # Whole texts

    def policy(self, rules: int) -> str:
        """A policy: definitions, rules, expectations, with comments and blank lines between them."""
        return "\n".join([*self.definitions(), *self.statements(rules)]) + "\n"

    def statements(self, rules: int) -> list[str]:
        lines = [f"default {self.pick('allow', 'deny')}"] if self.often(0.6) else []
        lines += [self.rule(number) for number in range(rules)]
        if self.often(0.3):
            self.draw.shuffle(lines)
        lines += [self.expectation() for _ in range(self.draw.randint(0, 4))]
        return lines

    def rule(self, number: int) -> str:
        named = f" as r{number}" if self.often(0.7) else ""
        self.named += [f"r{number}"] if named else []
        return f"{self.pick('allow', 'deny ')} {self.condition(rule=True)}{named}" + self.pick("", "", "  # why", "\n")

    def expectation(self) -> str:
        asked = self.packet() if self.often(0.5) else self.region()
        by = f" by {self.pick('default', *self.named)}" if self.often(0.2) else ""
        return f"expect {self.pick('allow', 'deny')} {asked}{by}"

    def region(self) -> str:
        text = " or ".join(self.condition(rule=False) for _ in range(self.draw.choice((1, 1, 1, 2))))
        return f"{text} unless {self.condition(rule=False)}" if self.often(0.15) else text

    def definitions(self) -> list[str]:
        """Names for a handful of values, and the handful that this policy speaks of."""
        draw = self.draw
        nets = draw.sample(V4, draw.randint(1, 3)) + draw.sample(V6, draw.randint(0, 2))
        nets += draw.sample(MASKS, draw.randint(1, 2)) if self.often(0.25) else []
        ports = draw.sample(PORTS, 3)
        minor = frozenset(draw.sample(MINOR, draw.choice((1, 2, 2, 3))))
        self.pool = Pool(nets, ports, minor, dated=self.often(0.15))
        lines = ["# drawn"]
        if self.often(0.6):
            lines.append(f"net n-1 = {self.selection(nets)}")
            self.pool.nets = [*nets, "n-1"]
        if self.often(0.3):
            lines.append(f"net n.2 = {self.selection(self.pool.nets)}")
            self.pool.nets = [*self.pool.nets, "n.2"]
        if minor & {"sport", "dport"} and self.often(0.5):
            lines.append(f"ports p_1 = {self.selection(ports)}")
            self.pool.ports = [*ports, "p_1"]
        if minor & {"sport", "dport"} and self.often(0.5):
            first = f"{self.pick('tcp', 'udp')}/{self.pick('http', '22', '80-443', 'domain')}"
            lines.append(
                "service s1 = " + self.pick(first, f"{{ {first}, udp/53 }}", f"{{ {first}, sctp/80, tcp/1024-65535 }}")
            )
            self.pool.services = ("s1",)
            if self.often(0.3):
                lines.append("service s2 = { s1, dccp/5 }")
                self.pool.services = ("s1", "s2")
        if minor & {"in", "out"} and self.often(0.4):
            lines += ["interface wide = { wan0, lan0 }", 'interface dmz = { dmz0, "eth 1" }']
            self.pool.interfaces = (*INTERFACES, "wide", "dmz")
        if self.often(0.3):
            draw.shuffle(lines)
        return lines
