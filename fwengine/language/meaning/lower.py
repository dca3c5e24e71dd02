"""Syntax tree -> policy: definitions are put into scope, statements become rules and claims.

All mistakes of a policy are collected; what depends on a mistake already told is passed over in silence, so that each
is told once. This module does no I/O: whoever calls it has read the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from ...errors import Diagnostic, Label, PolicyError, Span
from ...limits import current, reached
from ...model.box import Box
from ...model.fields import (
    DPORT,
    DST,
    FLAGS,
    KEYWORDS,
    PROTOCOL,
    SPORT,
    SRC,
)
from ...model.packet import Packet
from ...model.rules import Action, Definition, Expectation, Rule
from ...registry import names
from ..syntax import ast
from ..syntax.ast import Asked, Match, Statement, Word, WrittenPacket
from ..syntax.printer import show, show_match, show_packet
from . import interfaces, literals
from .kept import Fresh, Kept
from .literals import Mistake
from .matches import RULE_OPTIONS, Matches
from .names import Names, Written
from .negation import Negations
from .packet import packet
from .scope import RESERVED, Kind, Name, Scope, TooMany

_OPTION_FIELDS = {"established": FLAGS, **{word: spec.field for word, spec in KEYWORDS.items()}}
_Meaning = tuple[tuple[Box, ...], frozenset[int], frozenset[int], tuple[tuple[int, str], ...]]
_NAME_LABEL = "expected a letter, then letters, digits, `_`, `-`, `.`"


@dataclass(frozen=True)
class Lowered:
    """What the statements of a policy mean: all of it, or, where something is wrong, what could be made.

    Attributes:
        rules, expectations, definitions: those that have a meaning; what depends on a mistake is left out.
        names: every place of a name too, also in what has no meaning.
        remarks: what says nothing in sets and definitions.
        diagnostics: what is wrong, file by file.
    """

    rules: tuple[Rule, ...]
    default: Action
    expectations: tuple[Expectation, ...]
    definitions: tuple[Definition, ...]
    names: Names
    remarks: tuple[Diagnostic, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    def whole(self, sources: Mapping[str, str]) -> Lowered:
        """The same, if nothing is wrong.

        Raises:
            PolicyError: with all diagnostics, which point into the `sources`.
        """
        if self.diagnostics:
            raise PolicyError(self.diagnostics, sources)
        return self


def lower(
    statements: Sequence[Statement],
    *,
    sources: Mapping[str, str],
    spoilt: frozenset[str] = frozenset(),
    errors: Iterable[Diagnostic] = (),
    others: Iterable[Rule] = (),
    let_go: bool = False,
    kept: Kept | None = None,
) -> Lowered:
    """What the statements of a file, includes already put in their places, mean; `Lowered.whole` insists on all of it.

    Args:
        sources: the texts by file, in the order in which their diagnostics are told.
        spoilt: names that statements which could not be parsed may define.
        errors: diagnostics found before, to be told together with those found here.
        others: rules of another firewall, which expectations may name.
        let_go: empties the list of statements on the way, so that of many rules there are never all in both forms.
        kept: what they meant when they were last read, to be brought up to date; the answer is the same without it.

    Raises:
        LimitError: beyond the limits of rules and elements.
    """
    if sum([isinstance(s.content, ast.Rule) for s in statements]) > current().rules:
        raise reached("rules")
    lowering = Lowering(spoilt, errors, others, kept)
    definitions = tuple(s for s in statements if isinstance(s.content, ast.Definition))
    expected = [s for s in statements if isinstance(s.content, ast.Expect)]
    with suppress(TooMany):
        lowering.collect(definitions)
        lowering.rules(_emptied(statements) if let_go and isinstance(statements, list) else statements)
        lowering.check_definitions()
        lowering.expectations(expected)
    lowering.kept.end()
    return Lowered(
        tuple(lowering.made),
        lowering.default,
        tuple(lowering.claims),
        lowering.definitions(),
        Names(definitions, lowering.written()),
        tuple(lowering.scope.spare.remarks(sources)) if not lowering.scope.errors else (),
        tuple(_ordered(lowering.scope.errors, sources)) if lowering.scope.errors else (),
    )


def _emptied(statements: list[Statement]) -> Iterator[Statement]:
    statements.reverse()
    while statements:
        yield statements.pop()


def lower_region(
    match: Match | Asked, names: Names, file: str, text: str, sources: Mapping[str, str] | None = None
) -> tuple[Box, ...]:
    """The boxes of a region asked on the command line, with a policy's names in scope.

    Raises:
        PolicyError: pointing into the region, or into the policy's `sources` where that does not fit the question.
    """
    lowering = Lowering()
    lowering.collect(names.statements)
    scope = lowering.scope
    scope.begin(file, 1)
    scope.errors = []
    boxes = lowering.matches.region(match, "a region")
    if boxes is None or scope.errors:
        raise PolicyError(_ordered(scope.errors, {file: text}), {file: text, **(sources or {})})
    return boxes


def lower_packet(written: WrittenPacket, file: str, text: str) -> Packet:
    """The packet that a written one means.

    Raises:
        PolicyError: pointing into the text.
    """
    scope = Scope()
    scope.begin(file, 1)
    found = packet(scope, written)
    if found is None or scope.errors:
        raise PolicyError(_ordered(scope.errors, {file: text}), {file: text})
    return found


def _ordered(errors: Iterable[Diagnostic], sources: Mapping[str, str]) -> list[Diagnostic]:
    """Without doubles, in the order of reading."""
    place = {file: number for number, file in enumerate(sources)}
    return sorted(
        dict.fromkeys(errors), key=lambda e: (e.code == "FW005", place.get(e.span.file, 0), e.span.line, e.span.column)
    )


class Lowering:
    """A policy under way: its scope, the names of its rules, and what has been made so far."""

    def __init__(
        self,
        missing: frozenset[str] = frozenset(),
        errors: Iterable[Diagnostic] = (),
        others: Iterable[Rule] = (),
        kept: Kept | None = None,
    ) -> None:
        self.kept = Fresh() if kept is None else kept
        self.scope = Scope(missing, errors, self.kept.addresses)
        self.matches = Matches(self.scope)
        self.negations = Negations(self.scope)
        self.made: list[Rule] = []
        self.default = Action.DENY
        self.claims: list[Expectation] = []
        self._labels: dict[str, Span] = {rule.label: rule.span for rule in others}
        self._rule_names: list[Written] = []

    # Statements

    def collect(self, statements: Sequence[Statement]) -> None:
        """Puts every definition into scope; their order does not matter."""
        scope = self.scope
        for statement in statements:
            content = statement.content
            if not isinstance(content, ast.Definition):
                continue
            scope.begin(statement.span.file, statement.span.line)
            word = content.name
            known = scope.names.get(word.text)
            if word.text in RESERVED or _fixed(content.kind, word.text):
                meaning = _fixed(content.kind, word.text) or "a word of the language"
                scope.report("FW129", word.at, f"`{word.text}` has a fixed meaning", meaning, "choose another name")
            elif not literals.is_name(word.text):
                message, (help, fixes) = f"`{word.text}` is not a name", _name_help(word.text)
                scope.report("FW134", word.at, message, _NAME_LABEL, help, fixes=fixes)
                scope.missing.add(word.text)
            elif known is not None:
                first = Label(known.statement.span, "first defined here")
                scope.report(
                    "FW102", word.at, f"`{word.text}` is defined twice", "defined again", "rename one of them", (first,)
                )
            else:
                scope.names[word.text] = Name(statement, content)
        self.kept.begin(scope)

    def rules(self, statements: Iterable[Statement]) -> None:
        """Makes the rules that have a meaning, and the default."""
        default: Statement | None = None
        for statement in statements:
            content = statement.content
            self.scope.begin(statement.span.file, statement.span.line)
            if isinstance(content, ast.Rule):
                rule = self._rule(content, statement.span)
                if rule is not None:
                    self.made.append(rule)
            elif isinstance(content, ast.Default):
                if default is not None:
                    first = Label(default.span, "first stated here")
                    here = (1, statement.span.column, 1, statement.span.end_column)
                    self.scope.report(
                        "FW023", here, "the default is stated twice", "stated again", "keep one of them", (first,)
                    )
                default, self.default = statement, Action(content.action)

    def _rule(self, content: ast.Rule, span: Span) -> Rule | None:
        match = content.match
        meant = self.kept.of(self.scope, self.matches.protocols, match, lambda: self._meaning(match))
        name, until, log = None, None, False
        for option in match.options:
            if option.name == "log":
                log = True
            elif option.name == "as":
                name = self._rule_name(cast("Word", option.value), span)
            elif option.name == "until":
                word = cast("Word", option.value)
                try:
                    until = literals.date(word.text)
                except Mistake as error:
                    self.scope.mistake(error, word.at)
        if name is None:
            self._labels.setdefault(f"{span.file}:{span.line}", span)
        if meant is None:
            return None
        boxes, negated, opened, words = meant
        action = Action(content.action)

        def make() -> Rule:
            return Rule(action, boxes, name, until, log, span, words, negated=negated, opened=opened)

        return self.kept.rule(content, boxes, span, make)

    def _meaning(self, match: Match) -> _Meaning | None:
        boxes = self.matches.match(match, "a rule", RULE_OPTIONS)
        return None if boxes is None else (boxes, *self.negations.of(match), _written(match))

    def _rule_name(self, word: Word, span: Span) -> str:
        name = word.text
        self._note(word, defines=True)
        if name in RESERVED or not literals.is_name(name):
            label = "a word of the language" if name in RESERVED else _NAME_LABEL
            help, fixes = _name_help(name)
            self.scope.report("FW134", word.at, f"`{name}` cannot name a rule", label, help, fixes=fixes)
        elif name in self._labels:
            first = Label(self._labels[name], "first used here")
            self.scope.report(
                "FW126", word.at, f"two rules are called `{name}`", "used again", "rename one of them", (first,)
            )
        self._labels.setdefault(name, span)
        return name

    def _note(self, word: Word | ast.String, *, defines: bool) -> None:
        self._rule_names.append(Written(word.text, "rule", self.scope.file, self.scope.line, word.at, defines))

    def written(self) -> tuple[Written, ...]:
        """Every place of a name so far."""
        out = self._rule_names
        for name, entry in self.scope.names.items():
            kind, span = entry.content.kind, entry.statement.span
            out.append(Written(name, kind, span.file, span.line, entry.content.name.at, True))
            out += [Written(name, kind, file, line, at, False) for file, line, at in entry.mentions]
        return tuple(out)

    def check_definitions(self) -> None:
        """Tells the mistakes also of definitions that nothing uses."""
        for entry in list(self.scope.names.values()):
            self.scope.begin(entry.statement.span.file, entry.statement.span.line)
            kind = entry.content.kind
            if kind == "net":
                self.scope.net_of(entry)
            elif kind == "ports":
                if not entry.mentions:
                    self.scope.ports_of(entry, None)
            elif kind == "interface":
                interfaces.check(self.scope, entry)
            else:
                self.matches.protocols.service(entry)

    def definitions(self) -> tuple[Definition, ...]:
        return tuple(
            [Definition(e.content.kind, n, e.statement.span, len(e.mentions)) for n, e in self.scope.names.items()]
        )

    def expectations(self, statements: Sequence[Statement]) -> None:
        """Makes the claims; after the rules, whose names they mention."""
        for statement in statements:
            content = statement.content
            if not isinstance(content, ast.Expect):
                continue
            self.scope.begin(statement.span.file, statement.span.line)
            written: Packet | None = None
            boxes: tuple[Box, ...] | None = None
            if isinstance(content.subject, WrittenPacket):
                text = show_packet(content.subject)
                written = packet(self.scope, content.subject)
                if written is not None:
                    boxes = (Box.around(written),)
            else:
                text = show_match(content.subject)
                boxes = self._region(content.subject)
            by = None if content.by is None else self._rule_called(content.by)
            if boxes is not None:
                self.claims.append(Expectation(Action(content.action), boxes, by, text, written, statement.span))

    def _region(self, asked: Match | Asked) -> tuple[Box, ...] | None:
        read = self.matches.region
        return self.kept.of(self.scope, self.matches.protocols, asked, lambda: read(asked, "an expectation"))

    def _rule_called(self, word: Word | ast.String) -> str:
        """The label of the rule that is meant: its name, or `FILE:LINE`, whose folder may be left out."""
        name = word.text
        self._note(word, defines=False)
        if name in self._labels or name == "default" or not self.scope.missing.isdisjoint((name, "*")):
            return name
        ending = [label for label in self._labels if label.endswith("/" + name)] if ":" in name else []
        if len(ending) == 1:
            return ending[0]
        named = [label for label in [*self._labels, "default"] if ":" not in label]
        near = names.near(name, named) if len(name) < 80 else []
        message, otherwise = f"no rule is called `{name}`", "give the rule a name with `as`"
        self.scope.mistake(literals.meant("FW130", message, "unknown rule", near, otherwise), word.at)
        return name


def _fixed(kind: Kind, word: str) -> str:
    """What everybody reads in a word, if a definition would change that."""
    if kind == "service":
        protocol = names.protocol(word)
        return "" if protocol is None else f"it is protocol {protocol}"
    if kind == "ports":
        if names.port_class(word) is not None:
            return "it is a class of ports"
        well_known = {ports.lo for ports in names.protocols_of(word).values() if ports.size == 1 and ports.lo < 1024}
        if well_known:
            return f"it is port {min(well_known)} in IANA's registry"
    return ""


def _name_help(text: str) -> tuple[str, list[str]]:
    """What to write for a name that cannot be one, and its suggestion."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "_.-") else "-" for c in text).lstrip("0123456789.-")[:40]
    if not plain or plain in RESERVED:
        return "choose another name", []
    return f"for example `{plain}`", [plain]


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
