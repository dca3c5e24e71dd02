"""Mistakes in policies: one clear error for each, at the right words, with something to write instead; never a traceback."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fwengine.codes import EXPLANATIONS
from fwengine.errors import Diagnostic, PolicyError
from fwengine.language.syntax.mistakes import KEYWORDS, MAX_CHARACTERS, MAX_ERRORS, slips_of
from fwengine.language.syntax.parser import parse_claim, parse_packet, parse_region
from fwengine.policy import load, loads, region
from fwengine.policy import read_claim as claim
from fwengine.report.screen import render

GOLDEN = Path(__file__).with_name("golden")


def told(text: str) -> tuple[Diagnostic, ...]:
    """What is said about a policy's text; nothing if it is right."""
    try:
        loads(text, file="t.fwl")
    except PolicyError as error:
        for d in error.diagnostics:
            assert d.code in EXPLANATIONS, d
            ours = re.sub("`.*?`", "``", f"{d.message}; {d.label}; {d.help}")
            assert ours[0] == ours[0].lower() or ours.startswith(("U+", "NUL")), d
            assert not re.search(r"\.(;|$)|\n|[A-Z][a-z]+Error|None|_[A-Z]", ours), d
            assert len(str(d)) < 600, d
        return error.diagnostics
    return ()


def words_at(text: str, d: Diagnostic) -> str:
    line = text.split("\n")[d.span.line - 1]
    return (
        line[d.span.column - 1 : d.span.end_column - 1] if d.span.line == d.span.end_line else line[d.span.column - 1 :]
    )


# each: the text, the code, the words under the caret, and what the help (or the label) must offer
SPELLINGS = [
    # statements
    ("permit tcp", "FW012", "permit", "`allow`"),
    ("Deny tcp", "FW012", "Deny", "`deny`"),
    ("tcp from any", "FW012", "tcp", "`allow tcp …`"),
    ("{ }", "FW012", "{", ""),
    ("} }", "FW015", "}", "remove it"),
    ("allow", "FW011", "", "`allow tcp from any"),
    ("network a = ::1", "FW012", "network", "`net`"),
    ("port a = 1", "FW012", "port", "`ports`"),
    ("default", "FW011", "", "`default deny`"),
    ("default drop", "FW013", "drop", "`deny`"),
    ("default deny deny", "FW010", "deny", "line of its own"),
    ("include x.fwl", "FW010", "x.fwl", '`include "x.fwl"`'),
    ("include", "FW011", "", "common.fwl"),
    ('include ""', "FW021", '""', "common.fwl"),
    ('include "nowhere.fwl"', "FW021", '"nowhere.fwl"', "relative"),
    ('include "a\\0"', "FW016", "\\0", "backslash"),
    ('include "\\u{0}"', "FW021", '"\\u{0}"', ""),
    ('include "\\u{d800}"', "FW021", '"\\u{d800}"', ""),
    ("expect", "FW011", "", "`expect deny"),
    ("allow tcp\n  from any", "FW012", "from", "one line"),
    ("default deny\ndefault allow", "FW023", "default allow", "keep one"),
    # where things stand
    ("allow from any", "FW010", "from", "`allow any from …`"),
    ("allow tcp port 80", "FW010", "port", "`to any port …`"),
    ("allow tcp to any from any", "FW010", "from", "before `to`"),
    ("allow tcp log to any", "FW010", "to", "before the options"),
    ("allow tcp from any 80", "FW010", "80", "`port 80`"),
    ("allow tcp ::1", "FW010", "::1", "`from ::1`"),
    ("allow tcp to any port = 80", "FW010", "=", "leave it out"),
    ("allow tcp to any port == 80", "FW132", "== 80", "`80`"),
    ("allow tcp to any port != 80", "FW132", "!= 80", "`not 80`"),
    ("allow tcp to != ::1", "FW132", "!= ::1", "`not ::1`"),
    ("allow tcp to > ::1", "FW132", "> ::1", "list"),
    ("allow tcp to any port !80", "FW010", "!", "`not`"),
    ("allow tcp log log", "FW018", "log", "keep one"),
    ("allow tcp in a in b", "FW018", "in b", "`in { a, b }`"),
    ("allow tcp as log", "FW010", "log", "keyword"),
    ("allow tcp as any", "FW134", "any", "choose"),
    ("allow tcp as 1st", "FW134", "1st", "`st`"),
    ("allow tcp as a/b", "FW134", "a/b", "`a-b`"),
    ("allow tcp as a\nallow udp as a", "FW126", "a", "rename"),
    ("expect allow tcp log", "FW019", "log", "remove"),
    ("expect allow tcp by x", "FW130", "x", "`as`"),
    ("deny any as web\nexpect deny tcp by wbe", "FW130", "wbe", "`web`"),
    # sets
    ("allow tcp to { }", "FW017", "{ }", "at least one"),
    ("allow tcp to {,}", "FW017", "{,}", "at least one"),
    ("allow tcp to { ::1", "FW014", "{", "`}`"),
    ("allow tcp to ::1 }", "FW015", "}", "remove"),
    ("allow tcp to { ::1 ::2 }", "FW010", "::2", "`,`"),
    ("allow tcp to { ::1,, ::2 }", "FW010", ",", ""),
    ("allow tcp to any port 80, 443", "FW020", ",", "`{ 80, 443 }`"),
    ("allow tcp to any port 80,443", "FW020", "80,443", "`{ 80, 443 }`"),
    ("allow tcp to any port 80 443", "FW010", "443", "`{ 80, 443 }`"),
    ("allow tcp,udp", "FW020", "tcp,udp", "`{ tcp, udp }`"),
    ("allow icmp type echo-request,echo-reply", "FW020", "echo-request,echo-reply", "`{ echo-request, echo-reply }`"),
    ("allow tcp state new,related", "FW020", "new,related", "`{ new, related }`"),
    ("allow tcp in a,b", "FW020", "a,b", "`{ a, b }`"),
    ("allow tcp to not any", "FW128", "not any", "never hold"),
    ("allow tcp to ::1 except ::/0", "FW128", "::1 except ::/0", "never hold"),
    ("allow tcp to any port { not 1, 2 }", "FW024", "not 1", "`not { 1, 2 }`"),
    ("allow { not tcp, udp }", "FW024", "not tcp", "`not { tcp, udp }`"),
    ("allow tcp to any port { 1-9 except 2, 3 }", "FW024", "1-9 except 2", "`1-9 except { 2, 3 }`"),
    ("allow tcp to not ::1 except ::2", "FW024", "not ::1 except ::2", "`not { ::1 except ::2 }`"),
    # names
    ("net any = ::1", "FW129", "any", "another"),
    ("ports http = 81", "FW129", "http", "another"),
    ("ports ephemeral = 1", "FW129", "ephemeral", "another"),
    ("service gre = tcp/1", "FW129", "gre", "another"),
    ("net 9 = ::1", "FW134", "9", "another"),
    ("net a* = ::1", "FW134", "a*", "`a-`"),
    ("net a = ::1\nnet a = ::2", "FW102", "a", "rename"),
    ("net a = a", "FW103", "a", "themselves"),
    ("net a = b\nnet b = { c }\nnet c = a", "FW103", "a", "themselves"),
    ("ports a = b\nports b = a\nallow tcp to any port a", "FW103", "a", "themselves"),
    ("service a = b\nservice b = { a }\nallow b", "FW103", "b", "themselves"),
    ("net a ::1", "FW010", "::1", "`= ::1`"),
    ("net a = ::1\nallow tcp to any port a", "FW127", "a", "`from`"),
    ("ports a = 1\nallow a", "FW127", "a", "`port`"),
    ("service a = tcp/1\nallow tcp to a", "FW127", "a", "`allow a …`"),
    ("net a = ::1\nallow tcp in a", "FW127", "a", '`"a"`'),
    ("allow tcp to offcie\nnet office = ::1", "FW101", "offcie", "`office`"),
    ("allow tcp to example.org", "FW101", "example.org", "not looked up"),
    ("allow tcp to ayn", "FW101", "ayn", "`any`"),
    ('allow tcp to "::1"', "FW104", '"::1"', "`::1`"),
    ('allow "tcp"', "FW115", '"tcp"', "`tcp`"),
    ('allow tcp to any port "80"', "FW112", '"80"', "`80`"),
    # addresses
    ("allow tcp to 10.0.0.1/8", "FW106", "10.0.0.1/8", "`10.0.0.0/8`"),
    ("allow tcp to 10.0.0.0/33", "FW105", "10.0.0.0/33", "0 to 32"),
    ("allow tcp to ::/129", "FW105", "::/129", "0 to 128"),
    ("allow tcp to 010.0.0.1", "FW104", "010.0.0.1", "`10.0.0.1`"),
    ("allow tcp to 1.2.3.9-1.2.3.1", "FW107", "1.2.3.9-1.2.3.1", "`1.2.3.1-1.2.3.9`"),
    ("allow tcp to 1.2.3.4-::1", "FW108", "1.2.3.4-::1", "each family"),
    ("allow tcp to { ::1, 10.0.0.256 }", "FW104", "10.0.0.256", ""),
    ("allow tcp to 1.2.3.4:80", "FW104", "1.2.3.4:80", "`1.2.3.4 port 80`"),
    ("allow tcp to 10.0.0.0/0.0.0.255", "FW109", "10.0.0.0/0.0.0.255", "`10.0.0.0/24`"),
    ("allow tcp from 10.0.0.0/8 to ::1", "FW117", "10.0.0.0/8 to ::1", "one family"),
    ("allow icmp from ::1 type 8", "FW117", "icmp", "`icmpv6`"),
    ("allow icmpv6 to 10.0.0.1 type 128", "FW117", "icmpv6", "`icmp`"),
    # ports and services
    ("allow tcp to any port 65536", "FW111", "65536", "65535"),
    ("allow tcp to any port -1", "FW111", "-1", ""),
    ("allow tcp to any port 1_000", "FW116", "1_000", "`1000`"),
    ("allow tcp to any port ٨٠", "FW116", "٨٠", "`80`"),
    ("allow tcp to any port 90-80", "FW107", "90-80", "`80-90`"),
    ("allow tcp to any port { 80, htpt }", "FW112", "htpt", "`http`"),
    ("allow tcp to any port any", "FW112", "any", "leave out"),
    ("allow tcp to any port > 65535", "FW128", "> 65535", "65535"),
    ("allow tcp to any port >= 65536", "FW111", "65536", "65535"),
    ("allow tcp to any port >= http", "FW116", "http", "number"),
    ("allow udp to any port imap", "FW113", "imap", "number"),
    ("allow { tcp, udp } to any port imap", "FW113", "imap", "number"),
    ("allow tcp to any port tcp/80", "FW112", "tcp/80", "`80`"),
    ("allow icmp to any port 80", "FW114", "80", "`type`"),
    ("allow any to any port 80", "FW114", "80", "`{ tcp, udp }`"),
    ("allow { tcp, icmp } to any port 80", "FW114", "80", "`type`"),
    ("allow not tcp to any port 80", "FW114", "80", "`{ tcp, udp }`"),
    ("allow tcp/http to any port 80", "FW133", "80", "leave it out"),
    ("allow not tcp/80", "FW133", "tcp/80", "rule of its own"),
    ("allow icmp/8", "FW114", "icmp/8", "`type`"),
    ("allow tcp/", "FW133", "tcp/", "`tcp/https`"),
    ("allow tcp/imaq", "FW112", "imaq", "`imap`"),
    ("service s = udp/imap", "FW113", "imap", "number"),
    ("allow http", "FW115", "http", "`tcp/http`"),
    ("allow upd", "FW115", "upd", "`udp`"),
    ("allow ipv6", "FW115", "ipv6", "`any`"),
    ("allow 256", "FW115", "256", "255"),
    ("allow 06", "FW116", "06", "`6`"),
    # options
    ("allow tcp type 8", "FW118", "8", "`icmp`"),
    ("allow icmp type 256", "FW119", "256", "255"),
    ("allow icmp type echo-reqest", "FW119", "echo-reqest", "`echo-request`"),
    ("allow icmp type packet-too-big", "FW119", "packet-too-big", "icmpv6"),
    ("allow { icmp, icmpv6 } type 8", "FW119", "8", "`echo-request`"),
    ("allow icmp code port-unreachable", "FW119", "port-unreachable", "`type destination-unreachable code port-unreachable`"),
    ("allow icmp type echo-request code port-unreachable", "FW119", "port-unreachable", "`destination-unreachable`"),
    ("allow icmp type 9-3", "FW107", "9-3", "`3-9`"),
    ("allow udp established", "FW120", "established", "`tcp`"),
    ("allow tcp flags syn", "FW121", "syn", "`syn/syn,ack`"),
    ("allow tcp flags syn/ack", "FW121", "syn/ack", "`syn/syn,ack`"),
    ("allow tcp flags sny/syn", "FW121", "sny/syn", "`syn`"),
    ("allow tcp established flags none/all", "FW128", "flags none/all", "`established`"),
    ("allow tcp fragment last", "FW122", "last", "`later`"),
    ("allow tcp state NEW", "FW123", "NEW", "`new`"),
    ("allow tcp until 2027-6-30", "FW124", "2027-6-30", "`2027-06-30`"),
    ("allow tcp until 2027-02-30", "FW124", "2027-02-30", "YYYY-MM-DD"),
    ("allow tcp in eth*", "FW125", "eth*", '`"eth*"`'),
    ("allow tcp in eth+", "FW125", "eth+", '`"eth+"`'),
    ("allow tcp in any", "FW125", "any", "`not none`"),
    ("allow tcp in noen", "FW125", "noen", "`none`"),
    ('allow tcp in ""', "FW125", '""', "`none`"),
    ("allow tcp in 0", "FW125", "0", '`"0"`'),
    ("allow tcp in " + "x" * 256, "FW125", "x" * 256, "255 bytes"),
    ('allow tcp in "wan', "FW016", '"', "behind it"),
    ("allow tcp in log", "FW010", "log", '`"log"`'),
    # packets
    ("expect deny tcp 1.2.3.4 > 1.2.3.5", "FW010", ">", "`->`"),
    ("expect deny tcp 1.2.3.4:80", "FW011", "", ""),
    ("expect deny tcp 1.2.3.4 -> any", "FW131", "any", "region"),
    ("expect deny tcp 1.2.3.4 -> 1.2.3.0/24", "FW131", "1.2.3.0/24", "region"),
    ("expect deny any 1.2.3.4 -> 1.2.3.5", "FW115", "any", "region"),
    ("expect deny icmp 1.2.3.4:8 -> 1.2.3.5", "FW114", "8", "`1.2.3.4`"),
    ("expect deny tcp 1.2.3.4 -> ::1", "FW117", "1.2.3.4 -> ::1", "both"),
    ("expect deny tcp 1.2.3.4 -> 1.2.3.5:65536", "FW111", "65536", "65535"),
    ("expect deny tcp 1.2.3.4 -> 1.2.3.5:", "FW131", "1.2.3.5:", "`1.2.3.5`"),
    ("expect deny tcp 2001:db8::1:80 -> ::1", "FW131", "2001:db8::1:80", "`[2001:db8::1]:80`"),
    ("expect deny tcp ::1.2.3.4:80 -> ::1", "FW131", "::1.2.3.4:80", "`[::1.2.3.4]:80`"),
    ("expect deny tcp [1.2.3.4]:80 -> 1.2.3.4", "FW131", "[1.2.3.4]:80", "brackets"),
    ("expect deny tcp 1.2.3.4 -> 1.2.3.5 flags syn/ack", "FW121", "flags syn/ack", "`flags syn,ack`"),
    ("expect deny tcp 1.2.3.4 -> 1.2.3.5 established", "FW019", "established", "`flags ack`"),
    ("expect deny tcp 1.2.3.4 -> 1.2.3.5 in { a, b }", "FW131", "in { a, b }", "region"),
    ("expect deny icmp ::1 -> ::2 type 8", "FW131", "icmp ::1 -> ::2 type 8", "icmpv6"),
    ("expect deny tcp 1.2.3.4:1 -> 1.2.3.5 fragment later", "FW131", "tcp 1.2.3.4:1 -> 1.2.3.5 fragment later", "fragments"),
    ("expect deny udp 1.2.3.4 -> 1.2.3.5 flags ack", "FW120", "flags ack", "remove"),
    ("expect deny tcp to any port 80 fragment later", "FW135", "tcp to any port 80 fragment later", "fragments"),
    # characters
    ("allow tcp\0", "FW003", "\0", "remove"),
    ("allow\u00a0tcp", "FW003", "\u00a0", "plain space"),
    ("allow tcp # \u202e", "FW003", "\u202e", "remove"),
    ("allow tcp in w\u200ban", "FW003", "\u200b", "remove"),
    ("allow\ftcp", "FW003", "\f", "remove"),
    ("allow tcp;", "FW115", "tcp;", "`tcp`"),
    ("allow (tcp)", "FW115", "(tcp)", ""),
    ("allow tcp to ${HOST}", "FW010", "{", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "words", "offer"), SPELLINGS, ids=[repr(s[0])[:60] for s in SPELLINGS])
def test_a_mistake_is_told_once_at_its_words(text: str, code: str, words: str, offer: str) -> None:
    diagnostics = told(text)
    assert [d.code for d in diagnostics] == [code], diagnostics
    (d,) = diagnostics
    if words:
        assert words_at(text, d) == words
    assert offer in f"{d.help} {d.label}", d
    screen = render(diagnostics, {"t.fwl": text}, color=False)
    assert d.message.split("`")[0] in screen
    assert len(screen) < 2000


def test_the_table_is_large() -> None:
    assert len(SPELLINGS) >= 60 + 40
    assert len({s[1] for s in SPELLINGS}) >= 40


# keywords: every one, in every position in which it can stand, and every way to drop, double or swap a letter

_POSITIONS = {
    "allow": ["@ tcp from any", "default @", "expect @ tcp from any"],
    "deny": ["@ any", "default @", "expect @ tcp 1.2.3.4 -> 1.2.3.5"],
    "net": ["@ a = ::1"],
    "ports": ["@ a = 1"],
    "service": ["@ a = tcp/1"],
    "interface": ["@ a = eth0"],
    "include": ['@ "a.fwl"'],
    "default": ["@ deny"],
    "expect": ["@ deny tcp from any"],
    "from": ["deny tcp @ any", "deny tcp @ { ::1 } to any", "expect deny tcp @ any to any", "deny { tcp } @ not ::1"],
    "to": ["deny tcp @ any", "deny tcp from any @ any", "deny tcp from any port 1 @ any",
        "expect deny tcp @ { ::1 }", "expect deny tcp @ any port 1"],
    "port": ["deny tcp from any @ 1", "deny tcp to any @ { 1, 2 }", "deny tcp from any to not ::1 @ not 80",
        "expect deny tcp from any @ 1"],
    "except": ["net a = any @ ::1", "deny tcp from any @ { ::1 } to any", "deny tcp to any port 1-9 @ 2",
        "net a = { any @ ::1 }", "expect deny any @ tcp from any"],
    "not": ["net a = @ ::1", "deny @ tcp", "deny tcp from @ { ::1 }", "deny tcp to any port @ 80",
        "ports a = { @ 80 }", "deny tcp in @ wan0", "expect deny @ tcp from any", "deny tcp flags @ syn/syn",
        "deny tcp state @ new", "net a = any except @ ::1", "deny tcp from @ not ::1"],
    "by": ["expect deny tcp from any @ default", "expect deny tcp @ default",
        "expect deny tcp 1.2.3.4 -> 1.2.3.5 @ default", "expect deny any log @ default"],
    "as": ["deny tcp @ x", "deny tcp from any @ x", "deny tcp from any port 1 @ x", "deny tcp established @ x"],
    "established": ["deny tcp @", "deny tcp from any @", "deny tcp to any port 1 @ log", "deny tcp log @",
        "expect deny tcp @", "expect deny tcp @ by default"],
    "log": ["deny tcp @", "deny tcp from any @ as x", "deny tcp in wan0 @"],
    "flags": ["deny tcp @ syn/syn", "deny tcp from any @ { syn/syn }", "expect deny tcp @ syn/syn",
        "expect deny tcp 1.2.3.4 -> 1.2.3.5 @ syn"],
    "type": ["deny icmp @ 8", "deny icmp from any @ { 8 }", "expect deny icmp @ 8",
        "expect deny icmp 1.2.3.4 -> 1.2.3.5 @ 8"],
    "code": ["deny icmp type 3 @ 1", "deny icmp from any @ not 1", "expect deny icmp 1.2.3.4 -> 1.2.3.5 type 3 @ 1"],
    "fragment": ["deny tcp @ later", "deny tcp from any @ not whole", "expect deny tcp @ later",
        "expect deny tcp 1.2.3.4 -> 1.2.3.5 @ later"],
    "in": ["deny tcp @ wan0", "deny tcp from any @ not wan0", "expect deny tcp @ wan0",
        "expect deny tcp 1.2.3.4 -> 1.2.3.5 @ wan0"],
    "out": ["deny tcp @ wan0", "deny tcp in lan0 @ wan0", "expect deny tcp 1.2.3.4 -> 1.2.3.5 @ wan0"],
    "state": ["deny tcp @ new", "deny tcp from any @ { new }", "expect deny tcp @ new",
        "expect deny tcp 1.2.3.4 -> 1.2.3.5 @ new"],
    "dscp": ["deny tcp @ ef", "deny tcp from any @ { ef, 10 }", "expect deny tcp 1.2.3.4 -> 1.2.3.5 @ af11"],
    "ttl": ["deny tcp @ 1", "deny tcp from any @ < 5", "expect deny tcp @ not 64", "expect deny tcp 1.2.3.4 -> 1.2.3.5 @ 64"],
    "hoplimit": ["deny tcp @ 1", "deny tcp from any @ < 5", "expect deny tcp 1.2.3.4 -> 1.2.3.5 @ 64"],
    "length": ["deny tcp @ 40-100", "deny tcp from any @ > 1500", "expect deny tcp 1.2.3.4 -> 1.2.3.5 @ 1500"],
    "or": ["expect deny tcp from any @ udp from any", "expect deny any unless tcp to any @ udp to any"],
    "unless": ["expect deny any @ tcp to any", "expect allow tcp from any or udp from any @ udp to any"],
    "until": ["deny tcp @ 2027-06-30", "deny tcp to any @ 2027-06-30 log"],
}  # fmt: skip


def test_every_keyword_is_in_the_table() -> None:
    assert set(_POSITIONS) == set(KEYWORDS)


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_a_misspelt_keyword_is_named_and_the_right_one_offered(keyword: str) -> None:
    for position in _POSITIONS[keyword]:
        for wrong in [*sorted(slips_of(keyword)), keyword.upper(), keyword.title()]:
            if wrong in KEYWORDS and wrong != "port":
                continue  # `in` for `int`: another word, rightly read
            text = position.replace("@", wrong)
            diagnostics = told(text)
            assert len(diagnostics) == 1, (text, diagnostics)
            (d,) = diagnostics
            assert words_at(text, d) == wrong, (text, d)
            assert f"`{wrong}`" in d.message, (text, d)
            assert f"`{keyword}`" in d.help, (text, d)


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("deny tcp from ayn", "ayn", "any"),
        ("deny ayn", "ayn", "any"),
        ("deny tcp in noen", "noen", "none"),
        ("expect deny tcp by defualt", "defualt", "default"),
    ],
)
def test_words_that_are_no_keywords_of_the_grammar(text: str, wrong: str, right: str) -> None:
    (d,) = told(text)
    assert words_at(text, d) == wrong
    assert f"`{right}`" in d.help


# several mistakes in one text


def test_all_mistakes_are_told_in_order() -> None:
    text = """alow tcp
net office = 10.0.0.1/8
allow tcp from office to any port htpt
allow tcp from ofice
expect deny tcp by nobody
allow tcp to any port { 65536, -1 }
allow udp established
"""
    assert [(d.code, d.span.line, d.span.column) for d in told(text)] == [
        ("FW012", 1, 1), ("FW106", 2, 14), ("FW112", 3, 35), ("FW101", 4, 16), ("FW130", 5, 20),
        ("FW111", 6, 25), ("FW111", 6, 32), ("FW120", 7, 11),
    ]  # fmt: skip


def test_an_unknown_name_is_told_at_each_use() -> None:
    text = "\n".join(["allow tcp from nowhere"] * 5)
    assert [(d.code, d.span.line) for d in told(text)] == [("FW101", n) for n in range(1, 6)]


@pytest.mark.parametrize(
    "text",
    [
        "net a = 10.0.0.1/8\nallow tcp from a to a\nallow udp from a",
        "net a 10.0.0.0/8\nallow tcp from a",
        "nett a = 10.0.0.0/8\nallow tcp from a to a",
        "net 1a = 10.0.0.0/8\nallow tcp from 1a",
        "ports p = htpt\nallow { tcp, udp } to any port p\nallow tcp from any port { p, 1 }\nexpect deny udp to any port p",
        "service s = tpc/80\nallow s\nallow { s, udp }",
        "net a = { 10.0.0.0/8\nallow tcp from a",
        "net a = b\nnet b = a\nallow tcp from a to b",
        "ports a = b\nports b = a\nallow { tcp, udp } from any port a to any port b",
        "alow tcp as web\nexpect allow tcp by web",
        "allow tpc as web\nexpect allow tcp by web",
        'include "nowhere.fwl"\nallow tcp from a to any port p\nallow s\nexpect deny tcp by web',
        "allow tcp from\n    10.0.0.1 to any",
        "net a = 10.0.0.1 \u00a0 # x\nallow tcp from a",
    ],
)
def test_what_follows_from_a_mistake_is_not_told(text: str) -> None:
    assert len(told(text)) == 1, told(text)


def test_a_broken_rule_hides_no_other_mistake() -> None:
    codes = [d.code for d in told("alow tcp from ofice to any\nallow tcp from ofice")]
    assert codes == ["FW012", "FW101"]


# the same for regions, claims and packets


@pytest.mark.parametrize("parse", [parse_region, parse_claim, parse_packet])
@given(text=st.text("tcp anyfrom{},=\"#'-><! 1.2:\n\t\0\u00e9", max_size=30))
@settings(max_examples=60)
@example("")
@example("#")
@example("\n\n")
def test_one_line_texts(parse: object, text: str) -> None:
    assert callable(parse)
    screens = []
    try:
        parse(text)
    except PolicyError as error:
        screens.append(render(error.diagnostics, error.sources, color=False))
    assert all(screens)


def test_regions_point_into_their_own_text() -> None:
    policy = loads("ports mail = { smtp, imap }", file="p.fwl")
    for ask in (lambda: region(policy, "udp to any port mail"), lambda: claim(policy, "deny udp to any port mail")):
        with pytest.raises(PolicyError) as caught:
            ask()
        (d,) = caught.value.diagnostics
        assert (d.span.file, d.labels[0].span.file) == ("p.fwl", "<region>")
        assert "smtp" in render(caught.value.diagnostics, caught.value.sources, color=False)
    with pytest.raises(PolicyError) as caught:
        region(policy, "tcp to any port mial")
    (d,) = caught.value.diagnostics
    assert (d.span.column, d.help) == (17, "did you mean `mail`?")


# garbage


@given(
    st.lists(
        st.sampled_from(
            [
                *KEYWORDS,
                "any",
                "tcp",
                "{",
                "}",
                ",",
                "=",
                "->",
                ">=",
                '"',
                "#",
                "\n",
                "10.0.0.0/8",
                "80",
                "x",
                "\\",
                "not not",
            ]
        ),
        max_size=30,
    )
)
@settings(max_examples=300)
def test_any_row_of_words_ends_well(words: list[str]) -> None:
    text = " ".join(words)
    screen = render(told(text), {"t.fwl": text}, color=False)
    assert len(screen) < 100_000


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_any_text_ends_well(text: str) -> None:
    told(text)


def test_errors_are_bounded() -> None:
    for line in ("(", "allow tcp from nowhere", "net a = 1"):
        diagnostics = told("\n".join([line] * 5000))
        assert len(diagnostics) == MAX_ERRORS + 1
        assert diagnostics[-1].code == "FW005"
    assert len(told("\0\n" * 5000)) == MAX_CHARACTERS + 1


# whole screens: FWENGINE_GOLDEN=write pytest tests/language/test_mistakes.py writes them anew


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.fwl")), ids=lambda p: p.stem)
def test_screens(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    with pytest.raises(PolicyError) as caught:
        load(path.name)
    screen = render(caught.value.diagnostics, caught.value.sources, color=False)
    expected = path.with_suffix(".txt")
    if os.environ.get("FWENGINE_GOLDEN") == "write":
        expected.write_text(screen, encoding="utf-8")
    assert screen == expected.read_text(encoding="utf-8")
