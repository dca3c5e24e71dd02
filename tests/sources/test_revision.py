"""`REV:PATH`: a policy as it was, with what it included then; and what is not a revision."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.commands import run

from fwengine.analysis.diff import diff
from fwengine.errors import PolicyError
from fwengine.model.fields import Field
from fwengine.model.interval import IntervalSet
from fwengine.model.rules import ALLOW, DENY
from fwengine.policy import load

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


def commit() -> None:
    """All that is there, as a revision of the repository around the working directory."""
    git("add", "-A")
    git("-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "now")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository without a revision, around the working directory."""
    for key, value in (("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("HOME", str(tmp_path))):
        monkeypatch.setenv(key, value)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    git("init", "-q", "-b", "main")
    return folder


def port(spec: str) -> int:
    (rule,) = load(spec).rules
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
    (rule,) = load("HEAD~1:rules/edge.fwl").rules
    assert rule.span.file == "HEAD~1:rules/edge.fwl"
    git("mv", "rules/edge.fwl", "rules/gone.fwl")
    Path("bad.fwl").write_text("alow\n")
    git("add", ".")
    git("-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "bad")
    with pytest.raises(PolicyError) as caught:
        load("HEAD:bad.fwl")
    assert caught.value.diagnostics[0].span.file == "HEAD:bad.fwl"
    with pytest.raises(PolicyError, match="FW021"):
        load("HEAD:top.fwl")


def test_a_file_of_that_name_comes_first(repository: Path) -> None:
    Path("HEAD:x.fwl").write_text("deny any as here\n")
    assert load("HEAD:x.fwl").rules[0].name == "here"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("nope:rules/edge.fwl", "nope"),
        ("HEAD:nope.fwl", "does not exist in 'HEAD'"),
        ("HEAD:rules", "cannot read"),
        ("HEAD:", "cannot read"),
        ("--output=x:rules/edge.fwl", "is not a revision"),
        ("HEAD:../outside.fwl", "cannot read"),
        ("none.fwl", "no such file"),
        ("x" * 5000 + ":y", "cannot read"),
    ],
)
def test_what_cannot_be_read(repository: Path, spec: str, said: str) -> None:
    with pytest.raises(PolicyError, match="FW001") as caught:
        load(spec)
    assert said in str(caught.value)


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    for spec in ("HEAD:x.fwl", "HEAD:./x.fwl"):
        with pytest.raises(PolicyError, match="not a git repository"):
            load(spec)


def test_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PolicyError, match="git is not installed"):
        load("HEAD:rules/edge.fwl")


def test_a_git_that_hangs(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("git", 60)

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(PolicyError, match="git does not answer"):
        load("HEAD:rules/edge.fwl")


def test_a_revision_knows_its_own_files_whatever_the_disk_has_become(empty: Path) -> None:
    """A false proof once came of this: `b.fwl` has become a link to `a.fwl`, so HEAD's two files were taken for one."""
    (empty / "top.fwl").write_text('include "a.fwl"\ninclude "b.fwl"\n')
    (empty / "a.fwl").write_text("allow tcp to 192.0.2.80 port 443 as web\n")
    (empty / "b.fwl").write_text("allow tcp to 192.0.2.80 port 22 as admin\n")
    commit()
    (empty / "b.fwl").unlink()
    (empty / "b.fwl").symlink_to("a.fwl")
    then, now = load("HEAD:top.fwl"), load("top.fwl")
    assert ([r.name for r in then.rules], [r.name for r in now.rules]) == (["web", "admin"], ["web"])
    (change,) = diff(then, now)
    assert (change.old, change.new, change.box.sets[Field.DPORT]) == (ALLOW, DENY, IntervalSet.single(22))
    done = run("diff", "HEAD:top.fwl", "top.fwl")
    assert (done.code, "newly denied" in done.out) == (1, True)


def test_links_are_followed_within_the_revision(empty: Path) -> None:
    """A link is the file to which it led then; the same file by two names counts once; what leads out is refused."""
    (empty / "deep").mkdir()
    (empty / "deep/a.fwl").write_text("allow tcp to 192.0.2.80 port 443 as web\n")
    (empty / "folder").symlink_to("deep")
    (empty / "b.fwl").symlink_to("folder/../deep/a.fwl")
    (empty / "top.fwl").write_text('include "deep/a.fwl"\ninclude "b.fwl"\ninclude "folder/a.fwl"\n')
    (empty / "out.fwl").symlink_to("/etc/hostname")
    (empty / "up.fwl").symlink_to("../up.fwl")
    (empty / "x.fwl").symlink_to("y.fwl")
    (empty / "y.fwl").symlink_to("x.fwl")
    commit()
    for name in ("deep/a.fwl", "folder", "b.fwl"):
        (empty / name).unlink()
    assert [r.name for r in load("HEAD:top.fwl").rules] == ["web"]
    for name, said in (("out", "out of the repository"), ("up", "out of the repository"), ("x", "too many levels")):
        with pytest.raises(PolicyError, match=said):
            load(f"HEAD:{name}.fwl")


@pytest.mark.parametrize(
    "command",
    [
        ("check", "HEAD:rules/edge.fwl"),
        ("check", "HEAD:rules"),
        ("test", "HEAD:rules"),
        ("eval", "HEAD:rules/edge.fwl", "tcp 5.6.7.8:1029 -> 192.0.2.80:99"),
        ("prove", "HEAD:rules/edge.fwl", "deny tcp from any to 192.0.2.80 port 99"),
        ("query", "HEAD:rules/edge.fwl", "allow tcp"),
        ("show", "HEAD:rules/edge.fwl"),
        ("synth", "HEAD:rules/edge.fwl", "-o", "edge.pcap"),
        ("diff", "HEAD~1:rules/edge.fwl", "-"),
        ("fmt", "--check", "HEAD:rules/edge.fwl"),
    ],
)
def test_every_command_takes_a_revision_and_standard_input(empty: Path, command: tuple[str, ...]) -> None:
    text = "allow tcp to 192.0.2.80 port 443 as web\nexpect allow tcp 5.6.7.8:1029 -> 192.0.2.80:443 by web\n"
    (empty / "rules").mkdir()
    (empty / "rules/edge.fwl").write_text(text)
    commit()
    (empty / "rules/edge.fwl").write_text("not a policy")
    commit()
    git("checkout", "-q", "HEAD~1", "--", ".")
    commit()
    (empty / "rules/edge.fwl").unlink()
    name, policy, *rest = command
    piped = ["-" if policy.startswith("HEAD:") else policy, *(["HEAD:rules/edge.fwl"] if rest == ["-"] else rest)]
    if name == "diff":
        assert run(name, "HEAD:rules/edge.fwl", "-", stdin=text.encode()).code == 0
        assert run(name, "-", "HEAD:rules/edge.fwl", stdin=text.encode()).code == 0
        assert run(name, "HEAD~1:rules/edge.fwl", "-", stdin=text.encode()).code == 2
        return
    if name == "fmt":
        piped, policy, rest = ["--check", "-"], "--check", ["HEAD:rules/edge.fwl"]
    there = run(name, policy, *rest)
    assert there.code == 0, there
    assert run(name, *piped, stdin=text.encode()).code == 0
