"""An answer as Markdown, for a comment on a pull request: failures first, then the answer's blocks.

GitHub Flavored Markdown (spec 0.29): tables are an extension that most hosts have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..answer import Answer, Block
from ..failure import Failure
from ..screen import visible
from . import Encode

# Cells that stand as they are: code in printable ASCII, and words that say nothing to Markdown.
_PLAIN = re.compile(r"`(?! )[ -_a-{}~]+(?<! )`|(?!-)[0-9A-Za-z ,.:%/^()=-]*")
_BAR = re.compile(r"(?<!\\)\|")
_SPECIAL = re.compile(r"([\\`*_\[\]<#|~&$@]|^[>+-])")


def render(answer: Answer | None, failures: Sequence[Failure], encode: Encode) -> Iterator[str]:
    """Blocks, with a blank line between them."""
    yield from _apart((*map(_failure, failures), *(map(_block, answer.blocks()) if answer else ())))


def page(blocks: Iterable[Block]) -> str:
    """Blocks as one text."""
    return "\n".join(_apart(map(_block, blocks)))


def _apart(blocks: Iterable[str]) -> Iterator[str]:
    begun = False
    for block in blocks:
        if begun:
            yield ""
        begun = True
        yield block


def escaped(text: str) -> str:
    """Text that says of itself nothing to Markdown; nothing in it is taken for a link, a mention or HTML."""
    return _SPECIAL.sub(r"\\\1", visible(text.replace("\n", " ")))


def quoted(text: str) -> str:
    """Text as code within a line, whatever it holds."""
    shown = visible(text.replace("\n", " "))
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown[:1] in ("`", " ") or shown[-1:] in ("`", " ") else ""
    return f"{fence}{pad}{shown}{pad}{fence}" if shown else ""


def _words(text: str) -> str:
    """What stands between backticks is code, as in the messages of diagnostics; the rest is escaped."""
    parts = visible(text.replace("\n", " ")).split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    return "".join(quoted(part) if n % 2 else _SPECIAL.sub(r"\\\1", part) for n, part in enumerate(parts))


def _failure(failure: Failure) -> str:
    where = f"{quoted(str(failure.span or failure.file))}: " if failure.span or failure.file else ""
    help = f" ({_words(failure.help)})" if failure.help else ""
    return f"**error {failure.code}** {where}{_words(failure.message)}{help}"


def _block(block: Block) -> str:
    if block.kind == "heading":
        return f"### {_words(block.text)}"
    if block.kind == "table":
        head = [_cell(text) for text in block.head]
        rows = [" | ".join(map(_cell, row)) for row in block.cells]
        return "\n".join(f"| {row} |" for row in (" | ".join(head), " | ".join("---" for _ in head), *rows))
    if block.kind == "code":
        return _fenced(block.lines)
    return _words(block.text)


def _cell(text: str) -> str:
    """In a table a bar ends the cell, in code as well; several lines have breaks between them."""
    if _PLAIN.fullmatch(text):  # most cells are: there may be very many
        return text
    if "\n" in text:
        return "<br>".join(map(_cell, text.split("\n")))
    return _BAR.sub(r"\\|", _words(text))


def _fenced(lines: Sequence[str]) -> str:
    body = [visible(part) for line in lines for part in line.split("\n")]
    longest = max((len(run) for line in body for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence, *body, fence])
