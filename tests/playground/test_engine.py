"""The playground's side of the engine answers what the command line does, about every example, and stands whatever it is asked."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import playground
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.commands import run
from support.paths import ROOT

RULES = ROOT / "rules"
GALLERY = tomllib.loads((ROOT / "docs" / "playground" / "gallery.toml").read_text("utf-8"))
EXAMPLES = [example for group in GALLERY["group"] for example in group["example"]]
FILES = {
    path.relative_to(RULES).as_posix(): path.read_text("utf-8")
    for path in RULES.rglob("*")
    if path.is_file() and path.suffix not in (".md", ".pcap", ".pcapng")
}
WEB = "allow tcp from any to 192.0.2.80 port http as web\n"


def ask(what: str, text: str, name: str = "policy.fwl", **more: Any) -> Any:
    return json.loads(playground.answer(json.dumps({"what": what, "name": name, "text": text, "files": FILES, **more})))


def example(what: str, file: str, **more: Any) -> Any:
    return ask(what, FILES[file], file, **more)


def command(*arguments: str) -> Any:
    """What the command line says in JSON, of a file of `rules` by its name there."""
    here = Path.cwd()
    os.chdir(RULES)
    try:
        return run(*arguments, "--format", "json").json
    finally:
        os.chdir(here)


def without(told: dict[str, Any], *keys: str) -> dict[str, Any]:
    """A document but for what it has besides the command line's; `errors` only if there are any."""
    return {key: value for key, value in told.items() if key not in keys and (key != "errors" or value)}


@pytest.mark.parametrize("file", [one["file"] for one in EXAMPLES])
class TestExamples:
    def test_they_have_no_error(self, file: str) -> None:
        told = example("errors", file)
        assert told["diagnostics"] == []
        assert told["file"] == file
        assert told["foreign"] == (not file.endswith(".fwl"))

    def test_the_findings_are_those_of_check(self, file: str) -> None:
        told = example("findings", file)
        assert not told["limited"]
        found = command("check", file)["findings"]
        key = ("code", "message", "severity", "help", "notes", "label")
        here = [f for f in found if f["place"]["file"] == file]
        assert sorted([one[k] for k in (*key, "place")] for one in told["diagnostics"]) == sorted(
            [one[k] for k in (*key, "place")] for one in here
        )

    def test_a_packet_fares_as_in_eval(self, file: str) -> None:
        packet = next(one for one in EXAMPLES if one["file"] == file).get("packet", "tcp 5.6.7.8:1029 -> 192.0.2.80:80")
        chosen = example("errors", file)["policies"][:1]
        told = example("packet", file, packet=packet, chosen="".join(chosen))
        found = command("eval", file, packet, *[word for name in chosen for word in ("--policy", name)])
        assert without(told, "path", "left_out") == found
        explained = command(
            "eval", file, packet, "--explain", *[word for name in chosen for word in ("--policy", name)]
        )
        assert [step["rule"] for step in told["path"]] == [one["rule"] for one in explained["results"][0]["explain"]]

    def test_expectations_are_those_of_test(self, file: str) -> None:
        if not file.endswith(".fwl"):
            return
        told = example("expectations", file)["results"]
        found = command("test", file)["results"]
        assert len(told) > 0
        assert [without(one, "here", "got", "unknown", "command") for one in told] == [
            without(one, "command") for one in found
        ]


@pytest.mark.parametrize("one", [one for one in EXAMPLES if "claim" in one], ids=lambda one: str(one["file"]))
class TestQuestions:
    def test_claims_are_proved_as_by_prove(self, one: dict[str, str]) -> None:
        told = example("prove", one["file"], claim=one["claim"])
        assert not told["errors"], "the gallery asks what can be asked"
        assert without(told, "told") == command("prove", one["file"], one["claim"])

    def test_regions_are_those_of_query(self, one: dict[str, str]) -> None:
        told = example("query", one["file"], claim=one["claim"])
        assert without(told) == command("query", one["file"], one["claim"])


@pytest.mark.parametrize("file", ["edge.fwl", "mail.fwl", "dhcp.fwl"])
def test_the_matrix_is_that_of_show(file: str) -> None:
    told = without(example("matrix", file))
    assert told == command("show", file, "--as", "matrix")


@pytest.mark.parametrize("one", [one for one in EXAMPLES if "capture" in one], ids=lambda one: str(one["file"]))
def test_captures_are_counted_as_by_eval(one: dict[str, str]) -> None:
    told = example("capture", one["file"], path=str(RULES / one["capture"]))
    found = command("eval", one["file"], "-r", str(RULES / one["capture"]), "--top", "10")
    assert without(told) == found


def test_progress_is_told() -> None:
    seen: list[tuple[int, int | None]] = []
    question = {"what": "capture", "name": "a.fwl", "text": WEB, "path": str(RULES / "edge.pcapng")}
    playground.answer(json.dumps(question), lambda done, size: seen.append((done, size)))
    assert seen[-1][1] == (RULES / "edge.pcapng").stat().st_size


class TestWhatIsWrong:
    def test_one_line_does_not_silence_the_others(self) -> None:
        text = f"alow tcp from any to any\n{WEB}{WEB.replace(' as web', '')}deny tcp from 10.0.0.1/8 to any\n"
        told = ask("errors", text)
        assert [d["place"]["line"] for d in told["diagnostics"]] == [1, 4]
        assert all(d["here"] for d in told["diagnostics"])
        assert told["diagnostics"][0]["mends"][0]["edits"][0]["text"] == "allow"

    def test_nothing_is_asked_of_a_text_with_errors(self) -> None:
        for what, more in (
            ("packet", {"packet": "tcp 1.2.3.4:5 -> 192.0.2.80:80"}),
            ("prove", {"claim": "deny any"}),
            ("matrix", {}),
        ):
            assert ask(what, f"{WEB}alow tcp\n", **more) == {"meaningless": True, "errors": []}

    def test_what_is_no_packet_is_told_with_its_place(self) -> None:
        (error,) = ask("packet", WEB, packet="tcp 1.2.3.4:99999 -> 192.0.2.80:80")["errors"]
        assert error["place"]["column"] == 13
        (error,) = ask("packet", WEB, packet="hex:4500")["errors"]
        assert error["code"] == "FW511"

    def test_what_is_no_claim_is_told(self) -> None:
        (error,) = ask("prove", WEB, claim="deny tcp to nowhere")["errors"]
        assert error["kind"] == "question"

    def test_a_capture_that_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        for data in (b"", b"no capture", (RULES / "edge.pcapng").read_bytes()[:700]):
            (tmp_path / "c").write_bytes(data)
            told = ask("capture", WEB, path=str(tmp_path / "c"))
            assert told["captures"][0]["error"]["message"]

    def test_there_is_no_disk(self) -> None:
        told = ask("errors", f'include "{ROOT}/rules/common.fwl"\n{WEB}')
        assert [d["code"] for d in told["diagnostics"]] == ["FW021"]
        assert "no such file" in told["diagnostics"][0]["message"]

    def test_a_policy_without_a_rule_is_told(self) -> None:
        told = ask("packet", "default allow\n", packet="tcp 1.2.3.4:5 -> 192.0.2.80:80")
        assert [error["code"] for error in told["errors"]] == ["FW501"]
        assert told["results"][0]["verdict"] == "allow"

    def test_another_firewalls_text_is_known_by_itself(self) -> None:
        told = ask("errors", FILES["formats/server.rules"], "edge.fwl")
        assert (told["file"], told["foreign"], told["diagnostics"]) == ("edge", True, [])
        assert told["policies"] == ["INPUT", "FORWARD", "OUTPUT"]

    def test_the_chosen_of_several_policies_is_asked(self) -> None:
        packet = "tcp 198.51.100.9:40000 -> 192.0.2.10:4444"
        text = FILES["formats/server.rules"]
        verdicts = [
            ask("packet", text, packet=packet, chosen=name)["results"][0]["verdict"] for name in ("INPUT", "OUTPUT")
        ]
        assert verdicts == ["depends", "allow"]

    def test_a_limit_is_told_and_can_be_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """While one types less is looked for; asked for, it is looked for in full."""
        monkeypatch.setitem(playground.QUESTIONS, "findings", (playground.findings, playground.Limits(work=1, steps=1)))  # type: ignore[attr-defined]
        text = (
            "".join(f"allow tcp from 10.0.{n}.0/24 to 192.0.2.0/25 port {n + 1}\n" for n in range(40))
            + "deny tcp from 10.0.0.0/16 to any\n"
        )
        told = ask("findings", text)
        assert told["limited"]
        assert any("limit reached" in d["message"] for d in told["diagnostics"])
        assert not ask("all findings", text)["limited"]


class TestEditing:
    def test_a_place_is_explained(self) -> None:
        told = ask("hover", f"net web = 192.0.2.80\n{WEB}", line=1, column=6)["hover"]
        assert told["title"] == "net web"
        assert ask("hover", "\n", line=1, column=1) == {"hover": None}

    def test_words_are_completed(self) -> None:
        told = ask("complete", f"net web = 192.0.2.80\n{WEB}allow tcp to ", line=3, column=14)["choices"]
        assert {"text": "web", "kind": "net"}.items() <= told[0].items()

    def test_edits_belong_to_the_open_text(self) -> None:
        for file in FILES:
            for d in [*example("errors", file)["diagnostics"], *example("findings", file)["diagnostics"]]:
                for mend in d["mends"]:
                    assert all(edit["place"]["file"] == file for edit in mend["edits"])


@given(st.text(max_size=200), st.text(max_size=60), st.text(max_size=20))
def test_any_text_is_answered(text: str, other: str, name: str) -> None:
    """Whatever stands in a link: an answer, never an exception."""
    for what in ("errors", "findings", "packet", "expectations", "prove", "query", "matrix", "hover", "complete"):
        told = ask(what, text, name or "policy", packet=other, claim=other, line=1, column=1)
        assert isinstance(told, dict)


def test_what_is_warmed_is_forgotten() -> None:
    playground.warm()
    assert ask("errors", WEB)["rules"] == 1
