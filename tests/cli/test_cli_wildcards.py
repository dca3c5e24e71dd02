"""Masks with holes from end to end: odd and even subnets in every command, and drawn texts beside their plain meaning."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import run
from support.reduced import assert_reduced

from fwengine import Packet, decide, load, loads
from fwengine.language.meaning.region import readable, show_box
from fwengine.language.meaning.vocabulary import Vocabulary
from fwengine.model import address
from fwengine.model.address import V6_BASE
from fwengine.model.box import Box
from fwengine.model.fields import DPORT, DST, PROTOCOL, SRC
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW
from fwengine.model.scattered import ScatteredSet, masked
from fwengine.policy import region

PARITY = """\
net odd    = 0.0.1.0/0.0.1.0           # 2^23 ranges: every other /24
net even   = ipv4 except odd
net branch = 10.0.7.0/255.0.255.0      # subnet 7 of each branch
net six    = ::1/::1

allow tcp from odd to branch port 22 as odd-ssh
deny  any from branch to odd as no-way-back
allow udp from { odd, 10.0.0.0/8 } except 10.9.0.0/16 to even port 53 as dns
allow any from six to ipv6 except 2001:db8::1/ffff:ffff::1 as six-out
allow tcp from 10.0.1.0/24 to 10.5.7.0/24 port 22 as dead

expect allow tcp 192.0.1.9:1024 -> 10.3.7.2:22 by odd-ssh
expect allow tcp from odd to branch port 22 by odd-ssh
expect deny  tcp from even to branch port 22
expect deny  udp from branch to odd
"""


@pytest.fixture
def parity(tmp_path: Path) -> Path:
    file = tmp_path / "parity.fwl"
    file.write_text(PARITY)
    return file


def test_check_finds_what_is_dead_and_fixes_it(parity: Path) -> None:
    done = run("check", parity, "--format", "json")
    assert done.code == 1
    found = {
        finding["rule"]["label"]: finding["code"] for finding in done.json["findings"] if finding["severity"] != "info"
    }
    assert found == {"dead": "FW202"}
    assert run("check", parity, "--fix").code == 0
    assert "dead" not in parity.read_text()


def test_eval_and_its_split(parity: Path) -> None:
    assert run("eval", parity, "tcp 192.0.3.9:1024 -> 10.3.7.2:22").out.split() == [
        "ALLOW",
        "by",
        "odd-ssh",
        f"{parity}:6",
    ]
    assert "default" in run("eval", parity, "tcp 192.0.2.9:1024 -> 10.3.7.2:22").out
    assert "by odd-ssh" in run("eval", parity, "tcp 192.0.3.9 -> 10.3.7.2").out  # open ports


def test_expectations_their_coverage_and_mutants(parity: Path) -> None:
    assert run("test", parity).code == 0
    assert "2 of 5 rules" in run("test", parity, "--coverage").out
    assert "widen src of `six-out`" in run("test", parity, "--mutate").out


def test_query_prints_what_can_be_read_back(parity: Path) -> None:
    done = run("query", parity, "allow any", "--format", "json")
    regions = done.json["regions"]
    texts = [found["region"]["text"] for found in regions]
    assert done.json["confirmed"]["complete"]
    policy = load(parity)
    for text in texts:
        (box,) = region(policy, text)
        again = run("prove", parity, f"allow {text}")
        assert (again.code, again.out.split()[0]) == (0, "PROVED")
        assert any(isinstance(box.sets[f], ScatteredSet) for f in (SRC, DST))
        assert decide(policy, Packet.from_point(tuple(chosen.lo for chosen in box.pieces[0].sets))).action is ALLOW
    assert sorted(found["rule"]["label"] for found in regions) == ["dns", "odd-ssh", "six-out"]


def test_prove_refutes_with_a_packet(parity: Path) -> None:
    assert run("prove", parity, "deny tcp from even to branch port 22").code == 0
    done = run("prove", parity, "deny tcp from odd to branch", "--format", "json")
    assert done.code == 1
    assert "by odd-ssh" in run("eval", parity, done.json["results"][0]["counterexamples"][0]["packet"]).out


def test_diff_says_what_differs_in_wildcards(parity: Path, tmp_path: Path) -> None:
    other = tmp_path / "new.fwl"
    other.write_text(PARITY.replace("to even port 53", "to 0.0.0.0/0.0.3.0 port 53"))
    done = run("diff", parity, other)
    assert done.code == 1
    assert "to 0.0.2.0/0.0.3.0 port 53" in " ".join(done.out.split())
    assert run("diff", parity, parity).code == 0
    same = tmp_path / "same.fwl"
    same.write_text(PARITY.replace("ipv4 except odd", "0.0.0.0/0.0.1.0"))
    assert run("diff", parity, same).code == 0


THIRDS = """\
allow any from 0.0.1.0/0.0.1.0 to not 0.0.1.0/0.0.1.0          as odd-to-even
deny  any from 0.0.0.3/0.0.0.3                                 as threes
allow any from { 10.0.0.0/255.0.0.1, 0.0.2.0/0.0.3.0 } to any  as some
allow any from ::1/::1 to ::2/::3                              as six
"""


@pytest.mark.parametrize(
    ("packet", "rule"),
    [
        ("47 192.168.3.7 -> 10.0.2.1", "odd-to-even"),
        ("47 192.168.3.7 -> 10.0.3.1", "threes"),
        ("47 10.0.3.6 -> 10.0.3.1", "some"),
        ("47 192.168.2.5 -> 10.0.3.1", "some"),
        ("47 192.168.2.7 -> 10.0.3.1", "threes"),
        ("47 192.168.0.5 -> 10.0.3.1", "default"),
        ("47 2001:db8::7 -> 2001:db8::6", "six"),
        ("47 2001:db8::7 -> 2001:db8::7", "default"),
        ("47 2001:db8::6 -> 2001:db8::6", "default"),
    ],
)
def test_single_packets(tmp_path: Path, packet: str, rule: str) -> None:
    file = tmp_path / "thirds.fwl"
    file.write_text(THIRDS)
    assert f" by {rule} " in run("eval", file, packet).out.replace("  ", " ")


@pytest.mark.parametrize("form", ["table", "tree", "dot", "mermaid", "stats"])
def test_show_in_every_form(parity: Path, form: str) -> None:
    done = run("show", parity, "--as", form)
    assert done.code == 0
    assert len(done.out) < 10_000


def test_show_as_json_tells_the_parts(parity: Path) -> None:
    policy = load(parity)
    tree = run("show", parity, "--as", "json").json
    assert_reduced(policy.tree)
    parted = [node for node in tree["nodes"] if node["parts"]]
    assert parted
    for node in parted:
        sets = [region(None, f"any from {text}")[0].sets[SRC] for text in node["parts"]]
        assert len(sets) == len(node["children"])
        assert sum(chosen.size for chosen in sets) == address.ALL.size


def test_captures_fare_the_same_with_every_engine(parity: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.pcap"
    assert run("synth", parity, "-o", made, "--limit", "300").code == 0
    auto, tree = (run("eval", parity, "-r", made, "--engine", e, "--format", "json") for e in ("auto", "tree"))
    assert auto.code == tree.code == 0
    assert auto.json["rules"] == tree.json["rules"]
    counted = {rule["rule"]["label"]: rule["packets"] for rule in auto.json["rules"]}
    assert counted["odd-ssh"] > 0 < counted["dns"]
    expected: dict[str, int] = dict.fromkeys(counted, 0)
    for line in made.with_name("made.pcap.jsonl").read_text().splitlines():
        told = json.loads(line)
        rule = told["rule"]["label"]
        expected[rule] = expected.get(rule, 0) + 1
    assert {rule: n for rule, n in expected.items() if rule != "default"} == {
        rule: n for rule, n in counted.items() if rule != "default"
    }


def test_the_native_classifier_refuses_what_it_cannot_hold(parity: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.pcap"
    run("synth", parity, "-o", made, "--limit", "20")
    done = run("eval", parity, "-r", made, "--engine", "native")
    assert done.code == 2
    assert "--engine tree" in done.err


def test_a_mask_that_would_be_asked_about_is_said_otherwise() -> None:
    zero = masked(0, 0xFF000001)
    assert isinstance(zero, ScatteredSet)
    box = Box.of({PROTOCOL: IntervalSet.single(6), SRC: zero})
    text = show_box(readable([box])[0])
    assert text == "tcp from 0.0.0.0/8 except 0.0.0.1/255.0.0.1"
    assert region(None, text)[0].sets[SRC] == zero


# Drawn texts


class Drawn(NamedTuple):
    """An expression of the language, and what it means."""

    text: str
    holds: Callable[[int], bool]


_BITS = {4: (0, 8, 24), 6: (0, 72)}
ADDRESSES = [
    (0 if family == 4 else V6_BASE) + sum(1 << bit for bit, on in zip(bits, chosen, strict=True) if on)
    for family, bits in _BITS.items()
    for chosen in product((False, True), repeat=len(bits))
]


@st.composite
def wildcards(draw: st.DrawFn) -> Drawn:
    family = draw(st.sampled_from((4, 4, 6)))
    compared = draw(st.sets(st.sampled_from(_BITS[family]), min_size=1))
    mask = sum(1 << bit for bit in compared)
    value = sum(1 << bit for bit in draw(st.sets(st.sampled_from(sorted(compared)), min_size=1)))
    base = 0 if family == 4 else V6_BASE

    def holds(point: int) -> bool:
        return address.family_of(point) == family and address.to_value(point) & mask == value

    return Drawn(f"{address.show(base + value)}/{address.show(base + mask)}", holds)


@st.composite
def expressions(draw: st.DrawFn) -> Drawn:
    kind = draw(st.sampled_from(("one", "one", "set", "not", "except", "any")))
    if kind == "any":
        return Drawn("any", lambda _: True)
    a, b = draw(wildcards()), draw(wildcards())
    match kind:
        case "set":
            return Drawn(f"{{ {a.text}, {b.text} }}", lambda point: a.holds(point) or b.holds(point))
        case "not":
            return Drawn(f"not {a.text}", lambda point: not a.holds(point))
        case "except":
            return Drawn(
                f"any except {{ {a.text}, {b.text} }}", lambda point: not a.holds(point) and not b.holds(point)
            )
    return a


def _meets(a: Drawn, b: Drawn) -> bool:
    return any(
        a.holds(src) and b.holds(dst)
        for src in ADDRESSES
        for dst in ADDRESSES
        if address.family_of(src) == address.family_of(dst)
    )


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[tuple[Drawn, Drawn, str]]]:
    rules = []
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        src, dst = draw(expressions()), draw(expressions())
        if not _meets(src, dst):  # an error of its own
            continue
        port = draw(st.sampled_from(("", " port 80")))
        rules.append((src, dst, port))
        lines.append(f"{draw(st.sampled_from(('allow', 'deny')))} tcp from {src.text} to {dst.text}{port}")
    return "\n".join(lines), rules


_TCP = Packet.of(
    "tcp", "1.1.1.1", "1.1.1.1", sport=1024, dport=1, flags=2, in_interface="", out_interface="", dscp=0, ttl=64, length=40
).point  # fmt: skip
assert _TCP is not None
POINTS = [
    tuple([{SRC: src, DST: dst, DPORT: port}.get(f, value) for f, value in enumerate(_TCP)])
    for src, dst, port in product(ADDRESSES, ADDRESSES, (80, 443))
    if address.family_of(src) == address.family_of(dst)
]


@settings(max_examples=60, deadline=None)
@given(texts())
def test_drawn_texts_mean_what_they_say(case: tuple[str, list[tuple[Drawn, Drawn, str]]]) -> None:
    text, rules = case
    policy = loads(text)
    assert_reduced(policy.tree)
    allowed: set[tuple[int, ...]] = set()
    for point in POINTS:
        meant = next(
            (
                n
                for n, (src, dst, port) in enumerate(rules)
                if src.holds(point[SRC]) and dst.holds(point[DST]) and (not port or point[DPORT] == 80)
            ),
            len(rules),
        )
        assert policy.tree.index(point) == decide(policy, point).index == meant
        if policy.action(meant) is ALLOW:
            allowed.add(point)
    answer = policy.query("allow tcp")
    assert answer.confirmed is not None
    words = Vocabulary(policy.names)
    covered: set[tuple[int, ...]] = set()
    for found in answer:
        (box,) = readable([found.box])
        assert region(policy, show_box(box, words)) == region(policy, show_box(box)) == (box,)
        inside = {point for point in POINTS if point in found.box}
        assert not inside & covered
        covered |= inside
    assert covered == allowed
