"""Words -> addresses, ports, ICMP messages and numbers of the header, as Cisco's systems write them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...model import address
from ...model.fields import CODE, ICMPV6, PORT_PROTOCOLS, PORTS, TYPE
from ...model.interval import EMPTY, IntervalSet
from ...model.scattered import masked
from ...registry.values import named
from ..matching import Conditions
from . import names
from .words import RefusedError, Word, Words, short

Hosts = Mapping[str, str]  # ASA's `name 192.0.2.1 web`: addresses by name
DOTTED = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_SLASH = re.compile(r"/[0-9]{1,3}")
_NUMBER = re.compile("[0-9]{1,5}")
_USUAL = frozenset({0, 1, 0xFFFFFFFF})  # masks of any, of odd or even addresses, of one address


def point(word: Word, hosts: Hosts) -> int:
    """One address, by itself or by its name.

    Raises:
        RefusedError: if it is none.
    """
    try:
        return address.parse(hosts.get(word.text, word.text))
    except ValueError as error:
        raise RefusedError(word, f"`{short(word.text)}` is not an address: {error}", code="FW403") from None


def network(words: Words, word: Word, hosts: Hosts, *, inverse: bool, alone: bool) -> IntervalSet:
    """`10.0.0.0/8`, `10.0.0.0 /8`, an address with the mask behind it, or, if it may stand `alone`, an address.

    Args:
        inverse: the zero bits of the mask are compared, not the one bits.
    """
    host, slash, length = word.text.partition("/")
    first = point(Word(host, word.column, word.column + len(host)), hosts)
    bits = address.bits_of(first)
    if not slash and words and _SLASH.fullmatch(words.next):
        slash, length = "/", words.take("").text[1:]
    if slash:
        if not re.fullmatch("[0-9]{1,3}", length) or int(length) > bits:
            raise RefusedError(word, f"`/{short(length)}` is not a prefix length of {bits} bits", code="FW403")
        return IntervalSet((address.prefix(first, int(length)),))
    if bits == 128:
        return IntervalSet.single(first)
    follows = words.word
    if follows is None or not DOTTED.fullmatch(follows.text):
        if alone:
            return IntervalSet.single(first)
        kind = "wildcard mask" if inverse else "netmask"
        raise RefusedError(follows, f"`{word.text}` lacks its {kind}", f"write `host {word.text}`", "FW403")
    words.take("")
    mask = address.to_value(point(follows, {}))
    compared = mask ^ 0xFFFFFFFF if inverse else mask
    if compared not in _USUAL and compared & (compared + 1) == 0:  # the last bits alone
        kinds = ("wildcard mask", "netmask") if inverse else ("netmask", "wildcard mask")
        other = address.show(address.to_point(4, mask ^ 0xFFFFFFFF))
        message = f"`{follows.text}` is a {kinds[0]} here, and compares the last bits alone"
        words.told.append((follows, message, f"the {kinds[1]} {follows.text} is written `{other}` here"))
    return masked(first, compared)


def protocol(word: Word) -> int | None:
    """The number of a protocol; None for any.

    Raises:
        RefusedError: if it is none.
    """
    text = word.text.lower()
    if text in names.ANY_PROTOCOL:
        return None
    number = int(text) if re.fullmatch("[0-9]{1,3}", text) else names.PROTOCOLS.get(text, 256)
    if number > 255:
        raise RefusedError(word, f"`{short(word.text)}` is not a protocol", code="FW403")
    return number


# Ports


def port_condition(words: Words, protocol: int | None) -> IntervalSet | None:
    """`eq 80`, `neq`, `lt`, `gt`, `range 1 9`; `eq` and `neq` take several. None if none stands here.

    Raises:
        RefusedError: for a port that is none.
    """
    operator = words.accept("eq", "neq", "lt", "gt", "range")
    if operator is None:
        return None
    text = operator.text.lower()
    if text == "range":
        first, last = (_port(words.take("a port"), protocol) for _ in range(2))
        return IntervalSet(((min(first, last), max(first, last)),))
    ports = [_port(words.take("a port"), protocol)]
    if text in ("lt", "gt"):
        return _beyond(text, ports[0], 65535)
    while words and (words.at_number or words.next in names.ANY_PORTS):
        ports.append(_port(words.take("a port"), protocol))
    listed = IntervalSet.union((p, p) for p in ports)
    return listed if text == "eq" else PORTS - listed


def has_ports(protocol: int | None) -> bool:
    """May an entry of this protocol ask for ports?"""
    return protocol in PORT_PROTOCOLS


def _beyond(operator: str, number: int, top: int) -> IntervalSet:
    lo, hi = (0, number - 1) if operator == "lt" else (number + 1, top)
    return IntervalSet(((lo, hi),)) if lo <= hi else EMPTY


def _port(word: Word, protocol: int | None) -> int:
    text = word.text.lower()
    if _NUMBER.fullmatch(text) and int(text) <= 65535:
        return int(text)
    found = names.PORTS.get(protocol or 0, {}).get(text)
    if found is None:
        found = names.ANY_PORTS.get(text)
    if found is None:
        raise RefusedError(word, f"`{short(word.text)}` is not a port", code="FW403")
    return found


# ICMP


def icmp_message(words: Words, v6: bool) -> tuple[int, ...] | None:
    """A type by number or name, and a code; None if none stands here."""
    known = names.ICMPV6 if v6 else names.ICMP
    if words.next in known:
        message = known[words.take("").text.lower()]
        return (message[0], _byte(words.take(""))) if len(message) == 1 and words.at_number else message
    if not words.at_number:
        return None
    kind = _byte(words.take(""))
    return (kind, _byte(words.take(""))) if words.at_number else (kind,)


def _byte(word: Word) -> int:
    if not _NUMBER.fullmatch(word.text) or int(word.text) > 255:
        raise RefusedError(word, f"`{short(word.text)}` is above 255", code="FW403")
    return int(word.text)


def message_conditions(messages: list[tuple[int, ...]]) -> list[Conditions]:
    """ICMP types, and pairs of type and code, as conditions: a disjunction."""
    single = IntervalSet.single
    return [{TYPE: single(m[0]), CODE: single(m[1])} if len(m) == 2 else {TYPE: single(m[0])} for m in messages]


def is_icmpv6(protocol: int | None) -> bool:
    """Is it the protocol whose types have the names of IPv6?"""
    return protocol == ICMPV6


# The header


def compared(words: Words, values: IntervalSet) -> IntervalSet:
    """`eq 5`, `range 5 9`, …: the numbers of a field that its operator selects; `eq` and `neq` take several."""
    operator = words.take("an operator")
    text = operator.text.lower()
    if text not in ("eq", "neq", "lt", "gt", "range"):
        raise RefusedError(operator, "`eq`, `neq`, `lt`, `gt` or `range` is expected", code="FW403")
    numbers = [_number(words.take("a number"), values.hi)]
    if text == "range":
        numbers.append(_number(words.take("a number"), values.hi))
        return IntervalSet(((min(numbers), max(numbers)),))
    if text in ("lt", "gt"):
        return _beyond(text, numbers[0], values.hi)
    while words.at_number:
        numbers.append(_number(words.take(""), values.hi))
    listed = IntervalSet.union((n, n) for n in numbers)
    return listed if text == "eq" else values - listed


def _number(word: Word, top: int) -> int:
    if not _NUMBER.fullmatch(word.text) or int(word.text) > top:
        raise RefusedError(word, f"`{short(word.text)}` is not a number up to {top}", code="FW403")
    return int(word.text)


def dscp(word: Word) -> IntervalSet:
    """The code point of a name or number; `default` is 0."""
    text = word.text.lower()
    found = 0 if text == "default" else named("dscp", text)
    return IntervalSet.single(_number(word, 63) if found is None else found)


def precedence(word: Word) -> IntervalSet:
    """The code points whose first three bits are a precedence."""
    known = names.PRECEDENCES.get(word.text.lower())
    first = 8 * (_number(word, 7) if known is None else known)
    return IntervalSet(((first, first + 7),))


def service_type(word: Word) -> tuple[IntervalSet, str]:
    """The code points that a type of service leaves, and what it asks for besides: its last bit is one of ECN's now."""
    known = names.SERVICES.get(word.text.lower())
    bits = _number(word, 15) if known is None else known
    return IntervalSet.union((8 * p + bits // 2,) * 2 for p in range(8)), f"tos {word.text}"
