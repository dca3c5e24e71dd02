"""Notes as a SARIF log with one run (SARIF 2.1.0: OASIS Standard, 27 March 2020); failures are results of level `error`.

A run with failures says that it did not succeed. A fingerprint is of what a note is about, and, if there were such before it, of
how many, never of a line's number; that of a finding is as a baseline has it. What was set aside has its reason as `suppressions`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from ..._version import __version__
from ...codes import EXPLANATIONS
from ..answer import Answer, Block, Note, fingerprint, paragraphs
from ..failure import Failure
from ..record import Edit, Place, plain
from . import Encode
from .markdown_form import page

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HELP: Final = "urn:fwengine:explain:"  # before a code: what `fwengine explain` tells
FINGERPRINT: Final = "fwengine/v1"
_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}


def help_of(code: str) -> str:
    """The page about a code where the environment says who serves the documentation, else a name for what `explain` tells."""
    served = os.environ.get("FWENGINE_DOCS", "")
    if not served.startswith(("https://", "http://")):
        return HELP + code
    return f"{served.rstrip('/')}/reference/codes.html#{code.lower()}"


def render(answer: Answer | None, failures: Sequence[Failure], encode: Encode) -> Iterator[str]:
    notes = tuple(answer.notes()) if answer else ()
    yield encode(log(notes, failures), 2)


def log(notes: Sequence[Note], failures: Sequence[Failure] = ()) -> dict[str, Any]:
    """The log of some notes and failures."""
    told = [*notes, *map(_of_failure, failures)]
    levels = {
        note.code: _LEVELS[note.severity] for note in reversed(told)
    }  # a rule's level is that of its first result
    codes = sorted(levels)
    rules = [
        {
            "id": code,
            "shortDescription": {"text": EXPLANATIONS.get(code, code).split(". ")[0].split("\n")[0].rstrip(".:")},
            "fullDescription": {"text": EXPLANATIONS.get(code, code)},
            "help": {
                "text": f"{EXPLANATIONS.get(code, code)}\n\nfwengine explain {code}",
                "markdown": page([*paragraphs(EXPLANATIONS.get(code, code)), Block(f"`fwengine explain {code}`")]),
            },
            "helpUri": help_of(code),
            "defaultConfiguration": {"level": levels[code]},
        }
        for code in codes
    ]
    driver = {"name": "fwengine", "version": __version__, "semanticVersion": __version__, "rules": rules}
    seen: Counter[tuple[str, ...]] = Counter()
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": not failures}],
                "results": [_result(note, codes, seen) for note in told],
            }
        ],
    }


def _of_failure(failure: Failure) -> Note:
    r = failure.record
    return Note(
        r.code, r.severity, r.message, r.place, r.label, r.help, r.notes, r.related,
        suggestions=r.suggestions, properties={"kind": r.kind}, about=(r.message,),
    )  # fmt: skip


def _result(note: Note, codes: Sequence[str], seen: Counter[tuple[str, ...]]) -> dict[str, Any]:
    out: dict[str, Any] = {
        "ruleId": note.code,
        "ruleIndex": codes.index(note.code),
        "level": _LEVELS[note.severity],
        "message": {"text": ". ".join(note.told)},
    }
    if note.place is not None:
        out["locations"] = [{"physicalLocation": _location(note.place)}]
    if note.related:
        out["relatedLocations"] = [
            {"id": n, "physicalLocation": _location(label.place), "message": {"text": label.text}}
            for n, label in enumerate(note.related)
        ]
    if note.aside is not None:
        out["suppressions"] = [{"kind": "inSource", "justification": note.aside}]
    out["partialFingerprints"] = {FINGERPRINT: _fingerprint(note, seen)}
    if note.suggestions and note.place is not None:
        out["fixes"] = [_fix(edit) for edit in note.suggestions]
    kept = {key: plain(value) for key, value in (note.properties or {}).items() if value not in (None, [], (), "")}
    if kept:
        out["properties"] = kept
    return out


def _fingerprint(note: Note, seen: Counter[tuple[str, ...]]) -> str:
    identity = (note.code, note.place.file if note.place else "", *(note.about or (note.message,)))
    seen[identity] += 1
    again = (str(seen[identity]),) if seen[identity] > 1 else ()
    return fingerprint(*identity, *again)


def _fix(edit: Edit) -> dict[str, Any]:
    """One way to mend it; its edits are all of one file."""
    replacements = [
        {"deletedRegion": _region(each.place), **({"insertedContent": {"text": each.text}} if each.text else {})}
        for each in (edit, *edit.also)
    ]
    return {"artifactChanges": [{"artifactLocation": {"uri": _uri(edit.place.file)}, "replacements": replacements}]}


def _location(place: Place) -> dict[str, Any]:
    out: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.file)}}
    if place.line is not None:
        out["region"] = _region(place)
    return out


def _region(place: Place) -> dict[str, Any]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": max(place.end_column or 1, 1),
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))
