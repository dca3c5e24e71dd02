"""Cisco's access lists: what an entry matches on IOS and ASA, how lists end, what is refused, where lists are applied."""

from __future__ import annotations

import random

import pytest
from support.points import point_of

import fwengine
from fwengine.errors import PolicyError
from fwengine.formats.chains import possible
from fwengine.formats.cisco.entries import ASA, NXOS
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
object network host80
 host 192.0.2.80
object network host80
 nat (inside,outside) static interface
object network example
 fqdn www.example.com
object service secure
 service tcp source gt 1023 destination eq https
object-group service numbers tcp-udp
 port-object range 400 500
object-group protocol both
 protocol-object tcp
 protocol-object udp
object-group icmp-type pings
 icmp-object echo
name 192.0.2.80 www
"""
NEXUS = """\
object-group ip address servers
  10 host 192.0.2.80
  20 10.9.0.0/16
  30 10.8.0.0 0.0.255.255
object-group ip address nobody
object-group ip port web
  10 eq 443
  20 range 8000 8080
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
        ("permit tcp any any dscp ef", f"{TCP} dscp ef ttl 9 length 99", {ALLOW}),
        ("permit tcp any any dscp ef", f"{TCP} dscp af11 ttl 9 length 99", {DENY}),
        ("permit tcp any any dscp 46", f"{TCP} dscp ef ttl 9 length 99", {ALLOW}),
        ("permit tcp any any precedence critical", f"{TCP} dscp ef ttl 9 length 99", {ALLOW}),
        ("permit tcp any any precedence 4", f"{TCP} dscp ef ttl 9 length 99", {DENY}),
        ("permit tcp any any tos min-delay", f"{TCP} dscp cs1 ttl 9 length 99", {DENY}),
        ("permit tcp any any tos 12", f"{TCP} dscp 6 ttl 9 length 99", BOTH),
        ("permit tcp any any ttl lt 10", f"{TCP} dscp ef ttl 9 length 99", {ALLOW}),
        ("permit tcp any any ttl eq 3 9", f"{TCP} dscp ef ttl 9 length 99", {ALLOW}),
        ("permit tcp any any ttl neq 3 9", f"{TCP} dscp ef ttl 9 length 99", {DENY}),
        ("permit tcp any any ttl range 10 200", f"{TCP} dscp ef ttl 9 length 99", {DENY}),
        ("permit tcp any any eq 22 443 established log mine", TCP.replace("syn", "ack"), {ALLOW}),
        ("permit tcp any any syn ack", TCP, BOTH),
        ("permit tcp any any syn ack", TCP.replace("syn", "syn,ack"), {ALLOW}),
        ("permit tcp any any option any-options", TCP, BOTH),
        ("permit tcp any any reflect back timeout 300", TCP, {ALLOW}),
        ("evaluate back", TCP, BOTH),
        ("dynamic door timeout 5 permit tcp any any", TCP, BOTH),
        ("permit icmp any any unreachable 4", "icmp 10.1.0.5 -> 192.0.2.80 type 3 code 4", {ALLOW}),
        ("permit igmp any any host-report", "2 10.1.0.5 -> 192.0.2.80", BOTH),
        ("permit tcp 10.1.0.0/16 any", TCP, {ALLOW}),
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
        ("permit tcp any host www eq https", TCP, {ALLOW}),
        ("permit tcp any object host80 object-group numbers", TCP, {ALLOW}),
        ("permit object secure any any", TCP, {ALLOW}),
        ("permit object-group both any any eq 443", TCP, {ALLOW}),
        ("permit object-group both any any eq 443", UDP, {DENY}),
        ("permit icmp any any object-group pings", PING, {ALLOW}),
        ("permit icmp6 any any echo", "icmpv6 2001:db8::1 -> 2001:db8::2 type 128 code 0", {ALLOW}),
        ("permit tcp any object example eq 443", TCP, BOTH),
        ("permit tcp any interface outside eq 443", TCP, BOTH),
        ("permit tcp user LOCAL\\joe any any eq 443", TCP, BOTH),
        ("permit tcp security-group name staff any any", TCP, BOTH),
        ("permit tcp any any eq 443 log warnings interval 60", TCP, {ALLOW}),
        ("permit tcp any any eq 443 log disable time-range work", TCP, BOTH),
        ("permit ah any any", "51 10.1.0.5 -> 192.0.2.80", {ALLOW}),
        ("permit ah any any", TCP6, BOTH),
        ("permit tcp any6 any6", TCP6, {ALLOW}),
        ("permit tcp 2001:db8::/32 any eq 443", TCP6, {ALLOW}),
    ],
)
def test_entries_of_asa(entry: str, packet: str, expected: set[fwengine.Action]) -> None:
    assert fate(f"ASA Version 9.9\n{GROUPS}access-list x extended {entry}\n", packet) == expected


@pytest.mark.parametrize(
    ("entry", "packet", "expected"),
    [
        ("permit tcp any addrgroup servers portgroup web", TCP, {ALLOW}),
        ("permit tcp any addrgroup servers portgroup web", TCP.replace(":443", ":444"), {DENY}),
        ("permit tcp 10.0.0.0/8 any eq 443", TCP, {ALLOW}),
        ("permit tcp 10.1.0.0 0.0.255.255 any", TCP, {ALLOW}),
        ("permit tcp any any eq 443", LATER, BOTH),
        ("deny tcp any any eq 443", LATER, {DENY}),
        ("permit tcp any any eq 443\n  fragments deny-all", LATER, BOTH),
        ("permit udp any any\n  fragments permit-all", LATER, {ALLOW}),
        ("permit tcp any any packet-length gt 98", f"{TCP} dscp ef ttl 9 length 99", {ALLOW}),
        ("permit tcp any any packet-length lt 99", f"{TCP} dscp ef ttl 9 length 99", {DENY}),
        ("permit tcp any any vlan 7", TCP, BOTH),
        ("permit tcp any addrgroup nobody", TCP, BOTH),
        ("permit tcp any any capture session 1", TCP, {ALLOW}),
    ],
)
def test_entries_of_nx_os(entry: str, packet: str, expected: set[fwengine.Action]) -> None:
    text = f"{NEXUS}ip access-list x\n  statistics per-entry\n  5 remark why\n  10 {entry}\n"
    assert fate(text, packet) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("20 deny ip any any|10 permit ip any any", [4, 3]),
        ("20 deny ip any any|permit ip any any|10 permit udp any any", [5, 3, 4]),
        ("deny ip any any|15 permit ip any any|no 10", [4]),
        ("deny ip any any|permit ip any any|no deny ip any any", [4]),
        ("10 permit udp any any|10 permit udp any any", [3]),
        ("deny udp any any|permit ip any any|no remark nothing", [3, 4]),
        ("30 deny udp any any|40 permit ip any any|!|ip access-list resequence x 100 5|ip access-list extended x|102 permit tcp any any",
         [3, 8, 4]),
    ],
)  # fmt: skip
def test_entries_stand_in_the_order_of_their_numbers(rows: str, expected: list[int]) -> None:
    body = "\n".join(row if row[0] in "!i" else f" {row}" for row in rows.split("|"))
    chain = read(f"!\nip access-list extended x\n{body}\n", "router").chains.chains["x"]
    assert [line.span.line for line in chain.lines if not line.implied] == expected


def test_a_line_of_asa_goes_where_it_says() -> None:
    rows = ["remark a", "extended deny ip any any", "line 2 extended permit tcp any any"]
    text = "\n".join(["ASA Version 9.9", *(f"access-list x {row}" for row in rows), ""])
    assert [line.span.line for line in read(text, "asa").chains.chains["x"].lines] == [4, 3]


def test_lists_that_are_taken_away_are_gone() -> None:
    text = "access-list 10 permit any\nip access-list extended x\n permit ip any any\nno access-list 10\nno ip access-list extended x\n"
    document = read(f"{text}access-list 11 permit any\n", "router")
    assert list(document.policies) == ["11"]


def test_a_list_without_entries_permits_on_ios_and_is_found() -> None:
    text = "ip access-list extended x\n remark later\ninterface Gi0/1\n ip access-group x in\n"
    assert fate(text, TCP) == {ALLOW}
    (remark,) = read(text, "router").remarks
    assert (remark.code, remark.severity, remark.span.line) == ("FW470", "warning", 1)
    assert fate("ip access-list x\n  statistics per-entry\n", TCP) == BOTH


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


def test_ipv6_lists_of_nx_os_permit_routers_too() -> None:
    text = "feature x\nipv6 access-list x\n  10 permit tcp any any eq 443\n"
    for message, expected in ((133, ALLOW), (134, ALLOW), (135, ALLOW), (136, ALLOW), (137, DENY)):
        assert fate(text, f"icmpv6 2001:db8::1 -> 2001:db8::2 type {message} code 0") == {expected}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("interface Gi0/1|  ip access-group x in", [("to interface Gi0/1 in", 4)]),
        ("interface Gi0/1|  ip access-group x in|  no ip access-group x in", []),
        ("interface Eth1/1|  ip port access-group x in", [("to interface Eth1/1 (port) in", 4)]),
        ("line vty 0 4|  access-class x in", [("to line vty 0 4 in", 4)]),
        ("route-map m permit 10|  match ip address x", [("by route-map m permit 10", 4)]),
        ("class-map match-all c|  match access-group name x", [("by class-map match-all c", 4)]),
        ("crypto map m 10 ipsec-isakmp|  match address x", [("by crypto map m 10 ipsec-isakmp", 4)]),
        ("crypto map m 10 match address x", [("by crypto map m 10", 3)]),
        ("ip nat inside source list x interface Gi0/1 overload", [("by ip nat", 3)]),
        ("access-group x in interface outside", [("in interface outside", 3)]),
        ("access-group x global", [("globally", 3)]),
        ("vlan access-map m 10|  match ip address x|  action drop|vlan filter m vlan-list 5-7",
         [("by vlan access-map m 10 (drop), vlan-list 5-7", 4)]),
        ("vlan access-map m 10|  match ip address x|  action forward", [("by vlan access-map m 10 (forward), of no VLAN", 4)]),
    ],
)  # fmt: skip
def test_each_use_of_a_list_is_told(rows: str, expected: list[tuple[str, int]]) -> None:
    text = "ip access-list extended x\n permit ip any any\n" + rows.replace("|", "\n") + "\n"
    document = read(text, "router")
    assert [(where, span.line) for _, where, span in document.applied] == expected
    assert not document.remarks


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
        ("IP access list x\n\t10 permit ip any any [match=10]\n", "FW401", 1, "show access-lists"),
        ("access-list x; 2 elements; name hash: 0x1\n", "FW401", 1, "show access-lists"),
        (
            "ip access-list extended x\n 10 permit tcp any any\n 10 permit udp any any\n",
            "FW403",
            3,
            "number 10 is that of line 2",
        ),
        ("ip access-list extended x\n no 10\n", "FW404", 2, "no such entry"),
        ("ip access-list extended x\n permit ip any any eq 80\n", "FW403", 2, "ports are of protocols that have them"),
        ("ip access-list extended x\n permit ip any any established\n", "FW403", 2, "of tcp alone"),
        ("ip access-list extended x\n permit tcp any any ttl eq 256\n", "FW403", 2, "`256` is not a number up to 255"),
        ("ip access-list extended x\n permit tcp any any ttl 5\n", "FW403", 2, "`eq`, `neq`"),
        ("ip access-list extended x\n permit tcp any any dscp ff\n", "FW403", 2, "`ff` is not a number up to 63"),
        ("ip access-list extended x\n permit tcp 2001:db8::/32 any\n", "FW403", 2, "not of this list's family"),
        (
            "object-group network g\n group-object h\nip access-list extended x\n permit ip object-group g any\n",
            "FW404",
            4,
            "no group `h`, which line 2 puts into `g`",
        ),
        (
            "object-group service g tcp\n port-object eq 80\naccess-list x extended permit ip any object-group g\n",
            "FW403",
            3,
            "ports are of protocols that have them",
        ),
        (
            "object-group service g tcp\n port-object eq 80\naccess-list x extended permit object-group g any any\n",
            "FW403",
            3,
            "`g` is a group of ports, and services or protocols are expected",
        ),
        (
            "object-group network g\nobject-group service g tcp\nip access-list extended x\n",
            "FW402",
            2,
            "is the name of another group, on line 1",
        ),
        ("ASA Version 9\naccess-list x extended permit tcp any 10.0.0.0\n", "FW403", 2, "lacks its netmask"),
        ("ip access-list extended x\n permit tcp any any\nip access-list resequence y\n", "FW404", 3, "no list `y`"),
    ],
)
def test_what_is_not_understood_is_refused_at_its_word(text: str, code: str, line: int, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read(text, "router")
    first = caught.value.diagnostics[0]
    assert (first.code, first.span.line) == (code, line)
    assert said in first.message


def test_lists_that_are_not_about_packets_are_told() -> None:
    text = "ASA Version 9.9\naccess-list r standard permit 10.0.0.0 255.0.0.0\naccess-list e ethertype permit bpdu\n"
    document = read(f"{text}access-list x extended permit ip any any\n", "asa")
    assert list(document.policies) == ["x"]
    assert [(remark.code, remark.span.line) for remark in document.remarks] == [("FW452", 2), ("FW452", 3)]


EVERYTHING = (
    f"{GROUPS}{NEXUS}"
    + """\
access-list 10 permit 10.0.0.0 0.0.255.255 log
ip access-list extended x
 30 permit object-group mixed any object-group servers
 20 deny tcp any any eq telnet 22 log mine
 permit tcp any any match-all +syn -ack dscp ef ttl range 1 9
 permit ip any any precedence critical tos min-delay time-range work
 evaluate back sequence 90
 dynamic door timeout 5 permit ip any any
 no 20
ip access-list resequence x 100 5
ipv6 access-list six
 permit tcp 2001:db8::/32 any eq 443 sequence 20
vlan access-map m 10
 match ip address x
access-group x in interface outside
"""
)


def test_a_file_cut_anywhere_is_read_or_refused() -> None:
    refused = 0
    for end in range(0, len(EVERYTHING), 2):
        for dialect in (None, ASA, NXOS):
            try:
                read(EVERYTHING[:end], "router", dialect=dialect)
            except PolicyError:
                refused += 1
    assert refused > 100


def test_a_damaged_file_is_read_or_refused() -> None:
    """Words in the wrong places, missing, twice; characters of other kinds."""
    known = EVERYTHING.split()
    refused = 0
    for seed in range(500):
        draw = random.Random(seed)
        rows = [row.split(" ") for row in EVERYTHING.split("\n")]
        for _ in range(draw.randrange(1, 4)):
            row = draw.choice(rows)
            at = draw.randrange(len(row))
            strange = draw.choice(
                [*known, "", "²", "-1", "99999999999", "10.0.0.0/99", "\t", "/", "é", ":::", "0x1f", "!"]
            )
            row[at : at + draw.randrange(2)] = [strange]
        try:
            read("\n".join(map(" ".join, rows)), "router", dialect=draw.choice([None, ASA, NXOS]))
        except PolicyError as error:
            refused += all(d.message for d in error.diagnostics)
    assert refused > 200


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("ip access-list extended x\n permit ip any any\n", "ios"),
        ("access-list 101 permit ip any 10.0.0.0 0.255.255.255\n", "ios"),
        ("ipv6 access-list x\n permit ipv6 any any\n", "ios"),
        ("access-list x extended permit ip any 10.0.0.0 255.0.0.0\n", "asa"),
        ("access-list x extended permit ip 10.0.0.0 255.0.0.0 0.0.0.0 0.0.0.0\n", "asa"),
        ("access-list x permit ip any 10.0.0.0 255.0.0.0\n", "asa"),
        ("access-list x extended permit ip any 10.0.0.0 0.0.0.255\n", "ios"),
        ("ASA Version 9\naccess-list 101 permit ip any any\n", "asa"),
        ("ip access-list x\n  10 permit ip any any\n", "nx-os"),
        ("feature bgp\nipv6 access-list x\n  10 permit ipv6 any any\n", "nx-os"),
    ],
)
def test_the_system_is_seen_from_the_words(text: str, system: str) -> None:
    assert read(text, "file").format == f"cisco-{system}"


def test_what_stands_around_lists_is_passed_over_and_entries_nowhere_else() -> None:
    text = "ip access-list extended x\n!\nsnmp-server community public RO 10\nmac access-list extended m\n permit any any\n"
    document = read(f"{text}access-list 10 permit any\n", "router")
    assert list(document.policies) == ["x", "10"]
    assert [remark.code for remark in document.remarks] == ["FW452", "FW470"]
    kept = "ip access-list extended x\n permit udp any any\n! more\n deny tcp any any\n"
    assert len(read(kept, "router").chains.chains["x"].lines) == 3
    for indent in ("", " "):
        assert (
            len(read(f"ip access-list extended x\n!\n{indent}permit ip any any\n", "router").chains.chains["x"].lines)
            == 2
        )
    with pytest.raises(PolicyError, match="outside of any list"):
        read("ip access-list extended x\n permit udp any any\npermit ip any any\n", "router")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("ip access-list extended x\n permit ip 10.0.0.0 255.0.0.0 any\n", 21),
        ("ip access-list extended x\n permit ip any 10.0.0.0 255.255.255.0\n", 25),
        ("access-list 10 permit any\naccess-list 10 permit 10.0.0.0 255.255.0.0\n", 32),
        ("ASA Version 9\naccess-list x extended permit ip 10.0.0.0 0.255.255.255 any\n", 43),
        (
            "ASA Version 9\nobject network n\n subnet 10.0.0.0 0.255.255.255\naccess-list x extended permit ip any object n\n",
            18,
        ),
        ("ip access-list extended x\n permit ip 10.0.0.0 0.0.0.255 any\n", 0),
        ("ip access-list extended x\n permit ip 10.0.0.0 255.255.255.254 0.0.0.0 255.255.255.255\n", 0),
        ("ip access-list extended x\n permit ip 10.0.1.0 0.0.254.255 host 10.0.0.1\n", 0),
        ("object-group network g\n 10.0.0.0 255.0.0.0\nip access-list extended x\n permit ip object-group g any\n", 0),
    ],
)
def test_a_mask_of_the_other_kind_is_found(text: str, column: int) -> None:
    remarks = read(text, "router").remarks
    assert [(remark.code, remark.span.column) for remark in remarks] == [("FW472", column)] * bool(column)


def test_lines_may_end_in_any_way() -> None:
    document = read("ip access-list x\r\n  10 permit ip any any\r\n", "router")
    assert (document.format, len(document.chains.chains["x"].lines)) == ("cisco-nx-os", 2)
