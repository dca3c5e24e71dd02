"""Packets: what is present, what is refused, and points there and back."""

from __future__ import annotations

import pickle
import random
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.generators import open_packets, packets, points, settle

from fwengine.errors import PacketError
from fwengine.model import address
from fwengine.model.fields import (
    ABSENT,
    CODE,
    DETAILS,
    DPORT,
    FIELDS,
    FLAGS,
    FRAGMENT,
    FRAGMENTS,
    FULL,
    ICMP,
    ICMPV6,
    IN,
    INTERFACE_BYTES,
    KEYWORDS,
    OUT,
    PORT_PROTOCOLS,
    PRESENT,
    PROTOCOL,
    SPORT,
    SRC,
    STATES,
    STEPPED_THROUGH,
    TABLE,
    TCP,
    TOPS,
    TYPE,
    Field,
    Point,
    interface_name,
    interface_number,
)
from fwengine.model.packet import Packet, write, write_flags, write_interface
from fwengine.traffic.codec import Packet as _Packet  # noqa: F401  # gives the class its texts and bytes

BASE: dict[str, Any] = {"family": 4, "protocol": TCP, "src": 1, "dst": 2}
IP: dict[str, Any] = {"dscp": 46, "ttl": 64, "length": 1500}


def tcp(**changes: Any) -> Packet:
    return Packet(**{**BASE, **changes})


def test_the_fields_in_their_order() -> None:
    names = "PROTOCOL SRC DST SPORT DPORT TYPE CODE FLAGS FRAGMENT IN OUT STATE DSCP TTL LENGTH"
    assert [f.name for f in Field] == names.split()
    assert len(TOPS) == len(FULL) == len(PRESENT) == FIELDS == 15
    packet = tcp(sport=3, dport=4, flags=5, fragment="first", in_interface="a", out_interface="", state="related", **IP)
    assert packet.point == (TCP, 1, 2, 3, 4, 256, 256, 5, 1, ord("a"), 0, 2, 46, 64, 1500)
    assert [spec.field for spec in TABLE] == list(range(FIELDS))
    assert len({spec.word for spec in TABLE}) == len({spec.attribute for spec in TABLE}) == FIELDS
    assert sorted(spec.merged for spec in TABLE) == [n + 1 for n in range(FIELDS)]
    assert {spec.attribute for spec in TABLE} | {"family"} == {f.name for f in fields(Packet) if f.init}


def test_no_condition_contains_the_absent_value_and_full_does() -> None:
    for f, absent in ABSENT.items():
        assert absent in FULL[f]
        assert absent not in PRESENT[f]
        assert FULL[f].size == PRESENT[f].size + 1
    for f in set(range(FIELDS)) - set(ABSENT):
        assert FULL[f] == PRESENT[f]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_which_fields_are_present(fragment: Any, family: Any) -> None:
    """The table of what is present when, for every protocol, by what the constructor accepts."""
    for protocol in range(256):
        ports = protocol in {6, 17, 33, 132, 136} and fragment != "later"
        types = protocol == (1 if family == 4 else 58) and fragment != "later"
        flags = protocol == 6 and fragment != "later"
        present = {"sport": ports, "dport": ports, "icmp_type": types, "icmp_code": types, "flags": flags}
        if family == 6 and fragment != "later" and protocol in {0, 43, 44, 51, 60}:
            with pytest.raises(PacketError, match="no IPv6 packet has protocol"):
                Packet(family, protocol, 1, 2, fragment=fragment)
            continue
        for name in present:
            stated: dict[str, Any] = {name: 0}
            if present[name]:
                assert getattr(Packet(family, protocol, 1, 2, fragment=fragment, **stated), name) == 0
            else:
                with pytest.raises(PacketError, match="this packet has no"):
                    Packet(family, protocol, 1, 2, fragment=fragment, **stated)
        given: dict[str, Any] = {name: 7 for name in present if present[name]}
        packet = Packet(family, protocol, 1, 2, fragment=fragment, in_interface="", out_interface="", **given, **IP)
        assert packet.point is not None
        assert (packet.point[SPORT] == ABSENT[SPORT]) == (packet.point[DPORT] == ABSENT[DPORT]) == (not ports)
        assert (packet.point[TYPE] == ABSENT[TYPE]) == (packet.point[CODE] == ABSENT[CODE]) == (not types)
        assert (packet.point[FLAGS] == ABSENT[FLAGS]) == (not flags)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"family": 5}, "family is 4 or 6"),
    ({"family": True}, "family is 4 or 6"),
    ({"family": 4.0}, "family is 4 or 6"),
    ({"family": "4"}, "family is 4 or 6"),
    ({"protocol": 256}, "protocol is between 0 and 255, not 256"),
    ({"protocol": -1}, "protocol is between 0 and 255, not -1"),
    ({"protocol": "tpc"}, "protocol: no protocol is called `tpc`: did you mean `tcp`"),
    ({"src": 1 << 32}, "src is between 0 and 4294967295"),
    ({"dst": -1}, "dst is between"),
    ({"dst": "10.0.0.256"}, "dst `10.0.0.256`: `256` is above 255"),
    ({"sport": 65536}, "sport is between 0 and 65535, not 65536"),
    ({"dport": -1}, "dport is between 0 and 65535"),
    ({"dport": True}, "dport is a whole number, not True"),
    ({"dport": 80.0}, "dport is a whole number"),
    ({"dport": "8O"}, "dport: no port is called `8O`"),
    ({"flags": 256}, "flags is between 0 and 255"),
    ({"icmp_type": 8}, "no icmp type: leave icmp_type out"),
    ({"icmp_code": 0}, "no icmp code: leave icmp_code out"),
    ({"protocol": ICMP, "icmp_type": 256}, "icmp_type is between 0 and 255"),
    ({"protocol": ICMP, "icmp_code": -1}, "icmp_code is between 0 and 255"),
    ({"protocol": ICMPV6, "icmp_type": 128}, "no icmp type"),  # icmpv6 over IPv4 has none
    ({"family": 6, "protocol": ICMP, "icmp_type": 8}, "no icmp type"),
    ({"fragment": "later", "sport": 80}, "no sport: leave sport out"),
    ({"fragment": "later", "flags": 2}, "no flags"),
    ({"fragment": "last"}, "fragment is whole, first or later, not 'last'"),
    ({"fragment": 0}, "fragment is whole, first or later"),
    ({"state": "NEW"}, "state is one of new, established, related, invalid, untracked, not 'NEW'"),
    ({"in_interface": 3}, "in_interface is a name"),
    ({"out_interface": b"eth0"}, "out_interface is a name"),
    ({"in_interface": "x" * 256}, "at most 255 bytes"),
    ({"in_interface": "é" * 128}, "at most 255 bytes"),
    ({"out_interface": "\0eth0"}, "no leading NUL"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_packets_that_cannot_exist(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PacketError, match=message):
        tcp(**changes)


def test_the_ends_of_every_domain_are_values() -> None:
    for value in (0, 65535):
        assert tcp(sport=value, dport=value).dport == value
    for value in (0, 255):
        assert tcp(flags=value).flags == value
        assert Packet(6, ICMPV6, 0, (1 << 128) - 1, icmp_type=value, icmp_code=value).icmp_type == value
        assert Packet(4, value, 0, (1 << 32) - 1).protocol == value
    assert tcp(in_interface="x" * 255).in_interface == "x" * 255


def test_of_takes_text() -> None:
    packet = Packet.of("tcp", "5.6.7.8", "1.2.3.4", sport=1029, dport=80)
    assert (packet.family, packet.protocol, packet.src, packet.dst) == (4, 6, 0x05060708, 0x01020304)
    assert Packet.of(47, "::1", "::2").dst == 2
    with pytest.raises(PacketError, match="`x`: one of icmp, tcp, udp"):
        Packet.of("x", "::1", "::2")
    with pytest.raises(PacketError, match=r"dst `1\.2\.3`: an IPv4 address has four parts"):
        Packet.of("tcp", "1.2.3.4", "1.2.3")
    with pytest.raises(PacketError, match="different families"):
        Packet.of("tcp", "1.2.3.4", "::1")


@given(points())
def test_points_and_packets_both_ways(point: Point) -> None:
    packet = Packet.from_point(point)
    assert packet.point == point
    assert Packet.from_point(packet.point) == packet


@given(points(), st.integers(0, FIELDS - 1), st.integers(-2, 70_000))
def test_a_point_that_is_no_packet_is_refused(point: Point, field: int, value: int) -> None:
    """Never another packet: either exactly this one, or an error."""
    changed = (*point[:field], value, *point[field + 1 :])
    try:
        packet = Packet.from_point(changed)
    except PacketError:
        assert changed != settle(changed)
    else:
        assert packet.point == changed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({SRC: address.V6_BASE}, "no packet has these fields together"),
        ({DPORT: ABSENT[DPORT]}, "no packet has these fields together"),
        ({FLAGS: ABSENT[FLAGS]}, "no packet has these fields together"),
        ({TYPE: 8}, "this packet has no icmp type"),
        ({FRAGMENT: 2}, "this packet has no sport"),
        ({FRAGMENT: -1}, "within the field's domain"),
        ({FRAGMENT: 3}, "within the field's domain"),
        ({PROTOCOL: 256}, "within the field's domain"),
        ({IN: 0xFF}, "text in UTF-8"),
        ({OUT: 1 << 8 * 255}, "within the field's domain"),
    ],
)
def test_points_between_the_packets(changes: dict[int, int], message: str) -> None:
    point = list(
        Packet.of("tcp", "1.2.3.4", "1.2.3.5", sport=1, dport=2, flags=2, in_interface="", out_interface="", **IP).point
        or ()
    )
    for f, value in changes.items():
        point[f] = value
    with pytest.raises(PacketError, match=message):
        Packet.from_point(tuple(point))


def test_a_point_has_a_number_a_field() -> None:
    with pytest.raises(PacketError, match="one number a field"):
        Packet.from_point((6, 1, 2, 80, 80))


@given(open_packets())
def test_an_open_packet_has_no_point_and_its_sets_are_all_it_may_be(packet: Packet) -> None:
    assert packet.protocol in packet.sets[PROTOCOL]
    assert (packet.point is None) == any(chosen.size > 1 for chosen in packet.sets)
    if packet.point is not None:
        assert all(
            chosen.size == 1 and value in chosen for value, chosen in zip(packet.point, packet.sets, strict=True)
        )
    # open ports and the like are the present values only; an interface may also be absent
    for f in (SPORT, DPORT, TYPE, CODE, FLAGS, *DETAILS):
        assert packet.sets[f].size == 1 or packet.sets[f] == PRESENT[f]
    for f in (IN, OUT):
        assert packet.sets[f].size == 1 or packet.sets[f] == FULL[f]


def test_what_is_left_out_is_open_and_what_cannot_be_is_absent() -> None:
    assert tcp().sets[SPORT] == PRESENT[SPORT]
    assert Packet(4, 47, 1, 2).sets[SPORT].ranges == ((65536, 65536),)
    assert tcp(fragment="later").sets[DPORT].ranges == ((65536, 65536),)
    assert tcp(fragment="later", in_interface="", out_interface="", **IP).point is not None
    for name in IP:
        open = tcp(fragment="later", in_interface="", out_interface="", **{k: v for k, v in IP.items() if k != name})
        assert open.point is None
        assert open.sets[KEYWORDS[name].field] == FULL[KEYWORDS[name].field]
    assert tcp(in_interface="").sets[IN].ranges == ((0, 0),)
    assert tcp().fragment == "whole"
    assert tcp().state == "new"


@given(open_packets(), st.sets(st.integers(0, FIELDS - 1)))
def test_a_packet_as_a_point_for_who_asks_for_some_fields(packet: Packet, asked: set[int]) -> None:
    """None exactly if one of them is open; what is open elsewhere is one of the packets that it may be."""
    point = packet.as_seen_by(asked)
    opened = {f for f, value in enumerate(packet.values) if value is None}
    assert (point is None) == bool(opened & asked)
    if point is not None:
        assert all(value in chosen for value, chosen in zip(point, packet.sets, strict=True))
        assert settle(point) == point
    assert packet.as_seen_by(()) is not None
    assert packet.without(asked & set(DETAILS)).as_seen_by(asked & set(DETAILS)) is None or not asked & set(DETAILS)


def test_replace_validates_anew() -> None:
    packet = tcp(sport=1, dport=2, flags=2)
    assert packet.replace(dport=80) == tcp(sport=1, dport=80, flags=2)
    assert packet.replace(in_interface="", out_interface="", **IP).point is not None
    with pytest.raises(PacketError, match="65536"):
        packet.replace(dport=65536)
    with pytest.raises(PacketError, match="no sport"):
        packet.replace(protocol=47)


@given(open_packets())
def test_packets_are_values(packet: Packet) -> None:
    for twin in (pickle.loads(pickle.dumps(packet)), packet.replace()):
        assert twin == packet
        assert hash(twin) == hash(packet)
        assert twin.point == packet.point
    with pytest.raises(FrozenInstanceError):
        packet.src = 1  # type: ignore[misc]  # that is the point


@given(packets(), packets())
def test_packets_are_equal_if_their_points_are(a: Packet, b: Packet) -> None:
    assert (a == b) == (a.point == b.point)


# Interfaces


@given(st.text(max_size=40).filter(lambda s: not s.startswith("\0")))
def test_interface_names_and_numbers_both_ways(name: str) -> None:
    assert interface_name(interface_number(name)) == name
    assert (interface_number(name) == ABSENT[IN]) == (name == "")


@given(st.sampled_from(["wan0", "WAN0", "wan00", "wan", "0", "", " ", "é", "\ud800"]), st.text(max_size=5))
def test_distinct_names_have_distinct_numbers(a: str, b: str) -> None:
    if not b.startswith("\0"):
        assert (interface_number(a) == interface_number(b)) == (a == b)


def test_interface_numbers_stay_in_the_domain() -> None:
    longest = "\N{LATIN SMALL LETTER Y WITH DIAERESIS}" * (INTERFACE_BYTES // 2) + "z"
    assert interface_number(longest) in PRESENT[IN]
    assert interface_name(interface_number(longest)) == longest


# As text


@pytest.mark.parametrize(
    ("packet", "text"),
    [
        (
            Packet.of("tcp", "5.6.7.8", "1.2.3.4", sport=1029, dport=80, flags=18),
            "tcp 5.6.7.8:1029 -> 1.2.3.4:80 flags syn,ack",
        ),
        (Packet.of("tcp", "::1", "::2", dport=0, flags=0), "tcp [::1] -> [::2]:0 flags none"),
        (Packet.of("icmp", "1.1.1.1", "1.1.1.2", icmp_type=8, icmp_code=0), "icmp 1.1.1.1 -> 1.1.1.2 type 8 code 0"),
        (Packet.of(47, "1.1.1.1", "1.1.1.2", fragment="later"), "gre 1.1.1.1 -> 1.1.1.2 fragment later"),
        (Packet.of(200, "1.1.1.1", "1.1.1.2", state="related"), "200 1.1.1.1 -> 1.1.1.2 state related"),
        (
            Packet.of("udp", "1.1.1.1", "1.1.1.2", in_interface="wan0", out_interface=""),
            "udp 1.1.1.1 -> 1.1.1.2 in wan0",
        ),
    ],
)
def test_a_packet_as_text(packet: Packet, text: str) -> None:
    assert str(packet) == text
    assert write(packet) == text


def test_absent_interfaces_are_told_when_asked() -> None:
    packet = Packet.of("udp", "1.1.1.1", "1.1.1.2", in_interface="", out_interface="")
    assert write(packet, {IN}) == "udp 1.1.1.1 -> 1.1.1.2 in none"
    assert write(packet, {IN, OUT}) == "udp 1.1.1.1 -> 1.1.1.2 in none out none"
    assert write(packet.replace(in_interface=None), {IN, OUT}) == "udp 1.1.1.1 -> 1.1.1.2 out none"


def test_interfaces_that_are_no_plain_words_are_quoted() -> None:
    for name, text in (
        ("", "none"), ("eth0.100", "eth0.100"), ("br-lan", "br-lan"), ("none", '"none"'), ("0", '"0"'), ("a b", '"a b"'),
        ('a"\\', '"a\\"\\\\"'), ("a->b", '"a->b"'), ("é", '"é"'), ("a\n\u202e", '"a\\u{a}\\u{202e}"'),
    ):  # fmt: skip
        assert write_interface(name) == text


def test_flags_as_text() -> None:
    assert [write_flags(1 << bit) for bit in range(8)] == ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"]
    assert (write_flags(0), write_flags(18)) == ("none", "syn,ack")


@given(open_packets())
def test_what_is_written_is_read_back(packet: Packet) -> None:
    """Interfaces that are absent are written when asked only, so the packet read leaves them open."""
    assert Packet.parse(write(packet, {IN, OUT})) == packet
    assert Packet.parse(str(packet)) == packet.replace(
        in_interface=packet.in_interface or None, out_interface=packet.out_interface or None
    )


def test_random_bytes_are_a_packet_or_a_packet_error() -> None:
    source = random.Random(7)
    for _ in range(500):
        data = bytes([source.choice((0x45, 0x60))]) + source.randbytes(source.randrange(60))
        try:
            assert Packet.from_bytes(data).state in STATES
        except PacketError as error:
            assert str(error).split(":")[0] in ("malformed", "truncated", "not-ip")  # noqa: PT017  # either is right


@given(packets())
def test_bytes_and_back(packet: Packet) -> None:
    """Interfaces and state are not on the wire; lengths are those of packets that hold their headers."""
    assume(packet.family == 4 or packet.fragment == "later" or packet.protocol not in STEPPED_THROUGH)
    packet = packet.replace(length=1480)
    back = Packet.from_bytes(packet.to_bytes())
    assert back == packet.replace(in_interface=None, out_interface=None, state="new")


def test_the_protocols_with_ports() -> None:
    assert sorted(PORT_PROTOCOLS) == [6, 17, 33, 132, 136]
