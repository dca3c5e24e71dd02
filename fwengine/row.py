"""Answers that are rows of a table: typed values, and mappings that pandas, polars and `csv` take as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, TypeVar, dataclass_transform

from .handed import Handed, Shown

T = TypeVar("T")


class Row(Shown, Mapping[str, Any]):
    """An answer that is a row of a table, too: a mapping of plain texts and numbers, beside its typed attributes.

    So a sequence of them is what pandas, polars and `csv.DictWriter` take. Counts beyond 2^53 are floats in the row, as no
    column holds them otherwise; the attribute is exact.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    @cached_property
    def _row(self) -> dict[str, Any]:
        return dict(Handed.load("row")(self))

    def to_dict(self) -> dict[str, Any]:
        """The row: texts as the language writes them, numbers, None."""
        return dict(self._row)

    def __getitem__(self, key: str) -> Any:
        return self._row[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._row)

    def __len__(self) -> int:
        return len(self._row)

    def replace(self, **changes: Any) -> Self:
        """A copy with some attributes changed."""
        names: tuple[str, ...] = self.__match_args__  # type: ignore[attr-defined]  # what `row` makes has them
        return type(self)(**{name: getattr(self, name) for name in names} | changes)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_row"}


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def row(cls: type[T]) -> type[T]:
    """A frozen dataclass that a table takes by its row: pandas would take one by its fields, all the way down."""
    made = dataclass(frozen=True, repr=False)(cls)
    del made.__dataclass_fields__  # type: ignore[attr-defined]
    return made
