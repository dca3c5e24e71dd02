"""The grammar's automaton without Lark: its tables drive it, and what it did for one statement is done again for the next.

An LALR(1) parser looks at the types of tokens alone, never at their texts. So for each sequence of types its shifts and
reductions are worked out once, as calls that build the tree, and made again on the words of every such statement: a
policy has few sequences and many statements. Knows right statements only: whatever is not one is `reference`'s, and so
the grammar stays the definition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from .build import HANDED_ON, Build

MOST_TOKENS = 64  # of a statement whose calls are kept: long sets are seldom of one length
MOST_SHAPES = 4096

# the grammar's terminals in the order in which its lexer tries them; a keyword is a WORD until it is looked up
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:((?:[^ \t\r\n\f\v{},#"=<>!-]++|-(?!>))++(?:,(?:[^ \t\r\n\f\v{},#"=<>!-]++|-(?!>))++)*+)"""
    r"""|("(?:[^"\\\n]++|\\[^\n])*+")|(>=|<=|>|<|!=|==)|([{}])|(->)|(=)|(,))"""
)
_TYPES = ("", "WORD", "STRING", "COMPARE", "", "_ARROW", "_EQUAL", "_COMMA")
_BRACES = {"{": "LBRACE", "}": "RBRACE"}
_END = "$END"

Method = Callable[[Sequence[Any]], Any]
Call = tuple[Method, Callable[[Sequence[Any]], Any] | None, int]  # with several children, or with one
_new = tuple.__new__  # a third of the time of a named tuple's own


class Token(NamedTuple):
    """A terminal of a statement; lines and columns count from 1, the end is exclusive."""

    type: str
    value: str
    line: int
    column: int
    end_line: int
    end_column: int


class Program(NamedTuple):
    """Calls in order; each takes earlier values by number, the tokens first, and adds one. `result` is the answer's."""

    calls: tuple[Call, ...]
    result: int


class Reduction(NamedTuple):
    """What a rule of the grammar does: so many symbols become one, made of those of them that are kept."""

    origin: str
    size: int
    kept: tuple[int, ...]


class Automaton:
    """The automaton of the tables that Lark made, as plain data.

    Args:
        data, memo: what `Lark.save` writes: the tables, and what they refer to by number.
    """

    def __init__(self, data: Mapping[str, Any], memo: Mapping[int, Any]) -> None:
        tables = data["parser"]["parser"]
        terminals = [memo[t["@"]] for t in data["parser"]["lexer_conf"]["terminals"]]
        self.keywords = {
            t["pattern"]["value"]: t["name"]
            for t in terminals
            if t["pattern"]["__type__"] == "PatternStr" and t["pattern"]["value"].isalpha()
        }
        names = tables["tokens"]
        reductions: dict[int, Reduction] = {}

        def step(kind: int, to: Any) -> int | Reduction:
            if kind == 0:
                return int(to)
            found = reductions.get(to["@"])
            if found is None:
                rule = memo[to["@"]]
                kept = [n for n, symbol in enumerate(rule["expansion"]) if not symbol.get("filter_out")]
                found = reductions[to["@"]] = Reduction(rule["origin"]["name"], len(rule["expansion"]), tuple(kept))
            return found

        self._states = {
            state: {names[token]: step(*action) for token, action in actions.items()}
            for state, actions in tables["states"].items()
        }
        self._starts, self._ends = tables["start_states"], tables["end_states"]
        self._build = Build()
        self._programs: dict[tuple[str, ...], Program] = {}

    def parse(self, text: str, start: str) -> tuple[Any] | None:
        """What Lark's parser returns for a text without comments, as a tuple of one; None if it is not right.

        Raises:
            SyntaxMistake: what building the tree raises.
        """
        tokens = self.tokens(text)
        if tokens is None:
            return None
        types = (start, *[token[0] for token in tokens])
        program = self._programs.get(types)
        if program is None:
            program = self.program(types[1:], start)
            if program is None:
                return None
            if len(tokens) <= MOST_TOKENS and len(self._programs) < MOST_SHAPES:
                self._programs[types] = program
        values: list[Any] = list(tokens)
        for method, several, one in program.calls:
            values.append(method(several(values) if several else (values[one],)))
        return (values[program.result],)

    def tokens(self, text: str) -> list[Token] | None:
        """The tokens of a text; None if it has characters that are of no token."""
        out: list[Token] = []
        at, line, begin = 0, 1, 0  # where the last token ended; the line, and where it began
        keywords = self.keywords
        lines = "\n" in text
        for found in _TOKEN.finditer(text):
            if found.start() != at:
                return None
            kind: int = found.lastindex  # type: ignore[assignment]  # one of them has matched
            value = found[kind]
            end = found.end()
            if lines:
                feeds = text.count("\n", at, end)  # none of them in the token
                if feeds:
                    line += feeds
                    begin = text.rindex("\n", at, end) + 1
            at = end
            type_ = keywords.get(value, "WORD") if kind == 1 else _TYPES[kind] or _BRACES[value]
            column = at - begin + 1
            out.append(_new(Token, (type_, value, line, column - len(value), line, column)))
        return out if at == len(text) else None

    def program(self, types: Sequence[str], start: str) -> Program | None:
        """The calls that build the tree of tokens of these types; None if the grammar has no such text. O(tokens)."""
        states = [self._starts[start]]
        slots: list[Any] = []  # a number, or for a part of a repetition those of its own
        calls: list[Call] = []
        for token, type_ in enumerate((*types, _END)):
            while True:
                action = self._states[states[-1]].get(type_)
                if action is None:
                    return None
                if isinstance(action, int):
                    states.append(action)
                    slots.append(token)
                    break
                origin, size, kept = action
                mine = slots[-size:]
                del slots[-size:], states[-size:]
                children: list[int] = []
                for n in kept:
                    children += mine[n] if isinstance(mine[n], list) else [mine[n]]
                if origin[0] == "_":
                    slots.append(children)
                elif len(children) == 1 and origin in HANDED_ON:
                    slots.append(children[0])
                else:
                    slots.append(len(types) + len(calls))
                    method: Method = getattr(self._build, origin)
                    calls.append((method, itemgetter(*children) if len(children) > 1 else None, children[0]))
                states.append(self._states[states[-1]][origin])  # to where it leads
                if type_ == _END and states[-1] == self._ends[start]:
                    return Program(tuple(calls), slots[-1])
        return None  # pragma: no cover  # the end is accepted or refused
