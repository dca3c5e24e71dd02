"""Records as the text of JSON, piece by piece: what many rows have in common is put together once.

The text is that which `encode` gives of their `to_dict`, to the byte; `tests/report/test_json_text.py` compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Final

from ..record import EXACT, FieldSet, Place, Record, RuleRecord, keys, plain
from . import Encode

_SHARED: Final[frozenset[type]] = frozenset({RuleRecord, FieldSet, Place})  # that stand in many rows
_MOST: Final = 1 << 15  # that are remembered
_STEP: Final = 2


class Writer:
    """Writes values of records: on one line, or indented, as `encode` does."""

    def __init__(self, encode: Encode, *, indented: bool = False) -> None:
        self._encode, self._indented = encode, indented
        self._known: dict[tuple[int, int], tuple[object, str]] = {}  # by identity and depth; the value is kept alive
        self._heads: dict[type[Record], tuple[tuple[str, str], ...]] = {}

    def text(self, value: object, depth: int = 0) -> str:
        """A value that stands so many levels deep."""
        kind = type(value)
        if kind is str:
            return self.string(value)  # type: ignore[arg-type]  # it is one
        if kind in _SHARED:
            known = self._known.get((id(value), depth))
            if known is None:
                if len(self._known) >= _MOST:
                    self._known.clear()
                known = self._known[id(value), depth] = value, self._record(value, depth)  # type: ignore[arg-type]
            return known[1]
        if value is None:
            return "null"
        if kind is int:
            return str(value) if -EXACT <= value <= EXACT else f'"{value}"'  # type: ignore[operator]
        if isinstance(value, Record):
            return self._record(value, depth)
        if isinstance(value, str | bool | int | float):
            return self._encode(plain(value), None)
        if isinstance(value, Mapping):
            inner = [f"{self.string(key)}: {self.text(each, depth + 1)}" for key, each in value.items()]
            return self._joined("{", inner, "}", depth)
        return self._joined("[", [self.text(each, depth + 1) for each in value], "]", depth)  # type: ignore[attr-defined]

    def string(self, text: str) -> str:
        if text.isascii() and text.isprintable():
            return encode_basestring_ascii(text)
        return self._encode(text, None)

    def _record(self, value: Record, depth: int) -> str:
        kind = type(value)
        if kind.to_dict is not Record.to_dict:  # it has a form of its own
            return self.text(value.to_dict(), depth)
        heads = self._heads.get(kind)
        if heads is None:
            heads = self._heads[kind] = tuple((key, f'"{key.rstrip("_")}": ') for key in keys(kind))
        inner = []
        for key, head in heads:
            each = getattr(value, key)
            inner.append(head + (self.string(each) if type(each) is str else self.text(each, depth + 1)))
        return self._joined("{", inner, "}", depth)

    def _joined(self, begin: str, inner: list[str], end: str, depth: int) -> str:
        if not inner:
            return begin + end
        if not self._indented:
            return f"{begin}{', '.join(inner)}{end}"
        margin = "\n" + " " * (_STEP * depth)
        return f"{begin}{margin}  {f',{margin}  '.join(inner)}{margin}{end}"
