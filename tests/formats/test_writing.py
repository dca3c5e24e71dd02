"""What is written in other firewalls' formats is read back to the same policy, or refused with the rule and the reason.

`convert` proves it before it gives a text away, so that a test of equivalence would be the proof again: here the texts are
read back and asked packet by packet, by `decide`, at the corners of both.
"""

from __future__ import annotations

import datetime
import random
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from support.generators import SMALL, WIDE, random_points, random_policy
from support.paths import RULES

import fwengine
from fwengine import conversion, strategies
from fwengine.cli.convert import CHAINS, TARGETS
from fwengine.errors import PolicyError
from fwengine.formats.registry import WRITERS
from fwengine.formats.writing import HOOKS
from fwengine.model import address
from fwengine.model.fields import FRAGMENT, IN, LATER, OUT, SRC
from fwengine.model.ruleset import decide
from fwengine.policy import Policy
from fwengine.sources.foreign import Reading

DAY = datetime.date(2026, 11, 25)
FOREIGN = [name for name, writer in WRITERS.items() if not writer.ends]
FILES = sorted(RULES.glob("*.fwl"))


def told(policy: Policy, to: str) -> tuple[str, list[str]]:
    """The text, or nothing and why."""
    try:
        return conversion.convert(policy, to, as_of=DAY), []
    except PolicyError as error:
        return "", [f"{d.code} {d.message}" for d in error.diagnostics]


def asked_alike(policy: Policy, to: str, text: str, seed: int = 0) -> None:
    """Packets from the corners of a policy, by the definition, in the policy and in what was written."""
    for name, within in READ[to]:
        again = fwengine.loads(text, file="written", reading=Reading(name, within))
        for point in islice(random_points(seed, SMALL, policy, 60), 60):
            if applies(to, within, point):
                assert decide(policy, point).action is decide(again, point).action, (text, point)


READ: dict[str, list[tuple[str, str | None]]] = {
    "nft": [("nftables", None)],
    "iptables": [("iptables-save", None)],
    "ip6tables": [("ip6tables-save", None)],
    "cisco": [("cisco-ios", "FWENGINE"), ("cisco-ios", "FWENGINE-V6")],
    "aws": [("aws", "acl-fwengine ingress")],
}
ABOUT = {"iptables": address.V4, "ip6tables": address.V6, "FWENGINE": address.V4, "FWENGINE-V6": address.V6}


def applies(to: str, which: str | None, point: tuple[int, ...]) -> bool:
    """Is the text about such packets?"""
    if to == "aws":  # of which AWS does not say what becomes of later fragments
        return point[FRAGMENT] != LATER
    hooked = WRITERS[to].chain
    return (not hooked or (point[IN] != 0 and point[OUT] != 0)) and point[SRC] in ABOUT.get(which or to, address.ALL)


def test_the_command_line_offers_what_is_written() -> None:
    assert set(TARGETS) == set(WRITERS)
    assert set(CHAINS) == set(HOOKS)
    assert set(READ) == set(FOREIGN)


@pytest.mark.parametrize("to", FOREIGN)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_policy_of_rules_is_written_or_refused(path: Path, to: str) -> None:
    policy = fwengine.load(path, as_of=DAY)
    text, reasons = told(policy, to)
    if text:
        asked_alike(policy, to, text)
    assert bool(text) != bool(reasons)


@pytest.mark.parametrize("to", FOREIGN)
def test_some_drawn_policies(to: str) -> None:
    share(to, 40)


@pytest.mark.slow
@pytest.mark.parametrize("to", FOREIGN)
def test_a_thousand_drawn_policies(to: str) -> None:
    share(to, 1000)


LEAST = {"nft": 0.95, "iptables": 0.85, "ip6tables": 0.85, "cisco": 0.5, "aws": 0.12}


def share(to: str, count: int) -> None:
    """So many policies of small domains, with conditions on all fields: written or refused, most of them written."""
    reasons: Counter[str] = Counter()
    done: Counter[str] = Counter()

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategies.policies(max_rules=6, min_rules=1))
    def each(policy: Policy) -> None:
        text, why = told(policy, to)
        done["written" if text else "refused"] += 1
        reasons.update(set(why))
        assert all(reason.startswith(("FW461", "FW462")) for reason in why)
        if text:
            asked_alike(policy, to, text, done.total())

    each()
    part = done["written"] / done.total()
    assert part >= LEAST[to], (done, reasons.most_common(12))


def test_what_a_network_acl_looks_at_is_written() -> None:
    """Sources, protocols, destination ports and messages: none of such policies is refused, in either direction."""
    draw = random.Random(11)
    nets = ["any", "10.0.0.0/8", "not 10.0.0.0/8", "{ 10.0.0.1-10.0.0.6, 2001:db8::/32 }", "2001:db8::1"]
    what = [("tcp", "port 443"), ("udp", "port { 53, 1024-2000 }"), ("{ tcp, udp }", "port not 22"), ("any", ""), ("47", ""),
            ("icmp", "type { 0, 8 }"), ("icmp", "type 3 code 4"), ("icmpv6", ""), ("tcp", "")]  # fmt: skip
    for n in range(60):
        rules = [f"default {draw.choice(['allow', 'deny'])}"]
        for _ in range(draw.randint(1, 5)):
            protocol, more = draw.choice(what)
            net = draw.choice(nets[:3] if protocol == "icmp" else nets[:1] + nets[4:] if protocol == "icmpv6" else nets)
            ends = f"from {net}" if n % 2 else f"to {net}"
            at = ends if not more.startswith("port") else f"from {net} to any {more}" if n % 2 else f"to {net} {more}"
            rules.append(" ".join([draw.choice(["allow", "deny"]), protocol, at, more if at == ends else ""]))
        policy = fwengine.loads("\n".join(rules))
        chain, which = ("input", "ingress") if n % 2 else ("output", "egress")
        text = conversion.convert(policy, "aws", chain=chain, name="acl-1")
        again = fwengine.loads(text, reading=Reading("aws", f"acl-1 {which}"))
        for point in random_points(n, SMALL, policy, 40):
            if point[FRAGMENT] != LATER:
                assert decide(policy, point).action is decide(again, point).action, (text, point)


@pytest.mark.parametrize("to", FOREIGN)
@pytest.mark.parametrize("seed", range(6))
def test_any_boxes_at_all(to: str, seed: int) -> None:
    """Rules that no text of the language says in one piece: absent values beside others, any set of flags."""
    for n in range(4):
        policy = random_policy(seed * 100 + n, SMALL if n % 2 else WIDE, most=4, absent=True).on(DAY)
        text, _ = told(policy, to)
        if text:
            asked_alike(policy, to, text, n)


@pytest.mark.parametrize(
    "condition", ["length > 39", "length < 40", "length 100-1500", "length >= 65536", "length not 84"]
)
@pytest.mark.parametrize("to", ["iptables", "ip6tables"])
def test_lengths_also_beyond_what_iptables_compares(to: str, condition: str) -> None:
    """`--length 40:` ends at 65535, and an IPv6 packet may be longer: what is written is read back and proved, or this raises."""
    family = "ipv4" if to == "iptables" else "ipv6"
    policy = fwengine.loads(f"allow tcp from {family} to {family} {condition}")
    assert "--length" in fwengine.convert(policy, to)
