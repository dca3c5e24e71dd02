"""Text -> syntax tree. The only module that knows Lark.

A file is cut into statements at line ends outside braces, and each is parsed for itself by one LALR(1) parser. So an
error never hides a later one, and nothing here recurses or backtracks over the length of a file.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, cast

import lark
from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from ...errors import Diagnostic, PolicyError, Suggestion
from . import mistakes, tables
from .ast import Asked, Blank, Definition, Document, Match, Place, Statement, WrittenPacket, span_of
from .build import Build, place_of
from .comments import with_comments
from .mistakes import MAX_ERRORS, Fix, SyntaxMistake
from .replay import Recorder, Replay
from .statements import Piece, is_statement, pieces, promised

MAX_DEPTH = 64  # of braces and `not`; a person needs three

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
    wrong = {e.span.line for e in errors}
    missing: set[str] = set()
    lines: list[Statement | Blank] = []
    unfinished = False  # does an indented line go on with a statement that ended too early?
    for piece in pieces(text):
        if not piece.text:
            lines.append(Blank(piece.comment))
            continue
        if wrong and not wrong.isdisjoint(range(piece.line, piece.line + piece.text.count("\n") + 1)):
            missing |= promised(piece.text)
            continue
        if unfinished and piece.text[0] in " \t" and not is_statement(piece.text):
            missing |= promised(piece.text)
            continue
        unfinished = False
        try:
            content, place = _parse(piece.text, "statement")
        except SyntaxMistake as mistake:
            missing |= promised(piece.text)
            errors.append(_diagnostic(mistake, file, piece.line))
            unfinished = mistake.code == "FW011"
            if len(errors) >= MAX_ERRORS:
                errors.append(mistakes.too_many(file, piece.line))
                missing.add("*")
                break
        else:
            lines.append(Statement(content, piece.comment, span_of(place, file, piece.line)))
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


def suggestion(fix: Fix, place: Place, file: str, line: int) -> Suggestion:
    """A fix of a mistake at a place inside a statement that begins on `line`."""
    at, text = (place, fix) if isinstance(fix, str) else fix
    return Suggestion(span_of(at, file, line), text)


def _parse(text: str, start: Start) -> tuple[Any, Place]:
    """The tree of one statement, and its place."""
    replay = _replay()
    tokens = replay.tokens(text)
    if tokens is not None:
        known = replay.run(tokens, start)
        if known is not None:
            return cast("tuple[Any, Place]", known[0])
    parser = _parser()
    if text.count("{") + text.count("not") > MAX_DEPTH:
        _check_depth(parser, text)
    if tokens is not None:
        _recorder().begin()
    try:
        tree, place = cast("tuple[Any, Place]", parser.parse(text, start=start))
    except UnexpectedCharacters as error:
        at = (error.line, error.column, error.line, error.column + 1)
        raise _kept(_foreign(text) or mistakes.unexpected_character(text, at), text, start) from None
    except UnexpectedToken as error:
        raise _kept(_foreign(text) or _explained(error, text), text, start) from None
    finally:
        log = _recorder().end() if tokens is not None else []
    if tokens is not None:
        replay.learn(tokens, start, log)
    if "\n" in text and "#" in text:
        comments = [(t.value, place_of(t)) for t in parser.lex(text, dont_ignore=True) if t.type == "COMMENT"]
        if comments:
            tree = with_comments(tree, comments)
    return tree, place


def _check_depth(parser: Lark, text: str) -> None:
    """Braces and negations nested so deep that nobody wrote them would exhaust the stack of whoever walks the tree."""
    open_sets: list[int] = []
    depth = pending = 0  # levels around; negations before the next term
    try:
        for token in parser.lex(text):
            if token.type == "NOT":
                pending += 1
            elif token.type == "LBRACE":
                open_sets.append(pending + 1)
                depth += pending + 1
                pending = 0
            else:
                if token.type == "RBRACE" and open_sets:
                    depth -= open_sets.pop()
                pending = 0
            if depth + pending > MAX_DEPTH:
                help = "give inner parts a name of their own"
                raise SyntaxMistake(
                    "FW004", place_of(token), f"nested more than {MAX_DEPTH} deep", "one level too many", help
                )
    except UnexpectedCharacters:
        pass  # the parser will report it


def _explained(error: UnexpectedToken, text: str) -> SyntaxMistake:
    token = error.token
    accepts = frozenset(error.accepts or error.expected)
    from .idioms import explained  # not before there is a mistake

    tokens = _tokens(text)
    if token.type == "$END":
        at = tokens[-1].at if tokens else (1, 1, 1, 1)
        place = (at[2], at[3], at[2], at[3] + 1)
    else:
        place = place_of(token)
    before = sum(t.at[:2] < place[:2] for t in tokens)
    wrong = mistakes.Seen(token.type, str(token), place)
    seen, rest = tokens[:before], tokens[before + 1 :]
    return (
        (mistakes.slip(wrong, accepts, seen, exact=True) if seen else None)
        or explained(wrong, accepts, seen, rest)
        or mistakes.unexpected_token(wrong, accepts, seen, rest)
    )


def _foreign(text: str) -> SyntaxMistake | None:
    from .foreign import translated  # not before there is a mistake

    return translated(text)


def _kept(mistake: SyntaxMistake, text: str, start: Start) -> SyntaxMistake:
    """The mistake without those fixes behind which the parser would stumble over their own words."""
    mistake.fixes = tuple(fix for fix in mistake.fixes if _mends(fix, mistake, text, start))
    return mistake


def _mends(fix: Fix, mistake: SyntaxMistake, text: str, start: Start) -> bool:
    """Does the parser come past the words of a fix?"""
    mended = suggestion(fix, mistake.at, "", 1)
    words = mended.text.split("\n")
    end = (mended.span.line, mended.span.column + len(words[-1]))
    try:
        _parser().parse(mended.applied(text), start=start)
    except UnexpectedCharacters as error:
        return (error.line, error.column) >= end
    except UnexpectedToken as error:
        return error.token.type == "$END" or place_of(error.token)[:2] >= end
    except SyntaxMistake as error:
        return not (mended.span.line, mended.span.column) <= error.at[:2] < end
    return True


def _tokens(text: str) -> list[mistakes.Seen]:
    """The tokens of a statement, up to the first character that cannot begin one."""
    out = []
    try:
        for t in _parser().lex(text):
            out.append(mistakes.Seen(t.type, str(t), place_of(t)))
    except UnexpectedCharacters:
        pass
    return out


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return tables.parser(
        cast("lark.Transformer[lark.Token, Any]", _recorder())
    )  # any object with the rules' names will do


@lru_cache(maxsize=1)
def _recorder() -> Recorder:
    return Recorder(Build())


@lru_cache(maxsize=1)
def _replay() -> Replay:
    patterns = {t.name: t.pattern for t in _parser().terminals}
    return Replay({p.value: name for name, p in patterns.items() if p.type == "str" and p.value.isalpha()})


LARK_VERSION: str = lark.__version__
