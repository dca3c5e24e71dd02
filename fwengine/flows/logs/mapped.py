"""JSON whose objects have a key for each thing that a log tells: nfdump's, and any whose keys are named.

A key may lead inside: `connection.src_ip`. Source of nfdump's keys: its output_json.c.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..flow import Flow
from .columns import NEEDED, ROLES, Columns, Role, role_of

_SIX: Final[tuple[tuple[Role, str], ...]] = (("src", "src6_addr"), ("dst", "dst6_addr"))  # nfdump's keys for IPv6


def looks(value: Mapping[str, Any]) -> bool:
    """Do its keys tell what is needed?"""
    found = {role_of(key) for key in value} | {role for role, key in _SIX if key in value}
    return all(role in found for role in NEEDED)


def reader(stated: Mapping[Role, str] | None) -> Callable[[Mapping[str, Any]], Flow]:
    """What makes a flow of an object: by the keys that are stated, or by what keys are usually called."""
    columns = Columns({role: n for n, role in enumerate(ROLES)})

    def of_mapping(value: Mapping[str, Any]) -> Flow:
        told = _usual(value) if stated is None else {role: _inside(value, key) for role, key in stated.items()}
        return columns.flow([_text(told.get(role)) for role in ROLES])

    return of_mapping


def _usual(value: Mapping[str, Any]) -> dict[Role, Any]:
    found: dict[Role, Any] = {}
    for key, inner in value.items():
        role = role_of(key)
        if role is not None:
            found.setdefault(role, inner)
    for role, key in _SIX:
        if key in value:
            found.setdefault(role, value[key])
    return found


def _inside(value: Mapping[str, Any], key: str) -> Any:
    if key in value:
        return value[key]
    found: Any = value
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)
