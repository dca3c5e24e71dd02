"""The names that a policy defines, as a value: a question uses them without anything being parsed again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..syntax import ast
from ..syntax.ast import Statement


@dataclass(frozen=True)
class Names:
    """The definitions of a policy, as statements: what a question needs to use their names."""

    statements: tuple[Statement, ...] = ()

    @cached_property
    def defined(self) -> dict[str, Statement]:
        """Each definition by its name."""
        return {s.content.name.text: s for s in self.statements if isinstance(s.content, ast.Definition)}

    def __getstate__(self) -> dict[str, object]:
        return {"statements": self.statements}
