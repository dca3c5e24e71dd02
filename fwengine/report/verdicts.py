"""Values of fields as words, and the parts of verdicts on open packets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..language.meaning.flags import show_flag_tests
from ..language.meaning.literals import protocol_text
from ..language.meaning.region import show_addresses, show_interfaces, show_numbers
from ..model import address
from ..model.box import Box, merge
from ..model.fields import (
    FIELDS,
    FULL,
    TABLE,
    interface_name,
)
from ..model.interval import IntervalSet
from ..model.packet import Packet, write_flags, write_interface
from ..model.rules import Case, Rule, Verdict
from ..registry import values
from .screen import visible

FIELD_WORDS = tuple(spec.word for spec in TABLE)

_TOLD: Final = 8  # lines in doubt that are named


def doubts_text(rule: Rule) -> str:
    """`server.rules:5 (-m recent)`: what the verdict of a rule hangs on, several joined by `and`."""
    doubts = rule.origin.doubts if rule.origin is not None else ()
    told = [f"{doubt.span.file}:{doubt.span.line} ({doubt.reason})" for doubt in doubts[:_TOLD]]
    told += [f"{len(doubts) - _TOLD:,} more"] * (len(doubts) > _TOLD)
    return visible(" and ".join(told))


def split(verdict: Verdict) -> Iterator[tuple[Case, Box]]:
    """The parts of an open packet that fare by rules of their own, in the order of the rules."""
    for case, boxes in _by_rule(verdict):
        for box in merge(boxes):
            yield case, box


def _by_rule(verdict: Verdict) -> list[tuple[Case, list[Box]]]:
    """The deciding rules in their order (by the first case of each), with the parts that each decides."""
    groups: dict[int, tuple[Case, list[Box]]] = {}
    for case in verdict.cases:
        groups.setdefault(id(case.rule), (case, []))[1].append(case.box)
    return list(groups.values())


def depends_on(verdict: Verdict) -> list[str]:
    """The fields in which the parts differ."""
    parts = [box.sets for _, box in split(verdict)]
    return [FIELD_WORDS[f] for f in range(FIELDS) if any(sets[f] != parts[0][f] for sets in parts)]


def condition(box: Box, packet: Packet) -> str:
    """What a part of an open packet states that the packet leaves open: `dport 22 in wan0`."""
    asked = packet.sets
    words = [f"{FIELD_WORDS[f]} {show_values(f, box.sets[f])}" for f in range(FIELDS) if box.sets[f] != asked[f]]
    return " ".join(words) or "in any case"


def show_value(field: int, value: int) -> str:
    """One value of a field, as the language writes it; `none` for an absent one."""
    spec = TABLE[field]
    if value == spec.absent:
        return "none"
    match spec.kind:
        case "address":
            return address.show(value)
        case "protocol":
            return protocol_text(value)
        case "flags":
            return write_flags(value)
        case "word":
            return spec.words[value]
        case "interface":
            return write_interface(interface_name(value))
    return (values.name_of(spec.word, value) if spec.kind == "number" else None) or str(value)


def show_values(field: int, chosen: IntervalSet) -> str:
    """A set of values of a field, as an expression of the language."""
    spec = TABLE[field]
    match spec.kind:
        case "address":
            return show_addresses(chosen)
        case "flags":
            present = chosen & spec.values
            return show_flag_tests(present) if present else "none"
        case "interface":
            return show_interfaces(chosen)
        case "word" | "protocol":
            words = [show_value(field, v) for lo, hi in chosen for v in range(lo, hi + 1)]
            rest = FULL[field] - chosen
            if spec.kind == "protocol" and rest and 8 * rest.size < chosen.size:
                return f"not {show_values(field, rest)}"
        case "number":
            return show_numbers(spec, chosen)
        case _:
            words = [show_value(field, lo) if lo == hi else f"{lo}-{show_value(field, hi)}" for lo, hi in chosen]
    return words[0] if len(words) == 1 else "{ " + ", ".join(words) + " }"
