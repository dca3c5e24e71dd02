"""The pages under docs/: their Python examples run, their links lead somewhere."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from support.pages import consoles, printed
from support.paths import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))


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
    for command, shown in consoles((ROOT / "docs" / "tutorial.md").read_text("utf-8")):
        assert printed(command, folder, programs) == shown.rstrip(), command
