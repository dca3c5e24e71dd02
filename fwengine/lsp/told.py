"""What is told of the place under a cursor: what a name stands for, what a word means, what a rule matches and still decides."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ..analysis.reach import blockers, effective
from ..errors import LimitError, PolicyError, Span
from ..language.meaning.names import Mention
from ..language.meaning.region import PLAIN, numbers, plain_addresses, show_boxes
from ..model.box import Box
from ..model.fields import DPORT, PORT_PROTOCOLS, SRC
from ..model.interval import IntervalSet, together
from ..policy import Policy
from ..registry import names
from ..report.fit import shortened
from ..report.regions import Wording
from ..report.sizes import counted
from .named import mention_at
from .opened import Opened

_LONGEST: Final = 400  # characters of a set
_PARTS: Final = 6  # regions that are shown of what a rule still decides
_WORD: Final = re.compile(r"[^\s{},#\"=]+")

MEANINGS: Final = {
    "allow": "packets of this kind pass, if no earlier rule matches them",
    "deny": "packets of this kind are dropped, if no earlier rule matches them",
    "any": "every protocol, or every address of both families",
    "none": "without such a field",
    "ipv4": "all IPv4 addresses",
    "ipv6": "all IPv6 addresses",
    "from": "where packets come from, with `port`: the source port",
    "to": "where packets go, with `port`: the destination port",
    "port": "ports of tcp, udp, sctp, dccp or udplite; later fragments have none",
    "net": "a name for addresses",
    "ports": "a name for ports",
    "service": "a name for protocols with their destination ports",
    "interface": "a name for interfaces; then others are errors",
    "default": "what happens to a packet that no rule matches; `deny` unless stated",
    "include": "the definitions, rules and expectations of another file, in this place",
    "expect": "a claim about this policy, proved by `fwengine test` for every packet of it",
    "established": "tcp with ACK or RST set: what a reply has; nothing is remembered",
    "flags": "flags of tcp: `syn/syn,ack` is SYN set and ACK not; without a mask only those written are looked at",
    "type": "the type of an icmp or icmpv6 message",
    "code": "the code of an icmp or icmpv6 message",
    "fragment": "`whole`, `first` or `later`; later fragments have no ports, types or flags",
    "in": "the interface on which a packet comes; a packet whose interface is not told matches no such rule",
    "out": "the interface on which a packet leaves",
    "state": "what a connection tracker would say: an input of every question, `new` unless stated",
    "dscp": "the code point of the differentiated services field",
    "ttl": "the time to live of IPv4, the hop limit of IPv6",
    "hoplimit": "the time to live of IPv4, the hop limit of IPv6",
    "length": "the length of the whole IP packet in bytes",
    "log": "noted for the device that is to log; changes no verdict",
    "until": "the last day on which the rule matches",
    "as": "names the rule: what verdicts and findings call it",
    "by": "the rule that is to decide",
    "not": "all but this",
    "except": "without this",
    "or": "several regions",
    "unless": "without these regions",
}


@dataclass(frozen=True)
class Hover:
    """Lines of plain text and of the language, and the place that they are about."""

    title: str
    lines: tuple[str, ...]
    span: Span


def hover(opened: Opened, line: int, column: int, hits: dict[str, int] | None = None) -> Hover | None:
    """What to tell of a place; `hits` are the packets of a capture by the rule's label."""
    piece = opened.piece_at(line)
    if piece is None and not opened.foreign:
        return None
    mention = mention_at(opened, line, column)
    if mention is not None and mention.kind != "rule" and opened.policy is not None:
        return Hover(f"{mention.kind} {mention.name}", _stands_for(opened.policy, mention), mention.span)
    found = _word_at(opened, line, column)
    if found is not None and found[1] > 1 and not opened.foreign:
        text, start = found
        told = _word(opened, text)
        if told and text not in ("allow", "deny"):
            return Hover(text, told, Span(opened.file, line, start, line, start + len(text)))
    rules = opened.rules_at(line)
    if not rules:
        if found is not None and not opened.foreign:
            text, start = found
            told = _word(opened, text)
            return Hover(text, told, Span(opened.file, line, start, line, start + len(text))) if told else None
        return None
    policy, index = rules[0]
    rule = policy.rules[index]
    if mention is not None and not mention.defines:
        return None
    lines = [line for policy, index in rules[:_PARTS] for line in _rule(opened, policy, index, hits)]
    if len(rules) > _PARTS:
        lines.append(f"… and {len(rules) - _PARTS} more ways to this line")
    return Hover(f"{rule.action} {rule.label}", tuple(lines), rule.span)


def _word_at(opened: Opened, line: int, column: int) -> tuple[str, int] | None:
    texts = opened.lines
    if line > len(texts):
        return None
    comment = texts[line - 1].find("#")
    for match in _WORD.finditer(texts[line - 1]):
        if match.start() < column <= match.end() + 1 and not 0 <= comment <= match.start():
            return match[0], match.start() + 1
    return None


def _word(opened: Opened, text: str) -> tuple[str, ...]:
    if text in MEANINGS:
        return (MEANINGS[text],)
    number = names.protocol(text)
    if number is not None and not text.isdigit():
        return (f"protocol {number}",)
    ports = names.protocols_of(text)
    if ports and not text.isdigit():
        return tuple(f"{names.protocol_name(p)}/{numbers(chosen)}" for p, chosen in ports.items())
    known = names.port_class(text)
    return (f"ports {numbers(known)}",) if known is not None else ()


def stands_for(policy: Policy, name: str, kind: str) -> str | None:
    """What a name stands for, written out; None if it has no meaning.

    >>> from fwengine import loads
    >>> stands_for(loads("net web = { 192.0.2.80-192.0.2.83, 2001:db8::80 }"), "web", "net")
    '{ 192.0.2.80/30, 2001:db8::80 }'
    """
    try:
        if kind == "net":
            return plain_addresses(_joined(policy.region(f"any from {name}"), SRC))
        if kind == "interface":
            return show_boxes(policy.region(f"any in {name}"), PLAIN)[0].partition(" in ")[2]
        if kind == "service":
            return " or ".join(show_boxes(policy.region(name), PLAIN))
    except (PolicyError, LimitError):
        return None
    found: dict[str, list[str]] = {}
    for protocol in PORT_PROTOCOLS:
        word = names.protocol_name(protocol)
        try:
            said = numbers(_joined(policy.region(f"{word} from any to any port {name}"), DPORT))
        except PolicyError:
            continue
        found.setdefault(said, []).append(word)
    if len(found) == 1:
        return next(iter(found))
    return ", ".join(f"{' and '.join(words)} {said}" for said, words in found.items()) or None


def _joined(boxes: tuple[Box, ...], field: int) -> IntervalSet:
    return together([box.sets[field] for box in boxes])


def _stands_for(policy: Policy, mention: Mention) -> tuple[str, ...]:
    said = stands_for(policy, mention.name, mention.kind)
    uses = sum(not m.defines for m in policy.names.of(mention.name, mention.kind))
    used = f"used in {uses} place{'s' * (uses != 1)}" if uses else "not used"
    return (shortened(said, _LONGEST) if said else "it has no meaning yet", used)


def _rule(opened: Opened, policy: Policy, index: int, hits: dict[str, int] | None) -> list[str]:
    """What a rule matches, what of it is left for it, and who takes the rest."""
    rule = policy.rules[index]
    wording = Wording(None)
    out = []
    if opened.foreign:
        out.append(f"in {policy.name.rpartition(':')[2]}, by way of line "
                   f"{', '.join(str(at.line) for at in rule.origin.path)}" if rule.origin and rule.origin.path
                   else f"in {policy.name.rpartition(':')[2]}")  # fmt: skip
    out += [f"matches {shortened(text, _LONGEST)}" for text in wording.parts(list(rule.boxes))[:_PARTS]]
    if not policy.active(rule):
        return [*out, "matches nothing any more: its last day is over"]
    if opened.errors and index >= opened.sure:
        return [*out, "what it still decides is not known: an earlier line has no meaning"]
    try:
        left = effective(policy, index)
        if not left:
            found = blockers(policy, index)
            verb = "matches" if found and len(found.rules) == 1 else "match"
            by = f": {_listed(policy, found.rules)} {verb} all of it" if found else ""
            out.append(f"decides nothing{by}")
        elif _same(left, rule.boxes):
            out.append("decides all of it")
        else:
            parts = Wording(policy).parts(left)
            out += [f"still decides {shortened(text, _LONGEST)}" for text in parts[:_PARTS]]
            if len(parts) > _PARTS:
                out.append(f"… and {len(parts) - _PARTS} more regions")
    except LimitError as error:
        out.append(f"what it still decides is not known: {error}")
    if hits is not None:
        out.append(f"decided {counted(hits.get(rule.label, 0), 'packet')} of the capture")
    return out


def _same(left: list[Box], boxes: tuple[Box, ...]) -> bool:
    return all(any(piece.issubset(box) for box in left) for b in boxes for piece in b.pieces)


def _listed(policy: Policy, rules: tuple[int, ...]) -> str:
    return ", ".join(f"`{policy.label(rule)}`" for rule in rules)
