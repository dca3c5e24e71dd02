"""Policies written as text read back as equivalent ones: those of texts, those made from data, those of other firewalls."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.chains import draw_chains
from support.generators import SMALL, Seeded, make_box
from support.paths import RULES

import fwengine
from fwengine import ALLOW, DENY, Box, Field, IntervalSet, Policy, Rule, dumps, loads
from fwengine import strategies as fst
from fwengine.analysis.diff import equivalent
from fwengine.formats.iptables.reader import read
from fwengine.formats.unfold import unfold
from fwengine.model.fields import SOME_INTERFACE, interface_number
from fwengine.model.ruleset import RuleSet

DAY = datetime.date(2027, 6, 30)
TEXTS = sorted(RULES.glob("*.fwl"))


def written(policy: RuleSet) -> Policy:
    """The policy as its text reads; the text is a fixed point of writing."""
    text = dumps(policy)
    back = loads(text, as_of=policy.as_of)
    assert equivalent(policy, back), text
    assert fwengine.diff(policy, back) == ()
    assert dumps(back) == text
    return back


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.name)
def test_the_policies_of_the_repository(path: Path) -> None:
    policy = fwengine.load(path)
    back = written(policy)
    assert [r.name for r in back.rules] == [r.name for r in policy.rules]
    assert [(r.action, r.until, r.log) for r in back.rules] == [(r.action, r.until, r.log) for r in policy.rules]
    assert [d.name for d in back.definitions] == [d.name for d in policy.definitions]
    assert len(back.expectations) == len(policy.expectations)
    for mine, other in zip(policy.expectations, back.expectations, strict=True):
        assert (mine.action, mine.boxes) == (other.action, other.boxes)
    words = {w for r in policy.rules for _, w in r.written if w.isalpha()}
    assert words <= set(dumps(policy).replace(",", " ").split()), "the words of the text are kept"


@given(fst.policies(full=True, as_of=DAY))
@settings(max_examples=60, deadline=None)
def test_drawn_policies(policy: Policy) -> None:
    assert len(written(policy).rules) == len(policy.rules)


@given(fst.policies(full=True, as_of=DAY))
@settings(max_examples=60, deadline=None)
def test_drawn_policies_whose_text_is_lost(policy: Policy) -> None:
    """What is made from data has no text: boxes, actions, days are all there is."""
    bare = Policy.of([replace(r, written=()) for r in policy.rules], policy.default, as_of=policy.as_of)
    written(bare)


def test_boxes_of_all_kinds() -> None:
    refused = 0
    for seed in range(120):
        draw = Seeded(seed)
        rules = [Rule(draw_action, (make_box(draw, SMALL), make_box(draw, SMALL))) for draw_action in (ALLOW, DENY)]
        policy = Policy.of(rules)
        try:
            written(policy)
        except ValueError:  # interfaces by numbers that no name has
            refused += 1
    assert refused < 60


def test_bounds_of_chains_with_doubts() -> None:
    for seed in range(40):
        chains = draw_chains(random.Random(seed), 0.35)
        for favour in (ALLOW, DENY):
            flat = unfold(chains, "entry", favour)
            written(RuleSet(flat.rules, flat.default))


def test_a_dump_of_iptables() -> None:
    text = """*filter
:INPUT DROP [0:0]
:services - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 -j DROP
-A INPUT -j services
-A services -s 10.0.0.5/255.255.0.255 -p tcp -m multiport --dports 80,443 -j ACCEPT
-A services -p udp -m udp --dport 53 -j ACCEPT
COMMIT
"""
    document = read(text, "server.rules")
    for favour in (ALLOW, DENY):
        flat = unfold(document.chains, document.policies["INPUT"], favour)
        bound = Policy(flat.rules, flat.default, DAY, "server.rules", sources={"server.rules": text})
        assert "from 10.0.0.5/255.255.0.255 to any port { 80, 443 }" in dumps(bound)
        written(bound)


def test_names_are_used_for_what_is_made_from_data() -> None:
    text = "net office = 10.20.0.0/16\nservice www = { tcp/80, tcp/443 }\nallow www from office as web\n"
    policy = loads(text)
    more = replace(policy, rules=(*policy.rules, Rule.deny("udp", src="10.20.0.0/16", name="no-udp")))
    assert written(more).rules[1].name == "no-udp"
    assert dumps(more).splitlines()[-1] == "deny  udp from office as no-udp"


def test_names_that_the_language_does_not_take() -> None:
    box = Box.of({Field.PROTOCOL: IntervalSet.single(6)})
    names = ["web", "web", "allow", "two words", 'x"\ndeny any', "10", None, ""]
    policy = Policy.of([Rule(ALLOW, (box,), name) for name in names], DENY)
    back = written(policy)
    assert [r.name for r in back.rules] == ["web", *[None] * 7]
    assert "deny any" not in dumps(policy)


def test_a_rule_of_several_matches_becomes_several_rules() -> None:
    one = loads("allow tcp from 10.0.0.1 to 10.0.0.2 port 22\nallow udp from 10.0.0.3 port 53 log")
    rule = Rule(ALLOW, one.rules[0].boxes + one.rules[1].boxes, "both", DAY, True)
    back = written(Policy.of([rule], as_of=DAY))
    assert [(r.name, r.until, r.log) for r in back.rules] == [("both", DAY, True), ("both-2", DAY, True)]


def test_services_stay_one_rule() -> None:
    policy = loads("allow { udp/domain, tcp/domain, tcp/8000-8080, icmp } from 10.0.0.0/8 as mixed")
    bare = Policy.of([Rule(ALLOW, policy.rules[0].boxes, "mixed")])
    assert len(written(bare).rules) == 1


def test_rules_that_match_nothing() -> None:
    policy = Policy.of([Rule(ALLOW, ()), Rule.deny("tcp")], "allow")
    assert dumps(policy) == "default allow\n\ndeny  tcp\n"
    assert dumps(RuleSet(())) == "default deny\n"


def test_an_interface_that_the_text_does_not_declare() -> None:
    """The declarations go, as the language would refuse the rule beside them."""
    policy = loads("interface lan = { eth1, eth2 }\ndeny any in lan as inside")
    more = replace(policy, rules=(*policy.rules, Rule.allow("tcp", in_interface="ppp0")))
    assert "interface" not in dumps(more)
    written(more)


def test_what_no_text_says_is_an_error() -> None:
    start = interface_number("eth\0") // 256
    prefix = IntervalSet.of((start << 24, (start + 1 << 24) - 1)) & SOME_INTERFACE
    policy = Policy.of([Rule(ALLOW, (Box.of({Field.IN: prefix}),), "by-prefix")])
    with pytest.raises(ValueError, match="no text says what rule `by-prefix` matches"):
        dumps(policy)


def test_expectations_that_name_a_rule_without_a_name_lose_it() -> None:
    policy = loads(
        "allow tcp from 10.0.0.0/8\nexpect allow tcp 10.0.0.1:1 -> 10.0.0.2:2 by policy.fwl:1", file="policy.fwl"
    )
    back = written(policy)
    assert [(e.action, e.by) for e in back.expectations] == [(ALLOW, None)]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_rules_in_any_order(data: st.DataObject) -> None:
    policy = fwengine.load(RULES / "edge.fwl")
    rules = data.draw(st.permutations(policy.rules))
    written(replace(policy, rules=tuple(rules[: data.draw(st.integers(0, len(rules)))])))


def test_masks_with_many_holes() -> None:
    policy = loads("allow tcp from 10.0.0.1/255.0.0.255 as a\ndeny udp from ::1/ffff::ffff as b")
    bare = Policy.of([replace(rule, written=()) for rule in policy.rules])
    assert [str(rule) for rule in written(bare).rules] == [str(rule) for rule in policy.rules]
    assert "from ::1/ffff::ffff" in dumps(bare)
    assert all(len(repr(box)) < 200 for rule in bare.rules for box in rule.boxes)


@pytest.mark.parametrize(
    "text",
    [
        "allow tcp from { 10.0.0.0/8, 10.1.0.0/16 } to any port 22 as a",
        "net office = { 10.0.0.0/8, 10.1.0.0/16 }\nallow tcp from office\ndeny udp to { 10.0.0.1, 10.0.0.1 }",
        "allow icmp\nallow tcp from { 192.0.2.0/24, 0.0.0.0/0 }\nexpect deny udp to { 192.0.2.0/24, 0.0.0.0/0 }",
    ],
)
def test_sets_with_elements_that_add_nothing(text: str) -> None:
    """What is read back stands in no text, so there is nothing to take out of it."""
    written(loads(text))
