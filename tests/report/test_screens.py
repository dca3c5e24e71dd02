"""Screens that a reviewer sees, whole: 800 rules and one inserted, a query of a zone, an explanation.

`FWENGINE_GOLDEN=write pytest tests/report/test_screens.py` writes them anew; read the difference.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from support.commands import run
from support.large import text
from support.paths import ROOT

GOLDEN = ROOT / "tests" / "report" / "golden"
DAY = ["--as-of", "2026-11-25"]
INSERTED = "deny tcp from { office, guests } to { db-tier, web-tier, backup, voice } as freeze"
OPENED = "allow any from guests as oops"


def check(name: str, shown: str, most: int) -> None:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("FWENGINE_GOLDEN") == "write":
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")
    lines = shown.splitlines()
    assert len(lines) <= most
    assert max(map(len, lines)) <= 100


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    Path("old.fwl").write_text(text())
    return tmp_path


@pytest.mark.parametrize(("name", "rule"), [("inserted", INSERTED), ("opened", OPENED)])
def test_one_rule_inserted_into_800(folder: Path, name: str, rule: str) -> None:
    Path("new.fwl").write_text(text(rule, 40))
    done = run("diff", "old.fwl", "new.fwl", *DAY)
    assert done.code == 1
    assert f"rule `{rule.rpartition(' ')[2]}` added (new.fwl:57)" in done.out
    assert "of 1 cause" in done.out
    check(name, done.out, 40)


def test_a_definition_and_more_changed(folder: Path) -> None:
    new = text().replace("net     lab      = { 10.2.0.0/16,", "net     lab      = { 10.2.0.0/15,")
    new = new.replace(" as r7\n", " as r-seven\n").replace("default deny", "default deny  # for good")
    Path("new.fwl").write_text(new)
    done = run("diff", "old.fwl", "new.fwl", *DAY)
    assert "net `lab` changed" in done.out
    assert "without effect on any verdict:" in done.out
    check("definition", done.out, 40)


def test_a_query_of_a_zone(folder: Path) -> None:
    check("zone", run("query", "old.fwl", "allow any from office to db-tier", *DAY).out, 15)
    check("zone-denied", run("query", "old.fwl", "deny tcp from guests to web-tier", *DAY).out, 15)
    for question in ("allow any from office", "deny any to { lab, voice }", "allow any", "deny tcp from guests"):
        for columns in ("50", "100"):
            assert len(run("query", "old.fwl", question, *DAY, env={"COLUMNS": columns}).out.splitlines()) <= 15


def test_an_explanation(folder: Path) -> None:
    check("explain", run("eval", "old.fwl", "tcp 10.0.9.1:40000 -> 10.3.1.1:5432", "--explain", *DAY).out, 12)
    check("explain-open", run("eval", "old.fwl", "tcp 10.0.9.1 -> 10.3.1.1", "--explain", *DAY).out, 12)
    every = run("eval", "old.fwl", "tcp 10.8.9.1:40000 -> 10.9.1.1:1", "--explain=all", *DAY).out
    assert len(every.splitlines()) == 801


@pytest.mark.parametrize("columns", [60, 80, 132])
def test_lines_fit_the_terminal(folder: Path, columns: int) -> None:
    Path("new.fwl").write_text(text(INSERTED, 40))
    for command in (
        ["diff", "old.fwl", "new.fwl"],
        ["diff", "old.fwl", "new.fwl", "--detail"],
        ["query", "old.fwl", "allow any from office"],
        ["query", "old.fwl", "deny any from office to { lab, voice }"],
        ["eval", "old.fwl", "tcp 10.0.9.1 -> 10.3.1.1", "--explain"],
    ):
        lines = run(*command, *DAY, env={"COLUMNS": str(columns)}).out.splitlines()
        assert [line for line in lines if len(line) > columns] == []


def test_detail_has_all_in_full_and_a_limit_counts_the_rest(folder: Path) -> None:
    Path("new.fwl").write_text(text(INSERTED, 40))
    total = len(run("diff", "old.fwl", "new.fwl", "--format", "json", *DAY).json["changes"])
    whole = run("diff", "old.fwl", "new.fwl", "--detail", *DAY).out
    assert whole.count("e.g. ") == total
    assert "…" not in whole
    some = run("diff", "old.fwl", "new.fwl", "--detail", "--limit", "5", *DAY)
    assert some.code == 1
    assert some.out.count("e.g. ") == 5
    assert f"and {total - 5} more changes" in some.out
    data = run("diff", "old.fwl", "new.fwl", "--format", "json", "--limit", "5", *DAY).json
    assert (len(data["changes"]), data["more"]) == (5, total - 5)
    regions = run("query", "old.fwl", "allow any", "--limit", "3", *DAY).out
    assert regions.count("e.g. ") == 3
    assert "more regions" in regions


def test_many_findings_are_counted_by_kind(folder: Path) -> None:
    """Below all of them, where a terminal stands when they have gone by; the counts are those of the data."""
    asked = ["check", "old.fwl", *DAY]
    shown = run(*asked).out.splitlines()
    at = next(n for n, line in enumerate(shown) if line.startswith("old.fwl: "))
    counts = {words[2]: int(words[0].replace(",", "")) for words in map(str.split, shown[at + 1 : -1])}
    found = run(*asked, "--format", "json").json["findings"]
    assert len(found) > 20
    assert counts == dict(Counter(finding["code"] for finding in found))
    assert shown[-1].startswith("`--select FW2")
    assert max(map(len, shown[at:])) <= 100
    few = run("check", "old.fwl", "--select", "FW201", *DAY).out.splitlines()
    assert few[-1].startswith("old.fwl: ")
