"""Hypothesis strategies: packets, also of a policy's corners, and the texts of regions, rules and policies.

    from fwengine import strategies as fst

    @given(fst.packets_matching(edge, action="allow"))
    def test_only_known_services(packet): ...

Every draw is as promised by construction: nothing is drawn and thrown away. Examples shrink to what a person would
write: tcp from 10.0.0.1, a usual port, syn, whole, new. What is drawn prints as the text that gives it back.
How packets are drawn is the affair of `drawing`; texts of rules come from `rule_texts`.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from .model import address
from .model.address import Family
from .model.box import Box
from .model.fields import (
    DETAILS,
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
    Point,
    interface_number,
)
from .model.interval import IntervalSet
from .model.packet import Packet, write
from .model.rules import Action, Rule
from .policy import Policy
from .registry import names
from .testing.draw import Corners, Draw, Fates, points, region
from .testing.texts import policy_texts, region_texts, rule_texts

__all__ = ["boundary_packets", "box", "boxes", "packets", "packets_matching", "policies", "regions", "rule", "rules"]

Region = str | Box | Iterable[Box]


def packets(
    *,
    family: Family | None = None,
    protocol: int | str | Collection[int | str] | None = None,
    fragment: str | Collection[str] | None = None,
    state: str | Collection[str] | None = None,
    interfaces: Collection[str] | None = None,
    details: bool = True,
) -> st.SearchStrategy[Packet]:
    """Packets of every kind, with every field stated.

    Args:
        family: 4 or 6 only.
        protocol: only this one, or one of these; names as in the rule language, or numbers.
        fragment: "whole", "first", "later", or several of them.
        state: one of the states, or several.
        interfaces: `in` and `out` are one of these names; the empty one stands for "not recorded". Any if not given.
        details: False leaves dscp, ttl and length open, for policies that do not ask for them.

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
    asked = DETAILS if details else ()
    return _shown(region([Box.of(sets)], asked), asked)


def packets_matching(
    where: Policy | Region,
    action: Action | str | None = None,
    by: str | Rule | None = None,
    *,
    within: Region | None = None,
) -> st.SearchStrategy[Packet]:
    """Packets of a region; or packets that a policy treats in a certain way, each of its rules as likely as any other.

    Those of a region state every field, those of a policy leave dscp, ttl and length open unless a rule asks for them.

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
        return _shown(region(_boxes(None, where), DETAILS), DETAILS)
    wanted = None if action is None else Action(action)
    if wanted is Action.DEPENDS:
        raise ValueError("a packet is allowed or denied: `depends` is an answer about open packets")
    only = None if by is None else _index(where, by)
    return _shown(Fates(where, wanted, only, None if within is None else _boxes(where, within)).draw, where.fields)


def boundary_packets(policy: Policy) -> st.SearchStrategy[Packet]:
    """Packets on the edges of a policy's rules, and one beside: in every field where the rule has a condition, both ends
    of every interval; now and then the ends of a field's whole domain.

    Such a packet lies in a rule's box, save for the one field that may be one off.
    """
    return _shown(Corners(policy).on, policy.fields)


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
    from .policy import loads

    texts = policy_texts(min_rules, max_rules, full, as_of)
    return st.builds(loads, texts) if as_of is None else st.builds(loads, texts, as_of=st.just(as_of))


def rule(text: str) -> Rule:
    """The rule that a line of the language says: `rules()` prints its examples so."""
    from .policy import loads

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
    def of(cls, point: Point, asked: Collection[int]) -> _Text:
        packet = Packet.from_point(point, asked)
        text = cls(write(packet, (IN, OUT)))
        text.packet = packet
        return text


class _Parse:
    """`Packet.parse`, in the eyes of Hypothesis' printer."""

    def __call__(self, text: _Text) -> Packet:
        return text.packet

    def __repr__(self) -> str:
        return "Packet.parse"


def _shown(make: Callable[[Draw], Sequence[int]], asked: Collection[int]) -> st.SearchStrategy[Packet]:
    """Packets made from choices; of dscp, ttl and length they state what is asked for."""
    return points(make).map(lambda point: _Text.of(point, asked)).map(_Parse())


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
        from .policy import region as read

        return read(policy, given)
    return (given,) if isinstance(given, Box) else tuple(given)


def _index(policy: Policy, by: str | Rule) -> int:
    """The index of a rule; the number of rules for the default."""
    if isinstance(by, Rule):
        found = [i for i, r in enumerate(policy.rules) if r is by] or [i for i, r in enumerate(policy.rules) if r == by]
    else:
        found = [i for i in range(len(policy.rules) + 1) if policy.label(i) == by]
    if not found:
        label = by.label if isinstance(by, Rule) else by
        meant = names.near(label, (rule.label for rule in policy.rules))
        raise ValueError(f"the policy has no rule `{label}`" + (f": did you mean `{meant[0]}`?" if meant else ""))
    return found[0]
