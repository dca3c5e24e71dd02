"""Where something is: places within spans, files by their addresses. Knows nothing of the protocol, nor of its library."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..errors import Span


def holds(span: Span, line: int, column: int) -> bool:
    """Is the place within a span, or just behind it, where a cursor stands at the end of a word?"""
    return (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)


def path_of(uri: str) -> str:
    """The file that a client's address names; the address itself where that is no file."""
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri


def uri_of(path: str, like: str) -> str:
    """The address of a file; `like` is one that the client gave, and is kept if it names the same file."""
    if path_of(like) == path:
        return like
    return path if "://" in path else Path(path).absolute().as_uri()
