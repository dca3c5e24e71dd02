"""Real rule sets: every statement of each file is counted, or the file is refused with a line and a reason."""

from __future__ import annotations

import gzip
import json
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


def nft_rules(text: str) -> int:
    """The rules that stand in the chains of a text of nft, counted by its braces alone."""
    depth, chain, count = 0, -1, 0
    for raw in text.replace("\\\n", " ").split("\n"):
        line = raw.partition("#")[0].strip()
        one = re.fullmatch(r"chain \S+ \{(.+)\}", line)  # all of it on one line
        if re.fullmatch(r"chain \S+ \{", line):
            chain = depth
        elif one is not None or (chain >= 0 and depth == chain + 1 and line != "}"):
            parts = (part.strip() for part in (one[1] if one is not None else line).split(";"))
            count += sum(not re.match(r"type \w+ hook|policy |$", part) for part in parts)
        depth += line.count("{") - line.count("}")
        chain = -1 if depth <= chain else chain
    return count


@pytest.mark.parametrize("folder", ["nftables", "aerleon/nftables"])
def test_no_rule_of_nft_is_dropped_in_silence(shared: Path, folder: str) -> None:
    here = shared / "data" / "rulesets" / folder
    read = [row for row in rows(here) if row.document is not None and "include" not in text_of(here / row.name)]
    assert read
    for row in read:
        assert row.statements.total() == nft_rules(text_of(here / row.name)), row.name


def test_no_rule_of_aws_is_dropped_in_silence(shared: Path) -> None:
    (row,) = [row for row in rows(shared / "data" / "rulesets" / "aws") if row.name.endswith(".json")]
    assert row.document is not None, row.refused
    text = json.loads((shared / "data" / "rulesets" / "aws" / row.name).read_text("utf-8"))
    written = 0
    for acl in text["network_acls"]:
        written += len(acl["Entries"])
    for group in text["security_groups"]:
        for rule in (*group["IpPermissions"], *group["IpPermissionsEgress"]):
            written += sum(
                len(rule.get(key) or ()) for key in ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
            )
    assert row.statements.total() == written
