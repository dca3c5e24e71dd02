"""What is replayed is what the parser makes of it: the tree with its places, or the mistake; and the tokens are Lark's."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark.exceptions import UnexpectedCharacters
from support.paths import ROOT

from fwengine.language.syntax import parser, tables
from fwengine.language.syntax.build import Build
from fwengine.language.syntax.mistakes import SyntaxMistake
from fwengine.language.syntax.replay import MOST_TOKENS, Recorder, Replay
from fwengine.language.syntax.statements import pieces

LARK = tables.parser(Build())  # type: ignore[arg-type]  # any object with the rules' names will do
LINES = sorted(
    {p.text for path in sorted((ROOT / "rules").rglob("*.fwl")) for p in pieces(path.read_text("utf-8")) if p.text}
)
VOCABULARY = """
allow deny net ports service interface default include expect from to port except by or unless not as established log flags
type code fragment in out state dscp ttl hoplimit length until -> = , { } >= <= > < != == tcp any 10.0.0.0/8 ::1 80 80-90
80,443 a->b a-b "x" "a\\"b" "a\\q" 1,2,3 a= -- - ->x new é
"""
WORDS = VOCABULARY.split()
texts = st.lists(st.sampled_from(WORDS), max_size=12).flatmap(
    lambda words: st.sampled_from([" ", "", "  ", "\t"]).map(lambda gap: gap.join(words))
)


def by_lark(text: str, start: str) -> Any:
    try:
        return repr(LARK.parse(text, start=start))
    except SyntaxMistake as mistake:
        return mistake.code, mistake.at


def by_product(text: str, start: Any) -> Any:
    try:
        return repr(parser._parse(text, start))
    except SyntaxMistake as mistake:
        return mistake.code, mistake.at


def same_tokens(text: str) -> None:
    replay = parser._replay()
    mine = replay.tokens(text)
    try:
        lark = [(t.type, str(t), t.line, t.column, t.end_line, t.end_column) for t in LARK.lex(text)]
    except UnexpectedCharacters:
        assert mine is None
        return
    if mine is not None:
        assert [tuple(t) for t in mine] == lark
    else:
        assert len(lark) > MOST_TOKENS or not set("\r\n#").isdisjoint(text) or text != text.rstrip()


@pytest.mark.parametrize("text", LINES)
def test_the_examples_twice(text: str) -> None:
    """The second time what is shown is replayed, if it is one line."""
    if "#" in text:
        return
    same_tokens(text)
    expected = by_lark(text, "statement")
    assert by_product(text, "statement") == expected
    assert by_product(text, "statement") == expected
    if "\n" not in text:
        tokens = parser._replay().tokens(text)
        assert tokens is None or parser._replay().run(tokens, "statement") is not None


@given(texts)
def test_tokens(text: str) -> None:
    same_tokens(text)


@given(st.text(alphabet='abn0.,:-/={}<>!"\\ \t#é\r\n', max_size=20))
def test_tokens_of_any_text(text: str) -> None:
    same_tokens(text)


def test_other_words_of_the_same_kinds() -> None:
    """Statements of one shape with other words, gaps and quotes: each as the parser has it, replayed or not."""
    draw = random.Random(7)
    shapes: dict[tuple[str, ...], list[str]] = {}
    for text in LINES:
        tokens = parser._replay().tokens(text) if "\n" not in text else None
        if tokens:
            shapes.setdefault(tuple(t.type for t in tokens), []).append(text)
    replayed = 0
    for types in shapes:
        for _ in range(5):
            words = []
            for type_ in types:
                same = [w for w in WORDS if [t.type for t in parser._replay().tokens(w) or ()] == [type_]]
                words.append(draw.choice(same))
            text = draw.choice(["", " ", "\t"]) + draw.choice([" ", "  ", "\t "]).join(words)
            tokens = parser._replay().tokens(text)
            assert tokens is not None
            assert tuple(t.type for t in tokens) == types
            assert by_product(text, "statement") == by_lark(text, "statement")
            try:
                replayed += parser._replay().run(tokens, "statement") is not None
            except SyntaxMistake:
                replayed += 1
    assert replayed >= len(shapes)


@given(texts)
def test_texts_of_any_shape(text: str) -> None:
    """Most of them are mistakes, which are the parser's own."""
    for _ in range(2):
        try:
            expected = repr(LARK.parse(text, start="statement"))
        except Exception:  # whatever it is, the product tells a mistake
            with pytest.raises(SyntaxMistake):
                parser._parse(text, "statement")
        else:
            assert by_product(text, "statement") == expected


def test_a_mistake_is_told_by_the_replay_too() -> None:
    for name in ("log", "log", "established"):
        text = f"allow tcp {name} {name}"
        assert by_product(text, "statement")[0] == "FW018"
        assert by_product(text, "statement") == by_lark(text, "statement")


def test_calls_of_another_statement_are_not_mixed_in() -> None:
    """What a parser that is not recorded does is not written down."""
    recorder = Recorder(Build())
    assert recorder.atom([LARK.lex("a").__next__()]).text == "a"
    recorder.begin()
    assert recorder.end() == []


def test_no_more_shapes_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fwengine.language.syntax.replay.MOST_SHAPES", 0)
    replay = Replay({"allow": "ALLOW"})
    tokens = replay.tokens("allow tcp")
    assert tokens is not None
    replay.learn(tokens, "statement", [(tuple, (), ())])
    assert replay.run(tokens, "statement") is None
