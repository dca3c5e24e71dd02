"""The options of a match: ICMP types and codes, flag tests, fragments, states; `interfaces` has those."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...model.fields import BYTE, ICMP, ICMPV6, STATE, TYPE, Spec
from ...model.interval import IntervalSet
from ...registry import names
from ..syntax.ast import Expr, String, Word
from . import interfaces, literals
from .literals import Mistake, UnknownFlag, meant, short, written
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
                raise written("FW107", f"`{text}` is reversed", "the first end is larger", f"{hi}-{lo}")
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
            scope.quoted("FW119", item, f"a {noun}")
            return None
        return scope.one(item, read)

    return scope.evaluate(expr, Reading(BYTE, word, Numbers("number", 255, "FW119")))


def _unknown_icmp(field: int, protocol: int, type_: int | None, text: str) -> Mistake:
    """What to say of a word that is not a type or code of the protocol: it may be the other thing, or the other's."""
    what = names.protocol_name(protocol)
    other = ICMPV6 if protocol == ICMP else ICMP
    noun = "type" if field == TYPE else "code"
    message, label = f"{what} has no {noun} `{short(text)}`", f"unknown {noun}"
    if field == TYPE:
        both = re.fullmatch(r"([0-9]{1,3})/([0-9]{1,3})", text)
        if both and all(int(part) < 256 and str(int(part)) == part for part in both.groups()):
            return written("FW119", message, "a type and a code", f"{both[1]} code {both[2]}", alone=True)
        having = _types_with(protocol, text)
        if having:
            shown = names.icmp_code_name(protocol, having[0], text)
            way = f"{names.icmp_type_name(protocol, having[0])} code {shown}"
            label = f"a code of type `{names.icmp_type_name(protocol, having[0])}`"
            elsewhere = names.icmp_type(other, text) is not None
            if elsewhere:
                label += f", and a type of {names.protocol_name(other)}"
            fixes = [way] if len(having) == 1 and not elsewhere else []
            return Mistake("FW119", message, label, f"write `type {way}`", *fixes, alone=True)
        if names.icmp_type(other, text) is not None or _types_with(other, text):
            kind = "type" if names.icmp_type(other, text) is not None else "code"
            return Mistake("FW119", message, label, f"`{short(text)}` is a {kind} of {names.protocol_name(other)}")
        known: Sequence[str] = names.icmp_type_names(protocol)
        otherwise = "write a number from 0 to 255, or a name such as `echo-request`"
    else:
        having = _types_with(protocol, text)
        if type_ is None and having:
            kind = names.icmp_type_name(protocol, having[0]) or str(having[0])
            return Mistake(
                "FW119",
                f"code `{short(text)}` needs its type",
                "a number means something else with each type",
                f"write `type {kind} code {text}`",
            )
        if type_ is not None:
            label = f"unknown code of type {names.icmp_type_name(protocol, type_) or type_}"
        if having:
            help = f"it is a code of type `{names.icmp_type_name(protocol, having[0])}`"
            return Mistake("FW119", message, label, help)
        known = names.icmp_code_names(protocol, type_)
        otherwise = "write a number from 0 to 255, or a name such as `port-unreachable` with its type"
    near = names.near(text, known) if len(text) < 60 else []
    return meant("FW119", message, label, near, otherwise)


def _types_with(protocol: int, code: str) -> list[int]:
    """The types that have a code of this name."""
    return [t for t in range(256) if names.icmp_code(protocol, t, code) is not None]


def flag_tests(scope: Scope, expr: Expr | None) -> IntervalSet | None:
    def word(item: Word | String) -> IntervalSet | None:
        try:
            return literals.flag_test(item.text)
        except Mistake as error:
            scope.mistake(error.within(item.text) if isinstance(error, UnknownFlag) else error, item.at)
            return None

    return scope.evaluate(expr, Reading(BYTE, word))


def choice(scope: Scope, spec: Spec, expr: Expr | None) -> IntervalSet | None:
    """Some of the words that a field can be: `state` or `fragment`."""
    code = "FW123" if spec.field == STATE else "FW122"

    def read(text: str) -> IntervalSet:
        if text in spec.words:
            return IntervalSet.single(spec.words.index(text))
        near = names.near(text, spec.words) if len(text) < 40 else []
        otherwise = "expected " + ", ".join(f"`{c}`" for c in spec.words)
        raise meant(code, f"no {spec.word} is called `{short(text)}`", f"unknown {spec.word}", near, otherwise)

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
