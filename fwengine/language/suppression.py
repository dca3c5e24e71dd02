"""Comments that set findings aside: `# fwengine: ignore FW303 until 2027-01-31: vendor range, ticket 41`.

One stands behind a statement, within it, or in the comment lines right above it, and holds for that statement alone. A
reason is required; the last day is not. Such a comment says nothing about packets: a policy means the same without it.
Knows texts only: which codes there are is told by whoever asks.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ..errors import Diagnostic, Span, Suggestion
from ..registry.names import near
from .meaning.literals import Mistake, date
from .syntax.statements import comment_at, pieces

MALFORMED = "FW220"
IGNORE = "ignore"
_FORM = "`# fwengine: ignore FW303: why` or `# fwengine: ignore FW303, FW305 until 2027-01-31: why`"
_BEGIN = re.compile(r"#+[ \t]*(fwengine)(?:[ \t]*:[ \t]*|[ \t]+(?=(?:ignore|disable|noqa|suppress)\b))", re.IGNORECASE)
_WORD = re.compile(r"[^\s,:]+")


@dataclass(frozen=True)
class Suppression:
    """A comment that sets findings aside.

    Attributes:
        codes: of the findings, as listed.
        until: the last day on which it counts.
        at: the comment; `listed` is the part of it where the codes stand.
        covers: the first and the last line of the statement for which it holds; None if it stands at none.
        alone: it has its line for itself.
    """

    codes: tuple[str, ...]
    until: datetime.date | None
    reason: str
    at: Span
    listed: Span
    covers: tuple[int, int] | None
    alone: bool

    def covers_line(self, line: int) -> bool:
        return self.covers is not None and self.covers[0] <= line <= self.covers[1]

    def expired(self, day: datetime.date) -> bool:
        return self.until is not None and self.until < day

    @property
    def above(self) -> bool:
        """Does it stand in a line before the statement?"""
        return self.covers is not None and self.at.line < self.covers[0]


@dataclass(frozen=True)
class Suppressions:
    """Those of one text, and the diagnostics (FW220, warnings) of those that are written wrongly, which count for nothing."""

    good: tuple[Suppression, ...] = ()
    wrong: tuple[Diagnostic, ...] = ()


def suppressions(text: str, file: str, findings: Collection[str], others: Collection[str] = ()) -> Suppressions:
    """The suppressions in a text, in the order of reading.

    Args:
        findings: the codes that can be set aside.
        others: codes that cannot.

    >>> found = suppressions("allow tcp  # fwengine: ignore FW301: a lab\\n", "lab.fwl", ["FW301"]).good
    >>> found[0].codes, found[0].reason, found[0].covers
    (('FW301',), 'a lab', (1, 1))
    """
    if "fwengine" not in text.lower():
        return Suppressions()
    good: list[Suppression] = []
    wrong: list[Diagnostic] = []
    for at, comment, covers, alone in _comments(text, file):
        begin = _BEGIN.match(comment)
        if begin is None:
            continue
        try:
            codes, listed, until, reason = _Reader(comment, at, findings, others).read(begin)
        except _Wrong as error:
            wrong.append(error.diagnostic)
        else:
            good.append(Suppression(codes, until, reason, at, listed, covers, alone))
    return Suppressions(tuple(good), tuple(wrong))


def without(suppression: Suppression, text: str, *, keep_line: bool = False) -> Suggestion:
    """The edit that takes the comment out of its text, with its line if that holds nothing else.

    `keep_line`: an empty comment stays in the place of such a line, where lines are counted.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    at = suppression.at
    line = lines[at.line - 1].removesuffix("\r")
    if not suppression.alone:
        code = len(line[: at.column - 1].rstrip())
        return Suggestion(Span(at.file, at.line, code + 1, at.line, len(line) + 1), "")
    if keep_line or at.line == len(lines):
        return Suggestion(Span(at.file, at.line, 1, at.line, len(line) + 1), "#" if keep_line else "")
    return Suggestion(Span(at.file, at.line, 1, at.line + 1, 1), "")


def with_codes(suppression: Suppression, codes: Collection[str]) -> Suggestion:
    """The edit that leaves only these of its codes."""
    return Suggestion(suppression.listed, ", ".join(code for code in suppression.codes if code in codes))


def _comments(text: str, file: str) -> Iterator[tuple[Span, str, tuple[int, int] | None, bool]]:
    """Each comment with its place, the lines of the statement that it belongs to, and whether it has a line for itself."""
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    statements = {}  # by each of its lines
    for piece in pieces(text):
        if piece.text:
            lasts = piece.line + piece.text.count("\n")
            statements.update(dict.fromkeys(range(piece.line, lasts + 1), (piece.line, lasts)))
    for number, line in enumerate(lines, 1):
        if "fwengine" not in line.lower():
            continue
        column = comment_at(line)
        comment = line[column:].rstrip()
        if not comment:
            continue
        alone = not line[:column].strip()
        at = number
        while at not in statements and at <= len(lines) and lines[at - 1].lstrip().startswith("#"):
            at += 1
        span = Span(file, number, column + 1, number, column + 1 + len(comment))
        yield span, comment, statements.get(at), alone


class _Wrong(Exception):  # noqa: N818  # a finding, once it is caught
    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic


class _Reader:
    """Reads one comment; the first thing wrong in it ends that."""

    def __init__(self, comment: str, at: Span, findings: Collection[str], others: Collection[str]) -> None:
        self.comment, self.at, self.findings, self.others = comment, at, findings, others

    def read(self, begin: re.Match[str]) -> tuple[tuple[str, ...], Span, datetime.date | None, str]:
        verb = _WORD.match(self.comment, begin.end())
        if verb is None:
            raise self._wrong(begin.start(1), begin.end(), "it does not say what to do", f"write {_FORM}")
        if ":" not in begin[0]:
            fix = Suggestion(self._span(begin.end(1), begin.end(1)), ":")
            raise self._wrong(begin.start(1), verb.end(), "a `:` is missing", f"write {_FORM}", fix)
        if verb[0] != IGNORE:
            meant = [IGNORE] if near(verb[0], [IGNORE]) or verb[0] in ("disable", "noqa", "suppress") else []
            help = "did you mean `ignore`?" if meant else f"write {_FORM}"
            fixes = [Suggestion(self._span(*verb.span()), word) for word in meant]
            raise self._wrong(*verb.span(), f"`{_short(verb[0])}` is not an instruction", help, *fixes)
        colon = self.comment.find(":", verb.end())
        end = len(self.comment) if colon < 0 else colon
        codes, last = self._codes(verb.end(), end)
        until, last = self._until(last, end)
        after = _WORD.search(self.comment, last, end)
        if after is not None:
            if colon < 0:  # the reason, most likely
                fix = Suggestion(self._span(last, last), ":")
                raise self._wrong(after.start(), end, "a `:` is missing before the reason", f"write {_FORM}", fix)
            raise self._wrong(after.start(), end, "expected codes and a day before the `:`", f"write {_FORM}")
        reason = self.comment[end + 1 :].strip()
        if not reason:
            help = "say behind a `:` why it is meant so: whoever reads it next wants to know"
            raise self._wrong(verb.start(), len(self.comment), "a reason is missing", help)
        return tuple(code for code, _, _ in codes), self._span(codes[0][1], codes[-1][2]), until, reason

    def _codes(self, at: int, end: int) -> tuple[list[tuple[str, int, int]], int]:
        """The codes that are listed, each with its place, and where they end."""
        found: list[tuple[str, int, int]] = []
        while (word := _WORD.search(self.comment, at, end)) and (not found or self._is_code(word, at)):
            if word[0] == "until":
                break
            self._known(word)
            if any(word[0] == code for code, _, _ in found):
                fix = Suggestion(self._span(found[-1][2], word.end()), "")
                raise self._wrong(*word.span(), f"`{word[0]}` is listed twice", "name it once", fix)
            found.append((word[0], *word.span()))
            at = word.end()
        if not found:
            raise self._wrong(at, max(at + 1, end), "no code is named", f"write {_FORM}")
        return found, at

    def _is_code(self, word: re.Match[str], before: int) -> bool:
        return "," in self.comment[before : word.start()] or word[0][:2].upper() == "FW"

    def _known(self, word: re.Match[str]) -> None:
        text = word[0]
        if text in self.findings:
            return
        if text in self.others:
            help = "what is wrong must be corrected; `fwengine explain` tells how"
            raise self._wrong(*word.span(), f"`{text}` cannot be ignored: only findings can", help)
        meant = near(text, sorted(self.findings), digits_too=True) if len(text) < 20 else []
        help = f"did you mean `{meant[0]}`?" if meant else "`fwengine explain` lists them"
        fixes = [Suggestion(self._span(*word.span()), code) for code in meant]
        raise self._wrong(*word.span(), f"`{_short(text)}` is not a code of a finding", help, *fixes)

    def _until(self, at: int, end: int) -> tuple[datetime.date | None, int]:
        word = _WORD.search(self.comment, at, end)
        if word is None or word[0] != "until":
            return None, at
        day = _WORD.search(self.comment, word.end(), end)
        if day is None:
            raise self._wrong(*word.span(), "the day is missing", "write it as `until 2027-01-31`")
        try:
            return date(day[0]), day.end()
        except Mistake as error:
            fixes = [Suggestion(self._span(*day.span()), fix) for fix in error.fixes if isinstance(fix, str)]
            raise self._wrong(*day.span(), error.message, error.help, *fixes) from None

    def _span(self, begin: int, end: int) -> Span:
        return Span(self.at.file, self.at.line, self.at.column + begin, self.at.line, self.at.column + end)

    def _wrong(self, begin: int, end: int, what: str, help: str, *fixes: Suggestion) -> _Wrong:
        message = f"this suppression counts for nothing: {what}"
        return _Wrong(Diagnostic(MALFORMED, message, self._span(begin, end), "", help, "warning", suggestions=fixes))


def _short(text: str) -> str:
    return text if len(text) < 40 else text[:37] + "…"
