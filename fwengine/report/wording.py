"""Words that many answers need: counts with their nouns, and what a rule does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DOES: Final[Mapping[str, str]] = {"allow": "allows", "deny": "denies", "depends": "leaves in doubt"}
DONE: Final[Mapping[str, str]] = {"allow": "allowed", "deny": "denied", "depends": "left in doubt"}


def counted(count: int, noun: str) -> str:
    """A count with its noun, in the plural where it is not one.

    >>> counted(1, "region"), counted(64512, "flow")
    ('1 region', '64,512 flows')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"
