"""Conditions -> words of iptables: alternatives, one of which is met, and exclusions, none of which is.

A rule of iptables joins its conditions by "and", and takes one value for most. What is one of several needs a rule for each; what
is none of several needs a chain that lets go of each. Every function is exact, or raises UnsayableError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ...model import address
from ...model.fields import (
    BYTE,
    CODE,
    DPORT,
    DSCP,
    DST,
    FLAG_NAMES,
    FLAGS,
    FULL,
    ICMP,
    ICMPV6,
    IN,
    LENGTH,
    OUT,
    PORTS,
    SPORT,
    SRC,
    STATE,
    STATES,
    TTL,
    TYPE,
)
from ...model.interval import IntervalSet
from .. import spelling
from ..terms import FAMILIES, Term
from ..writing import UnsayableError

Words = tuple[str, ...]
NAMES: Mapping[int, str] = {
    1: "icmp", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre", 50: "esp", 51: "ah", 58: "ipv6-icmp", 132: "sctp", 136: "udplite",
}  # fmt: skip
PORTED: Mapping[int, str] = {6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udplite"}
_SLOTS = 15  # of multiport; a range takes two
_LISTED = 64  # addresses in one rule
_MESSAGES = 256


class Excluded(NamedTuple):
    """What is not to be met: its words, and how a rule negates it by itself, if it can."""

    words: Words
    negated: Words = ()


class Spelt(NamedTuple):
    """One of the alternatives is met, and none of what is excluded."""

    options: tuple[Words, ...] = ((),)
    excluded: tuple[Excluded, ...] = ()


def protocols(chosen: IntervalSet) -> Spelt:
    """`-p`; protocol 0 means all of them to iptables."""
    outside = FULL[0] - chosen
    some = outside if outside.size < chosen.size else chosen
    numbers = [v for lo, hi in some for v in range(lo, hi + 1)]
    if 0 in numbers:
        raise UnsayableError("protocol 0 means every protocol to iptables", "leave it out")
    words = [("-p", NAMES.get(v, str(v))) for v in numbers]
    if some is chosen:
        return Spelt(tuple(words))
    return Spelt(excluded=tuple(Excluded(w, ("!", *w)) for w in words))


def early(protocol: int) -> tuple[Words, ...]:
    """What all packets of a protocol meet but later fragments: their header cannot be looked at; nothing if there is no such test."""
    if protocol == ICMPV6:
        head = ("-p", NAMES[protocol], "-m", "icmp6")
        return (*head, "--icmpv6-type", "255"), (*head, "!", "--icmpv6-type", "255")
    name = PORTED.get(protocol)
    if name is None:
        return ()
    if name == "udplite":
        return (("-p", name, "-m", "multiport", "--dports", "0:65535"),)
    return (("-p", name, "-m", name),)


def addresses(f: int, family: int, chosen: IntervalSet) -> Spelt:
    """`-s` and `-d`, with masks, or ranges where those are fewer."""
    option = "-s" if f == SRC else "-d"
    outside = FAMILIES[family] - chosen
    cubes, holes = spelling.masked(chosen), spelling.masked(outside)
    if cubes is not None and (holes is None or len(cubes) <= len(holes)):
        return Spelt(tuple((option, spelling.shown(*cube)) for cube in cubes))
    if holes is not None:
        words = [(option, spelling.shown(*cube)) for cube in holes]
        return Spelt(excluded=tuple(Excluded(w, ("!", *w)) for w in words))
    within, without = spelling.prefixes(chosen), spelling.prefixes(outside)
    if within is None or without is None:
        raise UnsayableError("the set of addresses takes too many masks", "take it apart")
    if len(within) <= min(4, len(without) + 1):
        return Spelt(_listed(option, within))
    ranges = len(chosen.ranges)
    if len(without) <= min(len(within), 2 * ranges):
        if len(without) == 1:
            return Spelt(excluded=(Excluded((option, without[0]), ("!", option, without[0])),))
        return Spelt(excluded=tuple(Excluded(w) for w in _listed(option, without)))
    if 4 * ranges < len(within):
        word = "--src-range" if f == SRC else "--dst-range"
        shown = [f"{address.show(lo)}-{address.show(hi)}" for lo, hi in chosen]
        return Spelt(tuple(("-m", "iprange", word, text) for text in shown))
    return Spelt(_listed(option, within))


def _listed(option: str, elements: Sequence[str]) -> tuple[Words, ...]:
    return tuple((option, ",".join(elements[at : at + _LISTED])) for at in range(0, len(elements), _LISTED))


def interfaces(f: int, chosen: IntervalSet) -> Spelt:
    """`-i` and `-o`, with `+`."""
    option = "-i" if f == IN else "-o"
    found = spelling.interfaces(chosen)
    if found is None:
        raise UnsayableError("the interfaces have names that iptables cannot write, or are too many", "name them")
    words = [(option, name) for name in found.names] + [(option, f"{name}+") for name in found.beginnings]
    if found.negated:
        return Spelt(excluded=tuple(Excluded(w, ("!", *w)) for w in words))
    return Spelt(tuple(words))


def ports(f: int, protocol: int, chosen: IntervalSet) -> Spelt:
    """`--dport` of the protocol's module, or of `multiport`."""
    word = "sport" if f == SPORT else "dport"
    module = PORTED[protocol]
    outside = PORTS - chosen
    negated = len(outside.ranges) < len(chosen.ranges) or (outside.size == 1 and len(chosen.ranges) == 1)
    some = outside if negated else chosen
    sign = ("!",) * negated
    if len(some.ranges) == 1 and module != "udplite":
        return Spelt((("-m", module, *sign, f"--{word}", _range(*some.ranges[0])),))
    groups: list[list[str]] = []
    left = 0
    for lo, hi in some:
        cost = 1 if lo == hi else 2
        if left < cost:
            groups.append([])
            left = _SLOTS
        groups[-1].append(_range(lo, hi))
        left -= cost
    lists = [("-m", "multiport", *sign, f"--{word}s", ",".join(group)) for group in groups]
    if negated:
        return Spelt((tuple(w for words in lists for w in words),))
    return Spelt(tuple(lists))


def _range(lo: int, hi: int) -> str:
    return str(lo) if lo == hi else f"{lo}:{hi}"


def flags(chosen: IntervalSet) -> Spelt:
    """`--tcp-flags`, which knows six of the eight."""
    options = []
    for test in spelling.flag_tests(chosen):
        if test.mask & 0xC0:
            raise UnsayableError("iptables does not look at the flags ece and cwr", "leave them out of the mask")
        sign = ("!",) * test.negated
        options.append(("-m", "tcp", *sign, "--tcp-flags", _flags(test.mask), _flags(test.value)))
    return Spelt(tuple(options))


def _flags(value: int) -> str:
    return ",".join(name.upper() for bit, name in enumerate(FLAG_NAMES) if value >> bit & 1) or "NONE"


def messages(term: Term) -> Spelt:
    """`--icmp-type`: one type, and perhaps one code."""
    family = term.family or 4
    head = ("-m", "icmp") if family == 4 else ("-m", "icmp6")
    option = "--icmp-type" if family == 4 else "--icmpv6-type"
    types, codes = term.get(TYPE), term.get(CODE)
    if types is None:
        raise UnsayableError("iptables asks for a code of one type alone", "name the types")
    outside = BYTE - types
    negated = codes is None and outside.size < types.size
    listed = [v for lo, hi in (outside if negated else types) for v in range(lo, hi + 1)]
    if family == 4 and 255 in listed:
        raise UnsayableError("type 255 means any type to iptables", "leave it out")
    texts = [str(t) for t in listed]
    if codes is not None:
        texts = [f"{t}/{code}" for t in texts for lo, hi in codes for code in range(lo, hi + 1)]
    if len(texts) > _MESSAGES:
        raise UnsayableError(f"it takes more than {_MESSAGES} types and codes", "name fewer")
    if not negated:
        return Spelt(tuple((*head, option, text) for text in texts))
    name = ("-p", NAMES[ICMP if family == 4 else ICMPV6])
    if len(texts) == 1:
        return Spelt(((*head, "!", option, texts[0]),))
    # of the packets behind `-p icmp` a later fragment has no type: one of those excluded is asked for in the rule itself
    first, *others = texts
    return Spelt(((*head, "!", option, first),), tuple(Excluded((*name, *head, option, text)) for text in others))


def states(chosen: IntervalSet) -> Spelt:
    named = ",".join(STATES[v].upper() for lo, hi in chosen for v in range(lo, hi + 1))
    return Spelt((("-m", "conntrack", "--ctstate", named),))


def classes(chosen: IntervalSet) -> Spelt:
    """`--dscp`, one value."""
    outside = FULL[DSCP] - chosen
    negated = outside.size < chosen.size
    values = [v for lo, hi in (outside if negated else chosen) for v in range(lo, hi + 1)]
    if negated:
        return Spelt(
            excluded=tuple(
                Excluded(("-m", "dscp", "--dscp", str(v)), ("-m", "dscp", "!", "--dscp", str(v))) for v in values
            )
        )
    return Spelt(tuple(("-m", "dscp", "--dscp", str(v)) for v in values))


def lives(family: int, chosen: IntervalSet) -> Spelt:
    """`--ttl-lt`, `--ttl-gt`, `--ttl-eq`, or those of `hl`."""
    module = "ttl" if family == 4 else "hl"

    def one(way: str, number: int) -> Words:
        return "-m", module, f"--{module}-{way}", str(number)

    options = []
    for lo, hi in chosen:
        if lo == hi:
            options.append(one("eq", lo))
        else:
            below = one("lt", hi + 1) if hi < FULL[TTL].hi else ()
            options.append((*(one("gt", lo - 1) if lo else ()), *below))
    return Spelt(tuple(options))


def lengths(chosen: IntervalSet) -> Spelt:
    """`--length`, which compares up to 65535; what has no end is the rest: IPv6 packets may be longer than that."""
    options: list[Words] = []
    for lo, hi in chosen:
        if hi == FULL[LENGTH].hi and lo <= 65536:
            options.append(("-m", "length", "!", "--length", _range(0, lo - 1)))
        elif hi > 65535:
            raise UnsayableError("iptables compares lengths up to 65535", "leave out what is longer")
        else:
            options.append(("-m", "length", "--length", _range(lo, hi)))
    return Spelt(tuple(options))


SIMPLE: Mapping[int, Callable[[int, IntervalSet], Spelt]] = {
    IN: lambda family, chosen: interfaces(IN, chosen),
    OUT: lambda family, chosen: interfaces(OUT, chosen),
    SRC: lambda family, chosen: addresses(SRC, family, chosen),
    DST: lambda family, chosen: addresses(DST, family, chosen),
    STATE: lambda family, chosen: states(chosen),
    DSCP: lambda family, chosen: classes(chosen),
    TTL: lives,
    LENGTH: lambda family, chosen: lengths(chosen),
}
HEADERS = frozenset({SPORT, DPORT, FLAGS, TYPE, CODE})  # conditions on what later fragments have not
