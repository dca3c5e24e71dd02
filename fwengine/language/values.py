"""Words -> sets: what an address, a port, a number or a flag test stands for, strictly read.

Pure functions of a word. A word that is wrong raises `Mistake`, which says what to write instead; where the word stands
is the caller's affair.
"""

from __future__ import annotations

import datetime
import re

from .. import address
from ..header import FLAG_NAMES, PORT_PROTOCOLS, PORTS
from ..interval import IntervalSet
from . import names

MAX_WILDCARD_BITS = 16  # a wildcard may stand for 2**16 ranges

_NUMBER = re.compile(r"[0-9]+")
_RANGE = re.compile(r"([0-9]+)-([0-9]+)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DIGITS_LIKE = re.compile(r"[+-]?(?:[\d_]+|0[xob][0-9a-f_]+)", re.IGNORECASE)  # with digits of all scripts, on purpose


class Mistake(Exception):
    """A word with a wrong value: the parts of a diagnostic but its place."""

    def __init__(self, code: str, message: str, label: str = "", help: str = "") -> None:
        super().__init__(code, message, label, help)
        self.code, self.message, self.label, self.help = code, message, label, help


def is_name(text: str) -> bool:
    """Could the word be a defined name?"""
    return _NAME.fullmatch(text) is not None


def number(text: str, top: int, what: str, code: str) -> int:
    """A plain decimal number up to `top`.

    >>> number("80", 65535, "port", "FW111")
    80
    """
    if not _NUMBER.fullmatch(text):
        raise _not_plain(text, what)
    if len(text) > 1 and text[0] == "0":
        plain = text.lstrip("0") or "0"
        raise Mistake("FW116", f"`{_short(text)}` has leading zeros", "some programs read it as octal", f"write `{_short(plain)}`")
    if len(text) > 9 or int(text) > top:
        raise Mistake(code, f"{what} `{_short(text)}` does not exist", f"the largest is {top}")
    return int(text)


def _not_plain(text: str, what: str) -> Mistake:
    plain = re.sub(r"[_+]", "", text)
    if _NUMBER.fullmatch(plain):
        return Mistake("FW116", f"`{_short(text)}` is no plain number", "only the digits 0-9", f"write `{_short(plain)}`")
    if re.fullmatch(r"-[0-9]+", text):
        return Mistake("FW111" if what == "port" else "FW116", f"{what} `{_short(text)}` does not exist", "the smallest is 0")
    if any(c.isdigit() and not c.isascii() for c in text):
        digits = "".join(str(int(c)) if c.isdecimal() else c for c in text)
        help = f"write `{_short(digits)}`" if _NUMBER.fullmatch(digits) else ""
        return Mistake("FW116", f"`{_short(text)}` has digits of another script", "only the digits 0-9", help)
    return Mistake("FW116", f"`{_short(text)}` is no plain number", "only the digits 0-9, in decimal")


def looks_numeric(text: str) -> bool:
    """Is the word meant as a number, though perhaps a wrong one?"""
    return _DIGITS_LIKE.fullmatch(text) is not None


def addresses(text: str) -> IntervalSet:
    """A literal: an address, a prefix, a range, or a value under a mask.

    >>> addresses("10.0.0.0/255.0.255.254").ranges[:2]
    ((167772160, 167772161), (167837696, 167837697))
    """
    first, slash, rest = text.partition("/")
    if slash:
        return _masked(text, first, rest)
    lo, dash, hi = text.partition("-")
    if dash:
        return _address_range(text, lo, hi)
    return IntervalSet.single(_address(text))


def _address(text: str) -> int:
    try:
        return address.parse(text)
    except ValueError as error:
        reason = str(error)
    head, colon, port = text.rpartition(":")
    if colon and "." in head and _NUMBER.fullmatch(port):
        raise Mistake("FW104", f"`{_short(text)}` is no address", "a port does not belong here", f"write `{head} port {port}`")
    label, _, help = reason.partition(": write ")
    raise Mistake("FW104", f"`{_short(text)}` is no address", label, f"write {help}" if help else "")


def _address_range(text: str, lo: str, hi: str) -> IntervalSet:
    if _NUMBER.fullmatch(hi) and "." in lo:
        full = lo.rpartition(".")[0] + "." + hi
        raise Mistake("FW104", f"`{_short(text)}` is no range", "both ends are whole addresses", f"write `{lo}-{full}`")
    a, b = _address(lo), _address(hi)
    if address.family_of(a) != address.family_of(b):
        raise Mistake("FW108", f"`{_short(text)}` mixes IPv4 and IPv6", "both ends are of one family")
    if a > b:
        raise Mistake("FW107", f"`{_short(text)}` is reversed", "the first end is larger", f"write `{hi}-{lo}`")
    return IntervalSet(((a, b),))


def _masked(text: str, first: str, rest: str) -> IntervalSet:
    base = _address(first)
    bits = address.bits_of(base)
    if "." in rest or ":" in rest:
        return _wildcard(text, base, rest)
    if not _NUMBER.fullmatch(rest):
        raise Mistake("FW105", f"`{_short(text)}` has no valid prefix length", "expected a plain number", f"write `{first}/{bits}`")
    if len(rest) > 1 and rest[0] == "0":
        raise Mistake("FW105", f"`/{_short(rest)}` has leading zeros", "", f"write `/{_short(rest.lstrip('0') or '0')}`")
    if len(rest) > 3 or int(rest) > bits:
        raise Mistake("FW105", f"prefix length `/{_short(rest)}` does not exist", f"the largest for IPv{address.family_of(base)} is /{bits}")
    lo, hi = address.prefix(base, int(rest))
    if lo != base:
        raise Mistake(
            "FW106",
            f"`{text}` has bits set behind the prefix",
            "host bits set",
            f"write `{address.show(lo)}/{rest}` for the block, or `{first}` for the address",
        )
    return IntervalSet(((lo, hi),))


def _wildcard(text: str, base: int, rest: str) -> IntervalSet:
    mask_point = _address(rest)
    family, bits = address.family_of(base), address.bits_of(base)
    if address.family_of(mask_point) != family:
        raise Mistake("FW108", f"`{_short(text)}` mixes IPv4 and IPv6", "value and mask are of one family")
    value, mask = address.to_value(base), address.to_value(mask_point)
    everything = (1 << bits) - 1
    free = everything & ~mask
    if value & free:
        help = ""
        if free & (free + 1) and not mask & (mask + 1):  # ones at the low end: an inverse mask as Cisco writes it
            length = bits - mask.bit_length()
            help = f"an inverse mask? write `{address.show(address.prefix(base, length)[0])}/{length}`"
        elif not free & (free + 1):
            length = bits - free.bit_length()
            help = f"write `{address.show(address.prefix(base, length)[0])}/{length}`"
        raise Mistake("FW109", f"`{_short(text)}` has value bits outside the mask", "they are never compared", help)
    low = ((mask & -mask).bit_length() - 1) if mask else bits  # free bits at the low end make the ranges wide
    scattered = [1 << b for b in range(low, bits) if free >> b & 1]
    if len(scattered) > MAX_WILDCARD_BITS:
        raise Mistake(
            "FW110",
            f"`{_short(text)}` stands for 2^{len(scattered)} separate ranges",
            f"at most 2^{MAX_WILDCARD_BITS}",
            "compare more bits, or list the blocks that you mean",
        )
    starts = [value]
    for bit in scattered:
        starts += [start | bit for start in starts]
    width = (1 << low) - 1
    return IntervalSet.union((address.to_point(family, s), address.to_point(family, s + width)) for s in starts)


def port_literal(text: str) -> IntervalSet | None:
    """A port number or a range of numbers; None if the word is neither, nor an attempt at one."""
    if _NUMBER.fullmatch(text):
        return IntervalSet.single(number(text, 65535, "port", "FW111"))
    match = _RANGE.fullmatch(text)
    if match:
        lo, hi = (number(part, 65535, "port", "FW111") for part in match.groups())
        if lo > hi:
            raise Mistake("FW107", f"`{_short(text)}` is reversed", "the first end is larger", f"write `{hi}-{lo}`")
        return IntervalSet(((lo, hi),))
    if looks_numeric(text):
        raise _not_plain(text, "port")
    match = re.fullmatch(r"([0-9]+)[:.]+([0-9]+)", text)
    if match:
        raise Mistake("FW111", f"`{_short(text)}` is no port", "a range has a hyphen", f"write `{match[1]}-{match[2]}`")
    match = re.fullmatch(r"([0-9]+)-|-([0-9]+)", text)
    if match:
        full = f"{match[1]}-65535" if match[1] else f"0-{match[2]}"
        raise Mistake("FW111", f"`{_short(text)}` is no port", "a range has two ends", f"write `{full}`")
    if any(c.isdigit() and not c.isascii() for c in text):
        raise _not_plain(text, "port")
    return None


def named_ports(text: str, protocol: int | None) -> IntervalSet:
    """A port class, a service name of IANA, or a range between two names.

    With a protocol the name must be that protocol's; without one (in a definition not yet used) any protocol's will do.
    """
    word = text.lower()
    found = names.port_class(word) or _service(word, protocol)
    if found is None:
        for i, c in enumerate(word):
            if c == "-":
                ends = [_one_end(part, protocol) for part in (word[:i], word[i + 1 :])]
                if ends[0] is not None and ends[1] is not None:
                    found = _between(text, ends[0], ends[1])
                    break
    if found is None:
        raise _unknown_port(text, protocol)
    return found


def _service(word: str, protocol: int | None) -> IntervalSet | None:
    if protocol is not None:
        return names.ports(word, protocol)
    every = names.protocols_of(word)
    return IntervalSet.union(pair for ports in every.values() for pair in ports) if every else None


def _one_end(word: str, protocol: int | None) -> int | None:
    if _NUMBER.fullmatch(word):
        return number(word, 65535, "port", "FW111")
    found = _service(word, protocol)
    return found.lo if found is not None and found.size == 1 else None


def _between(text: str, lo: int, hi: int) -> IntervalSet:
    if lo > hi:
        raise Mistake("FW107", f"`{_short(text)}` is reversed", f"{lo} is larger than {hi}")
    return IntervalSet(((lo, hi),))


def _unknown_port(text: str, protocol: int | None) -> Mistake:
    others = names.protocols_of(text.lower())
    if others and protocol is not None:
        having = " and ".join(names.protocol_name(p) for p in sorted(others))
        return Mistake(
            "FW113", f"`{text}` is {having} only", f"has no {names.protocol_name(protocol)} port", "name the protocol, or write a number"
        )
    meant = names.near_service(text.lower())
    help = f"did you mean `{meant[0]}`?" if meant else "write a number, a range, or a name of IANA's registry"
    return Mistake("FW112", f"no port is called `{_short(text)}`", "unknown port name", help)


def protocol(text: str) -> int:
    """A protocol by name or number.

    >>> protocol("tcp"), protocol("47")
    (6, 47)
    """
    if looks_numeric(text):
        return number(text, 255, "protocol", "FW115")
    found = names.protocol(text.lower())
    if found is not None:
        if text.lower() == "rdp":  # IANA's protocol 27, and not what anybody means
            raise Mistake("FW115", "`rdp` is ambiguous", "Reliable Data, or Remote Desktop?", "write `27`, or `tcp/ms-wbt-server`")
        return found
    raise Mistake("FW115", f"no protocol is called `{_short(text)}`", "unknown protocol or service", _protocol_help(text))


def _protocol_help(text: str) -> str:
    word = text.lower()
    if word in ("ip", "ipv4", "ip4", "all", "*"):
        return "write `any`; the addresses say which family"
    meant = names.near_protocol(word)
    if meant:
        return f"did you mean `{meant[0]}`?"
    having = names.protocols_of(word)
    if having:
        p = names.protocol_name(min(having))
        return f"`{text}` is a port: write `{p}/{text}`, or `{p} … port {text}`"
    return "write a name such as `tcp`, or a number from 0 to 255"


def flag_test(text: str) -> IntervalSet:
    """The flag bytes that pass a test such as `syn/syn,ack`.

    >>> 0b00010 in flag_test("syn/syn,ack"), 0b10010 in flag_test("syn/syn,ack")
    (True, False)
    """
    value_text, slash, mask_text = text.partition("/")
    if not slash:
        flag_byte(value_text)
        raise Mistake(
            "FW121", f"`{_short(text)}` has no mask", "which flags must be clear?",
            f"write `{text}/syn,ack,fin,rst` to compare these, or `{text}/{text}` to ask only that they are set",
        )  # fmt: skip
    value, mask = flag_byte(value_text), flag_byte(mask_text)
    if value & ~mask:
        raise Mistake("FW121", f"`{_short(text)}` can never hold", "flags to be set must be among those compared")
    return IntervalSet.union((v, v) for v in range(256) if v & mask == value)


def flag_byte(text: str) -> int:
    """The flags named, as the byte of the header."""
    word = text.lower()
    if word == "none":
        return 0
    if word == "all":
        return 255
    byte = 0
    for name in word.split(","):
        if name not in FLAG_NAMES:
            meant = names.near(name, FLAG_NAMES)
            help = f"did you mean `{meant[0]}`?" if meant else "the flags are " + ", ".join(FLAG_NAMES)
            raise Mistake("FW121", f"`{_short(name)}` is no tcp flag", "unknown flag", help)
        byte |= 1 << FLAG_NAMES.index(name)
    return byte


ESTABLISHED = IntervalSet.union((v, v) for v in range(256) if v & 0b10100)  # ACK or RST set


def date(text: str) -> datetime.date:
    match = _DATE.fullmatch(text)
    if not match:
        raise Mistake("FW124", f"`{_short(text)}` is no date", "expected YYYY-MM-DD", "write it as `2027-06-30`")
    try:
        return datetime.date(*map(int, match.groups()))
    except ValueError:
        raise Mistake("FW124", f"there is no day `{text}`", "no such day in the calendar") from None


def compared(operator: str, text: str, value: int, top: int) -> IntervalSet:
    """The numbers up to `top` that are `>=`, `<=`, `>` or `<` a value."""
    if operator not in (">=", "<=", ">", "<"):
        wanted = f"not {text}" if operator == "!=" else text
        raise Mistake("FW132", f"`{operator}` is no comparison here", "unknown comparison", f"write `{wanted}`")
    lo, hi = {">=": (value, top), ">": (value + 1, top), "<=": (0, value), "<": (0, value - 1)}[operator]
    if lo > hi:
        raise Mistake("FW128", f"no number is {operator} {text}", "selects nothing")
    return IntervalSet(((lo, hi),))


def port_protocols() -> str:
    return ", ".join(names.protocol_name(p) for p in sorted(PORT_PROTOCOLS))


ALL_PORTS = PORTS


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
