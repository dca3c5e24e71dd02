"""What people say of the logs that are to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .logs.detect import UNSTATED, Stated

Opener = Literal["open", "src", "lower-port"]
OPENERS: Final[tuple[Opener, ...]] = ("open", "src", "lower-port")


@dataclass(frozen=True)
class Reading:
    """How logs are read.

    Attributes:
        stated: what they are, where they do not tell.
        opener: who opened a connection, where the log does not tell: *open*, that is either side; *src*; or the side with
            the higher port.
        since, until: milliseconds since 1970: flows that began then or later, and before; None for all.
    """

    stated: Stated = UNSTATED
    opener: Opener = "open"
    since: int | None = None
    until: int | None = None


EVERYTHING: Final = Reading()
