"""One description of a policy for two languages, and small questions about policies whose answers can be judged by eye.

`Term` is a rule in words that both have; `fwl` and `pol` write a tuple of them in ours and in Aerleon's language. Knows nothing
of how either answers: `beside_aerleon.py` asks. (What the words of a `.pol` mean: Aerleon's documentation of its policy files.)
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fwengine.model.ruleset import decide
from fwengine.policy import Policy
from fwengine.traffic.codec import Packet

DAY = datetime.timedelta(days=1)
_HEADER = "header { target:: juniper bench }"


@dataclass(frozen=True)
class Term:
    """One rule in words that both languages have. Addresses and ports are texts, several of them joined by "or".

    `either` is Aerleon's `address`: source or destination. `until` is the last day on which the term counts.
    """

    action: str
    protocols: tuple[str, ...] = ()
    src: tuple[str, ...] = ()
    dst: tuple[str, ...] = ()
    src_except: tuple[str, ...] = ()
    dst_except: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    sports: tuple[str, ...] = ()
    dports: tuple[str, ...] = ()
    other_protocols: tuple[str, ...] = ()  # any but these
    types: tuple[str, ...] = ()
    established: bool = False
    fragment: str = ""  # "", "first" or "later"
    interface: str = ""
    family: str = ""  # "", "inet" or "inet6"
    until: datetime.date | None = None


def fwl(terms: Sequence[Term]) -> str:
    """The policy in our language. Rules are named after their terms, t0 and so on; the second one of `either` is t0-b."""
    lines = ["default deny"]
    for number, term in enumerate(terms):
        sides = [(term.src, term.dst)]
        if term.either:
            sides = [(term.either, term.dst), (term.src, term.either)]
        for suffix, (src, dst) in zip(("", "-b"), sides, strict=False):
            lines.append(f"{_rule(term, src, dst)} as t{number}{suffix}")
    return "\n".join(lines) + "\n"


def _rule(term: Term, src: Sequence[str], dst: Sequence[str]) -> str:
    everything = {"inet": ("0.0.0.0/0",), "inet6": ("::/0",), "": ()}[term.family]
    words = [term.action, _set(term.protocols)]
    if term.other_protocols:
        words[1] = f"not {_set(term.other_protocols)}"
    for keyword, nets, ports, cut in (
        ("from", src or everything, term.sports, term.src_except),
        ("to", dst or everything, term.dports, term.dst_except),
    ):
        if nets or ports:
            words += [keyword, _set(nets)]
            words += ["except", _set(cut)] if cut else []
            words += ["port", _set(ports)] if ports else []
    words += ["type", _set(term.types)] if term.types else []
    words += ["established"] if term.established else []
    words += ["fragment", term.fragment] if term.fragment else []
    words += ["in", term.interface] if term.interface else []
    words += ["until", str(term.until)] if term.until else []
    return " ".join(words)


def _set(words: Sequence[str]) -> str:
    return "any" if not words else words[0] if len(words) == 1 else "{ " + ", ".join(words) + " }"


def pol(terms: Sequence[Term]) -> tuple[str, list[str], list[str]]:
    """The policy in Aerleon's language, and the definitions of networks and of services that it needs."""
    text, nets, services = [_HEADER], [], []
    for number, term in enumerate(terms):
        body = []
        for word, letter, addresses in (
            ("source-address", "S", term.src),
            ("source-exclude", "X", term.src_except),
            ("destination-address", "D", term.dst),
            ("destination-exclude", "Y", term.dst_except),
            ("address", "E", term.either),
        ):
            if addresses:
                nets += [f"{letter}{number} = {addresses[0]}", *(f"  {each}" for each in addresses[1:])]
                body.append(f"{word}:: {letter}{number}")
        for word, letter, ports in (("source-port", "P", term.sports), ("destination-port", "Q", term.dports)):
            if ports:
                services.append(
                    f"{letter}{number} = " + " ".join(f"{port}/{proto}" for port in ports for proto in term.protocols)
                )
                body.append(f"{word}:: {letter}{number}")
        body += [f"protocol:: {' '.join(term.protocols)}"] if term.protocols else []
        body += [f"protocol-except:: {' '.join(term.other_protocols)}"] if term.other_protocols else []
        body += [f"icmp-type:: {' '.join(term.types)}"] if term.types else []
        body += ["option:: tcp-established"] if term.established else []
        body += [f"option:: {'is-fragment' if term.fragment == 'later' else 'first-fragment'}"] if term.fragment else []
        body += [f"source-interface:: {term.interface}"] if term.interface else []
        body += [f"restrict-address-family:: {term.family}"] if term.family else []
        body += [f"expiration:: {term.until + DAY}"] if term.until else []  # Aerleon leaves a term out from that day on
        body.append(f"action:: {'accept' if term.action == 'allow' else 'deny'}")
        text.append(f"term t{number} {{\n" + "\n".join(f"  {line}" for line in body) + "\n}")
    return "\n".join(text) + "\n", nets, services


@dataclass(frozen=True)
class Question:
    """What `aclcheck` is asked, as its own arguments; `packets` are some that fit it, in our notation, whole."""

    asked: dict[str, Any]
    packets: tuple[str, ...]

    def truth(self, policy: Policy) -> frozenset[str]:
        return frozenset(str(decide(policy, Packet.parse(packet)).action) for packet in self.packets)


@dataclass(frozen=True)
class Case:
    """A small policy with a question about a packet, or (without one) whether its last term is shaded."""

    title: str
    terms: tuple[Term, ...]
    question: Question | None = None


def ask(protocol: str, src: str, dst: str, sport: object = "any", dport: object = "any") -> dict[str, Any]:
    return {"proto": protocol, "src": src, "dst": dst, "sport": sport, "dport": dport}


A, B = "10.0.0.1", "192.0.2.1"
_REST = "state new in none out none"
_SYN = f"tcp {A}:1025 -> {B}:80 flags syn {_REST}"
_ASK = ask("tcp", A, B, "1025", "80")
_TCP80 = Term("allow", ("tcp",), dports=("80",))
_PING = Term("allow", ("icmp",), types=("echo-request",))
_PAST = datetime.date(2020, 1, 1)
CASES = (
    Case("a protocol by number in the policy", (Term("allow", ("6",)),), Question(_ASK, (_SYN,))),
    Case("a protocol by number in the question", (_TCP80,), Question({**_ASK, "proto": "6"}, (_SYN,))),
    Case(
        "`protocol-except`, and a number in the question",
        (Term("allow", other_protocols=("tcp",)),),
        Question({**_ASK, "proto": "6"}, (_SYN,)),
    ),
    Case("port 0 as an int", (_TCP80,), Question(ask("tcp", A, B, 1025, 0), (_SYN.replace(":80 ", ":0 "),))),
    Case("port 0 as text", (_TCP80,), Question(ask("tcp", A, B, "1025", "0"), (_SYN.replace(":80 ", ":0 "),))),
    Case("an expired term", (Term("allow", ("tcp",), until=_PAST),), Question(_ASK, (_SYN,))),
    Case(
        "an excluded source",
        (Term("allow", ("tcp",), src=("10.0.0.0/8",), src_except=("10.0.0.0/24",)),),
        Question(_ASK, (_SYN,)),
    ),
    Case(
        "`address`: neither side is in it",
        (Term("allow", ("tcp",), either=("172.16.0.0/12",)),),
        Question(_ASK, (_SYN,)),
    ),
    Case(
        "another address family (`restrict-address-family`)",
        (Term("allow", ("tcp",), family="inet6"),),
        Question(_ASK, (_SYN,)),
    ),
    Case(
        "IPv6 against an IPv4 prefix",
        (Term("allow", ("tcp",), src=("0.0.0.0/0",)),),
        Question(
            ask("tcp", "2001:db8::1", "2001:db8::2"), (f"tcp [2001:db8::1]:9 -> [2001:db8::2]:80 flags syn {_REST}",)
        ),
    ),
    Case(
        "an icmp type (it cannot be told one)",
        (_PING,),
        Question(
            ask("icmp", A, B), tuple(f"icmp {A} -> {B} type {t} code 0 {_REST}" for t in ("echo-request", "redirect"))
        ),
    ),
    Case(
        "an interface (it cannot be told one)",
        (Term("deny", ("tcp",), interface="eth0"), _TCP80),
        Question(_ASK, (_SYN, _SYN.replace("in none", "in eth0"))),
    ),
    Case(
        "later fragments only (`is-fragment`); the packet is whole",
        (Term("deny", ("tcp",), fragment="later"), _TCP80),
        Question(_ASK, (_SYN,)),
    ),
    Case(
        "`tcp-established`; no way to say which flags",
        (Term("deny", ("tcp",), established=True), _TCP80),
        Question(_ASK, (_SYN, _SYN.replace("flags syn", "flags ack"))),
    ),
    Case(
        "the source port left open",
        (Term("allow", ("tcp",), sports=("1024-65535",)),),
        Question(ask("tcp", A, B, "any", "80"), (_SYN, _SYN.replace(":1025", ":25"))),
    ),
    Case(
        "the source left open (`any`)",
        (Term("allow", ("tcp",), src=("10.0.0.0/8",)),),
        Question(ask("tcp", "any", B, "1025", "80"), (_SYN, _SYN.replace(A, "11.0.0.1"))),
    ),
    Case(
        "the source left open (0.0.0.0/0)",
        (Term("allow", ("tcp",), src=("10.0.0.0/8",)),),
        Question(ask("tcp", "0.0.0.0/0", B, "1025", "80"), (_SYN, _SYN.replace(A, "11.0.0.1"))),
    ),
    Case(
        "the protocol left open",
        (Term("allow", ("tcp",)),),
        Question(ask("any", A, B, "1025", "80"), (_SYN, f"udp {A}:1025 -> {B}:80 {_REST}")),
    ),
    Case("a port range, its last port", (Term("allow", ("tcp",), dports=("70-80",)),), Question(_ASK, (_SYN,))),
    Case("the same term twice", (_TCP80, _TCP80)),
    Case("a wider prefix first", (Term("allow", src=("10.0.0.0/8",)), Term("deny", src=("10.1.0.0/16",)))),
    Case(
        "two halves cover it",
        (Term("allow", src=("10.0.0.0/9",)), Term("allow", src=("10.128.0.0/9",)), Term("deny", src=("10.0.0.0/8",))),
    ),
    Case(
        "two port ranges cover it",
        (
            Term("allow", ("tcp",), dports=("1-100",)),
            Term("allow", ("tcp",), dports=("101-200",)),
            Term("deny", ("tcp",), dports=("50-150",)),
        ),
    ),
    Case("`tcp`, then `tcp udp`", (Term("allow", ("tcp",)), Term("deny", ("tcp", "udp")))),
    Case("`tcp udp`, then `tcp`", (Term("allow", ("tcp", "udp")), Term("deny", ("tcp",)))),
    Case(
        "`tcp` and `udp`, then `tcp udp`",
        (Term("allow", ("tcp",)), Term("allow", ("udp",)), Term("deny", ("tcp", "udp"))),
    ),
    Case(
        "`protocol-except tcp udp`, then `protocol-except tcp`",
        (Term("allow", other_protocols=("tcp", "udp")), Term("deny", other_protocols=("tcp",))),
    ),
    Case(
        "`protocol-except tcp`, then `protocol-except tcp udp`",
        (Term("allow", other_protocols=("tcp",)), Term("deny", other_protocols=("tcp", "udp"))),
    ),
    Case("equal icmp types", (_PING, replace(_PING, action="deny"))),
    Case("an icmp type after all icmp", (Term("allow", ("icmp",)), replace(_PING, action="deny"))),
    Case("all icmp after one type", (_PING, Term("deny", ("icmp",)))),
    Case("`tcp`, then `6`", (Term("allow", ("tcp",)), Term("deny", ("6",)))),
    Case("`protocol-except tcp`, then `udp`", (Term("allow", other_protocols=("tcp",)), Term("deny", ("udp",)))),
    Case("all, then `protocol-except tcp`", (Term("allow"), Term("deny", other_protocols=("tcp",)))),
    Case("`tcp`, then `tcp` established", (Term("allow", ("tcp",)), Term("deny", ("tcp",), established=True))),
    Case("`tcp` established, then `tcp`", (Term("allow", ("tcp",), established=True), Term("deny", ("tcp",)))),
    Case(
        "`tcp` established first fragments, then `tcp` established",
        (Term("allow", ("tcp",), established=True, fragment="first"), Term("deny", ("tcp",), established=True)),
    ),
    Case("all, then later fragments", (Term("allow", ("tcp",)), Term("deny", ("tcp",), fragment="later"))),
    Case("an expired blocker", (Term("allow", ("tcp",), until=_PAST), Term("deny", ("tcp",)))),
    Case("a blocker for one interface", (Term("allow", ("tcp",), interface="eth0"), Term("deny", ("tcp",)))),
    Case(
        "a blocker for IPv6 only",
        (Term("allow", ("tcp",), family="inet6"), Term("deny", ("tcp",), src=("10.0.0.0/8",))),
    ),
    Case("any, then IPv4", (Term("allow"), Term("deny", src=("0.0.0.0/0",)))),
    Case("IPv4, then any", (Term("allow", src=("0.0.0.0/0",)), Term("deny"))),
    Case("both families, then any", (Term("allow", src=("0.0.0.0/0", "::/0")), Term("deny"))),
    Case("all ports, then tcp", (Term("allow", ("tcp",), dports=("0-65535",)), Term("deny", ("tcp",), dports=("80",)))),
    Case(
        "an exclusion that lets it through",
        (Term("allow", src=("10.0.0.0/8",), src_except=("10.1.0.0/16",)), Term("deny", src=("10.1.0.0/16",))),
    ),
    Case(
        "a source exclusion, and another destination",
        (
            Term("allow", src=("10.0.0.0/8",), src_except=("10.1.0.0/16",), dst=("192.0.2.0/24",)),
            Term("deny", src=("10.2.0.0/16",), dst=("198.51.100.0/24",)),
        ),
    ),
    Case(
        "a destination exclusion, and another source",
        (
            Term("allow", src=("192.0.2.0/24",), dst=("10.0.0.0/8",), dst_except=("10.1.0.0/16",)),
            Term("deny", src=("198.51.100.0/24",), dst=("10.2.0.0/16",)),
        ),
    ),
    Case(
        "the excluded part came before",
        (
            Term("allow", src=("10.1.0.0/16",)),
            Term("allow", src=("10.0.0.0/8",), src_except=("10.1.0.0/16",)),
            Term("deny", src=("10.0.0.0/8",)),
        ),
    ),
    Case("all, then `address`", (Term("allow"), Term("deny", either=("10.0.0.0/8",)))),
    Case(
        "`address`, then the same as source",
        (Term("allow", either=("10.0.0.0/8",)), Term("deny", src=("10.1.0.0/16",))),
    ),
    Case("source, then `address`", (Term("allow", src=("10.0.0.0/8",)), Term("deny", either=("10.1.0.0/16",)))),
)


def policy_of(size: int, seed: int) -> tuple[Term, ...]:
    """A policy from a seed, of what both languages say alike: nested prefixes, ports, established, types, exclusions."""
    draw = random.Random(seed * 1_000_003 + size)

    def net() -> str:
        length = draw.choice((16, 20, 24, 24, 28, 32))
        value = (10 << 24 | draw.randrange(64) << 16 | draw.getrandbits(16)) >> (32 - length) << (32 - length)
        return ".".join(str(byte) for byte in value.to_bytes(4, "big")) + f"/{length}"

    out = []
    for _ in range(size):
        term = Term(draw.choice(("allow", "deny")), src=(net(),), dst=tuple({net() for _ in range(draw.randint(1, 3))}))
        kind = draw.random()
        if kind < 0.75:
            port = draw.choice((22, 25, 53, 80, 443, 8080, 8443))
            ports = (str(port),) if draw.random() < 0.7 else (f"{port}-{port + draw.randrange(1, 200)}",)
            protocol = draw.choice(("tcp", "tcp", "udp"))
            back = protocol == "tcp" and draw.random() < 0.1
            term = replace(term, protocols=(protocol,), established=back, dports=() if back else ports)
        elif kind < 0.8:
            term = replace(term, protocols=("icmp",), types=(draw.choice(("echo-request", "echo-reply")),))
        elif kind < 0.83:
            base = term.src[0].split(".")
            term = replace(
                term, src=(f"10.{base[1]}.0.0/16",), src_except=(f"10.{base[1]}.{draw.randrange(256)}.0/24",)
            )
        out.append(term)
        if draw.random() < 0.05:  # said again, further down and narrower, as policies grow
            out.insert(draw.randrange(len(out)), replace(term, src=("10.0.0.0/10",), src_except=()))
    return tuple(out[:size])
