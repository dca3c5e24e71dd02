"""A small universe that stands for all of header space: every policy made here is constant on each of its cells.

A cell is one part of each field's domain; one packet a cell is enough to know everything. Sets of packets are Python
integers, one bit a cell, and the meaning of a policy is computed on them by a loop that shares nothing with the engine.
"""

from __future__ import annotations

import datetime
import os
import random
from collections.abc import Iterable, Sequence
from itertools import product

from fwengine.model.address import TOP, V4, V6, V6_BASE
from fwengine.model.box import Box
from fwengine.model.fields import (
    ABSENT,
    CODE,
    DPORT,
    DSCP,
    DST,
    FIELDS,
    FLAGS,
    FRAGMENT,
    FULL,
    IN,
    LENGTH,
    OUT,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    TOPS,
    TTL,
    TYPE,
    Point,
    has_flags,
    has_ports,
    has_type,
    interface_number,
)
from fwengine.model.interval import IntervalSet, together
from fwengine.model.rules import ALLOW, DENY, Action, Rule
from fwengine.model.ruleset import RuleSet
from fwengine.model.scattered import masked

TODAY = datetime.date(2026, 11, 21)
SCATTERED = "SCATTERED_UNIVERSE"  # where it is in the environment, the cells of addresses are scattered
YESTERDAY = TODAY - datetime.timedelta(1)
WAN, LAN = interface_number("wan0"), interface_number("lan0")


def _of(*pairs: tuple[int, int]) -> IntervalSet:
    return IntervalSet.of(*pairs)


def _protocols() -> tuple[IntervalSet, ...]:
    named = _of((1, 1)), _of((6, 6)), _of((17, 17)), _of((47, 47)), _of((58, 58))
    ports = _of((33, 33), (132, 132), (136, 136))
    stepped = _of((0, 0), (43, 44), (51, 51), (60, 60))  # over IPv6 only later fragments have these
    rest = FULL[PROTOCOL] - ports - stepped
    for one in named:
        rest -= one
    return (*named, ports, rest, stepped)


def _addresses() -> tuple[tuple[IntervalSet, ...], tuple[IntervalSet, ...]]:
    """The cells of sources, three of IPv4 and two of IPv6, and of destinations, two and one."""
    if os.environ.get(SCATTERED):
        odd, third, high = masked(1, 1), masked(0x100, 0x100), masked(V6_BASE + (1 << 64), 1 << 64)
        return (third, V4 - third - odd, odd - third, high, V6 - high), (odd & third, V4 - (odd & third), V6)
    sources = (
        _of((0, 0x0A13FFFF), (0x0A150000, V6_BASE - 1)),
        _of((0x0A140000, 0x0A1408FF), (0x0A140A00, 0x0A14FFFF)),
        _of((0x0A140900, 0x0A1409FF)),
        _of((V6_BASE, V6_BASE + 255)),
        _of((V6_BASE + 256, TOP)),
    )
    return sources, (_of((0, 99), (101, V6_BASE - 1)), _of((100, 100)), _of((V6_BASE, TOP)))


_SOURCES, _DESTINATIONS = _addresses()
# For each field the parts of its domain that a condition can tell apart; the first value of each stands for it.
CELLS: dict[int, tuple[IntervalSet, ...]] = {
    PROTOCOL: _protocols(),
    SRC: _SOURCES,
    DST: _DESTINATIONS,
    SPORT: (_of((0, 1023)), _of((1024, 65535))),
    DPORT: (_of((0, 0)), _of((1, 79), (81, 65535)), _of((80, 80))),
    TYPE: (_of((8, 8)), _of((0, 7), (9, 255))),
    CODE: (_of((0, 255)),),
    FLAGS: (_of((2, 2)), _of((16, 31)), _of((0, 1), (3, 15), (32, 255))),
    FRAGMENT: (_of((0, 0)), _of((1, 1)), _of((2, 2))),
    IN: (_of((0, 0)), _of((WAN, WAN)), _of((1, WAN - 1), (WAN + 1, TOPS[IN]))),
    OUT: (_of((0, TOPS[OUT])),),
    STATE: (_of((0, 0)), _of((1, 4))),
    DSCP: (FULL[DSCP],),
    TTL: (_of((5, 255)), _of((0, 4))),
    LENGTH: (FULL[LENGTH],),
}


def _cells() -> list[Point]:
    out: list[Point] = []
    axes = [[part.lo for part in CELLS[f]] for f in range(FIELDS)]
    for protocol, src, dst, fragment in product(axes[PROTOCOL], axes[SRC], axes[DST], axes[FRAGMENT]):
        if (src < V6_BASE) != (dst < V6_BASE):
            continue
        present = {f: axes[f] for f in range(FIELDS)}
        present |= {PROTOCOL: [protocol], SRC: [src], DST: [dst], FRAGMENT: [fragment]}
        family = 4 if src < V6_BASE else 6
        if protocol == 0 and family == 6 and fragment != 2:  # it would be stepped through
            continue
        for fields, has in (
            ((SPORT, DPORT), has_ports(protocol, fragment)),
            ((TYPE, CODE), has_type(protocol, family, fragment)),
            ((FLAGS,), has_flags(protocol, fragment)),
        ):
            if not has:
                present |= {f: [ABSENT[f]] for f in fields}
        out += product(*[present[f] for f in range(FIELDS)])
    return out


POINTS = _cells()
ALL = (1 << len(POINTS)) - 1
_WITH: list[dict[int, int]] = [{} for _ in range(FIELDS)]  # for each field and value the cells that have it
for _n, _point in enumerate(POINTS):
    for _f, _value in enumerate(_point):
        _WITH[_f][_value] = _WITH[_f].get(_value, 0) | 1 << _n


def mask(boxes: Iterable[Box]) -> int:
    """The cells of a union of boxes."""
    out = 0
    for box in boxes:
        cells = ALL
        for f, chosen in enumerate(box.sets):
            if chosen != FULL[f]:
                here = 0
                for value, those in _WITH[f].items():
                    if value in chosen:
                        here |= those
                cells &= here
        out |= cells
    return out


def matched(policy: RuleSet) -> list[int]:
    """For each rule the cells it matches; none if it has expired. Then those of the default: all."""
    rules = [0 if r.until is not None and r.until < policy.as_of else mask(r.boxes) for r in policy.rules]
    return [*rules, ALL]


def decided(policy: RuleSet) -> list[int]:
    """For each rule, and then for the default, the cells it decides."""
    out = []
    left = ALL
    for cells in matched(policy):
        out.append(cells & left)
        left &= ~cells
    return out


def allowed(policy: RuleSet) -> int:
    """The cells that are allowed."""
    out = 0
    for i, cells in enumerate(decided(policy)):
        if action_of(policy, i) is ALLOW:
            out |= cells
    return out


def action_of(policy: RuleSet, index: int) -> Action:
    return policy.rules[index].action if index < len(policy.rules) else policy.default


class Maker:
    """Random boxes, rules and policies, constant on every cell; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def box(self) -> Box:
        rnd = self.random
        sets = list(FULL)
        kind = rnd.choice(("tcp", "tcp", "udp", "ports", "icmp", "any", "other", "wild"))
        if kind == "tcp":
            sets[PROTOCOL], fields = _of((6, 6)), [SPORT, DPORT, FLAGS]
        elif kind == "udp":
            sets[PROTOCOL], fields = _of((17, 17)), [SPORT, DPORT]
        elif kind == "ports":
            sets[PROTOCOL], fields = _of((6, 6), (17, 17)), [SPORT, DPORT]
        elif kind == "icmp":
            sets[PROTOCOL], fields = rnd.choice((_of((1, 1)), _of((58, 58)), _of((1, 1), (58, 58)))), [TYPE]
        elif kind == "other":
            sets[PROTOCOL], fields = self.some(PROTOCOL), []
        elif kind == "any":
            fields = []
        else:  # whatever comes: it may well be empty
            fields = [PROTOCOL, SPORT, DPORT, TYPE, CODE, FLAGS]
        for f in fields:
            if rnd.random() < 0.45:
                sets[f] = self.some(f)
        for f, often in ((SRC, 0.4), (DST, 0.4), (FRAGMENT, 0.1), (IN, 0.15), (STATE, 0.1), (TTL, 0.1)):
            if rnd.random() < often:
                sets[f] = self.some(f)
        return Box(tuple(sets))

    def some(self, f: int) -> IntervalSet:
        chosen = [part for part in CELLS[f] if self.random.random() < 0.5] or [self.random.choice(CELLS[f])]
        return together(chosen)

    def boxes(self, most: int = 2) -> tuple[Box, ...]:
        return tuple(self.box() for _ in range(self.random.randint(1, most)))

    def rule(self) -> Rule:
        rnd = self.random
        until = rnd.choice((YESTERDAY, TODAY, TODAY + datetime.timedelta(31))) if rnd.random() < 0.1 else None
        boxes = self.boxes() if rnd.random() < 0.3 else (self.box(),)
        return Rule(rnd.choice((ALLOW, DENY)), boxes, until=until)

    def policy(self, most: int = 8) -> RuleSet:
        rnd = self.random
        rules = [self.rule() for _ in range(rnd.randint(0, most))]
        if rules and rnd.random() < 0.3:  # doubles, turned or not
            again = rnd.choice(rules)
            action = rnd.choice((again.action, again.action.other))
            rules.insert(rnd.randint(0, len(rules)), Rule(action, again.boxes))
        if rules and rnd.random() < 0.5:  # what several rules above take of one, or several below would take over
            at = rnd.randrange(len(rules))
            above, whole = rnd.random() < 0.6, rules[at]
            for part in self.scattered(rnd.choice(whole.boxes)):
                action = rnd.choice((ALLOW, DENY)) if above else whole.action
                place = rnd.randint(0, at) if above else rnd.randint(at + 1, len(rules))
                rules.insert(place, Rule(action, (part,)))
        return named(rules, rnd.choice((DENY, DENY, ALLOW)))

    def scattered(self, box: Box) -> list[Box]:
        """Parts that cover a box together, and a little more."""
        out = [box]
        for f in self.random.sample((PROTOCOL, SRC, DST, SPORT, DPORT, FLAGS, FRAGMENT, IN, STATE, TTL), 2):
            some = self.some(f)
            kept = [(part.replace(f, part.sets[f] & some), part.replace(f, part.sets[f] - some)) for part in out]
            if all(all(part.sets) for pair in kept for part in pair):
                out = [part for pair in kept for part in pair]
        return [part.replace(STATE, FULL[STATE]) for part in out]

    def edited(self, policy: RuleSet) -> RuleSet:
        """The policy after one to three edits."""
        rnd = self.random
        rules = list(policy.rules)
        default = policy.default
        for _ in range(rnd.randint(1, 3)):
            at = rnd.randint(0, len(rules))
            edit = rnd.choice(("add", "drop", "move", "flip", "narrow", "default"))
            if edit == "add":
                rules.insert(at, self.rule())
            elif edit == "default" and rnd.random() < 0.3:
                default = default.other
            elif at < len(rules):
                rule = rules.pop(at)
                if edit == "move":
                    rules.insert(rnd.randint(0, len(rules)), rule)
                elif edit == "flip":
                    rules.insert(at, Rule(rule.action.other, rule.boxes))
                elif edit == "narrow":
                    rules.insert(at, Rule(rule.action, tuple(box & self.box() for box in rule.boxes)))
        return named(rules, default)


def named(rules: Sequence[Rule], default: Action = DENY) -> RuleSet:
    """A policy of these rules, each with a name of its own."""
    return RuleSet(tuple(Rule(r.action, r.boxes, f"r{i}", r.until) for i, r in enumerate(rules)), default, TODAY)
