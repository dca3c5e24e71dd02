"""What commands write as JSON, held against the schema that `fwengine schema` writes; nothing where jsonschema is not here."""

from __future__ import annotations

from functools import cache
from typing import Any

from fwengine.report import schema


@cache
def _validator(command: str, lines: bool) -> Any:
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        return None
    return Draft202012Validator((schema.line if lines else schema.document)(command))


def hold(document: Any, command: str, *, lines: bool = False) -> None:
    """Raises ValidationError unless it is as the schema of the command says."""
    if command in schema.commands():
        validator = _validator(command, lines)
        if validator is not None:
            validator.validate(document)
