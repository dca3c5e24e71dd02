"""What becomes of a flow: the fast way says what the definition says, and the definition what the policy says of regions."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.drawn_flows import STATELESS, flow, random_flows
from support.generators import SMALL, WIDE, random_policy

from fwengine.errors import LimitError
from fwengine.flows.changing import Change, ChangeSums, Comparison
from fwengine.flows.counting import Counter
from fwengine.flows.flow import ANSWERS, Flow, batches, kind_of
from fwengine.flows.meaning import BEGUN, ESTABLISHED, NEW, NOTHING, SEVERAL, SYN, Asked, fares, packets_of
from fwengine.flows.sums import FlowSums, Row, Tally, Unread
from fwengine.model.box import Box
from fwengine.model.fields import DST, FLAGS, PROTOCOL, SRC, STATE, exists, lacking
from fwengine.model.interval import IntervalSet
from fwengine.policy import Policy, loads

STATEFUL = loads("""\
allow any state established
allow tcp to 192.0.2.80 port https in wan0 as web-in
allow tcp to 192.0.2.81 port https as web
allow icmp to 192.0.2.80 type echo-request as ping
""")


class TestFates:
    @pytest.mark.parametrize(
        ("policy", "told", "fate", "rules", "on"),
        [
            (STATEFUL, flow("tcp 198.51.100.7:4000 -> 192.0.2.81:443"), "allow", ("web", "<text>:1"), ()),
            (STATEFUL, flow("tcp 198.51.100.7:4000 -> 192.0.2.81:22"), "deny", ("default", None), ()),
            (STATEFUL, flow("tcp 198.51.100.7:4000 -> 192.0.2.80:443"), "depends", (None, None), ("in",)),
            (STATEFUL, flow("icmp 198.51.100.7 -> 192.0.2.80"), "depends", (None, None), ("type",)),
            (STATEFUL, flow("icmp 198.51.100.7 -> 192.0.2.80", type=8, code=0), "allow", ("ping", "<text>:1"), ()),
            (STATELESS, flow("tcp 198.51.100.7:4000 -> 192.0.2.80:443"), "allow", ("web", "web-replies"), ()),
            (STATELESS, flow("udp 198.51.100.7:4000 -> 192.0.2.53:53"), "one way", ("dns", "default"), ()),
            (STATELESS, flow("tcp 198.51.100.7:4000 -> 192.0.2.81:80"), "one way", ("half", "default"), ()),
        ],
    )  # fmt: skip
    def test_examples(
        self, policy: Policy, told: Flow, fate: str, rules: tuple[str | None, str | None], on: tuple[str, ...]
    ) -> None:
        found = fares(policy, told)
        assert (found.fate, found.on) == (fate, on)
        assert tuple(None if n < 0 else policy.label(n) for n in (found.first, found.then)) == rules

    def test_an_interface_that_is_stated_is_not_open(self) -> None:
        told = flow("tcp 198.51.100.7:4000 -> 192.0.2.80:443")
        assert [fares(STATEFUL, told, Asked(inbound=name)).fate for name in ("wan0", "lan0", "")] == [
            "allow",
            "deny",
            "deny",
        ]
        assert fares(STATEFUL, told._replace(inbound="wan0")).fate == "allow"

    def test_a_stateful_firewall_is_asked_for_the_first_packet_alone(self) -> None:
        found = fares(STATELESS, flow("udp 198.51.100.7:4000 -> 192.0.2.53:53"), Asked(stateful=True))
        assert (found.fate, found.then) == ("allow", NOTHING)

    @pytest.mark.parametrize("told", ["udp 10.0.0.1:5353 -> 224.0.0.251:5353", "udp fe80::1:5353 -> ff02::fb:5353"])
    def test_nothing_answers_from_a_group(self, told: str) -> None:
        policy = loads("allow udp from any to { 224.0.0.0/4, ff00::/8 }\n")
        assert (
            fares(policy, flow(told.replace("fe80::1:5353", "fe80::1").replace("ff02::fb:5353", "ff02::fb"))).fate
            == "allow"
        )

    def test_who_opened_it_is_open_where_the_log_does_not_tell(self) -> None:
        one = flow("tcp 198.51.100.7:4000 -> 192.0.2.81:443", opened=False)
        assert fares(STATEFUL, one)[0::3] == ("depends", ("opener",))
        assert fares(STATEFUL, flow("tcp 198.51.100.7:4000 -> 192.0.2.81:22", opened=False)).fate == "deny"
        both = loads("allow tcp as all")
        assert fares(both, one) == ("allow", 0, 0, ())

    def test_too_much_is_open(self) -> None:
        lines = [f"deny tcp from any port {n} to any port {n}" for n in range(70)]
        policy = loads("\n".join(["default allow", *lines]))
        with pytest.raises(LimitError, match=r"sport`, `dport`\).*more than 4,096 kinds"):
            fares(policy, flow("tcp 198.51.100.7 -> 192.0.2.80"))


@pytest.mark.parametrize("world", [SMALL, WIDE], ids=lambda world: world.name)
@pytest.mark.parametrize("stateful", [False, True])
def test_the_fast_way_says_what_the_definition_says(world: object, stateful: bool) -> None:
    """Policies at random, flows of all kinds: each one's fate, rules and dependence, and all sums."""
    asked_of = 0
    for seed in range(60):
        policy = random_policy(seed, world, 5)  # type: ignore[arg-type]  # a world
        asked = Asked(stateful=stateful, inbound=(None, "a")[seed % 2])
        told = random_flows(seed, policy, world, 12)
        counter = Counter(policy, asked)
        want: dict[Row, Tally] = {}
        sums = FlowSums()
        for one in told:
            try:
                row = Row(fares(policy, one, asked), one.recorded)
            except LimitError:
                with pytest.raises(LimitError):
                    counter.count(next(batches([one])))
                continue
            asked_of += 1
            first, last = (1 << 62 if one.first is None else one.first), (-(1 << 62) if one.last is None else one.last)
            want[row] = want.get(row, Tally()) + Tally(1, one.bytes, one.packets, first, last)
            batch = next(batches([one]))
            assert list(counter.each(batch)) == [row.fared], (one, policy.rules)
            sums += counter.count(batch)
        assert sums.rows == want
    assert asked_of > 500


@pytest.mark.parametrize("world", [SMALL, WIDE], ids=lambda world: world.name)
def test_the_definition_says_what_the_policy_says_of_regions(world: object) -> None:
    """Of each of the three kinds of packets: the region that holds them all, asked as a whole."""
    for seed in range(100):
        policy = random_policy(seed, world, 5)  # type: ignore[arg-type]  # a world
        for told in random_flows(seed, policy, world, 6):
            one = told._replace(opened=True)
            if not exists(one.protocol, one.family, 0):
                continue  # no reader lets it in
            ways = [(one, {FLAGS: SYN, STATE: NEW})]
            kind = kind_of(one)
            answer = one.reversed
            if one.type is not None:
                answer = answer._replace(type=ANSWERS[one.family].get(one.type, 0), code=0)
            ways += (
                []
                if kind.single
                else [(answer, {FLAGS: BEGUN, STATE: ESTABLISHED}), (one, {FLAGS: BEGUN, STATE: ESTABLISHED})]
            )
            verdicts = []
            for way, domain in ways:
                sets = packets_of(way, domain)
                sets |= {
                    f: IntervalSet.single(v) for f, v in ((PROTOCOL, way.protocol), (SRC, way.src), (DST, way.dst))
                }
                sets |= {f: IntervalSet.single(v) for f, v in lacking(way.protocol, way.family, 0)}
                verdicts.append(policy.evaluate_boxes([Box(tuple(sets[f] for f in range(len(sets))))]))
            try:
                found = fares(policy, one)
            except LimitError:
                continue
            first, *others = [str(v.action) for v in verdicts]
            fate = first
            if first == "allow" and "deny" in others:
                fate = "one way"
            elif first == "allow" and "depends" in others:
                fate = "depends"
            assert found.fate == fate
            if verdicts[0].index is not None:
                assert found.first == verdicts[0].index
            else:
                assert found.first == SEVERAL
            assert (found.fate == "depends") == bool(found.on)


sums = st.builds(
    FlowSums,
    st.dictionaries(
        st.builds(Row, st.just(fares(STATEFUL, flow("tcp 198.51.100.7:4000 -> 192.0.2.81:443"))), st.integers(0, 2)),
        st.builds(Tally, *[st.integers(0, 9)] * 3, st.integers(0, 9), st.integers(0, 9)),
    ),
    st.sampled_from(["a", "b"]).flatmap(
        lambda r: st.builds(
            lambda n, f, k: {r: Unread(r, n, f, k)}, st.integers(1, 9), st.sampled_from("xy"), st.integers(1, 9)
        )
    ),
    st.integers(0, 3),
)


@given(sums, sums, sums)
def test_sums_add_up_in_any_order(a: FlowSums, b: FlowSums, c: FlowSums) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + FlowSums() == a


def test_a_counter_is_sent_without_what_can_be_made_again() -> None:
    counter = Counter(STATELESS, Asked(stateful=True))
    batch = next(batches([flow("udp 198.51.100.7:4000 -> 192.0.2.53:53")]))
    assert pickle.loads(pickle.dumps(counter)).count(batch) == counter.count(batch)


def test_changes_are_those_of_the_definition() -> None:
    for seed in range(40):
        old, new = random_policy(seed, SMALL, 4), random_policy(seed + 1000, SMALL, 4)
        told = random_flows(seed, old, SMALL, 20)
        want: dict[Change, int] = {}
        kept = []
        for one in told:
            try:
                change = Change(fares(old, one), fares(new, one))
            except LimitError:
                continue
            kept.append(one)
            if change.old.fate != change.new.fate:
                want[change] = want.get(change, 0) + 1
        comparison = Comparison(old, new)
        whole, parts = ChangeSums(), ChangeSums()
        for batch in batches(kept):
            whole = comparison.count(batch, whole)
        for one in kept:
            parts += comparison.count(next(batches([one])), ChangeSums())
        assert {change: tally.flows for change, tally in whole.rows.items()} == want
        assert (whole.rows, whole.all, whole.top) == (parts.rows, parts.all, parts.top)
        assert sum(flow.tally.flows for flow in whole.top.biggest(99)) == sum(want.values())


def test_interfaces_that_are_stated_are_those_of_the_first_packet() -> None:
    """Also where what the flow is tells that its destination opened it: no group sends anything."""
    policy = loads("allow udp to 239.1.1.1 in a\n")
    told = flow("udp 239.1.1.1:5000 -> 192.0.2.1:5000", opened=False)
    counter = Counter(policy, Asked(inbound="a"))
    assert fares(policy, told, Asked(inbound="a")).fate == "allow"
    assert fares(policy, told, Asked(inbound="b")).fate == "deny"
    assert [found.fate for found in counter.each(next(batches([told])))] == ["allow"]
