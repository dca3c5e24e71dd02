"""`fwengine eval` on written packets: verdicts, splits, reasons, exit codes, and what it makes of bad input."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.commands import EDGE, Done, run
from support.generators import Drawn, make_point_near, policies, worlds
from support.points import point_of

from fwengine import Packet, Policy, decide, load, loads, region
from fwengine.errors import LimitError
from fwengine.model.box import Box
from fwengine.model.rules import Rule
from fwengine.report.decided import Decided, RuleFared
from fwengine.report.fared import every_line, split_lines
from fwengine.report.reasons import account
from fwengine.report.style import Style

KEYS = [
    "packet",
    "verdict",
    "rule",
    "reason",
    "partial",
    "depends_on",
    "cases",
    "unknown_interfaces",
    "explain",
    "nearest",
]
DAY = ("--as-of", "2026-11-21")
PLAIN = Style(False)


@pytest.fixture
def edge(tmp_path: Path) -> Path:
    path = tmp_path / "edge.fwl"
    path.write_text(EDGE)
    return path


def ask(edge: Path, *arguments: str, stdin: bytes = b"") -> Done:
    return run("eval", edge, *arguments, *DAY, stdin=stdin)


@pytest.mark.parametrize(
    ("packet", "shown"),
    [
        ("tcp 5.6.7.8:1029 -> 192.0.2.80:80", "ALLOW  by web-in  {file}:8\n"),
        ("tcp 5.6.7.8:1029 -> 192.0.2.81:80", "DENY   by default  {file}\n"),
        ("tcp 5.6.7.8:1029 -> 192.0.2.25:25", "DENY   by {file}:13\n"),  # a nameless rule is its place
        ("hex:45", "DENY   malformed: these bytes are not a packet, so no rule is asked\n"),
        ("hex:4500001400000000400600000506", "DENY   malformed: these bytes are not a packet, so no rule is asked\n"),
    ],
)
def test_a_verdict_is_one_line(edge: Path, packet: str, shown: str) -> None:
    done = ask(edge, packet)
    assert (done.code, done.out, done.err) == (0, shown.replace("{file}", str(edge)), "")


def test_what_cannot_be_decoded_is_denied(edge: Path) -> None:
    """Even where the default allows."""
    edge.write_text("default allow\ndeny tcp to any port ssh\n")
    for text in ("hex:45", "hex:6000"):
        done = ask(edge, text, "--format", "json", "--expect", "deny", "--explain")
        (result,) = done.json["results"]
        assert done.code == 0
        assert [result[key] for key in KEYS[:4]] == [text, "deny", None, "malformed"]
        assert result["explain"] is None
        assert ask(edge, text, "--expect", "allow").code == 1


def test_json_has_the_promised_keys(edge: Path) -> None:
    done = ask(edge, "tcp 5.6.7.8:1 -> 192.0.2.80:443", "udp 1.1.1.1:1 -> 2.2.2.2:2", "--format", "json")
    one, two = done.json["results"]
    assert list(one) == list(two) == KEYS
    place = {"file": str(edge), "line": 8, "column": 1, "end_line": 8, "end_column": 27}
    rule = {"label": "web-in", "action": "allow", "place": place, "via": [], "doubts": []}
    assert list(one.values()) == [
        "tcp 5.6.7.8:1 -> 192.0.2.80:443", "allow", rule, "rule", False, [], [], [], None, None
    ]  # fmt: skip
    default: dict[str, Any] = {"label": "default", "action": "deny", "place": None, "via": [], "doubts": []}
    assert list(two.values()) == [
        "udp 1.1.1.1:1 -> 2.2.2.2:2", "deny", default, "default", False, [], [], [], None, None
    ]  # fmt: skip


def test_jsonl_is_one_object_a_line(edge: Path) -> None:
    done = ask(edge, "tcp 5.6.7.8:1 -> 192.0.2.80:443", "icmp 1.1.1.1 -> 192.0.2.80", "--format", "jsonl")
    assert [line["verdict"] for line in done.lines] == ["allow", "depends"]
    assert len(done.out.splitlines()) == 3


def test_a_packet_that_leaves_much_open_is_split(edge: Path) -> None:
    done = ask(edge, "tcp 10.20.9.17 -> 192.0.2.80", "--detail")
    rest = "dport { 0-52, 54-79, 81-442, 444-65535 } in { none, not wan0 }"
    rows = [
        ("in wan0", "DENY ", "spoofed", f"{edge}:7"),
        ("dport { 80, 443 } in { none, not wan0 }", "ALLOW", "web-in ", f"{edge}:8"),
        ("dport 53 in { none, not wan0 }", "ALLOW", "dns-out", f"{edge}:10"),
        (rest, "DENY ", "default", ""),
    ]
    assert done.code == 0
    assert done.out.splitlines() == [
        "DEPENDS on dport, in",
        *[f"  {stated:<{len(rest)}}  {action}  by {rule}  {place}".rstrip() for stated, action, rule, place in rows],
    ]


def test_parts_of_a_split_are_read_back(edge: Path) -> None:
    """Each region and each witness of the JSON form fares as it says."""
    policy = load(edge)
    packets = ["tcp 10.20.9.17 -> 192.0.2.80", "icmp 10.20.0.1 -> 192.0.2.80", "tcp 192.0.2.80:80 -> 10.20.1.1"]
    for result in ask(edge, *packets, "--format", "json").json["results"]:
        assert result["verdict"] == "depends"
        for case in result["cases"]:
            found = decide(policy, witness := _told(case["witness"]["packet"]))
            assert found.action.value == case["witness"]["verdict"] == case["rule"]["action"]
            assert (found.rule.label if found.rule else "default") == case["rule"]["label"]
            assert case["witness"]["rule"] == case["rule"]
            assert any(point_of(witness) in box for box in region(policy, case["region"]["text"]))


def _told(text: str) -> Packet:
    """A part's witness states the interfaces on which anything depends; the others are not recorded."""
    none = {f"{word}_interface": "" for word in ("in", "out") if f" {word} " not in text}
    return Packet.parse(text).replace(**none)


@st.composite
def asked(draw: st.DrawFn) -> tuple[Policy, Packet]:
    """A policy, and a packet near its corners that leaves something open."""
    source, world = Drawn(draw), draw(worlds)
    policy = draw(policies(world, 5))
    names = ("sport", "dport", "icmp_type", "icmp_code", "flags", "in_interface", "out_interface")
    left = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    rules = tuple(Rule(r.action, r.boxes, f"r{n}") for n, r in enumerate(policy.rules))
    packet = Packet.from_point(make_point_near(source, world, policy)).replace(**dict.fromkeys(left))
    return Policy(rules, policy.default), packet


@settings(max_examples=60)
@given(asked())
def test_a_split_is_the_packet(case: tuple[Policy, Packet]) -> None:
    """Its parts are disjoint, together they are the packet, and each row states just what the packet leaves open."""
    policy, packet = case
    try:
        verdict = policy.evaluate(packet)
    except LimitError:
        assume(False)
    found = Decided.of(policy, str(packet), packet, verdict)
    if not verdict.cases:
        assert found.cases == ()
        return
    boxes = [box for part in found.cases for box in region(None, part.region.text)]
    whole = Box(packet.sets)
    assert not any(piece for box in boxes for piece in box - whole)
    assert not _rest(whole, boxes)
    for part in found.cases:
        told = _told(part.witness.packet)
        assert policy.evaluate(told).by == part.rule.label
        assert point_of(told) in whole
    for line in split_lines(found.cases, PLAIN):
        match = re.fullmatch(r"  (\S.*?) +(ALLOW|DENY) +by (\S+) *", line)
        assert match, line


def _rest(box: Box, parts: list[Box]) -> list[Box]:
    left = [box]
    for part in parts:
        left = [piece for whole in left for piece in whole - part]
    return [piece for piece in left if piece]


def test_explain_tells_what_failed(edge: Path) -> None:
    done = ask(edge, "tcp 10.20.9.17:40000 -> 192.0.2.80:22 flags syn in lan0", "--explain=all")
    assert done.out.splitlines() == [
        f"DENY   by default  {edge}",
        *_table(
            edge,
            spoofed="no   in lan0 is not wan0   (nearest miss)",
            web_in="no   dport 22 is not in www   (nearest miss)",
            line9="no   src 10.20.9.17 is not web; sport 40000 is not http; dport 22 is not in 1024-65535; and 1 more",
            dns_out="no   dport 22 is not in dns   (nearest miss)",
            ping="no   protocol tcp is not icmp",
            admin="no   expired: it counted until 2026-06-30, and would match",
            line13="no   src 10.20.9.17 is in { office, web }; dst 192.0.2.80 is not in mail; dport 22 is not smtp",
        ),
    ]


def _table(edge: Path, **reasons: str) -> list[str]:
    names = [f"{edge}:{key[4:]}" if key.startswith("line") else key.replace("_", "-") for key in reasons]
    width = max(map(len, names))
    return [f"  {name:<{width}}  {reason}" for name, reason in zip(names, reasons.values(), strict=True)]


def test_explain_never_speaks_of_what_was_left_open(edge: Path) -> None:
    """No flags were stated, so it cannot be flags that failed."""
    done = ask(edge, "tcp 10.20.9.17:40000 -> 192.0.2.81:22 in lan0", "--explain", "--format", "json")
    (result,) = done.json["results"]
    assert result["verdict"] == "deny"
    told = {f["field"] for rule in result["explain"] for f in rule["failed"]}
    assert told == {"protocol", "src", "dst", "sport", "dport", "type", "in"}


def test_explain_of_a_split_tells_every_rules_part(edge: Path) -> None:
    done = ask(edge, "tcp 10.20.9.17 -> 192.0.2.80", "--explain=all")
    lines = done.out.splitlines()
    rules = lines[lines.index("the rules in their order:") + 1 :]
    assert [line.split()[1] for line in rules] == ["part", "part", "no", "part", "no", "no", "no"]
    assert rules[0].endswith("part in wan0")


def test_explain_of_absent_fields(edge: Path) -> None:
    """The ports of a later fragment, the interface that a capture does not record."""
    edge.write_text("allow tcp to 192.0.2.80 port 80 in wan0 as a\n")
    done = ask(edge, "tcp 1.1.1.1 -> 192.0.2.80 fragment later in none", "--explain=all")
    assert done.out.splitlines()[1] == "  a  no   the packet has no dport, wanted 80; `in` is not recorded, wanted wan0"


def test_explain_without_rules(edge: Path) -> None:
    edge.write_text("default allow\n")
    assert ask(edge, "tcp 1.1.1.1 -> 2.2.2.2", "--explain").out == (
        f"ALLOW  by default  {edge}\n  there are no rules\n"
    )


@settings(max_examples=60)
@given(asked())
def test_reasons_are_true(case: tuple[Policy, Packet]) -> None:
    """Whatever the open fields are: a rule that is said to miss misses all, and the parts are those of the rule."""
    policy, packet = case
    try:
        verdict = policy.evaluate(packet)
    except LimitError:
        assume(False)
    accounts = account(policy, packet, verdict)
    asked_box = Box(packet.sets)
    found = Decided.of(policy, str(packet), packet, verdict, accounts=accounts)
    assert len(list(every_line(found.explain or (), PLAIN))) == len(accounts) or not accounts
    assert json.dumps(found.to_dict())
    for a in accounts:
        overlap = any(all(not x.isdisjoint(y) for x, y in zip(b.sets, packet.sets, strict=True)) for b in a.rule.boxes)
        if a.matched:
            assert verdict.rule is a.rule
        elif a.failures:
            assert not overlap
            assert all(packet.sets[f.field].isdisjoint(f.wanted) for f in a.failures)
        elif not a.decided:
            assert overlap  # taken by the rules above
        for box in a.decided:
            assert not any(box - asked_box)
    if verdict.rule is not None:
        assert accounts[-1].matched


@pytest.mark.parametrize(
    ("expect", "packets", "code"),
    [
        ("allow", ["tcp 1.1.1.1:1 -> 192.0.2.80:80"], 0),
        ("deny", ["tcp 1.1.1.1:1 -> 192.0.2.80:80"], 1),
        ("deny", ["tcp 1.1.1.1:1 -> 192.0.2.80:81"], 0),
        ("allow", ["tcp 1.1.1.1:1 -> 192.0.2.80:80", "tcp 1.1.1.1:1 -> 192.0.2.80:81"], 1),
        ("allow", ["icmp 1.1.1.1 -> 192.0.2.80"], 1),  # what depends is not a yes
        ("deny", ["icmp 1.1.1.1 -> 192.0.2.80"], 1),
    ],
)
def test_expect_sets_the_exit_code(edge: Path, expect: str, packets: list[str], code: int) -> None:
    done = ask(edge, *packets, "--expect", expect)
    assert done.code == code
    assert ("fared otherwise" in done.err) == bool(code)
    assert "fared" not in done.out


def test_several_packets_are_told_apart(edge: Path) -> None:
    done = ask(edge, "tcp 1.1.1.1:1 -> 192.0.2.80:80", "hex:45", "icmp 1.1.1.1 -> 192.0.2.80")
    lines = done.out.splitlines()
    assert lines[0] == f"ALLOW  tcp 1.1.1.1:1 -> 192.0.2.80:80  by web-in  {edge}:8"
    assert lines[1] == "DENY   hex:45  malformed: these bytes are not a packet, so no rule is asked"
    assert lines[2] == "DEPENDS on type  icmp 1.1.1.1 -> 192.0.2.80"


def test_standard_input_has_a_packet_a_line(edge: Path) -> None:
    text = b"# a comment\n\n  tcp 1.1.1.1:1 -> 192.0.2.80:80  \r\nproto=tcp src=1.1.1.1 dst=192.0.2.81\n"
    done = ask(edge, "-", "--format", "jsonl", stdin=text)
    assert [line["verdict"] for line in done.lines] == ["allow", "deny"]


def test_errors_on_standard_input_have_their_line(edge: Path) -> None:
    text = b"tcp 1.1.1.1:1 -> 192.0.2.80:80\n  tcp 1.1.1.1 -> 2.2.2.2:70000\nhex:zz\n{\n"
    done = ask(edge, "-", stdin=text)
    assert (done.code, done.out) == (2, "")
    assert " --> <stdin>:2:26" in done.err
    assert "<stdin>:3:1: error[FW511]: `hex:zz`: " in done.err
    assert "<stdin>:4:1: error[FW511]: `{`: no JSON: " in done.err


def test_after_many_errors_it_stops(edge: Path) -> None:
    done = ask(edge, "-", stdin=b"nonsense\n" * 1000)
    assert done.code == 2
    assert done.err.count("error[") == 20
    assert "the rest was not read" in done.err


@pytest.mark.parametrize(("stdin", "said"), [(b"", "no packet"), (b"\n# x\n", "no packet"), (b"\xff\n", "not UTF-8")])
def test_nothing_to_answer_is_no_success(edge: Path, stdin: bytes, said: str) -> None:
    done = ask(edge, "-", "--expect", "allow", stdin=stdin)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_the_policy_may_come_by_standard_input() -> None:
    done = run("eval", "-", "tcp 1.1.1.1:1 -> 192.0.2.80:80", *DAY, stdin=EDGE.encode())
    assert (done.code, done.out) == (0, "ALLOW  by web-in  <stdin>:8\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'POLICY'"),
        (["{edge}"], "name a PACKET"),
        (["{edge}", "-", "-"], "`-` stands twice"),
        (["-", "-r", "-"], "`-` stands twice"),
        (["{edge}", "tcp 1.1.1.1 -> 2.2.2.2", "--per-packet"], "`--per-packet` goes with `-r`"),
        (["{edge}", "tcp 1.1.1.1 -> 2.2.2.2", "--in", "wan0"], "in a packet write `in wan0`"),
        (["{edge}", "tcp 1.1.1.1 -> 2.2.2.2", "--out", "none"], "in a packet write `out none`"),
        (["{edge}", "tcp 1.1.1.1 -> 2.2.2.2", "--state", "new"], "in a packet write `state new`"),
        (["{edge}", "-r", "x", "--state", "establishd"], "did you mean `established`?"),
        (["{edge}", "-r", "x", "--state", ""], "it is one of new, established"),
        (["{edge}", "-r", "x", "--in", ""], "it is a name, or `none`"),
        (["{edge}", "-r", "x", "--out", "x" * 256], "at most 255 bytes"),
        (["{edge}", "tcp 1.1.1.1 -> 2.2.2.2", "-r", "x"], "`-r` goes with neither"),
        (["{edge}", "-r", "x", "--explain"], "`-r` goes with neither"),
        (["{edge}", "tcp 1.1.1.1 -> 2.2.2.2", "--expect", "maybe"], "'maybe' is not one of"),
        (["{edge}", "tcp 1.1.1.1 -> 2.2.2.2", "--format", "xml"], "'xml' is not one of"),
        (["{edge}", "tcp 1.1.1.1 -> 2.2.2.2", "--as-of", "2026-02-30"], "there is no day `2026-02-30`"),
        (["{edge}", "tcp 1.1.1.1 -> 2.2.2.2", "--as-of", "tomorrow"], "expected YYYY-MM-DD"),
        (["{edge}", "tcp 1.1.1.1 -> 2.2.2.2", "--expct", "allow"], "'--expect'"),
        (["{edge}", "tcp 1.1.1.1 - > 2.2.2.2"], "error["),
        (["{edge}", ""], "error"),
        (["{edge}.not", "tcp 1.1.1.1 -> 2.2.2.2"], "no such file"),
        (["/", "tcp 1.1.1.1 -> 2.2.2.2"], "it is a directory"),
        (["", "tcp 1.1.1.1 -> 2.2.2.2"], "cannot read"),
        (["x" * 5000, "tcp 1.1.1.1 -> 2.2.2.2"], "cannot read"),
    ],
)
def test_what_cannot_be_answered_exits_2(edge: Path, arguments: list[str], said: str) -> None:
    done = run("eval", *[a.replace("{edge}", str(edge)) for a in arguments])
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_bad_policy_has_no_partial_answer(edge: Path) -> None:
    edge.write_text("allow tcp\nalow udp\n")
    done = ask(edge, "tcp 1.1.1.1 -> 2.2.2.2", "--format", "json")
    assert (done.code, list(done.json)) == (2, ["errors"])
    assert "error[FW012]" in done.err


def test_every_packet_of_the_arguments_is_checked_first(edge: Path) -> None:
    done = ask(edge, "tcp 1.1.1.1:1 -> 192.0.2.80:80", "tcp 1.1.1.1 -> 2.2.2.2:70000", "hex:zz")
    assert (done.code, done.out) == (2, "")
    assert "FW111" in done.err
    assert "`hex:zz`: " in done.err


def test_as_of_settles_what_is_expired(edge: Path) -> None:
    packet = "tcp 10.20.9.17:40000 -> 192.0.2.80:22 in lan0"
    assert run("eval", edge, packet, "--as-of", "2026-06-30").out.startswith("ALLOW  by admin")
    assert run("eval", edge, packet, "--as-of", "2026-07-01").out.startswith("DENY   by default")


def test_an_answer_by_several_rules_is_one_answer(edge: Path) -> None:
    edge.write_text("deny tcp to any port 0-99 as low\ndeny tcp as rest\ndefault allow\n")
    done = ask(edge, "tcp 1.1.1.1 -> 2.2.2.2", "--expect", "deny")
    assert done.code == 0
    assert done.out.splitlines()[0] == "DENY   by low or rest"
    (result,) = ask(edge, "tcp 1.1.1.1 -> 2.2.2.2", "--format", "json").json["results"]
    assert (result["rule"], result["reason"], [c["rule"]["label"] for c in result["cases"]]) == (
        None,
        "rules",
        ["low", "rest"],
    )


def test_too_many_parts_are_unknown(edge: Path) -> None:
    done = ask(edge, "tcp 10.20.9.17 -> 192.0.2.80", "--limit-cases", "2")
    assert (done.code, done.out) == (2, "")
    assert "unknown: limit reached" in done.err


def test_of_a_service_the_nearest_of_its_protocols_is_explained() -> None:
    policy = loads("service s = { tcp/80, udp/53 }\nallow s to 1.1.1.1 as a\n", file="p.fwl")
    for text, said in (
        ("tcp 9.9.9.9:1 -> 1.1.1.1:53", "dport 53 is not in s"),
        ("icmp 9.9.9.9 -> 1.1.1.1", "protocol icmp is not in s"),
        ("udp 9.9.9.9:1 -> 1.1.1.2:53", "dst 1.1.1.2 is not 1.1.1.1"),
    ):
        packet = Packet.parse(text)
        (only,) = every_line([RuleFared.of(a, packet) for a in account(policy, packet, policy.evaluate(packet))], PLAIN)
        assert only == f"  a  no   {said}"
