"""Tokens and subtrees -> syntax tree, bottom up as the parser reduces, so that no parse tree is kept.

The methods of `Build` are named after the rules of the grammar. Knows tokens by their shape only, not the parser.
"""

from __future__ import annotations

import re
from typing import Any, Protocol, cast

from ...model.fields import KEYWORDS
from .ast import (
    Asked,
    Compare,
    Default,
    Definition,
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
    String,
    Word,
    WrittenPacket,
    cover,
)
from .mistakes import SyntaxMistake

_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|(.))", re.DOTALL)
# the rules whose method, given one child, returns it
HANDED_ON = frozenset({"statement", "kind", "action", "unless", "expr", "term", "states", "state", "tests"})
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


class Token(Protocol):
    """A terminal with its place."""

    type: str
    value: Any
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None


def place_of(token: Token) -> Place:
    line, column = token.line or 1, token.column or 1
    return (line, column, token.end_line or line, token.end_column or column + len(token.value))


def _word(token: Token) -> Word:
    return Word(token.value, (token.line, token.column, token.line, token.column + len(token.value)))  # type: ignore[arg-type,operator]  # tokens of a text have places


class Build:
    """What each rule of the grammar makes of its children. Each result knows its place."""

    def statement(self, children: list[Any]) -> tuple[Any, Place]:
        return cast("tuple[Any, Place]", children[0])

    def kind(self, children: list[Token]) -> Token:
        return children[0]

    action = kind

    def rule(self, children: list[Any]) -> tuple[Rule, Place]:
        action, match = children
        return Rule(action.value, match), cover(place_of(action), match.at)

    def definition(self, children: list[Any]) -> tuple[Definition, Place]:
        kind, name, value = children
        return Definition(kind.value, _word(name), value), cover(place_of(kind), value.at)

    def default(self, children: list[Any]) -> tuple[Default, Place]:
        return Default(children[1].value), cover(place_of(children[0]), place_of(children[1]))

    def include(self, children: list[Any]) -> tuple[Include, Place]:
        path = self.atom(children[1:])
        return Include(cast("String", path)), cover(place_of(children[0]), path.at)

    def expect(self, children: list[Any]) -> tuple[Expect, Place]:
        keyword, action, subject, *by = children
        end = by[0].at if by else subject.at
        return Expect(action.value, subject, by[0] if by else None), cover(place_of(keyword), end)

    def by(self, children: list[Token]) -> Word:
        return _word(children[0])

    def claim(self, children: list[Any]) -> tuple[Any, Place]:
        action, match = children
        return (action.value, match), cover(place_of(action), match.at)

    def region(self, children: list[Any]) -> tuple[Match | Asked, Place]:
        return children[0], children[0].at

    def either(self, children: list[Match]) -> tuple[Match, ...]:
        return tuple(children)

    def unless(self, children: list[Any]) -> tuple[Match, ...]:
        return cast("tuple[Match, ...]", children[0])

    def asked(self, children: list[tuple[Match, ...]]) -> Match | Asked:
        included, excluded = children[0], children[1] if len(children) > 1 else ()
        if len(included) == 1 and not excluded:
            return included[0]
        return Asked(included, excluded, cover(included[0].at, (excluded or included)[-1].at))

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
        last = children[-1]
        _no_doubles(options)
        return Match(
            children[0],
            source,
            target,
            tuple(options),
            cover(children[0].at, (last[1] if isinstance(last, tuple) else last).at),
        )

    def source(self, children: list[Any]) -> tuple[str, End]:
        return "from", _end(children)

    def target(self, children: list[Any]) -> tuple[str, End]:
        return "to", _end(children)

    def packet(self, children: list[Any]) -> tuple[WrittenPacket, Place]:
        protocol, source, target, *options = children
        words = _word(protocol), _word(source), _word(target)
        _no_doubles(options)
        at = cover(words[0].at, options[-1].at if options else words[2].at)
        return WrittenPacket(*words, tuple(options), at), at

    def subject(self, children: list[Any]) -> Any:
        return children[0][0] if isinstance(children[0], tuple) else children[0]

    def option(self, children: list[Any]) -> Option:
        keyword = children[0]
        name = KEYWORDS[keyword.value].word if keyword.value in KEYWORDS else str(keyword.value)
        if len(children) == 1:
            return Option(name, None, place_of(keyword))
        value = children[1] if hasattr(children[1], "at") else _word(children[1])
        return Option(name, value, cover(place_of(keyword), value.at))

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
        return String(_unescaped(token), place_of(token))

    def negation(self, children: list[Any]) -> Not:
        return Not(children[1], cover(place_of(children[0]), children[1].at))

    def comparison(self, children: list[Token]) -> Compare:
        return Compare(children[0].value, _word(children[1]), cover(place_of(children[0]), place_of(children[1])))

    def set(self, children: list[Any]) -> Set:
        items: list[Expr] = []
        for item in children[1:-1]:
            items += _split(item) if isinstance(item, Word) and "," in item.text else [item]
        return Set(tuple(items), (), cover(place_of(children[0]), place_of(children[-1])))

    states = expr

    def state(self, children: list[Any]) -> Expr:
        if len(children) == 1:
            return cast("Expr", children[0])
        return self.negation(children) if getattr(children[0], "type", "") == "NOT" else self.set(children)

    def state_word(self, children: list[Token]) -> Word | String:
        return self.atom(children) if children[0].type == "STRING" else _word(children[0])

    def tests(self, children: list[Any]) -> Expr:
        if len(children) == 1:
            return cast("Expr", children[0])
        if getattr(children[0], "type", "") == "NOT":
            return self.negation(children)
        return Set(tuple(children[1:-1]), (), cover(place_of(children[0]), place_of(children[-1])))

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
    seen = set()
    for option in options:
        if option.name in seen:
            help = "keep one of them"
            if option.value is not None and option.name not in ("as", "until"):
                help = f"for several values write `{option.name} {{ a, b }}`"
            raise SyntaxMistake("FW018", option.at, f"`{option.name}` is given twice", "given again", help)
        seen.add(option.name)


def _unescaped(token: Token) -> str:
    text: str = token.value[1:-1]
    if "\\" not in text:
        return text

    def one(match: re.Match[str]) -> str:
        if match[1] and int(match[1], 16) < 0x110000:
            return chr(int(match[1], 16))
        found = _ESCAPES.get(match[2] or "")
        if found is None:
            line, column, _, _ = place_of(token)
            at = (line, column + 1 + match.start(), line, column + 1 + match.end())
            help = 'a backslash itself is `\\\\`; the others are `\\"`, `\\n`, `\\t` and `\\u{…}`'
            raise SyntaxMistake("FW016", at, f"`{match.group()}` means nothing in quotes", "unknown escape", help)
        return found

    return _ESCAPE.sub(one, text)
