"""Findings about lines of other firewalls' policies: a line is unreachable only if all the rules made of it are.

What `analysis.anomalies` says of flat rules is said of each line once; which lines are dead, `imported` tells, over all
policies of the file that are asked together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from ..analysis.anomalies import findings
from ..analysis.confirm import Answer, agree
from ..analysis.finding import Finding
from ..analysis.witness import witness
from ..errors import Diagnostic, Label, Severity
from ..formats.chains import Chains, Kind, Line
from ..formats.unfold import doubts_of
from ..imported import dead_everywhere, lines, uncalled
from ..model.box import Box
from ..model.packet import Packet
from ..model.rules import DEPENDS
from ..policy import Policy
from ..sources.foreign import Imported
from ..spare import spare

_OF_RULES = frozenset({"FW301", "FW302", "FW303", "FW310"})  # true of a line if true of a rule made of it
_DECIDES = {Kind.ALLOW: "allow", Kind.DENY: "deny"}
_NAMED = 4  # lines that a message names
_JUMPS = 2  # that are shown, of those that lead to a line


def line_findings(policy: Policy, codes: frozenset[str]) -> Answer[Finding]:
    """What is found about the lines of the policy's chains, in their order, and about the file.

    A line that several policies of one run share is told of with the first of them.

    Raises:
        LimitError: if a search exceeds its budget, or the chains unfold to too much.
    """
    assert policy.imported is not None
    found = findings(policy, codes & _OF_RULES)
    told: set[object] = set()
    mine: list[Finding] = []
    first = _first_told(policy.imported)
    for finding in found:
        origin = policy.rules[finding.rule].origin if finding.rule is not None else None
        if origin is not None and origin.line not in first:
            continue
        key = finding.code, origin.line if origin is not None else None
        if key not in told and not (finding.rule is not None and policy.rules[finding.rule].action is DEPENDS):
            told.add(key)
            mine.append(finding)
    mine += _dead(policy, policy.imported, codes)
    if "FW203" in codes:
        mine += _spare(policy, policy.imported)
    if policy.imported.name == policy.imported.entries[0]:
        mine += [Finding(d.code, d.severity, remark=d) for d in policy.remarks]
        mine += _uncalled(policy.imported, codes)
    mine.sort(key=lambda finding: _line_of(policy, finding))
    return Answer(mine, found.confirmed)


def _line_of(policy: Policy, finding: Finding) -> int:
    if finding.remark is not None:
        return finding.remark.span.line
    return policy.rules[finding.rule].span.line if finding.rule is not None else 0


def _dead(policy: Policy, imported: Imported, codes: frozenset[str]) -> Iterator[Finding]:
    chains = imported.document.chains
    known = lines(chains)
    found = dead_everywhere(chains, _entries(imported))
    mine = _first_told(imported)
    met = {number for name in chains.chains for number in (line.number for line in chains.chains[name].lines)} - set(
        found
    )
    for number, blockers in found.items():
        line = known[number]
        if number not in mine or not line.text or line.kind is Kind.EITHER:  # a line without words goes with another
            continue
        if line.implied:
            yield from _lost(line, [known[b] for b in blockers])
            continue
        if not blockers and not _is_come_to(chains, imported, line, met):
            continue  # told of the jump that leads here
        finding = _led_to(chains, line, _unreachable(policy, line, [known[b] for b in blockers if b != number]))
        if finding.code in codes:
            yield finding


def _lost(line: Line, blockers: list[Line]) -> Iterator[Finding]:
    """What the firewall would do of itself, and does not, as a line of the file takes its packets the other way."""
    other = [blocker for blocker in blockers if _DECIDES.get(blocker.kind, "") != _DECIDES.get(line.kind)]
    if not other:
        return
    message = f"`{line.text}` has no effect: line {other[0].span.line} takes its packets first, the other way"
    label = "ends the list before what the system adds"
    help = "leave it out, as the list denies all else anyway, or permit these packets above it"
    remark = Diagnostic("FW471", message, other[0].span, label, help, "warning")
    yield Finding("FW471", "warning", remark=remark)


def _spare(policy: Policy, imported: Imported) -> Iterator[Finding]:
    """Lines without which every packet fares the same, each told with the first policy of the run that comes to it."""
    chains = imported.document.chains
    known = lines(chains)
    mine = _first_told(imported)
    for number, found in spare(chains, _entries(imported)).items():
        line = known[number]
        if number not in mine:
            continue
        heirs = [known[heir] for heir in found.heirs]
        who = _listed([heir for heir in heirs if not heir.implied]) or "the default"
        message = f"line {line.span.line} changes nothing: without it {who} would do the same"
        help = "remove it" if heirs else "remove it, or keep it for its counters"
        labels = tuple(Label(heir.span, "would do the same") for heir in heirs[:_NAMED] if not heir.implied)
        severity: Severity = "warning" if heirs else "info"
        remark = Diagnostic("FW203", message, line.span, "redundant", help, severity, labels)
        seen = Packet.from_point(found.point, policy.fields) if found.point is not None else None
        verdict = policy.evaluate(seen) if seen is not None else None
        finding = Finding("FW203", severity, remark=remark)
        origin = verdict.rule.origin if verdict is not None and verdict.rule is not None else None
        if verdict is not None and origin is not None and origin.line == number and verdict.action is not DEPENDS:
            finding = Finding("FW203", severity, remark=remark, witness=seen, decided_by=verdict.index)
        yield _led_to(chains, line, finding)


@lru_cache(maxsize=1)
def _jumps(chains: Chains) -> Mapping[int, tuple[Line, ...]]:
    """By a line's number, the first jumps to its chain."""
    found: dict[str, list[Line]] = {}
    for chain in chains.chains.values():
        for line in chain.lines:
            if line.target is not None and len(found.setdefault(line.target, [])) < _JUMPS:
                found[line.target].append(line)
    return {line.number: tuple(found[name]) for name in found for line in chains.chains[name].lines}


def _led_to(chains: Chains, line: Line, finding: Finding) -> Finding:
    """The finding with the jumps that lead to the line's chain."""
    jumps = _jumps(chains).get(line.number, ())
    if not jumps or finding.remark is None:
        return finding
    labels = tuple(Label(jump.span, "leads to it") for jump in jumps)
    return finding.replace(remark=replace(finding.remark, labels=(*finding.remark.labels, *labels)))


def _listed(some: list[Line]) -> str:
    """`line 3, line 5 and line 9`, or `line 3, line 5, line 7, line 8 and 2 more`"""
    told = [f"line {line.span.line}" for line in some[:_NAMED]]
    told += [f"{len(some) - _NAMED} more"] * (len(some) > _NAMED)
    return f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else "".join(told)


def _first_told(imported: Imported) -> set[int]:
    """The lines that this policy is the first of its run to come to."""
    document = imported.document
    before: set[int] = set()
    for name in imported.entries:
        reached = {c for entry in document.entries_of(name) for c in document.chains.reached(entry)}
        mine = {line.number for chain in reached for line in document.chains.chains[chain].lines}
        if name == imported.name:
            return mine - before
        before |= mine
    return set()


def _entries(imported: Imported) -> tuple[str, ...]:
    """The chains that packets enter, of all the policies that were asked for together."""
    return tuple(entry for name in imported.entries for entry in imported.document.entries_of(name))


def _is_come_to(chains: Chains, imported: Imported, line: Line, met: set[int]) -> bool:
    """Is a chain of the line's one that packets enter, or come to by a line that some packet meets?"""
    names = {name for name, chain in chains.chains.items() if any(own is line for own in chain.lines)}
    return not names.isdisjoint(_entries(imported)) or any(
        other.target in names and other.number in met for chain in chains.chains.values() for other in chain.lines
    )


def _unreachable(policy: Policy, line: Line, blockers: list[Line]) -> Finding:
    """A finding about a dead line; FW201 where a packet of it certainly gets the other action."""
    boxes = [Box(product) for part in line.parts for product in part.products]
    if not blockers or not any(boxes):
        message = f"line {line.span.line} can never match: " + (
            "no packet comes to it that it matches" if any(boxes) else "there is no such packet"
        )
        help = "correct the conditions, or remove it"
        return Finding(
            "FW204", "warning", remark=Diagnostic("FW204", message, line.span, "matches no packet", help, "warning")
        )
    seen = witness(next(box for box in boxes if box), asked=policy.fields)
    verdict = policy.evaluate(seen)
    own = _DECIDES.get(line.kind)
    contrary = [own is not None and _DECIDES.get(b.kind, own) != own for b in blockers]
    shadowed = any(contrary)
    for rule in policy.rules if verdict.rule is not None and verdict.rule.origin is not None else ():
        agree(
            rule is not verdict.rule or rule.origin is None or rule.origin.line != line.number or _in_doubt(line), seen
        )
    who = _listed(blockers)
    take = "takes" if len(blockers) == 1 else "together take"
    way = (
        ", the other way" if all(contrary) else ", some the other way" if shadowed else ", the same way" if own else ""
    )
    code = "FW201" if shadowed else "FW202"
    message = f"line {line.span.line} can never match: {who} {take} every packet of it{way}"
    labels = tuple(
        Label(b.span, "takes a part of its packets" if len(blockers) > 1 else "takes every packet of it")
        for b in blockers[:_NAMED]
    )
    help = "move it up if it is to have an effect, or remove it" if shadowed else "remove it"
    remark = Diagnostic(code, message, line.span, "unreachable", help, "warning", labels)
    if not shadowed or verdict.index is None or verdict.action is DEPENDS or verdict.action.value == own:
        return Finding(code, "warning", remark=remark)
    return Finding(code, "warning", remark=remark, witness=seen, decided_by=verdict.index)


def _in_doubt(line: Line) -> bool:
    return bool(doubts_of(line))


def _uncalled(imported: Imported, codes: frozenset[str]) -> Iterator[Finding]:
    document = imported.document
    if not set(imported.entries) >= set(document.policies) - set(document.passed):
        return
    for name in uncalled(document.chains, document.chains.entries):
        chain = document.chains.chains[name]
        span = chain.span or (chain.lines[0].span if chain.lines else None)
        if span is not None and chain.lines:
            remark = Diagnostic(
                UNCALLED, f"nothing leads to chain `{name}`: its lines are never met", span, severity="info"
            )
            yield Finding(UNCALLED, "info", remark=remark)


UNCALLED = "FW455"
