"""What becomes of a flow: the definition, one flow at a time and by `decide` alone. `counting` is tested against it.

A flow is a connection of which a log tells something. Three kinds of packets are asked for: its *first* packet (flags syn for
tcp, state new), those that *answer* it, and those that *follow* from the side that opened it (flags with ack for tcp, state
established). They are whole; whatever else the log does not tell is open. Knows rule sets, and no columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final, Literal, NamedTuple

from ..errors import LimitError
from ..model.fields import (
    CODE,
    DPORT,
    DST,
    FLAGS,
    FRAGMENT,
    IN,
    OPEN,
    OUT,
    PROTOCOL,
    SPORT,
    SRC,
    STATE,
    STATES,
    TABLE,
    TYPE,
    WHOLE,
    interface_number,
    lacking,
)
from ..model.interval import IntervalSet
from ..model.rules import DENY, DEPENDS, Action
from ..model.ruleset import RuleSet, decide
from .flow import ANSWERS, Flow, kind_of, settled

Fate = Literal["allow", "deny", "one way", "depends"]
FATES: Final[tuple[Fate, ...]] = ("allow", "deny", "one way", "depends")
SEVERAL: Final = -1  # in the place of a rule: several of them, which agree or on which it depends
NOTHING: Final = -2  # no packet that could be asked for
OPENER, DOUBT = "opener", "lines in doubt"  # what a fate depends on, beside the names of fields
MOST_KINDS: Final = 4096  # of packets, by what a log leaves open, that are asked for one by one

SYN: Final = IntervalSet.single(2)
# what a connection's other packets have: syn,ack; ack; psh,ack; fin,ack; fin,psh,ack
BEGUN: Final = IntervalSet.union((flags, flags) for flags in (16, 17, 18, 24, 25))
NEW, ESTABLISHED = (IntervalSet.single(STATES.index(word)) for word in ("new", "established"))


class Asked(NamedTuple):
    """How flows are asked about.

    `inbound` and `outbound` are where the first packet comes in and goes out (of what answers it is the other way round),
    None if open; `stateful` says that the firewall lets pass what belongs to a connection that it allowed.
    """

    inbound: str | None = None
    outbound: str | None = None
    stateful: bool = False


PLAINLY: Final = Asked()


class Ruling(NamedTuple):
    """What becomes of some packets alike but for what is open; `rule` is an index, or `SEVERAL`, or `NOTHING`."""

    action: Action
    rule: int
    on: tuple[str, ...] = ()


class Fared(NamedTuple):
    """What becomes of a flow: its fate, the rule for its first packet, and that for the others if it was their turn.

    `on` is what it depends on.
    """

    fate: Fate
    first: int
    then: int
    on: tuple[str, ...] = ()


Domain = Mapping[int, IntervalSet]  # what packets may be, field by field; fields not named are as the flow says


def fares(policy: RuleSet, flow: Flow, asked: Asked = PLAINLY) -> Fared:
    """What becomes of a flow.

    *deny*: its first packet is denied. *allow*: all that is asked for is allowed. *one way*: the first packet is allowed, and
    all that answers it or all that follows it is denied. *depends*: any of these, by what is open.

    Raises:
        LimitError: if the policy tells apart more than 4,096 kinds of packets by what is open.
    """
    flow = _stated(settled(flow), asked)  # what is stated is about the first packet, whichever side sent it
    if flow.opened:
        return _connection(policy, flow, asked)
    return either(_connection(policy, flow, asked), _connection(policy, flow.reversed, asked))


def _stated(flow: Flow, asked: Asked) -> Flow:
    inbound = flow.inbound if asked.inbound is None else asked.inbound
    outbound = flow.outbound if asked.outbound is None else asked.outbound
    return flow._replace(inbound=inbound, outbound=outbound)


def _connection(policy: RuleSet, flow: Flow, asked: Asked) -> Fared:
    """What becomes of it if `src` opened it."""
    first = _ruling(policy, flow, {FLAGS: SYN, STATE: NEW})
    if asked.stateful or kind_of(flow).single:
        return judged(first, ())
    begun = {FLAGS: BEGUN, STATE: ESTABLISHED}
    answer = flow.reversed
    if flow.type is not None and flow.code is not None:
        answer = answer._replace(type=ANSWERS[flow.family][flow.type], code=0)
    return judged(first, (_ruling(policy, answer, begun), _ruling(policy, flow, begun)))


def judged(first: Ruling, others: tuple[Ruling, ...]) -> Fared:
    """The fate of a connection, from what becomes of its first packet, what answers that, and what follows it."""
    if first.action is DENY:
        return Fared("deny", first.rule, NOTHING)
    if first.action is DEPENDS:
        return Fared("depends", first.rule, NOTHING, first.on)
    stopped = next((ruling for ruling in others if ruling.action is DENY), None)
    if stopped is not None:
        return Fared("one way", first.rule, stopped.rule)
    open_ = [ruling for ruling in others if ruling.action is DEPENDS]
    if open_:
        return Fared("depends", first.rule, open_[0].rule, tuple(sorted({word for each in open_ for word in each.on})))
    return Fared("allow", first.rule, others[0].rule if others else NOTHING)


def either(one: Fared, other: Fared) -> Fared:
    """What becomes of a flow that one side opened or the other."""
    rules = (one.first, one.then) if one[1:3] == other[1:3] else (SEVERAL, SEVERAL)
    on = {*one.on, *other.on, *([OPENER] * (one.fate != other.fate))}
    return Fared(one.fate if one.fate == other.fate else "depends", *rules, tuple(sorted(on)))


def _ruling(policy: RuleSet, flow: Flow, domain: Domain) -> Ruling:
    grid = open_grid(policy, packets_of(flow, domain))
    found = {values: decide(policy, _point(flow, dict(zip(grid, values, strict=True)))) for values in cells(grid)}
    return ruling({values: (verdict.action, verdict.index or 0) for values, verdict in found.items()}, tuple(grid))


def packets_of(flow: Flow, domain: Domain) -> dict[int, IntervalSet]:
    """The packets that are asked for: a set of values for each field but the addresses and the protocol."""
    told = {SPORT: flow.sport, DPORT: flow.dport, TYPE: flow.type, CODE: flow.code}
    for field, name in ((IN, flow.inbound), (OUT, flow.outbound)):
        told[field] = None if name is None else interface_number(name)
    absent = dict(lacking(flow.protocol, flow.family, WHOLE))
    out = {}
    for spec in TABLE:
        f = spec.field
        if f in (PROTOCOL, SRC, DST) or f in absent:
            continue
        value = told.get(f)
        if f == FRAGMENT:
            value = WHOLE
        out[f] = domain.get(f, OPEN[f]) if value is None else IntervalSet.single(value)
    return out


def open_grid(policy: RuleSet, packets: Domain) -> dict[int, tuple[int, ...]]:
    """A value of each kind that the policy tells apart, for each of these fields."""
    return {f: kinds_of(policy, f, values) for f, values in packets.items()}


def kinds_of(policy: RuleSet, field: int, values: IntervalSet) -> tuple[int, ...]:
    """One of the values for each set of conditions on the field that hold together, the lowest; ascending."""
    if field not in policy.fields:
        return (values.lo,)
    conditions = list({sets[field] for _, sets in policy.active_boxes})
    cuts = {lo for lo, _ in values}
    if values.size > 1:
        cuts |= {cut for chosen in conditions for lo, hi in chosen for cut in (lo, hi + 1) if cut in values}
    known: dict[frozenset[int], int] = {}
    for value in sorted(cuts):
        known.setdefault(frozenset(n for n, chosen in enumerate(conditions) if value in chosen), value)
    return tuple(known.values())


def cells(grid: Mapping[int, tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    """All combinations of a grid.

    Raises:
        LimitError: if they are more than 4,096.
    """
    count = 1
    for values in grid.values():
        count *= len(values)
        if count > MOST_KINDS:
            words = ", ".join(f"`{TABLE[f].word}`" for f in grid if len(grid[f]) > 1)
            raise LimitError(
                f"unknown: by what the log leaves open ({words}) the policy tells apart more than {MOST_KINDS:,} kinds of "
                "packets; `--in` and `--out` state interfaces"
            )
    return product(*grid.values())


def ruling(found: Mapping[tuple[int, ...], tuple[Action, int]], fields: tuple[int, ...]) -> Ruling:
    """What becomes of packets, from the verdicts on each kind of them: its values of these fields, the action, the rule."""
    actions = {action for action, _ in found.values()}
    rules = {rule for _, rule in found.values()}
    rule = rules.pop() if len(rules) == 1 else SEVERAL
    if len(actions) == 1 and DEPENDS not in actions:
        return Ruling(actions.pop(), rule)
    on = {DOUBT} if DEPENDS in actions else set()
    for n, field in enumerate(fields):
        alike: dict[tuple[int, ...], Action] = {}
        for values, (action, _) in found.items():
            if alike.setdefault((*values[:n], *values[n + 1 :]), action) is not action:
                on.add(TABLE[field].word)
                break
    return Ruling(DEPENDS, rule, tuple(sorted(on)))


def _point(flow: Flow, values: Mapping[int, int]) -> tuple[int, ...]:
    absent = dict(lacking(flow.protocol, flow.family, WHOLE))
    always = {PROTOCOL: flow.protocol, SRC: flow.src, DST: flow.dst}
    return tuple([{**always, **absent, **values}[f] for f in range(len(TABLE))])
