"""Failure has one form in every format, and an answer about nothing is never a success: every command, in a table."""

from __future__ import annotations

import json
import os
import re
import threading
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from support.commands import Done, program, run
from support.paths import ROOT
from support.schemas import hold

from fwengine import Packet
from fwengine.codes import EXPLANATIONS
from fwengine.errors import Span
from fwengine.packets.encode import write_pcap
from fwengine.report.failure import Failure

PACKET = "tcp 5.6.7.8:1029 -> 192.0.2.80:80"
GOOD = "allow tcp to 192.0.2.80 port 80 as web\nexpect allow tcp 1.2.3.4:1029 -> 192.0.2.80:80 by web\n"
SYN = "tcp 10.0.0.1:40000 -> 10.0.0.2:22 flags syn"

# A frame that a firewall of a kind not read here has recorded, a link type of experiments, and no frame at all.
PCAP = bytes.fromhex("d4c3b2a1020004000000000000000000ffff0000")
FOREIGN = PCAP + bytes.fromhex("93000000" + "0000000000000000" + "04000000" * 2 + "45000000")
NO_FRAME = PCAP + bytes.fromhex("01000000")
ARP = PCAP + bytes.fromhex("01000000" + "0000000000000000" + "0e000000" * 2 + "ff" * 6 + "02" * 6 + "0806")

ONE = ("text", "json", "jsonl")
ALL = (*ONE, "markdown", "github", "sarif", "junit")
UNPLACED = ("text", "markdown")  # where a test does not look for the file
# Each command with the formats it has, as it is called with an input under test: `{x}`. `{p}` and `{c}` are good ones.
POLICIES: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "check": (["check", "{x}"], ALL),
    "check --fix": (["check", "--fix", "{x}"], ALL),
    "check --fix --diff": (["check", "--fix", "--diff", "{x}"], ALL),
    "check --write-baseline": (["check", "--write-baseline", "{out}", "{x}"], ALL),
    "check of several": (["check", "{p}", "{x}"], ALL),
    "eval": (["eval", "{x}", PACKET], ALL),
    "eval -r": (["eval", "{x}", "-r", "{c}"], ALL),
    "eval --per-packet": (["eval", "{x}", "-r", "{c}", "--per-packet"], ONE),
    "test": (["test", "{x}"], ALL),
    "test of several": (["test", "{p}", "{x}", "--coverage", "--mutate"], ALL),
    "query": (["query", "{x}", "deny any"], ALL),
    "flows": (["flows", "{x}", str(ROOT / "tests/flows/logs/conn.log")], ALL),
    "prove": (["prove", "{x}", "deny udp"], ALL),
    "prove of several": (["prove", "{p}", "{x}", "deny udp", "deny icmp"], ALL),
    "diff, old": (["diff", "{x}", "{p}"], ALL),
    "diff, new": (["diff", "{p}", "{x}"], ALL),
    "diff, both": (["diff", "{x}", "{x}"], ALL),
    "synth": (["synth", "{x}", "-o", "{out}"], ALL),
    "show": (["show", "{x}"], ("text", "json")),
    "convert": (["convert", "{x}", "--to", "nft"], ALL),
    "convert -o": (["convert", "{x}", "--to", "cisco", "-o", "{out}"], ALL),
    "report": (["report", "{x}", "-o", "{out}"], (*ONE, "markdown")),
    "fmt": (["fmt", "{x}"], ALL),
    "fmt --check": (["fmt", "--check", "{x}"], ALL),
}
CAPTURES: dict[str, list[str]] = {
    "eval -r": ["eval", "{p}", "-r", "{x}"],
    "eval -r, expecting": ["eval", "{p}", "-r", "{x}", "--expect", "allow"],
    "eval -r, expecting the other": ["eval", "{p}", "-r", "{x}", "--expect", "deny", "--engine", "tree"],
    "eval -r of several": ["eval", "{p}", "-r", "{c}", "-r", "{x}"],
    "eval --per-packet": ["eval", "{p}", "-r", "{x}", "--per-packet", "--expect", "deny"],
    "diff -r": ["diff", "{p}", "{p}", "-r", "{x}"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.fwl").write_text(GOOD)
    write_pcap(tmp_path / "good.pcap", [Packet.parse(SYN)])
    return tmp_path


def ask(folder: Path, command: list[str], given: Path | str, form: str, stdin: bytes = b"") -> Done:
    known = {
        "{x}": str(given),
        "{p}": str(folder / "good.fwl"),
        "{c}": str(folder / "good.pcap"),
        "{out}": str(folder / "o"),
    }
    words = [known.get(word, word) for word in command]
    if form != "text":
        words += ["--as" if words[0] == "show" else "--format", form]
    return run(*words, stdin=stdin)


def carried(done: Done, form: str, command: str) -> list[tuple[str, str | None]]:
    """The codes and files of the failures that an answer carries, after a look whether it is what its form demands."""
    if form == "json":
        document = json.loads(done.out)
        hold(document, command)
        assert document["format_version"] == "2.0"
        return [_record(error) for error in document["errors"]]
    if form == "jsonl":
        lines = [json.loads(line) for line in done.out.splitlines()]
        for line in lines:
            hold(line, command, lines=True)
        return [_record(line["error"]) for line in lines if set(line) == {"error"}]  # beside a capture's own
    if form == "markdown":
        return [(code, None) for code in re.findall(r"^\*\*error (FW\d+)\*\*", done.out, re.MULTILINE)]
    if form == "github":
        return [_annotation(line) for line in done.out.splitlines() if line.startswith("::error ")]
    if form == "junit":
        return _junit(done.out)
    if form == "sarif":
        return _sarif(done.out)
    told = done.out + done.err  # as text, the errors of a policy are a part of what `check` answers
    return [(code, None) for code in EXPLANATIONS if f"error[{code}]" in told]


def _record(error: dict[str, Any]) -> tuple[str, str | None]:
    assert list(error) == list(Failure("limit", "", "").record.to_dict())
    assert error["kind"] in ("usage", "file", "policy", "question", "capture", "limit", "nothing")
    assert error["code"] in EXPLANATIONS
    assert error["severity"] == "error"
    assert error["message"]
    place = error["place"]
    assert place is None or (place["line"] is None) == (place["end_column"] is None)
    return error["code"], place and place["file"]


def _annotation(line: str) -> tuple[str, str | None]:
    properties, _, message = line.removeprefix("::error ").partition("::")
    assert message
    parts = dict(part.split("=", 1) for part in properties.split(","))
    return parts["title"], parts.get("file", "").replace("%3A", ":") or None


def _junit(text: str) -> list[tuple[str, str | None]]:
    root = ET.fromstring(text)
    assert root.tag == "testsuites"
    for suite in (root, *root):
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        for what in ("failure", "error"):
            assert suite.get(f"{what}s") == str(sum(case.find(what) is not None for case in cases))
        assert suite is root or suite.tag == "testsuite"
        assert all(case.get("name") and case.get("classname") for case in cases)
    errors = list(root.iter("error"))
    assert all(error.get("message") and error.text for error in errors)
    return [(error.get("type", ""), case.get("file")) for case in root.iter("testcase") for error in case.iter("error")]


def _sarif(text: str) -> list[tuple[str, str | None]]:
    model = pytest.importorskip("pydantic_sarif.model")
    document = json.loads(text)
    next(
        getattr(model, name)
        for name in dir(model)
        if {"runs", "version"} <= set(getattr(getattr(model, name), "model_fields", ()))
    ).model_validate(document)
    (ran,) = document["runs"]
    found = [r for r in ran["results"] if "kind" in r.get("properties", {})]
    assert all(r["level"] == "error" for r in found)
    assert ran["invocations"] == [{"executionSuccessful": not found}]
    places = [r.get("locations", [{}])[0].get("physicalLocation", {}) for r in found]
    return [
        (r["ruleId"], unquote(place.get("artifactLocation", {}).get("uri", "")).removeprefix("file://") or None)
        for r, place in zip(found, places, strict=True)
    ]


def rows(table: dict[str, tuple[list[str], tuple[str, ...]]]) -> list[Any]:
    return [pytest.param(words, form, id=f"{name}-{form}") for name, (words, forms) in table.items() for form in forms]


WRONG: dict[str, tuple[bytes | None, str | None]] = {
    "does not compile": (b"allow tcp\nalow udp\n", "FW012"),
    "includes what is not there": (b'include "none.fwl"\nallow tcp\n', "FW021"),
    "unreadable": (None, "FW001"),
    "empty": (b"", None),
    "comments alone": (b"# nothing\n\n", None),
    "a default and no rule": (b"default deny\nexpect deny udp\n", "FW501"),
    "a capture": (NO_FRAME, "FW006"),
    "a capture of the other kind": (bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000"), "FW006"),
    "no text": (b"\xff\xfea\0l\0", "FW002"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(("command", "form"), rows(POLICIES))
def test_no_policy(folder: Path, command: list[str], form: str, wrong: str) -> None:
    data, code = WRONG[wrong]
    path = folder / "x.fwl"
    if data is not None:
        path.write_bytes(data)
    done = ask(folder, command, path, form)
    assert "Traceback" not in done.err
    if command[0] == "fmt" and wrong in ("comments alone", "a default and no rule", "includes what is not there"):
        assert done.code == ("--check" in command and "would format" in done.err)  # there is something to format
        return
    assert done.code == 2
    found = carried(done, form, command[0])
    assert found, "nothing is said"
    if code is None:
        code = {"test": "FW502", "fmt": "FW504"}.get(command[0], "FW501")
    assert code in dict(found)
    assert form in UNPLACED or {file for _, file in found} <= {str(path), str(folder / "none.fwl"), "x.fwl"}
    assert form == "text" or done.err or command[0] == "check"  # people read it, too


SINGLE = {name: POLICIES[name] for name in ("check", "test", "query", "prove", "show", "eval")}
CLAIMS = {name: ([name, "{p}", "deny tcp to any port wbe"], POLICIES[name][1]) for name in ("query", "prove")}


@pytest.mark.parametrize("given", ["folder", "stdin", "revision"])
@pytest.mark.parametrize(("command", "form"), rows(SINGLE))
def test_other_ways_to_name_no_policy(folder: Path, command: list[str], form: str, given: str) -> None:
    (folder / "none").mkdir()
    named = {"folder": str(folder / "none"), "stdin": "-", "revision": "HEAD:none.fwl"}[given]
    done = ask(folder, command, named, form)
    assert done.code == 2
    ((code, file),) = carried(done, form, command[0])
    nothing = "FW502" if command[0] == "test" else "FW501"
    assert code == (nothing if given == "stdin" else "FW001")
    assert form in UNPLACED or file == ("<stdin>" if named == "-" else named)


NO_VERDICT: dict[str, tuple[bytes | None, str]] = {
    "unreadable": (None, "FW905"),
    "empty": (b"", "FW901"),
    "a policy": (GOOD.encode(), "FW901"),
    "ends early": (PCAP[:20], "FW902"),
    "no packet": (NO_FRAME, "FW503"),
    "not IP": (ARP, "FW503"),
    "not understood": (FOREIGN, "FW503"),
}


@pytest.mark.parametrize("wrong", NO_VERDICT)
@pytest.mark.parametrize(
    ("name", "form"),
    [(name, form) for name, words in CAPTURES.items() for form in (ONE if "--per-packet" in words else ALL)],
)
def test_no_capture(folder: Path, name: str, form: str, wrong: str) -> None:
    data, code = NO_VERDICT[wrong]
    path = folder / "x.pcap"
    if data is not None:
        path.write_bytes(data)
    done = ask(folder, CAPTURES[name], path, form)
    assert (done.code, "Traceback" in done.err) == (2, False)
    found = carried(done, form, CAPTURES[name][0])
    assert found == [(code, None if form in UNPLACED else str(path))]
    if form == "json" and "captures" in json.loads(done.out):
        (entry,) = [c for c in json.loads(done.out)["captures"] if c["file"] == str(path)]
        assert entry["error"]["code"] == code
    assert "would change" not in done.out


@pytest.mark.parametrize("form", ALL)
@pytest.mark.parametrize(
    ("stdin", "code"),
    [
        (b"", "FW504"),
        (b"# a comment\n\n", "FW504"),
        (b"nonsense\n", "FW010"),
        (b"hex:zz\n", "FW511"),
        (NO_FRAME, "FW511"),
    ],
)
def test_no_packet(folder: Path, form: str, stdin: bytes, code: str) -> None:
    done = ask(folder, ["eval", "{p}", "-", "--expect", "deny"], "", form, stdin)
    assert done.code == 2
    ((found, file),) = carried(done, form, "eval")
    assert found == code or found.startswith("FW01")
    assert form in UNPLACED or file == "<stdin>"


@pytest.mark.parametrize("form", ALL)
@pytest.mark.parametrize(("packet", "code"), [("tcp 1.1.1.1 -> ", "FW011"), ("hex:zz", "FW511"), ("x=1", "FW511")])
def test_no_packet_among_the_arguments(folder: Path, form: str, packet: str, code: str) -> None:
    done = ask(folder, ["eval", "{p}", PACKET, packet], "", form)
    assert done.code == 2
    ((found, _),) = carried(done, form, "eval")
    assert found == code
    if form == "json":
        assert json.loads(done.out)["errors"][0]["kind"] == "question"


@pytest.mark.parametrize(("command", "form"), rows(CLAIMS))
def test_no_question(folder: Path, command: list[str], form: str) -> None:
    done = ask(folder, command, "", form)
    assert done.code == 2
    ((code, _),) = carried(done, form, command[0])
    assert code == "FW112"


@pytest.mark.parametrize(("command", "form"), rows(POLICIES))
def test_a_wrong_command_line_fails_in_the_form_it_asks_for(folder: Path, command: list[str], form: str) -> None:
    done = ask(folder, [*command, "--nonsense"], folder / "good.fwl", form)
    assert done.code == 2
    assert "--nonsense" in done.err
    if form != "text":
        assert [code for code, _ in carried(done, form, command[0])] == ["FW513"]


@pytest.mark.parametrize(("command", "form"), rows(POLICIES))
def test_a_success_carries_no_failure(folder: Path, command: list[str], form: str) -> None:
    done = ask(folder, command, folder / "good.fwl", form)
    assert carried(done, form, command[0]) == []
    assert done.code == (1 if command[0] == "check" and "--strict" in command else 0)


def test_limits_are_failures_too(folder: Path) -> None:
    many = folder / "many.fwl"
    many.write_text("".join(f"allow tcp to 10.0.{n}.0/24 port {n} as r{n}\n" for n in range(1, 40)))
    for command in (
        ["query", str(many), "allow any", "--limit-regions", "3"],
        ["diff", str(many), "{p}", "--limit-regions", "3"],
    ):
        for form in ALL:
            done = ask(folder, command, "", form)
            assert (done.code, carried(done, form, command[0])) == (2, [] if form == "text" else [("FW512", None)])
            assert done.err.startswith("error: unknown: ")


def test_an_expectation_that_takes_too_long_has_its_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And those beside it are told all the same."""
    from fwengine.analysis import prove
    from fwengine.errors import LimitError

    real = prove.prove

    def slow(policy: Any, claim: Any, *rest: Any, **more: Any) -> Any:
        if claim.span.line == 3:
            raise LimitError("unknown: limit reached")
        return real(policy, claim, *rest, **more)

    monkeypatch.setattr(prove, "prove", slow)
    path = folder / "good.fwl"
    path.write_text(GOOD + "expect deny udp\nexpect deny icmp\n")
    done = run("test", path, "--format", "junit", "--junit", folder / "j.xml")
    assert done.code == 2
    for text in (done.out, (folder / "j.xml").read_text()):
        (root,) = ET.fromstring(text)
        assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "0", "1")
        assert [case.get("line") for case in root if case.find("error") is not None] == ["3"]


class TestKinds:
    """Inputs of another kind, as far as the command line knows better."""

    def test_a_capture_without_r(self, folder: Path) -> None:
        for path in (folder / "good.pcap", folder / "none.pcapng"):
            done = run("eval", folder / "good.fwl", path)
            assert (done.code, done.out) == (2, "")
            assert done.err == f"error[FW511]: `{path}` is not a packet (a capture is read with `-r {path}`)\n"

    def test_a_file_that_is_no_packet(self, folder: Path) -> None:
        done = run("eval", folder / "good.fwl", folder / "good.fwl")
        assert "it is a file: a capture is read with `-r" in done.err

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (NO_FRAME, "this is a capture (pcap), not a policy"), (b"\x1f\x8b\x08\0", "compressed with gzip"), (b"PK\x03\x04", "zip"),
            (b"\x7fELF\x02", "a program"), (b"\xfd7zXZ\0\0", "xz"),
        ],
    )  # fmt: skip
    def test_what_is_no_text_is_called_by_its_name(self, folder: Path, data: bytes, said: str) -> None:
        path = folder / "x.fwl"
        path.write_bytes(data + bytes(range(256)))
        for words in (["check", path], ["check", "-"], ["fmt", path], ["show", "-"], ["prove", path, "deny any"]):
            done = run(*words, stdin=path.read_bytes())
            assert (done.code, (done.out + done.err).count("error[FW006]: this is ")) == (2, 1)
            assert said in done.out + done.err
            assert len((done.out + done.err).splitlines()) < 8
        (folder / "y.fwl").write_text('include "x.fwl"\nallow tcp to web\n')
        done = run("check", folder / "y.fwl", "--format", "json")
        assert [(e["code"], e["place"]["file"]) for e in done.json["errors"]] == [("FW006", str(path))]

    def test_a_capture_as_policy_is_told_what_to_do(self, folder: Path) -> None:
        done = run("eval", folder / "good.pcap", "-r", folder / "good.fwl")
        assert f"`fwengine eval POLICY -r {folder / 'good.pcap'}` runs a capture through one" in done.err

    def test_a_policy_as_capture(self, folder: Path) -> None:
        done = run("eval", folder / "good.fwl", "-r", folder / "good.fwl")
        assert "good.fwl: error[FW901]: text, not a capture" in done.err

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    def test_a_named_pipe_is_read_as_a_file(self, folder: Path) -> None:
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        for name, words in (("good.fwl", ["eval", str(pipe), PACKET]), ("good.pcap", ["eval", "{p}", "-r", str(pipe)])):
            writer = threading.Thread(target=lambda name=name: pipe.write_bytes((folder / name).read_bytes()))
            writer.start()
            done = ask(folder, words, "", "text")
            writer.join()
            assert done.code == 0

    @pytest.mark.parametrize(
        "words",
        [
            ["eval", "-", "-"], ["eval", "-", "-r", "-"], ["diff", "-", "-"], ["diff", "-", "x", "-r", "-"], ["check", "-", "-"],
            ["test", "-", "-"], ["fmt", "-", "-"],
        ],
    )  # fmt: skip
    def test_standard_input_is_read_once(self, words: list[str]) -> None:
        done = run(*words, stdin=b"allow tcp\n")
        assert (done.code, done.out) == (2, "")
        assert "`-` stands twice" in done.err

    @pytest.mark.parametrize(
        "words", [["check", "--fix", "-"], ["check", "--fix", "HEAD:x.fwl"], ["fmt", "HEAD:x.fwl"]]
    )
    def test_what_cannot_be_rewritten_is_not_taken_for_it(self, words: list[str]) -> None:
        done = run(*words, stdin=b"allow tcp\nallow tcp\n")
        assert (done.code, done.out) == (2, "")
        assert "rewrites files, and `" in done.err


def test_one_clock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day is read once a command: across midnight, a diff compares one day."""
    import datetime

    reads: list[datetime.date] = []

    class Clock(datetime.date):
        @classmethod
        def today(cls) -> Clock:
            reads.append(datetime.date(2026, 1, 31) + datetime.timedelta(days=len(reads)))
            return cls(reads[-1].year, reads[-1].month, reads[-1].day)

    monkeypatch.setattr(datetime, "date", Clock)
    old = folder / "old.fwl"
    old.write_text("allow tcp until 2026-01-31\nexpect allow tcp\n")
    commands: list[list[str | Path]] = [
        ["diff", old, old], ["test", old], ["check", old, old, "--ignore", "FW208"], ["eval", old, PACKET, "--expect", "allow"],
        ["prove", old, "allow tcp"], ["query", old, "allow tcp"], ["show", old],
        ["synth", old, "-o", folder / "o"], ["diff", old, old, "-r", folder / "good.pcap"], ["check", "--fix", old],
    ]  # fmt: skip
    for words in commands:
        reads.clear()
        done = run(*words)
        assert (len(reads), "no rule counts" in done.err) == (1, False), words


def test_a_failure_is_a_plain_record() -> None:
    one = Failure("policy", "FW012", "m", "a.fwl", Span("a.fwl", 1, 2, 1, 4), help="h")
    assert hash(one) == hash(Failure("policy", "FW012", "m", "a.fwl", Span("a.fwl", 1, 2, 1, 4), help="h"))
    assert str(one) == "a.fwl:1:2: error[FW012]: m (h)"
    assert one.record.to_dict()["place"]["end_column"] == 4


WITHOUT_JINJA = """
import sys
sys.modules["jinja2"] = None
sys.argv[0] = "fwengine"
from fwengine.cli import main
main()
"""


@pytest.mark.parametrize(
    "words", [["check", "--fix"], ["eval", PACKET], ["query", "allow any"], ["check", "--nonsense"]]
)
def test_a_page_that_cannot_be_made_is_told_before_anything_is_done(tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "a.fwl"
    text = "allow tcp as one\nallow tcp port 1 as two\n"  # `--fix` would remove the second
    path.write_text(text)
    command, *more = words
    done = program(command, str(path), *more, "--format", "html", script=WITHOUT_JINJA)
    assert (done.returncode, done.stdout, path.read_text()) == (2, b"", text)
    assert b"Error: a page needs `jinja2`: pip install 'fwengine[report]'" in done.stderr
    assert b"Traceback" not in done.stderr
