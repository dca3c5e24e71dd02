"""Two policies of other firewalls -> the packets that depend on lines in doubt in both, and not on the same ones.

Such packets have the same verdict, `depends`, and may fare differently all the same: a rate was changed, say. A packet fares
alike in both, whatever becomes of the doubts, if the lines that it meets are the same: what matches for certain, by what it
matches; what is in doubt, by its words, too; and where these name an object of the file, or rest on what its other lines may do (a mark,
a list of recent addresses, the content of a set), by the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .analysis.query import query
from .formats.chains import Chains, Kind, Line, Part
from .model.box import Box, Sets, pieces
from .model.rules import DEPENDS
from .policy import Policy

_COUNTED = re.compile(
    r"\[[0-9]+:[0-9]+\]|\bcounter( packets [0-9]+ bytes [0-9]+)?|\binitval 0x[0-9a-f]+|^[ \t]*#.*$"
    r'|, handle [0-9]+$|"(?:handle|packets|bytes|expires)": ?[0-9]+',
    re.MULTILINE,
)
# what a line says of an object that stands elsewhere in the file: `limit name "ssh"`, a set that grows, a time range; the same in
# nft's JSON, where a rule is told by its chain and handle alone, so that all of it stands elsewhere
_ELSEWHERE = re.compile(
    r'\bname\b|@|\bmeter\b|"(?:limit|quota|counter|synproxy|secmark|ct [a-z]+)": ?"|^rule of chain |'
    r"\btime-range\b|\bobject-group-(?:user|security)\b|\buser-group\b"
)
# conditions on what other lines may have done: a mark that was set, a list or a set that an address was put into. Of those that
# iptables has in modules all are such but these
_ALONE = (
    "addrtype|comment|connlimit|conntrack|cpu|devgroup|icmp6?|iprange|length|limit|mac|multiport|owner|physdev|pkttype|policy|"
    "quota|sctp|state|statistic|tcp|time|udp"
)
_AFFECTED = re.compile(
    rf"""-(?:m|-match)[ ="']*(?!(?:{_ALONE})\b)\w|\b(?:mark|dscp|ecn|ttl|hoplimit|label|priority|secmark|payload|th|socket)\b"""
)
# what may have done it, wherever it stands in a file, other than the question whether an address is in a set
_AFFECTING = re.compile(
    r"(?<!match[- ])(?<!-m )\bset\b|\b(?:add|create|mangle|nfacct|recent|"
    r"CONNMARK|CONNSECMARK|CT|DSCP|ECN|HL|HMARK|MARK|RATEEST|SECMARK|SET|TOS|TTL)\b"
)
_FAMILY = re.compile(r"\bIPv[46] alone$")
_ENDS = frozenset({Kind.ALLOW, Kind.DENY, Kind.EITHER, Kind.RETURN, Kind.GOTO})


def doubted(old: Policy, new: Policy) -> tuple[Box, ...]:
    """The regions that depend on lines in doubt before and after, and meet lines that are not the same.

    Sound: packets of no such region fare alike if the doubts are resolved alike. Some that do may be named.

    Raises:
        LimitError: as `query`.
    """
    if any(all(rule.action is not DEPENDS for rule in policy.rules) for policy in (old, new)):
        return ()
    if old.sources == new.sources and old.imported is not None and new.imported is not None and _all(old) == _all(new):
        return ()  # as lists of a plan that does not touch them
    before = [match.box for match in query(old, DEPENDS)]
    both = query(new, DEPENDS, before) if before else ()
    return tuple([match.box for match in both if not _alike(old, new, match.box)])


def _alike(old: Policy, new: Policy, box: Box) -> bool:
    if old.imported is None or new.imported is None:  # made by hand: nobody knows of any lines
        return old.rules == new.rules
    return all(_met(old, part) == _met(new, part) for part in pieces(box.sets))


def _all(policy: Policy) -> Any:
    """All lines of a policy, as `_met` has those that some packets meet: where one text is both, its objects are the same."""
    assert policy.imported is not None
    chains = policy.imported.document.chains
    entries = policy.imported.document.entries_of(policy.imported.name)
    lines = [
        (name, chains.chains[name].default, line)
        for name in dict.fromkeys(name for entry in entries for name in chains.reached(entry))
        for line in chains.chains[name].lines
    ]
    words = [
        (name, default, x.kind, x.target, [(p.products, *_words(x, p)) for p in x.parts]) for name, default, x in lines
    ]
    return entries, [chains.entries.get(entry) for entry in entries], words


def _met(policy: Policy, part: Sets) -> Any:
    """What packets of a product meet on their way: two values are equal only if it is the same."""
    assert policy.imported is not None
    chains = policy.imported.document.chains
    left = list(policy.imported.document.entries_of(policy.imported.name))
    out: list[Any] = [chains.entries.get(entry) for entry in left]
    names = {entry: at for at, entry in enumerate(left)}  # by the order in which chains are come to: names mean nothing
    while left:
        name = left.pop(0)
        out.append(chains.chains[name].default)
        for line, parts in _lines(chains, name, part):
            target = line.target
            if target is not None and target not in names:
                names[target] = len(names)
                left.append(target)
            out.append((line.kind, None if target is None else names[target], parts))
            if any(words and _rests_on_others(words[-1], policy) for _, *words in parts):
                out.append([_plain(text) for _, text in sorted(policy.sources.items())])
    return out


def _rests_on_others(words: str, policy: Policy) -> bool:
    """May other lines of the file have a say in whether a line in doubt matches?"""
    if _ELSEWHERE.search(words):
        return True
    return bool(_AFFECTED.search(words)) and any(_AFFECTING.search(_plain(text)) for text in policy.sources.values())


def _lines(chains: Chains, name: str, part: Sets) -> Iterator[tuple[Line, Any]]:
    """The lines of a chain that packets of a product may meet, up to one that takes all of them for certain."""
    for line in chains.chains[name].lines:
        if line.kind is Kind.PASS:
            continue
        seen = [(shared, one) for one in line.parts if (shared := _shared(one, part))]
        if seen:
            yield line, tuple([(shared, *_words(line, one)) for shared, one in seen])
        if line.kind in _ENDS and any(part in shared and _is_sure(line, one) for shared, one in seen):
            return


def _is_sure(line: Line, one: Part) -> bool:
    """Does no packet of it go on? None does from a line that a reader puts in for another address family's rules."""
    return not one.doubts or (line.kind is Kind.EITHER and line.text in one.doubts)


def _shared(one: Part, part: Sets) -> frozenset[Sets]:
    both = (Box(product) & Box(part) for product in one.products)
    return frozenset(box.sets for box in both if box)


def _words(line: Line, one: Part) -> tuple[Any, ...]:
    """What a line in doubt rests on: reasons, and its words without what it has counted."""
    if line.implied and line.kind is Kind.EITHER and (found := _FAMILY.search(line.text)):
        return (found[0],)  # each format says in its own words that it is about one family
    if one.doubts or line.kind is Kind.EITHER:
        return one.doubts, _plain(line.text)
    return ()


def _plain(text: str) -> str:
    return " ".join(_COUNTED.sub("", text).split())
