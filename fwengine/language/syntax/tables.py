"""The parser's tables, computed once and shipped: building them anew takes longer than most policies take to load.

The file begins with a line that says for which version of Lark, for which grammar and for which bytes behind the line it
was made. Where anything of that does not fit, or the file is not there or cut short, it is passed over and the parser is
built from the grammar: slower, and the same. It is written only on demand, and in one step.
usage, after a change of the grammar: python -m fwengine.language.syntax.tables
"""

from __future__ import annotations

import hashlib
import io
import os
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
    tables = stored(grammar)
    if tables is None:
        return _built(grammar, transformer)
    parts = pickle.loads(tables)  # noqa: S301  # a file of this package, as its code is, and as it was written
    made: Lark = Lark._load_from_dict(parts["data"], parts["memo"], transformer=transformer)  # type: ignore[no-untyped-call]  # Lark has no types for it
    return made


def stored(grammar: str) -> bytes | None:
    """The shipped tables of a grammar; None unless they were made for it and for this Lark, and are whole."""
    try:
        head, _, tables = FILE.read_bytes().partition(b"\n")
    except OSError:
        return None
    return tables if head == _head(grammar, tables) else None


def build() -> bytes:
    """The contents of the file for this grammar and this version of Lark."""
    grammar = GRAMMAR.read_text("utf-8")
    buffer = io.BytesIO()
    _built(grammar, None).save(buffer)
    return _head(grammar, buffer.getvalue()) + b"\n" + buffer.getvalue()


def write() -> None:
    """Writes the file in one step: who reads it meanwhile sees the old one or the new one."""
    draft = FILE.with_name(f".{FILE.name}.{os.getpid()}")
    try:
        draft.write_bytes(build())
        draft.replace(FILE)
    finally:
        draft.unlink(missing_ok=True)


def _built(grammar: str, transformer: Transformer[Any, Any] | None) -> Lark:
    return Lark(grammar, parser="lalr", lexer="basic", start=STARTS, transformer=transformer, maybe_placeholders=False)


def _head(grammar: str, tables: bytes) -> bytes:
    of_grammar = hashlib.sha256(grammar.replace("\r\n", "\n").encode()).hexdigest()
    return f"{lark.__version__} {of_grammar} {len(tables)} {hashlib.sha256(tables).hexdigest()}".encode()


if __name__ == "__main__":
    write()
