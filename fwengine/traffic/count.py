"""A capture through a policy: counts per rule, or one outcome a packet.

Knows policies and captures, and nothing of screens. The deciding rule comes from the policy's tree; packets alike in
every field that the policy asks for are looked up once.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ..errors import CaptureError, LimitError, PacketError
from ..model.box import Sets
from ..model.fields import IN, OUT, STATES, Point, interface_number
from ..model.packet import write_interface
from ..model.rules import DENY, Action
from ..model.ruleset import RuleSet, must_be_policies
from ..packets.capture import Capture, Record, open_capture, refuse_foreign
from ..packets.links import find
from ..packets.logs import LOGS, PFLOG, Recorded, recorded
from ..packets.place import NOT_IP, TRUNCATED
from ..packets.source import WHOLE, Source, Window
from ..packets.wire import decode, known
from .cut import Cuts
from .sums import CLASSES, ROWS, CaptureReport, Sums, link_notes, report_of

if TYPE_CHECKING:
    from ..native import Classifier, FlowSums

Engine = Literal["auto", "tree", "native"]
Kind = Literal["ip", "not-ip", "malformed", "truncated", "tiny-fragment"]
Progress = Callable[[int, int | None], object]

_SHORT: Final = 1 << 18  # bytes of a capture that plain Python is through with before a table is built
_REMEMBERED: Final = 1 << 17  # verdicts, at some 400 bytes each
_NAMES: Final = 1 << 12  # interface names whose numbers are remembered


class Outcome(NamedTuple):
    """What becomes of one packet of a capture.

    `number` counts from 0; `rule` is the deciding rule's index, the number of rules for the default: `policy.verdict(rule)`
    tells the rest. `point` is None unless the kind is "ip"; so is `rule`, unless one rule decides a truncated packet
    whatever is missing; `action` is None of what is not IP. `what` a frame without IP holds is a number
    for `packets.place.kind_text`; `recorded` is what a firewall's log says of the packet.
    """

    number: int
    kind: Kind
    point: Point | None
    rule: int | None
    wire_length: int
    what: int | None = None
    recorded: Recorded | None = None
    action: Action | None = None
    known: Sets | None = None  # of a truncated packet: what it may be


def evaluate_capture(
    policy: RuleSet,
    path: str | os.PathLike[str],
    *,
    inbound: str | None = None,
    outbound: str | None = None,
    state: str = "new",
    progress: Progress | None = None,
    engine: Engine = "auto",
    jobs: int = 1,
) -> CaptureReport:
    """Counts per rule over a capture file, or over standard input for `-`. Memory does not grow with the capture.

    Args:
        engine: "tree" for plain Python, "native" for the native module, "auto" for the native one where it is here, takes
            the policy, and the capture is worth building its table. The report is the same either way.
        jobs: threads that share the work of the native module.
        inbound, outbound: the interfaces of all packets, whatever the capture records; None leaves those it records.
        state: the state of all packets.
        progress: called now and then with the bytes of the file read so far and the file's size, if that is known.

    Returns:
        The counts; what keeps the capture from being read (any further) is the report's `error`.

    Raises:
        PacketError: if an interface or the state cannot be.
        LimitError: if the engine asked for is not here, or does not take the policy.
    """
    must_be_policies("evaluate_capture", policy)
    stated = Stated(inbound, outbound, state)
    native = chosen_classifier(policy, path, engine)
    if native is not None:
        return native_report(native, path, stated, progress, max(1, jobs))
    return reported(policy, path, stated, count_plainly(policy, path, stated, progress))


class Found(NamedTuple):
    """What is counted in a capture, or in a window of it, up to its damage."""

    sums: Sums
    met: Met
    error: CaptureError | None = None


def reported(policy: RuleSet, path: str | os.PathLike[str], stated: Stated, found: Found) -> CaptureReport:
    """The report of a capture of which this was found."""
    notes = stated.notes(policy, any(found.sums.packets[: len(policy.rules) + 1]), found.met)
    return report_of(policy, os.fspath(path), found.sums, found.error, notes)


def nothing_of(policy: RuleSet) -> Sums:
    """Sums before anything is counted."""
    rows = len(policy.rules) + 1 + ROWS
    return Sums([0] * rows, [0] * rows, [(0, 0)] * rows, Counter())


def count_plainly(
    policy: RuleSet, path: str | os.PathLike[str], stated: Stated, progress: Progress | None, window: Window = WHOLE
) -> Found:
    """Counts in plain Python."""
    sums = nothing_of(policy)
    error: CaptureError | None = None
    try:
        with open_capture(path, window) as capture:
            _count(policy, capture, stated, sums, progress)
    except CaptureError as caught:
        error = caught
    return Found(sums, stated.met, error)


def iterate(
    policy: RuleSet,
    path: str | os.PathLike[str],
    *,
    inbound: str | None = None,
    outbound: str | None = None,
    state: str = "new",
    progress: Progress | None = None,
    notes: list[str] | None = None,
    also: RuleSet | None = None,
) -> Iterator[Outcome]:
    """The outcome of each packet of a capture, in its order; arguments as for `evaluate_capture`.

    Args:
        notes: takes, at the end or where the capture is damaged, what a report's `notes` tell of it as a whole.
        also: another policy that the outcomes are used for; the notes are about its rules, too.

    Raises:
        CaptureError: at once if the capture cannot be opened, behind the last outcome if it is damaged.
        PacketError: if an interface or the state cannot be.
    """
    for batch in iterate_batches(
        policy, path, inbound=inbound, outbound=outbound, state=state, progress=progress, notes=notes, also=also
    ):
        yield from batch


def iterate_batches(
    policy: RuleSet,
    path: str | os.PathLike[str],
    *,
    inbound: str | None = None,
    outbound: str | None = None,
    state: str = "new",
    progress: Progress | None = None,
    notes: list[str] | None = None,
    also: RuleSet | None = None,
) -> Iterator[list[Outcome]]:
    """As `iterate`, in lists as the capture comes: some thousands, or what a pipe gives at a time."""
    stated = Stated(inbound, outbound, state)
    judge = Judge(policy, stated)
    number = 0
    with open_capture(path) as capture:
        try:
            for batch in capture.batches():
                yield [judge.outcome(record, at) for at, record in enumerate(batch, number)]
                number += len(batch)
                if progress is not None:
                    progress(capture.position, capture.size)
        finally:
            if notes is not None:
                notes += judge.notes(also)


class Judge:
    """Records of captures under one policy, one after another."""

    def __init__(self, policy: RuleSet, stated: Stated) -> None:
        self._policy, self._stated = policy, stated
        self._cuts = Cuts(policy)
        self._rules: dict[Point, int] = {}
        self.kinds: Counter[int] = Counter()  # of the frames without IP
        self.decoded = False  # was there a packet to ask the rules about?

    def outcome(self, record: Record, number: int) -> Outcome:
        data, wire_length, link, came_in, went_out, _ = record
        stated = self._stated
        key = decode(data, link, wire_length, *stated.numbers(came_in, went_out), stated.state)
        says = recorded(data, link) if link in LOGS else None
        if type(key) is tuple:
            self.decoded = True
            rule = self._rules.get(key)
            if rule is None:
                if len(self._rules) >= _REMEMBERED:
                    self._rules.clear()
                rule = self._rules[key] = self._policy.tree.index(key)
            return Outcome(number, "ip", key, rule, wire_length, None, says, self._policy.action(rule))
        if key == NOT_IP:
            what = _kind(data, link, wire_length)
            self.kinds[what] += 1
            return Outcome(number, "not-ip", None, None, wire_length, what, says)
        if key == TRUNCATED:
            sets = known(data, link, wire_length, *stated.numbers(came_in, went_out), stated.state)
            action, index = self._cuts.fate(sets)
            return Outcome(number, "truncated", None, index, wire_length, None, says, action or DENY, sets)
        return Outcome(number, key, None, None, wire_length, None, says, DENY)  # type: ignore[arg-type]  # one of the classes

    def notes(self, also: RuleSet | None = None) -> list[str]:
        """What is to be told of the capture as a whole; `also` as for `iterate`."""
        told = [self._stated.notes(asked, self.decoded) for asked in (self._policy, also) if asked is not None]
        return list(dict.fromkeys([*link_notes(self.kinds), *(note for one in told for note in one)]))


class Met(NamedTuple):
    """Of interfaces `in` and `out`: which a capture records otherwise than stated, and which it records at all."""

    overruled: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()

    def __or__(self, other: object) -> Met:
        if not isinstance(other, Met):
            return NotImplemented
        return Met(self.overruled | other.overruled, self.seen | other.seen)


class Stated:
    """The interfaces and the state to take for a capture's packets."""

    def __init__(self, inbound: str | None, outbound: str | None, state: str) -> None:
        if state not in STATES:
            raise PacketError(f"state is one of {', '.join(STATES)}, not {state!r}")
        self.state = STATES.index(state)
        self._inbound = None if inbound is None else interface_number(inbound)
        self._outbound = None if outbound is None else interface_number(outbound)
        self.inbound, self.outbound = inbound, outbound
        self._words = {"in": inbound, "out": outbound}
        self._known: dict[tuple[str, str], tuple[int, int]] = {}
        self._overruled: dict[str, None] = {}

    def numbers(self, came_in: str, went_out: str) -> tuple[int, int]:
        """The numbers of both interfaces, for those that the capture records."""
        found = self._known.get((came_in, went_out))
        if found is None:
            if len(self._known) >= _NAMES:
                self._known.clear()
            inbound = interface_number(came_in) if self._inbound is None else self._inbound
            outbound = interface_number(went_out) if self._outbound is None else self._outbound
            found = self._known[came_in, went_out] = inbound, outbound
            for word, recorded in (("in", came_in), ("out", went_out)):
                if recorded and self._words[word] not in (None, recorded):
                    self._overruled[word] = None
        return found

    def recorded(self, inbound: Collection[str], outbound: Collection[str]) -> None:
        """Takes in the names that a capture records, where another read it."""
        for name in inbound:
            self.numbers(name, "")
        for name in outbound:
            self.numbers("", name)

    @property
    def met(self) -> Met:
        """What was met so far."""
        seen = [word for n, word in enumerate(("in", "out")) if any(names[n] for names in self._known)]
        return Met(frozenset(self._overruled), frozenset(seen))

    def notes(self, policy: RuleSet, decoded: bool, met: Met | None = None) -> tuple[str, ...]:
        """What to tell about interfaces (those met so far, or others); `decoded` says that rules were asked at all."""
        met = met or self.met
        out = [
            f"the capture records other interfaces than the stated `{word} {write_interface(self._words[word] or '')}`, "
            "which is taken instead"
            for word in sorted(met.overruled)
        ]
        for field, word in ((IN, "in"), (OUT, "out")):
            if decoded and field in policy.tree.fields and self._words[word] is None and word not in met.seen:
                out.append(
                    f"rules ask for `{word}`, and the capture records no such interface: `--{word} NAME` states one"
                )
        return tuple(out)


def _kind(data: bytes, link: int, wire_length: int) -> int:
    """What a frame holds that is known to hold no IP."""
    kind = find(data, link, max(wire_length, len(data)))
    assert isinstance(kind, int)
    return kind


def _count(policy: RuleSet, capture: Capture, stated: Stated, sums: Sums, progress: Progress | None) -> None:
    """Adds a capture to the sums."""
    packets, octets, done, kinds = sums
    rule_of = policy.tree.index
    cuts = Cuts(policy)
    not_ip = len(policy.rules) + 1
    truncated, several, partial = (not_ip + n for n in (CLASSES.index(TRUNCATED), len(CLASSES), ROWS - 1))
    classes: dict[Point | str, int] = {name: not_ip + n for n, name in enumerate(CLASSES)}
    rows: dict[object, int] = {}  # by the fields that the policy asks for
    asked = sorted(policy.tree.fields)
    pick: Callable[[Point], object] = itemgetter(*asked) if asked else len  # of no field: all points are as long
    get, numbers, state = rows.get, stated.numbers, stated.state
    last_in = last_out = ""
    inbound, outbound = numbers("", "")
    for batch in capture.batches():
        for data, wire_length, link, came_in, went_out, _ in batch:
            if came_in is not last_in or went_out is not last_out:
                inbound, outbound = numbers(came_in, went_out)
                last_in, last_out = came_in, went_out
            found = decode(data, link, wire_length, inbound, outbound, state)
            if type(found) is tuple:  # quicker than `isinstance`
                key = pick(found)
                row = get(key)
                if row is None:
                    row = rule_of(found)
                    if len(rows) >= _REMEMBERED:
                        rows.clear()
                    rows[key] = row
            else:
                row = classes[found]
                if row == truncated:
                    row = cuts.row(known(data, link, wire_length, inbound, outbound, state), truncated, several)
                    if row != truncated:
                        packets[partial] += 1
                        octets[partial] += wire_length
            packets[row] += 1
            octets[row] += wire_length
            if row == not_ip:
                kinds[_kind(data, link, wire_length)] += 1
            if link == PFLOG:
                action = recorded(data, link).action
                passed, blocked = done[row]
                done[row] = passed + (action == "pass"), blocked + (action == "block")
        if progress is not None:
            progress(capture.position, capture.size)


def chosen_classifier(policy: RuleSet, path: str | os.PathLike[str], engine: Engine) -> Classifier | None:
    """The native classifier, if it is to be used."""
    if engine == "tree" or (engine == "auto" and not is_long(path)):
        return None
    from ..native import available, classifier, why_not

    if not available():
        if engine == "native":
            raise LimitError(f"the native module is not here: {why_not()}")
        return None
    try:
        native = classifier(policy)
        if native.native_tables() is not None:
            return native
    except LimitError:
        if engine == "native":
            raise
        return None
    if engine == "native":
        raise LimitError("the policy is more than the native module takes: `--engine tree` takes it")
    return None


def is_long(path: str | os.PathLike[str]) -> bool:
    """Is a capture worth the building of a table? Of a stream nobody knows, so it is."""
    try:
        return os.fspath(path) == "-" or not 0 < Path(path).stat().st_size < _SHORT
    except (OSError, ValueError):
        return False  # whoever opens it will say what is wrong


def native_report(
    native: Classifier,
    path: str | os.PathLike[str],
    stated: Stated,
    progress: Progress | None,
    jobs: int,
    flows: FlowSums | None = None,
) -> CaptureReport:
    """As `evaluate_capture`, through the native module; `flows` takes those, too, in one job."""
    return reported(native.policy, path, stated, count_natively(native, path, stated, progress, jobs, flows))


def count_natively(
    native: Classifier,
    path: str | os.PathLike[str],
    stated: Stated,
    progress: Progress | None,
    jobs: int,
    flows: FlowSums | None = None,
    window: Window = WHOLE,
) -> Found:
    """Counts through the native module."""
    from ..native import count_capture

    policy = native.policy
    cuts = Cuts(policy)
    truncated, several = (len(policy.rules) + 1 + n for n in (CLASSES.index(TRUNCATED), len(CLASSES)))
    try:
        source = Source(path, window)
    except CaptureError as caught:
        return Found(nothing_of(policy), Met(), caught)
    try:
        refuse_foreign(source)
        counts = count_capture(
            native,
            source,
            file=source.file,
            inbound=stated.inbound,
            outbound=stated.outbound,
            state=stated.state,
            jobs=jobs,
            progress=None if progress is None else lambda: progress(source.position, source.size),
            cut=lambda data, link, wire_length, inbound, outbound: cuts.row(
                known(data, link, wire_length, inbound, outbound, stated.state), truncated, several
            ),
            flows=flows,
        )
    except CaptureError as caught:
        return Found(nothing_of(policy), Met(), caught)
    finally:
        source.close()
    stated.recorded(counts.inbound, counts.outbound)
    sums = Sums(list(counts.packets), list(counts.octets), list(counts.recorded), Counter(counts.kinds))
    return Found(sums, stated.met, counts.error)
