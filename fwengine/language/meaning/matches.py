"""A match of the syntax tree -> boxes: each condition on its field, for the protocols that have it.

All that depends on the protocol (names of ports, types) is read once for each protocol that the match selects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ...limits import current
from ...model import address
from ...model.box import Box
from ...model.fields import (
    DPORT,
    DST,
    FLAGS,
    FRAGMENT,
    FULL,
    ICMP,
    KEYWORDS,
    LATER,
    OPTIONS,
    PORT_PROTOCOLS,
    PROTOCOL,
    SPORT,
    SRC,
    STEPPED_THROUGH,
    TABLE,
    TCP,
    TYPE,
)
from ...model.interval import EMPTY, IntervalSet
from ...registry import names
from ..syntax import ast
from ..syntax.ast import Asked, End, Expr, Match, Option, Set, Word
from ..syntax.printer import show
from . import literals
from .conditions import flag_tests, icmp, option
from .scope import Scope
from .services import ICMPS, Groups, Protocols, said_by_name

REGION_OPTIONS = frozenset({"established", *KEYWORDS})
RULE_OPTIONS = REGION_OPTIONS | {"until", "log", "as"}
_TYPES = tuple(spec for spec in OPTIONS if spec.kind == "icmp")
_PLAIN = tuple(spec for spec in OPTIONS if spec.kind not in ("icmp", "flags"))  # the same for every protocol
_BY_PROTOCOL = (SPORT, DPORT, *(spec.field for spec in _TYPES))


class Matches:
    """Reads matches within a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.protocols = Protocols(scope)

    def region(self, asked: Match | Asked, what: str) -> tuple[Box, ...] | None:
        """The boxes of a question, which must ask for something: of no packets everything is true."""
        if isinstance(asked, Match):
            return self._part(asked, what)
        included, excluded = ([self._part(match, what) for match in some] for some in (asked.included, asked.excluded))
        if None in included or None in excluded:
            return None
        boxes = [box for some in included for box in some or ()]
        for taken in [box for some in excluded for box in some or ()]:
            boxes = [left for box in boxes for left in box - taken if left]
            if len(boxes) > current().regions:
                self.scope.report(
                    "FW136",
                    asked.at,
                    "the exceptions cut the region into too many parts",
                    f"more than {current().regions:,}",
                )
                return None
        if not boxes:
            self.scope.report("FW135", asked.at, "there is no such packet", "the exceptions take all of it")
            return None
        return tuple(boxes)

    def _part(self, match: Match, what: str) -> tuple[Box, ...] | None:
        boxes = self.match(match, what, REGION_OPTIONS)
        if boxes is not None and not any(boxes):
            help = "later fragments have no ports, types or flags; icmp over IPv6 and icmpv6 over IPv4 have no type"
            self.scope.report("FW135", match.at, "there is no such packet", "the conditions exclude each other", help)
            return None
        return boxes

    def match(self, match: Match, what: str, allowed: frozenset[str]) -> tuple[Box, ...] | None:
        """The boxes of a match; None, with the mistakes reported, if it has no meaning."""
        scope = self.scope
        before = len(scope.errors)
        options = {given.name: given for given in match.options}
        for given in match.options:
            if given.name not in allowed:
                message = f"{what} takes no `{given.name}`"
                scope.report("FW019", given.at, message, "only rules have it", "remove it", fixes=[""])
        groups = self.protocols.groups(match.protocol)
        conditions: dict[int, IntervalSet | None] = {}
        if match.source is not None:
            conditions[SRC] = scope.addresses(match.source.addresses)
        if match.target is not None:
            conditions[DST] = scope.addresses(match.target.addresses)
        by_protocol = self._by_protocol(match, options, groups)
        if options:
            for spec in _PLAIN:
                if spec.word in options:
                    conditions[spec.field] = option(scope, spec, options[spec.word].value)
            flags = self._flags(match, options, groups)
            if flags is not None:
                conditions[FLAGS] = flags
        if groups is None or by_protocol is None or len(scope.errors) > before or None in conditions.values():
            return None
        known = cast("dict[int, IntervalSet]", conditions)
        typed = any(spec.field in extra for extra, _ in by_protocol for spec in _TYPES)
        if not self._families(match, known, typed):
            return None
        boxes = tuple([Box.of({PROTOCOL: protocols, **known, **extra}) for extra, protocols in by_protocol])
        return None if self._stepped_through(match, known, boxes) else boxes

    def _stepped_through(self, match: Match, conditions: dict[int, IntervalSet], boxes: Sequence[Box]) -> bool:
        """Are all addresses IPv6's, and all protocols headers that are no protocols there? Told, if they are."""
        if any(box.sets[PROTOCOL].lo not in STEPPED_THROUGH for box in boxes):  # nearly always, and told at once
            return False
        v4 = not any(conditions.get(side, address.ALL).isdisjoint(address.V4) for side in (SRC, DST))
        fragments = conditions.get(FRAGMENT, FULL[FRAGMENT])
        if v4 or fragments == IntervalSet.single(LATER):
            return False
        if not all(box.sets[PROTOCOL].size <= len(STEPPED_THROUGH) for box in boxes):
            return False
        numbers = sorted({p for box in boxes for lo, hi in box.sets[PROTOCOL] for p in range(lo, hi + 1)})
        if not numbers or not STEPPED_THROUGH.issuperset(numbers):
            return False
        named = ", ".join(f"`{names.protocol_name(p)}`" for p in numbers)
        self.scope.report(
            "FW140",
            match.protocol.at,
            f"no IPv6 packet has protocol {named}",
            "stepped through to the protocol behind it",
            f"name the protocol behind it, such as `tcp`; IPv4 has it: `{numbers[0]} from ipv4`; so may `fragment later`",
        )
        return True

    def _by_protocol(
        self, match: Match, options: dict[str, Option], groups: Groups | None
    ) -> list[tuple[dict[int, IntervalSet], IntervalSet]] | None:
        """The conditions whose meaning depends on the protocol, with the protocols for which they are the same."""
        asked: list[tuple[int, Expr]] = []
        for field, end in ((SPORT, match.source), (DPORT, match.target)):
            if end is not None and end.ports is not None:
                asked.append((field, end.ports))
        if options:
            for spec in _TYPES:
                if spec.word in options:
                    asked.append((spec.field, cast("Expr", options[spec.word].value)))
        if groups is None:  # the protocol is unknown, but mistakes in the rest can still be told
            for field, expr in asked:
                if field in (SPORT, DPORT):
                    self.scope.ports(expr, None)
            return None
        if not asked and all(ports is None for ports in groups.values()):
            whole = FULL[PROTOCOL] if len(groups) == 256 else IntervalSet.union([(p, p) for p in groups])
            return [({}, whole)]
        if not self._fields_exist(match, asked, groups):
            return None
        found: dict[tuple[IntervalSet | None, ...], list[int]] = {}
        failed = False
        for protocol, service in groups.items():
            extra: dict[int, IntervalSet] = {} if service is None else {DPORT: service}
            for field, expr in asked:
                if field in (SPORT, DPORT):
                    value = self.scope.ports(expr, protocol)
                else:
                    types = extra.get(TYPE, EMPTY)
                    value = icmp(self.scope, field, expr, protocol, types.lo if types.size == 1 else None)
                failed = failed or value is None
                extra[field] = value or EMPTY
            found.setdefault(tuple([extra.get(f) for f in _BY_PROTOCOL]), []).append(protocol)
        if failed:
            return None
        return [
            (
                {f: s for f, s in zip(_BY_PROTOCOL, sets, strict=True) if s is not None},
                IntervalSet.union([(p, p) for p in protocols]),
            )
            for sets, protocols in found.items()
        ]

    def _fields_exist(self, match: Match, asked: list[tuple[int, Expr]], groups: Groups) -> bool:
        """Reports conditions on fields that the protocols do not have."""
        good = True
        scope = self.scope
        for field, expr in asked:
            if field in (SPORT, DPORT):
                without = [p for p in groups if p not in PORT_PROTOCOLS]
                if without:
                    good = False
                    self._no_ports(match, expr, without)
                elif field == DPORT and any(ports is not None for ports in groups.values()):
                    good = False
                    said = _said(match.protocol)
                    help = "leave it out, or write the protocol instead of the service"
                    message = f"service `{said}` says the destination port already"
                    scope.report("FW133", expr.at, message, "said again", help)
            elif any(p not in ICMPS for p in groups):
                good = False
                word = TABLE[field].word
                scope.report(
                    "FW118",
                    expr.at,
                    f"`{_said(match.protocol)}` has no `{word}`",
                    "only icmp and icmpv6 have",
                    "write `icmp` or `icmpv6`",
                )
            elif field == TYPE and len(groups) > 1:
                number = _number_in(expr)
                if number is not None:
                    good = False
                    help = "write names, such as `echo-request`, or a rule for each"
                    scope.report(
                        "FW119", number.at, "a number is another type in icmp than in icmpv6", "which of them?", help
                    )
        return good

    def _no_ports(self, match: Match, expr: Expr, without: list[int]) -> None:
        said = _said(match.protocol)
        shown = [f"`{names.protocol_name(p)}`" for p in without[:3]]
        which = f"`{said}`" if len(without) > 3 else " and ".join(shown)
        verb = "have" if "and" in which else "has"
        help = "write `{ tcp, udp }`, or one of them"
        if ICMPS.issuperset(without):
            help = "icmp has `type` and `code`; for ports write `tcp` or `udp`"
        self.scope.report(
            "FW114", expr.at, f"{which} {verb} no ports", "a port needs tcp, udp, sctp, dccp or udplite", help
        )

    def _flags(self, match: Match, options: dict[str, Option], groups: Groups | None) -> IntervalSet | None:
        chosen: IntervalSet | None = None
        for name in ("established", "flags"):
            given = options.get(name)
            if given is None:
                continue
            if groups is not None and set(groups) != {TCP}:
                help = "write `tcp`, in a rule of its own"
                others = [p for p in groups if p != TCP]
                which = names.protocol_name(others[0]) if len(others) == 1 else _said(match.protocol)
                self.scope.report("FW120", given.at, f"`{which}` has no tcp flags", "only tcp has", help)
                continue
            value = literals.ESTABLISHED if name == "established" else flag_tests(self.scope, given.value)
            if value is not None:
                chosen = value if chosen is None else chosen & value
                if not chosen:
                    help = "`established` asks for ack or rst; leave one of the two out"
                    self.scope.report("FW128", given.at, "no flags satisfy both conditions", "selects nothing", help)
        return chosen

    def _families(self, match: Match, conditions: dict[int, IntervalSet], typed: bool) -> bool:
        """Can there be packets between these addresses, and, if a type or code is asked for, of the protocols named?

        Protocol 1 over IPv6 and 58 over IPv4 are protocols like others, without types: so Linux' filters have it, whether
        a rule says `-p icmp` or `meta l4proto icmp` (`tests/kernel`).
        """
        src, dst = conditions.get(SRC, address.ALL), conditions.get(DST, address.ALL)
        shared = [
            family for family in (address.V4, address.V6) if not src.isdisjoint(family) and not dst.isdisjoint(family)
        ]
        if not shared:
            place = ast.cover(cast("End", match.source).at, cast("End", match.target).at)
            a, b = ("IPv4" if not side.isdisjoint(address.V4) else "IPv6" for side in (src, dst))
            help = "no packet has both: write addresses of one family"
            self.scope.report("FW117", place, "source and destination share no family", f"from {a} to {b}", help)
            return False
        if typed and len(shared) == 1:
            v4 = shared[0] == address.V4
            for protocol, word in said_by_name(match.protocol):
                if (protocol == ICMP) != v4:
                    which, other, here = ("icmpv6", "icmp", "IPv4") if v4 else ("icmp", "icmpv6", "IPv6")
                    message = f"`{which}` has types over IPv{6 if v4 else 4} only, but all addresses are {here}'s"
                    help = f"write `{other}` with a type of its own"
                    self.scope.report("FW117", word.at, message, "the other family's", help)
                    return False
        return True


def _number_in(expr: Expr) -> Word | None:
    """The first number in an expression."""
    if isinstance(expr, Word):
        return expr if literals.looks_numeric(expr.text) or expr.text[:1].isdigit() else None
    if isinstance(expr, ast.Compare):
        return expr.word
    parts: Sequence[Expr] = ()
    if isinstance(expr, Set):
        parts = expr.items
    elif isinstance(expr, ast.Not):
        parts = (expr.term,)
    elif isinstance(expr, ast.Except):
        parts = (expr.base, *expr.excluded)
    return next((found for part in parts if (found := _number_in(part)) is not None), None)


def _said(expr: Expr) -> str:
    text = show(expr)
    return text if len(text) <= 60 else text[:57] + "…"
