"""`check --fix --diff`: exactly what `--fix` would write, in every form, and nothing is written."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.commands import run
from support.schemas import hold

from fwengine.errors import Span, Suggestion, follow
from fwengine.report.mended import edits_of
from fwengine.report.unified import UNENDED, lines_of, unified

DAY = ("--as-of", "2026-11-25")
DRAFT = """\
net web = 192.0.2.80/30
allow tcp to web port { 80, 443 } as web-in
allow tcp to web port 80 as again  # twice
allow udp to any port 1-65535
allow udp to any port 1-65535
"""
PREVIEW = ("check", "--fix", "--diff", "rules", *DAY)
texts = st.lists(st.text("ab\t\r\x0b\u2028", max_size=3), max_size=12).map("\n".join)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "draft.fwl").write_text(DRAFT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def followed(before: str, diff: tuple[str, ...]) -> str:
    """A text that a unified diff was followed in, line by line."""
    old, out, at, last = lines_of(before), [], 0, ""
    for line in diff[2:]:
        sign, words = line[:1], line[1:]
        if line.startswith("@@"):
            begin, _, count = line.split()[1][1:].partition(",")
            start = int(begin) - (count != "0")
            out += old[at:start]
            at = start
        elif line == UNENDED:
            if last != "-":
                out[-1] = out[-1].removesuffix("\n")
        elif sign == "+":
            out.append(words + "\n")
        else:
            assert old[at].removesuffix("\n") == words
            if sign == " ":
                out.append(words + "\n")
            at += 1
        last = sign
    return "".join([*out, *old[at:]])


@given(texts, texts)
def test_a_diff_is_exact(before: str, after: str) -> None:
    """Whatever the lines hold, and however the last one ends."""
    diff = unified(before, after, "p.fwl")
    assert (diff == ()) == (before == after)
    assert followed(before, diff) == after


@given(texts, texts)
def test_edits_are_exact(before: str, after: str) -> None:
    edits = [Suggestion(Span(*vars(e.place).values()), e.text) for e in edits_of(before, after, "p.fwl")]
    assert follow(before, edits) == after


def test_it_writes_nothing_and_shows_what_fix_would(folder: Path) -> None:
    done = run(*PREVIEW)
    assert done.code == 1
    assert (folder / "rules" / "draft.fwl").read_text() == DRAFT
    assert "-allow tcp to web port 80 as again  # twice\n" in done.out
    assert "removed 2 statements; proved: no verdict changes" in done.err
    run("check", "--fix", "rules", *DAY)
    mended = (folder / "rules" / "draft.fwl").read_text()
    assert followed(DRAFT, tuple(done.out.splitlines())) == mended
    again = run(*PREVIEW)
    assert (again.code, again.out, again.err) == (0, "", "")


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs patch")
@pytest.mark.parametrize("text", [DRAFT, DRAFT.rstrip("\n"), DRAFT.replace(" as again", "\tas again\t")])
def test_patch_follows_it(folder: Path, text: str) -> None:
    draft = folder / "rules" / "draft.fwl"
    draft.write_text(text)
    shown = run(*PREVIEW).out
    run("check", "--fix", "rules", *DAY)
    mended = draft.read_text()
    draft.write_text(text)
    subprocess.run(["patch", "-p0"], input=shown, text=True, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    assert draft.read_text() == mended != text


def test_every_form_tells_the_same(folder: Path) -> None:
    done = run(*PREVIEW, "--format", "json")
    document = json.loads(done.out)
    hold(document, "check")
    (file,) = document["files"]
    assert (done.code, file["statements"], file["sets"], file["suppressions"]) == (1, 2, 0, 0)
    assert "\n".join(file["diff"]) + "\n" == run(*PREVIEW).out
    (result,) = json.loads(run(*PREVIEW, "--format", "sarif").out)["runs"][0]["results"]
    ((change,),) = [fix["artifactChanges"] for fix in result["fixes"]]
    assert len(change["replacements"]) == len(file["edits"])
    assert run(*PREVIEW, "--format", "github").out.startswith("::warning file=rules/draft.fwl,line=3,")
    assert "\n".join(file["diff"]) in run(*PREVIEW, "--format", "markdown").out
    assert 'failures="1"' in run(*PREVIEW, "--format", "junit").out
    assert (folder / "rules" / "draft.fwl").read_text() == DRAFT


def test_errors_are_told(folder: Path) -> None:
    (folder / "rules" / "bad.fwl").write_text("alow tcp\n")
    done = run(*PREVIEW)
    assert (done.code, "FW012" in done.err, "-allow tcp" in done.out) == (2, True, True)


@pytest.mark.parametrize("words", [["--diff"], ["--fix", "--diff", "--limit", "3"], ["--watch", "--fix"]])
def test_what_does_not_go_together(folder: Path, words: list[str]) -> None:
    done = run("check", "rules", *words)
    assert done.code == 2
    assert any(said in done.err for said in ("goes with", "not go with", "shows none"))


@pytest.mark.parametrize("limit", [1, 3, 4, 5, 6])
def test_a_limit_shows_so_many_findings_and_counts_the_rest(folder: Path, limit: int) -> None:
    whole, some = run("check", "rules", *DAY), run("check", "rules", "--limit", str(limit), *DAY)
    heads = [line for line in whole.out.splitlines() if "[FW" in line]
    assert len(heads) == 5
    assert [line for line in some.out.splitlines() if "[FW" in line] == heads[:limit]
    more = {1: "and 4 more findings (--limit)", 3: "and 2 more findings (--limit)", 4: "and 1 more finding (--limit)"}
    assert some.out.splitlines()[-1] == more.get(limit, whole.out.splitlines()[-1])
    assert (some.code, whole.out.splitlines()[-1] in some.out) == (
        whole.code,
        True,
    )  # what counts, and is counted, stays
    data = [run("check", "rules", *more, "--format", "json", *DAY).out for more in ([], ["--limit", str(limit)])]
    assert data[0] == data[1]
