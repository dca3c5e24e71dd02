"""The README is run: its console blocks must print what they show, its Python blocks must hold."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import ROOT

README = (ROOT / "README.md").read_text("utf-8")
CONSOLE = re.findall(r"^```console\n(.*?)^```", README, re.M | re.S)
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)


def _commands(block: str) -> list[tuple[str, str]]:
    """Each `$ command` of a block with the output shown behind it; a here-document belongs to its command."""
    out: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            out.append((line[2:], []))
        elif "<<'END'" in out[-1][0] and not out[-1][0].endswith("\nEND"):
            out[-1] = (out[-1][0] + "\n" + line, out[-1][1])
        else:
            out[-1][1].append(line)
    return [(command, "\n".join(lines)) for command, lines in out]


@pytest.mark.parametrize(("command", "shown"), [pair for block in CONSOLE for pair in _commands(block)])
def test_console(command: str, shown: str, tmp_path: Path) -> None:
    """A command prints what the README shows, standard error included."""
    shim = tmp_path / "fwengine"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fwengine "$@"\n')
    shim.chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "COLUMNS": "80",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.stdout.rstrip() == shown.rstrip()


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


def test_the_two_commands_come_first() -> None:
    """`.ci/run` takes the first two blocks marked `sh`."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", README, re.M | re.S)
    assert [kind for kind, _ in blocks[:2]] == ["sh", "sh"]
    assert "fwengine eval" in blocks[0][1]
    assert "pytest" in blocks[1][1]
