"""Findings about a policy: rules that do not matter, and rules that mean more or less than they seem to.

Findings are values; each claim is exact and has its witness. Knows nothing of source texts, nor of how findings are put
into words, printed or fixed.

Sources: Al-Shaer & Hamed, "Modeling and management of firewall policies", IEEE TNSM 1 (2004), whose terms are stated here
over sets of packets; RFC 8900 (what becomes of later fragments).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ..codes import FINDINGS
from ..limits import question
from ..model import address
from ..model.address import V6_BASE
from ..model.box import SHAPES, Box, Sets
from ..model.fields import DPORT, DST, ICMP, ICMPV6, PROTOCOL, SPORT, SRC
from ..model.interval import IntervalSet
from ..model.packet import Packet
from ..model.rules import ALLOW, Definition, Rule
from ..model.ruleset import RuleSet
from .confirm import Answer
from .cover import around, hole, sample
from .entries import Entries, intersections, rule_pieces
from .finding import QUIET, RELATED, SOON, Finding
from .fragments import lost_fragments
from .idle import Idle, union
from .interfaces import slips
from .protocols import stepped_through
from .reach import free_part
from .recheck import recheck
from .region import EVERYTHING, pieces_of, tidy
from .search import uncovered
from .witness import choose, witness

_ALL_BUT_ZERO = ((1, 65535),)


@question
def findings(
    policy: RuleSet,
    select: Collection[str] | None = None,
    *,
    definitions: Sequence[Definition] = (),
    named: Collection[int] = (),
    excused: Collection[int] | None = (),
    regions: bool = False,
) -> Answer[Finding]:
    """All findings of the selected codes, in the order of the rules, then those about definitions.

    Args:
        select: codes; None for all but `QUIET`.
        definitions: those of the policy, to find the unused.
        named: rules whose removal is not proposed, as an expectation names them.
        excused: FW303 is found of the first rule affected; besides of these that are, or of all for None.
        regions: also give each finding's regions.

    Raises:
        ValueError: if a code is unknown.
        LimitError: if a search takes more steps, or regions more boxes, than the limits allow.
        Disagreement: if the second way comes to another end, which is a bug.

    Complexity: some tens of microseconds a rule as a rule, and an exact search for those that a sample does not settle;
    about linear in the number of rules. FW205 and FW206 look at all pairs that overlap.

    >>> from fwengine.model.rules import DENY, rules_of
    >>> policy = RuleSet(rules_of([(DENY, EVERYTHING), (ALLOW, EVERYTHING)]))
    >>> [(f.code, f.rule, f.blockers) for f in findings(policy)]
    [('FW201', 1, (0,))]
    """
    codes = frozenset(FINDINGS) - QUIET if select is None else frozenset(select)
    if not codes <= FINDINGS.keys():
        raise ValueError(f"unknown finding: {', '.join(sorted(codes - FINDINGS.keys()))}")
    unused = [d for d in definitions if d.uses == 0] if "FW209" in codes else []
    if any(d.kind == "interface" for d in definitions):  # declared names are not slips
        codes -= {"FW310"}
    found = [
        *_of_rules(Idle(Entries(policy), named, regions), codes, excused),
        *[Finding("FW209", "info", definition=definition) for definition in unused],
    ]
    dead, idle = ([f.rule for f in found if f.code in told and f.rule is not None] for told in (_DEAD, _REDUNDANT))
    shown = [(f.witness, f.decided_by) for f in found if f.witness is not None and f.decided_by is not None]
    return Answer(found, recheck(policy, dead, idle, shown))


def _of_rules(idle: Idle, codes: frozenset[str], excused: Collection[int] | None) -> list[Finding]:
    lost = lost_fragments(idle.entries, excused) if "FW303" in codes else {}
    doubtful = list(slips(idle.entries.policy)) if "FW310" in codes else []
    out: list[Finding] = []
    for index in range(len(idle.entries.policy.rules) - 1, -1, -1):  # `Idle` looks at the last first
        found = [finding for finding in _of_rule(idle, index, codes) if finding.code in codes]
        if index in lost:
            one = lost[index]
            found.append(Finding("FW303", "info", index, witness=one.fragment, decided_by=one.decided_by))
        if "FW305" in codes and idle.entries.policy.active(idle.entries.policy.rules[index]):
            headers = stepped_through(idle.entries.policy.rules[index])
            if headers:
                found.append(Finding("FW305", "warning", index, protocols=headers))
        found += [Finding("FW310", "warning", index, slip=slip) for slip in doubtful if slip.rule == index]
        out += reversed(found)
    return out[::-1]


def _of_rule(idle: Idle, index: int, codes: frozenset[str]) -> Iterator[Finding]:
    entries = idle.entries
    policy = entries.policy
    rule = policy.rules[index]
    if not policy.active(rule):
        yield Finding("FW207", "warning", index, until=rule.until, obstacle="named" if index in idle.named else "")
        return
    parts = rule_pieces(policy, index)
    if not parts:
        yield Finding("FW204", "warning", index)
        return
    if rule.until is not None and rule.until - policy.as_of <= SOON:
        yield Finding("FW208", "info", index, until=rule.until)
    free = free_part(entries, index, parts) if codes & _REACH else None
    if free is None:
        if codes & _IDLE:
            yield idle.unreachable(index, parts)
    elif "FW203" in codes:
        redundant = idle.redundant(index, parts, free)
        if redundant is not None:
            yield redundant
    if codes & QUIET:
        yield from _overlaps(entries, index, parts, idle.regions)
    if "FW211" in codes:
        side = half_idle(rule)
        if side is not None:
            yield Finding("FW211", "info", index, field=side)
    if free is not None and rule.action is ALLOW:
        if "FW301" in codes and _is_everything(rule.boxes):
            yield Finding(
                "FW301", "warning", index, witness=Packet.from_point(choose(free), entries.asked), decided_by=index
            )
        if "FW304" in codes and rule.opened:
            yield from _let_in(entries, index, parts)
    if "FW302" in codes:
        for f in (SPORT, DPORT):
            if f not in rule.negated and any(box.sets[f].ranges == _ALL_BUT_ZERO for box in rule.boxes):
                yield Finding("FW302", "info", index, field=f)


_DEAD, _REDUNDANT = frozenset({"FW201", "FW202"}), frozenset({"FW203"})
_IDLE = _DEAD | _REDUNDANT
_REACH = _IDLE | {"FW301", "FW304"}


def let_in(rule: Rule, field: int) -> IntervalSet | None:
    """The family all of whose addresses a negated side of a rule takes in, while it leaves out some of the other."""
    for family, other in (FAMILIES, FAMILIES[::-1]):
        if all(family.issubset(box.sets[field]) and not other.issubset(box.sets[field]) for box in rule.boxes):
            return family
    return None


def half_idle(rule: Rule) -> int | None:
    """The side, `SRC` or `DST`, that lists addresses of both families where the other side has one family only.

    None if there is none, or if it is said by what it leaves out.
    """
    for box in rule.boxes[:1]:  # they differ in what depends on the protocol
        src, dst = box.sets[SRC], box.sets[DST]
        if src and dst and _families(src) != _families(dst):
            f, one = (SRC, dst) if all(_families(src)) else (DST, src)
            idle = FAMILIES[_families(one)[0]]
            if all(_families(box.sets[f])) and f not in rule.negated and not idle.issubset(box.sets[f]):
                return f
    return None


def _families(chosen: IntervalSet) -> tuple[bool, bool]:
    """Are there IPv4 addresses in a set, and IPv6 addresses?"""
    return chosen.ranges[0][0] < V6_BASE, chosen.ranges[-1][1] >= V6_BASE


def _let_in(entries: Entries, index: int, parts: list[Sets]) -> Iterator[Finding]:
    """FW304, if the rule decides a packet of the family that a `not` has let in."""
    rule = entries.policy.rules[index]
    tree = entries.policy.tree
    for f in (SRC, DST):
        family = let_in(rule, f) if f in rule.opened else None
        if family is None:
            continue
        foreign = IntervalSet.single(ICMP if family is address.V6 else ICMPV6)  # nobody means the other family's icmp
        for part in parts:
            protocols = part[PROTOCOL] - foreign
            if not protocols or part[SRC].isdisjoint(family):
                continue
            part = (*part[:PROTOCOL], protocols, *part[PROTOCOL + 1 :])
            point = sample(part, entries.interfaces, lambda point: tree.index(point) == index)
            found = around(part, point) if point else hole(entries, part, entries.before(index))
            if found is not None:
                shown = Packet.from_point(choose(found, entries.interfaces), entries.asked)
                yield Finding("FW304", "warning", index, witness=shown, decided_by=index, field=f)
                return


FAMILIES = (address.V4, address.V6)


def _overlaps(entries: Entries, index: int, parts: list[Sets], regions: bool) -> Iterator[Finding]:
    """How a rule stands to earlier ones of the other action that it overlaps without being contained in them."""
    policy = entries.policy
    own = [box.sets for box in policy.rules[index].boxes]
    opposed = entries.before(index) & entries.against(policy.rules[index].action)
    found: dict[str, list[tuple[int, Sets]]] = {"FW205": [], "FW206": []}
    for other in entries.rules(union(entries.overlapping(part, opposed) for part in parts)):
        theirs = entries.sets[entries.first[other] : entries.first[other + 1]]
        shared = next(intersections(parts, theirs), None)
        if shared is None or all(uncovered(part, theirs) is None for part in parts):
            continue
        inside = all(uncovered(part, own) is None for part in rule_pieces(policy, other))
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
                "info",
                index,
                tuple(other for other, _ in related[:RELATED]),
                len(related) > RELATED,
                packet,
                decided_by,
                regions=tuple(boxes),
            )


def _is_everything(boxes: tuple[Box, ...]) -> bool:
    covers = [box.sets for box in boxes]
    if len(covers) == 1:  # most rules: all packets of each shape, or not
        return all(part.issubset(mine) for piece in SHAPES for part, mine in zip(piece, covers[0], strict=True))
    return all(uncovered(piece, covers) is None for piece in pieces_of([EVERYTHING]))
