"""What runs is what the sources say: digests, stale bytecode, a native module of other sources."""

from __future__ import annotations

import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from support.bytecode import check_by_digest
from support.commands import run
from support.paths import ROOT

from fwengine import build

TIMESTAMP = py_compile.PycInvalidationMode.TIMESTAMP


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of one module, whose bytecode has been kept."""
    (tmp_path / "native").mkdir()
    module = tmp_path / "port.py"
    module.write_text("PORT = 80\n")
    py_compile.compile(str(module), doraise=True, invalidation_mode=TIMESTAMP)
    monkeypatch.setattr(build, "PACKAGE", tmp_path)
    return module


def edited_within_a_second(module: Path) -> None:
    """As an editor, a mutation or a checkout may leave it: same size, same second, other text."""
    kept = module.stat()
    module.write_text("PORT = 22\n")
    os.utime(module, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def seen(module: Path) -> str:
    words = [sys.executable, "-B", "-c", "import port; print(port.PORT)"]
    return subprocess.run(words, cwd=module.parent, capture_output=True, text=True, check=True).stdout.strip()


def test_python_is_deceived_and_this_is_not(package: Path) -> None:
    assert build.stale_bytecode() == []
    edited_within_a_second(package)
    assert seen(package) == "80"  # what the text has not said for long
    assert build.stale_bytecode() == [package]
    done = run("version", "--verbose")
    assert done.code == 1
    assert "error: the bytecode of port.py is that of another text: remove it" in done.err


def test_bytecode_with_a_digest_is_not_deceived(package: Path) -> None:
    assert check_by_digest(package.parent) == 1
    assert check_by_digest(package.parent) == 0
    edited_within_a_second(package)
    assert seen(package) == "22"
    assert build.stale_bytecode() == []


@pytest.mark.parametrize("damage", [b"", b"\0" * 8, None])
def test_damaged_bytecode(package: Path, damage: bytes | None) -> None:
    kept = Path(cache_from_source(str(package)))
    kept.write_bytes(kept.read_bytes()[:20] if damage is None else damage)
    assert build.stale_bytecode() == ([package] if damage is None else [])


def test_the_package_under_test_is_compared_by_digest() -> None:
    assert check_by_digest(ROOT / "fwengine") == 0  # the session began with it


def test_the_digest_is_of_names_and_contents(package: Path) -> None:
    folder = package.parent
    one = build.digest()
    assert one == hashlib.sha256(b"port.py\x0010\x00PORT = 80\n").hexdigest()
    (folder / "notes.txt").write_text("no source")
    assert build.digest() == one
    (folder / "names.tsv").write_text("ssh\t22\n")
    two = build.digest()
    (folder / "names.tsv").rename(folder / "other.tsv")
    assert len({one, two, build.digest()}) == 3


def test_every_kind_of_file_that_is_shipped_counts() -> None:
    ignored = {".c", ".h", ".so", ".pyd", ".typed", ".pyc"}
    kinds = {path.suffix for path in (ROOT / "fwengine").rglob("*") if path.is_file() and path.suffix}
    assert kinds - ignored == set(build.KINDS)


def test_version_names_the_digests() -> None:
    done = run("version", "--verbose")
    assert (done.code, done.err) == (0, "")
    assert f"sources  sha256:{build.digest()}\n         of {len(build.sources())} files\n" in done.out


def test_the_native_module_was_built_of_these_sources() -> None:
    _native = pytest.importorskip("fwengine.native._native")
    if not _native.sources:
        pytest.skip("built by hand")
    assert _native.sources == build.native_digest(), "build the native module anew"


def test_a_native_module_of_other_sources_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _native = pytest.importorskip("fwengine.native._native")
    if not _native.sources:
        pytest.skip("built by hand")
    shutil.copytree(
        ROOT / "fwengine" / "native", tmp_path / "native", ignore=shutil.ignore_patterns("*.so", "__pycache__")
    )
    with (tmp_path / "native" / "walk.c").open("a") as stream:
        stream.write("\n")
    monkeypatch.setattr(build, "PACKAGE", tmp_path)
    done = run("version", "--verbose")
    assert done.code == 1
    assert "the C sources beside the native module are others" in done.err
