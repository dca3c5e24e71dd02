"""What ships for editors fits the language: the highlighting's words are the grammar's, the settings are the extension's."""

from __future__ import annotations

import importlib.util
import json
import re
from types import ModuleType

import pytest
from support.paths import ROOT

FOLDER = ROOT / "editors" / "vscode"


def _textmate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("textmate", FOLDER / "textmate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_highlighting_is_made_from_the_grammar() -> None:
    module = _textmate()
    assert module.FILE.read_text("utf-8") == module.text(), "python editors/vscode/textmate.py"


def _scopes(line: str) -> dict[str, str]:
    """Each piece of a line with its scope: the pattern that matches first, at the leftmost place."""
    patterns = json.loads((FOLDER / "syntaxes" / "fwl.tmLanguage.json").read_text("utf-8"))["patterns"]
    found, at = {}, 0
    while at < len(line):
        hits = [(m.start(), n, m, p) for n, p in enumerate(patterns) if (m := re.compile(p["match"]).search(line, at))]
        if not hits:
            break
        _, _, match, pattern = min(hits, key=lambda hit: hit[:2])
        if "name" in pattern:
            found[match[0]] = pattern["name"]
        for number, capture in pattern.get("captures", {}).items():
            found[match[int(number)]] = capture["name"]
        at = max(match.end(), at + 1)
    return found


@pytest.mark.parametrize(
    ("line", "scopes"),
    [
        (
            "allow tcp from 10.0.0.0/8 to any port 443 as web-in  # note",
            {"allow": "control.allow", "from": "keyword.other", "10.0.0.0/8": "address", "any": "constant.language",
             "443": "numeric", "web-in": "entity.name", "# note": "comment"},
        ),
        ("net allow-list = { 2001:db8::/32 }", {"net": "storage", "2001:db8::/32": "address"}),
        ("deny udp from in-house until 2027-01-31", {"deny": "control.deny", "2027-01-31": "date"}),
    ],
)  # fmt: skip
def test_words_have_their_colours(line: str, scopes: dict[str, str]) -> None:
    found = _scopes(line)
    for word, scope in scopes.items():
        assert scope in found.get(word, ""), word
    assert "allow" not in found or line.startswith("allow")
    assert "in" not in found


def test_every_command_of_the_extension_is_there() -> None:
    package = json.loads((FOLDER / "package.json").read_text("utf-8"))
    code = (FOLDER / "extension.js").read_text("utf-8")
    for command in package["contributes"]["commands"]:
        assert f'registerCommand("{command["command"]}"' in code
    server = pytest.importorskip("fwengine.lsp.server", reason="the extra `lsp` is not installed")
    for asked in re.findall(r'ask\("([\w.]+)"', code):
        assert asked in server.COMMANDS
