"""Text -> syntax tree. The only module that knows Lark.

A file is cut into statements at line ends outside braces, and each is parsed for itself by one LALR(1) parser. So an
error never hides a later one, and nothing here recurses or backtracks over the length of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, cast

import lark
from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from ..errors import Diagnostic, PolicyError, Span
from . import mistakes
from .ast import (
    Blank,
    Comment,
    Compare,
    Default,
    Definition,
    Document,
    End,
    Except,
    Expect,
    Expr,
    Include,
    Match,
    Not,
    Option,
    Place,
    Rule,
    Set,
    Statement,
    String,
    Word,
    WrittenPacket,
    cover,
)

MAX_DEPTH = 64  # of braces and `not`; a person needs three
MAX_ERRORS = 1000  # after which a file is no policy but something else

_STATEMENT_WORD = re.compile(r"[ \t]*(?:allow|deny|net|ports|service|default|include|expect)(?=[ \t])")
_CODE = re.compile(r'(?:[^#"]|"(?:[^"\\]|\\.)*"|")*?(?=#|$)')  # up to a comment; a lone quote counts as itself
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORDS = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|(.))")
_ESCAPES = {"n": "\n", "t": "\t"}

Start = Literal["statement", "claim", "region", "packet"]
T = TypeVar("T")


class _Piece(NamedTuple):
    """One statement's text, with the comments taken off its end; or a line without one."""

    line: int
    text: str
    comment: str


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
    """What could be parsed, every syntax error, and the words of the statements that have one.

    Whoever goes on in spite of errors knows by those words which names may be missing for that reason.
    """
    errors = list(mistakes.characters(text, file))
    if len(errors) > mistakes.MAX_CHARACTERS:
        return Document((), file), errors, frozenset("*")
    wrong = {e.span.line for e in errors}
    spoilt: set[str] = set()
    lines: list[Statement | Blank] = []
    for piece in _pieces(text):
        if not piece.text:
            lines.append(Blank(piece.comment))
            continue
        try:
            content, place = _parse(piece.text, "statement")
        except _SyntaxMistake as mistake:
            spoilt.update(_WORDS.findall(piece.text))
            errors.append(mistake.diagnostic(file, piece.line))
            if len(errors) >= MAX_ERRORS:
                errors.append(mistakes.too_many(file, piece.line))
                spoilt.add("*")
                break
        else:
            if not wrong.isdisjoint(range(piece.line, piece.line + piece.text.count("\n") + 1)):
                spoilt.update(_WORDS.findall(piece.text))
                continue
            lines.append(Statement(content, piece.comment, span_of(place, file, piece.line)))
    return Document(tuple(lines), file), mistakes.without_doubles(errors), frozenset(spoilt)


def parse_region(text: str, file: str = "<region>") -> Match:
    """A region: a rule without its action."""
    return cast("Match", _parse_line(text, file, "region"))


def parse_claim(text: str, file: str = "<region>") -> tuple[Literal["allow", "deny"], Match]:
    """An action and a region, as in `deny tcp from any to web port telnet`."""
    return cast("tuple[Literal['allow', 'deny'], Match]", _parse_line(text, file, "claim"))


def parse_packet(text: str, file: str = "<packet>") -> WrittenPacket:
    """A packet in the notation with an arrow."""
    return cast("WrittenPacket", _parse_line(text, file, "packet"))


def span_of(place: Place, file: str, line: int) -> Span:
    """A place inside a statement that begins on `line`, as a span of the file."""
    return Span(file, line - 1 + place[0], place[1], line - 1 + place[2], place[3])


def _parse_line(text: str, file: str, start: Start) -> Any:
    errors = list(mistakes.characters(text, file))
    if not errors:
        try:
            return _parse(text, start)[0]
        except _SyntaxMistake as mistake:
            errors = [mistake.diagnostic(file, 1)]
    raise PolicyError(errors, {file: text})


def _pieces(text: str) -> Iterator[_Piece]:
    """The statements of a text and the lines between them, with their line numbers."""
    begin, depth = 0, 0
    held: list[str] = []
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw[:-1] if raw.endswith("\r") else raw
        if depth and _STATEMENT_WORD.match(line):  # a keyword cannot stand in a set: its brace was never closed
            yield _Piece(begin, "\n".join(held), "")
            held, depth = [], 0
        code = line
        if "#" in line:
            code = line.partition("#")[0] if '"' not in line else cast("re.Match[str]", _CODE.match(line)).group()
        bare = _STRINGS.sub("", code) if '"' in code else code
        if not held:
            begin = number
            if not bare.strip():
                yield _Piece(number, "" if not code.strip() else code, line[len(code) :].rstrip())
                continue
        depth = max(0, depth + bare.count("{") - bare.count("}"))
        if depth:
            held.append(line)
        else:
            yield _Piece(begin, "\n".join([*held, code.rstrip()]), line[len(code) :].rstrip())
            held = []
    if held:
        yield _Piece(begin, "\n".join(held), "")


class _SyntaxMistake(Exception):
    """A statement that is none; places are relative to it."""

    def __init__(self, code: str, place: Place, message: str, label: str = "", help: str = "") -> None:
        self.parts = (code, place, message, label, help)

    def diagnostic(self, file: str, line: int) -> Diagnostic:
        code, place, message, label, help = self.parts
        return Diagnostic(code, message, span_of(place, file, line), label, help)


def _parse(text: str, start: Start) -> tuple[Any, Place]:
    """The tree of one statement, and its place."""
    comments: list[Token] = []
    parser = _parser()
    if text.count("{") + text.count("not") > MAX_DEPTH:
        _check_depth(parser, text)
    if "\n" in text and "#" in text:
        comments = [t for t in parser.lex(text, dont_ignore=True) if t.type == "COMMENT"] if _lexes(parser, text) else []
    try:
        tree = parser.parse(text, start=start)
    except VisitError as error:
        if isinstance(error.orig_exc, _SyntaxMistake):
            raise error.orig_exc from None
        raise
    except UnexpectedCharacters as error:
        place = (error.line, error.column, error.line, error.column + 1)
        raise _SyntaxMistake(*mistakes.unexpected_character(text, place)) from None
    except UnexpectedToken as error:
        raise _explained(error, text) from None
    except _SyntaxMistake:
        raise
    result, place = (tree, tree.at) if isinstance(tree, WrittenPacket) else tree
    return (_with_comments(result, comments) if comments else result), place


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
                raise _SyntaxMistake(
                    "FW004", _place(token), f"nested more than {MAX_DEPTH} deep", "one level too many", "define parts by name"
                )
    except UnexpectedCharacters:
        pass  # the parser will report it


def _lexes(parser: Lark, text: str) -> bool:
    try:
        for _ in parser.lex(text, dont_ignore=True):
            pass
    except UnexpectedInput:
        return False
    return True


def _explained(error: UnexpectedToken, text: str) -> _SyntaxMistake:
    token = error.token
    accepts = frozenset(error.accepts or error.expected)
    seen: list[mistakes.Seen] = []
    place = (1 << 62, 1, 1 << 62, 1) if token.type == "$END" else _place(token)
    for t in _parser().lex(text):
        if (t.line or 1, t.column or 1) >= place[:2]:
            break
        seen.append(mistakes.Seen(t.type, t.value, _place(t)))
    if token.type == "$END":
        at = seen[-1].at if seen else (1, 1, 1, 2)
        place = (at[2], at[3], at[2], at[3] + 1)
    return _SyntaxMistake(*mistakes.unexpected_token(mistakes.Seen(token.type, str(token), place), accepts, seen))


def _place(token: Token) -> Place:
    line, column = token.line or 1, token.column or 1
    return (line, column, token.end_line or line, token.end_column or column + len(token))


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text("utf-8")
    starts: list[str] = ["statement", "claim", "region", "packet"]
    return Lark(
        grammar, parser="lalr", lexer="basic", start=starts, transformer=_Build(), maybe_placeholders=False
    )


def _word(token: Token) -> Word:
    return Word(token.value, (token.line, token.column, token.line, token.column + len(token)))  # type: ignore[arg-type]  # tokens of a text have places


class _Build(Transformer[Token, Any]):
    """Builds the tree bottom up as the parser reduces, so that no parse tree is kept. Each result knows its place."""

    def statement(self, children: list[Any]) -> tuple[Any, Place]:
        return cast("tuple[Any, Place]", children[0])

    def kind(self, children: list[Token]) -> Token:
        return children[0]

    action = kind

    def rule(self, children: list[Any]) -> tuple[Rule, Place]:
        action, match = children
        return Rule(action.value, match), cover(_place(action), match.at)

    def definition(self, children: list[Any]) -> tuple[Definition, Place]:
        kind, name, value = children
        return Definition(kind.value, _word(name), value), cover(_place(kind), value.at)

    def default(self, children: list[Any]) -> tuple[Default, Place]:
        return Default(children[1].value), cover(_place(children[0]), _place(children[1]))

    def include(self, children: list[Any]) -> tuple[Include, Place]:
        path = self.atom(children[1:])
        return Include(cast("String", path)), cover(_place(children[0]), path.at)

    def expect(self, children: list[Any]) -> tuple[Expect, Place]:
        keyword, action, subject, *by = children
        end = by[0].at if by else subject.at
        return Expect(action.value, subject, by[0] if by else None), cover(_place(keyword), end)

    def by(self, children: list[Token]) -> Word:
        return _word(children[0])

    def claim(self, children: list[Any]) -> tuple[Any, Place]:
        action, match = children
        return (action.value, match), cover(_place(action), match.at)

    def region(self, children: list[Any]) -> tuple[Match, Place]:
        return children[0], children[0].at

    def match(self, children: list[Any]) -> Match:
        source = target = None
        options = []
        for child in children[1:]:
            if isinstance(child, Option):
                options.append(child)
            elif child[0] == "from":
                source = child[1]
            else:
                target = child[1]
        last = children[-1] if len(children) > 1 else children[0]
        at = last[1].at if isinstance(last, tuple) else last.at
        _no_doubles(options)
        return Match(children[0], source, target, tuple(options), cover(children[0].at, at))

    def source(self, children: list[Any]) -> tuple[str, End]:
        return "from", _end(children)

    def target(self, children: list[Any]) -> tuple[str, End]:
        return "to", _end(children)

    def packet(self, children: list[Any]) -> Any:
        protocol, source, target, *options = children
        words = _word(protocol), _word(source), _word(target)
        _no_doubles(options)
        at = cover(words[0].at, options[-1].at if options else words[2].at)
        return WrittenPacket(*words, tuple(options), at)

    def option(self, children: list[Any]) -> Option:
        keyword = children[0]
        if len(children) == 1:
            return Option(keyword.value, None, _place(keyword))
        value = _word(children[1]) if isinstance(children[1], Token) else children[1]
        return Option(keyword.value, value, cover(_place(keyword), value.at))

    def expr(self, children: list[Any]) -> Expr:
        if len(children) == 1:
            return cast("Expr", children[0])
        return Except(children[0], tuple(children[1:]), cover(children[0].at, children[-1].at))

    def term(self, children: list[Any]) -> Expr:
        return cast("Expr", children[0])

    def atom(self, children: list[Token]) -> Word | String:
        token = children[0]
        if token.type == "WORD":
            return _word(token)
        return String(_unescape(token.value[1:-1]), _place(token))

    def negation(self, children: list[Any]) -> Not:
        return Not(children[1], cover(_place(children[0]), children[1].at))

    def comparison(self, children: list[Token]) -> Compare:
        return Compare(children[0].value, _word(children[1]), cover(_place(children[0]), _place(children[1])))

    def set(self, children: list[Any]) -> Set:
        items: list[Expr] = []
        for item in children[1:-1]:
            items += _split(item) if isinstance(item, Word) and "," in item.text else [item]
        return Set(tuple(items), (), cover(_place(children[0]), _place(children[-1])))

    def tests(self, children: list[Any]) -> Expr:
        if len(children) == 1:
            return cast("Expr", children[0])
        if isinstance(children[0], Token) and children[0].type == "NOT":
            return self.negation(children)
        return Set(tuple(children[1:-1]), (), cover(_place(children[0]), _place(children[-1])))

    def test(self, children: list[Token]) -> Word:
        return _word(children[0])


def _end(children: list[Any]) -> End:
    return End(children[0], children[1] if len(children) > 1 else None, cover(children[0].at, children[-1].at))


def _split(word: Word) -> list[Word]:
    """`80,443`, written without spaces in a set, as the words it stands for."""
    out, column = [], word.at[1]
    for text in word.text.split(","):
        out.append(Word(text, (word.at[0], column, word.at[0], column + len(text))))
        column += len(text) + 1
    return out


def _no_doubles(options: list[Option]) -> None:
    seen: dict[str, Option] = {}
    for option in options:
        if option.name in seen:
            raise _SyntaxMistake("FW018", option.at, f"`{option.name}` is given twice", "already given before", "keep one of them")
        seen[option.name] = option


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16)) if int(match[1], 16) < 0x110000 else match[0]
        return _ESCAPES.get(match[2], match[2])

    return _ESCAPE.sub(one, text) if "\\" in text else text


def _with_comments(result: T, comments: list[Token]) -> T:
    """The tree with each comment of its text put into the innermost set around it."""
    sets: list[Set] = []
    _sets_in(result, sets)
    mine: dict[int, list[Comment]] = {}
    for token in comments:
        at = (token.line or 1, token.column or 1)
        around = [s for s in sets if (s.at[0], s.at[1]) < at < (s.at[2], s.at[3])]
        if around:
            inner = min(around, key=lambda s: (s.at[2] - s.at[0], s.at[3] - s.at[1]))
            before = sum((i.at[0], i.at[1]) < at for i in inner.items)
            alone = not any(i.at[2] == at[0] for i in inner.items[:before])
            mine.setdefault(id(inner), []).append(Comment(token.value.rstrip(), before, alone))
    return cast("T", _replaced(result, mine))


def _sets_in(node: object, out: list[Set]) -> None:
    if isinstance(node, Set):
        out.append(node)
    for child in _children(node):
        _sets_in(child, out)


def _children(node: object) -> tuple[Any, ...]:
    if isinstance(node, tuple):
        return node
    slots = getattr(type(node), "__dataclass_fields__", {})
    return tuple(getattr(node, name) for name in slots if name != "at")


def _replaced(node: Any, comments: dict[int, list[Comment]]) -> Any:
    if isinstance(node, tuple):
        return tuple(_replaced(child, comments) for child in node)
    slots = getattr(type(node), "__dataclass_fields__", None)
    if slots is None:
        return node
    values = {name: getattr(node, name) if name == "at" else _replaced(getattr(node, name), comments) for name in slots}
    if id(node) in comments:
        values["comments"] = tuple(comments[id(node)])
    return type(node)(**values)


LARK_VERSION: str = lark.__version__
