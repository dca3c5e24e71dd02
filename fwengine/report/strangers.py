"""Interfaces that a question names and no rule does, in words and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..analysis.interfaces import Stranger


def stranger_text(strangers: Sequence[Stranger]) -> str:
    """`no rule names interface `eht0`: did you mean `eth0`?`; the empty string if there are none."""
    if not strangers:
        return ""
    several = len(strangers) > 1
    names = ", ".join(f"`{stranger.name}`" for stranger in strangers)
    meant = [f"`{stranger.near}`" for stranger in strangers if stranger.near]
    text = f"no rule names interface{'s' * several} {names}"
    return text + (f": did you mean {' and '.join(meant)}?" if meant else "")


def strangers_json(strangers: Sequence[Stranger]) -> list[dict[str, Any]]:
    return [{"name": stranger.name, "did_you_mean": stranger.near or None} for stranger in strangers]
