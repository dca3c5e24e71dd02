"""The records of which the answer of `show --as matrix` is made: zones, and what packets from one to another may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .record import Record, RegionRecord

Access = Literal["all", "nothing", "part", "impossible", "unknown"]
_WHOLE: Final[dict[Access, tuple[str, str]]] = {  # in full, and in brief
    "all": ("all", "all"),
    "nothing": ("nothing", "-"),
    "impossible": ("no such packet", "n/a"),
    "unknown": ("unknown: limit reached", "?"),
}
_WORDS: Final = {"sport": "source port", "src": "source", "dst": "destination"}


@dataclass(frozen=True)
class ZoneShown(Record):
    """A row and a column; `members` is an expression of the language."""

    name: str
    kind: Literal["net", "interface"]
    members: str


@dataclass(frozen=True)
class ConditionShown(Record):
    """Services of which some packets are allowed: just those that `when` says, if it is not null.

    `depends_on` are the fields that make the difference; null if it would take too long to tell.
    """

    services: tuple[str, ...]
    when: str | None
    depends_on: tuple[str, ...] | None

    @property
    def told(self) -> str:
        """What it asks for, or at least what it is about."""
        if self.when is not None:
            return self.when
        words = [_WORDS.get(word, word) for word in self.depends_on or ()]
        return f"some, depending on {', '.join(words)}" if words else "some"


@dataclass(frozen=True)
class CellShown(Record):
    """What packets from one zone to another may do.

    Attributes:
        services: those that are open whatever else a packet has.
        partly: those of which some packets are allowed, under whichever condition.
        regions: all that is allowed.
    """

    source: str
    destination: str
    access: Access
    services: tuple[str, ...]
    partly: tuple[str, ...]
    conditional: tuple[ConditionShown, ...]
    regions: Sequence[RegionRecord]

    @property
    def opens(self) -> bool:
        """Is there something to be told of it: is it neither shut nor impossible?"""
        return self.access not in ("nothing", "impossible")

    @property
    def full(self) -> list[str]:
        """All that is allowed, with its conditions."""
        if self.access != "part":
            return [_WHOLE[self.access][0]]
        return [*self.services, *(f"{', '.join(c.services)} ({c.told})" for c in self.conditional)]

    @property
    def brief(self) -> list[str]:
        """The services, with a mark for what is allowed in part."""
        if self.access != "part":
            return [_WHOLE[self.access][1]]
        return [*self.services, *(f"~{word}" for word in self.partly)]
