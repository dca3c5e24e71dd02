"""What a policy's matrix has on its sides: its networks, its interfaces, or what is asked for."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from ..analysis.matrix import Zone
from ..language.meaning.region import show_addresses, show_interfaces
from ..language.meaning.vocabulary import Vocabulary
from ..model import address
from ..model.fields import DST, FULL, IN, SRC
from ..model.interval import IntervalSet, together
from ..model.packet import write_interface
from ..policy import Policy, region

MOST_ZONES: Final = 32  # networks that are shown unasked: a picture of more cannot be read
MOST_UNNAMED: Final = 20  # of those that no name tells apart
ELSEWHERE: Final = "rest of the world"
NO_ZONE: Final = "any"
FAMILIES: Final = {"ipv4": address.V4, "ipv6": address.V6}


class Sides(NamedTuple):
    """The zones of a matrix, and what is to be said of their choice."""

    zones: tuple[Zone, ...]
    notes: tuple[str, ...] = ()


def chosen_zones(policy: Policy, between: str | None = None) -> Sides:
    """The networks that the policy names, with the rest of the world; failing that its interfaces, or what its rules say.

    Args:
        between: names of the policy or addresses, with commas between them: then these, and no others.

    Raises:
        PolicyError: if one of those is neither.
    """
    if between is not None:
        return Sides(_distinct([_asked(policy, text) for text in split(between)]))
    nets = [d for d in policy.definitions if d.kind == "net"]
    notes: tuple[str, ...] = ()
    if nets:
        if len(nets) > MOST_ZONES:
            most = sorted(nets, key=lambda d: -d.uses)[:MOST_ZONES]
            notes = (
                f"the {MOST_ZONES} networks of {len(nets):,} that are used most; `--between A,B` chooses others, and "
                f"`{ELSEWHERE}` is what none of these holds",
            )
            nets = [d for d in nets if d in most][:MOST_ZONES]
        return Sides(_with_rest([_net(policy, d.name) for d in nets], "net"), notes)
    named = [*policy.declared.sets] or sorted(policy.interfaces)
    if named:
        if len(named) > MOST_UNNAMED:
            notes = (f"the first {MOST_UNNAMED} interfaces of {len(named):,}; `--between A,B` chooses others",)
        return Sides(_with_rest([_interface(policy, name) for name in named[:MOST_UNNAMED]], "interface"), notes)
    written = _written(policy)
    if len(written) > MOST_UNNAMED:
        notes = (f"the first {MOST_UNNAMED} of {len(written):,} sets of addresses; `--between A,B` chooses others",)
    return Sides(_with_rest(written[:MOST_UNNAMED], "net"), notes)


def split(text: str) -> list[str]:
    """Items between commas, but for those in braces.

    >>> split("office,{ 10.0.0.0/8, 192.0.2.1 }, web")
    ['office', '{ 10.0.0.0/8, 192.0.2.1 }', 'web']
    """
    items, depth = [""], 0
    for c in text:
        depth += (c == "{") - (c == "}")
        if c == "," and depth <= 0:
            items.append("")
        else:
            items[-1] += c
    return [item.strip() for item in items]


def _asked(policy: Policy, text: str) -> Zone:
    definition = next((d for d in policy.definitions if d.name == text), None)
    if definition is not None and definition.kind == "interface":
        return _interface(policy, text)
    if definition is None and text in (*policy.declared.members, *policy.interfaces):
        return _interface(policy, text)
    return _net(policy, text)


def _net(policy: Policy, text: str) -> Zone:
    return Zone(text, "net", region(policy, f"any from {text}")[0].sets[SRC])


def _interface(policy: Policy, name: str) -> Zone:
    declared = policy.declared.sets.get(name)
    return Zone(name, "interface", declared or region(policy, f"any in {write_interface(name)}")[0].sets[IN])


def _written(policy: Policy) -> list[Zone]:
    """The sets of addresses that the rules write out."""
    found: dict[IntervalSet, str] = {}
    for rule in policy.rules:
        for field, text in rule.written:
            sets = {box.sets[field] for box in rule.boxes}
            if field in (SRC, DST) and len(sets) == 1 and FULL[field] not in sets:
                found.setdefault(sets.pop(), text)
    return [Zone(text, "net", chosen) for chosen, text in found.items()]


def _distinct(zones: list[Zone]) -> tuple[Zone, ...]:
    """One zone for each set: `web = www` if it has two names."""
    names: dict[tuple[str, IntervalSet], list[str]] = {}
    for zone in zones:
        names.setdefault((zone.kind, zone.chosen), []).append(zone.name)
    return tuple(
        Zone(" = ".join(dict.fromkeys(called)), kind, chosen)  # type: ignore[arg-type]  # as it was
        for (kind, chosen), called in names.items()
        if chosen
    )


def _with_rest(zones: list[Zone], kind: Literal["net", "interface"]) -> tuple[Zone, ...]:
    domain = FULL[SRC if kind == "net" else IN]
    rest = domain - together([zone.chosen for zone in zones]) if zones else domain
    name = ELSEWHERE if zones else NO_ZONE
    return _distinct([*zones, *([Zone(name, kind, rest)] if rest else [])])


def overlaps(zones: tuple[Zone, ...]) -> list[str]:
    """Which zones share something, in words."""
    out = []
    for n, one in enumerate(zones):
        for other in zones[n + 1 :]:
            if one.kind == other.kind and not one.chosen.isdisjoint(other.chosen):
                small, large = (one, other) if one.chosen.issubset(other.chosen) else (other, one)
                within = small.chosen.issubset(large.chosen)
                out.append(
                    f"{small.name} is within {large.name}" if within else f"{one.name} and {other.name} share some"
                )
    return out


def members(zone: Zone, words: Vocabulary | None = None) -> str:
    """What a zone holds, as an expression of the language."""
    if zone.kind == "interface":
        return show_interfaces(zone.chosen)
    return show_addresses(zone.chosen, words) if words else show_addresses(zone.chosen)


def family(zone: Zone, chosen: IntervalSet) -> str:
    """`ipv4` or `ipv6` if that is the part of a zone which is meant; else nothing."""
    for word, addresses in FAMILIES.items():
        if zone.kind == "net" and chosen == zone.chosen & addresses:
            return word
    return ""
