"""`-m set` with the content that `ipset save` gives before the rules: packet by packet, against the kernel's rules for it."""

from __future__ import annotations

import pytest

import fwengine
from fwengine.errors import PolicyError
from fwengine.sources.foreign import Reading

SETS = """\
create hosts hash:ip family inet hashsize 1024 maxelem 65536
add hosts 10.0.0.5
add hosts 10.0.0.8-10.0.0.9 comment "two of them"
create masked hash:ip family inet netmask 24
add masked 10.3.0.0
create nets hash:net family inet counters
add nets 10.0.0.0/8 packets 5 bytes 100
add nets 10.0.0.0/24 nomatch
add nets 10.0.0.7
create web hash:ip,port family inet
add web 192.0.2.80,tcp:80
add web 192.0.2.80,53
add web 192.0.2.80,udp:53
add web 192.0.2.80,icmp:8/0
add web 192.0.2.80,gre:0
create netweb hash:net,port family inet
add netweb 192.0.2.0/24,tcp:8000-8080
add netweb 192.0.2.99,tcp:8000-8080
create triple hash:ip,port,ip family inet
add triple 10.0.0.5,tcp:22,192.0.2.80
create ports bitmap:port range 0-1023
add ports 22
add ports 80-81
create any list:set size 8
add any hosts
add any web
create six hash:net family inet6
add six 2001:db8::/32
create going hash:ip family inet timeout 300
add going 10.0.0.5 timeout 20
create cards hash:mac
add cards 00:11:22:33:44:55
create seen hash:ip family inet
"""
TCP, UDP = "tcp {}:40000 -> 192.0.2.80:{} flags syn", "udp {}:40000 -> 192.0.2.80:{}"


def verdict(match: str, packet: str, v6: bool = False, more: str = "") -> str:
    text = f"{SETS}*filter\n:FORWARD DROP [0:0]\n{more}-A FORWARD -m set {match} -j ACCEPT\nCOMMIT\n"
    policy = fwengine.loads(text, file="s", reading=Reading("ip6tables-save" if v6 else "iptables-save"))
    found = policy.evaluate(fwengine.Packet.parse(packet + " in none out none"))
    return {"allow": "yes", "deny": "no"}.get(str(found.action), "perhaps")


@pytest.mark.parametrize(
    ("match", "packet", "expected"),
    [
        ("--match-set hosts src", TCP.format("10.0.0.5", 80), "yes"),
        ("--match-set hosts src", TCP.format("10.0.0.9", 80), "yes"),
        ("--match-set hosts src", TCP.format("10.0.0.6", 80), "no"),
        ("--match-set hosts dst", TCP.format("10.0.0.5", 80), "no"),
        ("! --match-set hosts src", TCP.format("10.0.0.6", 80), "yes"),
        ("--match-set hosts src,dst", TCP.format("10.0.0.5", 80), "yes"),  # what is more than its parts counts for nothing
        ("--match-set masked src", TCP.format("10.3.0.77", 80), "yes"),
        ("--match-set nets src", TCP.format("10.9.0.5", 80), "yes"),
        ("--match-set nets src", TCP.format("10.0.0.5", 80), "no"),  # the longer one says that it does not
        ("--match-set nets src", TCP.format("10.0.0.7", 80), "yes"),  # and a longer one yet that it does
        ("! --match-set nets src", TCP.format("10.0.0.5", 80), "yes"),
        ("--match-set web dst,dst", TCP.format("10.0.0.5", 80), "yes"),
        ("--match-set web dst,dst", TCP.format("10.0.0.5", 53), "yes"),  # a port alone is tcp's
        ("--match-set web dst,dst", UDP.format("10.0.0.5", 80), "no"),
        ("--match-set web dst,src", TCP.format("10.0.0.5", 80), "no"),
        ("--match-set web dst", TCP.format("10.0.0.5", 80), "no"),  # fewer directions than parts
        ("! --match-set web dst", TCP.format("10.0.0.5", 80), "yes"),
        ("--match-set web dst,dst", "icmp 10.0.0.5 -> 192.0.2.80 type 8 code 0", "yes"),
        ("--match-set web dst,dst", "icmp 10.0.0.5 -> 192.0.2.80 type 8 code 1", "no"),
        ("--match-set web dst,dst", "gre 10.0.0.5 -> 192.0.2.80", "yes"),
        ("--match-set web dst,dst", "tcp 10.0.0.5 -> 192.0.2.80 fragment later", "no"),
        ("! --match-set web dst,dst", "tcp 10.0.0.5 -> 192.0.2.80 fragment later", "yes"),
        ("! --match-set web dst,dst", TCP.format("10.0.0.5", 81), "yes"),
        ("! --match-set web dst,dst", TCP.format("10.0.0.5", 80), "no"),
        ("--match-set netweb dst,dst", TCP.format("10.0.0.5", 8080), "yes"),
        ("--match-set netweb dst,dst", TCP.format("10.0.0.5", 8081), "no"),
        ("--match-set triple src,dst,dst", TCP.format("10.0.0.5", 22), "yes"),
        ("--match-set triple src,dst,dst", TCP.format("10.0.0.6", 22), "no"),
        ("--match-set ports dst", TCP.format("10.0.0.6", 81), "yes"),
        ("--match-set ports dst", UDP.format("10.0.0.6", 22), "yes"),
        ("--match-set ports dst", "sctp 10.0.0.5:1 -> 192.0.2.80:22", "no"),  # it looks at tcp and udp alone
        ("--match-set any dst,dst", TCP.format("10.0.0.6", 80), "yes"),
        ("--match-set any src,src", TCP.format("10.0.0.5", 9), "yes"),
        ("--match-set any src", TCP.format("10.0.0.6", 9), "no"),
        ("--match-set six src", TCP.format("10.0.0.6", 9), "no"),  # of the other family
        ("--match-set going src", TCP.format("10.0.0.5", 9), "perhaps"),
        ("--match-set cards src", TCP.format("10.0.0.5", 9), "perhaps"),
        ("--match-set hosts src --return-nomatch", TCP.format("10.0.0.5", 9), "perhaps"),
        ("--match-set hosts src --packets-gt 5", TCP.format("10.0.0.5", 9), "perhaps"),
        ("--match-set hosts src ! --update-counters", TCP.format("10.0.0.5", 9), "yes"),
    ],
)  # fmt: skip
def test_a_set_selects_what_the_kernel_selects(match: str, packet: str, expected: str) -> None:
    assert verdict(match, packet) == expected


def test_sets_of_ipv6() -> None:
    packet = "tcp [2001:db8::5]:1 -> [2001:db9::1]:22 flags syn"
    assert verdict("--match-set six src", packet, v6=True) == "yes"
    assert verdict("--match-set six dst", packet, v6=True) == "no"
    assert verdict("--match-set nets dst", packet, v6=True) == "no"


def test_a_set_that_rules_change_is_in_doubt() -> None:
    assert verdict("--match-set seen src", TCP.format("10.0.0.5", 9)) == "no"
    more = "-A FORWARD -p udp -j SET --add-set seen src\n"
    assert verdict("--match-set seen src", TCP.format("10.0.0.5", 9), more=more) == "perhaps"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("add nothing 10.0.0.5", "is not created above"),
        ("create odd hash:what", "not a type of sets"),
        ("create hosts hash:ip", "created twice"),
        ("add hosts 10.0.0.999", "not an address"),
        ("add hosts 2001:db8::1", "not of IPv4"),
        ("add web 192.0.2.80", "has 2 parts"),
        ("add web 192.0.2.80,tpc:80", "not a protocol"),
        ("add web 192.0.2.80,tcp:80-22", "is reversed"),
        ("add hosts 10.0.0.5 sometimes", "not an option of ipset"),
        ('add hosts 10.0.0.5 comment "half', "no end"),
        ("add any any", "is a list of sets itself"),
        ("create x", "not a line of `ipset save`"),
        ("swap a b", "outside a table"),
    ],
)
def test_lines_that_are_refused(line: str, said: str) -> None:
    text = f"{SETS}{line}\n*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m set --match-set hosts src -j ACCEPT\nCOMMIT\n"
    with pytest.raises(PolicyError) as caught:
        fwengine.loads(text, file="s")
    (told,) = caught.value.diagnostics
    assert said in told.message
    assert told.span.line == SETS.count("\n") + 1


def test_a_set_that_is_not_there_is_refused_where_others_are() -> None:
    with pytest.raises(PolicyError, match="there is no set `host`"):
        verdict("--match-set host src", TCP.format("10.0.0.5", 9))
