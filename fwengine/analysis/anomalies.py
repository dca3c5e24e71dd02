"""Findings about a policy: rules that do not matter, and rules that mean more or less than they seem to.

Findings are values; each claim is exact and has its witness. `describe` puts one into words. Knows nothing of source texts
beyond the labels of rules, nor of how findings are printed or fixed.

Sources: Al-Shaer & Hamed, "Modeling and management of firewall policies", IEEE TNSM 1 (2004), whose terms are stated here
over sets of packets; RFC 8900 (what becomes of later fragments).
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..errors import Severity
from ..model.box import Box, Sets
from ..model.fields import DPORT, SPORT
from ..model.packet import Packet
from ..model.rules import ALLOW, Definition
from ..model.ruleset import RuleSet
from .confirm import Answer
from .cover import hole
from .entries import Entries, intersections, rule_pieces
from .fragments import lost_fragments
from .interfaces import Slip, slips
from .protocols import stepped_through
from .reach import decided_parts, effective, explain_blocked, free_part, removal_changes, successor
from .recheck import recheck
from .region import EVERYTHING, REGIONS, disjoint, pieces_of, tidy
from .search import STEPS, uncovered
from .witness import choose, witness

CODES = {
    "FW201": "unreachable, and some of its packets get the other action (shadowed)",
    "FW202": "unreachable; its packets get the same action from earlier rules",
    "FW203": "redundant: reachable, but without it every packet fares the same",
    "FW204": "unmatchable: there is no packet that the rule matches",
    "FW205": "generalization: matches all that an earlier rule of the other action matches, and more",
    "FW206": "correlated: shares packets with an earlier rule of the other action, and each has others",
    "FW207": "expired: matches nothing any more",
    "FW208": "expires soon",
    "FW209": "definition never used",
    "FW301": "allows every packet",
    "FW302": "a port range that means any port but misses port 0",
    "FW303": "later fragments of allowed packets are denied",
    "FW305": "names a protocol that over IPv6 only later fragments have",
    "FW310": "an interface that one rule alone names, and that resembles another",
}
QUIET = frozenset({"FW205", "FW206"})  # off unless selected: most policies are full of them on purpose
SOON = datetime.timedelta(days=30)
RELATED = 8  # rules named in one finding of FW205 and FW206
_ALL_BUT_ZERO = ((1, 65535),)


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        rule: the index of the rule; None if it is about a definition.
        blockers: the rules that cause it. FW201, FW202: the minimal set that covers the rule. FW203: the rule that would
            decide the witness instead, if one would. FW205, FW206: the earlier rules (at most `RELATED`).
        more: there are further such rules.
        witness: a packet that shows it. FW201: matched by the rule and given the other action. FW202: matched and given
            the same. FW203, FW301: decided by the rule. FW205, FW206: matched by both. FW303: the lost fragment.
        decided_by: the index of the rule that decides the witness; the number of rules for the default.
        field: FW302: `SPORT` or `DPORT`.
        protocols: FW305: those that only later fragments have over IPv6.
        slip: FW310: the interface, and which it resembles.
        until: FW207, FW208: the rule's last day.
        regions: if asked for. FW201: what gets the other action. FW203: the effective part. FW205, FW206: what is shared
            with the first of the blockers.
    """

    code: str
    severity: Severity
    rule: int | None = None
    blockers: tuple[int, ...] = ()
    more: bool = False
    witness: Packet | None = None
    decided_by: int | None = None
    field: int | None = None
    until: datetime.date | None = None
    definition: Definition | None = None
    slip: Slip | None = None
    protocols: tuple[int, ...] = ()
    regions: tuple[Box, ...] = ()


def findings(
    policy: RuleSet,
    select: Collection[str] | None = None,
    *,
    definitions: Sequence[Definition] = (),
    regions: bool = False,
    steps: int = STEPS,
    limit: int = REGIONS,
) -> Answer[Finding]:
    """All findings of the selected codes, in the order of the rules, then those about definitions.

    Args:
        select: codes; None for all but `QUIET`.
        definitions: those of the policy, to find the unused.
        regions: also give each finding's regions.

    Raises:
        ValueError: if a code is unknown.
        LimitError: if a search takes more than `steps`, or regions more than `limit` boxes.
        Disagreement: if the second way comes to another end, which is a bug.

    Complexity: some tens of microseconds a rule as a rule, and an exact search for those that a sample does not settle;
    about linear in the number of rules. FW205 and FW206 look at all pairs that overlap.

    >>> from fwengine.model.rules import DENY, rules_of
    >>> policy = RuleSet(rules_of([(DENY, EVERYTHING), (ALLOW, EVERYTHING)]))
    >>> [(f.code, f.rule, f.blockers) for f in findings(policy)]
    [('FW201', 1, (0,))]
    """
    codes = frozenset(CODES) - QUIET if select is None else frozenset(select)
    if not codes <= CODES.keys():
        raise ValueError(f"unknown finding: {', '.join(sorted(codes - CODES.keys()))}")
    unused = [d for d in definitions if d.uses == 0] if "FW209" in codes else []
    if any(d.kind == "interface" for d in definitions):  # declared names are no slips
        codes -= {"FW310"}
    found = [
        *_findings(policy, codes, regions, steps, limit),
        *[Finding("FW209", "info", definition=definition) for definition in unused],
    ]
    dead, idle = ([f.rule for f in found if f.code in told and f.rule is not None] for told in (_DEAD, _IDLE))
    shown = [(f.witness, f.decided_by) for f in found if f.witness is not None and f.decided_by is not None]
    return Answer(found, recheck(policy, dead, idle, shown))


def _findings(policy: RuleSet, codes: frozenset[str], regions: bool, steps: int, limit: int) -> Iterator[Finding]:
    entries = Entries(policy)
    lost = lost_fragments(entries, steps) if "FW303" in codes else None
    doubtful = list(slips(policy)) if "FW310" in codes else []
    for index in range(len(policy.rules)):
        for finding in _of_rule(entries, index, codes, regions, steps, limit):
            if finding.code in codes:
                yield finding
        if lost is not None and lost.rule == index:
            yield Finding("FW303", "info", index, witness=lost.fragment, decided_by=lost.decided_by)
        if "FW305" in codes and policy.active(policy.rules[index]):
            headers = stepped_through(policy.rules[index])
            if headers:
                yield Finding("FW305", "warning", index, protocols=headers)
        for slip in doubtful:
            if slip.rule == index:
                yield Finding("FW310", "warning", index, slip=slip)


def _of_rule(
    entries: Entries, index: int, codes: frozenset[str], regions: bool, steps: int, limit: int
) -> Iterator[Finding]:
    policy = entries.policy
    rule = policy.rules[index]
    if not policy.active(rule):
        yield Finding("FW207", "warning", index, until=rule.until)
        return
    parts = rule_pieces(policy, index)
    if not parts:
        yield Finding("FW204", "warning", index)
        return
    if rule.until is not None and rule.until - policy.as_of <= SOON:
        yield Finding("FW208", "info", index, until=rule.until)
    free = free_part(entries, index, steps, parts) if codes & _REACH else None
    if free is None:
        if codes & {"FW201", "FW202"}:
            yield _unreachable(entries, index, parts, regions, steps, limit)
    elif "FW203" in codes and removal_changes(entries, index, parts, steps) is None:
        yield _redundant(entries, index, parts, free, regions, steps, limit)
    if codes & QUIET:
        yield from _overlaps(entries, index, parts, regions, steps)
    if "FW301" in codes and free is not None and rule.action is ALLOW and _is_everything(rule.boxes, steps):
        yield Finding(
            "FW301", "warning", index, witness=Packet.from_point(choose(free), entries.asked), decided_by=index
        )
    if "FW302" in codes:
        for f in (SPORT, DPORT):
            if any(box.sets[f].ranges == _ALL_BUT_ZERO for box in rule.boxes):
                yield Finding("FW302", "info", index, field=f)


_DEAD, _IDLE = frozenset({"FW201", "FW202"}), frozenset({"FW203"})
_REACH = frozenset({"FW201", "FW202", "FW203", "FW301"})


def _unreachable(entries: Entries, index: int, parts: list[Sets], regions: bool, steps: int, limit: int) -> Finding:
    blocked = explain_blocked(entries, index, parts, steps)
    found: list[Box] = []
    if regions and blocked.shadowed:
        opposed = entries.taking(entries.policy.rules[index].action.other) & entries.before(index)
        touching = entries.rules(_union(entries.overlapping(part, opposed) for part in parts))
        own = disjoint(entries.policy.rules[index].boxes, limit)
        found = tidy([Box(sets) for other in touching for sets in decided_parts(entries, other, own, limit)])
    return Finding(
        "FW201" if blocked.shadowed else "FW202",
        _WARNING,
        index,
        blocked.rules,
        witness=blocked.witness,
        decided_by=blocked.decided_by,
        regions=tuple(found),
    )


_WARNING: Severity = "warning"
_INFO: Severity = "info"


def _union(vectors: Iterable[int]) -> int:
    out = 0
    for vector in vectors:
        out |= vector
    return out


def _redundant(
    entries: Entries, index: int, parts: list[Sets], free: Sets, regions: bool, steps: int, limit: int
) -> Finding:
    """A warning if a later rule does its work; no more than information if it only writes out the default."""
    policy = entries.policy
    point = choose(free, entries.interfaces)
    heir = successor(entries, index, point)
    if heir == len(policy.rules):  # some other packet may have an heir
        before, after = entries.before(index), entries.after(index)
        for part in parts:
            for shared in intersections([part], list(entries.boxes(entries.overlapping(part, after)))):
                found = hole(entries, shared, before, steps)
                if found is not None:
                    point = choose(found, entries.interfaces)
                    heir = successor(entries, index, point)
                    break
            if heir != len(policy.rules):
                break
    blockers = () if heir == len(policy.rules) else (heir,)
    return Finding(
        "FW203",
        _WARNING if blockers else _INFO,
        index,
        blockers,
        witness=Packet.from_point(point, entries.asked),
        decided_by=index,
        regions=tuple(effective(policy, index, entries, limit)) if regions else (),
    )


def _overlaps(entries: Entries, index: int, parts: list[Sets], regions: bool, steps: int) -> Iterator[Finding]:
    """How a rule stands to earlier ones of the other action that it overlaps without being contained in them."""
    policy = entries.policy
    own = [box.sets for box in policy.rules[index].boxes]
    opposed = entries.before(index) & entries.taking(policy.rules[index].action.other)
    found: dict[str, list[tuple[int, Sets]]] = {"FW205": [], "FW206": []}
    for other in entries.rules(_union(entries.overlapping(part, opposed) for part in parts)):
        theirs = entries.sets[entries.first[other] : entries.first[other + 1]]
        shared = next(intersections(parts, theirs), None)
        if shared is None or all(uncovered(part, theirs, steps) is None for part in parts):
            continue
        inside = all(uncovered(part, own, steps) is None for part in rule_pieces(policy, other))
        found["FW205" if inside else "FW206"].append((other, shared))
        if min(map(len, found.values())) > RELATED:
            break
    for code, related in found.items():
        if related:
            first, shared = related[0]
            packet = witness(Box(shared), entries.interfaces, entries.asked)
            decided_by = policy.evaluate(packet).index
            boxes: list[Box] = []
            if regions:
                boxes = tidy([Box(s) for s in intersections(parts, [b.sets for b in policy.rules[first].boxes])])
            yield Finding(
                code,
                _INFO,
                index,
                tuple(other for other, _ in related[:RELATED]),
                len(related) > RELATED,
                packet,
                decided_by,
                regions=tuple(boxes),
            )


def _is_everything(boxes: tuple[Box, ...], steps: int) -> bool:
    covers = [box.sets for box in boxes]
    return all(uncovered(piece, covers, steps) is None for piece in pieces_of([EVERYTHING]))


def describe(policy: RuleSet, finding: Finding) -> str:
    """What a finding says, in one line: lower case, rules by their labels in backticks."""
    if finding.definition is not None:
        return f"{finding.definition.kind} `{finding.definition.name}` is never used"
    assert finding.rule is not None
    name = f"rule `{policy.label(finding.rule)}`"
    who = _listed([f"`{policy.label(b)}`" for b in finding.blockers], finding.more)
    several = len(finding.blockers) > 1
    verb = "together decide" if several else "decides"
    decider = "the default" if finding.decided_by == len(policy.rules) else f"`{policy.label(finding.decided_by or 0)}`"
    return {
        "FW201": f"{name} can never match: {who} {verb} all of it, {'some of it ' if several else ''}the other way",
        "FW202": f"{name} can never match: {who} {verb} all of it, the same way",
        "FW203": f"{name} changes nothing: without it {who or 'the default'} would do the same",
        "FW204": f"{name} can never match: there is no such packet",
        "FW205": f"{name} generalizes {who}, with the other action",
        "FW206": f"{name} shares packets with {who} and has the other action: their order decides",
        "FW207": f"{name} expired on {finding.until}",
        "FW208": f"{name} expires on {finding.until}",
        "FW301": f"{name} allows every packet",
        "FW302": f"{name} has {'source ' if finding.field == SPORT else ''}port 1-65535, which misses port 0",
        "FW305": f"{name} matches IPv4 alone, not IPv6, for protocol {', '.join(map(str, finding.protocols))}",
        "FW310": f"{name} has interface `{finding.slip.name}`, as no other rule has; did it mean `{finding.slip.resembles}`?"
        if finding.slip
        else "",
        "FW303": f"later fragments of what {name} allows are denied by {decider}; other rules may be affected, too",
    }[finding.code]


def _listed(names: list[str], more: bool) -> str:
    if more:
        return f"{', '.join(names)} and others"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
