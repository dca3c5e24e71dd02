"""The names of the language: IANA's facts, round trips, where they come from, and suggestions for slips."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paths import ROOT
from support.scripts import load_script

from fwengine.model import packet
from fwengine.model.fields import DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE
from fwengine.model.interval import IntervalSet
from fwengine.registry import icmp, names

LANGUAGE = ROOT / "fwengine" / "registry"
REGISTRIES = ROOT.parent / "shared" / "data" / "registries"
PLAIN = re.compile(r"[a-z][a-z0-9-]*")


def all_services() -> list[str]:
    lines = (LANGUAGE / "services.tsv").read_text(encoding="ascii").splitlines()
    return [line.split("\t")[0] for line in lines[1:]]


# services


@pytest.mark.parametrize(
    ("name", "protocols", "ranges"),
    [
        ("imap", {TCP}, [(143, 143)]),
        ("imaps", {TCP}, [(993, 993)]),
        ("irc", {TCP, UDP}, [(194, 194)]),
        ("ircu", {TCP}, [(6665, 6669)]),
        ("x11", {TCP, UDP}, [(6000, 6063)]),
        ("ntp", {TCP, UDP}, [(123, 123)]),
        ("http", {TCP, UDP, SCTP}, [(80, 80)]),
        ("www", {TCP, UDP}, [(80, 80)]),
        ("www-http", {TCP, UDP}, [(80, 80)]),
        ("https", {TCP, UDP, SCTP}, [(443, 443)]),
        ("http-alt", {TCP, UDP}, [(591, 591), (8008, 8008), (8080, 8080)]),
        ("ssh", {TCP, UDP, SCTP}, [(22, 22)]),
        ("telnet", {TCP, UDP}, [(23, 23)]),
        ("smtp", {TCP, UDP}, [(25, 25)]),
        ("submissions", {TCP}, [(465, 465)]),
        ("domain", {TCP, UDP}, [(53, 53)]),
        ("pop3", {TCP, UDP}, [(110, 110)]),
        ("snmp", {TCP, UDP}, [(161, 161)]),
        ("nntp", {TCP, UDP}, [(119, 119)]),
        ("ftp", {TCP, UDP, SCTP}, [(21, 21)]),
        ("ftp-data", {TCP, UDP, SCTP}, [(20, 20)]),
        ("bootps", {TCP, UDP}, [(67, 67)]),
        ("bootpc", {TCP, UDP}, [(68, 68)]),
        ("nfs", {TCP, UDP, SCTP}, [(2049, 2049)]),
        ("discard", {TCP, UDP, SCTP, DCCP}, [(9, 9)]),
        ("syslog", {UDP}, [(514, 514)]),
        ("shell", {TCP}, [(514, 514)]),
        ("compressnet", {TCP, UDP}, [(2, 3)]),
        ("name", {TCP, UDP}, [(42, 42)]),  # also the heading of the table's first column
    ],
)
def test_services_are_those_of_iana(name: str, protocols: set[int], ranges: list[tuple[int, int]]) -> None:
    expected = IntervalSet.of(*ranges)
    assert names.protocols_of(name) == dict.fromkeys(protocols, expected)
    for number in range(256):
        assert names.ports(name, number) == (expected if number in protocols else None)


def test_a_service_may_have_other_ports_over_another_protocol() -> None:
    assert names.protocols_of("rda") == {TCP: IntervalSet.of((630, 630), (2371, 2371)), UDP: IntervalSet.single(630)}


def test_udplite_has_no_services_of_its_own() -> None:
    assert names.ports("http", UDPLITE) is None


@pytest.mark.parametrize("name", ["whois++", "z39.50", "914c/g", "4-tieropmcli", "3com-tsmux", "sql*net", "cl/1"])
def test_odd_names_are_looked_up_exactly(name: str) -> None:
    assert names.protocols_of(name)
    assert names.protocols_of(name.upper()) == names.protocols_of(name)


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "http ", " http", "htt", "http\t80", "\u212aerberos", "80", "80\t80", "active-net", "ircs", "any"
    ],
)  # fmt: skip
def test_what_is_no_service(name: str) -> None:
    assert names.protocols_of(name) == {}
    assert names.ports(name, TCP) is None


def test_de_registered_entries_are_left_out() -> None:
    assert set(names.protocols_of("sua")) == {TCP, SCTP}


def test_every_service_reads_as_ports() -> None:
    services = all_services()
    assert len(services) == len(set(services)) > 6000
    for name in services:
        assert name == name.lower()
        found = names.protocols_of(name)
        assert found
        assert set(found) <= {TCP, UDP, SCTP, DCCP}
        assert all(ports.lo > 0 and ports.hi <= 65535 for ports in found.values())


def test_no_service_is_hidden_by_a_word_of_the_language() -> None:
    grammar = (ROOT / "fwengine/language/syntax/grammar.lark").read_text(encoding="utf-8")
    keywords = set(re.findall(r'^_?[A-Z]+: "([a-z]+)"$', grammar, re.MULTILINE))
    assert {"allow", "from", "port"} <= keywords
    words = keywords | set(names.PORT_CLASSES) | {"any", "none"}
    assert not words & set(all_services())
    assert all(names.protocol(word) is None for word in words)
    assert not any(name.isdigit() for name in all_services())


@pytest.mark.parametrize(
    ("protocol", "port", "name"),
    [
        (TCP, 80, "http"),
        (TCP, 22, "ssh"),
        (UDP, 53, "domain"),
        (TCP, 2049, "nfs"),
        (TCP, 465, "submissions"),
        (TCP, 9100, "pdl-datastream"),
        (UDP, 1701, "l2tp"),
        (UDP, 514, "syslog"),
        (TCP, 514, "shell"),
        (UDP, 143, None),  # imap is tcp only
        (TCP, 8080, None),  # `http-alt` would be three ports
        (TCP, 6000, None),  # `x11` would be 64
        (TCP, 106, None),  # `3com-tsmux` might be read as a number
        (TCP, 0, None),
        (UDPLITE, 53, None),
        (ICMP, 8, None),
    ],
)
def test_the_customary_name_of_a_port(protocol: int, port: int, name: str | None) -> None:
    assert names.service_name(protocol, port) == name


def test_a_service_name_reads_back_as_its_port() -> None:
    shown = 0
    for protocol in (TCP, UDP, SCTP, DCCP):
        for port in range(65536):
            name = names.service_name(protocol, port)
            if name is not None:
                shown += 1
                assert PLAIN.fullmatch(name)
                assert names.ports(name, protocol) == IntervalSet.single(port)
    assert shown > 10_000


@pytest.mark.parametrize(
    ("words", "pair"),
    [
        ("well-known system privileged PRIVILEGED", (0, 1023)),
        ("registered", (1024, 49151)),
        ("dynamic private ephemeral", (49152, 65535)),
        ("unprivileged", (1024, 65535)),
    ],
)
def test_port_classes(words: str, pair: tuple[int, int]) -> None:
    for word in words.split():
        assert names.port_class(word) == IntervalSet.of(pair)
        assert names.protocols_of(word) == {}


def test_services_and_strangers_are_no_port_classes() -> None:
    assert [names.port_class(word) for word in ("http", "", "high", "pr\u0131vate")] == [None] * 4


# protocols


@pytest.mark.parametrize(
    ("spellings", "number"),
    [
        ("hopopt", 0), ("icmp", 1), ("igmp", 2), ("ipip ipencap ipv4", 4), ("tcp TCP Tcp", 6), ("argus", 13),
        ("udp", 17), ("dccp", 33), ("3pc", 34), ("tp++", 39), ("ipv6", 41), ("ipv6-route", 43), ("ipv6-frag", 44),
        ("gre", 47), ("esp", 50), ("ah", 51), ("icmpv6 icmp6 ipv6-icmp IPv6-ICMP", 58), ("ttp iptm", 84), ("eigrp", 88),
        ("ospf ospfigp", 89), ("ax.25 ax25", 93), ("encap", 98), ("pim", 103), ("a/n", 107), ("ipcomp", 108),
        ("vrrp", 112), ("l2tp", 115), ("isis", 124), ("sctp", 132), ("fc", 133), ("mobility-header", 135),
        ("udplite", 136), ("rohc", 142),
    ],
)  # fmt: skip
def test_protocols_are_those_of_iana(spellings: str, number: int) -> None:
    assert {names.protocol(name) for name in spellings.split()} == {number}
    assert names.protocol(names.protocol_name(number)) == number


def test_protocols_agree_with_those_of_the_header() -> None:
    for name, number in packet._PROTOCOLS.items():
        assert names.protocol(name) == number
        assert names.protocol_name(number) == name


def test_every_protocol_name_reads_back() -> None:
    shown = [names.protocol_name(number) for number in range(256)]
    assert [names.protocol(name) for name in shown] == list(range(256))
    assert all(PLAIN.fullmatch(name) or name == str(number) for number, name in enumerate(shown))
    # unassigned, experimental and reserved ones, one whose keyword is read as 4, and those without a plain word
    assert [int(name) for name in shown if name.isdigit()] == [
        34, 39, 61, 63, 68, 94, 99, 107, 114, *range(143, 256)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["", "ip", "any", "256", "047", "00", "-1", "+6", "6 ", "1e1", "\u0666", "\uff16", "reserved"]
)
def test_what_is_no_protocol(name: str) -> None:
    assert names.protocol(name) is None


@pytest.mark.parametrize("number", [-1, 256])
def test_a_number_that_no_protocol_has(number: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 255"):
        names.protocol_name(number)


# icmp


@pytest.mark.parametrize(
    ("protocol", "spellings", "number"),
    [
        (ICMP, "echo-reply", 0),
        (ICMP, "destination-unreachable unreachable", 3),
        (ICMP, "source-quench", 4),
        (ICMP, "redirect", 5),
        (ICMP, "echo-request Echo-Request", 8),
        (ICMP, "router-advertisement", 9),
        (ICMP, "router-solicitation", 10),
        (ICMP, "time-exceeded", 11),
        (ICMP, "parameter-problem", 12),
        (ICMP, "timestamp-request", 13),
        (ICMP, "timestamp-reply", 14),
        (ICMP, "address-mask-request", 17),
        (ICMP, "extended-echo-request", 42),
        (ICMPV6, "destination-unreachable unreachable", 1),
        (ICMPV6, "packet-too-big", 2),
        (ICMPV6, "time-exceeded", 3),
        (ICMPV6, "parameter-problem", 4),
        (ICMPV6, "echo-request", 128),
        (ICMPV6, "echo-reply", 129),
        (ICMPV6, "mld-listener-query", 130),
        (ICMPV6, "mld-listener-report", 131),
        (ICMPV6, "mld-listener-done", 132),
        (ICMPV6, "router-solicitation", 133),
        (ICMPV6, "router-advertisement", 134),
        (ICMPV6, "neighbor-solicitation neighbour-solicitation nd-neighbor-solicit", 135),
        (ICMPV6, "neighbor-advertisement neighbour-advertisement nd-neighbor-advert", 136),
        (ICMPV6, "redirect", 137),
        (ICMPV6, "mld2-listener-report", 143),
        (ICMPV6, "extended-echo-reply", 161),
    ],
)
def test_icmp_types(protocol: int, spellings: str, number: int) -> None:
    assert {names.icmp_type(protocol, name) for name in spellings.split()} == {number}


@pytest.mark.parametrize(
    ("protocol", "type_", "spellings", "number"),
    [
        (ICMP, 3, "network-unreachable net-unreachable", 0),
        (ICMP, 3, "host-unreachable", 1),
        (ICMP, 3, "protocol-unreachable", 2),
        (ICMP, 3, "port-unreachable", 3),
        (ICMP, 3, "fragmentation-needed frag-needed", 4),
        (ICMP, 3, "communication-prohibited admin-prohibited administratively-prohibited", 13),
        (ICMP, 5, "host-redirect", 1),
        (ICMP, 11, "ttl-zero-during-transit", 0),
        (ICMP, 11, "reassembly-timeout", 1),
        (ICMP, 12, "required-option-missing", 1),
        (ICMPV6, 1, "no-route", 0),
        (ICMPV6, 1, "communication-prohibited", 1),
        (ICMPV6, 1, "address-unreachable", 3),
        (ICMPV6, 1, "port-unreachable", 4),
        (ICMPV6, 3, "hop-limit-exceeded", 0),
        (ICMPV6, 4, "unrecognized-next-header", 1),
        (ICMPV6, 138, "sequence-number-reset", 255),
    ],
)
def test_icmp_codes(protocol: int, type_: int, spellings: str, number: int) -> None:
    for name in spellings.split():
        assert names.icmp_code(protocol, type_, name) == number
        assert names.icmp_code(protocol, None, name) == number
        assert names.icmp_code(protocol, 8, name) is None


def test_icmp_is_never_icmpv6() -> None:
    assert names.icmp_type(ICMP, "packet-too-big") is None
    assert names.icmp_type(ICMPV6, "source-quench") is None
    assert names.icmp_type(ICMP, "echo-request") != names.icmp_type(ICMPV6, "echo-request")
    assert names.icmp_code(ICMP, 3, "port-unreachable") != names.icmp_code(ICMPV6, 1, "port-unreachable")
    assert names.icmp_type(TCP, "echo-request") is None
    assert names.icmp_type_name(TCP, 8) is None
    assert names.icmp_code(TCP, None, "port-unreachable") is None
    assert names.icmp_type_names(TCP) == names.icmp_code_names(TCP) == ()


@pytest.mark.parametrize("protocol", [ICMP, ICMPV6])
def test_every_icmp_type_and_code_reads_back(protocol: int) -> None:
    known = set()
    for number in range(256):
        name = names.icmp_type_name(protocol, number)
        if name is not None:
            known.add(number)
            assert names.icmp_type(protocol, name) == number
        for code in names.icmp_code_names(protocol, number):
            assert name is not None
            assert PLAIN.fullmatch(code)
            assert 0 <= (names.icmp_code(protocol, number, code) or 0) <= 255
            assert names.icmp_code(protocol, None, code) == names.icmp_code(protocol, number, code)
    spellings = names.icmp_type_names(protocol)
    assert {names.icmp_type(protocol, name) for name in spellings} == known
    assert all(PLAIN.fullmatch(name) for name in spellings)
    # one name twice would silently be the last one's
    table = names._icmp_types(protocol)
    assert len(spellings) == sum(len(each.split()) for each in table.values())
    for type_, codes in icmp.CODES[protocol].items():
        assert len(names.icmp_code_names(protocol, type_)) == sum(len(each.split()) for each in codes.values())


@pytest.mark.parametrize(
    ("protocol", "word", "number"),
    [
        # as nft, iptables, ip6tables, pf, Cisco, Juniper and pcap-filter have them
        (ICMPV6, "mld2-report", 143), (ICMPV6, "mld2-listener-report", 143), (ICMPV6, "mld-report", 131), (ICMPV6, "nd-ns", 135),
        (ICMPV6, "neighbrsol", 135), (ICMPV6, "toobig", 2), (ICMPV6, "icmp6-routeradvert", 134), (ICMPV6, "dhaad-request", 144),
        (ICMPV6, "router-solicit", 133), (ICMPV6, "membership-report", 131), (ICMP, "timex", 11), (ICMP, "icmp-unreach", 3),
        (ICMP, "echoreq", 8), (ICMP, "squench", 4), (ICMP, "ttl-exceeded", 11), (ICMP, "ping", 8), (ICMP, "router-solicit", 10),
    ],
)  # fmt: skip
def test_other_firewalls_names_of_types(protocol: int, word: str, number: int) -> None:
    assert names.icmp_type(protocol, word) == number


@pytest.mark.parametrize(
    ("protocol", "type_", "word", "number"),
    [
        (ICMP, 3, "needfrag", 4), (ICMP, 3, "packet-too-big", 4), (ICMP, 3, "TOS-host-unreachable", 12),
        (ICMP, 3, "dod-net-prohibited", 9), (ICMP, 3, "communication-prohibited-by-filtering", 13), (ICMP, 11, "transit", 0),
        (ICMP, 3, "precedence-unreachable", 15), (ICMPV6, 1, "no-admin", 1), (ICMPV6, 3, "hop-limit", 0), (ICMPV6, 4, "nxthdr", 1),
    ],
)  # fmt: skip
def test_other_firewalls_names_of_codes(protocol: int, type_: int, word: str, number: int) -> None:
    assert names.icmp_code(protocol, type_, word) == number
    assert names.icmp_type(protocol, word) is None


def test_another_digit_is_another_thing() -> None:
    assert names.near("mld2-repot", ["mld-report", "mld2-report"]) == ["mld2-report"]
    assert names.near("mldv3-report", ["mldv1-report", "mldv2-report"]) == []
    assert names.near("web1", ["web2"]) == names.near("web1", ["web"]) == []


# slips


def naive(a: str, b: str) -> int:
    """Optimal string alignment, straight from its recurrence."""
    table = {(i, -1): i + 1 for i in range(-1, len(a))} | {(-1, j): j + 1 for j in range(-1, len(b))}
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            best = [table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (x != y)]
            if i and j and x == b[j - 1] and a[i - 1] == y:
                best.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(best)
    return table[len(a) - 1, len(b) - 1]


words = st.text("abcd", max_size=9)


@settings(deadline=None, max_examples=300)
@given(word=words, candidates=st.lists(words, max_size=12), limit=st.integers(1, 3))
def test_near_is_what_the_definition_says(word: str, candidates: list[str], limit: int) -> None:
    ranked = sorted(
        (naive(word, candidate), place, candidate)
        for place, candidate in enumerate(candidates)
        if candidate != word and naive(word, candidate) <= min(2, max(len(word), len(candidate)) // 3)
    )
    assert names.near(word, candidates, limit) == [candidate for _, _, candidate in ranked[:limit]]


@pytest.mark.parametrize(
    ("word", "candidates", "expected"),
    [
        ("offcie", ["outside", "office"], ["office"]),
        ("OFFICE", ["office"], ["office"]),  # case is a slip like any other
        ("office", ["office"], []),  # the word itself is none
        ("mial", ["mall", "mail"], ["mail"]),  # a swap is one slip
        ("ab", ["abc"], ["abc"]),
        ("a", ["ab", "b", ""], []),
        ("", ["ab"], []),
        ("abc", [], []),
    ],
)
def test_near(word: str, candidates: list[str], expected: list[str]) -> None:
    assert names.near(word, candidates) == expected


@pytest.mark.parametrize(
    ("word", "protocol", "expected"),
    [
        ("htpt", None, ["http"]),
        ("smpt", TCP, ["smtp"]),
        ("telnte", TCP, ["telnet"]),
        ("domian", UDP, ["domain"]),
        ("privleged", TCP, ["privileged"]),
        ("sysloh", UDP, ["syslog"]),
        ("sysloh", UDPLITE, []),  # which has classes only
        ("registred", UDPLITE, ["registered"]),
        ("whois", TCP, ["nicname"]),
        ("RDP", TCP, ["ms-wbt-server"]),
        ("smtps", UDP, ["smtp"]),  # `submissions` is tcp only
        ("zzzzzzzz", None, []),
    ],
)
def test_near_service(word: str, protocol: int | None, expected: list[str]) -> None:
    assert names.near_service(word, protocol) == expected


@pytest.mark.parametrize("protocol", [TCP, UDP, SCTP, DCCP])
def test_only_services_of_the_protocol_are_suggested(protocol: int) -> None:
    for word in ("imapp", "sysloh", "ntpp", "redsi", "discrad", "submision"):
        for name in names.near_service(word, protocol):
            assert names.ports(name, protocol)


def test_services_called_otherwise_are_unknown_and_their_suggestion_is_known() -> None:
    for word, name in names._CALLED_OTHERWISE.items():
        assert names.protocols_of(word) == {}
        assert names.protocols_of(name)
        assert names.near_service(word) == [name]


@pytest.mark.parametrize(
    ("word", "expected"), [("tpc", ["tcp"]), ("upd", ["udp"]), ("icmp-v6", ["icmpv6"]), ("qqq", [])]
)
def test_near_protocol(word: str, expected: list[str]) -> None:
    assert names.near_protocol(word) == expected


# where the names come from

PROBE = """
import sys
seen = []
before = set(sys.modules)
sys.addaudithook(lambda event, args: seen.append((event, str(args[0]) if args else "")))
from fwengine.registry import icmp, names
heavy = {"lark", "netaddr", "click", "difflib", "csv", "socket", "importlib.resources"} & (set(sys.modules) - before)
read = [path for event, path in seen if event == "open" and path.endswith(".tsv")]
assert not read, "read before it was asked for"
names.ports("http", 6), names.ports("irc", 6), names.service_name(17, 53), names.protocol("gre")
names.near_service("htpt"), names.near_protocol("tpc"), names.icmp_type(1, "echo-request")
opened = sorted({path for event, path in seen if event == "open"})
asked = sorted({event for event, _ in seen if event.startswith("socket.")})
print(*heavy, *asked, *(path for path in opened if path.endswith(".tsv") or "etc" in path.split("/")), sep="\\n")
"""


def test_neither_the_machine_nor_anything_heavy_is_consulted() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert [Path(line).name for line in done.stdout.split("\n") if line] == ["protocols.tsv", "services.tsv"]


def test_the_tables_are_those_of_the_registries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not REGISTRIES.is_dir():
        pytest.skip("IANA's registries are not beside the checkout")
    services, protocols = REGISTRIES / "service-names-port-numbers.csv.gz", REGISTRIES / "protocol-numbers.csv"
    assert load_script("bench/names_table.py").main([str(services), str(protocols), str(tmp_path)]) == 0
    for name in ("services.tsv", "protocols.tsv"):
        assert (tmp_path / name).read_bytes() == (LANGUAGE / name).read_bytes()
    assert capsys.readouterr().out.count("\n") == 2


def test_deriving_a_table_of_services() -> None:
    heading = ["Service Name", "Port Number", "Transport Protocol", "Description"]
    rows = [
        "late,9000,tcp,",
        "Odd,7-8,tcp,",
        "odd,5,udp,",
        "shilp,2049,tcp,",
        "nfs,2049,tcp,",
        "gone,1,udp,De-Registered",
        ",4,tcp,Unassigned",
        "mobile,,tcp,",
        "range,3-4,,",
        "odd,1,tcp,",
    ]
    derive = load_script("bench/names_table.py").services
    assert derive(dict(zip(heading, row.split(","), strict=True)) for row in rows) == (
        "name\ttcp\tudp\tsctp\tdccp\nodd\t1,7-8\t5\nnfs\t2049\nshilp\t2049\nlate\t9000\n"
    )
    with pytest.raises(ValueError, match="without a column: quic"):
        derive([dict(zip(heading, ("http", "80", "quic", ""), strict=True))])


def test_the_script_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert load_script("bench/names_table.py").main([]) == 2
    assert capsys.readouterr().err.startswith("usage: ")
