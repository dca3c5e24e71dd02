"""The flows of captures under a policy: who asked whom for what, how often, and when; beside the counts per rule.

Knows policies and captures, and nothing of screens. A table is filled natively where that is possible, else packet by packet
in plain Python: what is in it is the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from heapq import nsmallest
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import CaptureError
from ..model.fields import CODE, DPORT, DST, PROTOCOL, SRC, TYPE
from ..model.rules import ALLOW, DENY, Action
from ..model.ruleset import RuleSet
from ..packets.capture import Record, open_capture
from ..packets.logs import PFLOG
from ..packets.place import NOT_IP, TRUNCATED
from ..packets.source import WHOLE, Window
from .count import (
    Engine,
    Found,
    Judge,
    Outcome,
    Progress,
    Stated,
    chosen_classifier,
    count_natively,
    nothing_of,
    reported,
)
from .sums import CLASSES, ROWS, CaptureReport, Sums

if TYPE_CHECKING:
    from ..native import Classifier, FlowSums

MOST_FLOWS: Final = 1 << 17  # that are told apart, at some 400 bytes each

Takes = Callable[[Action | None, int | None], bool]  # by verdict and deciding rule, which may be none
_Key = tuple[int, int, int, int, int, int, int]
KEY: Final = 7  # what a flow begins with, alike in all its packets


class Flow(NamedTuple):
    """Packets alike in deciding rule, addresses, protocol, destination port, ICMP type and code.

    `rule` is an index, the number of rules for the default; addresses, port, type and code are as in a point; bytes are
    those on the wire, times nanoseconds since 1970.
    """

    rule: int
    src: int
    dst: int
    protocol: int
    dport: int
    type: int
    code: int
    packets: int
    bytes: int
    first: int
    last: int


class FlowTable:
    """The flows of the packets that it `takes`; in plain Python unless a native classifier is given, by which they are decided.

    `beyond` counts packets of flows that came when the table was full, `fieldless` those that cannot be decoded.
    """

    def __init__(self, takes: Takes, most: int = MOST_FLOWS, native: Classifier | None = None) -> None:
        self._takes, self._most = takes, most
        self._flows: dict[_Key, list[int]] = {}
        self._beyond = self._fieldless = 0
        self.native = native
        self.sums: FlowSums | None = None
        if native is not None:
            from ..native import FlowSums

            self.sums = FlowSums(taken_rows(native.policy, takes), most)

    def __len__(self) -> int:
        return len(self._flows) if self.sums is None else len(self.sums)

    @property
    def beyond(self) -> int:
        return self._beyond if self.sums is None else self.sums.beyond

    @property
    def fieldless(self) -> int:
        return self._fieldless if self.sums is None else self.sums.fieldless

    def add(self, outcome: Outcome, time: int) -> None:
        if not self._takes(outcome.action, outcome.rule):
            return
        point, rule = outcome.point, outcome.rule
        if point is None or rule is None:
            self._fieldless += 1
            return
        key = (rule, point[SRC], point[DST], point[PROTOCOL], point[DPORT], point[TYPE], point[CODE])
        sums = self._flows.get(key)
        if sums is not None:
            sums[0] += 1
            sums[1] += outcome.wire_length
            sums[2] = min(sums[2], time)
            sums[3] = max(sums[3], time)
            return
        self._room()
        if len(self._flows) < self._most:
            self._flows[key] = [1, outcome.wire_length, time, time]
        else:
            self._beyond += 1

    def _room(self) -> None:
        """Called before a flow is added that is not there yet."""

    def _emptied(self) -> list[Flow]:
        found = [Flow(*key, *sums) for key, sums in self._flows.items()]
        self._flows.clear()
        return found

    def top(self, most: int) -> list[Flow]:
        """The flows of most packets, then of most bytes."""
        every = (
            (Flow(*key, *sums) for key, sums in self._flows.items())
            if self.sums is None
            else map(Flow._make, self.sums)
        )
        return nsmallest(most, every, key=lambda flow: (-flow.packets, -flow.bytes, flow[:KEY]))


def flow_table(
    policy: RuleSet,
    paths: Sequence[str | os.PathLike[str]],
    takes: Takes,
    engine: Engine = "auto",
    most: int = MOST_FLOWS,
) -> FlowTable:
    """A table for the flows of captures, filled natively if that is asked for, or possible and one of them is worth it.

    Raises:
        LimitError: as `count.evaluate_capture`.
    """
    found = (chosen_classifier(policy, path, engine) for path in paths)
    return FlowTable(takes, most, next((native for native in found if native is not None), None))


def taken_rows(policy: RuleSet, takes: Takes) -> list[bool]:
    """Which rows of counts are taken: the rules, the default, and then those of `sums`."""
    default = len(policy.rules)
    classes = [takes(None if kind == NOT_IP else DENY, None) for kind in CLASSES]
    return [*(takes(policy.action(rule), rule) for rule in range(default + 1)), *classes, takes(ALLOW, None), False]


def count_flows(
    policy: RuleSet,
    path: str | os.PathLike[str],
    table: FlowTable,
    *,
    inbound: str | None = None,
    outbound: str | None = None,
    state: str = "new",
    progress: Progress | None = None,
) -> CaptureReport:
    """As `count.evaluate_capture`, whose report it gives; adds the flows to a table."""
    stated = Stated(inbound, outbound, state)
    return reported(policy, path, stated, flows_found(policy, path, table, stated, progress))


def flows_found(
    policy: RuleSet,
    path: str | os.PathLike[str],
    table: FlowTable,
    stated: Stated,
    progress: Progress | None,
    window: Window = WHOLE,
) -> Found:
    """Counts a capture, or a window of it, and adds the flows to a table."""
    if table.native is not None:
        return count_natively(table.native, path, stated, progress, 1, table.sums, window)
    judge = Judge(policy, stated)
    sums = nothing_of(policy)._replace(kinds=judge.kinds)
    error: CaptureError | None = None
    try:
        with open_capture(path, window) as capture:
            for batch in capture.batches():
                for record in batch:
                    outcome = judge.outcome(record, 0)
                    _count(sums, outcome, record, len(policy.rules) + 1)
                    table.add(outcome, record[5])
                if progress is not None:
                    progress(capture.position, capture.size)
    except CaptureError as caught:
        error = caught
    return Found(sums, stated.met, error)


def _count(sums: Sums, outcome: Outcome, record: Record, classes: int) -> None:
    """Counts a packet in its row; the rows of classes begin behind the default's."""
    row = outcome.rule
    if row is None:
        several = outcome.kind == TRUNCATED and outcome.action is ALLOW
        row = classes + (len(CLASSES) if several else CLASSES.index(outcome.kind))
    sums.packets[row] += 1
    sums.octets[row] += outcome.wire_length
    if outcome.kind == TRUNCATED and row != classes + CLASSES.index(TRUNCATED):
        sums.packets[classes + ROWS - 1] += 1
        sums.octets[classes + ROWS - 1] += outcome.wire_length
    if record[2] == PFLOG and outcome.recorded is not None:
        passed, blocked = sums.recorded[row]
        done = outcome.recorded.action
        sums.recorded[row] = passed + (done == "pass"), blocked + (done == "block")
