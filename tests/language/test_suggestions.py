"""A suggestion is a promise: followed, it gives a text that is understood and means what the words said.

`idioms.toml` says by packets what other firewalls' words mean; `suggestions.toml` keeps all that the suite's wrong texts
are answered with: words, suggestion, meaning. FWENGINE_GOLDEN=write writes the latter anew; read the difference.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paths import ROOT

from fwengine.errors import Diagnostic, PolicyError
from fwengine.language.meaning.region import readable, show_box
from fwengine.language.syntax.lacking import LACKING
from fwengine.language.syntax.mistakes import KEYWORDS, slips_of
from fwengine.model.rules import Action
from fwengine.policy import Policy, loads, region
from fwengine.traffic.notation import parse

from .test_mistakes import _POSITIONS, GOLDEN, SPELLINGS

HERE = Path(__file__).parent
IDIOMS: list[dict[str, Any]] = tomllib.loads((HERE / "idioms.toml").read_text("utf-8"))["case"]
TABLE = HERE / "suggestions.toml"


def told(text: str) -> tuple[Diagnostic, ...]:
    try:
        loads(text, file="t.fwl")
    except PolicyError as error:
        return error.diagnostics
    return ()


def applied(text: str) -> list[str]:
    """The text with each of its suggestions followed, one at a time."""
    return [s.applied(text) for d in told(text) for s in d.suggestions]


def meaning(policy: Policy) -> list[str]:
    """What a policy means, in the plainest words: rules as regions, then definitions and expectations."""
    out = [f"default {policy.default}"] if policy.default is Action.ALLOW else []
    for rule in policy.rules:
        extra = [f"until {rule.until}"] if rule.until else []
        extra += ["log"] if rule.log else []
        extra += [f"as {rule.name}"] if rule.name else []
        out += [" ".join([str(rule.action), show_box(box), *extra]) for box in readable(rule.boxes)]
    for name, statement in policy.names.defined.items():
        kind = statement.content.kind  # type: ignore[union-attr]  # `defined` holds definitions
        asked = {"net": f"any from {name}", "ports": f"tcp from any port {name}", "service": name}[kind]
        out.append(f"{kind} {name}: " + " or ".join(show_box(box) for box in readable(region(policy, asked))))
    for claim in policy.expectations:
        by = f" by {claim.by}" if claim.by else ""
        out.append(f"expect {claim.action} " + " or ".join(show_box(b) for b in readable(claim.boxes)) + by)
    return out


# idioms: by packets


@pytest.mark.parametrize("case", IDIOMS, ids=[c["words"][:60] for c in IDIOMS])
def test_an_idiom_is_translated_to_what_it_means(case: dict[str, Any]) -> None:
    (d,) = told(case["words"])
    assert applied(case["words"])[: len(case["gives"])] == case["gives"], d
    for given_, text in zip(applied(case["words"]), case["gives"], strict=True):
        assert given_ == text
        policy = loads(text)
        action = policy.rules[0].action
        other = "deny" if action is Action.ALLOW else "allow"
        policy = loads(f"default {other}\n{text}")
        for packet in case["yes"]:
            assert policy.evaluate(parse(packet)).action is action, (text, packet)
        for packet in case["no"]:
            assert policy.evaluate(parse(packet)).action is not action, (text, packet)


@pytest.mark.parametrize(
    "text",
    [
        "allow tcp limit 10/second", "allow tcp to any port 22 limit 10/second burst 5", "allow tcp from mac 00:11:22:33:44:55",
        "allow tcp from any zone lan", "allow tcp vlan 10", "allow tcp time 08:00-17:00", "allow tcp from any nat 10.0.0.1",
        "allow tcp chain INPUT", "allow tcp to any port 80 keep state", "deny tcp user root", "allow tcp from country NL",
        "allow tcp mark 5", "pass in proto tcp to any port 22 keep state", "iptables -A INPUT -m limit --limit 5/min -j ACCEPT",
        "allow tcp to any port 443 application ssl", "expect deny tcp vlan 5",
    ],
)  # fmt: skip
def test_what_the_language_lacks_is_named_with_the_reason(text: str) -> None:
    (d,) = told(text)
    assert d.code in ("FW025", "FW026")
    assert "not part of" in d.message + d.help
    assert "because" in d.help
    assert d.suggestions == ()


@pytest.mark.parametrize(
    "text",
    [
        "block drop in all", "set firewall family inet filter F term T then accept", "access-list 1 permit tcp object A object B",
        "iptables -A INPUT -j MYCHAIN", "-A INPUT -p tcp -i eth+ -j ACCEPT", "ip saddr @blocked drop",
    ],
)  # fmt: skip
def test_a_line_that_is_not_understood_whole_is_named_and_not_translated(text: str) -> None:
    (d,) = told(text)
    assert (d.code, d.suggestions) == ("FW026", ())


def test_no_keyword_of_ours_is_said_to_be_lacking() -> None:
    assert not set(KEYWORDS) & set(LACKING)


# everything that the suite prints


def every_text() -> Iterator[str]:
    yield from (case["words"] for case in IDIOMS)
    yield from (text for text, *_ in SPELLINGS)
    for path in sorted(GOLDEN.glob("*.fwl")):
        yield path.read_text("utf-8", errors="replace")


def rows() -> Iterator[tuple[str, str, list[str]]]:
    """Words, suggestion, meaning: the line of the mistake, the line with the suggestion followed, and what it then means."""
    for text in dict.fromkeys(every_text()):
        for d in told(text):
            for s in d.suggestions:
                result = s.applied(text)
                line = d.span.line - 1 if len(told(text)) > 1 else None
                before, after = (t if line is None else t.split("\n")[line] for t in (text, result))
                errors = told(after) if line is not None else told(result)
                means = meaning(loads(after)) if not errors else [f"still {e.code}: {e.message}" for e in errors]
                yield before, after, means


def literal(text: str) -> str:
    """A TOML string."""
    out = "".join(
        c if c.isprintable() and c not in '"\\' else f"\\u{ord(c):04x}" if c not in '"\\' else "\\" + c for c in text
    )
    return f'"{out}"'


def test_every_suggestion_of_the_suite_is_in_the_table_with_its_meaning() -> None:
    made = list(rows())
    if os.environ.get("FWENGINE_GOLDEN") == "write":
        lines = ["# Words, suggestion, meaning: written by test_suggestions.py, read by people."]
        for words, suggestion, means in made:
            lines += ["", "[[row]]", f"words = {literal(words)}", f"suggestion = {literal(suggestion)}"]
            lines += [f"meaning = [{', '.join(map(literal, means))}]"]
        TABLE.write_text("\n".join(lines) + "\n", "utf-8")
    kept = [(r["words"], r["suggestion"], r["meaning"]) for r in tomllib.loads(TABLE.read_text("utf-8"))["row"]]
    assert made == kept


# anything that is damaged


def check_suggestions(text: str) -> None:
    """Followed, each suggestion settles its diagnostic, and the words that it brings are understood."""
    before = told(text)
    for d in before:
        for s in d.suggestions:
            result = s.applied(text)
            after = told(result)
            assert not [e for e in after if (e.code, e.message, e.span[:3]) == (d.code, d.message, d.span[:3])], (
                text,
                result,
            )
            first, last = s.span[1:3], end_of(s.span.line, s.span.column, s.text)
            for e in after:
                within = first <= (e.span.line, e.span.column) < last and (e.span.end_line, e.span.end_column) <= last
                assert not within or known(e, before) or e.code == "FW021" or hidden(e, text, result), (
                    text,
                    result,
                    str(e),
                )


def hidden(e: Diagnostic, text: str, result: str) -> bool:
    """Is it about the value of a word that the user wrote, and that the first mistake hid?"""
    line = result.split("\n")[e.span.line - 1]
    word = line[e.span.column - 1 : e.span.end_column - 1]
    return e.code.startswith("FW1") and word in re.split(r"[\s{},]+", text)


def end_of(line: int, column: int, text: str) -> tuple[int, int]:
    lines = text.split("\n")
    return (line, column + len(text)) if len(lines) == 1 else (line + len(lines) - 1, len(lines[-1]) + 1)


def known(e: Diagnostic, before: tuple[Diagnostic, ...]) -> bool:
    """Was it there before, wherever it stood?"""
    return any((d.code, d.message) == (e.code, e.message) for d in before)


@pytest.mark.parametrize("text", list(dict.fromkeys(every_text())), ids=lambda t: repr(t)[:60])
def test_followed_suggestions_settle_their_diagnostics(text: str) -> None:
    check_suggestions(text)


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_a_misspelt_keyword_is_mended_to_the_text_that_was_meant(keyword: str) -> None:
    for position in _POSITIONS[keyword]:
        if keyword == "include":
            continue
        right = position.replace("@", keyword)
        for wrong in [*sorted(slips_of(keyword)), keyword.upper()]:
            if wrong in KEYWORDS:
                continue
            assert right in applied(position.replace("@", wrong)), (position, wrong)


POLICIES = [path.read_text("utf-8") for path in sorted((ROOT / "rules").glob("*.fwl"))]
LINES = [
    (text, number)
    for text in POLICIES
    for number, line in enumerate(text.split("\n"))
    if re.match(r"(allow|deny|net|ports|service|expect|default)\b", line) and "include" not in text
]
_FOREIGN_WORDS = (
    "and", "or", "eq", "host", "proto", "dport", "sport", "on", "!", "[", "(", ";", "limit", "10/second", "quick", "log-prefix",
    "any", "not", "{", "}", ",", "-", "->", "80", "10.0.0.1", "0.0.0.255", "tcp", "icmp", "echo-request", "22/tcp", "established",
    "port", "from", "to", "in", "range", "except", "state", "accept", "drop", "#", '"', "=", "ssh", "S/SA", "flags",
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, str, str]:
    """A policy of `rules/` with one statement damaged; and that statement before and after."""
    text, number = draw(st.sampled_from(LINES))
    lines = text.split("\n")
    words = lines[number].split(" ")
    at = draw(st.integers(1, len(words) - 1))
    how = draw(st.sampled_from(("slip", "drop", "double", "swap", "insert", "replace", "case")))
    if how == "slip":
        words[at] = draw(st.sampled_from(sorted(slips_of(words[at])))) if len(words[at]) > 1 else words[at]
    elif how == "drop":
        del words[at]
    elif how == "double":
        words.insert(at, words[at])
    elif how == "swap":
        words[at - 1 : at + 1] = reversed(words[at - 1 : at + 1])
    elif how == "insert":
        words.insert(at, draw(st.sampled_from(_FOREIGN_WORDS)))
    elif how == "replace":
        words[at] = draw(st.sampled_from(_FOREIGN_WORDS))
    else:
        words[at] = words[at].upper()
    before, lines[number] = lines[number], " ".join(words)
    return "\n".join(lines), before, lines[number]


@given(damaged())
@settings(max_examples=200)
def test_suggestions_for_damaged_policies(case: tuple[str, str, str]) -> None:
    text, before, after = case
    check_suggestions(text)
    for d in told(text):
        for s in d.suggestions:
            mended = s.applied(text).split("\n")[d.span.line - 1].split()
            if (
                mended
                and mended[0] in ("allow", "deny")
                and before.split()[0] in ("allow", "deny")
                and after.split()[0] == before.split()[0]
            ):
                assert mended[0] == before.split()[0], (before, after, mended)  # never the opposite


@pytest.mark.slow
@given(damaged())
@settings(max_examples=5_000)
def test_suggestions_for_many_damaged_policies(case: tuple[str, str, str]) -> None:
    check_suggestions(case[0])


@pytest.mark.parametrize(
    "packet",
    [
        "icmp 198.51.100.9 -> 192.0.2.80 192.0.2.80",
        "icmp 198.51.100.9 255.255.255.0 -> 192.0.2.80",
        "icmp 198.51.100.9 -> 192.0.2.80 255.255.255.0",
        "udp 80 10.20.1.1:40000 -> 192.0.2.53:53",
        "tcp udp 10.20.1.1:40000 -> 192.0.2.53:53",
        "tcp 10.20.1.1 - 10.20.1.9 -> 192.0.2.53",
    ],
)
def test_no_idiom_of_regions_is_suggested_in_a_packet(packet: str) -> None:
    text = f"allow any as all\nexpect allow {packet} by all\n"
    assert [(d.code, d.suggestions) for d in told(text)] == [("FW010", ())]


@pytest.mark.parametrize("protocols", ["not https", "any except https", "not { icmp, http }", "not wbe"])
def test_no_ports_are_suggested_where_only_whole_protocols_stand(protocols: str) -> None:
    (told_of,) = told(f"service web = tcp/https\nallow {protocols} as all\n")
    assert (told_of.code, told_of.suggestions) == ("FW115", ())
    assert "rule of its own" in told_of.help


def test_a_whole_protocol_is_suggested_in_its_place() -> None:
    (told_of,) = told("service tunnels = { gre, esp }\nallow not tunnel as all\n")
    assert [s.text for s in told_of.suggestions] == ["tunnels"]
