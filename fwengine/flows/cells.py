"""Cells of record batches -> the texts that a CSV has for them, whatever their type is. Knows neither columns' roles nor policies."""

from __future__ import annotations

import datetime
from typing import Any, Final

_UNREADABLE: Final = "?"  # no log's word for anything
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
PER_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def is_worded(pyarrow: Any, type_: Any) -> bool:
    """Are a type's values texts, or numbers that pyarrow writes as the same texts?"""
    types = pyarrow.types
    if types.is_dictionary(type_):
        type_ = type_.value_type
    return any(
        test(type_)
        for test in (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_decimal)
    )


def values_of(column: Any) -> list[Any]:
    """The values of a column, each as `value_of` has it."""
    try:
        found: list[Any] = column.to_pylist()
    except (ValueError, OverflowError):  # one is out of range, or no UTF-8
        found = [value_of(scalar) for scalar in column]
    return found


def value_of(scalar: Any) -> Any:
    """A value; a text that means nothing for one that Python has no value for."""
    unit = getattr(scalar.type, "unit", "")
    try:
        if unit and hasattr(scalar.type, "tz"):
            return None if scalar.value is None else _moment(scalar.value, PER_SECOND[unit])
        return scalar.as_py()
    except (ValueError, OverflowError, ImportError):
        return _UNREADABLE


def text_of(value: Any) -> str:
    """A value's text; numbers that are whole have no point, since a column that lacks some is often one of floats."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value).strip()


def digits(text: str) -> int:
    """A number written as a log's are.

    Raises:
        ValueError: if it is written otherwise.
    """
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(text)
    return int(text)


def _moment(ticks: int, per_second: int) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(milliseconds=ticks * 1000 // per_second)
