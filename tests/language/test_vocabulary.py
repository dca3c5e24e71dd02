"""Regions in a policy's own words: what is printed reads back as the same packets, and is as short as without names."""

from __future__ import annotations

import random

import pytest
from support.generators import SMALL, Seeded, make_box

import fwengine
from fwengine.analysis.diff import equivalent
from fwengine.language.meaning.region import readable, show_addresses, show_box, show_ports
from fwengine.language.meaning.vocabulary import Vocabulary
from fwengine.model import address
from fwengine.model.box import Box
from fwengine.model.fields import DPORT, DST, PROTOCOL, SPORT, SRC
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, Rule
from fwengine.model.ruleset import RuleSet
from fwengine.policy import region

TEXT = """
net office  = { 10.20.0.0/16, 2001:db8:20::/48 }
net guests  = 10.20.9.0/24
net web     = { 192.0.2.80, 192.0.2.81 }
net mail    = 192.0.2.25
net private = { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 }
ports high  = 1024-65535
ports admin = { ssh, 8000-8080 }
service www = { tcp/http, tcp/https }
service dns = { udp/domain, tcp/domain }
allow any from { office, guests, web, mail, private } port not 1
"""
POLICY = fwengine.loads(
    TEXT.replace("allow any from { office, guests, web, mail, private } port not 1", "allow www from office")
)
WORDS = Vocabulary(POLICY.names)


def addresses(text: str) -> IntervalSet:
    return region(POLICY, f"any from {text}")[0].sets[SRC]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("{ 10.20.0.0/16, 2001:db8:20::/48 }", "office"),
        ("{ office, 192.0.2.25 }", "{ office, mail }"),
        ("{ office, 192.0.2.99 }", "{ office, 192.0.2.99 }"),
        ("office except 10.20.9.0/24", "office except guests"),
        ("office except { 10.20.9.0/24, 10.20.7.7 }", "office except { guests, 10.20.7.7 }"),
        ("not { office, web }", "not { office, web }"),
        ("ipv4 except private", "ipv4 except private"),
        ("0.0.0.0/0", "ipv4"),
        ("::/0", "ipv6"),
        ("192.0.2.80", "192.0.2.80"),
        ("192.0.2.80-192.0.2.81", "web"),
    ],
)
def test_addresses_by_name(chosen: str, expected: str) -> None:
    found = show_addresses(addresses(chosen), WORDS)
    assert found == expected
    assert addresses(found) == addresses(chosen)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp from office port 1024-65535 to 192.0.2.25 port 22", "tcp from office port high to mail port 22"),
        ("tcp to any port { 22, 8000-8080 }", "tcp from any to any port admin"),
        ("tcp to web port { 80, 443 }", "www from any to web"),
        ("{ tcp, udp } to mail port 53", "dns from any to mail"),
        ("udp to mail port 53", "udp from any to mail port 53"),
        ("tcp to mail port not { 22, 8000-8080 }", "tcp from any to mail port not admin"),
        ("icmp from ipv4 to web", "icmp from any to web"),
    ],
)
def test_regions_by_name(text: str, expected: str) -> None:
    boxes = region(POLICY, text)
    shown = [show_box(box, WORDS) for box in readable(boxes)]
    assert shown == [expected]


def same(box: Box, texts: list[str]) -> bool:
    """Do the texts mean, together, just the packets of a box?"""
    back = tuple(one for text in texts for one in region(POLICY, text))
    return equivalent(RuleSet((Rule(ALLOW, (box,)),)), RuleSet((Rule(ALLOW, back),)))


def test_whatever_is_printed_reads_back_as_the_same_packets() -> None:
    """Boxes made of named sets, pieces of them and others, with names and without."""
    draw = random.Random(20261125)
    nets = [addresses(n) for n in ("office", "guests", "web", "mail", "private", "10.20.9.7", "192.0.2.0/24", "ipv6")]
    ports = [
        IntervalSet.of(*p)
        for p in ([(1024, 65535)], [(22, 22), (8000, 8080)], [(80, 80), (443, 443)], [(53, 53)], [(7, 9)])
    ]
    named = 0
    for _ in range(600):
        sets = {}
        for f in (SRC, DST):
            a, b = draw.sample(nets, 2)
            sets[f] = draw.choice([address.ALL, a, a | b, a - b, address.V4 - a, address.ALL - (a | b)])
        sets[PROTOCOL] = draw.choice([IntervalSet.single(6), IntervalSet.single(17), IntervalSet.of((6, 6), (17, 17))])
        for f in (SPORT, DPORT):
            if draw.random() < 0.5:
                p, q = draw.sample(ports, 2)
                sets[f] = draw.choice([p, p | q, p - q or p])
        box = Box.of(sets)
        if not box:
            continue
        for words in (WORDS, None):
            shown = [show_box(b, words) if words else show_box(b) for b in readable([box])]
            assert same(box, shown), shown
        named += any(
            name in " ".join(show_box(b, WORDS) for b in readable([box])) for name in ("office", "www", "admin")
        )
    assert named > 120


def test_boxes_of_all_kinds_read_back() -> None:
    for seed in range(120):
        box = make_box(Seeded(seed), SMALL)
        shown = [show_box(b, WORDS) for b in readable([box])]
        if box and not any(" more" in text or "0x" in text for text in shown):  # interfaces that no text gives
            assert same(box, shown)


def test_a_name_that_is_a_port_of_one_protocol_only() -> None:
    policy = fwengine.loads("ports p = { ssh, nfs }\nallow tcp to any port p")
    words = Vocabulary(policy.names)
    both = IntervalSet.of((22, 22), (2049, 2049))
    assert show_ports(both, IntervalSet.single(6), words) == "p"
    assert show_ports(both, IntervalSet.single(33), words) == "{ 22, 2049 }"
