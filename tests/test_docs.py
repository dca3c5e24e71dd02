"""The pages under docs/: every command prints what is shown, every example runs or compiles, every wrong one gives just that error.

`FWENGINE_GOLDEN=write pytest tests/test_docs.py` writes what commands print, and the errors of wrong examples, anew: to be read.
"""

from __future__ import annotations

import doctest
import os
import re
from pathlib import Path

import pytest
from handbook import places
from support.blocks import Block, blocks
from support.consoles import commands_of, printed, rewritten
from support.paths import ROOT

from fwengine.errors import PolicyError
from fwengine.policy import loads
from fwengine.report.screen import render

PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "playground" not in path.parts)
SAYS = "fwengine says"
WRONG = "Wrong"
WRITE = os.environ.get("FWENGINE_GOLDEN") == "write"
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT / "docs").as_posix())


@pytest.fixture
def folder(tmp_path: Path, page: Path) -> Path:
    """Where a reader of the page stands: in the repository's examples; of the tutorial, in an empty folder."""
    out = tmp_path / "work"
    out.mkdir()
    if page.name != "tutorial.md":
        (out / "rules").symlink_to(ROOT / "rules", target_is_directory=True)
        (out / "tests").symlink_to(ROOT / "tests", target_is_directory=True)
    return out


@each_page
def test_commands_print_what_is_shown(page: Path, folder: Path, tmp_path: Path) -> None:
    """All commands of a page, one after the other."""
    programs = tmp_path / "bin"
    programs.mkdir()
    text = page.read_text("utf-8")
    if WRITE:
        page.write_text(rewritten(text, programs, folder), "utf-8")
        return
    for block in blocks(text):
        if block.language == "console":
            for command, shown in commands_of(block.text):
                assert printed(command, programs, folder).rstrip() == shown.rstrip(), command


@each_page
def test_python_runs(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block with prompts is a doctest; one without is a script, and what tests stand in it hold, or fail as is shown."""
    monkeypatch.chdir(folder)
    for block in blocks(page.read_text("utf-8")):
        if block.language != "python":
            continue
        if ">>>" in block.text:
            name = f"{page.name}:{block.line}"
            test = doctest.DocTestParser().get_doctest(block.text, {}, name, str(page), block.line)
            result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
            assert result.failed == 0
            assert result.attempted > 0
        else:
            exec(compile(block.text, f"{page.name}:{block.line}", "exec"), {"__name__": "example"})


def wrong_of(text: str) -> list[tuple[Block, Block]]:
    """Each wrong example with what is shown to be said about it."""
    found = blocks(text)
    return [(block, found[n + 1]) for n, block in enumerate(found) if block.title == WRONG]


def said(text: str) -> str:
    """The errors of an example, as `check` has them."""
    try:
        loads(text, file="policy.fwl")
    except PolicyError as error:
        return render(error.diagnostics, error.sources).rstrip()
    raise AssertionError(f"this is right:\n{text}")


@each_page
def test_right_policies_compile_and_wrong_ones_give_that_error(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "rules")
    text = page.read_text("utf-8")
    for block in blocks(text):
        if block.language == "fwl" and block.title != WRONG:
            policy = loads(block.text, file="policy.fwl")
            failed = [e for e in policy.expectations if not policy.prove(e).holds]
            assert not failed, (block.line, failed)
    for block, shown in wrong_of(text):
        assert (shown.language, shown.title) == ("text", SAYS), f"{page.name}:{block.line}: nothing is said to be told"
        if WRITE:
            text = text.replace(
                f"{block.source}\n\n{shown.source}", f"{block.source}\n\n{shown.with_text(said(block.text))}"
            )
        else:
            assert shown.text.rstrip() == said(block.text), f"{page.name}:{block.line}"
    if WRITE:
        page.write_text(text, "utf-8")


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    """Files of the repository, all of which the site has, too; anchors are looked at in the site (`test_site.py`)."""
    for words, target in re.findall(r"(?<!!)\[([^\]]*)\]\(([^)#\s]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), (words, target)
            name = (page.parent / target).resolve().relative_to(ROOT).as_posix()
            assert places.place_of(name) is not None, f"{name} is not in the site"


@pytest.mark.parametrize("name", ["iptables", "nftables", "cisco"])
def test_the_page_of_a_format_ends_in_a_finding(name: str) -> None:
    text = (ROOT / "docs" / "reference" / "formats" / f"{name}.md").read_text("utf-8")
    assert any("warning[FW2" in block.text for block in blocks(text) if block.language == "console")


def test_what_contributing_names_is_there() -> None:
    """Each promise names the tests that hold it."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = set(re.findall(r"(?<![\w/])(?:tests|fuzz|bench|docs|\.ci)/[\w./-]*\w", text))
    assert len(named) > 30
    assert [
        name
        for name in sorted(named)
        if not (ROOT / name).exists() and not name.endswith(("fuzz/native_", "fuzz/regressions/NAME"))
    ] == []
