"""What may be written at a place: the parser says which kinds of words the grammar takes there, the policy which names there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from ..language.syntax import ast
from ..model.fields import PORT_PROTOCOLS
from ..registry import names
from ..registry.values import names_in
from .opened import Opened
from .told import MEANINGS

Kind = Literal["keyword", "net", "ports", "service", "interface", "rule", "value"]

_KEYWORDS: Final = {
    "_FROM": "from", "_TO": "to", "_PORT": "port", "_EXCEPT": "except", "_BY": "by", "_OR": "or", "_UNLESS": "unless",
}  # fmt: skip
_ADDRESSES: Final = ("any", "ipv4", "ipv6")
_STATES: Final = ("new", "established", "related", "invalid", "untracked")
_FLAGS: Final = ("syn", "ack", "fin", "rst", "psh", "urg", "ece", "cwr", "syn/syn,ack", "syn,ack/syn,ack")
_FRAGMENTS: Final = ("whole", "first", "later")
_CLASSES: Final = (
    "well-known", "system", "privileged", "registered", "dynamic", "private", "ephemeral", "unprivileged",
)  # fmt: skip
_PROTOCOLS: Final = ("tcp", "udp", "icmp", "icmpv6", "sctp", "dccp", "udplite", "gre", "esp", "ah", "ospf", "igmp")
_COMMON_PORTS: Final = (
    "ssh", "telnet", "smtp", "domain", "http", "https", "ntp", "snmp", "ldap", "ldaps", "imap", "imaps", "pop3", "ftp",
    "bgp", "syslog", "kerberos", "microsoft-ds", "ms-wbt-server", "postgresql", "mysql",
)  # fmt: skip
_OPTIONS: Final = frozenset(
    ("flags", "type", "code", "fragment", "in", "out", "state", "dscp", "ttl", "hoplimit", "length", "until", "as")
)
_LAST: Final = re.compile(r"[^\s{},=]*$")
_TOKENS: Final = re.compile(r"->|[{},=]|[^\s{},=]+")


@dataclass(frozen=True)
class Choice:
    """A word that may stand at a place, and what it is."""

    text: str
    kind: Kind
    detail: str = ""


def completions(opened: Opened, line: int, column: int) -> list[Choice]:
    """The words that may stand where the cursor is, keywords by the grammar and names by what the place asks for."""
    if opened.foreign:
        return []
    before = _before(opened, line, column)
    if before is None:
        return []
    stem = _LAST.search(before)
    head = before[: stem.start()] if stem else before
    from ..language.syntax.reference import accepted  # late: the parser's own library is loaded for this alone

    accepts = accepted(head)
    out = list(_keywords(accepts))
    if "WORD" in accepts:
        out = [*_values(opened, head), *out]
    return list(dict.fromkeys(out))


def _before(opened: Opened, line: int, column: int) -> str | None:
    """The statement's text before the cursor; None within a comment."""
    texts = opened.lines
    here = texts[line - 1][: column - 1] if line <= len(texts) else ""
    if "#" in here:
        return None
    piece = opened.piece_at(line)
    if piece is None or piece.line == line:
        return here
    return "\n".join([*texts[piece.line - 1 : line - 1], here])


def _keywords(accepts: Iterable[str]) -> Iterator[Choice]:
    for token in sorted(accepts):
        word = _KEYWORDS.get(token, token.lower() if token.isupper() and token.isalpha() else "")
        if word in MEANINGS:
            yield Choice(word, "keyword", MEANINGS[word])


def _values(opened: Opened, head: str) -> Iterator[Choice]:
    """Names and values, by the last word that says what comes."""
    words = _TOKENS.findall(head)
    asked = _asked(words)
    if asked == "addresses":
        yield from _named(opened, "net")
        yield from (Choice(word, "value", MEANINGS[word]) for word in _ADDRESSES)
    elif asked == "ports":
        yield from _named(opened, "ports")
        yield from (Choice(word, "value", _class(word)) for word in _CLASSES)
        yield from (Choice(word, "value", _numbers(word)) for word in _COMMON_PORTS)
    elif asked == "protocol":
        yield Choice("any", "value", MEANINGS["any"])
        yield from _named(opened, "service")
        yield from (Choice(word, "value", f"protocol {names.protocol(word)}") for word in _PROTOCOLS)
    elif asked in ("in", "out"):
        yield from _named(opened, "interface")
        policy = opened.policy
        yield from (Choice(name, "interface") for name in sorted(policy.interfaces if policy is not None else ()))
    elif asked == "type":
        protocol = 58 if "icmpv6" in words else 1
        yield from (Choice(name, "value") for name in names.icmp_type_names(protocol))
    elif asked == "by" and opened.policy is not None:
        yield from (Choice(rule.label, "rule", str(rule.action)) for rule in opened.policy.rules if rule.name)
        yield Choice("default", "rule", str(opened.policy.default))
    else:
        some = {"state": _STATES, "flags": _FLAGS, "fragment": _FRAGMENTS, "dscp": names_in("dscp")}.get(asked, ())
        yield from (Choice(word, "value") for word in some)


def _asked(words: list[str]) -> str:
    """What kind of value the end of a statement's beginning asks for."""
    if len(words) > 1 and words[0] in ("net", "ports", "service", "interface"):
        kinds = {"net": "addresses", "ports": "ports", "service": "protocol", "interface": "in"}
        return kinds[words[0]] if "=" in words else ""
    for word in reversed(words):
        if word in ("from", "to", "->"):
            return "addresses"
        if word == "port":
            return "ports"
        if word in ("allow", "deny", "or", "unless"):
            return "protocol"
        if word in _OPTIONS or word == "by":
            return word
    return ""


def _named(opened: Opened, kind: Kind) -> Iterator[Choice]:
    if opened.policy is None:
        return
    from ..language.syntax.printer import show

    for name, statement in opened.policy.names.defined.items():
        content = statement.content
        if isinstance(content, ast.Definition) and content.kind == kind:
            said = show(content.value)
            yield Choice(name, kind, said if len(said) <= 80 else said[:79] + "…")


def _class(word: str) -> str:
    found = names.port_class(word)
    return f"{found.lo}-{found.hi}" if found is not None else ""


def _numbers(word: str) -> str:
    found = names.protocols_of(word)
    said = sorted({str(chosen.lo) for p, chosen in found.items() if p in PORT_PROTOCOLS and chosen.size == 1})
    return ", ".join(said)
