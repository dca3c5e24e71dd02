"""nftables as people keep it: files that include others, definitions, commands, several chains on one hook."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

import fwengine
from fwengine.errors import PolicyError
from fwengine.sources.foreign import Reading

HOOK = "type filter hook input priority 0; policy drop;"


def verdict(policy: fwengine.Policy, packet: str) -> tuple[str, str]:
    found = policy.evaluate(fwengine.Packet.parse(packet))
    return str(found.action), found.by.rpartition("/")[2]


def tcp(port: int, src: str = "10.0.0.5") -> str:
    return f"tcp {src}:40000 -> 10.0.0.1:{port} flags syn in none out none"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sets").mkdir()
    (tmp_path / "main.nft").write_text(
        '#!/usr/sbin/nft -f\nflush ruleset\ninclude "./names.nft"\ninclude "sets/*.nft"\ninclude "none/*.nft"\n'
        f'table inet filter {{\n  chain input {{\n    {HOOK}\n    include "rules.nft"\n  }}\n}}\n'
    )
    (tmp_path / "names.nft").write_text("define lan = { 10.0.0.0/24, 10.1.0.0/24 }\n")
    (tmp_path / "sets" / "b.nft").write_text(
        "table inet filter { set bad { type ipv4_addr; elements = { $worst } } }\n"
    )
    (tmp_path / "sets" / "a.nft").write_text("define worst = 10.0.0.7\n")
    (tmp_path / "sets" / ".hidden.nft").write_text("nonsense\n")
    (tmp_path / "rules.nft").write_text("ip saddr @bad drop\nip saddr $lan tcp dport 22 accept\n")
    return tmp_path


def test_included_files_are_read_in_their_order(folder: Path) -> None:
    policy = fwengine.load(folder / "main.nft")
    assert verdict(policy, tcp(22)) == ("allow", "rules.nft:2")
    assert verdict(policy, tcp(22, "10.0.0.7")) == ("deny", "rules.nft:1")
    assert verdict(policy, tcp(22, "10.2.0.7")) == ("deny", "default")
    assert len(policy.sources) == 5


def test_a_mistake_is_told_in_the_file_that_has_it(folder: Path) -> None:
    (folder / "rules.nft").write_text("ip saddr @bad drop\nip saddr $lam accept\n")
    with pytest.raises(PolicyError) as caught:
        fwengine.load(folder / "main.nft")
    (told,) = caught.value.diagnostics
    assert (told.span.file, told.span.line, told.code) == (str(folder / "rules.nft"), 2, "FW404")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ('include "main.nft"\n', "include each other in a circle"),
        ('include "missing.nft"\n', "no such file"),
        ('include "*/more.nft"\n', "not of folders"),
        ("include more\n", "a path in quotes"),
    ],
)
def test_includes_that_are_refused(folder: Path, names: str, said: str) -> None:
    (folder / "names.nft").write_text(names)
    with pytest.raises(PolicyError) as caught:
        fwengine.load(folder / "main.nft")
    assert any(said in told.message for told in caught.value.diagnostics)


def test_a_packed_file_is_unpacked(folder: Path) -> None:
    data = (folder / "main.nft").read_bytes()
    (folder / "main.nft.gz").write_bytes(gzip.compress(data))
    assert verdict(fwengine.load(folder / "main.nft.gz"), tcp(22)) == ("allow", "rules.nft:2")
    (folder / "main.nft.gz").write_bytes(gzip.compress(data)[:-9])
    with pytest.raises(PolicyError, match="compressed with gzip"):
        fwengine.load(folder / "main.nft.gz")


BASE = f"""\
table inet t {{
  chain c {{ {HOOK} tcp dport 1 accept; tcp dport 2 accept; }}
  set s {{ type inet_service; elements = {{ 7, 8 }} }}
}}
"""


@pytest.mark.parametrize(
    ("more", "allowed"),
    [
        ("", {1, 2}),
        ("add rule inet t c tcp dport 3 accept", {1, 2, 3}),
        ("insert rule inet t c tcp dport 1 drop", {2}),
        ("insert rule inet t c index 1 tcp dport 1-2 drop", {1}),
        ("add rule inet t c index 0 tcp dport 1-2 drop", {1}),
        ("flush chain inet t c\nadd rule inet t c tcp dport 5 accept", {5}),
        ("flush table inet t\nadd rule inet t c tcp dport @s accept", {7, 8}),
        ("add rule inet t c tcp dport @s accept\nadd element inet t s { 9 }", {1, 2, 7, 8, 9}),
        ("add rule inet t c tcp dport @s accept\ndelete element inet t s { 8 }", {1, 2, 7}),
        ("add rule inet t c tcp dport @s accept\nflush set inet t s", {1, 2}),
        ("define a = 3\nadd rule inet t c tcp dport $a accept\nredefine a = 4\nadd rule inet t c tcp dport { $a, 5-6 } accept",
         {1, 2, 3, 4, 5, 6}),
        ("define p = { 3, 4 }\ntable inet t { chain c { define p = 5; tcp dport $p accept; }\n chain d { tcp dport $p drop; } }\n"
         "add rule inet t c jump d", {1, 2, 5}),
        ("destroy table inet none", {1, 2}),
        ("flush ruleset\n" + BASE.replace("dport 1 ", "dport 6 "), {2, 6}),
    ],
)  # fmt: skip
def test_commands_change_what_stands_above(more: str, allowed: set[int]) -> None:
    policy = fwengine.loads(BASE + more + "\n", file="x.nft")
    assert {port for port in range(1, 11) if verdict(policy, tcp(port))[0] == "allow"} == allowed


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("delete rule inet t c handle 5", "changes what is loaded"),
        ("add rule inet t c handle 5 accept", "asks for a place in what is loaded"),
        ("add rule inet t c index 9 accept", "has no rule `9`"),
        ("delete element inet t s { 99 }", "is not written so"),
        ("define a = 3\ndefine a = 4", "defined twice"),
        ("define a = 3\nundefine a\nadd rule inet t c tcp dport $a drop", "`$a` is not defined"),
        ("delete chain inet t nothing", "there is no chain `nothing`"),
        ("nft add rule inet t c accept", "shell script"),
        ("Chain INPUT (policy DROP)", "listing of iptables"),
        ('table inet t { chain c { xt match "recent" accept; } }', "shows no content"),
    ],
)  # fmt: skip
def test_commands_that_are_refused(more: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        fwengine.loads(BASE + more + "\n", file="x.nft")
    assert any(said in told.message for told in caught.value.diagnostics), caught.value


@pytest.mark.parametrize(
    ("rule", "flags", "state", "matches"),
    [
        # several with commas are one number, and a set of one element is no set: as the kernel has it
        ("tcp flags != syn,ack", "syn", "new", True),
        ("tcp flags != syn,ack", "syn,ack", "new", False),
        ("tcp flags { syn }", "syn,ack", "new", True),
        ("tcp flags == { syn }", "syn,ack", "new", False),
        ("tcp flags & (fin|syn) == { fin, syn }", "fin,syn", "new", False),
        ("tcp flags & (syn|ack) syn", "syn,ack", "new", False),
        ("tcp flags vmap { syn|ack : accept }", "syn", "new", False),
        ("ct state != established,related", "syn", "established", True),
        ("ct state != { established, related }", "syn", "established", False),
        ("ct state established|related", "syn", "related", True),
        ("ct state & (established|new) == established", "syn", "established", True),
        ("ct state vmap { established|related : accept }", "syn", "established", False),
        ("ct state 8", "syn", "new", True),
    ],
)  # fmt: skip
def test_bits(rule: str, flags: str, state: str, matches: bool) -> None:
    end = "" if "vmap" in rule else " accept"
    policy = fwengine.loads(f"table inet t {{ chain c {{ {HOOK} {rule}{end}; }} }}\n", file="x.nft")
    packet = f"tcp 10.0.0.5:1 -> 10.0.0.1:2 flags {flags} state {state} in none out none"
    assert verdict(policy, packet)[0] == ("allow" if matches else "deny")


@pytest.mark.parametrize(
    ("rule", "port", "expected"),
    [
        ("meta l4proto . th dport { tcp . 22, udp . 53 } accept", 22, "allow"),
        ("meta l4proto . th dport { tcp . 22, udp . 53 } accept", 53, "deny"),
        ("ether saddr . tcp dport { 00:11:22:33:44:55 . 22 } accept", 22, "depends"),
        ("ether saddr . tcp dport { 00:11:22:33:44:55 . 22 } accept", 23, "deny"),
        ("fib daddr type vmap { local : accept, broadcast : drop }", 22, "depends"),
        ("fib saddr . iif oif missing tcp dport 22 accept", 23, "deny"),
        ("@th,16,16 == 22 accept", 22, "depends"),
        ("tcp option maxseg size 1-500 tcp dport 22 accept", 22, "depends"),
        ("iif 2 accept", 22, "depends"),
        ("ip frag-off & 0x1fff > 0 accept", 22, "deny"),
        ("ip frag-off & 0x3fff == 0 accept", 22, "allow"),
        ("tcp dport & 0xff00 == 0 accept", 22, "allow"),
        ('log prefix "x" flags tcp sequence,options tcp dport 22 accept', 22, "allow"),
        ("last used never tcp dport 22 accept", 22, "allow"),
    ],
)  # fmt: skip
def test_conditions(rule: str, port: int, expected: str) -> None:
    policy = fwengine.loads(f"table inet t {{ chain c {{ {HOOK} {rule}; }} }}\n", file="x.nft")
    assert verdict(policy, tcp(port))[0] == expected


SEVERAL = """\
table inet filter {
  chain input { type filter hook input priority filter; policy drop; tcp dport { 22, 23, 80 } accept; }
}
table ip late {
  chain input { type filter hook input priority filter + 10; policy accept; tcp dport 23 drop; }
}
table ip6 early {
  chain input { type filter hook input priority raw; policy drop; tcp dport 22 accept; }
}
"""


def test_chains_of_one_hook_together() -> None:
    policy = fwengine.loads(SEVERAL, file="x.nft", reading=Reading(policy="hook input"))
    six = "tcp [2001:db8::1]:1 -> [2001:db8::2]:{} flags syn in none out none"
    assert verdict(policy, tcp(22)) == ("allow", "x.nft:5")
    assert verdict(policy, tcp(23)) == ("deny", "x.nft:5")
    assert verdict(policy, tcp(24)) == ("deny", "x.nft:2")
    assert verdict(policy, six.format(22))[0] == "allow"
    assert verdict(policy, six.format(23)) == ("deny", "x.nft:8")  # not the chain of IPv4
    assert policy.prove("deny tcp from any to any port telnet").holds


def test_tables_that_are_not_in_force_are_told() -> None:
    text = SEVERAL.replace("table ip late {", "table ip late {\n  flags dormant")
    policy = fwengine.loads(text, file="x.nft", reading=Reading(policy="hook input"))
    assert verdict(policy, tcp(23))[0] == "allow"
    assert any("is dormant" in remark.message for remark in policy.remarks)


def test_commands_in_json() -> None:
    table = {"family": "inet", "table": "t"}
    chain = {**table, "name": "c", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}

    def rule(port: int, end: str) -> dict[str, object]:
        left = {"payload": {"protocol": "tcp", "field": "dport"}}
        return {
            "rule": {**table, "chain": "c", "expr": [{"match": {"op": "==", "left": left, "right": port}}, {end: None}]}
        }

    items: list[object] = [
        {"add": {"table": {"family": "inet", "name": "old"}}},
        {"flush": {"ruleset": None}},
        {"add": {"table": {"family": "inet", "name": "t"}}},
        {"add": {"chain": chain}},
        {"add": rule(22, "accept")},
        {"insert": rule(22, "drop")},
        {"create": rule(23, "accept")},
    ]
    policy = fwengine.loads(json.dumps({"nftables": items}), file="x.json")
    assert [verdict(policy, tcp(port))[0] for port in (22, 23)] == ["deny", "allow"]
    items.append({"flush": {"table": {"family": "inet", "name": "t"}}})
    with pytest.raises(PolicyError, match="changes what is loaded"):
        fwengine.loads(json.dumps({"nftables": items}), file="x.json")
