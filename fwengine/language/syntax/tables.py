"""The parser's tables, computed once and shipped: building them anew takes longer than most policies take to load.

The file begins with a line that says by which version of Lark, for which grammar and for which bytes behind the line it
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
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lark import Lark, Transformer

STARTS = ["statement", "claim", "region", "packet"]
GRAMMAR = Path(__file__).with_name("grammar.lark")
FILE = Path(__file__).with_name("grammar.tables")


class Stored(NamedTuple):
    """What the file holds, and the version of Lark that made it."""

    version: str
    tables: bytes


def parser(transformer: Transformer[Any, Any] | None) -> Lark:
    """The LALR(1) parser of the grammar, from the shipped tables if they fit."""
    import lark

    grammar = GRAMMAR.read_text("utf-8")
    found = stored(grammar)
    if found is None or found.version != lark.__version__:
        return _built(grammar, transformer)
    parts = pickle.loads(found.tables)  # noqa: S301  # a file of this package, as its code is, and as it was written
    made: Lark = lark.Lark._load_from_dict(parts["data"], parts["memo"], transformer=transformer)  # type: ignore[no-untyped-call]  # Lark has no types for it
    return made


def parts() -> dict[str, Any] | None:
    """The shipped tables as plain data, whichever version of Lark is installed; None if they do not fit the grammar."""
    found = stored(GRAMMAR.read_text("utf-8"))
    if found is None:
        return None
    made: dict[str, Any] = pickle.loads(found.tables)  # noqa: S301  # as above
    return made


def stored(grammar: str) -> Stored | None:
    """The shipped tables of a grammar; None unless they were made for it and are whole."""
    try:
        head, _, tables = FILE.read_bytes().partition(b"\n")
    except OSError:
        return None
    version, _, rest = head.decode("ascii", "replace").partition(" ")
    return Stored(version, tables) if rest == _digest(grammar, tables) else None


def build() -> bytes:
    """The contents of the file for this grammar and this version of Lark."""
    import lark

    grammar = GRAMMAR.read_text("utf-8")
    buffer = io.BytesIO()
    _built(grammar, None).save(buffer)
    return f"{lark.__version__} {_digest(grammar, buffer.getvalue())}\n".encode() + buffer.getvalue()


def write() -> None:
    """Writes the file in one step: who reads it meanwhile sees the old one or the new one."""
    draft = FILE.with_name(f".{FILE.name}.{os.getpid()}")
    try:
        draft.write_bytes(build())
        draft.replace(FILE)
    finally:
        draft.unlink(missing_ok=True)


def _built(grammar: str, transformer: Transformer[Any, Any] | None) -> Lark:
    from lark import Lark

    return Lark(grammar, parser="lalr", lexer="basic", start=STARTS, transformer=transformer, maybe_placeholders=False)


def _digest(grammar: str, tables: bytes) -> str:
    of_grammar = hashlib.sha256(grammar.replace("\r\n", "\n").encode()).hexdigest()
    return f"{of_grammar} {len(tables)} {hashlib.sha256(tables).hexdigest()}"


if __name__ == "__main__":
    write()
