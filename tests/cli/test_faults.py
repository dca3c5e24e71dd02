"""Each call to the system that a command makes fails in turn: no part of a file, no wrong success, no traceback."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import pytest
from support.commands import EDGE, run
from support.faults import build, failing
from support.paths import ROOT

COMMANDS = {
    "fmt": ["fmt", "a.fwl", "b.fwl"],
    "fix": ["check", "--fix", "a.fwl"],
    "write baseline": ["check", "--write-baseline", "known.json", "a.fwl"],
    "baseline": ["check", "--baseline", "old.json", "a.fwl"],
    "config": ["check"],
    "convert": ["convert", "a.fwl", "--to", "nft", "-o", "out.nft"],
    "synth": ["synth", "a.fwl", "-o", "out.pcap"],
    "report": ["report", "a.fwl", "-o", "out.html"],
    "init": ["init", "--ci", "github", "new"],
    "eval": ["eval", "a.fwl", "-r", "in.pcap", "--format", "json"],
    "diff": ["diff", "a.fwl", "b.fwl"],
    "test": ["test", "a.fwl"],
    "flows": ["flows", "a.fwl", "flows.log"],
    "include": ["query", "c.fwl", "allow tcp"],
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("no compiler here, of which the failing calls are made")
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("the calls that fail are those of glibc")
    return build(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "template"
    made.mkdir()
    text = EDGE.replace("until 2026-06-30 ", "") + "allow  tcp to web port 80 as again\nexpect deny udp\n"
    (made / "a.fwl").write_text(text)
    (made / "b.fwl").write_text("allow   tcp\n")
    (made / "c.fwl").write_text('include "a.fwl"\nallow udp\n')
    assert run("check", "--write-baseline", made / "old.json", made / "b.fwl").code in (0, 1)
    (made / "fwengine.toml").write_text('paths = ["a.fwl", "b.fwl"]\n')
    (made / "flows.log").write_text(
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
        "2 123456789010 eni-1 203.0.113.7 192.0.2.80 50000 80 6 10 840 1793491200 1793491260 ACCEPT OK\n"
    )
    shutil.copy(ROOT / "rules" / "port-scan.pcap", made / "in.pcap")
    return made


def check(library: Path, folder: Path, words: list[str], most: int, every: int) -> int:
    """How many failing calls were told of."""
    before = {path.name: path.read_bytes().decode("latin-1") for path in folder.iterdir()}
    whole, *others = failing(library, folder, words, most, every)
    assert whole.code in (0, 1), whole.err
    told = 0
    for left in others:
        assert "Traceback" not in left.err, (left.failed, left.err)
        assert left.code in (2, whole.code), (left.failed, left.code, left.err)
        if left.code == 2:
            told += 1
            assert left.err or left.out, left.failed
        else:
            assert (left.out, left.files) == (whole.out, whole.files), (left.failed, left.err)
        for name, data in left.files.items():
            if left.failed == "unlink" and name.rpartition("/")[2].startswith(".fwengine-"):
                continue  # what was to be removed could not be
            assert data in (before.get(name), whole.files.get(name)), (name, left.failed)
    return told


@pytest.mark.parametrize("name", COMMANDS)
def test_a_sample_of_calls_fails(name: str, library: Path, folder: Path) -> None:
    assert check(library, folder, COMMANDS[name], 200, 3) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_each_of_the_first_calls_fails(name: str, library: Path, folder: Path) -> None:
    assert check(library, folder, COMMANDS[name], 200, 1) > 3
