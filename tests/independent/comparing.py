"""The engine beside the second implementation: every answer of a policy, for all packets that it could tell apart.

Alone among the modules of this folder this one knows the package. Each function raises AssertionError where they differ.
"""

from __future__ import annotations

import datetime
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from independent.answers import Decided, days, flows, holds, same, without
from independent.conditions import V6, Between, Value, parts_of
from independent.conditions import holds as holds_of
from independent.facts import FRAGMENTS, STATES, TOPS
from independent.meaning import Match, Packet, Part, Policy, Region, decide, fields_of, within
from independent.points import Grid, both, classes, either, minus
from independent.reading import Reader, read, read_region, reader_of
from independent.writing import Writer

import fwengine
from fwengine.analysis.coverage import coverage
from fwengine.analysis.mutation import mutation_score
from fwengine.analysis.prove import prove
from fwengine.errors import PolicyError, Span
from fwengine.report.regions import Wording

TODAY = datetime.date(2026, 6, 1)
MOST_CELLS = 150_000
FINDINGS = ("FW201", "FW202", "FW203", "FW204", "FW207", "FW301")
EMPTY = frozenset({"FW117", "FW128", "FW135", "FW140"})  # the statement, or a set in it, is about nothing
OPTIONS = ("in", "out", "type", "code", "state", "fragment", "dscp", "ttl", "hoplimit", "length", "flags")
REFUSED = EMPTY | {"FW113", "FW024"}


@dataclass
class Tally:
    """What was compared."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, what: str, count: int = 1) -> None:
        self.counts[what] += count


def theirs(packet: Packet) -> fwengine.Packet:
    """A packet as the engine has it."""
    words = {"type": "icmp_type", "code": "icmp_code", "in": "in_interface", "out": "out_interface"}
    made: dict[str, object] = {words.get(name, name): value for name, value in packet.items()}
    for name in ("in_interface", "out_interface"):
        made[name] = made[name] if made[name] is not None else ""
    for name in ("src", "dst"):
        value = made[name]
        assert isinstance(value, int)
        made[name] = value - V6 if value >= V6 else value
    fragment, state = made["fragment"], made["state"]
    assert isinstance(fragment, int)
    assert isinstance(state, int)
    made |= {"fragment": FRAGMENTS[fragment], "state": STATES[state]}
    return fwengine.Packet(**made)  # type: ignore[arg-type]


def mine(packet: fwengine.Packet) -> dict[str, Value]:
    """A packet of the engine's, as the second implementation has it; what is open is not there."""
    made: dict[str, Value] = {"family": packet.family, "protocol": packet.protocol}
    base = V6 if packet.family == 6 else 0
    made |= {"src": packet.src + base, "dst": packet.dst + base}
    made |= {"fragment": FRAGMENTS.index(packet.fragment), "state": STATES.index(packet.state)}
    rest: dict[str, Value] = {
        "sport": packet.sport, "dport": packet.dport, "type": packet.icmp_type, "code": packet.icmp_code, "flags": packet.flags,
        "dscp": packet.dscp, "ttl": packet.ttl, "length": packet.length,
    }  # fmt: skip
    made |= {name: value for name, value in rest.items() if value is not None}
    for name, interface in (("in", packet.in_interface), ("out", packet.out_interface)):
        if interface is not None:
            made[name] = interface or None
    return made


def completions(packet: fwengine.Packet) -> list[dict[str, Value]]:
    """A packet with what it leaves open filled in, at either end."""
    stated = mine(packet)
    fragment = packet.fragment
    names = [name for name in fields_of(packet.family, packet.protocol, fragment) if name not in stated]
    ends: dict[str, tuple[Value, Value]] = {name: (0, top) for name, top in TOPS.items()}
    ends |= {"flags": (0, 255), "in": (None, "other0"), "out": (None, "other0")}
    return [{**stated, **{name: ends[name][end] for name in names}} for end in (0, 1)]


def shows(policy: Policy, region: Region, packet: fwengine.Packet, index: int | None = None, action: str = "") -> bool:
    """Is a packet in a region, decided by a rule or given an action, whatever it leaves open?"""
    for one in completions(packet):
        found = decide(policy, one)
        if not within(region, one) or index not in (None, found) or action not in ("", policy.action(found)):
            return False
    return True


class Pair:
    """One policy in both implementations, with a grid fine enough for all that is asked of it."""

    def __init__(self, text: str, asked: Sequence[Region | Match] = (), policy: fwengine.Policy | None = None) -> None:
        self.text = text
        self.engine = policy or fwengine.loads(text, as_of=TODAY)
        self.reader: Reader = reader_of(text)
        self.whole: Policy = read(text)
        self.policy = self.whole.on(TODAY)
        self.active = [
            index for index, rule in enumerate(self.whole.rules) if rule.until is None or rule.until >= TODAY
        ]
        self.asked = list(asked)

    def matches(self) -> Iterator[Match]:
        for rule in self.whole.rules:
            yield rule.match
        for claim in self.whole.expectations:
            yield claim.region.match
            yield claim.region.without

    def place(self, rule: int) -> int:
        """Where a rule stands among those that are active; behind them for the default."""
        return self.active.index(rule) if rule < len(self.whole.rules) else len(self.active)

    def label(self, index: int) -> str:
        return self.policy.label(index)


def grid_of(matches: Sequence[Match], regions: Sequence[Region]) -> Grid:
    return Grid([*matches, *(r.match for r in regions), *(r.without for r in regions)])


# Each question


def compare_points(pair: Pair, grid: Grid, decided: Decided, draw: random.Random, most: int, tally: Tally) -> None:
    """Verdict and deciding rule of packets, each of another cell: the tree, and now and then the linear definition."""
    for index, own in enumerate(decided.by):
        for packet in grid.packets(own, draw, max(1, most // len(decided.by))):
            given = theirs(packet)
            verdict = pair.engine.evaluate(given)
            wanted = pair.active[index] if index < len(pair.active) else len(pair.whole.rules)
            assert verdict.index == wanted, f"{given}: {verdict}, not {pair.label(index)}"
            assert str(verdict.action) == decided.policy.action(index), f"{given}: {verdict}"
            assert given.point is not None
            if draw.random() < 0.1:
                assert pair.engine.decide(given).index == wanted, f"{given}: decide"
                assert decide(pair.policy, packet) == index, f"{given}: the second implementation contradicts itself"
                tally.add("definitions")
            tally.add("pairs")


def compare_open(pair: Pair, grid: Grid, decided: Decided, text: str, region: Region, tally: Tally) -> None:
    """A packet with fields left open: the rules that decide its completions."""
    given = fwengine.Packet.parse(text)
    verdict = pair.engine.evaluate(given)
    found = decided.within(grid.region(region))
    wanted = {decided.policy.label(index) for index in found}
    actions = {decided.policy.action(index) for index in found}
    assert set(verdict.by.split(" or ")) == wanted, f"{text}: {verdict.by}, not {wanted}"
    assert str(verdict.action) == (actions.pop() if len(actions) == 1 else "depends"), f"{text}: {verdict}"
    tally.add("open packets")


def compare_query(
    pair: Pair,
    grid: Grid,
    decided: Decided,
    action: str,
    region: Region,
    answer: object,
    texts: Sequence[Region],
    tally: Tally,
) -> None:
    """All packets of a region with a verdict: regions without overlap, each decided by the rule it names, counted right."""
    left = both(grid.region(region), decided.getting(grid, action))
    for found, said in zip(answer, texts, strict=True):  # type: ignore[call-overload]
        bits = grid.region(said)
        assert any(bits), f"{found}: empty"
        assert bits == both(bits, left), f"{found}: more than was asked, or twice"
        left = minus(left, bits)
        index = pair.place(found.rule)
        assert bits == both(bits, decided.by[index]), f"{found}: not all of it by {pair.label(index)}"
        assert shows(pair.policy, said, found.witness, index), f"{found}: its witness is not in it"
        assert found.flows == flows(grid, bits), f"{found}: {found.flows} flows, not {flows(grid, bits)}"
        tally.add("regions of queries")
    assert not any(left), f"{action}: packets are missing"
    tally.add("queries")


def compare_proof(
    pair: Pair,
    grid: Grid,
    decided: Decided,
    action: str,
    region: Region,
    proof: fwengine.Proof[fwengine.Claim],
    tally: Tally,
) -> None:
    """A claim holds of all its packets, or there is one that shows it does not."""
    bits = grid.region(region)
    contrary = minus(bits, decided.getting(grid, action))
    wanted = any(bits) and not any(contrary)
    assert proof.holds == wanted, f"{proof}: it is {wanted}"
    if proof.counterexample is not None and any(contrary):
        other = "deny" if action == "allow" else "allow"
        assert shows(pair.policy, region, proof.counterexample, action=other), f"{proof}: no counterexample"
    tally.add("proofs")


def compare_expectations(pair: Pair, grid: Grid, decided: Decided, tally: Tally) -> None:
    """What the policy says of itself."""
    for told, claim in zip(pair.engine.expectations, pair.whole.expectations, strict=True):
        found = prove(pair.engine, told).holds
        assert found == holds(grid, decided, claim), f"{told.text}: {found}"
        tally.add("expectations")


def compare_coverage(pair: Pair, grid: Grid, decided: Decided, tally: Tally) -> None:
    """Which rules some expectation speaks of."""
    spoken = grid.none
    for claim in pair.whole.expectations:
        spoken = either(spoken, grid.region(claim.region))
    wanted = {pair.active[index] for index in range(len(pair.active)) if not any(both(decided.by[index], spoken))}
    found = coverage(pair.engine, pair.engine.expectations)
    assert set(found.missing) == wanted, f"coverage: missing {found.missing}, not {wanted}"
    tally.add("coverages")


def compare_mutants(pair: Pair, tally: Tally) -> None:
    """Mutants, written as text and read again: those without effect have none, those that survive hurt no expectation."""
    score = mutation_score(pair.engine, pair.engine.expectations)
    groups = [("noticed", m, None) for m in score.noticed] + [("equivalent", m, None) for m in score.equivalent]
    for kind, mutant, survivor in [*groups, *(("survives", s.mutant, s) for s in score.survivors)]:
        changed = read(fwengine.dumps(mutant.apply(pair.engine))).on(TODAY)
        grid = grid_of([*pair.matches(), *(rule.match for rule in changed.rules)], [])
        if grid.cells > MOST_CELLS:
            continue
        old, new = Decided.of(grid, pair.policy), Decided.of(grid, changed)
        differs = old.allowed(grid) != new.allowed(grid)
        assert differs == (kind != "equivalent"), f"{mutant} {kind}: differs {differs}"
        claims = [claim for claim in pair.whole.expectations if holds(grid, old, claim)]
        if any(claim.by for claim in claims):
            claims = [claim for claim in claims if not claim.by]  # a dumped rule may have another name
            failing = [claim for claim in claims if not holds(grid, new, claim)]
            assert kind == "noticed" or not failing, f"{mutant} {kind}: {failing}"
        else:
            failing = [claim for claim in claims if not holds(grid, new, claim)]
            assert bool(failing) == (kind == "noticed"), f"{mutant} {kind}: {failing}"
        if survivor:
            for one in completions(survivor.packet):
                fates = [policy.action(decide(policy, one)) for policy in (pair.policy, changed)]
                assert fates[0] == str(survivor.verdict.action) != fates[1], f"{mutant}: {survivor.packet} fares alike"
        tally.add("mutants")


def compare_findings(pair: Pair, grid: Grid, decided: Decided, draw: random.Random, tally: Tally) -> None:
    """Unreachable, redundant, unmatchable, expired rules; and advice that may be followed together or in part."""
    found = fwengine.check(pair.engine, FINDINGS)
    codes: dict[int, set[str]] = {}
    for finding in found:
        if finding.rule is not None:
            codes.setdefault(finding.rule, set()).add(finding.code)
    dated = any(rule.until is not None for rule in pair.whole.rules)
    for at, index in enumerate(pair.active):
        _compare_rule(pair, grid, decided, at, codes.get(index, set()), dated=dated)
    for index, rule in enumerate(pair.whole.rules):
        gone = rule.until is not None and rule.until < TODAY
        assert ("FW207" in codes.get(index, ())) == gone, f"{rule.label}: FW207"
    removable = sorted({f.rule for f in found if f.removable and f.rule is not None})
    when = days(pair.whole, TODAY)
    parts = [removable] + [[one for one in removable if draw.random() < 0.5] for _ in range(2)]
    for part in parts:
        assert same(grid, pair.whole, without(pair.whole, part), when), f"without {part} the policy is another"
    if not dated:
        _compare_redundant(pair, grid, set(removable), codes)
    tally.add("checks")


def _compare_rule(pair: Pair, grid: Grid, decided: Decided, at: int, codes: set[str], *, dated: bool) -> None:
    rule, matched, own = pair.policy.rules[at], decided.matched[at], decided.by[at]
    what = f"{rule.label}: {sorted(codes)}"
    assert ("FW204" in codes) == (not any(matched)), f"{what}; matches nothing: {not any(matched)}"
    unreachable = any(matched) and not any(own)
    assert bool(codes & {"FW201", "FW202"}) == unreachable, f"{what}; unreachable: {unreachable}"
    if unreachable:
        other = any(both(matched, decided.getting(grid, "deny" if rule.action == "allow" else "allow")))
        assert ("FW201" in codes) == other, f"{what}; some get the other action: {other}"
    everything = matched == grid.full and rule.action == "allow" and any(own)
    assert "FW301" not in codes or everything, f"{what}; matches all: {everything}"


def _compare_redundant(pair: Pair, grid: Grid, removable: set[int], codes: dict[int, set[str]]) -> None:
    """What can go beside all that is proposed is told, too; a rule that is told to be without effect may go or be moved."""
    idle = {index for index, told in codes.items() if told & {"FW201", "FW204"}}
    rests = [[i for i in range(len(pair.whole.rules)) if i not in gone] for gone in (removable, removable | idle)]
    kept = rests[1]
    for index in kept:
        told = codes.get(index, set())
        spare = all(_is_spare(pair, grid, rest, index) for rest in rests)
        if spare and not told & {"FW201", "FW202", "FW203", "FW204"}:
            raise AssertionError(f"{pair.whole.rules[index].label}: could go, and nothing says so")
        if "FW203" in told:
            alone = same(grid, pair.whole, without(pair.whole, {index}), [TODAY])
            assert alone, f"{pair.whole.rules[index].label}: FW203, and removing it changes something"


def _is_spare(pair: Pair, grid: Grid, rest: Sequence[int], index: int) -> bool:
    """Does it change nothing if one more rule goes than these?"""
    left = [without(pair.whole, set(range(len(pair.whole.rules))) - set(kept)) for kept in (rest, set(rest) - {index})]
    return same(grid, left[0], left[1], [TODAY])


def compare_diff(old: Pair, new: Pair, grid: Grid, answer: object, texts: Sequence[Region], tally: Tally) -> None:
    """All packets whose verdict changes: regions without overlap, each with the rules that decide before and after."""
    before, after = Decided.of(grid, old.policy), Decided.of(grid, new.policy)
    was, now = before.allowed(grid), after.allowed(grid)
    left = either(minus(was, now), minus(now, was))
    for change, said in zip(answer, texts, strict=True):  # type: ignore[call-overload]
        bits = grid.region(said)
        assert any(bits), f"{change}: empty"
        assert bits == both(bits, left), f"{change}: not all of it changes, or twice"
        left = minus(left, bits)
        for pair, decided, rule in ((old, before, change.old_rule), (new, after, change.new_rule)):
            index = pair.place(rule)
            assert bits == both(bits, decided.by[index]), f"{change}: not all of it by {pair.label(index)}"
        assert str(change.new) == ("allow" if bits == both(bits, now) else "deny"), f"{change}: the other way"
        assert shows(old.policy, said, change.witness, old.place(change.old_rule)), (
            f"{change}: its witness is not in it"
        )
        assert change.flows == flows(grid, bits), f"{change}: {change.flows} flows, not {flows(grid, bits)}"
        tally.add("changes")
    assert not any(left), "packets whose verdict changes are missing"
    tally.add("diffs")


# Everything about one drawn policy


def compare_refused(text: str, error: PolicyError, tally: Tally) -> None:
    """A statement refused for being about nothing is about nothing."""
    codes = {one.code for one in error.diagnostics}
    assert codes <= REFUSED, f"{codes - REFUSED}: {error}"
    tally.add("refused")
    policy = read(text)
    lines = {rule.line: rule for rule in policy.rules}
    for one in error.diagnostics:
        rule = lines.get(one.span.line)
        if one.code in EMPTY and rule is not None and not _is_of_protocols(text, one.span):
            grid = Grid([rule.match])
            matched = grid.match(rule.match)
            if one.code == "FW140":  # of these protocols IPv6 has later fragments, and no more
                fragments = ((("fragment", Between(2, 2)),),)
                matched = minus(matched, grid.match(fragments))
            about_nothing = not any(matched) or (one.code == "FW128" and any(map(_empty, rule.match)))
            assert about_nothing, f"{one.code} `{one.message}`, but it matches packets"
            tally.add("empty rules refused")


def _is_of_protocols(text: str, span: Span) -> bool:
    """Is it about the protocols of a statement, which stand first, or about the types of some of them?"""
    before = text.split("\n")[span.line - 1][: span.column - 1].split()
    return not {"from", "to", *OPTIONS} & set(before) or "icmp" in "".join(before[:5])


def _empty(part: Part) -> bool:
    """Is something in a condition about nothing, such as an element of a set?"""
    return any(
        not any(holds_of(inner, found.samples[0]) for found in classes(name, [inner]))
        for name, condition in part
        if name != "family"
        for inner in parts_of(condition)
    )


def compare_all(seed: int, tally: Tally, packets: int = 60, *, everything: bool = True) -> None:
    """Draws a policy, questions and a changed policy, and compares all answers."""
    draw = random.Random(seed)
    writer = Writer(draw)
    text = writer.policy(draw.randint(1, 7))
    try:
        pair = Pair(text)
    except PolicyError as error:
        compare_refused(text, error, tally)
        return
    try:
        _compare(pair, writer, draw, tally, packets, everything=everything)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}\n{text}") from error


def _compare(pair: Pair, writer: Writer, draw: random.Random, tally: Tally, packets: int, *, everything: bool) -> None:
    tally.add("policies")
    asked: list[tuple[str, str, Region]] = []
    for words in [writer.region(), writer.region()] if everything else []:
        action = draw.choice(("allow", "deny"))
        try:
            pair.engine.region(words)
        except PolicyError as error:
            codes = {one.code for one in error.diagnostics} - REFUSED
            if codes:
                raise AssertionError(f"{words}: {codes}") from error
            continue
        asked.append((action, words, read_region(pair.reader, words)))
    queries = [pair.engine.query(f"{action} {words}") for action, words, _ in asked]
    wording = Wording(pair.engine)
    said = [[read_region(pair.reader, wording.region(one.box)) for one in answer] for answer in queries]
    single = [writer.packet() for _ in range(3)]
    opened = [read_region(pair.reader, words) for words in single]
    regions = [region for _, _, region in asked] + [one for group in said for one in group] + opened
    grid = grid_of([*pair.matches()], regions)
    if grid.cells > MOST_CELLS:
        tally.add("too large")
        return
    decided = Decided.of(grid, pair.policy)
    compare_points(pair, grid, decided, draw, packets, tally)
    for words, region in zip(single, opened, strict=True):
        compare_open(pair, grid, decided, words, region, tally)
    for (action, words, region), answer, texts in zip(asked, queries, said, strict=True):
        compare_query(pair, grid, decided, action, region, answer, texts, tally)
        compare_proof(pair, grid, decided, action, region, pair.engine.prove(f"{action} {words}"), tally)
    compare_expectations(pair, grid, decided, tally)
    if everything:
        compare_coverage(pair, grid, decided, tally)
        compare_findings(pair, grid, decided, draw, tally)
        _compare_changed(pair, writer, draw, tally)
        if draw.random() < 0.35:
            compare_mutants(pair, tally)


def _compare_changed(pair: Pair, writer: Writer, draw: random.Random, tally: Tally) -> None:
    """The policy with a rule more, a rule less, or in another order."""
    lines = pair.text.split("\n")
    extra = [f"{writer.pick('allow', 'deny')} {writer.condition(rule=False)} as extra"]
    text = pair.text + "\n" + extra[0] if draw.random() < 0.5 else "\n".join([*extra, *lines])
    try:
        new = Pair(text)
    except PolicyError:
        return
    old, new = (pair, new) if draw.random() < 0.5 else (new, pair)
    answer = fwengine.diff(old.engine, new.engine)
    wording = Wording(new.engine)
    said = [read_region(new.reader, wording.region(change.box)) for change in answer]
    grid = grid_of([*old.matches(), *new.matches()], said)
    if grid.cells <= MOST_CELLS:
        compare_diff(old, new, grid, answer, said, tally)


__all__ = ["Tally", "compare_all"]
