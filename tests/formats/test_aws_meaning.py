"""AWS's lists beside a naive reading of its documentation, real connectivity, and damaged files: never a traceback."""

from __future__ import annotations

import ipaddress
import json
import random
import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from support.paths import ROOT
from support.points import point_of

import fwengine
from fwengine.errors import Diagnostic, PolicyError
from fwengine.formats.aws.reader import read
from fwengine.formats.chains import possible
from fwengine.model.rules import ALLOW, DENY, Action
from fwengine.policy import load_all
from fwengine.sources.source import from_text

REMOTE = ("10.1.0.5", "10.1.2.9", "192.0.2.1", "2001:db8::1", "2001:db8:1::9")
LOCAL = {4: "172.16.0.4", 6: "2001:db8:ff::4"}
CIDRS = {False: ("0.0.0.0/0", "10.1.0.0/16", "10.1.0.0/24", "10.1.2.9/32", "10.1.2.200/25"),
         True: ("::/0", "2001:db8::/32", "2001:db8:1::/48", "2001:db8::1/128")}  # fmt: skip
PORTS = (0, 22, 80, 443, 65535)
Packet = dict[str, Any]
Rule = dict[str, Any]


def packets(way: str) -> list[Packet]:
    """Everything that the lists below can tell apart."""
    out = []
    for remote, (protocol, first, second) in product(
        REMOTE,
        [*((6, 40000, p) for p in PORTS), *((17, 40000, p) for p in (22, 80)), (1, 8, 0), (1, 3, 4), (58, 128, 0), (58, 3, 4),
         (47, None, None), (132, 1, 80)],
    ):  # fmt: skip
        version = ipaddress.ip_address(remote).version
        if protocol not in (1, 58) or (protocol == 1) == (version == 4):
            ends = (remote, LOCAL[version]) if way == "ingress" else (LOCAL[version], remote)
            out.append({"remote": remote, "ends": ends, "protocol": protocol, "first": first, "second": second})
    return out


def written(packet: Packet, state: str) -> str:
    src, dst = packet["ends"]
    protocol, first, second = packet["protocol"], packet["first"], packet["second"]
    flags = " flags syn" if protocol == 6 else ""
    if protocol in (1, 58):
        return f"{'icmp' if protocol == 1 else 'icmpv6'} {src} -> {dst} type {first} code {second} state {state}"
    if first is None:
        return f"{protocol} {src} -> {dst} state {state}"
    open_, shut = ("[", "]") if ":" in src else ("", "")
    name = {6: "tcp", 17: "udp", 132: "sctp"}[protocol]
    return f"{name} {open_}{src}{shut}:{first} -> {open_}{dst}{shut}:{second}{flags} state {state}"


# What the documentation says, in a few lines


def takes(rule: Rule, packet: Packet) -> bool:
    """Does a rule with `protocol`, `low`, `high`, `cidr` take a packet?"""
    network = ipaddress.ip_network(rule["cidr"], strict=False)
    if ipaddress.ip_address(packet["remote"]) not in network:
        return False
    if rule["protocol"] == -1:
        return True
    if rule["protocol"] != packet["protocol"]:
        return False
    if rule["protocol"] in (6, 17):
        return bool(rule["low"] <= packet["second"] <= rule["high"])
    if rule["protocol"] in (1, 58):
        return rule["low"] in (-1, packet["first"]) and rule["high"] in (-1, packet["second"])
    return True


def of_acl(rules: Iterable[Rule], packet: Packet) -> Action:
    taken = (rule for rule in sorted(rules, key=lambda rule: rule["number"]) if takes(rule, packet))
    return next((ALLOW if rule["allow"] else DENY for rule in taken), DENY)


def of_groups(groups: Iterable[Iterable[Rule]], packet: Packet, state: str) -> Action:
    if state in ("established", "related"):
        return ALLOW
    return ALLOW if any(takes(rule, packet) for rules in groups for rule in rules) else DENY


# Lists drawn, and written as AWS's command line prints them


def draw(random: random.Random) -> Rule:
    v6 = random.random() < 0.4
    protocol = random.choice((-1, 6, 6, 6, 17, 1, 58, 47, 132))
    low, high = sorted(random.choices(PORTS, k=2))
    if protocol in (1, 58):
        v6 = protocol == 58
        low, high = random.choice(((8, -1), (3, 4), (-1, -1), (128, 0)))
    return {"protocol": protocol, "low": low, "high": high, "cidr": random.choice(CIDRS[v6]), "v6": v6,
            "allow": random.random() < 0.6, "number": 0}  # fmt: skip


def acl_json(name: str, ways: dict[str, list[Rule]]) -> dict[str, Any]:
    entries = []
    for way, rules in ways.items():
        for rule in rules:
            entry = {"Egress": way == "egress", "RuleNumber": rule["number"], "Protocol": str(rule["protocol"]),
                     "RuleAction": "allow" if rule["allow"] else "deny",
                     "Ipv6CidrBlock" if rule["v6"] else "CidrBlock": rule["cidr"]}  # fmt: skip
            if rule["protocol"] in (1, 58):
                entry["IcmpTypeCode"] = {"Type": rule["low"], "Code": rule["high"]}
            elif rule["protocol"] != -1:
                entry["PortRange"] = {"From": rule["low"], "To": rule["high"]}
            entries.append(entry)
        entries.append({"Egress": way == "egress", "RuleNumber": 32767, "Protocol": "-1", "RuleAction": "deny",
                        "CidrBlock": "0.0.0.0/0"})  # fmt: skip
    return {"NetworkAclId": name, "Entries": entries}


def group_json(name: str, ways: dict[str, list[Rule]]) -> dict[str, Any]:
    def permissions(rules: list[Rule]) -> Iterator[dict[str, Any]]:
        for rule in rules:
            named = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmpv6"}.get(rule["protocol"], str(rule["protocol"]))
            key, inner = ("Ipv6Ranges", "CidrIpv6") if rule["v6"] else ("IpRanges", "CidrIp")
            made = {"IpProtocol": named, key: [{inner: rule["cidr"]}]}
            yield made if rule["protocol"] == -1 else {**made, "FromPort": rule["low"], "ToPort": rule["high"]}

    return {"GroupId": name, "IpPermissions": list(permissions(ways["ingress"])),
            "IpPermissionsEgress": list(permissions(ways["egress"]))}  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_lists_mean_what_the_documentation_says(seed: int) -> None:
    rng = random.Random(seed)
    lists = {name: {way: [draw(rng) for _ in range(rng.randint(0, 5))] for way in ("ingress", "egress")}
             for name in ("acl-1", "sg-1", "sg-2")}  # fmt: skip
    for rules in lists["acl-1"].values():
        for rule, number in zip(rules, rng.sample(range(1, 32766), len(rules)), strict=True):
            rule["number"] = number
    interface = {"NetworkInterfaceId": "eni-1", "Groups": [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]}
    text = json.dumps({
        "NetworkAcls": [acl_json("acl-1", lists["acl-1"])],
        "SecurityGroups": [group_json(name, lists[name]) for name in ("sg-1", "sg-2")],
        "NetworkInterfaces": [interface],
    }, indent=rng.choice((None, 1)))  # fmt: skip
    chains = read(text, "vpc.json").chains
    flat = {policy.name.removeprefix("vpc.json:"): policy for policy in load_all(from_text(text, "vpc.json"))}
    groups = {"sg-1": ["sg-1"], "sg-2": ["sg-2"], "eni-1": ["sg-1", "sg-2"]}
    for name, way, state in product(("acl-1", *groups), ("ingress", "egress"), ("new", "established", "invalid")):
        policy = flat[f"{name} {way}"]
        for packet in rng.sample(packets(way), 20):
            mine = [lists[group][way] for group in groups.get(name, ())]
            expected = of_acl(lists[name][way], packet) if name == "acl-1" else of_groups(mine, packet, state)
            asked = fwengine.Packet.parse(written(packet, state))
            point = point_of(asked.replace(in_interface="", out_interface=""))
            assert possible(chains, f"{name} {way}", point) == {expected}, (name, way, asked)
            assert policy.evaluate(asked).action is expected, (name, way, asked)


# Real connectivity


def test_connectivity_is_what_was_analysed_elsewhere(shared: Path) -> None:
    """Each line that a published analysis tells of an account, and no connection between its machines besides."""
    folder = shared / "data" / "rulesets" / "aws"
    text = (folder / "input_aws_mixed.json").read_text()
    flat = {policy.name.removeprefix("vpc.json:"): policy for policy in load_all(from_text(text, "vpc.json"))}
    account = json.loads(text)
    acl_of = {a["SubnetId"]: acl["NetworkAclId"] for acl in account["network_acls"] for a in acl["Associations"]}
    machines = {}
    for instance in account["instances"]:
        (name,) = (tag["Value"] for tag in instance["Tags"])
        (interface,) = instance["NetworkInterfaces"]
        machines[name] = interface["PrivateIpAddress"], interface["SubnetId"], interface["NetworkInterfaceId"]

    def passes(one: str, other: str, words: str) -> bool:
        """A packet's way from a machine, or from an address outside, to another: each list that it meets lets it by."""
        src, from_subnet, from_interface = machines.get(one, (one, "", ""))
        dst, to_subnet, to_interface = machines.get(other, (other, "", ""))
        met = [f"{from_interface} egress"] if from_interface else []
        if from_subnet != to_subnet:
            met += [f"{acl_of[from_subnet]} egress"] if from_subnet else []
            met += [f"{acl_of[to_subnet]} ingress"] if to_subnet else []
        met += [f"{to_interface} ingress"] if to_interface else []
        packet = words.format(src=src, dst=dst)
        return all(flat[name].evaluate(packet).action is ALLOW for name in met)

    told = (folder / "aws_mixed_all_vpcs_.txt").read_text().partition("VPC mixed\n")[2]
    row = re.compile(
        r"(.+?) => (.+?) : (?:All Connections|protocol: (TCP|UDP)(?: src-ports: (\S+))?(?: dst-ports: (\S+))?)"
    )
    known: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for one, other, protocol, src, dst in row.findall(told):
        names = tuple("147.235.9.9" if "Internet" in end else end.partition("[")[0] for end in (one, other))
        known.setdefault((names[0], names[1]), []).append((protocol, src or "0-65535", dst or "0-65535"))
    assert len(known) == 10
    ends = [*machines, "147.235.9.9"]
    tcp, udp = "tcp {{src}}:{0} -> {{dst}}:{1} flags syn", "udp {{src}}:{0} -> {{dst}}:{1}"
    checked = 0
    for one, other in product(ends, ends):
        reachable = one in ("p1", "p3") or other in ("p1", "p3")  # of the machines with an address outside
        if one == other or ("147.235.9.9" in (one, other) and not reachable):
            continue
        for protocol, src, dst in product(("TCP", "UDP"), (1000, 2000, 9080), (22, 1025, 5000, 5001, 9080)):
            expected = any(
                kind in ("", protocol) and _among(src, sources) and _among(dst, targets)
                for kind, sources, targets in known.get((one, other), ())
            )
            words = (tcp if protocol == "TCP" else udp).format(src, dst)
            assert passes(one, other, words) is expected, (one, other, protocol, src, dst)
            checked += 1
    assert checked > 500


def _among(port: int, ranges: str) -> bool:
    pairs = (part.partition("-") for part in ranges.split(","))
    return any(int(lo) <= port <= int(hi or lo) for lo, _, hi in pairs)


# Damage


def samples() -> list[str]:
    folder = ROOT / "rules" / "formats"
    texts = [(folder / name).read_text() for name in ("vpc.json", "plan.json")]
    return [*texts, *(json.dumps(json.loads(text)) for text in texts)]


def told(text: str) -> tuple[Diagnostic, ...]:
    """What a file is refused for."""
    try:
        read(text, "damaged.json")
    except PolicyError as error:
        return tuple(error.diagnostics)
    return ()


def refused_or_read(text: str) -> bool:
    """Is a file read? Else each error has a message and a place in it."""
    found = told(text)
    rows = text.split("\n")
    for d in found:
        assert d.message
        assert d.help
        assert 1 <= d.span.line <= len(rows)
        assert 1 <= d.span.column <= len(rows[d.span.line - 1]) + 1
    return not found


@pytest.mark.parametrize("sample", range(4))
def test_a_file_cut_anywhere_is_refused(sample: int) -> None:
    text = samples()[sample].rstrip()
    for at in range(0, len(text), 97):
        assert not refused_or_read(text[:at])


@pytest.mark.parametrize("sample", range(4))
def test_a_damaged_file_is_refused_or_read(sample: int) -> None:
    rng, text = random.Random(sample), samples()[sample]
    for _ in range(150):
        at = rng.randrange(len(text))
        put = rng.choice(('"', "{", "[", "}", "]", ",", ":", "null", "0", "-", "\\", "\u00e9", "\0", "9" * 30, "true"))
        refused_or_read(text[:at] + put + text[at + rng.randrange(3) :])


@pytest.mark.parametrize("sample", range(2))
def test_values_of_another_kind_are_refused_or_read(sample: int) -> None:
    """Each value in turn is something else."""
    text = samples()[sample]
    spots = [found.span() for found in re.finditer(r'(?<=: )("[^"\n]*"|-?\d+|true|false|null)', text)]
    rng = random.Random(sample)
    for begin, end in rng.sample(spots, min(len(spots), 50)):
        for put in ("null", "[]", "{}", "-1", '"x"', "true", "[null]", "[[]]", "1e9"):
            refused_or_read(text[:begin] + put + text[end:])
