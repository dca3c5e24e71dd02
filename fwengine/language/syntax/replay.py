"""What the parser did with a statement, done again for another whose words are of the same kinds in the same order.

An LALR(1) parser looks at the types of tokens alone, never at their texts. So for each sequence of types that it has met,
the calls that it made are kept, and made again on the words of the next such statement: a policy has few sequences and
many statements. The grammar stays the definition; whatever is not known here, and every mistake, is the parser's.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

MOST_TOKENS = 64  # of a statement that is kept: long sets are seldom of one length
MOST_SHAPES = 4096

# the grammar's terminals in the order in which its lexer tries them; those of one word are WORDs until they are looked up
_TOKEN = re.compile(
    r"""[ \t]*(?:((?:[^ \t\r\n\f\v{},#"=<>!-]++|-(?!>))++(?:,(?:[^ \t\r\n\f\v{},#"=<>!-]++|-(?!>))++)*+)"""
    r"""|("(?:[^"\\\n]++|\\[^\n])*+")|(>=|<=|>|<|!=|==)|([{}])|(->)|(=)|(,))"""
)
_TYPES = ("", "WORD", "STRING", "COMPARE", "", "_ARROW", "_EQUAL", "_COMMA")
_BRACES = {"{": "LBRACE", "}": "RBRACE"}

Key = tuple[str, ...]
Method = Callable[[Sequence[Any]], Any]
Getter = Callable[[Sequence[Any]], Any]
Call = tuple[Method, Getter | None, int]  # with several children, or with one
_new = tuple.__new__  # a third of the time of a named tuple's own


class Token(NamedTuple):
    """A terminal of a statement on one line; columns count from 1."""

    type: str
    value: str
    line: int
    column: int
    end_line: int
    end_column: int


class Program(NamedTuple):
    """Calls in order; each takes earlier values by number, the tokens first, and adds one. `result` is the last of all."""

    calls: tuple[Call, ...]
    result: int


class Recorder:
    """Stands between the parser and what builds the tree, and writes down the calls of one statement; one a thread."""

    def __init__(self, build: object) -> None:
        self._build = build
        self._local = threading.local()

    def __getattr__(self, name: str) -> Method:
        method: Method = getattr(self._build, name)
        local = self._local

        def call(children: Sequence[Any]) -> Any:
            result = method(children)
            log = getattr(local, "log", None)
            if log is not None:
                log.append((method, tuple(children), result))
            return result

        return call

    def begin(self) -> None:
        self._local.log = []

    def end(self) -> list[tuple[Method, tuple[Any, ...], Any]]:
        """The calls since `begin`: of a method with the children that it got, and what it made of them."""
        log: list[tuple[Method, tuple[Any, ...], Any]] = self._local.log
        self._local.log = None
        return log


class Replay:
    """Programs by start symbol and types of tokens.

    Args:
        keywords: the type of each word that is one of the language's own.
    """

    def __init__(self, keywords: dict[str, str]) -> None:
        self._keywords = keywords
        self._programs: dict[Key, Program] = {}

    def tokens(self, text: str) -> tuple[Token, ...] | None:
        """The tokens of a line; None if it has too many, or characters that are of no token."""
        out: list[Token] = []
        at = 0
        keywords = self._keywords
        for found in _TOKEN.finditer(text):
            kind: int = found.lastindex  # type: ignore[assignment]  # one of them has matched
            value = found[kind]
            if found.start() != at or len(out) == MOST_TOKENS:
                return None
            at = found.end()
            type_ = keywords.get(value, "WORD") if kind == 1 else _TYPES[kind] or _BRACES[value]
            out.append(_new(Token, (type_, value, 1, at - len(value) + 1, 1, at + 1)))
        if at != len(text):
            return None
        return tuple(out)

    def run(self, tokens: tuple[Token, ...], start: str) -> tuple[Any] | None:
        """What the parser would return for these tokens, as a tuple of one; None if it has not been seen at such.

        Raises:
            SyntaxMistake: what building the tree raises.
        """
        program = self._programs.get((start, *[token[0] for token in tokens]))
        if program is None:
            return None
        values: list[Any] = list(tokens)
        for method, several, one in program.calls:
            values.append(method(several(values) if several else (values[one],)))
        return (values[program.result],)

    def learn(self, tokens: tuple[Token, ...], start: str, log: Iterable[tuple[Any, tuple[Any, ...], Any]]) -> None:
        """Keeps what the parser did, of which `Recorder` has the calls."""
        if len(self._programs) >= MOST_SHAPES:
            return
        columns = {token.column: slot for slot, token in enumerate(tokens)}
        log = list(log)  # it keeps the objects alive whose identities are numbers here
        slot_of: dict[int, int] = {}
        calls: list[Call] = []
        for method, children, result in log:
            slots = []
            for child in children:
                slot = slot_of.get(id(child))
                if slot is None:  # one of the parser's own tokens
                    slot = slot_of[id(child)] = columns[child.column]
                slots.append(slot)
            if id(result) not in slot_of:  # else it is handed on as it came
                slot_of[id(result)] = len(tokens) + len(calls)
                calls.append((method, itemgetter(*slots) if len(slots) > 1 else None, slots[0]))
        self._programs[start, *[token.type for token in tokens]] = Program(tuple(calls), slot_of[id(result)])
