"""Texts of files, written in one step, and what to tell of files that cannot be read or written."""

from __future__ import annotations

import json
import re

from ..errors import Diagnostic, PolicyError, Span
from ..replacing import replaced


def replace(path: str, text: str) -> None:
    """Writes a file in one step, as `replacing.replaced`.

    Raises:
        PolicyError: FW001 if that fails; then the file is as it was, and nothing is left beside it.
    """
    data = text.encode()
    try:
        with replaced(path) as stream:
            stream.write(data)
    except OSError as error:
        raise failure("write", path, error) from None


def json_text(value: object, indent: int | None = None) -> str:
    """JSON that a file takes: of the name of a file that is not UTF-8, what cannot be written is escaped."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda found: json.dumps(found[0])[1:-1], text) + "\n"


def failure(verb: str, path: str, error: OSError | RuntimeError) -> PolicyError:
    """What to tell of a file that cannot be read or written."""
    reason = (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()
    return PolicyError([Diagnostic("FW001", f"cannot {verb} `{path}`: {reason}", Span(path, 1, 1, 1, 1))])
