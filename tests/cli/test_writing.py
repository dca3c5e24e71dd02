"""Commands that write, on disks that fail: no partial file, no draft left, exit code 2, and the reason in every form."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.commands import Done, run

from fwengine import cli

resource = pytest.importorskip("resource")  # limits of a process

ROUGH = (
    "allow  tcp  to 192.0.2.80 port 80 as web # comment\nallow tcp to 192.0.2.80 port 80 as again\nexpect deny udp\n"
)

# Each command that writes, and what it may leave: the name of each file with the beginnings of what may stand in it.
COMMANDS: dict[str, tuple[list[str], dict[str, tuple[str, ...]]]] = {
    "fmt": (["fmt", "p.fwl"], {"p.fwl": (ROUGH, "allow tcp to 192.0.2.80 port 80 as web ")}),
    "check --fix": (["check", "--fix", "p.fwl", "--format", "json"], {"p.fwl": (ROUGH, "allow  tcp  to 192.0.2.80")}),
    "test --junit": (
        ["test", "p.fwl", "--junit", "j.xml", "--format", "json"],
        {"p.fwl": (ROUGH,), "j.xml": ("<?xml",)},
    ),
    "check --write-baseline": (
        ["check", "p.fwl", "--write-baseline", "b.json", "--format", "json"],
        {"p.fwl": (ROUGH,), "b.json": ("{",)},
    ),
    "report": (
        ["report", "p.fwl", "-o", "r.html"],
        {"p.fwl": (ROUGH,), "r.html": ("<!doctype html>", "<!DOCTYPE html>")},
    ),
    "synth": (
        ["synth", "p.fwl", "-o", "out.pcap", "--limit", "50", "--format", "json"],
        {"p.fwl": (ROUGH,), "out.pcap": ("",), "out.pcap.jsonl": ('{"number": 0',)},
    ),
}
CALLS = ("open", "fdopen", "fsync", "chmod", "replace", "rename", "close", "stat", "lstat", "unlink", "mkdir", "write")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "p.fwl").write_text(ROUGH)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """No file grows beyond so many bytes: what a full disk does to whoever writes, in Python or in C."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def whole(folder: Path, name: str, done: Done) -> None:
    """Every file that is there is one of those that may be, from its beginning to its end."""
    _, files = COMMANDS[name]
    there = {path.name: path for path in folder.iterdir()}
    assert there.keys() <= files.keys(), "a draft was left"
    for file, path in there.items():
        data = path.read_bytes()
        if file == "out.pcap":
            assert data.startswith(b"\xd4\xc3\xb2\xa1")
            assert run("eval", "p.fwl", "-r", file).code == 0
            continue
        assert any(data.decode().startswith(begin) for begin in files[file])
        assert data.endswith(b"</html>" if file == "r.html" else b"\n")
        if file == "j.xml":
            assert data.endswith(b"</testsuites>\n")
        if file == "out.pcap.jsonl":
            assert [json.loads(line)["number"] for line in data.splitlines()] == list(range(data.count(b"\n")))
    if done.code == 2 and "json" in COMMANDS[name][0]:
        (error,) = json.loads(done.out)["errors"]
        assert (error["kind"], error["code"] in ("FW001", "FW905", "FW021")) == ("file", True)
        assert error["place"]["file"]


@pytest.mark.parametrize("size", [0, 1, 30, 60])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_disk_that_is_full_after_so_many_bytes(folder: Path, name: str, size: int) -> None:
    with full_after(size):
        done = run(*COMMANDS[name][0])
    assert done.code == 2
    assert "file too large" in done.err.lower()
    assert "Traceback" not in done.err
    whole(folder, name, done)
    assert sorted(path.name for path in folder.iterdir()) == ["p.fwl"]
    assert (folder / "p.fwl").read_text() == ROUGH


@pytest.mark.parametrize("name", COMMANDS)
def test_every_call_failed_in_turn(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever call fails, each file is the old one or the new one."""
    codes = set()
    for n in range(200):
        for path in folder.iterdir():
            path.unlink()
        (folder / "p.fwl").write_text(ROUGH)
        count = 0

        def failing(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal count
                count += 1
                if count == n + 1:  # noqa: B023  # called before n changes
                    raise OSError(5, "Input/output error")
                return real(*arguments, **named)

            return call

        with monkeypatch.context() as patch:
            for word in CALLS:
                patch.setattr(os, word, failing(getattr(os, word)))
            done = run(*COMMANDS[name][0])
        assert "Traceback" not in done.err
        whole(folder, name, done)
        codes.add(done.code)
        if count <= n:  # no call was left to fail
            break
    else:
        pytest.fail("more calls than expected")
    assert 2 in codes
    assert done.code in (0, 1)


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (cli._Terminated, 143), (MemoryError, 2)])
@pytest.mark.parametrize("name", COMMANDS)
def test_whoever_is_stopped_while_writing_leaves_nothing(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], code: int
) -> None:
    """At each call with which a file is made, filled and put into its place."""

    def stopped(*arguments: Any, **named: Any) -> Any:
        raise error

    for word in ("open", "fdopen", "fsync", "chmod", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, word, stopped)
            done = run(*COMMANDS[name][0])
        assert (word, done.code) == (word, code)
        assert "Traceback" not in done.err
        assert sorted(path.name for path in folder.iterdir()) == ["p.fwl"]
        assert (folder / "p.fwl").read_text() == ROUGH


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_in_the_place_of_the_file(folder: Path, name: str) -> None:
    """Also one that cannot be written to, for whoever is not root."""
    words, files = COMMANDS[name]
    for file in files:
        if file != "p.fwl":
            (folder / file).mkdir()
            done = run(*words)
            assert done.code == 2
            assert file in done.err
            assert {path.name for path in folder.iterdir()} <= files.keys()
            (folder / file).rmdir()
            for path in folder.iterdir():
                assert path.name == "p.fwl" or path.is_file()
                if path.name != "p.fwl":
                    path.unlink()
