"""Cutting and parsing: places, comments, line ends, depth, and sizes that a machine may produce."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.work import lines

from fwengine.errors import PolicyError
from fwengine.language.syntax.ast import Blank, Comment, Definition, Except, Match, Not, Rule, Set, Statement, Word
from fwengine.language.syntax.parser import parse, parse_claim, parse_packet, parse_region, read
from fwengine.language.syntax.printer import show_document
from fwengine.language.syntax.statements import comment_at, pieces
from fwengine.policy import loads
from fwengine.report.screen import render


def test_statements_know_their_places() -> None:
    text = "\ufeff# first\r\n\r\n  allow tcp\tfrom { 10.0.0.1,\r\n 10.0.0.2 } # why\r\ndeny any"
    document = parse(text, "f.fwl")
    assert [type(line) for line in document.lines] == [Blank, Blank, Statement, Statement]
    first, second = document.statements
    assert first.span == ("f.fwl", 3, 3, 4, 12)
    assert first.comment == "# why"
    assert second.span == ("f.fwl", 5, 1, 5, 9)
    match = first.content.match  # type: ignore[union-attr]  # a rule
    assert match.source is not None
    value = match.source.addresses
    assert value == Set((Word("10.0.0.1"), Word("10.0.0.2")))
    assert value.items[1].at == (2, 2, 2, 10)


def test_sets_and_precedence() -> None:
    def value(text: str) -> object:
        content = parse(f"net n = {text}").statements[0].content
        assert isinstance(content, Definition)
        return content.value

    assert value("{a,b, c}") == Set((Word("a"), Word("b"), Word("c")))
    assert value("{ a, }") == Set((Word("a"),))
    assert value("not a except b") == Except(Not(Word("a")), (Word("b"),))
    assert value("a except b except not c") == Except(Word("a"), (Word("b"), Not(Word("c"))))
    assert value("not not { a }") == Not(Not(Set((Word("a"),))))


def test_words_end_where_an_arrow_begins() -> None:
    packet = parse_packet("tcp [::1]:80->[::2-x]:443")
    assert (packet.source.text, packet.target.text) == ("[::1]:80", "[::2-x]:443")


def test_comments_in_sets_stay_where_they_stood() -> None:
    text = 'net n = { # a\n 1.2.3.4, # b\n # c\n { "#x", # d\n } } # e'
    (statement,) = parse(text).statements
    content = statement.content
    assert isinstance(content, Definition)
    assert isinstance(content.value, Set)
    assert content.value.comments == (Comment("# a", 0, False), Comment("# b", 1, False), Comment("# c", 1, True))
    inner = content.value.items[1]
    assert isinstance(inner, Set)
    assert inner.comments == (Comment("# d", 1, False),)
    assert statement.comment == "# e"


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("", 0),
        ("#", 0),
        ("a # b", 2),
        ('"#" # b', 4),
        ('"\\"#" #', 6),
        ('"# b', 4),
        ('a" # "b" #', 10),
        ("a", 1),
        ('"\\\\"#"', 4),
    ],
)
def test_a_comment_begins_at_the_first_mark_outside_quotes(line: str, at: int) -> None:
    assert comment_at(line) == at


@given(st.text('ab#"\\{}\n\r ', max_size=40))
def test_pieces_lose_no_line(text: str) -> None:
    lines = text.removesuffix("\n").split("\n") if text else []
    seen = []
    for piece in pieces(text):
        count = piece.text.count("\n") + 1
        seen += list(range(piece.line, piece.line + count))
    assert seen == list(range(1, len(lines) + 1))


def test_an_open_brace_ends_at_the_next_statement() -> None:
    document, errors, missing = read("net a = { 10.0.0.1\n\n# c\nallow tcp\nnet b = {", "f")
    assert [(e.code, e.span.line, e.span.column) for e in errors] == [("FW014", 1, 9), ("FW014", 5, 9)]
    assert [s.content for s in document.statements] == [Rule("allow", Match(Word("tcp")))]
    assert missing >= {"a", "b"}


def test_a_brace_in_quotes_or_comments_opens_nothing() -> None:
    assert len(parse('deny any in "{" # {\ndeny any # }\n# {\ndeny any').statements) == 3
    document, errors, _ = read('deny any in "{\ndeny udp', "f")
    assert [e.code for e in errors] == ["FW016"]
    assert len(document.statements) == 1


def test_one_line_texts_may_hold_comments_and_lines() -> None:
    region = parse_region("tcp from {\n 10.0.0.1 # c\n}\n to any")
    assert isinstance(region, Match)
    assert region.target is not None
    assert parse_claim("deny any # all")[0] == "deny"


# sizes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("net n = " + "{" * 100_000 + "10.0.0.1" + "}" * 100_000, "FW004"),
        ("net n = " + "{" * 100_000, "FW004"),
        ("net n = " + "not " * 100_000 + "10.0.0.1", "FW004"),
        ("allow tcp flags " + "not " * 100_000 + "syn/syn", "FW004"),
        ("allow tcp state " + "{ " * 65 + "new" + " }" * 65, "FW004"),
        ("net n = { " + "{ 10.0.0.1 }, " * 1000 + "not " * 65 + "10.0.0.2 }", "FW004"),
        ("\n".join(f"net n{i} = {{ n{i + 1} }}" for i in range(2000)) + "\nnet n2000 = ::1", "FW004"),
        (
            "\n".join(f"ports n{i} = {{ n{i + 1} }}" for i in range(2000))
            + "\nports n2000 = 1\nallow tcp to any port n0",
            "FW004",
        ),
        (
            "\n".join(f"service n{i} = {{ n{i + 1} }}" for i in range(2000)) + "\nservice n2000 = tcp/1\nallow n0",
            "FW004",
        ),
        ("\n".join(f"net n{i} = {'{' * 60} n{i + 1} {'}' * 60}" for i in range(60)) + "\nnet n60 = ::1", "FW004"),
        (
            "\n".join(f"service n{i} = {'{' * 60} n{i + 1} {'}' * 60}" for i in range(60)) + "\nservice n60 = tcp",
            "FW004",
        ),
        ("\n".join(f"net n{i} = n{(i + 1) % 40}" for i in range(40)), "FW103"),
        ("allow tcp from " + "x" * 1_000_000, "FW101"),
        ("allow tcp from " + ":" * 1_000_000, "FW104"),
        ("allow tcp from " + "1" * 1_000_000, "FW104"),
        ("allow tcp to any port " + "1" * 1_000_000, "FW111"),
        ("allow tcp to any port " + "a-" * 500_000 + "a", "FW112"),
        ("allow tcp to any port " + "1," * 100_000 + "1", "FW020"),
        ("allow " + "x" * 1_000_000, "FW115"),
        ("x" * 1_000_000, "FW012"),
        ("allow icmp type " + "x" * 1_000_000, "FW119"),
        ("allow tcp state " + "x" * 1_000_000, "FW123"),
        ("allow tcp flags " + "x" * 1_000_000, "FW121"),
        ("allow tcp flags " + "syn," * 100_000 + "x/syn", "FW121"),
        ("allow tcp in " + "x" * 1_000_000, "FW125"),
        ("allow tcp in " + '"' + "x" * 1_000_000, "FW016"),
        ("allow tcp in " + '"\\"' * 50_000, "FW010"),
        ("allow tcp until " + "1" * 1_000_000, "FW124"),
        ("expect allow tcp by " + "x" * 1_000_000, "FW130"),
        ("expect allow tcp " + "1:" * 500_000 + " -> ::1", "FW104"),
    ],
    ids=range(30),
)
def test_monsters_are_refused_quickly(text: str, code: str) -> None:
    caught: list[PolicyError] = []

    def refused() -> None:
        with pytest.raises(PolicyError) as told:
            loads(text, file="f")
        caught.append(told.value)

    done = lines(refused)
    assert done < 100 * len(text) + 200_000
    assert {d.code for d in caught[0].diagnostics} == {code}
    assert len(render(caught[0].diagnostics, caught[0].sources, color=False)) < 60_000


def test_long_chains_are_fine() -> None:
    chain = "net n = 10.0.0.0/8 " + " ".join(f"except 10.{i >> 8 & 255}.{i & 255}.1" for i in range(20_000))
    assert loads(chain).definitions
    assert show_document(parse(chain)).count("except") == 20_000


def test_definitions_may_build_on_each_other() -> None:
    text = (
        "\n".join(f"net n{i} = {{ n{i + 1}, 10.0.{i}.0/24 }}" for i in range(25)) + "\nnet n25 = ::1\nallow tcp from n0"
    )
    assert loads(text).rules[0].boxes[0].sets[1].size == 25 * 256 + 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "one line", "lines", "braces", "quotes", "long word"])
def test_twenty_megabytes_of_garbage(kind: str) -> None:
    draw = random.Random(7)
    size = 20_000_000
    printable = "".join(map(chr, range(33, 127))) + "    "
    data = {
        "binary": lambda: draw.randbytes(size),
        "one line": lambda: "".join(draw.choices(printable, k=size)).encode(),
        "lines": lambda: b"\n".join("".join(draw.choices(printable, k=66)).encode() for _ in range(300_000)),
        "braces": lambda: b"{ " * (size // 2),
        "quotes": lambda: b'"\\' * (size // 2),
        "long word": lambda: b"allow " + b"a" * size,
    }[kind]()
    with pytest.raises(PolicyError) as caught:
        loads(data.decode("utf-8", "surrogateescape"), file="f")
    screen = render(caught.value.diagnostics, caught.value.sources, color=False)
    assert len(caught.value.diagnostics) <= 1001
    assert len(screen) < 1_000_000


def huge_set(elements: int) -> str:
    lines = [f" 10.{i >> 15 & 255}.{i >> 7 & 255}.{2 * i & 254}, # host {i}" for i in range(elements)]
    return "net n = {\n" + "\n".join(lines) + "\n}\nallow tcp from n"


def many_rules(rules: int) -> str:
    return "\n".join(
        f"allow tcp from 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255} to any port {i % 60000} as r{i}"
        for i in range(rules)
    )


@pytest.mark.parametrize(("make", "count"), [(huge_set, 500), (many_rules, 500)])
def test_work_grows_linearly(make: Callable[[int], str], count: int) -> None:
    small, large = make(count), make(2 * count)
    loads(make(10))
    first = lines(lambda: loads(small))
    assert lines(lambda: loads(large)) < 2.1 * first


@pytest.mark.slow
def test_a_hundred_thousand_rules_load() -> None:
    assert len(loads(many_rules(100_000)).rules) == 100_000
