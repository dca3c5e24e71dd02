"""Batches of flows -> sums, in one native pass over each: what `Counter.count` says of them, without columns of answers.

Packets that only matter where the first one is allowed are not asked for elsewhere. Groups are kept over all batches, and
become sums at the end. Knows policies and columns, and no logs.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from ..model.fields import CODE, DPORT, INTERFACES, SPORT, STAGES, TYPE
from ..model.rules import ALLOW
from ..native.module import native
from .counting import ANSWERED, NATIVE_KEYS, Counter, Question, grouped, summed
from .flow import Batch, Kind
from .sums import FlowSums, Tally

_MOST_GROUPS: Final = 1 << 18  # that are kept natively, at some 100 bytes each
_MOST_TABLES: Final = 256
_ABSENT, _OF_TYPE, _OF_ANSWER, _OF_CODE = -1, -2, -3, -4  # native/fates.h


class _Pass(NamedTuple):
    """What the native module is asked about flows of one kind: a plan, and the family's table."""

    plan: Any
    table: Any
    questions: int


class Running:
    """The sums of one batch after another."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._passes: dict[Kind, _Pass | None] = {}
        self._tables: dict[Kind, Any] = {}
        self._sums = FlowSums()

    def add(self, batch: Batch) -> None:
        kind = batch.kind
        if kind not in self._passes:
            self._passes[kind] = _pass(self._counter, kind)
        chosen = self._passes[kind]
        if chosen is None or native is None:
            self._sums += self._counter.sums(kind, grouped(batch, self._counter.indices(batch)))
            return
        table = self._tables.get(kind)
        if table is None:
            table = self._tables[kind] = native.groups(chosen.questions)
        flows = batch.protocol, batch.src, batch.dst, batch.sport, batch.dport, batch.type, batch.code
        engine = self._counter.classifier.engine
        found = native.count_flows(table, chosen.plan, chosen.table, engine, flows, *summed(batch))
        if found > _MOST_GROUPS or len(self._tables) > _MOST_TABLES:
            self._fold()

    def _fold(self) -> None:
        assert native is not None  # there are tables
        for kind, table in self._tables.items():
            groups = {(key, done): Tally(*sums) for key, done, *sums in native.grouped(table)}
            self._sums += self._counter.sums(kind, groups)
        self._tables.clear()

    def sums(self) -> FlowSums:
        """Of all batches so far."""
        if self._tables:
            self._fold()
        return self._sums


def _pass(counter: Counter, kind: Kind) -> _Pass | None:
    """None if flows of this kind are counted column by column."""
    plan = counter.plan(kind)
    table = None if native is None else counter.classifier.native_table(kind.family)
    if native is None or table is None or len(plan.questions) > NATIVE_KEYS:
        return None
    sides = [sum(1 << n for n in {n for _, n in ways[0].cells}) for ways in plan.sides]
    allows = bytes(counter.policy.action(n) is ALLOW for n in range(len(counter.policy.rules) + 1))
    questions = tuple(_numbers(counter, kind, question) for question in plan.questions)
    made = native.plan(questions, _union(sides), sides[0], sides[1] if sides[1:] else 0, allows, ANSWERED[kind.family])
    return _Pass(made, table, len(questions))


def _union(sets: list[int]) -> int:
    out = 0
    for each in sets:
        out |= each
    return out


def _numbers(counter: Counter, kind: Kind, question: Question) -> tuple[int, ...]:
    """A question as `native.plan` takes it."""
    constant = dict(question.constant)
    told = {TYPE: _OF_ANSWER if question.answer else _OF_TYPE, CODE: _OF_CODE} if kind.typed else {}
    values = []
    for field in STAGES:
        value = constant.get(field, told.get(field, _ABSENT))
        if field in INTERFACES and field in constant:
            value = counter.classifier.interface(field, value)
        values.append(value)
    return int(question.reverse), constant.get(SPORT, _ABSENT), constant.get(DPORT, _ABSENT), *values
