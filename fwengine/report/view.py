"""How much of an answer is shown as text, and how wide. Of data there is always all, but for `limit`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """How wide, whether in full, and how many regions at most; where text is folded by cause, how many causes."""

    width: int = 100
    detail: bool = False
    limit: int | None = None


FOLDED = View()
