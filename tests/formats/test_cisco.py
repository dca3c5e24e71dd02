"""Cisco's access lists: what an entry matches on IOS and ASA, how lists end, what is refused, where lists are applied."""

from __future__ import annotations

import pytest
from support.points import point_of

import fwengine
from fwengine.errors import PolicyError
from fwengine.formats.chains import possible
from fwengine.formats.cisco.reader import read
from fwengine.model.rules import ALLOW, DENY

TCP = "tcp 10.1.0.5:40000 -> 192.0.2.80:443 flags syn"
UDP = "udp 10.1.0.5:53 -> 192.0.2.80:53"
PING = "icmp 10.1.0.5 -> 192.0.2.80 type 8 code 0"
LATER = "tcp 10.1.0.5 -> 192.0.2.80 fragment later"
TCP6 = "tcp [2001:db8::1]:40000 -> [2001:db8::2]:443 flags syn"
BOTH = frozenset({ALLOW, DENY})
GROUPS = """\
object-group network servers
 host 192.0.2.80
 198.51.100.0 255.255.255.0
object-group service web tcp
 port-object eq 443
object-group service mixed
 service-object tcp destination eq 443
 service-object udp destination range 1 99
object-group network more
 group-object servers
"""


def fate(text: str, packet: str, policy: str = "x") -> frozenset[fwengine.Action]:
    point = point_of(fwengine.Packet.parse(f"{packet} in none out none"))
    return possible(read(text, "router").chains, policy, point)


@pytest.mark.parametrize(
    ("entry", "packet", "expected"),
    [
        ("permit ip any any", TCP, {ALLOW}),
        ("permit tcp any any eq 443", TCP, {ALLOW}),
        ("permit tcp any any eq www", TCP, {DENY}),
        ("permit tcp any eq 40000 host 192.0.2.80 range 400 500", TCP, {ALLOW}),
        ("permit tcp any any neq 443", TCP, {DENY}),
        ("permit tcp any any eq 22 443 telnet", TCP, {ALLOW}),
        ("permit tcp any any gt 442", TCP, {ALLOW}),
        ("permit tcp any any lt 443", TCP, {DENY}),
        ("permit tcp 10.1.0.0 0.0.255.255 any", TCP, {ALLOW}),
        ("permit tcp 10.1.0.4 0.0.0.254 any", TCP, {DENY}),
        ("permit tcp 10.1.0.5 0.255.0.254 any", TCP, {ALLOW}),
        ("permit tcp any any established", TCP, {DENY}),
        ("permit tcp any any established", TCP.replace("syn", "syn,ack"), {ALLOW}),
        ("permit tcp any any syn", TCP, {ALLOW}),
        ("permit tcp any any match-all +syn -ack", TCP, {ALLOW}),
        ("permit tcp any any match-any +fin +rst", TCP, {DENY}),
        ("permit tcp any any eq 443", LATER, {ALLOW}),
        ("permit tcp any any eq 1", LATER, {ALLOW}),
        ("permit tcp any any", LATER, {ALLOW}),
        ("permit tcp any any fragments", LATER, {ALLOW}),
        ("permit tcp any any fragments", TCP, {DENY}),
        ("permit icmp any any echo", PING, {ALLOW}),
        ("permit icmp any any 8 0", PING, {ALLOW}),
        ("permit icmp any any unreachable", PING, {DENY}),
        ("permit icmp any any port-unreachable", "icmp 10.1.0.5 -> 192.0.2.80 type 3 code 3", {ALLOW}),
        ("permit udp any any eq domain log", UDP, {ALLOW}),
        ("permit tcp any any time-range work", TCP, BOTH),
        ("permit 47 any any", "47 10.1.0.5 -> 192.0.2.80", {ALLOW}),
        ("permit ip any any", TCP6, BOTH),
    ],
)
def test_entries_of_ios(entry: str, packet: str, expected: set[fwengine.Action]) -> None:
    assert fate(f"ip access-list extended x\n 10 {entry}\n", packet) == expected


def test_a_denied_port_lets_later_fragments_by() -> None:
    text = "ip access-list extended x\n deny tcp any any eq 443\n permit ip any any\n"
    assert (fate(text, TCP), fate(text, LATER)) == (frozenset({DENY}), frozenset({ALLOW}))


@pytest.mark.parametrize(
    ("entry", "packet", "expected"),
    [
        ("permit tcp any 192.0.2.0 255.255.255.0 eq https", TCP, {ALLOW}),
        ("permit tcp any object-group servers object-group web", TCP, {ALLOW}),
        ("permit tcp any object-group more eq 443", TCP, {ALLOW}),
        ("permit object-group mixed any any", TCP, {ALLOW}),
        ("permit object-group mixed any any", UDP, {ALLOW}),
        ("permit object-group mixed any any", PING, {DENY}),
        ("permit ip any any inactive", TCP, {DENY}),
        ("permit ip any4 any4", TCP6, {DENY}),
        ("permit ip any any", TCP6, {ALLOW}),
        ("permit tcp any any eq 443", LATER, BOTH),
        ("permit tcp any any", LATER, {ALLOW}),
    ],
)
def test_entries_of_asa(entry: str, packet: str, expected: set[fwengine.Action]) -> None:
    assert fate(f"ASA Version 9.9\n{GROUPS}access-list x extended {entry}\n", packet) == expected


def test_numbered_lists_and_their_order() -> None:
    text = "access-list 10 remark who\naccess-list 10 deny 10.1.0.5\naccess-list 10 permit any\n"
    assert (fate(text, TCP, "10"), fate(text, TCP.replace("10.1.0.5", "10.1.0.6"), "10")) == (
        frozenset({DENY}),
        frozenset({ALLOW}),
    )
    assert fate("ip access-list extended x\n 20 deny ip any any\n 10 permit ip any any\n", TCP) == {ALLOW}


def test_ipv6_lists_permit_neighbour_discovery_before_their_end() -> None:
    text = "ipv6 access-list x\n permit tcp any any eq 443\n"
    for message, expected in ((135, ALLOW), (136, ALLOW), (134, DENY)):
        assert fate(text, f"icmpv6 2001:db8::1 -> 2001:db8::2 type {message} code 0") == {expected}
    assert fate(text, TCP) == BOTH


def test_where_lists_are_applied() -> None:
    text = "ip access-list extended x\n permit ip any any\ninterface Gi0/1\n ip access-group x in\n ip access-group y out\n"
    document = read(text, "router")
    assert [(name, where, span.line) for name, where, span in document.applied] == [
        ("x", "to interface Gi0/1 in", 4), ("y", "to interface Gi0/1 out", 5),
    ]  # fmt: skip
    (remark,) = document.remarks
    assert (remark.code, remark.severity, remark.span.line) == ("FW454", "warning", 5)
    assert "permits everything" in remark.message


@pytest.mark.parametrize(
    ("text", "code", "line", "said"),
    [
        ("ip access-list extended x\n permit tcp any any eq 443 foo\n", "FW402", 2, "`foo` is not understood"),
        ("ip access-list extended x\n permit tpc any any\n", "FW403", 2, "`tpc` is not a protocol"),
        ("ip access-list extended x\n permit tcp any any eq wwww\n", "FW403", 2, "`wwww` is not a port"),
        ("ip access-list extended x\n permit tcp any\n", "FW406", 2, "ends where an address"),
        ("ip access-list extended x\n permit tcp any 10.0.0.0\n", "FW403", 2, "lacks its wildcard mask"),
        ("ip access-list extended x\n permit ip object-group nope any\n", "FW404", 2, "no group `nope`"),
        ("ip access-list extended x\n allow ip any any\n", "FW402", 2, "`allow` is not `permit`"),
        ("Extended IP access list 101\n    10 permit ip any any (12 matches)\n", "FW401", 1, "show access-lists"),
        ("hostname router\n", "FW407", 1, "no access list"),
    ],
)
def test_what_is_not_understood_is_refused_at_its_word(text: str, code: str, line: int, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read(text, "router")
    first = caught.value.diagnostics[0]
    assert (first.code, first.span.line) == (code, line)
    assert said in first.message
