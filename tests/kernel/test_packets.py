"""The IP layer as Linux' filters see it: iptables (legacy), ip6tables (legacy) and nft judge, frame by frame.

Each packet goes through rule sets of the real filters in network namespaces, and the rule that takes it is compared with the
rule that decides it in fwengine. What Linux answers otherwise is listed in `support.shapes`, with the reason, and measured
here as well: a difference that is gone fails. Needs root and Debian's `nftables iptables iproute2`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Literal

import pytest
from support.frames import icmp, ip4, ip6
from support.kernel import Family, Judge, Kernel, kernel, why_not
from support.kernel_rules import Rule, asked_first, policy_of, protocol_first, random_rules, simple
from support.shapes import NFT_AUTHENTICATION, NFT_FRAGMENTS, Shape, random_packet, shapes

from fwengine import Packet, Policy, decide
from fwengine.model.fields import FRAGMENT, LATER, PROTOCOL, STEPPED_THROUGH, Point
from fwengine.packets.wire import decode

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=f"the kernel cannot be asked: {why_not()}")]

Engine = Literal["legacy", "nft"]
ENGINES: tuple[Engine, ...] = ("legacy", "nft")
RAW = 101
EVERY = 8  # tests of this file
VERDICTS = 100_000  # to be compared at least, over all tests of this file
LINUX: Counter[str] = Counter()


@pytest.fixture(scope="module")
def linux() -> Iterator[Kernel]:
    with kernel() as made:
        yield made


def rule_sets(family: Family, seed: int, number: int) -> list[list[Rule]]:
    draw = random.Random(seed)
    return [*simple(family), *(random_rules(draw, family) for _ in range(number))]


def words(engine: Engine, sets: list[list[Rule]]) -> list[list[str]]:
    return [[rule.legacy() if engine == "legacy" else rule.nft() for rule in rules] for rules in sets]


def ours(policies: list[Policy], point: Point) -> list[int | None]:
    return [decide(policy, point).index for policy in policies]


def told(shape: Shape, engine: Engine, rules: list[Rule], got: int | None, want: object) -> str:
    texts = "\n".join(f"  {n} {rule.text()}" for n, rule in enumerate(rules))
    return f"{shape.name}: {engine} says {got}, expected {want}\n{texts}\n  {shape.packet.hex()}"


def seen_as(shape: Shape, found: Point | str) -> Packet:
    """What xtables knows of a packet before it looks behind the IP header."""
    if not isinstance(found, str):
        return Packet.from_point(found).replace(sport=None, dport=None)
    there, here = (("10.1.0.5", "10.0.0.2"), ("2001:db8::1", "2001:db8::2"))[shape.family == 6]
    fragment = "whole"
    if found == "tiny-fragment":
        fragment = "later"
    return Packet.of(shape.protocol, there, here, fragment=fragment)


def expected(
    shape: Shape, engine: Engine, found: Point | str, sets: list[list[Rule]], policies: list[Policy]
) -> list[object]:
    """For each rule set the rule that is to take the packet; `...` where this is not compared."""
    if shape.relation == "unseen":
        return [None] * len(sets)
    if engine == "nft" and shape.nft:
        if isinstance(found, tuple) and shape.nft == NFT_FRAGMENTS:  # as long as no rule asks for what is not there
            return [
                ... if any(rule.asks for rule in rules) else n
                for rules, n in zip(sets, ours(policies, found), strict=True)
            ]
        if isinstance(found, tuple) and shape.nft == NFT_AUTHENTICATION and found[FRAGMENT] != LATER:
            bare = Packet.from_point(found).replace(
                protocol=253, sport=None, dport=None, icmp_type=None, icmp_code=None, flags=None
            )
            point = bare.point
            assert point is not None
            stopped = (*point[:PROTOCOL], 51, *point[PROTOCOL + 1 :])  # over IPv6 no packet of ours has it
            return list(ours(policies, stopped))
        return [...] * len(sets)
    if shape.relation == "same":
        assert isinstance(found, tuple)
        return list(ours(policies, found))
    if shape.relation == "passed":
        return [...] * len(sets)
    known = seen_as(shape, found)
    if engine == "nft":  # which drops nothing: a header that is cut is looked at as far as it goes
        return [... if any(rule.asks for rule in rules) else asked_first(rules, known) for rules in sets]
    ask = asked_first if shape.relation == "asked" else protocol_first
    return [ask(rules, known) for rules in sets]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("family", [4, 6])
def test_every_shape(linux: Kernel, family: Family, engine: Engine) -> None:
    sets = rule_sets(family, 1, 22)
    policies = [policy_of(rules) for rules in sets]
    judge = Judge(linux, family, engine, words(engine, sets))
    wrong: list[str] = []
    differences: Counter[str] = Counter()
    for shape in shapes(family):
        found = decode(shape.packet, RAW, len(shape.packet))
        if isinstance(found, str) != (
            shape.relation in ("unseen", "asked", "passed") or (shape.relation != "same" and not shape.why)
        ):
            wrong.append(f"{shape.name}: fwengine says {found}\n  {shape.packet.hex()}")
            continue
        answers = judge.ask(shape.packet)
        wanted = expected(shape, engine, found, sets, policies)
        for n, (got, want) in enumerate(zip(answers, wanted, strict=True)):
            LINUX["verdicts"] += 1
            taken = got is not None and got < len(sets[n])
            if want is not ... and got != want:
                wrong.append(told(shape, engine, sets[n], got, want))
            elif isinstance(found, str):
                differences[shape.why or found] += taken
            elif shape.nft or shape.why:
                differences[shape.why or shape.nft] += got != ours([policies[n]], found)[0]
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:12])
    listed = {
        shape.why or (shape.nft if engine == "nft" and shape.relation == "same" else "") for shape in shapes(family)
    } - {""}
    assert not [why for why in listed if not differences[why]], "listed as different, and the same"


@pytest.mark.parametrize("family", [4, 6])
def test_random_packets(linux: Kernel, family: Family) -> None:
    """What is decoded is decided by the rule that takes it on Linux; what is not, Linux allows by no rule that asks for it."""
    draw = random.Random(family)
    sets = [random_rules(draw, family) for _ in range(60)]
    policies = [policy_of(rules) for rules in sets]
    packets = [random_packet(draw, family) for _ in range(400)]
    kinds: Counter[str] = Counter()
    for engine in ENGINES:
        judge = Judge(linux, family, engine, words(engine, sets))
        for packet in packets:
            shape = Shape("random", family, packet)
            found = decode(packet, RAW, len(packet))
            answers = judge.ask(packet)
            kinds[found if isinstance(found, str) else "packet"] += 1
            if isinstance(found, str):
                for rules, got in zip(sets, answers, strict=True):
                    LINUX["verdicts"] += 1
                    taken = rules[got] if got is not None and got < len(rules) else None
                    cut = (
                        engine == "nft"
                        or (taken is not None and taken.protocol == 136)
                        or _is_let_through(packet, family)
                    )
                    assert taken is None or not taken.asks or cut, told(shape, engine, rules, got, found)
                continue
            later = found[FRAGMENT] == LATER
            if later and family == 6 and found[PROTOCOL] in STEPPED_THROUGH:
                continue  # see `shapes.ELSEWHERE`
            for rules, got, want in zip(sets, answers, ours(policies, found), strict=True):
                LINUX["verdicts"] += 1
                if engine == "nft" and later and any(rule.asks for rule in rules):
                    continue  # see `shapes.NFT_FRAGMENTS`
                assert got == want, told(shape, engine, rules, got, want)
    assert kinds["packet"] > 400
    assert kinds["malformed"] > 40


def _is_let_through(packet: bytes, family: int) -> bool:
    """Is it one of those that Linux' filters pass on though they are malformed, whatever a rule asks for?"""
    if family == 4:
        at = (packet[0] & 15) * 4
        return packet[9] == 6 and len(packet) > at + 12 and packet[at + 12] >> 4 != 5  # `shapes.OFFSET`
    chain = packet[40:]
    return (packet[4:6] == b"\0\0" and packet[6] == 0) or b"\x60\x02" in chain or any(c >> 4 != 5 for c in chain[12:13])


def test_protocol_1_over_ipv6_and_58_over_ipv4_are_protocols_like_others(linux: Kernel) -> None:
    """`-p icmp`, `meta l4proto icmp` and `allow icmp` take protocol 1 in both families; types are those of the own one."""
    cases: list[tuple[Family, int, bytes]] = [(4, 58, ip4(58, icmp(8))), (6, 1, ip6(1, icmp(8)))]
    for family, number, packet in cases:
        sets = [[Rule(family, True, number)], [Rule(family, True, 59 - number)], [Rule(family, True)]]
        point = decode(packet, RAW, len(packet))
        assert isinstance(point, tuple)
        for engine in ENGINES:
            answers = Judge(linux, family, engine, words(engine, sets)).ask(packet)
            assert answers == [0, 1, 0] == ours([policy_of(rules) for rules in sets], point)


def test_enough_was_compared(request: pytest.FixtureRequest) -> None:
    """Comes last: the figure that the others reach together."""
    ran = [item for item in request.session.items if item.path == request.node.path]
    if len(ran) < EVERY:
        pytest.skip("some of this file's tests were not asked for")
    print(f"{LINUX['verdicts']:,} verdicts compared")
    assert LINUX["verdicts"] >= VERDICTS
