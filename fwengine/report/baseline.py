"""A baseline: the findings that were there when it was written, so that only new ones fail.

A finding is known by its fingerprint (`identity`). Several alike are counted.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from ..analysis.finding import Finding
from ..codes import NO_BASELINE
from ..errors import Diagnostic, PolicyError, Span
from ..policy import Policy
from ..sources.source import read_file
from ..sources.writing import failure, json_text, replace
from .answer import fingerprint
from .identity import place_of, statement_of
from .suppressed import UNUSED

VERSION: Final = "1.0"


@dataclass(frozen=True, order=True)
class Entry:
    """One known finding; `file` is relative to the baseline's folder."""

    file: str
    code: str
    statement: str

    @property
    def fingerprint(self) -> str:
        """Of all that the entry says."""
        return fingerprint(self.code, self.file, self.statement)

    def to_dict(self) -> dict[str, str]:
        return {
            "code": self.code,
            "file": self.file,
            "statement": self.statement,
            "fingerprint": self.fingerprint,
        }


def entry_of(policy: Policy, finding: Finding, baseline: str) -> Entry:
    """What a finding is known by in the baseline of that name."""
    file = place_of(policy, finding).file
    return Entry(_relative(file, baseline), finding.code, statement_of(policy, finding))


def _relative(file: str, baseline: str) -> str:
    """A file's name from the folder of a baseline; of what is not on the disk the name itself."""
    if not os.path.exists(file):  # noqa: PTH110  # says no to what cannot be a path
        return file
    folder = os.path.dirname(os.path.abspath(baseline))  # noqa: PTH100, PTH120
    return os.path.relpath(file, folder).replace(os.sep, "/")


def _listed(entry: Entry) -> list[str]:
    """The codes that an unused comment names: it is found unused only where these are looked for."""
    return (
        re.findall(r"\bFW\d{3}\b", entry.statement.partition(":")[2].partition(":")[0]) if entry.code == UNUSED else []
    )


@dataclass
class Baseline:
    """What is known, and what of it was met in a run."""

    file: str
    known: Counter[Entry]
    met: Counter[Entry] = field(default_factory=Counter)
    answers: dict[Any, bool] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many findings of the run it knows."""
        return sum(self.answers.values())

    def knows(self, key: object, policy: Policy, finding: Finding) -> bool:
        """Is a finding known? `key` is what one finding has in common with itself when it is met again."""
        if key not in self.answers:
            entry = entry_of(policy, finding, self.file)
            self.met[entry] += 1
            self.answers[key] = self.met[entry] <= self.known[entry]
        return self.answers[key]

    def stale(self, files: Iterable[str], codes: Collection[str]) -> list[Entry]:
        """The entries of these files and codes that were not met; of comments, those about these codes alone."""
        names = {_relative(file, self.file) for file in files}
        left = self.known - self.met
        return sorted(e for e in left.elements() if e.file in names and {e.code, *_listed(e)} <= set(codes))


class Everything(Baseline):
    """The baseline that is about to be written: it knows whatever is found."""

    def __init__(self, file: str) -> None:
        super().__init__(file, Counter())

    def knows(self, key: object, policy: Policy, finding: Finding) -> bool:
        if key not in self.answers:
            self.answers[key] = True
            self.known[entry_of(policy, finding, self.file)] += 1
        return True

    def write(self) -> int:
        """Writes it, sorted, and tells how many findings it has.

        Raises:
            PolicyError: FW001 if that fails.
        """
        entries = sorted(self.known.elements())
        document = {"format_version": VERSION, "findings": [entry.to_dict() for entry in entries]}
        replace(self.file, json_text(document, indent=2))
        return len(entries)

    def stale(self, files: Iterable[str], codes: Collection[str]) -> list[Entry]:
        return []


def load_baseline(file: str) -> Baseline:
    """A baseline as it was written.

    Raises:
        PolicyError: FW001 if it cannot be read, FW514 if it is none.
    """
    try:
        text = read_file(file).decode("utf-8")
        document = json.loads(text)
    except OSError as error:
        raise failure("read", file, error) from None
    except json.JSONDecodeError as error:
        raise _damaged(file, f"it is not JSON: {error.msg.lower()}", error.lineno, error.colno) from None
    except UnicodeDecodeError:
        raise _damaged(file, "it is not UTF-8 text") from None
    except RecursionError:
        raise _damaged(file, "it is nested too deep") from None
    if not isinstance(document, dict) or not isinstance(document.get("findings"), list):
        raise _damaged(file, "it has no list `findings`")
    version = document.get("format_version")
    if not isinstance(version, str) or version.split(".")[0] != VERSION.split(".")[0]:
        raise _damaged(file, f"its `format_version` is {json.dumps(version)[:40]}, and this program reads {VERSION}")
    return Baseline(file, Counter(_entry(file, n, item) for n, item in enumerate(document["findings"], 1)))


def _entry(file: str, number: int, item: object) -> Entry:
    if not isinstance(item, dict) or not all(isinstance(item.get(k), str) for k in ("code", "file", "statement")):
        raise _damaged(file, f"entry {number} is not a finding with `code`, `file` and `statement`")
    entry = Entry(item["file"], item["code"], item["statement"])
    if item.get("fingerprint") != entry.fingerprint:
        raise _damaged(file, f"entry {number} was changed: its fingerprint is that of another finding")
    return entry


def _damaged(file: str, what: str, line: int = 1, column: int = 1) -> PolicyError:
    help = "`fwengine check PATH... --write-baseline FILE` writes it anew"
    span = Span(file, line, column, line, column)
    return PolicyError([Diagnostic(NO_BASELINE, f"`{file}` cannot be used as a baseline: {what}", span, help=help)])
