"""Several rule sets that a packet must pass one after another -> one: what one denies is denied, what all allow is allowed.

With a the first rule of the first that matches a packet: if a denies, that is the verdict, and if it allows, that of the rest.
As their doubts are settled apart, this holds of upper bounds, and of lower ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..errors import LimitError
from ..limits import current
from ..model.box import Box
from ..model.fields import FULL
from ..model.rules import DENY, Action, Origin, Rule
from .chains import Chains
from .unfold import Unfolded, unfold


def unfold_all(chains: Chains, entries: Sequence[str], favour: Action | None, limit: int | None = None) -> Unfolded:
    """The flat rules of what enters several chains, one after another: as `unfold`, with `met` only of one chain alone.

    Raises:
        LimitError: if that takes more than `limit` boxes (the limit of boxes if not given).

    Complexity: besides `unfold`, the rules that allow in each chain, and those of the next that overlap them.
    """
    if len(entries) == 1:
        return unfold(chains, entries[0], favour, limit=limit)
    last = unfold(chains, entries[-1], favour, limit=limit)
    rules = _closed(chains, entries[-1], last)
    for entry in reversed(entries[:-1]):
        before = _closed(chains, entry, unfold(chains, entry, favour, limit=limit))
        rules = _counted(_let_by(before, rules), current().boxes if limit is None else limit)
    return Unfolded(tuple(rules), last.default, ())


def _closed(chains: Chains, entry: str, flat: Unfolded) -> list[Rule]:
    """The rules of a chain with its policy as the last of them: where several chains follow, it has to be told whose it is.

    Its place is that of the last line, which a reader puts there for it.
    """
    line = chains.chains[entry].lines[-1]
    return [*flat.rules, Rule(flat.default, (Box(FULL),), span=line.span, origin=Origin(line.number))]


def _let_by(first: Sequence[Rule], then: Sequence[Rule]) -> Iterator[Rule]:
    for rule in first:
        if rule.action is DENY:
            yield rule
            continue
        left = list(rule.boxes)
        for other in then:
            shared = tuple([both for mine in left for box in other.boxes if (both := mine & box)])
            if shared:
                yield replace(other, boxes=shared)
                left = [rest for mine in left for rest in _without(mine, other.boxes)]
            if not left:
                break


def _without(box: Box, others: Sequence[Box]) -> list[Box]:
    left = [box]
    for other in others:
        left = [rest for one in left for rest in (one - other) if rest]
    return left


def _counted(rules: Iterator[Rule], limit: int) -> list[Rule]:
    out: list[Rule] = []
    boxes = 0
    for rule in rules:
        out.append(rule)
        boxes += len(rule.boxes)
        if boxes > limit:
            raise LimitError(f"unknown: limit reached (the chains of the hook make more than {limit:,} boxes)", "boxes")
    return out
