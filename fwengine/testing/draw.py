"""How packets are drawn: from products of interval sets, near the edges of a policy, and by their fate under a policy.

The machinery under `strategies`: choices come from Hypothesis, the first being the plainest everywhere. Every draw ends with
a packet as wanted; none is thrown away. Knows nothing of texts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st

from ..errors import LimitError
from ..model.box import SHAPES, Box, Sets
from ..model.fields import DETAILS, FIELDS, FULL, INTERFACES, TABLE, Point, interface_number
from ..model.interval import IntervalSet
from ..model.rules import Action
from ..model.ruleset import RuleSet
from ..model.scattered import ScatteredSet
from .boundary import NAMES, Decided, Edge, edges, hints, interface_names, likely, nameable, ordered, with_value

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]

_NAME = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8).map(interface_number)
_EVERYTHING = Box(FULL)
_NO_CHOICE = st.integers(0, 0)
# the fields in which tcp packets may differ whoever asks
_CHOICES = sum(chosen.size > 1 for f, chosen in enumerate(SHAPES[0]) if f not in DETAILS)


@st.composite
def points(draw: Draw, make: Callable[[Draw], Sequence[int]]) -> Point:
    """The points that a function of `draw` makes."""
    return tuple(make(draw))


def region(boxes: Iterable[Box], asked: Iterable[int] = ()) -> Callable[[Draw], Sequence[int]]:
    """Draws from a union of boxes; dscp, ttl and length are usual ones unless the boxes ask for them, or `asked` says so.

    Raises:
        ValueError: if it is empty.
    """
    products = [_Product(sets, dict.fromkeys(asked, ())) for sets in _pieces(boxes)]
    if not products:
        raise ValueError("there is no packet in this region")
    return lambda draw: _pick(draw, products).draw(draw)


class _Axis(NamedTuple):
    """A field with several values to draw from: the likely ones, and all of them by number."""

    field: int
    likely: tuple[int, ...]
    chosen: IntervalSet
    ends: tuple[int, ...]  # running sums of the intervals' sizes; empty where names or elements are drawn
    choice: st.SearchStrategy[int]
    any: st.SearchStrategy[int] | None


class _Product:
    """A nonempty product of nothing but packets, made ready for drawing."""

    def __init__(self, sets: Sets, known: dict[int, tuple[int, ...]], names: tuple[int, ...] = NAMES) -> None:
        self.sets = sets
        self.names = names
        self.plain = [s.ranges[0][0] for s in sets]
        self.axes: list[_Axis] = []
        self.choices = _CHOICES + sum(f in known for f in DETAILS)
        for f, chosen in enumerate(sets):
            if f in DETAILS and f not in known and chosen == FULL[f]:  # no one asks for it
                self.plain[f] = TABLE[f].usual[0]
            elif self.plain[f] != chosen.ranges[-1][1]:
                self._add(f, chosen, known.get(f, ()))

    def _add(self, f: int, chosen: IntervalSet, known: tuple[int, ...]) -> None:
        values = likely(self.sets, f, known, self.names)
        self.plain[f] = values[0]
        ends: tuple[int, ...] = ()
        anything: st.SearchStrategy[int] | None = None
        if f in INTERFACES:
            anything = _NAME if self.names is NAMES else st.sampled_from(self.names)
        elif len(values) < chosen.size:
            if not isinstance(chosen, ScatteredSet):
                ends = tuple(accumulate(hi - lo + 1 for lo, hi in chosen))
            anything = st.integers(0, chosen.size - 1)
        choices = len(values) + (2 if anything is not None else 0)
        if choices > 1:
            self.axes.append(_Axis(f, values, chosen, ends, st.integers(0, choices - 1), anything))

    def draw(self, draw: Draw) -> list[int]:
        out = self.plain.copy()
        # fewer choices are simpler to Hypothesis, which would take a later fragment, having no ports, for the plainest
        for _ in range(self.choices - len(self.axes)):
            draw(_NO_CHOICE)
        for f, values, chosen, ends, choice, anything in self.axes:
            at = draw(choice)
            if at < len(values):
                out[f] = values[at]
            else:
                assert anything is not None
                value = draw(anything)
                if isinstance(chosen, ScatteredSet):
                    out[f] = chosen.element(value)
                elif ends:
                    n = bisect_right(ends, value)
                    out[f] = chosen.ranges[n][1] - (ends[n] - 1 - value)
                elif value in chosen:
                    out[f] = value
        return out

    def settle(self, point: Sequence[int]) -> Point:
        """The member that has as many of a point's values as it can."""
        return tuple([v if v in s else plain for v, s, plain in zip(point, self.sets, self.plain, strict=True)])


def _pieces(boxes: Iterable[Box]) -> list[Sets]:
    """The boxes' pieces, the plainest first; without those whose interfaces have no names."""
    return [
        sets for sets in ordered(piece.sets for given in boxes for piece in Box(given.sets).pieces) if nameable(sets)
    ]


def _pick(draw: Draw, options: Sequence[T]) -> T:
    return options[draw(st.integers(0, len(options) - 1))]


class _Corner(NamedTuple):
    """A product, and its edges: a list a field, the fields with a condition first and more often.

    `open` are those of the edges that have something beside them.
    """

    product: _Product
    edges: tuple[tuple[Edge, ...], ...]
    open: tuple[tuple[Edge, ...], ...]


class Corners:
    """The corners of a policy's active rules, and of everything; those of a rule are found when it is first drawn.

    Given a region, only what lies in it, with only those edges that have both sides in it.
    """

    def __init__(self, policy: RuleSet, within: Sequence[Box] = (_EVERYTHING,)) -> None:
        self.boxes = [given for rule in policy.rules if policy.active(rule) for given in rule.boxes]
        self.boxes.append(_EVERYTHING)
        self.within = within
        self.known, self.names = hints(policy), interface_names(policy)
        self.found: dict[int, list[_Corner]] = {}

    def on(self, draw: Draw) -> Point:
        """A packet on an edge or one beside it, as drawn."""
        corner = self.corner(draw)
        point = tuple(corner.product.draw(draw))
        if not corner.edges:
            return point
        field, on, off = _pick(draw, _pick(draw, corner.edges))
        return with_value(point, field, off if draw(st.booleans()) and off is not None else on)

    def beside(self, draw: Draw) -> Point:
        """A packet beside an edge, if there are any edges."""
        corner = self.corner(draw)
        point = tuple(corner.product.draw(draw))
        if not corner.open:
            return point
        field, on, off = _pick(draw, _pick(draw, corner.open))
        return with_value(point, field, on if off is None else off)

    def corner(self, draw: Draw) -> _Corner:
        at = draw(st.integers(0, len(self.boxes) - 1))
        while not self.corners(at):  # the last box holds everything, so this ends
            at += 1
        return _pick(draw, self.corners(at))

    def corners(self, at: int) -> list[_Corner]:
        if at not in self.found:
            given = self.boxes[at]
            self.found[at] = [
                _corner(_Product(sets, self.known, self.names), given, outer)
                for outer in self.within
                for sets in _pieces([given & outer])
            ]
        return self.found[at]


def _corner(product: _Product, given: Box, outer: Box) -> _Corner:
    ends = [
        tuple(edge for edge in edges(f, chosen, product.names) if edge.off is None or edge.off in outer.sets[f])
        for f, chosen in enumerate(product.sets)
    ]
    weighed = [ends[f] for f in range(FIELDS) if given.sets[f] != FULL[f]] * 3
    weighed += [ends[f] for f in range(FIELDS) if given.sets[f] == FULL[f]]
    opened = [tuple(edge for edge in some if edge.off is not None) for some in weighed]
    return _Corner(product, tuple(filter(None, weighed)), tuple(filter(None, opened)))


class _Option(NamedTuple):
    """A piece of a rule to draw from freely, and a part of it that is sure to fare as wanted."""

    free: _Product
    safe: _Product


class Fates:
    """The packets that a policy treats as wanted, rule by rule.

    A packet is drawn from all that a rule matches. If it turns out that another rule decides it the wrong way, as many
    of its values as possible are carried over into a part of the rule that nothing else takes.

    Args:
        action, only, within: the verdict, the index of the deciding rule, and the region wanted; None for any.

    Raises:
        ValueError: if there is no such packet.
        LimitError: if none was found and not all could be searched.
    """

    def __init__(self, policy: RuleSet, action: Action | None, only: int | None, within: Sequence[Box] | None) -> None:
        self.policy, self.action, self.only, self.within = policy, action, only, within
        self.decided = Decided(policy)
        self.known, self.names = hints(policy), interface_names(policy)
        self.corners = Corners(policy, self.within or (_EVERYTHING,))
        self.pieces: dict[int, list[Sets]] = {}
        self.options: dict[tuple[int, int], _Option | None] = {}
        self.limit: LimitError | None = None
        default = len(policy.rules)
        rules = range(default + 1) if self.only is None else (self.only,)
        self.targets = [i for i in rules if i in self.decided.named and action in (None, policy.action(i))]
        if len(self.targets) > 4 and self.targets[-1] == default:  # it lies around all the others
            self.targets += [default] * (len(self.targets) // 4)
        if self.option(0, 0) is None:
            if self.limit is not None:
                raise self.limit
            raise ValueError(f"there is no packet that {self.describe()}")

    def describe(self) -> str:
        words = [] if self.action is None else ["is allowed" if self.action is Action.ALLOW else "is denied"]
        if self.only is not None:
            words.append(f"is decided by `{self.policy.label(self.only)}`")
        if self.within is not None:
            words.append("lies in the region")
        return " and ".join(words) or "has an interface with a name"

    def draw(self, draw: Draw) -> Point:
        at = draw(st.integers(0, len(self.targets) - 1))
        pieces = self.pieces_of(self.targets[at])
        piece = draw(st.integers(0, max(0, len(pieces) - 1)))
        option = self.option(at, piece)
        assert option is not None
        if self.targets[at] == len(self.policy.rules) and draw(st.integers(0, 2)):
            point = self.corners.beside(draw)
        else:
            point = tuple(option.free.draw(draw))
        return point if self.wanted(point) else option.safe.settle(point)

    def wanted(self, point: Point) -> bool:
        if self.within is not None and not any(point in given for given in self.within):
            return False
        if self.action is None and self.only is None:
            return True
        index = self.policy.tree.index(point)
        return self.only in (None, index) and self.action in (None, self.policy.action(index))

    def option(self, at: int, piece: int) -> _Option | None:
        """This piece of this target or, if nothing in it fares as wanted, the next one in a circle; None if there is none."""
        for step in range(len(self.targets)):
            index = self.targets[(at + step) % len(self.targets)]
            count = len(self.pieces_of(index))
            for turn in range(count):
                found = self.option_of(index, (piece + turn) % count)
                if found is not None:
                    return found
            piece = 0
        return None

    def pieces_of(self, index: int) -> list[Sets]:
        if index not in self.pieces:
            boxes: Sequence[Box] = (_EVERYTHING,)
            if index < len(self.policy.rules):
                boxes = self.policy.rules[index].boxes
            if self.within is not None:
                boxes = [given & other for given in boxes for other in self.within]
            self.pieces[index] = _pieces(boxes)
        return self.pieces[index]

    def option_of(self, index: int, piece: int) -> _Option | None:
        key = index, piece
        if key not in self.options:
            sets = self.pieces[index][piece]
            part: Sets | None = sets
            if self.action is not None or self.only is not None:
                try:
                    part = self.decided.part(index, sets)
                except LimitError as error:  # unknown: other pieces will do, unless there are none
                    self.limit, part = error, None
            found = (
                None
                if part is None
                else _Option(_Product(sets, self.known, self.names), _Product(part, {}, self.names))
            )
            self.options[key] = found
        return self.options[key]
