"""Colours for the rule language in pages: the keywords are those of its grammar."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from pygments.lexer import RegexLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text, _TokenType

from .grammar import keywords

__all__ = ["FwlLexer"]  # Pygments asks for it

STATEMENTS: Final = ("net", "ports", "service", "interface", "default", "include", "expect")


class FwlLexer(RegexLexer):
    """The rule language."""

    name = "fwengine"
    aliases: ClassVar[list[str]] = ["fwl"]
    filenames: ClassVar[list[str]] = ["*.fwl"]
    tokens: ClassVar[dict[str, list[tuple[str, _TokenType]]]] = {
        "root": [
            (r"\s+", Text),
            (r"#.*", Comment.Single),
            (r'"(?:[^"\\\n]|\\.)*"', String),
            (r"\b(?:allow)(?![\w.-])", Keyword),
            (r"\b(?:deny)(?![\w.-])", Keyword),
            (rf"^(?:{'|'.join(STATEMENTS)})(?![\w.-])", Keyword.Declaration),
            (rf"(?<![\w.-])(?:{'|'.join(map(re.escape, keywords()))})(?![\w.-])", Keyword),
            (r"->|>=|<=|==|!=|[<>=]", Operator),
            (r"[{},]", Punctuation),
            (r"[0-9a-fA-F]*:[0-9a-fA-F:.\[\]/]+|\d[\d.:/-]*", Number),
            (r"[^\s{},#\"=<>]+", Name),
        ]
    }
