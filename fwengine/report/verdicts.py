"""Verdicts as text, and the values of fields as words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..language.meaning.literals import protocol_text
from ..language.meaning.region import show_addresses, show_flag_tests, show_interfaces, show_numbers
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
from ..policy import Policy
from ..registry import values
from .fit import shortened
from .screen import visible
from .style import Style

FIELD_WORDS = tuple(spec.word for spec in TABLE)

_LEAST: Final = 20  # columns for what a part states
_UNDECODED: Final[Mapping[str, str]] = {
    "malformed": "malformed: these bytes are not a packet, so no rule is asked",
    "truncated": "truncated: the bytes are cut short, and what is missing decides",
    "tiny-fragment": "tiny-fragment: it could overwrite the tcp flags (RFC 1858, RFC 3128), so no rule is asked",
}


def where(rule: Rule) -> str:
    """`edge.fwl:12`, also where the rule has a name."""
    return visible(f"{rule.span.file}:{rule.span.line}")


def by(rule: Rule | None) -> str:
    """What the rule is called; `default` for None."""
    return visible(rule.label) if rule else "default"


def verdict_line(verdict: Verdict, policy: Policy, style: Style, packet: str = "") -> str:
    """`ALLOW  by web-in  edge.fwl:12`, or, where several packets were asked, with the packet in between."""
    word = style.verdict(verdict.action.value.upper(), 6)
    asked = [visible(packet)] if packet else []
    if verdict.reason in _UNDECODED:
        return " ".join([word, "  ".join([*asked, _UNDECODED[verdict.reason]])])
    if verdict.reason == "depends":
        return " ".join([word, "  ".join([f"on {', '.join(_depends_on(verdict))}", *asked])])
    place = ""
    if verdict.reason == "default":
        place = visible(policy.name)
    elif verdict.rule is not None and verdict.rule.name:
        place = where(verdict.rule)
    parts = [*asked, f"by {style(visible(verdict.by), bold=True)}", style(place, "grey")]
    return f"{word} " + "  ".join(part for part in parts if part)


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


def _depends_on(verdict: Verdict) -> list[str]:
    """The fields in which the parts differ."""
    parts = [box.sets for _, box in split(verdict)]
    return [FIELD_WORDS[f] for f in range(FIELDS) if any(sets[f] != parts[0][f] for sets in parts)]


def split_lines(verdict: Verdict, packet: Packet, style: Style, most: int | None = None) -> list[str]:
    """For a packet that is partly open: a row for each part that fares by a rule of its own.

    Rows are at most so wide, if that is said: what a part states is cut short.
    """
    rows = []
    for case, box in split(verdict):
        place = where(case.rule) if case.rule and case.rule.name else ""
        rows.append((condition(box, packet), case.action.value.upper(), by(case.rule), place))
    width = max(len(row[0]) for row in rows)
    names_width = max(len(row[2]) for row in rows)
    if most is not None:
        room = max(_LEAST, most - names_width - max(len(row[3]) for row in rows) - len("    DENY   by   "))
        rows = [(_cut(stated, room), action, label, place) for stated, action, label, place in rows]
        width = min(width, room)
    return [
        f"  {stated:<{width}}  {style.verdict(action, 6)} by {label:<{names_width}}  {style(place, 'grey')}".rstrip()
        for stated, action, label, place in rows
    ]


def _cut(text: str, room: int) -> str:
    text = shortened(text, room)
    return text if len(text) <= room else f"{text[: room - 1]}…"


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
