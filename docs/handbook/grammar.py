"""What the language's grammar has: its keywords and its rules, read from the grammar itself."""

from __future__ import annotations

import re
from pathlib import Path

import fwengine.language.syntax


def grammar_text() -> str:
    """The grammar, for Lark."""
    return Path(fwengine.language.syntax.__path__[0], "grammar.lark").read_text("utf-8")


def keywords() -> tuple[str, ...]:
    """The words that only the grammar gives a meaning, in its order."""
    return tuple(re.findall(r'^_?[A-Z]+: "([a-z]+)"', grammar_text(), re.MULTILINE))


def rules() -> tuple[str, ...]:
    """The names of the grammar's rules."""
    return tuple(re.findall(r"^([a-z_]+):", grammar_text(), re.MULTILINE))
