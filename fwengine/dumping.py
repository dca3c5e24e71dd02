"""Policies written as text: `loads(dumps(policy))` is equivalent to the policy, rule for rule.

Each rule is written in the best way that reads back as the same rule: the words of the policy's own text, words made of its
boxes with the policy's names, words without. Which one does is found by reading them, not guessed. What no text says
is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from .analysis.diff import equivalent
from .errors import PolicyError, Span
from .language.meaning import literals
from .language.meaning.literals import protocol_text
from .language.meaning.lower import lower
from .language.meaning.names import Names
from .language.meaning.region import PLAIN, Words, readable, show_box
from .language.meaning.scope import RESERVED
from .language.meaning.vocabulary import Vocabulary
from .language.syntax import ast
from .language.syntax.ast import Blank, Document, Statement
from .language.syntax.parser import parse
from .language.syntax.printer import show_document
from .model.box import Box, merge
from .model.fields import DPORT, FULL, INTERFACES, PROTOCOL, SOME_INTERFACE
from .model.interval import IntervalSet
from .model.rules import ALLOW, Expectation, Rule
from .model.ruleset import RuleSet, must_be_policies
from .policy import Policy

_FILE = "<written>"
_MOST_INTERFACES = 1 << 16
_MOST_SERVICES = 32  # protocols and ports in one rule, before it is written as several

Action = Literal["allow", "deny"]


def dumps(policy: RuleSet) -> str:
    r"""The policy as text in canonical form, which `loads` reads as an equivalent one.

    The names of definitions, rules and interfaces are kept where they can be, included files are written out, comments go;
    a rule that the language says in several lines becomes several rules. The day (`as_of`) is no part of a text.

    Raises:
        ValueError: if a rule is made of what no text says, such as interfaces by a beginning of their names.

    >>> from fwengine import Policy, Rule
    >>> made = Policy.of([Rule.allow("tcp", src="10.0.0.0/8", dport=443, name="web"), Rule.deny("udp")], "allow")
    >>> print(dumps(made), end="")
    default allow
    <BLANKLINE>
    allow tcp from 10.0.0.0/8 to any port 443 as web
    deny  udp
    """
    must_be_policies("dumps", policy)
    names = policy.names if isinstance(policy, Policy) else Names()
    found = _written(policy, names)
    if isinstance(found, Rule) and names.statements:  # such as an interface that the policy's text does not declare
        names = Names()
        found = _written(policy, names)
    if isinstance(found, Rule):
        raise ValueError(f"no text says what rule `{found.label}` matches: {found!r}")
    claims = policy.expectations if isinstance(policy, Policy) else ()
    expects = _expected(claims, [*names.statements, *found])
    lines: list[Statement | Blank] = [Statement(ast.Default(cast("Action", policy.default.value)))]
    for part in (names.statements, found, expects):
        if part:
            lines += [Blank(), *part]
    return show_document(Document(tuple(lines)))


def _written(policy: RuleSet, names: Names) -> list[Statement] | Rule:
    """Statements that mean the rules; or the first rule that none means."""
    ways = _ways(policy, names)
    chosen: dict[int, list[Statement]] = {}
    left = dict(enumerate(policy.rules))
    taken: set[str] = set()
    for way in ways:
        used = set(taken)
        tried = {index: way.lines(rule, used) for index, rule in left.items()}
        chosen.update(_right(left, tried, names, taken))
        left = {index: rule for index, rule in left.items() if index not in chosen}
        if not left:
            return [line for index in sorted(chosen) for line in chosen[index]]
    return next(iter(left.values()))


def _right(
    rules: Mapping[int, Rule], tried: Mapping[int, list[Statement]], names: Names, taken: set[str]
) -> dict[int, list[Statement]]:
    """The lines that read back as their rules; the names that they give are `taken`."""
    placed = [
        replace(line, span=Span(_FILE, number, 1, number, 2))
        for number, line in enumerate((line for lines in tried.values() for line in lines), 1)
    ]
    owners = [index for index, lines in tried.items() for _ in lines]
    read = lower([*names.statements, *placed], sources={})
    wrong = {owners[d.span.line - 1] for d in read.diagnostics if d.span.file == _FILE}
    made: dict[int, list[Rule]] = {}
    for rule in read.rules:
        made.setdefault(owners[rule.span.line - 1], []).append(rule)
    found = {}
    for index, lines in tried.items():
        back = made.get(index, [])
        if index not in wrong and len(back) == len(lines) and _same(rules[index], back):
            found[index] = lines
            taken.update(rule.name for rule in back if rule.name)
    return found


def _same(rule: Rule, back: Sequence[Rule]) -> bool:
    """Do some rules do, together, what one does?"""
    if any((b.action, b.until, b.log) != (rule.action, rule.until, rule.log) for b in back):
        return False
    boxes = tuple(box for b in back for box in b.boxes)
    if boxes == rule.boxes or not any(rule.boxes):
        return bool(back) or not any(rule.boxes)
    if frozenset(merge(box.plain() for box in boxes)) == frozenset(merge(box.plain() for box in rule.boxes)):
        return True
    return bool(back) and equivalent(RuleSet((Rule(ALLOW, rule.boxes),)), RuleSet((Rule(ALLOW, boxes),)))


def _ways(policy: RuleSet, names: Names) -> Iterator[_Own | _Made]:
    """The ways to write a rule, the best first."""
    if isinstance(policy, Policy) and policy.sources and names.statements == policy.names.statements:
        yield _Own(_statements(policy))
    if names.statements:
        yield _Made(Vocabulary(names))
    yield _Made(PLAIN)


def _statements(policy: Policy) -> dict[tuple[str, int, int], Statement]:
    """The rules of a policy's text by their places; of a file of another language there are none."""
    found = {}
    for file, text in policy.sources.items():
        try:
            statements = parse(text, file).statements
        except PolicyError:
            continue
        for statement in statements:
            if isinstance(statement.content, ast.Rule):
                found[(file, statement.span.line, statement.span.column)] = statement
    return found


@dataclass(frozen=True)
class _Own:
    """A rule in the words in which it stands in the policy's text."""

    statements: dict[tuple[str, int, int], Statement]

    def lines(self, rule: Rule, taken: set[str]) -> list[Statement]:
        found = self.statements.get((rule.span.file, rule.span.line, rule.span.column))
        if found is None or not isinstance(found.content, ast.Rule):
            return []
        called = [o.value.text for o in found.content.match.options if o.name == "as" and isinstance(o.value, ast.Word)]
        return [Statement(found.content)] if called == ([rule.name] if rule.name else []) else []


@dataclass(frozen=True)
class _Made:
    """A rule in words made of its boxes."""

    words: Words

    def lines(self, rule: Rule, taken: set[str]) -> list[Statement]:
        if any(_is_unlisted(box.sets[f]) for box in rule.boxes for f in INTERFACES):
            return []
        matches = _services(rule.boxes, self.words) or [show_box(box, self.words) for box in readable(rule.boxes)]
        tail = (" log" if rule.log else "") + (f" until {rule.until}" if rule.until else "")
        out = []
        for number, match in enumerate(matches, 1):
            name = _name(rule.name, number, taken)
            text = f"{rule.action} {match}{tail}" + (f" as {name}" if name else "")
            try:
                out += [Statement(s.content) for s in parse(text, _FILE).statements]
            except PolicyError:  # an interface that has no name
                return []
        return out


def _is_unlisted(interfaces: IntervalSet) -> bool:
    """Are so many interfaces in, and so many out, that nobody lists either?"""
    some = (interfaces & SOME_INTERFACE).size
    return min(some, SOME_INTERFACE.size - some) > _MOST_INTERFACES


def _name(name: str | None, number: int, taken: set[str]) -> str:
    """What a line of a rule is called; nothing, if the language takes no such name or another rule has it."""
    if not name or not literals.is_name(name) or name in RESERVED:
        return ""
    wanted = name if number == 1 else f"{name}-{number}"
    if wanted in taken:
        return ""
    taken.add(wanted)
    return wanted


def _services(boxes: Sequence[Box], words: Words) -> list[str]:
    """Boxes that differ in protocols and their ports alone, as one match: `{ tcp/80, udp/53 } from any to 192.0.2.1`."""
    if len(boxes) < 2:
        return []
    items: list[str] = []
    rest = {box.replace(PROTOCOL, FULL[PROTOCOL]).replace(DPORT, FULL[DPORT]) for box in boxes}
    for box in boxes:
        ports = box.sets[DPORT]
        protocols = [p for lo, hi in box.sets[PROTOCOL] for p in range(lo, hi + 1)][:_MOST_SERVICES]
        ranges = [""] if ports == FULL[DPORT] else [f"/{lo}" if lo == hi else f"/{lo}-{hi}" for lo, hi in ports]
        items += [protocol_text(p) + r for p in protocols for r in ranges]
    if len(rest) != 1 or len(items) > _MOST_SERVICES:
        return []
    around = readable(rest)
    if len(around) != 1:
        return []
    tail = show_box(around[0], words)
    protocol, _, behind = tail.partition(" ")
    return [f"{{ {', '.join(dict.fromkeys(items))} }} {behind}".strip()] if protocol == "any" else []


def _expected(claims: Sequence[Expectation], statements: Sequence[Statement]) -> list[Statement]:
    """The expectations that mean the same beside the statements; a rule without a name that one speaks of is left out of it."""
    lines: list[Statement] = []
    owners: list[Expectation] = []
    for claim in claims:
        by = f" by {claim.by}" if claim.by and ":" not in claim.by else ""
        try:
            found = parse(f"expect {claim.action} {claim.text}{by}", _FILE).statements
        except PolicyError:
            continue
        lines += [replace(s, span=Span(_FILE, len(lines) + 1, 1, len(lines) + 1, 2)) for s in found[:1]]
        owners.append(claim)
    placed = [replace(s, span=Span("<rules>", n, 1, n, 2)) for n, s in enumerate(statements, 1)]
    read = lower([*placed, *lines], sources={})
    wrong = {d.span.line for d in read.diagnostics if d.span.file == _FILE}
    same = {
        made.span.line
        for made in read.expectations
        if (made.action, made.boxes) == (owners[made.span.line - 1].action, owners[made.span.line - 1].boxes)
    }
    return [Statement(line.content) for n, line in enumerate(lines, 1) if n in same and n not in wrong]
