"""The parser's tables: used if they are whole and fit, passed over otherwise, and never half written."""

from __future__ import annotations

import os
from pathlib import Path

import lark
import pytest

from fwengine.language.syntax import parser, reference, tables

TEXT = "allow tcp from 10.0.0.0/8 to any port { ssh, 8000-8080 } as admin"
GRAMMAR = tables.GRAMMAR.read_text("utf-8")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "grammar.tables"
    path.write_bytes(tables.FILE.read_bytes())
    monkeypatch.setattr(tables, "FILE", path)
    return path


def forget() -> None:
    parser._automaton.cache_clear()
    reference.lark_parser.cache_clear()


def parsed() -> object:
    return tables.parser(None).parse(TEXT, start="statement")


def test_the_shipped_tables_fit() -> None:
    head = tables.FILE.read_bytes().split(b" ", 1)[0].decode()
    if head != lark.__version__:
        pytest.skip(f"made for Lark {head}")
    assert tables.stored(GRAMMAR) is not None, "run python -m fwengine.language.syntax.tables"


def test_a_file_cut_short_anywhere_is_passed_over(file: Path) -> None:
    whole, meant = file.read_bytes(), parsed()
    head = whole.index(b"\n")
    for size in (0, 1, 5, head - 1, head, head + 1, head + 2, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        assert tables.stored(GRAMMAR) is None
    assert parsed() == meant  # built from the grammar


@pytest.mark.parametrize("at", [7, 80, 150, 5_000, -1])
def test_so_is_a_damaged_one(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 0x20
    file.write_bytes(data)
    assert tables.stored(GRAMMAR) is None
    assert parsed()


def test_so_are_those_of_another_grammar_or_version(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tables.stored(GRAMMAR + "\n") is None
    meant = parsed()
    file.write_bytes(b"0" + file.read_bytes())
    found = tables.stored(GRAMMAR)
    assert found is not None
    assert found.version != lark.__version__  # Lark's own form may have changed; what it says of the grammar has not
    assert parsed() == meant
    assert tables.parts() is not None
    file.write_bytes(file.read_bytes()[1:] + b"\n")  # longer than it says
    assert tables.stored(GRAMMAR) is None
    file.unlink()
    assert tables.stored(GRAMMAR) is None


def test_every_text_means_the_same_without_them(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_tables = parser.parse(TEXT)
    file.write_bytes(file.read_bytes()[:1000])
    forget()
    try:
        assert parser.parse(TEXT) == with_tables
    finally:
        monkeypatch.undo()
        forget()


def test_they_are_written_in_one_step(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        patch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="no space"):
            tables.write()
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    tables.write()
    assert tables.stored(GRAMMAR) is not None
