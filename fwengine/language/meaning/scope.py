"""Names in scope, and what the expressions of the language stand for: addresses and ports.

A `Scope` collects the mistakes; what depends on a mistake already told is passed over in silence (its value is None),
so that each is told once. Knows expressions, not statements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast

from ...errors import Diagnostic, Label, Span
from ...limits import current, reached
from ...model import address
from ...model.fields import PORTS
from ...model.interval import IntervalSet, together
from ...registry import names
from ..syntax import ast
from ..syntax.ast import Compare, Except, Expr, Not, Place, Set, Statement, String, Word, span_of
from ..syntax.mistakes import KEYWORDS, MAX_ERRORS, Fix, suggestion, too_many
from . import addresses, literals
from .literals import Mistake, short
from .spare import Spare
from .wording import brief, sayable, ways_of_except, ways_of_not

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


_PLAIN = re.compile(r"[^ \t\r\n\f\v{},#\"=<>!]+")  # a word, with nothing of punctuation
RESERVED = frozenset(KEYWORDS) | {"any", "none", "ipv4", "ipv6"}
NOUN = {"net": "a net", "ports": "ports", "service": "a service", "interface": "an interface"}


class Step(NamedTuple):
    """What reading a statement does besides its answer: a definition is read, or a name's mention is counted."""

    kind: Kind | Literal["mention"]
    name: str
    protocol: int | None = None  # for which ports are asked
    at: Place = ast.HERE  # of the word


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

    def __init__(
        self,
        missing: frozenset[str] = frozenset(),
        errors: Iterable[Diagnostic] = (),
        known: dict[str, IntervalSet] | None = None,
    ) -> None:
        self.errors: list[Diagnostic] = list(errors)
        self.missing = set(missing)  # names that may well be defined, by statements that could not be parsed
        self.names: dict[str, Name] = {}
        self.spare = Spare()
        self.file, self.line = "<none>", 1
        self._open: list[str] = []  # the definitions being evaluated
        self._depth = 0
        self._too_deep = False
        self._addresses = {} if known is None else known  # what is written out, by its words
        self._addresses.update(any=address.ALL, ipv4=address.V4, ipv6=address.V6)
        self._ports: dict[tuple[str, int | None], IntervalSet | None] = {}
        self._near: dict[tuple[str, str], list[str]] = {}
        self.interfaces: dict[str, list[Name]] | None = None  # that declarations hold, once asked for
        self.steps: list[Step] | None = None  # of the statement that is read, where somebody wants to know them
        self._stepping: tuple[str, int] | None = None  # that statement's place
        self._user: tuple[Span, int] | None = None  # who asked for the ports of a definition, and for which protocol

    def begin(self, file: str, line: int) -> None:
        """From here on places are relative to a statement at this line."""
        self.file, self.line = file, line

    @contextmanager
    def stepping(self) -> Iterator[list[Step]]:
        """Notes the steps of the statement that is read; those of the definitions that it uses are not its own."""
        steps: list[Step] = []
        self.steps, self._stepping = steps, (self.file, self.line)
        try:
            yield steps
        finally:
            self.steps = None

    def step(
        self, kind: Kind | Literal["mention"], name: str, protocol: int | None = None, at: Place = ast.HERE
    ) -> None:
        if self.steps is not None and self._stepping == (self.file, self.line):
            self.steps.append(Step(kind, name, protocol, at))

    def at(self, place: Place) -> Span:
        return span_of(place, self.file, self.line)

    def report(
        self,
        code: str,
        place: Place,
        message: str,
        label: str = "",
        help: str = "",
        labels: tuple[Label, ...] = (),
        fixes: Iterable[Fix] = (),
    ) -> None:
        """Adds a diagnostic, with the `fixes` as its suggestions; raises TooMany if there are too many already."""
        if len(self.errors) >= MAX_ERRORS:
            self.errors.append(too_many(self.file, self.line))
            raise TooMany
        message, label, help = (short(part, 400) for part in (message, label, help))
        ways = tuple(suggestion(fix, place, self.file, self.line) for fix in fixes)
        self.errors.append(Diagnostic(code, message, self.at(place), label, help, labels=labels, suggestions=ways))

    def mistake(self, error: Mistake, place: Place, labels: tuple[Label, ...] = ()) -> None:
        fixes = error.fixes if not (error.alone and self._depth) else ()
        self.report(error.code, place, error.message, error.label, error.help, labels, fixes)

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
        parts = [self.evaluate(item, how) for item in expr.items]
        if None in parts or not self._exceptions_apart(expr, how):
            return None
        known = cast("list[IntervalSet]", parts)
        union = together(known)
        if len(known) > 1 and union.size < sum(part.size for part in known):
            self.spare.note(
                (self.file, self.line), expr, known, self.names.__contains__, numbers=how.numbers is not None
            )
        return union

    def plain_set(self, expr: Set, *, beside_none: bool = False) -> bool:
        """Is the set one that everybody reads alike? A `not` among other elements lets in all that it does not name."""
        if not expr.items:
            self.report("FW017", expr.at, "the set is empty", "selects nothing", "name at least one element")
            return False
        if len(expr.items) > current().elements:
            raise reached("elements")
        if len(expr.items) == 1:
            return True
        for item in expr.items:
            if isinstance(item, Not):
                others = [i for i in expr.items if i is not item]
                if beside_none and all(isinstance(i, Word) and i.text == "none" for i in others):
                    continue
                message = "a `not` among other elements can be read in two ways"
                help = "write `not { a, b }` to leave out both, or put it into braces of its own"
                ways = ways_of_not(expr, item)
                if ways:
                    help = f"write `{ways[0]}` to leave out both, or `{ways[1]}` for all that it does not name"
                fixes = [(expr.at, way) for way in ways]
                self.report("FW024", item.at, message, "adds all that it does not name", help, fixes=fixes)
                return False
        return True

    def _exceptions_apart(self, expr: Set, how: Reading) -> bool:
        """Do no other elements touch what an `except` in a set speaks about? `{ any except a, b }` would mean any."""
        excepts = [item for item in expr.items if isinstance(item, Except)]
        if not excepts or len(expr.items) == 1:
            return True
        bases = [cast("IntervalSet", self.evaluate(e.base, how)) for e in excepts]
        plain = [self.evaluate(i, how) for i in expr.items if not isinstance(i, Except)]
        whole = together(bases)
        rest = together([part for part in plain if part is not None])
        if whole.isdisjoint(rest) and whole.size == sum(base.size for base in bases):
            return True
        message = "`except` among other elements can be read in two ways"
        help = "write `a except { b, c }` to leave out both, or put `a except b` into braces of its own"
        ways = ways_of_except(expr)
        if ways:
            help = f"write `{ways[0]}` to leave out both, or `{ways[1]}` to leave out one"
        fixes = [(expr.at, way) for way in ways]
        self.report("FW024", excepts[0].at, message, "does it reach over the comma?", help, fixes=fixes)
        return False

    def _difference(self, expr: Except, how: Reading) -> IntervalSet | None:
        if isinstance(expr.base, Not):
            a, b = brief(expr.base.term), brief(expr.excluded[0])
            ways = [f"not {{ {a}, {b} }}", f"not {{ {a} except {b} }}"]
            self.report(
                "FW024", expr.at, "`not` with `except` can be read in two ways", "which comes first?",
                f"write `{ways[0]}` or `{ways[1]}`", fixes=ways if len(expr.excluded) == 1 and sayable(ways) else (),
            )  # fmt: skip
            return None
        base, *parts = [self.evaluate(e, how) for e in (expr.base, *expr.excluded)]
        if base is None or any(p is None for p in parts):
            return None
        excluded = together(cast("list[IntervalSet]", parts))
        if len(parts) > 1 and excluded.size < sum(cast("IntervalSet", part).size for part in parts):
            a, b, c = brief(expr.base), brief(expr.excluded[0]), brief(expr.excluded[1])
            ways = [f"{a} except {{ {b}, {c} }}", f"{a} except {{ {b} except {c} }}"]
            self.report(
                "FW024", expr.at, "two overlapping `except` can be read in two ways", "an exception from the exception?",
                f"write `{ways[0]}` or `{ways[1]}`", fixes=ways if len(expr.excluded) == 2 and sayable(ways) else (),
            )  # fmt: skip
            return None
        return self._not_empty(base - excluded, expr)

    def _not_empty(self, found: IntervalSet, expr: Expr) -> IntervalSet | None:
        if found:
            return found
        self.report(
            "FW128",
            cast("Not | Except", expr).at,
            f"`{brief(expr)}` is empty",
            "nothing is left",
            "the condition could never hold",
        )
        return None

    def no_commas(self, word: Word | String) -> str:
        """The text of a word that is not a list."""
        if isinstance(word, Word) and "," in word.text:
            plain = word.text.strip("[]()")
            plain = plain.lower() if plain.isupper() and plain.replace(",", "").isalpha() else plain
            whole = "{ " + plain.replace(",", ", ") + " }"
            help = f"write `{whole if len(whole) < 60 else '{ a, b }'}`"
            raise Mistake("FW020", "several values stand in braces", "outside a set", help, whole)
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
        self.mention(entry, word.at)
        return entry

    def mention(self, entry: Name, at: Place) -> None:
        entry.mentions.add((self.file, self.line, at))
        self.step("mention", entry.content.name.text, at=at)

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

    def near(self, word: str, kind: Kind, more: Sequence[str] = ()) -> list[str]:
        """The name of this kind that is nearly the word, if there is one."""
        key = (word, kind)
        if key not in self._near:
            known = [n for n, e in self.names.items() if e.content.kind == kind]
            self._near[key] = names.near(word, [*known, *more]) if len(word) < 80 else []
        return self._near[key]

    def nearer(self, error: Mistake, word: str, kind: Kind) -> None:
        """A name that the policy defines is meant rather than one of a standard table."""
        near = self.near(word, kind)
        if near:
            error.help, error.fixes, error.alone = f"did you mean `{near[0]}`?", tuple(near), False

    def quoted(self, code: str, word: String, what: str) -> None:
        """Tells of a text in quotes where a plain word stands."""
        fixes = [word.text] if _PLAIN.fullmatch(word.text) else []
        message, help = f"{what} stands without quotes", f"write `{short(word.text)}`"
        self.report(code, word.at, message, "a text in quotes", help, fixes=fixes)

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
            self.quoted("FW104", word, "an address")
            return None
        known = self._addresses.get(word.text)
        if known is not None:
            return known
        entry = self.named(word, "net")
        if entry is not None:
            return self.net_of(entry)
        if self.skipped(word, "net"):
            return None
        if literals.is_name(word.text):
            host = "host names are not looked up: " if "." in word.text else ""
            otherwise = f"{host}define it with `net {short(word.text)} = …`"
            near = self.near(word.text, "net", ["any", "ipv4", "ipv6"])
            message = f"no address or name `{short(word.text)}`"
            self.mistake(literals.meant("FW101", message, "not defined", near, otherwise), word.at)
            return None
        found = self.one(word, addresses.literal)
        if found is not None:
            self._addresses[word.text] = found
        return found

    def net_of(self, entry: Name) -> IntervalSet | None:
        """The value of a `net` definition."""
        self.step("net", entry.content.name.text)
        return self.defined(entry, lambda: self.addresses(entry.content.value))

    # Ports

    def ports(self, expr: Expr, protocol: int | None) -> IntervalSet | None:
        """Port numbers; names mean what they mean for the protocol, or, for None, for any."""
        return self.evaluate(
            expr, Reading(PORTS, lambda word: self.port_word(word, protocol), Numbers("port", 65535, "FW111"))
        )

    def port_word(self, word: Word | String, protocol: int | None) -> IntervalSet | None:
        if isinstance(word, String):
            self.quoted("FW112", word, "a port")
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
                        "FW112", "`any` is not a port", "without a condition every port matches", "leave out `port any`"
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
            self.nearer(error, word.text, "ports")
        elif error.code == "FW113" and self._user is not None:
            labels = (Label(self._user[0], f"used for {names.protocol_name(self._user[1])} here"),)
        self.mistake(error, word.at, labels)

    def ports_of(self, entry: Name, protocol: int | None, user: Word | None = None) -> IntervalSet | None:
        """The value of a `ports` definition for a protocol: kept for each."""
        key = (entry.content.name.text, protocol)
        self.step("ports", key[0], protocol, user.at if user is not None else ast.HERE)
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
