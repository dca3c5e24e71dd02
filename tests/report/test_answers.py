"""Every command in every form: whole answers as files to be looked at, and what all forms of one answer must agree on.

FWENGINE_GOLDEN=write pytest tests/report/test_answers.py writes the files anew.
"""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from support.commands import run
from support.schemas import hold

from fwengine import Packet
from fwengine.cli.group import COMMANDS
from fwengine.cli.output import FORMS
from fwengine.packets.encode import write_pcap
from fwengine.report import render, schema

GOLDEN = Path(__file__).with_name("answers")
DAY = ("--as-of", "2026-11-25")
CLAIM = "deny tcp from any to web port ssh"
OPEN = "tcp 10.20.1.1:40000 -> 192.0.2.80:22"
OTHER = "udp 10.20.1.1:40000 -> 9.9.9.9:53 in lan0"
ASKED: dict[str, tuple[list[str], int]] = {
    "check": (["check", "old.fwl", "--effective", *DAY], 1),
    "eval": (["eval", "old.fwl", OPEN, OTHER, "--explain", "--expect", "allow", *DAY], 1),
    "eval-captures": (["eval", "old.fwl", "-r", "{c}", "--coverage", "--expect", "allow", *DAY], 1),
    "test": (["test", "old.fwl", "--coverage", "--mutate", *DAY], 1),
    "query": (["query", "old.fwl", "allow tcp to web", *DAY], 0),
    "prove": (["prove", "old.fwl", CLAIM, *DAY], 1),
    "diff": (["diff", "old.fwl", "new.fwl", *DAY], 1),
    "flows": (["flows", "old.fwl", "flows.log", "--top", "2", "--coverage", "--expect", "allow", *DAY], 1),
    "fmt": (["fmt", "--check", "--diff", "loose.fwl"], 1),
    "convert": (["convert", "old.fwl", "--to", "nft", *DAY], 0),
    "convert-refused": (["convert", "old.fwl", "--to", "cisco", *DAY], 2),
    "failure": (["check", "old.fwl", "bad.fwl", "--select", "FW201", *DAY], 2),
}


@pytest.fixture
def capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(GOLDEN)
    packets = ["tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn", "tcp 5.6.7.8:1029 -> 192.0.2.80:22 flags syn"]
    write_pcap(tmp_path / "monday.pcap", [Packet.parse(text) for text in packets])
    return str(tmp_path / "monday.pcap")


def answer(name: str, form: str, capture: str) -> str:
    words, code = ASKED[name]
    done = run(*[capture if word == "{c}" else word for word in words], "--format", form)
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    return done.out.replace(capture, "monday.pcap").replace(Path(capture).as_uri(), "file:///monday.pcap")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ASKED)
def test_golden(capture: str, name: str, form: str) -> None:
    out = answer(name, form, capture)
    expected = GOLDEN / f"{name}.{form}.txt"
    if os.environ.get("FWENGINE_GOLDEN") == "write":
        expected.write_text(out, encoding="utf-8")
    assert out == expected.read_text(encoding="utf-8")


def test_the_forms_are_said_twice_and_alike() -> None:
    """The command line has them again, since help must not load the renderers."""
    assert FORMS == render.FORMS


@pytest.mark.parametrize("name", ASKED)
def test_json_lines_are_the_document_line_by_line(capture: str, name: str) -> None:
    document = json.loads(answer(name, "json", capture))
    *lines, last = map(json.loads, answer(name, "jsonl", capture).splitlines())
    errors = [line["error"] for line in lines if "error" in line and set(line) == {"error"}]
    rows = [line for line in lines if set(line) != {"error"}]
    summary = last["summary"]
    assert errors == document.pop("errors")
    (key,) = set(document) - set(summary)
    assert {**summary, key: rows} == document
    hold({**document, "errors": errors}, ASKED[name][0][0])
    for line in (*lines, last):
        hold(line, ASKED[name][0][0], lines=True)


@pytest.mark.parametrize("name", ["check", "test", "prove", "diff", "query", "convert-refused", "failure"])
def test_github_and_sarif_tell_the_same_places_in_the_same_order(capture: str, name: str) -> None:
    log = json.loads(answer(name, "sarif", capture))
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (ran,) = log["runs"]
    results = ran["results"]
    told = []
    for result in results:
        where = result["locations"][0]["physicalLocation"] if "locations" in result else {}
        region = where.get("region", {})
        told.append((result["ruleId"], where.get("artifactLocation", {}).get("uri"), region.get("startLine")))
    commands = []
    for line in answer(name, "github", capture).splitlines():
        match = re.match(r"::\w+ (?:file=([^,]*),(?:line=(\d+),)?)?.*?title=(\w+)::", line)
        assert match
        commands.append((match[3], match[1], int(match[2]) if match[2] else None))
    assert sorted(told, key=str) == sorted(commands, key=str)
    failures = sum("kind" in r.get("properties", {}) for r in results)
    assert told[: len(told) - failures] == commands[failures:]  # failures come first there, and last here


def test_json_text_and_junit_agree_on_findings(capture: str) -> None:
    document = json.loads(answer("check", "json", capture))
    cases = list(ET.fromstring(answer("check", "junit", capture)).iter("testcase"))
    assert [(f["place"]["file"], str(f["place"]["line"])) for f in document["findings"]] == [
        (case.get("file"), case.get("line")) for case in cases
    ]
    text = answer("check", "text", capture)
    assert [f["code"] for f in document["findings"] if f"[{f['code']}]" not in text] == []


@pytest.mark.parametrize("name", ["a\u202eb.fwl", "a\u00a0<b>&.fwl", "a\x1b[31m.fwl"])
def test_junit_is_xml_whatever_files_are_called(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    for text in ("allow tcp as a\nallow tcp to 10.0.0.0/8 as b\n", "allow nothing\n"):
        path.write_text(text)
        for arguments in (("check", path), ("eval", path, "tcp 192.0.2.1:1 -> 192.0.2.2:2")):
            out = run(*arguments, "--format", "junit", *DAY).out
            assert ET.fromstring(out).findall(".//testcase")


class TestSarif:
    def results(self, text: str, tmp_path: Path) -> list[dict[str, Any]]:
        path = tmp_path / "p.fwl"
        path.write_text(text)
        log = json.loads(run("check", path, "--format", "sarif", *DAY).out)
        found: list[dict[str, Any]] = log["runs"][0]["results"]
        return found

    def test_fingerprints_stay_when_lines_move(self, tmp_path: Path) -> None:
        text = "allow tcp to any port ssh\nallow tcp to 10.0.0.0/8 port ssh\nallow tcp to 10.0.0.0/8 port ssh as b\n"
        before, after = self.results(text, tmp_path), self.results(f"# moved\n\n{text}", tmp_path)
        prints = [[r["partialFingerprints"]["fwengine/v1"] for r in found] for found in (before, after)]
        assert prints[0] == prints[1]
        assert len(set(prints[0])) == len(prints[0]) >= 2
        assert all(r["locations"] != s["locations"] for r, s in zip(before, after, strict=True))

    def test_fixes_are_the_suggestions(self, tmp_path: Path) -> None:
        """Followed by themselves, they leave the text that the suggestion means."""
        text = "allow tcp as a\nallow tcp to 10.0.0.0/8 as b\n"
        (fixed,) = [r for r in self.results(text, tmp_path) if r["ruleId"] == "FW202"]
        ((change,),) = [fix["artifactChanges"] for fix in fixed["fixes"]]
        ((replacement),) = change["replacements"]
        region = replacement["deletedRegion"]
        assert (region["startLine"], region["startColumn"], region["endLine"], region["endColumn"]) == (2, 1, 3, 1)
        assert "insertedContent" not in replacement


class TestSchema:
    @pytest.mark.parametrize("command", schema.commands())
    @pytest.mark.parametrize("lines", [(), ("--lines",)])
    def test_each_is_a_schema(self, command: str, lines: tuple[str, ...]) -> None:
        validator = pytest.importorskip("jsonschema").Draft202012Validator
        done = run("schema", command, *lines)
        assert done.code == 0
        document = json.loads(done.out)
        validator.check_schema(document)
        assert all(each["description"] for each in document["$defs"].values())

    def test_every_command_with_an_answer_has_one(self) -> None:
        assert set(schema.commands()) == set(COMMANDS) - {"schema", "lsp", "play"}  # of other forms

    def test_it_refuses_what_is_not_so(self, capture: str) -> None:
        """Each key is needed, no other may be there, and a word is one of those that may be."""
        error = pytest.importorskip("jsonschema").ValidationError
        document = json.loads(answer("query", "json", capture))
        hold(document, "query")
        row = document["regions"][0]
        for wrong in (
            {**document, "another": 1},
            {key: value for key, value in document.items() if key != "confirmed"},
            {**document, "asked": "permit"},
            {**document, "regions": [{**row, "witness": "tcp"}]},
        ):
            with pytest.raises(error):
                hold(wrong, "query")

    def test_a_command_without_one_is_a_usage_error(self) -> None:
        done = run("schema", "chek")
        assert (done.code, done.out) == (2, "")
        assert "`check`" in done.err


@pytest.mark.parametrize("command", ["explain", "version", "schema"])
def test_commands_without_an_input_fail_in_their_form(command: str) -> None:
    done = run(command, "--nonsense", "--format", "json")
    assert done.code == 2
    (error,) = json.loads(done.out)["errors"]
    assert (error["kind"], error["code"]) == ("usage", "FW513")


@pytest.mark.parametrize("form", ["markdown", "github", "sarif", "junit"])
def test_packets_one_by_one_have_the_forms_that_can_be_written_as_they_come(capture: str, form: str) -> None:
    done = run("eval", "old.fwl", "-r", capture, "--per-packet", "--format", form)
    assert done.code == 2
    assert "`--per-packet` is told as text, json or jsonl" in done.err
