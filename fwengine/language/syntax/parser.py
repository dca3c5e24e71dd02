"""Text -> syntax tree.

A file is cut into statements at line ends outside braces, and each is parsed for itself by one LALR(1) parser. So an
error never hides a later one, and nothing here recurses or backtracks over the length of a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal, cast

from ...errors import Diagnostic, PolicyError
from ...limits import current
from . import mistakes, tables
from .ast import Asked, Blank, Content, Definition, Document, Match, Place, Statement, WrittenPacket, span_of
from .automaton import Automaton
from .mistakes import MAX_ERRORS, SyntaxMistake, suggestion
from .statements import Piece, is_statement, pieces, promised

QUICK_DEPTH = 64  # of braces and `not` at most, without a look at how they are nested

Start = Literal["statement", "claim", "region", "packet"]


def parse(text: str, file: str = "<text>") -> Document:
    """The syntax tree of a file's text.

    Raises:
        PolicyError: with every syntax error of the text.

    >>> parse("default deny").statements[0].content
    Default(action='deny')
    """
    document, errors, _ = read(text, file)
    if errors:
        raise PolicyError(errors, {file: text})
    return document


def read(text: str, file: str) -> tuple[Document, list[Diagnostic], frozenset[str]]:
    """What could be parsed, every syntax error, and the names that the statements with an error may define.

    Whoever goes on in spite of errors knows by those names which may be missing for that reason; `*` stands for all.
    """
    errors = list(mistakes.characters(text, file))
    if len(errors) > mistakes.MAX_CHARACTERS:
        return Document((), file), errors, frozenset("*")
    return together(map(Part, pieces(text)), errors, file)


class Part:
    """A piece of a text and what has become of it, wherever it stands: its statement is parsed once, when it is asked for."""

    __slots__ = ("_outcome", "_statement", "comment", "height", "text")

    def __init__(self, piece: Piece) -> None:
        _, self.text, self.comment = piece
        self.height = piece.text.count("\n") + 1
        self._outcome: tuple[Content, Place] | SyntaxMistake | None = None
        self._statement: Statement | None = None

    def at(self, line: int, file: str) -> Statement | SyntaxMistake:
        """Its statement, where it begins on a line; or what is wrong with it."""
        if self._outcome is None:
            try:
                self._outcome = _parse(self.text, "statement")
            except SyntaxMistake as mistake:
                self._outcome = mistake
        if isinstance(self._outcome, SyntaxMistake):
            return self._outcome
        known = self._statement
        if known is None or known.span.line != line or known.span.file != file:
            content, place = self._outcome
            known = self._statement = Statement(content, self.comment, span_of(place, file, line))
        return known

    def learn(self, other: Part) -> None:
        """Takes over what has become of a part of the same text."""
        self._outcome = other._outcome


def together(
    parts: Iterable[Part], errors: list[Diagnostic], file: str
) -> tuple[Document, list[Diagnostic], frozenset[str]]:
    """As `read`, of the parts of a text one behind the other; `errors` are those about its characters."""
    wrong = {e.span.line for e in errors}
    missing: set[str] = set()
    lines: list[Statement | Blank] = []
    unfinished = False  # does an indented line go on with a statement that ended too early?
    behind = 1
    for part in parts:
        line, behind = behind, behind + part.height
        if not part.text:
            lines.append(Blank(part.comment))
            continue
        if wrong and not wrong.isdisjoint(range(line, behind)):
            missing |= promised(part.text)
            continue
        if unfinished and part.text[0] in " \t" and not is_statement(part.text):
            missing |= promised(part.text)
            continue
        found = part.at(line, file)
        if isinstance(found, Statement):
            unfinished = False
            lines.append(found)
            continue
        missing |= promised(part.text)
        errors.append(_diagnostic(found, file, line))
        unfinished = found.code == "FW011"
        if len(errors) >= MAX_ERRORS:
            errors.append(mistakes.too_many(file, line))
            missing.add("*")
            break
    return Document(tuple(lines), file), sorted(errors, key=lambda e: (e.span.line, e.span.column)), frozenset(missing)


def definitions(text: str, file: str) -> list[Statement]:
    """The definitions in a text that is known to be right; nothing else of it is parsed."""
    out = []
    for piece in pieces(text):
        if _is_definition(piece):
            try:
                content, place = _parse(piece.text, "statement")
            except SyntaxMistake:  # no text of this language after all
                continue
            if isinstance(content, Definition):
                out.append(Statement(content, "", span_of(place, file, piece.line)))
    return out


def _is_definition(piece: Piece) -> bool:
    return piece.text.lstrip(" \t").startswith(("net", "ports", "service", "interface"))


def parse_region(text: str, file: str = "<region>") -> Match | Asked:
    """A region: a rule without its action."""
    return cast("Match | Asked", _parse_line(text, file, "region"))


def parse_claim(text: str, file: str = "<region>") -> tuple[Literal["allow", "deny"], Match | Asked]:
    """An action and a region, as in `deny tcp from any to web port telnet`."""
    return cast("tuple[Literal['allow', 'deny'], Match | Asked]", _parse_line(text, file, "claim"))


def parse_packet(text: str, file: str = "<packet>") -> WrittenPacket:
    """A packet in the notation with an arrow."""
    return cast("WrittenPacket", _parse_line(text, file, "packet"))


def _parse_line(text: str, file: str, start: Start) -> Any:
    errors = list(mistakes.characters(text, file))
    if not errors:
        try:
            return _parse(text, start)[0]
        except SyntaxMistake as mistake:
            errors = [_diagnostic(mistake, file, 1)]
    raise PolicyError(errors, {file: text})


def _diagnostic(mistake: SyntaxMistake, file: str, line: int) -> Diagnostic:
    suggestions = tuple(suggestion(fix, mistake.at, file, line) for fix in mistake.fixes)
    at = span_of(mistake.at, file, line)
    return Diagnostic(mistake.code, mistake.message, at, mistake.label, mistake.help, suggestions=suggestions)


def _parse(text: str, start: Start) -> tuple[Any, Place]:
    """The tree of one statement, and its place."""
    automaton = _automaton()
    if (
        automaton is not None
        and text.count("{") + text.count("not") <= min(QUICK_DEPTH, current().nesting)
        and not ("\n" in text and "#" in text)  # comments inside
    ):
        known = automaton.parse(text, start)
        if known is not None:
            return cast("tuple[Any, Place]", known[0])
    from . import reference  # Lark, which takes longer than a small policy

    return reference.parse(text, start)


@lru_cache(maxsize=1)
def _automaton() -> Automaton | None:
    """The automaton of the shipped tables; None if they do not fit the grammar."""
    parts = tables.parts()
    return None if parts is None else Automaton(**parts)
