"""AWS's network ACLs and security groups, as `aws ec2 describe-…` prints them: what an entry matches, what is refused, and where."""

from __future__ import annotations

import json
from typing import Any

import pytest

import fwengine
from fwengine.errors import PolicyError
from fwengine.policy import load_all
from fwengine.sources.foreign import Reading
from fwengine.sources.source import from_text

TCP = "tcp 10.1.0.5:40000 -> 192.0.2.80:443 flags syn"
UDP = "udp 10.1.0.5:53 -> 192.0.2.80:53"
PING = "icmp 10.1.0.5 -> 192.0.2.80 type 8 code 0"
LATER = "tcp 10.1.0.5 -> 192.0.2.80 fragment later"
TCP6 = "tcp [2001:db8::1]:40000 -> [2001:db8::2]:443 flags syn"
PING6 = "icmpv6 2001:db8::1 -> 2001:db8::2 type 128 code 0"
WEB = {"From": 443, "To": 443}
ALL = {"Protocol": "-1", "CidrBlock": "0.0.0.0/0"}


def acl(*entries: dict[str, Any], **more: Any) -> str:
    """An ACL with entries of both directions; those without a number are numbered."""
    made = [{"Egress": False, "RuleAction": "allow", "RuleNumber": 10 * (n + 1), **e} for n, e in enumerate(entries)]
    return json.dumps({"NetworkAcls": [{"NetworkAclId": "acl-1", "Entries": made, **more}]}, indent=4)


def group(*permissions: dict[str, Any], egress: tuple[dict[str, Any], ...] = (), **more: Any) -> str:
    made = {"GroupId": "sg-1", "IpPermissions": list(permissions), "IpPermissionsEgress": list(egress)}
    return json.dumps({"SecurityGroups": [made], **more}, indent=4)


def fate(text: str, packet: str, policy: str) -> str:
    found = fwengine.loads(text, file="vpc.json", reading=Reading(policy=policy))
    return str(found.evaluate(fwengine.Packet.parse(packet)).action)


@pytest.mark.parametrize(
    ("entry", "packet", "expected"),
    [
        (ALL, TCP, "allow"),
        (ALL, TCP6, "deny"),
        ({"Protocol": "-1", "Ipv6CidrBlock": "::/0"}, TCP6, "allow"),
        ({"Protocol": "-1", "Ipv6CidrBlock": "::/0"}, TCP, "deny"),
        ({**ALL, "Protocol": "6", "PortRange": WEB}, TCP, "allow"),
        ({**ALL, "Protocol": "17", "PortRange": WEB}, TCP, "deny"),
        ({**ALL, "Protocol": "6", "PortRange": {"From": 80, "To": 442}}, TCP, "deny"),
        ({**ALL, "Protocol": "tcp", "PortRange": WEB}, TCP, "allow"),
        ({**ALL, "Protocol": 6, "PortRange": WEB}, TCP, "allow"),
        ({**ALL, "CidrBlock": "10.1.0.0/16"}, TCP, "allow"),
        ({**ALL, "CidrBlock": "10.1.0.9/24"}, TCP, "allow"),  # AWS drops the host bits
        ({**ALL, "CidrBlock": "10.2.0.0/16"}, TCP, "deny"),
        ({**ALL, "Protocol": "6", "PortRange": WEB}, LATER, "depends"),
        ({**ALL, "Protocol": "6", "PortRange": {"From": 0, "To": 65535}}, LATER, "allow"),
        ({**ALL, "Protocol": "1", "IcmpTypeCode": {"Type": 8, "Code": -1}}, PING, "allow"),
        ({**ALL, "Protocol": "1", "IcmpTypeCode": {"Type": 8, "Code": 1}}, PING, "deny"),
        ({**ALL, "Protocol": "1", "IcmpTypeCode": {"Type": -1, "Code": -1}}, PING, "allow"),
        ({"Protocol": "58", "Ipv6CidrBlock": "::/0", "IcmpTypeCode": {"Type": 128, "Code": 0}}, PING6, "allow"),
        ({"Protocol": "58", "Ipv6CidrBlock": "::/0", "IcmpTypeCode": {"Type": 129, "Code": 0}}, PING6, "deny"),
        (
            {**ALL, "Protocol": "132", "PortRange": WEB},
            "sctp 10.1.0.5:1 -> 192.0.2.80:80",
            "allow",
        ),  # ports: not looked at
        ({**ALL, "PortRange": WEB}, UDP, "allow"),
        ({**ALL, "Protocol": "47"}, "47 10.1.0.5 -> 192.0.2.80", "allow"),
        ({**ALL, "RuleAction": "deny"}, TCP, "deny"),
        ({**ALL, "Egress": True}, TCP, "deny"),
    ],
)
def test_entries_of_an_acl(entry: dict[str, Any], packet: str, expected: str) -> None:
    assert fate(acl(entry), packet, "acl-1 ingress") == expected


def test_an_acl_goes_by_its_numbers_each_direction_by_itself_and_knows_no_connections() -> None:
    text = acl({**ALL, "RuleNumber": 200}, {**ALL, "RuleNumber": 100, "RuleAction": "deny", "CidrBlock": "10.1.0.0/16"},
               {**ALL, "RuleNumber": 100, "Egress": True, "CidrBlock": "192.0.2.0/24"})  # fmt: skip
    assert fate(text, TCP, "acl-1 ingress") == "deny"
    assert fate(text, TCP.replace("10.1.0.5", "10.2.0.5"), "acl-1 ingress") == "allow"
    assert fate(text, TCP, "acl-1 egress") == "allow"  # by where it goes
    assert fate(text, TCP.replace("192.0.2.80", "192.0.3.80"), "acl-1 egress") == "deny"
    assert fate(acl(), f"{TCP} state established", "acl-1 ingress") == "deny"


def permission(protocol: str, first: int | None = None, last: int | None = None, **sources: Any) -> dict[str, Any]:
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": last, **sources}


ANY: dict[str, Any] = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.mark.parametrize(
    ("rule", "packet", "expected"),
    [
        (permission("tcp", 443, 443, **ANY), TCP, "allow"),
        (permission("tcp", 443, 443, **ANY), f"{TCP} state invalid", "allow"),
        (permission("tcp", 444, 450, **ANY), TCP, "deny"),
        (permission("tcp", 444, 450, **ANY), f"{TCP} state established", "allow"),
        (permission("tcp", 444, 450, **ANY), f"{UDP} state related", "allow"),
        (permission("tcp", 443, 443, **ANY), LATER, "depends"),
        (permission("-1", **ANY), TCP, "allow"),
        (permission("-1", **ANY), TCP6, "deny"),
        (permission("-1", Ipv6Ranges=[{"CidrIpv6": "2001:db8::/32"}]), TCP6, "allow"),
        (permission("icmp", 8, -1, **ANY), PING, "allow"),
        (permission("icmp", 3, -1, **ANY), PING, "deny"),
        (permission("icmp", -1, -1, **ANY), PING, "allow"),
        (permission("icmpv6", Ipv6Ranges=[{"CidrIpv6": "::/0"}]), PING6, "allow"),
        (permission("132", 443, 443, **ANY), "sctp 10.1.0.5:1 -> 192.0.2.80:80", "allow"),
        (permission("tcp", 443, 443), TCP, "deny"),
        (permission("tcp", 443, 443, UserIdGroupPairs=[{"GroupId": "sg-2"}]), TCP, "depends"),
        (permission("tcp", 443, 443, UserIdGroupPairs=[{"GroupId": "sg-1"}]), TCP, "depends"),  # the group itself
        (permission("tcp", 443, 443, UserIdGroupPairs=[{"GroupId": "sg-2"}]), UDP, "deny"),
        (permission("tcp", 443, 443, PrefixListIds=[{"PrefixListId": "pl-2"}]), TCP, "depends"),
    ],
)
def test_rules_of_a_group(rule: dict[str, Any], packet: str, expected: str) -> None:
    assert fate(group(rule), packet, "sg-1 ingress") == expected
    assert fate(group(egress=(rule,)), packet, "sg-1 egress") == expected


def test_what_the_text_says_of_references_is_known() -> None:
    rule = permission("tcp", 443, 443, PrefixListIds=[{"PrefixListId": "pl-2"}])
    for cidrs, expected in ((["10.1.0.0/16", "2001:db8::/32"], "allow"), (["10.2.0.0/16"], "deny")):
        text = group(rule, PrefixLists=[{"PrefixListId": "pl-2", "Cidrs": cidrs}])
        assert fate(text, TCP, "sg-1 ingress") == expected
    rule = permission("tcp", 443, 443, UserIdGroupPairs=[{"GroupId": "sg-2"}])
    for own, expected in (("10.1.0.5", "allow"), ("10.1.0.6", "deny")):
        interface = {"NetworkInterfaceId": "eni-1", "PrivateIpAddresses": [{"PrivateIpAddress": own}],
                     "Groups": [{"GroupId": "sg-2"}]}  # fmt: skip
        assert fate(group(rule, NetworkInterfaces=[interface]), TCP, "sg-1 ingress") == expected
    far = permission("tcp", 443, 443, UserIdGroupPairs=[{"GroupId": "sg-2", "VpcPeeringConnectionId": "pcx-1"}])
    assert fate(group(far, NetworkInterfaces=[interface]), TCP, "sg-1 ingress") == "depends"


def test_an_interface_has_the_rules_of_all_its_groups() -> None:
    groups = [
        {"GroupId": f"sg-{n}", "IpPermissions": [permission("tcp", port, port, **ANY)], "IpPermissionsEgress": []}
        for n, port in ((1, 443), (2, 22))
    ]
    interface = {"NetworkInterfaceId": "eni-1", "Groups": [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]}
    text = json.dumps({"SecurityGroups": groups, "NetworkInterfaces": [interface]}, indent=1)
    ssh, telnet = TCP.replace(":443", ":22"), TCP.replace(":443", ":23")
    for policy, expected in (
        ("sg-1 ingress", ("allow", "deny", "deny")),
        ("sg-2 ingress", ("deny", "allow", "deny")),
        ("eni-1 ingress", ("allow", "allow", "deny")),
    ):
        assert tuple(fate(text, packet, policy) for packet in (TCP, ssh, telnet)) == expected
    assert fate(text, f"{telnet} state established", "eni-1 ingress") == "allow"
    text = json.dumps({"SecurityGroups": groups[:1], "NetworkInterfaces": [interface]})  # of the other nothing is known
    assert (fate(text, TCP, "eni-1 ingress"), fate(text, telnet, "eni-1 ingress")) == ("allow", "depends")


def test_rules_one_by_one() -> None:
    rule = {"GroupId": "sg-1", "IsEgress": False, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    rules = [
        {**rule, "SecurityGroupRuleId": "sgr-1", "CidrIpv4": "10.1.0.0/16"},
        {
            **rule,
            "SecurityGroupRuleId": "sgr-2",
            "ReferencedGroupInfo": {"GroupId": "sg-2", "UserId": "1"},
            "IsEgress": True,
        },
        {**rule, "SecurityGroupRuleId": "sgr-3", "PrefixListId": "pl-1", "GroupId": "sg-9"},
    ]
    text = json.dumps({"SecurityGroupRules": rules})
    found = load_all(from_text(text, "rules.json"))
    assert [policy.name for policy in found] == [
        f"rules.json:{name}" for name in ("sg-1 ingress", "sg-1 egress", "sg-9 ingress", "sg-9 egress")
    ]
    assert [str(policy.evaluate(TCP).action) for policy in found] == ["allow", "depends", "depends", "deny"]
    assert found[0].evaluate(TCP).by == "sgr-1"


def test_answers_name_the_line_of_the_rule() -> None:
    text = acl({**ALL, "Protocol": "6", "PortRange": WEB}, {**ALL, "RuleAction": "deny"})
    found = fwengine.loads(text, file="vpc.json", reading=Reading(policy="acl-1 ingress"))
    for packet, name in ((TCP, "rule-10"), (UDP, "rule-20")):
        verdict = found.evaluate(packet)
        assert verdict.rule is not None
        line = text.split("\n")[verdict.rule.span.line - 1]
        assert (verdict.by, line.strip()) == (name, f'"RuleNumber": {name.removeprefix("rule-")},')


def test_ports_that_are_not_looked_at_are_told() -> None:
    found = fwengine.loads(acl({**ALL, "Protocol": "132", "PortRange": WEB}), file="vpc.json",
                           reading=Reading(policy="acl-1 ingress"))  # fmt: skip
    assert [(d.code, d.severity) for d in found.remarks] == [("FW480", "warning")]


def test_where_lists_are_applied_is_kept() -> None:
    found = fwengine.loads(acl(ALL, Associations=[{"SubnetId": "subnet-7"}]), reading=Reading(policy="acl-1 egress"))
    assert found.imported is not None
    assert [(name, where) for name, where, _ in found.imported.document.applied] == [
        ("acl-1 ingress", "to subnet-7"), ("acl-1 egress", "to subnet-7"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (acl({**ALL, "Protocol": "tcpp"}), "FW403", '"Protocol": "tcpp"'),
        (acl({**ALL, "Protocol": "256"}), "FW403", '"Protocol": "256"'),
        (acl({**ALL, "Protocol": "6", "PortRange": {"From": 443, "To": 80}}), "FW403", '"PortRange": {'),
        (acl({**ALL, "Protocol": "6", "PortRange": {"From": 1, "To": 65536}}), "FW403", '"PortRange": {'),
        (acl({**ALL, "Protocol": "6"}), "FW406", "{"),
        (acl({**ALL, "Protocol": "6", "PortRange": "443"}), "FW406", '"PortRange": "443"'),
        (acl({**ALL, "Protocol": "1", "IcmpTypeCode": {"Type": -1, "Code": 3}}), "FW403", '"IcmpTypeCode": {'),
        (acl({**ALL, "CidrBlock": "10.0.0.0/33"}), "FW403", '"CidrBlock": "10.0.0.0/33"'),
        (acl({**ALL, "CidrBlock": "web.example"}), "FW403", '"CidrBlock": "web.example"'),
        (acl({**ALL, "CidrBlock": "::/0"}), "FW403", '"CidrBlock": "::/0"'),
        (acl({**ALL, "CidrBlock": 5}), "FW406", '"CidrBlock": 5'),
        (acl({"Protocol": "-1"}), "FW406", "{"),
        (acl({**ALL, "Ipv6CidrBlock": "::/0"}), "FW406", '"CidrBlock": "0.0.0.0/0",'),
        (acl({**ALL, "RuleAction": "pass"}), "FW403", '"RuleAction": "pass"'),
        (acl({**ALL, "RuleNumber": "100"}), "FW406", '"RuleNumber": "100"'),
        (acl({**ALL, "RuleNumber": 0}), "FW403", '"RuleNumber": 0'),
        (acl({**ALL, "RuleNumber": 32767}), "FW403", '"RuleNumber": 32767'),  # the end allows nothing
        (acl({**ALL, "RuleNumber": 5}, {**ALL, "RuleNumber": 5}), "FW403", '"RuleNumber": 5'),
        (acl({**ALL, "Egress": None}), "FW406", '"Egress": null'),
        (group(permission("icmp", 8, **ANY)), "FW406", '"FromPort": 8'),
        (acl({**ALL, "Egress": "yes"}), "FW406", '"Egress": "yes"'),
        (group(permission("tcp", 80, 22, **ANY)), "FW403", '"FromPort": 80'),
        (group(permission("tcp", **ANY)), "FW406", '"FromPort": null'),
        (group(permission("tcp", 1, 2, IpRanges=["10.0.0.0/8"])), "FW406", '"10.0.0.0/8"'),
        (group(permission("tcp", 1, 2, IpRanges={"CidrIp": "10.0.0.0/8"})), "FW406", '"IpRanges": {'),
        (json.dumps({"SecurityGroups": [{"GroupId": "sg-1", "GroupName": "x"}]}), "FW406", '{"SecurityGroups"'),
        (json.dumps({"SecurityGroups": [], "NextToken": "x"}), "FW406", '{"SecurityGroups"'),
        (json.dumps({"SecurityGroups": []}), "FW407", '{"SecurityGroups"'),
        (json.dumps({"RouteTables": [{"RouteTableId": "rtb-1"}]}), "FW407", '{"RouteTables"'),
        (json.dumps({"NetworkAcls": [5]}), "FW406", '{"NetworkAcls"'),
        ('{"NetworkAcls": [], "NetworkAcls": []}', "FW406", '{"NetworkAcls"'),
        ('{\n"NetworkAcls": [\n{"NetworkAclId": "acl-1",\n', "FW406", ""),
        ('{"NetworkAcls": []}\n{"SecurityGroups": []}', "FW406", '{"SecurityGroups"'),
        ("NETWORKACLS\tFalse\tacl-1\nENTRIES\t0.0.0.0/0\n", "FW401", "NETWORKACLS"),
        ("[" * 5000, "FW406", "["),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_its_line(text: str, code: str, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        fwengine.loads(text, file="vpc.json", reading=Reading("aws"))
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert found.help
    line = text.split("\n")[found.span.line - 1]
    assert line.strip().startswith(words)


def test_every_error_of_a_file_is_told_at_once() -> None:
    with pytest.raises(PolicyError) as caught:
        fwengine.loads(acl({**ALL, "Protocol": "x"}, {**ALL, "CidrBlock": "y"}, ALL), reading=Reading("aws"))
    assert len(caught.value.diagnostics) == 2
