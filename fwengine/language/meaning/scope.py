"""Names in scope, and what the expressions of the language stand for: addresses and ports.

A `Scope` collects the mistakes; what depends on a mistake already told is passed over in silence (its value is None),
so that each is told once. Knows expressions, not statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast

from ...errors import Diagnostic, Label, Span
from ...model import address
from ...model.fields import PORTS
from ...model.interval import IntervalSet
from ...registry import names
from ..syntax import ast
from ..syntax.ast import Compare, Except, Expr, Not, Place, Set, Statement, String, Word
from ..syntax.mistakes import KEYWORDS, MAX_ERRORS, too_many
from ..syntax.parser import span_of
from ..syntax.printer import show
from . import literals
from .literals import Mistake

Kind = Literal["net", "ports", "service", "interface"]
WordReader = Callable[[Word | String], "IntervalSet | None"]


class Numbers(NamedTuple):
    """What comparisons compare: called so, up to here, with this code where one is wrong."""

    what: str
    top: int
    code: str


class Reading(NamedTuple):
    """How the words of an expression are read."""

    universe: IntervalSet  # what `not` complements in
    word: WordReader
    numbers: Numbers | None = None  # None: there is nothing to compare
    beside_none: bool = False  # may `not` stand in a set beside `none`, which it does not hold?


RESERVED = frozenset(KEYWORDS) | {"any", "none", "ipv4", "ipv6"}
NOUN = {"net": "a net", "ports": "ports", "service": "a service", "interface": "an interface"}


class TooMany(Exception):  # noqa: N818  # a signal within this package, never seen outside
    """So many mistakes that the rest is not looked at."""


@dataclass
class Name:
    """A definition under way: `value` is kept once known; `busy` finds circles."""

    statement: Statement
    content: ast.Definition
    mentions: set[tuple[str, int, Place]] = field(default_factory=set)
    busy: bool = False
    value: IntervalSet | None = None
    known: bool = False


class Scope:
    """The names in scope and the mistakes found so far."""

    def __init__(self, missing: frozenset[str] = frozenset(), errors: Iterable[Diagnostic] = ()) -> None:
        self.errors: list[Diagnostic] = list(errors)
        self.missing = set(missing)  # names that may well be defined, by statements that could not be parsed
        self.names: dict[str, Name] = {}
        self.file, self.line = "<none>", 1
        self._open: list[str] = []  # the definitions being evaluated
        self._depth = 0
        self._too_deep = False
        self._addresses: dict[str, IntervalSet] = {"any": address.ALL, "ipv4": address.V4, "ipv6": address.V6}
        self._ports: dict[tuple[str, int | None], IntervalSet | None] = {}
        self._near: dict[tuple[str, str], str] = {}
        self.interfaces: dict[str, list[Name]] | None = None  # that declarations hold, once asked for
        self._user: tuple[Span, int] | None = None  # who asked for the ports of a definition, and for which protocol

    def begin(self, file: str, line: int) -> None:
        """From here on places are relative to a statement at this line."""
        self.file, self.line = file, line

    def at(self, place: Place) -> Span:
        return span_of(place, self.file, self.line)

    def report(
        self, code: str, place: Place, message: str, label: str = "", help: str = "", labels: tuple[Label, ...] = ()
    ) -> None:
        """Adds a diagnostic; raises TooMany if there are too many already."""
        if len(self.errors) >= MAX_ERRORS:
            self.errors.append(too_many(self.file, self.line))
            raise TooMany
        message, label, help = (_short(part, 400) for part in (message, label, help))
        self.errors.append(Diagnostic(code, message, self.at(place), label, help, labels=labels))

    def mistake(self, error: Mistake, place: Place, labels: tuple[Label, ...] = ()) -> None:
        self.report(error.code, place, error.message, error.label, error.help, labels)

    # Expressions

    def evaluate(self, expr: Expr | None, how: Reading) -> IntervalSet | None:
        """The set an expression stands for, as its words are read."""
        if isinstance(expr, Word | String):
            return how.word(expr)
        assert expr is not None
        with self.deeper(expr.at) as good:
            return self._compound(expr, how) if good else None

    @contextmanager
    def deeper(self, place: Place, steps: int = 1) -> Iterator[bool]:
        """Goes some steps down into a value; False, and told, if that is too deep for the stack."""
        self._depth += steps
        good = self._depth <= MAX_DEPTH
        if not good and not self._too_deep:  # once: whoever builds on it is as deep
            self._too_deep = True
            self.report(
                "FW004",
                place,
                f"values are nested more than {MAX_DEPTH} deep",
                "one level too many",
                "define them with fewer steps",
            )
        try:
            yield good
        finally:
            self._depth -= steps

    def _compound(self, expr: Expr, how: Reading) -> IntervalSet | None:
        if isinstance(expr, Set):
            return self._union(expr, how)
        if isinstance(expr, Not):
            inner = self.evaluate(expr.term, how)
            return None if inner is None else self._not_empty(how.universe - inner, expr)
        if isinstance(expr, Except):
            return self._difference(expr, how)
        assert isinstance(expr, Compare)
        if how.numbers is None:
            self.mistake(literals.unknown_comparison(expr.operator, expr.word.text), expr.at)
            return None
        what, top, code = how.numbers
        try:
            if expr.operator not in (">=", "<=", ">", "<"):
                raise literals.unknown_comparison(expr.operator, expr.word.text)
            value = literals.number(expr.word.text, top, what, code)
            return literals.compared(expr.operator, expr.word.text, value, top)
        except Mistake as error:
            self.mistake(error, expr.at if error.code in ("FW132", "FW128") else expr.word.at)
            return None

    def _union(self, expr: Set, how: Reading) -> IntervalSet | None:
        if not self.plain_set(expr, beside_none=how.beside_none):
            return None
        pairs: list[tuple[int, int]] = []
        good = True
        for item in expr.items:
            part = self.evaluate(item, how)
            if part is None:
                good = False
            else:
                pairs += part.ranges
        if not good or not self._exceptions_apart(expr, how):
            return None
        return IntervalSet.union(pairs)

    def plain_set(self, expr: Set, *, beside_none: bool = False) -> bool:
        """Is the set one that everybody reads alike? A `not` among other elements lets in all that it does not name."""
        if not expr.items:
            self.report("FW017", expr.at, "the set is empty", "selects nothing", "name at least one element")
            return False
        if len(expr.items) == 1:
            return True
        for item in expr.items:
            if isinstance(item, Not):
                others = [i for i in expr.items if i is not item]
                if beside_none and all(isinstance(i, Word) and i.text == "none" for i in others):
                    continue
                help = "write `not { a, b }` to leave out both, or put it into braces of its own"
                self.report(
                    "FW024",
                    item.at,
                    "a `not` among other elements can be read in two ways",
                    "adds all that it does not name",
                    help,
                )
                return False
        return True

    def _exceptions_apart(self, expr: Set, how: Reading) -> bool:
        """Do no other elements touch what an `except` in a set speaks about? `{ any except a, b }` would mean any."""
        excepts = [item for item in expr.items if isinstance(item, Except)]
        if not excepts or len(expr.items) == 1:
            return True
        bases = [cast("IntervalSet", self.evaluate(e.base, how)) for e in excepts]
        plain = [self.evaluate(i, how) for i in expr.items if not isinstance(i, Except)]
        together = IntervalSet.union(pair for base in bases for pair in base)
        rest = IntervalSet.union(pair for part in plain if part is not None for pair in part)
        if together.isdisjoint(rest) and together.size == sum(base.size for base in bases):
            return True
        help = "write `a except { b, c }` to leave out both, or put `a except b` into braces of its own"
        self.report(
            "FW024",
            excepts[0].at,
            "`except` among other elements can be read in two ways",
            "does it reach over the comma?",
            help,
        )
        return False

    def _difference(self, expr: Except, how: Reading) -> IntervalSet | None:
        if isinstance(expr.base, Not):
            a, b = _brief(expr.base.term), _brief(expr.excluded[0])
            self.report(
                "FW024", expr.at, "`not` with `except` can be read in two ways", "which comes first?",
                f"write `not {{ {a}, {b} }}` or `not {{ {a} except {b} }}`",
            )  # fmt: skip
            return None
        base, *parts = [self.evaluate(e, how) for e in (expr.base, *expr.excluded)]
        if base is None or any(p is None for p in parts):
            return None
        excluded = IntervalSet.union(pair for part in parts for pair in cast("IntervalSet", part))
        if len(parts) > 1 and excluded.size < sum(cast("IntervalSet", part).size for part in parts):
            a, b, c = _brief(expr.base), _brief(expr.excluded[0]), _brief(expr.excluded[1])
            self.report(
                "FW024", expr.at, "two overlapping `except` can be read in two ways", "an exception from the exception?",
                f"write `{a} except {{ {b}, {c} }}` or `{a} except {{ {b} except {c} }}`",
            )  # fmt: skip
            return None
        return self._not_empty(base - excluded, expr)

    def _not_empty(self, found: IntervalSet, expr: Expr) -> IntervalSet | None:
        if found:
            return found
        self.report(
            "FW128",
            cast("Not | Except", expr).at,
            f"`{_brief(expr)}` is empty",
            "nothing is left",
            "the condition could never hold",
        )
        return None

    def no_commas(self, word: Word | String) -> str:
        """The text of a word that is no list."""
        if isinstance(word, Word) and "," in word.text:
            several = word.text if len(word.text) < 40 else "a,b"
            raise Mistake(
                "FW020",
                "several values stand in braces",
                "outside a set",
                "write `{ " + several.replace(",", ", ") + " }`",
            )
        return word.text

    def one(self, word: Word | String, read: Callable[[str], IntervalSet]) -> IntervalSet | None:
        """The value of a single word; None, with the mistake reported, if it has none."""
        try:
            return read(self.no_commas(word))
        except Mistake as error:
            self.mistake(error, word.at)
            return None

    # Names

    def named(self, word: Word, kind: Kind) -> Name | None:
        """The definition of a name if it is of this kind; its mention is counted."""
        entry = self.names.get(word.text)
        if entry is None or entry.content.kind != kind:
            return None
        entry.mentions.add((self.file, self.line, word.at))
        return entry

    def skipped(self, word: Word, kind: Kind) -> bool:
        """Is nothing more to be said about a word: told here, or defined by what could not be parsed?"""
        entry = self.names.get(word.text)
        if entry is not None:
            wanted, got = NOUN[kind], NOUN[entry.content.kind]
            label = Label(entry.statement.span, "defined here")
            help = _NAME_HELP.get((kind, entry.content.kind), "").replace("NAME", word.text)
            self.report("FW127", word.at, f"`{word.text}` is {got}, not {wanted}", f"expected {wanted}", help, (label,))
            return True
        return word.text in self.missing or ("*" in self.missing and literals.is_name(word.text))

    def near(self, word: str, kind: Kind, more: Sequence[str] = ()) -> str:
        """What to say of a name of this kind that is nearly the word; the empty string if there is none."""
        key = (word, kind)
        if key not in self._near:
            known = [n for n, e in self.names.items() if e.content.kind == kind]
            meant = names.near(word, [*known, *more]) if len(word) < 80 else []
            self._near[key] = f"did you mean `{meant[0]}`?" if meant else ""
        return self._near[key]

    def defined(self, entry: Name, compute: Callable[[], IntervalSet | None]) -> IntervalSet | None:
        """The value of a definition, computed once, in the place where it is written."""
        if entry.known:
            return entry.value
        name = entry.content.name
        here = self.file, self.line
        self.begin(entry.statement.span.file, entry.statement.span.line)
        try:
            if entry.busy:
                chain = [*self._open[self._open.index(name.text) :], name.text]
                shown = " -> ".join(chain if len(chain) < 8 else [*chain[:5], "…", chain[-1]])
                self.report(
                    "FW103",
                    name.at,
                    f"`{name.text}` is defined in a circle",
                    shown,
                    "write the values themselves in one of them",
                )
                return None
            entry.busy = True
            self._open.append(name.text)
            with self.deeper(name.at, 2) as good:
                entry.value = compute() if good else None
            self._open.pop()
            entry.busy, entry.known = False, True
            return entry.value
        finally:
            self.begin(*here)

    # Addresses

    def addresses(self, expr: Expr) -> IntervalSet | None:
        if isinstance(expr, Word):
            known = self._addresses.get(expr.text)
            if known is not None:
                return known
        return self.evaluate(expr, Reading(address.ALL, self._address_word))

    def _address_word(self, word: Word | String) -> IntervalSet | None:
        if isinstance(word, String):
            self.report(
                "FW104", word.at, "an address stands without quotes", "a text in quotes", f"write `{word.text}`"
            )
            return None
        known = self._addresses.get(word.text)
        if known is not None:
            return known
        entry = self.named(word, "net")
        if entry is not None:
            return self.defined(entry, lambda: self.addresses(entry.content.value))
        if self.skipped(word, "net"):
            return None
        if literals.is_name(word.text):
            host = "host names are not looked up: " if "." in word.text else ""
            help = (
                self.near(word.text, "net", ["any", "ipv4", "ipv6"])
                or f"{host}define it with `net {_short(word.text)} = …`"
            )
            self.report("FW101", word.at, f"no address or name `{_short(word.text)}`", "not defined", help)
            return None
        found = self.one(word, literals.addresses)
        if found is not None:
            self._addresses[word.text] = found
        return found

    # Ports

    def ports(self, expr: Expr, protocol: int | None) -> IntervalSet | None:
        """Port numbers; names mean what they mean for the protocol, or, for None, for any."""
        return self.evaluate(
            expr, Reading(PORTS, lambda word: self.port_word(word, protocol), Numbers("port", 65535, "FW111"))
        )

    def port_word(self, word: Word | String, protocol: int | None) -> IntervalSet | None:
        if isinstance(word, String):
            self.report("FW112", word.at, "a port stands without quotes", "a text in quotes", f"write `{word.text}`")
            return None
        entry = self.named(word, "ports")
        if entry is not None:
            return self.ports_of(entry, protocol, word)
        key = (word.text, protocol)
        known = self._ports.get(key)
        if known is not None:
            return known
        if self.skipped(word, "ports"):
            return None
        try:
            found = literals.port_literal(self.no_commas(word))
            if found is None:
                if word.text == "any":
                    raise Mistake(
                        "FW112", "`any` is no port", "without a condition every port matches", "leave out `port any`"
                    )
                found = literals.named_ports(word.text, protocol)
        except Mistake as error:
            self._wrong_port(error, word)
            return None
        self._ports[key] = found
        return found

    def _wrong_port(self, error: Mistake, word: Word) -> None:
        labels: tuple[Label, ...] = ()
        if error.code == "FW112":
            error.help = self.near(word.text, "ports") or error.help
        elif error.code == "FW113" and self._user is not None:
            labels = (Label(self._user[0], f"used for {names.protocol_name(self._user[1])} here"),)
        self.mistake(error, word.at, labels)

    def ports_of(self, entry: Name, protocol: int | None, user: Word | None = None) -> IntervalSet | None:
        """The value of a `ports` definition for a protocol: kept for each."""
        key = (entry.content.name.text, protocol)
        if key in self._ports:
            return self._ports[key]
        before = self._user
        if before is None and user is not None and protocol is not None:
            self._user = self.at(user.at), protocol
        entry.known = False
        self._ports[key] = self.defined(entry, lambda: self.ports(entry.content.value, protocol))
        self._user = before
        return self._ports[key]


MAX_DEPTH = 120  # levels of braces, and of definitions that build on each other

_NAME_HELP = {
    ("ports", "service"): "a service stands behind the action: `allow NAME …`",
    ("service", "ports"): "ports stand behind `port`: `allow tcp … port NAME`",
    ("service", "net"): "the protocol comes first: `allow tcp from NAME …`",
    ("ports", "net"): "addresses stand behind `from` or `to`",
    ("net", "ports"): "ports stand behind `port`",
    ("net", "interface"): "an interface stands behind `in` or `out`",
    ("ports", "interface"): "an interface stands behind `in` or `out`",
    ("service", "interface"): "an interface stands behind `in` or `out`",
    ("net", "service"): "a service stands behind the action: `allow NAME …`",
}


def _brief(expr: Expr) -> str:
    """An expression, in an error message."""
    if isinstance(expr, Set) and len(expr.items) > 4:
        return "{ … }"
    if isinstance(expr, Set):
        return "{ " + ", ".join(map(_brief, expr.items)) + " }"
    if isinstance(expr, Not):
        return f"not {_brief(expr.term)}"
    if isinstance(expr, Except):
        several = " …" if len(expr.excluded) > 1 else ""
        return f"{_brief(expr.base)} except {_brief(expr.excluded[0])}{several}"
    return _short(show(expr))


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "…"
