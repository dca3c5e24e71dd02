"""Diagnostics as screens: the caret stands under the words, whatever the line holds, and nothing is passed on unseen."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwengine.errors import Diagnostic, Label, Severity, Span
from fwengine.report.screen import WIDTH, render, visible

FILE = "p.fwl"


def at(line: int, column: int, end: int, file: str = FILE, end_line: int | None = None) -> Span:
    return Span(file, line, column, end_line or line, end)


def screen(text: str, span: Span, label: str = "") -> list[str]:
    return render([Diagnostic("FW012", "a message", span, label)], {FILE: text}).splitlines()


def columns(text: str) -> int:
    """As a terminal counts."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def test_a_whole_screen() -> None:
    d = Diagnostic(
        "FW126", "two rules are called `web`", at(12, 24, 27), "used again", "rename one", "error",
        (Label(at(7, 1, 6), "first used here"), Label(at(1, 1, 4, "other.fwl"), "and here")), ("witness: x",),
    )  # fmt: skip
    sources = {FILE: "\n" * 6 + "allow\n" + "\n" * 4 + "allow tcp from mail as web\n", "other.fwl": "net\n"}
    assert render([d], sources) == (
        "error[FW126]: two rules are called `web`\n"
        "  --> p.fwl:12:24\n"
        "   |\n"
        " 7 | allow\n"
        "   | ----- first used here\n"
        "...\n"
        "12 | allow tcp from mail as web\n"
        "   |                        ^^^ used again\n"
        "  ::: other.fwl:1\n"
        "   |\n"
        " 1 | net\n"
        "   | --- and here\n"
        "   = witness: x\n"
        "   = help: rename one\n"
    )


def test_several_are_apart_and_none_is_nothing() -> None:
    d = Diagnostic("FW012", "m", at(1, 1, 2))
    assert render([d, d], {FILE: "x"}).count("\n\nerror[FW012]") == 1
    assert render([], {}) == ""


@pytest.mark.parametrize("severity", ["error", "warning", "info"])
def test_colours_change_nothing_else(severity: Severity) -> None:
    d = Diagnostic("FW012", "m", at(1, 2, 3), "l", "h", severity, (Label(at(1, 1, 2), "x"),), ("n",))
    coloured = render([d], {FILE: "abc"}, color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render([d], {FILE: "abc"})
    assert "\x1b[" in coloured


@pytest.mark.parametrize(
    ("text", "column", "end", "caret"),
    [
        ("abc def", 5, 8, "def"),
        ("é\u20ac\u00fc def", 5, 8, "def"),
        ("漢字 def", 4, 7, "def"),  # two columns each
        ("漢字 def", 1, 3, "漢字"),
        ("e\u0301e\u0301 def", 6, 9, "def"),  # combining, none
        ("\tx\tdef", 4, 7, "def"),
        ("\x1b[31mdef", 6, 9, "def"),
        ("\u202edef", 2, 5, "def"),
        ("def\r", 1, 4, "def"),
    ],
)
def test_the_caret_stands_under_the_words(text: str, column: int, end: int, caret: str) -> None:
    shown, marks = screen(text, at(1, column, end), label="here")[3:5]
    before = marks.index("^")
    length = marks.count("^")
    prefix = next(n for n in range(len(shown) + 1) if columns(shown[:n]) == before)
    cut = next(n for n in range(prefix, len(shown) + 1) if columns(shown[prefix:n]) == length)
    assert shown[prefix:cut] == caret


@pytest.mark.parametrize("text", ["", "ab"])
def test_a_place_behind_the_end_has_a_caret(text: str) -> None:
    lines = screen(text, at(1, len(text) + 1, len(text) + 1), label="expected more")
    assert lines[-1].endswith("^ expected more")
    assert lines[-1].index("^") == len("1 | ") + len(text)


def test_a_place_over_several_lines_is_marked_to_the_lines_end() -> None:
    assert screen("net a = {\n  b }\n", at(1, 9, 4, end_line=2))[4] == "  |         ^"


def test_a_place_that_is_not_there_is_only_named() -> None:
    assert screen("a\n", at(9, 1, 2), label="here")[:2] == ["error[FW012]: a message", " --> p.fwl:9:1"]
    lines = render([Diagnostic("FW001", "cannot read `x`", at(1, 1, 1, "x"), "gone", "look")], {}).splitlines()
    assert lines == ["error[FW001]: cannot read `x`", " --> x:1:1", "  = gone", "  = help: look"]


@pytest.mark.parametrize("column", [1, 50, 300, 599])
def test_a_long_line_is_shown_around_the_caret(column: int) -> None:
    text = "".join(chr(97 + n % 26) for n in range(600))
    shown, marks = screen(text, at(1, column, column + 1))[3:5]
    assert len(shown) <= WIDTH + len("1 | ") + 2
    assert shown[marks.index("^")] == text[column - 1]
    assert ("…" in shown[:5], shown.endswith("…")) == (column > 41, column < 560)


@pytest.mark.parametrize("width", [40, 80, 100])
@given(
    st.lists(st.text("ab {},é漢\u0301", min_size=1, max_size=12), max_size=30),
    st.integers(1, 300),
    st.integers(0, 200),
    st.lists(st.text("abc", min_size=1, max_size=9), min_size=1, max_size=30),
)
def test_lines_fit_the_terminal_and_the_caret_stands_all_the_same(
    width: int, words: list[str], column: int, length: int, said: list[str]
) -> None:
    text, told = " ".join(words), " ".join(said)
    d = Diagnostic("FW012", told, at(1, column, column + length), told, told, "error", (), (told,))
    lines = render([d], {FILE: text}, width=width).splitlines()
    assert [line for line in lines if columns(line) > width] == []
    place = next(n for n, line in enumerate(lines) if " --> " in line)
    assert " ".join(" ".join(lines[:place]).split()).split(": ", 1)[-1].strip(":") == " ".join(told.split())
    shown, marks = lines[place + 2] + " " * width, lines[place + 3]
    if column <= len(text):
        before = marks.index("^")
        prefix = next(n for n in range(len(shown) + 1) if columns(shown[:n]) == before)
        assert text[column - 1] in shown[prefix : prefix + 2]  # behind what combines with the one before


def test_what_cannot_be_seen_is_shown() -> None:
    assert visible("a\tb") == "a b"
    assert visible("\x00\x1b\x7f\x9b") == "\ufffd" * 4
    assert visible("\u202e\u200b\ud800") == "<U+202E><U+200B><U+D800>"
    assert visible("plain é 漢") == "plain é 漢"


@given(st.text(max_size=40), st.integers(1, 45), st.integers(0, 10), st.text(max_size=10), st.booleans())
def test_nothing_of_a_source_is_obeyed(text: str, column: int, length: int, word: str, color: bool) -> None:
    """Whatever stands in the source, the message and the file's name: each line is a line, and nothing moves."""
    file = f"f{word}"
    d = Diagnostic("FW012", f"m {word}", Span(file, 1, column, 1, column + length), word, word, "error", (), (word,))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", render([d], {file: text}, color=color))
    assert not [c for c in shown if c != "\n" and not c.isprintable()]
    assert all(re.match(r"error\[|[ 0-9]*(?:-->|\||=)", line) for line in shown.rstrip("\n").split("\n"))
