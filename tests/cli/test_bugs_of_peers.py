"""Bugs that other checkers of firewall rules really had, each by name; those of evaluation are in `conformance/bugs.toml`."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import run

import fwengine


def found(text: str) -> list[tuple[str, int | None, tuple[int, ...]]]:
    """What matters of what `check` finds."""
    return [
        (one.code, one.rule, one.blockers) for one in fwengine.check(fwengine.loads(text), ["FW201", "FW202", "FW204"])
    ]


def test_a_union_of_rules_shadows_what_no_single_one_does() -> None:
    """Aerleon and Capirca compare rules pair by pair, and find nothing here."""
    text = """
allow tcp from 10.0.0.0/9      to any port 0-1023
allow tcp from 10.128.0.0/9    to any port 0-1023
deny  tcp from 10.0.0.0/8      to any port 22
"""
    assert found(text) == [("FW201", 2, (0, 1))]


def test_a_union_of_many_parts_in_several_fields_shadows() -> None:
    """Batfish #1310 crashed where the rules that shadow did so together."""
    quarters = [
        f"allow udp from 192.0.2.{64 * n}/26 to any port {ports}" for n in range(4) for ports in ("0-999", "1000-65535")
    ]
    text = "\n".join([*quarters, "deny udp from 192.0.2.0/24 to 198.51.100.7 port not 5", "deny udp from 192.0.2.0/23"])
    ((code, rule, blockers),) = found(text)
    assert (code, rule, blockers) == ("FW201", 8, tuple(range(8)))


@pytest.mark.parametrize("types", ["echo-request", "{ echo-request, echo-reply }", "{ echo-reply, echo-request }"])
def test_a_rule_with_icmp_types_is_shadowed(types: str) -> None:
    """`sorted(a) is not sorted(b)` (Aerleon, Capirca): two lists are never the same object, so such rules never shadowed."""
    text = f"allow icmp type {{ echo-request, echo-reply }}\ndeny icmp from 10.0.0.0/8 type {types}"
    assert found(text) == [("FW201", 1, (0,))]


@pytest.mark.parametrize(
    ("one", "other"), [("tcp", "6"), ("6", "tcp"), ("{ 17, 6 }", "{ tcp, udp }"), ("icmpv6", "58")]
)
def test_a_protocol_by_its_number_is_the_one_by_its_name(one: str, other: str) -> None:
    assert found(f"allow {one}\ndeny {other}") == [("FW201", 1, (0,))]


def test_what_shadows_fails_the_check(tmp_path: Path) -> None:
    """capirca #358: a shadow check that printed what it found, and exited 0."""
    policy = tmp_path / "p.fwl"
    policy.write_text("allow tcp\ndeny tcp to any port 22\n")
    done = run("check", str(policy))
    assert done.code == 1
    assert "FW201" in done.out
