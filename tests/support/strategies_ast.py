"""Hypothesis strategies for syntax trees of the rule language, in the form that the parser gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from hypothesis import strategies as st

from fwengine.language.syntax.ast import (
    OPTIONS,
    Blank,
    Comment,
    Compare,
    Default,
    Definition,
    Document,
    End,
    Except,
    Expect,
    Expr,
    Include,
    Match,
    Not,
    Option,
    Rule,
    Set,
    Statement,
    String,
    Word,
    WrittenPacket,
)
from fwengine.language.syntax.mistakes import KEYWORDS

_CHARACTERS = "abcxyzANY0189._-/:[]@+*$%&'()~^|;?é"


def _is_word(text: str) -> bool:
    return text not in KEYWORDS and "->" not in text and not text.endswith("-")


words = st.builds(Word, st.text(_CHARACTERS, min_size=1, max_size=8).filter(_is_word))
strings = st.builds(String, st.text(max_size=8))
actions: st.SearchStrategy[Literal["allow", "deny"]] = st.sampled_from(["allow", "deny"])
compares = st.builds(Compare, st.sampled_from([">=", "<=", ">", "<", "!=", "=="]), words)
notes = st.one_of(st.just("#"), st.text('abc #"{}é,', max_size=10).map(lambda t: f"# {t}".rstrip()))


@st.composite
def comments(draw: st.DrawFn, items: int) -> tuple[Comment, ...]:
    """Comments in a set: at most one behind each element (or behind the brace), then those on lines of their own."""
    out: list[Comment] = []
    for before in range(items + 1):
        if draw(st.integers(0, 3)) == 0:
            out.append(Comment(draw(notes), before, False))
        if draw(st.integers(0, 5)) == 0:
            out.append(Comment(draw(notes), before, True))
    return tuple(out)


@st.composite
def sets(draw: st.DrawFn, items: st.SearchStrategy[Expr]) -> Set:
    chosen = tuple(draw(st.lists(items, max_size=4)))
    return Set(chosen, draw(st.one_of(st.just(()), comments(len(chosen)))))


def _terms(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    terms = st.one_of(words, strings, compares, sets(inner))
    return st.one_of(terms, st.builds(Not, terms), st.builds(Not, st.builds(Not, terms)))


def _expressions(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    terms = _terms(inner)
    return st.one_of(terms, st.builds(Except, terms, st.lists(terms, min_size=1, max_size=3).map(tuple)))


expressions: st.SearchStrategy[Expr] = st.recursive(words, _expressions, max_leaves=12)
flag_words = st.builds(
    Word, st.lists(st.sampled_from(["syn", "ack", "syn/syn", "x"]), min_size=1, max_size=3).map(",".join)
)
flag_tests: st.SearchStrategy[Expr] = st.recursive(
    flag_words, lambda inner: st.one_of(flag_words, st.builds(Not, inner), sets(inner)), max_leaves=5
)


states: st.SearchStrategy[Expr] = st.recursive(words | st.just(Word("established")), _expressions, max_leaves=6)


@st.composite
def options(draw: st.DrawFn, values: bool = True) -> tuple[Option, ...]:
    names: Sequence[str] = sorted(draw(st.sets(st.sampled_from(OPTIONS), max_size=4)), key=OPTIONS.index)
    out = []
    for name in names:
        value: Expr | None = None
        if name == "flags":
            value = draw(flag_tests)
        elif name == "state":
            value = draw(states)
        elif name in ("until", "as"):
            value = draw(words)
        elif name not in ("established", "log"):
            value = draw(expressions)
        out.append(Option(name, value))
    return tuple(out)


ends = st.none() | st.builds(End, expressions, st.none() | expressions)
matches = st.builds(Match, expressions, ends, ends, options())
packets = st.builds(WrittenPacket, words, words, words, options())
rules = st.builds(Rule, actions, matches)
definitions = st.builds(Definition, st.sampled_from(["net", "ports", "service", "interface"]), words, expressions)
expects = st.builds(Expect, actions, matches | packets, st.none() | words | st.just(Word("default")))
contents = st.one_of(
    rules, rules, definitions, definitions, expects, st.builds(Default, actions), st.builds(Include, strings)
)
statements = st.builds(Statement, contents, st.just("") | notes)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents without doubled, leading or trailing empty lines, which printing takes away."""
    lines: list[Statement | Blank] = []
    for line in draw(st.lists(st.one_of(statements, st.builds(Blank, st.just("") | notes)), max_size=6)):
        if line == Blank() and (not lines or lines[-1] == Blank()):
            continue
        lines.append(line)
    while lines and lines[-1] == Blank():
        lines.pop()
    return Document(tuple(lines))
