"""Records: what they say as data is what they mean, and JSON can hold all of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.generators import boxes

from fwengine import loads
from fwengine.analysis.query import query
from fwengine.model.address import parse as parse_address
from fwengine.model.box import Box
from fwengine.model.fields import ABSENT, FULL, SOME_INTERFACE, TABLE, interface_number
from fwengine.model.interval import IntervalSet
from fwengine.policy import read_claim, region
from fwengine.report.making import field_set, region_of, rule_at
from fwengine.report.record import EXACT, FieldSet, Place, RuleRecord, plain
from fwengine.report.render import FORMS, render
from fwengine.report.searched import Searched


def read_back(fields: dict[str, Any]) -> Box:
    """The box that the structured form of a region means, read from JSON."""
    sets = list(FULL)
    for word, told in fields.items():
        spec = next(spec for spec in TABLE if spec.word == word)
        if spec.kind == "interface":
            chosen = IntervalSet.union([(n, n) for n in map(interface_number, told["names"])])
            chosen |= IntervalSet.union([(int(lo), int(hi)) for lo, hi in told["ranges"]])
            chosen = SOME_INTERFACE - chosen if told["inverted"] else chosen
        elif spec.kind == "address":
            chosen = IntervalSet.union([(parse_address(lo), parse_address(hi)) for lo, hi in told["ranges"]])
        else:
            chosen = IntervalSet.union([(lo, hi) for lo, hi in told["ranges"]])
        if told["absent"]:
            chosen |= IntervalSet.single(ABSENT[spec.field])
        sets[spec.field] = chosen
    return Box(tuple(sets))


@given(boxes())
def test_a_region_in_parts_is_the_region(box: Box) -> None:
    told = json.loads(json.dumps(region_of(box).to_dict()))
    assert read_back(told["fields"]) == box
    assert int(told["flows"]) == box.flows


@pytest.mark.parametrize(
    "text",
    [
        "any",
        "tcp to any port ssh",
        "any in not wan0",
        "any in { wan0, none }",
        "any out not none",
        "icmp type echo-request",
    ],
)
def test_a_region_in_words_and_in_parts_is_one(text: str) -> None:
    for box in region(None, text):
        told = json.loads(json.dumps(region_of(box).to_dict()))
        assert read_back(told["fields"]) == box
        assert region(None, told["text"]) == (box,)


def test_values_that_have_names_have_them() -> None:
    (box,) = region(None, "tcp fragment later in { wan0, lan0 } state { new, related }")
    told = region_of(box).fields
    assert told["protocol"] == FieldSet(((6, 6),), ("tcp",))
    assert told["fragment"] == FieldSet(((2, 2),), ("later",))
    assert sorted(told["in"].names) == ["lan0", "wan0"]
    assert told["state"].names == ("new", "related")


def test_interfaces_that_no_text_gives_are_numbers() -> None:
    field = next(spec.field for spec in TABLE if spec.word == "in")
    many = field_set(field, IntervalSet(((1 << 40, (1 << 40) + 5000),)))
    assert many == FieldSet((((1 << 40), (1 << 40) + 5000),))


@given(st.integers())
def test_numbers_that_json_would_round_are_strings(number: int) -> None:
    told = plain(number)
    assert int(told) == number
    assert isinstance(told, str) == (abs(number) > EXACT)


def test_a_rule_is_called_by_its_name_or_its_place() -> None:
    policy = loads("allow tcp as web\nallow udp\n", file="p.fwl")
    named, nameless, default = (rule_at(policy, n) for n in range(3))
    assert (str(named), str(nameless), str(default)) == ("web (p.fwl:1)", "p.fwl:2", "default")
    assert (named.named, nameless.named, default.place) == (True, False, None)
    assert default == RuleRecord("default", "deny", None)
    assert nameless.place == Place("p.fwl", 2, 1, 2, 10)


def test_what_stands_in_names_is_no_markdown() -> None:
    """Nothing that a policy holds becomes a link, a mention, HTML or the end of a cell."""
    policy = loads("allow tcp\n", file="a|b`c<img>@me.fwl")
    asked = read_claim(policy, "allow tcp")
    answer = Searched.of(policy, asked, "allow tcp\n| <b>", query(policy, asked.action, asked.boxes))
    page = "\n".join(render(answer, "markdown"))
    for line in page.splitlines():
        bare = []
        for n, part in enumerate(line.replace("``", "\0").split("\0")):
            bare += [] if n % 2 else [part]
        assert "<img>" not in "".join(bare).replace("\\<", "")
        if line.startswith("|"):
            assert len(line.replace("\\|", "").split("|")) == 7  # five cells


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="pdf"):
        list(render(None, "pdf"))
    assert [list(render(None, form)) for form in FORMS if form in ("text", "markdown", "github")] == [[], [], []]
