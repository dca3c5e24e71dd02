"""Findings that a comment sets aside, in every form; and one identity of a finding, in JSON, in SARIF and in a baseline."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from support.commands import run

DAY = ("--as-of", "2026-11-25")
TEXT = """\
allow tcp to any port ssh as a
# fwengine: ignore FW202 until 2027-01-31: kept for the audit, ticket 41
allow tcp to 10.0.0.0/8 port ssh as b
allow tcp to 10.0.0.0/8 port ssh as c   # the same again
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("p.fwl").write_text(TEXT)
    return "p.fwl"


def sarif(file: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("check", file, "--format", "sarif", *DAY).out)["runs"][0]["results"]
    return found


def test_every_form_has_what_was_set_aside_as_what_it_is(file: str) -> None:
    data = run("check", file, "--format", "json", *DAY).json
    (ignored,) = data["ignored"]
    assert (ignored["finding"]["code"], ignored["finding"]["rule"]["label"]) == ("FW202", "b")
    why = "kept for the audit, ticket 41 (until 2027-01-31)"
    aside = [result for result in sarif(file) if "suppressions" in result]
    assert [result["suppressions"] for result in aside] == [[{"kind": "inSource", "justification": why}]]
    assert aside[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == ignored["finding"]["place"]["line"]
    assert len(sarif(file)) == len(data["findings"]) + len(data["ignored"])
    assert "line=3" not in run("check", file, "--format", "github", *DAY).out
    cases = ET.fromstring(run("check", file, "--format", "junit", *DAY).out).iter("testcase")
    assert [(c.get("line"), s.get("message")) for c in cases for s in c.iter("skipped")] == [("3", why)]
    assert why in run("check", file, "--format", "markdown", *DAY).out
    assert ", 1 ignored" in run("check", file, *DAY).out


def test_a_finding_has_one_identity(file: str) -> None:
    """Of its code, its file and its statement, whoever tells of it."""
    run("check", file, "--write-baseline", "base.json", *DAY)
    known = json.loads(Path("base.json").read_text())["findings"]
    found = run("check", file, "--format", "json", *DAY).json["findings"]
    assert sorted((e["code"], e["statement"]) for e in known if e["code"] != "FW303") == sorted(
        (f["code"], f["identity"]) for f in found if f["code"] != "FW303"
    )
    prints = {result["partialFingerprints"]["fwengine/v1"] for result in sarif(file) if "suppressions" not in result}
    assert prints <= {entry["fingerprint"] for entry in known}


def test_a_rule_of_sarif_is_explained_as_a_page(file: str) -> None:
    log = json.loads(run("check", file, "--format", "sarif", *DAY).out)
    for rule in log["runs"][0]["tool"]["driver"]["rules"]:
        assert rule["helpUri"] == f"urn:fwengine:explain:{rule['id']}"
        assert f"`fwengine explain {rule['id']}`" in rule["help"]["markdown"]
        assert rule["fullDescription"]["text"] in rule["help"]["text"]
