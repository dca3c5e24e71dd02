"""Boxes -> regions of the rule language: what the engine found, as text that it reads back.

Whatever `show_box` prints, `policy.region` reads as the same packets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import islice, zip_longest
from typing import Protocol

from ...errors import LimitError
from ...model import address
from ...model.box import Box, Sets, merge
from ...model.fields import (
    CODE,
    DPORT,
    DST,
    FULL,
    ICMP,
    ICMPV6,
    OPTIONAL,
    OPTIONS,
    PRESENT,
    PROTOCOL,
    SOME_INTERFACE,
    SPORT,
    SRC,
    TYPE,
    Spec,
    interface_name,
    owners,
)
from ...model.interval import IntervalSet
from ...model.packet import write_interface
from ...model.scattered import ScatteredSet
from ...registry import names, values
from .addresses import reads_inverted
from .around import around
from .flags import show_flag_tests
from .interfaces import NEARLY_NONE
from .literals import ESTABLISHED, protocol_text
from .scope import RESERVED
from .wildcards import wildcards

_OWNERS = tuple((f, owners(f), FULL[f]) for f in OPTIONAL)  # the protocols that have a field, and all of its values
_OPTIONS = tuple((spec, spec.field, FULL[spec.field]) for spec in OPTIONS)


def readable(boxes: Iterable[Box]) -> list[Box]:
    """The same packets as boxes that the language can say, joined where possible; disjoint if the given ones are."""
    out: list[Box] = []
    for box in merge(box.plain() for box in boxes if box):
        out += [box] if sayable(box) else [piece.plain() for piece in box.pieces]
    return [part for box in merge(out) for part in _of_one_type(box)]


def _of_one_type(box: Box) -> list[Box]:
    """A box, cut by protocol if it has types: a number is another type in icmp than in icmpv6."""
    if box.sets[TYPE] == FULL[TYPE] or box.sets[PROTOCOL].size == 1:
        return [box]
    return [box.replace(PROTOCOL, IntervalSet.single(p)) for p in _values(box.sets[PROTOCOL])]


def sayable(box: Box) -> bool:
    """Can `show_box` say this box?"""
    sets = box.sets
    if _asks(sets, TYPE) and sets[PROTOCOL].size > 1:
        return False
    for f, having, full in _OWNERS:
        chosen = sets[f]
        if chosen is full or chosen.ranges == full.ranges:
            continue
        if not (chosen.issubset(PRESENT[f]) and sets[PROTOCOL].issubset(having)):
            return False
    return True


def _asks(sets: Sets, f: int) -> bool:
    return sets[f] is not FULL[f] and sets[f].ranges != FULL[f].ranges


class Words(Protocol):
    """What calls sets by a policy's names: see `vocabulary.Vocabulary`. `said` are expressions found before."""

    said: dict[tuple[object, ...], str]
    halves: bool  # may a name of both families stand for the half of one?

    def addresses(self, chosen: IntervalSet, other: IntervalSet) -> str: ...

    def ports(self, chosen: IntervalSet, protocols: IntervalSet) -> str: ...

    def service(self, groups: Mapping[int, IntervalSet | None]) -> str: ...

    def interfaces(self, chosen: IntervalSet) -> list[str]: ...


class _Plain:
    """No names."""

    def __init__(self) -> None:
        self.said: dict[tuple[object, ...], str] = {}
        self.halves = False

    def addresses(self, chosen: IntervalSet, other: IntervalSet) -> str:
        return plain_addresses(chosen)

    def ports(self, chosen: IntervalSet, protocols: IntervalSet) -> str:
        return numbers(chosen)

    def service(self, groups: Mapping[int, IntervalSet | None]) -> str:
        return ""

    def interfaces(self, chosen: IntervalSet) -> list[str]:
        return listed_interfaces(chosen)


PLAIN: Words = _Plain()


def show_box(box: Box, names: Words = PLAIN) -> str:
    """A box as a region of the language, by a policy's names if they are given; it must be `sayable`.

    >>> show_box(Box.of({PROTOCOL: IntervalSet.single(6), DPORT: IntervalSet.of((22, 22), (8000, 8080))}))
    'tcp from any to any port { 22, 8000-8080 }'
    """
    assert sayable(box), "split the box by `readable` first"
    return show_sayable(box, names)


def show_sayable(box: Box, names: Words = PLAIN) -> str:
    """The same of a box that is known to be `sayable`."""
    key = "service", box.sets[PROTOCOL].ranges, box.sets[DPORT].ranges
    service = _once(names, key, lambda: names.service(_groups(box)))
    if service:  # the name says the destination ports, too
        return _phrase(service, box.replace(DPORT, FULL[DPORT]).sets, box.sets[PROTOCOL], names)
    return _phrase(_protocols(box.sets), box.sets, box.sets[PROTOCOL], names)


def show_boxes(boxes: Iterable[Box], names: Words = PLAIN) -> list[str]:
    """Regions that are together the same packets as some boxes; disjoint if those are. A service may say several of them.

    >>> show_boxes([Box.of({PROTOCOL: IntervalSet.single(p), DPORT: IntervalSet.single(53)}) for p in (6, 17)])
    ['{ tcp, udp } from any to any port 53']
    """
    alike: dict[object, list[Box]] = {}
    for box in readable(boxes):
        rest = [chosen.ranges for f, chosen in enumerate(box.sets) if f not in (PROTOCOL, DPORT)]
        alike.setdefault(tuple(rest), []).append(box)
    out = []
    for some in _families_joined(alike.values()):
        groups: dict[int, IntervalSet | None] = {}
        for box in some if len(some) > 1 else ():
            groups.update(_groups(box))
        typed = any(some[0].sets[f] != FULL[f] for f in (TYPE, CODE))  # a number is another type in icmp than in icmpv6
        several = not typed and sum(box.sets[PROTOCOL].size for box in some) == len(groups)
        service = names.service(groups) if several else ""
        if service:
            protocols = IntervalSet.union((p, p) for p in groups)
            out.append(_phrase(service, some[0].replace(DPORT, FULL[DPORT]).sets, protocols, names))
        else:
            out += [show_box(box, names) for box in some]
    return out


def _families_joined(alike: Iterable[list[Box]]) -> list[list[Box]]:
    """Boxes that differ in addresses alone, one over IPv4 and one over IPv6, as one: no packet is of both."""
    kinds: dict[object, list[list[Box]]] = {}
    for some in alike:
        rest = [chosen.ranges for f, chosen in enumerate(some[0].sets) if f not in (PROTOCOL, SRC, DST, DPORT)]
        kinds.setdefault((tuple(rest), tuple((b.sets[PROTOCOL], b.sets[DPORT]) for b in some)), []).append(some)
    out = []
    for lists in kinds.values():
        halves: list[list[list[Box]]] = [[], []]
        for some in lists:
            ends = some[0].sets[SRC], some[0].sets[DST]
            four = any(end.issubset(address.V4) for end in ends)
            six = any(end.issubset(address.V6) for end in ends)
            if four == six:
                out.append(some)
            else:
                halves[six].append(some)
        for four_list, six_list in zip_longest(*halves):
            if four_list is None or six_list is None:
                out.append(four_list or six_list)
                continue
            out.append([_both_families(a, b) for a, b in zip(four_list, six_list, strict=True)])
    return out


def _both_families(four: Box, six: Box) -> Box:
    out = four
    for f in (SRC, DST):
        out = out.replace(f, (four.sets[f] & address.V4) | (six.sets[f] & address.V6))
    return out


def _groups(box: Box) -> dict[int, IntervalSet | None]:
    """A box's destination ports by its protocols, as services have them."""
    ports = box.sets[DPORT] if box.sets[DPORT] != FULL[DPORT] else None
    return dict.fromkeys(_values(box.sets[PROTOCOL]), ports)


def _protocols(sets: Sets) -> str:
    if sets[TYPE] != FULL[TYPE] or sets[CODE] != FULL[CODE]:
        return _choose(sets[PROTOCOL], FULL[PROTOCOL], _protocol_names(sets[SRC], sets[DST]), "any")
    return _untyped(sets[PROTOCOL])


@lru_cache(1 << 10)
def _untyped(protocols: IntervalSet) -> str:
    return _choose(protocols, FULL[PROTOCOL], _named_protocols, "any")


def _phrase(head: str, sets: Sets, protocols: IntervalSet, names: Words) -> str:
    words = [head]
    target = _asks(sets, DPORT) or _asks(sets, DST)
    if target or _asks(sets, SRC) or _asks(sets, SPORT):
        said = _both_ends(sets[SRC], sets[DST], names)
        for field, ports, keyword in ((SRC, SPORT, "from"), (DST, DPORT, "to"))[: 1 + target]:
            words += [keyword, said[field]]
            if _asks(sets, ports):
                words += ["port", show_ports(sets[ports], protocols, names)]
    protocol = protocols.lo if protocols.size == 1 else None
    for spec, f, full in _OPTIONS:
        chosen = sets[f]
        if chosen is not full and chosen.ranges != full.ranges:
            words += _option(spec, chosen, protocol, names)
    return " ".join(words)


def _both_ends(src: IntervalSet, dst: IntervalSet, names: Words) -> dict[int, str]:
    """Where one end is of one family, a name of both families will do for the other end; not for both at once."""
    source, target = show_addresses(src, names), show_addresses(dst, names)
    if not names.halves:
        return {SRC: source, DST: target}
    half_source, half_target = show_addresses(src, names, dst), show_addresses(dst, names, src)
    if len(half_source) + len(target) < len(source) + len(half_target):
        return {SRC: half_source, DST: target}
    return {SRC: source, DST: half_target}


def show_numbers(spec: Spec, chosen: IntervalSet) -> str:
    """Numbers that every packet has: by name where a single one has a name; the shorter of what is in and what is not."""

    def words(some: IntervalSet) -> list[str]:
        return [(values.name_of(spec.word, lo) or str(lo)) if lo == hi else f"{lo}-{hi}" for lo, hi in some]

    return _choose(chosen, spec.values, words, f"0-{spec.values.hi}")


def _option(spec: Spec, chosen: IntervalSet, protocol: int | None, names: Words) -> list[str]:
    """An option's keyword and value."""
    match spec.kind:
        case "flags":
            return ["established"] if chosen == ESTABLISHED else [spec.word, show_flag_tests(chosen)]
        case "icmp":
            return [spec.word, _types(chosen, protocol if spec.field == TYPE else None)]
        case "word":
            return [spec.word, _braced([spec.words[v] for v in _values(chosen)])]
        case "interface":
            return [spec.word, show_interfaces(chosen, names)]
    return [spec.word, show_numbers(spec, chosen)]


def show_addresses(chosen: IntervalSet, names: Words = PLAIN, other: IntervalSet = address.ALL) -> str:
    """Addresses as an expression: the shorter of what is in and what is not; by name where a name says it as shortly."""
    family = show_family(chosen)
    if family:
        return family
    key = "addresses", chosen.ranges, _family(other)
    return _once(names, key, lambda: _addresses(chosen, names, other))


def _family(chosen: IntervalSet) -> int:
    """The family of all of them, 0 if they are of both."""
    if not chosen.ranges or chosen.ranges[-1][1] < address.V6_BASE:
        return 4
    return 6 if chosen.ranges[0][0] >= address.V6_BASE else 0


_KNOWN = 1 << 14  # expressions remembered


def _once(names: Words, key: tuple[object, ...], make: Callable[[], str]) -> str:
    """What is said of many regions is worked out once."""
    known = names.said.get(key)
    if known is None:
        if len(names.said) >= _KNOWN:
            names.said.clear()
        known = names.said[key] = make()
    return known


def _addresses(chosen: IntervalSet, names: Words, other: IntervalSet) -> str:
    best = names.addresses(chosen, other)
    if len(chosen.ranges) == 1:
        return best
    for base, universe in (("ipv4", address.V4), ("ipv6", address.V6), ("", address.ALL)):
        if chosen.issubset(universe) and (base or not _family(chosen)):  # `not { ipv4, a }` is `ipv6 except a`
            inside = _left_out(universe - chosen, universe, names)
            text = f"{base} except {inside}" if base else f"not {inside}"
            if inside and len(text) < len(best):
                best = text
    if len(best) > _BRIEF:
        for held in around(chosen):
            best = _excepted(held, chosen, names, other, best)
    return best


def _excepted(held: IntervalSet, chosen: IntervalSet, names: Words, other: IntervalSet, best: str) -> str:
    """`10.0.0.0/8 except office`, if that is shorter than the best so far."""
    try:
        base = show_family(held) or names.addresses(held, other)
        outside = held - chosen
        if not outside or " except " in base or len(base) + len(" except a") >= len(best):
            return best
        family = _family(held)
        inside = _left_out(outside, {4: address.V4, 6: address.V6}.get(family, address.ALL), names)
    except LimitError:  # it takes too many words
        return best
    text = f"{base} except {inside}"
    return text if inside and len(text) < len(best) else best


def _left_out(outside: IntervalSet, universe: IntervalSet, names: Words) -> str:
    """What stands behind `not` or `except`; empty if that would be an exception itself, which is read in two ways."""
    inside = names.addresses(outside, universe)
    return "" if " " in inside and not inside.startswith("{ ") else inside


def show_family(chosen: IntervalSet) -> str:
    """`any`, `ipv4` or `ipv6`; empty for any other set."""
    return _BY_RANGES.get(chosen.ranges, "")


_WHOLE = {"0.0.0.0/0": "ipv4", "::/0": "ipv6"}
_BRIEF = 26  # characters: no exception is shorter
_FAMILIES = {address.ALL: "any", address.V4: "ipv4", address.V6: "ipv6"}
_BY_RANGES = {chosen.ranges: word for chosen, word in _FAMILIES.items()}  # which has the quicker hash


def plain_addresses(chosen: IntervalSet) -> str:
    """Addresses as they are, without names."""
    return _FAMILIES.get(chosen) or _braced(_elements(chosen))


def show_ports(chosen: IntervalSet, protocols: IntervalSet, names: Words = PLAIN) -> str:
    """Ports as an expression."""
    if chosen == PRESENT[DPORT]:
        return "0-65535"
    return _once(names, ("ports", chosen.ranges, protocols.ranges), lambda: _ports(chosen, protocols, names))


def _ports(chosen: IntervalSet, protocols: IntervalSet, names: Words) -> str:
    direct, outside = names.ports(chosen, protocols), names.ports(PRESENT[DPORT] - chosen, protocols)
    negated = f"not {outside}"
    readable_ = " " not in outside or outside.startswith("{ ")
    return direct if not readable_ or len(direct) <= len(negated) + 8 else negated


def _elements(chosen: IntervalSet) -> list[str]:
    if isinstance(chosen, ScatteredSet):
        return wildcards(chosen)
    masked = _masked(chosen) if len(chosen.ranges) > _SCATTERED else ""
    return [masked] if masked else [_WHOLE.get(element, element) for element in address.show_set(chosen)]


_MOST_INTERFACES = 1 << 16  # that are named one by one: more than a text has
_SCATTERED = 16  # ranges, beyond which a set may well come from a mask


def _masked(chosen: IntervalSet) -> str:
    """A set that is all addresses under a mask with holes, as VALUE/MASK; the empty string for any other set."""
    first, last = chosen.ranges[0], chosen.ranges[-1]
    family = address.family_of(first[0])
    width = first[1] - first[0] + 1
    if address.family_of(last[1]) != family or width & (width - 1):
        return ""
    every, some = -1, 0
    for lo, hi in chosen.ranges:
        value = address.to_value(lo)
        if hi - lo + 1 != width or value % width:
            return ""
        every &= value
        some |= value
    if 1 << (every ^ some).bit_count() != len(chosen.ranges):
        return ""  # as many values as the free bits allow, and all of them distinct: then it is all of them
    bits = address.bits_of(first[0])
    mask = ((1 << bits) - 1) & ~(every ^ some) & -width
    if reads_inverted(every, mask, bits):  # the language would ask which way round it is meant
        return ""
    return f"{address.show(address.to_point(family, every))}/{address.show(address.to_point(family, mask))}"


def show_interfaces(chosen: IntervalSet, names: Words = PLAIN) -> str:
    """Interfaces as an expression; a set is finite, or all but finitely many."""
    items = ["none"] if 0 in chosen else []
    named = chosen & SOME_INTERFACE
    if 2 * named.size > SOME_INTERFACE.size:
        left_out = names.interfaces(SOME_INTERFACE - named)
        items.append("not " + _braced(left_out) if left_out else "not none")
    else:
        items += names.interfaces(named)
    return _braced(items)


def listed_interfaces(chosen: IntervalSet) -> list[str]:
    """Interfaces one by one."""
    items = [_interface(v) for v in islice(_values(chosen), _MOST_INTERFACES)]
    if chosen.size > _MOST_INTERFACES:  # no text gives such a set, but boxes may be made by hand
        items.append(f"{chosen.size - _MOST_INTERFACES:,} more")
    return items


def _interface(number: int) -> str:
    """An interface; in quotes also where the language would read a keyword, a pattern, or nearly `none`."""
    try:
        name = interface_name(number)
    except UnicodeDecodeError:  # a number that no name has: likewise
        return f"0x{number:x}"
    text = write_interface(name)
    if not text.startswith('"') and (name in RESERVED or name.endswith("+") or name.lower() in NEARLY_NONE):
        return f'"{name}"'
    return text


def _choose(
    chosen: IntervalSet, universe: IntervalSet, words: Callable[[IntervalSet], list[str]], everything: str
) -> str:
    """The shorter of `{ a, b }` and `not { c }`."""
    if chosen == universe:
        return everything
    direct = _braced(words(chosen))
    negated = f"not {_braced(words(universe - chosen))}"
    return direct if len(direct) <= len(negated) + 8 else negated


def _named_protocols(chosen: IntervalSet) -> list[str]:
    return [protocol_text(p) for p in _values(chosen)]


def _protocol_names(src: IntervalSet, dst: IntervalSet) -> Callable[[IntervalSet], list[str]]:
    """Protocols by name, but for icmp over IPv6 alone and icmpv6 over IPv4 alone: beside a type those go by number."""
    odd = set()
    if src.isdisjoint(address.V4) or dst.isdisjoint(address.V4):
        odd.add(ICMP)
    if src.isdisjoint(address.V6) or dst.isdisjoint(address.V6):
        odd.add(ICMPV6)
    return lambda chosen: [str(p) if p in odd else protocol_text(p) for p in _values(chosen)]


def numbers(chosen: IntervalSet) -> str:
    """Numbers as an expression."""
    return _braced(_numbers(chosen))


def _numbers(chosen: IntervalSet) -> list[str]:
    return [str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in chosen]


def _types(chosen: IntervalSet, protocol: int | None) -> str:
    if protocol is not None and chosen.size == 1:
        return names.icmp_type_name(protocol, chosen.lo) or str(chosen.lo)
    return _braced(_numbers(chosen))


def _values(chosen: IntervalSet) -> Iterable[int]:
    return (v for lo, hi in chosen for v in range(lo, hi + 1))


def _braced(words: list[str]) -> str:
    return words[0] if len(words) == 1 else "{ " + ", ".join(words) + " }"
