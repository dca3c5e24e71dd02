"""The forms for other programs: SARIF by its own model, GitHub's commands by their escapes, JUnit as XML."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from unittest import mock
from urllib.parse import unquote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwengine.codes import EXPLANATIONS
from fwengine.errors import Diagnostic, Label, Severity, Span
from fwengine.report.answer import Answer, Note, table
from fwengine.report.outcomes import Outcome
from fwengine.report.record import Place, RuleRecord, Witness
from fwengine.report.render import markdown_form, render
from fwengine.report.render.sarif_form import log
from fwengine.report.tested import Tests


@dataclass(frozen=True)
class Noted(Answer):
    """An answer of which there are only notes."""

    told: tuple[Note, ...]

    def notes(self) -> Iterable[Note]:
        return self.told


def sarif(results: list[tuple[Diagnostic, dict[str, Any]]]) -> dict[str, Any]:
    return log([Note.of(d, properties) for d, properties in results])


def github(found: list[Diagnostic]) -> str:
    return "\n".join(render(Noted(tuple(map(Note.of, found))), "github"))


ODD = st.text(max_size=12) | st.sampled_from(
    ["a b.fwl", "é.fwl", "a%b,c:d.fwl", "x\ny", "\udcff", "::error::", "]]>", "\0"]
)
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@st.composite
def diagnostics(draw: st.DrawFn) -> Diagnostic:
    def span() -> Span:
        line, column = draw(st.integers(1, 9)), draw(st.integers(1, 9))
        return Span(
            draw(ODD.filter(bool)), line, column, line + draw(st.integers(0, 1)), column + draw(st.integers(0, 3))
        )

    code = draw(st.sampled_from(["FW012", "FW106", "FW201", "FW999"]))
    labels = tuple(Label(span(), draw(ODD)) for _ in range(draw(st.integers(0, 2))))
    notes = tuple(draw(st.lists(ODD, max_size=2)))
    return Diagnostic(code, draw(ODD), span(), draw(ODD), draw(ODD), draw(st.sampled_from(SEVERITIES)), labels, notes)


class TestSarif:
    @given(st.lists(st.tuples(diagnostics(), st.dictionaries(st.sampled_from(["rule", "witness"]), ODD)), max_size=4))
    def test_is_sarif(self, results: list[tuple[Diagnostic, dict[str, str]]]) -> None:
        model = pytest.importorskip("pydantic_sarif.model")
        document = json.loads(json.dumps(sarif(results)))
        parsed = next(
            getattr(model, name)
            for name in dir(model)
            if {"runs", "version"} <= set(getattr(getattr(model, name), "model_fields", ()))
        ).model_validate(_clean(document))
        assert len(parsed.runs[0].results) == len(results)

    @given(st.lists(st.tuples(diagnostics(), st.just({})), min_size=1, max_size=4))
    def test_points_at_the_place_and_the_rule(self, results: list[tuple[Diagnostic, dict[str, str]]]) -> None:
        (run,) = sarif(results)["runs"]
        rules = run["tool"]["driver"]["rules"]
        assert [rule["id"] for rule in rules] == sorted({d.code for d, _ in results})
        for (d, _), result in zip(results, run["results"], strict=True):
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == d.code
            assert result["level"] == {"error": "error", "warning": "warning", "info": "note"}[d.severity]
            place = result["locations"][0]["physicalLocation"]
            region = place["region"]
            assert (region["startLine"], region["startColumn"]) == (d.span.line, d.span.column)
            assert (region["endLine"], region["endColumn"]) == (d.span.end_line, d.span.end_column)
            assert re.fullmatch(r"[!-~]*", place["artifactLocation"]["uri"])
            assert len(result.get("relatedLocations", [])) == len(d.labels)

    @pytest.mark.parametrize(
        ("file", "uri"),
        [
            ("rules/edge.fwl", "rules/edge.fwl"),
            ("a b%#?.fwl", "a%20b%25%23%3F.fwl"),
            ("/srv/a b.fwl", "file:///srv/a%20b.fwl"),
            ("é\udcff.fwl", "%C3%A9%FF.fwl"),
        ],
    )
    def test_places_are_uris(self, file: str, uri: str) -> None:
        document = sarif([(Diagnostic("FW012", "m", Span(file, 1, 1, 1, 2)), {})])
        found = document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert found == uri
        assert os.fsdecode(unquote_to_bytes(found.removeprefix("file://"))) == file

    def test_rules_are_explained(self) -> None:
        document = sarif([(Diagnostic("FW106", "m", Span("f", 1, 1, 1, 2)), {"witness": None, "rule": "a"})])
        (run,) = document["runs"]
        assert run["tool"]["driver"]["rules"][0]["fullDescription"]["text"] == EXPLANATIONS["FW106"]
        assert run["results"][0]["properties"] == {"rule": "a"}


def _clean(value: Any) -> Any:
    """Without lone surrogates, which the model's own strings refuse."""
    return json.loads(re.sub(r"\\ud[89a-f][0-9a-f]{2}", "?", json.dumps(value)))


class TestGithub:
    @given(st.lists(diagnostics(), max_size=4))
    def test_one_command_a_line(self, found: list[Diagnostic]) -> None:
        lines = github(found).split("\n") if found else []
        assert len(lines) == len(found)
        for d, line in zip(found, lines, strict=True):
            match = re.fullmatch(r"::(error|warning|notice) ([^\r\n]*?)::([^\r\n]*)", line)
            assert match
            properties = dict(pair.split("=", 1) for pair in match[2].split(","))
            assert _unescaped(properties["file"]) == d.span.file
            assert (int(properties["line"]), int(properties["col"])) == (d.span.line, d.span.column)
            assert properties["title"] == d.code
            assert _unescaped(match[3]).startswith(d.message)
            assert ("endColumn" in properties) == (d.span.line == d.span.end_line)


def _unescaped(text: str) -> str:
    assert not re.search(r"%(?!25|0A|0D|3A|2C)", text)
    return re.sub(r"%(25|0A|0D|3A|2C)", lambda m: unquote(m[0]), text)


class TestJunit:
    @given(st.lists(st.tuples(ODD, ODD, st.booleans()), max_size=5))
    def test_is_xml(self, rows: list[tuple[str, str, bool]]) -> None:
        results = [
            Outcome(
                (place := Place(file, n, 1, n, 2)),
                file,
                text,
                passed,
                None,
                "allow",
                None,
                None if passed else Witness(text, "deny", RuleRecord(text, "deny", place)),
                text,
                False,
                (),
            )
            for n, (file, text, passed) in enumerate(rows)
        ]
        (page,) = render(Tests.of([("p.fwl", results)]), "junit")
        root = ET.fromstring(page)
        cases = list(root.iter("testcase"))
        assert int(root.get("tests", "")) == len(cases) == len(rows)
        assert int(root.get("failures", "")) == sum(not passed for _, _, passed in rows)
        assert sorted(int(case.get("line", "")) for case in cases) == list(range(len(rows)))
        for suite in root:
            assert int(suite.get("tests", "")) == len(suite)
            assert int(suite.get("failures", "")) == len(list(suite.iter("failure")))


@given(st.text("`| a-+>*_\\\n\x1bé1,.:(", max_size=12))
def test_cells_that_stand_as_they_are_are_written_as_others_are(text: str) -> None:
    page = markdown_form.page([table(("a",), [(text,)])])
    with mock.patch.object(markdown_form, "_PLAIN", re.compile("(?!)")):  # none is
        assert markdown_form.page([table(("a",), [(text,)])]) == page
