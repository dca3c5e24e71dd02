"""The README is run: its console blocks must print what they show, its Python blocks must hold."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from support.consoles import blocks_of, commands_of, printed
from support.paths import ROOT

import fwengine

README = (ROOT / "README.md").read_text("utf-8")
CONSOLE = blocks_of(README)
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)


@pytest.mark.parametrize(("command", "shown"), [pair for block in CONSOLE for pair in commands_of(block)])
def test_console(command: str, shown: str, tmp_path: Path) -> None:
    """A command prints what the README shows, standard error included."""
    assert printed(command, tmp_path).rstrip() == shown.rstrip()


@pytest.mark.parametrize("block", PYTHON)
def test_python(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block with prompts is a doctest; one without is a script that must run."""
    monkeypatch.chdir(ROOT)
    if ">>>" in block:
        test = doctest.DocTestParser().get_doctest(block, {}, "README.md", "README.md", 0)
        result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
        assert result.failed == 0
    else:
        exec(compile(block, "README.md", "exec"), {})


@pytest.mark.parametrize("block", re.findall(r"^```fwl\n(.*?)^```", README, re.M | re.S))
def test_policy(block: str) -> None:
    """A policy compiles, and what it expects holds."""
    policy = fwengine.loads(block)
    assert all(policy.prove(claim).holds for claim in policy.expectations)


def test_the_two_commands_come_first() -> None:
    """`.ci/run` takes the first two blocks marked `sh`."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", README, re.M | re.S)
    assert [kind for kind, _ in blocks[:2]] == ["sh", "sh"]
    assert "fwengine eval" in blocks[0][1]
    assert "pytest" in blocks[1][1]
