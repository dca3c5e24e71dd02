"""What a finding is known by from run to run: its code, its file, and the statement it is about in canonical form.

So it stays the same when lines move, when the file is formatted or a comment changes, and is another when the statement is.
"""

from __future__ import annotations

from functools import lru_cache

from ..analysis.finding import Finding
from ..errors import Span
from ..language.syntax.parser import read as parsed
from ..language.syntax.printer import show_document
from ..language.syntax.statements import comment_at
from ..policy import Policy
from .suppressed import ABOUT_COMMENTS


def place_of(policy: Policy, finding: Finding) -> Span:
    """What a finding is about: a rule, a definition, or what a remark points at."""
    if finding.remark is not None:
        return finding.remark.span
    if finding.definition is not None:
        return finding.definition.span
    assert finding.rule is not None
    return policy.rules[finding.rule].span


def statement_of(policy: Policy, finding: Finding) -> str:
    """The statement that a finding is about, as `fmt` has it, without comments, on one line; a comment as it stands."""
    text = _within(policy, place_of(policy, finding))
    if finding.remark is None:
        return _canonical(text, policy)
    text = " ".join(text.split())
    return text if finding.code in ABOUT_COMMENTS else _canonical(text, policy)


def _within(policy: Policy, span: Span) -> str:
    """The source text in a span; of what was made from data there is none."""
    lines = _lines(policy.sources.get(span.file, ""))[span.line - 1 : span.end_line]
    if lines:
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


@lru_cache(maxsize=8)
def _lines(text: str) -> list[str]:
    """The lines of a file; whoever asks changes no more than a part of them."""
    return text.removeprefix("\ufeff").split("\n")


def _canonical(text: str, policy: Policy) -> str:
    """A statement without comments, as `fmt` has it, on one line; what is none as it stands."""
    bare = "\n".join(line[: comment_at(line)] for line in text.split("\n"))
    document, errors, _ = parsed(bare, policy.name)
    return " ".join((bare if errors else show_document(document)).split())
