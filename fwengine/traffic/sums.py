"""What is counted in a capture, by rule and by class, and the report that is made of it. Knows no packets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..errors import CaptureError
from ..handed import Shown
from ..model.rules import ALLOW, DENY, DEPENDS, Action
from ..model.ruleset import RuleSet
from ..packets.place import LINK, MALFORMED, NOT_IP, TRUNCATED, kind_text
from ..packets.wire import TINY_FRAGMENT
from ..row import Row, row

# counted behind the rules and the default, in this order; then what one of several rules allows, whichever it is; and
# then, counted in one of the other rows, too, what is decided though truncated
CLASSES: Final = (NOT_IP, MALFORMED, TRUNCATED, TINY_FRAGMENT)
ROWS: Final = len(CLASSES) + 2


@row
class RuleCount(Row):
    """What one rule decided; of the default, `index` is None and the label `default`. Bytes are those on the wire."""

    index: int | None
    label: str
    file: str | None
    line: int | None
    action: Action
    packets: int
    bytes: int


class KindCount(NamedTuple):
    """How many frames without IP hold what: `ethertype 0x0806 (ARP)`."""

    what: str
    packets: int


class RecordedCount(NamedTuple):
    """Packets by what the recording firewall did with them, and by what the policy does."""

    passed_allowed: int
    passed_denied: int
    blocked_allowed: int
    blocked_denied: int


@dataclass(frozen=True)
class CaptureReport(Shown):
    """What a policy does to a capture, up to its damage if it has any.

    packets = allow + deny + depends + not_ip (`depends`: on lines in doubt); malformed and truncated packets and tiny
    fragments are within deny, and no rule's. `rules` has every rule in the policy's order, those that decided nothing too, and
    then the default. A packet cut short is decided from the fields that are there: `partial` tells how many fare one way whatever
    is missing, so that they count as if they were whole, and `truncated` how many do not; `several` are allowed by one rule or another.
    `kinds` says what the frames without IP hold, the most frequent first; `recorded` what another firewall did, if the capture tells.
    """

    file: str
    packets: int
    allow: int
    deny: int
    not_ip: int
    malformed: int
    truncated: int
    rules: tuple[RuleCount, ...]
    error: CaptureError | None = None
    notes: tuple[str, ...] = ()
    kinds: tuple[KindCount, ...] = ()
    recorded: RecordedCount | None = None
    tiny_fragment: int = 0
    partial: int = 0
    several: int = 0
    depends: int = 0


class Sums(NamedTuple):
    """Counts by rows, one for each rule, then the default, then `CLASSES`; and frames without IP by kind."""

    packets: list[int]
    octets: list[int]
    recorded: list[tuple[int, int]]  # passed and blocked
    kinds: Counter[int]


def link_notes(kinds: Mapping[int, int]) -> Iterator[str]:
    """What is to be told of link types that are not decoded."""
    for kind in sorted(kind for kind in kinds if kind >> 16 == LINK):
        count = kinds[kind]
        yield f"{kind_text(kind)} is not decoded: its {count:,} frame{'s count' if count != 1 else ' counts'} as not-ip"


def report_of(
    policy: RuleSet, file: str, sums: Sums, error: CaptureError | None, notes: tuple[str, ...]
) -> CaptureReport:
    packets, octets = sums.packets, sums.octets
    rules = [
        RuleCount(i, rule.label, rule.span.file, rule.span.line, rule.action, packets[i], octets[i])
        for i, rule in enumerate(policy.rules)
    ]
    default = len(rules)
    rules = _by_line(policy, rules)
    rules.append(RuleCount(None, "default", None, None, policy.default, packets[default], octets[default]))
    not_ip, malformed, truncated, tiny_fragment, several, partial = packets[default + 1 :]
    allow = sum(count.packets for count in rules if count.action is ALLOW) + several
    depends = sum(count.packets for count in rules if count.action is DEPENDS)
    total = sum(packets) - partial
    kinds = tuple(
        KindCount(kind_text(kind), count) for kind, count in sorted(sums.kinds.items(), key=lambda k: (-k[1], k[0]))
    )
    return CaptureReport(
        file,
        total,
        allow,
        total - allow - depends - not_ip,
        not_ip,
        malformed,
        truncated,
        tuple(rules),
        error,
        (*link_notes(sums.kinds), *notes),
        kinds,
        _recorded(policy, sums.recorded),
        tiny_fragment,
        partial,
        several,
        depends,
    )


def _by_line(policy: RuleSet, rules: list[RuleCount]) -> list[RuleCount]:
    """The counts of one line together: of another firewall's line that several jumps lead to there are several rules."""
    found: dict[object, RuleCount] = {}
    for rule, count in zip(policy.rules, rules, strict=True):
        key = count.index if rule.origin is None else (rule.origin.line, count.action, count.label)
        known = found.setdefault(key, count)
        if known is not count:
            found[key] = known.replace(packets=known.packets + count.packets, bytes=known.bytes + count.bytes)
    return list(found.values())


def _recorded(policy: RuleSet, done: Sequence[tuple[int, int]]) -> RecordedCount | None:
    """What the recording firewall did, beside what the policy does; of what no rule decides only `several` is allowed."""
    verdicts = [policy.action(n) for n in range(len(policy.rules) + 1)] + [DENY] * len(CLASSES) + [ALLOW]
    ways = [(want, way) for way in (0, 1) for want in (ALLOW, DENY)]
    counts = [sum(r[way] for a, r in zip(verdicts, done, strict=False) if a is want) for want, way in ways]
    return RecordedCount(*counts) if any(counts) else None
