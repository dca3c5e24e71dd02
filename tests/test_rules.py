"""The pages of `rules/`: each policy keeps what it expects, and does to its capture what is written here."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest
from support import make_captures
from support.paths import RULES

from fwengine import ALLOW, DENY, DEPENDS, Box, Field, Packet, Policy, PolicyError, decide, evaluate_capture, load
from fwengine.analysis.prove import prove
from fwengine.language.syntax.parser import parse
from fwengine.language.syntax.printer import show_document
from fwengine.model.fields import DETAILS
from fwengine.policy import load_from
from fwengine.traffic.count import iterate

POLICIES = sorted(path.name for path in RULES.glob("*.fwl"))
AS_OF = datetime.date(2026, 11, 21)  # before the day on which the rule `admin` of edge.fwl ends
AFTERWARDS = datetime.date(2027, 7, 1)  # after it
INCLUDED_ONLY = {"common.fwl"}  # no rules of its own
TESTS_ONLY = {"edge-test.fwl"}  # a test file: the rules are edge.fwl's

# policy, capture, packets per rule, the default last; what has no verdict or no rule
COUNTS: list[tuple[str, str, dict[str, int], dict[str, int]]] = [
    ("dhcp.fwl", "dhcp.pcapng", {"discover": 2, "renew": 1, "answer": 3, "default": 3}, {}),
    (
        "calls.fwl",
        "calls.pcap",
        {
            "no-free-rides": 1,
            "calls": 1,
            "calls-back": 1,
            "neighbour": 1,
            "neighbour-replies": 1,
            "traced": 3,
            "ping": 1,
            "ping6": 1,
            "default": 5,
        },
        {},
    ),
    (
        "dns.fwl",
        "dns.pcap",
        {"dns-udp": 2, "dns-tcp": 5, "dns-udp-replies": 2, "dns-tcp-replies": 3, "default": 5},
        {},
    ),
    (
        "edge.fwl",
        "edge.pcapng",
        {
            "spoofed": 2,
            "web-in": 10,
            "web-replies": 6,
            "mail-in": 5,
            "mail-replies": 3,
            "dns-out": 6,
            "dns-replies": 1,
            "dns-replies-tcp": 3,
            "ping": 1,
            "pong": 1,
            "admin": 1,
            "partner": 1,
            "default": 4,
        },
        {},
    ),
    (
        "fragments.fwl",
        "fragments.pcap",
        {"http": 3, "dns": 2, "dns-tails": 2, "default": 3},
        {"malformed": 1, "not_ip": 1},
    ),
    ("ftp-and-web.fwl", "ftp-and-web.pcap", {"ftp": 5, "web": 10, "replies": 9, "default": 3}, {}),
    (
        "ipv6.fwl",
        "ipv6.pcap",
        {
            "web-in": 10,
            "web-replies": 6,
            "ping": 1,
            "pong": 1,
            "icmpv6-in": 2,
            "pong6": 1,
            "neighbour-asks": 1,
            "neighbour-answers": 1,
            "default": 4,
        },
        {},
    ),
    (
        "mail.fwl",
        "mail.pcapng",
        {
            "smtp-in": 5,
            "smtp-in-replies": 3,
            "smtp-out": 5,
            "smtp-out-replies": 3,
            "mailbox": 10,
            "mailbox-replies": 6,
            "default": 3,
        },
        {},
    ),
    ("nfs.fwl", "nfs.pcap", {"nfs": 5, "nfs-replies": 3, "default": 3}, {}),
    (
        "port-classes.fwl",
        "port-classes.pcap",
        {"tcp-zero": 1, "tcp-system": 2, "tcp-registered": 2, "tcp-dynamic": 2, "udp-system": 3, "default": 4},
        {},
    ),
    ("port-scan.fwl", "port-scan.pcap", {"impossible": 4, "web": 1, "web-replies": 0, "default": 62}, {}),
    (
        "services.fwl",
        "services.pcap",
        {"public": 20, "public-replies": 12, "ntp": 1, "ntp-replies": 1, "snmp": 2, "snmp-replies": 2, "default": 4},
        {},
    ),
    (
        "spoofed.fwl",
        "spoofed.pcapng",
        {"spoofed": 4, "foreign": 2, "web-in": 10, "web-replies": 6, "office-out": 1, "default": 0},
        {},
    ),
    ("telnet.fwl", "telnet.pcap", {"to-server": 10, "to-client": 6, "default": 10}, {}),
    (
        "telnet-closed.fwl",
        "telnet.pcap",
        {"telnet-closed": 12, "telnet-closed-back": 6, "hosts": 8, "default": 0},
        {},
    ),
    ("web-server.fwl", "web-server.pcap", {"request": 5, "reply": 4, "default": 4}, {}),
    (
        "x11.fwl",
        "x11.pcap",
        {"display": 5, "display-replies": 3, "x11-closed": 3, "web": 5, "web-replies": 3, "default": 1},
        {},
    ),
]


def page(name: str, as_of: datetime.date = AS_OF) -> Policy:
    return load(RULES / name, as_of=as_of)


def altered(name: str, old: str, new: str) -> Policy:
    """A policy of the folder with one piece of its text replaced."""

    def reader(path: str) -> bytes:
        text = Path(path).read_text(encoding="utf-8")
        if Path(path).name == name:
            assert text.count(old) == 1
            text = text.replace(old, new)
        return text.encode()

    return load_from(str(RULES / name), reader, as_of=AS_OF)


# Expectations


@pytest.mark.parametrize("as_of", [AS_OF, AFTERWARDS], ids=str)
@pytest.mark.parametrize("name", POLICIES)
def test_every_expectation_holds_whatever_the_day(name: str, as_of: datetime.date) -> None:
    policy = page(name, as_of)
    outcomes = [prove(policy, claim) for claim in policy.expectations]
    assert [(o.claim.text, str(o.counterexample)) for o in outcomes if not o.holds] == []


@pytest.mark.parametrize("name", POLICIES)
def test_expected_packets_fare_so_by_the_definition_too(name: str) -> None:
    policy = page(name)
    for claim in policy.expectations:
        if claim.packet is None or claim.packet.as_seen_by(policy.fields) is None:
            continue
        verdict = decide(policy, claim.packet)
        assert verdict.action is claim.action
        assert claim.by in (None, verdict.by)


@pytest.mark.parametrize("name", POLICIES)
def test_every_file_states_expectations_of_its_own(name: str) -> None:
    own = [claim for claim in page(name).expectations if Path(claim.span.file).name == name]
    assert own
    if name not in INCLUDED_ONLY:
        assert {claim.action for claim in own} == {ALLOW, DENY}
        assert any(claim.packet is not None for claim in own)
        assert any(claim.packet is None for claim in own)
        assert any(claim.by is not None for claim in own)


# Captures


@pytest.mark.parametrize(("name", "capture", "rules", "others"), COUNTS, ids=[row[0] for row in COUNTS])
def test_capture_counts(name: str, capture: str, rules: dict[str, int], others: dict[str, int]) -> None:
    report = evaluate_capture(page(name), RULES / capture)
    assert report.error is None
    assert not report.notes
    assert {count.label: count.packets for count in report.rules} == rules
    assert list(rules) == [count.label for count in report.rules]
    classes = {"not_ip": report.not_ip, "malformed": report.malformed, "truncated": report.truncated}
    assert {k: n for k, n in classes.items() if n} == others
    assert report.packets == sum(rules.values()) + sum(others.values())
    assert report.packets == report.allow + report.deny + report.not_ip


@pytest.mark.parametrize(("name", "capture"), [row[:2] for row in COUNTS])
def test_tree_is_decide_on_every_captured_packet(name: str, capture: str) -> None:
    policy = page(name)
    for outcome in iterate(policy, RULES / capture):
        if outcome.point is not None:
            assert decide(policy, outcome.point).index == outcome.rule


def test_every_policy_has_a_capture_that_its_rules_take_part_in() -> None:
    assert {row[0] for row in COUNTS} == set(POLICIES) - INCLUDED_ONLY - TESTS_ONLY
    assert {row[1] for row in COUNTS} == {path.name for path in RULES.glob("*.pcap*")}
    for name, _, rules, _ in COUNTS:
        assert sum(rules.values()) > rules["default"], name


def test_captures_are_written_anew_byte_for_byte(tmp_path: Path) -> None:
    written = make_captures.write(tmp_path)
    assert {path.name for path in written} == {path.name for path in RULES.glob("*.pcap*")}
    for path in written:
        assert path.read_bytes() == (RULES / path.name).read_bytes(), f"{path.name}: run tests/make_captures.py"


@pytest.mark.parametrize("capture", make_captures.CAPTURES)
def test_a_capture_holds_the_packets_it_was_made_of(capture: str) -> None:
    lines = make_captures.CAPTURES[capture]
    points = [outcome.point for outcome in iterate(page("common.fwl"), RULES / capture)]
    assert len(points) == len(lines) + (3 if capture == "fragments.pcap" else 0)
    for line, point in zip(lines, points, strict=False):
        assert point is not None
        packet, got = Packet.parse(line), Packet.from_point(point)
        flags = packet.flags if packet.flags is not None else got.flags  # left open, the writer's choice
        stated = packet.replace(
            flags=flags, in_interface=packet.in_interface or "", out_interface=packet.out_interface or ""
        )
        unstated = [f for f in DETAILS if stated.values[f] is None]
        assert got.without(unstated) == stated


def test_the_scan_finds_one_port() -> None:
    """The one packet allowed is a SYN to 443; each other probe, of whatever kind, is denied."""
    policy = page("port-scan.fwl")
    passed = [
        o for o in iterate(policy, RULES / "port-scan.pcap") if o.rule is not None and policy.action(o.rule) is ALLOW
    ]
    assert [str(Packet.from_point(o.point, ())) for o in passed if o.point is not None] == [
        "tcp 203.0.113.66:54321 -> 192.0.2.80:443 flags syn"
    ]


# Rules


def decided(policy: Policy, box: Box) -> set[int]:
    return {index for _, index in policy.tree.regions(box)}


@pytest.mark.parametrize(("name", "capture"), [row[:2] for row in COUNTS])
def test_every_rule_is_exercised(name: str, capture: str) -> None:
    policy = page(name)
    seen = {outcome.rule for outcome in iterate(policy, RULES / capture)}
    for claim in policy.expectations:
        for box in claim.boxes:
            seen |= decided(policy, box)
    assert {rule.label for i, rule in enumerate(policy.rules) if i not in seen} == set()


@pytest.mark.parametrize("name", [row[0] for row in COUNTS])
def test_every_rule_has_a_name_and_matters(name: str) -> None:
    """Without any one rule, some packet would fare otherwise: the pages teach nothing that has no effect."""
    policy = page(name)
    assert [rule.label for rule in policy.rules if rule.name is None] == []
    for i, rule in enumerate(policy.rules):
        without = replace(policy, rules=policy.rules[:i] + policy.rules[i + 1 :])
        own = [part for box in rule.boxes for part, index in policy.tree.regions(box) if index == i]
        assert any(without.action(j) is not rule.action for part in own for j in decided(without, part)), rule.label


@pytest.mark.parametrize("name", [row[0] for row in COUNTS])
def test_no_rule_can_be_lost_or_turned_unnoticed(name: str) -> None:
    """Without any one rule, or with its action turned around, an expectation fails."""
    policy = page(name)
    claims = page("edge-test.fwl").expectations if name == "edge.fwl" else policy.expectations
    for i, rule in enumerate(policy.rules):
        if rule.until is not None:
            continue  # what is expected holds after its day too
        turned = replace(rule, action=rule.action.other)
        for rules in (policy.rules[:i] + policy.rules[i + 1 :], (*policy.rules[:i], turned, *policy.rules[i + 1 :])):
            mutant = replace(policy, rules=rules)
            assert not all(prove(mutant, claim).holds for claim in claims), rule.label


# Texts


@pytest.mark.parametrize("name", POLICIES)
def test_text_is_canonical(name: str) -> None:
    text = (RULES / name).read_text(encoding="utf-8")
    assert show_document(parse(text)) == text


@pytest.mark.parametrize("name", POLICIES)
def test_a_page_explains_itself(name: str) -> None:
    """It begins with a title and a story, and what it mentions of this folder is there."""
    text = (RULES / name).read_text(encoding="utf-8")
    first, *_ = text.splitlines()
    assert re.fullmatch(r"# \S.*[^:]", first)
    assert len(text.splitlines()) <= 60
    assert max(map(len, text.splitlines())) <= 110
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    for mentioned in re.findall(r"[\w-]+\.(?:fwl|pcapng|pcap)\b", comments):
        assert (RULES / mentioned).is_file(), mentioned


def test_the_index_lists_every_file_once_in_its_table() -> None:
    index = (RULES / "README.md").read_text(encoding="utf-8")
    rows = [line for line in index.splitlines() if line.startswith("| [")]
    linked = [name for row in rows for name in re.findall(r"\]\(([^)]+)\)", row.split(" | ")[0])]
    assert sorted(name for name in linked if not name.startswith("formats/")) == POLICIES
    for capture in {row[1] for row in COUNTS}:
        assert f"({capture})" in index


# The stories that the comments tell


def test_65536_is_refused_as_the_comment_says() -> None:
    text = (RULES / "port-classes.fwl").read_text(encoding="utf-8")
    claim = re.search(r"^# +(expect .*:65536)$", text, re.MULTILINE)
    told = re.search(r"^# +error\[(FW\d+)\]: (.*)$", text, re.MULTILINE)
    assert claim is not None
    assert told is not None
    file = str(RULES / "port-classes.fwl")
    with pytest.raises(PolicyError) as caught:
        load_from(file, lambda _: f"{text}{claim[1]}\n".encode())
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.message) == (told[1], told[2])
    assert diagnostic.span.line == len(text.splitlines()) + 1
    load_from(file, lambda _: f"{text}{claim[1].replace('65536', '65535').replace('deny', 'allow')}\n".encode())


def test_the_classes_of_ports_are_ianas_and_leave_no_number_out() -> None:
    ranges = {rule.label: rule.boxes[0].sets[Field.DPORT].ranges for rule in page("port-classes.fwl").rules}
    assert ranges["tcp-system"] == ((0, 1023),)
    assert ranges["tcp-registered"] == ((1024, 49151),)
    assert ranges["tcp-dynamic"] == ((49152, 65535),)


def test_the_first_draft_of_the_border_let_the_partner_telnet_to_the_servers() -> None:
    draft = altered("edge.fwl", "to not { office, web, mail } as partner", "to not office as partner")
    refuted = [o for o in (prove(draft, c) for c in draft.expectations) if not o.holds]
    assert {o.claim.text for o in refuted} == {
        "tcp from any to { web, mail } port telnet",
        "tcp from any to web port telnet",
    }
    assert [o.verdict.by for o in refuted if o.verdict is not None] == ["partner", "partner"]
    text = (RULES / "edge.fwl").read_text(encoding="utf-8")
    told = re.search(r"refuted it with (tcp .*?), allowed", " ".join(text.replace("#", "").split()))
    assert told is not None
    assert draft.evaluate(Packet.parse(told[1])).by == "partner"
    assert page("edge.fwl").evaluate(Packet.parse(told[1])).action is DENY


def test_the_first_draft_of_the_border_believed_ipv6_sources() -> None:
    draft = altered("edge.fwl", "from bogon in wan0", "from { 10.0.0.0/8, 127.0.0.0/8 } in wan0")
    forged = Packet.parse("udp [2001:db8:20::1]:50000 -> [2001:db8:53::53]:53 in wan0")
    assert draft.evaluate(forged).by == "dns-out"
    assert page("edge.fwl").evaluate(forged).by == "spoofed"


def test_the_promises_of_common_are_proved_for_those_that_include_it() -> None:
    for name in ("spoofed.fwl", "edge.fwl", "edge-test.fwl"):
        assert [c for c in page(name).expectations if Path(c.span.file).name == "common.fwl"], name
    careless = altered(
        "spoofed.fwl", "deny  any from bogon in wan0 log as spoofed", "deny 255 from any to any as spoofed"
    )
    broken = [o.claim for o in (prove(careless, c) for c in careless.expectations) if not o.holds]
    assert "common.fwl" in {Path(claim.span.file).name for claim in broken}


def test_admin_ends_with_its_day() -> None:
    packet = Packet.parse("tcp 10.20.9.17:40000 -> 192.0.2.80:22 in lan0")
    last = datetime.date(2027, 6, 30)
    assert page("edge.fwl", last).evaluate(packet).by == "admin"
    assert page("edge.fwl", last + datetime.timedelta(days=1)).evaluate(packet).by == "default"


def test_without_x11_closed_the_way_back_for_the_web_opens_the_displays() -> None:
    probe = Packet.parse("tcp 203.0.113.80:443 -> 10.20.1.30:6000 flags ack")
    open_policy = page("x11.fwl")
    rules = tuple(rule for rule in open_policy.rules if rule.name != "x11-closed")
    assert replace(open_policy, rules=rules).evaluate(probe).by == "web-replies"
    assert open_policy.evaluate(probe).by == "x11-closed"


def test_below_the_rule_for_the_hosts_the_denials_of_telnet_would_be_too_late() -> None:
    policy = page("telnet-closed.fwl")
    late = replace(policy, rules=(policy.rules[2], *policy.rules[:2]))
    packet = Packet.parse("tcp 10.0.0.5:3097 -> 10.0.0.9:23 flags syn")
    assert (policy.evaluate(packet).by, late.evaluate(packet).by) == ("telnet-closed", "hosts")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mail.fwl", "tcp 10.20.3.4:50000 -> 192.0.2.25:143"),  # which interface?
        ("web-server.fwl", "tcp 1.2.3.4:80 -> 5.6.7.8:1029"),  # which flags?
        ("spoofed.fwl", "tcp 10.20.1.1:50000 -> 192.0.2.80:443"),
    ],
)
def test_what_is_left_open_depends(name: str, text: str) -> None:
    assert page(name).evaluate(Packet.parse(text)).action is DEPENDS


def test_the_answers_to_itself_are_why_the_web_server_says_not_server() -> None:
    policy = altered("web-server.fwl", "from not server to server port not http", "from any to server port not http")
    (outcome,) = (o for o in (prove(policy, c) for c in policy.expectations) if not o.holds)
    assert outcome.counterexample is not None
    assert str(outcome.counterexample).startswith("tcp 1.2.3.4:80 -> 1.2.3.4:1024")
