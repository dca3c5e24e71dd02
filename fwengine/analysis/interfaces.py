"""Which interfaces rules name, which of a question's they do not know, and which name looks like a slip for another.

Interfaces need no declaration, so a mistyped one is not an error: it matches nothing, and a proof about it proves nothing
that anybody wanted to know. What is said here is exact where it speaks of names, and a guess where it says "resembles".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from ..model.box import Box
from ..model.fields import FULL, IN, INTERFACES, NO_INTERFACE, interface_name, interface_number
from ..model.interval import IntervalSet
from ..model.ruleset import RuleSet
from ..registry import names

_TOKEN = re.compile(r"[A-Za-z]+")
_WRITTEN = (
    128  # neighbouring names from which on they are those of a wildcard, such as all of `eth+` with one letter more
)
_MANY = 1 << 12  # intervals of a set of names, beyond which it was not written by hand
# words that are near each other, and no slips
_USUAL = frozenset(
    {
        "ae", "bge", "bond", "br", "bridge", "dmz", "dummy", "em", "en", "eno", "enp", "ens", "enx", "et", "eth", "fa", "fxp", "ge",
        "gi", "gre", "guest", "igb", "igc", "in", "ipsec", "irb", "ix", "ixl", "lag", "lan", "lo", "man", "mgmt", "out", "pan", "po",
        "ppp", "re", "reth", "sit", "st", "tap", "te", "tun", "utun", "vc", "veth", "vif", "virbr", "vlan", "vmx", "vr", "vti", "vtnet",
        "wan", "wg", "wl", "wlan", "wlp", "wwan", "xe",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Stranger:
    """An interface that a question names and no rule does; `near` is a name of the rules that may be meant, or empty."""

    name: str
    near: str


@dataclass(frozen=True)
class Slip:
    """A name that one rule alone uses, and that resembles one which others use."""

    rule: int
    name: str
    resembles: str


def mentioned(chosen: IntervalSet, most: int = _MANY) -> list[int]:
    """The interfaces that a set names, be it to hold or to leave them out; no `most` or more neighbours.

    >>> from fwengine.model.fields import SOME_INTERFACE
    >>> lan = IntervalSet.single(interface_number("lan0"))
    >>> [interface_name(number) for number in mentioned(SOME_INTERFACE - lan)]
    ['lan0']
    """
    if chosen == FULL[IN] or len(chosen.ranges) > _MANY:
        return []
    # names that differ in the last letter alone, such as eth1 and eth2, are one interval
    narrow = [(lo, hi) for some in (chosen, FULL[IN] - chosen) for lo, hi in some if hi - lo < most]
    return sorted(v for lo, hi in narrow for v in range(lo, hi + 1) if v != NO_INTERFACE and is_name(v))


def is_name(number: int) -> bool:
    """Is there an interface name, or none for 0, with this number?"""
    try:
        return interface_number(interface_name(number)) == number
    except ValueError:  # not UTF-8, or too long
        return False


def named(boxes: Iterable[Box], most: int = _MANY) -> frozenset[str]:
    """The interfaces that boxes name, as `mentioned`."""
    sets = {box.sets[f] for box in boxes for f in INTERFACES}
    return frozenset(interface_name(number) for chosen in sets for number in mentioned(chosen, most))


def wildcards(boxes: Iterable[Box], asked: Iterable[str]) -> frozenset[str]:
    """The names that boxes do not list and have among all that begin alike, as `eth10` under iptables' `eth+`."""
    sets = dict.fromkeys(box.sets[f] for box in boxes for f in INTERFACES if box.sets[f] != FULL[f])
    alike = [min(chosen, FULL[IN] - chosen, key=lambda side: side.size) for chosen in sets]
    wide = [side for side in alike if any(hi - lo >= _MANY for lo, hi in side)]
    return frozenset(name for name in asked if any(interface_number(name) in side for side in wide))


def strangers(known: Collection[str], asked: Collection[str]) -> tuple[Stranger, ...]:
    """The interfaces that are asked about and not known, by name.

    >>> strangers(["eth0", "wan0"], ["eht0", "wan0"])
    (Stranger(name='eht0', near='eth0'),)
    """
    unknown = sorted(set(asked) - set(known))
    return tuple(
        Stranger(name, "".join(names.near(name, sorted(other for other in known if not _usual(name, other)))))
        for name in unknown
    )


def slips(policy: RuleSet) -> Iterator[Slip]:
    """Names that may be slips: used by one rule, and one letter away from a name that another rule uses.

    Numbers tell interfaces apart, and so do usual words such as `lan` and `wan`: those resemble nothing.
    """
    users: dict[str, list[int]] = {}
    for index, rule in enumerate(policy.rules):
        for name in named(rule.boxes, _WRITTEN):
            users.setdefault(name, []).append(index)
    for name, rules in sorted(users.items()):
        if len(rules) == 1:
            alike = sorted((-len(users[other]), other) for other in users if _resemble(name, other))
            if alike and (-alike[0][0] > 1 or alike[0][1] > name):  # of two that are used once, one is told
                yield Slip(rules[0], name, alike[0][1])


def _resemble(one: str, other: str) -> bool:
    ours, theirs = _TOKEN.findall(one), _TOKEN.findall(other)
    if one == other or len(ours) != len(theirs) or _TOKEN.sub("", one) != _TOKEN.sub("", other):
        return False
    different = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    if len(different) != 1:
        return False
    a, b = different[0]
    if a.lower() == b.lower():
        return True
    if _usual(one, other):
        return False
    if Counter(a) == Counter(b):  # two letters changed places
        return sum(x != y for x, y in zip(a, b, strict=True)) == 2 and len(a) > 2
    return min(len(a), len(b)) > 2 and _one_edit(a, b)


def _usual(one: str, other: str) -> bool:
    """Do two names differ by words that are both usual? Then each is meant: nobody writes `lan0` for `wan0`."""
    ours, theirs = _TOKEN.findall(one.lower()), _TOKEN.findall(other.lower())
    different = [(a, b) for a, b in zip(ours, theirs, strict=False) if a != b]
    return bool(different) and all(a in _USUAL and b in _USUAL for a, b in different)


def _one_edit(a: str, b: str) -> bool:
    if len(a) > len(b):
        a, b = b, a
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    return a[start + (len(a) == len(b)) :] == b[start + 1 :]
