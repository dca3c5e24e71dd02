"""Rules -> a table of nft: one chain with a hook, named sets for the policy's own networks, a line for each part of a rule.

nft takes what a later fragment carries for ports, types and flags. So later fragments are sent to a chain of their own first, as
far as the policy tells them from other packets; first fragments likewise. Every other condition has an exact form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

from ...model import address
from ...model.fields import (
    CODE,
    DPORT,
    DSCP,
    DST,
    FIRST,
    FLAG_NAMES,
    FLAGS,
    FULL,
    IN,
    LATER,
    LENGTH,
    OUT,
    PRESENT,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    STATES,
    TTL,
    TYPE,
    WHOLE,
)
from ...model.interval import IntervalSet
from ...model.rules import ALLOW, Action, Rule
from .. import spelling
from ..terms import FAMILIES, Term, terms
from ..writing import HOOKS, Refusals, Task, UnsayableError, Written, on_hook, plain, scope
from . import keys

FORMAT = "nftables"
NAME = "fwengine"
_COMMENT = 127  # bytes of a comment that nft keeps
_LINES = 4096  # of one rule
_FEW = 16  # elements of a set on a line
_PROTOCOLS: Mapping[int, str] = {
    1: "icmp", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre", 50: "esp", 51: "ah", 58: "ipv6-icmp", 132: "sctp", 136: "udplite",
}  # fmt: skip
_PORTED: Mapping[int, str] = {6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udplite"}
_NAMED = {
    word: {number: name for name, number in reversed(list(known.items()))}
    for word, known in (("icmp", keys.TYPES), ("icmpv6", keys.TYPES6))
}
_FLAGS = (*FLAG_NAMES[:6], "ecn", "cwr")  # as nft calls them

Tests = list[str]
Part = tuple[Rule, str, tuple[Term, ...]]  # a rule, the user's line, what it matches


def write(task: Task) -> Written:
    """The table, and how it is read back.

    Raises:
        RefusedError: for interfaces that the chain's packets do not have, or whose names cannot be written.
    """
    return _Writer(task).written()


class _Writer:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.family = "inet" if len(task.families) == 2 else {4: "ip", 6: "ip6"}[task.families[0]]
        self.refusals = Refusals()
        self.sets: dict[str, list[str]] = {}  # the named sets that are used
        self.nets = dict(_nets(task.nets))

    def written(self) -> Written:
        kinds = {kind: self._parts(kind) for kind in (WHOLE, FIRST, LATER)}
        chains = {self.task.chain: kinds[WHOLE]}
        jumps: list[str] = []
        if kinds[LATER] != kinds[WHOLE]:
            later = self._short(kinds[LATER])
            jumps += self._sent("later", later, ("ip frag-off & 0x1fff != 0", "frag frag-off != 0"), chains)
        if kinds[FIRST] != kinds[WHOLE]:
            first = self._short(kinds[FIRST])
            more = ("ip frag-off & 0x3fff == 0x2000", "frag frag-off 0 frag more-fragments 1")
            jumps += self._sent("first", first, more, chains)
        bodies = {name: list(self._body(parts)) for name, parts in chains.items()}
        self.refusals.done()
        return Written(
            "\n".join([*self._head(), *self._chains(bodies, jumps), "}", ""]),
            FORMAT,
            ((self.task.chain, scope(self.task.families, HOOKS[self.task.chain])),),
        )

    def _parts(self, kind: int) -> list[Part]:
        out: list[Part] = []
        lines = self.task.lines or ("",) * len(self.task.rules)
        for rule, line in zip(self.task.rules, lines, strict=True):
            found: list[Term] = []
            with self.refusals.of(rule):
                for box in rule.boxes:
                    hooked = on_hook(box, self.task.chain)
                    if hooked is not None:
                        found += terms(hooked, kind, self.task.families, joint=True)
            out.append((rule, line, tuple(dict.fromkeys(found))))
        return out

    def _short(self, parts: list[Part]) -> list[Part]:
        """Without rules that match none of them, and without what says the same as the default at the end."""
        kept = [part for part in parts if part[2]]
        while kept and kept[-1][0].action is self.task.default and not kept[-1][0].log:
            kept.pop()
        return kept

    def _sent(self, name: str, parts: list[Part], tests: Sequence[str], chains: dict[str, list[Part]]) -> list[str]:
        mine = [test for family, test in zip((4, 6), tests, strict=True) if family in self.task.families]
        if not parts:
            return [f"{test} {_verdict(self.task.default)}" for test in mine]
        chains[f"{name}_fragments"] = parts
        return [f"{test} goto {name}_fragments" for test in mine]

    # Texts

    def _head(self) -> Iterator[str]:
        name = self.task.name or NAME
        yield from (f"# {plain(line)}" for line in self.task.title)
        yield f"table {self.family} {name}"
        yield f"delete table {self.family} {name}"
        yield f"table {self.family} {name} {{"
        for set_, elements in self.sets.items():
            kind = "ipv6_addr" if ":" in elements[0] else "ipv4_addr"
            yield f"    set {set_} {{\n        type {kind}\n        flags interval\n        elements = {_listed(elements)}\n    }}\n"

    def _chains(self, bodies: Mapping[str, list[str]], jumps: Sequence[str]) -> Iterator[str]:
        base, *others = bodies
        for name in (*others, base):  # a chain stands before what leads to it
            yield f"    chain {name} {{"
            if name == base:
                yield f"        type filter hook {base} priority filter; policy {_verdict(self.task.default)};"
                yield from (f"        {jump}" for jump in jumps)
            yield from (f"        {line}" for line in bodies[name])
            yield "    }" if name == base else "    }\n"

    def _body(self, parts: Sequence[Part]) -> Iterator[str]:
        for rule, line, found in parts:
            if line:
                yield f"# {plain(line)}"
            if not found:
                yield "# matches none of these packets"
            made: list[str] = []
            with self.refusals.of(rule):
                made += self._rule(rule, found)
            yield from made

    def _rule(self, rule: Rule, found: Sequence[Term]) -> Iterator[str]:
        tail = ["log"] * rule.log + [_verdict(rule.action)] + _comment(rule)
        count = 0
        for term in found:
            for tests in self._tests(term):
                count += 1
                if count > _LINES:
                    raise UnsayableError(f"it takes more than {_LINES:,} lines of nft", "take it apart")
                yield " ".join([*tests, *tail])

    # Conditions

    def _tests(self, term: Term) -> Iterator[Tests]:
        """The lines that are a term together, each as its conditions."""
        options: list[list[Tests]] = []
        for f, chosen in sorted(term.sets, key=lambda s: _ORDER.index(s[0])):
            if f in (SRC, DST):
                options.append(self._addresses(term.family or 4, f, chosen))
            elif f == PROTOCOL:
                options.append([_protocols(term, chosen)])
            else:
                options.append(_SPELT[f](term, chosen))
        bound = any(f in term.fields for f in (SRC, DST, DSCP, TTL, TYPE, CODE))
        if term.family is not None and self.family == "inet" and not bound:
            options.insert(0, [[f"meta nfproto ipv{term.family}"]])
        for chosen_ in product(*options):
            yield [test for tests in chosen_ for test in tests]

    def _addresses(self, family: int, f: int, chosen: IntervalSet) -> list[Tests]:
        key = f"{'ip' if family == 4 else 'ip6'} {'saddr' if f == SRC else 'daddr'}"
        outside = FAMILIES[family] - chosen
        positive, negative = spelling.prefixes(chosen), spelling.prefixes(outside)
        if positive is not None and (negative is None or len(positive) <= len(negative) + 1):
            return [[f"{key} {self._set(chosen, positive)}"]]
        if negative is not None:
            return [[f"{key} != {self._set(outside, negative)}"]]
        found = [(cubes, sign) for some, sign in ((chosen, "=="), (outside, "!=")) if (cubes := spelling.masked(some))]
        if found:
            cubes, sign = min(found, key=lambda one: len(one[0]))
            tests = [f"{key} & {_mask(point, mask)} {sign} {address.show(point)}" for point, mask in cubes]
            return [[test] for test in tests] if sign == "==" else [tests]
        raise UnsayableError("the set of addresses takes too many masks", "take it apart")

    def _set(self, chosen: IntervalSet, elements: list[str]) -> str:
        """By the policy's own name if it has one."""
        name = self.nets.get(chosen)
        if name is None or len(elements) == 1:
            return _listed(elements)
        self.sets.setdefault(name, elements)
        return f"@{name}"


_ORDER = (IN, OUT, SRC, DST, PROTOCOL, SPORT, DPORT, TYPE, CODE, FLAGS, STATE, DSCP, TTL, LENGTH)


def _nets(nets: Sequence[tuple[str, IntervalSet]]) -> Iterator[tuple[IntervalSet, str]]:
    """The policy's names of networks, as names of sets, each for one family."""
    taken: set[str] = set()
    for name, addresses in nets:
        parts = [(family, addresses & mine) for family, mine in FAMILIES.items() if addresses & mine]
        for family, part in parts:
            text = re.sub("[^A-Za-z0-9_]", "_", name) + (f"_v{family}" if len(parts) > 1 else "")
            while text in taken:
                text += "_"
            taken.add(text)
            yield part, text


def _verdict(action: Action) -> str:
    return "accept" if action is ALLOW else "drop"


def _comment(rule: Rule) -> list[str]:
    text = plain((rule.name or "").replace('"', "'"))
    while len(text.encode()) > _COMMENT:
        text = text[:-1]
    return [f'comment "{text}"'] if text else []


def _listed(elements: Sequence[str]) -> str:
    if len(elements) == 1:
        return elements[0]
    if len(elements) <= _FEW:
        return f"{{ {', '.join(elements)} }}"
    rows = [", ".join(elements[at : at + _FEW]) for at in range(0, len(elements), _FEW)]
    return "{\n            " + ",\n            ".join(rows) + " }"


def _values(
    chosen: IntervalSet, domain: IntervalSet, show: Callable[[int], str] = str, *, positive: bool = False
) -> str:
    """A set of numbers, or what it leaves out where that is the shorter list."""
    outside = domain - chosen
    negated = len(outside.ranges) < len(chosen.ranges) or (
        len(outside.ranges) == len(chosen.ranges) and outside.size == 1 < chosen.size
    )
    negated = negated and not positive
    some = outside if negated else chosen
    texts = [show(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in some]
    return ("!= " if negated else "") + _listed(texts)


def _mask(point: int, mask: int) -> str:
    base = address.to_point(address.family_of(point), mask)
    return address.show(base)


def _protocols(term: Term, chosen: IntervalSet) -> Tests:
    """Nothing where a condition behind it tells the protocol."""
    if TYPE in term.fields or CODE in term.fields or FLAGS in term.fields:
        return []
    if (SPORT in term.fields or DPORT in term.fields) and chosen.size == 1:
        return []
    outside = FULL[PROTOCOL] - chosen
    negated = outside.size < chosen.size
    numbers = [v for lo, hi in (outside if negated else chosen) for v in range(lo, hi + 1)]
    return [f"meta l4proto {'!= ' if negated else ''}{_listed([_PROTOCOLS.get(v, str(v)) for v in numbers])}"]


# Of two neighbours in a header that are both negated nft 1.0.6 makes one comparison, which is wrong (`tcp sport != 1 tcp dport != 2`
# then leaves out that pair alone): the second says what it takes.


def _ports(key: str, f: int) -> Callable[[Term, IntervalSet], list[Tests]]:
    def spelt(term: Term, chosen: IntervalSet) -> list[Tests]:
        protocols = term.get(PROTOCOL)
        assert protocols is not None
        whose = _PORTED[protocols.lo] if protocols.size == 1 else "th"
        second = f == DPORT and SPORT in term.fields
        return [[f"{whose} {key} {_values(chosen, PRESENT[f], positive=second)}"]]

    return spelt


def _message(key: str, f: int) -> Callable[[Term, IntervalSet], list[Tests]]:
    def spelt(term: Term, chosen: IntervalSet) -> list[Tests]:
        whose = "icmp" if term.family == 4 else "icmpv6"
        named = _NAMED[whose] if f == TYPE else {}
        second = f == CODE and TYPE in term.fields
        return [[f"{whose} {key} {_values(chosen, PRESENT[f], lambda v: named.get(v, str(v)), positive=second)}"]]

    return spelt


def _flags(term: Term, chosen: IntervalSet) -> list[Tests]:
    return [[_flag_test(test)] for test in spelling.flag_tests(chosen)]


def _flag_test(test: spelling.Flags) -> str:
    mask, value = _bits(test.mask), _bits(test.value)
    sign = "!=" if test.negated else "=="
    return f"tcp flags {sign} {value}" if test.mask == 255 else f"tcp flags & {mask} {sign} {value}"


def _bits(value: int) -> str:
    names = [name for bit, name in enumerate(_FLAGS) if value >> bit & 1]
    if not names:
        return "0x0"
    return names[0] if len(names) == 1 else f"({' | '.join(names)})"


def _interface(key: str) -> Callable[[Term, IntervalSet], list[Tests]]:
    def spelt(term: Term, chosen: IntervalSet) -> list[Tests]:
        found = spelling.interfaces(chosen)
        if found is None:
            raise UnsayableError("the interfaces have names that nft cannot write, or are too many", "name them")
        names = [_listed([f'"{name}"' for name in found.names])] if found.names else []
        names += [f'"{name}*"' for name in found.beginnings]
        if found.negated:
            return [[f"{key} != {text}" for text in names]]
        return [[f"{key} {text}"] for text in names]

    return spelt


def _state(term: Term, chosen: IntervalSet) -> list[Tests]:
    return [[f"ct state {_listed([STATES[v] for lo, hi in chosen for v in range(lo, hi + 1)])}"]]


def _number(key4: str, key6: str, f: int) -> Callable[[Term, IntervalSet], list[Tests]]:
    def spelt(term: Term, chosen: IntervalSet) -> list[Tests]:
        return [[f"{key6 if term.family == 6 else key4} {_values(chosen, FULL[f])}"]]

    return spelt


_SPELT: Mapping[int, Callable[[Term, IntervalSet], list[Tests]]] = {
    IN: _interface("iifname"),
    OUT: _interface("oifname"),
    SPORT: _ports("sport", SPORT),
    DPORT: _ports("dport", DPORT),
    TYPE: _message("type", TYPE),
    CODE: _message("code", CODE),
    FLAGS: _flags,
    STATE: _state,
    DSCP: _number("ip dscp", "ip6 dscp", DSCP),
    TTL: _number("ip ttl", "ip6 hoplimit", TTL),
    LENGTH: _number("meta length", "meta length", LENGTH),
}
