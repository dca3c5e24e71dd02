"""Suppressions in the text: what they hold for, what is wrong with them, and that nothing but findings obeys them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.commands import run

from fwengine import check, loads
from fwengine.analysis.diff import equivalent
from fwengine.errors import follow
from fwengine.fix import fix
from fwengine.language.suppression import suppressions
from fwengine.language.syntax.parser import parse
from fwengine.language.syntax.printer import show_document
from fwengine.policy import Policy
from fwengine.report.findings import examine, selected, to_diagnostics

DAY = datetime.date(2026, 11, 25)
KNOWN = ("FW202", "FW209", "FW301", "FW303", "FW305")


def read(text: str) -> Policy:
    return loads(text, file="p.fwl", as_of=DAY)


def codes(text: str) -> list[tuple[str, int]]:
    policy = read(text)
    return [(d.code, d.span.line) for d in to_diagnostics(policy, check(policy))]


PORTS = "allow tcp to 192.0.2.1 port 80 as web"  # FW303


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"{PORTS}\n", [("FW303", 1)]),
        (f"{PORTS}  # fwengine: ignore FW303: why\n", []),
        (f"# fwengine: ignore FW303: why\n{PORTS}\n", []),
        (f"# fwengine: ignore FW303: why\n# and more\n{PORTS}\n", []),
        (f"#fwengine:ignore FW303:why\n{PORTS}\n", []),
        (f"\ufeff# fwengine: ignore FW303: why\r\n{PORTS}\r\n", []),
        ("allow tcp to { 192.0.2.1,  # fwengine: ignore FW303: why\n 192.0.2.2 } port 80\n", []),
        ("allow tcp to { 192.0.2.1,\n # fwengine: ignore FW303: why\n 192.0.2.2 } port 80\n", []),
        ("allow tcp to { 192.0.2.1,\n 192.0.2.2 } port 80 # fwengine: ignore FW303: why\n", []),
        (f"# fwengine: ignore FW303 until 2026-11-25: why\n{PORTS}\n", []),
        (f"# fwengine: ignore FW303 until 2026-11-24: why\n{PORTS}\n", [("FW303", 2), ("FW222", 1)]),
        (f"# fwengine: ignore FW303: why\n\n{PORTS}\n", [("FW303", 3), ("FW221", 1)]),
        (f"{PORTS}\n# fwengine: ignore FW303: why\n", [("FW303", 1), ("FW221", 2)]),
        (f"{PORTS}  # fwengine: ignore FW303, FW302: why\n", [("FW221", 1)]),
        (f"# fwengine: ignore FW303: a\n{PORTS}  # fwengine: ignore FW303: b\n", [("FW221", 2)]),
        # quiet codes are not looked for: whether that is of use is not known
        (f"{PORTS}  # fwengine: ignore FW303 FW205: why\n", []),
        (f'{PORTS} in "# fwengine: ignore FW303: why"\n', [("FW303", 1)]),
        ("net a = 192.0.2.1 # fwengine: ignore FW209: later\nallow udp\n", []),
        ("allow tcp to any port { 80, 80-90 } # fwengine: ignore FW210,FW303: clearer\n", []),
    ],
)
def test_what_it_holds_for(text: str, left: list[tuple[str, int]]) -> None:
    assert codes(text) == left


WRONG = [
    ("# fwengine: ignore FW33: why", "`FW33` is not a code of a finding", "# fwengine: ignore FW303: why"),
    ("# fwengine: ignore fw303: why", "`fw303` is not a code of a finding", "# fwengine: ignore FW303: why"),
    ("# fwengine: ingore FW303: why", "`ingore` is not an instruction", "# fwengine: ignore FW303: why"),
    ("# fwengine: noqa FW303: why", "`noqa` is not an instruction", "# fwengine: ignore FW303: why"),
    ("# fwengine ignore FW303: why", "a `:` is missing", "# fwengine: ignore FW303: why"),
    ("# fwengine: ignore FW303 vendor range", "a `:` is missing before", "# fwengine: ignore FW303: vendor range"),
    ("# fwengine: ignore FW303, FW303: why", "`FW303` is listed twice", "# fwengine: ignore FW303: why"),
    (
        "# fwengine: ignore FW303 until 2027-1-31: why",
        "is not a date",
        "# fwengine: ignore FW303 until 2027-01-31: why",
    ),
    ("# fwengine: ignore FW303 until 2027-02-30: why", "there is no day", None),
    ("# fwengine: ignore FW303 until: why", "the day is missing", None),
    ("# fwengine: ignore FW303 till 2027-01-31: why", "expected codes and a day before the `:`", None),
    ("# fwengine: ignore FW303:", "a reason is missing", None),
    ("# fwengine: ignore FW303", "a reason is missing", None),
    ("# fwengine: ignore: why", "no code is named", None),
    ("# fwengine: ignore", "no code is named", None),
    ("# fwengine:", "it does not say what to do", None),
    ("# fwengine: ignore FW012: why", "`FW012` cannot be ignored: only findings can", None),
    ("# fwengine: ignore FW221: why", "`FW221` cannot be ignored: only findings can", None),
    ("# fwengine: ignore all: why", "`all` is not a code of a finding", None),
]


@pytest.mark.parametrize(("comment", "said", "mended"), WRONG)
def test_what_is_wrong(comment: str, said: str, mended: str | None) -> None:
    """It sets nothing aside, is told at its place, and its suggestion is one that works."""
    text = f"{comment}\n{PORTS}\n"
    assert codes(text) == [("FW303", 2), ("FW220", 1)]
    policy = read(text)
    d = next(d for d in to_diagnostics(policy, check(policy)) if d.code == "FW220")
    assert said in d.message
    assert d.help
    assert d.severity == "warning"
    assert (follow(text, d.suggestions[:1]) if d.suggestions else None) == (mended and f"{mended}\n{PORTS}\n")
    if mended:
        assert codes(f"{mended}\n{PORTS}\n") == []


@pytest.mark.parametrize(
    "comment", ["# fwengine is good", "# see fwengine: ignore FW303: why", "# fwengine test a.fwl"]
)
def test_other_comments_are_none(comment: str) -> None:
    assert codes(f"{comment}\n{PORTS}\n") == [("FW303", 2)]


def test_errors_cannot_be_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "bad.fwl"
    path.write_text("# fwengine: ignore FW012, FW303: I insist\nalow tcp\n")
    assert run("check", path).code == 2


LINES = (
    "net spare = 192.0.2.9", "net web = { 192.0.2.1, 192.0.2.2 }", "allow tcp to web port 80",
    "allow tcp to { 192.0.2.1, 192.0.2.1 } port 80", "allow tcp", "deny udp to web", "allow udp to web port 1-65535",
    "allow tcp to { 192.0.2.1,\n    192.0.2.7 } port 22", "", "# a comment",
)  # fmt: skip
COMMENTS = st.sets(st.sampled_from(["FW201", "FW202", "FW203", "FW209", "FW210", "FW302", "FW303"]), min_size=1).map(
    lambda some: f"# fwengine: ignore {', '.join(sorted(some))}: why"
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    out, defined = [], set()
    for line in draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=8)):
        if line.startswith("net"):
            if line in defined:
                continue
            defined.add(line)
        if draw(st.booleans()):
            out.append(draw(COMMENTS))
        behind = not line.startswith("#") and draw(st.booleans())
        out.append(f"{line}  {draw(COMMENTS)}" if behind else line)
    if LINES[1] not in out and not any(line.startswith(LINES[1]) for line in out):
        out.append(LINES[1])
    return "\n".join(out) + "\n"


@given(texts())
def test_nothing_but_what_it_names_at_its_statement_is_set_aside(text: str) -> None:
    """Definition: a finding goes if a comment of its statement names it; compared with the text without comments."""
    policy = read(text)
    bare = read("\n".join(line.partition("# fwengine")[0] for line in text.split("\n")))
    every = examine(bare, every=True).findings
    seen = examine(policy, every=True)
    assert sorted((f.code, f.rule or -1) for f in every) == sorted(
        (f.code, f.rule or -1) for f in [*seen.findings, *(one.finding for one in seen.ignored)]
    )
    for one in seen.ignored:
        assert one.finding.code in one.by.codes
        assert one.by.covers is not None


@given(texts())
def test_formatting_keeps_what_they_hold_for(text: str) -> None:
    """The canonical text has the same findings, and the same ones are set aside."""
    before, after = (read(t) for t in (text, show_document(parse(text))))
    for policy in (before, after):
        assert [(f.code, f.rule) for f in check(policy)] == [(f.code, f.rule) for f in check(before)]
    assert [(i.finding.code, i.finding.rule, i.by.reason) for i in examine(before).ignored] == [
        (i.finding.code, i.finding.rule, i.by.reason) for i in examine(after).ignored
    ]


@given(texts())
def test_advice_together_and_fix(text: str) -> None:
    """All that one run proposes can be followed together, and what `--fix` leaves sets aside just what it did before."""
    policy = read(text)
    found = check(policy)
    mends = [d.suggestions[0] for d in to_diagnostics(policy, found) if d.suggestions]
    read(follow(text, mends))
    fixed = fix(policy, text, read, selected([], []))
    if fixed.text is not None:
        after = read(fixed.text)
        assert equivalent(policy, after)
        assert not [f for f in check(after) if f.code == "FW221"]
        kept = {
            (i.finding.code, policy.sources["p.fwl"].split("\n")[i.by.covers[0] - 1])
            for i in examine(policy).ignored
            if i.by.covers
        }
        for one in examine(after).ignored:
            assert one.by.covers is not None
            line = fixed.text.split("\n")[one.by.covers[0] - 1]
            assert any(code == one.finding.code for code, _ in kept), line


def test_a_moved_rule_takes_its_comment_along() -> None:
    text = (
        "# fwengine: ignore FW303: a\nallow tcp to 192.0.2.0/24 port 22 as all\n"
        "# fwengine: ignore FW303: b\ndeny tcp to 192.0.2.1 port 22 as one\n"
    )
    policy = read(text)
    d = next(d for d in to_diagnostics(policy, check(policy)) if d.code == "FW201")
    lines = follow(text, d.suggestions).splitlines()
    assert [line[-6:] for line in lines] == ["303: b", "as one", "303: a", "as all"]


def test_where_lines_are_counted_they_stay() -> None:
    text = (
        "# fwengine: ignore FW302: gone\nallow udp to 192.0.2.1 port 53\n"
        "expect allow udp 192.0.2.9:53 -> 192.0.2.1:53 by p.fwl:2\n"
    )
    fixed = fix(read(text), text, read, {"FW221", "FW302"})
    assert fixed.text is not None
    assert fixed.text.startswith("#\nallow")


def test_one_that_is_set_aside_hides_no_other() -> None:
    """FW303 is told of the first rule affected: with that set aside, of the next, until each has its own reason."""
    lines = ["allow tcp to 192.0.2.1 port 80", "allow tcp to 192.0.2.2 port 80", "allow tcp to 192.0.2.3 port 80"]
    aside = "  # fwengine: ignore FW303: why"
    assert codes("\n".join(lines)) == [("FW303", 1)]
    assert codes("\n".join([lines[0] + aside, *lines[1:]])) == [("FW303", 2)]
    assert codes("\n".join([lines[0], lines[1] + aside, lines[2]])) == [("FW303", 1)]
    assert codes("\n".join([lines[0], *(line + aside for line in lines[1:])])) == [("FW303", 1)]
    assert codes("\n".join(line + aside for line in lines)) == []


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "part.fwl").write_text(
        "# fwengine: ignore FW202, FW303: by some\nallow tcp to 192.0.2.1 port 80 as web\n"
    )
    (tmp_path / "edge.fwl").write_text('allow tcp to 192.0.2.1\ninclude "part.fwl"\n')
    (tmp_path / "other.fwl").write_text('include "part.fwl"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_included_file_is_of_use_to_all_of_a_run(shop: Path) -> None:
    """`FW202` is found in one policy, `FW303` in others: alone, the file has a comment too many; together, none."""
    assert "nothing here is `FW202`" in run("check", "part.fwl").out
    together = run("check", ".")
    assert (together.code, "FW221" in together.out) == (0, False)
    assert "part.fwl: ok, 1 rule, default deny, 1 ignored" in together.out
    before = (shop / "part.fwl").read_text()
    run("check", "--fix", ".")
    assert (shop / "part.fwl").read_text() == before
    assert "removed 1 suppression; proved" in run("check", "--fix", "part.fwl").err
    assert "ignore FW303: by some" in (shop / "part.fwl").read_text()


def test_the_record(shop: Path) -> None:
    (entry,) = run("check", "other.fwl", "--format", "json").json["ignored"]
    found = entry["finding"]
    assert (found["code"], found["rule"]["label"], entry["reason"], entry["until"]) == ("FW303", "web", "by some", None)
    assert entry["comment"]["line"] == 1
    (shop / "part.fwl").write_text("allow tcp to 192.0.2.1 port 80  # fwengine: ignore FW303 until 2026-12-31: x\n")
    assert run("check", "part.fwl", "--strict", "--as-of", "2026-12-31").code == 0
    late = run("check", "part.fwl", "--strict", "--as-of", "2027-01-01")
    assert (late.code, "FW222" in late.out, "FW303" in late.out) == (1, True, True)
    assert run("check", "part.fwl", "--ignore", "FW222,FW303", "--as-of", "2027-01-01").code == 0


@given(st.text(st.sampled_from("FW303,: untilignore2027-#\t")))
def test_any_comment_is_read(rest: str) -> None:
    found = suppressions(f"allow tcp # fwengine: {rest}\n", "p.fwl", KNOWN)
    assert len(found.good) + len(found.wrong) == 1


def test_capitals_are_not_passed_over() -> None:
    """In another case it is the same, or told: never an ordinary comment."""
    for comment in ("# Fwengine: ignore FW303: why", "# FWENGINE: ignore FW303: why"):
        assert codes(f"{comment}\n{PORTS}\n") == []
    assert "FW220" in [code for code, _ in codes(f"# FWENGINE: IGNORE FW303: why\n{PORTS}\n")]
