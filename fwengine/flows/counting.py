"""Columns of flows -> what becomes of them, counted: what `meaning.fares` says of each, through the batch classifier.

For each kind of flow a `Plan` lists the packets to ask for, column by column; the classifier answers each question for all
flows at once, and flows with the same answers are counted together. Knows policies and columns, and no logs.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..model.address import V6_BASE
from ..model.fields import (
    CODE,
    DPORT,
    DST,
    FLAGS,
    FRAGMENT,
    ICMP,
    ICMPV6,
    INTERFACES,
    PORT_PROTOCOLS,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    TABLE,
    TCP,
    TYPE,
    UDP,
)
from ..model.rules import ALLOW
from ..model.ruleset import RuleSet
from ..native import Classifier
from ..native.module import native
from .flow import ANSWERS, EARLIEST, LATEST, Batch, Flow, Kind
from .meaning import (
    BEGUN,
    ESTABLISHED,
    FATES,
    NEW,
    NOTHING,
    PLAINLY,
    SYN,
    Asked,
    Domain,
    Fared,
    Ruling,
    cells,
    either,
    judged,
    open_grid,
    packets_of,
    ruling,
)
from .sums import NONE, FlowSums, Row, Tally
from .top import Key, Top

_COLUMNS: Final = {f: TABLE[f].attribute for f in range(len(TABLE)) if f not in (PROTOCOL, SRC, DST)}
NATIVE_KEYS: Final = 16  # FWK_GROUP_KEYS of native/logs.h
_REMEMBERED: Final = 1 << 16
_ABSENT: Final = frozenset({TYPE, CODE, FLAGS})
_ITEMS: Final = {1: "B", 2: "H", 4: "I"}
Takes = Callable[[Row], bool]  # is a flow with this told of one by one?
_SWAPPED: Final = {SPORT: DPORT, DPORT: SPORT}
_ADDRESS: Final = {4: 1, 6: V6_BASE + 1}


class Question(NamedTuple):
    """Packets to ask for, of each flow of a batch: which way they go, whether their ICMP type is that of the answer, and what
    stands in the columns that do not come from the log."""

    reverse: bool
    answer: bool
    constant: tuple[tuple[int, int], ...]


class Way(NamedTuple):
    """One of the kinds of packets that make up a connection: the question about each cell of its grid of open values."""

    fields: tuple[int, ...]
    cells: tuple[tuple[tuple[int, ...], int], ...]  # values, and the number of the question


class Plan(NamedTuple):
    """What is asked of flows of one kind: the questions, and for each side that may have opened them what these are about."""

    questions: tuple[Question, ...]
    sides: tuple[tuple[Way, ...], ...]


class Counter:
    """Flows under one policy, batch after batch; it may be sent to another process.

    Args:
        jobs: threads that share the work of the native module.
    """

    def __init__(self, policy: RuleSet, asked: Asked = PLAINLY, jobs: int = 1) -> None:
        self.policy, self._asked, self.jobs = policy, asked, jobs
        self._begin()

    def _begin(self) -> None:
        self.classifier = Classifier(self.policy)
        self._plans: dict[Kind, Plan] = {}
        self._fared: dict[tuple[Kind, tuple[int, ...]], tuple[Fared, frozenset[int]]] = {}
        self._constants: dict[tuple[int, int], Any] = {}

    def __getstate__(self) -> tuple[RuleSet, Asked, int]:
        return self.policy, self._asked, self.jobs

    def __setstate__(self, state: tuple[RuleSet, Asked, int]) -> None:
        self.policy, self._asked, self.jobs = state
        self._begin()

    def count(self, batch: Batch) -> FlowSums:
        """The sums of one batch."""
        return self.sums(batch.kind, grouped(batch, self.indices(batch)))

    def sums(self, kind: Kind, groups: Groups) -> FlowSums:
        """The sums of flows of one kind that are grouped by the answers."""
        rows: dict[Row, Tally] = {}
        met: set[int] = set()
        for (indices, recorded), tally in groups.items():
            fared, rules = self.fate(kind, indices)
            row = Row(fared, recorded)
            rows[row] = rows.get(row, NONE) + tally
            met |= rules
        return FlowSums(rows, met=frozenset(met))

    def top(self, batch: Batch, top: Top, takes: Takes) -> FlowSums:
        """As `count`; adds the flows that it `takes` to the biggest ones."""
        found: dict[Key, list[int]] = {}
        rows: dict[Row, Tally] = {}
        fates = {fate: n for n, fate in enumerate(FATES)}
        met: set[int] = set()
        indices = zip(*self.indices(batch), strict=True)
        told = zip(*told_of(batch), indices, strict=True)
        for n, (recorded, octets, packets, first, last, answers) in enumerate(told):
            fared, rules = self.fate(batch.kind, answers)
            met |= rules
            tally = Tally(1, octets, packets, first, last)
            row = Row(fared, recorded)
            rows[row] = rows.get(row, NONE) + tally
            if takes(row):
                key = key_of(batch, n, fates[fared.fate], fared.first)
                known = found.setdefault(key, [0, 0, 0, LATEST, EARLIEST])
                known[:] = Tally(*known) + tally
        for key, sums in found.items():
            top.add(key, Tally(*sums))
        return FlowSums(rows, met=frozenset(met))

    def each(self, batch: Batch) -> Iterator[Fared]:
        """What becomes of each flow of a batch."""
        for indices in zip(*self.indices(batch), strict=True):
            yield self.fate(batch.kind, indices)[0]

    def fate(self, kind: Kind, indices: tuple[int, ...]) -> tuple[Fared, frozenset[int]]:
        """What becomes of flows with these answers, and the rules that decide some of their packets."""
        known = self._fared.get((kind, indices))
        if known is None:
            if len(self._fared) >= _REMEMBERED:
                self._fared.clear()
            plan = self.plan(kind)
            fares = [self._side(ways, indices) for ways in plan.sides]
            turns = [ways if fared.then != NOTHING else ways[:1] for ways, fared in zip(plan.sides, fares, strict=True)]
            met = frozenset(indices[n] for ways in turns for way in ways for _, n in way.cells)
            known = self._fared[kind, indices] = (fares[0] if len(fares) == 1 else either(*fares)), met
        return known

    def _side(self, ways: Sequence[Way], indices: Sequence[int]) -> Fared:
        first = self._ruling(ways[0], indices)
        if first.action is not ALLOW:  # the other answers do not matter, and nobody may have asked for them
            return judged(first, ())
        return judged(first, tuple(self._ruling(way, indices) for way in ways[1:]))

    def _ruling(self, way: Way, indices: Sequence[int]) -> Ruling:
        found = {values: (self.policy.action(indices[n]), indices[n]) for values, n in way.cells}
        return ruling(found, way.fields)

    # --- questions ----------------------------------------------------------------------------------------------------

    def plan(self, kind: Kind) -> Plan:
        """What is asked of flows of a kind."""
        if kind not in self._plans:
            self._plans[kind] = plan_for(self.policy, kind, self._asked)
        return self._plans[kind]

    def indices(self, batch: Batch) -> list[Any]:
        """For each question about this kind of flows, the deciding rule of each flow of a batch."""
        return [self._answer(batch, question) for question in self.plan(batch.kind).questions]

    def _answer(self, batch: Batch, question: Question) -> Any:
        kind = batch.kind
        src, dst, sport, dport = batch.src, batch.dst, batch.sport, batch.dport
        if question.reverse:
            src, dst, sport, dport = dst, src, dport, sport
        columns: dict[str, Any] = {"protocol": batch.protocol, "src": src, "dst": dst, "sport": sport, "dport": dport}
        if kind.typed:
            columns |= {"icmp_type": batch.type, "icmp_code": batch.code}
            if question.answer:
                columns["icmp_type"] = bytes(batch.type).translate(ANSWERED[kind.family])
        for field, value in question.constant:
            columns[_COLUMNS[field]] = self._constant(field, value, batch.rows)
        for field in self.policy.fields:  # what these packets do not have
            if field in _ABSENT and _COLUMNS[field] not in columns:
                columns[_COLUMNS[field]] = self._constant(field, 0, batch.rows)
        return self.classifier.classify(family=kind.family, jobs=self.jobs, **columns)

    def _constant(self, field: int, value: int, count: int) -> Any:
        if field in INTERFACES:
            value = self.classifier.interface(field, value)
        size = TABLE[field].bytes
        if size == 1:
            known = self._constants.get((field, value), b"")
            if len(known) < count:
                known = self._constants[field, value] = bytes([value]) * count
            return memoryview(known)[:count]
        known = self._constants.get((field, value), ())
        if len(known) < count:
            known = self._constants[field, value] = array(_ITEMS[size], [value]) * count
        return memoryview(known)[:count]


ANSWERED: Final = {
    family: bytes(answers.get(type_, type_) for type_ in range(256)) for family, answers in ANSWERS.items()
}


def plan_for(policy: RuleSet, kind: Kind, asked: Asked) -> Plan:
    """What to ask of flows of a kind.

    Raises:
        LimitError: as `meaning.fares`.
    """
    numbers: dict[Question, int] = {}
    samples = _samples(kind, asked)
    sides = [_ways(policy, kind, samples, asked, numbers, turned=False)]
    if not kind.opened:
        sides.append(_ways(policy, kind, samples, asked, numbers, turned=True))
    return Plan(tuple(numbers), tuple(sides))


def _samples(kind: Kind, asked: Asked) -> list[Flow]:
    """Flows of the kind that have all fields which such flows may have."""
    address = _ADDRESS[kind.family]
    protocols = [ICMP if kind.family == 4 else ICMPV6] if kind.icmp else [TCP, UDP]
    return [
        Flow(
            protocol,
            address,
            address,
            0 if kind.sport else None,
            0 if kind.dport else None,
            next(iter(ANSWERS[kind.family])) if kind.typed else None,
            0 if kind.typed else None,
            inbound=kind.inbound if asked.inbound is None else asked.inbound,
            outbound=kind.outbound if asked.outbound is None else asked.outbound,
        )
        for protocol in protocols
    ]


def _ways(
    policy: RuleSet, kind: Kind, samples: Sequence[Flow], asked: Asked, numbers: dict[Question, int], *, turned: bool
) -> tuple[Way, ...]:
    """The packets of a connection that `src` opened, or, `turned`, `dst`."""
    flows = [flow.reversed if turned else flow for flow in samples]
    ways = [_way(policy, kind, flows, {FLAGS: SYN, STATE: NEW}, numbers, reverse=turned)]
    if not asked.stateful and not kind.single:
        begun = {FLAGS: BEGUN, STATE: ESTABLISHED}
        answers = [flow.reversed for flow in flows]
        ways.append(_way(policy, kind, answers, begun, numbers, reverse=not turned, answer=kind.typed))
        ways.append(_way(policy, kind, flows, begun, numbers, reverse=turned))
    return tuple(ways)


def _way(
    policy: RuleSet,
    kind: Kind,
    flows: Sequence[Flow],
    domain: Domain,
    numbers: dict[Question, int],
    *,
    reverse: bool,
    answer: bool = False,
) -> Way:
    packets: dict[int, Any] = {}
    for flow in flows:
        packets |= packets_of(flow, domain)
    told = _told(kind, reverse)
    grid = open_grid(policy, {f: values for f, values in packets.items() if f not in told and f != FRAGMENT})
    fields = tuple(grid)
    found = []
    for values in cells(grid):
        constant = tuple((f, v) for f, v in zip(fields, values, strict=True) if f in policy.fields)
        question = Question(reverse, answer, constant)
        found.append((values, numbers.setdefault(question, len(numbers))))
    return Way(fields, tuple(found))


def _told(kind: Kind, reverse: bool) -> frozenset[int]:
    """The fields whose values come from the log's columns."""
    told = {SPORT: kind.sport, DPORT: kind.dport, TYPE: kind.typed, CODE: kind.typed}
    return frozenset((_SWAPPED.get(f, f) if reverse else f) for f, known in told.items() if known)


# --- groups -----------------------------------------------------------------------------------------------------------


Groups = Mapping[tuple[tuple[int, ...], int], Tally]  # by the answers and what is recorded


def summed(batch: Batch) -> tuple[Any, ...]:
    """The columns of what is recorded and of what is summed; None for those that the log does not have."""
    return batch.recorded, batch.bytes, batch.packets, batch.first, batch.last


def grouped(batch: Batch, found: Sequence[Any]) -> Groups:
    """The flows of a batch by the rules that the questions found and by what is recorded."""
    if native is not None and len(found) <= NATIVE_KEYS:
        groups = native.groups(len(found))
        native.group(groups, tuple(found), *summed(batch))
        return {(key, done): Tally(*sums) for key, done, *sums in native.grouped(groups)}
    sums: dict[Any, list[int]] = {}
    get = sums.get
    recorded, octets, packets, first, last = told_of(batch)
    rules: Any = zip(*found, strict=True)
    for key, size, count, begin, end in zip(
        zip(rules, recorded, strict=True), octets, packets, first, last, strict=True
    ):
        known = get(key)
        if known is None:
            sums[key] = [1, size, count, begin, end]
            continue
        known[0] += 1
        known[1] += size
        known[2] += count
        if begin < known[3]:
            known[3] = begin
        if end > known[4]:
            known[4] = end
    return {key: Tally(*values) for key, values in sums.items()}


def key_of(batch: Batch, row: int, fate: int, rule: int) -> Key:
    """What one flow of a batch is told apart by."""
    protocol = batch.protocol[row]
    src, dst = (
        side[row] if batch.kind.family == 4 else V6_BASE + int.from_bytes(side[16 * row : 16 * row + 16], "big")
        for side in (batch.src, batch.dst)
    )
    ported = protocol in PORT_PROTOCOLS and batch.kind.dport
    return Key(fate, rule, protocol, src, dst, batch.dport[row] if ported else None)


def told_of(batch: Batch) -> tuple[Any, Any, Any, Any, Any]:
    """The columns of what is recorded and of what is summed, made up where the log has none."""
    nothing = array("Q", bytes(8 * batch.rows))
    return (
        batch.recorded if batch.recorded is not None else bytes(batch.rows),
        batch.bytes if batch.bytes is not None else nothing,
        batch.packets if batch.packets is not None else nothing,
        batch.first if batch.first is not None else array("q", [LATEST]) * batch.rows,
        batch.last if batch.last is not None else array("q", [EARLIEST]) * batch.rows,
    )
