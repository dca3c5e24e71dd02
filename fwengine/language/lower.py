"""Syntax tree -> policy: names are resolved, words become sets, statements become rules and claims.

All mistakes of a policy are collected; what depends on a mistake already told is passed over in silence, so that each
is told once. Files are read through a function given by the caller: this module does no I/O.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from .. import address
from ..box import Box
from ..errors import Diagnostic, Label, PacketError, PolicyError, Span
from ..header import (
    BYTE,
    CODE,
    DPORT,
    DST,
    FLAGS,
    FRAGMENT,
    FRAGMENTS,
    FULL,
    ICMP,
    ICMPV6,
    IN,
    INTERFACE_BYTES,
    OUT,
    PORT_PROTOCOLS,
    PORTS,
    PRESENT,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    STATES,
    TCP,
    TYPE,
    Packet,
    interface_number,
)
from ..interval import EMPTY, IntervalSet
from ..policy import Action, Definition, Expectation, Policy, Rule
from . import ast, names, values
from .ast import Compare, End, Except, Expr, Match, Not, Option, Place, Set, Statement, String, Word, WrittenPacket
from .parser import span_of
from .printer import show, show_match, show_packet
from .values import Mistake

Kind = Literal["net", "ports", "service"]
WordReader = Callable[[Word | String], "IntervalSet | None"]
Groups = dict[int, "IntervalSet | None"]  # for each protocol the destination ports a service gives it; None for none

_RESERVED = frozenset(
    "any none default allow deny net ports service include expect from to port except by not as established log flags "
    "type code fragment in out state until".split()
)
_NOUN = {"net": "a net", "ports": "ports", "service": "a service"}
_ICMP = frozenset({ICMP, ICMPV6})


@dataclass
class _Name:
    """A definition under way: `value` is kept once known; `busy` finds circles."""

    statement: Statement
    content: ast.Definition
    uses: int = 0
    busy: bool = False
    value: IntervalSet | None = None
    known: bool = False


def lower(
    statements: Sequence[Statement],
    *,
    name: str,
    as_of: datetime.date,
    sources: dict[str, str],
    spoilt: frozenset[str] = frozenset(),
    errors: Iterable[Diagnostic] = (),
) -> Policy:
    """The policy that the statements of a file, includes already put in their places, mean.

    Args:
        spoilt: words of statements that could not be parsed: a name among them may well be defined.
        errors: diagnostics found before, to be told together with those found here.

    Raises:
        PolicyError: with all diagnostics.
    """
    lowering = Lowering(spoilt, errors)
    lowering.collect(statements)
    rules, default = lowering.rules(statements)
    lowering.check_definitions()
    expectations = lowering.expectations(statements, rules)
    definitions = lowering.definitions()
    if lowering.errors:
        raise PolicyError(_ordered(lowering.errors), sources)
    return Policy(tuple(rules), default, as_of, name, tuple(expectations), definitions, sources)


def lower_region(match: Match, policy: Policy | None, scope: Lowering, file: str, text: str) -> tuple[Box, ...]:
    """The boxes of a region asked on the command line, with the names of a policy's text in scope.

    Raises:
        PolicyError: pointing into the region.
    """
    scope.begin(file, 1)
    scope.errors = []
    boxes = scope.match(match, "a region", _REGION_OPTIONS)
    if boxes is None or scope.errors:
        raise PolicyError(_ordered(scope.errors), {file: text})
    return boxes


def lower_packet(written: WrittenPacket, file: str, text: str) -> Packet:
    """The packet that a written one means.

    Raises:
        PolicyError: pointing into the text.
    """
    scope = Lowering()
    scope.begin(file, 1)
    packet = scope.packet(written)
    if packet is None or scope.errors:
        raise PolicyError(_ordered(scope.errors), {file: text})
    return packet


def _ordered(errors: Iterable[Diagnostic]) -> list[Diagnostic]:
    return list(dict.fromkeys(errors))


_REGION_OPTIONS = frozenset({"established", "flags", "type", "code", "fragment", "in", "out", "state"})
_RULE_OPTIONS = _REGION_OPTIONS | {"until", "log", "as"}
_PACKET_OPTIONS = _REGION_OPTIONS - {"established"}


class Lowering:
    """The names in scope and the mistakes found so far."""

    def __init__(self, spoilt: frozenset[str] = frozenset(), errors: Iterable[Diagnostic] = ()) -> None:
        self.errors: list[Diagnostic] = list(errors)
        self.spoilt = spoilt
        self.names: dict[str, _Name] = {}
        self.file, self.line = "<none>", 1
        self._addresses: dict[str, IntervalSet] = {"any": address.ALL}
        self._ports: dict[tuple[str, int | None], IntervalSet | None] = {}
        self._protocols: dict[str, int] = {}
        self._services: dict[str, Groups | None] = {}

    def begin(self, file: str, line: int) -> None:
        """From here on places are relative to a statement at this line."""
        self.file, self.line = file, line

    def at(self, place: Place) -> Span:
        return span_of(place, self.file, self.line)

    def report(self, code: str, place: Place, message: str, label: str = "", help: str = "", labels: tuple[Label, ...] = ()) -> None:
        self.errors.append(Diagnostic(code, message, self.at(place), label, help, labels=labels))

    def mistake(self, error: Mistake, place: Place) -> None:
        self.report(error.code, place, error.message, error.label, error.help)

    # Statements

    def collect(self, statements: Sequence[Statement]) -> None:
        """Puts every definition into scope; their order does not matter."""
        for statement in statements:
            content = statement.content
            if not isinstance(content, ast.Definition):
                continue
            self.begin(statement.span.file, statement.span.line)
            word = content.name
            known = self.names.get(word.text)
            if word.text in _RESERVED or _fixed(content.kind, word.text):
                self.report("FW129", word.at, f"`{word.text}` has a fixed meaning", "cannot be defined", "choose another name")
            elif not values.is_name(word.text):
                self.report("FW134", word.at, f"`{word.text}` is no name", "expected a letter, then letters, digits, `_`, `-`, `.`")
            elif known is not None:
                first = Label(known.statement.span, "first defined here")
                self.report("FW102", word.at, f"`{word.text}` is defined twice", "defined again", "rename one of them", (first,))
            else:
                self.names[word.text] = _Name(statement, content)

    def rules(self, statements: Sequence[Statement]) -> tuple[list[Rule], Action]:
        rules: list[Rule] = []
        default: Statement | None = None
        named: dict[str, Span] = {}
        action = Action.DENY
        for statement in statements:
            content = statement.content
            self.begin(statement.span.file, statement.span.line)
            if isinstance(content, ast.Rule):
                rule = self.rule(content, statement.span)
                if rule is None:
                    continue
                if rule.name is not None:
                    if rule.name in named:
                        place = next(o.at for o in content.match.options if o.name == "as")
                        first = Label(named[rule.name], "first used here")
                        self.report("FW126", place, f"two rules are called `{rule.name}`", "used again", "rename one", (first,))
                    named.setdefault(rule.name, statement.span)
                rules.append(rule)
            elif isinstance(content, ast.Default):
                if default is not None:
                    first = Label(default.span, "first stated here")
                    here = (1, statement.span.column, 1, statement.span.end_column)
                    self.report("FW023", here, "the default is stated twice", "stated again", "keep one of them", (first,))
                default, action = statement, Action(content.action)
        return rules, action

    def rule(self, content: ast.Rule, span: Span) -> Rule | None:
        match = content.match
        boxes = self.match(match, "a rule", _RULE_OPTIONS)
        name, until, log = None, None, False
        for option in match.options:
            if option.name == "log":
                log = True
            elif option.name == "as":
                word = cast("Word", option.value)
                name = word.text
                if name in _RESERVED or not values.is_name(name):
                    self.report("FW134", word.at, f"`{name}` cannot name a rule", "expected a letter, then letters, digits, `_`, `-`, `.`")
            elif option.name == "until":
                word = cast("Word", option.value)
                try:
                    until = values.date(word.text)
                except Mistake as error:
                    self.mistake(error, word.at)
        if boxes is None:
            return None
        return Rule(Action(content.action), boxes, name, until, log, span, _written(match))

    def check_definitions(self) -> None:
        """Tells the mistakes also of definitions that nothing uses."""
        for entry in list(self.names.values()):
            self.begin(entry.statement.span.file, entry.statement.span.line)
            kind, value = entry.content.kind, entry.content.value
            if kind == "net":
                self._defined(entry, lambda v=value: self.addresses(v))  # type: ignore[misc]  # a default freezes the variable
            elif kind == "ports":
                if not entry.uses:
                    self._ports_of(entry, None)
            else:
                self._service(entry)

    def definitions(self) -> tuple[Definition, ...]:
        return tuple(Definition(e.content.kind, n, e.statement.span, e.uses) for n, e in self.names.items())

    def expectations(self, statements: Sequence[Statement], rules: Sequence[Rule]) -> list[Expectation]:
        labels = {rule.label for rule in rules} | {"default"}
        out = []
        for statement in statements:
            content = statement.content
            if not isinstance(content, ast.Expect):
                continue
            self.begin(statement.span.file, statement.span.line)
            packet, boxes = None, None
            if isinstance(content.subject, WrittenPacket):
                text = show_packet(content.subject)
                packet = self.packet(content.subject)
                if packet is not None:
                    boxes = (Box.around(packet),)
            else:
                text = show_match(content.subject)
                boxes = self.match(content.subject, "an expectation", _REGION_OPTIONS)
            by = content.by
            if by is not None and by.text not in labels and self.spoilt.isdisjoint((by.text, "*")):
                meant = names.near(by.text, sorted(labels))
                help = f"did you mean `{meant[0]}`?" if meant else "give the rule a name with `as`"
                self.report("FW130", by.at, f"no rule is called `{by.text}`", "unknown rule", help)
            if boxes is not None:
                claim = Expectation(Action(content.action), boxes, by.text if by else None, text, packet, statement.span)
                out.append(claim)
        return out

    # Matches

    def match(self, match: Match, what: str, allowed: frozenset[str]) -> tuple[Box, ...] | None:
        """The boxes of a match; None, with the mistakes reported, if it has no meaning."""
        before = len(self.errors)
        options = {option.name: option for option in match.options}
        for option in match.options:
            if option.name not in allowed:
                self.report("FW019", option.at, f"{what} takes no `{option.name}`", "only rules have it", "remove it")
        groups = self.protocols(match.protocol)
        conditions: dict[int, IntervalSet | None] = {}
        for field, end in ((SRC, match.source), (DST, match.target)):
            if end is not None:
                conditions[field] = self.addresses(end.addresses)
        for field, name in ((IN, "in"), (OUT, "out")):
            if name in options:
                conditions[field] = self.evaluate(cast("Expr", options[name].value), PRESENT[field], self._interface)  # type: ignore[index]  # a literal
        if "state" in options:
            conditions[STATE] = self._choice(options["state"], STATES, "state", "FW123")
        if "fragment" in options:
            conditions[FRAGMENT] = self._choice(options["fragment"], FRAGMENTS, "fragment", "FW122")
        by_protocol = self._by_protocol(match, options, groups)
        flags = self._flags(match, options, groups)
        if flags is not None:
            conditions[FLAGS] = flags
        if groups is None or by_protocol is None or len(self.errors) > before or None in conditions.values():
            return None
        known = cast("dict[int, IntervalSet]", conditions)
        if not self._share_family(match, known):
            return None
        return tuple(Box.of({PROTOCOL: protocols, **known, **extra}) for extra, protocols in by_protocol)

    def _by_protocol(
        self, match: Match, options: dict[ast.OptionName, Option], groups: Groups | None
    ) -> list[tuple[dict[int, IntervalSet], IntervalSet]] | None:
        """The conditions whose meaning depends on the protocol, with the protocols for which they are the same."""
        asked: list[tuple[int, Expr]] = []
        for field, end in ((SPORT, match.source), (DPORT, match.target)):
            if end is not None and end.ports is not None:
                asked.append((field, end.ports))
        for field, name in ((TYPE, "type"), (CODE, "code")):
            if name in options:
                asked.append((field, cast("Expr", options[name].value)))  # type: ignore[index]  # a literal
        if groups is None:  # the protocol is unknown, but mistakes in the rest can still be told
            for field, expr in asked:
                if field in (SPORT, DPORT):
                    self.ports(expr, None)
            return None
        if not asked and all(ports is None for ports in groups.values()):
            whole = FULL[PROTOCOL] if len(groups) == 256 else IntervalSet.union((p, p) for p in groups)
            return [({}, whole)]
        if not self._fields_exist(match, asked, groups):
            return None
        found: dict[tuple[tuple[int, IntervalSet], ...], list[int]] = {}
        failed = False
        for protocol, service in groups.items():
            extra: dict[int, IntervalSet] = {} if service is None else {DPORT: service}
            for field, expr in asked:
                value = self.ports(expr, protocol) if field in (SPORT, DPORT) else self._icmp(field, expr, protocol, extra)
                failed = failed or value is None
                extra[field] = value or EMPTY
            found.setdefault(tuple(sorted(extra.items(), key=lambda item: item[0])), []).append(protocol)
        if failed:
            return None
        return [(dict(extra), IntervalSet.union((p, p) for p in protocols)) for extra, protocols in found.items()]

    def _fields_exist(self, match: Match, asked: list[tuple[int, Expr]], groups: Groups) -> bool:
        """Reports conditions on fields that the protocols do not have."""
        good = True
        said = show(match.protocol)
        for field, expr in asked:
            if field in (SPORT, DPORT):
                without = [p for p in groups if p not in PORT_PROTOCOLS]
                if without:
                    good = False
                    which = f"`{said}`" if len(without) > 9 or said == "any" else " and ".join(map(_protocol_named, without[:3]))
                    help = "write `{ tcp, udp }` for both, or `tcp` or `udp`"
                    if not _ICMP.isdisjoint(without) and len(without) < 3:
                        help = "icmp has `type` and `code`"
                    verb = "have" if len(without) > 1 and "and" in which else "has"
                    self.report("FW114", expr.at, f"{which} {verb} no ports", "a port needs tcp, udp, sctp, dccp or udplite", help)
                elif field == DPORT and any(ports is not None for ports in groups.values()):
                    good = False
                    self.report("FW133", expr.at, f"service `{said}` says the destination port already", "said again", "leave one out")
            elif any(p not in _ICMP for p in groups):
                good = False
                word = "type" if field == TYPE else "code"
                self.report("FW118", expr.at, f"`{said}` has no `{word}`", "only icmp and icmpv6 have", "write `icmp` or `icmpv6`")
        return good

    def _flags(self, match: Match, options: dict[ast.OptionName, Option], groups: Groups | None) -> IntervalSet | None:
        chosen: IntervalSet | None = None
        for name in ("established", "flags"):
            option = options.get(name)  # type: ignore[call-overload]  # a literal
            if option is None:
                continue
            if groups is not None and set(groups) != {TCP}:
                self.report("FW120", option.at, f"`{show(match.protocol)}` has no tcp flags", "only tcp has", "write `tcp`, in a rule of its own")
                continue
            value = values.ESTABLISHED if name == "established" else self.evaluate(option.value, BYTE, self._flag_test)
            if value is not None:
                chosen = value if chosen is None else chosen & value
                if not chosen:
                    self.report("FW128", option.at, "no flags satisfy both conditions", "selects nothing")
        return chosen

    def _share_family(self, match: Match, conditions: dict[int, IntervalSet]) -> bool:
        src, dst = conditions.get(SRC, address.ALL), conditions.get(DST, address.ALL)
        if any(src & family and dst & family for family in (address.V4, address.V6)):
            return True
        place = ast.cover(cast("End", match.source).at, cast("End", match.target).at)
        a, b = ("IPv4" if src & address.V4 else "IPv6" for src in (src, dst))
        self.report("FW117", place, "source and destination share no family", f"{a} here, {b} there", "no packet has both: split the rule")
        return False

    # Expressions

    def evaluate(self, expr: Expr | None, universe: IntervalSet, word: WordReader, numbers: tuple[int, int] | None = None) -> IntervalSet | None:
        """The set an expression stands for, within a universe; `numbers` (field, top) allows comparisons."""
        if isinstance(expr, Word | String):
            return word(expr)
        if isinstance(expr, Set):
            return self._union(expr, universe, word, numbers)
        if isinstance(expr, Not):
            inner = self.evaluate(expr.term, universe, word, numbers)
            return None if inner is None else self._not_empty(universe - inner, expr.at, show(expr))
        if isinstance(expr, Except):
            parts = [self.evaluate(e, universe, word, numbers) for e in (expr.base, *expr.excluded)]
            if any(p is None for p in parts):
                return None
            left = cast("IntervalSet", parts[0])
            for part in parts[1:]:
                left -= cast("IntervalSet", part)
            return self._not_empty(left, expr.at, show(expr))
        assert isinstance(expr, Compare)
        if numbers is None:
            self.report("FW132", expr.at, f"`{expr.operator}` compares numbers only", "no numbers here", "list the values")
            return None
        field, top = numbers
        try:
            value = values.number(expr.word.text, top, "port" if field in (SPORT, DPORT) else "number", "FW111" if top > 255 else "FW116")
            return values.compared(expr.operator, expr.word.text, value, top)
        except Mistake as error:
            self.mistake(error, expr.at if error.code in ("FW132", "FW128") else expr.word.at)
            return None

    def _union(self, expr: Set, universe: IntervalSet, word: WordReader, numbers: tuple[int, int] | None) -> IntervalSet | None:
        if not expr.items:
            self.report("FW017", expr.at, "the set is empty", "selects nothing", "name at least one element, or `any`")
            return None
        pairs: list[tuple[int, int]] = []
        good = True
        for item in expr.items:
            part = self.evaluate(item, universe, word, numbers)
            if part is None:
                good = False
            else:
                pairs += part.ranges
        return IntervalSet.union(pairs) if good else None

    def _not_empty(self, found: IntervalSet, place: Place, text: str) -> IntervalSet | None:
        if not found:
            self.report("FW128", place, f"`{text if len(text) < 60 else text[:57] + '…'}` is empty", "nothing is left", "the condition could never hold")
            return None
        return found

    # Addresses

    def addresses(self, expr: Expr) -> IntervalSet | None:
        if isinstance(expr, Word):
            known = self._addresses.get(expr.text)
            if known is not None:
                return known
        return self.evaluate(expr, address.ALL, self._address_word)

    def _address_word(self, word: Word | String) -> IntervalSet | None:
        if isinstance(word, String):
            self.report("FW104", word.at, "an address stands without quotes", "a text in quotes", f"write `{word.text}`")
            return None
        known = self._addresses.get(word.text)
        if known is not None:
            return known
        entry = self._named(word, "net")
        if entry is not None:
            return self._defined(entry, lambda: self.addresses(entry.content.value), word)
        if self._skipped(word, "net"):
            return None
        try:
            if not any(c in word.text for c in ".:/") and values.is_name(word.text):
                self._undefined(word, "net", "FW101", "address or name", "define it with `net`")
                return None
            if values.is_name(word.text) and word.text not in ("any",) and not word.text[0].isdigit() and ":" not in word.text:
                self._undefined(word, "net", "FW101", "address or name", "host names are not looked up: define it with `net`")
                return None
            found = values.addresses(self._comma(word))
        except Mistake as error:
            self.mistake(error, word.at)
            return None
        self._addresses[word.text] = found
        return found

    def _comma(self, word: Word) -> str:
        if "," in word.text:
            raise Mistake("FW020", "several values stand in braces", "outside a set", "write `{ " + ", ".join(word.text.split(",")) + " }`")
        return word.text

    def _named(self, word: Word, kind: Kind) -> _Name | None:
        """The definition of a name if it is of this kind; its use is counted."""
        entry = self.names.get(word.text)
        if entry is None or entry.content.kind != kind:
            return None
        entry.uses += 1
        return entry

    def _skipped(self, word: Word, kind: Kind) -> bool:
        """Is nothing more to be said about a word: told here, or part of what could not be parsed?"""
        entry = self.names.get(word.text)
        if entry is not None and entry.content.kind != kind:
            wanted, got = _NOUN[kind], _NOUN[entry.content.kind]
            label = Label(entry.statement.span, "defined here")
            self.report("FW127", word.at, f"`{word.text}` is {got}, not {wanted}", f"expected {wanted}", labels=(label,))
            return True
        return entry is None and (word.text in self.spoilt or "*" in self.spoilt) and values.is_name(word.text)

    def _undefined(self, word: Word, kind: Kind, code: str, noun: str, else_help: str) -> None:
        known = [n for n, e in self.names.items() if e.content.kind == kind]
        meant = names.near(word.text, known) or ([] if kind != "net" else names.near(word.text, ["any"]))
        help = f"did you mean `{meant[0]}`?" if meant else else_help
        self.report(code, word.at, f"no {noun} `{word.text}`", "not defined", help)

    def _defined(self, entry: _Name, compute: Callable[[], IntervalSet | None], user: Word | None = None) -> IntervalSet | None:
        """The value of a definition, computed once, in the place where it is written."""
        if entry.known:
            return entry.value
        if entry.busy:
            name = entry.content.name
            here = self.file, self.line
            self.begin(entry.statement.span.file, entry.statement.span.line)
            label = f"goes back to itself through `{user.text}`" if user and user.text != name.text else "refers to itself"
            self.report("FW103", name.at, f"`{name.text}` is defined in a circle", label, "write the addresses or ports themselves in one of them")
            self.begin(*here)
            return None
        entry.busy = True
        here = self.file, self.line
        self.begin(entry.statement.span.file, entry.statement.span.line)
        entry.value = compute()
        self.begin(*here)
        entry.busy, entry.known = False, True
        return entry.value

    # Ports

    def ports(self, expr: Expr, protocol: int | None) -> IntervalSet | None:
        """Port numbers; names mean what they mean for the protocol, or, for None, for any."""
        return self.evaluate(expr, PORTS, lambda word: self._port_word(word, protocol), (DPORT, 65535))

    def _port_word(self, word: Word | String, protocol: int | None) -> IntervalSet | None:
        if isinstance(word, String):
            self.report("FW112", word.at, "a port stands without quotes", "a text in quotes", f"write `{word.text}`")
            return None
        key = (word.text, protocol)
        if key in self._ports and self._ports[key] is not None:
            entry = self.names.get(word.text)
            if entry is not None:
                entry.uses += 1
            return self._ports[key]
        entry = self._named(word, "ports")
        if entry is not None:
            return self._ports_of(entry, protocol, word)
        if self._skipped(word, "ports"):
            return None
        try:
            if word.text == "any":
                raise Mistake("FW112", "`any` is no port", "without a condition every port matches", "leave out `port any`")
            found = values.port_literal(self._comma(word))
            if found is None:
                found = self._named_ports(word, protocol)
        except Mistake as error:
            self.mistake(error, word.at)
            return None
        self._ports[key] = found
        return found

    def _named_ports(self, word: Word, protocol: int | None) -> IntervalSet:
        try:
            return values.named_ports(word.text, protocol)
        except Mistake as error:
            if error.code == "FW112":
                meant = names.near(word.text, [n for n, e in self.names.items() if e.content.kind == "ports"])
                if meant:
                    raise Mistake(error.code, error.message, error.label, f"did you mean `{meant[0]}`?") from None
            raise

    def _ports_of(self, entry: _Name, protocol: int | None, user: Word | None = None) -> IntervalSet | None:
        """The value of a `ports` definition for a protocol: kept for each."""
        key = (entry.content.name.text, protocol)
        if key in self._ports:
            return self._ports[key]
        entry.known = False
        value = self._defined(entry, lambda: self.ports(entry.content.value, protocol), user)
        self._ports[key] = value
        return value

    # Protocols and services

    def protocols(self, expr: Expr) -> Groups | None:
        """The protocols an expression selects, each with the destination ports that a service adds."""
        if isinstance(expr, Word):
            return self._protocol_word(expr)
        if isinstance(expr, Set):
            if not expr.items:
                self.report("FW017", expr.at, "the set is empty", "selects nothing", "name at least one protocol, or `any`")
                return None
            parts = [self.protocols(item) for item in expr.items]
            return None if any(p is None for p in parts) else _joined(cast("list[Groups]", parts))
        plain = self.evaluate(expr, FULL[PROTOCOL], self._plain_protocol, None)
        return None if plain is None else {p: None for lo, hi in plain for p in range(lo, hi + 1)}

    def _plain_protocol(self, word: Word | String) -> IntervalSet | None:
        """Within `not` and `except` only whole protocols: what is not a port of tcp is not a set of ports."""
        if isinstance(word, String):
            groups = self.protocols(word)
        else:
            groups = self._protocol_word(word)
        if groups is None:
            return None
        if any(ports is not None for ports in groups.values()):
            self.report("FW133", word.at, f"`{word.text}` has ports", "only whole protocols here", "put the exception into a rule of its own before this one")
            return None
        return IntervalSet.union((p, p) for p in groups)

    def _protocol_word(self, word: Word) -> Groups | None:
        if word.text == "any":
            return dict.fromkeys(range(256))
        known = self._protocols.get(word.text)
        if known is not None:
            return {known: None}
        entry = self._named(word, "service")
        if entry is not None:
            return self._service(entry, word)
        if self._skipped(word, "service"):
            return None
        try:
            protocol_text, slash, ports_text = self._comma(word).partition("/")
            if slash:
                return self._inline_service(word, protocol_text, ports_text)
            self._protocols[word.text] = number = values.protocol(word.text)
            return {number: None}
        except Mistake as error:
            help = error.help
            if error.code == "FW115":
                meant = names.near(word.text, [n for n, e in self.names.items() if e.content.kind == "service"])
                help = f"did you mean `{meant[0]}`?" if meant else help
            self.report(error.code, word.at, error.message, error.label, help)
            return None

    def _inline_service(self, word: Word, protocol_text: str, ports_text: str) -> Groups | None:
        protocol = values.protocol(protocol_text)
        line, column, end_line, end = word.at
        if protocol not in PORT_PROTOCOLS:
            help = "write `icmp` with the option `type`" if protocol in _ICMP else f"write `{protocol_text}` alone"
            raise Mistake("FW114", f"`{protocol_text}` has no ports", "a service is PROTOCOL/PORTS", help)
        if not ports_text:
            raise Mistake("FW133", f"`{word.text}` has no port", "a service is PROTOCOL/PORTS", "for example `tcp/https`")
        place = (line, column + len(protocol_text) + 1, end_line, end)
        ports = self._port_word(Word(ports_text, place), protocol)
        return None if ports is None else {protocol: ports}

    def _service(self, entry: _Name, user: Word | None = None) -> Groups | None:
        """The value of a `service`, encoded for `_defined` and its circles: kept beside it."""
        name = entry.content.name.text
        if name not in self._services:
            held: list[Groups | None] = []

            def compute() -> IntervalSet | None:
                held.append(self.protocols(entry.content.value))
                return EMPTY

            if self._defined(entry, compute, user) is None and not held:
                return None
            self._services[name] = held[0] if held else None
        return self._services[name]

    # ICMP, flags, fragments, states, interfaces

    def _icmp(self, field: int, expr: Expr, protocol: int, extra: dict[int, IntervalSet]) -> IntervalSet | None:
        def word(item: Word | String) -> IntervalSet | None:
            noun = "type" if field == TYPE else "code"
            try:
                if values.looks_numeric(item.text):
                    return IntervalSet.single(values.number(item.text, 255, noun, "FW119"))
                if "-" in item.text and item.text.replace("-", "", 1).isdecimal():
                    lo, hi = (values.number(part, 255, noun, "FW119") for part in item.text.split("-"))
                    if lo > hi:
                        raise Mistake("FW107", f"`{item.text}` is reversed", "the first end is larger", f"write `{hi}-{lo}`")
                    return IntervalSet(((lo, hi),))
                kinds = extra.get(TYPE, EMPTY)
                kind = kinds.lo if kinds.size == 1 else None
                found = names.icmp_type(protocol, item.text) if field == TYPE else names.icmp_code(protocol, kind, item.text)
                if found is None:
                    what = names.protocol_name(protocol)
                    raise Mistake("FW119", f"{what} has no {noun} `{item.text}`", f"unknown {noun}", _icmp_help(field, protocol, item.text))
                return IntervalSet.single(found)
            except Mistake as error:
                self.mistake(error, item.at)
                return None

        return self.evaluate(expr, BYTE, word, (field, 255))

    def _flag_test(self, word: Word | String) -> IntervalSet | None:
        try:
            return values.flag_test(word.text)
        except Mistake as error:
            self.mistake(error, word.at)
            return None

    def _choice(self, option: Option, choices: Sequence[str], noun: str, code: str) -> IntervalSet | None:
        def word(item: Word | String) -> IntervalSet | None:
            if item.text in choices:
                return IntervalSet.single(choices.index(item.text))
            meant = names.near(item.text, choices)
            help = f"did you mean `{meant[0]}`?" if meant else "expected " + ", ".join(f"`{c}`" for c in choices)
            self.report(code, item.at, f"no {noun} is called `{item.text}`", f"unknown {noun}", help)
            return None

        return self.evaluate(option.value, FULL[STATE if noun == "state" else FRAGMENT], word)

    def _interface(self, word: Word | String) -> IntervalSet | None:
        if isinstance(word, Word):
            if word.text == "none":
                return IntervalSet.single(0)
            if word.text == "any":
                self.report("FW125", word.at, "`any` is no interface", "ambiguous", "leave the option out; `not none` asks for a recorded one")
                return None
            if "," in word.text:
                self.report("FW020", word.at, "several values stand in braces", "outside a set", "write `{ a, b }`")
                return None
        elif not word.text:
            self.report("FW125", word.at, "an interface has a name", "empty", "write `none` for an interface that is not recorded")
            return None
        try:
            return IntervalSet.single(interface_number(word.text))
        except PacketError:
            self.report("FW125", word.at, "the interface name is too long", f"at most {INTERFACE_BYTES} bytes")
            return None

    # Packets

    def packet(self, written: WrittenPacket) -> Packet | None:
        """A written packet; None, with the mistakes reported, if it is none."""
        before = len(self.errors)
        protocol = self._one_protocol(written.protocol)
        ends = [self._endpoint(word, protocol) for word in (written.source, written.target)]
        chosen: dict[str, object] = {}
        for option in written.options:
            if option.name not in _PACKET_OPTIONS:
                help = "write `flags ack`" if option.name == "established" else "remove it"
                self.report("FW019", option.at, f"a packet takes no `{option.name}`", "not part of a packet", help)
            elif protocol is not None:
                self._packet_option(option, protocol, chosen)
        if len(self.errors) > before or protocol is None or ends[0] is None or ends[1] is None:
            return None
        (src, sport), (dst, dport) = ends[0], ends[1]
        if address.family_of(src) != address.family_of(dst):
            self.report("FW117", ast.cover(written.source.at, written.target.at), "source and destination share no family", "no packet has both")
            return None
        optional: dict[str, object] = {"sport": sport, "dport": dport, **chosen}
        try:
            return Packet(
                address.family_of(src), protocol, address.to_value(src), address.to_value(dst), **optional  # type: ignore[arg-type]  # validated by Packet
            )  # fmt: skip
        except PacketError as error:
            help = "`icmp` is IPv4's, `icmpv6` is IPv6's" if protocol in _ICMP else ""
            self.report("FW131", written.at, str(error).partition(":")[0], "no such packet", help)
            return None

    def _one_protocol(self, word: Word) -> int | None:
        try:
            if word.text == "any":
                raise Mistake("FW115", "a packet has one protocol", "`any` is many", "for many packets write a region: `any from … to …`")
            return values.protocol(word.text)
        except Mistake as error:
            self.mistake(error, word.at)
            return None

    def _endpoint(self, word: Word, protocol: int | None) -> tuple[int, int | None] | None:
        """An address with or without a port: `1.2.3.4:80`, `[2001:db8::1]:53`, `2001:db8::1`."""
        text, line, column = word.text, word.at[0], word.at[1]
        port_text = ""
        if text.startswith("["):
            host, bracket, rest = text[1:].partition("]")
            if not bracket or (rest and not rest.startswith(":")) or ":" not in host:
                self.report("FW131", word.at, f"`{text}` is no endpoint", "expected `[IPV6]:PORT`")
                return None
            port_text, begin = rest[1:], column + len(host) + 3
            missing = rest == ":"
        elif text.count(":") == 1:
            host, _, port_text = text.partition(":")
            begin, missing = column + len(host) + 1, not port_text
        else:
            host, begin, missing = text, column, False
        if missing:
            self.report("FW131", word.at, f"`{text}` ends in a colon", "expected a port behind it", f"write `{host}` to leave it open")
            return None
        try:
            point = values.addresses(host).lo if "/" not in host and "-" not in host else None
        except Mistake as error:
            if self.names.get(host) is not None or values.is_name(host):
                error = Mistake("FW131", f"`{host}` is no address", "a packet has addresses", "for many packets write a region: `tcp from … to …`")
            self.mistake(error, (line, column, line, column + len(text)))
            return None
        if point is None:
            self.report("FW131", word.at, f"`{host}` is no single address", "a packet has one", "for many packets write a region: `tcp from … to …`")
            return None
        if not port_text:
            return point, None
        place = (line, begin, line, begin + len(port_text))
        if protocol is not None and protocol not in PORT_PROTOCOLS:
            self.report("FW114", place, f"{_protocol_named(protocol)} has no ports", "a port needs tcp, udp, sctp, dccp or udplite")
            return None
        ports = self._port_word(Word(port_text, place), protocol)
        if ports is None:
            return None
        if ports.size != 1:
            self.report("FW131", place, f"`{port_text}` is {ports.size} ports", "a packet has one")
            return None
        return point, ports.lo

    def _packet_option(self, option: Option, protocol: int, chosen: dict[str, object]) -> None:
        value = option.value
        if option.name == "flags":
            self._packet_flags(option, protocol, chosen)
            return
        found: IntervalSet | None
        if option.name in ("type", "code"):
            if protocol not in _ICMP:
                self.report("FW118", option.at, f"{_protocol_named(protocol)} has no `{option.name}`", "only icmp and icmpv6 have")
                return
            field = TYPE if option.name == "type" else CODE
            known = chosen.get("icmp_type")
            extra = {TYPE: IntervalSet.single(known)} if isinstance(known, int) else {}
            found = self._icmp(field, cast("Expr", value), protocol, extra)
            key: str = "icmp_type" if field == TYPE else "icmp_code"
        elif option.name in ("in", "out"):
            found = self.evaluate(value, PRESENT[IN], self._interface)
            if found is not None and found.size == 1:
                chosen[f"{option.name}_interface"] = "" if found.lo == 0 else cast("Word", _single(value)).text
                return
            key = option.name
        else:
            choices = STATES if option.name == "state" else FRAGMENTS
            found = self._choice(option, choices, option.name, "FW123" if option.name == "state" else "FW122")
            if found is not None and found.size == 1:
                chosen[option.name] = choices[found.lo]
                return
            key = option.name
        if found is None:
            return
        if found.size != 1:
            self.report("FW131", option.at, f"a packet has one `{option.name}`", "several here")
            return
        chosen[key] = found.lo

    def _packet_flags(self, option: Option, protocol: int, chosen: dict[str, object]) -> None:
        if protocol != TCP:
            self.report("FW120", option.at, f"{_protocol_named(protocol)} has no tcp flags", "only tcp has")
        elif not isinstance(option.value, Word) or "/" in option.value.text:
            self.report("FW121", option.at, "a packet has its flags, no test", "not a list of flags", "write `flags syn,ack`")
        else:
            try:
                chosen["flags"] = values.flag_byte(option.value.text)
            except Mistake as error:
                self.mistake(error, option.value.at)


def _fixed(kind: Kind, word: str) -> bool:
    """Would a definition of this word change what everybody reads in it?"""
    if kind == "ports":
        return names.port_class(word) is not None
    return kind == "service" and names.protocol(word) in PORT_PROTOCOLS | _ICMP


def _single(expr: Expr | None) -> Expr | None:
    while isinstance(expr, Set) and len(expr.items) == 1:
        expr = expr.items[0]
    return expr


def _joined(parts: Sequence[Groups]) -> Groups:
    """The union: a whole protocol takes in its ports."""
    out: Groups = {}
    for part in parts:
        for protocol, ports in part.items():
            if protocol not in out:
                out[protocol] = ports
            else:
                known = out[protocol]
                out[protocol] = None if known is None or ports is None else known | ports
    return out


def _protocol_named(protocol: int) -> str:
    return f"`{names.protocol_name(protocol)}`"


def _icmp_help(field: int, protocol: int, text: str) -> str:
    other = ICMPV6 if protocol == ICMP else ICMP
    if field == TYPE and names.icmp_type(other, text) is not None:
        return f"`{text}` is a type of {names.protocol_name(other)}"
    return "write a number from 0 to 255, or a name such as " + ("`echo-request`" if field == TYPE else "`port-unreachable`")


def _written(match: Match) -> tuple[tuple[int, str], ...]:
    """For each condition the words of the source."""
    out = []
    if not (isinstance(match.protocol, Word) and match.protocol.text == "any"):
        out.append((PROTOCOL, show(match.protocol)))
    for field, ports, end in ((SRC, SPORT, match.source), (DST, DPORT, match.target)):
        if end is not None:
            if not (isinstance(end.addresses, Word) and end.addresses.text == "any"):
                out.append((field, show(end.addresses)))
            if end.ports is not None:
                out.append((ports, show(end.ports)))
    for option in match.options:
        field_of = _OPTION_FIELDS.get(option.name)
        if field_of is not None:
            out.append((field_of, option.name if option.value is None else show(option.value)))
    return tuple(out)


_OPTION_FIELDS = {
    "established": FLAGS, "flags": FLAGS, "type": TYPE, "code": CODE, "fragment": FRAGMENT, "in": IN, "out": OUT,
    "state": STATE,
}  # fmt: skip
