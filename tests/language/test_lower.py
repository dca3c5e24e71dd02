"""Meaning of the language, against a second reading of it that knows only `ipaddress` and sets of numbers."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fwengine.errors import PolicyError
from fwengine.model.rules import ALLOW, DENY
from fwengine.model.ruleset import decide
from fwengine.policy import Policy, loads, region
from fwengine.registry import names
from fwengine.traffic.codec import Packet

DAY = datetime.date(2026, 1, 1)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Said:
    """An expression as text, and the elements it is meant to hold; `corners` are elements worth asking about."""

    text: str
    holds: Callable[[object], bool]
    corners: tuple[object, ...]
    simple: bool = True  # may it stand anywhere without braces?
    parts: tuple[Said, ...] = ()

    @property
    def term(self) -> str:
        return self.text if self.simple else f"{{ {self.text} }}"


def union(parts: list[Said]) -> Said:
    text = "{ " + ", ".join(p.term for p in parts) + " }"
    return Said(text, lambda x: any(p.holds(x) for p in parts), sum((p.corners for p in parts), ()), parts=tuple(parts))


def negation(part: Said) -> Said:
    return Said(f"not {part.term}", lambda x: not part.holds(x), part.corners, False, (part,))


def difference(base: Said, out: Said) -> Said:
    return Said(
        f"{base.term} except {out.term}",
        lambda x: base.holds(x) and not out.holds(x),
        base.corners + out.corners,
        False,
        (base, out),
    )


def somewhere_empty(said: Said, asked: list[object]) -> bool:
    """Does it, or a part of it, seem to hold nothing?"""
    return not any(map(said.holds, asked)) or any(somewhere_empty(part, asked) for part in said.parts)


def compounds(leaves: st.SearchStrategy[Said]) -> st.SearchStrategy[Said]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(union),
            inner.map(negation),
            st.builds(difference, inner, inner),
        ),
        max_leaves=6,
    )


# addresses


def around(lo: Address, hi: Address) -> tuple[Address, ...]:
    out = [lo, hi]
    top = 2**lo.max_prefixlen - 1
    if int(lo) > 0:
        out.append(lo - 1)
    if int(hi) < top:
        out.append(hi + 1)
    return tuple(out)


def an_address(plain: Address) -> Said:
    return Said(str(plain), lambda x: x == plain, around(plain, plain))


def a_network(plain: Address, length: int) -> Said:
    network = ipaddress.ip_network((plain, min(length, plain.max_prefixlen)), strict=False)
    return Said(str(network), lambda x: x in network, around(network[0], network[-1]))


def a_range(a: Address, b: int) -> Said:
    hi = type(a)(min(int(a) + b, 2**a.max_prefixlen - 1))
    return Said(f"{a}-{hi}", lambda x: type(x) is type(a) and a <= x <= hi, around(a, hi))  # type: ignore[operator]  # of one family


def a_wildcard(value: int, free: set[int]) -> Said:
    mask = (2**32 - 1) & ~sum(1 << bit for bit in free)
    value = value & mask | 1 << 31 & mask
    text = f"{ipaddress.IPv4Address(value)}/{ipaddress.IPv4Address(mask)}"
    corner = ipaddress.IPv4Address(value | ~mask & (2**32 - 1))
    return Said(
        text,
        lambda x: isinstance(x, ipaddress.IPv4Address) and int(x) & mask == value,
        (corner, *around(ipaddress.IPv4Address(value), ipaddress.IPv4Address(value))),
    )


plain_v4 = st.sampled_from(["0.0.0.0", "10.0.0.0", "10.1.2.3", "192.0.2.77", "255.255.255.255"]).map(
    ipaddress.IPv4Address
)
plain_v6 = st.sampled_from(["::", "2001:db8::1", "::ffff:10.0.0.1", "2001:db8:5::", "fe80::1"]).map(
    ipaddress.IPv6Address
)
plain: st.SearchStrategy[Address] = plain_v4 | plain_v6 | st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
ANY = Said("any", lambda x: True, ())
addresses = compounds(
    st.one_of(
        st.just(ANY),
        plain.map(an_address),
        st.builds(a_network, plain, st.sampled_from([0, 1, 7, 8, 24, 31, 32, 48, 64, 128])),
        st.builds(a_range, plain, st.integers(0, 2**16)),
        st.builds(a_wildcard, st.integers(0, 2**32 - 1), st.sets(st.integers(0, 30), max_size=6)),
    )
)


def policy_or_empty(text: str) -> Policy | None:
    """The policy; None if its only fault is a set that is empty."""
    try:
        return loads(text, as_of=DAY)
    except PolicyError as error:
        if {d.code for d in error.diagnostics} != {"FW128"}:
            raise
        return None


def tcp(src: Address, sport: int = 1, dport: int = 2, **more: object) -> Packet:
    """A packet to itself."""
    return Packet.of(
        "tcp",
        str(src),
        str(src),
        sport=sport,
        dport=dport,
        flags=2,
        **{"in_interface": "", "out_interface": "", **more},
    )


@given(addresses, st.booleans(), st.booleans())
@settings(max_examples=250)
def test_addresses_mean_what_the_standard_library_says(said: Said, by_name: bool, source: bool) -> None:
    side = "from" if source else "to"
    text = f"net n = {said.text}\nallow tcp {side} n" if by_name else f"allow tcp {side} {said.text}"
    policy = policy_or_empty(text)
    asked = [ipaddress.ip_address(t) for t in ("0.0.0.0", "255.255.255.255", "::", "ffff::", "10.0.0.1")]
    asked += said.corners  # type: ignore[arg-type]  # of addresses
    if policy is None:
        assert somewhere_empty(said, list(asked)), text
        return
    for point in asked:
        assert (decide(policy, tcp(point)).action is ALLOW) == said.holds(point), (text, point)


# ports


def a_port(value: int) -> Said:
    return Said(str(value), lambda x: x == value, (value, value - 1, value + 1))


def a_port_range(lo: int, width: int) -> Said:
    hi = min(lo + width, 65535)
    return Said(f"{lo}-{hi}", lambda x: lo <= x <= hi, (lo - 1, lo, hi, hi + 1))  # type: ignore[operator]  # a number


def a_comparison(operator: str, value: int) -> Said:
    holds = {">=": int.__ge__, "<=": int.__le__, ">": int.__gt__, "<": int.__lt__}[operator]
    return Said(f"{operator} {value}", lambda x: bool(holds(x, value)), (value, value - 1, value + 1))  # type: ignore[arg-type]  # a number


CLASSES = {
    "well-known": (0, 1023), "system": (0, 1023), "privileged": (0, 1023), "registered": (1024, 49151), "dynamic": (49152, 65535),
    "private": (49152, 65535), "ephemeral": (49152, 65535), "unprivileged": (1024, 65535), "ssh": (22, 22), "x11": (6000, 6063),
    "ftp-ssh": (21, 22),
}  # fmt: skip


def a_class(name: str) -> Said:
    lo, hi = CLASSES[name]
    return Said(name, lambda x: lo <= x <= hi, (lo - 1, lo, hi, hi + 1))  # type: ignore[operator]  # a number


port = st.integers(0, 65535) | st.sampled_from([0, 1, 79, 80, 1023, 1024, 65535])
port_sets = compounds(
    st.one_of(
        port.map(a_port),
        st.builds(a_port_range, port, st.integers(0, 3000)),
        st.builds(a_comparison, st.sampled_from([">=", "<=", ">", "<"]), st.integers(1, 65534)),
        st.sampled_from(sorted(CLASSES)).map(a_class),
    )
)


@given(port_sets, st.booleans(), st.booleans())
@settings(max_examples=250)
def test_ports_are_sets_of_numbers(said: Said, by_name: bool, source: bool) -> None:
    side = "from" if source else "to"
    text = (
        f"ports p = {said.text}\nallow tcp {side} any port p" if by_name else f"allow tcp {side} any port {said.text}"
    )
    policy = policy_or_empty(text)
    here = ipaddress.IPv4Address("10.0.0.1")
    asked = [v for v in [0, 65535, 80, *said.corners] if isinstance(v, int) and 0 <= v <= 65535]
    if policy is None:
        assert somewhere_empty(said, list(asked)), text
        return
    for value in asked:
        packet = tcp(here, sport=value, dport=7) if source else tcp(here, sport=7, dport=value)
        assert (decide(policy, packet).action is ALLOW) == said.holds(value), (text, value)


# protocols and services


def allowed(text: str, packet: Packet) -> bool:
    full = replace(packet, in_interface=packet.in_interface or "", out_interface=packet.out_interface or "")
    if full.flags is None and full.protocol == 6 and full.fragment != "later":
        full = replace(full, flags=16)
    return decide(loads(text, as_of=DAY), full).action is ALLOW


def p(text: str) -> Packet:
    return Packet.parse(text)


SERVICES = [
    # definitions, protocol expression, allowed (protocol, destination port), denied
    ("", "{ tcp/http, udp/domain }", [(6, 80), (17, 53)], [(6, 53), (17, 80), (132, 80)]),
    ("service dns = { udp/domain, tcp/domain }", "dns", [(6, 53), (17, 53)], [(6, 54), (132, 53)]),
    ("service a = tcp/1-9\nservice b = { a, udp/5 }", "b", [(6, 1), (6, 9), (17, 5)], [(17, 1), (6, 10), (17, 9)]),
    ("service a = { tcp/1, tcp }", "a", [(6, 1), (6, 2)], [(17, 1)]),
    ("service a = { tcp/1, 47 }", "{ a, sctp/2 }", [(6, 1), (132, 2)], [(6, 2), (132, 1)]),
    ("ports p = { 1, 2 }", "{ tcp/p, udp/3 }", [(6, 1), (6, 2), (17, 3)], [(6, 3), (17, 1)]),
    ("", "tcp/registered", [(6, 1024), (6, 49151)], [(6, 1023), (6, 49152)]),
    ("", "not { udp, tcp }", [(132, 1), (33, 1)], [(6, 1), (17, 1)]),
    ("", "any except tcp", [(17, 1)], [(6, 1)]),
    ("", "{ 6, UDP }", [(6, 1), (17, 1)], [(132, 1)]),
    ("service tcp-any = tcp", "{ tcp-any, udp/1 }", [(6, 9), (17, 1)], [(17, 9)]),
]


@pytest.mark.parametrize(("head", "protocol", "yes", "no"), SERVICES)
def test_a_service_never_crosses_protocols_with_ports(
    head: str, protocol: str, yes: list[tuple[int, int]], no: list[tuple[int, int]]
) -> None:
    text = f"{head}\nallow {protocol} from any to any"
    for pairs, wanted in ((yes, True), (no, False)):
        for number, dport in pairs:
            assert allowed(text, p(f"{number} 10.0.0.1:7 -> 10.0.0.2:{dport}")) is wanted, (number, dport)


def test_names_are_those_of_each_protocol() -> None:
    # `imap` is tcp's alone; `http` both have; a name may stand for different ports
    with pytest.raises(PolicyError, match="`imap` is tcp only"):
        loads("allow { tcp, udp } to any port imap")
    policy = loads("allow { tcp, udp } to any port http", as_of=DAY)
    assert [box.sets[0].ranges for rule in policy.rules for box in rule.boxes] == [((6, 6), (17, 17))]
    differing = next(
        name
        for name in names._services()
        if len({s.ranges for n, s in names.protocols_of(name).items() if n in (6, 17)}) == 2
        and all(s.size == 1 for s in names.protocols_of(name).values())
    )
    ports = {n: s.lo for n, s in names.protocols_of(differing).items()}
    text = f"allow {{ tcp, udp }} to any port {differing}"
    assert allowed(text, p(f"tcp 10.0.0.1:7 -> 10.0.0.2:{ports[6]}"))
    assert not allowed(text, p(f"tcp 10.0.0.1:7 -> 10.0.0.2:{ports[17]}"))
    assert not allowed(text, p(f"udp 10.0.0.1:7 -> 10.0.0.2:{ports[6]}"))


MATCHES = [
    # rule, packets that match, packets that do not
    (
        "tcp established",
        ["tcp 10.0.0.1:1 -> 10.0.0.2:2 flags ack", "tcp ::1 -> ::2 flags rst,cwr"],
        ["tcp 10.0.0.1 -> 10.0.0.2 flags syn", "udp 10.0.0.1 -> 10.0.0.2"],
    ),
    (
        "tcp flags syn/syn,ack",
        ["tcp 10.0.0.1:1 -> 10.0.0.2:2 flags syn,psh"],
        ["tcp 10.0.0.1:1 -> 10.0.0.2:2 flags syn,ack", "tcp 10.0.0.1:1 -> 10.0.0.2:2 flags none"],
    ),
    (
        "tcp flags { syn/all, none/all }",
        ["tcp 10.0.0.1:1 -> 10.0.0.2:2 flags none", "tcp 10.0.0.1 -> 10.0.0.2 flags syn"],
        ["tcp 10.0.0.1 -> 10.0.0.2 flags syn,ece"],
    ),
    (
        "tcp flags not syn/syn",
        ["tcp 10.0.0.1 -> 10.0.0.2 flags none"],
        ["tcp 10.0.0.1 -> 10.0.0.2 flags all", "tcp 10.0.0.1 -> 10.0.0.2 fragment later"],
    ),
    (
        "tcp established flags fin/fin",
        ["tcp 10.0.0.1 -> 10.0.0.2 flags fin,ack"],
        ["tcp 10.0.0.1 -> 10.0.0.2 flags fin", "tcp 10.0.0.1 -> 10.0.0.2 flags ack"],
    ),
    (
        "icmp type echo-request",
        ["icmp 10.0.0.1 -> 10.0.0.2 type 8 code 0"],
        ["icmp 10.0.0.1 -> 10.0.0.2 type 0 code 0", "icmpv6 ::1 -> ::2 type 128 code 0", "1 ::1 -> ::2"],
    ),
    (
        "icmpv6 type echo-request",
        ["icmpv6 ::1 -> ::2 type 128 code 0"],
        ["icmp 10.0.0.1 -> 10.0.0.2 type 8 code 0", "58 10.0.0.1 -> 10.0.0.2"],
    ),
    (
        "{ icmp, icmpv6 } type { echo-request, echo-reply }",
        ["icmp 10.0.0.1 -> 10.0.0.2 type 8 code 0", "icmpv6 ::1 -> ::2 type 129 code 0"],
        ["icmp 10.0.0.1 -> 10.0.0.2 type 128 code 0"],
    ),
    (
        "icmp type destination-unreachable code port-unreachable",
        ["icmp 10.0.0.1 -> 10.0.0.2 type 3 code 3"],
        ["icmp 10.0.0.1 -> 10.0.0.2 type 3 code 4", "icmp 10.0.0.1 -> 10.0.0.2 type 5 code 3"],
    ),
    (
        "icmp type 3-5 code not 0",
        ["icmp 10.0.0.1 -> 10.0.0.2 type 4 code 1"],
        ["icmp 10.0.0.1 -> 10.0.0.2 type 3 code 0", "icmp 10.0.0.1 -> 10.0.0.2 fragment later"],
    ),
    ("icmp type >= 250", ["icmp 10.0.0.1 -> 10.0.0.2 type 255 code 1"], ["icmp 10.0.0.1 -> 10.0.0.2 type 249 code 1"]),
    (
        "icmp",
        ["icmp 10.0.0.1 -> 10.0.0.2 type 3 code 0", "1 ::1 -> ::2", "icmp 10.0.0.1 -> 10.0.0.2 fragment later"],
        ["icmpv6 ::1 -> ::2 type 1 code 1"],
    ),
    (
        "udp to any port not 80",
        ["udp 10.0.0.1:80 -> 10.0.0.2:81"],
        ["udp 10.0.0.1:81 -> 10.0.0.2:80", "udp 10.0.0.1 -> 10.0.0.2 fragment later"],
    ),
    (
        "any fragment later",
        ["udp 10.0.0.1 -> 10.0.0.2 fragment later"],
        ["udp 10.0.0.1:1 -> 10.0.0.2:1", "udp 10.0.0.1:1 -> 10.0.0.2:1 fragment first"],
    ),
    ("any fragment not whole", ["47 10.0.0.1 -> 10.0.0.2 fragment first"], ["47 10.0.0.1 -> 10.0.0.2"]),
    (
        "any in wan0",
        ["47 10.0.0.1 -> 10.0.0.2 in wan0"],
        ["47 10.0.0.1 -> 10.0.0.2 in wan1", "47 10.0.0.1 -> 10.0.0.2 in none", "47 10.0.0.1 -> 10.0.0.2 out wan0"],
    ),
    (
        "any in not wan0",
        ["47 10.0.0.1 -> 10.0.0.2 in wan1"],
        ["47 10.0.0.1 -> 10.0.0.2 in wan0", "47 10.0.0.1 -> 10.0.0.2 in none"],
    ),
    (
        "any in none",
        ["47 10.0.0.1 -> 10.0.0.2 in none"],
        ['47 10.0.0.1 -> 10.0.0.2 in "none"', "47 10.0.0.1 -> 10.0.0.2 in a"],
    ),
    ('any in "none"', ['47 10.0.0.1 -> 10.0.0.2 in "none"'], ["47 10.0.0.1 -> 10.0.0.2 in none"]),
    (
        "any in { none, not wan0 }",
        ["47 10.0.0.1 -> 10.0.0.2 in none", "47 10.0.0.1 -> 10.0.0.2 in wan1"],
        ["47 10.0.0.1 -> 10.0.0.2 in wan0"],
    ),
    ("any in not none", ['47 10.0.0.1 -> 10.0.0.2 in "none"'], ["47 10.0.0.1 -> 10.0.0.2 in none"]),
    ("any out { wan0,wan1 }", ["47 10.0.0.1 -> 10.0.0.2 out wan1"], ["47 10.0.0.1 -> 10.0.0.2 in wan1"]),
    ('any in "eth+"', ['47 10.0.0.1 -> 10.0.0.2 in "eth+"'], ["47 10.0.0.1 -> 10.0.0.2 in eth0"]),
    (
        "any state { established, related }",
        ["47 10.0.0.1 -> 10.0.0.2 state related"],
        ["47 10.0.0.1 -> 10.0.0.2", "tcp 10.0.0.1 -> 10.0.0.2 flags ack"],
    ),
    ("any state not new", ["47 10.0.0.1 -> 10.0.0.2 state invalid"], ["47 10.0.0.1 -> 10.0.0.2"]),
    ("any", ["47 10.0.0.1 -> 10.0.0.2", "47 ::1 -> ::2"], []),
    ("any from 0.0.0.0/0", ["47 10.0.0.1 -> 10.0.0.2"], ["47 ::ffff:10.0.0.1 -> ::2"]),
    ("any from { 10.0.0.0/8, ::/0 } to ::1", ["47 ::2 -> ::1"], ["47 10.0.0.1 -> 10.0.0.2"]),
    ("47 from 10.0.0.1 to 10.0.0.2 log", ["gre 10.0.0.1 -> 10.0.0.2"], ["gre 10.0.0.2 -> 10.0.0.1"]),
    ("tcp from any port 0 to any port 0", ["tcp 10.0.0.1:0 -> 10.0.0.2:0"], ["tcp 10.0.0.1:0 -> 10.0.0.2:1"]),
]


@pytest.mark.parametrize(("rule", "yes", "no"), MATCHES, ids=[m[0] for m in MATCHES])
def test_matches(rule: str, yes: list[str], no: list[str]) -> None:
    for texts, wanted in ((yes, True), (no, False)):
        for text in texts:
            packet = p(text)
            for name in ("icmp_type", "icmp_code", "sport", "dport"):  # what the line leaves open is some value
                if getattr(packet, name) is None and packet.sets[3:7] and _has(packet, name):
                    packet = replace(packet, **{name: 7})  # type: ignore[arg-type]  # a field by its name
            assert allowed(f"allow {rule}", packet) is wanted, text


def _has(packet: Packet, name: str) -> bool:
    field = {"sport": 3, "dport": 4, "icmp_type": 5, "icmp_code": 6}[name]
    return packet.sets[field].size > 1


def test_until_ends_with_its_day() -> None:
    policy = loads("allow any until 2027-06-30 as x", as_of=datetime.date(2027, 6, 30))
    packet = replace(p("47 10.0.0.1 -> 10.0.0.2"), in_interface="", out_interface="")
    assert decide(policy, packet).action is ALLOW
    assert decide(replace(policy, as_of=datetime.date(2027, 7, 1)), packet).action is DENY
    assert policy.rules[0].until == datetime.date(2027, 6, 30)


def test_rules_carry_their_words_and_places() -> None:
    policy = loads(
        "# x\n\n allow tcp from { 10.0.0.1, # c\n 10.0.0.2 } port 80 established in wan0 log as y # z", as_of=DAY
    )
    (rule,) = policy.rules
    assert (rule.span.line, rule.span.column, rule.span.end_line) == (3, 2, 4)
    assert (rule.label, rule.log) == ("y", True)
    assert rule.written == ((0, "tcp"), (1, "{ 10.0.0.1, 10.0.0.2 }"), (3, "80"), (7, "established"), (9, "wan0"))
    assert loads("deny any", file="d/f.fwl").rules[0].label == "d/f.fwl:1"


def test_definitions_count_their_mentions() -> None:
    text = """ports a = 1
ports b = { a, a }
service s = { tcp/b, udp/b }
net n = 10.0.0.0/8
allow s from n to n
allow { tcp, udp, sctp } from any port b
expect allow tcp from n port b"""
    uses = {d.name: d.uses for d in loads(text).definitions}
    assert uses == {"a": 2, "b": 4, "s": 1, "n": 3}


def test_a_default_is_deny_unless_stated() -> None:
    assert loads("").default is DENY
    assert loads("default allow").default is ALLOW


def test_expectations() -> None:
    text = """allow tcp to 10.0.0.1 port 80 as web
deny any
expect allow tcp 10.0.0.2:1->10.0.0.1:http by web
expect deny any from any by f.fwl:2
expect deny udp by d/f.fwl:2
expect deny udp from any by default"""
    claims = loads(text, file="d/f.fwl").expectations
    assert [c.by for c in claims] == ["web", "d/f.fwl:2", "d/f.fwl:2", "default"]
    assert [c.text for c in claims][:2] == ["tcp 10.0.0.2:1 -> 10.0.0.1:http", "any from any"]
    assert claims[0].packet == p("tcp 10.0.0.2:1 -> 10.0.0.1:80")
    assert claims[1].packet is None
    assert claims[2].span.line == 5


AMBIGUOUS = [
    # what people read in two ways, and the two that they may write instead
    ("{ not 10.0.0.1, 10.0.0.2 }", ["not { 10.0.0.1, 10.0.0.2 }", "{ { not 10.0.0.1 }, 10.0.0.2 }"]),
    ("{ any except 10.0.0.1, 10.0.0.2 }", ["any except { 10.0.0.1, 10.0.0.2 }", "{ { any except 10.0.0.1 }, 10.0.0.2 }"]),
    ("not 10.0.0.0/8 except 10.0.0.1", ["not { 10.0.0.0/8, 10.0.0.1 }", "not { 10.0.0.0/8 except 10.0.0.1 }"]),
    ("any except 10.0.0.0/8 except 10.0.0.1", ["any except { 10.0.0.0/8, 10.0.0.1 }", "any except { 10.0.0.0/8 except 10.0.0.1 }"]),
]  # fmt: skip


@pytest.mark.parametrize(("written", "clear"), AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused(written: str, clear: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        loads(f"net n = {written}")
    (told,) = caught.value.diagnostics
    assert told.code == "FW024"
    first, second = (region(None, f"any from {text}") for text in clear)
    assert first != second


@pytest.mark.parametrize(
    "text",
    [
        "{ 10.0.0.0/8 except 10.1.0.0/16, 192.168.0.0/16 }",
        "any except 10.0.0.0/8 except 192.168.0.0/16",
        "{ not 10.0.0.1 }",
        "10.0.0.0/8 except not 10.1.0.0/16",
        "not not 10.0.0.1",
    ],
)
def test_what_can_be_read_in_one_way_only_is_accepted(text: str) -> None:
    assert region(None, f"any from {text}")


@given(st.lists(st.sampled_from(["10.0.0.0/8", "any", "2001:db8::/32", "192.0.2.1-192.0.2.9"]), min_size=2, max_size=2))
def test_families(ends: list[str]) -> None:
    v6 = [e.startswith("2001") for e in ends]
    v4 = [e[0] == "1" for e in ends]
    hopeless = (v4[0] and v6[1]) or (v6[0] and v4[1])
    codes = []
    try:
        region(None, f"tcp from {ends[0]} to {ends[1]}")
    except PolicyError as error:
        codes = [d.code for d in error.diagnostics]
    assert codes == (["FW117"] if hopeless else [])


def test_icmp_over_the_other_family_is_a_protocol_without_types() -> None:
    """As Linux' filters have it (`tests/kernel`): `-p icmp` takes protocol 1 in either family."""
    for rule, packet in (
        ("icmp from ::/0", "icmp 2001:db8::1 -> 2001:db8::2"),
        ("{ tcp, icmp } to 2001:db8::1", "icmp ::1 -> 2001:db8::1"),
        ("icmpv6 from 10.0.0.1", "icmpv6 10.0.0.1 -> 10.0.0.2"),
        ("icmp", "icmp ::1 -> ::2"),
        ("1 from ::/0", "icmp ::1 -> ::2"),
    ):
        policy = loads(f"default deny\nallow {rule} as it")
        assert policy.evaluate(Packet.parse(packet)).by == "it"
        (witness,) = [found.witness for found in policy.query(f"allow {rule}")][:1]
        assert policy.evaluate(witness).by == "it"
        assert policy.prove(f"allow {rule}").holds
    for rule in ("icmp from ::/0 type echo-request", "icmpv6 from 10.0.0.1 type 128", "icmp to ::1 type 8 code 0"):
        with pytest.raises(PolicyError) as caught:
            loads(f"deny {rule}")
        assert [d.code for d in caught.value.diagnostics] == ["FW117"]
    assert loads("net n = { ::1, 10.0.0.1 }\ndeny icmp from n\ndeny icmpv6 from n").rules


@given(st.data())
@settings(max_examples=30)
def test_regions_know_the_names_of_a_policy(data: st.DataObject) -> None:
    policy = loads("net n = 10.0.0.0/8\nports p = { 80, 443 }\nservice s = tcp/p\ndeny any", as_of=DAY)
    text, plain = data.draw(
        st.sampled_from(
            [
                ("tcp from n", "tcp from 10.0.0.0/8"),
                ("tcp to n port p", "tcp to 10.0.0.0/8 port { 80, 443 }"),
                ("s", "tcp to any port { 80, 443 }"),
            ]
        )
    )
    assume(text)
    assert region(policy, text) == region(None, plain)
