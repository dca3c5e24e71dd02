"""A policy -> the same policy in a format that people load elsewhere, proved the same before it is given away.

A writer of `formats` makes the text; it is read back by the reader of that format, and both bounds of what was read must say what
the policy says, for every packet that the text is about. What is not exact in a format is refused, all reasons in one run.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .analysis.confirm import agree
from .analysis.diff import equivalent
from .errors import Diagnostic, PolicyError, Span
from .formats.chains import Kind
from .formats.registry import WRITERS, Writer
from .formats.unfold import doubts_of
from .formats.writing import HOOKS, Refusal, RefusedError, Task, Written
from .model import address
from .model.box import Box
from .model.fields import FULL, IN, OUT, SRC
from .model.interval import IntervalSet
from .model.rules import DENY, DEPENDS, Doubt, Rule
from .model.ruleset import RuleSet
from .policy import Policy, loads
from .registry.names import near
from .sources.foreign import Imported, Reading

IN_DOUBT = "FW461"
UNSAYABLE = "FW462"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Converted:
    """A text in another format.

    Attributes:
        told: what the format cannot keep although no verdict hangs on it.
        rules: how many rules are in it.
        proved: the policies in it by their names, each with the packets for which it was proved to say what the policy says.
    """

    text: str
    told: tuple[str, ...] = ()
    rules: int = 0
    proved: tuple[tuple[str, Box], ...] = ()


class InexactError(PolicyError):
    """A policy that is not exact in the format: FW461 and FW462, all of them."""


def convert(
    policy: Policy, to: str, *, as_of: datetime.date | None = None, chain: str | None = None, name: str | None = None
) -> str:
    """The text of a policy in another format: `nft`, `iptables`, `ip6tables`, `cisco`, `aws`, or `fwl`, the language itself.

    Args:
        as_of: the day whose rules are written where some end; without it rules with `until` are refused, for no format but
            the language has a last day.
        chain: for nft and iptables `input`, `forward` or `output`: whose packets it is about. Without it the chain that the policy
            comes from, or `forward`. For AWS `output` is egress, else it is ingress.
        name: of the table (nft) or the list (Cisco, AWS).

    Raises:
        InexactError: FW461 for each line in doubt; FW462 for each rule that is not exact in the format.
        LimitError: if the proof that both are the same exceeds its budget.
        Disagreement: if they are not, which is a bug.
        ValueError: for a format, or a chain, that there is not, and for a name that is none.

    >>> text = convert(loads("allow tcp from any to 192.0.2.80 port https as web"), "nft")
    >>> print(next(line.strip() for line in text.splitlines() if "dport" in line))
    ip daddr 192.0.2.80 tcp dport 443 accept comment "web"
    """
    return converted(policy, to, as_of=as_of, chain=chain, name=name).text


def converted(
    policy: Policy, to: str, *, as_of: datetime.date | None = None, chain: str | None = None, name: str | None = None
) -> Converted:
    """As `convert`, with what is to be told of the text."""
    writer = _writer(to)
    if chain is not None and chain not in HOOKS:
        raise ValueError(f"there is no chain `{chain}`: it is one of {', '.join(HOOKS)}")
    if name is not None and not _NAME.fullmatch(name):
        raise ValueError(
            f"`{name}` is not a name for {writer.named or 'anything here'}: letters, digits, `-`, `_` and `.`"
        )
    if as_of is not None:
        policy = policy.on(as_of)
    found = list(_doubted(policy, writer)) + list(_ending(policy, writer, stated=as_of is not None))
    task = _task(policy, writer, as_of is not None, chain, name)
    try:
        written = writer.write(task)
    except RefusedError as error:
        found += [_refused(policy, writer, refusal) for refusal in error.refusals]
    if found:
        raise InexactError(
            sorted(dict.fromkeys(found), key=lambda d: (d.code, d.span.file, d.span.line)), policy.sources
        )
    for which, within in written.policies:
        agree(_is_same(policy, written, which, within), f"what was converted {which}".strip())
    return Converted(written.text, written.told, len(task.rules), written.policies)


def _writer(to: str) -> Writer:
    if to not in WRITERS:
        meant = near(to, list(WRITERS))
        hint = f": did you mean `{meant[0]}`?" if meant else ""
        raise ValueError(f"`{to}` is not a format that is written, which are {', '.join(WRITERS)}{hint}")
    return WRITERS[to]


# What cannot be written


def _doubted(policy: Policy, writer: Writer) -> Iterator[Diagnostic]:
    doubted = dict.fromkeys(
        doubt
        for rule in _rules(policy, writer)
        if rule.action is DEPENDS and rule.origin is not None
        for doubt in rule.origin.doubts
    )
    for doubt in doubted:
        help = "take a side: `--in-doubt allow` or `deny`"
        yield Diagnostic(IN_DOUBT, f"in doubt: {doubt.reason}", doubt.span, help=help)


def _ending(policy: Policy, writer: Writer, stated: bool) -> Iterator[Diagnostic]:
    if stated or writer.ends:
        return
    for rule in policy.rules:
        if rule.until is not None and policy.active(rule):
            message = f"{writer.title} has no last day, and rule `{rule.label}` ends on {rule.until}"
            help = "`--as-of DATE` writes the rules of that day; write them again when one has ended"
            yield Diagnostic(UNSAYABLE, message, rule.span, help=help)


def _refused(policy: Policy, writer: Writer, refusal: Refusal) -> Diagnostic:
    file = next(iter(policy.sources), policy.name)
    rule = refusal.rule
    whose = "the default" if rule is None else f"rule `{rule.name}`" if rule.name else "the rule"
    message = f"{whose} is not exact in {writer.title}: {refusal.message}"
    return Diagnostic(UNSAYABLE, message, Span(file, 1, 1, 1, 1) if rule is None else rule.span, help=refusal.help)


# The task


def _task(policy: Policy, writer: Writer, stated: bool, chain: str | None, name: str | None) -> Task:
    rules = [r for r in _rules(policy, writer) if r.action is not DEPENDS and (writer.ends or policy.active(r))]
    other = None if writer.ends else _other_family(policy.imported)
    families = tuple(f for f, mine in ((4, address.V4), (6, address.V6)) if other is None or mine != other[1])
    return Task(
        tuple(rules),
        policy.default,
        families,
        tuple(_title(policy, writer, stated)),
        tuple(_lines(policy, rules)),
        chain or _came_from(policy.imported),
        name or "",
        () if writer.ends else _nets(policy),
    )


def _came_from(imported: Imported | None) -> str:
    """The chain whose packets a policy is about: by its name, or by the interfaces that they lack."""
    if imported is None:
        return "forward"
    document = imported.document
    name = imported.name.rpartition(" ")[2].lower()
    lacking = document.chains.entries.get(document.entries_of(imported.name)[0], frozenset())
    return name if name in HOOKS else {OUT: "input", IN: "output"}.get(min(lacking, default=-1), "forward")


def _rules(policy: Policy, writer: Writer) -> list[Rule]:
    """The rules that are to be written: not that which a reader puts in for the family that a rule set says nothing of."""
    other = None if writer.ends else _other_family(policy.imported)
    if other is None:
        return list(policy.rules)
    return [rule for rule in policy.rules if rule.origin is None or rule.origin.line != other[0]]


def _other_family(imported: Imported | None) -> tuple[int, IntervalSet] | None:
    """The line that stands for the other family, of which a rule set says nothing, and that family's addresses."""
    if imported is None:
        return None
    document = imported.document
    (entry, *more) = document.entries_of(imported.name)
    for line in document.chains.chains[entry].lines if not more else ():
        if line.kind is Kind.EITHER and any(line.text in part.doubts for part in line.parts):
            return line.number, line.parts[0].products[0][SRC]
    return None


def _title(policy: Policy, writer: Writer, stated: bool) -> Iterator[str]:
    yield f"{policy.name}, written by fwengine convert"
    if stated and not writer.ends:
        yield f"the rules of {policy.as_of}"
    for rule in policy.rules:
        if rule.until is not None and not writer.ends:
            what = "ends on" if policy.active(rule) else "left out, it ended on"
            yield f"{rule.label}: {what} {rule.until}"
    if policy.imported is not None and policy.imported.reading.in_doubt in ("allow", "deny"):
        for doubt in _settled(policy.imported):
            side = policy.imported.reading.in_doubt
            yield f"in doubt, and taken to {side} more: line {doubt.span.line} ({doubt.reason})"


def _settled(imported: Imported) -> dict[Doubt, None]:
    """The doubts for which a side was taken."""
    document = imported.document
    chains = document.chains
    other = _other_family(imported)
    return dict.fromkeys(
        doubt
        for entry in document.entries_of(imported.name)
        for name in chains.reached(entry)
        for line in chains.chains[name].lines
        if other is None or line.number != other[0]
        for doubt in doubts_of(line)
    )


def _lines(policy: Policy, rules: list[Rule]) -> Iterator[str]:
    """The user's own line of each rule, once for those of one line."""
    texts = {file: text.split("\n") for file, text in policy.sources.items()}
    last = None
    for rule in rules:
        place = rule.span.file, rule.span.line
        words = texts.get(rule.span.file, [])[rule.span.line - 1 : rule.span.line]
        yield f"line {rule.span.line}: {words[0].strip()}" if place != last and words else ""
        last = place


def _nets(policy: Policy) -> tuple[tuple[str, IntervalSet], ...]:
    names = [d.name for d in policy.definitions if d.kind == "net"]
    return tuple((name, policy.region(f"any from {name}")[0].sets[SRC]) for name in names)


# The proof


def _is_same(policy: Policy, written: Written, which: str, within: Box) -> bool:
    """Does the text say what the policy says of the packets that it is about?"""
    if written.format == "fwl":
        again: Policy = loads(written.text, file="<converted>", as_of=policy.as_of)
    else:
        again = loads(
            written.text, file="<converted>", as_of=policy.as_of, reading=Reading(written.format, which or None)
        )
    outside = tuple(Rule(DENY, (box,)) for box in Box(FULL) - within)
    mine, other = (RuleSet((*outside, *side.rules), side.default, policy.as_of) for side in (policy, again))
    return equivalent(mine, other)
