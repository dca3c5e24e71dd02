"""JSON put together piece by piece: to the byte what the whole value gives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.generators import boxes

from fwengine.model.box import Box
from fwengine.report.making import region_of
from fwengine.report.record import FieldSet, Place, Record, RuleRecord, Witness, plain
from fwengine.report.render.json_text import Writer

TEXT = st.text(max_size=8) | st.sampled_from(['"', "\\", "\x7f", "é", "\ud800", "\n"])
NUMBERS = st.integers() | st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1])


def encode(value: object, indent: int | None) -> str:
    return json.dumps(value, indent=indent)


@dataclass(frozen=True)
class Anything(Record):
    """A record with what a record may hold; `class_` is `class` as a key, and `_shown` is none."""

    class_: Any
    inner: tuple[Any, ...]
    fields: dict[str, Any]
    _shown: int = 0


rules = st.builds(RuleRecord, TEXT, st.just("allow"), st.none() | st.builds(Place, TEXT, NUMBERS))
leaves = st.none() | st.booleans() | NUMBERS | TEXT | st.floats(allow_nan=False) | rules
values = st.recursive(
    leaves | st.builds(Witness, TEXT, st.just("deny"), rules) | st.builds(FieldSet, st.just(()), st.just(("a",))),
    lambda inner: st.builds(
        Anything, inner, st.lists(inner, max_size=3).map(tuple), st.dictionaries(TEXT, inner, max_size=2)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("indent", [None, 2])
@given(st.lists(values, max_size=3))
def test_it_is_the_text_of_the_whole(indent: int | None, some: list[Any]) -> None:
    writer = Writer(encode, indented=indent is not None)
    for value in [*some, *some]:  # the second time from what is remembered
        assert writer.text(value) == encode(plain(value), indent)
    assert writer.text(some) == encode(plain(some), indent)


@given(st.lists(boxes(), max_size=4))
def test_so_are_regions(some: list[Box]) -> None:
    writer = Writer(encode)
    for box in [*some, *some]:
        assert writer.text(region_of(box)) == encode(region_of(box).to_dict(), None)


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fwengine.report.render.json_text._MOST", 2)
    test_it_is_the_text_of_the_whole(None)
