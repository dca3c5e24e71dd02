"""What changed between two policies: the packets that one allows and the other denies.

Rules are aligned by meaning. A packet that no unaligned rule decides, before or after, is decided by the same rule in
both: so only what such rules decide is looked at, never the product of the two policies. Exact; each change has a
witness. Knows nothing of texts or of how changes are printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from itertools import islice

from ..limits import question
from ..model.box import SHAPES, Box, Sets, pieces
from ..model.overlap import bits
from ..model.packet import Packet
from ..model.rules import ALLOW, Action
from ..model.ruleset import RuleSet, must_be_policies
from ..row import Row, row
from .align import unaligned
from .confirm import SAMPLES, Answer, Confirmation, agree, decide_each, located, points_of, spread, total, volume
from .cover import hole
from .entries import Entries, closed, intersections, rule_pieces
from .region import check_limit, difference, tidy
from .witness import witness


@row
class Change(Row):
    """Packets whose verdict changes: the actions and deciding rules before and after, a witness, the number of flows (`Box.flows`).

    `old_rule` and `new_rule` are indices into the old and the new policy; the number of rules stands for the default;
    `of` are the policies.
    """

    box: Box
    old: Action
    new: Action
    old_rule: int
    new_rule: int
    witness: Packet
    flows: int
    of: tuple[RuleSet, RuleSet] | None = field(default=None, compare=False)


@question
def diff(old: RuleSet, new: RuleSet) -> Answer[Change]:
    """The packets whose verdict changes, as few disjoint regions, widest first; empty exactly if the policies are equivalent.

    Packets that depend on lines in doubt before and after count as unchanged: `doubted` tells of those that may change.

    Each policy is asked on its own day (`as_of`).

    Raises:
        LimitError: if the answer takes more regions than the limit allows, before they are merged, or a search more steps.
        Disagreement: if the second way comes to another end, which is a bug.

    Complexity: near linear in the rules for loading; then a search for each unaligned rule and rule of the other action it
    overlaps.

    >>> from fwengine.model.rules import ALLOW, DENY
    >>> [(str(c.old), str(c.new), c.box.flows > 0) for c in diff(RuleSet((), DENY), RuleSet((), ALLOW))]
    [('deny', 'allow', True)]
    """
    must_be_policies("diff", old, new)
    found: dict[tuple[int, int], list[Box]] = {}
    count = 0
    before, after = Entries(closed(old)), Entries(closed(new))
    lone_old, lone_new = unaligned(before.policy, after.policy)
    gone, come = before.vector(lone_old), after.vector(lone_new)
    for this, other, mine, partners, swapped in (
        (before, after, gone, after.overlaps.all, False),
        (after, before, come, before.overlaps.all & ~gone, True),
    ):
        for e, f, sets in _contrary(this, other, mine, partners):
            count += 1
            check_limit(count)
            pair = (this.rule[e], other.rule[f])
            found.setdefault(pair[::-1] if swapped else pair, []).append(Box(sets))
    names = tuple(dict.fromkeys(after.interfaces + before.interfaces))
    changes = [
        Change(
            box,
            old.action(i),
            new.action(j),
            i,
            j,
            witness(box, names, before.asked | after.asked),
            box.flows,
            (old, new),
        )
        for (i, j), boxes in found.items()
        for box in tidy(boxes)
    ]
    changes.sort(key=lambda change: -change.flows)
    return Answer(changes, _confirm(old, new, changes, lone_old, lone_new))


@question
def equivalent(old: RuleSet, new: RuleSet) -> bool:
    """Do the policies give every packet the same verdict? Exact, and cheaper than `diff` where they do not.

    That it depends on lines in doubt is a verdict here: whether the lines are the same, `fwengine.doubted` tells.
    """
    must_be_policies("equivalent", old, new)
    before, after = Entries(closed(old)), Entries(closed(new))
    lone_old, lone_new = unaligned(before.policy, after.policy)
    for this, other, lone in ((before, after, lone_old), (after, before, lone_new)):
        if next(_contrary(this, other, this.vector(lone), other.overlaps.all), None) is not None:
            return False
    _confirm(old, new, (), lone_old, lone_new)
    return True


def _confirm(
    old: RuleSet, new: RuleSet, changes: Sequence[Change], lone_old: Sequence[int], lone_new: Sequence[int]
) -> Confirmation:
    """The changes hold the samples that fare differently and no others, and they add up to what is allowed more or less."""
    of_rules: dict[tuple[int, int], list[Box]] = {}
    for change in changes:
        of_rules.setdefault((change.old_rule, change.new_rule), []).append(change.box)
    shown = spread(changes, SAMPLES)
    touched = [
        part
        for policy, lone in ((old, lone_old), (new, lone_new))
        for index in spread([i for i in lone if i < len(policy.rules)], 8)
        for part in islice(rule_pieces(policy, index), 4)
    ]
    points = [*(located(change.witness) for change in shown), *points_of(new, SHAPES, 16), *points_of(old, SHAPES, 16)]
    if touched:
        points += points_of(new, touched, 16)
    then, now = decide_each(old, points), decide_each(new, points)
    for change, i, j in zip(shown, then, now, strict=False):
        agree((i, j) == (change.old_rule, change.new_rule), change.witness)
    for point, i, j in zip(points, then, now, strict=True):
        differs = old.action(i) is not new.action(j)
        agree(sum(point in box for box in of_rules.get((i, j), ())) == differs, point)
    before = total(old, SHAPES, lambda index: old.action(index) is ALLOW)
    after = None if before is None else total(new, SHAPES, lambda index: new.action(index) is ALLOW)
    if before is None or after is None:
        return Confirmation(False, len(points))
    come, gone = (volume(c.box for c in changes if getattr(c, side) is ALLOW) for side in ("new", "old"))
    agree(after - before == come - gone, "how many packets there are")
    return Confirmation(True, len(points))


def _contrary(this: Entries, other: Entries, mine: int, partners: int) -> Iterator[tuple[int, int, Sets]]:
    """What entries `mine` of one policy decide and `partners` of the other decide the other way, as disjoint products."""
    for e in bits(mine):
        opposed = partners & other.against(this.policy.rules[this.rule[e]].action)
        for part in pieces(this.sets[e]):
            among = other.visible(part, other.overlaps.all).entries
            earlier = this.overlapping(part, (1 << e) - 1)
            if among & opposed and hole(this, part, earlier) is not None:
                for f in bits(among & opposed):
                    for shared in intersections([part], [other.sets[f]]):
                        yield from (
                            (e, f, sets) for sets in _left(this, earlier, other, among & ((1 << f) - 1), shared)
                        )


def _left(this: Entries, earlier: int, other: Entries, before: int, shared: Sets) -> Iterator[Sets]:
    """The part of a product that neither the `earlier` entries of one policy nor those `before` in the other take."""
    if hole(this, shared, earlier) is None or hole(other, shared, before) is None:
        return
    mine, others = this.overlapping(shared, earlier), other.overlapping(shared, before)
    yield from difference(shared, dict.fromkeys([*this.boxes(mine), *other.boxes(others)]))
