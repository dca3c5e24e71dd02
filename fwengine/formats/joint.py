"""An upper and a lower bound -> one flat policy with three answers: allowed, denied, or dependent on lines in doubt.

With u the first rule of the upper bound that matches a packet, and l the first of the lower one: if u denies, no resolution
allows it; if l allows, none denies it; else both happen, and the packet depends on what the two rest on. The pairs (u, l), u
first, then l, in the order of both lists, are a first-match list of just that. Most pairs need not be written down:

    u denies                    u alone
    l stands before u above     no packet of it comes so far
    l has the boxes of u        the last pair of u
    what allows at the end      u alone says the same

so that what is certain is written once, and only what the doubts touch is paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import LimitError
from ..limits import current
from ..model.box import Box, Sets
from ..model.fields import FULL
from ..model.overlap import Overlaps, bits
from ..model.rules import ALLOW, DENY, DEPENDS, Action, Doubt, Origin, Rule
from .unfold import Unfolded

_EVERYTHING = (Box(FULL),)
_FEW = 32  # pairs of one rule, and boxes left of it, up to which it is looked whether anything is left


def joint(upper: Unfolded, lower: Unfolded, limit: int | None = None) -> tuple[Rule, ...]:
    """The rules of both bounds in one; the default is theirs.

    Raises:
        LimitError: if that takes more than `limit` boxes (the limit of boxes if not given).

    Complexity: for each rule of the upper bound, the rules of the lower one that overlap it and that it has for itself.
    """
    assert upper.default is lower.default
    return tuple(_Joint(upper, lower, current().boxes if limit is None else limit).rules())


class _Joint:
    def __init__(self, upper: Unfolded, lower: Unfolded, limit: int) -> None:
        self.upper = upper.rules
        self.lower = lower.rules
        self.default = upper.default
        self.limit = limit
        self.count = 0
        self.of: list[int] = []  # the rule of each box of the lower bound
        boxes: list[Sets] = []
        self.boxes: list[int] = []  # the vector of the boxes of each rule
        self.places: dict[tuple[Box, ...], list[int]] = {}
        for index, rule in enumerate(self.lower):
            self.places.setdefault(rule.boxes, []).append(index)
            held = [box.sets for box in rule.boxes if all(chosen.ranges for chosen in box.sets)]
            self.boxes.append(((1 << len(held)) - 1) << len(boxes))
            boxes += held
            self.of += [index] * len(held)
        self.overlaps = Overlaps(boxes)
        self.live = self.overlaps.all  # what no rule of the upper bound has taken so far

    def rules(self) -> Iterator[Rule]:
        before: set[tuple[Box, ...]] = set()
        for rule in self.upper:
            if rule.boxes in before:  # nothing comes so far
                yield rule
                continue
            before.add(rule.boxes)
            twins = self.places.get(rule.boxes, ())
            yield from self._block(rule, rule.boxes, rule.action, twins)
            for twin in twins:
                self.live &= ~self.boxes[twin]
        if self.default is ALLOW:
            block = list(self._block(None, _EVERYTHING, ALLOW, ()))
            yield from block

    def _block(
        self, above: Rule | None, boxes: tuple[Box, ...], action: Action, twins: Sequence[int]
    ) -> Iterator[Rule]:
        """What the packets get that one rule of the upper bound decides; None is its default."""
        if action is DENY:
            assert above is not None
            yield above
            return
        last: Rule | None = None  # of the lower bound, which decides what is left of the upper rule
        found: list[Rule] = []
        for index in self._meeting(boxes):
            below = self.lower[index]
            if index in twins or _covers(below.boxes, boxes):
                last = below
                break
            shared = _shared(boxes, below.boxes)
            if shared:
                self._counted(len(shared))
                found.append(_paired(above, below, shared))
        left = boxes if last is not None or len(found) > _FEW else _left(boxes, found)
        final = self._final(above, last, left) if left else None
        certain = (final is None and self.default is ALLOW and bool(left)) or (
            final is not None and final.action is ALLOW
        )
        while certain and found and found[-1].action is ALLOW:
            found.pop()
        yield from found
        if final is not None:
            yield final

    def _final(self, above: Rule | None, last: Rule | None, boxes: tuple[Box, ...]) -> Rule | None:
        """What is left of a rule of the upper bound; None for the default of both."""
        if last is not None:
            return _paired(above, last, boxes)
        if above is None:
            return None
        if self.default is ALLOW:
            return Rule(ALLOW, boxes, above.name, log=above.log, span=above.span, origin=above.origin)
        return _dependent(above, None, boxes)

    def _meeting(self, boxes: tuple[Box, ...]) -> Iterator[int]:
        """The rules of the lower bound that may share packets, in their order, those left out that come too late."""
        vector = 0
        for box in boxes:
            if all(chosen.ranges for chosen in box.sets):
                vector |= self.overlaps.overlapping(box.sets, self.live)
        before = -1
        for entry in bits(vector):
            if self.of[entry] != before:
                before = self.of[entry]
                yield before

    def _counted(self, boxes: int) -> None:
        self.count += boxes
        if self.count > self.limit:
            raise LimitError(
                f"unknown: limit reached (the lines in doubt make more than {self.limit:,} boxes): take a side",
                "boxes",
            )


def _paired(above: Rule | None, below: Rule, boxes: tuple[Box, ...]) -> Rule:
    if below.action is ALLOW:  # whatever becomes of the doubts
        return Rule(ALLOW, boxes, below.name, log=below.log, span=below.span, origin=below.origin)
    return _dependent(above, below, boxes)


def _dependent(above: Rule | None, below: Rule | None, boxes: tuple[Box, ...]) -> Rule:
    """A rule for packets that may fare either way: it stands for the line of its first doubt."""
    origins = [rule.origin for rule in (above, below) if rule is not None and rule.origin is not None]
    doubts: tuple[Doubt, ...] = tuple(dict.fromkeys(doubt for origin in origins for doubt in origin.doubts))
    if not doubts:  # no packet comes to this pair (see `unfold`); if one did, it would not be called certain
        doubts = tuple([Doubt(r.span, "what stands before it") for r in (above, below) if r is not None][:1])
    doubted = next((origin for origin in origins if origin.doubts), origins[0])
    return Rule(DEPENDS, boxes, span=doubts[0].span, origin=Origin(doubted.line, doubted.path, doubts))


def _left(boxes: tuple[Box, ...], found: Sequence[Rule]) -> tuple[Box, ...]:
    """The packets of boxes that rules do not take."""
    left = list(boxes)
    for rule in found:
        for taken in rule.boxes:
            left = [rest for box in left for rest in (box - taken) if rest]
            if len(left) > _FEW:
                return boxes
    return tuple(left)


def _shared(mine: Sequence[Box], others: Sequence[Box]) -> tuple[Box, ...]:
    return tuple([both for a in mine for b in others if (both := a & b)])


def _covers(big: Sequence[Box], small: Sequence[Box]) -> bool:
    return all(any(box.issubset(other) for other in big) for box in small)
