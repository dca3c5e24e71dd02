"""Packets by their fields: JSON, `KEY=VALUE` pairs, and mappings; and the language's own notation, which they end in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from ...errors import PacketError, PolicyError
from ...language.meaning.literals import protocol_text
from ...language.meaning.lower import lower_packet
from ...language.syntax.parser import parse_packet
from ...model import address
from ...model.fields import KEYWORDS, OPTIONS, TABLE
from ...model.packet import Packet, write_flags
from ...registry import names

# every field by its word and by the packet's attribute, and how people abbreviate the first
_KEYS = {"proto": "protocol", "family": "family"} | {
    key: spec.word for spec in TABLE for key in (spec.word, spec.attribute, *spec.aliases)
}
_ESCAPES = {'"': '\\"', "\\": "\\\\"}
_PAIR = re.compile(r"([A-Za-z_]+)=(\S*)")


def from_mapping(fields: Mapping[str, object]) -> Packet:
    """A packet from keys such as `proto`, `src`, `dport`; values are numbers or the language's words.

    Raises:
        PacketError: for an unknown key, a missing one, or a value that the language refuses.
    """
    known: dict[str, str] = {}
    for key, value in fields.items():
        name = _KEYS.get(key)
        if name is None:
            near = names.near(key, _KEYS)
            raise PacketError(
                f"unknown key `{key}`"
                + (f": did you mean `{near[0]}`?" if near else f": the keys are {', '.join(_KEYS)}")
            )
        if name in known:
            raise PacketError(f"`{key}` is given twice")
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int) or str(value) == "":
            raise PacketError(f"`{key}` is a word or a whole number, not `{json.dumps(value)}`")
        if re.search(r"[\s#{}\"]", str(value)) and not _is_interface(name):
            raise PacketError(f"`{key}` is one word, not `{value}`")
        known[name] = str(value)
    for name in ("protocol", "src", "dst"):
        if name not in known:
            raise PacketError(f"`{'proto' if name == 'protocol' else name}` is missing")
    ends = []
    for side, port in (("src", "sport"), ("dst", "dport")):
        host = known[side].strip("[]") if known[side].startswith("[") and known[side].endswith("]") else known[side]
        if port in known:
            ends.append(f"[{host}]:{known[port]}" if ":" in host else f"{host}:{known[port]}")
        else:
            ends.append(host)
    words = [known["protocol"], ends[0], "->", ends[1]]
    for spec in OPTIONS:
        name = spec.word
        if name in known:
            words += [name, _quoted(known[name]) if spec.kind == "interface" else known[name]]
    packet = written(" ".join(words))
    if "family" in known and known["family"] != str(packet.family):
        raise PacketError(f"`family` is {known['family']}, but the addresses are IPv{packet.family}")
    return packet


def to_mapping(packet: Packet) -> dict[str, object]:
    """The inverse of `from_mapping`, without what is open or absent, or `whole`, or `new`."""
    out: dict[str, object] = {"proto": protocol_text(packet.protocol)}
    for side, port in (("src", "sport"), ("dst", "dport")):
        out[side] = address.show(address.to_point(packet.family, getattr(packet, side)))
        if getattr(packet, port) is not None:
            out[port] = getattr(packet, port)
    for spec in OPTIONS:
        value = getattr(packet, spec.attribute)
        if value is None or (spec.unstated is not None and value == spec.words[spec.unstated]):
            continue
        if spec.kind == "flags":
            value = write_flags(value)
        elif spec.kind == "interface":  # `none` is not an interface, an interface of that name stands in quotes
            value = _string(value) if value == "none" or value.startswith('"') else value or "none"
        out[spec.word] = value
    return out


def _is_interface(name: str) -> bool:
    return name in KEYWORDS and KEYWORDS[name].kind == "interface"


def _quoted(name: str) -> str:
    """An interface as the language takes it."""
    return name if name == "none" or name.startswith('"') else _string(name)


def _string(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else f"\\u{{{ord(c):x}}}") for c in text) + '"'


def written(text: str) -> Packet:
    """A packet in the language's own notation; `__cause__` of an error is the PolicyError with places."""
    try:
        return lower_packet(parse_packet(text, "<packet>"), "<packet>", text)
    except PolicyError as error:
        first = error.diagnostics[0]
        parts = [first.message, first.label, first.help]
        raise PacketError(f"`{text.strip()}`: " + "; ".join(p for p in parts if p)) from error


def from_json(text: str) -> Packet:
    """A packet from a JSON object with the keys of `from_mapping`."""
    try:
        fields = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:  # also for numbers of thousands of digits
        raise PacketError(f"no JSON: {error}") from None
    if not isinstance(fields, dict):
        raise PacketError("a packet in JSON is one object")
    return from_mapping(fields)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    out: dict[str, object] = {}
    for key, value in pairs:
        if key in out:
            raise PacketError(f"`{key}` is given twice")
        out[key] = value
    return out


def are_pairs(text: str) -> bool:
    return _PAIR.match(text) is not None


def from_pairs(text: str) -> Packet:
    """A packet from words such as `proto=tcp`, with the keys of `from_mapping`."""
    fields = []
    for word in text.split():
        match = _PAIR.fullmatch(word)
        if not match:
            raise PacketError(f"`{word}` is not KEY=VALUE")
        fields.append((match[1].lower(), match[2]))
    return from_mapping(_unique(fields))
