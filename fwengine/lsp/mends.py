"""Edits that a diagnostic proposes, as an editor offers them: each says in words what it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Diagnostic, LimitError, PolicyError, Suggestion
from ..fix import fix
from ..policy import Policy, load
from ..report.advice import FIXED
from ..sources.source import Source
from .opened import Opened

if TYPE_CHECKING:  # what looks at diagnostics alone needs no session
    from .session import Session


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


def mended(opened: Opened, session: Session) -> str | None:
    """The file's text with all advice followed that changes no verdict, proved; None where there is nothing to mend."""
    policy = opened.policy
    if policy is None or opened.errors or opened.foreign or policy.imported is not None:
        return None

    def reload(text: str) -> Policy:
        data = text.encode("utf-8", "surrogatepass")
        source = Source(opened.file, lambda name: data if name == opened.file else session.read(name))
        return load(source, as_of=policy.as_of, interfaces=session.configuration(opened.file).interfaces)

    try:
        return fix(policy, opened.text, reload, FIXED).text
    except (LimitError, PolicyError):  # unknown, or an included file has been spoilt meanwhile
        return None
