"""The blocks of code in a page: what language they are in, their title, their text."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its fence, `source` the whole of it."""

    language: str
    title: str
    text: str
    line: int
    source: str

    def with_text(self, text: str) -> str:
        """The source of the block with another text."""
        head = self.source.partition("\n")[0]
        return f"{head}\n{text.rstrip()}\n```"


def blocks(page: str) -> list[Block]:
    """All blocks of a page, in order.

    >>> [(b.language, b.title, b.text) for b in blocks('x\\n```fwl title="Wrong"\\nallow\\n```\\n')]
    [('fwl', 'Wrong', 'allow\\n')]
    """
    out = []
    for found in re.finditer(r'^```([\w-]*)(?: title="([^"]*)")?\n(.*?)^```$', page, re.MULTILINE | re.DOTALL):
        line = page.count("\n", 0, found.start()) + 1
        out.append(Block(found[1], found[2] or "", found[3], line, found[0]))
    return out
