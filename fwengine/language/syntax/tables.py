"""The parser's tables, computed once and shipped: building them anew takes longer than most policies take to load.

The shipped file serves the version of Lark and the grammar for which it was made, and is passed over otherwise.
usage, after a change of the grammar: python -m fwengine.language.syntax.tables
"""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import lark
from lark import Lark, Transformer

STARTS = ["statement", "claim", "region", "packet"]
GRAMMAR = Path(__file__).with_name("grammar.lark")
FILE = Path(__file__).with_name("grammar.tables")


def parser(transformer: Transformer[Any, Any] | None) -> Lark:
    """The LALR(1) parser of the grammar, from the shipped tables if they fit."""
    grammar = GRAMMAR.read_text("utf-8")
    try:
        stored = FILE.read_bytes()
    except OSError:
        stored = b""
    key = _key(grammar)
    if stored.startswith(key):
        parts = pickle.loads(stored[len(key) :])  # noqa: S301  # a file of this package, as its code is
        made: Lark = Lark._load_from_dict(parts["data"], parts["memo"], transformer=transformer)  # type: ignore[no-untyped-call]  # Lark has no types for it
        return made
    return Lark(grammar, parser="lalr", lexer="basic", start=STARTS, transformer=transformer, maybe_placeholders=False)


def build() -> bytes:
    """The contents of the file for this grammar and this version of Lark."""
    grammar = GRAMMAR.read_text("utf-8")
    buffer = io.BytesIO()
    Lark(grammar, parser="lalr", lexer="basic", start=STARTS, maybe_placeholders=False).save(buffer)
    return _key(grammar) + buffer.getvalue()


def _key(grammar: str) -> bytes:
    digest = hashlib.sha256(grammar.replace("\r\n", "\n").encode()).hexdigest()
    return f"{lark.__version__} {digest}\n".encode()


if __name__ == "__main__":
    FILE.write_bytes(build())
