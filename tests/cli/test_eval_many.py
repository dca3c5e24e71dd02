"""`eval -r` of folders and patterns: what comes of many captures is what comes of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import run
from support.drawn_captures import made
from support.paths import RULES

EDGE = RULES / "edge.fwl"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    for seed in range(12):
        (tmp_path / ("deep" if seed % 2 else "") / f"{seed:02}.pcap").write_bytes(made(seed))
    return tmp_path


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_folder_is_its_files(folder: Path, form: str) -> None:
    files = sorted(map(str, folder.rglob("*.pcap")))
    named = [word for file in files for word in ("-r", file)]
    alone = run("eval", EDGE, *named, "--jobs", "1", "--in", "wan0", "--format", form)
    assert alone.code == 2  # some of them are damaged
    for jobs in (1, 2, 5):  # of many captures each has a thread, few share them
        for way in (folder, f"{folder}/**/*.pcap"):
            done = run("eval", EDGE, "-r", way, "--jobs", str(jobs), "--in", "wan0", "--format", form)
            assert (done.code, done.out, done.err) == (alone.code, alone.out, alone.err)


def test_top_and_lines_of_a_folder(folder: Path) -> None:
    files = sorted(map(str, folder.rglob("*.pcap")))
    named = [word for file in files for word in ("-r", file)]
    for options in (["--top", "5"], ["--per-packet"]):
        alone, done = run("eval", EDGE, *named, *options), run("eval", EDGE, "-r", folder, *options)
        assert (done.code, done.out, done.err) == (alone.code, alone.out, alone.err)


def test_nothing_there(tmp_path: Path) -> None:
    for way, message in (
        (tmp_path, "there is no file in the folder"),
        (f"{tmp_path}/*.pcap", "the pattern matches no file"),
    ):
        done = run("eval", EDGE, "-r", way)
        assert (done.code, message in done.err) == (2, True)
