"""What is understood of a policy with mistakes, and the places of its names."""

from __future__ import annotations

import pickle

import pytest

from fwengine.errors import PolicyError
from fwengine.language.meaning.lower import Lowered, lower
from fwengine.model.rules import Action
from fwengine.policy import loads
from fwengine.sources.gathering import gather
from fwengine.sources.source import from_text

TEXT = """\
net   office = { 10.20.0.0/16, branch }
net   branch = 10.30.0.0/16
ports admin  = { ssh, 8443 }
service www  = { tcp/http, tcp/https }
allow www from office as office
allow tcp from { office, branch } to not branch port admin as web
deny  any in office.wan
expect allow tcp from branch to 192.0.2.1 port admin by web
expect deny any from office by default
"""


def understood(text: str) -> Lowered:
    found = gather(from_text(text, "t.fwl"))
    return lower(found.statements, sources=found.texts, spoilt=found.missing, errors=found.errors)


def test_every_place_of_a_name_is_kept() -> None:
    names = understood(TEXT).names
    lines = TEXT.split("\n")
    for m in names.mentions:
        assert lines[m.span.line - 1][m.span.column - 1 : m.span.end_column - 1] == m.name
    assert [(m.span.line, m.span.column, m.defines) for m in names.of("branch", "net")] == [
        (1, 32, False), (2, 7, True), (6, 26, False), (6, 42, False), (8, 23, False),
    ]  # fmt: skip
    assert [(m.span.line, m.defines) for m in names.of("office", "net")] == [
        (1, True),
        (5, False),
        (6, False),
        (9, False),
    ]
    assert [(m.span.line, m.defines) for m in names.of("office", "rule")] == [(5, True)]
    assert [(m.span.line, m.defines) for m in names.of("admin", "ports")] == [(3, True), (6, False), (8, False)]
    assert [(m.span.line, m.defines) for m in names.of("www", "service")] == [(4, True), (5, False)]
    assert [(m.span.line, m.defines) for m in names.of("web", "rule")] == [(6, True), (8, False)]


def test_renaming_every_place_gives_the_same_policy() -> None:
    policy = loads(TEXT)
    for name, kind in (("office", "net"), ("branch", "net"), ("admin", "ports"), ("www", "service"), ("web", "rule")):
        lines = TEXT.split("\n")
        for m in sorted(policy.names.of(name, kind), key=lambda m: m.span, reverse=True):
            line = lines[m.span.line - 1]
            lines[m.span.line - 1] = f"{line[: m.span.column - 1]}other{line[m.span.end_column - 1 :]}"
        renamed = loads("\n".join(lines))
        assert [(r.action, r.boxes) for r in renamed.rules] == [(r.action, r.boxes) for r in policy.rules]
        assert len(renamed.expectations) == 2


def test_a_policy_keeps_the_places_also_when_it_travels() -> None:
    policy = loads(TEXT)
    assert pickle.loads(pickle.dumps(policy)).names.mentions == policy.names.mentions


def test_what_could_be_made_is_returned_with_what_is_wrong() -> None:
    made = understood(
        TEXT.replace("10.30.0.0/16", "10.30.0.1/16") + "alow tcp\ndefault allow\ndeny udp to any port htpt\n"
    )
    assert [d.code for d in made.diagnostics] == ["FW106", "FW012", "FW112"]
    assert [str(rule.span) for rule in made.rules] == ["t.fwl:7:1"]
    assert made.default is Action.ALLOW
    assert [d.name for d in made.definitions] == ["office", "branch", "admin", "www"]
    assert len(made.names.of("branch", "net")) == 5  # a mistake in its value takes no place from a name
    assert made.names.of("web", "rule")


def test_a_policy_without_mistakes_has_no_diagnostics() -> None:
    made = understood(TEXT)
    assert made.diagnostics == ()
    assert made.whole({}) is made
    assert len(made.rules) == 3


def test_a_broken_statement_hides_no_mistake_in_another() -> None:
    """What stands behind its first word may have been going to be a name; a protocol cannot be one."""
    text = "alow tcp from any to 192.0.2.1\nallow tcp from any to 192.0.2.1 port nosuchport\nallow tcp from any to 192.0.2.2 port ssh"
    with pytest.raises(PolicyError) as caught:
        loads(text)
    assert [d.code for d in caught.value.diagnostics] == ["FW012", "FW112"]
