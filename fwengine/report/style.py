"""How text looks on a terminal: in which colours, and how wide its lines may be."""

from __future__ import annotations

import os
from typing import Final, TextIO

_CODES = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "cyan": 36, "grey": 90}


WIDTH: Final = 100  # of lines where no terminal tells


class Style:
    """Wraps words in escape sequences, or leaves them alone; `width` is how wide lines may be."""

    def __init__(self, color: bool, width: int = WIDTH) -> None:
        self.color, self.width = color, width

    def __call__(self, text: str, color: str | None = None, *, bold: bool = False) -> str:
        if not self.color or not text:
            return text
        codes = (["1"] if bold else []) + ([str(_CODES[color])] if color else [])
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes else text

    def verdict(self, word: str, width: int = 0) -> str:
        """`ALLOW` in green, `DENY` in red, anything else in yellow; padded outside the colour."""
        hue = {"ALLOW": "green", "DENY": "red"}.get(word.upper(), "yellow")
        return self(word, hue, bold=True) + " " * (width - len(word))


def wants_color(choice: str, stream: TextIO) -> bool:
    """`--color` over `NO_COLOR` over `FORCE_COLOR` over whether the stream is a terminal.

    https://no-color.org: the variable counts when it is present and not empty.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
