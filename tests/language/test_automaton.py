"""What the automaton makes of a text is what Lark's parser makes of it: the tree with its places; and the tokens are Lark's."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark.exceptions import UnexpectedCharacters, UnexpectedInput
from support.paths import ROOT

from fwengine.language.syntax import automaton, parser, tables
from fwengine.language.syntax.automaton import Automaton
from fwengine.language.syntax.build import Build
from fwengine.language.syntax.mistakes import SyntaxMistake
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
    """The tree, the mistake found in building it, or None if there is no such text."""
    try:
        return repr(LARK.parse(text, start=start))
    except UnexpectedInput:
        return None
    except SyntaxMistake as mistake:
        return mistake.code, mistake.at


def by_automaton(text: str, start: str) -> Any:
    try:
        found = quick().parse(text, start)
    except SyntaxMistake as mistake:
        return mistake.code, mistake.at
    return None if found is None else repr(found[0])


def by_product(text: str, start: Any) -> Any:
    try:
        return repr(parser._parse(text, start))
    except SyntaxMistake as mistake:
        return mistake.code, mistake.at


def quick() -> Automaton:
    found = parser._automaton()
    assert found is not None, "run python -m fwengine.language.syntax.tables"
    return found


def same_tokens(text: str) -> None:
    mine = quick().tokens(text)
    try:
        lark = [(t.type, str(t), t.line, t.column, t.end_line, t.end_column) for t in LARK.lex(text)]
    except UnexpectedCharacters:
        assert mine is None
        return
    if mine is not None:
        assert [tuple(t) for t in mine] == lark
    else:
        assert "#" in text or text != text.rstrip()


@pytest.mark.parametrize("text", LINES)
def test_the_examples(text: str) -> None:
    """Twice: the second time the calls are known."""
    if "#" in text:
        return
    same_tokens(text)
    expected = by_lark(text, "statement")
    assert by_automaton(text, "statement") == expected
    assert by_automaton(text, "statement") == expected


@given(texts)
def test_tokens(text: str) -> None:
    same_tokens(text)


@given(st.text(alphabet='abn0.,:-/={}<>!"\\ \t#é\r\n', max_size=20))
def test_tokens_of_any_text(text: str) -> None:
    same_tokens(text)


def test_other_words_of_the_same_kinds() -> None:
    """Statements of one shape with other words, gaps and quotes."""
    draw = random.Random(7)
    shapes = {tuple(t.type for t in quick().tokens(text) or ()) for text in LINES} - {()}
    for types in sorted(shapes):
        for _ in range(5):
            words = []
            for type_ in types:
                same = [w for w in WORDS if [t.type for t in quick().tokens(w) or ()] == [type_]]
                words.append(draw.choice(same))
            text = draw.choice(["", " ", "\t", "\n"]) + draw.choice([" ", "  ", "\t ", " \n", "\r\n  "]).join(words)
            tokens = quick().tokens(text)
            assert tokens is not None
            assert tuple(t.type for t in tokens) == types
            assert by_product(text, "statement") == by_lark(text, "statement")


@pytest.mark.parametrize("start", tables.STARTS)
@given(texts)
def test_texts_of_any_shape(start: Any, text: str) -> None:
    """Most of them are mistakes: of those the automaton makes nothing."""
    expected = by_lark(text, start)
    assert by_automaton(text, start) == expected
    if expected is None:
        with pytest.raises(SyntaxMistake):
            parser._parse(text, start)


def test_each_text_of_a_few_tokens() -> None:
    """Whatever the tables say of so many types: both accept it, or neither does."""
    types = {w: quick().tokens(w)[0].type for w in WORDS if len(quick().tokens(w) or ()) == 1}  # type: ignore[index]  # of one
    one = {type_: word for word, type_ in reversed(types.items())}  # a word for each type
    accepted = 0
    for start in tables.STARTS:
        for size in (1, 2, 3):
            for chosen in itertools.product(sorted(one), repeat=size):
                text = " ".join(one[type_] for type_ in chosen)
                right = by_lark(text, start) is not None
                assert (quick().program(chosen, start) is not None) == right, (start, text)
                accepted += right
    assert accepted > 100


def test_a_mistake_of_the_tree_is_told() -> None:
    for name in ("log", "log", "established"):
        text = f"allow tcp {name} {name}"
        assert by_product(text, "statement")[0] == "FW018"
        assert by_product(text, "statement") == by_lark(text, "statement")


def test_long_statements_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    items = ", ".join(f"10.0.0.{n}" for n in range(200))
    for text in (f"net n = {{ {items} }}", "net n = {\n  " + items.replace(", ", ",\n  ") + "\n}"):
        before = len(quick()._programs)
        assert by_automaton(text, "statement") == by_lark(text, "statement")
        assert len(quick()._programs) == before
    monkeypatch.setattr(automaton, "MOST_SHAPES", 0)
    assert quick().parse("ports p = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }", "statement") is not None
    assert len(quick()._programs) == before
