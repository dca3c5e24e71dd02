"""Diagnostics and test outcomes in the forms that other programs read: SARIF, GitHub annotations, JUnit.

SARIF 2.1.0: OASIS Standard, 27 March 2020. Annotations: GitHub's workflow commands. JUnit: the form of Apache Ant.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from .._version import __version__
from ..errors import Diagnostic, Span
from .codes import explanations

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}

Properties = Mapping[str, Any]


def sarif(results: Sequence[tuple[Diagnostic, Properties]]) -> dict[str, Any]:
    """A SARIF log with one run; `properties` of a result hold what has no place of its own, such as the witness."""
    known = explanations()
    codes = sorted({d.code for d, _ in results})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": known.get(code, code).split(". ")[0].split("\n")[0].rstrip(".:")},
            "fullDescription": {"text": known.get(code, code)},
            "defaultConfiguration": {"level": _LEVELS[next(d.severity for d, _ in results if d.code == code)]},
        }
        for code in codes
    ]
    driver = {"name": "fwengine", "version": __version__, "semanticVersion": __version__, "rules": rules}
    return {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(d, properties, codes) for d, properties in results],
            }
        ],
    }


def _sarif_result(d: Diagnostic, properties: Properties, codes: Sequence[str]) -> dict[str, Any]:
    text = ". ".join(part for part in (d.message, d.label, *d.notes, d.help) if part)
    out: dict[str, Any] = {
        "ruleId": d.code,
        "ruleIndex": codes.index(d.code),
        "level": _LEVELS[d.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": _location(d.span)}],
    }
    if d.labels:
        out["relatedLocations"] = [
            {"id": n, "physicalLocation": _location(label.span), "message": {"text": label.text}}
            for n, label in enumerate(d.labels)
        ]
    kept = {key: value for key, value in properties.items() if value not in (None, [], "")}
    if kept:
        out["properties"] = kept
    return out


def _location(span: Span) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": span.line, "startColumn": span.column, "endLine": span.end_line}
    region["endColumn"] = max(span.end_column, 1)
    path = PurePath(span.file)
    uri = path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))
    return {"artifactLocation": {"uri": uri}, "region": region}


def github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands that annotate the lines of a pull request, one a line."""
    lines = []
    for d in diagnostics:
        place = f"file={_property(d.span.file)},line={d.span.line},col={d.span.column},endLine={d.span.end_line}"
        if d.span.end_line == d.span.line:
            place += f",endColumn={d.span.end_column}"
        text = "\n".join(part for part in (d.message, d.label, *d.notes, d.help and f"help: {d.help}") if part)
        lines.append(f"::{_COMMANDS[d.severity]} {place},title={_property(d.code)}::{_data(text)}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def junit(results: Sequence[Properties]) -> str:
    """Expectations as test cases, one suite a file; a failure holds what `fwengine test` prints about it."""
    failed = sum(not r["passed"] for r in results)
    root = ElementTree.Element("testsuites", name="fwengine", tests=str(len(results)), failures=str(failed), errors="0")
    suites: dict[str, list[Properties]] = {}
    for result in results:
        suites.setdefault(result["file"], []).append(result)
    for file, members in suites.items():
        failures = sum(not r["passed"] for r in members)
        suite = ElementTree.SubElement(
            root, "testsuite", name=_xml(file), tests=str(len(members)), failures=str(failures), errors="0", skipped="0"
        )
        for r in members:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=_xml(file),
                name=_xml(f"{r['line']}: {r['expectation']}"),
                file=_xml(file),
                line=str(r["line"]),
            )
            if not r["passed"]:
                told = [
                    f"{key}: {r[key]}" for key in ("expected", "got", "rule", "counterexample", "command") if r[key]
                ]
                failure = ElementTree.SubElement(
                    case, "failure", message=_xml(f"expected {r['expected']}, got {r['got']}"), type="expectation"
                )
                failure.text = _xml("\n".join(told))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _xml(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "\ufffd"
        for c in text
    )
