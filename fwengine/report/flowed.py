"""What `flows` answers: flow logs through a policy, counted by what becomes of the flows and by rule."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from ..codes import DECIDED, UNEXERCISED
from ..flows.evaluate import FlowReport, LogSums
from ..flows.flow import ACCEPTED, EARLIEST, LATEST, REJECTED
from ..flows.meaning import FATES, NOTHING, SEVERAL
from ..flows.sums import FlowSums, Row, Tally
from ..flows.top import Key, TopFlow
from ..language.meaning.literals import protocol_text
from ..model import address
from ..policy import Policy
from ..registry.names import service_name
from .answer import Answer, Block, Case, Note, heading, table
from .columns import aligned
from .failure import Failure, failures
from .fit import wrapped
from .making import rule_at
from .nothing import flowless
from .record import Act, FailureRecord, Place, Record, RuleRecord, Size
from .refated import FlowFate, UnreadTally
from .screen import visible
from .style import Style
from .wording import counted

Recorded = Literal["accepted", "rejected"]
_RECORDED: Final[dict[int, Recorded | None]] = {0: None, ACCEPTED: "accepted", REJECTED: "rejected"}
SHOWN: Final = 40  # rows of a screen; the others are counted


@dataclass(frozen=True)
class FlowFared(Record):
    """Flows that fare alike.

    Attributes:
        rule: what decides their first packets; null if several rules do.
        then: what decides the packets that answer those or follow them; null if several rules do, or none was asked.
        on: what they depend on: names of fields, `opener` (who opened the connection), `lines in doubt`.
        recorded: what the filter that wrote the log did, if it tells.
        first, last: when the first of them began and the last ended, as far as the log tells; UTC.
    """

    fate: FlowFate
    rule: RuleRecord | None
    then: RuleRecord | None
    on: tuple[str, ...]
    recorded: Recorded | None
    flows: Size
    bytes: Size
    packets: Size
    first: str | None
    last: str | None


@dataclass(frozen=True)
class FateTally(Record):
    """Flows by what becomes of them."""

    allow: Size
    deny: Size
    one_way: Size
    depends: Size


@dataclass(frozen=True)
class LogTally(Record):
    """One log; `error` is what kept the rest of it from being read, or that none of its lines was read."""

    file: str
    flows: Size
    fates: FateTally
    unread: Size
    error: FailureRecord | None


@dataclass(frozen=True)
class BigFlow(Record):
    """Flows alike in addresses, protocol and destination port, opener first; where they are not `exact` the sums are at most these."""

    source: str
    destination: str
    service: str
    fate: FlowFate
    rule: RuleRecord | None
    flows: Size
    bytes: Size
    first: str | None
    last: str | None
    exact: bool


@dataclass(frozen=True)
class Flowed(Answer):
    """What becomes of the flows of all logs.

    flows = allow + deny + one_way + depends of `fates`. `accepted` and `rejected` are the fates of the flows of which the log
    tells that its filter did so, null if it tells of none. `unexercised` are the rules that no flow came to, `top` the biggest
    flows, if they were asked for; `left_out` counts flows of other times than were asked for; `expected` is how all of them were
    to fare.
    """

    command: ClassVar[str] = "flows"
    rows: ClassVar[str] = "results"

    policy: str
    expected: Act | None
    flows: Size
    bytes: Size
    packets: Size
    first: str | None
    last: str | None
    fates: FateTally
    accepted: FateTally | None
    rejected: FateTally | None
    results: tuple[FlowFared, ...]
    unread: tuple[UnreadTally, ...]
    left_out: Size
    logs: tuple[LogTally, ...]
    unexercised: tuple[RuleRecord, ...] | None
    top: tuple[BigFlow, ...] | None

    @classmethod
    def of(
        cls,
        policy: Policy,
        report: FlowReport,
        *,
        expected: Act | None = None,
        coverage: bool = False,
        top: int | None = None,
    ) -> Flowed:
        sums = report.sums
        total = sums.total()
        accepted, rejected = (
            fates_of(sums, done) if sums.total(recorded=done).flows else None for done in (ACCEPTED, REJECTED)
        )
        big = None if top is None or report.top is None else report.top.biggest(top)
        return cls(
            policy=policy.name,
            expected=expected,
            flows=total.flows,
            bytes=total.bytes,
            packets=total.packets,
            first=moment(total.first),
            last=moment(total.last),
            fates=fates_of(sums),
            accepted=accepted,
            rejected=rejected,
            results=tuple(_fared(policy, row, tally) for row, tally in sorted(sums.rows.items(), key=_order)),
            unread=unread_of(sums),
            left_out=sums.left_out,
            logs=tuple(_log(log.file, log.sums, log_failure(log)) for log in report.logs),
            unexercised=unexercised(policy, sums) if coverage else None,
            top=None if big is None else tuple(_big(policy, flow) for flow in big),
        )

    def lines(self, style: Style) -> Iterable[str]:
        if len(self.logs) > 1:
            for log in self.logs:
                yield f"{visible(log.file)}: {counted(log.flows, 'flow')}: {_fates(log.fates)}"
        names = visible(self.logs[0].file) if len(self.logs) == 1 else "total"
        yield style(f"{names}: {counted(self.flows, 'flow')}{_size(self.bytes)}: {_fates(self.fates)}", bold=True)
        if self.first is not None and self.last is not None:
            yield f"from {self.first} to {self.last}"
        yield ""
        yield from aligned([_HEAD, *map(_cells, self.results[:SHOWN])], 2, style.width)
        if len(self.results) > SHOWN:
            rest = sum(row.flows for row in self.results[SHOWN:])
            yield f"and {counted(len(self.results) - SHOWN, 'more row')} of {counted(rest, 'flow')}"
        yield from ("", *changes) if (changes := self._changes()) else ()
        if self.top is not None:
            yield ""
            yield style(f"the biggest flows, {len(self.top):,} of them" if self.top else "no such flow", bold=True)
            yield from aligned([_TOP, *map(_big_cells, self.top)], 2, style.width) if self.top else ()
        if self.unexercised is not None:
            yield from ("", *wrapped(self._idle(), style.width, rest="  "))
        yield from left_lines(self.unread, self.left_out, style)

    def _changes(self) -> list[str]:
        """What the log says that its filter did, beside what the policy does."""
        out = []
        if self.accepted is not None:
            lost = self.accepted.deny + self.accepted.one_way
            out.append(
                f"accepted by the filter that wrote the log, and not by the policy: {lost:,}"
                + (f" ({self.accepted.one_way:,} of them one way)" if self.accepted.one_way else "")
            )
        if self.rejected is not None:
            out.append(f"rejected by the filter that wrote the log, and allowed by the policy: {self.rejected.allow:,}")
        return out

    def _idle(self) -> str:
        if not self.unexercised:
            return "every rule was come to by some flow"
        return f"no flow came to {', '.join(visible(str(rule)) for rule in self.unexercised)}"

    def blocks(self) -> Iterable[Block]:
        yield heading(f"Flows through `{self.policy}`")
        yield Block(f"{counted(self.flows, 'flow')}{_size(self.bytes)}: {_fates(self.fates)}")
        yield table(_HEAD, map(_cells, self.results))
        for text in self._changes():
            yield Block(text)
        if self.top:
            yield table(_TOP, map(_big_cells, self.top))
        if self.unexercised is not None:
            yield Block(self._idle())
        yield from left_blocks(self.unread, self.left_out)

    def cases(self) -> Iterable[Case]:
        """One for each log: it holds if all its flows fare as expected, or nothing was expected."""
        for log in self.logs:
            if log.error is None:
                fared = {"allow": log.fates.allow, "deny": log.fates.deny}.get(self.expected or "", log.flows)
                text = (
                    f"expected {self.expected}: {log.flows - fared:,} of {counted(log.flows, 'flow')} fared otherwise"
                )
                yield Case(visible(log.file), "flows", fared == log.flows, Place(self.policy), text, text, "flow log")

    def notes(self) -> Iterable[Note]:
        """One for each rule that decided first packets, and for each that was to be told and decided none."""
        found: dict[RuleRecord, int] = {}
        for row in self.results:
            if row.rule is not None:
                found[row.rule] = found.get(row.rule, 0) + row.flows
        for rule, flows in found.items():
            yield Note(
                DECIDED,
                "info",
                f"`{rule.label}` decides the first packets of {counted(flows, 'flow')}",
                rule.place or Place(self.policy),
                properties={"rule": rule.label, "flows": flows},
                about=(rule.label,),
            )
        for rule in self.unexercised or ():
            yield Note(UNEXERCISED, "info", f"no flow came to `{rule.label}`", rule.place, about=(rule.label,))


_HEAD: Final = ("flows", "bytes", "fate", "rule", "", "the log says")
_TOP: Final = ("flows", "bytes", "source", "destination", "service", "fate", "rule", "first seen", "last seen")
_WORDS: Final = {"allow": "allowed", "deny": "denied", "one way": "one way", "depends": "depends"}


def fates_of(sums: FlowSums, recorded: int | None = None) -> FateTally:
    allow, deny, one_way, depends = (sums.total(fate, recorded).flows for fate in FATES)
    return FateTally(allow, deny, one_way, depends)


def unexercised(policy: Policy, sums: FlowSums) -> tuple[RuleRecord, ...]:
    """The rules that decide nothing of what the flows were asked for, in their order."""
    return tuple(rule_at(policy, n) for n in range(len(policy.rules)) if n not in sums.met)


def unread_of(sums: FlowSums) -> tuple[UnreadTally, ...]:
    """What is wrong comes first, then what is most."""
    return tuple(
        UnreadTally(told.reason, told.lines, Place(told.file, told.line, 1, told.line, 1), told.flawed)
        for told in sorted(sums.unread.values(), key=lambda told: (-told.flawed, -told.lines, told.reason))
    )


def left_lines(unread: Sequence[UnreadTally], left_out: int, style: Style) -> Iterator[str]:
    """What of the logs is not among the flows, as text."""
    if unread:
        yield "\nnot taken for flows:"
        rows = [(f"  {row.lines:,}", f"{row.reason}; first: {visible(str(row.place))}") for row in unread]
        yield from aligned(rows, 1, style.width)
    if left_out:
        yield f"{counted(left_out, 'flow')} of other times left out"


def left_blocks(unread: Sequence[UnreadTally], left_out: int) -> Iterator[Block]:
    """The same as a page."""
    if unread:
        head = ("lines", "not taken for flows", "first")
        yield table(head, [(f"{row.lines:,}", row.reason, f"`{row.place}`") for row in unread])
    if left_out:
        yield Block(f"{counted(left_out, 'flow')} of other times left out")


def log_failure(log: LogSums) -> Failure | None:
    """What is wrong with a log as a whole."""
    return failures(log.error)[0] if log.error is not None else flowless(log.file, log.sums)


def moment(milliseconds: int) -> str | None:
    """A time in UTC; None where none is told."""
    if milliseconds in (EARLIEST, LATEST):
        return None
    try:
        found = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=milliseconds)
    except OverflowError:  # a log may say anything
        return None
    return found.isoformat("T", "milliseconds" if milliseconds % 1000 else "seconds") + "Z"


def _order(item: tuple[Row, Tally]) -> tuple[object, ...]:
    row, tally = item
    return (FATES.index(row.fared.fate), -tally.flows, row.fared.first, row.fared.then, row.recorded, row.fared.on)


def rule_or_none(policy: Policy, index: int) -> RuleRecord | None:
    """The rule of this index; none for `SEVERAL` and `NOTHING`."""
    return None if index in (SEVERAL, NOTHING) else rule_at(policy, index)


def _fared(policy: Policy, row: Row, tally: Tally) -> FlowFared:
    fared = row.fared
    return FlowFared(
        fared.fate, rule_or_none(policy, fared.first), rule_or_none(policy, fared.then), fared.on, _RECORDED[row.recorded],
        tally.flows, tally.bytes, tally.packets, moment(tally.first), moment(tally.last),
    )  # fmt: skip


def _log(file: str, sums: FlowSums, failure: Failure | None) -> LogTally:
    return LogTally(file, sums.flows, fates_of(sums), sums.flawed, failure.record if failure else None)


def _big(policy: Policy, flow: TopFlow) -> BigFlow:
    key, tally = flow.key, flow.tally
    return BigFlow(
        address.show(key.src), address.show(key.dst), service(key), FATES[key.fate], rule_or_none(policy, key.rule),
        tally.flows, tally.bytes, moment(tally.first), moment(tally.last), flow.exact,
    )  # fmt: skip


def service(key: Key) -> str:
    """`tcp/https`, or the protocol where there is no port."""
    name = protocol_text(key.protocol)
    return name if key.dport is None else f"{name}/{service_name(key.protocol, key.dport) or key.dport}"


def _fates(fates: FateTally) -> str:
    told = ((fates.allow, "allowed"), (fates.deny, "denied"), (fates.one_way, "one way"), (fates.depends, "depend"))
    return ", ".join(f"{n:,} {word}" for n, word in told if n) or "none"


def _size(octets: int) -> str:
    return f" of {octets:,} bytes" if octets else ""


def fate_word(fate: FlowFate) -> str:
    return _WORDS[fate]


def shown_rule(rule: RuleRecord | None) -> str:
    return "several rules" if rule is None else visible(str(rule))


def _cells(row: FlowFared) -> tuple[str, ...]:
    rule = shown_rule(row.rule)
    then = ""
    if row.on:
        then = f"on {', '.join(row.on)}"
    elif row.fate == "one way":
        then = f"what answers or follows: {shown_rule(row.then)}"
    return (f"{row.flows:,}", f"{row.bytes:,}", fate_word(row.fate), rule, then, row.recorded or "")


def _big_cells(row: BigFlow) -> tuple[str, ...]:
    rule = shown_rule(row.rule)
    most = "" if row.exact else "≤ "
    return (
        f"{most}{row.flows:,}", f"{most}{row.bytes:,}", row.source, row.destination, row.service, fate_word(row.fate), rule,
        row.first or "", row.last or "",
    )  # fmt: skip
