"""Words of iptables -> values: addresses, ports, flags, interface names."""

from __future__ import annotations

import re

from ...model import address
from ...model.interval import IntervalSet
from ...model.scattered import masked
from ...registry import names
from . import tables
from .words import Token

_HOST_HELP = "iptables-save writes addresses; a host name would be looked up when the rules are loaded"


class RefusedError(Exception):
    """A rule that is not understood: at which word, why, and what to do."""

    def __init__(self, token: Token | None, message: str, help: str = "", code: str = "FW402") -> None:
        super().__init__(message)
        self.token, self.message, self.help, self.code = token, message, help, code


def network(text: str, token: Token, v6: bool) -> IntervalSet:
    """An address, a prefix, or a value and a mask, which may have holes."""
    host, slash, mask = text.partition("/")
    point = point_of(host, token, v6)
    bits = 128 if v6 else 32
    if not slash:
        return IntervalSet.single(point)
    if not is_decimal(mask):
        return masked(point, address.to_value(point_of(mask, token, v6)))
    if int(mask) > bits:
        raise RefusedError(token, f"`/{mask}` is not a prefix length of {bits} bits", code="FW403")
    return IntervalSet((address.prefix(point, int(mask)),))


def point_of(text: str, token: Token, v6: bool) -> int:
    """An address of the family of the rules."""
    try:
        point = address.parse(text)
    except ValueError as error:
        raise RefusedError(token, f"`{short(text)}` is not an address: {error}", _HOST_HELP, "FW403") from None
    if (address.family_of(point) == 6) != v6:
        mine = "IPv6" if v6 else "IPv4"
        other = "iptables-save" if v6 else "ip6tables-save"
        help = f"`--from {other}` reads rules of the other family"
        raise RefusedError(token, f"`{text}` is not of {mine}, as the rest is", help, "FW403")
    return point


def is_decimal(text: str) -> bool:
    """Is it a number that has one meaning? With a leading zero it is octal to iptables."""
    return re.fullmatch("0|[1-9][0-9]{0,5}", text) is not None


def port(text: str, token: Token, protocol: int | None) -> int:
    """A port by number, or by IANA's name."""
    if is_decimal(text) and int(text) <= 65535:
        return int(text)
    known = names.protocols_of(text)
    found = known.get(protocol or -1) or next((ports for ports in known.values() if ports.size == 1), None)
    if found is None or found.size != 1:
        raise RefusedError(token, f"`{short(text)}` is not a port", code="FW403")
    return found.lo


def flags(token: Token) -> int:
    """TCP flags as a number."""
    number = 0
    for word in token.text.upper().split(","):
        if word not in tables.TCP_FLAGS:
            raise RefusedError(token, f"`{short(word)}` is not a TCP flag", code="FW403")
        number |= tables.TCP_FLAGS[word]
    return number


def short(text: str) -> str:
    """A word as a message shows it."""
    return text if len(text) <= 60 else text[:59] + "…"
