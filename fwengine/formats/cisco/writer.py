"""Rules -> access lists of Cisco IOS: an extended one for IPv4, one for IPv6, object groups for the policy's own networks.

An entry with ports, flags or types that permits lets later fragments by which agree in addresses and protocol; one that denies
does not see them. Where that is not what the policy says, entries with `fragments` stand first and decide about all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from ...model import address
from ...model.box import HEADERS
from ...model.fields import (
    CODE,
    DPORT,
    DSCP,
    DST,
    FIRST,
    FLAG_NAMES,
    FLAGS,
    FULL,
    ICMP,
    ICMPV6,
    IN,
    LATER,
    LENGTH,
    OUT,
    PORTS,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    TTL,
    TYPE,
    WHOLE,
)
from ...model.interval import IntervalSet
from ...model.rules import ALLOW, Action, Rule
from .. import spelling
from ..terms import Term, terms
from ..writing import Refusals, Task, UnsayableError, Written, plain, refuse_fields, scope

FORMAT = "cisco-ios"
NAME = "FWENGINE"
_LINES = 4096  # of one rule
_REMARK = 100  # characters of a remark
_EQUALS = 10  # ports behind one `eq`
_NAMES: Mapping[int, str] = {6: "tcp", 17: "udp", 132: "sctp"}
_WITH_HEADER = frozenset({SPORT, DPORT, FLAGS, TYPE, CODE})
_WHERE = "a list is applied to an interface: write one for each, without `in` and `out`, and apply it there"
_WIDER = "leave the condition out: the rule is wider then"
_UNKNOWN = {
    IN: _WHERE,
    OUT: _WHERE,
    STATE: "it tracks no connections here: `established` asks for flags",
    LENGTH: _WIDER,
}
_UNKNOWN_V6 = {TTL: _WIDER}

Section = list[tuple[Rule, str, list[Term]]]


def write(task: Task) -> Written:
    """The lists, one a family that the policy is about, and how they are read back.

    Raises:
        RefusedError: for each rule that IOS cannot say exactly.
    """
    return _Writer(task).written()


class _Writer:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.refusals = Refusals()
        self.groups: dict[str, list[str]] = {}
        self.nets = {nets & address.V4: re.sub(r"[^\w.-]", "_", name) for name, nets in task.nets if nets & address.V4}

    def written(self) -> Written:
        name = self.task.name or NAME
        lists = {
            family: (name if len(self.task.families) == 1 or family == 4 else f"{name}-V6", self._list(family))
            for family in self.task.families
        }
        self.refusals.done()
        rows = [f"! {plain(line)}" for line in self.task.title]
        for group, members in self.groups.items():
            rows += [f"object-group network {group}", *(f" {member}" for member in members), "!"]
        for family, (called, entries) in lists.items():
            rows.append(f"ip access-list extended {called}" if family == 4 else f"ipv6 access-list {called}")
            rows += [f" {entry}" if not entry.startswith("!") else entry for entry in entries] + ["!"]
        policies = tuple((called, scope((family,))) for family, (called, _) in lists.items())
        return Written("\n".join([*rows, ""]), FORMAT, policies)

    def _list(self, family: int) -> list[str]:
        early, later = self._sections(family)
        last = f"{_verdict(self.task.default)} {'ip' if family == 4 else 'ipv6'} any any"
        out: list[str] = []
        if not all(
            set(_let_by(rule, found)) == set(fragments)
            for (rule, _, found), (*_, fragments) in zip(early, later, strict=True)
        ):
            later = [part for part in later if part[2]]
            while later and later[-1][0].action is self.task.default and not later[-1][0].log:
                later.pop()
            out += [*self._entries(later, family, ["fragments"]), f"{last} fragments"]
        return [*out, *self._entries(early, family, []), last]

    def _sections(self, family: int) -> tuple[Section, Section]:
        """What each rule matches of packets that are no later fragments, and of those that are."""
        early: Section = []
        later: Section = []
        lines = self.task.lines or ("",) * len(self.task.rules)
        for rule, line in zip(self.task.rules, lines, strict=True):
            kinds: dict[int, list[Term]] = {WHOLE: [], FIRST: [], LATER: []}
            with self.refusals.of(rule):
                for box in rule.boxes:
                    for kind, found in kinds.items():
                        found += terms(box, kind, (family,))
                if kinds[WHOLE] != kinds[FIRST]:
                    raise UnsayableError("IOS does not tell a first fragment from a whole packet", "ask for both")
            early.append((rule, line, list(dict.fromkeys(kinds[WHOLE]))))
            later.append((rule, line, list(dict.fromkeys(kinds[LATER]))))
        return early, later

    def _entries(self, section: Section, family: int, more: list[str]) -> Iterator[str]:
        for rule, line, found in section:
            if line:
                yield f"! {plain(line)}"
            made: list[str] = []
            with self.refusals.of(rule):
                for term in found:
                    made += [self._entry(rule, words, more) for words in self._words(term, family, bool(more))]
                    if len(made) > _LINES:
                        raise UnsayableError(f"it takes more than {_LINES:,} entries", "take it apart")
            if made and rule.name:
                yield f"remark {plain(rule.name)[:_REMARK]}"
            yield from made

    def _entry(self, rule: Rule, words: Sequence[str], more: Sequence[str]) -> str:
        return " ".join([_verdict(rule.action), *filter(None, words), *["log"] * rule.log, *more])

    # Conditions

    def _words(self, term: Term, family: int, fragments: bool) -> Iterator[tuple[str, ...]]:
        """The entries that are a term together, each as its words in their order."""
        refuse_fields(term, _UNKNOWN, "an access list of IOS")
        refuse_fields(term, _UNKNOWN_V6 if family == 6 else {}, "an IPv6 access list of IOS")
        source, target = self._addresses(term.get(SRC), family), self._addresses(term.get(DST), family)
        dscp, ttl = term.get(DSCP), term.get(TTL)
        options = [
            ["ttl " + text for text in _compared(ttl, FULL[TTL])] if ttl is not None else [""],
            [f"dscp {v}" for v in _each(dscp)] if dscp is not None else [""],
        ]
        flags = _flags(term.get(FLAGS))
        header = [_ports(term.get(SPORT)), _ports(term.get(DPORT)), _messages(term)]
        for protocol in _protocols(term, family, fragments):
            for a, sport, b, dport, message, flag, *rest in product(
                source, header[0], target, header[1], header[2], flags, *options
            ):
                yield (protocol, a, sport, b, dport, message, flag, *rest)

    def _addresses(self, chosen: IntervalSet | None, family: int) -> list[str]:
        if chosen is None:
            return ["any"]
        cubes = spelling.masked(chosen)
        if cubes is not None and family == 4:
            return [f"{address.show(point)} {address.show(mask ^ 0xFFFFFFFF)}" for point, mask in cubes]
        elements = spelling.prefixes(chosen)
        if elements is None or cubes is not None:
            raise UnsayableError(
                "IPv6 lists of IOS have prefixes alone, and the set of addresses has holes", "take it apart"
            )
        name = self.nets.get(chosen)
        if name is not None and len(elements) > 1:
            self.groups[name] = [_member(element) for element in elements]
            return [f"object-group {name}"]
        return [_address(element) for element in elements]


def _verdict(action: Action) -> str:
    return "permit" if action is ALLOW else "deny"


def _let_by(rule: Rule, found: Sequence[Term]) -> Iterator[Term]:
    """The later fragments that IOS takes for met by entries for other packets."""
    for term in found:
        if not term.fields & _WITH_HEADER:
            yield term
        elif rule.action is ALLOW:
            yield Term(term.family, tuple(one for one in term.sets if one[0] not in _WITH_HEADER))


def _address(element: str) -> str:
    host, slash, length = element.partition("/")
    if not slash:
        return f"host {host}"
    return element if ":" in host else f"{host} {address.show((1 << 32 - int(length)) - 1)}"


def _member(element: str) -> str:
    host, slash, length = element.partition("/")
    return f"{host} {address.show((1 << 32) - (1 << 32 - int(length)))}" if slash else f"host {host}"


def _each(chosen: IntervalSet) -> Iterator[int]:
    for lo, hi in chosen:
        yield from range(lo, hi + 1)


def _protocols(term: Term, family: int, fragments: bool) -> list[str]:
    chosen = term.get(PROTOCOL)
    if chosen is None:
        return ["ip" if family == 4 else "ipv6"]
    if family == 6:
        whole = chosen - HEADERS
        if fragments and whole != chosen:
            raise UnsayableError(
                "IOS does not tell which fragment an extension header of IPv6 stands in", "name other protocols"
            )
        chosen = whole
    messages = ICMP if family == 4 else ICMPV6
    names = {**_NAMES, messages: "icmp"}
    if term.fields & {SPORT, DPORT} and not chosen.issubset(_PORTED):
        raise UnsayableError("IOS looks at ports of tcp, udp and sctp alone", "leave out the ports of dccp and udplite")
    return [names.get(v, str(v)) for v in _each(chosen)]


_PORTED = IntervalSet.union((p, p) for p in _NAMES)


def _ports(chosen: IntervalSet | None) -> list[str]:
    return [""] if chosen is None else _compared(chosen, PORTS, together=True)


def _compared(chosen: IntervalSet, domain: IntervalSet, *, together: bool = False) -> list[str]:
    """`eq`, `neq`, `lt`, `gt`, `range`."""
    outside = domain - chosen
    if outside.size == 1:
        return [f"neq {outside.lo}"]
    out = []
    singles = [lo for lo, hi in chosen if lo == hi]
    step = _EQUALS if together else 1
    for at in range(0, len(singles), step):
        out.append("eq " + " ".join(map(str, singles[at : at + step])))
    for lo, hi in chosen:
        if lo == hi:
            continue
        if hi == domain.hi:
            out.append(f"gt {lo - 1}" if lo else f"range {lo} {hi}")
        else:
            out.append(f"range {lo} {hi}" if lo else f"lt {hi + 1}")
    return out


def _messages(term: Term) -> list[str]:
    types, codes = term.get(TYPE), term.get(CODE)
    if types is None and codes is None:
        return [""]
    if types is None:
        raise UnsayableError("IOS asks for a code of one type alone", "name the types")
    if codes is None:
        return [str(kind) for kind in _each(types)]
    return [f"{kind} {code}" for kind in _each(types) for code in _each(codes)]


def _flags(chosen: IntervalSet | None) -> list[str]:
    if chosen is None:
        return [""]
    out = []
    for test in spelling.flag_tests(chosen):
        if test.mask & 0xC0:
            raise UnsayableError("IOS does not look at the flags ece and cwr", "leave them out of the mask")
        if test == spelling.Flags(0x14, 0, negated=True):
            out.append("established")
            continue
        asked = [(name, bool(test.value >> bit & 1)) for bit, name in enumerate(FLAG_NAMES) if test.mask >> bit & 1]
        signs = [("-+"[is_set != test.negated]) + name for name, is_set in asked]
        out.append(f"{'match-any' if test.negated else 'match-all'} {' '.join(signs)}")
    return out
