"""nftables: what is read of nft's text and JSON; that it means what Linux does is shown in `tests/kernel/test_nftables.py`."""

from __future__ import annotations

import json
from typing import Any

import pytest

import fwengine
from fwengine.errors import PolicyError
from fwengine.policy import load_all
from fwengine.sources.foreign import Reading
from fwengine.sources.source import from_text


def policy(*rules: str, table: str = "inet filter", before: str = "", default: str = "drop") -> fwengine.Policy:
    body = "\n".join(f"    {rule}" for rule in rules)
    return fwengine.loads(
        f"table {table} {{\n{before}\n  chain input {{\n    type filter hook input priority 0; policy {default};\n{body}\n  }}\n}}\n",
        file="server.nft",
    )


TCP = "tcp 192.0.2.1:40000 -> 192.0.2.80:22 flags syn in eth0"


@pytest.mark.parametrize(
    ("rule", "packet", "expected"),
    [
        ("tcp dport 22 accept", TCP, "allow"),
        ("tcp dport ssh accept", TCP, "allow"),
        ("tcp dport 20-25 accept", TCP, "allow"),
        ("tcp dport { 22, 80 } accept", TCP, "allow"),
        ("tcp dport != 22 accept", TCP, "deny"),
        ("tcp dport != 22 accept", "udp 192.0.2.1:40000 -> 192.0.2.80:23 in eth0", "deny"),  # about tcp alone
        ("tcp dport >= 22 accept", TCP, "allow"),
        ("tcp flags syn accept", TCP.replace("flags syn", "flags syn,ack"), "allow"),  # any of the bits
        ("tcp flags == syn accept", TCP.replace("flags syn", "flags syn,ack"), "deny"),  # just these
        ("tcp flags & (syn|ack) == syn accept", TCP, "allow"),
        ("tcp flags syn / syn,ack accept", TCP.replace("flags syn", "flags syn,ack"), "deny"),
        ("ip saddr 192.0.2.0/24 accept", TCP, "allow"),
        ("ip saddr 192.0.2.0-192.0.2.9 accept", TCP, "allow"),
        ("ip saddr != 192.0.2.0/24 accept", "tcp [2001:db8::1]:1 -> [2001:db8::2]:22 flags syn in eth0", "deny"),
        ("ip6 saddr 2001:db8::/32 accept", "tcp [2001:db8::1]:1 -> [2001:db8::2]:22 flags syn in eth0", "allow"),
        ('iifname "eth*" accept', TCP, "allow"),
        ('iifname { "lo", "eth0" } accept', TCP, "allow"),
        ('oifname != "eth1" accept', TCP, "allow"),  # on the way in there is none
        ("ct state established,related accept", TCP, "deny"),
        ("ct state new accept", TCP, "allow"),
        ("ct state vmap { invalid : drop, new : accept }", TCP, "allow"),
        ("meta l4proto { tcp, udp } th dport 22 accept", TCP, "allow"),
        ("ip saddr . tcp dport { 192.0.2.1 . 22, 192.0.2.2 . 80 } accept", TCP, "allow"),
        ("ip saddr . tcp dport != { 192.0.2.1 . 22, 192.0.2.2 . 80 } accept", TCP, "deny"),
        ("tcp dport vmap { 22 : accept, * : drop }", TCP, "allow"),
        ("icmp type echo-request accept", "icmp 192.0.2.1 -> 192.0.2.80 type echo-request in eth0", "allow"),
        ("icmpv6 type nd-neighbor-solicit accept", "icmpv6 2001:db8::1 -> 2001:db8::2 type 135 in eth0", "allow"),
        ("meta nfproto ipv4 accept", TCP, "allow"),
        ("counter packets 5 bytes 9 log prefix \"x: \" level info accept comment \"y\"", TCP, "allow"),
        ("limit rate 10/second burst 5 packets accept", TCP, "depends"),
        ("fib saddr . iif oif missing accept", TCP, "depends"),
        ("meta mark 0x1 accept", TCP, "depends"),
        ("meta mark set 0x1 accept", TCP, "allow"),
        ("ct count over 20 accept", TCP, "depends"),
        ("add @seen { ip saddr timeout 5m } accept", TCP, "depends"),
        ("add @seen { ip saddr } accept", "tcp [2001:db8::1]:1 -> [2001:db8::2]:22 flags syn in eth0", "depends"),
        ("meta mark set ip saddr map { 192.0.2.1 : 1 } accept", TCP, "depends"),
        ("add @seen { ip saddr limit rate over 5/minute } accept", TCP, "depends"),
        ("reject with icmp type port-unreachable", TCP, "deny"),
        ("tcp dport 22 accept", "tcp 192.0.2.1 -> 192.0.2.80 fragment later in eth0", "depends"),
        ("ip frag-off & 0x1fff != 0 accept", "tcp 192.0.2.1 -> 192.0.2.80 fragment later in eth0", "allow"),
        ("ip ttl < 5 accept", TCP + " ttl 4", "allow"),
        ("ip dscp ef accept", TCP + " dscp ef", "allow"),
        ("ip6 nexthdr udp accept", "tcp [2001:db8::1]:1 -> [2001:db8::2]:22 flags syn in eth0", "deny"),
        ("ip6 nexthdr tcp accept", "tcp [2001:db8::1]:1 -> [2001:db8::2]:22 flags syn in eth0", "depends"),
    ],
)  # fmt: skip
def test_a_rule_means_what_it_says(rule: str, packet: str, expected: str) -> None:
    found = policy(rule, before="  set seen { type ipv4_addr; flags dynamic; }")
    assert str(found.evaluate(fwengine.Packet.parse(packet)).action) == expected


@pytest.mark.parametrize(
    ("expression", "doubt"),
    [
        ({"set": {"op": "add", "elem": {"payload": {"protocol": "ip", "field": "saddr"}}, "set": "@seen"}}, True),
        (
            {
                "mangle": {
                    "key": {"meta": {"key": "mark"}},
                    "value": {"map": {"key": {"payload": {"protocol": "ip", "field": "saddr"}}, "data": {"set": [["192.0.2.1", 1]]}}},
                }
            },
            True,
        ),
        ({"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}, False),
    ],
)  # fmt: skip
def test_what_the_packet_may_lack_is_in_doubt_in_json_too(expression: dict[str, Any], doubt: bool) -> None:
    """The kernel leaves the rule: an IPv6 packet has no `ip saddr`, and is not accepted."""
    body = {"family": "inet", "table": "f", "chain": "c", "expr": [expression, {"accept": None}]}
    chain = {
        "family": "inet",
        "table": "f",
        "name": "c",
        "type": "filter",
        "hook": "input",
        "prio": 0,
        "policy": "drop",
    }
    objects = [{"table": {"family": "inet", "name": "f"}}, {"chain": chain}, {"rule": body}]
    found = fwengine.loads(json.dumps({"nftables": objects}))
    verdict = found.evaluate(fwengine.Packet.parse("tcp [2001:db8::1]:1 -> [2001:db8::2]:22 flags syn in eth0"))
    assert str(verdict.action) == ("depends" if doubt else "allow")


@pytest.mark.parametrize(
    "rule", ["tcp dport 022", "ip ttl 010", "ip dscp 010", "ip saddr 10.0.0.0/010", "ip length 064"]
)
def test_a_leading_zero_is_not_guessed(rule: str) -> None:
    """nft takes it as octal: `tcp dport 022` is port 18."""
    with pytest.raises(PolicyError):
        policy(f"{rule} accept")


def test_a_set_that_packets_fill_is_in_doubt_in_json_without_its_flag() -> None:
    """nft 1.0 prints `flags dynamic` in its text, and nothing of it in JSON."""
    address = {"payload": {"protocol": "ip", "field": "saddr"}}
    body = {"family": "inet", "table": "f", "chain": "c"}
    chain = {
        "family": "inet",
        "table": "f",
        "name": "c",
        "type": "filter",
        "hook": "input",
        "prio": 0,
        "policy": "accept",
    }
    asks = [{"match": {"op": "==", "left": address, "right": "@seen"}}, {"drop": None}]
    adds = [{"set": {"op": "add", "elem": address, "set": "@seen"}}]
    objects: list[Any] = [
        {"table": {"family": "inet", "name": "f"}},
        {"set": {"family": "inet", "name": "seen", "table": "f", "type": "ipv4_addr", "size": 5}},
        {"chain": chain}, {"rule": {**body, "expr": asks}},
    ]  # fmt: skip
    filled = [*objects, {"rule": {**body, "expr": adds}}]
    for some, expected in ((objects, "allow"), (filled, "depends")):
        found = fwengine.loads(json.dumps({"nftables": some}))
        assert str(found.evaluate(fwengine.Packet.parse(TCP)).action) == expected


TEXT = """\
#!/usr/sbin/nft -f
flush ruleset
define lan = { eth1, eth2 }
define local = { 10.0.0.0/24, \\
                 10.1.0.5 }
table inet filter {
    set admins {
        type ipv4_addr
        flags interval
        elements = { $local,
                 10.2.0.1-10.2.0.9 }
    }
    map services {
        type inet_service : verdict
        elements = { 80 : jump web, 443 : accept }
    }
    chain input {
        type filter hook input priority filter; policy drop;
        iifname $lan tcp dport vmap @services
        ip saddr @admins tcp dport 22 accept comment "admins"
        tcp flags syn / fin,rst,ack drop # never
    }
    chain web {
        ip saddr 10.9.0.0/16 drop
        accept
    }
}
"""


def test_a_file_written_by_hand_is_read() -> None:
    found = fwengine.loads(TEXT, file="server.nft")
    for packet, action, by in (
        ("tcp 10.2.0.5:1 -> 10.5.0.1:22 flags syn in eth0", "allow", "admins"),
        ("tcp 10.1.0.6:1 -> 10.5.0.1:22 flags syn in eth0", "deny", "default"),
        ("tcp 10.9.0.5:1 -> 10.5.0.1:80 flags syn in eth1", "deny", "server.nft:24"),
        ("tcp 10.8.0.5:1 -> 10.5.0.1:80 flags syn in eth2", "allow", "server.nft:25"),
        ("tcp 10.8.0.5:1 -> 10.5.0.1:443 flags syn in eth2", "allow", "server.nft:19"),
    ):
        verdict = found.evaluate(fwengine.Packet.parse(packet))
        assert (str(verdict.action), verdict.by) == (action, by), packet
    told = fwengine.check(found)
    assert [(f.code, f.remark.span.line) for f in told if f.remark is not None] == [("FW204", 21)]


@pytest.mark.parametrize(
    ("rule", "code", "line"),
    [
        ("tcp dport 22 acept", "FW402", 5),
        ("tcp dport 99999 accept", "FW403", 5),
        ("tcp dport 80-22 accept", "FW403", 5),
        ("ip saddr host.example accept", "FW403", 5),
        ("ip saddr @missing accept", "FW404", 5),
        ("ip saddr $missing accept", "FW404", 5),
        ("jump nowhere", "FW404", 5),
        ("dnat to 10.0.0.1", "FW402", 5),
        ("tcp dport set 80 accept", "FW402", 5),
        ("tcp dport", "FW406", 5),
        ("accept drop", "FW402", 5),
    ],
)
def test_what_is_not_understood_is_refused(rule: str, code: str, line: int) -> None:
    with pytest.raises(PolicyError) as caught:
        policy(rule)
    assert [(d.code, d.span.line) for d in caught.value.diagnostics] == [(code, line)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("table inet filter {\n  chain input {\n    type filter hook input priority 0;\n", "FW406"),
        ('table inet filter {\n  include "more.nft"\n}\n', "FW021"),
        ('include "more.nft"\ntable inet filter {\n}\n', "FW021"),
        ("table inet filter {\n  chain a { jump b; }\n  chain b { jump a; }\n"
         "  chain c { type filter hook input priority 0; jump a; }\n}\n", "FW405"),
        ("table inet nat {\n  chain post { type nat hook postrouting priority 100; }\n}\n", "FW407"),
        ('{"nftables": [{"table": {"family": "ip"}}]}', "FW406"),
        ('{"nftables": [', "FW406"),
    ],
)  # fmt: skip
def test_broken_files_are_refused(text: str, code: str) -> None:
    with pytest.raises(PolicyError) as caught:
        fwengine.loads(text, file="broken", reading=Reading("nftables"))
    assert code in {d.code for d in caught.value.diagnostics}


def test_each_base_chain_is_a_policy() -> None:
    text = (
        "table inet filter {\n  chain input { type filter hook input priority 0; }\n"
        "  chain forward { type filter hook forward priority 0; }\n}\n"
        "table ip extra {\n  chain input { type filter hook input priority 10; policy drop; }\n}\n"
    )
    found = load_all(from_text(text, "two.nft"))
    assert [p.name for p in found] == ["two.nft:filter input", "two.nft:forward", "two.nft:extra input"]
    assert {d.code for d in found[0].remarks} == {"FW460"}  # a packet must pass both


def test_json_is_read() -> None:
    match = {
        "match": {
            "op": "==",
            "left": {"payload": {"protocol": "tcp", "field": "dport"}},
            "right": {"set": [22, {"range": [80, 90]}]},
        }
    }
    table = {"family": "inet", "table": "t"}
    text = json.dumps({"nftables": [
        {"metainfo": {"version": "1"}},
        {"table": {"family": "inet", "name": "t"}},
        {"chain": {**table, "name": "in", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}},
        {"rule": {**table, "chain": "in", "handle": 4, "expr": [match, {"counter": {}}, {"accept": None}]}},
        {"rule": {**table, "chain": "in", "handle": 5, "expr": [{"xt": None}]}},
    ]})  # fmt: skip
    with pytest.raises(PolicyError, match="shows no content"):
        fwengine.loads(text, file="r.json")
    text = text.replace('{"xt": null}', '{"drop": null}')
    found = fwengine.loads(text, file="r.json")
    verdict = found.evaluate(fwengine.Packet.parse(TCP))
    assert str(verdict.action) == "allow"
    assert verdict.rule is not None
    assert text[verdict.rule.span.column - 1 :].startswith('{"rule"')
