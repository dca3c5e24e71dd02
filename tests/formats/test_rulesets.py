"""Real rule sets: every statement of each file is counted, or the file is refused with a line and a reason."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from .rulesets import Row, rows

FOLDERS = ("iptables", "aerleon/iptables", "aerleon/cisco", "cisco", "nftables", "aerleon/nftables", "aws")


def text_of(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_is_read_or_refused_with_a_reason(shared: Path, folder: str) -> None:
    found = list(rows(shared / "data" / "rulesets" / folder))
    assert found
    assert any(row.document is not None for row in found)
    for row in found:
        assert row.document is not None or row.refused


@pytest.mark.parametrize("folder", ["iptables", "aerleon/iptables"])
def test_no_rule_of_iptables_is_dropped_in_silence(shared: Path, folder: str) -> None:
    here = shared / "data" / "rulesets" / folder
    read: list[Row] = [row for row in rows(here) if row.document is not None]
    for row in read:
        written = re.findall(r"^(?:\[\d+:\d+\] )?-[AI] ", text_of(here / row.name), re.MULTILINE)
        assert row.statements.total() == len(written), row.name


def test_no_entry_of_cisco_is_dropped_in_silence(shared: Path) -> None:
    here = shared / "data" / "rulesets" / "aerleon" / "cisco"
    for row in rows(here):
        assert row.document is not None, row.refused
        written = re.findall(r"^(?:access-list \S+ | )(?:permit|deny|remark)\b", text_of(here / row.name), re.MULTILINE)
        assert row.statements.total() == len(written), row.name
