"""The parser that the grammar defines, by Lark; and what is said where it stops. The only module that parses with Lark.

Right statements mostly come past it: `automaton` does the same by the same tables. Nothing here recurses or backtracks over
the length of a text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import lark
from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from ...limits import current
from . import mistakes, tables
from .ast import Place
from .build import Build, place_of
from .comments import with_comments
from .foreign import translated
from .idioms import explained
from .mistakes import Fix, SyntaxMistake, suggestion


def parse(text: str, start: str) -> tuple[Any, Place]:
    """The tree of one statement, and its place.

    Raises:
        SyntaxMistake: the first mistake, with what to write instead.
    """
    parser = lark_parser()
    if text.count("{") + text.count("not") > current().nesting:
        _check_depth(parser, text)
    try:
        tree, place = cast("tuple[Any, Place]", parser.parse(text, start=start))
    except UnexpectedCharacters as error:
        at = (error.line, error.column, error.line, error.column + 1)
        raise _kept(translated(text) or mistakes.unexpected_character(text, at), text, start) from None
    except UnexpectedToken as error:
        raise _kept(translated(text) or _explained(error, text), text, start) from None
    if "\n" in text and "#" in text:
        comments = [(t.value, place_of(t)) for t in parser.lex(text, dont_ignore=True) if t.type == "COMMENT"]
        if comments:
            tree = with_comments(tree, comments)
    return tree, place


def accepted(text: str) -> frozenset[str]:
    """The kinds of tokens that may follow the beginning of a statement, `$END` among them if it may end; none if it is wrong.

    >>> "_TO" in accepted("allow tcp from any"), accepted("allow from from")
    (True, frozenset())
    """
    interactive = lark_parser().parse_interactive(text, start="statement")
    try:
        interactive.exhaust_lexer()
    except (UnexpectedCharacters, UnexpectedToken, SyntaxMistake):
        return frozenset()
    return frozenset(interactive.accepts())  # type: ignore[no-untyped-call]  # Lark has no types for it


def _check_depth(parser: Lark, text: str) -> None:
    """Braces and negations nested so deep that nobody wrote them would exhaust the stack of whoever walks the tree."""
    open_sets: list[int] = []
    depth = pending = 0  # levels around; negations before the next term
    most = current().nesting
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
            if depth + pending > most:
                help = "give inner parts a name of their own"
                raise SyntaxMistake(
                    "FW004", place_of(token), f"nested more than {most} deep", "one level too many", help
                )
    except UnexpectedCharacters:
        pass  # the parser will report it


def _explained(error: UnexpectedToken, text: str) -> SyntaxMistake:
    token = error.token
    accepts = frozenset(error.accepts or error.expected)
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


def _kept(mistake: SyntaxMistake, text: str, start: str) -> SyntaxMistake:
    """The mistake without those fixes behind which the parser would stumble over their own words."""
    mistake.fixes = tuple(fix for fix in mistake.fixes if _mends(fix, mistake, text, start))
    return mistake


def _mends(fix: Fix, mistake: SyntaxMistake, text: str, start: str) -> bool:
    """Does the parser come past the words of a fix?"""
    mended = suggestion(fix, mistake.at, "", 1)
    words = mended.text.split("\n")
    end = (mended.span.line, mended.span.column + len(words[-1]))
    try:
        lark_parser().parse(mended.applied(text), start=start)
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
        for t in lark_parser().lex(text):
            out.append(mistakes.Seen(t.type, str(t), place_of(t)))
    except UnexpectedCharacters:
        pass
    return out


@lru_cache(maxsize=1)
def lark_parser() -> Lark:
    return tables.parser(cast("lark.Transformer[lark.Token, Any]", Build()))  # any object with the rules' names will do
