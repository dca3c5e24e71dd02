"""Rules in three notations: fwengine's, iptables' (legacy) and nft's; all three say the same of a packet's headers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from fwengine import Packet, Policy, loads

Range = tuple[int, int]

NAMES = {1: "icmp", 6: "tcp", 17: "udp", 33: "dccp", 58: "icmpv6", 132: "sctp", 136: "udplite"}
PORTED = (6, 17, 33, 132, 136)
FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg")  # iptables knows no more
NETS = {4: ("10.1.0.0/16", "10.1.0.5/32", "10.0.0.2/32", "10.0.0.0/30", "192.0.2.0/24", "128.0.0.0/1"),
        6: ("2001:db8::/32", "2001:db8::1/128", "2001:db8::2/128", "2001:db8::/126", "2001:db8:1::/48", "8000::/1")}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One rule for the packets of one family; what is None is not asked."""

    family: int
    allow: bool
    protocol: int | None = None
    src: str | None = None
    dst: str | None = None
    sport: Range | None = None
    dport: Range | None = None
    flags: tuple[int, int] | None = None  # the mask, and what must be set within it
    kind: int | None = None  # ICMP's type
    later: bool = False  # later fragments only; IPv4

    @property
    def asks(self) -> bool:
        """Does it look at the transport header?"""
        return any(asked is not None for asked in (self.sport, self.dport, self.flags, self.kind))

    def text(self) -> str:
        """In fwengine's language."""
        words = ["allow" if self.allow else "deny", "any" if self.protocol is None else str(self.protocol)]
        for word, net, ports in (("from", self.src, self.sport), ("to", self.dst, self.dport)):
            if net is not None or ports is not None:
                words += [word, net or "any"]
            if ports is not None:
                words += ["port", "{}-{}".format(*ports)]
        if self.flags is not None:
            words += ["flags", "/".join((_flags(self.flags[1]) or "none", _flags(self.flags[0])))]
        if self.kind is not None:
            words += ["type", str(self.kind)]
        return " ".join([*words, *(["fragment", "later"] if self.later else [])])

    def legacy(self) -> str:
        """As the words behind iptables' `-A CHAIN`."""
        words = [] if self.protocol is None else ["-p", str(self.protocol)]
        words += [word for option, net in (("-s", self.src), ("-d", self.dst)) if net for word in (option, net)]
        if self.later:
            words.append("-f")
        if self.asks and self.protocol in NAMES:
            words += ["-m", {136: "multiport", 58: "icmp6"}.get(self.protocol, NAMES[self.protocol])]
        for option, ports in (("sport", self.sport), ("dport", self.dport)):
            if ports is not None:
                numbers = [str(port) for port in dict.fromkeys(ports)]
                words += [f"--{option}{'s' * (self.protocol == 136)}", ":".join(numbers)]
        if self.flags is not None:
            words += ["--tcp-flags", _flags(self.flags[0]).upper(), _flags(self.flags[1]).upper() or "NONE"]
        if self.kind is not None:
            words += ["--icmp-type" if self.family == 4 else "--icmpv6-type", str(self.kind)]
        return " ".join([*words, "-j", "ACCEPT"])

    def nft(self) -> str:
        """As nft writes it, with the verdict `accept`: what counts is which rule takes a packet."""
        ip = "ip" if self.family == 4 else "ip6"
        words = []
        if self.protocol is not None:
            words.append(f"{'ip protocol' if self.family == 4 else 'meta l4proto'} {self.protocol}")
        words += [f"{ip} {word} {net}" for word, net in (("saddr", self.src), ("daddr", self.dst)) if net]
        if self.later:
            words.append("ip frag-off & 0x1fff != 0")
        name = NAMES.get(self.protocol or 0, "")
        words += [f"{name} {word} {p[0]}-{p[1]}" for word, p in (("sport", self.sport), ("dport", self.dport)) if p]
        if self.flags is not None:
            words.append(f"tcp flags & {self.flags[0]:#x} == {self.flags[1]:#x}")
        if self.kind is not None:
            words.append(f"{name} type {self.kind}")
        return " ".join([*words, "accept"])


def _flags(value: int) -> str:
    return ",".join(name for bit, name in enumerate(FLAGS) if value >> bit & 1)


def policy_of(rules: Sequence[Rule]) -> Policy:
    """The rule set in fwengine's language, with `deny` for what no rule takes."""
    return loads("default deny\n" + "\n".join(rule.text() for rule in rules))


def asked_first(rules: Sequence[Rule], packet: Packet) -> int | None:
    """What xtables does with a packet whose transport header is cut or would be overwritten.

    None, "dropped", as soon as a rule for its addresses and protocol asks for that header (a match's `hotdrop`); else the
    number of the rule that takes it.
    """
    for n, rule in enumerate(rules):
        around = Rule(rule.family, True, rule.protocol, rule.src, rule.dst, later=rule.later)
        if _alone(around).evaluate(packet).rule is not None:
            return None if rule.asks else n
    return len(rules)


def protocol_first(rules: Sequence[Rule], packet: Packet) -> int | None:
    """The same for a packet in which xtables finds no protocol: any rule for its addresses that names one drops it."""
    for n, rule in enumerate(rules):
        if (
            _alone(Rule(rule.family, True, None, rule.src, rule.dst, later=rule.later)).evaluate(packet).rule
            is not None
        ):
            return n if rule.protocol is None else None
    return len(rules)


@cache
def _alone(rule: Rule) -> Policy:
    return policy_of([rule])


def simple(family: int) -> list[list[Rule]]:
    """Rule sets of one rule for each thing that a rule can ask for."""
    icmp, kind = (1, 8) if family == 4 else (58, 128)
    rules = [Rule(family, True)]
    rules += [Rule(family, True, number) for number in (1, 6, 17, 33, 47, 51, 58, 59, 132, 135, 136, 139, 140)]
    rules += [Rule(family, True, number, dport=ports) for number in PORTED for ports in ((443, 443), (0, 65535))]
    rules += [Rule(family, True, number, sport=(40000, 40000)) for number in PORTED]
    rules += [
        Rule(family, True, 6, flags=(2, 2)),
        Rule(family, True, 6, flags=(0x12, 0x02)),
        Rule(family, True, 6, flags=(1, 0)),
    ]
    rules += [Rule(family, True, icmp, kind=kind), Rule(family, True, icmp, kind=0)]
    if family == 4:
        rules.append(Rule(family, True, later=True))
    return [[rule] for rule in rules]


def random_rules(draw: random.Random, family: int) -> list[Rule]:
    """A rule set of some rules that packets of the tests may match."""
    return [_random_rule(draw, family) for _ in range(draw.randint(2, 6))]


def _random_rule(draw: random.Random, family: int) -> Rule:
    icmp = 1 if family == 4 else 58
    protocol = draw.choice((None, 6, 6, 6, 17, 17, 33, 132, 136, icmp, icmp, 47, 59))
    src, dst = (draw.choice((None, None, draw.choice(NETS[family]))) for _ in range(2))
    sport = dport = flags = kind = None
    if protocol in PORTED:
        sport, dport = (
            draw.choice((None, draw.choice(((443, 443), (0, 1023), (1024, 65535), (40000, 40000))))) for _ in range(2)
        )
    if protocol == 136 and sport is not None:
        dport = None  # multiport takes one of the two
    if protocol == 6 and draw.random() < 0.4:
        mask = draw.choice((0x02, 0x12, 0x3F, 0x04, draw.randrange(1, 64)))
        flags = (mask, mask & draw.choice((0x02, 0x12, 0x10, draw.randrange(64))))
    if protocol == icmp and draw.random() < 0.6:
        kind = draw.choice((8, 0, 3) if family == 4 else (128, 129, 1))
    plain = all(asked is None for asked in (sport, dport, flags, kind))
    later = family == 4 and plain and draw.random() < 0.15
    return Rule(family, draw.random() < 0.6, protocol, src, dst, sport, dport, flags, kind, later)
