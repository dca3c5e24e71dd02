"""Boxes in order of precedence -> decision tree: built top down, memoised, shared; a forest where one tree would explode.

At each field the active rules' intervals are swept once; a subtree depends only on the field and on the rules still
active there, cut behind the first that matches everything to come. Real rule sets whose wide and narrow addresses
interleave make a single tree explode, while the rules grouped by which of their addresses are wide stay small. Whatever
still exceeds its budget is split in two halves of the rule order, so that no policy explodes. Deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..limits import current, reached, spend
from . import address
from .box import Sets
from .diagram import Diagram
from .fields import ADDRESSES, DPORT, DST, FULL, PROTOCOL, REST, SPORT, SRC
from .interval import IntervalSet
from .scattered import ScatteredSet
from .switch import Made, Switch, SwitchTooLargeError, switch
from .tree import DecisionTree, Node, Root, SwitchTree

Entry = tuple[int, Sets]  # rule index, conditions

_ORDERS = {  # (source wide, destination wide) -> the order in which that group's tree tests the fields
    (False, False): (PROTOCOL, DST, SRC, DPORT, SPORT, *REST),
    (True, False): (PROTOCOL, DST, SRC, DPORT, SPORT, *REST),
    (False, True): (PROTOCOL, SRC, DST, SPORT, DPORT, *REST),
    (True, True): (DPORT, SPORT, PROTOCOL, DST, SRC, *REST),
}
_WIDE = {4: 1 << 16, 6: 1 << 80}  # more addresses than this are a wide match
_SINGLE = (256, 6)  # edges that one tree may have: a floor, and so many a rule
_GROUP = (4096, 15)
_FEW, _PLAIN = 8, 64  # scattered sets and other cuts: for no more than that hulls are not swept
_WORK = 8  # cuts swept for each edge allowed, before sharing
_LIGHT = 16  # entries that hold at one cut, and take as long as another


class _TooLargeError(Exception):
    """The tree exceeds its budget."""


def compile_entries(entries: Sequence[Entry], rules: int) -> DecisionTree:
    """The tree over boxes that each name a rule, in the order of precedence; `rules` stands for "none of them"."""
    builder = _Builder(rules)
    floor, each = _SINGLE
    roots: list[int] = []
    try:
        roots.append(builder.tree(entries, _ORDERS[False, False], floor + each * len(entries)))
    except _TooLargeError:
        groups: dict[tuple[bool, bool], list[Entry]] = {}
        for entry in entries:
            groups.setdefault((_is_wide(entry[1][SRC]), _is_wide(entry[1][DST])), []).append(entry)
        for wide, group in groups.items():
            roots += _split(builder, group, _ORDERS[wide])
    return builder.finish(roots)


def compile_single(entries: Sequence[Entry], rules: int, edges: int) -> DecisionTree | None:
    """One tree of at most so many edges over these boxes, in whichever order gives one; None if none does."""
    for order in dict.fromkeys(_ORDERS.values()):
        builder = _Builder(rules)
        try:
            return builder.finish([builder.tree(entries, order, edges)])
        except _TooLargeError:
            continue
    return None


def _split(builder: _Builder, entries: Sequence[Entry], order: tuple[int, ...]) -> list[int]:
    """One tree for all entries if the budget allows, else as many as it takes, halving."""
    floor, each = _GROUP
    roots = []
    stack = [entries]
    while stack:
        part = stack.pop()
        try:
            roots.append(builder.tree(part, order, max(floor, each * len(part)) if len(part) > 1 else 1 << 62))
        except _TooLargeError:
            middle = len(part) // 2
            stack += [part[middle:], part[:middle]]
    return roots


def _is_wide(chosen: IntervalSet) -> bool:
    v4, v6 = ((chosen & family).size for family in (address.V4, address.V6))
    return v4 > _WIDE[4] or v6 > _WIDE[6]


def _scattered(entries: Sequence[Entry], field: int) -> dict[int, Diagram]:
    """The entries whose set is a scattered one there, with its diagram."""
    if field not in ADDRESSES or not any([type(sets[field]) is ScatteredSet for _, sets in entries]):  # noqa: C419
        return {}
    return {e: chosen.root for e, (_, sets) in enumerate(entries) if isinstance(chosen := sets[field], ScatteredSet)}


class _Builder:
    """Nodes under construction, shared over all trees of a forest."""

    def __init__(self, rules: int) -> None:
        self.rules = rules
        self.nodes: list[Node] = []
        self.unique: dict[Node, int] = {}
        self.lowest: list[int] = []
        self.edges = 0

    def tree(self, entries: Sequence[Entry], order: tuple[int, ...], budget: int) -> int:
        """The root of a tree over these entries; nodes and memory are given back if it exceeds its budget of edges.

        Raises:
            _TooLargeError: beyond `budget` new edges, or `_WORK` times as many cuts swept.
            LimitError: beyond the limit of edges of all trees together.
        """
        begin = len(self.nodes)
        used = [f for f in order if any(sets[f] is not FULL[f] and sets[f] != FULL[f] for _, sets in entries)]
        levels = len(used)
        # whole[k]: the entries that match everything in the fields still to come at level k
        whole: list[set[int]] = [set() for _ in range(levels + 1)]
        for e, (_, sets) in enumerate(entries):
            k = levels
            while k and (sets[f := used[k - 1]] is FULL[f] or sets[f] == FULL[f]):
                k -= 1
            for level in range(k, levels + 1):
                whole[level].add(e)
        memo: list[dict[tuple[int, ...], int]] = [{} for _ in range(levels)]
        ranges = [[sets[f].ranges for _, sets in entries] for f in used]
        # of scattered sets the hulls are swept, and switches tell what holds within; by level
        scattered = [_scattered(entries, f) for f in used]
        for here, swept in zip(scattered, ranges, strict=True):
            for e in here:
                swept[e] = ((swept[e][0][0], swept[e][-1][1]),)
        switches: dict[tuple[int, tuple[int, ...]], Made] = {}
        none = ~self.rules
        edges = work = 0

        def build(level: int, active: tuple[int, ...]) -> int:
            nonlocal edges, work
            if not active:
                return none
            covering = whole[level]
            if active[0] in covering:
                return ~entries[active[0]][0]
            if not covering.isdisjoint(active):
                for n, e in enumerate(active, 1):  # pragma: no branch  # one of them is
                    if e in covering:  # nothing behind it can matter
                        active = active[:n]
                        break
            known = memo[level].get(active)
            if known is not None:
                return known
            starts: dict[int, list[int]] = {}
            ends: dict[int, list[int]] = {}
            mine = ranges[level]
            top = FULL[used[level]].hi
            spread = scattered[level]
            open_ = spread.keys() & active if spread else spread.keys()
            if open_ and len(open_) <= _FEW and sum([len(mine[e]) for e in active]) <= _PLAIN:
                mine = [((0, top),) if e in open_ else swept for e, swept in enumerate(mine)]  # hulls would add cuts
            for e in active:
                for lo, hi in mine[e]:
                    starts.setdefault(lo, []).append(e)
                    ends.setdefault(hi + 1, []).append(e)
            here: set[int] = set()
            cuts: list[int] = []
            children: list[int] = []
            below: dict[tuple[int, ...], int] = {}
            points = sorted({0, *starts, *ends})
            work += len(points)
            weight = 0
            for n, p in enumerate(points):
                if p > top:
                    break
                if work + weight // _LIGHT > _WORK * budget:
                    raise _TooLargeError
                if p in ends:
                    here.difference_update(ends[p])
                if p in starts:
                    here.update(starts[p])
                key = tuple(sorted(here))
                weight += len(key)
                if open_ and not open_.isdisjoint(here):
                    child = switched(level, key, p, points[n + 1] - 1)  # a hull ends behind it
                elif key in below:
                    child = below[key]
                else:
                    child = below[key] = build(level + 1, key)
                if not children or child != children[-1]:
                    cuts.append(p)
                    children.append(child)
            work += weight // _LIGHT
            if len(children) == 1:
                result = children[0]
            else:
                result = stored(Node(used[level], tuple(cuts[1:]), tuple(children)), len(children))
            memo[level][active] = result
            return result

        def stored(node: Node, size: int) -> int:
            nonlocal edges
            found = self.unique.get(node)
            if found is None:
                edges += size
                if edges > budget:
                    raise _TooLargeError
                found = self.unique[node] = len(self.nodes)
                self.nodes.append(node)
                self.lowest.append(min(map(self._low, set(node.children))))
            return found

        def switched(level: int, active: tuple[int, ...], lo: int, hi: int) -> int:
            """The subtree for an interval in which some of the active entries hold here and there only."""
            nonlocal work
            here, final = scattered[level], whole[level + 1]
            for n, e in enumerate(active, 1):
                if e in final and e not in here:
                    active = active[:n]
                    break
            open_ = tuple([e for e in active if e in here])
            if not open_:
                return build(level + 1, active)
            known = switches.get((level, open_))
            if known is None:
                try:
                    known = switch([here[e] for e in open_], [e in final for e in open_], _WORK * budget - work)
                except SwitchTooLargeError:
                    raise _TooLargeError from None
                switches[level, open_] = known
                work += known.steps
            choice, ends, _ = known
            children: dict[int, int] = {}
            for end in sorted(choice.reached(lo, hi)):
                holding = {open_[k] for k in ends[end]}
                children[end] = build(level + 1, tuple([e for e in active if e not in here or e in holding]))
            work += len(choice.rows)
            if work > _WORK * budget:
                raise _TooLargeError
            different = list(dict.fromkeys(children.values()))
            place = {child: n for n, child in enumerate(different)}
            choice = choice.relabelled([place.get(children.get(end, different[0]), 0) for end in range(len(ends))])
            if choice.root < 0:
                return different[~choice.root]
            return stored(Node(used[level], choice, tuple(different)), len(choice.rows))

        try:
            root = build(0, tuple(range(len(entries))))
            self.edges += edges
            if self.edges > current().edges:
                raise reached("edges")
            return root
        except _TooLargeError:
            for node in self.nodes[begin:]:
                del self.unique[node]
            del self.nodes[begin:], self.lowest[begin:]
            raise
        finally:
            spend(work)

    def _low(self, child: int) -> int:
        return self.lowest[child] if child >= 0 else ~child

    def finish(self, roots: list[int]) -> DecisionTree:
        ordered = sorted(Root(self._low(r), r) for r in roots) or [Root(self.rules, ~self.rules)]
        made = SwitchTree if any([type(node[1]) is Switch for node in self.nodes]) else DecisionTree  # noqa: C419
        return made(tuple(self.nodes), tuple(ordered), self.rules, tuple(self.lowest))
