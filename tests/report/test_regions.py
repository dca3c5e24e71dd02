"""Regions in a policy's own words: what is printed for boxes is read back as the same packets, with names and without."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from support.generators import SMALL, Seeded, make_box

import fwengine
from fwengine.analysis.diff import equivalent
from fwengine.analysis.region import disjoint
from fwengine.model.box import Box
from fwengine.model.fields import FIELDS
from fwengine.model.rules import ALLOW, Rule
from fwengine.model.ruleset import RuleSet
from fwengine.policy import Policy, region
from fwengine.report.regions import Wording

NAMED = """
net office   = { 10.20.0.0/16, 2001:db8:20::/48 }
net guests   = { 10.20.9.0/24, 2001:db8:20:9::/64 }
net staff    = office except guests
net both     = { 10.20.0.0/16, 192.0.2.0/24, 2001:db8:20::/48 }
net web      = { 192.0.2.80, 192.0.2.81, 2001:db8::80 }
net six      = 2001:db8::/32
net high     = 203.0.113.0/24  # a net may be called as a class of ports might be
net dead-beef = 198.51.100.7
ports upper  = 1024-65535
ports admin  = { ssh, 8000-8080 }
service www  = { tcp/http, tcp/https }
service dns  = { udp/domain, tcp/domain }
service mixed = { tcp/8443, udp/4500, icmp }
service pings = { icmp, icmpv6 }
interface lan = { eth1, eth2 }
interface wan = eth0
interface all-of-them = { lan, wan }
"""
RULES = """
allow www from office to web in lan
deny  any from guests to both
allow mixed from staff port_less out wan
allow tcp from not office port upper to web port admin established
allow pings from six
allow dns from ipv4 except office to any except web
deny  tcp from any to high port not admin in all-of-them
allow { tcp, udp } from dead-beef to six except web
""".replace(" port_less", "")


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """With its names in an included file, and names of its own beside them."""
    folder: Path = tmp_path_factory.mktemp("names")
    (folder / "names.fwl").write_text(NAMED)
    text = RULES.replace("allow { tcp, udp } from dead-beef to six except web\n", "")
    (folder / "top.fwl").write_text(f'include "names.fwl"\nnet lab = 10.99.0.0/16\n{text}allow any from lab to both\n')
    return fwengine.load(folder / "top.fwl")


def same(policy: Policy | None, boxes: list[Box], text: str) -> bool:
    back = region(policy, text)
    return equivalent(RuleSet((Rule(ALLOW, tuple(boxes)),)), RuleSet((Rule(ALLOW, back),)))


def test_regions_of_a_policy_read_back_with_names_and_without(policy: Policy) -> None:
    """Pieces that the rules cut out of each other, joined again as they come."""
    draw = random.Random(11)
    rules = [box for rule in policy.rules for box in rule.boxes]
    named = Wording(policy)
    plain = Wording()
    unless = 0
    for _ in range(250):
        first, *others = draw.sample(rules, draw.randint(1, 4))
        left = [first]
        for other in others:
            left = [part for box in left for part in (box - other if draw.random() < 0.7 else [box & other]) if part]
        parts = [Box(sets) for sets in disjoint(left)]
        if not parts:
            continue
        for wording, names in ((named, policy), (plain, policy)):
            text = " or ".join(wording.parts(parts))
            if " unless " in text and len(wording.parts(parts)) > 1:
                raise AssertionError("an exception would reach over `or`")
            unless += " unless " in text
            assert same(names, parts, text), text
            for box in parts[:3]:
                assert same(names, [box], wording.region(box)), wording.region(box)
    assert unless > 10


def test_random_boxes_read_back(policy: Policy) -> None:
    named = Wording(policy)
    seen = 0
    for seed in range(200):
        source = Seeded(seed)
        boxes = [make_box(source, SMALL) for _ in range(3)]
        boxes = [Box((*box.sets[:9], *policy.rules[-1].boxes[0].sets[9:11], *box.sets[11:])) for box in boxes]
        parts = [Box(sets) for sets in disjoint(boxes)]
        if parts and len(parts) <= 64:
            seen += 1
            assert same(policy, parts, " or ".join(named.parts(parts)))
    assert seen > 50
    assert FIELDS == 15, "the ninth and tenth are the interfaces"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tcp from office to web port 80 or tcp from office to web port 443", "www from office to web"),
        ("any from ipv4 except 10.20.0.0/16", "any from ipv4 except office"),
        ("any from 10.20.0.0/16 to 192.0.2.0/24", "any from office to 192.0.2.0/24"),
        ("any from 10.20.0.0/16 to 10.20.9.0/24", "any from 10.20.0.0/16 to guests"),
        ("icmp from 2001:db8::/32", "icmp from six"),
        ("icmp from 10.20.0.0/16 to 192.0.2.80 type echo-request", "icmp from office to 192.0.2.80 type echo-request"),
        ("icmpv6 from six to 2001:db8::80 type 128", "icmpv6 from six to web type echo-request"),
        ("any in { eth1, eth2 }", "any in lan"),
        ("any out { none, eth0, eth1 }", "any out { none, wan, eth1 }"),
        ("tcp to web port 8443 or udp to web port 4500 or icmp to web", "mixed from any to web"),
        (
            "tcp from office unless tcp to web port 22",
            "tcp from office unless tcp from any to web port 22",
        ),
    ],
)
def test_regions_read_well(policy: Policy, text: str, shown: str) -> None:
    boxes = [Box(sets) for sets in disjoint(region(policy, text))]
    assert " or ".join(Wording(policy).parts(boxes)) == shown


def test_two_names_of_both_families_are_not_taken_for_one_family(policy: Policy) -> None:
    """`from office to web` would be IPv6's packets, too."""
    (box,) = region(policy, "any from 10.20.0.0/16 to { 192.0.2.80, 192.0.2.81 }")
    text = Wording(policy).region(box)
    assert same(policy, [box], text)
    assert text == "any from 10.20.0.0/16 to web"
