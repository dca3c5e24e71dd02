"""What `show --as table` and `--as stats` answer: the rules as they were written, and the size of what is compiled from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from ..imported import lines
from ..model.fields import DPORT, DST, FIVE, PROTOCOL, SPORT, SRC
from ..model.rules import Rule
from ..policy import Policy
from .answer import Answer, Block, heading, table
from .columns import broken, fitted, joined
from .fit import wrapped
from .making import rule_at
from .record import Act, Made, Place, Record, Related, RuleRecord, act
from .screen import visible
from .shown import Statistics
from .style import Style
from .verdicts import FIELD_WORDS

MAX_WORDS: Final = 120  # characters of another firewall's line in a table
_HEADS: Final = ("#", "action", "protocol", "from", "port", "to", "port", "options", "rule")
_LINE_HEADS: Final = ("#", "action", "line", "words")
_ACTION: Final = 1  # the column
_SAID: Final = {
    "from": "from",
    "to": "to",
    "port": "port",
    "rule": "as",
    "line": "line",
}  # before cells where there are no columns
_COLUMNS: Final = tuple(FIELD_WORDS[f] for f in (PROTOCOL, SRC, SPORT, DST, DPORT))
_ANY: Final = ("any", "any", "", "any", "")  # what a rule says without a word
_MAIN: Final = frozenset(FIELD_WORDS[f] for f in FIVE)
_HUES: Final = {"allow": "green", "deny": "red", "depends": "yellow"}


@dataclass(frozen=True)
class RuleListed(Record):
    """A rule as it was written.

    Attributes:
        written: the expression of each field that it names; of another firewall's rule there is none.
        text: the line of another firewall.
    """

    rule: RuleRecord
    active: bool
    until: str | None
    log: bool
    written: Mapping[str, str]
    text: str | None

    @property
    def options(self) -> str:
        """What stands behind the ends of a rule."""
        words = [
            text if text == "established" else f"{word} {text}"
            for word, text in self.written.items()
            if word not in _MAIN
        ]
        words += ["log"] * self.log
        if self.until is not None:
            words.append(f"until {self.until}" + ("" if self.active else " (expired)"))
        return " ".join(words)


@dataclass(frozen=True)
class PolicyListed(Record):
    """A policy with its rules in their order; `imported`: they are another firewall's lines, `applied` where the file says."""

    policy: str
    imported: bool
    default: Act
    rules: Sequence[RuleListed]
    applied: tuple[Related, ...]

    @classmethod
    def of(cls, policy: Policy) -> PolicyListed:
        said = _lines_of(policy) if policy.imported is not None else None

        def listed(index: int) -> RuleListed:
            rule = policy.rules[index]
            return RuleListed(
                rule_at(policy, index),
                policy.active(rule),
                str(rule.until) if rule.until else None,
                rule.log,
                {} if said else {FIELD_WORDS[f]: text for f, text in rule.written},
                said(rule) if said else None,
            )

        own = policy.imported
        applied = [(text, span) for name, text, span in own.document.applied if name == own.name] if own else []
        where = [Related(Place.of(span), text) for text, span in applied]
        rules = Made(range(len(policy.rules)), listed)
        return cls(policy.name, policy.imported is not None, act(policy.default), rules, tuple(where))

    @property
    def heads(self) -> tuple[str, ...]:
        return _LINE_HEADS if self.imported else _HEADS

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The cells of a table, the default last."""
        for number, r in enumerate(self.rules, 1):
            if self.imported:
                words = r.text or ""
                short = words if len(words) <= MAX_WORDS else words[: MAX_WORDS - 1] + "…"
                place = f"{r.rule.place.line}{r.rule.way}" if r.rule.place else ""
                yield str(number), r.rule.action, place, visible(short)
            else:
                cells = [r.written.get(word, blank) for word, blank in zip(_COLUMNS, _ANY, strict=True)]
                yield str(number), r.rule.action, *cells, r.options, visible(r.rule.label)
        blank = ("",) if self.imported else (*_ANY, "")
        yield "", self.default, *blank, "default"


@dataclass(frozen=True)
class Listed(Answer):
    """The rules of a policy or, of another firewall's file, of each."""

    command: ClassVar[str] = "show"
    rows: ClassVar[str] = "listed"

    listed: tuple[PolicyListed, ...]

    def lines(self, style: Style) -> Iterator[str]:
        for number, one in enumerate(self.listed):
            yield from _head(one.policy, number, len(self.listed), style)
            yield from _table(one.heads, list(one.rows()), style)
            for place in one.applied:
                yield from wrapped(visible(f"applied {place.text} (line {place.place.line})"), style.width, rest="    ")

    def blocks(self) -> Iterable[Block]:
        for one in self.listed:
            yield heading(f"`{one.policy}`")
            yield table(one.heads, (_cells(row) for row in one.rows()))
            yield from (Block(f"applied {place.text} (`{place.place}`)") for place in one.applied)


def _lines_of(policy: Policy) -> Callable[[Rule], str]:
    """Gives the words of a rule's line, or what the firewall does there of itself."""
    assert policy.imported is not None
    known = lines(policy.imported.document.chains)
    texts = {file: text.split("\n") for file, text in policy.sources.items()}

    def said(rule: Rule) -> str:
        line = known.get(rule.origin.line) if rule.origin is not None else None
        if line is not None and line.implied:
            return line.text
        return " ".join(texts[rule.span.file][rule.span.line - 1].split()) if rule.span.file in texts else ""

    return said


def _cells(row: Sequence[str]) -> list[str]:
    return [f"`{cell}`" if n > _ACTION and cell else cell for n, cell in enumerate(row)]


def _head(name: str, number: int, count: int, style: Style) -> Iterator[str]:
    if count > 1:
        yield from [""] * bool(number)
        yield style(visible(name), bold=True)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], style: Style) -> Iterator[str]:
    """Columns, without those of which nothing is said; where they do not fit, each rule as it is written."""
    used = [i for i in range(len(heads)) if any(row[i] for row in rows)]
    chosen = [[row[i] for i in used] for row in rows]
    widths = fitted([[heads[i] for i in used], *chosen], style.width)
    if widths is None:
        yield from _written(heads, rows, style)
        return
    action = used.index(_ACTION)
    yield from (style(joined(line), bold=True) for line in broken([heads[i] for i in used], widths))
    for row in chosen:
        for line in broken(row, widths):
            line[action] = style(line[action], _HUES[row[action]])
            yield joined(line)


def _written(heads: Sequence[str], rows: Sequence[Sequence[str]], style: Style) -> Iterator[str]:
    """The rows one below the other, much as in the language."""
    margin = max(len(row[0]) for row in rows)
    for number, action, *cells in rows:
        told = [(_SAID.get(head, ""), cell) for head, cell in zip(heads[_ACTION + 1 :], cells, strict=True) if cell]
        said = " ".join(f"{word} {cell}" if word else cell for word, cell in told)
        head = f"{number:<{margin}}  {action} "
        first, *more = wrapped(said, style.width, head, " " * (margin + 6))
        yield f"{number:<{margin}}  {style(action, _HUES[action])}{first[len(head) - 1 :]}"
        yield from more


@dataclass(frozen=True)
class PolicySized(Record):
    """The size of a policy and of what is compiled from it; `expired` rules are in neither tree."""

    policy: str
    default: Act
    expired: int
    statistics: Statistics

    @classmethod
    def of(cls, policy: Policy) -> PolicySized:
        expired = sum(not policy.active(rule) for rule in policy.rules)
        return cls(policy.name, act(policy.default), expired, Statistics.of(policy))

    def rows(self) -> list[tuple[str, str]]:
        s = self.statistics
        return [
            ("rules", f"{s.rules:,}" + (f" ({self.expired} expired)" if self.expired else "")),
            ("default", self.default),
            ("trees", f"{s.trees:,}"),
            ("nodes", f"{s.nodes:,}"),
            ("edges", f"{s.edges:,}" + (f" ({s.edges / s.rules:.1f} a rule)" if s.rules else "")),
            ("depth", f"{s.depth:,}"),
            ("memory", f"{s.bytes:,} bytes"),
        ]

    def lines(self) -> Iterator[str]:
        for name, value in self.rows():
            yield f"{name:<8} {value}"


@dataclass(frozen=True)
class Sized(Answer):
    """The size of a policy or, of another firewall's file, of each."""

    command: ClassVar[str] = "show"
    rows: ClassVar[str] = "sizes"

    sizes: tuple[PolicySized, ...]

    def lines(self, style: Style) -> Iterator[str]:
        for number, one in enumerate(self.sizes):
            yield from _head(one.policy, number, len(self.sizes), style)
            yield from one.lines()

    def blocks(self) -> Iterable[Block]:
        for one in self.sizes:
            yield heading(f"`{one.policy}`")
            yield table(("", ""), one.rows())
