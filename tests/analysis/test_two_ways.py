"""Every answer is found in two ways: here the first way lies, by planted faults, and the second finds it out.

Also what the second way is made of, each by its own promise, and that no claim about no packet is a success.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import run
from support.generators import SMALL, WIDE, boxes, policies_and_points, random_policy
from support.paths import RULES
from support.universe import ALL, Maker, allowed, mask

from fwengine.analysis import anomalies, confirm
from fwengine.analysis import diff as diffing
from fwengine.analysis import prove as proving
from fwengine.analysis import query as querying
from fwengine.analysis import region as regions
from fwengine.analysis.align import unaligned
from fwengine.analysis.anomalies import findings
from fwengine.analysis.confirm import Answer, Confirmation, Disagreement, decide_each, points_of, spread, total, volume
from fwengine.analysis.cover import Cover, Hole, unmatched
from fwengine.analysis.diff import diff, equivalent
from fwengine.analysis.entries import Entries, closed
from fwengine.analysis.finding import Finding
from fwengine.analysis.mutation import mutation_score
from fwengine.analysis.prove import Status, prove
from fwengine.analysis.query import query
from fwengine.analysis.reach import decided_parts
from fwengine.analysis.recheck import without
from fwengine.analysis.region import EVERYTHING, disjoint
from fwengine.analysis.witness import witness
from fwengine.model.box import SHAPES, Box, Sets, pieces
from fwengine.model.compile import compile_single
from fwengine.model.fields import DPORT, DST, FRAGMENT, PROTOCOL, SRC, Point
from fwengine.model.interval import EMPTY, IntervalSet
from fwengine.model.overlap import bits
from fwengine.model.rules import ALLOW, DENY, Action, Claim, Expectation
from fwengine.model.ruleset import RuleSet, decide
from fwengine.policy import Policy, load, loads
from fwengine.policy import region as read_region
from fwengine.report.packets import details_of, packet_text

SEEDS = range(24)
TEXT = """\
net web = 192.0.2.80/30
allow tcp from 10.0.0.0/8 to web port { 22, 80 } as inside
deny  tcp from 10.9.0.0/16 to web as guests
allow tcp from any to web port 443 as tls
"""


@pytest.fixture
def web() -> Policy:
    return loads(TEXT)


def cases() -> Iterator[tuple[RuleSet, tuple[Box, ...]]]:
    for seed in SEEDS:
        yield Maker(seed).policy(), Maker(seed + 1_000_000).boxes(3)


def boxed(policy: Policy, claim: str) -> tuple[Box, ...]:
    return read_region(policy, claim)


# One meaning of a claim about no packet


def test_a_claim_about_no_packet_is_no_success_anywhere() -> None:
    nothing = Box.of({PROTOCOL: EMPTY})
    families = Box.of({SRC: IntervalSet.single(1), DST: IntervalSet.single(1 << 32)})
    ports_of_later = Box.of({DPORT: IntervalSet.single(80), FRAGMENT: IntervalSet.single(2)})
    policy = Policy(())
    for region in ((), (nothing,), (families,), (ports_of_later, nothing)):
        for action in (ALLOW, DENY):
            proof = prove(policy, Claim(action, region))
            assert (proof.status, proof.holds, proof.confirmed) == (Status.EMPTY, False, None)
            assert str(proof.status) == "about no packet"
            assert (proof.counterexample, proof.verdict) == (None, None)
            assert (query(policy, action, region), query(policy, action, region).confirmed) == ((), None)
            assert mutation_score(policy, [Expectation(action, region)]).failing == (0,)
    with pytest.raises(TypeError, match=r"proof\.holds"):
        bool(prove(policy, Claim(DENY, ())))


def test_commands_say_that_a_claim_is_about_no_packet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The language has an error for whatever it knows to be empty; what else may come to a command is told and exits 1."""
    path = tmp_path / "a.fwl"
    path.write_text(TEXT)
    refused = run("prove", path, "deny tcp unless any")
    assert (refused.code, "there is no such packet" in refused.err) == (2, True)
    for where in ("fwengine.cli.claims", "fwengine.policy"):
        monkeypatch.setattr(f"{where}.read_claim", lambda *_: Claim(DENY, ()))
    told = run("prove", path, "deny 43 from ::/0")
    assert (told.code, told.out) == (1, "EMPTY   deny 43 from ::/0 is about no packet, which proves nothing\n")
    machine = run("prove", path, "deny 43", "--format", "json")
    (result,) = machine.json["results"]
    assert (machine.code, machine.json["holds"], result["status"]) == (1, False, "about no packet")
    assert (result["confirmed"], result["counterexamples"]) == (None, [])
    asked = run("query", path, "deny 43 from ::/0")
    assert (asked.code, asked.out) == (1, "empty: the question is about no packet\n")
    machine = run("query", path, "deny 43", "--format", "json")
    assert (machine.code, machine.json["status"], machine.json["confirmed"]) == (1, "about no packet", None)


# What is confirmed is known to the caller


def test_small_policies_are_confirmed_for_all_packets() -> None:
    for policy, region in cases():
        for action in (ALLOW, DENY):
            proof = prove(policy, Claim(action, region))
            assert proof.confirmed is not None or proof.status is Status.EMPTY
            assert proof.confirmed is None or proof.confirmed.complete
        for answer in (query(policy, None, region), diff(policy, Maker(7).policy())):
            assert answer.confirmed is None or (answer.confirmed.complete and answer.confirmed.points > 0)


def test_beyond_the_bounds_an_answer_is_sampled_and_says_so(web: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = Claim(DENY, boxed(web, "tcp from any to web port 23"))
    assert prove(web, claim).confirmed == Confirmation(True, prove(web, claim).confirmed.points)  # type: ignore[union-attr]
    monkeypatch.setattr(proving, "WALKED", 1)
    monkeypatch.setattr(confirm, "COUNTED", 0)
    for confirmed in (prove(web, claim).confirmed, query(web, DENY).confirmed, diff(web, Policy(())).confirmed):
        assert confirmed is not None
        assert not confirmed.complete
        assert confirmed.points >= 12
        assert confirmed.word == "sampled"


def test_the_word_is_on_every_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = tmp_path / "a.fwl", tmp_path / "b.fwl"
    path.write_text(TEXT + "expect deny tcp from any to web port telnet\n")
    other.write_text(TEXT + "allow udp\n")
    asked = (
        ("prove", path, "deny udp"), ("query", path, "allow any"), ("query", path, "allow udp"),
        ("diff", path, path), ("diff", path, other),
    )  # fmt: skip
    for word, summary in (("confirmed", "1 passed, 0 failed\n"), ("sampled", "1 passed, 0 failed (1 sampled)\n")):
        for command, *words in asked:
            assert f"({word})" in run(command, *words).out.splitlines()[0]
            document = run(command, *words, "--format", "json").json
            document = document["results"][0] if command == "prove" else document
            assert document["confirmed"]["complete"] is (word == "confirmed")
            assert document["confirmed"]["samples"] > 0
        done = run("test", path)
        assert (done.code, done.out.splitlines(keepends=True)[-1]) == (0, summary)
        (result,) = run("test", path, "--format", "json").json["results"]
        assert result["confirmed"]["complete"] is (word == "confirmed")
        monkeypatch.setattr(proving, "WALKED", 0)
        monkeypatch.setattr(confirm, "COUNTED", 0)


def test_an_answer_is_a_tuple_and_survives_pickling(web: Policy) -> None:
    answer = query(web, ALLOW)
    again = pickle.loads(pickle.dumps(answer))
    assert isinstance(answer, tuple)
    assert (again, again.confirmed) == (answer, answer.confirmed)
    assert Answer((), None) == ()


# Planted faults: a first way that lies


def test_a_false_proof_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search says of everything that it holds."""
    monkeypatch.setattr(proving, "contrary", lambda *_: None)
    lies = 0
    for policy, region in cases():
        asked = mask(region)
        for action, against in ((ALLOW, ALL & ~allowed(policy)), (DENY, allowed(policy))):
            for claim in (Claim(action, region), Claim(action, region, policy.label(0))):
                if asked & against:
                    lies += 1
                    with pytest.raises(Disagreement, match="two ways disagree about"):
                        prove(policy, claim)
    assert lies > 24


def test_a_false_proof_by_the_wrong_rule_is_found_out(web: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    region = boxed(web, "tcp from 10.1.0.0/16 to web port 443")
    assert prove(web, Claim(ALLOW, region, "tls")).holds
    assert not prove(web, Claim(ALLOW, region, "inside")).holds
    monkeypatch.setattr(proving, "contrary", lambda *_: None)
    with pytest.raises(Disagreement):
        prove(web, Claim(ALLOW, region, "inside"))


def test_a_false_refutation_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search says of everything that it does not hold; `decide` says otherwise of its counterexample."""
    monkeypatch.setattr(proving, "contrary", lambda entries, part, *_: part)
    lies = 0
    for policy, region in cases():
        asked = mask(region)
        for action, against in ((ALLOW, ALL & ~allowed(policy)), (DENY, allowed(policy))):
            if asked and not asked & against:
                lies += 1
                with pytest.raises(Disagreement):
                    prove(policy, Claim(action, region))
    assert lies > 6


def test_a_counterexample_from_elsewhere_is_found_out(web: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere, *_) = boxed(web, "tcp from 10.1.0.0/16 to web port 22")
    monkeypatch.setattr(proving, "contrary", lambda *_: next(pieces(elsewhere.sets)))
    with pytest.raises(Disagreement):
        prove(web, Claim(DENY, boxed(web, "udp")))


def test_samples_alone_find_a_false_proof_out(web: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    """No tree is walked: packets from the corners of the rules, decided one by one."""
    monkeypatch.setattr(proving, "WALKED", 0)
    monkeypatch.setattr(proving, "contrary", lambda *_: None)
    for claim in ("tcp from any to any", "tcp from any to web", "any from 10.0.0.0/8"):
        with pytest.raises(Disagreement):
            prove(web, Claim(DENY, boxed(web, claim)))
        with pytest.raises(Disagreement):
            prove(web, Claim(ALLOW, boxed(web, claim)))


Tidy = Callable[[list[Box]], list[Box]]


def _without_one(tidy: Tidy) -> Tidy:
    return lambda some: tidy(some)[:-1]


def _doubled(tidy: Tidy) -> Tidy:
    return lambda some: [*tidy(some), tidy(some)[0]]


def _everything(tidy: Tidy) -> Tidy:
    return lambda some: [EVERYTHING]


def _other_protocols(tidy: Tidy) -> Tidy:
    return lambda some: [box.replace(PROTOCOL, IntervalSet.of((0, 255))) for box in tidy(some)]


FAULTS = [_without_one, _doubled, _everything, _other_protocols]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_false_answer_to_a_query_is_found_out(fault: Callable[[Tidy], Tidy], monkeypatch: pytest.MonkeyPatch) -> None:
    truth = {(seed, action): query(policy, action, region) for seed, (policy, region) in enumerate(cases())
             for action in (ALLOW, DENY)}  # fmt: skip
    monkeypatch.setattr(querying, "tidy", fault(regions.tidy))
    lies = 0
    for seed, (policy, region) in enumerate(cases()):
        for action in (ALLOW, DENY):
            before = truth[seed, action]
            by_rule = {r.rule: [x.box for x in before if x.rule == r.rule] for r in before}
            if all(_same(fault(lambda some: list(some))(mine), mine) for mine in by_rule.values()):
                continue
            lies += 1
            with pytest.raises(Disagreement):
                query(policy, action, region)
    assert lies > 18


def _same(one: list[Box], other: list[Box]) -> bool:
    """The same packets, each as often."""
    return sorted(map(repr, one)) == sorted(map(repr, other)) or (
        volume(one) == volume(other) and mask(one) == mask(other)
    )


def test_a_rule_left_out_of_a_query_is_found_out(web: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    real = querying.touching
    monkeypatch.setattr(querying, "touching", lambda *words: real(*words)[1:])
    with pytest.raises(Disagreement):
        query(web, ALLOW, boxed(web, "tcp"))
    monkeypatch.setattr(confirm, "COUNTED", 0)  # samples alone see it, too
    with pytest.raises(Disagreement):
        query(web, ALLOW, boxed(web, "tcp"))


def test_a_region_of_the_wrong_rule_is_found_out(web: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    swapped = {0: 2, 2: 0}

    def wrong(entries: Entries, rule: int, *rest: Any) -> Iterator[Sets]:
        return decided_parts(entries, swapped.get(rule, rule), *rest)

    monkeypatch.setattr(querying, "decided_parts", wrong)
    monkeypatch.setattr(confirm, "COUNTED", 0)
    with pytest.raises(Disagreement):
        query(web, ALLOW, boxed(web, "tcp"))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_false_diff_is_found_out(fault: Callable[[Tidy], Tidy], monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(Maker(seed).policy(), Maker(seed + 3_000_000).policy()) for seed in SEEDS]
    pairs = [(old, new) for old, new in pairs if any(c.box != EVERYTHING for c in diff(old, new))]
    monkeypatch.setattr(diffing, "tidy", fault(regions.tidy))
    found = 0
    for old, new in pairs:
        try:
            diff(old, new)
        except Disagreement:
            found += 1
    # widening the protocol of what has no condition there is no fault
    assert found >= (len(pairs) if fault is not _other_protocols else len(pairs) * 3 // 4)
    assert found > 12


def test_a_false_equivalence_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(old := Maker(seed).policy(), Maker(seed + 2_000_000).edited(old)) for seed in range(80)]
    pairs = [(old, new) for old, new in pairs if not equivalent(old, new)]
    monkeypatch.setattr(diffing, "unaligned", lambda *_: ([], []))
    assert len(pairs) > 20
    for old, new in pairs:
        for question in (diff, equivalent):
            with pytest.raises(Disagreement):
                question(old, new)


def test_a_rule_missed_by_a_diff_is_found_out_by_samples_alone(web: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "COUNTED", 0)
    other = loads(TEXT + "allow udp from 203.0.113.0/24 as new")
    monkeypatch.setattr(diffing, "_contrary", lambda *_: iter(()))
    assert unaligned(closed(web), closed(other)) == ([], [3])
    with pytest.raises(Disagreement):
        diff(web, other)


def test_a_false_finding_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """That a rule can never match, and that it changes nothing; each for every rule of which it is not so."""
    for policy, _ in cases():
        dead = {f.rule for f in findings(policy) if f.code in ("FW201", "FW202", "FW204", "FW207")}
        # of rules that do the same not every one is told of, though each could go alone
        idle = {index for index in range(len(policy.rules)) if equivalent(policy, without(policy, index))}
        for index in range(len(policy.rules)):
            for code, so in (("FW202", dead), ("FW203", idle)):
                lie = Finding(code, "warning", index)
                with monkeypatch.context() as patched:
                    patched.setattr(anomalies, "_of_rules", lambda *_, lie=lie: [lie])
                    if index in so:
                        assert findings(policy).confirmed.complete  # type: ignore[union-attr]
                    else:
                        with pytest.raises(Disagreement):
                            findings(policy)


def test_a_false_witness_of_a_finding_is_found_out(web: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = witness(Box.of({PROTOCOL: IntervalSet.single(17)}))
    wrong = Finding("FW303", "info", 0, witness=packet, decided_by=1)
    monkeypatch.setattr(anomalies, "_of_rules", lambda *_: [wrong])
    with pytest.raises(Disagreement):
        findings(web)


def test_samples_alone_find_a_false_finding_out(web: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "COUNTED", 0)
    assert findings(web).confirmed is not None
    for code in ("FW202", "FW203"):
        lie = Finding(code, "warning", 2)
        monkeypatch.setattr(anomalies, "_of_rules", lambda *_, lie=lie: [lie])
        with pytest.raises(Disagreement):
            findings(web)


def test_check_says_what_it_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.fwl"
    path.write_text(TEXT)
    whole = run("check", path, "--format", "json").json
    assert whole["confirmed"]["complete"]
    assert "sampled" not in run("check", path).out
    monkeypatch.setattr(confirm, "COUNTED", 0)
    path.write_text(TEXT + "deny udp\n")  # it writes out the default
    assert not run("check", path, "--format", "json").json["confirmed"]["complete"]
    assert run("check", path).out.splitlines()[-1].endswith("default deny (sampled)")


def test_the_commands_let_a_disagreement_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is never an answer: neither a pass of `test` nor of anything else."""
    path = tmp_path / "a.fwl"
    path.write_text(TEXT + "expect deny tcp from any to web\n")
    assert run("test", path).code == 1
    monkeypatch.setattr(proving, "contrary", lambda *_: None)
    for command, *words in (("test", path), ("prove", path, "deny tcp from any to web")):
        with pytest.raises(Disagreement):
            run(command, *words)


# What the second way is made of


@settings(max_examples=30)
@given(policies_and_points())
def test_all_at_once_as_one_by_one(case: tuple[Policy, list[Point]]) -> None:
    policy, points = case
    assert decide_each(policy, points) == [decide(policy, point).index for point in points]
    assert decide_each(policy, []) == []


@pytest.mark.parametrize("world", [SMALL, WIDE], ids=lambda world: world.name)
def test_packets_counted_are_those_of_the_regions(world: Any) -> None:
    counted = 0
    for seed in range(60):
        policy = random_policy(seed, world, 6)
        parts = disjoint([box for rule in random_policy(seed + 500, world, 2).rules for box in rule.boxes])
        for index in range(len(policy.rules) + 1):
            found = total(policy, parts, lambda rule, index=index: rule == index)  # type: ignore[misc]
            mine = [box for part in parts for box, rule in policy.tree.regions(Box(part)) if rule == index]
            assert found in (None, volume(mine))
            counted += found is not None
        whole = total(policy, parts, lambda _: True)
        assert whole in (None, volume(map(Box, parts)))
    assert counted > 150


def test_what_is_too_large_to_count_is_not_counted(web: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert total(web, SHAPES, lambda _: True) == volume(map(Box, SHAPES))
    assert total(web, (), lambda _: True) == 0
    assert total(web, SHAPES, lambda _: True, most=1) is None
    assert compile_single(web.active_boxes, len(web.rules), 3) is None
    monkeypatch.setattr(confirm, "EDGES", 3)
    assert total(web, SHAPES, lambda _: True) is None


@pytest.mark.parametrize("path", sorted(RULES.glob("*.fwl")), ids=lambda path: path.name)
def test_the_pages_of_the_house_are_confirmed_for_all_packets(path: Path) -> None:
    policy = load(path)
    for found in (query(policy, DENY), diff(policy, RuleSet((), ALLOW)), findings(policy)):
        assert found.confirmed is not None
        assert found.confirmed.complete
    assert all(prove(policy, claim).confirmed.complete for claim in policy.expectations)  # type: ignore[union-attr]


def test_allowed_and_denied_add_up_to_what_was_asked() -> None:
    for policy, region in cases():
        regions = [query(policy, action, region) for action in (ALLOW, DENY)]
        assert sum(volume(r.box for r in found) for found in regions) == volume(map(Box, disjoint(region)))


def test_flows_of_regions_that_share_some_do_not_add_up(web: Policy) -> None:
    """What is documented: a flow whose packets fall into several regions counts in each."""
    policy = loads("allow tcp from 10.0.0.1 port 1 to 10.0.0.2 port 2 established")
    asked = boxed(policy, "tcp from 10.0.0.1 port 1 to 10.0.0.2 port 2")
    allow, deny = (query(policy, action, asked) for action in (ALLOW, DENY))
    assert [sum(r.flows for r in found) for found in (allow, deny)] == [1, 1]
    assert sum(box.flows for box in asked) == 1


@given(st.lists(boxes(SMALL), max_size=4), st.integers(0, 40))
def test_samples_are_packets_of_the_question(some: list[Box], seed: int) -> None:
    policy = random_policy(seed, SMALL, 5)
    parts = disjoint(some)
    points = points_of(policy, parts) if parts else []
    assert bool(points) == bool(parts)
    assert len(points) == len(set(points)) <= 32
    for point in points:
        assert sum(point in Box(part) for part in parts) == 1
    assert points_of(policy, SHAPES) == points_of(policy, SHAPES)


def test_spread_takes_the_first_and_the_last() -> None:
    assert spread(range(10), 20) == range(10)
    assert list(spread(range(100), 4)) == [0, 33, 66, 99]


@pytest.mark.parametrize("world", [SMALL, WIDE], ids=lambda world: world.name)
def test_a_hole_or_a_cover(world: Any) -> None:
    seen = set()
    for seed in range(60):
        policy = random_policy(seed, world, 6)
        entries = Entries(policy)
        for box in (box for rule in random_policy(seed + 900, world, 2).rules for box in rule.boxes):
            for part in pieces(box.sets):
                found = unmatched(entries, part, entries.overlaps.all)
                seen.add(type(found))
                if isinstance(found, Hole):
                    assert Box(found.sets)
                    assert Box(found.sets).issubset(Box(part))
                    assert not any(Box(found.sets) & Box(sets) for sets in entries.sets)
                else:
                    covering = [entries.sets[e] for e in found.entries]
                    assert _volume_of_union(part, covering) == volume([Box(part)])
    assert seen == {Hole, Cover}


def _volume_of_union(part: Sets, covers: list[Sets]) -> int:
    return volume(map(Box, disjoint([Box(part) & Box(sets) for sets in covers])))


def test_what_is_visible_is_what_may_decide() -> None:
    for policy, region in cases():
        entries = Entries(closed(policy))
        for part in islice(disjoint(region), 4):
            found = entries.visible(part, entries.overlaps.all)
            assert found.closed  # by the default, if by nothing else
            kept = list(bits(found.entries))
            deciding = {index for _, index in policy.tree.regions(Box(part))}
            assert deciding <= {entries.rule[e] for e in kept}
            inside = [Box(part).issubset(Box(entries.sets[e])) for e in kept]
            assert inside == [False] * (len(kept) - 1) + [True]
        for e, (rule, sets) in enumerate(policy.active_boxes):
            assert (entries.rule[e], entries.sets[e]) == (rule, sets)
            assert entries.first[rule] <= e < entries.first[rule + 1]


def test_the_default_written_out_is_the_last_box() -> None:
    for policy, _ in cases():
        whole = closed(policy)
        again = RuleSet(whole.rules, whole.default, whole.as_of)
        assert whole.active_boxes == again.active_boxes
        action: Action = whole.action(len(policy.rules))
        assert action is policy.default


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("deny tcp to any port 80 ttl 5", "ttl 5"),
        ("deny tcp to any port 80 dscp ef length 100", "dscp 46 length 100"),
        ("allow tcp to any port 81 length > 1500", "length"),
    ],
)
def test_questions_about_what_no_rule_asks_for(question: str, expected: str) -> None:
    """A counterexample, and a region's witness, state what the question was about, though no rule asks for it."""
    policy = loads("allow tcp to 192.0.2.80 port 80 as web")
    proof = policy.prove(question)
    assert proof.counterexample is not None
    assert expected.split()[0] in str(proof.counterexample)
    opposite = question.replace("deny", "allow") if question.startswith("deny") else question.replace("allow", "deny")
    for region in policy.query(opposite):
        assert region.witness in region.box
    assert expected in packet_text(proof.counterexample, policy, kept=details_of(proof.claim.boxes))
