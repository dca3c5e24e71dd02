"""The names of a policy, as a value: a question uses them without parsing anything again, an editor finds their places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from ...errors import Span
from ..syntax import ast
from ..syntax.ast import Place, Statement, span_of


class Mention(NamedTuple):
    """A place where a name stands: where it is given, or where it is used."""

    name: str
    kind: Literal["net", "ports", "service", "interface", "rule"]
    span: Span  # of the name alone
    defines: bool


class Written(NamedTuple):
    """A mention as it is noted down: its place is relative to its statement's line."""

    name: str
    kind: Literal["net", "ports", "service", "interface", "rule"]
    file: str
    line: int
    at: Place
    defines: bool


@dataclass(frozen=True)
class Names:
    """The names of a policy.

    Attributes:
        statements: its definitions, whose names a question may use.
        written: every place of a name, of definitions and of rules, in no order.
    """

    statements: tuple[Statement, ...] = ()
    written: tuple[Written, ...] = field(default=(), compare=False, repr=False)

    @cached_property
    def defined(self) -> dict[str, Statement]:
        """Each definition by its name."""
        return {s.content.name.text: s for s in self.statements if isinstance(s.content, ast.Definition)}

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """Every place of every name, by file and place: what renames and jumps to definitions need."""
        return _placed(self.written)

    def around(self, file: str, line: int) -> tuple[Mention, ...]:
        """The mentions that stand on a line, by place; of the others no more is looked at than their lines."""
        return _placed([w for w in self.written if w.line <= line and w.file == file and line <= w.line - 1 + w.at[2]])

    def of(self, name: str, kind: str) -> tuple[Mention, ...]:
        """The places of one name; a net and a rule may be called the same."""
        return tuple(m for m in self.mentions if (m.name, m.kind) == (name, kind))

    def __getstate__(self) -> dict[str, object]:
        return {"statements": self.statements, "written": self.written}


def _placed(written: Iterable[Written]) -> tuple[Mention, ...]:
    found = {Mention(w.name, w.kind, span_of(w.at, w.file, w.line), w.defines) for w in written}
    return tuple(sorted(found, key=lambda m: (m.span, m.name, m.kind)))
