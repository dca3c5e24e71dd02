"""Findings that other programs get wrong, one test for each, and what each code promises at its edges."""

from __future__ import annotations

import datetime

import pytest

from fwengine.analysis.align import unaligned
from fwengine.analysis.anomalies import findings
from fwengine.analysis.diff import diff, equivalent
from fwengine.analysis.finding import QUIET, Finding
from fwengine.analysis.prove import prove
from fwengine.analysis.query import outside, query
from fwengine.analysis.reach import blockers, effective
from fwengine.analysis.region import EVERYTHING
from fwengine.analysis.wording import describe
from fwengine.errors import LimitError
from fwengine.limits import Limits
from fwengine.model import address
from fwengine.model.box import Box
from fwengine.model.fields import (
    BYTE,
    DPORT,
    DST,
    FLAGS,
    FRAGMENT,
    FULL,
    IN,
    PORTS,
    PRESENT,
    PROTOCOL,
    SPORT,
    SRC,
    TYPE,
    interface_number,
)
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY, Action, Claim, Definition, Rule
from fwengine.model.ruleset import decide
from fwengine.policy import Policy

TODAY = datetime.date(2026, 11, 21)
ACK_OR_RST = IntervalSet.union((v, v) for v in range(256) if v & 0b10100)


def net(text: str) -> IntervalSet:
    base, _, length = text.partition("/")
    point = address.parse(base)
    return IntervalSet((address.prefix(point, int(length or address.bits_of(point))),))


def box(protocol: int | None = None, **conditions: IntervalSet | str | int) -> Box:
    fields = {
        "src": SRC,
        "dst": DST,
        "sport": SPORT,
        "dport": DPORT,
        "type": TYPE,
        "flags": FLAGS,
        "fragment": FRAGMENT,
    }
    found: dict[int, IntervalSet] = {} if protocol is None else {PROTOCOL: IntervalSet.single(protocol)}
    for name, value in conditions.items():
        field = fields.get(name, IN)
        if isinstance(value, str):
            found[field] = net(value) if field in (SRC, DST) else IntervalSet.single(interface_number(value))
        else:
            found[field] = IntervalSet.single(value) if isinstance(value, int) else value
    return Box.of(found)


def policy(*rules: tuple[Action, Box] | tuple[Action, Box, Box], default: Action = DENY) -> Policy:
    return Policy(tuple(Rule(a, tuple(b), f"r{n}") for n, (a, *b) in enumerate(rules)), default, TODAY)


def codes(p: Policy, *select: str) -> list[tuple[str, int | None, tuple[int, ...]]]:
    found = findings(p, select or {"FW201", "FW202", "FW203", "FW204"})
    for f in found:
        if f.witness is not None:
            assert decide(p, f.witness).index == f.decided_by
    return [(f.code, f.rule, f.blockers) for f in found]


def ports(lo: int, hi: int) -> IntervalSet:
    return IntervalSet.of((lo, hi))


def test_shadowed_by_one_rule() -> None:
    p = policy(
        (ALLOW, box(6, src="10.20.0.0/16", dst="192.0.2.80", dport=22)),
        (DENY, box(6, src="10.20.9.0/24", dst="192.0.2.80", dport=22)),
    )
    (finding,) = findings(p, {"FW201", "FW202"})
    assert (finding.code, finding.severity, finding.rule, finding.blockers) == ("FW201", "warning", 1, (0,))
    assert str(finding.witness) == "tcp 10.20.9.17:49152 -> 192.0.2.80:22 flags syn"
    assert finding.decided_by == 0
    assert describe(p, finding) == "rule `r1` can never match: `r0` decides all of it, the other way"


def test_a_union_shadows_what_no_rule_shadows_alone() -> None:
    p = policy(
        (ALLOW, box(6, dport=ports(0, 99))),
        (DENY, box(6, dport=ports(90, 65535))),
        (ALLOW, box(6, fragment=2)),
        (DENY, box(6)),
    )
    assert codes(p, "FW201", "FW202") == [("FW201", 3, (0, 1, 2))]


def test_minimal_blockers_leave_out_who_is_not_needed() -> None:
    p = policy(
        (ALLOW, box(6, dport=ports(10, 20))),
        (ALLOW, box(17, dport=ports(10, 20))),
        (ALLOW, box(6, dport=ports(0, 15))),
        (ALLOW, box(6, dport=ports(16, 65535))),
        (ALLOW, box(6, dport=ports(12, 30))),
    )
    blocked = blockers(p, 4)
    assert blocked is not None
    assert blocked.rules == (0, 3)
    assert not blocked.shadowed


def test_as_many_blockers_as_it_takes() -> None:
    p = policy(*((ALLOW, box(6, dport=n)) for n in range(500)), (DENY, box(6, dport=ports(0, 499))))
    assert codes(p, "FW201", "FW202") == [("FW201", 500, tuple(range(500)))]
    holed = Policy((*p.rules[:300], *p.rules[301:]), p.default, TODAY)
    assert codes(holed, "FW201", "FW202") == []
    assert effective(holed, 499) == [box(6, dport=300)]


def test_equal_icmp_types_shadow() -> None:
    p = policy((ALLOW, box(1, type=8)), (DENY, box(1, type=8)), (DENY, box(1, type=0)))
    assert codes(p, "FW201", "FW202") == [("FW201", 1, (0,))]


def test_icmp_of_ipv4_and_of_ipv6_are_two_protocols() -> None:
    assert codes(policy((ALLOW, box(1, type=8)), (ALLOW, box(58, type=8)))) == []


def test_established_after_all_of_tcp() -> None:
    p = policy((ALLOW, box(6)), (ALLOW, box(6, flags=ACK_OR_RST)))
    assert codes(p) == [("FW202", 1, (0,))]


def test_all_of_tcp_after_established_is_reached() -> None:
    p = policy((ALLOW, box(6, flags=ACK_OR_RST)), (DENY, box(6)), default=ALLOW)
    assert codes(p) == []


def test_protocol_by_number_is_the_protocol_by_name() -> None:
    p = policy((ALLOW, Box.of({PROTOCOL: IntervalSet.of((6, 6))})), (DENY, box(6)))
    assert codes(p, "FW201") == [("FW201", 1, (0,))]


def test_a_range_of_protocols_covers_one() -> None:
    p = policy((DENY, Box.of({PROTOCOL: IntervalSet.of((0, 46), (48, 255))})), (ALLOW, box(17, dport=53)))
    assert codes(p, "FW201", "FW202") == [("FW201", 1, (0,))]


def test_negated_sets() -> None:
    office = net("10.0.0.0/8")
    p = policy(
        (DENY, Box.of({SRC: FULL[SRC] - office})),
        (ALLOW, box(6, src="192.0.2.0/24")),
        (ALLOW, box(6, src="10.1.0.0/16")),
    )
    assert codes(p, "FW201", "FW202") == [("FW201", 1, (0,))]


def test_not_port_80_does_not_match_what_has_no_ports() -> None:
    p = policy((DENY, box(6, dport=PORTS - IntervalSet.single(80))), (DENY, box(6, dport=80)), (ALLOW, box(6)))
    # later fragments are left for the last rule
    (region,) = effective(p, 2)
    assert region == box(6, fragment=2)


def test_no_condition_on_ports_is_wider_than_all_ports() -> None:
    p = policy((DENY, box(6, dport=PORTS)), (ALLOW, box(6, dport=PORTS, sport=PORTS)), (ALLOW, box(6)))
    assert codes(p, "FW201", "FW202") == [("FW201", 1, (0,))]


def test_services_of_several_boxes() -> None:
    tcp, udp = box(6, dport=53), box(17, dport=53)
    p = policy((ALLOW, tcp, udp), (DENY, udp), (DENY, udp, box(17, dport=54)))
    assert codes(p, "FW201", "FW202") == [("FW201", 1, (0,))]


def test_the_boxes_of_one_rule_blocked_by_different_rules() -> None:
    p = policy((ALLOW, box(6)), (DENY, box(17)), (ALLOW, box(6, dport=53), box(17, dport=53)))
    assert codes(p, "FW201", "FW202") == [("FW201", 2, (0, 1))]


def test_an_absent_interface_reaches_past_rules_for_all_names() -> None:
    named = Box.of({IN: PRESENT[IN]})
    assert codes(policy((DENY, named), (ALLOW, EVERYTHING))) == []
    assert codes(policy((DENY, named), (DENY, box(6, iface="wan0"))), "FW202") == [("FW202", 1, (0,))]


def test_a_rule_whose_families_differ_is_unmatchable_and_blocks_nothing() -> None:
    p = policy((DENY, box(6, src="10.0.0.0/8", dst="2001:db8::/32")), (ALLOW, box(6, src="10.0.0.0/8")))
    assert codes(p) == [("FW204", 0, ())]


def test_types_of_the_other_family_are_unmatchable() -> None:
    assert codes(policy((ALLOW, box(58, type=128, src="10.0.0.0/8")))) == [("FW204", 0, ())]


def test_ports_on_later_fragments_are_unmatchable() -> None:
    assert codes(policy((ALLOW, box(6, dport=80, fragment=2)))) == [("FW204", 0, ())]


def test_an_expired_rule_blocks_nothing_and_is_nothing_else() -> None:
    p = Policy(
        (
            Rule(DENY, (EVERYTHING,), "old", TODAY - datetime.timedelta(1)),
            Rule(ALLOW, (box(6, dport=80),), "last-day", TODAY),
            Rule(ALLOW, (box(6, dport=81),), "month", TODAY + datetime.timedelta(30)),
            Rule(ALLOW, (box(6, dport=82),), "longer", TODAY + datetime.timedelta(31)),
        ),
        DENY,
        TODAY,
    )
    found = [(f.code, f.rule, f.until) for f in findings(p, {"FW201", "FW202", "FW203", "FW204", "FW207", "FW208"})]
    assert found == [
        ("FW207", 0, TODAY - datetime.timedelta(1)),
        ("FW208", 1, TODAY),
        ("FW208", 2, TODAY + datetime.timedelta(30)),
    ]


def test_redundant_for_the_rule_below_or_for_the_default() -> None:
    p = policy((ALLOW, box(6, dport=80)), (ALLOW, box(6, dport=ports(80, 90))), (DENY, EVERYTHING))
    first, last = (f for f in findings(p) if f.code == "FW203")
    assert (first.rule, first.blockers, first.severity) == (0, (1,), "warning")
    assert (last.rule, last.blockers, last.severity) == (2, (), "info")
    assert describe(p, last) == "rule `r2` changes nothing: without it the default would do the same"


def test_redundant_for_a_union_below() -> None:
    whole, low, high = ((ALLOW, box(6, dport=ports(*pair))) for pair in ((80, 90), (79, 85), (86, 91)))
    assert codes(policy(whole, low, high), "FW203") == [("FW203", 0, (1,))]
    assert codes(policy(whole, low, (ALLOW, box(6, dport=ports(87, 91)))), "FW203") == []


def test_of_rules_that_do_the_same_one_is_told() -> None:
    """Two findings about a pair, each followed, would close what both open."""
    web = (ALLOW, box(6, dport=80))
    assert codes(policy(web, web)) == [("FW202", 1, (0,))]
    assert codes(policy(web, web, web)) == [("FW202", 1, (0,)), ("FW202", 2, (0,))]
    halves = [(ALLOW, box(6, dport=ports(*pair))) for pair in ((80, 85), (86, 90))]
    assert codes(policy((ALLOW, box(6, dport=ports(80, 90))), *halves)) == [("FW202", 1, (0,)), ("FW202", 2, (0,))]
    # three in a row, each of which the next one would replace: all but the last
    chain = [(ALLOW, box(6, dport=ports(80, 80 + n))) for n in range(3)]
    assert codes(policy(*chain)) == [("FW203", 0, (2,)), ("FW203", 1, (2,))]


def test_an_idle_rule_that_an_expectation_names_stays() -> None:
    p = policy(*[(ALLOW, box(6, dport=80))] * 2, (ALLOW, box(6, dport=ports(80, 81))))
    found = findings(p, {"FW202", "FW203"}, named={0, 1})
    assert [(f.code, f.rule, f.obstacle, f.removable) for f in found] == [
        ("FW203", 0, "named", False),
        ("FW202", 1, "named", False),
    ]


def test_what_ends_is_not_relied_on() -> None:
    """A rule is not idle for good because another one does its work until next week."""
    soon = TODAY + datetime.timedelta(7)
    web, all_web = box(6, dst="192.0.2.80", dport=80), box(6, dport=80)
    passing = Policy((Rule(ALLOW, (all_web,), until=soon), Rule(ALLOW, (web,))), as_of=TODAY)
    assert [(f.code, f.obstacle) for f in findings(passing, {"FW202", "FW203"})] == [("FW202", "until")]
    heir = Policy((Rule(ALLOW, (web,)), Rule(ALLOW, (all_web,), until=soon)), as_of=TODAY)
    assert [(f.code, f.obstacle) for f in findings(heir, {"FW202", "FW203"})] == [("FW203", "until")]
    both = Policy((Rule(ALLOW, (web,), until=soon), Rule(ALLOW, (all_web,), until=soon)), as_of=TODAY)
    assert [(f.code, f.removable) for f in findings(both, {"FW202", "FW203"})] == [("FW203", True)]


def test_a_move_is_proposed_only_if_it_gives_the_rule_an_effect() -> None:
    spoofed, web = (DENY, box(src="10.0.0.0/8", iface="eth0")), (ALLOW, box(6, dst="192.0.2.0/24", dport=443))
    p = policy(spoofed, web, (ALLOW, box(6, dst="192.0.2.80", dport=443)))
    (finding,) = findings(p, {"FW201", "FW202", "FW203"})
    assert (finding.code, finding.blockers, finding.repeated, finding.above) == ("FW201", (1,), True, None)
    assert describe(p, finding) == "rule `r2` can never match: `r1` matches all of it, and `r0` denies some before that"
    # the nearest rule that stands in the way, not one further up that takes a part
    few, ssh = (DENY, box(6, src="10.0.0.0/24")), (DENY, box(6, dport=22))
    p = policy(few, ssh, (ALLOW, box(6, src="10.0.0.0/8", dport=22)))
    (finding,) = findings(p, {"FW201", "FW202"})
    assert (finding.blockers, finding.above, finding.decided_by) == ((1,), 1, 1)
    assert describe(p, finding).endswith("`r1` takes all that earlier rules leave of it, the other way")
    # what is between is of the same action, and a move above it alone would change nothing
    mixed = [(DENY, box(6, dport=ports(20, 22))), (ALLOW, box(6, dport=ports(23, 25)))]
    p = policy(*mixed, (ALLOW, box(6, dport=ports(22, 24))))
    (finding,) = findings(p, {"FW201", "FW202"})
    assert (finding.blockers, finding.above) == ((0, 1), 0)
    assert describe(p, finding).endswith("`r0` and `r1` together match all of it, and `r0` denies some")


def test_of_moves_that_contend_one_is_proposed() -> None:
    """Moved both, one of the two rules would take from the other what it was promised."""
    p = policy(
        (ALLOW, box(6, dport=80)), (DENY, box(6, dport=ports(81, 90))),
        (DENY, box(6, dport=ports(80, 85))), (ALLOW, box(6, dport=ports(80, 84))),
    )  # fmt: skip
    found = {f.rule: f.above for f in findings(p, {"FW201"})}
    assert found == {2: None, 3: 1}


def test_not_redundant_if_a_rule_between_goes_the_other_way() -> None:
    p = policy(
        (ALLOW, box(6, dport=80)), (DENY, box(6, dport=80, src="10.0.0.0/8")), (ALLOW, box(6, dport=ports(80, 90)))
    )
    assert codes(p, "FW203") == []


def test_allow_everything_however_it_is_written() -> None:
    halves = Box.of({PROTOCOL: IntervalSet.of((0, 99))}), Box.of({PROTOCOL: IntervalSet.of((100, 255))})
    almost = halves[0], Box.of({PROTOCOL: IntervalSet.of((101, 255))})
    assert codes(policy((ALLOW, EVERYTHING)), "FW301") == [("FW301", 0, ())]
    assert codes(policy((ALLOW, *halves)), "FW301") == [("FW301", 0, ())]
    assert codes(policy((ALLOW, *almost)), "FW301") == []
    assert codes(policy((DENY, EVERYTHING)), "FW301") == []
    assert codes(policy((DENY, EVERYTHING), (ALLOW, EVERYTHING)), "FW301") == []
    assert codes(policy((ALLOW, Box.of({IN: PRESENT[IN]}))), "FW301") == []


@pytest.mark.parametrize(("chosen", "found"), [((1, 65535), True), ((0, 65535), False), ((2, 65535), False)])
def test_all_ports_but_port_0(chosen: tuple[int, int], found: bool) -> None:
    for f, word in ((SPORT, "sport"), (DPORT, "dport")):
        p = policy((ALLOW, box(6, **{word: IntervalSet.of(chosen)})))
        assert [x.field for x in findings(p, {"FW302"})] == [f] * found


def test_later_fragments_are_told_once_and_not_if_denied_on_purpose() -> None:
    web = (ALLOW, box(6, dst="192.0.2.80", dport=80))
    mail = (ALLOW, box(6, dst="192.0.2.25", dport=25))
    p = policy(web, mail)
    (finding,) = findings(p, {"FW303"})
    assert (finding.rule, finding.severity, finding.decided_by) == (0, "info", 2)
    assert str(finding.witness) == "tcp 198.51.100.7 -> 192.0.2.80 fragment later"
    assert [f.rule for f in findings(policy(web, mail, (ALLOW, box(dst="192.0.2.80", fragment=2))), {"FW303"})] == [1]
    assert findings(policy((DENY, box(fragment=2)), web, mail), {"FW303"}) == ()
    assert findings(policy(web, mail, default=ALLOW), {"FW303"}) == ()
    assert findings(policy((ALLOW, box(6))), {"FW303"}) == ()


def test_definitions_never_used() -> None:
    used, unused = Definition("net", "a", uses=1), Definition("ports", "b")
    p = Policy((), definitions=(used, unused), as_of=TODAY)
    assert findings(p, definitions=p.definitions) == (Finding("FW209", "info", definition=unused),)
    assert describe(p, findings(p, definitions=p.definitions)[0]) == "ports `b` is never used"


def test_correlation_and_generalization_only_when_asked_for() -> None:
    p = policy(
        (DENY, box(6, src="10.0.0.0/24")),
        (ALLOW, box(6, src="10.0.0.0/8")),
        (DENY, box(6, dport=80)),
    )
    assert not {f.code for f in findings(p)} & QUIET
    assert codes(p, "FW205", "FW206") == [("FW205", 1, (0,)), ("FW206", 2, (1,))]


def test_unknown_codes_are_refused() -> None:
    with pytest.raises(ValueError, match="FW999"):
        findings(policy(), {"FW201", "FW999"})


def test_outside_a_region_everything_is_denied() -> None:
    web = box(6, dst="192.0.2.80", dport=80)
    p = policy((ALLOW, web))
    assert prove(p, Claim(DENY, tuple(outside([web])))).holds
    proof = prove(policy((ALLOW, box(6, dst="192.0.2.80", dport=ports(79, 80)))), Claim(DENY, tuple(outside([web]))))
    assert str(proof.counterexample) == "tcp 198.51.100.7:49152 -> 192.0.2.80:79 flags syn"
    assert proof.verdict is not None
    assert proof.verdict.index == 0
    with pytest.raises(TypeError):
        bool(proof)


def test_a_query_gives_few_readable_regions_widest_first() -> None:
    p = policy((DENY, box(6, dport=22)), (ALLOW, box(6, dst="192.0.2.80")), (ALLOW, box(1)))
    found = query(p, ALLOW)
    assert [(r.rule, r.box) for r in found] == [
        (2, box(1)),
        (1, box(6, dst="192.0.2.80", dport=PORTS - IntervalSet.single(22))),
        (1, box(6, dst="192.0.2.80", fragment=2)),
    ]
    assert [r.flows for r in found] == sorted((r.flows for r in found), reverse=True)


def test_diff_tells_both_rules() -> None:
    office, guests = box(6, src="10.20.0.0/16", dport=22), box(6, src="10.20.9.0/24", dport=22)
    old, new = policy((DENY, guests), (ALLOW, office)), policy((ALLOW, office), (DENY, guests))
    (change,) = diff(old, new)
    assert (change.old, change.old_rule, change.new, change.new_rule) == (DENY, 0, ALLOW, 0)
    assert change.box == guests
    assert str(change.witness) == "tcp 10.20.9.17:49152 -> 192.0.2.80:22 flags syn"


def test_diff_of_equivalent_policies_is_empty_however_they_are_written() -> None:
    halves = [(ALLOW, box(6, dport=ports(0, 99))), (ALLOW, box(6, dport=ports(100, 65535)))]
    assert diff(policy(*halves), policy((ALLOW, box(6, dport=PORTS)))) == ()
    assert equivalent(policy(*halves), policy(*reversed(halves)))
    assert diff(policy(), policy((ALLOW, EVERYTHING), default=DENY)) != ()
    assert diff(policy((ALLOW, EVERYTHING)), policy(default=ALLOW)) == ()


def test_alignment_keeps_what_is_common_in_order() -> None:
    a, b, c, d = ((ALLOW, box(6, dport=n)) for n in range(4))
    assert unaligned(policy(a, b, c, d), policy(a, c, d)) == ([1], [])
    assert unaligned(policy(a, b, c, d), policy(b, c, d, a)) == ([0], [3])
    assert unaligned(policy(a, a, b), policy(a, b, a)) == ([1], [2])
    assert unaligned(policy(a), policy((DENY, box(6, dport=0)))) == ([0], [0])


def test_limits_say_which() -> None:
    stripes = IntervalSet.union((n, n) for n in range(0, 4000, 2))
    p = policy((ALLOW, box(6, dport=stripes, sport=stripes)), (DENY, box(17)))
    rules = [(ALLOW, box(6, dport=n, dst=IntervalSet.of((n, 5000 - n)))) for n in range(1, 40)]
    with pytest.raises(LimitError, match="10 regions"), Limits(regions=10).applied():
        query(policy(*rules), DENY)
    assert query(p, ALLOW)
    covering = [(ALLOW, box(6, dport=n, sport=IntervalSet.of((0, 9)))) for n in range(65)]
    covering += [(ALLOW, box(6, dport=ports(65, 65535), sport=IntervalSet.of((0, 9))))]
    with pytest.raises(LimitError, match="20 steps of one search"), Limits(steps=20).applied():
        findings(policy(*covering, (DENY, box(6, sport=IntervalSet.of((0, 9)), dport=PORTS, flags=BYTE))))
