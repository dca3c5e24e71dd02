"""Chains -> flat rules in order of precedence, exactly; with doubt, as an upper and a lower bound.

The chains are walked in order, carrying the *guard*: the products of packets under which the next line is met. What is
decided is never taken out of a guard, since the flat list is first-match; RETURN and GOTO take their match out of it until
their chain ends. A copy of a line is guard × match, nearly always one product.

With lines in doubt there is one walk for each favoured action F. It says F exactly where some resolution leads to F. Guards
are kept by *level*, a tuple of frames (the chains under way): level (…, g) means "another resolution has left frame g
already". With X the other action:

    F, certain or in doubt   emitted
    X in doubt               nothing: not to match is possible, and at least as good
    X at level ()            emitted
    X at level (…, g)        this resolution ends in X, the other goes on behind g: taken out of the frames from g on
    jump in doubt            the callee at level (…, callee)
    RETURN in doubt          from the level to (…, this frame), unless it ends there already
    GOTO in doubt            the callee inside a frame of its own; what comes back goes on at level (…, this frame)
    EITHER                   as F

A third walk favours neither, so that doubt hides nothing; it tells which lines a packet can meet at all (`analysis` of dead
lines). Each evaluation of a doubt is taken to be independent: sound, wider than the truth where one is asked twice.

Tested against `chains.possible`, by brute force over all resolutions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..errors import LimitError
from ..limits import current
from ..model.box import Box, Sets, merge
from ..model.fields import FIELDS, FULL
from ..model.overlap import Overlaps, bits
from ..model.rules import ALLOW, DENY, Action, Doubt, Origin, Rule
from .chains import Chain, Chains, Kind, Line

MAX_DEPTH = 500  # chains that call each other

Level = tuple[int, ...]
Products = list[Sets]


@dataclass(frozen=True, slots=True)
class Met:
    """A line met on a walk, whether or not it decides: by which packets, and before which flat rule."""

    line: int
    position: int
    products: tuple[Sets, ...]


@dataclass(frozen=True)
class Unfolded:
    """Flat rules, and the lines met on the way; `cutting` are lines that end another resolution's way: what stands behind them
    was unfolded without their packets.
    """

    rules: tuple[Rule, ...]
    default: Action
    met: tuple[Met, ...]
    cutting: frozenset[int] = frozenset()


def unfold(
    chains: Chains, entry: str, favour: Action | None, *, meet_all: bool = False, limit: int | None = None
) -> Unfolded:
    """The flat rules of what enters a chain.

    Args:
        favour: ALLOW for the upper bound, DENY for the lower, None for neither. Without doubts all three are the same.
        meet_all: walk every call and take every RETURN by itself, so that `met` has exact places.

    Raises:
        LimitError: if the chains unfold to more than `limit` products (the limit of boxes if not given), or call each other too deep.

    Complexity: about linear in the lines for real rule sets; repeated calls of a chain multiply its copies.
    """
    walk = _Walk(chains, entry, favour, meet_all, current().boxes if limit is None else limit)
    return walk.run()


class _Frame:
    """A chain under way."""

    __slots__ = ("doubted", "guards", "lost", "returned")

    def __init__(self, guards: dict[Level, Products], doubted: Iterable[int] = ()) -> None:
        self.guards = guards
        self.returned: list[tuple[bool, Sequence[Sets]]] = []  # (in doubt, match), not yet taken out of the guards
        self.lost: dict[Level, Products] = {}  # what ended in the action not favoured, by level: a GOTO in doubt asks
        self.doubted = list(doubted)  # the lines in doubt that made levels which end in this frame

    def tidy(self) -> None:
        self.guards = {level: guard for level, guard in self.guards.items() if guard}


class _Walk:
    def __init__(self, chains: Chains, entry: str, favour: Action | None, meet_all: bool, limit: int) -> None:
        self.chains = chains
        self.entry = entry
        self.favour = favour
        self.meet_all = meet_all
        self.limit = limit
        self.absent = chains.entries.get(entry, frozenset())
        self.lines = {line.number: line for name in chains.reached(entry) for line in chains.chains[name].lines}
        self.rules: list[Rule] = []
        self.met: list[Met] = []
        self.cutting: set[int] = set()
        self.frames: list[_Frame] = []
        self.path: list[Line] = []
        self.count = 0
        self._matches: dict[int, list[tuple[bool, Products]]] = {}
        self._indices: dict[str, _Index] = {}

    def run(self) -> Unfolded:
        chain = self.chains.chains[self.entry]
        assert chain.default is not None, "packets enter chains that have a default"
        self.walk(chain, {(): [FULL]})  # what is left over, at whatever level, meets the default
        return Unfolded(tuple(self.rules), chain.default, tuple(self.met), frozenset(self.cutting))

    def walk(self, chain: Chain, guards: dict[Level, Products], doubted: Iterable[int] = ()) -> _Frame:
        """Through a chain; the frame that is left has the guards under which its caller goes on."""
        if len(self.frames) > MAX_DEPTH:
            raise LimitError(f"`{chain.name}`: unknown: limit reached ({MAX_DEPTH} chains that call each other)")
        depth = len(self.frames)
        frame = _Frame(guards, doubted)
        self.frames.append(frame)
        for line, matches in self._calls(self._meeting(chain, guards)):
            if not frame.guards:
                break
            for doubt, match in matches:
                if line.kind is not Kind.RETURN:
                    self._settle(frame, depth)
                self._step(line, doubt, match, frame, depth)
                if line.kind is Kind.RETURN and self.meet_all:
                    self._settle(frame, depth)
        self._settle(frame, depth)
        self.frames.pop()
        return frame

    # One line

    def _step(self, line: Line, doubt: bool, match: Products, frame: _Frame, depth: int) -> None:
        if self.meet_all:
            met = [p for guard in frame.guards.values() for p in _within(guard, match)]
            if met:
                self.met.append(Met(line.number, len(self.rules), tuple(met)))
        if line.kind is Kind.RETURN:
            if doubt:
                frame.doubted.append(line.number)
            frame.returned.append((doubt, match))
        elif line.kind is Kind.JUMP:
            self._jump(line, doubt, match, frame, depth)
        elif line.kind is Kind.GOTO:
            self._goto(line, doubt, match, frame, depth)
        elif line.kind is not Kind.PASS:
            self._decide(line, doubt, match, frame, depth)

    def _decide(self, line: Line, doubt: bool, match: Products, frame: _Frame, depth: int) -> None:
        either = line.kind is Kind.EITHER
        action = (self.favour or ALLOW) if either else ALLOW if line.kind is Kind.ALLOW else DENY
        for level in list(frame.guards):
            guard = frame.guards.get(level)
            products = _within(guard, match) if guard else []
            if not products:
                continue
            if action is self.favour or (not level and not doubt):
                self._emit(line, action, products, level, doubt or (either and self.favour is not None))
            elif not doubt:  # this resolution ends here, the other goes on behind the frame that it has left
                self.cutting.add(line.number)
                for left in self.frames[level[-1] if level else depth : depth + 1]:
                    if left.guards.get(level):
                        left.guards[level] = _without(left.guards[level], products)
                    left.lost.setdefault(level, []).extend(products)

    def _emit(self, line: Line, action: Action, products: Products, level: Level, doubt: bool) -> None:
        products = _joined(products)
        self._counted(line, len(products))
        numbers = {number for frame in level for number in self.frames[frame].doubted}
        if doubt:
            numbers.add(line.number)
        doubts = tuple(d for number in sorted(numbers) for d in doubts_of(self.lines[number]))
        origin = Origin(line.number, tuple(jump.span for jump in self.path), doubts)
        boxes = tuple([Box(product) for product in products])
        self.rules.append(Rule(action, boxes, line.name, log=line.log, span=line.span, origin=origin))

    def _counted(self, line: Line, products: int) -> None:
        self.count += products
        if self.count > self.limit:
            raise LimitError(
                f"{line.span.file}:{line.span.line}: unknown: limit reached (the chains unfold to more than "
                f"{self.limit:,} boxes)",
                "boxes",
            )

    # Calls

    def _entered(self, line: Line, doubt: bool, match: Products, frame: _Frame, depth: int) -> dict[Level, Products]:
        """The guards under which the callee begins."""
        inner: dict[Level, Products] = {}
        for level, guard in frame.guards.items():
            products = _within(guard, match)
            if products:
                self._counted(line, len(products))
                inner[(*level, depth + 1) if doubt else level] = _joined(products) if len(match) > 1 else products
        return inner

    def _called(self, line: Line) -> Chain:
        assert line.target is not None
        return self.chains.chains[line.target]

    def _jump(self, line: Line, doubt: bool, match: Products, frame: _Frame, depth: int) -> None:
        inner = self._entered(line, doubt, match, frame, depth)
        if inner:
            self.path.append(line)
            self.walk(self._called(line), inner, [line.number] if doubt else [])
            self.path.pop()

    def _goto(self, line: Line, doubt: bool, match: Products, frame: _Frame, depth: int) -> None:
        inner = self._entered(line, doubt, match, frame, depth)
        if not inner:
            return
        self.path.append(line)
        if not doubt:
            self.walk(self._called(line), inner)
            for level in frame.guards:
                frame.guards[level] = _without(frame.guards[level], match)
        else:
            # a frame around the callee: what a resolution returns to (behind this chain) is not what the other goes on
            # with (the next line)
            around = _Frame(dict(inner), [line.number])
            self.frames.append(around)
            self.walk(self._called(line), dict(inner))
            self.frames.pop()
            frame.doubted.append(line.number)
            for level in list(frame.guards):
                if level and level[-1] == depth:
                    continue
                within = (*level, depth + 1)
                returned = _without(inner.get(within, []), around.lost.get(within, []))
                if returned:
                    frame.guards[level] = _without(frame.guards[level], returned)
                    _add(frame.guards, (*level, depth), returned)
        self.path.pop()
        frame.tidy()

    def _settle(self, frame: _Frame, depth: int) -> None:
        """Takes what has returned out of the guards, all of a run of RETURNs at once."""
        if not frame.returned:
            return
        perhaps = _joined([product for doubt, match in frame.returned if doubt for product in match])
        surely = _joined([product for doubt, match in frame.returned if not doubt for product in match])
        frame.returned = []
        for level in list(frame.guards) if perhaps else ():
            if level and level[-1] == depth:
                continue  # another resolution has left this chain already
            moved = _within(frame.guards[level], perhaps)
            if moved:
                frame.guards[level] = _without(frame.guards[level], perhaps)
                _add(frame.guards, (*level, depth), moved)
        if surely:
            for level in frame.guards:
                frame.guards[level] = _without(frame.guards[level], surely)
        frame.tidy()

    # Lines to look at

    def _matches_of(self, line: Line) -> list[tuple[bool, Products]]:
        """The line's match as this entry's packets see it, what is certain first: (in doubt, products)."""
        known = self._matches.get(line.number)
        if known is None:
            sides: tuple[Products, Products] = ([], [])
            for part in line.parts:
                sides[bool(part.doubts)].extend(p for p in map(self._settled, part.products) if p is not None)
            known = self._matches[line.number] = [(bool(n), side) for n, side in enumerate(sides) if side]
        return known

    def _settled(self, product: Sets) -> Sets | None:
        """A product without conditions on fields that packets here do not have: they hold for all of them or for none."""
        for field in self.absent:
            if product[field] is not FULL[field] and product[field] != FULL[field]:
                if 0 not in product[field]:
                    return None
                product = (*product[:field], FULL[field], *product[field + 1 :])
        return product

    def _meeting(self, chain: Chain, guards: dict[Level, Products]) -> Sequence[Line]:
        """The lines whose match meets the guard at all: a call of a long chain costs what it yields."""
        few = sum(map(len, guards.values())) <= _FEW_PRODUCTS
        if len(chain.lines) < _FEW_LINES or not few or any(p is FULL for guard in guards.values() for p in guard):
            return chain.lines
        index = self._indices.get(chain.name)
        if index is None:
            index = self._indices[chain.name] = _Index(
                [[p for _, m in self._matches_of(x) for p in m] for x in chain.lines]
            )
        return [chain.lines[at] for at in index.meeting(p for guard in guards.values() for p in guard)]

    def _calls(self, lines: Sequence[Line]) -> Iterator[tuple[Line, list[tuple[bool, Products]]]]:
        """Lines and their matches; neighbouring certain jumps to one chain are one call, under the union of their matches.

        Exact: a second pass through a chain decides nothing that the first left open, nor does it add an outcome.
        """
        at = 0
        while at < len(lines):
            line = lines[at]
            matches = self._matches_of(line)
            at += 1
            if line.kind is Kind.JUMP and not self.meet_all and not any(doubt for doubt, _ in matches):
                together = [product for _, match in matches for product in match]
                end = at
                while end < len(lines):
                    other = lines[end]
                    if other.kind is not Kind.PASS and not (other.kind is Kind.JUMP and other.target == line.target):
                        break
                    if other.kind is Kind.JUMP:
                        more = self._matches_of(other)
                        if any(doubt for doubt, _ in more):
                            break
                        together += [product for _, match in more for product in match]
                        at = end + 1
                    end += 1
                matches = [(False, _joined(together))] if together else []
            yield line, matches


_FEW_LINES = 24  # of a chain: all are looked at
_FEW_PRODUCTS = 64  # of a guard: more are not looked up


class _Index:
    """Which lines of a chain may meet a product."""

    def __init__(self, matches: Sequence[Products]) -> None:
        self.line = [at for at, match in enumerate(matches) for _ in match]
        self.overlaps = Overlaps([product for match in matches for product in match])

    def meeting(self, products: Iterable[Sets]) -> list[int]:
        vector = 0
        for product in products:
            vector |= self.overlaps.overlapping(product, self.overlaps.all)
        return sorted({self.line[e] for e in bits(vector)})


def doubts_of(line: Line) -> list[Doubt]:
    """What a line leaves in doubt: each reason once."""
    reasons = dict.fromkeys(reason for part in line.parts for reason in part.doubts)
    if line.kind is Kind.EITHER and not reasons:
        reasons["a program outside decides"] = None
    return [Doubt(line.span, reason) for reason in reasons]


# Products of packets


def _meet(a: Sets, b: Sets) -> Sets | None:
    out = []
    for mine, other in zip(a, b, strict=True):
        if mine is other:
            out.append(mine)
            continue
        shared = mine & other
        if not shared.ranges:
            return None
        out.append(shared)
    return tuple(out)


def _within(guard: Iterable[Sets], match: Sequence[Sets]) -> Products:
    """The nonempty intersections."""
    return [shared for product in guard for other in match if (shared := _meet(product, other)) is not None]


def _without(guard: Products, match: Iterable[Sets]) -> Products:
    """The guard less the match, as disjoint products."""
    for other in match:
        left: Products = []
        for product in guard:
            if _meet(product, other) is None:
                left.append(product)
                continue
            rest = product
            for field in range(FIELDS):
                if rest[field] is other[field]:
                    continue
                outside = rest[field] - other[field]
                if outside.ranges:
                    left.append((*rest[:field], outside, *rest[field + 1 :]))
                    rest = (*rest[:field], rest[field] & other[field], *rest[field + 1 :])
        guard = left
    return guard


def _add(guards: dict[Level, Products], level: Level, products: Products) -> None:
    """More packets at a level, products kept disjoint."""
    there = guards.setdefault(level, [])
    for product in products:
        there += _without([product], list(there)) if there else [product]
    guards[level] = _joined(there)


def _joined(products: Products) -> Products:
    """The same packets in fewer products, where two differ in one field only."""
    return products if len(products) < 2 else [box.sets for box in merge([Box(p) for p in products])]
