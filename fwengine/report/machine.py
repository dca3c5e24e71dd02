"""Diagnostics, test outcomes and failures in the forms that other programs read: SARIF, GitHub annotations, JUnit.

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
from ..codes import EXPLANATIONS
from ..errors import Diagnostic, Span
from .failure import Failure

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}

Properties = Mapping[str, Any]


def sarif(results: Sequence[tuple[Diagnostic, Properties]], failures: Sequence[Failure] = ()) -> dict[str, Any]:
    """A SARIF log with one run; `properties` of a result hold what has no place of its own, such as the witness.

    Failures are results of level `error`, and the run says that it did not succeed.
    """
    levels = {f.code: "error" for f in failures}
    levels |= {d.code: _LEVELS[d.severity] for d, _ in reversed(results)}  # a rule's level is that of its first result
    codes = sorted(levels)
    rules = [
        {
            "id": code,
            "shortDescription": {"text": EXPLANATIONS.get(code, code).split(". ")[0].split("\n")[0].rstrip(".:")},
            "fullDescription": {"text": EXPLANATIONS.get(code, code)},
            "defaultConfiguration": {"level": levels[code]},
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
                "invocations": [{"executionSuccessful": not failures}],
                "results": [
                    *(_sarif_result(d, properties, codes) for d, properties in results),
                    *(_sarif_failure(failure, codes) for failure in failures),
                ],
            }
        ],
    }


def _sarif_failure(failure: Failure, codes: Sequence[str]) -> dict[str, Any]:
    out: dict[str, Any] = {
        "ruleId": failure.code,
        "ruleIndex": codes.index(failure.code),
        "level": "error",
        "message": {"text": ". ".join(_told(failure))},
        "properties": {"kind": failure.kind},
    }
    if failure.span is not None:
        out["locations"] = [{"physicalLocation": _location(failure.span)}]
    elif failure.file is not None:
        out["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": _uri(failure.file)}}}]
    return out


def _told(failure: Failure) -> list[str]:
    """All that a failure says, part by part."""
    return [part for part in (failure.message, failure.label, *failure.notes, failure.help) if part]


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
    return {"artifactLocation": {"uri": _uri(span.file)}, "region": region}


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))


def github(diagnostics: Iterable[Diagnostic], failures: Iterable[Failure] = ()) -> str:
    """Workflow commands that annotate the lines of a pull request, one a line; failures are errors, and come first."""
    lines = []
    for failure in failures:
        properties = []
        if failure.file is not None:
            properties.append(f"file={_property(failure.file)}")
        if failure.span is not None:
            properties.append(f"line={failure.span.line},col={failure.span.column},endLine={failure.span.end_line}")
            if failure.span.end_line == failure.span.line:
                properties.append(f"endColumn={failure.span.end_column}")
        properties.append(f"title={_property(failure.code)}")
        lines.append(f"::error {','.join(properties)}::{_data(chr(10).join(_told(failure)))}")
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


def junit(results: Sequence[Properties], failures: Sequence[Failure] = ()) -> str:
    """Expectations as test cases, one suite a file; a failed one holds what `fwengine test` prints about it.

    What kept a file from being tested is an error, in a case of its own.
    """
    suites: dict[str, list[ElementTree.Element]] = {}
    for r in results:
        suites.setdefault(r["file"], []).append(_case(r))
    for failure in failures:
        suites.setdefault(failure.file or "fwengine", []).append(_error_case(failure))
    root = ElementTree.Element("testsuites", name="fwengine")
    _add_counts(root, [case for cases in suites.values() for case in cases])
    for file, cases in suites.items():
        suite = ElementTree.SubElement(root, "testsuite", name=_xml(file))
        _add_counts(suite, cases)
        suite.set("skipped", "0")
        suite.extend(cases)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _add_counts(element: ElementTree.Element, cases: Sequence[ElementTree.Element]) -> None:
    element.set("tests", str(len(cases)))
    for name, inner in (("failures", "failure"), ("errors", "error")):
        element.set(name, str(sum(case.find(inner) is not None for case in cases)))


def _case(r: Properties) -> ElementTree.Element:
    file = _xml(r["file"])
    name = _xml(f"{r['line']}: {r['expectation']}")
    case = ElementTree.Element("testcase", classname=file, name=name, file=file, line=str(r["line"]))
    if not r["passed"]:
        told = [f"{key}: {r[key]}" for key in ("expected", "got", "rule", "counterexample", "command") if r[key]]
        message = _xml(f"expected {r['expected']}, got {r['got']}")
        failure = ElementTree.SubElement(case, "failure", message=message, type="expectation")
        failure.text = _xml("\n".join(told))
    return case


def _error_case(failure: Failure) -> ElementTree.Element:
    file = _xml(failure.file or "fwengine")
    place = "" if failure.span is None else f"{failure.span.line}: "
    case = ElementTree.Element("testcase", classname=file, name=_xml(f"{place}error[{failure.code}]"))
    if failure.file is not None:
        case.set("file", file)
    if failure.span is not None:
        case.set("line", str(failure.span.line))
    error = ElementTree.SubElement(case, "error", message=_xml(failure.message), type=failure.code)
    error.text = _xml("\n".join(_told(failure)))
    return case


def _xml(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "\ufffd"
        for c in text
    )
