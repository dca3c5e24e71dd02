"""Records of what policies hold: their rules, regions and packets."""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, Mapping

from ..language.meaning.region import readable, show_box
from ..model import address
from ..model.box import Box
from ..model.fields import FULL, TABLE, interface_name
from ..model.interval import IntervalSet
from ..model.packet import Packet
from ..model.rules import DEPENDS, Rule
from ..model.scattered import ScatteredSet
from ..policy import Policy
from .packets import packet_text
from .record import Doubt, FieldSet, Place, RegionRecord, RuleRecord, Witness, act
from .verdicts import doubts_text, show_value

MOST_INTERFACES = 1_000
MOST_MASKS = 1_000
NAMED = 16  # values of a field that are given by name
_MOST_KNOWN = 1 << 14
_KNOWN: dict[tuple[int, object], FieldSet] = {}
_WORDS = frozenset({"protocol", "word", "flags"})  # kinds whose values have names


def rule_at(policy: Policy, index: int) -> RuleRecord:
    """A rule by its index; the number of rules stands for the default."""
    action = act(policy.action(index))
    if index < len(policy.rules):
        return rule_of(policy.rules[index])
    return RuleRecord(policy.label(index), action, None)


def rule_of(rule: Rule) -> RuleRecord:
    label = doubts_text(rule) if rule.action is DEPENDS else rule.label
    via = tuple(map(Place.of, rule.origin.path)) if rule.origin is not None else ()
    doubts = rule.origin.doubts if rule.origin is not None and rule.action is DEPENDS else ()
    told = tuple([Doubt(Place.of(doubt.span), doubt.reason) for doubt in doubts])
    return RuleRecord(label, act(rule.action), Place.of(rule.span), via, told)


def witness_of(policy: Policy, packet: Packet, index: int, kept: Collection[int] = ()) -> Witness:
    """A packet that a rule decides; `kept` as in `packet_text`."""
    return Witness(packet_text(packet, policy, kept=kept), act(policy.action(index)), rule_at(policy, index))


def region_text(box: Box) -> str:
    """The region in the language; where it takes several, they are joined by ` or `."""
    return " or ".join(show_box(part) for part in readable([box]))


def region_of(box: Box, text: str | None = None, flows: int | None = None) -> RegionRecord:
    """The packets of a box; `text` is how it reads in a policy's own words, if it is to."""
    words = region_text(box) if text is None else text
    return RegionRecord(words, Chosen(box), box.flows if flows is None else flows)


class Chosen(Mapping[str, FieldSet]):
    """The values that a box leaves to each field which may not have any: made when first asked for, since a text needs none."""

    __slots__ = ("_box", "_made")

    def __init__(self, box: Box) -> None:
        self._box = box
        self._made: dict[str, FieldSet] | None = None

    @property
    def _sets(self) -> dict[str, FieldSet]:
        if self._made is None:
            self._made = {
                TABLE[f].word: field_set(f, sets)
                for f, sets in enumerate(self._box.sets)
                if sets is not FULL[f] and sets.ranges != FULL[f].ranges
            }
        return self._made

    def __getitem__(self, word: str) -> FieldSet:
        return self._sets[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sets)

    def __len__(self) -> int:
        return len(self._sets)

    def __repr__(self) -> str:
        return repr(self._sets)

    def items(self) -> ItemsView[str, FieldSet]:
        return self._sets.items()


def field_set(field: int, chosen: IntervalSet) -> FieldSet:
    """A set of values of a field, absence told apart; of equal sets it is the same record, while that is remembered."""
    key = field, chosen.ranges if type(chosen) is IntervalSet else chosen  # ranges have the quicker hash
    found = _KNOWN.get(key)
    if found is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        found = _KNOWN[key] = _field_set(field, chosen)
    return found


def _field_set(field: int, chosen: IntervalSet) -> FieldSet:
    spec = TABLE[field]
    absent = spec.absent is not None and spec.absent in chosen
    there = chosen & spec.values
    if spec.kind == "interface":
        left = spec.values - there
        inverted = left.size < there.size
        listed = left if inverted else there
        names = _names(listed)
        return FieldSet(() if names is not None else tuple(listed), names or (), inverted, absent)
    if isinstance(there, ScatteredSet) and (masks := there.cubes(MOST_MASKS)) is not None:
        shown = [(v, address.to_point(address.family_of(v), mask)) for v, mask in masks]
        return FieldSet((), absent=absent, masks=tuple((address.show(v), address.show(mask)) for v, mask in shown))
    if spec.kind == "address":
        parts = [part for family in (address.V4, address.V6) for part in there & family]
        return FieldSet(tuple((address.show(lo), address.show(hi)) for lo, hi in parts), absent=absent)
    named = (spec.kind in _WORDS) and there.size <= NAMED
    names = tuple(show_value(field, value) for value in _each(there)) if named else ()
    return FieldSet(tuple(there), names, absent=absent)


def _names(listed: IntervalSet) -> tuple[str, ...] | None:
    """Interfaces by name; None for a set that no text gives, only boxes made by hand."""
    try:
        return tuple(map(interface_name, _each(listed))) if listed.size <= MOST_INTERFACES else None
    except UnicodeDecodeError:
        return None


def _each(chosen: IntervalSet) -> list[int]:
    return [value for lo, hi in chosen for value in range(lo, hi + 1)]
