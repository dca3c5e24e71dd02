"""The strategies: every draw is as promised, both sides of each edge are reached, and examples shrink to plain packets."""

from __future__ import annotations

import datetime
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import Phase, find, given, seed, settings
from hypothesis import strategies as st
from support.generators import SMALL, WIDE, World
from support.generators import policies as any_policies
from support.paths import ROOT

import fwengine
from fwengine import strategies as fst
from fwengine.analysis.interfaces import mentioned
from fwengine.errors import LimitError, PolicyError
from fwengine.language.meaning.region import show_box
from fwengine.model import address
from fwengine.model.box import SHAPES, Box
from fwengine.model.fields import (
    DETAILS,
    DPORT,
    FIELDS,
    FLAGS,
    FRAGMENT,
    FULL,
    IN,
    OUT,
    PROTOCOL,
    SOME_INTERFACE,
    SPORT,
    SRC,
    STATE,
    TYPE,
    WHOLE,
    Point,
    exists,
    interface_number,
)
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY, Action, Rule, rules_of
from fwengine.model.ruleset import decide
from fwengine.policy import Policy, loads, region
from fwengine.testing.boundary import Edge, edges, hints, likely, with_value
from fwengine.traffic.codec import Packet

T = TypeVar("T")

EVERYTHING = Box(FULL)
single = IntervalSet.single

USUAL = " dscp 0 ttl 64 length 84"
EDGE = loads(
    """
    net office = { 10.20.0.0/16, 2001:db8:20::/48 }
    net web    = { 192.0.2.80-192.0.2.83, 2001:db8::80 }
    deny  any from 10.0.0.0/8 in wan0                              as spoofed
    allow tcp from any to web port { http, https }                 as web-in
    allow tcp from office to web port { ssh, 8000-8080 }           as admin
    deny  tcp from 10.20.9.0/24 to web port ssh                    as no-guests
    allow tcp from web port { http, https } to any established     as replies
    allow icmp from any to web type echo-request                   as ping
    allow udp from office to any port domain state { new, related } as dns
    allow gre from 198.51.100.7 to not office                      as tunnel
    """,
    file="edge.fwl",
)


def drawn(strategy: st.SearchStrategy[T], count: int = 300, start: int = 1) -> list[T]:
    """So many examples, the same ones in every run."""
    out: list[T] = []

    @seed(start)
    @settings(max_examples=count, phases=[Phase.generate], derandomize=False, database=None)
    @given(strategy)
    def collect(example: T) -> None:
        out.append(example)

    collect()
    return out


def plainest(strategy: st.SearchStrategy[T], condition: Callable[[T], bool] = lambda _: True) -> T:
    return find(strategy, condition, settings=settings(max_examples=3000, database=None))


def point_of(packet: Packet) -> Point:
    """As a point; dscp, ttl and length, where a policy does not ask for them, have whatever value."""
    point = packet.as_seen_by([f for f in range(FIELDS) if f not in DETAILS])
    assert point is not None
    return point


def deciding(policy: Policy) -> set[int]:
    """The indices that decide some packet; exact, for small policies."""
    return {index for _, index in policy.tree.regions(EVERYTHING)}


# packets


def test_packets_are_of_every_kind_and_complete() -> None:
    points = [point_of(packet) for packet in drawn(fst.packets(), 1000)]
    for shape in SHAPES:
        assert sum(all(v in s for v, s in zip(point, shape, strict=True)) for point in points) >= 20
    assert {point[FRAGMENT] for point in points} == {0, 1, 2}
    assert {point[STATE] for point in points} == set(range(5))
    assert {point[FLAGS] for point in points} >= {0, 2, 16, 18, 255, 256}
    assert {point[PROTOCOL] for point in points} >= {6, 17, 33, 132, 136, 1, 58, 47}
    assert len({point[IN] for point in points}) > 5
    assert {point[DPORT] for point in points} >= {0, 80, 443, 65535}
    assert len({point[SRC] for point in points}) > 30


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        ({"family": 4}, lambda p: p.family == 4),
        ({"family": 6}, lambda p: p.family == 6),
        ({"protocol": "tcp"}, lambda p: p.protocol == 6),
        ({"protocol": ["udp", 47]}, lambda p: p.protocol in (17, 47)),
        ({"protocol": "icmp", "family": 6}, lambda p: p.protocol == 1 and p.family == 6 and p.icmp_type is None),
        ({"fragment": "whole"}, lambda p: p.fragment == "whole"),
        ({"fragment": ["first", "later"]}, lambda p: p.fragment != "whole"),
        ({"state": "established"}, lambda p: p.state == "established"),
        ({"interfaces": [""]}, lambda p: p.in_interface == "" and p.out_interface == ""),
        ({"interfaces": ["wan0", "lan0"]}, lambda p: {p.in_interface, p.out_interface} <= {"wan0", "lan0"}),
    ],
)
def test_packets_of_one_kind(options: dict[str, Any], holds: Callable[[Packet], bool]) -> None:
    for packet in drawn(fst.packets(**options), 60):
        assert packet.point is not None
        assert holds(packet)
    for packet in drawn(fst.packets(**options, details=False), 20):
        assert (packet.dscp, packet.ttl, packet.length) == (None, None, None)
        assert holds(packet)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"family": 5}, "family is 4 or 6"),
        ({"protocol": "tpc"}, "unknown protocol 'tpc'"),
        ({"protocol": 256}, "unknown protocol 256"),
        ({"fragment": "half"}, "fragment is one of"),
        ({"state": "old"}, "state is one of"),
        ({"protocol": []}, "no packet in this region"),
        ({"interfaces": []}, "no packet in this region"),
    ],
)
def test_kinds_that_do_not_exist(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fst.packets(**options)


@settings(max_examples=300)
@given(fst.packets())
def test_the_text_of_a_packet_gives_it_back(packet: Packet) -> None:
    """What Hypothesis prints is the packet."""
    text = fwengine.model.packet.write(packet, (IN, OUT))
    assert Packet.parse(text) == packet


def test_examples_print_as_something_to_paste() -> None:
    @settings(max_examples=20, database=None, phases=[Phase.generate, Phase.shrink])
    @given(packet=fst.packets(), policy=fst.policies(min_rules=1), rule=fst.rules(), box=fst.boxes())
    def fails(packet: Packet, policy: Policy, rule: Rule, box: Box) -> None:
        raise AssertionError("always")

    with pytest.raises(AssertionError) as caught:
        fails()
    shown = re.sub(r"\(\s+|,\s+\)", lambda space: space[0].strip(" \n,"), "\n".join(caught.value.__notes__))
    assert f"packet=Packet.parse('tcp 10.0.0.1:49152 -> 10.0.0.2:80 flags syn in none out none{USUAL}')" in shown
    assert "policy=loads('default deny\\nallow any\\n')" in shown
    assert "rule=rule('allow any')" in shown
    assert "box=box('any')" in shown


# packets_matching


@pytest.mark.parametrize(
    "where",
    [
        "tcp from 10.0.0.0/8 to any port { 80, 8000-8080 } flags syn/syn,ack",
        "{ tcp/80, udp/53 } to 2001:db8::/32",
        "any fragment later in { wan0, none }",
        "icmp type 3 code { 0, 4 }",
        "not tcp in not wan0 state { related, invalid }",
    ],
)
def test_packets_of_a_region(where: str) -> None:
    boxes = region(None, where)
    for strategy in (fst.packets_matching(where), fst.packets_matching(boxes), fst.packets_matching(boxes[0])):
        for packet in drawn(strategy, 60):
            assert any(packet in box for box in boxes)


def test_regions_that_are_wrong() -> None:
    with pytest.raises(PolicyError) as caught:
        fst.packets_matching("tpc from any")
    assert "tpc" in str(caught.value)
    with pytest.raises(ValueError, match="no packet in this region"):
        fst.packets_matching(Box.of({PROTOCOL: single(6), TYPE: single(8)}))
    with pytest.raises(ValueError, match="a region has no verdicts"):
        fst.packets_matching("tcp", action="allow")
    with pytest.raises(ValueError, match="depends"):
        fst.packets_matching(EDGE, "depends")
    with pytest.raises(ValueError, match="'maybe' is not a valid Action"):
        fst.packets_matching(EDGE, "maybe")
    with pytest.raises(ValueError, match="no rule `web-im`: did you mean `web-in`"):
        fst.packets_matching(EDGE, by="web-im")
    with pytest.raises(ValueError, match="no packet that is decided by `no-guests`"):
        fst.packets_matching(EDGE, by="no-guests")
    with pytest.raises(ValueError, match="no packet that is denied and is decided by `web-in`"):
        fst.packets_matching(EDGE, "deny", by="web-in")
    with pytest.raises(ValueError, match="no packet that is allowed and lies in the region"):
        fst.packets_matching(EDGE, "allow", within="udp to web port 22")


def test_an_interface_that_has_no_name() -> None:
    nameless = Box.of({IN: single(0xFF)})
    with pytest.raises(ValueError, match="no packet in this region"):
        fst.packets_matching(nameless)
    named = Box.of({IN: IntervalSet.of((0xFE, interface_number("wan0")))})
    assert all(packet in named for packet in drawn(fst.packets_matching([nameless, named]), 20))


@pytest.mark.parametrize("action", [None, "allow", Action.DENY])
@pytest.mark.parametrize("within", [None, "tcp to web", "any from 10.20.9.0/24 state { new, invalid }"])
def test_packets_fare_as_promised(action: Action | str | None, within: str | None) -> None:
    boxes = (EVERYTHING,) if within is None else region(EDGE, within)
    found = set()
    for packet in drawn(fst.packets_matching(EDGE, action, within=within), 200):
        verdict = decide(EDGE, packet)
        assert action is None or verdict.action is Action(action)
        assert any(packet in box for box in boxes)
        found.add(verdict.by)
    if within is None:  # every rule has its turn
        rules = [(rule.label, rule.action) for rule in EDGE.rules if rule.name != "no-guests"] + [("default", DENY)]
        assert found == {label for label, its in rules if action is None or its is Action(action)}


@pytest.mark.parametrize("by", ["spoofed", "web-in", "admin", "replies", "ping", "dns", "tunnel", "default"])
def test_packets_of_one_rule(by: str) -> None:
    assert {decide(EDGE, packet).by for packet in drawn(fst.packets_matching(EDGE, by=by), 80)} == {by}


def test_a_rule_may_be_given_itself() -> None:
    twice = loads("deny tcp\nallow udp\ndeny tcp\n")
    assert decide(twice, drawn(fst.packets_matching(twice, by=twice.rules[1]), 1)[0]).index == 1
    with pytest.raises(ValueError, match="no packet that is decided by `<text>:3`"):
        fst.packets_matching(twice, by=twice.rules[2])
    with pytest.raises(ValueError, match="has no rule"):
        fst.packets_matching(twice, by=EDGE.rules[0])


@pytest.mark.parametrize("world", [SMALL, WIDE], ids=["small", "wide"])
def test_packets_of_any_policy(world: World) -> None:
    """Every rule of every policy: drawn packets are decided by it, and the error comes if and only if it decides none."""

    @settings(max_examples=25)
    @given(any_policies(world, 6), st.data())
    def holds(policy: Policy, data: st.DataObject) -> None:
        alive = deciding(policy)
        for index in range(len(policy.rules) + 1):
            by = policy.rules[index] if index < len(policy.rules) else "default"
            same = [i for i, rule in enumerate(policy.rules) if rule is by]
            if same and same[0] != index:
                continue
            if index in alive:
                for _ in range(2):
                    assert decide(policy, data.draw(fst.packets_matching(policy, by=by))).index == index
            else:
                with pytest.raises(ValueError, match="no packet that is decided by"):
                    fst.packets_matching(policy, by=by)
        for action in (ALLOW, DENY):
            if any(policy.action(index) is action for index in alive):
                for _ in range(3):
                    assert decide(policy, data.draw(fst.packets_matching(policy, action))).action is action
            else:
                with pytest.raises(ValueError, match="no packet that is"):
                    fst.packets_matching(policy, action)

    holds()


def test_a_rule_of_which_little_is_left() -> None:
    """Rule and region overlap almost everywhere with earlier rules: what is drawn still is the little that is left."""
    policy = loads(
        "deny tcp to any port { 0-7999, 8001-65535 }\ndeny tcp from { 0.0.0.0/1, ::/0 }\n"
        "deny tcp from 192.0.0.0/2\ndeny tcp from 128.0.0.0-191.255.255.254\nallow tcp fragment { whole, first } as little\n"
    )
    for packet in drawn(fst.packets_matching(policy, by="little"), 60):
        assert (packet.src, packet.dport) == (address.parse("191.255.255.255"), 8000)
    assert (
        str(plainest(fst.packets_matching(policy, "allow"))) == "tcp 191.255.255.255:49152 -> 10.0.0.2:8000 flags syn"
    )


def test_a_search_that_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def spent(*_: object) -> None:
        raise LimitError("unknown: the limit is reached")

    monkeypatch.setattr("fwengine.testing.boundary.Decided.part", spent)
    with pytest.raises(LimitError):
        fst.packets_matching(EDGE, by="web-in")


# boundary_packets


def unreached(policy: Policy, points: list[Point]) -> list[tuple[Edge, bool]]:
    """The edges of the policy's rules that no point is on, with its other fields in the rule's box, or is beside."""
    missing = []
    for box in (box for rule in policy.rules for box in rule.boxes):
        ends = {e for p in box.pieces for f in range(FIELDS) if box.sets[f] != FULL[f] for e in edges(f, p.sets[f])}
        for edge in sorted(ends, key=str):
            if not any(point[edge.field] == edge.on and point in box for point in points):
                missing.append((edge, True))
            if edge.off is not None and not any(point[edge.field] == edge.off for point in points):
                missing.append((edge, False))
    return missing


def test_both_sides_of_every_edge_are_reached() -> None:
    policy = loads(
        "deny any from 10.0.0.0/8 in wan0\nallow tcp to 192.0.2.80-192.0.2.83 port { ssh, 8000-8080 }\n"
        "allow tcp from any port not 0-1023 established\nallow udp from 2001:db8::/48 state { new, related }\n"
        "deny icmp type 3-4 code not 0\n"
    )
    whole = {  # the ends of whole domains, too
        SRC: (address.V4.lo, address.V4.hi, address.V6.lo, address.V6.hi),
        SPORT: (0, 65535), DPORT: (0, 65535), TYPE: (0, 255), FLAGS: (0, 255), PROTOCOL: (0, 255),
        FRAGMENT: (0, 1, 2), STATE: (0, 4),
    }  # fmt: skip
    points: list[Point] = []
    for start in range(1, 9):  # what is drawn differs between versions of Hypothesis; rare is not never
        points += [point_of(packet) for packet in drawn(fst.boundary_packets(policy), 4000, start)]
        missing = {f: set(ends) - {point[f] for point in points} for f, ends in whole.items()}
        if not unreached(policy, points) and not any(missing.values()):
            break
    assert unreached(policy, points) == []
    assert not any(missing.values()), missing


def test_boundary_packets_are_near_the_rules() -> None:
    """In a rule's box, or in it but for one field and what comes with that."""
    boxes = [box for rule in EDGE.rules for box in rule.boxes]
    near = 0
    for packet in drawn(fst.boundary_packets(EDGE), 400):
        point = point_of(packet)
        near += any(sum(v not in s for v, s in zip(point, box.sets, strict=True)) <= 1 for box in boxes)
    assert near > 300  # the rest are at the ends of domains, or lost their ports with their protocol


@settings(max_examples=40)
@given(any_policies(None, 5), st.data())
def test_boundary_packets_of_any_policy(policy: Policy, data: st.DataObject) -> None:
    for _ in range(5):
        packet = data.draw(fst.boundary_packets(policy))
        assert packet.as_seen_by(policy.fields) == point_of(packet)


def test_a_policy_without_rules_has_the_edges_of_the_domains() -> None:
    points = [point_of(packet) for packet in drawn(fst.boundary_packets(Policy(())), 300)]
    assert {point[DPORT] for point in points} >= {0, 65535}


# corners


def test_edges() -> None:
    v4 = address.parse
    assert edges(DPORT, IntervalSet.of((80, 80), (65535, 65535))) == [
        Edge(DPORT, 80, 79),
        Edge(DPORT, 80, 81),
        Edge(DPORT, 65535, 65534),
        Edge(DPORT, 65535, None),
    ]
    assert edges(SRC, IntervalSet.of((v4("255.255.255.0"), address.V6_BASE))) == [
        Edge(SRC, v4("255.255.255.0"), v4("255.255.254.255")),
        Edge(SRC, address.V6_BASE, address.V6_BASE + 1),
    ]
    assert edges(SPORT, single(65536)) == []
    assert edges(FLAGS, IntervalSet.of((16, 16), (18, 18))) == [  # one flag more or less
        *(Edge(FLAGS, 18, 18 ^ bit) for bit in (1, 4, 8, 16, 32, 64, 128)),
        *(Edge(FLAGS, 16, 16 ^ bit) for bit in (1, 4, 8, 16, 32, 64, 128)),
    ]
    assert edges(FRAGMENT, IntervalSet.of((0, 1))) == [Edge(FRAGMENT, 0, None), Edge(FRAGMENT, 1, 2)]
    wan, lan = interface_number("wan0"), interface_number("lan0")
    assert edges(IN, single(wan)) == [Edge(IN, wan, 0), Edge(IN, wan, lan)]
    assert edges(IN, SOME_INTERFACE - single(wan)) == [Edge(IN, lan, wan), Edge(IN, interface_number("eth0"), wan)]
    assert edges(OUT, SOME_INTERFACE) == [Edge(OUT, lan, 0)]
    assert edges(OUT, FULL[OUT]) == [Edge(OUT, 0, None)]
    assert mentioned(SOME_INTERFACE - single(wan)) == [wan]


@settings(max_examples=200)
@given(fst.packets(), st.data())
def test_with_value_gives_packets(packet: Packet, data: st.DataObject) -> None:
    point = point_of(packet)
    field = data.draw(st.sampled_from([PROTOCOL, FRAGMENT, STATE]))
    changed = with_value(point, field, data.draw(st.integers(0, FULL[field].hi)))
    Packet.from_point(changed)
    back = with_value(changed, field, point[field])
    assert back[field] == point[field]
    # only a later fragment of IPv6 may have an extension header as its protocol: the one goes with the other
    assert back[:3] == point[:3] or not exists(point[PROTOCOL], packet.family, WHOLE)


def test_likely_values_are_members_and_hints_are_few() -> None:
    many = Policy(rules_of((ALLOW, Box.of({DPORT: single(port)})) for port in range(0, 60000, 7)))
    known = hints(many)
    assert len(known[DPORT]) <= 24
    for f in range(FIELDS):
        for sets in SHAPES:
            assert all(value in sets[f] for value in likely(sets, f, known.get(f, ())))


# Texts: regions, rules, policies


@pytest.mark.parametrize("full", [False, True])
def test_regions_hold_packets(full: bool) -> None:
    for text in drawn(fst.regions(full=full), 150):
        assert any(region(None, text)), text


@pytest.mark.parametrize("full", [False, True])
def test_boxes_can_be_said(full: bool) -> None:
    for box in drawn(fst.boxes(full=full), 100):
        assert region(None, show_box(box)) == (box,)


def test_rules_match_something_and_are_of_every_kind() -> None:
    rules = drawn(fst.rules(), 400)
    assert all(any(rule.boxes) for rule in rules)
    assert {rule.action for rule in rules} == {ALLOW, DENY}
    assert {len(rule.boxes) for rule in rules} >= {1, 2}
    for f in range(FIELDS):
        assert any(box.sets[f] != FULL[f] for rule in rules for box in rule.boxes), f


def test_policies_collide() -> None:
    """Rules overlap, some shadow each other, both defaults occur."""
    policies = drawn(fst.policies(min_rules=3, max_rules=6), 150)
    assert all(3 <= len(policy.rules) <= 6 for policy in policies)
    assert {policy.default for policy in policies} == {ALLOW, DENY}
    contrary = shadowed = 0
    for policy in policies:
        pairs = [(a, b) for i, a in enumerate(policy.rules) for b in policy.rules[i + 1 :] if a.action is not b.action]
        contrary += any(x & y for a, b in pairs for x in a.boxes for y in b.boxes)
        shadowed += len(deciding(policy) - {len(policy.rules)}) < len(policy.rules)
    assert contrary > 75
    assert shadowed > 30


def test_full_domains_are_wide() -> None:
    ports = {lo for rule in drawn(fst.rules(full=True), 300) for box in rule.boxes for lo, _ in box.sets[DPORT]}
    assert len(ports) > 8


def test_rules_expire_only_if_a_day_is_given() -> None:
    day = datetime.date(2026, 11, 21)
    assert not any(rule.until for policy in drawn(fst.policies(), 50) for rule in policy.rules)
    policies = drawn(fst.policies(min_rules=2, as_of=day), 60)
    assert {policy.as_of for policy in policies} == {day}
    assert len({rule.until for policy in policies for rule in policy.rules}) == 4


def test_a_box_is_one() -> None:
    assert fst.box("tcp to any port 80") == region(None, "tcp to any port 80")[0]
    with pytest.raises(ValueError, match="a union of 2 boxes"):
        fst.box("{ tcp/80, udp/53 }")


# Shrinking


@pytest.mark.parametrize(
    ("strategy", "text"),
    [
        (fst.packets(), "tcp 10.0.0.1:49152 -> 10.0.0.2:80 flags syn"),
        (fst.packets(family=6), "tcp [2001:db8::1]:49152 -> [2001:db8::2]:80 flags syn"),
        (fst.packets(protocol="icmpv6", family=6), "icmpv6 2001:db8::1 -> 2001:db8::2 type 128 code 0"),
        (fst.packets(protocol="icmp"), "icmp 10.0.0.1 -> 10.0.0.2 type 8 code 0"),
        (fst.packets_matching("udp from 10.20.0.0/16 port 53"), "udp 10.20.0.1:53 -> 10.0.0.2:49152"),
        (fst.packets_matching("tcp to 10.20.0.0/16 established"), "tcp 10.0.0.1:49152 -> 10.20.0.2:80 flags ack"),
        (fst.packets_matching("tcp to any port 0-9"), "tcp 10.0.0.1:49152 -> 10.0.0.2:1 flags syn"),
        (fst.packets_matching(EDGE, "allow"), "tcp 10.0.0.1:49152 -> 192.0.2.80:80 flags syn"),
        (fst.packets_matching(EDGE, by="admin"), "tcp 10.20.0.1:49152 -> 192.0.2.80:22 flags syn"),
        (fst.packets_matching(EDGE, by="default"), "tcp 10.0.0.1:49152 -> 10.0.0.2:80 flags syn"),
        (fst.packets_matching(EDGE, by="ping"), "icmp 10.0.0.1 -> 192.0.2.80 type 8 code 0"),
        (fst.packets_matching(EDGE, by="spoofed"), "tcp 10.0.0.1:49152 -> 10.0.0.2:80 flags syn in wan0"),
    ],
)
def test_the_plainest_packet(strategy: st.SearchStrategy[Packet], text: str) -> None:
    """Without what is usual in a header: of a region's packets all is stated, of a policy's what it asks for."""
    assert str(plainest(strategy)).removesuffix(USUAL) == text


def test_the_plainest_packet_of_a_kind() -> None:
    assert str(plainest(fst.packets(), lambda p: p.protocol == 17)) == f"udp 10.0.0.1:49152 -> 10.0.0.2:80{USUAL}"
    later = plainest(fst.packets(), lambda p: p.fragment == "later")
    assert str(later) == f"tcp 10.0.0.1 -> 10.0.0.2 fragment later{USUAL}"
    short = plainest(fst.packets(details=False), lambda p: p.fragment == "later")
    assert str(short) == "tcp 10.0.0.1 -> 10.0.0.2 fragment later"
    low = plainest(fst.packets_matching("any ttl < 5"))
    assert str(low) == "tcp 10.0.0.1:49152 -> 10.0.0.2:80 flags syn dscp 0 ttl 0 length 84"
    asking = loads("deny any ttl < 5 as low\nallow tcp dscp ef as calls")
    assert str(plainest(fst.packets_matching(asking, "allow"))) == (
        "tcp 10.0.0.1:49152 -> 10.0.0.2:80 flags syn dscp 46 ttl 64"
    )
    allowed = plainest(fst.packets_matching(EDGE), lambda p: decide(EDGE, p).by == "dns")
    assert str(allowed) == "udp 10.20.0.1:49152 -> 10.0.0.2:53"
    assert str(plainest(fst.packets_matching(EDGE, "allow"), lambda p: p.dport == 8080)) == (
        "tcp 10.20.0.1:49152 -> 192.0.2.80:8080 flags syn"
    )


def test_the_plainest_policy_of_a_kind() -> None:
    def shadows(policy: Policy) -> bool:
        alive = deciding(policy)
        return any(
            index not in alive and policy.action(index) is not policy.action(index - 1)
            for index in range(1, len(policy.rules))
        )

    found = plainest(fst.policies(min_rules=2, max_rules=3), shadows)
    assert found.sources["<text>"] == "default deny\nallow any\ndeny any\n"


# The example of the README


def test_a_planted_hole_is_found() -> None:
    edge = fwengine.loads(
        """
        net   office = 10.20.0.0/16
        allow tcp from any to 192.0.2.80 port { http, https }  as web
        allow udp from office to any port domain               as dns
        allow udp from any port domain to office               as dns-replies
        """
    )

    for start in range(3):

        @seed(start)
        @settings(derandomize=False, max_examples=100, database=None)
        @given(fst.packets_matching(edge, "deny", within="udp fragment whole"))
        def nobody_gets_in_by_choosing_a_source_port(packet: Packet) -> None:
            for port in (53, 123, 443):
                verdict = edge.evaluate(packet.replace(sport=port))
                assert verdict.action is fwengine.DENY, f"from port {port} by {verdict.by}"

        with pytest.raises(AssertionError, match="from port 53 by dns-replies") as caught:
            nobody_gets_in_by_choosing_a_source_port()
        shown = "\n".join(caught.value.__notes__)
        assert re.search(r"Packet\.parse\(\s*'udp 10\.0\.0\.1:[0-9]+ -> 10\.20\.0\.2:[0-9]+ in none out none'", shown)


# Registration


def test_types_are_registered_lazily() -> None:
    program = inspect.cleandoc(
        """
        import sys
        from fwengine._hypothesis import register
        register()
        loaded = {name.partition(".")[0] for name in sys.modules}
        assert not loaded & {"lark", "netaddr", "click"}, loaded
        assert "fwengine.strategies" not in sys.modules and "fwengine.sources.gathering" not in sys.modules
        from hypothesis import given, settings, strategies as st
        import fwengine
        kinds = [fwengine.Packet, fwengine.Policy, fwengine.Rule, fwengine.Box]
        seen = []
        @settings(database=None, max_examples=2)
        @given(st.tuples(*map(st.from_type, kinds)))
        def draw(examples):
            seen.append([type(example) for example in examples])
        draw()
        assert seen and all(types == kinds for types in seen)
        """
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
