"""`fwengine fmt`: canonical text, and files that are whole whatever fails on the way."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.commands import run

from fwengine.errors import PolicyError
from fwengine.sources.writing import replace

ROUGH = 'allow    tcp   from any  # why\ndeny any in "wan0"\n'
FINE = "allow tcp from any  # why\ndeny  any in wan0\n"


@pytest.fixture
def rough(tmp_path: Path) -> Path:
    path = tmp_path / "p.fwl"
    path.write_text(ROUGH)
    return path


def test_a_file_is_rewritten_once(rough: Path) -> None:
    done = run("fmt", rough)
    assert (done.code, done.out, done.err) == (0, "", f"formatted {rough}\n")
    first = rough.read_text()
    before = rough.stat().st_ino
    done = run("fmt", rough)
    assert (done.code, done.out, done.err, rough.read_text()) == (0, "", "", first)
    assert rough.stat().st_ino == before  # not even touched
    assert "# why" in first
    assert run("fmt", "--check", rough).code == 0


def test_check_and_diff_write_nothing(rough: Path) -> None:
    check = run("fmt", "--check", rough)
    assert (check.code, check.out, check.err) == (1, "", f"would format {rough}\n")
    diff = run("fmt", "--diff", rough)
    assert (diff.code, diff.err) == (0, "")
    assert diff.out.splitlines()[:4] == [
        f"--- {rough}",
        f"+++ {rough}",
        "@@ -1,2 +1,2 @@",
        "-allow    tcp   from any  # why",
    ]
    both = run("fmt", "--check", "--diff", rough, "--color", "always")
    assert (both.code, both.err) == (1, "")
    assert "\x1b[31m-allow" in both.out
    assert rough.read_text() == ROUGH


def test_standard_input_to_standard_output(rough: Path) -> None:
    rough.write_text(ROUGH)
    run("fmt", rough)
    done = run("fmt", "-", stdin=ROUGH.encode())
    assert (done.code, done.out, done.err) == (0, rough.read_text(), "")
    assert run("fmt", "-", stdin=done.out.encode()).out == done.out
    assert run("fmt", "-", "--check", stdin=ROUGH.encode()).code == 1
    assert run("fmt", "-", "--diff", stdin=ROUGH.encode()).out.startswith("--- <stdin>\n")
    bad = run("fmt", "-", stdin=b"alow\n")
    assert (bad.code, bad.out) == (2, "")


def test_a_file_with_an_error_is_left_as_it_is(tmp_path: Path, rough: Path) -> None:
    """And does not keep the others from being formatted."""
    for name, data in (("bad.fwl", b"alow tcp\n"), ("latin.fwl", b"# \xe9\n"), ("nul.fwl", b"deny any\0\n")):
        path = tmp_path / name
        path.write_bytes(data)
        done = run("fmt", path, rough)
        assert (done.code, done.out, path.read_bytes()) == (2, "", data)
        assert "error[FW0" in done.err
        assert rough.read_text() != ROUGH
        rough.write_text(ROUGH)


def test_folders_are_searched(tmp_path: Path, rough: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "q.fwl").write_text(ROUGH)
    (tmp_path / "sub" / "q.txt").write_text(ROUGH)
    done = run("fmt", tmp_path)
    assert done.err.splitlines() == [f"formatted {rough}", f"formatted {tmp_path / 'sub' / 'q.fwl'}"]
    assert (tmp_path / "sub" / "q.txt").read_text() == ROUGH
    empty = tmp_path / "none"
    empty.mkdir()
    done = run("fmt", empty)
    assert (done.code, "no `.fwl` file" in done.err) == (2, True)


@pytest.mark.parametrize("path", ["", "none.fwl", "p.fwl/x.fwl", "x" * 5000])
def test_what_is_not_there(rough: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """The empty name is not a folder: nothing below the working directory may be touched for it."""
    monkeypatch.chdir(rough.parent)
    done = run("fmt", path)
    assert (done.code, done.out) == (2, "")
    assert "error[FW001]: cannot read" in done.err
    assert rough.read_text() == ROUGH


def test_what_is_kept(rough: Path) -> None:
    """Mode bits; a link stays a link, and the file behind it is rewritten; a byte order mark and CRLF go."""
    rough.chmod(0o640)
    link = rough.with_name("link.fwl")
    link.symlink_to(rough.name)
    assert run("fmt", link).code == 0
    assert link.is_symlink()
    assert rough.read_text() != ROUGH
    assert stat.S_IMODE(rough.stat().st_mode) == 0o640
    rough.write_bytes(b"\xef\xbb\xbf" + ROUGH.replace("\n", "\r\n").encode())
    assert run("fmt", rough).code == 0
    assert rough.read_bytes().isascii()
    assert b"\r" not in rough.read_bytes()


def test_a_long_name_and_a_read_only_one(tmp_path: Path) -> None:
    """The temporary file is not called after the file, whose name may be as long as names can be."""
    path = tmp_path / ("n" * 251 + ".fwl")
    path.write_text(ROUGH)
    path.chmod(0o444)
    assert run("fmt", path).code == 0
    assert path.read_text() != ROUGH
    assert [*tmp_path.iterdir()] == [path]


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.fwl").symlink_to("b.fwl")
    (tmp_path / "b.fwl").symlink_to("a.fwl")
    done = run("fmt", tmp_path / "a.fwl")
    assert (done.code, "cannot read" in done.err) == (2, True)
    with pytest.raises(PolicyError, match="cannot write"):
        replace(str(tmp_path / "a.fwl"), "x")


def test_replace_makes_what_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "new"
    replace(str(path), "é\n")
    assert path.read_bytes() == "é\n".encode()
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    replace("/dev/null", "x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(PolicyError, match="cannot write"):
        replace(str(tmp_path / "none" / "new"), "x")


CALLS = ("open", "fdopen", "fsync", "chmod", "chown", "replace", "close", "stat", "lstat", "readlink", "unlink")


@pytest.mark.parametrize("reason", [28, 5, 30])  # no space, i/o error, read-only file system
def test_every_call_failed_in_turn(rough: Path, monkeypatch: pytest.MonkeyPatch, reason: int) -> None:
    """Whichever call fails, the file is the old one or the new one, whole, and nothing is left beside it."""
    replace(str(rough), ROUGH)
    outcomes = set()
    for n in range(50):
        count = 0

        def failing(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal count
                count += 1
                if count == n + 1:  # noqa: B023  # called before n changes
                    raise OSError(reason, os.strerror(reason))
                return real(*arguments, **named)

            return call

        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, failing(getattr(os, name)))
            try:
                replace(str(rough), FINE)
                outcome = "done"
            except PolicyError as error:
                outcome = str(error).split("`")[0]
        text = rough.read_text()
        assert text in (ROUGH, FINE)
        assert text == FINE or outcome != "done"
        assert [*rough.parent.iterdir()] == [rough]
        outcomes.add(outcome)
        rough.write_text(ROUGH)
    assert {outcome.rpartition(": ")[2] for outcome in outcomes} == {"done", "cannot write "}


def test_a_write_that_fails_half_way(rough: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk while the text is written, through the command."""

    class Full:
        def __init__(self, handle: int, *_: object, **__: object) -> None:
            self.handle = handle

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            os.close(self.handle)

        def write(self, data: bytes) -> None:
            os.write(self.handle, data[:5])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", Full)
    done = run("fmt", rough)
    assert (done.code, done.out) == (2, "")
    assert "error[FW001]: cannot write" in done.err
    assert "no space left on device" in done.err
    assert [*rough.parent.iterdir()] == [rough]
    assert rough.read_text() == ROUGH


def test_an_interruption_leaves_nothing(rough: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    assert run("fmt", rough).code == 130
    assert [*rough.parent.iterdir()] == [rough]
    assert rough.read_text() == ROUGH


def test_a_folder_that_may_not_be_written(rough: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def refused(path: str, flags: int, *mode: int) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *mode)

    monkeypatch.setattr(os, "open", refused)
    done = run("fmt", rough)
    assert (done.code, done.out, rough.read_text()) == (2, "", ROUGH)
    assert "permission denied" in done.err


def test_a_file_that_may_not_be_read(rough: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("fwengine.sources.source.read_file", refused)
    done = run("fmt", "--check", rough)
    assert (done.code, done.out) == (2, "")
    assert f"cannot read `{rough}`: permission denied" in done.err
