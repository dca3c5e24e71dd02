"""What others run of us: the hooks for pre-commit, the action for GitHub, completion in the shell, the manual page."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import program, run
from support.paths import ROOT

from fwengine.cli.group import COMMANDS

GOOD = "allow tcp to 192.0.2.80 port 80 as web  # fwengine: ignore FW303: no fragments\nexpect deny  udp\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Policies of which one cannot stand alone."""
    (tmp_path / "nets.fwl").write_text("net     web = 192.0.2.80\n")
    (tmp_path / "edge.fwl").write_text('include "nets.fwl"\n' + GOOD.replace("192.0.2.80", "web"))
    return tmp_path


HOOKS = re.findall(
    r"^- id: (\S+)\n  name: .+\n  entry: fwengine (\S+)\n(?:  args: \[(.*)\]\n)?"
    r"  language: python\n  files: (\S+)\n(  pass_filenames: false)?",
    (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"),
    re.MULTILINE,
)


def test_every_hook_is_read_here() -> None:
    assert [hook for hook, *_ in HOOKS] == ["fwengine-fmt", "fwengine-check", "fwengine-test"]
    assert (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8").count("- id:") == len(HOOKS)


@pytest.mark.parametrize(("hook", "command", "args", "files", "whole"), HOOKS)
def test_a_hook_runs(
    repository: Path, monkeypatch: pytest.MonkeyPatch, hook: str, command: str, args: str, files: str, whole: str
) -> None:
    """As pre-commit calls it for a change of the file that others include."""
    monkeypatch.chdir(repository)
    named = [] if whole else [str(p.relative_to(repository)) for p in repository.iterdir() if re.search(files, p.name)]
    words = [command, *re.findall(r'"([^"]*)"', args), *named]
    done = run(*words)
    assert done.code == 0, done.err
    (repository / "edge.fwl").write_text("alow tcp\n")
    assert run(*words).code == 2, hook


def step() -> str:
    """The script of the action."""
    text = (ROOT / "action.yml").read_text("utf-8")
    script = re.search(r"^      run: \|\n((?:        .*\n|\n)+)", text, re.MULTILINE)
    assert script is not None
    assert set(re.findall(r"\$\{\{ inputs\.([a-z-]+) \}\}", text)) == set(
        re.findall(r"^  ([a-z-]+):$", text.partition("\nruns:")[0], re.MULTILINE)
    )
    return re.sub(r"^        ", "", script[1], flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("inputs", "code", "said"),
    [
        ({"PATHS": "edge.fwl"}, 0, []),
        ({"PATHS": ".", "CHECK": "--strict --select FW209", "TEST": "no", "FMT": "no"}, 0, []),
        ({"PATHS": "wide.fwl", "TEST": "no", "FMT": "no"}, 1, ["::warning file=wide.fwl,line=2"]),
        ({"PATHS": "wide.fwl", "CHECK": "no", "TEST": "no"}, 1, ["would format wide.fwl"]),
        ({"PATHS": "wide.fwl"}, 1, ["::warning file=wide.fwl", "::error file=wide.fwl,line=3", "would format"]),
        ({"PATHS": "none.fwl"}, 2, ["::error file=none.fwl"]),
        ({}, 2, ["Missing argument"]),
        ({"PATHS": "$(touch harm) ; touch harm *"}, 2, ["cannot read `$(touch`"]),
    ],
)
def test_the_action_runs(repository: Path, tmp_path: Path, inputs: dict[str, str], code: int, said: list[str]) -> None:
    (repository / "wide.fwl").write_text("allow tcp\nallow   tcp to 192.0.2.1\nexpect deny tcp\n")
    shim = tmp_path / "bin" / "fwengine"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fwengine "$@"\n')
    shim.chmod(0o755)
    env = {
        **os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
        "PATHS": "", "CHECK": "", "TEST": "", "FMT": "", **inputs,
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step()],
        cwd=repository, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    for words in said:
        assert words in done.stdout + done.stderr
    assert not (repository / "harm").exists()


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("fwengine ch", "plain,check"), ("fwengine check --write-b", "plain,--write-baseline"),
        ("fwengine check --format sa", "plain,sarif"), ("fwengine check --config x", "file,x"), ("fwengine prove ru", "file,ru"),
    ],
)  # fmt: skip
def test_completion(words: str, completed: str) -> None:
    env = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1), "_FWENGINE_COMPLETE": "bash_complete"}
    script = "import sys\nsys.argv = ['fwengine']\nfrom fwengine.cli import main\nmain()\n"
    done = program(script=script, env=env)
    assert (done.stdout.decode().split(), done.stderr) == ([completed], b"")


def test_the_manual_page_has_what_the_help_has() -> None:
    """Every command with its options and exit codes, and no line that roff would take for a request of its own."""
    page: str = runpy.run_path(str(ROOT / "docs" / "manpage.py"))["page"]()
    plain = page.replace("\\-", "-").replace("\\(ga", "`").replace("\\(aq", "'")
    for name in COMMANDS:
        section = plain.partition(f"\n.SH {name.upper()}\n")[2].partition("\n.SH ")[0]
        told = run(name, "--help").out
        for option in re.findall(r"^  (?:-\w, )?(--[a-z-]+)", told, re.MULTILINE):
            assert option in section, (name, option)
        assert "Exit codes: 0" in section
    requests = {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert requests <= {".TH", ".SH", ".B", ".TP", ".SY", ".YS", ".PP", ".nf", ".fi"}
