"""The reference of JSON answers, made of the schemas that `fwengine schema` writes, and those schemas as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fwengine.report.schema import commands, document, line


def files() -> Iterator[tuple[str, str]]:
    """Each schema by its name below `reference/schema/`."""
    for command in commands():
        yield f"{command}.json", _text(document(command))
        yield f"{command}-lines.json", _text(line(command))


def reference() -> str:
    """Keys and types of every answer, and once of each thing that answers are made of."""
    parts, things = [], dict[str, Any]()
    for command in commands():
        schema = document(command)
        things |= schema["$defs"]
        files_ = f"Schema: [{command}.json](schema/{command}.json); of its lines [{command}-lines.json](schema/{command}-lines.json)."
        parts += [f"## {command}", files_]
        for form in schema["anyOf"][:-1]:
            parts += [form["description"], _table(form)]
    parts += ["## What answers are made of { #records }", "Each is one thing, and has one form wherever it stands."]
    for name, thing in sorted(things.items()):
        parts += [f"### {name} {{ #{name.lower()} }}", thing["description"], _table(thing)]
    return "\n\n".join(part for part in parts if part)


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _table(form: dict[str, Any]) -> str:
    needed = set(form["required"])
    rows = [
        f"| `{key}` | {_type(of)}{'' if key in needed else ' (may be missing)'} |"
        for key, of in form["properties"].items()
    ]
    return "\n".join(["| key | type |", "|---|---|", *rows])


def _type(schema: dict[str, Any]) -> str:
    """A type in words, with links to things."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_type, schema["anyOf"])))
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"a list of {len(schema['prefixItems'])}: " + ", ".join(map(_type, schema["prefixItems"]))
        return f"a list of {_type(schema['items'])}"
    if schema.get("type") == "object":
        return f"an object, each value {_type(schema['additionalProperties'])}"
    return f"{schema['type']} of digits" if "pattern" in schema else str(schema["type"])
