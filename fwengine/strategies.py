"""Hypothesis strategies: packets, also of a policy's corners, and the texts of regions, rules and policies.

    from fwengine import strategies as fst

    @given(fst.packets_matching(edge, action="allow"))
    def test_only_known_services(packet): ...

Every draw is as promised by construction: nothing is drawn and thrown away. Examples shrink to what a person would
write: tcp from 10.0.0.1, a usual port, syn, whole, new. What is drawn prints as the text that gives it back.
Texts of rules come from `rule_texts`, the corners of a policy from `corners`.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st

from . import address
from .address import Family
from .box import Box, Sets
from .corners import Decided, Edge, edges, hints, likely, nameable, ordered, with_value
from .errors import LimitError
from .header import (
    DST,
    FIELDS,
    FRAGMENT,
    FRAGMENTS,
    FULL,
    IN,
    OUT,
    PROTOCOL,
    SRC,
    STATE,
    STATES,
    Packet,
    Point,
    interface_number,
    write,
)
from .interval import IntervalSet
from .language import names
from .policy import Action, Policy, Rule
from .rule_texts import policy_texts, region_texts, rule_texts

__all__ = ["boundary_packets", "box", "boxes", "packets", "packets_matching", "policies", "regions", "rule", "rules"]

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]
Region = str | Box | Iterable[Box]

_NAME = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8).map(interface_number)
_EVERYTHING = Box(FULL)
_NO_CHOICE = st.integers(0, 0)
_CHOICES = 9  # fields in which tcp packets may differ, the protocol aside


def packets(
    *,
    family: Family | None = None,
    protocol: int | str | Collection[int | str] | None = None,
    fragment: str | Collection[str] | None = None,
    state: str | Collection[str] | None = None,
    interfaces: Collection[str] | None = None,
) -> st.SearchStrategy[Packet]:
    """Packets of every kind, with every field stated.

    Args:
        family: 4 or 6 only.
        protocol: only this one, or one of these; names as in the rule language, or numbers.
        fragment: "whole", "first", "later", or several of them.
        state: one of the states, or several.
        interfaces: `in` and `out` are one of these names; the empty one stands for "not recorded". Any if not given.

    Raises:
        ValueError: for a value that does not exist, and if no packet is left.
    """
    sets = {f: FULL[f] for f in range(FIELDS)}
    if family is not None:
        if family not in (4, 6):
            raise ValueError(f"family is 4 or 6, not {family!r}")
        sets[SRC] = sets[DST] = address.V4 if family == 4 else address.V6
    if protocol is not None:
        sets[PROTOCOL] = _union(_protocol(p) for p in _several(protocol))
    if fragment is not None:
        sets[FRAGMENT] = _union(_place("fragment", f, FRAGMENTS) for f in _several(fragment))
    if state is not None:
        sets[STATE] = _union(_place("state", s, STATES) for s in _several(state))
    if interfaces is not None:
        sets[IN] = sets[OUT] = _union(interface_number(name) for name in _several(interfaces))
    return _shown(_in_region([Box.of(sets)]))


def packets_matching(
    where: Policy | Region,
    action: Action | str | None = None,
    by: str | Rule | None = None,
    *,
    within: Region | None = None,
) -> st.SearchStrategy[Packet]:
    """Packets of a region; or packets that a policy treats in a certain way, each of its rules as likely as any other.

    Args:
        where: a policy, or a region: a text of the language, a box, or several.
        action: of a policy, only packets with this verdict.
        by: of a policy, only packets decided by this rule: its label, `default`, or the rule itself.
        within: of a policy, only packets of this region; a text may use the names that the policy defines.

    Raises:
        ValueError: if there is no such packet, no such rule, or if `action` or `by` comes without a policy.
        PolicyError: pointing into a region's text.
        LimitError: if finding a first packet takes too long.

    Complexity: the policy is compiled at the call; what a rule decides is found when the rule is first drawn.
    """
    if not isinstance(where, Policy):
        if action is not None or by is not None or within is not None:
            raise ValueError("`action`, `by` and `within` are asked of a policy: a region has no verdicts")
        return _shown(_in_region(_boxes(None, where)))
    wanted = None if action is None else Action(action)
    if wanted is Action.DEPENDS:
        raise ValueError("a packet is allowed or denied: `depends` is an answer about open packets")
    return _shown(_points(_Fates(where, wanted, by, within).draw))


def boundary_packets(policy: Policy) -> st.SearchStrategy[Packet]:
    """Packets on the edges of a policy's rules, and one beside: in every field where the rule has a condition, both ends
    of every interval; now and then the ends of a field's whole domain.

    Such a packet lies in a rule's box, save for the one field that may be one off.
    """
    return _shown(_points(_Corners(policy).draw))


def regions(*, full: bool = False) -> st.SearchStrategy[str]:
    """Texts of regions, as `query`, `prove` and `packets_matching` take them.

    Args:
        full: any addresses, ports and protocols, rather than a few that keep colliding.
    """
    return region_texts(full)


def boxes(*, full: bool = False) -> st.SearchStrategy[Box]:
    """Nonempty boxes that the language can say; `full` as for `regions`."""
    return region_texts(full, unions=False).map(box)


def rules(*, full: bool = False) -> st.SearchStrategy[Rule]:
    """Rules, each of which matches some packet; `full` as for `regions`."""
    return rule_texts(full).map(rule)


def policies(
    *, min_rules: int = 0, max_rules: int = 8, full: bool = False, as_of: datetime.date | None = None
) -> st.SearchStrategy[Policy]:
    """Policies whose rules overlap, shadow and contradict each other.

    Args:
        full: any addresses, ports and protocols, rather than a few that keep colliding.
        as_of: the day on which the policies are asked; given one, some rules expire about that day.
    """
    from .loading import loads

    texts = policy_texts(min_rules, max_rules, full, as_of)
    return st.builds(loads, texts) if as_of is None else st.builds(loads, texts, as_of=st.just(as_of))


def rule(text: str) -> Rule:
    """The rule that a line of the language says: `rules()` prints its examples so."""
    from .loading import loads

    return loads(text).rules[0]


def box(text: str) -> Box:
    """The box that a region's text says: `boxes()` prints its examples so.

    Raises:
        ValueError: if the region takes several boxes.
    """
    found = _boxes(None, text)
    if len(found) != 1:
        raise ValueError(f"`{text}` is a union of {len(found)} boxes")
    return found[0]


class _Text(str):
    """A packet's text, with the packet: the packet is what is drawn, the text is what is printed."""

    __slots__ = ("packet",)
    packet: Packet

    @classmethod
    def of(cls, point: Point) -> _Text:
        packet = Packet.from_point(point)
        text = cls(write(packet, (IN, OUT)))
        text.packet = packet
        return text


class _Parse:
    """`Packet.parse`, in the eyes of Hypothesis' printer."""

    def __call__(self, text: _Text) -> Packet:
        return text.packet

    def __repr__(self) -> str:
        return "Packet.parse"


def _shown(points: st.SearchStrategy[Point]) -> st.SearchStrategy[Packet]:
    return points.map(_Text.of).map(_Parse())


# What the arguments mean.


def _several(given: Any) -> list[Any]:
    return [given] if isinstance(given, str | int) else list(given)


def _union(values: Iterable[int]) -> IntervalSet:
    return IntervalSet.union((v, v) for v in values)


def _protocol(given: int | str) -> int:
    number = names.protocol(given) if isinstance(given, str) else given
    if number is None or not 0 <= number <= 255:
        raise ValueError(f"unknown protocol {given!r}")
    return number


def _place(what: str, given: str, words: Sequence[str]) -> int:
    if given not in words:
        raise ValueError(f"{what} is one of {', '.join(words)}, not {given!r}")
    return words.index(given)


def _boxes(policy: Policy | None, given: Region) -> tuple[Box, ...]:
    if isinstance(given, str):
        from .loading import region

        return region(policy, given)
    return (given,) if isinstance(given, Box) else tuple(given)


def _index(policy: Policy, by: str | Rule) -> int:
    """The index of a rule; the number of rules for the default."""
    if isinstance(by, Rule):
        found = [i for i, r in enumerate(policy.rules) if r is by] or [i for i, r in enumerate(policy.rules) if r == by]
    else:
        found = [i for i in range(len(policy.rules) + 1) if policy.label(i) == by]
    if not found:
        raise ValueError(f"the policy has no rule `{by.label if isinstance(by, Rule) else by}`")
    return found[0]


# Drawing from products of interval sets.


class _Axis(NamedTuple):
    """A field with several values to draw from: the likely ones, and all of them by number."""

    field: int
    likely: tuple[int, ...]
    chosen: IntervalSet
    ends: tuple[int, ...]  # running sums of the intervals' sizes; empty where names are drawn
    choice: st.SearchStrategy[int]
    any: st.SearchStrategy[int] | None


class _Product:
    """A nonempty product of nothing but packets, made ready for drawing."""

    def __init__(self, sets: Sets, known: dict[int, tuple[int, ...]]) -> None:
        self.sets = sets
        self.plain = [s.ranges[0][0] for s in sets]
        self.axes: list[_Axis] = []
        for f, chosen in enumerate(sets):
            if self.plain[f] != chosen.ranges[-1][1]:
                self._add(f, chosen, known.get(f, ()))

    def _add(self, f: int, chosen: IntervalSet, known: tuple[int, ...]) -> None:
        values = likely(self.sets, f, known)
        self.plain[f] = values[0]
        ends: tuple[int, ...] = ()
        anything: st.SearchStrategy[int] | None = None
        if f in (IN, OUT):
            anything = _NAME
        elif len(values) < chosen.size:
            ends = tuple(accumulate(hi - lo + 1 for lo, hi in chosen))
            anything = st.integers(0, ends[-1] - 1)
        choices = len(values) + (2 if anything is not None else 0)
        if choices > 1:
            self.axes.append(_Axis(f, values, chosen, ends, st.integers(0, choices - 1), anything))

    def draw(self, draw: Draw) -> list[int]:
        out = self.plain.copy()
        # fewer choices are simpler to Hypothesis, which would take a later fragment, having no ports, for the plainest
        for _ in range(_CHOICES - len(self.axes)):
            draw(_NO_CHOICE)
        for f, values, chosen, ends, choice, anything in self.axes:
            at = draw(choice)
            if at < len(values):
                out[f] = values[at]
            else:
                assert anything is not None
                value = draw(anything)
                if ends:
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


def _in_region(boxes: Iterable[Box]) -> st.SearchStrategy[Point]:
    products = [_Product(sets, {}) for sets in _pieces(boxes)]
    if not products:
        raise ValueError("there is no packet in this region")
    return _points(lambda draw: _pick(draw, products).draw(draw))


@st.composite
def _points(draw: Draw, make: Callable[[Draw], Sequence[int]]) -> Point:
    return tuple(make(draw))


# Drawing near the edges of a policy's boxes.


class _Corner(NamedTuple):
    """A product, and its edges: a list a field, the fields with a condition first and more often."""

    product: _Product
    edges: tuple[tuple[Edge, ...], ...]


class _Corners:
    """The corners of a policy's active rules, and of everything; those of a rule are found when it is first drawn."""

    def __init__(self, policy: Policy) -> None:
        rules = [rule.boxes for rule in policy.rules if policy.active(rule)]
        self.boxes = [*(given for boxes in rules for given in boxes), _EVERYTHING]
        self.known = hints(policy)
        self.found: dict[int, list[_Corner]] = {}

    def draw(self, draw: Draw, beside: bool | None = None) -> Point:
        """A packet on an edge or one beside it; as asked, or as drawn."""
        corner = _pick(draw, self.corners(draw(st.integers(0, len(self.boxes) - 1))))
        point = tuple(corner.product.draw(draw))
        if not corner.edges:
            return point
        field, on, off = _pick(draw, _pick(draw, corner.edges))
        if beside is None:
            beside = draw(st.booleans())
        return with_value(point, field, off if beside and off is not None else on)

    def corners(self, at: int) -> list[_Corner]:
        while True:  # the last box holds everything, so this ends
            if at not in self.found:
                self.found[at] = [
                    _corner(_Product(sets, self.known), self.boxes[at]) for sets in _pieces([self.boxes[at]])
                ]
            if self.found[at]:
                return self.found[at]
            at += 1


def _corner(product: _Product, given: Box) -> _Corner:
    ends = {f: tuple(edges(f, chosen)) for f, chosen in enumerate(product.sets)}
    conditions = [ends[f] for f in range(FIELDS) if ends[f] and given.sets[f] != FULL[f]]
    others = [ends[f] for f in range(FIELDS) if ends[f] and given.sets[f] == FULL[f]]
    return _Corner(product, (*conditions * 3, *others))


# Drawing what a policy treats in a certain way.


class _Option(NamedTuple):
    """A piece of a rule to draw from freely, and a part of it that is sure to fare as wanted."""

    free: _Product
    safe: _Product


class _Fates:
    """The packets that a policy treats as wanted, rule by rule.

    A packet is drawn from all that a rule matches. If it turns out that another rule decides it the wrong way, as many
    of its values as possible are carried over into a part of the rule that nothing else takes.
    """

    def __init__(self, policy: Policy, action: Action | None, by: str | Rule | None, within: Region | None) -> None:
        self.policy, self.action = policy, action
        self.only = None if by is None else _index(policy, by)
        self.within = None if within is None else _boxes(policy, within)
        self.decided = Decided(policy)
        self.known = hints(policy)
        self.corners = _Corners(policy)
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
        piece = draw(st.integers(0, len(pieces) - 1))
        option = self.option(at, piece)
        assert option is not None
        if self.targets[at] == len(self.policy.rules) and draw(st.integers(0, 2)):
            point = self.corners.draw(draw, beside=True)
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
            self.options[key] = part and _Option(_Product(sets, self.known), _Product(part, {}))
        return self.options[key]
