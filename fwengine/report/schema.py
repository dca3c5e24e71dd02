"""JSON Schema of what commands answer, made of the types of the records: nothing about a form is said twice.

JSON Schema, draft 2020-12 (https://json-schema.org/draft/2020-12/json-schema-core).
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from .answer import Answer
from .changed import Changed
from .checked import Checked
from .converted import Conversion
from .counted import Counted
from .described import Explained, Version
from .drawn import Drawn
from .evaluated import Evaluated
from .flowed import Flowed
from .mended import Mended
from .packet_rows import PacketFared, PerPacket
from .proved import Proved
from .reached import Reached
from .record import BIG, FailureRecord, Record, keys
from .render import FORMAT_VERSION
from .ruled import Listed, Sized
from .searched import Searched
from .shown import Shown
from .tested import Tests
from .written import Formatted, Reported, Started, Synthesized

ANSWERS: Final[tuple[type[Answer], ...]] = (
    Checked, Mended, Evaluated, Counted, PerPacket, Tests, Searched, Proved, Changed, Flowed, Synthesized, Formatted, Conversion, Started,
    Reported, Listed, Sized, Drawn, Shown, Reached, Explained, Version,
)  # fmt: skip
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SPARSE: Final[frozenset[type[Record]]] = frozenset({PacketFared})  # written without what is null by default
_SIMPLE: Final[Mapping[object, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}

Schema = dict[str, Any]


def commands() -> tuple[str, ...]:
    """The commands whose answers have a form, in order.

    >>> commands()[:3]
    ('check', 'eval', 'test')
    """
    return tuple(dict.fromkeys(answer.command for answer in ANSWERS))


def document(command: str) -> Schema:
    """The schema of a command's JSON document: an answer with failures beside it, or failures alone."""
    defs: dict[str, Schema] = {}
    failed = {"errors": {"type": "array", "items": _schema(FailureRecord, defs)}}
    head = {"format_version": {"const": FORMAT_VERSION}}
    said = {"command": {"const": command}}
    forms = [
        {**_object({**head, **said, **_properties(answer, defs), **failed}), "description": _told(answer)}
        for answer in _answers(command)
    ]
    forms.append({**_object({**head, **failed}), "description": "No answer: what kept the command from it."})
    return _page(command, "document", forms, defs)


def line(command: str) -> Schema:
    """The schema of each line of a command's JSON Lines: a row, a failure, or the summary, which is the last."""
    defs: dict[str, Schema] = {}
    forms: list[Schema] = []
    for answer in _answers(command):
        properties = _properties(answer, defs)
        if answer.rows:
            forms.append(properties.pop(answer.rows)["items"])
        head = {"format_version": {"const": FORMAT_VERSION}, "command": {"const": command}}
        forms.append(_object({"summary": {**_object({**head, **properties}), "description": _told(answer)}}))
    forms.append(_object({"error": _schema(FailureRecord, defs)}))
    return _page(command, "line", forms, defs)


def _answers(command: str) -> list[type[Answer]]:
    return [answer for answer in ANSWERS if answer.command == command]


def _page(command: str, what: str, forms: list[Schema], defs: dict[str, Schema]) -> Schema:
    return {
        "$schema": DIALECT,
        "$id": f"urn:fwengine:schema:{FORMAT_VERSION}:{command}:{what}",
        "title": f"fwengine {command}: {what}",
        "anyOf": forms,
        "$defs": dict(sorted(defs.items())),
    }


def _object(properties: Mapping[str, Schema], required: list[str] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def _properties(kind: type[Record], defs: dict[str, Schema]) -> dict[str, Schema]:
    hints = get_type_hints(kind, include_extras=True)
    return {name.rstrip("_"): _schema(hints[name], defs) for name in keys(kind)}


def _schema(hint: Any, defs: dict[str, Schema]) -> Schema:
    """The schema of a type: those of which records are made, and no others."""
    if isinstance(hint, type) and issubclass(hint, Record):
        return _reference(hint, defs)
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated and arguments[1] == BIG:
        return {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]+$"}]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(inner, defs) for inner in arguments]}
    if origin is Sequence or (origin is tuple and arguments[-1] is Ellipsis):
        return {"type": "array", "items": _schema(arguments[0], defs)}
    if origin is tuple:
        items = [_schema(inner, defs) for inner in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin is Sequence:
        return {"type": "array", "items": _schema(arguments[0], defs)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], defs)}
    raise TypeError(f"no record may hold {hint!r}")


def _reference(kind: type[Record], defs: dict[str, Schema]) -> Schema:
    name = kind.__name__.removesuffix("Record")
    if name not in defs:
        defs[name] = {}  # a record may hold others of its kind
        sparse = kind in _SPARSE
        required = [f.name.rstrip("_") for f in fields(kind) if f.default is MISSING] if sparse else None
        defs[name] = {"description": _told(kind), **_object(_properties(kind, defs), required)}
    return {"$ref": f"#/$defs/{name}"}


def _told(kind: type[Record]) -> str:
    return inspect.cleandoc(kind.__doc__ or "")
