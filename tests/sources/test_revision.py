"""`REV:PATH`: a policy as it was, with what it included then; and what is no revision."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from fwengine.errors import PolicyError
from fwengine.sources.revision import load_revision

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two revisions of a policy in a folder, and of what it includes from the folder above."""
    for key, value in (("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("HOME", str(tmp_path))):
        monkeypatch.setenv(key, value)
    folder = tmp_path / "repo" / "rules"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repo")
    git("init", "-q", "-b", "main")
    for port in (22, 23):
        (folder.parent / "common.fwl").write_text(f"ports admin = {port}\n")
        (folder / "edge.fwl").write_text('include "../common.fwl"\nallow tcp to any port admin as a\n')
        (folder.parent / "top.fwl").write_text('include "rules/edge.fwl"\n')
        git("add", ".")
        git("-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", str(port))
    git("branch", "feature/x", "HEAD~1")
    (folder.parent / "common.fwl").write_text("ports admin = 99\n")
    return folder.parent


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def port(spec: str) -> int:
    (rule,) = load_revision(spec).rules
    return rule.boxes[0].sets[4].lo


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("HEAD:rules/edge.fwl", 23),
        ("HEAD~1:rules/edge.fwl", 22),
        ("feature/x:rules/edge.fwl", 22),
        ("feature/x:top.fwl", 22),
        ("main:./rules/edge.fwl", 23),
        ("rules/edge.fwl", 99),
    ],
)
def test_includes_are_of_the_same_revision(repository: Path, spec: str, expected: int) -> None:
    assert port(spec) == expected


def test_paths_are_the_repositorys_or_dotted(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "rules")
    assert port("HEAD:rules/edge.fwl") == port("HEAD:./edge.fwl") == port("HEAD:../top.fwl") == 23


def test_places_tell_the_revision(repository: Path) -> None:
    (rule,) = load_revision("HEAD~1:rules/edge.fwl").rules
    assert rule.span.file == "HEAD~1:rules/edge.fwl"
    git("mv", "rules/edge.fwl", "rules/gone.fwl")
    Path("bad.fwl").write_text("alow\n")
    git("add", ".")
    git("-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "bad")
    with pytest.raises(PolicyError) as caught:
        load_revision("HEAD:bad.fwl")
    assert caught.value.diagnostics[0].span.file == "HEAD:bad.fwl"
    with pytest.raises(PolicyError, match="FW021"):
        load_revision("HEAD:top.fwl")


def test_a_file_of_that_name_comes_first(repository: Path) -> None:
    Path("HEAD:x.fwl").write_text("deny any as here\n")
    assert load_revision("HEAD:x.fwl").rules[0].name == "here"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("nope:rules/edge.fwl", "nope"),
        ("HEAD:nope.fwl", "does not exist in 'HEAD'"),
        ("HEAD:rules", "cannot read"),
        ("HEAD:", "cannot read"),
        ("--output=x:rules/edge.fwl", "is no revision"),
        ("HEAD:../outside.fwl", "cannot read"),
        ("none.fwl", "no such file"),
        ("x" * 5000 + ":y", "cannot read"),
    ],
)
def test_what_cannot_be_read(repository: Path, spec: str, said: str) -> None:
    with pytest.raises(PolicyError, match="FW001") as caught:
        load_revision(spec)
    assert said in str(caught.value)


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    for spec in ("HEAD:x.fwl", "HEAD:./x.fwl"):
        with pytest.raises(PolicyError, match="not a git repository"):
            load_revision(spec)


def test_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PolicyError, match="git is not installed"):
        load_revision("HEAD:rules/edge.fwl")


def test_a_git_that_hangs(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("git", 60)

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(PolicyError, match="git does not answer"):
        load_revision("HEAD:rules/edge.fwl")
