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
from ...model.packet import Packet, write_flags
from ...registry import names

_KEYS = {
    "proto": "protocol", "protocol": "protocol", "src": "src", "dst": "dst", "sport": "sport", "dport": "dport",
    "type": "type", "code": "code", "icmp_type": "type", "icmp_code": "code", "flags": "flags", "fragment": "fragment",
    "in": "in", "out": "out", "state": "state", "family": "family",
}  # fmt: skip
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
        if re.search(r"[\s#{}\"]", str(value)) and name not in ("in", "out"):
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
    for name in ("type", "code", "flags", "fragment", "in", "out", "state"):
        if name in known:
            words += [name, _quoted(known[name]) if name in ("in", "out") else known[name]]
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
    for key, value in (("type", packet.icmp_type), ("code", packet.icmp_code)):
        if value is not None:
            out[key] = value
    if packet.flags is not None:
        out["flags"] = write_flags(packet.flags)
    for key, name in (("in", packet.in_interface), ("out", packet.out_interface)):
        if name is not None:  # `none` is no interface, an interface of that name stands in quotes
            out[key] = _string(name) if name == "none" or name.startswith('"') else name or "none"
    if packet.fragment != "whole":
        out["fragment"] = packet.fragment
    if packet.state != "new":
        out["state"] = packet.state
    return out


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
