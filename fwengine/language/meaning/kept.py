"""What statements meant when they were last read: kept as long as nothing that they depend on has changed.

A statement's meaning depends on its own words: what is defined under them, and what those definitions depend on. With
interfaces it also depends on which are declared at all. What reading a statement does besides (a definition is read when it is
first used, mentions are counted) is done again each time, in the same order, so that all the rest comes out as if everything
had been read anew; what had a mistake always is. A match is known by its identity: whoever keeps statements keeps their trees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

from ...errors import Span
from ...model.interval import IntervalSet
from ...model.rules import Rule
from ..syntax.ast import Asked, Compare, Definition, Except, Expr, Match, Not, Place, Set, Word
from . import interfaces
from .scope import Scope, Step
from .services import Protocols
from .spare import Noted

T = TypeVar("T")
MOST_ADDRESSES = 1_000_000  # that are written out and kept, also of what has gone meanwhile


@dataclass(frozen=True, slots=True)
class _Meant(Generic[T]):
    node: Match | Asked  # held, so that no other takes its identity
    value: T
    steps: tuple[Step, ...]
    spare: tuple[tuple[Place, Noted], ...]
    words: frozenset[str]
    open: frozenset[str]  # those that a statement which cannot be parsed might define


@dataclass
class _Around:
    """What meanings depend on: the definitions, and the names that may be missing."""

    names: dict[str, Definition] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()

    @property
    def declared(self) -> tuple[object, ...]:
        """With interfaces declared, a word that is none of them is an error, unless something could not be parsed."""
        found = [content for content in self.names.values() if content.kind == "interface"]
        return (*found, bool(self.missing)) if found else ()

    def changed(self, old: _Around) -> tuple[set[str], frozenset[str]] | None:
        """The names that are not what they were, directly or by another; those that only may be; None if all are."""
        if self.declared != old.declared or ("*" in self.missing) != ("*" in old.missing):
            return None
        changed = {n for n in self.names.keys() | old.names.keys() if self.names.get(n) != old.names.get(n)}
        missing = self.missing ^ old.missing
        if changed or missing:
            users: dict[str, list[str]] = {}
            for name, content in self.names.items():
                for word in words_in(content.value):
                    users.setdefault(word, []).append(name)
            waiting = [*changed, *missing]
            while waiting:
                for name in users.get(waiting.pop(), ()):
                    if name not in changed:
                        changed.add(name)
                        waiting.append(name)
        return changed, missing


class Kept:
    """Meanings of a policy under an editor's hands; each reading begins and ends with it."""

    def __init__(self) -> None:
        self.addresses: dict[str, IntervalSet] = {}  # of what is written out, which never changes
        self._around = _Around()
        self._old: dict[int, _Meant[Any]] = {}
        self._new: dict[int, _Meant[Any]] = {}
        self._rules: dict[int, tuple[object, Rule]] = {}
        self._made: dict[int, tuple[object, Rule]] = {}

    def begin(self, scope: Scope) -> None:
        """Forgets what may have another meaning, now that all definitions are in scope."""
        around = _Around({n: e.content for n, e in scope.names.items()}, frozenset(scope.missing))
        found = around.changed(self._around)
        if found is None:
            self._old = {}
        elif any(found):
            changed, missing = found
            self._old = {
                key: meant
                for key, meant in self._old.items()
                if meant.words.isdisjoint(changed) and meant.open.isdisjoint(missing)
            }
        self._new, self._made = {}, {}
        self._around = around

    def end(self) -> None:
        """What was not met in this reading is forgotten."""
        self._old, self._rules = self._new, self._made
        if len(self.addresses) > MOST_ADDRESSES:
            self.addresses.clear()

    def of(self, scope: Scope, protocols: Protocols, node: Match | Asked, read: Callable[[], T | None]) -> T | None:
        """What a match means: what it meant before, or what is read now; None if it has no meaning."""
        known = self._old.get(id(node))
        if known is not None and _again(scope, protocols, known):
            self._new[id(node)] = known
            return known.value  # type: ignore[no-any-return]  # what this node's reading gave
        here, before = (scope.file, scope.line), len(scope.spare.noted)
        with scope.stepping() as steps:
            value = read()
        if value is not None:
            noted = islice(scope.spare.noted.items(), before, None)
            spare = tuple([(at, one) for (place, at), one in noted if place == here])
            words = list(words_in(node))
            once = tuple(dict.fromkeys(steps))
            open_ = frozenset(words_in(node, protocols=False))
            self._new[id(node)] = _Meant(node, value, once, spare, frozenset(words), open_)
        return value

    def rule(self, content: object, boxes: object, span: Span, make: Callable[[], Rule]) -> Rule:
        """The rule that was made of the same, or the one that is made now."""
        known = self._rules.get(id(content))
        rule = known[1] if known is not None and known[1].boxes is boxes and known[1].span == span else make()
        self._made[id(content)] = (content, rule)
        return rule


class Fresh(Kept):
    """Nothing is kept."""

    def begin(self, scope: Scope) -> None:
        pass

    def of(self, scope: Scope, protocols: Protocols, node: Match | Asked, read: Callable[[], T | None]) -> T | None:
        return read()

    def rule(self, content: object, boxes: object, span: Span, make: Callable[[], Rule]) -> Rule:
        return make()


def _again(scope: Scope, protocols: Protocols, meant: _Meant[Any]) -> bool:
    """Does once more what reading a statement did; False if a definition cannot be read any more, nested too deep."""
    for kind, name, protocol, at in meant.steps:
        entry = scope.names[name]
        if kind == "mention":
            scope.mention(entry, at)
        elif kind == "net":
            if scope.net_of(entry) is None:
                return False
        elif kind == "ports":
            if scope.ports_of(entry, protocol, Word(name, at)) is None:
                return False
        elif kind == "service":
            if protocols.service(entry) is None:
                return False
        elif interfaces.declaration(scope, entry) is None:
            return False
    for at, noted in meant.spare:
        scope.spare.noted.setdefault(((scope.file, scope.line), at), noted)
    return True


def words_in(node: Match | Asked | Expr | None, *, protocols: bool = True) -> Iterator[str]:
    """The words that may be names, also behind the slash of `tcp/http`.

    Args:
        protocols: also those that stand for a protocol; nothing that could not be parsed defines such a one anew.
    """
    left: list[Any] = [node]
    while left:
        now = left.pop()
        if isinstance(now, Word):
            yield now.text
            if "/" in now.text:
                yield now.text.partition("/")[2]
        elif isinstance(now, Match):
            if protocols or not isinstance(now.protocol, Word):
                left.append(now.protocol)
            elif "/" in now.protocol.text:
                yield now.protocol.text.partition("/")[2]
            for end in (now.source, now.target):
                if end is not None:
                    left += (end.addresses, end.ports)
            left += [option.value for option in now.options]
        elif isinstance(now, Asked):
            left += (*now.included, *now.excluded)
        elif isinstance(now, Set):
            left += now.items
        elif isinstance(now, Not):
            left.append(now.term)
        elif isinstance(now, Except):
            left += (now.base, *now.excluded)
        elif isinstance(now, Compare):
            left.append(now.word)
