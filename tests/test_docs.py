"""The pages under docs/: their Python examples run, their links lead somewhere, and those of formats print what they show."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from support.consoles import blocks_of, commands_of, printed
from support.paths import ROOT

PAGES = sorted(p for p in (ROOT / "docs").rglob("*.md") if "node_modules" not in p.parts)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_examples_run_and_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for number, block in enumerate(blocks):
        test = doctest.DocTestParser().get_doctest(block, {}, f"{page.name}[{number}]", str(page), 0)
        result = doctest.DocTestRunner().run(test)
        assert result.failed == 0
        assert result.attempted > 0
    for link in re.findall(r"\]\(([^)#]+)", text):
        if "://" not in link:
            assert (page.parent / link).exists(), link


def test_a_newcomers_run_prints_what_the_tutorial_shows(tmp_path: Path) -> None:
    """All its commands, one after the other, in an empty folder."""
    folder, programs = tmp_path / "work", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    for block in blocks_of((ROOT / "docs" / "tutorial.md").read_text("utf-8")):
        for command, shown in commands_of(block):
            assert printed(command, programs, folder).rstrip() == shown.rstrip(), command


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name == "formats"], ids=lambda page: page.stem)
def test_the_pages_of_formats_print_what_they_show(page: Path, tmp_path: Path) -> None:
    """All commands of a page, one after the other, in a folder that has the examples."""
    folder, programs = tmp_path / "work", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (folder / "rules").symlink_to(ROOT / "rules", target_is_directory=True)
    for block in blocks_of(page.read_text("utf-8")):
        for command, shown in commands_of(block):
            assert printed(command, programs, folder).rstrip() == shown.rstrip(), command


@pytest.mark.parametrize("name", ["iptables", "nftables", "cisco"])
def test_the_page_of_a_format_ends_in_a_finding(name: str) -> None:
    text = (ROOT / "docs" / "formats" / f"{name}.md").read_text("utf-8")
    assert any("warning[FW2" in block for block in blocks_of(text))
