"""The reference is complete: every construct, command, option, code and public name is in it; read apart from what makes it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from handbook.filling import filled
from handbook.grammar import grammar_text, keywords, rules
from lark import Lark
from support.blocks import blocks
from support.commands import run
from support.paths import ROOT

import fwengine
from fwengine import strategies
from fwengine.cli.bounds import COUNTED
from fwengine.cli.group import COMMANDS
from fwengine.codes import EXPLANATIONS
from fwengine.report.schema import commands, document

REFERENCE = ROOT / "docs" / "reference"


def page(name: str) -> str:
    return filled((REFERENCE / name).read_text("utf-8"))


LANGUAGE = page("language.md")
EXAMPLES = [b for b in blocks(LANGUAGE) if b.language == "fwl"]
SECTIONS = re.split(r"^##+ ", LANGUAGE, flags=re.MULTILINE)[1:]


def test_every_keyword_has_a_line_and_an_example() -> None:
    table = LANGUAGE.partition("## Every keyword")[2]
    right = " ".join(re.sub(r"#.*", "", b.text) for b in EXAMPLES if b.title != "Wrong")
    for word in keywords():
        assert f"`{word}`" in table, word
        assert re.search(rf"(?<![\w.-]){word}(?![\w.-])", right), word
    assert set(re.findall(r"`([a-z]+)`", re.sub(r"\]\(.*?\)", "]", table))) >= set(keywords())


def test_every_construct_of_the_grammar_is_in_an_example() -> None:
    """The right examples together use every rule of the grammar but those that only questions use."""
    parser = Lark(grammar_text(), parser="lalr", start="statement")
    met: set[str] = set()
    for block in EXAMPLES:
        if block.title != "Wrong":
            for statement in re.split(r"\n(?=[a-z])", block.text):
                if statement.strip() and not statement.startswith("#"):
                    met |= {str(tree.data) for tree in parser.parse(statement).iter_subtrees()}
    assert set(rules()) - met == {"claim", "region"}


@pytest.mark.parametrize("section", [s for s in SECTIONS if "```fwl" in s], ids=lambda s: s.partition("\n")[0])
def test_every_section_of_the_language_has_a_right_and_a_wrong_example(section: str) -> None:
    titles = {b.title for b in blocks(section) if b.language == "fwl"}
    assert "Wrong" in titles or section.startswith("The language")
    assert titles != {"Wrong"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_on_its_page(name: str) -> None:
    """As `--help` tells them, and each limit."""
    text = page(f"commands/{name}.md")
    told = run(name, "--help").out
    for option in re.findall(r"^  (?:-\w, )?(--[a-z-]+)", told, re.MULTILINE):
        assert re.search(rf"^\| `[^|]*{option}\b", text, re.MULTILINE), option
    if "--limit-WHAT" in told:
        assert all(f"{limit} (" in text for limit in COUNTED)
    assert re.search(r"Exit codes: 0", text)
    assert f"[`{name}`]({name}.md)" in page("commands/index.md")


def test_every_code_is_explained() -> None:
    text = page("codes.md")
    assert re.findall(r"^### (FW\d+) \{ #fw\d+ \}$", text, re.MULTILINE) == list(EXPLANATIONS)
    assert all(told in text for told in EXPLANATIONS.values())


@pytest.mark.parametrize(("module", "prefix"), [(fwengine, ""), (strategies, "strategies.")])
def test_every_public_name_is_told(module: Any, prefix: str) -> None:
    """Each with a docstring, but for what stands for itself."""
    text = page("python.md")
    for name in module.__all__:
        found = re.search(
            rf"^### `{name}` \{{ #{prefix}{name.strip('_')} \}}\n\n(.*?)(?=^###? |\Z)", text, re.MULTILINE | re.DOTALL
        )
        assert found, name
        assert re.sub(r"```python\n.*?```", "", found[1], flags=re.DOTALL).strip(), f"{name} has no words"


def test_every_key_of_an_answer_is_told() -> None:
    text = page("schema.md")
    for command in commands():
        section = text.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
        for form in document(command)["anyOf"][:-1]:
            assert all(f"| `{key}` |" in section for key in form["properties"]), command
