"""What an editor's text means after any edits is what it means when it is read for the first time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fwengine.language.meaning.lower import Lowering
from fwengine.language.syntax import parser
from fwengine.language.syntax.edited import Edited
from fwengine.language.syntax.parser import read
from fwengine.language.syntax.statements import pieces
from fwengine.lsp.opened import Memory, Opened, open_text

MAIN = """\
include "common.fwl"
default deny
net web = { 192.0.2.80-192.0.2.83, 2001:db8::80 }
net home = { office, 10.9.0.0/16 }
ports high = 1024-65535
ports mixed = { high, http, 80 }
service www = { tcp/http, tcp/https, tcp/80 }
allow www from any port high to web as web-in
deny tcp from {
  10.0.0.0/8,  # a block
  10.1.0.0/16
} to home port mixed as late
allow { tcp, udp } from home to any port domain
allow icmp from not office to web type echo-request
deny any from home in lan0
expect allow tcp from 198.51.100.1 port high to web port https by web-in
expect deny tcp from any to web port { https, telnet }
"""
COMMON = "net office = 10.20.0.0/16\nservice mail = tcp/smtp\nallow mail from office as mail\n"
BITS = (
    "allow tcp from any to web port http\n", "deny udp from home port mixed\n", "net web = 192.0.2.1\n", "net home = web\n",
    "ports high = 2000-3000\n", "ports http = 8080\n", "service www = udp/443\n", "interface lan = { lan0, lan1 }\n",
    "net a = {\n", "10.0.0.0/8,", "}\n", "{", "}", "# c\n", "\n", "\r\n", " \n", "alow tcp from web\n", "  port 5\n", "\u200b",
    "é😀", "\ufeff", '"', 'include "none.fwl"\n', 'include "common.fwl"\n', "default allow\n", "\r", "allow tcp from\n",
    "expect deny udp from any to web\n", "as late\n", "not ", " port ftp ", "net b = { b, a }\n", "allow mail from b to a\n",
    "\tdeny\ttcp\tfrom web\t# \t😀\n", "\t",
    "ports odd = sctp-only\n", "service tcp = 5\n", "deny { www, mail, udp } to home until 2027-13-01\n",
)  # fmt: skip


def changed(text: str, draw: random.Random) -> str:
    """One edit: something is put in, taken out, or both; or a line is moved, or written twice."""
    if draw.random() < 0.2:
        lines = text.splitlines(keepends=True) or [""]
        line = lines[draw.randrange(len(lines))] if draw.random() < 0.5 else lines.pop(draw.randrange(len(lines)))
        lines.insert(draw.randrange(len(lines) + 1), line)
        return "".join(lines)
    at = draw.randrange(len(text) + 1)
    if draw.random() < 0.5:  # whole lines, which are more often right
        at = text.rfind("\n", 0, at) + 1
    end = min(len(text), at + draw.choice((0, 0, 1, 3, 40)))
    return text[:at] + "".join(draw.choice(BITS) for _ in range(draw.randrange(3))) + text[end:]


def meaning(opened: Opened) -> Mapping[str, Any]:
    """All that is known of a text, places as well, which equality leaves out."""
    policy = opened.policy
    assert policy is not None
    return {
        "errors": opened.errors,
        "texts": opened.texts,
        "statements": [(s, s.span) for s in opened.statements],
        "pieces": opened.pieces,
        "sure": opened.sure,
        "rules": [(r, r.span, r.written, r.negated, r.opened) for r in policy.rules],
        "default": policy.default,
        "expectations": [(e, e.span) for e in policy.expectations],
        "definitions": policy.definitions,
        "mentions": policy.names.mentions,
        "names": policy.names,
        "remarks": policy.remarks,
    }


def edits(seed: int, steps: int) -> Iterator[dict[str, str]]:
    """The files as they stand after one edit after another."""
    draw = random.Random(seed)
    files = {"main.fwl": MAIN, "common.fwl": COMMON}
    if seed % 3 == 0:
        files["main.fwl"] = MAIN.replace("\n", "\r\n")
    for _ in range(steps):
        yield dict(files)
        name = "main.fwl" if draw.random() < 0.8 else "common.fwl"
        before = files[name]
        files[name] = changed(before, draw)
        if draw.random() < 0.4:  # and taken back, as who types mends what is broken
            yield dict(files)
            files[name] = before


def check(seed: int, steps: int) -> None:
    memory = Memory()
    for number, files in enumerate(edits(seed, steps)):

        def reading(name: str, files: dict[str, str] = files) -> bytes:
            if name not in files:
                raise FileNotFoundError(name)
            return files[name].encode()

        interfaces = ("wan0",) if seed % 4 == 0 else ()
        now = open_text("main.fwl", reading, interfaces=interfaces, memory=memory)
        fresh = open_text("main.fwl", reading, interfaces=interfaces)
        assert meaning(now) == meaning(fresh), (seed, number, files)


@pytest.mark.parametrize("seed", range(40))
def test_after_any_edits_a_text_means_what_it_says(seed: int) -> None:
    check(seed, 12)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1060))
def test_after_many_edits_a_text_means_what_it_says(seed: int) -> None:
    check(seed, 40)


@pytest.mark.parametrize("seed", range(60))
def test_after_any_edits_the_tree_is_that_of_a_first_reading(seed: int) -> None:
    draw = random.Random(seed)
    edited, text = Edited("a"), "".join(draw.choice(BITS) for _ in range(draw.randrange(30)))
    for _ in range(12):
        now, fresh = edited.read(text), read(text, "a")
        assert now == fresh
        assert [s.span for s in now[0].statements] == [s.span for s in fresh[0].statements]
        assert edited.pieces == tuple(pieces(text))
        text = changed(text, draw)


def _counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    counts = {"parsed": 0, "meant": 0}
    parse, meant = parser._parse, Lowering._meaning

    def parsing(*args: Any) -> Any:
        counts["parsed"] += 1
        return parse(*args)

    def meaning_of(*args: Any) -> Any:
        counts["meant"] += 1
        return meant(*args)

    monkeypatch.setattr(parser, "_parse", parsing)
    monkeypatch.setattr(Lowering, "_meaning", meaning_of)
    return counts


def _after(counts: dict[str, int], memory: Memory, text: str) -> tuple[int, int]:
    counts.update(parsed=0, meant=0)
    open_text("a.fwl", lambda name: text.encode(), memory=memory)
    return counts["parsed"], counts["meant"]


def test_only_what_has_changed_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, memory = _counted(monkeypatch), Memory()
    lines = ["net web = 192.0.2.80", "net office = 10.20.0.0/16"]
    lines += [f"allow tcp from 10.0.{n}.0/24 to {'web' if n < 10 else 'office'} port http" for n in range(100)]

    def after(*now: str) -> tuple[int, int]:
        return _after(counts, memory, "\n".join(now))

    assert after(*lines) == (102, 100)
    assert after(*lines) == (0, 0)
    assert after(*lines[:50], lines[50].replace("http", "https"), *lines[51:]) == (1, 1)
    assert after(*lines[:50], "# above", *lines[50:]) == (1, 1)  # back, and all below one line further down
    assert after(*lines[:50], "allow tcp fr", *lines[50:]) == (1, 0)  # broken
    assert after(*lines) == (0, 0)
    assert after("net web = 192.0.2.81", *lines[1:]) == (1, 10)  # those that use the name
