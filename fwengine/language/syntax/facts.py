"""What another firewall's line says, in the words of this language: addresses, ports and protocols as they write them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ...model import address
from ...registry import names

_PORT = re.compile(r"([0-9]{1,5})(?:[:-]([0-9]{1,5})?)?")


class Unknown(Exception):  # noqa: N818  # a signal within this module
    """A word that is not understood here."""


@dataclass
class Facts:
    """What a line says, in the words of this language."""

    action: str = ""
    protocols: list[str] = field(default_factory=list)
    family: int | None = None  # of the whole line; None: not said
    ends: dict[str, str] = field(default_factory=dict)  # addresses by `from` and `to`
    ports: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    either: bool = False  # would the line stand for another family in another table?


def set_of(values: list[str]) -> str:
    if not values:
        raise Unknown
    return values[0] if len(values) == 1 else f"{{ {', '.join(values)} }}"


def protocols(values: list[str], negated: str) -> list[str]:
    if values == ["all"]:
        return []
    if negated or any(names.protocol(v) is None or v.lower() in ("ip", "ipv4", "ipv6") for v in values):
        raise Unknown
    return ["icmpv6" if v.lower() in ("icmp6", "ipv6-icmp") else v.lower() for v in values]


def addresses(values: list[str], negated: str) -> str:
    out = [address_of(value) for value in values]
    if "any" in out:
        if negated or len(out) > 1:
            raise Unknown
        return "any"
    if not negated:
        return set_of(out)
    families = {6 if ":" in one else 4 if "." in one else 0 for one in out}
    if len(families) > 1 or 0 in families:
        raise Unknown
    # theirs stays within the family, where `not` would let in the other one
    return f"{'ipv6' if 6 in families else 'ipv4'} except {set_of(out)}"


def address_of(text: str) -> str:
    if text.lower() in ("any", "all", "anywhere"):
        return "any"
    if text.startswith("!"):
        raise Unknown
    host, slash, length = text.partition("/")
    try:
        point = address.parse(host)
        if slash and length.isdigit() and int(length[:4]) <= address.bits_of(point):
            return f"{address.show(address.prefix(point, int(length))[0])}/{int(length)}"
        if slash and "." in length and "." in host:
            return masked(point, address.to_value(address.parse(length)))
        if slash:
            raise Unknown
    except ValueError:
        raise Unknown from None
    return host


def masked(point: int, mask: int) -> str:
    """An IPv4 address under a netmask."""
    free = 0xFFFFFFFF ^ mask
    if free & (free + 1):
        raise Unknown
    length = 32 - free.bit_length()
    return f"{address.show(address.prefix(point, length)[0])}/{length}"


def ports(values: list[str], negated: str) -> str:
    out = []
    for value in values:
        match = _PORT.fullmatch(value)
        if match and int(match[1]) < 65536:
            open_end = ":" in value or "-" in value
            out.append(f"{match[1]}-{match[2] or 65535}" if open_end else match[1])
        elif re.fullmatch(r"[a-z][a-z0-9-]*", value) and names.protocols_of(value):
            out.append(value)
        else:
            raise Unknown
    return negated + set_of(out)
