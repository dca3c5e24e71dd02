"""A file of another kind is called by its name, in one message; a policy with mistakes keeps its errors."""

from __future__ import annotations

import pytest

from fwengine.errors import PolicyError
from fwengine.policy import loads

SAVE = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -j DROP\nCOMMIT\n"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (SAVE, "rules of iptables-save"),
        ("Chain INPUT (policy ACCEPT)\ntarget prot opt source destination\nACCEPT tcp -- 0.0.0.0/0 0.0.0.0/0\nDROP all -- a b\n",
         "a listing of `iptables -L`"),
        ("table inet filter {\n chain input {\n  type filter hook input priority 0; policy drop;\n  tcp dport 22 accept\n }\n}\n",
         "a rule set of nftables"),
        ('{"nftables": [{"metainfo": {"version": "1.0.6"}}]}', "a rule set of nftables in JSON"),
        ("hostname r1\nip access-list extended IN\n permit tcp any any eq 22\n deny ip any any\n", "a configuration of a Cisco device"),
        ("Extended IP access list 101\n 10 permit ip any any (12 matches)\n 20 deny ip any any\n 30 deny ip any any\n",
         "the output of `show access-lists`"),
        ("firewall {\n family inet {\n  filter x {\n   term a {\n    then accept;\n   }\n  }\n }\n}\n", "a configuration of Junos"),
        ("set skip on lo\nblock in all\npass in on em0 proto tcp to port 22\npass out all keep state\n", "rules of pf"),
        ("add 100 allow ip from any to any via lo0\nadd 200 deny ip from any to any\nadd 300 allow tcp from any to me\n", "rules of ipfw"),
        ("ufw default deny incoming\nufw allow 22/tcp\nufw allow from 10.0.0.0/8 to any port 53\n", "rules of ufw"),
        ("#!/bin/sh\niptables -F\niptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n", "a shell script that calls iptables"),
        ('{\n  "SecurityGroups": [\n    {"GroupId": "sg-1", "IpPermissions": []}\n  ]\n}\n', "a description of AWS"),
        ("<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "a page of HTML"),
        ('{\n "rules": [\n  {"action": "allow"}\n ]\n}\n', "a JSON document"),
    ],
)  # fmt: skip
def test_one_message_names_the_kind(text: str, title: str) -> None:
    with pytest.raises(PolicyError) as caught:
        loads(text, file="given")
    (only,) = caught.value.diagnostics
    assert (only.code, only.message) == ("FW007", f"this is {title}, not a policy")
    assert only.help


def test_a_policy_with_a_line_of_another_firewall_in_it_keeps_its_errors() -> None:
    good = "".join(f"allow tcp to 192.0.2.{n} port 443\n" for n in range(9))
    with pytest.raises(PolicyError) as caught:
        loads(good + "-A INPUT -p tcp --dport 22 -j ACCEPT\n")
    assert [d.span.line for d in caught.value.diagnostics] == [10]
    assert all(d.code != "FW007" for d in caught.value.diagnostics)
