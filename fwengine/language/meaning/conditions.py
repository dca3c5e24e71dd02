"""The options of a match: ICMP types and codes, flag tests, fragments, states; `interfaces` has those."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...model.fields import BYTE, ICMP, ICMPV6, STATE, TYPE, Spec
from ...model.interval import IntervalSet
from ...registry import names
from ..syntax.ast import Expr, String, Word
from . import interfaces, literals
from .literals import Mistake
from .numbers import numbers
from .scope import Numbers, Reading, Scope

_RANGE = re.compile(r"([0-9]+)-([0-9]+)")


def icmp(scope: Scope, field: int, expr: Expr, protocol: int, type_: int | None) -> IntervalSet | None:
    """Types or codes of icmp or icmpv6. A code's name means one number for the type, if that is a single one."""
    noun = "type" if field == TYPE else "code"

    def read(text: str) -> IntervalSet:
        if literals.looks_numeric(text):
            return IntervalSet.single(literals.number(text, 255, noun, "FW119"))
        ends = _RANGE.fullmatch(text)
        if ends:
            lo, hi = (literals.number(part, 255, noun, "FW119") for part in ends.groups())
            if lo > hi:
                raise Mistake("FW107", f"`{text}` is reversed", "the first end is larger", f"write `{hi}-{lo}`")
            return IntervalSet(((lo, hi),))
        found = (
            names.icmp_type(protocol, text)
            if field == TYPE
            else names.icmp_code(protocol, type_, text)
            if type_ is not None
            else None
        )
        if found is None:
            raise _unknown_icmp(field, protocol, type_, text)
        return IntervalSet.single(found)

    def word(item: Word | String) -> IntervalSet | None:
        if isinstance(item, String):
            scope.report(
                "FW119", item.at, f"a {noun} stands without quotes", "a text in quotes", f"write `{item.text}`"
            )
            return None
        return scope.one(item, read)

    return scope.evaluate(expr, Reading(BYTE, word, Numbers("number", 255, "FW119")))


def _unknown_icmp(field: int, protocol: int, type_: int | None, text: str) -> Mistake:
    what = names.protocol_name(protocol)
    other = ICMPV6 if protocol == ICMP else ICMP
    short = text if len(text) < 60 else text[:57] + "…"
    if field == TYPE:
        known: Sequence[str] = names.icmp_type_names(protocol)
        help = "write a number from 0 to 255, or a name such as `echo-request`"
        if names.icmp_type(other, text) is not None:
            help = f"`{short}` is a type of {names.protocol_name(other)}"
        label = "unknown type"
    else:
        having = [t for t in range(256) if names.icmp_code(protocol, t, text) is not None]
        if type_ is None and having:
            kind = names.icmp_type_name(protocol, having[0])
            return Mistake(
                "FW119",
                f"code `{short}` needs its type",
                "a number means something else with each type",
                f"write `type {kind} code {text}`",
            )
        known = names.icmp_code_names(protocol, type_)
        help = "write a number from 0 to 255, or a name such as `port-unreachable` with its type"
        if having:
            help = f"it is a code of type `{names.icmp_type_name(protocol, having[0])}`"
        label = (
            "unknown code"
            if type_ is None
            else f"unknown code of type {names.icmp_type_name(protocol, type_) or type_}"
        )
    meant = names.near(text, known) if len(text) < 60 else []
    if meant and "is a " not in help:
        help = f"did you mean `{meant[0]}`?"
    return Mistake("FW119", f"{what} has no {'type' if field == TYPE else 'code'} `{short}`", label, help)


def flag_tests(scope: Scope, expr: Expr | None) -> IntervalSet | None:
    def word(item: Word | String) -> IntervalSet | None:
        try:
            return literals.flag_test(item.text)
        except Mistake as error:
            scope.mistake(error, item.at)
            return None

    return scope.evaluate(expr, Reading(BYTE, word))


def choice(scope: Scope, spec: Spec, expr: Expr | None) -> IntervalSet | None:
    """Some of the words that a field can be: `state` or `fragment`."""
    code = "FW123" if spec.field == STATE else "FW122"

    def read(text: str) -> IntervalSet:
        if text in spec.words:
            return IntervalSet.single(spec.words.index(text))
        meant = names.near(text, spec.words) if len(text) < 40 else []
        help = f"did you mean `{meant[0]}`?" if meant else "expected " + ", ".join(f"`{c}`" for c in spec.words)
        short = text if len(text) < 60 else text[:57] + "…"
        raise Mistake(code, f"no {spec.word} is called `{short}`", f"unknown {spec.word}", help)

    return scope.evaluate(expr, Reading(spec.values, lambda word: scope.one(word, read)))


def option(scope: Scope, spec: Spec, expr: Expr | None, *, one: bool = False) -> IntervalSet | None:
    """The values that an option selects, of those that mean the same for every protocol; `one`: in a packet."""
    if spec.kind == "interface":
        return interfaces.chosen(scope, expr, one=one)
    return choice(scope, spec, expr) if spec.kind == "word" else _numbers(scope, spec, expr)


def _numbers(scope: Scope, spec: Spec, expr: Expr | None) -> IntervalSet | None:
    """Numbers, by name where they have one: `dscp ef`, `ttl 1-5`, `length > 1000`."""

    def word(item: Word | String) -> IntervalSet | None:
        if isinstance(item, String):
            label, help = "a text in quotes", f"write `{item.text}`"
            scope.report("FW139", item.at, f"a {spec.word} stands without quotes", label, help)
            return None
        return scope.one(item, lambda text: numbers(spec, text))

    return scope.evaluate(expr, Reading(spec.values, word, Numbers(spec.word, spec.values.hi, "FW139")))
