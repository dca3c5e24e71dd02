"""Words that many answers need: counts with their nouns."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """A count with its noun, in the plural where it is not one.

    >>> counted(1, "region"), counted(64512, "flow")
    ('1 region', '64,512 flows')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"
