"""Words -> sets: what an address, a port, a number or a flag test stands for, strictly read.

Pure functions of a word. A word that is wrong raises `Mistake`, which says what to write instead; where the word stands
is the caller's affair.
"""

from __future__ import annotations

import datetime
import re

from ...model import address
from ...model.fields import FLAG_NAMES
from ...model.interval import IntervalSet
from ...registry import names

MAX_WILDCARD_BITS = 16  # a wildcard may stand for 2**16 ranges
MAX_WORD = 200  # characters of an address; the longest, two full IPv6 addresses, has 91

_NUMBER = re.compile(r"[0-9]+")
_RANGE = re.compile(r"([0-9]+)-([0-9]+)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_LOOSE_DATE = re.compile(r"([0-9]{4})[-/.]?([0-9]{1,2})[-/.]?([0-9]{1,2})")
_DIGITS_LIKE = re.compile(r"[+-]?(?:[\d_]+|0[xob][0-9a-f_]+)", re.IGNORECASE)  # with digits of all scripts, on purpose


class Mistake(Exception):  # noqa: N818  # becomes a diagnostic, never leaves the package
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
        raise Mistake(
            "FW116", f"`{_short(text)}` has leading zeros", "some programs read it as octal", f"write `{_short(plain)}`"
        )
    if len(text) > 9 or int(text) > top:
        raise Mistake(
            code, f"{what} `{_short(text)}` does not exist", f"the largest is {top}", f"write a number from 0 to {top}"
        )
    return int(text)


def _not_plain(text: str, what: str) -> Mistake:
    plain = re.sub(r"[_+]", "", text)
    if _NUMBER.fullmatch(plain):
        return Mistake(
            "FW116", f"`{_short(text)}` is no plain number", "only the digits 0-9", f"write `{_short(plain)}`"
        )
    if re.fullmatch(r"-[0-9]+", text):
        code = "FW111" if what == "port" else "FW116"
        help = f"for a range write `0-{_short(text[1:])}`" if what == "port" else "write a number from 0"
        return Mistake(code, f"{what} `{_short(text)}` does not exist", "the smallest is 0", help)
    if any(c.isdigit() and not c.isascii() for c in text):
        digits = "".join(str(int(c)) if c.isdecimal() else c for c in text)
        help = f"write `{_short(digits)}`" if _NUMBER.fullmatch(digits) else ""
        return Mistake("FW116", f"`{_short(text)}` has digits of another script", "only the digits 0-9", help)
    try:
        help = f"write `{int(text, 0)}`" if len(text) < 20 else ""
    except ValueError:
        help = f"{what} is written as a decimal number"
    return Mistake("FW116", f"`{_short(text)}` is no plain number", "only the digits 0-9, in decimal", help)


def looks_numeric(text: str) -> bool:
    """Is the word meant as a number, though perhaps a wrong one?"""
    return _DIGITS_LIKE.fullmatch(text) is not None


def addresses(text: str) -> IntervalSet:
    """A literal: an address, a prefix, a range, or a value under a mask.

    >>> addresses("10.0.0.0/255.0.255.254").ranges[:2]
    ((167772160, 167772161), (167837696, 167837697))
    """
    if len(text) > MAX_WORD:
        raise Mistake("FW104", f"`{_short(text)}` is no address", f"more than {MAX_WORD} characters")
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
        raise Mistake(
            "FW104", f"`{_short(text)}` is no address", "a port does not belong here", f"write `{head} port {port}`"
        )
    if text.startswith("[") and text.endswith("]"):
        raise Mistake(
            "FW104", f"`{_short(text)}` is no address", "brackets belong to packets", f"write `{_short(text[1:-1])}`"
        )
    label, _, help = reason.partition(": write ")
    help = f"write {help}" if help else _address_help(text)
    raise Mistake("FW104", f"`{_short(text)}` is no address", label, help)


def _address_help(text: str) -> str:
    """The address meant, where one slip alone explains the word."""
    if not text.isascii():
        plain = "".join(str(int(c)) if c.isdecimal() else c for c in text)
        return f"write `{plain}`" if _reads(plain) else "write it with the digits 0-9"
    for plain in (text.replace("_", ""), text.rstrip(".,;"), text.replace(":::", "::"), re.sub(r"\.{2,}", ".", text)):
        if plain != text and _reads(plain):
            return f"write `{plain}`"
    parts = text.split(".")
    if 1 < len(parts) < 4 and all(_NUMBER.fullmatch(p) and int(p[:4]) < 256 for p in parts):
        missing = ".0" * (4 - len(parts))
        return f"for the block write `{text}{missing}/{8 * len(parts)}`"
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}(?:\.(?:\*|x))+", text, re.IGNORECASE):
        octets = [p for p in parts if p.isdigit()]
        if _reads(block := ".".join([*octets, *["0"] * (4 - len(octets))])):
            return f"write `{block}/{8 * len(octets)}`"
    return ""


def _reads(text: str) -> bool:
    try:
        address.parse(text)
    except ValueError:
        return False
    return True


def _address_range(text: str, lo: str, hi: str) -> IntervalSet:
    full = lo.rpartition(".")[0] + "." + hi
    if _NUMBER.fullmatch(hi) and "." in lo and _reads(full):
        raise Mistake("FW104", f"`{_short(text)}` is no range", "both ends are whole addresses", f"write `{lo}-{full}`")
    a, b = _address(lo), _address(hi)
    if address.family_of(a) != address.family_of(b):
        raise Mistake(
            "FW108",
            f"`{_short(text)}` mixes IPv4 and IPv6",
            "both ends are of one family",
            "write a range for each family",
        )
    if a > b:
        raise Mistake("FW107", f"`{_short(text)}` is reversed", "the first end is larger", f"write `{hi}-{lo}`")
    return IntervalSet(((a, b),))


def _masked(text: str, first: str, rest: str) -> IntervalSet:
    if "-" in first or "-" in rest[1:]:
        help = "list blocks in braces, or write a range of addresses"
        raise Mistake("FW104", f"`{_short(text)}` is no range", "the ends of a range are addresses", help)
    if "/" in rest:
        raise Mistake(
            "FW105", f"`{_short(text)}` has two slashes", "expected one", "write ADDRESS/LENGTH or VALUE/MASK"
        )
    base = _address(first)
    bits = address.bits_of(base)
    if "." in rest or ":" in rest:
        return _wildcard(text, base, rest)
    if not _NUMBER.fullmatch(rest):
        plain = "".join(str(int(c)) if c.isdecimal() else "" for c in rest) if "-" not in rest else ""
        help = (
            f"write `{first}/{plain}`"
            if plain and len(plain) < 4 and int(plain) <= bits
            else f"write a length from 0 to {bits}"
        )
        raise Mistake("FW105", f"`{_short(text)}` has no valid prefix length", "expected a plain number", help)
    if len(rest) > 1 and rest[0] == "0":
        raise Mistake(
            "FW105", f"`/{_short(rest)}` has leading zeros", "", f"write `/{_short(rest.lstrip('0') or '0')}`"
        )
    if len(rest) > 3 or int(rest) > bits:
        family = f"IPv{address.family_of(base)}"
        raise Mistake(
            "FW105",
            f"prefix length `/{_short(rest)}` does not exist",
            f"the largest for {family} is /{bits}",
            f"write a length from 0 to {bits}",
        )
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
        raise Mistake(
            "FW108",
            f"`{_short(text)}` mixes IPv4 and IPv6",
            "value and mask are of one family",
            "write a mask for each family",
        )
    value, mask = address.to_value(base), address.to_value(mask_point)
    everything = (1 << bits) - 1
    free = everything & ~mask
    inverse = bool(free & (free + 1)) and not mask & (mask + 1)  # ones at the low end: as Cisco writes it
    if not value and (inverse or not free):
        length = bits - mask.bit_length()
        block = f"{address.show(base)}/{length}" if length else "any"
        raise Mistake(
            "FW109", f"`{_short(text)}` can be read in two ways", "an inverse mask?",
            f"one bits are compared here: write `{address.show(base)}` for the address" if not free else f"write `{block}` for the block",
        )  # fmt: skip
    if value & free:
        help = ""
        if inverse:
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
    word = text.lower() if text.isascii() and len(text) <= MAX_WORD else ""
    found = names.port_class(word) or _service(word, protocol)
    if found is not None:
        return found
    readings = []
    for i, c in enumerate(word):
        if c == "-":
            lo, hi = (_one_end(part, protocol) for part in (word[:i], word[i + 1 :]))
            if lo is not None and hi is not None:
                readings.append((lo, hi))
    if len(readings) > 1:
        both = " or ".join(f"`{lo}-{hi}`" for lo, hi in readings)
        raise Mistake("FW024", f"`{_short(text)}` can be read in two ways", "which hyphen?", f"write {both}")
    if not readings:
        raise _unknown_port(text, protocol)
    return between(text, *readings[0])


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


def between(text: str, lo: int, hi: int) -> IntervalSet:
    if lo > hi:
        raise Mistake("FW107", f"`{_short(text)}` is reversed", f"{lo} is larger than {hi}", f"write `{hi}-{lo}`")
    return IntervalSet(((lo, hi),))


def _unknown_port(text: str, protocol: int | None) -> Mistake:
    others = names.protocols_of(text)
    if others and protocol is not None:
        having = " and ".join(names.protocol_name(p) for p in sorted(others))
        return Mistake(
            "FW113",
            f"`{text}` is {having} only",
            f"has no {names.protocol_name(protocol)} port",
            f"write a number, or a rule of its own for {having}",
        )
    if "/" in text and names.protocol(text.partition("/")[0]) is not None:
        port = text.partition("/")[2]
        return Mistake(
            "FW112",
            f"`{_short(text)}` is no port",
            "the protocol stands in front",
            f"write `{_short(port)}`, with the protocol behind the action",
        )
    meant = names.near_service(text) if len(text) < 40 else []
    help = f"did you mean `{meant[0]}`?" if meant else "write a number, a range, or a name of IANA's registry"
    return Mistake("FW112", f"no port is called `{_short(text)}`", "unknown port name", help)


def protocol(text: str) -> int:
    """A protocol by name or number.

    >>> protocol("tcp"), protocol("47")
    (6, 47)
    """
    if looks_numeric(text):
        return number(text, 255, "protocol", "FW115")
    found = names.protocol(text)
    if found is None:
        raise Mistake(
            "FW115", f"no protocol is called `{_short(text)}`", "unknown protocol or service", _protocol_help(text)
        )
    if found in _AMBIGUOUS and text.lower() in _AMBIGUOUS[found]:
        label, help = _AMBIGUOUS[found][text.lower()]
        raise Mistake("FW115", f"`{text}` can be read in two ways", label, help)
    return found


_TUNNEL = "the version of every packet, or a tunnel?"
_AMBIGUOUS = {  # names that IANA gives to something nobody means by them
    4: {"ipv4": (_TUNNEL, "write `any` with IPv4 addresses such as `from ipv4`, or `4` for IPv4 in IP")},
    27: {"rdp": ("Reliable Data, or Remote Desktop?", "write `27`, or `tcp/ms-wbt-server`")},
    41: {"ipv6": (_TUNNEL, "write `any` with IPv6 addresses such as `from ipv6`, or `41` for IPv6 in IP")},
}


def protocol_text(number: int) -> str:
    """A protocol as `protocol` reads it back.

    >>> protocol_text(6), protocol_text(41), protocol_text(253)
    ('tcp', '41', '253')
    """
    name = names.protocol_name(number)
    return str(number) if name in _AMBIGUOUS.get(number, ()) else name


def _protocol_help(text: str) -> str:
    word = text.lower()
    if word in ("ip", "ip4", "ip6", "inet", "inet6", "all", "*"):
        return "write `any`; the addresses say which family"
    having = names.protocols_of(text)
    if having:
        p = names.protocol_name(min(having))
        return f"`{text}` is a port: write `{p}/{text}`, or `{p} … port {text}`"
    meant = (names.near(word, ["any"]) or names.near_protocol(word)) if len(text) < 40 else []
    if meant:
        return f"did you mean `{meant[0]}`?"
    return "write a name such as `tcp`, or a number from 0 to 255"


def flag_test(text: str) -> IntervalSet:
    """The flag bytes that pass a test such as `syn/syn,ack`.

    >>> 0b00010 in flag_test("syn/syn,ack"), 0b10010 in flag_test("syn/syn,ack")
    (True, False)
    """
    value_text, slash, mask_text = text.partition("/")
    if not slash:
        byte = flag_byte(value_text)
        help = "write `none/all` for no flag at all" if not byte else f"write `{text}/{text}` to ask that they are set"
        if byte == 2:
            help = "write `syn/syn,ack` for the first packet of a connection, or `syn/syn` to ask only that it is set"
        raise Mistake("FW121", f"`{_short(text)}` has no mask", "which flags must be clear?", help)
    if "/" in mask_text:
        raise Mistake(
            "FW121",
            f"`{_short(text)}` has two masks",
            "several tests?",
            "write `{ a/b, c/d }`, with spaces behind the commas",
        )
    value, mask = flag_byte(value_text), flag_byte(mask_text)
    if value & ~mask:
        raise Mistake(
            "FW121",
            f"`{_short(text)}` can never hold",
            "set, but not compared",
            f"write `{value_text}/{_flags(value | mask)}`",
        )
    return IntervalSet.union((v, v) for v in range(256) if v & mask == value)


def flag_byte(text: str) -> int:
    """The flags named, as the byte of the header."""
    word = text.lower() if text.isascii() else text
    if word == "none":
        return 0
    if word == "all":
        return 255
    byte = 0
    for name in word.split(","):
        if name not in FLAG_NAMES:
            meant = names.near(name, FLAG_NAMES) if len(name) < 20 else []
            help = f"did you mean `{meant[0]}`?" if meant else "the flags are " + ", ".join(FLAG_NAMES)
            raise Mistake("FW121", f"`{_short(name)}` is no tcp flag", "unknown flag", help)
        byte |= 1 << FLAG_NAMES.index(name)
    return byte


def _flags(byte: int) -> str:
    return ",".join(name for bit, name in enumerate(FLAG_NAMES) if byte >> bit & 1)


ESTABLISHED = IntervalSet.union((v, v) for v in range(256) if v & 0b10100)  # ACK or RST set


def date(text: str) -> datetime.date:
    """A day, written YYYY-MM-DD.

    >>> date("2027-06-30")
    datetime.date(2027, 6, 30)
    """
    match = _DATE.fullmatch(text)
    if not match:
        loose = _LOOSE_DATE.fullmatch(text)
        plain = f"{loose[1]}-{int(loose[2]):02}-{int(loose[3]):02}" if loose else "2027-06-30"
        raise Mistake("FW124", f"`{_short(text)}` is no date", "expected YYYY-MM-DD", f"write it as `{plain}`")
    try:
        return datetime.date(*map(int, match.groups()))
    except ValueError:
        raise Mistake(
            "FW124", f"there is no day `{text}`", "no such day in the calendar", "write a day as YYYY-MM-DD"
        ) from None


def compared(operator: str, text: str, value: int, top: int) -> IntervalSet:
    """The numbers up to `top` that are `>=`, `<=`, `>` or `<` a value."""
    if operator not in (">=", "<=", ">", "<"):
        raise unknown_comparison(operator, text)
    lo, hi = {">=": (value, top), ">": (value + 1, top), "<=": (0, value), "<": (0, value - 1)}[operator]
    if lo > hi:
        raise Mistake("FW128", f"no number is {operator} {text}", "selects nothing", f"numbers here go from 0 to {top}")
    return IntervalSet(((lo, hi),))


def unknown_comparison(operator: str, text: str) -> Mistake:
    """What to say of `=`, `==` and `!=`, which the language does without, or of an order among what has none."""
    if operator in (">=", "<=", ">", "<"):
        return Mistake("FW132", f"`{operator}` compares numbers only", "no numbers here", "list the values")
    wanted = f"not {text}" if operator == "!=" else text
    return Mistake("FW132", f"`{operator}` is no comparison here", "unknown comparison", f"write `{_short(wanted)}`")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
