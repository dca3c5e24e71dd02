"""iptables-save: what each match selects, what is in doubt, how chains are read, and what is refused with its line."""

from __future__ import annotations

import pytest
from support.points import point_of

import fwengine
from fwengine.errors import PolicyError
from fwengine.formats.chains import hits, possible
from fwengine.formats.iptables.reader import is_v6, read
from fwengine.model.rules import ALLOW, DENY

TCP, UDP, PING = (
    "tcp 10.1.0.5:40000 -> 192.0.2.80:443 flags syn",
    "udp 10.1.0.5:53 -> 192.0.2.80:53",
    "icmp 10.1.0.5 -> 192.0.2.80 type 8 code 0",
)
LATER = "tcp 10.1.0.5 -> 192.0.2.80 fragment later"
PING6 = "icmpv6 2001:db8::1 -> 2001:db8::2 type 128 code 0"


def filter_table(*rules: str) -> str:
    return "\n".join(["*filter", ":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", ":other - [0:0]", *rules, "COMMIT", ""])


def hit(options: str, packet: str) -> str:
    """Does the one rule match the packet: `yes`, `no`, or `perhaps`?"""
    six = "2001:db8" in packet
    document = read(filter_table(f"-A FORWARD {options} -j ACCEPT"), "x", v6=six)
    told = packet + ("" if " in " in packet else " in none") + ("" if " out " in packet else " out none")
    point = point_of(fwengine.Packet.parse(told))
    found = hits(document.chains.chains["FORWARD"].lines[-1], point)
    return "perhaps" if len(found) == 2 else "yes" if found == {True} else "no"


@pytest.mark.parametrize(
    ("options", "packet", "expected"),
    [
        ("", TCP, "yes"),
        ("-s 10.1.0.0/16 -d 192.0.2.80", TCP, "yes"),
        ("-s 10.1.0.0/255.255.0.0", TCP, "yes"),
        ("-s 10.0.0.5/255.0.0.255", TCP, "yes"),
        ("-s 10.0.0.4/255.0.0.255", TCP, "no"),
        ("! -s 10.1.0.0/16", TCP, "no"),
        ("-s ! 10.1.0.0/16", TCP, "no"),
        ("-s 172.16.0.0/12,10.1.0.5", TCP, "yes"),
        ("-p tcp", TCP, "yes"),
        ("-p 6", TCP, "yes"),
        ("! -p tcp", TCP, "no"),
        ("! -p udp", TCP, "yes"),
        ("-p ipencap", "4 10.1.0.5 -> 192.0.2.80", "yes"),
        ("-p ipip", "4 10.1.0.5 -> 192.0.2.80", "no"),
        ("-p ipip", "94 10.1.0.5 -> 192.0.2.80", "yes"),
        ("-p tcp --dport 443", TCP, "yes"),
        ("-p tcp -m tcp --dport 400:500", TCP, "yes"),
        ("-p tcp -m tcp --dport :442", TCP, "no"),
        ("-p tcp -m tcp --sport 40000:", TCP, "yes"),
        ("-p tcp -m tcp ! --dport 443", TCP, "no"),
        ("-p tcp", LATER, "yes"),
        ("-p tcp -m tcp", LATER, "no"),
        ("-p tcp -m tcp ! --dport 1", LATER, "no"),
        ("-p tcp -m multiport ! --dports 1,2", LATER, "no"),
        ("-p udp -m udp --dport 60:29", UDP, "no"),
        ("-p udp -m udp ! --dport 60:29", UDP, "yes"),
        ("-p tcp -m multiport --dports 80,443", TCP, "yes"),
        ("-p tcp -m multiport --sports 1:39999,40001", TCP, "no"),
        ("-p tcp -m multiport --ports 443", TCP, "yes"),
        ("-p tcp -m multiport --ports 40000", TCP, "yes"),
        ("-p tcp -m multiport ! --ports 40000", TCP, "no"),
        ("-p tcp -m multiport --ports 1,2", TCP, "no"),
        ("-p tcp --syn", TCP, "yes"),
        ("-p tcp --syn", TCP.replace("syn", "syn,ack"), "no"),
        ("-p tcp --syn", TCP.replace("syn", "syn,psh"), "yes"),
        ("-p tcp -m tcp --tcp-flags ALL SYN", TCP.replace("syn", "syn,cwr"), "yes"),
        ("-p tcp -m tcp --tcp-flags SYN,ACK NONE", TCP, "no"),
        ("-p tcp -m tcp ! --tcp-flags SYN,RST SYN", TCP, "no"),
        ("-p icmp", PING, "yes"),
        ("-p icmp -m icmp --icmp-type 8", PING, "yes"),
        ("-p icmp -m icmp --icmp-type echo-request", PING, "yes"),
        ("-p icmp -m icmp --icmp-type 255", PING, "yes"),
        ("-p icmp -m icmp ! --icmp-type any", PING, "no"),
        ("-p icmp -m icmp ! --icmp-type 3/4", "icmp 10.1.0.5 -> 192.0.2.80 type 3 code 4", "no"),
        ("-p icmp -m icmp ! --icmp-type 3/4", "icmp 10.1.0.5 -> 192.0.2.80 type 3 code 1", "yes"),
        ("-p ipv6-icmp -m icmp6 --icmpv6-type 128", PING6, "yes"),
        ("-p ipv6-icmp -m icmp6 --icmpv6-type redirect", PING6, "no"),
        ("-f", LATER, "yes"),
        ("! -f", LATER, "no"),
        ("-i eth0", TCP + " in eth0", "yes"),
        ("-i eth+", TCP + " in eth12", "yes"),
        ("-i eth+", TCP + " in eth", "yes"),
        ("-i eth+", TCP + " in wlan0", "no"),
        ("! -o eth9", TCP, "yes"),
        ("! -o eth9", TCP + " out eth9", "no"),
        ("-o +", TCP, "yes"),
        ("-m state --state NEW,ESTABLISHED", TCP, "yes"),
        ("-m conntrack --ctstate RELATED,", TCP, "no"),
        ("-m conntrack ! --ctstate INVALID", TCP, "yes"),
        ("-m conntrack --ctstate DNAT", TCP, "perhaps"),
        ("-m conntrack --ctstate NEW,DNAT", TCP, "yes"),
        ("-m conntrack --ctstate DNAT", TCP + " state invalid", "no"),
        ("-m conntrack ! --ctstate DNAT", TCP + " state untracked", "yes"),
        ("-m conntrack ! --ctstate NEW,DNAT", TCP, "no"),
        ("-m state --state NEW -m state --state ESTABLISHED", TCP, "no"),
        ("-m iprange --src-range 10.1.0.1-10.1.0.9", TCP, "yes"),
        ("-m iprange ! --src-range 10.1.0.1-10.1.0.9", TCP, "no"),
        ('-m comment --comment "a \\"b\\" -j DROP"', TCP, "yes"),
        ("-m limit --limit 3/min --limit-burst 5", TCP, "perhaps"),
        ("-s 172.16.0.0/12 -m limit --limit 3/min", TCP, "no"),
        ("-m mac --mac-source 00:11:22:33:44:55 -p tcp --dport 443", TCP, "perhaps"),
        ('-m string --algo bm --string "-p udp"', TCP, "perhaps"),
        ("-p sctp -m sctp --dport 443 --chunk-types any DATA", "sctp 10.1.0.5:1 -> 192.0.2.80:443", "perhaps"),
        ("-m set --match-set blocked src", TCP, "perhaps"),
        ("", "tcp [2001:db8::1]:1 -> [2001:db8::2]:443 flags syn", "yes"),
    ],
)  # fmt: skip
def test_matches(options: str, packet: str, expected: str) -> None:
    assert hit(options, packet) == expected


def test_a_rule_of_one_family_says_nothing_of_the_other() -> None:
    """What IPv6 packets get is what other rules say: in doubt, whatever stands here."""
    chains = read(filter_table("-A FORWARD -j ACCEPT"), "x").chains
    four, six = (
        point_of(fwengine.Packet.parse(p + " in none out none"))
        for p in (TCP, "tcp [2001:db8::1]:1 -> [2001:db8::2]:443 flags syn")
    )
    assert possible(chains, "FORWARD", four) == {ALLOW}
    assert possible(chains, "FORWARD", six) == {ALLOW, DENY}


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (["-A FORWARD -j other", "-A other -j ACCEPT"], ALLOW),
        (["-A FORWARD -j other", "-A other -j RETURN", "-A other -j ACCEPT"], DENY),
        (["-A FORWARD -g other", "-A FORWARD -j ACCEPT", "-A other -p udp -j DROP"], DENY),
        (["-A FORWARD -j LOG --log-prefix \"x -j DROP \" --log-level 4", "-A FORWARD -j ACCEPT"], ALLOW),
        (["-A FORWARD -j REJECT --reject-with icmp-port-unreachable", "-A FORWARD -j ACCEPT"], DENY),
        (["-A FORWARD -j ACCEPT -p udp", "-A FORWARD -p tcp"], DENY),
        (["-A FORWARD -j DROP", "-I FORWARD -j ACCEPT"], ALLOW),
        (["-A FORWARD -j DROP", "-A FORWARD -j DROP", "-I FORWARD 2 -j ACCEPT"], DENY),
        (["[12:3456] -A FORWARD -p tcp -c 1 2 -j ACCEPT"], ALLOW),
        (["-P FORWARD ACCEPT"], ALLOW),
        (["-N 'odd(name", "-A 'odd(name -j ACCEPT", "-A FORWARD -j 'odd(name"], ALLOW),
    ],
)  # fmt: skip
def test_chains(rows: list[str], verdict: fwengine.Action) -> None:
    point = point_of(fwengine.Packet.parse(TCP + " in none out none"))
    assert possible(read(filter_table(*rows), "x").chains, "FORWARD", point) == {verdict}


def test_several_tables_and_the_last_filter_counts() -> None:
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j DNAT --to-destination 10.0.0.1\nCOMMIT\n"
        + filter_table("-A FORWARD -j ACCEPT")
        + filter_table("-A FORWARD -p udp -j ACCEPT")
    )
    document = read(text, "x")
    assert [(d.code, d.severity) for d in document.remarks] == [("FW451", "warning"), ("FW452", "info")]
    assert document.statements == {"ignored": 1, "exact": 1}


def test_the_family_is_found_out() -> None:
    assert is_v6("# Generated by ip6tables-save v1.8\n*filter\n:INPUT ACCEPT\nCOMMIT\n")
    assert is_v6("*filter\n-A INPUT -s 2001:db8::/32 -j ACCEPT\nCOMMIT\n")
    assert not is_v6("*filter\n-A INPUT -s 10.0.0.0/8 -j ACCEPT\nCOMMIT\n")
    assert not is_v6("*filter\n:INPUT ACCEPT\nCOMMIT\n")


@pytest.mark.parametrize(
    ("rows", "code", "line", "said"),
    [
        (["-A FORWARD -p tcp --dprt 80 -j ACCEPT"], "FW402", 5, "`--dprt` is not an option"),
        (["-A FORWARD -m tpc --dport 80 -j ACCEPT"], "FW402", 5, "`tpc` is not a match module"),
        (["-A FORWARD -p tcp --dport 66000 -j ACCEPT"], "FW403", 5, "`66000` is not a port"),
        (["-A FORWARD -p tcp --dport 80:22 -j ACCEPT"], "FW403", 5, "reversed"),
        (["-A FORWARD -p tpc -j ACCEPT"], "FW403", 5, "`tpc` is not a protocol"),
        (["-A FORWARD -s web.example -j ACCEPT"], "FW403", 5, "`web.example` is not an address"),
        (["-A FORWARD -s 010.0.0.1 -j ACCEPT"], "FW403", 5, "leading zeros"),
        (["-A FORWARD -s 10.0.0.0/33 -j ACCEPT"], "FW403", 5, "not a prefix length"),
        (["-A FORWARD -s 2001:db8::/32 -d 10.0.0.1 -j ACCEPT", "-A FORWARD -d 10.0.0.2"], "FW403", 5, "not of IPv4"),
        (["-A FORWARD -j ACEPT"], "FW404", 5, "neither a chain of this table nor a known target"),
        (["-A nowhere -j ACCEPT"], "FW404", 5, "chain `nowhere` is not declared"),
        (["-A FORWARD -j DNAT --to-destination 10.0.0.1"], "FW402", 5, "translates addresses"),
        (["-A other -j other"], "FW405", 5, "in a circle"),
        (["-A FORWARD -p tcp -m comment --comment \"half"], "FW406", 5, "no end"),
        (["-A FORWARD -p"], "FW402", 5, "lacks a protocol"),
        (["-D FORWARD -j ACCEPT"], "FW402", 5, "`-D` is not understood"),
        (["-A FORWARD ! -j"], "FW402", 5, "lacks a target"),
        (["-A FORWARD -p tcp --tcp-flags SYN,FOO SYN -j DROP"], "FW403", 5, "`FOO` is not a TCP flag"),
        (["x" * 70_000], "FW406", 5, "characters"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_at_its_word(rows: list[str], code: str, line: int, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read(filter_table(*rows), "dump")
    first = caught.value.diagnostics[0]
    assert (first.code, first.span.line, first.span.file) == (code, line, "dump")
    assert said in first.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\n", "no COMMIT"),
        ("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n", "no filter table: only `nat`"),
        ("COMMIT\n", "ends no table"),
        ("*filter\n:INPUT ACEPT [0:0]\nCOMMIT\n", "is ACCEPT, DROP or `-`"),
        ("-A INPUT -j DROP -p\n", "lacks a protocol"),
    ],
)
def test_half_a_file(text: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        read(text, "dump")


def test_rules_as_programs_print_them_need_no_table() -> None:
    document = read("-P INPUT DROP\n-N ssh\n-A INPUT -j ssh\n-A ssh -p tcp --dport 22 -j ACCEPT\n", "x")
    assert [d.code for d in document.remarks] == ["FW453"]
    assert list(document.policies) == ["INPUT"]


def test_cut_at_every_byte_it_is_read_or_refused() -> None:
    """A prefix of a dump never means less than it says without an error: only whole files are read."""
    text = filter_table('-A FORWARD -p tcp -m comment --comment "x y" -m tcp --dport 22 -j ACCEPT')
    for end in range(len(text) - len("COMMIT\n")):
        with pytest.raises(PolicyError):
            read(text[:end], "dump")


@pytest.mark.parametrize(
    ("match", "v6", "packet", "holds"),
    [
        ("-m ttl --ttl-lt 5", False, "tcp 192.0.2.1:1 -> 192.0.2.2:2 flags syn ttl 4", True),
        ("-m ttl ! --ttl-eq 4", False, "tcp 192.0.2.1:1 -> 192.0.2.2:2 flags syn ttl 4", False),
        ("-m hl --hl-gt 254", True, "tcp [2001:db8::1]:1 -> [2001:db8::2]:2 flags syn ttl 255", True),
        ("-m length --length 64:1500", False, "tcp 192.0.2.1:1 -> 192.0.2.2:2 flags syn length 63", False),
        ("-m length ! --length :63", False, "tcp 192.0.2.1:1 -> 192.0.2.2:2 flags syn length 64", True),
        ("-m dscp --dscp 0x2e", False, "tcp 192.0.2.1:1 -> 192.0.2.2:2 flags syn dscp ef", True),
        ("-m dscp ! --dscp-class EF", False, "tcp 192.0.2.1:1 -> 192.0.2.2:2 flags syn dscp ef", False),
    ],
)
def test_numbers_of_the_header(match: str, v6: bool, packet: str, holds: bool) -> None:
    import fwengine
    from fwengine.sources.foreign import Reading

    text = f"*filter\n:FORWARD DROP [0:0]\n-A FORWARD {match} -j ACCEPT\nCOMMIT\n"
    found = fwengine.loads(text, file="d", reading=Reading("ip6tables-save" if v6 else "iptables-save"))
    verdict = found.evaluate(fwengine.Packet.parse(packet + " in none out none"))
    assert str(verdict.action) == ("allow" if holds else "deny")


@pytest.mark.parametrize(
    "match",
    ["-p tcp --dport 022", "-p tcp -m multiport --dports 80,022", "-m ttl --ttl-eq 010", "-m length --length 010:99",
     "-m dscp --dscp 010", "-p icmp --icmp-type 010", "-p 06", "-s 10.0.0.0/010"],
)  # fmt: skip
def test_a_leading_zero_is_not_guessed(match: str) -> None:
    """iptables takes most of them as octal: `--dport 022` is port 18."""
    with pytest.raises(PolicyError):
        fwengine.loads(f"*filter\n:INPUT DROP [0:0]\n-A INPUT {match} -j ACCEPT\nCOMMIT\n")


def test_type_255_of_icmp_is_any_with_whatever_code() -> None:
    """iptables-save prints `--icmp-type 255/0` as `any`."""
    found = fwengine.loads("*filter\n:INPUT DROP [0:0]\n-A INPUT -p icmp --icmp-type 255/0 -j ACCEPT\nCOMMIT\n")
    assert str(found.evaluate("icmp 192.0.2.1 -> 192.0.2.2 type 8").action) == "allow"
