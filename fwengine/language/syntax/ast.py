"""The syntax tree of the rule language: what was written, so that it can be printed back.

Equality is equality of what was written, wherever it stands: places take no part in it. A place is relative to its
statement; only a `Statement` knows its file and line, so that a statement's tree does not depend on where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ...errors import Span
from ...model.fields import OPTIONS as FIELDS

Place = tuple[int, int, int, int]  # line, column, end line, end column; from 1, the end exclusive
HERE: Place = (1, 1, 1, 1)


def cover(first: Place, last: Place) -> Place:
    return (first[0], first[1], last[2], last[3])


def span_of(place: Place, file: str, line: int) -> Span:
    """A place inside a statement that begins on `line`, as a span of the file."""
    return Span(file, line - 1 + place[0], place[1], line - 1 + place[2], place[3])


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    at: Place = field(default=HERE, compare=False)


@dataclass(frozen=True, slots=True)
class String:
    """A quoted text; `text` is what it stands for."""

    text: str
    at: Place = field(default=HERE, compare=False)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment inside a set: it stands before the element with index `before`, on a line of its own if `alone`."""

    text: str
    before: int
    alone: bool


@dataclass(frozen=True, slots=True)
class Set:
    items: tuple[Expr, ...]
    comments: tuple[Comment, ...] = ()
    at: Place = field(default=HERE, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    term: Expr
    at: Place = field(default=HERE, compare=False)


@dataclass(frozen=True, slots=True)
class Except:
    """`base except a except b`; excluded in order."""

    base: Expr
    excluded: tuple[Expr, ...]
    at: Place = field(default=HERE, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    operator: str
    word: Word
    at: Place = field(default=HERE, compare=False)


Expr = Word | String | Set | Not | Except | Compare

# the order in which options are printed
OPTIONS: tuple[str, ...] = ("established", *(spec.word for spec in FIELDS), "log", "until", "as")


@dataclass(frozen=True, slots=True)
class Option:
    name: str  # one of `OPTIONS`
    value: Expr | None = None
    at: Place = field(default=HERE, compare=False)


@dataclass(frozen=True, slots=True)
class End:
    """One side of a match: `from ADDRESSES port PORTS`."""

    addresses: Expr
    ports: Expr | None = None
    at: Place = field(default=HERE, compare=False)


@dataclass(frozen=True, slots=True)
class Match:
    protocol: Expr
    source: End | None = None
    target: End | None = None
    options: tuple[Option, ...] = ()
    at: Place = field(default=HERE, compare=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A region of several parts: `MATCH or MATCH unless MATCH or MATCH`; a single match stands for itself."""

    included: tuple[Match, ...]
    excluded: tuple[Match, ...] = ()
    at: Place = field(default=HERE, compare=False)


@dataclass(frozen=True, slots=True)
class WrittenPacket:
    """`tcp 5.6.7.8:1029 -> 1.2.3.4:80 flags syn`."""

    protocol: Word
    source: Word
    target: Word
    options: tuple[Option, ...] = ()
    at: Place = field(default=HERE, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    action: Literal["allow", "deny"]
    match: Match


@dataclass(frozen=True, slots=True)
class Definition:
    kind: Literal["net", "ports", "service", "interface"]
    name: Word
    value: Expr


@dataclass(frozen=True, slots=True)
class Default:
    action: Literal["allow", "deny"]


@dataclass(frozen=True, slots=True)
class Include:
    path: String
    policy: Word | String | None = None  # which of another firewall's file


@dataclass(frozen=True, slots=True)
class Expect:
    action: Literal["allow", "deny"]
    subject: Match | Asked | WrittenPacket
    by: Word | String | None = None


Content = Rule | Definition | Default | Include | Expect


@dataclass(frozen=True, slots=True)
class Statement:
    content: Content
    comment: str = ""  # behind it on its last line
    span: Span = field(default=Span("<none>", 1, 1, 1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class Blank:
    """An empty line, or one with nothing but a comment."""

    comment: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A file: its lines in order."""

    lines: tuple[Statement | Blank, ...]
    file: str = field(default="<none>", compare=False)

    @property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(line for line in self.lines if isinstance(line, Statement))
