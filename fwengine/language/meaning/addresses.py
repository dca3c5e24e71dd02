"""Words -> sets of addresses: an address, a prefix, a range, or a value under a mask, strictly read."""

from __future__ import annotations

import re

from ...model import address
from ...model.interval import IntervalSet
from ...model.scattered import masked, show_masked
from .literals import MAX_WORD, Mistake, short, written

_NUMBER = re.compile(r"[0-9]+")


def literal(text: str) -> IntervalSet:
    """A literal: an address, a prefix, a range, or a value under a mask.

    >>> literal("10.0.0.0/255.0.255.254").ranges[:2]
    ((167772160, 167772161), (167837696, 167837697))
    """
    if len(text) > MAX_WORD:
        raise Mistake("FW104", f"`{short(text)}` is not an address", f"more than {MAX_WORD} characters")
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
    message = f"`{short(text)}` is not an address"
    head, colon, port = text.rpartition(":")
    if colon and "." in head and _NUMBER.fullmatch(port) and address.is_address(head):
        raise written("FW104", message, "a port does not belong here", f"{head} port {port}", alone=True)
    if text.startswith("[") and text.endswith("]") and address.is_address(text[1:-1]):
        raise written("FW104", message, "brackets belong to packets", text[1:-1])
    label, _, right = reason.partition(": write ")
    if right:
        plain = right.strip("`")
        raise Mistake("FW104", message, label, f"write {right}", *([plain] if address.is_address(plain) else []))
    help, fix = _slip(text)
    raise Mistake("FW104", message, label, help, *fix)


def _slip(text: str) -> tuple[str, list[str]]:
    """What to write for the address meant, where one slip alone explains the word; and its suggestion."""
    if not text.isascii():
        plain = "".join(str(int(c)) if c.isdecimal() else c for c in text)
        return (f"write `{plain}`", [plain]) if address.is_address(plain) else ("write it with the digits 0-9", [])
    for plain in (text.replace("_", ""), text.rstrip(".,;"), text.replace(":::", "::"), re.sub(r"\.{2,}", ".", text)):
        if plain != text and address.is_address(plain):
            return f"write `{plain}`", [plain]
    parts = text.split(".")
    if 1 < len(parts) < 4 and all(_NUMBER.fullmatch(p) and int(p[:4]) < 256 for p in parts):
        block = f"{text}{'.0' * (4 - len(parts))}/{8 * len(parts)}"
        return f"for the block write `{block}`", [block] if address.is_address(block.partition("/")[0]) else []
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}(?:\.(?:\*|x))+", text, re.IGNORECASE):
        octets = [p for p in parts if p.isdigit()]
        if address.is_address(block := ".".join([*octets, *["0"] * (4 - len(octets))])):
            return f"write `{block}/{8 * len(octets)}`", [f"{block}/{8 * len(octets)}"]
    return "", []


def _address_range(text: str, lo: str, hi: str) -> IntervalSet:
    full = lo.rpartition(".")[0] + "." + hi
    if _NUMBER.fullmatch(hi) and "." in lo and address.is_address(full):
        raise written("FW104", f"`{short(text)}` is not a range", "both ends are whole addresses", f"{lo}-{full}")
    a, b = _address(lo), _address(hi)
    if address.family_of(a) != address.family_of(b):
        raise Mistake(
            "FW108",
            f"`{short(text)}` mixes IPv4 and IPv6",
            "both ends are of one family",
            "write a range for each family",
        )
    if a > b:
        raise written("FW107", f"`{short(text)}` is reversed", "the first end is larger", f"{hi}-{lo}")
    return IntervalSet(((a, b),))


def _masked(text: str, first: str, rest: str) -> IntervalSet:
    if "-" in first or "-" in rest[1:]:
        help = "list blocks in braces, or write a range of addresses"
        raise Mistake("FW104", f"`{short(text)}` is not a range", "the ends of a range are addresses", help)
    if "/" in rest:
        raise Mistake("FW105", f"`{short(text)}` has two slashes", "expected one", "write ADDRESS/LENGTH or VALUE/MASK")
    base = _address(first)
    bits = address.bits_of(base)
    if "." in rest or ":" in rest:
        return _wildcard(text, base, rest)
    if not _NUMBER.fullmatch(rest):
        plain = "".join(str(int(c)) if c.isdecimal() else "" for c in rest) if "-" not in rest else ""
        right = [f"{first}/{plain}"] if plain and len(plain) < 4 and int(plain) <= bits and plain != rest else []
        help = f"write `{right[0]}`" if right else f"write a length from 0 to {bits}"
        raise Mistake("FW105", f"`{short(text)}` has no valid prefix length", "expected a plain number", help, *right)
    if len(rest) > 1 and rest[0] == "0":
        plain = rest.lstrip("0") or "0"
        raise Mistake(
            "FW105", f"`/{short(rest)}` has leading zeros", "", f"write `/{short(plain)}`", f"{first}/{plain}"
        )
    if len(rest) > 3 or int(rest) > bits:
        family = f"IPv{address.family_of(base)}"
        raise Mistake(
            "FW105",
            f"prefix length `/{short(rest)}` does not exist",
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
            f"{address.show(lo)}/{rest}",
            first,
        )
    return IntervalSet(((lo, hi),))


def _wildcard(text: str, base: int, rest: str) -> IntervalSet:
    mask_point = _address(rest)
    if address.family_of(mask_point) != address.family_of(base):
        raise Mistake(
            "FW108",
            f"`{short(text)}` mixes IPv4 and IPv6",
            "value and mask are of one family",
            "write a mask for each family",
        )
    value, mask = address.to_value(base), address.to_value(mask_point)
    _one_reading(text, base, value, mask)
    return masked(base, mask)


def reads_inverted(value: int, mask: int, bits: int) -> bool:
    """May a value under a mask well be meant the other way round, with the zero bits compared, as Cisco has it?

    Both readings are possible where the value has no bits. The inverted one is likelier if the mask has its ones at the
    low end, and if it compares all of the first octet without being a netmask: hardly anybody means addresses in 0/8.
    """
    free = (1 << bits) - 1 & ~mask
    if value or not mask:
        return False
    if not free & (free + 1):  # a netmask
        return not free
    return not mask & (mask + 1) or mask >> bits - 8 == 0xFF


def _one_reading(text: str, base: int, value: int, mask: int) -> None:
    """Refuses a mask that may be meant the other way round, and a value with bits that are never compared."""
    bits = address.bits_of(base)
    free = (1 << bits) - 1 & ~mask
    inverted = _under(value, free, base)
    if value & free:
        message, label = f"`{short(text)}` has value bits outside the mask", "they are never compared"
        if not value & mask:  # all of them are where an inverse mask compares
            raise Mistake("FW109", message, label, f"an inverse mask? write `{inverted}`", inverted)
        if not mask & (mask + 1):
            block = _under(value & free, free, base)
            raise Mistake("FW109", message, label, f"an inverse mask? write `{block}`", block)
        cleared = _under(value & mask, mask, base)
        help = f"write `{cleared}`" + ("" if free & (free + 1) else f" for the block, or `{address.show(base)}`")
        raise Mistake("FW109", message, label, help, *([] if free & (free + 1) else [cleared, address.show(base)]))
    if not reads_inverted(value, mask, bits):
        return
    message, label = f"`{short(text)}` can be read in two ways", "an inverse mask?"
    if not free:
        single = address.show(base)
        help = f"one bits are compared here: write `{single}` for the address, or `any`"
        raise Mistake("FW109", message, label, help, single)
    if mask & 1 and free & (free - 1) == 0:
        both = "{ " + f"{address.show(base)}, {address.show(base + free)}" + " }"
        help = f"one bits are compared here: write `{both}` for these two, or `{inverted}` for the inverse"
        raise Mistake("FW109", message, label, help, both, inverted)
    what = "block" if not mask & (mask + 1) else "inverse"
    raise Mistake("FW109", message, label, f"one bits are compared here: write `{inverted}` for the {what}", inverted)


def _under(value: int, mask: int, base: int) -> str:
    """A value under a mask, in the plainest spelling: as a prefix where the mask is one."""
    family = address.family_of(base)
    if not mask:
        return "0.0.0.0/0" if family == 4 else "::/0"
    return show_masked(address.to_point(family, value), mask)
