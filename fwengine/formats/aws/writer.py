"""Rules -> one direction of a network ACL of AWS, as `describe-network-acls` shows it.

An entry looks at the address of the other end, at a protocol, and at destination ports or an ICMP message; at nothing else. Of
later fragments AWS does not say whether they meet an entry with ports: where there is one, nothing is claimed of them, and told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from ...model.box import Box
from ...model.fields import (
    CODE,
    DPORT,
    DSCP,
    DST,
    FIRST,
    FLAGS,
    FRAGMENT,
    ICMP,
    ICMPV6,
    IN,
    LATER,
    LENGTH,
    OUT,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    TCP,
    TTL,
    TYPE,
    UDP,
    WHOLE,
)
from ...model.interval import IntervalSet
from ...model.rules import ALLOW, Action, Rule
from ...model.scattered import ScatteredSet
from .. import spelling
from ..terms import Term, terms
from ..writing import Refusals, Task, UnsayableError, Written, refuse_fields, scope

FORMAT = "aws"
NAME = "acl-fwengine"
_MOST = 32_766  # the greatest number of an entry
_QUOTA = 20  # entries of a direction, unless more were asked for
_PORTED = IntervalSet.of((TCP, TCP), (UDP, UDP))
_EARLY = IntervalSet(((WHOLE, FIRST),))
_SUBNET = "write a list for each subnet, whose own addresses need no word"
_UNKNOWN = dict.fromkeys(
    (SPORT, FLAGS, IN, OUT, STATE, DSCP, TTL, LENGTH),
    "leave such conditions out (the rule is wider then), or filter that elsewhere",
)

Entry = dict[str, Any]


def write(task: Task) -> Written:
    """The list as JSON, and how it is read back: `ingress`, or for the chain `output` `egress`.

    Raises:
        RefusedError: for each rule that asks for more than AWS looks at.
    """
    return _Writer(task).written()


class _Writer:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.egress = task.chain == "output"
        self.refusals = Refusals()

    def written(self) -> Written:
        task = self.task
        entries: list[Entry] = []
        deep = any(_is_deep(term) for rule in task.rules for box in rule.boxes for term in self._terms(box, WHOLE))
        for rule in task.rules:
            with self.refusals.of(rule):
                for term in self._of(rule, deep):
                    entries += self._entries(term, rule.action)
        if task.default is ALLOW:
            for family in task.families:
                entries += self._entries(Term(family, ()), ALLOW)
        with self.refusals.of(None):
            if len(entries) > _MOST:
                raise UnsayableError(
                    f"AWS has numbers for {_MOST:,} entries, and it takes {len(entries):,}", "take it apart"
                )
        self.refusals.done()
        step = max(1, min(10, _MOST // (len(entries) + 1)))
        numbered = [{"RuleNumber": step * n, **entry} for n, entry in enumerate(entries, 10 // step)]
        name = task.name or NAME
        text = json.dumps({"NetworkAcls": [{"NetworkAclId": name, "Entries": numbered}]}, indent=4)
        within = scope(task.families, {FRAGMENT: _EARLY} if deep else None)
        which = f"{name} {'egress' if self.egress else 'ingress'}"
        return Written(text + "\n", FORMAT, ((which, within),), tuple(self._told(deep, len(entries))))

    def _told(self, deep: bool, count: int) -> Iterator[str]:
        if deep:
            yield (
                "AWS does not say whether entries with ports or types take later fragments: what becomes of these is not proved"
            )
        if any(rule.name for rule in self.task.rules):
            yield "entries of AWS have numbers, no names: those of the rules are left out"
        if any(rule.log for rule in self.task.rules):
            yield "entries of AWS do not log: flow logs do"
        if count > _QUOTA:
            yield f"{count} entries: AWS takes {_QUOTA} a direction unless its quota is raised"

    def _terms(self, box: Box, kind: int) -> tuple[Term, ...]:
        return terms(box, kind, self.task.families)

    def _of(self, rule: Rule, deep: bool) -> list[Term]:
        found: dict[int, list[Term]] = {kind: [] for kind in (WHOLE, FIRST, LATER)}
        for box in rule.boxes:
            for kind, some in found.items():
                some += self._terms(box, kind)
        untold = found[WHOLE] != found[FIRST] or (found[LATER] and not found[WHOLE])
        if untold or (not deep and found[WHOLE] != found[LATER]):
            raise UnsayableError("network ACLs do not tell fragments from whole packets", "leave out `fragment`")
        return list(dict.fromkeys(found[WHOLE]))

    def _entries(self, term: Term, action: Action) -> Iterator[Entry]:
        near, far, way = (DST, SRC, "egress") if self.egress else (SRC, DST, "ingress")
        refuse_fields(term, {**_UNKNOWN, far: _SUBNET}, f"{way} of a network ACL")
        addresses = term.get(near)
        networks = [{4: "0.0.0.0/0", 6: "::/0"}[term.family or 4]]
        if addresses is not None:
            found = spelling.prefixes(addresses)
            if found is None or isinstance(addresses, ScatteredSet):
                raise UnsayableError("AWS has prefixes alone, and the set of addresses has holes", "take it apart")
            networks = [text if "/" in text else f"{text}/{32 if term.family == 4 else 128}" for text in found]
        block = "CidrBlock" if term.family == 4 else "Ipv6CidrBlock"
        for (protocol, more), network in product(list(self._protocols(term)), networks):
            yield {
                "Protocol": str(protocol),
                "RuleAction": str(action),
                "Egress": self.egress,
                block: network,
                **more,
            }

    def _protocols(self, term: Term) -> Iterator[tuple[int, Entry]]:
        """Protocols, each with the ports or the message that AWS wants beside it."""
        chosen, ports = term.get(PROTOCOL), term.get(DPORT)
        if chosen is None:
            yield -1, {}
            return
        if ports is not None and not chosen.issubset(_PORTED):
            raise UnsayableError("AWS looks at ports of tcp and udp alone", "leave out the ports of other protocols")
        for protocol in (p for lo, hi in chosen for p in range(lo, hi + 1)):
            if protocol in (TCP, UDP):
                for lo, hi in ports or ((0, 65535),):
                    yield protocol, {"PortRange": {"From": lo, "To": hi}}
            elif protocol in (ICMP, ICMPV6):
                for kind, code in _messages(term):
                    yield protocol, {"IcmpTypeCode": {"Type": kind, "Code": code}}
            else:
                yield protocol, {}


def _is_deep(term: Term) -> bool:
    return bool(term.fields & {DPORT, TYPE, CODE})


def _messages(term: Term) -> Iterator[tuple[int, int]]:
    types, codes = term.get(TYPE), term.get(CODE)
    if types is None and codes is not None:
        raise UnsayableError("AWS asks for a code of one type alone", "name the types")
    for kind in [-1] if types is None else (t for lo, hi in types for t in range(lo, hi + 1)):
        for code in [-1] if codes is None else (c for lo, hi in codes for c in range(lo, hi + 1)):
            yield kind, code
