"""Writes `syntaxes/fwl.tmLanguage.json` from the grammar's keywords: `python editors/vscode/textmate.py`, after a change of them.

A test holds that the file is what this makes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FILE = HERE / "syntaxes" / "fwl.tmLanguage.json"
GRAMMAR = HERE.parents[1] / "fwengine" / "language" / "syntax" / "grammar.lark"

ACTIONS = ("allow", "deny")
STATEMENTS = ("net", "ports", "service", "interface", "default", "include", "expect")


def keywords(grammar: str) -> list[str]:
    """The keywords of the grammar, in its order."""
    return re.findall(r'^_?[A-Z]+: "([a-z]+)"', grammar, re.MULTILINE)


def textmate(grammar: str) -> dict[str, Any]:
    """The highlighting: what a word is, by itself; what it means is the server's affair."""
    others = [word for word in keywords(grammar) if word not in (*ACTIONS, *STATEMENTS)]

    def words(some: tuple[str, ...] | list[str]) -> str:
        return rf"(?<![\w.-])(?:{'|'.join(sorted(some))})(?![\w./:-])"

    patterns = [
        {"name": "comment.line.number-sign.fwl", "match": "#.*$"},
        {"name": "string.quoted.double.fwl", "match": r'"(?:[^"\\]|\\.)*"'},
        {"name": "keyword.control.allow.fwl", "match": words(["allow"])},
        {"name": "keyword.control.deny.fwl", "match": words(["deny"])},
        {"name": "storage.type.fwl", "match": words(STATEMENTS)},
        {
            "match": r"(?<![\w.-])(as|by)\s+([^\s{},=#\"]+)",
            "captures": {"1": {"name": "keyword.other.fwl"}, "2": {"name": "entity.name.function.fwl"}},
        },
        {"name": "keyword.other.fwl", "match": words(others)},
        {"name": "constant.language.fwl", "match": words(["any", "none", "ipv4", "ipv6"])},
        {
            "name": "constant.numeric.address.fwl",
            "match": r"(?<![\w.:-])(?:[0-9]+(?:\.[0-9]+){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)(?:/[0-9A-Fa-f.:]+)?",
        },
        {"name": "constant.numeric.date.fwl", "match": r"(?<![\w.-])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![\w.-])"},
        {"name": "constant.numeric.fwl", "match": r"(?<![\w.:-])[0-9]+(?![\w.:])"},
        {"name": "keyword.operator.fwl", "match": "->|>=|<=|!=|==|[<>=]"},
        {"name": "punctuation.fwl", "match": "[{},]"},
    ]
    return {"name": "fwengine policy", "scopeName": "source.fwl", "fileTypes": ["fwl"], "patterns": patterns}


def text() -> str:
    """The file's contents."""
    return json.dumps(textmate(GRAMMAR.read_text("utf-8")), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
