"""The matrix in Python: rows, a text and HTML, all of the same exact cells."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

import fwengine
from fwengine import PolicyError, loads, reach

TEXT = """
net office = 10.20.0.0/16
net web = 192.0.2.80
allow tcp from office to web port https
allow tcp from any to web port 80 in wan0
"""


def test_rows() -> None:
    found = reach(loads(TEXT), "office", "web")
    rows = {(row["source"], row["destination"]): (row["access"], row["services"]) for row in found}
    assert len(rows) == len(found) == 4
    assert rows["office", "office"] == ("nothing", "nothing")
    assert rows["office", "web"] == ("part", "tcp/https, tcp/http (in wan0)")
    assert rows["web", "office"] == ("nothing", "nothing")
    assert found[1] == {
        "source": "office",
        "destination": "web",
        "access": "part",
        "services": "tcp/https, tcp/http (in wan0)",
    }
    assert "who reaches whom: of 4 pairs 2 open in part, 2 shut" in str(found)
    assert repr(found) == "<Reach: 2 zones of '<text>'>"
    assert fwengine.Reach is type(found)


def test_html_is_escaped_and_whole() -> None:
    text = "net office = 10.20.0.0/16\nnet web = 192.0.2.80\nallow tcp from office to web port https\n"
    shown = reach(loads(text))._repr_html_()
    tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            tags.append(tag)

    Reader().feed(shown)
    assert tags.count("tr") == 1 + 3  # the head; two networks and the rest of the world
    assert {"script", "img", "link"}.isdisjoint(tags)
    assert "tcp/https" in shown


def test_what_cannot_be_asked() -> None:
    with pytest.raises(PolicyError):
        reach(loads("allow tcp"), "nowhere")
