"""Printing: what is printed is read back as the same tree, once is enough, comments and meaning stay."""

from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import strategies_ast as trees

from fwengine.language.syntax import ast, mistakes
from fwengine.language.syntax.ast import Comment, Document, Match, Set, Statement, Word
from fwengine.language.syntax.parser import parse, parse_region
from fwengine.language.syntax.printer import WIDTH, show, show_document, show_match
from fwengine.model.packet import write_interface
from fwengine.policy import loads
from fwengine.traffic.codec import Packet

DAY = datetime.date(2026, 1, 1)


@given(trees.documents())
@settings(deadline=None, max_examples=200)
def test_a_printed_tree_is_read_back(document: Document) -> None:
    text = show_document(document)
    assert parse(text) == document


@given(trees.documents())
@settings(deadline=None, max_examples=60)
def test_printing_twice_changes_nothing(document: Document) -> None:
    once = show_document(document)
    assert show_document(parse(once)) == once
    assert show_document(parse("\ufeff" + once.replace("\n", "\r\n"))) == once
    assert not re.search(r"[ \t]$", once, re.MULTILINE)


@given(trees.matches)
@settings(deadline=None, max_examples=60)
def test_a_region_is_one_line_without_comments(match: Match) -> None:
    text = show_match(match)
    assert "\n" not in text
    assert show_match(parse_region(text)) == text


@given(trees.documents(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_layout_does_not_matter(document: Document, random: object) -> None:
    canonical = show_document(document)
    lines = []
    for number, line in enumerate(canonical.split("\n")):
        if '"' not in line and "#" not in line:  # white space there is content
            line = line.replace(" ", ("\t", "   ", " \t ")[number % 3]) + "  \t"
        lines.append(line)
    assert show_document(parse("\r\n".join(lines))) == canonical


CANONICAL = [
    ("", ""),
    ("\n\n\n", ""),
    ("# only a comment", "# only a comment\n"),
    ("default   deny#x", "default deny  #x\n"),
    ("net a={10.0.0.0/8,}", "net     a = { 10.0.0.0/8 }\n"),
    ("net a = 1.2.3.4\nnet  bcd = ::1", "net     a   = 1.2.3.4\nnet     bcd = ::1\n"),
    ("deny any\n\n\n\ndeny any", "deny  any\n\ndeny  any\n"),
    (
        "allow tcp to any port {80,443} as x log flags {syn/syn,ack}",
        "allow tcp to any port { 80, 443 } flags { syn/syn,ack } log as x\n",
    ),
    ("allow tcp in { a,b } established", "allow tcp established in { a, b }\n"),
    (
        "net a = { # first\n 1.2.3.4, # second\n# alone\n 1.2.3.5 } # last",
        "net     a = {  # first\n    1.2.3.4,  # second\n    # alone\n    1.2.3.5,\n}  # last\n",
    ),
    (
        "net a = { 1.2.3.4, { 1.2.3.5 # in\n }, # out\n } except # odd\n 1.2.3.5".replace(" except # odd\n", " except"),
        "net     a = {\n    1.2.3.4,\n    {\n        1.2.3.5,  # in\n    },  # out\n} except 1.2.3.5\n",
    ),
    (
        "allow tcp from { 1.2.3.4 # c\n } to any port 80",
        "allow tcp from {\n    1.2.3.4,  # c\n} to any port 80\n",
    ),
    ('include "a\\"b\\\\c#d"  # e', 'include "a\\"b\\\\c#d"  # e\n'),
    ('deny any in "\\u{200b}é"', 'deny  any in "\\u{200b}é"\n'),
    ("expect  allow tcp 1.2.3.4:1 ->1.2.3.5:2 by x", "expect allow tcp 1.2.3.4:1 -> 1.2.3.5:2 by x\n"),
    ("\ufeffdefault allow\r\n\r\ndeny any\r\n", "default allow\n\ndeny  any\n"),
]


@pytest.mark.parametrize(("given_", "expected"), CANONICAL)
def test_canonical_form(given_: str, expected: str) -> None:
    assert show_document(parse(given_)) == expected
    assert show_document(parse(expected)) == expected


def test_a_long_set_is_filled_over_lines() -> None:
    addresses = [f"192.0.2.{i}" for i in range(100)]
    text = show_document(parse("net a = any except { " + ", ".join(addresses) + " }"))
    assert max(map(len, text.split("\n"))) <= WIDTH
    assert show_document(parse(text)) == text
    (statement,) = parse(text).statements
    value = statement.content.value  # type: ignore[union-attr]  # a definition
    assert value == ast.Except(Word("any"), (Set(tuple(map(Word, addresses))),))


def test_comments_of_a_huge_set_are_kept_in_linear_time() -> None:
    text = "net a = {\n" + "".join(f"  10.{i >> 8}.{i & 255}.1, # host {i}\n" for i in range(20000)) + "}\n"
    printed = show_document(parse(text))
    assert printed.count("# host ") == 20000
    assert "    10.0.7.1,  # host 7\n" in printed


def test_definitions_are_aligned_in_blocks() -> None:
    text = "net a = ::1\nports bb = 1\n# apart\nnet longer = ::2\n\nservice s = tcp/1\n"
    assert show_document(parse(text)) == (
        "net     a  = ::1\nports   bb = 1\n# apart\nnet     longer = ::2\n\nservice s = tcp/1\n"
    )


@given(st.text(max_size=20))
@settings(deadline=None)
@example("\u200b\u00a0\u202e\ud800\0\x1b\U0001f600")
def test_any_text_can_stand_in_quotes(text: str) -> None:
    written = show(ast.String(text))
    match = parse_region(f"any in {written}")
    assert isinstance(match, ast.Match)
    assert match.options[0].value == ast.String(text)


VOCABULARY = {
    "protocol": ["any", "tcp", "udp", "{ tcp, udp }", "www", "dns", "not tcp", "{ icmp, 47, tcp/http }"],
    "address": [
        "any", "office", "not office", "{ web, 10.0.0.0/8 }", "any except { office, web }", "192.0.0.9/255.255.0.255",
        "{ 192.0.2.1-192.0.2.9,\n 198.51.100.7, # c\n }",
    ],
    "option": ["log", "in wan0", 'in { none, "a b" }', "out not { lan0,lan1 }", "state { new, related }", "fragment whole"],
}  # fmt: skip
HEAD = """net office = { 10.20.0.0/16, 2001:db8:20::/48 } # the office
net web={192.0.2.80-192.0.2.83,2001:db8::80}
ports high =  >=  1024
service   www = { tcp/http, tcp/https }
service dns = {udp/domain,tcp/domain}
"""


@st.composite
def policies(draw: st.DrawFn) -> str:
    lines = [draw(st.sampled_from(["", "default allow\n", "# c\n\n\ndefault  deny"])), HEAD]
    for _ in range(draw(st.integers(0, 5))):
        words = [draw(st.sampled_from(["allow", "deny"])), draw(st.sampled_from(VOCABULARY["protocol"]))]
        if draw(st.booleans()):
            words += ["from", draw(st.sampled_from(VOCABULARY["address"]))]
            if words[1] in ("tcp", "udp", "www", "dns"):
                words += ["port", draw(st.sampled_from(["high", "{80,443}", "not 80", "{ ssh, > 60000 }"]))]
        if draw(st.booleans()):
            words += ["to", draw(st.sampled_from(VOCABULARY["address"]))]
        words += draw(st.lists(st.sampled_from(VOCABULARY["option"]), max_size=3, unique_by=lambda o: o.split()[0]))
        lines.append(draw(st.sampled_from([" ", "\t", "   "])).join(words) + draw(st.sampled_from(["", "#", " # why"])))
    return draw(st.sampled_from(["\n", "\n\n"])).join(lines)


@given(policies())
@settings(deadline=None, max_examples=80)
def test_formatting_changes_no_meaning(text: str) -> None:
    before = loads(text, as_of=DAY)
    formatted = show_document(parse(text))
    after = loads(formatted, as_of=DAY)
    assert after == before
    assert [sorted(r.written) for r in after.rules] == [sorted(r.written) for r in before.rules]
    assert re.findall("# (?:c|why|the office)", formatted) == re.findall("# (?:c|why|the office)", text)


def test_comments_are_printed_where_the_tree_says() -> None:
    value = Set((Word("a"), Word("b")), (Comment("# 0", 0, False), Comment("# 1", 1, True), Comment("# 2", 2, False)))
    document = Document((Statement(ast.Definition("net", Word("n"), value)),))
    assert show_document(document) == "net     n = {  # 0\n    a,\n    # 1\n    b,  # 2\n}\n"
    assert parse(show_document(document)) == document


def test_interfaces_of_any_characters_are_read_back() -> None:
    """In a policy and in a packet, whatever would be refused if it stood there as it is."""
    suspect = [chr(n) for n in range(1, 0x10000) if mistakes._SUSPECT.match(chr(n)) and not 0xD800 <= n <= 0xDFFF]
    assert len(suspect) > 80
    for name in (f"a{c}b" for c in suspect):
        packet = Packet.of("tcp", "10.0.0.1", "10.0.0.2", in_interface=name)
        assert Packet.parse(str(packet)) == packet
        printed = show_document(parse(f"allow any in {write_interface(name)}"))
        assert show_document(parse(printed)) == printed
        assert loads(printed).rules == loads(f"allow any in {write_interface(name)}").rules
