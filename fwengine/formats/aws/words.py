"""An object of AWS's JSON -> its values, each of the kind that it must be, and refusals that point at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...errors import Span
from ..placed import Items, Members, Placed


class RefusedError(Exception):
    """What is not understood: where, why, and what to do."""

    def __init__(self, span: Span, message: str, help: str = "", code: str = "FW403") -> None:
        super().__init__(message)
        self.span, self.message, self.help, self.code = span, message, help or (_CUT if code == "FW406" else ""), code


class Item:
    """An object and its text. `unknown` tells what is not known before a plan is applied, in the object's own shape."""

    def __init__(self, placed: Placed, members: Members, unknown: Any = None) -> None:
        self.placed, self.members = placed, members
        self._unknown = unknown

    def __contains__(self, key: str) -> bool:
        """Does it say something there? `null` says nothing."""
        return self.members.get(key) is not None

    @property
    def words(self) -> str:
        """What the user wrote, on one line."""
        return self.placed.words(self.members.range)

    @property
    def span(self) -> Span:
        return self.placed.span(self.members.range)

    def place(self, *keys: str) -> Span:
        """Where the first of some keys stands that it has; the beginning of the object if it has none."""
        for key in keys:
            if key in self.members:
                return self.placed.member(self.members, key)
        begin, _ = self.members.range
        return self.placed.span((begin, begin + 1))

    def mark(self, *keys: str) -> Span:
        """What shows the object to a reader: the whole of it where it is short, else one of its keys with its value."""
        whole = self.span
        short = whole.line == whole.end_line and whole.end_column - whole.column <= _SHORT
        return whole if short else self.place(*keys)

    def is_unknown(self, key: str) -> bool:
        """Is the value, or a part of it, not known before a plan is applied?"""
        if self._unknown is True:
            return True
        return isinstance(self._unknown, dict) and _holds(self._unknown.get(key))

    def text(self, key: str) -> str | None:
        found: str | None = self._of(key, str, "a text")
        return found

    def number(self, key: str) -> int | None:
        if isinstance(self.members.get(key), bool):
            self._wrong(key, "a number")
        found: int | None = self._of(key, int, "a number")
        return found

    def flag(self, key: str) -> bool:
        """`null` is no."""
        return bool(self._of(key, bool, "true or false"))

    def needed(self, key: str) -> str:
        """A text that must be there."""
        found = self.text(key)
        if not found:
            raise RefusedError(self.place(key), f"`{key}` is missing", code="FW406")
        return found

    def many(self, key: str) -> Iterator[Item]:
        """The objects of an array."""
        found: Any = self._of(key, Items, "a list")
        states = self._unknown.get(key) if isinstance(self._unknown, dict) else None
        for at, one in enumerate(found or ()):
            if not isinstance(one, Members):
                raise RefusedError(self.placed.span(found.at[at]), f"an object of `{key}` is expected", code="FW406")
            told = isinstance(states, list) and len(states) == len(found)
            state = states[at] if isinstance(states, list) and told else _holds(states) or None
            yield Item(self.placed, one, state)

    def texts(self, key: str) -> Iterator[tuple[str, Span]]:
        """The texts of an array, each with its place; what is not known yet stands as `null` there, and is left out."""
        found: Any = self._of(key, Items, "a list")
        for at, one in enumerate(found or ()):
            span = self.placed.span(found.at[at])
            if one is None and self.is_unknown(key):
                continue
            if not isinstance(one, str):
                raise RefusedError(span, f"a text of `{key}` is expected", code="FW406")
            yield one, span

    def inner(self, key: str) -> Item | None:
        """An object within."""
        found: Any = self._of(key, Members, "an object")
        states = self._unknown.get(key) if isinstance(self._unknown, dict) else self._unknown
        return None if found is None else Item(self.placed, found, states)

    def _of(self, key: str, kind: type[Any], what: str) -> Any:
        found = self.members.get(key)
        if found is not None and not isinstance(found, kind):
            self._wrong(key, what)
        return found

    def _wrong(self, key: str, what: str) -> None:
        raise RefusedError(self.place(key), f"`{key}` is {what}, not {_called(self.members[key])}", code="FW406")


def objects(placed: Placed, found: Sequence[Any]) -> list[Item]:
    """Those of an array that are objects."""
    return [Item(placed, one) for one in found if isinstance(one, Members)]


def short(text: str) -> str:
    """A word as a message shows it."""
    return text if len(text) <= 60 else text[:59] + "…"


def _holds(unknown: Any) -> bool:
    """Is anything not known in a value, or all of it?"""
    if isinstance(unknown, dict):
        return any(map(_holds, unknown.values()))
    return any(map(_holds, unknown)) if isinstance(unknown, list) else unknown is True


def _called(value: Any) -> str:
    if isinstance(value, str):
        return f"`{short(value)}`"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else f"`{value}`"


_SHORT = 60  # characters
_CUT = "save it again, as JSON and whole"
