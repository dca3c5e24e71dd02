"""What a program or a notebook meets: texts where values are taken, values that read well, rows for tables, pieces of HTML."""

from __future__ import annotations

import csv
import io
import ipaddress
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import netaddr
import pytest
from hypothesis import given, settings
from support.paths import ROOT, RULES

import fwengine
from fwengine import ALLOW, DENY, DEPENDS, Box, Claim, Packet, PacketError, Policy, PolicyError, Rule, Verdict, loads
from fwengine import strategies as fst
from fwengine.analysis.diff import equivalent
from fwengine.model.ruleset import RuleSet
from fwengine.report.html import table
from fwengine.row import Row

EDGE = fwengine.load(RULES / "edge.fwl")
OLD, NEW = fwengine.load(RULES / "telnet.fwl"), fwengine.load(RULES / "telnet-closed.fwl")
SHADOW = loads(
    "allow tcp from any to 10.0.0.0/8 as all\ndeny tcp from any to 10.1.0.0/16 port ssh as late", file="shadow.fwl"
)
WEB = "tcp 5.6.7.8:1029 -> 192.0.2.80:80"
OPEN = "tcp 10.20.9.17:40000 -> 192.0.2.80:22"
REPORT = EDGE.evaluate_capture(RULES / "edge.pcapng")


# Texts where values are taken


def test_a_policy_takes_texts() -> None:
    assert EDGE.evaluate(WEB) == EDGE.evaluate(Packet.parse(WEB))
    assert (
        EDGE.evaluate('{"proto": "tcp", "src": "5.6.7.8", "dst": "192.0.2.80", "dport": 80, "sport": 1029}').by
        == "web-in"
    )
    assert EDGE.decide(f"{WEB} flags syn in wan0 out none").by == "web-in"
    assert EDGE.query("allow any from partner to mail") == EDGE.query(
        Claim(ALLOW, EDGE.region("any from partner to mail"))
    )
    assert EDGE.prove("deny tcp from any to web port telnet").holds
    assert EDGE.prove(Claim(DENY, EDGE.region("tcp from any to web port telnet"))).holds


@given(fst.packets(details=False))
@settings(max_examples=60, deadline=None)
def test_a_text_fares_as_its_packet(packet: Packet) -> None:
    text = repr(packet).removeprefix("Packet.parse(").removesuffix(")")
    assert EDGE.evaluate(eval(text)) == EDGE.evaluate(packet)
    assert eval(repr(packet)) == packet


def test_interfaces_of_a_text_are_those_that_the_policy_declares() -> None:
    policy = loads("interface lan = eth1\nallow any in lan as inside")
    assert policy.evaluate("tcp 10.0.0.1:1 -> 10.0.0.2:2 in lan").by == "inside"
    with pytest.raises(PacketError, match="`lna` is not a declared interface: did you mean `lan`"):
        policy.evaluate("tcp 10.0.0.1:1 -> 10.0.0.2:2 in lna")


def test_errors_name_the_place_and_what_was_meant() -> None:
    with pytest.raises(PacketError, match="did you mean `ssh`") as packet:
        EDGE.evaluate("tcp 10.20.9.17:40000 -> 192.0.2.80:sshh")
    (diagnostic,) = packet.value.diagnostics
    assert (diagnostic.span.line, diagnostic.span.column, diagnostic.span.end_column) == (1, 36, 40)
    assert PacketError("x").diagnostics == ()
    for ask in (EDGE.prove, EDGE.query):
        with pytest.raises(PolicyError, match=r"<region>:1:22: error\[FW101\].*did you mean `web`"):
            ask("deny tcp from any to wbe")
    with pytest.raises(PacketError, match="a packet is a `Packet` or a text, not int"):
        EDGE.evaluate(3)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ValueError, match="ask `evaluate`"):
        EDGE.decide(OPEN)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: fwengine.diff("a", "b"), r"`diff` takes a policy, not str: `fwengine.load\(path\)`"),  # type: ignore[arg-type]
        (lambda: fwengine.diff(EDGE, "b"), "`diff` takes a policy, not str"),  # type: ignore[arg-type]
        (lambda: fwengine.check(str(RULES)), "`check` takes a policy, not str"),  # type: ignore[arg-type]
        (lambda: fwengine.reach(None), "`reach` takes a policy, not NoneType"),  # type: ignore[arg-type]
        (lambda: fwengine.dumps("allow any"), "`dumps` takes a policy, not str"),  # type: ignore[arg-type]
        (lambda: fwengine.evaluate_capture("edge.fwl", "edge.pcap"), "`evaluate_capture` takes a policy"),  # type: ignore[arg-type]
        (lambda: fwengine.decide(EDGE, WEB), "write `Packet.parse"),  # type: ignore[arg-type]
        (lambda: EDGE.query(5), "a claim is a text such as 'deny tcp .*', not int"),  # type: ignore[arg-type]
        (lambda: EDGE.prove(None), "a claim is a text such as .*, not NoneType"),  # type: ignore[arg-type]
        (lambda: EDGE.region(b"any"), "a region is a text such as .*, not bytes"),  # type: ignore[arg-type]
        (lambda: loads(b"allow any"), "a policy is a text such as .*, not bytes"),  # type: ignore[arg-type]
        (lambda: Policy.of("allow any"), "a rule is a `Rule`, not str: `Rule.allow"),  # type: ignore[arg-type]
        (lambda: Policy.of([Rule.allow("tcp"), "deny any"]), "a rule is a `Rule`, not str"),  # type: ignore[list-item]
    ],
)
def test_other_values_are_told_what_to_write(ask: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        ask()


# Packets from values

FIELDS: dict[str, Any] = {"protocol": "tcp", "src": "10.1.0.5", "dst": "192.0.2.80", "dport": 443}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "tcp 10.1.0.5 -> 192.0.2.80:443"),
        ({"dport": "https", "sport": "4000"}, "tcp 10.1.0.5:4000 -> 192.0.2.80:443"),
        ({"src": ipaddress.ip_address("10.1.0.6"), "dst": netaddr.IPAddress("192.0.2.81")}, "tcp 10.1.0.6 -> 192.0.2.81:443"),
        ({"src": ipaddress.ip_address("::1"), "dst": "2001:db8::1"}, "tcp [::1] -> [2001:db8::1]:443"),
        ({"src": 1, "dst": 2, "family": 6}, "tcp [::1] -> [::2]:443"),
        ({"src": 1}, "tcp 0.0.0.1 -> 192.0.2.80:443"),
        ({"protocol": "gre", "dport": None}, "gre 10.1.0.5 -> 192.0.2.80"),
        ({"protocol": "icmp", "dport": None, "icmp_type": "echo-request", "icmp_code": "0"}, "icmp 10.1.0.5 -> 192.0.2.80 type 8 code 0"),
        ({"protocol": "icmp", "dport": None, "icmp_type": 3, "icmp_code": "port-unreachable"}, "icmp 10.1.0.5 -> 192.0.2.80 type 3 code 3"),
        ({"flags": "syn,ack", "dscp": "ef", "ttl": "64", "length": 40},
         "tcp 10.1.0.5 -> 192.0.2.80:443 flags syn,ack dscp 46 ttl 64 length 40"),
        ({"in_interface": "wan0", "state": "established"}, "tcp 10.1.0.5 -> 192.0.2.80:443 in wan0 state established"),
    ],
)  # fmt: skip
def test_packets_take_what_people_have(changes: dict[str, Any], text: str) -> None:
    assert str(Packet(**(FIELDS | changes))) == text
    assert Packet(**(FIELDS | changes)) == Packet.parse(text)


def test_whole_numbers_of_other_kinds() -> None:
    class Number:  # as numpy's are
        def __index__(self) -> int:
            return 443

    packet = Packet(**(FIELDS | {"dport": Number()}))
    assert packet.dport == 443
    assert type(packet.dport) is int


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol": "tpc"}, "protocol: no protocol is called `tpc`: did you mean `tcp`?"),
        ({"dport": "htps"}, "dport: no port is called `htps`: did you mean `https`?"),
        ({"dport": "1-3"}, "dport `1-3`: a packet has one"),
        ({"dprt": 3}, "a packet has no field `dprt`: did you mean `dport`?"),
        ({"proto": "tcp"}, "a packet has no field `proto`: did you mean `protocol`?"),
        ({"colour": "red"}, "a packet has no field `colour`: the fields are family, protocol, src"),
        ({"dst": None}, "`dst` is missing"),
        ({"src": "10.1.0.5/24"}, "src `10.1.0.5/24`: no IP address"),
        ({"src": ipaddress.ip_network("10.0.0.0/8")}, "src is an address, as text or of `ipaddress`, not IPv4Network"),
        ({"src": "::1"}, "`src` of IPv6 and `dst` of IPv4: no packet has both"),
        ({"family": 6}, "in a packet of family 6: no packet has both"),
        ({"src": 1, "dst": 2}, "say `family=4` or `family=6`"),
        ({"state": "nwe"}, "state is one of .*: did you mean `new`?"),
        ({"flags": "syn,akc"}, "flags: `akc` is not a tcp flag: did you mean `ack`?"),
        ({"dscp": "eff"}, "dscp: .*did you mean `ef`"),
        ({"icmp_type": "echo-request"}, "this packet has no icmp type: leave icmp_type out"),
        ({"dport": True}, "dport is a whole number, not True"),
        ({"dport": "443 flags syn"}, "dport: no port is called `443 flags syn`"),
    ],
)
def test_packets_say_what_is_wrong(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PacketError, match=message.replace("?", r"\?").replace("[", r"\[")):
        Packet(**(FIELDS | changes))
    with pytest.raises(PacketError, match="a packet has no field `sprt`: did you mean `sport`"):
        Packet(**FIELDS).replace(sprt=1)


# Rules from values


@pytest.mark.parametrize(
    ("conditions", "line"),
    [
        ({}, "any"),
        ({"protocol": "tcp", "src": "10.0.0.0/8", "dport": 443}, "tcp from 10.0.0.0/8 to any port 443"),
        ({"protocol": ["tcp", 17], "dst": ["10.0.0.1", ipaddress.ip_network("10.1.0.0/16")]}, "{ tcp, udp } to { 10.0.0.1, 10.1.0.0/16 }"),
        ({"protocol": "udp/domain", "src": ipaddress.ip_address("2001:db8::1")}, "udp/53 from 2001:db8::1"),
        ({"protocol": "tcp", "sport": range(1024, 65536), "dport": {22, 80}}, "tcp from any port 1024-65535 to any port { 22, 80 }"),
        ({"protocol": "tcp", "dst": "not 10.0.0.0/8", "established": True, "log": True}, "tcp to not 10.0.0.0/8 established log"),
        ({"protocol": "icmp", "type": "echo-request", "code": 0}, "icmp type echo-request code 0"),
        ({"protocol": "icmp", "icmp_type": [3, 11]}, "icmp type { 3, 11 }"),
        ({"in_interface": ["eth0", "eth1"], "state": "new", "dscp": "ef", "ttl": "< 5"}, "any in { eth0, eth1 } state new dscp ef ttl < 5"),
        ({"flags": "syn/syn,ack", "protocol": "tcp", "until": "2027-06-30", "name": "syns"},
         "tcp flags syn/syn,ack until 2027-06-30 as syns"),
        ({"fragment": "later", "out_interface": "none", "src": None, "log": False}, "any fragment later out none"),
    ],
)  # fmt: skip
def test_rules_are_what_their_line_says(conditions: dict[str, Any], line: str) -> None:
    allowed, denied = loads(f"allow {line}\ndeny {line.replace(' as syns', '')}").rules
    assert Rule.allow(**conditions) == allowed
    assert Rule.deny(**(conditions | {"name": None})) == denied
    text = str(Rule.allow(**conditions))
    assert loads(text).rules[0].boxes == allowed.boxes or text.count(" or ")


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"src": "10.0.0.0/8 to any"}, "`src` says more than one condition"),
        ({"protocol": "tcp", "dport": "22 flags syn"}, "`dport` says more than one condition"),
        ({"protocol": "tcp from 10.0.0.1"}, "`protocol` is a protocol or a service"),
        ({"src": "10.0.0.0/8\ndeny any"}, "<src>:"),
        ({"state": "new as x"}, "`state` says more than one condition"),
        ({"name": "x log"}, "error"),
        ({"srx": "10.0.0.0/8"}, "no condition of a rule is called `srx`: did you mean `src`"),
        ({"src": "10.0.0.1/8"}, "has bits set behind the prefix"),
        ({"dport": 80}, "error"),
        ({"src": []}, "`src` is a list of nothing"),
        ({"protocol": "tcp", "dport": range(0)}, "takes a range of step 1"),
        ({"protocol": "tcp", "dport": True}, "`dport` is no truth value"),
        ({"log": "yes"}, "`log` is True or False"),
        ({"until": "2027-6-30"}, "error"),
    ],
)
def test_conditions_say_one_thing(conditions: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        Rule.allow(**conditions)


def test_a_policy_of_rules() -> None:
    policy = Policy.of([Rule.allow("tcp", dport=80, name="web"), Rule.deny("udp")], "allow", name="made")
    assert (policy.evaluate("udp 1.2.3.4:1 -> 5.6.7.8:53").by, policy.default) == ("made:2", ALLOW)
    assert str(policy.evaluate("tcp 1.2.3.4:1 -> 5.6.7.8:80")) == "allowed by `web` (made:1)"
    with pytest.raises(ValueError, match="cannot be"):
        Policy.of([], "depends")


# Sentences


def test_answers_read_as_sentences() -> None:
    assert str(EDGE.evaluate(WEB)) == f"allowed by `web-in` ({EDGE.name}:20)"
    assert str(EDGE.evaluate("udp 5.6.7.8:1 -> 6.7.8.9:2")) == "denied by the default"
    assert (
        str(EDGE.evaluate(OPEN))
        == f"depends: denied by `spoofed` ({EDGE.name}:18) or allowed by `admin` ({EDGE.name}:32)"
    )
    assert str(Verdict(DENY, None, None, "malformed")) == "denied as malformed"
    (region,) = EDGE.query("allow any from partner to mail")
    assert str(region) == (
        "tcp from partner port high to mail port 25: allowed by `mail-in` "
        f"({EDGE.name}:22), for example tcp 198.51.100.7:49152 -> 192.0.2.25:25 flags syn"
    )
    change = fwengine.diff(OLD, NEW)[1]
    assert f"allowed by `to-server` ({OLD.name}:15), now denied by `telnet-closed` ({NEW.name}:17)" in str(change)
    assert str(fwengine.check(SHADOW, ["FW201"])[0]).startswith(
        "shadow.fwl:2: warning[FW201]: rule `late` can never match: `all` decides all of it, the other way (for example tcp "
    )
    proof = EDGE.prove("deny tcp from any to web port ssh")
    assert "refuted: deny tcp from any to web port ssh, but tcp " in str(proof)
    assert str(EDGE.prove(Claim(DENY, EDGE.region("tcp from office to web port telnet")))).endswith(
        "port 23 (confirmed)"
    )
    assert str(proof).endswith(f"is allowed by `admin` ({EDGE.name}:32)")
    assert str(EDGE.prove("deny tcp from office to web port telnet")) == (
        "proved: deny tcp from office to web port telnet (confirmed)"
    )
    assert str(REPORT) == f"{REPORT.file}: 44 packets: 38 allowed, 6 denied"
    assert str(EDGE.query("allow any from partner to mail")) == str(region)


def test_values_are_short() -> None:
    verdict = EDGE.evaluate(OPEN)
    assert repr(verdict) == "<Verdict depends by spoofed or admin>"
    assert repr(Packet.parse(WEB)) == f"Packet.parse('{WEB}')"
    box = loads("deny any from 2001:db8::/32 in not { wan0, lan0 }").rules[0].boxes[0]
    assert repr(box) == "<Box src=2001:db8::/32 in=not lan0,not wan0>"
    assert str(box) == "any from 2001:db8::/32 in not { lan0, wan0 }"
    assert all(len(repr(s)) < 400 for rule in EDGE.rules for b in rule.boxes for s in b.sets)
    assert len(repr(EDGE.rules[0])) < 60


# Rows

ANSWERS: dict[str, Any] = {
    "regions": EDGE.query("allow any to web"),
    "everything": EDGE.query("deny any"),
    "changes": fwengine.diff(OLD, NEW),
    "findings": fwengine.check(SHADOW),
    "verdicts": [EDGE.evaluate(text) for text in (WEB, OPEN)],
    "cases": EDGE.evaluate(OPEN).cases,
    "proofs": [EDGE.prove("deny tcp from any to web port ssh"), EDGE.prove("deny udp to web port 53")],
    "counts": REPORT.rules,
}
COLUMNS = {
    "regions": ["region", "action", "rule", "file", "line", "witness", "flows"],
    "verdicts": ["action", "rule", "file", "line", "reason"],
    "cases": ["region", "action", "rule", "file", "line"],
    "counts": ["rule", "file", "line", "action", "packets", "bytes"],
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_are_rows(kind: str) -> None:
    answer = ANSWERS[kind]
    assert answer
    assert issubclass(Row, Mapping)
    heads = {tuple(row) for row in answer}
    assert len(heads) == 1
    assert kind not in COLUMNS or list(heads.pop()) == COLUMNS[kind]
    for row in answer:
        assert isinstance(row, Row)
        assert dict(row) == row.to_dict()
        assert all(value is None or type(value) in (str, int, float, bool) for value in row.values())
        again = pickle.loads(pickle.dumps(row))
        assert again == row
        assert again.to_dict() == row.to_dict()
        assert row.replace() == row
    out = io.StringIO()
    writer = csv.DictWriter(out, answer[0])
    writer.writeheader()
    writer.writerows(answer)
    assert len(list(csv.DictReader(io.StringIO(out.getvalue())))) == len(answer)


def same_packets(one: tuple[Box, ...], other: tuple[Box, ...]) -> bool:
    return equivalent(RuleSet((Rule(ALLOW, one),)), RuleSet((Rule(ALLOW, other),)))


def test_rows_say_what_the_attributes_say() -> None:
    for region in EDGE.query("allow any to web"):
        assert region["rule"] == EDGE.label(region.rule)
        assert EDGE.evaluate(region["witness"]).by == region["rule"]
        assert {region["flows"]} == {region.flows if region.flows <= 1 << 53 else float(region.flows)}
        assert same_packets(EDGE.region(region["region"]), (region.box,))
    for change in fwengine.diff(OLD, NEW):
        assert (change["old"], change["new"]) == (change.old.value, change.new.value)
        assert OLD.evaluate(change["witness"]).action is change.old
        assert NEW.evaluate(change["witness"]).action is change.new
        assert same_packets(NEW.region(change["region"]), (change.box,))


@pytest.mark.parametrize("kind", ANSWERS)
def test_pandas_takes_answers(kind: str) -> None:
    pandas = pytest.importorskip("pandas", reason="the extra `notebook` is not installed")
    answer = ANSWERS[kind]
    frame = pandas.DataFrame(answer)
    assert list(frame.columns) == list(answer[0])
    assert len(frame) == len(answer)
    for number, row in enumerate(answer):
        for key, value in row.items():
            assert frame[key][number] == value or (value is None and pandas.isna(frame[key][number]))
    if "flows" in frame:
        assert frame["flows"].dtype.kind in "if"


@pytest.mark.parametrize("kind", ANSWERS)
def test_polars_takes_answers(kind: str) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    answer = ANSWERS[kind]
    assert polars.DataFrame(answer).columns == list(answer[0])


# Notebooks


class Checked(HTMLParser):
    """Every tag is closed, nothing is loaded and nothing runs."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        assert tag in {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "div", "svg", "rect"}, tag
        for name, value in attrs:
            assert name in {
                "class",
                "style",
                "scope",
                "colspan",
                "width",
                "height",
                "role",
                "aria-hidden",
                "opacity",
                "fill",
            }, name
            assert "url(" not in (value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


def read(html: str) -> str:
    parser = Checked()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return " ".join(parser.seen)


SHOWN: list[Any] = [
    *ANSWERS.values(), EDGE, REPORT, Packet.parse(WEB), EDGE.rules[0], EDGE.rules[0].boxes[0], EDGE.evaluate(WEB),
    EDGE.expectations[0], EDGE.query("allow udp from 10.20.0.1 to 192.0.2.80 port 1"),
]  # fmt: skip


@pytest.mark.parametrize("value", [v for v in SHOWN if not isinstance(v, list)], ids=lambda v: type(v).__name__)
def test_notebooks_show_values(value: Any) -> None:
    if type(value) is tuple:  # of cases, or of counts: shown one by one
        for item in value:
            assert read(item._repr_html_())
        return
    assert read(value._repr_html_())


def test_what_notebooks_show() -> None:
    assert "web-in" in read(EDGE._repr_html_())
    assert "allow www from outside port high to web" in read(EDGE._repr_html_())
    assert "shadow.fwl:2" in read(fwengine.check(SHADOW)._repr_html_())
    assert "spoofed" in read(EDGE.evaluate(OPEN)._repr_html_())
    assert "44 packets" in read(REPORT._repr_html_())
    assert "newly" not in read(fwengine.diff(OLD, OLD)._repr_html_())
    shown = fwengine.diff(OLD, NEW)._repr_html_()
    told = read(shown)
    for cause in ("rule `hosts` added", "rule `to-server` removed", "rule `to-client` removed"):
        assert told.count(cause) == 1
    assert "4 changes of 3 causes (confirmed): 2 newly allowed" in told
    assert shown.count("<tr>") == 1 + 3 + 4
    assert "about 2^145" in read(EDGE.query("allow any to web")._repr_html_())
    big = fwengine.diff(
        loads("deny any"), loads("\n".join(f"allow tcp to 10.0.{n}.0/24 port {n + 1}" for n in range(250)))
    )
    assert "and 51 more" in read(big._repr_html_())  # behind one cause and 199 of its changes
    good, bad = (f"border-left:.3em solid {hue}" for hue in ("#1a8f4c", "#d2453b"))
    assert good in EDGE.prove("deny tcp from any to web port telnet")._repr_html_()
    assert bad in EDGE.prove("deny tcp from any to web port ssh")._repr_html_(), "though what it shows is allowed"
    assert "~ only some packets" in read(fwengine.reach(EDGE)._repr_html_())
    many = loads("\n".join(f"allow tcp from 10.0.0.{n // 200} to any port {n}" for n in range(1, 301)))
    assert "and 100 more" in read(many._repr_html_())


HOSTILE = [
    '<script>alert("1")</script>',
    "<img src=x onerror=1>",
    "&lt;",
    "\"'",
    "\u202edesrever",
    "\x1b[31m",
    "</td>",
    "\u2066x",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_texts(text: str) -> None:
    rule = Rule(ALLOW, Rule.allow("tcp").boxes, text)
    policy = Policy.of([rule], name=text)
    packet = Packet(**FIELDS, in_interface=text)
    claim = Claim(ALLOW, Rule.allow("udp").boxes, text)
    values: list[Any] = [policy, policy.evaluate(packet), packet, rule, policy.query("allow tcp"), policy.query("deny udp"), claim,
              policy.prove(claim), policy.prove("deny tcp"), fwengine.diff(policy, Policy.of([])), fwengine.check(policy)]  # fmt: skip
    for value in values:
        seen = read(value._repr_html_())
        assert not any(not c.isprintable() for c in seen.replace("\n", " "))
        assert all(c.isprintable() or c == "\n" for c in str(value))
    seen = read(table([text], [[text, 1, None]], text))
    assert all(c.isprintable() for c in seen)


def test_importing_stays_cheap() -> None:
    program = (
        "import sys, fwengine\n"
        "heavy = {'dataclasses', 'fwengine.row', 'fwengine.model', 'lark', 'json'} & set(sys.modules)\n"
        "fwengine.loads('allow any')\n"
        "late = {'fwengine.report.rows', 'fwengine.report.html', 'fwengine.dumping', 'pandas'} & set(sys.modules)\n"
        "print(sorted(heavy), sorted(late))\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{program}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[] []"


def test_depends_is_no_packet_that_is_allowed() -> None:
    assert EDGE.evaluate(OPEN).action is DEPENDS
    with pytest.raises(TypeError, match="truth value"):
        bool(EDGE.evaluate(WEB))
    assert isinstance(EDGE.region("any to web")[0], Box)


def test_a_capture_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    report = fwengine.loads("allow tcp").evaluate_capture(str(tmp_path / "none.pcap"))
    assert report.error is not None
    assert "error[FW905]: cannot be read" in str(report)
    assert "error[FW905]: cannot be read" in report._repr_html_()


def test_a_matrix_is_a_value() -> None:
    policy = fwengine.loads("net web = 192.0.2.80\nallow tcp to web port 80")
    assert fwengine.reach(policy) == fwengine.reach(policy)
    assert len({fwengine.reach(policy), fwengine.reach(policy)}) == 1
    assert fwengine.reach(policy) != fwengine.reach(policy, "web")
