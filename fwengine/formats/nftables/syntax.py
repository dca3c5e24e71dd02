"""What a rule set of nft consists of, however it is written: tables, chains, sets, maps and rules as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ...errors import Span

# why it is in doubt whether what follows `add @set { … }` is met
REMEMBERED = "the set may be full, or the packet lack what it takes"


@dataclass(frozen=True)
class Word:
    """One value by number or name."""

    text: str


@dataclass(frozen=True)
class Range:
    first: Value
    last: Value


@dataclass(frozen=True)
class Prefix:
    address: Value
    length: int


@dataclass(frozen=True)
class Named:
    """The content of a named set or map."""

    name: str


@dataclass(frozen=True)
class Several:
    """One of several: the elements of a set in braces, or a list with commas (`listed`), or bits joined by `|` (`bits`)."""

    values: tuple[Value, ...]
    kind: Literal["set", "list", "bits"] = "set"


@dataclass(frozen=True)
class Concat:
    values: tuple[Value, ...]


Value = Word | Range | Prefix | Named | Several | Concat


@dataclass(frozen=True)
class Key:
    """What a condition asks for: `tcp dport`, `meta iifname`, `ct state`."""

    family: str  # ip, tcp, meta, ct, fib …
    name: str

    def __str__(self) -> str:
        return f"{self.family} {self.name}".strip()


@dataclass(frozen=True)
class Test:
    """A condition; `op` is empty where none is written, `mask` are the bits that are looked at."""

    keys: tuple[Key, ...]
    op: str
    value: Value
    mask: Value | None = None


@dataclass(frozen=True)
class Verdict:
    kind: str  # accept, drop, reject, jump, goto, return, continue, queue
    target: str = ""


@dataclass(frozen=True)
class Choice:
    """A verdict map; the elements are those of `named`, if it is one. A value of None stands for all others."""

    keys: tuple[Key, ...]
    elements: tuple[tuple[Value | None, Verdict], ...] = ()
    named: str = ""


@dataclass(frozen=True)
class Doubt:
    """A condition that the packet alone does not settle."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """A statement that would make a verdict mean something else, such as an address translation."""

    what: str


Statement = Test | Verdict | Choice | Doubt | Refused


@dataclass(frozen=True)
class Rule:
    statements: tuple[Statement, ...]
    span: Span
    text: str
    comment: str | None = None
    log: bool = False


@dataclass
class Chain:
    name: str
    span: Span
    rules: list[Rule] = field(default_factory=list)
    type: str = ""
    hook: str = ""
    priority: str = ""
    policy: str = "accept"


@dataclass
class Set:
    """A named set, or a map, whose elements have verdicts if it is a verdict map."""

    name: str
    elements: list[tuple[Value | None, Verdict | None]] = field(default_factory=list)
    changes: bool = False  # by itself: elements come by packets, or go by time


@dataclass
class Table:
    family: str
    name: str
    span: Span
    chains: dict[str, Chain] = field(default_factory=dict)
    sets: dict[str, Set] = field(default_factory=dict)
    dormant: bool = False  # loaded, and not in force


Tables = dict[tuple[str, str], Table]
