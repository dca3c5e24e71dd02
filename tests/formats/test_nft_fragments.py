"""Conditions of nft on fragments: what is certain, and what an atomic fragment leaves in doubt."""

from __future__ import annotations

import json

import pytest

import fwengine

CASES = {
    "ip frag-off & 0x1fff != 0": "ddA",
    "ip frag-off & 0x1fff == 0": "AAd",
    "ip frag-off & 0x1fff 0": "AAd",
    "ip frag-off & 0x3fff == 0x2000": "dAd",
    "ip frag-off & 0x3fff != 0x2000": "AdA",
    "ip frag-off & 0x3fff == 0": "Add",
    "ip frag-off & 0x3fff != 0": "dAA",
    "ip frag-off & 0x2000 != 0": "???",
    "frag frag-off != 0": "ddA",
    "frag frag-off 0": "?Ad",
    "frag more-fragments 1": "dA?",
    "frag frag-off 0 frag more-fragments 1": "dAd",
    "frag frag-off 185": "???",
    "frag id 7": "???",
}


def verdicts(text: str, v6: bool) -> str:
    """Of a whole packet, a first fragment and a later one: allowed, denied, or in doubt."""
    policy = fwengine.loads(text)
    ends = "2001:db8::1 -> 2001:db8::2" if v6 else "10.0.0.1 -> 10.0.0.2"
    asked = (f"47 {ends} fragment {kind} in eth0 out eth1" for kind in ("whole", "first", "later"))
    return "".join({"allow": "A", "deny": "d", "depends": "?"}[str(policy.evaluate(p).action)] for p in asked)


def table(rule: str) -> str:
    return (
        f"table inet t {{\n chain c {{\n type filter hook forward priority 0; policy drop;\n {rule} accept\n }}\n}}\n"
    )


@pytest.mark.parametrize("rule", CASES)
def test_fragments(rule: str) -> None:
    v6 = rule.startswith("frag")
    assert verdicts(table(rule), v6) == CASES[rule]
    assert verdicts(table(rule), not v6).strip("d?") == ""


def test_the_same_in_json() -> None:
    def match(field: str, op: str, right: int) -> object:
        return {"match": {"op": op, "left": {"exthdr": {"name": "frag", "field": field}}, "right": right}}

    def listed(*tests: object) -> str:
        chain = {
            "family": "inet",
            "table": "t",
            "name": "c",
            "type": "filter",
            "hook": "forward",
            "prio": 0,
            "policy": "drop",
        }
        rule = {"family": "inet", "table": "t", "chain": "c", "expr": [*tests, {"accept": None}]}
        return json.dumps({"nftables": [{"table": {"family": "inet", "name": "t"}}, {"chain": chain}, {"rule": rule}]})

    assert verdicts(listed(match("frag-off", "!=", 0)), True) == "ddA"
    assert verdicts(listed(match("frag-off", "==", 0), match("more-fragments", "==", 1)), True) == "dAd"
    assert verdicts(listed({"match": {"op": "==", "left": {"exthdr": {"name": "hbh"}}, "right": True}}), True) == "???"
