"""Edits that a diagnostic proposes, as an editor offers them: each says in words what it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import Diagnostic, LimitError, Suggestion
from ..fix import fix
from ..policy import Policy, loads
from ..report.advice import FIXED
from .opened import Opened


@dataclass(frozen=True)
class Mend:
    """An edit of the file, for a diagnostic; `only`: there is no other way to do it."""

    title: str
    diagnostic: Diagnostic
    edits: tuple[Suggestion, ...]
    only: bool


def mends(diagnostics: Iterable[Diagnostic]) -> Iterator[Mend]:
    """What each diagnostic suggests."""
    for d in diagnostics:
        for suggestion in d.suggestions:
            yield Mend(_title(d, suggestion), d, (suggestion, *suggestion.also), len(d.suggestions) == 1)


def _title(d: Diagnostic, suggestion: Suggestion) -> str:
    text = " ".join(suggestion.text.split())
    if suggestion.also:
        return d.help or "Move it"
    if not text:
        return "Remove it"
    return f"Write `{text if len(text) <= 60 else text[:59] + '…'}`"


def mended(opened: Opened) -> str | None:
    """The file's text with all advice followed that changes no verdict, proved; None where there is nothing to mend."""
    policy = opened.policy
    if policy is None or opened.errors or opened.foreign or policy.imported is not None:
        return None

    def reload(text: str) -> Policy:
        return loads(text, file=opened.file, as_of=policy.as_of)

    try:
        return fix(policy, opened.text, reload, FIXED).text
    except LimitError:
        return None
