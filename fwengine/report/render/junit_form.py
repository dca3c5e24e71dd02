"""Cases as JUnit's XML, one suite a file (the form of Apache Ant); what kept an answer away is an error, a case of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from ..answer import Answer, Case
from ..failure import Failure
from ..screen import visible
from . import Encode


def render(answer: Answer | None, failures: Sequence[Failure], encode: Encode) -> Iterator[str]:
    suites: dict[str, list[ElementTree.Element]] = {}
    for case in answer.cases() if answer else ():
        suites.setdefault(case.suite, []).append(_case(case))
    for failure in failures:
        suites.setdefault(failure.file or "fwengine", []).append(_error(failure))
    root = ElementTree.Element("testsuites", name="fwengine")
    _add_counts(root, [case for cases in suites.values() for case in cases])
    for file, cases in suites.items():
        suite = ElementTree.SubElement(root, "testsuite", name=_xml(file))
        _add_counts(suite, cases)
        suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
        suite.extend(cases)
    ElementTree.indent(root)
    yield '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _add_counts(element: ElementTree.Element, cases: Sequence[ElementTree.Element]) -> None:
    element.set("tests", str(len(cases)))
    for name, inner in (("failures", "failure"), ("errors", "error")):
        element.set(name, str(sum(case.find(inner) is not None for case in cases)))


def _case(case: Case) -> ElementTree.Element:
    element = ElementTree.Element("testcase", classname=_xml(case.suite), name=_xml(case.name))
    if case.place is not None:
        element.set("file", _xml(case.place.file))
        if case.place.line is not None:
            element.set("line", str(case.place.line))
    if case.aside is not None:
        ElementTree.SubElement(element, "skipped", message=_xml(case.aside))
    elif not case.passed:
        failure = ElementTree.SubElement(element, "failure", message=_xml(case.message), type=_xml(case.kind))
        failure.text = _xml(case.text)
    return element


def _error(failure: Failure) -> ElementTree.Element:
    file = _xml(failure.file or "fwengine")
    place = "" if failure.span is None else f"{failure.span.line}: "
    element = ElementTree.Element("testcase", classname=file, name=_xml(f"{place}error[{failure.code}]"))
    if failure.file is not None:
        element.set("file", file)
    if failure.span is not None:
        element.set("line", str(failure.span.line))
    error = ElementTree.SubElement(element, "error", message=_xml(failure.message), type=failure.code)
    error.text = _xml("\n".join(failure.told))
    return element


def _xml(text: str) -> str:
    """Without the characters that XML cannot hold, or that are made visible where they are shown: behind this, that is no XML."""
    return "\n".join(map(visible, text.split("\n")))
